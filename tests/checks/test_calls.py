"""What happens when a check runs a student's code: copies, changed arguments, crashes."""

from __future__ import annotations

import asyncio
import copy
from collections import OrderedDict
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.checks import NOT_WRITTEN, Check, CheckFailed


@pytest.fixture
def check() -> Check:
    return Check("ten")


class Pair(NamedTuple):
    left: Any
    right: Any


def add_one(weights: Any) -> Any:
    weights += 1
    return weights


GIVEN = [
    np.zeros(3),
    np.zeros((4, 4))[::2, ::2],
    torch.zeros(3),
    torch.zeros(3, dtype=torch.bfloat16),
    nn.Parameter(torch.zeros(3)),
]


@pytest.mark.parametrize("given", GIVEN)
def test_a_changed_argument_is_named_and_the_author_s_own_is_whole(
    check: Check, given: Any
) -> None:
    with pytest.raises(CheckFailed, match=r"your function changes its argument `weights`: work on"):
        check.call(add_one, given)
    assert (given == 0).all()


def test_arguments_inside_containers_are_copied(check: Check) -> None:
    def change(first: Any, *rest: Any, last: Any) -> int:
        for one in (first, *rest, last):
            one["a"][0].left[0] = 7
        return 1

    given = [{"a": (Pair(np.zeros(2), [1]), 3)} for _ in range(3)]
    with pytest.raises(CheckFailed, match="arguments `first` and `number 2` and `last`"):
        check.call(change, given[0], given[1], last=given[2])
    assert all(one["a"][0].left[0] == 0 for one in given)

    def grow(names: list[int], table: dict[str, int]) -> int:
        names.append(1)
        table["x"] = 1
        return 1

    with pytest.raises(CheckFailed, match="`names` and `table`"):
        check.call(grow, [], {})
    assert check.call(lambda pair: type(pair), Pair(1, 2)) is Pair


def test_values_and_types_of_arguments_arrive(check: Check) -> None:
    for given in (np.float32(2), [1, (2, "a")], {"k": None}, np.array([np.nan])):
        np.testing.assert_equal(check.call(lambda x: [x], given)[0], given)
    assert check.call(lambda x, *, y: (x, y), 1, y=2) == (1, 2)


def test_a_shape_that_is_changed_in_place_is_a_change(check: Check) -> None:
    def turn(tensor: Any) -> Any:
        return tensor.resize_(4, 1)

    with pytest.raises(CheckFailed, match="`tensor`"):
        check.call(turn, torch.zeros(2, 2))


def test_gradients_reach_the_author_s_tensor(check: Check) -> None:
    logits = torch.ones(3, requires_grad=True)
    check.call(lambda x: (2 * x).sum(), logits).backward()
    assert logits.grad is not None and logits.grad.tolist() == [2, 2, 2]


def test_what_may_change_is_handed_over_itself(check: Check) -> None:
    check.may_change("weights")
    given = torch.zeros(2)
    assert check.call(add_one, given) is given and given.tolist() == [1, 1]


def test_modules_are_called_and_given(check: Check) -> None:
    norm, x = nn.BatchNorm2d(2), torch.ones(1, 2, 2, 2)
    assert check.call(norm.eval(), x).shape == x.shape

    def spoil(network: nn.Module) -> int:
        network.weight.data += 1
        return 1

    with pytest.raises(CheckFailed, match="argument `network`"):
        check.call(spoil, norm)
    assert norm.weight.tolist() == [1, 1]
    assert check.call(lambda network: network, norm) is norm


def grow(network: Any) -> Any:
    network.bias = nn.Parameter(torch.zeros(4))
    return network


def shrink(network: Any) -> Any:
    network.weight = nn.Parameter(torch.zeros(2, 3))
    return network


def lose(network: Any) -> Any:
    return network.to_empty(device="meta")  # whose values cannot be compared


@pytest.mark.parametrize("function", [grow, shrink, lose])
def test_a_network_that_cannot_be_put_back_is_named(check: Check, function: Any) -> None:
    with pytest.raises(CheckFailed, match="your function changes its argument `network`"):
        check.call(function, nn.Linear(3, 4, bias=False))


def test_run_takes_what_gives_nothing_and_call_does_not(check: Check) -> None:
    assert check.run(lambda: None) is None
    with pytest.raises(CheckFailed, match="`return`"):
        check.call(lambda: None)


