"""Checkpoints: a model's weights and what is needed to use them, in one safetensors file.

Unlike a pickle, a safetensors file holds tensors and text only: loading a stranger's cannot run
code. The text says which model the weights belong to and how its images were prepared.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from coursekit.errors import CourseError
from coursekit.files import atomic_path
from coursekit.labels import LABEL_SETS
from coursekit.landmarks import LANDMARK_SET, NUM_LANDMARKS
from coursekit.models import MODEL_NAMES, check_fits, create_model, decouple, plain
from coursekit.models.decoupling import inference_settings

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from torch import Tensor, nn

    from coursekit.labels import LabelSet

#: A U-Net that the course brings, trained by us on rendered faces alone: benchmarks/shipped.py.
SHIPPED = Path(__file__).parent / "weights" / "unet_rendered_faces.safetensors"

_FORMAT = 1
#: What the channels of a network can be, and how many there are.
_CHANNELS = {key: labels.num_classes for key, labels in LABEL_SETS.items()}
_CHANNELS[LANDMARK_SET] = NUM_LANDMARKS


@dataclass(frozen=True)
class ModelInfo:
    """How to rebuild a model and how to prepare its images.

    Attributes:
        model: a name that `create_model` knows.
        config: keyword arguments of `create_model`, `num_classes` included.
        label_set: key of the `LabelSet` of the logits' channels, or `LANDMARK_SET` of a network
            whose channels are heatmaps of points.
        size: side of the square, in pixels, that images are resized to.
        mean: of the training images' channels, in [0, 1].
        std: of the training images' channels, in (0, 1].
    """

    model: str
    config: dict[str, Any]
    label_set: str
    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def labels(self) -> LabelSet:
        """The classes of the label maps that the model draws.

        Raises:
            CourseError: when it draws none, but finds landmarks.
        """
        if self.label_set not in LABEL_SETS:
            raise CourseError(
                f"the {self.model} of this checkpoint finds landmarks and draws no label maps; "
                "name that of another network (landmark_inference.predict_landmarks uses this one)"
            )
        return LABEL_SETS[self.label_set]


@dataclass(frozen=True)
class Checkpoint:
    """A model in evaluation mode and its `ModelInfo`."""

    model: nn.Module
    info: ModelInfo


def save(path: str | os.PathLike[str], model: nn.Module, info: ModelInfo) -> None:
    """Write a model's weights and `info` to `path`, whole or not at all.

    A wrapped model (`torch.compile`, `DataParallel`, …) is written as what is inside, a computed
    weight (`weight_norm`, …) as its value: see `models.plain`.

    Raises:
        CourseError: when the file cannot be written, or could not be read again, since the model is
            not the one that `info` describes; the old one, if any, is kept.
    """
    network = plain(model)
    check_fits(network, info.model, info.config)
    write_tensors(path, network.state_dict(), {"kind": "model", "info": asdict(info)})


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint and rebuild its model.

    Returns:
        The model on the CPU, in evaluation mode, with its `ModelInfo`.

    Raises:
        CourseError: when the file is missing, damaged, not a coursekit checkpoint, or does not fit
            the model that it names.
    """
    tensors, meta = read_tensors(path)
    if meta.get("kind") != "model":
        raise CourseError(
            f"{path}: holds a {meta.get('kind', 'thing of no known kind')}, not a model; "
            "name the model.safetensors of a run"
        )
    info = _parse_info(path, meta.get("info"))
    try:
        model = create_model(info.model, **info.config)
        model.load_state_dict(tensors)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise CourseError(
            f"{path}: its weights do not fit the model {info.model!r} that it names "
            f"({reason[:300]}); it was written by another model or version"
        ) from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise CourseError(f"{path}: {name} holds values that are no numbers; train again")
    return Checkpoint(model.eval(), info)


def start_from(path: str | os.PathLike[str], model: nn.Module, label_set: str) -> str:
    """Put a checkpoint's weights into a network of the same kind, to train on.

    Args:
        path: of a checkpoint with the same network, its outputs for training included.
        model: gets the weights.
        label_set: key of the label set that it is to be trained on; the checkpoint's must have the
            same classes in the same order, as LaPa's and Helen's are.

    Returns:
        A sentence for the user.

    Raises:
        CourseError: when the file is no checkpoint, or does not fit.
    """
    loaded = load(path)
    theirs, ours = loaded.info.labels, LABEL_SETS[label_set]
    if theirs.names != ours.names:
        raise CourseError(
            f"{path}: was trained on the classes of {theirs.key}, and the data have those of "
            f"{ours.key}; start from a network of the same classes"
        )
    weights, own = loaded.model.state_dict(), model.state_dict()
    odd = sorted(
        key for key in own.keys() | weights.keys()
        if key not in own or key not in weights or own[key].shape != weights[key].shape
    )  # fmt: skip
    if odd:
        raise CourseError(
            f"{path}: is a {loaded.info.model} that does not fit this network ({', '.join(odd[:3])}"
            f"{', …' if len(odd) > 3 else ''}); make both with the same model, recipe, --without "
            "and --set"
        )
    model.load_state_dict(weights)
    return f"Weights from {path}, a {loaded.info.model} trained on {theirs.key}."


