"""The grades of a class, put in order: who, which assignment, how many points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.grading.records import Grade, no_points
from coursekit.grading.report.text import one_line, slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coursekit.lessons.course import Assignment


NOT_GRADED = "what was handed in could not be graded"


@dataclass(frozen=True)
class Book:
    """A class.

    Attributes:
        students: names as they were handed in, in alphabetical order.
        shown: how each name is written, so that no two look the same.
        assignments: in the course's order.
        grades: of each student, by the assignment's name; a student need not have all.
        strays: grades of what belongs to no assignment, so that nobody is silently left out.
        early: names of assignments that count for those alone who handed them in: they are not due
            yet, or nobody handed in what can be read.
    """

    students: tuple[str, ...]
    shown: Mapping[str, str]
    assignments: tuple[Assignment, ...]
    grades: Mapping[str, Mapping[str, Grade]]
    strays: tuple[Grade, ...] = ()
    early: frozenset[str] = frozenset()

    def counting(self, student: str) -> tuple[Assignment, ...]:
        """The assignments that count for a student: what is due, and what they handed in."""
        own = self.grades[student]
        return tuple(a for a in self.assignments if a.name in own or a.name not in self.early)

    def grade(self, student: str, assignment: Assignment) -> Grade:
        """A grade; where there is none, one that says why there are no points."""
        if (own := self.grades[student].get(assignment.name)) is not None:
            return own
        status, reason = "not-handed-in", "nothing was handed in"
        if problems := self.problems(student):
            status, reason = "not-graded", f"{NOT_GRADED}: {'; '.join(problems)}"
        checks = no_points(assignment, status, reason)
        return Grade(student, "", assignment.name, "", "", checks=checks)

    def problems(self, student: str) -> tuple[str, ...]:
        """What of a student's files belongs to no assignment, and why."""
        return tuple(said(g) for g in self.strays if g.student == student)

    def worth(self, student: str) -> int:
        """What the assignments that count for a student are worth."""
        return sum(assignment.total for assignment in self.counting(student))

    def earned(self, student: str) -> int:
        """The points of a student over all assignments."""
        return sum(grade.earned for grade in self.grades[student].values())

    def percent(self, student: str) -> float:
        """The same as a share of what there was to earn."""
        return percent(self.earned(student), self.worth(student))

    def of(self, assignment: Assignment) -> list[Grade]:
        """The grades of one assignment, in the order of the students."""
        by_student = (self.grades[student].get(assignment.name) for student in self.students)
        return [grade for grade in by_student if grade is not None]

    def all_grades(self) -> list[Grade]:
        """Every grade: by student, then by assignment."""
        return [
            self.grades[student][a.name]
            for student in self.students
            for a in self.assignments
            if a.name in self.grades[student]
        ]


def collect(
    grades: Iterable[Grade], assignments: Sequence[Assignment], now: datetime | None = None
) -> Book:
    """Put grades in order.

    Args:
        grades: one for each student and assignment.
        assignments: that may count.
        now: when given, only those count that are due by then or that somebody handed in; and what
            is due later, or nobody can read, counts for those alone who handed it in.

    Raises:
        CourseError: for two grades of one student and assignment, and for a grade of an
            assignment that is not among those given.
    """
    known = {a.name for a in assignments}
    by_student: dict[str, dict[str, Grade]] = {}
    strays = []
    for grade in grades:
        own = by_student.setdefault(grade.student, {})
        if not grade.assignment:
            strays.append(grade)
            continue
        if grade.assignment not in known:
            raise CourseError(
                f"{grade.submission}: it is graded as {grade.assignment!r}, which is none of "
                f"{', '.join(sorted(known))}; grade it again"
            )
        if grade.assignment in own:
            raise CourseError(
                f"{grade.student}: two submissions for {grade.assignment}, "
                f"{own[grade.assignment].submission} and {grade.submission}; keep one of them"
            )
        own[grade.assignment] = grade
    order = sorted(by_student, key=lambda name: (name.casefold(), name))
    strays.sort(key=lambda grade: (grade.student, grade.submission))
    early: list[str] = []
    if now is not None:
        there = {name for own in by_student.values() for name in own}
        read = {name for own in by_student.values() for name, g in own.items() if not g.problem}
        assignments = [a for a in assignments if a.name in there or _is_due(a, now)]
        late = [a for a in assignments if not _is_due(a, now)]
        early = [a.name for a in late if a.due is not None or a.name not in read]
    return Book(
        tuple(order), _shown(order), tuple(assignments), by_student, tuple(strays),
        frozenset(early),
    )  # fmt: skip


def said(grade: Grade) -> str:
    """What is wrong with a file, after its name; many a problem begins with it."""
    named = grade.problem.startswith(grade.submission)
    return grade.problem if named else f"{grade.submission}: {grade.problem}"


def moment(due: str) -> datetime:
    """When something is due; without an offset, in UTC."""
    read = datetime.fromisoformat(due)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _is_due(assignment: Assignment, now: datetime) -> bool:
    return assignment.due is not None and moment(assignment.due) <= now


def _shown(students: Sequence[str]) -> dict[str, str]:
    """Names without what cannot be seen; one that would then be another's gets a number.

    Who hands in as somebody else's name and an invisible character must not look like them.
    """
    taken = {name for name in students if one_line(name) == name}
    shown: dict[str, str] = {}
    for student in students:
        name = one_line(student) or "(no name)"
        if name != student and name in taken:
            name = f"{name[:280]} ({slug(student)[-12:]})"
        taken.add(name)
        shown[student] = name
    return shown


def percent(part: float, whole: float) -> float:
    """A share in percent; 0 of nothing."""
    return 100 * part / whole if whole else 0.0
