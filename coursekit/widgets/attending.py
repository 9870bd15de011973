"""One row of an attention matrix: what a token takes from all others, for a stage and a head."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.widgets.box import beside, can_move, html, moving, spoken
from coursekit.widgets.controls import choice, slider
from coursekit.widgets.heat import heated
from coursekit.widgets.picker import picker, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Places of the still picture, as shares of height and width.
_STILL = {"forehead": (0.36, 0.5), "mouth": (0.7, 0.5), "beside": (0.5, 0.06)}


@dataclass(frozen=True)
class Attended:
    """What a token takes.

    Attributes:
        weights: (side, side), their sum 1.
        times_even: how many times an even share the largest gets.
        half_on: the fewest squares that have half of the weight together.
        distance: mean distance from the token, by the weights, in sides of the picture.
    """

    weights: NDArray[np.floating]
    times_even: float
    half_on: int
    distance: float


def attended(matrix: NDArray[np.floating], head: int, place: tuple[float, float]) -> Attended:
    """A row of an attention matrix, as a map.

    Args:
        matrix: (heads, queries, keys), weights after the softmax; queries and keys are square
            grids, row by row.
        head: from 0.
        place: of the query, as shares of height and width, 0 to 1, 1 left out.
    """
    grid, side = math.isqrt(matrix.shape[1]), math.isqrt(matrix.shape[2])
    # The small number is for shares such as 7 / 12, which times 12 may be a little less than 7.
    at_row, at_column = (int(share * grid + 1e-9) for share in place)
    row = matrix[head, at_row * grid + at_column]
    weights = np.asarray(row, np.float64).reshape(side, side)
    ordered = np.cumsum(np.sort(weights.ravel())[::-1])
    y, x = (np.indices((side, side)) + 0.5) / side
    away = np.hypot(y - (at_row + 0.5) / grid, x - (at_column + 0.5) / grid)
    distance = float((weights * away).sum() / weights.sum())
    half = int(np.searchsorted(ordered, 0.5 * ordered[-1])) + 1
    return Attended(weights, float(weights.max() * side**2 / ordered[-1]), half, distance)


def in_numbers(found: Attended) -> str:
    """The figures of what is attended to, as HTML."""
    many = found.weights.size
    return (
        f"brightest square: <b>{found.times_even:.1f}</b> times an even share<br>half of the "
        f"weight lies on <b>{found.half_on}</b> of {many} squares<br>mean distance: "
        f"<b>{found.distance:.2f}</b> of the picture's side"
    )


def attention_explorer(
    image: NDArray[np.uint8], matrices: Mapping[str, NDArray[np.floating]]
) -> Any:
    """A photo and, for the place that is pointed at, what its token takes from where.

    Args:
        image: (S, S, 3).
        matrices: by the name of a stage, (heads, queries, keys) attention weights; queries and keys
            are square grids over the photo.

    Returns:
        An ipywidgets box to be shown as the last line of a cell. Without ipywidgets: a still
        figure, after a message.
    """

    def still() -> Figure:
        return _still(image, matrices)

    if not can_move():
        return still()
    finest = math.isqrt(max(matrix.shape[1] for matrix in matrices.values()))
    heads = max(len(matrix) for matrix in matrices.values())
    row, column = (int(share * finest) for share in _STILL["mouth"])
    picture = picker("The photo: point at the place that asks", row, column)
    controls = {
        "place": picture,
        "stage": choice(list(matrices), "layer"),
        "head": slider(1, 1, heads, 1, "head"),
        "opacity": slider(0.7, 0.0, 1.0, 0.05, "opacity"),
    }
    note = html("note")

    def update(place: Sequence[int], stage: str, head: int, opacity: float) -> None:
        matrix = matrices[stage]
        head = min(head, len(matrix))
        found = attended(matrix, head - 1, (place[0] / finest, place[1] / finest))
        alt = f"What head {head} of {stage} takes from where"
        show(picture, heated(image, found.weights, opacity), alt, grid=(finest, finest))
        note.value = spoken(f"head {head} of {len(matrix)} in {stage}<br>{in_numbers(found)}")

    return moving(update, controls, [beside(picture, [*list(controls.values())[1:], note])], still)


def _still(image: NDArray[np.uint8], matrices: Mapping[str, NDArray[np.floating]]) -> Figure:
    """Three places, and the first heads of the first layers."""
    from coursekit.plots import Picture

    shown = [(stage, head) for stage, matrix in matrices.items() for head in range(len(matrix))][:4]
    figure = Picture(figsize=(7.5, 4.7), layout="constrained")
    grid = figure.subplots(len(_STILL), 1 + len(shown), squeeze=False)
    said: list[str] = []
    for line, (name, place) in zip(grid, _STILL.items(), strict=True):
        line[0].imshow(image)
        line[0].plot(place[1] * len(image), place[0] * len(image), "c+", markersize=10)
        line[0].set_title(f"asked from: {name}", fontsize=8)
        for axes, (stage, head) in zip(line[1:], shown, strict=True):
            found = attended(matrices[stage], head, place)
            side = len(found.weights)
            axes.imshow(found.weights, cmap="magma")
            axes.plot(place[1] * side - 0.5, place[0] * side - 0.5, "c+", markersize=8)
            axes.set_title(f"{stage}, head {head + 1}: {found.times_even:.1f}×", fontsize=8)
            said.append(f"{name}, {stage}, head {head + 1}: {found.times_even:.1f}")
    for axes in grid.flat:
        axes.set_axis_off()
    figure.alt = (
        "A face, and from where in it each head takes what it adds up, for three places that ask: "
        f"{', '.join(_STILL)}. Bright where the weight is large. The largest as times an even "
        f"share: {'; '.join(said)}."
    )
    return figure
