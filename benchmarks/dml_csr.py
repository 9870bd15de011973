"""DML-CSR on noisy, crowded rendered faces: what each part is worth, and which labels it repairs.

    python benchmarks/dml_csr.py --queue tasks               # Table 6 and controls, seeds 0 to 4
    python benchmarks/dml_csr.py --queue all --minutes 60    # begin nothing after an hour
    python benchmarks/dml_csr.py --list                      # queues, and how much of each is open
    python benchmarks/dml_csr.py --rates 0.002 0.01 0.02     # the baseline, with seed 0

A small network (`coursekit.models.dml_csr.SMALL`) in one thread on a CPU, about two minutes of
processor time a run. A run is a variant, a setting of data and length, and a seed; it leaves one
record, and a run that has its record is not repeated, so a queue can be stopped and started again.
All variants of a setting have as many image passes with gradients; self-regulation passes all
images once more a cycle, without gradients, to estimate statistics of normalisation.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import queues
import torch
import wanted
from noisy_faces import (
    as_figures,
    count_repairs,
    predict,
    scores,
    training_faces,
    validation_faces,
)
from records import Recorder, Row, processor

from coursekit import count_parameters, create_model, metrics
from coursekit.data import Augmentation, whitening
from coursekit.models.dml_csr import SMALL
from coursekit.optim import AveragedCosine, AveragedCosineConfig, SelfRegulationConfig
from coursekit.optim.groups import parameter_groups
from coursekit.training import FitConfig, MultiTaskConfig, MultiTaskObjective, fit

if TYPE_CHECKING:
    from pathlib import Path

    from noisy_faces import Noisy
    from torch import nn

    from coursekit.optim import Learner

BATCH = 8
#: Of AdamW; the first on which `--rates` found the baseline at its plateau.
RATE = 1e-2
#: As in the paper: rotation and scale, no flip, no change of colours.
AUGMENTATION = Augmentation((0.75, 1.25), 0, 0, 0, 0, 0, (0.1, 2.0), 0, rotation=30.0)


@dataclass(frozen=True)
class Setting:
    """Data and length of a run.

    Attributes:
        noise: probability of each kind of label noise.
        regions_alone: no shifted boundaries.
        size: side in pixels.
        epochs: passes over the 1,000 faces.
        augmented: by rotation and scale.
    """

    noise: float = 0.2
    regions_alone: bool = False
    size: int = 64
    epochs: int = 10
    augmented: bool = True

    def noisy(self) -> Noisy:
        """The faces to train on."""
        return training_faces(self.size, self.noise, self.regions_alone)


SETTINGS = {
    "standard": Setting(),
    "clean": Setting(noise=0.0),
    "noisier": Setting(noise=0.5),
    "regions": Setting(noise=0.4, regions_alone=True),
    "regions still": Setting(noise=0.4, regions_alone=True, augmented=False),
    "clean still": Setting(noise=0.0, augmented=False),
    "longer": Setting(epochs=30),
    "clean longer": Setting(noise=0.0, epochs=30),
    "larger": Setting(size=96),
}
assert tuple(SETTINGS) == wanted.SETTINGS


@dataclass(frozen=True)
class OwnRateConfig(AveragedCosineConfig):
    """`AveragedCosineConfig` with a rate of their own for λ and γ, so many times the others'."""

    factor: float = 10.0

    def build(self, learner: Learner, steps: int) -> OwnRate:
        """The optimiser and its schedule of so many steps."""
        return OwnRate(learner.network, self, steps)


class OwnRate(AveragedCosine):
    """See `OwnRateConfig`."""

    def __init__(self, model: nn.Module, config: OwnRateConfig, steps: int) -> None:
        super().__init__(model, config, steps)
        groups = parameter_groups(
            model, config.weight_decay, matrices_only=True, own_rate=("lambda_", "gamma"),
            factor=config.factor,
        )  # fmt: skip
        self.optimiser = torch.optim.AdamW(groups, lr=config.lr, fused=True)
        self._set_rate()

    def _set_rate(self) -> None:
        super()._set_rate()
        for group in self.optimiser.param_groups:
            group["lr"] *= group["factor"]


