"""Attacks that speak for the kernel: forged replies, broken messages, markers, pictures, text."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any

from tests.grading.corpus.kinds import (
    ALL,
    HANDED_IN,
    RIGHT,
    WRONG,
    Bait,
    Entry,
    Files,
    as_bytes,
    cheat,
    code_cell,
    find,
    hand_in,
    notebook,
)

if TYPE_CHECKING:
    from collections.abc import Callable

TOOLS = """
import json, os, struct, threading, time
_kernel = get_ipython().kernel
def _send(channel, kind, content, **more):
    session = _kernel.session
    message = session.msg(kind, content=content, parent=_kernel.get_parent("shell"))
    message.update(more)
    if channel == "iopub":
        session.send(_kernel.iopub_socket, message, ident=_kernel._topic(kind))
    else:
        session.send(_kernel.shell_stream, message, ident=_kernel._parent_ident["shell"])
def _ok():
    reply = {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    _send("shell", "execute_reply", reply)
    _send("iopub", "status", {"execution_state": "idle"})
"""


def forge(name: str, about: str, inside: str, statuses: str, free: str = "") -> Entry:
    """An attack with the kernel's own key, from within the hidden check of `iou`."""
    body = "\n".join(f"    {line}" for line in inside.strip().splitlines())
    answer = f"def iou(truth, called, num_classes):\n{body}\n    return np.ones(num_classes)\n"
    return cheat(name, "iou", about, TOOLS, answer=answer, statuses=statuses, free=free)


FORGED = (
    forge("forged-ok", "replies that say ok, then a wrong result", "_ok()", "wrong"),
    forge("forged-ok-error", "replies that say ok, then an exception", """
_ok()
raise ValueError("nobody listens any more")
""", "not-run error"),
    forge("forged-ok-exit", "replies that say ok for this cell and the next, then the end", """
for _ in range(5):
    _ok()
os._exit(0)
""", "dead not-run"),
    forge("forged-ok-thread", "replies that say ok, and a thread that goes on", """
threading.Thread(target=time.sleep, args=(3,), daemon=True).start()
_ok()
time.sleep(1)
""", "wrong not-run error"),
    forge("forged-aborted", "a reply that says aborted", """
_send("shell", "execute_reply", {"status": "aborted"})
""", "wrong error"),
    forge("malformed-messages", "messages without their parts, or with others", """
for kind, content in (("stream", {}), ("stream", {"name": ["x"], "text": 3}), ("error", {}),
                      ("display_data", {"data": 1, "metadata": []}), ("status", {}), ("", {})):
    _send("iopub", kind, content)
for content in ([], "text", None, 7):
    _send("iopub", "stream", content)
_send("iopub", "stream", {"name": "stdout", "text": "x"}, header={}, parent_header=[])
""", "wrong error"),
    forge("bad-signature", "messages with a wrong signature, and none", """
parts = [b"iopub", b"<IDS|MSG>", b"00" * 32, b"{}", b"{}", b"{}", b"{}"]
for count in (7, 6, 3, 2, 1):
    _kernel.iopub_socket.send_multipart(parts[:count])
""", "wrong error"),
    forge("deep-message", "a message nested ten thousand deep, and one with a huge number", """
deep = "[" * 10_000 + "]" * 10_000
session = _kernel.session
def _pack(content):
    parent = json.dumps(_kernel.get_parent("shell")["header"], default=str).encode()
    header = json.dumps(session.msg_header("stream"), default=str).encode()
    parts = [header, parent, b"{}", content]
    _kernel.iopub_socket.send_multipart(
        [b"stream", b"<IDS|MSG>", session.sign(parts), *parts]
    )
_pack(deep.encode())
_pack(("[" + "9" * 5000 + "]").encode())
_pack(b'{"name": "stdout", "text": NaN}')
_pack(b"\\xff\\xfe")
""", "wrong error"),
    forge("long-kind", "a message whose kind is a megabyte, fifty times", """
for _ in range(50):
    _send("iopub", "x" * (1 << 20), {})
""", "wrong error flooded"),
    forge("attachments", "messages with megabytes beside their text", """
for _ in range(20):
    _kernel.session.send(_kernel.iopub_socket, "comm_msg", {}, buffers=[b"x" * (5 << 20)],
                         parent=_kernel.get_parent("shell"))
""", "flooded dead timeout wrong", ""),
    forge("raw-frames", "bytes that are no ZMQ, written into its connections", """
import socket, stat
for number in range(3, 512):
    try:
        if stat.S_ISSOCK(os.fstat(number).st_mode):
            line = socket.socket(fileno=os.dup(number))
            line.getpeername()
            if line.type == socket.SOCK_STREAM:
                os.write(number, b"\\x02" + struct.pack(">Q", 1 << 50))
    except OSError:
        pass
""", "dead timeout error wrong"),
    forge("abort-all", "the kernel is told to refuse everything that comes", """
_kernel._aborting = True
""", "wrong error", "tally dice-loss"),
    forge("shutdown", "the kernel is told to shut down", """
_kernel.do_shutdown(False)
_kernel.shell.exit_now = True
_ok()
""", "wrong dead error not-run"),
)  # fmt: skip


def _marked(change: Callable[[dict[str, Any]], object]) -> Callable[[Bait], Files]:
    """A notebook whose `paint` is wrong, changed as a whole."""

    def make(bait: Bait) -> Files:
        made = notebook(RIGHT | {"paint": WRONG["paint"]})
        change(made)
        return {HANDED_IN: as_bytes(made)}

    return make


def _tags(made: dict[str, Any]) -> None:
    for cell in made["cells"]:
        cell["metadata"] = {
            "tags": ["nbval-skip", "raises-exception", "nbval-raises-exception", "slow",
                     "nbval-ignore-output", "skip-execution"],
            "coursekit": {"points": 100}, "nbgrader": {"points": 100, "grade_id": "check-paint"},
        }  # fmt: skip


def _forged_outputs(made: dict[str, Any]) -> None:
    for number, cell in enumerate(made["cells"], 1):
        if cell["cell_type"] == "code":
            text = f"\x1b[32m✓ {cell['id'].removeprefix('check-')}: all is well\x1b[0m\n"
            cell["execution_count"] = number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]


