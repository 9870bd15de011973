"""What `fit` refuses, before it costs anybody an epoch."""

from __future__ import annotations

import math
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import nn

    from coursekit.data import FaceDataset
    from coursekit.training.config import FitConfig


def check_inputs(
    config: FitConfig, model: nn.Module, train: FaceDataset, val: FaceDataset, processes: int
) -> None:
    """Data, model and settings fit each other.

    Raises:
        CourseError: when they do not.
    """
    for name, dataset in (("training", train), ("validation", val)):
        if len(dataset) == 0:
            raise CourseError(f"the {name} set is empty; it needs at least one image")
    config.objective.check(model, train, val)
    if min(len(train), config.batch_size) < processes:
        raise CourseError(
            f"batches of {min(len(train), config.batch_size)} images cannot be divided "
            f"among {processes} processes; raise the batch size or start fewer"
        )
    if processes > 1 and not config.objective.divisible:
        raise CourseError(
            f"the loss of {config.objective} is not a sum over pixels: {processes} processes, "
            "each with a part of the batch, would train with another loss than one. Start a "
            "single process, or choose another loss (cross_entropy and focal are such sums)"
        )


def prepare_folder(out: Path) -> None:
    """Make a run's folder, and clear what a killed run left half written in it.

    Raises:
        CourseError: when nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
        for name in ("model", "state", "history"):
            for left in out.glob(f".{name}-*"):
                left.unlink(missing_ok=True)
    except OSError as error:
        raise CourseError(
            f"{out}: cannot be written to ({error.strerror}); name another folder"
        ) from error


def check_finite(loss: float, epoch: int, kind: str, names: list[str]) -> None:
    """Raises `CourseError` with the names of a batch's images when its loss is no number."""
    if not math.isfinite(loss):
        raise CourseError(
            f"the {kind} loss is {loss} in epoch {epoch}, in the batch of these images: "
            f"{', '.join(names)}. Look at them (`coursekit data check`), or lower the "
            "learning rate; the last whole epoch is kept"
        )


@contextmanager
def naming_single_values(images: int, processes: int) -> Iterator[None]:
    """Says what to do where torch only says that a normalisation met a single value."""
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise CourseError(
            f"batch normalisation met a single value in a batch of {images} a process, which has "
            f"no spread to divide by; a step needs at least {2 * processes} images: raise the "
            "batch size, or add images"
        ) from error
