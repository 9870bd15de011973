"""Ours: the same networks and as many image passes, trained better.

    coursekit run house fastscnn --data ROOT --size 128 --epochs 20 --out runs/house

What each ingredient buys is measured by leaving it out (`--without NAME`), with three seeds; the
table stands in benchmarks/RESULTS.md.
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
    "average": "a running average of the weights, which is what is used in the end",
    "batch": "batches of 4 in place of 2",
    "mirror": "half of the images mirrored, left and right classes swapped",
    "scale": "enlarged by up to 1.5 before the crop, in place of 1.1",
    "lovasz": "the Lovász-Softmax loss added to the cross-entropy",
}


def configure(
    model: str, size: int, epochs: int, seed: int, without: tuple[str, ...] = ()
) -> FitConfig:
    """See `coursekit.recipes`."""
    config = FitConfig(
        size=size,
        epochs=epochs,
        seed=seed,
        batch_size=4,
        optimiser=AveragedCosineConfig(lr=3e-3),
        augmentation=Augmentation(mirror_probability=0.5, scale=(1.0, 1.5)),
        loss="cross_entropy+lovasz",
    )
    for name in without:
        config = _LEAVE_OUT[name](config)
    return config


def _augment(config: FitConfig, **changes: object) -> FitConfig:
    assert config.augmentation is not None
    return replace(config, augmentation=replace(config.augmentation, **changes))  # type: ignore[arg-type]


def _no_average(config: FitConfig) -> FitConfig:
    optimiser = config.optimiser
    if isinstance(optimiser, AveragedCosineConfig):
        optimiser = replace(optimiser, average=0.0)
    return replace(config, optimiser=optimiser)


_LEAVE_OUT: dict[str, Callable[[FitConfig], FitConfig]] = {
    "schedule": lambda config: replace(config, optimiser=AdamToSGDConfig()),
    "average": _no_average,
    "batch": lambda config: replace(config, batch_size=2),
    "mirror": lambda config: _augment(config, mirror_probability=0.0),
    "scale": lambda config: _augment(config, scale=Augmentation().scale),
    "lovasz": lambda config: replace(config, loss="cross_entropy"),
}
