"""What a figure shows, in words: for screen readers, and wherever a picture cannot be shown."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import Collection, PathCollection
from matplotlib.colors import to_rgba_array
from matplotlib.container import BarContainer
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Text

#: Of so many values each is said; of more, where they begin and end and how far they reach.
_MOST_VALUES = 20
_LONGEST = 1500  # characters; who listens to more?


def in_words(figure: Figure) -> str:
    """What a figure shows: its titles, axes, and the values of its bars and lines.

    Args:
        figure: drawn by anybody. Words that somebody wrote for it, its attribute `alt`, are taken
            as they are.
    """
    if written := getattr(figure, "alt", ""):
        return str(written)
    said = [figure.get_suptitle()]
    names = _names(figure.axes)
    for pictures, some in groupby(figure.axes, lambda axes: bool(axes.images)):
        shown = [axes for axes in some if axes.get_label() != "<colorbar>"]
        said += [_pictures(shown)] if pictures else [_chart(axes, names) for axes in shown]
    named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    said.append(f"Colours: {', '.join(named)}" if named else "")
    words = ". ".join(" ".join(part.split()) for part in said if part)
    return words if len(words) <= _LONGEST else words[:_LONGEST].rsplit(";", 1)[0] + "; …"


def described(figure: Figure, words: str) -> Figure:
    """A figure of pyplot's for a cell's last line: shown once, with a sentence for its point.

    Args:
        figure: in which all is drawn.
        words: what there is to see, to stand before its titles and values.
    """
    figure.alt = f"{words} {in_words(figure)}"  # type: ignore[attr-defined]
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    return figure


def _names(grid: Sequence[Axes]) -> dict[str, str]:
    """What each colour and style of line stands for, wherever in a figure it is said."""
    drawn: list[Line2D | Collection] = []
    for axes in grid:
        drawn += [*axes.lines, *axes.collections]
    named = [one for one in drawn if not str(one.get_label()).startswith("_")]
    return {_style(one): str(one.get_label()) for one in named}


def _name(drawn: Line2D | Collection, names: dict[str, str]) -> str:
    label = str(drawn.get_label())
    return names.get(_style(drawn), "") if label.startswith("_") else label


def _style(drawn: Line2D | Collection) -> str:
    if isinstance(drawn, Line2D):
        return f"{to_rgba_array(drawn.get_color()).round(3).tolist()} {drawn.get_linestyle()}"
    return str(to_rgba_array(drawn.get_facecolor())[:1].round(3).tolist())


def _pictures(shown: Sequence[Axes]) -> str:
    """Images are known by their titles."""
    titles = [_about(axes) for axes in shown]
    named = [title for title in titles if title]
    if not named:
        return f"{len(shown)} pictures" if len(shown) > 1 else "A picture"
    rows = f"{len(shown)} pictures, titled" if len(named) < len(shown) else "Pictures"
    return f"{rows if len(shown) > 1 else 'Picture'}: {'; '.join(named)}"


def _about(axes: Axes) -> str:
    """An axes' title and labels; of a table in colours the names of its rows, too."""
    labels = " by ".join(filter(None, (axes.get_ylabel(), axes.get_xlabel())))
    rows = [text for text in _places(axes.yaxis).values() if axes.images]
    named = f"rows {', '.join(rows)}" if rows else ""
    return ", ".join(part for part in (axes.get_title(), labels, named) if part.strip())


