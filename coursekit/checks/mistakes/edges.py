"""Known mistakes in lesson 10's edge labels: what they give, and what to say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from coursekit.checks.mistakes.questions import Way

    Mistakes = Iterator[tuple[Tensor, str]]


def spread(mask: Tensor, width: int) -> Tensor:
    """What is True in a mask (…, H, W), and what is up to `width` steps from it."""
    for _ in range(max(width, 0)):
        p = F.pad(mask, (1, 1, 1, 1))
        rows = p[..., :-2, 1:-1] | p[..., 1:-1, 1:-1] | p[..., 2:, 1:-1]
        mask = rows | p[..., 1:-1, :-2] | p[..., 1:-1, 2:]
    return mask


_STEPS = "`width` steps, {}"
_OWN: list[Way] = [
    (lambda ids, c: ids == c, ""),
    (lambda ids, c: ids >= c, "a map is of one class: `==`, not `>=`"),
    (lambda ids, c: ids <= c, "a map is of one class: `==`, not `<=`"),
    (lambda ids, c: (ids == c) | (ids == 255), "pixels of 255 are taken for every class"),
    (lambda ids, c: ids == c + 1, "each map is of the next class: the first is of class 0"),
    (lambda ids, c: ids.where(ids != 255, 0) == c, "255 was made background, and has edges now"),
]
_WIDTHS: list[Way] = [
    (lambda width: (width, width), ""),
    (lambda width: (1, 1), "`width` has no effect"),
    (lambda width: (1, width), "`width` has no effect on the spread of the class itself"),
    (lambda width: (width, 1), "`width` has no effect on the spread of the others"),
    (lambda width: (width, 0), "the others are not spread: `spread(known & ~own, width)`"),
    (lambda width: (2 * width, width), _STEPS.format("not twice as many for the class itself")),
    (lambda width: (width, 2 * width), _STEPS.format("not twice as many for the others")),
    (lambda width: (2 * width, 2 * width), _STEPS.format("not twice as many")),
    (lambda width: (2 * width + 1, 2 * width + 1), _STEPS.format("not 2 · width + 1")),
    (lambda width: (width + 1, width + 1), _STEPS.format("not one more")),
    (lambda width: (width - 1, width - 1), _STEPS.format("not one fewer")),
]
_OTHERS: list[Way] = [
    (lambda known, own, far, width: far, ""),
    (
        lambda known, own, far, width: ~spread(own, width),
        "`~` after the spread: spread what is *not* of the class, `known & ~own`",
    ),
    (
        lambda known, own, far, width: spread(~known & ~own, width),
        "the others are *known* and of another class: `known & ~own`",
    ),
    (
        lambda known, own, far, width: spread(known, width),
        "the others are known *and* not of the class: `known & ~own`",
    ),
    (
        lambda known, own, far, width: spread(~own, width),
        "pixels of 255 make edges here: nobody knows what they are",
    ),
]


def edged(
    maps: Tensor, classes: int, sides: str = "both", width: int = 1, mistake: str = ""
) -> Tensor:
    """Category edges (B, C, H, W) of label maps (B, H, W), with a known mistake or none."""
    own, known = maps[:, None] == torch.arange(classes)[:, None, None], (maps != 255)[:, None]
    other = known & ~own

    def wide(mask: Tensor) -> Tensor:
        if mistake == "square":
            return F.max_pool2d(mask.float(), 2 * width + 1, 1, width) > 0
        return spread(mask, width)

    near = own if sides == "inner" else wide(own)
    far = wide(~own if mistake == "255" else other)
    framed = spread(F.pad(other, (1, 1, 1, 1), value=True), width)[..., 1:-1, 1:-1]
    edge = {
        "outer": wide(own) & far & ~own, "near": near, "frame": near & framed, "or": near | far,
        "grown": spread(own & far, width), "far": far, "inside": near & ~far,
        "twice": wide(wide(own)) & far,
    }.get(mistake, near & far).to(torch.uint8)  # fmt: skip
    edge = {"tone": 255 * edge, "opposite": 1 - edge}.get(mistake, edge)
    seen = {"masked": ~known, "lost": torch.ones_like(known)}.get(mistake, known)
    return torch.where(seen, edge, 255)


_LABELS = {
    "square": "diagonal neighbours are counted, too: there are four, not eight",
    "frame": "the frame of the picture is an edge here: nothing lies behind it",
    "255": "pixels of 255 make edges here: nobody knows what they are",
    "lost": "where the target is 255 the edge map should be 255, too",
    "or": "near the class *and* near another, not or: `&`",
    "far": "these are all pixels near another class: the class itself must be near, too",
    "inside": "these are the pixels far from every other class: no `~` before that",
    "twice": "the class reaches `width` steps, not twice as far",
    "masked": "known and unknown have changed places: `torch.where(known, edge, 255)`",
    "tone": "an edge is 1, not 255, which stands for unknown",
    "opposite": "0 and 1 have changed places: 1 is an edge, near the class *and* near another",
    "outer": "these are the pixels outside of the class: its own belong to the edge",
    "near": "these are all pixels near the class: one of another must be near, too, within `width`",
    "grown": "they reach too far into the class: `width` steps on each side, from another class's "
    "pixels as from its own",
}


def misedged(maps: Tensor, classes: int, sides: str, width: int) -> Mistakes:
    """Category edges (B, C, H, W) with known mistakes, one or two at a time."""
    for mistake, words in _LABELS.items():
        yield edged(maps, classes, sides, width, mistake), words
    asked = 'asked for sides="{}", these are the edges for "{}"'
    yield edged(maps, classes, "inner", width), asked.format("both", "inner")
    yield edged(maps, classes, "both", width), asked.format("inner", "both")
    yield edged(maps, classes, sides), "`width` has no effect"
    known = (maps != 255)[:, None]

    def act(owns: Any, widths: Any, others: Any) -> Tensor:
        own = torch.stack([owns(maps, c) for c in range(classes)], 1)
        first, second = widths(width)
        near = spread(own, first) if sides == "both" else own
        far = others(known, own, spread(known & ~own, second), width)
        return torch.where(known, (near & far).to(torch.uint8), 255)

    none = "no pixel is an edge here: near the class *and* near a known pixel of another"
    yield torch.where(known, torch.zeros_like(maps)[:, None], 255).expand(-1, classes, -1, -1), none
    yield from mistaken(act, _OWN, _WIDTHS, _OTHERS)


def where_edged(got: Tensor, right: Tensor) -> str:
    """Where edge labels are wrong, in words; both (B, H, W) or (B, C, H, W)."""
    more, lost = (right == 0) & (got == 1), (right == 1) & (got == 0)
    for where, words in (
        ((right == 255) & (got != 255), "where the target is 255 the edge map should be 255, too"),
        ((right != 255) & (got == 255), "pixels are 255 that are known in the target"),
        ((right < 2) & (got != 0) & (got != 1), "an edge is 1 and all else 0, and here is more"),
        (more & ~lost.any(), "some pixels are marked that are on no edge, and none is missing"),
        (lost & ~more.any(), "some pixels of edges are not marked, and no other is"),
        (more | lost, "some pixels of edges are not marked, and some others are"),
    ):
        if where.any():
            at = ", ".join(str(int(i)) for i in where.nonzero()[0])
            return f"{words}: look at [{at}] and its neighbours"
    return ""


def misunited(maps: Tensor, classes: int, sides: str, width: int) -> Mistakes:
    """What is taken for binary edges (B, H, W), the union of the category edges but class 0's."""
    parts = edged(maps, classes, sides, width)
    yield from _united(maps, classes, sides, width)
    yield from _cut(parts)
    yield edged(maps, 256, sides, width)[:, 1:].amax(1), "there are `NUM` classes: 255 is none"
    one = parts == 1
    count, known = one[:, 1:].sum(1), parts[:, 0] != 255
    yield (
        parts[:, 1:-1].amax(1),
        "the last class is left out: `[:, 1:]` of maps of all `NUM` classes",
    )
    yield parts[:, 2:].amax(1), "class 1 is left out, too: `[:, 1:]` begins with it"
    for wrong in (parts[:, 1:].float().mean(1), one[:, 1:].float().mean(1)):
        yield wrong, "a mean says how many parts have an edge here: one is enough, `amax`"
    exact = "a pixel on the edges of several parts is one, too: a union, no exclusive or"
    yield torch.where(known, count % 2, 255), exact
    yield torch.where(known, (count == 1).long(), 255), exact
    yield torch.where(known, (count > 1).long(), 255), "one part is enough: here it takes two"
    for j in range(classes):
        yield parts[:, j], f"these are the edges of class {j} alone: the union of all parts'"


