"""Tables of grades."""

import csv
import dataclasses
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.grading.records import CheckResult, Grade, no_points
from coursekit.grading.report import gradebook
from coursekit.grading.report.book import Book, collect
from coursekit.lessons.course import Assignment, read_assignments
from tests.grading.report.made_class import SOURCES, assignment, grade_of, mixed_class


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def two_assignments() -> list[Assignment]:
    first, second = read_assignments(SOURCES, ["00_welcome", "01_data"])
    return [dataclasses.replace(first, due="2026-12-01T23:59:00+01:00"), second]


def test_one_row_for_each_student(tmp_path: Path) -> None:
    given = two_assignments()
    half = grade_of("student-002", {}, {"check-mirror": "wrong"})
    other = dataclasses.replace(
        grade_of("student-001", {}, dict.fromkeys(given[1].points, "timeout")),
        assignment="01_data", problem="no notebook", isolation="", checks=(),
    )  # fmt: skip
    gradebook.write([half, other, grade_of("student-001", {})], given, tmp_path)
    rows = read(tmp_path / "grades.csv")
    assert [row["student"] for row in rows] == ["student-001", "student-002"]
    total = str(4 + given[1].total)
    assert rows[0] == {
        "student": "student-001", "00_welcome": "4", "00_welcome max": "4", "01_data": "0",
        "01_data max": str(given[1].total), "total": "4", "max": total,
        "percent": str(round(400 / int(total), 1)), "sandbox": "bubblewrap",
        "problems": "01_data: no notebook",
    }  # fmt: skip
    assert rows[1]["00_welcome"] == "2" and rows[1]["01_data"] == ""  # not handed in


def test_one_row_for_each_check(tmp_path: Path) -> None:
    grades = mixed_class(20)
    gradebook.write(grades, [assignment()], tmp_path)
    rows = read(tmp_path / "checks.csv")
    assert len(rows) == sum(len(grade.checks) for grade in grades)
    assert sum(int(row["earned"]) for row in rows) == sum(grade.earned for grade in grades)
    first = grades[0].checks[0]
    assert rows[0] == {
        "student": "student-001", "assignment": "00_welcome", "exercise": first.exercise,
        "check": first.check, "points": str(first.points), "earned": str(first.earned),
        "status": first.status, "reasons": "; ".join(first.reasons),
    }  # fmt: skip


def test_the_columns_of_nbgrader(tmp_path: Path) -> None:
    gradebook.write([grade_of("student-001", {})], two_assignments(), tmp_path)
    header, first, second = (tmp_path / "nbgrader.csv").read_text().splitlines()
    assert header == (
        "assignment,duedate,timestamp,student_id,last_name,first_name,email,raw_score,"
        "late_submission_penalty,score,max_score"
    )
    assert first == "00_welcome,2026-12-01 22:59:00,,student-001,,,,4.0,0.0,4.0,4.0"
    assert second.startswith("01_data,,,student-001,,,,0.0,0.0,0.0,")  # as nbgrader: 0, no time


def test_the_columns_of_canvas(tmp_path: Path) -> None:
    gradebook.write([grade_of("student-001", {})], two_assignments(), tmp_path)
    header, points, row = (tmp_path / "canvas.csv").read_text().splitlines()
    assert header == "Student,ID,SIS User ID,SIS Login ID,Section,00_welcome,01_data"
    assert points.startswith("Points Possible,,,,,4,")
    assert row == "student-001,,,student-001,,4,"  # nothing handed in changes nothing there


def test_no_student_is_taken_for_the_row_of_points(tmp_path: Path) -> None:
    names = ["Points Possible", "Points \u200bPossible", "x Points Possible"]
    gradebook.write([grade_of(name, {}) for name in names], [assignment()], tmp_path)
    rows = read(tmp_path / "canvas.csv")
    assert ["Points Possible" in row["Student"] for row in rows] == [True, False, False, False]


@pytest.mark.parametrize(
    "name",
    ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "\x00=1", "\u200b=1", "\n@x"],
)
def test_no_cell_is_a_formula(tmp_path: Path, name: str) -> None:
    grade = grade_of(name, {})
    grade = dataclasses.replace(grade, problem=name, checks=tuple(
        dataclasses.replace(check, reasons=(name,)) for check in grade.checks
    ))  # fmt: skip
    for path in gradebook.write([grade], [assignment()], tmp_path):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "\t", "\r"))
                    assert cell == cell.strip()


