"""A notebook's file may be anything; what comes of it is plain data, or a sentence."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.submissions.read import MOST_CELLS, read_notebook, without_outputs


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
        (b'{"nbformat": 4, "metadata": {' + b'"":1,' * 1_100_000 + b'"":1}}', "too many parts"),
        (b'{"nbformat": 4, "cells": [' + b'{"outputs":[]},' * 60_000 + b"{}]}", "too many parts"),
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
