"""Supervises one kernel: puts it into its place, watches it, ends it, brings out what it emitted.

The supervisor runs our code alone. It shares the kernel's mounts but not its process ids, so the
kernel cannot see it, and it speaks with the grader over the socket that asked for the kernel: one
JSON object a line comes back, `{"event": "started"}` and `{"event": "ended", "reason": …, "ours":
…}` (see `client.KernelEnd`); the words `interrupt` and `kill` go in. When the socket closes, the
kernel ends.
"""

from __future__ import annotations

import json
import os
import select
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.grading.sandbox import kernel, namespaces
from coursekit.grading.sandbox.limits import MEBI, KernelLimits

if TYPE_CHECKING:
    import socket

#: What a kernel emits, at most: bytes of a file, of all files, and files.
MOST_BYTES, MOST_BYTES_OF_ALL, MOST_FILES = 32 * MEBI, 64 * MEBI, 300
_DEPTH = 3  # of folders that it may lie in
_TICK = 0.1  # seconds between two looks at the memory
_REST = 1.0  # seconds after a look that takes long
_START = 60.0  # seconds until the kernel must have its sockets
#: Not /dev/zero: mapped and shared it is memory that nobody counts (see `seccomp`).
_DEVICES = ("null", "full", "random", "urandom")


def supervise(connection: socket.socket, request: dict[str, Any], place: dict[str, Any]) -> None:
    """Serve one request for a kernel.

    Args:
        connection: where it came from.
        request: `folder`, `environment`, `limits`, `identity` (a user id to become, or None) and
            `core` (the only one to use, or None).
        place: `readable`, `machine`, `new_root` and `isolate`, the same for all kernels of a fork
            server.
    """
    folder, limits = request["folder"], KernelLimits(**request["limits"])
    outside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        isolated = place["isolate"]
        if isolated:
            _isolate(folder, request["identity"], place, limits)
        ready, told = os.pipe()
        wait, go = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(ready)
            os.close(go)
            connection.close()
            if request["core"] is not None:
                os.sched_setaffinity(0, {request["core"]})
            _run_kernel(folder, request["environment"], limits, isolated, told, wait)
        os.close(told)
        os.close(wait)
        reason = trouble = _start(process, ready, go, folder if isolated else None)
        if not trouble:
            _tell(connection, event="started")
            reason = _watch(connection, process, limits, None if isolated else folder)
    except OSError as error:
        _tell(connection, event="ended", reason=f"no sandbox: {error}", ours=True)
        return
    status = _end(process)
    if isolated:
        _bring_out(f"{folder}/emitted", outside)
    _tell(connection, event="ended", reason=reason or _cause(status), ours=bool(trouble))


def _run_kernel(*arguments: Any) -> None:
    """In the forked process; never returns."""
    try:
        kernel.run(*arguments)
    except SystemExit:
        os._exit(0)
    # Whatever went wrong, this copy of the supervisor must not go on as a supervisor.
    except BaseException as error:
        with suppress(OSError):
            os.write(arguments[4], f"0{type(error).__name__}: {error}"[:400].encode())
        os._exit(70)
    os._exit(0)


def _isolate(
    folder: str, identity: int | None, place: dict[str, Any], limits: KernelLimits
) -> None:
    """Into namespaces and a root of its own; root can show what another user could not reach."""
    if identity is None:
        namespaces.leave_the_world()
    else:
        for path in (folder, f"{folder}/emitted"):
            os.chown(path, identity, identity)
        namespaces.private_mounts()
    _build_root(place, folder, limits)
    namespaces.enter_root(place["new_root"])
    if identity is not None:
        namespaces.become(identity)
        namespaces.leave_the_world()


