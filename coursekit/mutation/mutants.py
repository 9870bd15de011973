"""Bugs planted in a solution: small changes to its syntax tree, one at a time.

A check that such a bug passes unnoticed is a weak check. What can be changed into what is in
`coursekit.checks.edits.slips`.
"""

from __future__ import annotations

import ast
import copy
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursekit.checks.edits.slips import OPERATORS, neighbours
from coursekit.checks.edits.trees import Scene, nodes, number, put
from coursekit.lessons.regions import parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coursekit.lessons.regions import Cell
    from coursekit.lessons.source import Exercise


@dataclass(frozen=True)
class Mutant:
    """A solution with one bug.

    Attributes:
        operator: the kind of bug, such as "sign".
        line: the first line that it changes, as it stands in the lesson.
        change: what became what, such as "dim=1 → dim=2".
        code: the whole answer cell.
    """

    operator: str
    line: str
    change: str
    code: str


def plant(exercise: Exercise) -> list[Mutant]:
    """The solution of an exercise with every bug that the operators know, each once."""
    source = exercise.answer.source
    lines, inside = source.splitlines(), _solution_lines(exercise.answer)
    tree = ast.parse(source)
    number(tree)
    original = ast.unparse(tree)
    found: dict[str, Mutant] = {original: Mutant("", "", "", "")}
    for node, scene in nodes(tree, Scene(None, None, "torch" in source or "nn." in source)):
        if getattr(node, "lineno", _first_line(node)) not in inside:
            continue
        line = lines[getattr(node, "lineno", _first_line(node)) - 1].strip()
        for operator, edited, change in _edited(tree, node, scene):
            code = ast.unparse(ast.fix_missing_locations(edited))
            if code not in found:
                found[code] = Mutant(operator, line, change or _change(original, code), code)
    del found[original]
    return list(found.values())


def _solution_lines(cell: Cell) -> set[int]:
    """Numbers of the lines, from 1, that stand between the markers."""
    solutions = (part for part in parts(cell) if part.kind == "solution")
    return {part.start + 2 + i for part in solutions for i in range(len(part.lines))}


def _first_line(node: ast.AST) -> int:
    """Of a node that has no line itself, such as a `for` in brackets."""
    return min((n.lineno for n in ast.walk(node) if isinstance(n, ast.expr)), default=0)


def _edited(tree: ast.Module, node: ast.AST, scene: Scene) -> Iterator[tuple[str, ast.Module, str]]:
    """The operator, the tree with the bug, and the change where it has a shorter name."""
    for operator in OPERATORS:
        for name, replacement in operator(node, scene):
            yield name, put(tree, node, replacement), ""
    body = getattr(scene.parent, "body", None)
    if isinstance(node, ast.stmt) and isinstance(body, list):
        for first, second in neighbours(body):
            if first is node:
                one = put(tree, first, copy.deepcopy(second))
                both = put(one, second, copy.deepcopy(first), last=True)
                yield "lines swapped", both, "this and the next in the other order"


def _change(before: str, after: str) -> str:
    """What became what, as short as it can be told."""
    old, new = before.splitlines(), after.splitlines()
    parts = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            gone = " ⏎ ".join(line.strip() for line in old[a:b])
            come = " ⏎ ".join(line.strip() for line in new[c:d])
            parts.append(_shortened(gone, come) if tag == "replace" else f"{gone} → {come}")
    return "; ".join(part.strip() for part in parts)


def _shortened(gone: str, come: str) -> str:
    """Both without the words that they begin and end with alike."""
    a, b = gone.split(" "), come.split(" ")
    while len(a) > 1 and len(b) > 1 and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while len(a) > 1 and len(b) > 1 and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return f"{' '.join(a)} → {' '.join(b)}"
