"""Which names a Python text binds, and which it uses, by its syntax alone; nothing is executed."""

from __future__ import annotations

import ast
import builtins
import symtable
import threading
import warnings
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)

_BUILTINS = frozenset(dir(builtins))
#: Expressions with names of their own, which nothing outside of them sees.
_SCOPES = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
#: A statement that may read what it has bound itself; `x = x + 1` reads what was there before.
_BLOCKS = (ast.For, ast.While, ast.With, ast.Try)
_NO_PYTHON = (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError)
_ONE_AT_A_TIME = threading.Lock()


@contextmanager
def without_warnings() -> Iterator[None]:
    """Python's warnings of a stranger's text are not shown, and never errors."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():  # which is for one thread
        warnings.simplefilter("ignore")
        yield


def parsed(text: str) -> ast.Module | None:
    """A text as a tree; None for what is no Python, or is nested too deeply to be read."""
    try:
        with without_warnings():
            return ast.parse(text)
    except _NO_PYTHON:
        return None


def imports(text: str) -> Iterator[tuple[str, str]]:
    """The names that a text's imports bind, at any depth, and the dotted name of each one's origin.

    Relative imports, which a notebook has none of, are left out.
    """
    yield from imports_of(parsed(text) or ast.Module([], []))


def imports_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """See `imports`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.asname or alias.name.partition(".")[0], alias.name
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def has_star(text: str) -> bool:
    """Whether a text imports all of a module, so that nobody knows which names it binds."""
    return any(name == "*" for name, _ in imports(text))


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
        elif isinstance(node, _SCOPES):  # of which `:=` alone binds a name outside
            inner = (n for n in ast.walk(node) if not isinstance(node, ast.Lambda))
            names |= {n.target.id for n in inner if isinstance(n, ast.NamedExpr)}
        else:
            if isinstance(node, ast.AnnAssign) and node.value is None:
                continue
            if isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
                names.add(node.name)
            elif isinstance(node, ast.MatchMapping) and node.rest:
                names.add(node.rest)
            stack += ast.iter_child_nodes(node)
    return names - {"*"}


def changed(statement: ast.stmt) -> set[str]:
    """The names whose objects a statement writes into: `x[i] = …`, `del x.y`, `x += …`, `x.add(1)`.

    Of `x = f(x)` the name is taken to stand for the same thing, changed.
    """
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            if not isinstance(node.ctx, ast.Load):
                names.add(root(node))
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, (ast.Expr, ast.Lambda)):
            call = node.value if isinstance(node, ast.Expr) else node.body
            called = call.func if isinstance(call, ast.Call) else None  # whose result is not kept
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
                names.add(called.value.id)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            given = {a.id for a in node.value.args if isinstance(a, ast.Name)}
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)} & given
        if isinstance(node, ast.Call) and node.args and root(node.func) in ("setattr", "delattr"):
            names.add(root(node.args[0]))
    return names - {""}


def root(node: ast.expr) -> str:
    """The name that an expression such as `x.y[1].z` begins with; "" when it begins otherwise."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def handling(statement: ast.stmt) -> tuple[set[str], set[str]]:
    """The names that a statement uses, but for types, and those that it calls or hands on."""
    uses, types, as_itself = dict[int, str](), set[int](), set[int]()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            uses[id(node)] = node.id
        elif isinstance(node, ast.Call):
            handed = (node.func, *node.args, *(k.value for k in node.keywords))
            as_itself |= {id(n) for n in handed}
        elif isinstance(node, ast.ExceptHandler):
            as_itself.add(id(node.type))
        elif isinstance(node, ast.ClassDef):
            as_itself |= {id(n) for n in node.bases}
        if isinstance(node, DEFINITIONS):
            as_itself |= {id(n) for n in node.decorator_list}
        for field in ("annotation", "returns"):
            if isinstance(said := getattr(node, field, None), ast.AST):
                types |= {id(n) for n in ast.walk(said)}
    used = {place: name for place, name in uses.items() if place not in types}
    return {*used.values()}, {name for place, name in used.items() if place in as_itself}


@lru_cache(maxsize=2048)  # a class's notebooks have most of their cells in common
def defined(text: str) -> frozenset[str]:
    """The names that a text binds at its top level; of what is no Python none."""
    table = _table(text)
    return frozenset(_own(table)) if table else frozenset()


def defined_anywhere(text: str) -> set[str]:
    """The names that a text binds at any depth, parameters among them."""
    table = _table(text)
    return {
        symbol.get_name()
        for scope in (_scopes(table) if table else ())
        for symbol in scope.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_parameter()
    }


def free(text: str) -> set[str]:
    """The names that a text takes from elsewhere, at any depth, and binds nowhere itself."""
    table = _table(text)
    return (_at_once(table) | _later(table)) - _own(table) if table else set()


@lru_cache(maxsize=2048)
def taken(text: str) -> frozenset[str]:
    """The names that a cell takes from the cells before it: what it reads before it binds it."""
    tree, table = parsed(text), _table(text)
    if tree is None or table is None:
        return frozenset()
    before: set[str] = set()
    used = _later(table) - _own(table)
    for statement in tree.body:
        binds = bound(statement)
        used |= _read(statement) - before - (binds if isinstance(statement, _BLOCKS) else set())
        before |= binds
    return frozenset(used - _BUILTINS)


def needed_at_once(text: str) -> set[str]:
    """The names that must be there when a text runs: not those in the bodies of functions."""
    table = _table(text)
    return _at_once(table) if table else set()


def _own(table: symtable.SymbolTable) -> set[str]:
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}


def _at_once(table: symtable.SymbolTable) -> set[str]:
    """What the top level reads."""
    return {s.get_name() for s in table.get_symbols() if s.is_referenced()}


def _later(table: symtable.SymbolTable) -> set[str]:
    """What the bodies of functions and classes read from the top level."""
    return {
        symbol.get_name()
        for scope in _scopes(table)
        for symbol in (scope.get_symbols() if scope is not table else ())
        if symbol.is_referenced() and symbol.is_global()
    }


def _read(statement: ast.stmt) -> set[str]:
    """The names that a statement reads at once, but for the bodies of functions and classes."""
    names: set[str] = set()
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        if isinstance(node, DEFINITIONS):
            body = set(map(id, node.body))
            stack += [child for child in ast.iter_child_nodes(node) if id(child) not in body]
        elif not isinstance(node, _SCOPES):
            stack += ast.iter_child_nodes(node)
        elif isinstance(node, ast.Lambda):
            stack.append(node.args)
        else:
            stack.append(node.generators[0].iter)  # the only part that is read outside
    return names


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    stack = [table]
    while stack:
        scope = stack.pop()
        stack += scope.get_children()
        yield scope


def _table(text: str) -> symtable.SymbolTable | None:
    try:
        with without_warnings():
            return symtable.symtable(text, "text", "exec")
    except _NO_PYTHON:
        return None
