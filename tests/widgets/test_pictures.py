"""Predictions against the truth, repairs of labels, attention: pure functions, then their boxes."""

from __future__ import annotations

import base64
import io
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from coursekit import widgets
from coursekit.labels import CELEBAMASK_HQ
from coursekit.plots import in_words
from coursekit.widgets import attending, comparison, edging, repairing, weighting
from coursekit.widgets.comparison import FALSE, HIT, MISSED, Tally
from coursekit.widgets.heat import heated
from tests.widgets.boxes import note, parts

IMAGE = np.full((2, 3, 3), 100, np.uint8)
TRUTH = np.array([[0, 1, 1], [13, 13, 255]], np.uint8)
SAID = np.array([[0, 1, 13], [13, 1, 1]], np.uint8)


def pixels(picker: object) -> np.ndarray:
    data = picker.src.partition("base64,")[2]  # type: ignore[attr-defined]
    return np.array(Image.open(io.BytesIO(base64.b64decode(data))))


def test_a_class_is_counted_by_what_is_found_missed_and_invented() -> None:
    assert comparison.tally(TRUTH, SAID, 1) == Tally(hit=1, missed=1, false=1)
    assert comparison.tally(TRUTH, SAID, 1).iou == pytest.approx(1 / 3)
    assert comparison.tally(TRUTH, SAID) == Tally(hit=3, missed=2, false=0)
    assert np.isnan(comparison.tally(TRUTH, SAID, 5).iou)


def test_the_commonest_error_is_named() -> None:
    assert comparison.worst_mix_up(TRUTH, TRUTH) is None
    said = np.where(TRUTH == 13, 1, TRUTH).astype(np.uint8)
    assert comparison.worst_mix_up(TRUTH, said) == (13, 1, 2)
    assert comparison.worst_mix_up(TRUTH, said, only=0) is None
    line = comparison.in_numbers(TRUTH, said, 13)
    assert "hair is called skin (2 pixels)" in line and "<b>0.0%</b>" in line


def test_names_of_classes_are_text_and_no_html() -> None:
    titles = tuple(f"<i>{title}" for title in CELEBAMASK_HQ.titles)
    labels, name = replace(CELEBAMASK_HQ, titles=titles), "&lt;i&gt;hair"
    edges = edging.edges_of(TRUTH, 1)
    found = weighting.weighting(np.ones(19, int), np.ones(19))
    lines = [
        comparison.in_numbers(TRUTH, SAID, 13, labels),
        edging.in_numbers(TRUTH, edges, np.ones(TRUTH.shape), 13, labels),
        weighting.in_numbers(found, 13, labels),
    ]
    assert [(name in line, "<i>" in line) for line in lines] == 3 * [(True, False)]
    assert comparison.in_numbers(TRUTH, TRUTH, 5, labels).startswith("no &lt;i&gt;")


def test_errors_of_one_class_have_three_colours() -> None:
    drawn = comparison.laid_over(IMAGE, TRUTH, SAID, "errors", 1.0, only=1)
    assert tuple(drawn[0, 1]) == HIT
    assert tuple(drawn[0, 2]) == MISSED
    assert tuple(drawn[1, 1]) == FALSE
    assert tuple(drawn[0, 0]) == (193, 193, 193)  # paler than the photo


def test_layers_and_their_opacity() -> None:
    full = comparison.laid_over(IMAGE, TRUTH, SAID, "truth", 1.0)
    assert tuple(full[1, 0]) == CELEBAMASK_HQ.palette[13]
    none = comparison.laid_over(IMAGE, TRUTH, SAID, "prediction", 0.0)
    assert (none == IMAGE).all()
    one = comparison.laid_over(IMAGE, TRUTH, SAID, "prediction", 1.0, only=1)
    assert tuple(one[1, 1]) == CELEBAMASK_HQ.palette[1] and tuple(one[1, 0]) == (193, 193, 193)
    errors = comparison.laid_over(IMAGE, TRUTH, SAID, "errors", 1.0)
    assert tuple(errors[0, 2]) == CELEBAMASK_HQ.palette[13]  # what is said there
    assert tuple(errors[1, 2]) == (193, 193, 193)  # 255 is no error
    with pytest.raises(ValueError, match="prediction, truth, errors"):
        comparison.laid_over(IMAGE, TRUTH, SAID, "mask", 1.0)


def test_the_comparison_follows_its_controls() -> None:
    box = widgets.compare([IMAGE, IMAGE], [TRUTH, TRUTH], {"a": [SAID] * 2, "b": [TRUTH] * 2})
    found = parts(box)
    assert "100.0%" in note(box)  # the last network is shown first
    found["network"].value = "a"
    assert "60.0%" in note(box)
    picker = found["The face: point at a pixel"]
    assert picker.titles == ["truth", "a"] and picker.maps[1] == SAID.tobytes()
    found["layer"].value, found["class"].value = "errors", "skin"
    found["opacity"].value = 1.0
    assert tuple(pixels(picker)[0, 1]) == HIT
    assert "found: 1" in note(box)
    assert picker.alt == "Face 1 under the errors of a, skin"


