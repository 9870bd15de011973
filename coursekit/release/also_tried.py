"""What hidden tests tell students that they try, read from their text without running it.

The third argument of `probe.emit` (`about`) is meant for students; `probe.call` and
`probe.train` have words of their own.
Here it is worked out as far as constants reach: texts, f-strings, `a if b else c`, names that are
set to such, and loops over what is written out in place. A part of an f-string that reaches further
becomes "…"; any other text that does is left out, which only makes the list shorter.
"""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING, Any

from coursekit.probe import TRAINED, UNCHANGED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST_STEPS = 200  # of a loop
_OWN_WORDS = {"probe.call": (UNCHANGED,), "probe.train": TRAINED}


class _UnknownError(Exception):
    """A value that constants do not tell."""


def also_tried(hidden: str) -> list[str]:
    """The texts that `emit` is told in `about`, in their order, each once.

    Args:
        hidden: the hidden half of a check cell.
    """
    try:
        tree = ast.parse(textwrap.dedent(hidden))
    except SyntaxError:
        return []
    return list(dict.fromkeys(_walk(tree.body, {})))


def _walk(statements: Sequence[ast.stmt], names: dict[str, Any]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, ast.For):
            for step in _steps(statement, names):
                yield from _walk(statement.body, step)
        elif hasattr(statement, "body"):
            # Both ways of an `if`, every part of a `try`: which one runs is not known.
            for part in ("body", "handlers", "orelse", "finalbody"):
                yield from _walk(getattr(statement, part, []), names)
        else:
            if isinstance(statement, ast.Assign):
                for target in statement.targets:
                    _bind(target, statement.value, names)
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "emit":
                    yield from _about(node, names)
                elif isinstance(node, ast.Call):
                    yield from _OWN_WORDS.get(ast.unparse(node.func), ())


def _steps(loop: ast.For, names: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The names in each step of a loop; one step, without its own, when it cannot be told."""
    items = loop.iter.elts if isinstance(loop.iter, (ast.Tuple, ast.List)) else [None]
    for item in items[:_MOST_STEPS]:
        step = dict(names)
        _bind(loop.target, item, step)
        yield step


def _bind(target: ast.expr, value: ast.expr | None, names: dict[str, Any]) -> None:
    """Set the names of a target, or forget them when the value is not known."""
    if isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        known = len(parts) == len(target.elts)
        for i, name in enumerate(target.elts):
            _bind(name, parts[i] if known else None, names)
    elif isinstance(target, ast.Name):
        names.pop(target.id, None)
        try:
            names[target.id] = _value(value, names)
        except _UnknownError:
            names.pop(target.id, None)


def _about(call: ast.Call, names: dict[str, Any]) -> Iterator[str]:
    given = [k.value for k in call.keywords if k.arg == "about"] + call.args[2:3]
    for node in given:
        try:
            text = str(_value(node, names))
        except _UnknownError:
            continue
        if text.strip(" …"):
            yield text


def _value(node: ast.expr | None, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.IfExp):
        return _value(node.body if _value(node.test, names) else node.orelse, names)
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(part, names) for part in node.values)
    raise _UnknownError


def _part(part: ast.expr, names: dict[str, Any]) -> str:
    """A part of an f-string."""
    plain = not isinstance(part, ast.FormattedValue) or (
        part.conversion == -1 and part.format_spec is None
    )
    value = part.value if isinstance(part, ast.FormattedValue) else part
    try:
        return str(_value(value, names)) if plain else "…"
    except _UnknownError:
        return "…"
