"""The face explorer, sliders and the quiz, from the Python side."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from coursekit import labels, synthfaces, widgets
from coursekit.labels import CELEBAMASK_HQ
from coursekit.lessons.quiz import seal
from coursekit.synthfaces import render
from coursekit.widgets import questions
from tests.widgets.boxes import parts


@pytest.fixture
def explorer() -> dict[str, Any]:
    found = parts(widgets.face_explorer())
    for name, value in {"seed": 1, "index": 2, "size": 64}.items():
        found[name].value = value
    return found


def shown(explorer: dict[str, Any]) -> np.ndarray:
    data = explorer["coursekit-picture"].value.partition("base64,")[2].partition('"')[0]
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def test_it_shows_the_face_that_was_asked_for(explorer: dict[str, Any]) -> None:
    explorer["ToggleButtons"].value = "image"
    face = synthfaces.render(1, 2, 64)
    picture = shown(explorer)
    factor = len(picture) // 64
    np.testing.assert_array_equal(picture[::factor, ::factor], face.image)


@pytest.mark.parametrize(
    ("control", "value"),
    [
        ("seed", 5),
        ("index", 7),
        ("size", 96),
        ("crowd", 1.0),
        ("shift", 1.0),
        ("label_noise", 1.0),
        ("ToggleButtons", "image"),
    ],
)
def test_each_control_changes_the_picture(
    explorer: dict[str, Any], control: str, value: object
) -> None:
    before = shown(explorer)
    explorer[control].value = value
    assert not np.array_equal(shown(explorer), before)


def test_label_noise_changes_the_label_map_and_is_told(explorer: dict[str, Any]) -> None:
    explorer["ToggleButtons"].value = "label map"
    before = shown(explorer)
    explorer["label_noise"].value = 1.0
    assert not np.array_equal(shown(explorer), before)
    face = synthfaces.render(1, 2, 64, label_noise=1.0)
    assert face.attributes.label_noise[0].replace("_", " ") in explorer["coursekit-note"].value


def test_the_picture_says_what_it_shows(explorer: dict[str, Any]) -> None:
    explorer["index"].value = 3
    alt = explorer["coursekit-picture"].value.partition('alt="')[2].partition('"')[0]
    titles = ", ".join(CELEBAMASK_HQ.titles[i] for i in np.unique(render(1, 3, 64).label_map))
    assert alt == f"overlay of rendered face 3 of seed 1: {titles}"


def test_colours_follow_the_palette_that_is_asked_for(
    explorer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer["ToggleButtons"].value = "label map"
    monkeypatch.setenv("COURSEKIT_PALETTE", "safe")
    explorer["index"].value = 3
    safe = labels.shown(CELEBAMASK_HQ, "safe")
    np.testing.assert_array_equal(
        shown(explorer)[::6, ::6], labels.colourise(render(1, 3, 64).label_map, safe)
    )
    assert f"rgb{safe.palette[1]}" in explorer["coursekit-note"].value


def test_moving_back_shows_the_same_face_again(explorer: dict[str, Any]) -> None:
    before = shown(explorer)
    explorer["index"].value = 9
    explorer["index"].value = 2
    np.testing.assert_array_equal(shown(explorer), before)


@pytest.mark.parametrize("view", widgets.VIEWS)
@pytest.mark.parametrize("size", [32, 100, 256])
def test_every_view_at_every_size(view: str, size: int) -> None:
    picture = widgets.draw(synthfaces.render(0, 0, size, shift=1.0), view)
    assert picture.dtype == np.uint8
    assert picture.shape[0] % size == 0
    assert picture.shape == (len(picture), len(picture), 3)


def test_landmarks_lie_on_their_points() -> None:
    face = synthfaces.render(0, 0, 128)
    picture = widgets.draw(face, "landmarks")
    factor = len(picture) // 128
    x, y = (face.landmarks[16] + 0.5) * factor - 0.5  # the chin, far from all others
    assert tuple(picture[round(float(y)), round(float(x))]) == (0, 255, 255)


def test_an_unknown_view_is_named() -> None:
    with pytest.raises(ValueError, match="label map"):
        widgets.draw(synthfaces.render(0, 0, 32), "masks")


def test_without_ipywidgets_a_still_picture_and_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    figure = widgets.face_explorer()
    assert isinstance(figure, Figure)
    assert "pip install ipywidgets`" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "anywidget", None)
    assert isinstance(widgets.face_explorer(), Figure)
    assert "pip install ipywidgets anywidget`" in capsys.readouterr().out


def test_sliders_are_the_browsers_own_with_a_name(explorer: dict[str, Any]) -> None:
    noise, seed = explorer["label_noise"], explorer["seed"]
    assert "aria-label" in noise._esm and 'type = "range"' in noise._esm
    assert (noise.description, noise.min, noise.max, noise.step) == ("label_noise", 0, 1, 0.05)
    noise.value = 1  # as JavaScript writes 1.0
    assert (type(noise.value), type(seed.value)) == (float, int)


def tile(width: int, share: float) -> tuple[np.ndarray, str]:
    return np.full((8, 12, 3), 20 * width + round(100 * share), np.uint8), f"{width} and {share}"


def test_sliders_draw_anew_on_each_change() -> None:
    found = parts(widgets.sliders(tile, width=(2, 1, 6), share=(0.5, 0.0, 1.0)))
    picture = shown(found)
    assert (picture == 90).all() and picture.shape[0] * 12 == picture.shape[1] * 8
    found["width"].value = 5
    found["share"].value = 0.25
    assert (shown(found) == 125).all()
    assert ">5 and 0.25<" in found["coursekit-note"].value
    assert (found["width"].min, found["width"].max, found["share"].max) == (1, 6, 1.0)


def test_sliders_without_ipywidgets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    figure = widgets.sliders(tile, width=(2, 1, 6), share=(0.5, 0.0, 1.0))
    assert figure.axes[0].get_title() == "2 and 0.5"
    assert "pip install ipywidgets" in capsys.readouterr().out


def test_a_quiz_says_what_speaks_for_and_against_each_choice() -> None:
    box = widgets.quiz(seal("### Why?\n\n- [ ] A < B\n  It is *not*.\n- [x] So\n  It is.\n"))
    (question,) = box.children
    text, wrong, right, said = question.children
    assert "1. Why?" in text.value and said.value == ""
    assert wrong.children[1].value == "A &lt; B"
    names = [row.children[0].tooltip for row in (wrong, right)]  # what a screen reader says
    assert names == ["Question 1, A: A < B", "Question 1, B: So"]
    for row, mark, words in (
        (wrong, "A ✗", "No.</strong> It is <em>not"),
        (right, "B ✓", "Right."),
    ):
        row.children[0].click()
        assert row.children[0].description == mark
        assert words in said.value and 'role="status"' in said.value


def test_a_quiz_without_ipywidgets_can_be_unfolded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions.importlib.util, "find_spec", lambda name: None)
    shown = widgets.quiz(seal("### Why?\n\n- [ ] No\n  Not so.\n- [x] So\n  It is.\n"))
    assert "<details><summary>So</summary>\n\n**Right.** It is." in shown.data
