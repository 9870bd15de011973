"""The process that kernels are forked from."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
from types import SimpleNamespace
from typing import Any

import pytest

from coursekit.grading.sandbox import forkserver


class Listener:
    """Gives one connection away."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def accept(self) -> tuple[socket.socket, None]:
        return self.connection, None


def _ask(request: dict[str, Any]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(json.dumps(request).encode() + b"\n")
        forkserver._serve(Listener(theirs), {})  # type: ignore[arg-type]


def test_it_does_not_read_what_a_kernel_may_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory that it has used is in all kernels to come, and a request may hold the secret."""
    monkeypatch.setattr(os, "fork", lambda: 1)
    monkeypatch.setattr(forkserver, "_read", lambda connection: pytest.fail("it was read"))
    _ask({"folder": "/tmp/x", "environment": {"COURSEKIT_PROBE_SECRET": "x"}})


def test_it_imports_what_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("it forked"))
    told: list[str] = []
    monkeypatch.setattr(forkserver, "_preload", told.extend)
    _ask({"preload": ["import json"]})
    assert told == ["import json"]


@pytest.mark.parametrize(
    "request_", [b"", b'{"pre', b'{"preload"', b'{"preload" x}\n', b'{"preload": 3}\n', b"\n",
                 b'{"preload": ' + b"[" * 100_000 + b"\n"],
)  # fmt: skip
def test_a_request_that_is_none_neither_stops_nor_ends_it(
    monkeypatch: pytest.MonkeyPatch, request_: bytes
) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("it forked"))
    monkeypatch.setattr(forkserver, "_seconds", lambda _: struct.pack("ll", 0, 1000))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(request_)
        forkserver._serve(Listener(theirs), {})  # type: ignore[arg-type]


def test_imports_that_fail_end_or_hang_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forkserver, "gc", SimpleNamespace(collect=int, freeze=int))
    monkeypatch.setattr(signal, "alarm", lambda seconds: signal.raise_signal(signal.SIGALRM))
    with pytest.raises(TimeoutError):  # the last, which turns the alarm off
        forkserver._preload(["import sys; sys.exit()"])
    alarms: list[int] = []
    monkeypatch.setattr(signal, "alarm", alarms.append)
    forkserver._preload(["import no_such_module", "raise SystemExit", "import json"])
    assert alarms == [forkserver._IMPORT] * 3 + [0]
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
