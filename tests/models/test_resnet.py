"""The encoder: sizes, timm's as its twin, memory, and ImageNet weights."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from coursekit import count_parameters
from coursekit.complexity import kept_bytes
from coursekit.errors import CourseError
from coursekit.models import imagenet
from coursekit.models.abn import ABN
from coursekit.models.imagenet import load_imagenet
from coursekit.models.resnet import ResNetEncoder

SMALL: dict[str, Any] = {"stem": (8, 8, 16), "widths": (8, 16, 24, 32), "blocks": (1, 2, 1, 1)}


def small(**settings: Any) -> ResNetEncoder:
    torch.manual_seed(0)
    return ResNetEncoder(**SMALL, **settings)


def timms(blocks: tuple[int, ...] = SMALL["blocks"]) -> nn.Module:
    """timm's network of these sizes, with the strides and dilations of the facts."""
    from timm.models.resnet import Bottleneck, ResNet

    torch.manual_seed(0)
    twin: nn.Module = ResNet(
        Bottleneck, blocks, channels=SMALL["widths"], stem_width=8, stem_type="deep",
        output_stride=8,
    )  # fmt: skip
    # timm dilates stages 3 and 4 by 2 and 4, and the first block of each by the stage before.
    for layer, dilation in ((twin.layer3, 1), (twin.layer4, 2)):
        for block in layer:
            block.conv2.dilation = block.conv2.padding = (dilation, dilation)
    return twin


def features(twin: nn.Module, image: Tensor) -> list[Tensor]:
    x = twin.maxpool(twin.act1(twin.bn1(twin.conv1(image))))
    found = []
    for layer in (twin.layer1, twin.layer2, twin.layer3, twin.layer4):
        x = layer(x)
        found.append(x)
    return found


def with_scales(twin: nn.Module) -> nn.Module:
    """Statistics as after training, and scales of either sign, some of them 0 or tiny."""
    for part in twin.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.5, 2)
            with torch.no_grad():
                part.weight[0] = 0
                part.weight[1] = -1e-7
    return twin


def with_relu(encoder: ResNetEncoder) -> ResNetEncoder:
    for part in encoder.modules():
        if isinstance(part, ABN) and part.slope != 1:
            part.slope = 0.0
    return encoder


def test_the_papers_size() -> None:
    with torch.device("meta"):
        encoder = ResNetEncoder().eval()
        found = encoder(torch.empty(1, 3, 473, 473))
    assert count_parameters(encoder) == 42_623_936
    assert [tuple(f.shape[1:]) for f in found] == [
        (256, 119, 119), (512, 60, 60), (1024, 60, 60), (2048, 60, 60),
    ]  # fmt: skip
    assert encoder.channels == (256, 512, 1024, 2048)
    assert found._fields == ("c2", "c3", "c4", "c5")


