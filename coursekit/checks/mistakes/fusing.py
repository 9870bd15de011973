"""Known mistakes in the shapes of lesson 12's fusion branch: in its classifier and its logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from coursekit.checks.common import Kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

#: Exceptions, what they say, and what is behind them, in `forward`: three maps of 4 channels and
#: a context of 7, mixed to 6.
UNFUSED: tuple[tuple[Kinds, str, str], ...] = (
    (RuntimeError, "to have 19 channels, but got 12", "the context is left out: four maps enter"),
    (
        RuntimeError,
        "to have 19 channels, but got 15",
        "four maps enter: one of `edges` is left out",
    ),
    (RuntimeError, "to have 6 channels, but got 19", "`mix` comes first: `classify` gets its maps"),
    (RuntimeError, "to have 19 channels, but got 5", "`mix` comes first: `classify` gets its maps"),
    (
        RuntimeError,
        r"to have \d+ channels|input to conv2d",
        (
            "the channels do not fit: all maps side by side, dim=1, enter `mix`, and what it gives "
            "enters `classify`"
        ),
    ),
    (
        RuntimeError,
        "except in dimension [023]",
        "the maps lie side by side, in the channels: `torch.cat(maps, dim=1)`",
    ),
    (
        RuntimeError,
        r"tensor a \(4\) must match the size of tensor b \(7\)",
        "the maps are not added: they lie side by side, `torch.cat(maps, dim=1)`",
    ),
    (
        RuntimeError,
        "Sizes of tensors must match|must match the size",
        "the maps differ in size: enlarge all to that of edges[0], and lay them side by side",
    ),
    (
        TypeError,
        "received an invalid combination|takes .* positional|must be tuple of Tensors|but got list",
        (
            "torch.cat takes one list of four maps, and `edges` is a list itself: "
            "`torch.cat(maps, dim=1)`"
        ),
    ),
    (AttributeError, "'list' object", "`edges` is a list of three maps: take each of them"),
    (
        ValueError,
        r"spatial dimensions of \[\d+\] and",
        "a star takes a map apart, image by image: `context` is one map, without a star",
    ),
)


def misclassified(shapes: Mapping[str, tuple[int, ...]], classes: int, width: int) -> str:
    """What is wrong with the weight of `classify`, in words; "" if nothing is."""
    shape = shapes.get("classify.weight")
    if shape == (classes, width, 1, 1):
        return ""
    if shape is None:
        return "`classify` is a convolution alone, `nn.Conv2d`: no ABN and nothing else beside it"
    if len(shape) == 2:
        return "`classify` is a 1×1 convolution, `nn.Conv2d`: `nn.Linear` reads no maps"
    if shape[2:] != (1, 1):
        return f"`classify` is a 1×1 convolution, not {shape[2]}×{shape[3]}"
    if shape[:2] == (width, classes):
        return "`classify` reads `width` channels and gives `num_classes`, not the other way round"
    if shape[0] != classes:
        return f"`classify` gives `num_classes` maps, here {classes}, and not {shape[0]}"
    return f"`classify` reads what `mix` gives, `width` channels, here {width}, and not {shape[1]}"


def missized(got: Tensor, right: Tensor, part: Any, edges: Sequence[Tensor]) -> str:
    """What is wrong with the shape of logits, in words; "" if nothing is."""
    shape, (number, classes, height, width) = tuple(got.shape), right.shape
    if shape == (number, classes, height, width):
        return ""
    if len(shape) == 3:
        return "logits are asked for, a map for each class: take no arg-max"
    if shape[2:] == edges[0].shape[:2]:
        return "`.shape[:2]` are images and channels: height and width are the last two"
    if shape[2:] in ((height, height), (width, width)):
        return "one number is height and width: both are asked for, `.shape[-2:]`"
    if shape[2:] == (119, 119):
        return "119 is the paper's size: take that of edges[0]"
    if shape[:2] == (number, part.classify.in_channels):
        return "`classify` is left out: these are the maps that `mix` gives"
    if shape[0] != number:
        return f"one result for each image: {number} came in, and {shape[0]} came out"
    return (
        f"logits at the size of edges[0]: nothing is enlarged afterwards (their shape is {shape})"
    )
