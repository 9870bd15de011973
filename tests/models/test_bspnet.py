"""BSPNet: counts, shapes and keys by a reading of the paper; the branches and their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from coursekit import checkpoint, count_parameters, create_model
from coursekit.codabench.formats import FLAT
from coursekit.complexity import multiply_accumulates
from coursekit.models import decouple
from coursekit.models.bspnet import BRANCHES, SMALL, FusionBranch
from coursekit.models.dml_csr import DMLCSRConfig
from tests.models import slow
from tests.models.contract import ModelContract, output_shapes
from tests.models.test_ddgcn import features, hostile
from tests.models.test_dml_csr import AllHeads, layer_keys


class TestBSPNet(ModelContract):
    name = "bspnet"
    parameters = 66_505_462  # 66,499,302 with 11 classes
    small = SMALL


ENCODER, PYRAMID = 42_623_936, 4 * (2048 * 512 + 2 * 512) + 4096 * 512 * 9 + 2 * 512
SEMANTIC, REDUCE = 512 * 11 + 11, (256 + 512 + 1024) * 256 + 3 * 2 * 256
BOUNDARY = 256 * 2 * 9 + 2 + 6 * 2 + 2
FUSION = (512 + 3 * 256) * 256 + 2 * 256 + 256 * 11 + 11


@pytest.mark.parametrize(
    ("branches", "parts", "small"),
    [
        ("semantic", (SEMANTIC,), 916_667),
        ("three", (SEMANTIC, REDUCE, BOUNDARY, FUSION), 932_246),
        ("fusion", (REDUCE, FUSION), 931_227),
    ],
)
def test_each_branch_has_its_weights(branches: str, parts: tuple[int, ...], small: int) -> None:
    with torch.device("meta"):
        whole = create_model("bspnet", 11, branches=branches)
        lean = create_model("bspnet", 11, **SMALL, branches=branches)
    assert count_parameters(whole) == ENCODER + PYRAMID + sum(parts)
    assert count_parameters(lean) == small < FLAT.limit


#: What each part gives for an image of 473², written down from the paper.
SHAPES = {
    "encoder.stage1": (256, 119, 119),  # conv2_3
    "encoder.stage2": (512, 60, 60),  # conv3_4
    "encoder.stage3": (1024, 30, 30),  # conv4_23
    "encoder.stage4": (2048, 30, 30),
    "context.branches.0": (512, 1, 1),
    "context.branches.3": (512, 6, 6),
    "context": (512, 30, 30),
    "semantic": (11, 30, 30),
    "edge_heads.reduce.0": (256, 119, 119),
    "edge_heads.reduce.2": (256, 30, 30),
    "edge_heads.binary": (2, 119, 119),
    "fusion": (11, 119, 119),
}


def test_shapes_at_the_paper_s_size() -> None:
    with torch.device("meta"):
        model = create_model("bspnet", 11)
        found = output_shapes(AllHeads(model), torch.empty(1, 3, 473, 473))
    assert {key: found[f"model.{key}"] for key in SHAPES} == SHAPES


def reading(classes: int, branches: str) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of all but the encoder."""
    keys: dict[str, tuple[int, ...]] = layer_keys("context.bottleneck", 512, 4096, 3, 3)
    for i in range(4):
        keys |= layer_keys(f"context.branches.{i}", 512, 2048, 1, 1)
    if branches != "fusion":
        keys |= {"semantic.weight": (classes, 512, 1, 1), "semantic.bias": (classes,)}
    if branches != "semantic":
        for i, channels in enumerate((256, 512, 1024)):
            keys |= layer_keys(f"edge_heads.reduce.{i}", 256, channels, 1, 1)
        keys |= layer_keys("fusion.mix", 256, 1280, 1, 1)
        keys |= {"fusion.classify.weight": (classes, 256, 1, 1), "fusion.classify.bias": (classes,)}
    if branches == "three":
        keys |= {"edge_heads.shared.weight": (2, 256, 3, 3), "edge_heads.shared.bias": (2,)}
        keys |= {"edge_heads.binary.weight": (2, 6, 1, 1), "edge_heads.binary.bias": (2,)}
    return keys


@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize("classes", [1, 11])
def test_keys_and_shapes(classes: int, branches: str) -> None:
    with torch.device("meta"):
        state = create_model("bspnet", classes, branches=branches).state_dict()
    found = {k: tuple(v.shape) for k, v in state.items() if not k.startswith("encoder.")}
    assert found == reading(classes, branches)


