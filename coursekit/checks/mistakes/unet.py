"""Known mistakes in the exercises of lesson 02: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Mistakes = list[tuple[Any, str]]

#: What exceptions say in a step up, and what is behind them.
UNFIT = (
    ("positional arguments but 3", "self.conv takes one map: torch.cat([skip, x], dim=1) first"),
    ("Sizes of tensors", "an odd size does not pass: fit_to(what came up, skip), then dim=1"),
    ("but got 16", "pass what comes from below through self.up first"),
    ("Expected 3D", "`stack` makes a new dimension: torch.cat(…, dim=1)"),
    (
        r"input\[1, 4, 11, 13\].*8 channels",
        "self.conv is called once, with the skip and the raised map side by side",
    ),
    (r"transposed=1.* got 4", "self.up is called once, with what comes from below"),
    ("8 channels, but got 4", "joined along another dimension: use dim=1"),
)


def misbuilt(block: nn.Module, channels: Sequence[int] = (3, 8, 8)) -> str:
    """What is wrong with the convolutions of a double one; "" if nothing is.

    Args:
        block: the student's.
        channels: of what goes in, of what goes from one to the other, of what comes out.
    """
    parts = [part for part in block.modules() if not [*part.children()]]
    convs = [part for part in parts if isinstance(part, nn.Conv2d)]
    if "ReLU" in (first := type(parts[0]).__name__):
        return f"{first} stands in front: a convolution, then its ReLU, twice"
    if parts == [block]:
        return "it has no parts: hand them to `super().__init__(…)`"
    for part in parts:
        kind = type(part).__name__
        if part not in convs and ("Conv" in kind or kind == "Linear"):
            return f"{kind} takes no images' maps: use nn.Conv2d"
    if len(convs) != 2:
        return f"two 3×3 convolutions, in → out and out → out (not {len(convs)})"
    if not any(conv.bias is not None for conv in convs):
        return "the biases are missing: leave bias at its default"
    for name, conv, takes, gives in zip(
        ("first", "second"), convs, channels, channels[1:], strict=False
    ):
        if (conv.in_channels, conv.out_channels) != (takes, gives):
            which = "in" if name == "first" else "out"
            return (
                f"channels do not fit: the {name} convolution is {which} → out, here "
                f"{takes} → {gives} (and not {conv.in_channels} → {conv.out_channels})"
            )
        for wrong, words in (
            (conv.kernel_size != (3, 3), f"is no 3×3 one (kernel_size={conv.kernel_size})"),
            (conv.stride != (1, 1), f"has a stride ({conv.stride}): the size stays as it is"),
            (conv.dilation != (1, 1), "has gaps in its kernel: leave dilation at its default"),
            (conv.padding in ((0, 0), "valid"), "loses a border where it does not pad: pad by 1"),
            (conv.padding not in ((1, 1), "same"), f"pads by {conv.padding}: pad by 1"),
            (conv.padding_mode != "zeros", "pads with zeros: leave padding_mode at its default"),
            (conv.groups != 1, "lets every channel see all others: set no groups"),
            (conv.bias is None, "has no bias: leave it at its default"),
        ):
            if wrong:
                return f"the {name} convolution {words}"
    return _more(type(part).__name__ for part in block.modules() if part is not block)


def _more(kinds: Iterable[str]) -> str:
    """What a double convolution has and needs not, of kinds of modules; "" if there is nothing."""
    more = [kind for kind in kinds if kind not in ("Conv2d", "ReLU", "Sequential")]
    if any("Norm" in kind for kind in more):
        return "there is a normalisation: the report's U-Net has none"
    if any("Pool" in kind for kind in more):
        return "there is a pooling: the network has its own, between double convolutions"
    parts = ", ".join(sorted({*more}))
    return f"there is a part more, {parts}: convolutions and ReLU alone" if more else ""


def misraised(up: nn.Module) -> str:
    """What is wrong with the transposed convolution of a step from 12 to 4 channels."""
    if not isinstance(up, nn.ConvTranspose2d):
        return "up doubles the size: a 2×2 transposed convolution, in → out"
    if (up.in_channels, up.out_channels) != (12, 4):
        return f"up goes in → out, here 12 → 4 (and not {up.in_channels} → {up.out_channels})"
    if up.kernel_size != (2, 2):
        return f"up makes 2×2 pixels of each: its kernel is 2×2 (not {up.kernel_size})"
    return "" if up.stride == (2, 2) else "up should double the size: stride 2"


def unmixed(conv: Any) -> str:
    """What is wrong with the double convolution of a step from 12 to 4 channels; "" if nothing."""
    weights: dict[str, Tensor] = getattr(conv, "state_dict", dict)()
    if [*weights] != ["0.weight", "0.bias", "2.weight", "2.bias"]:
        return f"self.conv is a DoubleConv (it has {', '.join(weights) or 'no weights'})"
    takes, gives = weights["0.weight"].shape[1], weights["2.weight"].shape[0]
    if takes == 8:
        return "" if gives == 4 else f"the double convolution gives out_channels (not {gives})"
    known = {
        4: "it takes 4 channels, so the skip is added or left out: concatenate",
        12: "it takes in_channels, which is right only while widths halve: it gets out + out",
    }
    other = f"it takes the skip's and the raised map's channels (got {takes}, expected: 8)"
    return f"look at the double convolution: {known.get(takes, other)}"


def joined_otherwise(step: Any, low: Tensor, skip: Tensor, raised: Tensor) -> Mistakes:
    """Known mistakes in a step up; `raised` is its map from below, as large as the skip."""
    up, conv = step.up(low), step.conv
    pads = 0, skip.shape[-1] - up.shape[-1], 0, skip.shape[-2] - up.shape[-2]
    given = "`fit_to` repeats the last row and column: use it"
    cut = skip[..., : up.shape[-2], : up.shape[-1]]
    return [
        (
            conv(torch.cat([raised, skip], 1)),
            "the skip stands behind the raised map; weights count on it in front",
        ),
        (
            torch.cat([skip, raised], 1),
            "the two lie side by side, and are not mixed: call self.conv",
        ),
        (conv(torch.cat([cut, up], 1)), "the skip was cut to fit: pad what came up, with fit_to"),
        (conv(torch.cat([skip, F.pad(up, pads)], 1)), given),
        (conv(torch.cat([skip, F.interpolate(up, skip.shape[-2:])], 1)), given),
        (conv(torch.cat([skip, F.interpolate(up, skip.shape[-2:], mode="bilinear")], 1)), given),
        (conv(torch.cat([skip, raised.relu()], 1)), "no ReLU stands between up and concatenate"),
        (conv(torch.cat([skip, skip], 1)), "the skip is there twice, and what came up is not"),
        (conv(torch.cat([raised, raised], 1)), "what came up is there twice, and the skip is not"),
    ]


def unreached(out: Tensor, up: nn.Module, skip: Tensor) -> str:
    """What no gradient of a step's output reaches; "" if it reaches all."""
    if not out.requires_grad:
        return "what comes out has no gradient: detach nothing"
    reached = torch.autograd.grad(out.sum(), [*up.parameters(), skip], allow_unused=True)
    lost = [n for n, g in (("self.up", reached[0]), ("the skip", reached[-1])) if g is None]
    return "".join(f"no gradient reaches {name}: detach nothing" for name in lost[:1])


