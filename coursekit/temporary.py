"""Temporary folders that no killed process leaves behind: the next one to make one removes them.

While a folder is in use its owner holds a lock on it, which the system lets go of when the owner
ends, however it ends. A folder of this user's that nobody holds is what a killed process left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Of the folders' names: while one is being made, and while it is locked.
_NEW, _PREFIX = ".coursekit.new-", ".coursekit-"


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
        # Only a locked one takes this name: nobody takes what is in use for one that was left.
        final = new.with_name(_PREFIX + new.name.removeprefix(_NEW))
        self.path = new if lock is None else new.rename(final)
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


def _remove(folder: Path, lock: int | None, owner: int) -> None:
    if os.getpid() == owner:  # and not a fork of it
        shutil.rmtree(folder, ignore_errors=True)
    if lock is not None:
        os.close(lock)


def _lock(folder: str | os.PathLike[str]) -> int | None:
    """The open and locked folder; None if it is not this user's, somebody's, or no such thing."""
    try:
        import fcntl

        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (ImportError, OSError):  # Windows has no such locks
        return None
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            raise PermissionError
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


@cache
def _sweep(place: str) -> None:
    """Remove what killed processes left; once a process, since a place may hold many files."""
    with contextlib.suppress(OSError):
        for entry in [*os.scandir(place)]:
            if entry.name.startswith(_PREFIX) and (lock := _lock(entry.path)) is not None:
                _remove(Path(entry.path), lock, os.getpid())
