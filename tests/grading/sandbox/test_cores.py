"""Cores are lent to one kernel each, also between processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from coursekit.grading.sandbox import cores


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 8}, raising=False)


def test_nobody_has_a_core_twice_until_all_are_taken() -> None:
    with contextlib.ExitStack() as stack:
        assert [stack.enter_context(cores.lent()) for _ in range(3)] == [3, 5, 8]
        with cores.lent() as shared:
            assert shared in (3, 5, 8)
    with cores.lent() as core:
        assert core == 3


def test_another_process_takes_another_core_and_gives_it_back_however_it_ends() -> None:
    code = (
        "import os\nfrom coursekit.grading.sandbox import cores\n"
        "os.sched_getaffinity = lambda _: {3, 5, 8}\n"
        "with cores.lent() as core:\n    print(core, flush=True)\n    input()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "3\n"
    with cores.lent() as core:
        assert core == 5
    other.kill()
    other.communicate()
    with cores.lent() as core:
        assert core == 3


def test_one_core_is_not_lent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    with cores.lent() as core:
        assert core is None


def test_a_folder_of_somebody_else_s_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / f"coursekit-cores-{os.getuid()}").symlink_to(tmp_path / "real")
    with cores.lent() as core:
        assert core in (3, 5, 8)
    assert not list((tmp_path / "real").iterdir())
