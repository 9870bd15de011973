"""Known mistakes in lesson 11: the shares of Eq. 6, and the distillation loss of Eq. 7."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from coursekit.checks.common import Cause, Kinds
    from coursekit.checks.mistakes.questions import Way

    Shares = NDArray[np.float64]

#: Exceptions in `reestimate`, what they say, and what is behind them.
UNESTIMATED: tuple[tuple[Kinds, Cause, str], ...] = (
    (TypeError, "iterable", "batches are a list: `for images in batches`"),
    (
        ZeroDivisionError,
        lambda error: True,
        "count a batch's own images, too, before you set its momentum",
    ),
    (
        (ValueError, TypeError, RuntimeError),
        "should contain|xpected [234]D|should be the same|invalid combin|more than 1 value",
        "pass each batch as it is through the whole network: `network(images)`",
    ),
    (
        (TypeError, AttributeError),
        "context manager|__enter__",
        "`torch.no_grad()`, with its brackets",
    ),
    (
        AttributeError,
        "'(str|Tensor|Parameter)' object",
        "the layers are modules, from `network.modules()`: a state_dict holds names and tensors",
    ),
    (
        AttributeError,
        "reset_running_stats|num_batches",
        "it is the layers found that are reset, each by its own `layer.reset_running_stats()`",
    ),
    (
        AttributeError,
        "NoneType",
        "a layer may have running_mean None: it keeps no statistics, leave it out",
    ),
    (
        AttributeError,
        "'momentum'",
        (
            "one of those found has no momentum, so it is no normalisation: a layer has a "
            "`running_mean` of its own"
        ),
    ),
    (
        AttributeError,
        "reset_parameters",
        "`reset_running_stats()` resets statistics; the weights stay",
    ),
    (
        AttributeError,
        "'(running_mean|running_var|track_running_stats)'",
        'not every module has one: `getattr(m, "running_mean", None)` asks without stopping',
    ),
    (RuntimeError, "Boolean value", "`running_mean` holds many numbers: ask `is not None`"),
    (TypeError, "cannot assign", "`layer.reset_running_stats()` resets: a buffer stays a tensor"),
)


def misbuffered(best: Tensor, every: Sequence[Tensor], k: int) -> Iterator[tuple[Tensor, str]]:
    """What is taken for M's buffer, which is the last student's, of M_best's and the students'."""
    yield best, "buffers are M_best's: all but the parameters is the last student's"
    whole = k / (k + 1) * best + sum(every) / ((k + 1) * len(every))
    yield whole, "running statistics are averaged, too: `names` says what is"
    yield every[0], "buffers are the first student's: take the last"


def traced(renewed: Sequence[bool], flaw: str = "") -> Shares:
    """The shares of M_0 and of each cycle's mean in the last M, with a known mistake or none.

    Args:
        renewed: whether M_best is renewed, for each cycle.
        flaw: a key of `FLAWS`; "" for none.

    Returns:
        (cycles + 1,).
    """
    unit = np.eye(len(renewed) + 1)
    best = m = unit[-1 if flaw == "end" else 0]
    for k, new in enumerate(renewed[::-1] if flaw == "backwards" else renewed, 1):
        if not new and (flaw == "skip" or (flaw == "inside" and k > 1)):
            continue
        kept, turned = unit[0] if flaw == "first" else best, best if new else m
        taken = {"mean": unit[k], "before": unit[k - 1]}.get(flaw, m)
        if flaw != "late":
            usual = {"fall": m if new else unit[k - 1]}.get(flaw, taken if new else kept)
            best = {"always": m, "never": unit[0], "turned": turned}.get(flaw, usual)
        m = _made(unit, best, m, k, flaw)
        if flaw == "late" and new:
            best = m
        if flaw == "early":
            return m
    return best if flaw == "best" else m[::-1] if flaw == "reversed" else m


def _made(unit: Shares, best: Shares, old: Shares, k: int, flaw: str) -> Shares:
    """The M of cycle k."""
    j = {"zero": k - 1, "half": 1, "more": k + 1, "count": k - 1, "length": len(unit) - 1}.get(
        flaw, k
    )
    e, kept = unit[k], k / (k + 1) * best
    right: Shares = j / (j + 1) * best + unit[j if flaw == "count" else k] / (j + 1)
    return {
        "swapped": best / (k + 1) + k / (k + 1) * e, "stroke": k / k + 1 * best + e / (k + 1),
        "brackets": kept + e / k + 1, "sum": (k * best + e) / k + 1, "floor": e / (k + 1),
        "whole": kept + e, "large": kept + e / k, "self": kept + old / (k + 1),
        "place": kept + unit[k - 1] / (k + 1), "spilt": kept + 1 / (k + 1),
    }.get(flaw, right)  # fmt: skip


_ONE = "`… / k + 1` divides by k, then adds 1: write / (k + 1)"
_MORE = "the shares sum to more than 1: e_k gets 1 / (k + 1)"
_MEAN = "M_best is an M, not e_k, the mean of a cycle's students"
FLAWS = {
    "always": "M_best is always the M of the cycle before: look at `renewed`, and change no array "
    "in place",
    "never": "M_best is always M_0: look at `renewed`",
    "turned": "True and False have changed places: True renews M_best",
    "first": "where it is not renewed, M_best stays what it was; you go back to M_0",
    "zero": "cycles count from 1: in the first, M_0 has one half",
    "more": "k counts from 1 already: do not add 1 to it",
    "best": "this is the last M_best, or the M of cycle K - 1: the last M is asked for",
    "swapped": "the shares have changed places: M_best gets k / (k + 1)",
    "reversed": "M_0's share comes first",
    "stroke": "`k / k + 1` is (k / k) + 1: write k / (k + 1)",
    "half": "k has no effect: the shares are k / (k + 1) and 1 / (k + 1)",
    "brackets": _ONE,
    "sum": _ONE,
    "whole": _MORE,
    "large": _MORE,
    "floor": "M_best is lost: k / (k + 1) with one stroke, since `//` gives 0",
    "self": "the cycle's mean is e_k, unit[k], not the old M",
    "place": "e_k has its 1 at place k: unit[k]",
    "spilt": "e_k has a share at place k alone: unit[k] / (k + 1)",
    "length": "k is the number of this cycle, not of all: `len(renewed)` is K",
    "inside": "each cycle makes an M, also where M_best stays as it was: not inside the `if`",
    "end": "M_0 has its 1 at place 0: unit[0]",
    "mean": _MEAN,
    "before": _MEAN,
    "fall": _MEAN,
    "backwards": "cycle 1 comes first: do not turn `renewed` round",
    "count": "cycles count from 1: `enumerate(renewed, 1)`, over all of `renewed`",
    "early": "this is the M of cycle 1: does a `return` stand in the loop?",
    "skip": "each cycle makes an M, also where M_best stays as it was: no `continue`, no M inside "
    "the `if`",
    "late": "renewed[k - 1] speaks of cycle k itself: decide M_best before you make its M",
}


def traces(lists: Sequence[Sequence[bool]]) -> Iterator[tuple[Shares, str]]:
    """What each known mistake gives for all the lists, one after the other, and its name."""
    for flaw, words in FLAWS.items():
        yield np.concatenate([traced(renewed, flaw) for renewed in lists]), words


class _Logits:
    """Both networks', (B, C, H, W), and their probabilities; `twice_…` come of two softmaxes."""

    def __init__(self, s: Tensor, t: Tensor) -> None:
        self.s, self.t, self.log_p, self.log_q = s, t, t.log_softmax(1), s.log_softmax(1)
        self.p, self.q = self.log_p.exp(), self.log_q.exp()
        self.twice_p, self.twice_q = self.p.log_softmax(1), self.q.log_softmax(1)


