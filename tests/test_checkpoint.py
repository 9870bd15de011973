"""Checkpoints go round, and what is no checkpoint is refused with a mend."""

from __future__ import annotations

import math
import pickle
import resource
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from coursekit import checkpoint, create_model
from coursekit.checkpoint import ModelInfo
from coursekit.errors import CourseError
from coursekit.models import describe


def make(tmp_path: Path, name: str = "unet", **settings: object) -> tuple[Path, torch.nn.Module]:
    torch.manual_seed(0)
    model = create_model(name, **settings)
    key, config = describe(model)
    labels = "lapa" if config["num_classes"] == 11 else "celebamask-hq"
    info = ModelInfo(key, config, labels, 64, (0.5, 0.4, 0.3), (0.2, 0.2, 0.3))
    checkpoint.save(tmp_path / "m.safetensors", model, info)
    return tmp_path / "m.safetensors", model


@pytest.mark.parametrize(
    ("name", "settings"),
    [("unet", {"widths": (4, 4, 8), "num_classes": 11}), ("fastscnn", {"repeats": 1})],
)
def test_round_trip(tmp_path: Path, name: str, settings: dict) -> None:
    path, model = make(tmp_path, name, **settings)
    loaded = checkpoint.load(path)
    assert not loaded.model.training
    assert loaded.model.config == model.config
    assert loaded.info.size == 64
    assert loaded.info.mean == (0.5, 0.4, 0.3)
    for (a, x), (b, y) in zip(
        model.state_dict().items(), loaded.model.state_dict().items(), strict=True
    ):
        assert a == b
        assert torch.equal(x, y)


def test_same_model_same_bytes(tmp_path: Path) -> None:
    path, _ = make(tmp_path, widths=(4, 4, 8))
    first = path.read_bytes()
    make(tmp_path, widths=(4, 4, 8))
    assert path.read_bytes() == first


def test_a_pickle_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    ran = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple:
            return (Path.touch, (ran,))

    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CourseError, match="pickle"):
        checkpoint.load(path)
    assert not ran.exists()


def test_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "none.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(CourseError, match="not a checkpoint of coursekit"):
        checkpoint.load(tmp_path / "foreign.safetensors")
    path, _ = make(tmp_path, widths=(4, 4, 8))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CourseError, match="cut off"):
        checkpoint.load(path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(CourseError, match="folder"):
        checkpoint.load(tmp_path / "folder")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "resnet"}, "does not know"),
        ({"model": "fastscnn"}, "do not fit"),
        ({"config": {"widths": (8, 8, 8)}}, "do not fit"),
        ({"size": 0}, "cannot be"),
        ({"std": (0, 1, 1)}, "cannot be"),
        ({"mean": (1, 2)}, "damaged"),
        ({"mean": (math.nan, 0, 0)}, "cannot be"),
        ({"size": math.inf}, "damaged"),
        ({"label_set": "lapa"}, "num_classes 19, and lapa needs 11"),
        ({"config": {"in_channels": 1}}, "in_channels 1, and celebamask-hq needs 3"),
        ({"config": {"widths": []}}, "do not fit"),
        ({"label_set": "dogs"}, "dogs.*it knows: celebamask-hq"),
    ],
)
def test_descriptions_that_lie(tmp_path: Path, change: dict, message: str) -> None:
    path, model = make(tmp_path, widths=(4, 4, 8))
    tensors, meta = checkpoint.read_tensors(path)
    meta["info"].update(change)
    checkpoint.write_tensors(path, tensors, meta)
    with pytest.raises(CourseError, match=message):
        checkpoint.load(path)


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    path, _ = make(tmp_path, widths=(4, 4, 8))
    tensors, meta = checkpoint.read_tensors(path)
    name = next(iter(tensors))
    checkpoint.write_tensors(path, tensors | {name: tensors[name] * math.nan}, meta)
    with pytest.raises(CourseError, match=f"{name} holds values that are no numbers"):
        checkpoint.load(path)


def test_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    path, model = make(tmp_path, widths=(4, 4, 8))
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    big = create_model("unet")
    info = ModelInfo(*describe(big), "celebamask-hq", 64, (0.5,) * 3, (0.2,) * 3)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(CourseError, match="could not be written"):
            checkpoint.save(path, big, info)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
