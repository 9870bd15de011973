"""Known mistakes that Eq. 3 and Eq. 4 of lesson 10 share: what they give, what to say of them."""

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

    Mistakes = Iterator[tuple[Tensor, str]]

COSTS = "the costs are `F.cross_entropy` of the logits: one log_softmax, and the target"
LATER = "Eq. {} alone is asked for: the plain cross-entropy is added later"
OFF = "these are the pixels off the edge: `edges == 1` are on it"
UNKNOWN = "an edge is where `edges == 1`: 255 is no weight and no edge"

_B = "divide by {}, {}"
_COUNTED: list[Way] = [
    (lambda n, sums, cost, known: n.clamp_min(1), ""),
    (lambda n, sums, cost, known: n.max(), _B.format("{}", "not by the largest of them")),
    (lambda n, sums, cost, known: n.clamp_min(1).prod(), _B.format("{}", "not by their product")),
    (lambda n, sums, cost, known: n.clamp_min(2), "`clamp_min(1)` changes 0 alone"),
    (lambda n, sums, cost, known: n + 1e-3, "`clamp_min(1)` changes 0 alone: nothing is added"),
    (lambda n, sums, cost, known: n.clamp_min(1).sqrt(), _B.format("{}", "not by its root")),
    (lambda n, sums, cost, known: n.clamp_min(1) ** 2, _B.format("{}", "once")),
    (lambda n, sums, cost, known: n.float().mean(), _B.format("{}", "not by their mean")),
    (
        lambda n, sums, cost, known: cost.sum((2, 3)),
        _B.format("{}", "a number of pixels, not by the sum of the costs"),
    ),
    (lambda n, sums, cost, known: sums**2 / n.clamp_min(1), "the fraction is upside down"),
]
_MEANS: list[Way] = [
    (lambda x, plain: x.mean(), ""),
    (lambda x, plain: -x.mean(), "the sign is turned: cross-entropy is not negative"),
    (lambda x, plain: 1 - x.mean(), "no 1 minus: a mean of costs is the loss"),
    (lambda x, plain: x.median(), "this is a median: take the mean"),
    (lambda x, plain: x.amax(), "this is the largest alone: take the mean"),
    (lambda x, plain: x.amin(), "this is the smallest alone: take the mean"),
    (
        lambda x, plain: x.sum() / sum(x.shape),
        "a mean divides by how many there are: N in Eq. 3, N · C in Eq. 4",
    ),
    (lambda x, plain: x.mean().sqrt(), "no root: the mean as it is"),
    (lambda x, plain: x[:, 1:].sum() / x.numel(), "the background's edges count, too"),
    (lambda x, plain: x.mean() * plain, "the plain cross-entropy is no factor here"),
    (lambda x, plain: (x.mean() + plain) / 2, "the plain cross-entropy is added later"),
    (lambda x, plain: 0 * x.mean(), "nothing is left: without weights each w_j is 1"),
]
_KEPT: list[Way] = [
    (lambda edges, y: edges == 1, ""),
    (lambda edges, y: edges != 255, "all known pixels are kept: an edge is where `edges == 1`"),
    (lambda edges, y: (edges == 1) & (y != 0), "pixels of the background lie on edges, too"),
    (lambda edges, y: (edges == 1) & (y == 0), "pixels of parts lie on edges, too"),
    (lambda edges, y: edges / 255, "an edge is where `edges == 1`: nothing is divided by 255"),
    (lambda edges, y: 1 + (edges == 1), "keep the costs on the edge alone, `cost * edge`"),
    (lambda edges, y: torch.ones_like(edges), "the edges have no effect"),
]
_WEIGHED: list[Way] = [
    (lambda w: w, ""),
    (lambda w: w**0.5, "w_j stands under a root: take it as it is"),
    (lambda w: w / w.max(), "the weights are used as they are: the largest need not be 1"),
    (lambda w: w / w.mean(), "the weights are used as they are: their mean need not be 1"),
    (lambda w: w.softmax(0), "the weights are used as they are: no softmax"),
    (lambda w: 1 - w, "the weights are used as they are: no 1 minus"),
    (lambda w: w.flip(0), "the weights are turned round: w_j belongs to class j"),
    (lambda w: w.exp(), "the weights are used as they are: no exponential"),
    (lambda w: w.sum() + 0 * w, "the weights are added up: w_j belongs to class j"),
    (lambda w: w.mean() + 0 * w, "the mean of the weights is no weight: w_j belongs to class j"),
]


