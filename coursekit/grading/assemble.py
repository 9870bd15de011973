"""The notebooks that are run to grade: the instructor's cells around one student's answers."""

from __future__ import annotations

import ast
import builtins
import symtable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coursekit.lessons.notebook import make_notebook
from coursekit.lessons.source import HIDDEN, SLOW, Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursekit.lessons.course import Assignment

#: Tag of a cell that is tried for points; its id is that of the check, with this before it.
HIDDEN_PREFIX = "hidden-"
_BUILTINS = frozenset(dir(builtins))


def hidden_notebook(assignment: Assignment, answers: Mapping[str, str]) -> dict[str, Any]:
    """The notebook that decides: setting up, answers, and after each the hidden half of its checks.

    Args:
        assignment: what is graded.
        answers: the code for each exercise that has one.
    """
    return make_notebook(_cells(assignment, answers, hidden=True))


def public_notebook(assignment: Assignment, answers: Mapping[str, str]) -> dict[str, Any]:
    """The notebook that explains: the same with the public checks, and without any hidden text."""
    return make_notebook(_cells(assignment, answers, hidden=False))


def solutions(assignment: Assignment) -> dict[str, str]:
    """The instructor's own answers to all exercises of the lesson."""
    solved = {cell.id: cell.source for cell in assignment.lesson.solved()}
    return {e.name: solved[e.name] for e in assignment.lesson.exercises if e.name in solved}


def hidden_region(cell: Cell) -> str:
    """The hidden half of a check cell; "" when it has none."""
    lines: list[str] = []
    inside = False
    for line in cell.source.splitlines():
        if line.strip() == HIDDEN[0]:
            inside = True
        elif line.strip() == HIDDEN[1]:
            inside = False
        elif inside:
            lines.append(line)
    return "\n".join(lines).strip("\n")


def _cells(assignment: Assignment, answers: Mapping[str, str], *, hidden: bool) -> list[Cell]:
    lesson = assignment.lesson
    graded = {c.id: c for e in assignment.exercises for c in e.checks}
    checks = {c.id for e in lesson.exercises for c in e.checks}
    public = {c.id: c for c in lesson.student()}
    exercises = {e.name for e in lesson.exercises}
    chosen: list[Cell] = []
    # From the end: a cell of the lesson is wanted when something after it uses what it defines.
    used: set[str] = set()
    for cell in reversed(lesson.solved()):
        if cell.kind != "code":
            continue
        if cell.id in exercises:
            source = answers.get(cell.id)
            made = None if source is None else replace(cell, source=source, tags=())
        elif cell.id in checks:
            made = _check(cell.id, graded, public, hidden=hidden)
        else:
            wanted = SLOW not in cell.tags and _defines(cell.source) & used
            made = replace(cell, tags=()) if wanted else None
        if made is not None:
            used |= _uses(made.source)
            chosen.append(replace(made, points=None))
    return chosen[::-1]


def _check(
    name: str, graded: Mapping[str, Cell], public: Mapping[str, Cell], *, hidden: bool
) -> Cell | None:
    if name not in graded:
        return None
    if not hidden:
        cell = public.get(name)
        return None if cell is None else replace(cell, tags=())
    region = hidden_region(graded[name])
    return (
        replace(graded[name], id=HIDDEN_PREFIX + name, source=region, tags=()) if region else None
    )


def _defines(source: str) -> set[str]:
    """Names that a cell binds at its top level."""
    table = _table(source)
    if table is None:
        return set()
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}


def _uses(source: str) -> set[str]:
    """Names that a cell takes from the notebook, at any depth."""
    table = _table(source)
    if table is None:
        return set()
    found: set[str] = set()
    stack = [table]
    while stack:
        scope = stack.pop()
        stack += scope.get_children()
        top = scope.get_type() == "module"
        found |= {
            s.get_name()
            for s in scope.get_symbols()
            if s.is_referenced() and (top or s.is_global())
        }
    return found - _BUILTINS


def _table(source: str) -> symtable.SymbolTable | None:
    try:
        ast.parse(source)
        return symtable.symtable(source, "cell", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
