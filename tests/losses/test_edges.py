"""Class-balanced edge losses against loops over pixels."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import pytest
import torch

from coursekit.losses import binary_edge_loss, category_edge_loss

if TYPE_CHECKING:
    from collections.abc import Callable

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def example(channels: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """(2, channels, 5, 6) float64 logits and edges of their shape: 0, few 1, and a row of 255."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(2, channels, 5, 6, generator=generator, dtype=torch.float64)
    edges = (torch.rand(logits.shape, generator=generator) < 0.15).byte()
    edges[0, :, 2] = 255
    return logits, edges


def binary(logits: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
    return binary_edge_loss(logits[:, :2], edges[:, 0])


def balanced(costs: list[tuple[int, float]]) -> float:
    """Σ w·ce / Σ w over (edge or not, cross-entropy), each kind weighted by the other's share."""
    share = sum(edge for edge, _ in costs) / len(costs)
    weight = {1: 1 - share, 0: share}
    return sum(weight[e] * c for e, c in costs) / sum(weight[e] for e, _ in costs)


def test_binary_is_its_equation() -> None:
    logits, edges = example()
    costs = []
    for b, y, x in (edges[:, 0] != 255).nonzero().tolist():
        none, some = logits[b, 0, y, x].item(), logits[b, 1, y, x].item()
        edge = int(edges[b, 0, y, x])
        p = math.exp(some if edge else none) / (math.exp(none) + math.exp(some))
        costs.append((edge, -math.log(p)))
    assert float(binary(logits, edges)) == pytest.approx(balanced(costs))


def test_category_is_its_equation() -> None:
    logits, edges = example()
    costs = []
    for b, c, y, x in (edges != 255).nonzero().tolist():
        p, edge = 1 / (1 + math.exp(-logits[b, c, y, x].item())), int(edges[b, c, y, x])
        costs.append((edge, -math.log(p if edge else 1 - p)))
    assert float(category_edge_loss(logits, edges)) == pytest.approx(balanced(costs))


def test_one_category_with_logits_0_and_x_is_the_binary_loss() -> None:
    logits, edges = example(1)
    pair = torch.cat([torch.zeros_like(logits), logits], 1)
    torch.testing.assert_close(
        category_edge_loss(logits, edges), binary_edge_loss(pair, edges[:, 0])
    )


LOSS = pytest.mark.parametrize("loss", [binary, category_edge_loss])


@LOSS
def test_gradient(loss: Loss) -> None:
    logits, edges = example()
    assert torch.autograd.gradcheck(lambda x: loss(x, edges), logits.requires_grad_())


@LOSS
def test_both_kinds_count_as_much(loss: Loss) -> None:
    logits = torch.zeros(2, 3, 5, 6, dtype=torch.float64, requires_grad=True)
    _, edges = example()
    value = loss(logits, edges)
    assert float(value.detach()) == pytest.approx(math.log(2))
    value.backward()
    channel = slice(1, 2) if loss is binary else slice(None)
    slopes, edges = logits.grad[:, channel], edges[:, :1] if loss is binary else edges
    assert float(slopes[edges == 1].sum()) == pytest.approx(-1 / 4)
    assert float(slopes[edges == 0].sum()) == pytest.approx(1 / 4)
    assert (slopes[edges == 255] == 0).all()


@LOSS
@pytest.mark.parametrize("only", [0, 1, 255])
def test_one_kind_alone_is_0_with_a_gradient_of_0(loss: Loss, only: int) -> None:
    logits, edges = example()
    logits = (1e4 * logits).float().requires_grad_()
    for kinds in ((only,), (only, 255)):
        some = torch.full_like(edges, only)
        some[0, :, 1] = kinds[-1]
        value = loss(logits, some)
        assert float(value.detach()) == 0
        assert (torch.autograd.grad(value, logits)[0] == 0).all()
    assert float(loss(logits[:0], edges[:0]).detach()) == 0


@LOSS
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(loss: Loss, dtype: torch.dtype) -> None:
    logits, edges = example()
    logits = logits.to(dtype)
    got = loss(logits, edges)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, loss(logits.float(), edges))


@LOSS
def test_extreme_logits_give_finite_losses_and_slopes(loss: Loss) -> None:
    logits, edges = example()
    logits = (1e6 * logits).float().requires_grad_()
    value = loss(logits, edges)
    value.backward()
    assert torch.isfinite(value)
    assert torch.isfinite(logits.grad).all()


def test_what_is_certain_and_right_costs_next_to_nothing_but_has_a_slope() -> None:
    """log σ without the rounding of log(1 + exp(…)) far from 0."""
    _, edges = example()
    logits = torch.where(edges == 1, 30.0, -30.0).requires_grad_()
    value = category_edge_loss(logits, edges)
    value.backward()
    assert float(value.detach()) == pytest.approx(math.exp(-30))
    assert (logits.grad[edges != 255] != 0).all()


def test_what_is_no_edge_map_is_refused() -> None:
    logits, edges = example()
    with pytest.raises(ValueError, match=r"edge maps hold 0, 1 and 255, not \[2, 7\]"):
        category_edge_loss(
            logits, torch.where(edges == 1, 7, edges).index_fill(3, torch.tensor([0]), 2)
        )
    with pytest.raises(ValueError, match=r"not \[2\]; make them with binary_edges"):
        binary(logits, 2 * edges.clamp_max(1))
    # In the tests the annotations refuse these first.
    with pytest.raises(ValueError, match=r"category edges of that shape, not \(2, 5, 6\)"):
        inspect.unwrap(category_edge_loss)(logits, edges[:, 0])
    with pytest.raises(ValueError, match=r"need binary edges of shape \(2, 5, 6\)"):
        inspect.unwrap(binary_edge_loss)(logits[:, :2], edges)
    with pytest.raises(ValueError, match="2 channels"):
        inspect.unwrap(binary_edge_loss)(logits, edges[:, 0])
