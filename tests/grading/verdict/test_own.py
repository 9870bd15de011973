"""The last try brings points that hidden tests prove, says so, and keeps what was there before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.answers.own import OwnCell, OwnNotebook
from coursekit.grading.records import Answer, CheckResult, Grade, PublicResult
from coursekit.grading.run.executor import Run, Timeouts
from coursekit.grading.run.protocol import CELL, Ended
from coursekit.grading.verdict import own as module
from coursekit.grading.verdict.judge import Reference
from coursekit.grading.verdict.own import judge_in_own
from tests.grading import small_course

CELLS = (
    OwnCell(2, "T = {}", "", frozenset()),
    OwnCell(4, "def middle(values):\n    return T[0](values)", "", frozenset({"middle"})),
)
OWN = OwnNotebook(CELLS, {"middle": 5})
BEFORE = CheckResult("check-middle", "middle", 2, "error", ("the answer ends with an exception",))
GRADE = Grade(
    "ann", "ann/10.ipynb", "10_light", "", "unshare",
    answers=(Answer("middle", None, "", "missing", ("No cell defines middle.",)),),
    checks=(CheckResult("check-twice", "twice", 1, "wrong", ("another shape",)), BEFORE),
    public=(PublicResult("middle", "error", "KeyError: 0\n<b>"),), seconds=3.0,
)  # fmt: skip


class Runs:
    """An executor that makes its runs up."""

    timeouts = Timeouts()

    def __init__(self, outcome: str, ended: Ended | None = None, borrowed: str = "nothing") -> None:
        self.asked: list[dict[str, Any]] = []
        self._outcome, self._ended, self._borrowed = outcome, ended, borrowed

    def run(self, notebook: dict[str, Any], target: Path, **more: Any) -> Run:
        self.asked.append(more)
        cells = {c["id"]: "passed" for c in notebook["cells"]}
        cells["hidden-check-middle"] = self._outcome
        (target / "emitted" / "borrowed").mkdir(parents=True)
        (target / "emitted" / "borrowed" / f"{self._borrowed}.json").touch()
        if self._ended and not self._outcome:
            cells = {"own-begin": "passed", "own-2": "ended"}
        return Run(cells, self._ended, target)


@pytest.fixture
def reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reference:
    monkeypatch.setattr(module, "compare", lambda *given: ("passed", ()))
    (assignment,) = small_course.assignments(small_course.make_course(tmp_path))
    (tmp_path / "given").mkdir()
    return Reference(assignment, tmp_path)


def judged(reference: Reference, runs: Any, grade: Grade = GRADE, own: OwnNotebook = OWN) -> Grade:
    return judge_in_own(runs, reference, own, grade)


def test_points_that_are_proved_there_count_and_it_is_said(reference: Reference) -> None:
    runs = Runs("passed")
    grade = judged(reference, runs)
    assert grade.earned == 2 and grade.checks[0] == GRADE.checks[0]
    assert grade.checks[1] == replace(BEFORE, status="passed", reasons=())
    (answer,) = grade.answers
    assert (answer.status, answer.found_by, answer.source) == ("found", "run", CELLS[1].text)
    assert answer.notes[:-1] == ("No cell defines middle.",)
    assert answer.notes[-1] == (
        "Judged in the student's own notebook, cells 2 to 4 as handed in. In the course's the "
        "answer alone is not enough: KeyError: 0 <b>."
    )
    assert grade.public == () and grade.seconds >= 3.0
    (asked,) = runs.asked
    assert asked["given"] == (reference.folder / "given", "hidden-check-middle")
    assert asked["seconds"] == 60.0 and not asked.get("keep_outputs")


@pytest.mark.parametrize(
    ("outcome", "ended", "words"),
    [
        ("failed", None, "it fails there as well"),
        ("skipped", None, "it fails there as well"),
        ("", Ended("timeout", CELL), "that did not come to this check (cell 2: timeout: cell)"),
        ("ended", Ended("dead", "exit 73"), "that did not come to this check (dead)"),
    ],
)
def test_a_try_that_brings_nothing_is_said(
    reference: Reference, outcome: str, ended: Ended | None, words: str
) -> None:
    grade = judged(reference, Runs(outcome, ended))
    said = f"It was tried in the student's own notebook, too, cells 2 to 4 as handed in: {words}."
    assert grade.checks[1] == replace(BEFORE, reasons=(*BEFORE.reasons, said))
    assert (grade.answers, grade.public) == (GRADE.answers, GRADE.public)


def test_a_part_that_is_borrowed_there_brings_nothing(reference: Reference) -> None:
    grade = judged(reference, Runs("passed", borrowed="middle"))
    assert grade.earned == 0 and grade.checks[1].status == "error"
    assert "there the course's own part stands in place" in grade.checks[1].reasons[-1]


def test_other_results_than_the_solution_s_bring_nothing(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "compare", lambda *given: ("wrong", ("another shape",)))
    assert judged(reference, Runs("passed")).checks[1].status == "error"


@pytest.mark.parametrize("status", ["passed", "timeout", "dead", "flooded"])
def test_only_what_failed_is_tried(reference: Reference, status: str) -> None:
    grade = replace(GRADE, checks=(GRADE.checks[0], replace(BEFORE, status=status)))
    assert judged(reference, Runs("passed"), grade) == grade
    assert judged(reference, Runs("passed"), own=OwnNotebook(CELLS, {})) == GRADE


def test_without_time_it_is_not_run(reference: Reference) -> None:
    runs = Runs("passed")
    grade = judged(reference, runs, replace(GRADE, seconds=179.5))
    assert not runs.asked and "time was up" in grade.checks[1].reasons[-1]


def test_what_is_forbidden_may_stand_in_no_cell(
    tmp_path: Path, reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = 'check = Check("middle")\ncheck.forbids("np.average", because="add them up")'
    source = small_course.SOURCE.replace('check = Check("middle")', rule)
    monkeypatch.setattr(small_course, "SOURCE", source)
    (assignment,) = small_course.assignments(small_course.make_course(tmp_path / "other"))
    there = Reference(assignment, reference.folder)
    assert judged(there, Runs("passed")).earned == 2
    text = "t = T\nt.update({0: getattr(np, 'average')})"
    own = OwnNotebook((*CELLS, OwnCell(5, text, "", frozenset())), OWN.until)
    grade = judged(there, Runs("passed"), own=own)
    assert grade.earned == 0 and "np.average, which the exercise forbids" in str(grade.checks[1])
