"""Lines whose result nothing keeps are told of, and no others."""

from __future__ import annotations

import linecache
from typing import Any

import pytest

from coursekit.checks import Check, CheckFailed
from coursekit.checks.unkept import unkept

CELL = """class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.down = nn.ModuleList(nn.Conv2d(4, 4, 1) for _ in range(2))
        self.act = nn.ReLU(inplace=True)
        self.seen = []

    def forward(self, x):
        x, kept = self.stem(x), []
        {0}
        return x
"""


def of(lines: str, *, unread: bool = False) -> str:
    return unkept(CELL.format(lines.replace("\n", "\n        ")), unread=unread)


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ("self.stem(x)", "self.stem(x)"),
        ("self.down[0](x)", "self.down[0](x)"),
        ("for down in self.down:\n    down(x)", "down(x)"),
        ("for i, down in enumerate(self.down):\n    down(x)", "down(x)"),
        ("for down, i in zip(self.down, (1, 2)):\n    down(x)", "down(x)"),
        ("F.interpolate(x, (3, 4))", "F.interpolate(x, (3, 4))"),
        ("torch.cat([x, x], 1)", "torch.cat([x, x], 1)"),
        ("x.softmax(1)", "x.softmax(1)"),
        ("x / x.sum()", "x / x.sum()"),
        ("x[:, ::-1]", "x[:, ::-1]"),
        ("kept == 1", "kept == 1"),
        ("kept.union(x)", "kept.union(x)"),
        ("if len(x) > 1:\n    x.permute(1, 0)", "x.permute(1, 0)"),
    ],
)
def test_what_is_not_kept_is_told(lines: str, shown: str) -> None:
    words = of(lines)
    assert f"`{shown}` gives something new, and nothing keeps it" in words
    assert words.startswith(f"look at line {10 + len(lines.splitlines())}: ")


@pytest.mark.parametrize(
    "lines",
    [
        "x = self.stem(x)",
        "kept.append(self.stem(x))",
        "self.act(x)",  # works in place
        "F.relu(x, True)",
        "F.relu(x, inplace=True)",
        "torch.cat([x, x], out=x)",
        "x.relu_()",
        "x.add_(1)",
        "kept.sort()",
        "self.seen.append(1)",
        "self.register_buffer('a', x)",
        "self.train()",
        "torch.manual_seed(0)",
        "print(x.mean())",
        "for weight in self.parameters():\n    weight.fill_(0)",
        "helper(x)",
        "x + helper(x)",
        "self.down[0](x), helper(x)",
        "x",
        "y = self.stem(x)",  # of that below alone
    ],
)
def test_what_has_another_use_is_not(lines: str) -> None:
    assert of(lines) == ""


def test_a_name_that_nothing_reads_is_told_where_it_is_asked() -> None:
    assert "`self.stem(x)` gives something new, and `y` is never read" in of(
        "y = self.stem(x)", unread=True
    )
    assert "`self.head(x)` gives something new" in of("self.head(x)", unread=True)
    assert of("self.head(x)") == "" == of("self.register_buffer('a', x)", unread=True)
    for lines in ("y = self.stem(x)\nx = y", "_ = self.stem(x)", "y = helper(x)"):
        assert of(lines, unread=True) == ""
    assert unkept("def f(x):\n    global y\n    y = x.mean()\n", unread=True) == ""


def test_a_copy_that_is_only_filled_is_told_where_it_is_asked() -> None:
    words = of("y = x.clone()\ny[x > 1] = 0\ny[0] += 1", unread=True)
    assert "`x.clone()` gives something new, and `y` is never read" in words
    assert of("y = x.clone()\ny[x > 1] = 0") == ""
    for lines in ("y = x\ny[0] = 0", "y = x.view(-1)\ny[0] = 0", "y = x.clone()\ny[0] = y[1]"):
        assert of(lines, unread=True) == ""


def test_one_function_alone_may_be_asked() -> None:
    text = CELL.format("self.stem(x)")
    assert unkept(text, "Mine.forward") and not unkept(text, "Mine.__init__")
    assert unkept("def f(x):\n    x.mean()\n", "f") and not unkept("x.mean()\n")


def test_a_text_that_is_no_python_is_not_told_of() -> None:
    assert unkept("def f(:\n") == ""


def test_it_is_what_an_exception_is_told_by() -> None:
    text = "def f(x):\n    for n in (1, 2):\n        x.clip(0, n)\n    return x + [n]\n"
    names: dict[str, Any] = {}
    linecache.cache["<cell f>"] = (len(text), None, text.splitlines(keepends=True), "<cell f>")
    exec(compile(text, "<cell f>", "exec"), names)
    check = Check("f")
    check.crashes(TypeError, "unsupported operand", "what the exercise says of such an error")
    with pytest.raises(CheckFailed, match=r"look at line 3: `x\.clip\(0, n\)`"):
        check.call(names["f"], Numbers())


class Numbers:
    """To these nothing can be added."""

    def clip(self, *limits: int) -> Numbers:
        return self
