"""What students do to one notebook of a small lesson, case by case."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.records import Answer
from coursekit.grading.recover import match, read_notebook, recover
from coursekit.lessons.course import Assignment, whole_lesson
from coursekit.lessons.notebook import make_notebook, to_bytes
from coursekit.lessons.source import read_lesson

LESSON = '''\
# %% [markdown]
# # A small lesson

# %%
import math
from pathlib import Path

# %% settings
SIZE = 4
order = [1, 2, 3]

def fit(x):
    return x[:SIZE]

# %% [markdown]
# Write `blend`, which mixes two lists.

# %% blend
def blend(first, second):
    """Mix."""
    ### BEGIN SOLUTION
    return [a + b for a, b in zip(first, second)]
    ### END SOLUTION

# %% check-blend points=1
check = Check("blend")
got = blend([1], [2])
check.equal(got, [3], "not mixed")

# %% [markdown]
# Write both.

# %% pair
class Box:
    """Holds a size."""

    def __init__(self, size: int) -> None:
        ### BEGIN SOLUTION
        self.size = size
        ### END SOLUTION

    def area(self) -> int:
        ### BEGIN SOLUTION
        return self.size ** 2
        ### END SOLUTION

def boxes(sizes):
    ### BEGIN SOLUTION
    return [Box(s) for s in sizes]
    ### END SOLUTION

# %% check-pair points=2
check = Check("pair")
check.equal(boxes([2])[0].area(), 4, "no area")

# %% [markdown]
# Choose a rate.

# %% rate
### BEGIN SOLUTION
rate = SIZE / 8
### END SOLUTION

# %% check-rate points=1
Check("rate").equal(rate, 0.5, "another rate")

# %% train tags=["slow"]
history = [blend([i], [i]) for i in range(3)]
'''

BLEND = "def blend(first, second):\n    return [sum(pair) for pair in zip(first, second)]"


@pytest.fixture(scope="module")
def assignment(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    path = tmp_path_factory.mktemp("lesson") / "07_small.py"
    path.write_text(LESSON)
    return whole_lesson(read_lesson(path))


class Notebook:
    """A student's notebook to tamper with."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        made = to_bytes(make_notebook(assignment.lesson.student()))
        self.cells: list[dict[str, Any]] = json.loads(made)["cells"]
        for cell in self.cells:
            cell["source"] = "".join(cell["source"])

    def place(self, name: str) -> int:
        return next(i for i, c in enumerate(self.cells) if c.get("id") == name)

    def write(self, name: str, source: str, **more: Any) -> Notebook:
        self.cells[self.place(name)] |= {"source": source, **more}
        return self

    def add(self, where: str, *sources: str, after: bool = False, **more: Any) -> Notebook:
        """Put new cells before (or after) a cell."""
        at = self.place(where) + after if where else len(self.cells)
        self.cells[at:at] = [
            {"cell_type": "code", "id": f"new{i}", "metadata": {}, "source": s, **more}
            for i, s in enumerate(sources)
        ]
        return self

    def without(self, *names: str) -> Notebook:
        self.cells = [c for c in self.cells if c.get("id") not in names]
        return self

    def without_ids(self) -> Notebook:
        for cell in self.cells:
            cell.pop("id", None)
        return self

    def answer(self, name: str = "blend") -> Answer:
        raw = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": self.cells}
        notebook = read_notebook(json.dumps(raw).encode())
        got = {a.exercise: a for a in recover(notebook, self.assignment)}
        assert list(got) == ["blend", "pair", "rate"]
        answer = got[name]
        assert (answer.source is not None) == (answer.status == "found")
        if answer.source is not None:
            ast.parse(answer.source)
        return answer


@pytest.fixture
def notebook(assignment: Assignment) -> Notebook:
    return Notebook(assignment)


