"""What an exercise forbids: found while the answer runs, and in its text.

A check declares it (`check.forbids("F.cross_entropy", because=…)`), where both who checks and who
grades can read it. The text decides in grading: what a student's kernel says of itself could be
forged, the answer's text is the grader's own copy. The text is read as far as the answer's own code
goes: what it defines under the names that the solution defines, and what that uses of the rest of
its cell. A comparison with the forbidden function below an answer is no use of it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import sys
from dataclasses import dataclass
from functools import lru_cache
from types import BuiltinFunctionType, BuiltinMethodType, FunctionType
from typing import TYPE_CHECKING, Any

from coursekit import names as text_names
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Words that stand for pieces of syntax.
_SYNTAX: dict[str, tuple[type[ast.AST], ...]] = {
    "for": (ast.For, ast.comprehension),
    "while": (ast.While,),
}
#: Ways to take something by a text: of its name, or of a program.
_BY_NAME = ("getattr", "attrgetter", "methodcaller", "__getattribute__")
_FROM_TEXT = ("eval", "exec", "compile", "__import__")


@dataclass(frozen=True)
class Rule:
    """Something that an answer may not use.

    Attributes:
        name: as the check's cell would write it, such as "F.cross_entropy", or "for", "while".
        because: what to do in its place.
    """

    name: str
    because: str

    def __str__(self) -> str:
        what = f"a `{self.name}` loop" if self.name in _SYNTAX else f"`{self.name}`"
        return f"your answer uses {what}, which this exercise forbids: {self.because}"


def declared(check: str) -> list[Rule]:
    """The rules that a check cell declares, read from its text without running it.

    Raises:
        CourseError: when a name or the reason is not written out.
    """
    found = []
    for node in ast.walk(ast.parse(check)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "forbids":
            because = [k.value for k in node.keywords if k.arg == "because"]
            try:
                reason, *names = map(ast.literal_eval, [*because, *node.args])
            except ValueError as error:
                raise CourseError(
                    f"line {node.lineno} of a check: {ast.unparse(node)}: write names and reason "
                    "out; grading reads them from the text"
                ) from error
            found += [Rule(str(name), str(reason)) for name in names]
    return found


def broken(answer: str, rules: Iterable[Rule], solution: str) -> Rule | None:
    """The first rule that an answer breaks, by its text.

    Args:
        answer: the text of its cell.
        rules: of the exercise.
        solution: the text of the lesson's own, whose names are what is checked.
    """
    listed = [*rules]
    tree = text_names.parsed(answer) if listed else None
    if tree is None:
        return None  # nothing is forbidden; or it fails for that
    wanted = _defined(solution)
    try:
        return next((r for r in listed if uses(tree, wanted, _forbidden(tree, r.name))), None)
    except RecursionError:
        return None  # nested too deeply to be read, such as a thousand `elif`


@lru_cache(8)  # thousands of answers are to one exercise
def _defined(text: str) -> frozenset[str]:
    """The names that a cell gives a meaning; none if it is no Python."""
    tree = text_names.parsed(text)
    return frozenset(() if tree is None else definitions(tree))


def _forbidden(tree: ast.Module, name: str) -> Callable[[ast.AST], bool]:
    """Says of a piece of a cell whether it is a use of what is called so."""
    last = name.split(".")[-1]
    aliases = {alias for alias, real in _imported(tree) if real == last}
    if last not in definitions(tree) and any(real == "*" for _, real in _imported(tree)):
        aliases.add(last)
    return lambda node: _is_use(node, name, aliases)


def uses(tree: ast.Module, wanted: Iterable[str], is_use: Callable[[ast.AST], bool]) -> bool:
    """Whether what the wanted names mean, or what that needs of its cell, has such a piece."""
    known = definitions(tree)
    waiting, seen = [*wanted], set[str | int]()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        for node in known.get(one, ()):
            if id(node) in seen:  # a statement may bind a thousand names
                continue
            seen.add(id(node))
            if any(map(is_use, _code(node))):
                return True
            # A name of the function's own, such as a parameter, is not what the cell calls so.
            waiting += text_names.free(ast.unparse(node))
    return False


@lru_cache(8)  # one tree is asked for several names and rules
def definitions(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """The statements at the top of a cell that give a name its meaning."""
    found: dict[str, list[ast.stmt]] = {}
    own = {n for node in tree.body if not _is_import(node) for n in text_names.bound(node)}
    for node in tree.body:
        names = text_names.bound(node)
        names |= text_names.changed(node) & own  # `table.append(f)`; not `torch.allclose(x, y)`
        if isinstance(node, (ast.Assign, ast.AugAssign)):  # `UNet.forward = forward`
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {root for t in targets if (root := _root(t))}
        for name in names:
            found.setdefault(name, []).append(node)
    return found


def _is_import(node: ast.stmt) -> bool:
    return isinstance(node, text_names.IMPORTS)


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that imports bind, at any depth, and what they stand for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, alias.name


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """What runs or is bound: no annotations."""
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _code(child)


def _is_use(node: ast.AST, name: str, aliases: set[str]) -> bool:
    if isinstance(node, ast.Name) and node.id in _FROM_TEXT:
        return True  # whatever a text says that is not written out: who forbids cannot read it
    if name in _SYNTAX:
        return isinstance(node, _SYNTAX[name])
    last = name.split(".")[-1]
    if isinstance(node, ast.Attribute):
        mine = isinstance(node.value, ast.Name) and node.value.id == "self"
        return node.attr == last and not mine
    if isinstance(node, ast.ImportFrom):
        return any(alias.name == last for alias in node.names)
    if isinstance(node, ast.Name):
        return node.id in aliases or ("." not in name and node.id == name)
    # By its name: getattr(F, "…"), attrgetter("…")(F), vars(F)["…"], F.__dict__["…"].
    named: list[ast.expr] = []
    if isinstance(node, ast.Call) and _called(node) in _BY_NAME:
        named = node.args
    elif isinstance(node, ast.Subscript) and _called(node.value) in ("vars", "__dict__"):
        named = [node.slice]
    return any(isinstance(n, ast.Constant) and n.value == last for n in named)


def _called(node: ast.expr) -> str:
    """The last name of `vars(x)`, `operator.attrgetter(x)` or `x.__dict__`."""
    node = node.func if isinstance(node, ast.Call) else node
    return str(getattr(node, "attr", getattr(node, "id", "")))


@contextlib.contextmanager
def watched(rules: Iterable[Rule], names: dict[str, Any]) -> Iterator[list[Rule]]:
    """Watch every call in this thread, whatever name it is made by; under cProfile none.

    Args:
        rules: of the exercise.
        names: what the names of the rules mean, such as a notebook's.

    Yields:
        A list, which gets the rules that are broken.

    Raises:
        NameError: for a rule whose name means nothing here.
    """
    targets = []
    for rule in rules:
        # Where a student's own thing took the name, as in `F = 3`, the text alone decides.
        with contextlib.suppress(AttributeError):
            if rule.name not in _SYNTAX:
                targets.append((rule, _meaning(rule.name, names)))
    found: list[Rule] = []
    if not targets:
        yield found
        return

    def notice(frame: Any, event: str, called: Any) -> None:
        if event in ("call", "c_call"):
            found.extend(rule for rule, target in targets if _is_call(frame, event, called, target))

    before: Any = sys.getprofile()
    if before is not None and not callable(before):  # cProfile, which could not be set again
        yield found
        return
    sys.setprofile(notice)
    try:
        yield found
    finally:
        sys.setprofile(before)


def _meaning(name: str, names: dict[str, Any]) -> Any:
    first, *rest = name.split(".")
    if first in names:
        value = names[first]
    elif hasattr(builtins, first):
        value = getattr(builtins, first)
    else:
        with contextlib.suppress(ImportError):
            value = importlib.import_module(first)
            names = {first: value}
        if first not in names:
            raise NameError(f"forbids: {name!r} means nothing in this cell")
    for part in rest:
        value = getattr(value, part)
    return value


def _is_call(frame: Any, event: str, called: Any, target: Any) -> bool:
    """Whether an event of `sys.setprofile` is a call of the target."""
    if event == "c_call":
        if isinstance(target, (BuiltinFunctionType, BuiltinMethodType)):
            return called is target or called == target
        owner = getattr(target, "__objclass__", None)  # of a method such as torch.Tensor.softmax
        receiver = getattr(called, "__self__", None)
        return (
            owner is not None and called.__name__ == target.__name__ and isinstance(receiver, owner)
        )
    if isinstance(target, type):  # a class, when one of it is made
        return frame.f_code.co_name == "__init__" and isinstance(frame.f_locals.get("self"), target)
    target = getattr(target, "__wrapped__", target)  # NumPy's functions, and decorated ones
    return isinstance(target, FunctionType) and frame.f_code is target.__code__
