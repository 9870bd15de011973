"""The curves that parts are fitted with: a standard pose, two parabolas, a smoothed polygon.

A part's standard pose puts its two ends at (-1, 0) and (1, 0): x runs along the part, y down, and
the length of half the part is one, whatever its size and turn in the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

#: A part whose ends are nearer than this many pixels has no length that could be aligned.
_LEAST = 1e-3
#: Where the two parabolas are sampled.
ACROSS = np.linspace(-1, 1, 25)
# Tilts of a parabola's axis that are tried, from symmetric to either side.
_TILTS = np.linspace(-0.8, 0.8, 33)


@dataclass(frozen=True)
class Pose:
    """The similarity that takes the picture to a part's standard pose.

    Attributes:
        centre: (2,) of the part's ends, in pixels.
        turn: (2, 2), whose rows are the pose's axes in the picture, of length one.
        scale: pixels in the pose's unit.
    """

    centre: Points
    turn: Points
    scale: float

    @classmethod
    def of(cls, start: Points, end: Points) -> Pose | None:
        """The pose of a part from `start` to `end`, (2,) each; None when they are one point."""
        half = (end - start) / 2
        length = float(np.hypot(*half))
        if length < _LEAST:
            return None
        x, y = half / length
        return cls((start + end) / 2, np.array([[x, y], [-y, x]]), length)

    def align(self, points: Points) -> Points:
        """Pixels (N, 2) in the standard pose."""
        aligned: Points = (points - self.centre) @ self.turn.T / self.scale
        return aligned

    def back(self, points: Points) -> Points:
        """Points of the standard pose (N, 2) in pixels."""
        placed: Points = points @ self.turn * self.scale + self.centre
        return placed


def signed_area(outline: Points) -> float:
    """Of a polygon (N, 2); positive when it runs clockwise on the screen, as y points down."""
    x, y = outline.T
    return float(x @ np.roll(y, -1) - np.roll(x, -1) @ y) / 2


@cache
def _hermite(per_segment: int) -> Points:
    """The four cubic Hermite polynomials at the places of a segment, (4, per_segment)."""
    t = np.arange(per_segment) / per_segment
    return np.stack(
        [2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t, 3 * t**2 - 2 * t**3, t**3 - t**2]
    )


def smoothed(points: Points, per_segment: int = 6, *, closed: bool = False) -> Points:
    """A smooth curve through points: a polygon without its corners.

    Cubic pieces whose direction at a point is that of its neighbours', each weighing by how near
    it is, so that long sides do not bulge where short ones follow.

    Args:
        points: (N, 2) with N ≥ 3.
        per_segment: samples from a point to the next.
        closed: whether the last point is followed by the first.

    Returns:
        (N · per_segment, 2) when closed; else ((N - 1) · per_segment + 1, 2), both ends included.
    """
    if closed:
        points = np.concatenate([points[-1:], points, points[:2]])
    steps = np.diff(points, axis=0)
    lengths = np.maximum(np.hypot(*steps.T), 1e-9)[:, None]
    speeds = steps / lengths
    before, after = lengths[:-1], lengths[1:]
    inner = (speeds[:-1] * after + speeds[1:] * before) / (before + after)
    # At an open end it leaves straight for its neighbour: a bulge there would be a guess.
    slopes = np.concatenate([speeds[:1], inner, speeds[-1:]])
    h = _hermite(per_segment)[:, None, :, None]  # (4, 1, per_segment, 1)
    curve = (
        h[0] * points[:-1, None]
        + h[1] * (slopes[:-1] * lengths)[:, None]
        + h[2] * points[1:, None]
        + h[3] * (slopes[1:] * lengths)[:, None]
    )  # (segments, per_segment, 2)
    if closed:
        return curve[1:-1].reshape(-1, 2)
    return np.concatenate([curve.reshape(-1, 2), points[-1:]])


def _height(x: Points, tilt: Points) -> Points:
    """The parabola through (-1, 0) and (1, 0) whose apex is one high before it is tilted, at x.

    It is the Bézier curve with the control point (tilt, 2): x = -1 + 2(1 + tilt)t - 2 tilt t² is
    solved for t, and y = 4t(1 - t). With a tilt of 0 that is y = 1 - x².
    """
    half = 1 + tilt
    # The root that lies in [0, 1], written so that a tilt of 0 does not divide by it.
    root = np.sqrt(np.maximum(half**2 - 2 * tilt * (x + 1), 0))
    t = (x + 1) / (half + root)
    height: Points = 4 * t * (1 - t)
    return height


def parabola(points: Points) -> Points:
    """One lid: a parabola from (-1, 0) to (1, 0) near to the points between, at `ACROSS`.

    Its axis may lean towards a corner, as a lid is highest beside its middle. What the points say
    beyond that, their distance from the best parabola, is added as straight pieces between them.
    Between a corner and the next point the curve runs halfway between the parabola and the
    straight line: lids and lips meet at a sharper angle than two parabolas do.

    Args:
        points: (N, 2) in the standard pose, the ends left out.

    Returns:
        y at each x of `ACROSS`.
    """
    order = np.argsort(points[:, 0], kind="stable")
    x, y = points[order].T
    x = np.clip(x, -0.98, 0.98)
    heights = _height(x, _TILTS[:, None])  # (tilts, N)
    apexes = heights @ y / (heights * heights).sum(1)
    errors = np.square(apexes[:, None] * heights - y).sum(1) + 1e-4 * np.square(apexes * _TILTS)
    best = errors.argmin()
    rest = y - apexes[best] * heights[best]
    places = [-1, *x, 1]
    curve: Points = apexes[best] * _height(ACROSS, _TILTS[best])
    curve += np.interp(ACROSS, places, [0, *rest, 0])
    line = np.interp(ACROSS, places, [0, *y, 0])
    return np.where(np.clip(ACROSS, x[0], x[-1]) == ACROSS, curve, (curve + line) / 2)


def two_parabolas(upper: Points, lower: Points) -> tuple[Points, Points]:
    """The two edges of an eye or of an open mouth, in the standard pose.

    Where the lids' points cross, the edges meet in the middle between them: the eye is closed
    there.

    Args:
        upper, lower: (N, 2) points of each edge, the corners left out.

    Returns:
        (len(ACROSS), 2) each, from the corner at (-1, 0) to that at (1, 0).
    """
    high, low = parabola(upper), parabola(lower)
    middle = (high + low) / 2
    high, low = np.minimum(high, middle), np.maximum(low, middle)
    return np.stack([ACROSS, high], 1), np.stack([ACROSS, low], 1)
