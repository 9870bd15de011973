"""The course's own parts of lesson 08."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def f_from_iou(iou: NDArray[Any]) -> NDArray[Any]:
    """F of each class from its IoU, both in [0, 1]; an array of any shape."""
    return 2 * iou / (1 + iou)


def two_means(iou: NDArray[Any]) -> tuple[float, float]:
    """From the IoU (C,) of all classes: the mean of their F, and the F of their mean IoU."""
    return float(f_from_iou(iou).mean()), float(f_from_iou(iou.mean()))


def image_scores(counts: NDArray[Any], eps: float = 1e-7) -> NDArray[Any]:
    """The score of each image, (N,), from counts (N, C, C): true class by predicted class."""
    hit = np.diagonal(counts, axis1=1, axis2=2)  # (N, C)
    precision = hit / (counts.sum(1) + eps)
    recall = hit / (counts.sum(2) + eps)
    f = 2 * precision * recall / (precision + recall + eps)
    return np.mean(f, axis=1, where=counts.sum(2) > 0)


def bootstrap(counts: NDArray[Any], draws: NDArray[Any]) -> NDArray[Any]:
    """Pooled mean IoU of each resample, (R,), from counts (N, C, C) and draws (R, n)."""
    return np.array([_mean_iou(counts[draw].sum(0)) for draw in draws])


def _mean_iou(counts: NDArray[Any]) -> float:
    hit = np.diagonal(counts)
    union = counts.sum(0) + counts.sum(1) - hit
    return float((hit[union > 0] / union[union > 0]).mean())


def interval(values: NDArray[Any], level: float = 0.95) -> NDArray[Any]:
    """The two ends of the middle part of the values that holds a share `level` of them."""
    return np.quantile(values, [(1 - level) / 2, (1 + level) / 2])


def lead(
    a: NDArray[Any], b: NDArray[Any], draws: NDArray[Any], level: float = 0.95
) -> NDArray[Any]:
    """The interval of the difference a minus b, both on the same resamples."""
    return interval(bootstrap(a, draws) - bootstrap(b, draws), level)


def write_flat(target: str | Path | io.BytesIO, logits: dict[str, Tensor]) -> None:
    """Write a flat submission: {stem}.png, 512², class ids, from (19, h, w) logits by stem."""
    with zipfile.ZipFile(target, "w") as archive:
        for stem, scores in logits.items():
            large = F.interpolate(scores[None], (512, 512), mode="bilinear")[0]  # (19, 512, 512)
            png = io.BytesIO()
            Image.fromarray(large.argmax(0).byte().numpy()).save(png, format="PNG")
            archive.writestr(f"{stem}.png", png.getvalue())
