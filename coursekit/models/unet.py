"""U-Net (Ronneberger, Fischer and Brox, 2015) as the course's report sizes it: 1,941,411 weights.

Deviations from the paper, all of them the report's: widths 16 to 256 instead of 64 to 1,024,
padded convolutions, so that the logits are as large as the image, and no dropout at the bottom.
Neither has normalisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of a U-Net.

    Attributes:
        num_classes: channels of the logits.
        in_channels: channels of the image.
        widths: channels at each level, from the full size down; the last is the bottleneck.
            (15, 30, 60, 120, 240) gives 1,706,464 weights, below the 2025 competition's limit of
            1,821,085.
    """

    num_classes: int = 19
    in_channels: int = 3
    widths: tuple[int, ...] = (16, 32, 64, 128, 256)


class DoubleConv(nn.Sequential):
    """Two 3×3 convolutions, each followed by ReLU: (B, in, H, W) → (B, out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            nn.ReLU(inplace=True),
        )


class Up(nn.Module):
    """Doubles the size, lays the skipped features beside, and mixes them."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.conv = DoubleConv(2 * out_channels, out_channels)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)  # (B, out, 2h, 2w)
        # Pooling rounds an odd size down, so the doubled map can be a pixel short of the skip.
        pad_y, pad_x = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
        if pad_y or pad_x:
            x = F.pad(x, (0, pad_x, 0, pad_y), mode="replicate")
        return self.conv(torch.cat([skip, x], dim=1))


class UNet(nn.Module):
    """An encoder that halves the size at each level, and a decoder that undoes it."""

    def __init__(self, config: UNetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or UNetConfig()
        widths = config.widths
        self.down = nn.ModuleList(
            DoubleConv(a, b) for a, b in pairwise((config.in_channels, *widths[:-1]))
        )
        self.pool = nn.MaxPool2d(2)
        self.bottleneck = DoubleConv(widths[-2], widths[-1])
        self.up = nn.ModuleList(Up(a, b) for a, b in pairwise(widths[::-1]))
        self.head = nn.Conv2d(widths[0], config.num_classes, 1)

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits at the size of the image, for any height and width of at least 16 pixels.

        Args:
            image: (B, in_channels, H, W) float, whitened.

        Returns:
            (B, num_classes, H, W) logits.
        """
        skips = []
        x = image
        for block in self.down:
            x = block(x)
            skips.append(x)  # (B, 16, H, W), (B, 32, H/2, W/2), …
            x = self.pool(x)
        x = self.bottleneck(x)  # (B, 256, H/16, W/16)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(x, skip)
        return self.head(x)
