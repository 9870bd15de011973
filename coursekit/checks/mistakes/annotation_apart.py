"""Where an answer to lesson 13 leaves the right way, when its mistake is none of the known ones.

Each function asks the answer a few small questions, whose results can be told by heart.
"""

from __future__ import annotations

from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.comparing import alike
from coursekit.checks.mistakes.annotation import fused, lid
from coursekit.checks.mistakes.annotation_points import asked, error
from coursekit.checks.mistakes.named import listed, numbers, tried

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Parts = Sequence[tuple[int, NDArray[np.bool_]]]

#: What may become of the corners (-1, 0) and (1, 0), and what it asks for.
_MOVES = {
    "turned (A)": lambda p: p @ np.array([[0.6, 0.8], [-0.8, 0.6]]),
    "nearer or farther apart (s)": lambda p: 3 * p,
    "anywhere else (c)": lambda p: p + np.array([5.0, -2.0]),
}


def off_curve(
    answer: Callable[..., Any], got: Any, points: Any, start: Any, end: Any, x: Any
) -> str:
    """What is wrong with a curve (M, 2), in words, seen in the pose."""
    middle, half = (start + end) / 2, (end - start) / 2
    turn = np.array([half, [-half[1], half[0]]]) / (half @ half)
    u, v = ((points - middle) @ turn.T).T
    some, left, right = np.stack([u, v], 1), np.array([-1.0, 0.0]), np.array([1.0, 0.0])
    posed = tried(answer, some, left, right, x)
    if posed is None or posed.shape != (len(x), 2):
        return "expected: a point for each x, on the parabola through both corners"
    if not alike(posed, lid(some, left, right, x)):
        told = _off_fit(answer, posed, u, v, x)
        return f"with corners at (-1, 0) and (1, 0), where nothing moves, {told}"
    for number in (1, 2, 3):
        wrong = []
        for chosen in combinations(_MOVES, number):
            given = [some, left, right]
            for name in chosen:
                given = [_MOVES[name](p) for p in given]
            if not alike(tried(answer, *given, x), lid(given[0], given[1], given[2], x)):
                wrong.append(" and ".join(chosen))
        if wrong:
            return (
                "the fit is right with corners at (-1, 0) and (1, 0), and goes wrong once they are "
                f"{', or '.join(wrong)}: the way into the pose, or back"
            )
    return f"expected: the parabola through {numbers(start)} and {numbers(end)}"


def _off_fit(answer: Callable[..., Any], posed: Any, u: Any, v: Any, x: Any) -> str:
    """What is wrong with a curve whose corners are those of the pose."""
    bump = 1 - np.square(x)
    if not np.allclose(posed[:, 0], x):
        return f"the first column is {numbers(posed[:, 0])}; expected: x itself, {numbers(x)}"
    if not np.allclose(posed[:, 1], bump * (bump @ posed[:, 1]) / (bump @ bump)):
        return "the second column is no h (1 - x²): that is 0 at both corners, h in the middle"
    corners = np.array([-1.0, 0.0]), np.array([1.0, 0.0])

    def height(v: Any) -> float:
        made = tried(answer, np.stack([u, v], 1), *corners, np.zeros(1))
        return float(made.ravel()[-1]) if made is not None and made.size else np.nan

    counts, b = [height(unit) for unit in np.eye(len(u))], 1 - np.square(u)
    if not np.isclose(counts @ v, height(v)):
        return (
            "h is no sum of the v, each times b / Σ b²: do c, s and A come from the corners alone, "
            "and h from u and v, with b = 1 - u²?"
        )
    return (
        f"the curve is h (1 - x²), and in h the points' v count {numbers(counts)}; "
        f"expected: b / Σ b² with b = 1 - u², {numbers(b / (b @ b))}"
    )


_LAYERS = {
    "skin": (1, 1),
    "glasses": (3, 1),
    "hair": (2, 10),
    "background": (0, 0),
}


def _painted(order: Sequence[str], regions: NDArray[Any], parts: Parts) -> NDArray[Any]:
    found = np.zeros(regions.shape, int)
    for layer in order:
        if layer == "parts":
            for label, mask in parts:
                found[mask] = label
        else:
            region, label = _LAYERS[layer]
            found[regions == region] = label
    return found


