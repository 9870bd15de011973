"""Taking a network out of what others have wrapped around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn


def inner_name(module: nn.Module) -> str | None:
    """Where a wrapper keeps the network, as it stands in its keys; None when it is no wrapper.

    `torch.compile` keeps it in `_orig_mod`; `DataParallel`, `DistributedDataParallel`, which
    accelerate uses, and `AveragedModel` in `module`.
    """
    if "_orig_mod" in module._modules:
        return "_orig_mod"
    kinds = {kind.__name__ for kind in type(module).__mro__}
    parallel = kinds & {"DataParallel", "DistributedDataParallel", "AveragedModel"}
    return "module" if parallel else None


def unwrap(model: nn.Module) -> nn.Module:
    """The network itself, whatever is wrapped around it; both have the same weights."""
    while (name := inner_name(model)) is not None:
        model = model.get_submodule(name)
    return model


def _all_parts(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    return model.named_modules(remove_duplicate=False)  # a part may stand under two names


def plain_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """`state_dict` with the keys of the network itself, also where a part of it is wrapped."""
    model = unwrap(model)
    wrapped = {prefix: inner_name(part) for prefix, part in _all_parts(model)}
    inner = {f"{prefix}.{name}".lstrip(".") for prefix, name in wrapped.items() if name}
    plain = {}
    for key, value in model.state_dict().items():
        parts = key.split(".")
        kept = [p for i, p in enumerate(parts) if ".".join(parts[: i + 1]) not in inner]
        plain[".".join(kept)] = value
    return plain
