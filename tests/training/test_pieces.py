"""A run in pieces is the run of `fit`, whatever happens between its epochs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.errors import CourseError
from coursekit.optim import AveragedCosineConfig
from coursekit.training import FitConfig, Pieces, fit
from tests.training.test_kept import equal, own
from tests.training.test_loop import config, data


def pieces(settings: FitConfig, network: Any = own) -> Pieces:
    return Pieces(network, *data(), settings, kept="lesson", shown=2)


def without_seconds(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in history]


@pytest.mark.parametrize("plan", [None, AveragedCosineConfig(average=0.9)], ids=["adam", "average"])
def test_stopped_and_gone_on_with_it_is_the_same_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plan: Any
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    settings = config(**({"plan": plan} if plan else {}))
    whole = own()
    expected = fit(whole, *data(), settings)

    first = pieces(settings)
    torch.manual_seed(7)
    drawn = torch.rand(3)
    torch.manual_seed(7)
    first.begin()
    assert first.said is None and not first.ended
    first.epoch()
    assert torch.equal(torch.rand(3), drawn)  # a cell in between draws what it would draw
    first.epoch()
    assert first.said is not None and first.said.shape == (2, 32, 32)
    first.stop()

    second = pieces(settings)  # as after a new start of the kernel
    second.begin()
    assert len(second.history) == 2 and np.array_equal(second.said, first.said)
    second.epoch()
    second.stop()
    network = own()
    result = fit(network, *data(), settings, kept="lesson")  # what is left, as a cell does it
    assert without_seconds(result.history) == without_seconds(expected.history)
    assert equal(network, whole)

    second.begin()
    assert second.ended and len(second.history) == 4
    with pytest.raises(CourseError, match="the run has ended"):
        second.epoch()
    second.begin(afresh=True)
    assert second.history == [] and not second.path.exists()
    second.stop()
    assert not second.path.exists()  # there is nothing to keep before the first epoch


def test_what_got_further_meanwhile_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    run = pieces(config(epochs=3))
    run.begin()
    run.epoch()
    fit(own(), *data(), config(epochs=3), kept="lesson")  # a cell, while the dashboard trains
    whole = run.path.read_bytes()
    run.epoch()
    run.stop()
    assert run.path.read_bytes() == whole
    assert len(run.history) == 3 and run.ended  # it says what is kept

    run = pieces(config(epochs=2))  # of another run, nothing is spared
    run.begin()
    os.utime(run.path, (1, 1))
    run.epoch()
    run.stop()
    run.begin()
    assert len(run.history) == 1


def test_what_ends_a_run_leaves_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    broken: list[nn.Module] = []

    def network() -> nn.Module:
        broken.append(own())
        return broken[-1]

    run = pieces(config(), network)
    run.begin()
    run.epoch()
    run.stop()
    kept = run.path.read_bytes()
    run.begin()
    with torch.no_grad():
        broken[-1][0].weight.fill_(float("nan"))
    with pytest.raises(CourseError, match="the training loss is nan in epoch 2"):
        run.epoch()
    run.stop()
    assert run.path.read_bytes() == kept
    assert len(run.history) == 1

    def slip() -> nn.Module:
        raise NameError("name 'widht' is not defined")

    with pytest.raises(NameError, match="widht"):
        pieces(config(), slip).begin(afresh=True)
    assert run.path.read_bytes() == kept


def test_what_fit_would_say_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    train, val = data()
    with pytest.raises(CourseError, match="the validation set is empty"):
        Pieces(own, train, val.subset([]), config(), kept="lesson")

    full = False

    class Large(nn.Conv2d):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            if full:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().forward(batch)

    run = pieces(config(), lambda: Large(3, 19, 1))
    run.begin()
    full = True
    with pytest.raises(CourseError, match="memory is full: take a smaller --size"):
        run.epoch()
    with pytest.raises(CourseError, match="memory is full: take a smaller --size"):
        run.begin()
