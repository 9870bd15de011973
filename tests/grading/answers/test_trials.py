"""What is left of an answer without the trials in its cell."""

from __future__ import annotations

import pytest

from coursekit.grading.answers.key import key_of
from coursekit.grading.answers.trials import without_trials
from tests.grading.small_lesson import ADD, BLEND, USES, Notebook

KEEPS = [
    "import math\nfrom random import *",
    f"{ADD}\n{USES}",
    "N = 3\nN += 1\ndef blend(first, second):\n    return N",
    "T = {}\nfor i in range(3):\n    T[i] = i\ndef blend(first, second):\n    return T[0]",
    f"{BLEND}\nblend = print(blend) or blend",
    "if True:\n    x = 1\n    def blend(first, second):\n        return x",
]
TRIALS = [
    "import time\ntime.sleep(60)",
    "import random\nrandom.seed(0)\nwhile True:\n    random.seed(1)\n    loss = blend([1], [2])",
    "order.append(1)\nprint(order)",
    "big = 'x' * 10**9\nwith open('me.png') as file:\n    big = file.read()",
]


@pytest.mark.parametrize("text", [*KEEPS, "print(1)\nx = 2"])
def test_what_an_answer_needs_stays(text: str) -> None:
    assert without_trials(text, key_of(Notebook().assignment.lesson)) == text


@pytest.mark.parametrize("trial", TRIALS)
@pytest.mark.parametrize("above", [False, True])
def test_what_is_tried_beside_an_answer_goes(trial: str, above: bool) -> None:
    text = f"{trial}\n{BLEND}" if above else f"{BLEND}\n{trial}"
    bare = without_trials(text, key_of(Notebook().assignment.lesson))
    left = [line for line in bare.split("\n") if line and not line.startswith("import")]
    assert left == BLEND.split("\n")
    assert bare.count("\n") == text.count("\n")
