"""The course's own parts of lesson 07."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from coursekit.optim import Pipeline, cosine_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

__all__ = ["Machine", "adam_step", "cosine", "run_pipeline", "sgd_step"]

Machine = Pipeline


def sgd_step(
    weight: Tensor,
    gradient: Tensor,
    velocity: Tensor,
    rate: float,
    momentum: float = 0.5,
    weight_decay: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """One step of SGD with momentum and L2 weight decay: the new weight, the new velocity."""
    velocity = momentum * velocity + (gradient + weight_decay * weight)
    return weight - rate * velocity, velocity


def adam_step(
    weight: Tensor,
    gradient: Tensor,
    m: Tensor,
    v: Tensor,
    t: int,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Step t = 1, 2, … of Adam with L2 weight decay: the new weight, m and v, as new tensors."""
    gradient = gradient + weight_decay * weight
    m, v = m.lerp(gradient, 1 - betas[0]), v.lerp(gradient.square(), 1 - betas[1])
    mean, square = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
    return weight - rate * mean / (square.sqrt() + eps), m, v


def cosine(t: int, t_max: int, highest: float, lowest: float) -> float:
    """Eq. 4: the rate after t epochs of a phase."""
    return cosine_rate(t, t_max, highest, lowest)


def run_pipeline(
    model: nn.Module,
    machine: Any,
    train_epoch: Callable[[nn.Module, torch.optim.Optimizer], float],
    validate: Callable[[nn.Module], float],
    epochs: int,
) -> list[dict[str, Any]]:
    """Train a model as the machine says; leave its best state in it; return the history."""
    best = copy.deepcopy(model.state_dict())
    history: list[dict[str, Any]] = []
    optimiser = _optimiser(model, machine)
    while machine.phase != "stopped" and len(history) < epochs:
        entry = {"epoch": len(history), "phase": machine.phase, "rate": machine.rate}
        for group in optimiser.param_groups:
            group["lr"] = machine.rate
        entry["train_loss"] = train_epoch(model, optimiser)
        entry["val_loss"] = validate(model)
        entry["event"] = machine.record(entry["val_loss"])
        history.append(entry)
        if entry["event"] == "improved":
            best = copy.deepcopy(model.state_dict())
        elif entry["event"] != "wait":
            model.load_state_dict(best)
            optimiser = _optimiser(model, machine)
    model.load_state_dict(best)
    return history


def _optimiser(model: nn.Module, machine: Any) -> torch.optim.Optimizer:
    """A fresh one for the machine's phase."""
    decay, momentum = machine.config.weight_decay, machine.config.momentum
    if machine.phase == "adam":
        return torch.optim.Adam(model.parameters(), lr=machine.rate, weight_decay=decay)
    return torch.optim.SGD(
        model.parameters(), lr=machine.rate, momentum=momentum, weight_decay=decay
    )
