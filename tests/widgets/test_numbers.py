"""Weights, the pipeline, the budget, receptive fields; and what stands where no widget runs."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from coursekit import widgets
from coursekit.labels import CELEBAMASK_HQ
from coursekit.lessons.outputs import compared, complaints, normalise
from coursekit.losses import class_weights
from coursekit.models import count_parameters, create_model
from coursekit.optim import AdamToSGDConfig
from coursekit.widgets import budget, fields, pipeline, weighting
from coursekit.widgets.svg import Chart
from tests.widgets.boxes import note, parts

COUNTS = np.array([1000, 500, 0, 10] + [100] * 15)


def test_the_exponent_goes_from_equal_weights_to_one_by_f() -> None:
    equal = weighting.weighting(COUNTS, weighting.to_the_power(COUNTS, 0))
    np.testing.assert_allclose(equal.shares, COUNTS / COUNTS.sum())
    assert equal.ratio == 1 and equal.worth == pytest.approx(1)
    inverse = weighting.weighting(COUNTS, weighting.to_the_power(COUNTS, 1))
    np.testing.assert_allclose(inverse.shares, np.where(COUNTS > 0, 1 / 18, 0))
    assert inverse.ratio == pytest.approx(100) and inverse.weights[2] == 0
    w = inverse.weights
    kish = (w * COUNTS).sum() ** 2 / (w**2 * COUNTS).sum() / COUNTS.sum()
    assert inverse.worth == pytest.approx(kish) and kish < 0.5


def test_the_playground_follows_its_exponent_and_class() -> None:
    box = widgets.class_weights_explorer(COUNTS)
    found = parts(box)
    assert found["class"].value == CELEBAMASK_HQ.titles[3]  # the rarest that occurs
    assert len(re.findall("<rect", found["coursekit-picture"].value)) == 19
    known = weighting.weighting(COUNTS, class_weights(COUNTS).numpy())
    assert f"{known.shares[3]:.3%}" in note(box)
    found["exponent"].value = 1.0
    assert "<b>5.556%</b>" in note(box) and "<b>100.0</b><br>" in note(box)
    found["class"].value = "background"
    assert "the pull of background: <b>5.556%</b>" in note(box)


def test_the_report_s_log_has_its_five_numbers() -> None:
    epochs = pipeline.replay(pipeline.the_report_s_log(), AdamToSGDConfig())
    events = [(e.number, e.event) for e in epochs if e.event not in ("wait", "improved")]
    assert events == [(48, "switch"), (61, "halve"), (73, "halve"), (85, "stop")]
    assert epochs[-1].best_at == 49
    assert epochs[48].phase == "sgd" and epochs[48].rate == 0.02


def test_three_epochs_of_patience_miss_the_best_of_that_log() -> None:
    """The question that the lesson asks."""
    log = pipeline.the_report_s_log()
    best = {p: pipeline.replay(log, AdamToSGDConfig(patience=p))[-1].best_at for p in range(1, 31)}
    assert {p for p, at in best.items() if at == 49} == set(range(4, 31))
    assert {best[p] for p in (1, 2, 3)} == {36}


def test_the_state_after_an_epoch_is_marked() -> None:
    config, log = AdamToSGDConfig(), pipeline.the_report_s_log()
    epochs = pipeline.replay(log, config)
    bold = {}
    for at in (1, 48, 61, 85):
        line = pipeline.state_line(epochs, at, config)
        bold[at] = re.findall(r'font-weight: bold">([^<]*)<', line)
    assert bold == {1: ["Adam 0.001"], 48: ["SGD 0.02"], 61: ["SGD 0.01"], 85: ["stopped"]}


def test_the_pipeline_follows_its_controls() -> None:
    box = widgets.optimiser_pipeline({"mine": [2.0, 3.0, 3.0, 3.0, 1.0]})
    found = parts(box)
    assert "stops after epoch <b>85</b> and keeps 0.9 of epoch 49" in note(box)
    found["patience"].value = 3
    assert "a lower one, 0.9 at 49, comes too late" in note(box)
    found["log"].value = "mine"
    assert "After epoch <b>5</b>: <b>improved</b>" in note(box)  # the log is shorter than "epoch"
    before = found["coursekit-states"].value
    found["SGD's first"].value, found["SGD's least"].value = 0.005, 0.02  # crossed: no error
    assert found["coursekit-states"].value != before
    assert "SGD 0.0025" not in found["coursekit-states"].value


def test_costs_are_what_is_counted() -> None:
    for family, width, depth in (("U-Net", 8, 5), ("SegFormer", 3, 1)):
        assert budget.cost(family, width, depth) == budget.count(family, width, depth)
    for family, (name, _, _, depth) in budget.FAMILIES.items():
        with torch.device("meta"):
            ours = count_parameters(create_model(name))
        assert budget.cost(family, budget.AS_IN_COURSE, depth).parameters == ours
        for other in budget.DEPTHS:
            least, *_, most = (budget.cost(family, w, other).work for w in budget.WIDTHS)
            assert least < most


def test_the_budget_follows_its_controls() -> None:
    box = widgets.budget_designer()
    found = parts(box)
    assert "2,000,000 parameters: <b>kept" in note(box)
    assert "1,821,085 parameters: <b>broken" in note(box)
    assert "multiply-accumulates: <b>broken" in note(box)
    found["width, eighths"].value = 2
    assert note(box).count("kept") == 3
    found["family"].value, found["depth"].value = "FastSCNN", 3
    assert 'create_model("fastscnn"' in note(box) and "repeats=3" in note(box)


@pytest.fixture(scope="module")
def probe() -> fields.Probe:
    """Two 3×3 convolutions with a pooling between: a value sees 3 + 1 + 2·2 = 8 pixels."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(4, 5, 3, padding=1), torch.nn.Upsample(scale_factor=2),
    )  # fmt: skip
    image = np.random.default_rng(0).integers(0, 255, (24, 24, 3)).astype(np.uint8)
    return fields.Probe(network, image, network)


