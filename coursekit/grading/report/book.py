"""The grades of a class, put in order: who, which assignment, how many points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.grading.report.text import one_line, slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from coursekit.grading.records import Grade
    from coursekit.lessons.course import Assignment


@dataclass(frozen=True)
class Book:
    """A class.

    Attributes:
        students: names as they were handed in, in alphabetical order.
        shown: how each name is written, so that no two look the same.
        assignments: in the course's order.
        grades: of each student, by the assignment's name; a student need not have all.
        strays: grades of what belongs to no assignment, so that nobody is silently left out.
    """

    students: tuple[str, ...]
    shown: Mapping[str, str]
    assignments: tuple[Assignment, ...]
    grades: Mapping[str, Mapping[str, Grade]]
    strays: tuple[Grade, ...] = ()

    @property
    def worth(self) -> int:
        """What all assignments together are worth."""
        return sum(assignment.total for assignment in self.assignments)

    def earned(self, student: str) -> int:
        """The points of a student over all assignments."""
        return sum(grade.earned for grade in self.grades[student].values())

    def percent(self, student: str) -> float:
        """The same as a share of what there was to earn."""
        return percent(self.earned(student), self.worth)

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


def collect(grades: Iterable[Grade], assignments: Sequence[Assignment]) -> Book:
    """Put grades in order.

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
    return Book(tuple(order), _shown(order), tuple(assignments), by_student, tuple(strays))


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
