"""One look at each sample for the audit: what its files hold, and what is wrong with them alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from coursekit.data.findings import Finding
from coursekit.data.images import check_fit, read_image
from coursekit.data.landmark_files import outside_by, read_landmarks
from coursekit.data.layouts import Entry, Layout, PairLayout, relative
from coursekit.data.masks import MaskError, class_ids, decode_mask, reordered
from coursekit.errors import CourseError
from coursekit.landmarks import LANDMARK_GROUPS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from coursekit.labels import LabelSet

T = TypeVar("T")

#: Sides of the two miniatures by which photos are compared: of its colours, and of its detail.
COARSE, FINE = 16, 64

# Landmarks whose parts lie further from the mask's parts than this share of the face are another's.
_MISPLACED = 0.15


@dataclass(eq=False)
class Facts:
    """What the audit needs to remember of a sample once its pixels are gone.

    Attributes:
        split: of the sample.
        image: the photo, relative to the data set.
        label: the mask, or the folder of its parts; "" for an unlabelled sample.
        image_path: the photo.
        findings: what is wrong with these files, whatever the others are like.
        image_size: (height, width) of the photo; None when it cannot be read.
        label_size: the same of the mask.
        mode: of the mask file, "" where there is no single file.
        palette: the RGB bytes of its palette.
        by_colour: whether its palette is in another order, so that colours tell the ids.
        counts: (num_classes,) int64 pixels of each class; None when there is no usable mask.
        centres: (num_classes, 2) mean y and x of each class in pixels, NaN where absent.
        coarse: (768,) float32 of unit length: the photo's colours, 16 × 16.
        fine: (64, 64) int8: the photo's detail.
    """

    split: str
    image: str
    label: str
    image_path: Path
    findings: list[Finding] = field(default_factory=list)
    image_size: tuple[int, int] | None = None
    label_size: tuple[int, int] | None = None
    mode: str = ""
    palette: bytes = b""
    by_colour: bool = False
    counts: NDArray[np.int64] | None = None
    centres: NDArray[np.float64] | None = None
    coarse: NDArray[np.float32] | None = None
    fine: NDArray[np.int8] | None = None

    def has(self, labels: LabelSet, name: str) -> bool:
        """Whether the mask has a pixel of a class, by name."""
        if self.counts is None or name not in labels.names:
            return False
        return bool(self.counts[labels.index(name)] > 0)


def inspect(layout: Layout, root: Path, split: str, entry: Entry) -> Facts:
    """Read all files of a sample and judge them; never raises for what is in them."""
    label = "" if entry.label is None else relative(entry.label, root)
    facts = Facts(split, relative(entry.image, root), label, entry.image)
    image = _try(facts, "unreadable-image", facts.image, lambda: read_image(entry.image))
    if image is not None:
        facts.image_size = (image.shape[0], image.shape[1])
        facts.coarse, facts.fine = miniatures(image)
    label_map = _read_mask(layout, facts, entry)
    if label_map is not None:
        facts.label_size = (label_map.shape[0], label_map.shape[1])
        facts.counts, facts.centres = measure(label_map, layout.labels.num_classes)
    if image is not None and label_map is not None:
        sizes = (image.shape, label_map.shape)
        names = (entry.image, entry.label)
        _try(facts, "size-mismatch", facts.label, lambda: check_fit(*sizes, names))
    if entry.landmarks is not None:
        _check_landmarks(layout.labels, facts, entry.landmarks, relative(entry.landmarks, root))
    return facts


def measure(
    label_map: NDArray[np.uint8], num_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pixels and centre of each class.

    Args:
        label_map: (h, w) class ids; ids of `num_classes` and above are left out.
        num_classes: how many classes there are.

    Returns:
        (num_classes,) int64, and (num_classes, 2) mean y and x in pixels, NaN where absent.
    """
    counts = np.bincount(label_map.ravel(), minlength=256)[:num_classes].astype(np.int64)
    centres = np.full((num_classes, 2), np.nan)
    for index in np.flatnonzero(counts):
        drawn = (label_map == index).view(np.uint8)
        for axis in (0, 1):
            sums = cv2.reduce(drawn, 1 - axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
            centres[index, axis] = sums @ np.arange(len(sums)) / counts[index]
    return counts, centres


def miniatures(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """A photo's colours and detail in little, both blind to brightness and contrast.

    Returns:
        (768,) float32 of mean 0 and length 1 (or all 0 for a flat photo), and (64, 64) int8.
    """
    small = cv2.resize(image, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    coarse = small.astype(np.float32).ravel()
    coarse -= coarse.mean()
    coarse /= max(float(np.linalg.norm(coarse)), 1.0)
    larger = cv2.resize(image, (FINE, FINE), interpolation=cv2.INTER_AREA)
    detail = cv2.cvtColor(larger, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail -= cv2.GaussianBlur(detail, (0, 0), 3)
    peak = max(float(np.abs(detail).max()), 1.0)
    return coarse, np.round(detail * (127 / peak)).astype(np.int8)


def finding_of(kind: str, split: str, name: str, error: CourseError) -> Finding:
    """A reader's error as a finding: what stands before its first semicolon, and the mend."""
    message, _, mend = str(error).partition("; ")
    return Finding(kind, "error", split, (name,), message, mend or "mend or remove the file")


def _try(facts: Facts, kind: str, name: str, work: Callable[[], T]) -> T | None:
    try:
        return work()
    except CourseError as error:
        facts.findings.append(finding_of(kind, facts.split, name, error))
        return None


def _read_mask(layout: Layout, facts: Facts, entry: Entry) -> NDArray[np.uint8] | None:
    path = entry.label
    if path is None:
        return None
    if not isinstance(layout, PairLayout):
        return _try(facts, "unreadable-mask", facts.image, lambda: layout.read_label_map(entry))
    mask = _try(facts, "unreadable-mask", facts.label, lambda: decode_mask(path))
    if mask is None:
        return None
    facts.mode, facts.palette = mask.mode, mask.palette
    try:
        ids = class_ids(path, mask, layout.labels)
        facts.by_colour = reordered(path, mask, layout.labels) is not None
    except MaskError as error:
        facts.findings.append(finding_of(error.kind, facts.split, facts.label, error))
        return None
    return ids


def _check_landmarks(labels: LabelSet, facts: Facts, path: Path, name: str) -> None:
    points = _try(facts, "unreadable-landmarks", name, lambda: read_landmarks(path))
    if points is None or facts.image_size is None:
        return
    reason = misfit(points, facts, labels)
    if reason:
        facts.findings.append(
            Finding(
                "landmarks-misfit", "warning", facts.split, (name,),
                f"{path}: does not fit {facts.image}: {reason}",
                "leave it out of landmark training, or find the right file",
                (f"{name}: {reason}",),
            )
        )  # fmt: skip


def misfit(points: NDArray[np.floating], facts: Facts, labels: LabelSet) -> str:
    """Why 106 points cannot be a photo's; "" when they may be."""
    assert facts.image_size is not None
    height, width = facts.image_size
    outside = outside_by(points, facts.image_size)
    if outside:
        return f"a point lies {outside:.0f} pixels outside its {width}×{height}"
    if facts.centres is None or facts.label_size is None:
        return ""
    face = float(np.sqrt(np.ptp(points[:, 0]) * np.ptp(points[:, 1])))
    scale = np.array(facts.image_size) / np.array(facts.label_size)
    offsets = []
    for part in ("nose", "l_eye", "r_eye", "l_brow", "r_brow", "u_lip", "l_lip"):
        if facts.has(labels, part):
            group = "outer_mouth" if part.endswith("lip") else part
            drawn = facts.centres[labels.index(part)] * scale
            marked = points[list(LANDMARK_GROUPS[group])].mean(axis=0)[::-1]
            offsets.append(float(np.linalg.norm(drawn - marked)))
    if len(offsets) >= 3 and np.median(offsets) > _MISPLACED * max(face, 1.0):
        return f"its parts lie {np.median(offsets):.0f} pixels from those of the mask"
    return ""
