"""The course as a whole: its lessons in order, what each builds on, what each costs.

`lessons.toml`, in the folder with source/, is the one list of the lessons::

    [[lesson]]
    name = "02_unet"
    short = "U-Net"                      # its name in links
    builds = "the network, its loss"     # what a student builds in it
    after = ["01"]                       # lessons that it builds on
    place = [2, 1]                       # row and column on the map
    research = false                     # whether it belongs to the longer course alone

    [[lesson.papers]]
    title = "U-Net: Convolutional Networks for Biomedical Image Segmentation"
    by = "Ronneberger et al., 2015"
    url = "https://arxiv.org/abs/1505.04597"

`measured.json` beside it holds what the machine needed when each lesson was last built. Without the
list, lessons stand for themselves.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.lessons.source import read_lesson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from coursekit.lessons.source import Exercise, Lesson

LIST, RECORD = "lessons.toml", "measured.json"
#: Words of a lesson's text that a student reads in a minute: with equations, pictures and code
#: between them, and in many a reader's second language.
WORDS_A_MINUTE = 80
#: Nobody reads these lines but who borrows, and then writes nothing.
_BORROW = re.compile(r"<details><summary>Borrow it</summary>.*?</details>", re.DOTALL)
#: A record changes when a figure has moved by more than this: seconds, megabytes.
STEPS = (10, 100)

_KEYS = {"name", "short", "builds", "after", "place", "research", "papers"}


class Cost(NamedTuple):
    """What executing a lesson on the quick tier takes: seconds of one core, peak megabytes."""

    seconds: float
    megabytes: float

    def rounded(self) -> Cost:
        """Both, rounded up to whole steps."""
        seconds, megabytes = (
            step * math.ceil(n / step) for n, step in zip(self, STEPS, strict=True)
        )
        return Cost(seconds, megabytes)


class Paper(NamedTuple):
    """Where an idea was published."""

    title: str
    by: str
    url: str


@dataclass(frozen=True)
class Entry:
    """A lesson on the list; see the module for its fields."""

    name: str
    short: str
    builds: str = ""
    after: tuple[str, ...] = ()
    place: tuple[int, int] | None = None
    research: bool = False
    papers: tuple[Paper, ...] = ()

    @property
    def number(self) -> str:
        """Such as "02"."""
        return self.name[:2]


@dataclass(frozen=True)
class Outline:
    """The lessons of a folder.

    Attributes:
        entries: those on the list, in order.
        lessons: each as its source has it, by name.
        measured: what each needed when it was last executed, by name.
    """

    entries: tuple[Entry, ...] = ()
    lessons: Mapping[str, Lesson] = field(default_factory=dict)
    measured: Mapping[str, Cost] = field(default_factory=dict)

    @cached_property
    def by_number(self) -> dict[str, Entry]:
        """The entries by their first two digits."""
        return {entry.number: entry for entry in self.entries}

    def minutes(self, name: str) -> tuple[int, int]:
        """Minutes of reading and of exercises that a lesson takes a student, as estimated."""
        lesson = self.lessons[name]
        texts = (_BORROW.sub("", c.source) for c in lesson.cells if c.kind == "markdown")
        words = sum(len(text.split()) for text in texts)
        return round(words / WORDS_A_MINUTE), sum(effort(e) for e in lesson.exercises)

    def neighbours(self, name: str) -> tuple[Entry | None, Entry | None]:
        """The lesson before and the one after."""
        names = [entry.name for entry in self.entries]
        if name not in names:
            return None, None
        at = names.index(name)
        before = self.entries[at - 1] if at else None
        return before, self.entries[at + 1] if at + 1 < len(names) else None


def effort(exercise: Exercise) -> int:
    """Minutes of an exercise, 0 where nobody has estimated them."""
    return exercise.answer.minutes or 0


def hours(minutes: float) -> str:
    """Minutes as a reader wants them: quarters of an hour, from one hour on half hours."""
    if minutes < 52:
        return f"{'¼½¾'[max(1, round(minutes / 15)) - 1]} hour"
    halves = round(minutes / 30)
    whole = f"{halves // 2}{'½' if halves % 2 else ''}"
    return f"{whole} hour{'s' * (halves != 2)}"


def read_outline(notebooks_dir: str | Path) -> Outline:
    """The outline of the lessons in a folder; an empty one without a list.

    Args:
        notebooks_dir: the folder with source/ and lessons.toml.

    Raises:
        CourseError: for a list, a record or a source that is not in order.
    """
    folder = Path(notebooks_dir)
    path = folder / LIST
    if not path.is_file():
        return Outline()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = tuple(_entry(table) for table in content["lesson"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path}: is no list of lessons ({error}); see {__name__}") from error
    _check(path, folder, entries)
    lessons = {e.name: read_lesson(folder / "source" / f"{e.name}.py") for e in entries}
    return Outline(entries, lessons, read_record(folder))


def _entry(table: dict[str, Any]) -> Entry:
    if unknown := set(table) - _KEYS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    papers = tuple(Paper(**paper) for paper in table.pop("papers", ()))
    if "place" in table:
        row, column = table.pop("place")
        table["place"] = (int(row), int(column))
    return Entry(**{**table, "after": tuple(table.get("after", ()))}, papers=papers)


def _check(path: Path, folder: Path, entries: tuple[Entry, ...]) -> None:
    sources = {source.stem for source in (folder / "source").glob("*.py")}
    if odd := sources ^ {entry.name for entry in entries}:
        raise CourseError(
            f"{path}: {', '.join(sorted(odd))}: stands in the list or in source/, but not in both; "
            "give each lesson an entry [[lesson]]"
        )
    seen: set[str] = set()
    for entry in entries:
        if strange := [number for number in entry.after if number not in seen]:
            raise CourseError(
                f"{path}: {entry.name} comes after {', '.join(strange)}, which no entry above it "
                'is; give the two digits of an earlier lesson, after = ["01"]'
            )
        if wrong := [p.url for p in entry.papers if not re.match(r"https://\S+$", p.url)]:
            raise CourseError(
                f"{path}: {entry.name}: {wrong[0]} is no address; begin with https://"
            )
        seen.add(entry.number)


def read_record(notebooks_dir: Path) -> dict[str, Cost]:
    """What each lesson needed when it was last built, by name; nothing without a record.

    Raises:
        CourseError: for a record that is not in order.
    """
    path = notebooks_dir / RECORD
    if not path.is_file():
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return {name: Cost(row["seconds"], row["megabytes"]) for name, row in rows.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path}: is no record of what lessons need ({error}); delete it and run `make build`"
        ) from error


def keep_record(notebooks_dir: Path, name: str, cost: Cost) -> bool:
    """Note what a lesson needed, where that has moved by more than a step.

    Returns:
        Whether the record has changed.
    """
    path = notebooks_dir / RECORD
    known = read_record(notebooks_dir)
    old = known.get(name)
    if old and all(
        o - 2 * step < new <= o + step for o, new, step in zip(old, cost, STEPS, strict=True)
    ):
        return False
    known[name] = cost.rounded()
    rows = {n: c._asdict() for n, c in sorted(known.items())}
    write_text(path, json.dumps(rows, indent=1) + "\n")
    return True
