"""A made-up class for lesson 00: every student writes in a way of their own, from a seed."""

from __future__ import annotations

import base64
import io
import random
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from coursekit.grading.records import STATUSES, Answer, CheckResult, Grade, PublicResult
from coursekit.lessons.course import Assignment, read_assignments

SOURCES = Path(__file__).parents[3] / "notebooks"

_NAMES = ["out", "result", "res", "ret", "picture", "arr", "new", "final", "output", "tmp", "y"]
_INDEX = ["c", "i", "k", "n", "cls", "idx", "number", "label", "class_id", "j"]
_REMARKS = [
    "", "", "", "", "# look it up", "# fancy indexing", "# one colour per class", "# simple",
    "# works for any shape", "# see the hint", "# count them", "# swap left and right",
]  # fmt: skip

# Ways to solve each exercise; the names in braces are drawn.
_PAINT = """
return palette[label_map]

{out} = palette[label_map]
return {out}

return np.take(palette, label_map, axis=0)

{out} = np.zeros((*label_map.shape, 3), dtype=np.uint8)
for {i} in range(len(palette)):
    {out}[label_map == {i}] = palette[{i}]
return {out}

{out} = np.zeros(label_map.shape + (3,), np.uint8)
for {i}, {j} in enumerate(palette):
    {out}[label_map == {i}] = {j}
return {out}

h, w = label_map.shape
{out} = np.zeros((h, w, 3), dtype=np.uint8)
for {i} in range(h):
    for {j} in range(w):
        {out}[{i}, {j}] = palette[label_map[{i}, {j}]]
return {out}
"""
_COUNT = """
known = label_map[label_map != 255]
return np.bincount(known, minlength=num_classes)

{out} = label_map[label_map != 255]
return np.bincount({out}, minlength=num_classes)

return np.bincount(label_map[label_map != 255].ravel(), minlength=num_classes)

return np.array([(label_map == {i}).sum() for {i} in range(num_classes)])

{out} = np.zeros(num_classes, dtype=int)
for {i} in range(num_classes):
    {out}[{i}] = np.sum(label_map == {i})
return {out}

{out} = []
for {i} in range(num_classes):
    {out}.append(int((label_map == {i}).sum()))
return np.array({out})

{out} = np.bincount(label_map.ravel(), minlength=256)
return {out}[:num_classes]
"""
_MIRROR = """
{out} = np.arange(256, dtype=np.uint8)
for a, b in pairs:
    {out}[a], {out}[b] = b, a
return image[:, ::-1].copy(), {out}[label_map[:, ::-1]]

{out} = label_map[:, ::-1].copy()
for {i}, {j} in pairs:
    left = {out} == {i}
    right = {out} == {j}
    {out}[left] = {j}
    {out}[right] = {i}
return image[:, ::-1].copy(), {out}

{out} = np.fliplr(label_map).copy()
{k} = {out}.copy()
for {i}, {j} in pairs:
    {out}[{k} == {i}] = {j}
    {out}[{k} == {j}] = {i}
return np.fliplr(image).copy(), {out}

{out} = label_map[:, ::-1]
for {i}, {j} in pairs:
    {out} = np.where({out} == {i}, {j}, np.where({out} == {j}, {i}, {out}))
return np.flip(image, 1).copy(), {out}.astype(np.uint8)
"""
WAYS = {
    "paint": ("def paint(label_map, palette):", _PAINT),
    "count-pixels": ("def count_pixels(label_map, num_classes):", _COUNT),
    "mirror": ("def mirror(image, label_map, pairs):", _MIRROR),
}
#: What somebody wrote who thinks aloud; nobody else in the class does.
UNUSUAL = (
    "def mirror(image, label_map, pairs):\n"
    "    # step one: turn both of them round, columns only, never the rows\n"
    "    turned_face = image[:, ::-1].copy()\n"
    "    turned_numbers = label_map[:, ::-1].copy()\n"
    "    keep_for_reading = turned_numbers.copy()  # because I overwrite the other\n"
    "    for one_side, other_side in pairs:\n"
    "        where_first = np.argwhere(keep_for_reading == one_side)\n"
    "        where_second = np.argwhere(keep_for_reading == other_side)\n"
    "        turned_numbers[where_first[:, 0], where_first[:, 1]] = other_side\n"
    "        turned_numbers[where_second[:, 0], where_second[:, 1]] = one_side\n"
    "    return turned_face, turned_numbers\n"
)


@cache
def assignment() -> Assignment:
    """Lesson 00, as a whole."""
    return read_assignments(SOURCES, ["00_welcome"])[0]


def honest_answer(exercise: str, rng: random.Random) -> str:
    """One of the ways to solve an exercise, in words chosen at random."""
    head, ways = WAYS[exercise]
    words = rng.sample(_NAMES, 1) + rng.sample(_INDEX, 3)
    body = rng.choice(ways.strip().split("\n\n")).format(
        **dict(zip(("out", "i", "j", "k"), words, strict=True))
    )
    lines = body.split("\n")
    remark = rng.choice(_REMARKS)
    if remark:
        place = rng.randrange(len(lines))
        indent = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        lines.insert(place, indent + remark)
    return "\n".join([head, *(f"    {line}" for line in lines)]) + "\n"