def off_map(got: Any, regions: NDArray[Any], parts: Parts) -> str:
    """Where a label map is wrong, in words."""
    if got.dtype == bool:
        return "an array of True and False holds no classes: `np.uint8`"
    over = np.sum([np.zeros(regions.shape, int), *(mask for _, mask in parts)], axis=0)
    wrong = []
    for layer, (region, label) in _LAYERS.items():
        held = np.unique(got[(regions == region) & ((over == 0) | (region != 1))])
        if len(held) == 1 and held[0] != label:
            wrong.append(f"{layer} (region {region}) gets {held[0]}, expected: {label}")
    for label, mask in parts:
        held = np.unique(got[mask & (over == 1) & (regions == 1)])
        if not wrong and len(held) == 1 and held[0] not in (label, 1):
            wrong.append(f"the part {label} gets {held[0]}, where nothing else is: its own id")
    if len(wrong) < 4 and wrong:
        return "; ".join(wrong)
    return _off_order(got, regions, parts) or _off_pixels(got, regions, over, fused(regions, parts))


def _off_order(got: Any, regions: NDArray[Any], parts: Parts) -> str:
    """In which other order the layers were painted; "" when in none."""
    taken = {
        "parts": parts,
        "parts but the first": parts[1:],
        "parts but the last": parts[:-1],
        "the first part (does a `return` stand in the loop?)": parts[:1],
        "the last part": parts[-1:],
        "the parts turned round": parts[::-1],
    }
    for number in range(1, 6):
        for order in permutations(("parts", *_LAYERS), number):
            for words, some in taken.items():
                if np.array_equal(_painted(order, regions, some), got):
                    way = ", ".join(words if layer == "parts" else layer for layer in order)
                    right = "skin, parts, glasses (as skin), hair, background"
                    return f"this is painted so: {way}; expected: {right}"
    return ""


def _off_pixels(got: Any, regions: NDArray[Any], over: NDArray[Any], right: Any) -> str:
    """Where pixels are wrong, when neither an id nor the order explains it."""
    for where, words in (
        ((regions == 1) & (over == 0), "expected: 1 where there is skin and no part"),
        ((regions == 1) & (over > 1), "where parts overlap, expected: the later one of the list"),
        ((regions == 1) & (over == 1), "expected on the skin: a part's own id, where its mask is"),
        (regions == 2, "expected: 10 wherever there is hair, whatever lies below it"),
        (regions == 3, "expected: 1 wherever there are glasses, whatever lies below them"),
        (regions == 0, "expected: 0 outside of the head, whatever lies there"),
    ):
        wrong = where & (got != right)
        if wrong.any():
            found = listed(str(v) for v in np.unique(got[wrong])[:4])
            return f"{words}; {wrong.sum()} of {where.sum()} such pixels hold {found}"
    return "expected: skin, parts, glasses as skin, hair, background"


#: Guesses of four members along one axis.
_E, _F, _ZERO = np.array([-1.0, 1, -1, 1]), np.array([-1.0, -1, 1, 1]), np.zeros(4)
_FAR = np.array([0.0, 0, 0, 4])
_BOTH = "guesses that differ in x and in y at once", "square x and y, then add them"
#: Two points each, the first more uncertain (x and y of its guesses, and the other's), and why.
_PAIRS = (
    ((2 * _E, _ZERO), (_E, _ZERO), "guesses twice as far apart", "the larger spread first"),
    ((_ZERO, 1.2 * _E), (_E, _ZERO), "guesses farther apart, in y", "y counts as x does"),
    ((1.2 * _E, _ZERO), (_ZERO, _E), "guesses farther apart, in x", "y counts as x does"),
    (
        (2 * _E + 3, _ZERO + 3),
        (_E + 90, _ZERO + 90),
        "guesses farther apart, nearer to the picture's corner",
        "subtract the committee's mean of each point",
    ),
    ((_E, _F), (1.2 * _E, _ZERO), *_BOTH),
    ((_E, -_E), (1.2 * _E, _ZERO), *_BOTH),
    ((_E, _E), (1.2 * _E, _ZERO), *_BOTH),
    (
        (_FAR, _ZERO),
        (1.6 * _E, _ZERO),
        "one member far from the three others",
        "distances are squared, and all members count",
    ),
    (
        (1.8 * _E, _ZERO),
        (_FAR, _ZERO),
        "all members somewhat apart, but one where three agree and one is far",
        "squares, no higher power, and their mean over all members",
    ),
)


