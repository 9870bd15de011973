"""A student's pictures, made new: what goes into a page is pixels and nothing else."""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from functools import lru_cache

#: Pictures shown of one exercise, and the size of each in bytes.
MOST, LARGEST = 4, 200_000
# What is read at all (a lesson's figure has half a million pixels), and the side of what is shown.
_BYTES, _PIXELS, _SIDE = 2_000_000, 12_000_000, 1200


@lru_cache(maxsize=32)  # a lesson shows the same figures to half of the class
def data_uri(encoded: str) -> str | None:
    """A PNG as the `data:` address of a new PNG that has the same pixels, or fewer.

    Args:
        encoded: a PNG file in base64, from a stranger.

    Returns:
        The address; None for what is no PNG, is broken, or is too large to be looked at.
    """
    if len(encoded) > 3 * _BYTES // 2:
        return None
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)  # notebooks wrap it
    except (binascii.Error, ValueError):
        return None
    made = _made_new(content)
    return None if made is None else "data:image/png;base64," + base64.b64encode(made).decode()


def _made_new(content: bytes) -> bytes | None:
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as the one about decompression bombs
            with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
                if picture.width * picture.height > _PIXELS:  # known before anything is unpacked
                    return None
                pixels = picture.convert("RGBA" if _has_alpha(picture) else "RGB")
    except Exception:  # a hostile file may break a decoder in any way; then there is no picture
        return None
    pixels.thumbnail((_SIDE, _SIDE))
    while True:
        # A fresh image carries no text, profile or animation over from the old one.
        clean = Image.new(pixels.mode, pixels.size)
        clean.paste(pixels)
        file = io.BytesIO()
        clean.save(file, "PNG")
        if file.tell() <= LARGEST:
            return file.getvalue()
        pixels = pixels.resize((max(1, pixels.width // 2), max(1, pixels.height // 2)))


def _has_alpha(picture: object) -> bool:
    mode, info = getattr(picture, "mode", ""), getattr(picture, "info", {})
    return mode in ("RGBA", "LA", "PA") or "transparency" in info
