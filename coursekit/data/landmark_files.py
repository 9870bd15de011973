"""LaPa's landmark files: a line with the number of points, then `x y` on each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.landmarks import NUM_LANDMARKS

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

# LaPa's annotators place points of a cut face where they would be: so far outside, in shares of the
# photo's longer side, and no further.
_OUTSIDE = 0.2


def read_landmarks(path: Path) -> NDArray[np.float32]:
    """The points of a landmark file.

    Returns:
        (106, 2) float32 x and y in pixels of the photo, as they stand in the file: whole numbers
        are taken for pixel centres. Points outside the photo are returned as they are: see
        `check_landmarks`.

    Raises:
        CourseError: when the file is missing, or is not such a list of 106 finite points.
    """
    count = NUM_LANDMARKS
    try:
        text = path.read_text("utf-8-sig")
        lines = [line.split() for line in text.splitlines() if line.strip()]
        stated = int(lines[0][0])
        with np.errstate(over="ignore"):  # what is too large for a float32 is not finite
            points = np.array([[float(x), float(y)] for x, y in lines[1:]], dtype=np.float32)
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{path}: not a landmark file ({error}); it should hold a line with {count}, then "
            f"{count} lines of x and y. Copy the file anew"
        ) from error
    if stated != count or points.shape != (count, 2) or not np.isfinite(points).all():
        raise CourseError(
            f"{path}: states {stated} points and holds {_finite(points)}; {count} finite ones are "
            "needed. Copy the file anew"
        )
    return points


def write_landmarks(path: str | os.PathLike[str], points: NDArray[np.floating]) -> None:
    """Write points as a landmark file, to a hundredth of a pixel; whole or not at all.

    Args:
        path: of the file; one that is there is replaced.
        points: (106, 2) x and y in pixels of the photo.

    Raises:
        CourseError: for another number of points or one that is not finite, and when the file
            cannot be written; the old one, if any, is kept.
    """
    points = np.asarray(points)
    if points.shape != (NUM_LANDMARKS, 2) or not np.isfinite(points).all():
        raise CourseError(
            f"{path}: {_finite(points)} finite points cannot be written, a landmark file holds "
            f"{NUM_LANDMARKS}; place the others where they would be"
        )
    lines = [f"{x:.2f} {y:.2f}" for x, y in points]
    write_text(path, "\n".join([str(len(lines)), *lines]) + "\n")


def outside_by(points: NDArray[np.floating], shape: Sequence[int]) -> float:
    """How far the farthest of (K, 2) points lies outside a photo of (height, width); 0 of none.

    Returns:
        Pixels beyond the centres of the border's pixels, as far as they are too far to be meant;
        0 when all are near enough.
    """
    height, width = shape[:2]
    beyond = np.maximum(-points, points - (width - 1, height - 1)).max(initial=0.0)
    return float(beyond) if beyond > _OUTSIDE * max(height, width) else 0.0


def check_landmarks(points: NDArray[np.floating], shape: Sequence[int], photo: object) -> None:
    """Refuse points that cannot be a photo's, because they lie far outside it.

    Raises:
        CourseError: naming the photo, the distance and the photo's size.
    """
    beyond = outside_by(points, shape)
    if beyond:
        raise CourseError(
            f"{photo}: a landmark lies {beyond:.0f} pixels outside its {shape[1]}×{shape[0]} photo "
            "(width × height); find the landmark file that belongs to it, or leave it out"
        )


def _finite(points: NDArray[np.floating]) -> int:
    """How many points are whole pairs of numbers."""
    return int(np.isfinite(points).all(-1).sum()) if points.ndim == 2 else 0
