"""Every lesson runs; its checks fail on stubs, name planted mistakes, accept other answers."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from coursekit.lessons.source import Lesson, read_lesson
from tests.lessons.harness import answers_for, problems, sources

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
LESSONS = pytest.mark.parametrize("path", sources(NOTEBOOKS), ids=lambda path: path.stem)

MOST_LINES = (
    20  # of a cell, not counting empty ones and comments; checks may have half as many again
)


@LESSONS
def test_checks_tell_right_from_wrong(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_TIER", "quick")
    monkeypatch.delenv("COURSEKIT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    lesson = read_lesson(path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = problems(lesson, answers_for(lesson))
    assert not found, "\n".join(found)


def _length(source: str) -> int:
    lines = (line.strip() for line in source.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


@LESSONS
def test_a_lesson_has_the_parts_of_a_lesson(path: Path) -> None:
    lesson = read_lesson(path)
    text = _prose(lesson)
    exercises = len(lesson.exercises)
    assert 3 <= exercises <= 6
    for hint in ("Hint 1", "Hint 2"):
        assert text.count(f"<details><summary>{hint}</summary>") >= exercises, hint
    assert text.count("<details>") == text.count("</details>")
    for part in ("minutes", "memory", "try next"):
        assert part in text.lower(), f"{part}: not a word about it"
    for cell in lesson.solved():
        most = MOST_LINES * 3 // 2 if cell.id.startswith("check-") else MOST_LINES
        if cell.kind == "code":
            assert _length(cell.source) <= most, f"cell {cell.id} is too long"


def _prose(lesson: Lesson) -> str:
    return "\n".join(cell.source for cell in lesson.cells if cell.kind == "markdown")
