"""fit: reproducible, resumable after kill -9, the same with two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from coursekit import checkpoint, create_model, losses
from coursekit.data import SynthDataset
from coursekit.errors import CourseError
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig
from coursekit.training import FitConfig, ParsingConfig, evaluate, fit

TINY = {"widths": (4, 6, 8)}


def config(**changes: object) -> FitConfig:
    return FitConfig(
        **{
            "size": 32, "epochs": 4, "batch_size": 3, "seed": 5, "cpu": True,
            "plan": AdamToSGDConfig(adam_lr=3e-3, patience=1), **changes,
        }
    )  # fmt: skip


def data() -> tuple[SynthDataset, SynthDataset]:
    return SynthDataset(0, 8, 32), SynthDataset(1, 4, 32)


def model(name: str = "unet", **settings: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return create_model(name, **(settings or TINY))


def weights(path: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load(path / "model.safetensors").model.state_dict()


def test_it_learns_and_keeps_the_best(tmp_path: Path) -> None:
    seen: list[dict] = []
    network = model()
    result = fit(network, *data(), config(epochs=6), tmp_path, on_epoch=seen.append)
    assert seen == result.history
    assert result.history[-1]["train_loss"] < result.history[0]["train_loss"]
    lines = (tmp_path / "history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == result.history
    best = min(result.history, key=lambda e: e["val_loss"])
    assert result.best_epoch == best["epoch"]
    for name, value in weights(tmp_path).items():
        assert torch.equal(value, network.state_dict()[name])
    assert {"epoch", "phase", "rate", "train_loss", "val_loss", "val_mean_iou", "event",
            "seconds"} == set(best)  # fmt: skip


def test_the_pipeline_runs_to_its_end() -> None:
    result = fit(model(), *data(), config(epochs=40, plan=AdamToSGDConfig(patience=1)))
    events = [e["event"] for e in result.history]
    if len(events) < 40:
        assert events[-1] == "stop"
        assert events.count("switch") == 1
        assert events.count("halve") == 2


@pytest.mark.parametrize("name", ["unet", "fastscnn"])
def test_same_seed_same_bytes_whatever_the_workers(tmp_path: Path, name: str) -> None:
    settings = TINY if name == "unet" else {"repeats": 1, "expansion": 1}
    for folder, workers in (("a", 0), ("b", 2)):
        fit(model(name, **settings), *data(), config(epochs=2, workers=workers), tmp_path / folder)
    first, second = ((tmp_path / f / "model.safetensors").read_bytes() for f in "ab")
    assert first == second
    fit(model(name, **settings), *data(), config(epochs=2, seed=6), tmp_path / "c")
    assert (tmp_path / "c" / "model.safetensors").read_bytes() != first


def test_an_averaged_run_keeps_its_average_and_goes_on_bit_for_bit(tmp_path: Path) -> None:
    settings = {"repeats": 1, "expansion": 1}
    run = config(plan=AveragedCosineConfig(average=0.9))

    def stop(entry: dict) -> None:
        if entry["epoch"] == 1:
            raise KeyboardInterrupt

    network = model("fastscnn", **settings)
    result = fit(network, *data(), run, tmp_path / "whole")
    assert [e["phase"] for e in result.history] == ["adamw"] * 4
    assert result.best_epoch == 3
    rates = [e["rate"] for e in result.history]
    assert rates[1:] == sorted(rates[1:], reverse=True)
    for name, value in weights(tmp_path / "whole").items():
        assert torch.equal(value, network.state_dict()[name])
    with pytest.raises(KeyboardInterrupt):
        fit(model("fastscnn", **settings), *data(), run, tmp_path / "cut", on_epoch=stop)
    fit(model("fastscnn", **settings), *data(), run, tmp_path / "cut", resume=True)
    first, second = ((tmp_path / f / "model.safetensors").read_bytes() for f in ("whole", "cut"))
    assert first == second
    longer = config(plan=AveragedCosineConfig(average=0.9), epochs=9)
    with pytest.raises(CourseError, match="epochs was 4 and is 9"):
        fit(model("fastscnn", **settings), *data(), longer, tmp_path / "cut", resume=True)


def read_history(folder: Path) -> list[dict]:
    """The history without what differs from run to run."""
    entries = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in entries]


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """What `tests.training.processes` left, and the epochs of the killed run's last part."""
    out = tmp_path_factory.mktemp("processes")
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.processes", str(out)],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out, [int(line) for line in done.stdout.split()]


