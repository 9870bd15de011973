"""In which order a network's maps lie in memory while it is trained."""

from __future__ import annotations

import torch
from torch import nn


def memory_format(model: nn.Module, size: int, device: torch.device | str) -> torch.memory_format:
    """The layout in which training steps are fastest.

    Channels last is faster on a GPU, and on a CPU for networks of depthwise convolutions (1.2 to
    1.35 times for FastSCNN). For dense convolutions on large maps torch's CPU library computes the
    backward pass at half the speed there: DeepLabV3+ at 256² trains 1.5 times as fast with
    channels first. On small maps they are alike (`python benchmarks/models.py`).

    Never channels last on a CPU for a network with a strided 1 × 1 convolution of few channels: the
    gradient of its weights is written past the end of its memory there, and the process dies
    (https://github.com/uxlfoundation/oneDNN/issues/6035).

    Args:
        model: any network.
        size: side of its images, in pixels.
        device: where it is trained.
    """
    convolutions = [part for part in model.modules() if isinstance(part, nn.Conv2d)]
    depthwise = any(part.groups > 1 for part in convolutions)
    dense = size > 128 and not depthwise
    first = dense or any(_writes_past_the_end(part) for part in convolutions)
    on_cpu = torch.device(device).type == "cpu"
    return torch.contiguous_format if on_cpu and first else torch.channels_last


def _writes_past_the_end(part: nn.Conv2d) -> bool:
    """With fewer channels than a vector of the processor has numbers: 16 in AVX-512."""
    strided = part.kernel_size == (1, 1) and max(part.stride) > 1
    return strided and part.in_channels // part.groups < 16
