"""An exception in a student's code, told in one line."""

from __future__ import annotations

import contextlib
import linecache
import re
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.checks.common import COMMON, PLAIN, Cause, Kinds
from coursekit.checks.misnamed import misnamed
from coursekit.checks.unkept import unkept

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType, FrameType, TracebackType

_MOST = 240  # characters of an exception's message
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")  # of a terminal
_LIBRARIES = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(__file__).parents[1])}
)


@dataclass(frozen=True)
class Listed:
    """A misconception that ends in an exception.

    Attributes:
        kind: the exception's class, or several.
        cause: what is found in its message (a regular expression), or a question to it.
        message: what the student is told.
    """

    kind: Kinds
    cause: Cause
    message: str

    def fits(self, error: BaseException) -> bool:
        """Whether it is behind this exception."""
        if not isinstance(error, self.kind):
            return False
        if isinstance(self.cause, str):
            return re.search(self.cause, said(error)) is not None
        return bool(self.cause(error))


def told(error: BaseException, listed: Iterable[Listed]) -> str:
    """What is said of an exception: a listed misconception, or what happened, and where.

    Args:
        error: with its traceback from the call on.
        listed: the exercise's; the first that fits is told.
    """
    message = _message(error, listed)
    if message:
        happened, place = _happened(error), _place(error)
        detail = f"{happened.rstrip('.')}, {place}" if place else happened  # and not `list., line`
        return f"{message} ({detail})"
    return f"your code stops with {plain(error)}"


def plain(error: BaseException) -> str:
    """What happened, and where, whatever may be behind it."""
    place = _place(error)
    return _happened(error) + (f" ({place})" if place else "")


def _message(error: BaseException, listed: Iterable[Listed]) -> str:
    """What is behind an exception, of the exercise's own or of what any may meet; "" if unknown."""
    # Once each: what calls itself without end stands there a thousand times.
    for code in dict.fromkeys(frame.f_code for frame in frames(error.__traceback__)):
        text = "".join(linecache.getlines(code.co_filename))
        if words := unkept(text, code.co_qualname):
            return words
    for one in (*listed, *(Listed(*row) for row in COMMON)):
        if one.fits(error):
            return one.message
    with contextlib.suppress(Exception):  # whatever a student's own `__getattr__` may raise
        if name := misnamed(error, frames(error.__traceback__)):
            return name
    return next((one.message for one in (Listed(*row) for row in PLAIN) if one.fits(error)), "")


def frames(traceback: TracebackType | None) -> list[FrameType]:
    """The student's own frames of a traceback, the innermost first."""
    found = []
    while traceback is not None:
        if is_students(traceback.tb_frame.f_code):
            found.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return found[::-1]


def said(error: BaseException) -> str:
    """An exception's message; "" when a class of the student's own cannot tell it."""
    try:
        return str(error)
    except Exception:  # whatever its `__str__` may raise
        return ""


def _happened(error: BaseException) -> str:
    message = " ".join(_CONTROLS.sub(" ", said(error)).split())
    if len(message) > _MOST:
        message = message[: _MOST - 1] + "…"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _place(error: BaseException) -> str:
    """The innermost line of the student's own, in words; "" when there is none."""
    traceback = error.__traceback__
    here = sys._getframe().f_code.co_filename
    found = ""
    while traceback is not None:
        code, line = traceback.tb_frame.f_code, traceback.tb_lineno
        if code.co_filename != here and is_students(code):
            text = linecache.getline(code.co_filename, line).strip()
            shown = f": `{text}`" if text else ""
            # Of what nobody has named, `<genexpr>`, the function around it is told.
            names = [n for n in code.co_qualname.split(".<locals>.") if "<" not in n]
            inside = f" in `{names[-1]}`" if names else ""
            found = f"line {line} of its cell{inside}{shown}"
        traceback = traceback.tb_next
    return found


def is_students(code: CodeType) -> bool:
    """Whether code comes from a notebook or from a file that is no library's."""
    name = code.co_filename
    if name.startswith(("<frozen", "<string", "<__", "<eval")):
        return False
    return not name.startswith(_LIBRARIES)
