"""Scores of a model on a labelled split, at the size of its masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from coursekit import metrics, terminal
from coursekit.errors import CourseError
from coursekit.inference import class_ids, predict_logits
from coursekit.models import in_evaluation, plain

if TYPE_CHECKING:
    from torch import Tensor, nn

    from coursekit.checkpoint import ModelInfo
    from coursekit.data import FaceDataset


@dataclass(frozen=True)
class Evaluation:
    """What a model scored.

    Attributes:
        matrix: (num_classes, num_classes) int64, summed over all images.
        names: of the classes.
        images: how many there were.
    """

    matrix: Tensor
    names: tuple[str, ...]
    images: int

    @property
    def mean_iou(self) -> float:
        """Mean IoU over the classes that occur, in [0, 1]."""
        return metrics.mean_iou(self.matrix)

    def summary(self) -> dict[str, Any]:
        """The scores as plain numbers in [0, 1], ready for JSON.

        A class that occurs neither in the masks nor in the predictions has `None`.
        """
        there = metrics.present(self.matrix).tolist()
        per_class = {
            name: {"iou": i, "f1": f} if p else None
            for name, i, f, p in zip(
                self.names,
                metrics.iou(self.matrix).tolist(),
                metrics.f1_score(self.matrix).tolist(),
                there,
                strict=True,
            )
        }
        return {
            "images": self.images,
            "mean_iou": self.mean_iou,
            "mean_f1": metrics.mean_f1(self.matrix),
            "pixel_accuracy": metrics.pixel_accuracy(self.matrix),
            "per_class": per_class,
        }

    def table(self) -> str:
        """The scores as text, one class a line, in percent."""
        scores = self.summary()
        lines = [f"{'class':<12}{'IoU':>8}{'F1':>8}"]
        for name, row in scores["per_class"].items():
            cells = f"{100 * row['iou']:8.2f}{100 * row['f1']:8.2f}" if row else f"{'absent':>16}"
            lines.append(f"{name:<12}{cells}")
        lines.append(
            f"{'mean':<12}{100 * scores['mean_iou']:8.2f}{100 * scores['mean_f1']:8.2f}"
            f"   pixel accuracy {100 * scores['pixel_accuracy']:.2f}, {self.images} images"
        )
        return "\n".join(lines)


def evaluate(
    model: nn.Module,
    dataset: FaceDataset,
    info: ModelInfo,
    *,
    progress: bool | None = None,
) -> Evaluation:
    """Score a model on a split, each image at the size of its own mask.

    The model sees the image at `info.size`; its logits are resized to the mask. A score taken at
    the small size instead would flatter it: thin parts are easier to find when the truth has lost
    them too. The image is resized as `predict` and a submission's run.py do, by torch alone; in
    training OpenCV averages areas, a little sharper. Scores differ by some tenths of a point.

    Args:
        model: any module that maps (1, 3, S, S) to (1, num_classes, S, S), wrapped or not; it is
            put into evaluation mode for the while. It runs on the device where it is.
        dataset: a labelled split.
        info: working size and whitening, as in the model's checkpoint.
        progress: True or False to show a bar or not; None shows it on a terminal only.

    Raises:
        CourseError: when the split has no masks, or masks of another label set, or the model
            draws no label maps.
    """
    labels = info.labels
    if dataset.labels.key != labels.key:
        raise CourseError(
            f"the model was trained on {labels.key} and the data are {dataset.labels.key}; "
            f"evaluate it on {labels.key} data"
        )
    confusion = metrics.ConfusionMatrix(labels.num_classes)
    model = plain(model)  # as its checkpoint would be: the same numbers, to the last bit
    show = terminal.on_terminal() if progress is None else progress
    with in_evaluation(model):
        for index in terminal.bar(range(len(dataset)), "evaluate", unit="image", show=show):
            sample = dataset.sample(index, landmarks=False)
            if sample.label_map is None:
                raise CourseError(
                    f"the {dataset.split} split has no masks to score against ({sample.name} has "
                    "none); choose a labelled split"
                )
            shape = sample.label_map.shape
            logits = predict_logits(
                model, sample.image, info.size, info.mean, info.std, (shape[0], shape[1])
            )
            target = torch.from_numpy(sample.label_map)[None].to(logits.device)
            confusion.update(class_ids(logits), target)
    return Evaluation(confusion.matrix.cpu(), labels.names, len(dataset))
