"""Where an answer is wrong, found by trying: which one change lets it pass its check?

Where a check fails and none of the misconceptions that it knows fits, small changes of the answer
are tried on it, one at a time (`edits.mends`, `edits.own_part`), as in generate-and-validate
program repair. The first that passes says where to look and what kind of thing is wrong there; the
change itself is left to the student. Nothing that is tried stays: names, data and random numbers
are those that were there before.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import linecache
import os
import random
import re
import time
from collections import deque
from itertools import chain
from types import ModuleType
from typing import TYPE_CHECKING, Any

from coursekit import names as text_names
from coursekit.checks import copies
from coursekit.checks.apart import OutOfTime, apart
from coursekit.checks.borrowing import own_parts
from coursekit.checks.cells import cell_of, codes
from coursekit.checks.crashes import is_students, told
from coursekit.checks.edits import own_part
from coursekit.checks.edits.mends import COARSE, Edit, everywhere, mends
from coursekit.checks.edits.trees import number
from coursekit.checks.failed import BRIEF, CheckFailed
from coursekit.checks.state import State
from coursekit.checks.unkept import unkept
from coursekit.parts import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Seconds that a student waits for it at most, and bytes of data that are copied for each try.
SECONDS, BYTES = 4.0, 32 * 2**20
_SHOWN = 60  # characters of a piece of the answer
_FINER = 150  # changes that are tried for a smaller one than a whole line
_ENOUGH = 8  # characters that say which piece it is
_FILE, _CHECK = "<answer with one change>", "<check of an answer with one change>"
_TICK = "_coursekit_tick"
#: Where this is set, a kernel works for a grade: hundreds of answers, and nobody waits for words.
_GRADING = "COURSEKIT_PROBE"
#: What a check's hidden half has: it writes down what an answer gives, and that is not tried.
_HIDDEN = "coursekit.probe"


def say_where(error: CheckFailed) -> None:
    """Let a failure that names no misconception say where to look, if that can be found."""
    where = "" if error.named else place(error, error.exercise)
    if where:
        error.add(where)


def in_its_check(error: BaseException, exercise: str) -> str:
    """What is said of an exception that an answer ends its own check's cell with; "" elsewhere.

    A check's cell may call an answer by itself, such as the class whose objects it then tries.
    """
    check, _ = _check_of(error, exercise)
    if not check:
        return ""
    return "\n".join(filter(None, (told(error, ()), place(error, exercise))))


def place(error: BaseException, exercise: str, seconds: float = SECONDS) -> str:
    """Where to look, in a sentence; "" where no single change that was tried lets the answer pass.

    Args:
        error: what the check's cell ended with, with its traceback.
        exercise: whose check it is.
        seconds: after which nothing more is tried; so does who interrupts the cell.
    """
    if _GRADING in os.environ:
        return ""
    # An answer may be anything: no words are no harm.
    with contextlib.suppress(Exception, KeyboardInterrupt, OutOfTime):
        check, names = _check_of(error, exercise)
        answer = _answer_of(exercise, names)
        if check and answer and _HIDDEN not in check:
            if words := unkept(answer):
                return "" if words in str(error) else f"{words[0].upper()}{words[1:]}."
            found = _Search(exercise, answer, check, names, seconds).place(error)
            words = "" if found else unkept(answer, unread=True)
            return f"{words[0].upper()}{words[1:]}." if words else found
    return ""


def _check_of(error: BaseException, exercise: str) -> tuple[str, dict[str, Any]]:
    """The text of the check's cell that an exception came through, and the names that it has."""
    found: tuple[str, dict[str, Any]] = ("", {})
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        text = cell_of(code) if is_students(code) else ""
        if re.search(rf"""Check\(["']{re.escape(exercise)}["']\)""", text):
            found = text, traceback.tb_frame.f_globals
        traceback = traceback.tb_next
    return found


def _answer_of(exercise: str, names: dict[str, Any]) -> str:
    """The text of the cell that an exercise's names come from; "" where it is not one cell."""
    parts = {*parts_of(exercise)}
    found = [names[name] for name in parts if name in names]
    texts = {cell_of(code) for value in found for code in codes(value) if is_students(code)}
    texts = {text for text in texts if parts & text_names.defined(text)}  # not what it inherits
    return texts.pop() if len(texts) == 1 else ""


