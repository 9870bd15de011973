"""Time several ways of doing a thing in turn, in one process: warm-up, medians, memory.

Whatever else the machine is doing then slows all alike, and their ratios mean something.
"""

from __future__ import annotations

import gc
import math
import os
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from records import processor

from coursekit.complexity import seconds_of

Work = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """Of one work.

    Attributes:
        seconds: median over the rounds.
        spread: half the distance between the quartiles, as a share of the median.
    """

    seconds: float
    spread: float

    def rate(self, amount: float) -> dict[str, float]:
        """As figures of a record; `amount` units are done in one run."""
        return {"per_second": round_to(amount / self.seconds), "spread": round(self.spread, 3)}


def in_turn(
    works: Mapping[str, Work],
    rounds: int = 9,
    until: float = math.inf,
    timer: Callable[[Work], float] = seconds_of,
) -> dict[str, Timing]:
    """Run each work `rounds` times after a warm-up.

    Args:
        works: by name. One for which a GPU has too little memory is left out of the result.
        rounds: at most; at least three are run.
        until: time.monotonic() after which no other round begins.
        timer: seconds of one run.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for done in range(-1, rounds):  # the first is the warm-up
        if done >= 3 and time.monotonic() > until:
            break
        # Each goes first as often as the last.
        for name in list(times) if done % 2 == 0 else list(times)[::-1]:
            try:
                seconds = timer(works[name])
            except torch.OutOfMemoryError:
                del times[name]
                continue
            if done >= 0:
                times[name].append(seconds)
    quartiles = {name: statistics.quantiles(seconds, n=4) for name, seconds in times.items()}
    return {name: Timing(q[1], (q[2] - q[0]) / 2 / q[1]) for name, q in quartiles.items()}


def processor_seconds(work: Work) -> float:
    """Processor time of one run, over all threads: other processes hardly change it."""
    start = time.process_time()
    work()
    return time.process_time() - start


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


def free_memory() -> None:
    """Give what no tensor holds any more back to the GPU."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def round_to(value: float, digits: int = 4) -> float:
    """With so many digits: the others mean nothing, and records stay short."""
    return float(f"{value:.{digits}g}")


def device() -> str:
    """Where networks run: "cuda" or "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name(kind: str) -> str:
    """The GPU's name, or the processor's."""
    return torch.cuda.get_device_name() if kind == "cuda" else processor()
