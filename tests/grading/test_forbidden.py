"""What an exercise forbids brings no points, whatever the student's kernel emitted."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.grading import grade
from coursekit.grading.records import Answer
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
    prepared = grade.Prepared(assignment, tmp_path, "")
    text = f"def middle(values):\n    {body}\nprint(np.average([1]))"
    attempt = grade._Attempt({}, {}, results={"check-middle": ("passed", ())})
    _, result = grade._results(prepared, (Answer("middle", text, "id", "found"),), attempt)
    assert result.status == status
    assert (result.reasons == ()) == (status == "passed")
    if result.reasons:
        assert "`np.average`, which this exercise forbids: add them up" in result.reasons[0]
