"""The folder layouts that the course reads: how each is recognised, listed and read.

A layout lists a split without opening a file, so that 30,000 photos take well under a second, and
returns what it found wrong beside what it found: a reader raises the first error, the audit
collects all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.data.findings import Finding, some
from coursekit.data.folders import (
    IMAGE_SUFFIXES,
    is_junk,
    look_flat,
    matched,
    natural_key,
    same_name,
)
from coursekit.data.masks import read_label_map
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, LAPA, LabelSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Entry:
    """Where one sample lies.

    Attributes:
        name: the stem of the photo.
        image: the photo.
        label: the mask, or for layouts with a file for each class the folder of them; None for
            an unlabelled sample.
        landmarks: the landmark file, or None.
    """

    name: str
    image: Path
    label: Path | None = None
    landmarks: Path | None = None


@dataclass(frozen=True)
class Listing:
    """What a split holds: the complete entries, naturally sorted, and what was wrong."""

    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def left_out(self) -> tuple[str, ...]:
        """A sentence for each finding of files that are not read."""
        return tuple(f"{f.message}; {f.mend}" for f in self.findings if f.kind == "not-read")


class Layout(ABC):
    """One way of laying a data set out in folders.

    Attributes:
        key: a short identifier.
        title: the name in words.
        tree: the folders in one line, for messages.
        labels: the classes that its masks hold.
    """

    key: str
    title: str
    tree: str
    labels: LabelSet

    @abstractmethod
    def find(self, root: Path) -> Path | None:
        """The folder that is laid out so: `root`, its customary child, or None."""

    @abstractmethod
    def splits(self, root: Path) -> tuple[str, ...]:
        """The splits that are there, of `SPLITS`."""

    @abstractmethod
    def listing(self, root: Path, split: str) -> Listing:
        """What a split holds; nothing is decoded."""

    @abstractmethod
    def read_label_map(self, entry: Entry) -> NDArray:
        """The (h, w) uint8 label map of a labelled entry.

        Raises:
            CourseError: when its files are missing or wrong.
        """

    @abstractmethod
    def label_files(self, entry: Entry) -> tuple[Path, ...]:
        """Every file that the label map of an entry is made from."""


@dataclass(frozen=True)
class PairLayout(Layout):
    """A folder of photos and a folder of masks with the same stems, for each split.

    Attributes:
        images: for each split, the folders in which the photos may lie; the first is the usual.
        masks: the same for the masks.
        landmarks: the same for the landmarks, where the layout has any.
        telling: folder names that only this layout uses: one of them is enough to recognise it.
        sharing: folders that another layout uses too; they count if nothing in `unless` exists.
    """

    key: str
    title: str
    tree: str
    labels: LabelSet
    images: Mapping[str, tuple[str, ...]]
    masks: Mapping[str, tuple[str, ...]]
    landmarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    telling: tuple[str, ...] = ()
    sharing: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def find(self, root: Path) -> Path | None:
        if any((root / name).is_dir() for name in self.telling):
            return root
        shared = any((root / name).is_dir() for name in self.sharing)
        other = any((root / name).is_dir() for name in self.unless)
        return root if shared and not other else None

    def splits(self, root: Path) -> tuple[str, ...]:
        return tuple(
            split
            for split in SPLITS
            if _first_folder(root, (*self.images[split], *self.masks[split])) is not None
        )

    def listing(self, root: Path, split: str) -> Listing:
        images = _first_folder(root, self.images[split])
        masks = _first_folder(root, self.masks[split])
        if images is None:
            return Listing((), (self._missing(root, split, self.images[split][0], "photos"),))
        if masks is None and split == "train":
            return Listing((), (self._missing(root, split, self.masks[split][0], "masks"),))
        findings: list[Finding] = []
        photos = _by_stem(images, root, split, findings)
        if not photos:
            findings.append(_empty(images, split))
        points = self._landmark_files(root, split, photos)
        if masks is None:
            entries = [Entry(stem, path, None, points.get(stem)) for stem, path in photos.items()]
            return Listing(_sorted(entries), tuple(findings))
        labels = matched(_by_stem(masks, root, split, findings), photos)
        findings += _unpaired(photos, labels, root, split, (images, masks))
        entries = [
            Entry(stem, path, labels[stem], points.get(stem))
            for stem, path in photos.items()
            if stem in labels
        ]
        return Listing(_sorted(entries), tuple(findings))

    def read_label_map(self, entry: Entry) -> NDArray:
        assert entry.label is not None
        return read_label_map(entry.label, self.labels)

    def label_files(self, entry: Entry) -> tuple[Path, ...]:
        return () if entry.label is None else (entry.label,)

    def _landmark_files(
        self, root: Path, split: str, photos: Mapping[str, Path]
    ) -> dict[str, Path]:
        folder = _first_folder(root, self.landmarks.get(split, ()))
        if folder is None:
            return {}
        return matched({same_name(p.stem): p for p in text_files(folder)}, photos)

    def _missing(self, root: Path, split: str, folder: str, what: str) -> Finding:
        there = some([s for s in self.splits(root) if s != split]) or "no other split"
        return Finding(
            "missing-folder", "error", split, (folder,),
            f"{root / folder}: does not exist; it should hold the {what} of the {split} split "
            f"({self.title}: {self.tree})",
            f"copy it there, or open one of what is there: {there}",
        )  # fmt: skip


def text_files(folder: Path) -> list[Path]:
    """The files of a folder that end in .txt, whatever their case; hidden ones are not.

    Raises:
        CourseError: when it cannot be listed.
    """
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise CourseError(
            f"{folder}: cannot be listed ({error.strerror or error}); make it readable"
        ) from error
    return [p for p in paths if p.suffix.lower() == ".txt" and not is_junk(p.name)]


def not_read(left_out: Mapping[Path, str], root: Path, split: str) -> list[Finding]:
    """Pictures of a split ("" for all) that are not read: one finding, with each one's reason."""
    if not left_out:
        return []
    paths = sorted(left_out, key=lambda path: natural_key(path.as_posix()))
    names = tuple(relative(path, root) for path in paths)
    details = tuple(f"{n}: {left_out[p]}" for n, p in zip(names, paths, strict=True))
    return [
        Finding(
            "not-read", "warning", split, names,
            f"{root}: {len(names)} not read{split and f' in {split}'}: {some(names)} "
            f"({left_out[paths[0]]})",
            "until then, training and scores do without", details,
        )
    ]  # fmt: skip


