"""Known mistakes in lesson 09's projection, and in how its channels meet."""

from __future__ import annotations

from functools import partial
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from coursekit.parts.ddgcn import relate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from coursekit.checks.common import Kinds

    Mistakes = list[tuple[Any, str]]
    Step = Callable[[Tensor], Tensor]

#: Exceptions, what they say, and what is behind them: with the projection.
UNMADE: tuple[tuple[Kinds, str, str], ...] = (
    (ValueError, "in_channels must be divisible", "`groups` is the number of channels"),
    (ValueError, "out_channels must be divisible", "each step keeps the channels: as many go out"),
    (ValueError, "groups must be a positive", "`groups` is the number of channels, not a part"),
    (TypeError, "'int' object is not iterable", "a number is no list: `range(3)` for three steps"),
    (TypeError, "multiple values", "what is given by its place is not given by its name again"),
    (TypeError, "positional argument", "name what is not first: `groups=channels`"),
    (
        TypeError,
        "unexpected keyword argument",
        "`conv_abn` takes channels, kernel and stride, `groups=` and `bias=`, and pads by itself",
    ),
    (TypeError, "should return None", "give the steps to `super().__init__(…)`"),
    (
        RuntimeError,
        "to have .* channels",
        "a step gives other channels than the next one takes: all have `channels`",
    ),
)
#: The same with the relation.
UNRELATED: tuple[tuple[Kinds, str, str], ...] = (
    (TypeError, "builtin_function_or_method", "`softmax` is called: `.softmax(dim=-1)`"),
    (TypeError, r"softmax\(\): argument 'dim'", "softmax takes one tensor, QVᵀ, then `dim`"),
    (
        RuntimeError,
        r"tensor a \(7\) must match the size of tensor b \(4\)",
        "`@` multiplies matrices; `*` takes numbers place by place",
    ),
    (TypeError, '"dim"', "along which dimension? `.softmax(dim=-1)`"),
    (TypeError, "dim must be an int", "`nn.Softmax` makes a layer: `.softmax(dim=-1)` of QVᵀ"),
    (
        RuntimeError,
        "dimension 0|not match .* dim 0",
        "the images stay first: `.mT` turns the last two dimensions, and no others",
    ),
    (
        RuntimeError,
        r"tensor a \(4\) .* tensor b \(3\)",
        "a sum or mean that divides keeps its dimension, `keepdim=True`; or take `.softmax(-1)`",
    ),
    (
        RuntimeError,
        r"be: \[3, 7\] but got: \[3, 4\]",
        "one matrix is not turned: `value.mT` after the queries, and `key.mT` before the weights",
    ),
    (
        RuntimeError,
        r"be: \[3, 4\] but got: \[3, 7\]",
        "the weights are QVᵀ, channels × channels, (B, c, c), and stand after Kᵀ",
    ),
    (
        RuntimeError,
        "Expected size|cannot be multiplied|must match",
        "the matrices do not fit: Q Vᵀ is (B, c, l) @ (B, l, c), and Kᵀ stands before the softmax",
    ),
)
_BUILT_IN = "this is softmax(QKᵀ) V, as in lesson 05: the equation here is another"
_LESSON_05 = "this is lesson 05's: here channels meet, not nodes"


def curves() -> Iterator[tuple[str, Step]]:
    """What is often put between two steps, and has no place there."""
    yield from (("ReLU", F.relu), ("leaky ReLU", partial(F.leaky_relu, negative_slope=0.01)))
    yield from (("sigmoid", torch.sigmoid), ("tanh", torch.tanh), ("GELU", F.gelu))
    yield from (("softmax", partial(torch.softmax, dim=dim)) for dim in (-1, 1))
    yield from (("normalisation", partial(F.normalize, dim=dim)) for dim in (-1, 1))


