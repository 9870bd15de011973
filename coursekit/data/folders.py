"""What lies in a folder of pictures: what is read, what only looks like it, and what is nothing.

Every command lists its pictures here and compares their names here, so that none takes a file that
another leaves out, and nothing that looks like a picture is left out without being named.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")

#: Endings of the pictures that are read, in whatever case.
IMAGE_SUFFIXES = frozenset({
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jp2",
    ".avif", ".ppm", ".pgm", ".tga",
})  # fmt: skip
#: Endings of pictures and arrays that are not: such a file is named, wherever pictures are listed.
OTHER_SUFFIXES = frozenset({
    ".heic", ".heif", ".hif", ".jxl", ".jxr", ".j2k", ".jpx", ".apng", ".svg", ".psd", ".xcf",
    ".ico", ".pcx", ".pbm", ".pnm", ".exr", ".hdr", ".dng", ".raw", ".cr2", ".cr3", ".nef", ".arw",
    ".orf", ".rw2", ".raf", ".pef", ".npy", ".npz", ".mat",
})  # fmt: skip

# What systems leave in folders without being asked; hidden files ("._1.jpg") are theirs too.
_JUNK = frozenset({
    "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "icon\r",
})  # fmt: skip

# How the content of a picture begins, whatever its name says.
_MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|II\*\0|MM\0\*|BM.{4}\0\0\0\0|"
    rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1|avif)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Folder:
    """What lies directly in a folder.

    Attributes:
        pictures: the files that are read, sorted by name.
        folders: folders in it, links to some included; junk is not.
        left_out: for each file that looks like a picture and is not read: the reason.
    """

    pictures: tuple[Path, ...]
    folders: tuple[Path, ...]
    left_out: Mapping[Path, str]


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key that puts 2 before 10 and leaves other text in its order."""
    parts = re.split(r"([0-9]+)", name)
    # Endless digits stay text: int() of them is slow, then an error.
    key = ((0, int(p), "") if p.isdecimal() and len(p) < 99 else (1, 0, p) for p in parts if p)
    return tuple(key), name


def same_name(name: str) -> str:
    """A name in the one form in which names are compared: é may be written in one letter or two."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def matched(files: Mapping[str, T], names: Iterable[str]) -> dict[str, T]:
    """Files by the name that each belongs to.

    A file that belongs to none is taken for the one name that differs from its own in case alone,
    if no other file is; otherwise it keeps its name.

    Args:
        files: by stem, as `same_name` gives it.
        names: the same of what they belong to.
    """
    free: dict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(names):
        if name not in files:
            free[name.casefold()].append(name)
    there = set(names)
    odd: dict[str, list[str]] = defaultdict(list)
    for stem in files:
        if stem not in there:
            odd[stem.casefold()].append(stem)
    meant = {
        stems[0]: free[key][0]
        for key, stems in odd.items()
        if len(stems) == 1 and len(free.get(key, ())) == 1
    }
    return {meant.get(stem, stem): file for stem, file in files.items()}


def is_junk(name: str) -> bool:
    """Whether an operating system left a file or folder there, or hides it."""
    return name.startswith(".") or name.lower() in _JUNK


def not_read_as(suffix: str) -> str:
    """Why a file with one of `OTHER_SUFFIXES` is not read."""
    return f"{suffix} is not read; save it as JPEG or PNG"


def look(folder: Path) -> Folder:
    """List a folder; only files without a picture's ending are looked into.

    Raises:
        CourseError: when it cannot be listed.
    """
    pictures: list[Path] = []
    folders: list[Path] = []
    left_out: dict[Path, str] = {}
    try:
        with os.scandir(folder) as found:
            entries = sorted((e for e in found if not is_junk(e.name)), key=attrgetter("name"))
    except OSError as error:
        raise CourseError(
            f"{folder}: cannot be listed ({error.strerror or error}); make it readable"
        ) from error
    for entry in entries:
        path = folder / entry.name
        suffix = path.suffix.lower()
        if _is(entry, "is_dir"):
            folders.append(path)
        elif not _is(entry, "is_file"):
            if suffix in IMAGE_SUFFIXES | OTHER_SUFFIXES:
                left_out[path] = "is no file, or a link to none; copy the picture there"
        elif suffix in IMAGE_SUFFIXES:
            pictures.append(path)
        elif suffix in OTHER_SUFFIXES:
            left_out[path] = not_read_as(suffix)
        elif _is_picture(path):
            left_out[path] = f"holds a picture, and no picture's name ends in {suffix!r}; rename it"
    return Folder(tuple(pictures), tuple(folders), left_out)


def look_flat(folder: Path) -> Folder:
    """As `look`, where folders are not read: those that hold pictures are left out as well."""
    found = look(folder)
    left_out = dict(found.left_out)
    for inner in found.folders:
        try:
            there = look(inner)
        except CourseError as error:
            left_out[inner] = str(error).removeprefix(f"{inner}: ")
            continue
        count = len(there.pictures) + len(there.left_out)
        if count:
            plural = "s" if count > 1 else ""
            left_out[inner] = f"is a folder with {count} picture{plural}; move up what is in it"
    return Folder(found.pictures, found.folders, left_out)


def _is(entry: os.DirEntry[str], what: str) -> bool:
    try:
        return bool(getattr(entry, what)())
    except OSError:  # links in a circle
        return False


def _is_picture(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _MAGIC.match(file.read(32)) is not None
    except OSError:
        return False
