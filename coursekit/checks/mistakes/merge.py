"""Known mistakes in how lesson 09 merges its graphs."""

from __future__ import annotations

from functools import partial
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from coursekit.checks.common import Kinds

    Mistakes = Iterator[tuple[Tensor, str]]
    Rows = Iterator[tuple[tuple[Tensor, ...], str]]

_FACTOR = "X and up(S) are multiplied place by place: `*`, not `@`"
#: Exceptions, what they say, and what is behind them: in `merged`, of 8 or 12 channels.
UNMERGED: tuple[tuple[Kinds, str, str], ...] = (
    (AttributeError, "Graph' object has no|'Projection'", "call the parts: `self.spatial(x_l)`"),
    (
        TypeError,
        r"got \((Projection|SpatialGraph|FeatureGraph)",
        "call the parts: `self.spatial(x_l)`",
    ),
    (RuntimeError, "Expected size for first|cannot be multiplied", _FACTOR),
    (RuntimeError, "size mismatch, got input", "λ and γ are one number each: `*`, not `@`"),
    (
        RuntimeError,
        r"tensor b \(24\)",
        "sizes come from X, `x.shape[-2:]`: 8 times the 3 of X_l is more than the 21 of X",
    ),
    (
        RuntimeError,
        "Expected size 18 but got size 21",
        "height and width, in this order: `x.shape[-2:]`",
    ),
    (
        RuntimeError,
        r"Sizes of tensors must match|size of tensor",
        (
            "the sizes do not fit: H_S has X_l's size, so S = λ H_S + X_l is enlarged as a whole "
            "to the size of X, which all else has"
        ),
    ),
    (RuntimeError, r"size \[8, 10, .* got 8 ", "`x` is X already: `conva` comes before"),
    (
        (RuntimeError, ValueError),
        "to have .* channels|is expected",
        "`spatial` works on X_l and `feature` on X; `merged` gives Y, and `reduce` comes later",
    ),
)
#: The same in `at_start`.
UNJUDGED: tuple[tuple[Kinds, str, str], ...] = (
    (TypeError, "expected Tensor as element", "0 is no tensor: `torch.zeros_like(x)`"),
    (NameError, "'self'", "this is no method: the block's parts are `block.projection`, …"),
    (RuntimeError, "number of dimensions", "`torch.zeros_like(x)` has the batch, too"),
    (
        RuntimeError,
        "must match|size of tensor",
        "all has the size of X: enlarge X_l first, and make zeros like X",
    ),
    (RuntimeError, "to have .* channels", "`x` is X already: `conva` comes before"),
)

_OTHER = 'this is the other reading: is the name spelt "paper" or "code", and asked by `==`?'
_ORDER = "the parts stand in another order"
_CORNERS, _AGAIN = "leave align_corners at its default", "X is laid beside once"
#: Other ways to enlarge a map, and what is said of them.
_OTHER_SIZES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"mode": "nearest"}, "enlarge bilinearly: nearest neighbours give blocks"),
    ({"mode": "nearest-exact"}, "enlarge bilinearly: nearest neighbours give blocks"),
    ({"mode": "area"}, "enlarge bilinearly: means of areas give blocks"),
    ({"mode": "bicubic"}, "enlarge bilinearly, not bicubically"),
    ({"mode": "bilinear", "align_corners": True}, _CORNERS),
    ({"mode": "bicubic", "align_corners": True}, "enlarge bilinearly, not bicubically"),
)
_CURVES: tuple[tuple[str, Callable[[Tensor], Tensor]], ...] = (
    ("sigmoid", torch.sigmoid),
    ("tanh", torch.tanh),
    ("ReLU", F.relu),
    ("softmax", partial(torch.softmax, dim=1)),
    ("softmax", partial(torch.softmax, dim=-1)),
)


