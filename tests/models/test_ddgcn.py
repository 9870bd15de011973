"""DDGCN and the other context modules against their equations in loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.models.abn import ABN
from coursekit.models.contexts import CONTEXTS, PSP, DGCNet, make_context
from coursekit.models.ddgcn import DDGCN
from tests.models import slow


def hostile(module: nn.Module, seed: int = 0) -> nn.Module:
    """In double precision and evaluation, with statistics and scales as no start has them."""
    generator = torch.Generator().manual_seed(seed)
    module = module.double().eval()
    with torch.no_grad():
        for name, value in (*module.named_parameters(), *module.named_buffers()):
            if not value.is_floating_point():
                continue
            noise = torch.randn(value.shape, generator=generator, dtype=value.dtype)
            if name.endswith("running_var"):
                value.copy_(noise.abs() + 0.5)
            elif value.ndim <= 1:  # biases, scales of either sign, statistics, λ and γ
                value.copy_(noise)
            else:
                value.copy_(noise / value[0].numel() ** 0.5)
    return module


def features(height: int, width: int, channels: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(height)
    return torch.randn(2, channels, height, width, generator=generator, dtype=torch.float64)


def compare(module: nn.Module, expected: Callable[..., slow.Array], x: torch.Tensor) -> None:
    with torch.no_grad():
        got = module(x).numpy()
    np.testing.assert_allclose(got, expected(x.numpy(), slow.weights_of(module)), atol=1e-9)


@pytest.mark.parametrize("merge", ["code", "paper"])
@pytest.mark.parametrize(("height", "width", "conva"), [(9, 13, 3), (3, 1, 1)])
def test_ddgcn_is_its_equations(height: int, width: int, conva: int, merge: str) -> None:
    block = hostile(DDGCN(6, 8, conva=conva, merge=merge))
    compare(block, lambda x, w: slow.ddgcn(x, w, merge), features(height, width))


@pytest.mark.parametrize("pooling", [True, False])
def test_dgcnet_is_its_equations(pooling: bool) -> None:
    block = hostile(DGCNet(6, 8, pooling=pooling))
    compare(block, lambda x, w: slow.dgcnet(x, w, pooling=pooling), features(9, 7))
    assert not any(isinstance(part, ABN) for part in block.modules())


@pytest.mark.parametrize("pooling", [True, False])
def test_psp_is_its_equations(pooling: bool) -> None:
    block = hostile(PSP(6, 5, pooling=pooling))
    compare(block, lambda x, w: slow.psp(x, w, pooling=pooling), features(8, 7))


def test_the_baseline_is_one_layer() -> None:
    block = hostile(make_context("none", 6, 8))
    compare(block, lambda x, w: slow.norm(slow.conv(x, w, "0"), w, "1", 0.01), features(5, 4))


@pytest.mark.parametrize("name", CONTEXTS)
def test_each_gives_the_channels_that_it_names(name: str) -> None:
    context = make_context(name, 6, 8)
    assert context(features(9, 5).float()).shape == (2, context.out_channels, 9, 5)
    assert context.out_channels == (4 if name == "none" else 8)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("none", 3 * 3 * 2048 * 256 + 512),
        ("psp", 23_073_792),
        ("psp_no_pooling", 23_073_792),
        ("ddgcn", 16_754_434),
        # without λ, γ and the convolution that reduces the concatenation
        ("dgcnet", 16_754_434 - 2 - (1024 * 512 + 1024)),
        ("dgcnet_no_pooling", 16_754_434 - 2 - (1024 * 512 + 1024) - 3 * (9 * 512 + 1024)),
    ],
)
def test_counts_of_table_5(name: str, parameters: int) -> None:
    with torch.device("meta"):
        context = make_context(name, 2048, 512)
    assert sum(p.numel() for p in context.parameters()) == parameters


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_setting_that_a_context_does_not_have_is_refused(name: str) -> None:
    for setting, readers in (
        ({"graphs": False}, ("ddgcn",)),
        ({"merge": "paper"}, ("ddgcn",)),
        ({"conva": 3}, ("ddgcn", "dgcnet", "dgcnet_no_pooling")),
    ):
        if name in readers:
            make_context(name, 8, 8, **setting)
        else:
            with pytest.raises(ValueError, match=f"the context is {name}: leave it out"):
                make_context(name, 8, 8, **setting)


def test_pooling_is_nowhere_where_the_name_says_so() -> None:
    """A place that changes reaches every other through pooling or a graph, else a 3×3 alone."""
    x = features(12, 12)
    other = x.clone()
    other[..., 0, 0] += 1
    for name, reaches in (("none", False), ("psp", True), ("psp_no_pooling", False)):
        block = hostile(make_context(name, 6, 8))
        with torch.no_grad():
            changed = bool((block(x) != block(other))[..., -1, -1].any())
        assert changed == reaches, name
    for kind in (nn.AvgPool2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d):
        assert not any(isinstance(part, kind) for part in DDGCN(6, 8).modules())


class TestControl:
    """The block with its graphs off."""

    @pytest.mark.parametrize("merge", ["code", "paper"])
    def test_it_is_the_block_whose_graphs_count_nothing(self, merge: str) -> None:
        block = hostile(DDGCN(6, 8, merge=merge))
        control = DDGCN(6, 8, merge=merge, graphs=False).double().eval()
        with torch.no_grad():
            block.lambda_.zero_()
            block.gamma.zero_()
        state = {key: v for key, v in block.state_dict().items() if key in control.state_dict()}
        if merge == "paper":  # the zeros that are concatenated meet weights that no longer count
            state["reduce.0.weight"] = state["reduce.0.weight"][:, :8]
        control.load_state_dict(state)
        x = features(9, 5)
        with torch.no_grad():
            torch.testing.assert_close(control(x), block(x), rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("merge", ["code", "paper"])
    def test_it_has_fewer_parameters_all_of_them_used(self, merge: str) -> None:
        block, control = DDGCN(6, 8, merge=merge), DDGCN(6, 8, merge=merge, graphs=False)
        sizes = [sum(p.numel() for p in part.parameters()) for part in (block, control)]
        assert sizes[1] < sizes[0]
        control(features(9, 5).float()).sum().backward()
        assert all(p.grad is not None for p in control.parameters())


def test_at_the_start_the_graphs_count_nothing_and_learn_to() -> None:
    block = DDGCN(6, 8)
    assert block.lambda_.item() == block.gamma.item() == 0
    block(features(20, 20).float()).square().sum().backward()
    assert block.lambda_.grad.abs() > 0 and block.gamma.grad.abs() > 0


def test_which_normalisations_have_no_activation() -> None:
    block = DDGCN(6, 8)
    slopes = {
        name: part.slope
        for name, part in block.named_modules()
        if isinstance(part, ABN) and part.slope != 0.01
    }
    assert slopes == {
        "spatial.update.1": 1.0, "feature.adjacency.1": 1.0, "feature.update.1": 1.0
    }  # fmt: skip


def test_which_convolutions_have_a_bias() -> None:
    biased = {
        name
        for name, part in DDGCN(6, 8).named_modules()
        if isinstance(part, nn.Conv1d | nn.Conv2d) and part.bias is not None
    }
    assert biased == {"spatial.query", "spatial.key", "spatial.value", "spatial.extend.0"}


def test_one_image_in_training_needs_more_than_one_node() -> None:
    block = DDGCN(6, 8)
    assert block(features(9, 9)[:1].float()).shape == (1, 8, 9, 9)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        block(features(8, 8)[:1].float())
