"""The cells of a student's notebook: which cell of the lesson each one is, and what it says."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from coursekit import names
from coursekit.grading.answers import alike
from coursekit.grading.answers.key import LessonKey, marked, plain_text
from coursekit.grading.answers.mend import Budget, Mended, mend, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG = 20_000  # characters of a statement that is not looked into
_LONGEST_JOIN = 4  # cells that one may have been cut into
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: Where editors and graders keep a cell's name, in its metadata.
_NAMED_IN = ("id", "cell_id", "name", "title")
_NAMED_WITHIN = (("nbgrader", "grade_id"), ("coursekit", "exercise"), ("coursekit", "id"))


@dataclass(frozen=True, eq=False)
class Statement:
    """A top-level statement of a cell, and what it says, each found out once.

    Attributes:
        node: its tree.
        text: its lines, with decorators; without what shares a line with it.
        shares: whether something does.
    """

    node: ast.stmt
    text: str
    shares: bool

    @cached_property
    def bound(self) -> set[str]:
        """See `names.bound`."""
        return names.bound(self.node)

    @cached_property
    def changed(self) -> set[str]:
        """See `names.changed`."""
        return names.changed(self.node)

    @cached_property
    def handling(self) -> tuple[set[str], set[str]]:
        """See `names.handling`."""
        return names.handling(self.node)

    @cached_property
    def free(self) -> set[str]:
        """See `names.free`."""
        return names.free(self.text)

    @cached_property
    def shape(self) -> str:
        """See `alike.shape`; of what is far longer than any stub, only the text."""
        return alike.shape(self.node) if len(self.text) < _LONG else self.text

    @cached_property
    def same(self) -> str:
        """See `alike.same`; of what is far longer than a lesson's statement, only the text."""
        return alike.same(self.node) if len(self.text) < _LONG else self.text

    @property
    def lines(self) -> tuple[int, int]:
        """The first and last line, from 1, decorators included."""
        decorators = self.node.decorator_list if isinstance(self.node, names.DEFINITIONS) else []
        first = min([self.node.lineno, *(d.lineno for d in decorators)])
        return first, self.node.end_lineno or self.node.lineno


@dataclass(frozen=True, eq=False)
class StudentCell:
    """One cell of a student's notebook, or several that were put together again.

    Attributes:
        number: of the cell, from 1; of the first, where there are several.
        kind: "code", "markdown" or "raw".
        source: as it was handed in.
        code: the same as Python; for cells that are not code, only when asked for.
        ids: names of the lesson's cells that its id says it is.
        labels: those that its metadata say it is.
        markers: exercises that its text says it answers.
        given: the lesson's cell whose text it has, unchanged; "" when it was changed.
        notes: what was mended.
        cells: how many cells it was.
    """

    number: int
    kind: str
    source: str
    code: Mended
    ids: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    markers: frozenset[str] = frozenset()
    given: str = ""
    notes: tuple[str, ...] = field(default=())
    cells: int = 1

    @property
    def runs(self) -> bool:
        """Whether a kernel would execute it as Python."""
        return self.kind == "code" and not self.code.magic

    @property
    def known(self) -> frozenset[str]:
        """The lesson's cells that it seems to be."""
        return self.ids | self.labels | ({self.given} if self.given else frozenset())

    @cached_property
    def statements(self) -> list[Statement]:
        """Its top-level statements, if it is Python."""
        body = self.code.tree.body if self.code.tree else []
        lines = self.code.source.split("\n")
        users = Counter(line for node in body for line in {node.lineno, node.end_lineno})
        made = []
        for node in body:
            shares = users[node.lineno] > 1 or users[node.end_lineno] > 1
            bare = Statement(node, "", shares)
            first, last = bare.lines
            text = "\n".join(lines[first - 1 : last])
            if shares:  # a = 1; b = 2
                rest = len(lines[last - 1].encode()) - (node.end_col_offset or 0)
                whole = text.encode()
                text = whole[node.col_offset : len(whole) - rest].decode(errors="replace")
            made.append(replace(bare, text=text))
        return made

    @property
    def title(self) -> str:
        """How to call it in a message."""
        last = self.number + self.cells - 1
        return f"cell {self.number}" if self.cells == 1 else f"cells {self.number} to {last}"

    def finds(self, exercise: str) -> str:
        """By what it says that it answers an exercise: a word for `Answer.found_by`, or ""."""
        if exercise in self.ids:
            return "id"
        if exercise in self.labels:
            return "metadata"
        return "marker" if exercise in self.markers else ""


_NO_CODE = Mended("", None)


def student_cells(notebook: dict[str, Any], key: LessonKey, budget: Budget) -> list[StudentCell]:
    """The cells in order, what was cut joined again, each compared with the lesson."""
    cells = [_cell(raw, i, key, budget) for i, raw in enumerate(notebook["cells"], 1)]
    return _join(cells, budget)


def labels(metadata: dict[str, Any]) -> set[str]:
    """The names that a cell's metadata give it."""
    values = [metadata.get(name) for name in _NAMED_IN]
    values += [within(metadata, outer, inner) for outer, inner in _NAMED_WITHIN]
    return {value for value in values if isinstance(value, str)}


