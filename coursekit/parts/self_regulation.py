"""The course's own parts of lesson 11."""

from __future__ import annotations

import copy
import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coursekit.losses import distillation_loss
from coursekit.optim.statistics import reestimate_statistics as reestimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

__all__ = [
    "aggregate",
    "distillation_loss",
    "reestimate",
    "run_cycles",
    "seeds_needed",
    "shares",
]


def aggregate(
    best: dict[str, Tensor], students: Sequence[dict[str, Tensor]], k: int, names: set[str]
) -> dict[str, Tensor]:
    """Eq. 6 in cycle k: a whole state_dict; what is not in `names` is the last student's."""
    means = {name: torch.stack([s[name] for s in students]).mean(0) for name in names}
    mixed = {name: (k * best[name] + means[name]) / (k + 1) for name in names}
    return dict(students[-1]) | mixed


def shares(renewed: Sequence[bool]) -> NDArray[Any]:
    """How much M_0 and each cycle's mean count in the last M: (K + 1,), sum 1."""
    units = np.eye(len(renewed) + 1)
    best = last = units[0]
    for k, (new, own) in enumerate(zip(renewed, units[1:], strict=True), 1):
        best = last if new else best
        last = (k * best + own) / (k + 1)
    return last


def run_cycles(
    network: nn.Module,
    teacher: nn.Module,
    train_epoch: Callable[[nn.Module, nn.Module], object],
    batches: Sequence[Tensor],
    cycles: int,
    epochs: int,
) -> list[nn.Module]:
    """Self-regulation from a trained network: the M of each cycle, frozen, the last one last."""
    names, made = {name for name, _ in network.named_parameters()}, []
    for k in range(1, cycles + 1):
        students = []
        for _ in range(epochs):
            train_epoch(network, teacher)
            students.append(copy.deepcopy(network.state_dict()))
        mean = copy.deepcopy(network)
        mean.load_state_dict(aggregate(teacher.state_dict(), students, k, names))
        reestimate(mean, batches)
        teacher = mean.eval().requires_grad_(False)
        made.append(teacher)
    return made


def seeds_needed(gain: float, sd: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Runs of each method that show a true gain between means of runs with this spread."""
    normal = NormalDist()
    both = normal.inv_cdf(1 - alpha / 2) + normal.inv_cdf(power)
    return math.ceil(2 * (both * sd / gain) ** 2)
