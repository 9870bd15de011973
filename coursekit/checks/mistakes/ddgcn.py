"""Known mistakes in the two graphs of lesson 09: what each of them gives, and what to say of it.

Most come from a grammar: the steps of the right way, with one of them done otherwise.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from coursekit.checks.mistakes.relation import curves
from coursekit.parts.ddgcn import relate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from coursekit.checks.common import Kinds

    Mistakes = list[tuple[Any, str]]
    OneByOne = Iterator[tuple[Any, str]]  # what comes after the one that fits is never made
    Step = Callable[[Tensor], Tensor]

_CALLED = "call the parts: `self.query(x)`, not `self.query`"
#: Exceptions, what they say, and what is behind them: in a spatial graph, 12 channels, 5 × 4 nodes.
UNLED: tuple[tuple[Kinds, str, str], ...] = (
    (AttributeError, "'(Conv2d|Sequential)' object has no", _CALLED),
    (TypeError, r"relate\(\) missing", "`relate` takes three: Q, K and V"),
    (
        RuntimeError,
        r"input\[(1, )?2, 12, 20\]|input\[(1, )?2, 6, (20|5, 4)\] to have 12",
        "`query`, `key` and `value` are each called with x, and `relate` with what they give",
    ),
    (
        RuntimeError,
        r"size \[6, 6, 1\].* input\[6, 20, 2\]",
        "`.T` turns all dimensions round, the batch, too: `m.mT`",
    ),
    (
        RuntimeError,
        r"size \[6, 6, 1\].*, 6\]",
        "`update` takes (B, C/2, l): `relate` takes such Q, K and V; then turn M round, `m.mT`",
    ),
    (
        RuntimeError,
        r"size \[12, 6, 1, 1\].* got 12",
        "`extend` is called once: C channels come out",
    ),
    (
        RuntimeError,
        r"input\[2, 5, 4, 6\]",
        "the states are the second dimension, (B, C/2, h', w'): do not turn what `update` gives",
    ),
    (
        RuntimeError,
        r"to conv1d, .*\[2, 12, 5, 4\]",
        "`update` takes the states, M turned round, and comes before `extend`",
    ),
    (RuntimeError, r"tensor a \(12\) .* tensor b \(6\)", "nothing is added to H_S"),
    (RuntimeError, "supported on matrices", "`.flatten(2)` keeps images and channels: (B, c, l)"),
    (RuntimeError, r"size \[12, 6, 1, 1\]", "`extend` takes a map: `.unflatten` before it"),
    (
        (RuntimeError, IndexError),
        "must match|Expected size|batch1 must be|to conv1d|out of range|size .6, 6, 1.",
        "`relate` takes matrices, (B, c, l): `.flatten(2)` makes them of maps",
    ),
    (
        RuntimeError,
        r"'\[2, 12, 5, 4\]' is invalid",
        "before `extend` there are C/2 channels: take sizes from `x.shape[-2:]`, by `.unflatten`",
    ),
    (RuntimeError, "input of size", "take sizes from `x.shape`: 256 is C/2, for C = 512"),
    (RuntimeError, r"dim 2 \(6\)", "do not turn what `update` gives: the nodes stay last"),
    (
        RuntimeError,
        "unflatten",
        "the last dimension becomes height and width, those of x: `.unflatten(2, x.shape[-2:])`",
    ),
)
#: The same with the feature graph of 16 channels.
UNFED: tuple[tuple[Kinds, str, str], ...] = (
    (AttributeError, "'(Conv2d|Sequential)' object has no", "call the parts: `self.phi(x)`"),
    (RuntimeError, r"size \[(4|8), 16, 1, 1\]", "`phi` and `theta` both take X, (B, C, h, w)"),
    (
        RuntimeError,
        r"input\[2, (8, 8|4, 4)\]",
        "Z is states × nodes: `phi` makes the ones, `theta` the others, and each is used",
    ),
    (
        RuntimeError,
        r"size \[(4, 4|8, 8), 1\]",
        "nodes and states have changed places: `adjacency` takes (B, nodes, states), `update` Z",
    ),
    (
        RuntimeError,
        r"size \[16, 8, 1, 1\].* got 16",
        "`extend` is called once: C channels come out",
    ),
    (
        RuntimeError,
        r"size \[16, 8, 1, 1\].* got 4",
        "R is Z Θ: states × places, not nodes × places",
    ),
    (RuntimeError, r"size \[16, 8, 1, 1\]", "`extend` takes a map: `.unflatten` before it"),
    (
        RuntimeError,
        "input of size",
        "R has C/2 channels: `.unflatten(2, x.shape[-2:])` makes a map",
    ),
    (RuntimeError, "to conv1d", "the graph works on matrices: `.flatten(2)` makes them"),
    (RuntimeError, r"tensor b \(15\) .* dimension 2", "Z itself is added to what the links bring"),
    (
        RuntimeError,
        "must match the size of tensor b .* dimension 2",
        "Z and what the links bring stand turned to each other: turn back, then add",
    ),
    (
        RuntimeError,
        "must match|Expected size|batch1 must be|cannot be multiplied",
        "the matrices do not fit: Z is Φ Θᵀ, of (B, C/2, L) and (B, L, C/4), and R is Z Θ",
    ),
    (RuntimeError, r"dim 2 \(4\)", "R = Z Θ is missing: it leads from the nodes back to places"),
    (RuntimeError, r"dim 2 \(8\)", "R is Z Θ, states × places: here it is turned round"),
    (
        RuntimeError,
        "unflatten",
        "the last dimension becomes height and width, those of x: `.unflatten(2, x.shape[-2:])`",
    ),
)


def _off(way: Callable[..., Tensor], places: Mapping[str, str]) -> OneByOne:
    """What a way gives when something is done to what it has at a place.

    Args:
        way: takes by the name of a place what is done there.
        places: the names, and how a message calls them.
    """
    for place, where in places.items():
        for name, curve in curves():
            own = ": ABN brings its own activation" if "LU" in name and ":" not in where else ""
            yield way(**{place: curve}), f"there is no {name} {where}{own}"


def spatial(graph: Any, x: Tensor, /, **slips: Step) -> Tensor:
    """H_S, with slips: done to `x`, q, k, v or `qkv`, the `relation` M, `states`, or the `end`."""

    def at(place: str, value: Tensor) -> Tensor:
        return slips[place](value) if place in slips else value

    x = at("x", x)
    q, k, v = (
        at("qkv", at(name[0], getattr(graph, name)(x).flatten(2)))
        for name in ("query", "key", "value")
    )
    m = at("relation", relate(q, k, v))
    states = at("states", graph.update(at("turned", m.mT)))
    return at("end", graph.extend(states.unflatten(2, x.shape[-2:])))


@torch.no_grad()
def misled(graph: Any, x: Tensor) -> OneByOne:
    """Known mistakes in a spatial graph for 5 × 4 nodes."""
    q, k, v = (part(x).flatten(2) for part in (graph.query, graph.key, graph.value))
    for one, message in _misled_nodes(graph, q, k, v):
        yield graph.extend(one.unflatten(2, (5, 4))), message
    new = graph.update(relate(q, k, v).mT)
    yield from _ended(graph, new.unflatten(2, (5, 4)), x, (q, k, v), "H_S")
    yield from _off(partial(spatial, graph, x), _PLACES_S)


def _misled_nodes(graph: Any, q: Tensor, k: Tensor, v: Tensor) -> OneByOne:
    """What is taken for the states, (B, states, nodes), that `extend` gets."""
    m, update = relate(q, k, v), graph.update
    new, sums = update(m.mT), "nothing is added here: only the feature graph has a sum"
    times, left = "nothing is multiplied here", "`relate` is left out: `update` gets its M, turned"
    cut = "reshape cuts up: `.mT` turns, `.unflatten(2, …)` goes back to a map"
    yield m.mT, "the states are never updated: `update` is left out, or what it gives is not kept"
    yield update[0](m.mT), "the ABN of `update` is left out"
    yield update[1](m.mT), "the convolution of `update` is left out"
    yield update(new), "`update` is called once"
    yield update(m.reshape(2, 6, 20)), "reshape cuts M up: `m.mT` turns it round"
    yield m.reshape(2, 6, 20), "reshape cuts M up: `m.mT` turns it round"
    yield new.mT.reshape(2, 6, 20), cut
    yield new.reshape(2, 20, 6).mT, cut
    yield new.unflatten(2, (4, 5)).mT.flatten(2), cut
    for one in (m.mT, q, k, v):
        yield from ((new + one, sums), (update(m.mT + one), sums))
        yield from ((new * one, times), (update(m.mT * one), times))
    for one in (q, k, v):
        yield from ((one, left), (update(one), left))
    for one, n in product((new, m.mT), (20, 6, 12, 20**0.5, 6**0.5, 5)):
        scaled = one / n if one is new else update(one / n)
        yield scaled, "nothing is divided by the number of nodes"
    averaged = "no mean is taken: each node keeps states of its own"
    for dim in (-1, 1):
        old, mean = m.mT.mean(dim, keepdim=True), new.mean(dim, keepdim=True)
        yield from ((mean.expand_as(new), averaged), (update(old.expand_as(new)), averaged))
    turned = update(relate(q.mT, k.mT, v.mT))
    yield turned, "`relate` gets Q, K and V turned round: it takes (B, C/2, l), a column a node"
    for at in product(range(3), repeat=3):
        a, b, c = ((q, k, v)[i] for i in at)
        meet = b.mT @ c
        for w in (meet.softmax(-1), meet.softmax(1), (meet / 6**0.5).softmax(-1)):
            five = "this is lesson 05's: use your `relate`"
            yield from ((update(a @ w), five), (update(a @ w.mT), five))
        if at != (0, 1, 2):
            order = "queries, keys and values reach `relate` in another order"
            twice = "one of `query`, `key` and `value` is used twice, another never"
            yield update(relate(a, b, c).mT), order if len({*at}) == 3 else twice


_ALONE = "after `{}`: a 1×1 convolution alone"
_PLACES_S = {
    "x": "before `query`, `key` and `value`: they take X_l as it is",
    "qkv": "after `query`, `key` and `value`: Q, K and V are 1×1 convolutions alone",
    "q": _ALONE.format("query"),
    "k": _ALONE.format("key"),
    "v": _ALONE.format("value"),
    "relation": "before `update`, on M",
    "turned": "before `update`, on M",
    "states": "between `update` and `extend`: an ABN with slope 1 ends `update`",
    "end": "at the end",
}


def _ended(graph: Any, states: Tensor, x: Tensor, others: Sequence[Tensor], name: str) -> Mistakes:
    """Known mistakes with the last step, from right states as a map."""
    right, bare = graph.extend(states), graph.extend[0](states)
    height, width = x.shape[-2:]
    later = "X_l is added later, with λ" if name == "H_S" else "X is added later, with γ"
    alone, swapped = f"{name} alone is asked for", "height and width are swapped"
    turned = graph.extend(states.flatten(2).unflatten(2, (width, height)))
    maps = [one.unflatten(2, (height, width)) for one in others]
    return [
        (bare, "the ABN of `extend` is left out"),
        (right + x, f"{alone}: {later}"),
        (right * x, f"{alone}: nothing is multiplied here"),
        (right * x + x, f"{alone}: nothing is multiplied here"),
        (right + bare, f"{alone}: nothing is added here"),
        (2 * right, f"{alone}, once"),
        *((right + graph.extend(one), f"{alone}: nothing is added here") for one in maps),
        (turned, swapped),
        (turned.mT, swapped),
        (right.mT, swapped),
        (right.flatten(2), f"{name} is a map: nothing is flattened after `extend`"),
    ]


def feature(graph: Any, x: Tensor, /, **slips: Step) -> Tensor:
    """H_F, with slips: done to `x`, phi, theta (both uses, or one), z, `links`, `sum`, …."""

    def at(place: str, value: Tensor) -> Tensor:
        return slips[place](value) if place in slips else value

    x = at("x", x)
    phi, theta = at("phi", graph.phi(x).flatten(2)), at("theta", graph.theta(x).flatten(2))
    z = at("z", phi @ at("looks", theta).mT)
    z = at("sum", at("links", graph.adjacency(z.mT).mT) + at("old", z))
    r = at("r", at("states", graph.update(z)) @ at("asks", theta))
    return at("end", graph.extend(r.unflatten(2, x.shape[-2:])))


_BARE = "Θ has no {0}, nor has Φ: ABN alone makes them"
_PLACES_F = {
    "x": "before `phi` and `theta`: they take X as it is",
    "z": "on Z, before `adjacency`",
    "links": "after `adjacency`: BN is ABN without activation",
    "old": "on the old Z: it is added as it is",
    "sum": "between the two steps",
    "states": "after `update`: BN is ABN without activation",
    "r": "on R, before `extend`",
    "end": "at the end",
}


@torch.no_grad()
def misfed(graph: Any, x: Tensor) -> OneByOne:
    """Known mistakes in a feature graph for 16 channels and maps of 5 × 3."""
    way = partial(feature, graph, x)
    phi, theta = graph.phi(x).flatten(2), graph.theta(x).flatten(2)
    for one, message in _misled_places(graph, phi, theta):
        yield graph.extend(one.unflatten(2, (5, 3))), message
    bare = {name: getattr(graph, name)[0](x).flatten(2) for name in ("phi", "theta")}
    for name, flat in bare.items():
        yield way(**{name: lambda _, flat=flat: flat}), f"the ABN of `{name}` is left out"
    bare_both = way(phi=lambda _: bare["phi"], theta=lambda _: bare["theta"])
    yield bare_both, "the ABN of `phi` is left out, and that of `theta`"
    z = phi @ theta.mT
    r = graph.update(graph.adjacency(z.mT).mT + z) @ theta
    yield from _ended(graph, r.unflatten(2, (5, 3)), x, (phi, r), "H_F")
    for place in ("phi", "theta", "looks", "asks"):
        yield from ((way(**{place: curve}), _BARE.format(name)) for name, curve in curves())
    both = [("theta", "phi"), ("looks", "phi"), ("phi", "asks")]
    for pair, (name, curve) in product(both, curves()):
        yield way(**dict.fromkeys(pair, curve)), _BARE.format(name)
    yield from _off(way, _PLACES_F)


def _misled_places(graph: Any, phi: Tensor, theta: Tensor) -> OneByOne:
    """What is taken for R, (B, states, places), that `extend` gets."""
    z, update, adjacency = phi @ theta.mT, graph.update, graph.adjacency
    yield from ((states @ theta, message) for states, message in _misled_states(graph, z))
    r = update(adjacency(z.mT).mT + z) @ theta
    cut = "reshape cuts up: `.mT` turns, `.unflatten(2, …)` goes back to a map"
    yield from ((one, cut) for one in (r.mT.reshape(2, 8, 15), r.reshape(2, 15, 8).mT))
    yield from ((one, "R is Z Θ alone: Φ has done its work in Z") for one in (r + phi, r * phi))
    yield phi, "the graph is left out: R is Z Θ"
    yield z @ theta, "the graph is left out"
    for n in (15, 15**0.5, 2, 3, 4, 8, 8**0.5, 16):
        divided = "nothing is divided by the number of places, nor by a root"
        small = update(adjacency(z.mT / n).mT + z / n) @ theta
        yield from ((small, divided), (r / n, divided))


def _misled_states(graph: Any, z: Tensor) -> Mistakes:
    """What becomes of Z, (B, states, nodes), where a step is another."""
    update, adjacency = graph.update, graph.adjacency
    a = adjacency(z.mT).mT  # what the links bring
    once, lost = "Z is added once, before `update`", "the old states are lost"
    turned, wide = adjacency(z.reshape(2, 4, 8)), "reshape cuts Z up: `z.mT` turns it round"
    sign, halved = "Z is added to what the links bring, not taken away", "nothing is divided"
    product_, back = "Z is added to what the links bring, not multiplied", "reshape cuts up"
    never = "the states are never updated: `update` is left out"
    first = "first along the links, then `update`"
    return [
        (update(a), f"{lost}: add Z to what the links bring"),
        (update(z), "nothing runs along the links: `adjacency` is left out"),
        (update(a + z) + z, once),
        (update(a + z) + a + z, once),
        (update(a + z) + a, once),
        (update(a + 2 * z), once),
        (a, f"{lost}, and `update` is left out"),
        (update(a) + z, "Z is added before `update`, not after it"),
        (update(a) + a, f"{lost}: Z is added to what the links bring, before `update`"),
        (a + z, never),
        (adjacency(update(z).mT).mT + update(z), first),
        (adjacency(update(z).mT).mT + z, first),
        (adjacency(update(z).mT).mT, f"{first}; and {lost}"),
        (update(adjacency((a + z).mT).mT + a + z), "`adjacency` is called once"),
        (update(adjacency(a.mT).mT + z), "`adjacency` is called once"),
        (update(update(a + z)), "`update` is called once"),
        (update(adjacency(2 * z.mT).mT + z), "Z goes along the links as it is, not doubled"),
        (update(adjacency(2 * z.mT).mT), f"{lost}: Z is added *after* the links"),
        (update(turned.reshape(2, 8, 4) + z), wide),
        (update(turned.mT + z), wide),
        (update(a.mT.reshape(2, 8, 4) + z), f"{back}: turn it back by `.mT`"),
        *((update(other), sign) for other in (a - z, z - a)),
        *((update(other), product_) for other in (a * z, a * z + z, a * z + a)),
        *((update((a + z) / n), f"{halved}: Z and what the links bring are added") for n in (2, 4)),
        (update(adjacency[0](z.mT).mT + z), "the ABN of `adjacency` is left out"),
        (update(adjacency[1](z.mT).mT + z), "the convolution of `adjacency` is left out"),
        (update[0](a + z), "the ABN of `update` is left out"),
        (update[1](a + z), "the convolution of `update` is left out"),
    ]


def swapped(graph: Any, twin: Any) -> str:
    """Which of a feature graph's parts have each other's width; "" if none have."""
    for one, other, why in (
        ("phi", "theta", "C/2 states, and C/4 nodes"),
        ("adjacency", "update", "adjacency links nodes"),
    ):
        names = one, other
        first, second = (getattr(getattr(graph, n, None), "__getitem__", None) for n in names)
        if first is None or second is None:
            continue
        mine = [getattr(get(0), "out_channels", None) for get in (first, second)]
        if mine == [getattr(twin, n)[0].out_channels for n in (other, one)]:
            who = "phi and theta" if one == "phi" else "nodes and states"
            return f"{who} have changed places: {why}"
    return ""
