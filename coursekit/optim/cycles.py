"""The schedule of self-regulation: an initialisation, then cycles whose rate falls and restarts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from coursekit.errors import CourseError
from coursekit.optim.adam_to_sgd import cosine_rate
from coursekit.optim.scheduled import poly_rate
from coursekit.optim.settings import check_choices, check_numbers

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class CyclicalSchedule:
    """When there is which rate; the defaults are DML-CSR's.

    Attributes:
        initial_epochs: of training from labels. 0 takes the network for trained already: it is
            M_best of the first cycle, and its validation loss is not known.
        cycles: K; 0 for the initialisation alone, the paper's training without self-regulation.
        cycle_epochs: N, of each cycle.
        lr: highest rate of the initialisation.
        schedule: the initialisation's, step by step: "constant", as the paper names none; "poly",
            lr·(1 − t/T)^0.9, which EAGRNet has; or "cosine", to 0.
        cycle_lr: highest rate of each cycle; it falls by half a cosine, step by step, and starts
            anew in the next. The public code's falls from 5e-4 to 1e-5 in each ten steps.
        cycle_min_lr: the rate at a cycle's end.
    """

    initial_epochs: int = 150
    cycles: int = 5
    cycle_epochs: int = 10
    lr: float = 1e-3
    schedule: Literal["constant", "poly", "cosine"] = "constant"
    cycle_lr: float = 1e-5
    cycle_min_lr: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("initial_epochs", 0), ("cycles", 0), ("cycle_epochs", 1)):
            value = getattr(self, name)
            if type(value) is not int or value < least:
                raise CourseError(f"{name} is {value!r}; it must be a whole number from {least}")
        if not self.epochs:
            raise CourseError("initial_epochs and cycles are 0: there is nothing to train")
        check_numbers(self, positive=("lr", "cycle_lr"), not_negative=("cycle_min_lr",))
        if self.cycle_min_lr > self.cycle_lr:
            raise CourseError(
                f"cycle_min_lr is {self.cycle_min_lr}; it must lie in [0, cycle_lr], "
                f"which is {self.cycle_lr}"
            )
        check_choices(self, {"schedule": ("constant", "poly", "cosine")})

    @property
    def epochs(self) -> int:
        """Of the whole schedule, which `FitConfig.epochs` must be."""
        return self.initial_epochs + self.cycles * self.cycle_epochs

    @property
    def words(self) -> str:
        """The schedule's parts, for messages."""
        return f"{self.initial_epochs} epochs and {self.cycles} cycles of {self.cycle_epochs}"

    def cycle(self, epoch: int) -> int:
        """The cycle of an epoch, from 1; 0 in the initialisation."""
        passed = epoch - self.initial_epochs
        return passed // self.cycle_epochs + 1 if passed >= 0 else 0

    def ends_cycle(self, epoch: int) -> bool:
        """Whether an epoch is a cycle's last."""
        passed = epoch + 1 - self.initial_epochs
        return passed > 0 and passed % self.cycle_epochs == 0

    def rate(self, step: int, epoch_steps: int) -> float:
        """The learning rate of a step.

        Args:
            step: from 0.
            epoch_steps: how many an epoch has.
        """
        start, length = self.initial_epochs * epoch_steps, self.cycle_epochs * epoch_steps
        if step >= self.epochs * epoch_steps:  # all is done
            return self.cycle_min_lr if self.cycles else 0.0
        if step >= start:
            passed = (step - start) % length
            return cosine_rate(passed, length, self.cycle_lr, self.cycle_min_lr)
        if self.schedule == "poly":
            return poly_rate(step, start, self.lr)
        return cosine_rate(step, start, self.lr, 0.0) if self.schedule == "cosine" else self.lr
