"""Recipes: how a result is trained, one file each. `coursekit train MODEL --recipe NAME …`.

A recipe is a module with `RECIPE`, which says which models it serves, under which rules, what can
be left out of it for an ablation, and how it sets up a run.
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
    from collections.abc import Callable, Mapping, Sequence

    from torch import nn

    from coursekit.data import FaceDataset
    from coursekit.training import FitConfig, FitResult

RECIPES = ("report_table1", "house")

#: The competition's rules, which the recipes of the four baselines keep to.
FROM_SCRATCH = "weights from scratch, no other data, one model"


@dataclass(frozen=True)
class Recipe:
    """How a result is trained.

    Attributes:
        models: names of those that it serves.
        rules: under which its results stand.
        ingredients: what can be left out, and what each is.
        configure: (model, size, epochs, seed, without) → the settings of a run.
    """

    models: tuple[str, ...]
    rules: str
    ingredients: Mapping[str, str]
    configure: Callable[[str, int, int, int, tuple[str, ...]], FitConfig]


def find(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        CourseError: when there is none.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise CourseError(f"no recipe is called {name!r}; {hint}there are: {', '.join(RECIPES)}")
    recipe: Recipe = import_module(f"{__name__}.{name}").RECIPE
    return recipe


def configure(
    name: str, model: str, size: int, epochs: int, seed: int, without: Sequence[str] = ()
) -> FitConfig:
    """The settings of a recipe.

    Args:
        name: one of `RECIPES`.
        model: the name of a model that it serves; some settings are a model's own.
        size: working size, in pixels.
        epochs: passes over the training set, at most.
        seed: of everything random.
        without: ingredients to leave out.

    Raises:
        CourseError: for an unknown recipe, model or ingredient, or a model that is not served.
    """
    recipe = find(name)
    check_name(model)
    if model not in recipe.models:
        raise CourseError(
            f"{name} does not serve {model}; it serves: {', '.join(recipe.models)}. Name one of "
            "them, or train without --recipe"
        )
    for ingredient in without:
        if ingredient not in recipe.ingredients:
            listed = ", ".join(recipe.ingredients) or "none that can be left out"
            raise CourseError(f"{name} has no ingredient {ingredient!r}; it has: {listed}")
    return recipe.configure(model, size, epochs, seed, tuple(without))


def score(
    name: str,
    network: nn.Module,
    result: FitResult,
    config: FitConfig,
    train: FaceDataset,
    val: FaceDataset,
    out: str | Path,
    without: Sequence[str] = (),
) -> dict[str, Any]:
    """Score what a recipe's run left, on the validation set at the size of its masks.

    Args:
        name: of the recipe.
        network: what `fit` trained.
        result: what `fit` returned.
        config: of the run.
        train: what it was trained on.
        val: what to score on.
        out: the run's folder; scores.json is written there.
        without: ingredients that were left out.

    Returns:
        What scores.json holds: recipe and settings, rules, model, epochs, passes (images that
        went through the network in training), and `Evaluation.summary`.
    """
    from coursekit.files import write_text
    from coursekit.training import evaluate

    assert result.info is not None
    size, epochs = config.batch_size, len(result.history)
    record = {
        "recipe": name,
        "without": sorted(set(without)),
        "size": config.size,
        "seed": config.seed,
        "rules": find(name).rules,
        "model": result.info.model,
        "config": result.info.config,
        "passes": epochs * max(len(train) - len(train) % size, min(len(train), size)),
        "epochs": epochs,
        **evaluate(network, val, result.info).summary(),
    }
    write_text(Path(out) / "scores.json", json.dumps(record, indent=2) + "\n")
    return record
