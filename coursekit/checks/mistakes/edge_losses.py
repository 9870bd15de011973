"""Known mistakes in lesson 10's edge losses: what they give, and what to say of them."""

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

_SHARES = "the weights are n₀ and n₁, each over their sum: {}"
# From the numbers of edge pixels and of others: the weights of both.
_WEIGHTS: list[Way] = [
    (lambda n1, n0: (n0, n1), ""),
    (lambda n1, n0: (n0 + n1, n1), "n₀ are the pixels off the edge: `known.sum() - n1`"),
    (lambda n1, n0: (1 - n1 / (n0 + n1), n1), "one weight is a share and the other a number"),
    (lambda n1, n0: (1 - n1, n1), _SHARES.format("1 minus a *number* is no share")),
    (lambda n1, n0: (n0 / n1, n1 / n0), _SHARES.format("no ratios of one to the other")),
    (lambda n1, n0: (n0 + 1, n1 + 1), "1 was added to the numbers: leave them"),
    (lambda n1, n0: (n0**2, n1**2), _SHARES.format("no square")),
    (lambda n1, n0: (10.0, 1.0), "the weights are written in: they come from the numbers"),
    (lambda n1, n0: (9.0, 1.0), "the weights are written in: they come from the numbers"),
    (lambda n1, n0: (n0, n1 / (n0 + n1)), "one weight is a share and the other a number"),
    (lambda n1, n0: (1 / n0, 1 / n1), "the weights are upside down: one over the *own* number"),
    (lambda n1, n0: (torch.log(n0), torch.log(n1)), _SHARES.format("no logarithm")),
    (lambda n1, n0: (n0, -n1), "a weight is negative: both are added"),
]
_BY_SUM = "divide by the sum of the weights, {}"
_OVER: list[Way] = [
    (lambda w, cost, known: w.sum(), ""),
    (lambda w, cost, known: cost.sum(), _BY_SUM.format("not by that of the costs")),
    (lambda w, cost, known: w.sum() + 1, _BY_SUM.format("with nothing added")),
    *(
        (lambda w, cost, known, s=small: w.sum() + s, _BY_SUM.format("with nothing added"))
        for small in (0.1, 0.01, 1e-3)
    ),
    (lambda w, cost, known: w.sum() * cost.numel(), "the sum is divided already: no mean over it"),
    (lambda w, cost, known: w.sum() / known.sum(), "the sum is divided: multiply by nothing"),
    (lambda w, cost, known: w.sum() ** 2, _BY_SUM.format("once")),
    (lambda w, cost, known: w.max(), _BY_SUM.format("not by the largest")),
    (lambda w, cost, known: w.mean(), _BY_SUM.format("not by their mean")),
    (lambda w, cost, known: (w**2).sum().sqrt(), _BY_SUM.format("not by their length")),
    (
        lambda w, cost, known: float(len(cost)),
        "divide by the sum of the weights, not by the images",
    ),
]


class Balanced:
    """A weighted mean of costs, and what it is made of.

    Args:
        scores: logits, (B, 2, H, W) for binary edges, (B, C, H, W) for category edges.
        edges: (B, H, W) or (B, C, H, W), of 0, 1 and 255.

    Attributes:
        cost: cross-entropy of each pixel, of the shape of `edges`.
        blind: the same as if unknown pixels were no edge.
        right: half the mean over the edges and half the mean over the rest.
    """

    def __init__(self, scores: Tensor, edges: Tensor) -> None:
        self.scores, self.edges = scores, edges
        self.edge, self.known = edges == 1, edges != 255
        self.off, self.one = self.known & ~self.edge, torch.ones_like(self.known)
        self.truth = self.edge.float()
        if edges.ndim < scores.ndim:
            self.blind = F.cross_entropy(scores, self.edge.long(), reduction="none")
            self.cost = self.blind * self.known  # as `ignore_index` leaves it
        else:
            self.cost = self.blind = _yes_or_no(scores, self.truth)
        self.share = self.edge.sum() / self.known.sum()
        self.w = torch.where(self.edge, 1 - self.share, self.share) * self.known
        self.total, self.right = (self.w * self.cost).sum(), self.over(self.cost)

    def over(self, cost: Tensor) -> Tensor:
        """The same for other costs."""
        return weighed(cost, self.edge, self.known)

    def by_image(self) -> Tensor:
        """The same for each image by itself, (B,)."""
        apart = zip(self.cost, self.edge, self.known, strict=True)
        return torch.stack([weighed(*one) for one in apart])

    def by_map(self) -> Tensor:
        """The same for each class by itself, (C,)."""
        apart = zip(*(x.unbind(1) for x in (self.cost, self.edge, self.known)), strict=True)
        return torch.stack([weighed(*one) for one in apart])


