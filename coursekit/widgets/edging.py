"""Edges by their width: where the loss lies, and what a class is without the pixels of its edge."""

from __future__ import annotations

import html as markup
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.labels import CELEBAMASK_HQ, IGNORE_INDEX, LabelSet, colourise, shown
from coursekit.widgets.box import beside, can_move, html, moving, spoken
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.heat import heated
from coursekit.widgets.picker import picker, show
from coursekit.widgets.svg import Chart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from torch import Tensor

#: What is drawn of a face.
LAYERS = ("loss map", "edges", "without edges", "label map")
#: Of edges: steps to a side.
WIDTHS = range(1, 11)
_EDGE, _UNKNOWN = 255, 160
#: Widths, λ3 and λ4 in the still picture.
_STILL = ((1, 0.0, 0.0), (1, 4.0, 1.0), (4, 4.0, 1.0))


def edges_of(
    label_map: NDArray[np.uint8], width: int, labels: LabelSet = CELEBAMASK_HQ
) -> NDArray[np.bool_]:
    """(C, H, W): whether a pixel is on the edge of a class; see `losses.category_edges`.

    Args:
        label_map: (H, W) class ids, or 255.
        width: at least 1.
        labels: the classes.
    """
    import torch

    from coursekit.losses import category_edges

    target = torch.from_numpy(label_map.astype(np.int64))[None]
    edges = category_edges(target, labels.num_classes, width=width)[0]
    on: NDArray[np.bool_] = edges.numpy() == 1
    return on


