"""Known mistakes in lesson 10's edge heads: what they are built of, and what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_DEPTHS = "the classifiers read the maps of all three depths"
_ONE_BY_ONE = "self.{} is 1×1: nn.Conv2d(3 * num_classes, …, 1)"
_MAPS = "the classifiers read the maps, of num_classes channels each: 3 * num_classes"

_EACH = "each of `reduce` reads its own depth: the first c2, the second c3, the third c4"
#: Channels that do not fit in heads of the depths (6, 8, 9), 4 classes and width 5; what is said of
#: a layer's weights and of what it is given.
MISFITS = (
    (
        r"weight of size \[[24], 12, .* got 23 ",
        "the classifiers read what `shared` gives of each depth: here all three come as they are",
    ),
    (
        r"weight of size \[[24], 12, .* got (18|24|27) ",
        "the classifiers read what `shared` gives of each depth: here one depth comes three times",
    ),
    (
        r"weight of size \[[24], 12, .* got 15 ",
        "the classifiers read what `shared` gives of each depth: here come maps of `reduce` alone",
    ),
    (
        r"weight of size \[[24], 12, .*input\[6, 4,",
        "the maps stand one behind the other in the batch: side by side is dim=1",
    ),
    (
        r"weight of size \[[24], 12, .*input\[2, 4,",
        "the classifiers read the maps of all three depths side by side: here is one, or their sum",
    ),
    (
        r"weight of size \[[24], 12, .* got 8 ",
        "the classifiers read the maps of all three depths, side by side: here are fewer",
    ),
    (
        r"weight of size \[4, 5, .* got [689] ",
        "`shared` reads what `reduce` gives of a depth: here the depth comes as it is",
    ),
    (r"weight of size \[5, [689], .* got [689] ", _EACH),
    (r"weight of size \[5, [689], .* got 5 ", "`reduce` is called twice: once for each depth"),
    (r"weight of size \[5, [689], .* got 4 ", "first `reduce`, then `shared`: not the reverse"),
)


def misbuilt(heads: nn.Module, channels: Sequence[int], num_classes: int, width: int) -> str:
    """What is wrong with the layers of a student's edge heads, in words; "" if nothing is."""
    classes, found = num_classes, _lacking(heads)
    if found:
        return found
    parts: Any = heads
    shapes = {key: tuple(value.shape) for key, value in heads.state_dict().items()}
    for wrong, key, words in _shapes(channels, classes, width):
        if shapes.get(key) == wrong:
            return words
    for place, entering in enumerate(channels):
        if shapes.get(f"reduce.{place}.0.weight") != (width, entering, 1, 1):
            return f"reduce[{place}] is conv_abn({entering}, {width})"
    for name, shape in (
        ("shared", (classes, width, 3, 3)),
        ("binary", (2, 3 * classes, 1, 1)),
        ("category", (classes, 3 * classes, 1, 1)),
    ):
        got = shapes.get(f"{name}.weight")
        if got != shape:
            return f"look at self.{name}: its weight is (out, in, k, k) = {got}, expected: {shape}"
        if f"{name}.bias" not in shapes:
            return f"self.{name} has a bias"
    shared = parts.shared
    if not shared.stride == shared.dilation == (1, 1) or shared.padding not in ((1, 1), "same"):
        return "the 3×3 pads by 1 and keeps the size: no stride, no dilation"
    if shared.padding_mode != "zeros":
        return "the 3×3 pads with zeros: leave padding_mode alone"
    if len(shapes) != 3 * 5 + 6:
        return "expected: three conv_abn and three convolutions, no more"
    return ""


def _lacking(heads: nn.Module) -> str:
    for name in ("reduce", "shared", "binary", "category"):
        if not hasattr(heads, name):
            return f"there is no self.{name}"
    parts: Any = heads
    if isinstance(parts.reduce, (list, tuple)):
        return "self.reduce is a plain list, which hides its parameters: nn.ModuleList"
    if isinstance(parts.shared, (nn.ModuleList, nn.Sequential, list, tuple)):
        return "self.shared is *one* 3×3 convolution, used for all three depths"
    return ""


def _shapes(
    channels: Sequence[int], classes: int, width: int
) -> Iterator[tuple[tuple[int, ...], str, str]]:
    """Shapes of weights that known mistakes have: the shape, the weight, and what to say."""
    first, last, all_maps = channels[0], channels[-1], 3 * classes
    for shape, words in (
        ((width, first, 3, 3), "`reduce` is 1×1: conv_abn(entry, width), and no third argument"),
        ((first, width, 1, 1), "what goes in comes first: conv_abn(entry, width)"),
        ((classes, first, 1, 1), "`reduce` gives `width` channels: the classes come with `shared`"),
        (
            (width, last, 1, 1),
            "each depth has a number of channels of its own: `for entry in channels`",
        ),
        ((width, width, 1, 1), "`reduce` reads the depth's own channels: conv_abn(entry, width)"),
    ):
        yield shape, "reduce.0.0.weight", words
    for shape, words in (
        ((width, width, 3, 3), "the 3×3 gives a map for each class, not `width` of them"),
        ((classes, width, 1, 1), "`shared` is a 3×3 convolution: here it is 1×1"),
        (
            (all_maps, width, 3, 3),
            "`shared` gives one map for each class: it is called three times",
        ),
        (
            (classes, 3 * width, 3, 3),
            "`shared` reads one depth at a time, `width` channels: nothing is concatenated before",
        ),
    ):
        yield shape, "shared.weight", words
    for name, out in (("binary", 2), ("category", classes)):
        yield (out, all_maps, 3, 3), f"{name}.weight", _ONE_BY_ONE.format(name)
        yield (out, all_maps), f"{name}.weight", _ONE_BY_ONE.format(name)
        yield (out, 3 * width, 1, 1), f"{name}.weight", _MAPS
        yield (out, width, 1, 1), f"{name}.weight", _MAPS
        yield (out, classes, 1, 1), f"{name}.weight", _DEPTHS
    no_classes = "binary edges have two logits, no edge and edge: the classes are the category's"
    yield (classes, all_maps, 1, 1), "binary.weight", no_classes
    yield (1, all_maps, 1, 1), "binary.weight", "binary edges have two logits: no edge, and edge"
    two = "category edges have a logit for each class, not two"
    yield (2, all_maps, 1, 1), "category.weight", two


