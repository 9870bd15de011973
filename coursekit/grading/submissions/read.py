"""A stranger's notebook file, read as data: cells with their text, and nothing of its outputs."""

from __future__ import annotations

import json
import re
from typing import Any

#: What a notebook may hold, apart from its outputs and pictures.
MOST_CELLS, MOST_TEXT = 2_000, 4_000_000
_MOST_BYTES = 64 << 20
_MOST_BRACKETS = 1_000_000  # each becomes a list or dict of at least 56 bytes
_MOST_STRINGS = 1_000_000
_MOST_PASSED = 4_000_000  # brackets within outputs, which are only counted
_MOST_SHOWN = 50_000  # places with outputs, attachments or states of widgets
# What a notebook shows can be of any size and says nothing of its code: passed over unread.
_STRING = rb'"(?:[^"\\]++|\\.)*+"'
_SHOWN = rb'"(?:outputs|attachments|widgets)"\s*+:\s*+[\[{]'
_BULKY = re.compile(_SHOWN)
_KEPT = re.compile(rb'(?:[^"]++|(?!' + _SHOWN + rb")" + _STRING + rb")*+", re.DOTALL)
_FLAT = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+", re.DOTALL)
#: A picture within a text, as Colab writes it.
_PICTURE = re.compile(r"data:[\w/.+-]{1,80};base64,[\w+/=%-]{100,}+")
_MANY_PARTS = "its outputs have too many parts; clear them and save it again"
_NOT_JSON = {
    b"PK\x03\x04": "a zip: rename it to .zip, or hand in the notebook inside",
    b"%PDF": "a PDF: hand in the notebook itself",
    b"<": "a web page: download the notebook itself (on GitHub by the button “Raw”)",
    b"\x1f\x8b": "a gzip archive: hand in the notebook itself",
    b"version https://git-lfs": "a pointer of Git LFS, not the file that it stands for",
}
_SURROGATE = re.compile("[\ud800-\udfff]")


class _Twice(dict[str, Any]):
    """A JSON object that gives one of its keys two values."""


def read_notebook(content: bytes) -> dict[str, Any]:
    """The cells of a notebook of format 2, 3 or 4.

    Args:
        content: of the file, which may be anything.

    Returns:
        `cells`, each with `type` ("code", "markdown" or "raw"), `id` (None without one),
        `metadata` (a dict) and `source`; the notebook's own `metadata`; and `notes`, sentences on
        what was mended. Metadata are cut to short texts.

    Raises:
        ValueError: when it is no notebook; the message is a sentence for the student.
    """
    notes: list[str] = []
    data = _object(_decode(_without_shown(content), notes))
    version = data.get("nbformat")
    if not isinstance(version, int) or isinstance(version, bool):
        raise ValueError("it does not say its nbformat, so it is no notebook")
    if not 2 <= version <= 4:
        raise ValueError(f"its format is nbformat {version}; save it as nbformat 4")
    cells = [_cell(cell, i) for i, cell in enumerate(_raw_cells(data, version), 1)]
    if len(cells) > MOST_CELLS or sum(len(c["source"]) for c in cells) > MOST_TEXT:
        raise ValueError(
            f"it holds more than {MOST_CELLS:,} cells or {MOST_TEXT:,} characters of text"
        )
    return {"cells": cells, "metadata": _metadata(data.get("metadata")), "notes": notes}


def without_outputs(content: bytes) -> bytes:
    """The same notebook without outputs.

    Raises:
        ValueError: as `read_notebook`.
    """
    read = read_notebook(content)
    cells = [
        {"cell_type": c["type"], "metadata": c["metadata"], "source": c["source"]}
        | ({} if c["id"] is None else {"id": c["id"]})
        for c in read["cells"]
    ]
    slim = {"nbformat": 4, "nbformat_minor": 5, "metadata": read["metadata"], "cells": cells}
    return json.dumps(slim, sort_keys=True).encode()


def _without_shown(content: bytes) -> bytes:
    """The same JSON with empty outputs, attachments and states of widgets.

    Raises:
        ValueError: when what is left is too large, or what is left out is endless.
    """
    encoding = json.detect_encoding(content)
    if encoding != "utf-8" and b"\0" in content[:4]:  # UTF-16 or UTF-32
        content = content.decode(encoding, "replace").encode("utf-8", "replace")
    kept, start, brackets = [], 0, 0
    while (end := _end(_KEPT, content, start)) < len(content):
        if not (bulky := _BULKY.match(content, end)):  # a text without an end: no JSON
            break
        kept += [content[start : bulky.end()], b"]" if content[bulky.end() - 1] == 0x5B else b"}"]
        start, depth = bulky.end(), 1
        while depth and (at := _end(_FLAT, content, start)) < len(content):
            # A text without an end is no JSON, which is for the parser to say.
            depth += 1 if content[at] in b"[{" else -1 if content[at] in b"]}" else -depth
            start = at + 1
            brackets += 1
            if brackets > _MOST_PASSED:
                raise ValueError(_MANY_PARTS)
        if len(kept) > 2 * _MOST_SHOWN:
            raise ValueError(_MANY_PARTS)
    kept.append(content[start:])
    if sum(map(len, kept)) > _MOST_BYTES:
        raise ValueError(f"it is larger than {_MOST_BYTES >> 20} MB even without its outputs")
    return b"".join(kept)


