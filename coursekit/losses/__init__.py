"""Losses for label maps with a long tail.

| loss | a sum over pixels | what it follows |
|---|---|---|
| `WeightedCrossEntropy`, `FocalLoss` | yes | the pixels |
| `DiceLoss` | no | F1 of each class |
| `LovaszSoftmaxLoss` | no | IoU of each class |

Each is a function and a thin module. All take (B, C, H, W) logits and a (B, H, W) target, leave
pixels of `ignore_index` out as if they were not there, give 0 when nothing is left, and compute
float16 and bfloat16 logits in float32.
"""

from coursekit.losses.by_name import LOSS_NAMES, loss_sums, parse_loss, sums_over_pixels
from coursekit.losses.pixels import (
    FocalLoss,
    WeightedCrossEntropy,
    focal_loss,
    weighted_cross_entropy,
)
from coursekit.losses.regions import (
    DiceLoss,
    LovaszSoftmaxLoss,
    dice_loss,
    lovasz_gradient,
    lovasz_softmax,
)
from coursekit.losses.weights import class_weights, inverse_frequency_weights

__all__ = [
    "LOSS_NAMES",
    "DiceLoss",
    "FocalLoss",
    "LovaszSoftmaxLoss",
    "WeightedCrossEntropy",
    "class_weights",
    "dice_loss",
    "focal_loss",
    "inverse_frequency_weights",
    "loss_sums",
    "lovasz_gradient",
    "lovasz_softmax",
    "parse_loss",
    "sums_over_pixels",
    "weighted_cross_entropy",
]
