"""`house` against `report_table1` at equal image passes, and what each of its ingredients buys.

    python benchmarks/recipes.py --data ROOT --out RUNS --size 96 --epochs 16          # the two
    python benchmarks/recipes.py --data ROOT --out RUNS --size 96 --epochs 16 --ablate # each off

A run that RUNS holds already is not repeated, so either can be stopped and started again. Gains are
differences between runs of the same seed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness import commit, device_name

from coursekit.recipes import ingredients


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
            sys.executable, "-m", "coursekit", "run", run.recipe, options.model,
            "--data", str(options.data), "--size", str(options.size), "--resume",
            "--epochs", str(options.epochs), "--seed", str(run.seed), "--out", str(out),
        ]  # fmt: skip
        call += [word for name in run.without for word in ("--without", name)]
        call += ["--cpu"] if options.cpu else []
        start = time.perf_counter()
        environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
        subprocess.run(call, check=True, env=environment, stdout=subprocess.DEVNULL)
        minutes = (time.perf_counter() - start) / 60
        print(f"{run.name}: {minutes:.1f} minutes", file=sys.stderr, flush=True)
    return 100 * float(json.loads(scores.read_text())["mean_iou"])


def row(name: str, scores: list[float], base: list[float]) -> str:
    """A line of the table: each seed, the mean, and the gain over `base`, seed by seed."""
    gains = [a - b for a, b in zip(scores, base, strict=True)]
    spread = statistics.stdev(gains) if len(gains) > 1 else float("nan")
    each = " / ".join(f"{score:.2f}" for score in scores)
    gain = f"{statistics.mean(gains):+.2f} ± {spread:.2f}" if any(gains) else ""
    return f"| {name} | {each} | {statistics.mean(scores):.2f} | {gain} |"


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
    parser.add_argument("--cpu", action="store_true")
    options = parser.parse_args()
    ways: list[tuple[str, tuple[str, ...]]] = [("report_table1", ()), ("house", ())]
    if options.ablate:
        ways += [("house", (name,)) for name in ingredients("house")]
        # At the report's rate the schedule is another question: the two go together.
        ways.append(("house", ("schedule", "rate")))
    runs = [Run(recipe, without, seed) for seed in options.seeds for recipe, without in ways]
    with ThreadPoolExecutor(options.jobs) as pool:
        found = dict(zip(runs, pool.map(lambda run: train(run, options), runs), strict=True))
    table = {way: [found[Run(*way, seed)] for seed in options.seeds] for way in ways}
    report, house = table[ways[0]], table[ways[1]]
    print(f"{options.model}, {options.size}², {options.epochs} epochs, "
          f"{'CPU' if options.cpu else device_name()}, commit {commit()}; "
          f"seeds {', '.join(map(str, options.seeds))}\n")  # fmt: skip
    print("| recipe | mean IoU of each seed, % | mean | gain, points |")
    print("| --- | --- | --- | --- |")
    print(row("report_table1", report, report))
    print(row("house, over report_table1", house, report))
    if options.ablate:
        print("\n| house without | mean IoU of each seed, % | mean | what leaving it out changes |")
        print("| --- | --- | --- | --- |")
        for way in ways[2:]:
            print(row(" and ".join(f"`{name}`" for name in way[1]), table[way], house))


if __name__ == "__main__":
    main()