def test_a_field_is_as_wide_as_the_formula_says(probe: fields.Probe) -> None:
    found = probe.at(12, 12)
    assert found.sides == (8, 8) and found.reach == (9, 9, 16, 16)
    assert found.pull.sum() == pytest.approx(1)
    outside = found.pull.copy()
    outside[9:17, 9:17] = 0
    assert (outside == 0).all()
    assert 0 < found.half < found.most < 8
    assert probe.at(0, 23).sides == (5, 5)  # the image ends


def test_the_rim_and_the_figures_of_a_field(probe: fields.Probe) -> None:
    found = probe.at(12, 12)
    drawn = fields.drawn(np.full((24, 24, 3), 90, np.uint8), found, 0.7)
    assert tuple(drawn[9, 12]) == tuple(drawn[12, 16]) == (0, 255, 255)
    assert tuple(drawn[0, 0]) == (90, 90, 90) and drawn[13, 13].max() > 90
    assert "<b>8 × 8</b>" in fields.in_numbers(found)


@pytest.mark.parametrize("name", [*fields.NETWORKS, fields.TRAINED])
def test_each_network_of_the_course_can_be_asked(name: str) -> None:
    found = fields.probe_of(name, 64).at(32, 30)
    assert found.pull.shape == (64, 64) and found.pull.sum() == pytest.approx(1)
    assert found.sides == (64, 64)  # all see a face of this size as a whole


def test_receptive_fields_follow_place_and_network() -> None:
    box = widgets.receptive_fields(64)
    found = parts(box)
    before = note(box)
    picker = found["The face: point at the pixel whose scores are asked for"]
    picker.value = (5, 5)
    moved = note(box)
    found["network"].value = "FastSCNN"
    assert len({before, moved, note(box)}) == 3


def test_a_widget_leaves_a_still_picture_in_a_notebook() -> None:
    """It has words, a replay compares it, and nothing of the widget stays."""
    data, metadata = widgets.budget_designer()._repr_mimebundle_()
    output = {"output_type": "execute_result", "data": data, "metadata": metadata}
    assert "application/vnd.jupyter.widget-view+json" in data
    cell = {"metadata": {}, "outputs": [output]}
    normalise(cell, "a test")
    (kept,) = cell["outputs"]
    assert set(kept["data"]) == {"text/html", "text/plain"}
    assert "".join(kept["data"]["text/html"]).startswith('<img src="data:image/png')
    assert "U-Net 1.94" in "".join(kept["data"]["text/plain"])
    assert not complaints(cell)
    assert compared([output])[0]["data"] == compared([kept])[0]["data"]
    assert compared([kept])[0]["data"] == {"picture": "is there"}


def test_a_widget_without_a_picture_leaves_nothing() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "IntSlider()"}
    assert compared([{"output_type": "display_data", "data": view}]) == []


def test_words_of_events_never_meet() -> None:
    def said(*marks: tuple[float, str]) -> list[tuple[str, str]]:
        chart = Chart((0, 100), (0, 1))  # 2.88 pixels for each step
        chart.events(marks, "red")
        words = [re.search(r'text-anchor="(\w+)".*>(\w+)</text>', part) for part in chart.parts]
        assert sum("<line" in part for part in chart.parts) == len(marks)
        return [(found[2], found[1]) for found in words if found]

    apart = said((20, "switch"), (40, "halve"), (60, "stop"))
    assert apart == [("switch", "start"), ("halve", "start"), ("stop", "start")]
    assert said((20, "switch"), (25, "halve"), (30, "stop")) == [
        ("switch", "end"), ("stop", "start"),
    ]  # fmt: skip
    assert said((2, "switch"), (4, "halve"), (99, "stop")) == [("halve", "start"), ("stop", "end")]
