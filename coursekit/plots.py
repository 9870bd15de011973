"""Pictures of data, training and predictions, as matplotlib figures.

Label maps and classes have the palette that `coursekit.labels.shown` gives. Every function makes a
`Figure` of its own and touches no global state, so a notebook, a report and a test can draw at the
same time. In a notebook's kernel pyplot is asked to show its figures as these are shown.
"""

from __future__ import annotations

import io
import struct
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import is_color_like, same_color
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from coursekit.labels import CELEBAMASK_HQ, IGNORE_INDEX, LabelSet, colourise, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

#: Dark enough to read on white, and apart for colour-blind readers.
BLUE, RED, GREY = "#2b6cb0", "#c53030", "#718096"


#: What is black on paper is this in a notebook: 4.3:1 on white and on JupyterLab's dark #111.
INK = "#797979"


class Picture(Figure):
    """A figure that a notebook shows as it is, without pyplot or `%matplotlib inline`."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        return as_png(self)


def as_png(figure: Figure) -> tuple[bytes, dict[str, int]]:
    """A figure for a notebook of any theme, on any screen.

    It has no ground, `INK` in place of black, and twice the pixels that it takes up.

    Returns:
        The PNG, and how large it is shown: width and height in pixels of the page.
    """
    written, blacks = io.BytesIO(), _blacks(figure)
    for artist, name in blacks:
        artist.set(**{name: INK})
    try:
        box = None if isinstance(figure, Picture) else "tight"  # pyplot's figures as pyplot's
        figure.savefig(written, format="png", dpi=2 * figure.dpi, transparent=True, bbox_inches=box)
    finally:
        for artist, name in blacks:
            artist.set(**{name: "black"})
    width, height = struct.unpack(">II", written.getvalue()[16:24])
    return written.getvalue(), {"width": round(width / 2), "height": round(height / 2)}


def _blacks(figure: Figure) -> list[tuple[Artist, str]]:
    """The words and lines of a figure that are black, as they are by default."""
    found = []
    for artist in figure.findobj(lambda a: not (isinstance(a, Text) and _on_colour(a))):
        for name in ("color", "edgecolor", "markeredgecolor"):
            colour = getattr(artist, f"get_{name}", lambda: None)()
            if is_color_like(colour) and same_color(colour, "black"):
                found.append((artist, name))
    return found


def _on_colour(text: Text) -> bool:
    """Whether words stand in a box, on a bar or on an image, and not on the open ground."""
    axes = text.axes
    if text.get_bbox_patch() or axes is None or text not in axes.texts:
        return bool(text.get_bbox_patch())
    x, y = text.get_transform().transform(text.get_position())
    return bool(axes.images) or any(patch.contains_point((x, y)) for patch in axes.patches)


def _shell() -> Any:
    """The notebook's shell, or None outside of one."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def show_as_picture(_figure: Figure) -> None:
    """A hook of pyplot's: a notebook shows its figures by `as_png`, too."""
    _shell().display_formatter.formatters["image/png"].for_type(Figure, as_png)


if _shell():
    mpl.rcParams["figure.hooks"] = [f"{__name__}:{show_as_picture.__name__}"]
    mpl.rcParams["legend.facecolor"] = "none"


def _bar_colours(labels: LabelSet) -> list[tuple[float, float, float]]:
    return [(r / 255, g / 255, b / 255) for r, g, b in shown(labels).palette]


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)


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
    _quiet(axes)
    return figure


