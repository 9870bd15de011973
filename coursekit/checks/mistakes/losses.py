"""Known mistakes in the exercises of lesson 06: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit import losses

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mistakes = list[tuple[Any, str]]


def weighted_otherwise(counts: NDArray[np.int64]) -> Mistakes:
    """Other weights than 1/f over the sum of all 1/f; one of the counts is 0."""
    present = counts > 0
    inverse = np.divide(1.0, counts, out=np.zeros(len(counts)), where=present)
    right, root, more = inverse / inverse.sum(), inverse**0.5, 1 / (counts + 1)
    return [
        (inverse, "the weights do not sum to 1: divide by their sum"),
        (inverse * counts.sum(), "the weights do not sum to 1: divide by their sum"),
        (right / right[present].mean(), "the weights' mean is 1, and it should be their sum"),
        (right * len(counts), "the weights' mean is 1, and it should be their sum"),
        (root / root.sum(), "that is one over the root of f: take 1/f itself"),
        (counts / counts.sum(), "these are the frequencies: large classes should weigh least"),
        (more / more.sum(), "1 was added to the counts: leave 0 out instead"),
        (inverse**2 / (inverse**2).sum(), "1/f is squared: take 1/f itself"),
        ([0, 0, 0, 1], "`zeros_like` of counts holds whole numbers alone: use np.zeros"),
    ]


def shared_otherwise(weights: NDArray[np.float64], counts: NDArray[np.int64]) -> Mistakes:
    """What is taken for the classes' shares of the gradient."""
    pull, percent = weights * counts, 100 * weights * counts
    parts = weights / weights.sum() * counts / counts.sum()
    over, raised = np.where(counts > 0, weights / counts.clip(1), 0), np.exp(pull - pull.max())
    return [
        (pull, "these are pulls, not shares: divide by their sum"),
        (percent / pull.sum(), "these are per cent: shares sum to 1"),
        (pull / pull.max(), "divide by the sum of all pulls, not by the largest"),
        (
            parts,
            "weights and pixels have sums of their own here: divide by the sum of the products",
        ),
        (counts / counts.sum(), "the weights have no effect on the shares"),
        (weights / weights.sum(), "the pixels have no effect on the shares"),
        (pull / counts.sum(), "divide by the sum of weight times pixels, not by the pixels"),
        (pull / weights.sum(), "divide by the sum of weight times pixels, not by the weights"),
        ((counts > 0) / (counts > 0).sum(), "use the argument `weights`, not 1/f itself"),
        (over / over.sum(), "the pull is weight times pixels: multiply, do not divide"),
        (raised / raised.sum(), "no softmax: a share is a pull over the sum of all pulls"),
        (pull / pull.mean(), "the mean is 1, and it should be the sum: divide by the sum"),
        (pull / len(pull), "divide by the sum of all pulls, not by the number of classes"),
    ]


