"""Judges one submission: what its answers give, beside what the solutions give."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.checks.borrowing import BORROWED, borrows
from coursekit.checks.rules import broken, declared
from coursekit.grading.answers.key import key_of
from coursekit.grading.answers.trials import without_trials
from coursekit.grading.records import Answer, CheckResult, Grade, HandedIn, PublicResult
from coursekit.grading.run.assemble import (
    HIDDEN_PREFIX,
    hidden_notebook,
    lone_notebook,
    public_notebook,
    solutions,
    whole_notebook,
)
from coursekit.grading.run.fresh import says_borrowed
from coursekit.grading.run.protocol import NOTEBOOK, Ended
from coursekit.grading.verdict.compare import compare
from coursekit.grading.verdict.explain import explain
from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from coursekit.grading.run.executor import Executor, Run
    from coursekit.lessons.course import Assignment

_LEAST = 1.0  # seconds that are worth starting a run for


@dataclass(frozen=True)
class Reference:
    """An assignment whose solutions have been run.

    Attributes:
        assignment: what is graded.
        folder: a probe folder: `given/`, `kept/` and `emitted/` of the solutions.
        unproved: of each check what a kernel could make up of its results, in words.
    """

    assignment: Assignment
    folder: Path
    unproved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Judgement:
    """What came of one submission.

    Attributes:
        grade: its grade.
        ours: whether the grader's own processes were at fault for something in it, so that it is
            worth judging again.
    """

    grade: Grade
    ours: bool


@dataclass
class _Attempt:
    """What is known so far.

    Attributes:
        answers: all that can be run.
        live: those that are still in.
        out: why others are not: a status and a reason.
        results: of the checks that were reached.
        notes: for the instructor.
        ours: whether a run ended by a fault of the grader's own.
    """

    answers: dict[str, str]
    live: dict[str, str]
    out: dict[str, tuple[str, str]] = field(default_factory=dict)
    results: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ours: bool = False

    def has_passed(self, check: str) -> bool:
        """Whether nothing that comes later can take its points."""
        return self.results.get(check, ("",))[0] == "passed"

    def is_certain(self, check: str) -> bool:
        """Whether another run would say the same."""
        return self.results.get(check, ("",))[0] in ("passed", "borrowed")


def judge(
    executor: Executor, reference: Reference, submission: HandedIn, answers: tuple[Answer, ...]
) -> Judgement:
    """Run the answers and compare what they emit.

    Args:
        executor: to run them.
        reference: of their assignment.
        submission: where they come from.
        answers: one for each exercise that a student writes, as recovered.

    Returns:
        The grade without its digest.
    """
    started = time.monotonic()
    until = started + executor.timeouts.submission
    sources = {a.exercise: a.source for a in answers if a.source and a.status == "found"}
    attempt = _Attempt(sources, dict(sources))
    with temporary_folder() as scratch:
        shown = _run_whole(executor, reference, attempt, scratch, until)
        if shown is None or not _leaves_no_doubt(reference, attempt, shown):
            if shown is not None:
                shown = _run_shown(executor, reference, attempt, shown, scratch, until)
            _run_until_it_ends(executor, reference, attempt, scratch, until)
            _try_alone(executor, reference, attempt, scratch, until)
        checks = tuple(_results(reference, answers, attempt))
        wrong = (c.exercise for c in checks if c.status not in ("passed", "borrowed"))
        failed = set(wrong) & set(attempt.live) - attempt.out.keys()
        public: tuple[PublicResult, ...] = ()
        if failed and shown is not None:
            public = tuple(explain(reference.assignment, shown, failed))
    graded = {e.name for e in reference.assignment.exercises}
    grade = Grade(
        student=submission.student,
        submission=submission.name,
        assignment=reference.assignment.name,
        digest="",
        isolation=executor.isolation,
        answers=tuple(_with_note(a, attempt) for a in answers if a.exercise in graded),
        checks=checks,
        public=public,
        notes=(*submission.notes, *attempt.notes),
        seconds=round(time.monotonic() - started, 2),
    )
    return Judgement(grade, attempt.ours)


def _given(reference: Reference, notebook: dict[str, Any]) -> tuple[Path, str] | None:
    """Inputs, and the first cell that may know them."""
    hidden = (c["id"] for c in notebook["cells"] if c["id"].startswith(HIDDEN_PREFIX))
    first = next(hidden, None)
    given = reference.folder / "given"
    return (given, first) if first is not None and given.is_dir() else None


def _seconds_left(executor: Executor, until: float) -> float:
    """What one run may take; 0 when the submission's time is as good as up."""
    left = until - time.monotonic()
    return 0.0 if left < _LEAST else min(left, executor.timeouts.notebook)


