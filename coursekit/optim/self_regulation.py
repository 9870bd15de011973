"""Cyclical self-regulation (DML-CSR, section 3.3): averages of weights that teach the next cycle.

    initialisation        cycle 1 of K            cycle 2 of K
    ──────────────        ────────────────        ────────────────
    lr, from labels       cycle_lr ╲ _min_lr      cycle_lr ╲ _min_lr      …
    M_best ─────────────▶ teacher                 teacher ◀── M of cycle 1
          └─────────────▶ Eq. 6: M ◀ M_1 … M_N    Eq. 6: M ◀ M_1 … M_N

Above stands what the rate does, below who teaches whom.
"""

from __future__ import annotations

import contextlib
import copy
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch

from coursekit.errors import CourseError
from coursekit.optim.aggregation import Models, add_student, aggregate, copy_weights
from coursekit.optim.cycles import CyclicalSchedule
from coursekit.optim.fused import load_fused
from coursekit.optim.groups import parameter_groups
from coursekit.optim.settings import check_choices, check_numbers, check_same
from coursekit.optim.statistics import reestimate_statistics

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from coursekit.optim.aggregation import Weights
    from coursekit.optim.plan import Images, Learner


#: What the end of an epoch led to: "improved", what is used in the end is another from now on;
#: "best", the student of a cycle has the lowest validation loss so far, which the next cycle's
#: average will use; "wait", neither.
Event = Literal["improved", "best", "wait"]


