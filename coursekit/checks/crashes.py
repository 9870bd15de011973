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
    from types import CodeType

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
        r"but (got|found element of type) float|not float|tuple of \(float",
        "a size is a float: divide whole numbers by `//`",
    ),
    Listed(TypeError, "argument 'tensors'", "`torch.cat` and `torch.stack` take a list of tensors"),
    Listed(
        ValueError,
        r"spatial dimensions of \[\d+, \d+\] and output size of \D*(\d+, ){3}",
        "`F.interpolate` takes the height and width alone: `.shape[-2:]`",
    ),
    Listed(RecursionError, "", "your code calls itself without end"),
    # What Python and torch say, in plain words; more special causes stand above.
    Listed(
        UnboundLocalError, "", "a name is read before it has a value: do two lines want swapping?"
    ),
    Listed(
        NameError,
        "",
        "a name that nothing above it makes: is a line missing, is it misspelt, or is it an "
        "argument, or `self.` something?",
    ),
    Listed(ZeroDivisionError, "", "divided by 0: which case makes it 0, and what should it give?"),
    Listed(
        (ValueError, TypeError, RuntimeError),
        r"only one element tensors|only length-1 arrays|only 0-dimensional arrays"
        r"|Tensor with \d+ elements cannot be converted to Scalar",
        "one number is wanted here, and this is many: is a sum or a mean missing?",
    ),
    Listed(
        (ValueError, RuntimeError),
        r"Boolean value of Tensor with more than one|truth value of an array with more than one",
        "one yes or no is wanted here, and this is many: `.all()`, `.any()`, or a smaller thing",
    ),
    Listed(
        (IndexError, ValueError),
        r"Dimension out of range|axis -?\d+ is out of bounds|too many indices",
        "it has fewer axes than that: they count from 0, and its shape tells how many there are",
    ),
    Listed(
        IndexError,
        r"out of range|out of bounds",
        "an index past the end: they count from 0, so the last is the length less 1",
    ),
    Listed(
        TypeError,
        r"missing \d+ required (positional|keyword-only) argument",
        "a call lacks an argument: compare it with the definition of what is called",
    ),
    Listed(
        TypeError,
        "got an unexpected keyword argument|is an invalid keyword argument",
        "a call gives an argument that is not known there: is it misspelt, or for another call?",
    ),
    Listed(
        TypeError,
        r"takes (from )?\d.* positional arguments? but",
        "a call gives more than is taken there (a method's own first parameter is `self`)",
    ),
    Listed(
        TypeError,
        "object is not callable",
        "something is called that is no function: is a name used twice, or a bracket too many?",
    ),
    Listed(
        TypeError,
        r"is not (iterable|subscriptable)|cannot unpack|object does not support item",
        "one thing is used as if it were several: look at what stands there, and its type",
    ),
    Listed(
        (ValueError, TypeError),
        r"not enough values to unpack|too many values to unpack",
        "so many names do not fit so many things: look at what stands right of the `=`",
    ),
    Listed(
        (RuntimeError, ValueError),
        r"[Ss]ize of tensor a|could not be broadcast|must match the (size|existing size)"
        r"|Sizes of tensors must match|all input arrays must have the same shape",
        "two shapes that do not go together: print both just before this line",
    ),
    Listed(
        (RuntimeError, ValueError),
        r"mat1 and mat2|size mismatch|Expected size for first two|matmul: Input operand",
        "in a product the columns of the first are the rows of the second: is one to be turned?",
    ),
    Listed(
        RuntimeError,
        r"Given (groups|transposed)=.*channels",
        "a layer gets another number of channels than it was made for",
    ),
    Listed(
        RuntimeError,
        r"shape '.*' is invalid for input of size",
        "so many values do not fill that shape: multiply its sides, and compare",
    ),
    Listed(
        (RuntimeError, TypeError),
        r"expected scalar type|expected m1 and m2 to have the same dtype|should be the same"
        r"|can't be cast|must be tensors used as indices|Index tensor must have|dtype int64",
        "types that do not go together: whole numbers for indices and classes, floats to calculate",
    ),
    Listed(
        TypeError,
        r"unsupported operand type|can only concatenate|bad operand type|not supported between",
        "two kinds of things that this operator does not join: print their types",
    ),
    Listed(
        AttributeError,
        "has no attribute",
        "what stands before the dot has no such thing: what type is it here, or is it misspelt?",
    ),
    Listed(KeyError, "", "a key that the dictionary does not have: print its keys"),
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
    for one in (*listed, *_COMMON):
        if one.fits(error):
            detail = ", ".join(part for part in (_happened(error), _place(error)) if part)
            return f"{one.message} ({detail})"
    return f"your code stops with {plain(error)}"


def plain(error: BaseException) -> str:
    """What happened, and where, whatever may be behind it."""
    place = _place(error)
    return _happened(error) + (f" ({place})" if place else "")


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
