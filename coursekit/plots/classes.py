"""Label maps, classes and their scores, in the palette that `coursekit.labels.shown` gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Patch

from coursekit.labels import CELEBAMASK_HQ, IGNORE_INDEX, LabelSet, colourise, shown
from coursekit.plots.picture import GREY, Picture, quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def _bar_colours(labels: LabelSet) -> list[tuple[float, float, float]]:
    return [(r / 255, g / 255, b / 255) for r, g, b in shown(labels).palette]


def long_tail(
    counts: Sequence[int] | NDArray[np.integer], labels: LabelSet = CELEBAMASK_HQ
) -> Figure:
    """Share of the pixels of each class, largest first, on a logarithmic scale (Fig. 3).

    Args:
        counts: (num_classes,) pixels, from `coursekit.data.class_counts`.
        labels: names and colours.
    """
    share = np.asarray(counts, dtype=np.float64)
    share = share / max(share.sum(), 1)
    order = np.argsort(-share, kind="stable")
    figure = Picture(figsize=(7.5, 3.2), layout="constrained")
    axes = figure.subplots()
    colours = _bar_colours(labels)
    axes.bar(
        range(len(order)), 100 * share[order], color=[colours[i] for i in order],
        edgecolor=GREY, linewidth=0.5,
    )  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylabel("share of the pixels, %")
    axes.set_xticks(range(len(order)), [labels.titles[i] for i in order], rotation=50, ha="right")
    quiet(axes)
    return figure


def class_scores(scores: Mapping[str, float | None], labels: LabelSet = CELEBAMASK_HQ) -> Figure:
    """A bar for each class: its IoU.

    Args:
        scores: by class name, in [0, 1]; None for a class that does not occur.
        labels: names and colours.
    """
    figure = Picture(figsize=(7.5, 3.2), layout="constrained")
    axes = figure.subplots()
    colours = _bar_colours(labels)
    for i, name in enumerate(labels.names):
        value = scores.get(name)
        if value is None:
            axes.text(i, 1, "absent", rotation=90, ha="center", va="bottom", color=GREY, fontsize=7)
            continue
        axes.bar(i, 100 * value, color=colours[i], edgecolor=GREY, linewidth=0.5)
        axes.text(i, 100 * value + 1, f"{100 * value:.0f}", ha="center", va="bottom", fontsize=7)
    axes.set_xticks(range(labels.num_classes), labels.titles, rotation=50, ha="right")
    axes.set_ylim(0, 105)
    axes.set_ylabel("IoU, %")
    quiet(axes)
    return figure


def panels(
    rows: Sequence[Mapping[str, NDArray[np.uint8]]],
    labels: LabelSet = CELEBAMASK_HQ,
    *,
    across: int = 1,
) -> Figure:
    """Images and label maps side by side, a row for each face.

    Args:
        rows: each maps a title to an (H, W, 3) image or an (H, W) label map. The titles of the
            first row head the columns; a later one is shown where it is another.
        labels: whose palette colours the label maps.
        across: how many faces stand beside each other.
    """
    titles = list(rows[0])
    down = -(-len(rows) // across)
    size = (1.55 * len(titles) * across, 1.55 * down + 0.25)
    figure = Picture(figsize=size, layout="constrained")
    grid = figure.subplots(down, len(titles) * across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for i, row in enumerate(rows):
        for j, (title, picture) in enumerate(row.items()):
            axes = grid[i // across, (i % across) * len(titles) + j]
            picture = picture if picture.ndim == 3 else colourise(picture, shown(labels))
            axes.imshow(picture, interpolation="nearest")
            if i < across or title != titles[j]:
                axes.set_title(title, fontsize=9, parse_math=False)
    each = list(dict.fromkeys(", ".join(filter(str.strip, row)) for row in rows))
    faces = f", for each of {len(rows)} faces" if len(each) == 1 < len(rows) else ""
    figure.alt = f"Pictures side by side{faces}: {'; '.join(each)}"
    return figure


def edges(
    label_map: NDArray[np.uint8],
    binary: NDArray[np.uint8],
    category: NDArray[np.uint8],
    labels: LabelSet = CELEBAMASK_HQ,
) -> Figure:
    """A label map and the two kinds of edges that are made of it (DML-CSR, Fig. 4).

    An edge pixel of several classes has the colour of its own class if it is on the edge of that,
    else of the last of the others. What is ignored is grey.

    Args:
        label_map: (H, W) class ids, or 255.
        binary: (H, W), 1 on an edge, from `coursekit.losses.binary_edges`, or your own.
        category: (num_classes, H, W), 1 on an edge of the class, from `category_edges`.
        labels: whose palette colours classes and their edges.
    """
    labels = shown(labels)
    label_map, binary, category = np.asarray(label_map), np.asarray(binary), np.asarray(category)
    lines = np.where(binary[..., None] == 1, 0, np.full((*binary.shape, 3), 255)).astype(np.uint8)
    coloured = np.full((*label_map.shape, 3), 255, np.uint8)
    for own in (False, True):  # a class's own side is drawn last, over that of others
        for c, (edge, colour) in enumerate(zip(category == 1, labels.palette, strict=True)):
            coloured[edge & ((label_map == c) | (not own))] = colour
    for picture in (lines, coloured):
        picture[label_map == IGNORE_INDEX] = 160
    titles = ("label map", "binary edges", "category edges")
    figure = Picture(figsize=(7.5, 2.75), layout="constrained")
    grid = figure.subplots(1, 3)
    pictures = (colourise(label_map, labels), lines, coloured)
    for axes, title, picture in zip(grid, titles, pictures, strict=True):
        axes.imshow(picture, interpolation="nearest")
        axes.set_title(title, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    return figure


def legend() -> Figure:
    """The colours of CelebAMask-HQ's classes, as wide as a telephone."""
    figure = Picture(figsize=(4.0, 0.95), layout="constrained")
    figure.subplots().set_axis_off()
    name_colours(figure, CELEBAMASK_HQ, loc="center")
    return figure


def name_colours(figure: Figure, labels: LabelSet, loc: str = "outside lower center") -> None:
    """Name the colours of label maps below all that a figure shows.

    Args:
        figure: with a constrained layout, which makes room, or with room where `loc` is.
        labels: whose classes it shows.
        loc: where, as `Figure.legend` takes it.
    """
    patches = [
        Patch(facecolor=colour, edgecolor=GREY, linewidth=0.5, label=title)
        for title, colour in zip(labels.titles, _bar_colours(labels), strict=True)
    ]
    columns = max(1, min(7, int(figure.get_figwidth())))
    figure.legend(
        handles=patches, loc=loc, ncols=columns, frameon=False, fontsize=8,
        handlelength=1.0, handletextpad=0.5, columnspacing=1.0,
    )  # fmt: skip
