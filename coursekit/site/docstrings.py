"""A Sphinx extension: the package's docstrings, which are Markdown with Google's sections.

Sphinx reads reStructuredText, in which `|γ|` is a substitution, `val_` a link and an indented
table a quotation. Sections (`Args:` and so on) are left to sphinx.ext.napoleon.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTION = re.compile(r"(Args|Attributes|Examples?|Notes?|Raises|Returns|Yields):")
_CODE = re.compile(r"`+([^`]+)`+")
#: In reStructuredText these would begin or end something.
_MEANS_MORE = re.compile(r"\||_(?=\W|$)|\*(?!\*)(?=\S)|(?<=\w)\*")
_STRONG = re.compile(r"\*\*[^*]+\*\*")
_RULE = re.compile(r"\|[-:| ]+\|")
#: What `_restore` brings back, by the value's name.
_values: dict[str, list[str]] = {}


def as_rst(lines: list[str]) -> list[str]:
    """A docstring in reStructuredText.

    Args:
        lines: without their common indentation, as `inspect.cleandoc` leaves them.
    """
    made: list[str] = []
    literal, base = False, ""
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else ""
        if line.strip() and not line[0].isspace():
            literal, base = False, line
        elif line.strip() and not before.strip() and _may_quote(base):
            if not literal and not base.endswith("::"):
                made += ["::", ""]
            literal = True
        if literal or not line.strip():
            made.append(line)
        elif _RULE.fullmatch(line.strip()):
            continue
        elif line.startswith("|"):
            made += _row(line, header=not before.startswith("|"))
        else:
            made.append(_inline(line))
    return made


def _may_quote(base: str) -> bool:
    """Whether what is indented below this line is shown as it is; below a section it is not."""
    return not _SECTION.fullmatch(base) and not base.startswith("- ")


def _row(line: str, *, header: bool) -> Iterator[str]:
    """A row of a Markdown table, as one of a `list-table`."""
    if header:
        yield from (".. list-table::", "   :header-rows: 1", "")
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    for number, cell in enumerate(cells):
        yield f"   {' ' if number else '*'} - {_inline(cell)}"


def _inline(line: str) -> str:
    """Text between code is escaped; code stays as it is."""
    pieces, end = [], 0
    for hit in _CODE.finditer(line):
        pieces += [_escaped(line[end : hit.start()]), f"``{hit[1]}``"]
        end = hit.end()
        if line[end : end + 1].isalnum() or line[end : end + 1] in ("²", "'", "’"):
            pieces.append(r"\ ")
    return "".join([*pieces, _escaped(line[end:])])


def _escaped(text: str) -> str:
    parts, end = [], 0
    for hit in _STRONG.finditer(text):
        parts += [_MEANS_MORE.sub(r"\\\g<0>", text[end : hit.start()]), hit[0]]
        end = hit.end()
    return "".join([*parts, _MEANS_MORE.sub(r"\\\g<0>", text[end:])])


def _convert(
    app: Any, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    lines[:] = as_rst(lines)
    if what in ("attribute", "data", "property"):
        _values[name] = lines[:]


def _restore(
    app: Any, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Of a value's "what: why" napoleon makes a type and its description; here it is a sentence."""
    lines[:] = _values.pop(name, lines)


def _skip(app: Any, what: str, name: str, obj: object, skip: bool, options: object) -> bool | None:
    """What a base class of another library has put there is not the course's to document."""
    home = getattr(obj, "__module__", None) or "coursekit"
    return True if callable(obj) and not home.startswith("coursekit") else None


def setup(app: Any) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _convert, priority=400)  # before napoleon
    app.connect("autodoc-process-docstring", _restore, priority=600)  # after it
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
