"""Answers that are alike: copies are found, honest classes are left alone."""

import dataclasses
import random
import re

import pytest

from coursekit.grading.records import Answer, Grade
from coursekit.grading.report import course_use
from coursekit.grading.report.similarity import Likeness, compare, few
from coursekit.grading.report.words import phrases, read, tidied
from coursekit.lessons.course import read_assignments
from tests.grading.report.made_class import (
    SOURCES,
    UNUSUAL,
    WAYS,
    assignment,
    grade_of,
    honest_answer,
    honest_class,
)
from tests.growth import grows_linearly

RENAMED = (
    ("turned_face", "img"), ("turned_numbers", "lab"), ("keep_for_reading", "orig"),
    ("one_side", "u"), ("other_side", "v"), ("where_first", "p"), ("where_second", "q"),
)  # fmt: skip


def found(grades: list[Grade]) -> list[Likeness]:
    return compare(grades, [assignment()])


def hand_in(grades: list[Grade], place: int, text: str, exercise: str = "mirror") -> None:
    """Put an answer in place of a student's own."""
    others = tuple(a for a in grades[place].answers if a.exercise != exercise)
    mine = (*others, Answer(exercise, text, "id", "found"))
    grades[place] = dataclasses.replace(grades[place], answers=mine)


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300])
@pytest.mark.parametrize("seed", [0, 1])
def test_an_honest_class_is_left_alone(number: int, seed: int) -> None:
    assert found(honest_class(number, 1000 * seed + number)) == []


@pytest.mark.parametrize("number", [2, 6, 30, 200])
def test_a_copy_is_found(number: int) -> None:
    grades = honest_class(number, 9)
    hand_in(grades, 0, UNUSUAL)
    hand_in(grades, number - 1, UNUSUAL.replace("\n", "  \n") + "\n\n")
    (finding,) = found(grades)
    assert finding.students == ("student-001", f"student-{number:03}")
    match = finding.matches[-1]
    assert (match.exercise, match.kind) == ("mirror", "identical")
    assert "keep_for_reading" in match.names and match.remarks > 8
    assert "# step one: turn both of them round, columns only, never the rows" in match.lines


def test_a_copy_without_remarks_and_with_changed_lines_is_found() -> None:
    text = re.sub(r" *#.*", "", UNUSUAL).replace("image[:, ::-1].copy()", "np.fliplr(image)")
    grades = honest_class(60, 9)
    hand_in(grades, 7, UNUSUAL)
    hand_in(grades, 23, text)
    (finding,) = found(grades)
    assert finding.students == ("student-008", "student-024")
    assert finding.matches[-1].kind == "wording" and finding.matches[-1].remarks == 0


def test_groups_are_joined() -> None:
    grades = honest_class(60, 9)
    for place in (5, 17, 40, 41):
        hand_in(grades, place, UNUSUAL)
    (finding,) = found(grades)
    assert finding.students == ("student-006", "student-018", "student-041", "student-042")


def test_little_in_one_exercise_adds_up_over_several() -> None:
    habits = {name: head + "\n    # mine: pavlova and quince\n" for name, (head, _) in WAYS.items()}
    grades = honest_class(80, 3)
    rng = random.Random(3)
    for place, exercises in ((4, ["paint"]), (9, ["paint"])):
        for exercise in exercises:
            hand_in(grades, place, _with(habits, exercise, rng), exercise)
    assert found(grades) == []
    for exercise in habits:
        for place in (4, 9):
            hand_in(grades, place, _with(habits, exercise, rng), exercise)
    (finding,) = found(grades)
    assert finding.students == ("student-005", "student-010")
    assert [m.exercise for m in finding.matches] == list(WAYS)


def _with(habits: dict[str, str], exercise: str, rng: random.Random) -> str:
    head, _ = WAYS[exercise]
    return honest_answer(exercise, rng).replace(head + "\n", habits[exercise])


def test_a_renamed_copy_of_one_answer_is_not_seen_as_the_page_says() -> None:
    text = re.sub(r" *#.*", "", UNUSUAL)
    for old, new in RENAMED:
        text = text.replace(old, new)
    grades = honest_class(60, 9)
    hand_in(grades, 7, UNUSUAL)
    hand_in(grades, 23, text)
    assert found(grades) == []


def test_what_the_lesson_says_is_nobodys_idea() -> None:
    for a in read_assignments(SOURCES):
        solved = {cell.id: cell.source for cell in a.lesson.solved()}
        same = tuple(Answer(e.name, solved[e.name], "id", "found") for e in a.exercises)
        grades = [Grade(f"s{i}", "", a.name, "", "", answers=same) for i in range(3)]
        grades += [Grade(f"t{i}", "", a.name, "", "") for i in range(30)]
        assert compare(grades, [a]) == []


