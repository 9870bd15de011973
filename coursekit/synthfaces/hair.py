"""Hair: what outline it has, how much of the face it leaves free, and what hangs over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coursekit.synthfaces.canvas import Points, smooth_curve
from coursekit.synthfaces.config import Style
from coursekit.synthfaces.geometry import SKULL_AXES, SKULL_CENTRE, Head

KINDS = ("bald", "buzz", "short", "bob", "long", "updo")
# Shares for a soft (1) and a hard (0) appearance; what is between is mixed.
_SOFT = np.array([0.0, 0.01, 0.05, 0.20, 0.64, 0.10])
_HARD = np.array([0.06, 0.22, 0.56, 0.07, 0.08, 0.01])


@dataclass(frozen=True)
class Hair:
    """The shapes of one head's hair, in unit coordinates.

    Attributes:
        kind: one of `KINDS`.
        outer: the outline of all hair, or None for a bald head.
        opening: where the hair before the face leaves it free.
        locks: polygons of hair that hang into the opening: a fringe, strands.
        crown: the point that the strands leave.
        curl: 0 straight to 1 tightly curled.
        volume: how far the hair stands off the skull, in skull radii.
    """

    kind: str
    outer: Points | None
    opening: Points
    locks: tuple[Points, ...]
    crown: tuple[float, float]
    curl: float
    volume: float


def wave(rng: np.random.Generator, count: int, waves: float) -> Points:
    """Smooth noise along a line, (count,), unit variance at the knots, about `waves` waves."""
    knots = rng.normal(size=max(3, int(2 * waves) + 1))
    at = np.arange(count) * ((len(knots) - 1) / (count - 1))
    left = np.minimum(at.astype(int), len(knots) - 2)
    t = at - left
    t = t * t * (3 - 2 * t)
    return knots[left] * (1 - t) + knots[left + 1] * t


def on_head(points: Points, yaw: float, lift: float = 0.0) -> Points:
    """Give points (N, 2) in head coordinates the depth of the skull's front, plus `lift`.

    Towards the temples the hairline lies further back than the ellipsoid's surface, near the ear:
    a head that turns shows more of the near cheek, not less. On the side that is turned away the
    hair stays behind the face's edge.
    """
    points = np.asarray(points, dtype=np.float64)
    off = (points - SKULL_CENTRE[:2]) / SKULL_AXES[:2]
    off[:, 1] = np.minimum(off[:, 1], 0.45)  # below, hair hangs straight down
    rest = np.clip(1 - (off**2).sum(1), 0, 1)
    away = np.clip(np.sign(points[:, 0]) * yaw / 20, 0, 1)
    back = 1 - 0.6 * (1 - away) * np.clip((np.abs(points[:, 0]) - 0.55) / 0.4, 0, 1)
    depth = SKULL_CENTRE[2] + (SKULL_AXES[2] + lift) * np.sqrt(rest) * back
    out = np.concatenate([points, depth[:, None]], axis=1)
    out[:, 0] *= 1 + 0.2 * away * (np.abs(points[:, 0]) > 0.5)
    return out


def _outer_short(rng: np.random.Generator, top: float, side: float, reach: float) -> Points:
    angle = np.radians(np.linspace(-reach, reach, 90))
    tall = np.clip(np.cos(angle), 0, 1) ** 1.3
    radius = 1.02 + top * tall + side * (1 - tall)
    lean = rng.normal(0, 0.35) * top * np.sin(angle) * tall
    radius = radius + lean + rng.normal(0, 0.3) * side * np.sin(angle)
    return np.stack([radius * np.sin(angle), -radius * np.cos(angle)], 1)


def _outer_long(
    rng: np.random.Generator, top: float, side: float, length: float, flare: float
) -> Points:
    cap = _outer_short(rng, top, side, 92)
    halves: list[Points] = []
    for _ in range(2):
        y = np.linspace(0.1, length * np.exp(rng.normal(0, 0.08)), 40)
        along = y / y[-1]
        start = abs(cap[-1, 0] if not halves else cap[0, 0])
        x = start + flare * np.exp(rng.normal(0, 0.4)) * along + 0.10 * wave(rng, 40, 2) * along
        end = rng.uniform(0.0, 0.5)
        x = x * (1 - end * np.clip(along - 0.75, 0, 1) ** 2 * 16 * 0.5)
        halves.append(np.stack([x, y], 1))
    right, left = halves
    return np.concatenate([left[::-1] * (-1, 1), cap, right])


def _rough(rng: np.random.Generator, outline: Points, curl: float, messy: float) -> Points:
    """Make an outline in skull coordinates uneven: curls are round bumps, mess is fine teeth."""
    count = len(outline)
    bumps = 1 + 0.05 * curl * wave(rng, count, 14) + messy * 0.02 * wave(rng, count, 40)
    bumps += 0.02 * wave(rng, count, 4)
    return outline * bumps[:, None]


def _opening(rng: np.random.Generator, kind: str, style: Style) -> Points:
    """The free face in head coordinates (N, 2), from the lower right corner over the top."""
    top = rng.normal(-1.06, 0.09)
    part = rng.normal(0, 0.22)
    covers = kind in ("bob", "long") and rng.random() < 0.92
    swept = rng.random() < 0.45
    sides = []
    for sign in (1.0, -1.0):
        low = rng.normal(0, 0.05) + (0.22 * rng.random() * sign * np.sign(part) if swept else 0.0)
        temple = rng.normal(0.93, 0.05)
        points = [
            (0.42, top + 0.03 + 0.5 * low), (0.72, top + 0.20 + low), (temple - 0.03, -0.58 + low),
            (temple + 0.02, -0.22),
        ]  # fmt: skip
        if covers and rng.random() < 0.93:
            cheek = rng.normal(0.92, 0.09)
            flare = rng.normal(1.0, 0.28)
            points += [
                (cheek, 0.25), (cheek - 0.02, 0.75), (0.95 * cheek, 1.2),
                (max(0.5, flare), 1.75), (max(0.5, flare + rng.normal(0.05, 0.2)), 3.0),
            ]  # fmt: skip
        elif kind in ("bob", "long"):  # tucked behind the ear
            back = rng.normal(1.25, 0.1)
            points += [
                (1.0, -0.1), (1.35, -0.16), (1.48, 0.2), (1.36, 0.6), (back, 1.0),
                (back + rng.normal(0.05, 0.25), 1.8), (back + rng.normal(0.1, 0.3), 3.0),
            ]  # fmt: skip
        elif kind == "short" and rng.random() < 0.5:  # over the ear's upper half or all of it
            low = rng.uniform(0.25, 0.75)
            points += [(1.0, low - 0.2), (1.04, low), (1.25, low + 0.03), (2.2, low), (3.0, 3.0)]
        else:
            burn = rng.uniform(-0.05, 0.45)
            points += [(0.98, burn - 0.1), (1.04, burn), (1.10, -0.08), (2.2, -0.12), (3.0, 3.0)]
        sides.append(np.array(points) * (sign, 1))
    crest = np.array([[part, top - abs(rng.normal(0, 0.06)) - (0.08 if swept else 0)]])
    if style.hair_variety == 0:
        crest = np.array([[0.0, -1.06]])
    return np.concatenate([sides[0][::-1], crest, sides[1]])


def _fringe(rng: np.random.Generator, head: Head) -> tuple[Points, ...]:
    """Hair over the forehead: straight, swept to a side, or a few loose strands."""
    count = 90
    x = np.linspace(-1.02, 1.02, count)
    kind = rng.choice(["full", "swept", "loose"], p=[0.35, 0.45, 0.20])
    if kind == "full":
        line = rng.uniform(-0.5, -0.08) + 0.15 * x**2 + 0.05 * wave(rng, count, 2)
    else:
        turn = rng.choice([-1.0, 1.0])
        t = np.clip((turn * x + 1) / 2, 0, 1)
        line = (
            -1.0 + rng.uniform(0.6, 1.3) * t ** rng.uniform(0.7, 1.8) + 0.05 * wave(rng, count, 2)
        )
    teeth = np.abs(wave(rng, count, rng.uniform(5, 16)))
    line = line - rng.uniform(0.03, 0.22) * teeth
    if kind == "loose":
        line = np.where(wave(rng, count, 7) > 0.5, line, -1.25)
    bottom = np.stack([x, line], 1)
    top = np.stack([x[::-1] * 0.95, np.full(count, -1.35)], 1)
    return (head.project(on_head(np.concatenate([bottom, top]), head.yaw, 0.06)),)


def _strands(rng: np.random.Generator, head: Head, count: int) -> tuple[Points, ...]:
    """Thin locks from the forehead's edge down over temple and cheek."""
    locks = []
    for _ in range(count):
        sign = rng.choice([-1.0, 1.0])
        start, end = rng.uniform(0.3, 0.9), rng.uniform(0.55, 1.05)
        y = np.linspace(-1.0, rng.uniform(-0.2, 1.3), 14)
        t = np.linspace(0, 1, 14)
        x = sign * (start + (end - start) * np.sqrt(t) + 0.05 * wave(rng, 14, 1.5))
        half = rng.uniform(0.02, 0.07) * (1 - t) + 0.006
        line = np.concatenate([np.stack([x - half, y], 1), np.stack([x + half, y], 1)[::-1]])
        locks.append(head.project(on_head(line, head.yaw, 0.06)))
    return tuple(locks)