class _Search:
    """One answer that fails one check."""

    def __init__(
        self, exercise: str, answer: str, check: str, names: dict[str, Any], seconds: float
    ) -> None:
        self.exercise, self.answer = exercise, answer
        self.until = time.monotonic() + seconds
        self.check = check
        self.state = State(names)
        used = text_names.taken(check) | text_names.free(answer)
        self.data = {n: names[n] for n in sorted(used & {*names}) if _can_change(names[n])}

    def place(self, error: BaseException) -> str:
        """See `place`."""
        tree = text_names.parsed(self.answer)
        if tree is None or sum(map(_bytes, self.data.values())) > BYTES:
            return ""
        tree.body = [line for line in tree.body if not isinstance(line, _TRIALS)]
        number(tree)
        found = None
        try:
            with apart(self.until):
                # As it is, it must fail as it did: else what is tried here is not what was run.
                if self._failure(ast.unparse(tree)) == _said(error):
                    found = self._first(tree, error)
        finally:
            self.state.restore({})
            for file in (_FILE, _CHECK):
                linecache.cache.pop(file, None)
        return "" if found is None else self._words(tree, found)

    def _first(self, tree: ast.Module, error: BaseException) -> Edit | None:
        """The first change that lets it pass; a whole line, where no smaller one does."""
        parts, known = own_part.read(own_parts(self.exercise)), {*self.state.names}
        self.passes = {ast.unparse(tree): False}
        whole = self._passing(own_part.lines(tree, parts, known))
        about = self._about(error)
        if whole is not None:
            about |= dict.fromkeys(_lines_of(whole.at), max(about.values()) + 1)
        with contextlib.suppress(OutOfTime):
            return self._smaller(tree, parts, about, whole) or whole
        return whole

    def _smaller(
        self, tree: ast.Module, parts: list[ast.Module], about: dict[int, int], whole: Edit | None
    ) -> Edit | None:
        """The first change within a line, or of several, that lets it pass."""
        known = {*self.state.names}
        own, theirs = mends(tree, known), own_part.towards(tree, parts, known)
        near = _by_line(_in_turns([*own], [*theirs]), about)
        few = None if whole is None else _FINER
        found = self._passing(near[:few])
        if found is not None or len(near[:few]) == few:
            return found
        # Thousands for a long answer, which take a second to be made.
        more = _by_line(own_part.wrapped(tree, parts, known), about)
        if few is not None:
            return self._passing(more[: few - len(near)])
        lacking = own_part.missing(tree, parts, known)
        return self._passing(chain(more, everywhere(tree, [*near, *more]), lacking))

    def _about(self, error: BaseException) -> dict[int, int]:
        """How many of the message's words each line holds; the line that stopped has them all."""
        said = {*re.findall(r"[a-z_]\w+", str(error))}
        about = {
            number: len(said.intersection(re.findall(r"[a-z_]\w+", line)))
            for number, line in enumerate(self.answer.splitlines(), 1)
        }
        return about | {self._stopped(error): len(said)}

    def _stopped(self, error: BaseException) -> int:
        """The innermost line of the answer that an exception came through; 0 if through none."""
        found, traceback = 0, (error.__cause__ or error).__traceback__
        while traceback is not None:
            if cell_of(traceback.tb_frame.f_code) == self.answer:
                found = traceback.tb_lineno
            traceback = traceback.tb_next
        return found

    def _passing(self, edits: Iterable[Edit]) -> Edit | None:
        for edit in edits:
            text = ast.unparse(ast.fix_missing_locations(edit.make()))
            if text not in self.passes:
                whole = BRIEF.set(True)
                try:
                    self.passes[text] = self._failure(text) is None
                finally:
                    BRIEF.reset(whole)
            if self.passes[text]:
                return edit
        return None

    def _failure(self, text: str) -> str | None:
        """What the check says of an answer; None where it passes."""
        self._tick()
        names: dict[str, Any] = {}
        self.state.restore(names)
        names |= _copied(self.data)
        names[_TICK] = self._tick
        for file, lines in ((_FILE, text), (_CHECK, self.check)):  # as a student's code can be read
            linecache.cache[file] = (len(lines), None, lines.splitlines(keepends=True), file)
        try:
            for file, lines in ((_FILE, text), (_CHECK, self.check)):
                ticking = ast.fix_missing_locations(_Ticking().visit(ast.parse(lines)))
                exec(compile(ticking, file, "exec", dont_inherit=True), names)  # noqa: S102
        except (OutOfTime, KeyboardInterrupt):
            raise
        except BaseException as error:  # whatever an answer may raise
            if time.monotonic() > self.until:
                raise OutOfTime from error  # which its own `except` may have swallowed
            return _said(error)
        return None

    def _tick(self) -> bool:
        if time.monotonic() > self.until:
            raise OutOfTime
        return True

    def _words(self, tree: ast.Module, edit: Edit) -> str:
        parents = {id(c): p for p in ast.walk(tree) for c in ast.iter_child_nodes(p)}
        piece, least = edit.at, self._shown(edit.at)
        shown = least
        while len(shown) < _ENOUGH and isinstance(
            parents.get(id(piece)), (ast.expr, ast.keyword, ast.Return)
        ):
            piece = parents[id(piece)]
            shown = self._shown(piece)
        what = f"`{shown}`" if shown == least else f"`{least}` in `{shown}`"
        lines = (getattr(n, "lineno", 0) for n in ast.walk(edit.at))
        line = min((n for n in lines if n), default=getattr(piece, "lineno", 0))
        how = f"{edit.how[0].upper()}{edit.how[1:]}"
        return f"Where to look: line {line}, {what}. {how}, this check passes."

    def _shown(self, piece: ast.AST) -> str:
        text = ast.get_source_segment(self.answer, piece) or ast.unparse(piece)
        first, *more = text.strip().splitlines()
        first = first.rstrip()
        return first[: _SHOWN - 1] + "…" if more or len(first) > _SHOWN else first


