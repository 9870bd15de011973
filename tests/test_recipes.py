"""Recipes are settings that differ where they say so, and run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from coursekit import models, recipes
from coursekit.cli import main
from coursekit.commands.train import tell_untrained
from coursekit.errors import CourseError
from coursekit.models import BASELINES
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig, SelfRegulationConfig
from coursekit.recipes import dml_csr
from coursekit.training import FitConfig, MultiTaskConfig, ParsingConfig

HOUSE = recipes.find("house")


@pytest.mark.parametrize(
    ("recipe", "model"), [(r, m) for r in recipes.RECIPES for m in recipes.find(r).models]
)
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
        with pytest.raises(CourseError, match=f"{name} does not serve giant; it serves: [a-z_0-9]"):
            recipes.configure(name, "giant", 96, 1, 0)


DML = ("context", "binary", "category", "attention", "self_regulation")


def test_dml_csr_has_the_paper_s_settings() -> None:
    config = recipes.configure("dml_csr", "dml_csr", 473, 200, 0)
    assert config.batch_size == 28 and config.objective == MultiTaskConfig()
    assert config.plan == SelfRegulationConfig(
        150, 5, 10, lr=1e-3, momentum=0.9, weight_decay=5e-4, cycle_lr=1e-5, schedule="poly"
    )
    augmentation = config.augmentation
    assert augmentation is not None
    assert (augmentation.scale, augmentation.rotation) == ((0.75, 1.25), 30)
    assert not augmentation.mirror_probability and not augmentation.noise and not augmentation.hue
    assert tuple(recipes.find("dml_csr").ingredients) == DML
    for name in ("dml_csr", "dml_csr_small"):
        assert recipes.settings(name, "dml_csr").items() >= {"edge_heads": "both"}.items()
        assert "context" not in recipes.settings(name, "dml_csr")
    assert "not the competition's rules" in recipes.find("dml_csr").rules


@pytest.mark.parametrize("recipe", ["dml_csr", "dml_csr_small"])
@pytest.mark.parametrize(
    ("row", "without", "edges", "terms"),
    [
        ("baseline", DML, "none", ()),
        ("p", DML[1:], "none", ()),
        ("p+b", ("category", "attention", "self_regulation"), "binary", ("binary",)),
        ("p+b+ba", ("category", "self_regulation"), "binary", ("binary", "attention_binary")),
        ("p+c+ca", ("binary", "self_regulation"), "category", ("category", "attention_category")),
        ("p+b+c", ("attention", "self_regulation"), "both", ("binary", "category")),
        ("all", (), "both", ("binary", "category", "attention_binary", "attention_category")),
    ],
)
def test_rows_of_the_paper_s_tables_are_ingredients_left_out(
    recipe: str, row: str, without: tuple[str, ...], edges: str, terms: tuple[str, ...]
) -> None:
    config = recipes.configure(recipe, "dml_csr", 64, 20, 0, without)
    on = {n for n in ("binary", "category", "attention_binary", "attention_category")
          if getattr(config.objective, n)}  # fmt: skip
    assert on == set(terms)
    settings = recipes.settings(recipe, "dml_csr", without)
    assert settings["edge_heads"] == edges
    assert settings.get("context") == ("none" if row == "baseline" else None)
    assert config.plan.cycles == (5 if row == "all" else 0)
    assert config.plan.epochs == 20  # the same passes


def test_cycles_have_at_most_a_quarter_of_all_epochs() -> None:
    for epochs in range(4, 300):
        first, count, each = dml_csr.cycles(epochs)
        assert first + count * each == epochs and 1 <= count <= 5 and each >= 1
        assert epochs / 8 - 1 < count * each <= epochs / 4


def test_what_dml_csr_cannot_do_is_told() -> None:
    with pytest.raises(CourseError, match="3 epochs are too few for self-regulation"):
        recipes.configure("dml_csr", "dml_csr", 473, 3, 0)
    recipes.configure("dml_csr", "dml_csr", 473, 3, 0, ["self_regulation"])
    with pytest.raises(CourseError, match="fastscnn has a context of its own"):
        recipes.settings("dml_csr", "fastscnn", ["context"])
    assert recipes.settings("dml_csr_small", "fastscnn") == {"edge_heads": "both"}
    assert recipes.settings("house", "unet") == {}
    with pytest.raises(CourseError, match="does not serve unet"):
        recipes.settings("dml_csr", "unet")
    network = models.create_model("fastscnn", edge_heads="both")
    for name in ("dml_csr", "house"):
        assert recipes.start(name, network).startswith("From scratch")


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


def test_dml_csr_is_trained_by_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By both recipes: the small network, and one so small that no ImageNet weights fit it."""
    make_faces(tmp_path / "faces", 6)
    call = ["train", "dml_csr", "--data", str(tmp_path / "faces"), "--size", "64", "--cpu"]
    tiny = ["--set", "stem=(4,4,8)", "--set", "widths=(4,4,4,4)", "--set", "blocks=(1,1,1,1)",
            "--set", "context_channels=8", "--set", "head_channels=8"]  # fmt: skip
    small = [*call, "--recipe", "dml_csr_small", "--epochs", "1", "--without", "self_regulation",
             "--set", "context=psp"]  # fmt: skip
    assert main([*small, "--out", str(tmp_path / "small"), *tiny]) == 0
    told = capsys.readouterr().out
    assert "From scratch.\n" in told and "Not trained" not in told
    what = "dml_csr_small without self_regulation, dml_csr, --set context=psp stem=(4,4,8) "
    assert what in told
    assert main([*small, "--out", str(tmp_path / "small"), *tiny, "--resume"]) == 0
    told = capsys.readouterr().out
    assert f"Goes on with the run in {tmp_path / 'small'}." in told and "From" not in told
    record = json.loads((tmp_path / "small" / "scores.json").read_text())
    assert record["config"]["context"] == "psp" and record["config"]["edge_heads"] == "both"
    assert record["config"]["low_level"] == 16  # of the recipe
    whole = [*call, "--recipe", "dml_csr", "--epochs", "4"]
    assert main([*whole, "--out", str(tmp_path / "whole"), *tiny]) == 0
    told = capsys.readouterr().out
    assert "No ImageNet weights: there are none for an encoder of these sizes" in told
    columns = {line.index("loss") for line in told.splitlines() if line.startswith("epoch")}
    assert len(columns) == 1  # below each other in all phases
    assert "cycle 1 of 1" in told and "dml_csr, dml_csr, --set stem" in told
    lines = told.splitlines()
    first = next(n for n, line in enumerate(lines) if "cycle 1 of 1" in line)
    assert "loss is against the teacher (Eq. 7)" in lines[first - 1]
    assert lines[first].endswith("M in use") and "improved" not in lines[first]
    assert "in use: epoch 4 (M of cycle 1 of 1)" in told
    record = json.loads((tmp_path / "whole" / "scores.json").read_text())
    assert "From scratch" in record["started"] and record["config"]["context"] == "ddgcn"


