"""Grades as tables: for a spreadsheet, for nbgrader's readers, for Canvas.

A student's name comes from outside, so no cell may begin as a formula: a spreadsheet would run it.
Such a cell gets an apostrophe in front, which spreadsheets take for "this is text".
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from coursekit.files import write_text
from coursekit.grading.report.book import Book, collect
from coursekit.grading.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from coursekit.grading.records import Grade
    from coursekit.lessons.course import Assignment

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
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
    book = collect(grades, assignments)
    tables = {
        "grades.csv": _per_student(book),
        "checks.csv": _per_check(book),
        "nbgrader.csv": _nbgrader(book),
        "canvas.csv": _canvas(book),
    }
    for name, rows in tables.items():
        write_text(out / name, _as_csv(rows))
    return [out / name for name in tables]


def cell(value: object) -> str:
    """What stands in a table: text on one line, and never a formula.

    Numbers stay as they are. A cell that a spreadsheet would run gets an apostrophe.
    """
    if isinstance(value, (int, float)):
        return str(value)
    text = str(value)
    # A tab or line end at the start goes when the text becomes one line, but it was put there.
    formula = text.startswith(_FORMULA)
    text = one_line(text, _LONGEST_CELL)
    return f"'{text}" if formula or text.startswith(_FORMULA) else text


def _as_csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def _per_student(book: Book) -> Iterator[Sequence[object]]:
    columns = [f"{a.name}{part}" for a in book.assignments for part in ("", " max")]
    yield ["student", *columns, "total", "max", "percent", "sandbox", "problems"]
    for student in book.students:
        own = book.grades[student]
        points: list[object] = []
        for a in book.assignments:
            points += [own[a.name].earned if a.name in own else "", a.total]
        isolations = sorted({g.isolation for g in own.values() if g.isolation})
        problems = [f"{g.assignment}: {g.problem}" for g in own.values() if g.problem]
        yield [
            book.shown[student], *points, book.earned(student), book.worth,
            round(book.percent(student), 1), "; ".join(isolations), "; ".join(sorted(problems)),
        ]  # fmt: skip


def _per_check(book: Book) -> Iterator[Sequence[object]]:
    yield [
        "student", "assignment", "exercise", "check", "points", "earned", "status", "reasons",
    ]  # fmt: skip
    for grade in book.all_grades():
        for check in grade.checks:
            yield [
                book.shown[grade.student], grade.assignment, check.exercise, check.check,
                check.points, check.earned, check.status, "; ".join(check.reasons),
            ]  # fmt: skip


def _nbgrader(book: Book) -> Iterator[Sequence[object]]:
    """Every student of every assignment; as there, nothing handed in is 0 without a time."""
    yield _NBGRADER
    for a in book.assignments:
        for student in book.students:
            grade = book.grades[student].get(a.name)
            score = float(grade.earned if grade else 0)
            # When it was handed in, and the name's parts, a folder of submissions does not say.
            yield [
                a.name, _utc(a.due), "", book.shown[student], "", "", "", score, 0.0, score,
                float(a.total),
            ]  # fmt: skip


def _utc(due: str | None) -> str:
    """A due date as nbgrader keeps it: in UTC, without an offset."""
    if due is None:
        return ""
    moment = datetime.fromisoformat(due)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _canvas(book: Book) -> Iterator[Sequence[object]]:
    """Canvas finds a student by ID or login or name, so the name stands in both of its places."""
    yield [*_CANVAS, *(a.name for a in book.assignments)]
    yield ["    Points Possible", "", "", "", "", *(a.total for a in book.assignments)]
    for student in book.students:
        own = book.grades[student]
        # To Canvas each row with these two words in its first cell says what things are worth.
        name = book.shown[student].replace("Points Possible", "Points-Possible")
        points = (own[a.name].earned if a.name in own else "" for a in book.assignments)
        yield [name, "", "", name, "", *points]
