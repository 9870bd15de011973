"""A whole run of self-regulation: killed after any epoch, and what stands on the disk meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from coursekit import create_model
from coursekit.checkpoint import read_tensors
from coursekit.data import SynthDataset
from coursekit.errors import CourseError
from coursekit.optim import SelfRegulationConfig
from coursekit.training import FitConfig, FitResult, fit
from coursekit.training.state import unflatten
from tests.training import toys
from tests.training.toys import registered

__all__ = ["registered"]

DATA = SynthDataset(0, 8, 32), SynthDataset(1, 4, 32)
EPOCHS = 6
PLAN = {"initial_epochs": 2, "cycles": 2, "cycle_epochs": 2, "lr": 0.02, "cycle_lr": 0.01}


def run(out: Path | None, body: str = "plain", kill: int = EPOCHS, **changes: Any) -> FitResult:
    """A run that ends after an epoch as ctrl-C would end it."""

    def on_epoch(entry: dict[str, Any]) -> None:
        if entry["epoch"] == kill:
            raise KeyboardInterrupt

    torch.manual_seed(0)
    settings = {"objective": toys.TwoHeadsConfig(), "size": 32, "epochs": EPOCHS, "batch_size": 3}
    plan = SelfRegulationConfig(**{**PLAN, **changes.pop("plan", {})})
    config = FitConfig(seed=5, cpu=True, plan=plan, **{**settings, **changes})
    network = create_model("two_heads", body=body)
    result = fit(network, *DATA, config, out, resume=True, on_epoch=on_epoch, progress=False)
    if out:
        assert same(read_tensors(out / "model.safetensors")[0], network.state_dict())
    return result


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return set(one) == set(two) and all(torch.equal(v, two[k]) for k, v in one.items())


def history(folder: Path) -> list[dict]:
    entries = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in entries]


def in_use(folder: Path) -> dict[str, torch.Tensor]:
    """What `load_best` of the saved plan would load."""
    tensors, meta = read_tensors(folder / "state.safetensors")
    plan = unflatten(meta["state"], tensors)["plan"]
    models: dict[str, torch.Tensor] = plan["models"][plan["roles"]["used"]]
    return models


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(("body", "plan"), [
    ("plain", {}), ("abn", {"optimiser": "adamw", "start_from": "teacher", "best": "aggregate"}),
    ("abn", {}),
])  # fmt: skip
def test_it_goes_on_bit_for_bit_after_any_epoch(body: str, plan: dict, tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", body, plan=plan)
    for epoch in range(EPOCHS):  # each part is one epoch long
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "cut", body, kill=epoch, plan=plan)
        assert same(
            read_tensors(tmp_path / "cut" / "model.safetensors")[0], in_use(tmp_path / "cut")
        )
    again = run(tmp_path / "cut", body, plan=plan)
    assert history(tmp_path / "cut") == history(tmp_path / "whole")
    assert again.best_epoch == whole.best_epoch
    for name in ("model", "state"):
        one, two = (read_tensors(tmp_path / f / f"{name}.safetensors")[0] for f in ("whole", "cut"))
        assert same(one, two)


@pytest.mark.usefixtures("registered")
def test_the_history_tells_the_cycles_and_losses_can_be_compared(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert [entry["phase"] for entry in result.history] == [
        *["initialisation"] * 2, *["cycle 1 of 2"] * 2, *["cycle 2 of 2"] * 2
    ]  # fmt: skip
    assert [result.history[n]["event"] for n in (3, 5)] == ["improved"] * 2
    assert result.best_epoch == 5
    train, val = ([entry[key] for entry in result.history] for key in ("train_loss", "val_loss"))
    assert train[2] > train[1] + 0.5  # the teacher's entropy is in it
    assert val[2] < val[1] + 0.1  # and not in this


@pytest.mark.usefixtures("registered")
def test_statistics_are_estimated_from_every_training_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    passed: list[list[torch.Tensor]] = []

    def estimate(network: torch.nn.Module, images: Any) -> None:
        passed.append(list(images()))

    monkeypatch.setattr("coursekit.optim.self_regulation.reestimate_statistics", estimate)
    for size, batches in ((3, [3, 5]), (4, [4, 4]), (8, [8]), (9, [8]), (7, [8])):
        passed.clear()  # of 8 images, of which an epoch of batches of 3 leaves out 2
        run(None, batch_size=size)
        assert [[len(batch) for batch in cycle] for cycle in passed] == [batches] * 2
        assert all(len(torch.cat(cycle).unique(dim=0)) == 8 for cycle in passed)


@pytest.mark.usefixtures("registered")
def test_epochs_must_be_the_schedules() -> None:
    for epochs in (4, 3):  # 8 steps for 6 epochs; 6 steps, as if an epoch had one
        with pytest.raises(CourseError, match=r"set FitConfig\.epochs \(--epochs\) to 6"):
            run(None, epochs=epochs)


@pytest.mark.usefixtures("registered")
def test_another_schedule_is_another_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, kill=0)
    with pytest.raises(CourseError, match=r"plan\.cycle_epochs was 2 and is 1.*plan\.cycles was 2"):
        run(tmp_path, plan={"cycles": 4, "cycle_epochs": 1})
    plan = SelfRegulationConfig(own_rate=("gamma", "lambda_"))
    config = FitConfig(epochs=200, plan=plan)
    assert config.free() == {"workers"}
    assert config.as_data()["plan"]["own_rate"] == ["gamma", "lambda_"]
    assert config.as_data()["plan"]["kind"] == "SelfRegulationConfig"
