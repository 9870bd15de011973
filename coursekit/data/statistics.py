"""What a data set looks like in numbers: whitening and true class counts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.data.cache import Arrays
from coursekit.data.progress import threaded
from coursekit.data.reading import find_layout, open_dataset
from coursekit.data.transforms import Whitening
from coursekit.errors import CourseError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from coursekit.data.sample import FaceDataset

# A channel that never varies would be divided by zero: half a grey level is no information.
_LEAST_STD = 0.5 / 255


def whitening(dataset: FaceDataset | Arrays, size: int | None = None) -> Whitening:
    """The mean and standard deviation of each channel over all pixels of a data set.

    Computed from a histogram of the decoded bytes, so it is exact, and without augmentation. Call
    it on the training set, and use the result for every split.

    Args:
        dataset: the training set, or its arrays.
        size: the working size in pixels at which the images are read; None for their own.

    Returns:
        Mean and standard deviation in [0, 1] units.

    Raises:
        CourseError: for an empty data set, or one that cannot be read.
    """
    counts = np.zeros((3, 256), dtype=np.int64)
    found: Iterator[NDArray[np.int64]]
    if isinstance(dataset, Arrays) or size is not None:
        found = (_histograms(image) for image in as_arrays(dataset, size).images)
    else:
        found = threaded(
            lambda index: _histograms(dataset.image(index)),
            range(len(dataset)),
            f"reading {dataset.split}",
            threads=dataset.threads,
        )
    for histograms in found:
        counts += histograms
    total = counts.sum(axis=1)
    if not total.all():
        raise CourseError("whitening an empty data set; name a training split that holds photos")
    values = np.arange(256, dtype=np.float64) / 255
    mean = counts @ values / total
    std = np.sqrt((counts * (values - mean[:, None]) ** 2).sum(axis=1) / total)
    std = np.maximum(std, _LEAST_STD)
    return Whitening(_triple(mean), _triple(std))


def class_counts(dataset: FaceDataset | Arrays, size: int | None = None) -> NDArray[np.int64]:
    """How many pixels each class has, in the masks as they are: never through augmentation.

    Args:
        dataset: a labelled data set, or its arrays.
        size: count at this working size instead of the masks' own.

    Returns:
        (num_classes,) int64; ignored pixels are counted nowhere.

    Raises:
        CourseError: when the data set is unlabelled or a mask cannot be read.
    """
    total = np.zeros(256, dtype=np.int64)
    if isinstance(dataset, Arrays) or size is not None:
        label_maps = as_arrays(dataset, size).label_maps
        if label_maps is None:
            raise CourseError("class counts of a split without masks; open a labelled split")
        for label_map in label_maps:
            total += np.bincount(label_map.ravel(), minlength=256)
    else:
        dataset.require_labels()
        found = threaded(
            lambda index: np.bincount(dataset.label_map(index).ravel(), minlength=256),
            range(len(dataset)),
            f"counting {dataset.split}",
            threads=dataset.threads,
        )
        for counts in found:
            total += counts
    return total[: dataset.labels.num_classes]


def as_arrays(dataset: FaceDataset | Arrays, size: int | None) -> Arrays:
    """The arrays of a data set at a size; arrays are passed through if they have that size.

    Raises:
        CourseError: when no size is given, or the arrays have another.
    """
    if isinstance(dataset, Arrays):
        if size is not None and size != dataset.size:
            raise CourseError(
                f"arrays of {dataset.size} pixels where {size} are asked for; make them with "
                f"dataset.arrays({size})"
            )
        return dataset
    if size is None:
        raise CourseError(f"{dataset}: no working size given; pass size= in pixels")
    return dataset.arrays(size)


def _histograms(image: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often each value stands in each channel: (3, 256)."""
    channels = [np.bincount(image[..., c].ravel(), minlength=256) for c in range(3)]
    return np.stack(channels).astype(np.int64)


def _triple(values: NDArray[np.floating]) -> tuple[float, float, float]:
    red, green, blue = (float(v) for v in values)
    return red, green, blue


def describe(root: str | os.PathLike[str], size: int | None = None) -> dict[str, Any]:
    """What `data stats` prints: samples and class counts of each split, whitening of train.

    Args:
        root: the folder of a data set.
        size: the working size in pixels; None for the files' own.

    Returns:
        JSON-able: root, layout, labels, size, whitening (mean, std) or None, and for each split
        its samples, class_counts by name, or None where there are no masks, and left_out: what
        looks like a sample and is not read.

    Raises:
        CourseError: when the folder or one of its files cannot be read.
    """
    folder, layout = find_layout(root)
    splits: dict[str, Any] = {}
    measured = None
    for split in layout.splits(folder):
        dataset = open_dataset(root, split)
        read = dataset if size is None else dataset.arrays(size, landmarks=False)
        counts = class_counts(read).tolist() if dataset.labelled else None
        named = dict(zip(layout.labels.names, counts, strict=True)) if counts else None
        splits[split] = {
            "samples": len(dataset), "class_counts": named, "left_out": list(dataset.left_out),
        }  # fmt: skip
        if split == "train":
            measured = whitening(read)
    return {
        "root": str(folder), "layout": layout.key, "labels": layout.labels.key, "size": size,
        "whitening": None if measured is None else asdict(measured), "splits": splits,
    }  # fmt: skip
