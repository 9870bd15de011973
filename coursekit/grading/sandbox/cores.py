"""A core for each kernel, so that one that starts forty processes slows none but itself.

Which cores are taken is known by locked files, one for each, in a folder that all graders of a
user share: several graders on a machine do not meet on the first core, and what one held is free
when it ends, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def lent() -> Iterator[int | None]:
    """A core that nobody has, or any one where all are taken; None where there is but one.

    (More kernels than cores share some. Also then each kernel has one, and harms the others there
    alone.)
    """
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(usable) < 2:
        yield None
        return
    with contextlib.ExitStack() as held:
        for core in usable:
            file = _locked(core)
            if file is not None:
                held.callback(os.close, file)  # which unlocks it
                break
        else:
            core = random.choice(usable)  # noqa: S311  (nothing secret)
        yield core


def _locked(core: int) -> int | None:
    """The open file of a core, locked; None when another holds it."""
    import fcntl  # not everywhere; neither are cores to choose from

    folder = Path(tempfile.gettempdir(), f"coursekit-cores-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return None  # somebody else's
        file = os.open(folder / str(core), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return None
    return file
