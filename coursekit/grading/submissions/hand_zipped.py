"""Which of the folders and zips beside others hold a class of a few, put together by hand.

A class of five shows by itself (`platforms`). Two folders may also be one student's, `old` and
`new`: so few are a class only where names speak for it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from coursekit.grading.submissions.platforms import (
    is_counted,
    lesson_of,
    names_lesson,
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
            and (_names_class(top) or (beside_class and people > 1))
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
    """How many students' folders these are; 0 where they are none, or one student's own."""
    lessons: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        if len(path) < 2 or _names_no_one(path[0]):
            return 0
        lessons[path[0]] |= {lesson_of(path[-1])} if path[-1].lower().endswith(".ipynb") else set()
    often = Counter(lesson for some in lessons.values() for lesson in some)
    most = max(often.values(), default=0)
    return len(lessons) if 2 * most >= len(lessons) and most >= min(2, len(lessons)) else 0


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