def _build_root(place: dict[str, Any], folder: str, limits: KernelLimits) -> None:
    """A root that shows what is readable, one writable folder, and small scratch places."""
    small, new_root = MEBI, place["new_root"]
    namespaces.mount_tmpfs(new_root, small)
    for name in ("tmp", "dev", "proc", "sys"):
        Path(new_root, name).mkdir()
    namespaces.mount_tmpfs(f"{new_root}/tmp", limits.scratch // 2, 0o1777)  # noqa: S108
    for path in place["readable"]:
        _show(path, new_root)
    namespaces.bind(place["machine"], f"{new_root}/sys")
    # The kernel lays its own over it: that is allowed only where a whole /proc can be seen.
    namespaces.bind("/proc", f"{new_root}/proc", writable=True)
    for name in _DEVICES:
        _show(f"/dev/{name}", new_root)
    shared = Path(new_root, "dev", "shm")
    shared.mkdir()
    namespaces.mount_tmpfs(str(shared), limits.scratch // 6, 0o1777)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        Path(new_root, "dev", name).symlink_to(f"/proc/self/fd/{number}")
    Path(new_root, "dev", "fd").symlink_to("/proc/self/fd")
    Path(new_root + folder).mkdir(parents=True)
    namespaces.bind(folder, new_root + folder, writable=True)
    namespaces.mount_tmpfs(f"{new_root}{folder}/emitted", limits.scratch // 3, 0o1777)
    namespaces.make_read_only(new_root)


def _show(path: str, new_root: str) -> None:
    target = Path(new_root + path)
    target.parent.mkdir(parents=True, exist_ok=True)
    source = Path(path)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir(exist_ok=True)
    else:
        target.touch()
    namespaces.bind(path, str(target))


def _start(process: int, ready: int, go: int, folder: str | None) -> str:
    """Wait for the sockets, then close the folder to writing; "" or what went wrong."""
    readable, _, _ = select.select([ready], [], [], _START)
    said = os.read(ready, 512) if readable else b""
    if said != b"1":
        return f"did not start: {said[1:].decode(errors='replace') or 'no answer'}"
    if folder:
        # The sockets are there; whatever else is written goes to the scratch places.
        namespaces.make_read_only(folder)
    os.write(go, b"1")
    os.close(ready)
    os.close(go)
    return ""


def _watch(
    connection: socket.socket, process: int, limits: KernelLimits, folder: str | None
) -> str:
    """Until the kernel ends by itself ("") or has to be ended (the reason).

    Args:
        connection: to the grader.
        process: the kernel.
        limits: what it may use.
        folder: on the disk, where it can write; None when its places are in memory, and small.
    """
    deadline = time.monotonic() + limits.seconds
    ended = os.pidfd_open(process)
    meter = _Meter(limits)
    while True:
        ready, _, _ = select.select([connection.fileno(), ended], [], [], _TICK)
        if ended in ready:
            return ""
        if ready:
            word = connection.recv(64)
            if not word or b"kill" in word:  # perhaps just behind an interrupt
                return "killed"
            os.kill(process, signal.SIGINT)
        if time.monotonic() > deadline:
            return "seconds"
        if meter.is_over():
            return "memory"
        if folder is not None and _written(folder) > limits.scratch:
            return "disk"


class _Meter:
    """What the processes that the supervisor sees hold, beyond what they began with."""

    def __init__(self, limits: KernelLimits) -> None:
        self._limits = limits
        self._first = self._memory()
        self._rest_until = 0.0

    def is_over(self) -> bool:
        """Whether it is more than they may."""
        if self._open_files() > 8 * self._limits.open_files:
            return True  # pipes and sockets hold memory that is no process's own
        most = self._limits.memory
        if self._memory() - self._first <= most or time.monotonic() < self._rest_until:
            return False
        # Pages that processes share (a pool of workers, those of the fork server) count for each.
        if self._shares() > most:
            return True
        self._rest_until = time.monotonic() + _REST
        return False

    def _memory(self) -> int:
        """Bytes, quickly: shared pages count for each process."""
        return sum(map(_resident, _processes()))

    def _shares(self) -> int:
        """Bytes, slowly: of a page that n processes share, each has an nth."""
        return sum(map(_share, _processes()))

    def _open_files(self) -> int:
        total = 0
        for process in _processes():
            try:
                total += len(os.listdir(process / "fd"))  # noqa: PTH208
            except PermissionError:  # it made itself opaque, unless it is about to be gone
                total += self._limits.open_files if _resident(process) else 0
            except OSError:
                continue
        return total


def _processes() -> list[Path]:
    return list(Path("/proc").glob("[0-9]*"))


def _resident(process: Path) -> int:
    return _kilobytes(process / "status", ("RssAnon:", "RssShmem:"))


def _share(process: Path) -> int:
    try:
        return _kilobytes(process / "smaps_rollup", ("Pss:",), strict=True)
    except OSError:
        return _resident(process)


def _kilobytes(path: Path, names: tuple[str, ...], *, strict: bool = False) -> int:
    total = 0
    try:
        for line in path.read_text().splitlines():
            if line.startswith(names):
                total += int(line.split()[1]) * 1024
    except OSError:
        if strict:
            raise
    return total


def _written(folder: str) -> int:
    """Bytes in the folder that a kernel without mounts of its own may write to."""
    total = 0
    for path, _, files in os.walk(folder):
        total += 4096 * (1 + len(files))
        for name in files:
            with suppress(OSError):
                total += os.lstat(f"{path}/{name}").st_size
    return total


def _end(process: int) -> int:
    """Kill the kernel, and with it every process in its namespace."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def _cause(status: int) -> str:
    if status == 0:
        return "exit"
    return f"signal {-status}" if status < 0 else f"exit {status}"


def _bring_out(emitted: str, outside: int) -> None:
    """Copy what was emitted from the kernel's memory to the grader's folder.

    Nothing is trusted: no links are followed, and only plain files of a sane size are taken.
    """
    target = os.open("emitted", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=outside)
    _Carrier().folder(emitted, target, _DEPTH)


class _Carrier:
    """Copies files, so many and so large; holes and hard links weigh as they read."""

    def __init__(self) -> None:
        self._files, self._bytes = MOST_FILES, MOST_BYTES_OF_ALL

    def folder(self, source: str, target: int, depth: int) -> None:
        """Copy one folder."""
        for entry in os.scandir(source):
            if self._files <= 0:
                break
            if entry.name.endswith(".json"):
                self._file(entry.path, entry.name, target)
            elif depth > 1 and entry.is_dir(follow_symlinks=False):
                self._files -= 1
                os.mkdir(entry.name, dir_fd=target)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                into = os.open(entry.name, flags, dir_fd=target)
                self.folder(entry.path, into, depth - 1)
                os.close(into)

    def _file(self, path: str, name: str, into: int) -> None:
        with suppress(OSError):
            source = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            if not stat.S_ISREG(os.fstat(source).st_mode):
                os.close(source)
                return
            with open(source, "rb") as file:  # noqa: PTH123
                size = os.fstat(source).st_size
                if size > min(MOST_BYTES, self._bytes):
                    return
                self._files -= 1
                self._bytes -= size
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
                with open(os.open(name, flags, 0o600, dir_fd=into), "wb") as copy:  # noqa: PTH123
                    copy.write(file.read(size))


def _tell(connection: socket.socket, **event: Any) -> None:
    with suppress(OSError):
        connection.sendall(json.dumps(event).encode() + b"\n")
