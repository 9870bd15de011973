"""One loop serves networks that are none of the four: several heads, a teacher, landmarks."""

from __future__ import annotations

import ast
import inspect
import json
from pathlib import Path

import pytest
import torch

from coursekit import create_model
from coursekit.checkpoint import read_tensors
from coursekit.data import Augmentation, SynthDataset
from coursekit.errors import CourseError
from coursekit.optim import AdamToSGDConfig
from coursekit.training import FitConfig, FitResult, Objective, ParsingConfig, fit
from coursekit.training.state import flatten, unflatten
from tests.training import toys
from tests.training.toys import registered

__all__ = ["registered"]

TWO_HEADS = {"objective": toys.TwoHeadsConfig(), "plan": toys.CyclesConfig()}
FINDER = {
    "objective": toys.LandmarkConfig(),
    "plan": AdamToSGDConfig(adam_lr=0.01, patience=2),
    "augmentation": Augmentation(mirror_probability=0.5),
}


def run(
    name: str, settings: dict, epochs: int, out: Path | None = None, precision: str = "fp32"
) -> FitResult:
    torch.manual_seed(0)
    model = create_model(name)
    config = FitConfig(
        size=32, epochs=epochs, batch_size=3, seed=5, cpu=True, precision=precision, **settings
    )
    data = SynthDataset(0, 8, 32), SynthDataset(1, 4, 32)
    return fit(model, *data, config, out, resume=True, progress=False)


@pytest.mark.usefixtures("registered")
def test_switches_and_words_are_settings_like_counts() -> None:
    assert not create_model("two_heads", normalised=False, body="plain").config.normalised
    for setting in ({"normalised": 1}, {"normalised": "no"}, {"body": True}, {"body": 3}):
        with pytest.raises(ValueError, match="it takes values such as"):
            create_model("two_heads", **setting)


def test_classes_are_counted_where_a_term_has_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of masks need not be read for a loss that weighs nothing by them."""
    read: list[int] = []
    one = SynthDataset.label_map
    monkeypatch.setattr(
        SynthDataset, "label_map", lambda self, index: (read.append(index), one(self, index))[1]
    )
    for loss, expected in (("dice+lovasz", []), ("dice+focal", [0, 1, 2])):
        read.clear()
        made = ParsingConfig(loss).build(create_model("fastscnn"), SynthDataset(0, 3, 32))
        assert sorted(read) == expected and (made.weights is not None) == bool(expected)


def history(result: FitResult) -> list[dict]:
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in result.history]


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(("name", "settings"), [("two_heads", TWO_HEADS), ("finder", FINDER)])
def test_it_trains_and_goes_on_bit_for_bit(
    name: str, settings: dict, precision: str, tmp_path: Path
) -> None:
    whole = run(name, settings, 5, tmp_path / "whole", precision)
    assert whole.history[-1]["val_loss"] < whole.history[0]["val_loss"] or name == "two_heads"
    for epochs in (1, 3, 5):  # between cycles of two, and after one
        cut = run(name, settings, epochs, tmp_path / "cut", precision)
    assert history(cut) == history(whole)
    models = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "cut")]
    assert models[0] == models[1]
    whole_state, cut_state = (
        read_tensors(tmp_path / name / "state.safetensors")[0] for name in ("whole", "cut")
    )
    assert set(whole_state) == set(cut_state)
    assert all(torch.equal(value, cut_state[key]) for key, value in whole_state.items())


@pytest.mark.usefixtures("registered")
def test_what_the_loop_cannot_serve_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parameter that nobody would train, and names of scores that the history has itself."""
    build = toys.LandmarkConfig.build

    def with_scale(config: object, model: torch.nn.Module, train: object) -> Objective:
        objective = build(config, model, train)
        objective.scale = torch.nn.Parameter(torch.ones(()))
        return objective

    with monkeypatch.context() as patch:
        patch.setattr(toys.LandmarkConfig, "build", with_scale)
        with pytest.raises(CourseError, match=r"parameters of its own \(scale\)"):
            run("finder", FINDER, 1)
    for name in ("rate", "val_loss"):
        monkeypatch.setattr(toys.LandmarkScore, "result", lambda self, name=name: {name: 1.0})
        with pytest.raises(ValueError, match="begin with val_"):
            run("finder", FINDER, 1)


