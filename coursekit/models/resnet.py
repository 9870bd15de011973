"""ResNet-101 with a deep stem and output stride 8: the encoder of DML-CSR, EAGRNet and BSPNet.

    image   (B, 3, H, W)
    Stem    three 3×3 convolutions, the first of stride 2; max-pooling      (B,  128, H/4, W/4)
    Stage 1   3 bottlenecks                                            c2   (B,  256, H/4, W/4)
    Stage 2   4 bottlenecks, the first of stride 2                     c3   (B,  512, H/8, W/8)
    Stage 3  23 bottlenecks                                            c4   (B, 1024, H/8, W/8)
    Stage 4   3 bottlenecks of dilation 2                              c5   (B, 2048, H/8, W/8)

At output stride 16, which BSPNet has, stage 3 begins with a stride of 2, and c4 and c5 have a
sixteenth of the size. An odd size is rounded up: 473 → 237 → 119 → 60 → 30. All of a stage's
bottlenecks have its dilation, the first one too, as in the public code of DML-CSR; timm's gives the
first one the dilation of the stage before, and has 2 and 4 in the last stages. Every batch
normalisation with its ReLU is an activated batch normalisation (`models/abn.py`), as DML-CSR's
paper says; the last one of a bottleneck adds the shortcut before it activates. The public code has
an in-place normalisation without activation, and a ReLU of its own after it, which keeps two maps
again.
"""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn

from coursekit.errors import CourseError
from coursekit.models.abn import ABN
from coursekit.models.layers import one_of


class Features(NamedTuple):
    """What the encoder sees: the outputs of its four stages, as the paper names them."""

    c2: Float[Tensor, "b c2 h4 w4"]
    c3: Float[Tensor, "b c3 h8 w8"]
    c4: Float[Tensor, "b c4 h8 w8"]
    c5: Float[Tensor, "b c5 h8 w8"]


def conv3x3(in_channels: int, out_channels: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """A 3×3 convolution without bias that keeps the size, or halves it and rounds up."""
    return nn.Conv2d(
        in_channels, out_channels, 3, stride, padding=dilation, dilation=dilation, bias=False
    )


class Stem(nn.Sequential):
    """Three 3×3 convolutions in place of ResNet's 7×7, then max-pooling: a quarter of the size."""

    def __init__(self, in_channels: int, widths: tuple[int, ...], abn: str) -> None:
        layers: list[nn.Module] = []
        for i, width in enumerate(widths):
            layers += [conv3x3(in_channels, width, 1 if i else 2), ABN(width, kind=abn)]
            in_channels = width
        super().__init__(*layers, nn.MaxPool2d(3, stride=2, padding=1))


class Bottleneck(nn.Module):
    """1×1 to fewer channels, 3×3 among them, 1×1 to more; the shortcut is added before the end.

    Args:
        in_channels: of the input.
        width: channels of the 3×3 convolution.
        out_channels: of the output.
        stride: of the 3×3 convolution and, where there is one, the shortcut's projection.
        dilation: of the 3×3 convolution.
        abn: kind of the normalisations.
    """

    def __init__(
        self, in_channels: int, width: int, out_channels: int, stride: int, dilation: int, abn: str
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1, bias=False)
        self.abn1 = ABN(width, kind=abn)
        self.conv2 = conv3x3(width, width, stride, dilation)
        self.abn2 = ABN(width, kind=abn)
        self.conv3 = nn.Conv2d(width, out_channels, 1, bias=False)
        self.abn3 = ABN(out_channels, kind=abn)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != out_channels:
            project = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            self.shortcut = nn.Sequential(project, ABN(out_channels, slope=1.0, kind=abn))

    def forward(self, x: Tensor) -> Tensor:
        y = self.abn1(self.conv1(x))  # (B, width, H, W)
        y = self.abn2(self.conv2(y))  # (B, width, H/stride, W/stride)
        return self.abn3(self.conv3(y), self.shortcut(x))  # (B, out, H/stride, W/stride)


class Stage(nn.Sequential):
    """Bottlenecks of one width; the first has the stride."""

    def __init__(
        self,
        in_channels: int,
        width: int,
        out_channels: int,
        blocks: int,
        stride: int,
        dilation: int,
        abn: str,
    ) -> None:
        first = Bottleneck(in_channels, width, out_channels, stride, dilation, abn)
        others = [
            Bottleneck(out_channels, width, out_channels, 1, dilation, abn)
            for _ in range(1, blocks)
        ]
        super().__init__(first, *others)


class ResNetEncoder(nn.Module):
    """The encoder; its defaults are the paper's ResNet-101, 42,623,936 weights.

    Args:
        in_channels: of the image.
        stem: channels of the stem's three convolutions.
        widths: of each stage's bottlenecks.
        blocks: bottlenecks of each stage.
        expansion: channels of a stage's output over its width.
        abn: kind of the normalisations.
        output_stride: 8 or 16, of c5.

    Attributes:
        channels: of c2 to c5.

    Raises:
        CourseError: for another number of convolutions or stages, or another output stride.
    """

    def __init__(
        self,
        in_channels: int = 3,
        stem: tuple[int, ...] = (64, 64, 128),
        widths: tuple[int, ...] = (64, 128, 256, 512),
        blocks: tuple[int, ...] = (3, 4, 23, 3),
        expansion: int = 4,
        abn: str = "inplace",
        output_stride: int = 8,
    ) -> None:
        super().__init__()
        one_of("output_stride", output_stride, (8, 16))
        for name, sizes, count in (("stem", stem, 3), ("widths", widths, 4), ("blocks", blocks, 4)):
            if len(sizes) != count:
                raise CourseError(f"{name} is {sizes}; it must hold {count} numbers")
        self.channels = tuple(width * expansion for width in widths)
        self.stem = Stem(in_channels, stem, abn)
        stages, inputs = [], (stem[-1], *self.channels[:-1])
        for i, (stride, dilation) in enumerate(((1, 1), (2, 1), (output_stride // 8, 1), (1, 2))):
            stages.append(
                Stage(inputs[i], widths[i], self.channels[i], blocks[i], stride, dilation, abn)
            )
        self.stage1, self.stage2, self.stage3, self.stage4 = stages
        for part in self.modules():
            # On shapes alone torch's normal_ would load a compiler, which takes seconds.
            if isinstance(part, nn.Conv2d) and not part.weight.is_meta:
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Float[Tensor, "b channels h w"]) -> Features:
        """Features of an image of at least 8 pixels a side.

        Args:
            image: (B, in_channels, H, W), whitened.

        Returns:
            c2 at a quarter of the size, c3 at an eighth, c4 and c5 at that of the output stride;
            all rounded up.
        """
        c2 = self.stage1(self.stem(image))
        c3 = self.stage2(c2)
        c4 = self.stage3(c3)
        return Features(c2, c3, c4, self.stage4(c4))
