"""The slips that mutation testing plants: what a node of a solution may become by mistake.

Each operator takes a node and where it stands and yields what may stand there instead. None knows
of a lesson; what only one lesson knows is written by hand, in `notebooks/source/answers/`.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursekit.checks.edits.trees import Scene

Slip = tuple[str, ast.AST | list[ast.stmt]]  # the operator's name, and what takes the node's place
Operator = Callable[[ast.AST, "Scene"], Iterator[Slip]]


_SIGNS: dict[type[ast.operator], ast.operator] = {
    ast.Add: ast.Sub(), ast.Sub: ast.Add(), ast.Mult: ast.Div(), ast.Div: ast.Mult(),
    ast.Pow: ast.Mult(), ast.MatMult: ast.Mult(), ast.FloorDiv: ast.Mult(), ast.Mod: ast.FloorDiv(),
}  # fmt: skip
_COMPARISONS: dict[type[ast.cmpop], tuple[ast.cmpop, ...]] = {
    ast.Eq: (ast.NotEq(),), ast.NotEq: (ast.Eq(),), ast.In: (ast.NotIn(),), ast.NotIn: (ast.In(),),
    ast.Lt: (ast.GtE(), ast.LtE()), ast.GtE: (ast.Lt(), ast.Gt()),
    ast.Gt: (ast.LtE(), ast.GtE()), ast.LtE: (ast.Gt(), ast.Lt()),
}  # fmt: skip
#: One name for another, of a function, a class or a constant.
_NAMES = {
    "sum": "mean", "mean": "sum", "max": "min", "min": "max", "argmax": "argmin",
    "INTER_LINEAR": "INTER_NEAREST", "INTER_NEAREST": "INTER_LINEAR",
    "bilinear": "nearest", "nearest": "bilinear",
    "uint8": "int32", "int64": "float64", "float32": "float64",
    "log_softmax": "softmax", "softmax": "log_softmax", "log": "log1p", "zeros": "ones",
    "MaxPool2d": "AvgPool2d", "AvgPool2d": "MaxPool2d", "ReLU": "GELU", "ModuleList": "list",
    "append": "extend", "sigmoid": "tanh", "var": "std", "std": "var",
}  # fmt: skip
_ACTIVATIONS = {"ReLU", "GELU", "SiLU", "Sigmoid", "relu"}
_IGNORED = 255


def numbers(node: ast.AST, scene: Scene) -> Iterator[Slip]:
    """Off by one; True for False; and 0, the background, for 255."""
    if not isinstance(node, ast.Constant) or isinstance(scene.parent, ast.FormattedValue):
        return
    if isinstance(node.value, bool):
        yield "switch", ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield "off by one", ast.Constant(node.value + 1)
        if node.value > 0:
            yield "off by one", ast.Constant(node.value - 1)
        if node.value == _IGNORED:
            yield "background", ast.Constant(0)
    elif isinstance(node.value, str) and not isinstance(scene.parent, (ast.JoinedStr, ast.Expr)):
        yield "other string", ast.Constant(f"{node.value}x")


def signs(node: ast.AST, scene: Scene) -> Iterator[Slip]:
    """A lost sign, `+` for `-`, `*` for `/`, a comparison flipped, a condition that is none."""
    if isinstance(node, ast.UnaryOp):
        if isinstance(node.op, (ast.USub, ast.Not, ast.Invert)):
            yield "sign", node.operand
    elif isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in _SIGNS:
        changed = copy.deepcopy(node)
        changed.op = _SIGNS[type(node.op)]
        yield "arithmetic", changed
        if isinstance(node, ast.BinOp):
            yield "operand dropped", node.left
            yield "operand dropped", node.right
        else:
            yield "assigned, not added", ast.Assign([node.target], node.value, lineno=0)
    elif isinstance(node, ast.Compare):
        for op in _COMPARISONS.get(type(node.ops[0]), ()):
            yield "comparison", ast.Compare(node.left, [op, *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "condition", ast.BoolOp(other, node.values)


def calls(node: ast.AST, scene: Scene) -> Iterator[Slip]:
    """Swapped or missing arguments, a call that is left out, a bias that is."""
    if not isinstance(node, ast.Call):
        return
    if len(node.args) >= 2 and not any(isinstance(a, ast.Starred) for a in node.args[:2]):
        changed = copy.deepcopy(node)
        changed.args[0], changed.args[1] = changed.args[1], changed.args[0]
        yield "arguments swapped", changed
    for i, keyword in enumerate(node.keywords):
        if keyword.arg:
            changed = copy.deepcopy(node)
            del changed.keywords[i]
            yield "argument dropped", changed
    if len(node.args) >= 3:  # such as a layer of a sequence
        for i in range(len(node.args)):
            changed = copy.deepcopy(node)
            del changed.args[i]
            yield "argument dropped", changed
    name = called(node)
    if len(node.args) >= 1 and name != "append" and not isinstance(node.args[0], ast.GeneratorExp):
        yield "call left out", node.args[0]
    elif not node.args and isinstance(node.func, ast.Attribute):
        yield "call left out", node.func.value
    if name.startswith("Conv"):
        changed = copy.deepcopy(node)
        changed.keywords.append(ast.keyword("bias", ast.Constant(False)))
        yield "no bias", changed
    if name in _ACTIVATIONS:
        yield "no activation", ast.parse("nn.Identity()", mode="eval").body
    if name == "mean" and isinstance(node.func, ast.Attribute):
        yield from _pooled(node.func.value)


def _pooled(value: ast.expr) -> Iterator[Slip]:
    """The mean of ratios as the ratio of sums."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div):
        parts = [_method(part, "sum") for part in (value.left, value.right)]
        yield "mean of means", ast.BinOp(parts[0], ast.Div(), parts[1])


