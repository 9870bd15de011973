"""Losses that are prescribed: what a machine says of them, how a loop trains a small network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from coursekit.optim import AdamToSGDConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from coursekit.checks.check import Check


PHASES = ("adam", "sgd", "stopped")
EVENTS = ("improved", "wait", "switch", "halve", "stop")


def recorded(
    check: Check, machine: Callable[[AdamToSGDConfig], Any], losses: Sequence[float], patience: int
) -> tuple[list[str], Any]:
    """What a student's machine says of these losses until it has stopped, and the machine."""
    running = check.call(machine, AdamToSGDConfig(patience=patience))
    begins = (
        "a new machine's peak is config.adam_lr, as State sets it: write no `__init__` of your own"
    )
    check.that(getattr(running, "peak", 0) == running.config.adam_lr, begins)
    found: list[str] = []
    while len(found) < len(losses) and running.phase != "stopped":
        found.append(event := check.call(running.record, losses[len(found)]))
        check.that(event in EVENTS, f"the events are called {', '.join(EVENTS)}: not {event!r}")
        phase = running.phase
        check.that(phase in PHASES, f"the phases are called {', '.join(PHASES)}: not {phase!r}")
    return found, running


class Toy:
    """Learns made-up numbers, and notes what it sees.

    Args:
        inputs: (N, 3).
        losses: what `validate` gives after the first, second, … epoch; the last one for all later.

    Attributes:
        model: the network, with weights and buffers.
        before: its whole state before each epoch.
        after: the same after each epoch.
        notes: rate and kind of each epoch's optimiser, and whether it has just been made.
    """

    def __init__(self, inputs: np.ndarray, losses: Sequence[float]) -> None:
        torch.manual_seed(0)
        self.model = nn.Sequential(nn.Linear(3, 2, bias=False), nn.BatchNorm1d(2)).double()
        self.inputs, self.losses = torch.as_tensor(inputs), list(losses)
        self.before: list[Tensor] = []
        self.after: list[Tensor] = []
        self.notes: list[tuple[float, str, bool]] = []

    def state(self) -> Tensor:
        """Weights and buffers, one after the other."""
        return torch.cat([t.detach().double().flatten() for t in self.model.state_dict().values()])

    def train_epoch(self, model: nn.Module, optimiser: torch.optim.Optimizer) -> float:
        """One step, as an epoch; gives the number of epochs so far as its loss."""
        rate, kind = optimiser.param_groups[0]["lr"], type(optimiser).__name__
        self.notes.append((rate, kind, len(optimiser.state) == 0))
        self.before.append(self.state())
        optimiser.zero_grad()
        error = model.train()(self.inputs) - len(self.before) * self.inputs[:, :2]
        error.square().mean().backward()
        optimiser.step()
        self.after.append(self.state())
        return float(len(self.after))

    def validate(self, model: nn.Module) -> float:
        """The prescribed loss of the epoch that ended."""
        return self.losses[min(len(self.after), len(self.losses)) - 1]
