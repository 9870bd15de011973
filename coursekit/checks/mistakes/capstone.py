"""Known mistakes in lesson 14: what they give, and what to say; of its others: `gains`, `worst`."""

from __future__ import annotations

from itertools import pairwise, permutations
from math import prod
from typing import TYPE_CHECKING, Any

from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from coursekit.checks.mistakes.questions import Way

    Layers = list[tuple[int, int, int]]

_GAPS = "a kernel of 3 adds its gaps, 2, not its taps"
_EVEN = "an even kernel has k - 1 gaps, too: one of 2 adds one"
_STEP_LAST = "a layer's own stride does not change what it sees: the step comes last"
_BACKWARDS = "this formula goes from the last layer to the first"
_ONCE = (
    "the step grows only once, after the loop: each layer multiplies it, inside of the loop, after "
    "the field has grown"
)
#: So many widths at equal distances are no search: digit by digit there are nine.
_ALIKE = 16


def misfound(limits: Sequence[int]) -> Iterator[tuple[list[Any], str]]:
    """Widths for limits on a cost of 8w² - 2w, found with a mistake."""

    def below(limit: int, equal: bool = False) -> int:
        return max((w for w in range(1, 99) if 8 * w * w - 2 * w < limit + equal), default=0)

    exact = [below(limit) for limit in limits]
    powers = [2 ** (width.bit_length() - 1) for width in exact]
    wrong_half = [_halved(width, power) for width, power in zip(exact, powers, strict=True)]
    yield from (
        ([w + 1 for w in exact], "one too wide: of the two ends, return the one that fits"),
        *((found, words) for found, words in _searched(limits)),
        (
            [below(limit, equal=True) for limit in limits],
            "fewer than the limit: a cost of exactly the limit is too much",
        ),
        ([w - 1 for w in exact], "one wider still fits: which of the two ends do you return?"),
        (powers, "only powers of 2: after the doubling, halve the interval"),
        (
            wrong_half,
            "the wrong half is kept: where the middle fits `low` moves to it, else `high`",
        ),
        (
            [max(w, 2) for w in exact],
            "width 2 is taken to fit: begin with low = 1, which you have tried, and high = 2",
        ),
        (
            [int((limit / 6) ** 0.5) or "ValueError" for limit in limits],
            "a formula fits one family alone: build networks, and compare their costs",
        ),
        ([2 * w for w in powers], "the first power of 2 that does not fit: halve the interval"),
        ([w if w > 1 else "ValueError" for w in exact], "width 1 fits here: raise no ValueError"),
        (
            [1] * len(exact),
            "width 1 for every limit: where the middle fits `low` moves to it, else `high`",
        ),
        *(
            ([w] * len(exact), "the same width for every limit: compare the cost with limit")
            for w in range(9)
        ),
        ([w or 1 for w in exact], "width 1 is not below the limit here: raise ValueError"),
    )


def _searched(limits: Sequence[int]) -> Iterator[tuple[list[Any], str]]:
    """The same by bisection, where an end moves too far, or where it stops too early."""

    def search(limit: int, up: int, down: int, stop: int, most: int = 99) -> Any:
        low, high = 1, 2
        while 8 * high * high - 2 * high < limit:
            low, high = high, 2 * high
        while high - low > stop and most:
            most -= 1
            middle = (low + high) // 2
            if 8 * middle * middle - 2 * middle < limit:
                low = middle + up
            else:
                high = middle - down
        return low

    past = "an end moves to the middle itself, which was tried: `{} = middle`"
    for up, down, stop, words in (
        (1, 0, 1, past.format("low")),
        (0, 1, 1, past.format("high")),
        (1, 1, 1, past.format("low = middle` or `high")),
        (1, 0, 0, past.format("low")),
        (0, 0, 2, "it stops too early: the ends are neighbours when `high - low` is 1"),
        (0, 0, 3, "it stops too early: the ends are neighbours when `high - low` is 1"),
    ):
        yield [search(limit, up, down, stop) for limit in limits], words
    once = "the interval is halved once: go on (`while`, not `if`) until both ends are neighbours"
    yield [search(limit, 0, 0, 1, most=1) for limit in limits], once


