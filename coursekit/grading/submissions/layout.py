"""How a class lies in folders and zips: which names say nothing, and where its students begin."""

from __future__ import annotations

import os
import re
import unicodedata
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit import zips
from coursekit.grading.submissions.platforms import is_around_class, is_class_beside_students

if TYPE_CHECKING:
    import zipfile

NOTEBOOK = re.compile(r".+\.ipynb(\.txt|\.json)?", re.IGNORECASE)
#: Blackboard's, of an attempt; a student's own file has the attempt's name before its own.
FORM = re.compile(r"(?:(?!_attempt_\d{4}-).)+_attempt_\d{4}(-\d\d){5}\.txt", re.IGNORECASE)
ARCHIVE = re.compile(r".+\.(rar|7z|tar|tgz|gz|bz2|xz)", re.IGNORECASE)
_NOISE = {
    "__macosx", "thumbs.db", "desktop.ini", "__pycache__", "site-packages", "node_modules",
}  # fmt: skip
_MOST_OF_ALL = 200_000  # files of a folder that are looked at
_ENOUGH = 100  # folders that show what is in the others, too
_LONGEST = 80  # characters of a stranger's text in a message


def clean(text: str) -> str:
    """A stranger's text on one line, without control, formatting and path characters."""
    text = unicodedata.normalize("NFC", text[: 20 * _LONGEST])
    shown = [" " if c in "/\\" or c.isspace() else c for c in text if _shows(c)]
    return " ".join("".join(shown).split())[:_LONGEST].strip(" .")


def _shows(character: str) -> bool:
    return character.isspace() or not unicodedata.category(character).startswith("C")


def is_noise(name: str) -> bool:
    """Hidden files and folders, and what editors and systems leave behind."""
    lowered = name.lower()
    return (
        name.startswith(".") or lowered in _NOISE or lowered.endswith("-checkpoint.ipynb")
    )  # fmt: skip


def matters(name: str) -> bool:
    is_zip = name.lower().endswith(".zip")
    return is_zip or any(kind.fullmatch(name) for kind in (NOTEBOOK, ARCHIVE, FORM))


def listed_in(path: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder and is no noise: files, and then folders."""
    with os.scandir(path) as entries:
        some = [e for e in islice(entries, _MOST_OF_ALL + 1) if not is_noise(e.name)]
    return sorted(some, key=lambda entry: (entry.is_dir(follow_symlinks=False), entry.name))


def around_class(listed: list[os.DirEntry[str]], parts: tuple[str, ...]) -> Path | None:
    """The only folder in a folder, if it is around a class."""
    if len(listed) != 1 or not listed[0].is_dir(follow_symlinks=False):
        return None
    inside = inside_each(listed_in(Path(listed[0].path)))
    return Path(listed[0].path) if is_around_class(listed[0].name, inside, parts) else None


def inside_each(listed: list[os.DirEntry[str]]) -> dict[str, list[str] | None]:
    """For each entry the notebooks right in it, None for a file."""
    inside: dict[str, list[str] | None] = {}
    for entry in listed:
        is_folder = entry.is_dir(follow_symlinks=False)
        names: list[str] | None = [] if is_folder else None
        inside[entry.name] = names
        if names is not None and len(inside) < _ENOUGH:
            with suppress(OSError):  # it is said when its turn comes
                names += [e.name for e in listed_in(Path(entry.path)) if NOTEBOOK.fullmatch(e.name)]
    return inside


def without_class_folder(
    entries: dict[tuple[str, ...], zipfile.ZipInfo], parts: tuple[str, ...], stem: str
) -> tuple[dict[tuple[str, ...], zipfile.ZipInfo], bool]:
    """Entries without folders around a whole class, and whether they are a class's."""
    if len(parts) > 1:
        return entries, False
    holds_class = not parts
    for _ in range(2):
        inside = _inside_zip(entries)
        if parts and is_class_beside_students(parts[0], inside):
            return entries, True
        below = {inner[1:]: info for inner, info in entries.items() if len(inner) > 1}
        top = next(iter(inside), "")
        alone = len(inside) == 1 and inside[top] is not None
        if not alone or not is_around_class(top, _inside_zip(below), parts, stem):
            break
        entries, holds_class = below, True
    return entries, holds_class


def _inside_zip(entries: dict[tuple[str, ...], zipfile.ZipInfo]) -> dict[str, list[str] | None]:
    """As `inside_each`, of a zip."""
    inside: dict[str, list[str] | None] = {}
    for inner, info in entries.items():
        known = inside.setdefault(inner[0], None) or []
        if len(inner) == 2 and NOTEBOOK.fullmatch(inner[1]):
            known.append(inner[1])
        inside[inner[0]] = known if len(inner) > 1 or info.is_dir() else inside[inner[0]]
    return inside


def inner_parts(info: zipfile.ZipInfo) -> tuple[str, ...] | None:
    """An entry's path; None for one that leads out of the zip."""
    if zips.name_problem(info.orig_filename) in ("absolute", "outside"):
        return None
    name = zips.entry_name(info)
    return tuple(part for part in re.split(r"[/\\]", name) if part not in ("", "."))
