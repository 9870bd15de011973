"""Whether 106 points can be a face of this picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coursekit.errors import CourseError, few
from coursekit.landmarks import LANDMARK_NAMES, NUM_LANDMARKS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from coursekit.annotation.curves import Points

# Of the points, this share must lie in the picture: a face may be cut by its edge, but where most
# of it is elsewhere, the points are another picture's, or of it at another size.
_WITHIN = 0.5
# No picture has so many pixels a side; NaN is not below it either.
_FARTHEST = 1e6
# A face smaller than this many pixels has parts of less than a pixel.
_SMALLEST = 8.0


def checked(points: ArrayLike, height: int, width: int, name: str = "landmarks") -> Points:
    """The points as an array that label maps can be drawn from.

    Args:
        points: (106, 2) x and y in pixels, pixel centres at whole numbers.
        height, width: of the picture.
        name: of the file, for the message.

    Returns:
        (106, 2) float64.

    Raises:
        CourseError: when there are not 106, when one is no number, when they are nearly one point,
            or when most lie outside the picture.
    """
    try:
        array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CourseError(f"{name}: not a list of x and y ({error}); give 106 pairs") from error
    if array.shape != (NUM_LANDMARKS, 2):
        shape = " × ".join(str(side) for side in array.shape) or "one number"
        raise CourseError(
            f"{name}: {shape} where {NUM_LANDMARKS} × 2 (x and y of LaPa's points) are needed; "
            "other schemes have other points and cannot be used"
        )
    bad = np.flatnonzero(~(np.abs(array) < _FARTHEST).all(axis=1))
    if len(bad):
        named = [f"point {i} ({LANDMARK_NAMES[i]})" for i in bad]
        raise CourseError(
            f"{name}: {few(named)} has no place in a picture; a hidden point is kept where it "
            "would be"
        )
    if np.ptp(array, axis=0).max() < _SMALLEST:
        raise CourseError(
            f"{name}: all points lie within {_SMALLEST:g} pixels; x and y are pixels, not shares "
            "of the picture's sides"
        )
    inside = ((array > -0.5) & (array < (width - 0.5, height - 0.5))).all(axis=1)
    if inside.mean() < _WITHIN:
        raise CourseError(
            f"{name}: {np.count_nonzero(~inside)} of {NUM_LANDMARKS} points lie outside the "
            f"picture, which is {width}×{height}; pair the right files, or scale the points with it"
        )
    return array