def _cut(parts: Tensor) -> Mistakes:
    """What is cut out or joined along another dimension than that of the classes, the second."""
    second = "{}, and the classes are the second dimension: `[:, 1:]`"
    union = "the union goes over the classes, the second dimension: `.amax(1)`"
    for first in (1, 0):
        some = parts[:, first:]
        yield from ((some.amax(dim), union) for dim in (0, 2, 3, (0, 1, 2, 3)))
    for dim in (0, 1):
        yield parts[1:].amax(dim), second.format("`[1:]` leaves an image out")
        yield parts[:, :, 1:].amax(dim), second.format("`[:, :, 1:]` leaves a row of pixels out")
        yield parts[..., 1:].amax(dim), second.format("`[..., 1:]` leaves a column out")
    for dim in (1, 2):
        yield parts[:, 1].amax(dim), second.format("`[:, 1]` is one class alone")
    yield parts[:, 1:], "each part has a map of its own still: their union is one map, `.amax(1)`"


def _united(maps: Tensor, classes: int, sides: str, width: int) -> Mistakes:
    parts = edged(maps, classes, sides, width)
    twice, lost = (
        "an edge of two parts counts twice: a union, no sum",
        "where the target is 255 the edge map should be 255, too",
    )
    missing = (
        "parts are missing: a pixel on the edge of *one* part is enough, and there are `NUM` "
        "classes"
    )
    yield from ((parts[:, first:].sum(1), twice) for first in (0, 1))
    yield parts[:, :-1].amax(1), "class 0 is left out, the first, not the last: `[:, 1:]`"
    yield parts[:, 1:].argmax(1), "`argmax` says *which* part, not whether: `amax`"
    yield parts[:, 1:].prod(1), "a product asks for an edge of all parts: one is enough"
    for fewer in (2, 5):
        yield edged(maps, fewer, sides, width)[:, 1:].amax(1), missing
    yield from ((wrong.any(1), lost) for wrong in (parts[:, 1:] == 1, parts[:, 1:] > 0))
    face = torch.where(maps == 255, 255, maps.clamp_max(1))
    yield (
        edged(face, classes, sides, width)[:, 1],
        "this is the outline of the whole face: parts have edges against each other, too",
    )
    yield (
        parts.amax(1),
        "the background has edges, too (leave class 0 out), or `sides` is not handed on",
    )
    yield parts[:, 1:].amin(1), "a pixel on the edge of *one* part is enough"
    other = edged(maps, classes, "inner" if sides == "both" else "both", width)
    yield other[:, 1:].amax(1), "these are the edges for the other `sides`"
    yield edged(maps, classes, sides)[:, 1:].amax(1), "`width` has no effect"
