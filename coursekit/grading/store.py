"""Grades on disk, a file each.

A grade's file holds the digest of all that it depends on. So a second run grades only what has
changed, and a run that was killed goes on where it was.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from coursekit.files import write_text
from coursekit.grading.records import Grade, from_json, to_json
from coursekit.grading.report.text import slug

if TYPE_CHECKING:
    from pathlib import Path


class Store:
    """Grades on disk, a file each, written whole or not at all.

    Args:
        folder: it is made when the first grade comes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Grade] = {}
        for path in sorted(folder.glob("*.json")):
            # A file that cannot be read is as good as none: what it held is graded again.
            with contextlib.suppress(ValueError, KeyError, TypeError, OSError):
                grade = from_json(json.loads(path.read_text(encoding="utf-8")))
                if grade.digest:
                    self._known[grade.digest] = grade

    def find(self, digest: str) -> Grade | None:
        """The grade with this digest."""
        return self._known.get(digest)

    def keep(self, grade: Grade) -> None:
        """Write a grade."""
        name = slug(f"{grade.student} {grade.assignment} {grade.submission}")
        text = json.dumps(to_json(grade), indent=1, ensure_ascii=False)
        write_text(self._folder / f"{name}.json", text + "\n")
