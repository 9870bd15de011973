"""A student's self-check: what the public checks say of the answers when they are run as graded.

The answers are found as grading finds them, and put into the notebook as it was handed out; one
that fails is tried in the student's own, as grading does. So an answer that leans on a check that
was edited, or on what was run by hand, fails here, where it can still be mended. Hidden tests are
not there to run; what they try is told in words. Students run their own code: no sandbox.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coursekit
from coursekit.checks import NOT_WRITTEN
from coursekit.checks.borrowing import BORROWED, borrows
from coursekit.errors import CourseError
from coursekit.grading.answers.key import key_of
from coursekit.grading.answers.match import match
from coursekit.grading.answers.recover import recover_all
from coursekit.grading.answers.trials import without_trials
from coursekit.grading.run.assemble import public_notebook
from coursekit.grading.run.own import PUBLIC_PREFIX, notebook_as_handed_in
from coursekit.grading.submissions.read import read_notebook
from coursekit.grading.verdict.explain import BEFORE
from coursekit.lessons.course import read_assignments
from coursekit.lessons.execution import execute_cell, kernel_for
from coursekit.lessons.notebook import make_notebook, to_bytes
from coursekit.lessons.outline import read_outline
from coursekit.lessons.regions import Cell
from coursekit.release.handout import PRISTINE, assignment_of, covers, handout
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from coursekit.grading.answers.own import OwnNotebook
    from coursekit.lessons.course import Assignment
    from coursekit.lessons.execution import CellEnd
    from coursekit.lessons.source import Exercise

#: Seconds that one cell may take.
CELL_SECONDS = 120
#: What may pass with all that stands around it.
_TRIED = ("failed", "error", "not-written", "missing", "unreadable")
#: What a kernel is told first: a line that fails in a student's cell takes none below with it.
_EACH = (
    "from coursekit.grading.sandbox.kernel import each_by_itself as _each\n"
    "get_ipython().run_code = _each(get_ipython()); del _each"
)
_BARE = "Run again without what its cell tries beside it, as grading does: with that,"
_IN_OWN = "It passes in your own notebook, not with the answer alone; grading tries both."


@dataclass(frozen=True)
class ExerciseResult:
    """What is known about one exercise.

    Attributes:
        exercise: its name.
        points: what it is worth; 0 for practice.
        status: "passed", "borrowed" (it passes, for no points), "failed" (the check named
            something), "not-written", "missing", "unreadable", "error", "timeout" or "dead".
        message: what the check or the exception said.
        notes: how the answer was found, when that is odd, one sentence each.
        covers: what its public check shows, in the check's own words.
        comparisons: how many there are in it.
        also_tried: what grading tries beyond that, in words.
    """

    exercise: str
    points: int
    status: str
    message: str = ""
    notes: tuple[str, ...] = ()
    covers: str = ""
    comparisons: int = 0
    also_tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class SelfCheck:
    """The findings on a notebook.

    Attributes:
        assignment: its name.
        due: when it is due, ISO 8601; None when never.
        findings: one for each exercise that is to be written.
        notes: what is odd about the file, one sentence each.
    """

    assignment: str
    due: str | None
    findings: tuple[ExerciseResult, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all that brings points passes."""
        return all(f.status == "passed" for f in self.findings if f.points)


