"""AdamW under one cosine from end to end, and an average of the weights on the way."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from coursekit.optim.groups import parameter_groups
from coursekit.optim.scheduled import Scheduled
from coursekit.optim.settings import check_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

    from coursekit.optim.plan import Images, Learner


@dataclass(frozen=True)
class AveragedCosineConfig:
    """Settings of `AveragedCosine`.

    Attributes:
        lr: the highest rate.
        weight_decay: AdamW's, of the weights of convolutions and dense layers alone; biases and
            normalisations shrink to nothing's benefit.
        warmup: share of all steps in which the rate rises to `lr` in a straight line. Adam's
            second moments are a guess at first, and a large step on a guess costs more than it
            gains.
        average: decay of the running average of the weights, in [0, 1); 0 for none. 0.998 looks
            back about 500 steps; at the beginning it looks back less, to a tenth of the run.
    """

    lr: float = 3e-3
    weight_decay: float = 0.01
    warmup: float = 0.05
    average: float = 0.998

    fixed_length: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_numbers(
            self, positive=("lr",), not_negative=("weight_decay",), below_one=("warmup", "average")
        )

    def build(self, learner: Learner, steps: int) -> AveragedCosine:
        """The optimiser and its schedule of so many steps."""
        return AveragedCosine(learner.network, self, steps)


def warm_cosine(step: int, steps: int, highest: float, warmup: float) -> float:
    """The rate of a step: up in a straight line, then half a cosine down to 0.

    Args:
        step: from 0.
        steps: of the whole run.
        highest: rate at the end of the warm-up.
        warmup: its share of the steps.
    """
    rise = warmup * steps
    if step < rise:
        return highest * (step + 1) / (rise + 1)
    return highest * 0.5 * (1 + math.cos(math.pi * (step - rise) / max(steps - rise, 1)))


class AveragedCosine(Scheduled):
    """Runs AdamW on a model for a fixed number of steps and averages its weights.

    What is used in the end (and for validation) is the average: w̄ ← d·w̄ + (1 − d)·w after each
    step t, with d = min(average, (1 + t) / (10 + t)), statistics of normalisations included. The
    last average is kept, not the one with the lowest validation loss.

    Args:
        model: whose parameters to optimise.
        config: the settings.
        steps: of the whole run, at least 1.
    """

    config: AveragedCosineConfig

    def __init__(self, model: nn.Module, config: AveragedCosineConfig, steps: int) -> None:
        groups = parameter_groups(model, config.weight_decay, matrices_only=True)
        optimiser = torch.optim.AdamW(groups, lr=config.lr, fused=True)
        super().__init__(model, config, steps, optimiser, "adamw")
        self._average: AveragedModel | None = None
        if config.average:
            # Buffers too: the statistics of normalisations belong to the averaged weights.
            self._average = AveragedModel(model, multi_avg_fn=self._mix, use_buffers=True)

    def rate_of(self, step: int) -> float:
        """The learning rate of a step, from 0."""
        return warm_cosine(step, self.steps, self.config.lr, self.config.warmup)

    def step(self) -> None:
        """Change the weights by their gradients, then the average, then the rate."""
        super().step()
        if self._average:
            self._average.update_parameters(self.model)

    @contextlib.contextmanager
    def for_use(self, images: Images | None = None) -> Iterator[None]:
        """While this lasts, the model holds what would be used if training ended here.

        Args:
            images: not needed here; see `coursekit.optim.Plan`.
        """
        own = [tensor.detach().clone() for tensor in _tensors(self.model)]
        self.load_best()
        try:
            yield
        finally:
            _fill(self.model, own)

    def load_best(self) -> None:
        """Put the average into the model; without one, leave it as it is."""
        if self._average and self._average.n_averaged:
            _fill(self.model, _tensors(self._average.module))

    def state_dict(self) -> dict[str, Any]:
        """The settings, where the run stands, the optimiser's state and the average."""
        return {**super().state_dict(), "average": self._average and self._average.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            ValueError: when the state was made with other settings, or for another number of steps.
        """
        super().load_state_dict(state)
        if self._average:
            self._average.load_state_dict(state["average"])

    @torch.no_grad()
    def _mix(self, means: Any, values: Any, averaged: Tensor | int) -> None:
        """One update of the average, for tensors of one kind."""
        t = int(averaged) + 1
        decay = min(self.config.average, (1 + t) / (10 + t))
        if means[0].dtype.is_floating_point:
            get_ema_multi_avg_fn(decay)(means, values, averaged)
        else:
            for mean, value in zip(means, values, strict=True):
                mean.copy_(value)  # a count of batches has no mean


def _tensors(model: nn.Module) -> list[Tensor]:
    """All parameters and buffers, in the order that a copy of the model has, too."""
    return [*model.parameters(), *model.buffers()]


@torch.no_grad()
def _fill(model: nn.Module, values: list[Tensor]) -> None:
    """Copy values into the model's tensors; several times as fast as by their names."""
    for tensor, value in zip(_tensors(model), values, strict=True):
        tensor.copy_(value)
