"""A fault in what makes the notebooks does not pass: the linter uses none of it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursekit.errors import CourseError
from coursekit.lessons import regions, source
from coursekit.lessons.course import Assignment
from coursekit.lessons.regions import Cell
from coursekit.lessons.source import Exercise
from coursekit.release import handout, handout_lint, leaks, reread
from coursekit.release import lint as lint_module
from coursekit.release.release import release
from tests.release.demo_course import write_course

#: What makes notebooks; `handout` may be asked for a folder's name alone.
MAKERS = {"coursekit.lessons.notebook", "coursekit.lessons.regions", "coursekit.lessons.source",
          "coursekit.lessons.build", "coursekit.release.also_tried"}  # fmt: skip


@pytest.mark.parametrize("module", [handout_lint, leaks, lint_module, reread])
def test_the_linter_imports_no_maker(module: Any) -> None:
    tree = ast.parse(inspect.getsource(module))
    imported = {
        (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert not [name for place, name in imported if place in MAKERS]
    assert {name for place, name in imported if place == "coursekit.release.handout"} <= {
        "PRISTINE"
    }


def _keeps_solutions(cell: Cell) -> str:
    return "\n".join(
        line for part in regions.parts(cell) if part.kind != "hidden" for line in part.lines
    )


def _keeps_hidden(cell: Cell) -> str:
    told = regions.hidden_text(cell)
    return regions.student_text(cell) + (f"\n{told}" if told else "")


def _does_not_raise(cell: Cell) -> str:
    return regions.student_text(cell).replace("raise NotImplementedError", "print")


def _keeps_a_line(cell: Cell) -> str:
    return regions.student_text(cell).replace("    # YOUR", "    doubled = x + x\n    # YOUR")


def _other_points(assignment: Assignment, exercise: Exercise) -> dict[str, object]:
    return {"assignment": assignment.name, "exercise": exercise.name, "points": 5}


BROKEN: dict[str, tuple[Any, str, Callable[..., Any], str]] = {
    "solutions are left in": (
        source, "student_text", _keeps_solutions, "holds a part of the solution of twice",
    ),
    "hidden tests are left in": (
        source, "student_text", _keeps_hidden, "holds a part of the hidden tests of check-twice",
    ),
    "a stub that is silent": (source, "student_text", _does_not_raise, "twice: its stub raises"),
    "one line of a solution is left in": (
        source, "student_text", _keeps_a_line,
        "cell twice: does not hold exactly what its source shows of it",
    ),
    "hidden code is told": (
        handout, "also_tried", lambda hidden: [hidden], "tells more of its hidden tests",
    ),
    "names of what is emitted are told": (
        handout, "also_tried", lambda hidden: ["sign 1"] * ("sign" in hidden),
        "twice: tells more of its hidden tests than `about` says",
    ),
    "points of another check": (
        handout, "about_answer", _other_points,
        "its exercises are worth 15 points, the assignment 5",
    ),
    "an author in the metadata": (
        handout, "METADATA", {"authors": ["A"]}, "has other metadata than a release gives",
    ),
    "a cell's place is lost": (
        handout, "_words", lambda assignment, name, text: Cell(name, "markdown", text, 0),
        "is in no source",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_maker_releases_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebooks = write_course(tmp_path / "notebooks")
    module, attribute, broken, words = BROKEN[name]
    monkeypatch.setattr(module, attribute, broken)
    with pytest.raises(CourseError) as refused:
        release(tmp_path / "students", notebooks)
    assert words in str(refused.value)
    assert not (tmp_path / "students").exists()
