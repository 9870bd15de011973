"""Losses that are a sum over pixels: cross-entropy and focal loss."""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.labels import IGNORE_INDEX
from coursekit.losses.inputs import prepare, quotient


def weighted_cross_entropy(
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    weights: Float[Tensor, " classes"] | None = None,
    ignore_index: int = IGNORE_INDEX,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Numerator and denominator of the weighted cross-entropy (the report's Eq. 1 and 3).

    The loss of a batch is Σ w_y · (−log p_y) / Σ w_y over its pixels, as in
    `torch.nn.functional.cross_entropy`. The two sums come apart so that processes, or parts of a
    batch, can add them up before they divide: the mean of parts' means is another number.

    Args:
        logits: scores before softmax.
        target: class ids, or `ignore_index`.
        weights: one for each class; all 1 (Eq. 1) when None.
        ignore_index: pixels of this value do not count.

    Returns:
        Two scalars; the second has no gradient and is 0 when every pixel is ignored.

    Raises:
        ValueError: when the target is not of the logits' batch and size.
    """
    logits, target = prepare(logits, target)
    weights = None if weights is None else weights.to(logits)
    total = F.cross_entropy(
        logits, target, weight=weights, ignore_index=ignore_index, reduction="sum"
    )
    with torch.no_grad():
        valid = target[target != ignore_index]
        mass = logits.new_tensor(valid.numel()) if weights is None else weights[valid].sum()
    return total, mass


def focal_loss(
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    gamma: float = 2.0,
    weights: Float[Tensor, " classes"] | None = None,
    ignore_index: int = IGNORE_INDEX,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Numerator and denominator of the focal loss (Lin et al. 2017, Eq. 4 and 5).

    The loss of a pixel is w_y · (1 − p_y)^γ · (−log p_y): what is nearly right already costs next
    to nothing. With γ = 0 this is `weighted_cross_entropy`.

    Where it differs from the paper: p is the softmax over all classes, not a sigmoid for each (the
    paper's is the loss of a detector, with a yes or no for each class at each anchor); the paper's
    α_t is here a weight for each class; and the sum is divided by the pixels' weights rather than
    by the number of anchors that hold an object.

    Args:
        logits: scores before softmax.
        target: class ids, or `ignore_index`.
        gamma: how strongly easy pixels are turned down, at least 0; the paper has 2.
        weights: one for each class; all 1 when None.
        ignore_index: pixels of this value do not count.

    Returns:
        Two scalars; the second has no gradient and is 0 when every pixel is ignored.

    Raises:
        ValueError: when gamma is negative, or the target is not of the logits' batch and size.
    """
    if not gamma >= 0:
        raise ValueError(f"gamma is {gamma}; it must be at least 0 (0 is cross-entropy)")
    logits, target = prepare(logits, target)
    cost = F.cross_entropy(logits, target, ignore_index=ignore_index, reduction="none")  # −log p_y
    # 1 − p_y without the rounding of 1 − exp(…). The floor keeps the slope of a root, γ < 1, finite
    # at p_y = 1; it changes no value that could be seen.
    missing = (-torch.expm1(-cost)).clamp_min(torch.finfo(cost.dtype).tiny)
    with torch.no_grad():
        valid = target != ignore_index
        share = valid.to(cost)
        if weights is not None:
            share = share * weights.to(cost)[target.masked_fill(~valid, 0)]
    return (share * missing**gamma * cost).sum(), share.sum()


class WeightedCrossEntropy(nn.Module):
    """Eq. 3 as a module: `loss(logits, target)`, a scalar; 0 when every pixel is ignored.

    Args:
        weights: (num_classes,) from `class_weights`, or None for plain cross-entropy (Eq. 1).
        ignore_index: pixels of this value do not count.
    """

    weights: Tensor | None

    def __init__(self, weights: Tensor | None = None, ignore_index: int = IGNORE_INDEX) -> None:
        super().__init__()
        self.register_buffer("weights", weights, persistent=False)
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return quotient(*weighted_cross_entropy(logits, target, self.weights, self.ignore_index))


class FocalLoss(nn.Module):
    """`focal_loss` as a module: `loss(logits, target)`, a scalar; 0 when every pixel is ignored.

    Args:
        gamma: how strongly easy pixels are turned down, at least 0.
        weights: (num_classes,) from `class_weights`, or None.
        ignore_index: pixels of this value do not count.
    """

    weights: Tensor | None

    def __init__(
        self,
        gamma: float = 2.0,
        weights: Tensor | None = None,
        ignore_index: int = IGNORE_INDEX,
    ) -> None:
        super().__init__()
        self.register_buffer("weights", weights, persistent=False)
        self.gamma = float(gamma)
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return quotient(*focal_loss(logits, target, self.gamma, self.weights, self.ignore_index))
