"""Answers that take the finished thing from the course's own package.

`coursekit` holds what the lessons build, so `from coursekit.models.unet import UNet` answers an
exercise without writing it. That may be against the rules of a class or a sensible use of a
library; so it is listed for the instructor, and costs nothing. Only the text is looked at: an
answer that hides what it imports is not seen here.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursekit import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coursekit.grading.records import Grade
    from coursekit.lessons.course import Assignment

_PACKAGE = "coursekit"
_DOTTED = re.compile(rf"{_PACKAGE}(\.\w+)*")
_IMPORT = re.compile(rf"^[ \t]*(?:from|import)[ \t]+({_PACKAGE}[\w.]*)", re.MULTILINE)
#: Characters of an answer that are parsed; of a longer one only lines of imports are looked at.
_MOST_TEXT = 20_000


@dataclass(frozen=True)
class CourseUse:
    """An answer that uses what the lesson's own solution does without.

    Attributes:
        student: their name.
        assignment: its name.
        exercise: its name.
        uses: dotted names, such as "coursekit.models.unet.UNet", in alphabetical order.
    """

    student: str
    assignment: str
    exercise: str
    uses: tuple[str, ...]


def find(grades: Iterable[Grade], assignments: Sequence[Assignment]) -> list[CourseUse]:
    """The answers that use something of the package that the exercise's solution does not use.

    Args:
        grades: with the answers as they were found.
        assignments: with their lessons, whose imports say what a name stands for.
    """
    given: dict[str, dict[str, str]] = {}
    allowed: dict[tuple[str, str], set[str]] = {}
    for assignment in assignments:
        solved = {cell.id: cell.source for cell in assignment.lesson.solved()}
        known: dict[str, str] = {}
        for source in solved.values():
            known |= _imported(source)
        given[assignment.name] = known
        for exercise in assignment.exercises:
            allowed[assignment.name, exercise.name] = uses(solved[exercise.name], known)
    found = [
        CourseUse(grade.student, grade.assignment, answer.exercise, tuple(sorted(extra)))
        for grade in grades
        for answer in grade.answers
        if answer.source and (grade.assignment, answer.exercise) in allowed
        if (
            extra := uses(answer.source, given[grade.assignment])
            - allowed[grade.assignment, answer.exercise]
        )
    ]
    return sorted(found, key=lambda use: (use.assignment, use.exercise, use.student))


def uses(source: str, given: dict[str, str]) -> set[str]:
    """What a text takes from the package.

    Args:
        source: of an answer.
        given: what names stand for that the lesson imported before, such as
            `{"create_model": "coursekit.create_model"}`.
    """
    if _PACKAGE not in source and not any(name in source for name in given):
        return set()
    if len(source) > _MOST_TEXT:
        return set(_IMPORT.findall(source))
    found = set(_imported(source).values())
    theirs = names.defined_anywhere(source)  # a variable named `score` is not the lesson's
    for node in ast.walk(names.parsed(source) or ast.Module([], [])):
        if isinstance(node, ast.Name) and node.id not in theirs:
            found |= {given[node.id]} if node.id in given else set()
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # importlib.import_module("coursekit.models")
            found |= {node.value} if _DOTTED.fullmatch(node.value) else set()
    return found


def _imported(text: str) -> dict[str, str]:
    """Names that a text imports from the package, and what they stand for."""
    return {
        name: origin for name, origin in names.imports(text) if origin.partition(".")[0] == _PACKAGE
    }
