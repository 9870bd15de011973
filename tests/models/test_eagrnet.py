"""EAGRNet: its graph against loops, its shapes, its edges."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coursekit import create_model
from coursekit.models.dml_csr import SMALL
from coursekit.models.eagrnet import EAGRNetConfig, EdgeAwareGraph
from tests.models import slow
from tests.models.contract import ModelContract, output_shapes
from tests.models.test_ddgcn import features, hostile


class TestEAGRNet(ModelContract):
    name = "eagrnet"
    parameters = 66_724_579  # 66,722,523 with 11 classes, as the paper counts
    small = SMALL


@pytest.mark.parametrize(("height", "width", "anchors"), [(7, 9, 2), (3, 4, 4)])
def test_the_graph_is_its_equations(height: int, width: int, anchors: int) -> None:
    graph = hostile(EdgeAwareGraph(6, 5, anchors, "inplace"))
    x = features(height, width)
    edge = torch.rand(2, 1, height, width, dtype=torch.float64)
    with torch.no_grad():
        got = graph(x, edge).numpy()
    expected = slow.edge_aware_graph(x.numpy(), edge.numpy(), slow.weights_of(graph), anchors)
    np.testing.assert_allclose(got, expected, atol=1e-9)


def test_shapes_at_the_paper_s_size() -> None:
    with torch.device("meta"):
        model = create_model("eagrnet", 11)
        found = output_shapes(model, torch.empty(1, 3, 473, 473))
    shapes = {
        "context": (512, 60, 60),
        "context.branches.3": (512, 6, 6),
        "edge_module.shared": (2, 60, 60),
        "edge_module.binary": (2, 119, 119),
        "deep_graph.state": (128, 60, 60),
        "deep_graph.graph": (128, 16),
        "deep_graph": (512, 60, 60),
        "shallow_graph.project": (64, 119, 119),
        "shallow_graph.graph": (64, 16),
        "shallow_graph": (256, 119, 119),
        "parsing_head": (11, 119, 119),
    }
    assert {key: found[key] for key in shapes} == shapes


def test_parsing_hears_of_edges_and_does_not_teach_them() -> None:
    model = create_model("eagrnet", **SMALL)
    image = torch.randn(2, 3, 64, 64)
    model(image).square().mean().backward()
    assert all(p.grad is None for p in model.edge_module.parameters())
    with torch.no_grad():
        before = model.eval()(image)
        model.edge_module.binary.bias[1] += 3
        assert not torch.equal(model(image), before)


def test_its_settings_are_those_of_dml_csr_where_both_have_them() -> None:
    from coursekit.models.dml_csr import DMLCSRConfig

    own, theirs = EAGRNetConfig(), DMLCSRConfig()
    assert all(getattr(own, key) == getattr(theirs, key) for key in SMALL)
