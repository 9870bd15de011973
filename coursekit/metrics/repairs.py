"""Wrong labels that a network mends, and right ones that it breaks, where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from jaxtyping import Integer
from torch import Tensor

from coursekit.labels import IGNORE_INDEX
from coursekit.metrics.label_maps import confusion_matrix


@dataclass(frozen=True, eq=False)
class Repairs:
    """Counts of pixels; those of batches are added up by `+`.

    Attributes:
        wrong: (kinds, classes) int64: the label is wrong, by kind of mistake and true class.
        mended: those of them for which the network says the true class.
        repeated: those of them for which it says what the wrong label says.
        right: (classes,) int64: the label is right.
        broken: those of them for which the network says another class.
    """

    wrong: Tensor
    mended: Tensor
    repeated: Tensor
    right: Tensor
    broken: Tensor

    def __add__(self, other: Repairs) -> Repairs:
        return Repairs(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def mended_share(self) -> float:
        """Of all wrong pixels the share that was mended, in [0, 1]; NaN without any."""
        return share(self.mended, self.wrong)

    @property
    def broken_share(self) -> float:
        """Of all right pixels the share that was broken, in [0, 1]; NaN without any.

        No network is right everywhere: take off it what one trained without wrong labels has.
        """
        return share(self.broken, self.right)


def share(part: Tensor, whole: Tensor) -> float:
    """The sum of one over the sum of the other; NaN where there is nothing."""
    return float(part.sum().double() / whole.sum())


def repairs(
    prediction: Integer[Tensor, "..."],
    label_map: Integer[Tensor, "..."],
    truth: Integer[Tensor, "..."],
    num_classes: int,
    kinds: Integer[Tensor, "..."] | None = None,
    num_kinds: int = 1,
    ignore_index: int = IGNORE_INDEX,
) -> Repairs:
    """What became of wrong and of right labels.

    Args:
        prediction: class ids that a network gave, such as the teacher's argmax; of any shape.
        label_map: what it was trained on, some of it wrong.
        truth: the same without mistakes.
        num_classes: how many classes there are.
        kinds: which kind of mistake a wrong pixel is, in [0, num_kinds); elsewhere anything. See
            `coursekit.synthfaces.kinds_of_noise`. One kind when None.
        num_kinds: how many kinds there are.
        ignore_index: pixels of this value, in label map or truth, do not count.

    Returns:
        The counts, on the CPU.

    Raises:
        ValueError: for maps of several shapes, ids outside their range, or a wrong pixel whose kind
            is none.
    """
    maps = [prediction, label_map, truth, truth if kinds is None else kinds]
    if len({tuple(m.shape) for m in maps}) > 1:
        listed = ", ".join(str(tuple(m.shape)) for m in maps)
        raise ValueError(f"maps of shapes {listed}; prediction, labels, truth and kinds need one")
    known = (label_map != ignore_index) & (truth != ignore_index)
    predicted, given, true, kind = (m[known].cpu().long() for m in maps)  # (P,)
    confusion_matrix(given, true, num_classes)  # checks the ids
    wrong = given != true
    places = (torch.zeros_like(kind) if kinds is None else kind)[wrong]
    if bool(((places < 0) | (places >= num_kinds)).any()):
        raise ValueError(
            f"a wrong pixel is of kind {int(places.max())}; kinds are 0 to {num_kinds - 1}"
        )

    def table(chosen: Tensor) -> Tensor:  # (W,) booleans → (num_kinds, num_classes)
        cells = (places * num_classes + true[wrong])[chosen]
        return torch.bincount(cells, minlength=num_kinds * num_classes).view(num_kinds, -1)

    matrix = confusion_matrix(predicted[~wrong], true[~wrong], num_classes)
    return Repairs(
        wrong=table(torch.ones_like(places, dtype=torch.bool)),
        mended=table(predicted[wrong] == true[wrong]),
        repeated=table(predicted[wrong] == given[wrong]),
        right=matrix.sum(1),
        broken=matrix.sum(1) - matrix.diagonal(),
    )