def _gated(gate: Tensor, graph: Tensor, x: Tensor | None, words: tuple[str, str, str]) -> Mistakes:
    """What is taken for gate · graph + x, or for gate · graph where there is no x.

    Args:
        gate: λ or γ.
        graph: H_S or H_F.
        x: what is added to it.
        words: how the gate, the graph and what is added are called.
    """
    letter, name, _ = words
    plus = torch.zeros_like(graph) if x is None else x
    whole, same = f"{letter} is the whole factor, not 1", f"{letter} is a factor as it is: no"
    yield graph + plus, f"{letter} is left out"
    yield gate + graph + plus, f"{letter} multiplies {name}, it is not added"
    yield plus - gate * graph, f"{name} is added, not taken away"
    yield gate**2 * graph + plus, f"{letter} is there twice"
    yield (1 + gate) * graph + plus, f"{whole} + {letter}"
    yield (1 - gate) * graph + plus, f"{whole} - {letter}"
    curved = [("exp", gate.exp()), ("softplus", F.softplus(gate)), ("sigmoid", gate.sigmoid())]
    curved += [("tanh", gate.tanh()), *([("ReLU", F.relu(gate))] if (gate < 0).all() else [])]
    for curve, value in curved:
        yield value * graph + plus, f"{same} {curve}"
    for n, bend in _CURVES:
        yield bend(gate * graph) + plus, f"there is no {n} at {letter} {name}"
    if x is not None:
        yield from _summed(gate, graph, x, words)


def _summed(gate: Tensor, graph: Tensor, x: Tensor, words: tuple[str, str, str]) -> Mistakes:
    """The same, of the sum."""
    letter, name, added = words
    eq = f"{'S' if letter == 'λ' else 'G'} is {letter} {name} + {added}"
    yield gate * graph, f"{eq}: the sum is missing"
    yield x, f"{eq}: {name} is left out"
    yield gate * (graph + x), f"{letter} multiplies {name} alone, not {added}"
    yield gate * x + graph, f"{letter} multiplies {name}, not {added}"
    stays = f"{eq}: {added} stays whole, there is no 1 - {letter}"
    yield gate * graph + (1 - gate) * x, stays
    yield (1 - gate) * graph + gate * x, f"{eq}: there is no 1 - {letter}"
    yield gate * graph * x, f"{eq}: a sum, no product"
    yield gate * graph * x + x, f"{eq}: nothing else is multiplied"
    yield gate * graph + graph, f"{eq}: {added} is added, not {name} again"
    yield gate * graph - x, f"{eq}: a sum, no difference"
    yield gate * graph + 2 * x, f"{eq}: {added} is added once"
    for n, curve in _CURVES:
        yield curve(gate * graph + x), f"{eq}: there is no {n} after it"


@torch.no_grad()
def mismerged(block: Any, x: Tensor) -> Mistakes:
    """Known mistakes in `merged`: what they give, and what to say."""
    slips = _as_paper if block.merge == "paper" else _as_code
    for parts, said in slips(block, x, block.projection(x)):
        yield torch.cat(parts, 1), said


def mislaid(got: Tensor, x: Tensor, merge: str) -> str:
    """How the parts of Y were put together, if not along the channels; "" if they were."""
    parts, (batch, channels, height, width) = (2 if merge == "code" else 3), x.shape
    if got.shape == (batch, parts * channels, height, width):
        return ""
    if got.shape == (parts * batch, channels, height, width):
        return "the parts are laid along the batch: channels are `dim=1`"
    if got.shape in (
        (batch, channels, parts * height, width),
        (batch, channels, height, parts * width),
    ):
        return "the parts are laid along the height or width: channels are `dim=1`"
    if got.dim() == 5:
        return "`torch.stack` makes a new dimension: `torch.cat` lays along one that there is"
    more = f"concatenated: dim=1; its shape is {tuple(got.shape)}"
    return f'Y of "{merge}" has {parts} times the channels of X ({more})'


def _up(x: Tensor, **how: Any) -> Callable[[Tensor], Tensor]:
    return partial(F.interpolate, size=x.shape[-2:], **(how or {"mode": "bilinear"}))


