"""Lines of an answer that work something out and do not keep it: `down(x)` for `x = down(x)`."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from coursekit import names as text_names

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Functions and methods that change nothing but give something; no list has one of these names.
_GIVES = frozenset(
    {
        "abs", "adaptive_avg_pool2d", "amax", "amin", "argmax", "argmin", "argsort", "astype",
        "avg_pool2d", "bincount", "bmm", "cat", "clamp", "clamp_max", "clamp_min", "clip",
        "concatenate", "conv2d", "cumsum", "detach", "diagonal", "difference", "dot", "dropout",
        "einsum", "exp", "expand", "flatten", "flip", "fliplr", "flipud", "full_like", "gather",
        "gelu", "hstack", "index_select", "interpolate", "intersection", "log", "log_softmax",
        "long", "masked_fill", "matmul", "max_pool2d", "maximum", "mean", "minimum", "nonzero",
        "normalize", "one_hot", "ones_like", "pad", "permute", "prod", "relu", "repeat",
        "repeat_interleave", "reshape", "roll", "scatter_add", "sigmoid", "softmax", "split",
        "sqrt", "square", "squeeze", "stack", "std", "strip", "sum", "swapaxes",
        "symmetric_difference", "tanh", "tolist", "transpose", "tril", "triu", "union", "unique",
        "unsqueeze", "view", "vstack", "where", "zeros_like"
    }
)  # fmt: skip
#: Functions and methods whose result shares nothing: what is put into it is seen nowhere else.
_FRESH = frozenset(
    {
        "clone", "copy", "deepcopy", "empty", "empty_like", "full", "full_like", "ones",
        "ones_like", "zeros", "zeros_like",
    }
)  # fmt: skip
#: What every module has and that acts, where it is called as a line.
_ACTS = {
    "add_module",
    "apply",
    "cpu",
    "cuda",
    "double",
    "eval",
    "float",
    "to",
    "train",
    "zero_grad",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def unkept(text: str, inside: str = "", *, unread: bool = False) -> str:
    """What is said of the first such line; "" where there is none.

    Only calls are told of that can have no other use: of layers that `self` holds, of functions of
    `torch` and NumPy, and of methods, that give something new and change nothing. So are lines of
    operators, such as `w / w.sum()`, and of pieces, such as `x[:, ::-1], y[:, ::-1]`.

    Args:
        text: of the answer's cell.
        inside: the one function or method to look at, "Mine.forward"; all of them by default.
        unread: tell of what gets a name that nothing reads, too: mostly a slip, but no certain one.
    """
    tree = text_names.parsed(text)
    if tree is None:
        return ""
    for owner in [n for n in ast.walk(tree) if isinstance(n, (ast.ClassDef, ast.Module))]:
        held, home = frozenset[str](), ""
        if isinstance(owner, ast.ClassDef):
            held, home = _held(owner), f"{owner.name}."
            held |= _inherited(owner) if unread else frozenset()
        for function in owner.body:
            if isinstance(function, Function) and inside in ("", f"{home}{function.name}"):
                for line, value, name in _idle(function, held):
                    if name and not unread:
                        continue
                    shown = ast.unparse(value)
                    shown = shown if len(shown) <= 60 else f"{shown[:59]}…"
                    what = f"`{name}` is never read" if name else "nothing keeps it"
                    return f"look at line {line}: `{shown}` gives something new, and {what}"
    return ""


def _held(owner: ast.ClassDef) -> frozenset[str]:
    """What a class sets as `self.x` by a call, as layers are, if they do not work in place."""
    return frozenset(
        target.attr
        for node in ast.walk(owner)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if not _in_place(node.value)
        for target in node.targets
        if isinstance(target, ast.Attribute) and _is_self(target.value)
    )


def _inherited(owner: ast.ClassDef) -> frozenset[str]:
    """What a class calls as `self.x(…)` and has from another class: mostly layers, not surely."""
    functions = [node for node in owner.body if isinstance(node, Function)]
    calls = [node.func for node in ast.walk(owner) if isinstance(node, ast.Call)]
    called = {f.attr for f in calls if isinstance(f, ast.Attribute) and _is_self(f.value)}
    acts = {name for name in called if name.startswith(("register_", "load_")) or name[-1] == "_"}
    return frozenset(called - acts - _ACTS - {function.name for function in functions})


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


def _idle(function: Function, held: frozenset[str]) -> Iterator[tuple[int, ast.expr, str]]:
    """Lines of a function that give what is lost: number, what they say, the name that it gets."""
    layers = {name for node in ast.walk(function) for name in _looped(node, held)}
    places = [n for n in ast.walk(function) if isinstance(n, ast.Subscript)]
    filled = {id(n.value) for n in places if isinstance(n.ctx, ast.Store)}  # `x[i] = 1`
    loaded = [n for n in ast.walk(function) if isinstance(n, ast.Name) and _is_read(n)]
    read, some = {n.id for n in loaded if id(n) not in filled}, {n.id for n in loaded}
    read |= {name for n in ast.walk(function) for name in getattr(n, "names", ()) if _outer(n)}
    for node in ast.walk(function):
        name = ""
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if not isinstance(target, ast.Name) or target.id in read or target.id[0] == "_":
                continue
            name = target.id
        elif not isinstance(node, ast.Expr):
            continue
        value = node.value
        if isinstance(value, ast.Call):
            # What is only filled, `new[mask] = 1`, may be seen by another name, if it is not fresh.
            lost = _is_fresh(value) if name in some else _gives(value, held, layers)
        else:
            lost = not name and _is_worked_out(value)
        if lost:
            yield node.lineno, value, name


def _is_worked_out(value: ast.expr) -> bool:
    """Whether it is made of operators and pieces alone, and calls nothing but what gives."""
    made = isinstance(value, (ast.BinOp, ast.Compare, ast.Subscript)) or (
        isinstance(value, ast.Tuple) and all(map(_is_worked_out, value.elts))
    )
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    return made and all(_gives(call, frozenset(), set()) for call in calls)


def _is_read(name: ast.Name) -> bool:
    return isinstance(name.ctx, (ast.Load, ast.Del))


def _is_fresh(call: ast.Call) -> bool:
    """Whether what a call gives has no other name, nor a part that has one."""
    function = call.func
    return isinstance(function, ast.Attribute) and function.attr in _FRESH


def _outer(node: ast.AST) -> bool:
    """Whether its names belong to what is around the function."""
    return isinstance(node, (ast.Global, ast.Nonlocal))


def _in_place(call: ast.Call) -> bool:
    """Whether what is given may be changed: `F.relu(x, True)`, `nn.ReLU(inplace=True)`, `out=`."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    switched = any(isinstance(one, ast.Constant) and one.value is True for one in given)
    return switched or bool({keyword.arg for keyword in call.keywords} & {"out", "inplace", None})


