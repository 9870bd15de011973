"""Tables of grades."""

import csv
import dataclasses
import random
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.grading.records import Grade
from coursekit.grading.report import gradebook
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
