"""Known mistakes in lesson 06's steps of the Jaccard loss, and what to say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit import losses
from coursekit.checks.mistakes.questions import mistaken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from coursekit.checks.mistakes.questions import Way

    Mistakes = Iterator[tuple[Any, str]]
    Steps = NDArray[np.float64]

# In all of these f is 1 where the class is true, F and B count both kinds up to each pixel, n is
# the number of pixels of the class and m that of all.
_SIZES: list[Way] = [
    (lambda f: f.sum(), ""),
    (lambda f: len(f), "size is the number of foreground pixels, not of all"),
    (
        lambda f: len(f) - f.sum(),
        "size is the number of foreground pixels, not of the background's",
    ),
    (
        lambda f: f.mean(),
        "size is the *number* of foreground pixels, not their share: sum, not mean",
    ),
    (lambda f: f.sum() - 1, "size is one too small: the number of foreground pixels"),
    (lambda f: f.sum() + 1, "size is one too large: nothing is added, above or below"),
]
_BRACKETS = "write (~foreground).cumsum(0) with brackets"
_INTERSECTIONS: list[Way] = [
    (lambda n, f: n - f.cumsum(), ""),
    (lambda n, f: f.cumsum(), "the intersection is what is left: size minus those gone wrong"),
    (
        lambda n, f: n - (1 - f).cumsum(),
        "the intersection loses foreground pixels, not those of the background",
    ),
    (
        lambda n, f: n + f.cumsum(),
        "the intersection loses foreground pixels: subtract them",
    ),
    (
        lambda n, f: n - np.arange(1, len(f) + 1),
        "the intersection loses foreground pixels alone, not every pixel",
    ),
    (
        lambda n, f: n - f.cumsum() + f,
        "the intersection lags by a pixel: after pixel i, that one has gone wrong, too",
    ),
    (
        lambda n, f: n - f,
        "the intersection loses *all* foreground pixels so far: cumsum",
    ),
    (lambda n, f: n - f[::-1].cumsum(), "the foreground is counted from the end: cumsum alone"),
    (
        lambda n, f: n - np.maximum.accumulate(f),
        "foreground pixels are counted: cumsum, not cummax",
    ),
    (lambda n, f: n + 0 * f, "the intersection loses the foreground pixels that are wrong"),
    (lambda n, f: n - f.cumsum() + 1, "the intersection is one too large: nothing is added"),
    (lambda n, f: n - f.cumsum() - 1, "the intersection is one too small: nothing is taken off"),
]
_UNIONS: list[Way] = [
    (lambda n, f, left: n + (1 - f).cumsum(), ""),
    (
        lambda n, f, left: n + 0 * f,
        "the union never grows: background pixels that are wrong join it",
    ),
    (
        lambda n, f, left: left + (1 - f).cumsum(),
        "the union loses nothing: it is size plus wrong background pixels",
    ),
    (
        lambda n, f, left: n - (1 - f).cumsum(),
        "the union grows by background pixels that are wrong: add them",
    ),
    (
        lambda n, f, left: n + f.cumsum(),
        "foreground pixels lie in the union already: the background joins it",
    ),
    (
        lambda n, f, left: n + np.arange(len(f)),
        "the union grows by background pixels alone, not by all",
    ),
    (
        lambda n, f, left: n + np.arange(1, len(f) + 1),
        "the union grows by background pixels alone, not by all",
    ),
    (
        lambda n, f, left: len(f) + (1 - f).cumsum(),
        "the union grows from size, the number of foreground pixels, not of all",
    ),
    (lambda n, f, left: len(f) + 0 * f, "the union is not all pixels: it grows from size"),
    (
        lambda n, f, left: n + (1 - f).sum() + 0 * f,
        "the union is not all pixels: it grows from size",
    ),
    (
        lambda n, f, left: n + (1 - f).sum() - (1 - f).cumsum(),
        "the union grows by background pixels gone wrong, not by those that are left",
    ),
    (lambda n, f, left: (1 - f).cumsum(), "size is missing in the union: size plus the background"),
    (lambda n, f, left: n + n + (1 - f).cumsum(), "size is in the union twice: once is enough"),
    (
        lambda n, f, left: n + len(f) - f.cumsum(),
        "the union grows by background pixels as they go wrong: (~foreground).cumsum(0)",
    ),
    (lambda n, f, left: np.arange(1, len(f) + 1), "the union is not the place: it grows from size"),
    (lambda n, f, left: n + (1 - f), "the union grows by *all* background pixels so far: cumsum"),
    (
        lambda n, f, left: n + (1 - f).cumsum() - (1 - f),
        "the union lags by a pixel: after pixel i, that one has gone wrong, too",
    ),
    (
        lambda n, f, left: n + (1 - f)[::-1].cumsum(),
        "the background is counted from the end: cumsum alone",
    ),
    (lambda n, f, left: n - 1 - f.cumsum(), _BRACKETS),
    (lambda n, f, left: n + (1 - f).cumsum() + 1, "nothing is added to the union, not even 1"),
    (
        lambda n, f, left: n + (1 - f).cumsum() - 1,
        "the union is one too small: size plus background",
    ),
    (
        lambda n, f, left: n + n - left,
        "foreground pixels lie in the union already: the background joins it",
    ),
]
_INSTEAD = "1 minus intersection over union"
_JACCARDS: list[Way] = [
    (lambda left, whole, n: 1 - left / whole, ""),
    (
        lambda left, whole, n: left / whole,
        "these are the values of IoU, not of the loss 1 - IoU: put the 1 minus in front",
    ),
    (
        lambda left, whole, n: 1 - 2 * left / (left + whole),
        f"these are steps of Dice: the loss is {_INSTEAD}",
    ),
    (
        lambda left, whole, n: 1 - left // whole,
        "J is 1 after each pixel: // rounds, take /; size is a sum, what went wrong a cumsum",
    ),
    (lambda left, whole, n: 1 - whole / left, f"the fraction is upside down: {_INSTEAD}"),
    (lambda left, whole, n: (1 - left) / whole, f"a bracket is wrong: {_INSTEAD}"),
    (
        lambda left, whole, n: 1 - left / n + whole - n,
        "a bracket is missing: size + … stands below as a whole",
    ),
    (lambda left, whole, n: whole - left, f"there is no quotient: {_INSTEAD}"),
    (lambda left, whole, n: 1 + left / whole, f"the sign is turned: {_INSTEAD}"),
    (lambda left, whole, n: 1 - left / (left + whole), f"below stands the union alone: {_INSTEAD}"),
    (lambda left, whole, n: (whole - left) / n, f"below stands the union, not size: {_INSTEAD}"),
    (lambda left, whole, n: 1 - left / n, f"below stands the union, not size: {_INSTEAD}"),
    (lambda left, whole, n: -np.log(left / whole), f"no logarithm: {_INSTEAD}"),
]
_ZERO = "before the first pixel the loss is 0: put a zero in front"
_STEPS: list[Way] = [
    (lambda j, f: np.diff(j, prepend=0), ""),
    (lambda j, f: j, "these are the losses J themselves: take the steps between them"),
    (lambda j, f: 1 - j, "these are the values of IoU, not of the loss: take the steps of 1 - IoU"),
    (lambda j, f: np.diff(j), "the first step is missing: before it the loss is 0"),
    (
        lambda j, f: np.diff(j, append=0),
        "the zero stands in front, before the difference is taken: prepend it",
    ),
    (
        lambda j, f: np.diff(j, append=1),
        "the zero stands in front, before the difference is taken: prepend it",
    ),
    (
        lambda j, f: np.diff(j, prepend=0 * j),
        "a single zero stands in front, not one for each pixel: zeros(1)",
    ),
    (
        lambda j, f: np.append(np.diff(j), 0),
        "the zero stands in front, before the difference is taken: prepend it",
    ),
    (
        lambda j, f: np.append(np.diff(j), j[-1:]),
        "the first step is J_1, and stands in front, not behind",
    ),
    (lambda j, f: np.append(0, np.diff(j)), _ZERO),
    (
        lambda j, f: np.append(1, np.diff(j)),
        "before the first pixel the loss is 0, not 1 (as after the last)",
    ),
    (
        lambda j, f: np.diff(j, prepend=1),
        "before the first pixel the loss is 0, not 1 (as after the last)",
    ),
    (
        lambda j, f: np.diff(j, prepend=0, append=1),
        "there is a step more than pixels: the zero in front is all",
    ),
    (
        lambda j, f: np.diff(j, prepend=0, append=0),
        "there is a step more than pixels: the zero in front is all",
    ),
    (
        lambda j, f: np.append(0, np.diff(j, prepend=0)[:-1]),
        "each step comes a pixel late: J_i is after pixel i has gone wrong, so `[: i + 1]`",
    ),
    (
        lambda j, f: np.append(0, np.diff(j, prepend=0)),
        "there is a step more than pixels: the zero in front is all",
    ),
    (
        lambda j, f: np.append(j[0], -np.diff(j)),
        "from the second on, the steps are turned: J_i minus J_{i-1}",
    ),
    (lambda j, f: -np.diff(j, prepend=0), "the sign is turned: J_i minus the J before it"),
    (
        lambda j, f: np.abs(np.diff(j, prepend=1)),
        "before the first pixel the loss is 0, not 1 (as after the last)",
    ),
    (
        lambda j, f: np.diff(j, prepend=0)[::-1],
        "the pixels go wrong from the first to the last, not from the end",
    ),
    (lambda j, f: np.diff(np.diff(j, prepend=0), prepend=0), "the difference is taken twice"),
    (lambda j, f: j.cumsum(), "these are sums of the losses J: take the steps between them"),
    (lambda j, f: np.diff(j, prepend=0).sum(), "these steps are summed: return all of them"),
    (lambda j, f: np.gradient(j), "`gradient` looks at both sides: a step is J_i minus J_{i-1}"),
    (lambda j, f: j / j.sum(), "the losses are divided by their sum: take the steps between them"),
    (
        lambda j, f: np.diff(j, prepend=0) * f,
        "background pixels have a price, too: leave their steps in",
    ),
    (
        lambda j, f: np.diff(j, prepend=0) * (1 - f),
        "foreground pixels have a price, too: leave their steps in",
    ),
    (
        lambda j, f: np.diff(j, prepend=0) / len(f),
        "the steps are divided by the number of pixels: leave them",
    ),
    (
        lambda j, f: np.diff(j, prepend=0) * len(f),
        "the steps are multiplied by the number of pixels: leave them",
    ),
    (lambda j, f: np.diff(j, prepend=0) / 2, "the steps are halved: leave them as they are"),
    (lambda j, f: 0 * j, "each loss is taken from itself: J_i minus the J *before* it"),
    (
        lambda j, f: -np.sort(-np.diff(j, prepend=0)),
        "the steps are sorted: each stays at the place of its pixel",
    ),
    (
        lambda j, f: np.sort(np.diff(j, prepend=0)),
        "the steps are sorted: each stays at the place of its pixel",
    ),
    (
        lambda j, f: _in_place(j),
        "what was J_{i-1} is a step already when J_i needs it: work on a copy",
    ),
    (lambda j, f: np.append(np.diff(j, prepend=0)[:-1], 0), "the last step is lost"),
]
_ORDERS: list[Way] = [
    (lambda f: f, ""),
    (lambda f: -np.sort(-f), "foreground was sorted anew: it comes in the order of the errors"),
    (lambda f: np.sort(f), "foreground was sorted anew: it comes in the order of the errors"),
    (lambda f: f[::-1], "the pixels are counted from the end: cumsum alone, from the first"),
    (lambda f: 1 - f, "foreground and background have changed places"),
]


def _in_place(jaccard: Steps) -> Steps:
    steps = jaccard.copy()
    for place in range(1, len(steps)):
        steps[place] -= steps[place - 1]
    return steps


def stepped_otherwise(foreground: Tensor) -> Mistakes:
    """Known mistakes in the steps of the Jaccard loss, for this order of pixels."""

    def act(
        order: Any, size: Any, intersection: Any, union: Any, jaccard: Any, steps: Any
    ) -> Steps:
        f = order(foreground.numpy().astype(float))
        n = size(f)
        left = intersection(n, f)
        return np.asarray(steps(jaccard(left, union(n, f, left), n), f))

    with np.errstate(all="ignore"):
        f = foreground.numpy().astype(float)
        alone = np.diff(1 - (f.sum() - f) / (f.sum() + 1 - f), prepend=0)
        n, left, whole = f.sum(), f.sum() - f.cumsum(), f.sum() + (1 - f).cumsum()
        apart = 1 - np.diff(left, prepend=n) / np.diff(whole, prepend=n)
        yield apart, "differences come last: J first, 1 - intersection / union, then its steps"
        times = 1 - (n - f.cumprod()) / (n + (1 - f).cumprod())
        yield np.diff(times, prepend=0), "pixels are counted, so added up: cumsum, not cumprod"
        crossed = (n - (1 - f).cumsum()) / (n + f.cumsum())
        yield (
            np.diff(1 - crossed, prepend=0),
            "foreground and background have changed places: leave the intersection, join the union",
        )
        yield (
            -np.diff(1 - left / whole),
            "the sign is turned: J, 1 - IoU, minus the J before it. And the first step is missing",
        )
        yield alone, "each pixel goes wrong alone here: those before it stay wrong, so cumsum"
        yield from mistaken(act, _ORDERS, _SIZES, _INTERSECTIONS, _UNIONS, _JACCARDS, _STEPS)


def where_stepped(got: Tensor, foreground: Tensor) -> str:
    """The first pixel whose step is wrong, in words; both are (P,)."""
    at = int((got - losses.lovasz_gradient(foreground)).abs().gt(1e-4).float().argmax())
    leaves, joins = "foreground, and leaves the intersection", "background, and joins the union"
    side = leaves if foreground[at] else joins
    return f"up to pixel {at} the steps are right; that one is {side}"
