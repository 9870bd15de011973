"""Recipes are settings that differ where they say so, and run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from coursekit import recipes
from coursekit.cli import main
from coursekit.data import SynthDataset
from coursekit.errors import CourseError
from coursekit.models import MODEL_NAMES
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig


@pytest.mark.parametrize("recipe", recipes.RECIPES)
@pytest.mark.parametrize("model", MODEL_NAMES)
def test_sizes_epochs_and_seeds_are_the_caller_s(recipe: str, model: str) -> None:
    config = recipes.configure(recipe, model, 96, 7, 3)
    assert (config.size, config.epochs, config.seed) == (96, 7, 3)


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_the_report_s_settings(model: str) -> None:
    config = recipes.configure("report_table1", model, 512, 120, 42)
    assert config.batch_size == 2 and config.loss == "cross_entropy" and config.weighted
    assert isinstance(config.optimiser, AdamToSGDConfig)
    assert config.optimiser.sgd_t_max == (25 if model in ("deeplabv3plus", "fastscnn") else 50)
    assert config.augmentation is not None and config.augmentation.mirror_probability == 0


@pytest.mark.parametrize("name", recipes.ingredients("house"))
def test_leaving_an_ingredient_out_changes_something_else_each_time(name: str) -> None:
    whole = asdict(recipes.configure("house", "fastscnn", 96, 7, 3))
    without = asdict(recipes.configure("house", "fastscnn", 96, 7, 3, [name]))
    assert whole != without
    others = [n for n in recipes.ingredients("house") if n != name]
    for other in others:
        assert without != asdict(recipes.configure("house", "fastscnn", 96, 7, 3, [other]))
    assert recipes.configure("house", "fastscnn", 96, 7, 3, [*others, name])


@pytest.mark.parametrize("model", MODEL_NAMES)
def test_house_without_anything_is_the_report_s(model: str) -> None:
    report = recipes.configure("report_table1", model, 96, 7, 3)
    bare = recipes.configure("house", model, 96, 7, 3, list(recipes.ingredients("house")))
    assert bare.optimiser == report.optimiser
    for backwards in (False, True):
        names = sorted(recipes.ingredients("house"), reverse=backwards)
        assert recipes.configure("house", model, 96, 7, 3, names) == bare == report


def test_the_schedule_is_left_out_at_the_same_rate() -> None:
    whole = recipes.configure("house", "fastscnn", 96, 7, 3).optimiser
    without = recipes.configure("house", "fastscnn", 96, 7, 3, ["schedule"]).optimiser
    assert isinstance(whole, AveragedCosineConfig) and isinstance(without, AdamToSGDConfig)
    assert without.adam_lr == whole.lr


def test_what_there_is_not_is_named() -> None:
    with pytest.raises(CourseError, match="did you mean 'house'"):
        recipes.configure("hause", "unet", 96, 1, 0)
    with pytest.raises(CourseError, match="no model is called 'fastscn'; did you mean"):
        recipes.configure("house", "fastscn", 96, 1, 0)
    with pytest.raises(CourseError, match="no ingredient 'salt'; it has: schedule"):
        recipes.configure("house", "unet", 96, 1, 0, ["salt"])
    with pytest.raises(CourseError, match="none that can be left out"):
        recipes.configure("report_table1", "unet", 96, 1, 0, ["mirror"])


def test_a_recipe_runs_and_is_scored(tmp_path: Path) -> None:
    train, val = SynthDataset(0, 17, 32), SynthDataset(1, 3, 32, split="val")
    config = recipes.configure("house", "fastscnn", 32, 2, 0)
    made = recipes.run(config, "fastscnn", train, val, tmp_path)
    assert made.passes == 2 * 16  # an incomplete batch is left out
    record = json.loads((tmp_path / "scores.json").read_text())
    assert record["mean_iou"] == made.scores["mean_iou"] > 0
    assert record["epochs"] == 2


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "faces"
    sizes = ["--train", "4", "--val", "2", "--test", "1", "--size", "32"]
    assert main(["data", "make", str(root), *sizes]) == 0
    call = ["run", "report_table1", "fastscnn", "--data", str(root), "--size", "32", "--cpu"]
    assert main([*call, "--epochs", "1", "--out", str(tmp_path / "run")]) == 0
    assert "after 4 image passes" in capsys.readouterr().out
    assert (tmp_path / "run" / "scores.json").is_file()
