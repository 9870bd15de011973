"""What a student and an instructor are told of how an answer was found."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from coursekit.grading.answers.cells import within
from coursekit.grading.answers.mend import printable
from coursekit.grading.answers.pieces import Borrowed, Piece, WrittenFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SHOWN = 5  # names in a note
_MOST_NOTES, _LONGEST_NOTE = 20, 300
_HERE = "{}.{}".format(*sys.version_info)
ON_F_STRINGS = (
    f" Python 3.12 takes more in f-strings than Python {_HERE}, which grades: use other quotes "
    "inside of them."
) * (sys.version_info < (3, 12))


def on_others(found: Borrowed) -> Iterator[str]:
    """What a student is told of their other cells."""

    def cells(pieces: Iterable[Piece]) -> str:
        return listed(dict.fromkeys(piece.cell.title for piece in pieces))

    rest = [p for p in found.pieces if p not in found.changes]
    files = [p for p in rest if isinstance(p, WrittenFile)]
    used = [p for p in rest if p not in files]
    if used:
        taken = listed(sorted(set().union(*(p.bound for p in used)))) or "all of a module"
        yield f"Taken from {cells(used)}, because the answer uses it: {taken}."
    if files:
        paths = listed(dict.fromkeys(printable(file.path) for file in files))
        yield f"Taken from {cells(files)}, because the answer imports it: {paths}."
    if found.changes:
        changed = listed(dict.fromkeys(found.changes.values()))
        yield f"Taken from {cells(found.changes)}, because it changes {changed}."
    for piece, name in found.below.items():
        yield f"{_line(piece)} in {piece.cell.title} changes {name} below its check: not counted."
    for piece, name in found.ignored.items():
        yield (
            f"The answer uses {name}. The lesson gives it; what {piece.cell.title} makes of it "
            "does not count."
        )
    if found.lost:
        yield f"The answer uses {listed(sorted(found.lost))}, which nothing defines."


def _line(piece: Piece) -> str:
    """The first line of a statement, for a note."""
    return printable(piece.text.strip().split("\n")[0][:60])


def newer(notebook: dict[str, Any]) -> str:
    """A word on the Python that the notebook was written with, if that is newer than this one."""
    said = within(notebook["metadata"], "language_info", "version")
    found = re.match(r"(\d{1,3})\.(\d{1,3})", said) if isinstance(said, str) else None
    if not found or tuple(map(int, found.groups())) <= sys.version_info[:2]:
        return ""
    return (
        f" The notebook was written with Python {found[0]}; grading has Python {_HERE}, which "
        "cannot read what is newer."
    )


def listed(words: Iterable[str]) -> str:
    """Some words, for a note: not too many, none too long."""
    known = [word[:40] for word in words]
    shown = ", ".join(known[:_SHOWN])
    return shown if len(known) <= _SHOWN else f"{shown} and {len(known) - _SHOWN} more"


def bounded(notes: Iterable[str]) -> tuple[str, ...]:
    found = list(dict.fromkeys(note[:_LONGEST_NOTE] for note in notes))
    rest = len(found) - _MOST_NOTES
    return tuple(found if rest <= 0 else [*found[:_MOST_NOTES], f"And {rest} more of the kind."])
