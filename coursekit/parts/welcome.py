"""The course's own parts of lesson 00."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def paint(label_map: NDArray[np.uint8], palette: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) class numbers → (H, W, 3) colours of the palette."""
    return np.take(palette, label_map, axis=0)


def count_pixels(label_map: NDArray[np.uint8], num_classes: int) -> NDArray[np.int64]:
    """(H, W) class numbers or 255 → (num_classes,) pixels of each class."""
    return np.bincount(label_map.ravel(), minlength=256)[:num_classes]


def mirror(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], pairs: Sequence[tuple[int, int]]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The mirrored image, and its label map with left and right by their right names."""
    table = np.arange(256, dtype=np.uint8)
    for pair in pairs:
        table[list(pair)] = pair[::-1]
    return np.fliplr(image).copy(), table[np.fliplr(label_map)]
