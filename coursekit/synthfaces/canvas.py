"""Drawing with sub-pixel accuracy: polygons in unit coordinates, onto an image and a label map.

Coordinates are fractions of the frame's side, x to the right and y down; (0, 0) is the frame's
upper left corner. The centre of pixel (row i, column j) therefore lies at ((j + 0.5) / size,
(i + 0.5) / size), and pixel coordinates, in which centres are integers, are `unit * size - 0.5`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from coursekit.polygons import inside

Floats = NDArray[np.float32]
Points = NDArray[np.float64]
Mask = NDArray[np.uint8]

_BYTE = np.float32(1 / 255)
_SHIFT = 6  # fractional bits of the corners that OpenCV is given: 1/64 pixel


@dataclass(frozen=True)
class Patch:
    """A rectangular window of the frame with a coverage in [0, 1] for each of its pixels."""

    rows: slice
    cols: slice
    alpha: Floats

    @property
    def window(self) -> tuple[slice, slice]:
        """The index that cuts the patch's window out of a full-size array."""
        return self.rows, self.cols


def to_pixels(points: Points, size: int) -> Points:
    """Unit coordinates (N, 2) as pixel coordinates with the pixel centres at integers."""
    return np.asarray(points, dtype=np.float64) * size - 0.5


def _fixed(points: Points, size: float) -> NDArray[np.int32]:
    """`points * size - 0.5` in OpenCV's fixed-point format: pixel centres are at integers."""
    unit = 1 << _SHIFT
    return np.rint(points * (size * unit) - 0.5 * unit).astype(np.int32)


