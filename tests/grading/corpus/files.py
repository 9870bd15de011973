"""Attacks on whoever reads what was handed in: notebooks, zips and folders that are none."""

from __future__ import annotations

import io
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.grading.corpus.kinds import (
    ALL,
    HANDED_IN,
    LESSON,
    RIGHT,
    WRONG,
    Entry,
    Files,
    as_bytes,
    code_cell,
    find,
    notebook,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_MIB = 1 << 20


def _file(name: str, about: str, content: Callable[[], bytes], *, slow: bool = False) -> Entry:
    """A file that is no notebook."""
    return Entry(name, about, lambda bait: {HANDED_IN: content()}, ALL, slow=slow)


def _changed(name: str, about: str, change: Callable[[dict[str, Any]], object]) -> Entry:
    """A right notebook that is changed so that it is none."""

    def make() -> bytes:
        made = notebook()
        change(made)
        return as_bytes(made)

    return _file(name, about, make)


def _as(name: str, about: str, files: Callable[[], Files], **more: Any) -> Entry:
    return Entry(name, about, lambda bait: files(), **{"loses": ALL} | more)


def _zip(entries: dict[str, bytes], kinds: dict[str, int] | None = None) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = ((kinds or {}).get(name, stat.S_IFREG) | 0o777) << 16
            archive.writestr(info, content)
    return file.getvalue()


def _bomb(levels: int) -> bytes:
    content = b"\0" * (50 * _MIB)
    name = f"{LESSON}.ipynb"
    for _ in range(levels):
        content = _zip({name: content} | {f"more{i}.ipynb": content for i in range(3)})
        name = "inner.zip"
    return content


def _deep_code(kind: str) -> bytes:
    """Text that is hard to parse, in place of an answer; the others are right."""
    texts = {
        "brackets": "(" * 5000 + ")" * 5000,
        "signs": "x = " + "-" * 100_000 + "1",
        "sum": "x = " + "+".join(["1"] * 100_000),
        "dots": "x = a" + ".b" * 50_000,
        "calls": "x = f" + "()" * 20_000,
        "ifs": "\n".join("  " * i + "if 1:" for i in range(99)) + "\n" + "  " * 99 + "x = 1",
        "elifs": "if 1:\n    x = 1\n" + "elif 1:\n    x = 1\n" * 10_000,
        "digits": "x = " + "9" * 100_000,
        "power": "x = 9**9**9",
        "format": "x = f'" + "{" * 200 + "x" + "}" * 200 + "'",
        "null": "x = 1\0\nx = 2",
    }
    return as_bytes(notebook(RIGHT | {"paint": f"{texts[kind]}\n\n{WRONG['paint']}"}))


def _lines(number: int) -> bytes:
    return as_bytes(notebook(RIGHT | {"paint": "\n" * number + "("}))


def _stubs() -> bytes:
    """Thousands of stubs, and cells of long text that each of them might look through."""
    stub = "def paint(label_map, palette):\n    ...\n"
    made = notebook(RIGHT | {"paint": WRONG["paint"]})
    made["cells"][3:3] = [code_cell(stub * 500, f"s{i}") for i in range(5)]
    made["cells"][3:3] = [code_cell("x = '''" + "Check " * 32_000, f"l{i}") for i in range(18)]
    return as_bytes(made)


def _bound_at_once() -> bytes:
    """An answer that uses each of thousands of names, which one statement binds."""
    names = [f"b{i}" for i in range(12_000)]
    text = f"{' = '.join(names)} = 0\nused = lambda: ({', '.join(names)})\n"
    return as_bytes(notebook(RIGHT | {"paint": text + WRONG["paint"] + "    used()\n"}))


def _hard(kind: str, about: str) -> Entry:
    return _as(f"hard-text-{kind}", about, lambda: {HANDED_IN: _deep_code(kind)},
               loses=frozenset({"paint"}))  # fmt: skip


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _homoglyphs() -> bytes:
    made = notebook(RIGHT | {"paint": RIGHT["paint"].replace("paint", "p\u0430int")})
    cell = find(made, "paint")
    cell["source"] = cell["source"].split("\n", 1)[1]
    return as_bytes(made)


def _many_cells(number: int) -> bytes:
    made = notebook()
    made["cells"] += [code_cell("x = 1", f"c{i}") for i in range(number)]
    return as_bytes(made)


def _twice() -> bytes:
    text = as_bytes(notebook()).decode()
    return text.replace('"nbformat": 4', '"cells": [], "nbformat": 4').encode()


NOTEBOOKS = (
    _file("empty", "an empty file", lambda: b""),
    _file("not-json", "a picture called .ipynb", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
    _file("deep-json", "JSON nested a hundred thousand deep",
          lambda: b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b', "nbformat": 4}'),
    _file("many-brackets", "ten million brackets",
          lambda: b'{"nbformat": 4, "cells": [' + b"{},[]," * 2_000_000 + b"{}]}", slow=True),
    _file("huge-notebook", "thirty megabytes of text",
          lambda: as_bytes(notebook(RIGHT | {"paint": "#" * (30 * _MIB)})), slow=True),
    _file("huge-number", "a number of a hundred thousand digits",
          lambda: b'{"nbformat": ' + b"4" * 100_000 + b', "cells": []}'),
    _file("many-outputs", "places for outputs, and names of things, without end",
          lambda: b'{"nbformat": 4, "cells": [' + b'{"outputs":[]},' * 800_000 + b"{}]}"),
    _file("many-keys", "an object of a million keys", lambda: b'{"nbformat": 4, "metadata": {'
          + b",".join(b'"%d":1' % i for i in range(1_100_000)) + b"}}"),
    _as("many-stubs", "a stub, thousands of times, beside long texts",
        lambda: {HANDED_IN: _stubs()}, loses=frozenset({"paint"}), free=ALL - {"paint"}),
    _as("bound-at-once", "thousands of names that one statement binds",
        lambda: {HANDED_IN: _bound_at_once()}, loses=frozenset({"paint"})),
    _file("many-cells", "ten thousand cells", lambda: _many_cells(10_000)),
    _file("twice", "an object with one key twice", _twice),
    _file("utf-16-half", "half of a UTF-16 file", lambda: as_bytes(notebook()).decode()
          .encode("utf-16")[:1001]),
    _changed("cells-no-list", "cells that are no list", lambda n: n.update(cells={"a": 1})),
    _changed("cells-no-objects", "cells that are numbers", lambda n: n.update(cells=[1, 2, None])),
    _changed("sources-no-text", "texts that are objects",
             lambda n: [c.update(source={"x": [1]}) for c in n["cells"]]),
    _changed("next-format", "a format that there is not yet", lambda n: n.update(nbformat=99)),
    _changed("types-no-text", "types that are lists",
             lambda n: [c.update(cell_type=["code"]) for c in n["cells"]]),
    _as("homoglyphs", "the right function under a look-alike of its name",
        lambda: {HANDED_IN: _homoglyphs()}, loses=frozenset({"paint"}),
        statuses=frozenset({"missing"})),
    *(_hard(kind, "text that is hard to parse, before a wrong answer") for kind in (
        "brackets", "signs", "sum", "dots", "calls", "ifs", "elifs", "digits",
        "format", "null")),
    _as("empty-lines", "twenty thousand empty lines", lambda: {HANDED_IN: _lines(20_000)},
        loses=frozenset({"paint"})),
)  # fmt: skip

ZIPS = (
    _as("zip-bomb", "a zip whose notebooks unpack to fifty megabytes each",
        lambda: {"student.zip": _bomb(1)}),
    _as("zip-bomb-nested", "zips within zips within zips", lambda: {"student.zip": _bomb(3)}),
    _as("zip-traversal", "a zip with paths that lead out of it", lambda: {"student.zip": _zip({
        f"../../{LESSON}.ipynb": as_bytes(notebook()), f"/tmp/{LESSON}.ipynb": b"{}",
        f"C:\\{LESSON}.ipynb": b"{}", f"a/../../{LESSON}.ipynb": as_bytes(notebook()),
    })}),
    _as("zip-link", "a zip with a link to the solutions", lambda: {"student.zip": _zip(
        {f"{LESSON}.ipynb": b"/srv/course/notebooks/solved/00_welcome.ipynb"},
        {f"{LESSON}.ipynb": stat.S_IFLNK})}),
    _as("zip-lies", "a zip whose list of entries is broken",
        lambda: {"student.zip": _zip({f"{LESSON}.ipynb": as_bytes(notebook())})[:-30]}),
    _as("zip-no-zip", "a notebook called .zip, cut", lambda: {"student.zip": b"PK\x03\x04" * 99}),
)  # fmt: skip

FOLDERS = (
    _as("link", "a link to somebody else's file", lambda: {
        HANDED_IN: _link(str(Path(__file__).resolve()))}),
    _as("link-folder", "a link to a folder", lambda: {"student": _link("/")}),
    _as("fifo", "a pipe that nobody writes to", lambda: {HANDED_IN: _fifo}),
    _as("device", "a device that never ends", lambda: {HANDED_IN: _link("/dev/zero")}),
    _as("folder-as-notebook", "a folder called .ipynb",
        lambda: {f"{HANDED_IN}/x.txt": b"nothing"}),
    _as("pickle", "a pickle and a checkpoint that run code when they are read", lambda: {
        HANDED_IN: as_bytes(notebook(RIGHT | {"paint": WRONG["paint"]})),
        "student/model.pt": b"cos\nsystem\n(S'touch /tmp/coursekit-arrived'\ntR.",
        "student/outputs.pkl": b"cos\nsystem\n(S'touch /tmp/coursekit-arrived'\ntR.",
        "student/conftest.py": b"raise SystemExit('arrived')\n",
        "student/sitecustomize.py": b"raise SystemExit('arrived')\n",
    }, loses=frozenset({"paint"}), statuses=frozenset({"wrong"})),
    _as("other-lesson", "a notebook of another lesson", lambda: {
        "student/99_other.ipynb": json.dumps({
            "nbformat": 4, "nbformat_minor": 5, "metadata": {},
            "cells": [code_cell("def other():\n    return 1")]}).encode()}),
)  # fmt: skip

FILES: tuple[Entry, ...] = (*NOTEBOOKS, *ZIPS, *FOLDERS)