def test_a_crash_is_one_line_with_the_student_s_own(check: Check) -> None:
    def mine(x: Any) -> Any:
        return np.linalg.det(x)  # the line

    with pytest.raises(CheckFailed) as caught:
        check.call(mine, np.zeros(3))
    line = mine.__code__.co_firstlineno + 1
    begin, end = caught.value.message.split(" (line", 1)
    assert begin.startswith("your code stops with LinAlgError: 1-dimensional array given.")
    assert end == (f" {line} of its cell in `mine`: `return np.linalg.det(x)  # the line`)")
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(CheckFailed, match=r"takes 0 positional arguments but 1 was given\)$"):
        check.call(lambda: 1, 2)


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


def test_where_it_stops_is_told_by_a_name_that_the_student_gave(check: Check) -> None:
    def mine(x: Any) -> Any:
        return sum(1 / n for n in x)

    with pytest.raises(CheckFailed, match=r"of its cell in `mine`: `return sum\(1 / n"):
        check.call(mine, [0])


def test_no_full_stop_stands_before_a_comma(check: Check) -> None:
    def mine(x: Any) -> Any:
        return np.linalg.det(x)

    check.crashes(ValueError, "1-dimensional", "what the exercise says of it")
    with pytest.raises(CheckFailed, match=r"two-dimensional, line [0-9]+ of its cell in `mine`"):
        check.call(mine, np.zeros(3))


def test_an_exception_that_cannot_be_told_is_named(check: Check) -> None:
    def crash() -> None:
        raise Mute

    check.crashes(Mute, "anything", "-")
    with pytest.raises(CheckFailed, match="your code stops with Mute"):
        check.call(crash)


def test_a_misconception_goes_by_class_and_cause(check: Check) -> None:
    check.crashes(ValueError, "same shape", "crop them first")
    check.crashes((TypeError, KeyError), lambda error: "x" in str(error), "there is no x")
    with pytest.raises(CheckFailed, match=r"^ten: crop them first \(ValueError: all input"):
        check.call(lambda: np.stack([[1], [1, 2]]))
    with pytest.raises(CheckFailed, match="ten: there is no x"):
        check.call(lambda: {}["x"])
    for other in (lambda: {}["y"], lambda: int("a"), lambda: 1 / 0):
        with pytest.raises(CheckFailed, match="^ten: (?!crop them first|there is no x)"):
            check.call(other)
    with pytest.raises(ValueError, match="which cause"):
        check.crashes(ValueError, "", "everything")