@pytest.mark.parametrize("branches", BRANCHES)
@pytest.mark.parametrize("classes", [1, 64])
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (71, 258)])
def test_any_size_and_any_number_of_classes(
    classes: int, size: tuple[int, int], branches: str
) -> None:
    model = create_model("bspnet", classes, **SMALL, branches=branches).eval()
    with torch.no_grad():
        image = torch.randn(2, 3, *size)
        found = model.heads(image)
        assert torch.equal(found.logits, model(image))
    maps, two = (2, classes, *size), (2, 2, *size)
    shapes = [None if x is None else tuple(x.shape) for x in found]
    assert shapes == ([maps, maps, two] if branches == "three" else [maps, None, None])


def test_the_fusion_is_a_convolution_of_all_that_is_enlarged_and_concatenated() -> None:
    branch = hostile(FusionBranch(6, 4, 3, 5, "inplace"))
    edges = [features(9, 7, 4), features(5, 4, 4), features(3, 2, 4)]
    context = features(3, 2, 6)
    w = slow.weights_of(branch)
    wide = [slow.enlarge(x.numpy(), 9, 7) for x in (*edges, context)]
    expected = slow.conv(slow.layer(np.concatenate(wide, 1), w, "mix"), w, "classify")
    with torch.no_grad():
        np.testing.assert_allclose(branch(edges, context).numpy(), expected, atol=1e-9)


def reached(model: nn.Module, output: str) -> set[str]:
    """The parts that an output's gradient reaches."""
    model.zero_grad()
    getattr(model.heads(torch.randn(2, 3, 65, 70)), output).square().mean().backward()
    found = [n for n, p in model.named_parameters() if p.grad is not None and p.grad.any()]
    names = {".".join(n.split(".")[:2]) if "stage" in n or "edge" in n else n.split(".")[0]
             for n in found}  # fmt: skip
    return names - {"encoder"}


def test_each_loss_teaches_the_branches_that_it_hears() -> None:
    """The boundary shapes the encoder up to C4; the fusion teaches both branches' features."""
    model = create_model("bspnet", 5, **SMALL)
    early = {f"encoder.stage{i}" for i in (1, 2, 3)}
    boundary = {"edge_heads.reduce", "edge_heads.shared", "edge_heads.binary"}
    assert reached(model, "binary") == early | boundary
    assert reached(model, "semantic") == early | {"encoder.stage4", "context", "semantic"}
    fusion = {"encoder.stage4", "context", "edge_heads.reduce", "fusion"}
    assert reached(model, "logits") == early | fusion


def test_inference_has_what_it_needs_and_the_same_logits(tmp_path: Any) -> None:
    model = create_model("bspnet", 19, **SMALL).eval()
    lean, image = decouple(model), torch.randn(1, 3, 65, 70)
    assert lean.config.branches == "fusion" and not lean.training
    with torch.no_grad():
        assert torch.equal(lean(image), model(image))
    assert decouple(lean) is lean
    settings = {"num_classes": 19, **SMALL}
    info = checkpoint.ModelInfo("bspnet", settings, "celebamask-hq", 64, (0.5,) * 3, (0.25,) * 3)
    checkpoint.save(tmp_path / "a.safetensors", model, info)
    loaded = checkpoint.load(tmp_path / "a.safetensors")
    again = checkpoint.for_inference(loaded)
    assert again.info.config == {**loaded.info.config, "branches": "fusion"}
    assert again.model.config == lean.config
    alone = create_model("bspnet", **SMALL, branches="semantic")
    assert decouple(alone) is alone


def test_forward_computes_no_boundary_and_costs_what_inference_does() -> None:
    with torch.device("meta"):
        whole = create_model("bspnet", 11, **SMALL)
        lean = create_model("bspnet", 11, **SMALL, branches="fusion")
    assert multiply_accumulates(whole, 64) == multiply_accumulates(lean, 64)


def test_settings_that_cannot_be_are_told() -> None:
    for settings, told in (
        ({"branches": "two"}, "branches is 'two'; there are: three, fusion, semantic"),
        ({"output_stride": 32}, "output_stride is 32; there are: 8, 16"),
        ({"abn": "sync"}, "abn is 'sync'; there are: inplace"),
        ({"low_level": 48}, "bspnet has no setting low_level; it has: abn"),
    ):
        with torch.device("meta"), pytest.raises(ValueError, match=told) as caught:
            create_model("bspnet", **settings)
        assert "\n" not in str(caught.value)
    model = create_model("bspnet", **SMALL)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model(torch.randn(1, 3, 64, 64))


def test_its_settings_are_those_of_dml_csr_where_both_have_them() -> None:
    from coursekit.models.bspnet import BSPNetConfig

    own, theirs = vars(BSPNetConfig()), vars(DMLCSRConfig())
    both = own.keys() & theirs.keys()
    assert {"stem", "context_channels", "edge_channels", "head_channels"} < both
    assert all(own[key] == theirs[key] for key in both)
