"""The course's own parts of lesson 15."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.optim.averaged_cosine import warm_cosine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from coursekit.synthfaces import Style

__all__ = ["all_but", "effects", "only", "warm_cosine"]


def effects(
    neither: Sequence[float], a: Sequence[float], b: Sequence[float], both: Sequence[float]
) -> NDArray[Any]:
    """(4, seeds): a alone, b alone, a on top of b, and the interaction, from scores by seed."""
    alone, other = np.subtract(a, neither), np.subtract(b, neither)
    on_top = np.subtract(both, b)
    return np.array([alone, other, on_top, on_top - alone])


def only(style: Style, amount: float, fields: tuple[str, ...]) -> Style:
    """`style` with these fields alone as `style.shifted(amount)` has them."""
    shifted = style.shifted(amount)
    return dataclasses.replace(style, **{name: getattr(shifted, name) for name in fields})


def all_but(style: Style, amount: float, fields: tuple[str, ...]) -> Style:
    """`style.shifted(amount)` with these fields as `style` has them."""
    same = {name: getattr(style, name) for name in fields}
    return dataclasses.replace(style.shifted(amount), **same)
