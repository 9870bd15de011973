"""Hourglass (Newell, Yang and Deng, 2016), one stack: the landmark network of the LaPa paper.

    image      (B,   3, H, W)                       256²
    Stem       7×7 of stride 2; a residual; max-pooling; two residuals      (B, 256, H/4, W/4)
    Hourglass  depth 4: down to H/64, up again, a branch kept at each size  (B, 256, H/4, W/4)
    Head       a residual; 1×1, normalised; 1×1                             (B,   K, H/4, W/4)

For K = 106 points 3,449,578 weights. A residual is a pre-activation bottleneck. The public code of
several stacks has two more 1×1 convolutions after a head, which feed the next stack; one stack has
no use for them. Training targets and the read-out of the heatmaps stand in `models/heatmaps.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.errors import CourseError
from coursekit.models.descent import Descent
from coursekit.models.heatmaps import read_centres, read_heatmaps, shared_out


@dataclass(frozen=True)
class HourglassConfig:
    """Sizes of an hourglass; the defaults are the paper's.

    Attributes:
        num_classes: K, heatmaps: one a point.
        in_channels: channels of the image.
        width: channels of the hourglass; half of them within a residual. 128 with the stem (32, 64)
            gives 877,994 weights.
        stem: channels after the 7×7 convolution and after the first residual.
        depth: how often the size is halved.
        likelihood: whether a map says how likely its point is at each pixel (`shared_out` in
            `models/heatmaps.py`), and all maps have a say in each point (`training/agreement.py`);
            else maps are what the last convolution gives, each read alone, as in the paper.
        descent: steps of supervised descent (`models/descent.py`) that follow what the maps say
            when the points of a photo are predicted; 0 for none, as in the paper.
    """

    num_classes: int = 106
    in_channels: int = 3
    width: int = 256
    stem: tuple[int, ...] = (64, 128)
    depth: int = 4
    likelihood: bool = False
    descent: int = 0


class Residual(nn.Module):
    """1×1 to half the channels, 3×3 among them, 1×1 back, each after BN and ReLU; a shortcut."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        middle = out_channels // 2
        self.body = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.ReLU(inplace=False),  # what comes in is the shortcut's too
            nn.Conv2d(in_channels, middle, 1),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, middle, 3, padding=1),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, out_channels, 1),
        )
        same = in_channels == out_channels
        self.shortcut = nn.Identity() if same else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)


class Stem(nn.Sequential):
    """To a quarter of the size: (B, in, H, W) → (B, width, H/4, W/4)."""

    def __init__(self, in_channels: int, widths: tuple[int, ...], width: int) -> None:
        first, second = widths
        super().__init__(
            nn.Conv2d(in_channels, first, 7, stride=2, padding=3),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
            Residual(first, second),
            nn.MaxPool2d(2, ceil_mode=True),
            Residual(second, second),
            Residual(second, width),
        )


class Hourglass(nn.Module):
    """A residual at this size, beside it a smaller hourglass at half of it; their sum."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.keep = Residual(width, width)
        self.down = Residual(width, width)
        self.inner = Hourglass(width, depth - 1) if depth > 1 else Residual(width, width)
        self.up = Residual(width, width)

    def forward(self, x: Tensor) -> Tensor:
        kept = self.keep(x)  # (B, width, h, w)
        x = self.down(F.max_pool2d(x, 2, ceil_mode=True))  # (B, width, h/2, w/2)
        x = self.up(self.inner(x))
        # An odd size was rounded up on the way down.
        return kept + F.interpolate(x, kept.shape[-2:], mode="nearest")


class StackedHourglass(nn.Module):
    """One stack: stem, hourglass, head."""

    #: What the channels of the output are: not classes of a label map.
    finds = "landmarks"

    def __init__(self, config: HourglassConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or HourglassConfig()
        if len(config.stem) != 2:
            raise CourseError(f"stem is {config.stem}; it must be two widths")
        width = config.width
        self.stem = Stem(config.in_channels, config.stem, width)
        self.hourglass = Hourglass(width, config.depth)
        self.head = nn.Sequential(
            Residual(width, width),
            nn.Conv2d(width, width, 1),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, config.num_classes, 1),
        )
        both = 2 * config.num_classes
        self.agreement: Tensor | None
        self.register_buffer(
            "agreement", torch.zeros(both + 1, both) if config.likelihood else None
        )
        self.descent = Descent(config.descent) if config.descent else None

    def forward(
        self, image: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch points height4 width4"]:
        """Heatmaps at a quarter of the image's size, rounded up.

        Args:
            image: (B, in_channels, H, W) float, whitened.

        Returns:
            (B, num_classes, H/4, W/4): about 1 where a point lies, about 0 elsewhere.
        """
        maps = self.head(self.hourglass(self.stem(image)))
        return shared_out(maps) if self.config.likelihood else maps

    def read(
        self, heatmaps: Float[Tensor, "batch points h w"]
    ) -> tuple[Float[Tensor, "batch points 2"], Float[Tensor, "batch points"]]:
        """The points that its maps say, in pixels of the maps, and the maps' highest values."""
        if self.agreement is None:
            return read_heatmaps(heatmaps)
        points, peaks = read_centres(heatmaps)
        side = points.new_tensor([heatmaps.shape[-1], heatmaps.shape[-2]])
        shares = ((points + 0.5) / side - 0.5).flatten(1)  # (B, 2K)
        moves = shares @ self.agreement[:-1] + self.agreement[-1]
        return points + moves.view_as(points) * side, peaks
