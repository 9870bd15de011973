"""Paired augmentation, the mirrored flip, and whitening.

Everything random is drawn from a generator that the caller passes. Colours are changed on uint8
with OpenCV, as Pillow does it, and noise is looked up: about six times as fast as the same
operations and distributions an image at a time through Pillow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

import cv2
import numpy as np

from coursekit.data.images import nearest_rows, resize_landmarks
from coursekit.errors import CourseError
from coursekit.labels import IGNORE_INDEX
from coursekit.landmarks import mirror_landmarks

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from coursekit.labels import LabelSet

    Image = NDArray[np.uint8]
    LabelMap = NDArray[np.uint8] | None
    Landmarks = NDArray[np.float32] | None

# Values for which noise is drawn at once.
_PIECE = 1 << 17


@dataclass(frozen=True)
class Whitening:
    """Per-channel mean and standard deviation, of images in [0, 1].

    Attributes:
        mean: of red, green and blue.
        std: the same; above 0.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        if len(self.mean) != 3 or len(self.std) != 3 or not min(self.std) > 0:
            raise CourseError(
                f"whitening by mean {self.mean} and std {self.std}; three numbers each are needed, "
                "and no std may be 0"
            )

    def apply(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Whiten (3, H, W) float32 planes in [0, 1], in place; returns them."""
        for plane, mean, std in zip(planes, self.mean, self.std, strict=True):
            plane -= np.float32(mean)
            plane *= np.float32(1 / std)
        return planes

    def undo(self, planes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """The (H, W, 3) uint8 picture of whitened (3, H, W) planes, for a look at it."""
        mean, std = (np.asarray(v).reshape(3, 1, 1) for v in (self.mean, self.std))
        picture = np.clip((planes * std + mean) * 255, 0, 255).round().astype(np.uint8)
        return np.ascontiguousarray(picture.transpose(1, 2, 0))


@dataclass(frozen=True)
class Augmentation:
    """The report's augmentation of a photo, its label map and its landmarks.

    Rotation; scale and crop; mirrored flip; brightness, contrast, saturation and hue in random
    order; blur; noise; clamp. Rotation and flip are off unless asked for: the report has neither.
    Left and right are different classes, so a flip swaps the pairs, of classes and of landmarks.

    Attributes:
        scale: the photo is resized by a factor drawn uniformly from this range. An enlarged one is
            cropped back at random; a smaller one is put at random into a frame of the old size,
            black in the photo and `IGNORE_INDEX` in the label map, as with `rotation`.
        brightness: factor in [1 − b, 1 + b] on the pixels.
        contrast: factor in [1 − c, 1 + c] on the distance to the photo's mean grey.
        saturation: factor in [1 − s, 1 + s] on the distance to each pixel's grey.
        hue: turn of the colour circle in [−h, h], in whole turns.
        blur_probability: how often a 3×3 Gaussian blur is applied.
        blur_sigma: its width in pixels is drawn uniformly from this range.
        noise: standard deviation of the Gaussian noise on images in [0, 1].
        mirror_probability: how often a sample is mirrored, left and right swapped.
        rotation: the photo is turned about its centre by an angle drawn uniformly from [−r, r], in
            degrees. What comes in at the corners is black in the photo and `IGNORE_INDEX` in the
            label map: nobody knows what is there, so it neither trains nor scores.
    """

    scale: tuple[float, float] = (1.0, 1.1)
    brightness: float = 0.25
    contrast: float = 0.25
    saturation: float = 0.25
    hue: float = 0.1
    blur_probability: float = 0.5
    blur_sigma: tuple[float, float] = (0.1, 2.0)  # torchvision's range; the report names none
    noise: float = 0.03
    mirror_probability: float = 0.0
    rotation: float = 0.0

    def __post_init__(self) -> None:
        for name in ("scale", "blur_sigma"):
            if np.shape(getattr(self, name)) != (2,):
                raise CourseError(
                    f"{name} is {getattr(self, name)!r}; it must be two numbers, from and to"
                )
        shares = (self.brightness, self.contrast, self.saturation)
        chances = (self.blur_probability, self.mirror_probability)
        wrong = (
            "scale must rise from above 0" if not 0 < self.scale[0] <= self.scale[1] < math.inf
            else "brightness, contrast and saturation must lie in 0–1"
            if not all(0 <= s <= 1 for s in shares)
            else "hue must lie in 0–0.5" if not 0 <= self.hue <= 0.5
            else "probabilities must lie in 0–1" if not all(0 <= c <= 1 for c in chances)
            else "blur_sigma must rise from above 0"
            if not 0 < self.blur_sigma[0] <= self.blur_sigma[1] < math.inf
            else "noise must be at least 0" if not 0 <= self.noise < math.inf
            else "rotation must lie in 0–180 degrees" if not 0 <= self.rotation <= 180
            else ""
        )  # fmt: skip
        if wrong:
            raise CourseError(f"{self}: {wrong}")

    def __call__(
        self,
        image: Image,
        label_map: LabelMap,
        landmarks: Landmarks,
        rng: Generator,
        labels: LabelSet,
    ) -> tuple[NDArray[np.float32], LabelMap, Landmarks]:
        """Augment one sample.

        Args:
            image: (H, W, 3) uint8 RGB; not changed.
            label_map: (H, W) uint8 class ids, or None.
            landmarks: (106, 2) float32 x and y in pixels of the image, pixel centres at whole
                numbers, or None.
            rng: where every random number comes from.
            labels: whose left and right are swapped by a mirrored flip.

        Returns:
            (3, H, W) float32 in [0, 1]; the (H, W) uint8 label map; the (106, 2) float32 landmarks,
            also of points that lie outside the image now.
        """
        if label_map is not None and label_map.shape != image.shape[:2]:
            raise CourseError(
                f"an image of {image.shape[:2]} with a label map of {label_map.shape}; resize "
                "both to one size first"
            )
        if self.rotation > 0:  # else no number is drawn
            angle = rng.uniform(-self.rotation, self.rotation)
            image, label_map, landmarks = rotate(image, label_map, landmarks, angle)
        image, label_map, landmarks = self._scale_and_crop(image, label_map, landmarks, rng)
        if rng.random() < self.mirror_probability:
            image, label_map, landmarks = mirror(image, label_map, landmarks, labels)
        image = self._jitter(image, rng)
        sigma = rng.uniform(*self.blur_sigma)
        if rng.random() < self.blur_probability:
            image = cv2.GaussianBlur(image, (3, 3), sigma, borderType=cv2.BORDER_REFLECT_101)
        planes = to_planes(image)
        if self.noise > 0:
            add_noise(planes, self.noise, rng)
        return planes, label_map, landmarks

    def _scale_and_crop(
        self, image: Image, label_map: LabelMap, landmarks: Landmarks, rng: Generator
    ) -> tuple[Image, LabelMap, Landmarks]:
        height, width = image.shape[:2]
        factor = rng.uniform(*self.scale)
        place = rng.random(2)
        tall, wide = max(int(height * factor), 1), max(int(width * factor), 1)
        top, left = (int(p * (abs(n - old) + 1)) for p, n, old in
                     ((place[0], tall, height), (place[1], wide, width)))  # fmt: skip
        if (tall, wide) == (height, width):
            return image, label_map, landmarks
        if factor < 1:
            return shrink(image, label_map, landmarks, (tall, wide), (top, left))
        enlarged = cv2.resize(image, (wide, tall), interpolation=cv2.INTER_LINEAR)
        image = enlarged[top : top + height, left : left + width]
        if label_map is not None:
            rows = nearest_rows(height, tall)[top : top + height]
            columns = nearest_rows(width, wide)[left : left + width]
            label_map = label_map.take(rows, axis=0).take(columns, axis=1)
        if landmarks is not None:
            landmarks = resize_landmarks(landmarks, (height, width), (tall, wide))
            landmarks -= np.array([left, top], dtype=np.float32)
        return np.ascontiguousarray(image), label_map, landmarks

    def _jitter(self, image: NDArray[np.uint8], rng: Generator) -> NDArray[np.uint8]:
        """torchvision's ColorJitter: one factor for each of four changes, in random order."""
        order = rng.permutation(4)
        shares = (self.brightness, self.contrast, self.saturation)
        factors = [rng.uniform(1 - share, 1 + share) for share in shares]
        factors.append(rng.uniform(-self.hue, self.hue))
        changes = (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue)
        for index in order:
            image = changes[index](image, factors[index])
        return image


def adjust_brightness(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Multiply an (H, W, 3) uint8 image by `factor`, clipped."""
    return _linear(image, factor, 0.0)


def adjust_contrast(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Scale the distance of an (H, W, 3) uint8 image to its mean grey by `factor`, clipped."""
    mean = round(cv2.mean(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))[0])
    return _linear(image, factor, (1 - factor) * mean)


def adjust_saturation(image: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
    """Scale the distance of each pixel of an (H, W, 3) uint8 image to its grey, clipped."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(image, factor, grey, 1 - factor, 0)


def adjust_hue(image: NDArray[np.uint8], turn: float) -> NDArray[np.uint8]:
    """Turn the hue of an (H, W, 3) uint8 image by a share of the colour circle, in 256 steps.

    As Pillow does, with hue and saturation rounded to 8 bits; OpenCV's way back is up to one more
    step (1.4 degrees) off.
    """
    steps = int(turn * 255) % 256
    if steps == 0:
        return image
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    hsv[:, :, 0] += np.uint8(steps)  # wraps around, as the circle does
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)


def rotate(
    image: Image, label_map: LabelMap, landmarks: Landmarks, angle: float
) -> tuple[Image, LabelMap, Landmarks]:
    """Turn a sample about the centre of the image, all three by one matrix.

    Args:
        image: (H, W, 3); interpolated bilinearly, black where it had nothing.
        label_map: (H, W) class ids, or None; by nearest neighbour, `IGNORE_INDEX` where it had
            nothing.
        landmarks: (106, 2) in pixels of the image, or None; points may end outside the image.
        angle: in degrees, anticlockwise as one sees the picture.

    Returns:
        The three, turned; new arrays of the same shapes.
    """
    height, width = image.shape[:2]
    centre = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(centre, angle, 1.0)  # (2, 3): old points to new ones
    turned = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=0)
    if label_map is not None:
        label_map = cv2.warpAffine(
            label_map, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=IGNORE_INDEX
        )
    if landmarks is not None:
        landmarks = (landmarks @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    return turned, label_map, landmarks


def shrink(
    image: Image,
    label_map: LabelMap,
    landmarks: Landmarks,
    size: tuple[int, int],
    corner: tuple[int, int],
) -> tuple[Image, LabelMap, Landmarks]:
    """Make a sample smaller within its frame.

    Args:
        image: (H, W, 3); areas are averaged, black around them.
        label_map: (H, W) class ids, or None; by nearest neighbour, `IGNORE_INDEX` around it.
        landmarks: (106, 2) in pixels of the image, or None.
        size: the new height and width (h, w), at most H and W.
        corner: row and column of the frame where the small image begins, at most H − h and W − w.

    Returns:
        The three, shrunk; new arrays of the same shapes.
    """
    height, width = image.shape[:2]
    (tall, wide), (top, left) = size, corner
    frame = np.zeros_like(image)
    inside = np.s_[top : top + tall, left : left + wide]
    frame[inside] = cv2.resize(image, (wide, tall), interpolation=cv2.INTER_AREA)
    if label_map is not None:
        small = label_map.take(nearest_rows(height, tall), axis=0)
        label_map = np.full_like(label_map, IGNORE_INDEX)
        label_map[inside] = small.take(nearest_rows(width, wide), axis=1)
    if landmarks is not None:
        landmarks = resize_landmarks(landmarks, (height, width), (tall, wide))
        landmarks += np.array([left, top], dtype=np.float32)
    return frame, label_map, landmarks


def mirror(
    image: Image, label_map: LabelMap, landmarks: Landmarks, labels: LabelSet
) -> tuple[Image, LabelMap, Landmarks]:
    """Mirror a sample, so that what was the subject's left side is again called left.

    Turning the label map alone would teach that a left eye lies where right eyes lie: the classes
    of the pairs change places too, and so do the landmarks.

    Args:
        image: (H, W, 3).
        label_map: (h, w) class ids, or None.
        landmarks: (106, 2) in pixels of the image, or None.
        labels: whose pairs change places.

    Returns:
        The three, mirrored; new arrays.
    """
    turned = np.ascontiguousarray(image[:, ::-1])
    if label_map is not None:
        label_map = labels.mirror_table()[label_map[:, ::-1]]
    if landmarks is not None:
        landmarks = mirror_landmarks(landmarks, image.shape[1])
    return turned, label_map, landmarks


def to_planes(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """An (H, W, 3) uint8 image as (3, H, W) float32 in [0, 1]."""
    planes = np.empty((3, *image.shape[:2]), dtype=np.float32)
    for channel, plane in enumerate(cv2.split(image)):
        np.multiply(plane, np.float32(1 / 255), out=planes[channel])
    return planes


def add_noise(planes: NDArray[np.float32], sigma: float, rng: Generator) -> None:
    """Add Gaussian noise of standard deviation `sigma`, in place, and clamp to [0, 1].

    Each value is one of 65,536 equally likely quantiles, in pieces that fit the processor's cache:
    to an image the same as drawing from the normal distribution, at a third of the time. Values
    end at 4.3 sigma.

    Args:
        planes: contiguous float32 of any shape, in [0, 1].
        sigma: in the same units.
        rng: where the noise comes from.
    """
    flat = planes.reshape(-1)
    quantiles = _quantiles() * np.float32(sigma)
    indices = np.empty(min(_PIECE, flat.size), dtype=np.intp)
    drawn = np.empty(len(indices), dtype=np.float32)
    for start in range(0, flat.size, _PIECE):
        part = flat[start : start + _PIECE]
        count = len(part)
        words = rng.integers(0, 1 << 64, size=-(-count // 4), dtype=np.uint64)
        indices[:count] = words.view(np.uint16)[:count]
        part += np.take(quantiles, indices[:count], mode="wrap", out=drawn[:count])
        np.clip(part, 0, 1, out=part)


@lru_cache(maxsize=1)
def _quantiles() -> NDArray[np.float32]:
    """65,536 quantiles of the normal distribution, scaled so that their variance is 1."""
    normal = NormalDist()
    half = np.array([normal.inv_cdf((k + 0.5) / 65536) for k in range(32768)])
    values = np.concatenate([half, -half[::-1]])
    return (values / values.std()).astype(np.float32)


def _linear(image: NDArray[np.uint8], factor: float, offset: float) -> NDArray[np.uint8]:
    table = np.clip(np.arange(256) * factor + offset, 0, 255).round().astype(np.uint8)
    return cv2.LUT(image, table)
