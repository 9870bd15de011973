"""A lesson's answers as Python values, to be compared with the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from coursekit.grading.run.assemble import public_notebook, solutions
from coursekit.lessons.course import whole_lesson
from coursekit.lessons.source import read_lesson

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"


@cache
def answers(name: str) -> dict[str, Any]:
    """What the answer cells of a lesson define, and the cells that they need."""
    whole = whole_lesson(read_lesson(SOURCES / f"{name}.py"))
    names: dict[str, Any] = {}
    for cell in public_notebook(whole, solutions(whole))["cells"]:
        if cell["id"] not in whole.points:
            source = "".join(cell["source"])
            exec(compile(source, cell["id"], "exec", dont_inherit=True), names)
    return names
