"""How each status is shown: a word, a symbol for those who see no colour, and a colour."""

from __future__ import annotations

from dataclasses import dataclass

from coursekit.grading.records import STATUSES


@dataclass(frozen=True)
class Look:
    """How a status is shown.

    Attributes:
        label: one to three words.
        symbol: one character that every font has.
        tone: class in the style sheet: "good", "bad", "odd" or "none".
        meaning: a sentence's part, as in "it took too long".
    """

    label: str
    symbol: str
    tone: str
    meaning: str


_LOOKS = {
    "passed": ("passed", "✓", "good"),
    "borrowed": ("borrowed", "→", "none"),
    "wrong": ("wrong result", "✗", "bad"),
    "error": ("exception", "!", "bad"),
    "not-written": ("not written", "○", "none"),
    "missing": ("not found", "?", "odd"),
    "not-handed-in": ("not handed in", "·", "none"),
    "not-graded": ("could not be graded", "✗", "odd"),
    "unreadable": ("not Python", "¶", "odd"),
    "timeout": ("too slow", "…", "odd"),
    "dead": ("ended the kernel", "†", "odd"),
    "flooded": ("printed too much", "≈", "odd"),
    "not-run": ("not run", "–", "none"),
    # of a public run only
    "failed": ("the check found something", "✗", "bad"),
}


def look(status: str) -> Look:
    """How to show a status; one that is not known is shown by its name."""
    label, symbol, tone = _LOOKS.get(status, (status, "•", "odd"))
    return Look(label, symbol, tone, STATUSES.get(status, label))


#: All that a check can have, in the order of a legend.
LOOKS = {status: look(status) for status in STATUSES}
