"""Messages can be read in both themes of JupyterLab, by people who see no colour, too."""

from __future__ import annotations

import re
from pathlib import Path

import jupyterlab
import pytest

from coursekit.checks import CheckFailed
from coursekit.checks.failed import marked

LEAST = 4.5  # WCAG 2, level AA
LAB = Path(jupyterlab.__file__).parent
THEMES = {"light": "#ffffff", "dark": "#111111"}
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, two: str) -> float:
    high, low = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _own_colour(theme: str) -> str:
    """Of text that sets none: the theme's --jp-content-font-color1, laid on its background."""
    css = (LAB / "themes" / f"@jupyterlab/theme-{theme}-extension" / "index.css").read_text()
    value = re.search(r"--jp-content-font-color1:\s*([^;}]+)", css)
    assert value
    if value[1].startswith("#"):
        return value[1]
    *rgb, alpha = (float(n) for n in re.findall(r"[\d.]+", value[1]))
    behind = [int(THEMES[theme][i : i + 2], 16) for i in (1, 3, 5)]
    mixed = (alpha * c + (1 - alpha) * b for c, b in zip(rgb, behind, strict=True))
    return "#" + "".join(f"{round(c):02x}" for c in mixed)


def _terminal_colours() -> dict[str, str]:
    """JupyterLab's colours for terminal codes, the same in all themes; bold ones are "intense"."""
    script = next(
        text
        for path in sorted((LAB / "static").glob("*.js"))
        if ".ansi-red-fg" in (text := path.read_text(errors="replace"))
    )
    return dict(re.findall(r"\.ansi-([a-z-]+)-fg \{\s*color: (#[0-9a-f]{6})", script))


def _colours(message: str, theme: str) -> set[str]:
    """All that a message is shown in."""
    known, colour, bold, used = _terminal_colours(), "", False, set()
    for text, codes in re.findall(r"([^\x1b]*)(?:\x1b\[([\d;]*)m|$)", message):
        if text:
            shown = known[f"{colour}-intense" if bold else colour] if colour else _own_colour(theme)
            used.add(shown)
        for code in map(int, filter(None, codes.split(";"))):
            assert code in (0, 1) or 30 <= code <= 37, f"what colour is {code}?"
            bold = code == 1 or (bold and code != 0)
            colour = NAMES[code - 30] if code >= 30 else "" if code == 0 else colour
    return used


MESSAGES = [
    marked("✓", "ten", "all is well"),
    marked("…", "not written yet: ten", "write it"),
    CheckFailed("ten", "this is wrong")._render_traceback_()[0],
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("message", MESSAGES)
def test_every_message_can_be_read(message: str, theme: str) -> None:
    assert _colours(message, theme)
    for colour in _colours(message, theme):
        assert _contrast(colour, THEMES[theme]) >= LEAST, f"{colour} on {THEMES[theme]}"


def test_signs_and_words_tell_the_outcomes_apart() -> None:
    bare = [re.sub(r"\x1b\[[\d;]*m", "", message) for message in MESSAGES]
    assert [text[0] for text in bare] == ["✓", "…", "✗"]


def test_the_measure_notices_colours_that_cannot_be_read() -> None:
    """The colours that messages once had, and that no terminal colour would do."""
    yellow = _contrast(*_colours("\x1b[33mx", "light"), THEMES["light"])
    assert yellow == pytest.approx(1.9, abs=0.1)
    for name, colour in _terminal_colours().items():
        worst = min(_contrast(colour, background) for background in THEMES.values())
        assert worst < LEAST, f"{name} could be used"
