"""SGD with momentum under the "poly" schedule, as the LaPa paper trains BSPNet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from coursekit.optim.groups import parameter_groups
from coursekit.optim.scheduled import Scheduled, poly_rate
from coursekit.optim.settings import check_numbers

if TYPE_CHECKING:
    from torch import nn

    from coursekit.optim.plan import Learner


@dataclass(frozen=True)
class PolyConfig:
    """Settings of `Poly`; the defaults are the paper's, which does not name the power.

    Attributes:
        lr: rate of the first step.
        power: see `poly_rate`; 0.9 is that of CE2P and of whoever else writes it down.
        momentum: of SGD.
        weight_decay: of all parameters but single numbers.
    """

    lr: float = 1e-3
    power: float = 0.9
    momentum: float = 0.9
    weight_decay: float = 5e-4

    fixed_length: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_numbers(
            self, positive=("lr", "power"), not_negative=("weight_decay",), below_one=("momentum",)
        )

    def build(self, learner: Learner, steps: int) -> Poly:
        """The optimiser and its schedule of so many steps."""
        return Poly(learner.network, self, steps)


class Poly(Scheduled):
    """Runs SGD for a fixed number of steps at a rate that falls to 0, step by step.

    Args:
        model: whose parameters to optimise.
        config: the settings.
        steps: of the whole run, at least 1.
    """

    config: PolyConfig

    def __init__(self, model: nn.Module, config: PolyConfig, steps: int) -> None:
        groups = parameter_groups(model, config.weight_decay, matrices_only=False)
        optimiser = torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, fused=True)
        super().__init__(model, config, steps, optimiser, "sgd")

    def rate_of(self, step: int) -> float:
        """The learning rate of a step, from 0."""
        return poly_rate(step, self.steps, self.config.lr, self.config.power)
