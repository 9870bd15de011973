"""What the grader makes of what a supervisor says, or no longer says."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coursekit.grading.sandbox.client import KernelEnd, KernelHandle


@contextmanager
def server(path: Path, *events: dict[str, object]) -> Iterator[str]:
    """Answers one request with these events, a line each, and then hangs up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                for event in events:
                    connection.sendall(json.dumps(event).encode() + b"\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield str(path)
        thread.join()


STARTED: dict[str, object] = {"event": "started"}


@pytest.mark.parametrize(
    ("events", "end"),
    [
        ([{"event": "ended", "reason": "memory", "ours": False}], KernelEnd("memory")),
        ([{"event": "ended", "reason": "exit 3", "ours": False}], KernelEnd("exit 3")),
        ([], KernelEnd("lost", ours=True)),
    ],
)
def test_why_a_kernel_ended(
    tmp_path: Path, events: list[dict[str, object]], end: KernelEnd
) -> None:
    with server(tmp_path / "s", STARTED, *events) as path:
        kernel = KernelHandle(path, {})
        assert kernel.has_ended(10) and kernel.end == end
        kernel.say("kill")  # to nobody


@pytest.mark.parametrize(
    "events", [[], [{"event": "ended", "reason": "did not start: x", "ours": True}]]
)
def test_a_kernel_that_does_not_start_is_our_fault(
    tmp_path: Path, events: list[dict[str, object]]
) -> None:
    with server(tmp_path / "s", *events) as path:
        end = KernelHandle(path, {}).end
    assert end is not None and end.ours


def test_no_server_is_our_fault(tmp_path: Path) -> None:
    end = KernelHandle(str(tmp_path / "nobody"), {}).end
    assert end is not None and end.ours and "no answer from the fork server" in end.reason
