"""`train --val-share`: part of one labelled split held back, drawn once and recorded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from coursekit.cli import main
from coursekit.data.splitting import RECORD, hold_back, open_held
from coursekit.errors import CourseError
from tests.data import trees


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return trees.write_course2025(tmp_path / "faces", train=10, val=0)


def train(root: Path, out: Path, *more: str) -> int:
    call = ["train", "fastscnn", "--data", str(root), "--out", str(out), "--size", "32", "--cpu"]
    return main([*call, "--set", "repeats=1", "--epochs", "1", *more])


def test_each_sample_is_on_one_side_and_the_seed_decides(root: Path) -> None:
    train_part, val_part = hold_back(root, 0.3, seed=1)
    assert (len(train_part), len(val_part)) == (7, 3)
    assert sorted(train_part.names + val_part.names) == [str(k) for k in range(10)]
    assert hold_back(root, 0.3, seed=1)[1].names == val_part.names
    assert any(hold_back(root, 0.3, seed=s)[1].names != val_part.names for s in (2, 3))
    assert [len(part) for part in hold_back(root, 0.01, 0)] == [9, 1]
    assert [len(part) for part in hold_back(root, 0.99, 0)] == [1, 9]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 20.0, float("nan")])
def test_a_share_lies_between_nothing_and_all(root: Path, share: float) -> None:
    with pytest.raises(CourseError, match="between 0 and 1"):
        hold_back(root, share, 0)


def test_only_where_it_is_needed(tmp_path: Path) -> None:
    whole = trees.write_course2025(tmp_path / "whole")
    with pytest.raises(CourseError, match="has a labelled val split already"):
        hold_back(whole, 0.2, 0)
    shutil.rmtree(whole / "val/masks")  # as the course of 2025 hands it out
    assert [len(part) for part in hold_back(whole, 0.25, 0)] == [3, 1]
    one = trees.write_course2025(tmp_path / "one", train=1, val=0)
    with pytest.raises(CourseError, match="a single sample"):
        hold_back(one, 0.5, 0)


def test_a_run_records_what_it_holds_back(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert train(root, out) == 2
    assert "--val-share 0.1" in capsys.readouterr().err
    assert not out.exists()
    assert train(root, out, "--val-share", "0.2", "--seed", "7") == 0
    printed = capsys.readouterr().out
    assert "8 training and 2 validation images" in printed
    assert str(out / RECORD) in printed
    held = json.loads((out / RECORD).read_text("utf-8"))
    assert (held["val_share"], held["seed"], len(held["train"])) == (0.2, 7, 8)
    assert list(open_held(root, out, "val").names) == held["val"]
    assert list(open_held(root, out, "train").names) == held["train"]
    again = ["--resume", "--epochs", "2"]
    assert train(root, out, "--val-share", "0.3", "--seed", "7", *again) == 2
    assert "other samples held back" in capsys.readouterr().err
    assert train(root, out, "--val-share", "0.2", "--seed", "7", *again) == 0
    call = ["evaluate", "--checkpoint", str(out / "model.safetensors"), "--json", "--cpu"]
    capsys.readouterr()
    assert main([*call, "--data", str(root)]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == 2
    other = trees.write_course2025(tmp_path / "other", train=3, val=0)
    assert main([*call, "--data", str(other)]) == 2
    assert RECORD in capsys.readouterr().err