def _graphs(
    block: Any, x: Tensor, x_l: Tensor, h_s: Tensor, h_f: Tensor
) -> Iterator[tuple[Tensor, list[tuple[Tensor, str]]]]:
    """H_S and H_F, enlarged, from what they should not be made of: of each H_S all H_F."""
    up, spatial, part = _up(x), block.spatial, block.feature
    on_l = "the spatial graph works on X_l, not on {}"
    on_x = "the feature graph works on X, not on {}"
    other = "H_S is what `spatial` gives, H_F what `feature` gives"
    low, large, enlarged = up(part(x_l)), up(h_s), up(x_l)
    on_large = spatial(x)
    rights = [(h_f, ""), (low, on_x.format("X_l")), (on_large, other)]
    rights += [(large, other), (part(h_f), "`feature` is called once")]
    rights += [(part(large), on_x.format("H_S")), (part(on_large), on_x.format("H_S"))]
    rights += [(part(enlarged), on_x.format("X_l")), (x, "`feature` is left out")]
    yield large, rights[1:]  # the first is right
    lefts = [(on_large, on_l.format("X")), (low, other), (h_f, other)]
    lefts += [(up(spatial(h_s)), "`spatial` is called once"), (enlarged, "`spatial` is left out")]
    lefts += [(spatial(enlarged), on_l.format("X_l enlarged")), (spatial(h_f), on_l.format("H_F"))]
    for left, said in lefts:
        yield left, [(right, said) for right, _ in rights]


def _as_paper(block: Any, x: Tensor, x_l: Tensor) -> Rows:
    up, lam, gam, low = _up(x), block.lambda_, block.gamma, block.spatial(x_l)
    h_s, h_f = up(low), block.feature(x)
    s, g = lam * h_s, gam * h_f
    beside = "⊙ is concatenation: Eq. 1 lays maps side by side, there is no sum and no product"
    swapped, both = "λ belongs to H_S, and γ to H_F", "H_S and H_F both stand in Y"
    yield (x * up(lam * low + x_l) + x, g + x), _OTHER
    yield (s, g), "X itself stands in Y, too: three parts"
    yield (h_s, h_f), "X itself stands in Y, too: three parts; and λ and γ are left out"
    yield (x, h_s, h_f), "λ and γ are left out"
    yield (x, gam * h_s, lam * h_f), swapped
    yield (x, gam * h_s, gam * h_f), swapped
    yield (x, lam * h_s, lam * h_f), swapped
    for parts in product((lam * x,), (h_s, s), (h_f, g)):
        yield parts, "X itself has no gate"
    yield from ((parts, _ORDER) for parts in list(permutations((x, s, g)))[1:])
    mixed = [s + x, g + x, s * x, g * x, x * h_s, x * h_f]
    sums = [(x + s + g,), (x * s * g,), (x * s + x * g,), (x + s * g,), (x, s * g, x)]
    sums += [(x, s + g, x), (x, x, s + g), (x, s + up(x_l), g + x)]
    sums += [(x, one, g) for one in (*mixed, up(lam * low + x_l), lam * (h_s + x))]
    sums += [(x, s, one) for one in (*mixed, s + g, s * g, gam * (h_f + x))]
    sums += [(x, one, two) for one, two in product(mixed, mixed)]
    sums += [(one, s, g) for one in (x * s, x + s, x * g, x + g, x + s + g)]
    yield from ((parts, beside) for parts in sums)
    yield (x, lam * (h_s + x), gam * (h_f + x)), beside
    yield from (((x, one, one), both) for one in (s, g))
    for left, rights in _graphs(block, x, x_l, low, h_f):
        gated = lam * left
        yield from (((x, gated, gam * right), said) for right, said in rights)
    yield from (((x, lam * _up(x, **how)(low), g), said) for how, said in _OTHER_SIZES)
    yield from (((x, one, g), said) for one, said in _gated(lam, h_s, None, ("λ", "H_S", "")))
    yield from (((x, s, one), said) for one, said in _gated(gam, h_f, None, ("γ", "H_F", "")))


