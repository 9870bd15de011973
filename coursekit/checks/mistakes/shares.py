"""Known mistakes in lesson 12's shares of weight: what they give, and what to say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coursekit.checks.mistakes.questions import Way

_PRECEDENCE = "`1 + alpha * b` is 1 + (alpha · b): write (1 + alpha) * b"
_ALL = "all weights together are (1 + α)·b + 1 - b"
_BRACKETS = "brackets around all that stands below"
_PLACES = "{} and 1 - {} have changed places"
_EXCHANGED = _PLACES.format("b", "b")
_B = "`b` has no effect: 1 - b stands above the bar, b below"
_S = "`s` has no effect: s stands above the bar, 1 - s below"
_RIGHT = "s * (1 - b) / (b * (1 - s)) - 1"
_ROUND = "round nothing"

#: Of `weight_share`: a boundary's weight, then all weights, then what is divided, then the end.
_WEIGHT: list[Way] = [
    (lambda a: 1 + a, ""),
    (lambda a: a, "a boundary weighs 1 + α, not α"),
    (lambda a: 1 - a, "a boundary weighs 1 + α, not 1 - α"),
    (lambda a: a - 1, "a boundary weighs 1 + α, not α - 1"),
    (lambda a: 201, "`alpha` has no effect: 200 is written in"),
    (lambda a: 2 + a, "a boundary weighs 1 + α, not 2 + α"),
    (lambda a: (1 + a) ** 2, "the weight 1 + α is taken twice"),
    (lambda a: 1 / (1 + a), "the weight 1 + α multiplies b: it does not divide it"),
]
_ABOVE: list[Way] = [
    (lambda b, w, a: w * b, ""),
    (lambda b, w, a: a * b, "above the bar a boundary weighs 1 + α, too"),
    (lambda b, w, a: b, "above the bar the weight 1 + α is missing"),
    (lambda b, w, a: w, "above the bar b is missing: (1 + α)·b"),
    (lambda b, w, a: w * (1 - b), f"above the bar {_EXCHANGED}"),
    (lambda b, w, a: 1 + a * b, f"above the bar {_PRECEDENCE}"),
]
_BELOW: list[Way] = [
    (lambda b, w, a: w * b + 1 - b, ""),
    (lambda b, w, a: a * b + 1 - b, "below the bar a boundary weighs 1 + α, too"),
    (lambda b, w, a: w * b + 1, "the rest weighs 1 - b, not 1"),
    (lambda b, w, a: w * b + 1 + b, "the rest weighs 1 - b, not 1 + b"),
    (lambda b, w, a: w * b + b, "`b` has no effect: the rest weighs 1 - b, not b"),
    (lambda b, w, a: w * b - 1 - b, "below the bar the signs: (1 + α)·b + 1 - b"),
    (lambda b, w, a: w * b + a * (1 - b), "the rest weighs 1 - b, without α"),
    (lambda b, w, a: w * b - (1 - b), "below the bar the weights are added, not subtracted"),
    (lambda b, w, a: 1 - b, "divide by *all* weights: those of the boundaries, too"),
    (lambda b, w, a: w * (1 - b), "below the bar is (1 + α)·(1 - b), expected: (1 + α)·b + 1 - b"),
    (lambda b, w, a: w * (1 - b) + b, f"below the bar {_EXCHANGED}"),
    (lambda b, w, a: w + 1 - b, "below the bar b is missing beside the weight: (1 + α)·b"),
    (lambda b, w, a: w + 1, _ALL),
    (lambda b, w, a: w, _ALL),
    (lambda b, w, a: w * b * (1 - b), "below the bar the weights are added, not multiplied"),
    (lambda b, w, a: 1 + a * b + 1 - b, f"below the bar {_PRECEDENCE}"),
    (lambda b, w, a: 1.0, "this is the boundaries' weight: divide by all weights"),
]
_END: list[Way] = [
    (lambda share: share, ""),
    (lambda share: 100 * share, "a share, not per cent: between 0 and 1"),
    (lambda share: 1 - share, "this is the share of the rest"),
    (lambda share: 1 / share, "above and below have changed places"),
    *((lambda share, n=n: round(share, n), _ROUND) for n in range(5)),
    (lambda share: share // 1, "`//` leaves whole numbers: `/`"),
]


def misshared(cases: Sequence[tuple[float, float]]) -> Iterator[tuple[list[float], str]]:
    """Shares for (b, α), with one known mistake and with two."""

    def act(weight: Any, above: Any, below: Any, end: Any) -> list[float]:
        parts = [(above(b, weight(a), a), below(b, weight(a), a)) for b, a in cases]
        return [end(one / two) if one * two else 0.0 for one, two in parts]

    for words, formula in (
        (_PRECEDENCE, lambda b, a: 1 + a * b / (1 + a * b + 1 - b)),
        (
            "the weights are subtracted: a share is one divided by all",
            lambda b, a: (1 + a) * b - 1 + b,
        ),
        (_PLACES.format("b", "b"), lambda b, a: (1 + a) * (1 - b) / ((1 + a) * (1 - b) + b)),
        (_PRECEDENCE, lambda b, a: 1 + a * b / (1 + a * b)),
        ("(1 + α)·b is a product, no power", lambda b, a: (w := (1 + a) ** b) / (w + 1 - b)),
        (_BRACKETS, lambda b, a: (1 + a) * b / (1 + a) * b + 1 - b),
        (_BRACKETS, lambda b, a: (1 + a) * b / ((1 + a) * b) + 1 - b),
        (_BRACKETS, lambda b, a: (1 + a) * b / ((1 + a) * b + 1) - b),
        ("b is a share, not per cent", lambda b, a: (1 + a) * b / ((1 + a) * b + 100 - b)),
    ):
        yield [formula(b, a) for b, a in cases], words
    yield from mistaken(act, _WEIGHT, _ABOVE, _BELOW, _END)


#: Of `alpha_for`: what stands above the bar, what below, and the end.
_OVER: list[Way] = [
    (lambda b, s: s * (1 - b), ""),
    (lambda b, s: s, "the rest is left out above the bar: s·(1 - b)"),
    (lambda b, s: 1 - b, "above the bar s is missing: s·(1 - b)"),
    (lambda b, s: 1.0, "above the bar s·(1 - b) is missing"),
    (lambda b, s: s * b, _B),
    (lambda b, s: (1 - s) * (1 - b), _S),
    (lambda b, s: s * (1 + b), "above the bar the sign: s·(1 - b)"),
]
_UNDER: list[Way] = [
    (lambda b, s: b * (1 - s), ""),
    (lambda b, s: b, "below the bar 1 - s is missing: b·(1 - s)"),
    (lambda b, s: 1 - s, "below the bar b is missing: b·(1 - s)"),
    (lambda b, s: 1.0, "below the bar b·(1 - s) is missing"),
    (lambda b, s: b * s, _S),
    (lambda b, s: (1 - b) * (1 - s), _B),
    (lambda b, s: b * (1 + s), "below the bar the sign: b·(1 - s)"),
    (lambda b, s: b - s, "solve s·(w·b + 1 - b) = w·b for w: w·b·(1 - s) is on one side"),
    (lambda b, s: b / (1 - s), "`a / b * c` multiplies by c: write a / (b * c)"),
]
_OFF: list[Way] = [
    (lambda w: w - 1, ""),
    (lambda w: w, "this is 1 + α, the weight: take 1 off"),
    (lambda w: w + 1, "1 is taken off, not added"),
    (lambda w: w - 2, "1 is taken off twice: from w = 1 + α once"),
    (lambda w: 1 - w, "the sign is turned: 1 is taken off the weight"),
    (lambda w: 1 / w if w else 0.0, "above and below have changed places, and 1 is not taken off"),
    (lambda w: 1 / w - 1 if w else 0.0, "above and below have changed places"),
    (lambda w: max(w - 1, 0), "α may be below 0: boundaries can count less"),
    (lambda w: abs(w - 1), "α may be below 0: boundaries can count less"),
    (lambda w: round(w - 1), f"α is no whole number: {_ROUND}"),
    (lambda w: max(round(w - 1), 0), "α is no whole number, and may be below 0"),
    (lambda w: int(w - 1), f"α is no whole number: {_ROUND}"),
    *((lambda w, n=n: round(w - 1, n), _ROUND) for n in range(1, 5)),
    (lambda w: (w - 1) / 100, "α is a number, no per cent"),
    (lambda w: 100 * (w - 1), "α is a number, no per cent"),
    (lambda w: abs(w - 1) ** 0.5, "no root: solve for w, and take 1 off"),
]


def misinverted(cases: Sequence[tuple[float, float]]) -> Iterator[tuple[list[float], str]]:
    """α for (b, s), with one known mistake and with two."""

    def act(over: Any, under: Any, off: Any) -> list[float]:
        return [off(over(b, s) / (under(b, s) or 1.0)) for b, s in cases]

    for words, formula in (
        (_PLACES.format("b", "b"), lambda b, s: s * b / ((1 - b) * (1 - s)) - 1),
        (_PLACES.format("s", "s"), lambda b, s: (1 - s) * (1 - b) / (b * s) - 1),
        ("the rest is left out: 1 - b of the pixels, 1 - s of the weights", lambda b, s: s / b - 1),
        (f"brackets: {_RIGHT}", lambda b, s: s * 1 - b / (b * (1 - s)) - 1),
        (f"brackets: {_RIGHT}", lambda b, s: s * 1 - b / (b * 1 - s) - 1),
        (f"brackets: {_RIGHT}", lambda b, s: s * (1 - b) / b / 1 - s - 1),
        (
            "the 1 is taken off above: after the division",
            lambda b, s: (s - s * b - 1) / (b - b * s),
        ),
        (
            "the 1 is taken off below: after the division",
            lambda b, s: (s - s * b) / (b - b * s - 1),
        ),
        ("the rest is left out, and 1 is not taken off", lambda b, s: s / b),
        (
            "one over a share is not its inverse: solve for α",
            lambda b, s: (1 + s * b) / ((1 + s) * b),
        ),
        ("above the bar: s·(1 - b) - b·(1 - s) is s - b", lambda b, s: (s - 1 + b) / (b - b * s)),
        ("200 is written in", lambda b, s: 200),
        ("this is a share: its inverse is asked for", lambda b, s: (1 + s) * b / (1 + s * b)),
        ("s is a share, not per cent", lambda b, s: s * (1 - b) / (b * (100 - s)) - 1),
    ):
        yield [formula(b, s) for b, s in cases], words
    yield from mistaken(act, _OVER, _UNDER, _OFF)
