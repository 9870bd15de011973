"""The layout of maps in training."""

from __future__ import annotations

import pytest
import torch

from coursekit import create_model
from coursekit.training.layout import memory_format


@pytest.mark.parametrize(
    ("name", "size", "device", "last"),
    [
        ("deeplabv3plus", 256, "cpu", False),
        ("deeplabv3plus", 96, "cpu", True),
        ("deeplabv3plus", 512, "cuda", True),
        ("unet", 512, "cpu", False),
        ("fastscnn", 512, "cpu", True),
        ("segformer", 512, "cpu", True),
    ],
)
def test_dense_networks_train_with_channels_first_on_a_cpu(
    name: str, size: int, device: str, last: bool
) -> None:
    expected = torch.channels_last if last else torch.contiguous_format
    assert memory_format(create_model(name), size, device) == expected
