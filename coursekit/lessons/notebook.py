"""Notebooks as plain dictionaries, written the same way every time."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from coursekit.lessons.regions import Cell

#: What an editor needs to know, and nothing of the machine that built the notebook.
METADATA: dict[str, Any] = {
    "kernelspec": {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    },
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


#: A code cell with this tag is shown folded in JupyterLab: a click opens it. So is every check,
#: whose code would tell the answer.
FOLDED = "folded"


def without_url_grammar() -> None:
    """Spare this process two seconds, when called before the first import of nbformat.

    jsonschema, which nbformat loads, builds a grammar of URLs at import if the optional package
    rfc3987_syntax is there (JupyterLab brings it). No URL is checked here.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def make_notebook(cells: Iterable[Cell]) -> dict[str, Any]:
    """A notebook of these cells, not executed."""
    return {
        "cells": [_cell(cell) for cell in cells],
        "metadata": METADATA,
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if cell.points is not None:
        metadata["coursekit"] = {"points": cell.points}
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    if FOLDED in cell.tags or cell.points is not None:
        metadata["jupyter"] = {"source_hidden": True}
    made: dict[str, Any] = {
        "cell_type": cell.kind,
        "id": cell.id,
        "metadata": metadata,
        "source": cell.source.splitlines(keepends=True),
    }
    if cell.kind == "code":
        made |= {"execution_count": None, "outputs": []}
    return made


def to_bytes(notebook: dict[str, Any]) -> bytes:
    """The file's content; equal notebooks give equal bytes, in Jupyter's own layout."""
    text = json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False)
    return (text + "\n").encode()


def text_of(value: str | list[str]) -> str:
    """A string that a notebook may hold as a list of lines."""
    return value if isinstance(value, str) else "".join(value)
