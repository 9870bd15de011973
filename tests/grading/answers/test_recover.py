"""A small lesson's answers, and the two longest lessons', survive what editors do to a notebook."""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.answers.match import match
from coursekit.grading.answers.recover import recover
from coursekit.grading.submissions.read import read_notebook
from coursekit.lessons.course import Assignment, read_assignments
from coursekit.lessons.notebook import make_notebook, to_bytes
from tests.grading.small_lesson import LESSON, lesson

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"

Cells = list[dict[str, Any]]


@lru_cache
def assignments() -> tuple[Assignment, ...]:
    real = sorted(read_assignments(NOTEBOOKS), key=lambda a: a.lesson.path.stat().st_size)
    return (lesson("07_small", LESSON), *real[-2:])


def solved(assignment: Assignment) -> dict[str, Any]:
    """The student's notebook with the lesson's solutions written into it."""
    return json.loads(to_bytes(make_notebook(assignment.lesson.solved())))


def trees(assignment: Assignment) -> dict[str, str]:
    cells = {c.id: c.source for c in assignment.lesson.solved()}
    return {e.name: ast.dump(ast.parse(cells[e.name])) for e in assignment.exercises}


def read(raw: dict[str, Any]) -> dict[str, Any]:
    return read_notebook(json.dumps(raw).encode())


def check_all(assignment: Assignment, raw: dict[str, Any], *found_by: str) -> None:
    """Every answer is recovered with its tree; and the notebook finds its assignment."""
    notebook = read(raw)
    assert match(notebook, "anything.ipynb", assignments()) is assignment
    got = recover(notebook, assignment)
    assert [a.exercise for a in got] == [e.name for e in assignment.exercises]
    for answer in got:
        assert answer.status == "found", answer
        assert answer.found_by in found_by, answer
        assert ast.dump(ast.parse(answer.source or "")) == trees(assignment)[answer.exercise]
        assert answer.found_by == "id" or answer.notes, "a recovery is always noted"


#: Read by who runs the tests, not by every process that collects them.
each_lesson = pytest.mark.parametrize(
    "assignment", range(3), ids=["small", "long", "longest"], indirect=True
)


@pytest.fixture
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return assignments()[request.param]


@each_lesson
def test_as_it_was_given_out(assignment: Assignment):
    check_all(assignment, solved(assignment), "id")
    assert not any(a.notes for a in recover(read(solved(assignment)), assignment))


@each_lesson
def test_nothing_written(assignment: Assignment):
    raw = json.loads(to_bytes(make_notebook(assignment.lesson.student())))
    for strip in (False, True):
        if strip:
            raw = without_ids(raw)
        for answer in recover(read(raw), assignment):
            assert (answer.status, answer.source) == ("not-written", None), answer


# --- what editors do ---


def without_ids(raw: dict[str, Any]) -> dict[str, Any]:
    """Old Jupyter."""
    cells = [{k: v for k, v in c.items() if k != "id"} | {"metadata": {}} for c in raw["cells"]]
    return raw | {"nbformat_minor": 4, "cells": cells}


def with_new_ids(raw: dict[str, Any]) -> dict[str, Any]:
    cells = [c | {"id": f"{i:08x}", "metadata": {}} for i, c in enumerate(raw["cells"])]
    return raw | {"cells": cells}


def colab(raw: dict[str, Any]) -> dict[str, Any]:
    """Ids in the metadata, text as one string, format 4.0."""
    cells = []
    for cell in raw["cells"]:
        moved = {k: v for k, v in cell.items() if k != "id"}
        moved |= {"metadata": {"id": cell["id"]}, "source": "".join(cell["source"])}
        cells.append(moved)
    return raw | {"nbformat_minor": 0, "cells": cells}


def nbgrader(raw: dict[str, Any]) -> dict[str, Any]:
    cells = []
    for cell in without_ids(raw)["cells"]:
        cells.append(cell)
    for cell, old in zip(cells, raw["cells"], strict=True):
        cell["metadata"] = {"nbgrader": {"grade_id": old["id"], "solution": True}}
    return raw | {"cells": cells}


def format_3(raw: dict[str, Any]) -> dict[str, Any]:
    cells = without_ids(raw)["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    return {"nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}


def crlf(raw: dict[str, Any]) -> dict[str, Any]:
    return _each(raw, lambda text: text.replace("\n", "\r\n"))


def with_trailing_blanks(raw: dict[str, Any]) -> dict[str, Any]:
    return _each(raw, lambda text: "\n\n" + text.replace("\n", "  \n") + "\n\n")


