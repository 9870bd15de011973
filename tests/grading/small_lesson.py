"""A small lesson, and a student's notebook of it to tamper with."""

from __future__ import annotations

import ast
import json
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from coursekit.grading.answers.own import OwnNotebook
from coursekit.grading.answers.recover import recover, recover_all
from coursekit.grading.records import Answer
from coursekit.grading.submissions.read import read_notebook
from coursekit.lessons.course import Assignment, whole_lesson
from coursekit.lessons.notebook import make_notebook, to_bytes
from coursekit.lessons.source import read_lesson

LESSON = '''\
# %% [markdown]
# # A small lesson

# %%
import math
from pathlib import Path

# %% settings
SIZE = 4
order = [1, 2, 3]

def fit(x):
    return x[:SIZE]

# %% [markdown]
# Write `blend`, which mixes two lists.

# %% blend
def blend(first, second):
    """Mix."""
    ### BEGIN SOLUTION
    return [a + b for a, b in zip(first, second)]
    ### END SOLUTION

# %% check-blend points=1
check = Check("blend")
got = blend([1], [2])
check.equal(got, [3], "not mixed")

# %% [markdown]
# Write both.

# %% pair
class Box:
    """Holds a size."""

    def __init__(self, size: int) -> None:
        ### BEGIN SOLUTION
        self.size = size
        ### END SOLUTION

    def area(self) -> int:
        ### BEGIN SOLUTION
        return self.size ** 2
        ### END SOLUTION

def boxes(sizes):
    ### BEGIN SOLUTION
    return [Box(s) for s in sizes]
    ### END SOLUTION

# %% check-pair points=2
check = Check("pair")
check.equal(boxes([2])[0].area(), 4, "no area")

# %% [markdown]
# Choose a rate.

# %% rate
### BEGIN SOLUTION
rate = SIZE / 8
### END SOLUTION

# %% check-rate points=1
Check("rate").equal(rate, 0.5, "another rate")

# %% train tags=["slow"]
history = [blend([i], [i]) for i in range(3)]
'''

BLEND = "def blend(first, second):\n    return [sum(pair) for pair in zip(first, second)]"
USES = "def blend(first, second):\n    return [add(a, b) for a, b in zip(first, second)]"
ADD = "def add(a, b):\n    return a + b"


@lru_cache
def lesson(name: str, text: str) -> Assignment:
    """A lesson of this text as an assignment."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.py")
        path.write_text(text)
        return whole_lesson(read_lesson(path))


class Notebook:
    """A student's notebook to tamper with."""

    def __init__(self, assignment: Assignment | None = None) -> None:
        self.assignment = assignment or lesson("07_small", LESSON)
        made = to_bytes(make_notebook(self.assignment.lesson.student()))
        self.cells: list[dict[str, Any]] = json.loads(made)["cells"]
        for cell in self.cells:
            cell["source"] = "".join(cell["source"])

    def place(self, name: str) -> int:
        return next(i for i, c in enumerate(self.cells) if c.get("id") == name)

    def write(self, name: str, source: str, **more: Any) -> Notebook:
        self.cells[self.place(name)] |= {"source": source, **more}
        return self

    def add(self, where: str, *sources: str, after: bool = False, **more: Any) -> Notebook:
        """Put new cells before (or after) a cell."""
        at = self.place(where) + after if where else len(self.cells)
        self.cells[at:at] = [
            {"cell_type": "code", "id": f"new{i}", "metadata": {}, "source": s, **more}
            for i, s in enumerate(sources)
        ]
        return self

    def without(self, *names: str) -> Notebook:
        self.cells = [c for c in self.cells if c.get("id") not in names]
        return self

    def without_ids(self) -> Notebook:
        for cell in self.cells:
            cell.pop("id", None)
        return self

    def read(self) -> dict[str, Any]:
        raw = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": self.cells}
        return read_notebook(json.dumps(raw).encode())

    def own(self) -> OwnNotebook:
        return recover_all(self.read(), self.assignment)[1]

    def answer(self, name: str = "blend") -> Answer:
        got = {a.exercise: a for a in recover(self.read(), self.assignment)}
        assert list(got) == ["blend", "pair", "rate"]
        answer = got[name]
        assert (answer.source is not None) == (answer.status == "found")
        if answer.source is not None:
            ast.parse(answer.source)
        return answer


def run(answer: Answer, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the answer defines, run beside the lesson's own names."""
    assert answer.source is not None, answer
    there = {"math": __import__("math"), "Path": Path, "SIZE": 4, "order": [1, 2, 3]}
    exec(compile(answer.source, "answer", "exec"), there := {**there, **(names or {})})
    return there


def blends(answer: Answer) -> bool:
    return run(answer)["blend"]([1, 2], [3, 4]) == [4, 6]


def said(answer: Answer) -> str:
    return " ".join(answer.notes)
