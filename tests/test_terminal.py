"""What is printed arrives, whatever the encoding; progress is seen on a terminal alone."""

from __future__ import annotations

import io
import sys

import pytest

from coursekit import terminal


class Screen(io.StringIO):
    """A stderr that somebody sees."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_quiet", False)


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("utf-8", "→ ✓ ² Núñez 中 \\udcff"),
        ("cp1252", "-> ok ² Núñez \\u4e2d \\udcff"),
        ("cp437", "-> ok ² Núñez \\u4e2d \\udcff"),
        ("ascii", "-> ok ^2 N\\xfa\\xf1ez \\u4e2d \\udcff"),
    ],
)
def test_every_encoding_takes_every_line(
    encoding: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding, newline="\n"))
    terminal.prepare()
    print("→ ✓ ² Núñez 中 \udcff")  # the last is a byte of a file name that is no text
    terminal.flush()
    assert held.getvalue().decode(encoding) == f"{written}\n"


def bars(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, **options: object) -> str:
    """What a bar that is due at once, a status and a line of work write."""
    monkeypatch.setattr(sys, "stderr", stream)
    bar = terminal.bar(range(3), "reading", **options)
    bar.delay = 0
    assert list(bar) == [0, 1, 2]
    terminal.status("running up …")
    terminal.status()
    return stream.getvalue()


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "running up" in bars(monkeypatch, Screen())
    assert terminal.bar(range(3)).disable is False


@pytest.mark.parametrize("why", ["a log", "quiet", "a dumb terminal"])
def test_no_progress_elsewhere(
    why: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if why == "quiet":
        terminal.prepare(quiet=True)
    if why == "a dumb terminal":
        monkeypatch.setenv("TERM", "dumb")
    assert bars(monkeypatch, io.StringIO() if why == "a log" else Screen()) == ""
    terminal.say("epoch 3")
    assert capsys.readouterr().out == ("" if why == "quiet" else "epoch 3\n")


def test_a_caller_decides_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Screen())
    assert terminal.bar(range(3), show=False).disable is True


def test_without_a_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    terminal.prepare()
    assert list(terminal.bar(range(2))) == [0, 1]
    terminal.status("working")
    terminal.flush()