def within(metadata: dict[str, Any], outer: str, inner: str) -> Any:
    """What stands at two keys, one below the other; None when there is nothing."""
    value = metadata.get(outer)
    return value.get(inner) if isinstance(value, dict) else None


def as_code(cell: StudentCell, budget: Budget) -> StudentCell:
    """A markdown or raw cell read as Python: its text, else what stands in fences."""
    code = mend(cell.source, budget)
    if code.tree is None:
        fenced = "\n".join(_FENCE.findall(cell.source))
        if fenced.strip():
            code = mend(fenced, budget)
    return replace(cell, code=code, notes=code.notes)


def _cell(raw: dict[str, Any], number: int, key: LessonKey, budget: Budget) -> StudentCell:
    source, kind, metadata = raw["source"], raw["type"], raw["metadata"]
    given = key.texts.get(plain_text(source), "")
    # What was given unchanged needs no look inside, but for stubs, which other cells may fill.
    looked_at = kind == "code" and (not given or given in key.exercises)
    code = mend(source, budget) if looked_at else _NO_CODE
    return StudentCell(
        number, kind, source, code,
        frozenset({raw["id"]} & key.places.keys()),
        frozenset(labels(metadata) & key.places.keys()),
        frozenset(marked(source) & key.exercises.keys()),
        given, code.notes + tuple(_tag_notes(metadata)),
    )  # fmt: skip


def _tag_notes(metadata: dict[str, Any]) -> Iterator[str]:
    tags = metadata.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if tag == "raises-exception" or tag.lower().replace("_", "-").startswith("nbval-"):
            yield f"The tag {tag[:30]} was left out."


def _join(cells: list[StudentCell], budget: Budget) -> list[StudentCell]:
    """Put cells together that are Python only together, as when one was cut in two."""
    joined: list[StudentCell] = []
    for cell in cells:
        alone = _moved_out(cell, budget)
        before = next((c for c in reversed(joined) if _holds_code(c)), None)
        if alone is not None and (before is None or _stands_alone(alone, before)):
            joined.append(alone)
            continue
        joined.append(cell)
        parts = _parts_of_a_cut(joined, budget)
        if parts:
            joined[joined.index(parts[0]) :] = [_put_together(parts, cell.number, budget)]
        elif alone is not None:
            joined[-1] = alone
    return joined


def _moved_out(cell: StudentCell, budget: Budget) -> StudentCell | None:
    """A cell that is Python without the indentation of its first line, as IPython runs it."""
    first = next((line for line in cell.source.split("\n") if line.strip()), "")
    if not _may_be_part(cell) or cell.code.tree is not None or first[:1] not in (" ", "\t"):
        return None
    code = mend(textwrap.dedent(cell.source), budget)
    return replace(cell, code=code, notes=code.notes) if code.tree is not None else None


def _stands_alone(cell: StudentCell, before: StudentCell) -> bool:
    """Whether an indented cell is a thing of its own, not the rest of the definition before it."""
    last = before.statements[-1].node if before.statements else None
    if not isinstance(last, names.DEFINITIONS):
        return before.code.tree is not None or not _may_be_part(before)
    inner = {
        name
        for node in ast.walk(last)
        for name in ([node.arg] if isinstance(node, ast.arg) else [])
        + ([node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else [])
    }
    for statement in (s.node for s in cell.statements):
        if isinstance(statement, names.FUNCTIONS):
            if any(a.arg in ("self", "cls") for a in statement.args.args[:1]):
                return False
        elif any(isinstance(n, (ast.Return, ast.Yield)) for n in ast.walk(statement)):
            return False
    return not names.free(cell.code.source) & inner


def _parts_of_a_cut(cells: list[StudentCell], budget: Budget) -> list[StudentCell]:
    """The cells at the end of a list that are Python only together; none if there are none."""
    last = cells[-1]
    if not _may_be_part(last):
        return []
    parts = [last]
    for cell in reversed(cells[:-1]):
        if not _holds_code(cell):
            continue
        if not _may_be_part(cell) or len(parts) == _LONGEST_JOIN:
            break
        parts.insert(0, cell)
        if last.code.tree is None or cell.code.tree is None:
            if parse("\n".join(c.code.source for c in parts), budget).tree is not None:
                return parts
        else:
            break
    return []


def _holds_code(cell: StudentCell) -> bool:
    return cell.kind == "code" and bool(cell.source.strip())


def _may_be_part(cell: StudentCell) -> bool:
    return cell.runs and not cell.given and bool(cell.source.strip())


def _put_together(parts: list[StudentCell], last: int, budget: Budget) -> StudentCell:
    first = parts[0]
    source = "\n".join(part.code.source for part in parts)
    whole = replace(
        first,
        source=source,
        code=Mended(source, parse(source, budget).tree),
        ids=frozenset().union(*(p.ids for p in parts)),
        labels=frozenset().union(*(p.labels for p in parts)),
        markers=frozenset().union(*(p.markers for p in parts)),
        notes=tuple(note for p in parts for note in p.notes),
        cells=last - first.number + 1,
    )
    note = f"{whole.title.capitalize()} were put together: they are Python only as one."
    return replace(whole, notes=(*whole.notes, note))
