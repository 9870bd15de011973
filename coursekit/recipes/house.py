"""Ours: the same networks and as many image passes, trained better.

    coursekit run house fastscnn --data ROOT --size 128 --epochs 20 --out runs/house

What each ingredient buys is measured by leaving it out (`--without NAME`); the table, with
the seeds that each row has so far, stands in benchmarks/RESULTS.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coursekit.data import Augmentation
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig
from coursekit.training import FitConfig

if TYPE_CHECKING:
    from collections.abc import Callable

INGREDIENTS: dict[str, str] = {
    "schedule": "AdamW under one cosine to 0, in place of Adam, then SGD, by patience",
    "rate": "the highest rate that the network bears, in place of Adam's 0.001",
    "lovasz": "the Lovász-Softmax loss added to the cross-entropy",
    "gentle": "no blur and a third of the noise",
    "mirror": "half of the images mirrored, left and right classes swapped",
    "batch": "batches of 4 in place of 2",
    "average": "a running average of the weights, which is what is used in the end",
}

# Found on 500 photographs at 48² in three epochs, FastSCNN's at 96² in eight. Batch normalisation
# bears long steps; U-Net has none.
_RATES = {"unet": 0.003, "deeplabv3plus": 0.01, "fastscnn": 0.02, "segformer": 0.003}


def configure(
    model: str, size: int, epochs: int, seed: int, without: tuple[str, ...] = ()
) -> FitConfig:
    """See `coursekit.recipes`."""
    config = FitConfig(
        size=size,
        epochs=epochs,
        seed=seed,
        batch_size=4,
        optimiser=AveragedCosineConfig(lr=_RATES[model]),
        augmentation=Augmentation(mirror_probability=0.5, blur_probability=0.0, noise=0.01),
        loss="cross_entropy+lovasz",
    )
    for name in without:
        config = _LEAVE_OUT[name](config)
    return config


def _augment(config: FitConfig, **changes: object) -> FitConfig:
    assert config.augmentation is not None
    return replace(config, augmentation=replace(config.augmentation, **changes))  # type: ignore[arg-type]


def _optimise(config: FitConfig, **changes: float) -> FitConfig:
    optimiser = config.optimiser
    if isinstance(optimiser, AveragedCosineConfig):  # it may have been left out before
        optimiser = replace(optimiser, **changes)
    return replace(config, optimiser=optimiser)


_LEAVE_OUT: dict[str, Callable[[FitConfig], FitConfig]] = {
    "schedule": lambda config: replace(config, optimiser=AdamToSGDConfig()),
    "rate": lambda config: _optimise(config, lr=0.001),
    "lovasz": lambda config: replace(config, loss="cross_entropy"),
    "gentle": lambda config: _augment(
        config, blur_probability=Augmentation().blur_probability, noise=Augmentation().noise
    ),
    "mirror": lambda config: _augment(config, mirror_probability=0.0),
    "batch": lambda config: replace(config, batch_size=2),
    "average": lambda config: _optimise(config, average=0.0),
}
