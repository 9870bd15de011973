"""Known mistakes in lesson 14's gains over pairs: what they give, and what to say of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coursekit.checks.mistakes.questions import Way

    Pairs = tuple[list[float], list[float], float]  # ours, theirs, the critical value

#: What the check asks: no two mistakes give the same for all of these.
PAIRS: list[Pairs] = [
    ([0.60, 0.75, 0.69, 0.81, 0.66], [0.58, 0.70, 0.64, 0.77, 0.65], 3.1),
    ([0.7, 0.9, 0.8], [0.6, 0.7, 0.79], 4.1),
    ([0.52, 0.66, 0.58, 0.61], [0.61, 0.62, 0.6, 0.55], 2.9),
    ([0.6, 0.7, 0.6], [0.7, 0.82, 0.71], 4.3),
    ([0.31, 0.28, 0.4, 0.37, 0.33, 0.35, 0.3], [0.3, 0.29, 0.33, 0.36, 0.3, 0.36, 0.27], 2.4),
    ([0.7, 0.8], [0.6, 0.69], 12.7),
    ([0.9, 0.9, 0.9, 0.8], [0.8, 0.7, 0.8, 0.7], 3.18),
    ([0.8, 0.81, 0.79], [0.7, 0.7, 0.7], 4.3),
    ([0.5] * 6, [0.45, 0.5, 0.46, 0.48, 0.5, 0.44], 2.57),
    ([0.7, 0.7, 0.7, 0.7, 0.9, 0.9], [0.69, 0.68, 0.67, 0.66, 0.7, 0.7], 2.57),
    ([0.6, 0.7, 0.8, 0.9, 1.0] * 2, [0.58, 0.6, 0.79, 0.7, 0.99] * 2, 2.26),
]

#: Of pairs: the gains, their middle, their spread, …
_GAINS: list[Way] = [
    (lambda a, b: a - b, ""),
    (lambda a, b: b - a, "the sign: a gain is ours minus theirs"),
    (lambda a, b: np.sort(a) - np.sort(b), "pairs are torn: do not sort"),
    (lambda a, b: a - b[::-1], "pairs are torn: theirs is turned round"),
    (lambda a, b: abs(a - b), "a loss is a gain below 0: leave `abs` out"),
    (lambda a, b: 100 * (a - b), "scores are shares here: no factor of 100"),
    (lambda a, b: (a - b) / b, "a gain is a difference, not a share of theirs"),
    (lambda a, b: a / b, "a gain is a difference, not a ratio"),
    (lambda a, b: a, "theirs have no effect: subtract them, pair by pair"),
    (lambda a, b: a + b, "scores are added: a gain is ours minus theirs"),
]
_MIDDLE: list[Way] = [
    (lambda g: g.mean(), ""),
    (lambda g: np.median(g), "the first is the mean of the differences, not their median"),
    (lambda g: g.sum(), "the first is the mean of the differences, not their sum"),
    (lambda g: g.sum() / (len(g) - 1), "a mean divides by n: n - 1 is for the spread"),
    (lambda g: g.max(), "the first is the mean of the differences, not the best"),
    (lambda g: g.min(), "the first is the mean of the differences, not the worst"),
    (lambda g: g[0], "the first is the mean of the differences, not that of the first pair"),
]
_BOTH = "this is two separate spreads: what a seed does to both did not cancel"
_SPREAD: list[Way] = [
    (lambda g, a, b: g.std(ddof=1), ""),
    (lambda g, a, b: g.std(), "the spread is divided by n: n - 1 pays for the mean (ddof)"),
    (
        lambda g, a, b: (((g - g.mean()) ** 2).sum() / (len(g) - 2)) ** 0.5,
        "n - 1, not n - 2 (ddof=1)",
    ),
    (lambda g, a, b: g.var(ddof=1), "this is the variance: take its root"),
    (lambda g, a, b: g.var(), "this is the variance, and divided by n: the root, with n - 1"),
    (lambda g, a, b: abs(g - g.mean()).mean(), "the root of squares, not a mean of sizes"),
    (lambda g, a, b: np.ptp(g), "s is no range from the least to the largest"),
    (lambda g, a, b: np.ptp(g) / 2, "s is no range from the least to the largest"),
    (lambda g, a, b: ((g - g.mean()) ** 2).sum() ** 0.5, "the squares are added up: over n - 1"),
    (lambda g, a, b: ((g**2).sum() / (len(g) - 1)) ** 0.5, "subtract the mean before squaring"),
    (lambda g, a, b: ((g**2).mean()) ** 0.5, "subtract the mean before squaring, and n - 1"),
    (lambda g, a, b: (a.var(ddof=1) + b.var(ddof=1)) ** 0.5, _BOTH),
    (lambda g, a, b: a.std(ddof=1) + b.std(ddof=1), _BOTH),
    (lambda g, a, b: ((a.var(ddof=1) + b.var(ddof=1)) / 2) ** 0.5, _BOTH),
    (lambda g, a, b: abs(a.std(ddof=1) - b.std(ddof=1)), _BOTH),
    (lambda g, a, b: a.std(ddof=1) - b.std(ddof=1), _BOTH),
    (lambda g, a, b: g.std(ddof=1) ** 0.5, "n alone stands under a root: s is one already"),
    (lambda g, a, b: np.concatenate([a, b]).std(ddof=1), _BOTH),
    (lambda g, a, b: a.std(ddof=1), "the spread of *ours*: take that of the gains"),
    (lambda g, a, b: b.std(ddof=1), "the spread of *theirs*: take that of the gains"),
    (lambda g, a, b: g.mean(), "the mean in place of the spread: s is asked for"),
]
#: … what it is divided by, and multiplied by, and what is returned.
_OVER: list[Way] = [
    (lambda n: n**0.5, ""),
    (lambda n: 1, "this is about one pair: the mean of n scatters less, by the root of n"),
    (lambda n: n, "divided by n: a mean of n scatters less by the *root* of n"),
    (lambda n: (n - 1) ** 0.5, "the root of n, not of n - 1: s has paid for the mean already"),
    (lambda n: n - 1, "the root of n, not n - 1: s has paid for the mean already"),
    (lambda n: (2 * n) ** 0.5, "n counts pairs, not scores"),
    (lambda n: n**-0.5, "divide by the root of n: you multiplied"),
    (lambda n: n**2, "divide by the root of n, not its square"),
    (lambda n: 5**0.5, "n is the number of pairs, and here 5 is written in"),
    (lambda n: 3**0.5, "n is the number of pairs, and here 3 is written in"),
]
_TABLE = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}
_CRITICAL: list[Way] = [
    (lambda t, n: t, ""),
    (lambda t, n: 1, "critical has no effect: t · s / √n"),
    (lambda t, n: 1.96, "1.96 is for many pairs: use critical"),
    (lambda t, n: 2, "2 is a rule for many pairs: use critical"),
    (
        lambda t, n: _TABLE.get(n, 1.96) if n > 2 else 1.96,
        "use the argument critical, not the table",
    ),
    (lambda t, n: _TABLE.get(n, 1.96), "use the argument critical, not the table"),
    (lambda t, n: _TABLE.get(n + 1, 1.96), "use the argument critical, not the table"),
    (lambda t, n: 4.30, "use the argument critical: 4.30 is written in"),
    (lambda t, n: 2 * t, "this is the whole width of the interval: half of it"),
    (lambda t, n: t / 2, "half of the half-width: t · s / √n"),
    (lambda t, n: t**2, "critical is squared: t · s / √n"),
    (lambda t, n: t**0.5, "critical stands under the root: t · s / √n"),
    (lambda t, n: 1 / t, "you divided by critical: multiply"),
]
_NUMBERS: list[Way] = [
    (lambda mean, half, s: (mean, half), ""),
    (lambda mean, half, s: (half, mean), "the mean gain comes first, then the half-width"),
    (
        lambda mean, half, s: (mean - half, mean + half),
        "the ends of the interval: mean, half-width",
    ),
    (lambda mean, half, s: (mean, mean - half), "the lower end: the half-width is asked for"),
    (lambda mean, half, s: (mean, mean + half), "the upper end: the half-width is asked for"),
    (lambda mean, half, s: (mean, s), "s itself: the half-width is t · s / √n"),
    (lambda mean, half, s: (mean - half, half), "the first is the mean, not the lower end"),
    (lambda mean, half, s: (mean + half, half), "the first is the mean, not the upper end"),
    (lambda mean, half, s: (mean, -half), "the half-width is above 0"),
    *(
        (lambda mean, half, s, n=n: (round(mean, n), round(half, n)), "round nothing")
        for n in (1, 2, 3, 4)
    ),
    *((lambda mean, half, s, n=n: (round(mean, n), half), "round nothing") for n in (1, 2, 3, 4)),
]


def mispaired(cases: Sequence[Pairs]) -> Iterator[tuple[list[Any], str]]:
    """Mean gain and half-width of several pairs, with one known mistake and with two."""

    pairs = [(np.array(ours), np.array(theirs)) for ours, theirs, _ in cases]
    numbers = [(t, len(ours)) for ours, _, t in cases]

    # Most of the time goes into these, and of thousands of pairs of slips most share them.
    @cache
    def gained(gain: Any) -> list[Any]:
        return [gain(a, b) for a, b in pairs]

    @cache
    def middles(gain: Any, middle: Any) -> list[Any]:
        return [middle(g) for g in gained(gain)]

    @cache
    def spreads(gain: Any, spread: Any) -> list[Any]:
        return [spread(g, a, b) for g, (a, b) in zip(gained(gain), pairs, strict=True)]

    def act(gain: Any, middle: Any, spread: Any, over: Any, critical: Any, end: Any) -> list[Any]:
        found = []
        with np.errstate(all="ignore"):
            each = zip(numbers, middles(gain, middle), spreads(gain, spread), strict=True)
            for (t, n), mean, s in each:
                half = critical(t, n) * s / over(n)
                found.append([float(one) for one in end(mean, half, s)])
        return found

    yield from mistaken(act, _GAINS, _MIDDLE, _SPREAD, _OVER, _CRITICAL, _NUMBERS)
    rows = [(np.subtract(ours, theirs), t) for ours, theirs, t in cases]
    outer = [(np.subtract.outer(ours, theirs), t) for ours, theirs, t in cases]
    for n in (len, np.size):
        each = [[g.mean(), t * g.std(ddof=1) / n(g) ** 0.5] for g, t in outer]
        yield each, "each of ours less each of theirs: only those of one seed are a pair"
    added = [[g.mean(), t + g.std(ddof=1) / len(g) ** 0.5] for g, t in rows]
    yield added, "critical is a factor, not added: t · s / √n"


def misjudged(cases: Sequence[Pairs]) -> Iterator[tuple[list[bool], str]]:
    """Whether gains are clear, decided in a wrong way."""

    def each(rule: Any) -> list[bool]:
        found = []
        for ours, theirs, t in cases:
            g = np.subtract(ours, theirs)
            s = g.std(ddof=1)
            found.append(bool(rule(g, g.mean(), t * s / len(g) ** 0.5, s, t)))
        return found

    for rule, words in (
        (lambda g, m, half, s, t: m > 0, "0 lies inside: a mean above 0 is not enough"),
        (
            lambda g, m, half, s, t: (g > 0).all(),
            "0 lies inside: not even gains in all pairs are enough",
        ),
        (lambda g, m, half, s, t: abs(m) > half, "clearly worse: clear, but not a gain"),
        (
            lambda g, m, half, s, t: m + half > 0,
            "the *lower* end is asked for: is all of it above 0?",
        ),
        (
            lambda g, m, half, s, t: m <= half,
            "the answer is turned round: True where all is above 0",
        ),
        (lambda g, m, half, s, t: m < -half, "this asks for a clear *loss*: is all of it above 0?"),
        (
            lambda g, m, half, s, t: g.min() > half,
            "the mean less the half-width, not the worst gain",
        ),
        (
            lambda g, m, half, s, t: m > s,
            "0 has to lie outside of the *interval*, not of one spread",
        ),
        (lambda g, m, half, s, t: m > t * s, "this is about one pair: divide by the root of n"),
        (lambda g, m, half, s, t: m > 2 * half, "the half-width is half of the interval: once"),
        (lambda g, m, half, s, t: m > half / 2, "the half-width is half of the interval already"),
        (
            lambda g, m, half, s, t: len(g) > 2 and m > half,
            "two pairs have a spread, if a poor one",
        ),
        (lambda g, m, half, s, t: len(g) > 3 and m > half, "three pairs have a spread, too"),
        (lambda g, m, half, s, t: True, "always clear: is all of the interval above 0?"),
        (lambda g, m, half, s, t: False, "never clear here: compare the mean with the half-width"),
    ):
        yield each(rule), words
