"""Which name was meant by one that there is not; real errors of code as a student writes it."""

from __future__ import annotations

import linecache
import math
from types import SimpleNamespace
from typing import Any

import pytest

from coursekit.checks.common import NOTHING, UNCALLED
from coursekit.checks.crashes import frames
from coursekit.checks.misnamed import misnamed


def raised(code: str, **names: Any) -> BaseException:
    """What a call of `answer` ends with, which a cell's text defines."""
    file = "<cell of a student>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    names |= {"__name__": "__main__"}
    exec(compile(code, file, "exec"), names)
    try:
        names["answer"]()
    except Exception as error:
        return error
    raise AssertionError("the code does not fail")


def said(code: str, **names: Any) -> str:
    """What is said of it; its first line is the body of `answer` where it defines none."""
    if "answer" not in code:
        code = f"def answer():\n    {code}\n"
    error = raised(code, **names)
    return misnamed(error, frames(error.__traceback__))


def inside(body: str, arguments: str = "image, num_classes") -> str:
    """A function of these arguments, which `answer` calls."""
    passed = ", ".join("1" for _ in arguments.split(","))
    return f"def part({arguments}):\n    {body}\ndef answer():\n    part({passed})\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (inside("return imgae"), "nothing is called `imgae` here: is `image` meant?"),
        (inside("return Image"), "nothing is called `Image` here: is `image` meant?"),
        (inside("return num_clases + 1"), "is `num_classes` meant?"),
        (inside("return n"), "is `num_classes` meant?"),  # as it begins
        (inside("total = 1\n    return totl"), "is `total` meant?"),
        ("return mean_ou(3)", "is `mean_iou` meant?"),
        ("return LABEL", "is `LABELS` meant?"),
        (inside("return sqrt(image)"), "nothing is called `sqrt` alone: there is `math.sqrt`"),
        (inside("return yellow"), "set it before, or take an argument: `image`, `num_classes`"),
        ("return yellow", 'set it before; a text stands in quotes, "yellow"'),
        (inside("return self.image"), "there is no `self` here, but `image`, `num_classes`"),
        ("return self", "there is no `self` here"),
    ],
)
def test_a_name_that_nothing_has(code: str, words: str) -> None:
    assert words in said(code, math=math, mean_iou=len, LABELS=(1, 2))


@pytest.mark.parametrize("code", ["return q", "return zz", inside("return kernel"), "return other"])
def test_no_name_is_guessed_where_none_is_near(code: str) -> None:
    words = said(code, math=math, mean_iou=len, LABELS=(1, 2), others=3)
    assert "meant" not in words and "there is `" not in words
    assert words.startswith("nothing is called `")


def test_a_number_of_the_notebooks_is_not_meant_by_a_function_of_the_students() -> None:
    """Functions, classes and constants last; other names come and go with the cells."""
    assert "meant" not in said("return tabl", table=3)
    assert "is `table` meant?" in said("return tabl", table=len)


def test_two_arguments_that_begin_alike_are_not_told_apart() -> None:
    assert "meant" not in said(inside("return q", "query, quota"))


