"""What an answer needs of a student's other cells: their helpers, constants and imports."""

from __future__ import annotations

import ast
import builtins
import heapq
import re
from typing import TYPE_CHECKING

from coursekit import names
from coursekit.grading.answers.pieces import MOST, Borrowed, Piece, Search, WrittenFile, holds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from coursekit.grading.answers.cells import Statement, StudentCell
    from coursekit.grading.answers.key import ExerciseKey, LessonKey

_THERE = frozenset(dir(builtins)) | {
    "__name__", "__file__", "__doc__", "get_ipython", "display", "In", "Out", "exit", "quit", "_",
}  # fmt: skip
_WRITTEN = re.compile(
    r"\s*%%(?:write)?file[ \t]+(?P<more>-a[ \t]+)?(?P<path>\S*?(?P<module>\w+)\.py)[ \t]*\n"
)
_PLAIN = (ast.Assign, ast.AnnAssign, ast.If, ast.Try)  # no loops: a trial is mostly one


class Dependencies:
    """The statements of a notebook that an answer may borrow.

    Args:
        cells: of the student's notebook.
        key: of the lesson.
    """

    def __init__(self, cells: Sequence[StudentCell], key: LessonKey) -> None:
        self._key = key
        self._by_name: dict[str, list[Piece]] = {}
        self._changing: dict[str, list[Piece]] = {}
        self._opaque: list[Piece] = []
        self._files: dict[str, list[WrittenFile]] = {}
        for cell in cells:
            for statement in cell.statements if cell.runs else ():
                self._offer(Piece(cell, statement), statement)
            written = (
                _WRITTEN.match(cell.source) if cell.code.magic in ("writefile", "file") else None
            )
            if written:
                file = WrittenFile(cell, None, written["path"], bool(written["more"]))
                # By the folders that it is in, too: it may be a module of a package.
                for name in {written["module"], *written["path"].split("/")[:-1]}:
                    self._files.setdefault(name, []).append(file)

    def _offer(self, piece: Piece, statement: Statement) -> None:
        node = statement.node
        if isinstance(node, ast.ImportFrom) and (_is_future(node) or _is_star(node)):
            self._opaque.append(piece)
        if not isinstance(node, ast.AugAssign):
            for name in statement.bound:
                self._by_name.setdefault(name, []).append(piece)
        if not isinstance(node, names.DEFINITIONS):
            for name in statement.changed:
                self._changing.setdefault(name, []).append(piece)

    def find(self, pieces: Sequence[Piece], exercise: ExerciseKey, horizon: int) -> Borrowed:
        """What an answer needs beside itself.

        Args:
            pieces: the answer.
            exercise: which it answers.
            horizon: number of the cell that its check is; what stands before it goes first.
        """
        found = Borrowed([], set(), {}, {}, {})
        search = Search(list(pieces), found)
        last = max(piece.order[0] for piece in pieces)
        until = horizon if last <= horizon else last
        self._follow(search, exercise, until)
        if found.lost:
            search.take(p for p in self._opaque if p.order[0] <= horizon)
        if any(_is_star(s.node) for p in search.there for s in p.statements):
            found.lost = set()
        return found

    def completes(self, name: str, piece: Piece, horizon: int) -> bool:
        """Whether a stub is filled elsewhere before its check: `UNet.forward = forward`."""
        return any(
            piece.order < p.order and p.order[0] <= horizon and not _calls_method(p)
            for p in self._changing.get(name, [])
            if self._is_own(p)
        )

    def _follow(self, search: Search, exercise: ExerciseKey, horizon: int) -> None:
        """Take what gives names their meanings, what changes that, and what all of it uses."""
        seen = self._wants(search.there) | set(exercise.wanted)
        todo = sorted(seen)  # a heap: names come in an order that does not change
        pieces = search.found.pieces
        search.take(f for p in list(search.there) for f in self._written(p, horizon))
        done = 0
        while todo and len(search.found.pieces) < MOST:
            name = heapq.heappop(todo)
            binding = [p for p in search.there if name in p.bound]
            if not binding:
                binding = self._find(name, exercise, horizon, search.there)
                search.take(binding)
                if not binding and not self._is_there(name):
                    search.found.lost.add(name)
            self._change(search, name, binding, exercise, horizon)
            new = pieces[done:]
            while done < len(pieces):  # which grows: a file may import another
                search.take(self._written(pieces[done], horizon))
                done += 1
            for wanted in self._wants(new) - seen:
                seen.add(wanted)
                heapq.heappush(todo, wanted)

    def _change(
        self,
        search: Search,
        name: str,
        binding: Sequence[Piece],
        exercise: ExerciseKey,
        horizon: int,
    ) -> None:
        """Take what changes a name's object after it was bound: `table[3] = 4`, `@add_to(Net)`."""
        key = self._key
        if not binding:
            if name in key.given or name in key.assigned:
                meant = [p for p in self._meant(name, horizon) if not holds(search.there, p)]
                search.found.ignored |= dict.fromkeys(meant, name)
            return
        if all(isinstance(s.node, names.IMPORTS) for p in binding for s in p.statements):
            return
        start = max(piece.order for piece in binding)
        for piece in self._changing.get(name, []):
            if piece.order <= start or not self._is_own(piece):
                continue
            if piece.order[0] <= horizon:
                search.found.changes |= dict.fromkeys(search.take([piece]), name)
            elif name in exercise.wanted and not holds(search.there, piece):
                search.found.below[piece] = name

    def _meant(self, name: str, horizon: int) -> list[Piece]:
        """What a student wrote that gives a name of the lesson another meaning, for themselves."""
        found = [*self._by_name.get(name, [])]
        found += [p for p in self._changing.get(name, []) if not _of_kinds([p], (ast.Expr,))]
        return [
            p
            for p in found
            if p.order[0] <= horizon
            and self._is_own(p)
            and not (_of_kinds([p], names.IMPORTS) and self._key.origins >= _origins(p, name))
        ]

    def _written(self, piece: Piece, horizon: int) -> list[Piece]:
        """The files that a piece imports, as far as cells write them."""
        text = piece.cell.code.source if isinstance(piece, WrittenFile) else piece.text
        modules = {origin.partition(".")[0] for _, origin in names.imports(text)}
        found: list[Piece] = []
        for module in sorted(modules & self._files.keys()):
            files = self._files[module]
            files = [f for f in files if f.order[0] <= horizon] or files
            for path in dict.fromkeys(f.path for f in files):
                same = [f for f in files if f.path == path]
                whole = [i for i, f in enumerate(same) if not f.more]
                found += same[max(whole, default=0) :]
        return found

    def _is_own(self, piece: Piece) -> bool:
        """Whether it is none of the lesson's own statements."""
        return all(s.same not in self._key.statements for s in piece.statements)

    def _wants(self, pieces: Iterable[Piece]) -> set[str]:
        wanted: set[str] = set()
        for piece in pieces:
            one = piece.statement
            if isinstance(piece, WrittenFile):
                continue
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
            if piece.statement is None and not isinstance(piece, WrittenFile):
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

    def _find(
        self, name: str, exercise: ExerciseKey, horizon: int, there: Sequence[Piece]
    ) -> list[Piece]:
        """The student's own statements that give a name its meaning, if the lesson does not."""
        key = self._key
        if name in key.answers or name in key.given:
            return []
        offers = self._by_name.get(name, [])
        if name in _THERE:
            offers = [p for p in offers if p.order[0] <= horizon]
            if not _is_data(name, there):
                offers = _of_kinds(offers, (*names.DEFINITIONS, *names.IMPORTS))
        elif key.assigned.get(name, exercise.place) < exercise.place:
            # A helper that has the name of a lesson's variable.
            offers = _of_kinds(offers, names.DEFINITIONS)
        offers = [p for p in offers if p.order[0] <= horizon] or offers
        # No loops and calls where there is something plainer: a trial is mostly one.
        plain = (*names.DEFINITIONS, *names.IMPORTS, *_PLAIN)
        found: list[Piece] = []
        for piece in reversed(_of_kinds(offers, plain) or offers):
            if self._is_own(piece):
                found.append(piece)
                if name not in names.needed_at_once(piece.text):  # as in `table = more(table)`
                    break
        return found


def _is_data(name: str, there: Iterable[Piece]) -> bool:
    """Whether a built-in's name stands for something else: used, but never called or handed on."""
    said = [s.handling for p in there for s in p.statements]
    return any(name in used for used, _ in said) and not any(name in calls for _, calls in said)


def _calls_method(piece: Piece) -> bool:
    node = piece.statement.node if piece.statement else None
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)


def _origins(piece: Piece, name: str) -> set[tuple[str, str]]:
    return {pair for pair in names.imports(piece.text) if pair[0] == name}


def _of_kinds(pieces: Iterable[Piece], kinds: tuple[type[ast.stmt], ...]) -> list[Piece]:
    return [p for p in pieces if p.statement and isinstance(p.statement.node, kinds)]


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