def misrelated(q: Tensor, k: Tensor, v: Tensor) -> Mistakes:
    """Known mistakes for 3 images, 4 channels and 7 nodes."""
    raw, sums = q @ v.mT, "the weights sum to 1 {}: it must be along each row, `dim=-1`"
    none, root = "there is no softmax: the weights must be positive and sum to 1", raw / 7**0.5
    soft, divided = raw.softmax(-1), "nothing is divided by a root or a number"
    right, own = k.mT @ soft, "the softmax is of the product QVᵀ, not of Q or V by itself"
    weights: Mistakes = [
        (raw.softmax(1), sums.format("along columns")),
        (raw.softmax(0), sums.format("over the images")),
        (raw.flatten(1).softmax(1).view_as(raw), sums.format("over the whole matrix")),
        (raw, none),
        (raw.exp(), "the weights do not sum to 1: a softmax divides by their sum"),
        (raw.log_softmax(-1), "these are the logarithms of the weights: `softmax`"),
        ((-raw).softmax(-1), "the sign is turned: what goes together gets a large weight"),
        (F.one_hot(raw.argmax(-1), 4).float(), "one channel takes all: a softmax shares out"),
        (soft.softmax(-1), "one softmax is enough"),
        (soft.mT, "the weights are turned round: leave softmax(QVᵀ) as it is"),
        ((v @ q.mT).softmax(-1), "this is softmax(VQᵀ): the queries come first"),
        (raw.sum(0).softmax(-1), "the images are mixed: each has weights of its own"),
    ]
    shares = "a softmax takes `exp` first, then divides by the sum"
    weights += [(raw / raw.sum(-1, True), shares)]
    weights += [(F.normalize(raw, p=p, dim=-1), shares) for p in (1, 2)]
    weights += [
        (curve(raw), f"that is a {name}: the weights of a row must sum to 1")
        for name, curve in curves()
        if name not in ("softmax", "normalisation")
    ]
    after = "nothing follows the softmax: its rows sum to 1 already"
    weights += [(w, after) for w in (soft.sqrt(), soft**2, soft * raw, soft / soft.sum(1, True))]
    weights += [(w.softmax(-1), divided) for n in (2, 4, 7) for w in (raw / n, raw * n)]
    weights += [(w.softmax(-1), divided) for w in (root, raw * 2**0.5, raw / 49)]
    lengths = [F.normalize(q, dim=d) @ F.normalize(v, dim=d).mT for d in (1, -1)]
    weights += [(w.softmax(-1), "Q and V are not normalised") for w in lengths]
    centred = [q - q.mean(d, keepdim=True) for d in (-1, 1)]
    weights += [
        ((w @ v.mT).softmax(-1), "Q and V are not centred: no mean is taken") for w in centred
    ]
    off = ~torch.eye(4, dtype=torch.bool)
    alone = "each channel meets all, itself, too: nothing is masked"
    weights += [(raw.where(off, fill).softmax(-1), alone) for fill in (0.0, -torch.inf)]
    weights += [(soft.where(off, 0.0), alone)]
    soft_q, soft_v = ([one.softmax(d) for d in (-1, 1)] + [one] for one in (q, v))
    for one, two in list(product(soft_q, soft_v))[:-1]:
        weights += [(one @ two.mT, own), ((one @ two.mT).softmax(-1), own)]
    found = [(k.mT @ w, message) for w, message in weights]
    late = "the softmax is of QVᵀ alone: the keys are multiplied after it"
    found += [((k.mT @ raw).softmax(d), late) for d in (-1, 1)]
    found += [
        (k.mT @ (q * v).softmax(d), "`@` multiplies matrices, `*` place by place") for d in (-1, 1)
    ]
    found += [(k.softmax(d).mT @ soft, "only QVᵀ has a softmax") for d in (-1, 1)]
    found += [(right + one.mT, "nothing is added") for one in (q, k, v)]
    found += [(right * n, divided) for r in (2, 4, 7) for n in (r, 1 / r, r**0.5, r**-0.5)]
    found += [(curve(right), f"there is no {name} at the end") for name, curve in curves()]
    found += [(right.mT, "this is M turned round: a row for each node, (B, l, c)")]
    found += [(soft @ k, "M is Kᵀ times the weights, (B, l, c): not the weights times K")]
    found += [(right.mean(0), "each image has an M of its own: the batch stays")]
    found += [(k.mT @ (raw.exp() / raw.exp().sum()), sums.format("over all images"))]
    found += [(soft, "these are the weights: the keys are still to be multiplied")]
    found += _of_images(q, k, v) + _cut_up(q, k, v) + _elsewhere(q, k, v)
    attention = [(q, k, v), (q.mT, k.mT, v.mT), (q, v, k), (q.mT, v.mT, k.mT)]
    theirs = [F.scaled_dot_product_attention(*parts) for parts in attention]
    found += [(one, _BUILT_IN) for out in theirs for one in (out, out.mT)]
    return found


def _of_images(q: Tensor, k: Tensor, v: Tensor) -> Mistakes:
    """One image's numbers in all of them."""
    mixed = "the images are mixed: each by itself, as `@` does with batches"
    right = relate(q, k, v)
    found: Mistakes = [(one.expand_as(right), mixed) for one in (right[:1], right.mean(0))]
    for number in (1, 2, 3):
        for chosen in combinations(range(3), number):
            first = [one[:1] if i in chosen else one for i, one in enumerate((q, k, v))]
            found.append((relate(*first).expand_as(right), mixed))
    return found


def _cut_up(q: Tensor, k: Tensor, v: Tensor) -> Mistakes:
    """`reshape` in place of a turn."""
    cut, flat = "reshape cuts up: `.mT` turns", [one.reshape(3, 7, 4) for one in (q, k, v)]
    return [
        (k.mT @ (q @ flat[2]).softmax(-1), cut),
        (flat[1] @ (q @ v.mT).softmax(-1), cut),
        (flat[1] @ (q @ flat[2]).softmax(-1), cut),
    ]


def _elsewhere(q: Tensor, k: Tensor, v: Tensor) -> Mistakes:
    """Q, K and V in other places than in the equation, or nodes that meet."""
    named: dict[tuple[int, ...], str] = {
        (0, 1, 2): "queries and keys have changed places",
        (2, 0, 1): "keys and values have changed places",
        (1, 0, 1): "in the softmax the queries meet the values, not the keys",
    }
    twice = "Q, K and V stand in other places than in the equation, which has each of them once"
    found: Mistakes = []
    for at in product(range(3), repeat=3):
        a, b, c = ((q, k, v)[i] for i in at)
        for nodes in (a.mT @ b, a.mT @ b / 2, a.mT @ b / 7**0.5):
            found += [(nodes.softmax(d) @ c.mT, _LESSON_05) for d in (-1, 1)]
        if at == (1, 0, 2):
            continue
        said, raw = named.get(at, twice), b @ c.mT
        for weights in (raw.softmax(-1), raw.softmax(1), raw.softmax(-1).mT, raw.softmax(1).mT):
            found.append((a.mT @ weights, said))
        found.append((a.mT @ raw, f"{said}; and there is no softmax"))
    return found
