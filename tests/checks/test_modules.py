"""How modules differ, in words."""

from __future__ import annotations

import torch
from torch import nn

from coursekit.checks.mistakes.apart import way_apart
from coursekit.checks.mistakes.modules import unlike


def block(gives: int = 4, takes: int = 3, kernel: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(takes, gives, kernel, bias=False), nn.BatchNorm2d(gives))


def test_modules_alike_differ_in_nothing() -> None:
    assert unlike(block(), block()) == ""


def test_the_first_difference_is_told() -> None:
    assert unlike(block(gives=5), block()) == "0 gives 5 channels, expected: 4"
    assert unlike(block(takes=2), block()) == "0 takes 2 channels, expected: 3"
    assert unlike(block(kernel=3), block()) == "0 has a kernel of 3 × 3, expected: 1 × 1"
    assert (
        unlike(nn.Linear(2, 3), nn.Linear(4, 3)) == "weight has the shape (3, 2), expected: (3, 4)"
    )
    assert unlike(block()[:1], block()) == "there is no 1.weight"
    assert unlike(nn.ModuleDict({"a": block()}), block()) == "there is no 0.weight, but a.0.weight"
    assert unlike(block().append(nn.Linear(1, 1)), block()) == "2.weight is one too many"


class Two(nn.Module):
    """Two layers, called by the name of what they take."""

    def __init__(self, turned: bool) -> None:
        super().__init__()
        self.first, self.then, self.turned = nn.Linear(2, 2), nn.Linear(2, 2), turned

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.then(input=self.first(input=x.flip(-1) if self.turned else x))
        return result


def test_what_a_part_gets_by_name_is_seen() -> None:
    mine, twin, x = Two(True), Two(False), torch.tensor([[1.0, 2.0]])
    mine.load_state_dict(twin.state_dict())
    told = way_apart(
        mine, twin, lambda network: network(x), {"first": "x", "then": "what it gives"}
    )
    assert told == "up to `first` something is different: it should get x"
    assert way_apart(twin, twin, lambda network: network(x), {"first": "x"}) == ""
