"""Known mistakes in the exercises of lesson 15: what each of them gives, and what to say of it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coursekit.checks.common import Kinds
    from coursekit.synthfaces import Style

    Mistakes = list[tuple[Any, str]]


def _half_wave(angle: NDArray[Any]) -> NDArray[Any]:
    """From 1 at 0 to 0 at 1, along a cosine; the angle is in units of π."""
    return (1 + np.cos(np.pi * angle)) / 2


def rates(steps: int, rise: float) -> NDArray[Any]:
    """The rate of each step, as a share of the highest: a line up, then half a cosine."""
    t = np.arange(steps)
    return np.where(t < rise, (t + 1) / (rise + 1), _half_wave((t - rise) / (steps - rise)))


def mistimed(steps: int, rise: float) -> Mistakes:
    """Whole schedules that are not `rates`."""
    t = np.arange(steps)
    up, right, warmup = (t + 1) / (rise + 1), rates(steps, rise), rise / steps
    down, late = _half_wave((t - rise) / (steps - rise)), _half_wave(t / steps)
    others = {rise - 1, rise + 1, 100 * warmup, steps / warmup, 4 * warmup}
    return [
        (late, "the warm-up has no effect"),
        (down, "the warm-up has no effect"),
        (right / 4, "highest has no effect"),
        (right[::-1], "the schedule runs backwards"),
        (np.where(t < rise, down, up), "the cases are exchanged: first the line, while t < r"),
        (np.minimum(up, 1) * late, "not a product: the cosine begins where the line has ended"),
        (rates(steps, warmup), "warmup is a share of all steps: multiply it by steps"),
        (rates(steps, warmup * (steps - 1)), "r is a share of T, not of T - 1"),
        *((rates(steps, r), f"r is {r:.3g} here, expected: warmup · T = {rise:g}") for r in others),
    ]


def misled_up(steps: int, rise: float) -> Mistakes:
    """Other lines than the warm-up's; only the steps before the rise's end count."""
    t = np.arange(steps)
    up = (t + 1) / (rise + 1)
    early = "the line is at the highest rate one step too early: divide by r + 1"
    return [
        ((t + 1) / rise, early),
        (t / (rise + 1), "step 0 has the rate 0: t + 1, not t"),
        (t / rise, "step 0 has the rate 0: t + 1 over r + 1"),
        (up / 4, "the line lacks the factor highest"),
        (1 - up, "the line falls: it should rise"),
        ((t + 1) / rise + 1 / 4, "the line divides by r alone: put r + 1 in brackets"),
        ((t + 1) / rise + 1 / (rise + 1), "the line divides by r + 1, all of it: use brackets"),
        ((t + 1) / (steps + 1), "the line divides by T + 1: it is at the top at t = r"),
        ((t + 1) / steps, "the line divides by T: it is at the top at t = r, so by r + 1"),
        (t / steps, "the line divides by T, and step 0 has the rate 0: t + 1 over r + 1"),
        ((t + 1) * rise / steps, "the line is multiplied by warmup: divide by r + 1"),
        (up**2, "the line is a curve here: no square"),
        (4 * up // 1 / 4, "the line is rounded down: `/`, not `//`"),
        (np.ones(steps), "the highest rate at once: it should rise in a line"),
        ((t + 1) / (rise / steps + 1), "the line divides by warmup + 1: divide by r + 1"),
        (_half_wave(1 - up), "the warm-up is a straight line, no cosine"),
        (
            np.where(t < rise / steps, up, _half_wave((t - rise) / (steps - rise))),
            "the cosine comes too early: the line is for step < r, not for step < warmup",
        ),
    ]


def misled_down(steps: int, rise: float) -> Mistakes:
    """Other ends than half a cosine; only the steps after the warm-up count."""
    t = np.arange(steps)
    share = (t - rise) / (steps - rise)
    down = _half_wave(share)
    length = "the rate ends above 0: divide by T - r, not by T"
    return [
        (_half_wave(t / steps), "the cosine counts from the end of the warm-up: t - r over T - r"),
        (_half_wave((t + 1 - rise) / (steps - rise)), "a step ahead: t - r, without + 1"),
        (_half_wave((t + 1 - rise) / (steps + 1 - rise)), "a step ahead: no + 1 in the cosine"),
        (_half_wave((t + 1 - rise) / (steps - 1 - rise)), "a step ahead: no + 1 in the cosine"),
        (_half_wave(share / np.pi), "the angle lacks π: it goes from 0 to π, not to 1"),
        ((1 - share) / 2, "the share stands outside of the cosine: put it beside π, in brackets"),
        (1 + (2 * down - 1) / 2, "only the cosine is halved: halve all of 1 + cos"),
        (np.maximum(2 * down - 1, 0), "cut off at 0: it is 1 + cos, and the half of it"),
        (down**2, "the cosine is squared: no square"),
        (_half_wave((t - rise) / steps), length),
        (_half_wave((t - rise) / (steps + rise)), f"{length} + r"),
        (_half_wave((t - rise) / (steps - 1 - rise)), "the cosine is 0 at t = T, not at T - 1"),
        (_half_wave(t / (steps - rise)), "the cosine begins at t = r: t - r in the angle"),
        (_half_wave((t - rise) / steps - rise / np.pi), "put T - r in brackets"),
        (down / 4, "the cosine lacks the factor highest"),
        (1 / 2 + (2 * down - 1) / 4, "put 1 + cos in brackets, and halve all of it"),
        (2 * down, "after the warm-up the rate jumps to twice the highest: halve the bracket"),
        (2 * down - 1, "the rate falls below 0: 1 + cos, and the half of it"),
        (np.cos(np.pi * share / 2), "a quarter of a wave: the angle goes to π, and halve 1 + cos"),
        (_half_wave(share / 2), "the rate ends at the half: the angle goes to π, not to π/2"),
        (_half_wave(2 * share), "the rate rises again: the angle goes to π, not 2π"),
        (_half_wave(180 / np.pi * share), "the cosine takes radians: π, not 180"),
        ((1 + np.sin(np.pi * share)) / 2, "this is a sine: a cosine begins at the top"),
        (1 - share, "the rest is a straight line here, expected: half a cosine"),
        (np.ones(steps), "after the warm-up the rate stays: let it fall along the cosine"),
        (1 - down, "it rises again: 1 + cos (not 1 - cos) of an angle that grows from 0 to π"),
        (1 / (4 * down), "the bracket stands below the bar: `highest / 2 * (1 + …)`"),
        (_half_wave(np.pi * (t - rise) // (steps - rise) / np.pi), "the angle is rounded: no `//`"),
    ]  # fmt: skip


def miscompared(scores: NDArray[Any]) -> list[tuple[int, Any, str]]:
    """Rows (from 0) that are not those of `effects`, from scores (4, seeds)."""
    none, a, b, both = scores
    alone, other, top, mixed = a - none, b - none, both - b, both - b - a + none
    whole, within = scores.astype(int), "subtract within each seed, not a mean over the seeds"
    points, together = "points, not a share of s0: subtract, and divide by nothing", "both bring"
    return [
        (0, other, "a and b are swapped"), (0, a, "this is a score: subtract s0"),
        (0, none, "these are the four scores: each row is a difference of them"),
        (0, top, "the first row is a *alone*: without b"),
        (0, -alone, "a alone: the sign, with minus without"), (1, -other, "b alone: the sign"),
        (0, a - b, "a alone is compared with neither: subtract s0, not b"),
        (0, a - none.mean(), within), (1, b - none.mean(), within),
        (0, alone / none, points), (0, 100 * alone / none, points), (1, other / none, points),
        (0, (alone + top) / 2, "this is the mean of a alone and a on top of b: a alone"),
        (0, whole[1] - whole[0], "the scores lost their fractions: no whole numbers"),
        (1, b - a, "b alone is compared with neither: subtract s0, not a"),
        (1, b, "the second row is a score: subtract s0"),
        (1, alone, "the second row is b alone"), (1, other.mean() + 0 * b, within),
        (1, both - a, "the second row is b *alone*: without a"),
        (2, both - a, "this is b on top of a; the third row is a on top of b: both minus b"),
        (2, both - none, f"this is what {together} together: a on top of b is both minus b"),
        (2, both - a - b, "a has no place in the third row: both minus b"),
        (2, a - b, "both is missing in the third row: both minus b"),
        (2, top / b, points.replace("s0", "b")), (2, both, "the third row is a score: subtract b"),
        (2, -top, "the sign: it is both minus b"), (2, mixed, "the last two rows are exchanged"),
        (2, both - none - b, "s0 has no place in the third row: both minus b"),
        (2, (2 * both - a - b) / 2, "this is the mean of both orders: a on top of b alone"),
        (3, -mixed, "the interaction's sign: on top of b minus alone"),
        (3, abs(mixed), "the interaction may be below 0: keep the sign"),
        (3, both - a - b, "the interaction lacks s0"),
        (3, both - a - b - none, "s0 comes with a plus"),
        (3, both - a - b + 2 * none, "s0 comes once: (sab - sb) - (sa - s0)"),
        (3, both - none, f"what {together} together: the interaction is more than the sum"),
        (3, both - a, "this is b on top of a: subtract a gain from it, b alone"),
        (3, top, "this is a on top of b again: subtract a alone from it"),
        (3, both - np.maximum(a, b), "compare with the sum of both gains, not with the better"),
        (3, both - (a + b) / 2, "scores are not gains: subtract s0 from each first"),
        (3, alone + other, "this is the sum of both gains: how much more is it together?"),
        (3, top / alone, "differences, not ratios"),
        (3, top - none, "subtract the gain of a alone, not the score s0"),
        (3, mixed / 2, "half of the interaction: no half here"),
        (3, alone * other, "it is no product"),
        (3, both / a - b / none, "differences, not ratios"), (3, mixed.mean() + 0 * a, within),
        (3, top - other, "a on top of b minus *b* alone: compare with a alone"),
        *((row, abs(each), "a change may do harm: keep the sign")
          for row, each in enumerate((alone, other, top)) if (each < 0).any()),
        *_combined(scores),
    ]  # fmt: skip


def _combined(scores: NDArray[Any]) -> list[tuple[int, Any, str]]:
    """All sums and differences of the scores that a row might be, but for the right one."""
    right = ("sa - s0", "sb - s0", "sab - sb", "sab - sb - sa + s0")
    rows = ("a alone", "b alone", "a on top of b", "the interaction")
    found = []
    for signs in product((0, 1, -1), repeat=4):
        terms = sorted(zip(signs, ("s0", "sa", "sb", "sab"), strict=True), reverse=True)
        said = " ".join(f"{'+' if sign > 0 else '-'} {name}" for sign, name in terms if sign)
        value = sum(sign * each for sign, each in zip(signs, scores, strict=True))
        for row, (what, wanted) in enumerate(zip(rows, right, strict=True)):
            found.append((row, value, f"{what} is {wanted}, not {said.removeprefix('+ ')}"))
    exact = [scores[1] - scores[0], scores[2] - scores[0], scores[3] - scores[2]]
    exact.append(exact[2] - exact[0])
    return [one for one in found if not np.allclose(one[1], exact[one[0]])]


def misshapen(shape: tuple[int, ...], seeds: int) -> str:
    """What is wrong with the shape of effects, in words; "" if nothing is, or it is not known."""
    if shape == (4 * seeds,):
        return "the rows are laid end to end: `np.stack` lays them one above the other"
    if len(shape) == 2 and shape[1] == seeds and shape[0] != 4:
        return f"there are four effects, a row for each: here are {shape[0]} rows"
    if shape in ((), (4,)):
        return "each seed has effects of its own: no mean, and one list of the four rows"
    return ""


#: Exceptions in `only` and `all_but`, what they say, and what is behind them.
UNMIXED: tuple[tuple[Kinds, str, str], ...] = (
    (AttributeError, "cannot assign to field", "a Style is frozen: use replace"),
    (
        TypeError,
        r"replace\(\) takes 1 positional",
        "two stars make named arguments of a dict: `replace(style, **{name: value, …})`",
    ),
    (TypeError, "must be a mapping", "two stars want names and values: a dict, `{name: value}`"),
    (
        TypeError,
        r"shifted\(\) (missing|takes)",
        "`style.shifted(amount)`: of the style that is given, and by the amount alone",
    ),
    (
        TypeError,
        "keyword argument 'name'",
        'no field is called "name": `**{name: value}`, without quotes, puts in what it stands for',
    ),
    (
        TypeError,
        "unexpected keyword",
        "a Style has no such field: `**{name: getattr(style, name) for name in fields}`",
    ),
    (TypeError, "keywords must be strings", "the names in `fields` come one by one, in a loop"),
    (
        TypeError,
        "name must be string",
        "`getattr(style, name)`: the style first, then one name of `fields`",
    ),
    (
        AttributeError,
        "'Style' object has no attribute '.'$",
        "a text is gone through letter by letter: `for name in fields`",
    ),
    (
        TypeError,
        "subscript",
        "a Style has no places in brackets: `getattr(style, name)` is the field of that name",
    ),
    (
        AttributeError,
        "attribute 'name",
        "`name` is a variable: use getattr(style, name), without quotes",
    ),
    (
        KeyError,
        "'",
        "fields are the names themselves, whichever they are: go through them",
    ),
)


def mismixed(
    start: Style, amount: float, names: tuple[str, ...], backwards: bool
) -> list[tuple[dict[str, float], str]]:
    """Fields of styles that are not `only` (or, backwards, `all_but`) these names."""
    style = type(start)
    before, harder, twice = (
        vars(each) for each in (start, start.shifted(amount), start.shifted(amount).shifted(amount))
    )
    base, taken = (harder, before) if backwards else (before, harder)
    plain, worse = vars(style()), vars(style().shifted(amount))
    others, given = (plain, worse) if backwards else (worse, plain)

    def put(most: dict[str, float], rest: dict[str, float]) -> dict[str, float]:
        return most | {name: rest[name] for name in names}

    def made(change: Any) -> dict[str, float]:
        return base | {name: change(name) for name in names}

    worst, given_style = vars(style().shifted(1)), "use `style.shifted(amount)`, of the style given"
    end, turned = vars(start.shifted(1)), "use the argument amount, as it is"
    if backwards:
        turned = "start from the shifted style, and put these fields back"
    return [
        (put(taken, base), "the wrong fields moved; this is what the other function should give"),
        (base, "the fields have no effect"),
        (taken, "every field moved, not these alone"),
        (base | {names[-1]: taken[names[-1]]}, "only the last field was set: keep each round's"),
        (taken | {names[-1]: base[names[-1]]}, "each round starts anew, and from the wrong style"),
        (base | {names[0]: taken[names[0]]}, "only the first field: a return inside the loop?"),
        (put(base, others), "these fields come from Style(): use the style you were given"),
        (put(given, taken), "the others come from Style(): start from the style you were given"),
        (put(before, end), "use the argument amount"),
        (put(end, before), "use the argument amount"),
        (put(base, twice), "shifted twice: take `style.shifted(amount)` once"),
        (base | {n: amount * worst[n] + (1 - amount) * before[n] for n in names}, given_style),
        (base | {n: worst[n] for n in names}, given_style),
        (put(vars(start.shifted(1 - amount)), before), "use the argument amount, as it is"),
        (put(before, vars(start.shifted(-amount))), turned),
        (put(before, vars(start.shifted(1 - amount))), turned),
        (made(lambda name: before[name] + harder[name]), "the values are added: take one of them"),
        (made(lambda name: harder[name] - before[name]), "a difference: take the value itself"),
        (made(lambda name: amount), "the fields have the value of amount: take the other style's"),
        (made(lambda name: amount * before[name]), "scaled: take the other style's value"),
        (made(lambda name: 0.0), "the fields are 0: take the other style's values"),
    ]  # fmt: skip
