"""A notebook's run that was stopped goes on from the cache folder, whatever its network is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from coursekit.training import FitResult, fit
from tests.training.test_loop import config, data


def own(seed: int = 0) -> nn.Module:
    """A network that the course has no name for."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Conv2d(6, 19, 1))


def equal(one: nn.Module, other: nn.Module) -> bool:
    states = one.state_dict(), other.state_dict()
    return all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_a_stopped_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    monkeypatch.setattr("coursekit.training.kept.SECONDS", 0.0)
    whole, seen = own(), []

    def run(network: nn.Module, stop_after: int = 99, **changes: Any) -> FitResult:
        seen.clear()

        def on_epoch(entry: dict[str, Any]) -> None:
            seen.append(entry["epoch"])
            if entry["epoch"] == stop_after:
                raise KeyboardInterrupt

        return fit(network, *data(), config(**changes), on_epoch=on_epoch, kept="lesson")

    expected = fit(whole, *data(), config())
    with pytest.raises(KeyboardInterrupt):
        run(own(), stop_after=1)
    assert "goes on" not in capsys.readouterr().out
    network = own()
    result = run(network)
    assert seen == [2, 3] and equal(network, whole)
    assert "goes on after epoch 2; " in capsys.readouterr().out
    assert [e["val_loss"] for e in result.history] == [e["val_loss"] for e in expected.history]
    network = own()
    assert run(network).best_epoch == expected.best_epoch
    assert seen == [] and equal(network, whole)
    run(own(seed=1))  # another network, and other settings
    assert seen == [0, 1, 2, 3]
    run(own(seed=1), epochs=2)
    assert seen == [0, 1]
    (kept,) = (tmp_path / "runs").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])  # damaged
    run(own(seed=1), epochs=2)
    assert seen == [0, 1]
