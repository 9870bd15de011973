"""Whether an answer takes the course's own part (`coursekit.parts`): no mistake, and no points.

Found in the text of an answer, which decides in grading, and in what a notebook's names mean. Who
takes the same thing from where the package has it (`from coursekit.models.unet import Up`) borrows
it, too.
"""

from __future__ import annotations

import ast
import gc
import importlib
import inspect
import re
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, lru_cache
from pathlib import Path
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import coursekit.parts
from coursekit import names as text_names
from coursekit.checks import mistakes
from coursekit.checks.cells import cell_of, codes
from coursekit.checks.crashes import is_students
from coursekit.checks.rules import definitions, uses
from coursekit.parts import alike, lessons_with, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

#: What students and their instructors are told.
BORROWED = "the course's own part is borrowed: the lesson goes on with it, and it brings no points"


@lru_cache(100)  # each check of an exercise asks
def borrows(answer: str, exercise: str) -> bool:
    """Whether an answer takes the course's own part, by its text.

    Args:
        answer: the text of its cell.
        exercise: its name.
    """
    tree, parts = text_names.parsed(answer), parts_of(exercise)
    if tree is None or not parts:
        return False
    if not any(_may_be_ours(node, parts, alike(exercise)) for node in ast.walk(tree)):
        return False  # most answers; a class of 500 hands in thousands
    known = definitions(tree)
    lent = {coursekit.__name__}  # and a file that the answer writes and that borrows
    lent |= {name for name, text in _files(tree) if borrows(text, exercise)}
    taken = [(n, origin) for n, origin in text_names.imports_of(tree) if _first(origin) in lent]
    stars = any(origin.endswith(".*") for _, origin in taken)
    own = known.keys() - {n for n, _ in taken}
    others = {*alike(exercise)} - own
    try:
        return any(
            uses(tree, [name], _is_ours(name, others, taken, lent)) if name in known else stars
            for name in parts
        )
    except RecursionError:
        return False  # nested too deeply to be read, such as a thousand `elif`


def is_borrowed(exercise: str, names: Mapping[str, Any]) -> bool:
    """Whether one of the exercise's parts is the course's own, by what a notebook's names mean."""
    found = [names[name] for name in parts_of(exercise) if name in names]
    if any(str(getattr(value, "__module__", "")).startswith("coursekit.") for value in found):
        return True
    cells = {cell_of(code) for value in found for code in codes(value) if is_students(code)}
    return any(borrows(cell, exercise) for cell in cells)


def _files(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """What a file that an answer writes is imported by, and its text (see `pieces.WrittenFile`)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "run_cell_magic":
            magic, path, *text = (str(getattr(a, "value", "")) for a in node.args)
            if magic == "writefile":
                yield from ((part, "".join(text)) for part in re.findall(r"\w+", path))


class BorrowedError(Exception):
    """The course's own part was called where an answer is tried."""


_tell: Callable[[], Any] = str
_PARTS = f"{coursekit.parts.__name__}."
_noted: dict[int, Any] = {}


@contextmanager
def taken_away(exercise: str, tell: Callable[[], None]) -> Iterator[None]:
    """While an answer is tried, the course's own part cannot be called, by whatever way it came.

    No text shows all ways: modules have names that can be put together, files that can be written.

    Args:
        exercise: whose answer is tried.
        tell: is called when the part is.
    """
    global _tell
    _tell = tell
    with ExitStack() as stack:
        gone = [*_taken_out(exercise), *own_parts(exercise), *_told_by_checks(stack)]
        for part in {id(part): part for part in gone}.values():
            if isinstance(part, type):
                first = vars(part).get("__init__")
                if isinstance(first, FunctionType):
                    part.__init__ = _but_for_others(first)  # type: ignore[misc]
                    stack.callback(setattr, part, "__init__", first)
            elif not part.__code__.co_freevars:
                stack.callback(setattr, part, "__code__", part.__code__)
                part.__code__ = _gone.__code__
        yield


def own_parts(exercise: str) -> list[Any]:
    """The functions and classes that are the course's own part, and what those are made of."""
    found: dict[int, Any] = {}
    names = {*parts_of(exercise), *alike(exercise)}
    for lesson in lessons_with(exercise):
        with suppress(Exception):
            module = importlib.import_module(f"{coursekit.__name__}.parts.{lesson}")
            for part in (vars(module)[name] for name in parts_of(exercise)):
                of = part.__mro__ if isinstance(part, type) else [part, *_called(part, names)]
                found |= {id(p): p for p in of if _first(p.__module__) == coursekit.__name__}
    return [p if isinstance(p, type) else inspect.unwrap(p) for p in found.values()]


def remember() -> None:
    """Note the parts that are loaded; called before an answer can take them out of their modules.

    A kernel is forked from a process that has them, frozen: later, `gc` does not tell of them.
    """
    for name, module in [*sys.modules.items()]:
        if name.startswith(_PARTS) and isinstance(module, ModuleType):
            _noted.update((id(value), value) for value in vars(module).values())


def _taken_out(exercise: str) -> Iterator[Any]:
    """Parts that somebody may hold whose modules have them no more, and copies of them."""
    names = parts_of(exercise)
    for value in (*gc.get_objects(), *_noted.values()):
        function = type(value) is FunctionType
        if function or issubclass(type(value), type):
            with suppress(Exception):  # a library's class of classes may answer in its own way
                name = value.__code__.co_name if function else value.__name__
                if name in names and str(value.__module__).startswith(_PARTS):
                    yield value


def _told_by_checks(stack: ExitStack) -> list[FunctionType]:
    """What checks know of exercises: to tell a mistake, they take the right way and wrong ones.

    Of modules that nobody has imported nothing can be, until `stack` ends.
    """
    found: list[FunctionType] = []
    for module in iter_modules(mistakes.__path__, f"{mistakes.__name__}."):
        loaded = sys.modules.get(module.name)
        if loaded is not None:
            found += _functions(vars(loaded), module.name)
        else:
            sys.modules[module.name] = None  # type: ignore[assignment]
            stack.callback(sys.modules.pop, module.name, None)
    return found


def _functions(held: Any, module: str) -> Iterator[FunctionType]:
    """A module's functions that a value is or holds: ways stand in lists, and some in a class.

    Anybody can add to a module, and to Python's own names in it: a list that holds itself, too.
    """
    waiting, seen = [held], dict[int, Any]()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen[id(value)] = value  # kept, or another could get its number
        if isinstance(value, (list, tuple)):
            waiting += value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, type):
            waiting += vars(value).values() if value.__module__ == module else ()
        elif callable(value):
            with suppress(Exception):  # a stranger's may say anything of what it wraps
                function = inspect.unwrap(value)
                if isinstance(function, FunctionType) and function.__module__ == module:
                    yield function