def selfcheck(
    path: str | Path,
    assignment: str | None = None,
    timeout: float = CELL_SECONDS,
    progress: Callable[[str], None] = lambda cell: None,
) -> SelfCheck:
    """Run the public checks on the answers of a notebook.

    Args:
        path: the student's notebook.
        assignment: which one it is, when the notebook does not tell.
        timeout: seconds for each cell.
        progress: is told each cell before it runs.

    Raises:
        CourseError: when the notebook cannot be read, or what was handed out is not found.
    """
    path = Path(path)
    student = _read(path)
    released = _released(path, student, assignment)
    task = assignment_of(released)
    words = {c["id"]: c["metadata"].get("coursekit", {}) for c in released["cells"]}
    findings, live = {}, {}
    answers, own = recover_all(student, task)
    for exercise, answer in zip(task.exercises, answers, strict=True):
        status = "not-run" if answer.source is not None else answer.status
        finding = ExerciseResult(exercise.name, task.worth(exercise), status, notes=answer.notes)
        tried = tuple(words[exercise.name].get("also_tried", ()))
        findings[exercise.name] = _with_coverage(replace(finding, also_tried=tried), exercise)
        if answer.source is not None:
            live[exercise.name] = answer.source
    for name, (status, message) in _judge(task, live, timeout, progress).items():
        if status == "passed" and borrows(live[name], name):
            status = "borrowed"
        notes = findings[name].notes
        if status in ("passed", "borrowed") and message:
            notes, message = (*notes, message), ""
        findings[name] = replace(findings[name], status=status, message=message, notes=notes)
    failed = [n for n, f in findings.items() if f.status in _TRIED and n in own.until]
    in_own = _pass_in_own(task, own, failed, timeout, progress) if failed else {}
    for name, status in in_own.items():
        notes = (*findings[name].notes, _IN_OWN)
        findings[name] = replace(findings[name], status=status, message="", notes=notes)
    notes = tuple(student["notes"])
    return SelfCheck(task.name, task.due, tuple(findings.values()), notes)


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_notebook(path.read_bytes())
    except OSError as error:
        # A terminal of JupyterLab begins in the folder of the lesson that is open.
        hint = f"did you mean {path.name}?" if Path(path.name).is_file() else "name a notebook"
        raise CourseError(f"{path}: cannot be read ({error.strerror}); {hint}") from error
    except ValueError as error:
        raise CourseError(f"{path}: {error}") from error


def _released(path: Path, student: dict[str, Any], name: str | None) -> dict[str, Any]:
    """The notebook as it was handed out; in the course's own repository, made from its source."""
    there = {a.name: (a, notebook) for a, notebook in _handed_out(path)}
    if name is None:
        found = match(student, path.name, [a for a, _ in there.values()])
        name = None if found is None else found.name
    if name not in there:
        raise CourseError(
            f"{path}: which assignment is it? Name one: --assignment {' or '.join(there)}"
        )
    return there[name][1]


def _handed_out(path: Path) -> list[tuple[Assignment, dict[str, Any]]]:
    """What was handed out: above the notebook; of a copy elsewhere, here or beside the package."""
    here, own = Path.cwd(), Path(coursekit.__file__).parents[1]
    elsewhere = (
        folder for place in (here, *here.parents, own) for folder in (place, place / "notebooks")
    )
    for parent in (*path.resolve().parents, *elsewhere):
        if (parent / PRISTINE).is_dir():
            return [_pristine(file) for file in sorted((parent / PRISTINE).glob("*.ipynb"))]
        if (parent / "source").is_dir() and any((parent / "source").glob("[0-9][0-9]_*.py")):
            outline = read_outline(parent)
            found = [handout(assignment, outline) for assignment in read_assignments(parent)]
            return [(assignment_of(notebook), notebook) for notebook in found]
    raise CourseError(
        f"{path}: there is no folder {PRISTINE} above it or here, with the notebook as it was "
        "handed out; call the command in the folder that you were given"
    )


def _pristine(file: Path) -> tuple[Assignment, dict[str, Any]]:
    try:
        notebook = json.loads(file.read_bytes())
        return assignment_of(notebook), notebook
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{file}: is not as it was handed out; take it from the student repository again"
        ) from error


def _with_coverage(finding: ExerciseResult, exercise: Exercise) -> ExerciseResult:
    told = [covers(check.source) for check in exercise.checks]
    said = "; ".join(words for words, _ in told if words)
    return replace(finding, covers=said, comparisons=sum(n for _, n in told))


def _judge(
    task: Assignment,
    live: Mapping[str, str],
    timeout: float,
    progress: Callable[[str], None],
) -> dict[str, tuple[str, str]]:
    """Status and message of each answer. What ends a run is taken out, and the rest run again.

    Where a cell with an answer ends it, first only what is tried in that cell goes, as in grading.
    """
    judged: dict[str, tuple[str, str]] = {}
    left = dict(live)
    while left:
        outcome, culprit, cell = _run(task, left, timeout, progress)
        if culprit is None:
            for name, (status, said) in judged.items():
                passed = outcome.get(name, ("",))[0] == "passed"
                outcome[name] = ("passed", f"{_BARE} {said}.") if passed else (status, said)
            return outcome
        judged[culprit] = outcome[culprit]
        bare = without_trials(left[culprit], key_of(task.lesson))
        if cell == culprit and bare != left[culprit]:
            left[culprit] = bare
        else:
            del left[culprit]
    return judged


