"""The process that kernels are forked from: `python -I -m …sandbox.forkserver FILE`.

It imports what lessons import, once, and then forks a supervisor for each connection to its socket.
It never runs a student's code, starts no thread, and knows no secret: what it holds, every kernel
can read.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.grading.sandbox import namespaces, supervisor

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 1 << 20
_PATIENCE = 5  # seconds that all wait for one who asks and does not finish the sentence
_IMPORT = 120  # seconds for one import statement
_PRELOAD = b'{"preload"'  # how a request to import more begins
_ALWAYS = ("import ipykernel.kernelapp", "import numpy")


def main(path: str) -> int:
    """Serve until the parent process ends.

    Args:
        path: of a JSON file with `socket`, `preload`, and what `supervisor.supervise` wants to
            know of the place.
    """
    place = json.loads(Path(path).read_text())
    listener = socket.socket(socket.AF_UNIX)
    _preload((*_ALWAYS, *place["preload"]))
    # The name appears when somebody listens there, not before.
    listener.bind(place["socket"] + ".new")
    listener.listen(64)
    Path(place["socket"] + ".new").rename(place["socket"])
    # Whoever started this holds the other end of stdin open; it closes when they are gone.
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [], 0.5)
        _reap()
        if sys.stdin in ready:
            return 0
        if listener in ready:
            _serve(listener, place)


def _preload(statements: Iterable[str]) -> None:
    """Import for all kernels to come."""
    signal.signal(signal.SIGALRM, _too_long)
    for statement in statements:
        # The lesson will say so where it imports it.
        with suppress(Exception, SystemExit):
            signal.alarm(_IMPORT)
            exec(statement, {})  # noqa: S102  (the instructor's own imports)
    signal.alarm(0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    gc.collect()
    gc.freeze()  # so that collecting garbage does not copy the pages that forks share


def _too_long(number: int, frame: object) -> None:
    raise TimeoutError


def _serve(listener: socket.socket, place: dict[str, Any]) -> None:
    connection, _ = listener.accept()
    # What is read here stays in memory that all later kernels have: of a kernel's request, in which
    # the secret may be, not more than this.
    begins = b""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _seconds(_PATIENCE))
        begins = connection.recv(len(_PRELOAD), socket.MSG_PEEK | socket.MSG_WAITALL)
    if begins == _PRELOAD:
        with connection, suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            _preload(map(str, _read(connection)["preload"]))
            connection.sendall(b"1")
        return
    if len(begins) < len(_PRELOAD):  # nobody who starts kernels
        connection.close()
        return
    if os.fork():
        connection.close()
        return
    status = 70
    try:
        listener.close()
        namespaces.die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        request = _read(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _seconds(0))
        supervisor.supervise(connection, request, place)
        status = 0
    finally:
        os._exit(status)


def _seconds(number: int) -> bytes:
    return struct.pack("ll", number, 0)  # a timeval


def _read(connection: socket.socket) -> dict[str, Any]:
    line = b""
    while not line.endswith(b"\n") and len(line) < _LONGEST:
        part = connection.recv(65536)
        if not part:
            return {"preload": []}  # it went away
        line += part
    request: dict[str, Any] = json.loads(line)
    return request


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
