"""What the builder writes into lessons: what depends on other lessons, or on a measurement.

A source holds the name of it in double braces, on a line or in a table:

    {{your-time}} {{computing}} {{memory}}   of this lesson, for its card
    {{links}}                                to the lessons beside it and the glossary
    {{papers}}                               where its ideas were published
    {{lessons}}                              all lessons, as a table
    {{map}}                                  rows and arrows for `plots.diagram`, in a code cell
    {{records KIND FIELD}}                   what was measured (benchmarks/records/KIND): a line of
                                             JSON for each record, its settings and that figure

Headings of exercises get their minutes and difficulty, from the header of the answer's cell. The
cell `quiz` becomes folded text and, in a cell of its own, a widget.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.lessons.outline import Entry, Outline, effort, hours
from coursekit.lessons.quiz import QUIZ, folded, read_quiz, seal
from coursekit.lessons.regions import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from coursekit.lessons.source import Exercise, Lesson

_MADE = re.compile(r"\{\{(your-time|computing|memory|links|papers|lessons|map|records \w+ \w+)\}\}")
_EXERCISE = re.compile(r"^## Exercise \d.*$", re.MULTILINE)
#: How the id of the cell ends that asks the quiz.
WIDGET = f"-{QUIZ}"
_RECORDS = Path(__file__).parents[2] / "benchmarks" / "records"
#: Stands between the rows of the map and its arrows.
MAP_SEPARATOR = "---"

#: What a quiz says where a cell below it asks, and on a page where nothing can be run.
ASK_BELOW = """The cell below asks them: run it, and choose. Where nothing
can be run, unfold them here; behind"""
ASK_HERE = "Unfold them here; behind"

_QUIZ_WORDS = f"""\
## Quiz

{{number}} that bring no points. {ASK_BELOW} each choice stands what speaks for or against it.

<details><summary>The questions, to read</summary>

{{questions}}
</details>"""


def joined(
    cells: Iterable[Cell], lesson: Lesson, outline: Outline, links: Mapping[str, str]
) -> list[Cell]:
    """A lesson's cells with what the builder writes into them.

    Args:
        cells: as a student or a reader gets them, from `lesson`.
        lesson: as its source has it.
        outline: of all lessons.
        links: where each lesson, and the page GLOSSARY, lies; a name without a link is only named.
    """
    notes = iter(exercise_note(e) for e in lesson.exercises)
    made: list[Cell] = []
    for cell in cells:
        text = _MADE.sub(lambda hit: _part(hit[1], lesson, outline, links), cell.source)
        if cell.kind == "markdown" and cell.id == QUIZ:
            made += _quiz(cell, lesson)
            continue
        if cell.kind == "markdown":
            text = _EXERCISE.sub(lambda hit: hit[0] + next(notes, ""), text)
        made.append(replace(cell, source=text))
    return made


def exercise_note(exercise: Exercise) -> str:
    """What stands behind an exercise's heading."""
    answer = exercise.answer
    said = [f"{answer.minutes} minutes"] if answer.minutes else []
    said += [answer.difficulty] if answer.difficulty else []
    return f" ({', '.join(said)})" if said else ""


def _quiz(cell: Cell, lesson: Lesson) -> list[Cell]:
    questions = read_quiz(cell.source)
    number = _counted(len(questions), "question").capitalize()
    words = _QUIZ_WORDS.format(number=number, questions=folded(questions))
    call = f'from coursekit.widgets import quiz\n\nquiz("""\n{seal(cell.source)}\n""")'
    name = f"lesson-{lesson.name[:2]}{WIDGET}"
    tags = ("folded", "nbval-ignore-output")
    return [replace(cell, source=words), Cell(name, "code", call, cell.line, tags=tags)]


