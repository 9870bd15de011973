"""Running code in a copy of this process that cannot harm it: it has limits, and it ends."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.temporary import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Task = Sequence[Callable[[], object]]

#: Bytes that a fork may use beyond what it begins with, and of a file that it may write.
MEMORY, FILE = 4 * 2**30, 100_000_000
_MOST_TEXT = 2000  # of a message


@dataclass(frozen=True)
class Ending:
    """How an act of a task ended.

    Attributes:
        kind: "passed", "timeout", "dead", or the name of an exception's class.
        message: of the exception.
        exercise: of a `CheckFailed`.
        named: whether it names a misconception.
    """

    kind: str
    message: str = ""
    exercise: str = ""
    named: bool = False


@dataclass
class _Run:
    """A fork at its task: its number and folder, the act it was last seen at, and since when."""

    number: int
    folder: Path
    act: int = 0
    since: float = field(default_factory=time.monotonic)

    def rests(self, wall: float) -> bool:
        """Whether it has been at one act for so many seconds; a long task may well take longer."""
        if time.monotonic() - self.since <= wall:
            return False
        act = len(_endings(self.folder))
        if act == self.act:
            return True
        self.act, self.since = act, time.monotonic()
        return False


def run_forked(
    tasks: Sequence[Task], workers: int, seconds: float
) -> Iterator[tuple[int, tuple[Ending, ...]]]:
    """Run each task in a fork of its own, in a temporary folder, without output.

    Args:
        tasks: what to run: acts, one after the other, whatever becomes of the one before.
        workers: how many at a time.
        seconds: of processor time that each act may take, and a tenth of its wall-clock time, or a
            twentieth: on a busy machine it waits most of the time.

    Yields:
        The number of a task and how its acts ended, in the order in which tasks end. The act that
        ended the process is the last.
    """
    waiting = list(enumerate(tasks))[::-1]
    running: dict[int, _Run] = {}
    with temporary_folder() as scratch:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    number, task = waiting.pop()
                    folder = scratch / str(number)
                    folder.mkdir()
                    running[_fork(task, folder, seconds)] = _Run(number, folder)
                for pid in _ended(running, 10 * seconds):
                    run = running.pop(pid)
                    yield run.number, _read(run.folder, len(tasks[run.number]))
        finally:
            for pid in running:
                _kill(pid)


def _ended(running: dict[int, _Run], wall: float) -> list[int]:
    """Processes that have ended, once there is one."""
    while True:
        ended = [pid for pid in running if os.waitpid(pid, os.WNOHANG)[0]]
        for pid, run in running.items():
            if pid not in ended and run.rests(wall):
                _kill(pid)
                _write(run.folder, Ending("timeout"))
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
        _limit(seconds * len(task))
        for number, act in enumerate(task):
            place = folder / str(number)
            place.mkdir()
            os.chdir(place)
            _limit_processor(seconds)
            _write(folder, _act(act))
    finally:
        os._exit(0)


def _act(act: Callable[[], object]) -> Ending:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            act()
    except BaseException as error:  # whatever an answer may raise, SystemExit too
        return Ending(
            type(error).__name__,
            str(getattr(error, "message", error))[:_MOST_TEXT],
            str(getattr(error, "exercise", "")),
            bool(getattr(error, "named", False)),
        )
    return Ending("passed")


def _limit_processor(seconds: float) -> None:
    """So much from now on."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    until = round(used.ru_utime + used.ru_stime + seconds + 0.5)
    resource.setrlimit(resource.RLIMIT_CPU, (min(until, most), most))


def _limit(seconds: float) -> None:
    os.setpgid(0, 0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    limits = {
        resource.RLIMIT_CPU: round(seconds + 1.5), resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_CORE: 0,
    }  # fmt: skip
    used = Path("/proc/self/statm")
    if used.exists():
        pages = int(used.read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + MEMORY
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _write(folder: Path, ending: Ending) -> None:
    with (folder / "endings.txt").open("a") as file:
        file.write(json.dumps(vars(ending)) + "\n")


def _read(folder: Path, acts: int) -> tuple[Ending, ...]:
    found = _endings(folder)[:acts]  # one that was stopped may have ended just then
    lost = len(found) < acts and not (found and found[-1].kind == "timeout")
    return (*found, Ending("dead")) if lost else found


def _endings(folder: Path) -> tuple[Ending, ...]:
    try:
        lines = (folder / "endings.txt").read_text().splitlines()
        return tuple(Ending(**json.loads(line)) for line in lines)
    except (OSError, ValueError):
        return ()
