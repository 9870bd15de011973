"""Records and the page that is made from them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import records
import table
import wanted
from records import Recorder, Row

ROW = Row("models", {"device": "cpu", "model": "unet", "size": 64, "peer": "smp, our sizes"})


def test_the_page_is_what_the_records_give() -> None:
    assert table.RESULTS.read_text() == table.render(), "make results"


def test_a_row_keeps_its_file(tmp_path: Path) -> None:
    recorder = Recorder("a GPU", threads=3, seeds=(7,), folder=tmp_path)
    recorder.keep(ROW, {"seconds": 1.0})
    recorder.keep(ROW, {"seconds": 2.0}, command="python benchmarks/gpu.py")
    assert [path.name for path in tmp_path.rglob("*.*")] == ["cpu-unet-64-smp-our-sizes.json"]
    record = records.read(tmp_path)["models/cpu-unet-64-smp-our-sizes"]
    assert record["figures"] == {"seconds": 2.0}
    assert record["settings"] == ROW.settings
    assert set(record) == {"settings", "figures", *records.CONDITIONS}
    assert (record["device"], record["threads"], record["seeds"]) == ("a GPU", 3, [7])
    assert record["source"] == "measured" and len(record["load"]) == 2


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    Recorder("cpu", threads=1, folder=tmp_path).keep(ROW, {})
    (path,) = tmp_path.rglob("*.json")
    path.rename(path.with_name("other.json"))
    with pytest.raises(SystemExit, match=r"other\.json is not a record of models/cpu-unet-64"):
        records.read(tmp_path)


def test_folders_of_a_machine_stay_out_of_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    words = [
        "/home/x/benchmarks/recipes.py",
        "--data",
        "/home/x/faces",
        "--out",
        "r",
        "--cpu",
        "--lapa",
        "l",
        "/home/x",
    ]
    monkeypatch.setattr(sys, "argv", words)
    told = "python benchmarks/recipes.py --data ROOT --out RUNS --cpu --lapa LAPA FOLDER"
    assert records.command_line() == told


def test_the_commit_and_what_differs_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    monkeypatch.setattr(records, "ROOT", tmp_path)
    monkeypatch.setenv("COURSEKIT_COMMIT", "abc")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert records.state_of_files() == ("abc", False)
    (tmp_path / "benchmarks" / "records").mkdir(parents=True)
    (tmp_path / "a.py").write_text("1")
    git("init")
    git("add", ".")
    git("commit", "-m", "a")
    (tmp_path / "benchmarks" / "records" / "r.json").write_text("{}")
    commit, dirty = records.state_of_files()
    assert len(commit) >= 7 and not dirty
    (tmp_path / "a.py").write_text("2")
    assert records.state_of_files() == (commit, True)


def test_what_has_no_record_is_open() -> None:
    listed = wanted.wanted()
    names = [row.name for rows in listed.values() for row in rows]
    assert len(names) == len(set(names)), "two rows would share a file"
    first = names[0]
    assert table.left_open(names[1:]) == {"make gpu": [first]}
    assert table.left_open([]) == {c: [row.name for row in rows] for c, rows in listed.items()}


def test_a_figure_without_a_record_is_named(tmp_path: Path) -> None:
    shutil.copytree(records.RECORDS, tmp_path / "records")
    (tmp_path / "records" / "renderer" / "all.json").unlink()
    with pytest.raises(SystemExit, match="quotes renderer/all, which has no record"):
        table.render(tmp_path / "records")


def test_conditions_are_told_once_and_commands_together() -> None:
    one = next(iter(records.read().values())) | {"source": "measured", "load": [0.5, 0.7]}
    one |= {"commit": "abc", "dirty": True, "date": "2026-01-02 03:04", "command": "run --size 1"}
    two = one | {"command": "run --size 2", "load": [0.1, 0.2], "date": "2026-01-03 03:04"}
    told = table.origin([one, two])
    assert told.startswith("- `run --size …`: commit abc with changes, ")
    assert told.endswith(", 2026-01-02 to 2026-01-03, load 0.1 to 0.7")
    assert len(table.origin([one, two | {"commit": "abd"}]).splitlines()) == 2


def test_records_hold_no_folder_of_a_machine() -> None:
    for path in records.RECORDS.rglob("*.json"):
        command = json.loads(path.read_text())["command"] or ""
        assert not [word for word in command.split() if word.startswith(("/", "~"))], path