def _run(
    task: Assignment, live: Mapping[str, str], timeout: float, progress: Callable[[str], None]
) -> tuple[dict[str, tuple[str, str]], str | None, str]:
    """Status and message of each answer; which one ended the run, if one did; the last cell."""
    node = _each_by_itself(public_notebook(task, {**_stubs(task), **live}))
    of = {c.id: e.name for e in task.exercises for c in (e.answer, *e.checks)}
    outcome = dict.fromkeys(live, ("passed", ""))
    beside: dict[str, str] = {}  # what failed in the cells with answers
    last = next(iter(live))
    with (
        temporary_folder() as scratch,
        kernel_for(node, scratch, timeout) as client,
    ):
        for index, cell in enumerate(node.cells):
            progress(cell.id)
            name = of.get(cell.id, "")
            last = name if name in live else last
            end = execute_cell(client, cell, index)
            if end.kind == "timeout":
                return {last: ("timeout", f"it took longer than {timeout:g} s")}, last, cell.id
            if end.kind == "dead":
                return {last: ("dead", "it ended the kernel; out of memory?")}, last, cell.id
            if name not in live or end.kind == "passed" or outcome[name][0] != "passed":
                continue
            if cell.id == name:
                beside[name] = f"{end.error}: {end.message}"
                continue
            status, message = _told(name, end)
            if status == "failed" and name in beside:
                message = f"{message}\n{BEFORE} {beside[name]}"
            outcome[name] = (status, beside.get(name, message) if status == "error" else message)
    return outcome, None, ""


def _each_by_itself(notebook: dict[str, Any]) -> Any:
    """A notebook for a kernel that runs a student's cells as those that grade do."""
    import nbformat

    begin = make_notebook([Cell("each-by-itself", "code", _EACH, 0)])["cells"]
    return nbformat.reads(to_bytes({**notebook, "cells": begin + notebook["cells"]}), as_version=4)


def _pass_in_own(
    task: Assignment,
    own: OwnNotebook,
    failed: Collection[str],
    timeout: float,
    progress: Callable[[str], None],
) -> dict[str, str]:
    """How those exercises pass that do where they were written; see `grading.verdict.own`."""
    node = _each_by_itself(notebook_as_handed_in(task, own, failed, hidden=False))
    left = {PUBLIC_PREFIX + c.id: e.name for e in task.exercises for c in e.checks}
    left = {check: name for check, name in left.items() if name in failed}
    status = dict.fromkeys(failed, "passed")
    with temporary_folder() as scratch, kernel_for(node, scratch, timeout) as client:
        for index, cell in enumerate(node.cells):
            progress(cell.id)
            end = execute_cell(client, cell, index)
            if end.kind in ("timeout", "dead"):
                break
            if end.kind == "passed" and (name := left.pop(cell.id, "")) and _says_borrowed(cell):
                status[name] = "borrowed"
    return {name: status[name] for name in failed if name not in left.values()}


def _says_borrowed(cell: Any) -> bool:
    return any(BORROWED in output.get("text", "") for output in cell.outputs)


def _stubs(task: Assignment) -> dict[str, str]:
    """What stands for an answer that is not there: a check then says which one is missing."""
    shown = {cell.id: cell.source for cell in task.lesson.student()}
    return {e.name: shown[e.name] for e in task.exercises}


def _told(exercise: str, end: CellEnd) -> tuple[str, str]:
    if end.kind == "passed":
        return "passed", ""
    if end.error == "CheckFailed":
        return "failed", end.message.removeprefix(f"{exercise}: ")
    if end.error == "NotImplementedError" and end.message.startswith(NOT_WRITTEN):
        other = end.message.removeprefix(NOT_WRITTEN)
        return "not-written", "" if other == exercise else f"it needs {other}, which is not written"
    return "error", f"{end.error}: {end.message}"
