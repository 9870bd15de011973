"""The dashboard of a run: what it draws, then what its buttons do, without a browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ
from coursekit.plots import in_words
from coursekit.training import LandmarkConfig, fit
from coursekit.training.objective import ParsingScore
from coursekit.widgets import dashboard, training_dashboard
from tests.training.test_kept import equal, own
from tests.training.test_loop import config, data
from tests.widgets.boxes import note, parts

HISTORY = [
    {"epoch": 0, "train_loss": 2.5, "val_loss": 2.0, "val_mean_iou": 0.1, "event": "improved"},
    {"epoch": 1, "train_loss": 1.5, "val_loss": 1.25, "val_mean_iou": 0.3, "event": "improved"},
    {"epoch": 2, "train_loss": 1.0, "val_loss": 1.75, "val_mean_iou": 0.35, "event": "switch"},
]


def test_the_best_epochs_by_either_measure_are_named() -> None:
    line = dashboard.in_numbers(HISTORY, 9)
    assert "Epoch <b>3</b> of at most 9: loss 1.000 in training, 1.750 in validation" in line
    assert "Lowest validation loss: 1.250, epoch <b>2</b>" in line
    assert "highest mean IoU: 35.0%, epoch <b>3</b>" in line


def test_curves_of_a_run_that_goes_on() -> None:
    drawn = dashboard.drawn(HISTORY, 9)
    assert "training loss from 2.50 to 1.00, validation loss from 2.00 to 1.75" in drawn
    assert "Mean IoU from 10.0 to 35.0 %" in drawn
    assert drawn.count(">switch<") == 1 and drawn.count(">9<") == 2
    assert dashboard.drawn(HISTORY[:1], 1).count("<circle") == 3  # a line of one point is not seen


def test_faces_stand_above_their_truth_and_what_is_said() -> None:
    images = np.full((2, 200, 200, 3), 7, np.uint8)
    truths, said = (np.full((2, 200, 200), n, np.uint8) for n in (1, 13))
    drawn = dashboard.faces(images, truths, said)
    assert drawn.shape == (3 * 96, 2 * 96, 3)
    rows = drawn[::96, 0]
    assert [tuple(row) for row in rows] == [
        (7, 7, 7), CELEBAMASK_HQ.palette[1], CELEBAMASK_HQ.palette[13],
    ]  # fmt: skip
    assert (dashboard.faces(images, truths, None)[2 * 96 :] == 128).all()


async def until(there: Callable[[], Any]) -> None:
    for _ in range(2000):
        if there():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come")


def in_a_kernel(act: Callable[[Any, Callable[[str], None]], Awaitable[None]], **more: Any) -> None:
    """Show a dashboard where a loop waits for messages, and give it to `act` with its buttons."""

    async def kernel() -> None:
        made = more.pop("network", own)
        box = training_dashboard(made, *data(), config(**more), kept="watched")
        row = parts(box)["training"]

        def press(name: str) -> None:
            place = row.options.index(name)
            assert row.ready[place]
            row._handle_custom_msg({"pressed": place}, [])

        await act(box, press)

    asyncio.run(kernel())


def test_buttons_stop_a_run_and_go_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    kept = tmp_path / "runs" / "watched.safetensors"

    async def begin(box: Any, press: Callable[[str], None]) -> None:
        row, shown = parts(box)["training"], parts(box)["coursekit-picture"]
        assert "Start trains up to 4 epochs" in note(box) and shown.value == ""
        assert row.ready == [True, False, False]
        press("Start")
        assert "It trains" in note(box) and row.ready == [False, True, False]
        await until(lambda: "Epoch <b>1</b>" in note(box))
        press("Stop")
        assert "stops after this epoch" in note(box) and row.ready == [False, False, False]
        await until(kept.exists)
        await until(lambda: "watched.safetensors keeps it" in note(box))
        assert row.options[0] == "Resume" and row.ready == [True, False, True]
        assert "from" in shown.value

    async def go_on(box: Any, press: Callable[[str], None]) -> None:
        assert "Stopped" in note(box)  # what another kernel has begun
        press("Resume")
        await until(lambda: "The run has ended" in note(box))
        assert parts(box)["training"].ready == [False, False, True]
        assert "curves of 4 epochs" in in_words(box.still())

    in_a_kernel(begin)
    in_a_kernel(go_on)
    expected, network = own(), own()
    fit(expected, *data(), config())
    fit(network, *data(), config(), kept="watched")
    assert equal(expected, network)


def test_what_is_shown_later_takes_over_and_starts_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))

    async def act(first: Any, press: Callable[[str], None]) -> None:
        press("Start")
        await until(lambda: "Epoch <b>1</b>" in note(first))
        second = training_dashboard(own, *data(), config(epochs=50), kept="watched")
        row = parts(second)["training"]
        row._handle_custom_msg({"pressed": 0}, [])
        await until(lambda: "Stopped" in note(first))
        await until(lambda: "Epoch" in note(second))
        row._handle_custom_msg({"pressed": 1}, [])
        await until(lambda: "Stopped" in note(second))
        epoch = re.compile(r"Epoch <b>(\d+)<")
        reached = [int(epoch.search(note(box))[1]) for box in (first, second)]  # type: ignore[index]
        assert reached[1] >= reached[0]  # it goes on from there
        row._handle_custom_msg({"pressed": 2}, [])
        await until(lambda: "Epoch <b>1</b>" in note(second))
        row._handle_custom_msg({"pressed": 1}, [])
        await until(lambda: "Stopped" in note(second))

    in_a_kernel(act, epochs=50)


def press(box: Any, name: str) -> None:
    row = parts(box)["training"]
    row._handle_custom_msg({"pressed": row.options.index(name)}, [])


def test_of_dashboards_of_one_state_one_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))

    async def act(first: Any, _: Any) -> None:
        others = [
            training_dashboard(own, *data(), config(epochs=50), kept="watched") for _ in range(2)
        ]
        boxes = [first, *others]
        for i in (2, 0, 1):  # the last takes over from one that has not trained yet
            press(boxes[i], "Start")
        await until(lambda: "Epoch" in note(boxes[1]))
        at = note(boxes[1])
        await until(lambda: note(boxes[1]) != at)
        assert ["It trains" in note(box) for box in boxes] == [False, True, False]
        press(boxes[0], "Resume" if "Resume" in parts(boxes[0])["training"].options else "Start")
        await until(lambda: "Stopped" in note(boxes[1]))
        await until(lambda: "Epoch" in note(boxes[0]))
        press(boxes[0], "Stop")
        await until(lambda: "Stopped" in note(boxes[0]))

    in_a_kernel(act, epochs=50)


def test_what_is_shown_again_says_what_the_other_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))

    async def act(first: Any, _: Any) -> None:
        press(first, "Start")
        await until(lambda: "Epoch <b>1</b>" in note(first))
        again = training_dashboard(own, *data(), config(), kept="watched")
        assert "Not trained yet" in note(again)  # nothing is kept so far
        await until(lambda: "Stopped" in note(first))
        await until(lambda: "Stopped" in note(again))
        assert note(again) == note(first)
        assert parts(again)["training"].options[0] == "Resume"

    in_a_kernel(act)


def test_stop_in_a_pause_costs_no_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(dashboard, "_PAUSE", 0.3)

    async def act(box: Any, _: Any) -> None:
        press(box, "Start")
        await until(lambda: "Epoch <b>1</b>" in note(box))
        press(box, "Stop")
        await until(lambda: "Stopped" in note(box))
        assert "Epoch <b>1</b>" in note(box)

    in_a_kernel(act)


def test_what_goes_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))

    def broken() -> torch.nn.Module:
        network = own()
        torch.nn.init.constant_(network[0].weight, float("nan"))
        return network

    async def act(box: Any, press: Callable[[str], None]) -> None:
        press("Start")
        await until(lambda: "It ended: the training loss is nan in epoch 1" in note(box))
        assert parts(box)["training"].ready == [True, False, False]

    in_a_kernel(act, network=broken)


def test_what_cannot_be_drawn_is_told_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    with pytest.raises(CourseError, match="mean IoU, and LandmarkConfig asks for something else"):
        training_dashboard(own, *data(), config(objective=LandmarkConfig()), kept="watched")

    async def act(box: Any, _: Any) -> None:
        press(box, "Start")
        await until(lambda: "It ended: " in note(box))
        assert parts(box)["training"].ready == [True, False, True]
        assert (tmp_path / "runs" / "watched.safetensors").exists()

    with monkeypatch.context() as broken:
        broken.setattr(dashboard, "drawn", lambda *_: 1 / 0)
        in_a_kernel(act)
    (tmp_path / "runs" / "watched.safetensors").unlink()
    with monkeypatch.context() as other:  # somebody's own score
        other.setattr(ParsingScore, "result", lambda _: {"val_own": 1.0})
        in_a_kernel(act)
        with pytest.raises(CourseError, match="mean IoU, and ParsingConfig asks for something"):
            training_dashboard(own, *data(), config(), kept="watched")


def test_where_no_kernel_waits_there_is_a_still_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path))
    figure = training_dashboard(own, *data(), config(), kept="watched")
    assert in_words(figure) == "Faces, their truth and predictions, beside curves of 0 epochs"
