"""One mask of a submission: is it the PNG that the scorer needs, and what does it hold?

The PNG's chunks are read here before Pillow sees a byte, and Pillow is given the three kinds that
carry the picture alone: no claimed size, compressed text or colour profile of a stranger's file is
ever acted on.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from coursekit.codabench import limits
from coursekit.codabench.formats import MASK_SIZE, NUM_CLASSES
from coursekit.labels import CELEBAMASK_HQ

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {2: "rgb-mask", 3: "palette-mask", 4: "la-mask", 6: "rgba-mask"}
#: What the scorer's `.convert("P")` reads as the ids that were meant.
_HARMLESS = {"palette-mask", "la-mask", "16-bit-mask", "animated", "interlaced", "transparent"}


@dataclass(frozen=True)
class MaskReport:
    """What a mask is.

    Attributes:
        problems: (kind, detail) pairs, empty for a good mask.
        label_map: (512, 512) uint8 class ids, or None when they could not be read.
    """

    problems: tuple[tuple[str, str], ...]
    label_map: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    colour_type: int
    interlace: int


def check_mask(data: bytes) -> MaskReport:
    """Look into one PNG.

    Args:
        data: the whole file.

    Returns:
        What is wrong with it, and its class ids when it is at least a 512 × 512 PNG that the scorer
        reads as ids in [0, 18]: one channel of 8 bits, or what comes to the same.
    """
    foreign = _foreign(data)
    if foreign:
        return MaskReport((foreign,))
    try:
        header, chunks, plain = _read_chunks(data)
    except ValueError as error:
        return MaskReport((("truncated-png", str(error)),))
    problems = _check_header(header, chunks)
    if any(kind not in _HARMLESS for kind, _ in problems):
        return MaskReport(tuple(problems))
    try:
        with Image.open(io.BytesIO(plain), formats=["PNG"]) as image:
            label_map = np.asarray(image.getchannel(0) if image.mode == "LA" else image)
    # Pillow raises SyntaxError and struct.error too on bytes that are no picture.
    except (OSError, ValueError, SyntaxError, struct.error, zlib.error) as error:
        return MaskReport((*problems, ("truncated-png", str(error))))
    wrong = _check_ids(label_map) or _check_palette(label_map, chunks.get(b"PLTE"))
    if wrong:
        return MaskReport((*problems, wrong))
    return MaskReport(tuple(problems), label_map.astype(np.uint8, copy=False))


def _foreign(data: bytes) -> tuple[str, str] | None:
    if not data:
        return "empty-file", ""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg-renamed", ""
    if data.startswith(b"PK\x03\x04"):
        return "nested-zip", ""
    if not data.startswith(_SIGNATURE):
        return "not-a-png", f"it begins with {data[:8]!r}"
    return None


def _read_chunks(data: bytes) -> tuple[_Header, dict[bytes, bytes], bytes]:
    """The header, a chunk of each kind, and the PNG with nothing but IHDR, IDAT and IEND.

    Raises:
        ValueError: when a chunk is cut off or does not match its checksum.
    """
    position, header, chunks = len(_SIGNATURE), None, dict[bytes, bytes]()
    plain = [_SIGNATURE]
    while b"IEND" not in chunks:
        if position + 12 > len(data):
            raise ValueError("it ends before its last chunk")
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        end = position + 12 + length
        if end > len(data):
            raise ValueError(f"it ends within a chunk {kind!r}")
        checksum = struct.unpack(">I", data[end - 4 : end])[0]
        if zlib.crc32(data[position + 4 : end - 4]) != checksum:
            raise ValueError(f"chunk {kind!r} does not match its checksum")
        if header is None:
            if kind != b"IHDR" or length != 13:
                raise ValueError("it does not begin with a header")
            width, height, depth, colour, _, _, interlace = struct.unpack(
                ">IIBBBBB", data[position + 8 : position + 21]
            )
            header = _Header(width, height, depth, colour, interlace)
        elif kind == b"IHDR":
            raise ValueError("it has two headers")
        if kind in (b"IHDR", b"IDAT", b"IEND"):
            plain.append(data[position:end])
        chunks[kind] = data[position + 8 : end - 4]
        position = end
    if header is None or b"IDAT" not in chunks:
        raise ValueError("it holds no picture")
    return header, chunks, b"".join(plain)


def _check_header(header: _Header, kinds: Collection[bytes]) -> list[tuple[str, str]]:
    problems = []
    size = f"{header.width} × {header.height}"
    if header.width * header.height > limits.MOST_PIXELS:
        return [("png-bomb", size)]
    if (header.width, header.height) != (MASK_SIZE, MASK_SIZE):
        problems.append(("wrong-size", f"it is {size}"))
    if header.colour_type == 4 and header.depth == 16:
        problems.append(("low-bit-mask", "16 bits with transparency are read as their upper 8"))
    elif header.colour_type in _COLOUR_TYPES:
        problems.append((_COLOUR_TYPES[header.colour_type], ""))
    elif header.colour_type != 0:
        problems.append(("truncated-png", f"colour type {header.colour_type} does not exist"))
    elif header.depth == 16:
        problems.append(("16-bit-mask", ""))
    elif header.depth != 8:
        problems.append(("low-bit-mask", f"{header.depth} bits"))
    if b"acTL" in kinds:
        problems.append(("animated", ""))
    if header.interlace:
        problems.append(("interlaced", ""))
    if b"tRNS" in kinds and header.colour_type == 0:
        problems.append(("transparent", ""))
    return problems


def _palette_as_grey() -> NDArray[np.uint8]:
    """The grey of each class's colour, as Pillow's .convert("L") makes it."""
    colours = Image.fromarray(CELEBAMASK_HQ.palette_array()[None])
    return np.asarray(colours.convert("L"))[0]


def _check_ids(label_map: NDArray[np.uint8]) -> tuple[str, str] | None:
    # max() first: it is far quicker than counting, and a good mask needs no more.
    if int(label_map.max()) < NUM_CLASSES:
        return None
    values = np.flatnonzero(np.bincount(label_map.reshape(-1), minlength=256))
    high = [int(v) for v in values if v >= NUM_CLASSES]
    listed = "values " + ", ".join(str(v) for v in high[:6]) + (", …" if len(high) > 6 else "")
    if np.isin(values, _palette_as_grey()).all():
        return "palette-converted", listed
    if high == [255]:
        listed += "; 255 may mean 'ignore' in a truth mask, never in a prediction"
    return "ids-out-of-range", listed


def _check_palette(label_map: NDArray[np.uint8], palette: bytes | None) -> tuple[str, str] | None:
    """A palette of the classes' colours in another order: an optimiser's, or a program's own."""
    if palette is None:
        return None
    classes = {bytes(colour): c for c, colour in enumerate(CELEBAMASK_HQ.palette_array())}
    used = [int(i) for i in np.flatnonzero(np.bincount(label_map.reshape(-1)))]
    meant = {i: classes.get(palette[3 * i : 3 * i + 3]) for i in used}
    moved = [(i, c) for i, c in meant.items() if c is not None and c != i]
    if not moved or None in meant.values():
        return None
    index, meaning = moved[0]
    colour = CELEBAMASK_HQ.names[meaning]
    return "palette-reordered", f"index {index} has the colour of class {meaning}, {colour}"
