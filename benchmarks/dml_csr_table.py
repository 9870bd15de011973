"""What the page says of `dml_csr.py`'s and `bspnet.py`'s records: means, differences, repairs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wanted import TABLE_4, VARIANTS

from coursekit.labels import CELEBAMASK_HQ
from coursekit.training.published import ABLATION_TABLE

__all__ = ["CLASSES", "PAPER_GAINS", "VARIANTS"]

Record = dict[str, Any]
#: LaPa's foreground by its size in a face.
LARGE = ("hair", "skin", "nose")
SMALL = ("l_brow", "r_brow", "l_eye", "r_eye", "u_lip", "mouth", "l_lip")
#: Those with a necklace left out, which has about a pixel a face at 64².
CLASSES = tuple(name for name in CELEBAMASK_HQ.names if name != "neck_l")
#: Points of mean IoU that self-regulation gains in the paper's Table 4, by data set.
PAPER_GAINS = [
    f"{with_it - without:.2f} ({column.removesuffix(' mean IoU')})"
    for column, with_it, without in zip(
        ABLATION_TABLE.columns,
        ABLATION_TABLE.rows["+DDGCN+DML+CSR"],
        ABLATION_TABLE.rows["+DDGCN+DML"],
        strict=True,
    )
    if column.endswith("mean IoU")
]


def spread(values: Sequence[float], form: str = "%.2f") -> str:
    """Mean ± standard deviation; of a single value no deviation."""
    if not values:
        return "–"
    told = form % statistics.mean(values)
    deviation = form.replace("+", "") % statistics.stdev(values) if len(values) > 1 else ""
    return f"{told} ± {deviation}" if deviation else told


def paired(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """Differences, seed by seed, of the seeds that both have."""
    return [ours[seed] - theirs[seed] for seed in sorted(ours.keys() & theirs.keys())]


def seeds_needed(differences: Sequence[float], gain: float) -> int | None:
    """Seeds after which a gain of this size is told from none, four times out of five.

    Of paired differences with this spread, by the normal approximation at 5 %, both sides.
    """
    if len(differences) < 2:
        return None
    return math.ceil(((1.960 + 0.842) * statistics.stdev(differences) / gain) ** 2)


@dataclass(frozen=True)
class Group:
    """The runs of one variant in one setting, by seed."""

    variant: str
    runs: Mapping[int, Record]

    def values(self, name: str) -> dict[int, float]:
        """A figure of each seed."""
        return {seed: run["figures"][name] for seed, run in self.runs.items()}

    def told(self, name: str) -> str:
        """Mean ± standard deviation of a figure."""
        return spread(list(self.values(name).values()))

    def classes(self, name: str) -> list[str]:
        """Of which there is a figure each."""
        return list(next(iter(self.runs.values()))["figures"][name])

    def parts(self, name: str, parts: Sequence[str]) -> str:
        """Mean ± standard deviation over seeds of the mean over some classes."""
        figures = [run["figures"][name] for run in self.runs.values()]
        return spread([statistics.mean(figure[p] for p in parts) for figure in figures])

    def gain(self, name: str, base: Group | None) -> str:
        """Paired differences to another variant: mean ± standard deviation, and how many."""
        if base is None or base.variant == self.variant:
            return ""
        differences = paired(self.values(name), base.values(name))
        if not differences:
            return ""
        return f"{spread(differences, '%+.2f')} ({len(differences)})"

    def own(self, name: str) -> str:
        """Mean absolute λ or γ at the end; nothing where the network has none."""
        values = [abs(r["figures"][name]) for r in self.runs.values() if name in r["figures"]]
        return f"{statistics.mean(values):.3f}" if values else ""


def groups(rows: Iterable[Record], variants: Sequence[str] = VARIANTS) -> dict[str, Group]:
    """Runs of one setting by variant, in the order in which variants are listed.

    Args:
        rows: records of one setting.
        variants: the names of those that are wanted.
    """
    found: dict[str, dict[int, Record]] = {}
    for row in rows:
        found.setdefault(row["settings"]["variant"], {})[row["settings"]["seed"]] = row
    return {name: Group(name, found[name]) for name in variants if name in found}


def by_row(
    records: Iterable[Record], order: Sequence[str] = TABLE_4
) -> list[tuple[str, list[Record]]]:
    """Records of one table by its row, in the paper's order; seeds in theirs."""
    found = sorted(records, key=lambda r: r["seed"])
    return [(row, runs) for row in order if (runs := [r for r in found if r["row"] == row])]


def _counts(words: str) -> list[int]:
    return [int(word) for word in words.split()]


def repaired(group: Group, when: str, part: str, name: str) -> list[float]:
    """Percent of the planted wrong pixels that were mended, of each seed that has any.

    Args:
        group: of a variant.
        when: "teacher 1", …, "final".
        part: "kinds" or "classes".
        name: of a kind of noise or a class; "all" for all together.
    """
    shares = []
    for run in group.runs.values():
        counted = run["figures"]["repairs"].get(when)
        if counted is None:
            continue
        lists = [_counts(w) for n, w in counted[part].items() if name in ("all", n)]
        wrong, mended = (sum(entry[place] for entry in lists) for place in (0, 1))
        if wrong:
            shares.append(100 * mended / wrong)
    return shares


def broken(group: Group, when: str, name: str = "all") -> dict[int, float]:
    """Percent of the right pixels that a network gets wrong, by seed.

    Args:
        group: of a variant.
        when: "teacher 1", …, "final", or "final standard" of a network without wrong labels.
        name: of a class, or "all".
    """
    shares = {}
    for seed, run in group.runs.items():
        counted = run["figures"]["repairs"].get(when)
        if counted is None:
            continue
        lists = [_counts(w) for n, w in counted["classes"].items() if name in ("all", n)]
        right, wrong = (sum(entry[place] for entry in lists) for place in (2, 3))
        if right:
            shares[seed] = 100 * wrong / right
    return shares


def broken_beyond(group: Group, when: str, clean: Group | None, setting: str) -> str:
    """What is broken beyond what a network of the same seed, trained without noise, gets wrong."""
    if clean is None:
        return "–"
    return spread(paired(broken(group, when), broken(clean, f"final {setting}")), "%+.2f")


def moments(group: Group) -> list[str]:
    """The moments at which repairs were counted, in the order of training."""
    return list(next(iter(group.runs.values()))["figures"]["repairs"])
