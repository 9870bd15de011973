"""The course file: what it selects, and errors that name the file and the mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.lessons.course import Assignment, read_assignments

LESSON = "# %% [markdown]\n# # A lesson\n"
for name in ("one", "two", "three"):
    LESSON += f"""
# %% {name}
def {name}(x):
    ### BEGIN SOLUTION
    return x + 1
    ### END SOLUTION

# %% check-{name} points=2
assert {name}(1) == 2
"""
LESSON += "\n# %% check-three-2 points=1\nassert three(2) == 3\n"

WEEK = '[[assignment]]\nname = "week-2"\nlesson = "07_demo"\n'


@pytest.fixture
def notebooks(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    for name in ("07_demo", "08_more"):
        (tmp_path / "source" / f"{name}.py").write_text(LESSON, encoding="utf-8")
    return tmp_path


def read(notebooks: Path, course: str, *only: str) -> list[Assignment]:
    (notebooks / "course.toml").write_text(course, encoding="utf-8")
    return read_assignments(notebooks, only or None)


def test_without_a_course_file_every_lesson_is_one(notebooks: Path) -> None:
    first, second = read_assignments(notebooks)
    assert (first.name, second.name) == ("07_demo", "08_more")
    assert first.points == {"check-one": 2, "check-two": 2, "check-three": 2, "check-three-2": 1}
    assert (first.total, first.due, first.given, first.practice) == (7, None, (), ())
    assert [a.name for a in read_assignments(notebooks, ["08"])] == ["08_more"]


def test_a_selection(notebooks: Path) -> None:
    (found,) = read(
        notebooks,
        WEEK + 'exercises = ["three", "one"]\ndue = 2026-12-01T23:59:00+01:00\n'
        "[assignment.points]\ncheck-one = 5\ncheck-three-2 = 0\n",
    )
    assert [e.name for e in found.exercises] == ["one", "three"]  # in the lesson's order
    assert found.points == {"check-one": 5, "check-three": 2, "check-three-2": 0}
    assert found.due == "2026-12-01T23:59:00+01:00"
    assert (found.practice, found.given, found.total) == (("two",), (), 7)
    assert [found.worth(e) for e in found.lesson.exercises] == [5, 0, 2]


def test_what_is_given_is_not_graded(notebooks: Path) -> None:
    (found,) = read(notebooks, WEEK + 'given = ["one"]\n')
    assert [e.name for e in found.exercises] == ["two", "three"]
    assert (found.given, found.practice) == (("one",), ())
    assert "check-one" not in found.points


def test_names_choose(notebooks: Path) -> None:
    course = WEEK + WEEK.replace("week-2", "week-3").replace("07_demo", "08")
    assert [a.name for a in read(notebooks, course)] == ["week-2", "week-3"]
    (found,) = read(notebooks, course, "week-3")
    assert found.lesson.name == "08_more"
    with pytest.raises(CourseError, match="no assignment '07_demo'; it has week-2, week-3"):
        read(notebooks, course, "07_demo")


def test_another_course_file(notebooks: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "autumn.toml"
    with pytest.raises(CourseError, match=r"autumn\.toml: cannot be read"):
        read_assignments(notebooks, None, elsewhere)
    elsewhere.write_text(WEEK, encoding="utf-8")
    assert [a.name for a in read_assignments(notebooks, None, elsewhere)] == ["week-2"]


@pytest.mark.parametrize(
    ("course", "words"),
    [
        ("\nassignment = x\n", r"is not TOML \(.*line 2"),
        ("", r"begin each assignment with a line \[\[assignment\]\]"),
        ('[assignment]\nname = "x"\n', r"with a line \[\[assignment\]\]"),
        ("assignment = [1]\n", r"with a line \[\[assignment\]\]"),
        ('title = "x"\n' + WEEK, r"unknown title; .*\[\[assignment\]\]"),
        (WEEK.replace('name = "week-2"\n', ""), "assignment 1: name = None"),
        (WEEK.replace("week-2", "../week"), "letters, digits"),
        (WEEK.replace("week-2", "week 2"), "letters, digits"),
        (WEEK + WEEK.replace("week", "Week"), "two assignments are called 'Week-2'"),
        (WEEK + "points_total = 3\n", "'week-2': unknown points_total; there are due, exercises"),
        (WEEK.replace('lesson = "07_demo"\n', ""), "name its lesson, such as"),
        (WEEK.replace("07_demo", "09_none"), "no lesson 09_none; there are 07_demo, 08_more"),
        (WEEK + 'exercises = ["four"]\n', "no exercise four; it has one, two, three"),
        (WEEK + 'given = ["four"]\n', "no exercise four"),
        (WEEK + 'exercises = "one"\n', r'exercises is a list of names, such as \["one"\]'),
        (WEEK + "given = [1]\n", "given is a list of names"),
        (WEEK + "exercises = []\n", "no exercise is graded"),
        (WEEK + 'given = ["one", "two", "three"]\n', "no exercise is graded"),
        (WEEK + 'exercises = ["one", "one"]\n', "names an exercise twice"),
        (WEEK + 'exercises = ["one"]\ngiven = ["one"]\n', "one: graded and given"),
        (WEEK + "points = 3\n", "write points as a table"),
        (WEEK + "[assignment.points]\ncheck-four = 1\n", "points for 'check-four'.*check-one"),
        (WEEK + 'given = ["one"]\n[assignment.points]\ncheck-one = 1\n', "points for 'check-one'"),
        (WEEK + "[assignment.points]\ncheck-one = -1\n", "check-one = -1; give a whole number"),
        (WEEK + "[assignment.points]\ncheck-one = 1.5\n", "check-one = 1.5; give a whole number"),
        (WEEK + "[assignment.points]\ncheck-one = true\n", "check-one = True; give a whole"),
        (WEEK + "due = 2026-12-01T23:59:00\n", "says no moment"),
        (WEEK + "due = 2026-12-01\n", "says no moment"),
        (WEEK + 'due = "2026-12-01T23:59:00+01:00"\n', "without quotes"),
    ],
)
def test_what_is_wrong_is_named(notebooks: Path, course: str, words: str) -> None:
    with pytest.raises(CourseError, match=words) as caught:
        read(notebooks, course)
    assert str(caught.value).startswith(f"{notebooks / 'course.toml'}: ")


def test_a_course_file_that_is_no_text(notebooks: Path) -> None:
    (notebooks / "course.toml").write_bytes(b"name = '\xff'\n")
    with pytest.raises(CourseError, match="is not TOML"):
        read_assignments(notebooks)


def test_a_lesson_that_is_not_in_order_is_named_with_the_assignment(notebooks: Path) -> None:
    (notebooks / "source" / "07_demo.py").write_text("# %% X\n1\n", encoding="utf-8")
    with pytest.raises(CourseError, match=r"'week-2': .*07_demo\.py:1: 'X' is no name"):
        read(notebooks, WEEK)
