"""The course's own part in place of an answer is known, by its text and in a notebook."""

from __future__ import annotations

import builtins
import functools
import gc
import importlib
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import coursekit.parts
from coursekit import losses
from coursekit.checks import Check, borrowing
from coursekit.checks.borrowing import BorrowedError, borrows, is_borrowed, taken_away
from coursekit.checks.mistakes import boundaries, shares
from coursekit.checks.mistakes import dice as dice_mistakes
from coursekit.optim import Pipeline
from coursekit.parts import PARTS, alike, capstone, data, optimiser, parts_of, unet, welcome


def writing(path: str, text: str) -> str:
    """What grading makes of a `%%writefile` cell."""
    return f"get_ipython().run_cell_magic('writefile', {path!r}, {text!r})\n"


@pytest.mark.parametrize(
    "answer",
    [
        "# exercise: up\nfrom coursekit.parts.unet import Up",
        "from coursekit.models.unet import Up",
        "from coursekit.parts.unet import *",
        "from coursekit.models import unet\nUp = unet.Up",
        "import coursekit.models.unet as mine\nUp = mine.Up",
        "import coursekit.models.unet\nclass Up(coursekit.models.unet.Up):\n    pass",
        "from coursekit.models.unet import Up as Theirs\nclass Up(Theirs):\n    pass",
        "from coursekit.models.unet import DoubleConv as Up",
        "def Up(a, b):\n    from coursekit.models.unet import Up\n    return Up(a, b)",
        "Up = lambda a, b: unet.Up(a, b)",
        writing("h.py", "from coursekit.parts.unet import Up") + "from h import Up",
        writing("-a p/h.py", "from coursekit.models.unet import Up as U\nclass Up(U):\n    pass")
        + "import p.h\nUp = p.h.Up",
    ],
)
def test_the_course_s_own_is_known_by_its_text(answer: str) -> None:
    assert borrows(answer, "up")
    assert not borrows(answer, "an-exercise-of-another-course")


@pytest.mark.parametrize(
    "answer",
    [
        "class Up(nn.Module):\n    pass",
        "from coursekit.models.unet import DoubleConv\nclass Up(nn.Module):\n    conv = DoubleConv",
        "class Up(nn.Module):\n    pass\n\nfrom coursekit.models import unet\nunet.Up(1, 2)",
        "from torch.nn import Upsample as Up",
        "Up = mine.Up",
        "Up = (",
        writing("h.py", "from coursekit.parts.unet import Up")
        + "class Up(nn.Module):\n    pass\nimport h\nh.Up(1, 2)",
        writing("h.py", "class Up:\n    pass") + "from h import Up",
    ],
)
def test_an_answer_of_one_s_own_is_none(answer: str) -> None:
    assert not borrows(answer, "up")


@pytest.mark.parametrize(
    ("exercise", "answer", "told"),
    [
        ("cosine", "from coursekit.optim import cosine_rate as cosine", True),
        ("cosine", "from coursekit.optim import cosine_rate\ncosine = partial(cosine_rate)", True),
        ("cosine", "from coursekit.optim import cosine_rate as r\ncosine = lambda *a: r(*a)", True),
        ("cosine", "from coursekit import optim\ndef cosine(*a):\n    return optim.cosine_rate(*a)",
         True),
        ("cosine", "def cosine(t):\n    return cos(t)\n\noptim.cosine_rate(1, 2, 3, 4)", False),
        ("soft-dice", "def soft_dice_loss(x, y):\n    return losses.dice_loss(x, y)", True),
        ("focal-loss", "def soft_dice_loss(x, y):\n    return losses.dice_loss(x, y)", False),
        ("patience", "from coursekit.optim import Pipeline\nMachine = Pipeline", True),
        ("unet", "def UNet(n=19):\n    return create_model('unet', num_classes=n)", True),
        ("unet", "class UNet(Layers):\n    pass\n\ncreate_model('unet').state_dict()", False),
        ("fast-scnn", "class FastSCNN:\n    x = timm.create_model('mobilenet')", False),
        ("fast-scnn", "def create_model():\n    pass\ndef FastSCNN():\n    create_model()", False),
    ],
)  # fmt: skip
def test_another_name_for_the_same(exercise: str, answer: str, told: bool) -> None:
    assert borrows(answer, exercise) == told


