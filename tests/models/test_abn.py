"""Activated batch normalisation: the equations, what it keeps, and every way of running it."""

from __future__ import annotations

import copy
import importlib.util
import pickle
import subprocess
import sys
import weakref
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.optim.swa_utils import AveragedModel

from coursekit.complexity import kept_bytes
from coursekit.errors import CourseError
from coursekit.models import abn as module
from coursekit.models.abn import ABN
from coursekit.training.guards import naming_what_torch_met
from tests.models.abn_processes import SHARES, batch, layer, results

SCALES = (1.5, -0.7, 0.0, 1e-3, -1e-3)
PACKAGE = importlib.util.find_spec("inplace_abn") is not None


def make(
    slope: float | int = 0.01,
    *,
    kind: str = "inplace",
    scales: tuple[float, ...] = SCALES,
    training: bool = True,
    dtype: torch.dtype = torch.float64,
) -> ABN:
    """A layer with these scales and statistics that are not the first ones."""
    torch.manual_seed(1)
    abn = ABN(len(scales), slope, kind=kind)
    with torch.no_grad():
        abn.weight.copy_(torch.tensor(scales))
        abn.bias.normal_()
        abn.running_mean.normal_()
        abn.running_var.uniform_(0.5, 2)
    return abn.to(dtype).train(training)


