"""What a page sent, before it is believed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.annotation.points import checked
from coursekit.data.landmark_files import check_landmarks
from coursekit.errors import CourseError
from coursekit.landmarks import NUM_LANDMARKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Points = NDArray[np.float64]

# No picture has so many pixels a side.
_FARTHEST = 1e6
_LONGEST = 64  # of a window's name


@dataclass(frozen=True, eq=False)
class Edit:
    """What a hand has done to a picture by now.

    Attributes:
        points: (106, 2) x and y in pixels of the photograph, pixel centres at whole numbers.
        hidden: which of them cannot be seen.
        touched: which the hand itself has put somewhere; others may have followed them.
        proposed: (106, 2) where they were before.
        source: who proposed them.
        drags: how often the hand moved something.
        seconds: how long it was at work.
        window: the page that sent it.
        sequence: counts what that page sent of this picture.
        size: (width, height) of the photograph that the points were placed on; None where a record
            of an older version does not say.
    """

    points: Points
    hidden: tuple[int, ...]
    touched: tuple[int, ...]
    proposed: Points
    source: str
    drags: int
    seconds: float
    window: str
    sequence: int
    size: tuple[int, int] | None = None

    def fits(self, width: int, height: int) -> bool:
        """Whether the points are those of a photograph of this size."""
        return self.size in (None, (width, height))

    def misfit(self, file: str, width: int, height: int) -> str:
        """What is said where they are not."""
        before = "of another size" if self.size is None else f"{self.size[0]}×{self.size[1]}"
        return f"{file}: is {width}×{height} now, and was {before} under the hand's points"

    def resized(self, width: int, height: int) -> Edit:
        """The same on the same photograph at another size."""
        if self.size is None:
            return self
        scale = np.array([width / self.size[0], height / self.size[1]])
        points, proposed = ((p + 0.5) * scale - 0.5 for p in (self.points, self.proposed))
        return replace(self, points=points, proposed=proposed, size=(width, height))


def edit(said: Mapping[str, Any]) -> Edit:
    """What a page sent as an `Edit`.

    Raises:
        CourseError: when it is none.
    """
    return Edit(
        points(said.get("points")),
        indices(said.get("hidden")),
        indices(said.get("touched")),
        points(said.get("proposed")),
        text(said.get("source", "")),
        int(number(said.get("drags", 0))),
        number(said.get("seconds", 0)),
        text(said.get("window")),
        int(number(said.get("sequence", 0))),
        _size(said.get("size")),
    )


def points(said: Any) -> Points:
    """(106, 2) finite float64 from lists of numbers."""
    try:
        array = np.array(said, np.float64)
    except (TypeError, ValueError) as error:
        raise CourseError("the points are no list of x and y; nothing was changed") from error
    if array.shape != (NUM_LANDMARKS, 2) or not (np.abs(array) < _FARTHEST).all():
        raise CourseError(
            f"{NUM_LANDMARKS} pairs of x and y in a picture are needed; nothing was changed"
        )
    return array


def face(said: Points, shape: Sequence[int], name: str) -> Points:
    """Points that are a face of a picture of (height, width).

    Raises:
        CourseError: when they are none, or another picture's.
    """
    height, width = shape[:2]
    found = checked(said, height, width, name)
    check_landmarks(found, shape, name)
    return found


def indices(said: Any) -> tuple[int, ...]:
    """Some of the points, sorted."""
    known = isinstance(said, list) and all(
        type(index) is int and 0 <= index < NUM_LANDMARKS for index in said
    )
    if not known:
        raise CourseError(f"{said!r:.60} are no points (0 to {NUM_LANDMARKS - 1})")
    return tuple(sorted(set(said)))


def _size(said: Any) -> tuple[int, int] | None:
    """Width and height of a picture."""
    if said is None:
        return None
    known = isinstance(said, list) and len(said) == 2
    if not known or not all(type(side) is int and 0 < side < _FARTHEST for side in said):
        raise CourseError(f"{said!r:.60} is no width and height; nothing was changed")
    return said[0], said[1]


def number(said: Any) -> float:
    """A number of at least 0."""
    if isinstance(said, bool) or not isinstance(said, (int, float)) or not 0 <= said < 1e12:
        raise CourseError(f"{said!r:.60} is no count; nothing was changed")
    return float(said)


def line(said: str) -> str:
    """Anything, such as a file's name, as a line that `text` takes."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in said)[:_LONGEST]


def text(said: Any) -> str:
    """A short line."""
    if not isinstance(said, str) or len(said) > _LONGEST or not (said.isprintable()):
        raise CourseError(f"{said!r:.60} is no name; nothing was changed")
    return said
