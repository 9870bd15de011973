"""The landmark network: one stack, depth 4, 106 heatmaps."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch

from coursekit import count_parameters, create_model
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
