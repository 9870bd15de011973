"""The course's own parts of lesson 02."""

from __future__ import annotations

from torch import Tensor, nn

from coursekit import losses
from coursekit.metrics import mean_iou
from coursekit.models import unet
from coursekit.models.unet import DoubleConv, UNetConfig, Up

__all__ = ["DoubleConv", "Layers", "UNet", "Up", "mean_iou", "weighted_cross_entropy"]

WIDTHS = (16, 32, 64, 128, 256)


class UNet(unet.UNet):
    """The course's U-Net, called as the lesson's."""

    def __init__(
        self, num_classes: int = 19, in_channels: int = 3, widths: tuple[int, ...] = WIDTHS
    ) -> None:
        super().__init__(UNetConfig(num_classes, in_channels, widths))


class Layers(nn.Module):
    """The parts of a U-Net, and no `forward`: down, pool, bottleneck, up, head."""

    def __init__(
        self, num_classes: int = 19, in_channels: int = 3, widths: tuple[int, ...] = WIDTHS
    ) -> None:
        super().__init__()
        for name, part in UNet(num_classes, in_channels, widths).named_children():
            self.add_module(name, part)


def weighted_cross_entropy(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Eq. 3, averaged over pixels by their weights."""
    total, mass = losses.weighted_cross_entropy(logits, target, weights)
    return total / mass
