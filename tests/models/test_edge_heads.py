"""The edge heads against loops; networks with and without them."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from coursekit import checkpoint, count_parameters, create_model
from coursekit.errors import CourseError
from coursekit.models import decouple
from coursekit.models.dml_csr import SMALL
from coursekit.models.edge_heads import EdgeHeads
from coursekit.models.layers import conv_abn
from tests.models import slow
from tests.models.test_ddgcn import features, hostile

NETWORKS = {"dml_csr": SMALL, "fastscnn": {"repeats": 1, "edge_heads": "both"}}


@pytest.mark.parametrize("maps", [None, 2])
def test_both_heads_are_their_equations(maps: int | None) -> None:
    heads = hostile(EdgeHeads((4, 5, 6), 3, conv_abn, width=7, maps=maps))
    deep = [features(7, 9, 4), features(4, 5, 5), features(3, 3, 6)]
    w = slow.weights_of(heads)
    read = [
        slow.enlarge(slow.conv(slow.layer(x.numpy(), w, f"reduce.{i}"), w, "shared"), 7, 9)
        for i, x in enumerate(deep)
    ]
    with torch.no_grad():
        binary, category = heads(*deep)
    both = np.concatenate(read, 1)
    np.testing.assert_allclose(binary.numpy(), slow.conv(both, w, "binary"), atol=1e-9)
    np.testing.assert_allclose(category.numpy(), slow.conv(both, w, "category"), atol=1e-9)


@pytest.mark.parametrize("name", NETWORKS)
class TestNetworks:
    @pytest.mark.parametrize(
        ("heads", "binary", "category"),
        [("none", False, False), ("binary", True, False), ("category", False, True),
         ("both", True, True)],
    )  # fmt: skip
    def test_what_is_asked_for_comes_at_the_image_s_size(
        self, name: str, heads: str, binary: bool, category: bool
    ) -> None:
        settings = {**NETWORKS[name], "edge_heads": heads}
        model = create_model(name, 5, **settings).eval()
        with torch.no_grad():
            found = model.heads(torch.randn(2, 3, 65, 97))
        shapes = [None if x is None else tuple(x.shape) for x in found]
        assert shapes == [
            (2, 5, 65, 97),
            (2, 2, 65, 97) if binary else None,
            (2, 5, 65, 97) if category else None,
        ]

    def test_forward_computes_no_edge(self, name: str) -> None:
        model = create_model(name, **NETWORKS[name]).eval()

        def refuse(*_: object) -> None:
            raise AssertionError("the edge heads were run")

        model.edge_heads.register_forward_hook(refuse)
        image = torch.randn(1, 3, 64, 64)
        with torch.no_grad():
            logits = model(image)
            with pytest.raises(AssertionError, match="were run"):
                model.heads(image)
            assert torch.equal(decouple(model).heads(image).logits, logits)

    def test_decoupled_logits_are_the_same_bit_for_bit(self, name: str) -> None:
        model = hostile(create_model(name, **NETWORKS[name])).float()
        lean = decouple(torch.nn.DataParallel(model))
        assert not lean.training
        assert lean.config.edge_heads == "none"
        image = torch.randn(2, 3, 65, 97)
        with torch.no_grad():
            assert torch.equal(lean(image), model(image))
            assert torch.equal(model.heads(image).logits, model(image))
        assert not any("edge" in key for key in lean.state_dict())
        assert lean.state_dict().keys() == create_model(
            name, **{**NETWORKS[name], "edge_heads": "none"}
        ).state_dict().keys()  # fmt: skip
        spared = sum(p.numel() for p in model.edge_heads.parameters())
        assert count_parameters(lean) == count_parameters(model) - spared

    def test_a_checkpoint_for_training_is_one_for_inference(self, name: str, tmp_path) -> None:
        model = hostile(create_model(name, **NETWORKS[name])).float()
        config = {"num_classes": 19, **NETWORKS[name]}
        info = checkpoint.ModelInfo(name, config, "celebamask-hq", 64, (0.5,) * 3, (0.25,) * 3)
        checkpoint.save(tmp_path / "a.safetensors", model, info)
        loaded = checkpoint.load(tmp_path / "a.safetensors")
        lean = checkpoint.for_inference(loaded)
        checkpoint.save(tmp_path / "b.safetensors", lean.model, lean.info)
        again = checkpoint.load(tmp_path / "b.safetensors")
        image = torch.randn(1, 3, 70, 64)
        with torch.no_grad():
            expected = model(image)
            for one in (loaded, lean, again):
                assert torch.equal(one.model(image), expected)
        assert again.info.config == {**loaded.info.config, "edge_heads": "none"}
        assert checkpoint.for_inference(again) is again
        for part in model.modules():
            if isinstance(part, torch.nn.Conv2d):
                torch.nn.utils.parametrizations.weight_norm(part)
        with torch.no_grad():
            assert torch.equal(decouple(torch.nn.DataParallel(model))(image), model(image))

    def test_an_altered_network_is_named(self, name: str) -> None:
        model = create_model(name, **NETWORKS[name])
        part = next(part for part in model.modules() if isinstance(part, torch.nn.Conv2d))
        part.weight = torch.nn.Parameter(part.weight[:, :1])
        with pytest.raises(CourseError, match=r"altered after it was made .* set its width when"):
            decouple(model)


def test_frozen_weights_and_training_stay_as_they_are() -> None:
    model = create_model("dml_csr", **SMALL)
    model.encoder.requires_grad_(False)
    lean = decouple(model)
    assert lean.training
    assert not any(p.requires_grad for p in lean.encoder.parameters())
    assert all(p.requires_grad for p in lean.context.parameters())


def test_networks_without_edge_heads_are_their_own_inference_network() -> None:
    for name, settings in (("eagrnet", SMALL), ("unet", {"widths": (4, 8)})):
        model = create_model(name, **settings)
        assert decouple(model) is model


def test_fastscnn_keeps_under_two_million_with_both_heads() -> None:
    with torch.device("meta"):
        plain, both = (create_model("fastscnn", edge_heads=h) for h in ("none", "both"))
    assert (count_parameters(plain), count_parameters(both)) == (1_154_435, 1_178_264)
    kept = [key for key in both.state_dict() if not key.startswith("edge_heads.")]
    assert kept == list(plain.state_dict())


def test_heads_that_are_not_there_are_refused() -> None:
    with pytest.raises(
        ValueError, match="edge_heads is 'two'; there are: none, binary, category, both"
    ):
        EdgeHeads((4, 4, 4), 3, partial(conv_abn, abn="plain"), heads="two")
