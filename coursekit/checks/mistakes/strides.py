"""Known mistakes in lesson 04's label maps through a stride, and what to say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Mistakes = list[tuple[Any, str]]


#: Exceptions on the way through a stride, what they say, and what is behind them.
UNSHRUNK: tuple[tuple[type[Exception], str, str], ...] = (
    (
        RuntimeError,
        "than num_classes",
        "F.one_hot's second argument is num_classes: not the stride, and not always 19 classes",
    ),
    (TypeError, r"one_hot\(\): argument", "F.one_hot takes the maps first: (maps, num_classes)"),
    (
        RuntimeError,
        "LongTensor",
        "ids are whole numbers: F.one_hot comes first, `.float()` after it",
    ),
    (
        RuntimeError,
        "number of dimensions in the tensor input",
        "F.one_hot gives (B, H, W, C): `.permute(0, 3, 1, 2)` brings C to dimension 1",
    ),
    (
        NotImplementedError,
        "(upsample|argmax).*[Bb]ool",
        "shares became True and False: leave the comparison out, the arg-max compares them",
    ),
    (
        NotImplementedError,
        "pool.*'(Bool|Byte|Char|Short|Int)'",
        "yes and no have no mean: `.float()` before you average",
    ),
    (NotImplementedError, "'Long'", "shares are no whole numbers: `.float()` first"),
    (NotImplementedError, "mode needs", "maps are enlarged with the mode bilinear"),
    (
        ValueError,
        r"spatial dimensions of \[\d+\]",
        "it is shares, (B, C, H, W), that are averaged and enlarged: ids have no mean",
    ),
    (
        ValueError,
        "spatial dim",
        "enlarge the shares, (B, C, …), to height and width alone: maps.shape[-2:]",
    ),
)


def misshrunk(maps: Tensor, classes: int) -> Iterator[tuple[Any, str]]:
    """What is taken for label maps (B, H, W) after a stride of 8; H and W are multiples of 8."""
    size, last = tuple(maps.shape[-2:]), F.one_hot(maps, classes).float()
    one_hot, ids = last.permute(0, 3, 1, 2), maps[:, None].float()
    shares = F.avg_pool2d(one_hot, 8)

    def large(small: Tensor, mode: str = "bilinear", **how: Any) -> Tensor:
        return F.interpolate(small.float(), size, mode=mode, **how)

    yield from _pooled_otherwise(one_hot, large)
    yield from _called_otherwise(shares, ids, large)
    yield from _kept_otherwise(maps, last, large)


def _kept_otherwise(maps: Tensor, last: Tensor, large: Callable[..., Tensor]) -> Mistakes:
    one_hot = last.permute(0, 3, 1, 2)
    shares, few = F.avg_pool2d(one_hot, 8), (maps.shape[-2] // 8, maps.shape[-1] // 8)
    one = "one pixel of 64 is kept: average all of them"
    steps = "steps of 8 pixels: enlarge the shares bilinearly, take the arg-max last"
    moved = "F.one_hot puts the classes last: bring them to dimension 1"
    corners = (0, 4)  # the first pixel of a square, one in its middle
    return [
        (maps, "this is what went in: shrink it"),
        (0 * maps, "all is class 0: the arg-max is over the classes of a one-hot"),
        *[(large(F.avg_pool2d(last.transpose(n, n + 1), 8)).argmax(1), moved) for n in (1, 2)],
        (large(F.avg_pool2d(last, 8).mT).argmax(1), moved),
        (large(F.avg_pool2d(last.permute(0, 2, 3, 1), 8)).argmax(1), moved),
        (
            large(F.avg_pool2d(shares, 2)).argmax(1),
            "shrunk twice: average squares of 8 × 8 pixels, once",
        ),
        (large(shares).argmax(), "the arg-max goes over the classes: dimension 1"),
        *[
            (
                F.interpolate(shares, other, mode="bilinear").argmax(1),
                "those are not the maps' height and width: enlarge to maps.shape[-2:]",
            )
            for other in (
                *(maps.shape[:2], maps.shape[:0:-1], (2 * few[0], 2 * few[1])),
                *((side, side) for side in (*maps.shape[1:], 8)),
            )
        ],
        *[(large(shares, mode).argmax(1), steps) for mode in ("nearest", "nearest-exact")],
        (large(shares, "bicubic").argmax(1), "enlarged bicubically: mode is bilinear"),
        (large(shares, "area").argmax(1), "that is the mode area: mode is bilinear"),
        (large(shares, align_corners=True).argmax(1), "align_corners: leave it alone"),
        *[(large(maps[:, None, d::8, d::8], "nearest")[:, 0], one) for d in corners],
        *[(large(one_hot[..., d::8, d::8]).argmax(1), one) for d in corners],
        (
            large(F.interpolate(one_hot, few, mode="bilinear")).argmax(1),
            "shrunk bilinearly: that looks at 4 pixels of 64, average all",
        ),
        (
            large(F.interpolate(one_hot, few, mode="bicubic")).argmax(1),
            "shrunk bicubically: that looks at 16 pixels of 64, average all",
        ),
        (large(F.interpolate(one_hot, few)).argmax(1), one),
        (
            large(F.avg_pool2d(last.reshape(one_hot.shape), 8)).argmax(1),
            "reshape mixes pixels and classes: permute moves dimensions",
        ),
        (
            large(F.avg_pool2d(last, 8)).argmax(1),
            "F.one_hot puts the classes last: a permute is missing",
        ),
        (
            large(F.avg_pool2d(last.permute(0, 3, 2, 1), 8)).argmax(1),
            "permute has changed height and width round",
        ),
    ]


def _pooled_otherwise(one_hot: Tensor, large: Callable[..., Tensor]) -> Mistakes:
    overlap = "the squares overlap: a square of 8 × 8 begins every 8 pixels"
    return [
        (
            large(F.adaptive_avg_pool2d(one_hot, 8)).argmax(1),
            "8 × 8 squares in all: average squares of 8 × 8 pixels",
        ),
        (
            large(F.max_pool2d(one_hot, 8)).argmax(1),
            "the largest value says whether a class is there, not its share: average",
        ),
        (
            large(F.avg_pool2d(one_hot, one_hot.shape[1])).argmax(1),
            "squares as large as there are classes: the second argument is stride",
        ),
        (large(F.avg_pool2d(one_hot, 8, 1)).argmax(1), overlap),
        (large(F.avg_pool2d(one_hot, 9, 8, 4)).argmax(1), overlap),
        *[
            (
                large(F.avg_pool2d(one_hot, 8, 8, n)).argmax(1),
                "the squares begin at the corner: no padding",
            )
            for n in (1, 4)
        ],
        (
            large(F.avg_pool2d(one_hot, 2, 8)).argmax(1),
            "squares of 2 × 2: average squares of 8 × 8 pixels",
        ),
        (
            large(F.avg_pool2d(one_hot, 3, 8, 1)).argmax(1),
            "squares of 3 × 3: average squares of 8 × 8 pixels",
        ),
        (
            F.avg_pool2d(one_hot, 3, 1, 1).argmax(1),
            "nothing is shrunk: average squares of 8 × 8 pixels",
        ),
    ]


def _called_otherwise(shares: Tensor, ids: Tensor, large: Callable[..., Tensor]) -> Mistakes:
    means, mean = F.avg_pool2d(ids, 8), "the mean of class ids is another class: one-hot first"
    likely = shares.argmax(1, keepdim=True)
    small = F.one_hot(likely[:, 0], shares.shape[1]).permute(0, 3, 1, 2)
    return [
        (
            large(likely)[:, 0].round(),
            "the ids were enlarged, and the mean of ids is another class: take the arg-max last",
        ),
        (
            large(small).argmax(1),
            "the arg-max was taken on the small map: take it last, at full size",
        ),
        *[
            (large((shares > limit).float()).argmax(1), "shares are not rounded")
            for limit in (0, 0.5)
        ],
        (large(shares.softmax(1)).argmax(1), "shares are shares: no softmax"),
        (large(shares.round()).argmax(1), "shares are not rounded"),
        (
            (large(shares) > 0.5).int().argmax(1),
            "no class need have more than half: the arg-max takes the shares themselves",
        ),
        (
            large(shares).amax(1),
            "these are the largest shares: the class is their place, .argmax(1)",
        ),
        (
            torch.ones_like(ids[:, 0]),
            "all is 1, the sum of a pixel's shares: take the place of the largest, .argmax(1)",
        ),
        (large(shares).argmin(1), "that is the class with the smallest share"),
        (
            large(shares)[:, 1:].argmax(1),
            "the background is left out, and each class is one too low",
        ),
        (large(shares)[:, 1:].argmax(1) + 1, "the background is left out: it is a class"),
        (large(shares).argmax(1) + 1, "classes begin at 0: the arg-max is the id already"),
        (large(shares.mT).argmax(1), "height and width are changed round"),
        *[
            (large(means, mode)[:, 0].to(kind).round(), mean)
            for mode in ("bilinear", "nearest")
            for kind in (torch.float32, torch.int32)
        ],
        (
            large(F.max_pool2d(ids, 8), "nearest")[:, 0],
            "the largest class id is no share: one-hot first",
        ),
    ]
