"""Files that are never half written, and where temporary ones lie."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.temporary import TemporaryFolder, temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Longest folder for sockets: a path of theirs has room for 103 bytes on macOS, 107 on Linux.
_SOCKETS = 60


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file near `target` that takes its name when the block ends without an error.

    Until then `target` keeps its old content, or stays absent; after an error the temporary file is
    removed. The folder of `target` is made if it is missing.

    Raises:
        CourseError: when the disk is full or the folder cannot be written.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(target.parent) as folder:
            temporary = folder / target.name
            temporary.touch()
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(target)
    except OSError as error:
        raise CourseError(_advice(target, error)) from error


@contextmanager
def atomic_folder(target: str | os.PathLike[str], keep: str = "") -> Iterator[Path]:
    """A temporary folder near `target` that takes its place when the block ends without an error.

    Until then `target` keeps what it has, or stays absent; then all of it goes but `keep`, a name
    in it that the new folder takes over.

    Raises:
        CourseError: when the disk is full or the folder cannot be written.
    """
    target = Path(target)
    try:
        target = target.resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(target.parent) as temporary:
            new = temporary / "new"
            new.mkdir()
            yield new
            if target.exists():
                _swap(new, target, keep)
            else:
                new.replace(target)
    except OSError as error:
        raise CourseError(_advice(target, error)) from error


def _swap(new: Path, target: Path, keep: str) -> None:
    """Put `new` in the place of `target`; all or nothing."""
    # What was there is nothing temporary: of a process that is killed here it stays.
    old = target.with_name(f".{target.name[:40]}-old-{os.getpid()}")
    target.replace(old)
    try:
        if keep and (old / keep).exists():
            (old / keep).replace(new / keep)
        new.replace(target)
    except OSError:
        if keep and (new / keep).exists():
            (new / keep).replace(old / keep)
        old.replace(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_text(target: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text to `target`, whole or not at all."""
    with atomic_path(target) as temporary:
        # A file name of bytes that are no text stands in it escaped.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def check_temporary() -> None:
    """Raises `CourseError` when there is no folder for temporary files."""
    try:
        tempfile.gettempdir()
    except FileNotFoundError as error:
        raise CourseError(
            "no folder for temporary files can be written (TMPDIR, /tmp, …): free some space, or "
            "set TMPDIR to a folder that has some"
        ) from error


def home_folder() -> Path:
    """The user's home; the folder for temporary files for a user without one, as in containers."""
    try:
        return Path.home()
    except RuntimeError:
        return Path(tempfile.gettempdir())


def why_refused(folder: Path) -> str:
    """Why a file of some size cannot be written in a folder; "" where it can."""
    try:
        with tempfile.TemporaryFile(dir=folder) as tried:
            tried.write(bytes(1 << 20))
    except OSError as error:
        return error.strerror or str(error)
    return ""


def socket_folder() -> str:
    """The folder for temporary files if a socket's path fits below it, or another that is short.

    Raises:
        CourseError: when there is none.
    """
    usual = tempfile.gettempdir()
    for folder in (usual, "/tmp", "/var/tmp", os.environ.get("XDG_RUNTIME_DIR", "")):  # noqa: S108
        if _fits(folder) and os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK):  # noqa: PTH112
            return folder
    raise CourseError(
        f"{usual}: is too long a path for the sockets of several processes; set TMPDIR to a "
        f"folder below {_SOCKETS} characters that can be written"
    )


def _fits(folder: str) -> bool:
    """Whether a socket's path does: the folder's own, whatever link leads there, in UTF-8."""
    try:
        return os.name == "nt" or len(os.path.realpath(folder).encode()) < _SOCKETS
    except UnicodeEncodeError:
        return False


def shorten_sockets() -> None:
    """Let `multiprocessing` keep the sockets of its processes in `socket_folder`.

    With a longer path its processes fail while they hand over a batch, and it waits for ever.
    """
    from multiprocessing import process

    # As `multiprocessing.util.get_temp_dir` notes its own, for this process and its children.
    config: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]
    if "tempdir" not in config:
        folder = TemporaryFolder(socket_folder())
        atexit.register(folder.remove)
        config["tempdir"] = str(folder.path)


def _advice(target: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    return (
        f"{target}: could not be written ({reason}); nothing was changed. "
        "Free some space or name another folder"
    )
