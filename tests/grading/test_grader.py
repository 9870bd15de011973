"""Whose fault an end of a run was is data: no word in a student's files decides it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading import grader as module
from coursekit.grading.grader import Grader, grade_task
from coursekit.grading.records import Grade, HandedIn, PublicResult
from coursekit.grading.submissions.collect import collect
from coursekit.grading.task import Conditions, Task, make_task
from coursekit.grading.verdict.judge import Judgement, Reference
from tests.grading.small_course import RIGHT, SECRET, answered, assignments, hand_in, make_course

#: What the grader itself says of ends of runs.
WORDS = (
    "lost", "broken", "timeout", "dead", "flooded", "no answer from the fork server",
    "did not start", "the run ended before any answer", "graded twice", "killed", "memory",
)  # fmt: skip


def made(who: HandedIn) -> Grade:
    return Grade(who.student, who.name, "10_light", "", "", notes=who.notes)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return make_course(tmp_path)


@pytest.fixture
def place(course: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Grader]:
    """A grader whose runs are made up: nothing is started."""
    monkeypatch.setattr(Grader, "_executor", lambda self: None)
    monkeypatch.setattr(
        Grader, "prepare", lambda self, name: Reference(assignments(course)[0], course)
    )
    with Grader(assignments(course), SECRET, Conditions()) as made:
        yield made


def runs(monkeypatch: pytest.MonkeyPatch, *faults: bool) -> list[HandedIn]:
    """Judgements that are the grader's fault or not; who was judged."""
    judged: list[HandedIn] = []

    def judge(_: Any, reference: Reference, submission: HandedIn, answers: Any) -> Judgement:
        judged.append(submission)
        return Judgement(made(submission), faults[len(judged) - 1])

    monkeypatch.setattr(module, "judge", judge)
    return judged


def task(course: Path, folder: Path) -> Task:
    [submission] = collect(folder)
    found = make_task(submission, assignments(course), SECRET, Conditions())
    assert isinstance(found, Task)
    return found


@pytest.mark.parametrize("ending", [".rar", ".zip", ".ipynb", ""])
@pytest.mark.parametrize("word", WORDS)
def test_a_students_file_may_have_any_name(
    course: Path, tmp_path: Path, place: Grader, monkeypatch: pytest.MonkeyPatch, word: str,
    ending: str,
) -> None:  # fmt: skip
    folder = tmp_path / "class"
    hand_in(folder, f"ada {word}", answered(course, RIGHT))
    other = folder / f"ada {word}" / f"{word}{ending}"
    other.symlink_to("/dev/null") if not ending else other.write_bytes(b"no archive, no notebook")
    given = collect(folder)
    right = next(s for s in given if s.name.endswith("10_light.ipynb"))
    assert ending == ".ipynb" or any(word in note for note in right.notes)  # so it could be found
    found = make_task(right, assignments(course), SECRET, Conditions())
    assert isinstance(found, Task)
    judged = runs(monkeypatch, False)
    grade = place.grade(found)
    assert len(judged) == 1 and grade.notes == right.notes


def test_what_is_the_graders_fault_is_tried_once_more(
    course: Path, tmp_path: Path, place: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path / "class", "ada", answered(course, RIGHT))
    judged = runs(monkeypatch, True, False)
    found = task(course, tmp_path / "class")
    grade = place.grade(found)
    assert len(judged) == 2 and grade.digest == found.digest
    assert grade.notes == (
        "graded twice, since the first time the grader's own process was lost",
    )  # fmt: skip
    judged = runs(monkeypatch, True, True)
    lost = place.grade(found)
    assert lost.notes == grade.notes and len(judged) == 2
    assert lost.digest == ""  # nothing that the student did: graded anew next time


def test_nothing_is_shown_from_a_run_after_one_that_had_inputs(
    course: Path, tmp_path: Path, place: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path / "class", "ada", answered(course, RIGHT))
    said = iter(("before", "after"))

    def judge(_: Any, reference: Reference, submission: HandedIn, answers: Any) -> Judgement:
        word = next(said)
        shown = (PublicResult("middle", "error", word),)
        return Judgement(replace(made(submission), public=shown), ours=word == "before")

    monkeypatch.setattr(module, "judge", judge)
    grade = place.grade(task(course, tmp_path / "class"))
    assert [shown.message for shown in grade.public] == ["before"]


def test_a_fault_of_the_grader_is_graded_again_next_time(
    course: Path, tmp_path: Path, place: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(tmp_path / "class", "ada", answered(course, RIGHT))
    runs(monkeypatch)  # the first judgement is an IndexError
    grade = grade_task(place, task(course, tmp_path / "class"))
    assert grade.problem.startswith("the grader itself failed: IndexError") and grade.digest == ""
