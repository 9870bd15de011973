"""An answer as what its writer chose: names, words of comments, and how each line is built.

Students' answers need not be Python, and a tokenizer's view of an f-string or a broken line differs
between versions of Python; so one regular expression reads them. It looks at each character
once, whatever is written.
"""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What is read of an answer, in characters, and of each kind of choice, in numbers. An answer in
#: the lessons has about a thousand characters, twenty names and twenty lines.
MOST_TEXT, MOST_CHOICES = 8_000, 200

# Strings that never end are taken to the end, so that none is looked at twice.
_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r"|(?P<string>[rbfuRBFU]{0,2}(?:'''(?:[^\\]|\\.)*?(?:'''|\Z)|\"\"\"(?:[^\\]|\\.)*?(?:\"\"\"|\Z)"
    r"|'(?:[^'\\\n]|\\.)*'?|\"(?:[^\"\\\n]|\\.)*\"?))"
    r"|(?P<number>\d[\w.]*)|(?P<name>\w+)|(?P<line>\n)|(?P<sign>[^\s\w])",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+")
_GIVEN = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"self", "cls"}
_SHORTEST_NAME, _SHORTEST_LINE = 3, 6  # `i`, `y` and `return out` say nothing of who wrote them


@dataclass(frozen=True)
class Choices:
    """What a writer chose, each thing once, in order of appearance.

    Attributes:
        names: of variables, functions and modules; not a library's attributes and keywords.
        phrases: each two words that follow each other in a comment or string, in small letters.
        builds: of each line, its words without names, numbers and strings.
    """

    names: tuple[str, ...]
    phrases: tuple[str, ...]
    builds: tuple[str, ...]


def tidied(text: str) -> str:
    """The text that is looked at: without spaces at line ends and empty lines around it."""
    lines = (line.rstrip() for line in text[:MOST_TEXT].splitlines())
    return "\n".join(lines).strip("\n")


def phrases(text: str) -> list[str]:
    """Each two words that follow each other; of a text of one word, the word."""
    found = words(text)
    return [f"{a} {b}" for a, b in pairwise(found)] if len(found) > 1 else found


def words(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return [word.lower() for word in _WORD.findall(text)]


def read(answer: str) -> Choices:
    """The choices in an answer; nothing in it is run."""
    names: dict[str, None] = {}
    said: dict[str, None] = {}
    builds: dict[str, None] = {}
    for line in _lines(answer):
        for kind, text in line:
            if kind in ("comment", "string"):
                said.update(dict.fromkeys(phrases(text)))
            elif kind == "name" and len(text) >= _SHORTEST_NAME and text not in _GIVEN:
                names[text] = None
        build = [_bare(kind, text) for kind, text in line if kind != "comment"]
        if len(build) >= _SHORTEST_LINE:
            builds[" ".join(build)] = None
    return Choices(*(tuple(kind)[:MOST_CHOICES] for kind in (names, said, builds)))


def _lines(answer: str) -> Iterator[list[tuple[str, str]]]:
    """Tokens, line by line; what stands in brackets over several lines is one."""
    line: list[tuple[str, str]] = []
    depth = 0
    previous = ""
    for match in _TOKEN.finditer(answer):
        kind, text = match.lastgroup or "", match.group()
        if kind == "line":
            if depth == 0 and line:
                yield line
                line = []
            continue
        depth = max(0, depth + (text in "([{") - (text in ")]}"))
        # A name after a dot belongs to a library, one before "=" in brackets is a keyword.
        line.append(("attribute" if kind == "name" and previous == "." else kind, text))
        if text == "=" and depth and len(line) > 1 and line[-2][0] == "name":
            line[-2] = ("keyword", line[-2][1])
        previous = text
    if line:
        yield line


def _bare(kind: str, text: str) -> str:
    if kind == "number":
        return "0"
    if kind == "string":
        return "'"
    return "name" if kind == "name" and text not in _GIVEN else text
