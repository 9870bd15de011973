"""Runs a lesson's cells in this process and tries wrong and right answers on its checks.

Beside lesson NN stands `answers_NN.py`:

    WRONG = {"exercise-name": [(code, "words that the check's message must contain"), ...]}
    RIGHT = {"exercise-name": [code, ...]}

`code` takes the place of the whole answer cell. Three likely mistakes for each exercise at least,
and one correct solution that is written in another way than the lesson's.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import linecache
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursekit.checks import NOT_WRITTEN, CheckFailed
from coursekit.lessons.source import SLOW, Cell, Exercise, Lesson

LEAST_WRONG, LEAST_RIGHT = 3, 1


@dataclass
class Answers:
    """What to try on the checks of a lesson."""

    wrong: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    right: dict[str, list[str]] = field(default_factory=dict)


def answers_for(lesson: Lesson) -> Answers:
    """The answers beside a lesson."""
    module = importlib.import_module(f"tests.lessons.answers_{lesson.name[:2]}")
    return Answers(module.WRONG, module.RIGHT)


def problems(lesson: Lesson, answers: Answers) -> list[str]:
    """Run the lesson, its stubs and the answers; say everything that is not as it should be."""
    found = _complete(lesson, answers)
    by_answer = {e.answer.id: e for e in lesson.exercises}
    stubs = {c.id: c for c in lesson.student()}
    cells = [c for c in lesson.solved() if c.kind == "code"]
    module = types.ModuleType(f"lesson_{lesson.name}")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        for i, cell in enumerate(cells):
            exercise = by_answer.get(cell.id)
            if exercise:
                found += _try_answers(
                    exercise, answers, stubs[cell.id].source, cells[i:], vars(module)
                )
            if SLOW not in cell.tags:
                _run(cell.id, cell.source, vars(module))
    finally:
        del sys.modules[module.__name__]
    return found


def _complete(lesson: Lesson, answers: Answers) -> list[str]:
    names = [e.name for e in lesson.exercises]
    found = []
    for name in names:
        wrong, right = answers.wrong.get(name, []), answers.right.get(name, [])
        if len(wrong) < LEAST_WRONG:
            found.append(f"{name}: {len(wrong)} wrong answers; plant {LEAST_WRONG}")
        if len(right) < LEAST_RIGHT:
            found.append(f"{name}: {len(right)} other right answers; give {LEAST_RIGHT}")
    strangers = (set(answers.wrong) | set(answers.right)) - set(names)
    return found + [f"{name}: no such exercise in {lesson.name}" for name in sorted(strangers)]


def _try_answers(
    exercise: Exercise, answers: Answers, stub: str, cells: list[Cell], before: dict[str, Any]
) -> list[str]:
    """Try everything on an exercise; `cells` begin with its answer cell."""
    found = []
    last = max(i for i, c in enumerate(cells) if _is_check(c, exercise))
    after = [c for c in cells[1 : last + 1] if SLOW not in c.tags]

    def outcome(code: str) -> Exception | None:
        names = dict(before)
        try:
            _run(exercise.name, code, names)
            for cell in after:
                _run(cell.id, cell.source, names)
        except Exception as error:  # whatever a student's code may raise
            return error
        return None

    error = outcome(stub)
    if not (isinstance(error, NotImplementedError) and str(error).startswith(NOT_WRITTEN)):
        found.append(f"{exercise.name}: the stub gives {_told(error)}, not {NOT_WRITTEN!r}")
    for number, (code, words) in enumerate(answers.wrong.get(exercise.name, []), 1):
        error = outcome(code)
        if not isinstance(error, CheckFailed):
            found.append(f"{exercise.name}: wrong answer {number} gives {_told(error)}")
        elif error.exercise != exercise.name:
            found.append(f"{exercise.name}: wrong answer {number} fails {error.exercise}")
        elif words.lower() not in error.message.lower():
            found.append(f"{exercise.name}: wrong answer {number}: {words!r} is not in {error}")
    for number, code in enumerate(answers.right.get(exercise.name, []), 1):
        error = outcome(code)
        if error is not None:
            found.append(f"{exercise.name}: right answer {number} gives {_told(error)}")
    return found


def _is_check(cell: Cell, exercise: Exercise) -> bool:
    return cell.id in {check.id for check in exercise.checks}


def _told(error: Exception | None) -> str:
    return "no error" if error is None else f"{type(error).__name__}: {error}"


def _run(name: str, source: str, names: dict[str, Any]) -> None:
    """Execute a cell; its output is thrown away, and tracebacks show its lines."""
    filename = f"<cell {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(source, filename, "exec", dont_inherit=True), names)


def sources(folder: Path) -> list[Path]:
    """The sources of all lessons."""
    return sorted((folder / "source").glob("[0-9][0-9]_*.py"))
