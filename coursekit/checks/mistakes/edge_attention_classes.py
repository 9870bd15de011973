"""Known mistakes in Eq. 4 of lesson 10, a mean for each class: what they give, what to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.mistakes.edge_attention import COSTS, LATER, OFF, UNKNOWN, attended
from coursekit.checks.mistakes.edge_attention_images import Eq3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coursekit.checks.mistakes.questions import Way

_PIXELS = "divide by c_ij, the number of edge pixels, not by all pixels"
_BATCH = "c_j is counted over the batch: c_ij belongs to one image"
_EMPTY = "classes without an edge are left out of the mean: they count in C"
_OWN = "w_j belongs to the edge's class j, not to the pixel's own: no `weight` in cross_entropy"
_IDS = (
    "the integer label map is the weight, as in the public code: an id is a name; "
    "w_j is an argument"
)
_TOTAL = "divided by the total count, as in the public code: each class has its own c_ij"

_IMAGE = "all images count: the first dimension is theirs, `[1:]` leaves one out, and no class"


class Eq4:
    """Eq. 4 and what it is made of.

    Args:
        scores: logits of the parsing, (B, C, H, W).
        truth: classes, (B, H, W), 255 where nobody labelled.
        marked: category edges, (B, C, H, W), of 0, 1 and 255.
        w: weights of the classes, (C,).

    Attributes:
        right: what the equation gives.
    """

    def __init__(self, scores: Tensor, truth: Tensor, marked: Tensor, w: Tensor) -> None:
        self.scores, self.truth, self.marked, self.w = scores, truth, marked, w
        self.on, self.known = marked == 1, truth != 255
        self.pixel = F.cross_entropy(scores, truth, ignore_index=255, reduction="none")
        every, ids = self.pixel[:, None], truth[:, None]
        self.sums, self.whole, self.some, self.by_id = (
            (every * edge).sum((2, 3)) for edge in (self.on, marked, marked > 0, self.on * ids)
        )
        self.counts = self.on.sum((2, 3))
        self.own = self.on & (ids == torch.arange(len(w))[:, None, None])
        self.means = self.sums / self.counts.clamp_min(1)
        self.each, self.logs = w * self.means, scores.log_softmax(1)
        self.right = self.each.mean()
        self.own_weight = F.cross_entropy(scores, truth, w, ignore_index=255, reduction="none")[
            :, None
        ]

    def by(self, cost: Tensor, edge: Tensor) -> Tensor:
        """The equation for other costs, (B, 1 or C, H, W), and edges."""
        means = (cost * edge).sum((2, 3)) / edge.sum((2, 3)).clamp_min(1)
        return (self.w * means).mean()

    def taken(self, scored: Tensor) -> Tensor:
        """The equation for costs that are minus the true class's place in this."""
        cost = -scored.gather(1, self.truth.where(self.known, 0)[:, None])
        return self.by(cost * self.known[:, None], self.on)


