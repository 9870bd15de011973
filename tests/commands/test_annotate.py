"""The command: what it prints, how it ends, and what it refuses."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.cli import main
from tests.labelling.folders import folder


def test_it_prints_the_address_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "coursekit", "annotate", str(folder(tmp_path)), "--port", "0",
            "--no-browser"]  # fmt: skip
    process = subprocess.Popen(call, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first, address = process.stdout.readline(), process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    assert first.startswith("2 photographs in ")
    assert address.startswith("http://127.0.0.1:")
    assert len(address.strip().split("#")[1]) >= 32
    assert "0 of 2 photographs are saved" in rest


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["nowhere"], "there is no such folder"),
        (["--port", "-1"], "--port -1"),
        (["--checkpoint", "none.safetensors"], "there is no such checkpoint"),
        (["--parsing", "none.safetensors"], "there is no such checkpoint"),
    ],
)
def test_what_is_refused(
    more: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(folder(tmp_path))] if more[0].startswith("--") else []
    assert main(["annotate", *given, *more, "--no-browser", "--cpu"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") <= 3
