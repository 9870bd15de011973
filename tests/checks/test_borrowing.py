"""The course's own part in place of an answer is known, by its text and in a notebook."""

from __future__ import annotations

from typing import Any

import pytest

from coursekit.checks import Check
from coursekit.checks.borrowing import borrows, is_borrowed


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
    ],
)
def test_an_answer_of_one_s_own_is_none(answer: str) -> None:
    assert not borrows(answer, "up")


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