def test_killed_runs_go_on_bit_for_bit(processes: tuple[Path, list[int]]) -> None:
    """kill -9 at two moments, one of them in mid-epoch; then the run to its end."""
    out, epochs = processes
    whole, killed = out / "whole", out / "killed"
    assert epochs[0] >= 3  # it went on; it did not start again
    assert not [n for n in (out / "killed-files").read_text().split() if n.endswith(".tmp")]
    assert (killed / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert read_history(whole) == read_history(killed)


def test_a_finished_run_can_be_lengthened(tmp_path: Path) -> None:
    fit(model(), *data(), config(epochs=2), tmp_path / "a")
    fit(model(), *data(), config(epochs=4), tmp_path / "a", resume=True)
    fit(model(), *data(), config(epochs=4), tmp_path / "b")
    first, second = ((tmp_path / f / "model.safetensors").read_bytes() for f in "ab")
    assert first == second


def test_two_processes_give_ones_result(processes: tuple[Path, list[int]]) -> None:
    """Of a label map's network, of one with two heads, which its objective calls by name, and of
    that with cycles and a teacher."""
    out, _ = processes
    for kind in ("", "-heads", "-cycles"):
        histories = [read_history(out / (name + kind)) for name in ("one", "two")]
        for key in ("train_loss", "val_loss", "val_mean_iou"):
            one, two = ([entry[key] for entry in history] for history in histories)
            assert one == pytest.approx(two, rel=1e-5)
    # Not the weights themselves: where a gradient is nothing but rounding, Adam divides it by its
    # own size and takes a whole step, up or down.
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    first, second = (
        checkpoint.load(out / name / "model.safetensors").model for name in ("one", "two")
    )
    with torch.no_grad():
        torch.testing.assert_close(first(image), second(image), atol=1e-3, rtol=1e-3)


def test_two_processes_estimate_statistics_together(processes: tuple[Path, list[int]]) -> None:
    """One saw six images and the other three, in batches of three."""
    out, _ = processes
    one, first, second = (torch.load(out / name) for name in ("one-0", "two-0", "two-1"))
    for name in ("running_mean", "running_var"):
        torch.testing.assert_close(first[name], one[name])
        assert torch.equal(first[name], second[name])


def test_a_loss_that_is_not_finite_names_the_images(tmp_path: Path) -> None:
    class Poisoned(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.weight * torch.nan * x.new_ones(len(x), 19, *x.shape[-2:])

    train, val = data()
    with pytest.raises(CourseError, match="training loss is nan in epoch 1.*images: ") as caught:
        fit(Poisoned(), train, val, config())
    assert sum(name in str(caught.value) for name in train.names) == 3


def test_a_run_is_not_overwritten_or_mixed_up(tmp_path: Path) -> None:
    fit(model(), *data(), config(epochs=1), tmp_path)
    with pytest.raises(CourseError, match="--resume"):
        fit(model(), *data(), config(), tmp_path)
    with pytest.raises(CourseError, match="seed was 5 and is 6"):
        fit(model(), *data(), config(seed=6), tmp_path, resume=True)
    with pytest.raises(CourseError, match=r"model\.config\.widths was"):
        fit(model(widths=(4, 4, 8)), *data(), config(), tmp_path, resume=True)
    other = config(plan=AdamToSGDConfig(adam_lr=0.1, patience=1))
    with pytest.raises(CourseError, match=r"plan\.adam_lr was 0\.003 and is 0\.1"):
        fit(model(), *data(), other, tmp_path, resume=True)
    with pytest.raises(CourseError, match="settings: model.model was 'unet' and is 'fastscnn'. Go"):
        fit(create_model("fastscnn"), *data(), other, tmp_path, resume=True)
    state = tmp_path / "state.safetensors"
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CourseError, match="cut off"):
        fit(model(), *data(), config(), tmp_path, resume=True)
    state.unlink()
    with pytest.raises(CourseError, match="holds a run already"):  # whose model would be lost
        fit(model(), *data(), config(), tmp_path)


def test_bad_settings_are_named() -> None:
    train, val = data()
    with pytest.raises(CourseError, match="epochs is 0"):
        config(epochs=0)
    with pytest.raises(CourseError, match="seed is -1; it must be at least 0"):
        config(seed=-1)
    for value in (32.5, "32", True):
        with pytest.raises(CourseError, match="must be a whole number"):
            config(size=value)
    with pytest.raises(CourseError, match="it must be below"):
        config(seed=1 << 64)
    with pytest.raises(CourseError, match="num_classes 5, and celebamask-hq data need 19"):
        fit(model(num_classes=5), train, val, config())
    with pytest.raises(CourseError, match="in_channels 1"):
        fit(model(in_channels=1, **TINY), train, val, config())
    with pytest.raises(CourseError, match="a step needs at least 2 images"):
        fit(model("fastscnn", num_classes=19), train, val, config(batch_size=1))
    with pytest.raises(CourseError, match="there is no loss 'dise'; did you mean 'dice'"):
        ParsingConfig("dise")
    with pytest.raises(CourseError, match="validation set is empty"):
        fit(model(), train, val[:0], config())
    with pytest.raises(CourseError, match="Linear"):
        fit(torch.nn.Linear(1, 1), train, val, config(), "never-written")
    assert not Path("never-written").exists()


def test_what_cannot_work_costs_no_epoch(tmp_path: Path) -> None:
    train, val = data()
    seen: list[dict] = []
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(CourseError, match="file: cannot be written to"):
        fit(model(), train, val, config(), tmp_path / "file", on_epoch=seen.append)
    val.labelled = False
    with pytest.raises(CourseError, match="validation set .* has no masks"):
        fit(model(), train, val, config(), on_epoch=seen.append)
    assert seen == []


def test_a_finished_run_gives_its_model_again(tmp_path: Path) -> None:
    fit(model(), *data(), config(epochs=1), tmp_path)
    before = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").unlink()
    fit(model(), *data(), config(epochs=1), tmp_path, resume=True)
    assert (tmp_path / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("loss", ["focal", "dice", "lovasz", "cross_entropy+lovasz"])
def test_other_losses_train(loss: str) -> None:
    fast = AdamToSGDConfig(adam_lr=0.02)  # Dice hardly slopes where all classes are as likely
    history = fit(
        model(), *data(), config(epochs=6, objective=ParsingConfig(loss), plan=fast)
    ).history
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert all(np.isfinite(entry["val_loss"]) for entry in history)


def test_the_validation_loss_is_of_all_pixels_or_the_mean_of_batches(tmp_path: Path) -> None:
    """Four images in batches of three: one is alone in the last."""
    from coursekit.data import TrainingView

    for loss in ("cross_entropy", "dice", "cross_entropy+lovasz"):
        network = model()
        train, val = data()
        result = fit(
            network, train, val, config(epochs=1, objective=ParsingConfig(loss, weighted=False))
        )
        view = TrainingView(val, 32, result.whitening, None, 5)
        images, targets = (torch.stack([view[i][key] for i in range(4)]) for key in view[0]
                           if key in ("image", "target"))  # fmt: skip
        with torch.no_grad():
            logits = network.eval()(images)
        pieces = [slice(0, 3), slice(3, 4)]
        expected = 0.0
        for name in loss.split("+"):
            module = {"cross_entropy": losses.WeightedCrossEntropy, "dice": losses.DiceLoss,
                      "lovasz": losses.LovaszSoftmaxLoss}[name]()  # fmt: skip
            if name == "cross_entropy":
                expected += float(module(logits, targets))
            else:
                parts = [float(module(logits[p], targets[p])) for p in pieces]
                expected += (3 * parts[0] + parts[1]) / 4
        assert result.history[0]["val_loss"] == pytest.approx(expected, rel=1e-4)


def test_a_loss_of_regions_needs_a_single_process(monkeypatch: pytest.MonkeyPatch) -> None:
    from accelerate import Accelerator

    monkeypatch.setattr(Accelerator, "num_processes", 2)
    train, val = data()
    with pytest.raises(CourseError, match="1 images .* cannot be divided among 2 processes"):
        fit(model(), train, val[:1], config())
    for loss in ("dice", "cross_entropy+lovasz"):
        with pytest.raises(CourseError, match="not a sum over pixels: 2 processes"):
            fit(model(), *data(), config(objective=ParsingConfig(loss)))


def test_bf16_trains() -> None:
    result = fit(model(), *data(), config(epochs=2, precision="bf16"))
    assert np.isfinite(result.history[-1]["val_loss"])


def test_evaluation_leaves_each_part_as_it_was() -> None:
    network = model("fastscnn", repeats=1, expansion=1).train()
    frozen = next(part for part in network.modules() if isinstance(part, torch.nn.BatchNorm2d))
    frozen.eval()
    info = checkpoint.ModelInfo("fastscnn", {}, "celebamask-hq", 32, (0.5,) * 3, (0.2,) * 3)
    evaluate(network, SynthDataset(1, 1, 32), info)
    assert network.training and not frozen.training


def test_evaluation_is_at_the_masks_size(tmp_path: Path) -> None:
    network = model()
    train, val = data()
    result = fit(network, train, val, config(epochs=1), tmp_path)
    assert result.info is not None
    large = SynthDataset(1, 4, 48)
    scores = evaluate(network, large, result.info)
    assert int(scores.matrix.sum()) == 4 * 48 * 48
    summary = scores.summary()
    assert summary["images"] == 4
    assert 0 <= summary["mean_iou"] <= summary["pixel_accuracy"] <= 1
    assert set(summary["per_class"]) == set(train.labels.names)
    assert "pixel accuracy" in scores.table()
    json.dumps(summary)
