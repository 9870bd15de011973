"""`house` against `report_table1` at equal image passes, and what each of its ingredients buys.

    python benchmarks/recipes.py --data ROOT --out RUNS --size 96 --epochs 8          # the two
    python benchmarks/recipes.py --data ROOT --out RUNS --size 96 --epochs 8 --ablate # each off

A run that RUNS holds already is not repeated, so either can be stopped and started again.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness import device, device_name
from records import Recorder, processor
from wanted import recipe

from coursekit.recipes import find


@dataclass(frozen=True)
class Run:
    """One training run, by the command line."""

    recipe: str
    without: tuple[str, ...]
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.recipe}{'-no-' if self.without else ''}{'+'.join(self.without)}-{self.seed}"


def train(run: Run, options: argparse.Namespace) -> float:
    """Mean IoU on the validation set, in percent; trains when it is not known yet."""
    out = options.out / f"{options.model}-{options.size}-{options.epochs}" / run.name
    scores = out / "scores.json"
    if not scores.exists():
        call = [
            sys.executable, "-m", "coursekit", "train", options.model, "--recipe", run.recipe,
            "--data", str(options.data), "--size", str(options.size),
            "--epochs", str(options.epochs), "--seed", str(run.seed), "--out", str(out),
            "--workers", str(options.workers),
        ]  # fmt: skip
        call += [word for name in run.without for word in ("--without", name)]
        call += ["--cpu"] if options.cpu else []
        call += ["--resume"] if (out / "state.safetensors").exists() else []
        start = time.perf_counter()
        environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
        subprocess.run(call, check=True, env=environment, stdout=subprocess.DEVNULL)
        minutes = (time.perf_counter() - start) / 60
        print(f"{run.name}: {minutes:.1f} minutes", file=sys.stderr, flush=True)
    return 100 * float(json.loads(scores.read_text())["mean_iou"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="fastscnn")
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--ablate", action="store_true", help="leave each ingredient out")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--threads", type=int, default=1, help="of each run")
    parser.add_argument("--workers", type=int, default=0, help="of each run, for batches")
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    ways: list[tuple[str, tuple[str, ...]]] = [("report_table1", ()), ("house", ())]
    if options.ablate:
        ways += [("house", (name,)) for name in find("house").ingredients]
        # At the report's rate the schedule is another question: the two go together.
        ways.append(("house", ("schedule", "rate")))
    where = processor() if options.cpu else device_name(device())
    recorder = Recorder(where, options.threads, options.seeds)
    with ThreadPoolExecutor(options.jobs) as pool:
        for name, without in ways:
            runs = [Run(name, without, seed) for seed in options.seeds]
            scores = list(pool.map(lambda run: train(run, options), runs))
            left_out = "+".join(without) or "nothing"
            row = recipe(options.model, options.size, options.epochs, name, left_out)
            recorder.keep(row, {"mean_iou": [round(score, 2) for score in scores]})


if __name__ == "__main__":
    main()
