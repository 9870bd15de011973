"""What an earlier run wrote of students who are gone is moved, and said."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.grading.records import Grade
from coursekit.grading.report import write_all
from coursekit.grading.store import Store
from coursekit.grading.withdrawn import FOLDER, set_aside
from tests.grading.report.made_class import assignment, grade_of


def written(names: list[str], out: Path) -> list[Path]:
    grades = [grade_of(name, {}) for name in names]
    for grade in grades:
        Store(out / "json").keep(grade)
    pages = write_all(grades, [assignment()], out).feedback
    return set_aside(out, pages.keys(), pages.values())


def files(out: Path) -> set[str]:
    return {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}


def test_who_is_gone_is_moved_and_what_we_did_not_write_stays(tmp_path: Path) -> None:
    assert written(["ann", "bob"], tmp_path) == []
    before = files(tmp_path)
    mine = ["feedback/notes.html", "feedback/mine-0123456789ab.html", "json/mine-0123456789ab.json"]
    for name in mine:
        (tmp_path / name).write_text("<p>of my own</p>")
    moved = written(["ann"], tmp_path)
    assert len(moved) == 2 and all(path.is_file() and "bob" in path.name for path in moved)
    assert {path.parent.relative_to(tmp_path).as_posix() for path in moved} == {
        f"{FOLDER}/feedback", f"{FOLDER}/json",
    }  # fmt: skip
    bobs = {name for name in before if "/bob" in name}
    assert files(tmp_path) == before - bobs | {f"{FOLDER}/{name}" for name in bobs} | set(mine)
    assert written(["ann"], tmp_path) == []


def test_grades_of_other_assignments_stay(tmp_path: Path) -> None:
    other: Grade = dataclasses.replace(grade_of("ann", {}), assignment="01_data")
    Store(tmp_path / "json").keep(other)
    assert written(["ann"], tmp_path) == []


def test_a_page_that_cannot_be_moved_is_named(tmp_path: Path) -> None:
    written(["ann", "bob"], tmp_path)
    (tmp_path / FOLDER).write_text("a file in the way")
    with pytest.raises(CourseError, match=r"bob-.*html: is of a student who handed in nothing"):
        written(["ann"], tmp_path)
