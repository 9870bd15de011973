"""One page for each student: what each exercise earned, why, and how to go on.

On it stands what the instructor's lesson says, the student's own answer, and what a run that holds
no hidden test said; of the hidden checks only their names, points, and reasons.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursekit.grading.report import pictures
from coursekit.grading.report.book import collect
from coursekit.grading.report.exercises import About, describe, lesson_title
from coursekit.grading.report.pages import write_page
from coursekit.grading.report.text import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from markupsafe import Markup

    from coursekit.grading.records import CheckResult, Grade, PublicResult
    from coursekit.lessons.course import Assignment


@dataclass(frozen=True)
class Lessons:
    """What the lessons say of their exercises, read once for all students.

    Attributes:
        assignments: in the course's order.
        titles: of each assignment's lesson, by the assignment's name.
        about: its exercises, by the assignment's and the exercise's name.
    """

    assignments: tuple[Assignment, ...]
    titles: Mapping[str, Markup]
    about: Mapping[str, Mapping[str, About]]


@dataclass(frozen=True)
class ExerciseView:
    """What a page shows of one exercise.

    Attributes:
        about: title and hints.
        checks: how they ended.
        source: of the answer, as it was graded; "" where there was none.
        notes: on how the answer was found.
        public: of the public run; None where there was none.
        pictures: addresses of pictures, made new.
        unshown: how many were left out.
    """

    about: About
    checks: tuple[CheckResult, ...]
    source: str
    notes: tuple[str, ...]
    public: PublicResult | None
    pictures: tuple[str, ...]
    unshown: int

    @property
    def points(self) -> int:
        """What it is worth."""
        return sum(check.points for check in self.checks)

    @property
    def earned(self) -> int:
        """What it brought."""
        return sum(check.earned for check in self.checks)

    @property
    def passed(self) -> bool:
        """Whether nothing is left to do."""
        return all(check.status == "passed" for check in self.checks)


def read_lessons(assignments: Sequence[Assignment]) -> Lessons:
    """What the assignments' lessons say of their exercises."""
    return Lessons(
        tuple(assignments),
        {a.name: lesson_title(a.lesson) for a in assignments},
        {a.name: describe(a.lesson) for a in assignments},
    )


def file_name(student: str) -> str:
    """Name of a student's page; no two students share one, and it is safe on every system."""
    return f"{slug(student)}.html"


def write(grades: Sequence[Grade], lessons: Lessons, out: Path) -> Path:
    """Write the page of one student.

    Args:
        grades: of this student, one for each assignment that they handed in.
        lessons: from `read_lessons`, of the assignments that count for them.
        out: the folder.

    Returns:
        The page.

    Raises:
        ValueError: for grades of more than one student, or of none.
        CourseError: for two grades of one assignment, or of one that is not given.
    """
    book = collect(grades, lessons.assignments)
    if len(book.students) != 1:
        raise ValueError(f"grades of {len(book.students)} students for one page")
    student = book.students[0]
    own = book.grades[student]
    parts = [
        {
            "title": lessons.titles[a.name],
            "points": a.total,
            "grade": own.get(a.name),
            "exercises": _views(own[a.name], a, lessons.about[a.name]) if _graded(own, a) else (),
        }
        for a in book.assignments
    ]
    return write_page(
        out / file_name(student), "feedback.html.j2", student=student, parts=parts,
        earned=book.earned(student), points=book.worth(student), strays=book.strays,
    )  # fmt: skip


def _graded(own: Mapping[str, Grade], assignment: Assignment) -> bool:
    """Whether there is more to say than why nothing could be graded."""
    return assignment.name in own and not own[assignment.name].problem


def _views(grade: Grade, assignment: Assignment, about: Mapping[str, About]) -> list[ExerciseView]:
    answers = {answer.exercise: answer for answer in grade.answers}
    public = {result.exercise: result for result in grade.public}
    views = []
    for exercise in assignment.exercises:
        answer, shown = answers.get(exercise.name), public.get(exercise.name)
        addresses, unshown = _pictures(shown)
        checks = tuple(c for c in grade.checks if c.exercise == exercise.name)
        notes = answer.notes if answer else ()
        source = (answer.source if answer else "") or ""
        views.append(
            ExerciseView(about[exercise.name], checks, source, notes, shown, addresses, unshown)
        )  # fmt: skip
    return views


def _pictures(shown: PublicResult | None) -> tuple[tuple[str, ...], int]:
    given = shown.pictures if shown else ()
    made = [pictures.data_uri(picture) for picture in given[: pictures.MOST]]
    kept = tuple(address for address in made if address)
    return kept, len(given) - len(kept)
