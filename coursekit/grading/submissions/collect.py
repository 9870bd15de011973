"""What a class handed in: folders, zips and notebooks, with a student's name for each.

Everything here is a stranger's. Nothing is unpacked to disk, no link is followed, every file is
read up to a limit, and whatever is wrong with one student's files becomes a sentence about them.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from coursekit.errors import CourseError
from coursekit.grading.records import HandedIn
from coursekit.grading.submissions.find import Found, find
from coursekit.grading.submissions.hand_zipped import may_be_class
from coursekit.grading.submissions.layout import clean
from coursekit.grading.submissions.platforms import (
    Owner,
    before_attempt,
    login_of,
    owner_of,
    platform_owner,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

#: A folder or zip with notebooks in this many folders may be a class of its own.
_MANY_FOLDERS = 5


def collect(*paths: Path) -> list[HandedIn]:
    """The submissions of a class, in an order that depends on their names alone.

    Args:
        paths: each a folder or zip with a folder, zip or notebook for each student, such as Moodle,
            Canvas, nbgrader, Blackboard or Brightspace give, or with several of these; a zip of one
            student; or one notebook.

    Returns:
        One for each notebook; for a student without one that can be read, one with the reason.

    Raises:
        CourseError: when there is no such path, or it holds nothing that could be a submission.
    """
    by_owner: dict[Owner, list[Found]] = {}
    for path in paths:
        for owner, files in _by_owner(path).items():
            within = (path.name,) if len(paths) > 1 else ()
            by_owner.setdefault(owner, []).extend(
                replace(
                    f, parts=(*within, *f.parts), source=f"{path if within else ''}\0{f.source}"
                )
                for f in files
            )
    by_owner = _joined(_numbered_once(by_owner))
    names = _unique_names(by_owner)
    made: list[HandedIn] = []
    for owner, files in by_owner.items():
        name, note = names[owner.key]
        notes = [note] if note else []
        if owner.late:
            notes.append("Canvas says that it came late.")
        notes += _of_others(files)
        notes += _many_folders([f for f in files if f.is_notebook], 2 if len(paths) > 1 else 1)
        made += _of_student(name, files, notes)
    return sorted(_with_unique_paths(made), key=lambda s: (s.student.casefold(), s.student, s.name))


# --- whose it is ---


def _by_owner(path: Path) -> dict[Owner, list[Found]]:
    try:
        path.lstat()
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{path}: there is no such file or folder, or it cannot be reached; name what was "
            "handed in"
        ) from error
    grouped: dict[Owner, list[Found]] = defaultdict(list)
    found = find(path)
    logins: dict[str, str] = {}
    for file in found:
        if file.content is not None and not file.is_notebook:
            logins |= login_of(file.parts[0], file.content)
    # A zip of one student may hold nothing but 02_unet.ipynb; one of repositories 02-unet-ann/.
    several = may_be_class(f.parts for f in found if f.is_notebook)
    alone = path.name if path.is_file() and not several else ""
    for file in found:
        top = file.parts[0]
        # A file beside the students' that no platform named is nobody's.
        if len(file.parts) > 1 or file.is_notebook or file.problem or platform_owner(top):
            owner = owner_of(top, alone=alone)
            login = logins.get(before_attempt(top))
            grouped[replace(owner, key=login, name=login) if login else owner].append(file)
    if not grouped:
        raise CourseError(
            f"{path}: holds no submissions; name a folder or zip that holds a folder, a zip or a "
            "notebook (.ipynb) for each student"
        )
    return grouped


def _numbered_once(owners: dict[Owner, list[Found]]) -> dict[Owner, list[Found]]:
    """The same with one number for each student.

    Moodle numbers people anew for each assignment: a name that no assignment has twice is one
    student's.
    """
    numbers: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for owner, files in owners.items():
        if owner.anew:
            numbers[owner.name] |= {(file.source, owner.number) for file in files}
    once: dict[Owner, list[Found]] = defaultdict(list)
    for owner, files in owners.items():
        found = numbers[owner.name] if owner.anew else set()
        if len(found) > 1 and len(found) == len({source for source, _ in found}):
            number = min(number for _, number in found)
            owner = replace(owner, key=f"{owner.name}\0{number}", number=number)
        once[owner] += files
    return once


def _joined(owners: dict[Owner, list[Found]]) -> dict[Owner, list[Found]]:
    """One owner for each key: it is late when something is."""
    by_key: dict[str, list[Owner]] = defaultdict(list)
    for owner in owners:
        by_key[owner.key].append(owner)
    return {
        replace(same[0], late=any(o.late for o in same)): [f for o in same for f in owners[o]]
        for _, same in sorted(by_key.items())
    }


def _unique_names(owners: Iterable[Owner]) -> dict[str, tuple[str, str]]:
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
        named = [*notebooks, *(f for f in files if f.problem)]
        shown = _shown((named or files)[0])
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
    own = [f for f in files if f.is_other and not owner_of(f.parts[-1]).is_form]
    others = sorted({clean(f.parts[-1]) for f in own})
    if not others:
        only_forms = any(f.is_other for f in files)
        return "nothing was handed in" + ("" if only_forms else ": the folder is empty")
    shown = ", ".join(others[:5]) + (" and more" if len(others) > 5 else "")
    return f"no notebook (.ipynb) was handed in, only {shown}"


def _of_others(files: list[Found]) -> list[str]:
    """A note where work of a student lies, too, in what another handed in, it may be."""
    sources = {file.source.rpartition("\0")[2] for file in files}
    return [
        f"Some of it is from {clean(source)}, which was read as a class of its own: is it theirs?"
        for source in sorted(sources - {""})
        if "" in sources
    ]


def _many_folders(notebooks: list[Found], depth: int) -> list[str]:
    """A note where one student's folder or zip, so deep below what was named, may be a class."""
    tops: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for file in notebooks:
        tops[file.parts[:depth]].append(file.parts[depth:])
    notes = []
    for top, paths in tops.items():
        while all(len(path) > 2 for path in paths) and len({path[0] for path in paths}) == 1:
            paths = [path[1:] for path in paths]
        few = may_be_class(paths)
        if platform_owner(top[-1]) or (any(len(path) < 2 for path in paths) and not few):
            continue
        folders = {path[0] for path in paths}
        if few or len(folders) >= _MANY_FOLDERS:
            notes.append(
                f"{clean(top[-1])} was taken for one student's, and has notebooks of "
                f"{len(folders)} folders or names: if it is a class, name it by itself to grade it."
            )
    return notes


def _shown(file: Found) -> str:
    several, _, source = file.source.rpartition("\0")
    first = 1 if several else 0
    parts = (*file.parts[:first], source, *file.parts[first:])
    return "/".join(clean(part) or "…" for part in parts if part)


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
