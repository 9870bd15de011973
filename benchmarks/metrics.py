"""One confusion matrix by bincount against a loop over the classes.

python benchmarks/metrics.py
"""

from __future__ import annotations

import torch
from harness import compare, header, show
from torch import Tensor

from coursekit.metrics import ConfusionMatrix, iou


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


def main() -> None:
    header()
    for size, images in ((128, 32), (256, 16), (512, 8)):
        generator = torch.Generator().manual_seed(0)
        # Blocks of one class, as label maps have; noise would flatter nobody.
        blocks = torch.randint(0, 19, (images, size // 16, size // 16), generator=generator)
        targets = blocks.repeat_interleave(16, 1).repeat_interleave(16, 2).to(torch.uint8)
        predictions = targets.roll(3, 2).contiguous()
        torch.testing.assert_close(
            one_matrix(predictions, targets).float(), loop_over_classes(predictions, targets)
        )
        measured = compare(
            ("bincount", lambda p=predictions, t=targets: one_matrix(p, t)),
            ("loop over classes", lambda p=predictions, t=targets: loop_over_classes(p, t)),
        )
        show(f"IoU of {images} label maps, {size}²", measured, "images", images)


if __name__ == "__main__":
    main()
