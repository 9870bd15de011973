"""Whose a file is, by the names that learning platforms give to what they hand out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    #: What is in a folder or zip by its name: of a folder the notebooks right in it, else None.
    Inside = Mapping[str, Collection[str] | None]

# What follows the platform's own words a student has chosen, and may look like them.
# Ann Lee_1234567_assignsubmission_file_/02_unet.ipynb
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+_?(?P<rest>.*)", re.I)
# leeann_LATE_4711_815123_02_unet-1.ipynb, leeann_4711_text.html; anon_x7Bq2_815123_02_unet.ipynb
_CANVAS = re.compile(
    r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<number>\d{3,})_(?:\d{4,}_(?P<rest>.+)|(?:text|link)\.html)"
)
_CANVAS_ANONYMOUS = re.compile(r"(?P<name>anon_[^\W_]{5})(?P<late>_LATE)?_\d{4,}_(?P<rest>.+)")
# gradebook_COURSE_COLUMN_alee_attempt_2026-10-12-11-22-33_02_unet.ipynb, and one .txt an attempt
_BLACKBOARD = re.compile(
    r"(?:.*?_)??(?P<name>[^_]+)_attempt_\d{4}(?:-\d\d){5}(?:_(?P<rest>.*))?", re.I | re.DOTALL
)
_ATTEMPT = re.compile(r"_attempt_\d{4}(?:-\d\d){5}", re.I)
# 12345-67890 - Ann Lee - Oct 12, 2026 1122 AM/02_unet.ipynb: a user, a folder, a folder an attempt
_BRIGHTSPACE = re.compile(r"(?P<number>\d+)-\d+ ?- ?(?P<name>.+?) ?- ?(?P<date>[^-]*\d{4}.*)")
_LESSON = re.compile(
    r"(?:(?P<name>.+)[_\-. ]+)?(?P<lesson>\d\d[_-][a-z][a-z0-9_-]*?)( ?\(\d+\)|-Copy\d+)*", re.I
)
_ENDING = re.compile(r"(?:\.ipynb)?(?:\.(?:zip|ipynb|json|txt|rar|7z|tar|gz|tgz))?$", re.I)
#: week-2, 2026-10-12: what one student calls their own folders. Names for logging in, such as
#: s1234567, have longer numbers.
_COUNTED = re.compile(r"\D*\d{1,2}\D*|(?:.*\D)?(?:19|20)\d\d(?:\D.*)?")
_LONGEST_NAME = 300
#: Folders that hold the class, not a student.
_CLASS = {"submitted", "submissions", "submission", "handins", "class"}
#: So many folders, and nothing beside them, are a class, whatever is around them is called; also
#: beside students, when a notebook of one lesson is in so many, or in a third of them.
MANY = 5


@dataclass(frozen=True)
class Owner:
    """Whose a file is, as far as its name says.

    Attributes:
        key: what two files of one student share.
        name: to show.
        number: that a learning platform gives the student; "" without one.
        anew: whether that number is another one for each assignment.
        late: whether the platform says so.
        is_form: whether the file is the platform's own, and says only that something was handed in.
    """

    key: str
    name: str
    number: str = ""
    anew: bool = False
    late: bool = False
    is_form: bool = False


def platform_owner(name: str) -> Owner | None:
    """Whose a file or folder is that a platform named; None for other names."""
    stem = stem_of(name)
    if len(stem) > _LONGEST_NAME:  # no file system has it, and patterns could take long
        return None
    for platform in (_MOODLE, _CANVAS, _CANVAS_ANONYMOUS, _BLACKBOARD, _BRIGHTSPACE):
        if found := platform.fullmatch(stem):
            groups = found.groupdict()
            number, shown = groups.get("number", ""), groups["name"].strip()
            is_form = platform is _BLACKBOARD and groups["rest"] is None
            # Blackboard has names for logging in, each somebody's alone.
            key = f"{shown}\0{number}" if number else shown
            late, anew = bool(groups.get("late")), platform is _MOODLE
            return Owner(key, shown, number, anew, late, is_form)
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
    shown = (person_in(name) if lesson else "") or stem
    return Owner(shown, shown)


def person_in(name: str) -> str:
    """Whose a notebook is that is called by a name and a lesson; "" without a name."""
    stem = stem_of(name)
    lesson = _LESSON.fullmatch(stem) if len(stem) <= _LONGEST_NAME else None
    # Google's Classroom writes `Ann Lee - 02_unet`, and Drive `Copy of 02_unet`.
    said = re.sub(r"(?:^|[ _-]+)copy of$", "", (lesson and lesson["name"]) or "", flags=re.I)
    return said.rstrip(" _-.")


def login_of(name: str, form: bytes) -> dict[str, str]:
    """What Blackboard's form of an attempt says of names that begin like its own.

    Args:
        name: of the form.
        form: its beginning, `Name: Ann Lee (a_lee)`.

    Returns:
        By the names' common beginning, whose they are: a login may hold what parts logins from
        columns.
    """
    start = before_attempt(name)
    said = re.match(rb"\s*Name:[^\n]*\(([^()\s]+)\)", form)
    login = said[1].decode("utf-8", "replace") if said else ""
    return {start: login} if login and start.endswith(f"_{login}") else {}


def before_attempt(name: str) -> str:
    """What a name of Blackboard's says before its attempt; "" for other names."""
    start, *rest = _ATTEMPT.split(name, maxsplit=1)
    return start if rest else ""


