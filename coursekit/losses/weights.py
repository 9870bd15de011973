"""Class weights from pixel counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from coursekit.errors import CourseError

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
    frequency = _frequency(counts)
    weights = torch.where(frequency > 0, 1 / torch.log(frequency + epsilon), 0.0)
    return (weights / weights.sum()).float()


def inverse_frequency_weights(
    counts: Sequence[int] | NDArray[np.integer] | Tensor,
) -> Float[Tensor, " classes"]:
    """Weights in direct inverse proportion to a class's frequency.

    w_c = (1 / f_c) / Σᵢ (1 / fᵢ)

    With them every class has the same share of the loss of an even guess, whether it fills half of
    the pixels or a few. They are here to show what that does: on the course's counts one pixel of a
    necklace weighs as much as 2,088 of hair, so that the loss and the size of a step depend on
    whether a batch holds one. The report uses `class_weights` instead.

    Args:
        counts: pixels of each class, whole numbers of at least 0.

    Returns:
        (num_classes,) float32, at least 0, with sum 1; 0 for a class without pixels.

    Raises:
        ValueError: when a count is negative or a share, or every count is 0.
    """
    frequency = _frequency(counts)
    weights = torch.where(frequency > 0, 1 / frequency, 0.0)
    return (weights / weights.sum()).float()


def _frequency(counts: Sequence[int] | NDArray[np.integer] | Tensor) -> Tensor:
    frequency = torch.as_tensor(counts).double()
    if frequency.ndim != 1 or bool((frequency < 0).any()) or bool((frequency % 1 != 0).any()):
        raise ValueError(
            "counts must be whole numbers of pixels, one for each class and none negative; "
            f"got {frequency.tolist()}: pass pixel counts, not shares"
        )
    if not bool(frequency.any()):
        raise CourseError(
            "every class has 0 pixels: the training masks are all ignored, or nothing was counted; "
            "look at them with `coursekit data check`"
        )
    return frequency
