"""A wrapped model is described, saved, trained and submitted as what is inside."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.optim.swa_utils import AveragedModel

from coursekit import checkpoint, create_model
from coursekit.checkpoint import Checkpoint, ModelInfo
from coursekit.codabench import is_valid, submit, validate
from coursekit.data import SynthDataset, make
from coursekit.data.making import Recipe
from coursekit.errors import CourseError
from coursekit.models import describe, plain_state_dict, unwrap
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig, PlanConfig
from coursekit.training import FitConfig, fit


def compiled(model: nn.Module) -> nn.Module:
    wrapped: nn.Module = torch.compile(model, backend="eager")
    return wrapped


def by_accelerate(model: nn.Module) -> nn.Module:
    from accelerate import Accelerator

    return Accelerator(cpu=True).prepare_model(model)


def with_parts(model: nn.Module) -> nn.Module:
    """Two of its parts wrapped, one of them twice."""
    names = [n for n, part in model.named_children() if not isinstance(part, nn.ModuleList)]
    setattr(model, names[0], nn.DataParallel(compiled(getattr(model, names[0]))))
    setattr(model, names[-1], compiled(getattr(model, names[-1])))
    return model


WRAPPERS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "compile": compiled,
    "DataParallel": nn.DataParallel,
    "both": lambda model: nn.DataParallel(compiled(model)),
    "both, the other way": lambda model: compiled(nn.DataParallel(model)),
    "AveragedModel": AveragedModel,
    "accelerate": by_accelerate,
    "parts": with_parts,
}

TINY = {"widths": (4, 6, 8)}


@pytest.fixture(autouse=True)
def run_eagerly() -> Iterator[None]:
    """Shape checks of the tests, which the package itself does not have, are not for compilers."""
    with torch.compiler.set_stance("force_eager"):
        yield


def tiny() -> nn.Module:
    torch.manual_seed(0)
    return create_model("unet", **TINY)


@pytest.mark.parametrize("kind", WRAPPERS)
def test_what_was_saved_loads(kind: str, tmp_path: Path) -> None:
    plain = tiny()
    wrapped = WRAPPERS[kind](copy.deepcopy(plain))
    assert describe(wrapped) == describe(plain)
    assert list(plain_state_dict(wrapped)) == list(plain.state_dict())
    info = ModelInfo(*describe(wrapped), "celebamask-hq", 32, (0.5,) * 3, (0.2,) * 3)
    checkpoint.save(tmp_path / "model.safetensors", wrapped, info)
    loaded = checkpoint.load(tmp_path / "model.safetensors").model
    for key, value in plain.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key


def test_a_plain_network_is_left_as_it_is() -> None:
    class Own(nn.Module):
        """Has a part that is called as a wrapper's is."""

        def __init__(self) -> None:
            super().__init__()
            self.module = nn.Linear(1, 1)

    own = Own()
    assert unwrap(own) is own
    assert list(plain_state_dict(own)) == ["module.weight", "module.bias"]


@pytest.mark.parametrize("plan", [AdamToSGDConfig(patience=9), AveragedCosineConfig()])
def test_a_run_goes_on_whatever_its_model_is_wrapped_in(plan: PlanConfig, tmp_path: Path) -> None:
    """To the same bytes; and a run that has come to its end can still be read."""
    data = SynthDataset(0, 4, 32), SynthDataset(1, 2, 32)

    def run(kind: str, folder: str, stop: int = 9) -> bytes:
        def pause(entry: dict) -> None:
            if entry["epoch"] == stop:
                raise KeyboardInterrupt

        model = WRAPPERS[kind](tiny()) if kind in WRAPPERS else tiny()
        config = FitConfig(size=32, epochs=3, batch_size=2, seed=1, cpu=True, plan=plan)
        with contextlib.suppress(KeyboardInterrupt):
            fit(model, *data, config, tmp_path / folder, resume=True, on_epoch=pause)
        return (tmp_path / folder / "model.safetensors").read_bytes()

    whole = run("plain", "whole")
    run("compile", "mixed", 0)
    run("DataParallel", "mixed", 1)
    assert run("plain", "mixed") == whole
    for kind in ("compile", "DataParallel", "plain"):
        assert run(kind, "mixed") == whole


def test_an_altered_network_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    model = tiny()
    parametrizations.weight_norm(model.head)
    with pytest.raises(CourseError, match="was altered after it was made"):
        fit(model, SynthDataset(0, 4, 32), SynthDataset(1, 2, 32), FitConfig(size=32), tmp_path)
    model = tiny()
    model.head = nn.Conv2d(4, 19, 3, padding=1)
    with pytest.raises(CourseError, match=r"altered .*head\.weight"):
        describe(model)


def test_a_part_under_two_names_keeps_both() -> None:
    twice = nn.ModuleDict({"a": nn.Linear(1, 1)})
    twice["b"] = compiled(twice["a"])
    twice["c"] = twice["b"]
    assert list(plain_state_dict(twice)) == [f"{n}.{k}" for n in "abc" for k in ("weight", "bias")]


def test_a_wrapped_model_is_submitted(tmp_path: Path) -> None:
    make(tmp_path / "faces", Recipe(1, 1, 2, 32, 0))
    images = tmp_path / "faces" / "test" / "images"
    info = ModelInfo(*describe(tiny()), "celebamask-hq", 32, (0.5,) * 3, (0.2,) * 3)
    bytes_of = {}
    for kind in ("compile", "parts"):
        wrapped = Checkpoint(WRAPPERS[kind](tiny()).eval(), info)
        made = submit(wrapped, images, "codabench", tmp_path / f"{kind}.zip", final=True)
        assert is_valid(validate(made.path, images, "codabench", final=True))
        bytes_of[kind] = made.path.read_bytes()
    plain = submit(Checkpoint(tiny().eval(), info), images, "codabench", tmp_path / "plain.zip",
                   final=True)  # fmt: skip
    assert set(bytes_of.values()) == {plain.path.read_bytes()}