def test_a_name_that_belongs_to_self_or_to_an_argument() -> None:
    cell = (
        "class Part:\n    def __init__(self):\n        self.width = 3\n"
        "    def wide(self, plan):\n        return {0}\n"
        "def answer():\n    Part().wide(plan)\n"
    )
    plan = SimpleNamespace(depth=4)
    assert said(cell.format("width"), plan=plan) == "`width` belongs to `self`: `self.width`"
    assert said(cell.format("depth"), plan=plan) == "`depth` belongs to `plan`: `plan.depth`"
    assert "belongs" not in said(cell.format("height"), plan=plan)
    early = "        width = width + 1\n        return width\n"
    early = cell.replace("        return {0}\n", early)
    assert said(early, plan=plan) == "`width` belongs to `self`: `self.width`"
    called = said(cell.format("(lambda plan=3: plan)() + plan.depth.width"), plan=plan)
    assert "belongs" not in called


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("a = total + 1\n    total = 2\n    return a", "`total` is used before it is set"),
        ("count = count + 1\n    return count", "`count` is set inside of this function"),
    ],
)
def test_a_name_that_has_no_value_yet(code: str, words: str) -> None:
    assert words in said(code, count=3)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return None.shape", NOTHING),
        ("return len.shape", UNCALLED),
        ("return math.squareroot", ""),
        ("return math.sqr", "there is no `sqr`: is `sqrt` meant?"),
        ("return math.dumps", ""),
        ("return 'text'.append('x')", "a str does not grow by `append`: begin with a list"),
        ("return (1, 2).extend([3])", "a tuple does not grow by `extend`"),
        ("return {'a': 1}.a", "a dict is asked in square brackets, by a key: `[a]`"),
        ("return [1].colour", ""),
        ("return thing.widht", "there is no `widht`: is `width` meant?"),
        ("return thing.WIDTH", "is `width` meant?"),
        ("return thing.mean_iou()", "`mean_iou` is a function of its own, no part of the object"),
        ("return thing.colour", "there is no `colour` in it: there are `depth`, `width`"),
        ("return Kind.colour", "`Kind` is the class: make one of it first, `Kind(…)`"),
    ],
)
def test_an_attribute_that_a_thing_has_not(code: str, words: str) -> None:
    def mean_iou() -> int:
        return 1

    thing, kind = SimpleNamespace(depth=2, width=3), type("Kind", (), {})
    found = said(code, math=math, thing=thing, Kind=kind, mean_iou=mean_iou)
    assert words in found if words else found == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (inside("part(1, 2, width=3)"), "`part` takes `image`, `num_classes`"),
        (inside("part(1)"), "`part` takes `image`, `num_classes`"),
        (inside("part(1, 2, 3)"), "`part` takes `image`, `num_classes`"),
        (inside("part(1, image=2)"), "`part` takes `image`, `num_classes`"),
        (
            "class Part:\n    def __init__(self, width): ...\nanswer = lambda: Part(widht=2)",
            "`Part` takes `width`",
        ),
        (inside("return image(3)"), "`image` is no function: it is an int"),
        ("return len(3)", ""),  # whose words say all
        ("return 1 + 'x'", ""),
        ("return (lambda: 3)()(2)", ""),  # nothing on the line has a name
    ],
)
def test_a_call_with_other_arguments(code: str, words: str) -> None:
    found = said(code)
    assert words in found if words else found == ""


def test_nothing_is_said_of_other_errors_or_of_a_librarys_code() -> None:
    assert said("return 1 / 0") == "" and said("return {}['a']") == ""
    error = raised("def answer():\n    return imgae\n")
    assert misnamed(error, []) == ""


def test_nothing_is_listed_of_what_has_very_much() -> None:
    many = SimpleNamespace(**{f"{letter}{letter}{letter}": 1 for letter in "abcdefghi"})
    assert said("return many.colour", many=many) == ""


def test_an_object_that_fails_when_it_is_asked_does_no_harm() -> None:
    cell = (
        "class Odd:\n    def __dir__(self):\n        raise KeyError('no')\n"
        "def answer():\n    return Odd().colour\n"
    )
    assert said(cell) == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("return torch.zeros(2).interpolate(3)", "`F.interpolate(…)`"),
        ("return torch.zeros(2).meann()", "is `mean` meant?"),
        ("return torch.zeros(2).colour", ""),
        ("return torch.zeros(2).stack()", "`torch.stack(…)`"),
        ("return torch.interpolate(3)", "`interpolate` is in another module: `F.interpolate`"),
        (
            "return interpolate(3)",
            "nothing is called `interpolate` alone: there is `F.interpolate`",
        ),
        ("return [1, 2].softmax(0)", "this is a plain list, not a tensor nor an array"),
        ("return (3).sigmoid()", "this is a plain number, not a tensor nor an array"),
        ("return layer.mean()", "this is a layer, not a tensor"),
        ("return both.hed(1)", "there is no `hed`: is `head` meant?"),
        ("return both.colour", "there is no `colour` in it: there are `stem`, `head`"),
        (inside("return shape[0]", "x").replace("part(1)", "part(tensor)"), "`x.shape`"),
    ],
)
def test_tensors_and_layers(code: str, words: str) -> None:
    import torch
    from torch import nn

    layer, tensor = nn.Linear(2, 3), torch.zeros(3)
    both = nn.Sequential()
    both.add_module("stem", layer)
    both.add_module("head", nn.Linear(3, 4))
    found = said(code, torch=torch, F=nn.functional, nn=nn, layer=layer, both=both, tensor=tensor)
    assert words in found if words else found == ""
