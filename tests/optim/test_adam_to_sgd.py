"""The pipeline against Algorithm 1 written naively, Eq. 4 against torch, and its state."""

from __future__ import annotations

import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coursekit.optim import AdamToSGD, AdamToSGDConfig, Pipeline, cosine_rate
from coursekit.optim.fused import load_fused

CONFIGS = st.builds(
    AdamToSGDConfig,
    adam_lr=st.floats(1e-4, 1e-1),
    sgd_lr=st.sampled_from([0.02, 0.01, 0.08]),
    sgd_min_lr=st.sampled_from([0.01, 0.005, 0.0025]),
    patience=st.integers(1, 5),
    adam_t_max=st.integers(1, 60),
    sgd_t_max=st.integers(1, 60),
)
# Few distinct values, so that ties (which are no improvement) occur often.
LOSSES = st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.9]), max_size=60)


def algorithm_1(losses: list[float], config: AdamToSGDConfig) -> list[tuple]:
    """Algorithm 1 line by line: (phase, rate, event) of each epoch, and of the best weights."""

    def eq_4(t: int, t_max: int, highest: float) -> float:
        lowest = highest * config.min_fraction
        return lowest + (highest - lowest) * (1 + math.cos(t / t_max * math.pi)) / 2

    trace: list[tuple] = []
    best, best_at = math.inf, -1
    epoch = 0
    t = waited = 0
    while epoch < len(losses):  # line 3
        rate = eq_4(t, config.adam_t_max, config.adam_lr)
        loss = losses[epoch]  # line 4
        t += 1  # line 5
        waited = 0 if loss < best else waited + 1
        if loss < best:
            best, best_at = loss, epoch
        if waited < config.patience:  # line 6
            trace.append(("adam", rate, "improved" if waited == 0 else "wait", best_at))
            epoch += 1
            continue
        trace.append(("adam", rate, "switch", best_at))  # line 7
        epoch += 1
        peak = config.sgd_lr  # line 8
        t = waited = 0  # line 9
        while peak >= config.sgd_min_lr and epoch < len(losses):  # line 10
            rate = eq_4(t, config.sgd_t_max, peak)
            loss = losses[epoch]  # line 11
            t += 1  # line 12
            waited = 0 if loss < best else waited + 1
            if loss < best:
                best, best_at = loss, epoch
            event = "improved" if waited == 0 else "wait"
            if waited >= config.patience:  # line 13
                peak /= 2  # line 14
                t = waited = 0  # line 15
                event = "halve" if peak >= config.sgd_min_lr else "stop"
            trace.append(("sgd", rate, event, best_at))
            epoch += 1
        break
    return trace


@given(LOSSES, CONFIGS)
def test_pipeline_follows_algorithm_1(losses: list[float], config: AdamToSGDConfig) -> None:
    expected = algorithm_1(losses, config)
    pipeline = Pipeline(config)
    for loss, (phase, rate, event, best_at) in zip(losses, expected, strict=False):
        assert pipeline.phase == phase
        assert pipeline.rate == pytest.approx(rate)
        assert pipeline.record(loss) == event
        assert pipeline.best_epoch == best_at
    assert (pipeline.phase == "stopped") == bool(expected and expected[-1][2] == "stop")


def test_pipeline_repeats_the_reports_log() -> None:
    """Switches at 48, 61 and 73, a stop at 85 and the best loss at 49, counted from 1."""
    pipeline = Pipeline()
    events = {}
    for epoch in range(1, 86):
        loss = 1 - epoch / 100 if epoch <= 36 else (0.5 if epoch == 49 else 2.0)
        event = pipeline.record(loss)
        if event not in ("wait", "improved"):
            events[epoch] = (event, pipeline.peak)
    assert events == {
        48: ("switch", 0.02), 61: ("halve", 0.01), 73: ("halve", 0.005), 85: ("stop", 0.005),
    }  # fmt: skip
    assert pipeline.best_epoch == 48
    with pytest.raises(RuntimeError, match="stopped"):
        pipeline.record(0.1)


