"""Ours: the same networks and as many image passes, trained better.

    coursekit run house fastscnn --data ROOT --size 128 --epochs 20 --out runs/house

What each ingredient buys is measured by leaving it out (`--without NAME`), which puts the report's
choice in its place; the table stands in benchmarks/RESULTS.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coursekit.data import Augmentation
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig
from coursekit.recipes import report_table1
from coursekit.training import FitConfig

if TYPE_CHECKING:
    from collections.abc import Callable

INGREDIENTS: dict[str, str] = {
    "schedule": "AdamW under one cosine to 0, in place of Adam, then SGD, by patience",
    "rate": "a rate of the network's own (FastSCNN: 0.02), in place of Adam's 0.001",
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
    report = report_table1.configure(model, size, epochs, seed)
    for name in without:
        config = _LEAVE_OUT[name](config, report)
    return config


def _without_schedule(config: FitConfig, report: FitConfig) -> FitConfig:
    """The report's pipeline at this recipe's rate; it has no average."""
    ours, theirs = config.optimiser, report.optimiser
    assert isinstance(theirs, AdamToSGDConfig)
    rate = ours.lr if isinstance(ours, AveragedCosineConfig) else ours.adam_lr
    return replace(config, optimiser=replace(theirs, adam_lr=rate))


def _without_rate(config: FitConfig, report: FitConfig) -> FitConfig:
    ours, theirs = config.optimiser, report.optimiser
    assert isinstance(theirs, AdamToSGDConfig)
    if isinstance(ours, AdamToSGDConfig):  # the schedule has been left out, too
        return replace(config, optimiser=replace(ours, adam_lr=theirs.adam_lr))
    return replace(config, optimiser=replace(ours, lr=theirs.adam_lr))


def _without_average(config: FitConfig, _: FitConfig) -> FitConfig:
    ours = config.optimiser
    if isinstance(ours, AdamToSGDConfig):
        return config
    return replace(config, optimiser=replace(ours, average=0.0))


def _augmented_as(report: FitConfig, config: FitConfig, *names: str) -> FitConfig:
    """With these settings of the report's augmentation."""
    assert config.augmentation is not None
    theirs = {name: getattr(report.augmentation, name) for name in names}
    return replace(config, augmentation=replace(config.augmentation, **theirs))


_LEAVE_OUT: dict[str, Callable[[FitConfig, FitConfig], FitConfig]] = {
    "schedule": _without_schedule,
    "rate": _without_rate,
    "lovasz": lambda config, report: replace(config, loss=report.loss),
    "gentle": lambda config, report: _augmented_as(report, config, "blur_probability", "noise"),
    "mirror": lambda config, report: _augmented_as(report, config, "mirror_probability"),
    "batch": lambda config, report: replace(config, batch_size=report.batch_size),
    "average": _without_average,
}
