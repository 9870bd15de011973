"""Known mistakes in lesson 06's Lovász-Softmax: what each gives, and what to say of it."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit import losses
from coursekit.checks.comparing import alike
from coursekit.checks.mistakes.named import tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Mistakes = Iterator[tuple[Any, str]]

#: What may go wrong in Lovász-Softmax, by the name that `lovasz` knows.
SLIPS = {
    "scrambled": "reshape mixed pixels and classes: move the classes to the end first",
    "rising": "the errors rise: sort them in descending order, worst first",
    "apart": "the errors are sorted and the foreground is not: index it with the order",
    "unsorted": "the steps are made for unsorted pixels: the worst pixel comes first",
    "negative": "some errors are negative: where the class is true the error is 1 - p",
    "certainty": "these are not the errors: 1 - p where the class is true, p elsewhere",
    "half-sorted": "the steps are for sorted errors: multiply by those, not by unsorted ones",
    "own order": "the foreground has an order of its own: index it with the errors' order",
    "way back": "`foreground[order]` is it: no second argsort, which leads back",
    "by p": "p was sorted, not the errors: where the class is true the error is 1 - p",
    "order of p": "the order is that of p, not of the errors: sort the errors, after they are made",
    "twice in order": "the errors are sorted already: no second `[order]` behind them",
    "log": "p is a probability: softmax, not log_softmax",
    "logs": "the error is 1 - p or p, as it is: no logarithm",
    "images": "softmax over the images: classes are dimension 1",
    "transposed": "rows and columns changed places: movedim(1, -1), or permute(0, 2, 3, 1)",
    "steps": "the errors have no effect: multiply them by the steps",
    "score": "this is 1 minus the loss",
    "by size": "large classes count for more: take the plain mean",
    "by each pixel": "large classes count for more: visit each class once, `target.unique()`",
    "signed": "pixels of other classes have an error, too, and none is negative: there it is p",
    "only back": "pixels of the class have an error, too: 1 - p",
    "only p": "where the class is true the error is 1 - p, and elsewhere it is p, not 0",
    "one-sided": "the error is 1 - p everywhere: where the class is not true it is p",
    "of the truth": "the errors belong to class c: p[:, c], not the p of the true class",
    "errors of the truth": "the errors belong to class c: p[:, c], not the p of the true class",
    "hinge": "that is the hinge of two classes: the error is 1 - p, or p where c is not true",
    "by errors": "the foreground is where the class is true, not where the error is large",
    "squared": "the errors are squared: take them as they are",
    "turned": "lovasz_gradient wants the foreground, not its opposite",
    "by place": "lovasz_gradient wants the sorted foreground, not the order",
    "losses": "the steps were added up again: multiply by the steps themselves",
    "mean": "the products are summed over the pixels: no mean",
    "peak": "the products are summed over the pixels: no maximum",
    "largest": "this is the worst class alone: take the mean over the classes",
    "smallest": "this is the best class alone: take the mean over the classes",
    "last": "only the last class is in it: collect the cost of each class, inside the loop",
    "first": "only one class is in it: `return` after the loop, and the mean of all",
    "last in mean": "only the last class is in it: add up the cost of each, `+=`",
    "last lost": "the last class is left out: `range(n)` ends at n - 1",
    "inner": "the first class and the last are left out: `target.unique()` visits all",
    "no background": "class 0 was left out: it counts like the others",
    "all": "absent classes count as 0: take the mean over the classes in the target",
    "absent": "absent classes are in it: take the mean over the classes in the target",
    "by images": "you divide by the number of images: by that of the classes in the target",
    "by images, too": "you divide by the number of images, too: the mean over the classes is all",
    "by pixels": "you divide by the number of pixels: by that of the classes in the target",
    "sum": "this is the sum over the classes: take the mean",
    "width": "softmax along the width: classes are dimension 1",
    "height": "softmax along the height: classes are dimension 1",
    "over pixels": "softmax over the pixels: over the classes of each, dim=1 before they move",
    "sigmoid": "p comes from a softmax over the classes, no sigmoid",
    "twice": "the softmax is there twice",
    "scores": "the softmax is missing: logits are no probabilities",
    "sure": "arg-max has no slope: use the probabilities",
    "one": "this is the first image alone: all pixels of the batch",
}
_SOFT: dict[str, Callable[[Tensor], Tensor]] = {
    "width": lambda x: x.softmax(-1),
    "height": lambda x: x.softmax(2),
    "images": lambda x: x.softmax(0),
    "over pixels": lambda x: (
        x.movedim(1, 0).flatten(1).softmax(1).reshape(x.movedim(1, 0).shape).movedim(0, 1)
    ),
    "sigmoid": lambda x: x.sigmoid(),
    "log": lambda x: x.log_softmax(1),
    "scores": lambda x: x,
    "twice": lambda x: x.softmax(1).softmax(1),
    "sure": lambda x: F.one_hot(x.argmax(1), 5).movedim(-1, 1).to(x),
    "transposed": lambda x: x.softmax(1).transpose(2, 3),
}
_FEWER: dict[str, Callable[[list[int]], list[int]]] = {
    "absent": lambda classes: [*range(5)],
    "no background": lambda classes: [c for c in classes if c],
    "last": lambda classes: classes[-1:],
    "first": lambda classes: classes[:1],
    "last lost": lambda classes: classes[:-1],
    "inner": lambda classes: classes[1:-1],
}
_JOINED: dict[str, Callable[[Tensor, int, int], Tensor]] = {
    "sum": lambda costs, images, pixels: costs.sum(),
    "largest": lambda costs, images, pixels: costs.max(),
    "smallest": lambda costs, images, pixels: costs.min(),
    "last in mean": lambda costs, images, pixels: costs[-1] / len(costs),
    "all": lambda costs, images, pixels: costs.sum() / 5,
    "by images": lambda costs, images, pixels: costs.sum() / images,
    "by images, too": lambda costs, images, pixels: costs.mean() / images,
    "by pixels": lambda costs, images, pixels: costs.sum() / pixels,
    "score": lambda costs, images, pixels: 1 - costs.mean(),
}


def lovasz(logits: Tensor, target: Tensor, *slips: str) -> Tensor:
    """Lovász-Softmax of five classes, with some of `SLIPS` or none."""
    if "one" in slips:
        logits, target = logits[:1], target[:1]
    y = target.flatten()
    q = _taken(_SOFT, slips, lambda x: x.softmax(1))(logits)
    q = q.reshape(-1, 5) if "scrambled" in slips else q.movedim(1, -1).flatten(0, 2)
    classes = _taken(_FEWER, slips, list)(y.unique().tolist())
    if {*slips} & {"of the truth", "errors of the truth"}:
        q = q.gather(1, y[:, None]).expand(-1, 5)
    costs = torch.stack([_of_a_class(q[:, c], y == c, slips) for c in classes])
    if {*slips} & {"by size", "by each pixel"}:
        costs = costs * torch.stack([(y == c).float().mean() for c in classes])
    costs = costs * len(classes) if "by each pixel" in slips else costs
    return _taken(_JOINED, slips, lambda each, *sizes: each.mean())(costs, len(target), len(y))


def _taken(ways: dict[str, Any], slips: tuple[str, ...], right: Any) -> Any:
    """The way that one of the slips takes, or the right one."""
    return next((ways[slip] for slip in slips if slip in ways), right)


#: From p and from 1 where the class is true and 0 elsewhere.
_ERRORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "log": lambda p, y: torch.where(y > 0, 1 - p, p),
    "scores": lambda p, y: torch.where(y > 0, 1 - p, p),
    "one-sided": lambda p, y: 1 - p,
    "of the truth": lambda p, y: 1 - p,
    "by p": lambda p, y: p,
    "squared": lambda p, y: (y - p) ** 2,
    "hinge": lambda p, y: 1 - p * (2 * y - 1),
    "signed": lambda p, y: y - p,
    "negative": lambda p, y: p - y,
    "certainty": lambda p, y: 1 - (y - p).abs(),
    "logs": lambda p, y: -(1 - (y - p).abs()).log(),
    "only back": lambda p, y: p * (1 - y),
    "only p": lambda p, y: p * y,
}
#: The foreground that goes into the steps, from it and from the errors' order.
_SORTED: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "apart": lambda foreground, order: foreground,
    "own order": lambda foreground, order: foreground.sort(descending=True).values,
    "way back": lambda foreground, order: foreground[order.argsort()],
    "turned": lambda foreground, order: ~foreground[order],
}


def _of_a_class(p: Tensor, foreground: Tensor, slips: tuple[str, ...]) -> Tensor:
    e = _taken(_ERRORS, slips, lambda p, y: (y - p).abs())(p, foreground.to(p))
    m, order = e.sort(descending="rising" not in slips)
    if "unsorted" in slips:
        m, order = e, torch.arange(len(e))
    if "order of p" in slips:
        order = p.argsort(descending=True)
        m = e[order]
    if not foreground.any():
        return m.max()
    there = _taken(_SORTED, slips, lambda foreground, order: foreground[order])(foreground, order)
    there = m > 0.5 if "by errors" in slips else there
    if "by place" in slips:  # what (~order).cumsum and order.cumsum give
        left, whole = order.sum() - order.cumsum(0), order.sum() + (~order).cumsum(0)
        steps = torch.diff(1 - left / whole, prepend=p.new_zeros(1))
    else:
        steps = losses.lovasz_gradient(there)
    m = m[order] if "twice in order" in slips else m
    m = e if "half-sorted" in slips else torch.ones_like(m) if "steps" in slips else m
    products = m * (steps.cumsum(0) if "losses" in slips else steps)
    if "peak" in slips:
        return products.max()
    return products.mean() if "mean" in slips else products.sum()


def softened_otherwise(logits: Tensor, target: Tensor) -> Mistakes:
    """Known mistakes in Lovász-Softmax, for a batch of two images and five classes."""
    for slip, message in SLIPS.items():
        yield lovasz(logits, target, slip), message
    images = [lovasz(logits[i : i + 1], target[i : i + 1]) for i in (0, 1)]
    for wrong in (sum(images) / 2, sum(images)):
        yield wrong, "this is the mean of the images' losses: join their pixels"
    across = target.transpose(1, 2).reshape(target.shape)
    yield lovasz(logits, across), "rows and columns of the target changed places: target.flatten()"
    q = logits.softmax(1).movedim(1, -1).flatten()
    every = F.one_hot(target.flatten(), 5).flatten()
    m, order = (every - q).abs().sort(descending=True)
    row = (m * losses.lovasz_gradient(every[order] > 0)).sum()
    yield row, "all classes are in one row: errors, an order and a sum for each, then the mean"
    orders = ("rising", "unsorted", "half-sorted", "twice in order", "order of p", *_SORTED)
    for some, others in combinations((orders, tuple(_ERRORS), tuple(_JOINED)), 2):
        for one, two in product(some, others):
            yield lovasz(logits, target, one, two), f"{SLIPS[one]}. And {SLIPS[two]}"


def where_softened(loss: Callable[[Tensor, Tensor], Tensor]) -> str:
    """Where a Lovász-Softmax leaves the right way, in words."""
    drawn = torch.tensor(
        [0.5, 1.0, -1.0, 2.0, 0.25, -0.5, 1.5, 0.0, -2.0, 0.75, 1.25, -1.5, 0.6, -1.1, 0.1]
    )
    drawn, one = drawn.reshape(1, 5, 1, 3), torch.zeros(1, 1, 1).long()

    def right(logits: Tensor, ids: Tensor) -> bool:
        return alike(tried(loss, logits, ids), lovasz(logits, ids), 1e-4)

    alone = tried(loss, drawn[..., :1], one)
    if alone is None:
        return "of a single pixel, of class 0, it gives no number: class 0 counts, and no size is written in"  # noqa: E501
    if getattr(alone, "shape", None) != ():
        return "the loss is one number: sum over the pixels of a class, then the mean over classes"
    if not right(drawn[..., :1], one):
        return "of a single pixel the loss should be its error, 1 - p, and is not: look at step 1, the errors"  # noqa: E501
    if not right(drawn, one.expand(1, 1, 3)):
        return "of a single pixel it is right; of three of one class it should be the mean of their errors, and is not: look at steps 2 and 3"  # noqa: E501
    if not right(drawn, torch.tensor([[[0, 1, 1]]])):
        return "of one class it is right, of two it is not: an error of its own for each class, an order of its own, then the mean"  # noqa: E501
    return "of one row of an image it is right, of a batch it is not: do pixel and class keep together, by movedim(1, -1), then flatten(0, 2)?"  # noqa: E501
