"""Known mistakes in the loss and the score of lesson 02: what each gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

    Mistakes = list[tuple[Any, str]]

#: Exceptions in the weighted cross-entropy, what they say, and what is behind them.
UNPICKED: tuple[tuple[type[Exception], str, str], ...] = (
    (
        RuntimeError,
        "must match the size.* dimension [3-9]",
        "an index takes all pixels for each pixel: `gather(1, target[:, None])` picks its own",
    ),
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
        (
            (pixels * plain[:1]).sum() / total,
            "the first image's losses stand for all images: gather(1, target[:, None])[:, 0]",
        ),
        (
            -(pixels * logits.log_softmax(1).mean(1)).sum() / total,
            "this is the mean over the classes: pick the true one of each pixel",
        ),
        (
            each.sum() / (target > 0).sum(),
            "you divided by the pixels that are no background: sum the weights of all",
        ),
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
        (values.sum() / 19, "divide by the number of classes that occur, which is not 19 here"),
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
