"""Known mistakes in the exercises of lesson 04: what each of them gives, and what to say of it."""

from __future__ import annotations

from functools import cache, partial
from itertools import chain, permutations, product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from coursekit.models import create_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Mistakes = list[tuple[Any, str]]
    Size = tuple[int, ...]

_LOGITS = "these are probabilities: return logits, the loss applies the softmax"
_WIDENS = "the 3×3 changes the number of channels: leave that to the 1×1"
#: Shapes of two kernels, of 6 → 12 channels, that are not (6, 1, 3, 3) and (12, 6, 1, 1).
WRONG_STEPS: Mistakes = [
    (
        [(6, 6, 3, 3), (12, 6, 1, 1)],
        "the 3×3 mixes all channels, which costs a·a·9: set its groups",
    ),
    ([(12, 6, 1, 1), (12, 1, 3, 3)], "the 1×1 comes first: look around first, then mix"),
    ([(12, 1, 3, 3), (12, 12, 1, 1)], _WIDENS),
    ([(6, 1, 3, 3), (12, 6, 3, 3)], "the second step looks around again: its kernel is 1×1"),
    ([(6, 1, 5, 5), (12, 6, 1, 1)], "the depthwise kernel is 5×5: a depthwise 3×3"),
    (
        [(6, 1, 1, 1), (12, 6, 1, 1)],
        "the depthwise kernel is 1×1 and looks at no neighbour: a depthwise 3×3",
    ),
    (
        [(6, 1, 3, 3), (12, 1, 1, 1)],
        "the 1×1 has groups, and mixes nothing: a depthwise 3×3, then a 1×1 without",
    ),
    ([(12, 1, 3, 3), (12, 6, 1, 1)], _WIDENS),
    ([(6, 1, 3, 3)], "the 1×1 is missing: a depthwise 3×3, then a 1×1"),
    ([(12, 6, 1, 1)], "the 3×3 is missing: a depthwise 3×3, then a 1×1"),
    ([(12, 6, 3, 3)], "one dense convolution: a depthwise 3×3, then a 1×1"),
]
#: Shapes of logits that are not (3, 19, 43, 50).
SIZES_OF = {
    (3, 19, 6, 7): "an eighth of the size: enlarge the logits",
    (3, 19, 48, 56): "enlarged, but not to the image's size: take that, not × 8",
    (3, 19, 50, 43): "height and width are changed round",
    (3, 128, 43, 50): "the classifier is left out",
    (3, 19, 3, 43): "those are not the image's height and width: they come last, shape[-2:]",
    (3, 19, 512, 512): "enlarge to the image's own size, not always 512²",
    (3, 3, 43, 50): "three channels are the image's: enlarge the logits",
    (3, 43, 50): "one score a class and pixel: leave out the arg-max",
}
#: What each part of the network is made with.
ARGUMENTS = {
    "learning_to_downsample": "its widths are `downsample`",
    "global_feature_extractor": "from downsample[-1] channels, with `bottlenecks` and `width`",
    "feature_fusion": "its paths have downsample[-1] channels and, once projected, `width`",
    "classifier": "from `width` channels to `num_classes`",
}
#: How maps are enlarged.
SMOOTH: dict[str, Any] = {"mode": "bilinear", "align_corners": False}


def joined(*messages: str) -> str:
    """Those of the messages that say something."""
    return "; ".join(message for message in messages if message)


def activations(where: str, plain: str) -> list[tuple[Callable[[Tensor], Tensor], str]]:
    """A ReLU, and what takes its place."""
    others: dict[Any, str] = {
        F.gelu: "a GELU",
        F.silu: "a SiLU",
        F.elu: "an ELU",
        torch.sigmoid: "a sigmoid",
        torch.tanh: "a tanh",
        F.leaky_relu: "a leaky ReLU",
    }
    told = [(act, f"{where} is {name}: here it is ReLU") for act, name in others.items()]
    return [(F.relu, ""), (lambda x: x, plain), *told]


