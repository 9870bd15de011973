"""The course's own parts of lesson 03."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from coursekit.models import deeplabv3plus
from coursekit.models.deeplabv3plus import ASPP, ASPPPooling, DeepLabV3PlusConfig, conv_bn_relu

__all__ = ["ASPP", "ASPPPooling", "Decoder", "DeepLabV3Plus", "conv_bn_relu", "fold"]


@torch.no_grad()
def fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """One convolution that computes what `norm(conv(x))` computes in evaluation."""
    folded = copy.deepcopy(conv)
    assert norm.running_mean is not None and norm.running_var is not None
    folded.weight, folded.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight,
        norm.bias,
    )  # fmt: skip
    return folded


class Decoder(deeplabv3plus.Decoder):
    """The course's decoder, called as the lesson's."""

    def __init__(
        self, shallow: int, low_level: int, deep: int, width: int, num_classes: int
    ) -> None:
        super().__init__(
            DeepLabV3PlusConfig(
                num_classes,
                stages=((shallow, shallow),),
                aspp=deep,
                low_level=low_level,
                decoder=width,
            )
        )


class DeepLabV3Plus(deeplabv3plus.DeepLabV3Plus):
    """The course's DeepLabV3+, called as the lesson's."""

    def __init__(
        self,
        num_classes: int = 19,
        rates: tuple[int, ...] = (6, 12, 18),
        aspp: int = 128,
        stages: tuple[tuple[int, int], ...] = ((32, 64), (64, 128), (192, 256)),
        low_level: int = 32,
        decoder: int = 64,
    ) -> None:
        super().__init__(
            DeepLabV3PlusConfig(
                num_classes,
                stages=stages,
                aspp=aspp,
                rates=rates,
                low_level=low_level,
                decoder=decoder,
            )
        )
