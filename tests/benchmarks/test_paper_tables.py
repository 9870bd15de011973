"""The paper's Tables 4 to 6: each row is a command that the recipes know."""

from __future__ import annotations

import json
import shutil
import subprocess
from argparse import Namespace
from pathlib import Path
from typing import Any

import paper_tables
import pytest
import records
import table

from coursekit import recipes
from coursekit.cli import main
from coursekit.models.contexts import CONTEXTS

OPTIONS = {"size": 64, "epochs": 4, "precision": "fp32", "workers": 0, "cpu": True}


def test_the_rows_are_the_paper_s_and_no_two_are_alike() -> None:
    for number, rows in paper_tables.ROWS.items():
        assert list(rows) == list(paper_tables.TABLES[number].rows)
        assert len(set(rows.values())) == len(rows)
        for without, context in rows.values():
            for recipe in ("dml_csr", "dml_csr_small"):
                recipes.configure(recipe, "dml_csr", 64, 20, 0, without)
            assert context is None or context in CONTEXTS


def test_a_row_is_a_command_with_a_folder_of_its_own(tmp_path: Path) -> None:
    folders = set()
    for small in (False, True):
        options = Namespace(small=small, data=Path("faces"), out=tmp_path, **OPTIONS)
        for rows in paper_tables.ROWS.values():
            for row in rows.values():
                words = paper_tables.command(row, 3, options)
                assert words[:4] == ["train", "dml_csr", "--recipe", f"dml_csr{'_small' * small}"]
                assert words.count("--without") == len(row[0]) and "--resume" not in words
                folders.add(words[-1])
    begun = Path(words[-1])
    begun.mkdir()
    (begun / "state.safetensors").touch()
    assert "--resume" in paper_tables.command(row, 3, options)
    different = {row for rows in paper_tables.ROWS.values() for row in rows.values()}
    assert len(folders) == 2 * len(different)


@pytest.fixture
def faces_of_one(tmp_path: Path) -> Path:
    faces = tmp_path / "faces"
    assert main(["data", "make", str(faces), "--train", "1", "--val", "1", "--test", "1",
                 "--size", "16"]) == 0  # fmt: skip
    return faces


def test_a_table_is_trained_scored_and_told_once(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Its training is played: a folder with scores; the rest is as it is."""
    called: list[str] = []

    def play(words: list[str], **_: Any) -> Any:
        called.append(words[3])
        if words[3] == "train":
            folder = Path(words[-1])
            folder.mkdir(parents=True)
            (folder / "scores.json").write_text("{}")
        score = {"mean_iou": 0.25 + len(called) / 1000,
                 "protocol": {"ours": {"scores": {"Mean F1": 0.5}}}}  # fmt: skip
        return Namespace(stdout=json.dumps(score))

    monkeypatch.setattr(subprocess, "run", play)
    words = ["paper_tables.py", "--table", "4", "--data", str(faces_of_one)]
    words += ["--out", str(tmp_path / "r"), "--small", "--cpu", "--seeds", "0", "1"]
    monkeypatch.setattr(paper_tables.sys, "argv", words)
    capsys.readouterr()
    with pytest.raises(SystemExit):  # its test split has no masks, which costs nobody a training
        paper_tables.main()
    assert "faces: the test split has no masks to score; choose --split val" in (
        capsys.readouterr().err
    )
    assert not called
    paper_tables.sys.argv += ["--split", "val"]
    for _ in range(2):
        assert paper_tables.main() == 0
        told = capsys.readouterr().out
    assert called == ["train", "evaluate"] * 8  # four rows, two seeds; nothing twice
    assert "64², 10 epochs, 2 seeds" in told and told == (tmp_path / "r" / "table4.md").read_text()
    assert "| Baseline | 25.60 ± 0.57 | 50.00 ± 0.00 | 82.36 | 92.11 | 76.14 |" in told


def test_a_run_leaves_a_record_for_the_page_once(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def play(words: list[str], **more: Any) -> Any:
        if words[0] == "git":  # the record's commit
            return run(words, **more)
        if words[3] == "train":
            Path(words[-1]).mkdir(parents=True)
        score = {"mean_iou": 0.25, "protocol": {"ours": {"scores": {"Mean F1": 0.375}}}}
        return Namespace(stdout=json.dumps(score))

    monkeypatch.setattr(subprocess, "run", play)
    kept = tmp_path / "records"
    shutil.copytree(records.RECORDS, kept, ignore=shutil.ignore_patterns("paper"))
    words = ["paper_tables.py", "--table", "4", "--data", str(faces_of_one), "--split", "val"]
    words += ["--out", str(tmp_path / "r"), "--small", "--cpu", "--record", "faces"]
    monkeypatch.setattr(
        paper_tables.sys, "argv", [*words, "--keep", str(kept), "--seeds", "0", "1"]
    )
    assert paper_tables.main() == 0
    record = records.read(kept)["paper/faces-4-64-10-small-+DDGCN+DML-1"]
    assert record["figures"] == {"mean IoU": 25.0, "Mean F1": 37.5} and record["seeds"] == [1]
    page = table.render(kept)
    assert "faces, the small network, 64², 10 epochs:" in page
    assert "| +DDGCN+DML | 25.0, 25.0 | 25.00 ± 0.00 | 37.5, 37.5 | 37.50 ± 0.00 |" in page
    (kept / "paper" / "faces-4-64-10-small-Baseline-0.json").unlink()
    assert paper_tables.main() == 0  # nothing was trained, so nothing is recorded
    assert len(list((kept / "paper").iterdir())) == 7


def test_what_a_command_cannot_do_ends_the_table_in_a_line(
    faces_of_one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(words: list[str], **_: Any) -> Any:
        raise subprocess.CalledProcessError(2, words)

    monkeypatch.setattr(subprocess, "run", fail)
    words = ["paper_tables.py", "--table", "4", "--data", str(faces_of_one), "--split", "val"]
    monkeypatch.setattr(paper_tables.sys, "argv", [*words, "--out", str(tmp_path / "r")])
    capsys.readouterr()
    assert paper_tables.main() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("paper_tables: stopped where this failed:") and "--without" in line
    assert not (tmp_path / "r" / "table4.md").exists()
