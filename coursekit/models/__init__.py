"""Models by name: one model, one file.

A model's module is imported when it is asked for, so that listing the names costs nothing.
"""

from __future__ import annotations

import difflib
from dataclasses import asdict, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.models.decoupling import decouple
from coursekit.models.wrappers import in_evaluation, plain, plain_state_dict, unwrap

__all__ = [
    "BASELINES",
    "MODEL_NAMES",
    "check_fits",
    "check_name",
    "count_parameters",
    "create_model",
    "decouple",
    "describe",
    "in_evaluation",
    "plain",
    "plain_state_dict",
    "unwrap",
]

if TYPE_CHECKING:
    from torch import nn

#: name → (module, class, configuration class)
_REGISTRY = {
    "unet": ("unet", "UNet", "UNetConfig"),
    "deeplabv3plus": ("deeplabv3plus", "DeepLabV3Plus", "DeepLabV3PlusConfig"),
    "fastscnn": ("fastscnn", "FastSCNN", "FastSCNNConfig"),
    "segformer": ("segformer", "SegFormer", "SegFormerConfig"),
    "dml_csr": ("dml_csr", "DMLCSR", "DMLCSRConfig"),
    "eagrnet": ("eagrnet", "EAGRNet", "EAGRNetConfig"),
    "bspnet": ("bspnet", "BSPNet", "BSPNetConfig"),
    "hourglass": ("hourglass", "StackedHourglass", "HourglassConfig"),
}

MODEL_NAMES: tuple[str, ...] = tuple(_REGISTRY)

#: The report's four, which keep to the competition's limit of 2024: under two million parameters.
BASELINES: tuple[str, ...] = ("unet", "deeplabv3plus", "fastscnn", "segformer")


