"""A class as six systems hand it out, from its zips to its tables; no kernel is needed for that."""

from __future__ import annotations

import csv
import html
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading import batch
from coursekit.grading.batch import Options, grade_class
from coursekit.grading.records import CheckResult, Grade
from coursekit.grading.report import write_all
from coursekit.grading.task import Task
from coursekit.lessons.course import Assignment, read_assignments
from coursekit.lessons.notebook import make_notebook, to_bytes
from tests.grading.report.made_class import SOURCES
from tests.grading.six_systems import LOST, made_class, write_class

NUMBER = 36


@cache
def some() -> list[Assignment]:
    """Three weeks of the course."""
    return read_assignments(SOURCES, ["00_welcome", "01_data", "02_unet"])


@pytest.fixture(autouse=True)
def right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever can be graded is right."""

    def graded(todo: list[Task], *_: Any) -> Iterator[Grade]:
        for task in todo:
            points = task.assignment.points
            checks = tuple(
                CheckResult(c.id, e.name, points[c.id], "passed")
                for e in task.assignment.exercises for c in e.checks
            )  # fmt: skip
            given = task.submission
            yield Grade(given.student, given.name, task.assignment.name, task.digest, "bubblewrap",
                        checks=checks, notes=given.notes)  # fmt: skip

    monkeypatch.setattr(batch, "_graded", graded)


@pytest.fixture
def zips(tmp_path: Path) -> list[Path]:
    lesson = some()[0].lesson

    def notebook(number: int) -> bytes:
        cells = lesson.student()
        return to_bytes(make_notebook([*cells, replace(cells[0], source=str(number), id="own")]))

    return write_class(made_class(NUMBER, notebook), tmp_path / "class")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("one_folder", [False, True])
def test_the_tables_of_a_class_are_complete(
    zips: list[Path], tmp_path: Path, one_folder: bool
) -> None:
    given = some()
    source = zips[0].parent if one_folder else zips
    grades = grade_class(source, tmp_path / "out", given, "s" * 16, Options())
    written = write_all(grades, given, tmp_path / "out")
    tables = {path.stem: rows(path) for path in written.tables}
    names = [row["student"] for row in tables["grades"]]
    assert len(names) == len(set(names)) == NUMBER == len(written.feedback)
    assert [row["student_id"] for row in tables["nbgrader"]] == names
    assert [row["Student"] for row in tables["canvas"][1:]] == names
    assert list(dict.fromkeys(row["student"] for row in tables["checks"])) == names
    assert {"Anna Same (1012)", "Anna Same (1018)", "José Wałęsa", "s015"} <= set(names)
    page = html.unescape(written.index.read_text(encoding="utf-8"))
    assert all(page.count(f">{name}</bdi>") >= 1 for name in names), names
    for row, canvas in zip(tables["grades"], tables["canvas"][1:], strict=True):
        lost = [why for _, why in LOST.values() if why in row["problems"]]
        checks = [c for c in tables["checks"] if c["student"] == row["student"]]
        assert row["max"] == "4" and len(checks) >= 3
        assert row["total"] == canvas["00_welcome"] == ("0" if lost else "4"), row
        if lost:
            assert all(lost[0] in c["reasons"] for c in checks)
            own = written.feedback[row["student"]].read_text(encoding="utf-8")
            assert own.count(lost[0]) == 1 and "Hint 1" not in own
        else:
            assert not row["problems"] and all(c["status"] == "passed" for c in checks)
    assert page.count("work.rar") == 1
    problems = "\n".join(row["problems"] for row in tables["grades"])
    assert all(problems.count(why) == 1 for _, why in LOST.values()), problems


def test_a_broken_file_with_an_assignments_name_is_of_that_assignment(tmp_path: Path) -> None:
    given = some()
    for name, content in (("ann/01_data.ipynb", b"{"), ("bob/week 1.ipynb", b"{"),
                          ("cem/02_unet.zip", b"PK"), ("dan/02.ipynb", b"")):  # fmt: skip
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    grades = grade_class(tmp_path / "class", tmp_path / "out", given, "s" * 16, Options())
    assert [(g.student, g.assignment) for g in grades] == [
        ("ann", "01_data"), ("bob", ""), ("cem", "02_unet"), ("dan", ""),
    ]  # fmt: skip
