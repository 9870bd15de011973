"""What plans of a fixed length share: one optimiser, one rate for each step, the last weights."""

from __future__ import annotations

import contextlib
import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

from coursekit.errors import CourseError
from coursekit.optim.fused import load_fused
from coursekit.optim.settings import check_same

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import torch
    from torch import nn

    from coursekit.optim.plan import Images


def poly_rate(step: int, steps: int, highest: float, power: float = 0.9) -> float:
    """The rate of a step: highest · (1 − step/steps)^power, and 0 when all are done.

    Args:
        step: from 0.
        steps: of the whole run.
        highest: rate of the first step.
        power: 1 is a straight line; less keeps the rate up for longer.
    """
    return highest * (1 - min(step, steps) / steps) ** power


class Scheduled:
    """Runs an optimiser for a fixed number of steps; what counts are the weights it ends with.

    With a schedule that ends at 0 the last weights are as good as any before, and nothing is chosen
    on the validation set.

    Subclasses define `rate_of(step)`.

    Args:
        model: whose parameters the optimiser has.
        config: the settings, a dataclass.
        steps: of the whole run, at least 1.
        optimiser: torch's, a fused one.
        phase: what is running, for the history.

    Attributes:
        optimiser: torch's.
        best_epoch: the latest that has ended; −1 before the first.
    """

    def __init__(
        self,
        model: nn.Module,
        config: Any,
        steps: int,
        optimiser: torch.optim.Optimizer,
        phase: str,
    ) -> None:
        if steps < 1:
            raise CourseError(f"{steps} steps; a schedule needs at least 1")
        self.model, self.config, self.steps = model, config, steps
        self.optimiser, self._phase = optimiser, phase
        self._count, self.best_epoch = 0, -1
        self._set_rate()

    def rate_of(self, step: int) -> float:
        """The learning rate of a step, from 0."""
        raise TypeError(f"{type(self).__name__} must define rate_of(step) -> float")

    @property
    def phase(self) -> str:
        """What is running."""
        return "stopped" if self.stopped else self._phase

    @property
    def stopped(self) -> bool:
        """True once all steps are done."""
        return self._count >= self.steps

    @property
    def rate(self) -> float:
        """The learning rate in force."""
        return float(self.optimiser.param_groups[0]["lr"])

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        self.optimiser.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Change the weights by their gradients, then the rate."""
        self.optimiser.step()
        self._count += 1
        self._set_rate()

    def end_epoch(self, loss: float, images: Images | None = None) -> Literal["improved"]:
        """Note that an epoch has ended; whatever its validation loss, the latest weights count.

        Args:
            loss: of the epoch that ended.
            images: not needed here; see `coursekit.optim.Plan`.

        Raises:
            ValueError: when the loss is not finite.
        """
        if not math.isfinite(loss):
            raise ValueError(f"the validation loss of epoch {self.best_epoch + 1} is {loss}")
        self.best_epoch += 1
        return "improved"

    @contextlib.contextmanager
    def for_use(self, images: Images | None = None) -> Iterator[None]:
        """While this lasts, the model holds what would be used if training ended here.

        Args:
            images: not needed here; see `coursekit.optim.Plan`.
        """
        yield

    def load_best(self) -> None:
        """Leave in the model what is used in the end: the weights that it has."""

    def state_dict(self) -> dict[str, Any]:
        """The settings, where the run stands, and the optimiser's state."""
        return {
            "config": {**asdict(self.config), "steps": self.steps},
            "count": self._count,
            "best_epoch": self.best_epoch,
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned.

        Raises:
            ValueError: when the state was made with other settings, or for another number of steps.
        """
        check_same(state["config"], {**asdict(self.config), "steps": self.steps})
        load_fused(self.optimiser, state["optimiser"])
        self._count, self.best_epoch = int(state["count"]), int(state["best_epoch"])
        self._set_rate()

    def _set_rate(self) -> None:
        rate = self.rate_of(self._count)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
