"""Time two ways of doing a thing in turn, in one process: warm-up, medians, ratio, memory.

Whatever else the machine is doing then slows both alike, and the ratio means something.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from coursekit.complexity import seconds_of

Work = Callable[[], object]


@dataclass(frozen=True)
class Measurement:
    """One side of a comparison.

    Attributes:
        name: what was run.
        seconds: median over the rounds.
        spread: half the distance between the quartiles, in seconds.
        mebibytes: peak memory above what was in use before a run.
    """

    name: str
    seconds: float
    spread: float
    mebibytes: float


def peak_memory(work: Work) -> float:
    """Peak memory of one run above the level before it, in MiB.

    On a GPU torch's own count. On a CPU the resident memory of the process, looked at every
    millisecond (Linux), so short peaks can be missed: run something that lasts.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        seconds_of(work)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    page = os.sysconf("SC_PAGE_SIZE")
    done = threading.Event()
    levels: list[int] = []

    def watch() -> None:
        with Path("/proc/self/statm").open() as statm:
            while not done.is_set():
                statm.seek(0)
                levels.append(int(statm.read().split()[1]) * page)
                done.wait(0.001)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    while not levels:
        time.sleep(0.001)
    before = levels[-1]
    work()
    done.set()
    watcher.join()
    return max(max(levels) - before, 0) / 2**20


def compare(
    first: tuple[str, Work], second: tuple[str, Work], rounds: int = 9
) -> list[Measurement]:
    """Run two works in turn, `rounds` times each after a warm-up of both."""
    works = (first, second)
    for _, work in works:
        work()
    times: tuple[list[float], list[float]] = ([], [])
    for i in range(rounds):
        # Each goes first as often as the other.
        for side in (0, 1) if i % 2 == 0 else (1, 0):
            times[side].append(seconds_of(works[side][1]))
    out = []
    for (name, work), seconds in zip(works, times, strict=True):
        low, middle, high = statistics.quantiles(seconds, n=4)
        out.append(Measurement(name, middle, (high - low) / 2, peak_memory(work)))
    return out


def _number(value: float) -> str:
    """With three digits or more, and without an exponent."""
    return f"{value:.{1 if value >= 10 else 2 if value >= 1 else 3}f}"


def show(title: str, measured: list[Measurement], unit: str, amount: float) -> None:
    """Print a comparison as rows of a Markdown table; `amount` units are done in one run."""
    ours, peer = measured
    each = [
        f"{m.name} | {_number(amount / m.seconds)} {unit}/s (± {100 * m.spread / m.seconds:.0f} %)"
        for m in measured
    ]
    ratio = f"{peer.seconds / ours.seconds:.2f}×"
    memory = f"{ours.mebibytes:.0f} / {peer.mebibytes:.0f}"
    print(f"| {title} | {' | '.join(each)} | {ratio} | {memory} |", flush=True)


def header() -> None:
    """Print the machine, the commit and the head of the table."""
    print(f"device: {device_name()}; torch {torch.__version__}, {torch.get_num_threads()} threads; "
          f"commit {commit()}\n")  # fmt: skip
    print("| what | ours | speed | peer | speed | ratio | memory, MiB (ours / peer) |")
    print("| --- | --- | --- | --- | --- | --- | --- |")


def device_name() -> str:
    """The GPU's name, or the processor's."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def commit() -> str:
    """The short hash of HEAD, with a "+" when files differ from it."""
    try:
        call = ["git", "describe", "--always", "--dirty=+", "--exclude", "*"]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return os.environ.get("COURSEKIT_COMMIT", "unknown")
