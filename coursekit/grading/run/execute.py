"""Executes one notebook by nbval, and sees at once a kernel that died, hangs or floods.

nbval executes the cells, one pytest item each, and judges whether they ran. Left to itself it
waits for a killed kernel until the cell's time is up, counts a cell's time anew with each message,
keeps every output in memory, and after a timeout reports later cells as expected failures. The
kernel that it talks to here ends the run in each of these cases and says why.
"""

from __future__ import annotations

import os
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

import nbval.plugin
import pytest
import zmq
from jupyter_client.manager import KernelManager

from coursekit.grading.run.protocol import (
    CELL,
    LARGEST_PICTURE,
    NOTEBOOK,
    PROGRESS,
    Ended,
)
from coursekit.grading.sandbox.provisioner import KERNEL_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coursekit.grading.run.protocol import Request
    from coursekit.grading.sandbox.client import KernelEnd, KernelHandle

#: What one run may print and show: characters, those of pictures, and messages.
MOST_OUTPUT, MOST_PICTURES, MOST_MESSAGES = 8_000_000, 64_000_000, 20_000
#: Plugins of pytest that look after Python tests; each costs every submission some time.
_UNUSED = (
    "cacheprovider", "doctest", "junitxml", "pastebin", "debugging", "faulthandler", "logging",
    "monkeypatch", "recwarn", "setuponly", "setupplan", "stepwise", "subtests", "threadexception",
    "tmpdir", "unraisableexception", "unittest", "warnings",
)  # fmt: skip
_SLICE = 0.2  # seconds between two looks at whether the kernel lives
_END = 20.0  # seconds for a killed kernel to be gone


class _Stop(Exception):
    """The run cannot go on."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(str(ended))
        self.ended = ended


class WatchedKernel(nbval.plugin.RunningKernel):
    """nbval's kernel, with an eye on the clock, the amount of output, and the process."""

    cell_seconds = 0.0
    deadline = float("inf")
    last: WatchedKernel | None = None

    def __init__(self, kernel_name: str, cwd: str | None = None, startup_timeout: int = 60) -> None:
        self.characters = self.pictures = self.messages = 0
        self._shown: deque[dict[str, Any]] = deque()
        self.until = min(time.monotonic() + startup_timeout, self.deadline)
        type(self).last = self
        self.km = KernelManager(kernel_name=kernel_name)
        self.km.start_kernel()
        self.kc = self.km.client()
        self.kc.context.setsockopt(zmq.RCVHWM, 0)  # else messages that find no room are lost
        # No heartbeat: the supervisor says when a kernel ends, and a wait for beats may not end.
        self.kc.start_channels(stdin=False, hb=False)
        self._sockets = {
            "shell": _plain(self.kc.shell_channel.socket),
            "iopub": _plain(self.kc.iopub_channel.socket),
        }
        self.process = self.handle  # nbval forgets its manager when it stops
        # jupyter_client's own wait for a kernel ends with a pause for stray messages; this asks
        # until an answer comes, and loses no time.
        self._starting = True
        self._ensure_iopub_up()
        self._starting = False

    @property
    def handle(self) -> KernelHandle:
        """What the sandbox knows of it."""
        provisioner: Any = self.km.provisioner
        kernel: KernelHandle = provisioner.kernel
        return kernel

    def stop(self) -> None:
        """End the kernel at once; whoever reads what it emitted waits for that."""
        self.kc.stop_channels()
        self.process.say("kill")
        del self.km

    def is_alive(self) -> bool:
        """Whether there is a process to talk to."""
        return hasattr(self, "km") and not self.handle.has_ended()

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Send a cell off, and start its clock."""
        self.until = min(time.monotonic() + self.cell_seconds, self.deadline)
        message: str = super().execute_cell_input(cell_input, allow_stdin)
        return message

    def get_message(self, stream: str, timeout: float | None = None) -> dict[str, Any]:
        """The next message; while a cell runs, whatever nbval thinks of the time."""
        patience = time.monotonic() + (timeout or 0.0)
        while True:
            if time.monotonic() > self.until:
                what = NOTEBOOK if self.until == self.deadline else CELL
                raise _Stop(Ended("timeout", what))
            if self._starting and time.monotonic() > patience:
                raise Empty
            if stream == "iopub" and self._shown:
                return self._shown.popleft()
            try:
                message = self._read(stream, _SLICE)
            except Empty:
                self.handle.has_ended()
                if self.handle.end is not None:
                    raise _Stop(_dead(self.handle.end)) from None
                if stream == "shell":
                    self._keep_up()
                continue
            if _is_sound(message):
                return message

    def _keep_up(self) -> None:
        """Take what a cell shows while it runs: thousands of messages would wait and be lost."""
        with suppress(Empty):
            while True:
                message = self._read("iopub", 0.0)
                if _is_sound(message):
                    self._shown.append(message)

    def _read(self, stream: str, wait: float) -> dict[str, Any]:
        """A message as it came. Not nbval's way: that prints each one prettily, for a log."""
        if not self._sockets[stream].poll(int(wait * 1000)):
            raise Empty
        try:
            message: dict[str, Any] = self.kc.session.recv(self._sockets[stream])[1] or {}
        # A message that is none says nothing: not that a cell passed, nor that it failed.
        except Exception:
            message = {}
        self.messages += 1
        self.pictures += _without_large_pictures(message)
        self.characters += _length(message)
        much = self.characters > MOST_OUTPUT or self.pictures > MOST_PICTURES
        if much or self.messages > MOST_MESSAGES:
            raise _Stop(Ended("flooded"))
        return message