def _part(what: str, lesson: Lesson, outline: Outline, links: Mapping[str, str]) -> str:
    cost = outline.measured.get(lesson.name)
    if what == "your-time":
        return _your_time(lesson, outline)
    if what in ("computing", "memory"):
        if cost is None:
            return "not measured yet"
        seconds, memory = f"{cost.seconds:.0f} seconds", f"{cost.megabytes / 1000:.1f} GB"
        return memory if what == "memory" else f"about {seconds} of one CPU core"
    if what == "links":
        return _links(lesson, outline, links)
    if what == "papers":
        return _papers(lesson, outline)
    if what == "lessons":
        return lessons_table(outline, outline.entries, links)
    if what.startswith("records"):
        return _records(*what.split()[1:])
    return course_map(outline)


def _records(kind: str, field: str) -> str:
    """What all records of a kind say of one thing; nothing where the package lies alone."""
    found = [json.loads(path.read_bytes()) for path in sorted((_RECORDS / kind).glob("*.json"))]
    return "\n".join(
        json.dumps(record["settings"] | {field: record["figures"][field]})
        for record in found
        if field in record["figures"]
    )


def _your_time(lesson: Lesson, outline: Outline) -> str:
    if lesson.name not in outline.lessons:
        return "not estimated yet"
    reading, working = outline.minutes(lesson.name)
    said = f"about {hours(reading + working)}: {5 * round(reading / 5)} minutes of reading"
    each = sorted(effort(e) for e in lesson.exercises)
    if not each:
        return said
    span = f"{each[0]}" if each[0] == each[-1] else f"{each[0]} to {each[-1]}"
    return f"{said}, {_counted(len(each), 'exercise')} of {span} minutes"


def _counted(number: int, thing: str) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return f"{words[number] if number < len(words) else number} {thing}{'s' * (number != 1)}"


def linked(entry: Entry, links: Mapping[str, str]) -> str:
    """A lesson's name, with a link if it has one."""
    name = f"{entry.number} · {entry.short}"
    return f"[{name}]({links[entry.name]})" if entry.name in links else name


def _links(lesson: Lesson, outline: Outline, links: Mapping[str, str]) -> str:
    before, after = outline.neighbours(lesson.name)
    said = [f"← {linked(before, links)}"] if before else []
    said += [f"{linked(after, links)} →"] if after else []
    if "GLOSSARY" in links:
        said.append(f"[glossary]({links['GLOSSARY']})")
    return " · ".join(said)


def _papers(lesson: Lesson, outline: Outline) -> str:
    mine = (entry.papers for entry in outline.entries if entry.name == lesson.name)
    return "  \n".join(f"Paper: [{p.title}]({p.url}) ({p.by})" for papers in mine for p in papers)


def lessons_table(outline: Outline, entries: Iterable[Entry], links: Mapping[str, str]) -> str:
    """Lessons with what is built in them and how long that takes, in Markdown."""
    rows = ["| lesson | what you build | your time |", "|---|---|---|"]
    for entry in entries:
        time = hours(sum(outline.minutes(entry.name)))
        rows.append(f"| {linked(entry, links)} | {entry.builds} | {time} |")
    return "\n".join(rows)


def course_map(outline: Outline) -> str:
    """The lessons as rows of a diagram, then what each builds on as its arrows.

    An arrow that others make needless (a lesson builds on what it builds on builds on) is left out.
    """
    placed = [entry for entry in outline.entries if entry.place]
    columns = 1 + max((entry.place[1] for entry in placed if entry.place), default=0)
    rows: dict[int, list[str]] = {}
    for entry in placed:
        row, column = entry.place or (0, 0)
        box = f"{entry.number} {entry.short}: {hours(sum(outline.minutes(entry.name)))}"
        rows.setdefault(row, [""] * columns)[column] = f"[{box}]" if entry.research else box
    reached: dict[str, set[str]] = {}
    arrows = []
    for entry in outline.entries:
        far = set().union(*(reached[number] for number in entry.after))
        reached[entry.number] = far | {entry.number}
        near = [n for n in entry.after if not any(n in reached[m] for m in entry.after if m != n)]
        arrows += [f"{_box(outline, number)} > {_box(outline, entry.number)}" for number in near]
    lines = [" | ".join(rows[row]) for row in sorted(rows)]
    return "\n".join([*lines, MAP_SEPARATOR, ",\n".join(arrows)])


def _box(outline: Outline, number: str) -> str:
    return f"{number} {outline.by_number[number].short}"
