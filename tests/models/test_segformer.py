"""SegFormer, layer by layer; attention against its definition; memory."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from coursekit import count_parameters, create_model
from coursekit.errors import CourseError
from coursekit.models.segformer import Attention, to_map, to_tokens
from tests.models.contract import ModelContract, output_shapes


class TestSegFormer(ModelContract):
    name = "segformer"
    parameters = 1_975_683
    small = {  # noqa: RUF012
        "dims": (4, 8, 8, 16), "depths": (1, 1, 1, 1), "heads": (1, 2, 2, 4), "decoder": 8,
    }  # fmt: skip


def test_shapes_of_the_stages() -> None:
    shapes = output_shapes(create_model("segformer"), torch.zeros(1, 3, 64, 128))
    assert [shapes[f"stages.{i}"] for i in range(4)] == [
        (16, 16, 32), (32, 8, 16), (128, 4, 8), (192, 2, 4),
    ]  # fmt: skip
    assert shapes["decoder.fuse"] == (256, 16, 32)
    assert shapes["decoder"] == (19, 16, 32)


def test_the_report_s_count_in_two_parts() -> None:
    model = create_model("segformer")
    assert count_parameters(model.stages) == 1_610_608
    assert count_parameters(model.decoder) == 365_075


@pytest.mark.parametrize(("dim", "heads"), [(16, 2), (32, 2), (192, 8), (12, 1)])
def test_attention_is_softmax_of_scaled_products(dim: int, heads: int) -> None:
    torch.manual_seed(0)
    attention = Attention(dim, heads).double()
    x = torch.randn(2, 35, dim, dtype=torch.double, requires_grad=True)
    query, key, value = attention.qkv(x).split(dim, dim=2)
    mixed = []
    for part in range(heads):
        own = slice(part * dim // heads, (part + 1) * dim // heads)
        scores = query[..., own] @ key[..., own].transpose(1, 2) / (dim // heads) ** 0.5
        mixed.append(scores.softmax(dim=-1) @ value[..., own])
    expected = attention.project(torch.cat(mixed, dim=2))
    got = attention(x)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
    weight = torch.randn_like(got)
    gradients = [torch.autograd.grad((y * weight).sum(), x)[0] for y in (got, expected)]
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(64, 96), (97, 131)])
def test_fusing_is_a_convolution_of_the_concatenated_maps(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    model = create_model("segformer").double()
    features, x = [], torch.randn(2, 3, *size, dtype=torch.double)
    for stage in model.stages:
        features.append(x := stage(x))
    first = features[0].shape[-2:]
    enlarged = [
        F.interpolate(unify(x), first, mode="bilinear")
        for unify, x in zip(model.decoder.unify, features, strict=True)
    ]
    convolution, norm, relu = model.decoder.fuse
    expected = model.decoder.head(relu(norm(convolution(torch.cat(enlarged, dim=1)))))
    torch.testing.assert_close(model.decoder(features), expected)


def test_tokens_lie_row_by_row() -> None:
    x = torch.arange(24.0).reshape(1, 2, 3, 4)
    tokens = to_tokens(x)
    assert tokens.shape == (1, 12, 2)
    assert tokens[0, 5].tolist() == [5.0, 17.0]
    assert torch.equal(to_map(tokens, (3, 4)), x)


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(CourseError, match="3 heads do not divide 16 channels"):
        create_model("segformer", heads=(3, 2, 2, 8))


def test_a_configuration_within_the_limit_of_2025() -> None:
    assert count_parameters(create_model("segformer", decoder=184)) == 1_820_019 < 1_821_085


def _largest_kept(model: torch.nn.Module, size: int) -> int:
    """Bytes of the largest tensor that autograd holds for a training step."""
    sizes: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        sizes.append(tensor.untyped_storage().nbytes())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        model(torch.zeros(1, 3, size, size))
    return max(sizes)


def _written_out(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(-1) @ value


def test_a_training_step_never_holds_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    model, size = create_model("segformer"), 128
    matrix = 2 * (size // 4) ** 4 * 4  # bytes: two heads of the first stage, float32
    assert _largest_kept(model, size) < matrix / 4  # and its growth is that of the image
    assert _largest_kept(model, 2 * size) == 4 * _largest_kept(model, size)
    monkeypatch.setattr(F, "scaled_dot_product_attention", _written_out)
    assert _largest_kept(model, size) == matrix