def test_a_resumed_run_remembers_what_it_started_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_faces(tmp_path / "faces", 4)
    call = ["train", "fastscnn", "--data", str(tmp_path / "faces"), "--size", "32", "--epochs", "1",
            "--recipe", "house", "--cpu", "--out", str(tmp_path / "run")]  # fmt: skip
    with monkeypatch.context() as here:
        here.setattr(recipes, "start", lambda name, network: "From weights of this machine.")
        assert main(call) == 0
    capsys.readouterr()
    for folder, why in (("run", "holds a run already"), ("faces/made-by-coursekit.json", "cannot")):
        assert main([*call[:-1], str(tmp_path / folder)]) == 2
        told = capsys.readouterr()
        assert why in told.err and told.out == ""  # before anything is fetched
    (tmp_path / "run" / "scores.json").unlink()
    assert main([*call, "--resume"]) == 0  # elsewhere, where there are no such weights
    assert "From" not in capsys.readouterr().out
    record = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert record["started"] == "From weights of this machine."


def test_what_is_left_out_is_not_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["train", "dml_csr", "--data", str(tmp_path), "--out", str(tmp_path / "run"),
            "--recipe", "dml_csr_small", "--without", "context"]  # fmt: skip
    assert main([*call, "--set", "context=psp"]) == 2
    told = capsys.readouterr().err
    assert "--set context=psp: --without context makes it none; leave one of the two out" in told
    assert main([*call, "--set", "context=none"]) == 2
    assert "makes it" not in capsys.readouterr().err  # the same twice is no contradiction


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


def test_edge_heads_that_no_loss_reaches_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with torch.device("meta"):
        whole, half = (models.create_model("dml_csr", edge_heads=h) for h in ("both", "category"))
        lean = models.create_model("dml_csr", edge_heads="none")
    parsing, one = FitConfig(), FitConfig(objective=MultiTaskConfig(binary=False))
    for network, config, heads in (
        (whole, parsing, "the binary and category edge heads; "),
        (half, parsing, "the category edge head; "),
        (whole, one, "the binary edge head; "),
        (half, one, ""),
        (lean, parsing, ""),
        (whole, FitConfig(objective=MultiTaskConfig()), ""),
    ):
        tell_untrained(network, config)
        told = capsys.readouterr().out
        assert heads in told and bool(told) == bool(heads)