def _end(pattern: re.Pattern[bytes], content: bytes, start: int) -> int:
    found = pattern.match(content, start)
    return found.end() if found else start


def _decode(content: bytes, notes: list[str]) -> str:
    head = content[:200].lstrip()
    if not content.strip(b"\x00 \t\r\n"):
        raise ValueError("the file is empty")
    for magic, what in _NOT_JSON.items():
        if head.startswith(magic):
            raise ValueError(f"it is not a notebook but {what}")
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        notes.append("Some characters of the file could not be read; they show as “\ufffd”.")
        return content.decode(encoding, "replace")


def _object(text: str) -> dict[str, Any]:
    """The JSON object that a text is."""
    brackets, quotes = text.count("[") + text.count("{"), text.count('"')
    if brackets > _MOST_BRACKETS or quotes > 2 * _MOST_STRINGS:
        raise ValueError("its JSON has too many parts; clear the outputs and save it again")
    try:
        data = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=lambda name: None,  # NaN, which stands in honest outputs
        )
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        broken = f"{error.msg}, line {error.lineno}"
        raise ValueError(f"it is not JSON, so it is no notebook ({broken})") from None
    except ValueError:  # Python refuses to read thousands of digits
        raise ValueError("it holds a number of thousands of digits") from None
    return _dict(data, "it")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Twice(found)


def _dict(value: Any, what: str) -> dict[str, Any]:
    if isinstance(value, _Twice):
        raise ValueError(f"{what} gives one of its keys twice, so it has no certain content")
    if not isinstance(value, dict):
        raise ValueError(f"{what} is no JSON object, so this is no notebook")
    return value


def _raw_cells(data: dict[str, Any], version: int) -> list[Any]:
    if version == 4:
        lists = [data.get("cells")]
    else:
        sheets = data.get("worksheets")
        if not isinstance(sheets, list):
            raise ValueError("it has no worksheets, so it is no notebook")
        lists = [_dict(sheet, "a worksheet").get("cells") for sheet in sheets]
    for cells in lists:
        if not isinstance(cells, list):
            raise ValueError("it has no list of cells, so it is no notebook")
    return [cell for cells in lists for cell in cells or ()]


def _cell(raw: Any, number: int) -> dict[str, Any]:
    cell = _dict(raw, f"cell {number}")
    kind = cell.get("cell_type")
    if not isinstance(kind, str):
        raise ValueError(f"cell {number} has no type")
    name = cell.get("id")
    source = cell.get("input") if "input" in cell and "source" not in cell else cell.get("source")
    text = _text(source, number)
    return {
        "type": {"code": "code", "raw": "raw"}.get(kind, "markdown"),  # v3 has "heading", "html"
        "id": _whole(name[:200]) if isinstance(name, str) else None,
        "metadata": _metadata(cell.get("metadata")),
        "source": text if kind == "code" else _PICTURE.sub("data:,", text),
    }


def _text(source: Any, number: int) -> str:
    if source is None:
        return ""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise ValueError(f"the text of cell {number} is no text")
    return _whole(source.replace("\r\n", "\n").replace("\r", "\n"))


def _whole(text: str) -> str:
    """A text that can be written as UTF-8: JSON may hold halves of characters."""
    return _SURROGATE.sub("\ufffd", text)


def _short(value: Any) -> Any:
    """What of a cell's metadata can say which cell it is: short texts, two levels deep."""
    if isinstance(value, str):
        return _whole(value[:200])
    if isinstance(value, list):
        return [_whole(item[:200]) for item in value[:50] if isinstance(item, str)]
    if isinstance(value, dict):
        pairs = list(value.items())[:50]
        return {_whole(k[:200]): _whole(v[:200]) for k, v in pairs if isinstance(v, str)}
    return None


def _metadata(value: Any) -> dict[str, Any]:
    pairs = list(value.items())[:50] if isinstance(value, dict) else []
    return {_whole(key[:200]): _short(item) for key, item in pairs}
