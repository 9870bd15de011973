"""Where an answer leaves the right way, when the mistake is none of the known ones."""

from __future__ import annotations

from functools import cache
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

CHANCE = "another result for the same input: leave chance out"
#: What the parts of lesson 09's graphs get, in the order of the way through.
SPATIAL = {
    "query": "X_l",
    "key": "X_l",
    "value": "X_l",
    "update": "M turned round, `m.mT`",
    "extend": "the states that `update` gives, as a map",
}
FEATURE = {
    "phi": "X",
    "theta": "X",
    "adjacency": "Zᵀ, with Z = Φ Θᵀ",
    "update": "Z and what the links bring, added",
    "extend": "R = Z Θ, as a map",
}
#: What Y is made of.
PIECES = {
    "code": ("X · up(S) + X, with S = λ H_S + X_l", "γ H_F + X"),
    "paper": ("X", "λ up(H_S)", "γ H_F"),
}
#: The same at the start, where λ and γ are 0.
AT_START = {"code": ("X · up(X_l) + X", "X"), "paper": ("X", "0 for λ H_S", "0 for γ H_F")}


def same(one: Any, two: Any) -> bool:
    """Whether two tensors have a shape and, nearly, their values in common; others are equal."""
    if not (isinstance(one, Tensor) and isinstance(two, Tensor)):
        return bool(one == two)
    return one.shape == two.shape and torch.allclose(one, two, atol=1e-4, rtol=1e-4)


@cache
def _built(kind: Callable[..., nn.Module], *arguments: Any, **settings: Any) -> nn.Module:
    with torch.random.fork_rng(devices=[]):  # what is drawn next does not depend on who is first
        return kind(*arguments, **settings)


def twin_of(
    made: nn.Module, kind: Callable[..., nn.Module], *arguments: Any, **settings: Any
) -> nn.Module:
    """The course's own block with the weights of a student's, in the same mode.

    There is one of each kind and size, because to build it takes longer than to let it work: the
    next call has other weights in it.
    """
    twin = _built(kind, *arguments, **settings)
    twin.load_state_dict(made.state_dict())
    return twin.train(made.training)


def way_apart(
    mine: nn.Module, twin: nn.Module, run: Callable[[nn.Module], Tensor], gets: Mapping[str, str]
) -> str:
    """Which part first gets something else than its twin; "" if what comes out is the same.

    Args:
        mine: the student's, which has run without an error.
        twin: the course's, with the same weights.
        run: lets one of them work, on the same input.
        gets: the names of their parts, and what each should get.
    """
    took: list[dict[str, list[tuple[Tensor, ...]]]] = []
    ends = []
    for network in (mine, twin):
        calls: dict[str, list[tuple[Tensor, ...]]] = {name: [] for name in gets}
        hooks = [
            network.get_submodule(name).register_forward_pre_hook(
                lambda part, args, named, calls=calls, name=name: calls[name].append(
                    signature(part.forward).bind(*args, **named).args
                ),
                with_kwargs=True,
            )
            for name in gets
        ]
        ends.append(run(network))
        took.append(calls)
        for hook in hooks:
            hook.remove()
    if same(*ends):
        return ""
    for name, what in gets.items():
        mine_took, theirs = took[0][name], took[1][name]
        if len(mine_took) != 1:
            times = f"called {len(mine_took)} times" if mine_took else "never called as a whole"
            return f"`{name}` is {times}: once, with {what}"
        if not all(map(same, mine_took[0], theirs[0])):
            return f"up to `{name}` something is different: it should get {what}"
    return f"`{[*gets][-1]}` gets what it should, and what comes after that is different"


def pieces_apart(mine: Tensor, right: Tensor, names: Sequence[str]) -> str:
    """Which part of a concatenation differs; "" if none does. Both have the same shape."""
    pairs = zip(*(one.chunk(len(names), 1) for one in (mine, right)), names, strict=True)
    wrong = [name for one, two, name in pairs if not same(one, two)]
    return f"not as expected in Y: the part {' and the part '.join(wrong)}" if wrong else ""


def weights_apart(
    relate: Callable[[Tensor, Tensor, Tensor], Tensor], q: Tensor, k: Tensor, v: Tensor
) -> str:
    """What is different in a relation: its images, its weights or its product; "" if nothing is."""
    got = relate(q, k, v)
    if same(got, k.mT @ (q @ v.mT).softmax(-1)) or q.shape[1] > q.shape[2]:
        return ""
    if not same(relate(q[:1], k[:1], v[:1]), got[:1]):
        return "the images are mixed: what one gives changes with the others"
    channels = q.shape[1]
    square = [one[..., :channels] for one in (q, v)]
    shown = relate(square[0], torch.eye(channels).expand(len(q), -1, -1), square[1])
    if same(shown, (square[0] @ square[1].mT).softmax(-1)):
        return "softmax(QVᵀ) is right, and what is done with the keys is not: Kᵀ times the weights"
    if not torch.allclose(shown.sum(-1), torch.ones(shown.shape[:2]), atol=1e-4):
        return "the weights are wrong: their rows do not sum to 1, as those of softmax(QVᵀ) do"
    return "the weights' rows sum to 1, but they are not softmax(QVᵀ)"
