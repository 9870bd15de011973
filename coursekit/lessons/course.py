"""Assignments: which exercises a class is given, for how many points, until when.

Without a course file every lesson is an assignment of its own. With one (`notebooks/course.toml`)
there are the assignments that it names::

    [[assignment]]
    name = "week-2"
    lesson = "02_unet"
    exercises = ["up", "layers"]         # graded; default: all that are not given
    given = ["double-conv"]              # shown with their solutions; default: none
    due = 2026-12-01T23:59:00+01:00      # default: never
    [assignment.points]                  # of a check cell; default: what its header says
    check-up = 3

An exercise that is neither graded nor given stays in the notebook as practice, for no points.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from coursekit.errors import CourseError
from coursekit.lessons.build import find_sources
from coursekit.lessons.source import Exercise, Lesson, read_lesson

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The course file, in the folder with source/.
COURSE_FILE = "course.toml"

_KEYS = {"name", "lesson", "exercises", "given", "due", "points"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True)
class Assignment:
    """Exercises of one lesson that are graded together.

    Attributes:
        name: by default the lesson's, such as "02_unet".
        lesson: where they come from.
        exercises: those that are graded, in the lesson's order.
        points: of each of their checks, by the name of its cell.
        due: when it is due, an ISO 8601 date and time with its offset; None when never.
        given: names of exercises whose solutions students are shown.
    """

    name: str
    lesson: Lesson
    exercises: tuple[Exercise, ...]
    points: Mapping[str, int]
    due: str | None = None
    given: tuple[str, ...] = ()

    @property
    def practice(self) -> tuple[str, ...]:
        """Names of the exercises that a student may write, for no points."""
        taken = {e.name for e in self.exercises}.union(self.given)
        return tuple(e.name for e in self.lesson.exercises if e.name not in taken)

    @property
    def written(self) -> tuple[Exercise, ...]:
        """The exercises that a student writes, graded or for practice: later ones may need them."""
        return tuple(e for e in self.lesson.exercises if e.name not in self.given)

    @property
    def total(self) -> int:
        """What it is worth."""
        return sum(self.points.values())

    def worth(self, exercise: Exercise) -> int:
        """What the checks of an exercise are worth together; 0 when it is not graded."""
        return sum(self.points.get(check.id, 0) for check in exercise.checks)


def whole_lesson(lesson: Lesson) -> Assignment:
    """A lesson with all its exercises, each check worth what its header says."""
    return Assignment(lesson.name, lesson, lesson.exercises, _points(lesson.exercises))


def read_assignments(
    notebooks_dir: str | Path,
    only: Sequence[str] | None = None,
    course: str | Path | None = None,
) -> list[Assignment]:
    """The assignments of a course: without a course file, every lesson as a whole.

    Args:
        notebooks_dir: the folder with source/.
        only: names of assignments; all when None.
        course: the course file; course.toml in `notebooks_dir` when None, if it is there.

    Raises:
        CourseError: for a course file or a source that is not in order, or an unknown name.
    """
    folder = Path(notebooks_dir)
    path = folder / COURSE_FILE if course is None else Path(course)
    if course is None and not path.is_file():
        return [whole_lesson(read_lesson(p)) for p in find_sources(folder, only)]
    found = _read_course(path, folder)
    names = [assignment.name for assignment in found]
    for name in only or ():
        if name not in names:
            raise CourseError(f"{path}: has no assignment {name!r}; it has {', '.join(names)}")
    return [a for a in found if only is None or a.name in only]


def _read_course(path: Path, folder: Path) -> list[Assignment]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # not UTF-8, or not TOML: tomllib names the line
        raise CourseError(f"{path}: is not TOML ({error})") from error
    tables = content.pop("assignment", None)
    if content:
        _refuse(path, f"unknown {_listed(content)}; there are only tables [[assignment]]")
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        _refuse(path, "begin each assignment with a line [[assignment]]")
    found: list[Assignment] = []
    for number, table in enumerate(tables, 1):
        assignment = _assignment(path, folder, number, table)
        # Names become files, and some file systems see no difference between a and A.
        if any(a.name.lower() == assignment.name.lower() for a in found):
            _refuse(path, f"two assignments are called {assignment.name!r}; choose another name")
        found.append(assignment)
    return found


def _assignment(path: Path, folder: Path, number: int, table: dict[str, Any]) -> Assignment:
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        _refuse(path, f"assignment {number}: name = {name!r}; give a name of letters, digits, "
                "- and _, at most 64: it becomes the notebook's")  # fmt: skip
    where = f"assignment {name!r}"
    if unknown := sorted(set(table) - _KEYS):
        _refuse(path, f"{where}: unknown {_listed(unknown)}; there are {_listed(sorted(_KEYS))}")
    if not isinstance(table.get("lesson"), str):
        _refuse(path, f'{where}: name its lesson, such as lesson = "02_unet"')
    try:
        lesson = read_lesson(find_sources(folder, [table["lesson"]])[0])
    except CourseError as error:
        raise CourseError(f"{path}: {where}: {error}") from error
    exercises, given = _selection(path, where, lesson, table)
    points = _points(exercises) | _own_points(path, where, exercises, table.get("points", {}))
    return Assignment(
        name, lesson, exercises, points, _due(path, where, table.get("due")), given
    )  # fmt: skip


def _selection(
    path: Path, where: str, lesson: Lesson, table: dict[str, Any]
) -> tuple[tuple[Exercise, ...], tuple[str, ...]]:
    """The exercises that are graded, and the names of those that are given."""
    names = [e.name for e in lesson.exercises]
    for key in ("exercises", "given"):
        chosen = table.get(key, [])
        if not isinstance(chosen, list) or not all(isinstance(n, str) for n in chosen):
            _refuse(path, f'{where}: {key} is a list of names, such as ["{(*names, "up")[0]}"]')
        if strangers := [n for n in chosen if n not in names]:
            _refuse(path, f"{where}: {lesson.name} has no exercise {_listed(strangers)}; it has "
                    f"{_listed(names)}")  # fmt: skip
        if len(set(chosen)) < len(chosen):
            _refuse(path, f"{where}: {key} names an exercise twice; take one of them out")
    given = table.get("given", [])
    graded = table.get("exercises", [n for n in names if n not in given])
    if not graded:
        _refuse(path, f"{where}: no exercise is graded; name some, or leave `exercises` out for "
                "all of the lesson's")  # fmt: skip
    if both := [n for n in graded if n in given]:
        _refuse(path, f"{where}: {_listed(both)}: graded and given; take the name out of one list")
    exercises = tuple(e for e in lesson.exercises if e.name in graded)
    return exercises, tuple(n for n in names if n in given)


def _own_points(
    path: Path, where: str, exercises: tuple[Exercise, ...], points: Any
) -> dict[str, int]:
    if not isinstance(points, dict):
        _refuse(path, f"{where}: write points as a table [assignment.points], one line a check")
    checks = _points(exercises)
    for check, worth in points.items():
        if check not in checks:
            _refuse(path, f"{where}: points for {check!r}, which is no check of its graded "
                    f"exercises; those are {_listed(checks)}")  # fmt: skip
        if type(worth) is not int or worth < 0:
            _refuse(path, f"{where}: {check} = {worth}; give a whole number, 0 or more")
    return points


def _due(path: Path, where: str, due: Any) -> str | None:
    if due is None:
        return None
    if not isinstance(due, datetime.datetime) or due.tzinfo is None:
        _refuse(path, f"{where}: due = {due} says no moment; write date, time and offset, without "
                "quotes: 2026-12-01T23:59:00+01:00")  # fmt: skip
    return due.isoformat()


def _points(exercises: tuple[Exercise, ...]) -> dict[str, int]:
    return {check.id: check.points or 0 for e in exercises for check in e.checks}


def _listed(names: Any) -> str:
    return ", ".join(names)


def _refuse(path: Path, message: str) -> NoReturn:
    raise CourseError(f"{path}: {message}")
