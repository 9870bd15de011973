"""Proves of one released notebook that it is its source's public lines, stubs, and nothing else."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from coursekit.checks import NOT_WRITTEN
from coursekit.lessons.notebook import METADATA, text_of
from coursekit.lessons.source import ANSWER_MARKER, SOLUTION
from coursekit.release.handout import about_answer, about_notebook, own_cell, tried_words
from coursekit.release.leaks import GAP, split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coursekit.lessons.course import Assignment
    from coursekit.lessons.source import Cell, Exercise

_CELL_KEYS = {"cell_type", "id", "metadata", "source"}
_METADATA_KEYS = {"coursekit", "tags", "deletable"}


def lint_notebook(notebook: dict[str, Any], assignment: Assignment) -> Iterator[str]:
    """Everything that is wrong with a notebook, one sentence each.

    Args:
        notebook: as it was read.
        assignment: what it should be.

    Raises:
        KeyError, TypeError, AttributeError: for what is no notebook.
    """
    wanted = {**METADATA, "coursekit": about_notebook(assignment)}
    if notebook["metadata"] != wanted or set(notebook) - {
        "cells", "metadata", "nbformat", "nbformat_minor",
    }:  # fmt: skip
        yield "has other metadata than a release gives (a kernel, widgets, an author?)"
    cells: dict[str, dict[str, Any]] = {}
    for cell in notebook["cells"]:
        where = f"cell {cell.get('id')}"
        if cell.get("id") in cells or "id" not in cell:
            yield f"{where}: has no id of its own"
            continue
        cells[cell["id"]] = cell
        yield from (f"{where}: {complaint}" for complaint in _lint_cell(cell, assignment))
    shown = [c.id for c in assignment.lesson.cells if _public(c, assignment).strip()]
    if [name for name in cells if name in shown] != shown:
        yield "lacks cells of its source, or has them in another order"
    yield from _lint_exercises(cells, assignment)


def _lint_cell(cell: dict[str, Any], assignment: Assignment) -> Iterator[str]:
    if cell["cell_type"] == "code":
        if cell.get("outputs"):
            yield "has outputs"
        if cell.get("execution_count") is not None:
            yield "has been executed"
        extra = set(cell) - _CELL_KEYS - {"outputs", "execution_count"}
    else:
        extra = set(cell) - _CELL_KEYS
    if extra:
        yield f"has {', '.join(sorted(extra))}"
    if unknown := set(cell["metadata"]) - _METADATA_KEYS:
        yield f"has metadata that no release gives: {', '.join(sorted(unknown))}"
    source = text_of(cell["source"])
    for original in assignment.lesson.cells:
        if original.id == cell["id"]:
            if original.kind != cell["cell_type"]:
                yield f"is {cell['cell_type']}, not {original.kind}"
            elif source.strip("\n") != _public(original, assignment).strip("\n"):
                yield "does not hold exactly what its source shows of it"
            return
    if cell["cell_type"] != "markdown" or not cell["id"].startswith(own_cell(assignment, "")):
        yield "is in no source"


def _public(cell: Cell, assignment: Assignment) -> str:
    """What a student may see of a cell, from its regions alone."""
    lines, regions = split(cell, assignment.lesson.name)
    waiting = iter(regions)
    given = cell.id in assignment.given
    shown = [f"{ANSWER_MARKER}{cell.id}"] if cell.has_solution and not given else []
    for line in lines:
        if not line.endswith(GAP):
            shown.append(line)
            continue
        region, indent = next(waiting), line.removesuffix(GAP)
        if not region.hidden and given:
            shown += region.lines
        elif not region.hidden:
            shown.append(f"{indent}# YOUR CODE HERE")
            shown.append(f'{indent}raise NotImplementedError("{NOT_WRITTEN}{cell.id}")')
    return "\n".join(shown)


def _lint_exercises(cells: dict[str, dict[str, Any]], assignment: Assignment) -> Iterator[str]:
    worth = 0
    for exercise in assignment.lesson.exercises:
        name = exercise.name
        if name not in cells:
            yield f"the answer cell of {name} is missing"
            continue
        if name not in assignment.given:
            yield from _lint_stub(text_of(cells[name]["source"]), exercise)
        about = cells[name]["metadata"].get("coursekit", {})
        if any(word not in tried_words(exercise) for word in about.get("also_tried", [])):
            yield f"{name}: tells more of its hidden tests than `about` says"
        elif about != about_answer(assignment, exercise):
            yield f"{name}: its metadata are not what the assignment says"
        graded = exercise in assignment.exercises
        checks = [cells[c.id] for c in exercise.checks if c.id in cells]
        if graded and not checks:
            yield f"{name}: has no public check"
        for check in checks:
            points = check["metadata"].get("coursekit", {}).get("points")
            if points != assignment.points.get(check["id"], 0):
                yield f"{check['id']}: is worth {points}, the assignment says otherwise"
        worth += about.get("points", 0)
    if worth != assignment.total:
        yield f"its exercises are worth {worth} points, the assignment {assignment.total}"


def _lint_stub(source: str, exercise: Exercise) -> Iterator[str]:
    """A stub compiles, and raises once for each solution that was taken out."""
    try:
        compile(source, exercise.name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        yield f"{exercise.name}: its stub is not Python ({error})"
        return
    raised = sum(
        isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and getattr(node.exc.func, "id", "") == "NotImplementedError"
        and [getattr(a, "value", "") for a in node.exc.args] == [NOT_WRITTEN + exercise.name]
        for node in ast.walk(ast.parse(source))
    )
    if raised != exercise.answer.source.count(SOLUTION[0]):
        yield f"{exercise.name}: its stub raises {raised} times, not once for each solution"
