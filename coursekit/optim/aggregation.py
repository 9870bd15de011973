"""Whole states of a network as dicts of tensors, and Eq. 6 of DML-CSR, which averages them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

#: A whole state_dict, or the part of it that is averaged; copied once, never changed.
Weights = dict[str, Tensor]


def copy_weights(network: nn.Module) -> Weights:
    """Its state_dict, buffers too, as it is now."""
    return {k: v.detach().clone() for k, v in network.state_dict().items()}


def laid_out(model: Mapping[str, Tensor], network: nn.Module) -> Weights:
    """Copies on the network's device and in its layout: sums over another could round otherwise.

    Raises:
        ValueError: when a tensor is none of the network's, or not of its shape.
    """
    own = network.state_dict()
    wrong = [k for k, v in model.items() if k not in own or v.shape != own[k].shape]
    if wrong:
        raise ValueError(f"a saved model does not fit the network: {', '.join(wrong)}")
    return {k: torch.empty_like(own[k]).copy_(v) for k, v in model.items()}


def add_student(total: Weights | None, network: nn.Module) -> Weights:
    """Σ M_n and one more M_n: the network's floating parameters, by all names that they have.

    Args:
        total: of the epochs of the cycle before this one; None for none.
        network: as it is at an epoch's end.
    """
    named = network.named_parameters(remove_duplicate=False)
    students = {name: p.detach() for name, p in named if p.is_floating_point()}
    if total is None:
        return {name: p.clone() for name, p in students.items()}
    return {name: total[name] + p for name, p in students.items()}


def aggregate(best: Weights, total: Weights, cycle: int, epochs: int) -> Weights:
    """M = k/(k+1) · M_best + 1/((k+1)·N) · Σ M_n  (Eq. 6).

    Args:
        best: M_best.
        total: Σ M_n.
        cycle: k, from 1.
        epochs: N.
    """
    k, n = cycle, epochs
    return {name: k / (k + 1) * best[name] + sum_n / ((k + 1) * n) for name, sum_n in total.items()}


@dataclass
class Models:
    """Which of the models so far is which. One may be several; nobody changes any.

    Attributes:
        best: M_best of Eq. 6.
        next: what will be M_best from the next cycle on, if another.
        used: what would be used if training ended now.
        teaching: what the teacher holds.
        total: Σ M_n of the epochs of this cycle that have ended.
        lowest: validation loss so far.
    """

    best: Weights | None = None
    next: Weights | None = None
    used: Weights | None = None
    teaching: Weights | None = None
    total: Weights | None = None
    lowest: float = math.inf

    def state_dict(self) -> dict[str, Any]:
        """Each model once, and which it is."""
        roles = {role: getattr(self, role) for role in _ROLES}
        models = list({id(m): m for m in roles.values() if m is not None}.values())
        places = {id(m): place for place, m in enumerate(models)}
        return {
            "models": models,
            "roles": {role: None if m is None else places[id(m)] for role, m in roles.items()},
            "sum": self.total,
            "lowest": self.lowest,
        }

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any], network: nn.Module) -> Models:
        """What `state_dict` was of.

        Raises:
            ValueError: when the models are another network's.
        """
        models = [laid_out(model, network) for model in state["models"]]
        places = state["roles"]
        roles = {role: None if places[role] is None else models[places[role]] for role in _ROLES}
        total = None if state["sum"] is None else laid_out(state["sum"], network)
        return cls(**roles, total=total, lowest=float(state["lowest"]))


_ROLES = ("best", "next", "used", "teaching")
