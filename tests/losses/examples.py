"""Logits, targets and slow, obvious specifications that the loss tests share."""

from __future__ import annotations

import torch


def example(classes: int = 4, ignored: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """(2, classes, 5, 6) float64 logits and a target of classes 0 to 3, a row of it ignored."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, classes, 5, 6, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 4, (2, 5, 6), generator=generator)
    if ignored:
        target[0, 0] = 255
    return logits, target


def hard(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Logits whose softmax is 0 or 1."""
    one_hot = torch.nn.functional.one_hot(labels, classes).movedim(-1, 1)
    return 2000.0 * one_hot.double()


def counts(prediction: torch.Tensor, target: torch.Tensor, c: int) -> tuple[int, int, int]:
    """Intersection, predicted and true pixels of class c, where the target is not 255."""
    known = target != 255
    called, true = (prediction == c) & known, target == c
    return int((called & true).sum()), int(called.sum()), int(true.sum())
