"""The notebooks that are run to grade: the instructor's cells around one student's answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coursekit import names
from coursekit.grading.sandbox.kernel import EACH_BY_ITSELF
from coursekit.lessons.notebook import make_notebook
from coursekit.lessons.regions import Cell, hidden_text
from coursekit.lessons.source import SLOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursekit.lessons.course import Assignment

#: Tag of a cell that is tried for points; its id is that of the check, with this before it.
HIDDEN_PREFIX = "hidden-"
_FRESH = "coursekit.grading.run.fresh"


def hidden_notebook(assignment: Assignment, answers: Mapping[str, str]) -> dict[str, Any]:
    """The notebook that decides: setting up, answers, and after each the hidden half of its checks.

    Args:
        assignment: what is graded.
        answers: the code for each exercise that has one.
    """
    return make_notebook(_cells(assignment, answers, hidden=True))


def whole_notebook(assignment: Assignment, answers: Mapping[str, str]) -> dict[str, Any]:
    """The notebook that mostly is enough: the one that explains, and then all that is hidden.

    No hidden text and no input is in the kernel before the last public cell has ended, so what
    public cells show cannot hold any. Hidden tests run with the settings that the answers made (the
    type of torch's numbers, whether warnings are errors), which some answers need; where that
    fails, `hidden_notebook` tries them with settings as they were.
    """
    public = _cells(assignment, answers, hidden=False)
    deciding = _cells(assignment, answers, hidden=True, defaults=False)
    hidden = [c for c in deciding if c.id.startswith(HIDDEN_PREFIX)]
    needed = {c.id: c for c in (*public, *deciding)}
    return make_notebook(
        [*(needed[c.id] for c in assignment.lesson.cells if c.id in needed), *hidden]
    )


def public_notebook(assignment: Assignment, answers: Mapping[str, str]) -> dict[str, Any]:
    """The notebook that explains: the same with the public checks, and without any hidden text."""
    return make_notebook(_cells(assignment, answers, hidden=False))


def solutions(assignment: Assignment) -> dict[str, str]:
    """The instructor's own answers to all exercises of the lesson."""
    solved = {cell.id: cell.source for cell in assignment.lesson.solved()}
    return {e.name: solved[e.name] for e in assignment.lesson.exercises if e.name in solved}


def lone_notebook(
    assignment: Assignment, answers: Mapping[str, str], exercise: str
) -> dict[str, Any]:
    """`hidden_notebook` with one answer, its checks, and the answers that these use."""
    checks = [c for e in assignment.exercises if e.name == exercise for c in e.checks]
    used = {name for check in checks for name in names.taken(hidden_text(check))}
    needed, todo = {exercise: answers[exercise]}, dict(answers)
    found = [todo.pop(exercise)]
    while found:
        used |= {name for source in found for name in names.taken(source)}
        new = [name for name, source in todo.items() if names.defined(source) & used]
        needed |= {name: todo[name] for name in new}
        found = [todo.pop(name) for name in new]
    notebook = hidden_notebook(assignment, needed)
    own = {HIDDEN_PREFIX + check.id for check in checks}
    notebook["cells"] = [
        c for c in notebook["cells"] if c["id"] in own or not c["id"].startswith(HIDDEN_PREFIX)
    ]
    return notebook


def _cells(
    assignment: Assignment, answers: Mapping[str, str], *, hidden: bool, defaults: bool = True
) -> list[Cell]:
    lesson = assignment.lesson
    graded = {c.id: c for e in assignment.exercises for c in e.checks}
    checks = {c.id for e in lesson.exercises for c in e.checks}
    public = {c.id: c for c in lesson.student()}
    graded_answers = {e.name for e in assignment.exercises}
    practice = set(assignment.practice)
    solved = {c.id: c for c in lesson.solved()}
    chosen: list[Cell] = []
    # From the end: a cell of the lesson is wanted when something after it uses what it defines.
    used: set[str] = set()
    for cell in reversed(lesson.cells):
        made: Cell | None = None
        if cell.kind != "code":
            continue
        if cell.id in checks:
            made = _check(cell.id, graded, public, hidden=hidden)
            if made is not None:
                used |= names.taken(made.source)
                made = freshly(made, assignment, answers, defaults=defaults) if hidden else made
        elif cell.id in graded_answers | practice:
            source = answers.get(cell.id)
            if source is not None and (cell.id in graded_answers or names.defined(source) & used):
                used |= names.taken(source)
                made = replace(cell, source=f"{source}\n{EACH_BY_ITSELF}", tags=())
        elif cell.id in solved and SLOW not in cell.tags:
            text = solved[cell.id].source  # among them what the student was given
            if names.defined(text) & used:
                used |= names.taken(text)
                made = replace(cell, source=keeping(text), tags=())
        if made is not None:
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
    return hidden_cell(graded[name])


def hidden_cell(check: Cell) -> Cell | None:
    """The hidden half of a check, as a cell; None when it has none."""
    region = hidden_text(check)
    return replace(check, id=HIDDEN_PREFIX + check.id, source=region, tags=()) if region else None


def keeping(text: str) -> str:
    """A cell of the lesson that remembers what it has bound."""
    bound = ", ".join(map(repr, sorted(names.defined(text))))
    return f"{text}\nfrom {_FRESH} import keep as _keep; _keep({bound})"


def freshly(
    check: Cell, assignment: Assignment, answers: Mapping[str, str] | None, *, defaults: bool
) -> Cell:
    """A hidden test as a call that runs its text; see `fresh.hidden`.

    Args:
        check: as `hidden_cell` gives it.
        assignment: what is graded.
        answers: those in the notebook; None in a student's own, where each name stays theirs.
        defaults: whether with settings as nobody has changed them.
    """
    lesson = assignment.lesson
    exercise = next(
        e for e in lesson.exercises if check.id in {HIDDEN_PREFIX + c.id for c in e.checks}
    )
    text = answers.get(exercise.name, "") if answers is not None else None
    unknown = text is None or names.has_star(text)
    given = {
        "exercise": exercise.name,
        "answers": sorted(set().union(*map(names.defined, solutions(assignment).values()))),
        "own": None if unknown else sorted(names.defined(text or "")),
        "defaults": defaults,
    }
    said = ", ".join(f"{name}={value!r}" for name, value in given.items())
    source = f"from {_FRESH} import hidden as _hidden\n_hidden({check.source!r}, {said})"
    return replace(check, source=source)
