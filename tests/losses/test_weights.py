"""Class weights against Eq. 2 and against the direct inverse."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.losses import class_weights, inverse_frequency_weights

#: Pixels of each class in the course's 5,000 training masks.
REAL_COUNTS = [
    375099645, 333172471, 27015905, 3467864, 2937773, 2928618, 5572580, 5433404, 6164110, 5049695,
    3896683, 5417555, 8898431, 411175974, 12651045, 3102372, 196952, 54031542, 44507381,
]  # fmt: skip


@given(st.lists(st.integers(1, 10**10), min_size=1, max_size=20))
def test_weights_are_equation_2(counts: list[int]) -> None:
    inverse = [1 / math.log(f + 1e-6) for f in counts]
    expected = [v / sum(inverse) for v in inverse]
    assert class_weights(counts).tolist() == pytest.approx(expected, rel=1e-5)


def test_weights_of_the_real_counts() -> None:
    weights = class_weights(REAL_COUNTS)
    assert weights.sum().item() == pytest.approx(1)
    assert weights.argmax() == 16  # necklace
    assert weights.argmin() == 13  # hair
    assert weights.min().item() == pytest.approx(0.0426, abs=1e-4)
    assert weights.max().item() == pytest.approx(0.0692, abs=1e-4)


def test_a_class_without_pixels_has_no_weight() -> None:
    weights = class_weights([1000, 0, 10])
    assert weights[1] == 0
    assert weights[[0, 2]].tolist() == pytest.approx(class_weights([1000, 10]).tolist())


@pytest.mark.parametrize("formula", [class_weights, inverse_frequency_weights])
@pytest.mark.parametrize("counts", [[0, 0], [-1, 5], [0.25, 0.75]])
def test_bad_counts_are_refused(formula: Callable, counts: list) -> None:
    with pytest.raises(ValueError, match="pixel"):
        formula(counts)


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=20).filter(any))
def test_the_direct_inverse_gives_every_class_the_same_share(counts: list[int]) -> None:
    weights = inverse_frequency_weights(counts)
    assert weights.sum().item() == pytest.approx(1, rel=1e-5)
    there = torch.tensor(counts) > 0
    assert (weights[~there] == 0).all()
    shares = (weights.double() * torch.tensor(counts))[there]
    assert shares.tolist() == pytest.approx([float(shares[0])] * len(shares), rel=1e-5)


def test_the_direct_inverse_of_the_real_counts() -> None:
    weights = inverse_frequency_weights(REAL_COUNTS)
    assert (weights.max() / weights.min()).item() == pytest.approx(2087.7, abs=0.1)
    assert (weights[16] / weights[13]).item() == pytest.approx(2087.7, abs=0.1)
