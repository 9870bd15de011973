"""What lessons say that was measured is what the records hold."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dml_csr_table as dml
import pytest
import records
import wanted
from table import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"


class Runs:
    """Means over the seeds of `dml_csr.py`'s records, as a lesson writes them."""

    def __init__(self) -> None:
        rows = Rows(records.read())
        self._groups = {
            setting: dml.groups(rows.all("dml_csr", setting=setting)) for setting in wanted.SETTINGS
        }

    def group(self, variant: str, setting: str = "standard") -> dml.Group:
        return self._groups[setting][variant]

    def seeds(self, *variants: str) -> int:
        """How many seeds all of these have."""
        return min(len(self.group(name).runs) for name in variants)

    def iou(self, variant: str) -> str:
        return dml.spread(list(self.group(variant).values("mean_iou").values()), "%.1f")

    def own(self, variant: str, name: str) -> str:
        return self.group(variant).own(name)

    def deviation(self, variant: str) -> float:
        return statistics.stdev(self.group(variant).values("mean_iou").values())

    def mended(self, variant: str) -> str:
        return dml.spread(dml.repaired(self.group(variant), "final", "kinds", "all"), "%.0f")

    def broken(self, variant: str) -> str:
        group = self.group(variant)
        return dml.spread(list(dml.broken(group, dml.moments(group)[-1]).values()), "%.1f")

    def broken_anyway(self) -> str:
        clean = dml.broken(self.group("all", "clean"), "final standard")
        return dml.spread(list(clean.values()), "%.1f")


#: Conditions in which self-regulation was tried, as lesson 11 names them: setting, plain training
#: and the cycles in place of its end.
CONDITIONS = (
    ("as above", "standard", "all", "cycles"),
    ("more wrong labels: 50 % of the faces for each kind", "noisier", "all", "cycles"),
    ("whole regions alone, 40 %", "regions", "all", "cycles"),
    ("the same without rotation and scale", "regions still", "all", "cycles"),
    ("three times as many passes", "longer", "all", "cycles"),
    ("SGD, as in the paper", "standard", "sgd", "sgd, cycles"),
    ("FastSCNN, 96²", "larger", "fastscnn, all", "fastscnn, cycles"),
)
#: Critical values of Student's t for 95 %, by the number of pairs.
STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}


def clear(differences: Sequence[float]) -> str:
    """Whether the 95 % interval of paired differences leaves 0 out; with one pair nobody knows."""
    if len(differences) < 2:
        return "unknown"
    half = STUDENT[len(differences)] * statistics.stdev(differences) / len(differences) ** 0.5
    return "yes" if abs(statistics.mean(differences)) > half else "no"


def by_condition(runs: Runs) -> dict[str, tuple[dict[int, float], dict[int, float]]]:
    """Mean IoU by seed of plain training and of self-regulation, in each condition."""
    found = {
        name: tuple(runs.group(each, setting).values("mean_iou") for each in (plain, cycles))
        for name, setting, plain, cycles in CONDITIONS
    }
    dml_row, csr_row = (photographs()[row] for row in wanted.TABLE_4[2:])
    return {**found, "photographs, 96², 20 epochs": (dml_row, csr_row)}


def photographs() -> dict[str, dict[int, float]]:
    """Mean IoU by seed of each row of Table 4 on photographs."""
    found = Rows(records.read()).all("paper", data="celebamask-hq-1000", table=4, network="small")
    return {row: {run["seed"]: run["mean IoU"] for run in each} for row, each in dml.by_row(found)}


def condition_rows(runs: Runs) -> str:
    """A row for each condition, as lesson 11 shows them."""
    lines = []
    for name, (plain, cycles) in by_condition(runs).items():
        less = dml.paired(cycles, plain)
        shown = [dml.spread([values[s] for s in sorted(plain.keys() & cycles.keys())], "%.1f")
                 for values in (plain, cycles)]  # fmt: skip
        cells = [name, str(len(less)), *shown, dml.spread(less, "%+.1f"), clear(less)]
        lines.append(f"# | {' | '.join(cells)} |")
    return "\n".join(lines)


#: Lesson 09's rows: what it calls them, the setting and the variant of the records.
GRAPHS = (
    ("64², ten epochs", "standard", "ddgcn"),
    ("64², 30 epochs", "longer", "ddgcn"),
    ("64², ten epochs, merged as in Eq. 1", "standard", "ddgcn, eq 1"),
    ("96², ten epochs", "larger", "ddgcn"),
)


