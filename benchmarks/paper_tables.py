"""Tables 4, 5 and 6 of the DML-CSR paper, each by one command, on any folder of faces.

    python benchmarks/paper_tables.py --table 4 --data ROOT --out RUNS           # 473², 200 epochs
    python benchmarks/paper_tables.py --table 6 --data ROOT --out RUNS --small   # 64², 10 epochs

Each row is `coursekit train dml_csr --recipe dml_csr` (`dml_csr_small`) with ingredients left out,
scored on --split by the protocol of the data set. A run that RUNS holds already is not repeated, so
a table can be stopped and started again. With --record NAME each run leaves a record under that
name of the data, for RESULTS.md. `benchmarks/dml_csr.py` has controls that the paper lacks, on
rendered faces whose wrong labels are known.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
import wanted
from harness import device_name
from records import RECORDS, Recorder

from coursekit.data import open_dataset
from coursekit.data.reading import FolderDataset
from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.training import protocols, published

TABLES = {4: published.ABLATION_TABLE, 5: published.CONTEXT_TABLE, 6: published.TASKS_TABLE}
_P = ("binary", "category", "attention", "self_regulation")
_BASELINE = ("context", *_P)
#: For each row of a table what is left out and which context is set.
ROWS: dict[int, dict[str, tuple[tuple[str, ...], str | None]]] = {
    4: {
        "Baseline": (_BASELINE, None),
        "+DDGCN": (_P, None),
        "+DDGCN+DML": (("self_regulation",), None),
        "+DDGCN+DML+CSR": ((), None),
    },
    5: {
        "Baseline": (_BASELINE, None),
        "+PSP": (_P, "psp"),
        "+PSP-pooling": (_P, "psp_no_pooling"),
        "+DGCNet": (_P, "dgcnet"),
        "+DGCNet-pooling": (_P, "dgcnet_no_pooling"),
        "+DDGCN": (_P, None),
    },
    6: {
        "Baseline": (_BASELINE, None),
        "+DML p+b": (("category", "attention", "self_regulation"), None),
        "+DML p+b+ba": (("category", "self_regulation"), None),
        "+DML p+c": (("binary", "attention", "self_regulation"), None),
        "+DML p+c+ca": (("binary", "self_regulation"), None),
        "+DML p+b+c": (("attention", "self_regulation"), None),
        "+DML all": (("self_regulation",), None),
    },
}
assert tuple(ROWS[4]) == wanted.TABLE_4


def command(row: tuple[tuple[str, ...], str | None], seed: int, options: Any) -> list[str]:
    """`coursekit train …` of a row; the last word is its folder."""
    without, context = row
    recipe = "dml_csr_small" if options.small else "dml_csr"
    words = ["train", "dml_csr", "--recipe", recipe, "--data", str(options.data)]
    words += ["--size", str(options.size), "--epochs", str(options.epochs), "--seed", str(seed)]
    words += ["--precision", options.precision, "--workers", str(options.workers)]
    words += [word for name in without for word in ("--without", name)]
    words += ["--set", f"context={context}"] if context else []
    words += ["--cpu"] if options.cpu else []
    changes = [*(f"no-{name}" for name in without), *([context] if context else [])]
    name = "-".join([recipe, str(options.size), str(options.epochs), *changes, str(seed)])
    folder = options.out / name
    words += ["--resume"] if (folder / "state.safetensors").exists() else []
    return [*words, "--out", str(folder)]


def score(words: list[str], protocol: str, options: Any) -> dict[str, float]:
    """Trains when that was not done yet; mean IoU and the protocol's last column, in percent."""
    folder, coursekit = Path(words[-1]), [sys.executable, "-m", "coursekit"]
    found = folder / f"{options.split}.json"
    if not found.exists():
        if not (folder / "scores.json").exists():
            subprocess.run([*coursekit, *words], check=True)
        call = ["evaluate", "--checkpoint", str(folder / "model.safetensors"), "--json"]
        call += ["--data", str(options.data), "--split", options.split, "--protocol", protocol]
        call += ["--cpu"] if options.cpu else []
        said = subprocess.run([*coursekit, *call], check=True, stdout=subprocess.PIPE, text=True)
        write_text(found, said.stdout)
    scores = json.loads(found.read_text())
    last = protocols.PROTOCOLS[protocol].table.columns[-1]
    f1 = scores["protocol"]["ours"]["scores"][last]
    return {"mean IoU": 100 * scores["mean_iou"], last: 100 * (f1 or 0.0)}


