"""nbval replays a solved notebook: deaf to stderr and widgets, not to anything else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.lessons.build import build

CONFTEST = Path(__file__).parents[2] / "notebooks" / "conftest.py"
SOURCE = """\
# %%
import os, sys, warnings
from tqdm.auto import tqdm
print("a bar", file=sys.stderr)
for _ in tqdm(range(3)):
    pass
warnings.warn("a warning")
print(os.environ["COURSEKIT_TIER"], os.environ.get("COURSEKIT_DATA"))

# %% tags=["nbval-ignore-output"]
print(os.getpid())

# %%
from coursekit import plots
plots.legend()

# %%
print("19 classes")
"""


def replay(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "-p", "coursekit.lessons.replayed", "--nbval", "solved"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", "elsewhere")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "07_demo.py").write_text(SOURCE, encoding="utf-8")
    shutil.copy(CONFTEST, tmp_path)
    _, solved = build(tmp_path)
    done = replay(tmp_path)
    assert done.returncode == 0 and "4 passed" in done.stdout, done.stdout
    solved.write_text(solved.read_text().replace("19 classes\\n", "18 classes\\n"))
    done = replay(tmp_path)
    assert done.returncode == 1 and "1 failed, 3 passed" in done.stdout, done.stdout
