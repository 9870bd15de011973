"""Where an answer to lesson 11 leaves the right way, when its mistake is none of the known ones.

Each function asks the answer a few small questions, whose results can be told by heart.
"""

from __future__ import annotations

import math
from itertools import product
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coursekit.checks.comparing import alike
from coursekit.checks.mistakes.named import listed, numbers, tried

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    Answer = Callable[..., Any]


def off_average(answer: Answer, n: int, k: int) -> str:
    """What is wrong with an aggregate of n students in cycle k: which share."""
    values = np.vstack(
        [np.zeros(n + 1), np.eye(n + 1), np.arange(1.0, n + 2) * (-1.0) ** np.arange(n + 1)]
    )  # one row a weight
    names = [f"weight {place}" for place in range(len(values))]
    models = [
        {name: torch.tensor([row[i], 0.0]) for name, row in zip(names, values, strict=True)}
        for i in range(n + 1)
    ]

    def weights(best: Any, *students: Any) -> Any:
        made = answer(best, list(students), k, set(names))
        return torch.stack([made[name] for name in names])

    made, where = tried(weights, *models), f"cycle {k}, {n} students"
    if made is None or made.shape != (n + 3, 2):
        return f"{where}: expected the weights of Eq. 6"
    if not np.allclose(made[0], 0):
        return (
            f"{where}: of weights that are all 0 comes {made[0, 0]:.3g}: shares of weights are "
            "added, and no number alone (mind the brackets)"
        )
    if not np.allclose(made[:, 1], 0):
        return f"{where}: one entry of a weight changes another: sum over the students alone"
    best, *each = shares = made[1:-1, 0]
    if not np.isclose(made[-1, 0], shares @ values[-1], atol=1e-5):
        return (
            f"{where}: M is no sum of shares here: weights are multiplied, sorted, rounded, or "
            "lose their signs"
        )
    return f"{where}: {_off_shares(float(best), each, n, k)}"


def _off_shares(best: float, each: Sequence[float], n: int, k: int) -> str:
    right, student = k / (k + 1), 1 / ((k + 1) * n)
    if not np.allclose(each, each[0], atol=1e-5):
        return (
            f"the students count {numbers(each)}; expected: all alike, 1 / ((k + 1)·N) = "
            f"{student:.3g}"
        )
    wrong = []
    if not math.isclose(best, right, abs_tol=1e-5):
        wrong.append(f"M_best has the share {best:.3g}, expected: k / (k + 1) = {right:.3g}")
    if not math.isclose(each[0], student, abs_tol=1e-5):
        wrong.append(
            f"each student has the share {each[0]:.3g}, expected: 1 / ((k + 1)·N) = {student:.3g}"
        )
    return (
        "; ".join(wrong)
        or "the shares are nearly right: is a weight rounded, or `half`, on its way?"
    )


def off_trace(answer: Answer, right: Callable[[list[bool]], Any]) -> str:
    """What is wrong with shares, said of the shortest list for which they are."""
    for renewed in (list(r) for cycles in range(4) for r in product((True, False), repeat=cycles)):
        made, wanted = tried(answer, renewed), np.asarray(right(renewed), float)
        if not alike(made, wanted):
            break
    else:
        return "right for up to three cycles, and wrong for more: does each M come from M_best?"
    told = f"for {renewed}, where {numbers(wanted)} is expected"
    if made is None or made.shape != wanted.shape:
        return f"{told}, it gives no {len(wanted)} numbers"
    if np.allclose(made, wanted, atol=0.006):
        return f"{told}: round nothing"
    cycles, told = len(renewed), f"{told}, it gives {numbers(made)}"
    if not cycles:
        return f"{told}: without a cycle M is M_0 itself, so begin with the share 1 at place 0"
    if alike(tried(answer, [True] * 2), np.cumsum(right([True] * 2))):
        return f"{told}: these are sums from M_0 on, no shares"
    if not math.isclose(made.sum(), 1, abs_tol=1e-6):
        return f"{told}, whose sum is {made.sum():.3g}: k / (k + 1) of M_best, 1 / (k + 1) of e_k"
    if not math.isclose(made[-1], wanted[-1], abs_tol=1e-6):
        return f"{told}: e_{cycles} comes last, at place {cycles}, with the share 1 / (k + 1)"
    best = (made * (cycles + 1) - np.eye(cycles + 1)[-1]) / cycles  # what Eq. 6 was given
    used = [j for j in range(cycles) if np.allclose(_padded(right(renewed[:j]), cycles), best)]
    wanted_best = max((j for j in range(cycles) if renewed[j]), default=0)
    if used:
        return (
            f"{told}: in cycle {cycles} M_best is the M of cycle {used[0]} here, expected: that of"
            f" cycle {wanted_best} (0 is M_0)"
        )
    return f"{told}: M_best is no M of an earlier cycle"


