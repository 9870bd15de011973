"""Eq. 5 and Eq. 7 of DML-CSR, term by term, against sums that are written out here."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from coursekit import create_model, losses
from coursekit.checkpoint import read_tensors
from coursekit.data import Augmentation, SynthDataset, class_counts
from coursekit.errors import CourseError
from coursekit.models.edge_heads import Heads
from coursekit.optim import SelfRegulationConfig
from coursekit.training import (
    FitConfig,
    FitResult,
    MultiTaskConfig,
    MultiTaskObjective,
    fit,
    multi_task,
)

SWITCHES = ("binary", "category", "attention_binary", "attention_category")


class Small(nn.Module):
    """Three heads on one convolution, the edges' only where they are asked for; it counts calls."""

    def __init__(self, classes: int = 19, edges: str = "both") -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
        self.parsing = nn.Conv2d(6, classes, 1)
        self.binary = nn.Conv2d(6, 2, 1) if edges in ("both", "binary") else None
        self.category = nn.Conv2d(6, classes, 1) if edges in ("both", "category") else None
        self.calls: list[tuple[str, bool]] = []

    def heads(self, image: Tensor) -> Heads:
        self.calls.append(("heads", torch.is_grad_enabled()))
        features = self.body(image)
        edges = (head and head(features) for head in (self.binary, self.category))
        return Heads(self.parsing(features), *edges)

    def forward(self, image: Tensor) -> Tensor:
        self.calls.append(("forward", torch.is_grad_enabled()))
        return self.parsing(self.body(image))


def network(seed: int = 0, **settings: Any) -> Small:
    torch.manual_seed(seed)
    return Small(**settings)


