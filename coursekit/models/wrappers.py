"""Taking a network out of what others have wrapped around it, or put into its parts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

_IN_MODULE = {
    "DataParallel", "DistributedDataParallel", "AveragedModel",  # accelerate uses the second
    "ModelEmaV2", "ModelEmaV3",  # timm's
}  # fmt: skip


def _inner_name(module: nn.Module) -> str | None:
    """Where a wrapper keeps the network, as it stands in its keys; None when it is no wrapper."""
    if "_orig_mod" in module._modules:  # torch.compile
        return "_orig_mod"
    return "module" if _IN_MODULE & {kind.__name__ for kind in type(module).__mro__} else None


def unwrap(model: nn.Module) -> nn.Module:
    """The network itself, whatever is wrapped around it; both have the same weights.

    Its parts are left as they are: `plain` takes those out, too.
    """
    while (name := _inner_name(model)) is not None:
        model = model.get_submodule(name)
    return model


def plain(model: nn.Module) -> nn.Module:
    """The network as its class makes it: no part wrapped, no weight computed from others.

    What a parametrisation (`weight_norm`, `spectral_norm`) or a mask (`prune`) computes becomes a
    weight of the value that it has in evaluation mode.

    Args:
        model: a network, wrapped in whatever `unwrap` knows.

    Returns:
        The network that is inside, when it is plain; or a copy, in the same modes, that shares all
        weights but the computed ones.
    """
    model = unwrap(model)
    if any(_inner_name(part) or _computing(part) for part in model.modules()):
        return _plain_copy(model, {})
    return model


def plain_state_dict(model: nn.Module) -> dict[str, Tensor]:
    """`state_dict` of `plain(model)`."""
    return plain(model).state_dict()


def _plain_copy(part: nn.Module, done: dict[int, nn.Module]) -> nn.Module:
    """`done` holds the copies by the ids of their originals: a shared part stays shared."""
    from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

    part = unwrap(part)
    if id(part) in done:
        return done[id(part)]
    kind: Any = type_before_parametrizations(part)
    copy: nn.Module = kind.__new__(kind)
    done[id(part)] = copy
    computed = _computed(part)
    sources = {f"{name}_{end}" for name in computed for end in ("g", "v", "u", "orig", "mask")}
    copy.__dict__ = {key: value for key, value in vars(part).items() if key not in computed}
    for store in ("_parameters", "_buffers"):
        kept = {k: v for k, v in getattr(part, store).items() if k not in sources}
        copy.__dict__[store] = kept if store == "_buffers" else {**computed, **kept}
    hooks = set(_hooks(part))
    kept_hooks = {key: hook for key, hook in part._forward_pre_hooks.items() if key not in hooks}
    copy._forward_pre_hooks = type(part._forward_pre_hooks)(kept_hooks)
    copy._modules = {
        name: None if child is None else _plain_copy(child, done)
        for name, child in part._modules.items()
        if not (is_parametrized(part) and name == "parametrizations")
    }
    return copy


def _hooks(part: nn.Module) -> dict[int, Any]:
    """Hooks that compute a weight before each call: the older way of parametrising, and pruning."""
    return {
        key: hook
        for key, hook in part._forward_pre_hooks.items()
        if hasattr(hook, "compute_weight") or hasattr(hook, "apply_mask")
    }


def _computing(part: nn.Module) -> bool:
    from torch.nn.utils.parametrize import is_parametrized

    return is_parametrized(part) or bool(_hooks(part))


def _computed(part: nn.Module) -> dict[str, nn.Parameter]:
    """The weights of a part that are computed from others, by name, as they are in evaluation."""
    import torch
    from torch.nn.utils.parametrize import is_parametrized

    found = {}
    with torch.no_grad(), in_evaluation(part):
        if is_parametrized(part):
            found = {name: parts() for name, parts in part.parametrizations.items()}  # type: ignore[operator, union-attr]
        for hook in _hooks(part).values():
            hook(part, ())  # sets the weight
            name = getattr(hook, "name", None) or hook._tensor_name
            found[name] = getattr(part, name)
        learns = any(p.requires_grad for p in part.parameters())
        values = {name: value.detach().clone() for name, value in found.items()}
        return {name: torch.nn.Parameter(value, learns) for name, value in values.items()}


@contextmanager
def in_evaluation(model: nn.Module) -> Iterator[None]:
    """Within it a model is in evaluation mode; then each part is in the mode that it had."""
    training = [part for part in model.modules() if part.training]
    model.eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True
