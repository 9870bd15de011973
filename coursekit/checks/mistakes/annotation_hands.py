"""Known mistakes in lesson 13's exercise on two hands: what each gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def split(one: NDArray[Any], two: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The right habit and chance of exercise 5."""
    apart = one - two
    return np.linalg.norm(apart.mean(0), axis=-1), np.sqrt(apart.var(0, ddof=1).sum(-1) / 2)


def missplit(one: NDArray[Any], two: NDArray[Any], which: int) -> list[tuple[Any, str]]:
    """Habits (which: 0) or chances (1) that are not those of `split`."""
    return [(wrong, words) for place, wrong, words in _missplit(one, two) if place == which]


def _missplit(one: NDArray[Any], two: NDArray[Any]) -> list[tuple[int, Any, str]]:
    apart, faces = one - two, len(one)
    mean, length = apart.mean(0), np.linalg.norm(apart, axis=-1)
    habit, chance = split(one, two)
    total = apart.var(0, ddof=1).sum(-1)  # of the difference
    same = "a habit is what is left in the *mean* of the differences"
    of_one = "this is the chance of a difference: each of the two hands has half of its square"
    below = "divide by F - 1: the mean came from the same faces"
    boxes = np.sqrt(np.ptp(one, axis=1).prod(-1))[:, None, None]
    inside, shares = split(one / boxes, two / boxes), "they are shares of the box already"
    level = apart - apart.mean((0, 1))
    several = np.array([np.cov(a.T).sum() for a in np.moveaxis(apart, 1, 0)])
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
        (0, length.max(0), "the largest difference: the mean of all faces"),
        (0, 2 * habit, "the length of the mean difference, once"),
        (0, np.linalg.norm(two.mean(0), axis=-1), "`one` has no effect"),
        *(
            (
                0,
                sign
                * (np.linalg.norm(one.mean(0), axis=-1) - np.linalg.norm(two.mean(0), axis=-1)),
                "subtract the points first, then take lengths",
            )
            for sign in (1, -1)
        ),
        (0, np.linalg.norm((one / two).mean(0), axis=-1), "subtract the hands, do not divide"),
        (0, np.linalg.norm((one + two).mean(0), axis=-1), "subtract the hands, do not add them"),
        (0, np.sqrt(habit), "a length is no square: no root of it"),
        (0, habit * faces / (faces - 1), "a mean divides by F; F - 1 is the chance's"),
        (0, np.arctan2(*mean.T), "this is a direction: the length"),
        (0, np.linalg.norm((apart**2).mean(0), axis=-1), "the mean of differences, not of squares"),
        (1, habit, "habit and chance have changed places"),
        (1, np.sqrt(total * (faces - 1)) / (faces - 1) / 2, "divide, then take the root of all"),
        (
            1,
            np.median(np.linalg.norm(apart - mean, axis=-1), axis=0),
            "a median: the root of the mean square",
        ),
        (
            1,
            np.sqrt(np.square(apart - habit[:, None]).sum((0, 2)) / (faces - 1) / 2),
            "subtract the mean difference, x and y, not its length",
        ),
        (
            1,
            np.square(apart - mean).sum(-1).std(0),
            "this is how the squares vary: the root of their mean",
        ),
        (
            1,
            np.linalg.norm(apart - mean, axis=-1).mean(0),
            "a mean of distances: the root of the mean square",
        ),
        (
            1,
            np.linalg.norm(apart - mean, axis=-1).max(0),
            "the largest distance: the root of the mean square",
        ),
        (
            1,
            np.sqrt(two.var(0, ddof=1).sum(-1)),
            "one hand alone: faces differ, too; look at the difference of the hands",
        ),
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
        (0, np.sqrt(np.abs(mean).sum(-1)), "square x and y, add, then the root"),
        (0, mean.max(-1), "the larger of x and y: the length of both"),
        (0, np.abs(mean).max(-1), "the larger of x and y: the length of both"),
        (
            0,
            np.abs(np.linalg.norm(one, axis=-1).mean(0) - np.linalg.norm(two, axis=-1).mean(0)),
            "subtract the points first, then take lengths",
        ),
        (
            0,
            np.linalg.norm(one, axis=-1).mean(0) - np.linalg.norm(two, axis=-1).mean(0),
            "subtract the points first, then take lengths",
        ),
        (1, np.sqrt(total * (faces - 1) / (faces + 1) / 2), f"{below}: minus 1, not plus"),
        (1, np.sqrt(total * (faces - 1) / (2 * faces - 1)), "2 (F - 1): brackets"),
        (
            1,
            np.sqrt(total * (faces - 1) / one.shape[1] / 2),
            "F - 1 is of the faces, not the points",
        ),
        (1, np.sqrt(total * (faces - 1) / (one.size - 1) / 2), "F - 1 is of the faces alone"),
        (
            1,
            np.sqrt(np.linalg.norm(apart - mean, axis=-1).sum(0) / (faces - 1) / 2),
            "squares are added: the root comes last, once",
        ),
        (
            1,
            np.sqrt(np.abs(apart - mean).sum((0, 2)) / (faces - 1) / 2),
            "square the differences, no absolute values",
        ),
        (
            1,
            np.sqrt((one.var(0, ddof=1) + two.var(0, ddof=1)).sum(-1) / 2),
            "faces differ, too, in each hand alone: the variance of the *difference*",
        ),
        (0, inside[0], f"{shares}: do not divide"),
        (1, inside[1], f"{shares}: do not divide"),
        (0, habit / chance, "no quotient of both: the habit alone"),
        (
            0,
            np.sqrt(np.maximum(habit**2 - 2 * chance**2 / faces, 0)),
            "the length of the mean as it is: take no chance out of it",
        ),
        (
            0,
            np.sqrt(np.abs(habit**2 - 2 * chance**2 / faces)),
            "the length of the mean as it is: take no chance out of it",
        ),
        (
            0,
            np.full(len(habit), np.linalg.norm(apart.mean((0, 1)))),
            "a mean for each point: over the faces alone, `axis=0`",
        ),
        (
            1,
            np.sqrt(np.square(level).sum((0, 2)) / (faces - 1) / 2),
            "a mean for each point: over the faces alone, `axis=0`",
        ),
        (
            0,
            np.linalg.norm(np.median(one, axis=0) - np.median(two, axis=0), axis=-1),
            "the mean, not the median",
        ),
        (0, np.sign(mean[:, 0]) * habit, "a length has no sign"),
        (1, chance / np.sqrt(faces), "how sure a mean is, is not asked: no √F"),
        (1, np.full(len(habit), np.std(apart - mean)), "one number for all: one for each point"),
        (1, np.std(apart - mean), "one number for all: one for each point"),
        (
            1,
            np.sqrt(np.concatenate([one, two]).var(0, ddof=1).sum(-1)),
            "faces differ, too: look at the difference of the hands, not at both in one heap",
        ),
        (1, np.sqrt(np.abs(several) / 2), "variances alone: no covariance of x and y"),
        (
            1,
            np.linalg.norm(apart.std(0, ddof=1), axis=0) / np.sqrt(2),
            "one for x and one for y: a number for each point",
        ),
        (
            1,
            np.sqrt(np.square(apart - apart[0]).sum((0, 2)) / (faces - 1) / 2),
            "from the mean of the faces, not from the first",
        ),
        (0, np.linalg.norm(apart[0], axis=-1), "the first face alone"),
        (
            1,
            length.mean(0) - habit,
            "it is squares that split so, not lengths: the root of the mean square",
        ),
        (
            1,
            (np.sqrt(one.var(0, ddof=1).sum(-1)) + np.sqrt(two.var(0, ddof=1).sum(-1))) / 2,
            "faces differ, too, in each hand alone: the variance of the *difference*",
        ),
        (0, np.round(habit, 2), "round nothing"),
        (0, np.round(habit, 3), "round nothing"),
    ]
