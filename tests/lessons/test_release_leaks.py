"""Regions are found again however they are written, and nothing else is."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from coursekit.lessons.leaks import Region, Secrets, regions_of, split
from coursekit.lessons.source import Lesson, read_lesson
from coursekit.lessons.tried import also_tried
from tests.lessons.demo_course import write_course


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    folder = write_course(tmp_path_factory.mktemp("course") / "notebooks")
    return read_lesson(folder / "source" / "07_sums.py")


@pytest.fixture(scope="module")
def secrets(lesson: Lesson) -> Secrets:
    return Secrets([lesson], regions_of(lesson))


def test_regions_and_what_is_public(lesson: Lesson) -> None:
    found = [(r.cell, r.hidden, len(r.lines)) for r in regions_of(lesson)]
    assert found == [
        ("twice", False, 2), ("check-twice", True, 7), ("shift", False, 3),
        ("check-shift", True, 4), ("last", False, 1), ("last", False, 1),
    ]  # fmt: skip
    answer = next(cell for cell in lesson.cells if cell.id == "twice")
    assert split(answer, "")[0] == ["def twice(x):", '    """Two times x."""', "    \0"]


SOLUTION = "return math.fsum([doubled])"
HIDDEN = 'number = probe.given("number", lambda rng: rng.integers(-99, 0) * 1.5)'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (SOLUTION, "the solution of twice"),
        (f"    {SOLUTION}  # a float, whatever comes in", "the solution of twice"),
        ("return  math.fsum( [ doubled ] )", "the solution of twice"),
        ("return math.fsum(\n    [doubled]\n)", "the solution of twice"),
        (f"Write `{SOLUTION}` and be done.", "the solution of twice"),
        ("# a float, whatever comes in", "the solution of twice"),
        ("x = 1\nfirst = values[:by]\nrest = values[by:]", "the solution of shift"),
        ("return rest + first", "the solution of shift"),
        (HIDDEN, "the hidden tests of check-twice"),
        (HIDDEN.replace('"', "'"), "the hidden tests of check-twice"),
        ("# somebody will take the absolute value", "the hidden tests of check-twice"),
        ("a NUMBER below zero", None),
        ("a negative number", None),  # what `about` says is for students
        ("doubled = x + x", None),  # the hint says it
        ("return first", None),
        ("from coursekit.probe import Probe", None),
        ('check.equal(twice(3), 6, "not twice as much")', None),
    ],
)
def test_texts(secrets: Secrets, text: str, where: str | None) -> None:
    found = list(secrets.find(text))
    assert [where in complaint for complaint in found if where] == [True] * bool(where)
    assert bool(found) == bool(where), found


@pytest.mark.parametrize(
    "code",
    [
        "def f(doubled):\n    return (math.fsum)([doubled,])",
        "if True:\n    (first) = (values)[:by]",
        "class A:\n    def b(self):\n        self.values = shift(values, (len(values)) - 1,)",
        "try:\n    pass\nfinally:\n    rest = values[ (by) : ]",
    ],
)
def test_code_is_compared_as_syntax(secrets: Secrets, code: str) -> None:
    assert not list(secrets.find(code)), "text alone does not tell"
    assert len(list(secrets.find(code, [code]))) == 1


def test_common_lines_are_telling_in_a_row() -> None:
    public = Region("07_sums", "loop", False, ("total = 0", "for x in xs:", "    total += x"))
    secrets = Secrets([], [public])
    assert list(secrets.find("total = 0\n\nfor x in xs:\n    total += x"))
    assert not list(secrets.find("for x in xs:\n    total = 0"))


def test_a_library_may_share_text_with_solutions_alone(secrets: Secrets) -> None:
    assert not list(secrets.find(SOLUTION, [SOLUTION], library=True))
    assert list(secrets.find(HIDDEN, library=True))
    chance = 'probe = Probe("check-shift")'
    assert list(secrets.find(chance)) and not list(secrets.find(chance, library=True))


def test_nothing_to_look_for_is_known(lesson: Lesson) -> None:
    trivial = Region("07_sums", "x", False, ("return x", "pass", "import os"))
    assert Secrets([lesson], [trivial]).searched == set()
    assert len(Secrets([lesson], regions_of(lesson)).searched) == 6


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ('probe.emit("a", 1, about="one")\nprobe.emit("b", 2, "two")', ["one", "two"]),
        ('about = "one"\nprobe.emit("a", 1, about)\nabout = "two"\nprobe.emit("b", 2, about)',
         ["one", "two"]),
        ('for n, (a, about) in ((1, (2, "x")), (2, (3, "y"))):\n    probe.emit("a", n, about)',
         ["x", "y"]),
        ('for m in (1, 0):\n    w = "on" if m else "off"\n    probe.emit("a", 1, f"it is {w}")',
         ["it is on", "it is off"]),
        ('if z:\n    with x:\n        probe.emit(1, 1, "in")\nelse:\n    probe.emit(2, 1, "out")',
         ["in", "out"]),
        ('try:\n    probe.emit("a", 1, "x")\nexcept E:\n    probe.emit("a", 2, "y")', ["x", "y"]),
        ('for n in range(3):\n    probe.emit("a", n, "each")', ["each"]),
        ('for n in range(3):\n    probe.emit("a", n, f"number {n}")', ["number …"]),
        ('about = f"{a[0]} × {b!r} of 3"\nprobe.emit("a", 1, about)', ["… × … of 3"]),
        ('about = words()\nprobe.emit("a", 1, about)', []),
        ('about = "old"\nabout = words()\nprobe.emit("a", 1, about)', []),
        ('probe.emit("a", 1, f"{x:.2f}")\nprobe.emit("b", "an about", other)', []),
        ('probe.emit("a", probe.call(f, 1), "x")\nother.call(2)',
         ["x", "the arguments are left as they are"]),
        ("this is no Python", []),
    ],
)  # fmt: skip
def test_what_is_told(code: str, told: list[str]) -> None:
    assert also_tried(textwrap.indent(code, "    ").splitlines()) == told


def test_every_lesson_tells_what_it_tries() -> None:
    sources = Path(__file__).parents[2] / "notebooks" / "source"
    for path in sorted(sources.glob("*.py")):
        for region in regions_of(read_lesson(path)):
            if region.hidden:
                assert also_tried(region.lines), region
