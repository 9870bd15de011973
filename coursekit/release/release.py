"""A student repository: a folder that holds all that a student needs, and nothing else.

The package goes into it whole and as it is. It is public, and its finished models are a part of the
course: lessons import them, and grading does not lean on anybody's not having read them. Leaving
parts out would make a package that nobody tests, with commands that do not work. What is secret is
in the sources' regions and in the instructor's secret, and neither is in the package.

A release is made beside its place, looked through by `lint`, and takes its name only when
there is nothing to complain of. Equal sources give equal bytes: nothing in it tells when, where or
by whom it was made.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coursekit
from coursekit.errors import CourseError
from coursekit.files import atomic_folder, atomic_path
from coursekit.lessons.build import find_sources
from coursekit.lessons.course import Assignment, read_assignments
from coursekit.lessons.notebook import to_bytes
from coursekit.lessons.outline import read_outline
from coursekit.lessons.pages import GLOSSARY, glossary_page
from coursekit.lessons.regions import hidden_text
from coursekit.lessons.source import read_lesson
from coursekit.release.handout import PRISTINE, covers, handout, links_between, title, when
from coursekit.release.lint import lint
from coursekit.zips import new_entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: The file that lists a release.
MANIFEST = "released-by-coursekit.json"
#: What a student repository takes from the course's as it is, beside the package.
PROJECT = (
    "LICENSE", "pyproject.toml", "uv.lock", "environment.yml", ".gitignore", "data/README.md",
    "data/demo.png",
)  # fmt: skip
_SAMPLES = "data/faces"


@dataclass(frozen=True)
class Release:
    """A student repository that has been written.

    Attributes:
        folder: where it is.
        assignments: what is in it.
        files: how many.
        notes: what the instructor should know before grading, one sentence each.
    """

    folder: Path
    assignments: tuple[Assignment, ...]
    files: int
    notes: tuple[str, ...]


def release(
    out: str | Path,
    notebooks_dir: str | Path,
    only: Sequence[str] | None = None,
    course: str | Path | None = None,
    *,
    force: bool = False,
) -> Release:
    """Write a student repository.

    Args:
        out: the folder; it must be missing or empty.
        notebooks_dir: the folder with source/.
        only: names of assignments; all when None.
        course: the course file, see `coursekit.lessons.course`.
        force: replace a release that is there. Its .git stays; anything else that was added to it
            is a reason to refuse.

    Raises:
        CourseError: for a source or course file that is not in order, a folder that holds something
            else, or a release that shows what it must not.
    """
    target = Path(out).resolve()
    _check_target(target, force)
    assignments = read_assignments(notebooks_dir, only, course)
    lessons = [read_lesson(path) for path in find_sources(Path(notebooks_dir))]
    root = _checkout()
    with atomic_folder(target, keep=".git") as folder:
        for path in _project_files(root):
            _put(folder, path.relative_to(root).as_posix(), path.read_bytes())
        student = root / "coursekit" / "release" / "student"
        _put(folder, "Makefile", (student / "Makefile").read_bytes())
        outline, links = read_outline(notebooks_dir), links_between(assignments)
        if outline.entries:
            page = glossary_page(outline, links)
            _put(folder, f"notebooks/{GLOSSARY}.md", page.encode())
            links[GLOSSARY] = f"{GLOSSARY}.md"
        for assignment in assignments:
            content = to_bytes(handout(assignment, outline, links))
            _put(folder, f"notebooks/{assignment.name}.ipynb", content)
            _put(folder, f"{PRISTINE}/{assignment.name}.ipynb", content)
        _put(folder, "README.md", _readme(assignments).encode())
        _put(folder, MANIFEST, _manifest(folder, assignments))
        complaints = lint(folder, lessons, assignments, _secret(Path(notebooks_dir)))
        if complaints:
            told = "\n".join(f"  {complaint}" for complaint in complaints)
            raise CourseError(f"{target}: not written; the release would show or lack:\n{told}")
        files = len(_files(folder))
    return Release(target, tuple(assignments), files, tuple(_notes(assignments)))


def write_zip(folder: Path, out: Path) -> None:
    """Pack a release; equal releases give equal bytes."""
    with atomic_path(out) as temporary, zipfile.ZipFile(temporary, "w") as packed:
        for name in _files(folder):
            entry = new_entry(f"{folder.name}/{name}")
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, (folder / name).read_bytes())


def _checkout() -> Path:
    """The folder of the package's sources."""
    root = Path(coursekit.__file__).resolve().parent.parent
    missing = [name for name in PROJECT if not (root / name).is_file()]
    if missing:
        raise CourseError(
            f"{root}: has no {', '.join(missing)}; a release is made in a checkout of the course, "
            "where the package was installed with `make setup` or `pip install -e .`"
        )
    return root


