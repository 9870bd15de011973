"""One page for the instructor: how the class did, what to look at, who has what."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursekit.grading.report import attention, summary
from coursekit.grading.report.feedback import file_name
from coursekit.grading.report.gradebook import TABLES
from coursekit.grading.report.pages import write_page
from coursekit.grading.report.status import LOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from markupsafe import Markup

    from coursekit.grading.report.book import Book
    from coursekit.grading.report.course_use import CourseUse
    from coursekit.grading.report.feedback import Lessons
    from coursekit.grading.report.similarity import Likeness
    from coursekit.lessons.course import Assignment

# More than these are counted, not listed.
_FINDINGS, _SLOWEST = 60, 5
_WIDTH, _HEIGHT = 600, 150  # of the histogram, as in the template
_ISOLATIONS = {
    "bubblewrap": "bubblewrap",
    "unshare": "namespaces (unshare)",
    "none": "none",
    "": "nothing was run",
}


@dataclass(frozen=True)
class Bar:
    """A bar of the histogram, in the units of its drawing."""

    x: float
    y: float
    width: float
    height: float
    label: str
    count: int


def write(
    book: Book,
    lessons: Lessons,
    similar: Sequence[Likeness],
    course_uses: Sequence[CourseUse],
    out: Path,
) -> Path:
    """Write `index.html`, beside the students' pages in `feedback/`.

    Args:
        book: the grades, from `book.collect`.
        lessons: from `feedback.read_lessons`.
        similar: from `similarity.compare`.
        course_uses: from `course_use.find`.
        out: the folder.

    Returns:
        The page.
    """
    grades = book.all_grades()
    scores = summary.spread([book.percent(student) for student in book.students])
    return write_page(
        out / "index.html",
        "class.html.j2",
        book=book,
        links={s: f"feedback/{file_name(s)}" for s in book.students},
        tables=TABLES,
        scores=scores,
        full=sum(0 < book.worth(s) == book.earned(s) for s in book.students),
        ungraded=sorted({g.student for g in (*book.strays, *grades) if g.problem}),
        bars=histogram(scores.bins),
        parts=[_part(book, a, lessons) for a in book.assignments],
        titles=_exercise_titles(lessons),
        statuses=Counter(check.status for grade in grades for check in grade.checks),
        looks=LOOKS,
        groups=attention.of_class(book),
        similar=similar[:_FINDINGS],
        more_similar=max(0, len(similar) - _FINDINGS),
        course_uses=_by_exercise(course_uses),
        run=_run(book),
    )


def histogram(bins: Sequence[int]) -> list[Bar]:
    """The bars of a histogram of percentages; the highest has the whole height."""
    each, highest = _WIDTH / len(bins), max(1, *bins)
    step = 100 // len(bins)
    return [
        Bar(
            x=i * each + 3, y=_HEIGHT - _HEIGHT * count / highest, width=each - 6,
            height=_HEIGHT * count / highest, label=f"{i * step}–{(i + 1) * step}", count=count,
        )
        for i, count in enumerate(bins)
    ]  # fmt: skip


def _part(book: Book, assignment: Assignment, lessons: Lessons) -> dict[str, Any]:
    checks = summary.of_checks(book, assignment)
    return {
        "assignment": assignment,
        "title": lessons.titles[assignment.name],
        "spread": summary.of_assignment(book, assignment),
        "checks": sorted(checks, key=lambda c: (c.rate, c.check)),
        "unproved": _unproved(book, assignment),
    }


def _unproved(book: Book, assignment: Assignment) -> dict[str, tuple[str, ...]]:
    """What of each check's results proves nothing; of assignments of which somebody was graded."""
    found: dict[str, tuple[str, ...]] = {}
    for grade in book.all_grades():
        if grade.assignment == assignment.name:
            found |= {check.check: check.unproved for check in grade.checks if check.unproved}
    return found


def _exercise_titles(lessons: Lessons) -> Mapping[str, Mapping[str, Markup]]:
    return {
        name: {exercise: about.title for exercise, about in exercises.items()}
        for name, exercises in lessons.about.items()
    }


def _by_exercise(uses: Sequence[CourseUse]) -> list[dict[str, Any]]:
    students: dict[tuple[str, str, tuple[str, ...]], list[str]] = defaultdict(list)
    for use in uses:
        students[use.assignment, use.exercise, use.uses].append(use.student)
    return [
        {"assignment": assignment, "exercise": exercise, "uses": names, "students": who}
        for (assignment, exercise, names), who in sorted(students.items())
    ]


def _run(book: Book) -> dict[str, Any]:
    grades = book.all_grades()
    seconds = [grade.seconds for grade in grades]
    isolations = Counter(_ISOLATIONS.get(grade.isolation, grade.isolation) for grade in grades)
    return {
        "isolations": isolations.most_common(),
        "total": sum(seconds),
        "median": statistics.median(seconds) if seconds else 0.0,
        "slowest": sorted(grades, key=lambda g: (-g.seconds, g.student))[:_SLOWEST],
    }
