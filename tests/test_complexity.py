"""Costs against a pencil."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from coursekit import create_model
from coursekit.complexity import (
    Largest,
    PartCost,
    cost_table,
    hooked_operations,
    kept_bytes,
    measure,
    multiply_accumulates,
    part_costs,
    seconds_of,
)
from coursekit.errors import CourseError
from coursekit.models.abn import ABN


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), 3 * 8 * 9 * 100),
        (nn.Conv2d(3, 8, 3, stride=2, padding=1), 3 * 8 * 9 * 25),
        (nn.Conv2d(3, 6, 3, padding=1, groups=3), 6 * 9 * 100),
        (nn.Conv2d(3, 4, 3, padding=2, dilation=2), 3 * 4 * 9 * 100),
        (nn.ConvTranspose2d(3, 5, 2, stride=2), 3 * 5 * 4 * 100),
        (nn.Sequential(nn.Flatten(), nn.Linear(300, 7)), 2100),
        (nn.Sequential(nn.BatchNorm2d(3), nn.ReLU()), 0),
    ],
)
def test_products_of_each_part(part: nn.Module, expected: int) -> None:
    assert multiply_accumulates(part, 10) == expected


@pytest.mark.parametrize("name", ["unet", "deeplabv3plus", "fastscnn", "segformer", "dml_csr"])
def test_what_is_not_counted_changes_no_count(name: str) -> None:
    with torch.device("meta"):
        model = create_model(name).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, 64, 64, device="meta"))
    assert multiply_accumulates(model, 64) == counter.get_total_flops() // 2


class Halves(nn.Module):
    """Two convolutions, the second of which is called twice, and a product that is nobody's."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.then = nn.Sequential(nn.Conv2d(4, 4, 1, bias=False), nn.ReLU())
        self.mixed = nn.Parameter(torch.zeros(10, 10))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return self.then(self.then(self.first(image))) @ self.mixed


def test_costs_by_part() -> None:
    model = Halves()
    costs = part_costs(model, 10)
    products = {"first": 3 * 4 * 9 * 100, "then": 2 * 16 * 100, "elsewhere": 4 * 1000}
    held = {"first": 3 * 4 * 9 + 4, "then": 16, "elsewhere": 100}
    whole = sum(products.values())
    assert whole == multiply_accumulates(model, 10)
    assert costs == {
        name: PartCost(held[name], done, held[name] / 228, done / whole)
        for name, done in products.items()
    }
    assert [line.split()[0] for line in cost_table(model, 10).splitlines()] == [*costs, "together"]


def test_what_parts_share_is_each_one_s() -> None:
    shared = nn.Conv2d(3, 3, 1)
    model = nn.Sequential(nn.Sequential(shared), nn.Sequential(shared, nn.ReLU()))
    costs = part_costs(model, 4)
    assert {name: cost.parameters for name, cost in costs.items()} == {"0": 12, "1": 12}


def test_costs_by_part_of_the_networks_of_the_course() -> None:
    for name in ("deeplabv3plus", "fastscnn", "unet"):
        model = create_model(name)
        costs = part_costs(model, 64)
        assert list(costs) == [part for part, _ in model.named_children()]
        assert [part for part, c in costs.items() if not c.multiply_accumulates] in ([], ["pool"])
        assert sum(c.multiply_accumulates for c in costs.values()) == multiply_accumulates(
            model, 64
        )
        assert sum(c.parameter_share for c in costs.values()) == pytest.approx(1)
    assert part_costs(nn.Conv2d(3, 2, 1), 4) == {"elsewhere": PartCost(8, 96, 1.0, 1.0)}


def test_attention_counts_both_products() -> None:
    class Attend(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = x.flatten(2).transpose(1, 2)[:, None]  # (B, 1 head, N, 3)
            return nn.functional.scaled_dot_product_attention(tokens, tokens, tokens)

    assert multiply_accumulates(Attend(), 8) == 2 * 64 * 64 * 3


def test_the_networks_of_the_course() -> None:
    # U-Net by hand: two 3×3 convolutions a level, a 2×2 transposed one on the way up, the head.
    widths, side = (16, 32, 64, 128, 256), 64
    products, channels = 16 * 19 * side**2, 3
    for level, width in enumerate(widths):
        pixels = (side >> level) ** 2
        products += (channels + width) * width * 9 * pixels
        if level < 4:
            products += 3 * width * width * 9 * pixels + 2 * width * width * 4 * pixels // 4
        channels = width
    model = create_model("unet")
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert multiply_accumulates(model, side) == products
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_operations_that_hooks_see() -> None:
    class Network(nn.Sequential):
        def heads(self, image: torch.Tensor) -> torch.Tensor:
            return self[-1](self(image))

    model = Network()
    model.add_module("encoder", nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), ABN(4), ABN(4, 1.0)))
    model.add_module("pool", nn.MaxPool2d(3, 2, 1))
    model.add_module("last", nn.Sequential(nn.Conv2d(4, 4, 1, bias=False), ABN(4)))
    encoder = 4 * 25 * (3 * 9 + 1) + 4 * 25  # products, biases; one ReLU, the other ABN has none
    rest = 4 * 25 + 4 * 4 * 9  # what the pooling takes, and a convolution at 3 × 3
    assert hooked_operations(model, 10) == encoder + rest
    assert hooked_operations(model, 10, heads=True) == encoder + rest + 4 * 4 * 9


def test_what_is_kept() -> None:
    # ReLU keeps its result, and the second convolution keeps the same tensor as its input.
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 2, 1))
    assert kept_bytes(model, torch.zeros(2, 3, 10, 10)) == 2 * 4 * 100 * 4


def test_a_matrix_of_attention_is_seen() -> None:
    class Written(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x @ x.transpose(1, 2)).softmax(2) @ x

    tokens = torch.zeros(1, 256, 8, requires_grad=True)
    assert kept_bytes(Written(), tokens) >= 256 * 256 * 4


def test_the_largest_tensor_and_the_steps() -> None:
    with Largest() as largest:
        (torch.ones(3, 5) @ torch.ones(5, 4)).sum()
    assert (largest.numbers, largest.steps) == (20, 4)


def test_everything_is_measured_and_nothing_is_left_behind() -> None:
    model = create_model("fastscnn").train()
    model.feature_fusion.high[1].eval()  # a frozen normalisation stays one
    before = {k: v.clone() for k, v in model.state_dict().items()}
    cost = measure(model, 32, rounds=2)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert not model.feature_fusion.high[1].training
    assert cost.parameters == 1_154_435
    assert min(cost.multiply_accumulates, cost.kept_bytes) > 0
    assert 0 < cost.seconds < math.inf and 0 < cost.training_seconds < math.inf
    assert model.training
    assert all(p.grad is None for p in model.parameters())


def test_half_precision_is_measured() -> None:
    model = nn.Conv2d(3, 4, 1).to(torch.bfloat16)
    assert measure(model, 8, rounds=1).multiply_accumulates == 3 * 4 * 64
    with pytest.raises(CourseError, match="rounds is 0"):
        measure(model, 8, rounds=0)


def test_seconds() -> None:
    assert seconds_of(lambda: None) >= 0
