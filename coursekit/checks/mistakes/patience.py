"""Known mistakes in lesson 07's patience, by the events that a machine tells."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Of events that end too soon.
EARLY = (
    "stopped before 0.005, which is allowed: only a *peak* / 2 below config.sgd_min_lr stops, "
    "not a rate, and not an equal one"
)


def disordered(events: list[str], patience: int) -> str:
    """What is odd in the events of a loss that never falls, from 0.02 to 0.005; "" if nothing."""
    order = [event for event in events if event not in ("wait", "improved")]
    if "improved" in events[1:]:
        return "4 is not below 3: the best loss outlives every phase"
    if order == ["switch", "halve", "stop"]:
        return EARLY
    if order.count("halve") > 5:
        return "the peak does not fall: half the *last* one each time"
    if len(order) > 4:
        return "it goes on: is the *next* peak too low, the phase 'stopped' then?"
    if order != (right := ["switch", "halve", "halve", "stop"]):
        return f"expected: the order of the picture (got {order}, expected: {right})"
    ends = [place for place, event in enumerate(events) if event in order]
    for one, two in pairwise(ends):
        if two - one < patience:
            return f"after '{events[one]}' the counter must go back to 0, too: at each event"
    if len(events) != 1 + 4 * patience:
        return f"expected: four phases of {patience} epochs each, not {len(events) - 1} in all"
    return ""


def unended(events: Callable[[list[float], int], tuple[list[str], Any]]) -> str:
    """Why a phase does not end with its patience of 2, or ends in two ways at once; "" if it does.

    Args:
        events: gives what a machine says of losses at a patience, and the machine.
    """
    got, machine = events([3.0, 4.0, 4.0], 2)
    if got[2] == "halve" and machine.peak == machine.config.sgd_lr / 2:
        return "a switch and a halving at one event: `elif` for the second, or a `return` in each"
    if got[2] == "switch" and machine.phase == "adam":
        return "'switch' was told, and the phase is 'adam' as before: set self.phase"
    if got[2] == "switch" and events([3.0, 3.0, 3.0], 2)[0][2] == "wait":
        return "an equal loss is no improvement: its epoch is a stalled one"
    if got[2] != "wait":
        return ""
    longer, _ = events([3.0] + [4.0] * 13, 2)
    ends = next((n for n, event in enumerate(longer[1:], 1) if event != "wait"), 0)
    late = f"patience 2, and two stalled epochs did not end the phase; after one of them self.stalled is {events([3.0, 4.0], 2)[1].stalled}"  # noqa: E501
    return late + {
        0: "",
        3: ": a third did, so count the epoch first, then ask, and `<` is not `<=`",
        12: ", and 12 end it: is 12 written in? The argument is self.config.patience",
    }.get(ends, f", and {ends} end it")
