"""DML-CSR: counts, shapes and keys by a reading of the paper that knows nothing of our code."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from coursekit import checkpoint, count_parameters, create_model
from coursekit.complexity import hooked_operations
from coursekit.models.contexts import CONTEXTS
from coursekit.models.dml_csr import SMALL
from tests.models.contract import ModelContract, output_shapes


class TestDMLCSR(ModelContract):
    name = "dml_csr"
    parameters = 60_176_906  # 60,155,634 with 11 classes, as the paper counts
    small = SMALL


class AllHeads(nn.Module):
    """Runs the edge heads, too."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: torch.Tensor) -> Any:
        return self.model.heads(image)


@pytest.mark.parametrize(
    ("name", "settings", "parameters", "giga"),
    [
        ("eagrnet", {}, 66_722_523, {224: "51.63"}),
        ("dml_csr", {"edge_heads": "none"}, 59_669_549, {224: "48.54", 473: "222.6"}),
        ("dml_csr", {}, 60_155_634, {224: "49.17"}),
        ("dml_csr", {"edge_heads": "none", "conva": 3}, 68_058_157, {224: "55.12"}),
    ],
)
def test_the_counts_that_identify_the_networks(
    name: str, settings: dict[str, Any], parameters: int, giga: dict[int, str]
) -> None:
    with torch.device("meta"):
        model = create_model(name, 11, **settings)
    assert count_parameters(model) == parameters
    for size, expected in giga.items():
        found = hooked_operations(model, size, heads=not settings) / 1e9
        assert f"{found:.{len(expected.partition('.')[2])}f}" == expected


#: What each part gives for an image of 473², written down from the paper.
SHAPES = {
    "encoder.stem": (128, 119, 119),
    "encoder.stage1": (256, 119, 119),  # C2
    "encoder.stage2": (512, 60, 60),  # C3
    "encoder.stage3": (1024, 60, 60),  # C4
    "encoder.stage4": (2048, 60, 60),  # C5
    "context.conva": (512, 60, 60),  # X
    "context.projection.0": (512, 30, 30),
    "context.projection.1": (512, 15, 15),
    "context.projection.2": (512, 8, 8),  # 64 nodes
    "context.spatial.query": (256, 8, 8),
    "context.spatial.key": (256, 8, 8),
    "context.spatial.value": (256, 8, 8),
    "context.spatial.update": (256, 64),
    "context.spatial": (512, 8, 8),  # H_S
    "context.feature.phi": (256, 60, 60),
    "context.feature.theta": (128, 60, 60),
    "context.feature.adjacency": (128, 256),  # 128 nodes with 256 states
    "context.feature.update": (256, 128),
    "context.feature": (512, 60, 60),  # H_F
    "context.reduce": (512, 60, 60),
    "context.convb": (512, 60, 60),
    "context": (512, 60, 60),
    "parsing_head.reduce": (256, 60, 60),
    "parsing_head.low_level": (48, 119, 119),
    "parsing_head.fuse": (256, 119, 119),
    "parsing_head": (11, 119, 119),
    "edge_heads.reduce.0": (256, 119, 119),
    "edge_heads.reduce.1": (256, 60, 60),
    "edge_heads.reduce.2": (256, 60, 60),
    "edge_heads.shared": (11, 60, 60),
    "edge_heads.binary": (2, 119, 119),
    "edge_heads.category": (11, 119, 119),
}


def test_shapes_at_the_paper_s_size() -> None:
    with torch.device("meta"):
        model = create_model("dml_csr", 11)
        found = output_shapes(AllHeads(model), torch.empty(1, 3, 473, 473))
    assert {key: found[f"model.{key}"] for key in SHAPES} == SHAPES


def layer_keys(name: str, *shape: int, bias: bool = False) -> dict[str, tuple[int, ...]]:
    """Of a convolution and its ABN."""
    keys = {f"{name}.0.weight": shape, **({f"{name}.0.bias": shape[:1]} if bias else {})}
    parts = ("weight", "bias", "running_mean", "running_var")
    return keys | {f"{name}.1.{part}": shape[:1] for part in parts}


