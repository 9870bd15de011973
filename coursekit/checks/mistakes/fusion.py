"""Known mistakes in lesson 04's fusion of two paths, and what to say of them."""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.checks.mistakes.fastscnn import SMOOTH, activations, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    Mistakes = list[tuple[Any, str]]
    Size = tuple[int, ...]

_ENLARGE = "enlarge the coarse map to the size of the fine one"
_ADDED = "the two paths are added, not concatenated"
#: What exceptions say where a fine map (2, 5, 13, 9) and a coarse one (2, 6, 4, 3) become
#: (2, 9, 13, 9), and what is behind them.
UNFUSED = (
    (
        r"tensor a \((9|6)\) must match .* \((9|6)\) .*dimension 1",
        "the coarse map is added as it is: self.low(coarse)",
    ),
    (
        r"tensor a \((9|5)\) must match .* \((9|5)\) .*dimension 1",
        "the fine map is added as it is: self.high(fine)",
    ),
    (
        r"tensor a \([56]\) must match .*dimension 1",
        "the maps' channels differ: high and low come first, then the sum",
    ),
    ("of tensor a", _ENLARGE),
    (
        r"to have [56] channels, but got 9",
        "high and low are called once each, with fine and coarse",
    ),
    ("to have [56] channels", "fine goes through high, coarse through low"),
    ("but got 11 channels", f"{_ADDED}; high and low come first"),
    ("but got 18 channels", _ADDED),
    (
        "to have 9 channels, but got [56]",
        "mix comes last: it takes the sum of what high and low give",
    ),
    ("to have 9 channels, but got 1 ", "mix takes all channels of the sum: no mean over them"),
    ("Expected 3D", f"{_ADDED}, nor stacked"),
    ("positional arguments but 3", "mix takes one map: the sum, after its ReLU"),
    ("upsample_bilinear2d", "the size is two numbers: fine.shape[-2:]"),
    ("first two dimensions of batch2", "`@` multiplies matrices: add the two paths"),
)
#: Shapes that are not (2, 9, 13, 9).
FUSED_AS = {
    (4, 9, 13, 9): "images were concatenated: add the two paths",
    (2, 9, 26, 9): f"one path stands below the other: {_ADDED}",
    (2, 9, 13, 18): f"one path stands beside the other: {_ADDED}",
    (
        2,
        9,
        4,
        3,
    ): "what comes out is at the fine map's size: enlarge the coarse map, shrink nothing",
}


def _lows(fusion: Any, coarse: Tensor, size: Size) -> Mistakes:
    """The coarse path, up to the sum: right, then mistakes."""
    blocks, low = "enlarge bilinearly: that gives blocks", fusion.low

    def large(**how: Any) -> Tensor:
        return F.interpolate(coarse, size, **how)

    whole = large(**SMOOTH)
    return [
        (low(whole), ""),
        (F.interpolate(low(coarse), size, **SMOOTH), "first enlarge, then low"),
        (low(large()), blocks),
        (low(large(mode="nearest-exact")), blocks),
        (low(large(mode="bicubic")), "enlarge bilinearly: that is bicubic"),
        (low(large(mode="area")), "enlarge bilinearly: that is the mode area"),
        (low(large(mode="bilinear", align_corners=True)), "leave align_corners alone"),
        (low(whole.relu()), "there is no ReLU before low"),
        (low(F.interpolate(coarse.relu(), size, **SMOOTH)), "there is no ReLU before low"),
        (low[1:](whole), "the depthwise step of low is left out: use all of it"),
        (low[:2](whole), "the normalisation of low is left out: use all of it"),
        (low(whole).relu(), "no ReLU on the coarse path alone: one, behind the sum"),
        (low(whole) * 0, "the coarse path is left out"),
    ]


def _highs(fusion: Any, fine: Tensor) -> Mistakes:
    """The fine path, up to the sum: right, then mistakes."""
    return [
        (fusion.high(fine), ""),
        (fusion.high(fine.relu()), "there is no ReLU before high"),
        (fusion.high[0](fine), "the normalisation of high is left out: use all of it"),
        (fusion.high(fine).relu(), "no ReLU on the fine path alone: one, behind the sum"),
        (fusion.high(fine) * 0, "the fine path is left out"),
    ]


def misfused(fusion: Any, fine: Tensor, coarse: Tensor) -> Iterable[tuple[Any, str]]:
    """What is taken for the fusion of two paths; its parts are right."""
    mix, lows, highs = fusion.mix, _lows(fusion, coarse, fine.shape[-2:]), _highs(fusion, fine)
    (low, _), (high, _) = lows[0], highs[0]
    missing = "a ReLU is missing between the sum and mix"
    acts = activations("behind the sum", missing)[1:]
    return chain(
        [(mix(high.relu() + low.relu()), "one ReLU, behind the sum, not one on each path")],
        ((mix((high + c).relu()), d) for c, d in lows[1:]),
        ((mix((a + low).relu()), b) for a, b in highs[1:]),
        ((mix(act(high + low)), message) for act, message in acts),
        _summed_otherwise(mix, high, low),
        ((mix(a + low), joined(b, missing)) for a, b in highs[1:]),
        ((mix(high + c), joined(d, missing)) for c, d in lows[1:]),
        _joined_otherwise(mix, high, low, missing),
        ((mix((a + c).relu()), f"{b}; {d}") for (a, b), (c, d) in product(highs[1:], lows[1:])),
        (
            (mix(a + c), joined(f"{b}; {d}", missing))
            for (a, b), (c, d) in product(highs[1:], lows[1:])
        ),
    )


def _joined_otherwise(mix: Any, high: Tensor, low: Tensor, missing: str) -> Mistakes:
    """What is made of the two paths in place of their sum."""
    unsummed = [
        (high * low, "the two paths are multiplied: add them"),
        (high - low, "low is taken away: add it"),
        (low - high, "high is taken away: add it"),
        (torch.maximum(high, low), "the larger of the two is taken: add them"),
    ]
    return [
        *[(mix(v.relu()), m) for v, m in unsummed],
        *[(mix(v), f"{m}; {missing}") for v, m in unsummed],
    ]


def _summed_otherwise(mix: Any, high: Tensor, low: Tensor) -> Mistakes:
    """What is made of the sum of the two paths."""
    both = (high + low).relu()
    end = mix(both)
    return [
        (mix(F.relu6(high + low)), "this is ReLU6: here it is ReLU"),
        (mix(both / 2), "the mean of the two paths: their sum"),
        (mix(2 * both), "the sum is doubled"),
        (mix((high + 2 * low).relu()), "the coarse path counts twice"),
        (mix((2 * high + low).relu()), "the fine path counts twice"),
        (both, "mix is missing: the paper's end, not the report's"),
        (high + low, "mix is missing, and the ReLU behind the sum"),
        *[
            (act(one + two), "mix comes last, behind the sum and its ReLU, and once")
            for one, two in ((mix(high), low), (high, mix(low)), (mix(high), mix(low)))
            for act in (F.relu, torch.clone)
        ],
        (mix(end), "mix is used once"),
        (mix[0](both), "the convolution of mix alone: call all of it"),
        (mix[:2](both), "mix's ReLU is left out: call all of it"),
        (end + both, "nothing is added to what mix gives"),
        (end.softmax(1), "these are features, no scores: no softmax behind mix"),
        (end.sigmoid(), "these are features, no scores: no sigmoid behind mix"),
    ]
