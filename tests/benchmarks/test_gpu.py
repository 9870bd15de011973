"""`make gpu`, driven on the CPU with tiny images: every kind of row, and every way to end."""

from __future__ import annotations

import functools
import time
from pathlib import Path
from typing import Any

import gpu
import pytest
import records
import table
import torch
import wanted
from harness import in_turn
from records import Recorder, Row

ONE = wanted.lovasz("cpu", 32, 2)
ENCODER = wanted.abn("cpu", 33, 2, "fp32", "plain")


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder("cpu", threads=1, folder=tmp_path)


@pytest.fixture
def few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rounds of each row, the least that there are."""
    monkeypatch.setattr(gpu, "ROW", 0)


@pytest.mark.usefixtures("few_rounds")
def test_every_kind_of_row_is_measured_and_shown(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = functools.partial(gpu.abn.ResNetEncoder, 3, (8, 8, 16), (8, 16, 32, 64), (2, 2, 6, 2))
    monkeypatch.setattr(gpu.abn, "ResNetEncoder", small)
    tried = (
        ("fastscnn", "naive", "bf16"), ("unet", "smp", "fp32"),
        ("segformer", "matrix", "fp32"), ("segformer", "smp, our sizes", "fp32"),
    )  # fmt: skip
    rows = [wanted.step("cpu", name, 32, 2, precision, peer) for name, peer, precision in tried]
    rows += [ONE, wanted.waiting("cpu", "fastscnn", 32, 2, "fp32", workers=0), ENCODER]
    rows += [
        wanted.latency("cpu", "dml_csr_small", 32, 1, "channels last, half"),
        wanted.tasks("cpu", "dml_csr_small", 32, 2, "fp32"),
    ]
    assert {row.kind for row in rows} == {row.kind for row in wanted.gpu_rows()} == set(gpu.WORK)
    assert gpu.fill(rows, recorder) == []
    kept = records.read(tmp_path)
    assert set(kept) == {row.name for row in rows}
    for name, record in kept.items():
        assert record["command"] == f"python benchmarks/gpu.py {name}"
    segformer = kept["models/cpu-segformer-32-2-fp32-matrix"]["figures"]
    assert segformer["ours"]["parameters"] == segformer["peer"]["parameters"]
    assert segformer["ours"]["per_second"] > 0
    pass_ = kept["latency/cpu-dml_csr_small-32-1-channels-last-half"]["figures"]
    assert pass_["ours"]["ms"] > 0 and 0 < pass_["error"] < 0.05
    step = kept["tasks/cpu-dml_csr_small-32-2-fp32-plain"]["figures"]
    assert 0 < step["ours"]["kept_mebibytes"] < step["peer"]["kept_mebibytes"]
    encoder = kept[ENCODER.name]["figures"]
    assert encoder["ours"]["kept_mebibytes"] < 0.65 * encoder["peer"]["kept_mebibytes"]
    # The page takes them in, as if a GPU had given them.
    everything = tmp_path / "all"
    for name, record in [*records.read().items(), *kept.items()]:
        device = {"device": "cuda"} if name in kept else {}
        row = Row(name.split("/")[0], record["settings"] | device)
        records.write(everything, row, record["figures"], record)
    training, rest = table.render(everything).split("### On a GPU")[1].split("## Data")
    for line in (
        "| segformer | 32² | 2 | fp32 | ",
        "| cuda | 32² | 2 | ",
        "| cuda | 33² | 2 | fp32 | ",
        "| cuda | dml_csr_small | 32² | 1 | channels last, half | ",
        "| cuda | dml_csr_small | 32² | 2 | fp32 | ",
    ):
        assert line in training
    assert "| cuda | fastscnn | 32² | 2 | fp32 | 0 |" in rest


def test_what_does_not_fit_into_memory_says_so(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = gpu.models.training_step

    def full(*arguments: Any, fast: bool) -> Any:
        def work() -> None:
            raise torch.OutOfMemoryError("CUDA out of memory")

        return step(*arguments, fast=fast) if fast else work

    monkeypatch.setattr(gpu.models, "training_step", full)
    row = wanted.step("cpu", "fastscnn", 64, 2, "fp32", "naive")
    assert gpu.fill([row], recorder) == []
    figures = records.read(tmp_path)[row.name]["figures"]
    assert figures["peer"]["failed"] == "out of memory"
    assert figures["ours"]["per_second"] > 0


def test_a_missing_peer_stays_open(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name in ("segmentation_models_pytorch", "segmentation_models_pytorch.losses"):
        monkeypatch.setitem(gpu.sys.modules, name, None)  # an import of it fails
    other = wanted.step("cpu", "unet", 64, 2, "fp32", "smp")
    assert gpu.fill([ONE, other], recorder) == [ONE, other]
    told = capsys.readouterr().out.splitlines()
    assert told[1] == f"{other.name}: peer missing (segmentation_models_pytorch is not installed)"
    assert records.read(tmp_path) == {}


def test_a_row_that_takes_too_long_or_fails_stays_open_and_the_next_is_measured(
    recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def hang(**_: Any) -> None:
        time.sleep(30)

    def fail(**_: Any) -> None:
        raise RuntimeError("CUDA error: no kernel image\nmore")

    monkeypatch.setattr(gpu, "PATIENCE", 0.05)
    monkeypatch.setattr(
        gpu, "WORK", {"hang": hang, "fail": fail, "works": lambda **_: {"seconds": 1}}
    )
    hangs, fails, works = (Row(kind, {"size": 1}) for kind in ("hang", "fail", "works"))
    assert gpu.fill([hangs, fails, works], recorder) == [hangs, fails]
    told = capsys.readouterr().out
    assert "hang/1: TooLong: not done after 0 s" in told
    assert "fail/1: RuntimeError: CUDA error: no kernel image\n" in told
    assert list(records.read(tmp_path)) == ["works/1"]


def test_no_row_begins_after_the_budget(recorder: Recorder) -> None:
    assert gpu.fill([ONE], recorder, budget=0) == [ONE]


def test_rounds_end_at_the_deadline() -> None:
    done = []
    in_turn({"a": lambda: done.append(1)}, rounds=100, until=time.monotonic())
    assert len(done) == 4  # a warm-up and the least that gives quartiles


def test_without_a_gpu_it_says_so(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.sys, "argv", ["gpu.py"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.main() == 2
    assert capsys.readouterr().out.startswith("no GPU here:")


def test_the_most_wanted_rows_come_first() -> None:
    rows = [row for row in wanted.gpu_rows() if row not in [*wanted.dml_csr_rows()]]
    sizes = [row.settings["size"] for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert {row.settings["model"] for row in rows[:8]} == set(wanted.MODELS)