def keep(scores: dict[str, float], row: str, seed: int, options: Any) -> None:
    """Write a record of a run."""
    device = device_name("cpu" if options.cpu or not torch.cuda.is_available() else "cuda")
    recorder = Recorder(device, torch.get_num_threads(), [seed], options.keep)
    settings = (options.record, options.table, row, options.size, options.epochs, seed)
    figures = {name: round(score, 2) for name, score in scores.items()}
    recorder.keep(wanted.paper_table(*settings, small=options.small), figures)


def render(table: int, rows: dict[str, list[dict[str, float]]], data: str) -> str:
    """The table as text: the paper's rows in its order, its figures and those of here."""
    paper = TABLES[table]
    here = list(next(iter(rows.values()))[0])
    heads = [*(f"{name} (here)" for name in here), *(f"{name} (paper)" for name in paper.columns)]
    lines = [
        f"Table {table}: {paper.caption}. {data}. Paper: {published.SOURCE}.",
        "",
        f"| | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(heads)}",
    ]
    for name, runs in rows.items():
        cells = []
        for column in here:
            values = [run[column] for run in runs]
            spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.2f}{spread}")
        cells += [f"{figure:.2f}" for figure in paper.rows[name]]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _labelled(data: Path, split: str) -> FolderDataset:
    """The split that is to be scored, whose masks are asked for before anything is trained."""
    dataset = open_dataset(data, split)
    if dataset.sample(0, landmarks=False).label_map is None:
        raise CourseError(f"{data}: the {split} split has no masks to score; choose --split val")
    return dataset


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=int, choices=ROWS, required=True)
    parser.add_argument("--data", type=Path, required=True, help="any layout that README lists")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--small", action="store_true", help="the small network, by AdamW")
    parser.add_argument("--size", type=int, help="default 473, with --small 64")
    parser.add_argument("--epochs", type=int, help="default 200, with --small 10")
    parser.add_argument("--split", default="test", choices=("val", "test"), help="what is scored")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--workers", type=int, default=0, help="processes for batches")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument(
        "--record", metavar="NAME", help="keep records, under this name of the data"
    )
    parser.add_argument("--keep", type=Path, default=RECORDS, help="folder of the records")
    options = parser.parse_args()
    options.size = options.size or (64 if options.small else 473)
    options.epochs = options.epochs or (10 if options.small else 200)
    try:
        dataset = _labelled(options.data, options.split)
    except CourseError as error:
        parser.error(str(error))
    protocol = next(
        p.key for p in protocols.PROTOCOLS.values() if p.labels.key == dataset.labels.key
    )
    try:
        rows: dict[str, list[dict[str, float]]] = {name: [] for name in ROWS[options.table]}
        for seed in options.seeds:
            for name, row in ROWS[options.table].items():
                words = command(row, seed, options)
                held = (Path(words[-1]) / f"{options.split}.json").exists()
                rows[name].append(score(words, protocol, options))
                if options.record and not held:
                    keep(rows[name][-1], name, seed, options)
    except subprocess.CalledProcessError as error:
        print(f"paper_tables: stopped where this failed: {shlex.join(error.cmd)}", file=sys.stderr)
        return 2
    seeds = f"{len(options.seeds)} {'seed' if len(options.seeds) == 1 else 'seeds'}"
    told = f"{dataset}, {options.size}², {options.epochs} epochs, {seeds}"
    text = render(options.table, rows, told)
    write_text(options.out / f"table{options.table}.md", text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
