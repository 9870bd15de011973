"""Known mistakes in the exercises of lesson 06: what each of them gives, and what to say of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.comparing import alike
from coursekit.checks.mistakes.named import tried
from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from coursekit.checks.mistakes.questions import Way

    Mistakes = Iterator[tuple[Any, str]]
    Loss = Callable[..., Tensor]


_SUM = "the weights do not sum to 1: divide by their sum"
_RAW: list[Way] = [
    (lambda f: 1 / f, ""),
    (
        lambda f: np.full(len(f), 1 / f.mean()),
        "all classes weigh alike: 1/f of each, not of their mean or sum",
    ),
    (lambda f: f**-0.5, "that is one over the root of f: take 1/f itself"),
    (lambda f: f**-2.0, "1/f is squared: take 1/f itself"),
    (lambda f: 1 / np.log(f), "that is one over the logarithm of f, as in Eq. 2: take 1/f itself"),
    (lambda f: -np.log(f / f.sum()), "that is a logarithm of f: take 1/f itself"),
    (lambda f: f, "these are the frequencies: large classes should weigh least"),
    (lambda f: 1 - f / f.sum(), "that is 1 minus the frequency: take 1/f"),
    (lambda f: np.exp(1 / f), "no softmax: divide 1/f by its sum"),
    (lambda f: np.exp(-f / f.sum()), "no exponential: divide 1/f by its sum"),
    (lambda f: 1 / (f + 1), "1 was added to the counts: leave 0 out instead"),
]
_NORMS: list[Way] = [
    (lambda w, f: w.sum(), ""),
    (lambda w, f: w.mean(), "the weights' mean is 1, and it should be their sum"),
    (lambda w, f: w[f > 0].mean(), "the weights' mean is 1, and it should be their sum"),
    (lambda w, f: w.max(), "you divide by the largest weight: divide by the sum of all"),
    (lambda w, f: (w**2).sum() ** 0.5, "you divide by the length of the vector: divide by the sum"),
    (lambda w, f: 1.0, _SUM),
    (lambda w, f: 1 / f.sum(), _SUM),
    (lambda w, f: len(f), "you divide by the number of classes: divide by the sum of the weights"),
    (lambda w, f: f.sum(), "you divide by the sum of the pixels: divide by that of the weights"),
]
_ABSENT: list[Way] = [
    (lambda raw: 0.0, ""),
    (
        lambda raw: raw(np.ones(1))[0],
        "a class without pixels is counted as if it had one: it should weigh nothing",
    ),
    (lambda raw: 1.0, "a class without pixels should weigh nothing, and here it weighs 1"),
]


def weighted_otherwise(counts: NDArray[np.int64]) -> Mistakes:
    """Other weights than 1/f over the sum of all 1/f; one of the counts is 0."""

    def act(raw: Any, norm: Any, absent: Any) -> NDArray[np.float64]:
        weights = np.full(len(counts), np.nan)
        weights[counts > 0] = raw(counts[counts > 0].astype(float))
        weights[counts == 0] = absent(raw)
        return np.asarray(weights / norm(weights, counts))

    with np.errstate(all="ignore"):
        yield from mistaken(act, _RAW, _NORMS, _ABSENT)


def unweighted(weights: NDArray[np.float64], counts: NDArray[np.int64]) -> str:
    """Which classes have a weight that is 0, or not finite, and should not; "" if none has."""
    if (np.isnan(weights) | (weights == 0)).all():
        return (
            "all is 0, or no number: is 0 or 1 / 0 among what you divide by? And `zeros_like` of "
            "counts and `//` hold whole numbers: np.zeros, and /"
        )
    if not np.isfinite(weights[counts == 0]).all():
        return "a class without pixels makes a weight infinite: leave it at 0"
    if not np.isfinite(weights).all():
        return "the weight of a class with pixels is not finite: no logarithm"
    if (weights[counts > 0] == 0).any():
        return "a class with pixels weighs 0: one is enough, and class 0 is one of them"
    return ""


_SHARE = "divide by the sum of weight times pixels, {}"
_PULLS: list[Way] = [
    (lambda w, f: w * f, ""),
    (lambda w, f: f, "the weights have no effect on the shares"),
    (lambda w, f: w, "the pixels have no effect on the shares"),
    (lambda w, f: f > 0, "use the argument `weights`, not 1/f itself"),
    (
        lambda w, f: np.where(f > 0, w / f.clip(1), 0),
        "the pull is weight times pixels: multiply, do not divide",
    ),
    (lambda w, f: w + f, "the pull is weight times pixels: multiply, do not add"),
    (lambda w, f: w * f**2, "the pixels count twice here: the pull is weight times pixels"),
    (lambda w, f: w**0.5 * f, "the weights stand under a root: the pull is weight times pixels"),
    (lambda w, f: w * f**0.5, "the pixels stand under a root: the pull is weight times pixels"),
    (lambda w, f: w**2 * f, "the weights count twice here: the pull is weight times pixels"),
    (
        lambda w, f: np.exp(w * f - (w * f).max()),
        "no softmax: a share is a pull over the sum of all pulls",
    ),
    (lambda w, f: np.log1p(w * f), "no logarithm: the pull is weight times pixels"),
]
_OVER: list[Way] = [
    (lambda w, f, pull: pull.sum(), ""),
    (lambda w, f, pull: 1.0, "these are pulls, not shares: divide by their sum"),
    (lambda w, f, pull: pull.sum() / 100, "these are per cent: shares sum to 1"),
    (lambda w, f, pull: pull.max(), _SHARE.format("not by the largest")),
    (
        lambda w, f, pull: w.sum() * f.sum(),
        "weights and pixels have sums of their own here: divide by the sum of the products",
    ),
    (
        lambda w, f, pull: w.sum() / f.sum(),
        "a bracket is missing: `/ a * b` divides by a alone, and multiplies by b",
    ),
    (lambda w, f, pull: f.sum(), _SHARE.format("not by the pixels")),
    (lambda w, f, pull: w.sum(), _SHARE.format("not by the weights")),
    (lambda w, f, pull: (w * f).sum(), "what stands below is right"),
    (lambda w, f, pull: pull.mean(), "the mean is 1, and it should be the sum: divide by the sum"),
    (lambda w, f, pull: len(pull), _SHARE.format("not by the number of classes")),
    (lambda w, f, pull: (pull**2).sum() ** 0.5, _SHARE.format("not by the vector's length")),
]


def shared_otherwise(weights: NDArray[np.float64], counts: NDArray[np.int64]) -> Mistakes:
    """What is taken for the classes' shares of the gradient."""

    def act(pulls: Any, over: Any) -> NDArray[np.float64]:
        pull = pulls(weights, counts)
        return np.asarray(pull / over(weights, counts, pull))

    right = act(_PULLS[0][0], _OVER[0][0])
    with np.errstate(all="ignore"):
        yield from mistaken(act, _PULLS, _OVER)
    yield 1 - right, "this is 1 minus the share: a pull over the sum of all pulls is asked for"
    yield right.cumsum(), "the shares are added up: each class has its own"


