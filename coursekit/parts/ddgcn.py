"""The course's own parts of lesson 09."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.models import count_parameters, ddgcn
from coursekit.models.ddgcn import FeatureGraph, Projection, SpatialGraph

__all__ = [
    "DDGCN",
    "FeatureGraph",
    "Projection",
    "SpatialGraph",
    "at_start",
    "readings",
    "relate",
]


def relate(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """M = Kᵀ softmax(Q Vᵀ): three times (B, c, l) → (B, l, c)."""
    return key.mT @ (query @ value.mT).softmax(-1)


class DDGCN(ddgcn.DDGCN):
    """The course's block, called as the lesson's."""

    def __init__(
        self, in_channels: int, channels: int = 512, conva: int = 1, merge: str = "code"
    ) -> None:
        super().__init__(in_channels, channels, conva=conva, merge=merge)

    def merged(self, x: Tensor) -> Tensor:
        """X (B, C, h, w) → Y: (B, 3C, h, w) as in the paper, (B, 2C, h, w) as in the code."""
        return self.merge_as_paper(x) if self.merge == "paper" else self.merge_as_code(x)


def at_start(block: DDGCN, x: Tensor) -> Tensor:
    """Y of a fresh block, whose λ and γ are 0."""
    if block.merge == "paper":
        return F.pad(x, (0, 0, 0, 0, 0, 2 * x.shape[1]))  # (B, 3C, h, w)
    up = F.interpolate(block.projection(x), x.shape[-2:], mode="bilinear")  # (B, C, h, w)
    return torch.cat([x * up + x, x], dim=1)


def readings(
    target: int, rest: int, in_channels: int = 2048, channels: int = 512
) -> list[tuple[int, str]]:
    """The (conva, merge) of DDGCN with which a network has `target` parameters in all."""
    with torch.device("meta"):
        blocks = {
            (conva, merge): DDGCN(in_channels, channels, conva, merge)
            for conva in (1, 3)
            for merge in ("paper", "code")
        }
    return [one for one, block in blocks.items() if count_parameters(block) == target - rest]
