"""The process that kernels are forked from."""

from __future__ import annotations

import json
import os
import socket
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
