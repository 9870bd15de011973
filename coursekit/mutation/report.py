"""Mutation testing of a lesson's checks: do both halves notice every bug, and let right ones pass?

What is tried on each exercise: the stub and the mistakes that the author wrote down, which both
halves must refuse; the solution and the author's other right answers, which both must let pass; the
course's own part, which both must let pass and grading must know (`coursekit.parts`); and the
solution with planted bugs (`coursekit.mutation.mutants`). A bug that changes nothing that the
exercise asks for is listed by hand, with a reason, and counted apart. Nothing may come between the
halves, pass the public one and fail the hidden one: a student who sees all ticks would lose points.
A bug that has to is listed by hand, too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from coursekit.checks import NOT_WRITTEN
from coursekit.checks.borrowing import BORROWED
from coursekit.mutation.answers import Answers, gaps
from coursekit.mutation.mutants import Mutant, plant
from coursekit.mutation.trial import SECONDS, Trial, Tried, try_answers
from coursekit.parts import PARTS, borrowing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coursekit.lessons.source import Exercise, Lesson

#: Share of the bugs that the hidden halves, and the public ones, must notice.
LEAST_SCORE = 0.95


@dataclass
class Tally:
    """What was found about the checks of one exercise.

    Attributes:
        exercise: its name.
        mutants: bugs planted, without equivalent ones.
        public: of them, noticed by the public half.
        hidden: of them, noticed by the hidden half.
        equivalent: planted bugs that are listed as none.
        hidden_only: bugs between the halves that are listed as such.
        survivors: a line for each bug that a half let pass.
        between: a line for each bug and each wrong answer that passes the public half and fails the
            hidden one, and is not listed.
        problems: a line for everything else that is not as it should be.
    """

    exercise: str
    mutants: int = 0
    public: int = 0
    hidden: int = 0
    equivalent: int = 0
    hidden_only: int = 0
    survivors: list[str] = field(default_factory=list)
    between: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Case:
    """A trial, and what to make of how it went."""

    trial: Trial
    judge: Callable[[Tried], None]


def examine(
    lesson: Lesson,
    answers: Answers,
    *,
    mutants: bool = True,
    workers: int | None = None,
    seconds: float = SECONDS,
    step: Callable[[int], None] = lambda total: None,
) -> list[Tally]:
    """Try everything on the checks of a lesson.

    Args:
        lesson: whose checks to try.
        answers: the author's.
        mutants: whether to plant bugs, too; without them it takes seconds.
        workers: how many to try at a time.
        seconds: of processor time for each half of the checks.
        step: called after each trial with the number of all.

    Returns:
        One for each exercise, in order.

    Raises:
        CourseError: when a cell of the lesson fails, or a hidden half is not in order.
    """
    tallies = [Tally(e.name) for e in lesson.exercises]
    cases: list[_Case] = []
    for exercise, tally in zip(lesson.exercises, tallies, strict=True):
        cases += _answers(lesson, exercise, answers, tally)
        if mutants:
            cases += _mutants(exercise, answers, tally)
    tried: dict[int, Tried] = {}
    for number, how in try_answers(lesson, [c.trial for c in cases], workers, seconds):
        tried[number] = how
        step(len(cases))
    for number, case in enumerate(cases):
        case.judge(tried[number])
    for problem in gaps(lesson, answers):
        next((t for t in tallies if problem.startswith(f"{t.exercise}:")), tallies[0]).problems += [
            problem
        ]
    return tallies


def score(tallies: list[Tally], half: str) -> float:
    """Share of the planted bugs that a half ("public" or "hidden") noticed."""
    planted = sum(t.mutants for t in tallies)
    return sum(int(getattr(t, half)) for t in tallies) / planted if planted else 1.0


def _answers(lesson: Lesson, exercise: Exercise, answers: Answers, tally: Tally) -> Iterator[_Case]:
    """The stub, the solution, and what the author wrote down."""
    name = exercise.name
    stub = next(c.source for c in lesson.student() if c.id == name)
    solution = next(c.source for c in lesson.solved() if c.id == name)
    yield _Case(Trial(name, stub, right=False), partial(_judge_stub, tally))
    for number, code in enumerate([solution, *answers.right.get(name, [])]):
        what = f"right answer {number}" if number else "the solution"
        yield _Case(Trial(name, code, right=True), partial(_judge_right, tally, what))
    if name in PARTS.get(lesson.name[3:], {}):
        borrowed = Trial(name, borrowing(lesson.name, name), right=True)
        yield _Case(borrowed, partial(_judge_borrowed, tally))
    for number, (code, words) in enumerate(answers.wrong.get(name, []), 1):
        what = f"wrong answer {number}"
        trial = Trial(name, code, right=False, words=words)
        yield _Case(trial, partial(_judge_wrong, tally, what, words))


def _mutants(exercise: Exercise, answers: Answers, tally: Tally) -> Iterator[_Case]:
    equivalent, hidden_only = (
        Counter((line, change) for line, change, _ in listed.get(exercise.name, []))
        for listed in (answers.equivalent, answers.hidden_only)
    )
    for mutant in plant(exercise):
        name = mutant.line, mutant.change
        trial = Trial(exercise.name, mutant.code, right=name in equivalent)
        if name in equivalent:
            equivalent[name] = 0
            tally.equivalent += 1
            what = f"listed as equivalent: {_told(mutant)}"
            yield _Case(trial, partial(_judge_right, tally, what))
        else:
            yield _Case(trial, partial(_judge_mutant, tally, mutant, name in hidden_only))
            if name in hidden_only:
                hidden_only[name] = 0
    for listed, what in ((equivalent, "the equivalent ones"), (hidden_only, "HIDDEN_ONLY")):
        for (line, change), left in listed.items():
            if left:
                tally.problems.append(f"{exercise.name}: no planted bug is {line}: {change}; take "
                                      f"it off {what}")  # fmt: skip


def _judge_stub(tally: Tally, how: Tried) -> None:
    unwritten = how.public.kind == "NotImplementedError"
    if not unwritten or not how.public.message.startswith(NOT_WRITTEN):
        tally.problems.append(f"{tally.exercise}: the stub gives {_ended(how)}, not "
                              f"{NOT_WRITTEN!r}")  # fmt: skip
    if how.passed_hidden:
        tally.problems.append(f"{tally.exercise}: the hidden half lets the stub pass")


def _judge_right(tally: Tally, what: str, how: Tried) -> None:
    if not how.passed_public:
        tally.problems.append(f"{tally.exercise}: {what} gives {_ended(how)}")
    # What only calls the package's own is as right, and brings no points.
    if how.hidden.kind != "passed" or set(how.reasons) - {BORROWED}:
        why = how.reasons or (f"{how.hidden.kind}: {how.hidden.message}",)
        tally.problems.append(f"{tally.exercise}: {what} fails the hidden half: {'; '.join(why)}")


def _judge_borrowed(tally: Tally, how: Tried) -> None:
    if not how.passed_public or how.hidden.kind != "passed":
        half = how.hidden if how.passed_public else how.public
        tally.problems.append(f"{tally.exercise}: the course's own part gives {half.kind}: "
                              f"{half.message}")  # fmt: skip
    elif how.reasons != (BORROWED,):
        tally.problems.append(f"{tally.exercise}: of the course's own part grading says: "
                              f"{'; '.join(how.reasons) or 'right'}")  # fmt: skip


def _judge_wrong(tally: Tally, what: str, words: str, how: Tried) -> None:
    ending = how.public
    if ending.kind != "CheckFailed":
        tally.problems.append(f"{tally.exercise}: {what} gives {_ended(how)}")
    elif ending.exercise != tally.exercise:
        tally.problems.append(f"{tally.exercise}: {what} fails {ending.exercise}")
    elif words.lower() not in ending.message.lower():
        tally.problems.append(f"{tally.exercise}: {what}: {words!r} is not in {ending.message!r}")
    if how.passed_hidden:
        tally.problems.append(f"{tally.exercise}: the hidden half lets {what} pass")
    elif how.passed_public:
        tally.between.append(what)


def _judge_mutant(tally: Tally, mutant: Mutant, hidden_only: bool, how: Tried) -> None:
    between = how.passed_public and not how.passed_hidden
    if hidden_only and not between:
        tally.problems.append(f"{tally.exercise}: listed in HIDDEN_ONLY, and is not between the "
                              f"halves: {_told(mutant)}")  # fmt: skip
    tally.hidden_only += hidden_only
    if between and not hidden_only:
        tally.between.append(_told(mutant))
    tally.mutants += 1
    tally.public += not how.passed_public
    tally.hidden += not how.passed_hidden
    halves = [
        half
        for half, passed in (("public", how.passed_public), ("hidden", how.passed_hidden))
        if passed
    ]
    if halves:
        tally.survivors.append(f"{' and '.join(halves)}: {_told(mutant)}")


def _told(mutant: Mutant) -> str:
    return f"[{mutant.operator}] {mutant.line}: {mutant.change}"


def _ended(how: Tried) -> str:
    if how.passed_public:
        return "no error"
    return f"{how.public.kind}: {how.public.message}"


def as_text(lesson: str, tallies: list[Tally]) -> str:
    """The table of a lesson, and a line for each survivor and problem."""
    rows: list[tuple[str, ...]] = [
        ("exercise", "bugs", "public", "hidden", "between", "equivalent")
    ]  # fmt: skip
    for t in tallies:
        counts = t.mutants, t.public, t.hidden, len(t.between), t.equivalent
        rows.append((t.exercise, *map(str, counts)))
    width = max(len(row[0]) for row in rows)
    lines = [lesson]
    lines += [f"  {row[0]:<{width}}" + "".join(f"{cell:>12}" for cell in row[1:]) for row in rows]
    for tally in tallies:
        lines += [f"  ! {problem}" for problem in tally.problems]
        lines += [f"  ~ {tally.exercise}, not noticed by {line}" for line in tally.survivors]
        lines += [
            f"  ! {tally.exercise}, between the halves: {line}; let the public half notice it, or "
            "list it in HIDDEN_ONLY with a reason"
            for line in tally.between
        ]
    return "\n".join(lines)


def as_data(tallies: list[Tally]) -> list[dict[str, Any]]:
    """The same as plain data."""
    return [vars(tally) for tally in tallies]
