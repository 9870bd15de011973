"""What one kernel may use."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

MEBI = 1 << 20


@dataclass(frozen=True)
class KernelLimits:
    """Caps of one kernel.

    Attributes:
        memory: bytes that it may add to what the preloaded libraries hold.
        seconds: of its whole life, on the clock.
        cpu_seconds: of processor time, each of its processes.
        file_size: bytes of one file.
        scratch: bytes of all its files (they lie in memory, not on the disk).
        processes: with threads.
        open_files: in each process.
    """

    memory: int = 2048 * MEBI
    seconds: float = 120.0
    cpu_seconds: int = 240
    file_size: int = 64 * MEBI
    scratch: int = 192 * MEBI
    processes: int = 96
    open_files: int = 512

    def to_json(self) -> dict[str, Any]:
        """As plain data, for the way into the sandbox."""
        return asdict(self)


def apply(limits: KernelLimits) -> None:
    """Lower the resource limits of this process, for good.

    `RLIMIT_DATA` and not `RLIMIT_AS`: torch maps gigabytes of library that it never touches.
    """
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[5])
    held = pages * resource.getpagesize()
    for kind, value in (
        (resource.RLIMIT_DATA, held + limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
