"""The landmark network: one stack, depth 4, 106 heatmaps."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch

from coursekit import count_parameters, create_model
from coursekit.models.heatmaps import read_centres
from tests.models.contract import ModelContract, output_shapes


class TestHourglass(ModelContract):
    name = "hourglass"
    parameters = 3_449_578
    small: ClassVar[dict[str, Any]] = {"width": 16, "stem": (8, 8)}
    channels = 106
    stride = 4


def test_sizes_within_are_the_paper_s() -> None:
    shapes = output_shapes(create_model("hourglass"), torch.zeros(1, 3, 64, 64))
    expected = {
        "stem.0": (64, 32, 32), "stem.3": (128, 32, 32), "stem.4": (128, 16, 16),
        "stem": (256, 16, 16), "hourglass.keep": (256, 16, 16), "hourglass.down": (256, 8, 8),
        "hourglass.inner.down": (256, 4, 4), "hourglass.inner.inner.down": (256, 2, 2),
        "hourglass.inner.inner.inner.inner": (256, 1, 1), "hourglass": (256, 16, 16),
        "head": (106, 16, 16), "hourglass.keep.body.2": (128, 16, 16),
    }  # fmt: skip
    assert {name: shapes[name] for name in expected} == expected


def test_a_small_one_for_the_quick_tier() -> None:
    with torch.device("meta"):
        assert count_parameters(create_model("hourglass", width=128, stem=(32, 64))) == 877_994


def test_a_stem_of_three_widths_is_refused() -> None:
    with pytest.raises(ValueError, match="must be two widths"):
        create_model("hourglass", stem=(8, 8, 8))


@torch.no_grad()
def test_maps_of_likelihood_and_how_all_have_a_say() -> None:
    model = create_model("hourglass", width=8, stem=(4, 8), depth=1, likelihood=True).eval()
    maps = model(torch.randn(2, 3, 32, 48))
    torch.testing.assert_close(maps.sum((2, 3)), torch.full((2, 106), 2 * torch.pi))
    before, peaks = model.read(maps)
    torch.testing.assert_close(before, read_centres(maps)[0])
    agreement = model.agreement
    agreement[2 * 5, 2 * 9] = 0.5  # the x of point 9 by that of point 5, in shares of the side
    agreement[-1, 2 * 9 + 1] = 0.25
    after, again = model.read(maps)
    moved = after - before
    expected = torch.zeros(2, 106, 2)
    expected[:, 9, 0] = 0.5 * (before[:, 5, 0] + 0.5 - 12 / 2)
    expected[:, 9, 1] = 0.25 * 8
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=1e-4)
    assert torch.equal(peaks, again)
