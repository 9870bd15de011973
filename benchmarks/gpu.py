"""Every row that needs a GPU and has no record, the most wanted first: `make gpu`.

    python benchmarks/gpu.py              # open rows, within eight minutes
    python benchmarks/gpu.py NAME …       # these rows, measured before or not

Each row is kept as soon as it is measured, so the run can be stopped at any time and goes on where
it was. What does not fit into the time, and what lacks a peer's package, stays open. Any Python
will do that has torch, torchvision, NumPy, OpenCV, Pillow, jaxtyping, safetensors and tqdm (and
segmentation-models-pytorch, the peer), from the repository's root: `PYTHONPATH=. python
benchmarks/gpu.py`. Where there is no git, COURSEKIT_COMMIT=… names the commit.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import abn
import augmentation
import latency
import losses
import models
import torch
from harness import device_name, free_memory
from records import Recorder, Row, read
from wanted import gpu_rows

BUDGET = 8 * 60  # seconds, for all rows
ROW = 6  # seconds, after which a row starts no other round
PATIENCE = 60  # seconds, after which a row is given up
WORK = {
    "models": models.compare,
    "lovasz": losses.compare,
    "waiting": augmentation.waiting,
    "latency": latency.compare,
    "tasks": latency.train,
    "abn": abn.compare,
}


class TooLong(Exception):
    """A row was given up."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Raise TooLong when the block takes longer."""

    def stop(*_: object) -> None:
        raise TooLong(f"not done after {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fill(rows: Iterable[Row], recorder: Recorder, budget: float = BUDGET) -> list[Row]:
    """Measure rows one after the other and keep each; those that stay open are returned."""
    end = time.monotonic() + budget
    still_open = []
    for row in rows:
        left = end - time.monotonic()
        if left <= 0:
            still_open.append(row)
            continue
        try:
            with at_most(min(PATIENCE, left)):
                until = min(time.monotonic() + ROW, end)
                figures = WORK[row.kind](**row.settings, until=until)
        except ModuleNotFoundError as error:
            print(f"{row.name}: peer missing ({error.name} is not installed)", flush=True)
            still_open.append(row)
        except (RuntimeError, AssertionError, TooLong) as error:
            reason = str(error).strip().splitlines() or [""]
            print(f"{row.name}: {type(error).__name__}: {reason[0]}", flush=True)
            still_open.append(row)
        else:
            recorder.keep(row, figures, f"python benchmarks/gpu.py {row.name}")
        free_memory()
    return still_open


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows; without, all that are open")
    names = parser.parse_args().names
    if not torch.cuda.is_available():
        print("no GPU here: torch.cuda.is_available() is False, and nothing was measured")
        return 2
    every = {row.name: row for row in gpu_rows()}
    if unknown := [name for name in names if name not in every]:
        parser.error(f"no such row: {', '.join(unknown)}; for example {next(iter(every))}")
    done = read()
    rows = [every[name] for name in names or every if names or name not in done]
    still_open = fill(rows, Recorder(device_name("cuda"), torch.get_num_threads()))
    print(f"{len(rows) - len(still_open)} rows measured, {len(still_open)} still open; "
          "now: make results")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
