"""Small changes that may mend an answer, found in its own text; none knows an exercise.

What may have become what by mistake is in `slips`, and most of that works backwards, too. Here is
the rest, and how each change is put into words.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from coursekit.checks.edits import slips
from coursekit.checks.edits.trees import Scene, nodes, put

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Edit:
    """One change of an answer.

    Attributes:
        at: the piece of it that is changed.
        how: in words, after "with" or "without": "with another number there".
        make: gives the answer with the change.
        replacement: what stands in the piece's place, where that is one piece.
    """

    at: ast.AST
    how: str
    make: Callable[[], ast.Module]
    replacement: ast.AST | None = None


#: Of `own_part`: a call with the course's arguments.
OTHER_ARGUMENTS = "with other arguments"
#: What the operators of `slips` do, read backwards; what stands here alone is tried.
_BACKWARDS = {
    "off by one": "with another number there",
    "switch": "with the other of `True` and `False` there",
    "sign": "without its first sign or word",
    "arithmetic": "with another operator there",
    "operand dropped": "with one of its two sides alone",
    "assigned, not added": "with a plain `=` there",
    "comparison": "with another comparison there",
    "condition": "with another condition there",
    "arguments swapped": "with its first two arguments in the other order",
    "argument dropped": "with one argument less",
    "call left out": "without that call",
    "mean of means": "with the mean of ratios for the ratio of sums, or the reverse",
    "other function": "with another function or type there",
    "wrong axis": "with its axes in the other order",
    "pair swapped": "with its first two items in the other order",
    "item dropped": "with one item less",
    "no index": "without what stands in its last brackets",
    "line left out": "without that line",
}
#: Changes that take away, or exchange, more than one thing.
COARSE = frozenset(
    {
        *(_BACKWARDS[name] for name in ("operand dropped", "argument dropped", "call left out")),
        *(_BACKWARDS[name] for name in ("item dropped", "no index", "line left out")),
        OTHER_ARGUMENTS,
    }
)
_ONE_SIDED = (ast.Sub, ast.Div, ast.FloorDiv, ast.MatMult, ast.Pow, ast.Mod)
_BLOCKS = (ast.For, ast.While, ast.If, ast.With)
_SIMPLE = (ast.Assign, ast.AugAssign, ast.Expr, ast.Return)
#: Functions that are taken for one another, in groups.
_GROUPS = (
    ("sum", "mean", "prod", "any", "all", "count_nonzero", "cumsum", "numel", "size", "nansum"),
    ("max", "min", "amax", "amin", "argmax", "argmin", "maximum", "minimum", "cummax"),
    ("floor", "ceil", "round", "trunc", "int", "float"), ("median", "mean", "quantile"),
    ("exp", "log", "log2", "log1p", "sqrt", "square", "abs"), ("zeros", "ones", "empty", "full"),
    ("softmax", "log_softmax", "sigmoid", "logsigmoid", "tanh", "relu"), ("extend", "append"),
    ("std", "var"), ("long", "float", "double", "int", "bool"), ("isnan", "isfinite", "isinf"),
    ("unsqueeze", "squeeze", "flatten"), ("cat", "stack", "hstack", "vstack", "concatenate"),
    ("view", "reshape", "permute", "transpose"), ("eval", "train"), ("rows", "columns"),
    ("mT", "T"), ("bmm", "matmul", "mm"), ("logical_and", "logical_or", "logical_xor"),
    ("repeat", "repeat_interleave", "tile", "expand"), ("sort", "argsort"), ("sorted", "list"),
    ("MaxPool2d", "AvgPool2d", "AdaptiveAvgPool2d"), ("bincount", "unique", "histc"),
    ("cdf", "inv_cdf", "pdf"), ("fill_", "zero_"), ("add_", "copy_"), ("permutation", "integers"),
    ("Conv2d", "Linear"), ("BatchNorm2d", "LayerNorm"), ("ModuleList", "Sequential"),
    ("bilinear", "nearest", "bicubic"), ("enumerate", "reversed"), ("choice", "permutation"),
    ("GELU", "ReLU", "ReLU6", "Identity", "LeakyReLU"), ("width", "height"), ("less", "greater"),
)  # fmt: skip


def mends(tree: ast.Module, known: Collection[str]) -> Iterator[Edit]:
    """Each change of an answer's own text, the likeliest kinds first.

    Args:
        tree: of its cell, numbered (`trees.number`).
        known: the names that the notebook has.
    """
    found = [*nodes(tree, Scene(None, None, torch=False))]
    for operators in (
        (_selves,), (slips.numbers, slips.signs, slips.names), (_sides, _functions, _bounds),
        (slips.calls, slips.means), (slips.sequences, slips.statements, _jumps, _turned),
        (_uncalled, _added, _opened),
    ):  # fmt: skip
        for node, scene in found:
            for operator in operators:
                for how, replacement in _worded(operator, node, scene, known):
                    alone = replacement if isinstance(replacement, ast.AST) else None
                    yield Edit(node, how, partial(put, tree, node, replacement), alone)
    for node, scene in found:
        yield from _moved(tree, node, scene)
    for node, scene in found:
        yield from _renamed(tree, node, scene)


def _worded(
    operator: slips.Operator, node: ast.AST, scene: Scene, known: Collection[str]
) -> Iterator[tuple[str, ast.AST | list[ast.stmt]]]:
    if operator is _selves and isinstance(node, ast.Name) and node.id in known:
        return
    for name, replacement in operator(node, scene):
        if operator.__module__ != slips.__name__:
            yield name, replacement
        elif name in _BACKWARDS and not _grows(node, replacement):
            yield _BACKWARDS[name], replacement


def _grows(node: ast.AST, replacement: object) -> bool:
    """Whether a size may become a large one: `n // 32` as `n * 32` could fill the memory."""
    return (
        isinstance(node, (ast.BinOp, ast.AugAssign))
        and isinstance(node.op, (ast.FloorDiv, ast.Mod))
        and isinstance(replacement, (ast.BinOp, ast.AugAssign))
        and isinstance(replacement.op, ast.Mult)
    )


def _selves(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """`self.` that is missing before a name that nobody knows."""
    function = scene.function
    if not (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and function):
        return
    first = [a.arg for a in function.args.args[:1]]
    if first == ["self"] and node.id not in _bound(function):
        yield "with `self.` before it", ast.Attribute(ast.Name("self"), node.id)


def _sides(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """`b - a` for `a - b`; an operator for any other that makes nothing larger."""
    if not isinstance(node, ast.BinOp):
        return
    if isinstance(node.op, _ONE_SIDED):
        turned = ast.BinOp(node.right, node.op, node.left)
        yield "with its two sides in the other order", turned
    for op in (ast.Add(), ast.Sub(), ast.Div(), ast.FloorDiv(), ast.Mult(), ast.MatMult()):
        changed = ast.BinOp(node.left, op, node.right)
        if type(op) is not type(node.op) and not _grows(node, changed):
            yield "with another operator there", changed
    if isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        other = ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd()
        yield "with another operator there", ast.BinOp(node.left, other, node.right)
    if isinstance(node.left, ast.BinOp):  # (a + b) / c for a + b / c
        inner = ast.BinOp(node.left.right, node.op, node.right)
        regrouped = ast.BinOp(node.left.left, node.left.op, inner)
        yield "with brackets elsewhere", regrouped
    if isinstance(node.right, ast.BinOp):
        inner = ast.BinOp(node.left, node.op, node.right.left)
        yield "with brackets elsewhere", ast.BinOp(inner, node.right.op, node.right.right)


def _functions(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """Functions, types and words that are taken for one another."""
    name = getattr(node, "attr", getattr(node, "id", getattr(node, "value", None)))
    if isinstance(node, (ast.Attribute, ast.Name, ast.Constant)) and isinstance(name, str):
        for group in _GROUPS:
            if name in group:
                for other in group:
                    if other != name:
                        changed = copy.deepcopy(node)
                        field = {"Attribute": "attr", "Name": "id"}.get(type(node).__name__)
                        setattr(changed, field or "value", other)
                        yield "with another function or type there", changed


def _bounds(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """One more and one less, where something is counted, cut or indexed; axes that are numbers."""
    if isinstance(node, (ast.Name, ast.Attribute, ast.Call, ast.BinOp)) and _counts(node, scene):
        for op in (ast.Add(), ast.Sub()):
            yield "with one more, or one less", ast.BinOp(node, op, ast.Constant(1))
    value = _whole(node)
    if value is not None and not isinstance(scene.parent, (ast.UnaryOp, ast.FormattedValue)):
        for other in (-1, 0, 1, 2, 3, -value):
            if other not in (value, value + 1, value - 1):
                yield "with another number there", ast.Constant(other)
    if isinstance(node, ast.Slice):
        yield "with another slice", ast.Slice()
        if node.lower and node.upper is None:
            yield "with another slice", ast.Slice(upper=node.lower)
        elif node.upper and node.lower is None:
            yield "with another slice", ast.Slice(lower=node.upper)


def _counts(node: ast.expr, scene: Scene) -> bool:
    """Whether a number of things, a bound or an index stands there."""
    parent = scene.parent
    if isinstance(parent, ast.Subscript):
        return parent.slice is node
    if isinstance(parent, ast.Call):
        return slips.called(parent) in ("range", "arange") and parent.func is not node
    return isinstance(parent, ast.Slice)


def _whole(node: ast.AST) -> int | None:
    """A whole number that is written out, with its sign."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _whole(node.operand)
        return None if inner is None else -inner
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def _jumps(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    if isinstance(node, (ast.Break, ast.Continue)):
        other = ast.Continue() if isinstance(node, ast.Break) else ast.Break()
        yield f"with `{ast.unparse(other)}` there", other


def _turned(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """A sign or a `not` that is missing."""
    if isinstance(scene.parent, (ast.If, ast.While, ast.IfExp)) and scene.parent.test is node:
        yield "with the condition turned round", ast.UnaryOp(ast.Not(), node)
    if isinstance(node, (ast.Compare, ast.Name, ast.Call)) and _is_value(node, scene):
        yield "with the opposite there: `~`", ast.UnaryOp(ast.Invert(), node)
    if isinstance(node, (ast.Call, ast.BinOp, ast.Name, ast.Attribute)) and _is_value(node, scene):
        yield "with the sign turned", ast.UnaryOp(ast.USub(), node)
        yield "taken from 1", ast.BinOp(ast.Constant(1), ast.Sub(), node)


def _is_value(node: ast.AST, scene: Scene) -> bool:
    """Whether it is read, and not what is called or what a name with a dot begins with."""
    parent = scene.parent
    if isinstance(parent, (ast.Attribute, ast.keyword)):
        return False
    if isinstance(parent, ast.Call) and parent.func is node:
        return False
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


def _uncalled(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """Brackets that are missing after a method."""
    if isinstance(node, ast.Attribute) and _is_value(node, scene):
        yield "with `()` after it", ast.Call(node, [], [])


def _added(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """`total = x` for `total += x`, and another operator in its place."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        target = ast.Name(node.targets[0].id, ast.Store())
        yield "with `+=` there", ast.AugAssign(target, ast.Add(), node.value)
    elif isinstance(node, ast.AugAssign):
        for op in (ast.Add(), ast.Sub(), ast.Mult(), ast.Div()):
            changed = ast.AugAssign(node.target, op, node.value)
            if type(op) is not type(node.op) and not _grows(node, changed):
                yield "with another operator there", changed


def _opened(node: ast.AST, scene: Scene) -> Iterator[slips.Slip]:
    """What stands under `with torch.no_grad():`, without it."""
    if isinstance(node, ast.With):
        yield "without its first line", [*node.body]


def _moved(tree: ast.Module, node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """Lines in another order, and lines that stand too deep or not deep enough."""
    body = getattr(scene.parent, "body", None)
    if not isinstance(node, ast.stmt) or not isinstance(body, list) or node not in body:
        return
    if isinstance(node, _BLOCKS):
        yield from _lifted(tree, node)
    follower = next((b for a, b in pairwise(body) if a is node), None)
    if follower is None:
        return
    if isinstance(node, _SIMPLE) and isinstance(follower, _SIMPLE):

        def swapped(first: ast.stmt = node, second: ast.stmt = follower) -> ast.Module:
            one = put(tree, first, copy.deepcopy(second))
            return put(one, second, copy.deepcopy(first), last=True)

        yield Edit(node, "with that line and the next in the other order", swapped)
    if isinstance(node, _BLOCKS):

        def within(block: ast.stmt = node, line: ast.stmt = follower) -> ast.Module:
            deeper = copy.deepcopy(block)
            deeper.body.append(copy.deepcopy(line))  # type: ignore[attr-defined]
            return put(put(tree, line, ast.Pass()), block, deeper)

        yield Edit(follower, "inside the block above it", within)


def _lifted(tree: ast.Module, block: ast.For | ast.While | ast.If | ast.With) -> Iterator[Edit]:
    line = block.body[-1]
    if len(block.body) > 1:

        def lifted() -> ast.Module:
            shorter = copy.deepcopy(block)
            return put(tree, block, [shorter, shorter.body.pop()])

        yield Edit(line, "after the block that it stands in", lifted)


def _renamed(tree: ast.Module, node: ast.AST, scene: Scene) -> Iterator[Edit]:
    """A name of the function's for another of them."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and scene.function:
        if isinstance(scene.parent, ast.Call) and scene.parent.func is node:
            return
        for other in sorted(_bound(scene.function) - {node.id, "self"}):
            changed = partial(put, tree, node, ast.Name(other))
            yield Edit(node, "with another name there", changed)
    elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
        for other in sorted(_attributes(tree) - {node.attr}):
            changed = partial(put, tree, node, ast.Attribute(node.value, other, node.ctx))
            yield Edit(node, "with another name there", changed)


def _bound(function: ast.FunctionDef) -> set[str]:
    """The names that a function binds, its parameters among them."""
    found = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def _attributes(tree: ast.Module) -> set[str]:
    """What an answer binds as `self.x`."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def everywhere(tree: ast.Module, edits: list[Edit]) -> Iterator[Edit]:
    """Edits that are the same in several places, made together: an axis that is wrong twice."""
    groups: dict[str, list[Edit]] = {}
    for edit in edits:
        if edit.replacement is not None:
            groups.setdefault(ast.dump(edit.at) + ast.dump(edit.replacement), []).append(edit)
    for group in groups.values():
        if len(group) > 1:

            def made(group: list[Edit] = group) -> ast.Module:
                changed = tree
                for edit in group:
                    assert edit.replacement is not None
                    changed = put(changed, edit.at, edit.replacement)
                return changed

            yield Edit(group[0].at, f"{group[0].how} and wherever the same stands", made)
