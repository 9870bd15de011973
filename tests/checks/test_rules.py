"""What an exercise forbids is noticed while the answer runs, and in its text."""

from __future__ import annotations

import ast
import functools
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from coursekit.checks import Check, CheckFailed
from coursekit.checks.rules import Rule, broken, declared
from coursekit.errors import CourseError

LOGITS, TARGET = torch.zeros(2, 3), torch.zeros(2, dtype=torch.long)
alias = F.cross_entropy


def hidden_name(logits: Any, target: Any) -> Any:
    return getattr(F, "cross_" + "entropy")(logits, target)


def by_hand(logits: Any, target: Any) -> Any:
    return -F.log_softmax(logits, 1).gather(1, target[:, None]).mean()


@pytest.mark.parametrize(
    "answer",
    [
        F.cross_entropy,
        alias,
        hidden_name,
        nn.CrossEntropyLoss(),
        lambda x, y: torch.nn.functional.cross_entropy(x, y),
        lambda x, y: alias(x, y),
        lambda x, y: nn.CrossEntropyLoss()(x, y),
        functools.partial(F.cross_entropy, weight=None),
    ],
)
def test_a_forbidden_call_is_noticed_by_any_name(answer: Any) -> None:
    check = Check("ten")
    check.forbids("F.cross_entropy", because="write it from the definition")
    with pytest.raises(CheckFailed, match=r"uses `F\.cross_entropy`.* write it from the definiti"):
        check.call(answer, LOGITS, TARGET)


def test_what_is_not_forbidden_passes_and_the_watch_ends() -> None:
    check = Check("ten")
    check.forbids("F.cross_entropy", "nn.CrossEntropyLoss", because="-")
    check.call(by_hand, LOGITS, TARGET)
    F.cross_entropy(LOGITS, TARGET)  # the author's own
    check.call(by_hand, LOGITS, TARGET)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("nn.CrossEntropyLoss", lambda: nn.CrossEntropyLoss()),
        ("torch.Tensor.softmax", lambda: LOGITS.softmax(1)),
        ("torch.bincount", lambda: torch.bincount(TARGET)),
        ("np.unique", lambda: np.unique([1])),
        ("sum", lambda: sum([1])),
    ],
)
def test_classes_methods_and_built_ins_can_be_forbidden(name: str, answer: Any) -> None:
    check = Check("ten")
    check.forbids(name, because="-")
    with pytest.raises(CheckFailed, match="forbids"):
        check.call(answer)
    check.call(by_hand, LOGITS, TARGET)


def test_a_profiler_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    check = Check("ten")
    check.forbids("F.cross_entropy", because="-")
    seen: list[Any] = []
    mine = lambda *event: seen.append(event)  # noqa: E731
    before = sys.getprofile()
    sys.setprofile(mine)
    try:
        check.call(by_hand, LOGITS, TARGET)
        assert sys.getprofile() is mine
    finally:
        sys.setprofile(before)
    monkeypatch.setattr(sys, "getprofile", object)  # as cProfile's, which is no function
    monkeypatch.setattr(sys, "setprofile", lambda function: pytest.fail("was set"))
    check.call(by_hand, LOGITS, TARGET)


def test_a_name_that_means_nothing_is_the_author_s_mistake() -> None:
    check = Check("ten")
    check.forbids("nothing.there", because="-")
    with pytest.raises(NameError, match="nothing.there"):
        check.call(max, 1, 2)