def weighed(cost: Tensor, edge: Tensor, known: Tensor, share: Tensor | None = None) -> Tensor:
    """The mean of costs with the *other* kind's share as weight; `share` is that of the edges."""
    share = edge.sum() / known.sum() if share is None else share
    w = torch.where(edge, 1 - share, share) * known
    return (w * cost).sum() / w.sum()


def _yes_or_no(scores: Tensor, truth: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(scores, truth, reduction="none")


_ALIKE = "edges and the rest weigh alike: this is plain cross-entropy"
_SUM = "divide by the sum of the weights, not by the number of pixels"
_AS_THEY_ARE = "the weights are shares, as they are: no square, no root"
_NO_EDGE = "pixels of 255 are taken for `no edge`"
_WEIGHT = "pixels of 255 have a weight: multiply the weights by `known`"
_YES_OR_NO = "a yes or no for each class: `F.binary_cross_entropy_with_logits`"
_APART = "the maps are put together before they are weighed: each pixel of each map has a weight"
_TWO = "two logits a pixel, and one softmax over both: `F.cross_entropy`"
_INSIDE = "there is a `weight` in cross_entropy, too: `balanced` weighs"
_MEANS: list[Way] = [
    (lambda e: e.cost[e.known].mean(), _ALIKE),
    (lambda e: e.cost.mean(), _ALIKE),
    (
        lambda e: weighed(e.cost, e.edge, e.known, 1 - e.share),
        "each kind gets its *own* share, so the many get even more: the other's share",
    ),
    (lambda e: e.total / e.known.sum(), _SUM),
    (lambda e: e.total / e.cost.numel(), _SUM),
    (lambda e: e.total, "this is a sum: divide by the sum of the weights"),
    (lambda e: 2 * e.right, "this is the sum of the two means, twice the weighted mean"),
    (
        lambda e: weighed(e.cost, e.edge, e.known, e.edge.sum() / e.edge.numel()),
        "pixels of 255 are counted in the shares",
    ),
    (lambda e: weighed(e.cost, e.edges > 0, e.known), "255 is no edge: an edge is `edges == 1`"),
    (lambda e: weighed(e.blind, e.edge, e.one), _NO_EDGE),
    (lambda e: weighed(e.blind, e.edge, e.one, e.share), _NO_EDGE),
    (lambda e: (e.w**2 * e.cost).sum() / (e.w**2).sum(), _AS_THEY_ARE),
    (lambda e: (e.w.sqrt() * e.cost).sum() / e.w.sqrt().sum(), _AS_THEY_ARE),
    (lambda e: weighed(e.cost, e.edge, e.one, e.share), _WEIGHT),
    (lambda e: weighed(e.cost, e.edge, e.one), _WEIGHT),
    (
        lambda e: weighed(e.cost, e.edge, e.known, e.edges.sum() / e.known.sum()),
        "n₁ is the number of pixels with `edges == 1`: a sum of edges adds up 255, too",
    ),
    (
        lambda e: e.cost[e.off].mean(),
        "only the pixels off the edge have a weight: the edges, too, should count",
    ),
    (
        lambda e: (e.cost[e.edge].sum() + e.cost[e.off].sum()) / 2,
        "half of each kind's *mean*, not of its sum",
    ),
    (lambda e: e.w * e.cost / e.w.sum(), "one number for each pixel: take the sum"),
    (lambda e: -e.right, "the sign is turned"),
    (
        lambda e: e.total / e.edge.sum(),
        "divide by the sum of the weights, not by the number of edges",
    ),
    (lambda e: e.cost.sum(), 'one cost for each pixel is needed: `reduction="none"`'),
    (lambda e: e.right / 2, "this is half of the weighted mean: both losses are given back whole"),
    (
        lambda e: e.cost[e.edge].mean(),
        "only the edge pixels have a weight: the others, too, should count",
    ),
    (lambda e: e.by_image().mean(), "each image is balanced by itself: count over the whole batch"),
]
# Of binary edges: the costs of pixels, which are then weighed as they should be.
_BINARY: list[Way] = [
    (
        lambda e: _taken(e, e.scores.softmax(1).log_softmax(1)),
        "the softmax is taken twice: cross_entropy takes logits",
    ),
    (
        lambda e: _taken(e, e.scores),
        "nll_loss wants logarithms: `F.cross_entropy` takes logits",
    ),
    (
        lambda e: _taken(e, e.scores.softmax(1)),
        "nll_loss wants logarithms, `log_softmax`, not `softmax`",
    ),
    (
        lambda e: _taken(e, e.scores.flip(1).log_softmax(1)),
        "the two logits are turned round: the second is for an edge",
    ),
    (lambda e: _yes_or_no(e.scores[:, 0], e.truth), _TWO),
    (lambda e: _yes_or_no(e.scores[:, 1], e.truth), _TWO),
    *(
        (lambda e, w=pair: e.cost * torch.tensor(w)[e.edge.long()], _INSIDE)
        for pair in ([0.1, 0.9], [0.9, 0.1], [1.0, 9.0], [1.0, 10.0])
    ),
]
# Of category edges: the whole loss.
_CATEGORY: list[Way] = [
    (lambda e: weighed(e.cost.mean(1), e.edge.any(1) & e.known.all(1), e.known.all(1)), _APART),
    (lambda e: weighed(e.cost.sum(1), e.edge.any(1) & e.known.all(1), e.known.all(1)), _APART),
    (
        lambda e: e.over((e.scores.sigmoid() - e.truth).abs()),
        "a difference is no cross-entropy: `F.binary_cross_entropy_with_logits`",
    ),
    *_MEANS,
    (
        lambda e: e.by_map().mean(),
        "each class's map is balanced by itself: count over all maps together",
    ),
    (
        lambda e: F.binary_cross_entropy_with_logits(
            e.scores, e.truth, pos_weight=e.off.sum() / e.edge.sum()
        ),
        (
            "`pos_weight` weighs edges alone, and the mean divides by the number of pixels: "
            "divide by the sum of the weights"
        ),
    ),
    (
        lambda e: e.over(_yes_or_no(e.scores.sigmoid(), e.truth)),
        "the sigmoid is taken twice: `…_with_logits` takes the scores",
    ),
    (
        lambda e: e.over((e.scores.sigmoid() - e.truth) ** 2),
        "squares are no cross-entropy: `F.binary_cross_entropy_with_logits`",
    ),
    (
        lambda e: e.over(F.softplus(-e.scores)),
        "this is the cost of yes everywhere: off the edge the target is 0",
    ),
    (
        lambda e: e.over(_yes_or_no(e.scores, e.edges / 255)),
        "the targets are `edges == 1`, not edges / 255",
    ),
    (
        lambda e: weighed(e.cost[:, 1:], e.edge[:, 1:], e.known[:, 1:]),
        "the background's map counts, too",
    ),
    (
        lambda e: e.scores.shape[1] * e.right,
        "this is C times the weighted mean: nothing is multiplied",
    ),
    (
        lambda e: e.over(
            F.cross_entropy(e.scores, e.truth, reduction="none")[:, None].expand_as(e.cost)
        ),
        _YES_OR_NO,
    ),
    (
        lambda e: e.over(F.cross_entropy(e.scores, e.edges.argmax(1), reduction="none")[:, None]),
        _YES_OR_NO,
    ),
    (
        lambda e: e.over(e.cost * e.edge),
        "a no costs nothing here: no `weight` inside, `balanced` weighs",
    ),
    (
        lambda e: e.over(
            -torch.where(e.edge, e.scores.log_softmax(1), (1 - e.scores.softmax(1)).log())
        ),
        "a softmax over the classes: several edges can be right, take a sigmoid",
    ),
    (
        lambda e: e.over(-e.truth * e.scores.log_softmax(1)),
        "a softmax over the classes: several edges can be right, take a sigmoid",
    ),
    (
        lambda e: e.over(e.cost + torch.where(e.edge, e.scores, -e.scores)),
        "the targets are turned round: yes is 1, an edge",
    ),
]


def _taken(e: Balanced, scored: Tensor) -> Tensor:
    return -scored.gather(1, e.edge.long()[:, None])[:, 0]


def misbalanced(e: Balanced) -> Mistakes:
    """Losses with known mistakes."""
    if e.edges.ndim < e.scores.ndim:
        yield from ((way(e), words) for way, words in _MEANS)
        yield from ((e.over(way(e)), words) for way, words in _BINARY)
    else:
        yield from ((way(e), words) for way, words in _CATEGORY)
    n1, n0 = e.edge.sum(), e.off.sum()

    def act(weights: Any, over: Any) -> Tensor:
        on, off = (torch.as_tensor(x, dtype=torch.float32) for x in weights(n1, n0))
        w = torch.where(e.edge, on, off) * e.known
        w = w / (n0 + n1) if weights is _WEIGHTS[0][0] else w
        return (w * e.cost).sum() / over(w, e.cost, e.known)

    yield from mistaken(act, _WEIGHTS, _OVER)


def where_balanced(balanced: Callable[[Tensor, Tensor], Tensor] | None) -> str:
    """Where the student's weighted mean leaves the right way, in words."""
    if balanced is None:
        return "expected: Σ w·ce / Σ w over all pixels, of category edges over those of all maps"
    edges = torch.tensor([[[0, 0, 0, 0, 0, 255, 1, 0, 0, 0]]], dtype=torch.uint8)

    def is_right(cost: Tensor, right: float) -> bool:
        return alike(tried(balanced, cost, edges), right, 1e-4)

    def of_all(shape: tuple[int, ...]) -> bool:
        other = torch.tensor([255] * 6 + [0, 1, 1, 1], dtype=torch.uint8)
        maps = torch.cat([edges.flatten(), other]).reshape(shape)
        cost = torch.linspace(0, 3, 20).sin().abs().reshape(shape)
        right = weighed(cost, maps == 1, maps != 255)
        return alike(tried(balanced, cost, maps), right, 1e-4)

    if not is_right((edges == 255).float(), 0.0):
        return "in `balanced`, pixels of 255 have a weight: multiply the weights by `known`"
    if is_right(torch.ones(1, 1, 10), 0.0):
        return "in `balanced` all weights are 0: a share has one stroke, since `//` gives 0"
    if not is_right(torch.ones(1, 1, 10), 1.0):
        return "in `balanced`: where all pixels cost 1 the mean should be 1: divide by Σ w"
    if not is_right((edges == 1).float(), 0.5):
        return "in `balanced`: the edges should have half of the weight in sum, and the rest the other half"  # noqa: E501
    if not is_right((edges == 1) * 3.0, 1.5):
        return "in `balanced`: a cost of 1 counts as it should, one of 3 does not: each as it is"
    if not of_all((2, 1, 10)):
        return "in `balanced`: n₁ and n₀ are of the whole batch, not of each image by itself"
    if not of_all((1, 2, 1, 10)):
        return "in `balanced`: n₁ and n₀ are of all maps together, not of each class by itself"
    return "`balanced` is right here, so look at what goes into it: the costs of single pixels"
