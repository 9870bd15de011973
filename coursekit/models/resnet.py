"""ResNet with a deep stem and output stride 8."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models.abn import ABN
from coursekit.models.layers import conv_abn


class Features(NamedTuple):
    """C2 … C5."""

    c2: Tensor
    c3: Tensor
    c4: Tensor
    c5: Tensor


class Bottleneck(nn.Module):
    """1×1, 3×3, 1×1 beside a shortcut."""

    def __init__(
        self, in_channels: int, width: int, expansion: int, stride: int, dilation: int, abn: str
    ) -> None:
        super().__init__()
        out = width * expansion
        self.reduce = conv_abn(in_channels, width, abn=abn)
        self.filter = nn.Sequential(
            nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False),
            ABN(width, kind=abn),
        )
        self.extend = conv_abn(width, out, slope=1.0, abn=abn)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and in_channels == out
            else conv_abn(in_channels, out, 1, stride, slope=1.0, abn=abn)
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.extend(self.filter(self.reduce(x)))
        return F.leaky_relu(out + self.shortcut(x), 0.01)


class ResNetEncoder(nn.Module):
    """Deep stem, four stages of bottlenecks."""

    def __init__(
        self,
        in_channels: int = 3,
        stem: tuple[int, int, int] = (64, 64, 128),
        widths: tuple[int, int, int, int] = (64, 128, 256, 512),
        blocks: tuple[int, int, int, int] = (3, 4, 23, 3),
        expansion: int = 4,
        abn: str = "inplace",
    ) -> None:
        super().__init__()
        a, b, channels = stem
        self.stem = nn.Sequential(
            conv_abn(in_channels, a, 3, 2, abn=abn),
            conv_abn(a, b, 3, abn=abn),
            conv_abn(b, channels, 3, abn=abn),
            nn.MaxPool2d(3, 2, 1),
        )
        self.stages = nn.ModuleList()
        for width, depth, stride, dilation in zip(
            widths, blocks, (1, 2, 1, 1), (1, 1, 1, 2), strict=True
        ):
            stage = nn.Sequential()
            for i in range(depth):
                s = stride if i == 0 else 1
                stage.append(Bottleneck(channels, width, expansion, s, dilation, abn))
                channels = width * expansion
            self.stages.append(stage)
        self.channels = tuple(width * expansion for width in widths)

    def forward(self, image: Tensor) -> Features:
        x = self.stem(image)
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return Features(*features)
