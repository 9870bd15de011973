"""What kernels see of the machine: as it was when the fork server started, and then no more.

Counters of the whole machine (processes, pages, interrupts, free memory) are a board on which one
kernel could write and another read. So /sys holds copies of the few files that libraries look at,
and over each file of /proc that is no process's lies a copy, or nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from coursekit.grading.sandbox import namespaces

_CPUS = "/sys/devices/system/cpu"
#: Of processors: which there are, and what they are; not how busy, nor how fast just now.
_OF_CPUS = (
    "kernel_max", "online", "possible", "present", "cpu[0-9]*/topology/*",
    "cpu[0-9]*/regs/identification/*", "cpu0/cache/index[0-9]/*",
)  # fmt: skip
_OF_PROC = ("cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version")
#: Of a file with counters, what is copied: an earlier run could have left its mark in the others.
_LINES = {"stat": (b"cpu", b"btime")}
#: In the folder: copies for /proc, and what lies over the rest of it.
_PROC, _NO_FILE, _NO_FOLDER = "proc", "proc/.file", "proc/.folder"


def copy(folder: Path) -> None:
    """Make a folder that can be shown as /sys: `devices/system/cpu`, and `proc` for `cover`."""
    (folder / _NO_FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / _NO_FILE).touch()
    found = {Path("/proc", name): folder / _PROC / name for name in _OF_PROC}
    for pattern in _OF_CPUS:
        found |= {path: folder / path.relative_to("/sys") for path in Path(_CPUS).glob(pattern)}
    for source, target in found.items():
        with suppress(OSError):  # this machine has none, or keeps it to itself
            lines = source.read_bytes().splitlines(keepends=True)
            kept = _LINES.get(source.name, (b"",))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"".join(line for line in lines if line.startswith(kept)))
    for path in (folder, *folder.rglob("*")):  # for kernels, which are other users
        path.chmod(0o755 if path.is_dir() else 0o644)


def cover(shown: str = "/sys") -> None:
    """Lay copies, or nothing, over what /proc says of more than processes.

    Args:
        shown: where what `copy` made can be seen, read-only.
    """
    for entry in [*os.scandir("/proc")]:
        if entry.name.isdigit() or entry.is_symlink():  # /proc/self, /proc/mounts → self/mounts
            continue
        still = f"{shown}/{_PROC}/{entry.name}"
        if not os.path.lexists(still):
            still = f"{shown}/{_NO_FOLDER if entry.is_dir() else _NO_FILE}"
        namespaces.bind(still, entry.path, writable=True)  # as read-only as where it lies