def mispaired(x: Tensor, depth: Tensor, point: Tensor) -> Mistakes:
    """What is taken for a separable convolution of stride 2, in training.

    Args:
        x: (B, a, H, W).
        depth: (a, 1, 3, 3), the kernels of the depthwise step.
        point: (b, a, 1, 1), those of the pointwise one.
    """

    def norm(y: Tensor) -> Tensor:
        return F.batch_norm(y, None, None, training=True)

    def deep(y: Tensor, padding: int = 1, dilation: int = 1) -> Tensor:
        return F.conv2d(y, depth, None, 2, padding, dilation, len(depth))

    first, right = deep(x), F.conv2d(norm(deep(x)).relu(), point)
    between = activations(
        "between the two steps", "there is no ReLU between the two steps: the report has one"
    )
    last = activations("at the end", "there is no ReLU at the end")
    found: Mistakes = [
        (two(norm(F.conv2d(one(norm(first)), point))), joined(a, b))
        for (one, a), (two, b) in product(between, last)
    ]
    around = "zeros stand around the map: leave the padding's mode as it is"
    padded = [F.pad(x, (1, 1, 1, 1), mode) for mode in ("reflect", "replicate", "circular")]
    slips = [(deep(y, 0), around) for y in padded]
    slips += [(deep(x, 2, 2), "the 3×3 is dilated: its taps lie side by side")]
    return [
        *[(value, message) for value, message in found if message],
        *[(norm(F.conv2d(norm(y).relu(), point)).relu(), message) for y, message in slips],
        (
            norm(F.conv2d(norm(first.relu()), point)).relu(),
            "normalise, then ReLU, in the first step",
        ),
        (norm(right.relu()), "normalise, then ReLU, in the second step"),
        (norm(F.conv2d(norm(first.relu()), point).relu()), "normalise, then ReLU, in both steps"),
    ]


