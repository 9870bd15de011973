"""One label map from outlines and regions: skin, parts, hair, background, in this order.

An eye lies over the skin, but hair may lie over the eye; so what is painted later is what a
photograph shows in front. Glasses come after the parts, too: what they cover cannot be seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coursekit.annotation.habits import Habits, with_habits
from coursekit.annotation.outlines import PARTS, face, fitted
from coursekit.annotation.points import checked
from coursekit.annotation.regions import BACKGROUND, COVER, HAIR
from coursekit.errors import CourseError
from coursekit.labels import LAPA
from coursekit.landmarks import LANDMARK_GROUPS
from coursekit.polygons import inside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from coursekit.annotation.curves import Points
    from coursekit.annotation.outlines import Outline

_ID = {name: LAPA.index(name) for name in LAPA.names}


def label_map(
    points: ArrayLike,
    height: int,
    width: int,
    *,
    regions: NDArray[np.uint8] | None = None,
    habits: Habits | None = None,
    scheme: Callable[[Points], Mapping[str, Outline]] = fitted,
    name: str = "landmarks",
) -> NDArray[np.uint8]:
    """The label map of a face with these landmarks.

    Args:
        points: (106, 2) x and y in pixels of a picture of this size, pixel centres at whole
            numbers. For a label map of another size, scale them with `resize_landmarks`.
        height, width: of the label map.
        regions: (height, width) from `regions.segment`. Without it there is no hair, nothing
            covers a part, and the skin ends where a forehead ends on average.
        habits: how annotators draw beside the points, from `habits.learn`.
        scheme: `outlines.fitted`, or `outlines.polygons` to compare with.
        name: of the landmarks' file, for messages.

    Returns:
        (height, width) uint8, ids of `labels.LAPA`.

    Raises:
        CourseError: when the points are no face of such a picture, or the regions have another
            size.
    """
    array = checked(points, height, width, name)
    if regions is not None and regions.shape != (height, width):
        raise CourseError(
            f"regions are {regions.shape[1]}×{regions.shape[0]} and the label map is "
            f"{width}×{height} (width × height); segment the picture that the points are of"
        )
    found = np.zeros((height, width), np.uint8)
    if regions is None:
        _paint(found, face(array), _ID["skin"])
    else:
        found[(regions != BACKGROUND) & (regions != HAIR)] = _ID["skin"]
        found[_below_the_jaw(array, height, width) & (found == _ID["skin"])] = _ID["background"]
    outlines = scheme(array)
    if habits:
        outlines = with_habits(outlines, habits)
    for part in PARTS:
        for polygon in outlines.get(part, ()):
            _paint(found, polygon, _ID[part])
    if regions is not None:
        found[(regions == COVER) & (found != _ID["background"])] = _ID["skin"]
        found[regions == HAIR] = _ID["hair"]
        found[regions == BACKGROUND] = _ID["background"]
    return found


def _paint(found: NDArray[np.uint8], polygon: Points, label: int) -> None:
    window, filled = inside(polygon, *found.shape)
    found[window][filled] = label


def _below_the_jaw(points: Points, height: int, width: int) -> NDArray[np.bool_]:
    """The pixels beyond the jaw's line on the chin's side: a neck, a shoulder."""
    first, *_, last = LANDMARK_GROUPS["jaw"]
    outside = np.ones((height, width), bool)
    window, filled = inside(face(points), height, width)
    outside[window] &= ~filled
    x, y = np.arange(width), np.arange(height)[:, None]
    (run, rise), start = points[last] - points[first], points[first]
    side = run * (y - start[1]) - rise * (x - start[0])
    outside &= side > 0
    return outside
