"""The last try of an answer that failed: in its writer's own notebook, as it was handed in.

The points are what hidden tests prove there, as anywhere. Of what that kernel shows nothing is
kept, and nothing that is shown is run after it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coursekit.checks.rules import declared
from coursekit.grading.answers.mend import printable
from coursekit.grading.run.assemble import HIDDEN_PREFIX
from coursekit.grading.run.fresh import says_borrowed
from coursekit.grading.run.own import notebook_as_handed_in, written
from coursekit.grading.verdict.compare import compare
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from coursekit.grading.answers.own import OwnCell, OwnNotebook
    from coursekit.grading.records import CheckResult, Grade
    from coursekit.grading.run.executor import Executor
    from coursekit.grading.verdict.judge import Reference

#: How a check has ended that may end better with what stands around its answer.
_TRIED = frozenset({"wrong", "error", "not-written", "missing", "unreadable"})
_MOST, _LEAST = 60.0, 1.0  # seconds that a submission may take here, beside what it had
_LONGEST = 160  # characters of what went wrong in the course's notebook


@dataclass(frozen=True)
class _Tried:
    """What came of a run.

    Attributes:
        reached: checks whose hidden half came to an end.
        passed: those of them that brought what the solution brings.
        borrowed: exercises in place of whose answer the course's own part stands.
        ended: why the run came to no end, and where; "" when it did.
    """

    reached: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    borrowed: frozenset[str] = frozenset()
    ended: str = "the submission's time was up"


def judge_in_own(executor: Executor, reference: Reference, own: OwnNotebook, grade: Grade) -> Grade:
    """Try once more what failed and lives, perhaps, by other cells of its notebook.

    Args:
        executor: to run it.
        reference: of its assignment.
        own: the notebook.
        grade: as judged in the course's notebook.

    Returns:
        The grade, with more points or with what there is to say of this try.
    """
    failed = {c.exercise for c in grade.checks if c.status in _TRIED} & own.until.keys()
    if not failed:
        return grade
    started = time.monotonic()
    tried = _try(executor, reference, own, failed, executor.timeouts.submission - grade.seconds)
    for exercise in sorted(failed):
        grade = _judged(reference, own, grade, exercise, tried)
    return replace(grade, seconds=round(grade.seconds + time.monotonic() - started, 2))


def _try(
    executor: Executor,
    reference: Reference,
    own: OwnNotebook,
    exercises: Collection[str],
    seconds: float,
) -> _Tried:
    if seconds < _LEAST:
        return _Tried()
    notebook = notebook_as_handed_in(reference.assignment, own, exercises)
    names = [c["id"] for c in notebook["cells"]]
    hidden = [name for name in names if name.startswith(HIDDEN_PREFIX)]
    folder = reference.folder / "given"
    given = (folder, hidden[0]) if hidden and folder.is_dir() else None
    with temporary_folder() as scratch:
        run = executor.run(notebook, scratch / "own", given=given, seconds=min(seconds, _MOST))
        ends = {h.removeprefix(HIDDEN_PREFIX): run.cells.get(h, "ended") for h in hidden}
        passed = {
            check
            for check, outcome in ends.items()
            if outcome == "passed" and compare(reference.folder, run.probe, check)[0] == "passed"
        }
        borrowed = frozenset(name for name in exercises if says_borrowed(run.probe, name))
    last = next((n for n in reversed(names) if n in run.cells), "its beginning")
    ended = f"{last.replace('own-', 'cell ')}: {run.ended}" if run.ended else ""
    if run.ended and not run.cells.keys().isdisjoint(hidden):
        ended = run.ended.kind  # where and how code ends that knows inputs, it can choose
    reached = {check for check, outcome in ends.items() if outcome != "ended"}
    return _Tried(frozenset(reached), frozenset(passed), borrowed, ended)


def _judged(
    reference: Reference, own: OwnNotebook, grade: Grade, exercise: str, tried: _Tried
) -> Grade:
    """The grade with one exercise judged in the student's own notebook, if that brings more."""
    cells = written(reference.assignment, own, own.until[exercise])
    where = f"cells {cells[0].number} to {cells[-1].number} as handed in" if cells else "no cell"
    before = [c for c in grade.checks if c.exercise == exercise]
    broken = _forbidden(reference, exercise, cells)
    after = [_there(check, tried) for check in before]
    borrowed = exercise in tried.borrowed
    if broken or borrowed or sum(c.earned for c in after) <= sum(c.earned for c in before):
        said = f"{where}: {_told(before, tried, broken)}"
        why = f"It was tried in the student's own notebook, too, {said}."
        return _with_checks(
            grade, [c if c.earned else replace(c, reasons=(*c.reasons, why)) for c in before]
        )
    missed = _missed(grade, exercise, before)
    note = f"Judged in the student's own notebook, {where}. In the course's {missed}."
    found = next((c.text for c in reversed(cells) if exercise in c.known), cells[-1].text)
    answers = [
        replace(
            a, source=a.source or found, status="found", found_by=a.found_by or "run",
            notes=(*a.notes, note),
        ) if a.exercise == exercise else a
        for a in grade.answers
    ]  # fmt: skip
    public = tuple(p for p in grade.public if p.exercise != exercise)
    return replace(_with_checks(grade, after), answers=tuple(answers), public=public)


def _there(check: CheckResult, tried: _Tried) -> CheckResult:
    """How a check ended in the student's own notebook."""
    if check.check in tried.passed:
        return replace(check, status="passed", reasons=())
    status = "wrong" if check.earned else check.status
    return replace(check, status=status, reasons=("not in the student's own notebook",))


def _forbidden(reference: Reference, exercise: str, cells: Sequence[OwnCell]) -> str:
    """What the exercise forbids and a cell has a word of: more runs there than the answer."""
    (checks,) = (e.checks for e in reference.assignment.exercises if e.name == exercise)
    for rule in (rule for check in checks for rule in declared(check.source)):
        word = re.compile(rf"\b{re.escape(rule.name.rpartition('.')[2])}\b")
        if any(word.search(cell.text) for cell in cells):
            return rule.name
    return ""


def _told(before: Sequence[CheckResult], tried: _Tried, broken: str) -> str:
    """Why a try brought nothing."""
    failed = {c.check for c in before if not c.earned}
    if not failed & tried.reached and tried.ended:
        return f"that did not come to this check ({tried.ended})"
    if broken and failed & tried.passed:
        return f"there it passes, but a cell has {broken}, which the exercise forbids"
    if before[0].exercise in tried.borrowed:
        return "there the course's own part stands in place of an answer"
    return "it fails there as well"


def _missed(grade: Grade, exercise: str, before: Sequence[CheckResult]) -> str:
    """What went wrong in the course's notebook, in words."""
    shown = next((p for p in grade.public if p.exercise == exercise), None)
    if shown is not None and shown.status in ("failed", "error"):
        said = shown.message
    else:
        said = next((reason for c in before if not c.earned for reason in c.reasons), "it fails")
    return f"the answer alone is not enough: {printable(' '.join(said.split()))[:_LONGEST]}"


def _with_checks(grade: Grade, checks: Sequence[CheckResult]) -> Grade:
    new = {check.check: check for check in checks}
    return replace(grade, checks=tuple(new.get(c.check, c) for c in grade.checks))
