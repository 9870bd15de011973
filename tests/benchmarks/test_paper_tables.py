"""The paper's Tables 4 to 6: each row is a command that the recipes know."""

from __future__ import annotations

import json
import subprocess
from argparse import Namespace
from pathlib import Path
from typing import Any

import paper_tables
import pytest

from coursekit import recipes
from coursekit.cli import main
from coursekit.models.contexts import CONTEXTS

OPTIONS = {"size": 64, "epochs": 4, "precision": "fp32", "workers": 0, "cpu": True}


def test_the_rows_are_the_paper_s_and_no_two_are_alike() -> None:
    for table, rows in paper_tables.ROWS.items():
        assert list(rows) == list(paper_tables.TABLES[table].rows)
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
                assert words.count("--without") == len(row[0])
                folders.add(words[-1])
    different = {row for rows in paper_tables.ROWS.values() for row in rows.values()}
    assert len(folders) == 2 * len(different)


def test_a_table_is_trained_scored_and_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Its training is played: a folder with scores; the rest is as it is."""
    faces = tmp_path / "faces"
    assert main(["data", "make", str(faces), "--train", "1", "--val", "1", "--test", "1",
                 "--size", "16"]) == 0  # fmt: skip
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
    words = ["paper_tables.py", "--table", "4", "--data", str(faces), "--out", str(tmp_path / "r")]
    words += ["--small", "--cpu", "--seeds", "0", "1"]
    monkeypatch.setattr(paper_tables.sys, "argv", words)
    with pytest.raises(SystemExit):
        paper_tables.main()
    assert not called and "the test split has no masks" in capsys.readouterr().err
    monkeypatch.setattr(paper_tables.sys, "argv", [*words, "--split", "val"])
    for _ in range(2):
        assert paper_tables.main() == 0
        told = capsys.readouterr().out
    assert called == ["train", "evaluate"] * 8  # four rows, two seeds; nothing twice
    assert "64², 10 epochs, 2 seeds" in told and told == (tmp_path / "r" / "table4.md").read_text()
    assert "| Baseline | 25.30 ± 0.14 | 50.00 ± 0.00 | 82.36 | 92.11 | 76.14 |" in told
