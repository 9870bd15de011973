"""Figures draw what they are given, without global state."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from coursekit import plots
from coursekit.labels import LAPA, PALETTES
from coursekit.plots import picture


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


def arrows_of(figure: plots.Picture) -> list[tuple[str, str]]:
    """The names of the boxes at which arrows begin and end."""
    texts = [t for t in figure.axes[0].texts if t.get_bbox_patch()]
    names = {t.get_bbox_patch(): t.get_text().split("\n")[0] for t in texts}
    drawn = [t.arrow_patch for t in figure.axes[0].texts if getattr(t, "arrow_patch", None)]
    return [(names[arrow.patchA], names[arrow.patchB]) for arrow in drawn]


def test_a_diagram_is_written_as_it_looks() -> None:
    figure = plots.diagram(
        """
        (C5: 2048 × 8²)
        X: $C_5$ |
        [up]
        """,
        "C5 > X > up, C5 > up",
        marked="in training",
    )
    key, *boxes = sorted((t for t in figure.axes[0].texts if t.get_text()),
                         key=lambda t: bool(t.get_bbox_patch()))  # fmt: skip
    assert [t.get_text() for t in boxes] == ["C5\n2048 × 8²", "X\n$C_5$", "up"]
    assert key.get_text() == "dashed: in training"
    (middle, top), (left, below), (same, lowest) = (t.get_position() for t in boxes)
    assert top < below < lowest and left < middle == same
    assert arrows_of(figure) == [("C5", "X"), ("X", "up"), ("C5", "up")]
    styles = [t.get_bbox_patch().get_linestyle() for t in boxes]
    assert styles[0] == styles[1] != styles[2]
    assert (
        repr(figure)
        == figure.alt
        == (
            "Diagram of C5 (2048 × 8²); X ($C_5$); up. Arrows: C5 → X → up; C5 → up. "
            "Dashed, in training: up."
        )
    )
    assert plots.as_png(figure)[1]["alt"] == figure.alt  # what a notebook with pyplot calls


def test_rows_lead_to_each_other() -> None:
    figure = plots.diagram("x\na | b\nc |\nsum: |x|")
    pairs = [("x", "a"), ("x", "b"), ("a", "c"), ("c", "sum")]
    assert arrows_of(figure) == pairs


def test_branches_below_each_other_are_reached_from_the_side() -> None:
    figure = plots.diagram("| one\nx | two\n| three", "x > one, x > two > three", across=True)
    x, *boxes = (t for t in figure.axes[0].texts if t.get_bbox_patch())
    ends = [(t.xyann, t.xy) for t in figure.axes[0].texts if getattr(t, "arrow_patch", None)]
    (from_one, to_one), (from_two, to_two), (down, _) = ends
    assert from_one == from_two and from_one[0] > boxes[0].get_position()[0]
    assert to_one[0] < x.get_position()[0] and to_one[1] == x.get_position()[1]
    assert down == boxes[1].get_position() and to_two[1] == from_two[1]


@pytest.mark.parametrize(
    ("rows", "arrows", "message"),
    [
        ("a | b", "a > c", "no box is called c"),
        ("a | a", None, "the same name"),
        ("a\nb\nc", "a > b > c, a > c", "from a to c passes over b"),
    ],
)
def test_a_diagram_that_cannot_be_is_refused(rows: str, arrows: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.diagram(rows, arrows)


def test_words_stay_in_their_boxes_and_boxes_in_the_figure() -> None:
    figure = plots.diagram("a long name | b\nc: 3 lines: of text | d | e")
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    outlines = [t.get_bbox_patch().get_window_extent() for t in figure.axes[0].texts
                if t.get_bbox_patch()]  # fmt: skip
    for i, one in enumerate(outlines):
        assert one.x0 >= 0 and one.y0 >= 0 and one.x1 <= width and one.y1 <= height
        assert not any(one.overlaps(other) for other in outlines[:i])


class Two(nn.Module):
    """A list of parts, one that is used twice, and one that gives a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.ModuleList([nn.Sequential(nn.Conv2d(3, 4, 1)), nn.Conv2d(4, 5, 1)])
        self.pool = nn.MaxPool2d(2)
        self.recurrent = nn.GRU(6, 7, batch_first=True)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Calls every part."""
        for step in self.steps:
            image = self.pool(step(image))
        return self.recurrent(image[:, 0])[0]


def test_shapes_are_told_as_data_flow() -> None:
    network = Two()
    shapes = plots.shapes(network, (3, 16, 24))
    assert [(part.name, part.shape) for part in shapes] == [
        ("input", (3, 16, 24)), ("steps.0", (4, 16, 24)), ("pool", (4, 8, 12)),
        ("steps.1", (5, 8, 12)), ("pool", (5, 4, 6)), ("recurrent", (4, 7)),
    ]  # fmt: skip
    assert [p.name for p in plots.shapes(network, (3, 16, 24), depth=2)][1:3] == [
        "steps.0.0", "steps.0",
    ]  # fmt: skip
    assert repr(shapes).splitlines()[1] == "steps.0    Sequential  4 × 16 × 24"
    assert network.training and network.pool._forward_hooks == {}
    texts = plots.diagram("(input)\nsteps.1: last", shapes=shapes).axes[0].texts
    assert [t.get_text() for t in texts if t.get_bbox_patch()] == [
        "input\n3 × 16 × 24", "steps.1\nConv2d\n5 × 8 × 12\nlast",
    ]  # fmt: skip
    assert repr(plots.shapes(nn.Identity(), (8, 4, 4))) == "input    8 × 4²"


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


def test_all_draw_and_none_needs_pyplot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # whoever imports it fails
    image = np.zeros((8, 8, 3), np.uint8)
    rows = [{"image": image, "truth": image[..., 0]}] * 3
    for make in (
        lambda: plots.panels(rows, across=2),
        lambda: plots.legend(),
        lambda: plots.diagram("in: 3 × 64²\nout"),
        lambda: plots.edges(image[..., 0], image[..., 0], np.zeros((19, 8, 8), np.uint8)),
        lambda: plots.long_tail([1, *[0] * 18]),
        lambda: plots.convergence([entry(0, "improved")]),
        lambda: plots.schedule([phased(0, "cycle 1 of 1", "improved")]),
    ):
        assert draw(make()) == draw(make())


def test_a_notebook_shows_pictures_sharp_and_without_a_ground() -> None:
    figure = plots.convergence([entry(0, "improved"), entry(1, "wait")])
    png, shown = plots.as_png(figure)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.size == (2 * shown["width"], 2 * shown["height"]) == (1500, 680)
        pixels = np.asarray(picture.convert("RGBA"))
    assert pixels[0, 0, 3] == 0
    solid = {tuple(colour) for colour in pixels[pixels[..., 3] == 255]}
    assert (0, 0, 0, 255) not in solid and (*tuple(bytes.fromhex(plots.INK[1:])), 255) in solid
    assert draw(figure) == draw(plots.convergence([entry(0, "improved"), entry(1, "wait")]))


def test_words_on_colours_stay_black() -> None:
    boxed = plots.diagram("in: 3 × 64²")
    figure = Figure()
    bars, image, plain = figure.subplots(3)
    bars.barh(0, 2)
    image.imshow(np.ones((2, 2)))
    for axes in (bars, image, plain):
        axes.text(1, 0, "word")
        axes.set_title("title")
    inked = [artist for artist, name in picture._blacks(figure) if name == "color"]
    assert all(artist is not boxed.axes[0].texts[0] for artist, _ in picture._blacks(boxed))
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
