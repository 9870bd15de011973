"""The notebook of an assignment as a student gets it, and what can be read from it again."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.lessons.course import Assignment
from coursekit.lessons.joined import joined
from coursekit.lessons.notebook import METADATA, make_notebook, text_of
from coursekit.lessons.outline import read_outline
from coursekit.lessons.regions import ANSWER_MARKER, SOLUTION, Cell, hidden_text
from coursekit.lessons.source import Lesson
from coursekit.release.also_tried import also_tried

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coursekit.lessons.outline import Outline
    from coursekit.lessons.source import Exercise

#: The folder in a release with the notebooks as they were handed out, which nobody writes in.
PRISTINE = ".released"

_COMPARISONS = ("that", "kind", "equal", "close", "shape", "catches")

_GIVEN = "**Given.** The next cell holds a solution. It brings no points; what follows uses it."
_PRACTICE = (
    "**For practice.** The next exercise brings no points in this assignment. What follows may use "
    "it."
)


def handout(
    assignment: Assignment, outline: Outline | None = None, links: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The notebook, not executed: stubs, public checks, and what a reader needs to know.

    Its metadata names the assignment; `metadata.coursekit` of an answer cell says the exercise, its
    points and what grading also tries, of a check cell the exercise and the check's points.

    Args:
        assignment: what is handed out.
        outline: of the course; read from the folder of the lesson's source when None.
        links: where other lessons and the glossary lie, see `lessons.joined`; nowhere when None.
    """
    exercises = assignment.lesson.exercises
    if outline is None:
        outline = read_outline(assignment.lesson.path.parent.parent)
    notebook = make_notebook(_cells(assignment, outline, links or {}))
    notes = {e.name: about_answer(assignment, e) for e in exercises}
    for exercise in exercises:
        for check in exercise.checks:
            notes[check.id] = {
                "assignment": assignment.name,
                "exercise": exercise.name,
                "points": assignment.points.get(check.id, 0),
            }
    for cell in notebook["cells"]:
        if cell["id"] in notes:
            cell["metadata"] |= {"coursekit": notes[cell["id"]], "deletable": False}
    return {**notebook, "metadata": {**METADATA, "coursekit": about_notebook(assignment)}}


def assignment_of(notebook: dict[str, Any]) -> Assignment:
    """The assignment that a handed out notebook is of, as far as a student has it.

    Where a solution was, the lesson has `...`; hidden tests are not there. Practice is among the
    exercises, for no points; what was given is not.

    Args:
        notebook: as `handout` gave it.

    Raises:
        KeyError, TypeError: for another notebook.
    """
    about = notebook["metadata"]["coursekit"]
    cells = []
    for cell in notebook["cells"]:
        note, source = cell["metadata"].get("coursekit", {}), text_of(cell["source"])
        tags = tuple(cell["metadata"].get("tags", ()))
        if cell["id"] == note.get("exercise") and not note.get("given"):
            source = _unstubbed(source)
        cells.append(Cell(cell["id"], cell["cell_type"], source, 1, note.get("points"), tags))
    lesson = Lesson(Path(f"{about['lesson']}.py"), tuple(cells))
    points = {check.id: check.points or 0 for e in lesson.exercises for check in e.checks}
    return Assignment(about["assignment"], lesson, lesson.exercises, points, about.get("due"))


def _unstubbed(stub: str) -> str:
    """An answer cell's source, with a solution that does nothing."""
    lines: list[str] = []
    for line in stub.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() == "# YOUR CODE HERE":
            lines += [indent + SOLUTION[0], f"{indent}..."]
        elif lines and lines[-1].strip() == "...":
            lines.append(indent + SOLUTION[1])  # in place of the `raise`
        elif not line.startswith(ANSWER_MARKER):
            lines.append(line)
    return "\n".join(lines)


def covers(check: str) -> tuple[str, int]:
    """What a check cell says it has shown, and how many comparisons it makes."""
    said, comparisons = [], 0
    for node in ast.walk(ast.parse(check)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            comparisons += node.func.attr in _COMPARISONS
            if node.func.attr == "passed" and node.args:
                said += [str(a.value) for a in node.args[:1] if isinstance(a, ast.Constant)]
    return "; ".join(said), comparisons


def about_notebook(assignment: Assignment) -> dict[str, Any]:
    """What the notebook says of itself."""
    about: dict[str, Any] = {"assignment": assignment.name, "lesson": assignment.lesson.name}
    return about if assignment.due is None else about | {"due": assignment.due}


def about_answer(assignment: Assignment, exercise: Exercise) -> dict[str, Any]:
    """What an answer cell says of itself."""
    about: dict[str, Any] = {
        "assignment": assignment.name,
        "exercise": exercise.name,
        "points": assignment.worth(exercise),
    }
    if exercise.name in assignment.given:
        return about | {"given": True}
    if exercise.name in assignment.practice:
        return about | {"practice": True}
    return about | {"also_tried": tried_words(exercise)}


def tried_words(exercise: Exercise) -> list[str]:
    """What the hidden halves of an exercise's checks tell students that they try."""
    words = (also_tried(hidden_text(check)) for check in exercise.checks)
    return list(dict.fromkeys(word for told in words for word in told))


def own_cell(assignment: Assignment, name: str) -> str:
    """The id of a cell that a release adds; no cell of a lesson can have it."""
    return f"lesson-{assignment.lesson.name[:2]}-{name}"


def when(due: str | None) -> str:
    """A due date for a reader."""
    if due is None:
        return "no due date"
    day, _, time = due.partition("T")
    clock, offset = time[:5], time[-6:] if time[-6:-5] in ("+", "-") else "+00:00"
    return f"{day} {clock} (UTC{offset})"


def title(assignment: Assignment) -> str:
    """The lesson's heading."""
    for cell in assignment.lesson.cells:
        if cell.kind == "markdown" and cell.source.startswith("# "):
            return cell.source.splitlines()[0][2:].strip()
    return assignment.lesson.name


def links_between(assignments: Iterable[Assignment]) -> dict[str, str]:
    """Where the lessons of a release lie, beside each other; the first of two of one lesson."""
    links: dict[str, str] = {}
    for assignment in assignments:
        links.setdefault(assignment.lesson.name, f"{assignment.name}.ipynb")
    return links


def _cells(assignment: Assignment, outline: Outline, links: Mapping[str, str]) -> list[Cell]:
    solved = {cell.id: cell for cell in assignment.lesson.solved()}
    made: list[Cell] = []
    for cell in joined(assignment.lesson.student(), assignment.lesson, outline, links):
        if cell.id in assignment.given:
            made.append(_words(assignment, f"given-{cell.id}", _GIVEN))
            cell = solved[cell.id]
        elif cell.id in assignment.practice:
            made.append(_words(assignment, f"practice-{cell.id}", _PRACTICE))
        made.append(replace(cell, points=None))
    made.insert(1 if made[0].kind == "markdown" else 0, _card(assignment))
    return made


def _card(assignment: Assignment) -> Cell:
    rows = "\n".join(f"| {e.name} | {assignment.worth(e)} |" for e in assignment.exercises)
    text = f"""\
**Assignment {assignment.name}** · {assignment.total} points · {when(assignment.due)}

| exercise | points |
|---|---|
{rows}

Your answers are taken from the cells that begin with `# exercise:`; what an answer needs belongs in
its cell. Before you hand in, `coursekit check` runs your answers as grading does."""
    return _words(assignment, "assignment", text)


def _words(assignment: Assignment, name: str, text: str) -> Cell:
    return Cell(own_cell(assignment, name), "markdown", text, 0)
