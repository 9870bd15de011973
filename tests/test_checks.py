"""What the checks say, to whom, and how a notebook shows it."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from coursekit.checks import NOT_WRITTEN, Check, CheckFailed

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
        (2, 3, "got 2, expected 3"),
        ([1, 2, 3], [1, 2, 4], r"1 of 3 values differ; at \[2\] got 3, expected 4"),
        (np.zeros((2, 2)), np.eye(2), r"2 of 4 values differ; at \[0, 0\]"),
        (np.zeros((2, 2)), np.zeros(4), r"its shape is \(2, 2\), not \(4,\)"),
        ("skin", "hair", "got 'skin', expected 'hair'"),
        ("skin", 3, "got 'skin', expected 3"),
        (None, 3, "`return`"),
        ([1, [2, 3]], [1, 2], r"got \[1, \[2, 3\]\]"),
        (np.array([True]), np.array([False]), "got 1, expected 0"),
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


def test_shapes() -> None:
    check.shape(torch.zeros(2, 3), (2, 3), "-")
    check.shape(np.zeros((2, 3)), (None, 3), "-")
    with pytest.raises(CheckFailed, match=r"\(2, 3\), not \(3, any\)"):
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
    assert capsys.readouterr().out == "\x1b[32m✓ ten: all is well\x1b[0m\n"


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
