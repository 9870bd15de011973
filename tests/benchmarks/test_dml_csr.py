"""The experiments on noisy faces, with a handful of them: records, queues, and how they end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dml_csr
import noisy_faces
import pytest
import queues
import records
import torch
import wanted


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nine faces and three, five epochs of them; nothing is kept for other tests."""
    monkeypatch.setattr(noisy_faces, "TRAIN", 9)
    monkeypatch.setattr(noisy_faces, "VAL", 3)
    short = {name: replace(s, epochs=5, size=64) for name, s in dml_csr.SETTINGS.items()}
    monkeypatch.setattr(dml_csr, "SETTINGS", short)
    monkeypatch.setattr(queues.os, "nice", lambda by: 0)
    caches = (noisy_faces.training_faces, noisy_faces.validation_faces)
    for cached in caches:
        cached.cache_clear()
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for cached in caches:
        cached.cache_clear()


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(dml_csr.sys, "argv", ["dml_csr.py", *words])
    return dml_csr.main()


@pytest.mark.usefixtures("few")
def test_a_queue_leaves_a_record_a_run_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    queue = {"one": {"standard": ("cycles",), "clean": ("all",)}}
    monkeypatch.setattr(wanted, "DML_CSR", queue)
    words = ("--queue", "one", "--seeds", "0", "--keep", str(tmp_path))
    assert call(monkeypatch, *words, "--minutes", "0") == 0
    assert "stopped after 0 runs; the same command goes on" in capsys.readouterr().out
    assert call(monkeypatch, *words) == 0
    kept = records.read(tmp_path)
    assert set(kept) == {"dml_csr/standard-cycles-0", "dml_csr/clean-all-0"}
    cycles, clean = (kept[name]["figures"] for name in sorted(kept, reverse=True))
    assert kept["dml_csr/clean-all-0"]["command"] == "python benchmarks/dml_csr.py --queue one"
    assert kept["dml_csr/clean-all-0"]["seeds"] == [0]
    assert cycles["passes"] == clean["passes"] == 5 * 8
    # A teacher for each of two cycles, and what is used in the end.
    assert list(cycles["repairs"]) == ["teacher 1", "teacher 2", "final"]
    assert {"final standard", "final noisier", "final regions"} <= set(clean["repairs"])
    assert cycles["wrong_share"] > 0 == clean["wrong_share"]
    # The same pixels are judged: wrong and right ones of each class are as many.
    one, two = cycles["repairs"]["final"], clean["repairs"]["final standard"]
    counts = ({n: c.split()[::2] for n, c in f["classes"].items()} for f in (one, two))
    assert next(counts) == next(counts)
    assert call(monkeypatch, *words) == 0  # nothing is left to do
    monkeypatch.setattr(dml_csr, "measure", lambda *a: (_ for _ in ()).throw(KeyboardInterrupt))
    capsys.readouterr()
    assert call(monkeypatch, "--queue", "one", "--seeds", "1", "--keep", str(tmp_path)) == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert call(monkeypatch, "--list", "--keep", str(tmp_path)) == 0
    assert capsys.readouterr().out == "one            8 of  10 runs open\n"


@pytest.mark.usefixtures("few")
def test_rates_are_compared_on_the_baseline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dml_csr.Variant] = []

    def measure(variant: dml_csr.Variant, *_: Any) -> dict[str, float]:
        asked.append(variant)
        return {"mean_iou": 100 * variant.rate}

    monkeypatch.setattr(dml_csr, "measure", measure)
    assert call(monkeypatch, "--rates", "0.002", "0.01", "--keep", str(tmp_path)) == 0
    assert all(replace(v, rate=1) == replace(dml_csr.VARIANTS["baseline"], rate=1) for v in asked)
    figures = records.read(tmp_path)["search/dml_csr"]["figures"]
    assert figures == {"rates": {"0.002": 0.2, "0.01": 1.0}}


@pytest.mark.usefixtures("few")
def test_the_faces_are_wrong_where_it_is_said() -> None:
    noisy, alone = (noisy_faces.training_faces(64, 0.6, alone) for alone in (False, True))
    for given in (noisy, alone):
        assert ((given.kinds != 255) == (given.faces.label_maps != given.truth)).all()
        assert given.faces.label_maps.dtype == given.kinds.dtype == "uint8"
        assert (given.faces.images == noisy.faces.images).all()
    boundary = noisy_faces.NOISE_KINDS.index("shifted_boundary")
    assert (noisy.kinds == boundary).any() and not (alone.kinds == boundary).any()
    assert 0 < alone.share < noisy.share
    perfect = noisy_faces.count_repairs(torch.from_numpy(noisy.truth), noisy)
    assert perfect.mended_share == 1 and perfect.broken_share == 0
    figures = noisy_faces.as_figures(perfect)
    assert set(figures["kinds"]) <= set(noisy_faces.NOISE_KINDS)
    assert sum(int(c.split()[0]) for c in figures["kinds"].values()) == int(perfect.wrong.sum())
    small = noisy.faces.subset([2, 0])
    assert (small.image(1) == noisy.faces.image(0)).all() and len(small) == 2
    assert small.identity() != noisy.faces.identity()


def test_every_variant_can_be_built_and_every_plan_has_the_same_epochs() -> None:
    for name, variant in dml_csr.VARIANTS.items():
        for setting in ("standard", "longer"):
            config = variant.fit_config(dml_csr.SETTINGS[setting], 0)
            assert getattr(config.plan, "epochs", config.epochs) == config.epochs, name
        network = variant.create(3)
        tasks = [config.objective.binary, config.objective.category]
        heads = ["none", "binary", "category", "both"][tasks[0] + 2 * tasks[1]]
        assert network.config.edge_heads == heads
        if variant.start:
            assert float(network.context.gamma.detach()) == variant.start
    assert {row.settings["variant"] for row in wanted.dml_csr_queue("all")} == set(wanted.VARIANTS)
    assert {row.settings["setting"] for row in wanted.dml_csr_queue("all")} == set(wanted.SETTINGS)


def test_lambda_and_gamma_have_a_rate_of_their_own() -> None:
    network = dml_csr.VARIANTS["ddgcn"].create(0)
    learner = type("Learner", (), {"network": network, "teacher": None})()
    plan = dml_csr.OwnRateConfig(lr=0.1, factor=7.0).build(learner, 10)
    groups = plan.optimiser.param_groups
    own = {id(network.context.lambda_), id(network.context.gamma)}
    assert {id(p) for p in groups[2]["params"]} == own
    everything = [id(p) for group in groups for p in group["params"]]
    assert sorted(everything) == sorted(id(p) for p in network.parameters())
    for _ in range(3):
        assert groups[2]["lr"] == pytest.approx(7 * groups[0]["lr"]) and plan.rate > 0
        plan.step()
