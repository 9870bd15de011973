"""Pictures beside controls, and the still picture that stands for them where nothing can move."""

from __future__ import annotations

import base64
import html as markup
import importlib.util
import io
from functools import cache
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

#: Side of a shown picture, in pixels of the page: a whole number of them for each of most sizes.
SHOWN = 384


def can_move() -> bool:
    """Whether there can be sliders; where not, it is said."""
    missing = [name for name in ("ipywidgets", "anywidget") if not importlib.util.find_spec(name)]
    if missing:
        names = " ".join(missing)
        print(f"The sliders need {names}: `pip install {names}`, then restart the kernel. Here is "
              "a picture that stands still.")  # fmt: skip
    return not missing


def moving(
    update: Callable[..., None],
    controls: Mapping[str, Any],
    children: Sequence[Any],
    still: Callable[[], Figure],
) -> Any:
    """A box that is drawn anew whenever a control is moved.

    Args:
        update: called with the values of all controls, by their names; it changes the children.
        controls: widgets with a `value`, by the names that `update` knows them by.
        children: what the box holds, from top to bottom.
        still: draws what the cell's output is where no widget can run.

    Returns:
        An ipywidgets box to be shown as the last line of a cell.
    """

    def anew(_change: object = None) -> None:
        update(**{name: control.value for name, control in controls.items()})

    for control in controls.values():
        control.observe(anew, names="value")
    anew()
    return resting(children, still)


def resting(children: Sequence[Any], still: Callable[[], Figure]) -> Any:
    """A box that changes by itself, or not at all; its arguments are those of `moving`."""
    return _kind()(list(children), still)


@cache
def _kind() -> type[Any]:
    """The class of box, which can only be made where there is ipywidgets."""
    import ipywidgets

    class Box(ipywidgets.VBox):
        """A box whose output holds a still picture, too."""

        def __init__(self, children: list[Any], still: Callable[[], Figure]) -> None:
            super().__init__(children)
            self.still = still

        def _repr_mimebundle_(self, **asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
            from coursekit.plots import as_bundle

            picture, sizes = as_bundle(self.still())
            return {**super()._repr_mimebundle_(**asked), **picture}, sizes

    return Box


def html(name: str, width: str = "24rem") -> Any:
    """A place for HTML, which styles and tests find as `coursekit-NAME`."""
    import ipywidgets

    made = ipywidgets.HTML(
        layout=ipywidgets.Layout(width=width, max_width="calc(100% - 4px)", margin="2px")
    )
    return made.add_class(f"coursekit-{name}")


def beside(picture: Any, controls: list[Any]) -> Any:
    """A picture and its controls beside it, or below where the screen is narrow."""
    import ipywidgets

    side = ipywidgets.VBox(controls, layout=ipywidgets.Layout(max_width="100%", flex="1 1 20rem"))
    return ipywidgets.Box(
        [picture, side], layout=ipywidgets.Layout(flex_flow="row wrap", grid_gap="0 12px")
    )


def spoken(line: str) -> str:
    """A line of HTML that a screen reader reads out when it changes."""
    return f'<div role="status" style="line-height: 1.4">{line}</div>'


def swatch(colour: tuple[int, int, int], text: str) -> str:
    """A colour and what it stands for, as HTML that is not broken between the two."""
    return (
        f'<span style="white-space: nowrap"><span style="background: rgb{colour}; '
        f'border: 1px solid grey" aria-hidden="true">&emsp;</span> {markup.escape(text)}</span>'
    )


def as_url(picture: NDArray[np.uint8]) -> str:
    """An (H, W, 3) picture as the address of a PNG that holds it."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "png", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode("ascii")


def img(picture: NDArray[np.uint8], alt: str) -> str:
    """A picture as HTML, as wide as there is room for, with what a screen reader says of it."""
    return (
        f'<img src="{as_url(picture)}" alt="{markup.escape(alt)}" '
        f'style="width: {SHOWN}px; max-width: 100%; height: auto; image-rendering: pixelated">'
    )