def test_no_cell_is_a_formula_where_semicolons_part_cells(tmp_path: Path) -> None:
    names = ["Ann;=1+1", 'Bo;"";=1+1;x', "Cy; @SUM(A1)", "=1+1", "'=1+1", "''=1+1", ";'=1", ";=1"]
    grades = [
        dataclasses.replace(grade_of(name, {}), problem=name, notes=(name,), checks=tuple(
            dataclasses.replace(check, reasons=("why", name)) for check in assignment_checks()
        )) for name in names
    ]  # fmt: skip
    for path in gradebook.write(grades, [assignment()], tmp_path):
        for delimiter in ",;":
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.reader(file, delimiter=delimiter):
                    for cell in row:
                        assert not cell.strip().startswith(("=", "+", "-", "@")), (path, row)
    shown = [row["student"] for row in read(tmp_path / "grades.csv")]
    assert len(set(shown)) == len(names), shown
    assert {"Ann;'=1+1", "'=1+1", "''=1+1", "'''=1+1"} <= set(shown)
    assert '"Ann;\'=1+1",' in (tmp_path / "grades.csv").read_text(encoding="utf-8")


def assignment_checks() -> tuple[CheckResult, ...]:
    return grade_of("x", {}, dict.fromkeys(assignment().points, "wrong")).checks


def test_what_people_open_says_that_it_is_utf_8(tmp_path: Path) -> None:
    for path in gradebook.write([grade_of("Zoë", {})], [assignment()], tmp_path):
        marked = path.read_bytes().startswith(b"\xef\xbb\xbf")
        assert marked == (path.stem in ("grades", "checks")) and "Zoë".encode() in path.read_bytes()


def stray(student: str, problem: str) -> Grade:
    return Grade(student, f"{student}.zip", "", "", "", problem=problem)


def test_every_student_is_in_every_table_with_a_reason(tmp_path: Path) -> None:
    given = [assignment(), *two_assignments()[1:]]
    other = dataclasses.replace(
        grade_of("cem", {}), assignment="01_data",
        checks=no_points(given[1], "not-graded", "the file is empty"), problem="the file is empty",
    )  # fmt: skip
    grades = [grade_of("ann", {}), stray("ann", "notes"), stray("bob", "is no zip"), other]
    gradebook.write(grades, given, tmp_path)
    rows = {row["student"]: row for row in read(tmp_path / "grades.csv")}
    total = sum(a.total for a in given)
    assert [(name, row["total"], row["max"]) for name, row in rows.items()] == [
        ("ann", "4", str(total)), ("bob", "0", str(total)), ("cem", "0", str(total)),
    ]  # fmt: skip
    assert rows["bob"]["problems"] == "bob.zip: is no zip" and rows["bob"]["00_welcome"] == "0"
    assert rows["ann"]["problems"] == "ann.zip: notes"
    assert rows["cem"]["problems"] == (
        "00_welcome: nothing was handed in; 01_data: the file is empty"
    )
    checks = read(tmp_path / "checks.csv")
    for name, row in rows.items():
        own = [check for check in checks if check["student"] == name]
        assert sum(int(check["points"]) for check in own) == total
        assert sum(int(check["earned"]) for check in own) == int(row["total"])
        assert all(check["reasons"] for check in own if check["status"] != "passed")
    statuses = {(check["student"], check["assignment"], check["status"]) for check in checks}
    assert {
        ("bob", "00_welcome", "not-graded"), ("bob", "", "not-graded"), ("ann", "", "not-graded"),
        ("cem", "00_welcome", "not-handed-in"), ("cem", "01_data", "not-graded"),
    } <= statuses  # fmt: skip
    assert [row["Student"] for row in read(tmp_path / "canvas.csv")][1:] == ["ann", "bob", "cem"]
    both = [(row["student_id"], row["score"]) for row in read(tmp_path / "nbgrader.csv")]
    assert [name for name, _ in both] == ["ann", "bob", "cem"] * 2


