"""Which results somebody could make up who has not done the work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coursekit.grading.verdict.compare import compare
from coursekit.grading.verdict.proof import proves, unproved
from coursekit.probe import FOLDER, SECRET, Probe


def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: Any) -> tuple[Path, Path]:
    """The folders of a check's probe under two secrets."""
    folders = []
    for secret in ("one", "two"):
        monkeypatch.setenv(FOLDER, str(tmp_path / secret))
        monkeypatch.setenv(SECRET, secret)
        check(Probe("check-it"))
        folders.append(tmp_path / secret)
    return folders[0], folders[1]


def emits(probe: Probe) -> None:
    photo = probe.given("photo", lambda rng: rng.normal(0, 1, (*rng.integers(9, 99, 2), 3)))
    table = probe.given("table", lambda rng: {"width": int(rng.integers(1000, 1 << 40))})
    probe.keep("truth", lambda rng: np.ones((2, 3), int))
    probe.emit("mean", float(photo.mean()), "a number that follows from the inputs")
    probe.emit("turned", photo[::-1], "many numbers of the inputs in another order")
    probe.emit("twice", 2 * table["width"], "a whole number that follows from the inputs")
    probe.emit("names", [f"kind-{table['width']}"], "words")
    probe.emit(
        "maps", np.ones((2, 3), int), "maps that are compared with a truth", miou=("truth", 0.5)
    )
    probe.emit("shape", list(photo.shape), "a shape")
    probe.emit("sides", {"all": (photo.shape[0], table["width"], 3, None)}, "numbers of the inputs")
    probe.emit("always", "float", "the same for all")
    probe.emit("least", float(photo.std()), "what is measured there", at_least=0.1)
    probe.emit("most", {"a": [3, 4]}, "shapes with a limit", shapes=True, at_most=12)


def test_what_nobody_has_without_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = both(tmp_path, monkeypatch, emits)
    found = unproved(*folders, "check-it")
    assert set(found) == {"always", "least", "maps", "most", "shape", "sides"}
    assert proves(*folders, "check-it")


def test_a_shape_and_a_limit_prove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measures(probe: Probe, admit: bool = False) -> None:
        photo = probe.given("photo", lambda rng: rng.normal(0, 1, rng.integers(9, 99, 2)))
        probe.emit("shape", list(photo.shape), "a shape")
        probe.emit("most", photo.size, "its size", at_most=10**9)
        if admit:
            probe.admit("there is nothing to compare")

    assert not proves(*both(tmp_path, monkeypatch, measures), "check-it")
    assert proves(*both(tmp_path, monkeypatch, lambda p: measures(p, admit=True)), "check-it")


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ({"a": [3, 4]}, "passed"), ({"a": [3], "b": [9], "c": []}, "wrong"),
        ({"a": (2, 6)}, "passed"),
        ({"a": [13]}, "wrong"), ({"a": [-3, 4]}, "wrong"), ({"a": [3.0]}, "wrong"), ({}, "passed"),
        ({"a": [True]}, "wrong"), ({"a": 3}, "wrong"), ([[3, 4]], "wrong"), (12, "wrong"),
        ({"a": [0, 10**9], "b": [12]}, "passed"), ({"a": [10**400]}, "wrong"),
        ({"a": [2] * 9}, "wrong"), ({str(n): [1 << 39] * 8 for n in range(9)}, "wrong"),
    ],
)  # fmt: skip
def test_numbers_of_a_network_are_counted_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: Any, status: str
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setenv(SECRET, "s")
    Probe("check-it").emit("held", {"a": [1]}, "its size", shapes=True, at_most=12)
    monkeypatch.setenv(FOLDER, str(tmp_path / "student"))
    monkeypatch.delenv(SECRET)
    Probe("check-it").emit("held", value, "")
    assert compare(tmp_path, tmp_path / "student", "check-it")[0] == status
    assert "shapes" not in json.loads((tmp_path / "student/emitted/check-it/held.json").read_text())