def _padded(shares: Any, cycles: int) -> Any:
    return np.pad(shares, (0, cycles + 1 - len(shares)))


def off_statistics(
    mine: Sequence[nn.Module], alone: Sequence[Sequence[nn.Module]], old: Sequence[nn.Module],
    sizes: Sequence[int],
) -> str:  # fmt: skip
    """What is wrong with statistics: in which layers, and how much each batch counts there.

    Args:
        mine: the layers after the answer.
        alone: for each batch the layers, with statistics of it alone.
        old: the layers before.
        sizes: images of each batch.
    """
    right = np.array(sizes) / sum(sizes)
    wrong: dict[str, str] = {}
    for place, layer in enumerate(mine):
        every = np.stack([_statistics(layers[place]) for layers in alone], 1)  # (2 C, batches)
        found, name = _statistics(layer), type(layer).__name__
        if np.allclose(found, every @ right, rtol=1e-4, atol=1e-6):
            continue
        half = len(found) // 2
        fits = np.isclose(found, every @ right, rtol=1e-4)
        halves = fits[:half].all(), fits[half:].all()
        if any(halves):
            wrong[name] = f"the {'variances' if halves[0] else 'means'} are wrong, the others right"
            continue
        reset = np.repeat((0.0, 1.0), half)
        given = np.column_stack([every, _statistics(old[place]), reset])
        shares, *_ = np.linalg.lstsq(given, found, rcond=None)
        if np.allclose(given @ shares, found, rtol=1e-3, atol=1e-4):
            wrong[name] = (
                f"the batches count {numbers(shares[:-2])}, expected: {numbers(right)}"
                + f", and the old statistics {shares[-2]:.2g}" * bool(abs(shares[-2]) > 1e-3)
                + f", and the reset ones {shares[-1]:.2g}" * bool(abs(shares[-1]) > 1e-3)
            )
        else:
            wrong[name] = (
                "no mean of what batches bring in use: each once, dropout off, images and weights "
                "as they are"
            )
    names = [type(layer).__name__ for layer in mine]
    fine = [name for name in names if name not in wrong]
    once = ". Does each batch pass once, and only when all momenta are set?"
    told = "; ".join(f"in the {name} {words}" for name, words in list(wrong.items())[:2])
    if not fine:
        return told + once
    return f"{told} (right: {listed(fine)}; *every* layer found gets all that one gets)"


def _statistics(layer: Any) -> Any:
    return torch.cat([layer.running_mean, layer.running_var]).double().numpy()


def _kl(student: Tensor, teacher: Tensor) -> Tensor:
    log_p, log_q = teacher.log_softmax(1), student.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