@dataclass(frozen=True)
class SelfRegulationConfig(CyclicalSchedule):
    """Settings of `SelfRegulation`: a `CyclicalSchedule` and these; the defaults are the paper's.

    `distil` and `aggregate` tell the two halves of the method apart: with both off, the same epochs
    at the same rates are plain training, of which the best by validation loss is used; with the
    first off, weights are averaged and nobody teaches; with the second off, the best model so far
    teaches and nothing is averaged.

    Attributes:
        optimiser: "sgd" or "adamw".
        momentum: of SGD.
        weight_decay: of all parameters under SGD, of those with several dimensions under AdamW;
            never of single numbers such as DDGCN's λ and γ, which it would hold at the 0 that they
            start from. The paper and EAGRNet, which it follows, except none.
        own_rate: parameters whose rate is `own_rate_factor` times the others', by their names or
            the ends of these after a dot: ("gamma",) for all that are called so.
        own_rate_factor: see there; at least 0.
        distil: put the teacher before the learner.
        aggregate: average the weights of a cycle (Eq. 6).
        best: what M_best is in Eq. 6. "validation", the paper's "best model from previous epochs":
            the lowest validation loss among all that was validated before the cycle began,
            students and averages alike. "aggregate": the average of the cycle before, as in SCHP
            and the public code, which keep a running mean; the first cycle has that of
            "validation".
        start_from: weights that a cycle's student begins with: the "student"'s own, or those of the
            "teacher", that is what is in use then, whether or not it teaches. The paper only speaks
            of "the current model".
        first_teacher: "best" lets the best of the initialisation teach the first cycle; "none"
            leaves that to labels. The paper does not say: Eq. 6 has no M before a first cycle.
    """

    optimiser: Literal["sgd", "adamw"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 5e-4
    own_rate: tuple[str, ...] = ()
    own_rate_factor: float = 1.0
    distil: bool = True
    aggregate: bool = True
    best: Literal["validation", "aggregate"] = "validation"
    start_from: Literal["student", "teacher"] = "student"
    first_teacher: Literal["best", "none"] = "best"

    fixed_length: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_numbers(
            self, not_negative=("weight_decay", "own_rate_factor"), below_one=("momentum",)
        )
        if isinstance(self.own_rate, str):
            raise CourseError(f"own_rate is {self.own_rate!r}; it must be a tuple of names")
        choices: dict[str, tuple[object, ...]] = {
            "distil": (True, False),
            "aggregate": (True, False),
            "optimiser": ("sgd", "adamw"),
            "best": ("validation", "aggregate"),
            "start_from": ("student", "teacher"),
            "first_teacher": ("best", "none"),
        }
        check_choices(self, choices)

    def build(self, learner: Learner, steps: int) -> SelfRegulation:
        """The plan of so many steps."""
        return SelfRegulation(learner, self, steps)


class SelfRegulation:
    """Trains a network, then in cycles averages its weights and lets the average teach.

    At the end of cycle k, with N epochs whose last weights are M_n,

        M = k/(k+1) · M_best + 1/((k+1)·N) · Σ M_n          (Eq. 6)

    of all floating parameters. Statistics of normalisation are not averaged: all training images
    pass through M to estimate them anew (`reestimate_statistics`). Other buffers are the student's
    at that moment. M is validated in place of the student of the cycle's last epoch, and teaches
    the next cycle: a frozen copy in evaluation mode, at `learner.teacher`.

    What is used in the end, what `load_best` loads and what is "improved" upon is one thing: the
    best of the initialisation by validation loss until the first cycle ends, from then on the M of
    the latest cycle, be its loss lower or not. (Without `aggregate`, the best by validation loss
    throughout.) Where `for_use` is entered after the last step of an epoch and before `end_epoch`,
    it holds what is to be validated: M at a cycle's end, otherwise the student; between an
    `end_epoch` and the next step, what is in use. While it lasts there is no teacher, so that an
    objective measures the network by itself and the losses of all phases can be compared.

    `state_dict` holds each model once: in the initialisation the best; in a cycle M_best, the M in
    use, Σ M_n and a student that was better than all before, if there was one; and what the
    optimiser keeps, which is one network's size for SGD with momentum and two for AdamW. With the
    network itself, state.safetensors is then 3 to 4 times, in cycles at most 6 to 7 times as large
    as the weights. In memory the teacher is one more.

    Where a cycle's student starts from other weights than its own, the optimiser is a new one,
    without the momentum that led elsewhere.

    Args:
        learner: what to train; its `teacher` is set here.
        config: the settings.
        steps: of the whole run: those of `config.epochs` epochs.

    Attributes:
        optimiser: torch's.
        best_epoch: whose model is in use, from 0; −1 before the first, and while a network that
            came trained is in use.

    Raises:
        CourseError: when steps are not those of so many epochs, or `own_rate` names no parameter.
    """

    def __init__(self, learner: Learner, config: SelfRegulationConfig, steps: int) -> None:
        if steps < 1 or steps % config.epochs:
            raise CourseError(
                f"{steps} steps are not those of {config.epochs} epochs: this schedule has "
                f"{config.words}; set FitConfig.epochs (--epochs) to {config.epochs}"
            )
        self.learner, self.config, self.steps = learner, config, steps
        self.network = learner.network
        self.epoch_steps = steps // config.epochs
        self.best_epoch = -1
        self._count = self._epoch = 0
        self._models = Models()
        self._pending: Weights | None = None  # M, from validation to the end of the epoch
        self.optimiser = self._make_optimiser()
        if not config.initial_epochs:
            self._models.best = self._models.used = copy_weights(self.network)
            self._start_cycle()
        self._set_rate()

    @property
    def phase(self) -> str:
        """What is running: "initialisation", "cycle 2 of 5" or "stopped"."""
        if self.stopped:
            return "stopped"
        cycle = self.config.cycle(self._epoch)
        return f"cycle {cycle} of {self.config.cycles}" if cycle else "initialisation"

    @property
    def stopped(self) -> bool:
        """True once all epochs are done."""
        return self._epoch >= self.config.epochs

    @property
    def rate(self) -> float:
        """The learning rate in force, of parameters without one of their own."""
        return self.config.rate(self._count, self.epoch_steps)

    @property
    def cycle_ends(self) -> tuple[int, ...]:
        """The epochs so far, from 0, that ended a cycle."""
        return tuple(e for e in range(self._epoch) if self.config.ends_cycle(e))

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        self.optimiser.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Change the weights by their gradients, then the rate.

        Raises:
            CourseError: when the epoch has more steps than the schedule reckons with.
        """
        if self._count >= (self._epoch + 1) * self.epoch_steps:
            raise self._misfit("more than")
        self.optimiser.step()
        self._count += 1
        self._set_rate()

    def end_epoch(self, loss: float, images: Images | None = None) -> Event:
        """Record a validation loss; at a cycle's end average, and begin the next.

        Args:
            loss: of what `for_use` held after the epoch's last step.
            images: all training images; needed at a cycle's end by a network with statistics of
                normalisation, unless `for_use` was entered with them.

        Returns:
            "improved" when another model is in use from now on, "best" when a cycle's student has
            the lowest loss so far, or "wait".

        Raises:
            CourseError: when the epoch had fewer steps than the schedule reckons with.
            ValueError: when the loss is not finite.
        """
        if not math.isfinite(loss):
            raise ValueError(f"the validation loss of epoch {self._epoch} is {loss}")
        if self.stopped:
            raise RuntimeError("all epochs are done; make a new plan to train on")
        if self._count != (self._epoch + 1) * self.epoch_steps:
            raise self._misfit("fewer than")
        cycle, last = self.config.cycle(self._epoch), self.config.ends_cycle(self._epoch)
        if not (cycle and self.config.aggregate):
            event = self._keep_best(loss)
        elif last:
            event = self._keep_aggregate(loss, images)
        else:
            self._models.total = add_student(self._models.total, self.network)
            event = self._consider(loss)
        self._epoch += 1
        if last or self._epoch == self.config.initial_epochs:
            self._start_cycle()
        return event

    @contextlib.contextmanager
    def for_use(self, images: Images | None = None) -> Iterator[None]:
        """While this lasts, the network holds what is to be validated, or what is in use.

        See the class. Afterwards it holds the student again, and the teacher teaches.

        Args:
            images: all training images; needed at a cycle's end.
        """
        shown, teacher = self._shown(images), self.learner.teacher
        held = None if shown is None else copy_weights(self.network)
        self.learner.teacher = None
        try:
            if shown is not None:
                self.network.load_state_dict(shown)
            yield
        finally:
            if held is not None:
                self.network.load_state_dict(held)
            self.learner.teacher = teacher

    def load_best(self) -> None:
        """Put what is in use into the network; before the first epoch has ended, leave it."""
        if self._models.used is not None:
            self.network.load_state_dict(self._models.used)

    def state_dict(self) -> dict[str, Any]:
        """The settings, where the run stands, the optimiser's state, and each model once."""
        return {
            "config": {**asdict(self.config), "steps": self.steps},
            "count": self._count,
            "epoch": self._epoch,
            "best_epoch": self.best_epoch,
            "optimiser": self.optimiser.state_dict(),
            **self._models.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned, with the network as it was then.

        Raises:
            ValueError: when the state was made with other settings, or for another network.
        """
        check_same(state["config"], {**asdict(self.config), "steps": self.steps})
        self._models = Models.from_state_dict(state, self.network)
        self._pending = None
        load_fused(self.optimiser, state["optimiser"])
        self._count, self._epoch = int(state["count"]), int(state["epoch"])
        self.best_epoch = int(state["best_epoch"])
        self._teach(self._models.teaching)
        self._set_rate()

    # Where the run stands.

    def _shown(self, images: Images | None) -> Weights | None:
        """What `for_use` puts into the network; None for what it holds."""
        if self._count == self._epoch * self.epoch_steps:  # between `end_epoch` and the next step
            return self._models.used
        done = self._count == (self._epoch + 1) * self.epoch_steps
        if self.config.aggregate and done and self.config.ends_cycle(self._epoch):
            return self._aggregate(images)
        return None

    def _misfit(self, how: str) -> CourseError:
        return CourseError(
            f"epoch {self._epoch + 1} has {how} {self.epoch_steps} steps, which the schedule "
            f"reckons with: set FitConfig.epochs (--epochs) to {self.config.epochs}, "
            f"{self.config.words}"
        )

    # Which model is which.

    def _keep_best(self, loss: float) -> Event:
        """Of the initialisation, and of training without averages."""
        if loss >= self._models.lowest:
            return "wait"
        self._models.lowest, self.best_epoch = loss, self._epoch
        self._models.best = self._models.used = copy_weights(self.network)
        return "improved"

    def _consider(self, loss: float, model: Weights | None = None) -> Event:
        """Whether this model (the student when None) will be M_best from the next cycle on."""
        if self.config.best == "aggregate" or loss >= self._models.lowest:
            return "wait"
        self._models.lowest = loss
        self._models.next = model or copy_weights(self.network)
        return "best"

    def _keep_aggregate(self, loss: float, images: Images | None) -> Event:
        self._models.used = self._aggregate(images)
        self._pending = self._models.total = None
        self.best_epoch = self._epoch
        self._consider(loss, self._models.used)
        if self.config.best == "aggregate":
            self._models.best = self._models.used
        elif self._models.next is not None:
            self._models.best, self._models.next = self._models.next, None
        return "improved"

    def _start_cycle(self) -> None:
        """The teacher of the coming cycle; after the last there is none."""
        cycle = self.config.cycle(self._epoch)
        if not cycle or self.stopped:
            self._teach(None)
            return
        taught = self.config.distil and (cycle > 1 or self.config.first_teacher == "best")
        self._teach(self._models.used if taught else None)
        if self.config.start_from == "teacher":
            self.load_best()
            self.optimiser = self._make_optimiser()
            self._set_rate()

    def _teach(self, model: Weights | None) -> None:
        self._models.teaching = model
        teacher = None
        if model is not None:
            teacher = copy.deepcopy(self.network).eval().requires_grad_(False)
            teacher.load_state_dict(model)
        self.learner.teacher = teacher

    def _aggregate(self, images: Images | None) -> Weights:
        """M of the cycle that is ending, with statistics of its own; made once."""
        if self._pending is None:
            assert self._models.best is not None
            total = add_student(self._models.total, self.network)
            k, n = self.config.cycle(self._epoch), self.config.cycle_epochs
            held = copy_weights(self.network)
            try:
                self.network.load_state_dict(held | aggregate(self._models.best, total, k, n))
                reestimate_statistics(self.network, images)
                self._pending = copy_weights(self.network)
            finally:
                self.network.load_state_dict(held)
        return self._pending

    def _make_optimiser(self) -> torch.optim.Optimizer:
        config, adamw = self.config, self.config.optimiser == "adamw"
        groups = parameter_groups(
            self.network,
            config.weight_decay,
            matrices_only=adamw,
            own_rate=config.own_rate,
            factor=config.own_rate_factor,
        )
        if adamw:
            return torch.optim.AdamW(groups, lr=config.lr, fused=True)
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, fused=True)

    def _set_rate(self) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * group["factor"]
