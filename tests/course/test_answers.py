"""Both halves of every lesson's checks, on every answer that the course keeps beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.lessons.build import find_sources
from coursekit.lessons.source import read_lesson
from coursekit.mutation.answers import read_answers
from coursekit.mutation.report import examine

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.mark.parametrize("path", find_sources(NOTEBOOKS), ids=lambda path: path.stem)
def test_checks_tell_right_from_wrong(path: Path) -> None:
    lesson = read_lesson(path)
    tallies = examine(lesson, read_answers(lesson), mutants=False, workers=2)
    assert [tally.exercise for tally in tallies] == [e.name for e in lesson.exercises]
    assert not (problems := [p for tally in tallies for p in tally.problems]), "\n".join(problems)