def _as_code(block: Any, x: Tensor, x_l: Tensor) -> Rows:
    up, lam, gam, h_s, h_f = (
        _up(x), block.lambda_, block.gamma, block.spatial(x_l), block.feature(x)
    )  # fmt: skip
    low = lam * h_s + x_l
    s, g = up(low), gam * h_f + x
    first, swapped = x * s + x, "λ belongs to H_S, and γ to H_F"
    yield (x, lam * up(h_s), gam * h_f), _OTHER
    yield (x * s, x, g), "X · up(S) + X is one part, a sum: X does not stand beside it"
    yield (x * (up(lam * h_s) + x) + x, g), "S is λ H_S + X_l, not + X"
    yield (x * up(h_s + x_l) + x, h_f + x), "λ and γ are left out"
    yield (x * up(gam * h_s + x_l) + x, lam * h_f + x), swapped
    yield (x * up(gam * h_s + x_l) + x, g), swapped
    yield (first, lam * h_f + x), swapped
    for one in (s, up(x_l)):
        yield (first, gam * h_f + one), "G is γ H_F + X, with X itself"
    for mode in ("area", "bilinear"):
        small = F.interpolate(x, x_l.shape[-2:], mode=mode)
        yield (x * up(lam * h_s + small) + x, g), "S is λ H_S + X_l, with X_l itself"
    yield (g, first), _ORDER
    yield (x * s + g, g), "G stands beside the first part, not in it"
    yield (block.reduce(torch.cat((first, g), 1)),), "`reduce` comes later, in `forward`"
    yield from ((parts, _AGAIN) for parts in ((x, first, g), (first, g, x), (first, x, g)))
    yield from (((x * _up(x, **how)(low) + x, g), said) for how, said in _OTHER_SIZES)
    of_s = _gated(lam, h_s, x_l, ("λ", "H_S", "X_l"))
    yield from (((x * up(one) + x, g), said) for one, said in of_s)
    of_g = _gated(gam, h_f, x, ("γ", "H_F", "X"))
    yield from (((first, one), said) for one, said in of_g)
    yield from (((one, g), f"the first part is X · up(S) + X{w}") for one, w in _firsts(x, s, g))
    yield from (((first, one), f"G is γ H_F + X{w}") for one, w in _firsts(x, s, g, h_f))
    enlarged = up(x_l)
    for left, rights in _graphs(block, x, x_l, h_s, h_f):
        one = x * (lam * left + enlarged) + x
        yield from (((one, gam * right + x), said) for right, said in rights)
    yield from _bent(x, low, s, g)


def _bent(x: Tensor, low: Tensor, s: Tensor, g: Tensor) -> Rows:
    """The code's reading, with an activation in it."""
    for name, curve in _CURVES:
        no = f"there is no {name} in this equation"
        yield (x * curve(s) + x, g), no
        yield (x * _up(x)(curve(low)) + x, g), no
        yield (curve(x * s + x), g), no
        yield (x * curve(s), g), no
        yield (curve(x * s) + x, g), no


def _firsts(x: Tensor, s: Tensor, g: Tensor, h_f: Tensor | None = None) -> Mistakes:
    """Sums and products of the letters, but for the right one: of the first part, or with H_F."""
    letters = {"X": x, "up(S)": s, "G": g} | ({} if h_f is None else {"H_F": h_f})
    if h_f is None:
        yield x * s, ": the sum is missing"
        yield x + s, ": these two are multiplied, then X is added"
    yield from ((one, f", not {n} alone") for n, one in letters.items())
    for (n, a), (m, b) in product(letters.items(), repeat=2):
        times = a * b
        signs = ("·", times), ("+", a + b), ("-", a - b)
        yield from ((value, f", not {n} {sign} {m}") for sign, value in signs)
        for o, c in letters.items():
            if h_f is not None or sorted((n, m)) != ["X", "up(S)"] or o != "X":
                yield times + c, f", not {n} · {m} + {o}"
            yield a * (b + c), f", not {n} · ({m} + {o})"


