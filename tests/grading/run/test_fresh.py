"""Hidden tests find the lesson's names and Python's, whatever an answer's cell makes of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch

from coursekit.grading.run import fresh

ANSWER = "def double(x):\n    return sum([x, x])\n"


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a kernel holds when a lesson's cell and an answer have run."""
    monkeypatch.setattr(fresh, "_kept", {})
    there: dict[str, Any] = {"keep": fresh.keep, "hidden": fresh.hidden, "out": []}
    exec("import math as m\nLIMIT = 3\nkeep('m', 'LIMIT', 'nobody')", there)
    exec(ANSWER, there)
    return there


def _hidden(there: dict[str, Any], text: str, own: str = "double", **more: Any) -> list[Any]:
    there["given"] = {
        "exercise": "double", "answers": ["double"], "own": own.split() or None, "defaults": True,
        **more,
    }  # fmt: skip
    there["text"] = text
    exec("hidden(text, **given)", there)
    return there["out"]


def test_built_ins_and_the_lesson_s_names_are_as_they_were(kernel: dict[str, Any]) -> None:
    exec("range = list = print = 3\nLIMIT = m = None", kernel)
    text = "out.append((list(range(2)), LIMIT, m.floor(1.5), double(4)))"
    assert _hidden(kernel, text, own="double range list print LIMIT m") == [([0, 1], 3, 1, 8)]
    assert kernel["list"] == 3 and kernel["LIMIT"] is None, "the student's names are theirs again"
    exec("del LIMIT", kernel)
    _hidden(kernel, "out.append(LIMIT)")
    assert "LIMIT" not in kernel, "what was lent goes"


def test_an_answer_finds_what_its_own_cell_binds(kernel: dict[str, Any]) -> None:
    exec("def sum(numbers):\n    return 'mine'", kernel)
    assert _hidden(kernel, "out.append((double(1), sum([1])))", own="double sum") == [("mine", 1)]
    assert _hidden(kernel, "out.append(double(1))", own="")[-1] == "mine", "stars bind anything"
    assert _hidden(kernel, "out.append(double(1))")[-1] == 2, "another answer's helper"
    assert kernel["sum"]([]) == "mine"


def test_names_of_answers_are_the_student_s(kernel: dict[str, Any]) -> None:
    exec("keep('double')\ndef double(x):\n    return 'later'", kernel)
    assert _hidden(kernel, "out.append(double(1))") == ["later"]


def test_a_cell_s_future_is_not_the_test_s(kernel: dict[str, Any]) -> None:
    exec("from __future__ import annotations", kernel)
    text = "def f(x: int): ...\nout.append(f.__annotations__['x'])"
    assert _hidden(kernel, text) == [int]


def test_what_a_test_raises_comes_out_and_names_are_put_back(kernel: dict[str, Any]) -> None:
    kernel["max"] = 3
    with pytest.raises(ZeroDivisionError):
        _hidden(kernel, "1 / 0")
    assert kernel["max"] == 3


SETTINGS = """
out.append(torch.zeros(1).dtype is torch.float32)
out.append(torch.zeros(1).device.type == "cpu")
out.append(torch.is_grad_enabled() and not torch.is_inference_mode_enabled())
warnings.warn("not an error")
np.array([1.0]) / np.array([0.0])
"""


def test_settings_are_as_nobody_has_changed_them(kernel: dict[str, Any]) -> None:
    kernel |= {"torch": torch, "np": np, "warnings": warnings}
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_grad_enabled(False)
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            with pytest.raises(UserWarning):
                _hidden(kernel, SETTINGS, defaults=False)
            assert kernel["out"] == [False, False, False]
            warnings.simplefilter("error")
            with pytest.warns((UserWarning, RuntimeWarning)):
                assert _hidden(kernel, SETTINGS)[3:] == [True, True, True]
        assert torch.zeros(1).dtype is torch.float64 and not torch.is_grad_enabled()
        assert torch.zeros(1).device.type == "meta", "the student's settings are theirs again"
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
        torch.set_grad_enabled(True)
