"""How a module that a student put together differs from what it should be, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def unlike(mine: nn.Module, like: nn.Module) -> str:
    """The first difference of two modules in names and shapes of what they hold; "" if none.

    Args:
        mine: the student's.
        like: the one that it should be like.
    """
    own, wanted = ({k: tuple(v.shape) for k, v in m.state_dict().items()} for m in (mine, like))
    for key, shape in wanted.items():
        if own.get(key) != shape:
            return _shaped(key, own[key], shape) if key in own else _absent(key, [*own], [*wanted])
    extra = [key for key in own if key not in wanted]
    return f"{extra[0]} is one too many" if extra else ""


def _absent(key: str, own: list[str], wanted: list[str]) -> str:
    top = key.split(".")[0]
    found = [name for name in own if name not in wanted]
    same = [name for name in found if name.split(".")[0] == top]
    instead = (same or found)[:1]
    return f"there is no {key}" + "".join(f", but {name}" for name in instead)


def _shaped(key: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """Of a convolution (out, in, k, k) what it gives, takes and sees; of others the shape."""
    part = key.removesuffix(".weight")
    if len(shape) == len(wanted) == 4:
        for place, verb, thing in ((0, "gives", "channels"), (1, "takes", "channels")):
            if shape[place] != wanted[place]:
                return f"{part} {verb} {shape[place]} {thing}, expected: {wanted[place]}"
        kernels = (f"{high} × {wide}" for high, wide in (shape[2:], wanted[2:]))
        return "{} has a kernel of {}, expected: {}".format(part, *kernels)
    return f"{key} has the shape {shape}, expected: {wanted}"