def astray(tries: Sequence[int]) -> str:
    """What is wrong with the widths that were built, so many or so large; "" if nothing is."""
    last, recent = tries[-1], {*tries[-12:]}
    pairs = list(pairwise(tries))
    if last >= 5 * 10**8:  # who goes up by tens tries 10**8
        if len(tries) > 4 and all(b == 2 * a for a, b in pairs[-4:]):
            return (
                f"width {last:,} was built: go on doubling only while it *fits*, `while fits(high)`"
            )
        if len(tries) > 3 and all(b == a * a for a, b in pairs[-2:]):
            return f"width {last:,} was built: double the width, do not square it"
        return f"width {last:,} was built: the limit is no width. Double from 1 on"
    paces = {b - a for a, b in pairs[-_ALIKE:]}
    if len(pairs) >= _ALIKE and len(paces) == 1 and paces != {0}:
        pace = abs(paces.pop())
        how = "one by one" if pace == 1 else f"in steps of {pace}"
        return (
            f"widths are tried {how}, which takes for ever where the limit is large: double until "
            "it no longer fits, then halve the interval"
        )
    if len(tries) <= 100:
        return ""
    if len(recent) < 4:
        return (
            f"width {last} is built again and again: the middle is `(low + high) // 2`, one end "
            "moves to it each time, and neighbours end it"
        )
    return (
        f"more than 100 networks were built (the last: {last}): double until it no longer fits, "
        "then halve the interval, and stop"
    )


def _halved(width: int, power: int) -> int:
    """What halving gives that keeps the wrong half, between a power of 2 and the next."""
    low, high = power, 2 * power
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if middle <= width else (middle, high)
    return low