def for_inference(loaded: Checkpoint) -> Checkpoint:
    """A checkpoint without what training alone needs: see `models.plain` and `models.decouple`.

    This is how weights that were trained with other outputs get into the network without: `load`,
    then `for_inference`; `save` writes what that gives. The logits are the same, bit for bit.
    """
    network = plain(loaded.model)
    model = decouple(network)
    if model is network:
        return loaded if model is loaded.model else replace(loaded, model=model)
    lean = {**loaded.info.config, **inference_settings(network.config)}
    info = replace(loaded.info, config=lean)
    return Checkpoint(model, info)


def _parse_info(path: str | os.PathLike[str], raw: Any) -> ModelInfo:
    """The `ModelInfo` in a file's text, checked field by field: the file may be a stranger's."""
    try:
        info = ModelInfo(
            model=str(raw["model"]),
            config={
                str(k): tuple(v) if isinstance(v, list) else v for k, v in raw["config"].items()
            },
            label_set=str(raw["label_set"]),
            size=int(raw["size"]),
            mean=triple(raw["mean"]),
            std=triple(raw["std"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise CourseError(
            f"{path}: its description of the model is damaged ({error!r}); "
            "train again or ask for the file anew"
        ) from error
    if info.model not in MODEL_NAMES:
        raise CourseError(
            f"{path}: is of a model {info.model!r} that this version does not know; "
            f"it knows: {', '.join(MODEL_NAMES)}"
        )
    if info.label_set not in _CHANNELS:
        raise CourseError(
            f"{path}: is for label maps of {info.label_set!r}, which this version does not know; "
            f"it knows: {', '.join(_CHANNELS)}"
        )
    numbers = (*info.mean, *info.std)
    if not 1 <= info.size <= 8192 or not all(map(math.isfinite, numbers)) or min(info.std) <= 0:
        raise CourseError(
            f"{path}: says size {info.size}, mean {info.mean} and std {info.std}, which cannot be; "
            "train again"
        )
    for name, needed in (
        ("num_classes", _CHANNELS[info.label_set]),
        ("in_channels", 3),
    ):
        if info.config.get(name, needed) != needed:
            raise CourseError(
                f"{path}: has {name} {info.config[name]}, and {info.label_set} needs {needed}; "
                "train again"
            )
    return info


def triple(values: Any) -> tuple[float, float, float]:
    """Three plain floats, one a channel; anything else raises TypeError or ValueError."""
    a, b, c = (float(v) for v in values)
    return a, b, c


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], meta: Mapping[str, Any]
) -> None:
    """Write named tensors and JSON-able `meta` to a safetensors file, whole or not at all."""
    # A tensor shared by two names, or a view, must become a plain copy first.
    copies = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    # One entry: safetensors orders several by chance, and equal content should be equal bytes.
    text = {"coursekit": json.dumps({"format": _FORMAT, **meta}, sort_keys=True)}
    with atomic_path(path) as temporary:
        try:
            save_file(copies, temporary, metadata=text)
        except SafetensorError as error:  # a full disk, for one
            raise OSError(str(error)) from error


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Raises:
        CourseError: when the file is missing, damaged, or not coursekit's.
    """
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {}).get("coursekit", "null"))
            if not isinstance(meta, dict) or meta.get("format") != _FORMAT:
                raise CourseError(
                    f"{path}: is a safetensors file, but not a checkpoint of coursekit; "
                    "name the model.safetensors that `coursekit train` wrote"
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except CourseError:
        raise
    except FileNotFoundError as error:
        if Path(path).exists():  # safetensors says the same of a file that it may not open
            raise CourseError(f"{path}: may not be read; change its permissions") from error
        raise CourseError(f"{path}: there is no such checkpoint; check the name") from error
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise CourseError(
            f"{path}: is not a whole safetensors file ({error}); it may be cut off, or a pickle "
            "(.pth, .pt): coursekit reads only what `coursekit train` wrote"
        ) from error
    return tensors, meta
