"""Which of the folders and zips beside others hold a class of a few, put together by hand.

A class of five shows by itself (`platforms`). Two folders may also be one student's, `old` and
`new`: so few are a class only where names speak for it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from os.path import commonprefix
from typing import TYPE_CHECKING

from coursekit.grading.submissions.platforms import (
    MANY,
    is_counted,
    lesson_of,
    names_lesson,
    person_in,
    platform_owner,
    stem_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What instructors call a folder of students; Finder calls several things at once `Archive`.
_CLASS = re.compile(
    r"(?:(?:my|our|the|whole|rest of(?: the)?)[ _-])?(?:class|course|section|week|lesson|assignment"
    r"|homework|hw|exercise|sheet|lab|submission|submitted|handin|archive?|archivo|download|other)"
    r"e?s?[ _-]*(?:\d+|[a-z])?(?:[ _-]+\(?\d+\)?)?",
    re.IGNORECASE,
)
#: What students call their own folders.
_OWN = re.compile(
    r"(?:my[ _-]?)?(?:old(?:er)?|new(?:er)?|final|last|latest|first|second|backup|draft|copy"
    r"|version|tr(?:y|ies|ial)|attempt|solutions?|solved|answers?|work|working|notebooks?|sources?|src"
    r"|code|data|images?|outputs?|results?|tests?|submission|exercises?|homework"
    r"|(?:new|untitled) folder|unet|deep.*|fast.*|seg.*|model.*)(?:[ _-].*)?",
    re.IGNORECASE,
)


def classes_in(found: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, int]:
    """The tops that hold a class and not one student's work, as far as all of them show.

    Args:
        found: of all that lies below a path, which class it is in ("" for none) and its path.

    Returns:
        By their names how many folders are around the students in each: 0 or 1.
    """
    tops: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    beside_class = False
    for source, parts in found:
        beside_class |= bool(source)
        if not source and len(parts) > 1 and parts[-1]:
            tops[parts[0]].append(parts[1:])
    classes = {}
    for top, paths in tops.items():
        around = _around(top, paths)
        people = _people([path[around:] for path in paths])
        if (
            people
            and not platform_owner(top)
            and (_names_class(top) or people >= MANY or (beside_class and people > 1))
        ):
            classes[top] = around
    return classes


def may_be_class(paths: Iterable[tuple[str, ...]]) -> bool:
    """Whether files below a folder may be several students', by their paths in it."""
    return _people(list(paths)) > 1


def _around(top: str, paths: list[tuple[str, ...]]) -> int:
    """1 where all lies in one folder that is no student's: it is called as what it is in."""
    folders = {path[0] for path in paths}
    inner = {path[1] for path in paths if len(path) > 2}
    if len(folders) > 1 or any(len(path) < 3 for path in paths):
        return 0
    (name,) = folders
    same = stem_of(name).casefold() == stem_of(top).casefold()
    return int(same or _names_class(name) or len(inner) > 1)


def _people(paths: list[tuple[str, ...]]) -> int:
    """How many students' folders or notebooks these are; 0 where they are none, or one student's.

    Files beside the folders count only where they are called by a student and a lesson.
    """
    lessons: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        notebook = bool(path) and path[-1].lower().endswith(".ipynb")
        if len(path) > 1 or notebook:
            whose = path[0] if len(path) > 1 else person_in(path[0])
            lessons[whose] |= {lesson_of(path[-1])} if notebook else set()
    own = _without_common_start(list(lessons))
    if any(map(_names_no_one, own)) or "" in own:
        return 0
    often = Counter(lesson for some in lessons.values() for lesson in some)
    most = max(often.values(), default=0)
    return len(lessons) if 2 * most >= len(lessons) and most >= min(2, len(lessons)) else 0


def _without_common_start(folders: list[str]) -> list[str]:
    """Of week1-ann and week1-bob, as GitHub Classroom calls them, ann and bob."""
    start = commonprefix(folders) if len(folders) > 1 else ""  # noqa: RUF071  (of characters)
    start = re.sub(r"[^ _-]*$", "", start)
    own = [folder[len(start) :] for folder in folders]
    copies = any(a != b and b.startswith(a) for a in own for b in own)  # unet, unet-Copy1
    dates = not any(c.isalpha() for one in own for c in one)
    return folders if copies or dates else own


def _names_class(name: str) -> bool:
    return names_lesson(name) or bool(_CLASS.fullmatch(stem_of(name)))


def _names_no_one(name: str) -> bool:
    if platform_owner(name):
        return False
    return (
        is_counted(name)
        or names_lesson(name)
        or bool(_OWN.fullmatch(name) or _CLASS.fullmatch(name))
    )
