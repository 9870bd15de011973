"""Losses for label maps with a long tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.labels import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


def class_weights(
    counts: Sequence[int] | NDArray[np.integer] | Tensor, epsilon: float = 1e-6
) -> Float[Tensor, " classes"]:
    """Weights that fall with the logarithm of a class's frequency (the report's Eq. 2).

    w_c = (1 / log(f_c + ε)) / Σᵢ (1 / log(fᵢ + ε))

    f_c is a number of **pixels**, not a share: logarithms of shares are negative and would turn the
    order round, so that the rarest class weighed least. A class with no pixels at all has no
    weight in Eq. 2 (log ε is negative, and the loss would reward mistakes): it gets 0 here and is
    left out of the sum. Eq. 2 has a pole at one pixel: a class with exactly one takes nearly all of
    the weight. Such a class is a defect of the data (see the audit), not something to train on.

    Args:
        counts: pixels of each class, whole numbers of at least 0.
        epsilon: the ε of Eq. 2.

    Returns:
        (num_classes,) float32, at least 0, with sum 1.

    Raises:
        ValueError: when a count is negative or a share, or every count is 0.
    """
    frequency = torch.as_tensor(counts).double()
    if frequency.ndim != 1 or bool((frequency < 0).any()) or bool((frequency % 1 != 0).any()):
        raise ValueError(
            "counts must be whole numbers of pixels, one for each class and none negative; "
            f"got {frequency.tolist()}: pass pixel counts, not shares"
        )
    if not bool(frequency.any()):
        raise ValueError("every class has 0 pixels; count the classes of the training set first")
    weights = torch.where(frequency > 0, 1 / torch.log(frequency + epsilon), 0.0)
    return (weights / weights.sum()).float()


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
    """
    total = F.cross_entropy(
        logits, target, weight=weights, ignore_index=ignore_index, reduction="sum"
    )
    with torch.no_grad():
        valid = target[target != ignore_index]
        mass = logits.new_tensor(valid.numel()) if weights is None else weights[valid].sum()
    return total, mass


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
        total, mass = weighted_cross_entropy(logits, target, self.weights, self.ignore_index)
        return total / mass.clamp_min(torch.finfo(mass.dtype).tiny)