class Recorder:
    """A pytest plugin that writes down how each cell ended."""

    def __init__(self, request: Request) -> None:
        self.cells: dict[str, dict[str, Any]] = {}
        self.ended: Ended | None = None
        self._request = request
        self._progress = Path(request.folder, PROGRESS)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: Any) -> None:
        """Before each cell: whatever it does to this process, it is known which one it was."""
        self._note(item.cell.id, "ended")
        inputs = self._request.inputs
        if inputs is not None and item.cell.id == inputs.before:
            # What cells before this one showed has been written down: it holds none of them.
            try:
                inputs.hand_out()
            except OSError as error:
                raise _Stop(Ended("broken", f"no inputs: {error}"[:300], ours=True)) from error

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Iterator[None]:
        """After each phase of each cell."""
        result = yield
        report = result.get_result()  # type: ignore[attr-defined]
        name = item.cell.id
        error = call.excinfo.value if call.excinfo is not None else None
        if isinstance(error, _Stop):
            self._stop(item, error.ended)
            self.cells[name] = {"outcome": "ended"}
        elif report.when == "call" and report.failed and (end := _found_dead(error)):
            # It ended after the cell before this one, and this one was never sent.
            self._stop(item, _dead(end))
        elif report.when == "setup" and report.failed:
            self._stop(item, Ended("broken", f"{type(error).__name__}: {error}"[:300], ours=True))
        elif report.when == "call" or report.outcome != "passed":
            # Only a plain "passed" counts: nbval's skips, xfails and xpasses are none.
            plain = report.outcome if not hasattr(report, "wasxfail") else "xfail"
            self.cells[name] = {"outcome": plain}
        if report.when == "call" and name in self.cells:
            self._note(name, self.cells[name]["outcome"])
            if self._request.keep_outputs:
                self.cells[name]["outputs"] = list(item.test_outputs or [])

    def _stop(self, item: Any, ended: Ended) -> None:
        self.ended = ended
        item.session.shouldstop = str(ended)

    def _note(self, name: str, outcome: str) -> None:
        with self._progress.open("a") as file:
            file.write(f"{name} {outcome}\n")


def _plain(socket: Any) -> zmq.Socket[bytes]:
    """The same socket without asyncio, which takes as long for a message as reading it does."""
    plain: zmq.Socket[bytes] = zmq.Socket.shadow(socket.underlying)
    return plain


def _dead(end: KernelEnd) -> Ended:
    return Ended("dead", end.reason, end.ours)


def _found_dead(error: BaseException | None) -> KernelEnd | None:
    """Why the kernel ended, if nbval wanted to send a cell and found none."""
    process = getattr(WatchedKernel.last, "process", None)
    if not isinstance(error, RuntimeError) or process is None:
        return None
    process.has_ended()
    end: KernelEnd | None = process.end
    return end


def execute(request: Request) -> dict[str, Any]:
    """Run `run.ipynb` of the request's folder in this process, which must be fresh.

    Returns:
        `cells`: for each cell by its id, `outcome` ("passed", "failed", "skipped", "xfail" or
        "ended") and perhaps `outputs`; `ended`: what `Ended` holds, or None.
    """
    folder = Path(request.folder)
    os.environ |= {
        "JUPYTER_PATH": str(folder),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    os.environ.pop("PYTEST_ADDOPTS", None)
    nbval.plugin.RunningKernel = WatchedKernel
    nbval.plugin.coalesce_streams = list  # its own is quadratic, and nothing is compared
    WatchedKernel.cell_seconds = request.cell_seconds
    WatchedKernel.deadline = time.monotonic() + request.seconds
    recorder = Recorder(request)
    (folder / "pytest.ini").write_text("[pytest]\n")
    arguments: list[str] = []
    for plugin in _UNUSED:
        arguments += ["-p", f"no:{plugin}"]
    arguments += ["-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "--noconftest"]
    arguments += ["--nbval-lax", "--nbval-kernel-name", KERNEL_NAME, str(folder / "run.ipynb")]
    # The plugin itself, not its name: for a name pytest reads what every package says of itself.
    status = int(pytest.main(arguments, plugins=[nbval.plugin, recorder]))
    ended = recorder.ended
    if ended is None and status not in (0, 1):  # all passed, some failed
        ended = Ended("broken", f"pytest ended with status {status}", ours=True)
    _end_kernel()
    return {"cells": recorder.cells, "ended": asdict(ended) if ended else None}


def _end_kernel() -> None:
    """Make sure that the kernel is gone, so that what it emitted lies in its folder."""
    process = getattr(WatchedKernel.last, "process", None)
    if process is not None:
        process.say("kill")
        process.has_ended(_END)


def _is_sound(message: dict[str, Any]) -> bool:
    """Whether a message has the parts that nbval takes for granted."""
    parts = (message.get(name) for name in ("header", "parent_header", "content"))
    return isinstance(message.get("msg_type"), str) and all(isinstance(p, dict) for p in parts)


def _without_large_pictures(message: dict[str, Any]) -> int:
    """Take pictures out of a message that nobody will be shown; how many characters they had."""
    content = message.get("content")
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict):
        return 0
    taken = 0
    for kind, picture in data.items():
        large = isinstance(picture, str) and len(picture) > LARGEST_PICTURE
        if large and str(kind).startswith("image/"):
            taken += len(picture)
            data[kind] = ""
    return taken


def _length(value: Any) -> int:
    """Characters of all text in a message, and bytes beside it."""
    total = 0
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, (str, bytes, memoryview)):
            total += len(item)
        elif isinstance(item, dict):
            total += 16 * len(item)
            stack.extend(item.values())
        elif isinstance(item, list):
            total += 16 * len(item)
            stack.extend(item)
    return total
