"""One submission, graded: what the answers give, beside what the solutions give."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.checks.rules import broken, declared
from coursekit.errors import CourseError
from coursekit.grading.assemble import (
    HIDDEN_PREFIX,
    hidden_notebook,
    hidden_region,
    lone_notebook,
    public_notebook,
    solutions,
    whole_notebook,
)
from coursekit.grading.compare import compare, predictable
from coursekit.grading.explain import explain
from coursekit.grading.records import Answer, CheckResult, Grade, PublicResult, Submission
from coursekit.grading.runner import NOTEBOOK_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from coursekit.grading.engine import Engine, Run
    from coursekit.lessons.course import Assignment

#: Goes up when the grader judges otherwise than before, so that old grades are not taken over.
RULES = 3
_LEAST = 1.0  # seconds that are worth starting a run for

#: What the solutions have imported by the end, a student's kernel can have from its beginning.
_MODULES = """
import json, os, pathlib, re, sys
names = sorted(n for n in sys.modules if re.fullmatch(r"[A-Za-z_][\\w.]*", n) and n != "__main__")
pathlib.Path(os.environ["COURSEKIT_PROBE"], "modules.json").write_text(json.dumps(names))
"""


@dataclass(frozen=True)
class Prepared:
    """An assignment whose solutions have been run.

    Attributes:
        assignment: what is graded.
        reference: a probe folder: `given/`, `kept/` and `emitted/` of the solutions.
        digest: of all that a grade depends on beside the submission.
    """

    assignment: Assignment
    reference: Path
    digest: str


def prepare(engine: Engine, assignment: Assignment, secret: str, target: Path) -> Prepared:
    """Run the solutions, for what hidden checks give out and what they expect.

    They are run three times: with the secret; with another one, to see that every check has a
    result that cannot be known before; and as a student's, to see that they get full marks.

    Args:
        engine: to run them.
        assignment: what will be graded.
        secret: what the inputs are drawn from.
        target: a folder that does not exist; the reference goes there.

    Raises:
        CourseError: for a check that could not be defended.
    """
    where = assignment.lesson.path
    checks = [c for e in assignment.exercises for c in e.checks]
    for check in checks:
        if assignment.points[check.id] and not hidden_region(check):
            raise CourseError(
                f"{where}:{check.line}: {check.id} has points and nothing hidden, so any answer "
                "could forge it; add hidden tests to it, or points=0 in its header"
            )
    answers = solutions(assignment)
    other = target.with_name(target.name + "-other")
    _reference_run(engine, assignment, answers, secret, target)
    engine.import_more(json.loads((target / "modules.json").read_text()))
    _reference_run(engine, assignment, answers, secret + "'", other)
    for check in checks:
        if not assignment.points[check.id]:
            continue
        if not any((target / "emitted" / check.id).glob("*.json")):
            raise CourseError(f"{where}:{check.line}: the hidden tests of {check.id} emit nothing")
        known = predictable(target, other, check.id)
        if len(known) == len(list((target / "emitted" / check.id).glob("*.json"))):
            raise CourseError(
                f"{where}:{check.line}: what {check.id} emits is the same for every secret, so it "
                "can be forged; draw its inputs with probe.given"
            )
    shutil.rmtree(other)
    prepared = Prepared(assignment, target, digest_of_assignment(assignment, secret))
    own = Submission("solution", "solution", b"")
    found = tuple(Answer(e.name, answers[e.name], "id", "found") for e in assignment.written)
    for result in grade_answers(engine, prepared, own, found).checks:
        if result.status != "passed":
            raise CourseError(
                f"{where}: the solution itself gets no points for {result.check} "
                f"({result.status}: {'; '.join(result.reasons)}); does it give the same twice?"
            )
    return prepared


def _reference_run(
    engine: Engine, assignment: Assignment, answers: dict[str, str], secret: str, target: Path
) -> None:
    notebook = hidden_notebook(assignment, answers)
    notebook["cells"].append({**notebook["cells"][-1], "id": "modules", "source": _MODULES})
    run = engine.run(notebook, target, secret=secret, keep_outputs=True)
    failed = [name for name, outcome in run.cells.items() if outcome != "passed"]
    if run.ended or failed or len(run.cells) != len(notebook["cells"]):
        said = [
            f"{output.get('ename')}: {output.get('evalue')}"
            for name in failed
            for output in run.outputs.get(name, [])
            if output.get("output_type") == "error"
        ]
        raise CourseError(
            f"{assignment.lesson.path}: the solutions do not run through their own hidden tests "
            f"({', '.join(failed) or 'nothing ran'}; {run.ended or '; '.join(said)})"
        )


def digest_of_assignment(assignment: Assignment, secret: str) -> str:
    """All that a grade depends on beside the submission and the machine."""
    parts = [
        assignment.name, repr(assignment.lesson.cells), sorted(assignment.points.items()),
        [e.name for e in assignment.exercises], hashlib.sha256(secret.encode()).hexdigest(), RULES,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def digest_of(prepared: str, submission: Submission) -> str:
    """What a grade depends on, in 32 hexadecimal digits."""
    content = submission.content or b""
    parts = [prepared, submission.name, submission.problem, hashlib.sha256(content).hexdigest()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


@dataclass
class _Attempt:
    """What is known so far.

    Attributes:
        answers: all that can be run.
        live: those that are still in.
        out: why others are not: a status and a reason.
        results: of the checks that were reached.
        notes: for the instructor.
    """

    answers: dict[str, str]
    live: dict[str, str]
    out: dict[str, tuple[str, str]] = field(default_factory=dict)
    results: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def has_passed(self, check: str) -> bool:
        """Whether nothing that comes later can take its points."""
        return self.results.get(check, ("",))[0] == "passed"


def grade_answers(
    engine: Engine, prepared: Prepared, submission: Submission, answers: tuple[Answer, ...]
) -> Grade:
    """Run the answers and compare what they emit.

    Args:
        engine: to run them.
        prepared: their assignment.
        submission: where they come from.
        answers: one for each exercise that a student writes, as recovered.
    """
    started = time.monotonic()
    until = started + engine.pace.submission
    sources = {a.exercise: a.source for a in answers if a.source and a.status == "found"}
    attempt = _Attempt(sources, dict(sources))
    with tempfile.TemporaryDirectory(prefix="ck-grade-") as scratch:
        shown = _run_whole(engine, prepared, attempt, Path(scratch), until)
        if shown is None:
            _run_until_it_ends(engine, prepared, attempt, Path(scratch), until)
            _try_alone(engine, prepared, attempt, Path(scratch), until)
        checks = tuple(_results(prepared, answers, attempt))
        failed = {c.exercise for c in checks if c.status != "passed"} & set(attempt.live)
        left = _seconds_left(engine, until)
        if failed and shown is None and left:
            notebook = public_notebook(prepared.assignment, attempt.live)
            shown = engine.run(notebook, Path(scratch, "public"), keep_outputs=True, seconds=left)
        public: tuple[PublicResult, ...] = ()
        if failed and shown is not None:
            public = tuple(explain(prepared.assignment, shown, failed))
    graded = {e.name for e in prepared.assignment.exercises}
    return Grade(
        student=submission.student,
        submission=submission.name,
        assignment=prepared.assignment.name,
        digest=digest_of(prepared.digest, submission),
        tier=engine.tier,
        answers=tuple(a for a in answers if a.exercise in graded),
        checks=checks,
        public=public,
        notes=(*submission.notes, *attempt.notes),
        seconds=round(time.monotonic() - started, 2),
    )


def _seconds_left(engine: Engine, until: float) -> float:
    """What one run may take; 0 when the submission's time is as good as up."""
    left = until - time.monotonic()
    return 0.0 if left < _LEAST else min(left, engine.pace.notebook)


