"""Known mistakes in the exercises of lesson 01: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mistakes = list[tuple[Any, str]]

#: Messages of ValueError while classes are counted, and what is behind them.
UNCOUNTED = (
    (r"\(256,\)", "255 is no class: take it out before you count"),
    (r"\(20,\)", "there is a count more than classes: minlength=num_classes"),
    ("could not be broadcast", "maps without the last classes give shorter counts: use minlength"),
    ("object too deep", "`np.bincount` wants a flat array: `.ravel()`"),
    ("must match exactly", "maps differ in size: flatten each of them before you join them"),
    ("inhomogeneous|the same shape", "these make no one array, since they differ in length"),
)


def counted_otherwise(right: NDArray[np.int64], first: int, last: int) -> Mistakes:
    """Known mistakes in the counts of two maps; `first` and `last` are their background."""
    return [
        (right / right.sum(), "these are shares: keep pixels, Eq. 2 needs them"),
        (right * (np.arange(len(right)) > 0), "class 0 is left out: it counts like the others"),
        (np.where(np.arange(len(right)) > 0, 0, last), "only the last map is counted: add them up"),
        (np.where(np.arange(len(right)) > 0, right, first), "only the first map is counted"),
    ]


def whitened_otherwise(each: list[NDArray[np.float64]]) -> Mistakes:
    """What is taken for the mean of two images of numbers up to 1."""
    pixels = np.concatenate([image.reshape(-1, 3) for image in each])
    mean = pixels.mean(0)
    return [
        (mean * 255, "the mean is in grey levels: divide by 255"),
        (pixels.std(0), "this is the deviation: the mean comes first"),
        (
            np.mean([image.mean((0, 1)) for image in each], 0),
            "the mean of means: small images count too much",
        ),
        (mean[::-1], "the channels are in another order: keep red, green, blue"),
        (mean * 255 / 256, "the values go up to 255: divide by 255, not by 256"),
        (each[0].mean((0, 1)), "only the first image is counted: go through all"),
        (each[1].mean((0, 1)), "only the last image is counted: add the histograms up"),
        (np.median(pixels, 0), "this is the median: take the mean"),
    ]
