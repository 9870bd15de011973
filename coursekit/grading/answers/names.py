"""What Python text defines and uses, by its syntax alone; nothing is executed."""

from __future__ import annotations

import ast
import symtable
import unicodedata
from typing import Any

from coursekit.grading.answers.mend import without_warnings

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)

#: Letters of other scripts, and the Latin letters that they look like.
_ODD = "авсԁеһіјкӏмпорԛѕтυνԝхуαγικορτχАВСЕНІЈКМОРЅТХУΑΒΕΗΙΚΜΝΟΡΤΥΧΖı"
_LATIN = "abcdehijklmnopqstuvwxyayikoptxABCEHIJKMOPSTXYABEHIKMNOPTYXZi"
_LOOKS = dict(zip(_ODD, _LATIN, strict=True))


def bound(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement binds at the top level, in its branches too."""
    names: set[str] = set()
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, DEFINITIONS):
            names.add(node.name)
        elif isinstance(node, IMPORTS):
            for alias in node.names:
                names.add(alias.asname or alias.name.partition(".")[0])
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        elif not isinstance(
            node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
        ):
            if isinstance(node, ast.AnnAssign) and node.value is None:
                continue
            stack += ast.iter_child_nodes(node)
    return names - {"*"}


def changed(statement: ast.stmt) -> set[str]:
    """The names whose objects a statement writes into: `x[i] = …`, `x.y = …`, `x += …`."""
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
            inner: ast.expr = node
            while isinstance(inner, (ast.Attribute, ast.Subscript)):
                inner = inner.value
            if isinstance(inner, ast.Name):
                names.add(inner.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func  # a method whose result nobody wants: x.append(1)
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                names.add(called.value.id)
    return names


def free(text: str) -> set[str]:
    """The names that a text takes from elsewhere, at any depth; of a broken text none."""
    table = _table(text)
    if table is None:
        return set()
    used: set[str] = set()
    stack = [table]
    while stack:
        scope = stack.pop()
        stack += scope.get_children()
        top = scope.get_type() == "module"
        for symbol in scope.get_symbols():
            if symbol.is_referenced() and (top or symbol.is_global()):
                used.add(symbol.get_name())
    own = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    return used - own


def needed_at_once(text: str) -> set[str]:
    """The names that must be there when a text runs: not those in the bodies of functions."""
    table = _table(text)
    return {s.get_name() for s in table.get_symbols() if s.is_referenced()} if table else set()


def _table(text: str) -> symtable.SymbolTable | None:
    try:
        with without_warnings():
            return symtable.symtable(text, "answer", "exec")
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return None


def shape(node: ast.AST) -> str:
    """A definition without what a student may change in a stub and still have written nothing.

    That is: docstrings, annotations, `pass`, `…` and `raise NotImplementedError`.
    """
    return _told(node, bare=True)


def same(node: ast.AST) -> str:
    """A text that equal trees share."""
    return _told(node, bare=False)


def _told(node: ast.AST, *, bare: bool) -> str:
    words: list[str] = []
    try:
        _tell(node, words, bare)
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return f"untold {id(node)}"  # equal to nothing else
    return " ".join(words)


def _tell(value: Any, words: list[str], bare: bool) -> None:
    if isinstance(value, ast.AST):
        words.append(type(value).__name__)
        for field, child in ast.iter_fields(value):
            if bare and field in ("annotation", "returns") and not isinstance(value, ast.AnnAssign):
                continue
            if bare and field == "body" and isinstance(value, (*DEFINITIONS, ast.Module)):
                child = [s for s in child if not _says_nothing(s)]
            words.append(field)
            _tell(child, words, bare)
    elif isinstance(value, list):
        words.append("[")
        for child in value:
            _tell(child, words, bare)
        words.append("]")
    else:
        words.append(repr(value))


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


def look_alike(name: str, wanted: str) -> str:
    """Why `name` only looks like `wanted`: the odd letter's name; "" when it does not."""
    if name == wanted or "".join(_LOOKS.get(c, c) for c in name) != wanted:
        return ""
    odd = next(c for c in name if c in _LOOKS)
    return f"{unicodedata.name(odd, 'of another script').lower()} in place of {_LOOKS[odd]!r}"
