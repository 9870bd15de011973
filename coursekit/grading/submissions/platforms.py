"""Whose a file is, by the names that learning platforms give to what they hand out."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# Ann Lee_1234567_assignsubmission_file_/02_unet.ipynb
_MOODLE = re.compile(r"(?P<name>.+)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<rest>.*)", re.I)
# leeann_LATE_4711_815123_02_unet-1.ipynb
_CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<number>\d{3,})_(?P<other>\d{4,})_(?P<rest>.+)"
)
# gradebook_COURSE_COLUMN_alee_attempt_2026-10-12-11-22-33_02_unet.ipynb, and one .txt an attempt
_BLACKBOARD = re.compile(
    r"(?:.*_)?(?P<name>[^_]+)_attempt_\d{4}(?:-\d\d){5}(?:_(?P<rest>.*))?", re.I | re.DOTALL
)
# 12345-67890 - Ann Lee - Oct 12, 2026 1122 AM/02_unet.ipynb: a user, a folder, a folder an attempt
_BRIGHTSPACE = re.compile(r"(?P<number>\d+)-\d+ ?- ?(?P<name>.+?) ?- ?(?P<date>[^-]*\d{4}.*)")
_LESSON = re.compile(
    r"(?:(?P<name>.+)[_\-. ]+)?\d\d[_-][a-z][a-z0-9_-]*( ?\(\d+\)|-Copy\d+)*", re.I
)
_ENDING = re.compile(r"(?:\.ipynb)?(?:\.(?:zip|ipynb|json|txt|rar|7z|tar|gz|tgz))?$", re.I)
_LONGEST_NAME = 300
#: Folders that hold the class, not a student.
_CLASS = {"submitted", "submissions", "submission", "handins", "class"}
#: A folder with nothing but so many folders is around a class, whatever it is called.
_SURELY_CLASS = 5


@dataclass(frozen=True)
class Owner:
    """Whose a file is, as far as its name says.

    Attributes:
        key: what two files of one student share.
        name: to show.
        number: that a learning platform gives the student; "" without one.
        late: whether the platform says so.
        is_form: whether the file is the platform's own, and says only that something was handed in.
    """

    key: str
    name: str
    number: str = ""
    late: bool = False
    is_form: bool = False


def platform_owner(name: str) -> Owner | None:
    """Whose a file or folder is that a platform named; None for other names."""
    stem = stem_of(name)
    if len(stem) > _LONGEST_NAME:  # no file system has it, and patterns could take long
        return None
    for platform in (_MOODLE, _CANVAS, _BLACKBOARD, _BRIGHTSPACE):
        if found := platform.fullmatch(stem):
            groups = found.groupdict()
            number, shown = groups.get("number", ""), groups["name"].strip()
            is_form = platform is _BLACKBOARD and groups["rest"] is None
            # Blackboard has names for logging in, each somebody's alone.
            key = f"{shown}\0{number}" if number else shown
            return Owner(key, shown, number, bool(groups.get("late")), is_form)
    return None


def owner_of(name: str, *, alone: str = "") -> Owner:
    """Whose a file or folder of a class is.

    Args:
        name: of the file or folder.
        alone: name of what it was found in, where it was handed in as all that there is: alice.zip
            may hold nothing but 02_unet.ipynb.
    """
    if found := platform_owner(name):
        return found
    stem = stem_of(name)
    lesson = _LESSON.fullmatch(stem) if len(stem) <= _LONGEST_NAME else None
    if alone and lesson and not lesson["name"]:
        return owner_of(alone)
    shown = (lesson["name"] if lesson else None) or stem
    return Owner(shown, shown)


def _is_class(names: Collection[str]) -> bool:
    """Whether most of what lies in a folder or zip has names that a platform gave it."""
    return 2 * sum(platform_owner(name) is not None for name in names) > len(names)


def is_class_beside_students(top: str, names: Collection[str]) -> bool:
    """Whether what lies beside students is a class itself: a platform named what is in it."""
    return platform_owner(top) is None and _is_class(names)


def is_around_class(
    name: str, inside: Collection[tuple[str, bool]], parts: tuple[str, ...], root: str = ""
) -> bool:
    """Whether a folder that lies alone in another, or in a zip, is around a class.

    Args:
        name: of the folder.
        inside: names of what is in it, and whether those are folders.
        parts: where it lies: () on top, else in somebody's folder or zip beside others.
        root: of a zip, its name without the ending.
    """
    if _is_class([inner for inner, _ in inside]):
        return not parts or platform_owner(parts[0]) is None
    if parts:  # nbgrader's alone: a student may well have a folder `submission`
        return name.casefold() == "submitted" and sum(is_dir for _, is_dir in inside) > 1
    only_folders = len(inside) >= _SURELY_CLASS and all(is_dir for _, is_dir in inside)
    return name.casefold() in {*_CLASS, root.casefold()} or only_folders


def stem_of(name: str) -> str:
    """A name without its ending, in the form that is the same for every system.

    Finder may write an accent as a character of its own; it is the same name.
    """
    return _ENDING.sub("", unicodedata.normalize("NFC", name))
