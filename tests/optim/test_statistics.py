"""Statistics of normalisation, estimated anew, whatever class keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from coursekit.models.abn import ABN
from coursekit.optim import reestimate_statistics
from coursekit.optim.statistics import normalisations


class Centring(nn.Module):
    """A normalisation that is none of torch's: statistics, a momentum, and no count of batches."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.momentum = 0.3
        self.weight = nn.Parameter(torch.rand(channels))
        self.register_buffer("running_mean", torch.full((channels,), 9.0))
        self.register_buffer("running_var", torch.full((channels,), torch.inf))

    def forward(self, x: Tensor) -> Tensor:
        over = [d for d in range(x.ndim) if d != 1]
        mean, var = self.running_mean, self.running_var
        if self.training:
            mean, var = x.mean(over), x.var(over)
            self.running_mean.mul_(1 - self.momentum).add_(mean, alpha=self.momentum)
            self.running_var = (1 - self.momentum) * self.running_var + self.momentum * var
        shape = (1, -1, *[1] * (x.ndim - 2))
        return (x - mean.view(shape)) / var.add(1e-5).sqrt().view(shape) * self.weight.view(shape)


def batches(sizes: tuple[int, ...], seed: int = 0, shape: tuple[int, ...] = (3, 7, 5)) -> list:
    generator = torch.Generator().manual_seed(seed)
    return [2 + 3 * torch.randn(n, *shape, generator=generator) for n in sizes]


def network(dropout: float = 0.0) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Dropout(dropout), nn.ReLU(), nn.Conv2d(4, 6, 1),
        nn.InstanceNorm2d(6), nn.Flatten(2), nn.BatchNorm1d(6, momentum=None), nn.Flatten(1),
        nn.Linear(90, 8), nn.BatchNorm1d(8),
    )  # fmt: skip


def statistics(module: nn.Module) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in module.state_dict().items()}


def test_it_is_update_bn_where_batches_are_of_one_size() -> None:
    images = batches((4, 4, 4))
    ours, theirs = network(), network()
    reestimate_statistics(ours, lambda: images)
    update_bn(images, theirs)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    assert int(ours[1].num_batches_tracked) == 3
    again = network()
    reestimate_statistics(again, images)  # the batches themselves, as update_bn takes them
    torch.testing.assert_close(again.state_dict(), theirs.state_dict())


@pytest.mark.parametrize("make", [nn.BatchNorm2d, Centring, ABN, partial(ABN, kind="plain")])
def test_the_mean_is_that_of_all_images_and_the_variance_that_within_batches(make: type) -> None:
    """Also where the last batch is small, and what was there before was no number."""
    images = batches((5, 5, 2))
    layer = make(3)
    layer.running_mean.fill_(torch.nan)
    reestimate_statistics(layer, lambda: iter(images))
    whole = torch.cat(images)  # (12, 3, 7, 5)
    torch.testing.assert_close(layer.running_mean, whole.mean((0, 2, 3)))
    within = sum(len(x) * x.var((0, 2, 3)) for x in images) / 12  # unbiased, as the layers'
    torch.testing.assert_close(layer.running_var, within)


def test_a_layer_that_is_called_twice_counts_both_calls() -> None:
    layer = nn.BatchNorm1d(3)

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, x: Tensor) -> Tensor:
            return self.layer(input=x) + self.layer(x[:2] + 5)

    images = batches((4, 3), shape=(3,))
    with pytest.raises(RuntimeError, match="must match"):  # 4 and 2 cannot be added
        reestimate_statistics(Twice(), lambda: images)
    Twice.forward = lambda self, x: (self.layer(input=x), self.layer(x[:2] + 5))  # type: ignore
    reestimate_statistics(Twice(), lambda: images)
    seen = torch.cat([images[0], images[0][:2] + 5, images[1], images[1][:2] + 5])
    torch.testing.assert_close(layer.running_mean, seen.mean(0))


def test_deep_layers_of_any_class_are_found() -> None:
    frozen = nn.BatchNorm2d(3)
    frozen.track_running_stats = False
    parts = nn.ModuleDict({
        "a": nn.BatchNorm1d(3), "b": nn.Sequential(nn.BatchNorm3d(3), Centring(3)),
        "c": nn.SyncBatchNorm(3), "d": nn.InstanceNorm2d(3, track_running_stats=True),
        "e": nn.InstanceNorm2d(3), "f": nn.BatchNorm2d(3, track_running_stats=False),
        "g": frozen, "h": nn.GroupNorm(1, 3), "i": ABN(3),
    })  # fmt: skip
    found = [name for name, part in parts.named_modules() if part in normalisations(parts)]
    assert found == ["a", "b.0", "b.1", "c", "d", "i"]


def test_all_but_the_statistics_stays_as_it_was() -> None:
    net = network(dropout=0.9).train()
    net[1].eval()
    net[3].register_buffer("other", torch.ones(2))
    before, modes = statistics(net), [part.training for part in net.modules()]
    momenta = [getattr(part, "momentum", 0) for part in net.modules()]
    state = torch.get_rng_state()

    def images() -> Iterator[Tensor]:
        torch.rand(3)  # as a loader does
        yield from batches((4, 4))

    reestimate_statistics(net, images)
    assert torch.equal(state, torch.get_rng_state())
    assert modes == [part.training for part in net.modules()]
    assert momenta == [getattr(part, "momentum", 0) for part in net.modules()]
    assert not any(part._forward_pre_hooks for part in net.modules())
    for name, value in net.state_dict().items():
        kept = not name.endswith(("running_mean", "running_var", "tracked"))
        assert torch.equal(value, before[name]) == kept, name
    assert all(p.grad is None for p in net.parameters())
    without = network()
    reestimate_statistics(without, images)  # dropout was off
    torch.testing.assert_close(without[10].state_dict(), net[10].state_dict())


def test_after_an_exception_all_is_as_it_was() -> None:
    net = nn.Sequential(network(dropout=0.5), Centring(8)).train()
    before = statistics(net)

    def images() -> Iterator[Tensor]:
        yield from batches((4, 3))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reestimate_statistics(net, images)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(part.training for part in net.modules())
    assert net[0][1].momentum == 0.1 and net[1].momentum == 0.3
    assert not any(part._forward_pre_hooks for part in net.modules())
    for wrong in (lambda: [], None):
        with pytest.raises(ValueError, match="images"):
            reestimate_statistics(net, wrong)
    assert torch.equal(net[0][1].running_mean, before["0.1.running_mean"])


def test_heads_that_forward_leaves_out_are_reached_and_others_keep_theirs() -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.edge, self.unused = (nn.BatchNorm2d(3, momentum=0.5) for _ in range(3))

        def heads(self, image: Tensor) -> tuple[Tensor, Tensor]:
            return self.body(image), self.edge(2 * image)

        def forward(self, image: Tensor) -> Tensor:
            return self.body(image)

    net = Heads()
    net.unused.running_mean.fill_(4)
    images = batches((2, 2))
    reestimate_statistics(net, lambda: images)
    torch.testing.assert_close(net.edge.running_mean, 2 * net.body.running_mean)
    assert net.unused.running_mean.tolist() == [4, 4, 4]


def test_a_network_without_statistics_sees_no_image() -> None:
    reestimate_statistics(nn.Conv2d(3, 3, 1), None)
