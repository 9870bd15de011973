"""Notebooks from their sources: the student's lesson, and the solved one that has been run.

The student's notebook is a function of the sources, of `lessons.toml` and of the record of what
lessons need, byte for byte; so are the pages GLOSSARY.md and SYLLABUS.md. The solved notebook's
cells are, too; its outputs are what one machine computed, and nbval replays them on others.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.files import atomic_path
from coursekit.lessons.addresses import first_cells, repository
from coursekit.lessons.joined import WIDGET, joined
from coursekit.lessons.notebook import make_notebook, text_of, to_bytes
from coursekit.lessons.outline import keep_record, read_outline
from coursekit.lessons.outputs import complaints
from coursekit.lessons.pages import GLOSSARY, SYLLABUS, glossary_page, syllabus_page
from coursekit.lessons.source import Lesson, read_lesson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from coursekit.lessons.outline import Cost, Outline


def build(
    notebooks_dir: str | Path,
    only: Sequence[str] | None = None,
    *,
    execute: bool = True,
    measured: Callable[[str, Cost], None] = lambda name, cost: None,
) -> list[Path]:
    """Make the notebooks of the lessons.

    Args:
        notebooks_dir: the folder with source/; NN_name.ipynb and solved/NN_name.ipynb go into it.
        only: lessons to make, such as "02_unet" or "02"; all when None.
        execute: whether to run the solved notebooks. Otherwise those whose text alone has changed
            keep their outputs, and the others are left as they are.
        measured: is told each lesson that was run, and what it took.

    Returns:
        The paths written.

    Raises:
        CourseError: for a source that is not in order, a cell that fails, or a lesson that takes
            longer than a replay may.
    """
    folder = Path(notebooks_dir)
    lessons = [read_lesson(path) for path in find_sources(folder, only)]
    written, outline = [], read_outline(folder)
    address = repository(folder.parent / "pyproject.toml")
    for lesson in lessons:
        path = _solved_path(folder, lesson.name)
        executed: bytes | None = path.read_bytes() if path.is_file() else None
        if execute:
            from coursekit.lessons.execution import execute as run

            notebook, cost = run(_solved(lesson, outline), lesson.name)
            measured(lesson.name, cost)
            executed = to_bytes(notebook)
            if outline.entries and keep_record(folder, lesson.name, cost):
                outline = read_outline(folder)
        written.append(_student_path(folder, lesson.name))
        _write(written[-1], to_bytes(_student(lesson, outline, address)))
        notebook = _solved(lesson, outline)
        if executed is not None and _take_outputs(notebook, executed):
            written.append(path)
            _write(path, to_bytes(notebook))
    for path, content in _pages(folder, outline).items():
        _write(path, content)
        written.append(path)
    return written


def _student(lesson: Lesson, outline: Outline, address: str) -> dict[str, Any]:
    links = {name: f"{name}.ipynb" for name in outline.lessons} | {GLOSSARY: f"{GLOSSARY}.md"}
    cells = joined(lesson.student(), lesson, outline, links)
    return make_notebook([*first_cells(address, lesson.name), *cells])


def _solved(lesson: Lesson, outline: Outline) -> dict[str, Any]:
    links = {name: f"{name}.ipynb" for name in outline.lessons} | {GLOSSARY: f"../{GLOSSARY}.md"}
    return make_notebook(joined(lesson.solved(), lesson, outline, links))


def _pages(folder: Path, outline: Outline) -> dict[Path, bytes]:
    """The pages that are made from all lessons: their files and what they hold."""
    if not outline.entries:
        return {}
    links = {name: f"{name}.ipynb" for name in outline.lessons}
    pages = {GLOSSARY: glossary_page(outline, links), SYLLABUS: syllabus_page(outline, links)}
    return {folder / f"{name}.md": text.encode() for name, text in pages.items()}


def stale(notebooks_dir: str | Path, only: Sequence[str] | None = None) -> list[tuple[Path, str]]:
    """The notebooks that do not agree with their source, each with the reason.

    Outputs are not compared: nbval does that. They must be there, without errors, and clean.

    Args:
        notebooks_dir: the folder with source/.
        only: lessons to look at; all when None, and then a notebook without a source is named, too.

    Raises:
        CourseError: for a source that is not in order.
    """
    folder = Path(notebooks_dir)
    found = []
    sources, outline = find_sources(folder, only), read_outline(folder)
    address = repository(folder.parent / "pyproject.toml")
    for lesson in map(read_lesson, sources):
        student, solved = _student_path(folder, lesson.name), _solved_path(folder, lesson.name)
        if not student.is_file():
            found.append((student, "is missing"))
        elif student.read_bytes() != to_bytes(_student(lesson, outline, address)):
            found.append((student, "is not what its source gives"))
        expected = _solved(lesson, outline)
        found += [(solved, reason) for reason in _solved_problems(solved, expected)]
    for page, content in _pages(folder, outline).items():
        if not page.is_file() or page.read_bytes() != content:
            found.append((page, "is not what the sources give"))
    if only is None:
        known = {path.stem for path in sources}
        for path in sorted([*folder.glob("*.ipynb"), *folder.glob("solved/*.ipynb")]):
            if path.stem not in known:
                found.append((path, f"has no source; delete it, or write source/{path.stem}.py"))
    return found


def find_sources(notebooks_dir: Path, only: Sequence[str] | None = None) -> list[Path]:
    """The source files, in order.

    Raises:
        CourseError: when there are none, or a name in `only` is none of theirs.
    """
    paths = sorted((notebooks_dir / "source").glob("*.py"))
    if not paths:
        raise CourseError(f"{notebooks_dir / 'source'}: holds no lessons (NN_name.py)")
    if only is None:
        return paths
    for name in only:
        if not any(_is_called(path, name) for path in paths):
            raise CourseError(f"no lesson {name}; there are {', '.join(p.stem for p in paths)}")
    return [path for path in paths if any(_is_called(path, name) for name in only)]


def _is_called(path: Path, name: str) -> bool:
    return name in (path.stem, path.stem[:2])


def _student_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.ipynb"


def _solved_path(folder: Path, name: str) -> Path:
    return folder / "solved" / f"{name}.ipynb"


def _write(path: Path, content: bytes) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _take_outputs(notebook: dict[str, Any], executed: bytes) -> bool:
    """Take over what the code cells of an executed notebook show, if they are the same cells."""
    try:
        theirs = {c["id"]: c for c in json.loads(executed)["cells"] if c["cell_type"] == "code"}
        ours = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for cell in ours:
            if cell["id"].endswith(WIDGET):
                theirs[cell["id"]] = cell | {"outputs": []}  # of a widget nothing is kept
        if any(text_of(c["source"]) != text_of(theirs[c["id"]]["source"]) for c in ours):
            return False  # how it is shown, folded or not, changes nothing that it prints
        if len(theirs) != len(ours):
            return False
        for count, cell in enumerate(ours, 1):
            cell |= {"outputs": theirs[cell["id"]]["outputs"], "execution_count": count}
    except (ValueError, KeyError, TypeError):
        return False
    return True


def _solved_problems(path: Path, expected: dict[str, Any]) -> Iterator[str]:
    if not path.is_file():
        yield "is missing"
        return
    try:
        notebook = json.loads(path.read_bytes())
        cells = [_bare(cell) for cell in notebook["cells"]]
    except (ValueError, KeyError, TypeError) as error:
        yield f"is no notebook ({error})"
        return
    if cells != [_bare(cell) for cell in expected["cells"]]:
        yield "has other cells than its source"
        return
    if {**notebook, "cells": []} != {**expected, "cells": []}:
        yield "has other metadata than a build gives"
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        if cell["execution_count"] is None:
            yield f"cell {cell['id']} has not been executed"
        elif any(output["output_type"] == "error" for output in cell["outputs"]):
            yield f"cell {cell['id']} shows an error"
        for complaint in complaints(cell):
            yield f"cell {cell['id']} {complaint}"


def _bare(cell: dict[str, Any]) -> dict[str, Any]:
    """A cell without what its execution adds."""
    bare = {k: v for k, v in cell.items() if k not in ("outputs", "execution_count")}
    return {**bare, "source": text_of(cell["source"])}
