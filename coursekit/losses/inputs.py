"""What all losses do with their inputs first."""

from __future__ import annotations

import torch
from torch import Tensor


def prepare(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The logits, in float32 when they come in half precision, and the target as int64.

    Label maps are bytes everywhere else; as an index a byte would be read as a mask.

    Raises:
        ValueError: when the target is not a label map of the logits' batch and size.
    """
    check_map(logits, target, "a target")
    half = logits.dtype in (torch.float16, torch.bfloat16)
    return logits.float() if half else logits, target.long()


def check_map(logits: Tensor, values: Tensor, what: str) -> None:
    """Raises a ValueError unless there is one value for each pixel of the logits."""
    expected = (logits.shape[0], *logits.shape[2:])
    if tuple(values.shape) != expected:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} need {what} of shape {expected}, not "
            f"{tuple(values.shape)}: one value for each pixel"
        )


def check_ids(target: Tensor, num_classes: int | None, ignore_index: int) -> None:
    """Whether a label map has ids of `num_classes` classes (None: any) and `ignore_index` alone.

    Raises:
        ValueError: when it has another. It is asked for before an id becomes an index: on a GPU a
            wrong index stops the process.
    """
    if num_classes is None:
        known, needed = target >= 0, "ids from 0 up"
    else:
        known = (target >= 0) & (target < num_classes)
        needed = f"logits of {num_classes} classes need ids in [0, {num_classes - 1}]"
    if not bool((known | (target == ignore_index)).all()):
        raise ValueError(
            f"the target has ids from {int(target.min())} to {int(target.max())}; "
            f"{needed} or {ignore_index}"
        )


def quotient(total: Tensor, mass: Tensor) -> Tensor:
    """Total / mass, and 0, with gradients of 0, where both are 0."""
    return total / torch.where(mass > 0, mass, 1)
