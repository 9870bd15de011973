"""`coursekit run-lessons`: what fails is named, what costs more than its card is told."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from coursekit.cli import main
from coursekit.lessons.outline import Cost
from coursekit.lessons.rehearsal import Rehearsed


def notebook(path: Path, *cells: str) -> None:
    path.parent.mkdir(exist_ok=True)
    made = [nbformat.v4.new_code_cell(text, id=f"cell-{n}") for n, text in enumerate(cells)]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


def test_lessons_are_run_to_their_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook(
        tmp_path / "solved/00_good.ipynb",
        "import os",
        "os.environ['COURSEKIT_TIER']",
        "x = 2 * bytes(10**8)",
    )
    notebook(tmp_path / "solved/01_bad.ipynb", "1 / 0", "6 * 7")
    measured = {"00_good": {"seconds": 10, "megabytes": 1}}
    (tmp_path / "measured.json").write_text(json.dumps(measured), encoding="utf-8")
    call = ["run-lessons", "--notebooks", str(tmp_path)]
    assert main([*call, "--keep", str(tmp_path / "kept")]) == 1
    said = capsys.readouterr().out
    assert "✓ 00_good" in said
    assert "MB (card: 1)" in said
    assert "✗ 01_bad" in said
    assert "1 of 2 code cells end with an error; the first is cell-0: ZeroDivisionError" in said
    assert "2 lessons in" in said
    assert "1 ran, 1 failed: 01_bad" in said
    assert "more than their cards say: 00_good (memory)" in said
    kept = nbformat.read(tmp_path / "kept/01_bad.ipynb", as_version=4)
    assert kept.cells[1].outputs[0].data["text/plain"] == "42"
    assert len(kept.cells) == 2
    assert main([*call, "00", "--strict"]) == 1


def test_a_promise_is_broken_by_more_than_a_step() -> None:
    def ran(seconds: float, megabytes: float) -> Rehearsed:
        return Rehearsed("00", 1, (), False, "", True, 1.0, Cost(seconds, megabytes))

    promised = Cost(20, 900)
    assert ran(30, 1000).broken(promised) == []
    assert ran(31, 1000).broken(promised) == ["time"]
    assert ran(30, 1001).broken(promised) == ["memory"]
    assert ran(31, 1001).broken(None) == []


def test_a_student_s_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    notebook(tmp_path / "00_new.ipynb", "raise NotImplementedError", "later")
    call = ["run-lessons", "--notebooks", str(tmp_path), "--student"]
    assert main(call) == 0
    assert "2 of 2 code cells end with an error; the first is cell-0: not answered yet" in (
        capsys.readouterr().out
    )
    notebook(tmp_path / "00_new.ipynb", "import os; os._exit(1)", "later")
    assert main(call) == 1
    assert "1 of 2 code cells end with an error; the first is cell-0: ended the kernel" in (
        capsys.readouterr().out
    )


def test_no_such_lesson(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run-lessons", "--notebooks", str(tmp_path)]) == 2
    assert "holds no lessons" in capsys.readouterr().err