def _true(scores: Tensor, target: Tensor) -> Tensor:
    return scores.gather(1, target[:, None])


_AXIS = "classes are dimension 1"
_P: list[Way] = [
    (lambda x, y: _true(x.softmax(1), y), ""),
    (lambda x, y: x.softmax(1).amax(1, True), "p is that of the true class, not the largest"),
    (lambda x, y: _true(x.sigmoid(), y), "p comes from a softmax over the classes, no sigmoid"),
    (lambda x, y: _true(x.softmax(-1), y), f"softmax along the width: {_AXIS}"),
    (lambda x, y: _true(x.softmax(2), y), f"softmax along the height: {_AXIS}"),
    (lambda x, y: _true(x.softmax(0), y), f"softmax over the images: {_AXIS}"),
    (
        lambda x, y: _true(x.exp() / x.exp().sum(), y),
        "the softmax is over all numbers: over the classes of each pixel, dim=1",
    ),
    (lambda x, y: _true(x.softmax(1).softmax(1), y), "the softmax is there twice"),
    (lambda x, y: _true(x.softmax(1).exp(), y), "these are probabilities: log_softmax"),
    (lambda x, y: _true(x.exp(), y), "the softmax is missing: use log_softmax"),
    (
        lambda x, y: x.softmax(1),
        "each class of a pixel has a loss here: gather the true class alone",
    ),
    (
        lambda x, y: x.softmax(1)[:, y],
        "`[:, target]` pairs every pixel with all others: `gather(1, target[:, None])`",
    ),
    (
        lambda x, y: 1 - _true(x.softmax(1), y),
        "1 - p stands where p should be",
    ),
]
_FACTOR: list[Way] = [
    (lambda p: (1 - p) ** 2, ""),
    (lambda p: p**2, "you turned the hard pixels down: the factor is 1 - p, not p"),
    (
        lambda p: torch.ones_like(p),
        "gamma has no effect: this is cross-entropy, or its sum comes before the power",
    ),
    (lambda p: 1 - p, "the exponent is 1 here: it is gamma, 2 by default"),
    (lambda p: (1 - p) ** 3, "the exponent is 3 here: it is gamma, 2 by default"),
    (lambda p: 2 * (1 - p), "gamma is the exponent of 1 - p, not a factor"),
    (lambda p: 2 + 0 * p, "gamma is the exponent of 1 - p, not a factor"),
    (lambda p: (1 - p) ** 0.5, "the exponent is gamma, not 1 / gamma"),
    (lambda p: (1 - p) ** -2, "the exponent is gamma, not minus gamma: easy pixels go down"),
    (lambda p: 2 ** (1 - p), "1 - p is raised to gamma, not gamma to 1 - p"),
    (lambda p: 1 - p**2, "the power is of 1 - p, not of p alone"),
    (lambda p: (1 + p) ** 2, "the factor is 1 - p, not 1 + p"),
    (lambda p: (1 - p.log()) ** 2, "p is the exponential of log p: 1 - log_p.exp()"),
    (lambda p: (1 + p.log()) ** 2, "p is exp(-ce), and 1 minus that the factor: not 1 - ce"),
    (lambda p: (1 - 1 / p) ** 2, "p is exp(-ce), with a minus: ce is -log p"),
    (lambda p: (1 - p).exp() ** 2, "no exponential of 1 - p: the factor is (1 - p)^γ"),
    (lambda p: (1 - p).log() ** 2, "no logarithm of 1 - p: the factor is (1 - p)^γ"),
    (lambda p: 0.25 * (1 - p) ** 2, "there is a factor of 0.25: this focal loss has no α"),
    (lambda p: ((1 - p) ** 2).mean(), "the factor belongs to each pixel, before the mean"),
    (lambda p: (1 - p).mean() ** 2, "the factor belongs to each pixel, before the mean"),
    *(
        (
            lambda p, of=of: (1 - p) ** 2 / of((1 - p) ** 2),
            "the factor is (1 - p)^γ as it is: divide it by nothing",
        )
        for of in (torch.amax, torch.sum)
    ),
    (lambda p: (1 - p) ** 2 + 1, "the factor stands alone: nothing is added to it"),
]
_LOST = "the logarithm is missing: the loss is -(1 - p)^γ · log p"
_LOG: list[Way] = [
    (lambda p: p.log(), ""),
    (lambda p: p.log2(), "that is the logarithm to base 2: take the natural one"),
    (lambda p: p.log10(), "that is the logarithm to base 10: take the natural one"),
    (lambda p: p.log1p(), "the logarithm is of p, not of 1 + p"),
    (lambda p: (1 - p).log(), "the logarithm is of p, not of 1 - p"),
    (lambda p: p, _LOST),
    (lambda p: -torch.ones_like(p), _LOST),
    (lambda p: p - 1, "the logarithm is missing: 1 - p is only the factor"),
]
_MEAN: list[Way] = [
    (lambda each: each.mean(), ""),
    (
        lambda each: -each.mean(),
        "the sign is wrong: the logarithm of a probability is negative, a loss is not",
    ),
    (lambda each: each.sum(), "this is the sum over the pixels: take the mean"),
    (
        lambda each: each.sum() / len(each),
        "you divided by the number of images: take the mean over the pixels",
    ),
    (
        lambda each: each.mean() / 5,
        "you took the mean over the classes, too: each pixel has one loss",
    ),
    (
        lambda each: each.sum(1).mean(),
        "the classes of a pixel are added up: only the true one counts",
    ),
    (
        lambda each: each.mean((2, 3)).sum(),
        "the loss is twice as large: one mean over all pixels, no sum of images, no factor",
    ),
    (lambda each: each.mean() ** 2, "the power is of 1 - p alone, not of the mean"),
    (lambda each: each.median(), "this is the median of the pixels: take the mean"),
    (lambda each: each.amax(), "this is the worst pixel alone: take the mean"),
]
_YES_NO = "that is the detector's loss of yes and no: here only the true class counts"
_BEFORE = "the factor belongs to each pixel, before the mean"


