"""The crossing rule, against a loop over pixels."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit.polygons import inside

Corners = list[tuple[float, float]]


def slow(corners: Corners, height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    for y in range(height):
        for x in range(width):
            crossings = 0
            for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
                if (y0 <= y) != (y1 <= y):
                    crossings += x < x0 + (y - y0) * ((x1 - x0) / (y1 - y0))
            mask[y, x] = crossings % 2
    return mask


@pytest.mark.parametrize(
    "corners",
    [
        [(1.2, 1.1), (9.7, 2.5), (5.0, 8.3)],
        [(2, 2), (7, 2), (7, 6), (2, 6)],  # corners on pixel centres
        [(1, 1), (9, 8), (9, 1), (1, 8)],  # crosses itself
        [(-5, -3), (30, 4), (6, 25)],  # over all edges of the picture
        [(-9, 3), (-2, 1), (-4, 6)],
        [(20, 3), (22, 1), (24, 6)],
        [(4, 4), (4, 4), (4, 4)],
        [(1, 5), (9, 5), (5, 5)],
    ],
)
def test_the_crossing_rule(corners: Corners) -> None:
    window, found = inside(np.array(corners, float), 10, 12)
    mask = np.zeros((10, 12), bool)
    mask[window] = found
    np.testing.assert_array_equal(mask, slow(corners, 10, 12))


def test_polygons_that_share_an_edge_tile_the_plane() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b, c, d = rng.uniform(0, 30, (4, 2))
        count = np.zeros((30, 30), int)
        for corners in ([a, b, c], [a, c, d]):
            window, found = inside(np.array(corners), 30, 30)
            count[window] += found
        window, found = inside(np.array([a, b, c, d]), 30, 30)
        whole = np.zeros((30, 30), int)
        whole[window] = found
        np.testing.assert_array_equal(count % 2, whole)
