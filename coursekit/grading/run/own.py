"""The notebook that is tried last: the student's own, and after each check the course's.

Grading keeps nothing that it shows, so that no input can come out with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from coursekit import names
from coursekit.grading.answers.mend import without_markers
from coursekit.grading.run.assemble import freshly, hidden_cell, keeping
from coursekit.grading.sandbox.kernel import EACH_BY_ITSELF
from coursekit.lessons.notebook import make_notebook
from coursekit.lessons.regions import Cell
from coursekit.lessons.source import SLOW

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from coursekit.grading.answers.own import OwnCell, OwnNotebook
    from coursekit.lessons.course import Assignment

_BEGIN = "from coursekit.grading.run.patience import begin as _begin; _begin(); del _begin"
#: How the ids of public checks begin, which stand in place of hidden ones in a self-check.
PUBLIC_PREFIX = "public-"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class _Item:
    """A cell that may be run.

    Attributes:
        cell: what runs.
        place: among the lesson's cells; -1 for a cell of the student's own.
        defines: names for which it is wanted; None when it is wanted anyway.
        uses: the names that it may use.
    """

    cell: Cell
    place: int
    defines: Collection[str] | None
    uses: Collection[str]


def notebook_as_handed_in(
    assignment: Assignment, own: OwnNotebook, exercises: Collection[str], *, hidden: bool = True
) -> dict[str, Any]:
    """A student's cells, each statement by itself, up to the last of the checks that are tried.

    Of the lesson's cells, those run that something may use; what trains for long does not. Those
    that a student has changed or lost come before, so that hidden tests find the lesson's names.

    Args:
        assignment: what is graded.
        own: the student's notebook.
        exercises: those that are tried.
        hidden: whether by the hidden tests, or by the public ones as they were given.
    """
    items = list(_items(assignment, own, exercises, hidden))
    for lost in _lost(assignment, own):
        at = next((i for i, item in enumerate(items) if item.place >= lost.place), None)
        if at is not None:
            items.insert(at, lost)
    used: set[str] = set()
    kept: list[Cell] = []
    for item in reversed(items):
        if item.defines is None or not used.isdisjoint(item.defines):
            used.update(item.uses)
            kept.append(item.cell)
    return make_notebook([Cell("own-begin", "code", _BEGIN, 0), *reversed(kept)])


def written(assignment: Assignment, own: OwnNotebook, until: int) -> list[OwnCell]:
    """The cells up to one that hold anything of the student's, but for what trains for long."""
    slow = _slow(assignment)
    return [c for c in own.cells if c.number <= until and not c.given and not c.known & slow]


def _slow(assignment: Assignment) -> set[str]:
    return {cell.id for cell in assignment.lesson.cells if SLOW in cell.tags}


def _items(
    assignment: Assignment, own: OwnNotebook, exercises: Collection[str], hidden: bool
) -> Iterator[_Item]:
    """The student's cells that come before the last test, and all tests."""
    places = {cell.id: i for i, cell in enumerate(assignment.lesson.cells)}
    last = max(own.until[name] for name in exercises)
    slow = _slow(assignment)
    theirs = {c.number for c in written(assignment, own, last)}
    waiting = sorted(
        (own.until[e.name], e.name) for e in assignment.exercises if e.name in exercises
    )
    checks = {e.name: e.checks for e in assignment.exercises}

    public = {
        c.id: replace(c, id=PUBLIC_PREFIX + c.id, tags=()) for c in assignment.lesson.student()
    }

    def tests(before: float) -> Iterator[_Item]:
        while waiting and waiting[0][0] < before:
            for check in checks[waiting.pop(0)[1]]:
                if cell := hidden_cell(check) if hidden else public.get(check.id):
                    made = freshly(cell, assignment, None, defaults=False) if hidden else cell
                    yield _Item(made, places[check.id], None, names.taken(cell.source))

    lesson = _lesson_cells(assignment)
    for cell in own.cells:
        yield from tests(cell.number)
        if cell.number > last:
            break
        place = max((places[name] for name in cell.known), default=-1)
        if cell.number in theirs:
            yield _Item(_as_it_is(cell), place, None, set(_WORD.findall(cell.text)))
        elif cell.given in lesson:
            yield _of_lesson(lesson[cell.given], place, f"own-{cell.number}")
        elif cell.given and not cell.known & slow:  # a check, whose names a trial may use
            bound = names.defined(cell.text)
            yield _Item(_as_it_is(cell), place, bound, names.taken(cell.text))
    yield from tests(float("inf"))


def _lost(assignment: Assignment, own: OwnNotebook) -> Iterator[_Item]:
    """The lesson's cells that a student's notebook has not, or not as they were."""
    given = {cell.given for cell in own.cells}
    places = {cell.id: i for i, cell in enumerate(assignment.lesson.cells)}
    for name, text in _lesson_cells(assignment).items():
        if name not in given:
            yield _of_lesson(text, places[name], f"lesson-{name}")


def _lesson_cells(assignment: Assignment) -> dict[str, str]:
    """The code that a student is given, but for stubs, checks, and what trains for long."""
    lesson = assignment.lesson
    others = {c.id for e in lesson.exercises for c in e.checks} | _slow(assignment)
    others |= {e.name for e in assignment.written}
    return {c.id: c.source for c in lesson.solved() if c.kind == "code" and c.id not in others}


def _of_lesson(text: str, place: int, name: str) -> _Item:
    cell = Cell(name, "code", keeping(text), 0)
    return _Item(cell, place, names.defined(text), names.taken(text))


def _as_it_is(cell: OwnCell) -> Cell:
    """A student's cell; a line that fails in it takes nothing below with it."""
    text = without_markers(cell.text, [])
    if not text.lstrip().startswith("%%"):
        text = f"{text}\n\n{EACH_BY_ITSELF}"
    return Cell(f"own-{cell.number}", "code", text, 0)