@pytest.mark.parametrize(("name", "sizes", "count"), [
    ("blocks", (1, 1, 1), 4), ("blocks", (3, 4, 23, 3, 1), 4), ("widths", (8,) * 5, 4),
    ("stem", (8,), 3),
])  # fmt: skip
def test_a_stage_too_many_or_too_few_is_refused(
    name: str, sizes: tuple[int, ...], count: int
) -> None:
    with torch.device("meta"), pytest.raises(ValueError, match=f"{name} is .* hold {count} num"):
        ResNetEncoder(**{name: sizes})


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (71, 66)])
def test_any_size(size: tuple[int, int]) -> None:
    encoder = small(in_channels=1)
    found = encoder(torch.randn(2, 1, *size))
    quarter, eighth = (tuple(-(-side // by) for side in size) for by in (4, 8))
    assert [tuple(f.shape[2:]) for f in found] == [quarter, eighth, eighth, eighth]
    sum(f.mean() for f in found).backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("training", [True, False])
def test_it_computes_what_timms_does(training: bool, tmp_path: Path) -> None:
    twin = with_scales(timms()).train(training)
    save_file(twin.state_dict(), tmp_path / "timm.safetensors")
    encoder = with_relu(small(abn="plain")).train(training)
    said = load_imagenet(encoder, tmp_path / "timm.safetensors")
    negative = sum(int((p < 0).sum()) for n, p in twin.named_parameters()
                   if p.ndim == 1 and n.endswith("weight"))  # fmt: skip
    assert f"timm.safetensors; the filters of {negative} channels were negated" in said
    assert negative > 20
    image = torch.randn(2, 3, 65, 71)
    for mine, theirs in zip(encoder(image), features(twin, image), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-3)


def test_every_weight_of_resnet101s_has_its_place() -> None:
    import timm

    with torch.device("meta"):
        twin, encoder = timm.create_model("resnet101s"), ResNetEncoder()
        theirs = {name: tuple(t.shape) for name, t in twin.state_dict().items()}
        mine = {}
        for conv_name, conv, norm_name, abn in imagenet._layers(encoder):
            mine[f"{conv_name}.weight"] = tuple(conv.weight.shape)
            mine |= {f"{norm_name}.{k}": tuple(v.shape) for k, v in abn.state_dict().items()}
    assert mine == {
        name: shape for name, shape in theirs.items()
        if not name.startswith("fc.") and not name.endswith("num_batches_tracked")
    }  # fmt: skip
    assert len(encoder.state_dict()) == len(mine)
    assert twin.pretrained_cfg["url"] == imagenet.URL
    assert twin.pretrained_cfg["hf_hub_id"].replace("/", "--") in imagenet.HUB


def test_both_kinds_train_alike_and_ours_keeps_at_least_35_percent_less() -> None:
    class Last(nn.Module):
        def __init__(self, encoder: ResNetEncoder) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, image: Tensor) -> Tensor:
            return self.encoder(image).c5

    image, kept, gradients = torch.randn(2, 3, 65, 65), {}, {}
    for kind in ("inplace", "plain"):
        torch.manual_seed(0)
        net = Last(ResNetEncoder(**{**SMALL, "blocks": (3, 4, 8, 3)}, abn=kind))
        kept[kind] = kept_bytes(net, image)
        net.double()(image.double()).square().mean().backward()
        gradients[kind] = [p.grad for p in net.parameters()]
    assert kept["inplace"] <= 0.65 * kept["plain"]
    for mine, wanted in zip(gradients["inplace"], gradients["plain"], strict=True):
        torch.testing.assert_close(mine, wanted, rtol=1e-6, atol=1e-9)


def test_files_that_are_no_weights_are_named(tmp_path: Path) -> None:
    encoder = small()
    before = {k: v.clone() for k, v in encoder.state_dict().items()}
    good = timms().state_dict()

    class Attack:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    with (tmp_path / "attack.pth").open("wb") as file:
        pickle.dump({"a": Attack()}, file)
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "noise.pth").write_bytes(os.urandom(300))
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"state_dict": good}, tmp_path / "nested.pth")
    torch.save(good | {"bn1.weight": torch.ones(7)}, tmp_path / "shape.pth")
    torch.save(good | {"bn1.bias": torch.full((16,), torch.nan)}, tmp_path / "nan.pth")
    torch.save({k: v for k, v in good.items() if k != "bn1.bias"}, tmp_path / "less.pth")
    torch.save(timms((1, 1, 1, 1)).state_dict(), tmp_path / "other.pth")
    for name, words in {
        "attack.pth": "can be read safely",
        "empty.safetensors": "can be read safely",
        "noise.pth": "can be read safely",
        "none.pth": "no such file",
        "list.pth": "other than named tensors",
        "nested.pth": "other than named tensors",
        "shape.pth": r"needs bn1.weight of \(16,\) \(the file has \(7,\)\)",
        "nan.pth": "bn1.bias holds values that are no numbers",
        "less.pth": "the file lacks it",
        "other.pth": r"needs layer2.1.conv1.weight of \(16, 64, 1, 1\) \(the file lacks it",
    }.items():
        with pytest.raises(CourseError, match=words) as caught:
            load_imagenet(encoder, tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_caches_and_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    said = load_imagenet(small())
    assert (
        said == "No ImageNet weights: there are none for an encoder of these sizes. From scratch."
    )

    def unreachable(*_: object, **__: object) -> dict[str, Tensor]:
        raise URLError("no route")

    twin, encoder = timms(), small()
    monkeypatch.setattr(imagenet, "_shapes", lambda _: {})  # a small one stands for ResNet-101
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", unreachable)
    said = load_imagenet(encoder)
    assert "could not be fetched (<urlopen error no route>). From scratch." in said
    assert imagenet.URL in said
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: twin.state_dict())
    assert load_imagenet(encoder).startswith(f"ImageNet weights from {imagenet.URL}; ")
    there = tmp_path / "torch" / "checkpoints" / imagenet.URL.rpartition("/")[2]
    there.parent.mkdir(parents=True)
    torch.save(twin.state_dict(), there)
    assert str(there) in load_imagenet(encoder)
    first = tmp_path / "hub" / imagenet.HUB / "snapshots" / "abc" / "model.safetensors"
    first.parent.mkdir(parents=True)
    save_file(twin.state_dict(), first)
    assert str(first) in load_imagenet(encoder)
    torch.testing.assert_close(encoder.stage4[0].conv1.weight, twin.layer4[0].conv1.weight)
