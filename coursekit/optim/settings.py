"""What the settings of a plan may be, and whether a saved run had the same."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_numbers(
    settings: Any,
    *,
    positive: Sequence[str] = (),
    not_negative: Sequence[str] = (),
    below_one: Sequence[str] = (),
) -> None:
    """Raises `CourseError` when a setting is no number, or lies out of its range.

    Args:
        settings: their object.
        positive: names of those that must be above 0.
        not_negative: of at least 0.
        below_one: in [0, 1).
    """
    for names, least, end, words in (
        (positive, math.ulp(0), math.inf, "be a number above 0"),
        (not_negative, 0, math.inf, "be at least 0"),
        (below_one, 0, 1, "lie in [0, 1)"),
    ):
        for name in names:
            value = getattr(settings, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise CourseError(f"{name} is {value!r}; it must be a number")
            if not least <= value < end:
                raise CourseError(f"{name} is {value}; it must {words}")


def check_choices(settings: Any, choices: Mapping[str, Sequence[object]]) -> None:
    """Raises `CourseError` when a setting is none of its choices."""
    for name, known in choices.items():
        if getattr(settings, name) not in known:
            listed = " or ".join(repr(choice) for choice in known)
            raise CourseError(f"{name} is {getattr(settings, name)!r}; it must be {listed}")


def check_same(saved: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """Raises ValueError when a saved plan had other settings than the one that goes on with it."""
    other = [f"{k} was {saved.get(k)} and is {v}" for k, v in own.items() if saved.get(k) != v]
    if other:
        raise ValueError(f"the saved run had other settings: {', '.join(other)}")
