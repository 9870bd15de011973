"""Known mistakes in lesson 05's attention in blocks of keys, and what to say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from coursekit.checks.mistakes.segformer import attention_apart
from coursekit.parts.segformer import attend

if TYPE_CHECKING:
    from collections.abc import Callable

    Mistakes = list[tuple[Any, str]]

_ROWS = "m and ℓ are N × 1, a number for each query: keepdim=True, and dimension -1"
_SCORES = "the scores are query @ keys.mT, a row for each query"
_CUT = "a block of keys is key[..., start:stop, :], and one of values is cut alike"
#: Exceptions with blocks of 4 of 11 keys, for 2 × 3 heads of 5 queries of length 4 and values of
#: length 6; what they say, and what is behind them.
BLOCKED: tuple[tuple[type[Exception], str, str], ...] = (
    (IndexError, "non-zero size", "a block is empty: it ends at start + block"),
    (RuntimeError, r"tensor to be: \[6, 4\] but got: \[6, [36]\]", _SCORES),
    (RuntimeError, r"tensor to be: \[6, 6\]", "the weights come first: weights @ values"),
    (RuntimeError, r"tensor to be: \[6, (4|11)\]", _CUT),
    (RuntimeError, r"\(5\) must match .*\(4\) .*dimension 2", _SCORES),
    (RuntimeError, r"\((5|11)\) must match .*\((5|11)\) .*dimension 2", "o has a row a query"),
    (
        RuntimeError,
        r"\((4|6)\) must match .*\((4|6)\) .*dimension 3",
        f"{_ROWS}; o has the length of a value, from weights @ values",
    ),
    (RuntimeError, "dimension 0", _CUT),
    (RuntimeError, "size of tensor|Expected size|cannot be multiplied", _ROWS),
    (RuntimeError, "Boolean value", "torch.maximum compares number by number, max does not"),
    (TypeError, r"return_types\.max", "`max(-1)` gives values and places: take `.values`, or amax"),
    (IndexError, "index out of range|too many indices", "count dimensions from the back: -2"),
)


class _Steps(TorchDispatchMode):
    """Notes what is called, and where exp gets something that has no number."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.infinite: list[int] = []  # how wide what exp gets is
        self.least = True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func.overloadpacket.__name__)
        self.names.add(name)
        if name == "exp" and bool((args[0] == torch.inf).any()):
            self.infinite.append(args[0].shape[-1])
        if name == "maximum":
            self.least &= not any(bool((one == torch.inf).any()) for one in args[:2])
        return func(*args, **kwargs or {})


def unnumbered(attend: Callable[..., Tensor], query: Tensor, key: Tensor, value: Tensor) -> str:
    """Why an attention in blocks of 4 keys gives what is not a number, in words."""
    with _Steps() as steps:
        attend(query, key, value, 4)
    if steps.names & {"minimum", "amin", "min"}:
        return "m is the largest score so far: torch.maximum and amax, no minimum"
    if not steps.least:
        return "m begins at minus infinity, below every score"
    if "exp" not in steps.names:
        return "exp is missing: the weights are exp(scores - m')"
    if 1 in steps.infinite:
        return "exp(m - m') is infinite: was it turned round? The old m comes first"
    if steps.infinite:
        return (
            "exp(scores - m') is infinite: m' is minus infinity there. Is it the old m, or no "
            "largest score?"
        )
    return (
        "it is not a number: 0 / 0, or infinity times 0. Was an exp left out? m begins at minus "
        "infinity, ℓ and o at 0"
    )


def told_of_blocks(query: Tensor, key: Tensor, value: Tensor, each: list[Tensor]) -> Mistakes:
    """Mistakes that show in what the blocks give by themselves."""
    first = "only the first block counts: return after the loop, which ends at key.shape[-2]"
    last = "only the last block is left: add to the sums, and set m to m' at the end of each round"
    return [
        (sum(each) / 3, "a softmax in each block, then their mean: blocks do not weigh the same"),
        (sum(each), "a softmax in each block, then their sum: weights must sum to 1 over all keys"),
        (each[-1], last),
        (each[0], first),
        (
            attend(query, key[..., :8, :], value[..., :8, :]),
            "keys are missing: go on to key.shape[-2], with the last, shorter block, too",
        ),
        (attend(2 * query, key, value), "the scores are not divided by the root of d"),
        (attend(query / 2, key, value), "the scores are divided by d: it is its root"),
    ]


