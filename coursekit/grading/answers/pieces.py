"""Parts of a notebook that an answer is put together from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coursekit.grading.answers.cells import Statement, StudentCell

#: Statements that one answer may take from other cells.
MOST = 200


@dataclass(frozen=True, eq=False)
class Piece:
    """A top-level statement of a student's cell, or a whole cell.

    Attributes:
        cell: where it stands.
        statement: which; None for the whole cell.
    """

    cell: StudentCell
    statement: Statement | None

    @property
    def order(self) -> tuple[int, int]:
        """Its place in the notebook."""
        return self.cell.number, self.statement.node.lineno if self.statement else 0

    @property
    def text(self) -> str:
        """What it says."""
        return self.statement.text if self.statement else self.cell.code.source

    @property
    def statements(self) -> list[Statement]:
        """The one, or all."""
        return [self.statement] if self.statement else self.cell.statements

    @cached_property
    def bound(self) -> set[str]:
        """The names that it binds."""
        return set().union(*(s.bound for s in self.statements))


@dataclass(frozen=True, eq=False)
class WrittenFile(Piece):
    """A cell that `%%writefile` writes to a file, as a statement that does the same.

    Attributes:
        path: of the file.
        more: whether it is added to what the file holds.
    """

    path: str = ""
    more: bool = False

    @property
    def text(self) -> str:
        """The call that IPython makes of the cell; a folder that was just read is read again."""
        option = "-a " if self.more else ""
        code = self.cell.code.source.lstrip("\n") + "\n"
        folder = self.path.rpartition("/")[0]
        make = f"__import__('os').makedirs({folder!r}, exist_ok=True)\n" if folder else ""
        return (
            f"{make}get_ipython().run_cell_magic('writefile', {option + self.path!r}, {code!r})\n"
            "__import__('importlib').invalidate_caches()"
        )

    @property
    def statements(self) -> list[Statement]:
        """None: it binds no name."""
        return []


@dataclass
class Borrowed:
    """What an answer needs beside itself.

    Attributes:
        pieces: of other cells.
        lost: names that nothing defines.
        changes: those pieces that only change what others have made, and of which names.
        below: what changes the answer's names when it no longer counts, and which.
        ignored: what gives another meaning to the lesson's names, and to which.
    """

    pieces: list[Piece]
    lost: set[str]
    changes: dict[Piece, str]
    below: dict[Piece, str]
    ignored: dict[Piece, str]


def holds(there: Iterable[Piece], piece: Piece) -> bool:
    """Whether a statement is among the pieces, alone or in its whole cell."""
    return any(
        p.cell is piece.cell and (p.statement is None or p.statement is piece.statement)
        for p in there
    )


class Search:
    """What was there, and what has been taken so far."""

    def __init__(self, there: list[Piece], found: Borrowed) -> None:
        self.there, self.found = there, found

    def take(self, pieces: Iterable[Piece]) -> list[Piece]:
        """Take those that are not yet there, as long as there is room; gives them."""
        new: list[Piece] = []
        for piece in pieces:
            if len(self.found.pieces) < MOST and not holds(self.there, piece):
                new.append(piece)
                self.there.append(piece)
                self.found.pieces.append(piece)
        return new
