"""Boxes of a network with their shapes, and arrows for what flows from one to another.

A diagram is written as it looks: a line of text is a row of boxes. All are drawn in one style, no
wider than a telephone's screen; what sets boxes apart is a form and not only a colour.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path
from matplotlib.transforms import Bbox

from coursekit.plots.picture import BLUE, GREY, RED, Picture
from coursekit.plots.shapes import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Text

    from coursekit.plots.shapes import Part

#: Inches: between two boxes of a row, between two rows, around all.
_ACROSS, _DOWN, _MARGIN = 0.24, 0.26, 0.06
_SIZE = 8.5  # of the letters, in points
_STYLES: dict[str, dict[str, Any]] = {
    "part": {"boxstyle": "round,pad=0.4", "facecolor": "#ebf4ff", "edgecolor": BLUE},
    "data": {"boxstyle": "square,pad=0.4", "facecolor": "#f7fafc", "edgecolor": GREY},
    "marked": {
        "boxstyle": "round,pad=0.4", "facecolor": "#fff5f5", "edgecolor": RED, "linestyle": "--",
        "linewidth": 1.6,
    },
}  # fmt: skip


class Box(NamedTuple):
    """What stands in a box: its name, the lines below it, its style."""

    name: str
    lines: tuple[str, ...]
    style: str


class Drawn(NamedTuple):
    """A box on the figure: its words, its middle and its size, in inches."""

    text: Text
    x: float
    y: float
    width: float
    height: float

    @property
    def outline(self) -> Bbox:
        """Where it lies."""
        left, top = self.x - self.width / 2, self.y - self.height / 2
        return Bbox.from_bounds(left, top, self.width, self.height)


def diagram(
    rows: str,
    arrows: str | None = None,
    *,
    shapes: Sequence[Part] = (),
    marked: str = "",
    across: bool = False,
) -> Picture:
    """Boxes of a network, and arrows for what flows from one to another.

    Args:
        rows: a line for each row of boxes, which ` | ` separates; they share its width evenly, and
            a place may be empty. In a box stand its name and, each after a colon, further lines.
            `(name)` is data, a square box; `[name]` is set apart, a dashed red one.
        arrows: chains of names, such as "C5 > X > up, C5 > up", or on several lines. Without them
            each row leads to the next: place to place if both have as many, else all to all.
        shapes: from `coursekit.plots.shapes`; a box with the name of a part shows class and shape.
        marked: what the boxes in brackets are, said below the diagram.
        across: whether arrows between boxes that stand apart leave and arrive at their sides, as
            suits branches that are written below each other.

    Returns:
        A figure; its description in words is `alt`.

    Raises:
        ValueError: for an arrow that begins or ends at no box or passes over another, or two boxes
            of one name.
    """
    parts = {part.name: part for part in reversed(shapes)}
    grid = [
        [_box(cell.strip(), parts) for cell in re.split(r"(?<!\S)\|(?!\S)", line)]
        for line in rows.strip("\n").splitlines() if line.strip()
    ]  # fmt: skip
    boxes = {box.name: box for line in grid for box in line if box}
    if len(boxes) < sum(box is not None for line in grid for box in line):
        raise ValueError("two boxes have the same name, so that no arrow could tell them apart")
    chains = _between(grid) if arrows is None else _chains(arrows)
    strange = {name for chain in chains for name in chain} - set(boxes)
    if strange:
        raise ValueError(f"no box is called {', '.join(sorted(strange))}; boxes: {[*boxes]}")
    figure = Picture()
    drawn = _place(
        figure, grid, f"dashed: {marked}" if marked else "", 2 * _ACROSS if across else _ACROSS
    )
    axes = figure.axes[0]
    for start, end in (pair for chain in chains for pair in pairwise(chain)):
        line = _arrow(axes, drawn[start], drawn[end], across)
        for name in drawn.keys() - {start, end}:
            if line.intersects_bbox(drawn[name].outline):
                raise ValueError(f"the arrow from {start} to {end} passes over {name}: move a box")
    figure.alt = _in_words(boxes, chains, marked)
    return figure


def _box(cell: str, parts: dict[str, Part]) -> Box | None:
    """A box from what stands between two bars."""
    style = {"()": "data", "[]": "marked"}.get(cell[:1] + cell[-1:], "part")
    words = (cell if style == "part" else cell[1:-1]).split(":")
    name, *lines = (line.strip() for line in words)
    if name in parts:
        kind = parts[name].kind if parts[name].kind != "Sequential" else ""  # says nothing
        lines = [line for line in (kind, written(parts[name].shape)) if line] + lines
    return Box(name, tuple(lines), style) if name else None


def _chains(arrows: str) -> list[list[str]]:
    chains = [[n.strip() for n in c.split(">")] for c in arrows.replace("\n", ",").split(",")]
    return [chain for chain in chains if any(chain)]


def _between(grid: list[list[Box | None]]) -> list[list[str]]:
    """An arrow from each row to the next."""
    found = []
    for above, below in pairwise(grid):
        each = len(above) == len(below)
        pairs = zip(above, below, strict=True) if each else ((a, b) for a in above for b in below)
        found += [[a.name, b.name] for a, b in pairs if a and b]
    return found


def _arrow(axes: Axes, start: Drawn, end: Drawn, across: bool) -> Path:
    """Drawn after the boxes, whose outlines cut it off; the line that it follows."""
    apart = abs(end.x - start.x) - (start.width + end.width) / 2
    if across and apart > 0:
        side = 1 if end.x > start.x else -1
        tail, tip = (
            (start.x + side * start.width / 2, start.y),
            (end.x - side * end.width / 2, end.y),
        )
        ends = {}
    else:
        tail, tip = (start.x, start.y), (end.x, end.y)
        ends = {"patchA": start.text.get_bbox_patch(), "patchB": end.text.get_bbox_patch()}
    style = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", tip, tail, zorder=4, arrowprops=style | ends)
    return Path([tail, tip])


def _place(
    figure: Picture, grid: list[list[Box | None]], below: str, gap: float
) -> dict[str, Drawn]:
    """Write all boxes, and make the figure as large as they are."""
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    renderer = FigureCanvasAgg(figure).get_renderer()

    def write(words: str, style: Any) -> tuple[Text, float, float]:
        text = axes.text(0, 0, words, size=_SIZE, ha="center", va="center", linespacing=1.35,
                         bbox=style)  # fmt: skip
        patch = text.get_bbox_patch()
        text.update_bbox_position_size(renderer)
        extent = (patch or text).get_window_extent(renderer)
        return text, extent.width / figure.dpi, extent.height / figure.dpi

    lines: list[list[tuple[Box, Text, float, float] | None]] = [
        [(box, *write("\n".join((box.name, *box.lines)), _STYLES[box.style])) if box else None
         for box in line] for line in grid
    ]  # fmt: skip
    key, key_width, key_height = write(below, None)
    width = max(len(line) * (max(b[2] for b in line if b) + gap) for line in lines)
    width, top = max(width, key_width) + 2 * _MARGIN, _MARGIN
    drawn: dict[str, Drawn] = {}
    for line in lines:
        height = max(b[3] for b in line if b)
        for i, box in enumerate(line):
            if box:
                x, y = (i + 0.5) / len(line) * width, top + height / 2
                box[1].set_position((x, y))
                drawn[box[0].name] = Drawn(box[1], x, y, *box[2:])
        top += height + _DOWN
    total = top - _DOWN + _MARGIN + (key_height + _MARGIN if below else 0)
    key.set_position((width / 2, total - _MARGIN - key_height / 2))
    figure.set_size_inches(width, total)
    axes.set(xlim=(0, width), ylim=(total, 0))
    return drawn


def _in_words(boxes: dict[str, Box], chains: list[list[str]], marked: str) -> str:
    """What a diagram shows, for those who do not see it."""
    said = [
        box.name + (f" ({', '.join(box.lines)})" if box.lines else "") for box in boxes.values()
    ]
    apart = [box.name for box in boxes.values() if box.style == "marked"]
    flows = [" → ".join(chain) for chain in chains]
    ends = f" Dashed{', ' + marked if marked else ''}: {', '.join(apart)}." if apart else ""
    return f"Diagram of {'; '.join(said)}. Arrows: {'; '.join(flows)}.{ends}"
