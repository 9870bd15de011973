"""What the grades of a class say, in numbers."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coursekit.grading.report.book import percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from coursekit.grading.records import Grade
    from coursekit.grading.report.book import Book
    from coursekit.lessons.course import Assignment

BINS = 10


@dataclass(frozen=True)
class Spread:
    """How scores are spread, in percent.

    Attributes:
        number: of scores.
        mean, median, lowest, highest: of them; 0 when there are none.
        bins: how many scores lie in each tenth; all points are in the last.
    """

    number: int
    mean: float
    median: float
    lowest: float
    highest: float
    bins: tuple[int, ...]


@dataclass(frozen=True)
class CheckSummary:
    """How a class did on one check.

    Attributes:
        check: its name.
        exercise: the exercise's name.
        points: what it is worth.
        number: of students.
        statuses: how many ended in each.
        discrimination: how passing goes with the rest of the assignment's points: the
            correlation, from -1 to 1; None where all passed or none did, or the rest is equal.
    """

    check: str
    exercise: str
    points: int
    number: int
    statuses: Mapping[str, int]
    discrimination: float | None

    @property
    def rate(self) -> float:
        """The share that passed, in percent."""
        return percent(self.statuses.get("passed", 0), self.number)


def spread(scores: Sequence[float]) -> Spread:
    """How scores in percent are spread."""
    if not scores:
        return Spread(0, 0.0, 0.0, 0.0, 0.0, (0,) * BINS)
    places = Counter(min(BINS - 1, int(score * BINS / 100 + 1e-9)) for score in scores)
    return Spread(
        len(scores), statistics.fmean(scores), statistics.median(scores), min(scores), max(scores),
        tuple(places[i] for i in range(BINS)),
    )  # fmt: skip


def of_assignment(book: Book, assignment: Assignment) -> Spread:
    """How the scores in one assignment are spread, over those who handed it in."""
    return spread([percent(g.earned, assignment.total) for g in book.of(assignment)])


def of_checks(book: Book, assignment: Assignment) -> list[CheckSummary]:
    """Each check of an assignment, in its order."""
    grades = book.of(assignment)
    return [
        _summary(check.id, exercise.name, assignment.points.get(check.id, 0), grades)
        for exercise in assignment.exercises
        for check in exercise.checks
    ]


def _summary(check: str, exercise: str, points: int, grades: Sequence[Grade]) -> CheckSummary:
    passed: list[float] = []
    rest: list[float] = []
    statuses: Counter[str] = Counter()
    for grade in grades:
        for result in grade.checks:
            if result.check == check:
                statuses[result.status] += 1
                passed.append(float(result.status == "passed"))
                rest.append(float(grade.earned - result.earned))
    return CheckSummary(
        check, exercise, points, len(passed), statuses, _correlation(passed, rest)
    )  # fmt: skip


def _correlation(x: Sequence[float], y: Sequence[float]) -> float | None:
    if len(set(x)) < 2 or len(set(y)) < 2:
        return None
    return statistics.correlation(x, y)
