"""What the checks say, to whom, and how a notebook shows it."""

from __future__ import annotations

import copy
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from coursekit.checks import NOT_WRITTEN, Check, CheckFailed
from coursekit.checks.comparing import alike

if TYPE_CHECKING:
    from collections.abc import Iterator

check = Check("ten")


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (2, 2.0),
        (np.float32(2), torch.tensor(2)),
        ([1, 2], torch.tensor([1.0, 2.0], requires_grad=True)),
        (torch.zeros(2, dtype=torch.bfloat16), [0, 0]),
        ("skin", "skin"),
        ({"a": 1}, {"a": 1}),
        (None, None),
        (True, torch.tensor(True)),
        ([float("nan")], [float("nan")]),
        (np.zeros((0, 3)), np.zeros((0, 3))),
    ],
)
def test_equal_values_of_any_type_pass(got: object, expected: object) -> None:
    check.equal(got, expected, "-")
    check.close(got, expected, "-")
    with pytest.raises(CheckFailed, match="misconception") if got is not None else nullcontext():
        check.catches(expected, got, "misconception")


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        (2, 3, "got 2, expected: 3"),
        ([1, 2, 3], [1, 2, 4], r"1 of 3 values differ; at \[2\] got 3, expected: 4"),
        (np.zeros((2, 2)), np.eye(2), r"2 of 4 values differ; at \[0, 0\]"),
        (np.zeros((2, 2)), np.zeros(4), r"its shape is \(2, 2\), expected: \(4,\)"),
        ("skin", "hair", "got 'skin', expected: 'hair'"),
        ("skin", 3, "got 'skin', expected: 3"),
        (None, 3, "`return`"),
        ([1, [2, 3]], [1, 2], r"got \[1, \[2, 3\]\]"),
        (np.array([True]), np.array([False]), "got 1, expected: 0"),
    ],
)
def test_a_difference_is_told(got: object, expected: object, words: str) -> None:
    for method in (check.equal, check.close):
        with pytest.raises(CheckFailed, match=words):
            method(got, expected, "wrong")
    check.catches(expected, got, "-")


def test_close_has_a_tolerance_and_equal_has_none() -> None:
    check.close(1 + 1e-7, 1.0, "-")
    check.close(1.4, 1.0, "-", atol=0.5)
    with pytest.raises(CheckFailed):
        check.equal(1 + 1e-7, 1.0, "-")


def test_known_slips_are_made_for_wrong_answers_alone_and_told_once_they_fit() -> None:
    right, made = np.linspace(0, 1, 1000), []

    def known(factor: int) -> Iterator[tuple[object, str]]:
        for number, wrong in enumerate((right + 1e-9, right[:9], factor * right, right.max())):
            made.append(number)
            yield wrong, f"slip {number}"

    check.slips(torch.tensor(right), right, known, 2)
    assert made == []
    with pytest.raises(CheckFailed, match="slip 2"):
        check.slips(2 * right, right, known, 2)
    assert made == [0, 1, 2]
    check.slips(1 + 1.8e-5, 1.0, lambda: [(1 + 0.9e-5, "another road to the right result")])
    with pytest.raises(CheckFailed, match="slip 3"):
        check.slips(1.0, right, known, 2)
    check.slips(None, right, known, 2)


def test_where_an_answer_leaves_the_right_way_is_said_of_those_that_no_slip_gives() -> None:
    def slips() -> list[tuple[object, str]]:
        return [(7.0, "seven"), (8 + 1e-6, "nearly eight")]

    check.slips(5.0, 5.0, slips, where=lambda: "not said of what is right")
    check.slips(6.0, 5.0, slips, where=lambda: "")
    for got, close, words in ((7.0, 1e-5, "seven"), (8.0, 1e-5, "nearly"), (8.0, 1e-8, "begins")):
        with pytest.raises(CheckFailed, match=words):
            check.slips(got, 5.0, slips, where=lambda: "it begins with 6", close=close)


def test_whole_numbers_are_alike_only_if_they_are_equal() -> None:
    assert alike(75_003, 75_003.0) and alike([75_003.2], [75_003])
    assert not alike(75_003, 75_004) and not alike(np.arange(10**6), np.arange(10**6) + 1)


