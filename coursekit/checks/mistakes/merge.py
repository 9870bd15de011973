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

    Mistakes = list[tuple[Any, str]]

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
    curved = [("exp", gate.exp()), ("softplus", F.softplus(gate)), ("sigmoid", gate.sigmoid())]
    curved += [("tanh", gate.tanh()), *([("ReLU", F.relu(gate))] if (gate < 0).all() else [])]
    found: Mistakes = [
        (graph + plus, f"{letter} is left out"),
        (gate + graph + plus, f"{letter} multiplies {name}, it is not added"),
        (plus - gate * graph, f"{name} is added, not taken away"),
        (gate**2 * graph + plus, f"{letter} is there twice"),
        ((1 + gate) * graph + plus, f"{whole} + {letter}"),
        ((1 - gate) * graph + plus, f"{whole} - {letter}"),
        *((value * graph + plus, f"{same} {curve}") for curve, value in curved),
        *(
            (curve(gate * graph) + plus, f"there is no {n} at {letter} {name}")
            for n, curve in _CURVES
        ),
    ]
    return found if x is None else found + _summed(gate, graph, x, words)


def _summed(gate: Tensor, graph: Tensor, x: Tensor, words: tuple[str, str, str]) -> Mistakes:
    """The same, of the sum."""
    letter, name, added = words
    eq = f"{'S' if letter == 'λ' else 'G'} is {letter} {name} + {added}"
    return [
        (gate * graph, f"{eq}: the sum is missing"),
        (x, f"{eq}: {name} is left out"),
        (gate * (graph + x), f"{letter} multiplies {name} alone, not {added}"),
        (gate * x + graph, f"{letter} multiplies {name}, not {added}"),
        (gate * graph + (1 - gate) * x, f"{eq}: {added} stays whole, there is no 1 - {letter}"),
        ((1 - gate) * graph + gate * x, f"{eq}: there is no 1 - {letter}"),
        (gate * graph * x, f"{eq}: a sum, no product"),
        (gate * graph * x + x, f"{eq}: nothing else is multiplied"),
        (gate * graph + graph, f"{eq}: {added} is added, not {name} again"),
        (gate * graph - x, f"{eq}: a sum, no difference"),
        (gate * graph + 2 * x, f"{eq}: {added} is added once"),
        *((curve(gate * graph + x), f"{eq}: there is no {n} after it") for n, curve in _CURVES),
    ]


@torch.no_grad()
def mismerged(block: Any, x: Tensor) -> Iterator[tuple[Tensor, str]]:
    """Known mistakes in `merged`: what they give, and what to say."""
    x_l = block.projection(x)
    rows = _as_paper(block, x, x_l) if block.merge == "paper" else _as_code(block, x, x_l)
    return ((torch.cat(parts, 1), said) for parts, said in rows[1:])  # the first is right


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


def _graphs(block: Any, x: Tensor, x_l: Tensor) -> list[tuple[Tensor, Tensor, str]]:
    """H_S and H_F, enlarged, from what they should not be made of; the right ones stand first."""
    up, spatial, part = _up(x), block.spatial, block.feature
    h_s, h_f = spatial(x_l), part(x)
    on_l = "the spatial graph works on X_l, not on {}"
    on_x = "the feature graph works on X, not on {}"
    other = "H_S is what `spatial` gives, H_F what `feature` gives"
    lefts = [
        (up(h_s), ""),
        (spatial(x), on_l.format("X")),
        (up(part(x_l)), other),
        (part(x), other),
    ]
    lefts += [(up(spatial(h_s)), "`spatial` is called once"), (up(x_l), "`spatial` is left out")]
    lefts += [(spatial(up(x_l)), on_l.format("X_l enlarged")), (spatial(h_f), on_l.format("H_F"))]
    rights = [(h_f, ""), (up(part(x_l)), on_x.format("X_l")), (spatial(x), other)]
    rights += [(up(h_s), other), (part(h_f), "`feature` is called once")]
    rights += [(part(up(h_s)), on_x.format("H_S")), (part(spatial(x)), on_x.format("H_S"))]
    rights += [(part(up(x_l)), on_x.format("X_l")), (x, "`feature` is left out")]
    return [(s, f, said or also) for (s, said), (f, also) in product(lefts, rights)]