def misbuilt(a: int, b: int, factor: int) -> Mistakes:
    """Shapes of the three kernels of an inverted residual, a → b channels, that are wrong."""
    w = a * factor
    found = [
        (b * factor, b * factor, "it is expansion times in_channels wide inside"),
        (w, 1, "the 3×3 mixes channels: set its groups"),
        (w, factor, "each channel by itself: as many groups as it has"),
        (w, a, "each channel by itself: as many groups as it has"),
        (factor, factor, "expansion is a factor, not a number of channels"),
        (a + factor, a + factor, "expansion is a factor: multiply"),
        (a, a, "expansion has no effect: widen first"),
        (a * 6, a * 6, "expansion is an argument, not always 6"),
    ]
    return [
        ([(inside, a, 1, 1), (inside, inside // groups, 3, 3), (b, inside, 1, 1)], message)
        for inside, groups, message in found
    ]


def misshortened(x: Tensor, body: Tensor) -> Mistakes:
    """What is taken for x + layers(x)."""
    changed = "the shortcut carries x as it came; something changed it on the way"
    late = "there is a ReLU after the sum, which cuts the narrow end off"
    half = "the sum is halved: add, no more"
    return [
        (body, "stride 1 and as many channels out as in: here a shortcut belongs"),
        (x, "layers is never called, or its answer is thrown away"),
        *[(act(x + body), late) for act in (F.relu, F.relu6, F.gelu, F.silu, torch.sigmoid)],
        *[
            (x + act(body), "the last step is linear: nothing follows layers")
            for act in (F.relu, F.relu6, F.gelu)
        ],
        *[(act(x) + body, changed) for act in (F.relu, F.relu6, torch.sigmoid)],
        (F.normalize(x, dim=1) + body, changed),
        (F.batch_norm(x, None, None, training=True) + body, changed),
        (
            F.batch_norm(x + body, None, None, training=True),
            "the sum is normalised: leave it as it is",
        ),
        (x.mean((2, 3), keepdim=True) + body, "the mean of x is added: add x itself"),
        (x.mean() + body, "the mean of x is added: add x itself"),
        (x.mean(1, keepdim=True) + body, "the mean over channels is added: add x itself"),
        (x - body, "what layers gives is taken away: add it"),
        (body - x, "x is taken away: add it"),
        (x * body, "x and layers(x) are multiplied: add them"),
        (torch.maximum(x, body), "the larger of the two is taken: add them"),
        ((x + body) / 2, half),
        ((x + body) / 2**0.5, half),
        (2 * x + body, "x is added twice"),
        (x + 2 * body, "layers(x) is added twice"),
        (2 * (x + body), "the sum is doubled: add, no more"),
        (2 * body, "layers(x) is added to itself: add x"),
        (x + body.flip(-1), "the map is turned round"),
    ]


def _grids() -> Mistakes:
    """Ways to pool on a grid: the right one, then others."""
    mean, pixels = F.adaptive_avg_pool2d, "a grid of n × n bins, not bins of n × n pixels"
    return [
        (mean, ""),
        (F.adaptive_max_pool2d, "this takes the largest value of each bin, not the mean"),
        (lambda x, n: F.avg_pool2d(x, n), pixels),
        (lambda x, n: mean(x, n**2), "pooled to n² × n² bins: n × n"),
        *[(lambda x, n, m=m: mean(x, m), "the same grid every time: use `grid`") for m in (1, 3)],
        (lambda x, n: mean(x, (x.shape[2] // n, x.shape[3] // n)), pixels),
        (lambda x, n: mean(x, (1, n)), "a grid of n × n bins, not of one row"),
        (lambda x, n: mean(x, (n, 1)), "a grid of n × n bins, not of one column"),
        (lambda x, n: n**2 * mean(x, n), "these are sums: a bin gives its mean"),
        (
            lambda x, n: F.interpolate(x, (n, n), mode="bilinear"),
            "shrunk bilinearly, which looks at 4 pixels: average over bins",
        ),
        (lambda x, n: F.interpolate(x, (n, n)), "one pixel of each bin: average all of it"),
        (lambda x, n: mean(x.relu(), n), "a ReLU before the means: it stands in reduce"),
        (lambda x, n: mean(x, n).relu(), "a ReLU before reduce: pool, then reduce"),
        (lambda x, n: x, "nothing is pooled"),
        (
            lambda x, n: F.avg_pool2d(x, n, 1, n // 2),
            "a grid of n × n bins, not a window round each pixel",
        ),
    ]


def mispooled(ppm: Any, x: Tensor, grids: Size) -> Iterable[tuple[Any, str]]:
    """What is taken for pyramid pooling's output; its parts are right."""
    ways, size = _grids(), x.shape[-2:]
    mean = ways[0][0]

    def maps(
        pool: Any = mean, reduces: Any = ppm.reduce, bins: Size = grids, **how: Any
    ) -> list[Tensor]:
        small = [reduce(pool(x, n)) for n, reduce in zip(bins, reduces, strict=True)]
        return [F.interpolate(y, size, **({"mode": "bilinear"} | how)) for y in small]

    right, pairs = maps(), list(zip(grids, ppm.reduce, strict=True))
    late = [reduce(F.interpolate(mean(x, n), size, mode="bilinear")) for n, reduce in pairs]
    early = [F.interpolate(mean(reduce(x), n), size, mode="bilinear") for n, reduce in pairs]
    blocks, mode = "enlarged without interpolation: mode is bilinear", "mode is bilinear"
    orders = [*permutations(range(len(grids)))][1:]
    own, written = "each block of reduce goes with its own grid", tuple(range(1, len(grids) + 1))
    one = "the same block of reduce for every grid: each has its own"
    parts: list[tuple[list[Tensor], str]] = [
        ([*right, x], "x stands behind the means; weights count on it in front"),
        ([x, *late], "reduce while the map is small, then enlarge"),
        ([x, *early], "the means first, then reduce: a ReLU stands in reduce"),
        *[([x, *maps(mode=m)], blocks) for m in ("nearest", "nearest-exact")],
        ([x, *maps(mode="bicubic")], f"that is bicubic: {mode}"),
        ([x, *maps(mode="area")], f"that is the mode area: {mode}"),
        ([x, *maps(align_corners=True)], "align_corners is set: leave it alone"),
        *[([x, *maps(pool)], message) for pool, message in ways[1:]],
        ([x, *maps(bins=written)], "grids are written in: go through self.bins"),
        *[([x, *maps(bins=tuple(grids[i] for i in order))], own) for order in orders],
        *[([x, *maps(reduces=[ppm.reduce[i] for i in order])], own) for order in orders],
        *[([x, *maps(reduces=[block] * len(grids))], one) for block in ppm.reduce],
        *_misplaced(x, right, mean(x, 1)),
    ]
    found = ((ppm.project(torch.cat(each, 1)), message) for each, message in parts)
    both = torch.cat([x, *right], 1)
    return chain(found, _unprojected(ppm.project, both, x))


def pooling_apart(mine: Any, twin: Any, x: Tensor) -> str:
    """What of pyramid pooling differs from its twin, which has the same weights; "" if unknown.

    Looks at what `project` is given: x as it came, and then the maps.
    """
    took: list[list[Tensor]] = []
    for network in (mine, twin):
        calls: list[Tensor] = []
        hook = network.project.register_forward_pre_hook(
            lambda part, args, calls=calls: calls.extend(args)
        )
        network(x)
        hook.remove()
        took.append(calls)
    if len(took[0]) != 1 or took[0][0].shape != took[1][0].shape:
        return ""
    sizes = [x.shape[1], *(block[0].out_channels for block in twin.reduce)]
    pairs = zip(*(each[0].split(sizes, 1) for each in took), strict=True)
    front, *maps = (torch.allclose(one, two, atol=1e-4, rtol=1e-4) for one, two in pairs)
    grids = ", ".join(str(n) for n, same in zip(twin.bins, maps, strict=True) if not same)
    words = ["something is done to x before `project`: it stands in front as it came"] * (not front)
    if grids:
        words.append(
            f"up to `project` the maps of these grids differ: {grids}. Means, `reduce`, "
            "bilinear enlarging, and nothing else"
        )
    return joined(*words) or "`project` gets what it should, and what comes after it is different"


def _misplaced(x: Tensor, maps: list[Tensor], mean: Tensor) -> list[tuple[list[Tensor], str]]:
    """What is concatenated in place of x and its maps."""
    places, order = range(len(maps)), "the maps stand in the order of the grids"
    turned, all_of_one = [*permutations(maps)][1:], "one map stands for all: put each into the list"
    return [
        *[([x, *each], order) for each in turned],
        *[([x, *[each] * len(maps)], all_of_one) for each in maps],
        *[([x, *maps[:i], 0 * maps[i], *maps[i + 1 :]], "a map is thrown away") for i in places],
        ([x, *(0 * each for each in maps)], "the maps are thrown away"),
        ([*maps[::-1], x], "x stands in front, then the maps in the order of the grids"),
        ([0 * x, *maps], "x itself is left out: it stands in front"),
        ([x.relu(), *maps], "x stands in front as it came: no ReLU"),
        ([mean.expand_as(x), *maps], "x stands in front as it came, not its mean"),
    ]


def _unprojected(project: Any, both: Tensor, x: Tensor) -> Mistakes:
    """What is made of the concatenated maps in place of `project`'s answer."""
    end = project(both)
    return [
        (project[0](both), "the convolution of project alone: call all of it"),
        (project[:2](both), "project's ReLU is left out: call all of it"),
        *[(act(end), "nothing comes after project") for act in (torch.sigmoid, F.gelu)],
        (end.softmax(1), "these are features, no scores: no softmax after project"),
        (end + x[:, :1], "nothing is added to what project gives"),
        (end + end, "nothing is added to what project gives"),
    ]


@cache
def whole_network() -> nn.Module:
    """The course's network, for evaluation; one for all, because to build it takes longest."""
    with torch.random.fork_rng(devices=[]):
        return create_model("fastscnn").eval().requires_grad_(False)


def misassembled(network: Any, image: Tensor) -> Iterable[tuple[Any, str]]:
    """What is taken for the logits of an image; the network's parts are right."""
    size = tuple(image.shape[-2:])
    fine = network.learning_to_downsample(image)
    coarse = network.global_feature_extractor(fine)
    both = network.feature_fusion(fine, coarse)
    small, right = network.classifier(both), network(image)
    mean, spread = image.mean((2, 3), keepdim=True), image.std((2, 3), keepdim=True)
    others = (image / 255, image * 255, (image - mean) / spread, image.clamp(0, 1), 2 * image - 1)

    def large(x: Tensor, **how: Any) -> Tensor:
        return F.interpolate(x, size, **({"mode": "bilinear"} | how))

    white = "the image is whitened already: use it as it is"
    blocks = "enlarged in steps of 8 pixels: mode is bilinear"
    cut = "a ReLU cuts the classifier's negative scores off"
    whole = F.interpolate(small, scale_factor=8, mode="bilinear")[..., : size[0], : size[1]]
    early = "classify at an eighth, then enlarge the logits: far less work"
    steps = large(F.interpolate(small, scale_factor=2, mode="bilinear"))
    likely = (partial(torch.softmax, dim=1), partial(torch.log_softmax, dim=1), torch.sigmoid)
    found: Mistakes = [
        *[(large(small, mode=mode), blocks) for mode in ("nearest", "nearest-exact")],
        (large(small, mode="bicubic"), "enlarged bicubically: mode is bilinear"),
        (large(small, mode="area"), "that is the mode area: mode is bilinear"),
        (large(small, align_corners=True), "align_corners: leave it alone"),
        (whole, "enlarged by 8 and cut: enlarge to the image's size"),
        (steps, "enlarged in two steps: one is enough"),
        (network.classifier(large(both)), early),
        (
            large(network.classifier(coarse)),
            "the fine path is left out: classify what feature_fusion gives",
        ),
        *[(act(right), _LOGITS) for act in likely],
        *[(large(act(small)), _LOGITS) for act in likely],
        *[(right.softmax(dim), "a softmax over places: return logits") for dim in (0, 2, 3)],
        (right.relu(), "a ReLU after the last step cuts negative scores off: leave it out"),
        (large(small.relu()), cut),
    ]
    return chain(found, ((network(other), white) for other in others))
