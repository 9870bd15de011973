"""A kernel of ours needs neither a home that can be written nor a short TMPDIR."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat
import pytest

from coursekit.errors import CourseError
from coursekit.lessons import execution


def test_a_kernel_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ipython = tmp_path / "home" / ".ipython"
    ipython.mkdir(parents=True)
    (ipython / "profile_default").write_text("as on a full disk, no folder can be made here")
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6 * 7")])
    with execution.kernel_for(node, long, 60) as client:
        assert execution.execute_cell(client, node.cells[0], 0).kind == "passed"
    assert node.cells[0].outputs[0].data["text/plain"] == "42"


def test_a_kernel_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def setup_kernel(self, **_: object) -> None:
            raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr("nbclient.NotebookClient", Dead)
    with (
        pytest.raises(CourseError, match=r"no notebook kernel .*Kernel died.*disk or memory full"),
        execution.kernel_for(nbformat.v4.new_notebook(), tmp_path, 60),
    ):
        pass
