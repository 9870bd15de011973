"""The layout of maps in training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

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


@pytest.mark.parametrize(
    ("convolution", "safe"),
    [
        (nn.Conv2d(3, 24, 1, stride=2), False),
        (nn.Conv2d(15, 24, 1, stride=(1, 2)), False),
        (nn.Conv2d(16, 24, 1, stride=2), True),
        (nn.Conv2d(3, 24, 1), True),
        (nn.Conv2d(3, 24, 3, stride=2), True),
    ],
)
def test_what_would_be_written_past_the_end_is_trained_channels_first(
    convolution: nn.Conv2d, safe: bool
) -> None:
    network = nn.Sequential(convolution, nn.Conv2d(24, 24, 3, groups=24))
    assert (memory_format(network, 48, "cpu") == torch.channels_last) is safe
    assert memory_format(network, 48, "cuda") == torch.channels_last
