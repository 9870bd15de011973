"""The shape that each part of a network gives, in the order in which data flow through it."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor, nn


class Part(NamedTuple):
    """What one part of a network gave.

    Attributes:
        name: as in `named_modules`.
        kind: its class.
        shape: of its output, without the batch.
    """

    name: str
    kind: str
    shape: tuple[int, ...]


class Shapes(list[Part]):
    """Parts in the order of the flow; a notebook shows them as a table."""

    def __repr__(self) -> str:
        """A line for each part: its name, its class, its shape."""
        names, kinds = (max(map(len, column)) for column in list(zip(*self, strict=True))[:2])
        return "\n".join(f"{n:<{names}}  {k:<{kinds}}  {written(s)}" for n, k, s in self)


def written(shape: tuple[int, ...]) -> str:
    """A shape in words: (16, 48, 48) is 16 × 48²."""
    if len(shape) > 2 and shape[-1] == shape[-2]:
        shape, square = shape[:-1], "²"
    else:
        square = ""
    return " × ".join(map(str, shape)) + square


def shapes(network: nn.Module, *inputs: tuple[int, ...], depth: int = 1) -> Shapes:
    """Let shapes flow through a copy of a network; nothing is computed and no number stored.

    Args:
        network: takes as many tensors as there are `inputs`; it stays as it is.
        inputs: their shapes, without the batch.
        depth: 1 for the network's own parts, 2 for the parts of these, too; a list is no part.

    Returns:
        The inputs, then each call of a part. Of a tuple that a part gives, the first tensor counts.
    """
    import torch

    found = Shapes(Part("input", "", tuple(shape)) for shape in inputs)

    def note(name: str, part: nn.Module, _in: Any, out: Any) -> None:
        first: Tensor = next(
            t for t in (out if isinstance(out, tuple) else (out,)) if isinstance(t, torch.Tensor)
        )
        found.append(Part(name, type(part).__name__, tuple(first.shape[1:])))

    copied = copy.deepcopy(network).to("meta").eval()
    lists = (torch.nn.ModuleList, torch.nn.ModuleDict)
    for name, part in copied.named_modules():
        steps = name.split(".")
        within = [copied.get_submodule(".".join(steps[:i])) for i in range(1, len(steps) + 1)]
        level = sum(not isinstance(step, lists) for step in within)
        if name and level <= depth and not isinstance(part, lists):
            part.register_forward_hook(partial(note, name))
    with torch.no_grad():
        copied(*(torch.empty(1, *shape, device="meta") for shape in inputs))
    return found
