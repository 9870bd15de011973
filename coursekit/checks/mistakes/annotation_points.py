"""Known mistakes in lesson 13's exercises on points: what each gives, and what to say of it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mistakes = list[tuple[Any, str]]

_OUTER = (66, 79)
# Points that may be taken for these: others of the eyes, and the 68-point scheme's corners.
_OTHERS = (0, 32, 33, 36, 37, 39, 42, 45, 46, 65, *range(66, 84), 84, 90, 104, 105)


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
        (None if known.all() else np.nan, "a point without truth (NaN) spoils all: leave it out"),
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
        (apart.std() / d, "this is a deviation: the mean distance"),
        (apart.max() / d, "this is the largest error"),
        (
            np.linalg.norm(step, axis=0).mean() / d,
            "the norm is taken down the points: along x and y, `axis=1`",
        ),
        (mean / found_d, "d comes from the *true* points, not from those that were found"),
        (mean * d, "divide by d"),
        (np.sqrt(mean / d), "the root of all: d alone has one"),
        (1 - mean / d, "an error, not 1 minus it"),
        (mean / d * len(truth) / len(theirs), every) if not known.all() else (None, ""),
        (np.abs(step.sum(1)).mean() / d, "x and y are added before they are squared"),
        (
            np.abs(np.linalg.norm(mine, axis=1) - np.linalg.norm(theirs, axis=1)).mean() / d,
            "subtract the points first, then take lengths",
        ),
        (
            (np.linalg.norm(mine, axis=1) - np.linalg.norm(theirs, axis=1)).mean() / d,
            "subtract the points first, then take lengths",
        ),
        (mean / np.sqrt(2) / d, "the squares of x and y are added, not averaged"),
        (2 * mean / d, "d is the whole length, not half of it"),
        (mean / d / 2, "no half: the mean distance over d"),
        (d / mean, "d stands below: the mean distance over d"),
        (apart.min() / d, "this is the smallest error"),
        (
            error(found, np.nan_to_num(truth), by),
            "a point without truth (NaN) is none at (0, 0): leave it out",
        ),
        (apart.sum() / (len(apart) - 1) / d, "K points: their mean, no minus 1"),
        (np.sqrt(apart).mean() / d, "a norm is a distance already: no root of it"),
        *((round(mean / d, places), "round nothing") for places in (1, 2, 3, 4)),
    ]
    if by == "box":
        root = "d is the root of the area, √(w·h)"
        return [
            *mistakes,
            (mean / eyes, '`by` has no effect, or the two have changed places: "box" is √(w·h)'),
            (mean / (wide * high), root),
            (mean / (wide + high), root),
            (mean / wide, f"{root}, not the width"),
            (mean / high, f"{root}, not the height (nor the longer side)"),
            (2 * mean / (wide + high), root),
            (mean / max(wide, high), f"{root}, not the longer side"),
            (mean / np.hypot(wide, high), f"{root}, not its diagonal"),
            (mean / min(wide, high), f"{root}, not the shorter side"),
            (mean / (np.sqrt(wide) * high), f"{root}: of both"),
            (mean / (wide * np.sqrt(high)), f"{root}: of both"),
            (mean / (2 * (wide + high)), f"{root}, not the way round the box"),
            (mean / np.cbrt(wide * high), f"{root}, not the cube root"),
            (
                mean / np.sqrt(np.prod(np.ptp(truth[33:][known[33:]], axis=0))),
                "all known points make the box, those of the jaw, too",
            ),
            (
                mean / np.sqrt(np.prod(np.ptp(truth[:33][known[:33]], axis=0))),
                "all known points make the box, not those of the jaw alone",
            ),
            (2 * mean / np.hypot(wide, high), f"{root}, not half of its diagonal"),
            (
                np.linalg.norm(step / (wide, high), axis=1).mean(),
                "one d for both: not x by the width and y by the height",
            ),
            (mean / np.ptp(theirs), "w is of x, h of y: ranges along `axis=0`"),
            (mean / np.sqrt(wide + high), f"{root}: a product, not a sum"),
            (mean / np.sqrt((wide**2 + high**2) / 2), f"{root}, not its diagonal"),
            (mean / np.sqrt(np.prod(theirs.max(0) - theirs.mean(0))), "maximum minus *minimum*"),
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
        *(
            (
                n * mean / np.linalg.norm(truth[66] + truth[79]),
                "the distance of the corners: minus, not plus",
            )
            for n in (1, 2)
        ),
        (mean / box, '`by` has no effect, or the two have changed places: "eyes" is 66 to 79'),
        (
            mean / np.linalg.norm(theirs[66] - theirs[79]) if len(theirs) > 79 else None,
            "left out, unknown points renumber the others: take 66 and 79 from `truth`",
        ),
        *(
            (mean / np.linalg.norm(truth[a] - truth[b]), f"{other}, not {a} and {b}")
            for a, b in combinations(_OTHERS, 2)
            if (a, b) != _OUTER
        ),
        (
            mean
            / np.linalg.norm(np.nanmean(truth[66:74], axis=0) - np.nanmean(truth[75:83], axis=0)),
            f"{other}, not the middles of the eyes",
        ),
        (
            mean / np.abs(truth[66] - truth[79]).max(),
            "this is x alone, or the larger of x and y: the straight distance of the corners",
        ),
        (
            mean / abs(np.linalg.norm(truth[66]) - np.linalg.norm(truth[79])),
            "subtract the corners first, then take the length",
        ),
        (mean / np.abs(truth[66] - truth[79]).sum(), "|x| + |y|: the straight distance"),
        (mean / abs(truth[66, 1] - truth[79, 1]), "the eyes' distance has an x, too"),
        (mean / (truth[66, 0] - truth[79, 0]), "the eyes' distance has a y, too, and no sign"),
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

    order, sigma = np.argsort(spread, kind="stable"), np.sqrt(spread)
    steps = np.moveaxis(guesses - guesses.mean(0), 0, -1)  # (K, 2, members)
    both = steps @ steps.swapaxes(1, 2)  # (K, 2, 2)
    longest, area = np.linalg.eigvalsh(both)[:, -1], np.linalg.det(both)
    said = "the spread is √(mean of ‖g - mean‖²)"
    return [
        (order[:count], "these are the surest points: the most uncertain first"),
        (order[-count:], "the right points, the worst of them last: turn the order round"),
        (np.sort(first(spread)), "the right points by number: the most uncertain first"),
        (order[::-1], "all points: the first `count`"),
        (order[-count::-1], "this begins at the `count`-th from the end: turn round, then cut"),
        (order[::-1][count:], "this leaves the first `count` out: `[:count]`"),
        (order[::-1][-count:], "these are the surest points: `[:count]` takes the first"),
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
        (first(sides.min(1)), f"{said}: both sides, not the smaller one"),
        (first(np.median(away, axis=0)), f"{said}: no median"),
        (first(np.square(away).std(0)), f"{said}: the mean of the squares, not their deviation"),
        (first((away**4).mean(0)), f"{said}: squares, no higher power"),
        (np.argsort(-np.round(sigma))[:count], "the spreads were rounded: round nothing"),
        (first(away.min(0)), f"{said}: all members count, not the nearest alone"),
        (np.argsort(-spread, kind="stable")[1 : count + 1], "the first of all is left out: from 0"),
        (first(np.ptp(guesses, axis=0).sum(-1)), f"{said}, not the range"),
        (first(np.abs(np.diff(guesses, axis=0)).sum((0, 2))), "compare with the committee's mean"),
        (
            first((guesses / guesses.mean(0)).var(0).sum(-1)),
            "subtract the mean, do not divide by it",
        ),
        *(
            (
                first(np.square(guesses - one).sum(-1).mean(0)),
                "distances to one member: to the mean",
            )
            for one in guesses[1:]
        ),
        (first(guesses.std((0, 2))), "x and y have a mean each: over the members, `axis=0`, alone"),
        (first(np.linalg.norm(guesses.var(0), axis=-1)), f"{said}: variances are added"),
        (first(area), "this is an area, 0 where guesses lie on a line: add the variances"),
        (first(longest), f"{said}: all directions, not the longest alone"),
        (
            first(np.linalg.norm(np.subtract(*np.percentile(guesses, (75, 25), axis=0)), axis=-1)),
            f"{said}: no quartiles",
        ),
        (first(away.std(0)), f"{said}: the squares themselves, not how distances vary"),
        (
            first(np.linalg.norm(guesses[0] - guesses[-1], axis=-1)),
            "two members alone: all, from the committee's mean",
        ),
        (
            first(sigma / np.linalg.norm(guesses.mean(0), axis=-1)),
            "no share of the place: the spread itself",
        ),
        (first(np.trunc(sigma)), "the spreads were cut to whole numbers: round nothing"),
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
            first(np.square(guesses - guesses.mean()).sum(-1).mean(0)),
            "the mean of all numbers was taken: over the members, `axis=0`",
        ),
        (
            first(np.square(guesses - guesses.mean(1, keepdims=True)).sum(-1).mean(0)),
            "the mean over the points was taken: over the members, `axis=0`",
        ),
        (
            first(np.square(guesses - guesses.mean(2, keepdims=True)).sum(-1).mean(0)),
            "the mean of x and y was taken: over the members, `axis=0`",
        ),
        (
            first(np.square(guesses - np.median(guesses, axis=0)).sum(-1).mean(0)),
            "distances to the median: to the mean",
        ),
        (
            first(np.abs(guesses - guesses.mean(0)).sum(-1).mean(0)),
            f"{said}: squares, no absolute values",
        ),
        (
            first((guesses - guesses.mean(0)).sum(-1).mean(0)),
            "what lies to the left and to the right of the mean cancels: square first",
        ),
        (-order[:count], "the minus belongs to the spreads, before they are sorted"),
        (
            np.argsort(spread[::-1])[:count],
            "the spreads are turned round, so their numbers are others: sort `-spread`",
        ),
        (
            np.flatnonzero(sigma > sigma.mean())[:count],
            "those above the mean, by number: sort them",
        ),
        (
            np.flatnonzero(spread > spread.mean())[:count],
            "those above the mean, by number: sort them",
        ),
        (
            first(np.square(np.diff(guesses, axis=0)).sum(-1).mean(0)),
            "members are compared with the next one: with the committee's mean",
        ),
        (
            first(np.linalg.norm(guesses[:, None] - guesses[None], axis=-1).max((0, 1))),
            "the largest distance of two members: the mean square from the committee's mean",
        ),
        (
            first(np.linalg.norm(guesses[:, None] - guesses[None], axis=-1).mean((0, 1))),
            "distances between members, not squared: from the committee's mean",
        ),
        (
            first(guesses.var(0).reshape(-1)),
            "x and y are ranked one by one: add both, then order the points",
        ),
    ]
