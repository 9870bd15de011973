"""What torch's fused optimisers need: state laid out in memory like the weights.

A fused step passes once over weights, gradients and state, several times as fast on a CPU as a
loop over operations. It walks memory in order and compares no strides: state that was saved and
read back lies channel after channel, weights may lie channels last, and then one would be added
to another's place without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping


def load_fused(optimiser: torch.optim.Optimizer, state: Mapping[str, Any]) -> None:
    """`optimiser.load_state_dict(state)`, with each tensor in the layout of its weight.

    Raises:
        ValueError: when a tensor is not of its weight's shape.
    """
    optimiser.load_state_dict(dict(state))
    for weight, held in optimiser.state.items():
        for key, value in held.items():
            if isinstance(value, torch.Tensor) and value.ndim:
                if value.shape != weight.shape:  # a fused step would write past its end
                    raise ValueError(f"{key} is {tuple(value.shape)}, not {tuple(weight.shape)}")
                held[key] = torch.empty_like(weight).copy_(value)