def _in_steps(query: Tensor, key: Tensor, value: Tensor, how: str) -> Tensor:
    """The loop over blocks of 4 keys, with a slip."""
    m = torch.full_like(query[..., :1], -torch.inf)
    total, mixed = torch.zeros_like(m), torch.zeros_like(value[..., :1, :])
    count, wide = key.shape[-2], {"over": 5, "under": 3}.get(how, 4)
    others = {"often": range(count), "numbers": range(count // 4), "few": range(4)}
    starts = others.get(how, range(0, count, 4))
    for keys, values in ((key[..., n : n + wide, :], value[..., n : n + wide, :]) for n in starts):
        scores = query @ keys.mT / (keys.shape[-2] if how == "length" else 4) ** 0.5
        own = scores.amax(-1, keepdim=True)
        new = torch.maximum(m, own)
        shrink, w = (m - new).exp(), _weights(scores, own, new, how)
        one = torch.ones_like(shrink)
        old = one if how == "new" else shrink
        fresh = shrink if how in ("new", "all", "total") else one
        late = shrink if how in ("new", "all", "mixed") else one
        added = w.mean(-1, keepdim=True) if how == "mean" else w.sum(-1, keepdim=True)
        added = (w @ values).sum(-1, keepdim=True) if how == "values" else added
        total = old * total + fresh * added
        mixed = old * mixed + late * ((scores if how == "scores" else w) @ values)
        m = own if how == "forget" else new
        mixed = mixed / total if how == "each" else mixed
    if how == "turned":
        return total / mixed
    return mixed if how == "each" else mixed / total


def _weights(scores: Tensor, own: Tensor, new: Tensor, how: str) -> Tensor:
    """The weights of a block."""
    if how == "softmax":
        return scores.softmax(-1)
    if how == "linear":
        return scores - new
    return (scores - {"raw": torch.zeros_like(new), "own": own}.get(how, new)).exp()


def half_online(query: Tensor, key: Tensor, value: Tensor) -> Mistakes:
    """Known mistakes with blocks of 4 of 11 keys: what they give, and what to say."""
    blocks = list(zip(key.split(4, -2), value.split(4, -2), strict=True))
    each = [attend(query, k, v) for k, v in blocks]
    scores = [query @ k.transpose(-2, -1) / 2 for k, _ in blocks]
    own = [s.exp().sum(-1, keepdim=True) for s in scores]
    top = torch.cat([s.amax(-1, keepdim=True) for s in scores], -1).cummax(-1).values
    shrunk = [s / h.exp() for s, h in zip(own, top.split(1, -1), strict=True)]
    low, less = sum(e * s for e, s in zip(each, shrunk, strict=True)), sum(shrunk)
    once, end = sum(e * s for e, s in zip(each, own, strict=True)), top[..., -1:].exp()

    def stepped(how: str) -> Tensor:
        return _in_steps(query, key, value, how)

    return [
        *told_of_blocks(query, key, value, each),
        (once, "this is the sum of weighted values: divide by the sum of the weights at the end"),
        (once / end, "divide by the sum of the weights at the end: o is a sum, not a mean"),
        (once / end / 11, "divide by the sum of the weights, not by the number of keys"),
        (once / end * (sum(own) / end), "you multiplied by the sum of the weights: divide"),
        (stepped("over"), "the blocks overlap: a block ends before start + block"),
        (stepped("numbers"), "the loop counts blocks: it goes to key.shape[-2], by `block`"),
        (stepped("few"), "the loop goes from 0 to key.shape[-2], by `block`"),
        (attend(query, key[..., 4:, :], value[..., 4:, :]), "the first block is left out"),
        (stepped("turned"), "turned over: divide o by the sum of the weights"),
        (attend(query, key, value).softmax(-1), "no softmax at the end: the weights have theirs"),
        (stepped("often"), "keys count several times: the loop goes on by `block`"),
        (stepped("length"), "d is the length of a query, not of a block"),
        (stepped("each"), "you divided in every round: divide once, after the last block"),
        (stepped("mean"), "the weights of a block are added up: it is no mean"),
        (stepped("under"), "keys are left out between the blocks: one ends before start + block"),
        (stepped("all"), "exp(m - m') multiplies the old sums, and the new block is added after"),
        (stepped("total"), "exp(m - m') multiplies the old ℓ, and the block's is added after"),
        (stepped("mixed"), "exp(m - m') multiplies the old o, and the block's is added after"),
        (stepped("raw"), "the weights are exp(scores - m'): m' is not taken off"),
        (stepped("own"), "the weights are exp(scores - m'), the largest so far, not the block's"),
        (stepped("forget"), "m becomes m' at the end of a round, not the block's own largest"),
        (stepped("linear"), "exp is missing: the weights are exp(scores - m')"),
        (stepped("softmax"), "a block has no softmax of its own: the weights are exp(scores - m')"),
        (stepped("values"), "ℓ is the sum of the weights, not of what they bring: w.sum(-1)"),
        (stepped("scores"), "o adds up weights @ values, not scores @ values"),
        (stepped("new"), "exp(m - m') multiplies the old sums, not the new block's"),
        (low / less, "a larger score came, and the old sums were not multiplied by exp(m - m')"),
        (low / (sum(own) / end), "only ℓ was multiplied by exp(m - m'): o needs it, too"),
        (once / end / less, "only o was multiplied by exp(m - m'): ℓ needs it, too"),
    ]


def blocks_apart(attend: Callable[..., Tensor], query: Tensor, key: Tensor, value: Tensor) -> str:
    """What of an attention in blocks is wrong: a single block already, or how they are joined."""

    def whole(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return attend(q, k, v, k.shape[-2])

    right = F.scaled_dot_product_attention(query, key, value)
    if torch.allclose(whole(query, key, value), right, atol=1e-4):
        each = "what a block leaves to the next is not: m, ℓ and o, shrunk by exp(m - m')"
        return f"a single block of all keys is right, {each}"
    return f"already with all keys in one block: {attention_apart(whole, query, key, value)}"
