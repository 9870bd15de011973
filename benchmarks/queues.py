"""Runs in a queue, each with a record of its own; what `dml_csr.py` and `bspnet.py` share.

A run that has its record is not repeated, so a queue can be stopped and started again.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from records import RECORDS, Recorder, Row, processor


def parser(description: str, queues: Iterable[str]) -> argparse.ArgumentParser:
    """The options that each script with queues has."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--queue", choices=(*queues, "all"), help="which runs")
    made.add_argument("--minutes", type=float, default=1e6, help="begin none after so many")
    made.add_argument("--seeds", type=int, nargs="+", help="only these")
    made.add_argument("--keep", type=Path, default=RECORDS, help="folder of the records")
    made.add_argument("--list", action="store_true", help="what is open")
    return made


def tell_open(queues: Mapping[str, Sequence[Row]], folder: Path) -> None:
    """Print how much of each queue has no record."""
    for name, rows in queues.items():
        left = sum(not (folder / f"{row.name}.json").exists() for row in rows)
        print(f"{name:12} {left:3} of {len(rows):3} runs open")


def alone(work: Callable[[], Any]) -> int:
    """Do the work in one thread, behind whatever else the machine does; the exit code.

    Where it is interrupted, what has its record stays.
    """
    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(10)
    try:
        work()
    except KeyboardInterrupt:
        print("stopped; whole runs have their records, the same command goes on", flush=True)
        return 130
    return 0


def run(
    rows: Iterable[Row],
    measure: Callable[[Row], dict[str, Any]],
    command: Callable[[Row], str],
    options: argparse.Namespace,
) -> int:
    """Run what has no record yet, in this order; returns how many runs that were.

    Args:
        rows: of the queue, each with a "seed".
        measure: trains and scores a row.
        command: what fills a row, for its record.
        options: of `parser`.
    """
    until, done = time.monotonic() + 60 * options.minutes, 0
    for row in rows:
        seed = row.settings["seed"]
        if options.seeds and seed not in options.seeds:
            continue
        if (options.keep / f"{row.name}.json").exists():
            continue
        if time.monotonic() > until:
            print(f"stopped after {done} runs; the same command goes on", flush=True)
            break
        recorder = Recorder(processor(), torch.get_num_threads(), [seed], options.keep)
        recorder.keep(row, measure(row), command(row))
        done += 1
    return done
