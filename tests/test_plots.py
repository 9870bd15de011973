"""Figures draw what they are given, without global state."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from coursekit import plots
from coursekit.labels import LAPA


def draw(figure: object) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")  # type: ignore[attr-defined]
    return buffer.getvalue()


def entry(epoch: int, event: str, rate: float = 0.001) -> dict:
    losses = {"train_loss": 2 / (epoch + 1), "val_loss": 3 / (epoch + 1)}
    return {"epoch": epoch, "event": event, "rate": rate, **losses}


def test_red_lines_stand_at_the_switches() -> None:
    history = [entry(0, "improved"), entry(1, "switch"), entry(2, "halve", 0.02),
               entry(3, "stop", 0.01)]  # fmt: skip
    axes = plots.convergence(history).axes[0]
    lines = [line.get_xdata()[0] for line in axes.lines if line.get_color() == plots.RED]
    assert lines == [1.5, 2.5, 3.5]
    assert [text.get_text() for text in axes.texts] == ["SGD 0.02", "0.01"]


def test_the_tail_is_sorted() -> None:
    axes = plots.long_tail(np.arange(1, 20)).axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == sorted(heights, reverse=True)
    assert axes.get_yscale() == "log"


def test_absent_classes_are_said() -> None:
    axes = plots.class_scores({"skin": 0.5, "hair": None}, LAPA).axes[0]
    assert len(axes.patches) == 1
    assert sum(text.get_text() == "absent" for text in axes.texts) == 10


def test_a_diagram_has_its_boxes_and_arrows() -> None:
    boxes = {"C5": (0, 0, "2048 × 8²"), "X": (1, 0, "$512$"), "up": (1, 1, "")}
    axes = plots.diagram(boxes, [("C5", "X"), ("X", "up")]).axes[0]
    texts = [text for text in axes.texts if text.get_text()]
    assert [t.get_text() for t in texts] == ["C5\n2048 × 8²", "X\n$512$", "up"]
    assert len(axes.texts) == 5  # an arrow is an annotation without text
    with pytest.raises(KeyError, match="Y"):
        plots.diagram(boxes, [("C5", "Y")])


def test_all_draw_and_none_needs_pyplot() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    rows = [{"image": image, "truth": image[..., 0]}] * 3
    for make in (
        lambda: plots.panels(rows, across=2),
        lambda: plots.legend(),
        lambda: plots.diagram({"in": (0, 0, "3 × 64²"), "out": (1, 0.5, "")}, [("in", "out")]),
        lambda: plots.long_tail([1, *[0] * 18]),
        lambda: plots.convergence([entry(0, "improved")]),
    ):
        assert draw(make()) == draw(make())
    assert "matplotlib.pyplot" not in sys.modules or "ipykernel" in sys.modules