def _as_paper(block: Any, x: Tensor, x_l: Tensor) -> list[tuple[tuple[Tensor, ...], str]]:
    up, lam, gam = _up(x), block.lambda_, block.gamma
    (h_s, h_f, _), *others = _graphs(block, x, x_l)
    s, g, low = lam * h_s, gam * h_f, block.spatial(x_l)
    beside = "⊙ is concatenation: Eq. 1 lays maps side by side, there is no sum and no product"
    swapped, mixed = "λ belongs to H_S, and γ to H_F", [s + x, g + x, s * x, g * x]
    mixed += [x * h_s, x * h_f]
    bilinear = [(lam * _up(x, **how)(low), said) for how, said in _OTHER_SIZES]
    sums = [(x + s + g,), (x * s * g,), (x * s + x * g,), (x + s * g,), (x, s * g, x)]
    sums += [(x, s + g, x), (x, x, s + g), (x, s + up(x_l), g + x)]
    sums += [(x, one, g) for one in (*mixed, up(lam * low + x_l), lam * (h_s + x))]
    sums += [(x, s, one) for one in (*mixed, s + g, s * g, gam * (h_f + x))]
    sums += [(x, one, two) for one, two in product(mixed, mixed)]
    sums += [(one, s, g) for one in (x * s, x + s, x * g, x + g, x + s + g)]
    found: list[tuple[tuple[Tensor, ...], str]] = [
        ((x, s, g), ""),
        ((x * up(lam * low + x_l) + x, g + x), _OTHER),
        ((s, g), "X itself stands in Y, too: three parts"),
        ((h_s, h_f), "X itself stands in Y, too: three parts; and λ and γ are left out"),
        ((x, h_s, h_f), "λ and γ are left out"),
        ((x, gam * h_s, lam * h_f), swapped),
        ((x, gam * h_s, gam * h_f), swapped),
        ((x, lam * h_s, lam * h_f), swapped),
        *(((lam * x, one, two), "X itself has no gate") for one in (h_s, s) for two in (h_f, g)),
        *((parts, _ORDER) for parts in list(permutations((x, s, g)))[1:]),
        *((parts, beside) for parts in sums),
        ((x, lam * (h_s + x), gam * (h_f + x)), beside),
        *(((x, one, one), "H_S and H_F both stand in Y") for one in (s, g)),
        *(((x, lam * a, gam * b), said) for a, b, said in others),
        *(((x, one, g), said) for one, said in bilinear),
    ]
    found += [((x, one, g), said) for one, said in _gated(lam, h_s, None, ("λ", "H_S", ""))]
    return found + [((x, s, one), said) for one, said in _gated(gam, h_f, None, ("γ", "H_F", ""))]


def _as_code(block: Any, x: Tensor, x_l: Tensor) -> list[tuple[tuple[Tensor, ...], str]]:
    up, lam, gam, h_s = _up(x), block.lambda_, block.gamma, block.spatial(x_l)
    low = lam * h_s + x_l
    (_, h_f, _), *others = _graphs(block, x, x_l)
    s, g = up(low), gam * h_f + x
    first, swapped = x * s + x, "λ belongs to H_S, and γ to H_F"
    both, low_size = torch.cat((first, g), 1), x_l.shape[-2:]
    small = F.interpolate(x, low_size, mode="area"), F.interpolate(x, low_size, mode="bilinear")
    found: list[tuple[tuple[Tensor, ...], str]] = [
        ((first, g), ""),
        ((x, lam * up(h_s), gam * h_f), _OTHER),
        ((x * s, x, g), "X · up(S) + X is one part, a sum: X does not stand beside it"),
        ((x * (up(lam * h_s) + x) + x, g), "S is λ H_S + X_l, not + X"),
        ((x * up(h_s + x_l) + x, h_f + x), "λ and γ are left out"),
        ((x * up(gam * h_s + x_l) + x, lam * h_f + x), swapped),
        ((x * up(gam * h_s + x_l) + x, g), swapped),
        ((first, lam * h_f + x), swapped),
        *(((first, gam * h_f + one), "G is γ H_F + X, with X itself") for one in (s, up(x_l))),
        *(((x * up(lam * h_s + one) + x, g), "S is λ H_S + X_l, with X_l itself") for one in small),
        ((g, first), _ORDER),
        ((x * s + g, g), "G stands beside the first part, not in it"),
        ((block.reduce(both),), "`reduce` comes later, in `forward`"),
        *((parts, _AGAIN) for parts in ((x, first, g), (first, g, x), (first, x, g))),
        *(((x * _up(x, **how)(low) + x, g), said) for how, said in _OTHER_SIZES),
    ]
    of_s = _gated(lam, h_s, x_l, ("λ", "H_S", "X_l"))
    found += [((x * up(one) + x, g), said) for one, said in of_s]
    of_g = _gated(gam, h_f, x, ("γ", "H_F", "X"))
    found += [((first, one), said) for one, said in of_g]
    found += [((one, g), f"the first part is X · up(S) + X{w}") for one, w in _firsts(x, s, g)]
    found += [((first, one), f"G is γ H_F + X{w}") for one, w in _firsts(x, s, g, h_f)]
    found += [((x * (lam * a + up(x_l)) + x, gam * b + x), said) for a, b, said in others]
    for name, curve in _CURVES:
        no = f"there is no {name} in this equation"
        parts = (
            (x * curve(s) + x, g),
            (x * up(curve(low)) + x, g),
            (curve(first), g),
            (x * curve(s), g),
        )
        found += [(pair, no) for pair in (*parts, (curve(x * s) + x, g))]
    return found


