"""What a machine lacks stands first, with the line that mends it, and is text, not HTML."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest

from coursekit.cli import main
from coursekit.health import Card, card, examine


def test_a_machine_that_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSEKIT_DATA", raising=False)
    monkeypatch.delenv("COURSEKIT_TIER", raising=False)
    shown = card()
    html = shown._repr_html_()
    assert "<strong>This machine has all that the course needs</strong>" in html
    assert "<b>tier</b>: quick" in html
    assert "to mend it" not in html
    assert "✓ torch: " in repr(shown)


def test_what_is_missing_stands_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def version(name: str) -> str:
        if name == "torch":
            raise metadata.PackageNotFoundError
        return "1.0"

    monkeypatch.setattr("coursekit.health.metadata.version", version)
    monkeypatch.setenv("COURSEKIT_TIER", "ful<b>")
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path / "gone"))
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "torch: MISSING; run `make setup`" in printed
    assert "tier: ful<b>, which is none; mend: COURSEKIT_TIER=quick make lab" in printed
    html = Card(examine())._repr_html_()
    assert "<strong>3 to mend</strong>" in html
    assert (
        "ful&lt;b&gt;, which is none<br>to mend it: <code>COURSEKIT_TIER=quick make lab</code>"
        in html
    )
    assert html.index("<b>data</b>") < html.index("<b>python</b>")
    assert "threads" not in html  # of torch, which is not there
