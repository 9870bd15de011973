"""Pages made from all lessons: the glossary, and the syllabus for 6 and for 12 weeks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.lessons.joined import linked
from coursekit.lessons.outline import hours

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coursekit.lessons.outline import Entry, Outline

GLOSSARY, SYLLABUS = "GLOSSARY", "SYLLABUS"

#: What an author puts around a term where a sentence defines it; HTML's own element.
_TERM = re.compile(r'<dfn(?: title="([^"]+)")?>(.+?)</dfn>', re.DOTALL)
_SENTENCE = re.compile(
    r"(?<=[.?!])(?<!Eq\.)(?<!Fig\.)(?<!al\.)(?<!e\.g\.)(?<!i\.e\.)[)”\"*]*\s+(?=[A-Z0-9`$*<(\[])"
)
_WEEKS = (6, 12)


@dataclass(frozen=True)
class Term:
    """A word of the field, and the sentence of a lesson that says what it means.

    Attributes:
        name: as the glossary has it.
        sentence: with the word in it.
        lesson: its name.
        written: the word as the sentence has it, such as a plural or a name in full.
    """

    name: str
    sentence: str
    lesson: str
    written: str = ""


def terms(outline: Outline) -> list[Term]:
    """All terms that the lessons define, in alphabetical order.

    Raises:
        CourseError: for one that two sentences define.
    """
    found: dict[str, Term] = {}
    for entry in outline.entries:
        for cell in outline.lessons[entry.name].cells:
            if cell.kind != "markdown":
                continue
            for term in _terms(cell.source, entry.name):
                if old := found.get(term.name.lower()):
                    raise CourseError(
                        f"{entry.name}: defines {term.name!r}, which {old.lesson} has defined; "
                        "leave <dfn> out of one of them"
                    )
                found[term.name.lower()] = term
    return [found[name] for name in sorted(found)]


def _terms(text: str, lesson: str) -> Iterator[Term]:
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )", text):
        line = re.sub(r"^(?:[-*]|\d+\.) +", "", " ".join(block.split()))
        for sentence in _SENTENCE.split(line):
            for hit in _TERM.finditer(sentence):
                said = _TERM.sub(lambda other: other[2], sentence).rstrip(" :;,.")
                said = said[0].upper() + said[1:] + ("" if said.endswith("?") else ".")
                written = hit[2].strip("`*")
                yield Term(hit[1] or written, said, lesson, written)


def glossary_page(outline: Outline, links: Mapping[str, str]) -> str:
    """The glossary, as Markdown."""
    by_name = {entry.name: entry for entry in outline.entries}
    about = "Each word stands with the sentence that introduces it, and the lesson where that is."
    lines = ["# Glossary", "", about, ""]
    for term in terms(outline):
        where = linked(by_name[term.lesson], links)
        lines.append(f"- **{term.name}**: {term.sentence} ({where})")
    return "\n".join(lines) + "\n"


def syllabus_page(outline: Outline, links: Mapping[str, str]) -> str:
    """What to do in which week, as Markdown."""
    core = [entry for entry in outline.entries if not entry.research]
    total = sum(sum(outline.minutes(entry.name)) for entry in outline.entries)
    shorter = sum(sum(outline.minutes(entry.name)) for entry in core)
    about = (
        f"All {len(outline.entries)} lessons take a student about {hours(total)}, the "
        f"{len(core)} without the research part about {hours(shorter)}. Hours are the lessons' own "
        "estimates: reading, and the minutes of each exercise. A week's lessons are chosen so that "
        "no week is fuller than it must be."
    )
    lines = ["# Syllabus", "", about]
    for weeks, entries in zip(_WEEKS, (core, list(outline.entries)), strict=True):
        without = "" if len(entries) == len(outline.entries) else ", without the research part"
        lines += ["", f"## {weeks} weeks{without}", ""]
        lines += ["| week | lessons | hours | exercises |", "|---|---|---|---|"]
        for week, chosen in enumerate(spread(outline, entries, weeks), 1):
            time = hours(sum(sum(outline.minutes(entry.name)) for entry in chosen))
            exercises = sum(len(outline.lessons[entry.name].exercises) for entry in chosen)
            names = ", ".join(linked(entry, links) for entry in chosen)
            lines.append(f"| {week} | {names} | {time} | {exercises} |")
    return "\n".join(lines) + "\n"


def spread(outline: Outline, entries: Sequence[Entry], weeks: int) -> list[Sequence[Entry]]:
    """Lessons in order over so many weeks (or one each), as evenly as they can be."""
    minutes = [sum(outline.minutes(entry.name)) for entry in entries]

    def parts(cuts: tuple[int, ...]) -> list[tuple[int, int]]:
        return list(pairwise((0, *cuts, len(entries))))

    ways = combinations(range(1, len(entries)), min(weeks, len(entries)) - 1)
    best = min(ways, key=lambda cuts: sum(sum(minutes[a:b]) ** 2 for a, b in parts(cuts)))
    return [entries[a:b] for a, b in parts(best)]
