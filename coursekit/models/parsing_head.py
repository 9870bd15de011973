"""The parsing head that EAGRNet and DML-CSR share: context and C2, side by side, at C2's size."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models.layers import conv_abn


class ParsingHead(nn.Module):
    """Context (B, context, h, w) and C2 (B, shallow, 2h, 2w) → logits (B, num_classes, 2h, 2w)."""

    def __init__(
        self,
        context: int,
        shallow: int,
        num_classes: int,
        *,
        width: int = 256,
        low_level: int = 48,
        abn: str = "inplace",
    ) -> None:
        super().__init__()
        self.reduce = conv_abn(context, width, abn=abn)
        self.low_level = conv_abn(shallow, low_level, abn=abn)
        self.fuse = nn.Sequential(
            conv_abn(width + low_level, width, abn=abn), conv_abn(width, width, abn=abn)
        )
        self.classify = nn.Conv2d(width, num_classes, 1)

    def forward(self, context: Tensor, c2: Tensor) -> Tensor:
        x = F.interpolate(self.reduce(context), c2.shape[-2:], mode="bilinear")  # (B, 256, 2h, 2w)
        both = torch.cat([x, self.low_level(c2)], dim=1)  # (B, 304, 2h, 2w)
        return self.classify(self.fuse(both))  # (B, C, 2h, 2w)
