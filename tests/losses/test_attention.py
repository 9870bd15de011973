"""Dual edge attention: Eq. 3 and 4 against loops over pixels."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.losses import (
    binary_edge_attention,
    binary_edges,
    category_edge_attention,
    category_edges,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

WEIGHTS = torch.tensor([0.5, 1.0, 0.0, 4.0])


def example(seed: int = 0, images: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """(images, 4, 6, 7) float64 logits and a target: the second image has one label alone."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(images, 4, 6, 7, generator=generator, dtype=torch.float64)
    target = torch.randint(0, 3, (images, 6, 7), generator=generator)  # class 3 occurs nowhere
    target[:, 3:] = target[:, 3:4, :1]
    target[1:2] = 2
    target[torch.rand(target.shape, generator=generator) < 0.1] = 255
    return logits, target


def cost(logits: torch.Tensor, target: torch.Tensor, i: int, y: int, x: int) -> float:
    """L_i^p at a pixel."""
    label = int(target[i, y, x])
    if label == 255:
        return 0.0
    scores = logits[i, :, y, x].tolist()
    return math.log(sum(math.exp(s) for s in scores)) - scores[label]


def equation_3(logits: torch.Tensor, target: torch.Tensor, edges: torch.Tensor) -> float:
    total = 0.0
    for i in range(len(logits)):
        pixels = ((edges[i] == 1) & (target[i] != 255)).nonzero().tolist()
        if pixels:
            total += sum(cost(logits, target, i, y, x) for y, x in pixels) / len(pixels)
    return total / len(logits)


def equation_4(
    logits: torch.Tensor, target: torch.Tensor, edges: torch.Tensor, weights: list[float]
) -> float:
    total, classes = 0.0, logits.shape[1]
    for j in range(classes):
        total += weights[j] * equation_3(logits, target, edges[:, j])
    return total / classes


@given(st.integers(0, 10**6), st.sampled_from(["both", "inner"]), st.integers(1, 2))
def test_equations(seed: int, sides: str, width: int) -> None:
    logits, target = example(seed)
    edges = binary_edges(target, sides=sides, width=width)
    got = binary_edge_attention(logits, target, edges)
    assert float(got) == pytest.approx(equation_3(logits, target, edges))
    edges = category_edges(target, 4, sides=sides, width=width)
    got = category_edge_attention(logits, target, edges)
    assert float(got) == pytest.approx(equation_4(logits, target, edges, [1.0] * 4))
    got = category_edge_attention(logits, target, edges, WEIGHTS)
    assert float(got) == pytest.approx(equation_4(logits, target, edges, WEIGHTS.tolist()))


def test_any_edge_map_will_do() -> None:
    """Edges of another source: on ignored pixels too, and 7 where no one knows why."""
    logits, target = example()
    edges = torch.randint(0, 2, (3, 4, 6, 7), generator=torch.Generator().manual_seed(1)).byte()
    edges[0, :, 5] = 7
    got = binary_edge_attention(logits, target, edges[:, 0])
    assert float(got) == pytest.approx(equation_3(logits, target, edges[:, 0]))
    got = category_edge_attention(logits, target, edges, WEIGHTS)
    assert float(got) == pytest.approx(equation_4(logits, target, edges, WEIGHTS.tolist()))


def binary(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return binary_edge_attention(logits, target, binary_edges(target))


def category(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return category_edge_attention(logits, target, category_edges(target, 4), WEIGHTS)


LOSS = pytest.mark.parametrize("loss", [binary, category])


@LOSS
def test_gradient(loss: Loss) -> None:
    logits, target = example(images=2)
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, target), logits)
    (slope,) = torch.autograd.grad(loss(logits, target), logits)
    edge = (binary_edges(target) == 1)[:, None]
    assert (slope[~edge.expand_as(slope)] == 0).all()
    assert slope[edge.expand_as(slope)].count_nonzero() > 50


@LOSS
@pytest.mark.parametrize("label", [0, 3, 255])
def test_no_edge_is_0_with_a_gradient_of_0(loss: Loss, label: int) -> None:
    logits = (1e4 * torch.randn(2, 4, 6, 7)).requires_grad_()
    value = loss(logits, torch.full((2, 6, 7), label))
    value.backward()
    assert float(value.detach()) == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))
    value = loss(logits[:0], torch.zeros(0, 6, 7, dtype=torch.uint8))
    assert float(value.detach()) == 0