def test_a_name_that_a_student_took_leaves_the_text_to_decide(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = Check("ten")
    check.forbids("F.cross_entropy", because="-")
    monkeypatch.setitem(globals(), "F", 3)
    assert check.call(max, 1, 2) == 2


def with_a_loop(n: int) -> int:
    total = 0
    for i in range(n):
        total += i
    return total


class Loops:
    def forward(self) -> list[int]:
        return [2 * i for i in range(3)]


def test_loops_are_found_in_the_text() -> None:
    check = Check("ten")
    check.forbids("for", "while", because="let NumPy count")
    with pytest.raises(CheckFailed, match="a `for` loop, which this exercise forbids: let NumPy"):
        check.call(with_a_loop, 3)
    with pytest.raises(CheckFailed, match="a `for` loop"):
        check.call(Loops)
    check.call(by_hand, LOGITS, TARGET)


SOLUTION = "def loss(logits, target):\n    return 0\n"
RULES = [Rule("F.cross_entropy", "-")]


@pytest.mark.parametrize(
    "answer",
    [
        "def loss(x, y):\n    return F.cross_entropy(x, y)",
        "def loss(x, y):\n    return torch.nn.functional.cross_entropy(x, y)",
        "from torch.nn.functional import cross_entropy\nloss = lambda x, y: cross_entropy(x, y)",
        "def loss(x, y):\n    from torch.nn.functional import cross_entropy as c\n    c(x, y)",
        "ce = F.cross_entropy\ndef loss(x, y):\n    return ce(x, y)",
        "loss = F.cross_entropy",
        "loss = lambda x, y: F.cross_entropy(x, y)",
        "def help(x, y):\n    return F.cross_entropy(x, y)\ndef loss(x, y):\n    return help(x, y)",
        "def loss(x, y):\n    return getattr(F, 'cross_entropy')(x, y)",
        "class Help:\n    it = F.cross_entropy\ndef loss(x, y):\n    return Help().it(x, y)",
        "def loss(x, y):\n    pass\nloss.it = F.cross_entropy",
        "if True:\n    def loss(x, y):\n        return F.cross_entropy(x, y)",
        "from torch.nn.functional import cross_entropy as loss",
        "from torch.nn.functional import *\ndef loss(x, y):\n    return cross_entropy(x, y)",
        "def loss(x, y):\n    return vars(F)['cross_entropy'](x, y)",
        "def loss(x, y):\n    return torch.nn.functional.__dict__['cross_entropy'](x, y)",
        "import operator\nloss = operator.attrgetter('cross_entropy')(F)",
        "def loss(x, y):\n    return F.__getattribute__('cross_entropy')(x, y)",
        "def loss(x, y):\n    return eval('F.cross_' + 'entropy')(x, y)",
        "kept = []\nkept.append(F.cross_entropy)\ndef loss(x, y):\n    return kept[0](x, y)",
        "kept = {}\nkept.update(a=F.cross_entropy)\nloss = lambda x, y: kept['a'](x, y)",
    ],
)
def test_a_text_that_breaks_a_rule(answer: str) -> None:
    assert broken(answer, RULES, SOLUTION) == RULES[0]


@pytest.mark.parametrize(
    "answer",
    [
        "def loss(x, y):\n    return -F.log_softmax(x, 1)",
        "def loss(x, y):\n    '''Not F.cross_entropy.'''\n    return 0  # F.cross_entropy",
        "def loss(x, y):\n    return 0\nprint(loss(a, b), F.cross_entropy(a, b))",
        "def loss(x, y):\n    return 0\ndef test():\n    loss() == F.cross_entropy(a, b)",
        "from torch.nn.functional import cross_entropy\ndef loss(x, y):\n    return 0",
        "def loss(x, y):\n    cross_entropy = 1\n    return cross_entropy",
        "class Loss:\n    def go(self):\n        return self.cross_entropy\nloss = Loss()",
        "def loss(x, y):\n    each = x - y\n    return each\neach = F.cross_entropy(a, b)",
        "def loss(x, y):\n    return torch.mean(x)\ntorch.sum(F.cross_entropy(a, b))",
        "seen = []\ndef loss(x, y):\n    return F.elu(x)\nseen.append(F.cross_entropy(a, b))",
        "def loss(x, y):\n    return x.eval()['cross_entropy']",
        "def loss(x, y):\n    return x\nfor x in range(3):\n    print(F.cross_entropy(x, b))",
        "no python (",
        f"loss = {'+'.join(3000 * ['1'])}",
        "loss = '\ud800'",
        "def loss(x):\n    if x: return 0\n" + 1500 * "    elif x: return 1\n",
    ],
)
def test_a_text_that_breaks_none(answer: str) -> None:
    assert broken(answer, RULES, SOLUTION) is None


@pytest.mark.parametrize(
    "text", ["*NAMES, because='-'", "'max', because=f'{x}'", "NAME, because='-'"]
)
def test_rules_that_are_not_written_out_are_the_author_s_mistake(text: str) -> None:
    with pytest.raises(CourseError, match="line 1 of a check.*write names and reason out"):
        declared(f"check.forbids({text})")


def test_rules_are_read_from_a_check_s_text() -> None:
    text = 'check.forbids("F.cross_entropy", "for", because="write " "it")\nother(1)\n'
    assert declared(text) == [Rule("F.cross_entropy", "write it"), Rule("for", "write it")]
    assert declared("check.equal(1, 2, '-')") == []


def test_a_statement_that_binds_thousands_of_names_is_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names, read = [f"b{i}" for i in range(3000)], list[object]()
    unparse = ast.unparse
    monkeypatch.setattr(ast, "unparse", lambda node: read.append(node) or unparse(node))
    text = f"{' = '.join(names)} = 0\ndef loss(x, y):\n    return {', '.join(names)}\n"
    assert broken(text, RULES, SOLUTION) is None and len(read) == 2
