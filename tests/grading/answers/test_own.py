"""Which notebooks say more than the answers that were read from them."""

from __future__ import annotations

import pytest

from tests.grading.small_lesson import ADD, BLEND, USES, Notebook

BOX = "class Box:\n    def __init__(self, n):\n        self.n = n"
AREA = "def area(self):\n    return self.n ** 2"


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.mark.parametrize(
    "cells",
    [
        (f"def to(cls):\n    return lambda f: setattr(cls, f.__name__, f)\n\n@to(Box)\n{AREA}",),
        (AREA, "def mend(kind, method):\n    kind.area = method", "mend(method=area, kind=Box)"),
        (AREA, "vars(Box)['area'] = area"),
        ("kind = Box", "class Box(kind):\n    x = 1"),
        ("globals()['x'] = 4",),
        ("import warnings\nwarnings.simplefilter('error')",),
        ("%env X=3",),
        ("!mkdir out",),
        ("x = 1 = 2",),
    ],
)
def test_what_is_in_no_answer_makes_a_notebook_worth_a_try(
    notebook: Notebook, cells: tuple[str, ...]
) -> None:
    own = notebook.write("pair", BOX).add("check-pair", *cells).own()
    check = notebook.place("check-pair") + 1
    assert own.until == {"pair": check}, "its stubs need no try, and nothing stands above blend"
    assert [c.text for c in own.cells if c.number in range(check - len(cells), check)] == [*cells]


def test_what_runs_in_the_course_s_notebook_needs_no_second_run(notebook: Notebook) -> None:
    """That are answers, what they take from other cells, and the lesson's own."""
    assert notebook.own().until == {}
    assert notebook.write("blend", USES).add("blend", ADD).own().until == {}
    assert notebook.write("pair", BOX).own().until == {}


def test_what_serves_two_answers_runs_twice_elsewhere(notebook: Notebook) -> None:
    """A table is empty again by then; an import is not."""
    uses = "{0}\n    math.pi\n    return TABLE['fit'](second)"
    blend, boxes = (
        uses.format(head) for head in ("def blend(first, second):", "def boxes(second):")
    )
    for text, tried in (
        ("TABLE = {'fit': fit}", {"blend", "pair"}),
        ("import math as TABLE", set()),
    ):
        own = (
            Notebook()
            .write("blend", blend)
            .write("pair", f"{BOX}\n{boxes}")
            .add("blend", text)
            .own()
        )
        assert set(own.until) == tried


def test_what_stands_below_the_check_is_not_run(notebook: Notebook) -> None:
    assert (
        notebook.write("blend", BLEND).add("check-blend", "x = [1]", after=True).own().until == {}
    )


def test_an_answer_below_its_check_is_run(notebook: Notebook) -> None:
    own = notebook.without("blend").add("check-pair", "x = [1]", BLEND).own()
    assert own.until["blend"] == notebook.place("new1") + 1


@pytest.mark.parametrize(
    ("text", "tried"),
    [("exec('def blend(a, b): pass')", True), ("exec('def mix(a): pass')", False)],
)
def test_an_answer_that_is_not_there_may_be_made_by_what_speaks_of_it(
    notebook: Notebook, text: str, tried: bool
) -> None:
    assert ("blend" in notebook.add("blend", text).own().until) == tried


def test_the_lesson_s_cells_are_told_from_changed_ones(notebook: Notebook) -> None:
    cells = notebook.write("settings", "SIZE = 5").own().cells
    known = {c.number: (c.given, c.known) for c in cells}
    assert known[notebook.place("settings") + 1] == ("", {"settings"})
    assert known[notebook.place("check-blend") + 1][0] == "check-blend"
    assert known[notebook.place("blend") + 1][0] == "", "a stub is the student's"
