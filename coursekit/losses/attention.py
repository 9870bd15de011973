"""Dual edge attention: the parsing loss once more, on edges alone (Zheng et al. 2022, Eq. 3 and 4).

N images, C classes; L_i^p the cross-entropy of each pixel of image i between parsing and truth;
B_i its binary edge map with b_i pixels on edges, C_ij the edge map of class j with c_ij of them:

L_attn^b = 1/N · Σ_i 1/b_i · Σ L_i^p ⊙ B_i                    (3)
L_attn^c = 1/(N·C) · Σ_i Σ_j w_j · 1/c_ij · Σ L_i^p ⊙ C_ij    (4)

The sum over pixels, which the paper leaves out, is what makes a number of the maps. An image or a
class with no edge contributes 0 and still counts in N and C. Ignored pixels have no loss and are
not among b_i and c_ij.

Where the public code differs: in place of w_j it multiplies by the integer label map, and in place
of 1/c_ij by 1 over the total count, so that large classes have the most of it.

Only edge pixels are looked at. At 473² they are a few in a hundred, and so is what is kept for
backward.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor
from torch.nn import functional as F

from coursekit.labels import IGNORE_INDEX
from coursekit.losses.edges import check_same_shape
from coursekit.losses.inputs import check_ids, check_map


def binary_edge_attention(
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    edges: UInt8[Tensor, "batch height width"],
) -> Float[Tensor, ""]:
    """Eq. 3: the mean parsing loss of an image's edge pixels; its mean over images.

    Args:
        logits: of the parsing, before softmax.
        target: class ids, or 255.
        edges: 1 on an edge, from `binary_edges`.

    Returns:
        A scalar; 0, with a gradient of 0, when there is no edge.

    Raises:
        ValueError: for maps that are not of the logits' batch and size, ids outside the classes.
    """
    target = _checked(logits, target)
    check_map(logits, edges, "binary edges")
    edge = (edges == 1) & (target != IGNORE_INDEX)  # B_i: (B, H, W)
    b = edge.flatten(1).sum(1)  # (B,)
    image = edge.nonzero()[:, 0]  # (E,), of each edge pixel
    share = 1 / b[image].to(torch.promote_types(logits.dtype, torch.float32))
    return (share * _costs(logits, target, edge)).sum() / max(len(logits), 1)


def category_edge_attention(
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    edges: UInt8[Tensor, "batch classes height width"],
    weights: Float[Tensor, " classes"] | None = None,
) -> Float[Tensor, ""]:
    """Eq. 4: the mean parsing loss of each class's edge pixels, weighted; its mean over all C_ij.

    The edge of a necklace counts as much as that of the hair, which is a hundred times as long.

    Args:
        logits: of the parsing, before softmax.
        target: class ids, or 255.
        edges: 1 on an edge of the class, from `category_edges`.
        weights: w_j, one for each class, to emphasise rare ones; all 1 when None. The paper gives
            no values.

    Returns:
        A scalar; 0, with a gradient of 0, when there is no edge.

    Raises:
        ValueError: for maps that are not of the logits' batch and size, ids outside the classes,
            another number of weights.
    """
    target = _checked(logits, target)
    check_same_shape(logits, edges)
    classes = logits.shape[1]
    dtype = torch.promote_types(logits.dtype, torch.float32)
    if weights is None:
        weights = torch.ones(classes, dtype=dtype, device=logits.device)
    check_weights(weights, classes)
    edge = (edges == 1) & (target != IGNORE_INDEX)[:, None]  # C_ij: (B, C, H, W)
    c = edge.flatten(2).sum(2)  # (B, C)
    factor = weights.to(logits.device, dtype) / c.clamp_min(1)  # w_j / c_ij: (B, C)
    pixels = edge.any(1)  # (B, H, W)
    image = pixels.nonzero()[:, 0]  # (E,), of each edge pixel
    share = (edge.movedim(1, -1)[pixels] * factor[image]).sum(1)  # (E, C) -> (E,)
    return (share * _costs(logits, target, pixels)).sum() / max(len(logits) * classes, 1)


def check_weights(weights: Tensor, classes: int) -> None:
    """Raises a ValueError unless there is a weight for each class."""
    if weights.shape != (classes,):
        raise ValueError(
            f"logits of {classes} classes need weights of shape ({classes},), not "
            f"{tuple(weights.shape)}: one for each class"
        )


def _checked(logits: Tensor, target: Tensor) -> Tensor:
    """The target as int64, as which any id can be told from 255."""
    check_map(logits, target, "a target")
    target = target.long()
    check_ids(target, logits.shape[1], IGNORE_INDEX)
    return target


def _costs(logits: Tensor, target: Tensor, pixels: Tensor) -> Tensor:
    """L^p of some pixels: (E,) from (B, C, H, W), (B, H, W) and (B, H, W) booleans; in float32."""
    scores = logits.movedim(1, -1)[pixels]  # (B, H, W, C) -> (E, C)
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
    return F.cross_entropy(scores, target[pixels], reduction="none")
