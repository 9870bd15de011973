"""The 106 points of LaPa: their names, groups, polygons and mirror pairs.

Points are 0-based, in the order of LaPa's landmark files. The files name the image's sides; the
keys here name the subject's, as everywhere in the course: the points on the picture's left are the
subject's right.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NUM_LANDMARKS = 106
#: What a checkpoint calls them where others name a label set.
LANDMARK_SET = "lapa-106"

LANDMARK_GROUPS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "jaw": tuple(range(33)),
        "r_brow": tuple(range(33, 42)),
        "l_brow": tuple(range(42, 51)),
        "nose_bridge": tuple(range(51, 55)),
        "nose": tuple(range(55, 66)),
        "r_eye": tuple(range(66, 74)),
        "r_eye_centre": (74,),
        "l_eye": tuple(range(75, 83)),
        "l_eye_centre": (83,),
        "outer_mouth": tuple(range(84, 96)),
        "inner_mouth": tuple(range(96, 104)),
        "r_pupil": (104,),
        "l_pupil": (105,),
    }
)

#: Closed polygons whose inside is the part of that name, as point indices in drawing order.
LANDMARK_POLYGONS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        "r_brow": tuple(range(33, 42)),
        "l_brow": tuple(range(42, 51)),
        "r_eye": tuple(range(66, 74)),
        "l_eye": tuple(range(75, 83)),
        "u_lip": (*range(84, 91), 100, 99, 98, 97, 96),
        "l_lip": (*range(90, 96), 84, 96, 103, 102, 101, 100),
        "mouth": tuple(range(96, 104)),
    }
)

#: Points that have a name of their own.
_SINGULAR = {
    16: "chin", 33: "right brow, outer end", 46: "left brow, outer end", 54: "tip of the nose",
    60: "below the nose", 66: "right eye, outer corner", 70: "right eye, inner corner",
    75: "left eye, inner corner", 79: "left eye, outer corner", 84: "right corner of the mouth",
    87: "upper lip, middle of the upper edge", 90: "left corner of the mouth",
    93: "lower lip, middle of the lower edge", 98: "upper lip, middle of the lower edge",
    102: "lower lip, middle of the upper edge",
}  # fmt: skip


def _names() -> tuple[str, ...]:
    names = [""] * NUM_LANDMARKS
    for group, points in LANDMARK_GROUPS.items():
        side = {"r_": "right ", "l_": "left "}.get(group[:2], "")
        words = side + group.removeprefix("r_").removeprefix("l_").replace("_", " ")
        for place, point in enumerate(points, 1):
            names[point] = f"{words} {place}" if len(points) > 1 else words
    return tuple(_SINGULAR.get(point, name) for point, name in enumerate(names))


#: What each point is called, the sides being the subject's: "left eye, outer corner".
LANDMARK_NAMES = _names()

#: The outer corners of the eyes, whose distance is the "inter-ocular" one.
OUTER_EYE_CORNERS = (66, 79)


def _landmark_mirror() -> tuple[int, ...]:
    """The point that takes the place of each point when the picture is mirrored."""
    partner = list(range(NUM_LANDMARKS))

    def swap(first: range, second: range) -> None:
        for a, b in zip(first, second, strict=True):
            partner[a], partner[b] = b, a

    swap(range(17), range(32, 15, -1))  # jaw, 16 is the chin
    swap(range(33, 38), range(46, 41, -1))  # brows: upper edge
    swap(range(38, 42), range(50, 46, -1))  # brows: lower edge
    swap(range(55, 61), range(65, 59, -1))  # nose outline
    swap(range(66, 71), range(79, 74, -1))  # eyes: upper edge and corners
    swap(range(71, 74), range(82, 79, -1))  # eyes: lower edge
    swap(range(74, 75), range(83, 84))  # eye centres
    swap(range(84, 88), range(90, 86, -1))  # outer mouth, upper
    swap(range(91, 94), range(95, 92, -1))  # outer mouth, lower
    swap(range(96, 99), range(100, 97, -1))  # inner mouth, upper
    swap(range(101, 102), range(103, 104))  # inner mouth, lower
    swap(range(104, 105), range(105, 106))  # pupils
    return tuple(partner)


#: `points[list(LANDMARK_MIRROR)]` re-orders the points of a mirrored face (see `mirror_landmarks`).
LANDMARK_MIRROR = _landmark_mirror()


def mirror_landmarks(points: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """The 106 points of the mirrored picture.

    Args:
        points: (106, 2) float32 x and y in pixels, pixel centres at whole numbers.
        width: of the picture, in pixels.

    Returns:
        (106, 2) float32, x reflected and the points of the two sides exchanged.
    """
    mirrored = np.array(points, copy=True)
    mirrored[:, 0] = (width - 1) - mirrored[:, 0]
    return mirrored[list(LANDMARK_MIRROR)]
