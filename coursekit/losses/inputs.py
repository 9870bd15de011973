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
    expected = (logits.shape[0], *logits.shape[2:])
    if tuple(target.shape) != expected:
        raise ValueError(
            f"logits of shape {tuple(logits.shape)} need a target of shape {expected}, not "
            f"{tuple(target.shape)}: class ids, one for each pixel"
        )
    half = logits.dtype in (torch.float16, torch.bfloat16)
    return logits.float() if half else logits, target.long()


def quotient(total: Tensor, mass: Tensor) -> Tensor:
    """Total / mass, and 0, with gradients of 0, where both are 0."""
    return total / torch.where(mass > 0, mass, 1)