@given(LOSSES, CONFIGS, st.integers(0, 60))
def test_pipeline_goes_on_from_saved_state(
    losses: list[float], config: AdamToSGDConfig, cut: int
) -> None:
    whole, first = Pipeline(config), Pipeline(config)
    for i, loss in enumerate(losses):
        if whole.phase == "stopped":
            break
        if i == cut:
            state = json.loads(json.dumps(first.state_dict()))
            first = Pipeline(config)
            first.load_state_dict(state)
        assert whole.record(loss) == first.record(loss)
        assert whole == first


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_pipeline_refuses_a_loss_that_is_not_finite(loss: float) -> None:
    with pytest.raises(ValueError, match="epoch 0"):
        Pipeline().record(loss)


def test_cosine_is_torchs() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([parameter], lr=0.02)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=50, eta_min=0.01)
    for step in range(120):
        assert cosine_rate(step, 50, 0.02, 0.01) == pytest.approx(scheduler.get_last_lr()[0])
        optimiser.step()
        scheduler.step()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"patience": 0}, "patience"),
        ({"min_fraction": 1.5}, "min_fraction"),
        ({"sgd_lr": 1e-4}, "sgd_lr"),
    ],
)
def test_settings_are_checked(changes: dict, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        AdamToSGDConfig(**changes)


def _train(optimiser: AdamToSGD, losses: list[float]) -> None:
    for loss in losses:
        torch.manual_seed(optimiser.pipeline.epoch)
        optimiser.zero_grad()
        optimiser.model(torch.randn(4, 3)).square().mean().backward()
        optimiser.step()
        optimiser.end_epoch(loss)


def test_weights_go_back_to_the_best() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimiser = AdamToSGD(model, AdamToSGDConfig(patience=2))
    _train(optimiser, [1.0])
    best = model.weight.detach().clone()
    _train(optimiser, [1.5])
    assert not torch.equal(model.weight, best)
    assert isinstance(optimiser.optimiser, torch.optim.Adam)
    _train(optimiser, [1.5])
    assert torch.equal(model.weight, best)
    assert isinstance(optimiser.optimiser, torch.optim.SGD)
    assert optimiser.rate == 0.02
    assert optimiser.optimiser.param_groups[0]["momentum"] == 0.5
    _train(optimiser, [1.5] * 6)
    assert optimiser.stopped
    assert torch.equal(model.weight, best)


@pytest.mark.parametrize("cut", [1, 3, 4, 6])
def test_saved_state_goes_on_bit_for_bit(cut: int) -> None:
    losses = [1.0, 0.9, 1.1, 1.2, 0.8, 1.0, 1.0, 1.0]
    config = AdamToSGDConfig(patience=2)
    torch.manual_seed(0)
    whole = AdamToSGD(torch.nn.Linear(3, 2), config)
    torch.manual_seed(0)
    first = AdamToSGD(torch.nn.Linear(3, 2), config)
    _train(whole, losses)
    _train(first, losses[:cut])
    second = AdamToSGD(torch.nn.Linear(3, 2), config)
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict(first.state_dict())
    _train(second, losses[cut:])
    for a, b in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="patience was 2 and is 3"):
        AdamToSGD(torch.nn.Linear(3, 2), AdamToSGDConfig(patience=3)).load_state_dict(
            first.state_dict()
        )


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_state_that_was_saved_goes_back_to_its_weights(layout: torch.memory_format) -> None:
    """A fused step walks memory: state in another layout would reach the wrong weights."""

    def made() -> tuple[torch.nn.Conv2d, torch.optim.Optimizer]:
        torch.manual_seed(0)
        layer = torch.nn.Conv2d(4, 6, 3).to(memory_format=layout)
        return layer, torch.optim.Adam(layer.parameters(), 0.1, fused=True)

    def step(layer: torch.nn.Conv2d, optimiser: torch.optim.Optimizer, seed: int) -> None:
        image = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(seed))
        optimiser.zero_grad()
        layer(image.to(memory_format=layout)).square().sum().backward()
        optimiser.step()

    layer, optimiser = made()
    step(layer, optimiser, 1)
    kept = {k: v.clone() for k, v in layer.state_dict().items()}
    state = optimiser.state_dict()
    state["state"] = {  # as a file holds it
        index: {key: value.clone(memory_format=torch.contiguous_format) for key, value in h.items()}
        for index, h in state["state"].items()
    }
    step(layer, optimiser, 2)
    again, other = made()
    again.load_state_dict(kept)
    load_fused(other, state)
    step(again, other, 2)
    assert torch.equal(again.weight, layer.weight) and torch.equal(again.bias, layer.bias)  # type: ignore[arg-type]