@dataclass(frozen=True)
class Variant:
    """What is trained, and how.

    Attributes:
        tasks: of "b", "ba", "c", "ca": edges and attention, binary and category.
        model: settings of the network beside SMALL and the edge heads.
        plan: by its name in `plan_of`.
        changes: of the plan's settings.
        lovasz_target: see `MultiTaskConfig`.
        start: λ and γ of DDGCN at the beginning.
        network: its name.
        rate: the highest.
    """

    tasks: tuple[str, ...] = ()
    model: dict[str, Any] = field(default_factory=dict)
    plan: str = "plain"
    changes: dict[str, Any] = field(default_factory=dict)
    lovasz_target: str = "labels"
    start: float = 0.0
    network: str = "dml_csr"
    rate: float = RATE

    def create(self, seed: int) -> nn.Module:
        """The network, with weights that follow from the seed."""
        heads = {(0, 0): "none", (1, 0): "binary", (0, 1): "category", (1, 1): "both"}
        edges = heads["b" in self.tasks, "c" in self.tasks]
        torch.manual_seed(seed)
        small = SMALL if self.network == "dml_csr" else {}
        network = create_model(self.network, 19, **{**small, **self.model, "edge_heads": edges})
        if self.start:
            for name, parameter in network.named_parameters():
                if name.endswith(("lambda_", "gamma")):
                    torch.nn.init.constant_(parameter, self.start)
        return network

    def fit_config(self, setting: Setting, seed: int) -> FitConfig:
        """The settings of its run."""
        objective = Watched(
            *(task in self.tasks for task in ("b", "c", "ba", "ca")),
            lovasz_target=self.lovasz_target,  # type: ignore[arg-type]
        )
        return FitConfig(
            size=setting.size, epochs=setting.epochs, batch_size=BATCH, seed=seed, cpu=True,
            objective=objective, plan=self.plan_of(setting.epochs),
            augmentation=AUGMENTATION if setting.augmented else None,
        )  # fmt: skip

    def plan_of(self, epochs: int) -> Any:
        """AdamW under one cosine; or six tenths of it, then two cycles of two tenths each."""
        if self.plan == "plain":
            return replace(AveragedCosineConfig(lr=self.rate, average=0.0), **self.changes)
        if self.plan == "own rate":
            return replace(OwnRateConfig(lr=self.rate, average=0.0), **self.changes)
        cycle = self.changes.get("cycle_epochs", max(epochs // 5, 1))
        cycles = self.changes.get("cycles", 2)
        settings = {
            "initial_epochs": epochs - cycles * cycle, "cycles": cycles, "cycle_epochs": cycle,
            "optimiser": "adamw", "lr": self.rate, "weight_decay": 0.01, "schedule": "cosine",
            "cycle_lr": self.rate / 5, **self.changes,
        }  # fmt: skip
        return SelfRegulationConfig(**settings)


ALL = ("b", "ba", "c", "ca")
UNTAUGHT = {"distil": False}
SGD = {"optimiser": "sgd", "lr": 0.05, "weight_decay": 5e-4, "cycle_lr": 0.01}
VARIANTS = {
    # Table 6, Table 4's first rows, and what the paper does not ask.
    "baseline": Variant(model={"context": "none"}),
    "ddgcn": Variant(),
    "ddgcn, graphs off": Variant(model={"graphs": False}),
    "b": Variant(("b",)),
    "b+ba": Variant(("b", "ba")),
    "c": Variant(("c",)),
    "c+ca": Variant(("c", "ca")),
    "b+c": Variant(("b", "c")),
    "all": Variant(ALL),
    "ba+ca, no heads": Variant(("ba", "ca")),
    "all on baseline": Variant(ALL, {"context": "none"}),
    # Table 5.
    **{
        name: Variant(model={"context": name})
        for name in ("psp", "psp_no_pooling", "dgcnet", "dgcnet_no_pooling")
    },
    # Table 4's last row, its controls, and conditions under which it might pay.
    "cycles": Variant(ALL, plan="cycles"),
    "cycles, no teacher": Variant(ALL, plan="cycles", changes=UNTAUGHT),
    "cycles, neither": Variant(ALL, plan="cycles", changes={**UNTAUGHT, "aggregate": False}),
    "cycles, lovasz of teacher": Variant(ALL, plan="cycles", lovasz_target="teacher"),
    "cycles, rate 1e-5": Variant(ALL, plan="cycles", changes={"cycle_lr": 1e-5}),
    "cycles, rate 4e-4": Variant(ALL, plan="cycles", changes={"cycle_lr": 4e-4}),
    "cycles, rate 1e-2": Variant(ALL, plan="cycles", changes={"cycle_lr": 1e-2}),
    "cycles, from the teacher": Variant(ALL, plan="cycles", changes={"start_from": "teacher"}),
    "cycles, one late": Variant(ALL, plan="cycles", changes={"cycles": 1}),
    "sgd": Variant(ALL, plan="cycles", changes={**SGD, "cycles": 0}),
    "sgd, cycles": Variant(ALL, plan="cycles", changes=SGD),
    "sgd, cycles, no teacher": Variant(ALL, plan="cycles", changes={**SGD, **UNTAUGHT}),
    # Conditions under which the graphs might.
    "ddgcn, rate x10": Variant(plan="own rate"),
    "ddgcn, rate x100": Variant(plan="own rate", changes={"factor": 100.0}),
    "ddgcn, start at 1": Variant(start=1.0),
    "ddgcn, eq 1": Variant(model={"merge": "paper"}),
    "ddgcn, eq 1, graphs off": Variant(model={"merge": "paper", "graphs": False}),
    # Does the method help a small network of another make? Its rate is that of the recipe `house`.
    "fastscnn": Variant(network="fastscnn", rate=0.02),
    "fastscnn, all": Variant(ALL, network="fastscnn", rate=0.02),
    "fastscnn, cycles": Variant(ALL, plan="cycles", network="fastscnn", rate=0.02),
    "fastscnn, cycles, no teacher": Variant(
        ALL, plan="cycles", changes=UNTAUGHT, network="fastscnn", rate=0.02
    ),
}
assert tuple(VARIANTS) == wanted.VARIANTS


SEEN: list[MultiTaskObjective] = []


class Watched(MultiTaskConfig):
    """Keeps the objective where its teacher can be looked at between epochs."""

    def build(self, model: nn.Module, train: Any) -> MultiTaskObjective:
        """The objective; it is the only one in `SEEN`."""
        SEEN[:] = [super().build(model, train)]
        return SEEN[0]


def measure(variant: Variant, setting: Setting, seed: int) -> dict[str, Any]:
    """Train, score on faces without wrong labels, and count repairs."""
    began = time.process_time()
    noisy, val = setting.noisy(), validation_faces(setting.size)
    config, network = variant.fit_config(setting, seed), variant.create(seed)
    white = whitening(noisy.faces, setting.size)
    # The images are the same whatever was done to their labels: a network that saw no wrong label
    # says what would have been broken anyway.
    judged = {"": noisy} if setting.noise else {
        name: other.noisy() for name, other in SETTINGS.items()
        if other.noise and setting == replace(other, noise=0.0, regions_alone=False)
    }  # fmt: skip
    found: dict[str, Any] = {}
    taught: list[nn.Module] = []

    def count(when: str, who: nn.Module) -> None:
        said = predict(who, noisy.faces, white)
        for name, labels in judged.items():
            found[f"{when} {name}".strip()] = as_figures(count_repairs(said, labels))

    def look(entry: dict[str, Any]) -> None:
        teacher = SEEN[0].teacher
        if teacher is not None and not (taught and taught[-1] is teacher):
            taught.append(teacher)
            count(f"teacher {len(taught)}", teacher)

    result = fit(network, noisy.faces, val, config, on_epoch=look, progress=False)
    count("final", network)
    truth = torch.from_numpy(val.label_maps)
    matrix = metrics.confusion_matrix(predict(network, val, white), truth, 19)
    return {
        **scores(matrix, val.labels.names),
        "history": [round(100 * entry["val_mean_iou"], 2) for entry in result.history],
        "last_val_loss": round(result.history[-1]["val_loss"], 4),
        "wrong_share": round(100 * noisy.share, 3),
        "passes": setting.epochs * (len(noisy.faces) // BATCH * BATCH),
        "parameters": count_parameters(network),
        "minutes": round((time.process_time() - began) / 60, 1),
        **own_numbers(network),
        "repairs": found,
    }


def own_numbers(network: nn.Module) -> dict[str, float]:
    """The λ and γ that a network has learnt, as "lambda" and "gamma"."""
    return {
        name.rpartition(".")[2].rstrip("_"): round(float(parameter.detach()), 4)
        for name, parameter in network.named_parameters()
        if name.endswith(("lambda_", "gamma"))
    }


def measure_row(row: Row) -> dict[str, Any]:
    """The figures of a row."""
    variant, setting, seed = (row.settings[key] for key in ("variant", "setting", "seed"))
    return measure(VARIANTS[variant], SETTINGS[setting], seed)


def search(rates: list[float], folder: Path) -> None:
    """The baseline's score with seed 0 at several rates, as one record."""
    recorder = Recorder(processor(), torch.get_num_threads(), [0], folder)
    found = {
        f"{rate:g}": measure(replace(VARIANTS["baseline"], rate=rate), SETTINGS["standard"], 0)
        for rate in rates
    }
    scores_by_rate = {rate: figures["mean_iou"] for rate, figures in found.items()}
    recorder.keep(wanted.dml_csr_rates(), {"rates": scores_by_rate})


def main() -> int:
    parser = queues.parser(__doc__, wanted.DML_CSR)
    parser.add_argument("--rates", type=float, nargs="+", help="compare these on the baseline")
    options = parser.parse_args()
    if options.list or not (options.queue or options.rates):
        rows = {name: wanted.dml_csr_queue(name) for name in wanted.DML_CSR}
        queues.tell_open(rows, options.keep)
        return 0
    if options.rates:
        return queues.alone(lambda: search(options.rates, options.keep))
    queue = wanted.dml_csr_queue(options.queue)
    return queues.alone(lambda: queues.run(queue, measure_row, wanted.dml_csr_command, options))


if __name__ == "__main__":
    sys.exit(main())