def unfocused(logits: Tensor, target: Tensor) -> Mistakes:
    """Known mistakes in focal loss with γ = 2, for a batch of two images and five classes."""
    cost = F.cross_entropy(logits, target, reduction="none")
    p, mean = (-cost).exp(), cost.mean()
    each, top = (1 - p) ** 2 * cost, logits.softmax(1).amax(1)
    other = -(p**2) * (1 - p).log()
    q = logits.softmax(1)
    yes, wide, across, twice, shifted, raw = (
        part.gather(1, target[:, None])
        for part in (
            logits.sigmoid(), logits.softmax(-1), logits.softmax(0), q.softmax(1), q.exp(),
            logits.exp(),
        )
    )  # fmt: skip
    before = "the factor belongs to each pixel, before the mean"
    return [
        (
            -each.mean(),
            "the sign is wrong: the logarithm of a probability is negative, a loss is not",
        ),
        ((p**2 * cost).mean(), "you turned the hard pixels down: the factor is 1 - p, not p"),
        (each.sum(), "this is the sum over the pixels: take the mean"),
        (each.sum() / 2, "you divided by the number of images: take the mean over the pixels"),
        (each.mean() / 5, "you took the mean over the classes, too: each pixel has one loss"),
        (each.mean() / 4, "there is a factor of 0.25: this focal loss has no α"),
        (each, "these are the pixels' losses: take their mean"),
        (each.mean((1, 2)), "these are the images' losses: take the mean over all pixels"),
        (((1 + cost) ** 2 * cost).mean(), "p is the exponential of log p: 1 - log_p.exp()"),
        (2 * mean, "gamma is the exponent of 1 - p, not a factor"),
        (each.sum() / ((1 - p) ** 2).sum(), "divide by the number of pixels, not by the factors"),
        (((1 + p) ** 2 * cost).mean(), "the factor is 1 - p, not 1 + p"),
        (-((1 - p) ** 2 * p).mean(), "the logarithm is missing: the loss is -(1 - p)^γ · log p"),
        (0.0, "softmax before you gather: of a single score it is always 1"),
        (mean, "gamma has no effect: this is cross-entropy"),
        (((1 - p) * cost).mean(), "γ is 2 by default: here it is 1"),
        ((2 * (1 - p) * cost).mean(), "gamma is the exponent of 1 - p, not a factor"),
        (((1 - p**2) * cost).mean(), "the power is of 1 - p, not of p alone"),
        ((((1 - p) * -cost) ** 2).mean(), "the power is of 1 - p alone, without the logarithm"),
        (-(((1 - p) * cost) ** 2).mean(), "the power is of 1 - p alone, without the logarithm"),
        ((cost**2).mean(), "the power is of 1 - p, not of the logarithm"),
        (((1 - p) ** 3).mean(), "the logarithm is missing: 1 - p is only the factor"),
        ((each / np.log(10)).mean(), "that is the logarithm to base 10: take the natural one"),
        (
            (each + other).mean(),
            "that is the detector's loss of yes and no: here only the true class counts",
        ),
        (-((1 - top) ** 2 * top.log()).mean(), "p is that of the true class, not the largest"),
        ((1 - p).mean() ** 2 * mean, before),
        (((1 - p) ** 2).mean() * mean, before),
        ((1 - (-mean).exp()) ** 2 * mean, 'the mean came before the power: reduction="none" first'),
        (((1 - p)[:, None] ** 2 * cost).mean(), "(B, 1, H, W) times (B, H, W) pairs all images"),
        (
            -((1 - yes) ** 2 * yes.log()).mean(),
            "p comes from a softmax over the classes, no sigmoid",
        ),
        (
            -((1 - wide) ** 2 * wide.log()).mean(),
            "softmax along the width: classes are dimension 1",
        ),
        (
            -((1 - across) ** 2 * across.log()).mean(),
            "softmax over the images: classes are dimension 1",
        ),
        (-((1 - twice) ** 2 * twice.log()).mean(), "the softmax is there twice"),
        (-((1 - shifted) ** 2 * shifted.log()).mean(), "these are probabilities: log_softmax"),
        (-((1 - raw) ** 2 * raw.log()).mean(), "the softmax is missing: use log_softmax"),
    ]


def dice(q: Tensor, y: Tensor, power: int = 1, smooth: int = 0) -> Tensor:
    """Soft Dice of each class, over the batch, from probabilities and one-hot targets."""
    return (2 * (q * y).sum((0, 2, 3)) + smooth) / ((q**power + y).sum((0, 2, 3)) + smooth)


def scored_otherwise(q: Tensor, y: Tensor) -> Mistakes:
    """Known mistakes in soft Dice; of five classes one is a single pixel, and the last absent."""
    score, hit, there = dice(q, y), (q * y).sum((0, 2, 3)), y.sum((0, 2, 3))
    called = q.sum((0, 2, 3))
    cut = F.one_hot(y.argmax(1), 5).reshape(q.shape)
    recall, precision = hit[:4] / there[:4], hit[:4] / called[:4]
    ratio, size = 2 * q * y / (q + y), (called + there)[:4]
    general = 2 * (hit[:4] / there[:4] ** 2).sum() / (size / there[:4] ** 2).sum()
    each = "the sums come first, then one quotient a class: no quotient of each pixel"
    return [
        (score[:4].mean(), "this is the score: the loss is 1 minus it"),
        (-score[:4].mean(), "this is minus the score: the loss is 1 minus it"),
        (1 - score[:4].min(), "this is the worst class alone: take the mean over the classes"),
        (1 - general, "classes are weighted here: take the plain mean"),
        (1 - (2 * hit[:4] / (called * there)[:4]).mean(), "below stands a product: Σp + Σy"),
        (1 - ratio.mean(), each),
        (1 - ratio.sum((0, 2, 3))[:4].mean(), each),
        (-score[:4].mean().log(), "that is minus the logarithm of the score: 1 minus it"),
        (1 - 2 * hit[:4].sum() / size.sum(), "all classes are in one sum: a quotient for each"),
        (
            1 - (2 * hit[:4] / q[:, 0].numel() / size).mean(),
            "above stands a mean and below a sum: take the sum of both",
        ),
        (
            1 - score.mean(),
            "a class that is not in the target counts as 0: leave it out of the mean",
        ),
        (1 - (score.sum() + 1) / 5, "a class that is not in the target counts as 1: leave it out"),
        (1 - score[:3].mean(), "class 3 has one pixel, and that is enough to be present"),
        (1 - score[1:4].mean(), "class 0, the background, was left out: it counts like the others"),
        (1 - score[:4], "these are the classes' losses: take their mean"),
        ((1 - score[:4]).sum(), "this is the sum over the classes: take the mean"),
        (
            -score[:4].log().mean(),
            "that is minus the logarithm of the score: the loss is 1 minus it",
        ),
        (
            1 - (score * there).sum() / there.sum(),
            "large classes count for more: take the plain mean",
        ),
        (1 - score[:4].mean() / 2, "the factor 2 is missing: a perfect prediction should cost 0"),
        (
            1 - dice(q, y, 2)[:4].mean(),
            "p is squared below: that is the form of 2016, not this one",
        ),
        (1 - dice(q, y, 1, 1)[:4].mean(), "1 was added above and below: the equation adds nothing"),
        (1 - (score / (2 - score))[:4].mean(), "this is soft IoU, not Dice"),
        (1 - (2 * hit / (called + there - hit))[:4].mean(), "below stands the union: take Σp + Σy"),
        (1 - recall.mean(), "that is soft recall: divide by Σp + Σy"),
        (1 - precision.mean(), "that is soft precision: divide by Σp + Σy"),
        (1 - dice(q.log(), y)[:4].mean(), "p is a probability: softmax, not log_softmax"),
        (
            1 - dice(q, cut)[cut.sum((0, 2, 3)) > 0].mean(),
            "reshape does not move dimensions: permute or movedim",
        ),
    ]


