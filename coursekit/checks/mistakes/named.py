"""What is said of an answer: where it leaves the right way, and how that is put into words."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.comparing import alike, as_array
from coursekit.checks.copies import copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray


def apart(got: object, right: object, where: Callable[..., str], *given: Any) -> str:
    """What `where(*given)` says of an answer that is not right; "" if it is."""
    return "" if alike(got, right) else where(*given)


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


def listed(words: Iterable[str]) -> str:
    """Words in a row: "a, b and c"."""
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last


def numbers(values: Iterable[Any]) -> str:
    """Numbers in brackets, so many digits as a reader wants."""
    return f"({', '.join(f'{round(float(v), 9):.3g}' for v in values)})"
