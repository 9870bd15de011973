"""`open_dataset`: find out how a folder is laid out, and read one of its splits."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.data.celebamask import CelebAMaskHQ
from coursekit.data.findings import some
from coursekit.data.helen import Helen
from coursekit.data.images import check_fit, read_image
from coursekit.data.landmark_files import read_landmarks
from coursekit.data.layouts import COURSE_2024, COURSE_2025, LAPA_LAYOUT, SPLITS, Entry, Layout
from coursekit.data.sample import FaceDataset, Sample
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

LAYOUTS: tuple[Layout, ...] = (COURSE_2025, COURSE_2024, CelebAMaskHQ(), LAPA_LAYOUT, Helen())


class FolderDataset(FaceDataset):
    """The samples of one split of a folder.

    Attributes:
        root: the folder that is laid out.
        entries: where each sample lies.
        left_out: a sentence for each kind of file that looks like a sample and is not read.
    """

    def __init__(
        self,
        root: Path,
        split: str,
        layout: Layout,
        entries: tuple[Entry, ...],
        left_out: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.root = root
        self.split = split
        self.layout = layout.key
        self.labels = layout.labels
        self.entries = entries
        self.names = tuple(entry.name for entry in entries)
        self.labelled = bool(entries) and all(e.label is not None for e in entries)
        self.landmarked = bool(entries) and all(e.landmarks is not None for e in entries)
        self._layout = layout
        self.left_out = left_out

    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        entry = self.entries[index]
        image = read_image(entry.image)
        label_map = points = None
        if entry.label is not None:
            label_map = self._layout.read_label_map(entry)
            check_fit(image.shape, label_map.shape, (entry.image, entry.label))
        if entry.landmarks is not None and landmarks:
            points = read_landmarks(entry.landmarks)
        return Sample(entry.name, image, label_map, points, entry.image, entry.label)

    def image(self, index: int) -> NDArray[np.uint8]:
        return read_image(self.entries[index].image)

    def label_map(self, index: int) -> NDArray[np.uint8]:
        self.require_labels()
        label_map: NDArray[np.uint8] = self._layout.read_label_map(self.entries[index])
        return label_map

    def subset(self, indices: Sequence[int]) -> FolderDataset:
        entries = tuple(self.entries[self._position(i)] for i in indices)
        return FolderDataset(self.root, self.split, self._layout, entries, self.left_out)

    def identity(self) -> dict[str, Any]:
        files = []
        for entry in self.entries:
            points = () if entry.landmarks is None else (entry.landmarks,)
            for path in (entry.image, *self._layout.label_files(entry), *points):
                try:
                    state = path.stat()
                except OSError:
                    continue  # reading it says what is wrong
                files.append([str(path.absolute()), state.st_size, state.st_mtime_ns])
        return {"layout": self.layout, "split": self.split, "names": self.names, "files": files}

    def __repr__(self) -> str:
        return f"{self.root} ({self.layout}, {self.split}, {len(self)} samples)"


def find_layout(root: str | os.PathLike[str]) -> tuple[Path, Layout]:
    """The layout of a folder, and the folder that holds it (`root` or its customary child).

    Raises:
        CourseError: when the folder is missing, or none or several of the layouts match; the
            message says what was found and which layouts there are.
    """
    folder = Path(root).expanduser()
    if not folder.exists():
        raise CourseError(
            f"{folder}: does not exist; name the folder of a data set, or make a synthetic one: "
            "coursekit data make OUT"
        )
    if not folder.is_dir():
        raise CourseError(f"{folder}: is a file, not a folder; unpack it and name the folder")
    matches = _matches(folder)
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise CourseError(
            f"{folder}: looks like {' and '.join(m.title for _, m in matches)} at once, so it is "
            "not clear which files count; keep one of them there"
        )
    raise CourseError(_nothing_found(folder))


def open_dataset(root: str | os.PathLike[str], split: str) -> FolderDataset:
    """Open one split of a data set, in whichever known layout it lies.

    Nothing is decoded yet: a broken file is reported when its sample is asked for, or all of them
    at once by `audit`.

    Args:
        root: the folder of the data set: course 2024, course 2025, CelebAMask-HQ raw, LaPa or
            Helen.
        split: "train", "val" or "test". Val and test may be unlabelled.

    Returns:
        A sequence of `Sample`, naturally sorted by name.

    Raises:
        CourseError: when the folder is missing or has no known layout, the split is unknown or
            empty, or photos and masks do not pair up; it names the files and the mend.
    """
    if split not in SPLITS:
        near = difflib.get_close_matches(str(split), (*SPLITS, "valid", "validation"), n=1)
        hint = f"did you mean {'val' if near[0].startswith('val') else near[0]!r}? " if near else ""
        raise CourseError(f"no split is called {split!r}; {hint}there are: {', '.join(SPLITS)}")
    folder, layout = find_layout(root)
    listing = layout.listing(folder, split)
    for finding in listing.findings:
        if finding.severity == "error":
            raise CourseError("\n  ".join([str(finding.error()), *listing.left_out]))
    return FolderDataset(folder, split, layout, listing.entries, listing.left_out)


def _matches(folder: Path) -> list[tuple[Path, Layout]]:
    found = ((layout.find(folder), layout) for layout in LAYOUTS)
    return [(place, layout) for place, layout in found if place is not None]


def _nothing_found(folder: Path) -> str:
    children = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    inside = [p for p in children if p.is_dir()]
    shown = some([p.name[:30] + ("/" if p.is_dir() else "") for p in children], 4) or "nothing"
    better = next((p for p in (*inside[:50], folder.parent) if _matches(p)), None)
    mend = f"did you mean {better}?" if better is not None else f"Usual is {COURSE_2025.tree};"
    return (
        f"{folder}: no known layout; it holds {shown}. {mend} `coursekit data --help` shows all "
        "layouts"
    )


__all__ = ["LAYOUTS", "FolderDataset", "find_layout", "open_dataset"]
