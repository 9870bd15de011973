"""What lesson 12 builds in the open and the package's BSPNet are the same thing."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from coursekit import losses
from coursekit.models.bspnet import FusionBranch
from tests.lessons.twins import answers


@pytest.fixture(name="mine")
def fixture_mine() -> dict[str, Any]:
    return answers("12_bspnet")


@pytest.fixture(name="maps")
def fixture_maps() -> torch.Tensor:
    maps = torch.randint(0, 11, (2, 5, 6), generator=torch.manual_seed(0))
    maps = maps.repeat_interleave(3, 1).repeat_interleave(2, 2)
    maps[0, :2], maps[1, 5:8, 3:6], maps[1, 9] = 255, 255, 4
    return maps


def test_the_boundaries(mine: dict[str, Any], maps: torch.Tensor) -> None:
    assert mine["boundary"](maps).equal(losses.binary_edges(maps))


def test_the_fusion(mine: dict[str, Any]) -> None:
    one, other = mine["FusionBranch"](7, 5, 4, 6), FusionBranch(7, 5, 4, 6, "inplace")
    assert list(one.state_dict()) == list(other.state_dict())
    other.load_state_dict(one.state_dict())
    edges = [torch.randn(2, 5, *size) for size in ((9, 8), (5, 4), (3, 2))]
    context = torch.randn(2, 7, 3, 2)
    torch.testing.assert_close(one(edges, context), other(edges, context), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("alpha", [200.0, 0.0])
def test_the_loss(mine: dict[str, Any], maps: torch.Tensor, alpha: float) -> None:
    logits, edges = torch.randn(2, 11, 15, 12), losses.binary_edges(maps)
    total, n = losses.boundary_weighted_cross_entropy(logits, maps, edges, alpha)
    torch.testing.assert_close(mine["fusion_loss"](logits, maps, edges, alpha), total / n)
