"""The course's own parts of lesson 13."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from coursekit import metrics
from coursekit.annotation.curves import Points, Pose
from coursekit.annotation.regions import BACKGROUND, COVER, HAIR, SKIN
from coursekit.labels import LAPA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ask_first", "fuse", "lid", "nme", "two_hands"]


def lid(points: Points, start: Points, end: Points, x: Points) -> Points:
    """The parabola through both ends that is nearest to the points, at x of the standard pose."""
    pose = Pose.of(start, end)
    if pose is None:
        raise ValueError("start and end are one point: there is no pose")
    u, v = pose.align(points).T
    bump = 1 - u**2
    height = (bump @ v) / (bump @ bump)
    return pose.back(np.stack([x, height * (1 - np.asarray(x) ** 2)], 1))


def fuse(
    regions: NDArray[np.uint8], parts: Sequence[tuple[int, NDArray[np.bool_]]]
) -> NDArray[np.uint8]:
    """One label map: skin, parts in their order, what covers them, hair, background."""
    table = np.zeros(4, np.uint8)  # background is 0
    table[[SKIN, HAIR, COVER]] = LAPA.index("skin"), LAPA.index("hair"), LAPA.index("skin")
    found = np.full(regions.shape, table[SKIN])
    for label, mask in parts:
        found[mask] = label
    over = np.isin(regions, (BACKGROUND, HAIR, COVER))
    found[over] = table[regions[over]]
    return found


def nme(found: Points, truth: Points, by: str = "box") -> float:
    """The normalised mean error of a face; by "box", √(w·h) of the true points, or "eyes"."""
    one, other = (torch.from_numpy(np.asarray(p, float)[None]) for p in (found, truth))
    return float(metrics.nme(one, other, by)[0])


def ask_first(guesses: NDArray[np.floating], count: int) -> NDArray[np.intp]:
    """The points on which a committee (members, K, 2) disagrees most, the worst first."""
    spread = guesses.var(0).sum(-1)  # (K,)
    order: NDArray[np.intp] = np.argsort(-spread, kind="stable")
    return order[:count]


def two_hands(
    one: NDArray[np.floating], two: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """What two hands (faces, K, 2) differ in: habit, and the chance of one hand, both (K,)."""
    apart = one - two
    habit = np.linalg.norm(apart.mean(0), axis=-1)
    chance = np.sqrt(apart.var(0, ddof=1).sum(-1) / 2)
    return habit, chance
