"""Known mistakes in the exercises of lesson 02: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

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


#: Exceptions in the weighted cross-entropy, what they say, and what is behind them.
UNPICKED: tuple[tuple[type[Exception], str, str], ...] = (
    (
        RuntimeError,
        "same number of dimensions|Size does not match",
        "`gather` wants as many dimensions as it looks into: target[:, None], (B, 1, H, W)",
    ),
    (RuntimeError, "out of bounds for dim", "the classes are dimension 1: gather(1, …)"),
    (
        IndexError,
        "out of bounds",
        "an index picks images here: `gather(1, target[:, None])` picks each pixel's class",
    ),
    *(
        (
            kind,
            "must match the size|used as indices",
            "`weights` has one number a class: `weights[target]` is the map of them, (B, H, W)",
        )
        for kind in (RuntimeError, IndexError)
    ),
)


def weighed_otherwise(logits: Tensor, target: Tensor, weights: Tensor) -> Mistakes:
    """Known mistakes in the weighted cross-entropy, for two images."""
    each, pixels = F.cross_entropy(logits, target, weights, reduction="none"), weights[target]
    plain, total, right = each / pixels, pixels.sum(), each.sum() / pixels.sum()

    def picked(log_p: Tensor) -> Tensor:
        return -(log_p.gather(1, target[:, None])[:, 0] * pixels).sum() / total

    p, y = logits.softmax(1), F.one_hot(target, logits.shape[1]).movedim(-1, 1)
    mixed, by = F.one_hot(target, logits.shape[1]).reshape(p.shape), weights.view(1, -1, 1, 1)
    no = (by * (1 - y) * (1 - p).log()).sum() / total
    spread = (pixels * plain[:, None]).sum()
    classes = [weights[c] * plain[target == c].mean() for c in target.unique().tolist()]
    return [
        (-right, "the sign is wrong: the logarithm of a probability is negative, a loss is not"),
        (each.mean(), "you divided by the number of pixels: divide by the sum of their weights"),
        (each.sum(), "this is the sum over the pixels: divide it by the sum of their weights"),
        (
            each.sum() / weights.sum(),
            "you divided by the classes' weights: sum those of the pixels",
        ),
        (each.sum() / 2, "you divided by the number of images: divide by the sum of the weights"),
        (
            each.sum() / each[0].numel(),
            "you divided by one image's pixels: sum all pixels' weights",
        ),
        (each.sum() / pixels.mean(), "you divided by the mean weight: by the sum of them"),
        ((pixels * each).sum() / total, "each pixel is weighted twice: multiply once"),
        ((pixels + plain).sum() / total, "the weights are added to the losses: multiply"),
        (each / total, "these are the pixels' parts of the loss: take their sum"),
        (
            (each.sum((1, 2)) / pixels.sum((1, 2))).mean(),
            "this is the mean of the images' losses: sum over the batch, then divide",
        ),
        (spread / total, "(B, 1, H, W) times (B, H, W) pairs all images: take [:, 0] after gather"),
        (plain.mean(), "weights have no effect: multiply each pixel by its class's"),
        (plain.sum() / total, "the weights stand below alone: multiply each pixel's loss, too"),
        ((pixels * each).sum() / (pixels**2).sum(), "the weights are squared: multiply once"),
        (F.cross_entropy(logits, target, 1 / weights), "you divided by the weights: multiply"),
        (sum(classes) / weights.sum(), "each class was averaged by itself: sum over all pixels"),
        (
            each.mean() / logits.shape[1],
            "you took the mean over the classes, too: each pixel has one term",
        ),
        (right - no, "that is the loss of yes and no: here only the true class counts"),
        (picked(logits.log_softmax(-1)), "softmax along the width: classes are dimension 1"),
        (picked(logits.log_softmax(2)), "softmax along the height: classes are dimension 1"),
        (picked(logits.log_softmax(0)), "softmax over the images: classes are dimension 1"),
        (-(-picked(p)).log(), "this is the logarithm of a mean: first -log ŷ of each pixel"),
        (1 + picked(p), "this is the mean of 1 - ŷ: a pixel costs -log ŷ"),
        (picked(p), "the logarithm is missing: use log_softmax"),
        (picked(p.log_softmax(1)), "the softmax is there twice: log_softmax takes the logits"),
        (picked(logits), "the softmax is missing: logits are no log-probabilities"),
        (picked(F.logsigmoid(logits)), "p comes from a softmax over the classes, no sigmoid"),
        ((pixels.sqrt() * plain).sum() / pixels.sqrt().sum(), "the weights have no root"),
        (
            (each / weights.sum()).mean(),
            "you divided by the classes' weights: sum those of the pixels",
        ),
        (picked((logits * by).log_softmax(1)), "the weights multiply losses, not logits"),
        (
            picked(logits.log_softmax(1).amax(1, True).expand_as(logits)),
            "of the true class, not the likeliest",
        ),
        ((by * (p - y) ** 2).sum() / total, "that is a squared error: -log ŷ of the true class"),
        (right / np.log(10), "that is the logarithm to base 10: take the natural one"),
        (right / np.log(2), "that is the logarithm to base 2: take the natural one"),
        (
            -(by * mixed * p.log()).sum() / (by * mixed).sum(),
            "reshape does not move dimensions: permute or movedim",
        ),
    ]


def weighed_apart(loss: Callable[..., Tensor], logits: Tensor, target: Tensor) -> str:
    """What is different in the weighted cross-entropy: the pixel, the mean or the weights."""
    one, true, twos = logits[:1, :, :1, :1], target[:1, :1, :1], torch.full((4,), 2.0)
    got, right = loss(one, true, twos), F.cross_entropy(one, true)
    if not torch.allclose(got, right, atol=1e-4):
        pixel = f"got {got:.4g}, expected: {right:.4g}"
        return f"of a single pixel the loss is -log ŷ, whatever its weight ({pixel})"
    right = F.cross_entropy(logits, target)
    for weights in (torch.ones(4), twos):
        got = loss(logits, target, weights)
        if not torch.allclose(got, right, atol=1e-4):
            mean = f"got {got:.4g}, expected: {right:.4g}"
            return f"with every weight {weights[0]:g} it is the mean over all pixels ({mean})"
    return (
        "a pixel is right, and so are equal weights: look at how unequal ones enter. Each pixel's "
        "loss times its class's weight, and the sum by the sum of those weights"
    )


def averaged_apart(mean_iou: Callable[..., float]) -> str:
    """What is different in the mean IoU: of a class, of the mean, or of absent classes."""
    for rows, told, right in (
        ([[4, 0], [0, 6]], "a table without errors", 1.0),
        ([[0, 3], [2, 0]], "a table without a hit", 0.0),
        ([[3, 1], [1, 3]], "[[3, 1], [1, 3]], where both classes have 3/5,", 0.6),
        ([[3, 1], [2, 6]], "[[3, 1], [2, 6]], with 3/6 and 6/9,", 7 / 12),
    ):
        got = float(mean_iou(torch.tensor(rows)))
        if not abs(got - right) < 1e-4:
            return f"{told} has the mean IoU {right:.4g}, and you say {got:.4g}"
    return (
        "where all classes occur and are found it is right: look at class 2 (never true), 3 "
        "(occurs nowhere), 5 and 6 (never predicted)"
    )


def averaged_otherwise(table: Tensor) -> Mistakes:
    """Known mistakes in the mean IoU; class 2 is never true, 3 absent, 5 and 6 never predicted."""
    hit, true, called = table.diagonal().double(), table.sum(1).double(), table.sum(0).double()
    there, union = true + called > 0, true + called - hit
    values = torch.where(there, hit / union.clamp_min(1), 0.0)
    loss = "this is 1 minus the mean: the score is asked for, not a loss"
    once = "rows (true) and columns (predicted) are in the union once each: one is there twice"
    table_below = "below stands the class's union, not the whole table"
    return [
        (values.mean(), "a class that occurs nowhere counted as 0: leave it out of the mean"),
        ((values.sum() + 1) / len(table), "a class that occurs nowhere counted as 1: leave it out"),
        (values[true > 0].mean(), "class 2 is never true, but was predicted: it counts, with 0"),
        (values[called > 0].mean(), "class 5 is true, and was never predicted: it counts, with 0"),
        (values[hit > 0].mean(), "classes without a hit were left out: they count, with 0"),
        (
            (hit / (true + called))[there].mean(),
            "the intersection is in the union twice: take it off",
        ),
        (  # infinity, as IoU turned over is
            (hit / (union - hit))[there].mean(),
            "class 4 divides by 0: was the intersection taken off twice, or IoU turned over?",
        ),
        ((2 * hit / (true + called))[there].mean(), "this is F1, not IoU"),
        (
            (hit / true)[true > 0].mean(),
            "this is recall: the union has wrongly predicted pixels too",
        ),
        ((hit / called)[called > 0].mean(), "this is precision: the union has missed pixels, too"),
        (
            torch.nanmean(hit / called + hit / true) / 2,
            "this is the mean of precision and recall: below stands the union",
        ),
        *((torch.nanmean(hit / (2 * one - hit)), once) for one in (true, called)),
        (hit.sum() / table.sum(), "this is pixel accuracy: large classes outvote small ones in it"),
        (
            hit.sum() / union.sum(),
            "all classes are in one sum: divide class by class, then average",
        ),
        ((values * true).sum() / true.sum(), "large classes count for more: take the plain mean"),
        (100 * values[there].mean(), "this is in percent: leave it between 0 and 1"),
        (1 - values[there].mean(), loss),
        (
            values[there][1:].mean(),
            "class 0, the background, was left out: it counts like the others",
        ),
        (values.sum(), "this is the sum of the classes' values: take their mean"),
        (values[there].floor().mean(), "// rounds each IoU down to 0 or 1: divide with /"),
        (
            ((hit + 1) / (union + 1)).mean(),
            "1 was added above and below: the equation adds nothing",
        ),
        (values[there], "these are the classes' values: take their mean"),
        (values.max(), "this is the best class alone: take the mean"),
        (
            values[there].min(),
            "this is one class's value, the worst or the middle one: take the mean",
        ),
        (values[there].mean().sqrt(), "there is no root: take the mean as it is"),
        (
            (hit / torch.maximum(true, called))[there].mean(),
            "below stands the union, not the larger",
        ),
        (
            (hit / torch.minimum(true, called))[hit > 0].mean(),
            "below stands the union, not the smaller",
        ),
        ((hit / (true * called).clamp_min(1))[there].mean(), "below stands the union, no product"),
        ((hit / table.sum())[there].mean(), table_below),
        ((hit / (table.sum() - hit)).mean(), table_below),
        *(
            (torch.nanmean(above / (true + called - above)), "the intersection is the diagonal")
            for above in (table[0].double(), hit.sum())
        ),
        ((hit / (union + 1))[there].mean(), "1 was added below: the equation adds nothing"),
        ((union / hit)[hit > 0].mean(), "IoU is turned over: intersection / union"),
        (
            hit.sum() / (2 * table.sum() - hit.sum()),
            "all classes are in one sum: divide class by class",
        ),
    ]
