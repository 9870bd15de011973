"""`coursekit score`: what the competition would say of a zip, and what near relations would.

The 2024 edition (flat) pools: pixels of all images are counted together, and the mean of the 19
classes' IoU is the score. What it makes of a class that occurs nowhere is not published: here the
mean leaves it out, and `pooled_miou_19` counts it as 0. The 2025 edition (codabench) takes each
image by itself. How exactly that edition averages is not published, so every reading that fits is
computed, side by side, each under a name that says what it is.

All of them come from one (images, 19, 19) array of pixel counts.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.codabench.formats import (
    FLAT,
    MASK_SIZE,
    NUM_CLASSES,
    find_format,
    list_images,
)
from coursekit.codabench.problems import is_valid
from coursekit.codabench.validation import examine
from coursekit.data.images import resize_label_map
from coursekit.data.masks import read_label_map
from coursekit.errors import CourseError, few
from coursekit.labels import CELEBAMASK_HQ, IGNORE_INDEX

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray


#: Stands in every denominator of the 2025 scorer.
EPSILON = 1e-7

#: name → what the number is; the order is that of the output.
VARIANTS: Mapping[str, str] = {
    "pooled_miou": "IoU of each class over all images together; mean over the classes that occur "
    "in truth or prediction (the 2024 score, before × 100)",
    "pooled_miou_19": "the same, divided by 19: a class that occurs nowhere counts as 0",
    "pooled_f": "F of each class over all images together; mean over the classes that occur",
    "per_image_f_truth": "for each image, mean F over the classes in its truth; then mean over "
    "images (the 2025 score as documented)",
    "per_image_f_union": "for each image, mean F over the classes in its truth or its prediction; "
    "then mean over images",
    "per_image_f_19": "for each image, mean F over all 19 classes, 1 for a class in neither truth "
    "nor prediction; then mean over images",
}

HEADLINES = {"flat": "pooled_miou", "codabench": "per_image_f_truth"}


@dataclass(frozen=True)
class Scores:
    """The scores of one submission.

    Attributes:
        format: "flat" or "codabench".
        score: the headline as the edition shows it: in [0, 100] for flat, [0, 1] for codabench.
        headline: which of `variants` it is.
        variants: for each of `VARIANTS`, its value in [0, 1] and what it is.
        per_class: for each class, IoU and F over all images together in [0, 1] (None when it
            occurs nowhere), its pixels in truth and prediction, and the images whose truth has it.
        images: how many there are.
        notes: what a reader should know of these numbers.
    """

    format: str
    score: float
    headline: str
    variants: dict[str, dict[str, Any]]
    per_class: dict[str, dict[str, Any]]
    images: int
    notes: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as they stand in scores.json."""
        return asdict(self)


def score(
    zip_path: str | os.PathLike[str],
    truth_dir: str | os.PathLike[str],
    format: str,
) -> Scores:
    """Score a submission against its true masks.

    The zip is validated first, as `validate` does: a broken or hostile one is refused.

    Args:
        zip_path: the submission.
        truth_dir: a folder of <stem>.png, single-channel class ids 0 … 18, 255 where nothing is
            known. Masks of another size than 512² are brought to it by nearest neighbour, and a
            note says so, as it does of pixels of 255, which are not counted.
        format: "flat" or "codabench".

    Raises:
        CourseError: when the zip is not valid, or a true mask is missing, broken or no label map.
    """
    form = find_format(format)
    truths = list_images(truth_dir)
    counts: list[NDArray[np.int64]] = []
    resized: set[tuple[int, int]] = set()
    ignored: list[int] = []

    def add(stem: str, prediction: NDArray[np.uint8]) -> None:
        truth, size = read_truth(truths[stem])
        if size != (MASK_SIZE, MASK_SIZE):
            resized.add(size)
        ignored.append(int((truth == IGNORE_INDEX).sum()))
        counts.append(count_pixels(truth, prediction))

    problems = examine(zip_path, truths, format, on_mask=add)
    if not is_valid(problems):
        wrong = [problem.message for problem in problems if problem.severity == "error"]
        raise CourseError(
            f"{zip_path}: is not a valid submission, so it has no score: {few(wrong)}; "
            "`coursekit validate` lists what is wrong"
        )
    scores = score_counts(np.stack(counts), form.key)
    scores.notes.extend(
        f"true masks of {w} × {h} were brought to {MASK_SIZE} × {MASK_SIZE} by nearest neighbour"
        for w, h in sorted(resized)
    )
    if any(ignored):
        scores.notes.append(
            f"{sum(ignored):,} pixels of {np.count_nonzero(ignored)} true masks are {IGNORE_INDEX} "
            "and not counted; the platform may do otherwise"
        )
    scores.notes.extend(f"{p.severity}: {p.message}" for p in problems)
    return scores