def convergence(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Losses over epochs, with a red line at each switch of the optimiser (Fig. 4).

    Args:
        history: entries of `coursekit.training.fit`; each red line is labelled with the learning
            rate that starts there.
    """
    history = _from_one(history)
    figure = Picture(figsize=(7.5, 3.4), layout="constrained")
    axes = figure.subplots()
    _losses(axes, history, history)
    kept = [entry for entry in history if entry["event"] == "improved"] or history
    axes.plot(kept[-1]["epoch"], kept[-1]["val_loss"], "o", color=BLUE, label="kept")
    for entry, following in pairwise(history):
        if entry["event"] in ("switch", "halve"):
            axes.axvline(entry["epoch"] + 0.5, color=RED, linewidth=1)
            name = "SGD " if entry["event"] == "switch" else ""
            axes.text(
                entry["epoch"] + 0.6, 0.98, f"{name}{following['rate']:g}", color=RED,
                transform=axes.get_xaxis_transform(), va="top", rotation=90, fontsize=8,
            )  # fmt: skip
    if history and history[-1]["event"] == "stop":
        axes.axvline(history[-1]["epoch"] + 0.5, color=RED, linewidth=1, linestyle=":")
    axes.set_xlabel("epoch")
    axes.set_ylabel("weighted cross-entropy")
    axes.legend(frameon=False, loc="upper center")
    return figure


def schedule(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Losses and learning rate over epochs, each cycle of self-regulation shaded.

    At a cycle's end the validation loss is that of the average, which is in use from then on and
    marked; so is the best of the initialisation. The cycles' training loss is left out: it is
    another, against the teacher.

    Args:
        history: entries of `coursekit.training.fit` under `SelfRegulationConfig`, at least one.
    """
    history = _from_one(history)
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for entry in history:
        parts.setdefault(entry["phase"], []).append(entry)
    initial = parts.pop("initialisation", [])
    figure = Picture(figsize=(7.5, 4.2), layout="constrained")
    rows = [["losses", "cycles"], ["rate", "cycles"]] if parts else [["losses"], ["rate"]]
    ratios = (5, 3)[: len(rows[0])]
    panels: dict[str, Axes] = figure.subplot_mosaic(
        rows, height_ratios=(2, 1), width_ratios=ratios
    )  # fmt: skip
    panels["rate"].sharex(panels["losses"])
    for axes in panels.values():
        _shade(axes, parts)
        axes.set_xlabel("epoch")
        axes.set_xlim(history[0]["epoch"] - 0.5, history[-1]["epoch"] + 0.5)
    _losses(panels["losses"], history, initial)
    _mark_models(panels["losses"], initial, parts)
    panels["losses"].set_ylabel("loss")
    panels["losses"].set_xlabel("")
    panels["losses"].legend(frameon=False, fontsize=8)
    rate = panels["rate"]
    rate.plot(_all(history, "epoch"), _all(history, "rate"), color=GREY, drawstyle="steps-mid")
    rate.set_yscale("log")
    rate.set_ylabel("learning rate")
    _quiet(rate)
    if parts:
        cycles = [entry for entries in parts.values() for entry in entries]
        _losses(panels["cycles"], cycles, [])
        _mark_models(panels["cycles"], [], parts)
        panels["cycles"].set_xlim(cycles[0]["epoch"] - 0.5, cycles[-1]["epoch"] + 0.5)
        panels["cycles"].set_title("the cycles' validation loss", fontsize=9)
    return figure


def _from_one(history: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A history whose epochs are counted as people count."""
    return [{**entry, "epoch": entry["epoch"] + 1} for entry in history]


def _all(history: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [entry[key] for entry in history]


def _shade(axes: Axes, cycles: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Every cycle in one of two shades."""
    for number, entries in enumerate(cycles.values()):
        first, last = entries[0]["epoch"] - 0.5, entries[-1]["epoch"] + 0.5
        axes.axvspan(first, last, color=BLUE, alpha=(0.06, 0.14)[number % 2], linewidth=0)


def _mark_models(
    axes: Axes,
    initial: Sequence[Mapping[str, Any]],
    cycles: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    """The best of the initialisation, and what the cycles left."""
    best = min(initial, key=lambda e: e["val_loss"]) if initial else None
    kept = [e for entries in cycles.values() for e in entries if e["event"] == "improved"]
    for label, colour, entries in (
        ("best of the initialisation", BLUE, [best] if best else []),
        ("in use from then on", RED, kept),
    ):
        if entries:
            x, y = _all(entries, "epoch"), _all(entries, "val_loss")
            axes.plot(x, y, "o", color=colour, label=label)


def _losses(
    axes: Axes, history: Sequence[Mapping[str, Any]], training: Sequence[Mapping[str, Any]]
) -> None:
    """The validation loss of some epochs and the training loss of some."""
    if training:
        axes.plot(
            _all(training, "epoch"), _all(training, "train_loss"), color=GREY, label="training"
        )
    axes.plot(_all(history, "epoch"), _all(history, "val_loss"), color=BLUE, label="validation")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _quiet(axes)


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
    _quiet(axes)
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
    return figure


def diagram(
    boxes: Mapping[str, tuple[float, float, str]],
    arrows: Sequence[tuple[str, str]] | str,
    *,
    red: Collection[str] = (),
    figsize: tuple[float, float] = (9.0, 4.0),
) -> Figure:
    """Boxes of a network, and arrows for what flows from one to another.

    Args:
        boxes: by name: column, row (upwards) and a second line of text, such as a shape. Each
            column and each row is one box apart.
        arrows: pairs of names, from and to; or chains in words, such as "C5 > X > up, C5 > up".
        red: names of boxes to set apart from the others, which are blue.
        figsize: in inches.

    Raises:
        KeyError: for an arrow that begins or ends at no box, and a red box that there is not.
    """
    if isinstance(arrows, str):
        chains = [[name.strip() for name in chain.split(">")] for chain in arrows.split(",")]
        arrows = [pair for chain in chains for pair in pairwise(chain)]
    figure = Picture(figsize=figsize, layout="constrained")
    axes = figure.subplots()
    axes.set_axis_off()
    drawn = {
        name: axes.text(
            x, y, f"{name}\n{text}".strip(), ha="center", va="center", fontsize=7.5,
            linespacing=1.4,
            bbox={"boxstyle": "round,pad=0.35", "facecolor": "#ebf4ff", "edgecolor": BLUE},
        )
        for name, (x, y, text) in boxes.items()
    }  # fmt: skip
    for name in red:
        drawn[name].set_bbox(
            {"boxstyle": "round,pad=0.35", "facecolor": "#fff5f5", "edgecolor": RED}
        )
    for start, end in arrows:
        axes.annotate(
            "", boxes[end][:2], boxes[start][:2], zorder=1,
            arrowprops={"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0,
                        "patchA": drawn[start].get_bbox_patch(),
                        "patchB": drawn[end].get_bbox_patch()},
        )  # fmt: skip
    columns, rows = [x for x, _, _ in boxes.values()], [y for _, y, _ in boxes.values()]
    axes.set_xlim(min(columns) - 0.5, max(columns) + 0.5)
    axes.set_ylim(min(rows) - 0.5, max(rows) + 0.5)
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
    """The colours of CelebAMask-HQ's classes."""
    figure = Picture(figsize=(7.5, 1.0), layout="constrained")
    figure.subplots().set_axis_off()
    name_colours(figure, CELEBAMASK_HQ)
    return figure


def name_colours(figure: Figure, labels: LabelSet) -> None:
    """Name the colours of label maps below all that a figure with a constrained layout shows."""
    patches = [
        Patch(facecolor=colour, edgecolor=GREY, linewidth=0.5, label=title)
        for title, colour in zip(labels.titles, _bar_colours(labels), strict=True)
    ]
    columns = max(1, min(7, int(figure.get_figwidth())))
    figure.legend(
        handles=patches, loc="outside lower center", ncols=columns, frameon=False, fontsize=8,
        handlelength=1.0, handletextpad=0.5, columnspacing=1.0,
    )  # fmt: skip
