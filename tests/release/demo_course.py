"""A small lesson with everything that a release must treat rightly."""

from __future__ import annotations

from pathlib import Path

LESSON = '''\
# %% [markdown]
# # 7 · Sums
#
# A hint that gives a line away on purpose: `doubled = x + x`.

# %%
import math

from coursekit.checks import Check

# %% twice
def twice(x):
    """Two times x."""
    ### BEGIN SOLUTION
    doubled = x + x
    return math.fsum([doubled])  # a float, whatever comes in
    ### END SOLUTION

# %% check-twice points=2
check = Check("twice")
check.catches(9, twice(3), "this is the square")
check.equal(twice(3), 6, "not twice as much")
check.passed("three becomes six")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-twice")
number = probe.given("number", lambda rng: rng.integers(-99, 0) * 1.5)
# somebody will take the absolute value
for sign, about in ((1, "a negative number"), (-1, "a positive number")):
    probe.emit(f"sign {sign}", twice(sign * number), about)
### END HIDDEN TESTS

# %% [markdown]
# Between the exercises.

# %% shift
def shift(values, by):
    ### BEGIN SOLUTION
    first = values[:by]
    rest = values[by:]
    return rest + first
    ### END SOLUTION

# %% check-shift points=1
check = Check("shift")
check.equal(shift([1, 2, 3], 1), [2, 3, 1], "the first goes to the end")
check.passed("one step")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-shift")
probe.emit("far", shift([5, 6, 7, 8], 3), about="three steps")
### END HIDDEN TESTS

# %% last
class Last:
    def __init__(self, values):
        ### BEGIN SOLUTION
        self.values = shift(values, len(values) - 1)
        ### END SOLUTION

    def get(self):
        ### BEGIN SOLUTION
        return self.values[0]
        ### END SOLUTION

# %% check-last points=4
check = Check("last")
check.equal(Last([1, 2]).get(), 2, "not the last one")
check.passed("two values")

# %% train tags=["slow"]
raise SystemError("too slow to run here")
'''

COURSE = """\
[[assignment]]
name = "week-3"
lesson = "07_sums"
exercises = ["twice"]
given = ["shift"]
due = 2026-12-01T23:59:00+01:00
[assignment.points]
check-twice = 5
"""


def write_course(folder: Path, course: str = COURSE, lesson: str = LESSON) -> Path:
    """A notebooks folder with this lesson and course file."""
    (folder / "source").mkdir(parents=True)
    (folder / "source" / "07_sums.py").write_text(lesson, encoding="utf-8")
    if course:
        (folder / "course.toml").write_text(course, encoding="utf-8")
    return folder
