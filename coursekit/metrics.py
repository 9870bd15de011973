"""Scores of label maps, all from one confusion matrix.

A functional core, `confusion_matrix` and what is read off it, and a small shell,
`ConfusionMatrix`, that sums over a data set. Pooling first and dividing last matters: the mean of
the images' scores is another number, and a class that an image lacks would have none there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor

from coursekit.labels import IGNORE_INDEX

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BYTES = 256
_EXACT = 1 << 24  # pixels at a time: OpenCV counts in float32
_LARGE, _LONG = 1 << 17, 32  # pixels of a map, and of a stretch, from which stretches are faster


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
    matrix = None
    if _are_bytes(prediction, target) and num_classes <= _BYTES and 0 <= ignore_index < _BYTES:
        matrix = _count_bytes(prediction, target, num_classes, ignore_index)
    return _count(prediction, target, num_classes, ignore_index) if matrix is None else matrix


def _count(prediction: Tensor, target: Tensor, num_classes: int, ignore_index: int) -> Tensor:
    """Any integers on any device, looked at before they are counted."""
    valid = target != ignore_index
    if not bool(valid.all()):
        prediction, target = prediction[valid], target[valid]
    if target.numel():
        for name, ids in (("prediction", prediction), ("target", target)):
            low, high = (int(v) for v in ids.aminmax())
            if low < 0 or high >= num_classes:
                raise ValueError(
                    f"{name} has ids from {low} to {high}; with {num_classes} classes they must "
                    f"lie in [0, {num_classes - 1}] (or {ignore_index} in a target)"
                )
    index = target.to(torch.int64) * num_classes + prediction.to(torch.int64)
    return torch.bincount(index, minlength=num_classes**2).view(num_classes, num_classes)


def _are_bytes(prediction: Tensor, target: Tensor) -> bool:
    """Whether both lie in a CPU's memory and no value is lost when it becomes a byte."""
    for ids in (prediction, target):
        if ids.device.type != "cpu" or not ids.numel():
            return False
        if ids.dtype != torch.uint8:
            low, high = ids.aminmax()
            if low < 0 or high >= _BYTES:
                return False
    return True


def _count_bytes(
    prediction: Tensor, target: Tensor, num_classes: int, ignore_index: int
) -> Tensor | None:
    """The matrix from bytes; None when a pixel is missing from it.

    What lies outside the classes is not counted: right for `ignore_index`, and otherwise a mistake
    that is for `_count` to name.
    """
    true, called = target.to(torch.uint8).numpy(), prediction.to(torch.uint8).numpy()
    total = _count_runs(true, called, num_classes) if true.size >= _LARGE else None
    if total is None:
        total = _histogram(true, called, num_classes)
    missing = true.size - int(total.sum())
    if ignore_index < num_classes:
        total[ignore_index] = 0
    elif missing:
        missing -= int(np.count_nonzero(true == ignore_index))
    return None if missing else torch.from_numpy(total)


def _histogram(true: NDArray, called: NDArray, num_classes: int) -> NDArray[np.int64]:
    """By OpenCV's histogram of two channels.

    Two to three times as fast as `bincount`, which needs an index of eight bytes for each pixel.
    """
    total = np.zeros((num_classes, num_classes), np.int64)
    for start in range(0, true.size, _EXACT):
        parts = [ids[start : start + _EXACT] for ids in (true, called)]
        counts = cv2.calcHist(parts, [0, 1], None, [num_classes] * 2, [0, num_classes] * 2)
        total += counts.astype(np.int64)
    return total


def _count_runs(true: NDArray, called: NDArray, num_classes: int) -> NDArray[np.int64] | None:
    """By the lengths of stretches in which neither map changes; None when they are short.

    Large label maps change at one pixel in fifty, and looking for changes is cheaper than counting:
    half the histogram's time on photographs of 512².
    """
    change = true[1:] != true[:-1]
    change |= called[1:] != called[:-1]
    if np.count_nonzero(change) * _LONG > true.size:
        return None
    last = np.append(np.flatnonzero(change), true.size - 1)  # pixel of each stretch
    lengths = np.diff(last, prepend=-1)
    rows, columns = true[last].astype(np.intp), called[last]
    valid = (rows < num_classes) & (columns < num_classes)
    pair = (rows * num_classes + columns)[valid]
    counts = np.bincount(pair, lengths[valid], minlength=num_classes**2)  # exact: below 2⁵³
    return counts.astype(np.int64).reshape(num_classes, num_classes)


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


def _mean_present(values: Tensor, matrix: Tensor) -> float:
    there = present(matrix)
    return float(values[there].mean()) if bool(there.any()) else 0.0


def mean_iou(matrix: Int[Tensor, "classes classes"]) -> float:
    """Mean of `iou` over the classes that occur, background included, in [0, 1].

    0 for an empty matrix. A class that was predicted but does not occur counts with 0.
    """
    return _mean_present(iou(matrix), matrix)


def mean_f1(matrix: Int[Tensor, "classes classes"]) -> float:
    """Mean of `f1_score` over the classes that occur, background included, in [0, 1].

    This is not 2m / (1 + m) of the mean IoU m, to which the F-measure that the course's report
    prints comes within 0.04 points: F1 = 2·IoU / (1 + IoU) holds class by class, and the function
    is concave, so the value from the mean is the larger of the two unless all classes score alike.
    """
    return _mean_present(f1_score(matrix), matrix)


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
