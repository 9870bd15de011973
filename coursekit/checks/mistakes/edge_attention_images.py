"""Known mistakes in Eq. 3 of lesson 10, one mean for each image: what they give, what to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.mistakes.edge_attention import COSTS, LATER, OFF, UNKNOWN, attended
from coursekit.checks.mistakes.edge_losses import weighed
from coursekit.checks.mistakes.edges import edged, spread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coursekit.checks.mistakes.questions import Way

_AREA = "a mean over all pixels: divide by the number of *edge* pixels"
_TOGETHER = 'one cost for all pixels together: `reduction="none"` keeps them apart'
_PARSING = "the cost is of the *parsing*: the target is `target`, not the edges"


class Eq3:
    """Eq. 3 and what it is made of.

    Args:
        scores: logits of the parsing, (B, C, H, W).
        truth: classes, (B, H, W), 255 where nobody labelled.
        marked: binary edges, (B, H, W), of 0, 1 and 255.

    Attributes:
        right: what the equation gives.
    """

    def __init__(self, scores: Tensor, truth: Tensor, marked: Tensor) -> None:
        self.scores, self.truth, self.marked = scores, truth, marked
        self.on, self.known = marked == 1, truth != 255
        self.pixel = F.cross_entropy(scores, truth, ignore_index=255, reduction="none")
        self.sums, self.counts = (self.pixel * self.on).sum((1, 2)), self.on.sum((1, 2))
        self.by_number = (self.pixel * marked).sum((1, 2))
        self.right = (self.sums / self.counts.clamp_min(1)).mean()
        self.logs = scores.log_softmax(1)

    def over(self, cost: Tensor, edge: Tensor, dim: tuple[int, ...] = (1, 2)) -> Tensor:
        """The equation for other costs, edges and dimensions."""
        return ((cost * edge).sum(dim) / edge.sum(dim).clamp_min(1)).mean()

    def taken(self, scored: Tensor) -> Tensor:
        """The equation for costs that are minus the true class's place in this."""
        cost = -scored.gather(1, self.truth.where(self.known, 0)[:, None])[:, 0]
        return self.over(cost * self.known, self.on)


