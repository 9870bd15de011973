"""BSPNet's losses against loops over pixels."""

from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch

from coursekit.losses import (
    balanced_boundary_loss,
    binary_edge_loss,
    binary_edges,
    boundary_weighted_cross_entropy,
)
from tests.losses.examples import example


def blocks(seed: int = 0) -> torch.Tensor:
    """(2, 9, 12) labels of 4 classes in blocks of 3², a row of them ignored."""
    draw = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 4, (2, 3, 4), generator=draw)
    target = target.repeat_interleave(3, 1).repeat_interleave(3, 2)
    target[0, 4] = 255
    return target


def logits_of(target: torch.Tensor, channels: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    shape = (len(target), channels, *target.shape[1:])
    return 3 * torch.randn(shape, generator=draw, dtype=torch.float64)


def minus_log_p(logits: torch.Tensor, b: int, y: int, x: int, label: int) -> float:
    scores = [math.exp(v) for v in logits[b, :, y, x].tolist()]
    return -math.log(scores[label] / sum(scores))


def test_a_boundary_is_where_the_label_map_has_a_gradient() -> None:
    """Forward or backward differences; NumPy's central ones agree but on lines a pixel thin."""
    thick = blocks()[1].numpy()
    edges = binary_edges(torch.from_numpy(thick)[None])[0].numpy() == 1
    one_sided = np.zeros_like(edges)
    for axis in (0, 1):
        step = np.diff(thick, axis=axis) != 0
        ahead, behind = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
        ahead[axis], behind[axis] = (0, 1), (1, 0)
        one_sided |= np.pad(step, ahead) | np.pad(step, behind)
    assert (edges == one_sided).all()
    central = np.any([g != 0 for g in np.gradient(thick.astype(float))], axis=0)
    assert (edges == central).all()
    thin = np.zeros((5, 5), int)
    thin[2] = 1
    found = binary_edges(torch.from_numpy(thin)[None])[0].numpy() == 1
    assert found[2].all() and not np.gradient(thin.astype(float))[0][2].any()
    beside = np.where(thin, 255, 0)  # what is ignored makes no boundary, as bytes would
    assert np.gradient(beside.astype(float))[0].any()
    assert not (binary_edges(torch.from_numpy(beside)[None]) == 1).any()


@pytest.mark.parametrize("alpha", [0.0, 200.0])
def test_eq_4_is_a_loop_over_pixels(alpha: float) -> None:
    target = blocks()
    logits, edges = logits_of(target, 4), binary_edges(target)
    cost = n = 0.0
    for b, y, x in (target != 255).nonzero().tolist():
        w = 1 + alpha if edges[b, y, x] == 1 else 1
        cost += w * minus_log_p(logits, b, y, x, int(target[b, y, x]))
        n += 1
    total, mass = boundary_weighted_cross_entropy(logits, target, edges, alpha)
    assert float(total) == pytest.approx(cost) and float(mass) == n
    if not alpha:  # Eq. 2
        plain = torch.nn.functional.cross_entropy(logits, target, ignore_index=255)
        torch.testing.assert_close(total / mass, plain)


def test_eq_3_is_a_loop_over_pixels_and_the_mean_of_dml_csr() -> None:
    target = blocks()
    logits, edges = logits_of(target, 2), binary_edges(target)
    known = (edges != 255).nonzero().tolist()
    some = sum(int(edges[b, y, x]) for b, y, x in known)
    share = {1: 1 - some / len(known), 0: some / len(known)}  # of the other kind
    cost = weights = by_n = 0.0
    for b, y, x in known:
        kind = int(edges[b, y, x])
        ce = minus_log_p(logits, b, y, x, kind)
        cost, weights = cost + share[kind] * ce, weights + share[kind]
        by_n += share[kind] * ce / len(known)
    total, mass = balanced_boundary_loss(logits, edges)
    loss = float((total / mass).sum())
    assert loss == pytest.approx(cost / weights)
    torch.testing.assert_close((total / mass).sum(), binary_edge_loss(logits, edges))
    assert mass.tolist() == [len(known) - some, some]
    # Divided by N, as Eq. 3 stands, it is 2·n₀·n₁/N² times as large.
    assert by_n == pytest.approx(2 * share[0] * share[1] * loss)


def test_parts_of_a_batch_add_up() -> None:
    target = blocks()
    for channels, loss in (
        (2, lambda x, t, e: balanced_boundary_loss(x, e)),
        (4, boundary_weighted_cross_entropy),
    ):
        logits, edges = logits_of(target, channels), binary_edges(target)
        whole = loss(logits, target, edges)
        parts = [loss(logits[i : i + 1], target[i : i + 1], edges[i : i + 1]) for i in (0, 1)]
        for kind in (0, 1):
            torch.testing.assert_close(parts[0][kind] + parts[1][kind], whole[kind])


def test_gradients() -> None:
    target = blocks()[:, 1:6, 1:5]
    edges = binary_edges(target)
    two, four = (logits_of(target, c).requires_grad_() for c in (2, 4))
    assert torch.autograd.gradcheck(lambda x: balanced_boundary_loss(x, edges)[0], two)
    assert torch.autograd.gradcheck(
        lambda x: boundary_weighted_cross_entropy(x, target, edges, 3.0)[0], four
    )


@pytest.mark.parametrize("only", [0, 1, 255])
def test_a_kind_that_does_not_occur_is_0_with_a_finite_slope(only: int) -> None:
    edges = torch.full((2, 4, 5), only, dtype=torch.uint8)
    logits = (1e4 * logits_of(edges.long(), 2)).float().requires_grad_()
    total, mass = balanced_boundary_loss(logits, edges)
    total.sum().backward()
    assert logits.grad is not None and logits.grad.isfinite().all()
    for kind in (0, 1):
        assert bool(mass[kind] > 0) == bool(total[kind] > 0) == (kind == only)
    target = torch.full((2, 4, 5), 255 if only == 255 else 1)
    cost, pixels = boundary_weighted_cross_entropy(logits, target, edges)
    assert cost.isfinite() and float(pixels) == (0 if only == 255 else 40)
    if only == 255:
        assert not logits.grad.any() and float(cost.detach()) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    logits, target = example()
    edges = binary_edges(target)
    half = logits.to(dtype)
    got = boundary_weighted_cross_entropy(half, target, edges)
    torch.testing.assert_close(got, boundary_weighted_cross_entropy(half.float(), target, edges))
    found = balanced_boundary_loss(half[:, :2], edges)
    torch.testing.assert_close(found, balanced_boundary_loss(half[:, :2].float(), edges))
    assert got[0].dtype == found[0].dtype == torch.float32


def test_what_does_not_fit_is_told() -> None:
    logits, target = example()
    edges = binary_edges(target)
    for wrong in (-1.0, math.nan):
        with pytest.raises(ValueError, match="alpha is .*; it must be at least 0"):
            boundary_weighted_cross_entropy(logits, target, edges, wrong)
    with pytest.raises(ValueError, match="2 channels"):
        inspect.unwrap(balanced_boundary_loss)(logits, edges)
    with pytest.raises(ValueError, match=r"not \[7\]; make them with binary_edges"):
        balanced_boundary_loss(logits[:, :2], torch.where(edges == 1, 7, edges))
    with pytest.raises(ValueError, match=r"need edges of shape \(2, 5, 6\)"):
        inspect.unwrap(boundary_weighted_cross_entropy)(logits, target, edges[:1])
