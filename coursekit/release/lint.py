"""Looks through a finished release for what students must not get, and for what they must.

Two proofs beside each other. Of each notebook, that it holds the public lines of its source, stubs,
and nothing else (`handout_lint`). Of every file, notebooks included, that no part of a solution or
of a hidden test is in it, in code, prose or metadata (`leaks`).

The one exception: a file of the package may share text with solutions, as `models/unet.py` does
with lesson 02, because the package is public. Only a file that equals the running package's byte
for byte is excepted, and never with regard to hidden tests.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import coursekit
from coursekit.release.handout import PRISTINE
from coursekit.release.handout_lint import lint_notebook
from coursekit.release.leaks import Secrets
from coursekit.release.reread import read_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from coursekit.lessons.course import Assignment
    from coursekit.lessons.source import Lesson
    from coursekit.release.reread import Region, SourceCell

#: Bytes of one file, of weights that the package brings, and of all of them.
MOST_FILE, MOST_WEIGHTS, MOST_ALL = 2_000_000, 8_000_000, 20_000_000

_KINDS = {
    ".ipynb", ".py", ".md", ".j2", ".toml", ".lock", ".yml", ".json", ".typed", ".css", ".js",
    ".html", ".svg", ".jpg", ".png",
}  # fmt: skip
_NAMES = {"LICENSE", "Makefile", ".gitignore"}
_FOLDERS = {"coursekit", "data", "notebooks", PRISTINE}
_MARKER = re.compile(r"#\s*(BEGIN|END)\s+(SOLUTION|HIDDEN\s+TEST)", re.IGNORECASE)
_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a token of GitHub": re.compile(r"gh[pousr]_[A-Za-z0-9]{36}"),
    "a fine-grained token of GitHub": re.compile(r"github_pat_\w{40}"),
    "a token of Hugging Face": re.compile(r"hf_[A-Za-z0-9]{30}"),
    "a key of AWS": re.compile(r"A[KS]IA[A-Z0-9]{16}\b"),
    "a key of Google": re.compile(r"AIza[\w-]{35}"),
    "a token of Slack": re.compile(r"xox[abprs]-[\w-]{10}"),
    "a password in an address": re.compile(r"://[^\s/:@\"'{}<>]+:[^\s/:@\"'{}<>]+@"),
}
_HOMES = (
    re.compile(r"/(?<![\w.:/<]/)(home|Users)/[\w.-]+/"),
    re.compile(r":\\Users\\\w+"),
)
#: A folder at the top, or one of these, may be on any machine: only a path below it tells of this.
_COMMON = {"/var/tmp", "/usr/local"}  # noqa: S108


def lint(
    folder: Path, lessons: Sequence[Lesson], assignments: Sequence[Assignment], secret: str = ""
) -> list[str]:
    """Everything that is wrong with a release, one sentence each; nothing when it may go out.

    Args:
        folder: the release.
        lessons: all lessons of the course, released or not: none of their regions may be found.
            Their sources are read anew, by `reread`.
        assignments: what is released.
        secret: what hidden inputs are drawn from, if there is one yet.
    """
    sources = {lesson.name: read_source(lesson.path) for lesson in lessons}
    cells = [cell for source in sources.values() for cell in source]
    secrets = Secrets(cells, _protected(cells, assignments))
    found = list(_vacuous(secrets, assignments))
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    machine = _machine(folder)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        found += [f"{name}: {complaint}" for complaint in _lint_file(path, name, secrets, machine)]
        if secret and path.is_file() and secret.encode() in path.read_bytes():
            found.append(f"{name}: holds the secret that hidden inputs are drawn from")
    found += _lint_notebooks(folder, assignments, sources)
    found += _lint_readme(folder, assignments)
    size = sum(path.lstat().st_size for path in paths)
    if size > MOST_ALL:
        found.append(f"the release has {size:,} bytes; at most {MOST_ALL:,} are sensible")
    return found


def _protected(cells: Sequence[SourceCell], assignments: Sequence[Assignment]) -> list[Region]:
    """The regions that must not be found: all but the solutions that are given.

    What one assignment gives and another grades stays protected.
    """
    given = {(a.lesson.name, name) for a in assignments for name in a.given}
    graded = {(a.lesson.name, e.name) for a in assignments for e in a.exercises}
    return [
        region
        for cell in cells
        for region in cell.regions
        if region.hidden or (region.lesson, region.cell) not in given - graded
    ]


def _vacuous(secrets: Secrets, assignments: Sequence[Assignment]) -> Iterator[str]:
    """Complaints when there is nothing to look for: then finding nothing proves nothing."""
    if not assignments:
        yield "nothing is released"
    if not any(not region.hidden for region in secrets.searched):
        yield "no solution was looked for; the linter was given no lesson with one"
    known = {(r.lesson, r.cell) for r in secrets.regions if not r.hidden}
    for assignment in assignments:
        for exercise in assignment.exercises:
            if (assignment.lesson.name, exercise.name) not in known:
                yield (
                    f"{assignment.name}: the solution of {exercise.name} was not looked for; the "
                    f"linter was not given {assignment.lesson.name}"
                )


def _lint_file(path: Path, name: str, secrets: Secrets, machine: set[str]) -> Iterator[str]:
    if path.is_symlink():
        yield "is a link, which may lead anywhere; put the file itself"
        return
    if not path.is_file():
        yield "is no file"
        return
    yield from _lint_name(name)
    content = path.read_bytes()
    weights = name.startswith("coursekit/weights/") and name.endswith(".safetensors")
    most = MOST_WEIGHTS if weights else MOST_FILE
    if len(content) > most:
        yield f"has {len(content):,} bytes; at most {most:,} are sensible"
        return
    library = False
    if name.startswith("coursekit/"):
        original = Path(coursekit.__file__).parent / name.removeprefix("coursekit/")
        library = original.is_file() and original.read_bytes() == content
        if not library:
            yield "is not what the package has"
        elif weights:
            return  # numbers, byte for byte the package's
    text = content.decode("utf-8", errors="replace")
    code = [text] if name.endswith(".py") else []
    if name.endswith(".ipynb"):
        text, code = _of_notebook(text)
    yield from secrets.find(text, code, library=library)
    if not library and (marker := _MARKER.search(text)):
        yield f"holds a region's marker: {marker.group()!r}"
    for kind, pattern in _SECRETS.items():
        if pattern.search(text):
            yield f"holds {kind}"
    yield from _lint_paths(text, machine, library=library)


def _lint_paths(text: str, machine: set[str], *, library: bool) -> Iterator[str]:
    for place in sorted(place for place in machine if place in text):
        common = place in _COMMON or len(Path(place).parts) <= 2
        if common and library:
            continue  # a path that the package means on every machine
        after = r"[/\\]\w" if common else r"(?!\w)"
        if re.search(rf"(?<![\w.-]){re.escape(place)}{after}", text):
            yield f"holds a path of the machine that made it: {place}"
    for pattern in _HOMES if not library else ():
        if home := pattern.search(text):
            yield f"holds a path into somebody's home: {home.group()!r}"


def _lint_name(name: str) -> Iterator[str]:
    parts = Path(name).parts
    if len(parts) > 1 and parts[0] not in _FOLDERS:
        yield f"lies in {parts[0]}/, which no release has"
    if any(p.startswith(".") for p in parts[:-1] if p != PRISTINE) or "__pycache__" in parts:
        yield "lies in a hidden folder or a cache"
    if name.endswith(".py") and parts[0] != "coursekit":
        yield "is a program outside of the package (a lesson's source?)"
    weights = parts[:2] == ("coursekit", "weights") and name.endswith(".safetensors")
    if Path(name).suffix not in _KINDS and parts[-1] not in _NAMES and not weights:
        yield "is of a kind that no release has (a cache, a checkpoint, an archive, a secret?)"
    if re.search(r"secret|credential|course\.toml", parts[-1], re.IGNORECASE):
        yield "has the name of something that is the instructor's"


def _of_notebook(text: str) -> tuple[str, list[str]]:
    """All texts of a notebook, wherever they stand in it, and the code."""
    try:
        notebook = json.loads(text)
    except ValueError:
        return text, []
    texts: list[str] = []
    stack: list[Any] = [notebook]
    while stack:
        value = stack.pop()
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, list):
            if value and all(isinstance(line, str) for line in value):
                texts.append("".join(value))
            stack += value
        elif isinstance(value, dict):
            stack += [*value.keys(), *value.values()]
    cells = notebook.get("cells", []) if isinstance(notebook, dict) else []
    code = [
        "".join(c.get("source", ""))
        for c in cells
        if isinstance(c, dict) and c.get("cell_type") == "code"
    ]
    return "\0".join(texts), code


def _machine(folder: Path) -> set[str]:
    """Paths that tell on which machine and where a release was made."""
    package = Path(coursekit.__file__).parent.parent
    places = [Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path(sys.prefix), package]
    places += [folder, folder.parent.parent]
    return {str(p) for place in places for p in (place, place.resolve())} - {"/", "/usr"}


def _lint_notebooks(
    folder: Path, assignments: Sequence[Assignment], sources: Mapping[str, Sequence[SourceCell]]
) -> Iterator[str]:
    wanted = {f"{place}/{a.name}.ipynb" for a in assignments for place in ("notebooks", PRISTINE)}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.ipynb")}
    for name in sorted(there - wanted):
        yield f"{name}: is the notebook of no assignment"
    for name in sorted(wanted - there):
        yield f"{name}: is missing"
    for assignment in assignments:
        name = f"notebooks/{assignment.name}.ipynb"
        if name not in there:
            continue
        content = (folder / name).read_bytes()
        pristine = folder / PRISTINE / f"{assignment.name}.ipynb"
        if pristine.is_file() and pristine.read_bytes() != content:
            yield f"{PRISTINE}/{assignment.name}.ipynb: differs from {name}"
        try:
            notebook = json.loads(content)
            source = sources.get(assignment.lesson.name, ())
            complaints = list(lint_notebook(notebook, assignment, source))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            complaints = [f"is no notebook ({type(error).__name__}: {error})"]
        yield from (f"{name}: {complaint}" for complaint in complaints)


def _lint_readme(folder: Path, assignments: Sequence[Assignment]) -> Iterator[str]:
    path = folder / "README.md"
    text = path.read_text("utf-8") if path.is_file() else ""
    rows = set(re.findall(r"\| ([\w-]+) \| (\d+) \|", text))
    for assignment in assignments:
        for exercise in assignment.exercises:
            if (exercise.name, str(assignment.worth(exercise))) not in rows:
                yield f"README.md: does not say what {exercise.name} of {assignment.name} is worth"
