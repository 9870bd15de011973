"""A figure that a notebook of any theme shows sharp, and what all figures share.

In a notebook's kernel pyplot is asked to show its figures as these are shown.
"""

from __future__ import annotations

import base64
import html
import io
import struct
import sys
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.axis import Axis
from matplotlib.colors import is_color_like, same_color
from matplotlib.figure import Figure
from matplotlib.text import Text

from coursekit.plots.words import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

#: Dark enough to read on white, and apart for colour-blind readers.
BLUE, RED, GREY = "#2b6cb0", "#c53030", "#718096"


#: What is black on paper is this in a notebook: 4.3:1 on white and on JupyterLab's dark #111.
INK = "#797979"


class Picture(Figure):
    """A figure that a notebook shows as it is, without pyplot or `%matplotlib inline`.

    Attributes:
        alt: what it shows in words, where somebody wrote them; else they are made of what is drawn.
    """

    alt = ""

    def __repr__(self) -> str:
        """The words, where a picture cannot be shown."""
        return in_words(self)

    def _repr_mimebundle_(self, **_asked: object) -> tuple[dict[str, Any], dict[str, Any]]:
        return as_bundle(self)


def as_bundle(figure: Figure) -> tuple[dict[str, Any], dict[str, Any]]:
    """A figure for a notebook, in each of the ways that it may be shown, with its words in all.

    JupyterLab and pages of nbconvert give a PNG no words, so that they are given HTML; whoever can
    show no HTML (a printed page of LaTeX, a grader) takes the PNG.

    Returns:
        Data and metadata by MIME type, as `_repr_mimebundle_` gives them.
    """
    png, shown = as_png(figure)
    encoded = base64.b64encode(png).decode("ascii")
    words = str(shown["alt"])
    picture = (
        f'<img src="data:image/png;base64,{encoded}" alt="{html.escape(words)}" '
        f'width="{shown["width"]}" style="max-width: 100%; height: auto">'
    )
    return {"text/html": picture, "image/png": encoded, "text/plain": words}, {"image/png": shown}


def as_png(figure: Figure) -> tuple[bytes, dict[str, int | str]]:
    """A figure for a notebook of any theme, on any screen.

    It has no ground, `INK` in place of black, and twice the pixels that it takes up.

    Returns:
        The PNG, and how it is shown: width and height in pixels of the page, and its words as
        `alt`.
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
    shown: dict[str, int | str] = {"width": round(width / 2), "height": round(height / 2)}
    return written.getvalue(), shown | {"alt": in_words(figure)}


def _blacks(figure: Figure) -> list[tuple[Artist, str]]:
    """The words and lines of a figure that are black, as they are by default."""
    found = []
    for artist in _drawn(figure):
        if isinstance(artist, Text) and _on_colour(artist):
            continue
        for name in ("color", "edgecolor", "markeredgecolor"):
            colour = getattr(artist, f"get_{name}", lambda: None)()
            if is_color_like(colour) and same_color(colour, "black"):
                found.append((artist, name))
    return found


def _drawn(artist: Artist) -> Iterator[Artist]:
    """An artist and what is drawn in it.

    The axes of pictures of faces are off, and to ask one of them for its ticks makes them.
    """
    yield artist
    for child in artist.get_children():
        off = isinstance(child, Axis) and not child.axes.axison
        if child.get_visible() and not off:
            yield from _drawn(child)


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
    """A hook of pyplot's: a notebook shows its figures by `as_bundle`, too."""
    display = _shell().display_formatter
    display.formatters["image/png"].pop(Figure, None)  # pyplot's own would come first
    display.mimebundle_formatter.for_type(Figure, as_bundle)


if _shell():
    mpl.rcParams["figure.hooks"] = [f"{__name__}:{show_as_picture.__name__}"]
    mpl.rcParams["legend.facecolor"] = "none"


def quiet(axes: Axes) -> None:
    """Leave the frame's upper and right side out."""
    axes.spines[["top", "right"]].set_visible(False)
