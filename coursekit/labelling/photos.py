"""Which photographs of a folder are labelled, and where what belongs to them lies.

    FOLDER/images/a.jpg        or FOLDER/a.jpg
    FOLDER/landmarks/a.txt     106 points, as LaPa has them
    FOLDER/labels/a.png        the label map, as LaPa has it
    FOLDER/annotation/a.json   the record: what is hidden, what the hand did, what is not saved yet

A page names photographs by their stems, which are looked up here; no path is made of what it says.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.data.folders import IMAGE_SUFFIXES, look, natural_key, same_name
from coursekit.data.layouts import SPLITS
from coursekit.errors import CourseError, few
from coursekit.files import why_refused

if TYPE_CHECKING:
    from collections.abc import Mapping

IMAGES, LANDMARKS, LABELS, RECORDS = "images", "landmarks", "labels", "annotation"
#: In the folder of records: files that were another program's, and what training leaves.
REPLACED, MODEL = "replaced", "model"
_LONGEST = 255  # bytes of a file's name
_ADDED = "-9999.json"  # to a stem, at most: a copy's number, and an ending


@dataclass(frozen=True)
class Photos:
    """The photographs of a folder.

    Attributes:
        root: the folder in which everything lies, links resolved.
        photos: files by stem, naturally sorted.
        left_out: a sentence for each file that looks like a photograph and is not labelled.
    """

    root: Path
    photos: Mapping[str, Path]
    left_out: tuple[str, ...] = ()

    def landmarks(self, name: str) -> Path:
        """The landmark file of a photograph."""
        return self.root / LANDMARKS / f"{name}.txt"

    def label_map(self, name: str) -> Path:
        """Its label map."""
        return self.root / LABELS / f"{name}.png"

    def record(self, name: str) -> Path:
        """Its record."""
        return self.root / RECORDS / f"{name}.json"

    @property
    def model(self) -> Path:
        """What training again leaves there."""
        return self.root / RECORDS / MODEL / "model.safetensors"


def find_photos(folder: str | os.PathLike[str]) -> Photos:
    """The photographs of a folder, or of the `images` in it.

    Raises:
        CourseError: when there is none, when it is a data set of several splits, or when it cannot
            be written.
    """
    root = Path(folder)
    if not root.is_dir():
        what = "is no folder" if root.exists() else "there is no such folder"
        raise CourseError(f"{root}: {what}; name the one with the photographs")
    root = root.resolve()
    if root.name == IMAGES:
        root = root.parent
    splits = [split for split in SPLITS if (root / split / IMAGES).is_dir()]
    place = root / IMAGES if (root / IMAGES).is_dir() else root
    if splits and place == root:
        raise CourseError(f"{root}: holds splits; name one of them: {root / splits[0]}")
    photos, left_out = _listed(place, root)
    if not photos:
        raise CourseError(
            f"{place}: holds no photograph ({', '.join(sorted(IMAGE_SUFFIXES))}); name the folder "
            f"with the photographs{f' ({few(left_out)})' if left_out else ''}"
        )
    _check_places(root)
    return Photos(root, photos, tuple(left_out))


def _listed(place: Path, root: Path) -> tuple[dict[str, Path], list[str]]:
    found = look(place)
    left_out = [f"{path}: {reason}" for path, reason in found.left_out.items()]
    photos: dict[str, Path] = {}
    taken: dict[str, Path] = {}
    for path in sorted(found.pictures, key=lambda path: natural_key(path.name)):
        key = same_name(path.stem).casefold()  # a.jpg and A.png: one a.txt, on some systems
        if not path.resolve().is_relative_to(root):
            left_out.append(f"{path}: is a link out of the folder; copy the photograph there")
        elif len(os.fsencode(path.stem)) + len(_ADDED) > _LONGEST:
            left_out.append(f"{path.name}: is too long a name for a record beside it; shorten it")
        elif key in taken:
            left_out.append(f"{path}: shares its stem with {taken[key].name}; rename one of them")
        else:
            photos[path.stem] = taken[key] = path
    return photos, left_out


def _check_places(root: Path) -> None:
    """Refuse to begin where nothing can be kept."""
    for name in (LANDMARKS, LABELS, RECORDS):
        place = root / name
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise CourseError(
                f"{place}: no folder can be made there ({error.strerror}); labels are kept in it: "
                "make it writable, or copy the photographs elsewhere"
            ) from error
        _check_inside(place, root)
        if reason := why_refused(place):
            raise CourseError(
                f"{place}: cannot be written ({reason}); labels are kept in it: free some space, "
                "make it writable, or copy the photographs elsewhere"
            )
    for inner in (REPLACED, f"{REPLACED}/{LANDMARKS}", f"{REPLACED}/{LABELS}", MODEL):
        _check_inside(root / RECORDS / inner, root)


def _check_inside(place: Path, root: Path) -> None:
    """Nothing is written beyond the folder, whatever lies in one that somebody else has packed."""
    if not Path(os.path.realpath(place)).is_relative_to(root):  # also of a link to itself
        raise CourseError(f"{place}: is a link out of the folder; make it a folder")
