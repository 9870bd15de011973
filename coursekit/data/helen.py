"""Helen with Smith et al.'s eleven classes: one grey confidence map for each class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from coursekit.data.findings import Finding, some
from coursekit.data.folders import look_flat, matched, natural_key, same_name
from coursekit.data.layouts import SPLITS, Entry, Layout, Listing, not_read, read_lines
from coursekit.data.masks import decode_mask
from coursekit.errors import CourseError
from coursekit.labels import HELEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

FOLDER = "SmithCVPR2013_dataset_resized"
LISTS = {"train": "exemplars.txt", "val": "tuning.txt", "test": "testing.txt"}


class Helen(Layout):
    """The resized set of Smith et al. (CVPR 2013); a pixel's class is its most confident map."""

    key = "helen"
    title = "Helen (Smith et al.)"
    tree = f"{FOLDER}/{{images, labels/<id>/<id>_lbl00..10.png, {', '.join(LISTS.values())}}}"
    labels = HELEN

    def find(self, root: Path) -> Path | None:
        for folder in (root, root / FOLDER):
            lists = any((folder / name).is_file() for name in LISTS.values())
            if folder.name == FOLDER and folder.is_dir():
                return folder
            if lists and ((folder / "images").is_dir() or (folder / "labels").is_dir()):
                return folder
        return None

    def splits(self, root: Path) -> tuple[str, ...]:
        return tuple(s for s in SPLITS if (root / LISTS[s]).is_file())

    def listing(self, root: Path, split: str) -> Listing:
        for name in ("images", "labels", LISTS[split]):
            if not (root / name).exists():
                return Listing((), (_missing(root, split, name),))
        found = look_flat(root / "images")
        names = read_list(root / LISTS[split])
        photos = matched({same_name(p.stem): p for p in found.pictures}, names)
        if not names:
            return Listing(
                (),
                (
                    Finding(
                        "empty-split", "error", split, (LISTS[split],),
                        f"{root / LISTS[split]}: names no photo",
                        "use the file of the download as it is",
                    ),
                ),
            )  # fmt: skip
        entries, findings = self._match(root, split, names, photos)
        return Listing(entries, (*findings, *not_read(found.left_out, root, "")))

    def _match(
        self, root: Path, split: str, names: list[str], photos: Mapping[str, Path]
    ) -> tuple[tuple[Entry, ...], list[Finding]]:
        findings = []
        there = (p for p in (root / "labels").iterdir() if p.is_dir())
        folders = matched({same_name(p.name): p for p in there}, names)
        for kind, have, what in (
            ("unpaired-mask", photos.keys(), "images"),
            ("unpaired-image", folders, "labels"),
        ):
            lacking = [name for name in names if name not in have]
            if lacking:
                findings.append(
                    Finding(
                        kind, "error", split, tuple(lacking),
                        f"{root / LISTS[split]}: {len(lacking)} of {len(names)} listed faces are "
                        f"not in {root / what}: {some(lacking)}",
                        "unpack the download again, or take their lines out of the list",
                    )
                )  # fmt: skip
        entries = tuple(
            Entry(name, photos[name], folders[name])
            for name in sorted(names, key=natural_key)
            if name in photos and name in folders
        )
        return entries, findings

    def label_files(self, entry: Entry) -> tuple[Path, ...]:
        assert entry.label is not None
        return tuple(
            entry.label / f"{entry.label.name}_lbl{index:02d}.png"
            for index in range(self.labels.num_classes)
        )

    def read_label_map(self, entry: Entry) -> NDArray:
        best: NDArray | None = None
        label_map: NDArray[np.uint8] | None = None
        for index, path in enumerate(self.label_files(entry)):
            confidence = _confidence(path)
            if best is None or label_map is None:
                best, label_map = confidence, np.zeros(confidence.shape, dtype=np.uint8)
                continue
            if confidence.shape != best.shape:
                raise CourseError(
                    f"{path}: is {confidence.shape[1]}×{confidence.shape[0]}, the maps before it "
                    f"{best.shape[1]}×{best.shape[0]}; copy the file anew"
                )
            surer = confidence > best
            label_map[surer] = index
            best = np.maximum(best, confidence)
        assert label_map is not None
        return label_map


def read_list(path: Path) -> list[str]:
    """The names in one of the three lists, in its order.

    A line is `number , name`; a bare name, and several names between commas, are read too.
    """
    names: dict[str, None] = {}
    for line in read_lines(path):
        fields = [same_name(Path(f.strip()).stem) for f in line.split(",") if f.strip()]
        if len(fields) == 2 and fields[0].isdecimal():
            fields = fields[1:]
        names.update(dict.fromkeys(fields))
    return list(names)


def _confidence(path: Path) -> NDArray:
    """A confidence map: (h, w), higher is surer."""
    mask = decode_mask(path)
    values = mask.values
    if mask.mode == "P":
        table = np.frombuffer(mask.palette, dtype=np.uint8).reshape(-1, 3).mean(axis=1)
        return table[np.minimum(values.astype(np.intp), len(table) - 1)]
    if values.ndim == 2:
        return values
    grey = values[..., :3] if values.shape[-1] >= 3 else values[..., :1]
    if (grey != grey[..., :1]).any():
        raise CourseError(
            f"{path}: is a colour picture ({mask.mode}); Helen's maps are grey confidences. "
            "Copy the file anew"
        )
    return grey[..., 0]


def _missing(root: Path, split: str, name: str) -> Finding:
    return Finding(
        "missing-folder", "error", split, (name,),
        f"{root / name}: does not exist; Helen's {split} split is read from "
        f"images, labels and {LISTS[split]}",
        f"unpack {FOLDER} so that all three lie together",
    )  # fmt: skip
