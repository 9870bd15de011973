"""What `fit` refuses, before it costs anybody an epoch."""

from __future__ import annotations

import math
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from coursekit.data.findings import some
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import nn

    from coursekit.data import FaceDataset
    from coursekit.training.config import FitConfig
    from coursekit.training.objective import Objective


def check_inputs(
    config: FitConfig, model: nn.Module, train: FaceDataset, val: FaceDataset, processes: int
) -> None:
    """Data, model and settings fit each other.

    Raises:
        CourseError: when they do not.
    """
    check_filled(train, val)
    config.objective.check(model, train, val)
    least = min(len(train), len(val), config.batch_size)
    if least < processes:
        raise CourseError(
            f"{least} images (the batch, or a whole set) cannot be divided among {processes} "
            "processes; raise the batch size, add images, or start fewer"
        )
    if processes > 1 and not config.objective.divisible:
        raise CourseError(
            f"the loss of {config.objective} is not a sum over pixels: {processes} processes, "
            "each with a part of the batch, would train with another loss than one. Start a "
            "single process, or choose another loss (cross_entropy and focal are such sums)"
        )


def check_filled(train: FaceDataset, val: FaceDataset) -> None:
    """Raises `CourseError` when there is nothing to learn from, or nothing to validate."""
    for name, dataset in (("training", train), ("validation", val)):
        if len(dataset) == 0:
            raise CourseError(f"the {name} set is empty; it needs at least one image")


def check_unused(out: Path) -> None:
    """Raises `CourseError` when a folder holds a run, whose files a new one would replace."""
    if any((out / name).exists() for name in ("state.safetensors", "model.safetensors")):
        raise CourseError(
            f"{out}: holds a run already; add --resume (resume=True) to go on with it, or name "
            "another folder"
        )


def prepare_folder(out: Path) -> None:
    """Make a run's folder.

    Raises:
        CourseError: when nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        raise CourseError(
            f"{out}: cannot be written to ({error.strerror}); name another folder"
        ) from error


def check_finite(loss: float, epoch: int, kind: str, names: list[str]) -> None:
    """Raises `CourseError` with the names of a batch's images when its loss is no number."""
    if not math.isfinite(loss):
        raise CourseError(
            f"the {kind} loss is {loss} in epoch {epoch + 1}, in the batch of these images: "
            f"{some(names)}. Look at them (`coursekit data check`), or lower the "
            "learning rate; the last whole epoch is kept"
        )


def check_parameters(objective: Objective) -> None:
    """Raises `CourseError` when an objective has parameters that no plan would train."""
    network = {id(parameter) for parameter in objective.network.parameters()}
    own = [n for n, p in objective.named_parameters() if p.requires_grad and id(p) not in network]
    if own:
        raise CourseError(
            f"{type(objective).__name__} has parameters of its own ({', '.join(own)}), which would "
            "not be trained: put them into the network, or make them buffers"
        )


def named_scores(scores: dict[str, Any]) -> dict[str, float]:
    """What a score gives, as the history takes it.

    Raises:
        ValueError: for a name that the history could not tell from its own.
    """
    wrong = [name for name in scores if not name.startswith("val_") or name == "val_loss"]
    if wrong:
        raise ValueError(f"scores called {', '.join(wrong)}: begin with val_, and not val_loss")
    return {name: float(value) for name, value in scores.items()}


@contextmanager
def naming_what_torch_met(images: int, processes: int) -> Iterator[None]:
    """Says what to do where torch only says what it met.

    A normalisation that has a single value, or a part of the network that the loss does not reach.
    """
    try:
        yield
    except RuntimeError as error:
        if "Expected to have finished reduction" not in str(error):
            raise
        raise CourseError(
            "a part of the network takes no part in the loss, so its gradients cannot be averaged "
            f"over {processes} processes: choose an objective that uses all of it, freeze that "
            "part (`requires_grad_(False)`), or start a single process"
        ) from error
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise CourseError(
            f"batch normalisation met a single value in a batch of {images} a process, which has "
            f"no spread to divide by; a step needs at least {2 * processes} images: raise the "
            "batch size, or add images"
        ) from error


@contextmanager
def naming_what_is_full() -> Iterator[None]:
    """Says what to do where torch only says which memory is full."""
    try:
        yield
    except RuntimeError as error:
        told = str(error)
        if "DataLoader worker" in told and "signal" in told:
            raise CourseError(
                "the system ended a process that prepares batches: memory or shared memory "
                "(/dev/shm) is full. Take --workers 0, or give a container more, such as "
                "docker run --shm-size=2g"
            ) from error
        full = isinstance(error, torch.OutOfMemoryError) or "not enough memory" in told
        if full or "DefaultCPUAllocator" in told:
            raise CourseError(
                "memory is full: take a smaller --size or --batch-size, or --precision bf16 "
                f"({told.splitlines()[0][:80]})"
            ) from error
        raise
