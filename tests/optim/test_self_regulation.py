"""Cycles of averaging and distillation: Eq. 6, the schedule, who teaches, and what is in use."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from coursekit.errors import CourseError
from coursekit.models.abn import ABN
from coursekit.optim import SelfRegulation, SelfRegulationConfig, reestimate_statistics
from coursekit.training.state import flatten, unflatten

#: Steps of an epoch.
STEPS = 2
SMALL = {"initial_epochs": 3, "cycles": 3, "cycle_epochs": 2, "lr": 0.05, "cycle_lr": 0.04}
#: Validation losses of the nine epochs: the initialisation's second is its best, the first
#: student of the first cycle beats that, the average of the second cycle everything.
LOSSES = [5.0, 3.0, 4.0, 2.0, 2.5, 1.9, 1.0, 1.5, 1.2]
IMAGES = [torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(n)) for n in (1, 2)]


def network(norm: type[nn.Module] = nn.BatchNorm2d) -> nn.Module:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), norm(4), nn.ReLU(), nn.Conv2d(4, 2, 1))
    net[3].register_buffer("counter", torch.zeros(2))
    return net.to(memory_format=torch.channels_last)


def plan(net: nn.Module | None = None, **settings: Any) -> SelfRegulation:
    config = SelfRegulationConfig(**{**SMALL, **settings})
    learner = SimpleNamespace(network=net or network(), teacher=None)
    return config.build(learner, STEPS * config.epochs)


def train(plan: SelfRegulation, epoch: int) -> None:
    """The steps of an epoch, from labels or the teacher."""
    plan.network.train()
    for step in range(STEPS):
        generator = torch.Generator().manual_seed(100 * epoch + step)
        image = torch.randn(2, 3, 6, 6, generator=generator)
        plan.zero_grad()
        target = 1.0 if plan.learner.teacher is None else plan.learner.teacher(image)
        (plan.network(image) - target).square().mean().backward()
        plan.step()
        plan.network[3].counter += 1


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {k: v.clone() for k, v in module.state_dict().items()}


def same(one: dict[str, Tensor], two: dict[str, Tensor]) -> bool:
    return set(one) == set(two) and all(torch.equal(v, two[k]) for k, v in one.items())


def alike(ones: list, twos: list) -> bool:
    return all(same(one, two) for one, two in zip(ones, twos, strict=True))


def run(plan: SelfRegulation, first: int = 0, last: int | None = None) -> dict[str, list]:
    """Epochs as `fit` runs them; what was trained, validated, in use and taught by, of each."""
    seen: dict[str, list] = {k: [] for k in ("event", "student", "validated", "used", "teacher")}
    for epoch in range(first, last or plan.config.epochs):
        seen["teacher"].append(plan.learner.teacher and weights(plan.learner.teacher))
        train(plan, epoch)
        seen["student"].append(weights(plan.network))
        with plan.for_use(lambda: IMAGES):
            assert plan.learner.teacher is None
            seen["validated"].append(weights(plan.network))
        assert same(weights(plan.network), seen["student"][-1])
        seen["event"].append(plan.end_epoch(LOSSES[epoch % 9], lambda: IMAGES))
        with plan.for_use():
            seen["used"].append(weights(plan.network))
    return seen


def slow(students: list, best: dict, k: int, n: int) -> dict[str, Tensor]:
    """Eq. 6 in float64, one number after the other; then the statistics."""
    net = network()
    held = dict(students[-1])
    for name, parameter in net.named_parameters():
        flat = torch.zeros(parameter.numel(), dtype=torch.float64)
        for i in range(len(flat)):
            total = sum(float(student[name].flatten()[i]) for student in students)
            flat[i] = k / (k + 1) * float(best[name].flatten()[i]) + total / ((k + 1) * n)
        held[name] = flat.view(parameter.shape).float()
    net.load_state_dict(held)
    reestimate_statistics(net, lambda: IMAGES)
    return weights(net)


def test_each_average_is_eq_6_of_the_epochs_and_the_best_before_the_cycle() -> None:
    seen = run(made := plan())
    student, validated = seen["student"], seen["validated"]
    #              initialisation      cycle 1             cycle 2             cycle 3
    assert seen["event"] == ["improved", "improved", "wait", "best", "improved", "best",
                             "improved", "wait", "improved"]  # fmt: skip
    ends = {4: student[1], 6: student[3], 8: validated[6]}  # M_best of each
    for k, (end, best) in enumerate(ends.items(), 1):
        expected = slow(student[end - 1 : end + 1], best, k, 2)
        torch.testing.assert_close(validated[end], expected)
        assert torch.equal(validated[end]["3.counter"], student[end]["3.counter"])
    for epoch in range(9):
        assert epoch in ends or same(validated[epoch], student[epoch])
    assert made.cycle_ends == tuple(ends) and made.best_epoch == 8
    assert made.stopped and made.phase == "stopped" and made.learner.teacher is None
    with pytest.raises(RuntimeError, match="all epochs are done"):
        made.end_epoch(1.0)


def test_what_is_in_use_is_the_best_and_then_the_latest_average() -> None:
    seen = run(made := plan())
    latest = [0, 1, 1, 1, 4, 4, 6, 6, 8]
    for epoch, source in enumerate(latest):
        assert same(seen["used"][epoch], seen["validated"][source])
    made.load_best()
    assert same(weights(made.network), seen["used"][-1])


def test_all_images_pass_once_a_cycle_and_a_cycle_is_not_averaged_early() -> None:
    made, passes = plan(), []

    def images() -> list[Tensor]:
        passes.append(made.phase)
        return IMAGES

    run(made, last=4)
    made.step()  # one of the two of the cycle's last epoch
    with made.for_use(images):
        assert not passes
    made.step()
    for _ in range(2):
        with made.for_use(images):
            pass
    made.end_epoch(1.0, images)
    with made.for_use(images):
        pass
    assert passes == ["cycle 1 of 3"]


def test_an_average_needs_no_validation_before_it() -> None:
    one, two = plan(), plan()
    for made in (one, two):
        run(made, last=4)
        train(made, 4)
    with one.for_use(lambda: IMAGES):
        pass
    for made in (one, two):
        assert made.end_epoch(1.0, lambda: IMAGES) == "improved"
        made.load_best()
    assert same(weights(one.network), weights(two.network))


def test_the_first_of_equals_is_the_best() -> None:
    for first, made in (("improved", plan()), ("best", plan(initial_epochs=0, cycle_epochs=3))):
        events = []
        for epoch in range(2):
            train(made, epoch)
            events.append(made.end_epoch(1.0))
        assert events == [first, "wait"]


def test_each_cycle_has_the_average_before_it_as_its_teacher() -> None:
    made = plan()
    seen = run(made)
    assert seen["teacher"][:3] == [None] * 3
    for epoch, source in zip(range(3, 9), (1, 1, 4, 4, 6, 6), strict=True):
        assert same(seen["teacher"][epoch], seen["validated"][source])
    teacher = plan(initial_epochs=0).learner.teacher
    assert not teacher.training and not any(p.requires_grad for p in teacher.parameters())
    assert run(plan(first_teacher="none"))["teacher"][3:5] == [None, None]


def test_the_running_mean_of_averages() -> None:
    """As the public code: whatever the losses, M of the cycle before stands for M_best."""
    seen = run(plan(best="aggregate"))
    assert "best" not in seen["event"]
    best = seen["student"][1]
    for k, end in enumerate((4, 6, 8), 1):
        expected = slow(seen["student"][end - 1 : end + 1], best, k, 2)
        torch.testing.assert_close(seen["validated"][end], expected)
        best = seen["validated"][end]


def test_a_cycle_starts_from_the_student_or_the_teacher() -> None:
    for start in ("student", "teacher"):
        for optimiser in ("sgd", "adamw"):
            made = plan(start_from=start, optimiser=optimiser)
            seen = run(made, last=3)
            fresh = not made.optimiser.state
            assert fresh == (start == "teacher")
            expected = seen["student"][2] if start == "student" else seen["student"][1]
            assert same(weights(made.network), expected)
            assert made.optimiser.param_groups[0]["lr"] == 0.04


def test_the_controls() -> None:
    """Neither: plain training at the same rates, the best kept. One half each."""
    both = run(plan())
    plain = run(made := plan(distil=False, aggregate=False))
    assert plain["teacher"] == [None] * 9 and made.best_epoch == 6
    assert plain["event"] == ["improved", "improved", "wait", "improved", "wait", "improved",
                              "improved", "wait", "wait"]  # fmt: skip
    assert alike(plain["validated"], plain["student"])
    assert same(plain["used"][-1], plain["student"][6])
    # It is what a plan without self-regulation does, but for the rate.
    again = plan(initial_epochs=9, cycles=0)
    again.config = made.config
    assert alike(run(again)["student"], plain["student"])

    average = run(plan(distil=False))
    assert average["teacher"] == [None] * 9
    assert alike(average["student"], plain["student"])
    torch.testing.assert_close(
        average["validated"][4], slow(average["student"][3:5], average["student"][1], 1, 2)
    )
    taught = run(plan(aggregate=False))
    assert alike(taught["validated"], taught["student"])
    for epoch, source in zip(range(3, 9), (1, 1, 3, 3, 6, 6), strict=True):
        assert same(taught["teacher"][epoch], taught["student"][source])
    assert alike(taught["student"][:5], both["student"][:5])


def test_rates_by_hand() -> None:
    config = SelfRegulationConfig(initial_epochs=4, cycles=2, cycle_epochs=2, lr=0.1, cycle_lr=0.02)
    half = [0.02, 0.02 * (0.5 + math.sqrt(0.5) / 2), 0.01, 0.02 * (0.5 - math.sqrt(0.5) / 2)]
    assert [config.rate(s, 2) for s in range(17)] == pytest.approx([0.1] * 8 + 2 * half + [0])
    poly = SelfRegulationConfig(initial_epochs=2, cycles=1, lr=0.1, schedule="poly")
    expected = [0.1, 0.1 * 0.75**0.9, 0.1 * 0.5**0.9, 0.1 * 0.25**0.9, 1e-5]
    assert [poly.rate(s, 2) for s in range(5)] == pytest.approx(expected)
    cosine = SelfRegulationConfig(
        initial_epochs=2, cycles=1, cycle_epochs=2, lr=0.1, schedule="cosine", cycle_min_lr=1e-6
    )
    assert cosine.rate(2, 2) == pytest.approx(0.05)
    assert cosine.rate(6, 2) == pytest.approx(5.5e-6) and cosine.rate(8, 2) == 1e-6
    assert SelfRegulationConfig().epochs == 200


def test_phases_say_where_it_is() -> None:
    made = plan()
    phases, rates = [], []
    for epoch in range(9):
        phases.append(made.phase)
        rates.append(made.rate)
        run(made, epoch, epoch + 1)
    assert phases == ["initialisation"] * 3 + [f"cycle {k} of 3" for k in (1, 1, 2, 2, 3, 3)]
    assert rates == pytest.approx([0.05] * 3 + [0.04, 0.02] * 3)


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(()))
        self.box = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.box.gamma = nn.Parameter(torch.ones(1))


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
def test_scalars_may_have_a_rate_of_their_own_and_do_not_decay(optimiser: str) -> None:
    settings = {"optimiser": optimiser, "weight_decay": 0.5, "own_rate_factor": 10.0}
    made = plan(Scaled(), own_rate=("gamma", "0.bias"), **settings)
    names = {id(p): name for name, p in made.network.named_parameters()}
    found = {
        names[id(p)]: (group["weight_decay"], pytest.approx(group["lr"]))
        for group in made.optimiser.param_groups
        for p in group["params"]
    }
    decay = 0.5 if optimiser == "sgd" else 0.0
    assert found == {
        "gamma": (0, 0.5), "box.gamma": (0, 0.5), "box.0.weight": (0.5, 0.05),
        "box.0.bias": (decay, 0.5), "box.1.weight": (decay, 0.05), "box.1.bias": (decay, 0.05),
    }  # fmt: skip
    with pytest.raises(CourseError, match=r"no parameter is called amma, .* such as gamma"):
        plan(Scaled(), own_rate=("amma",))


def test_tied_parameters_are_averaged_by_all_their_names() -> None:
    net = network()
    net.append(nn.Conv2d(2, 2, 1, bias=False))
    net.append(nn.Conv2d(2, 2, 1, bias=False))
    net[5].weight = net[4].weight
    seen = run(plan(net))
    assert torch.equal(seen["used"][4]["4.weight"], seen["used"][4]["5.weight"])
    assert not torch.equal(seen["used"][4]["4.weight"], seen["student"][4]["4.weight"])


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, ABN])
@pytest.mark.parametrize("settings", [
    {}, {"optimiser": "adamw", "best": "aggregate"}, {"start_from": "teacher", "schedule": "poly"},
    {"aggregate": False}, {"distil": False}, {"initial_epochs": 0, "cycles": 4},
])  # fmt: skip
def test_it_goes_on_bit_for_bit_after_any_epoch(settings: dict, norm: type[nn.Module]) -> None:
    whole = run(first := plan(network(norm), **settings))
    for cut in range(1, first.config.epochs):
        one = plan(network(norm), **settings)
        run(one, last=cut)
        tensors: dict[str, Tensor] = {}
        state = flatten(one.state_dict(), tensors)
        two = plan(network(norm), **settings)
        two.network.load_state_dict(one.network.state_dict())
        two.load_state_dict(unflatten(state, {k: v.contiguous() for k, v in tensors.items()}))
        assert (two.phase, two.rate, two.best_epoch) == (one.phase, one.rate, one.best_epoch)
        rest = run(two, first=cut)
        for key in ("event", "used", "student", "teacher"):
            for a, b in zip(rest[key], whole[key][cut:], strict=True):
                assert same(a, b) if isinstance(a, dict) else a == b, (key, cut)


def test_each_model_is_in_the_state_once() -> None:
    made, sizes = plan(), []
    for epoch in range(9):
        run(made, epoch, epoch + 1)
        state = made.state_dict()
        sizes.append((len(state["models"]), state["sum"] is not None))
    assert max(sizes) == (3, True) and sizes[0] == (1, False) and sizes[3] == (2, True)


def test_other_settings_are_refused() -> None:
    state = plan().state_dict()
    for changes, message in [
        ({"cycle_epochs": 3}, "cycle_epochs was 2 and is 3, steps was 18 and is 24"),
        ({"cycles": 4}, "cycles was 3 and is 4"),
        ({"distil": False}, "distil was True and is False"),
    ]:
        with pytest.raises(ValueError, match=message):
            plan(**changes).load_state_dict(state)
    run(made := plan(), last=2)
    state = made.state_dict()
    state["models"][0]["0.weight"] = torch.zeros(1)
    with pytest.raises(ValueError, match=r"does not fit the network: 0\.weight"):
        plan().load_state_dict(state)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial_epochs": -1}, "initial_epochs is -1; it must be a whole number from 0"),
        ({"cycles": 1.0}, "cycles is 1.0"),
        ({"cycle_epochs": 0}, "cycle_epochs is 0; it must be a whole number from 1"),
        ({"initial_epochs": 0, "cycles": 0}, "nothing to train"),
        ({"lr": 0}, "lr is 0"),
        ({"cycle_lr": math.nan}, "cycle_lr is nan"),
        ({"cycle_min_lr": 1.0}, r"cycle_min_lr is 1.0; it must lie in \[0, cycle_lr\]"),
        ({"momentum": 1}, "momentum is 1"),
        ({"weight_decay": -1}, "weight_decay is -1"),
        ({"own_rate_factor": math.inf}, "own_rate_factor is inf"),
        ({"own_rate": "gamma"}, "own_rate is 'gamma'; it must be a tuple of names"),
        ({"optimiser": "adam"}, "optimiser is 'adam'; it must be 'sgd' or 'adamw'"),
        ({"schedule": None}, "schedule is None; it must be 'constant' or 'poly' or 'cosine'"),
        ({"start_from": "best"}, "start_from is 'best'"),
        ({"cycle_lr": "1e-5"}, "cycle_lr is '1e-5'; it must be a number"),
        ({"momentum": "high"}, "momentum is 'high'; it must be a number"),
        ({"distil": "no"}, "distil is 'no'; it must be True or False"),
    ],
)
def test_settings_that_cannot_be(settings: dict, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        SelfRegulationConfig(**settings)


def test_steps_that_are_not_those_of_the_schedule() -> None:
    learner = SimpleNamespace(network=network(), teacher=None)
    config = SelfRegulationConfig(**SMALL)
    for steps in (0, 10):
        with pytest.raises(CourseError, match=rf"{steps} steps .* \(--epochs\) to 9"):
            config.build(learner, steps)
    few = config.build(learner, 9)  # 18 steps an epoch, of which FitConfig had half an epoch
    with pytest.raises(CourseError, match="epoch 1 has more than 1 steps"):
        train(few, 0)
    many = config.build(learner, 36)
    train(many, 0)
    with pytest.raises(CourseError, match="epoch 1 has fewer than 4 steps, .* 9, 3 epochs and 3"):
        many.end_epoch(1.0)
    with pytest.raises(ValueError, match="epoch 0 is nan"):
        many.end_epoch(math.nan)
    run(made := plan(), last=4)
    train(made, 4)
    with pytest.raises(ValueError, match="estimated from images"), made.for_use():
        pass
    assert made.learner.teacher is not None