def _chart(axes: Axes, names: dict[str, str]) -> str:
    """What is drawn in an axes that holds no image."""
    places, heights = _places(axes.xaxis), _places(axes.yaxis)
    bars = [c for c in axes.containers if isinstance(c, BarContainer)]
    series = [_said(str(bar.get_label()), _bars(axes, bar)) for bar in bars if len(bar) > 1]
    singles = [bar[0] for bar in bars if len(bar) == 1]  # drawn one by one, each in its colour
    series += [_bars(axes, singles)] if singles else []
    for line in axes.lines:
        if line.get_transform() == axes.transData:  # and no mark across the whole axes
            x, y = line.get_data(orig=False)
            values = _along(np.atleast_1d(x), np.atleast_1d(y), places, heights)
            series.append(_said(_name(line, names), values))
    for shape in axes.patches:
        if isinstance(shape, Polygon) and not str(shape.get_label()).startswith("_"):
            x, y = np.asarray(shape.get_xy(), np.float64).T
            reach = f"from {_reach(x)}, highest at {_number(x[y.argmax()])}"
            series.append(_said(str(shape.get_label()), reach))
    for drawn in axes.collections:
        if isinstance(drawn, ContourSet):
            series.append(f"contours from {_reach(np.array(drawn.levels))}")
        elif isinstance(drawn, PathCollection):
            x, y = np.asarray(drawn.get_offsets(), np.float64).reshape(-1, 2).T
            series.append(_said(_name(drawn, names), _dots(x, y, places, heights)))
    noted = [_note(axes, text, places) for text in axes.texts if _is_word(text.get_text())]
    if noted and len(noted) <= _MOST_VALUES:
        series.append(f"noted: {', '.join(noted)}")
    about = _about(axes)
    if not series and not about:
        return ""
    kind = "Bars" if bars and not axes.lines else "Chart"
    return ": ".join(filter(None, (f"{kind} of {about}" if about else kind, "; ".join(series))))


def _said(label: str, values: str) -> str:
    return values if not label or label.startswith("_") else f"{label}: {values}"


def _places(axis: Axis) -> dict[float, str]:
    """Where on an axis names stand, and not numbers."""
    ticks = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=False)
    labels = {float(at): text.get_text() for at, text in ticks}
    return {at: text for at, text in labels.items() if _is_word(text)}


def _is_word(text: str) -> bool:
    """Not a number, nor a power of ten as matplotlib writes it."""
    return any(map(str.isalpha, text)) and "\\mathdefault" not in text


def _note(axes: Axes, text: Text, places: dict[float, str]) -> str:
    if text.get_transform() != axes.transData:
        return text.get_text()
    return f"{text.get_text()} at {_at(float(text.get_position()[0]), places)}"


def _at(x: float, places: dict[float, str]) -> str:
    near = min(places, key=lambda place: abs(place - x), default=np.inf)
    return places[near] if abs(near - x) < 0.5 else _number(x)


def _number(x: float) -> str:
    return f"{x:,.0f}" if 1e3 <= abs(x) < 1e7 else f"{x:.3g}"


def _bars(axes: Axes, bars: Iterable[Any]) -> str:
    """Each bar's value, by the name below or beside it."""
    bars = list(bars)
    flat = len({bar.get_height() for bar in bars}) == 1 < len({bar.get_width() for bar in bars})
    places = _places(axes.yaxis if flat else axes.xaxis)
    middles = [bar.get_y() + bar.get_height() / 2 if flat else bar.get_x() + bar.get_width() / 2
               for bar in bars]  # fmt: skip
    values = [bar.get_width() if flat else bar.get_height() for bar in bars]
    if len(bars) > _MOST_VALUES:
        return _along(np.array(middles), np.array(values), places, {})
    both = zip(middles, values, strict=True)
    return ", ".join(f"{_at(middle, places)} {_number(value)}" for middle, value in both)


def _along(x: Any, y: Any, places: dict[float, str], heights: dict[float, str]) -> str:
    """Where a line begins and ends, and its extremes between."""
    x, y = _numbers(x), _numbers(y)
    kept = np.isfinite(x) & np.isfinite(y)
    points = [(_at(b, heights), _at(a, places)) for a, b in zip(x[kept], y[kept], strict=True)]
    if len(points) < 2:
        return " ".join(f"{value} at {at}" for value, at in points) or "nothing"
    (first, start), (last, end) = points[0], points[-1]
    said = [f"from {first} at {start} to {last} at {end}"]
    for name, extreme in (("lowest", int(y[kept].argmin())), ("highest", int(y[kept].argmax()))):
        value, at = points[extreme]
        if value not in (first, last):
            said.append(f"{name} {value} at {at}")
    return ", ".join(said)


def _dots(x: Any, y: Any, places: dict[float, str], heights: dict[float, str]) -> str:
    if len(x) < 2:
        return _along(x, y, places, heights)
    return f"{len(x)} points, {_reach(x)} by {_reach(y)}"


def _reach(values: Any) -> str:
    return f"{_number(values.min())} to {_number(values.max())}"


def _numbers(values: Any) -> Any:
    """Values as numbers; names, which matplotlib places in order, as their places."""
    values = np.asarray(values)
    return np.arange(len(values)) if values.dtype.kind in "OUS" else values.astype(np.float64)
