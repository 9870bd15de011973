"""What the grader knows about a submission: the words that its parts share, and their JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coursekit.lessons.course import Assignment

#: How a check can end. Only "passed" earns its points.
STATUSES = {
    "passed": "passed",
    "borrowed": "the course's own part stands in place of an answer",
    "wrong": "the answer gives other results than it should",
    "error": "an exception ended it",
    "not-written": "the exercise still holds its stub",
    "missing": "no answer was found in the notebook",
    "not-handed-in": "nothing was handed in",
    "not-graded": "what was handed in could not be graded",
    "unreadable": "the answer is not Python",
    "timeout": "it took too long",
    "dead": "it ended the kernel",
    "flooded": "it printed without end",
    "not-run": "it did not run",
}


@dataclass(frozen=True)
class HandedIn:
    """One notebook of a student's.

    Attributes:
        student: from the name of the folder, zip or notebook.
        name: of what was handed in, as a path below the submissions folder, for messages.
        content: the bytes of the notebook; None when there is none to read, or it has been.
        problem: why there is none ("" when there is one).
        notes: what is odd, one sentence each.
    """

    student: str
    name: str
    content: bytes | None
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A student's answer to one exercise, as found in their notebook.

    Attributes:
        exercise: name of the answer cell.
        source: the code to put into the instructor's notebook; None when there is none to grade.
        found_by: "id", "metadata", "marker", "definition", "place", or "" when not found.
        status: "found", "not-written" (still the stub), "missing" or "unreadable".
        notes: what was recovered or is odd, one sentence each, for instructor and student.
    """

    exercise: str
    source: str | None
    found_by: str
    status: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """How one check of one student ended.

    Attributes:
        check: name of the check cell, such as "check-paint".
        exercise: the exercise that it belongs to.
        points: what it is worth.
        status: a key of `STATUSES`.
        reasons: for the student; made of the instructor's words and of categories, never of what
            is expected, of a hidden test's text, or of what the student's kernel printed.
        unproved: for the instructor: which of its results the student's kernel could make up.
    """

    check: str
    exercise: str
    points: int
    status: str
    reasons: tuple[str, ...] = ()
    unproved: tuple[str, ...] = ()

    @property
    def earned(self) -> int:
        """The points that it brought."""
        return self.points if self.status == "passed" else 0


@dataclass(frozen=True)
class PublicResult:
    """What the student's kernel showed in a run that holds no hidden test. Untrusted text.

    Attributes:
        exercise: name of the exercise.
        status: "passed", "failed" (the public check named something), "error" or another of
            `STATUSES`.
        message: what the check or the exception said, cut to a sane length.
        pictures: PNG files that its cells showed, base64, few and small.
    """

    exercise: str
    status: str
    message: str = ""
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grade:
    """A submission, graded.

    Attributes:
        student: from the name of the folder, zip or notebook that was handed in.
        submission: that name.
        assignment: the lesson's name.
        digest: of everything that the grade depends on; equal digests need no grading again.
        isolation: of the sandbox: "bubblewrap", "unshare" or "none"; "" when nothing was run.
        answers: as found.
        checks: one for each check of the assignment, always all of them.
        public: results of the public run; empty when every check passed.
        problem: why nothing could be graded ("" when it could).
        notes: for the instructor: retries, limits, oddities.
        seconds: that grading took.
    """

    student: str
    submission: str
    assignment: str
    digest: str
    isolation: str
    answers: tuple[Answer, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    public: tuple[PublicResult, ...] = ()
    problem: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def points(self) -> int:
        """What the assignment is worth."""
        return sum(check.points for check in self.checks)

    @property
    def earned(self) -> int:
        """What the student got."""
        return sum(check.earned for check in self.checks)


def ungraded(submission: HandedIn, assignment: Assignment | None, problem: str) -> Grade:
    """The grade of what could not be graded: no points, and why."""
    checks = () if assignment is None else no_points(assignment, "not-graded", problem)
    return Grade(
        student=submission.student,
        submission=submission.name,
        assignment=assignment.name if assignment else "",
        digest="",
        isolation="",
        checks=checks,
        problem=problem,
        notes=submission.notes,
    )


def no_points(assignment: Assignment, status: str, reason: str) -> tuple[CheckResult, ...]:
    """All checks of an assignment that ended in the same way, and not well."""
    return tuple(
        CheckResult(c.id, e.name, assignment.points[c.id], status, (reason,))
        for e in assignment.exercises
        for c in e.checks
    )


def to_json(grade: Grade) -> dict[str, Any]:
    """A grade as plain data."""
    return asdict(grade)


def from_json(data: dict[str, Any]) -> Grade:
    """The grade that `to_json` took.

    Raises:
        KeyError, TypeError: for other data.
    """
    parts = {
        "answers": tuple(_build(Answer, item) for item in data["answers"]),
        "checks": tuple(_build(CheckResult, item) for item in data["checks"]),
        "public": tuple(_build(PublicResult, item) for item in data["public"]),
        "notes": tuple(data["notes"]),
    }
    return Grade(**{**data, **parts})


def _build(kind: Any, item: dict[str, Any]) -> Any:
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in item.items()})
