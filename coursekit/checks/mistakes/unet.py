"""Known mistakes in the exercises of lesson 02: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Mistakes = list[tuple[Any, str]]

#: Messages of RuntimeError in a step up, and what is behind them.
UNFIT = (
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
_ITSELF = "`up(x, skip)` concatenates by itself: hand it both"
#: Messages of RuntimeError on the way through a U-Net of widths 4 to 64, and what is behind them.
LOST = (
    (r"\[8, 4, 3, 3\].* but got 3 ", "what a block gives is lost: x = block(x)"),
    (r"\[4, 3, 3, 3\].* but got", "the image goes in as it is, with its channels"),
    (r"\[16, 32, 3, 3\].* but got 48", "each step takes a skip of its own: skips.pop()"),
    (r"\[64, 32, 3, 3\].* but got 64", "self.bottleneck is called once"),
    ("too small", "pool once a level: four times in all"),
    (r"\[19, 4, 1, 1\].* but got 8", "a step up is left out: go through all of self.up"),
    (
        r"\[19, 4, 1, 1\].* but got",
        "the head gets a map from half-way up: `return` stands inside the loop",
    ),
    (
        r"\[64, 32, 2, 2\], expected input\[2, 32, 2, 3\]",
        "the bottleneck is left out: x = self.bottleneck(x)",
    ),
    (r"\[64, 32, 2, 2\]", "a step up takes what comes from below first, then the skip"),
    (r"\[8, 4, 2, 2\].* 64 channels", "self.up begins at the bottom already: take it in order"),
    (r"\[64, 32, 3, 3\].* but got 16", "a level of self.down is left out: go through all"),
    (r"\[32, 64, 3, 3\].* but got 48", "keep each skip after its block, not what goes into it"),
    (r"\[32, 64, 3, 3\].* but got 35", "a skip is what a block gave, not the image"),
    (r"\[32, 16, 2, 2\].* 64 channels", "what a step up gives is lost: x = up(x, skip)"),
    (r"\[32, 64, 3, 3\].* but got 96", "the skip is what you kept on the way down, not x"),
    ("Sizes of tensors", _ITSELF),
    (
        "channels, but got|[Nn]egative|padding",
        "a map does not fit its skip: the last skip comes first",
    ),
)


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


#: What the parts of a U-Net of four levels get.
GETS = {
    "down.0": "the image",
    **{f"down.{i}": f"what down.{i - 1} gives, pooled" for i in (1, 2, 3)},
    "bottleneck": "what down.3 gives, pooled",
    "up.0": "what the bottleneck gives, then what down.3 gave",
    **{f"up.{i}": f"what up.{i - 1} gives, then what down.{3 - i} gave" for i in (1, 2, 3)},
    "head": "what up.3 gives",
}
#: The same of one step up.
STEP_GETS = {"up": "what comes from below", "conv": "the skip and the raised map, side by side"}


def passed_otherwise(unet: Any, image: Tensor) -> Mistakes:
    """Known mistakes in the way through a U-Net, whose parts these are."""
    right = unet(image)
    found: Mistakes = [
        (right.softmax(1), "these are probabilities: return logits, the loss applies the softmax"),
        (right.softmax(-1), "a softmax along the width stands at the end: return logits"),
        (right.log_softmax(1), "these are log-probabilities: return logits, raw scores"),
        (right.sigmoid(), "a sigmoid stands at the end: return logits, raw scores"),
        (right.relu(), "a ReLU after the head cuts negative scores off: leave it out"),
        (unet(image / 255), "the image is whitened already: take it as it comes"),
    ]
    pool, bottleneck = unet.pool, unet.bottleneck
    unet.pool = nn.Identity()
    found += [(unet(image), "nothing was pooled: x = self.pool(x), once a level")]
    unet.pool = nn.AvgPool2d(2)
    found += [(unet(image), "pooling takes the largest, no mean: x = self.pool(x)")]
    unet.pool, unet.bottleneck = pool, nn.Sequential(pool, bottleneck)
    found += [(unet(image), "pooled once too often: four times, not before the bottleneck again")]
    unet.bottleneck = bottleneck
    hooks = [
        up.register_forward_pre_hook(lambda _, args: (args[0], torch.zeros_like(args[1])))
        for up in unet.up
    ]
    found += [(unet(image), "the skips have no effect: hand each step its own")]
    for hook in hooks:
        hook.remove()
    return found


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