#: What a student tries below an answer, which may take long.
_TRIALS = (ast.Expr, ast.For, ast.While, ast.With, ast.If, ast.Assert)


class _Ticking(ast.NodeTransformer):
    """Lets each round of a loop, and each call, look at the clock."""

    def _ticked(self, node: Any) -> Any:
        self.generic_visit(node)
        first = int(ast.get_docstring(node) is not None) if hasattr(node, "args") else 0
        node.body.insert(first, ast.Expr(self._tick()))
        return node

    visit_For = visit_While = visit_FunctionDef = _ticked

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.ifs.insert(0, self._tick())
        return node

    def _tick(self) -> ast.Call:
        return ast.Call(ast.Name(_TICK, ast.Load()), [], [])


def _in_turns(own: list[Edit], theirs: list[Edit]) -> Iterator[Edit]:
    """Some of each kind in turn, the likeliest first."""
    step = 40
    for start in range(0, max(len(own), len(theirs)), step):
        yield from own[start : start + step]
        yield from theirs[start : start + step]


def _by_line(edits: Iterable[Edit], about: Mapping[int, int]) -> list[Edit]:
    """Those of the lines that matter most first, in their own order.

    What takes something away, or exchanges a whole call, comes after all others: it may satisfy a
    check without being what is wrong.
    """
    return sorted(
        edits,
        key=lambda edit: (edit.how in COARSE, -about.get(getattr(edit.at, "lineno", 0), 0)),
    )


def _lines_of(node: ast.AST) -> range:
    first = getattr(node, "lineno", 0)
    return range(first, getattr(node, "end_lineno", first) + 1)


def _said(error: BaseException) -> str:
    """What is compared: no line numbers, which differ in a text that is written anew."""
    if isinstance(error, CheckFailed) and error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


def _can_change(value: Any) -> bool:
    """Whether what is tried gets a copy: data, collections, what learns, random numbers."""
    if isinstance(value, (type, ModuleType)):
        return False
    kept = (list, dict, set, bytearray, deque, random.Random)
    return copies.is_data(value) or isinstance(value, kept) or hasattr(value, "state_dict")


def _copied(data: dict[str, Any]) -> dict[str, Any]:
    """Copies that share what the originals share; no gradient reaches the originals."""
    memo = {
        id(tensor): tensor.detach().clone().requires_grad_()
        for tensor in _tensors(data)
        if not tensor.is_leaf
    }
    return copy.deepcopy(data, memo)


def _tensors(value: Any) -> Iterator[Any]:
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item)
    elif copies.is_tensor(value) and hasattr(value, "is_leaf"):
        yield value


def _bytes(value: Any) -> int:
    """What a copy needs."""
    if isinstance(value, dict):
        return sum(map(_bytes, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_bytes, value))
    if hasattr(value, "state_dict"):
        return _bytes(dict(value.state_dict()))
    return int(getattr(value, "nbytes", 0))
