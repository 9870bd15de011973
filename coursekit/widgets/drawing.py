"""Sliders for any drawing function."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from coursekit.widgets.box import beside, can_move, html, img, moving, spoken
from coursekit.widgets.controls import slider

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


def sliders(draw: Callable[..., tuple[NDArray[np.uint8], str]], **ranges: tuple[Any, ...]) -> Any:
    """A slider for each argument of a drawing function, and the picture that comes of it.

    Args:
        draw: gives an (H, W, 3) uint8 picture, and a line of text about it.
        ranges: for each argument of `draw` its first, smallest and largest value; whole numbers
            move by 1, others by a sixteenth of the range.

    Returns:
        An ipywidgets box to be shown as the last line of a cell; it draws anew on each change.
        Without ipywidgets: a still figure of the first values, after a message.
    """
    first = {name: value for name, (value, _, _) in ranges.items()}

    def still() -> Figure:
        from coursekit.plots import Picture

        drawn, line = draw(**first)
        figure = Picture(figsize=(4.2, 4.6), layout="constrained")
        axes = figure.subplots()
        axes.imshow(drawn, interpolation="nearest")
        axes.set_axis_off()
        axes.set_title(textwrap.fill(line, 48), fontsize=9, parse_math=False)
        settings = ", ".join(f"{name} {value}" for name, value in first.items())
        figure.alt = f"Picture for {settings}: {line}"
        return figure

    if not can_move():
        return still()
    controls = {}
    for name, (value, low, high) in ranges.items():
        whole = all(isinstance(number, int) for number in (value, low, high))
        controls[name] = slider(value, low, high, 1 if whole else (high - low) / 16, name)
    picture, note = html("picture"), html("note")

    def update(**values: Any) -> None:
        drawn, line = draw(**values)
        picture.value, note.value = img(drawn, line), spoken(line)

    return moving(update, controls, [beside(picture, [*controls.values(), note])], still)
