"""How commands speak: signs that every encoding has, 80 columns, progress only where it is seen."""

from __future__ import annotations

import codecs
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Columns of help and of prose; a terminal may have more.
WIDTH = 80

#: Our own signs in letters, for an encoding that lacks them (cp1252, ASCII, a console's code page).
_LETTERS = {
    "→": "->", "←": "<-", "✓": "ok", "✗": "x", "…": "...", "−": "-", "–": "-", "—": "-", "·": ".",
    "×": "x", "≤": "<=", "≥": ">=", "²": "^2", "³": "^3", "’": "'", "“": '"', "”": '"',
}  # fmt: skip

_quiet = False


def prepare(*, quiet: bool = False) -> None:
    """Let stdout and stderr take every character, and say whether progress is wanted."""
    global _quiet
    _quiet = quiet
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="coursekit")


def _spelled(error: UnicodeError) -> tuple[str, int]:
    """What is written for characters that an encoding lacks: letters, else Python's escapes.

    Escapes keep apart what `?` would not: two file names, and bytes that are no text at all.
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    escaped = (_LETTERS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in text)
    return "".join(escaped), error.end


codecs.register_error("coursekit", _spelled)


def say(line: str) -> None:
    """Print a line about work that goes on; `--quiet` has none of it."""
    if not _quiet:
        print(line, flush=True)


def status(text: str = "") -> None:
    """Say on a terminal's last line what is at work; the next call takes it away."""
    if on_terminal():
        print(f"\r\x1b[K{text}\r" if text else "\r\x1b[K", end="", file=sys.stderr, flush=True)


def bar(
    items: Iterable[Any] | None = None,
    what: str = "",
    *,
    total: int | None = None,
    unit: str = "it",
    initial: int = 0,
    show: bool | None = None,
) -> Any:
    """A bar over `items`, or one to be updated, once the work has taken a second.

    Args:
        items: they are passed on.
        what: stands before the bar.
        total: how many there are, when `len(items)` does not tell.
        unit: what is counted.
        initial: how many are done already.
        show: whether there is a bar; None for one on a terminal or in a notebook, and none in a
            log, in a pipe or after `--quiet`.
    """
    from tqdm.auto import tqdm

    shown = on_terminal() or _in_notebook() if show is None else show
    return tqdm(items, what or None, total, unit=unit, initial=initial, disable=not shown, delay=1,
                leave=False, file=sys.stderr, dynamic_ncols=True)  # fmt: skip


def on_terminal() -> bool:
    """Whether somebody sees stderr, on something that can go back in a line."""
    seen = sys.stderr is not None and sys.stderr.isatty()
    return seen and not _quiet and os.environ.get("TERM") != "dumb"


def _in_notebook() -> bool:
    """Whether this process is a notebook's kernel; having its packages imported is not enough."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def flush() -> None:
    """Write what is still held back, while an error can be told."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def mute() -> None:
    """Write nothing more: whoever read it went away, or its disk is full."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
            continue
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
