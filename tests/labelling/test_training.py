"""The network that is trained again, and the process that does it."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from coursekit import checkpoint
from coursekit.errors import CourseError
from coursekit.labelling import learn, recipe, training
from coursekit.labelling.sessions import Session
from coursekit.labelling.training import Training
from tests.labelling.folders import sent, session
from tests.labelling.test_proposals import network

_FINE = "import json\nprint(json.dumps({'epoch': 2, 'of': 2, 'nme': 0.05}), flush=True)"
_WAITS = 'import sys\nprint(\'{"epoch": 1, "of": 9}\', flush=True)\nsys.stdin.read()'
_FAILS = "import sys\nsys.exit('the disk is full')"
_TELLS = 'import sys\nprint(\'{"error": "no face"}\', flush=True)\nsys.exit(2)'


def started(tmp_path: Path, code: str) -> tuple[Training, list[str]]:
    """A training whose process runs `code`, and what it said when it was done."""
    told: list[str] = []
    tool = session(tmp_path)
    made = Training(tool.photos, lambda: told.append("done"))
    made.call = (sys.executable, "-c", f"import sys\nsys.stdin.readline()\n{code}")
    made.start(["0", "1", "2"], None)
    return made, told


def test_it_says_where_it_is_and_when_it_is_done(tmp_path: Path) -> None:
    made, told = started(tmp_path, _FINE)
    made.wait()
    said = made.told()
    assert (said["state"], said["epoch"], said["nme"], said["pictures"]) == ("done", 2, 0.05, 3)
    assert told == ["done"]


@pytest.mark.parametrize(("code", "told"), [(_FAILS, "the disk is full"), (_TELLS, "no face")])
def test_it_says_why_it_failed(code: str, told: str, tmp_path: Path) -> None:
    made, done = started(tmp_path, code)
    made.wait()
    assert made.told() == {"state": "failed", "error": told}
    assert not done


def test_it_is_cancelled_and_begun_anew(tmp_path: Path) -> None:
    made, done = started(tmp_path, _WAITS)
    with pytest.raises(CourseError, match="being trained already"):
        made.start(["0", "1", "2"], None)
    made.cancel()
    assert made.told()["state"] == "cancelled"
    assert not done
    made.call = (sys.executable, "-c", _FINE)
    made.start(["0", "1", "2"], None)
    made.wait()
    assert made.told()["state"] == "done"
    made.cancel()  # nothing runs
    assert made.told()["state"] == "done"


def test_it_ends_with_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """kill -9 leaves nobody who trains: the process's input ends with the tool."""
    ended: list[int] = []
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(os, "_exit", ended.append)
    learn._end_with_parent()
    assert ended == [1]


def test_few_pictures_are_too_few(tmp_path: Path) -> None:
    tool = session(tmp_path)
    with pytest.raises(CourseError, match=f"0 pictures are saved; save {training.FEWEST} or more"):
        tool.call("train", {})
    assert tool.call("training", {}) == {"state": "idle"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    network = {"num_classes": 106, "width": 8, "stem": (8, 8), "depth": 1, "likelihood": True}
    few = {"_RENDERED": 4, "_RENDERED_AT_FIRST": 4, "_EPOCHS": 1, "_EPOCHS_AT_FIRST": 1}
    for name, value in few.items():
        monkeypatch.setattr(learn, name, value)
    for name, value in {"SIZE": 32, "BATCH": 4, "NETWORK": network}.items():
        monkeypatch.setattr(recipe, name, value)


def saved(tmp_path: Path, count: int) -> Session:
    tool = session(tmp_path, count)
    for name in tool.photos.photos:
        tool.call("save", sent(tool.call("picture", {"name": name})))
    return tool


@pytest.mark.usefixtures("small")
def test_what_was_learnt_proposes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = saved(tmp_path, 3)
    assert np.isfinite(learn.learn(tool.photos, ["0", "1", "2"], None))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["epoch"] for line in lines] == [0, 1]
    tool._trained()
    again = tool.call("propose", {"name": "0", "of": "network"})
    assert again["source"] == "network model"
    assert Session(tool.photos).network is not None  # also when it is started anew


@pytest.mark.usefixtures("small")
def test_it_goes_on_from_a_network_and_holds_a_fifth_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = saved(tmp_path, 10)
    start = network(tmp_path / "start.safetensors")
    learn.learn(tool.photos, list(tool.photos.photos), start)
    assert json.loads(capsys.readouterr().out.splitlines()[0])["held_back"] == 2
    made, before = checkpoint.load(tool.photos.model), checkpoint.load(start)
    assert made.model.config == before.model.config
    key = "head.4.weight"
    assert not made.model.state_dict()[key].equal(before.model.state_dict()[key])


@pytest.mark.usefixtures("small")
def test_pictures_that_are_gone_are_left_out(tmp_path: Path) -> None:
    tool = saved(tmp_path, 3)
    (tool.photos.root / "images/1.png").write_bytes(b"no picture")
    assert [sample.name for sample in learn.faces(tool.photos, ["0", "1", "2"], 32)] == ["0", "2"]
    with pytest.raises(CourseError, match="none of the saved pictures can be read"):
        learn.faces(tool.photos, ["1"], 32)
