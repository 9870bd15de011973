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

    Args:
        model: any network.
        size: side of its images, in pixels.
        device: where it is trained.
    """
    depthwise = any(isinstance(part, nn.Conv2d) and part.groups > 1 for part in model.modules())
    on_cpu = torch.device(device).type == "cpu"
    first = on_cpu and size > 128 and not depthwise
    return torch.contiguous_format if first else torch.channels_last
