"""What becomes of a run's end; what an exercise forbids brings no points."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.records import Answer, HandedIn
from coursekit.grading.run.executor import Run, Timeouts
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


class Runs:
    """Runs nothing: cells pass but those that are told to end, hang or fail."""

    timeouts, isolation = Timeouts(), "none"

    def __init__(self, hangs: str, fails: str) -> None:
        self.hangs, self.fails = hangs, fails
        self.had_inputs: list[bool] = []
        self.shown: list[bool] = []

    def run(self, notebook: Any, target: Path, *, given: Any = None, keep_outputs: bool = False,
            seconds: float = 0) -> Run:  # fmt: skip
        cells, outputs, ended = {}, {}, None
        for name in (cell["id"] for cell in notebook["cells"]):
            error = {"output_type": "error", "ename": "CheckFailed", "evalue": f"{name} complains"}
            cells[name] = "failed" if name == self.fails else "passed"
            outputs[name] = [error] if name == self.fails else []
            if name == self.hangs and "twice" in cells:
                cells[name], ended = "ended", Ended("timeout", CELL)
                break
        self.had_inputs.append(given is not None and any(n.startswith("hidden-") for n in cells))
        self.shown.append(keep_outputs)
        return Run(cells, ended, target, outputs)


@pytest.mark.parametrize("hangs", ["twice", "check-twice", "hidden-check-twice", "nothing"])
def test_what_is_shown_comes_before_any_input_also_beside_an_answer_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hangs: str
) -> None:
    monkeypatch.setattr(judge, "compare", lambda *_: ("wrong", ()))
    (assignment,) = small_course.assignments(small_course.make_course(tmp_path))
    for kind in ("given", "emitted/check-twice", "emitted/check-middle"):
        (tmp_path / "reference" / kind).mkdir(parents=True)
    reference = judge.Reference(assignment, tmp_path / "reference")
    answers = tuple(Answer(n, t, "id", "found") for n, t in small_course.RIGHT.items())
    runs = Runs(hangs, "check-middle")
    got: Any = judge.judge(runs, reference, HandedIn("ada", "ada", b""), answers)  # type: ignore[arg-type]
    told = {p.exercise: p for p in got.grade.public}
    assert told["middle"].status == "failed" and "complains" in told["middle"].message
    first = runs.had_inputs.index(True)
    assert not any(runs.shown[first + 1 :])
