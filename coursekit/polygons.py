"""Which pixels lie inside a polygon: the one rule by which the course's label maps are drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Window = tuple[slice, slice]


def inside(
    corners: NDArray[np.floating], height: int, width: int
) -> tuple[Window, NDArray[np.bool_]]:
    """The pixels whose centres lie inside a polygon, by the crossing rule.

    `cv2.fillPoly` also takes every pixel that the outline touches, which makes an eye of 256² a
    sixth larger and lets two lips fight over their common edge. The crossing rule has neither
    fault: polygons that share an edge tile the plane. What an outline goes around twice is outside.

    Args:
        corners: (N, 2) finite x and y in pixels, pixel centres at whole numbers; they may lie
            outside the picture.
        height, width: of the picture.

    Returns:
        The window (rows, columns) of the picture that the polygon can reach, and the (h, w) pixels
        of that window that lie inside. Both are empty where the polygon is out of the picture.
    """
    frame = np.array([width, height])
    low = np.clip(np.floor(corners.min(0)), 0, frame).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + 1, 0, frame).astype(int)
    columns, rows = (int(side) for side in np.maximum(high - low, 0))
    window = (slice(int(low[1]), int(low[1]) + rows), slice(int(low[0]), int(low[0]) + columns))
    if not rows or not columns:
        return window, np.zeros((rows, columns), bool)
    y = np.arange(low[1], high[1])[:, None]
    start, end = corners, np.concatenate([corners[1:], corners[:1]])
    run, rise = (end - start).T
    crossed = (start[:, 1] <= y) != (end[:, 1] <= y)  # (rows, edges)
    where = start[:, 0] + (y - start[:, 1]) * (run / np.where(rise == 0, 1, rise))
    row, edge = np.nonzero(crossed)
    # Each crossing turns over all pixels to its left.
    column = np.clip(np.ceil(where[row, edge]), low[0], high[0]).astype(int) - low[0]
    turned = np.bincount(row * (columns + 1) + column, minlength=rows * (columns + 1))
    to_the_right = turned.reshape(rows, columns + 1)[:, :0:-1].cumsum(1)[:, ::-1]
    return window, (to_the_right & 1).astype(bool)
