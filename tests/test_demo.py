"""The demo, with few and small faces."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from coursekit import checkpoint
from coursekit.codabench import is_valid, validate
from coursekit.data import open_dataset
from coursekit.demo import DemoConfig, run_demo
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ

SMALL = DemoConfig(train=8, val=8, test=3, size=64, epochs=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "out"
    said: list[str] = []
    run_demo(out, SMALL, say=said.append)
    (out / "log.txt").write_text("\n".join(said))
    return out


def test_everything_is_there(folder: Path) -> None:
    for name in ("report.html", "submission.zip", "pictures.png", "scores.json", "history.jsonl"):
        assert (folder / name).stat().st_size > 0
    assert checkpoint.load(folder / "model.safetensors").info.model == "fastscnn"
    images = folder / "faces" / "test" / "images"
    assert is_valid(validate(folder / "submission.zip", images, "flat"))
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["validation"]["images"] == 8
    assert scores["submission"]["images"] == 3
    assert len((folder / "history.jsonl").read_text().splitlines()) == 2


def test_the_report_needs_no_other_file(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    sources = re.findall(r'\b(?:src|href)="([^"]{0,30})', page)
    assert len([source for source in sources if source.startswith("data:image/png;base64,")]) == 24
    assert all(source.startswith(("data:image/png;base64,", "#")) for source in sources)
    assert "url(http" not in page and "<script" not in page
    assert str(folder) not in page
    assert "not comparable" in page


def test_pictures_say_what_they_show(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    alts = re.findall(r'<img [^>]*alt="([^"]+)"', page)
    assert len(set(alts)) == len(re.findall("<img", page)) == 24
    truth = open_dataset(folder / "faces", "val")[0].label_map
    assert truth is not None
    counts = np.bincount(truth.ravel())
    largest = CELEBAMASK_HQ.titles[int(counts.argmax())]
    first = f"{largest} {100 * counts.max() / truth.size:.0f} %"
    assert alts[1] == alts[1].strip() and f"{(counts > 0).sum()} classes" in alts[1]
    assert first in alts[1] and "classes found" in alts[2]
    assert re.search(r'role="img" aria-label="Loss by epoch; training: [\d.]+ in epoch 1, ', page)


def test_the_page_suits_dark_themes_narrow_screens_paper_and_readers_of_tables(
    folder: Path,
) -> None:
    page = (folder / "report.html").read_text()
    for words in ("prefers-color-scheme: dark", "@media print", "width=device-width"):
        assert words in page
    tables = re.findall("<table.*?</table>", page, re.DOTALL)
    assert len(tables) == 3
    for table in tables:
        assert table.count("<caption>") == 1 and table.count('<th scope="col"') >= 2
        assert not re.search(r"<th(?! scope)(?!ead)", table)
    assert "currentColor" in page and "#000000" not in page.partition("<svg")[2]


def test_log_page_and_files_tell_the_same_numbers(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    log = (folder / "log.txt").read_text()
    scores = json.loads((folder / "scores.json").read_text())
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    validation = scores["validation"]["mean_iou"]
    # The last epoch's score is measured on the same pixels as the network's.
    assert history[-1]["val_mean_iou"] == pytest.approx(validation, abs=5e-4)
    for share in (validation, scores["submission"]["score"] / 100):
        assert f"{100 * share:.1f} %" in page and f"{100 * share:.1f} %" in log
    assert "shares of 1" in scores["about"] and "shares of 1" in page
    epochs = re.findall(r"epoch +(\d+) of 2", log)
    assert epochs == ["1", "2"]


def test_the_same_seed_gives_the_same_page(folder: Path, tmp_path: Path) -> None:
    run_demo(tmp_path / "again", SMALL, say=lambda _: None)
    for name in (
        "report.html",
        "pictures.png",
        "submission.zip",
        "scores.json",
        "model.safetensors",
    ):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_demo_replaces_a_demo_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CourseError, match="no demo's"):
        run_demo(tmp_path, SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_palette_that_is_not_there_is_named_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COURSEKIT_PALETTE", "sepia")
    with pytest.raises(CourseError, match="COURSEKIT_PALETTE: no palette is called 'sepia'"):
        run_demo(tmp_path / "out", SMALL)
    assert not (tmp_path / "out").exists()