def _looped(node: ast.AST, held: frozenset[str]) -> Iterator[str]:
    """Names that a `for` gives to what `self` holds, one after the other."""
    if not isinstance(node, ast.For):
        return
    iterated, targets = [node.iter], [node.target]
    if isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name):
        iterated = node.iter.args
        if isinstance(node.target, ast.Tuple):
            first = node.iter.func.id == "enumerate"
            targets = node.target.elts[1:] if first else node.target.elts
    for value, target in zip(iterated, targets, strict=False):
        if isinstance(target, ast.Name) and _is_layer(value, held):
            yield target.id


def _is_layer(node: ast.AST, held: frozenset[str]) -> bool:
    """Whether it is `self.x`, or one of what that holds, and set by a call."""
    if isinstance(node, ast.Subscript):
        return _is_layer(node.value, held)
    return isinstance(node, ast.Attribute) and _is_self(node.value) and node.attr in held


def _gives(call: ast.Call, held: frozenset[str], layers: set[str]) -> bool:
    """Whether a call has no other use than what it gives."""
    function = call.func
    if _in_place(call):
        return False
    if isinstance(function, ast.Name):
        return function.id in layers and bool(call.args)
    if _is_layer(function, held):
        return bool(call.args)
    return isinstance(function, ast.Attribute) and function.attr in _GIVES