def test_each_other_name_is_one_of_the_package() -> None:
    texts = "\n".join(p.read_text() for p in Path(coursekit.__file__).parent.rglob("*.py"))
    for exercise in (e for exercises in PARTS.values() for e in exercises):
        for name in alike(exercise):
            assert parts_of(exercise) and re.search(rf"(def|class) {name}\b", texts), name


def test_pillow_s_mirror_is_not_the_course_s() -> None:
    answer = "def mirror(image, label_map, pairs):\n    return ImageOps.mirror(image)"
    assert not borrows(answer, "mirror")


def test_a_check_of_what_is_borrowed_goes_on_and_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names: dict[str, Any] = {"Check": Check}
    check = """
import numpy as np
check = Check("paint")
check.forbids("np.take", because="index")
check.equal(check.call(paint, np.array([[1]]), np.eye(3)), [[[0, 1, 0]]], "-")
check.passed("coloured")
"""
    exec("def paint(label_map, palette):\n    return palette[label_map]\n" + check, names)
    assert "✓" in (said := capsys.readouterr().out) and "coloured" in said
    assert not is_borrowed("paint", names)
    exec("from coursekit.parts.welcome import paint\n" + check, names)
    assert "→" in (said := capsys.readouterr().out) and "borrowed" in said and "✓" not in said
    assert is_borrowed("paint", names)


def test_a_part_that_is_taken_away_says_that_it_was_called() -> None:
    ids, kept, told = np.array([[1, 0]]), welcome.paint, list[int]()
    with taken_away("paint", lambda: told.append(1)):
        for paint in (welcome.paint, kept, functools.partial(kept)):
            with pytest.raises(BorrowedError):
                paint(ids, np.eye(3))
        assert welcome.count_pixels(ids, 2).tolist() == [1, 1], "that is another exercise's"
    assert told == [1, 1, 1] and kept(ids, np.eye(3)).shape == (1, 2, 3)


@pytest.fixture
def thawed() -> Iterator[None]:
    """As where a student's cell has imported a part: the tests have frozen what they imported."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("thawed")
@pytest.mark.parametrize(
    "take",
    [
        "kept = w.paint; del w.paint",
        "kept = w.paint; w.paint = None",
        "kept = w.paint; del sys.modules[w.__name__]",
        "kept = w.paint; sys.modules[w.__name__] = None",
        "kept = w.paint; del sys.modules[w.__name__], p.welcome; import coursekit.parts.welcome",
        "kept = types.FunctionType(w.paint.__code__, vars(w))",
    ],
)
def test_a_part_that_was_taken_out_before_is_taken_away(take: str) -> None:
    """Nobody who keeps it may call it, and nobody finds it gone from where it was."""
    there = {"w": welcome, "p": coursekit.parts, "sys": sys, "types": types}
    own, told = dict(vars(welcome)), list[int]()
    exec(take, there)
    try:
        with taken_away("paint", lambda: told.append(1)), pytest.raises(BorrowedError):
            there["kept"](np.array([[1, 0]]), np.eye(3))
    finally:
        vars(welcome).update(own)
        sys.modules[welcome.__name__] = coursekit.parts.welcome = welcome
    assert told == [1] and there["kept"](np.array([[1, 0]]), np.eye(3)).shape == (1, 2, 3)


def test_a_part_that_a_kernel_is_forked_with_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is frozen, as in the tests: `gc` does not tell of it."""
    kept = welcome.paint
    monkeypatch.setattr(borrowing, "_noted", {})
    gc.freeze()
    borrowing.remember()
    monkeypatch.delattr(welcome, "paint")
    with taken_away("paint", list), pytest.raises(BorrowedError):
        kept(np.array([[1, 0]]), np.eye(3))


@pytest.mark.usefixtures("thawed")
def test_a_class_that_was_taken_out_before_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = capstone.Mine
    monkeypatch.delattr(capstone, "Mine")
    with taken_away("own-network", list), pytest.raises(BorrowedError):
        kept()


