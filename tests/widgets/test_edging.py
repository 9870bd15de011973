"""Edges by their width: pure functions, then the box."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import Tensor

from coursekit import widgets
from coursekit.labels import CELEBAMASK_HQ
from coursekit.plots import in_words
from coursekit.widgets import edging
from tests.widgets.boxes import note, parts

#: A square of skin of 5² in background, an eye of one pixel in its middle, and what nobody knows.
TRUTH = np.zeros((9, 9), np.uint8)
TRUTH[2:7, 2:7], TRUTH[4, 4], TRUTH[0] = 1, 4, 255
IMAGE = np.full((9, 9, 3), 100, np.uint8)


def cost_map(target: Tensor, width: int, λ3: float, λ4: float) -> Tensor:
    """All of the loss lies on the skin; then on the eye, the more the larger λ3."""
    skin = (target[0] == 1).float()
    return skin / skin.sum() + λ3 * (target[0] == 4) + 0 * width * λ4


def test_a_class_without_its_edge() -> None:
    edges = edging.edges_of(TRUTH, 1)
    assert edges.shape == (19, 9, 9) and not edges[:, 0].any()
    found = edging.left(TRUTH, edges)
    # Of 24 pixels of skin 16 are beside the background and 4 beside the eye.
    assert found[1] == pytest.approx(4 / 24) and found[4] == 0
    assert np.isnan(found[13])
    assert edging.left(TRUTH, edging.edges_of(TRUTH, 3))[1] == 0


def test_layers_are_each_other_s_reverse() -> None:
    edges = edging.edges_of(TRUTH, 1)
    on, off, whole = (edging.painted(TRUTH, edges, name) for name in edging.LAYERS[1:])
    skin = CELEBAMASK_HQ.palette[1]
    assert tuple(on[2, 2]) == skin and tuple(off[2, 2]) == (255, 255, 255)
    assert tuple(off[3, 3]) == skin and tuple(on[3, 3]) == (255, 255, 255)
    assert tuple(whole[3, 3]) == skin
    assert {tuple(picture[0, 0]) for picture in (on, off, whole)} == {(160, 160, 160)}


def test_numbers_and_bars() -> None:
    edges = edging.edges_of(TRUTH, 1)
    cost = cost_map(torch.from_numpy(TRUTH.astype(np.int64))[None], 1, 1.0, 0.0).numpy()
    line = edging.in_numbers(TRUTH, edges, cost, 4)
    # On edges: 20 of 24 pixels of skin, which have half of the loss, and the eye with the rest.
    assert f"<b>{edges.any(0).mean():.0%}</b> of the pixels, <b>92%</b> of the loss" in line
    assert "1.2% of the pixels, <b>50.0%</b> of the loss" in line and "IoU <b>0%</b>" in line
    assert "no hair in this face" in edging.in_numbers(TRUTH, edges, cost, 13)
    bars = edging.drawn(TRUTH, edges, 1)
    eye = CELEBAMASK_HQ.titles[4]
    assert bars.count("<rect") == 3 and f"skin 17 %, {eye} 0 %" in bars


def test_the_box_follows_its_controls() -> None:
    box = widgets.edge_explorer([IMAGE, IMAGE], [TRUTH, TRUTH], cost_map)
    found = parts(box)
    assert found["class"].value == CELEBAMASK_HQ.titles[4]  # an edge takes most of it
    picker, seen = found["The face: point at a pixel"], set()
    for name, value in (
        ("width", 2), ("λ3", 0.0), ("shown", "edges"), ("shown", "without edges"), ("face", 2),
        ("class", "skin"),
    ):  # fmt: skip
        found[name].value = value
        seen.add((picker.src, picker.alt, note(box), found["coursekit-picture"].value))
    assert len(seen) == 6
    assert picker.maps[0] == TRUTH.tobytes()


def test_without_ipywidgets_there_is_a_still_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    words = in_words(widgets.edge_explorer([IMAGE], [TRUTH], cost_map))
    assert "from width 1 to 10: background" in words and "skin 17% to 0%" in words
