"""FastSCNN (Poudel, Liwicki and Cipolla, 2019) as the course's report sizes it: 1,154,435 weights.

The figure's four boxes are the four classes `LearningToDownsample`, `GlobalFeatureExtractor`,
`FeatureFusion` and `Classifier`. Deviations from the paper, taken from the report: the fusion ends
in one more 1×1 convolution with batch normalisation and ReLU, its depthwise convolution is not
dilated (the paper's by 4), and in separable convolutions a ReLU follows the depthwise step, too.

`edge_heads` adds the edge tasks of DML-CSR for training; see `FastSCNN.heads`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models.edge_heads import EDGE_HEADS, EdgeHeads, Heads, enlarge
from coursekit.models.layers import one_of


@dataclass(frozen=True)
class FastSCNNConfig:
    """Sizes of a FastSCNN.

    Attributes:
        num_classes: channels of the logits.
        in_channels: channels of the image.
        downsample: widths of the three stride-2 layers of learning to downsample.
        bottlenecks: widths of the three groups of inverted residuals.
        repeats: inverted residuals in each group.
        expansion: how much wider an inverted residual is inside.
        bins: grid sizes of pyramid pooling.
        width: channels of the fused features and of the classifier.
        dropout: before the last convolution.
        edge_heads: "none", or for training "binary", "category" or "both".
    """

    num_classes: int = 19
    in_channels: int = 3
    downsample: tuple[int, int, int] = (32, 48, 64)
    bottlenecks: tuple[int, int, int] = (64, 96, 128)
    repeats: int = 3
    expansion: int = 6
    bins: tuple[int, ...] = (1, 2, 3, 6)
    width: int = 128
    dropout: float = 0.1
    edge_heads: str = "none"


def conv_bn_relu(
    in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution without bias (the normalisation has one), batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class SeparableConv(nn.Sequential):
    """A 3×3 convolution in two cheap steps: each channel alone, then all channels at each pixel."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__(
            conv_bn_relu(in_channels, in_channels, 3, stride, groups=in_channels),
            conv_bn_relu(in_channels, out_channels),
        )


class InvertedResidual(nn.Module):
    """MobileNetV2's bottleneck: widen, filter each channel, narrow without a non-linearity."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.layers = nn.Sequential(
            conv_bn_relu(in_channels, hidden),
            conv_bn_relu(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        out = self.layers(x)
        return x + out if self.residual else out


class LearningToDownsample(nn.Sequential):
    """Three stride-2 layers, shared by both paths: (B, 3, H, W) → (B, 64, H/8, W/8)."""

    def __init__(self, config: FastSCNNConfig) -> None:
        a, b, c = config.downsample
        super().__init__(
            conv_bn_relu(config.in_channels, a, 3, stride=2),
            SeparableConv(a, b, stride=2),
            SeparableConv(b, c, stride=2),
        )


class PyramidPooling(nn.Module):
    """PSPNet's pooling: averages over 1, 4, 9 and 36 regions, laid beside the features."""

    def __init__(self, channels: int, bins: tuple[int, ...], out_channels: int) -> None:
        super().__init__()
        self.bins = bins
        share = channels // len(bins)
        self.reduce = nn.ModuleList(conv_bn_relu(channels, share) for _ in bins)
        self.project = conv_bn_relu(channels + share * len(bins), out_channels)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        context = [
            F.interpolate(reduce(F.adaptive_avg_pool2d(x, grid)), size, mode="bilinear")
            for grid, reduce in zip(self.bins, self.reduce, strict=True)
        ]
        return self.project(torch.cat([x, *context], dim=1))


class GlobalFeatureExtractor(nn.Sequential):
    """Inverted residuals, then pyramid pooling: (B, 64, H/8, W/8) → (B, 128, H/32, W/32)."""

    def __init__(self, config: FastSCNNConfig) -> None:
        layers: list[nn.Module] = []
        channels = config.downsample[-1]
        for width, stride in zip(config.bottlenecks, (2, 2, 1), strict=True):
            for i in range(config.repeats):
                layers.append(
                    InvertedResidual(channels, width, stride if i == 0 else 1, config.expansion)
                )
                channels = width
        layers.append(PyramidPooling(channels, config.bins, config.width))
        super().__init__(*layers)


