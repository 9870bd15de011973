"""The course's own parts of lesson 12."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.losses import binary_edges as boundary
from coursekit.losses import boundary_weighted_cross_entropy
from coursekit.models import bspnet

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FusionBranch", "alpha_for", "boundary", "fusion_loss", "not_above", "weight_share"]


class FusionBranch(bspnet.FusionBranch):
    """The course's fusion branch, called as the lesson's."""

    def __init__(self, context: int, edges: int, num_classes: int, width: int) -> None:
        super().__init__(context, edges, num_classes, width, abn="inplace")


def fusion_loss(logits: Tensor, target: Tensor, edges: Tensor, alpha: float) -> Tensor:
    """Eq. 4; logits (B, C, H, W), target (B, H, W), edges (B, H, W) of 0, 1 and 255 → a scalar."""
    total, pixels = boundary_weighted_cross_entropy(logits, target, edges, float(alpha))
    return total / pixels.clamp_min(1)


def weight_share(b: float, alpha: float) -> float:
    """The boundaries' share of all weights, where b is their share of the pixels."""
    return (1 + alpha) * b / (1 + alpha * b)


def alpha_for(b: float, s: float) -> float:
    """The α that gives boundaries the share s of all weights."""
    return (s / (1 - s)) / (b / (1 - b)) - 1


def not_above(
    rows: dict[str, tuple[float, ...]], name: str, rivals: list[str], by: float = 0.0
) -> list[int]:
    """Columns, from 0, in which a row is not above every rival by more than `by`."""
    best = [max((rows[r][i] for r in rivals), default=None) for i in range(len(rows[name]))]
    return [
        i
        for i, (mine, rival) in enumerate(zip(rows[name], best, strict=True))
        if rival is not None and not mine > rival + by
    ]