#: Of a receptive field: the order in a layer, where it begins, …
_NAMES = ("kernel", "stride", "dilation")
_ORDER: list[Way] = [
    (order, f"a layer is (kernel, stride, dilation), not ({', '.join(_NAMES[i] for i in order)})")
    for order in permutations(range(3))
]
_START: list[Way] = [
    ((1, 1), ""),
    ((0, 1), "an output without a layer is its pixel: it sees one, not none"),
    ((1, 0), "the step is 1 before the first layer, not 0"),
    ((0, 0), "field and step are 1 before the first layer, not 0"),
    ((2, 1), "the field is 1 before the first layer, not 2"),
]
#: … how far a kernel reaches, …
_REACH: list[Way] = [
    (lambda k, d: (k - 1) * d, ""),
    (lambda k, d: k * d, _GAPS),
    (lambda k, d: k, f"{_GAPS}, and dilation stretches them"),
    (lambda k, d: (k - 1) * d + 1, f"{_GAPS}: k - 1, times the dilation, and no 1"),
    (lambda k, d: k - 1, "dilation has no effect: it stretches the gaps"),
    (lambda k, d: k * d - 1, "dilation stretches the gaps, of which there are k - 1, not the taps"),
    (lambda k, d: (k + 1) * d, "a kernel has k - 1 gaps, not k + 1"),
    (lambda k, d: k - 1 + d, "dilation stretches the gaps: it is multiplied, not added"),
    (lambda k, d: k + d - 2, "dilation stretches the gaps: it is multiplied, not added"),
    (lambda k, d: (k - 1) * (d + 1), "dilation 1 is a plain kernel: (k - 1)·d, not d + 1"),
    (lambda k, d: (k - 1) * (d - 1), "dilation 1 is a plain kernel: (k - 1)·d, not d - 1"),
    (lambda k, d: (k - 1) ** d, "dilation stretches the gaps: multiply, do not raise"),
    (lambda k, d: (k - 1) * 2 ** (d - 1), "dilation 3 stretches a gap to 3: times d"),
    (lambda k, d: k // 2 * d, "half a kernel, k // 2, is one side of it: there are k - 1 gaps"),
    (lambda k, d: (k - 1) // 2 * d, "half a kernel is one side of it: there are k - 1 gaps"),
    (lambda k, d: (k - 1) * d / 2, "half a kernel is one side of it: there are k - 1 gaps"),
    (lambda k, d: k // 2 * 2 * d, _EVEN),
    (lambda k, d: (k - 1) // 2 * 2 * d, _EVEN),
    (lambda k, d: 2 * (k - 1) * d, "twice too many: a kernel has k - 1 gaps in all"),
]
_OWN_STRIDE = "a gap is as long as all strides before it make it"
_LARGEST = "strides multiply: the step is a product, not the largest"
_NO_STEP = "the step never changes: multiply it by the stride"
_LAST_ALONE = "the field has only what the last layer adds: add each layer's, inside of the loop"
#: … how long a gap is, how the step goes on, how the field grows, …
_GAP: list[Way] = [
    (lambda before, after, s: before, ""),
    (lambda before, after, s: after, _STEP_LAST),
    (
        lambda before, after, s: 1,
        "after a stride of 2 every gap is twice as long: times the step, as it is at that layer",
    ),
    (
        lambda before, after, s: s,
        "a gap is one *step* before the layer, not the layer's own stride",
    ),
    (lambda before, after, s: 1 / (before or 1), "the gap is as long as the step: multiply"),
]
_STEPS: list[Way] = [
    (lambda step, k, s, d: step * s, ""),
    (lambda step, k, s, d: step + s, "strides multiply: the step is a product"),
    (lambda step, k, s, d: step + s - 1, "strides multiply: the step is a product"),
    (
        lambda step, k, s, d: max(step, s),
        _LARGEST,
    ),
    (lambda step, k, s, d: s, _OWN_STRIDE),
    (lambda step, k, s, d: step / s, "outputs move apart: multiply the step, do not divide it"),
    (lambda step, k, s, d: step, _NO_STEP),
    (
        lambda step, k, s, d: step * s * d,
        "dilation stretches the kernel, but does not move the outputs apart",
    ),
    (lambda step, k, s, d: step * s * k, "the kernel does not move the outputs apart: the stride"),
    (
        lambda step, k, s, d: step * s if k > 1 else step,
        "a kernel of 1 sees no further, but its stride counts",
    ),
    (lambda step, k, s, d: step * 2 if s > 1 else step, "a stride of 3 or 4 is no stride of 2"),
]
_GROWTH: list[Way] = [
    (lambda field, more, s: field + more, ""),
    (lambda field, more, s: max(field, more + 1), "each layer adds: the field is no largest"),
    (lambda field, more, s: more + 1, _LAST_ALONE),
    (lambda field, more, s: more, "the field begins anew with each layer: add, `+=`"),
    (lambda field, more, s: field * (more or 1), "each layer adds to the field: no product"),
    (lambda field, more, s: field * (more + 1), "each layer adds to the field: no product"),
    (lambda field, more, s: field * more, "each layer adds to the field: no product"),
    (lambda field, more, s: (field - 1) * s + more + 1, _BACKWARDS),
    (lambda field, more, s: field * s + more, f"{_BACKWARDS}, and there it is (field - 1)·s"),
]
#: … in which order layers come, and what is returned.
_LAYERS: list[Way] = [
    (lambda layers: layers, ""),
    (
        lambda layers: layers[::-1],
        "the layers are taken from the last to the first, or the formula is the one for that way",
    ),
    (lambda layers: layers[:1], "only the first layer counts: does a `return` stand in the loop?"),
    (lambda layers: layers[-1:], "only the last layer counts: add to what was there"),
    (lambda layers: layers[1:], "the first layer is left out"),
    (lambda layers: layers[:-1], "the last layer is left out"),
]
_SOME = [_LAYERS[0], *_LAYERS[2:]]  # whatever the order
_RETURNED: list[Way] = [
    (lambda field, step: (field, step), ""),
    (lambda field, step: (step, field), "the field comes first, then the step"),
    (lambda field, step: (field**2, step), "field is the side of the square, not its area"),
    (lambda field, step: (field // 2, step), "field is the whole side, not half of it"),
    (lambda field, step: (field, 1), "the step is lost: return that of the end"),
    (lambda field, step: (field, field), "the second is the step, not the field again"),
    (lambda field, step: (step, step), "the first is the field, not the step"),
]


_BRACKETS = "mind the brackets: (kernel - 1) * dilation * step"
_NO_STRIDE = "no stride is subtracted: a layer's own stride does not change what it sees"
#: What a layer adds, by formulas that are no answers to these questions.
_FORMULAS: list[Way] = [
    (lambda k, s, d, step: k - d * step, _BRACKETS),
    (lambda k, s, d, step: k * d * step - 1, _BRACKETS),
    *(
        (
            lambda k, s, d, step, n=n: (k - 1) * d + step - n,
            "a gap is one step long: multiply by it",
        )
        for n in (0, 1)
    ),
    (lambda k, s, d, step: ((k - 1) * d + 1 - s) * step, _NO_STRIDE),
    (lambda k, s, d, step: (k - s) * d * step, _NO_STRIDE),
    (lambda k, s, d, step: (k - 1) * (d + step), "a gap is one step long: multiply by it"),
    (
        lambda k, s, d, step: (k - 1) * d * step // 2,
        "half a kernel is one side of it: there are k - 1 gaps, and nothing is halved",
    ),
    (lambda k, s, d, step: (k - 1) * d * (step - 1), "a gap is one step long, not step - 1"),
    (lambda k, s, d, step: (k - 1) * d**step, "a gap is one step long: multiply, do not raise"),
]


def _misplaced(chains: Sequence[Layers]) -> Iterator[tuple[list[Any], str]]:
    """Field and step of each chain where a line of the loop stands after it, or before."""
    whole = [prod(s for _, s, _ in layers) for layers in chains]
    strides = [layers[-1][1] for layers in chains]
    for gaps in (lambda k, d: (k - 1) * d, lambda k, d: k - 1):
        every = [[gaps(k, d) for k, _, d in layers] for layers in chains]
        yield [(1 + sum(e), s) for e, s in zip(every, strides, strict=True)], _ONCE
        yield (
            [(1 + sum(e) * s, s) for e, s in zip(every, strides, strict=True)],
            f"{_ONCE}: not the field",
        )
        yield (
            [(1 + sum(e) * p, p) for e, p in zip(every, whole, strict=True)],
            "each layer sees with the step of the end: let both grow in one loop, the step last",
        )
        for late in (lambda p, s: p, lambda p, s: p // s):
            yield (
                [
                    (1 + e[-1] * late(p, s), p)
                    for e, p, s in zip(every, whole, strides, strict=True)
                ],
                _LAST_ALONE,
            )


def _back(chains: Sequence[Layers], most: int) -> Iterator[tuple[list[Any], str]]:
    """The same by the formula that goes from the last layer to the first, with mistakes."""

    def act(reach: Any, growth: Any, steps: Any, some: Any, end: Any) -> list[Any]:
        found = []
        for layers in chains:
            field = step = 1
            for k, s, d in some(layers)[::-1]:
                field = growth(field, reach(k, d), s)
                step = steps(step, k, s, d)
            found.append(end(field, step))
        return found

    named: list[Way] = [
        _STEPS[0],
        (lambda step, k, s, d: s, "the step is the product of all strides, not one of them"),
        *(way for way in _STEPS[1:] if way[1] not in (_OWN_STRIDE, _LARGEST, _NO_STEP)),
    ]
    ways: list[Way] = [
        (lambda field, more, s: (field - 1) * s + more + 1, ""),
        (lambda field, more, s: field * s + more, f"{_BACKWARDS}: there it is (field - 1) · s"),
        (lambda field, more, s: field * s + more + 1, f"{_BACKWARDS}: there it is (field - 1) · s"),
        (
            lambda field, more, s: (field - 1) * s + more,
            f"{_BACKWARDS}: there it is (field - 1) · s + (k - 1) · d + 1",
        ),
        (
            lambda field, more, s: (field + more) * s,
            f"{_BACKWARDS}: there only field - 1 is multiplied by the stride",
        ),
    ]
    yield from mistaken(act, _REACH, ways, named, _SOME, _RETURNED, most=most)


def misseen(chains: Sequence[Layers]) -> Iterator[tuple[list[Any], str]]:
    """Field and step of each chain, with one known mistake and with two."""

    def act(
        order: Any, start: Any, reach: Any, gap: Any, steps: Any, growth: Any, some: Any, end: Any
    ) -> list[Any]:
        found = []
        for layers in chains:
            field, step = start
            for layer in some(layers):
                k, s, d = (layer[order.index(i)] for i in range(3))
                after = steps(step, k, s, d)
                field = growth(field, reach(k, d) * gap(step, after, s), s)
                step = after
            found.append(end(field, step))
        return found

    yield from _misplaced(chains)
    for more, words in _FORMULAS:
        found = []
        for layers in chains:
            field = step = 1
            for k, s, d in layers:
                field, step = field + more(k, s, d, step), step * s
            found.append((field, step))
        yield found, words
    questions = _ORDER, _START, _REACH, _GAP, _STEPS, _GROWTH, _LAYERS, _RETURNED
    for most in (1, 2):
        yield from mistaken(act, *questions, most=most)
        yield from _back(chains, most)