def stepped_otherwise() -> Mistakes:
    """Known mistakes with foreground, background, foreground, background."""
    zero = torch.zeros(1)
    turned = torch.diff(
        1 - torch.tensor([1.0, 0, 0, -1]) / torch.tensor([2.0, 3, 3, 4]), prepend=zero
    )
    left, whole = torch.tensor([1.0, 1, 0, 0]), torch.tensor([2.0, 3, 3, 4])
    jaccard = 1 - left / whole
    grown = torch.diff(
        1 - torch.tensor([3.0, 3, 2, 2]) / torch.tensor([4.0, 5, 5, 6]), prepend=zero
    )
    other = torch.diff(1 - torch.tensor([2.0, 1, 1, 0]) / whole, prepend=zero)
    shrunk = torch.diff(1 - left / torch.tensor([2.0, 1, 1, 0.0]), prepend=zero)
    halves = torch.diff(1 - 2 * left / (left + whole), prepend=zero)
    counted = torch.diff(1 - torch.tensor([1.0, 1, 2, 2]) / whole, prepend=zero)
    return [
        (counted, "the intersection is what is left: size minus those gone wrong"),
        (torch.diff(1 - left / 4, prepend=zero), "the union is not all pixels: it grows from size"),
        ([0, 1 / 6, 1 / 3, 0], "before the first pixel the loss is 0: put a zero in front"),
        ([1 / 2, 1 / 2, 0, 0], "foreground was sorted anew: it comes in the order of the errors"),
        ([1 / 2, 0, 1 / 3, 0], "background pixels have a price, too: leave their steps in"),
        (jaccard.cumsum(0), "these are sums of the losses J: take the steps between them"),
        (1.0, "these steps are summed: return all of them"),
        ([1, 0, 0, 0], "// rounds: divide with /"),
        ([0, 1 / 2, 1 / 2, 0], "the union loses nothing: it is size plus wrong background pixels"),
        ([1 / 2, 1 / 6, 1 / 3, 0, 0], "there is a step more than pixels: the zero in front is all"),
        (jaccard, "these are the losses J themselves: take the steps between them"),
        ([1 / 6, 1 / 3, 0], "the first step is missing: before it the loss is 0"),
        ([1 / 6, 1 / 3, 0, 0], "the zero stands in front: prepend it, not append"),
        ([-1 / 2, 1 / 6, 1 / 3, 0], "before the first pixel the loss is 0, not 1"),
        (
            left / whole,
            "these are values of IoU: the loss is 1 minus it, and its steps are asked for",
        ),
        (grown, "size is the number of foreground pixels, not of all"),
        (other, "the intersection loses foreground pixels, not those of the background"),
        (shrunk, "the union grows by background pixels that are wrong: add them"),
        (turned, "the intersection loses foreground pixels, and no more than there are"),
        (halves, "these are steps of Dice: the loss is 1 minus intersection over union"),
        ([1 / 2, 0, 1 / 2, 0], "the union never grows: background pixels that are wrong join it"),
        ([1 / 2, -1 / 6, -1 / 3, 0], "these are the values of IoU, not of the loss 1 - IoU"),
        ([-1 / 2, -1 / 6, -1 / 3, 0], "the sign is turned: each wrong pixel increases the loss"),
        ([2 / 3, 1 / 12, 1 / 4, 0], "the union grows by background pixels alone, not by all"),
        (
            [2 / 3, 0, 1 / 3, 0],
            "foreground pixels lie in the union already: the background joins it",
        ),
        (
            [0, 1 / 3, 1 / 6, 1 / 2],
            "the pixels go wrong from the first to the last, not from the end",
        ),
    ]


