"""The demo, with few and small faces."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from coursekit import checkpoint
from coursekit.codabench import is_valid, validate
from coursekit.demo import DemoConfig, run_demo
from coursekit.errors import CourseError

SMALL = DemoConfig(train=8, val=8, test=3, image_size=48, size=32, epochs=3, patience=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "out"
    run_demo(out, SMALL, say=lambda _: None)
    return out


def test_everything_is_there(folder: Path) -> None:
    for name in ("report.html", "submission.zip", "scores.json", "history.jsonl"):
        assert (folder / name).stat().st_size > 0
    assert checkpoint.load(folder / "model.safetensors").info.model == "unet"
    images = folder / "faces" / "test" / "images"
    assert is_valid(validate(folder / "submission.zip", images, "flat"))
    scores = json.loads((folder / "scores.json").read_text())
    assert scores["validation"]["images"] == 8
    assert scores["submission"]["images"] == 3
    assert len((folder / "history.jsonl").read_text().splitlines()) <= 3


def test_the_report_needs_no_other_file(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert len(sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert len(re.findall(r'<img [^>]*alt="[^"]+"', page)) == 5
    assert str(folder) not in page
    assert "not comparable" in page


def test_the_same_seed_gives_the_same_page(folder: Path, tmp_path: Path) -> None:
    run_demo(tmp_path / "again", SMALL, say=lambda _: None)
    for name in ("report.html", "submission.zip", "scores.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_demo_replaces_a_demo_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(CourseError, match="no demo's"):
        run_demo(tmp_path, SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]
