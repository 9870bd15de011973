"""The settings of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal

from coursekit.data import Augmentation
from coursekit.errors import CourseError
from coursekit.optim import AdamToSGDConfig
from coursekit.training.objective import ParsingConfig

if TYPE_CHECKING:
    from coursekit.optim import PlanConfig
    from coursekit.training.objective import ObjectiveConfig


@dataclass(frozen=True)
class FitConfig:
    """Settings of a run; the defaults are the report's.

    Attributes:
        size: side of the square that images are resized to, in pixels.
        epochs: at most so many; the plan may stop earlier.
        batch_size: images in a step, over all processes together.
        seed: of the order, the augmentation and dropout, at least 0. The weights are the caller's:
            call `torch.manual_seed` before `create_model`.
        objective: what the network is trained for: loss and score.
        plan: the optimiser, its schedule and which weights count: `AdamToSGDConfig`, the report's
            pipeline, `AveragedCosineConfig`, `PolyConfig`, or `SelfRegulationConfig`, which has
            epochs of its own that `epochs` must be.
        augmentation: of the training images; None for none.
        precision: "bf16" computes the forward pass in bfloat16; weights stay float32.
        workers: processes that prepare batches; results do not depend on it.
        cpu: stay on the CPU when there is a GPU.
    """

    size: int = 512
    epochs: int = 120
    batch_size: int = 2
    seed: int = 42
    objective: ObjectiveConfig = field(default_factory=ParsingConfig)
    plan: PlanConfig = field(default_factory=AdamToSGDConfig)
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    precision: Literal["fp32", "bf16"] = "fp32"
    workers: int = 0
    cpu: bool = False

    def __post_init__(self) -> None:
        least_of = {"size": 16, "epochs": 1, "batch_size": 1, "seed": 0, "workers": 0}
        for name, least in least_of.items():
            value = getattr(self, name)
            if type(value) is not int:
                raise CourseError(f"{name} is {value!r}; it must be a whole number")
            if not least <= value < 1 << 63:
                limit = f"at least {least}" if value < least else "below 2⁶³"
                raise CourseError(f"{name} is {value}; it must be {limit}")
        if self.precision not in ("fp32", "bf16"):
            raise CourseError(f"precision is {self.precision!r}; it must be fp32 or bf16")

    def as_data(self) -> dict[str, Any]:
        """The settings as JSON gives them back, objective and plan with the name of their kind."""
        kinds = {name: type(getattr(self, name)).__name__ for name in ("objective", "plan")}
        plain = {f.name: _plain(getattr(self, f.name)) for f in fields(self)}
        named = {name: {**plain[name], "kind": kind} for name, kind in kinds.items()}
        try:
            data: dict[str, Any] = json.loads(json.dumps({**plain, **named}))
        except TypeError as error:
            raise CourseError(
                f"{self}: its settings could not be written down ({error}); use numbers, text, "
                "tuples, and dataclasses of them"
            ) from error
        return data

    def free(self) -> set[str]:
        """Which settings may change between a run and its continuation."""
        return {"workers"} if self.plan.fixed_length else {"workers", "epochs"}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else vars(value)
