"""SGD under the poly schedule, and going on with it in mid-run."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from coursekit.errors import CourseError
from coursekit.optim import Poly, PolyConfig, SelfRegulationConfig, poly_rate
from coursekit.optim.scheduled import Scheduled
from coursekit.training import ParsingObjective


def network() -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    return net.to(memory_format=torch.channels_last)


def one_step(plan: Poly, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    plan.zero_grad()
    plan.model(torch.randn(2, 3, 6, 6, generator=draw)).square().mean().backward()
    plan.step()


def test_the_rate_is_the_paper_s() -> None:
    rates = [poly_rate(t, 50, 1e-3) for t in range(51)]
    assert rates[0] == 1e-3 and rates[50] == poly_rate(60, 50, 1e-3) == 0
    assert rates[10] == pytest.approx(1e-3 * 0.8**0.9)
    assert all(a > b for a, b in itertools.pairwise(rates))
    # The initialisation of DML-CSR falls so, too.
    cycles = SelfRegulationConfig(5, 1, 1, lr=1e-3, schedule="poly")
    assert [cycles.rate(t, 10) for t in range(50)] == rates[:50]


def test_it_is_torch_s_sgd_at_that_rate() -> None:
    plan, twin = Poly(network(), PolyConfig(lr=0.1), 6), network()
    sgd = torch.optim.SGD(twin.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.PolynomialLR(sgd, 6, power=0.9)
    assert (plan.phase, plan.best_epoch) == ("sgd", -1)
    for t in range(6):
        assert plan.rate == pytest.approx(sgd.param_groups[0]["lr"])
        one_step(plan, t)
        draw = torch.Generator().manual_seed(t)
        sgd.zero_grad()
        twin(torch.randn(2, 3, 6, 6, generator=draw)).square().mean().backward()
        sgd.step()
        schedule.step()
    torch.testing.assert_close(plan.model.state_dict(), twin.state_dict())
    assert plan.stopped and plan.phase == "stopped" and plan.rate == 0
    assert plan.end_epoch(9.0) == "improved" and plan.best_epoch == 0  # the last weights count
    with plan.for_use():
        torch.testing.assert_close(plan.model.state_dict(), twin.state_dict())


def test_a_run_goes_on_where_it_was_bit_for_bit() -> None:
    whole, first = (Poly(network(), PolyConfig(lr=0.1), 8) for _ in range(2))
    for t in range(8):
        one_step(whole, t)
    for t in range(3):
        one_step(first, t)
    first.end_epoch(1.0)
    state = first.state_dict()
    lying = {  # read back from a file a tensor lies channel after channel
        "optimiser": {
            **state["optimiser"],
            "state": {
                k: {n: v.contiguous() for n, v in held.items()}
                for k, held in state["optimiser"]["state"].items()
            },
        }
    }
    second = Poly(network(), PolyConfig(lr=0.1), 8)
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict({**state, **lying})
    assert (second.rate, second.best_epoch) == (first.rate, 0)
    for t in range(3, 8):
        one_step(second, t)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[key]), key
    with pytest.raises(ValueError, match=r"power was 0\.9 and is 1\.0, steps was 8 and is 9"):
        Poly(network(), PolyConfig(lr=0.1, power=1.0), 9).load_state_dict(state)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": 0}, "lr is 0"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": "0.1"}, "lr is '0.1'; it must be a number"),
        ({"power": 0.0}, "power is 0"),
        ({"momentum": 1.0}, "momentum is 1"),
        ({"weight_decay": -1}, "weight_decay is -1"),
    ],
)
def test_settings_that_cannot_be(settings: dict, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        PolyConfig(**settings)


def test_a_schedule_needs_steps_finite_losses_and_a_rate() -> None:
    with pytest.raises(CourseError, match="0 steps"):
        Poly(network(), PolyConfig(), steps=0)
    with pytest.raises(ValueError, match="epoch 0 is inf"):
        Poly(network(), PolyConfig(), steps=1).end_epoch(math.inf)
    net = network()
    with pytest.raises(TypeError, match="must define rate_of"):
        Scheduled(net, PolyConfig(), 1, torch.optim.SGD(net.parameters()), "sgd")
    learner = ParsingObjective(net, ("cross_entropy",), 2, None)
    plan = PolyConfig().build(learner, 5)
    assert isinstance(plan, Poly) and plan.model is net and PolyConfig.fixed_length
