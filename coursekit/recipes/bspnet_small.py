"""`bspnet` for a laptop: the same ingredients on a small network, by AdamW, from scratch.

    coursekit train bspnet --recipe bspnet_small --data faces --size 96 --epochs 10 --out runs/b

As `dml_csr_small`: AdamW at 0.01 under a cosine to 0, batches of 8, and `coursekit.models.bspnet.
SMALL`, 0.9 M weights. What each ingredient is worth so stands in benchmarks/RESULTS.md.
"""

from __future__ import annotations

from typing import Any

from coursekit.optim import AveragedCosineConfig
from coursekit.recipes import FROM_SCRATCH, Recipe, bspnet, dml_csr
from coursekit.training import FitConfig


def _configure(
    model: str, size: int, epochs: int, seed: int, without: tuple[str, ...]
) -> FitConfig:
    return FitConfig(
        size=size, epochs=epochs, seed=seed, batch_size=8, objective=bspnet.objective(without),
        plan=AveragedCosineConfig(lr=1e-2, average=0.0), augmentation=dml_csr.AUGMENTATION,
    )  # fmt: skip


def _settings(model: str, without: tuple[str, ...]) -> dict[str, Any]:
    from coursekit.models.bspnet import SMALL

    return {**SMALL, **bspnet.settings(model, without)}


RECIPE = Recipe(("bspnet",), FROM_SCRATCH, bspnet.INGREDIENTS, _configure, _settings)
