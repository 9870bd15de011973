"""Bars and lines as SVG: drawn in a few milliseconds, in the colours of the notebook's theme.

matplotlib takes too long to follow a finger; it draws the still pictures.
"""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Words and axes have the theme's colour.
INK = "currentColor"
_LEFT, _RIGHT, _TOP = 34.0, 8.0, 16.0
#: Pixels that a word of six letters takes, and a gap.
_WORD = 38.0


class Chart:
    """Axes, and what is drawn in them; units are pixels of a page that is wide enough.

    Args:
        x: where the axis begins and ends.
        y: likewise; both positive on a logarithmic scale.
        height: of the picture.
        below: of it, what is kept below the axis.
        log: whether the vertical scale is logarithmic.
        title: written above.
        width: of the picture.
    """

    def __init__(
        self,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        height: float = 160,
        below: float = 34,
        log: bool = False,
        title: str = "",
        width: float = 330,
    ) -> None:
        self.x, self.y, self.log = x, y, log
        self.width, self.height, self.floor = width, height, height - below
        self.parts: list[str] = []
        self.line((x[0], x[1]), (y[0], y[0]), INK, 1)
        if title:
            self._text(0, 11, title, "start")

    def across(self, x: float) -> float:
        """Pixels from the left."""
        low, high = self.x
        return _LEFT + (x - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def down(self, y: float) -> float:
        """Pixels from above; what is off the scale lies on its end."""
        low, high = self.y
        y = min(max(y, low), high)
        share = math.log(y / low) / math.log(high / low) if self.log else (y - low) / (high - low)
        return self.floor - share * (self.floor - _TOP)

    def bar(self, x: float, y: float, width: float, colour: str, said: str) -> None:
        """A bar around x, up to y; `said` is shown to whoever points at it."""
        left, right, top = self.across(x - width / 2), self.across(x + width / 2), self.down(y)
        self.parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
            f'height="{max(self.floor - top, 0):.1f}" fill="{colour}" '
            f'stroke="{INK}" stroke-width="0.6"><title>{html.escape(said)}</title></rect>'
        )

    def line(
        self, x: Sequence[float], y: Sequence[float], colour: str, width: float = 2, dash: str = ""
    ) -> None:
        """A line through points; `dash` is the lengths of its dashes and gaps."""
        points = " ".join(
            f"{self.across(a):.1f},{self.down(b):.1f}" for a, b in zip(x, y, strict=True)
        )
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            f'stroke-width="{width}"{dashes}/>'
        )

    def upright(
        self, x: float, colour: str, dash: str = "", text: str = "", ahead: bool = False
    ) -> None:
        """A line from top to bottom, with words behind its upper end, or ahead of it."""
        at = self.across(x)
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{self.floor}" '
            f'stroke="{colour}" stroke-width="1.5"{dashes}/>'
        )
        if text:
            self._text(at - 3 if ahead else at + 3, _TOP + 9, text, "end" if ahead else "start")

    def events(self, marks: Sequence[tuple[float, str]], colour: str) -> None:
        """A line for each event, from left to right, and its word where there is room for it."""
        taken = _LEFT
        ends = [*(self.across(x) for x, _ in marks[1:]), self.width]
        for (x, word), end in zip(marks, ends, strict=False):
            at = self.across(x)
            behind, ahead = end - at >= _WORD, at - taken >= _WORD
            dash = "3 3" if word == "stop" else ""
            self.upright(x, colour, dash, word if behind or ahead else "", ahead=not behind)
            taken = at + _WORD if behind else at

    def dot(self, x: float, y: float, colour: str, said: str = "") -> None:
        """A dot with a rim, which is seen on any ground."""
        self.parts.append(
            f'<circle cx="{self.across(x):.1f}" cy="{self.down(y):.1f}" r="3.5" fill="#fff" '
            f'stroke="{colour}" stroke-width="2"><title>{html.escape(said)}</title></circle>'
        )

    def heights(self, ticks: Sequence[float], form: str = "{:g}") -> None:
        """Numbers along the vertical axis, with a pale line at each."""
        for tick in ticks:
            at = self.down(tick)
            self.parts.append(
                f'<line x1="{_LEFT}" x2="{self.width - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}" '
                f'stroke="{INK}" stroke-opacity="0.2"/>'
            )
            self._text(_LEFT - 4, at + 4, form.format(tick), "end")

    def places(
        self, ticks: Sequence[tuple[float, str]], upright: bool = False, bold: str = ""
    ) -> None:
        """Names along the horizontal axis, turned upright where they are many, one of them bold."""
        for x, name in ticks:
            at, y = self.across(x), self.floor
            if upright:
                self._text(
                    at + 4,
                    y + 4,
                    name,
                    "end",
                    f"rotate(-90 {at + 4:.1f} {y + 4:.1f})",
                    name == bold,
                )
            else:
                self._text(at, y + 14, name, "middle")

    def _text(
        self, x: float, y: float, words: str, anchor: str, turned: str = "", bold: bool = False
    ) -> None:
        turn = f' transform="{turned}"' if turned else ""
        turn += ' font-weight="bold"' if bold else ""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}" '
            f'font-size="11"{turn}>{html.escape(words)}</text>'
        )

    def as_html(self, alt: str) -> str:
        """The picture, as wide as there is room for, with what a screen reader says of it."""
        return (
            f'<svg viewBox="0 0 {self.width:g} {self.height:g}" role="img" '
            f'aria-label="{html.escape(alt)}" font-family="sans-serif" '
            f'style="width: 100%; max-width: {1.45 * self.width:g}px; height: auto; '
            'display: block; color: var(--jp-ui-font-color1, inherit)">'
            f"{''.join(self.parts)}</svg>"
        )


def meter(share: float, colour: str, said: str, marks: Sequence[float] = ()) -> str:
    """A level bar with limits on it, as HTML.

    Args:
        share: of the bar that is filled, 0 to 1; above 1 it is full.
        colour: of what is filled.
        said: written above, and what a screen reader says; it names the limits.
        marks: where the limits are, 0 to 1.
    """
    chart = Chart((0, 1), (0, 1), height=46, below=4, title=said)
    right = chart.width
    chart.parts[0] = (  # in place of the axis
        f'<rect x="0.5" y="22" width="{right - 1}" height="18" fill="none" stroke="{INK}"/>'
        f'<rect x="0" y="22" width="{min(share, 1) * right:.1f}" height="18" fill="{colour}"/>'
    )
    for mark in marks:
        at = min(mark, 1) * right
        chart.parts.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="17" y2="45" stroke="{INK}" stroke-width="2.5"/>'
        )
    return chart.as_html(said)