def off_order(answer: Callable[..., Any], got: Any, guesses: NDArray[Any], count: int) -> str:
    """What is wrong with a choice of points, in words."""
    right, spread = asked(guesses, count), np.sqrt(guesses.var(0).sum(-1))
    got = np.asarray(got)
    if got.shape != right.shape or not np.isin(got, np.arange(len(spread))).all():
        return f"expected: {count} numbers of points, 0 to {len(spread) - 1}, as of `np.argsort`"
    if len(set(got.tolist())) < count:
        return "a point is asked for twice; expected: each number once, `np.argsort`"
    for first, other, what, rule in _PAIRS:
        for turned in (1, -1):
            pair = np.stack([np.stack(p, 1) for p in (first, other)][::turned], 1)  # (4, 2, 2)
            made = tried(answer, pair, 1)
            if made is not None and made.size == 1 and made.ravel()[0] != (turned < 0):
                return f"of two points yours does not ask first for the one with {what}: {rule}"
    if set(got.tolist()) == set(right.tolist()):
        return "the right points; expected: in order, the most uncertain first"
    if count > 1 and (np.diff(got) > 0).all():
        return (
            "these points stand in the order of their numbers; expected: the largest spread first"
        )
    place = int((got != right).argmax())
    return (
        f"at place {place} stands point {got[place]:.0f}, whose spread is "
        f"{spread[int(got[place])]:.3f}; point {right[place]} has {spread[right[place]]:.3f}; "
        "expected: the largest spreads"
    )


def off_error(answer: Callable[..., Any], found: NDArray[Any], truth: NDArray[Any], by: str) -> str:
    """What is wrong with a normalised error: its d, its mean, or what it does with NaN."""
    whole = np.where(np.isfinite(truth), truth, (40.0, 60.0))
    step = np.array([3.0, 4.0])  # all distances are 5
    d, made = 5 / error(whole + step, whole, by), tried(answer, whole + step, whole, by)
    if made is None or made.size != 1:
        return f'by="{by}": expected: the mean distance, as a share of d'
    if not np.isclose(made, 1 / (d / 5)):
        return _off_length(answer, whole, by, d, 5 / float(made.ravel()[0] or np.nan))
    alone = whole.copy()
    alone[50] += 2 * step  # one distance of 10
    made = tried(answer, alone, whole, by)
    if not alike(made, error(alone, whole, by)):
        times = np.nan if made is None else float(made.ravel()[0]) * d * len(whole) / 10
        return (
            f'by="{by}": d is right, and the mean of the distances is not: a point that alone is '
            f"off counts {times:.3g} times as much as it should: each distance has 1 / K, as it is"
        )
    if alike(tried(answer, found, whole, by), error(found, whole, by)):
        return "where every truth is known all is right: leave points with NaN out, in mean and box"
    return f'by="{by}": d is right, and the mean of the distances is not: (1 / K) Σ ‖x - y‖'


def _off_length(
    answer: Callable[..., Any], whole: NDArray[Any], by: str, d: float, mine: float
) -> str:
    """What is wrong with the d of an error."""
    hangs = {}
    for which, wanted in (("your", answer), ("the right", error)):
        before = tried(wanted, whole + 5, whole, by)
        hangs[which] = [
            point
            for point, moved in enumerate(_each_moved(whole))
            if not alike(tried(wanted, moved + 5, moved, by), before)
        ]
    told = f'by="{by}": where all points are 5 pixels off, your d is {mine:.2f}, expected: {d:.2f}'
    if hangs["your"] == hangs["the right"]:
        rule = "√(w·h)" if by == "box" else "the length from 66 to 79"
        return f"{told}; it hangs on the right points: d is {rule}, and the error is mean / d"
    few = len(hangs["your"]) <= 6
    which = "points " + listed(map(str, hangs["your"])) if few and hangs["your"] else "all points"
    ends = "those at the four ends of the box" if by == "box" else "66 and 79"
    return f"{told}; it hangs on {which if hangs['your'] else 'no point'}; expected: on {ends}"


