"""Losses of whole regions: soft Dice and Lovász-Softmax.

Neither is a sum over pixels: what one pixel costs depends on all others of the batch. So the loss
of a batch cannot be put together from its parts, and a batch of two images has another loss than
the mean of both.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor, nn

from coursekit.labels import IGNORE_INDEX
from coursekit.losses.inputs import check_ids, prepare, quotient


def _flat(logits: Tensor, target: Tensor, ignore_index: int) -> tuple[Tensor, Tensor]:
    """(C, P) probabilities and (C, P) booleans "is of class c", of the P pixels that count."""
    logits, target = prepare(logits, target)
    probabilities, target = logits.softmax(1).transpose(0, 1).flatten(1), target.flatten()
    valid = target != ignore_index
    if not bool(valid.all()):
        probabilities, target = probabilities[:, valid], target[valid]
    classes = torch.arange(len(probabilities), device=target.device)
    check_ids(target, len(probabilities), ignore_index)
    return probabilities, target == classes[:, None]


def dice_loss(
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    smooth: float = 0.0,
    ignore_index: int = IGNORE_INDEX,
) -> Float[Tensor, ""]:
    """Soft multi-class Dice loss over the batch (Milletari et al. 2016; Sudre et al. 2017).

    With p_c the probability of class c and y_c in {0, 1} its truth, summed over all pixels of the
    batch:

    1 − mean_c (2 Σ p_c·y_c + s) / (Σ p_c + Σ y_c + s)

    The mean is over the classes that occur in the target. On hard predictions and with s = 0 the
    loss is 1 minus the mean of their F1.

    Where it differs from the papers: Milletari et al. square p and y in the denominator, and Sudre
    et al. weight classes by 1 / (Σ y_c)² and divide sums over the classes, where this is the mean
    of each class's quotient, neither squared nor weighted. A class that the target lacks is left
    out: no prediction of it is punished here, but by the classes whose pixels it takes.

    Args:
        logits: scores before softmax.
        target: class ids, or `ignore_index`.
        smooth: the s above, at least 0, in pixels. A class that occurs has a denominator of at
            least 1 without it, so nothing asks for more than 0; with s far above a class's pixels
            that class costs next to nothing, found or not.
        ignore_index: pixels of this value do not count.

    Returns:
        A scalar in [0, 1]; 0 when every pixel is ignored.

    Raises:
        ValueError: when smooth is negative, or the target is not of the logits' batch and size.
    """
    if not smooth >= 0:
        raise ValueError(f"smooth is {smooth}; it must be at least 0")
    probabilities, true = _flat(logits, target, ignore_index)
    size = true.sum(1)  # (C,)
    present = size > 0
    hit = (probabilities * true).sum(1)[present]
    score = (2 * hit + smooth) / (probabilities.sum(1) + size + smooth)[present]
    return quotient((1 - score).sum(), present.sum().to(score))


def lovasz_gradient(
    foreground: Bool[Tensor, "... pixels"], dtype: torch.dtype = torch.float32
) -> Float[Tensor, "... pixels"]:
    """What each pixel adds to the Jaccard loss when errors are made in this order.

    The gradient of the Lovász extension with respect to sorted errors (Berman et al. 2018,
    Definition 2 and Algorithm 1). Let the first i pixels be wrong and all others right. Then the
    intersection is Iᵢ = |foreground| − (foreground among the first i), the union
    Uᵢ = |foreground| + (background among them), and the loss Jᵢ = 1 − Iᵢ / Uᵢ. The entry of pixel i
    is Jᵢ − Jᵢ₋₁:

    1 / Uᵢ for a foreground pixel, Iᵢ / (Uᵢ·(Uᵢ − 1)) for one of the background.

    The paper's code subtracts neighbouring Jᵢ, which may be close to 1 and differ by a millionth;
    in float32 one or two digits of the difference are left. These forms keep all.

    Args:
        foreground: whether a pixel is of the class, sorted by falling error; at least one is.
        dtype: of the result.

    Returns:
        At least 0; the entries of a row sum to 1.
    """
    size = foreground.sum(-1, keepdim=True)
    # Foreground among the first 1, 2, …: one sum over all rows, which a GPU is quick at, less what
    # stands before a row.
    missed = foreground.flatten().cumsum(0).view_as(foreground)
    missed = missed - missed[..., :1] + foreground[..., :1].long()
    first = torch.arange(1, foreground.shape[-1] + 1, device=foreground.device)
    intersection, union = (size - missed).to(dtype), (size + first - missed).to(dtype)
    return torch.where(foreground, 1 / union, intersection / (union * (union - 1).clamp_min(1)))


def lovasz_softmax(
    logits: Float[Tensor, "batch classes height width"],
    target: Integer[Tensor, "batch height width"],
    ignore_index: int = IGNORE_INDEX,
) -> Float[Tensor, ""]:
    """The Lovász-Softmax loss over the batch (Berman et al. 2018, Section 2).

    For each class that occurs in the target: the error of a pixel is 1 − p_c where c is true, p_c
    elsewhere. Sort the errors, largest first, and take their scalar product with `lovasz_gradient`.
    The loss is the mean over these classes, as in the paper's code with `classes="present"`; the
    paper's equation divides by all classes. On hard predictions, p in {0, 1}, it is the mean of
    1 − IoU, exactly; between them it is, class by class, the largest convex function of the errors
    that agrees with that.

    Args:
        logits: scores before softmax.
        target: class ids, or `ignore_index`.
        ignore_index: pixels of this value do not count.

    Returns:
        A scalar in [0, 1]; 0 when every pixel is ignored.

    Raises:
        ValueError: when the target is not of the logits' batch and size.
    """
    probabilities, true = _flat(logits, target, ignore_index)
    total = (0 * probabilities).sum()  # a gradient of 0 when no class is left
    rows = _classes_at_once(probabilities)  # a sort of all would hold C copies of the batch
    present = true.any(1)  # (C,)
    parts = zip(probabilities.split(rows), true.split(rows), present.split(rows), strict=True)
    for p, y, some in parts:
        if bool(some.any()):
            errors = torch.where(y, 1 - p, p)  # (K, P)
            with torch.no_grad():  # order and steps count as fixed
                order = _falling(errors, y)  # (K, M)
                steps = lovasz_gradient(y.gather(1, order), errors.dtype)  # of an absent class: 0
                weights = torch.zeros_like(errors).scatter_(1, order, steps)
            total = total + errors.flatten() @ weights.flatten()
    return total / present.sum().clamp_min(1)


def _classes_at_once(probabilities: Float[Tensor, "classes pixels"]) -> int:
    """One on a CPU; on a GPU, which must have millions of entries to be busy, about 2²⁴ of them."""
    if probabilities.device.type == "cpu":
        return 1
    return max(2**24 // max(probabilities.shape[1], 1), 1)


def _falling(
    errors: Float[Tensor, "classes pixels"], true: Bool[Tensor, "classes pixels"]
) -> Integer[Tensor, "classes most"]:
    """The order of errors in [0, 1], in each row the largest first, as far as it matters.

    Behind the last pixel of its class I is 0, and so are all steps. What has a smaller error than
    every pixel of the class may be left out: nearly all with the first predictions, later less.
    """
    pixels = errors.shape[1]
    left = errors >= errors.masked_fill(~true, torch.inf).amin(1, keepdim=True)  # (K, P)
    most = int(left.sum(1).max())
    if errors.device.type != "cpu" or errors.dtype != torch.float32 or len(errors) > 1:
        if 2 * most < pixels:
            return errors.topk(most, 1).indices
        return errors.argsort(1, descending=True)
    # NumPy sorts whole numbers by vector instructions: five times as fast as torch on a CPU. The
    # bits of floats that are not negative rise as they do; the place of each stands below them.
    bits = errors[0].detach().numpy().view(np.int32)
    places = np.arange(pixels)
    if 2 * most < pixels:
        places = np.flatnonzero(left[0].numpy())
        bits = bits[places]
    packed = (bits.astype(np.int64) << 32) | places
    packed.sort()
    return torch.from_numpy(packed[::-1] & 0xFFFFFFFF)[None]


class DiceLoss(nn.Module):
    """`dice_loss` as a module: `loss(logits, target)`, a scalar; 0 when every pixel is ignored.

    Args:
        smooth: in pixels, at least 0.
        ignore_index: pixels of this value do not count.
    """

    def __init__(self, smooth: float = 0.0, ignore_index: int = IGNORE_INDEX) -> None:
        super().__init__()
        self.smooth = float(smooth)
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return dice_loss(logits, target, self.smooth, self.ignore_index)


class LovaszSoftmaxLoss(nn.Module):
    """`lovasz_softmax` as a module: `loss(logits, target)`; 0 when every pixel is ignored.

    Args:
        ignore_index: pixels of this value do not count.
    """

    def __init__(self, ignore_index: int = IGNORE_INDEX) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        return lovasz_softmax(logits, target, self.ignore_index)