def read_lines(path: Path) -> list[str]:
    """The lines of a list that belongs to a data set.

    Raises:
        CourseError: when it cannot be read.
    """
    try:
        return path.read_text("utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise CourseError(
            f"{path}: cannot be read ({error.strerror or error}); make it readable"
        ) from error


def relative(path: Path, root: Path) -> str:
    """A path as the audit names it: relative to the data set, with forward slashes."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def _first_folder(root: Path, candidates: Iterable[str]) -> Path | None:
    return next((root / name for name in candidates if (root / name).is_dir()), None)


def _sorted(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: natural_key(entry.name)))


def _by_stem(folder: Path, root: Path, split: str, findings: list[Finding]) -> dict[str, Path]:
    """The pictures of a folder by stem; two with one stem are a finding, others left out too."""
    groups: dict[str, list[Path]] = defaultdict(list)
    found = look_flat(folder)
    for path in found.pictures:
        groups[same_name(path.stem)].append(path)
    findings += not_read(found.left_out, root, split)
    double = sorted((s for s, paths in groups.items() if len(paths) > 1), key=natural_key)
    if double:
        names = tuple(relative(p, root) for s in double for p in sorted(groups[s]))
        findings.append(
            Finding(
                "double-stem", "error", split, names,
                f"{folder}: several files share a stem: {some([Path(n).name for n in names])}",
                "keep one file for each stem, so that photo and mask can be paired",
            )
        )  # fmt: skip
    return {stem: min(paths) for stem, paths in groups.items()}


def _empty(folder: Path, split: str) -> Finding:
    return Finding(
        "empty-split", "error", split, (folder.name,),
        f"{folder}: holds no picture ({', '.join(sorted(IMAGE_SUFFIXES))})",
        "copy the photos there, or delete the folder if the split has none",
    )  # fmt: skip


def _unpaired(
    photos: Mapping[str, Path], masks: Mapping[str, Path], root: Path, split: str,
    folders: tuple[Path, Path],
) -> list[Finding]:  # fmt: skip
    """Photos without a mask and masks without a photo."""
    findings = []
    for kind, have, lack, folder, what in (
        ("unpaired-image", photos, masks, folders[1], "photos have no mask"),
        ("unpaired-mask", masks, photos, folders[0], "masks have no photo"),
    ):
        stems = sorted(have.keys() - lack.keys(), key=natural_key)
        if stems:
            names = tuple(relative(have[s], root) for s in stems)
            findings.append(
                Finding(
                    kind, "error", split, names,
                    f"{next(iter(have.values())).parent}: {len(stems)} of {len(have)} {what} of "
                    f"the same stem in {folder}: {some([Path(n).name for n in names])}",
                    "add the missing files, or move the odd ones away",
                )
            )  # fmt: skip
    return findings


def _each(pattern: str) -> dict[str, tuple[str, ...]]:
    return {split: (pattern.format(split),) for split in SPLITS}


COURSE_2024 = PairLayout(
    key="course2024",
    title="course 2024",
    tree="train/{train_image,train_mask}, val/{val_image,val_mask}, test_image",
    labels=CELEBAMASK_HQ,
    images={
        "train": ("train/train_image",),
        "val": ("val/val_image",),
        "test": ("test_image", "test/test_image"),
    },
    masks={
        "train": ("train/train_mask",),
        "val": ("val/val_mask",),
        "test": ("test_mask", "test/test_mask"),
    },
    telling=(
        "train/train_image", "train/train_mask", "val/val_image", "val/val_mask", "test_image",
        "test/test_image",
    ),
)  # fmt: skip

COURSE_2025 = PairLayout(
    key="course2025",
    title="course 2025",
    tree="train/{images,masks}, val/{images,masks}, test/images",
    labels=CELEBAMASK_HQ,
    images=_each("{}/images"),
    masks=_each("{}/masks"),
    telling=tuple(f"{split}/masks" for split in SPLITS),
    sharing=tuple(f"{split}/images" for split in SPLITS),
    unless=tuple(f"{split}/{name}" for split in SPLITS for name in ("labels", "landmarks")),
)

LAPA_LAYOUT = PairLayout(
    key="lapa",
    title="LaPa",
    tree="{train,val,test}/{images,labels,landmarks}",
    labels=LAPA,
    images=_each("{}/images"),
    masks=_each("{}/labels"),
    landmarks=_each("{}/landmarks"),
    telling=tuple(f"{split}/{name}" for split in SPLITS for name in ("labels", "landmarks")),
)
