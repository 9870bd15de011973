"""What torch does without where answers are tried, thousands of them: nothing that they can see."""

from __future__ import annotations

import importlib
import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Numbers of a tensor, below which it does not matter how its largest are found.
_MANY = 10_000


def quicken() -> None:
    """Let torch be quicker in this process and its forks; it has been imported."""
    _seed_no_accelerators()
    _fill_no_shapes()
    _find_largest_by_max()


def _seed_no_accelerators() -> None:
    """Let `manual_seed` seed the processor alone where nothing else is.

    Else each seed is kept for a device that may come, with the stack of who asked: a tenth of the
    time that answers take. After a fork torch does without, if it thinks that a device is in use.
    """
    for name in ("cuda", "xpu", "mtia"):
        device = sys.modules.get(f"torch.{name}")
        if device is not None and not device.is_available():
            device._is_in_bad_fork = lambda: True  # type: ignore[attr-defined]


def _fill_no_shapes() -> None:
    """Let the weights of a network on the meta device, which has none, not be drawn.

    Layers draw them all the same, and torch takes longest where there is nothing to fill.
    """
    init = importlib.import_module("torch.nn.init")
    for name in ("kaiming_uniform_", "uniform_"):
        setattr(init, name, _where_there_are_numbers(getattr(init, name)))


def _where_there_are_numbers(fill: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(fill)
    def filled(tensor: Any, *args: Any, **settings: Any) -> Any:
        meta = getattr(tensor, "is_meta", False)
        return tensor if meta else fill(tensor, *args, **settings)

    return filled


def _find_largest_by_max() -> None:
    """Let `argmax` along a dimension be `max`, which names the same places in a third of the time.

    Both name the first of several, and the first that is not a number.
    """
    torch: Any = importlib.import_module("torch")
    owners: tuple[Any, ...] = torch, torch.Tensor
    for owner in owners:
        owner.argmax = _by_max(owner.argmax, torch.Tensor)


def _by_max(argmax: Callable[..., Any], kind: Any) -> Callable[..., Any]:
    @wraps(argmax)
    def places(*args: Any, **settings: Any) -> Any:
        tensor: Any = args[0] if args else None
        dims = [*args[1:], *settings.values()]
        if (
            type(tensor) is kind
            and len(dims) == 1
            and settings.keys() <= {"dim"}
            and type(dims[0]) is int
            and tensor.numel() > _MANY
            and tensor.is_floating_point()
            and tensor.device.type == "cpu"
            and -tensor.ndim <= dims[0] < tensor.ndim
        ):
            return tensor.detach().max(dims[0]).indices
        return argmax(*args, **settings)

    return places
