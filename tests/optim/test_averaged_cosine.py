"""AdamW under one cosine, and the average of its weights."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from coursekit.errors import CourseError
from coursekit.optim import AdamToSGD, AdamToSGDConfig, AveragedCosine, AveragedCosineConfig
from coursekit.optim.averaged_cosine import warm_cosine
from coursekit.training import ParsingObjective


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))


def one_step(optimiser: AveragedCosine, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    optimiser.zero_grad()
    optimiser.model(torch.randn(2, 3, 6, 6, generator=generator)).square().mean().backward()
    optimiser.step()


def test_the_rate_rises_in_a_line_and_falls_to_nothing() -> None:
    rates = [warm_cosine(step, 100, 0.01, 0.1) for step in range(100)]
    assert rates[:10] == pytest.approx([0.01 * (s + 1) / 11 for s in range(10)])
    assert rates[10] == max(rates) == 0.01
    assert rates[55] == pytest.approx(0.005)
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))
    assert warm_cosine(100, 100, 0.01, 0.1) == pytest.approx(0)
    assert warm_cosine(0, 100, 0.01, 0.0) == 0.01


def test_the_average_is_that_of_its_equation() -> None:
    optimiser = AveragedCosine(network(), AveragedCosineConfig(average=0.6), steps=12)
    expected: dict[str, torch.Tensor] = {}
    for step in range(1, 13):
        one_step(optimiser, step)
        decay = min(0.6, (1 + step) / (10 + step))
        for key, value in optimiser.model.state_dict().items():
            if step == 1 or not value.is_floating_point():
                expected[key] = value.clone()
            else:
                expected[key] = decay * expected[key] + (1 - decay) * value
    own = {k: v.clone() for k, v in optimiser.model.state_dict().items()}
    with optimiser.for_use():
        for key, value in optimiser.model.state_dict().items():
            torch.testing.assert_close(value, expected[key])
    assert all(torch.equal(v, own[k]) for k, v in optimiser.model.state_dict().items())
    assert optimiser.stopped and optimiser.phase == "stopped"
    optimiser.load_best()
    torch.testing.assert_close(optimiser.model.state_dict(), expected)


def test_without_an_average_the_weights_are_used_as_they_are() -> None:
    optimiser = AveragedCosine(network(), AveragedCosineConfig(average=0), steps=3)
    one_step(optimiser, 0)
    own = {k: v.clone() for k, v in optimiser.model.state_dict().items()}
    with optimiser.for_use():
        assert all(torch.equal(v, own[k]) for k, v in optimiser.model.state_dict().items())


def test_biases_and_normalisations_do_not_decay() -> None:
    optimiser = AveragedCosine(network(), AveragedCosineConfig(lr=0.1, weight_decay=0.5), steps=2)
    before = {k: v.clone() for k, v in optimiser.model.named_parameters()}
    for parameter in optimiser.model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    for name, parameter in optimiser.model.named_parameters():
        assert torch.equal(parameter, before[name]) == (parameter.ndim <= 1), name


def test_a_run_goes_on_where_it_was() -> None:
    whole = AveragedCosine(network(), AveragedCosineConfig(), steps=8)
    first = AveragedCosine(network(), AveragedCosineConfig(), steps=8)
    for step in range(4):
        one_step(whole, step)
        one_step(first, step)
    first.end_epoch(1.0)
    second = AveragedCosine(network(), AveragedCosineConfig(), steps=8)
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict(first.state_dict())
    assert (second.rate, second.best_epoch) == (whole.rate, 0)
    for step in range(4, 8):
        one_step(whole, step)
        one_step(second, step)
    whole.load_best()
    second.load_best()
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key
    with pytest.raises(ValueError, match="steps was 8 and is 9"):
        AveragedCosine(network(), AveragedCosineConfig(), steps=9).load_state_dict(
            first.state_dict()
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0}, "lr is 0"),
        ({"lr": math.nan}, "lr is nan"),
        ({"weight_decay": -1}, "weight_decay is -1"),
        ({"warmup": 1}, "warmup is 1"),
        ({"average": 1.0}, "average is 1.0"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, float], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        AveragedCosineConfig(**settings)


def test_a_schedule_needs_steps_and_finite_losses() -> None:
    with pytest.raises(CourseError, match="0 steps"):
        AveragedCosine(network(), AveragedCosineConfig(), steps=0)
    with pytest.raises(ValueError, match="epoch 0 is nan"):
        AveragedCosine(network(), AveragedCosineConfig(), steps=1).end_epoch(math.nan)


def test_a_configuration_builds_its_kind() -> None:
    learner = ParsingObjective(network(), ("cross_entropy",), 2, None)
    assert isinstance(AdamToSGDConfig().build(learner, 5), AdamToSGD)
    plan = AveragedCosineConfig().build(learner, 5)
    assert isinstance(plan, AveragedCosine) and plan.steps == 5 and plan.model is learner.network
