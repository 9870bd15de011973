"""A notebook's file may be anything; what comes of it is plain data, or a sentence."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.answers.mending import LONGEST, Budget, mend, parse
from coursekit.grading.answers.reading import MOST_CELLS, read_notebook, without_outputs
from tests.growth import grows_linearly


def made(*cells: dict, **more: object) -> dict:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}


def code(source: object, **more: object) -> dict:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], **more}


def read(data: object) -> list[dict]:
    return read_notebook(json.dumps(data).encode())["cells"]


def test_what_is_kept_of_a_cell():
    (cell,) = read(made(code(["a\r\n", "b"], id="up", metadata={"tags": ["slow"], "n": 3})))
    assert cell == {
        "type": "code", "id": "up", "metadata": {"tags": ["slow"], "n": None}, "source": "a\nb",
    }  # fmt: skip


def test_old_formats():
    old = {"cells": [{"cell_type": "code", "input": ["x = 1\n", "y = 2"], "outputs": []},
                     {"cell_type": "heading", "level": 1, "source": ["Title"]}]}  # fmt: skip
    for version in (2, 3):
        cells = read({"nbformat": version, "metadata": {}, "worksheets": [old, old]})
        assert [c["type"] for c in cells] == ["code", "markdown"] * 2
        assert cells[0]["source"] == "x = 1\ny = 2" and cells[0]["id"] is None
    for minor in range(6):
        assert len(read(made(code("x"), nbformat_minor=minor))) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings(encoding: str):
    text = json.dumps(made(code("größe = 'ä'")), ensure_ascii=False)
    (cell,) = read_notebook(text.encode(encoding))["cells"]
    assert cell["source"] == "größe = 'ä'"


def test_bytes_that_are_no_text_are_mended_and_noted():
    text = json.dumps(made(code("# größe")), ensure_ascii=False)
    notebook = read_notebook(text.encode("latin-1"))
    assert notebook["cells"][0]["source"].startswith("# gr\ufffd")
    assert len(notebook["notes"]) == 1
    (cell,) = read(made(code("x = '\ud800'", id="\udc00")))
    cell["source"].encode()  # half a character could not be written
    cell["id"].encode()


def test_what_stands_in_outputs_does_not_matter():
    outputs = '[NaN, Infinity, 1e999, {"a": 1, "a": 2}]'
    text = json.dumps(made(code("x"))).replace('"outputs": []', f'"outputs": {outputs}')
    assert read_notebook(text.encode())["cells"][0]["source"] == "x"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\x00" * 100, "empty"),
        (b"PK\x03\x04rest", "a zip"),
        (b"%PDF-1.7", "a PDF"),
        (b"\n<!DOCTYPE html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"print('hello')", "not JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "nbformat"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": {}}', "no list of cells"),
        (b'{"nbformat": 4, "cells": [1]}', "cell 1 is no JSON object"),
        (b'{"nbformat": 4, "cells": [{}]}', "cell 1 has no type"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": 3}]}', "is no text"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": [[]]}]}', "is no text"),
        (b'{"nbformat": true, "cells": []}', "nbformat"),
        (b'{"nbformat": NaN, "cells": []}', "nbformat"),
        (b'{"nbformat": 5, "cells": []}', "nbformat 5"),
        (b'{"nbformat": 3, "cells": []}', "no worksheets"),
        (b'{"nbformat": 3, "worksheets": [7]}', "a worksheet is no JSON object"),
        (b'{"nbformat": 4, "cells": [], "cells": []}', "twice"),
        (b'{"nbformat": 4, "cells": [{"cell_type": "code", "source": "", "source": ""}]}', "twice"),
        (b'{"nbformat": ' + b"9" * 5000 + b"}", "thousands of digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"nbformat": 4, "cells": [' + b"[]," * 1_100_000 + b"[]]}", "too many parts"),
        (json.dumps(made(*[code("")] * (MOST_CELLS + 1))).encode(), "more than"),
        (json.dumps(made(code("x" * 5_000_000))).encode(), "more than"),
        (b'{"nbformat": 4, "cells": [', "not JSON"),
    ],
)
def test_what_is_no_notebook(content: bytes, words: str):
    with pytest.raises(ValueError, match=words) as caught:
        read_notebook(content)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes(content: bytes):
    with contextlib.suppress(ValueError):
        read_notebook(content)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_cell = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "x"]) | _json,
        "source": st.text() | st.lists(st.text()) | _json,
        "id": st.text() | _json,
        "metadata": st.dictionaries(st.text(), _json) | _json,
        "outputs": _json,
    },
)


@given(st.fixed_dictionaries({"nbformat": st.just(4), "cells": st.lists(_cell | _json)}))
def test_any_json(data: dict):
    content = json.dumps(data).encode()
    try:
        cells = read_notebook(content)["cells"]
    except ValueError:
        return
    for cell in cells:
        assert cell["type"] in ("code", "markdown", "raw")
        assert isinstance(cell["source"], str) and isinstance(cell["metadata"], dict)
        json.dumps(cell).encode()
    # A tuple of rounds: without outputs it reads the same.
    assert read_notebook(without_outputs(content))["cells"] == cells


# --- Python ---

BOMBS = {
    "minus": "-" * 100_000 + "1",
    "not": "not " * 40_000 + "1",
    "attributes": "x" + ".x" * 50_000,
    "calls": "x" + "()" * 50_000,
    "sums": "1" + "+1" * 50_000,
    "powers": "1" + "**1" * 50_000,
    "brackets": "(" * 100_000,
    "closed brackets": "[" * 90_000 + "]" * 90_000,
    "lambdas": "lambda:" * 20_000 + "1",
    "choices": "1 if 1 else " * 15_000 + "1",
    "elif": "if 1:\n pass\n" + "elif 1:\n pass\n" * 12_000,
    "indentation": "".join(" " * i + "if 1:\n" for i in range(500)),
    "long import": "import " + ".".join("x" * 50_000),
    "long import in lines": "from " + ".\\\n".join("x" * 20_000) + " import y",
    "digits": "x = " + "9" * 100_000,
    "comprehensions": "[x " + "for x in y " * 15_000 + "]",
    "f-strings": "f'{x:{y}}'" * 15_000,
    "nul": "x = 1\x00",
    "long": "x = 1\n" * 50_000,
    "strings": "'''" * 40_000 + "\\",
    "quotes": "\\'''" * 40_000 + "\\",
    "spaces": "\u00a0" * 190_000 + "(",
    "tabs": "if 1:\n\tx\n        y\n" * 5_000,
    "magics": "%x\n" * 50_000 + ")",
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_for_the_parser(kind: str):
    def defuse(size: int) -> None:
        mended = mend(BOMBS[kind][:size], Budget())
        assert (mended.tree is None) == bool(mended.problem)

    assert grows_linearly(defuse, len(BOMBS[kind]))


def test_a_notebook_of_bombs_runs_into_the_budget():
    budget = Budget()
    problems = [mend('x = "' + "y" * (LONGEST - 10) + '"', budget).problem for _ in range(9)]
    assert problems[0] == "" and all("more code" in problem for problem in problems[2:])


def test_too_many_statements():
    assert "1,000 statements" in parse("x\n" * 1_001, Budget()).problem
    budget = Budget()
    assert [parse("x\n" * 900, budget).problem for _ in range(3)] == [""] * 3
    assert "more code" in parse("x\n" * 900, budget).problem


@pytest.mark.parametrize("text", ['"\\d"', "1if 2else 3", "x is 1", "# type: ignore[", "await x"])
def test_what_python_only_warns_of(text: str):
    assert parse(text, Budget()).tree is not None


@given(st.text())
def test_any_text(text: str):
    mended = mend(text, Budget())
    assert (mended.tree is None) == bool(mended.problem)


@pytest.mark.parametrize(
    ("text", "expected", "words"),
    [
        ("%%time\nx = 1", "\nx = 1", "%%time"),
        ("!pip install x\nx = 1", "pass  # !pip install x\nx = 1", "!pip install x"),
        ("x = 1\n%timeit f(x)", "x = 1\npass  # %timeit f(x)", "%timeit"),
        ("if x:\n    !ls\ny = 1", "if x:\n    pass  # !ls\ny = 1", "!ls"),
        ("pip install x\ny = 1", "pass  # pip install x\ny = 1", "pip install"),
        ("?f\nf?\nx = 1", "pass  # ?f\npass  # f?\nx = 1", "f?"),
        ("a = !ls\nx = 1", "pass  # a = !ls\nx = 1", "!ls"),
        ("!a \\\n  b\nx = 1", "pass  # !a\n# b\nx = 1", "!a"),
        ("x = (a\n% b)", "x = (a\n% b)", ""),
        ("s = '''\n%time\n'''\n%time x", "s = '''\n%time\n'''\npass  # %time x", "%time x"),
        ("# NBVAL_SKIP\nx = 1", "#\nx = 1", "NBVAL_SKIP"),
        ("x = 1\n  ## NBVAL_RAISES_EXCEPTION \n", "x = 1\n  # \n", "NBVAL_RAISES"),
        ("'''\n# NBVAL_SKIP\n'''", "'''\n#\n'''", "NBVAL_SKIP"),
        ("x = 1 #\u2028# NBVAL_SKIP", "x = 1 #\u2028#", "NBVAL_SKIP"),
        ("# %% up\nx = 1", "#\nx = 1", ""),
        ("def f():\n\u00a0\u00a0return 1", "def f():\n  return 1", "Unusual spaces"),
        ("x\u200b = 'a\u00a0\u200bb'", "x = 'a\u00a0\u200bb'", "invisible"),
        ("x = 'a\u00a0b'", "x = 'a\u00a0b'", ""),
        ("\ufeffx = 1", "x = 1", "invisible"),
        ("# -*- coding: latin-1 -*-\nx = 'ä'", "# -*- coding: latin-1 -*-\nx = 'ä'", ""),
    ],
)
def test_mending(text: str, expected: str, words: str):
    mended = mend(text, Budget())
    assert mended.source == expected and mended.tree is not None
    assert words in " ".join(mended.notes) and bool(mended.notes) == bool(words)


def test_tabs_are_mended_only_where_their_width_does_not_matter():
    safe = mend("def f():\n\tx = 1\n\tif x:\n\t    return x\n    \ty = 1", Budget())
    assert safe.tree is None  # the last line is another block with each width
    safe = mend("def f():\n\tif x:\n\t\treturn 1\n\telse:\n\t\treturn (2,\n    3)", Budget())
    assert safe.tree is not None


def test_another_languages_cell_is_no_python_to_run():
    mended = mend("%%writefile a.py\nx = 1", Budget())
    assert mended.magic == "writefile" and mended.tree is not None
