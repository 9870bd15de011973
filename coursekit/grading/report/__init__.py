"""What a class is given back: tables, a page for each student, a page for the instructor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from coursekit.grading.records import Grade
    from coursekit.lessons.course import Assignment


@dataclass(frozen=True)
class Written:
    """The files of a report.

    Attributes:
        index: the instructor's page.
        tables: `grades.csv`, `checks.csv`, `nbgrader.csv` and `canvas.csv`.
        feedback: each student's page, by their name.
        assignments: those that count.
    """

    index: Path
    tables: tuple[Path, ...]
    feedback: Mapping[str, Path]
    assignments: tuple[Assignment, ...] = ()


def write_all(
    grades: Iterable[Grade],
    assignments: Sequence[Assignment],
    out: Path,
    now: datetime | None = None,
) -> Written:
    """Write everything that a class and its instructor are given.

    The same grades give the same files, in whatever order they come. Points are out of what
    somebody handed in, or is due; what nobody handed in yet counts for nobody.

    Args:
        grades: one for each student and assignment.
        assignments: what may have been graded, with the lessons that it comes from.
        out: the folder; the students' pages go into `feedback/` in it.
        now: when what is due by now is due; the moment, when None.

    Raises:
        CourseError: for two grades of one student and assignment, a grade of an assignment that
            is not given, or a folder that cannot be written.
    """
    from coursekit.grading.report import class_page, course_use, feedback, gradebook, similarity
    from coursekit.grading.report.book import collect

    book = collect(grades, assignments, now or datetime.now(UTC))
    lessons = feedback.read_lessons(book.assignments)
    tables = gradebook.write_book(book, out)
    pages = {
        student: feedback.write(
            [*book.grades[student].values(), *(g for g in book.strays if g.student == student)],
            replace(lessons, assignments=book.counting(student)),
            out / "feedback",
        )
        for student in book.students
    }
    everything = book.all_grades()
    index = class_page.write(
        book, lessons, similarity.compare(everything, book.assignments),
        course_use.find(everything, book.assignments), out,
    )  # fmt: skip
    return Written(index, tuple(tables), pages, book.assignments)
