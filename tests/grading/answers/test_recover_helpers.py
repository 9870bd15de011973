"""What an answer uses of a student's other cells comes with it, and nothing else does."""

from __future__ import annotations

import pytest

from tests.grading.small_lesson import ADD, BLEND, USES, Notebook, blends, said


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.mark.parametrize("where", ["settings", "blend", "check-blend", "train", ""])
def test_helpers_in_cells_of_their_own(notebook: Notebook, where: str):
    answer = notebook.write("blend", USES).add(where, "print('trial')\nx = 1", ADD).answer()
    assert blends(answer) and "because the answer uses it: add" in said(answer)
    assert "trial" not in (answer.source or "") and "x = 1" not in (answer.source or "")


@pytest.mark.parametrize("cell", ["settings", "check-blend", "pair", "train"])
def test_helpers_in_cells_of_the_lesson(notebook: Notebook, cell: str):
    text = notebook.cells[notebook.place(cell)]["source"]
    answer = notebook.write("blend", USES).write(cell, f"{text}\n\n{ADD}\n").answer()
    assert blends(answer)
    assert "check.equal" not in (answer.source or "") and "SIZE = 4" not in (answer.source or "")


def test_helpers_of_helpers_imports_and_constants(notebook: Notebook):
    notebook.add(
        "settings",
        "import operator as op, sys\nfrom functools import reduce\nSTART = BASE = 0\nBASE += 3",
        "TABLE = {}\nfor i in range(3):\n    TABLE[i] = i\nTABLE['b'] = 2; unused = 5",
        "def add(*numbers):\n    assert TABLE['b'] == 2 and TABLE[2] == 2 and BASE == 3\n"
        "    return reduce(plus, numbers, START)",
        "try:\n    from fancy import plus\nexcept ImportError:\n    plus = op.add",
    )
    answer = notebook.write("blend", USES).answer()
    assert blends(answer), answer
    assert "unused" not in (answer.source or "")


def test_a_helper_is_the_last_before_the_check(notebook: Notebook):
    notebook.write("blend", USES).add("blend", ADD.replace("+", "-"), ADD)
    assert blends(notebook.add("train", ADD.replace("+", "*")).answer())


def test_helpers_stay_away_where_they_are_not_needed(notebook: Notebook):
    notebook.write("blend", BLEND).add("blend", ADD, "import os\nfirst = second = [0]")
    answer = notebook.answer()
    assert (answer.source, answer.notes) == (BLEND, ())


def test_the_lessons_names_are_the_lessons(notebook: Notebook):
    """A student who changed the lesson's own helper or setting does not change it for grading."""
    uses = "def blend(first, second):\n    return fit([SIZE, math.pi])"
    notebook.add("blend", "SIZE = 99\n\ndef fit(x):\n    return 'mine'\n\nimport cmath as math")
    assert notebook.write("blend", uses).answer().source == uses


def test_a_helper_with_the_name_of_a_lessons_variable_or_a_builtin(notebook: Notebook):
    uses = "def blend(first, second):\n    return order(sum(first, second))"
    notebook.add("blend", "def order(x):\n    return x\n\ndef sum(a, b):\n    return [4, 6]")
    assert blends(notebook.write("blend", uses).answer())
    plain = "def blend(first, second):\n    return [max(4, order[0]), 6]"
    notebook.write("blend", plain).write("settings", "order = 'x'").add("blend", "max = 3")
    notebook.cells = [c for c in notebook.cells if "def order" not in c["source"]]
    assert notebook.answer().source == plain


def test_names_of_checks_and_slow_cells_are_not_there_when_grading(notebook: Notebook):
    answer = notebook.write("blend", "def blend(a, b):\n    return got or history").answer()
    assert "uses got, history, which nothing defines" in said(answer)
    assert blends(notebook.add("blend", "got = [4, 6]").answer())


def test_what_a_changed_cell_of_the_lesson_says_is_still_the_lessons(notebook: Notebook):
    text = notebook.cells[notebook.place("check-blend")]["source"]
    notebook.write("check-blend", text + "\nprint(got)")
    answer = notebook.write("blend", "def blend(a, b):\n    return got").answer()
    assert answer.source == "def blend(a, b):\n    return got" and "uses got" in said(answer)


def test_what_an_answer_depends_on_in_its_own_cell_may_depend_on_others(notebook: Notebook):
    text = f"start = make(2)\nnumbers = start\n{BLEND.replace('sum(pair)', 'numbers + sum(pair)')}"
    answer = notebook.write("blend", text).add("blend", "def make(n):\n    return 0 * n").answer()
    assert blends(answer) and len(answer.notes) == 1


def test_what_the_answers_cell_defines_is_not_taken_from_another(notebook: Notebook):
    text = f"{USES}\n\n\n{ADD}"
    answer = notebook.write("blend", text).add("blend", ADD.replace("+", "-")).answer()
    assert answer.source == text and not answer.notes


def test_trials_that_need_one_another_stay(notebook: Notebook):
    text = f"sample = fit([1])\nprint(sample)\n{BLEND}"
    assert notebook.write("blend", text).answer().source == text
    lost = f"sample = history[0]\nprint(sample)\n{BLEND}"
    assert "print" not in (notebook.write("blend", lost).answer().source or "")


def test_a_trial_that_shares_its_line_stays(notebook: Notebook):
    text = BLEND.replace("sum(pair)", "y + sum(pair)") + "\ny = 0; print(history)"
    assert (notebook.write("blend", text).answer().source or "").endswith("print(history)")


def test_a_future_import_stays_first(notebook: Notebook):
    notebook.write("blend", f"# mine\nfrom __future__ import annotations\n{USES}")
    answer = notebook.add("blend", ADD).answer()
    assert blends(answer) and (answer.source or "").count("__future__") == 1


def test_stars_and_futures_are_taken_for_names_of_nobody(notebook: Notebook):
    uses = (
        "from statistics import mean\n\ndef blend(a: Lists, b) -> Lists:\n    return [4, int(tau)]"
    )
    notebook.write("blend", uses)
    notebook.add("settings", "from __future__ import annotations", "from math import *")
    answer = notebook.answer()
    assert blends(answer) and (answer.source or "").startswith("from __future__")


def test_a_trial_in_the_answers_cell_stays_unless_it_must_fail(notebook: Notebook):
    stays = f"print('hello')\n{BLEND}\nassert blend([1], [2]) == [3]"
    assert notebook.write("blend", stays).answer().source == stays
    fails = f"for face in history[:2]:\n    print(face)\n{BLEND}\nprint(blend(demo, demo))"
    answer = notebook.write("blend", fails).add("blend", "demo = train_for_hours()").answer()
    assert blends(answer), answer
    assert "uses history" in said(answer) and "uses demo" in said(answer)
    assert "train_for_hours" not in (answer.source or "")
    assert (answer.source or "").split("\n")[2:4] == BLEND.split("\n"), "lines keep their numbers"
