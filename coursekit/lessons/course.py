"""Assignments: which exercises a class is given, for how many points, until when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.lessons.build import find_sources
from coursekit.lessons.source import Exercise, Lesson, read_lesson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Assignment:
    """Exercises of one lesson that are graded together.

    Attributes:
        name: by default the lesson's, such as "02_unet".
        lesson: where they come from.
        exercises: in the lesson's order.
        points: of each check, by the name of its cell.
        due: when it is due, an ISO 8601 date and time with its offset; None when never.
    """

    name: str
    lesson: Lesson
    exercises: tuple[Exercise, ...]
    points: Mapping[str, int]
    due: str | None = None


def whole_lesson(lesson: Lesson) -> Assignment:
    """A lesson with all its exercises, each check worth what its header says."""
    points = {c.id: c.points or 0 for e in lesson.exercises for c in e.checks}
    return Assignment(lesson.name, lesson, lesson.exercises, points)


def read_assignments(
    notebooks_dir: str | Path, only: Sequence[str] | None = None
) -> list[Assignment]:
    """The assignments of a course: without a selection, every lesson as a whole.

    Args:
        notebooks_dir: the folder with source/.
        only: names of assignments; all when None.
    """
    return [whole_lesson(read_lesson(p)) for p in find_sources(Path(notebooks_dir), only)]
