"""The checks that a student runs beside each exercise: they pass, or name what went wrong.

A check cell makes one `Check`, tries the student's answer on small inputs, and ends with `passed`.
The first thing that is wrong ends the cell with a `CheckFailed`, which a notebook shows as its
message alone, without a traceback. Checks explain; they do not grade.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: How the exception of an exercise's stub begins; `coursekit build` writes the stubs with it.
NOT_WRITTEN = "not written yet: "

_GREEN, _YELLOW, _RED, _PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m"


class CheckFailed(AssertionError):
    """An answer is wrong, and the message says which misconception it shows.

    Attributes:
        exercise: the name of the exercise.
        message: what is wrong and where to look.
    """

    def __init__(self, exercise: str, message: str) -> None:
        super().__init__(f"{exercise}: {message}")
        self.exercise = exercise
        self.message = message

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"{_RED}✗ {self.exercise}{_PLAIN}: {self.message}"]


class Check:
    """The check of one exercise.

    Each method looks at one thing and raises `CheckFailed` with `message` when it is not so. Values
    may be numbers, lists, arrays or tensors; types are not compared, so 2, 2.0 and a tensor of 2
    are equal.

    Args:
        exercise: the name of the answer cell.
    """

    def __init__(self, exercise: str) -> None:
        self.exercise = exercise
        _soften_stubs()

    def that(self, condition: object, message: str) -> None:
        """`condition` is true; an array is true when all of it is."""
        everywhere = getattr(condition, "all", None)
        if not bool(everywhere() if callable(everywhere) else condition):
            self._fail(message)

    def equal(self, got: object, expected: object, message: str) -> None:
        """`got` has the shape and exactly the values of `expected`."""
        self._same(got, expected, message, 0.0, 0.0)

    def close(
        self, got: object, expected: object, message: str, atol: float = 1e-5, rtol: float = 1e-5
    ) -> None:
        """`got` has the shape of `expected` and its values up to `atol + rtol·|expected|`."""
        self._same(got, expected, message, atol, rtol)

    def shape(self, got: object, expected: Sequence[int | None], message: str) -> None:
        """`got` is an array or tensor of this shape; None in `expected` stands for any number."""
        self._refuse_none(got)
        found = getattr(got, "shape", None)
        if found is None:
            self._fail(f"{message} (it is a {type(got).__name__}, which has no shape)")
        found, wanted = tuple(int(n) for n in found), tuple(expected)
        if len(found) != len(wanted) or any(
            w not in (None, f) for f, w in zip(found, wanted, strict=True)
        ):
            shown = str(wanted).replace("None", "any")
            self._fail(f"{message} (its shape is {found}, not {shown})")

    def catches(self, wrong: object, got: object, message: str) -> None:
        """`got` is **not** `wrong`, the result of a known misconception, which `message` names.

        Ask this before `equal` or `close`, and choose inputs for which `wrong` differs from the
        right result.
        """
        if got is not None and _difference(got, wrong, 1e-6, 1e-5) is None:
            self._fail(message)

    def passed(self, message: str) -> None:
        """Print the green line that ends the check; `message` says what it showed."""
        print(f"{_GREEN}✓ {self.exercise}: {message}{_PLAIN}")

    def _same(self, got: object, expected: object, message: str, atol: float, rtol: float) -> None:
        if expected is not None:
            self._refuse_none(got)
        difference = _difference(got, expected, atol, rtol)
        if difference is not None:
            self._fail(f"{message} ({difference})")

    def _refuse_none(self, got: object) -> None:
        if got is None:
            self._fail("your answer gives None: does every way through it end in a `return`?")

    def _fail(self, message: str) -> NoReturn:
        raise CheckFailed(self.exercise, message)


def _array(value: Any) -> NDArray[Any] | None:
    """The value as a numeric array, or None when it is no such thing."""
    import numpy as np

    if hasattr(value, "detach"):  # a torch tensor, without importing torch
        value = value.detach().cpu()
        value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "biufc" else None


def _difference(got: object, expected: object, atol: float, rtol: float) -> str | None:
    """How `got` differs from `expected`, in words; None when it does not."""
    import numpy as np

    a, b = _array(got), _array(expected)
    if a is None or b is None:
        same = a is None and b is None and bool(got == expected)
        return None if same else f"got {_short(got)}, expected {_short(expected)}"
    if a.shape != b.shape:
        return f"its shape is {a.shape}, not {b.shape}"
    if a.dtype.kind == "b" or b.dtype.kind == "b" or (atol == 0 and rtol == 0):
        apart = (a != b) & ~((a != a) & (b != b))  # not-a-number equals itself here
    else:
        apart = ~np.isclose(a, b, atol=atol, rtol=rtol, equal_nan=True)
    if not apart.any():
        return None
    if a.ndim == 0:
        return f"got {a.item():.6g}, expected {b.item():.6g}"
    first = tuple(int(i) for i in np.argwhere(apart)[0])
    where = first[0] if len(first) == 1 else first
    return (
        f"{int(apart.sum())} of {apart.size} values differ; at [{str(where).strip('()')}] "
        f"got {a[first].item():.6g}, expected {b[first].item():.6g}"
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _soften_stubs() -> None:
    """In a notebook, show an exercise that is not written yet as one line, not as a traceback."""
    if "IPython" not in sys.modules:
        return
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None and not shell.custom_exceptions:
        shell.set_custom_exc((NotImplementedError,), _show_stub)


def _show_stub(shell: Any, kind: Any, error: Any, traceback: Any, tb_offset: Any = None) -> None:
    """Show a `NotImplementedError`: kindly if a stub raised it, as usual otherwise."""
    if str(error).startswith(NOT_WRITTEN):
        line = (
            f"{_YELLOW}… {error}{_PLAIN}. Write it where its cell says YOUR CODE HERE, run that "
            "cell, then this one."
        )
        error.__dict__["_render_traceback_"] = lambda: [line]
    shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)