def run(answer: Answer, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the answer defines, run beside the lesson's own names."""
    assert answer.source is not None, answer
    there = {"math": __import__("math"), "Path": Path, "SIZE": 4, "order": [1, 2, 3]}
    exec(compile(answer.source, "answer", "exec"), there := {**there, **(names or {})})
    return there


def blends(answer: Answer) -> bool:
    return run(answer)["blend"]([1, 2], [3, 4]) == [4, 6]


def said(answer: Answer) -> str:
    return " ".join(answer.notes)


# --- which one counts ---


def test_of_two_answers_the_last_before_the_check_counts(notebook: Notebook):
    wrong = "def blend(first, second):\n    return first"
    assert blends(notebook.write("blend", wrong).add("check-blend", BLEND).answer())
    assert "cell 5, cell 6; what counts is cell 6" in said(notebook.answer())
    assert notebook.answer().found_by == "definition"


def test_what_is_tried_below_the_check_does_not_count(notebook: Notebook):
    play = "def blend(first, second):\n    return 'no skips'"
    notebook.write("blend", BLEND).add("train", play, play.replace("no", "more"))
    assert blends(notebook.answer()) and "in different ways" in said(notebook.answer())


def test_an_answer_below_everything_counts_where_there_is_no_other(notebook: Notebook):
    assert blends(notebook.add("", BLEND).answer())


def test_a_check_that_was_copied_moves_the_line(notebook: Notebook):
    notebook.write("blend", "def blend(first, second):\n    return first")
    assert blends(notebook.add("", BLEND, "Check('blend')\nblend([1], [2])").answer())


def test_two_cells_with_one_id(notebook: Notebook):
    notebook.add("blend", "def blend(first, second):\n    return first", id="blend")
    assert blends(notebook.write("blend", "def blend(first, second):\n    return 1")
                  .add("check-blend", BLEND, id="blend").answer())  # fmt: skip
    assert notebook.answer().found_by == "id"


def test_a_cell_that_has_the_wrong_id(notebook: Notebook):
    notebook.write("pair", BLEND).write("blend", "boxes = Box = list")
    assert blends(notebook.answer()) and notebook.answer().found_by == "definition"


def test_a_variable_of_that_name_is_no_answer(notebook: Notebook):
    notebook.write("blend", BLEND).add("check-blend", "blend = blend([1], [2])", "blend = 3")
    assert blends(notebook.answer())


def test_another_name_for_the_answer_is_one(notebook: Notebook):
    notebook.add("check-blend", BLEND.replace("blend", "mix"), "blend = mix")
    assert blends(notebook.answer())
    assert blends(notebook.add("check-blend", "blend = lambda a, b: [4, 6]").answer())


def test_a_wrapped_answer_keeps_its_wrapper(notebook: Notebook):
    text = f"import functools\n\n{BLEND}\n\nblend = functools.wraps(blend)(blend)"
    assert blends(notebook.add("check-blend", text).answer())
    notebook.add("check-pair", "class Box:\n    pass", "class Box(Box):\n    area = 3")
    assert run(notebook.answer("pair"))["Box"].area == 3


def test_methods_that_are_added_below_the_class(notebook: Notebook):
    text = "class Box:\n    def __init__(self, n):\n        self.n = n\n\n"
    text += "def area(self):\n    return self.n ** 2\n\nBox.area = area\n\n"
    notebook.add("check-pair", text + "def boxes(sizes):\n    return [Box(s) for s in sizes]")
    assert run(notebook.answer("pair"))["boxes"]([3])[0].area() == 9


def test_an_exercise_of_two_definitions_in_two_cells(notebook: Notebook):
    box = "class Box:\n    def __init__(self, n):\n        self.n = n"
    notebook.write("pair", "def boxes(sizes):\n    return [Box(s) for s in sizes]")
    assert "Nothing defines Box" in said(notebook.answer("pair"))
    assert run(notebook.add("pair", box).answer("pair"))["boxes"]([3])[0].n == 3


def test_an_exercise_that_is_half_written_is_tried(notebook: Notebook):
    stub = notebook.cells[notebook.place("pair")]["source"]
    half = stub.replace(
        '# YOUR CODE HERE\n        raise NotImplementedError("not written yet: pair")',
        "self.size = size", 1,
    )  # fmt: skip
    assert half != stub
    answer = notebook.write("pair", half).answer("pair")
    assert answer.status == "found" and run(answer)["Box"](2).size == 2


def test_an_exercise_without_a_definition(notebook: Notebook):
    assert run(notebook.write("rate", "rate = SIZE / 8").answer("rate"))["rate"] == 0.5
    answer = notebook.without_ids().answer("rate")
    assert run(answer)["rate"] == 0.5


# --- nothing written ---


@pytest.mark.parametrize(
    "source",
    [
        "",
        "# YOUR CODE HERE",
        "def blend(first, second):\n    pass",
        'def blend(first, second):\n    """Other words."""\n    ...',
        "def blend(first: list, second: list) -> list:\n    # hm\n    raise NotImplementedError",
    ],
)
def test_a_stub_is_a_stub_however_it_looks(notebook: Notebook, source: str):
    answer = notebook.write("blend", source).answer()
    assert (answer.status, answer.source) == ("not-written", None)


def test_a_stub_below_a_finished_body_does_no_harm(notebook: Notebook):
    text = BLEND + '\n    # YOUR CODE HERE\n    raise NotImplementedError("not written yet: blend")'
    assert blends(notebook.write("blend", text).answer())


def test_stubs_are_never_answers(notebook: Notebook):
    stub = notebook.cells[notebook.place("blend")]["source"]
    assert blends(notebook.write("blend", BLEND).add("check-blend", stub, stub + "\n#").answer())


# --- missing ---


def test_a_deleted_answer_is_missing(notebook: Notebook):
    answer = notebook.without("blend").answer()
    assert answer.status == "missing" and said(answer) == "No cell defines blend."


def test_a_renamed_answer_is_missing_and_what_was_found_is_said(notebook: Notebook):
    answer = notebook.write("blend", BLEND.replace("blend", "mix")).answer()
    assert answer.status == "missing" and "Cell 5 defines mix, not blend" in said(answer)
    notebook.without("blend").add("check-blend", BLEND.replace("blend", "mix"))
    assert "Cell 5 defines mix, not blend" in said(notebook.answer())


def test_a_look_alike_is_missing_and_named(notebook: Notebook):
    answer = notebook.write("blend", BLEND.replace("blend", "bl\u0435nd")).answer()
    assert answer.status == "missing" and "cyrillic small letter ie in place of 'e'" in said(answer)


def test_letters_that_python_takes_as_equal_are_no_look_alikes(notebook: Notebook):
    assert blends(notebook.write("blend", BLEND.replace("blend", "\uff42lend")).answer())


def test_a_nested_answer_is_missing(notebook: Notebook):
    text = "def outer():\n" + "\n".join("    " + line for line in BLEND.split("\n"))
    answer = notebook.write("blend", text).answer()
    assert answer.status == "missing" and "inside of another definition" in said(answer)


def test_the_lessons_own_cells_are_no_answers(notebook: Notebook):
    assert notebook.without("rate").answer("rate").status == "missing"


# --- unreadable ---


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (BLEND + "\n    return ((", "'(' was never closed"),
        ("def blend(first, second):\nreturn 1", "line 2: expected an indented block"),
        (BLEND + "\n" + "# long\n" * 40_000, "longer than 200,000"),
        (f"{BLEND}\nx = {'-' * 100_000}1", "nested too deeply"),
        (f"{BLEND}\nimport {'.'.join('x' * 50_000)}", "within a hundred others"),
        (BLEND + "\nx = '\x00'", "null bytes"),
    ],
)
def test_what_is_no_python_is_said_to_be_none(notebook: Notebook, source: str, words: str):
    answer = notebook.write("blend", source).answer()
    assert answer.status == "unreadable" and words in said(answer) and "Cell 5" in said(answer)
    assert notebook.without_ids().answer().status == "unreadable"


