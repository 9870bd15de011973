"""The label map of a face as lines that a page fills, and as the pixels that are saved.

Both come from the same outlines, in the same order; a page draws lines at any zoom, and gets new
ones in the time of a drag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from coursekit.annotation.outlines import PARTS, face, fitted
from coursekit.annotation.regions import COVER, HAIR, SKIN
from coursekit.data.images import resize_image, resize_label_map
from coursekit.labels import LAPA, shown
from coursekit.landmarks import LANDMARK_GROUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from coursekit.annotation.curves import Points

#: Pixels a side that a page is sent of a photograph at most.
MOST_PIXELS = 4096
# Of regions a page needs no more than a screen has.
_REGIONS = 1024
_QUALITY = 93


def paths(points: Points) -> dict[str, str]:
    """The outlines of a face as SVG paths, in pixels of the photograph, centres at whole numbers.

    Returns:
        By class: "skin", then the parts in the order in which they are painted; "below", what lies
        beyond the jaw's line, is none and covers the networks' skin.
    """
    found = {"skin": _path(face(points))}
    outlines = fitted(points)
    found |= {part: "".join(map(_path, outlines[part])) for part in PARTS if part in outlines}
    return found | {"below": _path(_below(points))}


def _path(outline: Points) -> str:
    corners = "L".join(f"{x:.2f} {y:.2f}" for x, y in outline.tolist())
    return f"M{corners}Z"


def _below(points: Points) -> Points:
    """The jaw's line and, far away, the corners of what lies beyond it."""
    jaw = face(points)[: 3 * (len(LANDMARK_GROUPS["jaw"]) - 1) + 1]
    across = jaw[-1] - jaw[0]
    down = points[16] - (jaw[0] + jaw[-1]) / 2
    far = [jaw[-1] + 20 * across, jaw[0] - 20 * across]
    return np.concatenate([jaw, [far[0], far[0] + 40 * down, far[1] + 40 * down, far[1]]])


def colours() -> dict[str, str]:
    """The colour of each class, for a style sheet."""
    labels = shown(LAPA)
    return {
        name: "#{:02x}{:02x}{:02x}".format(*colour)
        for name, colour in zip(labels.names, labels.palette, strict=True)
    }


def picture(image: NDArray[np.uint8]) -> bytes:
    """A photograph for a page, whatever format its file has."""
    height, width = image.shape[:2]
    factor = min(1.0, MOST_PIXELS / max(height, width))
    small = resize_image(image, max(1, round(height * factor)), max(1, round(width * factor)))
    ok, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    assert ok
    return bytes(data)


def layers(regions: NDArray[np.uint8]) -> dict[str, bytes]:
    """What networks found, as PNGs to lay under the parts ("skin"), over them ("hair"), and where
    parts may be seen at all ("mask")."""
    factor = min(1.0, _REGIONS / max(regions.shape))
    height, width = (max(1, round(side * factor)) for side in regions.shape)
    small = resize_label_map(regions, height, width)
    skin, hair = np.isin(small, (SKIN, COVER)), small == HAIR
    seen = np.where(small == SKIN, 255, 0).astype(np.uint8)
    return {"skin": _layer(skin, "skin"), "hair": _layer(hair, "hair"), "mask": _png(seen)}


def _layer(shape: NDArray[np.bool_], name: str) -> bytes:
    red, green, blue = shown(LAPA).palette[LAPA.index(name)]
    pixels: Sequence[int] = (blue, green, red, 255)
    return _png(shape[..., None].astype(np.uint8) * np.array(pixels, np.uint8))


def _png(pixels: NDArray[np.uint8]) -> bytes:
    ok, data = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 2])
    assert ok
    return bytes(data)
