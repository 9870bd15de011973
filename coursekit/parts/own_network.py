"""A network for lesson 14: small on purpose, and worth beating.

It needs torch alone, and no line `from __future__`: the lesson puts the text of this file into that
of a submission.
"""

import torch
from torch import nn
from torch.nn import functional as F


def convolve(a: int, b: int, stride: int = 1) -> nn.Sequential:
    """A 3×3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)
    )


class Mine(nn.Module):
    """(B, 3, H, W) whitened images → (B, num_classes, H, W) logits: down to an eighth, and up."""

    def __init__(self, num_classes: int = 19) -> None:
        super().__init__()
        self.to_half = convolve(3, 16, stride=2)
        self.to_quarter = convolve(16, 32, stride=2)
        self.to_eighth = nn.Sequential(convolve(32, 64, stride=2), convolve(64, 64))
        self.mix = convolve(32 + 64, 32)
        self.head = nn.Conv2d(16 + 32, num_classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        half = self.to_half(image)  # (B, 16, H/2, W/2)
        quarter = self.to_quarter(half)  # (B, 32, H/4, W/4)
        eighth = self.to_eighth(quarter)  # (B, 64, H/8, W/8)
        x = F.interpolate(eighth, quarter.shape[-2:], mode="bilinear")
        x = self.mix(torch.cat([quarter, x], dim=1))  # (B, 32, H/4, W/4)
        x = F.interpolate(x, half.shape[-2:], mode="bilinear")
        x = self.head(torch.cat([half, x], dim=1))  # (B, num_classes, H/2, W/2)
        return F.interpolate(x, image.shape[-2:], mode="bilinear")
