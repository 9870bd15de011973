"""What other cells do to an answer's names comes with it, or a note says why it does not."""

from __future__ import annotations

import ast
import sys
from typing import Any

import pytest

from coursekit.grading.answers.recover import recover
from coursekit.grading.submissions.read import read_notebook
from tests.grading.small_lesson import ADD, BLEND, USES, Notebook, blends, run, said

BOX = "class Box:\n    def __init__(self, n):\n        self.n = n"
BOXES = "def boxes(sizes):\n    return [Box(s) for s in sizes]"
AREA = "def area(self):\n    return self.n ** 2"
TABLE = "def blend(a, b):\n    return [TABLE[0], TABLE[1]]"


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.mark.parametrize(
    "patch",
    [
        (f"{AREA}\nBox.area = area",),
        (AREA, "setattr(Box, 'area', area)"),
        (AREA, "for f in (area,):\n    setattr(Box, f.__name__, f)"),
        (AREA, "def with_area(cls):\n    cls.area = area\n    return cls", "Box = with_area(Box)"),
        ("class Box(Box):\n    " + AREA.replace("\n", "\n    "),),
    ],
)
def test_a_class_is_completed_in_other_cells(notebook: Notebook, patch: tuple[str, ...]):
    notebook.write("pair", f"{BOX}\n\n{BOXES}").add("check-pair", *patch)
    answer = notebook.answer("pair")
    assert run(answer)["boxes"]([3])[0].area() == 9, answer
    assert answer.notes


def test_a_stub_may_be_filled_in_other_cells(notebook: Notebook):
    fill = "def start(self, size):\n    self.size = size\n\nBox.__init__ = start"
    rest = f"{AREA.replace('self.n', 'self.size')}\n\nsetattr(Box, 'area', area)\n\n{BOXES}"
    answer = notebook.add("check-pair", fill, rest).answer("pair")
    assert answer.status == "found" and run(answer)["boxes"]([3])[0].area() == 9


def test_a_trial_of_a_stub_does_not_fill_it(notebook: Notebook):
    answer = notebook.add("check-pair", "Box.area(3)\nprint(Box)").answer("pair")
    assert answer.status == "not-written"


def test_what_stands_below_the_check_does_not_count_and_is_said(notebook: Notebook):
    notebook.write("pair", f"{BOX}\n\n{AREA}\n\nBox.area = area\n\n{BOXES}")
    answer = notebook.add("train", "Box.area = lambda self: 0").answer("pair")
    assert run(answer)["Box"](3).area() == 9
    assert "Box.area = lambda self: 0 in cell 13 changes Box below its check" in said(answer)


@pytest.mark.parametrize(
    "fill",
    [
        ("TABLE[0] = 4\nTABLE.update({1: 6})",),
        ("for i, n in enumerate((4, 6)):\n    TABLE[i] = n",),
        ("TABLE |= {0: 4}", "with open('/dev/null'):\n    TABLE[1] = 6"),
        ("TABLE = dict(TABLE, **{})\nTABLE[0] = 4", "TABLE[1] = 6\nTABLE[2] = 8", "del TABLE[2]"),
    ],
)  # fmt: skip
def test_a_table_is_filled_in_other_cells(notebook: Notebook, fill: tuple[str, ...]):
    notebook.write("blend", TABLE).add("blend", "TABLE = {}", *fill)
    answer = notebook.answer()
    assert blends(answer), answer
    assert "because it changes TABLE" in said(answer)


@pytest.mark.parametrize(
    "bind",
    [
        ("with open('/dev/null') as file:\n    TABLE = [4, 6]",),
        ("for TABLE in ([1, 2], [4, 6]):\n    pass",),
        ("print(TABLE := [4, 6])",),
        ("print([(TABLE := [4, n]) for n in (5, 6)])",),
        ("match [4, 6]:\n    case [_, *_] as TABLE:\n        pass",),
        ("try:\n    from fancy import TABLE\nexcept ImportError:\n    TABLE = [4, 6]",),
        ("while True:\n    TABLE = [4, 6]\n    break",),
    ],
)
def test_a_constant_is_bound_by_any_statement(notebook: Notebook, bind: tuple[str, ...]):
    assert blends(notebook.write("blend", TABLE).add("blend", *bind).answer())


def test_a_plain_statement_counts_before_a_loop(notebook: Notebook):
    notebook.write("blend", TABLE).add("blend", "TABLE = [4, 6]", "for TABLE in ([1, 2],):\n pass")
    assert blends(notebook.answer())


