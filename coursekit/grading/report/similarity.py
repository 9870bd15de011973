"""Answers that are more alike than the class makes likely: something to read, not a verdict.

An exercise of five lines has few good answers, so honest ones are alike, and a detector that takes
names and comments out finds hundreds of "copies". Here it is the other way round: what is common
proves nothing, and only what is rare counts.

Of each answer we look at what its writer chose: names, words of comments, how each line is built
(`words.read`). Whatever the lesson itself says, in stub, solution, hints or anywhere else, counts
nothing. The rest counts by how rare it is in the class: what two of 500 share, 9 bits; what a
fifth shares, nothing. Two students' bits are added up over all exercises, and the pair is reported
when they are more than chance gives the most alike pair of such a class, by a wide margin.

What this can tell: that two texts agree in what nearly nobody else wrote. What it cannot tell: who
wrote first; whether they worked together as they may; whether both had it from a third place,
such as a forum or a language model; that an answer is honest. Who rewrites a copy with care, or
changes all names of one short answer, is not seen. In a class of ten little is rare, so
less is seen there, and chance is less well known.

Why no library: copydetect 0.5.0 (winnowing as in MOSS; last release in March 2024) replaces names
and drops comments, so it calls all answers of one build the same; knows no class; and compares each
pair at 0.3 ms, minutes for 500 students. MOSS itself is a service that answers would be sent to.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

from coursekit.checks.borrowing import borrows
from coursekit.grading.report.words import Choices, phrases, read, tidied, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from coursekit.grading.records import Grade
    from coursekit.lessons.course import Assignment
    from coursekit.lessons.source import Lesson

    Pair = tuple[str, str]

# Bits that a pair needs beyond those of the luckiest pair. If choices were independent, 18 were a
# chance of 1 in 260,000; they are not: the margin is there for what goes together honestly.
_MARGIN = 18.0
# A small class says little of what is rare outside of it; so as if ten more had written otherwise.
_OTHERS = 10
# Words of one sentence come together, and lines of one idea: each further one counts less.
_PHRASE = 0.5
# A text that more than a few share is reported only with this many phrases of their own in it:
# code may be the natural answer to all of them, a long remark is not.
_REMARK = 8
_LINES = 2  # an exercise in which fewer lines agree, and nothing else, is not mentioned
_NAMES, _PHRASES, _BUILDS = range(3)


@dataclass(frozen=True)
class Match:
    """How two answers to one exercise agree. Names and lines are students' text: untrusted.

    Attributes:
        assignment: its name.
        exercise: its name.
        kind: "identical" (character for character, but for spaces at line ends), "wording" (rare
            names and remarks) or "structure" (lines that are built alike, under other names).
        names: rare names in both.
        remarks: how many rare phrases (two words) of comments and strings are in both.
        builds: how many rare builds of a line are in both.
        lines: some lines that stand in both and not in the lesson, longest first.
    """

    assignment: str
    exercise: str
    kind: str
    names: tuple[str, ...]
    remarks: int
    builds: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Likeness:
    """Students whose answers are unusually alike.

    Attributes:
        students: two or more, in alphabetical order.
        bits: of the most alike pair among them, beyond what was needed; for sorting only.
        matches: of that pair, by exercise.
    """

    students: tuple[str, ...]
    bits: float
    matches: tuple[Match, ...]


@dataclass(frozen=True)
class _Said:
    """What a lesson says itself: it is nobody's choice."""

    chosen: tuple[frozenset[str], frozenset[str], frozenset[str]]  # names, phrases, builds
    lines: frozenset[str]


@dataclass(frozen=True)
class _Exercise:
    """The answers to one exercise, and what is rare in them."""

    assignment: str
    name: str
    texts: dict[str, str]
    said: _Said
    # For names, phrases and builds: who has it and how many bits it is, of each rare choice.
    rare: tuple[dict[str, tuple[list[str], float]], ...]


def compare(grades: Iterable[Grade], assignments: Sequence[Assignment]) -> list[Likeness]:
    """Compare the answers of all students.

    Args:
        grades: with the answers as they were found.
        assignments: with their lessons.

    Returns:
        What stands out, the most alike first.
    """
    answers: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    is_borrowed = cache(borrows)  # half a class may hand in one text
    for grade in sorted(grades, key=lambda g: g.student):
        for answer in grade.answers:
            given = answer.source if answer.status == "found" else None
            if given and not is_borrowed(given, answer.exercise):  # who borrows has the same text
                text = tidied(given)
                answers[grade.assignment, answer.exercise][grade.student] = text
    exercises = []
    for assignment in assignments:
        said = _said(assignment.lesson)
        for exercise in assignment.exercises:
            texts = answers.get((assignment.name, exercise.name), {})
            exercises.append(_look(assignment.name, exercise.name, texts, said))
    findings = _findings(exercises)
    shown = {student for finding in findings for student in finding.students}
    findings += (f for e in exercises for f in _widely_shared(e) if not shown >= {*f.students})
    return sorted(findings, key=lambda f: (-f.bits, f.students))