def test_a_broken_line_of_definition_is_found_by_its_place(notebook: Notebook):
    notebook.without("blend").add("check-blend", BLEND.replace("def", "deff"))
    answer = notebook.answer()
    assert (answer.status, answer.found_by) == ("unreadable", "place")


def test_an_older_answer_counts_where_the_last_is_broken(notebook: Notebook):
    assert blends(notebook.write("blend", BLEND + "(").add("blend", BLEND).answer())


# --- helpers ---

USES = "def blend(first, second):\n    return [add(a, b) for a, b in zip(first, second)]"
ADD = "def add(a, b):\n    return a + b"


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
        "import operator as op, sys\nfrom functools import reduce\nSTART = BASE = 0\nBASE += 0",
        "TABLE = {}\nfor i in range(3):\n    TABLE[i] = i\nTABLE['b'] = 2; unused = 5",
        "def add(*numbers):\n    assert TABLE['b'] == 2 and TABLE[2] == 2\n"
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


# --- editors and shells ---


def test_a_cell_cut_between_helper_and_function(notebook: Notebook):
    notebook.write("blend", "import operator\n\n" + ADD).add("check-blend", USES)
    assert blends(notebook.answer())


def test_a_cell_cut_in_three(notebook: Notebook):
    parts = ["def blend(first,", "          second):", "    return [4,\n 6]"]
    notebook.without("blend").add("check-blend", *parts)
    answer = notebook.answer()
    assert blends(answer) and "Cells 5 to 7 were put together" in said(answer)


