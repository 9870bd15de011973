"""Known mistakes in lesson 06's soft Dice: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.comparing import alike
from coursekit.checks.mistakes.named import tried
from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coursekit.checks.mistakes.questions import Way

    Mistakes = Iterator[tuple[Any, str]]
    Loss = Callable[..., Tensor]


_AXIS = "classes are dimension 1"


def dice(q: Tensor, y: Tensor) -> Tensor:
    """Soft Dice of each class, over the batch, from probabilities and one-hot targets."""
    return 2 * (q * y).sum((0, 2, 3)) / (q + y).sum((0, 2, 3))


_DIMS = (0, 2, 3)
_HIT: list[Way] = [
    (lambda q, y: 2 * (q * y).sum(_DIMS), ""),
    (
        lambda q, y: (q * y).sum(_DIMS),
        "the factor 2 is missing: a perfect prediction should cost 0",
    ),
    (lambda q, y: 2 * (q * y).sum(_DIMS) ** 2, "the sum above is squared: take it as it is"),
    (lambda q, y: 2 * (q**2 * y).sum(_DIMS), "p is squared above: take it as it is"),
    (lambda q, y: 2 * (q * y).amax(_DIMS), "above stands the largest p alone: the sum of all"),
    (
        lambda q, y: 2 * (q * y).mean(_DIMS),
        "above stands a mean and below a sum: take the sum of both",
    ),
    (lambda q, y: 2 * q.sum(_DIMS), "above stand the pixels where the class is true: Σ p · y"),
    (
        lambda q, y: 2 * (q * y).sum(_DIMS) + 1,
        "1 was added above: the equation adds nothing",
    ),
    (
        lambda q, y: 2 * (q * (1 - y)).sum(_DIMS),
        "above stand the pixels where the class is true, not the others: Σ p · y",
    ),
]
_SIZE: list[Way] = [
    (lambda q, y: (q + y).sum(_DIMS), ""),
    (
        lambda q, y: (q**2 + y).sum(_DIMS),
        "p is squared below: that is the form of 2016, not this one",
    ),
    (lambda q, y: 2 * q.sum(_DIMS), "below stands Σp twice: Σp + Σy"),
    (lambda q, y: (q + y - q * y).sum(_DIMS), "below stands the union: take Σp + Σy"),
    (lambda q, y: q.sum(_DIMS) * y.sum(_DIMS), "below stands a product: Σp + Σy"),
    (lambda q, y: y.sum(_DIMS), "that is soft recall: divide by Σp + Σy"),
    (lambda q, y: q.sum(_DIMS), "that is soft precision: divide by Σp + Σy"),
    (
        lambda q, y: q.sum(_DIMS) + y.argmax(1).sum(),
        "the ids are added up: Σy is of the one-hot y, the number of the class's pixels",
    ),
    (lambda q, y: (q + y).sum(), "below stands the size of all classes: of each its own"),
    *(
        (size, "in one of the sums below are all classes: of each its own")
        for size in (
            lambda q, y: q.sum() + y.sum(_DIMS),
            lambda q, y: q.sum(_DIMS) + y.sum(),
        )
    ),
    (lambda q, y: (q + y).amax(_DIMS), "below stands the largest value: the sum of all"),
    (
        lambda q, y: q.sum(_DIMS) ** 2 + y.sum(_DIMS) ** 2,
        "the sums below are squared: take them as they are",
    ),
    (
        lambda q, y: q.sum(_DIMS).maximum(y.sum(_DIMS)),
        "below stands the larger of the two: Σp + Σy",
    ),
    (lambda q, y: (q + y).sum(_DIMS) + 1, "1 was added below: the equation adds nothing"),
    (lambda q, y: (q + y).sum(_DIMS).square(), "the sum below is squared: take it as it is"),
    (lambda q, y: float(q[:, 0].numel()), "below stands the number of pixels: take Σp + Σy"),
]
_OF: list[Way] = [
    (lambda score, there: score[:4].mean(), ""),
    (
        lambda score, there: score.mean(),
        "a class that is not in the target counts as 0: leave it out of the mean",
    ),
    (
        lambda score, there: (score.sum() + 1) / 5,
        "a class that is not in the target counts as 1: leave it out",
    ),
    (
        lambda score, there: score[:3].mean(),
        "class 3 is missing: its one pixel is enough, and a slice ends before its end",
    ),
    (
        lambda score, there: score[1:4].mean(),
        "class 0, the background, was left out: it counts like the others",
    ),
    (
        lambda score, there: score[1:4].sum() / 4,
        "class 0, the background, was left out: it counts like the others",
    ),
    (
        lambda score, there: (score * there).sum() / there.sum(),
        "large classes count for more: take the plain mean",
    ),
    (
        lambda score, there: (score[:4] / there[:4]).sum() / (1 / there[:4]).sum(),
        "small classes count for more: take the plain mean",
    ),
    (
        lambda score, there: score[0] / 4,
        "only the first class is in it: `return` after the loop, not inside",
    ),
    (lambda score, there: score[3] / 4, "only the last class is in it: add up all, `+=`"),
    (lambda score, there: score[3], "this is the last class alone: take the mean of all"),
    (lambda score, there: score[0], "this is the first class alone: take the mean of all"),
    (
        lambda score, there: score[:4].amin(),
        "this is the worst class alone: take the mean over the classes",
    ),
    (
        lambda score, there: score[:4].amax(),
        "this is the best class alone: take the mean over the classes",
    ),
    (lambda score, there: score[:4].sum(), "the classes' scores are added up: take the mean"),
    (
        lambda score, there: score[:4].log().mean().exp(),
        "this is a geometric mean: take the plain one",
    ),
    (lambda score, there: (score / (2 - score))[:4].mean(), "this is soft IoU, not Dice"),
    (
        lambda score, there: score[:4].square().mean(),
        "the scores are squared: take them as they are",
    ),
]
_LOG_OF = "that is minus the logarithm of the score: the loss is 1 minus it"
_OUT: list[Way] = [
    (lambda s: 1 - s, ""),
    (lambda s: s, "this is the score: the loss is 1 minus it"),
    (lambda s: -s, "this is minus the score: the loss is 1 minus it"),
    (lambda s: s - 1, "the sign is turned: the loss is 1 minus the score"),
    (lambda s: -s.log(), _LOG_OF),
    (lambda s: 1 - s.log(), "no logarithm: the loss is 1 minus the score"),
    (lambda s: 1 / s, "the loss is 1 *minus* the score, not 1 over it"),
    (lambda s: (1 - s) ** 2, "the loss is squared: 1 minus the score as it is"),
    (
        lambda s: 1 - s / 4,
        "the score is a quarter of what it should be: 2 stands above, and one mean is taken",
    ),
]


def scored_otherwise(q: Tensor, y: Tensor) -> Mistakes:
    """Known mistakes in soft Dice; of five classes one is a single pixel, and the last absent."""
    score, hit, there = dice(q, y), (q * y).sum(_DIMS), y.sum(_DIMS)
    called = q.sum(_DIMS)
    cut = F.one_hot(y.argmax(1), 5).reshape(q.shape)
    recall, precision = hit[:4] / there[:4], hit[:4] / called[:4]
    ratio, size = 2 * q * y / (q + y), (called + there)[:4]
    general = 2 * (hit[:4] / there[:4] ** 2).sum() / (size / there[:4] ** 2).sum()
    smooth = (2 * hit + 1) / (called + there + 1)
    told = (q * y).sum()
    each = "the sums come first, then one quotient a class: no quotient of each pixel"

    yield from [
        (1 - general, "classes are weighted here: take the plain mean"),
        (1 - ratio.mean(), each),
        (1 - ratio.sum(_DIMS)[:4].mean(), each),
        *(
            (1 - 2 * hit[:4].sum() / below, "all classes are in one sum: a quotient for each")
            for below in (size.sum(), (called + there).sum())
        ),
        (
            1 - 2 * told / (told + there.sum()),
            "the p of the true class are in one sum: each class has its own, over all pixels",
        ),
        (
            (1 - score[:4].mean()) / 2,
            "you divide by the number of images: the mean over the classes is all",
        ),
        (1 - score[:4], "these are the classes' losses: take their mean"),
        ((1 - score[:4]).sum(), "this is the sum over the classes: take the mean"),
        (-score[:4].log().mean(), _LOG_OF),
        (1 - score[:4].log().mean(), "no logarithm: the loss is 1 minus the mean score"),
        (1 - smooth[:4].mean(), "1 was added above and below: the equation adds nothing"),
        (1 - smooth.mean(), "1 was added above and below: the equation adds nothing"),
        *(
            (1 - of(2 * hit / called + there, there), "a bracket is missing: 2·hit / (Σp + Σy)")
            for of, _ in _OF
        ),
        (
            1 - 2 * score[:4].mean(),
            "this is 1 minus twice the mean score: one factor 2, above, and a mean of the classes",
        ),
        (1 - recall.mean(), "that is soft recall: divide by Σp + Σy"),
        (1 - precision.mean(), "that is soft precision: divide by Σp + Σy"),
        (1.0, "above stands 0, whatever p is: the product p · y, summed; no `==`, and no rounding"),
        (-1.0, "above stands what stands below: Σ p · y, a product"),
        (1 - (recall + precision).mean() / 2, "that is the plain mean of precision and recall"),
        (
            1 - (2 * hit / (told + there))[:4].mean(),
            "Σp goes over all pixels, also where the class is not true: p[:, c].sum()",
        ),
        (
            1 - dice(q, cut)[cut.sum(_DIMS) > 0].mean(),
            "reshape does not move dimensions: permute or movedim",
        ),
        (1 - dice(q, q)[:4].mean(), "the target is not in it: y is 1 where the class is true"),
    ]
    yield from _asked(q, y, 1)


def _asked(q: Tensor, y: Tensor, most: int) -> Mistakes:
    """Soft Dice with so many of its four questions answered wrongly, at most."""

    def act(above: Any, below: Any, of: Any, out: Any) -> Tensor:
        return torch.as_tensor(out(of(above(q, y) / below(q, y), y.sum(_DIMS))))

    yield from mistaken(act, _HIT, _SIZE, _OF, _OUT, most=most)


def shown_otherwise(logits: Tensor, y: Tensor) -> Mistakes:
    """Other probabilities in soft Dice, or sums over less than the batch."""
    q, hard = logits.softmax(1), F.one_hot(logits.argmax(1), 5).movedim(-1, 1)
    images = torch.stack([dice(a[None], b[None]) for a, b in zip(q, y, strict=True)])  # (B, C)
    there = y.sum((2, 3)) > 0
    means = torch.stack([s[t].mean() for s, t in zip(images, there, strict=True)])
    own = "each image has a score of its own here: sum over the batch, too"
    yield from [
        (
            1 - 2 * (q * y).sum() / 48,
            "all classes are in one sum, so the large ones rule: by class",
        ),
        (1 - means.mean(), "this is the mean of the images' losses: sum over the batch, too"),
        (1 - images[there].mean(), own),
        (1 - images.mean(), own),
        (1 - dice(q[:1], y[:1])[:2].mean(), "this is the first image alone: all of the batch"),
        *(
            (
                1 - dice(q, hard)[of].mean(),
                "y comes from the target, not from the arg-max of the logits",
            )
            for of in (slice(4), slice(5), hard.sum(_DIMS) > 0)
        ),
        (
            1 - (2 * (q * y).sum(_DIMS) / (logits + y).sum(_DIMS))[:4].mean(),
            "below stands the sum of the logits: take that of p, the softmax",
        ),
    ]
    others = [
        (hard, "arg-max has no slope: use the probabilities"),
        (logits, "the softmax is missing: logits are no probabilities"),
        (logits.exp(), "the softmax is missing: it divides by the sum over the classes"),
        (q.log(), "p is a probability: softmax, not log_softmax"),
        (q.softmax(1), "the softmax is there twice"),
        *(
            (logits.softmax(d), f"softmax over the images or along the width: {_AXIS}")
            for d in (0, 2, 3)
        ),
        (logits.sigmoid(), "p comes from a softmax over the classes, no sigmoid"),
        (1 - q, "1 - p stands where p should be"),
    ]
    for p, message in others:
        for score in (dice(p, y)[:4], dice(p, y)):
            yield 1 - score.mean(), message
    sums = f"the sums go over the batch, the height and the width: {_DIMS}"
    for dims in ((0, 2), (0, 3), 0, (0, 1)):
        part = 2 * (q * y).sum(dims) / (q.sum(dims) + y.sum(dims))
        for score in (part, part[y.sum(dims) > 0], part[part > 0]):
            yield 1 - score.mean(), sums
    yield from _asked(q, y, 2)
    for p, message in others[1:]:  # of 0 and 1 many mistakes give the same
        twice = _asked(p, y, 1)
        yield from ((wrong, f"{message}. And {words}") for wrong, words in twice)


def where_scored(loss: Loss) -> str:
    """Where a soft Dice loss leaves the right way, in words."""
    target = torch.tensor([[[0, 1, 2, 2]]])
    sure = 1000.0 * F.one_hot(target, 3).movedim(-1, 1)
    drawn = torch.tensor([0.5, 1.0, -1.0, 2.0, 0.25, -0.5, 1.5, 0.0, -2.0, 0.75, 1.25, -1.5])
    drawn = drawn.reshape(1, 3, 1, 4)

    def right(logits: Tensor, ids: Tensor) -> bool:
        classes = ids.unique()
        y = F.one_hot(ids, logits.shape[1]).movedim(-1, 1)
        score = dice(logits.softmax(1), y)[classes].mean()
        return alike(tried(loss, logits, ids), 1 - score, 1e-4)

    if getattr(tried(loss, drawn, target), "shape", None) != ():
        return "the loss is one number: 1 minus the mean over the classes"
    if alike(tried(loss, sure, target), 0.5, 1e-4):
        return "a perfect prediction costs 0.5, and should cost 0: above stands *twice* Σ p · y"
    for logits, words in (
        (sure, "a perfect prediction should cost 0, and here it does not"),
        (
            sure.roll(1, 1),
            "a prediction that is wrong everywhere should cost 1, and here it does not",
        ),
    ):
        if not right(logits, target):
            return f"{words}: 1 minus the mean of 2·Σpy / (Σp + Σy)"
    if not right(drawn, target):
        return "for p of 0 and 1 it is right, and between them it is not: p is the softmax, and enters each sum as it is"  # noqa: E501
    if not right(drawn, target.clamp_max(1)):
        return "where all classes occur it is right, and where one does not it is not: the mean is over the classes in the target"  # noqa: E501
    return "of one image it is right, and of several it is not: sum over the batch, too"
