"""What an instructor should look at: grades that may say more of the tools than of the student."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from coursekit.grading.records import Grade
    from coursekit.grading.report.book import Book

NOT_GRADED = "Not graded at all"
#: An assignment that fewer than this share of a class handed in counts for all the others, too.
_FEW = 0.1


@dataclass(frozen=True)
class Item:
    """One thing to look at; its text may be a stranger's."""

    student: str
    assignment: str
    where: str
    what: str


@dataclass(frozen=True)
class Group:
    """Things of one kind.

    Attributes:
        title: what they are.
        meaning: what to do about them.
        items: by student.
    """

    title: str
    meaning: str
    items: tuple[Item, ...]


def of_class(book: Book) -> list[Group]:
    """All that there is to look at in a class, the gravest first; no empty groups."""
    graded = {student for student, own in book.grades.items() if own}
    lost = [Item(g.student, "", *of) for g in book.strays for of in _problem(g)]
    alone = tuple(item for item in lost if item.student not in graded)
    beside = tuple(item for item in lost if item.student in graded)
    found = groups(book.all_grades())
    if found and found[0].title == NOT_GRADED:
        alone += found.pop(0).items
    few = tuple(
        Item("", a.name, "", f"{len(book.of(a))} of {len(book.students)} students handed it in")
        for a in book.assignments
        if a.due is None
        and a.name not in book.early
        and 0 < len(book.of(a)) < _FEW * len(book.students)
    )
    first = [
        Group(NOT_GRADED, "Nothing could be run; all points are missing.", alone),
        Group("Files left aside", "Beside others of these students, which were graded.", beside),
        Group("Handed in by few", "It counts for all others, as 0. If it is too early for that: a "
              "due date in course.toml, or --assignment with those that count.", few),
    ]  # fmt: skip
    return [group for group in first if group.items] + found


def groups(grades: Sequence[Grade]) -> list[Group]:
    """All that there is to look at in grades, the gravest first; no empty groups."""
    kinds: list[tuple[str, str, Callable[[Grade], Iterable[tuple[str, str]]]]] = [
        (NOT_GRADED, "Nothing could be run; all points are missing.", _problem),
        ("Answers not found",
         "Nothing in the notebook says that it is the answer: was the function renamed?",
         _status("missing")),
        ("Answers that are not Python", "", _status("unreadable")),
        ("Recovered answers",
         "Graded, though found in an unusual way or odd: is it what the student meant?",
         _recovered),
        ("Too slow", "An endless loop, or a machine that was busy.", _ended("timeout")),
        ("Ended the kernel", "Out of memory, a crash, or on purpose.", _ended("dead")),
        ("Printed without end", "", _ended("flooded")),
        ("Notes of the grader", "Runs that were repeated, limits that were met.", _notes),
        ("No sandbox", "Their code could do whatever you can on this machine.", _isolation),
    ]  # fmt: skip
    made = [
        Group(title, meaning, tuple(
            Item(grade.student, grade.assignment, where, what)
            for grade in grades for where, what in finds(grade)
        ))
        for title, meaning, finds in kinds
    ]  # fmt: skip
    return [group for group in made if group.items]


def _problem(grade: Grade) -> Iterable[tuple[str, str]]:
    named = grade.problem.startswith(grade.submission)  # then it need not be said twice
    return [("" if named else grade.submission, grade.problem)] if grade.problem else []


def _status(status: str) -> Callable[[Grade], Iterable[tuple[str, str]]]:
    def finds(grade: Grade) -> Iterable[tuple[str, str]]:
        if grade.problem:  # said already, once for all exercises
            return []
        return [(a.exercise, "; ".join(a.notes)) for a in grade.answers if a.status == status]

    return finds


def _ended(status: str) -> Callable[[Grade], Iterable[tuple[str, str]]]:
    def finds(grade: Grade) -> Iterable[tuple[str, str]]:
        return [(c.check, "; ".join(c.reasons)) for c in grade.checks if c.status == status]

    return finds


def _recovered(grade: Grade) -> Iterable[tuple[str, str]]:
    return [
        (a.exercise, "; ".join(a.notes) or f"found by its {a.found_by}")
        for a in grade.answers
        if a.status == "found" and (a.notes or a.found_by not in ("id", "metadata"))
    ]


def _notes(grade: Grade) -> Iterable[tuple[str, str]]:
    return [("", note) for note in grade.notes]


def _isolation(grade: Grade) -> Iterable[tuple[str, str]]:
    return [("", "ran without a sandbox")] if grade.isolation == "none" else []
