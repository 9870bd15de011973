"""An exception in a student's code, told in one line."""

from __future__ import annotations

import linecache
import re
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType, TracebackType

Kinds = type[BaseException] | tuple[type[BaseException], ...]
Cause = str | Callable[[BaseException], object]

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


#: What any exercise may meet.
_COMMON = (
    Listed(
        AttributeError,
        r"before Module\.__init__\(\) call"
        r"|has no attribute '_(modules|parameters|buffers|(forward|backward)_(pre_)?hooks)'",
        "`super().__init__()` is missing: call it first in `__init__`",
    ),
    Listed(
        NotImplementedError, r"\[ModuleList\]", "a ModuleList is not called: call each of its parts"
    ),
    Listed(
        NotImplementedError,
        r'missing the required "forward" function',
        "it has no `forward`: is that spelt so, and indented to stand inside the class?",
    ),
    Listed(
        TypeError,
        "is not a Module subclass",
        "modules are given one by one, not in a list, and each of them made: `nn.ReLU()`",
    ),
    Listed(
        TypeError,
        "must be Tensor, not (float|int)",
        "torch's functions want tensors: for plain numbers there are `math.cos`, `math.sqrt`, …",
    ),
    Listed(
        TypeError,
        r"(got|not) \(?(ReLU6?|LeakyReLU|GELU|Sigmoid|Softmax|Tanh)\b",
        "`nn.ReLU` and its like make a module, to be called: `nn.ReLU()(x)`, or `F.relu(x)`",
    ),
    Listed(
        TypeError,
        r"but (got|found element of type) float|not float|tuple of \(float",
        "a size is a float: divide whole numbers by `//`",
    ),
    Listed(TypeError, "argument 'tensors'", "`torch.cat` and `torch.stack` take a list of tensors"),
    Listed(
        ValueError,
        r"spatial dimensions of \[\d+, \d+\] and output size of \D*(\d+, ){2,3}",
        "`F.interpolate` takes the height and width alone: `.shape[-2:]`",
    ),
    Listed(RecursionError, "", "your code calls itself without end"),
    Listed(
        SystemExit, lambda error: True, "your code ends Python (`exit`, `quit`): leave that out"
    ),
)


def told(error: BaseException, listed: Iterable[Listed]) -> str:
    """What is said of an exception: a listed misconception, or what happened, and where.

    Args:
        error: with its traceback from the call on.
        listed: the exercise's; the first that fits is told.
    """
    happened = _happened(error)
    place = _place(error.__traceback__)
    for one in (*listed, *_COMMON):
        if one.fits(error):
            detail = ", ".join(part for part in (happened, place) if part)
            return f"{one.message} ({detail})"
    return f"your code stops with {happened}" + (f" ({place})" if place else "")


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


def _place(traceback: TracebackType | None) -> str:
    """The innermost line of the student's own, in words; "" when there is none."""
    here = sys._getframe().f_code.co_filename
    found = ""
    while traceback is not None:
        code, line = traceback.tb_frame.f_code, traceback.tb_lineno
        if code.co_filename != here and is_students(code):
            text = linecache.getline(code.co_filename, line).strip()
            shown = f": `{text}`" if text else ""
            name = code.co_qualname.split("<locals>.")[-1]
            inside = "" if name == "<module>" else f" in `{name}`"
            found = f"line {line} of its cell{inside}{shown}"
        traceback = traceback.tb_next
    return found


def is_students(code: CodeType) -> bool:
    """Whether code comes from a notebook or from a file that is no library's."""
    name = code.co_filename
    if name.startswith(("<frozen", "<string", "<__", "<eval")):
        return False
    return not name.startswith(_LIBRARIES)