def off_divergence(answer: Answer) -> str:
    """What is wrong with a distillation loss: a pixel's cost, or the mean over pixels."""
    drawn = torch.Generator().manual_seed(4)
    pairs = [tuple(2 * torch.randn(2, 1, 3, 1, 1, generator=drawn)) for _ in range(4)]
    one = torch.ones(1, 1, 1, dtype=torch.bool)

    def cost(student: Tensor, teacher: Tensor) -> float:
        made = tried(answer, student, teacher, one)
        return float(made.ravel()[0]) if made is not None and made.size == 1 else math.nan

    mine, right = (np.array([float(f(*p)) for p in pairs]) for f in (cost, _kl))
    if np.allclose(mine, right, rtol=1e-4):
        return _off_mean(answer)
    told = "already the cost of a single pixel is another"
    if np.isnan(mine).any():
        return f"{told}: it is no number. Each logarithm is `log_softmax`'s"
    others = {"teacher": (pairs[0][0], pairs[1][1]), "student": (pairs[1][0], pairs[0][1])}
    for who, other in others.items():
        if math.isclose(cost(*other), mine[0], rel_tol=1e-5):
            return (
                f"{told}: the {who}'s logits have no effect there. Is its softmax over "
                "dimension 1, that of the classes?"
            )
    agreed = cost(pairs[0][0], pairs[0][0])
    if abs(agreed) > 1e-5:
        return (
            f"{told}: where both agree it is {agreed:.3g}, expected: 0; something is added, or "
            "one of both is changed first"
        )
    if np.allclose(mine / right, mine[0] / right[0], rtol=1e-4):
        times = mine[0] / right[0]
        base = " (1.44 is a logarithm of base 2)" if abs(times - 1 / math.log(2)) < 1e-3 else ""
        return f"{told}: {times:.4g} times KL, whatever the pixel{base}; expected: once"
    if np.allclose(mine, right, rtol=0.01):
        return f"{told}, and nearly right: with log_softmax nothing is added to a probability"
    if np.allclose(mine**2, right, rtol=1e-4):
        return f"{told}: the root of KL; no root"
    shifted = np.array([cost(s + 1, t - 1) for s, t in pairs])
    if not np.allclose(shifted, mine, rtol=1e-3):
        return (
            f"{told}: it changes when 1 is added to all logits of a pixel, and after a softmax "
            "that changes nothing: one softmax each, over dimension 1"
        )
    for heat in (0.5, 2.0, 3.0, 4.0, 5.0):
        cooled = np.array([float(_kl(s / heat, t / heat)) for s, t in pairs])
        if np.allclose(mine / cooled, mine[0] / cooled[0], rtol=1e-3):
            return (
                f"{told}: a temperature of {heat:g}; here it is 1, so nothing is divided or "
                "multiplied by it"
            )
    if np.allclose(mine, [cost(t, s) for s, t in pairs], rtol=1e-4):
        return f"{told}: student and teacher may change places in yours, and KL is not symmetric"
    p, q = (logits.softmax(1).ravel() for logits in pairs[0][::-1])
    return (
        f"{told}: for p = {numbers(p)} and q = {numbers(q)} it is {mine[0]:.3f}, expected: Σ p "
        f"(log p - log q) = {right[0]:.3f}"
    )


def _off_mean(answer: Answer) -> str:
    """What is wrong with a distillation loss that is right for a single pixel."""
    drawn = torch.Generator().manual_seed(5)
    s, t = 2 * torch.randn(2, 2, 3, 2, 2, generator=drawn)
    t[0, :, 0, 0] /= 20  # a teacher who does not know
    valid = torch.tensor([[[True, True], [True, False]], [[True, False], [True, False]]])
    made, told = tried(answer, s, t, valid), "a single pixel's cost is right, and several are not"
    shift = torch.zeros(2, 1, 2, 2)
    shift[0, 0, 0, 1] = 3
    if not alike(tried(answer, s + shift, t, valid), made):
        return (
            f"{told}: 3 more in all logits of one pixel changes the loss, so the softmax goes over"
            " pixels, too; dimension 1 alone"
        )
    unknown = (~valid).float()[:, None] * torch.randn(2, 3, 2, 2, generator=drawn)
    if not alike(tried(answer, s + unknown, t, valid), made):
        return (
            f"{told}: the logits of pixels that are not valid change the loss; leave them out of "
            "the sum"
        )
    costs = _kl(s, t)[valid]
    value = math.nan if made is None or made.size != 1 else float(made.ravel()[0])
    if math.isclose(value, float(costs.mean()), rel_tol=1e-4):
        return f"{told}: is a pixel left out or let in for what it holds, not for `valid`?"
    return (
        f"{told}: of five valid pixels in two images, which cost {numbers(costs)}, it makes "
        f"{value:.3f}; expected: their mean, {float(costs.mean()):.3f}"
    )


