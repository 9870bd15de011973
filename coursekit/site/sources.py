"""What Sphinx is given: the course's files with their links aimed at pages, laid out as they lie.

A page has the path of its file in the repository, so that a link between two files is one between
their pages; the solved notebooks stand where the students' are, which is where launch buttons open
what a student works on.
"""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.lessons.notebook import to_bytes
from coursekit.lessons.outline import read_outline
from coursekit.lessons.pages import terms
from coursekit.site import reference
from coursekit.site.addresses import files_address
from coursekit.site.links import Places
from coursekit.site.pictures import as_webp, small, thumbnail
from coursekit.site.solved import Shown, as_page
from coursekit.site.written import first_page, gallery_page

if TYPE_CHECKING:
    from coursekit.lessons.outline import Outline

#: The course's Markdown files, in the order of the contents, each under its heading there.
DOCUMENTS = {
    "Look up": ("notebooks/GLOSSARY.md", "benchmarks/RESULTS.md"),
    "Teach": ("notebooks/SYLLABUS.md", "notebooks/INSTRUCTORS.md", "docs/HUB.md"),
    "Use": ("README.md", "data/README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
}
#: Pages that stand in no file, and the heading under which they are listed.
WRITTEN = {"gallery.md": "Look up", "reference/index.md": "Look up"}
#: Files that are copied to the site as they are: pictures, which raw HTML names.
EXTRA = "extra"
#: What orders the results of a search.
SCORER = "scorer.js"


@dataclass(frozen=True)
class Prepared:
    """Sources for Sphinx.

    Attributes:
        pages: files of pages, from the folder.
        pictures: how many the lessons show.
    """

    pages: tuple[str, ...]
    pictures: int


def prepare(root: Path, folder: Path) -> Prepared:
    """Write the sources of all pages.

    Args:
        root: of the repository.
        folder: where they go, empty.

    Raises:
        CourseError: for a course without lessons, a lesson that has not been built, a link that
            leads nowhere, or a picture without words.
    """
    outline = read_outline(root / "notebooks")
    if not outline.entries:
        raise CourseError(f"{root / 'notebooks'}: has no lessons.toml; go to the course's folder")
    solved = {f"notebooks/solved/{e.name}.ipynb": f"notebooks/{e.name}.ipynb"
              for e in outline.entries}  # fmt: skip
    files = [f for listed in DOCUMENTS.values() for f in listed if (root / f).is_file()]
    places = Places(
        root,
        solved | {page: page for page in (*solved.values(), *files)},
        reference.paths(root),
        files_address(root / "pyproject.toml"),
    )
    pictures = {e.name: _lesson(root, folder, e.name, outline, places) for e in outline.entries}
    for file in files:
        _write(folder / file, places.aimed((root / file).read_text(encoding="utf-8"), file))
    api = reference.pages(root)
    for name, text in api.items():
        _write(folder / name, text)
    _write(folder / "gallery.md", gallery_page(outline, pictures))
    contents = {heading: [f for f in listed if f in files] for heading, listed in DOCUMENTS.items()}
    written = [page for page in WRITTEN if (folder / page).is_file()]
    for page in written:
        contents[WRITTEN[page]].append(page)
    _write(folder / "index.md", first_page(root, outline, places, contents))
    for picture in places.pictures:
        _copy(root / picture, folder / picture)
    _write(folder / SCORER, _scorer(outline))
    pages = ("index.md", *written, *files, *solved.values(), *api)
    return Prepared(tuple(dict.fromkeys(pages)), sum(map(len, pictures.values())))


def _lesson(root: Path, folder: Path, name: str, outline: Outline, places: Places) -> list[Shown]:
    """Write a lesson's page and its pictures."""
    path = f"notebooks/solved/{name}.ipynb"
    try:
        notebook = json.loads((root / path).read_bytes())
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: cannot be read ({error}); run `make build`") from error
    page, shown = as_page(notebook, outline.lessons[name], lambda text: places.aimed(text, path))
    _write(folder / places.pages[path], to_bytes(page).decode())
    (folder / EXTRA / "pictures").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as pool:  # Pillow lets other threads work
        for picture, sharp, little in zip(
            shown,
            pool.map(lambda picture: as_webp(picture.png), shown),
            pool.map(lambda picture: thumbnail(picture.png), shown),
            strict=True,
        ):
            (folder / EXTRA / picture.file).write_bytes(sharp)
            (folder / EXTRA / small(picture.file)).write_bytes(little)
    return shown


def _scorer(outline: Outline) -> str:
    """What orders the results of a search: a rule, and what each lesson defines or builds."""
    names = {(name, term.lesson) for term in terms(outline) for name in (term.name, term.written)}
    for entry in outline.entries:
        names |= {(name.strip(), entry.name) for name in (entry.short, *entry.builds.split(","))}
    pages = [[name, f"notebooks/{lesson}"] for name, lesson in sorted(names)]
    rule = Path(__file__).with_name(SCORER).read_text(encoding="utf-8")
    return f"const DEFINED = {json.dumps(pages, ensure_ascii=False)};\n{rule}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
