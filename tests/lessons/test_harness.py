"""The harness finds what is wrong with a lesson's checks."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.lessons.source import Lesson, read_lesson
from tests.lessons.harness import Answers, problems

LESSON = """\
# %%
from dataclasses import dataclass
from coursekit.checks import Check

# %% tags=["slow"]
raise RuntimeError("a slow cell was run")

# %% twice points=1
def twice(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %%
@dataclass
class Pair:
    value: int = twice(1) if False else 2

# %% check-twice
check = Check("twice")
check.catches(25, twice(5), "that is the square")
check.equal(twice(5), 10, "twice 5 is 10")
check.passed("doubled")
"""
SQUARE, THRICE, NOTHING = (f"def twice(x):\n    return {v}\n" for v in ("x * x", "3 * x", "None"))
SUM = "def twice(x):\n    return x + x\n"


@pytest.fixture
def lesson(tmp_path: Path) -> Lesson:
    return read(tmp_path, LESSON)


def read(folder: Path, text: str) -> Lesson:
    path = folder / "09_test.py"
    path.write_text(text, encoding="utf-8")
    return read_lesson(path)


GOOD = [(SQUARE, "Square"), (THRICE, "twice 5"), (THRICE.replace("3", "4"), "expected 10")]


def test_a_good_lesson_has_no_problems(lesson: Lesson) -> None:
    assert problems(lesson, Answers({"twice": GOOD}, {"twice": [SUM]})) == []


@pytest.mark.parametrize(
    ("wrong", "right", "words"),
    [
        (GOOD[:2], [SUM], "2 wrong answers; plant 3"),
        (GOOD, [], "0 other right answers"),
        ([*GOOD, (SUM, "sum")], [SUM], "wrong answer 4 gives no error"),
        ([*GOOD, (THRICE, "square")], [SUM], "wrong answer 4: 'square' is not in"),
        ([*GOOD, ("def twice():\n    1\n", "")], [SUM], "wrong answer 4 gives TypeError"),
        (GOOD, [SUM, SQUARE], "right answer 2 gives CheckFailed"),
    ],
)
def test_what_is_wrong_is_told(
    lesson: Lesson, wrong: list[tuple[str, str]], right: list[str], words: str
) -> None:
    (problem,) = problems(lesson, Answers({"twice": wrong}, {"twice": right}))
    assert problem.startswith("twice: ") and words in problem


def test_a_check_that_passes_on_the_stub_is_told(tmp_path: Path) -> None:
    lesson = read(tmp_path, LESSON[: LESSON.index("check.catches")] + "check.passed('-')\n")
    found = problems(lesson, Answers({"twice": GOOD}, {"twice": [SUM]}))
    assert "the stub gives no error" in found[0] and len(found) == 4


def test_answers_to_no_exercise_are_told(lesson: Lesson) -> None:
    answers = Answers({"twice": GOOD, "once": []}, {"twice": [SUM]})
    assert problems(lesson, answers) == ["once: no such exercise in 09_test"]


def test_a_check_under_another_name_is_told(tmp_path: Path) -> None:
    lesson = read(tmp_path, LESSON.replace('Check("twice")', 'Check("double")'))
    found = problems(lesson, Answers({"twice": GOOD}, {"twice": [SUM]}))
    assert len(found) == 3 and "fails double" in found[0]
