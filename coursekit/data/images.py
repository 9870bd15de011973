"""Decoding photos and masks, with one clear error for each way in which a file can be wrong."""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageOps

from coursekit.errors import CourseError
from coursekit.labels import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from coursekit.labels import LabelSet

#: What counts as a picture in a folder; anything else there is left alone.
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})

# Everything that Pillow's decoders were seen to raise on broken files.
_DECODING_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError,
    struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask file as it is on disk.

    Attributes:
        mode: Pillow's mode: "P" (a palette), "L" (grey), "RGB", …
        palette: the palette's RGB bytes, three for each entry; empty without one.
        values: (h, w) or, for a colour mask, (h, w, channels).
    """

    mode: str
    palette: bytes
    values: NDArray[np.generic]


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key that puts 2 before 10 and leaves other text in its order."""
    parts = re.split(r"([0-9]+)", name)
    key = tuple((0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p)
    return key, name


def read_image(path: Path) -> NDArray[np.uint8]:
    """A photo as RGB, turned upright as its EXIF orientation says.

    Grey, CMYK, palette, 16-bit, fractional and transparent pictures become RGB too.

    Returns:
        (H, W, 3) uint8.

    Raises:
        CourseError: when the file is missing, truncated or not a picture.
    """
    try:
        with Image.open(path) as picture:
            picture.load()
            upright = ImageOps.exif_transpose(picture)
    except _DECODING_ERRORS as error:
        raise _unreadable(path, error) from error
    if upright.mode.startswith("I"):  # 16 bits a pixel: Pillow would clip, not scale
        grey = np.asarray(upright).astype(np.uint32)
        grey8 = (grey >> 8 if grey.max(initial=0) > 255 else grey).clip(0, 255).astype(np.uint8)
        return np.repeat(grey8[:, :, None], 3, axis=2)
    if upright.mode == "F":  # fractions, as some scientific tools save them
        values = np.nan_to_num(np.asarray(upright))
        scale = 255 if values.max(initial=0) <= 1 else 1
        return np.repeat((values * scale).clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    if upright.mode == "P":
        upright = upright.convert("RGBA")  # a palette may hold transparent entries
    return np.array(upright.convert("RGB"), dtype=np.uint8)


def image_size(path: Path) -> tuple[int, int]:
    """The (height, width) of a photo, upright, without decoding its pixels."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    except _DECODING_ERRORS as error:
        raise _unreadable(path, error) from error
    return (width, height) if turned else (height, width)


def decode_mask(path: Path) -> Mask:
    """A mask file, decoded and not judged.

    Raises:
        CourseError: when the file is missing, truncated or not a picture.
    """
    try:
        with Image.open(path) as picture:
            picture.load()
            palette = bytes(picture.getpalette() or []) if picture.mode == "P" else b""
            values = np.array(picture)
            if picture.format == "JPEG":
                raise CourseError(
                    f"{path}: a JPEG cannot hold a mask, because its compression changes class "
                    "ids; save masks as single-channel PNG"
                )
            return Mask(picture.mode, palette, values)
    except CourseError:
        raise
    except _DECODING_ERRORS as error:
        raise _unreadable(path, error) from error


def check_channels(path: Path, mask: Mask, labels: LabelSet) -> None:
    """Refuse a colour mask, and say what its colours seem to be.

    Raises:
        CourseError: when the mask has more than one channel.
    """
    if mask.values.ndim == 2:
        return
    colours = np.unique(mask.values.reshape(-1, mask.values.shape[-1])[:, :3], axis=0)
    known = {tuple(c) for c in labels.palette}
    rgb = mask.mode in ("RGB", "RGBA")
    if rgb and all(tuple(c) in known for c in colours.tolist()):
        hint = f"its colours are the {labels.key} palette: turn each into its class id"
    elif rgb and (colours == colours[:, :1]).all():
        hint = "its channels are equal: keep one of them"
    else:
        hint = "its channels are not the course's palette: find out what drew them"
    raise CourseError(
        f"{path}: a mask in mode {mask.mode}; a mask holds class ids in a single channel. "
        f"{hint[0].upper()}{hint[1:]}, and save as PNG in mode L or P"
    )


def check_ids(path: Path, values: NDArray[np.generic], labels: LabelSet) -> NDArray[np.uint8]:
    """The values as class ids.

    Returns:
        (h, w) uint8 in [0, num_classes), and `IGNORE_INDEX` where nothing is known.

    Raises:
        CourseError: naming the ids that the label set does not have.
    """
    last = labels.num_classes - 1
    integers = values.astype(np.uint8) if values.dtype == bool else values
    if np.issubdtype(values.dtype, np.floating) and not np.isin(values, np.arange(256)).all():
        raise CourseError(
            f"{path}: holds fractions; a mask holds class ids. Save it as PNG in mode L or P, and "
            "resize masks by nearest neighbour"
        )
    if integers.size and (integers.max() > last or integers.min() < 0):
        present = np.unique(integers)
        odd = present[((present > last) & (present != IGNORE_INDEX)) | (present < 0)]
        if odd.size:
            raise CourseError(
                f"{path}: holds {'ids' if odd.size > 1 else 'id'} "
                f"{', '.join(map(str, odd[:6].tolist()))}{' …' if odd.size > 6 else ''}; "
                f"{labels.key} has 0–{last} ({IGNORE_INDEX} is ignored). Save class ids, not "
                "colours, grey levels or a resized mask with blended edges"
            )
    return np.ascontiguousarray(integers, dtype=np.uint8)


def read_label_map(path: Path, labels: LabelSet) -> NDArray[np.uint8]:
    """A mask as class ids: the palette's indices in mode P, the values in mode L.

    Returns:
        (h, w) uint8 in [0, num_classes), and `IGNORE_INDEX` where nothing is known.

    Raises:
        CourseError: when the file is unreadable, in colour, a JPEG, or holds unknown ids.
    """
    mask = decode_mask(path)
    check_channels(path, mask, labels)
    return check_ids(path, mask.values, labels)


def read_landmarks(path: Path, count: int) -> NDArray[np.float32]:
    """A LaPa landmark file: a line with the number of points, then `x y` on each line.

    Returns:
        (count, 2) float32 x and y in pixels of the photo, as they stand in the file: whole numbers
        are taken for pixel centres. Points outside the photo are returned as they
        are: that is a matter for the audit.

    Raises:
        CourseError: when the file is not such a list.
    """
    try:
        lines = [line.split() for line in path.read_text("utf-8-sig").splitlines() if line.strip()]
        stated = int(lines[0][0])
        points = np.array([[float(x), float(y)] for x, y in lines[1:]], dtype=np.float32)
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{path}: not a landmark file ({error}); it should hold a line with {count}, then "
            f"{count} lines of x and y. Copy the file anew"
        ) from error
    if stated != count or points.shape != (count, 2) or not np.isfinite(points).all():
        raise CourseError(
            f"{path}: states {stated} points and holds {len(points)}; {count} finite ones are "
            "needed. Copy the file anew"
        )
    return points


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


def _unreadable(path: Path, error: BaseException) -> CourseError:
    if isinstance(error, FileNotFoundError):
        return CourseError(f"{path}: does not exist; was it moved since the folder was listed?")
    if isinstance(error, PermissionError):
        return CourseError(f"{path}: may not be read; change its permissions")
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    if str(path) in reason:
        reason = "not a picture that can be identified"
    return CourseError(f"{path}: cannot be decoded ({reason}); copy or download the file anew")
