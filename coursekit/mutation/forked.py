"""Running code in a copy of this process that cannot harm it: it has limits, and it ends."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import tempfile
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: Bytes that a fork may use beyond what it begins with, and of a file that it may write.
MEMORY, FILE = 4 * 2**30, 100_000_000
_MOST_TEXT = 2000  # of a message


@dataclass(frozen=True)
class Task:
    """Something to run in a fork.

    Attributes:
        call: what to run.
        environment: variables to set before.
    """

    call: Callable[[], object]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ending:
    """How a task ended.

    Attributes:
        kind: "passed", "timeout", "dead", or the name of an exception's class.
        message: of the exception.
        exercise: of a `CheckFailed`.
    """

    kind: str
    message: str = ""
    exercise: str = ""


def run_forked(tasks: Sequence[Task], workers: int, seconds: float) -> Iterator[tuple[int, Ending]]:
    """Run each task in a fork of its own, in a temporary folder, without output.

    Args:
        tasks: what to run.
        workers: how many at a time.
        seconds: of processor time that each may take, and a third of its wall-clock time.

    Yields:
        The number of a task and how it ended, in the order in which they end.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[int, tuple[int, float, Path]] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    number, task = waiting.pop()
                    folder = Path(scratch, str(number))
                    folder.mkdir()
                    running[_fork(task, folder, seconds)] = number, time.monotonic(), folder
                for pid in _ended(running, 3 * seconds):
                    number, _, folder = running.pop(pid)
                    yield number, _read(folder)
        finally:
            for pid in running:
                _kill(pid)


def _ended(running: dict[int, tuple[int, float, Path]], wall: float) -> list[int]:
    """Processes that have ended, once there is one."""
    while True:
        ended = [pid for pid in running if os.waitpid(pid, os.WNOHANG)[0]]
        for pid, (_, started, folder) in running.items():
            if pid not in ended and time.monotonic() - started > wall:
                _kill(pid)
                _write(folder, Ending("timeout"))
                ended.append(pid)
        if ended:
            return ended
        time.sleep(0.003)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _fork(task: Task, folder: Path, seconds: float) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        _limit(folder, seconds)
        os.environ.update(task.environment)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                task.call()
            ending = Ending("passed")
        except BaseException as error:  # whatever an answer may raise, SystemExit too
            ending = Ending(
                type(error).__name__,
                str(getattr(error, "message", error))[:_MOST_TEXT],
                str(getattr(error, "exercise", "")),
            )
        _write(folder, ending)
    finally:
        os._exit(0)


def _limit(folder: Path, seconds: float) -> None:
    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.chdir(folder)
    limits = {
        resource.RLIMIT_CPU: round(seconds + 0.5), resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_CORE: 0,
    }  # fmt: skip
    used = Path("/proc/self/statm")
    if used.exists():
        pages = int(used.read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + MEMORY
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _write(folder: Path, ending: Ending) -> None:
    (folder / "ending.json").write_text(json.dumps(vars(ending)))


def _read(folder: Path) -> Ending:
    try:
        content: dict[str, Any] = json.loads((folder / "ending.json").read_text())
        return Ending(**content)
    except (OSError, ValueError):
        return Ending("dead")