def _secret(notebooks_dir: Path) -> str:
    """What hidden inputs are drawn from, if it lies where `coursekit grade` puts it."""
    path = notebooks_dir / ".secret"
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


def _project_files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in PROJECT)
    for folder in (root / "coursekit", root / _SAMPLES):
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(root).parts
            cached = "__pycache__" in parts or path.suffix == ".pyc"
            if path.is_file() and not cached and not any(p.startswith(".") for p in parts):
                yield path


def _put(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _files(folder: Path) -> list[str]:
    """The files of a release, and what else lies there but git's own."""
    found = (p.relative_to(folder) for p in folder.rglob("*") if not p.is_dir() or p.is_symlink())
    return sorted(p.as_posix() for p in found if p.parts[0] != ".git")


def _manifest(folder: Path, assignments: Sequence[Assignment]) -> bytes:
    content = {
        "coursekit": coursekit.__version__,
        "assignments": {
            a.name: {"lesson": a.lesson.name, "points": a.total, "due": a.due} for a in assignments
        },
        "files": sorted([*_files(folder), MANIFEST]),
    }
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _readme(assignments: Sequence[Assignment]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Markdown, made of the instructor's own words: there is nothing to escape.
    environment = Environment(  # noqa: S701
        loader=PackageLoader("coursekit.release", "student"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("README.md.j2").render(
        assignments=[_for_readme(assignment) for assignment in assignments]
    )


def _for_readme(assignment: Assignment) -> dict[str, Any]:
    public = {cell.id: cell.source for cell in assignment.lesson.student()}
    return {
        "name": assignment.name,
        "title": title(assignment),
        "total": assignment.total,
        "due": when(assignment.due),
        "has_due": assignment.due is not None,
        "practice": assignment.practice,
        "given": assignment.given,
        "exercises": [
            {
                "name": e.name,
                "points": assignment.worth(e),
                "covers": "; ".join(covers(public.get(c.id, ""))[0] for c in e.checks),
            }
            for e in assignment.exercises
        ],
    }


def _notes(assignments: Sequence[Assignment]) -> Iterator[str]:
    for assignment in assignments:
        for check in (c for e in assignment.exercises for c in e.checks):
            if assignment.points.get(check.id) and not hidden_text(check):
                yield (
                    f"{assignment.name}: {check.id} is worth {assignment.points[check.id]} and has "
                    "no hidden tests, so grading cannot give its points; write them before you "
                    "grade"
                )


def _check_target(target: Path, force: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise CourseError(f"{target}: is a file; name a folder that does not exist yet")
    there = _files(target)
    if not there:
        return
    try:
        known = set(json.loads((target / MANIFEST).read_bytes())["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{target}: holds files that are no release; name a folder that does not exist yet"
        ) from error
    if not force:
        raise CourseError(
            f"{target}: holds a release already; pass --force to replace it, or name another folder"
        )
    if added := [name for name in there if name not in known]:
        raise CourseError(
            f"{target}: {', '.join(added[:5])} did not come with the release; move such files away "
            "before you replace it"
        )
