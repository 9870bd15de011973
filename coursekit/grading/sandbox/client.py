"""A kernel as the grader sees it: at the other end of a socket."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_START = 90.0  # seconds until a kernel must have its sockets
_SAY = 5.0  # seconds to get a word across


@dataclass(frozen=True)
class KernelEnd:
    """Why a kernel's process ended.

    Attributes:
        reason: "exit", "exit 3", "signal 9", "killed", "seconds", "memory", "disk"; in words, when
            the sandbox is at fault.
        ours: whether it is, and not what ran in it.
    """

    reason: str
    ours: bool = False


class KernelHandle:
    """A kernel that a fork server was asked for.

    Args:
        server: the fork server's socket.
        request: what the kernel's supervisor needs to know.

    Attributes:
        end: why it ended; None while it runs.
    """

    def __init__(self, server: str, request: dict[str, Any]) -> None:
        self.end: KernelEnd | None = None
        self._buffer = b""
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.settimeout(_START)
            self._socket.connect(server)
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            event = self._read(_START)
        except OSError as error:
            event = _lost(f"no answer from the fork server: {error}")
        if event is None:
            event = _lost("did not start in time")
        if event["event"] != "started":
            self._note(event)

    def has_ended(self, wait: float = 0.0) -> bool:
        """Whether it has, after waiting so many seconds for it."""
        if self.end is None:
            event = self._read(wait)
            if event is not None:
                self._note(event)
        return self.end is not None

    def close(self) -> None:
        """Let go; a kernel that still runs then ends."""
        self._socket.close()

    def say(self, word: str) -> None:
        """`interrupt` or `kill`."""
        if self.end is not None:
            return
        self._socket.settimeout(_SAY)
        with suppress(OSError):
            self._socket.sendall(word.encode())

    def _note(self, event: dict[str, Any]) -> None:
        self.end = KernelEnd(event["reason"], event["ours"])
        self.close()

    def _read(self, wait: float) -> dict[str, Any] | None:
        """The next event, None when there is none in time."""
        deadline = time.monotonic() + wait
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(deadline - time.monotonic(), 0.0) or 1e-6)
            try:
                part = self._socket.recv(4096)
            except (TimeoutError, BlockingIOError):
                return None
            except OSError:
                part = b""
            if not part:
                return _lost("lost")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        event: dict[str, Any] = json.loads(line)
        return event


def _lost(reason: str) -> dict[str, Any]:
    """What a supervisor would say, if it could."""
    return {"event": "ended", "reason": reason, "ours": True}