def honest_class(number: int, seed: int = 0) -> list[Grade]:
    """Grades of students who worked alone, all passed."""
    rng, given = random.Random(seed), assignment()
    return [
        grade_of(f"student-{i:03}", {e.name: honest_answer(e.name, rng) for e in given.exercises})
        for i in range(1, number + 1)
    ]


def grade_of(
    student: str, answers: dict[str, str], statuses: dict[str, str] | None = None
) -> Grade:
    """A grade with these answers; checks pass unless `statuses` says otherwise."""
    given = assignment()
    return Grade(
        student=student,
        submission=f"{student}.ipynb",
        assignment=given.name,
        digest="0" * 8,
        isolation="bubblewrap",
        answers=tuple(Answer(name, text, "id", "found") for name, text in answers.items()),
        checks=tuple(
            CheckResult(check.id, e.name, given.points[check.id],
                        (statuses or {}).get(check.id, "passed"))
            for e in given.exercises for check in e.checks
        ),
        seconds=1.5,
    )  # fmt: skip


def mixed_class(number: int, seed: int = 1) -> list[Grade]:
    """Grades with every status, notes, problems, retries, messages and pictures."""
    rng, given = random.Random(seed), assignment()
    return [_mixed(f"student-{i:03}", rng, given) for i in range(1, number + 1)]


def _mixed(student: str, rng: random.Random, given: Assignment) -> Grade:
    skill = rng.random()
    broken = rng.random() < 0.02
    answers, checks, public = [], [], []
    others = [s for s in STATUSES if s not in ("passed", "wrong", "error", "not-run")]
    for hard, exercise in enumerate(given.exercises):
        right = not broken and rng.random() < 0.35 + 0.75 * skill - 0.12 * hard
        wrong = rng.choice(["wrong"] * 6 + ["error"] * 3 + others)
        status = "not-run" if broken else "passed" if right else wrong
        answers.append(_answer(exercise.name, status, rng))
        for check in exercise.checks:
            reason = () if status == "passed" else (_REASONS.get(status, STATUSES[status]),)
            checks.append(
                CheckResult(check.id, exercise.name, given.points[check.id], status, reason)
            )
        if status in ("wrong", "error", "not-written"):
            pictures = (png(rng.randrange(8)),) if rng.random() < 0.3 else ()
            said = _MESSAGES[status].format(name=exercise.name)
            public.append(PublicResult(exercise.name, _PUBLIC[status], said, pictures))
    return Grade(
        student=student, submission=f"{student}/00_welcome.ipynb", assignment=given.name,
        digest="0" * 8, isolation="" if broken else "bubblewrap", answers=tuple(answers),
        checks=tuple(checks), public=tuple(public),
        problem="the notebook is not JSON: it ends at character 5120" if broken else "",
        notes=("run again without mirror: it took 30 s",) if rng.random() < 0.04 else (),
        seconds=round(rng.uniform(0.8, 4.0), 2),
    )  # fmt: skip


_REASONS = {
    "wrong": "a label map of another shape: 214 of 1,200 values differ from what the task asks",
    "error": "IndexError in your answer, with a palette of eleven colours",
}
_MESSAGES = {
    "wrong": "\x1b[31m✗ {name}\x1b[0m: these are brightnesses, not colours",
    "error": "---------------------------------------------------\n\x1b[0;31mIndexError\x1b[0m"
    "                 Traceback (most recent call last)\nCell \x1b[0;32mIn[4], line 9\x1b[0m\n"
    "IndexError: index 19 is out of bounds for axis 0 with size 19",
    "not-written": "… not written yet: {name}. Write it where its cell says YOUR CODE HERE",
}
_PUBLIC = {"wrong": "failed", "error": "error", "not-written": "not-written"}


def _answer(exercise: str, status: str, rng: random.Random) -> Answer:
    if status in ("missing", "not-run"):
        return Answer(exercise, None, "", "missing")
    if status == "unreadable":
        note = "line 3 is indented by a tab and spaces"
        return Answer(exercise, "def f(:\n", "id", "unreadable", (note,))
    if status == "not-written":
        return Answer(exercise, None, "id", "not-written")
    text = honest_answer(exercise, rng)
    if rng.random() < 0.08:
        note = "found by the name of its function, because the cell lost its id"
        return Answer(exercise, text, "definition", "found", (note,))
    return Answer(exercise, text, "id", "found")


def png(seed: int, size: tuple[int, int] = (320, 200)) -> str:
    """A picture in base64."""
    ramp = np.linspace(0, 255, size[0] * size[1] * 3).reshape(size[1], size[0], 3)
    file = io.BytesIO()
    Image.fromarray(((ramp * (seed + 1)) % 256).astype(np.uint8)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