@torch.no_grad()
def misjudged(block: Any, x: Tensor) -> Mistakes:
    """Known mistakes in `at_start`: what they give, and what to say."""
    slips = _judged_as_paper if block.merge == "paper" else _judged_as_code
    for parts, said in slips(block, x):
        yield torch.cat(parts, 1), f'"{block.merge}": {said}'


def _judged_as_paper(block: Any, x: Tensor) -> Rows:
    nothing, up = torch.zeros_like(x), _up(x)(block.projection(x))
    parts = {"X": x, "0": nothing, "1": nothing + 1, "2 X": 2 * x, "X_l": up, "else": x * up + x}
    twice = "zeros stand beside X twice, once for each graph"
    yield (parts["else"], x), _OTHER
    yield (x,), "zeros stand beside X: Y has three times the channels"
    yield (x, nothing), twice
    yield (x, nothing, nothing, nothing), twice
    yield from (((curve(x), nothing, nothing), f"there is no {n} in Eq. 1") for n, curve in _CURVES)
    for names in product(parts, repeat=3):
        if names != ("X", "0", "0"):
            yield tuple(parts[n] for n in names), _beside_x(names)


def _judged_as_code(block: Any, x: Tensor) -> Rows:
    x_l, equation = block.projection(x), "the first part is X · up(S) + X"
    up, nothing, ones = _up(x)(x_l), torch.zeros_like(x), torch.ones_like(x)
    first = x * up + x
    yield (x, first), _ORDER
    yield (x, nothing, nothing), _OTHER
    yield (x, up), "X · up(S) + X comes first, then G, which is X"
    yield (first,), "G stands beside the first part: with γ = 0 it is X"
    yield (first, x, x), "Y has two parts: X · up(S) + X, and G"
    speaks = "X_l still multiplies X: S is λ H_S + X_l, and λ = 0 takes the graph away alone"
    added, whole = f"{equation}: X is added, once", "G is γ H_F + X: with γ = 0 it is X, {}"
    firsts = [(first, ""), *((part, speaks) for part in (x, 2 * x, x * x + x, x * x))]
    firsts += [(nothing, f"λ = 0 takes the graph away, not X: {equation}")]
    firsts += [(x * up, f"{equation}: the sum is missing"), (up, f"{equation}, not S")]
    firsts += [(x + up, "X and up(S) are multiplied, then X is added")]
    firsts += [(part, added) for part in (x * up + up, x * up + 2 * x, x * up - x)]
    firsts += [(2 * x * up + x, f"{equation}: nothing is doubled")]
    firsts += [
        (x * _up(x, **how)(x_l) + x, f"{said}, as in `merged`") for how, said in _OTHER_SIZES
    ]
    firsts += [(x * up * up + x, "S is there once"), (up * up + x, "X is multiplied by up(S)")]
    firsts += [(curve(x * up + x), f"{equation}: there is no {n}") for n, curve in _CURVES]
    firsts += [(x * curve(up) + x, f"{equation}: there is no {n}") for n, curve in _CURVES]
    seconds = [(x, ""), (nothing, whole.format("not 0")), (2 * x, whole.format("once"))]
    more = up, x * up, x + up, first, x * x, ones
    seconds += [(part, whole.format("and nothing else")) for part in more]
    yield from (
        ((one, two), said or also)
        for (one, said), (two, also) in product(firsts, seconds)
        if said or also
    )


def _beside_x(names: Sequence[str]) -> str:
    """What is wrong with the parts of Y of a fresh block in the paper's reading."""
    if sorted(names) == ["0", "0", "X"]:
        return f"{_ORDER}: X stands first"
    if names[0] != "X":
        return "X itself stands first in Y, as it is"
    if "1" in names:
        return "γ and λ are 0: beside X stand zeros, not ones"
    if {*names} <= {"X", "0"}:
        return "γ and λ are 0: beside X stand zeros, not X again"
    return "Eq. 1 adds nothing to the graphs: beside X stand zeros"