def _run_whole(
    executor: Executor, reference: Reference, attempt: _Attempt, scratch: Path, until: float
) -> Run | None:
    """Run everything once; None where there is nothing to run, or no time."""
    left = _seconds_left(executor, until)
    if not attempt.live or not left:
        return None
    notebook = whole_notebook(reference.assignment, attempt.live)
    given = _given(reference, notebook)
    run = executor.run(notebook, scratch / "whole", given=given, keep_outputs=True, seconds=left)
    _note_results(reference, attempt, run, attempt.live)
    return run


def _leaves_no_doubt(reference: Reference, attempt: _Attempt, run: Run) -> bool:
    """Whether one run of everything is the verdict.

    Hidden checks stand at its end, where a name that two answers share has its last meaning, and a
    setting that one of them made (torch's default type, warnings as errors) holds for all; and an
    answer may have ended the run. So a check that fails here, though its public half passed, is no
    verdict yet.
    """
    checks = [
        c.id for e in reference.assignment.exercises if e.name in attempt.live for c in e.checks
    ]
    return run.ended is None and all(
        attempt.is_certain(check) or run.cells.get(check) == "failed" for check in checks
    )


def _run_shown(
    executor: Executor,
    reference: Reference,
    attempt: _Attempt,
    shown: Run,
    scratch: Path,
    until: float,
) -> Run:
    """The run whose public half is shown to the student, if that of all came to no end: another.

    Never after a run that had inputs: what one kernel leaves in the machine, another may find.
    """
    live, number = dict(attempt.live), 0
    half = (until + time.monotonic()) / 2  # the rest is for the verdict
    while shown.ended and not any(name.startswith(HIDDEN_PREFIX) for name in shown.cells):
        reached = [*shown.cells]
        culprit = _culprit(reference, reached, live)
        if culprit is not None:
            _take_out(reference, live, culprit, reached)
        number += 1
        if culprit is None or not live or time.monotonic() > half:
            break
        shown = executor.run(
            public_notebook(reference.assignment, live),
            scratch / f"shown-{number}",
            keep_outputs=True,
            seconds=_seconds_left(executor, half) or _LEAST,
        )
    return shown


def _run_until_it_ends(
    executor: Executor, reference: Reference, attempt: _Attempt, scratch: Path, until: float
) -> None:
    """Run; when an answer ends the run, run the others again without it."""
    number = 0
    while attempt.live and (left := _seconds_left(executor, until)):
        number += 1
        notebook = hidden_notebook(reference.assignment, attempt.live)
        passed = {HIDDEN_PREFIX + c for c in attempt.results if attempt.has_passed(c)}
        notebook["cells"] = [c for c in notebook["cells"] if c["id"] not in passed]
        given = _given(reference, notebook)
        run = executor.run(notebook, scratch / str(number), given=given, seconds=left)
        progress = _note_results(reference, attempt, run, attempt.live)
        if run.ended is None:
            return
        attempt.ours |= run.ended.ours
        reached = [c["id"] for c in notebook["cells"] if c["id"] in run.cells]
        culprit = _culprit(reference, reached, attempt.live)
        if culprit is None:
            # None of the student's code had its turn: the grader itself is in trouble.
            attempt.ours = True
            attempt.notes.append(f"broken: the run ended before any answer ({run.ended})")
            return
        if (run.ended.kind, run.ended.detail) == ("timeout", NOTEBOOK) and progress:
            continue  # nobody in particular was too slow
        attempt.out[culprit] = _ending(run.ended)
        _take_out(reference, attempt.live, culprit, reached)
        attempt.notes.append(f"the answer to {culprit} ended the run ({run.ended})")
    if attempt.live:
        attempt.out |= dict.fromkeys(attempt.live, ("timeout", "the submission's time was up"))
        attempt.notes.append("the submission's time was up, so some answers were not run")
        attempt.live.clear()


def _take_out(
    reference: Reference, live: dict[str, str], culprit: str, reached: Sequence[str]
) -> None:
    """Take out an answer that ended a run; of one whose own cell did, at first only its trials."""
    bare = without_trials(live[culprit], key_of(reference.assignment.lesson))
    if reached[-1] == culprit and bare != live[culprit]:
        live[culprit] = bare
    else:
        del live[culprit]


def _with_note(answer: Answer, attempt: _Attempt) -> Answer:
    """The answer; of one that was run without its trials, with a word on that."""
    name = answer.exercise
    if name not in attempt.out or name not in attempt.live:
        return answer
    detail = attempt.out[name][1]
    note = f"Run again without what its cell tries beside it: with that, {detail}."
    return replace(answer, notes=(*answer.notes, note))


