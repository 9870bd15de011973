"""Losses of BSPNet (the LaPa paper, Eq. 3 and 4), both as sums over pixels.

A boundary is an edge of DML-CSR's: `binary_edges(target)`, both pixels where two labels meet. The
paper takes boundaries "according to the gradients of the label map". A gradient taken to either
side of a pixel, forward or backward, is not 0 at the same pixels; central differences, as
`numpy.gradient` takes them, cancel on lines that are one pixel thin and find nothing there. A
gradient of the bytes themselves would see 255 as a class; here no edge is due to what is ignored.

The boundary loss differs from DML-CSR's `binary_edge_loss` in its form alone: there a batch's mean,
here the sums of the two kinds of pixels, each with its own denominator, so that processes and
batches can add them up. Where a batch has both kinds the two are one number.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Integer, UInt8
from torch import Tensor
from torch.nn import functional as F

from coursekit.labels import IGNORE_INDEX
from coursekit.losses.edges import check_binary
from coursekit.losses.inputs import check_map, prepare


def balanced_boundary_loss(
    logits: Float[Tensor, "batch 2 height width"],
    edges: UInt8[Tensor, "batch height width"],
) -> tuple[Float[Tensor, "2"], Float[Tensor, "2"]]:
    """Numerators and denominators of Eq. 3, balanced by the share of the other kind.

    With n₁ pixels on a boundary and n₀ beside, w₁ = n₀/N and w₀ = n₁/N, the weighted mean is

    L_b = Σ w·ce / Σ w = ½ · Σ₀ ce / n₀ + ½ · Σ₁ ce / n₁

    Eq. 3 itself divides by N and shows no weights; the paper balances "as the same in" CE2P, whose
    code takes this mean. Divided by N it would be 2·n₀·n₁/N² times as large: a seventeenth where
    3 % of the pixels are on a boundary. Pixels of 255 do not count.

    Args:
        logits: no boundary and boundary, before a softmax over both.
        edges: 0, 1 or 255, from `binary_edges`.

    Returns:
        Two pairs, of no boundary and boundary; the loss is the sum of the quotients. A kind that
        does not occur has 0 in both. Denominators have no gradient.

    Raises:
        ValueError: when the edges are not of the logits' batch and size or have other values, or
            there are not 2 channels.
    """
    mass = torch.stack(check_binary(logits, edges))
    logits, labels = prepare(logits, edges)
    cost = F.cross_entropy(logits, labels, ignore_index=IGNORE_INDEX, reduction="none")
    on = cost.masked_fill(edges != 1, 0).sum()
    off = cost.masked_fill(edges != 0, 0).sum()
    return torch.stack([off, on]) / 2, mass.to(cost)


def boundary_weighted_cross_entropy(
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    edges: UInt8[Tensor, "batch height width"],
    alpha: float = 200.0,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Numerator and denominator of Eq. 4.

    L_f = 1/N · Σ_i w_i · (−log p_i),   w_i = 1 + α on a boundary and 1 elsewhere

    N is the number of pixels, as the equation has it, not Σ w: α raises the whole loss, too. With
    α = 0 this is Eq. 2, plain cross-entropy. Pixels of 255 do not count.

    Args:
        logits: scores before softmax.
        target: class ids, or 255.
        edges: 0, 1 or 255, from `binary_edges(target)`.
        alpha: α, at least 0; the paper has 200.

    Returns:
        Two scalars; the second has no gradient and is 0 when every pixel is ignored.

    Raises:
        ValueError: when α is negative, or target or edges are not of the logits' batch and size.
    """
    if not alpha >= 0:
        raise ValueError(f"alpha is {alpha}; it must be at least 0 (0 is plain cross-entropy)")
    check_map(logits, edges, "edges")
    logits, target = prepare(logits, target)
    cost = F.cross_entropy(logits, target, ignore_index=IGNORE_INDEX, reduction="none")
    total = cost.sum() + alpha * cost.masked_fill(edges != 1, 0).sum()
    return total, (target != IGNORE_INDEX).sum().to(cost)
