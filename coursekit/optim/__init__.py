"""Optimisers with their schedules: the report's pipeline, and the house's.

Both have the same face, which `coursekit.training.fit` calls: `zero_grad`, `step`, `end_epoch`,
`rate`, `phase`, `stopped`, `for_use`, `load_best`, `best_epoch`, and a state that goes round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.optim.adam_to_sgd import (
    AdamToSGD,
    AdamToSGDConfig,
    Event,
    Phase,
    Pipeline,
    cosine_rate,
)
from coursekit.optim.averaged_cosine import AveragedCosine, AveragedCosineConfig

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "AdamToSGD",
    "AdamToSGDConfig",
    "AveragedCosine",
    "AveragedCosineConfig",
    "Event",
    "Phase",
    "Pipeline",
    "cosine_rate",
    "make_optimiser",
]


def make_optimiser(
    model: nn.Module, config: AdamToSGDConfig | AveragedCosineConfig, steps: int
) -> AdamToSGD | AveragedCosine:
    """The optimiser that a configuration is of.

    Args:
        model: whose parameters to optimise.
        config: the settings.
        steps: how many there will be at most; a schedule with an end needs to know.
    """
    if isinstance(config, AveragedCosineConfig):
        return AveragedCosine(model, config, steps)
    return AdamToSGD(model, config)