_WAYS: list[Way] = [
    (lambda e: e.taken(e.logs.exp().log_softmax(1)), COSTS),
    (lambda e: e.taken(e.logs.exp()), COSTS),
    (lambda e: e.taken(e.scores), COSTS),
    (
        lambda e: e.by(-e.logs, e.on),
        "the cost is that of the pixel's true class, for every map: `F.cross_entropy`",
    ),
    (lambda e: e.by(e.pixel[:, None], ~e.on), OFF),
    (lambda e: e.by(e.pixel[:, None], e.marked == 0), OFF),
    (
        lambda e: (e.w * e.sums / (e.counts + 1)).mean(),
        "divide by c_ij, not by c_ij + 1: `clamp_min(1)` changes 0 alone",
    ),
    (lambda e: (e.means / e.w).mean(), "multiply by w_j: you divide"),
    (
        lambda e: (e.w * e.sums / (e.w * e.counts).clamp_min(1)).mean(),
        "w_j stands above alone: c_ij is a plain number of pixels",
    ),
    (lambda e: (e.w**2 * e.means).mean(), "w_j counts once: you multiply by it twice"),
    (lambda e: (e.w + e.means).mean(), "multiply by w_j: you add it"),
    (
        lambda e: (torch.arange(4) * e.means).mean(),
        "without weights each w_j is 1: an id is a name, not a number",
    ),
    (lambda e: (e.w * e.sums / e.pixel[0].numel()).mean(), _PIXELS),
    (lambda e: (e.w * e.sums / e.known.sum((1, 2))[:, None]).mean(), _PIXELS),
    (lambda e: (e.each).amax(1).mean(), "the mean over the classes, not the largest"),
    (lambda e: (e.w * e.sums / e.counts.sum(0).clamp_min(1)).mean(), _BATCH),
    (
        lambda e: (e.each).mean() / 2,
        "the mean over images and classes is taken already: nothing more is divided",
    ),
    (lambda e: (e.each).mean() + e.pixel.mean(), LATER.format(4)),
    (
        lambda e: (e.w / e.w.sum() * e.means).mean(),
        "the weights are used as they are: their sum need not be 1",
    ),
    (
        lambda e: Eq3(e.scores, e.truth, e.marked.amax(1)).right,
        "all edges are in one map: each class has a mean of its own",
    ),
    (lambda e: (e.own_weight * e.on).sum((2, 3)).div(e.counts.clamp_min(1)).mean(), _OWN),
    (lambda e: (e.own_weight * e.on).sum((2, 3)).div(e.counts.clamp_min(1)).mul(e.w).mean(), _OWN),
    (lambda e: e.means.mean(), "the weights have no effect"),
    (
        lambda e: (e.each).sum() / e.w.sum() / 2,
        "you divide by the sum of the weights: Eq. 4 divides by C",
    ),
    (lambda e: e.by_id.sum() / e.counts.sum(), _IDS),
    (lambda e: (e.w * e.by_id).sum() / e.counts.sum(), _IDS),
    (lambda e: (e.pixel * e.on.any(1) * e.truth).sum() / e.counts.sum(), _IDS),
    (
        lambda e: (e.pixel * e.on.any(1)).sum() / e.on.any(1).sum(),
        "all edges are in one mean: each class has a mean of its own",
    ),
    (lambda e: (e.w * e.by_id / e.counts.clamp_min(1)).mean(), _IDS),
    (lambda e: (e.w * e.sums).sum() / e.counts.sum(), _TOTAL),
    (lambda e: (e.w * e.sums).sum() / e.counts.sum() / 8, _TOTAL),
    (lambda e: (e.w * e.sums / e.counts.sum(1, True)).mean(), _TOTAL),
    (lambda e: (e.w * e.sums).sum(1).div(e.counts.sum(1)).mean(), _TOTAL),
    (lambda e: (e.w * e.sums.sum(0) / e.counts.sum(0))[e.counts.sum(0) > 0].mean(), _BATCH),
    (lambda e: (e.w * e.sums.sum(0) / e.counts.sum(0).clamp_min(1)).mean(), _BATCH),
    (lambda e: (e.each).sum() / (e.counts > 0).sum(), _EMPTY),
    (
        lambda e: (e.each).sum(1).mean(),
        "1/C is missing: the mean over the classes, too (and no λ, which comes in Eq. 5)",
    ),
    (lambda e: (e.each)[:, 1:].mean(), "the background's edges count, too"),
    (lambda e: ((e.each).sum(1) / (e.counts > 0).sum(1)).mean(), _EMPTY),
    (
        lambda e: (
            e.w * (e.pixel[:, None] * e.own).sum((2, 3)) / e.own.sum((2, 3)).clamp_min(1)
        ).mean(),
        "C_ij holds both sides of an edge: pixels of other classes, too",
    ),
    (
        lambda e: (e.w * (e.pixel[:, None] * e.own).sum((2, 3)) / e.counts.clamp_min(1)).mean(),
        "C_ij holds both sides of an edge: pixels of other classes, too",
    ),
    (
        lambda e: (e.each / e.pixel[0].numel()).mean(),
        "the costs on the edge are summed: a mean over the pixels divides once more",
    ),
    (lambda e: (e.each).sum(), "1/(NC) is missing: take the mean"),
    (lambda e: (e.each).sum(0).mean(), "1/N is missing: the mean over the images, too"),
    (lambda e: e.each[:, :-1].mean(), "the last class's edges count, too"),
    (lambda e: e.by(e.pixel[:, None], e.on[1:]), _IMAGE),
    (lambda e: e.by(e.pixel[:, None], e.on[:1]), _IMAGE),
    (lambda e: e.by(e.pixel[None, -1], e.on), _IMAGE),
    (lambda e: e.each, "one number for each image and class: take the mean"),
    (lambda e: (e.w * e.whole / e.counts.clamp_min(1)).mean(), UNKNOWN),
    (lambda e: (e.w * e.whole / e.marked.sum((2, 3)).clamp_min(1)).mean(), UNKNOWN),
    (lambda e: (e.w * e.some / (e.marked > 0).sum((2, 3)).clamp_min(1)).mean(), UNKNOWN),
    (lambda e: (e.w * e.sums / (e.marked > 0).sum((2, 3)).clamp_min(1)).mean(), UNKNOWN),
    (
        lambda e: (e.w * e.sums).mean(),
        "each sum is divided by c_ij, the number of that class's edge pixels",
    ),
]


def misattended_classes(
    scores: Tensor, truth: Tensor, marked: Tensor, w: Tensor
) -> Iterator[tuple[Tensor, str]]:
    """Losses with known mistakes in Eq. 4; the arguments are those of `Eq4`."""
    e = Eq4(scores, truth, marked, w)
    yield from ((way(e), words) for way, words in _WAYS)
    yield from attended(e.pixel, marked, truth, scores, w, "c_ij")