@pytest.mark.usefixtures("registered")
def test_buffers_of_an_objective_go_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = toys.LandmarkObjective.forward
    seen: list[Objective] = []

    def counting(objective: Objective, batch: dict) -> object:
        objective.steps += objective.training
        return forward(objective, batch)

    def build(config: object, model: torch.nn.Module, train: object) -> Objective:
        objective = toys.LandmarkObjective(model)
        objective.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        seen.append(objective)
        return objective

    monkeypatch.setattr(toys.LandmarkObjective, "forward", counting)
    monkeypatch.setattr(toys.LandmarkConfig, "build", build)
    for epochs in (1, 3):
        run("finder", FINDER, epochs, tmp_path)
    assert int(seen[-1].steps) == 3 * 2  # eight images in batches of three, the last one left out


def test_states_go_round_whatever_their_keys() -> None:
    one, two = torch.ones(1), torch.zeros(2)
    state = {"a/b": one, "a": {"b": two}, 1: one, "1": two, "t": (0.9, [one, None]), "$": {"$x": 1}}
    tensors: dict[str, torch.Tensor] = {}
    again = unflatten(json.loads(json.dumps(flatten(state, tensors))), tensors)
    assert torch.equal(again["a/b"], one) and torch.equal(again["a"]["b"], two)
    assert torch.equal(again[1], one) and torch.equal(again["1"], two)
    assert again["t"][0] == 0.9 and again["t"][1][1] is None and again["$"] == {"$x": 1}


@pytest.mark.usefixtures("registered")
def test_the_teacher_takes_part_once_the_plan_has_made_it() -> None:
    """The third term of the loss is 0 in the first cycle, and the first is what it was before."""
    result = run("two_heads", TWO_HEADS, 4)
    events = [entry["event"] for entry in result.history]
    assert events == ["wait", "improved", "wait", "improved"]
    losses = [entry["train_loss"] for entry in result.history]
    assert losses[2] > losses[1] + 0.5  # the teacher's answer has an entropy of its own


@pytest.mark.usefixtures("registered")
def test_a_teacher_does_not_learn() -> None:
    objective = toys.TwoHeadsConfig().build(create_model("two_heads"), None)
    objective.teacher = create_model("two_heads")
    before = {k: v.clone() for k, v in objective.teacher.state_dict().items()}
    objective.train()
    assert objective.model.training and not objective.teacher.training
    batch = {"image": torch.rand(2, 3, 8, 8), "target": torch.zeros(2, 8, 8, dtype=torch.int64)}
    objective(batch)
    assert all(torch.equal(v, before[k]) for k, v in objective.teacher.state_dict().items())


@pytest.mark.usefixtures("registered")
def test_the_history_holds_what_the_score_gives() -> None:
    assert "val_mean_iou" in run("two_heads", TWO_HEADS, 1).history[0]
    entry = run("finder", FINDER, 1).history[0]
    assert 0 < entry["val_distance"] < 1 and "val_mean_iou" not in entry


@pytest.mark.parametrize("objective", [toys.TwoHeadsObjective, toys.LandmarkObjective])
def test_an_objective_is_short(objective: type[Objective]) -> None:
    assert len(inspect.getsource(objective).splitlines()) < 30


def test_the_loop_knows_no_kind() -> None:
    """Neither losses nor scores nor plans: all of that comes with the settings."""
    from coursekit.training import loop

    tree = ast.parse(inspect.getsource(loop))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not imported & {"coursekit.losses", "coursekit.metrics", "coursekit.optim"}
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    ladders = [c for c in calls if isinstance(c, ast.Name) and c.id == "isinstance"]
    assert len(ladders) == 2  # a wrapper around the model; what of a batch is a tensor
