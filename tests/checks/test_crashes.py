"""What Python, NumPy and torch say when code stops, in plain words; the exceptions are real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from coursekit.checks import Check, CheckFailed

a, b = torch.zeros(2, 3), torch.zeros(2, 4)


def unmade() -> Any:
    return made_nowhere  # type: ignore[name-defined]


def unbound() -> Any:
    twice = value * 2  # type: ignore[used-before-def]
    value = 1
    return twice + value


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (unmade, "nothing is called `made_nowhere` here"),
        (unbound, "`value` is used before it is set"),
        (lambda: 1 / 0, "divided by 0"),
        (lambda: {"a": 1}["b"], "print its keys"),
        (lambda: float(a), "one number is wanted here"),
        (lambda: float(np.zeros(3)), "one number is wanted here"),
        (lambda: a.item(), "one number is wanted here"),
        (lambda: 1 if a > 0 else 0, "one yes or no"),
        (lambda: 1 if np.zeros(3) > 0 else 0, "one yes or no"),
        (lambda: a.sum(2), "fewer axes"),
        (lambda: np.zeros(3).sum(1), "fewer axes"),
        (lambda: a[0, 0, 0], "fewer axes"),
        (lambda: [*range(3)][3], "past the end"),
        (lambda: a[5], "past the end"),
        (lambda: F.relu(), "lacks an argument"),
        (lambda: nn.Conv2d(3, 4), "lacks an argument"),
        (lambda: nn.Conv2d(3, 4, 3, pad=1), "an argument that is not known"),
        (lambda: unmade(1), "more than is taken"),
        (lambda: a(1), "called that is no function"),
        (lambda: list(3), "as if it were several"),  # type: ignore[call-overload]
        (lambda: [(x, y) for x, y in [(1, 2, 3)]], "do not fit so many things"),
        (lambda: a + b, "two shapes that do not go together"),
        (lambda: np.zeros(2) + np.zeros(3), "two shapes that do not go together"),
        (lambda: torch.cat([a, b]), "two shapes that do not go together"),
        (lambda: a @ b, "columns of the first"),
        (lambda: np.zeros((2, 3)) @ np.zeros((2, 3)), "columns of the first"),
        (lambda: nn.Conv2d(3, 4, 1)(torch.zeros(1, 5, 2, 2)), "number of channels"),
        (lambda: a.view(4), "do not fill that shape"),
        (lambda: a @ a.T.double(), "types that do not go together"),
        (lambda: a[torch.zeros(2)], "types that do not go together"),
        (lambda: a + "x", "does not join"),
        (lambda: 1 + "x", "does not join"),  # type: ignore[operator]
        (lambda: a.meen(), "no such thing"),
    ],
)  # fmt: skip
def test_common_exceptions_are_told_in_plain_words(function: Any, words: str) -> None:
    with pytest.raises(CheckFailed, match=words) as caught:
        Check("toy").call(function)
    cause = caught.value.__cause__
    assert f"{type(cause).__name__}: {str(cause)[:20]}"[:30].strip() in caught.value.message
