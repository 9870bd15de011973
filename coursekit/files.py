"""Writing files so that a crash, a full disk or Ctrl-C never leaves half of one."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def atomic_path(target: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path beside `target` that takes its name when the block ends without an error.

    Until then `target` keeps its old content, or stays absent; after an error the temporary file is
    removed. The folder of `target` is made if it is missing.

    Raises:
        CourseError: when the disk is full or the folder cannot be written.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.stem[:40]}-", suffix=target.suffix
        )
        os.close(handle)
    except OSError as error:
        raise CourseError(_advice(target, error)) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes a private file; what the user asked for gets the user's ordinary mode.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    except OSError as error:
        raise CourseError(_advice(target, error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_text(target: str | os.PathLike[str], text: str) -> None:
    """Write UTF-8 text to `target`, whole or not at all."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _advice(target: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    return (
        f"{target}: could not be written ({reason}); nothing was changed. "
        "Free some space or name another folder"
    )