def draw_hair(rng: np.random.Generator, head: Head, style: Style, softness: float) -> Hair:
    """Draw a cut: kind, outline, parting, fringe.

    Args:
        rng: the random stream of the hair.
        head: whose hair it is.
        style: the distribution.
        softness: in [0, 1]; long hair is likelier towards 1.
    """
    shares = softness * _SOFT + (1 - softness) * _HARD
    kind = str(rng.choice(KINDS, p=shares / shares.sum()))
    curl = float(rng.choice([rng.uniform(0, 0.15), rng.uniform(0.15, 1.0)], p=[0.62, 0.38]))
    if style.hair_variety == 0:
        kind, curl = "long", 0.1
    top, side = rng.uniform(0.12, 0.38), rng.uniform(0.2, 0.65)
    if kind in ("bald", "buzz"):
        top, side = rng.uniform(0.01, 0.05), rng.uniform(0.0, 0.02)
    elif kind == "short":
        top, side = top + 0.12 * curl, side * 0.3 + 0.1 * curl
        if curl > 0.8 and rng.random() < 0.4:
            top, side = top + 0.3, side + 0.35
    elif kind == "updo":
        side *= 0.5
    side += 0.15 * curl if kind in ("bob", "long") else 0.0
    if kind in ("bob", "long"):
        length = rng.uniform(1.15, 1.9) if kind == "bob" else rng.uniform(1.9, 3.2)
        outer = _outer_long(rng, top, side, length, rng.normal(0.36, 0.28))
    else:
        outer = _outer_short(rng, top, side, rng.uniform(98, 120))
    messy = rng.uniform(0.1, 1.0)
    outline = head.around(_rough(rng, outer, curl, messy))
    opening = smooth_curve(_opening(rng, kind, style), 7, closed=False)
    fine = (0.008 + 0.022 * curl) * wave(rng, len(opening), 12) + 0.010 * messy * wave(
        rng, len(opening), 45
    )
    opening = opening * (1 + fine)[:, None]
    locks: tuple[Points, ...] = ()
    if kind in ("short", "bob", "long") and style.hair_variety > 0:
        if rng.random() < style.fringe_share:
            locks += _fringe(rng, head)
        if rng.random() < 0.3:
            locks += _strands(rng, head, int(rng.integers(1, 5)))
    crown = head.around(np.array([[rng.normal(0, 0.15), -1.05 - top]]))[0]
    free = head.project(on_head(opening, head.yaw, 0.03))
    where = (float(crown[0]), float(crown[1]))
    return Hair(kind, None if kind == "bald" else outline, free, locks, where, curl, top)