def test_two_large_arrays_are_alike_only_in_all_their_numbers() -> None:
    one = np.linspace(-5, 5, 1000)
    one[[0, 500]] = np.nan, np.inf
    assert alike(one, torch.tensor(one)) and alike(one > 0, one > 0) and alike("skin", "skin")
    assert not alike(one > 0, one < 0) and not alike(one, one[:-1]) and not alike(one, None)
    for place in range(0, 1000, 37):
        other = one.copy()
        other[place] = 7
        assert not alike(one, other)


def test_shapes() -> None:
    check.shape(torch.zeros(2, 3), (2, 3), "-")
    check.shape(np.zeros((2, 3)), (None, 3), "-")
    with pytest.raises(CheckFailed, match=r"\(2, 3\), expected: \(3, any\)"):
        check.shape(np.zeros((2, 3)), (3, None), "-")
    with pytest.raises(CheckFailed, match="a list, which has no shape"):
        check.shape([1], (1,), "-")
    with pytest.raises(CheckFailed, match="return"):
        check.shape(None, (1,), "-")


def test_that_takes_arrays() -> None:
    check.that(np.array([True, True]), "-")
    check.that([0], "-")
    for condition in (np.array([True, False]), torch.zeros(2), None, 0):
        with pytest.raises(CheckFailed, match="no"):
            check.that(condition, "no")


def test_passed_prints_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    check.passed("all is well")
    assert capsys.readouterr().out == "\x1b[1m✓ ten\x1b[0m: all is well\n"


def test_a_failure_knows_its_exercise() -> None:
    with pytest.raises(CheckFailed) as caught:
        check.that(False, "because")
    assert (caught.value.exercise, caught.value.message) == ("ten", "because")
    assert str(caught.value) == "ten: because"


@pytest.fixture
def shell() -> InteractiveShell:
    yield InteractiveShell.instance(colors="nocolor")
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, capsys: pytest.CaptureFixture[str], code: str) -> list[str]:
    capsys.readouterr()
    shell.run_cell(code)
    return capsys.readouterr().out.strip().splitlines()


def test_a_notebook_shows_one_line(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, capsys, "from coursekit.checks import Check\ncheck = Check('ten')")
    (line,) = run(shell, capsys, "check.that(False, 'why')")
    assert "✗ ten" in line and line.endswith(": why")
    stub = f"def f():\n    raise NotImplementedError('{NOT_WRITTEN}ten')\nf()"
    (line,) = run(shell, capsys, stub)
    assert f"{NOT_WRITTEN}ten" in line and "YOUR CODE HERE" in line
    # Anything else keeps its traceback.
    assert len(run(shell, capsys, "raise NotImplementedError('mine')")) > 2
    assert len(run(shell, capsys, "1 / 0")) > 2


def test_what_follows_from_an_exercise_is_one_line(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, capsys, "from coursekit.checks import Check\ncheck = Check('up')")
    answer = "# exercise: up\ndef up(x):\n    return x / 0\n"
    run(shell, capsys, answer)
    (line,) = run(shell, capsys, "[up(x) for x in range(3)]")
    assert "✗ up" in line and "ZeroDivisionError" in line and "`return x / 0`" in line
    assert len(run(shell, capsys, answer + "up(1)")) > 3  # who writes it sees it all
    (line,) = run(shell, capsys, "print(result)")
    assert "… result" in line and "run that one first" in line
    (line,) = run(shell, capsys, "for epoch in range(9):\n    raise KeyboardInterrupt")
    assert "… stopped" in line
    (line,) = run(shell, capsys, "import os\nfrom coursekit import tier\n"
                  "os.environ['COURSEKIT_TIER'] = 'Ful'\ntier.choose()")  # fmt: skip
    del os.environ["COURSEKIT_TIER"]
    assert "COURSEKIT_TIER=Ful: did you mean full? there are: quick, full" in line


