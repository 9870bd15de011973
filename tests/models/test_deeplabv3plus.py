"""DeepLabV3+, layer by layer."""

from __future__ import annotations

import torch
from torch import nn

from coursekit import count_parameters, create_model
from tests.models.contract import ModelContract, output_shapes


class TestDeepLabV3Plus(ModelContract):
    name = "deeplabv3plus"
    parameters = 1_964_394
    small = {  # noqa: RUF012
        "stages": ((4, 8), (8, 8), (8, 16)), "aspp": 8, "low_level": 4, "decoder": 8,
    }  # fmt: skip


def test_shapes_of_the_boxes() -> None:
    shapes = output_shapes(create_model("deeplabv3plus"), torch.zeros(1, 3, 64, 128))
    assert shapes["encoder.0"] == (64, 32, 64)
    assert shapes["encoder.1"] == (128, 16, 32)
    assert shapes["encoder.2"] == (256, 8, 16)
    assert [shapes[f"aspp.branches.{i}"] for i in range(5)] == [(128, 8, 16)] * 5
    assert shapes["aspp"] == (128, 8, 16)
    assert shapes["decoder.low_level"] == (32, 32, 64)
    assert shapes["decoder.refine.0"] == shapes["decoder.refine"] == (64, 32, 64)
    assert shapes["decoder"] == (19, 32, 64)
    assert shapes["up"] == (19, 64, 128)


def test_the_report_s_count_part_by_part() -> None:
    model = create_model("deeplabv3plus")
    parts = {name: count_parameters(part) for name, part in model.named_children()}
    assert parts == {
        "encoder": 19_584 + 111_168 + 664_896,
        "aspp": 33_152 + 3 * 295_296 + 33_152 + 82_304,
        "decoder": 2_144 + 92_352 + 37_056 + 1_235,
        "up": 1_463,
    }


def test_the_pyramid_samples_at_its_rates() -> None:
    branches = create_model("deeplabv3plus").aspp.branches
    convolutions = [next(m for m in b.modules() if isinstance(m, nn.Conv2d)) for b in branches]
    assert [c.kernel_size[0] for c in convolutions] == [1, 3, 3, 3, 1]
    assert [c.dilation[0] for c in convolutions] == [1, 6, 12, 18, 1]


def test_the_pooling_branch_says_the_same_everywhere() -> None:
    torch.manual_seed(0)
    pooling = create_model("deeplabv3plus").eval().aspp.branches[4]
    with torch.no_grad():
        out = pooling(torch.randn(2, 256, 5, 7))
    assert torch.equal(out, out[..., :1, :1].expand_as(out))


def test_a_configuration_within_the_limit_of_2025() -> None:
    assert count_parameters(create_model("deeplabv3plus", aspp=112)) == 1_816_906 < 1_821_085
