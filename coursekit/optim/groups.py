"""Which parameters decay, and which have a rate of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


def parameter_groups(
    network: nn.Module,
    weight_decay: float,
    *,
    matrices_only: bool,
    own_rate: Sequence[str] = (),
    factor: float = 1.0,
) -> list[dict[str, Any]]:
    """Groups of parameters for a torch optimiser, each with "factor", what its rate is times.

    Args:
        network: whose parameters.
        weight_decay: of those that decay: never single numbers, such as a learnt λ.
        matrices_only: biases and normalisations do not decay either.
        own_rate: names of parameters, or the ends of these after a dot, that have `factor`; the
            others have 1.
        factor: see there.

    Raises:
        CourseError: when a name is no parameter's.
    """
    named = dict(network.named_parameters())
    own = {name for name in named for end in own_rate if _ends(name, end)}
    for end in own_rate:
        if not any(_ends(name, end) for name in named):
            raise CourseError(
                f"own_rate: no parameter is called {end}, or ends in .{end}; `named_parameters` "
                f"of the network lists those there are, such as {next(iter(named))}"
            )
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, p in named.items():
        decays = p.ndim > 1 if matrices_only else p.numel() > 1
        key = (weight_decay if decays else 0.0, factor if name in own else 1.0)
        groups.setdefault(key, []).append(p)
    return [
        {"params": parameters, "weight_decay": decay, "factor": times}
        for (decay, times), parameters in groups.items()
    ]


def _ends(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")
