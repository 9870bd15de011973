"""The whole state of a run in one safetensors file, so that a killed run goes on bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.checkpoint import read_tensors, write_tensors
from coursekit.errors import CourseError
from coursekit.optim import AveragedCosine

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

    from coursekit.optim import AdamToSGD


def save_state(
    path: Path,
    model: nn.Module,
    optimiser: AdamToSGD | AveragedCosine,
    history: list[dict[str, Any]],
    settings: dict[str, Any],
) -> None:
    """Write everything that the rest of the run depends on, whole or not at all.

    No random state is among it: every epoch draws from generators that are seeded with
    (seed, epoch, …) alone.
    """
    state = optimiser.state_dict()
    tensors = {f"model/{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"best/{k}": v for k, v in (state["best"] or {}).items()}
    scalars: dict[str, dict[str, Any]] = {}
    for index, entries in state["optimiser"]["state"].items():
        for name, value in entries.items():
            if hasattr(value, "detach"):
                tensors[f"optimiser/{index}/{name}"] = value
            else:
                scalars.setdefault(str(index), {})[name] = value
    meta = {
        "kind": "state",
        "settings": settings,
        "history": history,
        "pipeline": state["pipeline"],
        "pipeline_config": state["config"],
        "param_groups": state["optimiser"]["param_groups"],
        "optimiser_scalars": scalars,
    }
    write_tensors(path, tensors, meta)


def load_state(
    path: Path, model: nn.Module, optimiser: AdamToSGD | AveragedCosine, settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Put a run back to where `save_state` was called.

    Returns:
        The history up to there.

    Raises:
        CourseError: when the file is damaged, or was made with other settings.
    """
    tensors, meta = read_tensors(path)
    if meta.get("kind") != "state":
        raise CourseError(f"{path}: is not the state of a run; name the folder of a run")
    # May change between a run and its continuation. One cosine is stretched over all epochs.
    free = {"workers"} if isinstance(optimiser, AveragedCosine) else {"workers", "epochs"}
    _compare(path, meta["settings"], settings, free)
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimiser": {}}
    for key, tensor in tensors.items():
        part, name = key.split("/", 1)
        parts[part][name] = tensor
    entries: dict[int, dict[str, Any]] = {
        int(i): dict(values) for i, values in meta["optimiser_scalars"].items()
    }
    for key, tensor in parts["optimiser"].items():
        index, name = key.split("/", 1)
        entries.setdefault(int(index), {})[name] = tensor
    groups = [
        {k: tuple(v) if k == "betas" else v for k, v in group.items()}
        for group in meta["param_groups"]
    ]
    device = next(model.parameters()).device
    try:
        model.load_state_dict(parts["model"])
        optimiser.load_state_dict(
            {
                "config": meta["pipeline_config"],
                "pipeline": meta["pipeline"],
                "optimiser": {"state": entries, "param_groups": groups},
                "best": {k: v.to(device) for k, v in parts["best"].items()} or None,
            }
        )
    except (RuntimeError, ValueError, KeyError) as error:
        raise CourseError(
            f"{path}: does not fit this run ({str(error).splitlines()[0]}); "
            "go on with the same model and settings, or name a new folder"
        ) from error
    history: list[dict[str, Any]] = meta["history"]
    return history


def _compare(path: Path, old: dict[str, Any], new: dict[str, Any], free: set[str]) -> None:
    changed = [k for k in sorted({*old, *new} - free) if old.get(k) != new.get(k)]
    if changed:
        listed = ", ".join(f"{k} was {old.get(k)!r} and is {new.get(k)!r}" for k in changed)
        raise CourseError(
            f"{path}: the run that it holds had other settings: {listed}. "
            "Go on with the old ones, or name a new folder"
        )
