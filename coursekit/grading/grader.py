"""All that grading needs on one machine: a sandbox, an executor for each thread, references."""

from __future__ import annotations

import ast
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.grading.answers.recover import recover
from coursekit.grading.records import Grade, ungraded
from coursekit.grading.run.assemble import solutions, whole_notebook
from coursekit.grading.run.executor import Executor, Worker
from coursekit.grading.sandbox.launch import Sandbox
from coursekit.grading.task import Conditions, Task
from coursekit.grading.verdict.judge import Judgement, Reference, judge
from coursekit.grading.verdict.prepare import prepare
from coursekit.lessons.regions import hidden_text
from coursekit.temporary import TemporaryFolder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from coursekit.lessons.course import Assignment


class Grader:
    """Grades submissions, from as many threads as like to. A context manager.

    Nothing is started before it is needed.

    Args:
        assignments: those that may come.
        secret: the instructor's; inputs of hidden checks are drawn from it.
        conditions: under which answers are run.
    """

    def __init__(
        self, assignments: Iterable[Assignment], secret: str, conditions: Conditions
    ) -> None:
        self._assignments = {a.name: a for a in assignments}
        self._secret, self._conditions = secret, conditions
        self._lock = threading.Lock()
        self._own = threading.local()
        self._sandbox: Sandbox | None = None
        self._executors: list[Executor] = []
        self._references: dict[str, Reference] = {}
        self._scratch = TemporaryFolder()

    def prepare(self, name: str) -> Reference:
        """The assignment of this name, with its solutions run.

        Raises:
            CourseError: for checks that could not be defended, or when there is no sandbox.
        """
        executor = self._executor()
        with self._lock:
            if name not in self._references:
                target = self._scratch.path / f"reference-{len(self._references)}"
                made = prepare(executor, self._assignments[name], self._secret, target)
                self._references[name] = made
            return self._references[name]

    def grade(self, task: Task) -> Grade:
        """Grade a submission; a bad one gets a bad grade, only."""
        reference = self.prepare(task.assignment.name)
        # Practice is recovered, too: later answers may need it.
        whole = replace(task.assignment, exercises=task.assignment.written)
        answers = recover(task.notebook, whole)

        def attempt() -> Judgement:
            return judge(self._executor(), reference, task.submission, answers)

        judgement = attempt()
        grade = judgement.grade
        if judgement.ours:
            judgement = attempt()
            note = "graded twice, since the first time the grader's own process was lost"
            # Shown is what was shown the first time: since then a kernel has had inputs.
            shown, notes = grade.public, (*judgement.grade.notes, note)
            grade = replace(judgement.grade, notes=notes, public=shown)
        # Lost again: it is nothing that the student did, and is graded anew next time.
        return replace(grade, digest="" if judgement.ours else task.digest)

    def close(self) -> None:
        """End everything that was started."""
        for executor in self._executors:
            executor.close()
        if self._sandbox is not None:
            self._sandbox.close()
        self._scratch.remove()

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _executor(self) -> Executor:
        """This thread's."""
        if not hasattr(self._own, "executor"):
            # It starts beside the sandbox, which takes longer, not after.
            worker = Worker()
            try:
                sandbox = self._living_sandbox()
            except BaseException:
                worker.close()
                raise
            how = self._conditions
            self._own.executor = Executor(
                sandbox, how.timeouts, how.limits, cold=how.cold, worker=worker
            )
            with self._lock:
                self._executors.append(self._own.executor)
        self._living_sandbox()
        executor: Executor = self._own.executor
        return executor

    def _living_sandbox(self) -> Sandbox:
        with self._lock:
            if self._sandbox is None:
                cold = self._conditions.cold
                preload = () if cold else imports_of(self._assignments.values())
                self._sandbox = Sandbox(self._conditions.isolation, tuple(preload))
            self._sandbox.revive()
            return self._sandbox


def grade_task(grader: Grader, task: Task) -> Grade:
    """Grade one; whatever goes wrong in the grader itself is this submission's note, no more.

    Raises:
        CourseError: for what is the instructor's to mend.
    """
    try:
        return grader.grade(task)
    except CourseError:
        raise
    except Exception as error:
        problem = f"the grader itself failed: {type(error).__name__}: {error}"[:300]
        return ungraded(task.submission, task.assignment, problem)  # and tried again next time


def imports_of(assignments: Iterable[Assignment]) -> Iterator[str]:
    """The import statements of what is run: what kernels need and a fork server can have ready."""
    seen = {}
    for assignment in assignments:
        cells = whole_notebook(assignment, solutions(assignment))["cells"]
        texts = ["".join(cell["source"]) for cell in cells]
        texts += [hidden_text(c) for e in assignment.exercises for c in e.checks]
        for text in texts:
            for node in ast.parse(text).body:
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    seen[ast.unparse(node)] = True
    yield from seen
    if any("torch" in statement for statement in seen):
        yield "import torch._dynamo"  # the first optimiser imports it, in two seconds
