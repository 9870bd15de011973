"""Recipes are settings that differ where they say so, and run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from coursekit import models, recipes
from coursekit.cli import main
from coursekit.errors import CourseError
from coursekit.models import BASELINES
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig
from coursekit.training import ParsingConfig

HOUSE = recipes.find("house")


@pytest.mark.parametrize("recipe", recipes.RECIPES)
@pytest.mark.parametrize("model", BASELINES)
def test_sizes_epochs_and_seeds_are_the_caller_s(recipe: str, model: str) -> None:
    config = recipes.configure(recipe, model, 96, 7, 3)
    assert (config.size, config.epochs, config.seed) == (96, 7, 3)


@pytest.mark.parametrize("model", BASELINES)
def test_the_report_s_settings(model: str) -> None:
    config = recipes.configure("report_table1", model, 512, 120, 42)
    assert config.batch_size == 2 and config.objective == ParsingConfig("cross_entropy")
    assert isinstance(config.plan, AdamToSGDConfig)
    assert config.plan.sgd_t_max == (25 if model in ("deeplabv3plus", "fastscnn") else 50)
    assert config.augmentation is not None and config.augmentation.mirror_probability == 0


@pytest.mark.parametrize("name", HOUSE.ingredients)
def test_leaving_an_ingredient_out_changes_something_else_each_time(name: str) -> None:
    whole = asdict(recipes.configure("house", "fastscnn", 96, 7, 3))
    without = asdict(recipes.configure("house", "fastscnn", 96, 7, 3, [name]))
    assert whole != without
    others = [n for n in HOUSE.ingredients if n != name]
    for other in others:
        assert without != asdict(recipes.configure("house", "fastscnn", 96, 7, 3, [other]))
    assert recipes.configure("house", "fastscnn", 96, 7, 3, [*others, name])


@pytest.mark.parametrize("model", BASELINES)
def test_house_without_anything_is_the_report_s(model: str) -> None:
    report = recipes.configure("report_table1", model, 96, 7, 3)
    bare = recipes.configure("house", model, 96, 7, 3, list(HOUSE.ingredients))
    assert bare.plan == report.plan
    for backwards in (False, True):
        names = sorted(HOUSE.ingredients, reverse=backwards)
        assert recipes.configure("house", model, 96, 7, 3, names) == bare == report


def test_the_schedule_is_left_out_at_the_same_rate() -> None:
    whole = recipes.configure("house", "fastscnn", 96, 7, 3).plan
    without = recipes.configure("house", "fastscnn", 96, 7, 3, ["schedule"]).plan
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


def test_a_model_that_is_not_theirs_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_REGISTRY", {**models._REGISTRY, "giant": ("unet", "", "")})
    for name in recipes.RECIPES:
        with pytest.raises(CourseError, match=f"{name} does not serve giant; it serves: unet, "):
            recipes.configure(name, "giant", 96, 1, 0)


def make_faces(root: Path, train: int) -> None:
    sizes = ["--train", str(train), "--val", "2", "--test", "1", "--size", "32"]
    assert main(["data", "make", str(root), *sizes]) == 0


def test_a_recipe_is_trained_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_faces(tmp_path / "faces", 9)
    call = ["train", "fastscnn", "--recipe", "house", "--data", str(tmp_path / "faces"), "--size"]
    assert main([*call, "32", "--epochs", "2", "--cpu", "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().out
    assert "after 16 image passes; weights from scratch" in told  # an incomplete batch is left out
    assert f"{tmp_path}/run/scores.json" in told
    record = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert (record["recipe"], record["model"], record["epochs"]) == ("house", "fastscnn", 2)
    assert record["passes"] == 16 and record["images"] == 2 and 0 < record["mean_iou"] < 1
    assert record["config"]["num_classes"] == 19
    assert (record["without"], record["size"], record["seed"]) == ([], 32, 42)
    call = [*call, "32", "--epochs", "1", "--cpu", "--without", "mirror", "--without", "batch"]
    assert main([*call, "--out", str(tmp_path / "less")]) == 0
    assert "house without batch, mirror, fastscnn: mean IoU" in capsys.readouterr().out
    assert json.loads((tmp_path / "less" / "scores.json").read_text())["without"] == [
        "batch", "mirror",
    ]  # fmt: skip


def test_what_a_recipe_decides_is_not_asked_for_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["train", "unet", "--data", str(tmp_path), "--out", str(tmp_path / "run")]
    assert main([*call, "--recipe", "house", "--lr", "0.1", "--unweighted"]) == 2
    assert "--lr, --unweighted: the recipe house decides this" in capsys.readouterr().err
    assert main([*call, "--recipe", ""]) == 2
    assert "no recipe is called ''" in capsys.readouterr().err
    assert main([*call, "--set", "name=unet"]) == 2
    assert "write NAME=VALUE" in capsys.readouterr().err
    assert main([*call, "--without", "mirror"]) == 2
    assert "name one with --recipe" in capsys.readouterr().err


def test_run_says_what_it_has_become(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "house", "fastscnn", "--data", "faces", "--out", "runs/house"]) == 2
    told = capsys.readouterr().err
    assert "coursekit train fastscnn --recipe house --data faces --out runs/house" in told
    assert main(["run", "--data", "my faces", "house", "unet"]) == 2
    assert "coursekit train MODEL --recipe NAME --data 'my faces'" in capsys.readouterr().err
    assert main(["run"]) == 2
    assert "coursekit train MODEL --recipe NAME" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "\n    run " not in capsys.readouterr().out