def read_truth(path: Path) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """A true mask at 512², and its own width and height; read as training reads masks.

    Raises:
        CourseError: when it is broken, has colours, or holds ids above 18 (but 255).
    """
    truth = read_label_map(path, CELEBAMASK_HQ)
    if (truth == IGNORE_INDEX).all():
        raise CourseError(f"{path}: is {IGNORE_INDEX} throughout; leave out the image, or label it")
    height, width = truth.shape
    if (height, width) != (MASK_SIZE, MASK_SIZE):
        truth = resize_label_map(truth, MASK_SIZE, MASK_SIZE)
    return truth, (width, height)


def count_pixels(truth: NDArray[np.uint8], prediction: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Pixels by true class (rows) and predicted class (columns): (19, 19).

    Args:
        truth: class ids in [0, 18], of any shape; pixels of `IGNORE_INDEX` are not counted.
        prediction: class ids in [0, 18], of the same shape.
    """
    known = truth != IGNORE_INDEX
    if not known.all():
        truth, prediction = truth[known], prediction[known]
    pairs = truth.astype(np.uint16) * NUM_CLASSES + prediction
    counts = np.bincount(pairs.reshape(-1), minlength=NUM_CLASSES**2)
    return counts.reshape(NUM_CLASSES, NUM_CLASSES).astype(np.int64)


def f_scores(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """F of each class, by the 2025 scorer's steps: precision, recall, then their harmonic mean.

    Args:
        counts: (..., 19, 19) pixels by true and predicted class.

    Returns:
        (..., 19) in [0, 1]; 0 where a class occurs nowhere.
    """
    hit = np.diagonal(counts, axis1=-2, axis2=-1).astype(np.float64)
    precision = hit / (counts.sum(-2) + EPSILON)
    recall = hit / (counts.sum(-1) + EPSILON)
    return 2 * precision * recall / (precision + recall + EPSILON)


def ious(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """IoU of each class of (19, 19) counts: (19,) in [0, 1]; 0 where a class occurs nowhere."""
    hit = np.diagonal(counts)
    union = counts.sum(0) + counts.sum(1) - hit
    return hit / np.maximum(union, 1)


def score_counts(counts: NDArray[np.int64], format: str) -> Scores:
    """All scores from the images' pixel counts.

    Args:
        counts: (images, 19, 19) pixels by true and predicted class; at least one image.
        format: "flat" or "codabench": which variant is the headline.
    """
    form = find_format(format)
    pooled = counts.sum(0)
    in_truth, in_prediction = counts.sum(2) > 0, counts.sum(1) > 0
    in_either = in_truth | in_prediction
    occurs = in_either.any(0)
    iou, pooled_f, image_f = ious(pooled), f_scores(pooled), f_scores(counts)
    values = {
        "pooled_miou": iou[occurs].mean(),
        "pooled_miou_19": iou.mean(),
        "pooled_f": pooled_f[occurs].mean(),
        "per_image_f_truth": np.mean(image_f, axis=1, where=in_truth).mean(),
        "per_image_f_union": np.mean(image_f, axis=1, where=in_either).mean(),
        "per_image_f_19": np.where(in_either, image_f, 1.0).mean(),
    }
    headline = HEADLINES[form.key]
    per_class = {
        name: {
            "iou": float(iou[c]) if occurs[c] else None,
            "f": float(pooled_f[c]) if occurs[c] else None,
            "truth_pixels": int(pooled[c].sum()),
            "predicted_pixels": int(pooled[:, c].sum()),
            "truth_images": int(in_truth[:, c].sum()),
        }
        for c, name in enumerate(CELEBAMASK_HQ.names)
    }
    return Scores(
        format=form.key,
        score=float(values[headline]) * (100 if form is FLAT else 1),
        headline=headline,
        variants={k: {"value": float(values[k]), "label": VARIANTS[k]} for k in VARIANTS},
        per_class=per_class,
        images=len(counts),
        notes=_notes(form.key, occurs),
    )


def _notes(format: str, occurs: NDArray[np.bool_]) -> list[str]:
    notes = []
    absent = [name for name, there in zip(CELEBAMASK_HQ.names, occurs, strict=True) if not there]
    if absent:
        notes.append(
            f"{', '.join(absent)}: in no truth and no prediction, so without a score; pooled_miou "
            "leaves such classes out, pooled_miou_19 counts them as 0"
        )
    if format == "codabench":
        notes.append(
            "how the 2025 scorer averages over images is not published: on 83 images of one real "
            "submission the readings gave 0.779 to 0.843 where the official score over 100 images "
            "was 0.816; compare submissions by one variant, and expect the official number near"
        )
    return notes