def reading(classes: int) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of all but the encoder."""
    keys: dict[str, tuple[int, ...]] = {"context.lambda_": (1,), "context.gamma": (1,)}
    keys |= layer_keys("context.conva", 512, 2048, 1, 1)
    for i in range(3):
        keys |= layer_keys(f"context.projection.{i}", 512, 1, 3, 3)
    for part in ("query", "key", "value"):
        keys |= {f"context.spatial.{part}.weight": (256, 512, 1, 1)}
        keys |= {f"context.spatial.{part}.bias": (256,)}
    keys |= layer_keys("context.spatial.update", 256, 256, 1)
    keys |= layer_keys("context.spatial.extend", 512, 256, 1, 1, bias=True)
    keys |= layer_keys("context.feature.phi", 256, 512, 1, 1)
    keys |= layer_keys("context.feature.theta", 128, 512, 1, 1)
    keys |= layer_keys("context.feature.adjacency", 128, 128, 1)
    keys |= layer_keys("context.feature.update", 256, 256, 1)
    keys |= layer_keys("context.feature.extend", 512, 256, 1, 1)
    keys |= layer_keys("context.reduce", 512, 1024, 1, 1)
    keys |= layer_keys("context.convb", 512, 512, 3, 3)
    keys |= layer_keys("context.bottleneck", 512, 2560, 3, 3)
    keys |= layer_keys("parsing_head.reduce", 256, 512, 1, 1)
    keys |= layer_keys("parsing_head.low_level", 48, 256, 1, 1)
    keys |= layer_keys("parsing_head.fuse.0", 256, 304, 1, 1)
    keys |= layer_keys("parsing_head.fuse.1", 256, 256, 1, 1)
    keys |= {"parsing_head.classify.weight": (classes, 256, 1, 1)}
    keys |= {"parsing_head.classify.bias": (classes,)}
    for i, channels in enumerate((256, 512, 1024)):
        keys |= layer_keys(f"edge_heads.reduce.{i}", 256, channels, 1, 1)
    keys |= {"edge_heads.shared.weight": (classes, 256, 3, 3), "edge_heads.shared.bias": (classes,)}
    for head, outputs in (("binary", 2), ("category", classes)):
        keys |= {f"edge_heads.{head}.weight": (outputs, 3 * classes, 1, 1)}
        keys |= {f"edge_heads.{head}.bias": (outputs,)}
    return keys


@pytest.mark.parametrize("classes", [1, 11])
def test_keys_and_shapes(classes: int) -> None:
    with torch.device("meta"):
        state = create_model("dml_csr", classes).state_dict()
    found = {k: tuple(v.shape) for k, v in state.items() if not k.startswith("encoder.")}
    assert found == reading(classes)


@pytest.mark.parametrize("classes", [1, 2, 64])
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (71, 258)])
def test_any_size_and_any_number_of_classes(classes: int, size: tuple[int, int]) -> None:
    for name in ("dml_csr", "eagrnet"):
        model = create_model(name, classes, **SMALL)
        heads = model.heads(torch.randn(2, 3, *size))
        assert heads.logits.shape == (2, classes, *size)
        assert heads.binary.shape == (2, 2, *size)


@pytest.mark.parametrize("context", CONTEXTS)
def test_every_context_fits_the_head_and_comes_back_from_a_checkpoint(
    context: str, tmp_path
) -> None:
    own = {"merge": "paper", "graphs": False} if context == "ddgcn" else {}
    settings = {**SMALL, "context": context, **own}
    model = create_model("dml_csr", **settings).eval()
    config = {"num_classes": 19, **settings}
    info = checkpoint.ModelInfo("dml_csr", config, "celebamask-hq", 64, (0.5,) * 3, (0.25,) * 3)
    checkpoint.save(tmp_path / "a.safetensors", model, info)
    again = checkpoint.load(tmp_path / "a.safetensors").model
    assert again.config == model.config
    image = torch.randn(1, 3, 65, 70)
    with torch.no_grad():
        assert torch.equal(again(image), model(image))


def test_one_image_in_training() -> None:
    model = create_model("dml_csr", **SMALL)
    model.heads(torch.randn(1, 3, 65, 65)).category.mean().backward()
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        model(torch.randn(1, 3, 64, 64))  # a single node in the spatial graph


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"context": "none", "edge_heads": "none"}, 572_963),
        ({"edge_heads": "none"}, 810_949),
        ({}, 822_186),
    ],
)
def test_the_small_network(settings: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(create_model("dml_csr", **{**SMALL, **settings})) == parameters