def is_class_beside_students(top: str, inside: Inside) -> bool:
    """Whether what lies beside students is a class itself."""
    return platform_owner(top) is None and _is_class(inside)


def is_around_class(name: str, inside: Inside, parts: tuple[str, ...], root: str = "") -> bool:
    """Whether a folder that lies alone in another, or in a zip, is around a class.

    Args:
        name: of the folder.
        inside: what is in it.
        parts: where it lies: () on top, else in somebody's folder or zip beside others.
        root: of a zip, its name without the ending.
    """
    folders = [notebooks for notebooks in inside.values() if notebooks is not None]
    if parts:  # nbgrader's name alone: a student may well have a folder `submission`
        named = name.casefold() == "submitted" and len(folders) > 1
        return named or is_class_beside_students(parts[0], inside)
    only_folders = len(folders) == len(inside) >= MANY
    return name.casefold() in {*_CLASS, root.casefold()} or only_folders or _is_class(inside, 2)


def _is_class(inside: Inside, many: int = MANY) -> bool:
    """Whether a platform named most of what is in a folder, or many hold a notebook of one lesson.

    People call their files as they like: where there is nothing else beside many folders, a third
    of them is enough.
    """
    if 2 * sum(platform_owner(name) is not None for name in inside) > len(inside):
        return True
    people = {n: found for n, found in inside.items() if found is not None and not is_counted(n)}
    often = Counter(
        lesson for found in people.values() for lesson in {lesson_of(name) for name in found}
    )
    most = max(often.values(), default=0)
    only_folders = None not in inside.values() and MANY <= len(people) > len(inside) / 2
    return most >= many or (only_folders and most > 1 and 3 * most >= len(people))


def is_counted(name: str) -> bool:
    """Whether a folder is called by a number or a date, as one student's own are."""
    return bool(_COUNTED.fullmatch(name))


def lesson_of(name: str) -> str:
    """A notebook's name without its student's and what browsers add to a copy."""
    stem = stem_of(name)
    lesson = _LESSON.fullmatch(stem) if len(stem) <= _LONGEST_NAME else None
    return (lesson["lesson"] if lesson else stem).casefold()


def names_lesson(name: str) -> bool:
    """Whether a name is a lesson's, without anybody's."""
    stem = stem_of(name)
    lesson = _LESSON.fullmatch(stem) if len(stem) <= _LONGEST_NAME else None
    return bool(lesson and not lesson["name"])


def stem_of(name: str) -> str:
    """A name without its ending, in the form that is the same for every system.

    Finder may write an accent as a character of its own; it is the same name.
    """
    return _ENDING.sub("", unicodedata.normalize("NFC", name))
