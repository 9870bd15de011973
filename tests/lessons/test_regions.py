"""What stands between a cell's markers, and what is left without it."""

from __future__ import annotations

import pytest

from coursekit.checks import NOT_WRITTEN
from coursekit.lessons.regions import (
    Cell,
    MarkerError,
    hidden_text,
    parts,
    solved_text,
    student_text,
)

SOURCE = """\
def f(x):
    ### BEGIN SOLUTION
    y = x

    return y
    ### END SOLUTION
### BEGIN HIDDEN TESTS
emit(f(1))
### END HIDDEN TESTS
shown = f(2)
### BEGIN HIDDEN TESTS
emit(f(3))
### END HIDDEN TESTS"""


def cell(source: str = SOURCE) -> Cell:
    return Cell("f", "code", source, 10)


def test_the_parts_of_a_cell_are_its_lines_in_order() -> None:
    found = parts(cell())
    assert [(part.kind, part.start, len(part.lines)) for part in found] == [
        ("public", 0, 1), ("solution", 1, 3), ("public", 6, 0), ("hidden", 6, 1),
        ("public", 9, 1), ("hidden", 10, 1), ("public", 13, 0),
    ]  # fmt: skip
    assert found[1].indent == "    " and found[3].indent == ""
    lines = SOURCE.splitlines()
    for part in found:
        first = part.start + (part.kind != "public")
        assert part.lines == tuple(lines[first : first + len(part.lines)])


def test_what_each_reader_sees() -> None:
    assert student_text(cell()) == (
        "# exercise: f\ndef f(x):\n    # YOUR CODE HERE\n"
        f'    raise NotImplementedError("{NOT_WRITTEN}f")\nshown = f(2)'
    )
    assert solved_text(cell()) == "def f(x):\n    y = x\n\n    return y\nshown = f(2)"
    assert hidden_text(cell()) == "emit(f(1))\nemit(f(3))"
    assert student_text(cell("x = 1\n")) == solved_text(cell("x = 1\n")) == "x = 1"
    assert hidden_text(cell("x = 1")) == ""


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("x\n### BEGIN SOLUTION\ny", 11, "without '### END SOLUTION'"),
        ("### BEGIN HIDDEN TESTS", 10, "without '### END HIDDEN TESTS'"),
        ("x\n### END SOLUTION", 11, "ends no region"),
        ("### BEGIN SOLUTION\n### END HIDDEN TESTS", 11, "ends no region"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION", 11, "begins at line 10; regions do not nest"),
        ("x = 1  ### BEGIN SOLUTION", 10, "looks like a marker"),
        ("# begin hidden tests", 10, "looks like a marker"),
    ],
)
def test_a_marker_out_of_place_is_named_with_its_line(source: str, line: int, words: str) -> None:
    with pytest.raises(MarkerError, match=words) as refused:
        parts(cell(source))
    assert refused.value.line == line
