"""Changes of an answer towards the course's own part: what it has and the answer has not.

The part is read, never run: a line of an answer is tried with the part's line for the same thing in
its place, a call with the part's arguments. What fits is not shown; a student is told the place.
"""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import textwrap
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from coursekit import names
from coursekit.checks.edits.mends import OTHER_ARGUMENTS, Edit
from coursekit.checks.edits.slips import called
from coursekit.checks.edits.trees import Scene, nodes, put

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

_LINES = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)
_WHOLE = (*_LINES, ast.For, ast.If, ast.With)
_BUILTINS = frozenset(dir(builtins))
_HOLE = "_hole_"
#: A number of the part's may stand in place of one that is not much smaller: sizes grow.
_SMALL, _TIMES = 32, 4


def read(parts: Iterable[Any]) -> list[ast.Module]:
    """The texts of functions and classes, as trees."""
    found = []
    for part in parts:
        with suppress(OSError, TypeError, SyntaxError):
            found.append(ast.parse(textwrap.dedent(inspect.getsource(part))))
    return found


def towards(tree: ast.Module, parts: list[ast.Module], known: Collection[str]) -> Iterator[Edit]:
    """Each change within a line that makes an answer more like the course's own part.

    Args:
        tree: of the answer, numbered (`trees.number`).
        parts: what the course has in its place (`read`).
        known: the names that the notebook has.
    """
    for mine, theirs in _pairs(tree, parts):
        there = {*known, *_BUILTINS, *names.defined_anywhere(ast.unparse(mine))}
        pieces = [n for n in ast.walk(theirs) if isinstance(n, ast.expr)]
        yield from _arguments(tree, mine, [n for n in pieces if _free(n) <= there])
        yield from _constants(tree, mine, pieces)


def wrapped(tree: ast.Module, parts: list[ast.Module], known: Collection[str]) -> Iterator[Edit]:
    """Each expression of an answer with one thing more done to it that either does elsewhere."""
    for mine, theirs in _pairs(tree, parts):
        there = {*known, *_BUILTINS, *names.defined_anywhere(ast.unparse(mine))}
        pieces = [n for n in ast.walk(theirs) if isinstance(n, ast.expr)]
        yield from _wrapped(tree, mine, pieces, there)


def lines(tree: ast.Module, parts: list[ast.Module], known: Collection[str]) -> Iterator[Edit]:
    """Each line of an answer with the part's for the same name in its place.

    Args:
        tree: of the answer, numbered.
        parts: what the course has in its place.
        known: the names that the notebook has.
    """
    if sum(isinstance(node, _LINES) for node in ast.walk(tree)) > 1:
        for mine, ours in _lines_of(tree, parts, known):
            yield from _replaced(tree, mine, ours)


def missing(tree: ast.Module, parts: list[ast.Module], known: Collection[str]) -> Iterator[Edit]:
    """The same for lines that the part has and the answer has not, put after any of its own."""
    for mine, ours in _lines_of(tree, parts, known):
        yield from _missing(tree, mine, ours)


def _lines_of(
    tree: ast.Module, parts: list[ast.Module], known: Collection[str]
) -> Iterator[tuple[ast.FunctionDef, list[ast.stmt]]]:
    for mine, theirs in _pairs(tree, parts):
        there = {*known, *_BUILTINS, *names.defined_anywhere(ast.unparse(mine))}
        ours = [n for n in ast.walk(theirs) if isinstance(n, _WHOLE) and not _is_words(n)]
        yield mine, [n for n in ours if names.free(_in_a_function(n)) <= there]


def _pairs(
    tree: ast.Module, parts: list[ast.Module]
) -> Iterator[tuple[ast.FunctionDef, ast.FunctionDef]]:
    """Functions of the answer, and the part's of that name with the answer's parameters."""
    theirs = [f for part in parts for f in ast.walk(part) if isinstance(f, ast.FunctionDef)]
    own = [f for f in ast.walk(tree) if isinstance(f, ast.FunctionDef)]
    for mine in own:
        named = [f for f in theirs if f.name == mine.name]
        for function in named or (theirs if len(own) == 1 else []):
            yield mine, _with_parameters(function, mine)


def _with_parameters(function: ast.FunctionDef, mine: ast.FunctionDef) -> ast.FunctionDef:
    old, new = ([a.arg for a in f.args.args] for f in (function, mine))
    renamed = dict(zip(old, new, strict=False))
    made = copy.deepcopy(function)
    for node in ast.walk(made):
        if isinstance(node, ast.Name):
            node.id = renamed.get(node.id, node.id)
    return made


