"""Known mistakes in lesson 13's exercises on points: what each gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mistakes = list[tuple[Any, str]]

_OUTER = (66, 79)


def error(found: NDArray[Any], truth: NDArray[Any], by: str) -> float:
    """The right error of exercise 3."""
    known = np.isfinite(truth).all(1)
    apart = np.linalg.norm((found - truth)[known], axis=1)
    return float(apart.mean() / _distance(truth[known], truth, by))


def _distance(known: NDArray[Any], points: NDArray[Any], by: str) -> float:
    if by == "eyes":
        return float(np.linalg.norm(points[_OUTER[0]] - points[_OUTER[1]]))
    return float(np.sqrt(np.prod(np.ptp(known, axis=0))))


def mismeasured(found: NDArray[Any], truth: NDArray[Any], by: str) -> Mistakes:
    """Errors that are not `error`; not-a-number stands for a result that is none."""
    known = np.isfinite(truth).all(1)
    step, mine, theirs = (found - truth)[known], found[known], truth[known]
    apart = np.linalg.norm(step, axis=1)
    d, mean, (wide, high) = _distance(theirs, truth, by), apart.mean(), np.ptp(theirs, axis=0)
    box, eyes = (_distance(theirs, truth, each) for each in ("box", "eyes"))
    most = np.maximum(np.ptp(mine, axis=0), (wide, high))
    every = "known points alone count: their number, not 106"
    found_d = (
        np.linalg.norm(found[66] - found[79])
        if by == "eyes"
        else np.sqrt(np.prod(np.ptp(mine, axis=0)))
    )
    mistakes = [
        (apart.sum() / d, "this is the sum over the points: their mean"),
        (100 * mean / d, "a share, not per cent"),
        (mean, "divide by d"),
        (apart.sum() / d / len(truth), every) if not known.all() else (None, ""),
        (np.nan, "a point without truth (NaN) spoils all: leave it out"),
        (
            np.sqrt((apart**2).mean()) / d,
            "this is the root of a mean of squares: the mean of distances",
        ),
        ((apart**2).mean() / d, "these are squares of distances: take the root of each"),
        ((apart**2).sum() / d, "these are squares of distances: take the root of each"),
        (np.sqrt((apart**2).sum()) / d, "one norm over all points: one for each, `axis=1`"),
        (
            np.sqrt((apart**2).sum()) / d / len(apart),
            "one norm over all points: one for each, `axis=1`",
        ),
        (
            np.abs(step).sum(1).mean() / d,
            "|x| + |y| is a walk round the corner: the straight distance",
        ),
        (
            np.abs(step).mean() / d,
            "this is a mean over coordinates: the distance of each point first",
        ),
        (np.abs(step[:, 0]).mean() / d, "x alone: y, too"),
        (np.abs(step[:, 1]).mean() / d, "y alone: x, too"),
        (np.abs(step).max(1).mean() / d, "the larger of x and y: the straight distance"),
        (
            np.linalg.norm(step.mean(0)) / d,
            "steps to the left and to the right cancel: a distance for each point first",
        ),
        (
            step.mean() / d,
            "steps to the left and to the right cancel: a distance for each point first",
        ),
        (np.median(apart) / d, "this is the median"),
        (apart.max() / d, "this is the largest error"),
        (
            np.linalg.norm(step, axis=0).mean() / d,
            "the norm is taken down the points: along x and y, `axis=1`",
        ),
        (mean / found_d, "d comes from the *true* points, not from those that were found"),
        (mean * d, "divide by d"),
    ]
    if by == "box":
        root = "d is the root of the area, √(w·h)"
        return [
            *mistakes,
            (mean / eyes, '`by` has no effect: for "box" d is the root of the box\'s area'),
            (mean / (wide * high), root),
            (mean / (wide + high), root),
            (mean / wide, f"{root}, not the width"),
            (mean / high, f"{root}, not the height"),
            (2 * mean / (wide + high), root),
            (mean / max(wide, high), f"{root}, not the longer side"),
            (mean / np.hypot(wide, high), f"{root}, not its diagonal"),
            (mean / min(wide, high), f"{root}, not the shorter side"),
            (mean / np.sqrt(most.prod()), "the box of the true points alone"),
            (mean / np.sqrt((wide + 1) * (high + 1)), "a tight box, without one pixel more"),
            (
                mean / np.sqrt(np.prod(theirs.max(0))),
                "the box has a lower end, too: maximum minus minimum",
            ),
            (
                mean / np.sqrt(np.prod(theirs.std(0))),
                "w and h are maximum minus minimum, no deviation",
            ),
        ]
    other = "the *outer* corners, points 66 and 79"
    return [
        *mistakes,
        (mean / d**2, "divided by d twice"),
        (mean / box, '`by` has no effect: for "eyes" d is the distance of the points 66 and 79'),
        *(
            (mean / np.linalg.norm(truth[a] - truth[b]), f"{other}, not {a} and {b}")
            for a, b in ((70, 75), (104, 105), (74, 83), (67, 80), (65, 78), (66, 75), (70, 79))
        ),
        (
            mean / np.linalg.norm(theirs[66] - theirs[79]) if len(theirs) > 79 else None,
            "left out, unknown points renumber the others: take 66 and 79 from `truth`",
        ),
        (mean / abs(truth[66, 0] - truth[79, 0]), "the eyes' distance has a y, too"),
    ]


def asked(guesses: NDArray[Any], count: int) -> NDArray[Any]:
    """The right points of exercise 4."""
    spread = guesses.var(0).sum(-1)
    return np.argsort(-spread, kind="stable")[:count]


def misasked(guesses: NDArray[Any], count: int) -> Mistakes:
    """Points that are not `asked`."""
    away = np.linalg.norm(guesses - guesses.mean(0), axis=-1)  # (members, K)
    spread, sides = guesses.var(0).sum(-1), guesses.std(0)

    def first(value: Any) -> NDArray[Any]:
        return np.argsort(-value, kind="stable")[:count]

    order = np.argsort(spread, kind="stable")
    said = "the spread is √(mean of ‖g - mean‖²)"
    return [
        (order[:count], "these are the surest points: the most uncertain first"),
        (order[-count:], "the right points, the worst of them last: turn the order round"),
        (np.sort(first(spread)), "the right points by number: the most uncertain first"),
        (order[::-1], "all points: the first `count`"),
        (np.argsort(order)[::-1][:count], "these are ranks: `argsort` once"),
        (np.argsort(np.argsort(-spread))[:count], "these are ranks: `argsort` once"),
        (np.sqrt(spread[first(spread)]), "these are the spreads: the numbers of the points"),
        (spread[first(spread)], "these are the spreads: the numbers of the points"),
        (first(spread) + 1, "points count from 0"),
        (
            np.isin(np.arange(len(spread)), first(spread)),
            "yes or no for each point: their numbers, in order",
        ),
        (first(spread)[:1], "one point alone: the first `count`"),
        (first(sides[:, 0]), "x alone: y, too"),
        (first(sides[:, 1]), "y alone: x, too"),
        (first(sides.max(1)), f"{said}: both sides, not the larger one"),
        (first(sides.prod(1)), f"{said}: squares are added, not multiplied"),
        (first(sides.sum(1)), f"{said}: add the squares of both sides"),
        (first(away.mean(0)), f"{said}: the squares, so that a far guess counts more"),
        (first(away.max(0)), f"{said}: all members count, not the furthest alone"),
        (first(np.linalg.norm(np.ptp(guesses, axis=0), axis=-1)), f"{said}, not the range"),
        (
            first(np.linalg.norm(guesses - guesses[0], axis=-1).mean(0)),
            "distances to the first member: to the committee's mean",
        ),
        (
            first(np.square(guesses - guesses[0]).sum(-1).mean(0)),
            "distances to the first member: to the committee's mean",
        ),
        (
            first(np.linalg.norm(guesses, axis=-1).std(0)),
            "distances from the picture's corner are compared: subtract the committee's mean",
        ),
        (
            first(np.linalg.norm(guesses.mean(0), axis=-1)),
            "this looks at where the points are, not at how far the guesses part",
        ),
        (
            first(np.square(guesses).sum(-1).mean(0)),
            "subtract the committee's mean before you square",
        ),
        (
            first(np.linalg.norm(guesses - np.median(guesses, axis=0), axis=-1).mean(0)),
            "distances to the median: to the mean, squared",
        ),
        (
            first(np.linalg.norm(guesses - guesses.mean((0, 1)), axis=-1).mean(0)),
            "the mean over all points was taken: over the members, `axis=0`",
        ),
        (
            first(np.square(guesses - guesses.mean((0, 1))).sum(-1).mean(0)),
            "the mean over all points was taken: over the members, `axis=0`",
        ),
        (
            first(guesses.std((1, 2))) if len(guesses) >= count else None,
            "these are members of the committee: the spread of each *point*, `axis=0`",
        ),
        (
            first(guesses.var((1, 2))) if len(guesses) >= count else None,
            "these are members of the committee: the spread of each *point*, `axis=0`",
        ),
        (
            first(guesses.var(0).reshape(-1)),
            "x and y are ranked one by one: add both, then order the points",
        ),
    ]


def split(one: NDArray[Any], two: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The right habit and chance of exercise 5."""
    apart = one - two
    return np.linalg.norm(apart.mean(0), axis=-1), np.sqrt(apart.var(0, ddof=1).sum(-1) / 2)


