"""What a release must not show: solutions and hidden tests, and how they are recognised in a file.

A text is searched without its white space and with one kind of quotes, so that indentation, line
breaks and a formatter do not hide anything. Searched for are

- each **line** of a region that does something (calls, computes, indexes, compares …): `return x`
  or `else:` says nothing; and each comment;
- each **run** of three lines, whatever they are: what is common alone is telling in a row;
- each **statement**, as its syntax tree is written out: this sees through brackets and commas;
- each **text** in a hidden test, other than what `emit` is told in `about=`: that is for students.

What stands outside of all regions, in any lesson, is public: the author shows it. Nothing that can
be found there word by word is looked for, be it a hint that quotes a line of the solution.
"""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from coursekit.release.reread import GAP, parsed, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coursekit.release.reread import Region, SourceCell

#: Lines of a run.
RUN = 3
#: A line of a hidden test that a file of the library may hold by chance is shorter than this.
CHANCE = 48
_SHORTEST = 8  # of a line, without its white space
# Of a whole course's needles most are in no file: what they begin with is looked up first.
_MANY = 500
_SHORTEST_TEXT = 12  # of a comment, or a text in a hidden test

_SUBSTANCE = (
    ast.Call, ast.Subscript, ast.Attribute, ast.BinOp, ast.BoolOp, ast.Compare, ast.UnaryOp,
    ast.Lambda, ast.IfExp, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
_DOES_SOMETHING = re.compile(r"[(\[.+*/%@<>~|&^-]|[=!]=")
_IMPORT = re.compile(r"\s*(import|from)\s")
_PROBE = re.compile(r"\.(given|keep|emit)\(.")


@dataclass(frozen=True)
class Needle:
    """Something to look for."""

    text: str
    shown: str
    region: Region

    @property
    def telling(self) -> bool:
        """Whether it cannot stand in a library by chance."""
        return len(self.text) >= CHANCE or bool(_PROBE.search(self.text))


def squash(text: str) -> str:
    """A text without white space, and with one kind of quotes."""
    return "".join(text.split()).replace("'", '"')


class Secrets:
    """The regions to look for in the files of a release.

    Args:
        cells: of all sources; their names, and their text outside of regions, are public.
        regions: what must not be found.
    """

    def __init__(self, cells: Sequence[SourceCell], regions: Sequence[Region]) -> None:
        self.regions = tuple(regions)
        texts = ["\n".join(cell.public) for cell in cells]
        self._public = squash(GAP.join([*(cell.name for cell in cells), *texts]))
        shown = {
            statement
            for cell, text in zip(cells, texts, strict=True)
            if cell.kind == "code"
            for statement in statements(text.replace(GAP, "pass"))
        }
        self._needles = [n for r in self.regions for n in self._of(r)]
        self._telling = [n for n in self._needles if n.region.hidden and n.telling]
        self._statements = {
            s: r for r in self.regions for s in statements("\n".join(r.lines)) if s not in shown
        }

    @property
    def searched(self) -> set[Region]:
        """The regions of which there is anything to look for."""
        return {needle.region for needle in self._needles} | set(self._statements.values())

    def find(self, text: str, code: Iterable[str] = (), *, library: bool = False) -> Iterator[str]:
        """What of the secrets a file holds, one sentence for each region.

        Args:
            text: all of it.
            code: the Python in it, whole cells or modules.
            library: it is a file of the package, whose finished models are public and may equal
                a solution. Hidden tests may not stand there, either, but a short line of theirs,
                such as `x = torch.zeros(2)`, may be there by chance.
        """
        squashed = squash(text)
        needles = self._telling if library else self._needles
        if len(needles) > _MANY:
            n = _SHORTEST
            begins = {squashed[i : i + n] for i in range(len(squashed) - n + 1)}
            needles = [needle for needle in needles if needle.text[:n] in begins]
        found: dict[Region, str] = {}
        for needle in needles:
            if needle.text in squashed:
                found.setdefault(needle.region, needle.shown)
        for source in code if not library else ():
            for statement in statements(source):
                if statement in self._statements:
                    found.setdefault(self._statements[statement], statement)
        for region, shown in found.items():
            yield f"holds a part of {region}: {textwrap.shorten(shown, 60, placeholder='…')!r}"

    def _of(self, region: Region) -> Iterator[Needle]:
        bare, comments = _without_comments(region.lines)
        for lines in {region.lines, bare}:
            kept = [line for line in lines if line.strip()]
            runs = [kept[i : i + RUN] for i in range(len(kept) - RUN + 1)]
            for run in [*([line] for line in kept), *runs]:
                if any(map(_does_something, run)):
                    yield from self._needle(run, _SHORTEST, region)
        texts = _texts(region) if region.hidden else []
        for text in [*comments, *texts]:
            yield from self._needle([text], _SHORTEST_TEXT, region)

    def _needle(self, lines: Sequence[str], shortest: int, region: Region) -> Iterator[Needle]:
        text = squash("".join(lines))
        if len(text) >= shortest and text not in self._public:
            yield Needle(text, " / ".join(line.strip() for line in lines), region)


@lru_cache(4096)  # a release is looked through more than once, and its cells are the same
def statements(source: str) -> frozenset[str]:
    """The statements of a program that do something, written out in one way.

    Of a compound statement the head counts, its body being statements of their own.
    """
    try:
        tree = ast.parse(textwrap.dedent(source))
    except (SyntaxError, ValueError):
        return frozenset()
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.stmt) or isinstance(node, (ast.Import, ast.ImportFrom)):
            continue
        for field in ("body", "orelse", "finalbody", "handlers"):
            if hasattr(node, field):
                setattr(node, field, [ast.Pass()] if field == "body" else [])
        if any(isinstance(part, _SUBSTANCE) for part in ast.walk(node)):
            found.add(ast.unparse(node))
    return frozenset(found)


def _does_something(line: str) -> bool:
    return bool(_DOES_SOMETHING.search(line)) and not _IMPORT.match(line)


def _without_comments(lines: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """The lines without comments, and the comments, when the lines are Python."""
    text = textwrap.dedent("\n".join(lines)) + "\n"
    kept, comments = text.splitlines(), []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                kept[row - 1] = kept[row - 1][:column].rstrip()
                comments.append(token.string)
    except (tokenize.TokenError, IndentationError):
        pass
    return tuple(kept), comments


def _texts(region: Region) -> set[str]:
    """The texts in hidden tests, but for what `about` tells students."""
    texts = {
        node.value
        for node in ast.walk(parsed(region))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return texts - told([region])
