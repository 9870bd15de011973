"""Cross-entropy against Eq. 3 and torch; focal loss against its equation."""

from __future__ import annotations

import math

import pytest
import torch

from coursekit.losses import FocalLoss, WeightedCrossEntropy, focal_loss, weighted_cross_entropy
from tests.losses.examples import example

WEIGHTS = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)


def spec(logits: torch.Tensor, target: torch.Tensor, gamma: float) -> float:
    """The focal loss (Eq. 3 with gamma 0), pixel by pixel."""
    total = mass = 0.0
    for b, y, x in torch.cartesian_prod(*map(torch.arange, target.shape)).tolist():
        c = int(target[b, y, x])
        if c == 255:
            continue
        scores = logits[b, :, y, x]
        p = math.exp(scores[c]) / sum(math.exp(s) for s in scores)
        total += float(WEIGHTS[c]) * (1 - p) ** gamma * -math.log(p)
        mass += float(WEIGHTS[c])
    return total / mass


def test_cross_entropy_is_equation_3() -> None:
    logits, target = example()
    expected = pytest.approx(spec(logits, target, 0))
    assert float(WeightedCrossEntropy(WEIGHTS)(logits, target)) == expected


@pytest.mark.parametrize("weighted", [True, False])
def test_cross_entropy_is_torchs(weighted: bool) -> None:
    logits, target = example()
    chosen = WEIGHTS if weighted else None
    expected = torch.nn.functional.cross_entropy(logits, target, chosen, ignore_index=255)
    assert float(WeightedCrossEntropy(chosen)(logits, target)) == pytest.approx(float(expected))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_focal_loss_is_its_equation(gamma: float) -> None:
    logits, target = example()
    got = FocalLoss(gamma, WEIGHTS)(logits, target)
    assert float(got) == pytest.approx(spec(logits, target, gamma))


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_focal_loss_with_gamma_0_is_cross_entropy(weights: torch.Tensor | None) -> None:
    logits, target = example()
    got = focal_loss(logits, target, 0.0, weights)
    torch.testing.assert_close(got, weighted_cross_entropy(logits, target, weights))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_slope_is_finite_where_a_pixel_is_certain(gamma: float) -> None:
    logits = torch.tensor([[100.0, 0.0], [0.0, 100.0]]).T.reshape(1, 2, 1, 2)
    logits = logits.clone().requires_grad_()
    FocalLoss(gamma)(logits, torch.zeros(1, 1, 2, dtype=torch.long)).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 0, 0, 0] == 0  # certain and right
    assert logits.grad[0, 0, 0, 1] == pytest.approx(-0.5)  # certain and wrong: a whole step


def test_focal_loss_is_a_peers() -> None:
    """smp's function of the softmax; its `FocalLoss` has a sigmoid for each class instead."""
    peer = pytest.importorskip("segmentation_models_pytorch.losses._functional")
    logits, target = example(ignored=False)
    expected = peer.softmax_focal_loss_with_logits(logits, target, gamma=2.0)
    assert float(FocalLoss(2.0)(logits, target)) == pytest.approx(float(expected))


@pytest.mark.parametrize("sums", [weighted_cross_entropy, focal_loss])
def test_sums_of_parts_give_the_whole(sums) -> None:
    logits, target = example()
    whole = sums(logits, target, weights=WEIGHTS)
    parts = [sums(logits[i : i + 1], target[i : i + 1], weights=WEIGHTS) for i in (0, 1)]
    for k in (0, 1):
        assert float(parts[0][k] + parts[1][k]) == pytest.approx(float(whole[k]))


def test_a_negative_gamma_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        FocalLoss(-1.0)(*example())
