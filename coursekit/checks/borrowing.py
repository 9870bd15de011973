"""Whether an answer takes the course's own part (`coursekit.parts`): no mistake, and no points.

Found in the text of an answer, which decides in grading, and in what a notebook's names mean. Who
takes the same thing from where the package has it (`from coursekit.models.unet import Up`) borrows
it, too.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coursekit
from coursekit import names as text_names
from coursekit.checks.cells import cell_of, codes
from coursekit.checks.crashes import is_students
from coursekit.checks.rules import definitions, uses
from coursekit.parts import ALIKE, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

#: What students and their instructors are told.
BORROWED = "the course's own part is borrowed: the lesson goes on with it, and it brings no points"


def borrows(answer: str, exercise: str) -> bool:
    """Whether an answer takes the course's own part, by its text.

    Args:
        answer: the text of its cell.
        exercise: its name.
    """
    tree, parts = text_names.parsed(answer), parts_of(exercise)
    if tree is None or not parts:
        return False
    known = definitions(tree)
    lent = {coursekit.__name__}  # and a file that the answer writes and that borrows
    lent |= {name for name, text in _files(tree) if borrows(text, exercise)}
    taken = [(n, origin) for n, origin in text_names.imports(answer) if _first(origin) in lent]
    stars = any(origin.endswith(".*") for _, origin in taken)
    own = known.keys() - {n for n, _ in taken}
    others = {ALIKE[exercise]} - own if exercise in ALIKE else set()
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


def _first(origin: str) -> str:
    return origin.partition(".")[0]


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
    modules = _modules() | {
        *lent,
        *(alias for alias, _ in taken),
    }  # the latter may be called anything

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
