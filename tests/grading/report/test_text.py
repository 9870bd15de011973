"""Strangers' text on pages and in file names."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.report.text import one_line, plain, slug
from tests.growth import grows_linearly

ESC = "\x1b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"{ESC}[31m✗ up{ESC}[0m: wrong", "✗ up: wrong"),
        (f"{ESC}[38;5;196mred{ESC}[2K{ESC}[1A", "red"),
        (f"{ESC}]8;;http://example.org{ESC}\\link{ESC}]8;;{ESC}\\", "link"),
        (f"{ESC}]0;title\x07after", "after"),
        (f"{ESC}Pdevice string{ESC}\\after", "after"),
        (f"{ESC}c{ESC}(Bafter{ESC}", "after"),
        ("\x9b31mC1\x9b0m", "C1"),
        (f"{ESC}]never ends", ""),
        ("a\x00b\x08c\x7fd", "abcd"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2066a\u2069\u200fb\u061cc", "abc"),
        ("in\u200bvis\u00adib\ufeffle", "invisible"),
        ("half \ud800 of one", "half  of one"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tstays", "tab\tstays"),
        ("می\u200cخواهم 👩\u200d🔬", "می\u200cخواهم 👩\u200d🔬"),
    ],
)
def test_what_is_no_text_goes(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_accents_do_not_pile_up() -> None:
    assert len(plain("e" + "\u0301" * 500)) == 4
    assert plain("e\u0301\u0302") == "e\u0301\u0302"


def test_a_long_text_keeps_its_start_and_its_end() -> None:
    text = plain("START" + "x" * 50_000 + "END", 200)
    assert text.startswith("START") and text.endswith("END")
    assert "characters left out" in text and len(text) < 300
    assert one_line("x" * 500, 10) == "xxxxxxxxx…"


@pytest.mark.parametrize(
    "unit", [ESC, f"{ESC}[", f"{ESC}]", f"{ESC}P", "\x9d", "\u0301", "\r", f"{ESC}[1;", " \n"]
)
def test_no_text_takes_long(unit: str) -> None:
    assert grows_linearly(lambda size: plain(unit * (size // len(unit))), 1_000_000)


@given(st.text())
def test_plain_text_has_no_control_characters(text: str) -> None:
    for character in plain(text):
        assert unicodedata.category(character) not in ("Cc", "Cs") or character in "\n\t"
        assert unicodedata.bidirectional(character) not in (
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        )  # fmt: skip
    assert "\n" not in one_line(text)


HOSTILE_NAMES = [
    "../../etc/passwd", "/etc/passwd", "..", ".", "", "CON", "nul.html", "a" * 300, "Anna", "anna",
    "ANNA", "ànna", "an na", "an-na", "学生", "مرحبا", "\ud800", "a\x00b", "x\ny", "C:\\x", "-rf",
    ".hidden", "a" * 299 + "b", "😀", "name.", "name ",
]  # fmt: skip


def test_names_of_files_are_safe_and_differ_where_case_does_not_count() -> None:
    slugs = [slug(name) for name in HOSTILE_NAMES]
    assert len({s.lower() for s in slugs}) == len(HOSTILE_NAMES)
    for made in slugs:
        assert made.isascii() and made == made.lower() and 14 <= len(made) <= 60
        assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert not made.startswith("-")
    assert slug("student-001").startswith("student-001-")
    assert slug("Zoë") == slug("Zoë")


@given(st.text(), st.text())
def test_two_names_never_share_a_file(a: str, b: str) -> None:
    assert (slug(a) == slug(b)) == (a == b)
