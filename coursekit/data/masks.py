"""Decoding masks: the one reader, and every way in which a file is no label map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coursekit.data.images import DECODING_ERRORS, open_upright, unreadable
from coursekit.errors import CourseError
from coursekit.labels import IGNORE_INDEX, LABEL_SETS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from coursekit.labels import LabelSet

# Colours of a palette that differ by no more than this in any channel were one before a lossy
# conversion; the label sets' own are at least twice as far apart.
_NEAR = 12
# Along edges, runs of at most so many pixels whose id lies between its neighbours' …
_RAMP = 3
# … make up this share of all runs: in clean masks of 32² to 512² at most 0.13, in resized,
# turned and JPEG-compressed ones 0.26 to 0.84. Stripes in the order of their ids have more, and
# noise has a run every pixel or two: neither is a face.
_BLENDED, _STRIPES, _NOISE, _FEWEST = 0.2, 0.9, 0.4, 300

# Red, green and blue as one number.
_AS_NUMBER = np.array([1 << 16, 1 << 8, 1])


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


class MaskError(CourseError):
    """A picture that is no label map.

    Attributes:
        kind: how the audit calls this defect.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def read_label_map(path: Path, labels: LabelSet) -> NDArray[np.uint8]:
    """A mask as class ids: the values in mode L, the palette's indices in mode P.

    Where an optimiser put the palette into another order, its colours tell the ids.

    Returns:
        (h, w) uint8 in [0, num_classes), and `IGNORE_INDEX` where nothing is known.

    Raises:
        CourseError: when the file is unreadable, in colour, a JPEG, or holds unknown or blended
            ids.
    """
    return class_ids(path, decode_mask(path), labels)


def decode_mask(path: Path) -> Mask:
    """A mask file, decoded, turned upright as a photo is, and not judged.

    Raises:
        CourseError: when the file is missing, truncated or not a picture.
    """
    try:
        picture, kind = open_upright(path)
        palette = bytes(picture.getpalette() or []) if picture.mode == "P" else b""
        values = np.array(picture)
    except DECODING_ERRORS as error:
        raise unreadable(path, error) from error
    if kind in ("JPEG", "MPO"):
        raise CourseError(
            f"{path}: a JPEG cannot hold a mask, because its compression changes class ids; save "
            "masks as single-channel PNG"
        )
    return Mask(picture.mode, palette, values)


def class_ids(path: Path, mask: Mask, labels: LabelSet) -> NDArray[np.uint8]:
    """What `read_label_map` makes of a decoded mask."""
    _check_channels(path, mask, labels)
    table = reordered(path, mask, labels)
    values = mask.values if table is None else table[mask.values]
    ids = _check_ids(path, values, labels)
    _check_edges(path, ids)
    return ids


def reordered(path: Path, mask: Mask, labels: LabelSet) -> NDArray[np.uint8] | None:
    """The class of each index, where a palette has the label set's colours at other indices.

    Tools that make PNGs smaller sort palettes and drop entries: what is seen stays the same, and
    indices are ids no longer. Any other palette is there for display, and its indices are ids.

    Returns:
        (256,) uint8, or None where indices are ids.

    Raises:
        MaskError: when the order was changed and some colours with it.
    """
    colours = np.frombuffer(mask.palette, np.uint8).reshape(-1, 3).astype(np.int16)
    used = np.unique(mask.values) if len(colours) else np.zeros(0, np.uint8)
    used = used[(used < len(colours)) & (used != IGNORE_INDEX)]
    if any(_in_order(colours, used, known) for known in LABEL_SETS.values()):
        return None
    apart = np.abs(colours[used][:, None] - labels.palette_array()).max(axis=2)  # (used, classes)
    nearest = apart.argmin(axis=1)
    distance = apart.min(axis=1, initial=255)
    # Black, class 0, tells nothing: unused entries and dark ramps are black too.
    black = (distance <= _NEAR) & (nearest == 0)
    known = (distance <= _NEAR) & ~black
    moved = known & (nearest != used)
    if not moved.any():
        return None
    if not distance.any() and len(np.unique(nearest)) == len(used):
        table = np.full(256, IGNORE_INDEX, np.uint8)
        table[used] = nearest
        return table
    if 2 * known.sum() < (~black).sum():  # a palette of its own, with some of these colours
        return None
    raise MaskError(
        "changed-palette",
        f"{path}: its palette has {labels.key} colours at other indices ({used[moved][0]} is "
        f"{labels.names[nearest[moved][0]]}) and others that do not tell the class: a tool that "
        "makes PNGs smaller, or a conversion, changed it; save the mask anew without such a tool",
    )