def _each_moved(whole: NDArray[Any]) -> list[NDArray[Any]]:
    """The points, of which one is moved: once each of them."""
    return [whole + 2.0 * (np.arange(len(whole)) == k)[:, None] for k in range(len(whole))]


#: Differences of two hands on four faces, (4, 2) at a point: always the same, or around 0.
_STILL, _STEADY = np.zeros((4, 2)), np.full((4, 2), (0.3, -0.4))
_X, _Y = np.stack([_E, _ZERO], 1) / 4, np.stack([_ZERO, _E], 1) / 4
_ROUND, _ONCE = np.stack([_E, _F], 1) / 4, np.stack([_FAR, _ZERO], 1)
_SIDE = float(np.sqrt(4 / 16 / 3 / 2))
#: At three points: what habit and chance are then, in words, and of which rule that speaks.
_HANDS = (
    ((_STEADY, _STILL, _STILL), (0.5, 0, 0), (0, 0, 0), "differ by (0.3, -0.4) on every face"),
    ((_X, _STILL, _STILL), (0, 0, 0), (_SIDE, 0, 0), "differ in x by 1/4 and -1/4, in turn"),
    ((_Y, _STILL, _STILL), (0, 0, 0), (_SIDE, 0, 0), "differ in y by 1/4 and -1/4, in turn"),
    ((_ROUND, _STILL, _STILL), (0, 0, 0), (_SIDE * 2**0.5, 0, 0), "differ in x, y by 1/4 or -1/4"),
    ((_ONCE, _STILL, _STILL), (1, 0, 0), (2**0.5, 0, 0), "differ by 4, on one of four faces"),
    ((_STEADY + _ROUND, _STILL, _STILL), (0.5, 0, 0), (_SIDE * 2**0.5, 0, 0),
     "differ by (0.3, -0.4), and by 1/4 or -1/4 around it"),
    ((_ROUND, _STEADY, _STILL), (0, 0.5, 0), (_SIDE * 2**0.5, 0, 0),
     "differ by chance, and at the second by (0.3, -0.4)"),
)  # fmt: skip
_RULES = (
    "The length of the mean difference over the faces: what stays",
    "√(Σ ‖d - mean‖² / (F - 1) / 2), where the mean is each point's own: what varies",
)


def off_split(
    answer: Callable[..., Any], got: Any, right: NDArray[Any], which: int, faces: int
) -> str:
    """What is wrong with a habit (which: 0) or a chance (1) of so many faces, in words."""
    name, ratio = ("habit", "chance")[which], np.asarray(got, float) / right
    if np.isfinite(ratio.flat[0]) and np.allclose(ratio, ratio.flat[0]):
        if which and ratio.flat[0] > 0:
            below = 2 * (faces - 1) / ratio.flat[0] ** 2
            return (
                f"under the root the sum of {faces} faces' squares is divided by {below:.4g}; "
                f"expected: 2 (F - 1) = {2 * (faces - 1)}"
            )
        return f"{ratio.flat[0]:.3f} times the {name}; expected: once"
    place = np.random.default_rng(3).uniform(0, 2, (4, 3, 2))
    for apart, *wanted, words in _HANDS:
        for where in (place, place + 3):
            made = tried(answer, where + np.stack(apart, 1), where)
            if made is None or made.shape != (2, 3):
                continue
            if not np.allclose(made[which], wanted[which], atol=1e-6):
                return (
                    f"where hands at the first of three points {words}, your {name} is "
                    f"{numbers(made[which])}; expected: {numbers(wanted[which])}. "
                    f"{_RULES[which]}"
                )
    return f"expected: the {name} of each point"