#: What may go wrong in Lovász-Softmax, by the name that `lovasz` knows.
SLIPS = {
    "scrambled": "reshape mixed pixels and classes: move the classes to the end first",
    "rising": "the errors rise: sort them in descending order, worst first",
    "apart": "the errors are sorted and the foreground is not: index it with the order",
    "unsorted": "nothing is sorted: the worst pixel comes first",
    "negative": "some errors are negative: where the class is true the error is 1 - p",
    "certainty": "these are not the errors: 1 - p where the class is true, p elsewhere",
    "half-sorted": "the steps are for sorted errors: multiply by those, not by unsorted ones",
    "own order": "the foreground has an order of its own: index it with the errors' order",
    "by p": "p was sorted, not the errors: where the class is true the error is 1 - p",
    "log": "p is a probability: softmax, not log_softmax",
    "images": "softmax over the images: classes are dimension 1",
    "transposed": "rows and columns changed places: movedim(1, -1), or permute(0, 2, 3, 1)",
    "steps": "the errors have no effect: multiply them by the steps",
    "score": "this is 1 minus the loss",
    "by size": "large classes count for more: take the plain mean",
    "signed": "some errors are negative: where the class is not true the error is p",
    "one-sided": "the error is 1 - p everywhere: where the class is not true it is p",
    "squared": "the errors are squared: take them as they are",
    "turned": "lovasz_gradient wants the foreground, not its opposite",
    "losses": "the steps were added up again: multiply by the steps themselves",
    "mean": "the products are summed over the pixels: no mean",
    "largest": "this is the worst class alone: take the mean over the classes",
    "no background": "class 0 was left out: it counts like the others",
    "all": "absent classes count as 0: take the mean over the classes in the target",
    "absent": "absent classes are in it: take the mean over the classes in the target",
    "sum": "this is the sum over the classes: take the mean",
    "width": "softmax along the width: classes are dimension 1",
    "sigmoid": "p comes from a softmax over the classes, no sigmoid",
    "sure": "arg-max has no slope: use the probabilities",
}


def lovasz(logits: Tensor, target: Tensor, slip: str = "") -> Tensor:
    """Lovász-Softmax of five classes, with one of `SLIPS` or none."""
    y = target.flatten()
    q = logits.softmax({"width": -1, "images": 0}.get(slip, 1))
    q = logits.sigmoid() if slip == "sigmoid" else q.log() if slip == "log" else q
    q = F.one_hot(q.argmax(1), 5).movedim(-1, 1).to(q) if slip == "sure" else q
    q = q.transpose(2, 3) if slip == "transposed" else q
    q = q.reshape(-1, 5) if slip == "scrambled" else q.movedim(1, -1).flatten(0, 2)
    classes = range(5) if slip == "absent" else y.unique().tolist()
    if slip == "no background":
        classes = [c for c in classes if c]
    costs = torch.stack([_of_a_class(q[:, c], y == c, slip) for c in classes])
    if slip in ("sum", "largest"):
        return costs.sum() if slip == "sum" else costs.max()
    if slip == "by size":
        costs = costs * torch.stack([(y == c).float().mean() for c in classes])
    mean = costs.sum() / (5 if slip == "all" else len(costs))
    return 1 - mean if slip == "score" else mean


def _of_a_class(p: Tensor, foreground: Tensor, slip: str) -> Tensor:
    y = foreground.to(p)
    slipped = {"one-sided": 1 - p, "squared": (y - p) ** 2, "signed": y - p, "negative": p - y}
    slipped |= {"certainty": 1 - (y - p).abs(), "by p": p}
    slipped |= {"log": torch.where(foreground, 1 - p, p)}
    e = slipped.get(slip, (y - p).abs())
    m, order = e.sort(descending=slip != "rising")
    if slip == "unsorted":
        m, order = e, torch.arange(len(e))
    if not foreground.any():
        return m.max()
    there = foreground if slip == "apart" else foreground[order]
    there = foreground.sort(descending=True).values if slip == "own order" else there
    steps = losses.lovasz_gradient(~there if slip == "turned" else there)
    m = e if slip == "half-sorted" else torch.ones_like(m) if slip == "steps" else m
    products = m * (steps.cumsum(0) if slip == "losses" else steps)
    return products.mean() if slip == "mean" else products.sum()
