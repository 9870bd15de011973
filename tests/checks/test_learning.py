"""Modules that should learn alike: what comes out, statistics, and gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor, nn

from coursekit.checks import Check, CheckFailed
from coursekit.checks.learning import learn_alike, train_alike

if TYPE_CHECKING:
    from collections.abc import Callable

X = torch.linspace(-1, 2, 12).reshape(4, 3)


class Part(nn.Module):
    """A layer and a normalisation, called in some way."""

    def __init__(self, way: Callable[[nn.Module, nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.norm, self.way = nn.Linear(3, 2), nn.BatchNorm1d(2), way

    def forward(self, x: Tensor) -> Tensor:
        return self.way(self.layer, self.norm, x)


def right(layer: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
    made: Tensor = norm(layer(x))
    return made


def twice(layer: nn.Module, norm: nn.Module, x: Tensor) -> Tensor:
    norm(layer(x))
    return right(layer, norm, x)


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (lambda layer, norm, x: 2 * norm(layer(x)), "in training something else comes out"),
        (twice, "norm.running_mean has moved otherwise: call each part once"),
    ],
)
def test_what_happens_in_training_alone_is_told(way: Callable[..., Tensor], words: str) -> None:
    got, same = train_alike(Check("part"), Part(right), Part(right), X)
    assert got.equal(same)
    with pytest.raises(CheckFailed, match=words):
        train_alike(Check("part"), Part(way), Part(right), X)


@pytest.mark.parametrize(
    ("way", "words"),
    [
        (lambda layer, norm, x: norm(layer(x)).detach(), "comes out has no gradient"),
        (lambda layer, norm, x: norm(layer(x).detach()), "no gradient reaches x"),
        (lambda layer, norm, x: norm(layer(x) + 3 * (x - x.detach())[:, :2]), "another .* x"),
    ],
)
def test_where_gradients_are_lost_is_told(way: Callable[..., Tensor], words: str) -> None:
    def made(way: Callable[..., Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        part, x = Part(way), X.clone().requires_grad_()
        return part(x), {"x": x, **dict(part.named_parameters())}

    (got, mine), (same, theirs) = made(right), made(right)
    learn_alike(Check("part"), got, same, dict(reversed(mine.items())), theirs)
    (got, mine), (same, theirs) = made(way), made(right)
    with pytest.raises(CheckFailed, match=words):
        learn_alike(Check("part"), got, same, mine, theirs)
