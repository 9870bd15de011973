"""What an answer needs of a student's other cells: their helpers, constants and imports."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from coursekit.grading.answers import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coursekit.grading.answers.cells import StudentCell
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
        node: the statement; None for the whole cell.
    """

    cell: StudentCell
    node: ast.stmt | None

    @property
    def order(self) -> tuple[int, int]:
        """Its place in the notebook."""
        return self.cell.number, self.node.lineno if self.node else 0

    @cached_property
    def text(self) -> str:
        """Its text, with decorators."""
        source = self.cell.code.source
        if self.node is None:
            return source
        if _shares_lines(self.cell, self.node):  # a = 1; b = 2
            return ast.get_source_segment(source, self.node) or ""
        first, last = _lines_of(self.node)
        return "\n".join(source.split("\n")[first - 1 : last])

    @cached_property
    def bound(self) -> set[str]:
        """The names that it binds."""
        nodes = self.cell.statements if self.node is None else [self.node]
        return set().union(*(names.bound(node) for node in nodes))


class Lender:
    """The statements of a notebook that an answer may borrow.

    Args:
        cells: of the student's notebook.
        key: of the lesson.
    """

    def __init__(self, cells: Sequence[StudentCell], key: LessonKey) -> None:
        self._key = key
        self._cells = [c for c in cells if c.runs and not c.given]
        self._by_name: dict[str, list[Piece]] = {}
        self._opaque: list[Piece] = []
        for cell in self._cells:
            for node in cell.statements:
                self._offer(Piece(cell, node))

    def _offer(self, piece: Piece) -> None:
        node = piece.node
        if isinstance(node, ast.ImportFrom) and (
            node.module == "__future__" or any(alias.name == "*" for alias in node.names)
        ):
            self._opaque.append(piece)
        if isinstance(node, (*names.DEFINITIONS, *names.IMPORTS, *_PLAIN)):
            for name in piece.bound:
                self._by_name.setdefault(name, []).append(piece)

    def borrow(
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
        there = list(pieces)
        taken: list[Piece] = []
        seen: set[str] = set()
        lost: set[str] = set()
        todo = self._wants(there)
        while todo and len(taken) < _MOST:
            name = min(todo)  # of a set, in an order that does not change
            todo.discard(name)
            seen.add(name)
            if any(name in piece.bound for piece in there):
                continue
            found = self._find(name, exercise, horizon)
            if found is None:
                if not self._is_there(name):
                    lost.add(name)
                continue
            new = [p for p in (found, *self._fillers(name, found)) if not holds(there, p)]
            taken += new
            there += new
            todo |= self._wants(new) - seen
        if lost:
            taken += [p for p in self._opaque if p.order[0] <= horizon and not holds(there, p)]
        if any(_names_of_star(p) for p in taken):
            lost = set()
        return taken, lost

    def _wants(self, pieces: Iterable[Piece]) -> set[str]:
        wanted: set[str] = set()
        for piece in pieces:
            for node in [piece.node] if piece.node else _working(piece.cell, self._key):
                wanted |= names.free(Piece(piece.cell, node).text)
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
        there = [name for p in ordered if p.node is not None for name in p.bound]
        texts: list[str] = []
        future: list[str] = []
        for piece in ordered:
            lines = piece.text.split("\n")
            if piece.node is None:
                for node, lost in self._failing(piece.cell, set(there)):
                    _blank(lines, node)
                    notes.append(
                        f"A trial in {piece.cell.title} (line {node.lineno}) was left out: it uses "
                        f"{', '.join(sorted(lost)[:5])}, which is not there when grading."
                    )
                there += piece.bound
            if len(ordered) > 1 and "__future__" in piece.text:
                future += _take_futures(lines, piece)
            texts.append("\n".join(lines))
        return "\n\n".join([*dict.fromkeys(future), *texts])

    def _failing(self, cell: StudentCell, there: set[str]) -> list[tuple[ast.stmt, set[str]]]:
        """The trials of a cell that use what is not there, and what that is."""
        working = _working(cell, self._key)
        there |= {name for node in working for name in names.bound(node)}
        found: list[tuple[ast.stmt, set[str]]] = []
        for node in cell.statements:
            if node in working or _shares_lines(cell, node):
                continue
            lost = {n for n in names.free(Piece(cell, node).text) - there if not self._is_there(n)}
            if lost:
                found.append((node, lost))
            else:
                there |= names.bound(node)
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
        offers = [p for p in self._by_name.get(name, []) if isinstance(p.node, kinds)]
        before = [p for p in offers if p.order[0] <= horizon]
        for piece in reversed(before or offers):
            if piece.node is None or names.same(piece.node) not in key.statements:
                return piece
        return None

    def _fillers(self, name: str, found: Piece) -> list[Piece]:
        """What follows in the same cell and fills what was bound: `table[3] = 4`, loops of it."""
        if found.node is None or isinstance(found.node, (*names.DEFINITIONS, *names.IMPORTS)):
            return []
        after = [s for s in found.cell.statements if s.lineno > found.node.lineno]
        return [Piece(found.cell, s) for s in after if name in names.changed(s)]


def holds(there: Iterable[Piece], piece: Piece) -> bool:
    """Whether a statement is among the pieces, alone or in its whole cell."""
    return any(p.cell is piece.cell and p.node in (None, piece.node) for p in there)


def _names_of_star(piece: Piece) -> bool:
    node = piece.node
    return isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names)


def _working(cell: StudentCell, key: LessonKey) -> list[ast.stmt]:
    """The statements of a cell that define, and those that what they define depends on."""
    working = [
        s
        for s in cell.statements
        if isinstance(s, (*names.DEFINITIONS, *names.IMPORTS)) or names.bound(s) & key.answers
    ]
    if not working:
        return cell.statements
    rest = [s for s in cell.statements if s not in working]
    new = working
    while new:
        used = set().union(*(names.free(Piece(cell, s).text) for s in new))
        new = [s for s in rest if (names.bound(s) | names.changed(s)) & used]
        rest = [s for s in rest if s not in new]
        working = working + new
    return working


def _shares_lines(cell: StudentCell, node: ast.stmt) -> bool:
    first, last = _lines_of(node)
    return any(
        s is not node and s.lineno <= last and (s.end_lineno or s.lineno) >= first
        for s in cell.statements
    )


def _lines_of(node: ast.stmt) -> tuple[int, int]:
    """The first and last line, decorators included."""
    decorators = node.decorator_list if isinstance(node, names.DEFINITIONS) else []
    return min([node.lineno, *(d.lineno for d in decorators)]), node.end_lineno or node.lineno


def _blank(lines: list[str], node: ast.stmt) -> None:
    first, last = _lines_of(node)
    lines[first - 1 : last] = ["pass"] + [""] * (last - first)


def _take_futures(lines: list[str], piece: Piece) -> list[str]:
    """Take the imports from `__future__`, which stand first or nowhere, out of a piece's lines."""
    taken: list[str] = []
    offset = _lines_of(piece.node)[0] - 1 if piece.node is not None else 0
    for node in piece.cell.statements if piece.node is None else [piece.node]:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            taken.append(ast.unparse(node))
            first, last = _lines_of(node)
            first, last = first - offset, last - offset
            lines[first - 1 : last] = ["pass"] + [""] * (last - first)
    return taken
