"""Recipes: how a result is trained, one file each. `coursekit train MODEL --recipe NAME …`.

A recipe is a module with `RECIPE`, which says which models it serves, under which rules, what can
be left out of it for an ablation, how it makes the network, and how it sets up a run.
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

RECIPES = ("report_table1", "house", "dml_csr", "dml_csr_small", "bspnet", "bspnet_small")

#: The competition's rules, which the recipes of the four baselines keep to.
FROM_SCRATCH = "weights from scratch, no other data, one model"
#: What stands in their place where a run began with another's weights.
BEGUN_ELSEWHERE = "not from scratch: another run's weights, and what that run saw, are in it"
_FRESH = "From scratch."


def no_settings(model: str, without: tuple[str, ...]) -> Mapping[str, Any]:
    """The model's own defaults."""
    return {}


def fresh(network: nn.Module) -> str:
    """A network keeps the weights that it was made with."""
    return _FRESH


@dataclass(frozen=True)
class Recipe:
    """How a result is trained.

    Attributes:
        models: names of those that it serves.
        rules: under which its results stand.
        ingredients: what can be left out, and what each is.
        configure: (model, size, epochs, seed, without) → the settings of a run.
        settings: (model, without) → settings of the network, where they are not its defaults.
        start: puts the weights into a network that it starts from, and says which.
    """

    models: tuple[str, ...]
    rules: str
    ingredients: Mapping[str, str]
    configure: Callable[[str, int, int, int, tuple[str, ...]], FitConfig]
    settings: Callable[[str, tuple[str, ...]], Mapping[str, Any]] = no_settings
    start: Callable[[nn.Module], str] = fresh


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
    recipe = _serving(name, model, without)
    return recipe.configure(model, size, epochs, seed, tuple(without))


def settings(name: str, model: str, without: Sequence[str] = ()) -> dict[str, Any]:
    """The settings that a recipe makes a network with, for `create_model`; others are its defaults.

    Args:
        name: one of `RECIPES`.
        model: the name of a model that it serves.
        without: ingredients to leave out.

    Raises:
        CourseError: as `configure`.
    """
    return dict(_serving(name, model, without).settings(model, tuple(without)))


def start(name: str, network: nn.Module) -> str:
    """Put the weights into a network that a recipe starts from.

    Args:
        name: one of `RECIPES`.
        network: that its settings made.

    Returns:
        Which weights they are, in a sentence for the user.
    """
    return find(name).start(network)


def _serving(name: str, model: str, without: Sequence[str]) -> Recipe:
    """The recipe, which serves the model and has what is to be left out."""
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
    return recipe


def score(
    name: str,
    network: nn.Module,
    result: FitResult,
    config: FitConfig,
    train: FaceDataset,
    val: FaceDataset,
    out: str | Path,
    without: Sequence[str] = (),
    started: str | None = None,
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
        started: what `start` said of the weights.

    Returns:
        What scores.json holds: recipe and settings, rules, what it started from, model, epochs,
        passes (images that went through the network in training), and `Evaluation.summary`.
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
        "rules": _rules(find(name), started),
        "started": started,
        "model": result.info.model,
        "config": result.info.config,
        "passes": epochs * max(len(train) - len(train) % size, min(len(train), size)),
        "epochs": epochs,
        **evaluate(network, val, result.info).summary(),
    }
    write_text(Path(out) / "scores.json", json.dumps(record, indent=2) + "\n")
    return record


def _rules(recipe: Recipe, started: str | None) -> str:
    """What may be said of a run that began so."""
    fresh_start = started is None or started == _FRESH
    return recipe.rules if fresh_start or recipe.rules != FROM_SCRATCH else BEGUN_ELSEWHERE