# What each class adds to the cost of a pixel.
_COSTS: list[Way] = [
    (
        lambda e: e.q * (e.log_q - e.log_p),
        "the two have changed places: that is KL(student ‖ teacher)",
    ),
    (lambda e: e.p * (e.log_p - e.q), "the logarithm of q is missing: it is log p - log q"),
    (
        lambda e: e.twice_p.exp() * (e.twice_p - e.twice_q),
        "softmax twice: the arguments are logits, and one softmax is enough",
    ),
    (lambda e: e.p * (e.log_p - e.twice_q), "the student's softmax is taken twice"),
    (lambda e: e.twice_p.exp() * (e.twice_p - e.log_q), "the teacher's softmax is taken twice"),
    (
        lambda e: e.p * (e.log_q - e.log_p),
        "the sign is turned: a student who agrees must cost least",
    ),
    (
        lambda e: -e.p * e.log_q,
        (
            "that is the cross-entropy with soft labels, Σ -p log q: the teacher's own Σ p log p "
            "is missing"
        ),
    ),
    (lambda e: e.log_p - e.log_q, "the factor p is missing"),
    (
        lambda e: -e.t * e.log_q,
        "F.cross_entropy wants the teacher's probabilities: these are its logits",
    ),
    (
        lambda e: e.p.exp() * (e.p - e.log_q),
        "log_target=True says that the target is a logarithm: the teacher's log_softmax",
    ),
    (lambda e: e.q * (e.log_p - e.log_q), "the weights are the teacher's p, not the student's q"),
    (
        lambda e: (e.p - e.q) * (e.log_p - e.log_q),
        "that is KL both ways, added: KL(teacher ‖ student) alone is asked for",
    ),
    (
        lambda e: e.p * e.log_p - e.q * e.log_q,
        "both logarithms are weighted by p: Σ p log p - Σ q log q is another thing",
    ),
    (lambda e: e.p * (e.log_p / e.log_q), "log p - log q is a difference, no quotient"),
    (lambda e: e.p * e.log_q, "Σ p log p is missing, and the sign of the rest is turned"),
    (lambda e: e.p * e.log_p, "the student's q does not occur: p · (log p - log q)"),
    (lambda e: -e.p * e.log_p, "that is the teacher's entropy: the student's q does not occur"),
    (
        lambda e: (e.log_p - e.log_q) ** 2,
        "p weighs the difference of the logarithms: here they are squared",
    ),
    (
        lambda e: (e.log_p - e.log_q).abs(),
        "p weighs the difference of the logarithms: here are absolute values",
    ),
    (
        lambda e: (e.p - e.q).abs(),
        "that is the difference of the probabilities, without logarithms",
    ),
    (
        lambda e: e.t * (e.log_p - e.log_q),
        "the weights are the teacher's logits: p is `exp` of log_softmax",
    ),
    (lambda e: (e.s - e.t).abs(), "that is the difference of the logits"),
    (
        lambda e: e.t.exp() * (e.log_p - e.log_q),
        "the factor p is not a probability: `exp` of the logits alone; the softmax is missing",
    ),
    (lambda e: e.p * (e.log_p - e.s), "the student's logits have had no log_softmax"),
    (lambda e: e.p * (e.p - e.q), "the logarithms are missing: log_softmax, not softmax"),
    (
        lambda e: e.p.exp() * (e.p - e.q),
        "softmax without logarithm: log_softmax, and `exp` of that is p",
    ),
    (
        lambda e: e.t.softmax(0) * (e.t.log_softmax(0) - e.s.log_softmax(0)),
        "softmax over the images: the classes are dimension 1",
    ),
    (
        lambda e: e.log_p * (e.log_p - e.log_q),
        "the teacher's weights p are its log-probabilities here: `exp` is missing",
    ),
    (lambda e: (e.s - e.t) ** 2, "that is the squared difference of the logits"),
    (lambda e: (e.p - e.q) ** 2, "that is the squared difference of the probabilities"),
    (
        lambda e: (e.p * (e.log_p - e.log_q)).clamp_min(0),
        "no clamp: the terms of KL may have either sign",
    ),
    (
        lambda e: (e.p * (e.log_p - e.log_q)).abs(),
        "absolute values: the terms of KL may have either sign",
    ),
    (
        lambda e: e.t.softmax(-1) * (e.t.log_softmax(-1) - e.s.log_softmax(-1)),
        "softmax over the last dimension: the classes are dimension 1",
    ),
    (
        lambda e: e.t.softmax(2) * (e.t.log_softmax(2) - e.s.log_softmax(2)),
        "softmax over the rows: the classes are dimension 1",
    ),
    (
        lambda e: F.binary_cross_entropy_with_logits(e.s, e.p, reduction="none"),
        "the classes exclude each other: KL of a softmax, no binary cross-entropy",
    ),
    (
        lambda e: e.t.sigmoid() * (F.logsigmoid(e.t) - F.logsigmoid(e.s)),
        "sigmoids: the classes of a pixel exclude each other, so one softmax",
    ),
    (
        lambda e: (e.t / 2).softmax(1) * ((e.t / 2).log_softmax(1) - (e.s / 2).log_softmax(1)),
        "a temperature of 2: here it is 1",
    ),
]


def divergences(s: Tensor, t: Tensor, valid: Tensor) -> Iterator[tuple[Tensor, str]]:
    """Losses with a known mistake in the cost of a pixel, and what is said of it.

    Args:
        s: the student's logits, (B, C, H, W).
        t: the teacher's.
        valid: which pixels count, (B, H, W).
    """
    e = _Logits(s, t)
    found = [(cost(e).sum(1), words) for cost, words in _COSTS]
    likely = "the teacher's most likely class alone teaches: its whole distribution should"
    found.append((F.cross_entropy(s, t.argmax(1), reduction="none"), likely))
    classes, turned = s.shape[1], (e.p * (e.log_p - e.log_q)).sum(1) * ~valid
    yield turned.sum() / valid.sum(), "the valid pixels are left out: True in `valid` counts"
    for cost, words in found:
        for wrong in (cost[valid].mean(), cost.mean(), cost[valid].sum() / len(s)):
            yield wrong, words
        for wrong in (cost[valid].mean() / classes, cost.mean() / classes, (cost * valid).mean()):
            yield wrong, words
