"""What a network is trained for: an objective wraps it and knows its loss and its score.

The training loop knows objectives by `Objective` and `ObjectiveConfig` alone, so a network with
several outputs, a teacher, or landmarks in place of label maps needs an objective of its own and no
other loop. An objective is a module around the network: accelerate wraps *it*, and so it may call
any method of the network, such as `heads(image)`, and gradients are still averaged over processes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor, nn

from coursekit import metrics
from coursekit.data import class_counts
from coursekit.errors import CourseError
from coursekit.losses import (
    class_weights,
    loss_sums,
    parse_loss,
    sums_over_pixels,
    takes_weights,
)
from coursekit.models import in_evaluation, unwrap

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from coursekit.data import FaceDataset

    #: What `TrainingView` gives, stacked: "image" (B, 3, S, S) float32, "target" (B, S, S) int64 or
    #: "landmarks" (B, 106, 2) float32 or both, "name".
    Batch = dict[str, Any]


class Sums(NamedTuple):
    """What an objective says of a batch, or of one process's share of it.

    The loss is Σ total / mass over the terms. Totals and masses of shares, and of batches, are
    added up before they are divided.

    Attributes:
        total: (terms,) numerators of the loss's terms, with gradients.
        mass: (terms,) their denominators, without.
        output: what the score wants to see of the network's answer.
    """

    total: Tensor
    mass: Tensor
    output: Any


class Score(Protocol):
    """Sums up a validation set.

    Attributes:
        counts: what has been counted, a tensor on the CPU; several processes' are added up.
    """

    counts: Tensor

    def update(self, output: Any, batch: Batch) -> None:
        """Count a batch: what the objective put out, and what was asked for."""

    def result(self) -> dict[str, float]:
        """The score by its name in the history, "val_…", such as {"val_mean_iou": 0.5}."""


class Objective(nn.Module):
    """A network and what it is trained for.

    Subclasses define `forward(batch) -> Sums` and `score() -> Score`. Buffers of an objective, such
    as class weights, go with it to the device; checkpoints hold the network alone.

    Args:
        model: the network, wrapped or not. All parameters that are trained are its own.

    Attributes:
        model: the network, as it is called.
        network: the network without wrappers, whose weights are optimised and saved.
        teacher: None, or a frozen network that the loss compares with, always in evaluation mode;
            the plan puts it there.
        outputs: what the network's channels are, for its checkpoint: `LANDMARK_SET`, or None
            for the classes of the training set.
        landmarks: whether it asks a batch for "landmarks", which otherwise stay unread.
        precision: "bf16" lets `autocast` compute in bfloat16; `fit` sets it.
    """

    outputs: str | None = None
    landmarks = False

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.teacher: nn.Module | None = None
        self.precision = "fp32"

    @property
    def network(self) -> nn.Module:
        """The network without wrappers."""
        return unwrap(self.model)

    def train(self, mode: bool = True) -> Self:
        """As any module, but a teacher does not learn: its statistics stay."""
        super().train(mode)
        if self.teacher is not None:
            self.teacher.eval()
        return self

    def autocast(self, image: Tensor) -> AbstractContextManager[Any]:
        """Within it the network computes in `precision`; losses stay outside, in float32."""
        bf16 = self.precision == "bf16"
        return torch.autocast(image.device.type, torch.bfloat16, enabled=bf16)

    def forward(self, batch: Batch) -> Sums:
        """The loss of a batch as sums."""
        raise TypeError(f"{type(self).__name__} must define forward(batch) -> Sums")

    def score(self) -> Score:
        """A new, empty score."""
        raise TypeError(f"{type(self).__name__} must define score() -> Score")


def are_weights(values: Any, count: int, *, first: bool) -> bool:
    """So many numbers of at least 0, of which the first, or else the last, is above 0."""
    return (
        isinstance(values, (tuple, list))
        and len(values) == count
        and all(isinstance(v, (int, float)) and 0 <= v < math.inf for v in values)
        and values[0 if first else -1] > 0
    )


def call_heads(network: nn.Module, image: Tensor) -> Any:
    """All that a network with other outputs beside its logits says, wrapped or not."""
    # DataParallel and AveragedModel pass no other method on; torch.compile does.
    return (getattr(network, "heads", None) or unwrap(network).heads)(image)  # type: ignore[operator]


@torch.no_grad()
def try_heads(network: nn.Module) -> Any:
    """What a network with other outputs says of an image; its modes are left as they were."""
    image = next(network.parameters()).new_zeros(1, 3, 64, 64)
    with in_evaluation(network):
        return call_heads(network, image)


class ObjectiveConfig(Protocol):
    """Settings of an objective: a frozen dataclass, whose fields JSON can hold."""

    @property
    def divisible(self) -> bool:
        """Whether totals and masses are sums over pixels or points.

        Then the shares of several processes add up to the loss of the whole batch; without it a run
        needs a single process.
        """

    def check(self, model: nn.Module, train: FaceDataset, val: FaceDataset) -> None:
        """Data and network serve this objective.

        Raises:
            CourseError: when they do not.
        """

    def build(self, model: nn.Module, train: FaceDataset) -> Objective:
        """The objective of a network, with what the training set says, such as class weights."""


@dataclass(frozen=True)
class ParsingConfig:
    """One label map from one tensor of logits: the course's four baselines.

    Attributes:
        loss: "cross_entropy", "focal", "dice", "lovasz", or a sum such as "cross_entropy+lovasz".
            Dice and Lovász are not sums over pixels: a step takes those of its whole batch, so they
            need a single process, and the validation loss that steers the plan is then the mean
            over batches of `batch_size` images.
        weighted: weight cross-entropy and focal loss by Eq. 2, from the true counts of the training
            set. Dice and Lovász have no weights.
    """

    loss: str = "cross_entropy"
    weighted: bool = True

    def __post_init__(self) -> None:
        parse_loss(self.loss)

    @property
    def divisible(self) -> bool:
        """See `ObjectiveConfig`."""
        return sums_over_pixels(parse_loss(self.loss))

    def check(self, model: nn.Module, train: FaceDataset, val: FaceDataset) -> None:
        """See `ObjectiveConfig`."""
        if getattr(unwrap(model), "finds", None) is not None:
            raise CourseError(
                f"{type(unwrap(model)).__name__} finds landmarks and draws no label maps; train it "
                "with objective=LandmarkConfig(), or choose another network"
            )
        for name, dataset in (("training", train), ("validation", val)):
            if not dataset.labelled:
                raise CourseError(
                    f"the {name} set ({dataset.split}) has no masks; a run needs them in both: "
                    "put the masks beside the images, or split the labelled images in two"
                )
        if train.labels.key != val.labels.key:
            raise CourseError(
                f"the training set is {train.labels.key} and the validation set "
                f"{val.labels.key}; use two splits of one data set"
            )
        for name, needed in (("num_classes", train.labels.num_classes), ("in_channels", 3)):
            given = getattr(getattr(unwrap(model), "config", None), name, needed)
            if given != needed:
                raise CourseError(
                    f"the model has {name} {given}, and {train.labels.key} data need {needed}; "
                    f"make it with {name}={needed}"
                )

    def build(self, model: nn.Module, train: FaceDataset) -> ParsingObjective:
        """See `ObjectiveConfig`."""
        terms, weights = parse_loss(self.loss), None
        if self.weighted and takes_weights(terms):
            weights = class_weights(class_counts(train))
        return ParsingObjective(model, terms, train.labels.num_classes, weights)


class ParsingObjective(Objective):
    """The loss and the mean IoU of label maps.

    Args:
        model: maps (B, 3, S, S) to (B, num_classes, S, S) logits.
        terms: names of the loss's terms; see `coursekit.losses.parse_loss`.
        num_classes: how many there are.
        weights: (num_classes,) of cross-entropy and focal loss, or None.
    """

    weights: Tensor | None

    def __init__(
        self, model: nn.Module, terms: tuple[str, ...], num_classes: int, weights: Tensor | None
    ) -> None:
        super().__init__(model)
        self.terms, self.num_classes = terms, num_classes
        self.register_buffer("weights", weights)

    def forward(self, batch: Batch) -> Sums:
        """The loss of "image" (B, 3, S, S) and "target" (B, S, S), and the logits."""
        with self.autocast(batch["image"]):
            logits = self.model(batch["image"])  # (B, num_classes, S, S)
        total, mass = loss_sums(self.terms, logits.float(), batch["target"], self.weights)
        return Sums(total, mass, logits)

    def score(self) -> ParsingScore:
        """Counts pixels by true and predicted class."""
        return ParsingScore(self.num_classes)


class ParsingScore:
    """Mean IoU over a set of label maps, at the working size."""

    def __init__(self, num_classes: int) -> None:
        self.counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add the confusion matrix of (B, num_classes, S, S) logits and (B, S, S) targets."""
        matrix = metrics.confusion_matrix(output.argmax(1), batch["target"], len(self.counts))
        self.counts += matrix.cpu()

    def result(self) -> dict[str, float]:
        """The mean over the classes that occur."""
        return {"val_mean_iou": metrics.mean_iou(self.counts)}
