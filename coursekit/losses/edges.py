"""Losses of DML-CSR's two edge tasks: class-balanced cross-entropy (Zheng et al. 2022, Eq. 2).

Few pixels are on an edge, a few in a hundred. So each kind of pixel is weighted by the share of the
other: with n₁ pixels on an edge and n₀ beside it, over the whole batch,

w₁ = n₀ / (n₀ + n₁),  w₀ = n₁ / (n₀ + n₁),  loss = Σ w·ce / Σ w

which is half the mean over edges and half the mean over the rest. The paper calls it "weighted
cross-entropy" and gives no weights; its public code balances in this way. Pixels of 255 do not
count. Where one of the two kinds is missing, so is every weight, and the loss is 0.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from coursekit.labels import IGNORE_INDEX
from coursekit.losses.inputs import check_map, quotient
from coursekit.losses.pixels import weighted_cross_entropy


def binary_edge_loss(
    logits: Float[Tensor, "batch 2 height width"],
    edges: UInt8[Tensor, "batch height width"],
) -> Float[Tensor, ""]:
    """Class-balanced cross-entropy of the binary edge map: L_ce^b of Eq. 2 and 5.

    The two channels are no edge and edge, before a softmax over both, as in the paper's network.

    Args:
        logits: scores before softmax.
        edges: 0, 1 or 255, from `binary_edges`.

    Returns:
        A scalar; 0, with a gradient of 0, without an edge, without a pixel that is none, and where
        every pixel is ignored.

    Raises:
        ValueError: when the edges are not of the logits' batch and size or have other values, or
            there are not 2 channels.
    """
    none, some = check_binary(logits, edges)
    dtype = torch.promote_types(logits.dtype, torch.float32)
    weights = torch.stack([some, none]).to(dtype) / (none + some).clamp_min(1)  # w₀, w₁
    return quotient(*weighted_cross_entropy(logits, edges, weights))


def category_edge_loss(
    logits: Float[Tensor, "batch classes height width"],
    edges: UInt8[Tensor, "batch classes height width"],
) -> Float[Tensor, ""]:
    """Class-balanced cross-entropy of each category's edge map: L_ce^c of Eq. 2 and 5.

    Each channel is a question of its own, edge of this category or not, with a sigmoid and no
    softmax: a pixel between nose and skin is on the edges of both. The paper writes no formula, and
    its maps of Fig. 4 overlap in the same way. Shares, sum and mean are over all maps together.

    Args:
        logits: scores before a sigmoid, one for each category.
        edges: 0, 1 or 255, from `category_edges`.

    Returns:
        A scalar; 0, with a gradient of 0, without an edge, without a pixel that is none, and where
        every pixel is ignored.

    Raises:
        ValueError: when the edges are not of the logits' shape, or have other values.
    """
    check_same_shape(logits, edges)
    none, some = _counts(edges)
    edge = edges == 1
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    cost = F.softplus(torch.where(edge, -logits, logits))  # −log p of what is true
    on = cost.masked_fill(~edge, 0).sum()  # masks for backward are bytes: a quarter of weights
    off = cost.masked_fill(edges != 0, 0).sum()
    weight = torch.stack([some, none]).to(cost) / (none + some).clamp_min(1)  # w₀, w₁
    return quotient(weight[0] * off + weight[1] * on, weight[0] * none + weight[1] * some)


def check_binary(logits: Tensor, edges: Tensor) -> tuple[Tensor, Tensor]:
    """How many pixels are on no edge, and how many on one.

    Raises:
        ValueError: when these are not two logits for each pixel and its 0, 1 or 255.
    """
    if logits.shape[1] != 2:
        raise ValueError(f"binary edges have 2 channels, no edge and edge, not {logits.shape[1]}")
    check_map(logits, edges, "binary edges")
    return _counts(edges)


def check_same_shape(logits: Tensor, edges: Tensor) -> None:
    """Raises a ValueError unless there is an edge label for each logit."""
    if edges.shape != logits.shape:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} need category edges of that shape, not "
            f"{tuple(edges.shape)}: a map for each class, from category_edges"
        )


def _counts(edges: Tensor) -> tuple[Tensor, Tensor]:
    """How many pixels are on no edge, and how many on one.

    Raises:
        ValueError: when there are other values than 0, 1 and 255.
    """
    none, some = (edges == 0).sum(), (edges == 1).sum()
    ignored = (edges == IGNORE_INDEX).sum()
    if int(none + some + ignored) != edges.numel():
        values = sorted(set(edges.unique().tolist()) - {0, 1, IGNORE_INDEX})
        raise ValueError(
            f"edge maps hold 0, 1 and {IGNORE_INDEX}, not {values[:5]}; make them with "
            "binary_edges or category_edges"
        )
    return none, some
