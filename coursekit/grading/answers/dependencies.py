"""What an answer needs of a student's other cells: their helpers, constants and imports."""

from __future__ import annotations

import ast
import builtins
import heapq
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from coursekit import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coursekit.grading.answers.cells import Statement, StudentCell
    from coursekit.grading.answers.key import ExerciseKey, LessonKey

#: Statements that one answer may take from other cells.
_MOST = 200
_THERE = frozenset(dir(builtins)) | {
    "__name__", "__file__", "__doc__", "get_ipython", "display", "In", "Out", "exit", "quit", "_",
}  # fmt: skip
_PLAIN = (ast.Assign, ast.AnnAssign, ast.If, ast.Try)  # no loops: a trial is mostly one


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


class Dependencies:
    """The statements of a notebook that an answer may borrow.

    Args:
        cells: of the student's notebook.
        key: of the lesson.
    """

    def __init__(self, cells: Sequence[StudentCell], key: LessonKey) -> None:
        self._key = key
        self._by_name: dict[str, list[Piece]] = {}
        self._opaque: list[Piece] = []
        for cell in cells:
            for statement in cell.statements if cell.runs else ():
                self._offer(Piece(cell, statement), statement)

    def _offer(self, piece: Piece, statement: Statement) -> None:
        node = statement.node
        if isinstance(node, ast.ImportFrom) and (_is_future(node) or _is_star(node)):
            self._opaque.append(piece)
        if isinstance(node, (*names.DEFINITIONS, *names.IMPORTS, *_PLAIN)):
            for name in statement.bound:
                self._by_name.setdefault(name, []).append(piece)

    def find(
        self, pieces: Sequence[Piece], exercise: ExerciseKey, horizon: int
    ) -> tuple[list[Piece], set[str]]:
        """What an answer needs beside itself.

        Args:
            pieces: the answer.
            exercise: which it answers.
            horizon: number of the cell that its check is; what stands before it goes first.

        Returns:
            The pieces of other cells, and the names that nothing defines.
        """
        there, taken, lost = list(pieces), list[Piece](), set[str]()
        bound = set().union(*(piece.bound for piece in pieces))
        seen = self._wants(pieces)
        todo = sorted(seen)  # a heap: names come in an order that does not change
        while todo and len(taken) < _MOST:
            name = heapq.heappop(todo)
            if name in bound:
                continue
            found = self._find(name, exercise, horizon)
            if found is None:
                if not self._is_there(name):
                    lost.add(name)
                continue
            new = [p for p in (found, *self._fillers(name, found)) if not holds(there, p)]
            taken += new
            there += new
            bound |= set().union(*(p.bound for p in new))
            for wanted in self._wants(new) - seen:
                seen.add(wanted)
                heapq.heappush(todo, wanted)
        if lost:
            taken += [p for p in self._opaque if p.order[0] <= horizon and not holds(there, p)]
        if any(_is_star(s.node) for p in taken for s in p.statements):
            lost = set()
        return taken[:_MOST], lost

    def _wants(self, pieces: Iterable[Piece]) -> set[str]:
        wanted: set[str] = set()
        for piece in pieces:
            one = piece.statement
            for statement in [one] if one else _working(piece.cell, self._key):
                wanted |= statement.free
        return wanted

    def put_together(self, pieces: Sequence[Piece], exercise: ExerciseKey, notes: list[str]) -> str:
        """One text of all pieces, in the notebook's order, with `from __future__` at its top.

        Trials that an answer cell holds beside its definitions stay, unless they use what is not
        there when grading: failing, they could keep a definition below them from being made.

        Args:
            pieces: of the answer, and what it borrows.
            exercise: which it answers.
            notes: what is left out is added.
        """
        ordered = sorted(pieces, key=lambda piece: piece.order)
        texts: list[str] = []
        future: list[str] = []
        for piece in ordered:
            lines = piece.text.split("\n")
            if piece.statement is None:
                others = set().union(*(p.bound for p in ordered if p is not piece))
                for statement, lost in self._failing(piece.cell, others):
                    _blank(lines, *statement.lines)
                    notes.append(
                        f"A trial in {piece.cell.title} (line {statement.node.lineno}) was left "
                        f"out: it uses {', '.join(sorted(lost)[:5])}, which is not there when "
                        "grading."
                    )
            if len(ordered) > 1 and "__future__" in piece.text:
                future += _take_futures(lines, piece)
            texts.append("\n".join(lines))
        return "\n\n".join([*dict.fromkeys(future), *texts])

    def _failing(self, cell: StudentCell, others: set[str]) -> list[tuple[Statement, set[str]]]:
        """The trials of a cell that use what is not there, and what that is."""
        defining = set(_working(cell, self._key))
        there = others | {name for statement in defining for name in statement.bound}
        found: list[tuple[Statement, set[str]]] = []
        for statement in cell.statements:
            if statement in defining or statement.shares:
                continue
            lost = {name for name in statement.free - there if not self._is_there(name)}
            if lost:
                found.append((statement, lost))
            else:
                there |= statement.bound
        return found

    def _is_there(self, name: str) -> bool:
        key = self._key
        return name in _THERE or name in key.given or name in key.assigned or name in key.answers

    def _find(self, name: str, exercise: ExerciseKey, horizon: int) -> Piece | None:
        """The student's own statement that gives a name its meaning, if the lesson does not."""
        key = self._key
        if name in key.answers or name in key.given:
            return None
        kinds: tuple[type[ast.stmt], ...] = (ast.stmt,)
        if name in _THERE:
            kinds = (*names.DEFINITIONS, *names.IMPORTS)
        elif key.assigned.get(name, exercise.place) < exercise.place:
            kinds = names.DEFINITIONS  # a helper that has the name of a lesson's variable
        offers = [
            p
            for p in self._by_name.get(name, [])
            if p.statement and isinstance(p.statement.node, kinds)
        ]
        before = [p for p in offers if p.order[0] <= horizon]
        for piece in reversed(before or offers):
            if piece.statement and piece.statement.same not in key.statements:
                return piece
        return None

    def _fillers(self, name: str, found: Piece) -> list[Piece]:
        """What follows in the same cell and fills what was bound: `table[3] = 4`, loops of it."""
        one = found.statement
        if one is None or isinstance(one.node, (*names.DEFINITIONS, *names.IMPORTS)):
            return []
        after = found.cell.statements[found.cell.statements.index(one) + 1 :]
        return [Piece(found.cell, s) for s in after if name in s.changed]


