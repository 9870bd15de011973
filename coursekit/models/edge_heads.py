"""The edge tasks of DML-CSR (Section 3.2): binary and category edges from C2, C3 and C4.

The decoder is CE2P's (Ruan et al., 2019), which the paper names. The paper draws a branch for each
task; the public code has one, whose features two 1×1 convolutions read, and the paper's count of
parameters (60,155,634) fits one branch, not two: so we build one, and offer no second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models.layers import one_of

if TYPE_CHECKING:
    from collections.abc import Callable

EDGE_HEADS = ("none", "binary", "category", "both")


class Heads(NamedTuple):
    """What a network with several tasks gives, all at the size of the image.

    Attributes:
        logits: (B, C, H, W) of the classes.
        binary: (B, 2, H, W) of no edge and edge, or None without this head.
        category: (B, C, H, W), one logit for each class's edge, or None without this head.
    """

    logits: Tensor
    binary: Tensor | None = None
    category: Tensor | None = None


class EdgeHeads(nn.Module):
    """Features of three depths, each thinned to a map a class; two classifiers read all maps.

    `forward` is `classify(features(…))`; BSPNet's fusion reads the features, too.

    Args:
        channels: of C2, C3 and C4.
        num_classes: C.
        layer: makes a 1×1 convolution with normalisation and activation from (in, out).
        width: channels that each of the three is brought to.
        heads: "binary", "category" or "both"; "none" for the features alone.
        maps: that the shared 3×3 convolution gives of each; num_classes by default.
    """

    def __init__(
        self,
        channels: tuple[int, int, int],
        num_classes: int,
        layer: Callable[[int, int], nn.Module],
        *,
        width: int = 256,
        heads: str = "both",
        maps: int | None = None,
    ) -> None:
        super().__init__()
        one_of("edge_heads", heads, EDGE_HEADS)
        maps = num_classes if maps is None else maps
        self.reduce = nn.ModuleList(layer(entry, width) for entry in channels)
        self.shared = self.binary = self.category = None
        if heads != "none":
            self.shared = nn.Conv2d(width, maps, 3, padding=1)
        if heads in ("binary", "both"):
            self.binary = nn.Conv2d(3 * maps, 2, 1)
        if heads in ("category", "both"):
            self.category = nn.Conv2d(3 * maps, num_classes, 1)

    def forward(self, c2: Tensor, c3: Tensor, c4: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Binary (B, 2, h, w) and category (B, C, h, w) edges at C2's size; None for no head."""
        return self.classify(self.features(c2, c3, c4))

    def features(self, c2: Tensor, c3: Tensor, c4: Tensor) -> list[Tensor]:
        """The three at one width, each at its own size."""
        return [reduce(x) for reduce, x in zip(self.reduce, (c2, c3, c4), strict=True)]

    def classify(self, features: list[Tensor]) -> tuple[Tensor | None, Tensor | None]:
        """What `forward` gives, from what `features` gave."""
        if self.shared is None:
            return None, None
        size = features[0].shape[-2:]
        maps = []
        for own in features:
            x = self.shared(own)  # (B, C, H/4, W/4), (B, C, H/8, W/8) twice
            maps.append(x if x.shape[-2:] == size else F.interpolate(x, size, mode="bilinear"))
        x = torch.cat(maps, dim=1)  # (B, 3C, H/4, W/4)
        return (
            None if self.binary is None else self.binary(x),  # (B, 2, H/4, W/4)
            None if self.category is None else self.category(x),  # (B, C, H/4, W/4)
        )


def enlarge(maps: Tensor | None, size: tuple[int, int]) -> Tensor | None:
    """Logits at the size of the image; None stays None."""
    return None if maps is None else F.interpolate(maps, size, mode="bilinear")
