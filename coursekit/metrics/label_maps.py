"""Scores of label maps, all from one confusion matrix.

A functional core, `confusion_matrix` and what is read off it, and a small shell,
`ConfusionMatrix`, that sums over a data set. Pooling first and dividing last matters: the mean of
the images' scores is another number, and a class that an image lacks would have none there.
"""

from __future__ import annotations

from collections.abc import Collection

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from coursekit.labels import HELEN, IGNORE_INDEX, LabelSet

_BYTES = 256


def confusion_matrix(
    prediction: Integer[Tensor, "..."],
    target: Integer[Tensor, "..."],
    num_classes: int,
    ignore_index: int = IGNORE_INDEX,
) -> Int[Tensor, "classes classes"]:
    """Count pixels by true and predicted class.

    Args:
        prediction: class ids in [0, num_classes), any integer type, on any device.
        target: class ids in [0, num_classes), or `ignore_index` where a pixel does not count; of
            the same shape and on the same device.
        num_classes: how many classes there are.
        ignore_index: the target's value that takes a pixel out, whatever was predicted there.

    Returns:
        (num_classes, num_classes) int64 on the inputs' device; row: true class, column: predicted.

    Raises:
        ValueError: when shapes differ or an id lies outside the classes.
    """
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction is {tuple(prediction.shape)} and target {tuple(target.shape)}; "
            "resize one so that they agree"
        )
    prediction, target = prediction.reshape(-1), target.reshape(-1)
    matrix = _count(prediction, target, num_classes, ignore_index)
    if matrix is None:
        kept = target != ignore_index
        prediction, target = prediction[kept], target[kept]
        for name, ids in (("prediction", prediction), ("target", target)):
            low, high = _range(ids)
            if low < 0 or high >= num_classes:
                raise ValueError(
                    f"{name} has ids from {low} to {high}; with {num_classes} classes they must "
                    f"lie in [0, {num_classes - 1}] (or {ignore_index} in a target)"
                )
        matrix = _count(prediction, target, num_classes, ignore_index)
        assert matrix is not None
    return matrix


def _count(
    prediction: Tensor, target: Tensor, num_classes: int, ignore_index: int
) -> Tensor | None:
    """The matrix of flat maps; None when an id lies outside, in a pixel that counts or may not.

    Every byte has its row, so that ignored pixels can be counted with the others and their row
    left out: taking them out first would cost more than all the rest.
    """
    rows = max(num_classes, _BYTES)
    for ids, end in ((prediction, num_classes), (target, rows)):
        low, high = _range(ids)
        if low < 0 or high >= end:
            return None
    # The smallest type that holds every index: its memory is most of the time.
    small = torch.int16 if rows * num_classes <= 1 << 15 else torch.int32
    index = torch.add(prediction.to(small), target.to(small), alpha=num_classes)
    counts = torch.bincount(index, minlength=rows * num_classes).view(rows, num_classes)
    if 0 <= ignore_index < rows:
        counts[ignore_index] = 0
    return None if bool(counts[num_classes:].any()) else counts[:num_classes]


def _range(ids: Tensor) -> tuple[int, int]:
    """The least and the largest id; (0, 0) of none."""
    if not ids.numel():
        return 0, 0
    low, high = ids.aminmax()
    return int(low), int(high)