def joined(
    heads: nn.Module,
    deep: Sequence[Tensor],
    mode: str = "bilinear",
    before: Callable[[Tensor], Tensor] | None = None,
    after: Callable[[Tensor], Tensor] | None = None,
    size: Sequence[int] | None = None,
    **how: Any,
) -> Tensor:
    """The maps of the depths, side by side, (B, 3C, H, W).

    Args:
        heads: the student's.
        deep: C2, C3 and C4, (B, ·, ·, ·).
        mode: of enlarging; `how` are its other arguments.
        before, after: what is done to each map before and after the 3×3 convolution.
        size: of what comes out; C2's by default.
    """
    parts: Any = heads
    maps = []
    for reduce, x in zip(parts.reduce, deep, strict=True):
        x = reduce(x.clone())
        x = before(x) if before else x
        x = F.conv2d(x, parts.shared.weight, parts.shared.bias, padding=1)
        x = after(x) if after else x
        maps.append(F.interpolate(x, list(size or deep[0].shape[2:]), mode=mode, **how))
    return torch.cat(maps, 1)


def misjoined(heads: nn.Module, deep: Sequence[Tensor]) -> Iterator[tuple[Tensor, str]]:
    """Category edges whose maps were made or joined with a known mistake."""
    parts: Any = heads
    size, shared = deep[0].shape[2:], parts.shared

    def early(x: Tensor) -> Tensor:
        return F.interpolate(x, size, mode="bilinear")

    steps = 'the maps are enlarged in steps: `mode="bilinear"`'
    scores = "there is a {} after the 3×3: these are scores already"
    right = joined(heads, deep)
    for maps, words in (
        (joined(heads, deep, "nearest-exact"), steps),
        (joined(heads, deep, "bicubic"), "enlarge bilinearly, not bicubically"),
        (joined(heads, deep, "area"), 'that is a mean over areas: `mode="bilinear"`'),
        (
            joined(heads, deep, before=torch.relu),
            "there is a ReLU before the 3×3: ABN brings its own activation",
        ),
        (joined(heads, deep, after=torch.sigmoid), scores.format("sigmoid")),
        (right.sigmoid(), scores.format("sigmoid")),
        (joined(heads, deep, "nearest"), steps),
        (joined(heads, deep, align_corners=True), "align_corners: leave it alone"),
        (
            joined(heads, deep, before=early),
            "you enlarge first and convolve then: the 3×3 belongs on the small maps",
        ),
        (
            torch.cat(right.split(shared.out_channels, 1)[::-1], 1),
            "the maps are concatenated from C4 to C2: begin with C2",
        ),
        (joined(heads, deep, after=torch.relu), scores.format("ReLU")),
    ):
        yield parts.category(maps), words
    small = joined(heads, deep, size=deep[-1].shape[2:])
    late = "the logits are enlarged here: enlarge the maps, before they are joined"
    yield F.interpolate(parts.category(small), size, mode="bilinear"), late


def misread(heads: nn.Module, deep: Sequence[Tensor], name: str) -> Iterator[tuple[Tensor, str]]:
    """What `binary` or `category` gives where a known mistake stands before or behind it."""
    parts: Any = heads
    x, head = joined(heads, deep), getattr(heads, name)
    right, binary, category = head(x), parts.binary(x), parts.category(x)
    follows = f"nothing follows {name}: it gives logits, no softmax, sigmoid or ReLU"
    for ends in (torch.sigmoid, torch.relu, _softmax, _log_softmax, F.logsigmoid):
        yield ends(right), follows
    yield right.argmax(1), "logits are asked for, no classes: no arg-max"
    between = f"nothing comes between the joined maps and {name}: they are scores"
    for starts in (torch.relu, torch.sigmoid, torch.tanh, _softmax, F.leaky_relu):
        yield head(starts(x)), between
    alone = "`category` reads the maps alone: nothing of `binary` is added"
    for part in (binary[:, 1:], binary.sum(1, True)):
        yield category + part, alone
    turned = x.view(x.shape[0], 3, -1, *x.shape[2:]).transpose(1, 2).flatten(1, 2)
    yield head(turned), "the maps are joined depth by depth: torch.cat(maps, dim=1)"


def _softmax(x: Tensor) -> Tensor:
    return x.softmax(1)


def _log_softmax(x: Tensor) -> Tensor:
    return x.log_softmax(1)
