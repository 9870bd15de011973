"""Dice and Lovász against slow specifications, hand-made cases and segmentation-models-pytorch."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.losses import DiceLoss, LovaszSoftmaxLoss, lovasz_gradient, regions
from tests.losses.examples import counts, example, hard


def dice_spec(logits: torch.Tensor, target: torch.Tensor, smooth: float) -> float:
    known, p = target != 255, logits.softmax(1)
    values = []
    for c in sorted(set(target[known].tolist())):
        hit = called = true = 0.0
        for b, y, x in known.nonzero().tolist():
            probability, is_c = float(p[b, c, y, x]), int(target[b, y, x]) == c
            hit, called, true = hit + probability * is_c, called + probability, true + is_c
        values.append(1 - (2 * hit + smooth) / (called + true + smooth))
    return sum(values) / len(values)


def jaccard_loss(wrong: set[int], foreground: list[bool]) -> float:
    """1 − IoU when just these pixels are wrong."""
    true = {i for i, f in enumerate(foreground) if f}
    called = true ^ wrong
    return 1 - len(true & called) / len(true | called)


def lovasz_extension(errors: list[float], foreground: list[bool]) -> float:
    """∫₀¹ of the Jaccard loss of the set of pixels whose error is above a threshold.

    No order and no differences: between two neighbouring levels of the errors the set is the same.
    """
    levels = sorted({0.0, *errors, 1.0})
    return math.fsum(
        (high - low) * jaccard_loss({i for i, e in enumerate(errors) if e >= high}, foreground)
        for low, high in itertools.pairwise(levels)
    )


def lovasz_spec(logits: torch.Tensor, target: torch.Tensor) -> float:
    known = (target != 255).flatten()
    p = logits.softmax(1).movedim(1, -1).reshape(-1, logits.shape[1])[known]
    true = target.flatten()[known]
    values = []
    for c in sorted(set(true.tolist())):
        foreground = (true == c).tolist()
        errors = [abs(f - float(q)) for f, q in zip(foreground, p[:, c], strict=True)]
        values.append(lovasz_extension(errors, foreground))
    return sum(values) / len(values)


@pytest.mark.parametrize("smooth", [0.0, 1.0])
@pytest.mark.parametrize("classes", [4, 6])  # two of the six occur nowhere
def test_dice_is_its_equation(smooth: float, classes: int) -> None:
    logits, target = example(classes)
    expected = dice_spec(logits, target, smooth)
    assert float(DiceLoss(smooth)(logits, target)) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [4, 6])
def test_lovasz_is_the_extension_of_the_jaccard_loss(classes: int) -> None:
    logits, target = example(classes)
    expected = lovasz_spec(logits, target)
    assert float(LovaszSoftmaxLoss()(logits, target)) == pytest.approx(expected)


@given(st.integers(0, 10**6), st.integers(2, 5), st.booleans())
def test_hard_predictions_cost_1_minus_the_score(seed: int, classes: int, ignored: bool) -> None:
    generator = torch.Generator().manual_seed(seed)
    target, prediction = torch.randint(0, classes, (2, 2, 3, 4), generator=generator)
    if ignored:
        target[0, :2] = 255
    dice, iou = [], []
    for c in range(classes):
        hit, called, true = counts(prediction, target, c)
        if true:
            dice.append(1 - 2 * hit / (called + true))
            iou.append(1 - hit / (called + true - hit))
    logits = hard(prediction, classes)
    assert float(DiceLoss()(logits, target)) == pytest.approx(sum(dice) / len(dice), abs=1e-12)
    expected = pytest.approx(sum(iou) / len(iou), abs=1e-12)
    assert float(LovaszSoftmaxLoss()(logits, target)) == expected


def test_the_gradient_by_hand() -> None:
    # Foreground pixels 2 of 4, in the order wrong-est first: F B F B.
    # J of 1, 2, 3, 4 wrong ones: 1 - 1/2, 1 - 1/3, 1 - 0/3, 1.
    got = lovasz_gradient(torch.tensor([True, False, True, False]))
    torch.testing.assert_close(got, torch.tensor([1 / 2, 1 / 6, 1 / 3, 0.0]))


@given(st.lists(st.booleans(), min_size=1, max_size=40).filter(any))
def test_the_gradient_is_the_steps_of_the_jaccard_loss(foreground: list[bool]) -> None:
    losses = [jaccard_loss(set(range(i)), foreground) for i in range(len(foreground) + 1)]
    steps = [b - a for a, b in itertools.pairwise(losses)]
    got = lovasz_gradient(torch.tensor(foreground))
    assert got.tolist() == pytest.approx(steps, abs=1e-6)
    assert float(got.sum()) == pytest.approx(1)


def test_the_gradient_keeps_its_digits_among_many_pixels() -> None:
    foreground = torch.rand(400_000, generator=torch.Generator().manual_seed(0)) < 0.3
    exact = lovasz_gradient(foreground, torch.float64)
    torch.testing.assert_close(lovasz_gradient(foreground).double(), exact, rtol=1e-6, atol=0)
    # What subtracting neighbours gives, as the paper's code does: it is why this does not.
    left = foreground.sum() - foreground.cumsum(0)
    jaccard = 1 - left / (foreground.sum() + (~foreground).cumsum(0)).float()
    steps = jaccard.diff().double()
    assert ((steps - exact[1:]).abs() / exact[1:].clamp_min(1e-12)).median() > 1e-3


def test_dice_is_a_peers() -> None:
    """smp's smooth is half of ours, and it divides by all classes, present or not."""
    peer = pytest.importorskip("segmentation_models_pytorch").losses.DiceLoss
    logits, target = example()
    for smooth in (0.0, 1.0):
        theirs = float(peer("multiclass", smooth=smooth / 2, ignore_index=255)(logits, target))
        assert float(DiceLoss(smooth)(logits, target)) == pytest.approx(theirs)
    logits, target = example(6)  # 4 of 6 classes occur
    theirs = float(peer("multiclass", ignore_index=255)(logits, target))
    assert float(DiceLoss()(logits, target)) == pytest.approx(theirs * 6 / 4)


