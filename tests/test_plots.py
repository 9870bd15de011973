"""Figures draw what they are given, without global state."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from coursekit import plots
from coursekit.labels import LAPA, PALETTES


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
    assert lines == [2.5, 3.5, 4.5]  # epochs are counted from 1
    assert [text.get_text() for text in axes.texts] == ["SGD 0.02", "0.01"]


def phased(epoch: int, phase: str, event: str) -> dict:
    return {**entry(epoch, event), "phase": phase}


def test_cycles_are_shaded_and_what_they_left_is_marked() -> None:
    history = [phased(0, "initialisation", "improved"), phased(1, "initialisation", "wait"),
               phased(2, "cycle 1 of 2", "best"), phased(3, "cycle 1 of 2", "improved"),
               phased(4, "cycle 2 of 2", "wait")]  # fmt: skip
    losses, cycles, rate = plots.schedule(history).axes
    for axes in (losses, cycles, rate):
        spans = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
        assert spans == [(2.5, 2), (4.5, 1)]
    drawn = {line.get_label(): list(line.get_xdata()) for line in losses.lines}
    assert drawn == {"training": [1, 2], "validation": [1, 2, 3, 4, 5],
                     "best of the initialisation": [2], "in use from then on": [4]}  # fmt: skip
    assert list(cycles.lines[0].get_xdata()) == [3, 4, 5]
    for axes in (losses, cycles, rate, *plots.schedule(history[:3]).axes):
        assert all(tick == int(tick) for tick in axes.get_xticks())  # epochs are whole numbers
    assert len(plots.schedule(history[:2]).axes) == 2
    assert len(plots.schedule(history[2:]).axes) == 3  # a network that came trained


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
    boxes = {"C5": (0, 0, "2048 × 8²"), "X": (1, 0, "$C_5$"), "up": (1, 1, "")}
    axes = plots.diagram(boxes, [("C5", "X"), ("X", "up")]).axes[0]
    texts = [text for text in axes.texts if text.get_text()]
    assert [t.get_text() for t in texts] == ["C5\n2048 × 8²", "X\n$C_5$", "up"]
    assert len(axes.texts) == 5  # an arrow is an annotation without text
    with pytest.raises(KeyError, match="Y"):
        plots.diagram(boxes, [("C5", "Y")])
    with pytest.raises(KeyError):
        plots.diagram(boxes, "C5 > Y")
    with pytest.raises(KeyError):
        plots.diagram(boxes, [], red=["Y"])


def test_a_diagram_reads_chains_and_sets_boxes_apart() -> None:
    boxes = {"C 5": (0, 0, ""), "X": (1, 0, ""), "up": (2, 0, "")}
    pairs = [("C 5", "X"), ("X", "up"), ("C 5", "up")]
    one = plots.diagram(boxes, pairs, red=["up"]).axes[0]
    two = plots.diagram(boxes, "C 5 > X > up,\nC 5 > up", red=["up"]).axes[0]
    assert [t.get_position() for t in one.texts] == [t.get_position() for t in two.texts]
    edges = [t.get_bbox_patch().get_edgecolor() for t in two.texts[:3]]
    assert edges[0] == edges[1] != edges[2]


def test_edges_have_the_colour_of_their_class() -> None:
    label_map = np.array([[0, 0, 0, 255], [1, 1, 2, 2]], np.uint8)
    binary = np.array([[1, 1, 1, 255], [1, 1, 1, 0]], np.uint8)
    category = np.zeros((11, 2, 4), np.uint8)
    category[0, 0, :3] = category[1, :, :2] = category[:3, 1, 2] = 1  # of both sides
    category[:, 0, 3] = 255
    figure = plots.edges(label_map, binary, category, LAPA)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["label map", "binary edges", "category edges"]
    _, lines, coloured = (np.asarray(axes.images[0].get_array()) for axes in figure.axes)
    white, grey = [255] * 3, [160] * 3
    assert lines.tolist() == [[[0] * 3] * 3 + [grey], [[0] * 3] * 3 + [white]]
    back, skin, brow = (list(colour) for colour in LAPA.palette[:3])
    assert coloured.tolist() == [[back] * 3 + [grey], [skin, skin, brow, white]]
    category[0], category[1, 0] = 0, 1  # where its own class has no edge, another's colour
    coloured = plots.edges(label_map, binary, category, LAPA).axes[2].images[0].get_array()
    assert np.asarray(coloured)[0].tolist() == [skin] * 3 + [grey]


def test_all_draw_and_none_needs_pyplot() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    rows = [{"image": image, "truth": image[..., 0]}] * 3
    for make in (
        lambda: plots.panels(rows, across=2),
        lambda: plots.legend(),
        lambda: plots.diagram({"in": (0, 0, "3 × 64²"), "out": (1, 0.5, "")}, [("in", "out")]),
        lambda: plots.edges(image[..., 0], image[..., 0], np.zeros((19, 8, 8), np.uint8)),
        lambda: plots.long_tail([1, *[0] * 18]),
        lambda: plots.convergence([entry(0, "improved")]),
        lambda: plots.schedule([phased(0, "cycle 1 of 1", "improved")]),
    ):
        assert draw(make()) == draw(make())
    assert "matplotlib.pyplot" not in sys.modules or "ipykernel" in sys.modules


def test_a_notebook_shows_pictures_sharp_and_without_a_ground() -> None:
    figure = plots.convergence([entry(0, "improved"), entry(1, "wait")])
    png, shown = figure._repr_png_()  # type: ignore[attr-defined]
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (2 * shown["width"], 2 * shown["height"]) == (1500, 680)
        pixels = np.asarray(picture.convert("RGBA"))
    assert pixels[0, 0, 3] == 0
    solid = {tuple(colour) for colour in pixels[pixels[..., 3] == 255]}
    assert (0, 0, 0, 255) not in solid and (*tuple(bytes.fromhex(plots.INK[1:])), 255) in solid
    assert draw(figure) == draw(plots.convergence([entry(0, "improved"), entry(1, "wait")]))


def test_words_on_colours_stay_black() -> None:
    boxed = plots.diagram({"in": (0, 0, "3 × 64²")}, [])
    figure = Figure()
    bars, image, plain = figure.subplots(3)
    bars.barh(0, 2)
    image.imshow(np.ones((2, 2)))
    for axes in (bars, image, plain):
        axes.text(1, 0, "word")
        axes.set_title("title")
    inked = [artist for artist, name in plots._blacks(figure) if name == "color"]
    assert all(artist is not boxed.axes[0].texts[0] for artist, _ in plots._blacks(boxed))
    assert [axes.texts[0] in inked for axes in (bars, image, plain)] == [False, False, True]
    assert all(axes.title in inked for axes in (bars, image, plain))


def test_figures_of_classes_follow_the_palette(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = np.zeros((8, 8), np.uint8)
    for make in (
        plots.legend,
        lambda: plots.panels([{"truth": ids + 1}]),
        lambda: plots.long_tail([1] * 19),
        lambda: plots.class_scores({"skin": 0.5}),
        lambda: plots.edges(ids + 1, ids + 1, np.ones((19, 8, 8), np.uint8)),
    ):
        drawn = set()
        for palette in PALETTES:
            monkeypatch.setenv("COURSEKIT_PALETTE", palette)
            drawn.add(draw(make()))
        assert len(drawn) == 2
