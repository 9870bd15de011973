"""Known mistakes in the exercises of lesson 07: what each of them gives, and what to say of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from coursekit.checks.comparing import alike
from coursekit.checks.mistakes.optimiser_twice import misadapted_twice, misstepped_twice, off_twice
from coursekit.optim import cosine_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    Mistakes = Iterator[tuple[Tensor, str]]


def misstepped(w: Tensor, g: Tensor, u: Tensor) -> Mistakes:
    """Known mistakes at rate 0.2, momentum 0.6, decay 0.3: what is taken for the new weight."""
    yield from ((w - 0.2 * velocity, message) for velocity, message in _velocities(w, g, u))
    yield from misstepped_twice(w, g, u)


def misremembered(w: Tensor, g: Tensor, u: Tensor) -> Mistakes:
    """The same for the new velocity, where the new weight is right."""
    p = g + 0.3 * w
    new = 0.6 * u + p
    yield w - 0.2 * new, "the weight comes first, then the velocity"
    yield u, "the old velocity was given back: the next step needs the new one"
    yield 0.2 * new, "the step was given back: the velocity is without the rate"
    yield 0.6 * u + g, "the decay goes past the velocity: L2 is part of the gradient"
    yield p, "g̃ was given back: the next step needs the new velocity"


def _velocities(w: Tensor, g: Tensor, u: Tensor) -> list[tuple[Tensor, str]]:
    """What is taken for the velocity by which the weight moves."""
    p = g + 0.3 * w
    return [
        (-0.6 * u - p, "the step goes uphill: subtract it"),
        (0.6 * u - p, "the gradient is subtracted twice: the velocity is momentum · velocity + g̃"),
        (p - 0.6 * u, "the gradient is added in the end: the velocity is momentum · velocity + g̃"),
        (0.6 * u + g, "weight_decay has no effect"),
        (0.6 * u + g - 0.3 * w, "weight decay pushes away from zero: mind its sign"),
        (0.6 * u + g + 0.15 * w, "you halved the decay: the gradient of λ/2 · w² is λ w"),
        (0.6 * u + 1.3 * g, "the decay is a share of the weight, not of the gradient"),
        (p, "momentum has no effect on the weight: the step is rate · the *new* velocity"),
        (3 * (0.2 * u + p), "rate and momentum have changed places"),
        (1.6 * (0.6 * u + p), "the step is rate · velocity, and nothing more is subtracted"),
        (0.5 * u + p, "momentum is always 0.5: use the argument"),
        (0.6 * u + 0.4 * p, "that is a mean of gradients: there is no (1 - momentum) here"),
        (0.6 * (u + p), "momentum shrinks the old velocity, not the gradient"),
        (u + 0.6 * p, "momentum stands at the gradient: it shrinks the old velocity"),
        (3 * u + p, "the rate is inside the velocity: the same only while the rate is constant"),
        (0.6 * (0.6 * u + p) + p, "that is Nesterov's momentum"),
        (0.6 * u + g + 0.06 * w, "the rate stands in the decay: λ w joins the gradient as it is"),
        (0.6 * u + g + 0.3 * w**2, "the gradient of λ/2 · w² is λ w, not its square"),
        (u, "the weight moves by the old velocity: make the new one first"),
        (g, "the weight moves by the gradient alone: the step is rate · velocity"),
        (0.2 * (0.6 * u + p), "the rate is there twice"),
        (0.6 * u + g + 0.3 * w.abs(), "the decay pulls towards zero: λ w, sign and all"),
        (0.6 * u + g + 0.3 * w.sign(), "that is L1 decay: the gradient of λ/2 · w² is λ w"),
        (0.6 + u * p, "momentum times velocity, plus g̃: `*` and `+` have changed places"),
        (0.6 * u + g + 0.3, "λ alone joins the gradient: it is λ w"),
        (0.6 * u + g + 0.3 * w.norm(), "each weight by itself: λ w, not λ times the norm"),
        (0.6 * u + g + 0.15 * w.square().sum(), "that is the decay's loss: its gradient is λ w"),
        (0.6 * u + g + 0.6 * w, "the decay is there twice: the gradient of λ/2 · w² is λ w"),
        (0.6 * u + g + 0.3 * u, "the decay is a share of the weight, not of the velocity"),
        (0.4 * u + p, "the old velocity is kept by momentum, not by 1 - momentum"),
        (0.4 * u + 0.6 * p, "that is a mean of gradients: there is no (1 - momentum) here"),
        (0.6 * u + 0.2 * p, "the rate is there twice"),
        (p - 3 * u, "the rate and the minus are inside the velocity: u adds g̃ up, and w - l · u"),
        (0.6 * u + 2.5 * p, "g̃ is divided by 1 - momentum: it joins the velocity as it is"),
        (0.6 * (0.6 * u + p), "momentum stands in the step, too: it is rate · velocity"),
        (0.6 * u + 5 * g + 0.3 * w, "the rate is missing at g: the step is rate · velocity"),
        (0.36 * u + p, "momentum is there twice: the new velocity is momentum · velocity + g̃"),
        (5 * (0.6 * u + p), "the rate has no effect: the step is rate · velocity"),
        (
            2.5 * (0.6 * u + p),
            "the step is divided by 1 - momentum: it is rate · velocity, and no other factor",
        ),
        (5 * w + 0.6 * u + p, "the step was given back: subtract it from the weight"),
        (0.6 * u + p / 2, "the gradient is halved: the velocity is momentum · velocity + g̃"),
    ]


def flawed(flaw: str, w: Tensor, g: Tensor, m: Tensor) -> Tensor:
    """Where a third step with a known flaw ends; the check compares yours with it."""
    a, b = {"turned": (0.9, 0.7), "one": (0.7, 0.7), "first": (0.9, 0.9)}.get(flaw, (0.7, 0.9))
    decays = {"half": w / 2, "rate": 0.2 * w, "square": w**2, "of g": g, "double": 2 * w}
    p = {"none": g, "decoupled": g, "away": g - 0.3 * w}.get(flaw, g + 0.3 * decays.get(flaw, w))
    p = g if flaw == "no rate" else p
    old, new = {"weights": (0.3, 0.7), "m weights": (0.3, 0.7), "sum": (a, 1)}.get(flaw, (a, 1 - a))
    mean = old * m + new * p
    old, new = {"weights": (0.1, 0.9), "v weights": (0.1, 0.9), "sum": (b, 1)}.get(flaw, (b, 1 - b))
    new = new**2 if flaw == "all squared" else new
    v = old * m**2 + new * {"g": g**2, "plain": p, "mean": mean**2}.get(flaw, p**2)
    none = math.inf  # to the power of infinity, a beta is 0
    times = {"bias": (none, none), "m": (3, none), "v": (none, 3), "t": (4, 4)}
    s, t = {"always": (1, 1), "early": (2, 2), **times}.get(flaw, (3, 3))
    powers = {"power": (0.3**3, 0.1**3), "share": (a**3, b**3)}
    powers |= {"times": (1 / (1 - a**3), 1 / (1 - b**3)), "crossed": (1 - b**3, 1 - a**3)}
    shares = powers.get(flaw, (1 - a**s, 1 - b**t))
    m_hat, v_hat = mean / shares[0], v / shares[1]
    m_hat, v_hat = (m / shares[0], m**2 / shares[1]) if flaw == "old" else (m_hat, v_hat)
    m_hat = {"gradient": p, "twice": m_hat / (1 - a**3)}.get(flaw, m_hat)
    eps = 0 if flaw == "no eps" else 0.05
    m_hat = mean - a**3 if flaw == "brackets" else m_hat
    v_hat = v - b**3 if flaw == "brackets" else v_hat
    rooted = v.sqrt() / shares[1] + eps
    root = {"eps": (v_hat + eps).sqrt(), "root": v_hat + eps, "rooted": rooted}.get(
        flaw, v_hat.sqrt() + eps
    )
    if flaw == "outside":
        return w - 0.2 * m_hat / v_hat.sqrt() + eps
    if flaw == "behind":
        return w - 0.2 * (m_hat / v_hat.sqrt() + eps)
    kept = {"decoupled": 1 - 0.2 * 0.3, "no rate": 1 - 0.3, "step": 0}
    start = w * kept.get(flaw, 1)
    return start - (-0.2 if flaw == "uphill" else 0.2) * m_hat / root


FLAWS = {
    "uphill": "the step goes uphill: subtract it", "none": "weight_decay has no effect",
    "bias": "no bias correction: divide m by 1 - β₁ᵗ and v by 1 - β₂ᵗ",
    "m": "only m is corrected: divide v by 1 - β₂ᵗ, too",
    "v": "only v is corrected: divide m by 1 - β₁ᵗ, too",
    "t": "the first step is t = 1 already: β ** t, not β ** (t + 1)",
    "early": "the first step is t = 1, and β ** 0 corrects nothing: β ** t, not β ** (t - 1)",
    "always": "t has no effect: the corrections are 1 - β ** t",
    "one": "β₂ is never used: v has β₂ in its mean and in its correction",
    "share": "divide by 1 - β ** t, not by β ** t",
    "gradient": "the step has the gradient itself above: m̂ belongs there",
    "twice": "m is corrected twice", "outside": "ε is added to the root, below the fraction line",
    "power": "(1 - β) ** t is another number than 1 - β ** t",
    "weights": "β and 1 - β have changed places: most of the old mean is kept",
    "sum": "the new gradient counts in full: 1 - β is missing in the means",
    "plain": "v is the mean of the *squared* gradient",
    "mean": "v takes the square of m: square the gradient",
    "eps": "ε stands under the root: add it afterwards",
    "no eps": "eps has no effect: add the argument to the root",
    "turned": "β₁ belongs to m and β₂ to v", "root": "divided by v̂ itself: take its root",
    "away": "weight decay pushes away from zero: mind its sign",
    "decoupled": "that is AdamW: in Adam the decay is a part of the gradient",
    "g": "the decay goes into m only: it belongs into both means",
    "half": "you halved the decay: the gradient of λ/2 · w² is λ w",
    "double": "the decay is doubled: the gradient of λ/2 · w² is λ w",
    "rate": "the rate stands in the decay: λ w joins the gradient as it is",
    "square": "the gradient of λ/2 · w² is λ w, not its square",
    "of g": "the decay is a share of the weight, not of the gradient",
    "no rate": "the decay goes past the gradient: it is a part of g̃",
    "m weights": "in m, β₁ and 1 - β₁ have changed places",
    "v weights": "in v, β₂ and 1 - β₂ have changed places",
    "all squared": "only g̃ is squared, not 1 - β₂ with it",
    "times": "divide by 1 - β ** t: the corrected means are larger",
    "crossed": "m̂ is corrected by β₁ and v̂ by β₂",
    "brackets": "brackets are missing: m / 1 - x is m - x; write m / (1 - x)",
    "rooted": "the root is taken before the correction: take that of v̂",
    "behind": "ε is added to the root, below the fraction line",
    "old": "m̂ and v̂ are made of the old m and v: make the new ones first",
    "step": "the step was given back: subtract it from the weight",
}  # fmt: skip


def misadapted(w: Tensor, g: Tensor, m: Tensor) -> Mistakes:
    """Known mistakes in a third step of Adam."""
    yield from ((flawed(flaw, w, g, m), message) for flaw, message in FLAWS.items())
    yield from misadapted_twice(w, g, m)


def averaged(w: Tensor, g: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
    """The new m and v of this step, for the old ones m and m²."""
    p = g + 0.3 * w
    return 0.7 * m + 0.3 * p, 0.9 * m**2 + 0.1 * p**2


def misaveraged(letter: str, w: Tensor, g: Tensor, m: Tensor) -> Mistakes:
    """Known mistakes in the m or the v that is given back, where the new weight is right."""
    means = averaged(w, g, m)
    mean, old, beta = {"m": (means[0], m, 0.7), "v": (means[1], m**2, 0.9)}[letter]
    again = f"{letter}̂ was handed on in place of {letter}, and will be corrected again and again"
    if letter == "m":
        yield means[1], "the order of what is given back is weight, m, v"
    yield mean / (1 - beta**3), again
    yield old, f"the old {letter} was given back: the next step needs the new one"


def off_the_curve(right: list[float]) -> Iterator[tuple[list[float], str]]:
    """Known mistakes in 24 epochs of Eq. 4 with T = 10, from 4 to 1; `right` is without any."""
    epochs = range(24)

    def of(angle: Callable[[int], float]) -> list[float]:
        return [2.5 + 1.5 * math.cos(angle(t)) for t in epochs]

    bend = [math.cos(math.pi * t / 10) for t in epochs]
    yield from [
        (
            right[:11] + [1.0] * 13,
            "it stays at l_min after T: Eq. 4 does not, cos goes on beyond π",
        ),
        (right[:11] + [0.0] * 13, "it is 0 after T: Eq. 4 has no end, cos goes on beyond π"),
        (
            [right[t - 10 * (t > 10)] for t in epochs],
            "it starts again after T: Eq. 4 knows no jump, cos goes on beyond π",
        ),
        (
            [1 + 3 * math.cos(math.pi * t / 20) for t in epochs],
            "that is a quarter of a wave: π t / T, 1 added to the cosine, and half of it",
        ),
        ([right[t % 10] for t in epochs], "it starts again at T: Eq. 4 knows no jump"),
        (of(lambda t: 2 * math.pi * t / 10), "a whole turn in T epochs: π, not 2π"),
        (
            of(lambda t: math.pi * t / 20),
            "a quarter of a turn in T epochs: π t / T, without a half",
        ),
        (
            [5 - r for r in right],
            "it rises: highest and lowest, or a sign, are the wrong way round",
        ),
        ([1 + 3 * (1 + b) for b in bend], "at t = 0 it is above l_max: the half is missing"),
        ([1 + 2 * (1 + b) for b in bend], "it starts above l_max: the cosine spans l_max - l_min"),
        (
            [1 + 2.5 * (1 + b) for b in bend],
            "it starts above l_max: the bracket is l_max *minus* l_min",
        ),
        ([1 + 1.5 * b for b in bend], "it falls below l_min: 1 is added to the cosine"),
        ([1.5 + 1.5 * b for b in bend], "it ends at 0: l_min is added"),
        ([2.5 + 1.5 * abs(b) for b in bend], "it turns halfway: the cosine keeps its sign"),
        ([1 + 3 * ((1 + b) / 2) ** 2 for b in bend], "the bracket is squared: Eq. 4 has no square"),
        (of(lambda t: math.radians(math.pi * t / 10)), "math.cos takes radians"),
        (of(lambda t: 18.0 * t), "math.cos takes radians: a half turn is math.pi"),
        (of(lambda t: t / 10), "there is no π: a half turn in T epochs"),
        (of(lambda t: math.pi * t // 10), "`//` makes a whole number of the angle: divide with /"),
        (of(lambda t: math.pi * (t // 10)), "t // T is a whole number: divide with /"),
        (of(lambda t: math.pi * t / 9), "it is at l_min one epoch early: divide by T, not T - 1"),
        (
            of(lambda t: math.pi * t / 10 - math.pi / 2),
            "that is a sine: it starts at l_max by a cosine",
        ),
        (
            [cosine_rate(t, 10, 4.0, 2.0) for t in epochs],
            "l_min is the argument lowest, not l_max / 2",
        ),
        (
            [2.5 * (1 + b) for b in bend],
            "the bracket is l_max *minus* l_min, and l_min is added, outside of all brackets",
        ),
        ([2 * (1 + b) for b in bend], "it ends at 0: l_min is added, and taken from l_max"),
        (
            [1 - 1.5 * (1 + b) for b in bend],
            "it falls below l_min: l_max minus l_min, not l_min - l_max",
        ),
        ([3 - 1 * (1 + b) for b in bend], "brackets are missing: (l_max - l_min) is one factor"),
        (
            [4.5 * (1 + b) for b in bend],
            "brackets are elsewhere: l_min is added to the product, and not to its first factor",
        ),
        (
            [1 + 0.5 * (3 + b) for b in bend],
            "the bracket is 1 + cos, a factor: l_max - l_min is multiplied by it, not added to cos",
        ),
        ([2 + 1.5 * (1 + b) for b in bend], "half of l_max is added: add l_min, all of it"),
        ([1 + 1.5 + b for b in bend], "brackets are missing: (1 + cos) is one factor"),
        ([4 + 1.5 * (1 + b) for b in bend], "it starts above l_max: l_min is added, not l_max"),
        (right[:11] + [4.0] * 13, "it is l_max after T: Eq. 4 falls, and rises slowly again"),
        (right[:10] + [4.0] * 14, "it is l_max from T on: Eq. 4 falls, and rises slowly again"),
        ([1 + 0.75 * (1 + b) for b in bend], "it starts below l_max: one half, not a quarter"),
        ([1 + 1.5 * (1 + b * b) for b in bend], "the cosine is squared: Eq. 4 has no square"),
        (of(lambda t: math.pi * t / 11), "it is at l_min one epoch late: divide by T, not T + 1"),
        (of(lambda t: math.pi * (t - 1) / 10), "t = 0 is l_max itself: do not subtract 1"),
        ([2.5 - 0.15 * t for t in epochs], "π t / T stands inside the cosine, all of it"),
        (of(lambda t: 3.14 * t / 10), "take math.pi, not a rounded number"),
        (of(lambda t: 3 * t / 10), "take math.pi, not a rounded number"),
        (of(lambda t: math.pi * t / 50), "T is the argument t_max, not 50"),
        (of(lambda t: math.pi * t / 25), "T is the argument t_max, not 25"),
        ([4 - 0.3 * t for t in epochs], "that is a straight line: Eq. 4 has a cosine"),
        ([cosine_rate(t + 1, 10, 4.0, 1.0) for t in epochs], "t = 0 is l_max itself: do not add 1"),
    ]
    yield from off_twice()


def sgd_apart(step: Callable[..., tuple[Tensor, Tensor]], w: Tensor, g: Tensor, u: Tensor) -> str:
    """What of a step of SGD is wrong: the step itself, its momentum or its decay; "" if nothing."""
    for momentum, decay, words in (
        (0.0, 0.0, "with momentum 0 and weight decay 0 a step is w - l · g, and yours is not"),
        (
            0.6,
            0.0,
            "without weight decay it goes wrong: the new velocity is momentum · velocity + g",
        ),
        (
            0.0,
            0.3,
            "without momentum it goes wrong: the decay adds λ w to g, and changes nothing else",
        ),
    ):
        got = step(w, g, u, 0.2, momentum=momentum, weight_decay=decay)
        if not (momentum or decay) and alike(got[0], w + 0.2 * g):
            return "the step goes uphill, with momentum and decay of 0, too: subtract it"
        if not momentum and alike(got[0], w):
            return "with momentum 0 nothing moves: it shrinks the old velocity, not the gradient"
        if not alike(got[0], w - 0.2 * (momentum * u + g + decay * w)):
            return words
    both = "momentum alone is right, and so is the decay alone: together the new velocity is "
    return both + "momentum · velocity + g + λ w"


def adam_apart(
    step: Callable[..., tuple[Tensor, Tensor, Tensor]], w: Tensor, g: Tensor, m: Tensor
) -> str:
    """What of a third step of Adam is wrong: the decay, m, v, their corrections, ε or the rest."""
    made = step(w, g, m, m**2, 3, 0.2, betas=(0.7, 0.9), eps=0.05, weight_decay=0.0)
    if made[0].isnan().any():
        return "a weight is no number: is what stands under the root below 0? 1 - β ** t has a power, no product"  # noqa: E501
    if alike(made[0], flawed("none", w, g, m)):
        return "without weight decay it is right: the decay adds λ w to g, and changes nothing else"
    if not alike(made[1], 0.7 * m + 0.3 * g):
        return "the new m is wrong: β₁ m + (1 - β₁) g̃"
    if not alike(made[2], 0.9 * m**2 + 0.1 * g**2):
        return "the new v is wrong: β₂ v + (1 - β₂) g̃²"
    late = step(w, g, m, m**2, 999, 0.2, betas=(0.7, 0.9), eps=0.05)[0]
    if alike(late, w - 0.2 * made[1] / (made[2].sqrt() + 0.05)):
        return "for a large t it is right: look at the corrections, m / (1 - β₁ᵗ) and v / (1 - β₂ᵗ)"
    bare = step(w, g, m, m**2, 999, 0.2, betas=(0.7, 0.9), eps=0.0)[0]
    if alike(bare, w - 0.2 * made[1] / made[2].sqrt()):
        return "with eps = 0 it is right: ε is added to the root of v̂, below the fraction line"
    return "m and v are right, and what is made of them is not: w - l · m̂ / (√v̂ + ε)"


def curve_apart(rate: Callable[[float, int, float, float], float]) -> str:
    """Where the curve of Eq. 4 is left, with T = 10, from 4 to 1."""
    if rate(0, 10, 4.0, 1.0) == 4 and rate(8, 10, 4.0, 1.0) == rate(9, 10, 4.0, 1.0) == 1:
        return "it is cut off at l_min before T: no `max`, for the cosine spans l_max - l_min"
    for t, right, words in (
        (0, 4.0, "at t = 0 the rate is l_max, for cos 0 is 1"),
        (10, 1.0, "at t = T the rate is l_min, for cos π is -1"),
        (5, 2.5, "at t = T / 2 the rate is half-way, for cos(π / 2) is 0"),
        (20, 4.0, "at t = 2 T the rate is l_max again"),
    ):
        if not abs((got := rate(t, 10, 4.0, 1.0)) - right) < 1e-6:
            return f"{words}: got {got:.6g}, expected: {right:g}"
    if all(abs(rate(t, 10, 4.0, 1.0) - cosine_rate(t, 10, 4.0, 1.0)) < 1e-4 for t in range(11)):
        return "up to T it is right, and later it is not: Eq. 4 as it stands, for every t"
    return "at 0, T / 2, T and 2 T it is right, and not in between: cos(π t / T), not rounded"