class NoSuper(nn.Module):
    def __init__(self, part: bool) -> None:
        if part:
            self.part = nn.Linear(1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class NoForward(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width


def test_what_any_exercise_may_meet_is_named(check: Check) -> None:
    with pytest.raises(CheckFailed, match=r"`super\(\).__init__\(\)` is missing"):
        check.build(NoSuper, (True,), (False,))
    with pytest.raises(CheckFailed, match=r"`super\(\).__init__\(\)` is missing"):
        check.call(NoSuper(False), torch.zeros(1))
    with pytest.raises(CheckFailed, match="it has no `forward`"):
        check.call(NoForward(1), torch.zeros(1))

    def again(n: int) -> int:
        return again(n + 1)

    with pytest.raises(CheckFailed, match=r"calls itself without end .* in `again`"):
        check.call(again, 1)

    def leave() -> None:
        raise SystemExit(0)

    with pytest.raises(CheckFailed, match="your code ends Python"):
        check.run(leave)


def test_stubs_interrupts_and_checks_pass_through(check: Check) -> None:
    for error in (NotImplementedError(f"{NOT_WRITTEN}ten"), KeyboardInterrupt()):

        def stop(error: BaseException = error) -> None:
            raise error

        with pytest.raises(type(error)):
            check.run(stop)

    with pytest.raises(CheckFailed, match=r"^other: wrong"):
        check.call(lambda: Check("other").that(False, "wrong"))
    with pytest.raises(CheckFailed, match="your code stops with NotImplementedError: mine"):
        check.run(_raise, NotImplementedError("mine"))
    with pytest.raises(CheckFailed, match=r"your code stops with MemoryError \(line"):
        check.run(_raise, MemoryError())


def _raise(error: BaseException) -> None:
    raise error


def test_build_takes_two_sets_of_arguments(check: Check) -> None:
    one, two = check.build(nn.Linear, (2, 3), {"in_features": 4, "out_features": 5})
    assert (one.weight.shape, two.weight.shape) == ((3, 2), (5, 4))
    for sets in ([(2, 3)], [(2, 3), (2, 3)]):
        with pytest.raises(ValueError, match="two sets of arguments that differ"):
            check.build(nn.Linear, *sets)
    with pytest.raises(CheckFailed, match="lacks an argument.*TypeError"):
        check.build(nn.Linear, (), (1, 2))


def _interpolate(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.interpolate(x, x.shape)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (lambda x: nn.Sequential([nn.ReLU()]), "one by one, not in a list"),
        (lambda x: nn.Sequential(nn.ReLU), "each of them made"),
        (lambda x: nn.ModuleList([nn.ReLU()])(x), "a ModuleList is not called"),
        (lambda x: nn.Conv2d(3, 3, 3, padding=2 / 2)(x), "divide whole numbers by `//`"),
        (lambda x: nn.Conv2d(3, 4 / 2, 1), "divide whole numbers by `//`"),
        (lambda x: nn.BatchNorm2d(6 / 2), "divide whole numbers by `//`"),
        (lambda x: torch.cat(x for _ in range(2)), "take a list of tensors"),
        (lambda x: torch.cat(x, x), "take a list of tensors"),
        (_interpolate, "the height and width alone"),
    ],
)
def test_what_any_network_may_meet_is_named(check: Check, code: Any, words: str) -> None:
    with pytest.raises(CheckFailed, match=words):
        check.call(code, torch.zeros(2, 3, 4, 4))


def test_what_makes_something_and_gives_nothing_lacks_a_return(check: Check) -> None:
    with pytest.raises(CheckFailed, match="`return`"):
        check.build(lambda width: None, (1,), (2,))


class Steps:
    """Has a state with a number that is not one object, as an optimiser's."""

    def __init__(self) -> None:
        self.count = 300

    def state_dict(self) -> dict[str, Any]:
        return {"count": int(str(self.count)), "rate": float("0.5")}


@pytest.mark.parametrize(
    "given",
    [
        Steps(), np.array([np.ones(2), None], dtype=object), torch.eye(2).to_sparse(),
        torch.zeros(2, device="meta"), {1, 2}, OrderedDict(a=np.ones(2)), [0.5, float("nan")],
        "text",
    ],
)  # fmt: skip
def test_what_nobody_changed_is_not_named(check: Check, given: Any) -> None:
    assert check.call(lambda value: 1, given) == 1


def test_an_equal_number_in_place_of_another_is_no_change(check: Check) -> None:
    def again(values: list[float]) -> int:
        values[0] = float(str(values[0]))
        return 1

    assert check.call(again, [0.1, 0.2]) == 1


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ({1, 2}, lambda v: v.add(3)),
        (OrderedDict(a=1), lambda v: v.update(a=2)),
        (OrderedDict(a=np.ones(2)), lambda v: v["a"].fill(0)),
        ([1, 2], lambda v: v.append(3)),
        ([1], lambda v: v.__setitem__(0, True)),
    ],
)
def test_other_containers_are_copied_too(check: Check, given: Any, change: Any) -> None:
    kept = copy.deepcopy(given)

    def answer(value: Any) -> int:
        change(value)
        return 1

    with pytest.raises(CheckFailed, match="changes its argument `value`"):
        check.call(answer, given)
    assert list(given) == list(kept)


class Own(BaseException):
    """Nobody expects it."""


@pytest.mark.parametrize("error", [Own("x"), asyncio.CancelledError("x"), GeneratorExit("x")])
def test_any_exception_is_one_line(check: Check, error: BaseException) -> None:
    def answer() -> None:
        raise error

    with pytest.raises(CheckFailed, match=f"stops with {type(error).__name__}: x") as failed:
        check.call(answer)
    assert "\n" not in failed.value.message


def test_a_message_cannot_speak_to_the_terminal(check: Check) -> None:
    def answer() -> None:
        raise ValueError("\x1b[2J\x1b[31mred\x07 and\r\nmore")

    with pytest.raises(CheckFailed, match="ValueError: red and more"):
        check.call(answer)
