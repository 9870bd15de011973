"""Holding part of the labelled samples back for validation, where a data set has no such split."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.data.reading import find_layout, open_dataset
from coursekit.errors import CourseError
from coursekit.files import write_text

if TYPE_CHECKING:
    import os

    from coursekit.data.reading import FolderDataset

#: In the folder of a run: which samples were trained on and which were held back.
RECORD = "split.json"


def labelled_val(root: str | os.PathLike[str]) -> FolderDataset | None:
    """The val split of a folder, if there is one with masks."""
    folder, layout = find_layout(root)
    val = open_dataset(folder, "val") if "val" in layout.splits(folder) else None
    return val if val is not None and val.labelled else None


def open_pair(
    root: str | os.PathLike[str], share: float | None, seed: int, run: str | os.PathLike[str]
) -> tuple[FolderDataset, FolderDataset]:
    """What a run trains on, and what it validates on.

    Args:
        root: the folder of a data set.
        share: of the training samples to hold back where no labelled val split is, or None.
        seed: of the draw.
        run: the folder of the run, where the draw is recorded.

    Raises:
        CourseError: when there is nothing to validate on, or the draw is another than the run's.
    """
    if share is not None:
        parts = hold_back(root, share, seed)
        record(run, share, seed, *parts)
        return parts
    train, val = open_dataset(root, "train"), labelled_val(root)
    if val is None:
        raise CourseError(
            f"{root}: has no labelled val split to choose the best epoch by; add one, or hold part "
            "of the training images back: --val-share 0.1"
        )
    return train, val


def hold_back(
    root: str | os.PathLike[str], share: float, seed: int
) -> tuple[FolderDataset, FolderDataset]:
    """The train split of a folder in two: what to learn from, and what to validate on.

    Args:
        root: the folder of a data set whose train split alone has masks.
        share: of the samples that are held back, in (0, 1); at least one is, and one is left.
        seed: of the draw; equal seeds and names draw the same samples.

    Raises:
        CourseError: for a share out of range, a single sample, or a labelled val split beside.
    """
    if not 0 < share < 1:
        raise CourseError(f"--val-share {share}: write a share between 0 and 1, such as 0.1")
    if labelled_val(root) is not None:
        raise CourseError(
            f"--val-share: {root} has a labelled val split already; leave --val-share out"
        )
    dataset = open_dataset(root, "train")
    if len(dataset) < 2:
        raise CourseError(f"--val-share: {root} has a single sample to train on; add others")
    held = min(max(round(share * len(dataset)), 1), len(dataset) - 1)
    drawn = np.random.default_rng(seed).permutation(len(dataset)).tolist()
    return dataset.subset(sorted(drawn[held:])), dataset.subset(sorted(drawn[:held]))


def record(
    out: str | os.PathLike[str], share: float, seed: int, train: FolderDataset, val: FolderDataset
) -> None:
    """Write which samples a run holds back into its folder, before it begins.

    Raises:
        CourseError: when a run in that folder was begun with others.
    """
    path = Path(out) / RECORD
    held: dict[str, Any] = {
        "val_share": share, "seed": seed, "train": list(train.names), "val": list(val.names),
    }  # fmt: skip
    if not (path.parent / "state.safetensors").exists():
        write_text(path, json.dumps(held, indent=1) + "\n")
        return
    try:
        before = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        before = None
    if before != held:
        raise CourseError(
            f"{path}: the run there was begun with other samples held back; use its --val-share, "
            "seed and data, or name another folder"
        )


def open_held(
    root: str | os.PathLike[str], run: str | os.PathLike[str], split: str
) -> FolderDataset:
    """A split as a run saw it: its record says what it held back, where `root` has no labelled val.

    Args:
        root: the folder of a data set.
        run: the folder of the run.
        split: "train", "val" or "test".

    Raises:
        CourseError: as `open_dataset`, or when the run held back what is not in `root`.
    """
    path = Path(run) / RECORD
    if split == "test" or not path.is_file() or labelled_val(root) is not None:
        return open_dataset(root, split)
    dataset = open_dataset(root, "train")
    places = {name: index for index, name in enumerate(dataset.names)}
    try:
        return dataset.subset([places[name] for name in json.loads(path.read_text("utf-8"))[split]])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{path}: its {split} samples are not those of {root} ({error}); name the data that "
            "the run was trained on"
        ) from error
