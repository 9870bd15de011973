"""A site that is not in order is not written: each fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.site import made

GOOD = '<h1 id="top">T</h1><a href="b.html#x">b</a><img src="p.webp" alt="a face">'


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "a.html").write_text(GOOD, encoding="utf-8")
    (tmp_path / "b.html").write_text('<p id="x"><a href="https://example.org">out</a>', "utf-8")
    (tmp_path / "p.webp").write_bytes(b"1234")
    return tmp_path


def found(site: Path, page: str = "") -> str:
    (site / "a.html").write_text(GOOD + page, encoding="utf-8")
    return "\n".join(made.complaints(site))


def test_what_is_in_order(site: Path) -> None:
    assert found(site) == ""


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ('<a href="c.html">c</a>', "a link leads to c.html, which is not there"),
        ('<a href="b.html#y">c</a>', "a page without this place"),
        ('<a href="#y">c</a>', "a page without this place"),
        ('<img src="p.webp">', "a picture without words: p.webp"),
        ('<img src="p.webp" alt=" ">', "a picture without words"),
        ('<img src="q.webp" alt="q">', "loads q.webp, which is not there"),
        ('<script src="https://x.org/a.js"></script>', "loads https://x.org/a.js from the network"),
        ('<link rel="stylesheet" href="//x.org/a.css">', "from the network"),
        ('<iframe src="http://x.org"></iframe>', "from the network"),
    ],
)
def test_faults_of_a_page(site: Path, page: str, complaint: str) -> None:
    assert complaint in found(site, page)


def test_a_style_sheet_that_asks_the_network(site: Path) -> None:
    (site / "s.css").write_text("@font-face {src: url('https://x.org/f.woff2')}", encoding="utf-8")
    assert "loads https://x.org/f.woff2 from the network" in found(
        site, '<link rel="stylesheet" href="s.css">'
    )


def test_a_script_that_asks_the_network(site: Path) -> None:
    (site / "s.js").write_text("fetch('https://x.org/data')", encoding="utf-8")
    assert "s.js: fetches something from the network" in found(site)


def test_weight_counts_what_style_sheets_load(site: Path) -> None:
    (site / "s.css").write_text("body {background: url(big.png)}", encoding="utf-8")
    (site / "big.png").write_bytes(bytes(made.MOST))
    told = found(site, '<link rel="stylesheet" href="s.css">')
    assert "a.html: weighs 2,0" in told
    assert "most are of big.png" in told
