"""Photos that are all but the same: within a split, across splits, and mirrored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from coursekit.data.inspection import COARSE, FINE, Facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

# Pairs whose colours correlate so are compared in detail, at shifts of up to _SHIFT of 64 pixels;
# on 1,300 real photos copies reached 0.95, two frames of one moment 0.68 and other pairs 0.57.
_COARSE_AT_LEAST = 0.88
_FINE_AT_LEAST = 0.8
_SHIFT = 4

# Rows that are compared with all others at once.
_BLOCK = 2048


class Pair(NamedTuple):
    """Two photos that look the same, and how much so (a correlation of their detail)."""

    first: Facts
    second: Facts
    likeness: float
    mirrored: bool


def near_duplicates(facts: Sequence[Facts]) -> list[Pair]:
    """Pairs of photos that differ by compression, size, light or a small shift only.

    Args:
        facts: of all samples of all splits; unreadable photos are left out.

    Returns:
        The pairs, in the order of `facts`.
    """
    seen = [f for f in facts if f.coarse is not None and f.coarse.any()]
    if len(seen) < 2:
        return []
    colours = np.stack([f.coarse for f in seen if f.coarse is not None])
    turned = colours.reshape(-1, COARSE, COARSE, 3)[:, :, ::-1].reshape(len(seen), -1)
    pairs = []
    for mirrored, others in ((False, colours), (True, turned)):
        for a, b in _alike(colours, others):
            likeness = detail_likeness(seen[a].fine, seen[b].fine, mirrored)
            if likeness >= _FINE_AT_LEAST:
                pairs.append((a, b, likeness, mirrored))
    pairs.sort()
    return [Pair(seen[a], seen[b], likeness, mirrored) for a, b, likeness, mirrored in pairs]


def detail_likeness(
    first: NDArray[np.int8] | None, second: NDArray[np.int8] | None, mirrored: bool = False
) -> float:
    """The best correlation of two (64, 64) details over small shifts, in [-1, 1]."""
    if first is None or second is None or not first.any() or not second.any():
        return 0.0
    if mirrored:
        second = np.ascontiguousarray(second[:, ::-1])
    window = first[_SHIFT : FINE - _SHIFT, _SHIFT : FINE - _SHIFT]
    found = cv2.matchTemplate(
        second.astype(np.float32), window.astype(np.float32), cv2.TM_CCOEFF_NORMED
    )
    return float(found.max())


def _alike(colours: NDArray[np.float32], others: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Index pairs a < b whose colours correlate, a block of rows at a time."""
    for start in range(0, len(colours), _BLOCK):
        likeness = colours[start : start + _BLOCK] @ others[start:].T
        rows, columns = np.nonzero(likeness >= _COARSE_AT_LEAST)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if column > row:
                yield start + row, start + column
