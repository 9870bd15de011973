"""Pictures of lessons as files: as sharp as they are, and small ones for the gallery."""

from __future__ import annotations

import io
from typing import Any

#: Pixels across of a small picture.
ACROSS = 200
#: Of 100; a page of all small pictures stays light.
_QUALITY = 30


def small(file: str) -> str:
    """The file of the small picture beside another's."""
    return f"{file.removesuffix('.webp')}-small.webp"


def as_webp(png: bytes) -> bytes:
    """A picture as lossless WebP, less than half as large.

    Most are charts of few colours, for which lossy WebP is larger and blurs letters.
    """
    return _converted(png, lossless=True, quality=30, method=1)


def thumbnail(png: bytes) -> bytes:
    """A picture at most `ACROSS` pixels wide, as WebP."""
    return _converted(png, ACROSS, quality=_QUALITY, alpha_quality=_QUALITY, method=2)


def _converted(png: bytes, across: int | None = None, **settings: Any) -> bytes:
    from PIL import Image

    written = io.BytesIO()
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGBA")
        if across:
            image.thumbnail((across, 4 * across), Image.Resampling.LANCZOS)
        image.save(written, "WEBP", **settings)
    return written.getvalue()
