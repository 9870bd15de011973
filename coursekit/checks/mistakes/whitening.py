"""Known mistakes in the mean and the deviation for whitening, of lesson 01."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mistakes = list[tuple[Any, str]]
    Pixels = NDArray[np.float64]

_ROOT = (
    "a root of less than 0: mean of the squares minus square of the mean, from floats "
    "(squares of uint8 begin again after 255)"
)
_WITHIN = "the images' variances ignore that images differ"
_SQUARE = "square each pixel before you sum: `values**2`, not the sum or the mean squared"


def whitened_otherwise(each: list[Pixels]) -> Mistakes:
    """What is taken for the mean of two images of numbers up to 1."""
    pixels = np.concatenate([image.reshape(-1, 3) for image in each])
    mean = pixels.mean(0)
    rows = np.array([np.concatenate([i[c].ravel() for i in each]).mean() for c in range(3)])
    thirds = np.concatenate([image.reshape(3, -1) for image in each], 1).mean(1)
    mixed = "`reshape(3, -1)` mixes the channels, which come last: `reshape(-1, 3)`"
    return [
        (mean * 255, "the mean is in grey levels: divide by 255"),
        (mean / 255, "divided by 255 twice"),
        (pixels.std(0), "this is the deviation: the mean comes first"),
        (
            np.mean([image.mean((0, 1)) for image in each], 0),
            "the mean of means: small images count too much",
        ),
        (mean[::-1], "the channels are in another order: keep red, green, blue"),
        (mean * len(pixels) / 256, "divided by the number of grey levels: by that of pixels"),
        *(
            (np.where(np.arange(3) == c, lost, mean), f"channel {c} is left out: they are 0, 1, 2")
            for c in (0, 2)
            for lost in (np.nan, 0)
        ),
        *((mean + n / 255, "grey levels are 0 to 255: `np.arange(256)`") for n in (-1, 1)),
        (mean * 255 / 256, "the values go up to 255: divide by 255, not by 256"),
        (each[0].mean((0, 1)), "only the first image is counted: go through all"),
        (each[1].mean((0, 1)), "only the last image is counted: add the histograms up"),
        (np.median(pixels, 0), "this is the median: take the mean"),
        (mean / 3, "divided by three channels' pixels: each channel has its own total"),
        (mean * len(pixels) / len(each), "divided by the number of images: by that of pixels"),
        (mean * len(pixels), "this is a sum: divide by the number of pixels"),
        (mean * len(pixels) * 255, "this is a sum: divide by the number of pixels, and by 255"),
        (rows, "`image[c]` is a row of pixels: a channel is `image[..., c]`"),
        *((wrong, mixed) for wrong in (thirds, pixels.reshape(3, -1).mean(1))),
        (np.full(3, pixels.mean()), "all channels are put together: a mean for each of them"),
        (np.zeros(3), "this is the mean after whitening: give the one that is taken off"),
        *((mean.round(n), "these numbers are rounded: round nothing") for n in range(1, 5)),
        ((0.485, 0.456, 0.406), "these are ImageNet's numbers: your images have their own"),
    ]


def deviated_otherwise(each: list[Pixels]) -> Mistakes:
    """What is taken for the standard deviation of two images of numbers up to 1."""
    pixels = np.concatenate([image.reshape(-1, 3) for image in each])
    number, mean, std = len(pixels), pixels.mean(0), pixels.std(0)
    squares, within = (pixels**2).mean(0), [image.var((0, 1)) for image in each]
    shares = [image[..., 0].size / number for image in each]
    sums = np.sum([image.sum((0, 1)) ** 2 for image in each], 0)
    small = (np.round(pixels * 255).astype(np.uint8) ** 2).mean(0) / 255**2  # they begin again
    with np.errstate(invalid="ignore"):
        return [
            (
                np.mean(np.sqrt(within), 0),
                "the mean of the images' deviations ignores that images differ",
            ),
            (np.sqrt(np.mean(within, 0)), _WITHIN),
            (np.sqrt(np.average(within, 0, shares)), _WITHIN),
            (std * 255, "the deviation is in grey levels: divide by 255"),
            (std**2, "this is the variance: take its root"),
            (std**2 * 255, "take the root of the variance, and then divide by 255"),
            (std**2 * 255**2, "this is the variance of grey levels: take its root, divide by 255"),
            (std / 255, "divided by 255 twice"),
            (std * 255**0.5, "the variance of grey levels has 255**2: divide the root by 255"),
            (std**0.5, "the root is taken twice"),
            (
                np.std([image.mean((0, 1)) for image in each], 0),
                "the images' means alone: pixels vary within, too",
            ),
            (
                np.abs(pixels - mean).mean(0),
                "this is the mean distance: squares, then the root",
            ),
            (pixels.std(0, ddof=1), "you divided by N - 1 (`ddof=1`): the equation divides by N"),
            (np.sqrt(squares), "the square of the mean is not taken off"),
            (np.sqrt(squares + mean**2), "the square of the mean is taken off, not added"),
            (np.sqrt(squares) - mean, "the root comes last: of what is left after - mean²"),
            (np.sqrt(mean**2 * number - mean**2), _SQUARE),
            (np.sqrt(sums / number - mean**2), _SQUARE),
            (
                np.sqrt(squares * number - mean**2) / number,
                "divide the sum of the squares by N, below the root; then take mean² off",
            ),
            (np.zeros(3), _SQUARE),
            (np.full(3, np.nan), f"the deviation is not a number: {_ROOT}"),
            (std * number**0.5, "a mean of the squares, not their sum: divide by N"),
            *((std.round(n), "these numbers are rounded: round nothing") for n in range(1, 5)),
            (std / number**0.5, "this is the mean's error: divide by no root of N"),
            (np.full(3, pixels.std()), "all channels are put together: one for each of them"),
            (np.ones(3), "this is the deviation after whitening: give the one to divide by"),
            (1 / std, "this is 1 / σ: give σ"),
            (mean, "this is the mean again: the deviation comes second"),
            (
                np.sqrt(np.abs(small - mean**2)),
                "squares of uint8 begin again after 255: make numbers of it first",
            ),
        ]
