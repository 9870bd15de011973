"""A lesson's quiz: how its source writes it, and how it is read where no widget runs.

A markdown cell named `quiz`. Each question is a heading of the third level; each choice is an item
of a list, ticked if it is right, and the lines that are indented below say why::

    ### What would the network lose without its skips?

    - [ ] The classes of large parts
      The bottleneck still sees those: they need no exact place.
    - [x] The exact place of borders
      Four poolings have rounded it to 16 pixels; only the skips still know it.
"""

from __future__ import annotations

import base64
import re
import textwrap
from dataclasses import dataclass

from coursekit.errors import CourseError

#: The name of the cell.
QUIZ = "quiz"

_CHOICE = re.compile(r"- \[([ xX])\] (.+)")


@dataclass(frozen=True)
class Choice:
    """What can be chosen, whether it is right, and why or why not, in Markdown."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Question:
    """A question and its choices, one of which is right."""

    text: str
    choices: tuple[Choice, ...]


def read_quiz(text: str) -> tuple[Question, ...]:
    """The questions of a quiz.

    Args:
        text: of its cell. What stands before the first question is left out.

    Raises:
        CourseError: for a question without a choice or with other than one right one, or a choice
            that explains nothing.
    """
    pieces = re.split(r"^### +", text, flags=re.MULTILINE)[1:]
    if not pieces:
        raise CourseError("a quiz without a question; begin one with `### `")
    return tuple(_question(piece) for piece in pieces)


def _question(piece: str) -> Question:
    heading, _, rest = piece.partition("\n")
    choices: list[tuple[str, bool, list[str]]] = []
    for line in rest.splitlines():
        if found := _CHOICE.fullmatch(line.rstrip()):
            choices.append((found[2], found[1] != " ", []))
        elif choices and line.startswith("  "):
            choices[-1][2].append(line.strip())
        elif line.strip():
            raise CourseError(
                f"{line.strip()!r}: write a choice as `- [ ] …`, and why not below it"
            )
    made = tuple(Choice(words, right, " ".join(why)) for words, right, why in choices)
    if sum(choice.right for choice in made) != 1 or len(made) < 2:
        raise CourseError(f"{heading.strip()!r}: give two choices or more, one of them ticked, [x]")
    if silent := [choice.text for choice in made if not choice.why]:
        raise CourseError(f"{silent[0]!r}: say why or why not, in a line below, indented")
    return Question(heading.strip(), made)


def folded(questions: tuple[Question, ...]) -> str:
    """The questions in Markdown; what each choice leads to is folded away behind it."""
    blocks = []
    for number, question in enumerate(questions, 1):
        blocks.append(f"**{number}. {question.text}**")
        blocks += [
            f"<details><summary>{html_of(choice.text)}</summary>\n\n{verdict(choice)}\n</details>"
            for choice in question.choices
        ]
    return "\n\n".join(blocks)


def verdict(choice: Choice) -> str:
    """What a choice leads to, in Markdown."""
    return f"**{'Right.' if choice.right else 'No.'}** {choice.why}"


def html_of(text: str) -> str:
    """A line of Markdown as HTML; HTML in it is text."""
    from markdown_it import MarkdownIt

    return str(MarkdownIt("commonmark", {"html": False}).renderInline(text))


def seal(text: str) -> str:
    """A text that nobody reads by accident, in lines."""
    return "\n".join(textwrap.wrap(base64.b64encode(text.encode()).decode(), 96))


def unseal(sealed: str) -> str:
    """What `seal` was given."""
    return base64.b64decode(sealed).decode()
