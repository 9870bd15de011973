"""What becomes of a run's end; what an exercise forbids brings no points."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.grading.records import Answer
from coursekit.grading.run.protocol import CELL, NOTEBOOK, Ended
from coursekit.grading.verdict import judge
from tests.grading import small_course


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
