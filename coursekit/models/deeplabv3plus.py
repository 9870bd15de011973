"""DeepLabV3+ (Chen et al., 2018) as the course's report sizes it: 1,964,394 weights.

The figure's boxes are the classes `Encoder`, `ASPP` (with `ASPPConv` and `ASPPPooling`) and
`Decoder`. Deviations from the paper, all of them the report's: an encoder of six plain convolutions
with max-pooling in place of a dilated Xception or ResNet (so the output stride is 8), ordinary
convolutions in place of separable ones in ASPP and decoder, biases before normalisation, rates of
6, 12 and 18 at stride 8, for which the paper doubles them, low-level features from stride 2 rather
than 4 and without ReLU after they are thinned, and a learned last doubling in place of a bilinear
one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class DeepLabV3PlusConfig:
    """Sizes of a DeepLabV3+.

    Attributes:
        num_classes: channels of the logits.
        in_channels: channels of the image.
        stages: widths of the two convolutions of each stage; each stage halves the size.
        aspp: channels of each branch of the pyramid. 112 gives 1,816,906 weights, below the 2025
            competition's limit of 1,821,085.
        rates: dilations of the pyramid's 3×3 convolutions.
        low_level: channels that are kept of the first stage's features.
        decoder: channels of the decoder.
    """

    num_classes: int = 19
    in_channels: int = 3
    stages: tuple[tuple[int, int], ...] = ((32, 64), (64, 128), (192, 256))
    aspp: int = 128
    rates: tuple[int, ...] = (6, 12, 18)
    low_level: int = 32
    decoder: int = 64


def conv_bn_relu(
    in_channels: int, out_channels: int, kernel: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Convolution that keeps the size, batch normalisation, ReLU.

    The convolution has a bias, though the normalisation takes it away again: the report's count
    has it.
    """
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=padding, dilation=dilation),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class Stage(nn.Sequential):
    """Two 3×3 convolutions, then half the size: (B, in, H, W) → (B, out, H/2, W/2)."""

    def __init__(self, in_channels: int, middle: int, out_channels: int) -> None:
        super().__init__(
            conv_bn_relu(in_channels, middle, 3),
            conv_bn_relu(middle, out_channels, 3),
            nn.MaxPool2d(2),
        )


class Encoder(nn.ModuleList):
    """Stages, each at half the size of the one before; gives the output of every one."""

    def __init__(self, in_channels: int, stages: tuple[tuple[int, int], ...]) -> None:
        inputs = (in_channels, *(out for _, out in stages[:-1]))
        super().__init__(Stage(i, *widths) for i, widths in zip(inputs, stages, strict=True))

    def forward(self, x: Tensor) -> list[Tensor]:
        features = []
        for stage in self:
            x = stage(x)
            features.append(x)
        return features


class ASPPConv(nn.Sequential):
    """One branch of the pyramid: 3×3 samples that lie `rate` pixels apart."""

    def __init__(self, in_channels: int, out_channels: int, rate: int) -> None:
        super().__init__(*conv_bn_relu(in_channels, out_channels, 3, dilation=rate))


class ASPPPooling(nn.Module):
    """The branch that sees everything: the mean over the image, laid out at every pixel."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.project = conv_bn_relu(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        mean = F.adaptive_avg_pool2d(x, 1)  # (B, in, 1, 1)
        return self.project(mean).expand(-1, -1, *x.shape[-2:])


class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: views of different reach, side by side, then mixed."""

    def __init__(self, in_channels: int, width: int, rates: tuple[int, ...]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            [
                conv_bn_relu(in_channels, width),
                *(ASPPConv(in_channels, width, rate) for rate in rates),
                ASPPPooling(in_channels, width),
            ]
        )
        self.project = conv_bn_relu(width * len(self.branches), width)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))


class Decoder(nn.Module):
    """Brings the deep features to the shallow ones' size and refines them beside these."""

    def __init__(self, config: DeepLabV3PlusConfig) -> None:
        super().__init__()
        self.low_level = nn.Sequential(
            nn.Conv2d(config.stages[0][1], config.low_level, 1), nn.BatchNorm2d(config.low_level)
        )
        self.refine = nn.Sequential(
            conv_bn_relu(config.low_level + config.aspp, config.decoder, 3),
            conv_bn_relu(config.decoder, config.decoder, 3),
        )
        self.head = nn.Conv2d(config.decoder, config.num_classes, 1)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        deep = F.interpolate(deep, shallow.shape[-2:], mode="bilinear")
        both = torch.cat([deep, self.low_level(shallow)], dim=1)  # (B, 160, H/2, W/2)
        return self.head(self.refine(both))


class DeepLabV3Plus(nn.Module):
    """Encoder, pyramid of dilated convolutions, and a decoder with one skip."""

    def __init__(self, config: DeepLabV3PlusConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DeepLabV3PlusConfig()
        self.encoder = Encoder(config.in_channels, config.stages)
        self.aspp = ASPP(config.stages[-1][1], config.aspp, config.rates)
        self.decoder = Decoder(config)
        self.up = nn.ConvTranspose2d(config.num_classes, config.num_classes, 2, stride=2)

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits at the size of the image, for any height and width of at least 8 pixels.

        Args:
            image: (B, in_channels, H, W) float, whitened. While training B must be 2 or more: the
                pyramid normalises one value per image and channel over the batch.

        Returns:
            (B, num_classes, H, W) logits.
        """
        features = self.encoder(image)  # (B, 64, H/2, W/2), …, (B, 256, H/8, W/8)
        deep = self.aspp(features[-1])  # (B, 128, H/8, W/8)
        logits = self.up(self.decoder(deep, features[0]))
        # Pooling rounds an odd size down, so the doubled map can be a pixel short of the image.
        pad_y, pad_x = image.shape[-2] - logits.shape[-2], image.shape[-1] - logits.shape[-1]
        if pad_y or pad_x:
            logits = F.pad(logits, (0, pad_x, 0, pad_y), mode="replicate")
        return logits
