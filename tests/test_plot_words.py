"""What figures say in words, and that a notebook is given the words with the picture."""

from __future__ import annotations

import base64
import io
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure
from PIL import Image

from coursekit import plots
from coursekit.plots import in_words, picture


def test_lines_say_where_they_lead() -> None:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.plot([1, 2, 3, 4], [4, 1, np.nan, 2.0], color="C0", label="yours")
    left.plot([3], [7.123], "o", color="C1", label="kept")
    left.axvline(2)
    left.set(title="losses", xlabel="epoch", ylabel="loss")
    left.text(2.5, 3, "SGD")
    left.text(0.5, 0.5, "0.25", transform=left.transAxes)
    right.plot(["skin", "hair"], [10, 20], color="C0")
    assert in_words(figure) == (
        "Chart of losses, loss by epoch: yours: from 4 at 1 to 2 at 4, lowest 1 at 2; "
        "kept: 7.12 at 3; noted: SGD at 2.5. Chart: yours: from 10 at skin to 20 at hair"
    )


@pytest.mark.parametrize("flat", [False, True])
def test_bars_say_their_values(flat: bool) -> None:
    figure = Figure()
    axes = figure.subplots()
    draw = axes.barh if flat else axes.bar
    for i, value in enumerate((12.345, 50)):  # one by one, as bars of many colours are
        draw(i, value)
    (axes.set_yticks if flat else axes.set_xticks)([0, 1], ["skin", "hair"])
    assert in_words(figure) == "Bars: skin 12.3, hair 50"
    many = Figure()
    many.subplots().bar(range(30), range(30))
    assert in_words(many) == "Bars: from 0 at 0 to 29 at 29"


def test_points_outlines_and_contours() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.scatter([0, 1, 4], [2, 3, 9], label="networks")
    axes.hist([1, 1, 2], bins=2, histtype="stepfilled", label="draws")
    axes.contour(np.eye(3), levels=[0.25, 0.5])
    axes.set_xscale("symlog")
    assert in_words(figure) == (
        "Chart: draws: from 1 to 2, highest at 1; networks: 3 points, 0 to 4 by 2 to 9; "
        "contours from 0.25 to 0.5"
    )
    apart = Figure()
    axes = apart.subplots()
    axes.plot([3, 5], [1, 1], "C0-")
    axes.plot([0, 9], [0, 2], "C0--", label="level")
    axes.set_yticks([0, 1], ["ours", "theirs"])
    assert (
        in_words(apart) == "Chart: from theirs at 3 to theirs at 5; level: from ours at 0 to 2 at 9"
    )
    log = Figure()
    log.subplots().loglog([1, 10], [1, 2048])
    assert in_words(log) == "Chart: from 1 at 1 to 2,048 at 10"


def test_pictures_say_their_titles() -> None:
    figure = Figure()
    first, second, chart = figure.subplots(1, 3)
    drawn = first.imshow(np.eye(2))
    second.imshow(np.eye(2))
    second.set(title="asked", yticks=[0, 1], yticklabels=["Dice", "focal"])
    chart.plot([1, 2])
    figure.colorbar(drawn)
    assert in_words(figure).startswith("2 pictures, titled: asked, rows Dice, focal. Chart: from 1")
    face = np.zeros((4, 4, 3), np.uint8)
    rows = [{"image": face, " ": face}, {"image": face, " ": face}]
    assert in_words(plots.panels(rows)) == "Pictures side by side, for each of 2 faces: image"
    assert repr(plots.panels([{"a": face}, {"b": face}])) == "Pictures side by side: a; b"
    assert in_words(plots.legend()).startswith("Colours: background, skin, nose")
    long = Figure(figsize=(4, 4))
    for i in range(40):  # of 65 letters each
        long.subplots().plot([1, 2], label=f"line {i} of very many that there are")
    assert len(in_words(long)) <= 1510 and in_words(long).endswith("; …")


def test_a_figure_of_pyplots_is_described_and_closed() -> None:
    figure, axes = plt.subplots()
    axes.plot([1, 3])
    shown = plots.described(figure, "It rises.")
    assert shown is figure and not plt.get_fignums()
    assert in_words(figure) == "It rises. Chart: from 1 at 0 to 3 at 1"


def test_a_notebook_is_given_the_words(monkeypatch: pytest.MonkeyPatch) -> None:
    display = DisplayFormatter()
    monkeypatch.setattr(picture, "_shell", lambda: SimpleNamespace(display_formatter=display))
    display.formatters["image/png"].for_type(Figure, lambda _: b"pyplot's own")
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2], label="_")
    figure.suptitle('"a" < b')
    picture.show_as_picture(figure)
    data, shown = display.format(figure)
    words = '"a" < b. Chart: from 1 at 0 to 2 at 1'
    assert data["text/plain"] == words == shown["image/png"]["alt"]
    assert 'alt="&quot;a&quot; &lt; b. Chart' in data["text/html"]
    assert data["image/png"] in data["text/html"]
    with Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) as png:
        assert png.size[0] in (2 * shown["image/png"]["width"] + odd for odd in (-1, 0, 1))
    data, shown = DisplayFormatter().format(plots.legend())  # without pyplot
    assert set(data) == {"text/plain", "text/html", "image/png"}
