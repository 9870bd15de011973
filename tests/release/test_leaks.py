"""Regions are found again however they are written, and nothing else is."""

from __future__ import annotations

import pytest

from coursekit.release.leaks import Secrets
from coursekit.release.reread import Region, SourceCell, read_source
from tests.release.demo_course import write_course


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[SourceCell]:
    folder = write_course(tmp_path_factory.mktemp("course") / "notebooks")
    return read_source(folder / "source" / "07_sums.py")


@pytest.fixture(scope="module")
def regions(cells: list[SourceCell]) -> list[Region]:
    return [region for cell in cells for region in cell.regions]


@pytest.fixture(scope="module")
def secrets(cells: list[SourceCell], regions: list[Region]) -> Secrets:
    return Secrets(cells, regions)


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


def test_nothing_to_look_for_is_known(cells: list[SourceCell], regions: list[Region]) -> None:
    trivial = Region("07_sums", "x", False, ("return x", "pass", "import os"))
    assert Secrets(cells, [trivial]).searched == set()
    assert len(Secrets(cells, regions).searched) == 6
