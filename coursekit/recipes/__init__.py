"""Recipes: how a result is trained, one file each. `coursekit run NAME MODEL --data ROOT …`.

A recipe is a module with `INGREDIENTS` (name → what it is) and

    configure(model, size, epochs, seed, without=()) -> FitConfig

where `without` names ingredients to leave out, for an ablation. All recipes keep to the
competition's rules: weights from scratch, no external data, one model.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.models import check_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from coursekit.data import FaceDataset
    from coursekit.training import FitConfig

RECIPES = ("report_table1", "house")


@dataclass(frozen=True)
class Outcome:
    """What a recipe's run came to.

    Attributes:
        out: the folder with model.safetensors, history.jsonl and scores.json.
        scores: of the validation set, at the size of its masks; see `Evaluation.summary`.
        passes: images that went through the network in training.
    """

    out: Path
    scores: dict[str, Any]
    passes: int


def ingredients(recipe: str) -> dict[str, str]:
    """What can be left out of a recipe, and what it is."""
    found: dict[str, str] = _module(recipe).INGREDIENTS
    return found


def configure(
    recipe: str, model: str, size: int, epochs: int, seed: int, without: Sequence[str] = ()
) -> FitConfig:
    """The settings of a recipe.

    Args:
        recipe: one of `RECIPES`.
        model: the name of a model; some settings are a model's own.
        size: working size, in pixels.
        epochs: passes over the training set, at most.
        seed: of everything random.
        without: ingredients to leave out.

    Raises:
        CourseError: for an unknown recipe, model or ingredient.
    """
    module = _module(recipe)
    check_name(model)
    for name in without:
        if name not in module.INGREDIENTS:
            listed = ", ".join(module.INGREDIENTS) or "none that can be left out"
            raise CourseError(f"{recipe} has no ingredient {name!r}; it has: {listed}")
    config: FitConfig = module.configure(model, size, epochs, seed, tuple(without))
    return config


def run(
    config: FitConfig,
    model: str,
    train: FaceDataset,
    val: FaceDataset,
    out: str | Path,
    *,
    resume: bool = False,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
) -> Outcome:
    """Train a model by a recipe's settings and score it on the validation set.

    Args:
        config: from `configure`.
        model: the name of the model; its weights are drawn with the configuration's seed.
        train: labelled images to learn from.
        val: labelled images to score on.
        out: a folder for the run; scores.json is written there last.
        resume: go on with the run in `out`.
        on_epoch: see `fit`.
    """
    import torch

    from coursekit.files import write_text
    from coursekit.models import create_model
    from coursekit.training import evaluate, fit

    torch.manual_seed(config.seed)
    network = create_model(model, num_classes=train.labels.num_classes)
    result = fit(network, train, val, config, out, resume=resume, on_epoch=on_epoch)
    assert result.info is not None
    scores = evaluate(network, val, result.info).summary()
    size = config.batch_size
    passes = len(result.history) * max(len(train) - len(train) % size, min(len(train), size))
    record = {"model": model, "passes": passes, "epochs": len(result.history), **scores}
    write_text(Path(out) / "scores.json", json.dumps(record, indent=2) + "\n")
    return Outcome(Path(out), scores, passes)


def _module(recipe: str) -> Any:
    if recipe not in RECIPES:
        near = difflib.get_close_matches(recipe, RECIPES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise CourseError(f"no recipe is called {recipe!r}; {hint}there are: {', '.join(RECIPES)}")
    return import_module(f"{__name__}.{recipe}")
