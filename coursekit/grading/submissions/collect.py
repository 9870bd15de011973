"""What a class handed in: folders, zips and notebooks, with a student's name for each.

Everything here is a stranger's. Nothing is unpacked to disk, no link is followed, every file is
read up to a limit, and whatever is wrong with one student's files becomes a sentence about them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.grading.records import HandedIn
from coursekit.grading.submissions.find import Found, clean, find

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<rest>.*)", re.I)
_CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<number>\d{3,})_(?P<other>\d{4,})_(?P<rest>.+)"
)
_LESSON = re.compile(
    r"(?:(?P<name>.+)[_\-. ]+)?\d\d[_-][a-z][a-z0-9_-]*( ?\(\d+\)|-Copy\d+)*", re.I
)
_LONGEST_NAME = 300


@dataclass(frozen=True)
class _Owner:
    """Whose a file is, as far as its path says.

    Attributes:
        key: what two files of one student share, as it was written.
        name: to show.
        number: that a learning platform gives the student; "" without one.
        late: whether the platform says so.
    """

    key: str
    name: str
    number: str = ""
    late: bool = False


def collect(path: Path) -> list[HandedIn]:
    """The submissions of a class, in an order that depends on their names alone.

    Args:
        path: a folder with a folder, zip or notebook for each student, such as Moodle, Canvas
            or nbgrader give; a zip of one; or one notebook.

    Returns:
        One for each notebook; for a student without one that can be read, one with the reason.

    Raises:
        CourseError: when there is no such path, or it holds nothing that could be a submission.
    """
    try:
        path.lstat()
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{path}: there is no such file or folder, or it cannot be reached; name what was "
            "handed in"
        ) from error
    by_owner = _by_owner(path, find(path))
    if not by_owner:
        raise CourseError(
            f"{path}: holds no submissions; name a folder or zip that holds a folder, a zip or a "
            "notebook (.ipynb) for each student"
        )
    names = _unique_names(by_owner)
    made: list[HandedIn] = []
    for owner, files in by_owner.items():
        name, note = names[owner.key]
        notes = [note] if note else []
        if owner.late:
            notes.append("Canvas says that it came late.")
        made += _of_student(name, files, notes)
    return sorted(_with_unique_paths(made), key=lambda s: (s.student.casefold(), s.student, s.name))


# --- whose it is ---


def _by_owner(path: Path, found: Iterable[Found]) -> dict[_Owner, list[Found]]:
    owners: dict[str, _Owner] = {}
    grouped: dict[str, list[Found]] = defaultdict(list)
    for file in found:
        owner = _owner(file, path)
        if owner is None:
            continue
        known = owners.setdefault(owner.key, owner)
        if owner.late and not known.late:
            owners[owner.key] = replace(known, late=True)
        grouped[owner.key].append(file)
    return {owners[key]: grouped[key] for key in sorted(grouped)}


def _owner(file: Found, path: Path) -> _Owner | None:
    """Whose a file is; None for one beside the students' that is nobody's."""
    top = file.parts[0]
    if len(file.parts) == 1 and not (file.is_notebook or file.problem):
        return None
    stem = _stem(top)
    if len(stem) > _LONGEST_NAME:  # no file system has it, and patterns could take long
        return _Owner(stem, stem)
    if path.is_file() and (lesson := _LESSON.fullmatch(stem)) and not lesson["name"]:
        stem = _stem(path.name)  # alice.zip holds nothing but 02_unet.ipynb
    for platform in (_MOODLE, _CANVAS):
        if found := platform.fullmatch(stem):
            name, number, late = found["name"], found["number"], "late" in found.groupdict()
            return _Owner(f"{name}\0{number}", name, number, late and bool(found["late"]))
    lesson = _LESSON.fullmatch(stem)
    name = (lesson["name"] if lesson else None) or stem
    return _Owner(name, name)


def _stem(name: str) -> str:
    return re.sub(
        r"(?:\.ipynb)?(?:\.(?:zip|ipynb|json|txt|rar|7z|tar|gz|tgz))?$", "", name, flags=re.I
    )


def _unique_names(owners: Iterable[_Owner]) -> dict[str, tuple[str, str]]:
    """A name for each owner's key that no other has, nor has but for case; and a note on it."""
    names: dict[str, tuple[str, str]] = {}
    taken: set[str] = set()
    shown = {owner.key: clean(owner.name) or "no name" for owner in owners}
    often = Counter(map(_folded, shown.values()))
    # Who has a name for themselves keeps it.
    for owner in sorted(owners, key=lambda o: (often[_folded(shown[o.key])] > 1, o.key)):
        name = wanted = shown[owner.key]
        if often[_folded(wanted)] > 1 and owner.number:
            name = f"{wanted} ({owner.number})"
        count = 1
        while _folded(name) in taken:
            count += 1
            name = f"{wanted} ({count})"
        taken.add(_folded(name))
        note = ""
        if name != wanted:
            note = f"Another student is called {wanted!r}, too, or nearly so: this one is {name!r}."
        elif often[_folded(wanted)] > 1:
            note = (
                f"Another student is called {wanted!r}, too, or nearly so; they got another name."
            )
        elif wanted != owner.name:
            note = "Characters of the student's name that could not be shown were left out."
        names[owner.key] = name, note
    return names


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


# --- what a student handed in ---


def _of_student(name: str, files: list[Found], notes: list[str]) -> list[HandedIn]:
    files = sorted(files, key=lambda f: f.parts)
    notebooks = [f for f in files if f.is_notebook]
    troubles = [f"{_shown(f)} {f.problem}" for f in files if f.problem and not f.is_notebook]
    if not any(f.content is not None for f in notebooks):
        troubles = [f"{_shown(f)} {f.problem}" for f in notebooks] + troubles
        problem = "; ".join(troubles[:5]) or _nothing(files)
        shown = _shown(notebooks[0]) if notebooks else clean(files[0].parts[0])
        return [HandedIn(name, shown, None, problem, tuple(dict.fromkeys(notes)))]
    made: list[HandedIn] = []
    seen: dict[bytes, int] = {}
    notes += [f"Of the rest, {trouble}." for trouble in troubles[:5]]
    for file in notebooks:
        digest = hashlib.sha256(file.content or b"").digest()
        if file.content is not None and digest in seen:
            first = made[seen[digest]]
            note = f"Handed in again, the same, as {_shown(file)}."
            made[seen[digest]] = replace(first, notes=(*first.notes, note))
            continue
        if file.content is not None:
            seen[digest] = len(made)
        made.append(
            HandedIn(name, _shown(file), file.content, file.problem, tuple(dict.fromkeys(notes)))
        )
    return made


def _nothing(files: list[Found]) -> str:
    others = sorted({clean(f.parts[-1]) for f in files if f.is_other})
    if not others:
        return "nothing was handed in: the folder is empty"
    shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    return f"no notebook (.ipynb) was handed in, only {shown}"


def _shown(file: Found) -> str:
    return "/".join(clean(part) or "…" for part in file.parts if part)


def _with_unique_paths(made: Iterable[HandedIn]) -> list[HandedIn]:
    seen: set[str] = set()
    unique: list[HandedIn] = []
    for submission in made:
        name, count = submission.name, 1
        while name in seen:
            count += 1
            name = f"{submission.name} ({count})"
        seen.add(name)
        unique.append(replace(submission, name=name))
    return unique
