"""From a network with several tasks to the one that is used: the edge heads are taken off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.models.wrappers import plain

if TYPE_CHECKING:
    from torch import nn


def decouple(model: nn.Module) -> nn.Module:
    """The inference network of a training network: without edge heads, the logits the same.

    Args:
        model: wrapped or not, in training or evaluation mode.

    Returns:
        A network of the same class with `edge_heads="none"`, in the same mode, whose weights and
        running statistics are those of `model`: they share their memory. A network that has no
        edge heads, or needs its edges at inference (EAGRNet), is itself the result.

    Raises:
        CourseError: when the network was altered after it was made.
    """
    import torch  # only now: listing the models' names costs nothing

    model = plain(model)
    config: Any = getattr(model, "config", None)
    if getattr(config, "edge_heads", "none") == "none":
        return model
    with torch.device("meta"):  # shapes alone: the weights are there already
        lean: nn.Module = type(model)(replace(config, edge_heads="none"))
    state = {k: v for k, v in model.state_dict().items() if not k.startswith("edge_heads.")}
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
