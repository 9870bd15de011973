"""Which names a text binds and uses."""

from __future__ import annotations

import ast

import pytest

from coursekit import names


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("x = y = 1", {"x", "y"}), ("a, *b = c", {"a", "b"}), ("x[0] = y.z = 1", set()),
        ("x: int = 1", {"x"}), ("x: int", set()), ("x += 1", {"x"}),
        ("import a.b, c as d", {"a", "d"}), ("from a import b as c, d", {"c", "d"}),
        ("from a import *", set()),
        ("def f(x):\n    y = 1", {"f"}), ("async def f(): ...", {"f"}),
        ("class A:\n    x = 1", {"A"}),
        ("for i in r:\n    if i:\n        x = 1\n    else:\n        y = 2", {"i", "x", "y"}),
        ("with f() as g:\n    import h", {"g", "h"}), ("if (n := f()):\n    pass", {"n"}),
        ("q = [i for i in r]", {"q"}), ("f = lambda x: (y := x)", {"f"}),
    ],
)  # fmt: skip
def test_what_a_statement_binds(statement: str, wanted: set[str]) -> None:
    assert names.bound(ast.parse(statement).body[0]) == wanted
    if statement != "x: int":  # which Python's own table counts as a name of the text
        assert names.defined(statement) == wanted


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        ("x[0] = 1", {"x"}), ("x.y.z = 1", {"x"}), ("x[i].y[j] += 1", {"x"}), ("x += 1", {"x"}),
        ("x.append(1)", {"x"}), ("y = x.pop()", set()), ("print(x)", set()),
        ("for i in r:\n    x[i] = i", {"x"}),
    ],
)  # fmt: skip
def test_what_a_statement_changes(statement: str, wanted: set[str]) -> None:
    assert names.changed(ast.parse(statement).body[0]) == wanted


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("x = x + 1\ny = 2\nz = y", {"x"}),
        ("total += step", {"total", "step"}),
        ("for a in b:\n    print(a)", {"b"}),
        ("with open(path) as file:\n    text = file.read()", {"path"}),
        ("def f(a=c):\n    return a + d + f(1)", {"c", "d"}),
        ("q = [i * k for i in r]", {"k", "r"}),
        ("g = lambda v, w=u: v + w + t", {"u", "t"}),
        ("class A(B):\n    x = y\n    def f(self):\n        return A, W", {"B", "y", "W"}),
        ("import os\nos.getcwd()", set()),
        ("@wraps\ndef f(): ...", {"wraps"}),
        ("del gone", {"gone"}),
        ("x: int\nprint(x)", {"x"}),
        ("this is no Python", set()),
        ("nonlocal x", set()),
    ],
)
def test_the_names_that_a_cell_needs(code: str, wanted: set[str]) -> None:
    assert names.taken(code) == wanted


def test_what_a_text_takes_from_elsewhere() -> None:
    text = "x = x + 1\ndef f(a):\n    return a + b + x + len(c)\nprint(d)"
    assert names.free(text) == {"b", "c", "d", "len", "print"}
    assert names.needed_at_once(text) == {"x", "d", "print"}
    assert names.free("no Python") == set() and names.needed_at_once("no Python") == set()


def test_what_a_text_binds_at_any_depth() -> None:
    text = "import a.b\ndef f(x, *y):\n    import c as d\n    for z in x:\n        w = z\n"
    assert names.defined_anywhere(text) == {"a", "f", "x", "y", "d", "z", "w"}
    assert names.defined_anywhere("no Python") == set()


def test_what_imports_stand_for() -> None:
    text = "import a.b, c.d as e\ndef f():\n    from g.h import i, j as k\n    from . import l"
    assert dict(names.imports(text)) == {"a": "a.b", "e": "c.d", "i": "g.h.i", "k": "g.h.j"}


@pytest.mark.parametrize("text", ["x =", "(" * 5000, "x\0", '"\\d"\n!'])
def test_what_is_no_python_says_nothing(text: str) -> None:
    assert names.parsed(text) is None
    assert not names.free(text) and not names.taken(text) and not names.defined(text)


def test_a_stranger_s_odd_escape_is_no_error() -> None:
    assert names.parsed('x = "\\d"') is not None
    assert names.free('x = y + "\\d"') == {"y"}