def left(label_map: NDArray[np.uint8], edges: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(C,) IoU of each class of which all is found but its edge; NaN for a class that is not there.

    Args:
        label_map: (H, W) class ids, or 255.
        edges: (C, H, W) from `edges_of`.
    """
    own = label_map == np.arange(len(edges))[:, None, None]
    size = own.sum((1, 2))
    with np.errstate(invalid="ignore"):
        share: NDArray[np.float64] = (own & ~edges).sum((1, 2)) / np.where(size, size, np.nan)
    return share


def painted(
    label_map: NDArray[np.uint8],
    edges: NDArray[np.bool_],
    layer: str,
    labels: LabelSet = CELEBAMASK_HQ,
) -> NDArray[np.uint8]:
    """One of `LAYERS` but the loss map, (H, W, 3).

    Args:
        label_map: (H, W) class ids, or 255.
        edges: (C, H, W) from `edges_of`.
        layer: "edges" have the colour of the class that a pixel is of, on white; "without edges"
            is the reverse.
        labels: whose palette is used.
    """
    drawn = colourise(label_map, shown(labels))
    if layer != "label map":
        near = edges.any(0)
        drawn[near if layer == "without edges" else ~near] = _EDGE
    drawn[label_map == IGNORE_INDEX] = _UNKNOWN
    return drawn


def in_numbers(
    label_map: NDArray[np.uint8],
    edges: NDArray[np.bool_],
    cost: NDArray[np.floating],
    about: int,
    labels: LabelSet = CELEBAMASK_HQ,
) -> str:
    """How much of the loss lies on edges and in a class, and what the class is without its edge.

    Args:
        label_map: (H, W) class ids, or 255.
        edges: (C, H, W) from `edges_of`.
        cost: (H, W), what each pixel adds to the loss.
        about: the id of the class.
        labels: the classes.
    """
    near, own, name = edges.any(0), label_map == about, markup.escape(labels.titles[about])
    shares = cost / max(float(cost.sum()), 1e-30)
    line = (
        f"edges: <b>{near.mean():.0%}</b> of the pixels, <b>{shares[near].sum():.0%}</b> of the "
        "loss<br>"
    )
    if not own.any():
        return f"{line}no {name} in this face"
    return (
        f"{line}{name}: {own.mean():.1%} of the pixels, <b>{shares[own].sum():.1%}</b> of the loss"
        f"<br>all of it but its edge: IoU <b>{left(label_map, edges)[about]:.0%}</b>"
    )


def drawn(
    label_map: NDArray[np.uint8],
    edges: NDArray[np.bool_],
    about: int,
    labels: LabelSet = CELEBAMASK_HQ,
) -> str:
    """IoU of each class without its edge, a bar for each, the largest class first, as HTML."""
    sizes = np.bincount(label_map.ravel(), minlength=256)[: len(edges)]
    order = [int(i) for i in np.argsort(-sizes, kind="stable") if sizes[i]]
    iou = 100 * left(label_map, edges)
    chart = Chart((-0.7, len(order) - 0.3), (0, 110), height=190, below=82,
                  title="IoU without its edge, %")  # fmt: skip
    chart.heights((0, 50, 100))
    for place, i in enumerate(order):
        r, g, b = shown(labels).palette[i]
        chart.bar(place, iou[i], 0.8, f"rgb({r},{g},{b})", f"{labels.titles[i]}: {iou[i]:.0f} %")
    chart.places([(place, labels.titles[i]) for place, i in enumerate(order)], upright=True,
                 bold=labels.titles[about])  # fmt: skip
    said = ", ".join(f"{labels.titles[i]} {iou[i]:.0f} %" for i in order)
    return chart.as_html(f"IoU of each class without its edge: {said}")


def edge_explorer(
    images: Sequence[NDArray[np.uint8]],
    truths: Sequence[NDArray[np.uint8]],
    cost_map: Callable[[Tensor, int, float, float], Tensor],
    labels: LabelSet = CELEBAMASK_HQ,
) -> Any:
    """The width of edges against where the loss lies, and what thin classes are without them.

    Args:
        images: (H, W, 3), one or more, all of one size.
        truths: (H, W) class ids, or 255, as many.
        cost_map: of a (1, H, W) target, a width, λ3 and λ4: what each pixel adds to the loss,
            (H, W).
        labels: names and colours of the classes.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """
    import torch

    def costs(face: int, width: int, λ3: float, λ4: float) -> NDArray[np.float32]:
        target = torch.from_numpy(truths[face].astype(np.int64))[None]
        found: NDArray[np.float32] = cost_map(target, width, λ3, λ4).detach().cpu().numpy()
        return found

    def still() -> Figure:
        return _still(images[0], truths[0], costs, labels)

    if not can_move():
        return still()
    controls = _controls(len(images), _thin(truths[0], labels), labels)
    middle = len(images[0]) // 2
    picture, note = picker("The face: point at a pixel", middle, middle), html("note")
    bars = html("picture", "30rem")

    def update(face: int, layer: str, about: str, width: int, λ3: float, λ4: float) -> None:
        truth, one = truths[face - 1], labels.titles.index(about)
        edges, cost = edges_of(truth, width, labels), costs(face - 1, width, λ3, λ4)
        seen = painted(truth, edges, layer, labels)
        if layer == LAYERS[0]:
            seen = heated(images[face - 1], cost, 1.0, root=True)
        alt = f"Face {face}: {layer} for width {width}"
        show(picture, seen, alt, maps={"label": truth}, names=labels.titles)
        bars.value = drawn(truth, edges, one, labels)
        note.value = spoken(in_numbers(truth, edges, cost, one, labels))

    return moving(update, controls, [beside(picture, [*controls.values(), note, bars])], still)


def _controls(faces: int, about: int, labels: LabelSet) -> dict[str, Any]:
    """Those of `edge_explorer`, by the names that its `update` knows them by."""
    return {
        "face": slider(1, 1, faces, 1, "face"),
        "layer": choice(LAYERS, "shown"),
        "about": choice(labels.titles, "class", labels.titles[about]),
        "width": slider(WIDTHS[0], WIDTHS[0], WIDTHS[-1], 1, "width"),
        "λ3": slider(4.0, 0.0, 8.0, 0.5, "λ3"),
        "λ4": slider(1.0, 0.0, 8.0, 0.5, "λ4"),
    }


def _thin(label_map: NDArray[np.uint8], labels: LabelSet) -> int:
    """The class of which an edge takes most."""
    return int(np.nanargmin(left(label_map, edges_of(label_map, WIDTHS[0], labels))))


def _still(
    image: NDArray[np.uint8],
    truth: NDArray[np.uint8],
    costs: Callable[[int, int, float, float], NDArray[np.float32]],
    labels: LabelSet,
) -> Figure:
    """Loss maps of some settings, and the IoU of some classes at each width."""
    from coursekit.plots import GREY, Picture
    from coursekit.plots.picture import quiet

    figure = Picture(figsize=(7.5, 4.6), layout="constrained")
    above, below = figure.subplots(2, height_ratios=(1, 1))
    maps = [heated(image, costs(0, *setting), 1.0, root=True) for setting in _STILL]
    above.imshow(np.hstack([colourise(truth, shown(labels)), *maps]), interpolation="nearest")
    titles = ["label map", *(f"width {w}, λ = {λ3:g}, {λ4:g}" for w, λ3, λ4 in _STILL)]
    middles = (np.arange(len(titles)) + 0.5) * image.shape[1]
    above.set_xticks(middles, titles, fontsize=9)
    above.set_yticks([])
    above.tick_params(length=0)
    above.spines[:].set_visible(False)
    quiet(below)
    curves = np.array([left(truth, edges_of(truth, width, labels)) for width in WIDTHS])
    there = [int(i) for i in np.argsort(-curves[0], kind="stable") if not np.isnan(curves[0, i])]
    for i in there:
        style = {"ms": 4, "mec": GREY, "color": np.array(shown(labels).palette[i]) / 255}
        below.plot(WIDTHS, 100 * curves[:, i], "o-", label=labels.titles[i], **style)
    below.set(xlabel="width of the edge", ylabel="IoU without its edge, %")
    below.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    said = ", ".join(f"{labels.titles[i]} {curves[0, i]:.0%} to {curves[-1, i]:.0%}" for i in there)
    figure.alt = (
        f"A label map; where the loss lies for {len(_STILL)} settings; IoU of each class without "
        f"its edge, from width {WIDTHS[0]} to {WIDTHS[-1]}: {said}"
    )
    return figure
