"""The whole state of a run in one safetensors file, so that a killed run goes on bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from coursekit.checkpoint import read_tensors, write_tensors
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from pathlib import Path

    from coursekit.optim import Plan
    from coursekit.training.objective import Objective

# Marks in the JSON half of a state.
_TENSOR, _PAIRS, _TUPLE = "$tensor", "$pairs", "$tuple"


def save_state(
    path: Path,
    objective: Objective,
    plan: Plan,
    history: list[dict[str, Any]],
    settings: dict[str, Any],
    started: str | None = None,
) -> None:
    """Write everything that the rest of the run depends on, whole or not at all.

    No random state is among it: every epoch draws from generators that are seeded with
    (seed, epoch, …) alone.
    """
    tensors: dict[str, Tensor] = {}
    parts = {
        "model": objective.network.state_dict(),
        "objective": _own(objective),
        "plan": plan.state_dict(),
    }
    state = flatten(parts, tensors)
    meta = {
        "kind": "state", "settings": settings, "history": history, "state": state,
        "started": started,
    }  # fmt: skip
    write_tensors(path, tensors, meta)


def load_state(
    path: Path, objective: Objective, plan: Plan, settings: dict[str, Any], free: set[str]
) -> tuple[list[dict[str, Any]], str | None]:
    """Put a run back to where `save_state` was called.

    Args:
        path: the file.
        objective: whose network takes the saved weights.
        plan: takes its saved state.
        settings: of this run.
        free: those of them that may differ from the saved run's.

    Returns:
        The history up to there, and what was said of the weights that the run started from.

    Raises:
        CourseError: when the file is damaged, or was made with other settings.
    """
    tensors, meta = read_tensors(path)
    if meta.get("kind") != "state":
        raise CourseError(f"{path}: is not the state of a run; name the folder of a run")
    if "state" not in meta:
        raise CourseError(
            f"{path}: was written by an older version, which kept its state in another form; "
            "name a new folder"
        )
    _compare(path, meta.get("settings", {}), settings, free)
    try:
        history: list[dict[str, Any]] = meta["history"]
        state = unflatten(meta["state"], tensors)
        objective.network.load_state_dict(state["model"])
        objective.load_state_dict(state["objective"], strict=False)
        plan.load_state_dict(state["plan"])
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{path}: does not fit this run ({str(error).splitlines()[0]}); "
            "go on with the same model and settings, or name a new folder"
        ) from error
    return history, meta.get("started")


def _own(objective: Objective) -> dict[str, Tensor]:
    """Buffers that are neither the network's nor the teacher's, which the plan keeps."""
    state = objective.state_dict()
    return {k: v for k, v in state.items() if k.split(".")[0] not in ("model", "teacher")}


def flatten(value: Any, tensors: dict[str, Tensor], name: str = "") -> Any:
    """What JSON can hold of nested dicts, lists and tuples; their tensors go into `tensors`."""
    if isinstance(value, Tensor):
        while name in tensors:  # a key may hold a slash, or be a number beside its text
            name += "'"
        tensors[name] = value
        return {_TENSOR: name}
    below = f"{name}/" if name else ""
    if isinstance(value, dict):
        flat = {k: flatten(v, tensors, f"{below}{k}") for k, v in value.items()}
        plain = all(isinstance(k, str) and not k.startswith("$") for k in flat)
        return flat if plain else {_PAIRS: [[k, v] for k, v in flat.items()]}
    if isinstance(value, (list, tuple)):
        flat_list = [flatten(v, tensors, f"{below}{i}") for i, v in enumerate(value)]
        return {_TUPLE: flat_list} if isinstance(value, tuple) else flat_list
    return value


def unflatten(value: Any, tensors: dict[str, Tensor]) -> Any:
    """What `flatten` was given.

    Raises:
        KeyError: when a tensor is missing.
    """
    if isinstance(value, list):
        return [unflatten(v, tensors) for v in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        return tensors[value[_TENSOR]]
    if _TUPLE in value:
        return tuple(unflatten(v, tensors) for v in value[_TUPLE])
    if _PAIRS in value:
        return {k: unflatten(v, tensors) for k, v in value[_PAIRS]}
    return {k: unflatten(v, tensors) for k, v in value.items()}


def _compare(path: Path, old: dict[str, Any], new: dict[str, Any], free: set[str]) -> None:
    changed = _changed({k: v for k, v in old.items() if k not in free},
                       {k: v for k, v in new.items() if k not in free})  # fmt: skip
    if changed:
        # Of another model, objective or plan this is told, and not the settings that come with it.
        kinds = ("model.model ", "objective.kind ", "plan.kind ")
        listed = ", ".join([line for line in changed if line.startswith(kinds)] or changed)
        raise CourseError(
            f"{path}: the run that it holds had other settings: {listed}. "
            "Go on with the old ones, or name a new folder"
        )


def _changed(old: dict[str, Any], new: dict[str, Any], above: str = "") -> list[str]:
    """A line for each setting that differs, also within others."""
    lines = []
    for key in sorted({*old, *new}):
        before, now = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            lines += _changed(before, now, f"{above}{key}.")
        elif before != now:
            lines.append(f"{above}{key} was {before!r} and is {now!r}")
    return lines
