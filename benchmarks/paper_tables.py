"""Tables of two papers, each by one command, on any folder of faces: 4 to 6 of DML-CSR, 2 and 3 of
LaPa (`--paper bspnet`).

    python benchmarks/paper_tables.py --table 4 --data ROOT --out RUNS           # 473², 200 epochs
    python benchmarks/paper_tables.py --table 6 --data ROOT --out RUNS --small   # 64², 10 epochs
    python benchmarks/paper_tables.py --paper bspnet --table 2 --data LAPA --out RUNS
    python benchmarks/paper_tables.py --paper bspnet --table 3 --data HELEN --lapa LAPA --out RUNS

Each row is `coursekit train dml_csr --recipe dml_csr` (`dml_csr_small`; `bspnet`, `bspnet_small`)
with ingredients left out, scored on --split by the protocol of the data set. A row that begins with
a network of LaPa trains that first, the C of Table 2, unless RUNS holds it. A run that RUNS holds
already is not repeated, so a table can be stopped and started again. With --record NAME each run
leaves a record under that name of the data, for RESULTS.md. `benchmarks/dml_csr.py` and
`benchmarks/bspnet.py` have controls that the papers lack, on rendered faces.
"""

from __future__ import annotations

import argparse
import json
import shlex
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
import wanted
from harness import device_name
from records import RECORDS, Recorder

from coursekit.data import open_dataset
from coursekit.data.reading import FolderDataset
from coursekit.errors import CourseError
from coursekit.files import write_text
from coursekit.training import protocols, published


class Wanted(NamedTuple):
    """How a row is trained: what is left out, which context is set, whether LaPa comes first."""

    without: tuple[str, ...] = ()
    context: str | None = None
    pretrained: bool = False


@dataclass(frozen=True)
class Paper:
    """A paper's tables.

    Attributes:
        tables: by their numbers.
        rows: for each row of a table how it is trained.
        epochs: of its network, unless others are asked for.
        source: what to call it.
        small: size of the small network's images.
    """

    tables: dict[int, published.PaperTable]
    rows: dict[int, dict[str, Wanted]]
    epochs: int
    source: str
    small: int


_P = ("binary", "category", "attention", "self_regulation")
_BASELINE = Wanted(("context", *_P))
_TABLE_4 = {
    "Baseline": _BASELINE,
    "+DDGCN": Wanted(_P),
    "+DDGCN+DML": Wanted(("self_regulation",)),
    "+DDGCN+DML+CSR": Wanted(),
}
_TABLE_5 = {
    "Baseline": _BASELINE,
    "+PSP": Wanted(_P, "psp"),
    "+PSP-pooling": Wanted(_P, "psp_no_pooling"),
    "+DGCNet": Wanted(_P, "dgcnet"),
    "+DGCNet-pooling": Wanted(_P, "dgcnet_no_pooling"),
    "+DDGCN": Wanted(_P),
}
_TABLE_6 = {
    "Baseline": _BASELINE,
    "+DML p+b": Wanted(("category", "attention", "self_regulation")),
    "+DML p+b+ba": Wanted(("category", "self_regulation")),
    "+DML p+c": Wanted(("binary", "attention", "self_regulation")),
    "+DML p+c+ca": Wanted(("binary", "self_regulation")),
    "+DML p+b+c": Wanted(("attention", "self_regulation")),
    "+DML all": Wanted(("self_regulation",)),
}
_MODEL_C = Wanted()
_LAPA_2 = {"A": Wanted(("boundary", "weight")), "B": Wanted(("weight",)), "C": _MODEL_C}
_LAPA_3 = {"BSPNet": _MODEL_C, "BSPNet+LaPa": Wanted(pretrained=True)}
PAPERS = {
    "dml_csr": Paper(
        {4: published.ABLATION_TABLE, 5: published.CONTEXT_TABLE, 6: published.TASKS_TABLE},
        {4: _TABLE_4, 5: _TABLE_5, 6: _TABLE_6}, 200, published.SOURCE, 64,
    ),
    "bspnet": Paper(
        {2: published.BSPNET_ABLATION_TABLE, 3: published.BSPNET_HELEN_TABLE},
        {2: _LAPA_2, 3: _LAPA_3}, 150, published.LAPA_SOURCE, 96,
    ),
}  # fmt: skip
assert tuple(_TABLE_4) == wanted.TABLE_4
assert {n: tuple(rows) for n, rows in PAPERS["bspnet"].rows.items()} == wanted.BSPNET_TABLES


