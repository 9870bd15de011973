"""Which assignment a notebook answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from coursekit.grading.answers.cells import labels, within
from coursekit.grading.answers.key import key_of, marked, plain_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursekit.lessons.course import Assignment

_IN_FULL = 2  # a path that holds the name of a lesson, not its number alone
_SURE = 4  # likeness at which the file's name no longer matters
_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE)


def match(
    notebook: dict[str, Any], submission_name: str, assignments: Sequence[Assignment]
) -> Assignment | None:
    """Which assignment a notebook answers; None when nothing says so.

    What stands in the notebook decides: cell ids, exercises' markers, definitions and the
    lesson's own text. Its file's name decides between equals, and when nothing else is left.

    Args:
        notebook: as `read_notebook` gives it.
        submission_name: path of what was handed in; its last part counts most.
        assignments: to choose from.
    """
    best, found = (0, 0, 0), None
    for assignment in assignments:
        likeness = _likeness(notebook, assignment)
        sure = likeness if likeness >= _SURE else 0
        score = (sure, _named(submission_name, assignment), likeness)
        if score > best:
            best, found = score, assignment
    return found


def named(submission_name: str, assignments: Sequence[Assignment]) -> Assignment | None:
    """Which assignment a path names in full, when there is nothing in it to read."""
    found = [a for a in assignments if _named(submission_name, a) % 10 >= _IN_FULL]
    return found[0] if len(found) == 1 else None


def _likeness(notebook: dict[str, Any], assignment: Assignment) -> int:
    """How much of an assignment is in a notebook."""
    key = key_of(assignment.lesson)
    exercises = [key.exercises[e.name] for e in assignment.exercises]
    ids = {e.name for e in exercises} | {c for e in exercises for c in e.checks}
    wanted = {name for e in exercises for name in e.wanted}
    found: set[tuple[str, str]] = set()
    if within(notebook["metadata"], "coursekit", "assignment") == assignment.name:
        found.add(("marker", "the notebook's assignment"))
    for cell in notebook["cells"]:
        says = {cell["id"], *labels(cell["metadata"])} & key.places.keys()
        found |= {("id", name) for name in says & ids}
        found |= {("other", name) for name in says - ids}
        if within(cell["metadata"], "coursekit", "assignment") == assignment.name:
            found.add(("marker", "an answer's assignment"))
        found |= {("marker", name) for name in marked(cell["source"]) & ids}
        given = key.texts.get(plain_text(cell["source"]))
        if given:
            found.add(("text", given))
        elif cell["type"] == "code":
            found |= {("name", name) for name in _DEFINED.findall(cell["source"]) if name in wanted}
    weights = {"id": _SURE, "marker": _SURE, "name": _SURE, "other": 1, "text": 1}
    return sum(weights[kind] for kind, _ in found)


def _named(submission_name: str, assignment: Assignment) -> int:
    """How clearly a path names an assignment: its full name, its lesson's, the lesson's number."""
    parts = submission_name.lower().replace("\\", "/").split("/")
    number = assignment.lesson.name[:2]
    for weight, part in ((10, parts[-1]), (0, "/".join(parts[:-1]))):
        for worth, name in ((3, assignment.name.lower()), (_IN_FULL, assignment.lesson.name)):
            if re.search(rf"(?<!\d){re.escape(name)}(?!\d)", part):  # week-1 is not in week-10
                return weight + worth
        if re.search(rf"(?<!\d){number}(?!\d)", part):
            return weight + 1
    return 0
