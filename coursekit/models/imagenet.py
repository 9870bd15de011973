"""ImageNet weights for the encoder: timm's `resnet101s`, from a file, a cache or the network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from coursekit.errors import CourseError
from coursekit.files import home_folder
from coursekit.models.abn import ABN
from coursekit.models.resnet import Bottleneck, ResNetEncoder

#: Where timm has them from, and the folder under which its downloads lie in huggingface's cache.
URL = (
    "https://github.com/rwightman/pytorch-pretrained-gluonresnet/releases/download/v0.1/"
    "gluon_resnet101_v1s-60fe0cc1.pth"
)
HUB = "models--timm--resnet101s.gluon_in1k"


def load_imagenet(encoder: ResNetEncoder, path: str | os.PathLike[str] | None = None) -> str:
    """Put ImageNet weights into an encoder, and say which; or leave it, and say why.

    Batch normalisation may have a negative γ, and activated normalisation scales by |γ| + ε: the
    filters before such a channel and its running mean are negated instead, and ε is taken off γ.
    Each normalisation then computes what it did, within ε where |γ| < ε. What follows it does not:
    the weights were trained with ReLU, and leaky ReLU lets 1 % of what is negative through.

    Args:
        encoder: gets the weights.
        path: a file of weights under timm's names: safetensors, or torch's (tensors alone: a
            pickle that would run code is refused). None looks into the caches of huggingface and
            torch, and then asks the network.

    Returns:
        A sentence for the user.

    Raises:
        CourseError: when a file was named, or found in a cache, that is damaged or does not fit.
    """
    if path is not None:
        return _put(encoder, _read(Path(path)), str(path))
    with torch.device("meta"):
        usual = ResNetEncoder().state_dict()
    if _shapes(encoder.state_dict()) != _shapes(usual):
        return "No ImageNet weights: there are none for an encoder of these sizes. From scratch."
    if found := _cached():
        return _put(encoder, _read(found), str(found))
    try:
        weights = torch.hub.load_state_dict_from_url(
            URL, map_location="cpu", check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        return (
            f"No ImageNet weights: no cache has them and they could not be fetched ({error}). "
            f"From scratch. To have them, fetch {URL} and name that file."
        )
    return _put(encoder, weights, URL)


def _shapes(weights: Mapping[str, Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in weights.items()}


def _cached() -> Path | None:
    """The file in huggingface's cache, or else in torch's."""
    home = Path(os.environ.get("HF_HOME", home_folder() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    found = sorted(hub.glob(f"{HUB}/snapshots/*/model.safetensors"))
    found += Path(torch.hub.get_dir(), "checkpoints").glob(URL.rpartition("/")[2])
    return found[0] if found else None


def _read(path: Path) -> dict[str, Tensor]:
    """Named tensors of a file.

    Raises:
        CourseError: when it holds anything else.
    """
    if not path.is_file():
        raise CourseError(f"{path}: there is no such file of weights; check the name")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a stranger's file can make a reader raise anything
        reason = " ".join(str(error).split())[:200]
        raise CourseError(
            f"{path}: is no file of weights that can be read safely ({reason}); "
            "fetch it anew, or take a .safetensors"
        ) from error
    if not isinstance(weights, dict) or not all(map(_is_named_tensor, weights.items())):
        raise CourseError(
            f"{path}: holds something other than named tensors; save a model's state_dict()"
        )
    return weights


def _is_named_tensor(entry: tuple[object, object]) -> bool:
    return isinstance(entry[0], str) and isinstance(entry[1], Tensor)


def _layers(encoder: ResNetEncoder) -> Iterator[tuple[str, nn.Conv2d, str, ABN]]:
    """Each convolution with the normalisation after it, and what timm calls the two."""
    stem = [part for part in encoder.stem if isinstance(part, nn.Conv2d | ABN)]
    for i in range(len(stem) // 2):
        conv, abn = stem[2 * i : 2 * i + 2]
        norm = "bn1" if 2 * i + 2 == len(stem) else f"conv1.{3 * i + 1}"
        assert isinstance(conv, nn.Conv2d) and isinstance(abn, ABN)
        yield f"conv1.{3 * i}", conv, norm, abn
    stages = (encoder.stage1, encoder.stage2, encoder.stage3, encoder.stage4)
    for s, stage in enumerate(stages, 1):
        for b, block in enumerate(stage):
            assert isinstance(block, Bottleneck)
            there = f"layer{s}.{b}"
            yield f"{there}.conv1", block.conv1, f"{there}.bn1", block.abn1
            yield f"{there}.conv2", block.conv2, f"{there}.bn2", block.abn2
            yield f"{there}.conv3", block.conv3, f"{there}.bn3", block.abn3
            if len(block.shortcut):
                project, norm_of_it = block.shortcut
                assert isinstance(project, nn.Conv2d) and isinstance(norm_of_it, ABN)
                yield f"{there}.downsample.0", project, f"{there}.downsample.1", norm_of_it


@torch.no_grad()
def _put(encoder: ResNetEncoder, weights: Mapping[str, Tensor], source: str) -> str:
    """Convert timm's weights and put them in; what `load_imagenet` says of it."""
    wanted = {}
    for conv_name, conv, norm_name, abn in _layers(encoder):
        wanted[f"{conv_name}.weight"] = conv.weight.shape
        for part in ("weight", "bias", "running_mean", "running_var"):
            wanted[f"{norm_name}.{part}"] = abn.weight.shape
    for name, shape in wanted.items():
        tensor = weights.get(name)
        if tensor is None or tensor.shape != shape:
            found = "lacks it" if tensor is None else f"has {tuple(tensor.shape)}"
            raise CourseError(
                f"{source}: does not fit the encoder, which needs {name} of {tuple(shape)} (the "
                f"file {found}); take weights of timm's resnet101s, or build the encoder that "
                "these are of"
            )
        if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
            raise CourseError(f"{source}: {name} holds values that are no numbers; fetch it anew")
    negative = 0
    for conv_name, conv, norm_name, abn in _layers(encoder):
        gamma = weights[f"{norm_name}.weight"]
        sign = torch.where(gamma < 0, -1.0, 1.0)  # (C,)
        negative += int((gamma < 0).sum())
        conv.weight.copy_(weights[f"{conv_name}.weight"] * sign[:, None, None, None])
        abn.weight.copy_((gamma.abs() - abn.eps).clamp(min=0))
        abn.bias.copy_(weights[f"{norm_name}.bias"])
        abn.running_mean.copy_(weights[f"{norm_name}.running_mean"] * sign)
        abn.running_var.copy_(weights[f"{norm_name}.running_var"])
    return f"ImageNet weights from {source}; the filters of {negative} channels were negated."