def test_files_that_cells_write_come_with_what_imports_them(notebook: Notebook):
    uses = f"import helpers as h\nfrom helpers import *\n{USES.replace('add(', 'h.add(')}"
    notebook.write("blend", uses).add(
        "blend", "%%writefile helpers.py\nfrom more import add", f"%%file more.py\n{ADD}",
        "%%writefile -a more.py\nx = 1", "%%writefile other.py\ny = 2",
    )  # fmt: skip
    answer = notebook.answer()
    assert "imports it: helpers.py, more.py." in said(answer)
    written = []

    class Shell:
        def run_cell_magic(self, *given: str) -> None:
            written.append(given)

    source = (answer.source or "").partition("import helpers")[0]
    exec(source, {"get_ipython": Shell})
    assert written == [
        ("writefile", "helpers.py", "from more import add\n"),
        ("writefile", "more.py", ADD + "\n"), ("writefile", "-a more.py", "x = 1\n"),
    ]  # fmt: skip


def test_an_answer_may_be_imported_from_a_file_that_a_cell_writes(notebook: Notebook):
    notebook.write("blend", "from mine import blend").add("blend", f"%%writefile mine.py\n{BLEND}")
    answer = notebook.answer()
    assert answer.status == "found" and "mine.py" in said(answer)


def test_a_built_in_s_name_may_be_a_student_s_constant(notebook: Notebook):
    uses = "def blend(a: list, b) -> list[int]:\n    return [input['x'], max(list[1], 0)]"
    notebook.write("blend", uses).add("blend", "input = {'x': 4}\nlist = [0, 6]\nmax = 3")
    answer = notebook.answer()
    assert blends(answer) and "max = 3" not in (answer.source or "")


def test_a_built_in_is_not_taken_from_below(notebook: Notebook):
    answer = notebook.write("blend", BLEND).add("train", "def zip(a, b):\n    return []").answer()
    assert (answer.source, answer.notes) == (BLEND, ())


def test_what_does_not_count_of_a_lesson_s_name_is_said(notebook: Notebook):
    uses = "def blend(a, b):\n    return fit([SIZE, math.pi, order])"
    notebook.write("blend", uses).add("blend", "SIZE = 5\nimport math", "order.append(4)")
    assert said(notebook.answer()) == (
        "The answer uses SIZE. The lesson gives it; what cell 5 makes of it does not count."
    )
    notebook.add("blend", "import cmath as math\nfit.x = 3")
    assert "uses math" in said(notebook.answer()) and "uses fit" in said(notebook.answer())


def test_a_wrapper_is_not_taken_for_what_it_wraps(notebook: Notebook):
    other = "import functools\n@functools.wraps(blend)\ndef other(a, b):\n    return 1"
    answer = notebook.write("blend", BLEND).add("check-blend", other, "print(blend)").answer()
    assert (answer.source, answer.notes) == (BLEND, ())


# --- newer Python ---


def _recovered(version: Any) -> str:
    raw = Notebook().write("blend", BLEND + "\n    return 1 unless 2").cells
    from tests.grading.small_lesson import LESSON, json, lesson

    notebook = {"nbformat": 4, "nbformat_minor": 4, "cells": raw}
    notebook["metadata"] = {"language_info": {"version": version}}
    read = read_notebook(json.dumps(notebook).encode())
    return " ".join(recover(read, lesson("07_small", LESSON))[0].notes)


@pytest.mark.parametrize("version", ["3.99.1", "4.0"])
def test_a_notebook_of_a_newer_python_is_told_so(version: str):
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    number = ".".join(version.split(".")[:2])
    assert f"written with Python {number}; grading has Python {here}" in _recovered(version)


@pytest.mark.parametrize("version", ["3.8.10", "{}.{}".format(*sys.version_info), "", 3, "new"])
def test_a_mistake_is_not_put_down_to_a_newer_python(version: Any):
    assert "Python 3" not in _recovered(version)


def test_quotes_within_f_strings(notebook: Notebook):
    text = 'def blend(a, b):\n    return [4, int(f"{\'6\'.join(["", ""])}")]'
    answer = notebook.write("blend", text).answer()
    try:
        ast.parse(text)
    except SyntaxError:
        assert answer.status == "unreadable" and "use other quotes" in said(answer)
    else:
        assert blends(answer)