def _in_order(colours: NDArray[np.int16], used: NDArray[np.integer], known: LabelSet) -> bool:
    """Whether the entries in use have the colours that a label set gives these indices."""
    inside = used[used < known.num_classes]
    return bool((colours[inside] == known.palette_array()[inside]).all())


def _check_channels(path: Path, mask: Mask, labels: LabelSet) -> None:
    """Refuse a colour mask, and say what its colours seem to be."""
    if mask.values.ndim == 2:
        return
    rgb = mask.mode in ("RGB", "RGBA")
    known = labels.palette_array().astype(np.int64) @ _AS_NUMBER
    if rgb and np.isin(mask.values[..., :3].astype(np.int64) @ _AS_NUMBER, known).all():
        hint = f"its colours are the {labels.key} palette: turn each into its class id"
    elif rgb and (mask.values[..., :3] == mask.values[..., :1]).all():
        hint = "its channels are equal: keep one of them"
    else:
        hint = "its channels are not the course's palette: find out what drew them"
    raise MaskError(
        "colour-mask",
        f"{path}: a mask in mode {mask.mode}; a mask holds class ids in a single channel. "
        f"{hint[0].upper()}{hint[1:]}, and save as PNG in mode L or P",
    )


def _check_ids(path: Path, values: NDArray[np.generic], labels: LabelSet) -> NDArray[np.uint8]:
    """The values as class ids, (h, w) uint8; those that the label set does not have are named."""
    last = labels.num_classes - 1
    integers = values.astype(np.uint8) if values.dtype == bool else values
    if np.issubdtype(values.dtype, np.floating) and not np.isin(values, np.arange(256)).all():
        raise MaskError(
            "unknown-ids",
            f"{path}: holds fractions; a mask holds class ids. Save it as PNG in mode L or P, and "
            "resize masks by nearest neighbour",
        )
    if integers.size and (integers.max() > last or integers.min() < 0):
        present = np.unique(integers)
        odd = present[((present > last) & (present != IGNORE_INDEX)) | (present < 0)]
        if odd.size:
            raise MaskError(
                "unknown-ids",
                f"{path}: holds {'ids' if odd.size > 1 else 'id'} "
                f"{', '.join(map(str, odd[:6].tolist()))}{' …' if odd.size > 6 else ''}; "
                f"{labels.key} has 0–{last} ({IGNORE_INDEX} is ignored). Save class ids, not "
                "colours, grey levels or a resized mask with blended edges",
            )
    return np.ascontiguousarray(integers, dtype=np.uint8)


def _check_edges(path: Path, ids: NDArray[np.uint8]) -> None:
    """Refuse a mask that was resized as photos are: between two classes it holds ids in between."""
    counts = np.array([_ramps(ids), _ramps(np.ascontiguousarray(ids.T))]).sum(axis=0)
    between, runs = counts.tolist()
    face = runs >= _FEWEST and runs <= _NOISE * 2 * ids.size
    if not face or not _BLENDED * runs <= between <= _STRIPES * runs:
        return
    raise MaskError(
        "blended-mask",
        f"{path}: its edges are blended: {between / runs:.0%} of the steps from class to class go "
        "by ids in between, which are other classes; resize and turn masks by nearest neighbour, "
        "and never save them as JPEG",
    )


def _ramps(ids: NDArray[np.uint8]) -> tuple[int, int]:
    """In the rows of a mask: short runs whose id lies between its neighbours', and all runs."""
    starts = np.ones(ids.shape, dtype=bool)
    starts[:, 1:] = ids[:, 1:] != ids[:, :-1]
    where = np.flatnonzero(starts)
    row, value = where // max(ids.shape[1], 1), ids.ravel()[where].astype(np.int16)
    before, here, after = value[:-2], value[1:-1], value[2:]
    ramp = (np.sign(here - before) == np.sign(after - here)) & (row[:-2] == row[2:])
    return int((ramp & (np.diff(where)[1:] <= _RAMP)).sum()), int((row[1:] == row[:-1]).sum())
