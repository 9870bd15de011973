"""Grades and pages of students who are no longer among the submissions: moved, and said so."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from markupsafe import escape

from coursekit.errors import CourseError
from coursekit.grading.records import from_json
from coursekit.grading.report.pages import POLICY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

#: The folder that they are moved to, as they lay.
FOLDER = "withdrawn"
#: What stands in all of our pages.
_MARK = str(escape(POLICY))
_OURS = re.compile(r".+-[0-9a-f]{12}\.(html|json)")


def set_aside(out: Path, students: Collection[str], pages: Collection[Path]) -> list[Path]:
    """Move what an earlier run wrote of students who are not in this one.

    Args:
        out: the folder of grades.
        students: who is among the submissions.
        pages: theirs.

    Returns:
        What was moved, where it is now. What something else wrote stays where it is.

    Raises:
        CourseError: when something cannot be moved.
    """
    kept = {path.name for path in pages}
    found = [path for path in _pages(out / "feedback") if path.name not in kept]
    found += [path for path, student in _grades(out / "json") if student not in students]
    moved = []
    for path in found:
        target = out / FOLDER / path.relative_to(out)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
        except OSError as error:
            raise CourseError(
                f"{path}: is of a student who handed in nothing now, and cannot be moved to "
                f"{target.parent} ({error.strerror})"
            ) from error
        moved.append(target)
    return moved


def _pages(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.html")):
        with suppress(OSError, UnicodeDecodeError):
            if _OURS.fullmatch(path.name) and _MARK in path.read_text(encoding="utf-8"):
                yield path


def _grades(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if _OURS.fullmatch(path.name):
                yield path, from_json(json.loads(path.read_text(encoding="utf-8"))).student