class FeatureFusion(nn.Module):
    """Adds the fine and the coarse path at the fine path's size (B, 128, H/8, W/8)."""

    def __init__(self, fine: int, coarse: int, width: int) -> None:
        super().__init__()
        self.low = nn.Sequential(
            conv_bn_relu(coarse, coarse, 3, groups=coarse),
            nn.Conv2d(coarse, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.high = nn.Sequential(nn.Conv2d(fine, width, 1, bias=False), nn.BatchNorm2d(width))
        self.mix = conv_bn_relu(width, width)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        coarse = F.interpolate(coarse, fine.shape[-2:], mode="bilinear")
        return self.mix(F.relu(self.high(fine) + self.low(coarse)))


class Classifier(nn.Sequential):
    """Two separable convolutions, dropout, and the only biased convolution of the network."""

    def __init__(self, config: FastSCNNConfig) -> None:
        super().__init__(
            SeparableConv(config.width, config.width),
            SeparableConv(config.width, config.width),
            nn.Dropout(config.dropout),
            nn.Conv2d(config.width, config.num_classes, 1),
        )


class FastSCNN(nn.Module):
    """A two-path network whose paths share their first layers."""

    def __init__(self, config: FastSCNNConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or FastSCNNConfig()
        self.learning_to_downsample = LearningToDownsample(config)
        self.global_feature_extractor = GlobalFeatureExtractor(config)
        self.feature_fusion = FeatureFusion(config.downsample[-1], config.width, config.width)
        self.classifier = Classifier(config)
        one_of("edge_heads", config.edge_heads, EDGE_HEADS)
        self.edge_heads = None
        if config.edge_heads != "none":
            _, half_fine, fine = config.downsample
            self.edge_heads = EdgeHeads(
                (half_fine, fine, config.bottlenecks[0]),
                config.num_classes,
                conv_bn_relu,
                width=max(1, config.width // 2),
                heads=config.edge_heads,
            )

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch classes height width"]:
        """Logits at the size of the image, for any height and width; edges are not computed.

        Args:
            image: (B, in_channels, H, W) float, whitened.

        Returns:
            (B, num_classes, H, W) logits.

        Raises:
            ValueError: by PyTorch, in training with a single image: the 1×1 bin of the pyramid
                then gives its normalisation one value a channel.
        """
        fine = self.learning_to_downsample(image)  # (B, 64, H/8, W/8)
        coarse = self.global_feature_extractor(fine)  # (B, 128, H/32, W/32)
        logits = self.classifier(self.feature_fusion(fine, coarse))  # (B, 19, H/8, W/8)
        return F.interpolate(logits, image.shape[-2:], mode="bilinear")

    def heads(self, image: Float[Tensor, "batch channels height width"]) -> Heads:
        """Logits, the same as `forward`'s, and the edges that the network has heads for.

        The places of DML-CSR's C2, C3 and C4 (strides 4, 8, 8) are taken by the second and the
        third layer of learning to downsample (strides 4, 8), which both paths share, and by the
        first group of inverted residuals (stride 16): our choice, the paper has no such network.

        Args:
            image: as in `forward`.
        """
        size = (image.shape[-2], image.shape[-1])
        down, deep = list(self.learning_to_downsample), list(self.global_feature_extractor)
        group = self.config.repeats
        c2 = _through(down[:-1], image)  # (B, 48, H/4, W/4)
        c3 = _through(down[-1:], c2)  # (B, 64, H/8, W/8)
        c4 = _through(deep[:group], c3)  # (B, 64, H/16, W/16)
        coarse = _through(deep[group:], c4)  # (B, 128, H/32, W/32)
        logits = self.classifier(self.feature_fusion(c3, coarse))  # (B, 19, H/8, W/8)
        logits = F.interpolate(logits, size, mode="bilinear")  # (B, 19, H, W)
        if self.edge_heads is None:
            return Heads(logits)
        binary, category = self.edge_heads(c2, c3, c4)  # (B, 2, H/4, W/4), (B, 19, H/4, W/4)
        return Heads(logits, enlarge(binary, size), enlarge(category, size))


def _through(layers: list[nn.Module], x: Tensor) -> Tensor:
    """What layers make of x, one after the other."""
    for layer in layers:
        x = layer(x)
    return x
