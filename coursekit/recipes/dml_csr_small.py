"""`dml_csr` for a laptop: the same ingredients on a small network, by AdamW, from scratch.

    coursekit train dml_csr --recipe dml_csr_small --data faces --size 64 --epochs 10 --out runs/d

SGD at the paper's rate and batch hardly moves a fresh network in a thousand images. So: AdamW at
0.01 under a cosine to 0, cycles at a fifth of that, batches of 8, and `coursekit.models.dml_csr.
SMALL`, 0.8 M weights. What each ingredient is worth so stands in benchmarks/RESULTS.md.
"""

from __future__ import annotations

from typing import Any

from coursekit.recipes import FROM_SCRATCH, Recipe, dml_csr
from coursekit.training import FitConfig


def _configure(
    model: str, size: int, epochs: int, seed: int, without: tuple[str, ...]
) -> FitConfig:
    return FitConfig(
        size=size, epochs=epochs, seed=seed, batch_size=8, objective=dml_csr.objective(without),
        plan=dml_csr.plan(
            epochs, without, optimiser="adamw", lr=1e-2, weight_decay=0.01, schedule="cosine",
            cycle_lr=2e-3,
        ),
        augmentation=dml_csr.AUGMENTATION,
    )  # fmt: skip


def _settings(model: str, without: tuple[str, ...]) -> dict[str, Any]:
    from coursekit.models.dml_csr import SMALL

    small = SMALL if model == "dml_csr" else {}
    return {**small, **dml_csr.settings(model, without)}


RECIPE = Recipe(dml_csr.MODELS, FROM_SCRATCH, dml_csr.INGREDIENTS, _configure, _settings)
