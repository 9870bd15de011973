"""What is said of an answer: a known mistake's name, or where it leaves the right way.

Both are looked for only where the answer is not right, since most of the answers that are checked
are, and a list of mistakes costs far more than one comparison.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.comparing import as_array, difference
from coursekit.checks.copies import copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

_CLOSE = 1e-6, 1e-5  # absolute, and of the value


def known(
    got: object,
    right: object,
    slips: Callable[..., Iterable[tuple[Any, str]]],
    *given: Any,
    close: tuple[float, float] = _CLOSE,
) -> str:
    """The name of the first known mistake that gives the same as an answer; "" if there is none.

    Args:
        got: what the answer gives.
        right: what it should give; then no mistake is looked for.
        slips: gives results of mistakes and their names; None stands for no result.
        given: what it is called with.
        close: how far apart is the same, absolute and of the value. Of hundreds of mistakes some
            give nearly the same number, which then needs more digits.
    """
    if difference(got, right, *_CLOSE) is None:
        return ""
    names = (
        name
        for wrong, name in slips(*given)
        if wrong is not None and difference(got, wrong, *close) is None
    )
    return next(names, "")


def apart(got: object, right: object, where: Callable[..., str], *given: Any) -> str:
    """What `where(*given)` says of an answer that is not right; "" if it is."""
    return "" if difference(got, right, *_CLOSE) is None else where(*given)


def tried(function: Callable[..., Any], *given: Any) -> NDArray[Any] | None:
    """What an answer gives for copies of this, as an array; None where it gives no numbers."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            made = function(*map(copy, given))
            found = as_array(made)
    except Exception:  # whatever a student's code may raise
        return None
    return found


def same(one: NDArray[Any] | None, two: object) -> bool:
    """Whether an answer gave this, shape and all."""
    return one is not None and difference(one, two, *_CLOSE) is None


def listed(words: Iterable[str]) -> str:
    """Words in a row: "a, b and c"."""
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last


def numbers(values: Iterable[Any]) -> str:
    """Numbers in brackets, so many digits as a reader wants."""
    return f"({', '.join(f'{round(float(v), 9):.3g}' for v in values)})"