_WAYS: list[Way] = [
    (
        lambda e: e.sums.sum() / e.counts.sum(),
        "all edge pixels of the batch are in one mean: divide by each image's own b_i",
    ),
    (
        lambda e: e.sums.sum() / e.counts.sum() / 3,
        (
            "divided by the total count of edge pixels (as in the public code): each image has "
            "its own b_i"
        ),
    ),
    (lambda e: (e.pixel * e.on).mean(), _AREA),
    (lambda e: e.sums.mean() / e.known[0].sum(), _AREA),
    (lambda e: 3 * e.right, "this is the sum over the images: take the mean, 1/N"),
    (lambda e: 1.5 * e.right, "images without edges are left out of the mean: they count in N"),
    (lambda e: (e.by_number / e.counts.clamp_min(1)).mean(), UNKNOWN),
    (lambda e: (e.by_number / e.marked.sum((1, 2)).clamp_min(1)).mean(), UNKNOWN),
    (
        lambda e: (
            (e.pixel * (e.marked > 0)).sum((1, 2)) / (e.marked > 0).sum((1, 2)).clamp_min(1)
        ).mean(),
        UNKNOWN,
    ),
    (lambda e: (e.sums / (e.marked > 0).sum((1, 2)).clamp_min(1)).mean(), UNKNOWN),
    (
        lambda e: ((e.pixel * e.on * e.truth).sum((1, 2)) / e.counts.clamp_min(1)).mean(),
        "the class ids are weights here: an id is a name, not a number",
    ),
    (lambda e: e.sums / e.counts.clamp_min(1), "these are the images' losses: take their mean"),
    (
        lambda e: (e.sums / e.counts.clamp_min(1)[:, None]).mean(),
        "each image's sum is divided by the numbers of all: both (B,), without `keepdim`",
    ),
    (lambda e: e.sums.mean(), "divide each image's sum by b_i, its number of edge pixels"),
    (lambda e: e.pixel[e.known].mean(), "the edges have no effect: this is plain cross-entropy"),
    (lambda e: e.pixel[e.known].mean() * (e.counts > 0).float().mean(), _TOGETHER),
    (
        lambda e: (e.sums / (e.counts + 1)).mean(),
        "divide by b_i, not by b_i + 1: `clamp_min(1)` changes 0 alone",
    ),
    (lambda e: 4 * e.right, "λ3 comes later, in Eq. 5"),
    (lambda e: e.over(e.pixel, ~e.on), OFF),
    (lambda e: e.over(e.pixel, e.marked == 0), OFF),
    (lambda e: e.over(e.pixel, e.marked == 255), "255 is unknown: an edge is 1"),
    (
        lambda e: e.over(e.pixel, spread(e.on, 1)),
        "`edges` are as wide as they should be: do not spread them",
    ),
    (
        lambda e: e.over(e.pixel, edged(e.truth, 4)[:, 1:].amax(1) == 1),
        "the edges are given: do not make them anew",
    ),
    (lambda e: e.taken(e.logs.exp().log_softmax(1)), COSTS),
    (lambda e: e.taken(e.logs.exp()), COSTS),
    (lambda e: e.taken(e.scores), COSTS),
    (
        lambda e: e.over(
            F.cross_entropy(e.scores, e.marked.long().clamp_max(3), reduction="none"), e.on
        ),
        _PARSING,
    ),
    (
        lambda e: e.over(
            F.cross_entropy(e.scores, e.marked.long(), ignore_index=255, reduction="none"), e.on
        ),
        _PARSING,
    ),
    (
        lambda e: e.over(e.pixel, e.on, (1,)),
        "each column of pixels has a mean of its own here: sum over (1, 2)",
    ),
    (lambda e: e.over(e.pixel, e.on, (0,)), "the first dimension is the images: sum over (1, 2)"),
    (lambda e: e.right / 3, "1/N stands there twice: a mean is one already"),
    (
        lambda e: (e.sums / e.counts.clamp_min(1)).amax(),
        "this is one image's loss: take the mean of all",
    ),
    (
        lambda e: (e.sums / e.counts.clamp_min(1))[0],
        "this is one image's loss: take the mean of all",
    ),
    (
        lambda e: e.sums.sum(),
        (
            "this is the sum over all edge pixels: divide each image's by its b_i, then take the "
            "mean"
        ),
    ),
    (lambda e: (e.sums * e.counts).mean(), "divide by b_i: you multiply"),
    (
        lambda e: (e.pixel * e.on / e.counts.clamp_min(1)[:, None, None]).mean(),
        "sum over the pixels, and take a mean over the images alone",
    ),
    (
        lambda e: e.sums.sum() / e.counts.float().mean(),
        "b_i is one image's number: you divide by the mean of all",
    ),
    (lambda e: (e.sums / e.known.sum((1, 2))).mean(), _AREA),
    (lambda e: e.pixel.sum() * (e.counts > 0).float().mean(), _TOGETHER),
    (lambda e: ((1 + 1 * e.on) * e.pixel).mean(), LATER.format(3)),
    (lambda e: ((e.pixel * ~e.on).sum((1, 2)) / e.counts.clamp_min(1)).mean(), OFF),
    (
        lambda e: (e.pixel.mean((1, 2)) / e.counts.clamp_min(1)).mean(),
        (
            "keep the costs on the edge, `cost * edge`, and sum them: you take a mean over all "
            "pixels"
        ),
    ),
    (
        lambda e: weighed(e.pixel, e.marked == 1, e.marked != 255),
        "nothing is balanced here: the mean of the edge pixels' costs, image by image",
    ),
    (
        lambda e: ((e.pixel * e.on).sum(2) / e.on.sum(2).clamp_min(1)).mean(),
        "each row of pixels has a mean of its own here: sum over (1, 2)",
    ),
    (
        lambda e: ((e.pixel * e.on).sum((0, 1)) / e.on.sum((0, 1)).clamp_min(1)).mean(),
        "the first dimension is the images: sum over (1, 2)",
    ),
    (lambda e: e.right + e.pixel.mean(), LATER.format(3)),
    (lambda e: e.right + e.pixel[e.known].mean(), LATER.format(3)),
]


def misattended_images(
    scores: Tensor, truth: Tensor, marked: Tensor
) -> Iterator[tuple[Tensor, str]]:
    """Losses with known mistakes in Eq. 3; the arguments are those of `Eq3`."""
    e = Eq3(scores, truth, marked)
    yield from ((way(e), words) for way, words in _WAYS)
    yield from attended(e.pixel, marked[:, None], truth, scores, torch.ones(1), "b_i")
