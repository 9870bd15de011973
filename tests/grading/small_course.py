"""A course of one light lesson, and notebooks that answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from coursekit.lessons.course import Assignment, read_assignments
from coursekit.lessons.notebook import make_notebook, to_bytes

SOURCE = '''# %% [markdown]
# # 10 · A light lesson
#
# ## Exercise 1: twice

# %%
import numpy as np

from coursekit.checks import Check

# %% twice
def twice(x):
    """Two times x."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% check-twice points=1
check = Check("twice")
check.equal(twice(3), 6, "twice three is six")
check.passed("doubled")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-twice")
x = probe.given("x", lambda rng: rng.integers(-99, 99, 20))
probe.emit("twice", twice(x), about="other numbers")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: the mean

# %% middle
def middle(values):
    """The mean of the values."""
    ### BEGIN SOLUTION
    return np.mean(values)
    ### END SOLUTION

# %% check-middle points=2
check = Check("middle")
check.close(middle([1, 2, 6]), 3, "add them up and divide by how many there are")
check.passed("the mean")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-middle")
values = probe.given("values", lambda rng: rng.normal(size=50))
probe.emit("middle", middle(values), about="fifty numbers")
### END HIDDEN TESTS
'''

RIGHT = {
    "twice": "def twice(x):\n    return x + x",
    "middle": "def middle(values):\n    return sum(values) / len(values)",
}
SECRET = "a secret of the tests"


def make_course(folder: Path) -> Path:
    """Write the course; the folder of its notebooks."""
    source = folder / "notebooks" / "source" / "10_light.py"
    source.parent.mkdir(parents=True)
    source.write_text(SOURCE)
    return folder / "notebooks"


def assignments(notebooks: Path) -> list[Assignment]:
    """Its one assignment."""
    return read_assignments(notebooks)


def answered(notebooks: Path, answers: Mapping[str, str]) -> bytes:
    """The student's notebook with these answers written into it."""
    lesson = assignments(notebooks)[0].lesson
    cells = [replace(c, source=answers.get(c.id, c.source)) for c in lesson.student()]
    return to_bytes(make_notebook(cells))


def hand_in(folder: Path, student: str, content: bytes) -> None:
    """Put a notebook into a student's folder."""
    place = folder / student / "10_light.ipynb"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
