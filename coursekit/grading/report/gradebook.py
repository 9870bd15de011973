"""Grades as tables: for a spreadsheet, for nbgrader's readers, for Canvas.

A student's name comes from outside, so no cell may begin as a formula: a spreadsheet would run it.
Such a cell gets an apostrophe in front, which spreadsheets take for "this is text". So does what
stands behind a semicolon: where a comma parts a number from its fraction, a semicolon parts cells.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from coursekit.files import write_text
from coursekit.grading.report.book import Book, collect, moment
from coursekit.grading.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from coursekit.grading.records import Grade
    from coursekit.lessons.course import Assignment

# Also one that has its apostrophes already, so that no two texts become one.
_FORMULA = re.compile(r"(^|;)(\s*)(?='*[=+\-@＝＋－＠])")
_UNSAFE = ("\t", "\r", "\n")
TABLES = ("grades.csv", "checks.csv", "nbgrader.csv", "canvas.csv")
#: What people open in Excel, which takes a file for UTF-8 by its first three bytes alone. The
#: others are for programs, to which these would be a part of the first column's name.
_FOR_PEOPLE = ("grades.csv", "checks.csv")
_LONGEST_CELL = 2000

_NBGRADER = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email",
    "raw_score", "late_submission_penalty", "score", "max_score",
)  # fmt: skip
_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def write(grades: Iterable[Grade], assignments: Sequence[Assignment], out: Path) -> list[Path]:
    """Write `grades.csv`, `checks.csv`, `nbgrader.csv` and `canvas.csv`.

    The same grades give the same bytes, in whatever order they come.

    Args:
        grades: one for each student and assignment.
        assignments: in the order of their columns.
        out: the folder.

    Returns:
        The four files.

    Raises:
        CourseError: for grades that contradict each other, or a folder that cannot be written.
    """
    return write_book(collect(grades, assignments), out)


def write_book(book: Book, out: Path) -> list[Path]:
    """The same, of grades that have been put in order."""
    tables = (_per_student(book), _per_check(book), _nbgrader(book), _canvas(book))
    for name, rows in zip(TABLES, tables, strict=True):
        mark = "\ufeff" if name in _FOR_PEOPLE else ""
        write_text(out / name, mark + _as_csv(rows))
    return [out / name for name in TABLES]


def cell(value: object) -> str:
    """What stands in a table: text on one line, and never a formula.

    Numbers stay as they are. A cell that a spreadsheet would run gets an apostrophe.
    """
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    # A tab or line end at the start goes when the text becomes one line, but it was put there.
    unsafe = text.startswith(_UNSAFE)
    text = one_line(text, _LONGEST_CELL)
    marked = _FORMULA.sub(r"\1\2'", text)
    return f"'{text}" if unsafe and marked == text else marked


def _as_csv(rows: Iterable[Sequence[object]]) -> str:
    return "".join(",".join(_quoted(cell(value)) for value in row) + "\n" for row in rows)


def _quoted(text: str) -> str:
    """As the csv module does it, but also where a semicolon is, which is no delimiter here."""
    return '"{}"'.format(text.replace('"', '""')) if re.search('[,;"]', text) else text


def _per_student(book: Book) -> Iterator[Sequence[object]]:
    columns = [f"{a.name}{part}" for a in book.assignments for part in ("", " max")]
    yield ["student", *columns, "total", "max", "percent", "sandbox", "problems"]
    for student in book.students:
        own, counting = book.grades[student], book.counting(student)
        points: list[object] = []
        for a in book.assignments:
            points += [_points(book, student, a), a.total if a in counting else ""]
        isolations = sorted({g.isolation for g in own.values() if g.isolation})
        problems = [f"{a.name}: {_problem(book, student, a)}" for a in counting]
        problems = [p for p in problems if not p.endswith(": ")] + [*book.problems(student)]
        yield [
            book.shown[student], *points, book.earned(student), book.worth(student),
            round(book.percent(student), 1), "; ".join(isolations), "; ".join(problems),
        ]  # fmt: skip


def _points(book: Book, student: str, assignment: Assignment) -> int | str:
    """Nothing where nothing was handed in; 0 where that brought no points."""
    there = assignment.name in book.grades[student] or book.problems(student)
    return book.grade(student, assignment).earned if there else ""


def _problem(book: Book, student: str, assignment: Assignment) -> str:
    """Why there are no points; "" when that is said of the student as a whole, or there are."""
    own = book.grades[student].get(assignment.name)
    if own is not None:
        return own.problem
    return "" if book.problems(student) else "nothing was handed in"


def _per_check(book: Book) -> Iterator[Sequence[object]]:
    yield [
        "student", "assignment", "exercise", "check", "points", "earned", "status", "reasons",
    ]  # fmt: skip
    for student in book.students:
        name = book.shown[student]
        for a in book.counting(student):
            grade = book.grade(student, a)
            for check in grade.checks:
                yield [
                    name, a.name, check.exercise, check.check, check.points, check.earned,
                    check.status, "; ".join(check.reasons),
                ]  # fmt: skip
            if not grade.checks:
                yield [name, a.name, "", "", 0, 0, "not-graded", grade.problem]
        for problem in book.problems(student):
            yield [name, "", "", "", 0, 0, "not-graded", problem]


def _nbgrader(book: Book) -> Iterator[Sequence[object]]:
    """Every student of every assignment; as there, nothing handed in is 0 without a time."""
    yield _NBGRADER
    for a in book.assignments:
        for student in book.students:
            if a not in book.counting(student):
                continue
            score = float(book.grade(student, a).earned)
            # When it was handed in, and the name's parts, a folder of submissions does not say.
            yield [
                a.name, _utc(a.due), "", book.shown[student], "", "", "", score, 0.0, score,
                float(a.total),
            ]  # fmt: skip
    for student in book.students:
        if not book.counting(student):  # of nobody there is nothing
            yield ["", "", "", book.shown[student], "", "", "", 0.0, 0.0, 0.0, 0.0]


def _utc(due: str | None) -> str:
    """A due date as nbgrader keeps it: in UTC, without an offset."""
    if due is None:
        return ""
    return moment(due).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _canvas(book: Book) -> Iterator[Sequence[object]]:
    """Canvas finds a student by ID or login or name, so the name stands in both of its places."""
    yield [*_CANVAS, *(a.name for a in book.assignments)]
    yield ["    Points Possible", "", "", "", "", *(a.total for a in book.assignments)]
    for student in book.students:
        # To Canvas each row with these two words in its first cell says what things are worth.
        name = book.shown[student].replace("Points Possible", "Points-Possible")
        points = [_points(book, student, a) for a in book.assignments]
        yield [name, "", "", name, "", *points]