def _firsts(x: Tensor, s: Tensor, g: Tensor, h_f: Tensor | None = None) -> Mistakes:
    """Sums and products of the letters, but for the right one: of the first part, or with H_F."""
    letters = {"X": x, "up(S)": s, "G": g} | ({} if h_f is None else {"H_F": h_f})
    found: Mistakes = []
    if h_f is None:
        found += [(x * s, ": the sum is missing")]
        found += [(x + s, ": these two are multiplied, then X is added")]
    found += [(one, f", not {n} alone") for n, one in letters.items()]
    for (n, a), (m, b) in product(letters.items(), repeat=2):
        signs = ("·", a * b), ("+", a + b), ("-", a - b)
        found += [(value, f", not {n} {sign} {m}") for sign, value in signs]
        for o, c in letters.items():
            if h_f is not None or sorted((n, m)) != ["X", "up(S)"] or o != "X":
                found.append((a * b + c, f", not {n} · {m} + {o}"))
            found.append((a * (b + c), f", not {n} · ({m} + {o})"))
    return found


@torch.no_grad()
def misjudged(block: Any, x: Tensor) -> Iterator[tuple[Tensor, str]]:
    """Known mistakes in `at_start`: what they give, and what to say."""
    rows = _judged_as_paper(block, x) if block.merge == "paper" else _judged_as_code(block, x)
    name = f'"{block.merge}"'
    return ((torch.cat([*p], 1), f"{name}: {said}") for p, said in rows[1:])


def _judged_as_paper(block: Any, x: Tensor) -> list[tuple[Sequence[Tensor], str]]:
    nothing, up = torch.zeros_like(x), _up(x)(block.projection(x))
    parts = {"X": x, "0": nothing, "1": nothing + 1, "2 X": 2 * x, "X_l": up, "else": x * up + x}
    twice = "zeros stand beside X twice, once for each graph"
    rows: list[tuple[Sequence[Tensor], str]] = [
        ((x, nothing, nothing), ""),
        ((x * up + x, x), _OTHER),
        ((x,), "zeros stand beside X: Y has three times the channels"),
        ((x, nothing), twice),
        ((x, nothing, nothing, nothing), twice),
        *(((curve(x), nothing, nothing), f"there is no {n} in Eq. 1") for n, curve in _CURVES),
    ]
    for names in product(parts, repeat=3):
        if names != ("X", "0", "0"):
            rows.append(([parts[n] for n in names], _beside_x(names)))
    return rows


def _judged_as_code(block: Any, x: Tensor) -> list[tuple[Sequence[Tensor], str]]:
    x_l, equation = block.projection(x), "the first part is X · up(S) + X"
    up, nothing, one = _up(x)(x_l), torch.zeros_like(x), torch.ones_like(x)
    speaks = "X_l still multiplies X: S is λ H_S + X_l, and λ = 0 takes the graph away alone"
    added, whole = f"{equation}: X is added, once", "G is γ H_F + X: with γ = 0 it is X, {}"
    firsts = [(x * up + x, ""), *((part, speaks) for part in (x, 2 * x, x * x + x, x * x))]
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
    more = up, x * up, x + up, x * up + x, x * x, one
    seconds += [(part, whole.format("and nothing else")) for part in more]
    rows: list[tuple[Sequence[Tensor], str]] = [
        ((x * up + x, x), ""),
        ((x, x * up + x), _ORDER),
        ((x, nothing, nothing), _OTHER),
        ((x, up), "X · up(S) + X comes first, then G, which is X"),
        ((x * up + x,), "G stands beside the first part: with γ = 0 it is X"),
        ((x * up + x, x, x), "Y has two parts: X · up(S) + X, and G"),
    ]
    for (a, said), (b, also) in product(firsts, seconds):
        if said or also:
            rows.append(((a, b), said or also))
    return rows


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
