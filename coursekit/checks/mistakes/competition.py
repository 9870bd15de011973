"""Known mistakes in the exercises of lesson 08: what each of them gives, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Mistakes = list[tuple[Any, str]]


_ITSELF = (
    "each class that is found at all gets the same here: below stands 1 + IoU, and not IoU, which "
    "cancels"
)
_TURNED = "turned over: 2 IoU stands above, 1 + IoU below"


def misaveraged(some: Array) -> list[tuple[int, Any, str]]:
    """What is taken for the F of these IoU (0), and for their two means (1)."""
    right, mean = 2 * some / (1 + some), some.mean()
    first, second = right.mean(), 2 * mean / (1 + mean)
    both, middle = np.array([first, second]), np.median(some)
    some = some.astype(float)
    with np.errstate(all="ignore"):
        turned, less = (1 + some) / (2 * some), 2 * some / (1 - some)
        itself = some / some
    return [
        *((0, n * turned, _TURNED) for n in (1, 2, 4)),
        (0, less, "below stands 1 + IoU, not 1 - IoU"),
        *((0, n * each, _ITSELF) for n in (1, 2) for each in (itself, some > 0)),
        *((0, n + 0 * some, "every class gets the same: 2 IoU / (1 + IoU)") for n in (0, 1, 2)),
        (0, itself * some, "this is still the IoU: below stands 1 + IoU, not IoU + IoU"),
        (0, 2 / (1 + some), "above stands 2 IoU, not 2"),
        (0, 2 * some * (1 + some), "divide by 1 + IoU: it is multiplied here"),
        (0, 2 * some / (1 + some**2), "below stands 1 + IoU, without a square"),
        (0, 2 * some / (1 + 2 * some), "below stands 1 + IoU, and IoU once"),
        (0, (1 + some) / 2, "this is the mean of 1 and IoU: 2 IoU / (1 + IoU)"),
        *((0, 2 * some / (1 + some + e), "add nothing below but 1") for e in (0.01, 0.1)),
        (1, [first, 2 * some[some > 0].mean() / (1 + some[some > 0].mean())],
         "a class with IoU 0 counts, too, in the mean IoU"),
        (1, [first, 2 * some[1:].mean() / (1 + some[1:].mean())], "the first class counts, too"),
        (1, [right[1:].mean(), second], "the first class counts, too"),
        (1, [right.max(), second], "the first is the best class: it is the mean of all"),
        (1, [right.min(), second], "the first is the worst class: it is the mean of all"),
        (0, some / (2 - some), "this is the way back, from F to IoU: F is never the smaller one"),
        (0, 2 * some, "this is above 1 for a good class: divide by 1 + IoU"),
        (0, 2 * some / (1 + mean), "each class is divided by its own 1 + IoU, not by the mean's"),
        (0, some, "this is still the IoU"), (0, 100 * right, "F is a share here, not per cent"),
        (0, 2 * some / (2 + some), "below stands 1 + IoU, not 2 + IoU"),
        (0, some**0.5, "no root: 2 IoU / (1 + IoU)"),
        (0, 3 * some, "2 * iou / 1 + iou divides by 1 alone: put 1 + iou in brackets"),
        (0, 2 * some / (1 + some).sum(), "no sum below: each class has its own 1 + IoU"),
        (0, 4 * some, "2 * (iou / 1 + iou) divides by 1 alone: put 1 + iou in brackets"),
        (0, 2 * some**2 / (1 + some), "IoU stands above once, without a square"),
        (0, 2 * some // (1 + some), "rounded down: `/`, not `//`"),
        (0, some / (1 + some), "the 2 is missing: the common pixels count twice"),
        (1, [second, first], "the other way round: the mean of the classes' F comes first"),
        (1, [second, second], "both are the F of the mean: for the first, average last"),
        (1, [first, first], "both are the mean of the F: for the second, average first"),
        (1, [right.sum(), second], "the first is a sum over the classes, not their mean"),
        (1, [mean, second], "the first is the mean IoU: apply the formula to each class before"),
        (1, [first, 2 * first / (1 + first)], "the second is the F of the mean F: of the mean IoU"),
        (1, [first, 2 * some.sum() / (1 + some.sum())], "the second is the F of a sum"),
        (1, [first, right.min()], "the second is the F of the worst class: of the mean IoU"),
        (1, [first, 2 * middle / (1 + middle)], "the second is the F of a median: of the mean"),
        (1, [right.sum() / (some > 0).sum(), second], "a class with IoU 0 counts, too"),
        *((1, both.round(n), "round nothing") for n in (1, 2, 3)),
        *((1, [first, second.round(n)], "round nothing") for n in (1, 2, 3)),
        (1, first - second, "this is their difference: give both"),
        (1, [first, right.max()], "the second is the F of the best class: of the mean IoU"),
        (1, [right @ some / some.sum(), second], "each class has one vote: a mean without weights"),
        (1, [np.median(right), second], "this is a median"),
        (1, 100 * both, "shares, not per cent"),
        (1, [first, mean], "the second is the mean IoU itself: apply the formula to it"),
        (1, [first * 1.25, 2.5 * mean / (1 + 1.25 * mean)], "a class with IoU 0 counts, too"),
        (1, [right.sum() / 19, second], "divide by the number of classes here, which is not 19"),
    ]  # fmt: skip


def misscored(tables: Array) -> Mistakes:
    """What is taken for the scores of images, from counts (N, C, C)."""
    hit, true, called = np.array([m.diagonal() for m in tables]), tables.sum(2), tables.sum(1)
    p, r = hit / (called + 1e-7), hit / (true + 1e-7)
    iou, f = hit / (true + called - hit + 1e-7), 2 * p * r / (p + r + 1e-7)
    classes, seen = np.arange(len(tables[0])), true > 0
    face = seen & (classes > 0)
    pixels = true * seen.sum(1)[:, None] / true.sum(1)[:, None]
    found = [
        (f, true + called > 0, "class 3 of image 0 is called but not true: leave it out"),
        (f, called > 0, "the mean goes over the called classes: take those in the truth, the rows"),
        (f, true >= 0, "classes that are not in the image's truth count as 0"),
        (f + (true + called == 0), true >= 0, "classes that occur nowhere count as 1: leave out"),
        (f, true > 1, "a class of one pixel is in the truth, too: true > 0"),
        (f, seen & (classes < classes.max()), "the last class counts, too: go through all"),
        (f, seen & (classes < 3), "classes are left out: there are counts.shape[1] of them"),
        (f, np.cumprod(seen, 1) > 0, "a class that is not true is passed over: `continue`"),
        (f, hit > 0, "class 2 of image 1 is true and never called: its F is 0, and counts"),
        (f, face, "background is a class like the others: it counts"),
        (iou, seen, "this is IoU, not F"), (100 * f, seen, "a score is a share here, not per cent"),
        (r, seen, "recall alone"),
        (2 * (p + r) / (p * r + 1e-7), seen, "P · R stands above, P + R below: not so here"),
        (p, seen, "precision alone"), (f / 2, seen, "the 2 is missing: 2PR"),
        ((p + r) / 2, seen, "the plain mean of P and R: F is 2PR / (P + R)"),
        ((p * r) ** 0.5, seen, "the root of P · R: F is 2PR / (P + R)"),
        (f * seen.sum(1)[:, None], seen, "this is a sum: take the mean over the classes"),
        (0 * f + (hit.sum(1) / true.sum(1))[:, None], seen, "this is the share of right pixels"),
        (f * pixels, seen, "one vote a class, not a pixel"),
    ]  # fmt: skip
    found += _scored_otherwise(tables, hit, true, called)
    q, s = (np.mean(v, axis=1, where=seen) for v in (p, r))
    there = true + called > 0
    m = np.mean(iou, axis=1, where=there)
    middle = np.array([np.median(row[there]) for row, there in zip(f, seen, strict=True)])
    return [(np.mean(value, axis=1, where=where), message) for value, where, message in found] + [
        (2 * q * s / (q + s), "P and R are averaged first: F of each class, then their mean"),
        (np.max(f, axis=1, where=seen, initial=0), "this is the best class: take their mean"),
        (np.min(f, axis=1, where=seen, initial=1), "this is the worst class: take their mean"),
        (
            np.full(len(f), f[seen].mean()),
            "each image has its own classes: axis 1, not all at once",
        ),
        (np.mean(f, axis=1, where=seen.any(0)), "which classes are true: ask it of each image"),
        (2 * iou / (1 + iou), "this is the F of IoU, class by class: take the mean over the true"),
        (2 * m / (1 + m), "this is the F of the mean IoU: F of each class first"),
        (f.sum(1) / seen.sum(), "divide by the number of true classes of each image: axis 1"),
        (f.sum(1) / true.sum(1), "divide by the number of true classes, not of pixels"),
        (
            [f[: n + 1][seen[: n + 1]].mean() for n in range(len(f))],
            "the images before count, too: begin anew with each image",
        ),
        (middle, "this is a median over the classes: take their mean"),
    ]


def _scored_otherwise(tables: Array, hit: Array, true: Array, called: Array) -> list[Any]:
    """F of each class from hits or denominators that are wrong, where it counts, and words."""
    seen, every, e = true > 0, tables.sum((1, 2))[:, None], 1e-7
    p, r = hit / (called + e), hit / (true + e)

    def f(p: Array, r: Array) -> Array:
        return 2 * p * r / (p + r + e)

    fewer = "the hits stand below, too: P is hit / called, the whole column, R hit / true, a row"
    more = "the hits are in `called` and in `true` already: P is hit / called, R hit / true"
    wrong = [
        (p, hit / (true - hit + e), fewer),
        (hit / (called - hit + e), hit / (true - hit + e), fewer),
        (p, hit / (true + hit + e), more),
        (hit / (called + hit + e), hit / (true + hit + e), more),
        (
            hit / (2 * hit - called + e), r,
            "false positives are added to the hits below, not taken off",
        ),
        (
            p, hit / (2 * hit - true + e),
            "false negatives are added to the hits below, not taken off",
        ),
        (hit / (every + e), r, "false positives of a class stand in its column, not everywhere"),
        (p, hit / (every + e), "false negatives of a class stand in its row, not everywhere"),
        (hit / (called + true + e), r, "below P stands what is called so alone"),
        (p, hit / (called + true + e), "below R stands what is truly so alone"),
        (called / (hit + e), true / (hit + e), "P and R are turned over: the hits stand above"),
        *[
            (top / (called + e), top / (true + e), "the hits are the diagonal of each table")
            for top in (tables.max(1), tables.max(2), np.array([np.diag(m[::-1]) for m in tables]))
        ],
    ]  # fmt: skip
    cut = tables * 1.0
    cut[:, 0] = cut[:, :, 0] = 0
    bare = [np.diagonal(cut, axis1=1, axis2=2) / (cut.sum(n) + e) for n in (1, 2)]
    with np.errstate(all="ignore"):
        open_ = 2 * p * r / p + r + e
    brackets = "P + R + eps stands below as a whole, in brackets, and 2 · P · R above"
    return [
        *[(f(one, two), seen, words) for one, two, words in wrong],
        (p, called > 0, "P is there twice: R is hit / (true + eps), by the rows"),
        (f(*bare), cut.sum(2) > 0, "row and column 0 are cut off: background is a class"),
        (open_, seen, brackets),
        (2 * p + r / (p + r + e), seen, brackets),
        (2 * p * r / (p + e) + r, seen, brackets),
    ]


def misdrawn(
    some: Array, draws: Array, mean_iou: Callable[[Array], float], absent: str
) -> Mistakes:
    """What is taken for the scores of resamples; class 2 is in image 0 alone."""
    pooled = np.array([mean_iou(some[draw].sum(0)) for draw in draws])
    alone = np.array([mean_iou(m) for m in some])
    once = np.array([mean_iou(some[np.unique(draw)].sum(0)) for draw in draws])
    return [
        (alone[draws].mean(1), "these are means of the images' scores: add the counts up first"),
        (once, "an image that was drawn twice counts once: let it count twice"),
        (np.full(40, mean_iou(some.sum(0))), "all resamples are the whole set: use the draws"),
        (pooled.mean(), "this is one number: give the score of each resample"),
        (100 * pooled, "a score is a share here, not per cent"),
        (pooled.std(), "this is one number: give the score of each resample"),
        ([mean_iou(some[draw - 1].sum(0)) for draw in draws], "images count from 0: no - 1"),
        (np.sort(pooled), "these are sorted: keep the order of the draws"),
        (pooled - mean_iou(some.sum(0)), "the difference to the whole set: give the score"),
        (2 * pooled / (1 + pooled), "this is F: take mean_iou as it is"),
        (alone[draws[:, 0]], "only the first image of each draw is scored: add all of them up"),
        (
            [some[d].sum(0).trace() / some[d].sum() for d in draws],
            "the share of right pixels, no mean IoU",
        ),
        ([mean_iou(some[d].sum(0)) for d in draws.T], "a resample is a row of draws, not a column"),
        (np.where((draws == 0).any(1), 1, 2 / 3) * pooled, absent),
    ]  # fmt: skip


def miscut(values: Array) -> Mistakes:
    """What is taken for the middle 95 % of these values."""
    half = "level / 2 is half of the middle: cut (1 - level) / 2 off on either side"
    percent = "np.percentile wants per cent, np.quantile shares"
    tail = "the tail is (1 - level) / 2, with brackets: 1 - level / 2 is more than a half"
    cuts = [
        ([0.05, 0.95], "this holds 90 %: 5 % in all, so 2.5 % on either side"),
        ([0.00025, 0.00975], percent),
        ([0.0, 1.0], "these are the extremes: cut 2.5 % off on either side"),
        ([0.0005, 0.0095], percent),
        ([0.475, 0.525], half),
        ([0.525, 0.475], tail),
        ([0.025, 0.95], "above is cut at level: cut as much off above as below, at 1 - tail"),
        ([0.05, 0.975], "below is cut at 1 - level: cut half of it off on either side"),
        ([0.95, 0.05], "the lower end comes first, and 5 % in all are 2.5 % on either side"),
    ]
    return [(np.quantile(values, cut), message) for cut, message in cuts]


#: What ends in an exception in `lead`: its kind, its cause, what to say.
LED_ASTRAY: tuple[tuple[type[Exception], str, str], ...] = (
    (
        TypeError,
        "takes 2 positional arguments but 3",
        "bootstrap gets counts and draws; level is for interval",
    ),
    (ValueError, "Quantiles must be", "level is a share, from 0 to 1: pass it on as it is"),
    (ValueError, "inhomogeneous", "interval gets the differences, then level: two arguments"),
    (
        ValueError,
        r"shapes \(\d+,\) \(\d+,\)",
        "both networks are resampled by the same draws, by all of them",
    ),
    (
        ValueError,
        r"shapes \(3,3\) ",
        "bootstrap pools each draw by itself: call it for both networks",
    ),
    (IndexError, "out of bounds", "use the draws as they are, and all of them"),
)


def misled(
    counts: tuple[Array, Array],
    draws: Array,
    interval: Callable[..., Any],
    mean_iou: Callable[[Array], float],
) -> Mistakes:
    """What is taken for the interval of a lead of a over b, whose counts these are."""
    (some, other), spread = counts, [-1.96, 1.96]
    differences = _differences(some, other, draws, mean_iou)
    a, b = (np.asarray(interval(_scores(each, draws, mean_iou))) for each in counts)
    whole = mean_iou(some.sum(0)) - mean_iou(other.sum(0))
    ends: list[tuple[Callable[[Array], Any], str]] = [
        (interval, ""),
        (lambda v: interval(v)[::-1], "the lower end comes first"),
        (lambda v: interval(v, 0.05), "level is the share inside: pass it on as it is"),
        (lambda v: interval(v, 0.475), "level is the share inside: pass it on as it is"),
        (lambda v: np.quantile(v, [0.05, 0.95]), "5 % on each side hold 90 %: call interval"),
        (lambda v: np.array([v.min(), v.max()]), "these are the extremes: call interval"),
        (lambda v: v.mean() + v.std() * np.array(spread), "not mean ± spread: call interval"),
        (lambda v: v.mean() + v.std() * np.array([-1, 1]), "not mean ± spread: call interval"),
        (lambda v: np.array([v.mean()] * 2), "the mean difference: its interval is asked for"),
    ]
    both = "the wrong way round: a minus b"
    twice = "ends of two intervals: subtract resample by resample"
    return [
        *[
            (end(values), "; ".join(m for m in (message, slip) if m))
            for end, slip in ends
            for values, message in differences
            if message or slip
        ],
        (a - b, f"these are {twice}"),
        ([a[0] - b[1], a[1] - b[0]], twice),
        (b - a, f"{both}; these are {twice}"),
        ([b[0] - a[1], b[1] - a[0]], f"{both}; {twice}"),
        ([a.mean() - b.mean()] * 2, "the middles of two intervals: subtract resample by resample"),
        ([whole] * 2, "the lead itself: its interval"),
        ([-whole] * 2, f"{both}; the lead itself: its interval"),
    ]


def _scores(counts: Array, draws: Array, mean_iou: Callable[[Array], float]) -> Array:
    return np.array([mean_iou(counts[draw].sum(0)) for draw in draws])


def _differences(
    some: Array, other: Array, draws: Array, mean_iou: Callable[[Array], float]
) -> Mistakes:
    """What is taken for the difference of two networks in each resample; the first is right."""
    ours, theirs = (_scores(each, draws, mean_iou) for each in (some, other))
    alone = np.array([mean_iou(m) for m in some]) - [mean_iou(m) for m in other]
    whole_a, whole_b = mean_iou(some.sum(0)), mean_iou(other.sum(0))
    sort, torn = (
        "do not sort: the same draw for both",
        "pairs are torn apart: the same draw for both",
    )
    fixed = "{} is resampled, too, by the same draws"
    return [
        (ours - theirs, ""),
        (theirs - ours, "the wrong way round: a minus b"),
        (ours + theirs, "these are sums: subtract"),
        (ours / theirs, "these are ratios: subtract"),
        ((ours - theirs) / theirs, "divided by b's score: the difference itself"),
        ((ours - theirs) / ours, "divided by a's score: the difference itself"),
        (np.log(ours / theirs), "logarithms of ratios: subtract"),
        ((ours - theirs) / 2, "half of the difference: subtract, no more"),
        (100 * (ours - theirs), "shares, not per cent"),
        (100 * (theirs - ours), "the wrong way round: a minus b; shares, not per cent"),
        (ours, "b is left out: a minus b"),
        (theirs, "a is left out: a minus b"),
        *[(ours - one, fixed.format("b")) for one in (whole_b, theirs.mean(), np.median(theirs))],
        *[(one - theirs, fixed.format("a")) for one in (whole_a, ours.mean(), np.median(ours))],
        (np.sort(ours) - np.sort(theirs), sort),
        (np.sort(ours) - theirs, sort),
        (ours - np.sort(theirs), sort),
        (_scores(some - other, draws, mean_iou), "subtract the scores, not the counts"),
        (
            _scores(np.concatenate([some, other]), draws, mean_iou),
            "the networks are no further images: a minus b",
        ),
        (ours - theirs[::-1], torn),
        (np.subtract.outer(ours, theirs).ravel(), f"every draw of a with every one of b: {torn}"),
        (alone, "differences of single images: it is those of resamples"),
        (
            alone[draws].mean(1),
            "means of the images' scores: add the counts up first, as bootstrap does",
        ),
        ((ours > theirs).astype(float), "whether a leads, not by how much: subtract"),
    ]
