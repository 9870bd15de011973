"""Statistics of normalisation, estimated anew: weights that were averaged need their own.

The mean of several networks' weights is none of these networks, and neither the mean nor any one of
their running statistics describes what its layers put out. So all training data passes through it
once more, as the paper of DML-CSR asks after its Eq. 6.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, distributed, nn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from coursekit.optim.plan import Images


def normalisations(network: nn.Module) -> list[nn.Module]:
    """The layers that keep running statistics, whatever class they are of.

    One is known by what it has: tensors `running_mean` and `running_var` and a `momentum`, the
    share of the newest batch, as torch's BatchNorm, SyncBatchNorm, InstanceNorm, inplace-abn's and
    `coursekit.models.abn.ABN` have them. A layer without statistics, or which was told to leave
    them alone (`track_running_stats` False; torchvision's frozen one, which has no momentum), is
    none.
    """
    return [
        layer
        for layer in network.modules()
        if hasattr(layer, "momentum")
        and all(isinstance(getattr(layer, f"running_{n}", None), Tensor) for n in ("mean", "var"))
        and getattr(layer, "track_running_stats", True)
    ]


@torch.no_grad()
def reestimate_statistics(network: nn.Module, images: Images | Iterable[Tensor] | None) -> None:
    """Pass images through a network and give its normalisation layers the statistics of that.

    Each layer's statistics are reset, then become the mean over all batches of what the layer takes
    for a batch's mean and (unbiased) variance; a batch counts by its values per channel, so that a
    small last one weighs less and the mean is that of all images. The variance is, as in torch's
    `update_bn`, the mean of variances within batches; how far batches' means lie apart is not in
    it. torch counts every batch alike; with batches of one size the two agree.

    Only the normalisation layers compute in training mode. Everything else stays as it is used:
    with dropout on, as `update_bn` has it, they would learn a spread that inference does not have.
    Afterwards all modes, momenta and weights, and torch's random state, are as they were, also
    after an exception, which leaves the old statistics too. A layer that no image reaches keeps
    what it has. A network with a method `heads` is called by it, so that heads which `forward` may
    leave out are reached.

    Several processes pass through their shares and take the mean of all; where layers are
    synchronised, each must have as many batches. The pass is in float32, also for a run in
    bfloat16.

    Args:
        network: without wrappers.
        images: whitened (B, 3, S, S) batches, or what gives them (`coursekit.optim.plan.Images`);
            None where no layer keeps statistics.

    Raises:
        ValueError: when there are no images, or a layer meets a single value per channel.
    """
    layers = normalisations(network)
    if not layers:
        return
    if images is None:
        raise ValueError("statistics of normalisation are estimated from images; give them")
    heads = getattr(network, "heads", None)
    forward = heads if inspect.ismethod(heads) else network
    weights = dict.fromkeys(layers, 0)  # values per channel that a layer has seen
    batches = 0
    with _only_in_training(network, layers), _counting(layers, weights):
        for image in images() if callable(images) else images:
            forward(image)
            batches += 1
        if not batches:
            raise ValueError("there are no images to estimate statistics of normalisation from")
        _combine(layers, weights)


@contextlib.contextmanager
def _only_in_training(network: nn.Module, layers: list[nn.Module]) -> Iterator[None]:
    """Everything evaluates but these layers; afterwards each part is as it was."""
    modes = {part: part.training for part in network.modules()}
    momenta = {layer: layer.momentum for layer in layers}
    before = [{name: s.clone() for name, s in _statistics(layer).items()} for layer in layers]
    device = before[0]["running_mean"].device
    cuda = [device] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(cuda):
            for part in modes:
                part.training = part in momenta
            yield
    except BaseException:
        for layer, old in zip(layers, before, strict=True):
            for name, statistic in _statistics(layer).items():
                statistic.copy_(old[name])
        raise
    finally:
        for part, mode in modes.items():
            part.training = mode
        for layer, momentum in momenta.items():
            layer.momentum = momentum


@contextlib.contextmanager
def _counting(layers: list[nn.Module], weights: dict[nn.Module, int]) -> Iterator[None]:
    """Gives each call of a layer the momentum that makes its statistics a mean over all calls.

    m_i ← m_{i−1} + w_i / (w_1 + … + w_i) · (m(batch i) − m_{i−1})
    """

    def before(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        x = args[0] if args else next(iter(kwargs.values()))  # (N, C, …)
        if not weights[layer]:
            _reset(layer)  # not left to a momentum of 1: 0 · ∞ is no number
        values = x.numel() // x.shape[1]
        weights[layer] += values
        layer.momentum = values / weights[layer]

    hooks = [layer.register_forward_pre_hook(before, with_kwargs=True) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _statistics(layer: nn.Module) -> dict[str, Tensor]:
    names = ("running_mean", "running_var", "num_batches_tracked")
    found = {name: getattr(layer, name, None) for name in names}
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}


def _reset(layer: nn.Module) -> None:
    for name, statistic in _statistics(layer).items():
        statistic.fill_(name == "running_var")  # a mean of 0, a variance of 1, no batch


def _combine(layers: list[Any], weights: dict[nn.Module, int]) -> None:
    """The mean over processes, each by what its layer has seen; of synchronised layers the same."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return
    if distributed.get_world_size() == 1:
        return
    statistics = [s for layer in layers for s in (layer.running_mean, layer.running_var)]
    seen = torch.tensor([weights[layer] for layer in layers for _ in range(2)]).to(
        statistics[0].device, torch.float64
    )  # (2L,): for each layer's mean and variance
    sums = torch.cat([s.double().flatten() * w for s, w in zip(statistics, seen, strict=True)])
    together = torch.cat([sums, seen])
    distributed.all_reduce(together)
    sums, seen = together[: len(sums)], together[len(sums) :]
    parts = sums.split([s.numel() for s in statistics])
    for statistic, part, weight in zip(statistics, parts, seen, strict=True):
        if weight:
            statistic.copy_((part / weight).view_as(statistic))
