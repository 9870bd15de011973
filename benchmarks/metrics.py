"""One confusion matrix against a loop over the classes, and against torchmetrics as it comes.

uv run --group peers python benchmarks/metrics.py [--threads 1]

Ours counts in one thread, whatever there is; torch shares the work of the others among threads.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from harness import compare, header, show
from torch import Tensor
from torchmetrics.classification import MulticlassJaccardIndex

from coursekit.metrics import ConfusionMatrix, iou
from coursekit.synthfaces import render


def loop_over_classes(predictions: Tensor, targets: Tensor) -> Tensor:
    """IoU of each class as it is often written: two boolean maps a class and an image."""
    intersection, union = torch.zeros(19), torch.zeros(19)
    for prediction, target in zip(predictions, targets, strict=True):
        for c in range(19):
            a, b = prediction == c, target == c
            intersection[c] += (a & b).sum()
            union[c] += (a | b).sum()
    return intersection / union.clamp_min(1)


def one_matrix(predictions: Tensor, targets: Tensor) -> Tensor:
    """The same from one pass."""
    total = ConfusionMatrix(19)
    for prediction, target in zip(predictions, targets, strict=True):
        total.update(prediction, target)
    return iou(total.matrix)


def by_torchmetrics(predictions: Tensor, targets: Tensor) -> Tensor:
    """The same by torchmetrics, with its defaults."""
    metric = MulticlassJaccardIndex(19, average=None)
    for prediction, target in zip(predictions, targets, strict=True):
        metric.update(prediction, target)
    scores: Tensor = metric.compute()
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    torch.set_num_threads(parser.parse_args().threads)
    header()
    for size, images in ((128, 32), (256, 16), (512, 8)):
        targets = torch.from_numpy(np.stack([render(0, i, size).label_map for i in range(images)]))
        # Right but for the resolution: what a network's map of an eighth of the side can be.
        coarse = targets[:, None, 4::8, 4::8]
        predictions = torch.nn.functional.interpolate(coarse, (size, size))[:, 0].contiguous()
        for name, peer in (
            ("loop over classes", loop_over_classes),
            ("torchmetrics", by_torchmetrics),
        ):
            torch.testing.assert_close(
                one_matrix(predictions, targets).float(), peer(predictions, targets)
            )
            measured = compare(
                ("one matrix", lambda p=predictions, t=targets: one_matrix(p, t)),
                (name, lambda p=predictions, t=targets, peer=peer: peer(p, t)),
            )
            show(f"IoU of {images} label maps, {size}²", measured, "images", images)


if __name__ == "__main__":
    main()
