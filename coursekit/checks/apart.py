"""A place to try answers in: what they do there is not seen, does not stay and ends in time.

A student's session goes on in the same process. So whatever an answer may do by one wrong number is
refused or undone here: time and memory without end, files outside of the folder for temporary
ones, other processes, questions to the reader, text, pictures.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that may be taken beyond what the process has.
MEMORY = 2**30
_AGAIN = 0.2  # seconds until who swallowed it is told again that its time is over
#: What Python announces (see "Audit events table" in its manual) and is refused as such.
_REFUSED = (
    "builtins.breakpoint", "builtins.input", "os.chdir", "os.exec", "os.fork", "os.forkpty",
    "os.kill", "os.killpg", "os.posix_spawn", "os.startfile", "os.system", "socket.bind",
    "socket.connect", "subprocess.Popen", "time.sleep", "webbrowser.open",
)  # fmt: skip
#: What is refused outside of a folder for temporary files, which goes with them.
_WRITING = (
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir",
    "os.symlink", "os.truncate", "os.utime", "shutil.rmtree",
)  # fmt: skip
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: The threads in which answers are tried at the moment.
_inside: set[int] = set()
_hooked = False


class OutOfTime(BaseException):
    """It took too long; nothing in an answer is meant to catch it."""


class Refused(PermissionError):
    """What is tried may not do this."""


@contextlib.contextmanager
def apart(until: float) -> Iterator[None]:
    """Where answers may be tried.

    Args:
        until: when it is over, in the seconds of `time.monotonic`.

    Raises:
        OutOfTime: in whatever runs then. Where there are no signals (Windows, or another thread
            than the main one), who tries has to look at the clock.
    """
    with _silence(), _guarded(), _little_memory(), _alarm(until):
        yield


@contextlib.contextmanager
def _alarm(until: float) -> Iterator[None]:
    main = threading.current_thread() is threading.main_thread()
    # A clock that already runs is somebody else's.
    if not main or not hasattr(signal, "setitimer") or any(signal.getitimer(signal.ITIMER_REAL)):
        yield
        return

    def ring(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(until - time.monotonic(), 0.001), _AGAIN)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


@contextlib.contextmanager
def _little_memory() -> Iterator[None]:
    """What wants too much gets a MemoryError; the process would be ended otherwise (on Linux)."""
    statistics = Path("/proc/self/statm")
    if not statistics.exists():
        yield
        return
    import resource

    used = int(statistics.read_text().split()[5]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = [used + MEMORY, *(n for n in (soft, hard) if n != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_DATA, (min(most), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextlib.contextmanager
def _guarded() -> Iterator[None]:
    """Refuse what reaches out of the process."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_refuse)  # which stays as long as the process
        _hooked = True
    thread = threading.get_ident()
    asked = vars(sys.modules["builtins"])
    question = asked["input"]  # a notebook's own, which announces nothing
    folder = tempfile.tempdir
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as room:
        asked["input"], tempfile.tempdir = _no_question, room
        _inside.add(thread)
        try:
            yield
        finally:
            _inside.discard(thread)
            asked["input"], tempfile.tempdir = question, folder


def _no_question(*_: object) -> str:
    raise Refused("input")


def _refuse(event: str, given: tuple[Any, ...]) -> None:
    if not _inside or threading.get_ident() not in _inside:
        return
    if event in _REFUSED:
        raise Refused(event)
    for path in _written(event, given):
        # A number is a file that somebody else has open, and that would be closed.
        if isinstance(path, int) or not _is_temporary(os.fsdecode(path)):
            raise Refused(f"{event}: {path!r}")


def _written(event: str, given: tuple[Any, ...]) -> list[Any]:
    """The files that are written, moved or removed, of what Python announces."""
    if event == "open":
        return [given[0]] if given[2] & _WRITES or isinstance(given[0], int) else []
    if event not in _WRITING:
        return []
    if event in ("os.remove", "os.rmdir") and given[1] != -1:
        return []  # of a folder that `shutil.rmtree` has announced
    return [path for path in given[:2] if isinstance(path, (str, bytes, os.PathLike))]


def _is_temporary(path: str) -> bool:
    folder = os.path.realpath(tempfile.gettempdir())
    return path == os.devnull or os.path.realpath(path).startswith(folder + os.sep)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Nothing shows: no text, no pictures, no warnings."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if "IPython" in sys.modules:
            from IPython.utils.capture import capture_output

            stack.enter_context(capture_output())
        else:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
        stack.enter_context(_no_figures())
        yield


@contextlib.contextmanager
def _no_figures() -> Iterator[None]:
    """What draws finds none of the figures that are open; its own are closed."""
    if "matplotlib" not in sys.modules:
        yield
        return
    import matplotlib as mpl
    from matplotlib._pylab_helpers import Gcf  # pyplot's list of figures; it offers no other way

    with mpl.rc_context():
        held = [*Gcf.figs.items()]
        Gcf.figs.clear()
        try:
            yield
        finally:
            Gcf.destroy_all()
            Gcf.figs.update(held)