@pytest.mark.parametrize("place", ["builtins", "module", "list"])
def test_what_holds_itself_ends_no_check(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    around: dict[str, object] = {}
    around["around"] = around
    if place == "list":
        held = [*dice_mistakes._HIT]
        held.append(held)
        monkeypatch.setattr(dice_mistakes, "_HIT", held)
    else:
        where = {"builtins": builtins, "module": dice_mistakes}[place]
        monkeypatch.setattr(where, "around", around, raising=False)
    with taken_away("soft-dice", list):
        pass


def test_what_checks_know_is_found_among_python_s_own_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ways = dice_mistakes.dice
    monkeypatch.setattr(builtins, "ways", ways, raising=False)
    monkeypatch.delattr(dice_mistakes, "dice")
    with taken_away("soft-dice", list), pytest.raises(BorrowedError):
        ways(torch.ones(1, 2, 3, 3), torch.ones(1, 2, 3, 3))


def test_a_class_that_is_taken_away_is_there_for_other_parts() -> None:
    with taken_away("unet", list):
        for network in (unet.UNet, type("Mine", (unet.UNet,), {})):
            with pytest.raises(BorrowedError):
                network(num_classes=3)
        assert [*unet.Layers(3)._modules]
    unet.UNet(3)


def test_what_checks_know_is_taken_away_as_well() -> None:
    ways, unloaded = dice_mistakes.dice, "coursekit.checks.mistakes.welcome"
    some = torch.ones(1, 2, 3, 3)
    before = sys.modules.pop(unloaded, None)
    with taken_away("soft-dice", list):
        with pytest.raises(BorrowedError):
            ways(some, some)
        with pytest.raises(ImportError, match=unloaded):
            importlib.import_module(unloaded)
    assert importlib.import_module(unloaded) and ways(some, some).tolist() == [1, 1]
    if before:
        sys.modules[unloaded] = before


def test_ways_in_a_list_or_a_class_are_taken_away_as_well() -> None:
    maps = torch.tensor([[[1, 1, 2]]])
    above, below, seen = shares._OVER[0][0], shares._UNDER[0][0], boundaries._Maps
    kept = seen(maps, lambda a, b, sign: a != b, "", "")
    for exercise, call in (
        ("alpha", lambda: above(0.2, 0.1)),
        ("alpha", lambda: below(0.2, 0.1)),
        ("boundary", lambda: seen(maps, lambda a, b, sign: a != b, "", "")),
        ("boundary", lambda: kept.count(*boundaries._FOUR)),
    ):
        with taken_away(exercise, list), pytest.raises(BorrowedError):
            call()
    assert kept.count(*boundaries._FOUR).tolist() == [[[0, 1, 1]]]
    assert above(0.5, 0.5) == 0.25


def test_what_a_part_is_made_of_goes_with_it() -> None:
    counts, no_target = np.ones(19, dtype=int), torch.zeros(1, 3, 3, dtype=torch.long)
    for exercise, call in (
        ("class-weights", lambda: losses.class_weights(counts)),
        ("patience", lambda: Pipeline(3)),
        ("soft-dice", lambda: losses.dice_loss(torch.zeros(1, 2, 3, 3), no_target)),
        ("read-mask", lambda: data.decode_mask("-")),
    ):
        with taken_away(exercise, list), pytest.raises(BorrowedError):
            call()
    assert optimiser.Machine is Pipeline and losses.class_weights(counts).shape == (19,)


@pytest.mark.parametrize("exercise", [e for exercises in PARTS.values() for e in exercises])
def test_every_exercise_has_a_part_that_can_be_taken_away(exercise: str) -> None:
    with taken_away(exercise, list):
        lesson = next(name for name, exercises in PARTS.items() if exercise in exercises)
        module = importlib.import_module(f"coursekit.parts.{lesson}")
        for name in PARTS[lesson][exercise].split():
            part = getattr(module, name)
            part = part.__init__ if isinstance(part, type) else inspect.unwrap(part)
            assert part.__code__.co_name in ("begin", "_gone")
