"""Networks that are none of the four, each with an objective of its own: what `fit` must serve.

A two-headed network whose objective has three losses and a teacher, with a plan that averages
weights, estimates normalisations anew and makes the teacher; and a network that finds landmarks.
"""

from __future__ import annotations

import copy
import sys
import types
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, update_bn

from coursekit import models
from coursekit.losses import weighted_cross_entropy
from coursekit.models.abn import ABN
from coursekit.optim import AdamToSGD, AdamToSGDConfig, Learner
from coursekit.training import Objective, ParsingObjective, Sums

if TYPE_CHECKING:
    from coursekit.optim.plan import Images


@dataclass(frozen=True)
class ToyConfig:
    """Of all toys."""

    num_classes: int = 19
    width: int = 6
    normalised: bool = True
    body: str = "plain"


class Heads(NamedTuple):
    logits: Tensor
    edges: Tensor


class TwoHeads(nn.Module):
    """Logits and an edge map from one body."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        normalise = ABN if config.body == "abn" else nn.BatchNorm2d
        self.body = nn.Sequential(
            nn.Conv2d(3, config.width, 3, padding=1),
            normalise(config.width) if config.normalised else nn.Identity(),
            nn.ReLU(),
        )
        self.parsing = nn.Conv2d(config.width, config.num_classes, 1)
        self.edge = nn.Conv2d(config.width, 1, 1)

    def heads(self, image: Tensor) -> Heads:
        features = self.body(image)
        return Heads(self.parsing(features), self.edge(features))

    def forward(self, image: Tensor) -> Tensor:
        return self.heads(image).logits


class TwoHeadsObjective(ParsingObjective):
    """Cross-entropy, an edge loss, and what the teacher says, once there is one."""

    def forward(self, batch: dict[str, Any]) -> Sums:
        image, target = batch["image"], batch["target"]
        with self.autocast(image):
            heads = self.model.heads(image)
        logits = heads.logits.float()
        edge = F.pad(target[..., 1:] != target[..., :-1], (1, 0)).float()[:, None]  # (B, 1, S, S)
        pixels = logits.new_tensor(target.numel())
        drawn = F.binary_cross_entropy_with_logits(heads.edges.float(), edge, reduction="sum")
        told = drawn * 0
        if self.teacher is not None:
            with torch.no_grad():
                soft = self.teacher(image).softmax(1)
            told = -(soft * logits.log_softmax(1)).sum()
        parsed, mass = weighted_cross_entropy(logits, target, self.weights)
        return Sums(torch.stack([parsed, drawn, told]), torch.stack([mass, pixels, pixels]), logits)


@dataclass(frozen=True)
class TwoHeadsConfig:
    divisible: ClassVar[bool] = True

    def check(self, model: nn.Module, train: object, val: object) -> None: ...

    def build(self, model: nn.Module, train: object) -> TwoHeadsObjective:
        return TwoHeadsObjective(model, (), 19, torch.linspace(0.5, 1.5, 19))


class Finder(nn.Module):
    """106 points from the mean of what each convolution saw."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        self.body = nn.Sequential(nn.Conv2d(3, config.width, 5, stride=2), nn.ReLU(),
                                  nn.AdaptiveAvgPool2d(4), nn.Flatten())  # fmt: skip
        self.points = nn.Linear(16 * config.width, 2 * 106)

    def forward(self, image: Tensor) -> Tensor:
        return self.points(self.body(image)).view(-1, 106, 2)


class LandmarkObjective(Objective):
    """The distance of points in shares of the side; scored as their mean, val_distance."""

    landmarks = True

    def forward(self, batch: dict[str, Any]) -> Sums:
        wanted = batch["landmarks"] / batch["image"].shape[-1]
        with self.autocast(batch["image"]):
            found = self.model(batch["image"]).float()
        total = (found - wanted).abs().sum()
        return Sums(total[None], total.new_tensor([wanted.numel()]), found - wanted)

    def score(self) -> LandmarkScore:
        return LandmarkScore()


class LandmarkScore:
    def __init__(self) -> None:
        self.counts = torch.zeros(2, dtype=torch.float64)

    def update(self, output: Tensor, batch: dict[str, Any]) -> None:
        self.counts += torch.tensor([output.norm(dim=-1).sum(), output[..., 0].numel()])

    def result(self) -> dict[str, float]:
        return {"val_distance": float(self.counts[0] / self.counts[1])}


@dataclass(frozen=True)
class LandmarkConfig:
    divisible: ClassVar[bool] = True

    def check(self, model: nn.Module, train: object, val: object) -> None: ...

    def build(self, model: nn.Module, train: object) -> LandmarkObjective:
        return LandmarkObjective(model)


@dataclass(frozen=True)
class CyclesConfig:
    """Every two epochs the average of the weights becomes the teacher."""

    fixed_length: ClassVar[bool] = False

    def build(self, learner: Learner, steps: int) -> Cycles:
        return Cycles(learner)


class Cycles(AdamToSGD):
    def __init__(self, learner: Learner) -> None:
        super().__init__(learner.network, AdamToSGDConfig(adam_lr=0.01))
        self.learner, self.average = learner, AveragedModel(learner.network)

    def end_epoch(self, loss: float, images: Images | None = None) -> str:
        super().end_epoch(loss)
        self.average.update_parameters(self.model)
        if int(self.average.n_averaged) % 2:
            return "wait"
        assert images is not None
        update_bn(images(), self.average.module)
        self._teach(self.average.module)
        return "improved"

    def _teach(self, network: nn.Module) -> None:
        self.learner.teacher = copy.deepcopy(network).eval().requires_grad_(False)

    def for_use(self, images: Images | None = None) -> AbstractContextManager[None]:
        return nullcontext()

    def state_dict(self) -> dict[str, Any]:
        teacher = self.learner.teacher
        return super().state_dict() | {
            "average": self.average.state_dict(),
            "teacher": teacher and teacher.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self.average.load_state_dict(state["average"])
        if state["teacher"]:
            self._teach(self.average.module)
            assert self.learner.teacher is not None
            self.learner.teacher.load_state_dict(state["teacher"])


TOYS = {"two_heads": TwoHeads, "finder": Finder}


def register() -> None:
    """Let `create_model` know the toys, as it knows the course's."""
    module = types.ModuleType("coursekit.models.toys")
    for name, kind in TOYS.items():
        kind.__module__ = module.__name__
        setattr(module, kind.__name__, kind)
        models._REGISTRY[name] = ("toys", kind.__name__, "ToyConfig")
    module.ToyConfig = ToyConfig  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, for one test."""
    monkeypatch.setattr(models, "_REGISTRY", dict(models._REGISTRY))
    monkeypatch.setattr(models, "MODEL_NAMES", (*models.MODEL_NAMES, *TOYS))
    monkeypatch.setitem(sys.modules, "coursekit.models.toys", types.ModuleType("toys"))
    register()
