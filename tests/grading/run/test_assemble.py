"""The notebooks that are run: what of a lesson is in them, and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from coursekit.grading.run.assemble import (
    hidden_notebook,
    public_notebook,
    solutions,
    whole_notebook,
)
from coursekit.lessons.course import Assignment, whole_lesson
from coursekit.lessons.source import read_lesson

SOURCE = """# %% [markdown]
# # Ten · a lesson

# %%
import math

import torch

# %%
LIMIT = 3
print(LIMIT)

# %% tags=["slow"]
trained = 12

# %%
for name in ("a", "b"):
    print(name, trained)

# %% double
def double(x):
    ### BEGIN SOLUTION
    return min(2 * x, LIMIT)
    ### END SOLUTION

# %% check-double points=1
shown = double(1)
assert shown == 2
### BEGIN HIDDEN TESTS
emit(double(math.pi))
### END HIDDEN TESTS

# %%
print(double(2), shown)
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Assignment:
    path = tmp_path / "10_ten.py"
    path.write_text(SOURCE)
    return whole_lesson(read_lesson(path))


def _text(notebook: dict) -> str:
    return "\n".join("".join(cell["source"]) for cell in notebook["cells"])


def test_the_deciding_notebook_has_what_is_needed_and_no_public_half(lesson: Assignment) -> None:
    notebook = hidden_notebook(lesson, {"double": "def double(x):\n    return x + x"})
    ids = [cell["id"] for cell in notebook["cells"]]
    assert ids == ["lesson-10-2", "double", "hidden-check-double"]
    assert "return x + x" in _text(notebook) and "min(2 * x" not in _text(notebook)
    assert "emit(double(math.pi))" in _text(notebook) and "assert shown" not in _text(notebook)


def test_hidden_tests_are_run_apart_and_lessons_names_are_kept(lesson: Assignment) -> None:
    answers = {"double": "from x import *\ndef double(x):\n    return 3"}
    deciding = hidden_notebook(lesson, solutions(lesson))["cells"]
    whole = whole_notebook(lesson, answers)["cells"]
    assert "".join(deciding[1]["source"]).endswith("import keep as _keep; _keep('LIMIT')")
    said = "answers=['double'], own=['double'], defaults=True)"
    assert "".join(deciding[-1]["source"]).endswith(said)
    said = "answers=['double'], own=None, defaults=False)"
    assert "".join(whole[-1]["source"]).endswith(said), "after stars, with the student's settings"
    assert "_hidden" not in _text(public_notebook(lesson, answers))


def test_an_answer_brings_in_the_cells_that_it_uses(lesson: Assignment) -> None:
    notebook = hidden_notebook(lesson, solutions(lesson))
    assert "LIMIT = 3" in _text(notebook)
    assert "trained" not in _text(notebook)


def test_the_explaining_notebook_holds_nothing_hidden(lesson: Assignment) -> None:
    text = _text(public_notebook(lesson, solutions(lesson)))
    assert "assert shown == 2" in text
    assert "emit" not in text and "HIDDEN" not in text


def test_without_an_answer_its_check_is_still_tried(lesson: Assignment) -> None:
    ids = [cell["id"] for cell in hidden_notebook(lesson, {})["cells"]]
    assert "double" not in ids and "hidden-check-double" in ids


def test_an_ungraded_exercise_is_the_student_s_own_unless_it_was_given(lesson: Assignment) -> None:
    text = SOURCE.replace("emit(double(math.pi))", "emit(twice(double(math.pi)))")
    text += SOURCE[SOURCE.index("# %% double") :].replace("double", "twice")
    path = lesson.lesson.path.with_name("11_two.py")
    path.write_text(text)
    both = whole_lesson(read_lesson(path))
    second = replace(
        both, exercises=both.exercises[1:], points={"check-twice": 1}, given=("double",)
    )
    own = {
        "double": "def double(x):\n    return 'mine'",
        "twice": "def twice(x):\n    return double(x)",
    }
    assert "min(2 * x" in _text(hidden_notebook(second, own))
    assert "mine" not in _text(hidden_notebook(second, own))
    practice = replace(second, given=())
    assert "mine" in _text(hidden_notebook(practice, own))
    assert "min(2 * x" not in _text(hidden_notebook(practice, own))
    alone = own | {"twice": "def twice(x):\n    return x"}
    assert "mine" not in _text(hidden_notebook(practice, alone))


def test_a_check_that_is_hidden_throughout_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "10_ten.py"
    path.write_text(SOURCE.replace("shown = double(1)\nassert shown == 2\n", ""))
    notebook = hidden_notebook(whole_lesson(read_lesson(path)), {"double": "double = abs"})
    assert "emit(double(math.pi))" in _text(notebook)
