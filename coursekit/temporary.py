"""Temporary folders that no killed process leaves behind: the next one to make one removes them.

While a folder is in use its owner holds a lock on it, which the system lets go of when the owner
ends, however it ends. A folder of this user's that nobody holds is what a killed process left. One
that could not be locked has another name, by which nobody takes it for that.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import tempfile
import time
import weakref
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of the folders' names: while one is being made, while it is locked, and if it cannot be.
_NEW, _PREFIX, _UNLOCKED = ".coursekit.new-", ".coursekit-", ".coursekit.unlocked-"
_LEFT = re.compile(r"\.coursekit(\.new)?-[a-z0-9_]{8}")  # as `mkdtemp` ends names
_AN_HOUR = 3600.0  # seconds; making a folder takes a millisecond


class TemporaryFolder:
    """A folder for this user alone, with a new name.

    It is gone after `remove`, or with this object, or at the end of the process; what is left of
    it when that was killed goes when another process makes one in the same place.

    Args:
        parent: where; the system's place for temporary files by default.

    Attributes:
        path: the folder.

    Raises:
        OSError: when it cannot be made.
    """

    def __init__(self, parent: str | os.PathLike[str] | None = None) -> None:
        place = os.path.realpath(parent or tempfile.gettempdir())
        _sweep(place)
        new = Path(tempfile.mkdtemp(dir=place, prefix=_NEW))
        lock = _lock(new)
        kind = _UNLOCKED if lock is None else _PREFIX
        self.path = new.rename(new.with_name(kind + new.name.removeprefix(_NEW)))
        self._end = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def remove(self) -> None:
        """Remove it with all that is in it, as far as that can be removed."""
        self._end()

    def hand_over(self) -> Path:
        """Leave it to the program that takes this process's place, and is its owner then."""
        _, _, (_, lock, _), _ = self._end.detach() or (None, None, (None, None, None), None)
        if lock is not None:
            os.set_inheritable(lock, True)
        return self.path


@contextlib.contextmanager
def temporary_folder(parent: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """A `TemporaryFolder` that is removed when the block ends."""
    folder = TemporaryFolder(parent)
    try:
        yield folder.path
    finally:
        folder.remove()


def in_memory(least: int) -> str | None:
    """Where files live in the computer's memory; None where fewer bytes than `least` are free.

    A new file there takes a twentieth of the time that it takes on a disk.
    """
    place = "/dev/shm"  # noqa: S108  (what is made in it has a new name, for this user alone)
    with contextlib.suppress(OSError):
        if os.access(place, os.W_OK | os.X_OK) and shutil.disk_usage(place).free >= least:
            return place
    return None


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that is in it, as far as that can be removed."""
    with contextlib.suppress(RecursionError):  # it goes down into each folder, and holds it open
        shutil.rmtree(folder, ignore_errors=True)
    # What is left lies too deep, or in folders that may not be written to: so what lies in a folder
    # in this one comes up one level, time and again, until all are empty.
    names, moved = (f"{number}.{os.getpid()}" for number in itertools.count()), True
    while moved:
        moved = False
        for inner in _entries(folder):
            for entry in _entries(inner):
                moved |= _discard(entry) or _rename(entry, folder / next(names))
            moved |= _discard(inner)
    _discard(folder)


def _discard(path: Path) -> bool:
    """Remove a file, a link or an empty folder; whether it could be done."""
    with contextlib.suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            path.rmdir()
        return True
    return False


def _rename(path: Path, target: Path) -> bool:
    with contextlib.suppress(OSError):
        path.rename(target)
        return True
    return False


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, as far as it can be seen; nothing in what is none, or a link."""
    with contextlib.suppress(OSError):
        if not folder.is_symlink() and folder.is_dir():
            folder.chmod(0o700)
            return [*folder.iterdir()]
    return []


def _remove(folder: Path, lock: int | None, owner: int) -> None:
    if os.getpid() == owner:  # and not a fork of it
        remove_tree(folder)
    if lock is not None:
        os.close(lock)


def _lock(folder: str | os.PathLike[str]) -> int | None:
    """The open and locked folder; None if it is not this user's, somebody's, or no such thing."""
    try:
        import fcntl

        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(folder, flags)
    except (ImportError, OSError):  # Windows has no such locks
        return None
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            raise PermissionError
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Where locks do nothing (some network disks, a student's kernel) nobody can tell.
        again = os.open(folder, flags)
        try:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock
        finally:
            os.close(again)
    except OSError:
        pass
    os.close(lock)
    return None


@cache
def _sweep(place: str) -> None:
    """Remove what killed processes left; once a process, since a place may hold many files."""
    with contextlib.suppress(OSError):
        for entry in [*os.scandir(place)]:
            if (found := _LEFT.fullmatch(entry.name)) and not (found[1] and _is_young(entry.path)):
                lock = _lock(entry.path)
                if lock is not None:
                    _remove(Path(entry.path), lock, os.getpid())


def _is_young(path: str) -> bool:
    """Whether its owner may be about to lock it."""
    try:
        return time.time() - os.lstat(path).st_ctime < _AN_HOUR
    except OSError:
        return True
