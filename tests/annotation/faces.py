"""Rendered faces with curved parts, whose landmarks are exact."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from coursekit.polygons import inside
from coursekit.synthfaces import Style, SynthFace, render

if TYPE_CHECKING:
    from coursekit.annotation.outlines import Outline

CURVED = Style(curved=True)


@cache
def curved_face(index: int, size: int = 256) -> SynthFace:
    return render(11, index, size, style=CURVED)


def filled(outline: Outline, height: int, width: int) -> np.ndarray:
    mask = np.zeros((height, width), bool)
    for polygon in outline:
        window, pixels = inside(polygon, height, width)
        mask[window] |= pixels
    return mask


def turned(points: np.ndarray, degrees: float, size: int) -> np.ndarray:
    """Points of a picture that was turned about its middle."""
    a, middle = np.radians(degrees), (size - 1) / 2
    spin = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (points - middle) @ spin.T + middle
