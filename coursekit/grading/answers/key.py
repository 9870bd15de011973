"""What a lesson says about answers: which names each defines, and what needs no answer."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from coursekit import names
from coursekit.checks import NOT_WRITTEN
from coursekit.grading.answers import alike
from coursekit.lessons.regions import ANSWER_MARKER
from coursekit.lessons.source import SLOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursekit.lessons.source import Exercise, Lesson

#: In a cell's text, the exercise that it answers.
_MARKER = re.compile(
    rf"^[ \t]*#[ \t]*{ANSWER_MARKER.strip('# ')}[ \t]*([a-z0-9-]+)"
    rf"|{re.escape(NOT_WRITTEN)}([a-z0-9-]+)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class ExerciseKey:
    """What identifies the answer to one exercise.

    Attributes:
        name: of the exercise.
        place: of its cell among the lesson's, from 0.
        wanted: names that an answer defines, in the solution's order.
        plain: those of them that the solution binds by an assignment, not by a definition.
        stubs: the shape of the stub's definition of each name that it defines.
        stub: the shape of the whole stub.
        checks: ids of its check cells.
    """

    name: str
    place: int
    wanted: tuple[str, ...]
    plain: frozenset[str]
    stubs: Mapping[str, str]
    stub: str
    checks: frozenset[str]


@dataclass(frozen=True)
class LessonKey:
    """What the answers of a lesson are told apart by.

    Attributes:
        exercises: by name.
        places: of each cell, by its id.
        kinds: "code" or "markdown", by id.
        texts: ids by the text that a student was given.
        given: names that the lesson's own cells define by `def`, `class` or `import`.
        origins: what the lesson imports: each name, and the dotted name of where it is from.
        assigned: names that they bind otherwise, and the place of the first cell that does.
        statements: the lesson's own top-level statements.
        answers: the names that answers define.
    """

    exercises: Mapping[str, ExerciseKey]
    places: Mapping[str, int]
    kinds: Mapping[str, str]
    texts: Mapping[str, str]
    given: frozenset[str]
    origins: frozenset[tuple[str, str]]
    assigned: Mapping[str, int]
    statements: frozenset[str]
    answers: frozenset[str]


@lru_cache(maxsize=64)
def key_of(lesson: Lesson) -> LessonKey:
    """The key of a lesson, made once."""
    cells = lesson.student()
    exercises = {e.name for e in lesson.exercises}
    checks = {c.id for e in lesson.exercises for c in e.checks}
    places = {cell.id: i for i, cell in enumerate(lesson.cells)}
    given: set[str] = set()
    assigned: dict[str, int] = {}
    statements: set[str] = set()
    for cell in cells:
        if cell.kind != "code" or cell.id in exercises:
            continue
        for statement in ast.parse(cell.source).body:
            statements.add(alike.same(statement))
            if cell.id in checks or SLOW in cell.tags:
                continue  # left out when grading, so what they bind is not there
            bound = names.bound(statement)
            if isinstance(statement, (*names.DEFINITIONS, *names.IMPORTS)):
                given |= bound
            else:
                for name in bound:
                    assigned.setdefault(name, places[cell.id])
    stubs = {cell.id: cell.source for cell in cells if cell.id in exercises}
    solved = {cell.id: cell.source for cell in lesson.solved()}
    keys = {
        e.name: _exercise(e, places[e.name], stubs.get(e.name, ""), solved.get(e.name, ""))
        for e in lesson.exercises
    }
    return LessonKey(
        keys,
        places,
        {cell.id: cell.kind for cell in lesson.cells},
        {plain_text(c.source): c.id for c in reversed(cells) if c.source.strip()},
        frozenset(given),
        frozenset(
            pair for cell in cells if cell.kind == "code" for pair in names.imports(cell.source)
        ),
        assigned,
        frozenset(statements),
        frozenset(name for key in keys.values() for name in key.wanted),
    )


def plain_text(source: str) -> str:
    """A text in a form in which blanks at its edges and at ends of lines do not count."""
    return "\n".join(line.rstrip() for line in source.strip("\n").split("\n")).strip("\n")


def marked(source: str) -> set[str]:
    """The exercises that a text says it answers."""
    return {a or b for a, b in _MARKER.findall(source)}


def _exercise(exercise: Exercise, place: int, stub: str, solved: str) -> ExerciseKey:
    before, after = ast.parse(stub), ast.parse(solved)
    stubs = {name: s for s in before.body for name in names.bound(s)}
    equal = {alike.same(s) for s in before.body}
    written = [s for s in after.body if alike.same(s) not in equal]
    named = [(name, s) for s in written for name in sorted(names.bound(s))]
    if any(name in stubs for name, _ in named):
        named = [(name, s) for name, s in named if name in stubs]
    elif any(isinstance(s, names.DEFINITIONS) for _, s in named):
        named = [(name, s) for name, s in named if isinstance(s, names.DEFINITIONS)]
    return ExerciseKey(
        exercise.name,
        place,
        tuple(dict.fromkeys(name for name, _ in named)),
        frozenset(name for name, s in named if not isinstance(s, names.DEFINITIONS)),
        {name: alike.shape(s) for name, s in stubs.items()},
        alike.shape(before),
        frozenset(check.id for check in exercise.checks),
    )