def test_a_notebook_s_cells_are_found(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(shell, capsys, "from coursekit.checks import Check\ncheck = Check('ten')")
    run(shell, capsys, "def halve(values):\n    for i in values:\n        values[0] = 1 / i\n")
    run(shell, capsys, "class Mean:\n    def __call__(self, x):\n        return sum(x) / len(x)")
    (line,) = run(shell, capsys, "check.call(halve, [0])")
    assert line.endswith(
        "(ZeroDivisionError: division by zero, line 3 of its cell in `halve`: `values[0] = 1 / i`)"
    )
    (line,) = run(shell, capsys, "check.run(halve, [2])")
    assert "your function changes its argument `values`: work on a copy" in line
    (line,) = run(shell, capsys, "check.forbids('for', because='-')\ncheck.run(halve, [1])")
    assert "uses a `for` loop" in line
    (line,) = run(shell, capsys, "check.forbids('sum', because='-')\ncheck.call(Mean(), [1])")
    assert "uses `sum`" in line


TENSOR = torch.tensor(0.5)


@pytest.mark.parametrize(
    ("got", "kind", "dtype"),
    [
        (0.5, float, None),
        (np.float64(0.5), float, None),
        (np.float32(0.5), float, None),
        (1, float, None),
        (np.int64(1), int, None),
        (True, bool, None),
        (np.bool_(True), bool, None),
        ([1], [list, np.ndarray], None),
        (np.zeros(2, np.uint8), np.ndarray, np.uint8),
        (np.zeros(2, np.int32), np.ndarray, np.integer),
        (torch.zeros(2), torch.Tensor, torch.float32),
        (torch.nn.ReLU(), torch.nn.Module, None),
    ],
)
def test_kinds_that_are_asked_for(got: object, kind: type, dtype: object) -> None:
    check.kind(got, kind, dtype)


@pytest.mark.parametrize(
    ("got", "kind", "dtype", "words"),
    [
        (TENSOR, float, None, "a tensor of one number, expected: a float; `float(…)` makes one"),
        (np.array(1), int, None, "an array of one number, expected: an int, a whole number; `int("),
        (True, float, None, "your answer is a bool, expected: a float"),
        (0.5, int, None, "is a float, expected: an int"),
        ([1], np.ndarray, None, "your answer is a list, expected: an array; `np.array(…)` makes"),
        ((1, 2), np.ndarray, None, "is a tuple of 2, expected: an array"),
        (np.zeros(2), torch.Tensor, None, "is an array, expected: a tensor"),
        (None, torch.Tensor, None, "is None, expected: a tensor"),
        ("a", [list, np.ndarray], None, "is a str, expected: a list or an array"),
        (np.zeros(2), np.ndarray, np.uint8, "the type of your answer is float64, expected: uint8"),
        (np.zeros(2), np.ndarray, np.integer, "float64, expected: a type of whole numbers"),
        (torch.zeros(2), torch.Tensor, torch.int64, "torch.float32, expected: torch.int64"),
    ],
)
def test_other_kinds_are_named(got: object, kind: type, dtype: object, words: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        check.kind(got, kind, dtype)
    assert words in caught.value.message


def test_unpack_gives_the_parts_or_says_what_they_are() -> None:
    assert check.unpack([1, 2], "image", "label map") == (1, 2)
    for got, words in (((1, 2, 3), "a tuple of 3"), (np.zeros(2), "an array"), (None, "None")):
        with pytest.raises(CheckFailed, match=f"gives {words}, expected: 2 things, image, label"):
            check.unpack(got, "image", "label map")


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        (-0.0012478, -0.00124781, "got -0.0012478, expected: -0.00124781"),
        (1.0, 1.0 + 1e-12, "got 1, expected: 1.000000000001"),
        ([123456789], [123456788], "got 123456789, expected: 123456788"),
    ],
)
def test_numbers_that_differ_look_different(got: object, expected: object, words: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        check.equal(got, expected, "wrong")
    assert words in caught.value.message


def test_a_type_that_begins_again_is_named() -> None:
    counts = np.array([3, 300])
    with pytest.raises(CheckFailed, match="uint8 holds no number above 255 and begins again"):
        check.equal(counts.astype(np.uint8), counts, "the counts are wrong")
    with pytest.raises(CheckFailed) as caught:
        check.equal(np.array([3, 43], np.uint8), counts, "the counts are wrong")
    assert "begins again" not in caught.value.message


class Odd:
    """Neither told nor compared."""

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


def test_anything_can_be_compared() -> None:
    check = Check("ten")
    arrays = {"a": np.ones(2), "b": [np.zeros(1), np.zeros(2)], "c": "text"}
    check.equal(copy.deepcopy(arrays), arrays, "-")
    for other in ({**arrays, "b": [np.zeros(1), np.ones(2)]}, {"a": 1}, [np.ones(2)], Odd(), None):
        with pytest.raises(CheckFailed):
            check.equal(other, arrays, "-")
    turned = torch.ones(2, dtype=torch.complex64).conj()
    check.close(turned, turned, "-")
    with pytest.raises(CheckFailed, match="<Odd>"):
        check.equal(Odd(), 1, "-")