def _each(raw: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    cells = [c | {"source": change("".join(c["source"]))} for c in raw["cells"]]
    return raw | {"cells": cells}


EDITORS = {
    without_ids: "definition", with_new_ids: "definition", colab: "metadata",
    nbgrader: "metadata", format_3: "definition", crlf: "id",
}  # fmt: skip


@each_lesson
@pytest.mark.parametrize("editor", EDITORS, ids=lambda e: e.__name__)
def test_editors(assignment: Assignment, editor: Callable[..., dict[str, Any]]):
    check_all(assignment, editor(solved(assignment)), EDITORS[editor])


# --- what people do ---


def _answers(raw: dict[str, Any], assignment: Assignment) -> Cells:
    names = {e.name for e in assignment.exercises}
    return [c for c in raw["cells"] if c["id"] in names]


def reversed_order(raw: dict[str, Any], assignment: Assignment) -> Cells:
    return raw["cells"][::-1]


def answers_only(raw: dict[str, Any], assignment: Assignment) -> Cells:
    return _answers(raw, assignment)


def answers_at_the_end(raw: dict[str, Any], assignment: Assignment) -> Cells:
    answers = _answers(raw, assignment)
    return [c for c in raw["cells"] if c not in answers] + answers[::-1]


def with_stubs_beside(raw: dict[str, Any], assignment: Assignment) -> Cells:
    """Each stub was copied, before and after; an old editor copied the id, too."""
    stubs = {c["id"]: c for c in make_notebook(assignment.lesson.student())["cells"]}
    answers = _answers(raw, assignment)
    beside = lambda c: [stubs[c["id"]], c, stubs[c["id"]]] if c in answers else [c]  # noqa: E731
    return [new for cell in raw["cells"] for new in beside(cell)]


def answers_beside_stubs(raw: dict[str, Any], assignment: Assignment) -> Cells:
    """The stubs stay, and the answers stand in new cells below the checks."""
    stubs = {c["id"]: c for c in make_notebook(assignment.lesson.student())["cells"]}
    cells = []
    for cell in raw["cells"]:
        cells.append(stubs.get(cell["id"], cell))
    return cells + [{**c, "id": "new"} for c in _answers(raw, assignment)]


def merged(raw: dict[str, Any], assignment: Assignment) -> Cells:
    """All answers in one cell, the others deleted."""
    answers = _answers(raw, assignment)
    text = "\n\n".join("".join(c["source"]) for c in answers)
    return [c for c in raw["cells"] if c not in answers] + [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": text}
    ]


def in_the_checks(raw: dict[str, Any], assignment: Assignment) -> Cells:
    """Each answer was pasted above its check, into the check's cell."""
    answers = {c["id"]: "".join(c["source"]) for c in _answers(raw, assignment)}
    cells = []
    for cell in raw["cells"]:
        name = cell["id"].removeprefix("check-")
        if cell["id"] not in answers:
            text = "".join(cell["source"])
            if name in answers:
                text = f"{answers[name]}\n\n\n{text}"
            cells.append(cell | {"source": text})
    return cells


def in_markdown(raw: dict[str, Any], assignment: Assignment) -> Cells:
    answers = _answers(raw, assignment)
    return [c | {"cell_type": "markdown"} if c in answers else c for c in raw["cells"]]


def in_raw_cells(raw: dict[str, Any], assignment: Assignment) -> Cells:
    answers = _answers(raw, assignment)
    return [c | {"cell_type": "raw"} if c in answers else c for c in raw["cells"]]


def in_fences(raw: dict[str, Any], assignment: Assignment) -> Cells:
    def fence(cell: dict[str, Any]) -> dict[str, Any]:
        text = f"My answer:\n\n```python\n{''.join(cell['source'])}\n```\n"
        return {"cell_type": "markdown", "metadata": {}, "source": text}

    answers = _answers(raw, assignment)
    return [fence(c) if c in answers else c for c in raw["cells"]]


def with_redefinitions_to_play(raw: dict[str, Any], assignment: Assignment) -> Cells:
    """The lessons end with things to try: another version, below everything."""
    names = {n.name for c in _answers(raw, assignment) for n in _definitions(c)}
    text = "\n".join(f"class {name}:\n    broken = True" for name in sorted(names))
    return [*raw["cells"], {"cell_type": "code", "metadata": {}, "outputs": [], "source": text}]


def _definitions(cell: dict[str, Any]) -> list[Any]:
    body = ast.parse("".join(cell["source"])).body
    return [n for n in body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]


PEOPLE = {
    reversed_order: ("id",), answers_only: ("id",), answers_at_the_end: ("id",),
    with_stubs_beside: ("id",), answers_beside_stubs: ("definition",), merged: ("definition",),
    in_the_checks: ("definition",), in_markdown: ("id",), in_raw_cells: ("id",),
    in_fences: ("definition",), with_redefinitions_to_play: ("id",),
}  # fmt: skip


@each_lesson
@pytest.mark.parametrize("habit", PEOPLE, ids=lambda h: h.__name__)
def test_habits(assignment: Assignment, habit: Callable[..., Cells]):
    raw = solved(assignment)
    check_all(assignment, raw | {"cells": habit(raw, assignment)}, *PEOPLE[habit])


@each_lesson
def test_two_habits_in_an_editor_that_loses_ids(assignment: Assignment):
    for habit in PEOPLE:
        raw = solved(assignment)
        check_all(
            assignment, without_ids(raw | {"cells": habit(raw, assignment)}), "definition"
        )  # fmt: skip


def _undocumented(text: str) -> str:
    """A tree without docstrings, whose blank lines get lost where a cell is cut."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)


@each_lesson
def test_cells_cut_at_any_line(assignment: Assignment):
    stubs = json.loads(to_bytes(make_notebook(assignment.lesson.student())))["cells"]
    for exercise in assignment.exercises:
        one = replace(assignment, exercises=(exercise,))
        place = next(i for i, c in enumerate(stubs) if c["id"] == exercise.name)
        cell = _answers(solved(assignment), one)[0]
        lines = "".join(cell["source"]).split("\n")
        for cut in range(1, len(lines)):
            first = cell | {"source": "\n".join(lines[:cut])}
            second = cell | {"source": "\n".join(lines[cut:])}
            # Editors differ: the first half keeps the id, both do, none does.
            second["id"] = ("new", cell["id"], "new")[cut % 3]
            first["id"] = (cell["id"], cell["id"], "new too")[cut % 3]
            parts = [first, {"cell_type": "markdown", "metadata": {}, "source": "and"}, second]
            cells = stubs[:place] + parts + stubs[place + 1 :]
            (answer,) = recover(read({"nbformat": 4, "cells": cells}), one)
            assert answer.source is not None, (cut, answer)
            assert _undocumented(answer.source) == _undocumented("\n".join(lines)), (cut, answer)
            assert answer.notes


# --- anything ---


@given(data=st.data())
def test_any_mangling_loses_no_answer_in_silence(data: st.DataObject):
    """Whatever happens to the cells: an answer, or a status; and never an exception."""
    assignment = assignments()[0]
    raw = solved(assignment)
    cells = copy.deepcopy(raw["cells"])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(cells) - 1))
        text = "".join(cells[place]["source"])
        deed = data.draw(st.sampled_from(["delete", "copy", "move", "cut", "type", "id", "text"]))
        if deed == "delete" and len(cells) > 1:
            del cells[place]
        elif deed == "copy":
            cells.insert(data.draw(st.integers(0, len(cells))), dict(cells[place]))
        elif deed == "move":
            cells.insert(data.draw(st.integers(0, len(cells) - 1)), cells.pop(place))
        elif deed == "cut":
            at = data.draw(st.integers(0, len(text)))
            cells[place : place + 1] = [
                cells[place] | {"source": text[:at]}, cells[place] | {"source": text[at:]}
            ]  # fmt: skip
        elif deed == "type":
            kind = data.draw(st.sampled_from(["code", "markdown", "raw"]))
            cells[place] = cells[place] | {"cell_type": kind}
        elif deed == "id":
            cells[place] = cells[place] | {"id": data.draw(st.sampled_from(["blend", "x", "up"]))}
        else:
            at = data.draw(st.integers(0, len(text)))
            more = data.draw(st.text(max_size=3) | st.sampled_from(["(", "%x\n", "\u00a0", "'''"]))
            cells[place] = cells[place] | {"source": text[:at] + more + text[at:]}
    got = recover(read(raw | {"cells": cells}), assignment)
    assert [a.exercise for a in got] == ["blend", "pair", "rate"]
    for answer in got:
        if answer.status == "found":
            ast.parse(answer.source or "")
        else:
            assert answer.source is None and answer.status in ("missing", "unreadable"), answer
            assert answer.notes, answer