def means(node: ast.AST, scene: Scene) -> Iterator[Slip]:
    """The ratio of sums as the mean of ratios."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)):
        return
    parts = []
    for side in (node.left, node.right):
        if not (isinstance(side, ast.Call) and isinstance(side.func, ast.Attribute)):
            return
        if side.func.attr != "sum":
            return
        parts.append(side.func.value)
    yield "mean of means", _method(ast.BinOp(parts[0], ast.Div(), parts[1]), "mean")


def names(node: ast.AST, scene: Scene) -> Iterator[Slip]:
    """Sum for mean, nearest for bilinear, another type, softmax without its logarithm."""
    if isinstance(node, ast.Attribute) and node.attr in _NAMES:
        other = _NAMES[node.attr]
        plain = ast.Name(other) if other == "list" else ast.Attribute(node.value, other)
        yield "other function", plain
    elif isinstance(node, ast.Name) and node.id in _NAMES and isinstance(node.ctx, ast.Load):
        yield "other function", ast.Name(_NAMES[node.id])


def sequences(node: ast.AST, scene: Scene) -> Iterator[Slip]:
    """Swapped pairs and axes, items left out, slices that are cut otherwise, loops cut short."""
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and len(node.elts) >= 2:
        axes = isinstance(scene.parent, ast.Subscript)
        ordered = not isinstance(scene.parent, ast.Compare)  # `x in (a, b)` knows no order
        if ordered and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            swapped = copy.deepcopy(node)
            swapped.elts[0], swapped.elts[1] = swapped.elts[1], swapped.elts[0]
            yield "wrong axis" if axes else "pair swapped", swapped
        if not axes and not isinstance(scene.parent, (ast.Assign, ast.For, ast.comprehension)):
            for i in range(len(node.elts)):
                shorter = copy.deepcopy(node)
                del shorter.elts[i]
                yield "item dropped", shorter
    elif isinstance(node, ast.Slice) and not (node.lower or node.upper or node.step):
        yield "slice", ast.Slice(lower=ast.Constant(1))
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield "no index", node.value
    elif isinstance(node, (ast.For, ast.comprehension)):
        for cut in (ast.Slice(lower=ast.Constant(1)), ast.Slice(upper=ast.Constant(-1))):
            changed = copy.deepcopy(node)
            items = ast.Call(ast.Name("list"), [changed.iter], [])
            changed.iter = ast.Subscript(items, cut)
            yield "loop cut short", changed
        if isinstance(node, ast.comprehension) and node.ifs:
            yield "condition", ast.comprehension(node.target, node.iter, [], node.is_async)


def statements(node: ast.AST, scene: Scene) -> Iterator[Slip]:
    """Lines left out, conditions that always or never hold, class 0 forgotten, results cut off."""
    if isinstance(node, ast.Return) and node.value is not None:
        yield from _returns(node, scene)
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr, ast.Raise, ast.For, ast.If)):
        yield "line left out", ast.Pass()
    if isinstance(node, ast.If):
        yield "condition", [*node.body]
        changed = copy.deepcopy(node)
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        yield "condition", changed
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        name = node.targets[0].id
        if isinstance(node.value, ast.Compare):
            yield "background", [node, *ast.parse(f"{name}[0] = False").body]
        if scene.torch and isinstance(node.value, ast.Call) and not _is_initialiser(scene):
            cut = copy.deepcopy(node)
            cut.value = _method(cut.value, "detach")
            yield "detached", cut


def _returns(node: ast.Return, scene: Scene) -> Iterator[Slip]:
    assert node.value is not None
    yield "returns None", ast.Expr(node.value)
    parameters = [a.arg for a in scene.function.args.args] if scene.function else []
    parameters = [name for name in parameters if name != "self"]
    if parameters:
        yield "returns its input", ast.Return(ast.Name(parameters[0]))
    if scene.torch and not isinstance(node.value, ast.Tuple):
        yield "detached", ast.Return(_method(node.value, "detach"))
    several = node.value.elts if isinstance(node.value, ast.Tuple) else None
    for i, value in enumerate(several or [node.value]):
        if isinstance(value, (ast.DictComp, ast.Name)):
            continue
        turned = copy.deepcopy(value)
        swap = ast.Call(
            ast.Attribute(turned, "swapaxes"), [ast.Constant(0), ast.Constant(1)], []
        )  # fmt: skip
        changed = copy.deepcopy(node)
        if several:
            changed.value.elts[i] = swap  # type: ignore[union-attr]
        else:
            changed.value = swap
        yield "transposed", changed


def neighbours(body: list[ast.stmt]) -> Iterator[tuple[ast.stmt, ast.stmt]]:
    """Statements that stand one after the other and may be swapped."""
    plain = (ast.Assign, ast.AugAssign, ast.Expr, ast.For)
    for first, second in pairwise(body):
        if isinstance(first, plain) and isinstance(second, plain):
            yield first, second


OPERATORS: tuple[Operator, ...] = (numbers, signs, calls, means, names, sequences, statements)


def called(node: ast.Call) -> str:
    """The last name of what is called, such as "sum" of `x.sum()`; "" where it has none."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _method(value: ast.expr, name: str) -> ast.Call:
    return ast.Call(ast.Attribute(copy.deepcopy(value), name), [], [])


def _is_initialiser(scene: Scene) -> bool:
    return scene.function is not None and scene.function.name == "__init__"