def _run_whole(
    engine: Engine, prepared: Prepared, attempt: _Attempt, scratch: Path, until: float
) -> Run | None:
    """Run everything once. Gives the run when it leaves no doubt, and None when it does.

    Hidden checks stand at its end, where a name that two answers share has its last meaning; and an
    answer may have ended the run. So a check that fails here, though its public half passed, is no
    verdict yet.
    """
    left = _seconds_left(engine, until)
    if not attempt.live or not left:
        return None
    notebook = whole_notebook(prepared.assignment, attempt.live)
    given = prepared.reference / "given"
    run = engine.run(notebook, scratch / "whole", given=given, keep_outputs=True, seconds=left)
    _note_results(prepared, attempt, run, attempt.live)
    if run.ended:
        return None
    for exercise in prepared.assignment.exercises:
        for check in exercise.checks:
            agrees = run.cells.get(check.id) == "failed" or run.cells.get(exercise.name) == "failed"
            if exercise.name in attempt.live and not attempt.has_passed(check.id) and not agrees:
                return None
    return run


def _run_until_it_ends(
    engine: Engine, prepared: Prepared, attempt: _Attempt, scratch: Path, until: float
) -> None:
    """Run; when an answer ends the run, run the others again without it."""
    number = 0
    while attempt.live and (left := _seconds_left(engine, until)):
        number += 1
        notebook = hidden_notebook(prepared.assignment, attempt.live)
        passed = {HIDDEN_PREFIX + c for c in attempt.results if attempt.has_passed(c)}
        notebook["cells"] = [c for c in notebook["cells"] if c["id"] not in passed]
        given = prepared.reference / "given"
        run = engine.run(notebook, scratch / str(number), given=given, seconds=left)
        progress = _note_results(prepared, attempt, run, attempt.live)
        if not run.ended:
            return
        reached = [c["id"] for c in notebook["cells"] if c["id"] in run.cells]
        culprit = _culprit(prepared, reached, attempt.live)
        if culprit is None:
            # None of the student's code had its turn: the grader itself is in trouble.
            attempt.notes.append(f"broken: the run ended before any answer ({run.ended})")
            return
        if run.ended == NOTEBOOK_TIMEOUT and progress:
            continue  # nobody in particular was too slow
        attempt.out[culprit] = _ending(run.ended)
        attempt.notes.append(f"the answer to {culprit} ended the run ({run.ended})")
        del attempt.live[culprit]
    if attempt.live:
        attempt.out |= dict.fromkeys(attempt.live, ("timeout", "the submission's time was up"))
        attempt.notes.append("the submission's time was up, so some answers were not run")
        attempt.live.clear()


