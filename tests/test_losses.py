"""Class weights against Eq. 2, the loss against Eq. 3 and torch."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.losses import WeightedCrossEntropy, class_weights, weighted_cross_entropy

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


@pytest.mark.parametrize("counts", [[0, 0], [-1, 5], [0.25, 0.75]])
def test_bad_counts_are_refused(counts: list) -> None:
    with pytest.raises(ValueError, match="pixel"):
        class_weights(counts)


def _example() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 4, (2, 5, 6), generator=generator)
    target[0, 0] = 255
    return logits, target, torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)


def test_loss_is_equation_3() -> None:
    logits, target, weights = _example()
    total = mass = 0.0
    for b in range(2):
        for y in range(5):
            for x in range(6):
                c = int(target[b, y, x])
                if c == 255:
                    continue
                scores = logits[b, :, y, x]
                probability = math.exp(scores[c]) / sum(math.exp(s) for s in scores)
                total -= float(weights[c]) * math.log(probability)
                mass += float(weights[c])
    assert float(WeightedCrossEntropy(weights)(logits, target)) == pytest.approx(total / mass)


@pytest.mark.parametrize("weighted", [True, False])
def test_loss_is_torchs(weighted: bool) -> None:
    logits, target, weights = _example()
    chosen = weights if weighted else None
    expected = torch.nn.functional.cross_entropy(logits, target, chosen, ignore_index=255)
    assert float(WeightedCrossEntropy(chosen)(logits, target)) == pytest.approx(float(expected))


def test_sums_of_parts_give_the_whole() -> None:
    logits, target, weights = _example()
    whole = weighted_cross_entropy(logits, target, weights)
    parts = [weighted_cross_entropy(logits[i : i + 1], target[i : i + 1], weights) for i in (0, 1)]
    for k in (0, 1):
        assert float(parts[0][k] + parts[1][k]) == pytest.approx(float(whole[k]))


def test_all_ignored_is_zero_with_a_gradient_of_zero() -> None:
    logits = torch.randn(1, 3, 2, 2, requires_grad=True)
    loss = WeightedCrossEntropy(torch.ones(3))(logits, torch.full((1, 2, 2), 255))
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))
