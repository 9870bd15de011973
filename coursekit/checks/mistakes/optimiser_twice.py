"""Two known mistakes at a time in lesson 07's steps and its cosine."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from coursekit.checks.mistakes.questions import Way

    Mistakes = Iterator[tuple[Tensor, str]]

# In all of these w is the weight and g the gradient; the decay is 0.3 and the rate 0.2.
_LOUD = "the decay's loss is λ/2 · w², but its gradient λ w: no norm, no sum"
_PULL: list[Way] = [
    (lambda w, g: g + 0.3 * w, ""),
    (lambda w, g: g, "weight_decay has no effect"),
    (lambda w, g: g - 0.3 * w, "weight decay pushes away from zero: mind its sign"),
    (lambda w, g: 0.3 * w - g, "the gradient has the wrong sign: g + λ w"),
    (lambda w, g: g + 0.15 * w, "you halved the decay: the gradient of λ/2 · w² is λ w"),
    (lambda w, g: g + 0.6 * w, "the decay is doubled: the gradient of λ/2 · w² is λ w"),
    (lambda w, g: g + 0.3 * w**2, "the gradient of λ/2 · w² is λ w, not its square"),
    (lambda w, g: g + 0.15 * w**2, "that is the decay's loss: its gradient is λ w"),
    (lambda w, g: g + 0.3 * w.norm(), _LOUD),
    (lambda w, g: g + 0.15 * w.norm() ** 2, _LOUD),
    (lambda w, g: g + 0.3 * w.norm() ** 2, _LOUD),
    (lambda w, g: g + 0.3, "λ alone joins the gradient: it is λ w"),
    (lambda w, g: 1.3 * g, "the decay is a share of the weight, not of the gradient"),
    (lambda w, g: 0.3 * (g + w), "λ stands at the gradient, too: g + λ w"),
    (lambda w, g: g + 0.06 * w, "the rate stands in the decay: λ w joins the gradient as it is"),
    (lambda w, g: 0.3 * g + w, "λ stands at the gradient: g + λ w"),
    (lambda w, g: g * 0.3 * w, "the decay is added to the gradient: g + λ w, no product"),
]
_FEW = 6  # of these are tried with Adam, too, which has more to be mistaken in
_VELOCITY: list[Way] = [
    (lambda u, p: 0.6 * u + p, ""),
    (lambda u, p: p, "the old velocity has no effect: momentum · velocity + g̃"),
    (lambda u, p: 0.6 * u - p, "the gradient joins the velocity: momentum · velocity + g̃"),
    (lambda u, p: p - 0.6 * u, "the old velocity is added: momentum · velocity + g̃"),
    (lambda u, p: u + 0.6 * p, "momentum stands at the gradient: it shrinks the old velocity"),
    (lambda u, p: 0.6 * (u + p), "momentum shrinks the old velocity, not the gradient"),
    (lambda u, p: u + p, "momentum is missing: momentum · velocity + g̃"),
    (lambda u, p: 0.5 * u + p, "momentum is always 0.5: use the argument"),
    (lambda u, p: 0.9 * u + p, "momentum is always 0.9: use the argument"),
    (lambda u, p: 0.6 * u + 0.4 * p, "that is a mean: there is no (1 - momentum) here"),
    (lambda u, p: 0.4 * u + 0.6 * p, "that is a mean: there is no (1 - momentum) here"),
    (lambda u, p: 0.4 * u + p, "the old velocity is kept by momentum, not by 1 - momentum"),
    (lambda u, p: 0.6 * u + 0.2 * p, "the rate stands in the velocity: it stands outside"),
    (lambda u, p: 0.6 * u - 0.2 * p, "the rate stands in the velocity: it stands outside"),
    (lambda u, p: 0.6 + u + p, "momentum is a factor: momentum · velocity + g̃"),
    (lambda u, p: 0.6 * p + p, "momentum shrinks the old velocity: it has no share here"),
    (lambda u, p: u, "the velocity that moves it is the old one: make the new one first"),
]
_MOVE: list[Way] = [
    (lambda w, v: w - 0.2 * v, ""),
    (lambda w, v: w + 0.2 * v, "the step goes uphill: subtract it"),
    (lambda w, v: w - v, "the rate is missing in the step: rate · velocity"),
    (lambda w, v: w + v, "the velocity is added as it is: subtract rate · velocity"),
    (lambda w, v: 0.2 * v - w, "the two sides of the minus have changed places"),
    (lambda w, v: w - 0.04 * v, "the rate is there twice"),
    (lambda w, v: w - 0.2 * 0.6 * v, "momentum stands in the step, too: it is rate · velocity"),
    (lambda w, v: (w - v) * 0.2, "a bracket is wrong: rate · velocity, and the weight as it is"),
    (lambda w, v: 0.2 * v, "the step was given back: subtract it from the weight"),
]


def misstepped_twice(w: Tensor, g: Tensor, u: Tensor) -> Mistakes:
    """New weights at rate 0.2, momentum 0.6, decay 0.3, with two mistakes of this lesson."""

    def act(pull: Any, velocity: Any, move: Any) -> Tensor:
        moved: Tensor = move(w, velocity(u, pull(w, g)))
        return moved

    yield from mistaken(act, _PULL, _VELOCITY, _MOVE)


def _means(beta: float, other: float, usual: float, letter: str) -> list[Way]:
    """Of the old mean and what is new: the new one."""
    return [
        (lambda old, new: beta * old + (1 - beta) * new, ""),
        (
            lambda old, new: usual * old + (1 - usual) * new,
            f"betas have no effect on {letter}: {usual} is written in",
        ),
        (
            lambda old, new: other * old + (1 - other) * new,
            f"in {letter} stands the other beta: β₁ belongs to m and β₂ to v",
        ),
        (
            lambda old, new: (1 - beta) * old + beta * new,
            f"in {letter}, β and 1 - β have changed places",
        ),
        (
            lambda old, new: beta * old + new,
            f"in {letter}, what is new counts in full: 1 - β is missing",
        ),
        (
            lambda old, new: beta * old + 1 - beta * new,
            f"in {letter}, brackets are missing: (1 - β) is one factor",
        ),
        (
            lambda old, new: beta * old + beta * new,
            f"in {letter}, what is new has the factor 1 - β, not β",
        ),
        (lambda old, new: old + (1 - beta) * new, f"in {letter}, β is missing at the old mean"),
        (lambda old, new: (1 - beta) * new, f"in {letter}, the old mean is missing"),
    ]


_SQUARE: list[Way] = [
    (lambda p, g, m: p**2, ""),
    (lambda p, g, m: p, "v is the mean of the *squared* gradient"),
    (lambda p, g, m: g**2, "the decay goes into m only: it belongs into both means"),
    (lambda p, g, m: m**2, "v takes the square of m: square the gradient"),
    (lambda p, g, m: p.square().sum(), "each weight has a v of its own: no sum over the weights"),
]
_TIMES: list[Way] = [
    (lambda a, b: (1 - a**3, 1 - b**3), ""),
    (lambda a, b: (1.0, 1.0), "no bias correction: divide m by 1 - β₁ᵗ and v by 1 - β₂ᵗ"),
    (lambda a, b: (1 - a**3, 1.0), "only m is corrected: divide v by 1 - β₂ᵗ, too"),
    (lambda a, b: (1.0, 1 - b**3), "only v is corrected: divide m by 1 - β₁ᵗ, too"),
    (lambda a, b: (1 - a**4, 1 - b**4), "the first step is t = 1 already: β ** t"),
    (lambda a, b: (1 - a**2, 1 - b**2), "the first step is t = 1: β ** t, not β ** (t - 1)"),
    (lambda a, b: (1 - a, 1 - b), "t has no effect: the corrections are 1 - β ** t"),
    (lambda a, b: (1 - a**3, 1 - a**3), "v is corrected with β₁: β₂ belongs to v"),
    (lambda a, b: (1 - b**3, 1 - a**3), "m is corrected by β₁ and v by β₂"),
    (lambda a, b: ((1 - a) ** 3, (1 - b) ** 3), "(1 - β) ** t is another number than 1 - β ** t"),
    (lambda a, b: (1 - a**3, (1 - b) ** 3), "(1 - β₂) ** t is another number than 1 - β₂ ** t"),
    (lambda a, b: (a**3, b**3), "divide by 1 - β ** t, not by β ** t"),
    (lambda a, b: (1 - 3 * a, 1 - 3 * b), "β is raised to t, and not multiplied by it"),
    (
        lambda a, b: (1 - 0.9**3, 1 - 0.999**3),
        "betas have no effect on the corrections: 0.9 and 0.999 are written in",
    ),
]
_UPDATE: list[Way] = [
    (lambda w, m, v: w - 0.2 * m / (v.sqrt() + 0.05), ""),
    (lambda w, m, v: w + 0.2 * m / (v.sqrt() + 0.05), "the step goes uphill: subtract it"),
    (lambda w, m, v: w - m / (v.sqrt() + 0.05), "the rate is missing in the step"),
    (lambda w, m, v: w - 0.2 * m / (v + 0.05), "divided by v̂ itself: take its root"),
    (lambda w, m, v: w - 0.2 * m / (v + 0.05).sqrt(), "ε stands under the root: add it afterwards"),
    (lambda w, m, v: w - 0.2 * m / v.sqrt(), "eps has no effect: add the argument to the root"),
    (
        lambda w, m, v: w - 0.2 * m / v.sqrt() + 0.05,
        "ε is added to the root, below the fraction line",
    ),
    (lambda w, m, v: w - 0.04 * m / (v.sqrt() + 0.05), "the rate is there twice"),
    (lambda w, m, v: w - 0.2 * m / (v + 0.05) ** 2, "v̂ is squared below: take its root"),
    (lambda w, m, v: w - 0.2 * m / (v**2 + 0.05), "v̂ is squared below: take its root"),
    (
        lambda w, m, v: w - 0.2 * m / (v.sqrt() + 0.05).norm(),
        "below the fraction line each weight has its own number: no norm",
    ),
    (lambda w, m, v: w - 0.2 * m, "v̂ has no effect: the step is divided by its root"),
    (
        lambda w, m, v: w - 0.06 * w - 0.2 * m / (v.sqrt() + 0.05),
        "the decay shrinks the weight directly, as in AdamW: it is part of the gradient",
    ),
]


def misadapted_twice(w: Tensor, g: Tensor, m: Tensor) -> Mistakes:
    """New weights of a third step of Adam from m and m², with two mistakes of this lesson."""

    def act(pull: Any, mean: Any, square: Any, spread: Any, times: Any, update: Any) -> Tensor:
        p = pull(w, g)
        new = mean(m, p)
        v = spread(m**2, square(p, g, new))
        one, two = times(0.7, 0.9)
        moved: Tensor = update(w, new / one, v / two)
        return moved

    means = _means(0.7, 0.9, 0.95, "m"), _means(0.9, 0.7, 0.999, "v")
    written = "betas have no effect, 0.9 and 0.999 are written in: betas[0] and betas[1]"
    for times in (_TIMES[0][0], _TIMES[-1][0]):
        yield (
            act(_PULL[0][0], means[0][1][0], _SQUARE[0][0], means[1][1][0], times, _UPDATE[0][0]),
            written,
        )
    both = "brackets are missing in both means: (1 - β) is one factor"
    yield (
        act(
            _PULL[0][0], means[0][4][0], _SQUARE[0][0], means[1][4][0], _TIMES[0][0], _UPDATE[0][0]
        ),
        both,
    )
    yield from mistaken(act, _PULL[:_FEW], means[0], _SQUARE, means[1], _TIMES, _UPDATE)


_ANGLES: list[Way] = [
    (lambda t, turn: turn(math.pi * t / 10), ""),
    (lambda t, turn: turn(t / 10), "there is no π: a half turn in T epochs"),
    (lambda t, turn: turn(2 * math.pi * t / 10), "a whole turn in T epochs: π, not 2π"),
    (lambda t, turn: turn(math.pi * t / 20), "half of the angle: π t / T"),
    (lambda t, turn: turn(18.0 * t), "math.cos takes radians: a half turn is math.pi"),
    (lambda t, turn: turn(math.pi * t) / 10, "T divides the angle, not the cosine: cos(π t / T)"),
    (lambda t, turn: turn(math.pi) * t / 10, "π t / T stands inside the cosine, all of it"),
    (lambda t, turn: turn(math.pi * min(t, 10) / 10), "after T it goes on: no end, no `min`"),
    (lambda t, turn: turn(math.pi * (t % 10) / 10), "it starts again at T: Eq. 4 knows no jump"),
    (lambda t, turn: turn(math.pi * (t + 1) / 10), "t = 0 is l_max itself: do not add 1"),
    (lambda t, turn: turn(math.pi * (t // 10)), "t // T is a whole number: divide with /"),
]
_TURNS: list[Way] = [
    (math.cos, ""),
    (math.sin, "that is a sine: it starts at l_max by a cosine"),
    (lambda a: -math.cos(a), "1 *plus* the cosine: it falls from l_max"),
]
_FORMS: list[Way] = [
    (lambda c: 1 + 1.5 * (1 + c), ""),
    (lambda c: 1 + 3 * (1 + c), "the half is missing"),
    (lambda c: 1 + 0.75 * (1 + c), "one half, not a quarter"),
    (lambda c: 1 + 1.5 * c, "1 is added to the cosine"),
    (lambda c: 1 + 3 * c, "1 is added to the cosine, and half of that taken"),
    (lambda c: 1.5 * (1 + c), "l_min is added"),
    (lambda c: 3 * (1 + c), "l_min is added, and the half is missing"),
    (lambda c: 2 * (1 + c), "the cosine spans l_max - l_min, and l_min is added"),
    (lambda c: 1 + 2.5 * (1 + c), "the bracket is l_max *minus* l_min"),
    (lambda c: 1 - 1.5 * (1 + c), "l_max minus l_min, not l_min - l_max"),
    (lambda c: 2.5 + c, "brackets are missing: (1 + cos) is one factor"),
    (lambda c: 4 + 1.5 * (1 + c), "l_min is added, not l_max"),
]


def off_twice() -> Iterator[tuple[list[float], str]]:
    """24 epochs of Eq. 4 with T = 10, from 4 to 1, with two mistakes of this lesson."""

    def act(angle: Any, turn: Any, form: Any) -> list[float]:
        return [form(angle(t, turn)) for t in range(24)]

    yield from mistaken(act, _ANGLES, _TURNS, _FORMS)
