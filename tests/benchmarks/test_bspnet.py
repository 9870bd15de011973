"""BSPNet's ablation with a handful of faces: variants, records, and the page that tells them."""

from __future__ import annotations

import shutil
from pathlib import Path

import bspnet
import noisy_faces
import pytest
import queues
import records
import table
import torch
import wanted

from coursekit.labels import LAPA


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noisy_faces, "TRAIN", 9)
    monkeypatch.setattr(noisy_faces, "VAL", 3)
    monkeypatch.setattr(bspnet, "EPOCHS", 1)
    monkeypatch.setattr(bspnet, "SIZE", 64)
    monkeypatch.setattr(queues.os, "nice", lambda by: 0)
    caches = (noisy_faces.training_faces, noisy_faces.validation_faces, bspnet.faces)
    for cached in caches:
        cached.cache_clear()
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    for cached in caches:
        cached.cache_clear()


@pytest.mark.usefixtures("few")
def test_a_queue_leaves_records_and_the_page_tells_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(wanted, "BSPNET", {"table2": ("A", "C")})
    kept = tmp_path / "records"
    shutil.copytree(records.RECORDS, kept, ignore=shutil.ignore_patterns("bspnet"))
    words = ["bspnet.py", "--queue", "table2", "--seeds", "1", "--keep", str(kept)]
    monkeypatch.setattr(bspnet.sys, "argv", words)
    assert bspnet.main() == 0
    one, two = (records.read(kept)[f"bspnet/{name}-1"] for name in "AC")
    assert one["command"] == "python benchmarks/bspnet.py --queue table2"
    assert one["figures"]["passes"] == two["figures"]["passes"] == 8
    assert one["figures"]["parameters"] == 916_667 and two["figures"]["parameters"] == 932_246
    assert tuple(two["figures"]["f1"]) == LAPA.names and "mean_f1_faces" in two["figures"]
    assert 0 < one["figures"]["boundary_share"] == two["figures"]["boundary_share"] < 50
    page = table.render(kept)
    page = page[page.index("## BSPNet") : page.index("## Open")]
    assert "| variant | background | skin | r_brow |" in page and "| C | " in page
    assert f"| A | {one['figures']['mean_f1_faces']:.2f} (1) |  |" in page
    monkeypatch.setattr(bspnet.sys, "argv", [*words[:1], "--list", "--keep", str(kept)])
    capsys.readouterr()
    assert bspnet.main() == 0
    assert capsys.readouterr().out == "table2         4 of   6 runs open\n"


def test_the_variants_are_the_paper_s_models_and_controls() -> None:
    a, b, c = (bspnet.VARIANTS[name].fit_config(0) for name in "ABC")
    assert a.objective.others == () and a.objective.alpha == b.objective.alpha == 0
    assert b.objective.weights == c.objective.weights == (1, 1, 2) and c.objective.alpha == 200
    for name, variant in bspnet.VARIANTS.items():
        config, network = variant.fit_config(3), variant.create(3)
        assert (config.plan, config.epochs, config.seed) == (a.plan, a.epochs, 3), name
        outputs = network.heads(torch.randn(2, 3, 64, 64))
        assert all(getattr(outputs, other) is not None for other in config.objective.others)
        assert network.config.output_stride == (8 if "stride 8" in name else 16)
    rows = wanted.bspnet_queue("all")
    assert {row.settings["variant"] for row in rows} == set(bspnet.VARIANTS)
    assert [wanted.bspnet_command(rows[i]).split()[-1] for i in (0, -1)] == ["table2", "controls"]
