"""Which sizes a lesson runs with, and what it says to a variable that it cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coursekit import tier
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from pathlib import Path

QUICK = {"train": 200, "rate": 0.002, "rates": (1, 2, 3)}
FULL = {"train": 5000, "rate": 0.001, "rates": (6, 12, 18)}
BOTH = {name: (QUICK[name], FULL[name]) for name in QUICK}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIER", "DATA", "SIZES"):
        monkeypatch.delenv(f"COURSEKIT_{name}", raising=False)


def test_quick_where_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tier.choose(**BOTH) == ("quick", None, QUICK)
    monkeypatch.setenv("COURSEKIT_TIER", "")
    monkeypatch.setenv("COURSEKIT_DATA", "")
    monkeypatch.setenv("COURSEKIT_SIZES", "")
    assert tier.choose(**BOTH) == ("quick", None, QUICK)


def test_full_on_real_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEKIT_TIER", "full")
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path))
    assert tier.choose(**BOTH) == ("full", tmp_path, FULL)


def test_sizes_are_replaced_and_keep_their_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_TIER", "full")
    monkeypatch.setenv("COURSEKIT_SIZES", '{"train": 4, "rate": 1, "rates": [1, 2]}')
    _, _, sizes = tier.choose(**BOTH)
    assert sizes == {"train": 4, "rate": 1.0, "rates": (1, 2)}
    assert [type(value) for value in sizes.values()] == [int, float, tuple]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TIER", "Full", r"COURSEKIT_TIER=Full: did you mean full\? there are: quick, full"),
        ("TIER", "gpu", r"COURSEKIT_TIER=gpu: there are: quick, full"),
        ("DATA", "faecs", r"COURSEKIT_DATA=faecs: there is no such folder in .*did you mean faces"),
        ("DATA", "/none/at/all", r"COURSEKIT_DATA=/none/at/all: there is no such folder; give"),
        ("SIZES", "train=4", r"COURSEKIT_SIZES=train=4: write sizes as JSON"),
        ("SIZES", "[4]", r"COURSEKIT_SIZES=\[4\]: write sizes as JSON"),
        ("SIZES", '{"trian": 4}', r"trian: did you mean train\? there are: train, rate, rates"),
        ("SIZES", '{"train": 4.5}', r"train: is 4.5 and takes the place of 200; give the same"),
        ("SIZES", '{"train": true}', r"train: is true and takes the place of 200"),
        ("DATA", "x" * 5000, r"there is no such folder"),
        ("SIZES", "[" * 100_000, r"write sizes as JSON"),
        ("SIZES", '{"train": 0}', r"train: is 0; give sizes above 0"),
        ("SIZES", '{"train": -3}', r"train: is -3; give sizes above 0"),
        ("SIZES", '{"rate": NaN}', r"rate: is NaN; give sizes above 0"),
        ("SIZES", '{"rates": [1, null]}', r"rates: is \[1, null\]; give sizes above 0"),
        ("SIZES", '{"rates": 3}', r"rates: is 3 and takes the place of \[1, 2, 3\]"),
    ],
)
def test_a_variable_that_it_cannot_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str, message: str
) -> None:
    (tmp_path / "faces").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"COURSEKIT_{variable}", value)
    with pytest.raises(CourseError, match=message):
        tier.choose(**BOTH)