class Pair(NamedTuple):
    """A network with its graphs and without, by seed."""

    on: dict[int, float]
    off: dict[int, float]

    @property
    def differences(self) -> list[float]:
        return dml.paired(self.on, self.off)

    @property
    def clear(self) -> bool:
        """Whether the mean difference is twice its standard error or more."""
        each = self.differences
        return abs(statistics.mean(each)) >= 2 * statistics.stdev(each) / len(each) ** 0.5

    def __str__(self) -> str:
        on, off = (dml.spread(list(one.values())) for one in (self.on, self.off))
        each = self.differences
        return f"{on} | {off} | {dml.spread(each, '%+.2f')} | {len(each)}"


def graph_pairs() -> dict[str, Pair]:
    rows, pairs = Rows(records.read()), {}
    for name, setting, variant in GRAPHS:
        found = dml.groups(rows.all("dml_csr", setting=setting))
        on, off = (found[v].values("mean_iou") for v in (variant, f"{variant}, graphs off"))
        pairs[name] = Pair(on, off)
    return pairs


def bspnet_rows() -> str:
    """A row for each variant of `bspnet.py` that has a record, as lesson 12 shows them."""
    rows = Rows(records.read()).all("bspnet")
    return "\n".join(
        f"# | {name} | {group.told('mean_f1_faces')} | {group.parts('f1', dml.LARGE)} | "
        f"{group.parts('f1', dml.SMALL)} | {len(group.runs)} |"
        for name, group in dml.groups(rows, wanted.BSPNET_VARIANTS).items()
    )


class Quote(NamedTuple):
    """What a lesson says, with figures to be filled in."""

    lesson: str
    text: str


#: In the order of the text.
QUOTES = (
    Quote(
        "09_ddgcn",
        "ten epochs, {seeds} seeds) the gates opened: in the mean $|\\lambda|$ was {lambda_} and "
        "$|\\gamma|$ was {gamma}. The baseline reached {baseline} points, DDGCN {ddgcn}, and the "
        "same block built without its graphs {off}.",
    ),
    Quote(
        "09_ddgcn",
        "# | run | with graphs | without | difference | seeds |\n"
        "# |---|---|---|---|---|\n"
        "{graphs}\n#\n",
    ),
    Quote(
        "09_ddgcn",
        "{clear} of these differences is twice as large as its standard error. The largest, "
        "{largest} points at 96², would need about {needed} pairs of runs to be told from none.",
    ),
    Quote(
        "10_edges",
        "ten epochs in batches of 8, {seeds} seeds: mean IoU **{ddgcn}** without and **{all}** "
        "with all five terms; {heads} with the two heads and no attention, {attention} with the "
        "attention losses and no heads, {category} with category edges and their attention alone. "
        "With a plain 3×3 convolution in place of DDGCN {baseline} without and "
        "{all_baseline} with.",
    ),
    Quote(
        "11_self_regulation",
        "the network at the end of two cycles had mended {mended} % of the wrong pixels and broke "
        "{broken} % of the right ones. Networks trained *without* any wrong label get {anyway} % "
        "of these wrong, too, and plain training on the wrong labels for as long {plain} %.",
    ),
    Quote(
        "11_self_regulation",
        "| plain training from labels, one cosine | {all} |\n"
        "# | 6 epochs, 2 cycles of 2, averages and teacher | {cycles} |\n"
        "# | the same without the teacher | {untaught} |\n"
        "# | the same without averages, too | {neither} |",
    ),
    Quote(
        "11_self_regulation",
        "in a setting of ours, over {seeds} seeds, the standard deviation was {deviation:.1f} "
        "points",
    ),
    Quote(
        "11_self_regulation",
        "# | condition | seeds | plain | self-regulation | difference | clear of 0? |\n"
        "# |---|---|---|---|---|---|\n"
        "{conditions}\n#\n",
    ),
    Quote(
        "11_self_regulation",
        "In {conditions_lost} of these {conditions_tried} conditions self-regulation lost; with "
        "{fewest_seeds} to {most_seeds} seeds each",
    ),
    Quote(
        "11_self_regulation",
        "Variations of the cycles lost as well, by {least:.1f} to {most:.1f} points with "
        "{variation_seeds} seeds each",
    ),
    Quote(
        "11_self_regulation",
        "On the photographs the rows of the paper's Table 4 gave {photographs} with "
        "{photograph_seeds} seeds each",
    ),
    Quote("11_self_regulation", "SPREAD = {deviation:.1f}  # points of mean IoU"),
    Quote(
        "12_bspnet",
        "# | network | mean F1 | large parts | small parts | seeds |\n"
        "# |---|---|---|---|---|\n"
        "{bspnet}\n#\n",
    ),
)


