"""Quizzes: read, folded and sealed; those of the lessons are whole and do not give answers away."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.lessons.build import find_sources
from coursekit.lessons.quiz import QUIZ, folded, read_quiz, seal, unseal
from coursekit.lessons.source import read_lesson

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

TEXT = """\
### Is `1 < 2`?

- [ ] No
  It is: count
  on your fingers.
- [x] Yes, *always*
  One is less.

### And 2 < 1?

- [X] No
  Two is more.
- [ ] Yes
  Turn it round.
"""


def test_questions_are_read_and_folded() -> None:
    first, second = read_quiz(f"Words before.\n\n{TEXT}")
    assert [(c.text, c.right) for c in first.choices] == [("No", False), ("Yes, *always*", True)]
    assert first.choices[0].why == "It is: count on your fingers."
    assert second.choices[0].right
    shown = folded((first, second))
    assert "**1. Is `1 < 2`?**" in shown
    assert "<details><summary>Yes, <em>always</em></summary>\n\n**Right.** One is less." in shown
    assert shown.count("<details>") == shown.count("</details>") == 4


def test_a_sealed_quiz_shows_nothing_and_opens_again() -> None:
    sealed = seal(TEXT)
    assert unseal(sealed) == TEXT and unseal(f"\n{sealed}\n") == TEXT
    assert "[x]" not in sealed and max(map(len, sealed.splitlines())) < 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Only words.", "without a question"),
        (TEXT.replace("[x]", "[ ]"), "one of them ticked"),
        (TEXT.replace("- [ ] No", "- [x] No"), "one of them ticked"),
        ("### Why?\n\n- [x] So\n  It is.", "two choices or more"),
        (TEXT.replace("  One is less.\n", ""), "say why or why not"),
        (TEXT.replace("- [ ] No", "* No"), "write a choice as"),
    ],
)
def test_a_quiz_that_is_not_in_order(text: str, words: str) -> None:
    with pytest.raises(CourseError, match=words):
        read_quiz(text)


def test_every_lesson_ends_with_a_quiz() -> None:
    places: Counter[int] = Counter()
    for path in find_sources(NOTEBOOKS):
        lesson = read_lesson(path)
        (cell,) = (c for c in lesson.cells if c.id == QUIZ)
        assert lesson.cells.index(cell) > len(lesson.cells) - 4, path.stem
        questions = read_quiz(cell.source)
        assert 3 <= len(questions) <= 5, path.stem
        places.update([c.right for c in q.choices].index(True) for q in questions)
        here = {[c.right for c in q.choices].index(True) for q in questions}
        assert len(here) > 1, f"{path.stem}: the right choice always stands in one place"
        for question in questions:
            assert 3 <= len(question.choices) <= 4, question.text
            for choice in question.choices:
                assert len(choice.why.split()) >= 3 and "$" not in choice.text, choice.text
    assert max(places.values()) < places.total() / 2, places  # no place to guess
