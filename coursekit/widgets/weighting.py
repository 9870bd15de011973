"""Class weights of 1 / f to a power: what each class weighs, and how hard it pulls."""

from __future__ import annotations

import html as markup
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.labels import CELEBAMASK_HQ, LabelSet, shown
from coursekit.widgets.box import beside, can_move, html, moving, spoken
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.svg import Chart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: The exponents of the still picture.
_STILL = (0.0, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Weighting:
    """What weights do at the start of training, when all pixels pull alike.

    Attributes:
        weights: (C,), their sum 1; 0 for a class without pixels.
        shares: (C,) of the pull, their sum 1.
        worth: pixels of equal weight that would be as noisy, as a share of all (Kish).
        ratio: the largest weight by the smallest that is not 0.
    """

    weights: NDArray[np.float64]
    shares: NDArray[np.float64]
    worth: float
    ratio: float


def weighting(
    counts: Sequence[int] | NDArray[np.integer], weights: NDArray[np.floating]
) -> Weighting:
    """What weights do to classes of so many pixels.

    Args:
        counts: (C,) pixels of each class.
        weights: (C,), not negative; a class without pixels needs 0.
    """
    pixels, w = np.asarray(counts, np.float64), np.asarray(weights, np.float64)
    w = np.where(pixels > 0, w, 0) / w[pixels > 0].sum()
    pull = w * pixels
    worth = pull.sum() ** 2 / (w**2 * pixels).sum() / pixels.sum()
    return Weighting(w, pull / pull.sum(), float(worth), float(w.max() / w[w > 0].min()))


def to_the_power(
    counts: Sequence[int] | NDArray[np.integer], exponent: float
) -> NDArray[np.float64]:
    """Weights in proportion to f to the power of −exponent: (C,), 0 without pixels.

    0 gives equal weights, 1 gives 1 / f.

    Args:
        counts: (C,) pixels of each class.
        exponent: at least 0.
    """
    pixels = np.asarray(counts, np.float64)
    weights = np.zeros_like(pixels)
    weights[pixels > 0] = (pixels[pixels > 0] / pixels.sum()) ** -exponent
    return weights


def in_numbers(found: Weighting, about: int, labels: LabelSet = CELEBAMASK_HQ) -> str:
    """The figures of a weighting and of one class in it, as a line of HTML."""
    return (
        f"largest weight / smallest: <b>{found.ratio:,.1f}</b><br>"
        f"the pull of {markup.escape(labels.titles[about])}: <b>{found.shares[about]:.3%}</b><br>"
        f"100 pixels are worth <b>{100 * found.worth:.1f}</b> of equal weight"
    )


def drawn(
    found: Weighting,
    counts: Sequence[int] | NDArray[np.integer],
    about: int,
    reference: NDArray[np.floating] | None = None,
    labels: LabelSet = CELEBAMASK_HQ,
) -> str:
    """The shares of the pull, a bar for each class, as HTML.

    Args:
        found: of the weights.
        counts: (C,) pixels; the classes stand in their order, the largest first.
        about: the id of the class that is marked.
        reference: (C,) shares of other weights, a dot for each class.
        labels: names and colours.
    """
    order = np.argsort(-np.asarray(counts), kind="stable")
    chart = Chart((-0.7, len(order) - 0.3), (0.01, 200), height=270, below=82, log=True,
                  title="share of the pull, %")  # fmt: skip
    chart.heights((0.01, 0.1, 1, 10, 100))
    for place, i in enumerate(order):
        r, g, b = shown(labels).palette[i]
        share = 100 * found.shares[i]
        chart.bar(place, share, 0.8, f"rgb({r},{g},{b})", f"{labels.titles[i]}: {share:.3f} %")
        if reference is not None:
            said = f"{labels.titles[i]}, by Eq. 2: {100 * reference[i]:.3f} %"
            chart.dot(place, 100 * reference[i], "#c53030", said)
    chart.places([(place, labels.titles[i]) for place, i in enumerate(order)], upright=True,
                 bold=labels.titles[about])  # fmt: skip
    ends = ", ".join(f"{labels.titles[i]} {found.shares[i]:.2%}" for i in order)
    return chart.as_html(f"Share of the pull of each class: {ends}")


def class_weights_explorer(
    counts: Sequence[int] | NDArray[np.integer], labels: LabelSet = CELEBAMASK_HQ
) -> Any:
    """A slider from equal weights to 1 / f, and what each class gets of the gradient.

    Red dots are the shares by Eq. 2's weights, `coursekit.losses.class_weights`.

    Args:
        counts: (C,) pixels of each class.
        labels: names and colours of the classes.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """
    from coursekit.losses import class_weights

    known = weighting(counts, class_weights(np.asarray(counts)).numpy())
    rarest = int(np.where(np.asarray(counts) > 0, counts, np.inf).argmin())

    def still() -> Figure:
        return _still(counts, known, labels)

    if not can_move():
        return still()
    controls = {
        "exponent": slider(0.25, 0.0, 1.5, 0.05, "exponent"),
        "about": choice(labels.titles, "class", labels.titles[rarest]),
    }
    picture, note = html("picture", "30rem"), html("note")

    def update(exponent: float, about: str) -> None:
        found, one = weighting(counts, to_the_power(counts, exponent)), labels.titles.index(about)
        picture.value = drawn(found, counts, one, known.shares, labels)
        by_known = f"red dots: Eq. 2 ({known.ratio:.2f}; {known.shares[one]:.3%})"
        note.value = spoken(f"{in_numbers(found, one, labels)}<br>{by_known}")

    return moving(update, controls, [beside(picture, [*controls.values(), note])], still)


def _still(
    counts: Sequence[int] | NDArray[np.integer], known: Weighting, labels: LabelSet
) -> Figure:
    """The weights and shares for some exponents, and by Eq. 2."""
    from matplotlib import colormaps

    from coursekit.plots import RED, Picture
    from coursekit.plots.picture import quiet

    order = np.argsort(-np.asarray(counts), kind="stable")
    pixels = np.asarray(counts)[order]
    figure = Picture(figsize=(7.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    lines = [(f"exponent {e:g}", weighting(counts, to_the_power(counts, e)),
              colormaps["viridis"](0.85 * e)) for e in _STILL]  # fmt: skip
    for name, found, colour in (*lines, ("Eq. 2", known, RED)):
        left.plot(pixels, (found.weights / found.weights[order[0]])[order], "o-", ms=3,
                  color=colour, label=name)  # fmt: skip
        right.plot(range(len(order)), 100 * found.shares[order], "o-", ms=3, color=colour)
    left.set(xscale="log", yscale="log", xlabel="pixels of the class",
             ylabel="weight, the largest class = 1")  # fmt: skip
    right.set(yscale="log", ylabel="share of the pull, %")
    right.set_xticks(range(len(order)), [labels.titles[i] for i in order], rotation=90, fontsize=7)
    left.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        quiet(axes)
    return figure
