"""Pages that stand in no file of the repository: the first one, and the gallery."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from coursekit.lessons.joined import lessons_table
from coursekit.lessons.outline import hours
from coursekit.site.pictures import ACROSS, small

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from coursekit.lessons.outline import Outline
    from coursekit.site.links import Places
    from coursekit.site.solved import Shown

_TITLES = {
    "README": "Set up, and the command line",
    "data/README": "Data",
    "CONTRIBUTING": "Contribute",
    "reference/index": "The package",
    "benchmarks/RESULTS": "Results",
}
_LESSONS = """
## Lessons

Here they stand solved and executed, solutions and checks folded: about {hours} of a student's time
in all.
"""
_GALLERY = """\
# Gallery

The lessons' figures, the papers' among them, all drawn by the course's own code. Each leads to its
place in a lesson.
"""


def first_page(
    root: Path, outline: Outline, places: Places, contents: Mapping[str, Sequence[str]]
) -> str:
    """What README says first, all lessons, and the contents of the site."""
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8") if readme.is_file() else "# The course\n"
    begin = places.aimed(re.split(r"^## ", text, maxsplit=1, flags=re.MULTILINE)[0], "README.md")
    links = {entry.name: f"notebooks/{entry.name}.ipynb" for entry in outline.entries}
    total = sum(sum(outline.minutes(entry.name)) for entry in outline.entries)
    tree = [(f"{entry.number} · {entry.short}", _name(links[entry.name]))
            for entry in outline.entries]  # fmt: skip
    about = _LESSONS.format(hours=hours(total))
    lines = [begin.strip(), about, lessons_table(outline, outline.entries, links), ""]
    lines.append(_tree("Lessons", tree))
    for heading, pages in contents.items():
        if pages:
            lines += [f"## {heading}", ""]
            lines += [f"- [{_TITLES.get(_name(p), '')}]({p})" for p in pages]
            lines += ["", _tree(heading, [(_TITLES.get(_name(p), ""), _name(p)) for p in pages])]
    return "\n".join(lines)


def _name(page: str) -> str:
    return page.rpartition(".")[0]


def _tree(caption: str, pages: Sequence[tuple[str, str]]) -> str:
    """Entries of the contents beside each page."""
    entries = [f"{title} <{name}>" if title else name for title, name in pages]
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *entries, "```", ""])


def gallery_page(outline: Outline, pictures: Mapping[str, Sequence[Shown]]) -> str:
    """All pictures of the lessons, small, each a link to its place."""
    lines = [_GALLERY]
    for entry in outline.entries:
        if shown := pictures[entry.name]:
            lines += [f"## {entry.number} · {entry.short}", "", '<div class="gallery">']
            lines += [_tile(entry.name, picture) for picture in shown]
            lines += ["</div>", ""]
    return "\n".join(lines)


def _tile(lesson: str, picture: Shown) -> str:
    heading = re.sub(r"[`*$\\]|</?dfn[^>]*>| \(\d+ minutes.*\)$", "", picture.heading)
    place = f"notebooks/{lesson}.html#{picture.anchor}"
    return (
        f'<figure><a href="{place}"><img src="{small(picture.file)}" '
        f'alt="{picture.alt}" width="{ACROSS}" loading="lazy"></a>'
        f"<figcaption>{html.escape(heading)}</figcaption></figure>"
    )
