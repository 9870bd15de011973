"""A wrapped model is described, saved, trained and submitted as what is inside."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from timm.utils import ModelEmaV3
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune
from torch.optim.swa_utils import AveragedModel

from coursekit import checkpoint, create_model
from coursekit.checkpoint import Checkpoint, ModelInfo
from coursekit.codabench import is_valid, submission, submit, validate
from coursekit.data import SynthDataset, make
from coursekit.data.making import Recipe
from coursekit.errors import CourseError
from coursekit.models import count_parameters, describe, plain, plain_state_dict, unwrap
from coursekit.optim import AdamToSGDConfig, AveragedCosineConfig, PlanConfig
from coursekit.training import FitConfig, evaluate, fit


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
    "timm": ModelEmaV3,
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


def old(norm: Callable[[nn.Module], nn.Module]) -> Callable[[nn.Module], nn.Module]:
    """One of those that torch keeps for old code."""

    def apply(part: nn.Module) -> nn.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return norm(part)

    return apply


PARAMETRISATIONS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "weight_norm": parametrizations.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "old weight_norm": old(nn.utils.weight_norm),
    "old spectral_norm": old(nn.utils.spectral_norm),
    "prune": lambda part: prune.l1_unstructured(part, "weight", 0.5),
    "wrapped, too": lambda part: prune.l1_unstructured(part, "bias", 0.5),
}


@pytest.mark.parametrize("kind", PARAMETRISATIONS)
def test_computed_weights_are_written_as_their_values(kind: str, tmp_path: Path) -> None:
    """Before and after training; the network itself goes on as it was."""
    data = SynthDataset(0, 4, 32), SynthDataset(1, 2, 32)
    model = tiny()
    for part in (model.head, model.down[0][0]):
        PARAMETRISATIONS[kind](part)
    wrapped = WRAPPERS["both" if kind == "wrapped, too" else "accelerate"](model)
    learnt = dict(model.named_parameters())
    config = FitConfig(size=32, epochs=2, batch_size=2, seed=1, cpu=True)
    info = fit(wrapped, *data, config, tmp_path / "run").info
    assert learnt == dict(model.named_parameters())
    assert info is not None
    checkpoint.save(tmp_path / "again.safetensors", wrapped, info)
    image = torch.randn(1, 3, 32, 32)
    modes = [part.training for part in model.modules()]
    lean = plain(wrapped).eval()
    assert modes == [part.training for part in model.modules()]
    with torch.no_grad():
        # `fit` may have chosen another layout, which rounds otherwise.
        logits = model.eval().to(memory_format=torch.contiguous_format)(image)
        lean.to(memory_format=torch.contiguous_format)
        assert torch.equal(lean(image), logits)
        for name in ("run/model.safetensors", "again.safetensors"):
            loaded = checkpoint.load(tmp_path / name).model
            assert torch.equal(loaded(image), logits)
    assert count_parameters(lean) == count_parameters(tiny())
    assert evaluate(wrapped, data[1], info).matrix.equal(evaluate(loaded, data[1], info).matrix)
    fit(wrapped, *data, config, tmp_path / "run", resume=True)


def test_an_altered_network_is_refused_before_it_is_trained(tmp_path: Path) -> None:
    model = tiny()
    model.head = nn.Conv2d(4, 19, 3, padding=1)
    with pytest.raises(CourseError, match=r"altered .*head\.weight"):
        fit(model, SynthDataset(0, 4, 32), SynthDataset(1, 2, 32), FitConfig(size=32), tmp_path)


@pytest.mark.parametrize(
    ("model", "name", "message"),
    [
        (nn.Sequential(tiny()), "unet", r"Sequential .* holds one: give its \.0, a unet"),
        (nn.Linear(1, 1), "unet", "Linear is not a model of coursekit; if its keys"),
        (create_model("unet", widths=(4, 8)), "unet", "not as it would be made again"),
        (tiny(), "mine", "no model is called 'mine'"),
    ],
)
def test_nothing_is_written_that_could_not_be_read(
    model: nn.Module, name: str, message: str, tmp_path: Path
) -> None:
    info = ModelInfo(name, TINY, "celebamask-hq", 32, (0.5,) * 3, (0.2,) * 3)
    with pytest.raises(CourseError, match=message):
        checkpoint.save(tmp_path / "model.safetensors", model, info)
    assert not list(tmp_path.iterdir())


def test_what_has_the_keys_of_a_model_is_written(tmp_path: Path) -> None:
    """A class of one's own, with the course's parts under the course's names."""
    own = nn.Module()
    for name, part in tiny().named_children():
        own.add_module(name, part)
    info = ModelInfo("unet", TINY, "celebamask-hq", 32, (0.5,) * 3, (0.2,) * 3)
    checkpoint.save(tmp_path / "model.safetensors", own, info)
    checkpoint.load(tmp_path / "model.safetensors")


def test_what_is_no_model_of_the_course_says_where_one_is() -> None:
    with pytest.raises(CourseError, match=r"Sequential .* holds one: give its \.0, a unet"):
        describe(nn.Sequential(tiny(), nn.Softmax(1)))
    with pytest.raises(CourseError, match="Linear is not a model of coursekit; if its keys"):
        describe(nn.Linear(1, 1))


def test_a_wrapper_does_not_hide_another_number_of_classes(tmp_path: Path) -> None:
    data = SynthDataset(0, 4, 32), SynthDataset(1, 2, 32)
    model = nn.DataParallel(create_model("unet", num_classes=11, **TINY))
    with pytest.raises(CourseError, match="num_classes 11"):
        fit(model, *data, FitConfig(size=32))


def test_a_part_under_two_names_keeps_both() -> None:
    twice = nn.ModuleDict({"a": nn.Linear(1, 1)})
    twice["b"] = compiled(twice["a"])
    twice["c"] = twice["b"]
    assert list(plain_state_dict(twice)) == [f"{n}.{k}" for n in "abc" for k in ("weight", "bias")]


def test_a_wrapped_model_is_submitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the same bytes as the plain one, whose run.py other tests try."""
    monkeypatch.setattr(submission, "_try_solution", lambda *_: None)
    make(tmp_path / "faces", Recipe(1, 1, 2, 32, 0))
    images = tmp_path / "faces" / "test" / "images"
    info = ModelInfo(*describe(tiny()), "celebamask-hq", 32, (0.5,) * 3, (0.2,) * 3)
    bytes_of = {}
    for kind in ("compile", "parts", "parametrised"):
        model = tiny()
        if kind == "parametrised":  # by nothing: the weights stay what they are, to the last bit
            parametrize.register_parametrization(model.head, "weight", nn.Identity())
        wrapped = Checkpoint(WRAPPERS.get(kind, nn.DataParallel)(model).eval(), info)
        made = submit(wrapped, images, "codabench", tmp_path / f"{kind}.zip", final=True)
        assert is_valid(validate(made.path, images, "codabench", final=True))
        bytes_of[kind] = made.path.read_bytes()
    plain = submit(Checkpoint(tiny().eval(), info), images, "codabench", tmp_path / "plain.zip",
                   final=True)  # fmt: skip
    assert set(bytes_of.values()) == {plain.path.read_bytes()}