def check_name(name: str) -> None:
    """Raises `CourseError` when no model has this name; the message lists those there are."""
    if name not in _REGISTRY:
        near = difflib.get_close_matches(str(name), MODEL_NAMES, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise CourseError(f"no model is called {name!r}; {hint}there are: {', '.join(MODEL_NAMES)}")


def create_model(name: str, num_classes: int | None = None, **overrides: Any) -> nn.Module:
    """Build a model of the course by name, with fresh random weights.

    Args:
        name: one of `MODEL_NAMES`.
        num_classes: channels of the output, at least 1; by default 19, CelebAMask-HQ's classes, and
            of the hourglass 106, LaPa's points.
        **overrides: fields of the model's configuration, such as `widths=(8, 16, 32, 64, 128)`.

    Returns:
        A module that maps a (B, in_channels, H, W) image to (B, num_classes, H, W) logits, or the
        hourglass to (B, num_classes, H/4, W/4) heatmaps; its configuration stands in `.config`.

    Raises:
        CourseError: for an unknown name or field, or a value that builds no network; the message
            names those there are.
    """
    check_name(name)
    if num_classes is not None:
        if not isinstance(num_classes, int) or isinstance(num_classes, bool) or num_classes < 1:
            raise CourseError(f"num_classes is {num_classes!r}; a network needs at least 1 class")
        overrides["num_classes"] = num_classes
    module_name, class_name, config_name = _REGISTRY[name]
    module = import_module(f"{__name__}.{module_name}")
    config_class = getattr(module, config_name)
    defaults = {f.name: f.default for f in fields(config_class)}
    unknown = sorted(overrides.keys() - defaults)
    if unknown:
        raise CourseError(
            f"{name} has no setting {', '.join(unknown)}; it has: {', '.join(sorted(defaults))}"
        )
    for key, value in overrides.items():
        _check_setting(name, key, value, defaults[key])
        overrides[key] = _tuples(value)
    try:
        model: nn.Module = getattr(module, class_name)(config_class(**overrides))
    except CourseError as error:  # which says itself what there is
        raise CourseError(f"{name}: {error}") from error
    except (TypeError, ValueError, RuntimeError, ArithmeticError, IndexError) as error:
        others = [f"{k}={v!r} (default: {defaults[k]!r})" for k, v in overrides.items()
                  if v != defaults[k]]  # fmt: skip
        given = ", ".join(others[:3])
        raise CourseError(f"{name} cannot be built: {error}. Given were {given}") from error
    return model


def _check_setting(name: str, key: str, value: Any, default: Any) -> None:
    """A setting has the form of its default: a switch, a word, a count, a fraction, or a tuple.

    Some networks could be built with other values, and would fail at their first image.
    """
    if isinstance(default, tuple):
        if not isinstance(value, (tuple, list)) or not value:
            raise CourseError(f"{name}: {key} is {value!r}; it must be a tuple such as {default}")
        for entry in value:
            _check_setting(name, key, entry, default[0])
    elif isinstance(default, (bool, str)):
        if type(value) is not type(default):
            raise CourseError(f"{name}: {key} is {value!r}; it takes values such as {default!r}")
    elif isinstance(default, int):
        least = min(default, 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise CourseError(f"{name}: {key} holds {value!r}; it takes whole numbers from {least}")
    elif not (isinstance(value, (int, float)) and 0 <= value < 1):
        raise CourseError(f"{name}: {key} is {value!r}; it must lie in [0, 1)")


def _tuples(value: Any) -> Any:
    """Lists as tuples: settings that are equal compare so, also after a checkpoint."""
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def count_parameters(model: nn.Module) -> int:
    """The number of parameters as the competition counts them: the sum of `p.numel()`.

    Buffers, such as the running statistics of batch normalisation, do not count.
    """
    return sum(p.numel() for p in model.parameters())


def describe(model: nn.Module) -> tuple[str, dict[str, Any]]:
    """The name and the arguments with which `create_model` rebuilds a model, wrapped or not.

    Raises:
        CourseError: when the model is not one of the course's, or was altered after it was made.
    """
    model = plain(model)
    if name := _registered(model):
        settings: dict[str, Any] = asdict(model.config)  # type: ignore[call-overload]
        check_fits(model, name, settings)
        return name, settings
    raise CourseError(_unknown(model))


def check_fits(model: nn.Module, name: str, settings: dict[str, Any]) -> None:
    """A plain network has the weights of the one that a checkpoint's description makes.

    Raises:
        CourseError: when it has not, so that its checkpoint would be of no use.
    """
    import torch

    with torch.device("meta"):  # shapes alone
        fresh = create_model(name, **settings)
    made = {key: value.shape for key, value in fresh.state_dict().items()}
    found = {key: value.shape for key, value in model.state_dict().items()}
    odd = sorted({key for key in {*made, *found} if made.get(key) != found.get(key)})
    if odd and not _registered(model):
        raise CourseError(_unknown(model))
    if odd:
        raise CourseError(
            f"this {name} is not as it would be made again, or was altered after it was made "
            f"({', '.join(odd[:3])}{', …' if len(odd) > 3 else ''}), so that its checkpoint could "
            "not be read; set its width when you make it, and describe it by `models.describe`"
        )


def _registered(model: nn.Module) -> str | None:
    """The name under which `create_model` makes networks of this class, if it does."""
    kind = type(model)
    for name, (module_name, class_name, _) in _REGISTRY.items():
        if kind.__module__ == f"{__name__}.{module_name}" and kind.__name__ == class_name:
            return name
    return None


def _unknown(model: nn.Module) -> str:
    """That a network cannot be rebuilt from a checkpoint, and what can."""
    for path, part in model.named_modules():
        if name := _registered(part):
            return (
                f"{type(model).__name__} is not a model of coursekit, but holds one: give its "
                f".{path}, a {name}, in its place"
            )
    return (
        f"{type(model).__name__} is not a model of coursekit; if its keys are those of one, load "
        "its weights into one that `create_model` made, to write a checkpoint"
    )
