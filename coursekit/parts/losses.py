"""The course's own parts of lesson 06."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit import losses
from coursekit.losses import dice_loss, lovasz_gradient, lovasz_softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

__all__ = [
    "focal_loss",
    "gradient_share",
    "inverse_frequency",
    "lovasz_gradient",
    "lovasz_softmax",
    "soft_dice_loss",
]


def inverse_frequency(counts: NDArray[Any]) -> NDArray[Any]:
    """Weights in inverse proportion to pixels: (C,), sum 1; 0 for a class without pixels."""
    return losses.inverse_frequency_weights(counts).numpy()


def gradient_share(weights: NDArray[Any], counts: NDArray[Any]) -> NDArray[Any]:
    """Each class's share of the whole gradient of an even guess: (C,), sum 1."""
    return weights * counts / (weights @ counts)


def focal_loss(logits: Tensor, target: Tensor, gamma: float = 2.0) -> Tensor:
    """Focal loss on the softmax, the mean over pixels."""
    total, mass = losses.focal_loss(logits, target, gamma)
    return total / mass


def soft_dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """1 minus the mean soft F1 of the classes in the target, over the batch as a whole."""
    return dice_loss(logits, target)
