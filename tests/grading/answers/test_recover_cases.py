"""What students do to one notebook of a small lesson, case by case."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from coursekit.grading.answers.key import key_of
from coursekit.grading.answers.match import match
from coursekit.grading.submissions.read import read_notebook
from coursekit.lessons.course import Assignment
from tests.grading.small_lesson import ADD, BLEND, LESSON, USES, Notebook, blends, lesson, run, said
from tests.growth import grows_linearly


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


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


def test_a_check_that_was_rewritten_keeps_its_place(notebook: Notebook):
    notebook.write("check-blend", "print(blend([1], [2]))")
    test_what_is_tried_below_the_check_does_not_count(notebook)


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


def test_an_exercise_that_is_a_variable_is_answered_in_its_cell(notebook: Notebook):
    notebook.write("rate", "rate = SIZE / 8").add("check-rate", "rate = 99")
    assert run(notebook.answer("rate"))["rate"] == 0.5


def test_a_helper_within_the_solution_need_not_be_the_students():
    text = (
        LESSON.split("# %% blend")[0]
        + """# %% blend
def blend(first):
    ### BEGIN SOLUTION
    return _one(first)

def _one(x):
    return x
    ### END SOLUTION

# %% check-blend
Check("blend")
"""
    )
    assert key_of(lesson("09_more", text).lesson).exercises["blend"].wanted == ("blend",)


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


def test_the_lessons_own_cells_are_no_answers():
    """A lesson may itself redefine a name, as in a library's twin, or quote it in a text."""
    text = LESSON.replace("# %% train", "# %% twin\ndef blend(a, b):\n    return 0\n\n# %% train")
    text = text.replace(
        "Write `blend`, which", "Write\n# ```\n# def blend(a, b): ...\n# ```\n# which"
    )
    text = text.replace("def blend(a, b): ...", "def blend(a, b): return a")
    notebook = Notebook(lesson("09_twins", text))
    assert notebook.answer().status == "not-written"
    for cell in notebook.cells:
        if cell["id"] == "twin" or "```" in cell["source"]:
            cell["source"] += "\n# seen"
    assert notebook.answer().status == "not-written"
    assert notebook.without("blend").answer().status == "missing"


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


def test_the_rest_of_a_function_is_known_by_what_it_uses_or_by_its_return(notebook: Notebook):
    start, rest = "def blend(first, second):\n    print('x')", "    return [4, 6]"
    notebook.write("blend", start).add("check-blend", rest)
    assert blends(notebook.answer())
    method = "    @staticmethod\n    def add(self):\n        return 5"
    notebook.write("pair", "class Box:\n    size = 3").add("check-pair", method)
    assert run(notebook.answer("pair"))["Box"].add(1) == 5


def test_an_answer_that_is_indented_as_a_whole(notebook: Notebook):
    indented = "\n".join("    " + line for line in BLEND.split("\n"))
    assert blends(notebook.write("blend", indented).answer())
    assert blends(notebook.add("blend", "x = (1").answer())
    assert blends(notebook.add("blend", "def other(first):\n    return first((").answer())


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


def test_which_assignment_it_is(notebook: Notebook):
    assignment = notebook.assignment
    both = [lesson("08_other", LESSON.replace("blend", "mixed").replace("small", "o")), assignment]

    def found(cells: list[dict[str, Any]], name: str, **more: Any) -> Assignment | None:
        raw = {"nbformat": 4, "cells": cells, **more}
        return match(read_notebook(json.dumps(raw).encode()), name, both)

    blend = {"cell_type": "code", "source": BLEND}
    marked = {"cell_type": "code", "source": "# exercise: blend\nx = 1"}
    empty = {"cell_type": "code", "source": "x = 1"}
    for cells in (notebook.cells, [blend], [marked]):
        assert found(cells, "08_other.ipynb") is assignment
    little = {"cell_type": "markdown", "source": "# A small lesson"}
    assert found([little], "ada.ipynb") is assignment
    assert found([little], "08_other.ipynb") is both[0], "a heading says less than a name"
    says = {"metadata": {"coursekit": {"assignment": "07_small"}}}
    assert found([empty], "x.ipynb", **says) is assignment
    for name in ("07_small.ipynb", "ada/07_small (1).ipynb", "07/ada.ipynb", "ps07.ipynb"):
        assert found([empty], name) is assignment, name
    assert found([empty], "ada_2008.ipynb") is None
    assert found([], "08_other/07_small.ipynb") is assignment, "the file's own name counts most"


# --- hostile ---

_ONE = "def blend(first, second):\n return 1\n"
HOSTILE = {
    "definitions": [_ONE * 900] * 3,
    "cells": [_ONE] * 1900,
    "broken cells": [_ONE + "("] * 1900,
    "indented cells": ["def f(x):\n  y = 1"] + ["    y"] * 1900,
    "names": [
        f"def blend(a, b):\n return [{', '.join(f'x{i}' for i in range(20_000))}]",
        "\n".join(f"x{i} = x{i + 1}" for i in range(900)),
    ],
    "fillers": ["def blend(a, b):\n return x", "x = {}\n" + "x[0] = 1\n" * 900],
    "one line": ["def blend(a, b):\n return x", "x = y;" * 900],
    "bases": ["class blend(blend):\n pass\n" * 450],
    "trials": [f"# exercise: blend\n{_ONE}" + "print(foo)\n" * 900],
    "tuples": [f"def blend(a, b):\n return [{f'({i},),' * 25_000}]" for i in range(2)],
    "deep": [_ONE + f"    {'-' * 900}1\n" + "x" + ".x" * 900],
    "calls": [_ONE, "x" + ".x()" * 900, "f(" * 90 + ")" * 90],
    "callers": [
        "\n".join(f"def f{i}():\n global x{i}\n x{i} = {i}\n f{i + 1}()" for i in range(300)),
        f"f0()\ndef blend(a, b):\n return [{', '.join(f'x{i}' for i in range(300))}]",
    ],
    "numbers": ["def blend(a, b):\n return 0x" + "f" * 10_000],
    "magics": ["%x\n" * 60_000],
    "texts": ["blend\n```\n" * 200_000],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_notebooks_are_read_in_linear_time_and_raise_nothing(kind: str):
    more = {"cell_type": "raw"} if kind == "texts" else {}

    def read(eighths: int) -> None:
        sources = HOSTILE[kind]
        if len(sources) < 8:
            sources = [source[: len(source) * eighths // 8] for source in sources]
        notebook = Notebook().add("", *sources[: max(8, len(sources) * eighths // 8)], **more)
        with ThreadPoolExecutor(1) as pool:  # as in grading; a thread's stack may be smaller
            answer = pool.submit(notebook.answer).result()
        assert answer.status in ("found", "unreadable", "not-written")
        assert all(len(note) <= 300 for note in answer.notes)

    assert grows_linearly(read, 8)