def command(row: Wanted, seed: int, options: Any) -> list[str]:
    """`coursekit train …` of a row; the last word is its folder.

    Args:
        row: how it is trained.
        seed: of the run.
        options: of the command line.
    """
    recipe = options.paper + ("_small" if options.small else "")
    words = ["train", options.paper, "--recipe", recipe, "--data", str(options.data)]
    words += ["--size", str(options.size), "--epochs", str(options.epochs), "--seed", str(seed)]
    words += ["--precision", options.precision, "--workers", str(options.workers)]
    words += [word for name in row.without for word in ("--without", name)]
    words += ["--set", f"context={row.context}"] if row.context else []
    words += ["--cpu"] if options.cpu else []
    if row.pretrained:
        first = pretraining(seed, options)[-1]
        words += ["--start", str(Path(first) / "model.safetensors")]
    changes = [*(f"no-{name}" for name in row.without), *([row.context] if row.context else [])]
    changes += ["from-lapa"] if row.pretrained else []
    # LaPa's networks and Helen's lie in one RUNS.
    data = [] if options.paper == "dml_csr" else [options.data.resolve().name]
    name = "-".join([recipe, *data, str(options.size), str(options.epochs), *changes, str(seed)])
    folder = options.out / name
    words += ["--resume"] if (folder / "state.safetensors").exists() else []
    return [*words, "--out", str(folder)]


def pretraining(seed: int, options: Any) -> list[str]:
    """`coursekit train …` of the network of LaPa that a row begins with."""
    lapa = argparse.Namespace(**{**vars(options), "data": options.lapa})
    return command(_MODEL_C, seed, lapa)


def train(words: list[str]) -> None:
    """Trains when that was not done yet."""
    if not (Path(words[-1]) / "scores.json").exists():
        subprocess.run([sys.executable, "-m", "coursekit", *words], check=True)


def score(words: list[str], protocol: str, options: Any) -> dict[str, float]:
    """Trains when that was not done yet; mean IoU and columns of the protocol, in percent.

    Its last column alone, or all that the paper's table has, too.
    """
    folder, coursekit = Path(words[-1]), [sys.executable, "-m", "coursekit"]
    found = folder / f"{options.split}.json"
    if not found.exists():
        train(words)
        call = ["evaluate", "--checkpoint", str(folder / "model.safetensors"), "--json"]
        call += ["--data", str(options.data), "--split", options.split, "--protocol", protocol]
        call += ["--cpu"] if options.cpu else []
        said = subprocess.run([*coursekit, *call], check=True, stdout=subprocess.PIPE, text=True)
        write_text(found, said.stdout)
    scores = json.loads(found.read_text())
    last = protocols.PROTOCOLS[protocol].table.columns[-1]
    f1 = scores["protocol"]["ours"]["scores"]
    if "per_class" in scores:
        f1["Background"] = (scores["per_class"]["background"] or {}).get("f1")
    columns = PAPERS[options.paper].tables[options.table].columns
    shown = columns if last in columns else (last,)
    return {
        "mean IoU": 100 * scores["mean_iou"],
        **{column: 100 * (f1[column] or 0.0) for column in shown if column in f1},
    }


def keep(scores: dict[str, float], row: str, seed: int, options: Any) -> None:
    """Write a record of a run."""
    device = device_name("cpu" if options.cpu or not torch.cuda.is_available() else "cuda")
    recorder = Recorder(device, torch.get_num_threads(), [seed], options.keep)
    settings = (options.record, options.table, row, options.size, options.epochs, seed)
    figures = {name: round(score, 2) for name, score in scores.items()}
    recorder.keep(wanted.paper_table(*settings, small=options.small, paper=options.paper), figures)