def polygon_mask(size: int, *polygons: Points) -> Mask:
    """The union of polygons (N, 2) in unit coordinates, anti-aliased, as (size, size) uint8."""
    mask = np.zeros((size, size), np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [_fixed(polygon, size)], 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    return mask


def exact_mask(size: int, *polygons: Points) -> NDArray[np.bool_]:
    """The pixels whose centres lie inside any polygon, as a (size, size) boolean array."""
    mask = np.zeros((size, size), bool)
    for polygon in polygons:
        window, found = inside(to_pixels(polygon, size), size, size)
        mask[window] |= found
    return mask


def clamp(value: float, low: float, high: float) -> float:
    """A number brought into [low, high]; NumPy's `clip` takes ten times as long for one number."""
    return float(min(max(value, low), high))


def blur(array: NDArray, radius: float, size: int) -> NDArray:
    """A Gaussian blur whose standard deviation is given as a fraction of the frame's side."""
    sigma = radius * size
    return cv2.GaussianBlur(array, (0, 0), sigma) if sigma > 0.25 else array


def band(line: Points, width: float) -> Points:
    """The outline (2N, 2) of an open line (N, 2) drawn with a pen of `width`."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    side = np.stack([-along[:, 1], along[:, 0]], 1) * (width / 2)
    return np.concatenate([line + side, (line - side)[::-1]])


def moved(points: Points, right: float, down: float) -> Points:
    """Points (N, 2) moved by a step in unit coordinates."""
    return points + np.array([right, down])


def lowered(mask: Mask, distance: float) -> Mask:
    """A mask moved down by a fraction of the frame's side, as a shadow is."""
    rows = max(1, round(distance * mask.shape[0]))
    out = np.zeros_like(mask)
    out[rows:] = mask[:-rows]
    return out


def smooth_curve(points: Points, per_segment: int, *, closed: bool = True) -> Points:
    """A Catmull-Rom curve through points (N, 2 or 3), sampled `per_segment` times a segment."""
    p1 = np.asarray(points, dtype=np.float64)
    if closed:
        padded = np.concatenate([p1[-1:], p1, p1[:2]])
    else:
        padded = np.concatenate([2 * p1[:1] - p1[1:2], p1, 2 * p1[-1:] - p1[-2:-1]])
    p0, p1, p2, p3 = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = (np.arange(per_segment) / per_segment)[None, :, None]
    a, b, c, d = (p[:, None] for p in (p0, p1, p2, p3))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    curve = curve.reshape(-1, p1.shape[1])
    return curve if closed else np.concatenate([curve, np.asarray(points)[-1:]])


@dataclass
class Canvas:
    """An image in the making and its label map.

    Attributes:
        size: the side of the frame in pixels.
        image: (size, size, 3) float32, RGB, about [0, 1].
        labels: (size, size) uint8 class ids.
        bare: the label map without the necklace, so that "the annotator missed it" can be told.
        covered: (size, size) bool, what hair, a hat, an earring or dark glasses hide of the face.
        drawn: for each class that was drawn as a part, how many pixels it had at that time.
    """

    size: int
    image: Floats
    labels: Mask = field(init=False)
    bare: Mask = field(init=False)
    covered: NDArray[np.bool_] = field(init=False)
    drawn: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.labels = np.zeros((self.size, self.size), np.uint8)
        self.bare = self.labels
        self.covered = np.zeros((self.size, self.size), bool)

    def patch(
        self, *polygons: Points, soft: float = 0.0, within: Mask | None = None, width: float = 0.0
    ) -> Patch | None:
        """The coverage of polygons, or of lines where `width` > 0; None when out of frame.

        Args:
            polygons: (N, 2) unit coordinates each; or one array (P, N, 2) of equal polygons.
            soft: standard deviation of a blur of the edge, as a fraction of the frame.
            within: a (size, size) uint8 mask that the coverage is multiplied with.
            width: line width as a fraction of the frame; the polygons are then open lines.
        """
        fixed = [_fixed(p, self.size) for p in polygons]
        if fixed[0].ndim == 3:
            fixed = list(fixed[0])
        margin = 2 + (3 * soft + width) * self.size
        x, y, width_, height = cv2.boundingRect(
            fixed[0] if len(fixed) == 1 else np.concatenate(fixed)
        )
        unit = 1 << _SHIFT
        x0, x1 = (
            max(0, int(x / unit - margin)),
            min(self.size, int((x + width_) / unit + margin) + 1),
        )
        y0, y1 = (
            max(0, int(y / unit - margin)),
            min(self.size, int((y + height) / unit + margin) + 1),
        )
        if x1 <= x0 or y1 <= y0:
            return None
        mask = np.zeros((self.size, self.size), np.uint8)
        if width > 0:
            thickness = width * self.size
            strength = round(255 * min(1.0, thickness))  # a line under a pixel wide is a paler one
            whole = max(1, round(thickness))
            cv2.polylines(mask, fixed, False, strength, whole, cv2.LINE_AA, _SHIFT)
        else:
            for polygon in fixed:
                cv2.fillPoly(mask, [polygon], 255, cv2.LINE_AA, _SHIFT)
        mask = blur(mask[y0:y1, x0:x1], soft, self.size)
        rows, cols = slice(y0, y1), slice(x0, x1)
        alpha = np.multiply(mask, _BYTE, dtype=np.float32)
        if within is not None:
            alpha *= np.multiply(within[rows, cols], _BYTE, dtype=np.float32)
        return Patch(rows, cols, alpha)

    def paint(
        self,
        patch: Patch | None,
        colour: NDArray,
        opacity: float = 1.0,
        texture: Floats | None = None,
    ) -> None:
        """Lay a colour (3,) or a full-size picture (size, size, 3) over the image.

        A full-size `texture`, (size, size) or (size, size, 3), multiplies the colour.
        """
        if patch is None:
            return
        target = self.image[patch.window]
        source = colour[patch.window] if colour.ndim == 3 else colour.astype(np.float32, copy=False)
        if texture is not None:
            grain = texture[patch.window]
            source = source * (grain if grain.ndim == 3 else grain[..., None])
        alpha = patch.alpha if opacity == 1 else patch.alpha * np.float32(opacity)
        target += alpha[..., None] * (source - target)

    def shade(self, patch: Patch | None, factor: NDArray | float, opacity: float = 1.0) -> None:
        """Multiply the image by a factor, a number or (3,), where the patch covers it."""
        if patch is None:
            return
        change = (np.asarray(factor, np.float32) - 1) * np.float32(opacity)
        self.image[patch.window] *= patch.alpha[..., None] * change + 1

    def full(self, mask: Mask, opacity: float = 1.0) -> Patch:
        """A patch from a (size, size) uint8 mask, cut to where the mask is not empty."""
        x, y, width, height = cv2.boundingRect(mask)
        rows, cols = slice(y, y + height), slice(x, x + width)
        return Patch(
            rows, cols, np.multiply(mask[rows, cols], np.float32(opacity / 255), dtype=np.float32)
        )

    def coverage(self, patch: Patch | None) -> Mask:
        """A patch as a (size, size) uint8 mask, to be used as `within`."""
        mask = np.zeros((self.size, self.size), np.uint8)
        if patch is not None:
            mask[patch.window] = (patch.alpha * 255).astype(np.uint8)
        return mask

    def mark(self, mask: NDArray[np.bool_], label: int) -> None:
        """Give the masked pixels a class, and note how many there were."""
        self.labels[mask] = label
        self.drawn[label] = int(np.count_nonzero(mask))
