"""Every lesson runs; both halves of its checks fail on stubs and mistakes, accept other answers."""

from __future__ import annotations

import ast
import json
import re
from html import unescape
from pathlib import Path

import pytest

from coursekit import names
from coursekit.lessons.build import find_sources
from coursekit.lessons.notebook import FOLDED, text_of
from coursekit.lessons.regions import Cell, hidden_text
from coursekit.lessons.source import Lesson, read_lesson
from coursekit.mutation.answers import LEAST_RIGHT, LEAST_WRONG, Answers, read_answers
from coursekit.mutation.report import examine
from coursekit.parts import PARTS, borrowing, parts_of

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = pytest.mark.parametrize("path", find_sources(NOTEBOOKS), ids=lambda path: path.stem)

FOLD = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
MOST_CELLS, MOST_WORDS = 62, 3500  # what three hours can hold; words without the quiz
MOST_LINES = 20  # of a cell, but for empty ones and comments
MOST_HIDDEN = 30  # of a check, and of what else is folded
MOST_ACROSS = 97  # characters of a line beside the list of files, in a window of 1,200 pixels


@LESSONS
def test_checks_tell_right_from_wrong(path: Path) -> None:
    """On as many answers as an exercise must have; `tests/course` tries all of them."""
    lesson = read_lesson(path)
    every = read_answers(lesson)
    wrong = {name: answers[:LEAST_WRONG] for name, answers in every.wrong.items()}
    right = {name: answers[:LEAST_RIGHT] for name, answers in every.right.items()}
    tallies = examine(lesson, Answers(wrong, right), mutants=False, workers=2)
    assert [tally.exercise for tally in tallies] == [e.name for e in lesson.exercises]
    assert not (problems := [p for tally in tallies for p in tally.problems]), "\n".join(problems)


@LESSONS
def test_messages_say_what_is_expected(path: Path) -> None:
    for cell in read_lesson(path).cells:
        if cell.kind == "code" and _is_check(cell):
            for node in ast.walk(ast.parse(cell.source)):
                text = str(node.value) if isinstance(node, ast.Constant) else ""
                assert not text.startswith("not: ") and "(not: " not in text, f"{cell.id}: {text}"


def _is_check(cell: Cell) -> bool:
    return cell.id.startswith("check-")


@LESSONS
def test_a_hidden_half_stands_on_its_own(path: Path) -> None:
    """It takes nothing from public checks, and leaves nothing that a later cell would trip over."""
    lesson = read_lesson(path)
    solved = {c.id: c.source for c in lesson.solved() if c.kind == "code"}
    known: set[str] = set()
    for place, cell in enumerate(lesson.cells):
        if cell.kind != "code":
            continue
        if not _is_check(cell):
            known |= names.defined(solved[cell.id])
            continue
        hidden = hidden_text(cell)
        assert not (lost := names.taken(hidden) - known), f"{cell.id}: takes {lost}"
        for other in lesson.cells[place + 1 :]:
            if other.kind == "code" and not _is_check(other):
                tripped = names.taken(solved[other.id]) & names.defined(hidden)
                assert not tripped, f"{other.id} takes {tripped}, which {cell.id} binds, too"


@LESSONS
def test_every_picture_says_what_it_shows(path: Path) -> None:
    solved = json.loads((NOTEBOOKS / "solved" / f"{path.stem}.ipynb").read_bytes())
    said = []
    for cell in solved["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert "image/png" not in data, cell["id"]
            if (html := text_of(data.get("text/html", ""))).startswith("<img "):
                words = unescape(html.partition(' alt="')[2].partition('"')[0])
                assert text_of(data["text/plain"]) == words, cell["id"]
                assert len(words) > 30 and not words.startswith("<"), f"{cell['id']}: {words}"
                assert "mathdefault" not in words and "nothing" not in words.split(), words
                said.append(words)
    assert len(said) >= 4
    assert not any(say.startswith(("A picture", "Chart:")) for say in said), said


def _length(source: str) -> int:
    lines = (line.strip() for line in source.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


@LESSONS
def test_a_lesson_has_the_parts_of_a_lesson(path: Path) -> None:
    lesson = read_lesson(path)
    text = _prose(lesson)
    exercises = len(lesson.exercises)
    assert 3 <= exercises <= 6
    assert len(lesson.cells) <= MOST_CELLS
    assert len(FOLD.sub("", text).split()) <= MOST_WORDS
    for hint in ("Hint 1", "Hint 2"):
        assert text.count(f"<details><summary>{hint}</summary>") >= exercises, hint
    assert text.count("<details>") == text.count("</details>")
    for part in ("{{your-time}}", "{{computing}}", "{{memory}}", "{{links}}", "try next"):
        assert part in text.lower(), f"{part}: not a word about it"
    for exercise in lesson.exercises:
        assert exercise.answer.minutes and exercise.answer.difficulty, exercise.name
    for cell in lesson.solved():
        aside = _is_check(cell) or FOLDED in cell.tags
        most = MOST_HIDDEN if aside else MOST_LINES
        if cell.kind == "code":
            assert _length(cell.source) <= most, f"cell {cell.id} is too long"


@LESSONS
def test_printed_tables_fit_the_page(path: Path) -> None:
    """JupyterLab breaks a longer line, and the columns below each other are none any more."""
    solved = json.loads((NOTEBOOKS / "solved" / f"{path.stem}.ipynb").read_bytes())
    outputs = [out for cell in solved["cells"] for out in cell.get("outputs", [])]
    printed = "".join(text_of(out["text"]) for out in outputs if out["output_type"] == "stream")
    rows = [line for line in printed.splitlines() if len(re.findall(r"\S {2,}(?=\S)", line)) > 2]
    assert not [row for row in rows if len(row) > MOST_ACROSS]


@LESSONS
def test_after_the_last_hint_the_course_s_part_is_borrowed(path: Path) -> None:
    """`examine` tries what is borrowed here: it passes, for no points."""
    lesson = read_lesson(path)
    assert list(PARTS[lesson.name[3:]]) == [e.name for e in lesson.exercises]
    start = 0
    for exercise in lesson.exercises:
        place = lesson.cells.index(exercise.answer)
        folds = FOLD.findall("\n".join(c.source for c in lesson.cells[start:place]))
        assert [title for title, _ in folds[-2:]][1:] == ["Borrow it"], exercise.name
        assert folds[-2][0].startswith("Hint "), exercise.name
        assert f"`{borrowing(lesson.name, exercise.name)}`" in folds[-1][1]
        bound = names.defined(next(c.source for c in lesson.solved() if c.id == exercise.name))
        assert {*parts_of(exercise.name)} == bound, exercise.name
        start = place


def test_no_two_exercises_of_the_course_share_a_name() -> None:
    every = [name for exercises in PARTS.values() for name in exercises]
    assert len(every) == len(set(every))


@LESSONS
def test_diagrams_are_described_and_fit_a_telephone(path: Path) -> None:
    solved = json.loads((NOTEBOOKS / "solved" / f"{path.stem}.ipynb").read_bytes())
    outputs = [out for cell in solved["cells"] for out in cell.get("outputs", [])]
    shown = [text_of(out.get("data", {}).get("text/html", "")) for out in outputs]
    drawn = [html for html in shown if ' alt="Diagram of ' in html]
    assert drawn, "nothing is drawn before it is built"
    for html in drawn:
        assert int(html.partition(' width="')[2].partition('"')[0]) <= 480, html[-400:]


def _prose(lesson: Lesson) -> str:
    return "\n".join(cell.source for cell in lesson.cells if cell.kind == "markdown")
