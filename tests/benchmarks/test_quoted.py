"""What lessons say that was measured is what the records hold."""

from __future__ import annotations

from pathlib import Path

import dml_csr_table as dml
import pytest
import records
from table import Rows

SOURCES = Path(__file__).parents[2] / "notebooks" / "source"


class Runs:
    """Means over the seeds of `dml_csr.py`'s records, as a lesson writes them."""

    def __init__(self) -> None:
        rows = Rows(records.read())
        self._groups = {
            setting: dml.groups(rows.all("dml_csr", setting=setting))
            for setting in ("standard", "clean")
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


#: By lesson: what it says, with figures to be filled in.
QUOTES = {
    "09_ddgcn": (
        "ten epochs, {seeds} seeds) the gates opened: in the mean $|\\lambda|$ was {lambda_} and "
        "$|\\gamma|$ was {gamma}. The baseline reached {baseline} points, DDGCN {ddgcn}, and the "
        "same block built without its graphs {off}."
    ),
    "10_edges": (
        "ten epochs in batches of 8, {seeds} seeds: mean IoU **{ddgcn}** without and **{all}** "
        "with all five terms; {heads} with the two heads and no attention, {attention} with the "
        "attention losses and no heads, {category} with category edges and their attention alone. "
        "With a plain 3×3 convolution in place of DDGCN {baseline} without and {all_baseline} with."
    ),
}


def figures() -> dict[str, object]:
    """What the quotes are filled with."""
    runs = Runs()
    named = {
        "baseline": "baseline", "ddgcn": "ddgcn", "off": "ddgcn, graphs off", "all": "all",
        "heads": "b+c", "attention": "ba+ca, no heads", "category": "c+ca",
        "all_baseline": "all on baseline",
    }  # fmt: skip
    return {
        **{key: runs.iou(variant) for key, variant in named.items()},
        "lambda_": runs.own("ddgcn", "lambda"),
        "gamma": runs.own("ddgcn", "gamma"),
        "seeds": runs.seeds(*named.values()),
    }


@pytest.mark.parametrize("lesson", QUOTES)
def test_a_lesson_says_what_the_records_hold(lesson: str) -> None:
    text = (SOURCES / f"{lesson}.py").read_text(encoding="utf-8")
    said = QUOTES[lesson].format(**figures())
    assert said in text, f"{lesson} must say: {said}"