def holds(there: Iterable[Piece], piece: Piece) -> bool:
    """Whether a statement is among the pieces, alone or in its whole cell."""
    return any(
        p.cell is piece.cell and (p.statement is None or p.statement is piece.statement)
        for p in there
    )


def _working(cell: StudentCell, key: LessonKey) -> list[Statement]:
    """The statements of a cell that define, and those that what they define depends on."""
    working = [
        s
        for s in cell.statements
        if isinstance(s.node, (*names.DEFINITIONS, *names.IMPORTS)) or s.bound & key.answers
    ]
    if not working:
        return cell.statements
    by_name: dict[str, list[Statement]] = {}
    for statement in cell.statements:
        for name in statement.bound | statement.changed:
            by_name.setdefault(name, []).append(statement)
    done, names_done = set(working), set[str]()
    for statement in working:  # which grows
        for name in sorted(statement.free - names_done):
            names_done.add(name)
            new = [s for s in by_name.get(name, []) if s not in done]
            working += new
            done.update(new)
    return working


def _is_star(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _blank(lines: list[str], first: int, last: int) -> None:
    lines[first - 1 : last] = ["pass"] + [""] * (last - first)


def _take_futures(lines: list[str], piece: Piece) -> list[str]:
    """Take the imports from `__future__`, which stand first or nowhere, out of a piece's lines."""
    taken: list[str] = []
    offset = piece.statement.lines[0] - 1 if piece.statement else 0
    for statement in piece.statements:
        if _is_future(statement.node) and not statement.shares:
            taken.append(statement.text)
            first, last = statement.lines
            _blank(lines, first - offset, last - offset)
    return taken