def test_a_remark_that_many_share_is_found_however_many() -> None:
    grades = honest_class(100, 4)
    for place in range(60):
        hand_in(grades, place, UNUSUAL)
    (finding,) = found(grades)
    assert len(finding.students) == 60 > few(100)
    for place in range(60):
        hand_in(grades, place, re.sub(r" *#.*", "", UNUSUAL))
    assert found(grades) == []  # without the remark, it may be the answer to find


def test_what_was_not_found_is_not_compared() -> None:
    grades = honest_class(20, 4)
    for place in (0, 1):
        mine = (Answer("mirror", UNUSUAL, "id", "unreadable"), Answer("paint", None, "", "missing"))
        grades[place] = dataclasses.replace(grades[place], answers=mine)
    assert found(grades) == []


def test_the_order_of_students_changes_nothing() -> None:
    grades = honest_class(40, 9)
    for place in (3, 8, 20):
        hand_in(grades, place, UNUSUAL)
    expected = found(grades)
    random.Random(1).shuffle(grades)
    assert found(grades) == expected


HOSTILE = [
    "'''" * 60_000 + "\\", '"""a' * 50_000, "(" * 200_000, "\\" * 200_000, "#" * 200_000,
    "'\\" * 99_999, "a" * 200_000, "\n" * 200_000, "\0\ud800\u202e" * 50_000, "f'{" * 60_000,
    "0x" * 90_000, "", "é" * 100_000, "rb'" * 60_000, "=(" * 90_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_takes_long_or_breaks_it(text: str) -> None:
    def look(size: int) -> None:
        read(tidied(text[:size]))
        course_use.uses(text[:size] + "\ncoursekit", {})

    assert grows_linearly(look, len(text))


def test_a_class_of_five_hundred_with_hostile_ones(tmp_path: object) -> None:
    grades = honest_class(500, 2)
    for place in range(20):
        hand_in(grades, place, f"{place}" + HOSTILE[place % len(HOSTILE)])
        same = "\n".join(f"name_{i} = {i} + len('remark {i}')" for i in range(8000))
        hand_in(grades, place, same, "paint")
    (finding,) = found(grades)
    assert finding.students == tuple(f"student-{i:03}" for i in range(1, 21))
    assert grows_linearly(lambda students: found(grades[20:][:students]), 480)


def test_what_counts_as_a_choice() -> None:
    choices = read(
        "def f(image, axis=0):\n"
        "    total = np.zeros(3, dtype=int)  # adds them up\n"
        "    x = total.sum(axis=1)\n"
        "    return [\n        total,\n        'so and so',\n    ]\n"
    )
    assert choices.names == ("image", "total")  # not `axis`, `dtype`, `zeros`, `int`, `x`
    assert choices.phrases == ("adds them", "them up", "so and", "and so")
    assert choices.builds[1] == "name = name . zeros ( 0 , dtype = int )"
    assert choices.builds[-1] == "return [ name , ' , ]"
    assert phrases("once") == ["once"] and phrases("") == []


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("from coursekit.models.unet import UNet", {"coursekit.models.unet.UNet"}),
        ("import coursekit.losses as L", {"coursekit.losses"}),
        ("    import coursekit\n", set()),  # not Python
        ("def f():\n    from coursekit import losses", {"coursekit.losses"}),
        ("importlib.import_module('coursekit.models')", {"coursekit.models"}),
        ("__import__('coursekit')", {"coursekit"}),
        ("net = create_model('unet')", {"coursekit.create_model"}),
        ("def create_model(): ...\nnet = create_model()", set()),
        ("def f(create_model): return create_model", set()),
        ("create_model = 1\nprint(create_model)", set()),
        ("print('the coursekit way')\n# coursekit.losses", set()),
        ("from coursekitten import x\nfrom . import coursekit", set()),
        ("from coursekit.losses import x\n" + "y = 1\n" * 5000, {"coursekit.losses"}),
    ],
)
def test_what_an_answer_takes_from_the_course(text: str, used: set[str]) -> None:
    assert course_use.uses(text, {"create_model": "coursekit.create_model"}) == used


def test_no_solution_of_the_course_takes_its_own_implementation() -> None:
    for a in read_assignments(SOURCES):
        solved = {cell.id: cell.source for cell in a.lesson.solved()}
        same = tuple(Answer(e.name, solved[e.name], "id", "found") for e in a.exercises)
        assert course_use.find([Grade("s", "", a.name, "", "", answers=same)], [a]) == []


def test_who_takes_the_finished_thing_is_listed() -> None:
    grades = [
        grade_of("student-002", {"mirror": "from coursekit.data import mirror"}),
        grade_of("student-001", {"paint": "paint = lambda m, p: colourise(m)"}),
        grade_of("student-003", {"paint": honest_answer("paint", random.Random(0))}),
    ]
    assert course_use.find(grades, [assignment()]) == [
        course_use.CourseUse("student-002", "00_welcome", "mirror", ("coursekit.data.mirror",)),
        course_use.CourseUse("student-001", "00_welcome", "paint", ("coursekit.labels.colourise",)),
    ]
