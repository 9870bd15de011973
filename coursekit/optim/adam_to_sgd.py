"""The report's optimiser pipeline: Adam until it stalls, then SGD at ever smaller rates.

`Pipeline` decides (Algorithm 1 and Eq. 4, plain numbers, no torch); `AdamToSGD` carries out what
it decides on a model's parameters.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch

from coursekit.errors import CourseError
from coursekit.optim.fused import load_fused
from coursekit.optim.settings import check_numbers, check_same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from coursekit.optim.plan import Images, Learner

Phase = Literal["adam", "sgd", "stopped"]
#: What the end of an epoch led to. "wait" and "improved" go on; the others are patience events.
Event = Literal["wait", "improved", "switch", "halve", "stop"]


@dataclass(frozen=True)
class AdamToSGDConfig:
    """Settings of the pipeline; the defaults are the report's.

    Attributes:
        adam_lr: l_initial, the first rate of the Adam phase.
        sgd_lr: l_SGD.initial, the first rate of the first SGD phase.
        sgd_min_lr: l_SGD.min; the pipeline stops rather than start a phase below it.
        patience: n, epochs without a lower validation loss before a phase ends.
        adam_t_max: T of Eq. 4 in the Adam phase, in epochs.
        sgd_t_max: T in the SGD phases; the report has 25 for DeepLabV3+ and FastSCNN.
        min_fraction: l_min / l_max of Eq. 4.
        momentum: of SGD.
        weight_decay: L2 penalty of both optimisers.
    """

    adam_lr: float = 1e-3
    sgd_lr: float = 0.02
    sgd_min_lr: float = 0.005
    patience: int = 12
    adam_t_max: int = 50
    sgd_t_max: int = 50
    min_fraction: float = 0.5
    momentum: float = 0.5
    weight_decay: float = 1e-7

    fixed_length: ClassVar[bool] = False

    def __post_init__(self) -> None:
        positive = ("adam_lr", "sgd_lr", "sgd_min_lr", "patience", "adam_t_max", "sgd_t_max")
        check_numbers(
            self, positive=positive, not_negative=("weight_decay",), below_one=("momentum",)
        )
        if not 0 <= self.min_fraction <= 1:
            raise CourseError(f"min_fraction is {self.min_fraction}; it must lie in [0, 1]")
        if self.sgd_lr < self.sgd_min_lr:
            raise CourseError(
                f"sgd_lr {self.sgd_lr} is below sgd_min_lr {self.sgd_min_lr}: SGD would never run"
            )

    def build(self, learner: Learner, steps: int) -> AdamToSGD:
        """The pipeline, which ends by patience and asks nothing about steps."""
        return AdamToSGD(learner.network, self)


def cosine_rate(step: int, t_max: int, highest: float, lowest: float) -> float:
    """The learning rate after `step` epochs of a phase (Eq. 4).

    l(t) = l_min + ½ (l_max − l_min)(1 + cos(π t / T))

    Eq. 4 is periodic: a phase that outlives T climbs again, as `CosineAnnealingLR` does.
    """
    return lowest + 0.5 * (highest - lowest) * (1 + math.cos(math.pi * step / t_max))


@dataclass
class Pipeline:
    """Algorithm 1 as a state machine over validation losses.

    adam ──patience──▶ sgd at 0.02 ──patience──▶ 0.01 ──patience──▶ 0.005 ──patience──▶ stopped

    At each patience event the best weights so far are loaded again, the counter of stalled epochs
    and the scheduler start anew; the best loss does not. Taken literally, line 3 of Algorithm 1
    would go back to Adam once SGD's rate is below its minimum; the report's log stops there, and
    so does this.

    Attributes:
        config: the settings.
        phase: "adam", "sgd" or "stopped".
        peak: l_max of the running phase.
        step: t of Eq. 4, epochs since the phase began.
        stalled: epochs since the best loss or the last patience event.
        best: the lowest validation loss so far.
        best_epoch: when it was seen, counted from 0; −1 before the first epoch.
        epoch: how many epochs have been recorded.
    """

    config: AdamToSGDConfig = field(default_factory=AdamToSGDConfig)
    phase: Phase = "adam"
    peak: float = 0.0
    step: int = 0
    stalled: int = 0
    best: float = math.inf
    best_epoch: int = -1
    epoch: int = 0

    def __post_init__(self) -> None:
        if self.phase == "adam":
            self.peak = self.config.adam_lr

    @property
    def rate(self) -> float:
        """The learning rate of the coming epoch."""
        t_max = self.config.adam_t_max if self.phase == "adam" else self.config.sgd_t_max
        return cosine_rate(self.step, t_max, self.peak, self.peak * self.config.min_fraction)

    def record(self, loss: float) -> Event:
        """Take the validation loss of the epoch that ended and decide what follows.

        Args:
            loss: a finite number; only a strictly lower one than `best` is an improvement.

        Returns:
            "improved" or "wait"; or, when patience ran out, "switch" (to SGD), "halve" (SGD's
            rate) or "stop", after each of which the best weights are to be loaded.

        Raises:
            ValueError: when the loss is not finite.
            RuntimeError: when the pipeline has stopped.
        """
        if self.phase == "stopped":
            raise RuntimeError("the pipeline has stopped; make a new one to train on")
        if not math.isfinite(loss):
            raise ValueError(f"the validation loss of epoch {self.epoch} is {loss}")
        self.step += 1
        if loss < self.best:
            self.best, self.best_epoch, self.stalled = loss, self.epoch, 0
            self.epoch += 1
            return "improved"
        self.epoch += 1
        self.stalled += 1
        return "wait" if self.stalled < self.config.patience else self._run_out()

    def _run_out(self) -> Event:
        self.step = self.stalled = 0
        if self.phase == "adam":
            self.phase, self.peak = "sgd", self.config.sgd_lr
            return "switch"
        if self.peak / 2 < self.config.sgd_min_lr:
            self.phase = "stopped"
            return "stop"
        self.peak /= 2
        return "halve"

    def state_dict(self) -> dict[str, Any]:
        """Everything but the settings, as plain numbers and text."""
        return {name: value for name, value in vars(self).items() if name != "config"}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""
        missing = set(self.state_dict()) - set(state)
        if missing:
            raise ValueError(f"the pipeline's state lacks: {', '.join(sorted(missing))}")
        for name in self.state_dict():
            setattr(self, name, state[name])


class AdamToSGD:
    """Runs the pipeline on a model: holds its optimiser and its best weights.

        optimiser = AdamToSGD(model)
        while not optimiser.stopped:
            for batch in batches:
                optimiser.zero_grad(); loss(model, batch).backward(); optimiser.step()
            optimiser.end_epoch(validation_loss)
        optimiser.load_best()

    A patience event starts a fresh SGD, without the momentum that was gathered on the way to
    weights which are no longer there.

    Args:
        model: whose parameters to optimise and whose best state (buffers too) to keep.
        config: the settings; the report's by default.

    Attributes:
        pipeline: the state machine.
        optimiser: the `torch.optim` optimiser of the running phase.
    """

    def __init__(self, model: nn.Module, config: AdamToSGDConfig | None = None) -> None:
        self.model = model
        self.pipeline = Pipeline(config or AdamToSGDConfig())
        self._best: dict[str, Tensor] | None = None
        self.optimiser = self._make_optimiser()

    def _make_optimiser(self) -> torch.optim.Optimizer:
        config, rate = self.pipeline.config, self.pipeline.rate
        if self.pipeline.phase == "adam":
            return torch.optim.Adam(
                self.model.parameters(), lr=rate, weight_decay=config.weight_decay, fused=True
            )
        return torch.optim.SGD(
            self.model.parameters(),
            lr=rate,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            fused=True,  # one pass over the weights: on a CPU several times as fast as the loop
        )

    @property
    def stopped(self) -> bool:
        """True once the pipeline is through."""
        return self.pipeline.phase == "stopped"

    @property
    def phase(self) -> Phase:
        """What is running."""
        return self.pipeline.phase

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss; −1 before the first."""
        return self.pipeline.best_epoch

    @property
    def rate(self) -> float:
        """The learning rate in force."""
        return float(self.optimiser.param_groups[0]["lr"])

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        self.optimiser.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Change the weights by their gradients."""
        self.optimiser.step()

    def end_epoch(self, loss: float, images: Images | None = None) -> Event:
        """Record a validation loss, keep or reload the best weights, set the next rate.

        Args:
            loss: of the epoch that ended.
            images: not needed here; see `coursekit.optim.Plan`.

        Returns:
            The event; see `Pipeline.record`, whose errors this raises.
        """
        event = self.pipeline.record(loss)
        if event == "improved":
            self._best = {k: v.detach().clone() for k, v in self.model.state_dict().items()}
        elif event in ("switch", "halve", "stop"):
            self.load_best()
            self.optimiser = self._make_optimiser()
        for group in self.optimiser.param_groups:
            group["lr"] = self.pipeline.rate
        return event

    def for_use(self, images: Images | None = None) -> contextlib.AbstractContextManager[None]:
        """While this lasts, the model holds what is validated: here its weights as they are.

        Args:
            images: not needed here; see `coursekit.optim.Plan`.
        """
        return contextlib.nullcontext()

    def load_best(self) -> None:
        """Put the best weights so far into the model; without any, leave it as it is."""
        if self._best is not None:
            self.model.load_state_dict(self._best)

    def state_dict(self) -> dict[str, Any]:
        """The pipeline's state, the optimiser's, the best weights and the settings."""
        return {
            "config": asdict(self.pipeline.config),
            "pipeline": self.pipeline.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "best": self._best,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            ValueError: when the state was made with other settings.
        """
        check_same(state["config"], asdict(self.pipeline.config))
        self.pipeline.load_state_dict(state["pipeline"])
        self.optimiser = self._make_optimiser()
        load_fused(self.optimiser, state["optimiser"])
        self._best = state["best"]
