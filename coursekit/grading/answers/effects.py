"""What a notebook's statements do beside binding names: to objects, to settings, by functions."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coursekit import names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_MOST = 50  # names that one function is taken to change
_DEPTH = 3  # calls within calls that are looked into
#: What sets something for all that follows; not what is only shown otherwise, nor seeds.
_SETS = re.compile(
    r"set_(?!.*(?:print|cmap|seed|title|style|theme))\w+|seterr\w*|simplefilter|filterwarnings"
    r"|setrecursionlimit|use_deterministic_algorithms|setNumThreads"
)


@dataclass
class _Function:
    """What calling a function of the notebook does.

    Attributes:
        parameters: in their order.
        takes: those whose objects it changes.
        binds: names of the notebook that it binds.
        changes: names of the notebook whose objects it changes.
        calls: the functions that it calls.
    """

    parameters: list[str]
    takes: set[str]
    binds: set[str]
    changes: set[str]
    calls: set[str] = field(default_factory=set)


class Effects:
    """What statements do, calls of the notebook's own functions included.

    Args:
        statements: of the notebook, at its top level.
    """

    def __init__(self, statements: Iterable[ast.stmt]) -> None:
        self._functions: dict[str, _Function] = {}
        for statement in statements:
            if isinstance(statement, names.FUNCTIONS):
                self._functions[statement.name] = _function(statement)
        for _ in range(_DEPTH):
            for function in self._functions.values():
                for name in sorted(function.calls & self._functions.keys())[:_MOST]:
                    called = self._functions[name]
                    for own, more in (
                        (function.binds, called.binds),
                        (function.changes, called.changes),
                    ):
                        own.update(sorted(more)[: max(_MOST - len(own), 0)])

    def of(self, statement: ast.stmt) -> tuple[set[str], set[str]]:
        """The names that a statement has functions bind, and those whose objects it changes."""
        binds, changes = set[str](), set[str]()
        if isinstance(statement, names.DEFINITIONS):
            for decorator in statement.decorator_list:
                changes |= _decorated(decorator)
            calls = [c for d in statement.decorator_list for c in _calls(d)]
        else:
            changes |= names.changed(statement)
            calls = list(_calls(statement))
        for call in calls:
            function = self._functions.get(call.func.id if isinstance(call.func, ast.Name) else "")
            if function is not None:
                binds |= function.binds
                changes |= function.changes | _given_and_changed(call, function)
        return binds, changes - {""}


def is_setting(statement: ast.stmt, imported: Collection[str]) -> bool:
    """Whether a statement sets something in a module, such as the type of torch's numbers."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        called = statement.value.func
        last = called.attr if isinstance(called, ast.Attribute) else names.root(called)
        place = called.value if isinstance(called, ast.Attribute) else None
        on_path = isinstance(place, ast.Attribute) and place.attr == "path"
        return names.root(called) in imported and bool(on_path or _SETS.fullmatch(last))
    if isinstance(statement, (ast.Assign, ast.AugAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        parts = (ast.Attribute, ast.Subscript)
        return any(isinstance(t, parts) and names.root(t) in imported for t in targets)
    return False


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> _Function:
    inside = list(ast.walk(node))
    arguments = node.args
    positional = [a.arg for a in (*arguments.posonlyargs, *arguments.args)]
    parameters = positional + [a.arg for a in arguments.kwonlyargs]
    declared = {name for n in inside if isinstance(n, ast.Global) for name in n.names}
    stored = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    items = {x for n in inside if isinstance(n, ast.Subscript) for x in names.global_item(n)}
    every = {n.arg for n in inside if isinstance(n, ast.arg)}
    changed = names.changed(node)
    return _Function(
        parameters,
        changed & set(parameters),
        (declared & stored) | items,
        changed - ((stored | every) - declared),
        {names.root(n.func) for n in inside if isinstance(n, ast.Call)},
    )


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    """The calls in a node; a decorator without brackets is one, too."""
    if isinstance(node, ast.Name):
        yield ast.Call(node, [], [])
    yield from (n for n in ast.walk(node) if isinstance(n, ast.Call))


def _decorated(decorator: ast.expr) -> set[str]:
    """What `@add_to(Net)` and `@Net.method` seem to change."""
    call = decorator if isinstance(decorator, ast.Call) else None
    called = call.func if call else decorator
    changes = {names.root(called)} if isinstance(called, ast.Attribute) else set()
    wraps = isinstance(called, ast.Attribute) and called.attr == "wraps"
    if call and not wraps and names.root(called) != "wraps":
        changes |= {names.root(argument) for argument in call.args}
    return changes


def _given_and_changed(call: ast.Call, function: _Function) -> set[str]:
    """The names whose objects a call hands to a function that changes them."""
    given = dict(zip(function.parameters, call.args, strict=False))
    given |= {k.arg: k.value for k in call.keywords if k.arg}
    return {names.root(value) for name, value in given.items() if name in function.takes}
