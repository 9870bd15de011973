"""What the builder writes into a handout: the linter knows it, and nothing else in its place."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from coursekit.lessons.course import whole_lesson
from coursekit.lessons.outline import LIST, read_outline
from coursekit.lessons.quiz import seal
from coursekit.release.handout import handout, links_between
from coursekit.release.handout_lint import lint_notebook
from coursekit.release.reread import read_source
from tests.lessons.test_joined import FIRST, LAST, LIST_TEXT, QUIZ_CELL
from tests.lessons.test_quiz import TEXT
from tests.release.demo_course import LESSON


@pytest.fixture
def course(tmp_path: Path) -> Path:
    body = LESSON.split("\n\n", 1)[1]  # another check, with a hidden half that can be told of
    first = FIRST.split("# %% twice")[0] + body.replace(
        "# %% twice", '# %% twice minutes=5 difficulty="easy"'
    )
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "01_twice.py").write_text(first + QUIZ_CELL, encoding="utf-8")
    (tmp_path / "source" / "02_all.py").write_text(LAST, encoding="utf-8")
    (tmp_path / LIST).write_text(LIST_TEXT, encoding="utf-8")
    return tmp_path


def handed(course: Path, name: str) -> tuple[dict[str, Any], Any, Any]:
    outline = read_outline(course)
    assignment = whole_lesson(outline.lessons[name])
    links = links_between([assignment]) | {"GLOSSARY": "GLOSSARY.md"}
    return handout(assignment, outline, links), assignment, read_source(assignment.lesson.path)


@pytest.mark.parametrize("name", ["01_twice", "02_all"])
def test_a_whole_handout_passes(course: Path, name: str) -> None:
    assert list(lint_notebook(*handed(course, name))) == []


def test_a_handout_links_what_is_released_alone(course: Path) -> None:
    notebook, *_ = handed(course, "01_twice")
    card = "".join(notebook["cells"][0]["source"])
    assert "02 · All →" in card and "](02_all" not in card and "](GLOSSARY.md)" in card


@pytest.mark.parametrize(
    ("cell", "old", "new", "words"),
    [
        ("lesson-01-1", "(5 minutes, easy)", "(return x + x)", "exactly what its source shows"),
        ("lesson-01-1", "is a number", "is x + x", "exactly what its source shows"),
        ("lesson-01-quiz", "quiz(", "print(", "exactly the quiz of its source"),
        ("lesson-01-quiz", seal(TEXT), seal("x + x"), "exactly the quiz of its source"),
    ],
)
def test_another_text_in_its_place_is_named(
    course: Path, cell: str, old: str, new: str, words: str
) -> None:
    notebook, *rest = copy.deepcopy(handed(course, "01_twice"))
    (found,) = (c for c in notebook["cells"] if c["id"] == cell)
    text = "".join(found["source"])
    assert old in text or "quiz" in cell
    changed = text.replace(old, new) if old in text else f'{text[:40]}\n\nquiz("""\n{new}\n""")'
    found["source"] = changed.splitlines(keepends=True)
    assert any(words in complaint for complaint in lint_notebook(notebook, *rest))


def test_code_cannot_hide_where_the_map_stands(course: Path) -> None:
    notebook, *rest = copy.deepcopy(handed(course, "02_all"))
    (found,) = (c for c in notebook["cells"] if c["id"] == "map")
    text = "".join(found["source"]).replace("01 Twice", '""" + open("x").read() + """', 1)
    found["source"] = text.splitlines(keepends=True)
    assert any("exactly what its source" in c for c in lint_notebook(notebook, *rest))


def test_records_pass_and_no_code_among_them(course: Path) -> None:
    with (course / "source" / "02_all.py").open("a", encoding="utf-8") as source:
        source.write('\n# %% loop\nrows = """\n{{records annotation_loop rounds}}\n"""\n')
    notebook, *rest = copy.deepcopy(handed(course, "02_all"))
    assert list(lint_notebook(notebook, *rest)) == []
    (found,) = (c for c in notebook["cells"] if c["id"] == "loop")
    text = "".join(found["source"])
    assert '"rounds"' in text
    for code in ('""" + open("x").read() + """', '\\"""'):
        found["source"] = text.replace('"rounds"', code, 1).splitlines(keepends=True)
        assert any("exactly what its source" in c for c in lint_notebook(notebook, *rest))
