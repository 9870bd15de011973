"""What students are told of hidden tests is read from their text."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from coursekit.lessons.regions import hidden_text
from coursekit.lessons.source import read_lesson
from coursekit.probe import TRAINED
from coursekit.release.also_tried import also_tried


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ('probe.emit("a", 1, about="one")\nprobe.emit("b", 2, "two")', ["one", "two"]),
        ('about = "one"\nprobe.emit("a", 1, about)\nabout = "two"\nprobe.emit("b", 2, about)',
         ["one", "two"]),
        ('for n, (a, about) in ((1, (2, "x")), (2, (3, "y"))):\n    probe.emit("a", n, about)',
         ["x", "y"]),
        ('for m in (1, 0):\n    w = "on" if m else "off"\n    probe.emit("a", 1, f"it is {w}")',
         ["it is on", "it is off"]),
        ('if z:\n    with x:\n        probe.emit(1, 1, "in")\nelse:\n    probe.emit(2, 1, "out")',
         ["in", "out"]),
        ('try:\n    probe.emit("a", 1, "x")\nexcept E:\n    probe.emit("a", 2, "y")', ["x", "y"]),
        ('for n in range(3):\n    probe.emit("a", n, "each")', ["each"]),
        ('for n in range(3):\n    probe.emit("a", n, f"number {n}")', ["number …"]),
        ('about = f"{a[0]} × {b!r} of 3"\nprobe.emit("a", 1, about)', ["… × … of 3"]),
        ('about = words()\nprobe.emit("a", 1, about)', []),
        ('about = "old"\nabout = words()\nprobe.emit("a", 1, about)', []),
        ('probe.emit("a", 1, f"{x:.2f}")\nprobe.emit("b", "an about", other)', []),
        ('probe.emit("a", probe.call(f, 1), "x")\nother.call(2)',
         ["x", "the arguments are left as they are"]),
        ("probe.train(network, (2, 9, 9))\nother.train()", [*TRAINED]),
        ("this is no Python", []),
    ],
)  # fmt: skip
def test_what_is_told(code: str, told: list[str]) -> None:
    assert also_tried(textwrap.indent(code, "    ")) == told


def test_every_lesson_tells_what_it_tries() -> None:
    sources = Path(__file__).parents[2] / "notebooks" / "source"
    for path in sorted(sources.glob("*.py")):
        for exercise in read_lesson(path).exercises:
            for check in exercise.checks:
                assert not (hidden := hidden_text(check)) or also_tried(hidden), check.id
