"""Known mistakes in lesson 12's boundary labels: what they give, and what to say of them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coursekit.checks.mistakes.questions import Way

    Offset = tuple[int, int, int]

_UP, _DOWN, _LEFT, _RIGHT = (0, -1, 0), (0, 1, 0), (0, 0, -1), (0, 0, 1)
_FOUR = _UP, _DOWN, _LEFT, _RIGHT
_CORNERS = (0, -1, -1), (0, -1, 1), (0, 1, -1), (0, 1, 1)
_NOWHERE = -1  # the id of what lies outside of the picture

_BOTH = (
    "pixels whose neighbour {} has another class are not marked: mark *both* of a pair, and each "
    "by `|=`"
)
_LOST = (
    "some pixels whose neighbour {} has another class are not marked: mark *both* of each pair, "
    "and keep what is marked already, `|=`"
)
_ONE = "one pixel of each pair is marked: the one {} is on the boundary, too"
_UNKNOWN = "pixels of 255 make boundaries here: nobody knows what they are"
_LABEL = "where the target is 255 the label should be 255, too"
_FRAME = "the frame of the picture is a boundary here: nothing lies behind it"
_OVERWRITTEN = "`=` overwrites what was marked before: `|=` keeps it"
_ALONE = (
    "`&` keeps a mark only where there was one before: any of a pixel's pairs puts it on the "
    "boundary, `|=`"
)
_TURNED = "`^` takes the mark from a pixel that was marked before: `|=` keeps it"
_LARGER = "only the pixel with the {} id of each pair is marked: both are on the boundary"
_CENTRAL = (
    "these are central differences (`np.gradient`), from the pixel before to the one behind: a "
    "line of one pixel has none. Compare neighbours"
)
_DIAGONAL = "diagonal neighbours are compared, in place of those down and right"
_OWN = "pixels are marked whose four neighbours have their own class"
_KNOWN = "pixels whose class is known are 255: only what is unknown itself"
_BATCH = "the images of a batch are compared: dimension 0 is the batch, 1 the rows, 2 the columns"


class _Maps:
    """Label maps (B, H, W), and what differs in them."""

    def __init__(self, maps: Tensor, differs: Callable[..., Tensor], unknown: str, frame: str):
        self.ids = torch.where(maps == 255, 0, maps) if unknown == "zero" else maps
        self.differs, self.unknown, self.frame = differs, unknown, frame

    def shifted(self, offset: Offset) -> Tensor:
        """The neighbour of each pixel there; outside of the picture what `frame` says."""
        ids = self.ids
        for axis, n in enumerate(offset):
            for _ in range(abs(n)):
                ids = self._next(ids, axis, 1 if n > 0 else -1)
        return ids

    def _next(self, ids: Tensor, axis: int, way: int) -> Tensor:
        if self.frame == "wrap" and axis:
            return ids.roll(-way, axis)
        if self.frame == "flat" and axis == 2:  # the last of a row meets the first of the next
            return torch.stack([self._next(rows.flatten(), 0, way).view_as(rows) for rows in ids])
        kept = ids.narrow(axis, max(way, 0), ids.shape[axis] - 1)
        out = torch.full_like(ids.narrow(axis, 0, 1), 0 if self.frame == "zero" else _NOWHERE)
        return torch.cat((kept, out) if way > 0 else (out, kept), axis)

    def pair(self, one: Tensor, two: Tensor, sign: int) -> Tensor:
        """Whether both differ; sign is 1 where `two` comes after `one` and -1 where before."""
        inside = (one != _NOWHERE) & (two != _NOWHERE)
        if self.frame == "marked":  # what lies outside differs from everything
            inside = inside | (two == _NOWHERE)
        seen = one != 255
        if not (self.unknown == "class" or (self.unknown == "half" and sign < 0)):
            seen = seen & (two != 255)
        return inside & (seen | (self.unknown == "class")) & self.differs(one, two, sign)

    def there(self, offset: Offset) -> Tensor:
        """Whether the neighbour there has another class."""
        return self.pair(self.ids, self.shifted(offset), sum(offset))

    def apart(self, before: Offset, behind: Offset, one_sided: bool) -> Tensor:
        """Whether the neighbours on both sides differ; at the frame, the pixel and the other."""
        left, right = self.shifted(before), self.shifted(behind)
        if one_sided:
            left, right = (torch.where(x == _NOWHERE, self.ids, x) for x in (left, right))
        return self.pair(left, right, 1)

    def count(self, *offsets: Offset) -> Tensor:
        """How many of these neighbours have another class."""
        return torch.stack([self.there(offset) for offset in offsets]).sum(0)

    def sizes(self) -> Tensor:
        """Sums of the sizes of differences to the four neighbours."""
        return sum(
            (self.there(n) * (self.shifted(n) - self.ids).abs() for n in _FOUR),
            start=torch.zeros_like(self.ids),
        )

    def cancelled(self) -> Tensor:
        """Whether the differences to the four neighbours do not add up to 0."""
        each = (self.there(n) * (self.shifted(n) - self.ids) for n in _FOUR)
        return sum(each, start=torch.zeros_like(self.ids)) != 0

    def last(self, axis: int, sign: int) -> Tensor:
        """The neighbour on one side; in the line that has none there, on the other."""
        here, there = ((0, n * (axis == 1), n * (axis == 2)) for n in (sign, -sign))
        found, line = self.there(here), 0 if sign < 0 else -1
        found.select(axis, line).copy_(self.there(there).select(axis, line))
        return found


def _widened(marks: Tensor) -> Tensor:
    return F.max_pool2d((marks > 0).float(), 3, 1, 1).long()


_WHERE: list[Way] = [
    (lambda m: m.count(*_FOUR), ""),
    (lambda m: m.count(_UP, _LEFT), _ONE.format("above, or on the left,")),
    (lambda m: m.count(_DOWN, _RIGHT), _ONE.format("below, or on the right,")),
    (lambda m: m.count(_UP, _DOWN), "only neighbours above each other are compared"),
    (lambda m: m.count(_LEFT, _RIGHT), "only neighbours beside each other are compared"),
    *(
        (lambda m, n=n: m.count(*{*_FOUR} - {n}), _BOTH.format(name))
        for n, name in (
            (_UP, "above"),
            (_DOWN, "below"),
            (_LEFT, "on the left"),
            (_RIGHT, "on the right"),
        )
    ),
    (
        lambda m: m.count(*_FOUR, *_CORNERS),
        "diagonal neighbours are compared, too: only down and right",
    ),
    (lambda m: m.count(*_CORNERS), _DIAGONAL),
    (lambda m: m.count(_CORNERS[0], _CORNERS[3]), _DIAGONAL),
    (lambda m: m.apart(_UP, _DOWN, True) | m.apart(_LEFT, _RIGHT, True), _CENTRAL),
    (lambda m: m.apart(_UP, _DOWN, False) | m.apart(_LEFT, _RIGHT, False), _CENTRAL),
    (
        lambda m: m.count(_UP, _DOWN) * m.count(_LEFT, _RIGHT),
        "only corners are marked: a difference down *or* on the right is enough: `|`",
    ),
    (
        lambda m: (m.count(_UP, _DOWN) > 0) ^ (m.count(_LEFT, _RIGHT) > 0),
        "corners are not marked: a pixel with a pair of each kind is on the boundary, too: `|`",
    ),
    (
        lambda m: _widened(m.count(*_FOUR)),
        "the boundary is too wide: a pixel beside a boundary is not on it",
    ),
    (
        lambda m: m.count((0, -2, 0), (0, 2, 0), (0, 0, -2), (0, 0, 2)),
        "pixels two apart are compared: only neighbours",
    ),
    (lambda m: m.count((1, 0, 0), (-1, 0, 0), _UP, _DOWN), _BATCH),
    (lambda m: m.count((1, 0, 0), (-1, 0, 0), *_FOUR), _BATCH),
    (
        lambda m: m.cancelled(),
        "the differences are added up, and may cancel: ask of each whether it is 0",
    ),
    *(
        (lambda m, a=axis, s=sign: m.last(a, s), _OVERWRITTEN)
        for axis in (1, 2)
        for sign in (1, -1)
    ),
]
_DIFFERS: list[Way] = [
    (lambda a, b, sign: a != b, ""),
    (
        lambda a, b, sign: sign * (b - a) > 0,
        "only where the id rises: a difference below 0 is one, too",
    ),
    (
        lambda a, b, sign: sign * (b - a) < 0,
        "only where the id falls: a difference above 0 is one, too",
    ),
    (lambda a, b, sign: (a - b).abs() == 1, "only differences of 1 count here: any that is not 0"),
    (lambda a, b, sign: (a - b).abs() > 1, "differences of 1 do not count here: any that is not 0"),
    (
        lambda a, b, sign: (a != b) & (a != 0) & (b != 0),
        "the boundary of the background is missing",
    ),
    (
        lambda a, b, sign: (a == 0) ^ (b == 0),
        "this is the outline of the whole face: parts have boundaries between them",
    ),
    (
        lambda a, b, sign: a == b,
        "pixels are marked whose neighbour has the *same* class: `!=`, not `==`",
    ),
    (
        lambda a, b, sign: (a != b) & (a != 0),
        "the background's pixel of a pair is on the boundary, too",
    ),
    (lambda a, b, sign: a > b, _LARGER.format("larger")),
    (lambda a, b, sign: a < b, _LARGER.format("smaller")),
]
_OF_UNKNOWN: list[Way] = [
    ("", ""),
    ("zero", "255 was made background, and has a boundary now"),
    ("class", _UNKNOWN),
    ("half", f"{_UNKNOWN}. Look at both pixels of a pair"),
]
_AT_FRAME: list[Way] = [
    ("", ""),
    ("flat", "the last pixel of a row meets the first of the next: compare within a row"),
    ("marked", _FRAME),
    ("zero", f"outside of the picture the background was put: {_FRAME}"),
    (
        "wrap",
        "`roll` goes round the picture: the last row meets the first here, or the last column",
    ),
]


def _labelled(marks: Tensor, maps: Tensor) -> Tensor:
    return torch.where(maps != 255, marks.long(), 255)


def _near(maps: Tensor) -> Tensor:
    """Pixels of 255 and their neighbours."""
    unknown = _Maps((maps == 255).long(), lambda a, b, sign: b == 1, "", "")
    return (unknown.count(*_FOUR) > 0) | (maps == 255)


def _inside(maps: Tensor) -> Tensor:
    """Pixels that are not in the frame."""
    inside = torch.zeros_like(maps)
    inside[:, 1:-1, 1:-1] = 1
    return inside


_LABELS: list[Way] = [
    (lambda marks, seen, maps: _labelled(marks > 0, maps), ""),
    (
        lambda marks, seen, maps: _labelled(marks == 0, maps),
        "0 and 1 are exchanged: 1 is a boundary",
    ),
    (
        lambda marks, seen, maps: _labelled(seen.sizes(), maps),
        "these are sizes of differences: 1 where it is not 0",
    ),
    (
        lambda marks, seen, maps: _labelled(marks, maps),
        "a pixel with two neighbours of another class has 2 here: 0 or 1",
    ),
    (
        lambda marks, seen, maps: _labelled(255 * (marks > 0), maps),
        "a boundary is 1, not 255: that is unknown",
    ),
    (
        lambda marks, seen, maps: _labelled((marks > 0) * _inside(maps), maps),
        "the first and last row and column are left out: they have neighbours, too",
    ),
    (
        lambda marks, seen, maps: torch.where(maps == 255, (marks > 0).long(), 255),
        "what is known is 255, and what is unknown is not: `torch.where(known, edge, 255)`",
    ),
    (lambda marks, seen, maps: (marks > 0).long(), _LABEL),
    (lambda marks, seen, maps: ((marks > 0) | (maps == 255)).long(), f"{_LABEL}, not 1"),
    (
        lambda marks, seen, maps: _labelled(marks > 0, maps).where(~_near(maps), 255),
        "neighbours of 255 are 255 here: only what is unknown itself",
    ),
    (
        lambda marks, seen, maps: _labelled(marks > 1, maps),
        "a single neighbour of another class is enough: here it takes two",
    ),
]


def misbounded(maps: Tensor) -> Iterator[tuple[Tensor, str]]:
    """Boundary labels with one known mistake, and with two."""

    def act(where: Any, differs: Any, unknown: str, frame: str, label: Any) -> Tensor:
        seen = _Maps(maps, differs, unknown, frame)
        labels: Tensor = label(where(seen), seen, maps)
        return labels

    questions = _WHERE, _DIFFERS, _OF_UNKNOWN, _AT_FRAME, _LABELS
    yield from mistaken(act, *questions, most=1)
    yield from _gathered(maps)
    yield from mistaken(act, *questions)


#: What each of the four marks is joined by to those before it, and what is said of it.
_JOINS: dict[str, tuple[Callable[[Tensor, Tensor], Tensor], str]] = {
    "|=": (operator.or_, ""),
    "=": (lambda before, marks: marks, _OVERWRITTEN),
    "&=": (operator.and_, _ALONE),
    "^=": (operator.xor, _TURNED),
}


def _gathered(maps: Tensor) -> Iterator[tuple[Tensor, str]]:
    """Labels whose four marks, `edge[:, 1:] |= down` and so on, are not all joined by `|=`."""
    yield (
        _labelled(torch.zeros_like(maps), maps),
        "no pixel is on a boundary: begin without a mark, and add those of each pair by `|=`",
    )
    seen = _Maps(maps, _DIFFERS[0][0], "", "")
    marks = {side: seen.there(side) for side in _FOUR}
    # `edge[:, 1:] = …` leaves the row alone that has no neighbour above.
    inside = {side: seen.shifted(side) != _NOWHERE for side in _FOUR}
    for first, second in (((_UP, _DOWN), (_LEFT, _RIGHT)), ((_LEFT, _RIGHT), (_UP, _DOWN))):
        for turned in product((1, -1), repeat=2):
            sides = (*first[:: turned[0]], *second[:: turned[1]])
            for joins in sorted(product(["|="], *[_JOINS] * 3), key=lambda some: -some.count("|=")):
                words = dict.fromkeys(_JOINS[join][1] for join in joins)
                edge = torch.zeros_like(maps, dtype=torch.bool)
                for side, join in zip(sides, joins, strict=True):
                    edge = torch.where(inside[side], _JOINS[join][0](edge, marks[side]), edge)
                if any(words) and edge.any():
                    yield _labelled(edge, maps), ". And ".join(filter(None, words))


def bounded(maps: Tensor) -> Tensor:
    """The right labels: 0, 1 and 255."""
    return _LABELS[0][0](_Maps(maps, _DIFFERS[0][0], "", "").count(*_FOUR), None, maps)


def fault(got: Tensor, maps: Tensor) -> str:
    """Where labels are wrong, in words."""
    right, seen = bounded(maps), _Maps(maps, _DIFFERS[0][0], "", "")
    sides = {"above": _UP, "below": _DOWN, "on the left": _LEFT, "on the right": _RIGHT}
    apart = {name: seen.there(offset) for name, offset in sides.items()}
    beside = torch.stack([seen.shifted(offset) for offset in sides.values()])
    unknown, frame = (beside == 255).any(0), (beside == _NOWHERE).any(0)
    more, lost = (right == 0) & (got == 1), (right == 1) & (got == 0)
    alone = torch.stack([*apart.values()]).sum(0) == 1
    for where, words in (
        ((maps == 255) & (got != 255), _LABEL),
        ((maps != 255) & (got == 255), _KNOWN),
        ((maps != 255) & (got > 1), "a pixel that is known has another label than 0 and 1"),
        (more & ~unknown & ~frame, _OWN),
        (more & unknown, _UNKNOWN),
        (more & frame, _FRAME),
        *((lost & alone & x, _LOST.format(name)) for name, x in apart.items()),
        (lost, "pixels between two others are not marked: one other neighbour is enough"),
    ):
        if where.any():
            return words
    return "expected: both pixels of each pair of neighbours that differ"