def _parts(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """True positives, pixels predicted and pixels true, each (num_classes,) float64."""
    matrix = matrix.double()
    return matrix.diagonal(), matrix.sum(0), matrix.sum(1)


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """The quotient, and 0 where the denominator is 0."""
    return torch.where(denominator > 0, numerator / denominator.clamp_min(1), 0.0)


def present(matrix: Int[Tensor, "classes classes"]) -> Tensor:
    """(num_classes,) bool: the class occurs in the target or in the prediction."""
    _, predicted, true = _parts(matrix)
    return (predicted + true) > 0


def iou(matrix: Int[Tensor, "classes classes"]) -> Float[Tensor, " classes"]:
    """Intersection over union |A ∩ B| / |A ∪ B| of each class, in [0, 1].

    A class that occurs neither in the target nor in the prediction has no union; its entry is 0,
    and the means leave it out (see `present`).
    """
    hit, predicted, true = _parts(matrix)
    return _ratio(hit, predicted + true - hit)


def f1_score(matrix: Int[Tensor, "classes classes"]) -> Float[Tensor, " classes"]:
    """F1 = 2·precision·recall / (precision + recall) = 2|A ∩ B| / (|A| + |B|), in [0, 1].

    Absent classes are treated as in `iou`.
    """
    hit, predicted, true = _parts(matrix)
    return _ratio(2 * hit, predicted + true)


def precision(matrix: Int[Tensor, "classes classes"]) -> Float[Tensor, " classes"]:
    """Share of the pixels predicted as a class that are of it; 0 where nothing was predicted."""
    hit, predicted, _ = _parts(matrix)
    return _ratio(hit, predicted)


def recall(matrix: Int[Tensor, "classes classes"]) -> Float[Tensor, " classes"]:
    """Share of a class's pixels that were found; 0 for a class with no pixels."""
    hit, _, true = _parts(matrix)
    return _ratio(hit, true)


def pixel_accuracy(matrix: Int[Tensor, "classes classes"]) -> float:
    """Share of the pixels whose class was found, in [0, 1]; 0 for an empty matrix."""
    return float(_ratio(matrix.double().diagonal().sum(), matrix.double().sum()))


def mean_iou(matrix: Int[Tensor, "classes classes"]) -> float:
    """Mean of `iou` over the classes that occur, background included, in [0, 1].

    0 for an empty matrix. A class that was predicted but does not occur counts with 0.
    """
    there = present(matrix)
    return float(iou(matrix)[there].mean()) if bool(there.any()) else 0.0


def mean_f1(matrix: Int[Tensor, "classes classes"], background: bool = True) -> float:
    """Mean of `f1_score` over the classes that occur, in [0, 1].

    This is not 2m / (1 + m) of the mean IoU m, to which the F-measure that the course's report
    prints comes within 0.04 points: F1 = 2·IoU / (1 + IoU) holds class by class, and the function
    is concave, so the value from the mean is the larger of the two unless all classes score alike.

    Args:
        matrix: row: true class, column: predicted.
        background: whether class 0 is one of those averaged. Papers on LaPa and CelebAMask-HQ leave
            it out; it stays in the scores of the others, whose pixels it may have taken.
    """
    first = 0 if background else 1
    values, there = f1_score(matrix)[first:], present(matrix)[first:]  # both (classes - first,)
    return float(values[there].mean()) if bool(there.any()) else 0.0


def merged_f1(matrix: Int[Tensor, "classes classes"], groups: Collection[Collection[int]]) -> float:
    """F1 of sets of classes, each set taken as one class, with their counts added up, in [0, 1].

    F1 = 2·Σ TP / (Σ GT + Σ Pred) over the sets; confusion inside a set counts as correct. One set
    gives the F1 of a part such as both eyes; several give that of the parts pooled.

    Args:
        matrix: row: true class, column: predicted.
        groups: class ids, no id in two of the sets.

    Returns:
        The F1; 0 when none of the classes occurs.
    """
    hit = predicted = true = 0
    for group in groups:
        ids = torch.tensor(sorted(group), dtype=torch.int64, device=matrix.device)
        rows = matrix[ids]  # (group, classes)
        true += int(rows.sum())
        predicted += int(matrix[:, ids].sum())
        hit += int(rows[:, ids].sum())
    return 2 * hit / (true + predicted) if true + predicted else 0.0


#: Smith et al.'s components of the inner face.
_COMPONENTS = {
    "brows": ("l_brow", "r_brow"),
    "eyes": ("l_eye", "r_eye"),
    "nose": ("nose",),
    "mouth": ("u_lip", "mouth", "l_lip"),
}


def helen_components(labels: LabelSet) -> dict[str, tuple[int, ...]]:
    """Class ids of brows, eyes, nose and mouth (both lips and what is between) in a label set."""
    return {
        part: tuple(labels.index(name) for name in names) for part, names in _COMPONENTS.items()
    }


def helen_overall_f1(matrix: Int[Tensor, "classes classes"], labels: LabelSet = HELEN) -> float:
    """The "overall F1" of papers on Helen: brows, eyes, nose, lips and inner mouth, in [0, 1].

    Their union is one class, so a brow that was taken for an eye counts as correct. Skin, hair and
    background do not count. Pooling the four components instead
    (`merged_f1(matrix, helen_components(labels).values())`) is the stricter of the two readings of
    "calculated over the merged facial components"; the parts rarely touch, so the two are close.

    Args:
        matrix: row: true class, column: predicted.
        labels: whose classes they are; any set with both brows and eyes, a nose, lips and a mouth.

    Raises:
        ValueError: when the matrix is not of the label set's classes.
    """
    if len(matrix) != labels.num_classes:
        raise ValueError(
            f"a matrix of {len(matrix)} classes, and {labels.key} has {labels.num_classes}; name "
            "the label set that was counted"
        )
    components = helen_components(labels)
    return merged_f1(matrix, [[index for ids in components.values() for index in ids]])


class ConfusionMatrix:
    """Sums the confusion matrices of batches.

    Args:
        num_classes: how many classes there are.
        ignore_index: the target's value that takes a pixel out.

    Attributes:
        matrix: (num_classes, num_classes) int64, on the device of the first batch.
    """

    def __init__(self, num_classes: int, ignore_index: int = IGNORE_INDEX) -> None:
        self.num_classes = num_classes
        self.ignore_index = ignore_index
        self.matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, prediction: Integer[Tensor, "..."], target: Integer[Tensor, "..."]) -> None:
        """Add a batch of class ids; see `confusion_matrix` for shapes, ranges and errors."""
        batch = confusion_matrix(prediction, target, self.num_classes, self.ignore_index)
        self.matrix = self.matrix.to(batch.device) + batch
