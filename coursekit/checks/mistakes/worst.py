"""Known mistakes in lesson 14's worst images: what they give, and what to say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coursekit.checks.mistakes.questions import mistaken
from coursekit.metrics import iou, mean_f1, mean_iou, present

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from coursekit.checks.mistakes.questions import Way

    Case = tuple[list[Tensor], int]


def _hits(m: Tensor, of: Tensor) -> float:
    shares = m.diagonal() / of
    return float(shares[of > 0].mean())


def _scored(m: Tensor, there: Any) -> float:
    values = iou(m)
    return float(values[there].mean()) if bool(there.any()) else 0.0


#: Of the worst images: the score of a matrix, which have one, …
_SCORES: list[Way] = [
    (mean_iou, ""),
    (lambda m: float(m.trace() / m.sum()), "take the mean IoU, not the share of its pixels"),
    (lambda m: _hits(m, m.sum(1)), "not recall: the mean IoU"),
    (lambda m: _hits(m, m.sum(0)), "not precision: the mean IoU"),
    (mean_f1, "not F1: the mean IoU"),
    (lambda m: -float(m.sum() - m.trace()), "not a number of wrong pixels: the mean IoU"),
    (lambda m: float(m.trace()), "not a number of right pixels: the mean IoU"),
    (lambda m: float(iou(m).mean()), "absent classes counted as 0: skip them"),
    (lambda m: float(iou(m).where(present(m), 1).mean()), "absent classes counted as 1: skip them"),
    (lambda m: _scored(m, m.sum(1) > 0), "a class that is called but not true counts, with 0"),
    (lambda m: _scored(m, m.sum(0) > 0), "a class that is true but never called counts, with 0"),
    (
        lambda m: float(iou(m)[1:].mean()),
        "the background is a class, too, and absent ones are skipped",
    ),
    (lambda m: _scored(m[1:, 1:], present(m)[1:]), "the background is a class, too"),
    (
        lambda m: float(iou(m).where(present(m), 1).min()),
        "the mean over the classes, not the worst class",
    ),
    (lambda m: float(iou(m).min()), "the mean over the classes, not the worst class"),
    (lambda m: float(iou(m).max()), "the mean over the classes, not the best class"),
    (lambda m: float(iou(m).median()), "the mean over the classes, not their median"),
    (lambda m: float(iou(m)[present(m)].median()), "the mean over the classes, not their median"),
    (
        lambda m: float((m.diagonal() / (m.sum(0) + m.sum(1))).nan_to_num().mean()),
        "the common pixels are counted twice below, and absent classes as 0: `metrics.mean_iou`",
    ),
    (
        lambda m: float((iou(m) * m.sum(1)).sum() / m.sum()),
        "one vote a class, not a pixel",
    ),
    (lambda m: float(iou(m)[1]), "the mean over the classes, not class 1 alone"),
    (
        lambda m: float(iou(m)[0]),
        "the mean over the classes, not the background alone",
    ),
    (lambda m: float(m.sum()), "this counts pixels: the mean IoU"),
    *(
        (lambda m, n=n: round(mean_iou(m), n), "nearly equal is not equal: round nothing")
        for n in (1, 2)
    ),
]
_EMPTY = "an image without a pixel that counts has no score: leave it out"
_COUNTED: list[Way] = [  # None: it comes last; a number: that is its score
    (lambda m, score: bool(m.any()), ""),
    (lambda m, score: bool(m.any()) or None, "fewer than k have a score: give those"),
    (lambda m, score: True, _EMPTY),
    *((lambda m, score, n=n: bool(m.any()) or n, _EMPTY) for n in (1.0, float("nan"))),
    (lambda m, score: bool(m.trace() > 0), "a score of 0 is a score: the worst that there is"),
    (lambda m, score: bool(score > 0), "a score of 0 is a score: the worst that there is"),
    (lambda m, score: bool(score < 1), "a score of 1 is a score, too"),
    (lambda m, score: bool(0 < score < 1), "scores of 0 and 1 are scores, too"),
    (lambda m, score: bool((m.sum(1) > 0).all()), "an image may lack a class: it has a score"),
    (lambda m, score: bool(m[1:].any()), "an image of background alone has a score, too"),
    (lambda m, score: bool(m[1:, 1:].any()), "an image of background alone has a score, too"),
    (lambda m, score: bool(m.sum() > 1), "an image with one pixel that counts has a score"),
    (lambda m, score: not bool(m.any()), "these have no score: leave *them* out"),
]
_RANKED: list[Way] = [
    (lambda s: sorted(s, key=lambda i: s[i]), ""),
    (lambda s: sorted(s, key=lambda i: -s[i]), "these are the best ones"),
    (lambda s: sorted(s, key=lambda i: (-s[i], -i)), "these are the best ones"),
    (lambda s: sorted(s, key=lambda i: (s[i], -i)), "among equals the earlier comes first"),
    (
        lambda s: [[*s][i] for i in np.argsort([*s.values()]).tolist()],
        'among equals the earlier comes first: `kind="stable"`',
    ),
    (lambda s: [*s], "they are not sorted: worst first"),
    (lambda s: [*s][::-1], "they are not sorted: worst first"),
    (
        lambda s: sorted({v: i for i, v in s.items()}.values(), key=lambda i: s[i]),
        "by its score an image hides its equals: a dictionary keeps the last of them",
    ),
    (
        lambda s: sorted({s[i]: i for i in reversed(s)}.values(), key=lambda i: s[i]),
        "of equal scores only one image is left: all of them",
    ),
    (
        lambda s: [[*s][[*s.values()].index(v)] for v in sorted(s.values())],
        "an image comes twice: .index finds the first of equals",
    ),
]
#: … how many, and how they are returned.
_CUT: list[Way] = [
    (lambda some, k: some[:k], ""),
    (lambda some, k: some[: k + 1], "one too many: k of them"),
    (lambda some, k: some[: max(k - 1, 0)], "one too few: k of them"),
    (lambda some, k: some[: k - 1], "one too few: `[:k]` ends before k already"),
    (lambda some, k: some, "k has no effect: only k of them"),
    (lambda some, k: some[:3], "k has no effect: 3 is written in"),
    (lambda some, k: some[:1], "k has no effect: only the worst"),
    (lambda some, k: some[-k:], "these are the last k: the first of the order"),
    (lambda some, k: some[::-1][-k:][::-1], "none are wanted, k = 0: [-0:] takes all"),
    (lambda some, k: some[k:], "these come after the k worst"),
    (lambda some, k: some[1 : k + 1], "the very worst is left out: the first k"),
    (lambda some, k: some[:k] if k <= len(some) else [], "fewer than k have a score: give those"),
]
_GIVEN: list[Way] = [
    (lambda chosen, s: chosen, ""),
    (lambda chosen, s: chosen[::-1], "turned round: the worst should come first"),
    (lambda chosen, s: sorted(chosen), "sorted by position: the worst should come first"),
    (lambda chosen, s: [i + 1 for i in chosen], "positions count from 0"),
    (lambda chosen, s: [i - 1 for i in chosen], "positions count from 0: these are one too low"),
    (
        lambda chosen, s: [[*s].index(i) for i in chosen],
        "leaving images out moved those after them: give positions in the whole list",
    ),
    (lambda chosen, s: [*range(len(chosen))], "these are ranks: give the positions of the images"),
    (
        lambda chosen, s: [sorted(chosen).index(i) for i in chosen],
        "these are ranks: give the positions of the images",
    ),
]


def images() -> tuple[list[Case], Tensor, Tensor]:
    """What the check asks: matrices and k, no two mistakes alike; and two of the matrices."""
    good, fair, bad = (torch.tensor([[n, 10 - n, 0], [0, 10, 0], [0, 0, 0]]) for n in (10, 8, 2))
    none, rare = (
        torch.zeros(3, 3, dtype=torch.long),
        torch.tensor([[980, 10, 0], [10, 0, 0], [0, 0, 0]]),
    )
    absent, speck = torch.diag(torch.tensor([9, 0, 0])), torch.tensor([[0, 1, 0], [0] * 3, [0] * 3])
    called, part = torch.tensor(
        [[[9, 0, 1], [0, 10, 0], [0] * 3], [[10, 0, 0], [3, 7, 0], [0] * 3]]
    )
    thin, odd = torch.tensor(
        [[[90, 6, 4], [2, 8, 0], [5, 0, 5]], [[50, 0, 0], [20, 30, 0], [9, 0, 1]]]
    )
    missed, dot = torch.tensor([[[10, 0, 0], [0, 10, 0], [5, 0, 0]], [[1, 0, 0], [0] * 3, [0] * 3]])
    mixed = [*torch.randint(0, 30, (9, 3, 3), generator=torch.Generator().manual_seed(0))]
    some = [fair, good, bad, none, fair, bad, good]  # two of each, and one without a score
    cases: list[Case] = [
        (some, 3),
        (some, 5),
        ([rare, fair], 2),
        ([fair, absent], 2),
        ([good, speck, fair], 2),
        ([good, none], 5),
        ([called, part], 2),
        ([8 * good + fair, 8 * good + 2 * fair], 2),
        ([90 * good + fair, 90 * good + 2 * fair], 2),
        ([good, fair], 0),
        ([good, bad], 1),
        ([thin, odd, called, none, part, rare, bad, absent], 6),
        ([odd, speck, thin, good, absent, part, called, fair, 3 * thin], 9),
        ([bad, none, good, fair], 3),
        ([dot, fair, missed], 3),
        (mixed, 9),
    ]
    return cases, good, fair


def misordered(cases: Sequence[Case], got: Sequence[Any] = ()) -> Iterator[tuple[list[Any], str]]:
    """Positions of the k worst of each case, with one known mistake and with two.

    Each ends with the first case of which an answer gave something else than `got`.
    """
    known: dict[tuple[Any, int], float] = {}

    def score(of: Any, m: Tensor) -> float:
        key = of, id(m)
        if key not in known:
            known[key] = of(m) if m.any() or of is mean_iou else 0.0
        return known[key]

    def act(of: Any, counted: Any, ranked: Any, cut: Any, given: Any) -> list[Any]:
        found = []
        for several, k in cases:
            scores = {i: score(of, m) for i, m in enumerate(several)}
            kept = {i: counted(several[i], s) for i, s in scores.items()}
            scores = {
                i: scores[i] if kept[i] is True else np.inf if kept[i] is None else kept[i]
                for i in kept
                if kept[i] is not False
            }
            found.append(given(cut(ranked(scores), k), scores))
            if got and found[-1] != got[len(found) - 1]:
                break
        return found

    yield from mistaken(act, _SCORES, _COUNTED, _RANKED, _CUT, _GIVEN)
    early = []
    for several, k in cases:
        first = sorted(range(len(several)), key=lambda i: mean_iou(several[i]))[:k]
        early.append([i for i in first if several[i].any()])
    yield early, "images without a score take up places of the k: leave them out *before* the cut"
    empty = [[not bool(m.any()) for m in several] for several, _ in cases]
    for reached, words in (
        (
            lambda e: e.index(True) if True in e else len(e),
            "an image without a score ends the loop",
        ),
        (lambda e: e.index(False) + 1, "one image alone: does the `return` stand in the loop?"),
    ):
        found = []
        for (several, k), e in zip(cases, empty, strict=True):
            scores = {i: mean_iou(m) for i, m in enumerate(several[: reached(e)]) if m.any()}
            found.append(sorted(scores, key=scores.__getitem__)[:k])
        yield found, words