def missplit(one: NDArray[Any], two: NDArray[Any]) -> list[tuple[int, Any, str]]:
    """Habits (0) and chances (1) that are not those of `split`."""
    apart, faces = one - two, len(one)
    mean, length = apart.mean(0), np.linalg.norm(apart, axis=-1)
    habit, chance = split(one, two)
    total = apart.var(0, ddof=1).sum(-1)  # of the difference
    same = "a habit is what is left in the *mean* of the differences"
    of_one = "this is the chance of a difference: each of the two hands has half of its square"
    below = "divide by F - 1: the mean came from the same faces"
    return [
        (0, chance, "habit and chance have changed places"),
        (0, mean, "the length of the mean difference: a number for each point"),
        (0, length.mean(0), f"{same}: lengths never cancel, so take the mean first"),
        (0, np.abs(apart).mean(0), f"{same}: no absolute values before it"),
        (
            0,
            np.linalg.norm(np.abs(apart).mean(0), axis=-1),
            f"{same}: no absolute values before it",
        ),
        (0, np.sqrt((length**2).mean(0)), f"{same}: this has chance in it, too"),
        (0, habit**2, "the square: take the root"),
        (0, habit / 2, "only the *difference* of two habits can be told: no half of it"),
        (0, habit / np.sqrt(2), "only the *difference* of two habits can be told: no part of it"),
        (0, faces * habit, "the sum over the faces: their mean"),
        (0, np.abs(mean).sum(-1), "|x| + |y|: the straight length"),
        (0, np.abs(mean[:, 0]), "x alone: y, too"),
        (0, np.abs(mean[:, 1]), "y alone: x, too"),
        (0, mean.sum(-1), "x and y are added: the length, √(x² + y²)"),
        (0, habit.mean(), "one number for all: one for each point"),
        (0, np.linalg.norm(mean), "one number for all: one for each point, `axis=-1`"),
        (
            0,
            np.linalg.norm(apart.mean((0, 1))),
            "one number for all: the mean over the faces, `axis=0`",
        ),
        (
            0,
            np.linalg.norm(apart.mean(1), axis=-1),
            "the mean over the faces, `axis=0`: this is over the points",
        ),
        (
            0,
            np.linalg.norm(mean, axis=0),
            "one for x and one for y: a length for each point, `axis=-1`",
        ),
        (0, np.linalg.norm(np.median(apart, axis=0), axis=-1), "the mean, not the median"),
        (
            0,
            np.abs(np.linalg.norm(one, axis=-1) - np.linalg.norm(two, axis=-1)).mean(0),
            "subtract the points first, then take lengths",
        ),
        (0, np.linalg.norm(one.mean(0), axis=-1), "`two` has no effect"),
        (0, length[0], "the first face alone"),
        (1, habit, "habit and chance have changed places"),
        (1, np.sqrt(total), f"{of_one}, so divide by √2"),
        (
            1,
            np.sqrt(total) / 2,
            "halve the square, then take the root; x and y are added, not averaged",
        ),
        (1, total / 2, "take the root: a distance, not its square"),
        (1, total, "take the root, and half of the square"),
        (1, np.sqrt(2 * total), f"{of_one}: divide by 2, do not multiply"),
        (1, np.sqrt(apart.var(0).sum(-1) / 2), below),
        (1, np.sqrt(apart.var(0).sum(-1)), f"{below}; and halve the square"),
        (
            1,
            np.sqrt((length**2).mean(0) / 2),
            "the habit is still in it: subtract the mean difference first",
        ),
        (
            1,
            np.sqrt((length**2).sum(0) / (faces - 1) / 2),
            "the habit is still in it: subtract the mean difference first",
        ),
        (
            1,
            np.sqrt(apart.var(0, ddof=1) / 2),
            "one number for each point: add the squares of x and y",
        ),
        (
            1,
            np.sqrt(apart.var(0, ddof=1).mean(-1) / 2),
            "the squares of x and y are added, not averaged",
        ),
        (
            1,
            apart.std(0, ddof=1).sum(-1) / np.sqrt(2),
            "add the *squares* of x and y, then take the root",
        ),
        (1, np.sqrt(apart[..., 0].var(0, ddof=1) / 2), "x alone: y, too"),
        (1, np.sqrt(apart[..., 1].var(0, ddof=1) / 2), "y alone: x, too"),
        (
            1,
            length.std(0, ddof=1) / np.sqrt(2),
            "the deviation of lengths: that of the differences, x and y, then add",
        ),
        (1, length.std(0), "the deviation of lengths: that of the differences, x and y, then add"),
        (
            1,
            np.linalg.norm(apart - mean, axis=-1).mean(0) / np.sqrt(2),
            "a mean of distances: the root of the mean square",
        ),
        (
            1,
            np.sqrt(apart.var(1, ddof=1).sum(-1) / 2),
            "the faces vary, `axis=0`: this is over the points",
        ),
        (1, np.sqrt(total.mean() / 2), "one number for all: one for each point"),
        (
            1,
            np.sqrt(one.var(0, ddof=1).sum(-1)),
            "one hand alone: faces differ, too; look at the difference of the hands",
        ),
        (
            1,
            np.sqrt(((one - one.mean(0) + two - two.mean(0)) ** 2).sum((0, 2)) / (faces - 1) / 2),
            "a sum of both hands: their difference",
        ),
        (1, np.sqrt(total * (faces - 1) / 2), below),
    ]
