"""KL(teacher ‖ student) against loops, torch and what it must be."""

from __future__ import annotations

import inspect
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from coursekit.losses import distillation_loss

INDEPENDENT = pytest.mark.parametrize("independent", [False, True])


def example(seed: int = 0, scale: float = 2.0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(2, 4, 6, 7) float64 logits of a student and a teacher, and which pixels count."""
    generator = torch.Generator().manual_seed(seed)
    shape = (2, 2, 4, 6, 7)
    student, teacher = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
    return student, teacher, torch.rand(2, 6, 7, generator=generator) < 0.8


def softmax(scores: list[float]) -> list[float]:
    parts = [math.exp(s) for s in scores]
    return [p / sum(parts) for p in parts]


def kl(p: list[float], q: list[float]) -> float:
    return sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))


def spec(
    student: torch.Tensor, teacher: torch.Tensor, valid: torch.Tensor, independent: bool
) -> float:
    values = []
    for b, y, x in valid.nonzero().tolist():
        t, s = teacher[b, :, y, x].tolist(), student[b, :, y, x].tolist()
        if independent:
            each = [kl(softmax([0.0, u]), softmax([0.0, v])) for u, v in zip(t, s, strict=True)]
            values.append(sum(each) / len(each))
        else:
            values.append(kl(softmax(t), softmax(s)))
    return sum(values) / len(values)


@INDEPENDENT
def test_it_is_its_equation(independent: bool) -> None:
    student, teacher, valid = example()
    got = distillation_loss(student, teacher, valid, independent=independent)
    assert float(got) == pytest.approx(spec(student, teacher, valid, independent))
    got = distillation_loss(student, teacher, independent=independent)
    everywhere = torch.ones_like(valid)
    assert float(got) == pytest.approx(spec(student, teacher, everywhere, independent))


def test_it_is_torchs() -> None:
    student, teacher, _ = example()
    theirs = F.kl_div(student.log_softmax(1), teacher.log_softmax(1), log_target=True,
                      reduction="sum")  # fmt: skip
    torch.testing.assert_close(distillation_loss(student, teacher), theirs / (2 * 6 * 7))


def test_one_sigmoid_is_a_softmax_over_0_and_x() -> None:
    student, teacher, valid = example()
    student, teacher = student[:, :1], teacher[:, :1]
    pair = [torch.cat([torch.zeros_like(x), x], 1) for x in (student, teacher)]
    got = distillation_loss(student, teacher, valid, independent=True)
    torch.testing.assert_close(got, distillation_loss(*pair, valid))


@INDEPENDENT
def test_gradient(independent: bool) -> None:
    student, teacher, valid = example()
    student.requires_grad_()
    teacher.requires_grad_()

    def loss(x: torch.Tensor) -> torch.Tensor:
        return distillation_loss(x, teacher.detach(), valid, independent=independent)

    assert torch.autograd.gradcheck(loss, student)
    value = distillation_loss(student, teacher, valid, independent=independent)
    slope, none = torch.autograd.grad(value, [student, teacher], allow_unused=True)
    assert none is None
    q, p = (x.sigmoid() / 4 if independent else x.softmax(1) for x in (student, teacher))
    torch.testing.assert_close(slope, (q - p) * valid[:, None] / valid.sum())


@INDEPENDENT
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.0, 1.0, 30.0, 1e4, 1e30]))
def test_it_is_0_with_a_gradient_of_0_where_both_agree(
    independent: bool, seed: int, scale: float
) -> None:
    student = example(seed, scale)[0].float().requires_grad_()
    value = distillation_loss(student, student, independent=independent)
    value.backward()
    assert float(value.detach()) == 0
    torch.testing.assert_close(student.grad, torch.zeros_like(student), rtol=0, atol=1e-8)


@INDEPENDENT
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([1.0, 30.0, 1e4, 1e30]),
    apart=st.sampled_from([1e-7, 1e-4, 1.0]),
)
def test_it_is_never_below_0_and_always_finite(
    independent: bool, seed: int, scale: float, apart: float
) -> None:
    student, teacher, valid = example(seed, scale)
    near = (apart * student + (1 - apart) * teacher).float().requires_grad_()
    value = distillation_loss(near, teacher.float(), valid, independent=independent)
    value.backward()
    assert float(value.detach()) >= 0
    assert torch.isfinite(value)
    assert torch.isfinite(near.grad).all()


@INDEPENDENT
def test_a_gradient_stands_where_rounding_leaves_less_than_0(independent: bool) -> None:
    below = 0
    for seed in range(40):
        student, teacher, _ = example(seed)
        near = (teacher + 1e-5 * student).float().requires_grad_()
        value = distillation_loss(near, teacher.float(), independent=independent)
        value.backward()
        below += float(value.detach()) == 0
        assert near.grad.abs().max() > 1e-9
    assert below > 0


@INDEPENDENT
def test_pixels_that_do_not_count_are_as_if_they_were_not_there(independent: bool) -> None:
    student, teacher, valid = example()
    student.requires_grad_()
    expected = distillation_loss(
        student.movedim(1, -1)[valid].T.reshape(1, 4, 1, -1),
        teacher.movedim(1, -1)[valid].T.reshape(1, 4, 1, -1),
        independent=independent,
    )
    got = distillation_loss(student, teacher, valid, independent=independent)
    torch.testing.assert_close(got, expected)
    none = distillation_loss(student, teacher, torch.zeros_like(valid), independent=independent)
    assert float(none.detach()) == 0
    assert (torch.autograd.grad(none, student)[0] == 0).all()
    empty = distillation_loss(student[:0], teacher[:0], independent=independent)
    assert float(empty.detach()) == 0


@INDEPENDENT
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(independent: bool, dtype: torch.dtype) -> None:
    student, teacher, valid = example()
    student, teacher = student.to(dtype), teacher.to(dtype)
    got = distillation_loss(student, teacher, valid, independent=independent)
    assert got.dtype == torch.float32
    expected = distillation_loss(student.float(), teacher.float(), valid, independent=independent)
    torch.testing.assert_close(got, expected)


def test_shapes_that_differ_are_refused() -> None:
    """In the tests the annotations refuse these first."""
    student, teacher, valid = example()
    loss = inspect.unwrap(distillation_loss)
    for wrong in (teacher[:1], teacher[:, 1:], teacher[..., 0], teacher[:, :1]):
        with pytest.raises(ValueError, match="the student's logits have shape"):
            loss(student, wrong)
    for wrong in (valid[:1], valid[:, None], valid[0]):
        with pytest.raises(ValueError, match=r"need a mask of shape \(2, 6, 7\)"):
            loss(student, teacher, wrong)
    with pytest.raises(ValueError, match=r"target != 255"):
        loss(student, teacher, valid.long())
