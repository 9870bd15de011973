"""FastSCNN, layer by layer."""

from __future__ import annotations

import torch
from torch import nn

from coursekit import create_model
from tests.models.contract import ModelContract, output_shapes


class TestFastSCNN(ModelContract):
    name = "fastscnn"
    parameters = 1_154_435
    small = {"repeats": 1, "expansion": 2}  # noqa: RUF012


def test_shapes_of_the_four_boxes() -> None:
    model = create_model("fastscnn")
    shapes = output_shapes(model, torch.zeros(1, 3, 64, 128))
    shapes = {name: shapes[name] for name, _ in model.named_children()}
    assert shapes == {
        "learning_to_downsample": (64, 8, 16),
        "global_feature_extractor": (128, 2, 4),
        "feature_fusion": (128, 8, 16),
        "classifier": (19, 8, 16),
    }


def test_only_the_last_convolution_has_a_bias() -> None:
    model = create_model("fastscnn")
    biased = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d) and module.bias is not None
    ]
    assert biased == ["classifier.3"]