def test_one_network_needs_no_choice() -> None:
    assert "network" not in parts(widgets.compare([IMAGE], [TRUTH], {"a": [SAID]}))


def test_fates_of_labels() -> None:
    label = np.array([[1, 1, 2], [13, 0, 255]], np.uint8)
    truth = np.array([[1, 0, 0], [0, 0, 0]], np.uint8)
    said = np.array([[2, 0, 2], [5, 0, 0]], np.uint8)
    found = repairing.fate(label, truth, said)
    assert found == repairing.Fate(wrong=3, mended=1, repeated=1, third=1, right=2, broken=1)
    drawn = repairing.fate_map(label, truth, said)
    assert tuple(drawn[0, 1]) == repairing.MENDED and tuple(drawn[0, 2]) == repairing.REPEATED
    assert tuple(drawn[1, 0]) == repairing.THIRD and tuple(drawn[0, 0]) == repairing.BROKEN


def test_the_cycles_follow_their_slider() -> None:
    label = np.where(TRUTH == 13, 1, TRUTH).astype(np.uint8)
    box = widgets.repairs([IMAGE], [label], [TRUTH], [[label], [TRUTH]])
    assert "mended: 0" in note(box) and "repeated: 2" in note(box)
    parts(box)["cycle"].value = 1
    assert "mended: 2" in note(box)
    parts(box)["shown"].value = "truth"
    picker = parts(box)["The face: point at a pixel"]
    assert tuple(pixels(picker)[1, 0]) == CELEBAMASK_HQ.palette[13]


def test_a_row_of_an_attention_matrix() -> None:
    matrix = np.zeros((2, 16, 4))
    matrix[1] = 0.25
    matrix[0, 6] = (0.1, 0.2, 0.6, 0.1)  # row 1, column 2 of 4 × 4
    found = attending.attended(matrix, 0, (0.3, 0.5))
    assert found.weights.tolist() == [[0.1, 0.2], [0.6, 0.1]]
    assert found.times_even == pytest.approx(2.4) and found.half_on == 1
    even = attending.attended(matrix, 1, (0.9, 0.9))
    assert even.times_even == 1 and even.half_on == 2
    far = [np.hypot(0.875 - y, 0.875 - x) for y in (0.25, 0.75) for x in (0.25, 0.75)]
    assert even.distance == pytest.approx(np.mean(far))


def test_attention_follows_place_layer_and_head() -> None:
    rng = np.random.default_rng(0)
    fine, coarse = rng.random((2, 16, 16)), rng.random((1, 4, 4))
    box = widgets.attention_explorer(np.zeros((8, 8, 3), np.uint8), {"one": fine, "two": coarse})
    found = parts(box)
    picker = found["The photo: point at the place that asks"]
    assert (picker.rows, picker.columns, picker.value) == (4, 4, (2, 2))
    seen = {picker.src}
    for name, value in (("head", 2), ("layer", "two")):
        found[name].value = value
        seen.add(picker.src)
    picker.value = (0, 0)
    assert len(seen | {picker.src}) == 4
    assert "head 1 of 1 in two" in note(box)  # of one head, the second is the first


def test_heat_leaves_cold_places_as_they_are() -> None:
    grey = np.full((4, 4, 3), 90, np.uint8)
    drawn = heated(grey, np.array([[0.0, 1.0], [0.0, 0.0]]), 1.0)
    assert (drawn[:2, :2] == 90).all() and (drawn[2:] == 90).all()
    assert drawn[0, 2, 0] > 240


def test_without_ipywidgets_there_is_a_still_picture_of_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    matrix = np.full((1, 4, 4), 0.25)
    figures = [
        widgets.compare([IMAGE], [TRUTH], {"a": [SAID]}),
        widgets.repairs([IMAGE], [SAID], [TRUTH], [[SAID]]),
        widgets.attention_explorer(IMAGE, {"one": matrix}),
        widgets.class_weights_explorer([5, 4] + [1] * 17),
        widgets.optimiser_pipeline(),
        widgets.budget_designer(),
    ]
    words = [in_words(figure) for figure in figures]
    assert capsys.readouterr().out.count("pip install ipywidgets`") == len(figures)
    assert words[:2] == [
        "Pictures side by side: image, truth, a",
        "Pictures side by side: image, label, start, truth, repairs",
    ]
    for said, about in zip(
        words[2:], ("one, head 1: 1.0", "exponent 0.5", "stop", "SegFormer"), strict=True
    ):
        assert about in said
