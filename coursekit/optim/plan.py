"""What a plan is: an optimiser, its schedule, and which weights count in the end.

`coursekit.training.fit` knows plans by this protocol alone. A new one is a class
and the frozen dataclass that builds it; the loop stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager

    from torch import Tensor, nn

    #: Gives this process's share of the training images once more, in whitened (B, 3, S, S) batches
    #: on the network's device. What is estimated from it must be added up over processes.
    Images = Callable[[], Iterable[Tensor]]


class Learner(Protocol):
    """What a plan trains.

    Attributes:
        network: the network, without wrappers; its parameters are optimised, its state counts.
        teacher: None, or a frozen network that the loss compares with. A plan that makes teachers
            puts them here.
    """

    teacher: nn.Module | None

    @property
    def network(self) -> nn.Module:
        """See above."""


class Plan(Protocol):
    """An optimiser with its schedule, as the training loop calls it."""

    @property
    def phase(self) -> str:
        """What is running, for the history."""

    @property
    def rate(self) -> float:
        """The learning rate in force."""

    @property
    def stopped(self) -> bool:
        """True once there is nothing more to do."""

    @property
    def best_epoch(self) -> int:
        """The epoch, from 0, whose weights `load_best` would load; −1 before the first."""

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""

    def step(self) -> None:
        """Change the weights by their gradients."""

    def end_epoch(self, loss: float, images: Images | None = None) -> str:
        """Record the validation loss of the epoch that ended.

        Args:
            loss: a finite number.
            images: for plans that estimate statistics of normalisation anew.

        Returns:
            What that led to, for the history; after "improved" the loop saves what is `for_use`.
        """

    def for_use(self, images: Images | None = None) -> AbstractContextManager[None]:
        """While this lasts, the network holds what would be used if training ended here.

        It is validated so, before `end_epoch`, and saved so, after it.

        Args:
            images: for plans that estimate statistics of normalisation anew.
        """

    def load_best(self) -> None:
        """Leave in the model what is used in the end."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest depends on: tensors, numbers and text in dicts and lists."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned."""


class PlanConfig(Protocol):
    """Settings of a plan: a frozen dataclass.

    Attributes:
        fixed_length: whether the schedule is stretched over all epochs, so that a run cannot be
            lengthened afterwards.
    """

    fixed_length: ClassVar[bool]

    def build(self, learner: Learner, steps: int) -> Plan:
        """The plan.

        Args:
            learner: what to train.
            steps: how many there will be at most; a schedule with an end needs to know.
        """
