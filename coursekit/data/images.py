"""Decoding photos, and resizing them and landmarks; one clear error for each broken file."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

#: Everything that Pillow's decoders were seen to raise on broken files.
DECODING_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError,
    RuntimeError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


# Filters of warnings belong to the process: one thread at a time may change them.
_QUIET = threading.Lock()
_ORIENTATION = 0x0112  # in EXIF
#: How a picture of each orientation is turned upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """A photo as RGB, turned upright as its EXIF orientation says.

    Grey, CMYK, palette, 16-bit, fractional and transparent pictures become RGB too; of an
    animation the first picture counts. What is transparent keeps the colour below, and colour
    profiles are not applied. A submission's run.py carries this function's source, so it uses
    Pillow and NumPy alone.

    Returns:
        (H, W, 3) uint8.

    Raises:
        CourseError: when the file is missing, truncated or not a picture.
    """
    try:
        picture, _ = open_upright(path)
        return _as_rgb(picture)
    except DECODING_ERRORS as error:
        raise unreadable(path, error) from error


def open_upright(path: str | Path) -> tuple[Image.Image, str]:
    """A picture, decoded and turned upright, and its format.

    What Pillow only warns of is no matter: a broken EXIF block turns nothing.

    Raises:
        Exception: one of `DECODING_ERRORS`.
    """
    with _quietly():
        picture = Image.open(path)
    with picture:
        # A TIFF's tags, its orientation among them, are read once more when it is loaded.
        with _quietly() if picture.format == "TIFF" else nullcontext():
            picture.load()
        try:
            with _quietly():
                turn = _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
        except DECODING_ERRORS:
            turn = None
        upright = picture if turn is None else picture.transpose(turn)
        return upright, picture.format or ""


@contextmanager
def _quietly() -> Iterator[None]:
    """No warning is heard meanwhile."""
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _as_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a picture in any mode: (H, W, 3)."""
    if picture.mode.startswith("I"):  # 16 bits a pixel: Pillow would clip, not scale
        grey = np.asarray(picture).astype(np.uint32)
        grey8 = (grey >> 8 if grey.max(initial=0) > 255 else grey).clip(0, 255).astype(np.uint8)
        return np.repeat(grey8[:, :, None], 3, axis=2)
    if picture.mode == "F":  # fractions, as some scientific tools save them
        values = np.nan_to_num(np.asarray(picture))
        scale = 255 if values.max(initial=0) <= 1 else 1
        return np.repeat((values * scale).clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    if picture.mode == "P":
        picture = picture.convert("RGBA")  # a palette may hold transparent entries
    return np.array(picture.convert("RGB"), dtype=np.uint8)


def same_aspect(image: Sequence[int], mask: Sequence[int]) -> bool:
    """Whether two (height, width) differ by a uniform scale only, within a pixel's rounding."""
    (ih, iw), (mh, mw) = image[:2], mask[:2]
    return abs(mh - ih * mw / iw) <= 1 or abs(mw - iw * mh / ih) <= 1


def check_fit(image: Sequence[int], mask: Sequence[int], names: tuple[object, object]) -> None:
    """Refuse a mask that cannot be the photo's, because it has another shape.

    Raises:
        CourseError: naming both files and sizes.
    """
    if not same_aspect(image, mask):
        raise CourseError(
            f"{names[1]}: is {mask[1]}×{mask[0]} and its photo {names[0]} {image[1]}×{image[0]} "
            "(width × height); sizes may differ, aspect ratios may not. Pair the right files, or "
            "crop both alike"
        )


def nearest_rows(source: int, target: int) -> NDArray[np.intp]:
    """Which source row each of `target` rows shows, pixel centres aligned."""
    rows = (np.arange(target) * 2 + 1) * source // (2 * target)
    return rows.astype(np.intp)


def resize_label_map(label_map: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A label map at another size, by nearest neighbour with pixel centres aligned.

    Args:
        label_map: (h, w) class ids.
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        (height, width) uint8; no id that was not there before.
    """
    rows = label_map.take(nearest_rows(label_map.shape[0], height), axis=0)
    return rows.take(nearest_rows(label_map.shape[1], width), axis=1)


def resize_image(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """A photo at another size: shrunk by area (no aliasing), enlarged bilinearly.

    Args:
        image: (H, W, 3) uint8.
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        (height, width, 3) uint8.
    """
    h, w = min(height, image.shape[0]), min(width, image.shape[1])
    if (h, w) != image.shape[:2]:
        image = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA)
    if (h, w) != (height, width):
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return image


def resize_landmarks(
    points: NDArray[np.float32], source: Sequence[int], target: Sequence[int]
) -> NDArray[np.float32]:
    """Points of a photo in the pixels of the same photo at another size.

    Pixel centres lie at whole numbers, so a photo spans −0.5 to width − 0.5; the borders of both
    sizes coincide, as those of `resize_image` and `resize_label_map` do.

    Args:
        points: (K, 2) x and y in pixels of the photo.
        source: its (height, width).
        target: the other (height, width).

    Returns:
        (K, 2) float32; points outside the photo stay outside.
    """
    scale = np.array([target[1] / source[1], target[0] / source[0]])
    return ((points.astype(np.float64) + 0.5) * scale - 0.5).astype(np.float32)


def unreadable(path: str | Path, error: BaseException) -> CourseError:
    """What a decoder's error says to the user."""
    if isinstance(error, FileNotFoundError):
        return CourseError(f"{path}: does not exist; was it moved since the folder was listed?")
    if isinstance(error, PermissionError):
        return CourseError(f"{path}: may not be read; change its permissions")
    if isinstance(error, UnidentifiedImageError) and _begins(path)[4:8] == b"ftyp":
        # Telephones hand on such files as .jpg.
        return CourseError(f"{path}: holds HEIC or a film, which is not read; save it as JPEG")
    if isinstance(error, Image.DecompressionBombError):
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 1_000_000
        return CourseError(f"{path}: has over {most} million pixels; save it smaller")
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if str(path) in reason:
        reason = "not a picture that can be identified"
    return CourseError(f"{path}: cannot be decoded ({reason}); copy or download the file anew")


def _begins(path: str | Path) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - run.py passes a plain name
        return file.read(8)
