"""Links and docstrings as the site's pages have them."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.lessons.addresses import repository
from coursekit.site.addresses import files_address, theme_options
from coursekit.site.docstrings import as_rst
from coursekit.site.links import Places
from coursekit.site.reference import INTERNAL, SECTIONS, modules, paths

ROOT = Path(__file__).parents[2]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("README.md", "LICENSE", "p.png", "notebooks/solved/1.ipynb", "notebooks/G.md",
                 "coursekit/unet.py"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    pages = {"README.md": "README.md", "notebooks/G.md": "notebooks/G.md",
             "notebooks/solved/1.ipynb": "notebooks/1.ipynb"}  # fmt: skip
    return Places(tmp_path, pages, {"coursekit/unet.py": "coursekit.unet"})


@pytest.mark.parametrize(
    ("path", "text", "aimed"),
    [
        ("README.md", "[one](notebooks/solved/1.ipynb)", "[one](notebooks/1.ipynb)"),
        ("notebooks/solved/1.ipynb", "[words](../G.md#a)", "[words](G.md#a)"),
        ("notebooks/G.md", "[home](../README.md)", "[home](../README.md)"),
        ("README.md", "[`U`-Net](coursekit/unet.py)", "{py:mod}`U-Net <coursekit.unet>`"),
        ("README.md", "[the licence](LICENSE)", "the licence"),
        ("README.md", "[out](https://example.org) [in](#part)", None),
        ("README.md", "`[code](nowhere)` and\n```\n[more](nowhere)\n```\n", None),
    ],
)
def test_links(places: Places, path: str, text: str, aimed: str | None) -> None:
    assert places.aimed(text, path) == (aimed or text)


def test_what_is_no_page_lies_in_the_repository(places: Places) -> None:
    places.repository = "https://example.org/c/blob/main"
    linked = "[licence](https://example.org/c/blob/main/LICENSE)"
    assert places.aimed("[licence](LICENSE)", "README.md") == linked


def test_pictures_are_taken_along(places: Places) -> None:
    assert places.aimed("![a face](../p.png)", "notebooks/G.md") == "![a face](../p.png)"
    assert places.pictures == {"p.png"}


def test_a_link_that_leads_nowhere(places: Places) -> None:
    with pytest.raises(CourseError, match=r"README\.md: links to gone\.md, which is not there"):
        places.aimed("[gone](gone.md)", "README.md")


@pytest.mark.parametrize(
    ("markdown", "rst"),
    [
        ("`x`s and |γ| of val_", "``x``\\ s and \\|γ\\| of val\\_"),
        ("**bold** and a*b", "**bold** and a\\*b"),
        ("Above:\n\n    a  b\n    |c|\n\nBelow", "Above:\n\n::\n\n    a  b\n    |c|\n\nBelow"),
        ("So::\n\n    a_\n", "So::\n\n    a_"),
        (
            "Args:\n    x: (B,) `y`.\n\n    z: of w_.",
            "Args:\n    x: (B,) ``y``.\n\n    z: of w\\_.",
        ),
        ("| a | b |\n|---|---|\n| `x|` | 2 |", None),
    ],
)
def test_docstrings(markdown: str, rst: str | None) -> None:
    table = ".. list-table::\n   :header-rows: 1\n\n   * - a\n     - b\n   * - ``x``\n     - 2"
    made = "\n".join(as_rst(markdown.replace("x|", "x").splitlines()))
    assert made == (table if rst is None else rst)


def test_every_module_is_documented_or_internal() -> None:
    named = {name for names in SECTIONS.values() for name in names} | set(INTERNAL)
    there = {path.stem for path in (ROOT / "coursekit").iterdir()
             if (path.suffix == ".py" or (path / "__init__.py").is_file())
             and not path.stem.startswith("_")}  # fmt: skip
    assert named == there


def test_modules_of_the_package() -> None:
    assert paths(ROOT)["coursekit/models/unet.py"] == "coursekit.models.unet"
    assert paths(ROOT)["coursekit/recipes"] == "coursekit.recipes"
    assert "coursekit.codabench.layout" not in modules(ROOT, "codabench")


def test_buttons_only_with_an_address(tmp_path: Path) -> None:
    pyproject = tmp_path / "pyproject.toml"
    assert theme_options(pyproject) == {}
    pyproject.write_text('[project]\nname = "c"\n', encoding="utf-8")
    assert repository(pyproject) == files_address(pyproject) == ""
    assert theme_options(pyproject) == {}
    pyproject.write_text('[project.urls]\nRepository = "https://github.com/o/c.git"\n', "utf-8")
    options = theme_options(pyproject)
    assert options["repository_url"] == "https://github.com/o/c"
    assert set(options["launch_buttons"]) == {"colab_url", "binderhub_url"}
    pyproject.write_text('[project.urls]\nRepository = "https://example.org/c"\n', "utf-8")
    assert set(theme_options(pyproject)["launch_buttons"]) == {"binderhub_url"}
