"""Losses for label maps with a long tail.

| loss | a sum over pixels | what it follows |
|---|---|---|
| `WeightedCrossEntropy`, `FocalLoss` | yes | the pixels |
| `DiceLoss` | no | F1 of each class |
| `LovaszSoftmaxLoss` | no | IoU of each class |

Those of DML-CSR (lessons 09 to 11) are functions: edge maps of a target (`binary_edges`,
`category_edges`), the losses of networks that draw them (`binary_edge_loss`, `category_edge_loss`),
the parsing loss on edges once more (`binary_edge_attention`, `category_edge_attention`), and the
distance from a teacher (`distillation_loss`). Those of BSPNet are sums over pixels:
`balanced_boundary_loss` and `boundary_weighted_cross_entropy`.

Each of the table is a function and a thin module. All losses take (B, C, H, W) logits, leave pixels
of `ignore_index` out as if they were not there, give 0 when nothing is left, and compute float16
and bfloat16 logits in float32.
"""

from coursekit.losses.attention import binary_edge_attention, category_edge_attention
from coursekit.losses.boundary import balanced_boundary_loss, boundary_weighted_cross_entropy
from coursekit.losses.by_name import (
    LOSS_NAMES,
    loss_sums,
    parse_loss,
    sums_over_pixels,
    takes_weights,
)
from coursekit.losses.distillation import distillation_loss
from coursekit.losses.edge_labels import binary_edges, category_edges
from coursekit.losses.edges import binary_edge_loss, category_edge_loss
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
    "balanced_boundary_loss",
    "binary_edge_attention",
    "binary_edge_loss",
    "binary_edges",
    "boundary_weighted_cross_entropy",
    "category_edge_attention",
    "category_edge_loss",
    "category_edges",
    "class_weights",
    "dice_loss",
    "distillation_loss",
    "focal_loss",
    "inverse_frequency_weights",
    "loss_sums",
    "lovasz_gradient",
    "lovasz_softmax",
    "parse_loss",
    "sums_over_pixels",
    "takes_weights",
    "weighted_cross_entropy",
]