def test_an_indented_trial_below_is_not_a_part_of_the_answer(notebook: Notebook):
    notebook.write("blend", BLEND).add("check-blend", "    print(blend(order, order))")
    answer = notebook.answer()
    assert answer.source == BLEND and not answer.notes


def test_an_answer_that_is_indented_as_a_whole(notebook: Notebook):
    indented = "\n".join("    " + line for line in BLEND.split("\n"))
    assert blends(notebook.write("blend", indented).answer())


def test_magics_markers_and_tags(notebook: Notebook):
    text = f"%%time\n# NBVAL_SKIP\n!pip install numpy\n{BLEND}\n%timeit blend([1], [2])\nblend?"
    notebook.write("blend", text, metadata={"tags": ["raises-exception", "mine"]})
    answer = notebook.answer()
    assert blends(answer)
    for words in ("%%time", "NBVAL_SKIP", "!pip install", "%timeit", "blend?", "raises-exception"):
        assert words in said(answer), words
    assert "NBVAL" not in (answer.source or "") and "mine" not in said(answer)


def test_a_cell_that_a_magic_writes_to_a_file_is_read_as_one_that_sleeps(notebook: Notebook):
    answer = notebook.write("blend", f"%%writefile blend.py\n{BLEND}").answer()
    assert blends(answer) and "a %%writefile cell and was read as code" in said(answer)


def test_code_counts_before_text(notebook: Notebook):
    notebook.add("check-blend", f"```\n{BLEND}\n```", cell_type="markdown")
    assert blends(notebook.answer())
    notebook.write("blend", BLEND.replace("sum(pair)", "0"))
    assert not blends(notebook.answer())


def test_a_marker_in_the_text_finds_the_whole_cell(notebook: Notebook):
    text = f"# exercise: blend\nprint('beside')\n{BLEND}"
    answer = notebook.write("blend", text).without_ids().answer()
    assert (answer.found_by, answer.source) == ("marker", text)


def test_notes_are_few_short_and_printable(notebook: Notebook):
    name = "\u05d0" * 100_000
    text = "\n".join([BLEND, *(f"!x{i}" for i in range(500)), f"print({name})"])
    answer = notebook.write("blend", text).answer()
    assert answer.status == "found" and len(answer.notes) <= 21
    assert all(len(note) <= 300 and note.isprintable() for note in answer.notes)


# --- which assignment ---


def test_which_assignment_it_is(assignment: Assignment, notebook: Notebook, tmp_path: Path):
    (tmp_path / "08_other.py").write_text(LESSON.replace("blend", "mixed").replace("small", "o"))
    other = whole_lesson(read_lesson(tmp_path / "08_other.py"))
    both = [other, assignment]

    def found(cells: list[dict[str, Any]], name: str, **more: Any) -> Assignment | None:
        raw = {"nbformat": 4, "cells": cells, **more}
        return match(read_notebook(json.dumps(raw).encode()), name, both)

    blend = {"cell_type": "code", "source": BLEND}
    marked = {"cell_type": "code", "source": "# exercise: blend\nx = 1"}
    empty = {"cell_type": "code", "source": "x = 1"}
    for cells in (notebook.cells, [blend], [marked]):
        assert found(cells, "08_other.ipynb") is assignment
    says = {"metadata": {"coursekit": {"assignment": "07_small"}}}
    assert found([empty], "x.ipynb", **says) is assignment
    for name in ("07_small.ipynb", "ada/07_small (1).ipynb", "07/ada.ipynb", "ps07.ipynb"):
        assert found([empty], name) is assignment, name
    assert found([empty], "ada_2008.ipynb") is None
    assert found([], "08_other/07_small.ipynb") is assignment, "the file's own name counts most"
