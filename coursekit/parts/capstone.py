"""The course's own parts of lesson 14."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from coursekit.metrics import mean_iou
from coursekit.models import count_parameters
from coursekit.parts.own_network import Mine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

__all__ = ["Mine", "paired", "receptive_field", "widest", "worst"]


def widest(
    make: Callable[[int], nn.Module], limit: int,
    cost: Callable[[nn.Module], int] = count_parameters,
) -> int:  # fmt: skip
    """The largest width, from 1, with cost(make(width)) < limit; a ValueError if there is none."""

    def fits(width: int) -> bool:
        with torch.device("meta"):
            return cost(make(width)) < limit

    if not fits(1):
        raise ValueError("not even a network of width 1 is below the limit")
    width, step = 1, 1
    while fits(width + step):
        width, step = width + step, 2 * step
    while step := step // 2:
        width += step * fits(width + step)
    return width


def receptive_field(layers: Sequence[tuple[int, int, int]]) -> tuple[int, int]:
    """(field, step) after a chain of layers, each (kernel, stride, dilation)."""
    field, step = 1, 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * step
        step *= stride
    return field, step


def paired(
    ours: Sequence[float], theirs: Sequence[float], critical: float
) -> tuple[float, float, bool]:
    """Mean gain of ours, half the width of its interval, and whether all of that is above 0."""
    gains = np.subtract(ours, theirs)
    mean, half = float(gains.mean()), float("inf")
    if len(gains) > 1:
        half = float(critical * gains.std(ddof=1) / len(gains) ** 0.5)
    return mean, half, mean > half


def worst(matrices: Sequence[Tensor], k: int) -> list[int]:
    """Positions of the k images with the lowest mean IoU, worst first, ties by position."""
    scored = [(mean_iou(matrix), i) for i, matrix in enumerate(matrices) if matrix.any()]
    return [i for _, i in sorted(scored)[:k]]