def attended(
    cost: Tensor, edges: Tensor, target: Tensor, logits: Tensor, weights: Tensor, count: str
) -> Mistakes:
    """Known mistakes in Eq. 3 (with one map of edges an image) and in Eq. 4.

    Args:
        cost: cross-entropy of the pixels, (B, H, W).
        edges: (B, C, H, W) of 0, 1 and 255; C is 1 in Eq. 3.
        target: (B, H, W).
        logits: of the parsing, (B, ·, H, W).
        weights: w_j, (C,).
        count: how the equation calls the number of edge pixels.
    """
    y, known, every = target[:, None], (target != 255)[:, None], cost[:, None]

    def act(weighed: Any, kept: Any, counted: Any, mean: Any) -> Tensor:
        edge = kept(edges, y)
        sums, n = (every * edge).sum((2, 3)), edge.sum((2, 3))
        each = weighed(weights) * sums / counted(n, sums, every.expand_as(edges), known)
        return torch.as_tensor(mean(each, cost.mean()))

    yield torch.tensor(0.0), "nothing is left: without weights each w_j is 1, and an edge is 1"
    on = (edges == 1).float()
    n = on.sum((2, 3)).clamp_min(1)
    keep = "keep the costs on the edge alone: `cost * edge`"
    for kept in (every * (1 + on), every + on, every**on, every - on, every.expand_as(on)):
        yield (weights * kept.sum((2, 3)) / n).mean(), keep
    p = logits.softmax(1)
    if edges.shape[1] > 1:
        several = F.binary_cross_entropy_with_logits(logits, on, reduction="none")
        parsing = "the costs are the parsing's: `F.cross_entropy(logits, target, …)`"
        yield (weights * (several * on).sum((2, 3)) / n).mean(), parsing
        for factor in (p, 1 - p):
            yield (
                (weights * (every * factor * on).sum((2, 3)) / n).mean(),
                "no factor p: costs as they are",
            )
        mine = (weights * (every * on).sum((2, 3)) / n)[:, 1:]
        yield mine.sum() / on.shape[0] / on.shape[1], "the background's edges count, too"
    for words, wrong in _worded(count, mistaken(act, _WEIGHED, _KEPT, _COUNTED, _MEANS)):
        yield wrong, words


def _worded(count: str, mistakes: Mistakes) -> Iterator[tuple[str, Tensor]]:
    for wrong, words in mistakes:
        yield words.replace("{}", count), wrong


def where_attended(loss: Callable[..., Tensor], classes: int = 0) -> str:
    """Where an attention loss leaves the right way, in words.

    Args:
        loss: the student's.
        classes: maps of edges an image in Eq. 4; 0 for Eq. 3, which has one, and no weights.
    """
    drawn = torch.linspace(-2, 3, 72).sin().mul(3).reshape(2, 3, 3, 4)
    ids = torch.arange(24).reshape(2, 3, 4) % 3
    cost = F.cross_entropy(drawn, ids, reduction="none")[:, None]
    maps = max(classes, 1)
    full = torch.ones(2, maps, 3, 4, dtype=torch.uint8)
    some, unknown, empty = full.clone(), full.clone(), full.clone()
    some[:, :, 1:], some[1, 0, 2], unknown[:, :, 1:], unknown[:, :, 2, :2] = 0, 1, 0, 255
    empty[1], empty[0, 0, 1:] = 0, 0

    def right(edges: Tensor, images: int, *weights: Tensor) -> bool:
        edges, on = edges[:images], edges[:images] == 1
        means = (cost[:images] * on).sum((2, 3)) / on.sum((2, 3)).clamp_min(1)
        expected = (means * weights[0] if weights else means).mean()
        shown = edges if classes else edges[:, 0]
        got = tried(loss, drawn[:images], ids[:images], shown, *weights)
        return alike(got, expected, 1e-4)

    whole = tried(loss, drawn, ids, full if classes else full[:, 0])
    if whole is not None and whole.ndim:
        return "a loss is one number for the batch, of shape (): the mean keeps no dimension"
    several = "of one image it is right, of two it is not: each image has its own number of edge pixels, then the mean over the images"  # noqa: E501
    for edges, images, words in (
        (full, 1, "where all pixels of an image are edges it should be the mean cross-entropy, and is not: look at the costs, and at the mean"),  # noqa: E501
        (some, 1, "where some pixels are edges it is not right: the sum of the costs on the edge, divided by their number"),  # noqa: E501
        (unknown, 1, "where edges are 255 it is not right: an edge is where `edges == 1`"),
        (some, 2, several),
        (empty, 2, "where an edge is empty it is not right: it contributes 0, and is counted in the mean"),  # noqa: E501
    ):  # fmt: skip
        if not right(edges, images):
            return words
    if classes and not right(some, 2, torch.tensor([2.0, 0.5, 3.0])[:maps]):
        return "without weights it is right, with weights it is not: w_j multiplies the mean of class j, and nothing else changes"  # noqa: E501
    return ""