def unfocused(logits: Tensor, target: Tensor) -> Mistakes:
    """Known mistakes in focal loss with γ = 2, for a batch of two images and five classes."""

    def act(p_of: Any, factor: Any, log: Any, mean: Any) -> Tensor:
        p = p_of(logits, target)
        return torch.as_tensor(mean(-factor(p) * log(p)))

    cost = F.cross_entropy(logits, target, reduction="none")
    p, mean = (-cost).exp(), cost.mean()
    each, every = (1 - p) ** 2 * cost, logits.softmax(1)
    other = -(p**2) * (1 - p).log()
    told = torch.where(F.one_hot(target, 5).movedim(-1, 1) > 0, every, 1 - every)
    yes_no = -((1 - told) ** 2) * told.log()
    cut = logits.reshape(-1, 5).softmax(1).gather(1, target.reshape(-1, 1))
    yield from [
        *((wrong, _YES_NO) for wrong in (yes_no.mean(), yes_no.sum(1).mean())),
        (
            (-((1 - cut) ** 2) * cut.log()).mean(),
            "reshape does not move dimensions: movedim(1, -1) first",
        ),
        (each, "these are the pixels' losses: take their mean"),
        (each.mean((1, 2)), "these are the images' losses: take the mean over all pixels"),
        (each.mean(0), "this is the mean over the images alone: over all pixels, too"),
        (
            cost.sum(),
            "this is the sum over the pixels: take the mean, of each pixel's -(1 - p)^γ · log p",
        ),
        (each.sum() / ((1 - p) ** 2).sum(), "divide by the number of pixels, not by the factors"),
        (0.0, "softmax before you gather: of a single score it is always 1"),
        ((((1 - p) * -cost) ** 2).mean(), "the power is of 1 - p alone, without the logarithm"),
        (-(((1 - p) * cost) ** 2).mean(), "the power is of 1 - p alone, without the logarithm"),
        ((cost**2).mean(), "the power is of 1 - p, not of the logarithm"),
        (
            (each + other).mean(),
            _YES_NO,
        ),
        ((1 - p) ** 2 * mean, f"{_BEFORE}: one mean, over the products"),
        (((1 - p) ** 2).mean() * cost.sum(), f"{_BEFORE}: one mean, over the products"),
        ((1 - (-mean).exp()) ** 2 * mean, 'the mean came before the power: reduction="none" first'),
        (((1 - p)[:, None] ** 2 * cost).mean(), "(B, 1, H, W) times (B, H, W) pairs all images"),
        (
            (-((1 - every) ** 2) * every.log()).sum(1).mean(),
            "the losses of all classes are added up: gather the true class alone",
        ),
        (
            ((1 - every.amax(1)) ** 2 * cost).mean(),
            "p in the factor is that of the true class, not the largest",
        ),
        (
            (1 - p * cost**2).mean(),
            "brackets stand elsewhere: (1 - p) first, and the power is of it alone",
        ),
        (((1 - every) ** 2 * cost[:, None]).mean(), "p is that of the true class, not of each one"),
        (
            each[target > 0].mean(),
            "class 0, the background, was left out: it counts like the others",
        ),
        *(
            (wrong.mean(), "a bracket is missing: (1 - p) first, then the power")
            for wrong in (-(1 - p**2 * -cost), 1 - p**2 * cost, 1 - p**2 * -cost)
        ),
        (-((1 - p) ** 2).log().mean(), "the logarithm is of p alone, not of the factor"),
    ]
    yield from mistaken(act, _P, _FACTOR, _LOG, _MEAN)


