"""A submission that has been read, with the assignment that it answers: what workers are given."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from coursekit.grading import digest
from coursekit.grading.answers.match import match, named
from coursekit.grading.records import Grade, HandedIn, ungraded
from coursekit.grading.run.executor import Timeouts
from coursekit.grading.sandbox.limits import KernelLimits
from coursekit.grading.submissions.read import read_notebook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursekit.lessons.course import Assignment


@dataclass(frozen=True)
class Conditions:
    """Under which answers are run.

    Attributes:
        isolation: of the sandbox, or "auto".
        timeouts: how long things may take.
        limits: of each kernel.
        cold: see `Executor`.
    """

    isolation: str = "auto"
    timeouts: Timeouts = field(default_factory=Timeouts)
    limits: KernelLimits = field(default_factory=KernelLimits)
    cold: bool = False


@dataclass(frozen=True)
class Task:
    """A submission that is to be graded for an assignment.

    Attributes:
        submission: whose it is; its content has been read.
        notebook: what it holds, as `read_notebook` gives it.
        assignment: which it answers.
        digest: of all that its grade depends on.
    """

    submission: HandedIn
    notebook: dict[str, Any]
    assignment: Assignment
    digest: str


def make_task(
    submission: HandedIn, assignments: Sequence[Assignment], secret: str, conditions: Conditions
) -> Task | Grade:
    """What is to be done about a submission; its grade, when nothing can be.

    Args:
        submission: as it was handed in.
        assignments: those that it may answer.
        secret: the instructor's.
        conditions: under which it will be graded.
    """
    only = assignments[0] if len(assignments) == 1 else None
    meant = only or named(submission.name, assignments)
    if submission.content is None:
        return ungraded(submission, meant, submission.problem)
    try:
        notebook = read_notebook(submission.content)
    except ValueError as error:
        return ungraded(submission, meant, str(error))
    assignment = match(notebook, submission.name, assignments)
    if assignment is None:
        return ungraded(submission, only, "this notebook is none of the assignments")
    depends_on = digest.of_submission(
        submission,
        digest.of_assignment(assignment, secret),
        digest.of_sources(),
        f"{conditions.timeouts}|{conditions.limits}",
    )
    return Task(replace(submission, content=None), notebook, assignment, depends_on)
