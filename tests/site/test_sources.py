"""What Sphinx is given of a small course."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from coursekit.errors import CourseError
from coursekit.lessons.regions import hidden_text
from coursekit.lessons.source import read_lesson
from coursekit.site.build import build_site
from coursekit.site.made import hidden_halves, leaks
from coursekit.site.sources import EXTRA, SCORER, prepare
from tests.site import course

LESSON = "notebooks/07_sums"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return course.write(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def sources(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    prepare(root, folder)
    return folder


@pytest.fixture(scope="module")
def cells(sources: Path) -> dict[str, dict[str, Any]]:
    notebook = json.loads((sources / f"{LESSON}.ipynb").read_bytes())
    return {cell["id"]: cell for cell in notebook["cells"]}


def test_pages(root: Path, tmp_path: Path) -> None:
    prepared = prepare(root, tmp_path)
    assert prepared.pages == (
        "index.md", "gallery.md", "notebooks/GLOSSARY.md", "notebooks/SYLLABUS.md", "README.md",
        f"{LESSON}.ipynb",
    )  # fmt: skip
    assert prepared.pictures == 1
    assert all((tmp_path / page).is_file() for page in prepared.pages)


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("twice", "Solution: twice"),
        ("check-twice", "Check: twice"),
        ("picture", "The code behind this"),
    ],
)
def test_what_is_folded(cells: dict[str, dict[str, Any]], name: str, prompt: str) -> None:
    checked = ["check"] if prompt.startswith("Check") else []  # what site.css asks for
    assert cells[name]["metadata"]["tags"] == ["hide-input", *checked]
    assert cells[name]["metadata"]["mystnb"]["code_prompt_show"] == prompt


def test_the_rest_is_open(cells: dict[str, dict[str, Any]]) -> None:
    assert cells["train"]["metadata"] == {}


def test_the_quiz_is_read_where_nothing_runs(cells: dict[str, dict[str, Any]]) -> None:
    assert "lesson-07-quiz" not in cells
    quiz = "".join(cells["quiz"]["source"])
    assert "Unfold them here; behind each choice" in quiz
    assert "The cell below" not in quiz


def test_pictures_are_files_with_words(sources: Path, cells: dict[str, dict[str, Any]]) -> None:
    shown = "".join(cells["picture"]["outputs"][0]["data"]["text/html"])
    assert shown == (
        '<img id="picture-1" src="../pictures/07_sums-1.webp" alt="a &lt;red&gt; field" '
        'width="20" height="10" loading="lazy" style="--least: 16px">'
    )
    with Image.open(sources / EXTRA / "pictures/07_sums-1.webp") as picture:
        assert (picture.size, picture.mode) == ((40, 20), "RGBA")
        assert picture.getpixel((0, 0)) == (200, 30, 30, 128)
    gallery = (sources / "gallery.md").read_text(encoding="utf-8")
    assert 'href="notebooks/07_sums.html#picture-1"' in gallery
    assert 'alt="a &lt;red&gt; field"' in gallery
    assert (sources / EXTRA / "pictures/07_sums-1-small.webp").is_file()


def test_a_search_knows_what_a_lesson_is_about(sources: Path) -> None:
    first, _, rule = (sources / SCORER).read_text(encoding="utf-8").partition("\n")
    known = json.loads(first.removeprefix("const DEFINED = ").removesuffix(";"))
    assert known == [["Sums", LESSON], ["two times x", LESSON]]
    assert "var Scorer" in rule


def test_the_first_page_lists_all(sources: Path) -> None:
    text = (sources / "index.md").read_text(encoding="utf-8")
    assert text.startswith("# Sums\n\nA course.\n")
    assert "## More" not in text
    assert "[07 · Sums](notebooks/07_sums.ipynb)" in text
    for page in ("gallery", "notebooks/GLOSSARY", "README", "notebooks/SYLLABUS"):
        assert f"{page}.md)" in text


@pytest.mark.parametrize("alt", ["", 'alt=""'])
def test_a_picture_without_words(tmp_path: Path, alt: str) -> None:
    course.write(tmp_path / "c", alt)
    (tmp_path / "out").mkdir()
    with pytest.raises(CourseError, match=r"07_sums: a picture under .* has no words"):
        prepare(tmp_path / "c", tmp_path / "out")


def test_no_course_and_no_notebooks(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"has no lessons\.toml"):
        prepare(tmp_path, tmp_path / "out")
    course.write(tmp_path / "c")
    (tmp_path / "c/notebooks/solved/07_sums.ipynb").unlink()
    with pytest.raises(CourseError, match="run `make build`"):
        prepare(tmp_path / "c", tmp_path / "out")


def test_hidden_halves_are_gone(root: Path, cells: dict[str, dict[str, Any]]) -> None:
    secrets = hidden_halves(root / "notebooks")
    assert {region.cell for region in secrets.searched} == {"check-twice", "check-shift"}
    text = "\n".join("".join(cell["source"]) for cell in cells.values())
    assert list(secrets.find(text)) == []
    assert "doubled = x + x" in text  # a solution is shown
    assert "Probe" not in text


@pytest.mark.parametrize("name", ["check-twice", "check-shift"])
def test_a_hidden_half_on_a_page_is_found(root: Path, tmp_path: Path, name: str) -> None:
    lesson = read_lesson(root / "notebooks/source/07_sums.py")
    hidden = hidden_text(next(cell for cell in lesson.cells if cell.id == name))
    secrets = hidden_halves(root / "notebooks")
    (tmp_path / "notebooks").mkdir()
    page = tmp_path / f"{LESSON}.html"
    for line in hidden.splitlines()[-1:]:
        # As Sphinx writes it: coloured, and with HTML's own letters.
        coloured = "".join(f"<span>{html.escape(letter)}</span>" for letter in line)
        page.write_text(f"<pre>{coloured}</pre>", encoding="utf-8")
        assert f"{LESSON}.html: holds a part of the hidden tests of {name}" in "".join(
            leaks(tmp_path, secrets)
        )


def test_without_sphinx(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CourseError, match="run `make site`"):
        build_site(root, tmp_path / "site")
    assert not (tmp_path / "site").exists()