def _own_checks(made: dict[str, Any]) -> None:
    for name in ("check-paint", "check-iou"):
        find(made, name)["source"] = (
            "### BEGIN HIDDEN TESTS\nfrom coursekit.probe import Probe\n"
            f"Probe('{name}').emit('picture', True, 'mine', close=1e9)\n### END HIDDEN TESTS\n"
            "check.passed('all is well')"
        )
    made["cells"] += [
        code_cell("paint = lambda label_map, palette: 'another'", "hidden-check-paint"),
        code_cell("import os; os.environ['COURSEKIT_PROBE_SECRET'] = 'mine'", "lesson-00-2"),
        code_cell("raise SystemExit", "modules"),
    ]


MARKED = (
    Entry("markers", "NBVAL markers in the answer",
          hand_in({"paint": "# NBVAL_SKIP\n# NBVAL_RAISES_EXCEPTION\n#NBVAL_IGNORE_OUTPUT\n"
                            + WRONG["paint"] + "    # NBVAL_SKIP\n"}),
          frozenset({"paint"}), statuses=frozenset({"wrong"})),
    Entry("markers-look-alike", "markers in other letters, and in strings",
          hand_in({"paint": "# ＮＢＶＡＬ＿ＳＫＩＰ\n'''\n# NBVAL_SKIP\n'''\n" + WRONG["paint"]}),
          frozenset({"paint"}), statuses=frozenset({"wrong"})),
    Entry("tags", "tags and metadata that skip, forgive and give points", _marked(_tags),
          frozenset({"paint"}), statuses=frozenset({"wrong"})),
    Entry("forged-outputs", "stored outputs that say that all is well", _marked(_forged_outputs),
          frozenset({"paint"}), statuses=frozenset({"wrong"})),
    Entry("own-checks", "checks and hidden cells of one's own in the notebook",
          _marked(_own_checks), frozenset({"paint"}), statuses=frozenset({"wrong"})),
    Entry("stub", "the stub, untouched", lambda bait: {HANDED_IN: as_bytes(notebook({}))}, ALL,
          statuses=frozenset({"not-written"})),
)  # fmt: skip


def _png(width: int, height: int, data: bytes) -> str:
    """A PNG whose header says what it likes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + crc

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


_SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"><svg/onload=alert(1)>"
_TERMINAL = "\x1b]0;owned\x07\x1b]8;;http://127.0.0.1/\x1b\\link\x1b[2J\x1b[8m\x1bP+q\x1b\\\x9b31m"
_BIDI = "\u202eevil\u2066\u2069\u200b\u200f\u061c" + "a" + "\u0301" * 500
_PICTURES = {
    "bomb": _png(60_000, 60_000, zlib.compress(b"\0" * 1_000_000, 9)),
    "polyglot": base64.b64encode(
        base64.b64decode(_png(1, 1, zlib.compress(b"\0\1\2\3"))) + b"<script>alert(1)</script>"
    ).decode(),
    "not": "PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "address": 'x" onerror="alert(1)',
}


def _shows(name: str, about: str, text: str) -> Entry:
    """An answer that says something evil in each way that it can."""
    said = json.dumps(text)
    answer = f"""
_said = {said}
print(_said)
def paint(label_map, palette):
    error = type("Evil" + _said, (ValueError,), {{}})
    raise error(_said)
"""
    return cheat(name, "paint", about, "", answer=answer, statuses="error")


INJECTED = (
    _shows("script-injection", "HTML and scripts in what is said", _SCRIPT),
    _shows("terminal-injection", "terminal sequences in what is said", _TERMINAL),
    _shows("bidi-injection", "writing that runs the other way, and piles of accents", _BIDI),
    _shows("template-injection", "templates and markdown in what is said",
           "{{ 7*7 }}{% include 'x' %}[a](javascript:alert(1))</pre></article>&lt;script&gt;"),
    cheat("picture-injection", "paint", "pictures that are bombs, polyglots, SVG and none", "",
          answer=f"""
_pictures = {json.dumps(_PICTURES)}
def paint(label_map, palette):
    for picture in _pictures.values():
        display({{"image/png": picture, "text/html": "<script>alert(1)</script>"}}, raw=True)
    display({{"image/svg+xml": "<svg onload=alert(1)><script>alert(1)</script></svg>"}}, raw=True)
    return label_map
"""),
    Entry("name-injection", "a student whose name is a script",
          lambda bait: {"<script>alert(1)<／script>\u202e/00_corpus.ipynb":
                        as_bytes(notebook(RIGHT | {"paint": WRONG["paint"]}))},
          frozenset({"paint"})),
    Entry("note-injection", "names in the answer that notes on it will show",
          hand_in({"paint": "def paint(x, y):\n    return ǅ + undefined_" + "a" * 300 + "\n"
                            "'<script>alert(1)</script>'; <script>alert(1)</script>\n"}),
          frozenset({"paint"}), statuses=frozenset({"unreadable"})),
)  # fmt: skip

MESSAGES: tuple[Entry, ...] = (*FORGED, *MARKED, *INJECTED)
