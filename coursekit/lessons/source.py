"""A lesson's source: py:percent cells, exercises, and what a student or a reader sees of each.

The name in a cell's header (`# %% double-conv`) becomes its id and stays for ever. A cell with a
solution is an exercise; the cells whose names begin with `check-` and its name are its checks.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from coursekit.errors import CourseError
from coursekit.lessons.notebook import without_url_grammar
from coursekit.lessons.regions import (
    DIFFICULTIES,
    Cell,
    MarkerError,
    parts,
    solved_text,
    student_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: A cell with this tag trains for longer than a test may take.
SLOW = "slow"

_HEADER = re.compile(r"# %%(\s|$)")
_FILE = re.compile(r"\d\d_[a-z0-9_]+")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_UNNAMED = "lesson-"  # how the ids of unnamed cells begin


@dataclass(frozen=True)
class Exercise:
    """An answer cell and the check cells beside it."""

    name: str
    answer: Cell
    checks: tuple[Cell, ...]


@dataclass(frozen=True)
class Lesson:
    """A source that has been read and found in order."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Such as `02_unet`."""
        return self.path.stem

    @property
    def exercises(self) -> tuple[Exercise, ...]:
        """The exercises, in order."""
        return tuple(
            Exercise(cell.id, cell, tuple(_checks(self.cells[i + 1 :], cell.id)))
            for i, cell in enumerate(self.cells)
            if cell.has_solution
        )

    def student(self) -> tuple[Cell, ...]:
        """The cells with marked stubs in place of solutions, and without hidden tests."""
        return tuple(_visible(self, student_text))

    def solved(self) -> tuple[Cell, ...]:
        """The cells with their solutions, and without hidden tests and markers."""
        return tuple(_visible(self, solved_text))


def read_lesson(path: str | Path) -> Lesson:
    """Read and check a source.

    Args:
        path: a file such as notebooks/source/02_unet.py.

    Raises:
        CourseError: naming file and line, for a name that is illegal or taken, a marker without
            its partner, an exercise without a check, or a cell that is not Python once its
            solution is taken out.
    """
    path = Path(path)
    if not _FILE.fullmatch(path.stem):
        raise CourseError(f"{path}: name a lesson as in 02_unet.py, two digits first")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CourseError(f"{path}: cannot be read ({error.strerror})") from error
    return _lesson(path, text)


@lru_cache(64)  # building, releasing and grading read the same ones again and again
def _lesson(path: Path, text: str) -> Lesson:
    lesson = Lesson(path, tuple(_cells(path, text)))
    _check_names(lesson)
    _check_markers(lesson)
    for cell in (*lesson.student(), *lesson.solved()):
        if cell.kind == "code":
            _parse(path, cell)
    for exercise in lesson.exercises:
        if not exercise.checks:
            _refuse(path, exercise.answer.line, f"exercise {exercise.name} has no check; add a "
                    f"cell `# %% check-{exercise.name}` after it")  # fmt: skip
    return lesson


def _cells(path: Path, text: str) -> Iterator[Cell]:
    without_url_grammar()
    import jupytext

    lines = text.splitlines()
    starts = [i for i, line in enumerate(lines) if _HEADER.match(line)]
    cells = jupytext.reads(text, fmt="py:percent").cells
    if len(cells) != len(starts):
        _refuse(path, 1, "text before the first cell; begin each cell with a line `# %%`")
    for ordinal, (start, read) in enumerate(zip(starts, cells, strict=True), 1):
        metadata = dict(read.metadata)
        metadata.pop("lines_to_next_cell", None)
        name = metadata.pop("title", None)
        points, tags = metadata.pop("points", None), metadata.pop("tags", [])
        minutes, difficulty = (metadata.pop(key, None) for key in ("minutes", "difficulty"))
        if metadata:
            _refuse(path, start + 1, f"{', '.join(metadata)}: a cell has a name, points and tags, "
                    "an exercise minutes and difficulty")  # fmt: skip
        _check_header(path, start + 1, name, points)
        _check_effort(path, start + 1, minutes, difficulty)
        identity = name or f"{_UNNAMED}{path.stem[:2]}-{ordinal}"
        yield Cell(
            identity, read.cell_type, read.source, start + 2, points, tuple(tags),
            minutes, difficulty,
        )  # fmt: skip


def _check_header(path: Path, line: int, name: str | None, points: Any) -> None:
    if name is not None and (
        not _NAME.fullmatch(name) or len(name) > 64 or name.startswith(_UNNAMED)
    ):
        _refuse(path, line, f"{name!r} is no name for a cell; use small letters, digits and "
                f"hyphens, at most 64, not beginning with {_UNNAMED!r}")  # fmt: skip
    if points is not None and (type(points) is not int or points < 0):
        _refuse(path, line, f"points={points}: give a whole number")


def _check_effort(path: Path, line: int, minutes: Any, difficulty: Any) -> None:
    if minutes is not None and (type(minutes) is not int or minutes < 1):
        _refuse(path, line, f"minutes={minutes}: give a whole number, 1 or more")
    if difficulty is not None and difficulty not in DIFFICULTIES:
        _refuse(path, line, f'difficulty={difficulty}: write one of "easy", "medium", "hard"')


def _check_names(lesson: Lesson) -> None:
    seen: dict[str, int] = {}
    for cell in lesson.cells:
        if cell.id in seen:
            _refuse(lesson.path, cell.line, f"{cell.id!r} names a cell already, the one at line "
                    f"{seen[cell.id]}; names are ids: choose another")  # fmt: skip
        seen[cell.id] = cell.line
        if cell.has_solution and cell.id.startswith(_UNNAMED):
            _refuse(lesson.path, cell.line, "an exercise needs a name: `# %% double-conv`")


def _check_markers(lesson: Lesson) -> None:
    for cell in lesson.cells:
        if cell.kind == "code":
            try:
                parts(cell)
            except MarkerError as error:
                _refuse(lesson.path, error.line, str(error))


def _checks(cells: Iterable[Cell], name: str) -> Iterator[Cell]:
    """`check-NAME`, and `check-NAME-2` and on for an exercise with more than one."""
    pattern = re.compile(rf"check-{re.escape(name)}(-\d+)?")
    return (c for c in cells if c.kind == "code" and pattern.fullmatch(c.id))


def _visible(lesson: Lesson, text: Callable[[Cell], str]) -> Iterator[Cell]:
    for cell in lesson.cells:
        if cell.kind != "code":
            yield cell
            continue
        source = text(cell)
        if source.strip():  # a cell of nothing but hidden tests vanishes
            yield replace(cell, source=source)


def _parse(path: Path, cell: Cell) -> None:
    try:
        ast.parse(cell.source)
    except SyntaxError as error:
        _refuse(path, cell.line, f"cell {cell.id} is not Python without its markers and solution "
                f"(its line {error.lineno}: {error.msg}); magics and shell lines are not, either, "
                "and would keep the lesson from running anywhere else")  # fmt: skip


def _refuse(path: Path, line: int, message: str) -> NoReturn:
    raise CourseError(f"{path}:{line}: {message}")