def batch(size: int = 9, classes: int = 19, seed: int = 0) -> dict[str, Any]:
    """Blocks of labels, a corner of them unknown."""
    draw = torch.Generator().manual_seed(seed)
    target = torch.randint(0, classes, (3, size // 3, size // 3), generator=draw)
    target = target.repeat_interleave(3, 1).repeat_interleave(3, 2)
    target[:, :2, :2] = 255
    return {"image": torch.randn(3, 3, size, size, generator=draw), "target": target}


def loss(objective: MultiTaskObjective, given: dict[str, Any]) -> Tensor:
    """As the loop puts it together."""
    total, mass, _ = objective(given)
    assert not mass.requires_grad and len(total) == len(mass)
    return (total / mass).sum()


WEIGHTS = (0.7, 1.3, 0.6, 4.0, 2.0)


def by_labels(heads: Heads, target: Tensor, config: MultiTaskConfig, w: Tensor) -> Tensor:
    """Eq. 5, all terms with their switches."""
    drawn = {"sides": config.sides, "width": config.width}
    lambdas, logits = config.weights, heads.logits
    b = losses.binary_edges(target, **drawn)
    c = losses.category_edges(target, logits.shape[1], **drawn)
    entropy = nn.functional.cross_entropy(logits, target, ignore_index=255)
    total = lambdas[0] * (entropy + losses.lovasz_softmax(logits, target))
    if config.binary:
        total = total + lambdas[1] * losses.binary_edge_loss(heads.binary, b)
    if config.category:
        total = total + lambdas[2] * losses.category_edge_loss(heads.category, c)
    if config.attention_binary:
        total = total + lambdas[3] * losses.binary_edge_attention(logits, target, b)
    if config.attention_category:
        total = total + lambdas[4] * losses.category_edge_attention(logits, target, c, w)
    return total


@pytest.mark.parametrize("switches", list(itertools.product((False, True), repeat=4)))
def test_eq_5_has_the_terms_that_are_on(switches: tuple[bool, ...]) -> None:
    config = MultiTaskConfig(**dict(zip(SWITCHES, switches, strict=True)), weights=WEIGHTS)
    w, given = torch.linspace(0.5, 1.5, 19), batch()
    model = network()
    found = loss(MultiTaskObjective(model, config, 19, w), given)
    expected = by_labels(network().heads(given["image"]), given["target"], config, w)
    torch.testing.assert_close(found, expected)
    found.backward()
    reached = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    heads = {name for name in ("binary", "category") if getattr(config, name)}
    assert reached == {"body", "parsing", *heads}


@pytest.mark.parametrize(("sides", "width"), [("inner", 1), ("both", 2)])
def test_edges_are_drawn_as_asked(sides: Any, width: int) -> None:
    config, given = MultiTaskConfig(sides=sides, width=width), batch()
    w = torch.ones(19)
    found = loss(MultiTaskObjective(network(), config, 19), given)
    expected = by_labels(network().heads(given["image"]), given["target"], config, w)
    torch.testing.assert_close(found, expected)
    assert found != loss(MultiTaskObjective(network(), MultiTaskConfig(), 19), given)


def with_teacher(config: MultiTaskConfig) -> tuple[MultiTaskObjective, Small]:
    objective, teacher = MultiTaskObjective(network(), config, 19), network(1).eval()
    objective.teacher = teacher
    return objective.train(), teacher


@pytest.mark.parametrize("lovasz_target", ["labels", "teacher"])
def test_eq_7_takes_the_teacher_s_place_in_training_alone(lovasz_target: Any) -> None:
    config = MultiTaskConfig(distillation=(0.7, 1.3, 0.4), lovasz_target=lovasz_target)
    objective, teacher = with_teacher(config)
    given, labels = batch(), MultiTaskObjective(network(), config, 19)
    found = loss(objective, given)
    assert teacher.calls == [("heads", False)]  # once, and without gradients
    with torch.no_grad():
        told = teacher.heads(given["image"])
    said, target = network().heads(given["image"]), given["target"]
    valid, kl = target != 255, losses.distillation_loss
    refined = told.logits.argmax(1).masked_fill(~valid, 255)
    lovasz = losses.lovasz_softmax(said.logits, target if lovasz_target == "labels" else refined)
    expected = 0.7 * (kl(said.logits, told.logits, valid) + lovasz)
    expected = expected + 1.3 * kl(said.binary, told.binary, valid)
    expected = expected + 0.4 * kl(said.category, told.category, valid, independent=True)
    torch.testing.assert_close(found, expected)
    found.backward()
    assert all(p.grad is None for p in teacher.parameters())
    with torch.no_grad():  # the same measure in all cycles, and before them
        objective.model, labels.model = network(), network()
        torch.testing.assert_close(loss(objective.eval(), given), loss(labels.eval(), given))


def test_what_is_off_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No edge is drawn, no head asked, and no term computed for a weight of 0."""
    called: list[str] = []

    def watched(name: str) -> Any:
        whole = getattr(multi_task, name)
        return lambda *a, **k: called.append(name) or whole(*a, **k)

    edges = ("binary_edges", "binary_edge_loss", "binary_edge_attention")
    edges += tuple(name.replace("binary", "category") for name in edges)
    for name in (*edges, "distillation_loss", "lovasz_softmax"):
        monkeypatch.setattr(multi_task, name, watched(name))
    off = MultiTaskConfig(**dict.fromkeys(SWITCHES, False))
    for config in (off, MultiTaskConfig(weights=(1, 0, 0, 0, 0))):
        called.clear()
        loss(MultiTaskObjective(network(), config, 19), batch())
        assert called == ["lovasz_softmax"]
    loss(MultiTaskObjective(network(), MultiTaskConfig(), 19), batch())
    assert set(called) == {"lovasz_softmax", *edges}
    called.clear()
    loss(with_teacher(MultiTaskConfig(distillation=(1, 0, 0)))[0], batch())
    assert called == ["distillation_loss", "lovasz_softmax"]
    plain = network()
    loss(MultiTaskObjective(plain, off, 19), batch())
    assert plain.calls == [("forward", True)]


def test_nothing_known_is_no_loss_and_wrappers_are_seen_through() -> None:
    given = batch()
    whole = loss(MultiTaskObjective(network(), MultiTaskConfig(), 19), given)
    wrapped = MultiTaskObjective(nn.DataParallel(network()), MultiTaskConfig(), 19)
    torch.testing.assert_close(loss(wrapped, given), whole)
    given["target"] = torch.full_like(given["target"], 255)
    total, mass, _ = MultiTaskObjective(network(), MultiTaskConfig(), 19)(given)
    assert not total.any() and mass[0] == 0
    total.sum().backward()


def test_bfloat16_is_of_networks_alone() -> None:
    objective, _ = with_teacher(MultiTaskConfig())
    exact = loss(objective, batch())
    objective.precision = "bf16"
    total, _, logits = objective(batch())
    assert total.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(loss(objective, batch()), exact, rtol=0.05, atol=0.05)


def faces() -> tuple[SynthDataset, SynthDataset]:
    return SynthDataset(0, 4, 16), SynthDataset(1, 2, 16)


def test_w_is_eq_2_with_a_mean_of_1() -> None:
    train, _ = faces()
    built = MultiTaskConfig().build(network(), train)
    expected = 19 * losses.class_weights(class_counts(train))
    assert built.category_weights is not None and built.num_classes == 19
    torch.testing.assert_close(built.category_weights, expected)
    assert float(built.category_weights.mean()) == pytest.approx(1)
    assert "category_weights" in built.state_dict()
    for config in (
        MultiTaskConfig(attention_category=False),
        MultiTaskConfig(weights=(*WEIGHTS[:4], 0)),
    ):
        assert config.build(network(), train).category_weights is None


def test_a_network_without_the_heads_is_told_the_setting() -> None:
    plain = create_model("unet", widths=(4, 6))
    with pytest.raises(CourseError, match="UNet has no heads .* binary=True, category=True"):
        MultiTaskConfig().check(plain, *faces())
    MultiTaskConfig(binary=False, category=False).check(plain, *faces())
    for name, other in (("binary", "category"), ("category", "binary")):
        half = network(edges=other).train()
        half.body.eval()
        with pytest.raises(CourseError, match=f"--set edge_heads=both, or --without {name}"):
            MultiTaskConfig().check(half, *faces())
        assert half.training and not half.body.training and half.body[1].num_batches_tracked == 0
        MultiTaskConfig(**{name: False}).check(half, *faces())
    with pytest.raises(CourseError, match="num_classes 5"):
        MultiTaskConfig().check(create_model("unet", 5, widths=(4, 6)), *faces())


def test_bad_settings_are_named() -> None:
    for wrong, told in (
        ({"weights": (1, 1, 1)}, "weights is .* 5 numbers"),
        ({"weights": (0, 1, 1, 1, 1)}, "the first, of the parsing, above 0"),
        ({"weights": (1, 1, float("nan"), 1, 1)}, "of at least 0"),
        ({"distillation": (1, -1, 1)}, "distillation is"),
        ({"sides": "outer"}, "sides is 'outer'"),
        ({"lovasz_target": "both"}, "lovasz_target is 'both'"),
        ({"width": 0}, "width is 0"),
        ({"width": 1.5}, "width is 1.5"),
        ({"weights": 1}, "weights is 1; it must be 5 numbers"),
        ({"weights": ("a", 1, 1, 4, 1)}, "5 numbers of at least 0"),
        ({"category": "no"}, "category is 'no'; it must be True or False"),
    ):
        with pytest.raises(CourseError, match=told):
            MultiTaskConfig(**wrong)
    assert not MultiTaskConfig().divisible


TINY = {"stem": (4, 4, 8), "widths": (4, 4, 4, 4), "blocks": (1, 1, 1, 1), "context_channels": 8,
        "head_channels": 8, "low_level": 4, "edge_channels": 4}  # fmt: skip
#: An epoch from labels, then two cycles of two.
CYCLES = SelfRegulationConfig(1, 2, 2, lr=0.05, cycle_lr=0.05)


def run(name: str, out: Path, *, bf16: bool = False, **settings: Any) -> FitResult:
    torch.manual_seed(0)
    model = create_model(name, edge_heads="both", **settings)
    config = FitConfig(
        size=64, epochs=5, batch_size=2, seed=2, cpu=True, objective=MultiTaskConfig(), plan=CYCLES,
        augmentation=Augmentation((0.75, 1.25), rotation=30.0),
        precision="bf16" if bf16 else "fp32",
    )  # fmt: skip
    data = SynthDataset(0, 4, 64, label_noise=0.5), SynthDataset(1, 2, 64)
    return fit(model, *data, config, out, resume=True, progress=False)


class Killed(BaseException):
    """Ends a run at once."""


@pytest.mark.parametrize(
    ("name", "settings", "bf16"),
    [("dml_csr", TINY, False), ("fastscnn", {"repeats": 1, "expansion": 1}, True)],
)
def test_a_run_killed_in_mid_cycle_goes_on_bit_for_bit(
    name: str, settings: dict, bf16: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All losses, a teacher and averages; killed between a cycle's epochs and in mid-epoch."""
    whole = run(name, tmp_path / "whole", bf16=bf16, **settings)
    phases = [entry["phase"] for entry in whole.history]
    assert phases == ["initialisation"] + 2 * ["cycle 1 of 2"] + 2 * ["cycle 2 of 2"]
    forward = MultiTaskObjective.forward
    for last in (5, 4):  # training steps, two an epoch: in the first cycle, and in the second
        left = [last]

        def counted(objective: MultiTaskObjective, given: dict, left: list[int] = left) -> Any:
            left[0] -= objective.training
            if left[0] < 0:
                raise Killed
            return forward(objective, given)

        with monkeypatch.context() as patch:
            patch.setattr(MultiTaskObjective, "forward", counted)
            with pytest.raises(Killed):
                run(name, tmp_path / "cut", bf16=bf16, **settings)
    cut = run(name, tmp_path / "cut", bf16=bf16, **settings)
    for entry in (*whole.history, *cut.history):
        entry.pop("seconds")
    assert cut.history == whole.history
    for kind in ("model", "state"):
        one, two = (read_tensors(tmp_path / n / f"{kind}.safetensors")[0] for n in ("whole", "cut"))
        assert set(one) == set(two) and all(torch.equal(v, two[key]) for key, v in one.items())