def slow(abn: ABN, x: Tensor, residual: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Output and new running statistics, a channel at a time, as the equations stand."""
    channels, means, variances = [], [], []
    for c in range(x.shape[1]):
        values = x[:, c]
        count = values.numel()
        mean, var = abn.running_mean[c], abn.running_var[c]
        if abn.training:
            mean = values.sum() / count
            var = ((values - mean) ** 2).sum() / count
        means.append(0.9 * abn.running_mean[c] + 0.1 * mean)
        variances.append(0.9 * abn.running_var[c] + 0.1 * var * count / (count - 1))
        gamma = abn.weight[c]
        scale = (gamma if gamma >= 0 else -gamma) + abn.eps
        y = scale * (values - mean) / (var + abn.eps) ** 0.5 + abn.bias[c]
        if residual is not None:
            y = y + residual[:, c]
        channels.append(torch.where(y >= 0, y, abn.slope * y))
    return torch.stack(channels, 1), torch.stack(means), torch.stack(variances)


@pytest.mark.parametrize("kind", ["inplace", "plain", *(["package"] if PACKAGE else [])])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(7, 5), (3, 5, 4), (2, 5, 3, 5), (2, 5, 3, 1, 2)])
@pytest.mark.parametrize(("slope", "added"), [(0.01, False), (1, False), (0.3, True), (1, True)])
def test_results_and_gradients_are_those_of_the_equations(
    kind: str, training: bool, shape: tuple[int, ...], slope: float | int, added: bool
) -> None:
    abn = make(slope, kind=kind, training=training)
    x = (3 + 2 * torch.randn(shape, dtype=torch.float64)).requires_grad_()
    residual = torch.randn(shape, dtype=torch.float64, requires_grad=True) if added else None
    above = torch.randn(shape, dtype=torch.float64)
    leaves = [x, abn.weight, abn.bias] + ([residual] if residual is not None else [])
    expected, mean, var = slow(abn, x, residual)
    expected_gradients = torch.autograd.grad(expected, leaves, above)
    out = abn(x, residual)
    torch.testing.assert_close(out, expected)
    gradients = torch.autograd.grad(out, leaves, above)
    for found, wanted in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(found, wanted)
    if training:
        torch.testing.assert_close(abn.running_mean, mean)
        torch.testing.assert_close(abn.running_var, var)


@pytest.mark.parametrize("training", [True, False])
def test_gradcheck(training: bool) -> None:
    # |γ| has no derivative at 0: there γ is held, and its gradient is tested against Σ x̂·dy above.
    for scales, with_scale in (((1.5, -0.7, 1e-3, -1e-3), True), ((0.0, 0.0, 1.0, 0.0), False)):
        abn = make(0.2, scales=scales, training=training)
        x = torch.randn(3, 4, 2, 2, dtype=torch.float64, requires_grad=True)
        residual = torch.randn_like(x, requires_grad=True)
        abn.weight.requires_grad_(with_scale)

        def run(x: Tensor, residual: Tensor, _: Tensor, __: Tensor, abn: ABN = abn) -> Tensor:
            return abn(x, residual)

        assert gradcheck(run, (x, residual, abn.weight, abn.bias))


def test_a_scale_of_zero_has_the_gradient_of_a_positive_one() -> None:
    gradients = {}
    for scale in (0.0, 1e-12, -1e-12):
        abn = make(scales=(scale,))
        torch.manual_seed(0)
        x = torch.randn(9, 1, dtype=torch.float64)
        abn(x).backward(x)
        assert abn.weight.grad is not None
        gradients[scale] = float(abn.weight.grad)
    assert gradients[0.0] == pytest.approx(gradients[1e-12]) == pytest.approx(-gradients[-1e-12])
    assert gradients[0.0] != 0


def test_the_output_is_all_that_is_kept_and_the_input_is_freed() -> None:
    kept = {}
    for kind in ("inplace", "plain"):
        net = nn.Sequential(nn.Conv2d(3, 4, 1), ABN(4, kind=kind), nn.Conv2d(4, 2, 1))
        kept[kind] = kept_bytes(net, torch.randn(2, 3, 10, 10))
    a_map, channels = 2 * 4 * 100 * 4, 4 * 4
    assert kept["inplace"] == a_map + channels
    assert kept["plain"] > 2 * a_map
    inputs = torch.randn(2, 4, 10, 10, requires_grad=True)
    conv, abn = nn.Conv2d(4, 4, 1), ABN(4)
    alive = []
    conv.register_forward_hook(lambda _, __, out: alive.append(weakref.ref(out)))
    out = abn(conv(inputs), inputs)
    assert alive[0]() is None
    out.sum().backward()
    assert inputs.grad is not None


def test_a_residual_keeps_no_other_map() -> None:
    class Block(nn.Module):
        def __init__(self, kind: str) -> None:
            super().__init__()
            self.conv, self.abn, self.last = nn.Conv2d(4, 4, 1), ABN(4, kind=kind), ABN(4)

        def forward(self, x: Tensor) -> Tensor:
            x = self.last(x)
            return self.conv(self.abn(self.conv(x), x))

    a_map, channels = 2 * 4 * 100 * 4, 4 * 4
    images = torch.randn(2, 4, 10, 10)
    assert kept_bytes(Block("inplace"), images) == 2 * a_map + 2 * channels
    assert kept_bytes(Block("plain"), images) > 3 * a_map


def test_nothing_is_kept_where_nothing_learns() -> None:
    abn = make(dtype=torch.float32).requires_grad_(False)
    assert kept_bytes(abn, torch.randn(2, 5, 4, 4)) == 0
    assert not abn(torch.randn(2, 5)).requires_grad


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("held", [("weight",), ("bias",), ("weight", "bias"), ("x",)])
def test_frozen_parts_get_no_gradient_and_change_no_others(
    training: bool, held: tuple[str, ...]
) -> None:
    free, abn = make(training=training), make(training=training)
    values, above = torch.randn(2, 4, 5, 3, dtype=torch.float64)
    x, same = values.clone().requires_grad_(), values.clone().requires_grad_("x" not in held)
    for name in set(held) - {"x"}:
        getattr(abn, name).requires_grad_(False)
    free(x).backward(above)
    abn(same).backward(above)
    pairs = {"x": (x, same), "weight": (free.weight, abn.weight), "bias": (free.bias, abn.bias)}
    for name, (whole, part) in pairs.items():
        if name in held:
            assert part.grad is None
        else:
            torch.testing.assert_close(part.grad, whole.grad)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("added", [True, False])
def test_half_precision_has_statistics_in_float32(dtype: torch.dtype, added: bool) -> None:
    scales = (1.5, -0.7, 0.5)
    abn, exact = make(scales=scales, dtype=torch.float32), make(scales=scales)
    torch.manual_seed(2)
    values = (50 + torch.randn(16, 3, 12, 12)).to(dtype)
    residual = torch.randn(16, 3, 12, 12).to(dtype) if added else None
    above = torch.randn(16, 3, 12, 12).to(dtype)
    out, wanted = [], []
    for layer_, found, kind in ((abn, out, dtype), (exact, wanted, torch.float64)):
        x = values.to(kind, copy=True).requires_grad_()
        result = layer_(x, residual if residual is None else residual.to(kind))
        assert result.dtype == kind
        result.backward(above.to(kind))
        found += [result, x.grad, layer_.weight.grad, layer_.bias.grad]
        found += [layer_.running_mean, layer_.running_var]
    assert abn.weight.grad is not None and abn.weight.grad.dtype == torch.float32
    for mine, true in zip(out, wanted, strict=True):
        error = (mine.double() - true).norm() / true.norm()
        assert error < 8 * torch.finfo(dtype).eps
    for mine, true in zip(out[-2:], wanted[-2:], strict=True):
        torch.testing.assert_close(mine.double(), true, rtol=1e-5, atol=1e-6)


def test_autocast_and_modules_in_half_precision() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), ABN(4), nn.Conv2d(4, 4, 1))
    x = torch.randn(2, 3, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert net[:2](x).dtype == torch.bfloat16
        out = net(x)
    out.float().square().mean().backward()
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in net.parameters())
    half = copy.deepcopy(net).bfloat16()
    half(x.bfloat16()).float().square().mean().backward()
    assert half[1].running_mean.dtype == half[1].weight.grad.dtype == torch.bfloat16
    torch.testing.assert_close(half[1].weight.grad.float(), net[1].weight.grad, rtol=0.2, atol=0.02)


def test_a_residual_of_another_precision_is_added_as_torch_adds() -> None:
    abn, plain = make(dtype=torch.float32), make(kind="plain", dtype=torch.float32)
    x, residual = torch.randn(2, 6, 5, 3, 3)
    out = abn(x.bfloat16(), residual)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, plain(x.bfloat16(), residual), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("residual", [0.0, 5.0])
def test_a_tiny_scale_makes_no_large_gradients(dtype: torch.dtype, residual: float) -> None:
    torch.manual_seed(0)
    x, above = torch.randn(2, 8, 3, 16, 16).to(dtype)
    added = residual * torch.randn(8, 3, 16, 16).to(dtype)
    found = {}
    for kind in ("inplace", "plain"):
        abn = make(scales=(0.0, 1e-6, -1e-4), kind=kind, dtype=torch.float32)
        leaf = x.clone().requires_grad_()
        abn(leaf, added).backward(above)
        found[kind] = leaf.grad, abn.weight.grad
    (dx, dscale), wanted = (
        (x.float().square().sum((0, 2, 3)).sqrt(), scale.abs()) for x, scale in found.values()
    )
    # dx tends to zero as s does; Σ x̂·dy is of the size that a random x̂ of spread 1 gives.
    assert (dx < 1.3 * wanted[0]).all() and (dx > 0.7 * wanted[0]).all()
    assert (dscale < 3 * above.float().norm()).all()
    if dtype == torch.float32:
        torch.testing.assert_close(dscale, wanted[1], rtol=0.1, atol=0.1)


@pytest.mark.parametrize("kind", ["inplace", "plain"])
def test_channels_last_stays(kind: str) -> None:
    abn = make(kind=kind)
    x = torch.randn(2, 5, 4, 6, dtype=torch.float64)
    there = x.to(memory_format=torch.channels_last).requires_grad_()
    out = abn(there, there)
    assert out.is_contiguous(memory_format=torch.channels_last)
    out.square().sum().backward()
    assert there.grad is not None
    here = x.clone().requires_grad_()
    make(kind=kind)(here, here).square().sum().backward()
    torch.testing.assert_close(there.grad, here.grad)
    assert there.grad.is_contiguous(memory_format=torch.channels_last)


def test_strided_inputs_and_gradients() -> None:
    base = torch.randn(4, 3, 5, 2, dtype=torch.float64)
    x = base.transpose(1, 2).requires_grad_()  # (4, 5, 3, 2), a view
    other = x.detach().contiguous().requires_grad_()
    make(1)(x).sum(0).sum().backward()  # a gradient that is one number, expanded
    make(1)(other).backward(torch.ones_like(other))
    torch.testing.assert_close(x.grad, other.grad)


def test_an_empty_batch_in_evaluation() -> None:
    x = torch.zeros(0, 5, 3, 3, dtype=torch.float64, requires_grad=True)
    out = make(training=False)(x, x)
    assert out.shape == x.shape
    out.sum().backward()
    assert x.grad is not None


@pytest.mark.parametrize("kind", ["inplace", "plain"])
def test_one_value_a_channel_is_refused(kind: str) -> None:
    abn = make(kind=kind)
    with pytest.raises(ValueError, match=r"more than 1 value per channel when training.*1, 5, 1"):
        abn(torch.ones(1, 5, 1, 1, dtype=torch.float64))
    told = pytest.raises(CourseError, match="at least 4 images: raise the batch size")
    with told, naming_what_torch_met(1, 2):
        abn(torch.ones(1, 5, dtype=torch.float64))
    assert abn.eval()(torch.ones(1, 5, 1, 1, dtype=torch.float64)).isfinite().all()


def test_what_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for settings, words in (
        ({"kind": "fast"}, "inplace, package, plain"),
        ({"slope": 0}, "above 0"),
        ({"slope": -1, "kind": "plain"}, "above 0"),
        ({"eps": 0.0}, "eps is 0.0"),
        ({"momentum": 1.5}, "momentum is 1.5; it must lie in 0–1, or be None"),
    ):
        with pytest.raises(ValueError, match=words):
            ABN(4, **settings)
    with pytest.raises(ValueError, match=r"x is \(2, 3\); \(N, 4, …\) is expected"):
        ABN(4)(torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"residual is \(1, 4\), x is \(2, 4\)"):
        ABN(4)(torch.ones(2, 4), torch.ones(1, 4))
    for name in ("inplace_abn", "inplace_abn.functions"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(CourseError, match="not installed here.*'inplace', which needs nothing"):
        ABN(4, kind="package")


def test_what_it_keeps_must_not_be_changed() -> None:
    x = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    out = make()(x)
    loss = out.sum()
    out.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    (gradient,) = torch.autograd.grad(make()(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


@pytest.mark.parametrize("kind", ["inplace", "plain", *(["package"] if PACKAGE else [])])
def test_without_momentum_the_statistics_are_the_mean_of_the_batches(kind: str) -> None:
    batches = torch.randn(3, 6, 4, 5)
    abn = ABN(4, momentum=None, kind=kind)
    abn(torch.randn(6, 4, 5))
    abn.reset_running_stats()
    for x in batches:
        abn(x.clone())
    torch.testing.assert_close(abn.running_mean, batches.mean((0, 1, 3)))
    torch.testing.assert_close(abn.running_var, batches.var((1, 3)).mean(0))


def test_states_go_from_kind_to_kind_and_through_copies() -> None:
    abn = make(dtype=torch.float32)
    assert list(abn.state_dict()) == ["weight", "bias", "running_mean", "running_var"]
    other = make(kind="plain", scales=(1.0,) * 5, dtype=torch.float32)
    other.load_state_dict(abn.state_dict())
    x = torch.randn(3, 5, 4)
    for twin in (copy.deepcopy(abn), pickle.loads(pickle.dumps(abn)), other):
        torch.testing.assert_close(twin.eval()(x), abn.eval()(x))
        torch.testing.assert_close(twin.train()(x), copy.deepcopy(abn).train()(x))
    assert "kind='plain'" in repr(other)


def test_it_can_be_averaged() -> None:
    abn = make(dtype=torch.float32)
    average = AveragedModel(abn, use_buffers=True)
    average.update_parameters(abn)
    first = {k: v.clone() for k, v in abn.state_dict().items()}
    with torch.no_grad():
        for value in abn.state_dict().values():
            value.add_(1)
    average.update_parameters(abn)
    for name, value in average.module.state_dict().items():
        torch.testing.assert_close(value, first[name] + 0.5)


def test_devices_without_the_fused_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(3, 5, 4).bfloat16()
    fused, other = make(dtype=torch.float32), make(dtype=torch.float32)
    out = fused(x)
    monkeypatch.setattr(module, "FUSED", ())
    torch.testing.assert_close(other(x), out)
    torch.testing.assert_close(other.running_mean, fused.running_mean)
    torch.testing.assert_close(other.running_var, fused.running_var)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `tests.models.abn_processes` left."""
    out = tmp_path_factory.mktemp("abn")
    call = [sys.executable, "-m", "tests.models.abn_processes", str(out)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


def test_compiled_it_is_the_same(elsewhere: Path) -> None:
    eager, compiled = torch.load(elsewhere / "compiled.pt")
    assert len(eager) == len(compiled) == 2 + 8 + 8 + 4
    for mine, wanted in zip(compiled, eager, strict=True):
        torch.testing.assert_close(mine, wanted)


def test_processes_share_their_statistics(elsewhere: Path) -> None:
    whole = results(layer("plain"), *batch())
    for name in SHARES:
        parts = [torch.load(elsewhere / f"{name}-{rank}.pt") for rank in (0, 1)]
        for key in ("out", "x", "residual", "evaluated"):
            torch.testing.assert_close(torch.cat([p[key] for p in parts]), whole[key])
        for key in ("weight", "bias"):  # each has the sum over its own values
            torch.testing.assert_close(parts[0][key] + parts[1][key], whole[key])
        for part in parts:
            torch.testing.assert_close(part["mean"], whole["mean"])
            torch.testing.assert_close(part["var"], whole["var"])
    for rank in (0, 1):
        assert "more than 1 value per channel" in (elsewhere / f"refused-{rank}").read_text()
