"""How annotators draw a part, beside where its landmarks put it.

Two people who see the same lid put its edge at different places: with the lashes or without, to the
corner or short of it. What is systematic in that is learnt from photographs that have both points
and masks: along each outline, how far out of it the masks' edge lies. Nothing else is learnt, so a
habit moves outlines and does not see the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from coursekit.annotation.curves import Points, signed_area
from coursekit.annotation.outlines import PARTS, Outline
from coursekit.errors import CourseError
from coursekit.polygons import inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from coursekit.labels import LabelSet

#: By category ("eye" is both eyes'), one number for each sample of its outline: how far outwards
#: it goes, as a share of the square root of the part's area.
Habits = dict[str, Points]

# Fewer masks of a category tell nothing of a habit; smaller ones are hardly more than their edge.
_FEWEST, _SMALLEST = 10, 30
# Each round measures anew from where the outlines have gone.
_ROUNDS = 5
# Pixels around mask and outline in which distances are measured.
_AROUND = 8


def category(part: str) -> str:
    """The name that both sides share: "eye" for "r_eye"; a lip has no side."""
    return part if part.endswith("lip") else part.removeprefix("r_").removeprefix("l_")


def moved(outline: Points, offsets: Points) -> Points:
    """An outline (N, 2) with each sample moved outwards by its share (N,) of the part's size.

    Where a corner is drawn in past its neighbours the line runs there and back: a fold about a
    pixel wide, most of which the crossing rule leaves out.
    """
    area = signed_area(outline)
    along = np.roll(outline, -1, axis=0) - np.roll(outline, 1, axis=0)
    along /= np.hypot(*along.T)[:, None] + 1e-9
    outwards = np.stack([along[:, 1], -along[:, 0]], 1) * np.sign(area)
    return outline + outwards * (np.sqrt(abs(area)) * offsets)[:, None]


def with_habits(outlines: Mapping[str, Outline], habits: Habits) -> dict[str, Outline]:
    """Outlines as annotators with these habits would have drawn them.

    Args:
        outlines: of one scheme, by the names of `PARTS`.
        habits: learnt from outlines of the same scheme; parts without any stay as they are.
    """
    return {
        name: tuple(moved(polygon, habits[category(name)]) for polygon in outline)
        if category(name) in habits
        else outline
        for name, outline in outlines.items()
    }


@dataclass(frozen=True)
class _Drawn:
    """One part of one photograph: its outline and its mask, in a window around both."""

    outline: Points
    mask: NDArray[np.bool_]
    #: (h, w) pixels from the mask's edge, positive inside.
    depth: NDArray[np.float32]

    @classmethod
    def around(cls, outline: Points, mask: NDArray[np.bool_]) -> _Drawn:
        x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
        corners = np.array([(x, y), (x + width, y + height)])
        both = np.concatenate([corners, outline]).clip((0, 0), mask.shape[::-1])
        low = np.maximum(np.floor(both.min(0)).astype(int) - _AROUND, 0)
        high = np.ceil(both.max(0)).astype(int) + _AROUND
        window = np.ascontiguousarray(mask[low[1] : high[1], low[0] : high[0]])
        within, out = (
            cv2.distanceTransform(side.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
            for side in (window, ~window)
        )
        # A distance is one to the nearest pixel's centre beyond the edge, which is half a step on.
        depth = np.where(window, within - 0.5, 0.5 - out).astype(np.float32)
        return cls(outline - low, window, depth)


def learn(
    drawn: Iterable[tuple[Mapping[str, Outline], NDArray[np.uint8]]], labels: LabelSet
) -> Habits:
    """The habits of those who drew some masks.

    At each sample of a category's outline the masks' edge lies somewhere else on each photograph.
    The offset is where so many masks still reach that the IoU of all together is largest: a pixel
    should be taken when its part has it in more than IoU / (1 + IoU) of the photographs.

    Args:
        drawn: for each photograph its outlines, of one scheme, and its (H, W) label map.
        labels: of the label maps. Its parts' names decide what is learnt; the nose, whose halves
            have no edge of their own, is left out.

    Raises:
        CourseError: when no part was drawn on ten photographs.
    """
    found: dict[str, list[_Drawn]] = {}
    for outlines, label_map in drawn:
        for name, outline in outlines.items():
            if len(outline) > 1 or name not in labels.names:
                continue
            mask = label_map == labels.index(name)
            if np.count_nonzero(mask) >= _SMALLEST and abs(signed_area(outline[0])) > 1:
                found.setdefault(category(name), []).append(_Drawn.around(outline[0], mask))
    habits = {name: _offsets(parts) for name, parts in found.items() if len(parts) >= _FEWEST}
    if not habits:
        raise CourseError(
            f"habits cannot be learnt: none of {', '.join(PARTS[1:])} is drawn on {_FEWEST} "
            "photographs; give more photographs that have both landmarks and masks"
        )
    return habits


def _offsets(parts: list[_Drawn]) -> Points:
    """The offset of each sample of one category."""
    sizes = np.sqrt([abs(signed_area(part.outline)) for part in parts])
    offsets = np.zeros(len(parts[0].outline))
    for _ in range(_ROUNDS):
        lines = [moved(part.outline, offsets) for part in parts]
        depths = np.stack([_sampled(p.depth, line) for p, line in zip(parts, lines, strict=True)])
        depths /= sizes[:, None]
        order = np.argsort(depths, axis=0)
        reached = np.cumsum(sizes[order], axis=0) / sizes.sum()  # (photographs, samples)
        iou = _iou(parts, lines)
        chosen = (reached >= 1 - iou / (1 + iou)).argmax(0)
        offsets += np.take_along_axis(depths, order, 0)[chosen, np.arange(len(offsets))]
    return offsets


def _sampled(field: NDArray[np.float32], points: Points) -> NDArray[np.float32]:
    """A field's values at points (N, 2) between its pixels; its edge goes on beyond it."""
    x, y = points.astype(np.float32).T
    values: NDArray[np.float32] = cv2.remap(
        field, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )[0]
    return values


def _iou(parts: list[_Drawn], lines: list[Points]) -> float:
    """Of all outlines together against all masks together."""
    both = either = 0
    for part, line in zip(parts, lines, strict=True):
        window, filled = inside(line, *part.mask.shape)
        common = int(np.count_nonzero(part.mask[window] & filled))
        both += common
        either += int(np.count_nonzero(part.mask)) + int(np.count_nonzero(filled)) - common
    return both / max(either, 1)
