"""Strangers' text, made fit for a page, a table and a file name."""

from __future__ import annotations

import hashlib
import re
import unicodedata

#: Longest text that a page shows of what a student's program said.
LONGEST = 4000

# Terminal sequences: colours and cursor moves (CSI), titles and links (OSC), strings (DCS, SOS, PM,
# APC), and the two-character ones. Each alternative runs forward only, so none can take long.
_TERMINAL = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# Control characters, soft hyphen, what turns the direction of writing, what has no width or form,
# halves of characters. The two joiners U+200C and U+200D stay: Persian words and emoji need them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufeff\ufff9-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_PILE = re.compile(  # accents upon accents, which would climb over the lines above
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def visible(text: str) -> str:
    """Text without terminal sequences, control and bidirectional characters, at any length."""
    text = _TERMINAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _PILE.sub(r"\1", _UNSEEN.sub("", text))


def plain(text: str, longest: int = LONGEST) -> str:
    """What is `visible` of a text, of a length that can be read.

    It is still not HTML: templates escape it.

    Args:
        text: from anywhere.
        longest: characters to keep; the middle of a longer text is left out, because a message
            says what it is about at its start or at its end.
    """
    if len(text) > 8 * longest:  # before looking at each character of a gigabyte
        text = text[: 4 * longest] + text[-4 * longest :]
    text = visible(text).strip("\n")
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]}\n[… {len(text) - 2 * half:,} characters left out …]\n{text[-half:]}"
    return text


def one_line(text: str, longest: int = 300) -> str:
    """Text as one line, clean as by `plain`; a longer one ends in an ellipsis."""
    line = " ".join(plain(text, 4 * longest).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def slug(name: str) -> str:
    """A file name, without its ending, for a student: safe on every system, one for each name.

    The readable half may be the same for two names; the hash is of the whole name, so
    `Anna`, `anna` and `ànna` get three files even where case does not count.
    """
    letters = unicodedata.normalize("NFKD", name[:400]).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^a-z0-9]+", "-", letters.lower())[:40].strip("-") or "student"
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{readable}-{digest[:12]}"