def _called(function: Any, names: set[str]) -> Iterator[Any]:
    """What a part calls of these names, as it finds them."""
    function = inspect.unwrap(function)
    there = [function.__globals__.get(name) for name in function.__code__.co_names]
    for name in names.intersection(function.__code__.co_names):
        yield from (v for v in (getattr(x, name, x) for x in there) if inspect.isfunction(v))


def _but_for_others(init: Any) -> Any:
    """How a class of the course's begins when its part is taken away: for other parts, as ever."""

    def begin(self: Any, *args: Any, **kwargs: Any) -> None:
        caller = str(sys._getframe(1).f_globals.get("__name__"))
        if not caller.startswith((f"{coursekit.__name__}.parts.", f"{coursekit.__name__}.models.")):
            _gone()
        init(self, *args, **kwargs)

    return begin


def _gone(*args: Any, **kwargs: Any) -> None:
    # These lines run in place of a part's own, among the names of its module.
    from coursekit.checks import borrowing

    borrowing._tell()
    raise borrowing.BorrowedError(borrowing.BORROWED)


def _first(origin: str) -> str:
    return origin.partition(".")[0]


def _may_be_ours(node: ast.AST, parts: Collection[str], others: Collection[str]) -> bool:
    """Whether `_is_ours` could say so of a piece of an answer, whatever the answer imports."""
    if isinstance(node, ast.Attribute):
        return node.attr in parts or node.attr in others
    if isinstance(node, ast.Name):
        return node.id in others
    return isinstance(node, text_names.IMPORTS)


def _is_ours(
    name: str, others: Collection[str], taken: Collection[tuple[str, str]], lent: Collection[str]
) -> Callable[[ast.AST], bool]:
    """Says of a piece of an answer whether it is the course's own thing.

    Args:
        name: of the thing.
        others: further names of it in the package.
        taken: what the answer imports of it: names, and the dotted name of each one's origin.
        lent: what it can be imported from.
    """
    names = {name, *others}
    same = {alias for alias, origin in taken if origin.rpartition(".")[2] in names} | {*others}
    # What an answer imports may be called anything.
    modules = _modules().union(lent, (alias for alias, _ in taken))

    def is_ours(node: ast.AST) -> bool:
        if isinstance(node, ast.ImportFrom):
            return _first(node.module or "") in lent and any(
                a.name in names or a.asname == name for a in node.names
            )
        if isinstance(node, ast.Attribute):
            inner = node.value
            last = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
            return node.attr in names and last in modules
        return isinstance(node, ast.Name) and node.id in same

    return is_ours


@cache
def _modules() -> frozenset[str]:
    """What the package's modules are called; a lesson has imported some of them."""
    root = Path(coursekit.__file__).parent
    return frozenset(path.stem for path in root.rglob("*.py")) | {
        path.parent.name for path in root.rglob("__init__.py")
    }
