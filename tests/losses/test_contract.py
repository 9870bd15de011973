"""What all losses have in common, and losses by name."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.errors import CourseError
from coursekit.losses import (
    LOSS_NAMES,
    DiceLoss,
    FocalLoss,
    LovaszSoftmaxLoss,
    WeightedCrossEntropy,
    loss_sums,
    parse_loss,
    sums_over_pixels,
    takes_weights,
)
from coursekit.losses.inputs import prepare
from tests.losses.examples import example

WEIGHTS = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.0, 0.5])
ALL = [
    WeightedCrossEntropy(), WeightedCrossEntropy(WEIGHTS), FocalLoss(), FocalLoss(0.5, WEIGHTS),
    DiceLoss(), DiceLoss(1.0), LovaszSoftmaxLoss(),
]  # fmt: skip
EACH = pytest.mark.parametrize("loss", ALL, ids=lambda loss: type(loss).__name__)


@EACH
def test_gradient(loss: nn.Module) -> None:
    logits, target = example(6)  # two classes are absent
    assert torch.autograd.gradcheck(lambda x: loss(x, target), logits.requires_grad_())


@EACH
def test_ignored_pixels_are_as_if_they_were_not_there(loss: nn.Module) -> None:
    logits, target = example(6)
    logits.requires_grad_()
    kept = target != 255
    alone = logits.movedim(1, -1)[kept].T.reshape(1, 6, 1, -1)
    expected = loss(alone, target[kept].reshape(1, 1, -1))
    got = loss(logits, target)
    torch.testing.assert_close(got, expected)
    slopes = [torch.autograd.grad(value, logits, retain_graph=True)[0] for value in (got, expected)]
    torch.testing.assert_close(*slopes)
    assert (slopes[0].movedim(1, -1)[~kept] == 0).all()


@EACH
def test_another_ignore_index_may_be_a_class(loss: nn.Module) -> None:
    logits, target = example(6)
    expected = loss(logits, target.where(target != 1, 255))
    loss.ignore_index = 1
    try:
        got = loss(logits, target.where(target != 255, 1))
    finally:
        loss.ignore_index = 255
    torch.testing.assert_close(got, expected)


@EACH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss: nn.Module, dtype: torch.dtype) -> None:
    logits, target = example(6)
    logits = logits.to(dtype)
    got = loss(logits, target)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, loss(logits.float(), target))


@EACH
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_ids_may_be_of_any_integer_type(loss: nn.Module, dtype: torch.dtype) -> None:
    logits, target = example(6)
    torch.testing.assert_close(loss(logits, target.to(dtype)), loss(logits, target))


@pytest.mark.parametrize("loss", [DiceLoss(), LovaszSoftmaxLoss()])
@pytest.mark.parametrize("wrong", [-1, 6])
def test_ids_outside_the_classes_are_refused(loss: nn.Module, wrong: int) -> None:
    logits, target = example(6)
    target[0, 0, 0] = wrong
    with pytest.raises(ValueError, match="the target has ids"):
        loss(logits, target)


@pytest.mark.parametrize("kind", [WeightedCrossEntropy, FocalLoss])
def test_weights_of_zero_leave_a_gradient_of_zero(kind: type[nn.Module]) -> None:
    logits = (100 * torch.randn(1, 6, 2, 2)).requires_grad_()
    loss = kind(weights=torch.tensor([0.0, 1, 1, 1, 1, 1]))
    loss(logits, torch.zeros(1, 2, 2, dtype=torch.long)).backward()
    assert logits.grad is not None and (logits.grad == 0).all()


@EACH
def test_all_ignored_is_zero_with_a_gradient_of_zero(loss: nn.Module) -> None:
    logits = torch.randn(1, 6, 2, 2, requires_grad=True)
    value = loss(logits, torch.full((1, 2, 2), 255))
    value.backward()
    assert float(value.detach()) == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@EACH
def test_extreme_logits_give_finite_losses_and_slopes(loss: nn.Module) -> None:
    logits, target = example(6)
    for factor in (0.0, 1e4):
        large = (factor * logits).float().requires_grad_()
        value = loss(large, target)
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(large.grad).all()


@EACH
def test_right_is_cheaper_than_wrong(loss: nn.Module) -> None:
    _, target = example(6)
    right = nn.functional.one_hot(target.where(target != 255, 0), 6).movedim(-1, 1)
    assert float(loss(30.0 * right, target)) < 1e-6
    assert float(loss(-30.0 * right, target)) > 0.9


def test_a_target_of_another_size_is_refused() -> None:
    """By all: each prepares its inputs so. (In the tests the annotations refuse before that.)"""
    logits, target = example(6)
    for wrong in (target[:1], target[:, :3], target[:, :, :1], target[:, None]):
        with pytest.raises(ValueError, match=r"need a target of shape \(2, 5, 6\)"):
            prepare(logits, wrong)


@EACH
def test_weights_travel_with_the_module_and_not_with_its_state(loss: nn.Module) -> None:
    assert not loss.state_dict()
    assert list(loss.parameters()) == []


MODULES = {
    "cross_entropy": WeightedCrossEntropy, "focal": FocalLoss, "dice": DiceLoss,
    "lovasz": LovaszSoftmaxLoss,
}  # fmt: skip


@pytest.mark.parametrize("name", LOSS_NAMES)
def test_a_name_is_its_module(name: str) -> None:
    logits, target = example(6)
    totals, masses = loss_sums(parse_loss(name), logits, target)
    assert float(totals / masses) == pytest.approx(float(MODULES[name]()(logits, target)))
    assert sums_over_pixels([name]) == takes_weights([name]) == (name in ("cross_entropy", "focal"))
    assert takes_weights([name, "focal"])


def test_a_mix_is_the_sum_of_its_terms() -> None:
    logits, target = example(6)
    names = parse_loss("cross_entropy + lovasz")
    totals, masses = loss_sums(names, logits, target, WEIGHTS.double())
    expected = WeightedCrossEntropy(WEIGHTS)(logits, target) + LovaszSoftmaxLoss()(logits, target)
    torch.testing.assert_close((totals / masses).sum(), expected)
    assert not sums_over_pixels(names)


@pytest.mark.parametrize(
    ("name", "words"),
    [("dise", "did you mean 'dice'"), ("", "there is no loss ''"), ("dice+", "there is no loss ''"),
     ("dice+dice", "names one twice")],
)  # fmt: skip
def test_bad_names_are_refused(name: str, words: str) -> None:
    with pytest.raises(CourseError, match=words):
        parse_loss(name)