def regulation(runs: Runs) -> dict[str, object]:
    """What lesson 11 says of self-regulation in other conditions."""
    conditions, rows = by_condition(runs).values(), photographs()
    variations = [
        dml.paired(runs.group(name).values("mean_iou"), runs.group("all").values("mean_iou"))
        for name in wanted.VARIANTS[18:24]
    ]
    means = [statistics.mean(each) for each in variations]
    told = [f"{row} {dml.spread(list(each.values()), '%.1f')}" for row, each in rows.items()]
    lost = [statistics.mean(dml.paired(cycles, plain)) < 0 for plain, cycles in conditions]
    pairs = [len(dml.paired(cycles, plain)) for plain, cycles in conditions]
    (seeds,) = {len(each) for each in variations}
    (pictured,) = {len(each) for each in rows.values()}
    return {
        "conditions": condition_rows(runs),
        "conditions_tried": counted(len(lost)),
        "conditions_lost": "all" if all(lost) else counted(sum(lost)),
        "fewest_seeds": counted(min(pairs)),
        "most_seeds": counted(max(pairs)),
        "least": -max(means),
        "most": -min(means),
        "variation_seeds": counted(seeds),
        "photographs": ", ".join(told),
        "photograph_seeds": counted(pictured),
    }


def counted(number: int) -> str:
    return ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")[number]


def figures() -> dict[str, object]:
    """What the quotes are filled with."""
    runs = Runs()
    named = {
        "baseline": "baseline", "ddgcn": "ddgcn", "off": "ddgcn, graphs off", "all": "all",
        "heads": "b+c", "attention": "ba+ca, no heads", "category": "c+ca",
        "all_baseline": "all on baseline",
    }  # fmt: skip
    pairs = graph_pairs()
    larger = pairs["96², ten epochs"].differences
    gain = statistics.mean(larger)
    assert gain == max(statistics.mean(pair.differences) for pair in pairs.values())
    return {
        "graphs": "\n".join(f"# | {name} | {pair} |" for name, pair in pairs.items()),
        "clear": {0: "None", 1: "One"}.get(n := sum(pair.clear for pair in pairs.values()), n),
        "largest": f"{gain:+.2f}",
        "needed": dml.seeds_needed(larger, gain),
        **{key: runs.iou(variant) for key, variant in named.items()},
        "lambda_": runs.own("ddgcn", "lambda"),
        "gamma": runs.own("ddgcn", "gamma"),
        "cycles": runs.iou("cycles"),
        "untaught": runs.iou("cycles, no teacher"),
        "neither": runs.iou("cycles, neither"),
        "mended": runs.mended("cycles"),
        "broken": runs.broken("cycles"),
        "plain": runs.broken("all"),
        "anyway": runs.broken_anyway(),
        "deviation": runs.deviation("all"),
        "seeds": runs.seeds(*named.values()),
        "bspnet": bspnet_rows(),
        **regulation(runs),
    }


@pytest.mark.parametrize("quote", QUOTES, ids=lambda quote: quote.lesson)
def test_a_lesson_says_what_the_records_hold(quote: Quote) -> None:
    text = (SOURCES / f"{quote.lesson}.py").read_text(encoding="utf-8")
    said = quote.text.format(**figures())
    assert said in text, f"{quote.lesson} must say: {said}"


def test_lesson_15_quotes_the_ablation() -> None:
    """Its table holds the recipes' records, seed by seed."""
    tree = ast.parse((SOURCES / "15_recipes.py").read_text(encoding="utf-8"))
    (said,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MEASURED"
    )
    runs = Rows(records.read()).all("recipes", model="fastscnn", size=96, epochs=8)
    found = {(run["recipe"], run["without"]): run["mean_iou"] for run in runs}
    expected = {
        "report": found.pop(("report_table1", "nothing")),
        "house": found.pop(("house", "nothing")),
        **{without.replace("+", " and "): each for (_, without), each in found.items()},
    }
    assert said == expected