def test_who_handed_in_no_assignment_at_all_is_in_every_table(tmp_path: Path) -> None:
    book = collect([stray("bob", "is no zip")], [assignment()], datetime.now(UTC))
    for path in gradebook.write_book(book, tmp_path):
        assert [row for row in read(path) if "bob" in row.values()], path
    assert read(tmp_path / "grades.csv")[0]["max"] == "0"


def test_points_are_out_of_what_is_due_or_was_handed_in() -> None:
    first, second, third = read_assignments(SOURCES, ["00_welcome", "01_data", "02_unet"])
    early, ben = grade_of("ann", {}), grade_of("ben", {})
    due = dataclasses.replace(third, due="2026-12-01T23:59:00+01:00")
    later = dataclasses.replace(early, assignment="02_unet", checks=())
    before, after = (datetime(2026, 12, day, tzinfo=UTC) for day in (1, 3))

    def worth(grades: list[Grade], now: datetime) -> list[int]:
        book = collect(grades, [first, second, due], now)
        return [book.worth(name) for name in book.students]

    assert worth([early, ben], before) == [4, 4]
    assert worth([early, later, ben], before) == [4 + third.total, 4]
    assert worth([early, ben], after) == [4 + third.total] * 2
    assert percent(collect([early], [first, second, due], before)) == [100.0]
    unread = dataclasses.replace(early, assignment="01_data", checks=(), problem="is empty")
    assert worth([early, unread, ben], before) == [4 + second.total, 4]
    with_second = dataclasses.replace(early, assignment="01_data", checks=())
    assert worth([early, with_second, ben], before) == [4 + second.total] * 2


def percent(book: Book) -> list[float]:
    return [book.percent(name) for name in book.students]


def test_names_stay_as_they_are_otherwise(tmp_path: Path) -> None:
    names = ["Zoë O’Neil-Ñandú", '"quoted", with comma', "学生", "می\u200cخواهم", "a=b", "x-1"]
    gradebook.write([grade_of(name, {}) for name in names], [assignment()], tmp_path)
    assert {row["student"] for row in read(tmp_path / "grades.csv")} == set(names)


def test_a_row_is_a_line(tmp_path: Path) -> None:
    names = ["two\nlines", "two\r\nmore", "a\u2028b", "\x1b[31mred", "lone \ud800", "\x00"]
    for path in gradebook.write([grade_of(n, {}) for n in names], [assignment()], tmp_path):
        text = path.read_bytes().decode("utf-8")
        assert not set("\r\x1b\x00\u2028") & set(text)
        rows = len(names) * (3 if path.stem == "checks" else 1)
        assert text.count("\n") == rows + (2 if path.stem == "canvas" else 1)


def test_nobody_looks_like_somebody_else(tmp_path: Path) -> None:
    names = ["anna", "an\u200bna", "\u202eanna", "Anna", "\u200b", "x" * 400, "x" * 401]
    gradebook.write([grade_of(name, {}) for name in names], [assignment()], tmp_path)
    shown = [row["student"] for row in read(tmp_path / "grades.csv")]
    assert len(set(shown)) == len(names) and {"anna", "Anna"} <= set(shown)


def test_the_order_of_grades_changes_nothing(tmp_path: Path) -> None:
    grades = mixed_class(30)
    first = [p.read_bytes() for p in gradebook.write(grades, [assignment()], tmp_path / "a")]
    random.Random(0).shuffle(grades)
    second = [p.read_bytes() for p in gradebook.write(grades, [assignment()], tmp_path / "b")]
    assert first == second


def test_no_students(tmp_path: Path) -> None:
    for path in gradebook.write([], [assignment()], tmp_path):
        assert path.read_text().count("\n") == (2 if path.stem == "canvas" else 1)


def test_grades_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    grade = grade_of("student-001", {})
    twice: list[Grade] = [grade, dataclasses.replace(grade, submission="other.ipynb")]
    with pytest.raises(CourseError, match=r"student-001.ipynb and other.ipynb; keep one"):
        gradebook.write(twice, [assignment()], tmp_path)
    with pytest.raises(CourseError, match="graded as 'week-9'"):
        gradebook.write([dataclasses.replace(grade, assignment="week-9")], [assignment()], tmp_path)
    assert not list(tmp_path.iterdir())
