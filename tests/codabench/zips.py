"""Makes submissions for the tests: a good one, and pieces to break it with."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

STEMS = ("7", "12", "ab")


def png(array, **options) -> bytes:
    """An array, or a Pillow image, as the bytes of a PNG."""
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    out = io.BytesIO()
    image.save(out, options.pop("format", "PNG"), **options)
    return out.getvalue()


def ids(seed: int = 0, size: int = 512) -> np.ndarray:
    """A (size, size) label map of coarse blocks with all 19 classes."""
    blocks = np.random.default_rng(seed).integers(0, 19, (16, 16), dtype=np.uint8)
    blocks[0] = np.arange(16)
    blocks[1, :3] = (16, 17, 18)
    return np.kron(blocks, np.ones((size // 16, size // 16), np.uint8))


MASKS = {stem: png(ids(i)) for i, stem in enumerate(STEMS)}


def images_folder(folder: Path, stems=STEMS) -> Path:
    """A folder with one small photograph for each stem."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem in stems:
        Image.new("RGB", (8, 8)).save(folder / f"{stem}.jpg")
    return folder


def good(folder: str = "masks/") -> dict[str, bytes]:
    """The entries of a valid submission; `folder` is "" for the flat format."""
    return {f"{folder}{stem}.png": data for stem, data in MASKS.items()}


def write_zip(path: Path, entries, compression=zipfile.ZIP_STORED) -> Path:
    """Write (name or ZipInfo, bytes) pairs, or a dict of them, as they are."""
    pairs = entries.items() if isinstance(entries, dict) else entries
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in pairs:
            archive.writestr(name, data)
    return path


def special(name: str, mode: int) -> zipfile.ZipInfo:
    """An entry with the given Unix mode."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


GREY = Image.fromarray(ids())
FIRST = "masks/7.png"


def jpeg() -> bytes:
    return png(GREY, format="JPEG")


def inner_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a", b"a")
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def handmade_png(width=512, height=512, depth=8, colour=0, interlace=0, before=b"", raw=None):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    raw = bytes(513 * 512) if raw is None else raw
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + before
        + chunk(b"IDAT", zlib.compress(raw))
        + chunk(b"IEND", b"")
    )


def bad_checksum() -> bytes:
    data = bytearray(MASKS["7"])
    data[60] ^= 0xFF
    return bytes(data)


def mask(data: bytes) -> dict[str, bytes]:
    """A good codabench submission but for the first mask."""
    return {**good(), FIRST: data}


def check_problem(problems, kind, word):
    found = {problem.kind: problem for problem in problems}
    assert kind in found, [str(p) for p in problems]
    problem = found[kind]
    assert word in problem.message + problem.mend
    assert len(problem.mend) > 10
    assert "\x1b" not in str(problem)
    return problem