@LOSS
def test_an_image_without_edges_still_counts_among_n(loss: Loss) -> None:
    logits, target = example(images=1)
    more = torch.cat([target, torch.full_like(target, 255)])
    got = loss(torch.cat([logits, logits]), more)
    torch.testing.assert_close(got, loss(logits, target) / 2)


def test_the_edge_of_a_small_class_counts_as_much_as_that_of_a_large_one() -> None:
    target = torch.zeros(1, 9, 30, dtype=torch.long)
    target[0, 2:7, 2:20] = 1
    target[0, 4, 25] = 2
    edges = category_edges(target, 3, sides="inner")
    logits = torch.zeros(1, 3, 9, 30, requires_grad=True)
    loss = category_edge_attention(logits, target, edges)
    assert float(loss.detach()) == pytest.approx(math.log(3))  # of all three edges the same
    loss.backward()
    drawn = [float(logits.grad[0, c][target[0] == c].sum()) for c in range(3)]
    assert drawn == pytest.approx([-2 / 9] * 3)


@LOSS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss: Loss, dtype: torch.dtype) -> None:
    logits, target = example()
    logits = logits.to(dtype).requires_grad_()
    got = loss(logits, target)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, loss(logits.float(), target))
    (slope,) = torch.autograd.grad(got, logits)
    assert slope.dtype == dtype
    assert torch.isfinite(slope).all()


@LOSS
def test_ids_may_be_bytes_and_logits_extreme(loss: Loss) -> None:
    logits, target = example()
    torch.testing.assert_close(loss(logits, target.byte()), loss(logits, target))
    large = (1e6 * logits).float().requires_grad_()
    value = loss(large, target)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(large.grad).all()


@LOSS
def test_what_is_not_on_an_edge_is_never_looked_at(loss: Loss) -> None:
    """Nor kept for backward: at 28 images of 473² all logits are half a gigabyte."""
    target = torch.zeros(2, 100, 100, dtype=torch.uint8)
    target[:, 40:60, 40:60] = 3
    edge = binary_edges(target) == 1
    logits = torch.full((2, 4, 100, 100), torch.nan)
    logits = torch.where(edge[:, None], 0.0, logits).requires_grad_()
    kept: list[torch.Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        value = loss(logits, target)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()
    assert sum(t.untyped_storage().nbytes() for t in kept) < logits.nbytes / 4


@LOSS
@pytest.mark.parametrize("wrong", [-1, 4, 254])
def test_ids_outside_the_classes_are_refused(loss: Loss, wrong: int) -> None:
    logits, target = example()
    edges = torch.ones(3, 4, 6, 7, dtype=torch.uint8)
    target[0, 0, 0] = wrong
    with pytest.raises(ValueError, match=r"need ids in \[0, 3\] or 255"):
        if loss is binary:
            binary_edge_attention(logits, target, edges[:, 0])
        else:
            category_edge_attention(logits, target, edges)


def test_shapes_that_differ_are_refused() -> None:
    """In the tests the annotations refuse these first."""
    logits, target = example()
    binary_, category_ = (
        inspect.unwrap(binary_edge_attention),
        inspect.unwrap(category_edge_attention),
    )
    edges = category_edges(target, 4)
    for wrong in (target[:1], target[:, :3], target[:, None]):
        with pytest.raises(ValueError, match=r"need a target of shape \(3, 6, 7\)"):
            binary_(logits, wrong, edges[:, 0])
        with pytest.raises(ValueError, match=r"need a target of shape \(3, 6, 7\)"):
            category_(logits, wrong, edges)
    with pytest.raises(ValueError, match=r"need binary edges of shape \(3, 6, 7\)"):
        binary_(logits, target, edges)
    with pytest.raises(ValueError, match=r"category edges of that shape, not \(3, 3, 6, 7\)"):
        category_(logits, target, edges[:, 1:])
    with pytest.raises(ValueError, match=r"weights of shape \(4,\), not \(3,\)"):
        category_(logits, target, edges, WEIGHTS[1:])