def _try_alone(
    executor: Executor, reference: Reference, attempt: _Attempt, scratch: Path, until: float
) -> None:
    """Run answers by themselves on which a kernel died: another may have left it dying."""
    dead = [name for name, (status, _) in attempt.out.items() if status == "dead"]
    for name in [name for name in dead if name not in attempt.live]:
        left = _seconds_left(executor, until)
        if not left:
            return
        notebook = lone_notebook(reference.assignment, attempt.answers, name)
        given = _given(reference, notebook)
        run = executor.run(notebook, scratch / f"alone-{name}", given=given, seconds=left)
        _note_results(reference, attempt, run, (name,))
        if not run.ended:
            del attempt.out[name]
            attempt.live[name] = attempt.answers[name]
            attempt.notes.append(f"by itself the answer to {name} ends no run")


def _note_results(
    reference: Reference, attempt: _Attempt, run: Run, exercises: Collection[str]
) -> bool:
    """Judge the checks that a run came to; whether one passed that had not before."""
    progress = False
    for exercise in reference.assignment.exercises:
        for check in exercise.checks:
            if exercise.name not in exercises or attempt.has_passed(check.id):
                continue
            result = _result(reference, exercise.name, check.id, run)
            if result is not None:
                attempt.results[check.id] = result
                progress |= result[0] == "passed"
    return progress


def _culprit(reference: Reference, reached: list[str], live: dict[str, str]) -> str | None:
    """The exercise whose answer, or whose check, was the last to be reached."""
    checks = {c.id: e.name for e in reference.assignment.exercises for c in e.checks}
    for name in reversed(reached):
        exercise = checks.get(name.removeprefix(HIDDEN_PREFIX), name)
        if exercise in live:
            return exercise
    return None


def _ending(ended: Ended) -> tuple[str, str]:
    """A key of `STATUSES`, and words for the student."""
    if ended.kind == "timeout":
        return "timeout", "it did not come to an end in the time that a cell has"
    if ended.kind == "flooded":
        return "flooded", "it printed without end"
    said = {
        "memory": ("dead", "it used more memory than there is"),
        "disk": ("dead", "it wrote more than there is room for"),
        "seconds": ("timeout", "it did not come to an end"),
    }
    return said.get(ended.detail, ("dead", "it ended or broke the kernel"))


def _results(
    reference: Reference, answers: tuple[Answer, ...], attempt: _Attempt
) -> Iterator[CheckResult]:
    found, own = {a.exercise: a for a in answers}, solutions(reference.assignment)
    for exercise in reference.assignment.exercises:
        answer = found.get(exercise.name) or Answer(exercise.name, None, "", "missing")
        for check in exercise.checks:
            status, reasons = _outcome(answer, check.id, attempt)
            rule = broken(answer.source or "", declared(check.source), own[exercise.name])
            # By the answer's text: what its kernel says of itself could be forged.
            if answer.status == "found" and borrows(answer.source or "", exercise.name):
                status, reasons = "borrowed", (BORROWED,)
            elif status == "passed" and rule:
                status, reasons = "wrong", (str(rule),)
            points = reference.assignment.points[check.id]
            unproved = reference.unproved.get(check.id, ())
            yield CheckResult(check.id, exercise.name, points, status, reasons, unproved)


def _outcome(answer: Answer, check: str, attempt: _Attempt) -> tuple[str, tuple[str, ...]]:
    if answer.status != "found":
        return answer.status, answer.notes
    if answer.exercise in attempt.out and not attempt.has_passed(check):
        status, detail = attempt.out[answer.exercise]
        return status, (detail,)
    return attempt.results.get(check, ("not-run", ("the run did not come to it",)))


def _result(
    reference: Reference, exercise: str, check: str, run: Run
) -> tuple[str, tuple[str, ...]] | None:
    """How a check went in one run; None when the run did not come to its end."""
    cell = run.cells.get(exercise)
    if not (reference.folder / "emitted" / check).is_dir():
        # Nothing hidden, hence no points: the public half is the student's alone.
        return None if cell in (None, "ended") else ("passed" if cell == "passed" else "error", ())
    outcome = run.cells.get(HIDDEN_PREFIX + check)
    if outcome in (None, "ended"):
        return None
    if says_borrowed(run.probe, exercise):
        return "borrowed", (BORROWED,)
    # What an answer's cell does beside the answer (it looks for a file, it asserts) is not judged.
    if outcome == "failed" and cell == "failed":
        return "error", ("the cell with the answer ends with an exception",)
    if outcome == "failed":
        return "error", ("with other inputs the answer ends with an exception",)
    if outcome != "passed":
        return "not-run", (f"the check was {outcome}",)
    return compare(reference.folder, run.probe, check)
