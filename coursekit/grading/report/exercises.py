"""What a lesson's text says of each exercise: its title and its ladder of hints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

    from coursekit.lessons.source import Lesson

_HEADING = re.compile(r"^#{1,6} +(.+?)[ #]*$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_HINT = re.compile(
    r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Hint:
    """One rung: what stands on it, and the text behind, as HTML made from Markdown."""

    label: str
    text: Markup


@dataclass(frozen=True)
class About:
    """How a lesson speaks of an exercise.

    Attributes:
        title: the heading above the answer cell, such as "Exercise 1: the double convolution".
        hints: in their order.
    """

    title: Markup
    hints: tuple[Hint, ...]


def lesson_title(lesson: Lesson) -> Markup:
    """The first heading of a lesson, such as "2 · U-Net, built by hand"; else its name."""
    headings = (_headings(c.source) for c in lesson.cells if c.kind == "markdown")
    return _inline(next((found[0] for found in headings if found), lesson.name))


def describe(lesson: Lesson) -> dict[str, About]:
    """What the text between an exercise and the one before says of it, by the exercise's name."""
    described: dict[str, About] = {}
    text: list[str] = []
    for cell in lesson.cells:
        if cell.kind == "markdown":
            text.append(cell.source)
        elif cell.has_solution:
            described[cell.id] = _about(cell.id, "\n\n".join(text))
            text = []
    return described


def _about(name: str, text: str) -> About:
    headings = _headings(text)
    named = [h for h in headings if h.lower().startswith("exercise")] or headings
    # Of what is folded the hints alone: a line to borrow the part helps nobody to mend an answer.
    folded = (found for found in _HINT.findall(text) if "hint" in found[0].lower())
    hints = (Hint(_inline(label), _block(body)) for label, body in folded)
    return About(_inline(named[-1] if named else name), tuple(hints))


def _headings(text: str) -> list[str]:
    return _HEADING.findall(_FENCED.sub("", text))


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # No HTML, links or pictures: a page of feedback asks for nothing from outside.
    parser = MarkdownIt("commonmark", {"html": False})
    return parser.disable(["link", "image", "autolink", "reference", "html_inline", "html_block"])


def _inline(text: str) -> Markup:
    return Markup(_markdown().renderInline(text.strip()))  # noqa: S704 (HTML in the text is off)


def _block(text: str) -> Markup:
    return Markup(_markdown().render(text.strip()))  # noqa: S704 (HTML in the text is off)