def where_unfocused(loss: Loss) -> str:
    """Where a focal loss leaves the right way, in words."""
    logits, target = torch.tensor([1.0, -0.5, 0.25]).reshape(1, 3, 1, 1), torch.ones(1, 1, 1).long()
    if (alone := tried(loss, logits, target)) is None:
        return "of a single pixel it stops: write no size in, and tell one_hot logits.shape[1]"
    if getattr(alone, "shape", None) != ():
        return "the loss is one number: take the mean over all pixels, B, H and W"
    cost, wild = F.cross_entropy(logits, target), F.cross_entropy(8 * logits, target)
    if alike(tried(loss, logits, target), (1 - (-cost).exp()) ** 2 * cost, 1e-4):
        if not alike(tried(loss, 8 * logits, target), (1 - (-wild).exp()) ** 2 * wild, 1e-4):
            return "where p is near 0 it goes wrong: no clamp, and nothing is added to p"
        dozen = tried(loss, logits.expand(2, 3, 2, 3), target.expand(2, 2, 3))
        many = 1.0 if dozen is None else float(dozen / ((1 - (-cost).exp()) ** 2 * cost))
        if abs(many - 1) > 1e-4:
            return f"of twelve pixels that are alike it is {many:.3g} times that of one: a mean divides by their number, B · H · W"  # noqa: E501
        return "of a single pixel it is right, and of several it is not: -(1 - p)^γ · log p of each, then one mean"  # noqa: E501
    plain = [tried(partial(loss, gamma=0.0), size * logits, target) for size in (1, 8)]
    times = None if plain[0] is None else float(plain[0] / cost)
    if times is not None and abs(times) < 1e-6:
        return (
            "with γ = 0 it is 0, and should be cross-entropy: γ is the exponent of 1 - p, no factor"
        )
    if times is not None and abs(times - 1) > 1e-4 and alike(plain[1], times * wild, 1e-4):
        return f"with γ = 0 it is {times:.3g} times the cross-entropy of a pixel, and should be the cross-entropy itself: no other factor, no α"  # noqa: E501
    if alike(plain[0], cost, 1e-4):
        return "with γ = 0 it is cross-entropy, as it should be, so look at the factor: (1 - p)^γ"
    return "already with γ = 0, where the factor is 1, it is not the cross-entropy of the pixel: look at log p of the true class, and at the brackets"  # noqa: E501
