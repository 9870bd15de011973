"""Every lesson runs on its full tier, on a folder of real layout that a laptop can afford.

No exercise is solved: each is borrowed, as after its last hint, and every other cell runs. (nbval
replays the solved lessons.)
The sizes are a miniature's (`COURSEKIT_SIZES`); all else that the full tier does is what it does on
a GPU for hours. Where there is a GPU, this runs there.
"""

from __future__ import annotations

import ast
import json
import linecache
import multiprocessing
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coursekit.data import Recipe, make
from coursekit.lessons.build import find_sources
from coursekit.lessons.source import Lesson, read_lesson
from coursekit.parts import borrowing

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = pytest.mark.parametrize("path", find_sources(NOTEBOOKS), ids=lambda path: path.stem)

#: What takes the place of the full tier's sizes; whatever is not here stays as it is.
SMALL: dict[str, Any] = {
    "faces": 8, "train": 8, "val": 8, "test": 15, "size": 48, "epochs": 1, "longer": 1, "steps": 2,
    "seeds": 2, "cycles": 2, "batch": 4, "widths": (8, 12, 16, 24), "annotators": 3,
}  # fmt: skip

#: Seconds after which a lesson is taken for hung.
PATIENCE = 1200


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the course of 2025 hands it out."""
    load_once()
    folder = tmp_path_factory.mktemp("full") / "faces"
    make(folder, Recipe(train=10, val=9, test=4, size=64))
    return folder


def load_once() -> None:
    """Load what lessons import, before the forks: otherwise each waits for it again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import IPython.display  # noqa: F401
        import matplotlib
        import matplotlib.pyplot
        import segmentation_models_pytorch  # noqa: F401  (with torchvision and timm)
        import torch

        import coursekit.training  # noqa: F401

        matplotlib.use("agg")
        torch.optim.SGD([torch.zeros(1)])  # the first optimiser imports torch's compiler


@LESSONS
def test_a_lesson_runs_on_the_full_tier(path: Path, faces: Path, tmp_path: Path) -> None:
    lesson = read_lesson(path)
    environment = {
        "COURSEKIT_TIER": "full",
        "COURSEKIT_DATA": str(faces),
        "COURSEKIT_SIZES": json.dumps({k: v for k, v in SMALL.items() if k in sizes_of(lesson)}),
        "COURSEKIT_CACHE": str(tmp_path / "cache"),
        "MPLBACKEND": "agg",
    }
    context = multiprocessing.get_context("fork")  # warm: torch and the course are loaded
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=run_cells, args=(lesson, tmp_path, environment, theirs))
    process.start()
    theirs.close()
    try:
        said = ours.recv() if ours.poll(PATIENCE) else f"still runs after {PATIENCE} s"
    except EOFError:
        said = "its process died"
    finally:
        process.kill()
        process.join()
    assert not said, said


def sizes_of(lesson: Lesson) -> list[str]:
    """The names of the sizes that a lesson chooses for its tier."""
    calls = [
        node
        for cell in lesson.cells
        if cell.kind == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "tier.choose"
    ]
    return [str(keyword.arg) for call in calls for keyword in call.keywords]


def run_cells(lesson: Lesson, folder: Path, environment: dict[str, str], told: Connection) -> None:
    """Run a lesson with all borrowed from top to bottom; tell in which cell it failed, or ""."""
    os.environ.update(environment)
    os.chdir(folder)
    warnings.simplefilter("ignore")  # of a class that no one of so few faces has
    names: dict[str, Any] = {"__name__": "__main__"}
    exercises = {e.name for e in lesson.exercises}
    for cell in lesson.solved():
        if cell.kind != "code":
            continue
        if cell.id in exercises:
            cell = replace(cell, source=borrowing(lesson.name, cell.id))
        # As IPython keeps it: lesson 14 reads the text of its own classes.
        lines = cell.source.splitlines(keepends=True)
        linecache.cache[cell.id] = len(cell.source), None, lines, cell.id
        try:
            exec(compile(cell.source, cell.id, "exec"), names)
        except Exception as error:
            return told.send(f"{cell.id}: {type(error).__name__}: {error}")
    return told.send("")
