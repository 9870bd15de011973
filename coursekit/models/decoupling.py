"""From a network with several outputs to the one that is used: what only training has is left."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.models.wrappers import plain

if TYPE_CHECKING:
    from torch import nn


#: Settings that say what a network has for training, what they are at inference, and those that
#: are so already.
_AT_INFERENCE = {"edge_heads": ("none", ()), "branches": ("fusion", ("semantic",))}


def inference_settings(config: Any) -> dict[str, str]:
    """Those settings of a network's configuration that are others at inference."""
    held = {name: getattr(config, name) for name in _AT_INFERENCE if hasattr(config, name)}
    return {
        name: lean
        for name, (lean, fine) in _AT_INFERENCE.items()
        if name in held and held[name] not in (lean, *fine)
    }


def decouple(model: nn.Module) -> nn.Module:
    """The inference network of a training network: without its other outputs, the logits the same.

    Args:
        model: wrapped or not, in training or evaluation mode.

    Returns:
        A network of the same class with `edge_heads="none"` (of BSPNet `branches="fusion"`), in the
        same mode, whose weights and running statistics are those of `model`: they share their
        memory. A network that has one output, or needs its edges at inference (EAGRNet), is itself
        the result.

    Raises:
        CourseError: when the network was altered after it was made.
    """
    import torch  # only now: listing the models' names costs nothing

    model = plain(model)
    config: Any = getattr(model, "config", None)
    changes = inference_settings(config)
    if not changes:
        return model
    with torch.device("meta"):  # shapes alone: the weights are there already
        whole, lean = type(model)(config), type(model)(replace(config, **changes))
    unused = whole.state_dict().keys() - lean.state_dict().keys()
    state = {k: v for k, v in model.state_dict().items() if k not in unused}
    try:
        lean.load_state_dict(state, assign=True)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise CourseError(
            f"this {type(model).__name__} was altered after it was made ({reason[:300]}); set "
            "its width when you make it"
        ) from error
    learns = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    for name, parameter in lean.named_parameters():
        parameter.requires_grad_(learns.get(name, True))
    return lean.train(model.training)