def _is_words(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _in_a_function(line: ast.AST) -> str:
    return f"def f():\n{textwrap.indent(ast.unparse(line), '    ')}"


def _free(piece: ast.expr) -> set[str]:
    return names.free(ast.unparse(piece))


def _makes(line: ast.AST) -> str:
    """What a line is for: the names that it binds, or that it ends a function."""
    if isinstance(line, ast.Return):
        return "return"
    if isinstance(line, (ast.For, ast.If, ast.With)):
        return ""
    targets = getattr(line, "targets", [getattr(line, "target", None)])
    return ", ".join(ast.unparse(t) for t in targets if t is not None)


def _replaced(tree: ast.Module, mine: ast.FunctionDef, ours: Sequence[ast.stmt]) -> Iterator[Edit]:
    """A line with the part's for the same name in its place."""
    for line in ast.walk(mine):
        if isinstance(line, _LINES) and not _is_words(line):
            for other in ours:
                same = _makes(line) == _makes(other) and _makes(line)
                if same and ast.dump(line) != ast.dump(other):
                    yield Edit(line, "with something else there", partial(put, tree, line, other))


def _missing(tree: ast.Module, mine: ast.FunctionDef, ours: Sequence[ast.stmt]) -> Iterator[Edit]:
    """A line that the part has and the answer has not, after any line of it."""
    there = {ast.dump(line) for line in ast.walk(mine) if isinstance(line, ast.stmt)}
    for other in ours:
        if ast.dump(other) in there or isinstance(other, ast.Return):
            continue
        for line in ast.walk(mine):
            if isinstance(line, (ast.Assign, ast.AugAssign, ast.Expr)) and not _is_words(line):
                both = [copy.deepcopy(line), other]
                yield Edit(line, "with one more line after it", partial(put, tree, line, both))
        lines = [line for line in mine.body if not _is_words(line)]
        for line in lines[:1] + lines[-1:]:
            both = [other, copy.deepcopy(line)]
            yield Edit(line, "with one more line before it", partial(put, tree, line, both))


def _arguments(tree: ast.Module, mine: ast.FunctionDef, pieces: list[ast.expr]) -> Iterator[Edit]:
    """A call with other arguments, an expression that the part has for the same name."""
    calls = [p for p in pieces if isinstance(p, ast.Call)]
    for node in ast.walk(mine):
        if not isinstance(node, ast.Call):
            continue
        for other in calls:
            if called(other) == called(node) and ast.dump(other) != ast.dump(node):
                how = OTHER_ARGUMENTS
                yield Edit(node, how, partial(put, tree, node, other), other)
                mixed = ast.Call(node.func, node.args, other.keywords)
                yield Edit(node, how, partial(put, tree, node, mixed), mixed)


def _constants(tree: ast.Module, mine: ast.FunctionDef, pieces: list[ast.expr]) -> Iterator[Edit]:
    values = {p.value for p in pieces if isinstance(p, ast.Constant)}
    for node, scene in nodes(mine, Scene(None, None, torch=False)):
        if not isinstance(node, ast.Constant) or isinstance(
            scene.parent, (ast.Expr, ast.JoinedStr)
        ):
            continue
        for value in sorted(values, key=repr):
            if type(value) is type(node.value) and value != node.value:
                if isinstance(value, int) and value > max(_SMALL, _TIMES * int(node.value)):  # type: ignore[arg-type]
                    continue
                what = "number" if isinstance(value, (int, float)) else "word"
                other = ast.Constant(value)
                how = f"with another {what} there"
                yield Edit(node, how, partial(put, tree, node, other), other)


def _wrapped(
    tree: ast.Module, mine: ast.FunctionDef, pieces: list[ast.expr], known: Collection[str]
) -> Iterator[Edit]:
    """An expression with one thing more done to it that either does elsewhere: `.float()`."""
    shapes: dict[str, ast.expr] = {}
    for piece in (*pieces, *(n for n in ast.walk(mine) if isinstance(n, ast.expr))):
        for shape in _shapes(piece):
            if _free(shape) <= {*known, _HOLE}:
                shapes.setdefault(ast.dump(shape), shape)
    for node, scene in nodes(mine, Scene(None, None, torch=False)):
        if not isinstance(node, ast.expr) or isinstance(node, (ast.Slice, ast.Starred)):
            continue
        stored = not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        if stored or getattr(scene.parent, "func", None) is node:
            continue
        for shape in shapes.values():
            filled = _filled(shape, node)
            how = "with one thing more done to it"
            yield Edit(node, how, partial(put, tree, node, filled), filled)


def _shapes(piece: ast.expr) -> Iterator[ast.expr]:
    """What is done to an expression, with a hole for it: `_hole_.mean(0)`, `_hole_ / 2`."""
    hole = ast.Name(_HOLE)
    if isinstance(piece, ast.Call):
        if isinstance(piece.func, ast.Attribute):
            yield ast.Call(ast.Attribute(hole, piece.func.attr), piece.args, piece.keywords)
        if piece.args:
            yield ast.Call(piece.func, [hole, *piece.args[1:]], piece.keywords)
    elif isinstance(piece, ast.Subscript):
        yield ast.Subscript(hole, piece.slice)
    elif isinstance(piece, ast.UnaryOp):
        yield ast.UnaryOp(piece.op, hole)
    elif isinstance(piece, ast.Attribute):
        yield ast.Attribute(hole, piece.attr)
    elif isinstance(piece, ast.BinOp):
        yield ast.BinOp(hole, piece.op, piece.right)
        yield ast.BinOp(piece.left, piece.op, hole)


def _filled(shape: ast.expr, node: ast.expr) -> ast.expr:
    class Fill(ast.NodeTransformer):
        def visit_Name(self, at: ast.Name) -> ast.expr:
            return copy.deepcopy(node) if at.id == _HOLE else at

    made = Fill().visit(copy.deepcopy(shape))
    assert isinstance(made, ast.expr)
    return made
