"""Known mistakes in lesson 12's fusion and its loss: what they give, and what to say of them.

Those of its other exercises stand in `boundaries`, `shares` and `claims`.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.mistakes.boundaries import bounded
from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coursekit.checks.mistakes.questions import Way

_AVERAGED = 'the costs are averaged before they meet the weights: `reduction="none"`'
_MEAN = "divide by N, the number of pixels, not by the sum of the weights"
_OTHERS = "the pixels beside boundaries have weight 1, not 0"
_OWN_NUMBER = "the boundary's part is divided by its own number of pixels: all is divided by N"
_EQ2 = "Eq. 4 alone is asked for: the plain cross-entropy is Eq. 2"
_LOGITS = "nothing follows the classifier: these are logits"
_LOGITS_BELOW = "nothing follows the classifier: logits may be below 0"
_SMALL = (
    "you mix small maps and enlarge the logits: enlarge the features, and mix at the size of "
    "edges[0]"
)


def _averaged(cost: Tensor, seen: Tensor) -> Tensor:
    return (cost * seen).sum() / seen.sum() * torch.ones_like(cost)


def _binary(x: Tensor, true: Tensor) -> Tensor:
    yes = F.one_hot(true, x.shape[1]).movedim(-1, 1).type_as(x)
    return F.binary_cross_entropy_with_logits(x, yes, reduction="none").sum(1)


def _of_true(values: Tensor, true: Tensor) -> Tensor:
    return values.gather(1, true[:, None])[:, 0]


#: The cost of each pixel, from logits, target without 255, what is known, and edges.
_COSTS: list[Way] = [
    (lambda x, true, seen, edges: F.cross_entropy(x, true, reduction="none") * seen, ""),
    (
        lambda x, true, seen, edges: F.cross_entropy(x.softmax(1), true, reduction="none") * seen,
        "softmax twice: cross_entropy takes logits",
    ),
    (
        lambda x, true, seen, edges: -_of_true(x.softmax(1), true) * seen,
        "this is -p: `nll_loss` takes log_softmax",
    ),
    (
        lambda x, true, seen, edges: (1 - _of_true(x.softmax(1), true)) * seen,
        "this is 1 - p: the logarithm is missing",
    ),
    (
        lambda x, true, seen, edges: -_of_true(x, true) * seen,
        "the softmax is missing: this is the logit of the true class",
    ),
    (
        lambda x, true, seen, edges: -_of_true(x.log_softmax(-1), true) * seen,
        "the softmax is over a row of pixels: classes are dimension 1",
    ),
    (
        lambda x, true, seen, edges: -_of_true(x.log_softmax(2), true) * seen,
        "the softmax is over a column of pixels: classes are dimension 1",
    ),
    (
        lambda x, true, seen, edges: -_of_true(x.log_softmax(0), true) * seen,
        "the softmax is over the batch: classes are dimension 1",
    ),
    (
        lambda x, true, seen, edges: _binary(x, true) * seen,
        "this asks yes or no of each class: only log p of the true class counts",
    ),
    (
        lambda x, true, seen, edges: F.cross_entropy(x, true, reduction="none"),
        "pixels of 255 count as background: they count nowhere",
    ),
    (
        lambda x, true, seen, edges: _averaged(F.cross_entropy(x, true, reduction="none"), seen),
        _AVERAGED,
    ),
    (
        lambda x, true, seen, edges: (
            seen * _averaged(F.cross_entropy(x, true, reduction="none"), seen)
        ),
        _AVERAGED,
    ),
    (
        lambda x, true, seen, edges: (
            seen.sum() * _averaged(F.cross_entropy(x, true, reduction="none"), seen)
        ),
        'the costs are added up before they meet the weights: `reduction="none"`',
    ),
    (
        lambda x, true, seen, edges: F.cross_entropy(
            x, edges.long(), ignore_index=255, reduction="none"
        ),
        "the edges are taken for the classes: cross-entropy is with target",
    ),
]
#: The weight of each pixel, from edges, target and α.
_WEIGHTS: list[Way] = [
    (lambda edges, target, a: 1 + a * (edges == 1), ""),
    (
        lambda edges, target, a: torch.where(edges == 1, float(a), 1.0),
        "on a boundary the weight is 1 + α, not α",
    ),
    (lambda edges, target, a: a * (edges == 1), f"{_OTHERS}, and 1 + α on a boundary"),
    (lambda edges, target, a: (1 + a) * (edges == 1), _OTHERS),
    (
        lambda edges, target, a: 1 + a * (edges == 0),
        "the boundary has the small weight here: it gets 1 + α",
    ),
    (
        lambda edges, target, a: 1 + a * (edges >= 0),
        "all pixels have the weight 1 + α: only boundaries should",
    ),
    (
        lambda edges, target, a: a * (edges >= 0),
        "all pixels have the weight α: 1 + α on boundaries",
    ),
    (
        lambda edges, target, a: torch.where(edges == 1, float(a), 1.0 - a),
        "the weights are 1 + α and 1, not α and 1 - α",
    ),
    (
        lambda edges, target, a: a + (edges == 1),
        "1 and α have changed places: 1 + α on boundaries, 1 elsewhere",
    ),
    (lambda edges, target, a: 1 + 0 * edges, "the edges have no effect: this is Eq. 2"),
    (lambda edges, target, a: 1 + 200 * (edges == 1), "`alpha` has no effect: 200 is written in"),
    (lambda edges, target, a: (1 + a * (edges == 1)) ** 2, "the weight is taken twice"),
    (lambda edges, target, a: 1 + a**2 * (edges == 1), "α is squared: the weight is 1 + α"),
    (lambda edges, target, a: 1 + (1 + a) * (edges == 1), "the weight is 2 + α here: 1 + α"),
    (lambda edges, target, a: 1 - a * (edges == 1), "α is subtracted: the weight is 1 + α"),
    (
        lambda edges, target, a: 1 + a * (edges == 1) - a * (edges == 0),
        "beside boundaries the weight is 1 - α here: 1",
    ),
    (
        lambda edges, target, a: 1 + a * edges,
        "`edges` are bytes, which end at 255: `alpha * edges` overflows. Ask `edges == 1`",
    ),
    (lambda edges, target, a: 1 + int(a) * (edges == 1), "α is rounded: no `int` or `long`"),
    (
        lambda edges, target, a: (1 + a * (edges == 1)).to(torch.uint8),
        "the weights are bytes: these are whole numbers and end at 255",
    ),
    (
        lambda edges, target, a: 1 + a * (bounded(target) == 1),
        "the argument `edges` has no effect: boundaries were computed anew",
    ),
]


def _apart(values: Tensor, on: Tensor, seen: Tensor) -> Tensor:
    """The mean on boundaries and that elsewhere, added up."""
    off = seen & ~on
    return values[on].sum() / on.sum().clamp_min(1) + values[off].sum() / off.sum().clamp_min(1)


#: One number from weighted costs (B, H, W), weights, plain costs, known, edges, target and α.
_SUMS: list[Way] = [
    (lambda v, w, p, seen, on, true, a: v.sum() / seen.sum(), ""),
    (lambda v, w, p, seen, on, true, a: v.sum() / (w * seen).sum(), f"{_MEAN}: α raises the loss"),
    (lambda v, w, p, seen, on, true, a: v.sum() / w.sum(), f"{_MEAN}, which count 255, too"),
    (
        lambda v, w, p, seen, on, true, a: v.sum() / (w + a * ~seen).sum(),
        f"{_MEAN}, and 255 is no boundary",
    ),
    (
        lambda v, w, p, seen, on, true, a: v.sum() / (seen & (true > 0)).sum(),
        "the background is not counted in N: all that is known",
    ),
    (
        lambda v, w, p, seen, on, true, a: v.sum() / (~seen | (true > 0)).sum(),
        "255 is counted in N and the background is not: `target != 255`",
    ),
    (
        lambda v, w, p, seen, on, true, a: w.double().mean() * p.mean(),
        "two means are multiplied: each pixel's weight meets its own cost",
    ),
    (lambda v, w, p, seen, on, true, a: v.mean(), "pixels of 255 are counted in N"),
    (lambda v, w, p, seen, on, true, a: v.sum(), "this is a sum: divide by N"),
    (
        lambda v, w, p, seen, on, true, a: v.sum() / len(v),
        "divide by the number of pixels, not of images",
    ),
    (
        lambda v, w, p, seen, on, true, a: v[0].numel() ** -1 * v.sum(),
        "divided by the pixels of one image: N counts over the whole batch",
    ),
    (
        lambda v, w, p, seen, on, true, a: (v.sum((1, 2)) / seen.sum((1, 2))).mean(),
        "each image is divided by its own pixels: N counts over the whole batch",
    ),
    (
        lambda v, w, p, seen, on, true, a: (v.sum((1, 2)) / seen.sum((1, 2))).sum(),
        "each image has its own mean here: N counts over the whole batch",
    ),
    (
        lambda v, w, p, seen, on, true, a: v.sum() / on.sum(),
        "divided by the number of boundary pixels: N counts all",
    ),
    (
        lambda v, w, p, seen, on, true, a: v.sum() / (seen & ~on).sum(),
        "divided by the pixels beside boundaries: N counts all",
    ),
    (
        lambda v, w, p, seen, on, true, a: v.sum() / seen.sum() / (1 + a),
        "divided by 1 + α: by N alone",
    ),
    (
        lambda v, w, p, seen, on, true, a: _apart(v, on, seen),
        "boundaries and the rest have a mean of their own here: Eq. 4 has one N",
    ),
    (
        lambda v, w, p, seen, on, true, a: _apart(v, on, seen) / 2,
        "that is Eq. 3, with a half for each kind: Eq. 4 has one N",
    ),
    (lambda v, w, p, seen, on, true, a: p.sum() / seen.sum() + a * p[on].mean(), _OWN_NUMBER),
    (lambda v, w, p, seen, on, true, a: p.sum() / seen.sum() + (1 + a) * p[on].mean(), _OWN_NUMBER),
    (
        lambda v, w, p, seen, on, true, a: (1 + a) * p[on].mean(),
        "only boundary pixels count here: the others have weight 1",
    ),
    (
        lambda v, w, p, seen, on, true, a: p.sum() / seen.sum() + a * on.sum() / seen.sum(),
        "α is added to the costs: the weight multiplies them",
    ),
    (
        lambda v, w, p, seen, on, true, a: (w * p * seen).amax(),
        "this is the largest: the sum, divided by N",
    ),
    (
        lambda v, w, p, seen, on, true, a: v[seen].median(),
        "this is a median: the sum, divided by N",
    ),
]
_ENDS: list[Way] = [
    (lambda total, plain: total, ""),
    (lambda total, plain: 2 * total, "λ₃ comes later, in Eq. 1: leave the 2 out"),
    (
        lambda total, plain: total / 4,
        "divided by C, too: only one of the C terms of a pixel is not 0",
    ),
    (lambda total, plain: total / 2, "half of the loss: Eq. 4 has no half"),
    (lambda total, plain: total + plain, _EQ2),
    (lambda total, plain: (total + plain) / 2, _EQ2),
    (lambda total, plain: -total, "the sign is turned: cross-entropy is above 0"),
    (lambda total, plain: total.sqrt(), "no root: Eq. 4 is a sum over N"),
    (lambda total, plain: 100 * total, "a factor of 100 too large: no per cent"),
    (lambda total, plain: (1 + total).log(), "no further logarithm"),
]


def misweighted(
    logits: Tensor, target: Tensor, edges: Tensor, alphas: Sequence[float]
) -> Iterator[tuple[list[Tensor], str]]:
    """Losses for each α, with one known mistake and with two."""
    seen, on = target != 255, edges == 1
    true = target.where(seen, 0)
    plain = F.cross_entropy(logits, true, reduction="none") * seen
    known: dict[Any, Tensor] = {}

    def act(cost: Any, weight: Any, total: Any, end: Any) -> list[Tensor]:
        if cost not in known:
            known[cost] = cost(logits, true, seen, edges)
        p, found = known[cost], []
        for a in alphas:
            w = weight(edges, target, a)
            value = total(w * p, w, p, seen, on, true, a)
            found.append(end(value, plain.sum() / seen.sum()))
        return found

    yield from mistaken(act, _COSTS, _WEIGHTS, _SUMS, _ENDS)
    yield from _miscounted(plain, target, edges, alphas)
    lifted = [1 + a * on[:, None] for a in alphas]
    yield (
        [F.cross_entropy(w * logits, target, ignore_index=255) for w in lifted],
        "the weights meet the logits: they belong to the *costs*",
    )
    yield (
        [F.nll_loss((w * logits.softmax(1)).log(), target, ignore_index=255) for w in lifted],
        "the weights meet the probabilities: they belong to the *costs*",
    )


def _miscounted(
    plain: Tensor, target: Tensor, edges: Tensor, alphas: Sequence[float]
) -> Iterator[tuple[list[Tensor], str]]:
    """Losses for each α with another number of pixels, or with weights of something else."""
    on, number = edges == 1, (target != 255).sum()
    sums = [((1 + a * on) * plain).sum() for a in alphas]
    for total, words in (
        ((target == 255).sum(), "these are the pixels of 255: N counts all others, `!=`"),
        (target.sum(), "this is the sum of the classes' numbers: N counts pixels"),
        (number + 1, "N is a plain number of pixels: `clamp_min(1)` changes 0 alone"),
        (number - 1, "N is a plain number of pixels: nothing is subtracted"),
        (number + 1e-6 * number, "N is a plain number of pixels: nothing is added"),
    ):
        yield [one / total for one in sums], words
    for weigh, words in (
        (lambda a: 1 + a * (target == 1), "the boundary is where `edges == 1`, not `target == 1`"),
        (
            lambda a: (1 + a * edges == 1) * 1,
            "put `edges == 1` in brackets: `*` and `+` come first",
        ),
    ):
        yield [(weigh(a) * plain).sum() / number for a in alphas], words
    yield (
        [((1 + a * on) + plain).sum() / number for a in alphas],
        "weights and costs are multiplied, not added",
    )


_ORDERS: list[Way] = [((0, 1, 2, 3), "")]
for _order in permutations(range(4)):
    if _order[3] != 3:
        _ORDERS.append((_order, "the context comes last, after the boundary's features"))
    elif _order != (0, 1, 2, 3):
        _words = "in the reverse order" if _order == (2, 1, 0, 3) else "in another order"
        _ORDERS.append((_order, f"the boundary's features are {_words}: the finest first"))
_ONCE = "one of the boundary's features enters several times: each of the three once"
_ORDERS += [
    ((i, j, k, 3), _ONCE)
    for i in range(3)
    for j in range(3)
    for k in range(3)
    if len({i, j, k}) < 3
]
_MODES: list[Way] = [
    ({"mode": "bilinear"}, ""),
    ({"mode": "nearest"}, 'the maps are enlarged in steps: `mode="bilinear"`'),
    ({"mode": "nearest-exact"}, 'the maps are enlarged in steps: `mode="bilinear"`'),
    ({"mode": "area"}, 'the maps are enlarged in steps: `mode="bilinear"`'),
    ({"mode": "bicubic"}, '`mode="bilinear"`, not bicubic'),
    ({"mode": "bilinear", "align_corners": True}, "align_corners: leave it alone"),
]
_MORE = "there is {} more between `mix` and `classify`: ABN is activated already"
_BETWEEN: list[Way] = [
    (lambda x: x, ""),
    (torch.relu, _MORE.format("a ReLU")),
    *((f, _MORE.format("an activation")) for f in (F.leaky_relu, F.gelu, F.silu, F.elu)),
    *((f, _MORE.format("an activation")) for f in (torch.sigmoid, torch.tanh)),
    (F.instance_norm, _MORE.format("a normalisation")),
]
_AFTER: list[Way] = [
    (lambda x: x, ""),
    (lambda x: x.softmax(1), _LOGITS),
    (lambda x: x.log_softmax(1), _LOGITS),
    (lambda x: x.sigmoid(), _LOGITS),
    (lambda x: x.relu(), _LOGITS_BELOW),
    (lambda x: F.leaky_relu(x, 0.01), _LOGITS_BELOW),
]


def misfused(part: Any, maps: Sequence[Tensor]) -> Iterator[tuple[Tensor, str]]:
    """Logits of a fusion branch, with one known mistake and with two; its state stays."""
    state = {key: value.clone() for key, value in part.state_dict().items()}

    @torch.no_grad()
    def fused(
        order: Any, how: Any, between: Any, after: Any, *, size: int = 0, mix: Any = None
    ) -> Tensor:
        large = [F.interpolate(maps[i], maps[size].shape[-2:], **how) for i in order]
        logits: Tensor = after(part.classify(between((mix or part.mix)(torch.cat(large, 1)))))
        return logits

    right: list[Any] = [ways[0][0] for ways in (_ORDERS, _MODES, _BETWEEN, _AFTER)]
    full, apart = maps[0].shape[-2:], "at the size of {}: enlarge to the *finest*, edges[0]"
    try:  # one by one: most are found among the first, and what is left then costs nothing
        yield fused(*right, mix=part.mix[0]), "the whole of `mix` is called: ABN, too"
        for size, name in ((1, "edges[1]"), (2, "edges[2] and of the context")):
            small = fused(*right, size=size)
            yield small, apart.format(name)
            for mode in ("bilinear", "nearest", "bicubic"):
                yield F.interpolate(small, full, mode=mode), _SMALL
        yield from mistaken(fused, _ORDERS, _MODES, _BETWEEN, _AFTER)
    finally:
        part.load_state_dict(state)