def _try_alone(
    engine: Engine, prepared: Prepared, attempt: _Attempt, scratch: Path, until: float
) -> None:
    """Run answers by themselves on which a kernel died: another may have left it dying."""
    for name in [name for name, (status, _) in attempt.out.items() if status == "dead"]:
        left = _seconds_left(engine, until)
        if not left:
            return
        notebook = lone_notebook(prepared.assignment, attempt.answers, name)
        given = prepared.reference / "given"
        run = engine.run(notebook, scratch / f"alone-{name}", given=given, seconds=left)
        _note_results(prepared, attempt, run, (name,))
        if not run.ended:
            del attempt.out[name]
            attempt.live[name] = attempt.answers[name]
            attempt.notes.append(f"by itself the answer to {name} ends no run")


def _note_results(
    prepared: Prepared, attempt: _Attempt, run: Run, exercises: Collection[str]
) -> bool:
    """Judge the checks that a run came to; whether one passed that had not before."""
    progress = False
    for exercise in prepared.assignment.exercises:
        for check in exercise.checks:
            if exercise.name not in exercises or attempt.has_passed(check.id):
                continue
            result = _result(prepared, exercise.name, check.id, run)
            if result is not None:
                attempt.results[check.id] = result
                progress |= result[0] == "passed"
    return progress


def _culprit(prepared: Prepared, reached: list[str], live: dict[str, str]) -> str | None:
    """The exercise whose answer, or whose check, was the last to be reached."""
    checks = {c.id: e.name for e in prepared.assignment.exercises for c in e.checks}
    for name in reversed(reached):
        exercise = checks.get(name.removeprefix(HIDDEN_PREFIX), name)
        if exercise in live:
            return exercise
    return None


def _ending(ended: str) -> tuple[str, str]:
    kind, _, detail = ended.partition(": ")
    if kind == "timeout":
        return "timeout", "it did not come to an end in the time that a cell has"
    if kind == "flooded":
        return "flooded", "it printed without end"
    if detail == "memory":
        return "dead", "it used more memory than there is"
    if detail == "disk":
        return "dead", "it wrote more than there is room for"
    if detail == "seconds":
        return "timeout", "it did not come to an end"
    return "dead", "it ended or broke the kernel"


def _results(
    prepared: Prepared, answers: tuple[Answer, ...], attempt: _Attempt
) -> Iterator[CheckResult]:
    found, own = {a.exercise: a for a in answers}, solutions(prepared.assignment)
    for exercise in prepared.assignment.exercises:
        answer = found.get(exercise.name) or Answer(exercise.name, None, "", "missing")
        for check in exercise.checks:
            status, reasons = _outcome(answer, check.id, attempt)
            rule = broken(answer.source or "", declared(check.source), own[exercise.name])
            if status == "passed" and rule:
                # By the answer's text: what its kernel says of itself could be forged.
                status, reasons = "wrong", (str(rule),)
            points = prepared.assignment.points[check.id]
            yield CheckResult(check.id, exercise.name, points, status, reasons)


def _outcome(answer: Answer, check: str, attempt: _Attempt) -> tuple[str, tuple[str, ...]]:
    if answer.status != "found":
        return answer.status, answer.notes
    if answer.exercise in attempt.out and not attempt.has_passed(check):
        status, detail = attempt.out[answer.exercise]
        return status, (detail,)
    return attempt.results.get(check, ("not-run", ("the run did not come to it",)))


def _result(
    prepared: Prepared, exercise: str, check: str, run: Run
) -> tuple[str, tuple[str, ...]] | None:
    """How a check went in one run; None when the run did not come to its end."""
    cell = run.cells.get(exercise)
    if not (prepared.reference / "emitted" / check).is_dir():
        # Nothing hidden, hence no points: the public half is the student's alone.
        return None if cell in (None, "ended") else ("passed" if cell == "passed" else "error", ())
    outcome = run.cells.get(HIDDEN_PREFIX + check)
    if outcome in (None, "ended"):
        return None
    # What an answer's cell does beside the answer (it looks for a file, it asserts) is not judged.
    if outcome == "failed" and cell == "failed":
        return "error", ("the cell with the answer ends with an exception",)
    if outcome == "failed":
        return "error", ("with other inputs the answer ends with an exception",)
    if outcome != "passed":
        return "not-run", (f"the check was {outcome}",)
    return compare(prepared.reference, run.probe, check)