def render(name: str, table: int, rows: dict[str, list[dict[str, float]]], data: str) -> str:
    """The table as text: the paper's rows in its order, its figures and those of here."""
    paper = PAPERS[name].tables[table]
    here = list(next(iter(rows.values()))[0])
    heads = [*(f"{name} (here)" for name in here), *(f"{name} (paper)" for name in paper.columns)]
    lines = [
        f"Table {table}: {paper.caption}. {data}. Paper: {PAPERS[name].source}.",
        "",
        f"| | {' | '.join(heads)} |",
        f"| --- |{' --- |' * len(heads)}",
    ]
    for row, runs in rows.items():
        cells = []
        for column in here:
            values = [run[column] for run in runs]
            spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
            cells.append(f"{statistics.mean(values):.2f}{spread}")
        cells += [f"{figure:.2f}" for figure in paper.rows[row]]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _labelled(data: Path, split: str) -> FolderDataset:
    """The split that is to be scored, whose masks are asked for before anything is trained."""
    dataset = open_dataset(data, split)
    if dataset.sample(0, landmarks=False).label_map is None:
        raise CourseError(f"{data}: the {split} split has no masks to score; choose --split val")
    return dataset


def parse() -> tuple[argparse.Namespace, str]:
    """The options, which fit each other, and the key of the data's label set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--paper", choices=PAPERS, default="dml_csr", help="default dml_csr")
    parser.add_argument("--table", type=int, required=True, help="4 to 6; of bspnet 2 and 3")
    parser.add_argument("--data", type=Path, required=True, help="any layout that README lists")
    parser.add_argument("--lapa", type=Path, help="LaPa, where a row begins with a network of it")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--small", action="store_true", help="the small network, by AdamW")
    parser.add_argument("--size", type=int, help="default 473, with --small 64, of bspnet 96")
    parser.add_argument("--epochs", type=int, help="default 200, of bspnet 150; with --small 10")
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
    paper = PAPERS[options.paper]
    if options.table not in paper.tables:
        listed = ", ".join(map(str, paper.tables))
        parser.error(f"--table {options.table}: of {options.paper} there are {listed}")
    options.size = options.size or (paper.small if options.small else 473)
    options.epochs = options.epochs or (10 if options.small else paper.epochs)
    try:
        options.dataset = _labelled(options.data, options.split)
        labels = options.dataset.labels
        if any(row.pretrained for row in paper.rows[options.table].values()):
            if options.lapa is None:
                parser.error("--table 3 begins with a network of LaPa: name its folder, --lapa")
            first = open_dataset(options.lapa, "train").labels
            if options.lapa.resolve().name == options.data.resolve().name:
                parser.error(f"--lapa: {options.lapa} and {options.data} have one name, by which "
                             "their runs are told apart; rename one")  # fmt: skip
            if first.names != labels.names:
                parser.error(f"--lapa: {options.lapa} has the classes of {first.key}, and "
                             f"{options.data} those of {labels.key}")  # fmt: skip
    except CourseError as error:
        parser.error(str(error))
    return options, labels.key


def main() -> int:
    options, labels = parse()
    protocol = next(p.key for p in protocols.PROTOCOLS.values() if p.labels.key == labels)
    wanted_rows = PAPERS[options.paper].rows[options.table]
    try:
        rows: dict[str, list[dict[str, float]]] = {name: [] for name in wanted_rows}
        for seed in options.seeds:
            for name, row in wanted_rows.items():
                words = command(row, seed, options)
                held = (Path(words[-1]) / f"{options.split}.json").exists()
                if row.pretrained and not held:
                    train(pretraining(seed, options))
                rows[name].append(score(words, protocol, options))
                if options.record and not held:
                    keep(rows[name][-1], name, seed, options)
    except subprocess.CalledProcessError as error:
        print(f"paper_tables: stopped where this failed: {shlex.join(error.cmd)}", file=sys.stderr)
        return 2
    seeds = f"{len(options.seeds)} {'seed' if len(options.seeds) == 1 else 'seeds'}"
    told = f"{options.dataset}, {options.size}², {options.epochs} epochs, {seeds}"
    text = render(options.paper, options.table, rows, told)
    name = "" if options.paper == "dml_csr" else f"{options.paper}_"
    write_text(options.out / f"{name}table{options.table}.md", text)
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
