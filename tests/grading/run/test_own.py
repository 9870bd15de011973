"""The student's own notebook: which cells run, in which order, and for how long."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest

from coursekit.grading.answers.own import OwnNotebook
from coursekit.grading.answers.recover import recover_all
from coursekit.grading.run import patience
from coursekit.grading.run.own import notebook_as_handed_in, written
from coursekit.grading.sandbox.kernel import EACH_BY_ITSELF
from coursekit.lessons.course import Assignment, whole_lesson
from coursekit.lessons.source import read_lesson
from tests.grading.small_lesson import Notebook

LESSON = '''\
# %%
import math

# %% settings
SIZE = 4

# %% unused
OTHER = 5

# %% table
TABLE = {"a": SIZE}

# %% one
def one(x):
    """One."""
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION

# %% check-one points=1
check = Check("one")
seen = one(2)
### BEGIN HIDDEN TESTS
probe = Probe("check-one")
probe.emit("one", one(TABLE), about="x")
### END HIDDEN TESTS

# %% train tags=["slow"]
history = one(9)

# %% two
def two(x):
    """Two."""
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION

# %% check-two points=1
check = Check("two")
### BEGIN HIDDEN TESTS
probe = Probe("check-two")
probe.emit("two", two(1), about="x")
### END HIDDEN TESTS
'''


@pytest.fixture
def assignment(tmp_path: Any) -> Assignment:
    path = tmp_path / "08_own.py"
    path.write_text(LESSON)
    return whole_lesson(read_lesson(path))


def handed_in(notebook: Notebook, *exercises: str) -> dict[str, str]:
    """The cells that run, by id."""
    own = recover_all(notebook.read(), notebook.assignment)[1]
    own = OwnNotebook(own.cells, {"one": notebook.place("check-one") + 1,
                                  "two": notebook.place("check-two") + 1})  # fmt: skip
    cells = notebook_as_handed_in(notebook.assignment, own, exercises)["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells}


def test_cells_run_in_order_and_each_check_s_hidden_half_after_it(assignment: Assignment) -> None:
    notebook = Notebook(assignment).add("one", "x = 1", "%%writefile f.py\ny = 2")
    got = handed_in(notebook, "one", "two")
    assert list(got) == [
        "own-begin", "own-2", "own-4", "own-5", "own-6", "own-7", "hidden-check-one", "own-10",
        "hidden-check-two",
    ]  # fmt: skip
    assert got["own-5"].split("\n") == ["x = 1", "", EACH_BY_ITSELF]
    assert got["own-6"] == "%%writefile f.py\ny = 2", "no line more in what is written"
    assert "own=None" in got["hidden-check-one"] and "defaults=False" in got["hidden-check-one"]
    assert "_keep('TABLE')" in got["own-4"]


def test_a_notebook_runs_no_further_than_the_last_check_that_is_tried(
    assignment: Assignment,
) -> None:
    got = handed_in(Notebook(assignment).add("two", "late = 1"), "one")
    assert list(got)[-1] == "hidden-check-one" and "late" not in str(got)


def test_the_lesson_s_cells_run_where_something_may_use_them(assignment: Assignment) -> None:
    notebook = Notebook(assignment).add("two", "exec('print(OTHER, seen, history)')")
    got = handed_in(notebook, "two")
    assert any(text.startswith("OTHER = 5") for text in got.values()), "a word is use enough"
    assert any("seen = one(2)" in text for text in got.values()), "a trial may use a check's names"
    assert "history = " not in str(got), "what trains for long does not run"


def test_the_lesson_s_own_comes_before_what_a_student_made_of_it(assignment: Assignment) -> None:
    notebook = Notebook(assignment).write("table", "TABLE = None").without("settings")
    got = handed_in(notebook, "one")
    assert list(got)[1:4] == ["lesson-settings", "lesson-table", "own-3"]
    assert "_keep('TABLE')" in got["lesson-table"]


def test_what_trains_is_left_out_when_it_was_changed(assignment: Assignment) -> None:
    notebook = Notebook(assignment).write("train", "history = two(one(10))")
    assert "history = " not in str(handed_in(notebook, "two"))
    own = recover_all(notebook.read(), assignment)[1]
    assert "history" not in str(written(assignment, own, 99))


def test_markers_that_steer_the_tool_are_taken_out(assignment: Assignment) -> None:
    assert "NBVAL" not in str(handed_in(Notebook(assignment).add("one", "#NBVAL_SKIP\nx"), "one"))


class Shell:
    """The events of a shell."""

    def __init__(self) -> None:
        self.events = self
        self.called: dict[str, Any] = {}

    def register(self, name: str, function: Any) -> None:
        self.called[name] = function


def test_a_cell_of_the_student_s_is_stopped_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, timers = Shell(), []
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    monkeypatch.setattr(signal, "setitimer", lambda which, *seconds: timers.append(seconds))
    clock = iter([1.0, 8.0, 10.0, 26.0, 30.0, 31.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    monkeypatch.setenv("PIP_NO_INDEX", "")
    patience.begin()
    cell = type("Cell", (), {"raw_cell": ""})
    for text in ("x\n" + EACH_BY_ITSELF, "_hidden('…')", "%%time\nx", "y\n" + EACH_BY_ITSELF):
        cell.raw_cell = text
        shell.called["pre_run_cell"](cell)
        shell.called["post_run_cell"](None)
    assert timers == [(5.0, 1.0), (0,), (0,), (5.0, 1.0), (0,), (1.0, 1.0), (0,)]
    with pytest.raises(TimeoutError, match="beside the answers"):
        patience._too_long(14, None)