@pytest.mark.parametrize("classes", [4, 6])
def test_lovasz_is_a_peers(classes: int) -> None:
    peer = pytest.importorskip("segmentation_models_pytorch").losses.LovaszLoss
    logits, target = example(classes)
    logits = logits.float()  # its own gradient is in float32 always
    theirs = peer("multiclass", ignore_index=255)(logits, target)
    assert float(LovaszSoftmaxLoss()(logits, target)) == pytest.approx(float(theirs), rel=1e-5)


@pytest.mark.parametrize("margin", [0.0, 2.0, 40.0])  # 2: no pixel is sure, 40: p is 0 or 1
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("classes_at_once", [1, 2, 6])  # on a GPU there are several
def test_lovasz_of_several_classes_at_once_is_the_same(
    margin: float, dtype: torch.dtype, classes_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits, target = example(6)
    true = torch.nn.functional.one_hot(target.where(target != 255, 0), 6).movedim(-1, 1)
    logits = (logits + margin * true).to(dtype).requires_grad_()
    slow = lovasz_unsorted(logits, target)
    monkeypatch.setattr(regions, "_classes_at_once", lambda probabilities: classes_at_once)
    got = LovaszSoftmaxLoss()(logits, target)
    tolerance = {"rtol": 1e-5, "atol": 1e-7}
    torch.testing.assert_close(got, slow, **tolerance)
    slopes = [torch.autograd.grad(value, logits)[0] for value in (got, slow)]
    torch.testing.assert_close(*slopes, **tolerance)


def lovasz_unsorted(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Every pixel's step from how many have a larger error, with a slope."""
    known = target != 255
    p, true = logits.softmax(1).movedim(1, -1)[known], target[known]
    values = []
    for c in sorted(set(true.tolist())):
        foreground = true == c
        errors = torch.where(foreground, 1 - p[:, c], p[:, c])
        ranks = sorted(range(len(errors)), key=lambda i: -float(errors[i].detach()))
        total, wrong, before = errors.sum() * 0, set(), 0.0
        for i in ranks:
            wrong.add(i)
            after = jaccard_loss(wrong, foreground.tolist())
            total, before = total + errors[i] * (after - before), after
        values.append(total)
    return torch.stack(values).mean()


@pytest.mark.parametrize("classes", [1, 3])
def test_what_weighs_nothing_is_not_sorted(classes: int) -> None:
    errors = torch.tensor([[0.1, 0.9, 0.3, 0.2, 0.3, 0.0, 0.7], *[[0.5] * 7] * (classes - 1)])
    true = torch.tensor([[False, False, True, False, False, False, True], *[[False] * 7] * 2])
    order = regions._falling(errors, true[:classes])
    assert order.shape == (classes, 7)  # more than half are left
    errors[0, 1] = 0.25
    order = regions._falling(errors, true[:classes])
    assert order.shape == (classes, 3)
    assert order[0, 0] == 6
    assert set(order[0, 1:].tolist()) == {2, 4}  # equal errors, in any order


def test_a_negative_smooth_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        DiceLoss(-1.0)(*example())
