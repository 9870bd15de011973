"""A solved notebook as a page: its code folded where it would tell too soon, pictures as files."""

from __future__ import annotations

import base64
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.lessons.joined import ASK_BELOW, ASK_HERE, WIDGET
from coursekit.lessons.notebook import FOLDED, METADATA, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coursekit.lessons.source import Lesson

_IMAGE = re.compile(r"<img\s[^>]*>")
_PNG = re.compile(r'src="data:image/png;base64,([^"]*)"')
_ALT = re.compile(r'alt="([^"]+)"')
_WIDTH = re.compile(r'width="(\d+)"')
#: A telephone shows a picture this much smaller and no more, up to so many pixels: the rest is
#: scrolled to. (Letters of 8 points are then 9 pixels high.)
_LEAST, _MOST = 0.8, 640
_CHECK = "Check: "
#: The tag of a check's cell: what it says is a sentence, whose lines break (`static/site.css`).
CHECKED = "check"
_HEADING = re.compile(r"^#{1,3} +(.+)$", re.MULTILINE)

_ABOUT = """\
:::{{note}}
This is the lesson **solved and executed** on the quick tier. Solutions and checks are folded: a
click opens one. To work on it yourself, open `notebooks/{name}.ipynb` with `make lab`.
:::"""


@dataclass(frozen=True)
class Shown:
    """A picture of a lesson.

    Attributes:
        file: its path on the site.
        png: its content as the notebook has it.
        alt: what it shows, as HTML has it.
        anchor: the id of its place on the lesson's page.
        heading: of the section in which it stands, in Markdown.
    """

    file: str
    png: bytes
    alt: str
    anchor: str
    heading: str


def as_page(
    notebook: dict[str, Any], lesson: Lesson, aimed: Callable[[str], str]
) -> tuple[dict[str, Any], list[Shown]]:
    """A lesson's notebook as MyST-NB is to read it, and its pictures.

    Args:
        notebook: as built: solved, executed, with its pictures inside.
        lesson: its source.
        aimed: turns the links of a Markdown text into those of the site.

    Raises:
        CourseError: for a picture without words.
    """
    pictures: list[Shown] = []
    cells: list[dict[str, Any]] = []
    heading, prompts = "", _prompts(lesson)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = text_of(cell["source"])
            heading = [heading, *_HEADING.findall(text)][-1]
            cells.append(_markdown(cell["id"], aimed(text.replace(ASK_BELOW, ASK_HERE))))
        elif not cell["id"].endswith(WIDGET):
            cells.append(_code(cell, prompts))
            for output in cells[-1]["outputs"]:
                pictures += _take_pictures(output, lesson.name, heading, len(pictures))
    cells.insert(1, _markdown("about-this-page", _ABOUT.format(name=lesson.name)))
    page = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return page, pictures


def _prompts(lesson: Lesson) -> dict[str, str]:
    """What is written on folded cells, by their ids."""
    solutions = {e.name: f"Solution: {e.name}" for e in lesson.exercises}
    checks = {c.id: f"{_CHECK}{e.name}" for e in lesson.exercises for c in e.checks}
    return solutions | checks


def _markdown(name: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _code(cell: dict[str, Any], prompts: dict[str, str]) -> dict[str, Any]:
    """A code cell; one that is folded says what it holds."""
    metadata: dict[str, Any] = {}
    prompt = prompts.get(cell["id"])
    if FOLDED in cell["metadata"].get("tags", ()):
        prompt = prompt or "The code behind this"
    if prompt:
        says = {f"code_prompt_{what}": prompt for what in ("show", "hide")}
        kind = [CHECKED] if prompt.startswith(_CHECK) else []
        metadata = {"tags": ["hide-input", *kind], "mystnb": says}
    outputs = [{**o, "data": dict(o["data"])} if "data" in o else o for o in cell["outputs"]]
    return cell | {"metadata": metadata, "outputs": outputs}


def _take_pictures(
    output: dict[str, Any], lesson: str, heading: str, before: int
) -> Iterator[Shown]:
    """The pictures of an output, which becomes HTML that names them as files, in place."""
    html = text_of(output.get("data", {}).get("text/html", ""))
    found = list(_IMAGE.finditer(html))
    for number, hit in enumerate(found, before + 1):
        png, alt = _PNG.search(hit[0]), _ALT.search(hit[0])
        if not png or not alt:
            raise CourseError(
                f"{lesson}: a picture under {heading!r} has no words, or is no PNG; show it as a "
                "figure of coursekit.plots, which says what it shows"
            )
        content = base64.b64decode(png[1])
        shown = Shown(f"pictures/{lesson}-{number}.webp", content, alt[1], f"picture-{number}",
                      heading)  # fmt: skip
        html = html.replace(hit[0], _image(shown, _WIDTH.search(hit[0])), 1)
        yield shown
    if found:
        output["data"] = {"text/html": html}


def _image(picture: Shown, width: re.Match[str] | None) -> str:
    """A picture that is loaded when it is scrolled to; its place is kept until then."""
    across, down = struct.unpack(">II", picture.png[16:24])
    shown = int(width[1]) if width else across
    least = min(round(_LEAST * shown), _MOST)
    return (
        f'<img id="{picture.anchor}" src="../{picture.file}" alt="{picture.alt}" width="{shown}" '
        f'height="{round(down * shown / across)}" loading="lazy" style="--least: {least}px">'
    )
