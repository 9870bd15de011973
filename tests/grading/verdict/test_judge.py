"""What becomes of a run's end; what an exercise forbids brings no points."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.checks.borrowing import BORROWED
from coursekit.grading.records import Answer
from coursekit.grading.run.assemble import solutions
from coursekit.grading.run.protocol import CELL, NOTEBOOK, Ended
from coursekit.grading.verdict import judge
from coursekit.lessons.course import whole_lesson
from coursekit.lessons.source import read_lesson
from coursekit.parts import borrowing
from tests.grading import small_course

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"


@pytest.mark.parametrize(
    ("body", "status"),
    [("return np.average(values)", "wrong"), ("return sum(values) / len(values)", "passed")],
)
def test_a_forbidden_function_in_the_answer_s_text_brings_no_points(
    body: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = 'check = Check("middle")\ncheck.forbids("np.average", because="add them up")'
    source = small_course.SOURCE.replace('check = Check("middle")', rule)
    monkeypatch.setattr(small_course, "SOURCE", source)
    (assignment,) = small_course.assignments(small_course.make_course(tmp_path))
    reference = judge.Reference(assignment, tmp_path)
    text = f"def middle(values):\n    {body}\nprint(np.average([1]))"
    attempt = judge._Attempt({}, {}, results={"check-middle": ("passed", ())})
    _, result = judge._results(reference, (Answer("middle", text, "id", "found"),), attempt)
    assert result.status == status
    assert (result.reasons == ()) == (status == "passed")
    if result.reasons:
        assert "`np.average`, which this exercise forbids: add them up" in result.reasons[0]


def test_a_part_that_is_borrowed_costs_the_points_of_its_exercise(tmp_path: Path) -> None:
    lesson = read_lesson(NOTEBOOKS / "source" / "00_welcome.py")
    assignment = whole_lesson(lesson)
    sources = solutions(assignment) | {"paint": borrowing(lesson.name, "paint")}
    answers = tuple(Answer(name, text, "id", "found") for name, text in sources.items())
    passed = dict.fromkeys(assignment.points, ("passed", ()))
    attempt = judge._Attempt(sources, sources, results=dict(passed))
    results = list(judge._results(judge.Reference(assignment, tmp_path), answers, attempt))
    assert [r.status for r in results] == ["borrowed", "passed", "passed"]
    assert [r.earned for r in results] == [0, *(r.points for r in results[1:])]
    assert results[0].reasons == (BORROWED,)


@pytest.mark.parametrize(
    ("ended", "status"),
    [
        (Ended("timeout", CELL), "timeout"),
        (Ended("timeout", NOTEBOOK), "timeout"),
        (Ended("flooded"), "flooded"),
        (Ended("dead", "memory"), "dead"),
        (Ended("dead", "disk"), "dead"),
        (Ended("dead", "seconds"), "timeout"),
        (Ended("dead", "signal 9"), "dead"),
        (Ended("dead", "lost", ours=True), "dead"),
        (Ended("broken", "timeout: flooded: memory", ours=True), "dead"),
    ],
)
def test_each_end_has_a_status(ended: Ended, status: str) -> None:
    assert judge._ending(ended)[0] == status
