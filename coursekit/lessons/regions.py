"""What stands between the markers of a source's cells: solutions, and hidden tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursekit.checks import NOT_WRITTEN
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterator

SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
#: How a student's answer cell begins; the exercise's name follows. By it an answer is found when an
#: editor has lost the cell's id.
ANSWER_MARKER = "# exercise: "

#: How hard an exercise can be.
DIFFICULTIES = ("easy", "medium", "hard")

_LIKE_A_MARKER = re.compile(r"#\s*(BEGIN|END)\s+(SOLUTION|HIDDEN\s+TEST)", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """One cell of a source.

    Attributes:
        id: its name, or `lesson-NN-` and its place for a cell without a name.
        kind: "code" or "markdown".
        source: its text, markers and all.
        line: of its first line in the file, from 1.
        points: what the cell's check is worth.
        tags: as in the header.
        minutes: that an exercise takes a student, as its author estimates.
        difficulty: of an exercise, one of `DIFFICULTIES`.
    """

    id: str
    kind: str
    source: str
    line: int
    points: int | None = None
    tags: tuple[str, ...] = ()
    minutes: int | None = None
    difficulty: str | None = None

    @property
    def has_solution(self) -> bool:
        """Whether a student has something to write here."""
        return self.kind == "code" and SOLUTION[0] in self.source


@dataclass(frozen=True)
class Part:
    """Lines of a code cell that stand together.

    Attributes:
        kind: "public", "solution" or "hidden".
        start: the number of the first line in the cell, from 0; of the marker above it in a region.
        lines: without markers.
        indent: of the marker.
    """

    kind: str
    start: int
    lines: tuple[str, ...]
    indent: str = ""


class MarkerError(CourseError):
    """A marker that is out of place.

    Attributes:
        line: its number in the file.
    """

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


def parts(cell: Cell) -> list[Part]:
    """A code cell's lines, as they follow one another.

    Raises:
        MarkerError: for a marker without its partner, or a line that only looks like one.
    """
    return list(_parts(cell))


def student_text(cell: Cell) -> str:
    """A code cell with marked stubs in place of its solutions, and without hidden tests."""
    written = [f"{ANSWER_MARKER}{cell.id}"] if cell.has_solution else []
    for part in parts(cell):
        if part.kind == "solution":
            written.append(f"{part.indent}# YOUR CODE HERE")
            written.append(f'{part.indent}raise NotImplementedError("{NOT_WRITTEN}{cell.id}")')
        elif part.kind == "public":
            written += part.lines
    return "\n".join(written).strip("\n")


def solved_text(cell: Cell) -> str:
    """A code cell with its solutions, and without hidden tests and markers."""
    kept = (part.lines for part in parts(cell) if part.kind != "hidden")
    return "\n".join(line for lines in kept for line in lines).strip("\n")


def hidden_text(cell: Cell) -> str:
    """The hidden half of a check cell; "" when it has none."""
    kept = (part.lines for part in parts(cell) if part.kind == "hidden")
    return "\n".join(line for lines in kept for line in lines).strip("\n")


def _parts(cell: Cell) -> Iterator[Part]:
    kind, start, indent = "public", 0, ""
    lines: list[str] = []
    for number, line in enumerate(cell.source.splitlines()):
        mark = line.strip()
        if mark in (SOLUTION[0], HIDDEN[0]):
            if kind != "public":
                raise MarkerError(
                    cell.line + number,
                    f"{mark!r} inside the region that begins at line {cell.line + start}; "
                    "regions do not nest",
                )
            yield Part(kind, start, tuple(lines))
            kind, start, lines = "solution" if mark == SOLUTION[0] else "hidden", number, []
            indent = line[: len(line) - len(line.lstrip())]
        elif mark in (SOLUTION[1], HIDDEN[1]):
            if kind != ("solution" if mark == SOLUTION[1] else "hidden"):
                raise MarkerError(
                    cell.line + number, f"{mark!r} ends no region that is open here"
                )  # fmt: skip
            yield Part(kind, start, tuple(lines), indent)
            kind, start, lines = "public", number + 1, []
        elif _LIKE_A_MARKER.search(line):
            raise MarkerError(
                cell.line + number,
                f"{mark!r} looks like a marker; write one of "
                f"{', '.join(map(repr, SOLUTION + HIDDEN))}, on a line alone",
            )
        else:
            lines.append(line)
    if kind != "public":
        begun, ended = SOLUTION if kind == "solution" else HIDDEN
        raise MarkerError(cell.line + start, f"{begun!r} without {ended!r} in its cell")
    yield Part(kind, start, tuple(lines))