def misnamed(parts: nn.Module, keys: Iterable[str]) -> str:
    """What is wrong with a U-Net's parts, whose weights bear these names; "" if nothing is."""
    for name in ("down", "pool", "bottleneck", "up", "head"):
        if not hasattr(parts, name):
            return f"there is no self.{name}"
        part = getattr(parts, name)
        if name == "pool" and not callable(part):
            return "self.pool cannot be called: it is one pooling, which serves all levels"
        if part is F.max_pool2d:
            return "F.max_pool2d wants the size at each call: nn.MaxPool2d(2) holds it"
        if name != "pool" and not isinstance(part, nn.Module):
            kind = type(part).__name__
            return f"self.{name} is a plain {kind}, which hides its parameters: nn.ModuleList"
    levels = [len([*getattr(parts, name).children()]) for name in ("down", "up")]
    if levels != [4, 4]:
        why = "four levels down and four up; the bottleneck is not one of them"
        return f"{why} (got {levels[0]} down, {levels[1]} up)"
    mine, theirs = [*parts.state_dict()], [*keys]
    for key in (key for key in mine if key not in theirs):
        return (
            f"the course's network has no {key}: leave out what is wrapped around that part, "
            "or another kind"
        )
    gone = [key for key in theirs if key not in mine]
    return f"{gone[0]} is missing: each part as the table says, with its bias" if gone else ""


def misshapen(parts: nn.Module, twin: Mapping[str, Tensor]) -> str:
    """The first weight whose shape is not that of the course's; "" if there is none."""
    for key, weight in parts.state_dict().items():
        mine, theirs = tuple(weight.shape), tuple(twin[key].shape)
        if mine != theirs:
            return f"{key} has the shape {mine}, expected: {theirs}; compare with the table"
    return ""
