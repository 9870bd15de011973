"""A lesson's first cell where the course is not installed: what is there stays."""

from __future__ import annotations

import importlib.util
import subprocess
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coursekit import elsewhere
from coursekit.lessons.addresses import first_cells

ROOT = Path(__file__).parents[1]
REQUIRES = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
#: As a hosted notebook has them: its own builds, and an old kernel.
THERE = {
    "torch": "2.10.0+cu128", "torchvision": "0.25.0+cu128", "numpy": "2.0.2", "Pillow": "11.3.0",
    "opencv-python": "4.12.0", "opencv-contrib-python": "4.12.0", "matplotlib": "3.10.0",
    "accelerate": "1.12.0", "safetensors": "0.7.0", "timm": "1.0.24", "tqdm": "4.67.1",
    "ipywidgets": "7.7.1", "ipykernel": "6.17.1", "ipython": "7.34.0", "pyzmq": "26.2.1",
    "tornado": "6.5.1", "jinja2": "3.1.6", "MarkupSafe": "3.0.3", "markdown-it-py": "4.0.0",
    "nbformat": "5.10.4", "packaging": "25.0", "coursekit": "0.1.0",
}  # fmt: skip


def test_what_is_missing_comes_and_what_is_there_stays() -> None:
    todo = elsewhere.plan([*REQUIRES, 'inplace-abn>=1.1; extra == "abn"'], THERE)
    names = {line.partition(">")[0] for line in todo.install}
    assert names == {"jaxtyping", "anywidget", "segmentation-models-pytorch"}
    assert {"torch==2.10.0+cu128", "ipython==7.34.0", "opencv-python==4.12.0"} <= set(todo.keep)
    assert not any(line.startswith("coursekit") for line in todo.keep)
    assert todo.older == ("ipywidgets 7.7.1 (>=8.1)",)


def test_the_first_cell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, cell = first_cells("https://github.com/o/c", "02_unet")
    assert "/github/o/c/blob/main/notebooks/02_unet.ipynb)" in shown.source
    assert first_cells("", "02_unet") == []
    calls: list[Any] = []

    def pip(call: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        kept = [Path(call[i + 1]).read_text() for i, w in enumerate(call) if w == "--constraint"]
        calls.append((call[3:], *kept))
        return subprocess.CompletedProcess(call, 0)

    monkeypatch.setattr(subprocess, "run", pip)
    exec(cell.source, {})  # here the course is installed
    assert calls == []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(elsewhere.metadata, "requires", lambda name: REQUIRES)
    there = [SimpleNamespace(metadata={"Name": n}, version=v) for n, v in THERE.items()]
    monkeypatch.setattr(elsewhere.metadata, "distributions", lambda: there)
    exec(cell.source, {})
    assert calls[0] == (
        ["install", "--quiet", "--no-deps", "coursekit @ git+https://github.com/o/c"],
    )
    assert calls[1][0][-1].startswith("anywidget")
    assert "torch==2.10.0+cu128" in calls[1][1].splitlines()
