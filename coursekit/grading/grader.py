"""All that grading needs on one machine: a sandbox, an engine for each thread, the references."""

from __future__ import annotations

import ast
import tempfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.grading.answers.recover import recover
from coursekit.grading.records import CheckResult, Grade, Submission
from coursekit.grading.run.assemble import solutions, whole_notebook
from coursekit.grading.run.executor import Engine, Pace, Runner
from coursekit.grading.sandbox.launch import Sandbox
from coursekit.grading.sandbox.limits import Limits
from coursekit.grading.submissions.read import read_notebook
from coursekit.grading.verdict.judge import Prepared, grade_answers, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from coursekit.lessons.course import Assignment

#: What makes a run's end ours rather than a student's: it is then tried once more.
_OURS = ("broken", "lost", "no answer from the zygote", "did not start")


class Workplace:
    """Grades submissions, from as many threads as like to. A context manager.

    Nothing is started before it is needed.

    Args:
        assignments: those that may come.
        secret: the instructor's; inputs of hidden checks are drawn from it.
        tier: of the sandbox, or "auto".
        pace: how long things may take.
        limits: of each kernel.
        cold: see `Engine`.
    """

    def __init__(
        self,
        assignments: Iterable[Assignment],
        secret: str,
        *,
        tier: str = "auto",
        pace: Pace | None = None,
        limits: Limits | None = None,
        cold: bool = False,
    ) -> None:
        self._assignments = {a.name: a for a in assignments}
        self._secret, self._wanted = secret, tier
        self._pace, self._limits, self._cold = pace or Pace(), limits or Limits(), cold
        self._lock = threading.Lock()
        self._own = threading.local()
        self._sandbox: Sandbox | None = None
        self._engines: list[Engine] = []
        self._prepared: dict[str, Prepared] = {}
        self._scratch = tempfile.TemporaryDirectory(prefix="ck-work-", ignore_cleanup_errors=True)

    def prepare(self, name: str) -> Prepared:
        """The assignment of this name, with its solutions run.

        Raises:
            CourseError: for checks that could not be defended, or when there is no sandbox.
        """
        engine = self._engine()
        with self._lock:
            if name not in self._prepared:
                target = Path(self._scratch.name, f"reference-{len(self._prepared)}")
                made = prepare(engine, self._assignments[name], self._secret, target)
                self._prepared[name] = made
            return self._prepared[name]

    def grade(self, submission: Submission, name: str) -> Grade:
        """Grade a submission for the assignment of this name; a bad one gets a bad grade, only."""
        prepared = self.prepare(name)
        grade = self._grade(submission, prepared)
        if any(word in note for note in grade.notes for word in _OURS):
            again = self._grade(submission, prepared)
            note = "graded twice, since the first time the grader's own process was lost"
            return replace(again, notes=(*again.notes, note))
        return grade

    def close(self) -> None:
        """End everything that was started."""
        for engine in self._engines:
            engine.close()
        if self._sandbox is not None:
            self._sandbox.close()
        self._scratch.cleanup()

    def __enter__(self) -> Workplace:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _grade(self, submission: Submission, prepared: Prepared) -> Grade:
        try:
            notebook = read_notebook(submission.content or b"")
        except ValueError as error:
            return ungraded(submission, prepared.assignment, str(error))
        whole = replace(prepared.assignment, exercises=prepared.assignment.written)
        answers = recover(notebook, whole)
        return grade_answers(self._engine(), prepared, submission, answers)

    def _engine(self) -> Engine:
        """This thread's."""
        if not hasattr(self._own, "engine"):
            # It starts beside the sandbox, which takes longer, not after.
            runner = Runner()
            try:
                sandbox = self._living_sandbox()
            except BaseException:
                runner.close()
                raise
            pace, limits = self._pace, self._limits
            self._own.engine = Engine(sandbox, pace, limits, cold=self._cold, runner=runner)
            with self._lock:
                self._engines.append(self._own.engine)
        self._living_sandbox()
        engine: Engine = self._own.engine
        return engine

    def _living_sandbox(self) -> Sandbox:
        with self._lock:
            if self._sandbox is None:
                preload = () if self._cold else imports_of(self._assignments.values())
                self._sandbox = Sandbox(self._wanted, tuple(preload))
            self._sandbox.revive()
            return self._sandbox


def imports_of(assignments: Iterable[Assignment]) -> Iterator[str]:
    """The import statements of what is run: what kernels need and a zygote can have ready."""
    seen = {}
    for assignment in assignments:
        for cell in whole_notebook(assignment, solutions(assignment))["cells"]:
            for node in ast.parse("".join(cell["source"])).body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    seen[ast.unparse(node)] = True
    yield from seen
    if any("torch" in statement for statement in seen):
        yield "import torch._dynamo"  # the first optimiser imports it, in two seconds


def ungraded(submission: Submission, assignment: Assignment | None, problem: str) -> Grade:
    """The grade of what could not be graded: no points, and why."""
    checks: tuple[CheckResult, ...] = ()
    if assignment is not None:
        checks = tuple(
            CheckResult(c.id, e.name, assignment.points[c.id], "missing", (problem,))
            for e in assignment.exercises
            for c in e.checks
        )
    return Grade(
        student=submission.student,
        submission=submission.name,
        assignment=assignment.name if assignment else "",
        digest="",
        tier="",
        checks=checks,
        problem=problem,
        notes=submission.notes,
    )