def off_cycle(
    states: Sequence[Tensor], right: Sequence[Tensor], ends: Sequence[Tensor], first: Tensor,
    starts: Sequence[Tensor], weights: int,
) -> str:  # fmt: skip
    """What is wrong with the first M that is: what it is made of.

    Args:
        states: of each M; right: as they should be, one row of numbers each.
        ends: the student after each epoch, starts: before it.
        first: the first teacher.
        weights: so many numbers at the start of a state are weights; the others are statistics.
    """
    pairs = enumerate(zip(states, right, strict=True))
    place = next(i for i, (one, two) in pairs if not torch.allclose(one, two, rtol=1e-5))
    mine, told = states[place], f"the M of cycle {place + 1}"
    if torch.allclose(mine[:weights], right[place][:weights], rtol=1e-4):
        return (
            f"{told} has the right weights, and other statistics: `reestimate(m, batches)` once "
            "they are loaded, with all batches"
        )
    each = len(ends) // len(states)
    parts = {"M_best": right[place - 1] if place else first}
    parts |= {f"M_{n + 1}": ends[place * each + n] for n in range(each)}
    if place:
        parts["the last student of the cycle before"] = starts[place * each]
        parts["the first teacher"] = first
        parts |= {f"the M of cycle {j + 1}": right[j] for j in range(place - 1)}
    given = torch.stack([part[:weights] for part in parts.values()], 1)
    shares = torch.linalg.lstsq(given, mine[:weights, None]).solution.ravel()
    if not torch.allclose(given @ shares, mine[:weights], atol=1e-4):
        return f"{told} is no sum of M_best and of this cycle's students, after their epochs"
    found = [pair for pair in zip(parts, shares.tolist(), strict=True) if abs(pair[1]) > 5e-3]
    held = listed(f"{x:.2f} of {name}" for name, x in found or [("anything", 0.0)])
    k = place + 1
    return (
        f"{told} holds {held}; expected: {k / (k + 1):.2f} of M_best, and {1 / (k + 1) / each:.2f}"
        " of each student"
    )


def off_seeds(answer: Answer, alpha: float, power: float) -> str:
    """What is wrong with a number of runs: σ, δ, or what stands before them."""

    def runs(gain: float, sd: float, a: float = alpha, p: float = power) -> float:
        made = tried(answer, gain, sd, a, p)
        return float(made.ravel()[0]) if made is not None and made.size == 1 else math.nan

    many = runs(0.001, 1) or math.nan
    found = {"σ is twice": runs(0.001, 2) / many, "δ is half": runs(0.0005, 1) / many}
    if any(map(math.isnan, found.values())):
        return "for a gain of 0.001 it gives no number: expected: the equation, rounded up"
    name, times = max(found.items(), key=lambda pair: abs(pair[1] - 4))
    if not math.isclose(times, 4, rel_tol=1e-3):
        return (
            f"where {name} as large, n should be 4 times as large, and yours is {times:.3g} times: "
            "σ² above, δ² below"
        )
    z = NormalDist().inv_cdf

    def before(a: float, p: float) -> tuple[float, float]:
        return runs(0.001, 1, a, p) / 1e6, 2 * (z(1 - a / 2) + z(p)) ** 2

    settings = ((alpha, power), (0.02, 0.7), (0.2, 0.95))
    ratios = [mine / right for mine, right in (before(*pair) for pair in settings)]
    if np.allclose(ratios, 1, rtol=1e-3):
        return "for small gains it is right: round up, once, at the end, and add nothing"
    if np.allclose(ratios, ratios[0], rtol=1e-3):
        return (
            f"always {ratios[0]:.3g} times as many runs as needed: before σ²/δ² stands 2 (z + z)²,"
            " the 2 once"
        )
    for name, other in (("power", (alpha, 0.97)), ("alpha", (0.3, power))):
        if math.isclose(before(*other)[0], before(alpha, power)[0], rel_tol=1e-4):
            return f"`{name}` has no effect: its z is of the argument, and no number stands for it"
    mine, right = before(alpha, power)
    sums = math.sqrt(max(mine, 0) / 2)
    both = f"2 ({z(1 - alpha / 2):.2f} + {z(power):.2f})² = {right:.3g}"
    told = f"σ and δ are right; before them stands {mine:.3g}, expected: {both}"
    if math.isclose(*before(alpha, 0.5), rel_tol=1e-3):
        return (
            f"{told}; with a power of one half, where z(power) is 0, all is right: look at z(power)"
        )
    if math.isclose(sums - math.sqrt(max(before(alpha, 0.5)[0], 0) / 2), z(power), rel_tol=1e-3):
        return f"{told}; z(power) is right: look at α's, z(1 - alpha / 2)"
    return f"{told}: two z, added, then squared, and 2 before them"
