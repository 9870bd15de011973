"""BSPNet as the LaPa paper trains it (section 5.1): SGD under the poly schedule, 473², batch 64.

    coursekit train bspnet --recipe bspnet --data LAPA --size 473 --epochs 150 --out runs/c

Rows of its tables, by what is left out (`--without`, twice for A):

    Table 2   model A        boundary, weight
              model B        weight
              model C        nothing
    Table 3   BSPNet         nothing, on Helen
              BSPNet+LaPa    nothing, on Helen, --start from a model C of LaPa

`python benchmarks/paper_tables.py --paper bspnet --table 2 --data LAPA --out RUNS` trains all rows.

Without `boundary` alone the weight of boundaries stays, in the cross-entropy of the one branch that
is left: a control that the paper lacks.

Readings, where the paper leaves a choice:

- It names no number of epochs; 150 is CE2P's, whose network and balancing it follows.
- It names no augmentation: DML-CSR's is taken, rotation and scale, so that tables of the two papers
  differ by the method alone.
- The poly schedule's power is 0.9; the last weights are used, as the rate ends at 0.
- Weight decay is of all parameters.
- "Synchronised batch normalisation": activated normalisation is synchronised among processes.
- Of Helen the 2,000 exemplars are trained on and the 230 tuning images validate; the paper trains
  on both.
- ImageNet weights and images are put in as `dml_csr` does.
"""

from __future__ import annotations

from typing import Any

from coursekit.optim import PolyConfig
from coursekit.recipes import Recipe, dml_csr
from coursekit.training import BoundarySensitiveConfig, FitConfig

INGREDIENTS = {
    "boundary": "the boundary-aware and the fusion branch, and their losses",
    "weight": "boundary pixels count 201 times in the loss of the prediction",
}


def objective(without: tuple[str, ...]) -> BoundarySensitiveConfig:
    """Eq. 1 without these ingredients."""
    weights = (0.0, 0.0, 1.0) if "boundary" in without else (1.0, 1.0, 2.0)
    return BoundarySensitiveConfig(weights, 0.0 if "weight" in without else 200.0)


def settings(model: str, without: tuple[str, ...]) -> dict[str, Any]:
    """The branches that are trained."""
    return {"branches": "semantic" if "boundary" in without else "three"}


def _configure(
    model: str, size: int, epochs: int, seed: int, without: tuple[str, ...]
) -> FitConfig:
    return FitConfig(
        size=size, epochs=epochs, seed=seed, batch_size=64, objective=objective(without),
        plan=PolyConfig(), augmentation=dml_csr.AUGMENTATION,
    )  # fmt: skip


RECIPE = Recipe(
    ("bspnet",), dml_csr.RULES, INGREDIENTS, _configure, settings, dml_csr.start_imagenet
)