def few(number: int) -> int:
    """How many of a class may share something that still counts as rare."""
    return max(2, min(number // 5, 10 + number // 50))


def _look(assignment: str, name: str, texts: dict[str, str], said: _Said) -> _Exercise:
    """Find what is rare in the answers to an exercise."""
    by_text = {text: _kinds(read(text)) for text in set(texts.values())}
    most = few(len(texts))
    rare = []
    for kind, known in enumerate(said.chosen):
        holders: dict[str, list[str]] = defaultdict(list)
        for student, text in texts.items():
            for choice in by_text[text][kind]:
                holders[choice].append(student)
        rare.append(
            {
                choice: (students, _bits(len(students), len(texts)))
                for choice, students in holders.items()
                if 2 <= len(students) <= most and choice not in known
            }
        )
    return _Exercise(assignment, name, texts, said, tuple(rare))


def _kinds(choices: Choices) -> tuple[tuple[str, ...], ...]:
    return choices.names, choices.phrases, choices.builds


def _bits(holders: int, number: int) -> float:
    """How much it says that two of a class share a choice, from how the others chose."""
    return math.log2((number - 2 + _OTHERS) / (holders - 2 + 1))


def _findings(exercises: Sequence[_Exercise]) -> list[Likeness]:
    number = len({student for e in exercises for student in e.texts})
    needed = math.log2(max(1, number * (number - 1) // 2)) + _MARGIN
    total: dict[Pair, float] = defaultdict(float)
    for exercise in exercises:
        for pair, bits in _agreements(exercise).items():
            total[pair] += sum(bits)
    alike = {pair: bits for pair, bits in total.items() if bits >= needed}
    found = []
    for students, pairs in _groups(alike):
        pair = max(pairs, key=lambda p: (alike[p], p))
        matches = [match for e in exercises if (match := _match(e, pair))]
        found.append(Likeness(students, alike[pair] - needed, tuple(matches)))
    return found


def _agreements(exercise: _Exercise) -> dict[Pair, list[float]]:
    """Bits that pairs share in names, phrases and builds.

    A choice that is rare makes no more pairs than a few students do, so this stays small.
    """
    shared: dict[Pair, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    places: dict[Pair, int] = defaultdict(int)
    for kind, choices in enumerate(exercise.rare):
        for students, bits in sorted(choices.values(), key=lambda c: (-c[1], c[0])):
            for pair in combinations(students, 2):
                if kind == _BUILDS:
                    places[pair] += 1
                    shared[pair][kind] += bits / places[pair]
                else:
                    shared[pair][kind] += bits * (_PHRASE if kind == _PHRASES else 1)
    return shared


def _groups(pairs: Iterable[Pair]) -> list[tuple[tuple[str, ...], list[Pair]]]:
    """Students joined where pairs have one in common, and the pairs of each group."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for a, b in pairs:
        neighbours[a].add(b)
        neighbours[b].add(a)
    groups: list[tuple[tuple[str, ...], list[Pair]]] = []
    left = dict.fromkeys(sorted(neighbours))
    while left:
        group: set[str] = set()
        todo = [next(iter(left))]
        while todo:
            student = todo.pop()
            if student not in group:
                group.add(student)
                todo += neighbours[student]
        for student in group:
            del left[student]
        own = [(a, b) for a in sorted(group) for b in neighbours[a] if a < b]
        groups.append((tuple(sorted(group)), own))
    return groups


def _match(exercise: _Exercise, pair: Pair) -> Match | None:
    """How two students agree in an exercise; None when in next to nothing that is rare."""
    if not exercise.texts.keys() >= {*pair}:
        return None
    both = [
        [(choice, bits) for choice, (students, bits) in kind.items() if {*pair} <= {*students}]
        for kind in exercise.rare
    ]
    if not (both[_NAMES] or both[_PHRASES] or len(both[_BUILDS]) >= _LINES):
        return None
    names, phrased, builds = (sum(bits for _, bits in choices) for choices in both)
    mine, yours = (exercise.texts[student] for student in pair)
    kind = "wording" if names + _PHRASE * phrased >= builds / 2 else "structure"
    return Match(
        exercise.assignment, exercise.name, "identical" if mine == yours else kind,
        tuple(name for name, _ in both[_NAMES]), len(both[_PHRASES]), len(both[_BUILDS]),
        _common_lines((mine, yours), exercise.said),
    )  # fmt: skip


def _widely_shared(exercise: _Exercise) -> Iterator[Likeness]:
    """Texts that more than a few handed in, with a remark in them that is not the lesson's."""
    by_text: dict[str, list[str]] = defaultdict(list)
    for student, text in exercise.texts.items():
        by_text[text].append(student)
    for text, students in by_text.items():
        if len(students) <= few(len(exercise.texts)):
            continue
        remarks = [p for p in read(text).phrases if p not in exercise.said.chosen[_PHRASES]]
        if len(remarks) >= _REMARK:
            match = Match(
                exercise.assignment, exercise.name, "identical", (), len(remarks), 0,
                _common_lines((text,), exercise.said),
            )  # fmt: skip
            yield Likeness(tuple(students), float(len(remarks)), (match,))


def _said(lesson: Lesson) -> _Said:
    texts = list(_lesson_texts(lesson))
    return _Said(
        (
            frozenset(name for text in texts for name in re.findall(r"\w+", text)),
            # A string of one word, such as "adam", is a phrase, too.
            frozenset(phrase for text in texts for phrase in (*phrases(text), *words(text))),
            frozenset(build for text in texts for build in read(text).builds),
        ),
        frozenset(line.strip() for text in texts for line in text.splitlines()),
    )


def _lesson_texts(lesson: Lesson) -> Iterator[str]:
    """All that a student could take from the lesson, and its solutions, which many will find."""
    for cells in (lesson.student(), lesson.solved()):
        for cell in cells:
            yield tidied(cell.source)
    for cell in lesson.cells:
        if cell.kind == "markdown":
            yield from re.findall(r"`([^`\n]+)`", cell.source)  # code in prose, as in hints


def _common_lines(texts: Sequence[str], said: _Said) -> tuple[str, ...]:
    sets = [{line.strip() for line in text.splitlines()} - said.lines for text in texts]
    common = set.intersection(*sets)
    return tuple(sorted((c for c in common if len(c) > 9), key=lambda c: (-len(c), c))[:4])
