"""A lesson's source read anew, line by line, with nothing of what makes the notebooks.

All that the linter knows of a source it has from here: a fault in the maker must not blind it.
"""

from __future__ import annotations

import ast
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

#: Stands for a region in what is public. No line holds it, so no run of lines reaches across.
GAP = "\0"

_HEADER = re.compile(r"# %%(?: ([a-z0-9-]+)(?![\w=-]))?(?: (\[markdown\]))?(?:\s.*)?")
_BEGIN = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)")
_END = re.compile(r"### END (SOLUTION|HIDDEN TESTS)")
_COMMENT = re.compile(r"# ?")


@dataclass(frozen=True)
class Region:
    """A solution, or hidden tests.

    Attributes:
        lesson: its name.
        cell: the name of the cell.
        hidden: whether it holds hidden tests.
        lines: as they stand in the source.
    """

    lesson: str
    cell: str
    hidden: bool
    lines: tuple[str, ...]

    def __str__(self) -> str:
        kind = "the hidden tests" if self.hidden else "the solution"
        return f"{kind} of {self.cell} ({self.lesson})"


@dataclass(frozen=True)
class SourceCell:
    """A cell as its source has it.

    Attributes:
        name: its own, or `lesson-NN-` and its place.
        kind: "code" or "markdown".
        public: the lines outside of regions; in place of each region its indent and `GAP`.
        regions: in order.
    """

    name: str
    kind: str
    public: tuple[str, ...]
    regions: tuple[Region, ...] = ()

    @property
    def solutions(self) -> tuple[Region, ...]:
        """What a student writes; empty for what is no answer cell."""
        return tuple(region for region in self.regions if not region.hidden)


def read_source(path: Path) -> list[SourceCell]:
    """The cells of a source that `coursekit.lessons.source.read_lesson` has found in order."""
    starts: list[tuple[str, str]] = []
    bodies: list[list[str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if header := _HEADER.fullmatch(line):
            name = header[1] or f"lesson-{path.stem[:2]}-{len(starts) + 1}"
            starts.append((name, "markdown" if header[2] else "code"))
            bodies.append([])
        elif bodies:
            bodies[-1].append(line)
    return [
        SourceCell(name, kind, tuple(_COMMENT.sub("", line, count=1) for line in body))
        if kind == "markdown"
        else SourceCell(name, kind, *_split(body, path.stem, name))
        for (name, kind), body in zip(starts, bodies, strict=True)
    ]


def _split(
    body: Sequence[str], lesson: str, cell: str
) -> tuple[tuple[str, ...], tuple[Region, ...]]:
    """Public lines, and regions."""
    public: list[str] = []
    regions: list[Region] = []
    inside: list[str] | None = None
    for line in body:
        mark = line.strip()
        if _BEGIN.fullmatch(mark):
            inside = []
            public.append(line[: len(line) - len(line.lstrip())] + GAP)
        elif (end := _END.fullmatch(mark)) and inside is not None:
            regions.append(Region(lesson, cell, end[1] != "SOLUTION", tuple(inside)))
            inside = None
        else:
            (public if inside is None else inside).append(line)
    return tuple(public), tuple(regions)


def told(regions: Iterable[Region]) -> set[str]:
    """The constants in hidden tests that may reach `about`, which is meant for students, as text.

    That is: those in the third argument of a call of `emit`, and in whatever is given to a name in
    it. Which of them is told in the end is not asked.
    """
    return {text for region in regions if region.hidden for text in _told(region)}


def _told(region: Region) -> Iterator[str]:
    tree = parsed(region)
    given = [pair for node in ast.walk(tree) for pair in _given(node)]
    todo = [node for call in ast.walk(tree) for node in _abouts(call)]
    seen: set[str] = set()
    while todo:
        for node in ast.walk(todo.pop()):
            if isinstance(node, ast.Constant):
                yield str(node.value)
            elif isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                todo += [value for name, value in given if name == node.id]


def parsed(region: Region) -> ast.Module:
    """A region's syntax tree; an empty one when it is no Python by itself."""
    try:
        return ast.parse(textwrap.dedent("\n".join(region.lines)))
    except SyntaxError:
        return ast.Module([], [])


def _abouts(call: ast.AST) -> list[ast.expr]:
    if not (isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "emit"):
        return []
    return [k.value for k in call.keywords if k.arg == "about"] + call.args[2:3]


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Names, and what an assignment or a loop gives to them."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _pairs(target, node.value)
    elif isinstance(node, ast.For):
        listed = isinstance(node.iter, (ast.Tuple, ast.List))
        for item in node.iter.elts if listed else [node.iter]:  # type: ignore[attr-defined]
            yield from _pairs(node.target, item)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, (ast.Tuple, ast.List)):
        parts = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
        for i, part in enumerate(target.elts):
            yield from _pairs(part, parts[i] if len(parts) == len(target.elts) else value)
