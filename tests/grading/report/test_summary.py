"""The class in numbers, and what to look at."""

import dataclasses

import pytest

from coursekit.grading.records import Answer, Grade
from coursekit.grading.report import attention, summary
from coursekit.grading.report.book import collect
from coursekit.grading.report.class_page import histogram
from tests.grading.report.made_class import assignment, grade_of

WRONG = {"check-paint": "wrong", "check-count-pixels": "wrong", "check-mirror": "wrong"}


def test_where_scores_lie() -> None:
    spread = summary.spread([0, 5, 9.99, 10, 55, 90, 100])
    assert spread.bins == (3, 1, 0, 0, 0, 1, 0, 0, 0, 2)
    assert spread.number == 7 and spread.median == 10 and spread.highest == 100
    assert spread.mean == pytest.approx(269.99 / 7)
    assert summary.spread([]).bins == (0,) * 10


def test_a_third_and_a_half_lie_where_they_should() -> None:
    assert summary.spread([100 * 3 / 10, 100 * 7 / 10, 100 * 29 / 100]).bins[2:8] == (
        1, 1, 0, 0, 0, 1,
    )  # fmt: skip


def test_the_highest_bar_has_the_whole_height() -> None:
    bars = histogram((0, 2, 4))
    assert [bar.height for bar in bars] == [0, 75, 150]
    assert [bar.y for bar in bars] == [150, 75, 0]
    assert histogram((0,) * 10)[0].height == 0


def test_how_hard_a_check_is() -> None:
    statuses = [{}, {}, WRONG, {**WRONG, "check-paint": "passed"}, {"check-mirror": "timeout"}]
    grades = [grade_of(f"student-{i}", {}, s) for i, s in enumerate(statuses)]
    checks = {c.check: c for c in summary.of_checks(collect(grades, [assignment()]), assignment())}
    assert checks["check-paint"].rate == 80 and checks["check-mirror"].rate == 40
    assert checks["check-mirror"].statuses == {"passed": 2, "wrong": 2, "timeout": 1}
    # passed 1 1 0 0 0 beside 2 2 0 1 2 of the rest, with pencil: 0.6 * 5 / sqrt(1.2 * 3.2 * …)
    assert checks["check-mirror"].discrimination == pytest.approx(0.6124, abs=1e-4)


def test_no_correlation_where_all_are_equal() -> None:
    grades = [grade_of(f"student-{i}", {}) for i in range(3)]
    for check in summary.of_checks(collect(grades, [assignment()]), assignment()):
        assert check.discrimination is None and check.rate == 100
    for check in summary.of_checks(collect([], [assignment()]), assignment()):
        assert check.discrimination is None and check.rate == 0


def titles(grade: Grade) -> list[str]:
    return [group.title for group in attention.groups([grade])]


def test_an_ordinary_grade_is_nothing_to_look_at() -> None:
    grade = grade_of("student-001", {"paint": "x", "mirror": "y"}, {"check-paint": "wrong"})
    assert titles(grade) == []


@pytest.mark.parametrize(
    ("title", "change"),
    [
        ("Not graded at all", {"problem": "the zip holds no notebook"}),
        ("Answers not found", {"answers": (Answer("paint", None, "", "missing"),)}),
        ("Answers that are not Python", {"answers": (Answer("paint", "(", "id", "unreadable"),)}),
        ("Recovered answers", {"answers": (Answer("paint", "x", "definition", "found"),)}),
        ("Recovered answers", {"answers": (Answer("paint", "x", "id", "found", ("two of it",)),)}),
        ("Notes of the grader", {"notes": ("run again",)}),
        ("No sandbox", {"isolation": "none"}),
    ],
)
def test_what_is_to_be_looked_at(title: str, change: dict[str, object]) -> None:
    assert titles(dataclasses.replace(grade_of("student-001", {}), **change)) == [title]


@pytest.mark.parametrize(
    ("status", "title"),
    [("timeout", "Too slow"), ("dead", "Ended the kernel"), ("flooded", "Printed without end")],
)
def test_runs_that_broke(status: str, title: str) -> None:
    grade = grade_of("student-001", {}, {"check-paint": status})
    (group,) = attention.groups([grade])
    assert group.title == title
    assert group.items == (attention.Item("student-001", "00_welcome", "check-paint", ""),)


def test_what_could_not_be_graded_is_said_once() -> None:
    missing = tuple(Answer(name, None, "", "missing") for name in ("paint", "mirror"))
    grade = dataclasses.replace(
        grade_of("student-001", {}), problem="not JSON", answers=missing, isolation=""
    )  # fmt: skip
    assert titles(grade) == ["Not graded at all"]
