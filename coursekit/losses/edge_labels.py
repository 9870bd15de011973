"""Edges of a label map: the labels of DML-CSR's two edge tasks (Zheng et al. 2022, Fig. 4).

The paper draws them "by referring the neighboring four pixels. If there exists one neighboring
pixel of zero value, the current pixel is regarded as an edge pixel", in the label map and, "by
employing the same criteria", in the mask of each class. Word for word that leaves two things open,
and both readings are here, as `sides`:

- "both": a pixel next to another label is on the edge, whichever of the two it has. Edges are two
  pixels wide. It is how the code of EAGRNet, which DML-CSR starts from, marks them.
- "inner": only the side of the class itself is marked: pixels of a mask that have a zero beside
  them, which is the sentence above. Edges of a class are one pixel wide.

In the label map itself the sentence would mark the outline against background 0 alone, but Fig. 4
has the lines between facial parts, too: the binary map here is the edge between any two labels.
The public code of DML-CSR draws no edges: its training expects labels that it does not make.

Where pixels are ignored nothing is known, so that nothing is claimed: such a pixel is 255 in the
result, and none is an edge because of it. The frame of the image is not an edge.
"""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from jaxtyping import Integer, UInt8
from torch import Tensor

from coursekit.labels import IGNORE_INDEX
from coursekit.losses.inputs import check_ids

_SIDES = ("both", "inner")


def binary_edges(
    target: Integer[Tensor, "batch height width"],
    *,
    sides: str = "both",
    width: int = 1,
    ignore_index: int = IGNORE_INDEX,
) -> UInt8[Tensor, "batch height width"]:
    """Where one label meets another: the B_i of Eq. 3.

    Args:
        target: class ids from 0 up, or `ignore_index`; on any device.
        sides: "both", or "inner": then class 0, the background, draws no edge of its own, and the
            result is the union of the inner edges of all other classes.
        width: pixels of another label are looked for within so many steps to a side, up or down
            (the city-block ball of this radius); 1, the four neighbours, is the paper's.
        ignore_index: pixels of this value are 255 in the result, and make no edge.

    Returns:
        1 on an edge, 0 elsewhere, 255 where the target is ignored.

    Raises:
        ValueError: for what is no label map, ids below 0, another `sides`, a width under 1.
    """
    target = _checked(target, sides, width)
    check_ids(target, None, ignore_index)
    edges = _mixed(target, width, ignore_index)
    if sides == "inner":
        edges &= target != 0
    return _as_labels(edges, target == ignore_index)


def category_edges(
    target: Integer[Tensor, "batch height width"],
    num_classes: int,
    *,
    sides: str = "both",
    width: int = 1,
    ignore_index: int = IGNORE_INDEX,
) -> UInt8[Tensor, "batch {num_classes} height width"]:
    """Where each class meets another: the C_ij of Eq. 4.

    A pixel can be on the edges of several classes: with "both" it always is on those of two or
    more.

    Args:
        target: class ids in [0, num_classes), or `ignore_index`; on any device.
        num_classes: how many maps there are to be, the background's among them.
        sides: "both": within `width` of the pixel there are a pixel of the class and one that is
            known to be of another. "inner": the pixel is of the class besides.
        width: pixels of another label are looked for within so many steps to a side, up or down
            (the city-block ball of this radius); 1, the four neighbours, is the paper's.
        ignore_index: pixels of this value are 255 in all maps, and make no edge.

    Returns:
        1 on an edge of the class, 0 elsewhere, 255 where the target is ignored.

    Raises:
        ValueError: for what is no label map, ids outside the classes, another `sides`, a width or
            num_classes under 1.
    """
    target = _checked(target, sides, width)
    if num_classes < 1:
        raise ValueError(f"num_classes is {num_classes}; it must be at least 1")
    check_ids(target, num_classes, ignore_index)
    ignored = (target == ignore_index)[:, None]  # (B, 1, H, W)
    classes = torch.arange(num_classes, device=target.device)[:, None, None]  # (C, 1, 1)
    edges = (target[:, None] == classes) & ~ignored  # (B, C, H, W), bytes and not floats
    if sides == "both":
        edges = _grown(edges, width)
    # Where the class is near and two labels are, one of them is another.
    edges &= _mixed(target, width, ignore_index)[:, None]
    return _as_labels(edges, ignored)


def _checked(target: Tensor, sides: str, width: Any) -> Tensor:
    """The target as int64: as bytes, an `ignore_index` of −100 would be class 156."""
    if target.ndim != 3 or target.is_floating_point() or target.dtype == torch.bool:
        raise ValueError(
            f"a target is (B, H, W) integers, not {target.dtype} of shape {tuple(target.shape)}: "
            "class ids, one for each pixel"
        )
    if sides not in _SIDES:
        raise ValueError(f"sides is {sides!r}; it must be 'both' or 'inner'")
    if not isinstance(width, Integral) or isinstance(width, bool) or width < 1:
        raise ValueError(
            f"width is {width!r}; it must be a whole number of at least 1 (the four neighbours)"
        )
    return target.long()


def _as_labels(edges: Tensor, ignored: Tensor) -> Tensor:
    """Booleans as 0, 1 and 255, in the same memory."""
    return edges.view(torch.uint8).masked_fill_(ignored, IGNORE_INDEX)


def _mixed(target: Tensor, width: int, ignore_index: int) -> Tensor:
    """Whether a pixel is known and has two labels or more within `width` of it, itself included.

    It has if the largest label there is not the smallest.
    """
    ignored = target == ignore_index
    largest = _grown(target.masked_fill(ignored, -1), width)
    smallest = -_grown((-target).masked_fill(ignored, torch.iinfo(torch.int64).min), width)
    return (largest != smallest) & ~ignored


def _grown(maps: Tensor, width: int) -> Tensor:
    """The largest value within `width` steps of each pixel: a step at a time, by the cross.

    Args:
        maps: (..., H, W) numbers or booleans.
        width: steps to a side, up or down.
    """
    for _ in range(width):
        before, maps = maps, maps.clone()
        for to, beside in (
            (maps[..., 1:, :], before[..., :-1, :]),
            (maps[..., :-1, :], before[..., 1:, :]),
            (maps[..., 1:], before[..., :-1]),
            (maps[..., :-1], before[..., 1:]),
        ):
            torch.maximum(to, beside, out=to)
    return maps
