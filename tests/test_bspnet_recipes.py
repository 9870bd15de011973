"""BSPNet by one command: the rows of its tables, and a run that begins with another's weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from coursekit import checkpoint, models, recipes
from coursekit.cli import main
from coursekit.commands.train import tell_untrained
from coursekit.errors import CourseError
from coursekit.labels import HELEN, LAPA
from coursekit.landmarks import LANDMARK_SET
from coursekit.models.bspnet import SMALL
from coursekit.optim import AveragedCosineConfig, PolyConfig
from coursekit.recipes import dml_csr
from coursekit.training import BoundarySensitiveConfig, FitConfig, MultiTaskConfig

TINY = ["--set", "stem=(4,4,8)", "--set", "widths=(4,4,4,4)", "--set", "blocks=(1,1,1,1)",
        "--set", "context_channels=8"]  # fmt: skip


def test_the_paper_s_settings() -> None:
    config = recipes.configure("bspnet", "bspnet", 473, 150, 0)
    assert config.batch_size == 64
    assert config.objective == BoundarySensitiveConfig((1.0, 1.0, 2.0), 200.0)
    assert config.plan == PolyConfig(lr=1e-3, power=0.9, momentum=0.9, weight_decay=5e-4)
    assert config.augmentation == dml_csr.AUGMENTATION
    assert "not the competition's rules" in recipes.find("bspnet").rules
    small = recipes.configure("bspnet_small", "bspnet", 96, 10, 0)
    assert small.plan == AveragedCosineConfig(lr=1e-2, average=0.0)
    assert recipes.settings("bspnet_small", "bspnet").items() > SMALL.items()


@pytest.mark.parametrize("recipe", ["bspnet", "bspnet_small"])
@pytest.mark.parametrize(
    ("without", "branches", "weights", "alpha"),
    [
        (("boundary", "weight"), "semantic", (0.0, 0.0, 1.0), 0.0),  # A
        (("weight",), "three", (1.0, 1.0, 2.0), 0.0),  # B
        ((), "three", (1.0, 1.0, 2.0), 200.0),  # C
        (("boundary",), "semantic", (0.0, 0.0, 1.0), 200.0),
    ],
)
def test_rows_of_table_2_are_ingredients_left_out(
    recipe: str, without: tuple[str, ...], branches: str, weights: tuple, alpha: float
) -> None:
    config = recipes.configure(recipe, "bspnet", 96, 10, 0, without)
    assert config.objective == BoundarySensitiveConfig(weights, alpha)
    assert recipes.settings(recipe, "bspnet", without)["branches"] == branches


def faces(root: Path) -> Path:
    sizes = ["--train", "4", "--val", "2", "--test", "1", "--size", "32"]
    assert main(["data", "make", str(root), *sizes]) == 0
    return root


def test_it_is_trained_scored_and_begun_again_by_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["train", "bspnet", "--data", str(faces(tmp_path / "faces")), "--size", "64", "--cpu"]
    call += ["--epochs", "1", *TINY]
    assert main([*call, "--recipe", "bspnet", "--out", str(tmp_path / "c")]) == 0
    told = capsys.readouterr().out
    assert "No ImageNet weights: there are none for an encoder of these sizes" in told
    assert "Not trained" not in told and "sgd  0.001" in told
    record = json.loads((tmp_path / "c" / "scores.json").read_text())
    assert record["config"]["branches"] == "three" and record["without"] == []
    first = tmp_path / "c" / "model.safetensors"
    # Fine-tuned: the weights that it starts with are those, whatever the seed.
    tuned = [*call, "--recipe", "bspnet", "--seed", "7", "--start", str(first)]
    assert main([*tuned, "--out", str(tmp_path / "t")]) == 0
    told = capsys.readouterr().out
    assert f"Weights from {first}, a bspnet trained on celebamask-hq." in told
    assert "ImageNet" not in told
    record = json.loads((tmp_path / "t" / "scores.json").read_text())
    assert record["started"].startswith("Weights from")
    assert main([*tuned, "--out", str(tmp_path / "t"), "--resume"]) == 0
    assert "Weights from" not in capsys.readouterr().out
    small = [*call, "--recipe", "bspnet_small", "--without", "boundary", "--start", str(first)]
    assert main([*small, "--out", str(tmp_path / "s")]) == 2
    told = capsys.readouterr().err
    assert "is a bspnet that does not fit this network (" in told and "--without and --set" in told
    assert not (tmp_path / "s" / "model.safetensors").exists()


def test_a_run_that_began_with_another_s_weights_is_not_from_scratch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["train", "bspnet", "--recipe", "bspnet_small", "--size", "32", "--epochs", "1", "--cpu"]
    call += ["--data", str(faces(tmp_path / "faces")), *TINY]
    assert main([*call, "--out", str(tmp_path / "a")]) == 0
    assert "weights from scratch, no other data" in capsys.readouterr().out
    call += ["--out", str(tmp_path / "b")]
    for more in (["--start", str(tmp_path / "a" / "model.safetensors")], ["--resume"]):
        assert main([*call, *more]) == 0
        assert "not from scratch: another run's weights" in capsys.readouterr().out
    assert "no other data" not in (tmp_path / "b" / "scores.json").read_text()


def test_weights_to_start_from_are_of_the_same_classes(tmp_path: Path) -> None:
    torch.manual_seed(0)
    one, two = (models.create_model("unet", 11, widths=(2, 4)) for _ in range(2))
    settings = {"num_classes": 11, "widths": (2, 4)}
    info = checkpoint.ModelInfo("unet", settings, LAPA.key, 64, (0.5,) * 3, (0.25,) * 3)
    checkpoint.save(tmp_path / "lapa.safetensors", one, info)
    told = checkpoint.start_from(tmp_path / "lapa.safetensors", two, HELEN.key)
    assert told.endswith("a unet trained on lapa.")
    for key, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[key])
    with pytest.raises(CourseError, match="classes of lapa, and the data have those of celebamask"):
        checkpoint.start_from(tmp_path / "lapa.safetensors", two, "celebamask-hq")
    points = models.create_model("hourglass", width=4, stem=(2, 4), depth=1)
    settings = {"width": 4, "stem": (2, 4), "depth": 1}
    info = checkpoint.ModelInfo("hourglass", settings, LANDMARK_SET, 64, (0.5,) * 3, (0.25,) * 3)
    checkpoint.save(tmp_path / "points.safetensors", points, info)
    with pytest.raises(CourseError, match="finds landmarks and draws no label maps"):
        checkpoint.start_from(tmp_path / "points.safetensors", two, HELEN.key)
    with pytest.raises(CourseError, match="there is no such checkpoint"):
        checkpoint.start_from(tmp_path / "none.safetensors", two, HELEN.key)


def test_outputs_that_no_loss_reaches_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with torch.device("meta"):
        three, lean = (models.create_model("bspnet", branches=b) for b in ("three", "fusion"))
    alone = FitConfig(objective=BoundarySensitiveConfig((0, 1, 1)))
    for network, config, outputs in (
        (three, FitConfig(), "the outputs semantic and binary; "),
        (three, FitConfig(objective=MultiTaskConfig(category=False)), "semantic and binary; "),
        (three, alone, "the output semantic; "),
        (three, FitConfig(objective=BoundarySensitiveConfig()), ""),
        (lean, FitConfig(), ""),
    ):
        tell_untrained(network, config)
        told = capsys.readouterr().out
        assert outputs in told and bool(told) == bool(outputs)
