"""CelebAMask-HQ as its authors publish it: a file for each part, and a split by list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from coursekit.data.findings import Finding, some
from coursekit.data.folders import look_flat, natural_key
from coursekit.data.layouts import (
    SPLITS,
    Entry,
    Layout,
    Listing,
    not_read,
    read_lines,
    relative,
)
from coursekit.data.masks import decode_mask
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PHOTOS = "CelebA-HQ-img"
PARTS = "CelebAMask-HQ-mask-anno"
MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
PER_FOLDER = 2000

# The first original CelebA index of the official validation and test sets.
_FIRST_VAL, _FIRST_TEST = 162_771, 182_638


class CelebAMaskHQ(Layout):
    """The raw download: photos of 1024², parts of 512², the split in CelebA's own numbering.

    Parts are laid over one another in the order of the class ids, so that a later part hides an
    earlier one; a part that a face lacks has no file.
    """

    key = "celebamask-hq"
    title = "CelebAMask-HQ, raw"
    tree = f"{PHOTOS}/0.jpg, {PARTS}/0/00000_skin.png, {MAPPING}"
    labels = CELEBAMASK_HQ

    def find(self, root: Path) -> Path | None:
        for folder in (root, root / "CelebAMask-HQ"):
            if (folder / PHOTOS).is_dir() or (folder / PARTS).is_dir():
                return folder
        return None

    def splits(self, root: Path) -> tuple[str, ...]:
        return SPLITS

    def listing(self, root: Path, split: str) -> Listing:
        for name, what in ((PHOTOS, "the photos"), (PARTS, "the part masks")):
            if not (root / name).is_dir():
                return Listing((), (_missing(root, split, name, what),))
        if not (root / MAPPING).is_file():
            what = "the original indices that the official split is made from"
            return Listing((), (_missing(root, split, MAPPING, what),))
        found = look_flat(root / PHOTOS)
        photos = {p.stem: p for p in found.pictures if p.stem.isdecimal()}
        why = "is not called by a number, as the photos of this set are"
        odd = {p: why for p in found.pictures if not p.stem.isdecimal()}
        original, findings = _read_mapping(root, split)
        findings += not_read({**found.left_out, **odd}, root, "")
        unlisted = sorted(photos.keys() - original.keys(), key=natural_key)
        if unlisted and not _errors(findings):
            findings.append(
                Finding(
                    "unlisted-image", "error", split,
                    tuple(relative(photos[s], root) for s in unlisted),
                    f"{root / MAPPING}: has no line for {some(unlisted)} of {PHOTOS}, so their "
                    "split is not known",
                    "use the complete file of the download",
                )
            )  # fmt: skip
        stems = sorted(
            (s for s in photos if s in original and official_split(original[s]) == split),
            key=natural_key,
        )
        if not stems and not _errors(findings):
            findings.append(
                Finding(
                    "empty-split", "error", split, (PHOTOS,),
                    f"{root / PHOTOS}: holds no photo of the {split} split, by {MAPPING}",
                    "download the whole set, or open another split",
                )
            )  # fmt: skip
        lost = [s for s in original if s not in photos and official_split(original[s]) == split]
        if lost:
            findings.append(
                Finding(
                    "listed-missing", "warning", split, tuple(f"{PHOTOS}/{s}.jpg" for s in lost),
                    f"{root / MAPPING}: lists {len(lost)} photos that are not in {PHOTOS}",
                    "unpack the download again, unless a part of it is what you want",
                )
            )  # fmt: skip
        entries = tuple(
            Entry(s, photos[s], root / PARTS / str(int(s) // PER_FOLDER)) for s in stems
        )
        return Listing(entries, tuple(findings))

    def label_files(self, entry: Entry) -> tuple[Path, ...]:
        return tuple(path for _, path in self._parts(entry))

    def read_label_map(self, entry: Entry) -> NDArray:
        parts = self._parts(entry)
        if not parts:
            raise CourseError(
                f"{entry.label}: has no part mask {int(entry.name):05d}_*.png for {entry.image}; "
                "unpack the download again"
            )
        merged: NDArray[np.uint8] | None = None
        for index, path in parts:
            drawn = decode_part(path)
            if merged is None:
                merged = np.zeros(drawn.shape, dtype=np.uint8)
            elif merged.shape != drawn.shape:
                raise CourseError(
                    f"{path}: is {drawn.shape[1]}×{drawn.shape[0]}, the parts before it "
                    f"{merged.shape[1]}×{merged.shape[0]}; copy the file anew"
                )
            merged[drawn] = index
        assert merged is not None
        return merged

    def _parts(self, entry: Entry) -> list[tuple[int, Path]]:
        """The part files that exist, in the order in which they are merged."""
        assert entry.label is not None
        stem = f"{int(entry.name):05d}"
        paths = (
            (index, entry.label / f"{stem}_{name}.png")
            for index, name in enumerate(self.labels.names)
            if index > 0
        )
        return [(index, path) for index, path in paths if path.is_file()]


def _errors(findings: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def official_split(original_index: int) -> str:
    """The split of a photo, by its index in CelebA (24,183 train, 2,993 val, 2,824 test)."""
    if original_index >= _FIRST_TEST:
        return "test"
    return "val" if original_index >= _FIRST_VAL else "train"


def decode_part(path: Path) -> NDArray[np.bool_]:
    """Where a part mask is drawn: (h, w) bool, True where any channel is above zero.

    A palette is read as its colours: parts are drawn white on black, whatever the file's mode.
    """
    mask = decode_mask(path)
    values = mask.values
    if mask.mode == "P":
        colours = np.frombuffer(mask.palette, dtype=np.uint8).reshape(-1, 3).max(axis=1)
        values = colours[np.minimum(values.astype(np.intp), len(colours) - 1)]
    if mask.mode in ("RGBA", "LA"):
        values = values[..., :-1]
    if values.ndim == 3:
        values = values.max(axis=-1)
    return values.astype(bool)


def _read_mapping(root: Path, split: str) -> tuple[dict[str, int], list[Finding]]:
    """The original index of each photo's stem."""
    original: dict[str, int] = {}
    path = root / MAPPING
    for number, line in enumerate(read_lines(path), 1):
        fields = line.split()
        if not fields or not fields[0].isdecimal():
            if number == 1 or not fields:
                continue  # the header line
            return original, [_bad_line(path, number, line, split)]
        if len(fields) < 2 or not fields[1].isdecimal():
            return original, [_bad_line(path, number, line, split)]
        original[str(int(fields[0]))] = int(fields[1])
    return original, []


def _bad_line(path: Path, number: int, line: str, split: str) -> Finding:
    return Finding(
        "unreadable-list", "error", split, (path.name,),
        f"{path}: line {number} is {line[:60]!r}, not `idx orig_idx orig_file`",
        "use the file of the download as it is",
    )  # fmt: skip


def _missing(root: Path, split: str, name: str, what: str) -> Finding:
    return Finding(
        "missing-folder", "error", split, (name,),
        f"{root / name}: does not exist; it should hold {what} of CelebAMask-HQ",
        "unpack the download so that it lies beside the rest",
    )  # fmt: skip
