"""What to try on the checks of lesson 08."""

from __future__ import annotations

_F = """
def f_from_iou(iou):
    return {0}


def two_means(iou):
    return {1}
"""
_FORMULA, _BOTH = "2 * iou / (1 + iou)", "f_from_iou(iou).mean(), f_from_iou(iou.mean())"

_IMAGES = """
def image_scores(counts, eps=1e-7):
    hit = np.diagonal(counts, axis1=1, axis2=2)
    true, called = counts.sum(2), counts.sum(1)
    precision, recall = hit / (called + eps), hit / (true + eps)
    f = 2 * precision * recall / (precision + recall + eps)
    return {0}
"""
_TRUE = "np.mean(f, axis=1, where=true > 0)"

_BOOT = """
def bootstrap(counts, draws):
    return {0}


def interval(values, level=0.95):
    return {1}


def lead(a, b, draws, level=0.95):
    return {2}
"""
_POOL = "np.array([mean_iou(counts[draw].sum(0)) for draw in draws])"
_QUANTILE = "np.quantile(values, [(1 - level) / 2, (1 + level) / 2])"
_TABLES = (
    "[(hit / all).mean() for m in counts[draws].sum(1) "
    "for hit, all in [(m.diagonal(), m.sum(0) + m.sum(1) - m.diagonal())]]"
)
_LEAD = "interval(bootstrap(a, draws) - bootstrap(b, draws), level)"

_ZIP = """
def write_flat(target, logits):
    with zipfile.ZipFile(target, "w") as archive:
        for stem, scores in logits.items():
            large = F.interpolate(scores[None], size=(512, 512), mode="bilinear")
            ids = large.argmax(1)[0].numpy().astype(np.uint8)
            picture = Image.fromarray(ids)
            png = io.BytesIO()
            picture.save(png, format="PNG")
            archive.writestr(f"{stem}.png", png.getvalue())
"""
_SMALL = """            small = scores.argmax(0).byte()
            ids = np.asarray(Image.fromarray(small.numpy()).resize((512, 512), Image.Resampling.NEAREST))
"""


def _edit(code: str, *changes: str) -> str:
    """The code with a mistake (or another way) in it: old, new, old, new, …"""
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in code, old
        code = code.replace(old, new)
    return code


WRONG = {
    "f-and-iou": [
        (_F.format("2 * iou / (iou + iou)", _BOTH), "and not IoU, which cancels"),
        (_F.format("2 * iou / (2 + iou)",_BOTH), 'below stands 1 + IoU, not 2 + IoU'),
        (_F.format(_FORMULA,"f_from_iou(iou).mean(), f_from_iou(iou.sum())"), 'the second is the F of a sum'),
        (_F.format(_FORMULA,"f_from_iou(iou).mean(), f_from_iou(f_from_iou(iou).mean())"), 'the second is the F of the mean F: of the mean IoU'),
        (_F.format(_FORMULA,"f_from_iou.mean(), f_from_iou(iou.mean())"), 'Error: '),
        (_F.format(_FORMULA,"np.average(f_from_iou(iou), weights=iou), f_from_iou(iou.mean())"), 'each class has one vote: a mean without weights'),
        (_F.format("np.round(2 * iou / (1 + iou), 2)",_BOTH), 'nearly: round nothing, and add nothing below'),
        (_F.format(_FORMULA,"f_from_iou(iou).mean(), f_from_iou(iou.max())"), 'the second is the F of the best class: of the mean IoU'),
        (_F.format(_FORMULA,"f_from_iou(iou).mean(), (2 * iou / (1 + iou)).sum() / len(iou)"), 'both are the mean of the F: for the second, average first'),
        (_F.format("np.sqrt(iou)",_BOTH), 'no root: 2 IoU /'),
        (_F.format(_FORMULA,"{'mean F': f_from_iou(iou).mean(), 'F': f_from_iou(iou.mean())}"), 'expected: a tuple'),
        (_F.format(_FORMULA,"100 * f_from_iou(iou).mean(), 100 * f_from_iou(iou.mean())"), 'shares, not per cent'),
        (_F.format("iou / (2 - iou)", _BOTH), "the way back"),
        (_F.format("2 * iou", _BOTH), "divide by 1 + IoU"),
        (_F.format("2 * iou / (1 + iou.mean())", _BOTH), "own 1 + IoU"),
        (_F.format("2 * iou / 1 + iou", _BOTH), "in brackets"),
        (_F.format("iou / (1 + iou)", _BOTH), "the 2 is missing"),
        (_F.format("2 * iou / (1 - iou)", _BOTH), "not 1 - IoU"),
        (_F.format("2 * iou.mean() / (1 + iou.mean())", _BOTH), "expected: an array"),
        (_F.format("iou * 200 / (1 + iou)", _BOTH), "not per cent"),
        (_F.format("[2 * i / (1 + i) for i in iou.tolist()]", _BOTH.replace("f_from_iou(iou)",
                   "np.array(f_from_iou(iou))")), "expected: an array"),
        (_F.format("np.array([2 * i / (1 + i) for i in iou])", _BOTH), "an array of any shape"),
        (_F.format("np.array([2 * i / (1 + i) if i > 0 else 0 for i in np.atleast_1d(iou)])",
                   _BOTH), "an array of any shape"),
        (_F.format("torch.from_numpy(2 * iou / (1 + iou))", "f_from_iou(iou).mean(), "
                   "2 * iou.mean() / (1 + iou.mean())"), "expected: an array"),
        (_F.replace("return {0}", "iou *= 2\n    return {0}").format("iou / (1 + iou)", _BOTH),
         "changes its argument `iou`"),
        (_F.replace("return {0}", "iou[iou == 0] = 1e-9\n    return {0}").format(_FORMULA, _BOTH),
         "changes its argument `iou`"),
        (_F.format(_FORMULA, "f_from_iou(iou).sum() / 19, f_from_iou(iou.mean())"), "not 19"),
        (_F.format(_FORMULA, "f_from_iou(iou), f_from_iou(iou.mean())"), "each of them a mean"),
        (_F.format(_FORMULA, "np.median(f_from_iou(iou)), f_from_iou(iou.mean())"), "a median"),
        (_F.format(_FORMULA, _BOTH).replace("    return f_from", "    f_from"), "gives None"),
        (_F.format(_FORMULA, "f_from_iou(iou.mean()), f_from_iou(iou).mean()"), "other way round"),
        (_F.format(_FORMULA, "f_from_iou(iou).mean(), iou.mean()"), "mean IoU itself"),
        (_F.format(_FORMULA, "iou.mean(), f_from_iou(iou.mean())"), "first is the mean IoU"),
        (_F.format(_FORMULA, "f_from_iou(iou).sum(), f_from_iou(iou.mean())"), "a sum over"),
        (_F.format(_FORMULA, "(f_from_iou(iou.mean()),) * 2"), "both are the F of the mean"),
        (
            _F.format(_FORMULA, "f_from_iou(iou[iou > 0]).mean(), f_from_iou(iou[iou > 0].mean())"),
            "IoU 0 counts",
        ),
        (_F.format(_FORMULA, "(f_from_iou(iou).mean(),) * 2"), "both are the mean of the F"),
        (_F.format(_FORMULA, "f_from_iou(iou).mean()"), "expected: a tuple"),
    ],
    "image-scores": [
        (_edit(_IMAGES.format(_TRUE), "(called + eps)", "(called + hit + eps)"), "the hits are in `called`"),
        (_IMAGES.format("np.mean(f, axis=1, where=true > 1)"), "a class of one pixel"),
        (_edit(_IMAGES.format(_TRUE),"    hit","    counts = counts.sum(0, keepdims=True)\n    hit"), 'give an array, one score for each image: their mean is the c'),
        (_IMAGES.format("hit.sum(1) / counts.sum((1, 2))"), 'this is the share of right pixels'),
        (_edit(_IMAGES.format(_TRUE),"f = 2 * precision * recall / (precision + recall + eps)","f = precision * recall / (precision + recall + eps)"), 'the 2 is missing: 2PR'),
        (_edit(_IMAGES.format(_TRUE),"f = 2 * precision * recall / (precision + recall + eps)","f = (precision + recall) / 2"), 'the plain mean of P and R: F is 2PR /'),
        (_edit(_IMAGES.format(_TRUE),"f = 2 * precision * recall / (precision + recall + eps)","f = np.sqrt(precision * recall)"), 'the root of P · R: F is 2PR /'),
        (_IMAGES.format("np.mean(f, axis=0, where=true > 0)"), 'give an array, one score for each image: their mean is the c'),
        (_edit(_IMAGES.format(_TRUE),"hit / (called + eps), hit / (true + eps)","(hit + eps) / (called + eps), (hit + eps) / (true + eps)"), 'eps should stand in three denominators: of P, R and F'),
        (_edit(_IMAGES.format(_TRUE),"hit / (called + eps), hit / (true + eps)","hit / np.maximum(called, eps), hit / np.maximum(true, eps)"), 'eps should stand in three denominators: of P, R and F'),
        (_IMAGES.format("np.array([np.median(f[n][true[n] > 0]) for n in range(len(f))])"), 'this is a median over the classes: take their mean'),
        (_IMAGES.format("f.mean()"), 'give an array, one score for each image: their mean is the c'),
        (_IMAGES.format("np.mean(f, axis=1, where=counts.any(1))"), 'the mean goes over the called classes: take those'),
        (_IMAGES.format("np.sum(f, axis=1, where=true > 0)"), 'this is a sum: take the mean over the classes'),
        (_IMAGES.format("np.sum(f, axis=1, where=true > 0) / f.shape[1]"), "classes that are not in the image's truth count as 0"),
        (_IMAGES.format("np.nanmean(np.where(true > 0, f, np.nan), axis=0)"), 'give an array, one score for each image: their mean is the c'),
        (_edit(_IMAGES.format(_TRUE),"np.diagonal(counts, axis1=1, axis2=2)","counts.diagonal()"), 'hit, true and called are'),
        (_IMAGES.format("np.mean(f, axis=1, where=precision > 0)"), 'class 2 of image 1 is true and never called: its F is 0, and'),
        (_edit(_edit(_IMAGES.format(_TRUE),"called + eps","called + 1e-7"),"true + eps","true + 1e-7"), 'eps should stand in three denominators: of P, R and F'),
        (_edit(_edit(_IMAGES.format(_TRUE),"(called + eps)","np.maximum(called, 1)"),"(true + eps)","np.maximum(true, 1)"), 'eps should stand in three denominators: of P, R and F'),
        (_IMAGES.format("np.mean(f, axis=1, where=true + called > 0)"), "called but not true"),
        (_IMAGES.format("f.mean(1)"), "count as 0"),
        (_IMAGES.format("np.where(true + called > 0, f, 1).mean(1)"), "count as 1"),
        (_IMAGES.format(_TRUE + ".mean()"), "one score for each image"),
        (_edit(_IMAGES.format(_TRUE), "counts.sum(2), counts.sum(1)",
               "counts.sum(1), counts.sum(2)"), "take those in the truth, the rows"),
        (_edit(_IMAGES.format(_TRUE), "f = 2 * precision * recall / (precision + recall + eps)",
               "f = hit / (true + called - hit + eps)"), "IoU, not F"),
        (_edit(_IMAGES.format(_TRUE), "f = 2 * precision * recall / (precision + recall + eps)",
               "f = recall"), "recall alone"),
        (_edit(_IMAGES.format(_TRUE), "f = 2 * precision * recall / (precision + recall + eps)",
               "f = 2 * hit / (true + called + eps)"), "three denominators"),
        (_edit(_IMAGES.format(_TRUE), "eps)\n    return", "1e-7)\n    return"), "three denominators"),
        (_edit(_IMAGES.format(_TRUE), "    hit =", "    eps = 1e-7\n    hit ="), "no effect"),
        (_edit(_IMAGES.format(_TRUE), " + recall + eps)", " + recall)"), "0/0"),
        (_IMAGES.format("np.array([np.mean(f, axis=1, where=true > 0).mean()])"), "one score for each"),
        (_IMAGES.format("f[true > 0].mean()"), "one score for each image"),
        (_IMAGES.format("np.mean(f, axis=1, where=hit > 0)"), "never called"),
        (_edit(_IMAGES.format("np.nanmean(f, axis=1)"), " + eps)", ")"), "never called"),
        (_IMAGES.format("np.mean(f[:, 1:], axis=1, where=true[:, 1:] > 0)"), "background is a class"),
        (_IMAGES.format(f"{_TRUE}.tolist()"), "give an array"),
        (_IMAGES.format(f"torch.from_numpy({_TRUE})"), "expected: an array"),
        (_IMAGES.format(f"100 * {_TRUE}"), "not per cent"),
        (_IMAGES.format("(f * true).sum(1) / true.sum(1)"), "not a pixel"),
        (_edit(_IMAGES.format(_TRUE), "counts, axis1=1, axis2=2", "counts"), "axis1=1, axis2=2"),
        (_edit(_IMAGES.format(_TRUE), "counts.sum(2), counts.sum(1)",
               "counts.sum(1), counts.sum(0)"), "sum over axis 2 or 1"),
        (_edit(_IMAGES.format("np.array([sum(f[i, c] for c in range(19) if true[i, c]) / "
                              "(true[i] > 0).sum() for i in range(len(f))])"),
               "", ""), "not 19"),
        (_edit(_IMAGES.format(_TRUE), "    true,", "    counts[counts == 0] = 0\n    counts[:, 0] = "
               "counts[:, 0] + 0\n    counts += 1\n    true,"), "changes its argument `counts`"),
        (_edit(_IMAGES.format(_TRUE), "eps=1e-7", "eps=1e-5"), "should be 1e-7"),
        (_edit(_IMAGES.format(_TRUE), "    return", "    f ="), "gives None"),
        (_edit(_IMAGES.format(_TRUE), "f = 2 * precision * recall / (precision + recall + eps)",
               "f = precision"), "precision alone"),
        (_edit(_IMAGES.format("2 * p * r / (p + r + eps)"), "    return", "    p, r = (np.mean(v, axis=1, "
               "where=true > 0) for v in (precision, recall))\n    return"), "averaged first"),
    ],
    "bootstrap": [
        (_BOOT.format("np.array([mean_iou(counts[d].sum(0)) for d in draws.T])",_QUANTILE,_LEAD), 'a resample is a row of draws, not a column'),
        (_BOOT.format("np.array([mean_iou(counts[d[0]]) for d in draws])",_QUANTILE,_LEAD), 'only the first image of each draw is scored: add all of them'),
        (_BOOT.format("np.array([counts[d].sum(0).trace() / counts[d].sum() for d in draws])",_QUANTILE,_LEAD), 'the share of right pixels, no mean IoU'),
        (_BOOT.format("np.sort("+_POOL+")",_QUANTILE,_LEAD), 'these are sorted: keep the order of the draws'),
        (_BOOT.format(_POOL+" - mean_iou(counts.sum(0))",_QUANTILE,_LEAD), 'the difference to the whole set: give the score'),
        (_BOOT.format("np.array([f_from_iou(mean_iou(counts[d].sum(0))) for d in draws])",_QUANTILE,_LEAD), 'this is F: take mean_iou as it is'),
        (_BOOT.format("np.array([mean_iou(counts[d].sum(1)) for d in draws])",_QUANTILE,_LEAD), 'mean_iou takes one table'),
        (_BOOT.format("np.array([class_iou(counts[d].sum(0)) for d in draws])",_QUANTILE,_LEAD), 'one score for each resample: mean_iou, not class_iou'),
        (_BOOT.format("np.array([mean_iou(counts[np.isin(np.arange(len(counts)), d)].sum(0)) for d in draws])",_QUANTILE,_LEAD), 'an image that was drawn twice counts once: let it count twic'),
        (_BOOT.format(_POOL,"np.quantile(values, [1 - level, 1])",_LEAD), 'nothing is cut off above: 2.5 % on *either* side'),
        (_BOOT.format(_POOL,"np.quantile(values, [level / 2, 1 - level / 2])",_LEAD), 'level / 2 is half of the middle: cut'),
        (_BOOT.format(_POOL,"np.diff(np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))",_LEAD), 'give an array of two numbers, the lower and the upper end'),
        (_BOOT.format(_POOL,"np.median(values) + np.ptp(np.quantile(values, [(1 - level) / 2, (1 + level) / 2])) / 2 * np.array([-1, 1])",_LEAD), 'not median ± width: the values may be skewed'),
        (_BOOT.format(_POOL,"np.percentile(values, [2.5, 97.5])",_LEAD), 'use the argument level'),
        (_BOOT.format(_POOL,"np.percentile(values, [1 - level, level])",_LEAD), 'np.percentile wants per cent, np.quantile shares'),
        (_BOOT.format(_POOL,"np.array((lambda s, n: min(([s[i], s[i + n]] for i in range(len(s) - n)), key=lambda e: e[1] - e[0]))(np.sort(values), int(level * (len(values) - 1))))",_LEAD), 'nothing is cut off below: 2.5 % on *either* side'),
        (_BOOT.format(_POOL,"np.quantile(values, [0.025 * level, 1 - 0.025 * level])",_LEAD), 'use the argument level'),
        (_BOOT.format(_POOL,_QUANTILE,"interval(bootstrap(a, draws) - mean_iou(b.sum(0)), level)"), 'b is resampled, too, by the same draws'),
        (_BOOT.format(_POOL,_QUANTILE,"interval(bootstrap(a, draws) / bootstrap(b, draws), level)"), 'these are ratios: subtract'),
        (_BOOT.format(_POOL,_QUANTILE,"interval(bootstrap(a, draws) - bootstrap(b, draws), 1 - level)"), 'level is the share inside: pass it on as it is'),
        (_BOOT.format(_POOL,_QUANTILE,"np.mean(bootstrap(a, draws) > bootstrap(b, draws))"), 'give the two ends of one interval'),
        (_BOOT.format(_POOL,_QUANTILE,"interval(np.sort(bootstrap(a, draws)) - np.sort(bootstrap(b, draws)), level)"), 'do not sort: the same draw for both'),
        (_BOOT.format(_POOL,_QUANTILE,"interval(bootstrap(a) - bootstrap(b), level)"), 'Error: '),
        (_BOOT.format(_POOL,_QUANTILE,"np.array([mean_iou(a.sum(0)) - mean_iou(b.sum(0))] * 2)"), 'the lead itself: its interval'),
        (_BOOT.format("np.array([np.mean([mean_iou(m) for m in counts[draw]]) for draw in draws])",
                      _QUANTILE, _LEAD), "add the counts up first"),
        (_BOOT.format("np.array([mean_iou(counts[np.unique(d)].sum(0)) for d in draws])",
                      _QUANTILE, _LEAD), "let it count twice"),
        (_BOOT.format("np.array([mean_iou(counts.sum(0)) for draw in draws])", _QUANTILE, _LEAD),
         "use the draws"),
        (_BOOT.format(_POOL + ".mean()", _QUANTILE, _LEAD), "one number"),
        (_BOOT.format("100 * " + _POOL, _QUANTILE, _LEAD), "not per cent"),
        (_BOOT.format("[mean_iou(counts[draw].sum(0)) for draw in draws]", _QUANTILE, _LEAD),
         "expected: an array"),
        (_BOOT.format("np.array([mean_iou(counts[draw]) for draw in draws])", _QUANTILE, _LEAD),
         "mean_iou takes one table"),
        (_BOOT.format("mean_iou(counts[draws].sum(1))", _QUANTILE, _LEAD), "mean_iou takes one table"),
        (_BOOT.format("np.array([mean_iou(sum(counts[d[i]] for i in range(len(counts)))) "
                      "for d in draws])", _QUANTILE, _LEAD), "fewer images"),
        (_BOOT.format("np.array([mean_iou(counts[draws[:, i]].sum(0)) for i in range(len(counts))])",
                      _QUANTILE, _LEAD), "not a column"),
        (_BOOT.replace("return {0}", "counts[0] //= 2\n    return {0}").format(_POOL, _QUANTILE, _LEAD),
         "changes its argument `counts`"),
        (_BOOT.format(f"torch.from_numpy({_POOL})", _QUANTILE, _LEAD), "expected: an array"),
        (_BOOT.replace("return {1}", "values.sort()\n    return {1}").format(_POOL, _QUANTILE, _LEAD),
         "changes its argument `values`"),
        (_BOOT.format(_POOL, "tuple(np.quantile(values, [(1 - level) / 2, (1 + level) / 2]))", _LEAD),
         "give an array of two numbers"),
        (_BOOT.format(_POOL, "np.quantile(values, [(1 - level) / 2, 1])", _LEAD), "cut off above"),
        (_BOOT.format(_POOL, "np.quantile(values, [0, level])", _LEAD), "cut off below"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, draws[::-1]), "
                      "level)"), "torn apart"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(abs(bootstrap(a, draws) - bootstrap(b, draws)), "
                      "level)"), "keep the sign"),
        (_BOOT.format(_POOL, _QUANTILE, "bootstrap(a, draws) - bootstrap(b, draws)"),
         "two ends of one interval"),
        (_BOOT.format(_TABLES.format("hit / all"), _QUANTILE, _LEAD), "0/0, not 0"),
        (_BOOT.format(_POOL, "np.quantile(values, [1 - level, level])", _LEAD), "90 %"),
        (_BOOT.format(_POOL, "np.quantile(values, [0.025, 0.975])", _LEAD), "argument level"),
        (_BOOT.format(_POOL, "values.mean() + 1.96 * values.std() * np.array([-1, 1])", _LEAD),
         "mean ± spread"),
        (_BOOT.format(_POOL, "np.percentile(values, [(1 - level) / 2, (1 + level) / 2])", _LEAD),
         "np.percentile wants"),
        (_BOOT.format(_POOL, "np.quantile(values, level)", _LEAD), "two numbers"),
        (_BOOT.format(_POOL, "np.array([values.min(), values.max()])", _LEAD), "extremes"),
        (_BOOT.format(_POOL, "np.quantile(values, [(1 + level) / 2, (1 - level) / 2])", _LEAD),
         "lower end comes first"),
        (_BOOT.format(_POOL, _QUANTILE,
                      "interval(bootstrap(b, draws) - bootstrap(a, draws), level)"), "a minus b"),
        (_BOOT.format(_POOL, _QUANTILE,
                      "interval(bootstrap(a, draws), level) - interval(bootstrap(b, draws), level)"),
         "ends of two intervals"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a - b, draws), level)"), "not the counts"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, draws))"),
         "pass level on"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, np.random.default_rng(0).permutation(draws)), level)"), "pairs are torn apart: the same draw for both, in the same order"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(np.random.default_rng(0).permutation(bootstrap(a, draws)) - bootstrap(b, draws), level)"), "pairs are torn apart: the same draw for both, in the same order"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) + bootstrap(b, draws), level)"), "these are sums: subtract"),
        (_BOOT.format(_POOL, _QUANTILE, "interval((bootstrap(a, draws) - bootstrap(b, draws)) / bootstrap(b, draws), level)"), "divided by b's score: the difference itself"),
        (_BOOT.format(_POOL, _QUANTILE, "(bootstrap(a, draws) - bootstrap(b, draws)).mean() + 1.96 * (bootstrap(a, draws) - bootstrap(b, draws)).std() * np.array([-1, 1])"), "not mean ± spread: call interval"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(np.array([mean_iou(m) for m in a]) - np.array([mean_iou(m) for m in b]), level)"), "differences of single images: it is those of resamples"),
        (_BOOT.format(_POOL, _QUANTILE, "interval((np.array([mean_iou(m) for m in a]) - np.array([mean_iou(m) for m in b]))[draws].mean(1), level)"), "eans of the images' scores: add the counts up first, as bootstrap does"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, draws), level)[::-1]"), "the lower end comes first"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(b, draws) - bootstrap(a, draws))"), "the wrong way round: a minus b"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(abs(bootstrap(b, draws) - bootstrap(a, draws)))"), "keep the sign: a lead may be below 0"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(b, draws), level) - interval(bootstrap(a, draws), level)"), "inus b; these are ends of two intervals: subtract resample by resample"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws).mean() - bootstrap(b, draws), level)"), "a is resampled, too, by the same draws"),
        (_BOOT.format(_POOL, _QUANTILE, "100 * interval(bootstrap(a, draws) - bootstrap(b, draws), level)"), "shares, not per cent"),
        (_BOOT.format(_POOL, _QUANTILE, "100 * interval(bootstrap(b, draws) - bootstrap(a, draws), level)"), "the wrong way round: a minus b; shares, not per cent"),
        (_BOOT.format(_POOL, _QUANTILE, "np.diff(interval(bootstrap(a, draws) - bootstrap(b, draws), level))"), "give the two ends of one interval"),
        (_BOOT.format(_POOL, _QUANTILE, "np.array([(bootstrap(a, draws) - bootstrap(b, draws)).min(), (bootstrap(a, draws) - bootstrap(b, draws)).max()])"), "these are the extremes: call interval"),
        (_BOOT.format(_POOL, _QUANTILE, "np.quantile(bootstrap(a, draws) - bootstrap(b, draws), [1 - level, level])"), "5 % on each side hold 90 %: call interval"),
        (_BOOT.format(_POOL, _QUANTILE, "np.percentile(bootstrap(a, draws) - bootstrap(b, draws), [2.5, 97.5])"), "lead should pass level on"),
        (_BOOT.format(_POOL, _QUANTILE, "interval((bootstrap(a, draws) - bootstrap(b, draws))[bootstrap(a, draws) > bootstrap(b, draws)], level)"), "use the draws as they are, and all of them"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws[0::2]) - bootstrap(b, draws[1::2]), level)"), "both networks are resampled by the same draws, by all of them"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(np.subtract.outer(bootstrap(a, draws), bootstrap(b, draws)), level)"), "of a with every one of b: pairs are torn apart: the same draw for both"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, draws)[::-1], level)[::-1]"), "airs are torn apart: the same draw for both; the lower end comes first"),
        (_BOOT.format(_POOL, _QUANTILE, "interval((bootstrap(a, draws) > bootstrap(b, draws)).astype(float), level)"), "whether a leads, not by how much: subtract"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(np.concatenate([a, b]), draws), level)"), "b is left out: a minus b"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(np.log(bootstrap(a, draws) / bootstrap(b, draws)), level)"), "logarithms of ratios: subtract"),
        (_BOOT.format(_POOL, _QUANTILE, "interval((bootstrap(a, draws) - bootstrap(b, draws)) / 2, level)"), "half of the difference: subtract, no more"),
        (_BOOT.format(_POOL, _QUANTILE, "np.array([interval(bootstrap(a, draws), level)[0] - interval(bootstrap(b, draws), level)[0], interval(bootstrap(a, draws), level)[1] - interval(bootstrap(b, draws), level)[1]])"), "these are ends of two intervals: subtract resample by resample"),
        (_BOOT.format(_POOL, _QUANTILE, "np.array([interval(bootstrap(a, draws), level).mean() - interval(bootstrap(b, draws), level).mean()] * 2)"), "the middles of two intervals: subtract resample by resample"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, draws, level))"), "bootstrap gets counts and draws; level is for interval"),
        (_BOOT.format(_POOL, _QUANTILE, "interval((bootstrap(a, draws) - bootstrap(b, draws), level))"), "interval gets the differences, then level: two arguments"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, draws), level / 2)"), "level is the share inside: pass it on as it is"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(bootstrap(a, draws) - bootstrap(b, draws), 100 * level)"), "level is a share, from 0 to 1: pass it on as it is"),
        (_BOOT.format(_POOL, _QUANTILE, "interval(mean_iou(a[draws].sum(0)) - mean_iou(b[draws].sum(0)), level)"), "bootstrap pools each draw by itself: call it for both networks"),
    ],
    "masks-in-a-zip": [
        (_edit(_ZIP,"size=(512, 512)","scale_factor=512 // scores.shape[-1]"), "every mask is 512 × 512, whatever the network's size"),
        (_edit(_ZIP,"Image.fromarray(ids)","Image.fromarray(ids).convert('P')"), '7.png has a palette: read with .convert("L") class 1 becomes'),
        (_edit(_ZIP,"Image.fromarray(ids)","Image.fromarray(ids).convert('RGB')"), '7.png has colours: read with .convert("P") class 1 becomes 1'),
        (_edit(_ZIP,"astype(np.uint8)","astype(np.float32)"), 'ids are whole numbers: make them uint8'),
        (_edit(_ZIP,"np.uint8)","np.uint8) / 18"), 'ids are whole numbers: make them uint8'),
        (_edit(_ZIP,"astype(np.uint8)","astype(bool)"), '7.png has black and white only: save the ids as uint8'),
        (_edit(_ZIP,".png",".PNG"), 'the names end in .png'),
        (_edit(_ZIP,"argmax(1)[0]","argmax(0)[0]"), 'all is background: arg-max over the 19 classes'),
        (_edit(_ZIP,"argmax(1)[0]","argmax(-1)[0]"), "every mask is 512 × 512, whatever the network's size"),
        (_edit(_ZIP,'(target, "w")','(target)'), 'open target to write: zipfile.ZipFile(target, "w")'),
        (_edit(_ZIP,"""    with zipfile.ZipFile(target, "w") as archive:
        for stem, scores in logits.items():
""","""    for stem, scores in logits.items():
        with zipfile.ZipFile(target, "w") as archive:
"""), 'only the last mask is left: open the zip once'),
        (_edit(_ZIP,'"bilinear"','"area"'), 'boundaries are stairs: enlarge the logits bilinearly'),
        (_edit(_ZIP,"scores[None]","scores.sigmoid()[None]"), 'probabilities: enlarge the logits, without a sigmoid'),
        (_edit(_ZIP,"large.argmax(1)[0]","large.max(1).values[0]"), 'these are the largest scores: take their places, with argmax'),
        (_edit(_ZIP,'f"{stem}.png"','f"{stem}_mask.png"'), 'one mask for each stem, <stem>.png'),
        (_edit(_ZIP,'f"{stem}.png"','"mask.png"'), 'one mask for each stem, <stem>.png'),
        (_edit(_ZIP,"            ids = large.argmax(1)[0].numpy().astype(np.uint8)\n","            small = scores.argmax(0).float()[None, None]\n            ids = F.interpolate(small, size=(512, 512), mode='bilinear')[0, 0].numpy().astype(np.uint8)\n"), 'classes that win nowhere: were ids interpolated, not logits?'),
        (_edit(_ZIP,"with zipfile.ZipFile(target, \"w\")","target = io.BytesIO()\n    with zipfile.ZipFile(target, \"w\")")+"    return target\n", 'this is no zip: write into target, and close it'),
        (_edit(_ZIP,"logits.items()","logits"), 'logits is a dictionary: go through logits.items()'),
        (_edit(_ZIP,"large.argmax(1)","large.byte().argmax(1)"), 'classes that win nowhere: were ids interpolated, not logits?'),
        (_edit(_ZIP, 'f"{stem}.png"', 'f"masks/{stem}.png"'), "in a folder"),
        (_edit(_ZIP, 'f"{stem}.png"', "stem"), "lack their ending"),
        (_edit(_ZIP, 'f"{stem}.png"', 'f"{i}.png"', "for stem, scores in logits.items()",
               "for i, (stem, scores) in enumerate(logits.items())"), "one mask for each stem"),
        (_edit(_ZIP, "            png = io", "            break\n            png = io"), "empty"),
        (_edit(_ZIP, "Image.fromarray(ids)", "Image.fromarray(LABELS.palette_array()[ids])"),
         "becomes 14"),
        (_edit(_ZIP, "            png = io",
               "            picture.putpalette(LABELS.palette_array().tobytes())\n"
               "            png = io"), "palette"),
        (_edit(_ZIP, "Image.fromarray(ids)",
               'Image.fromarray(LABELS.palette_array()[ids]).convert("L")'), "became 61"),
        (_edit(_ZIP, "np.uint8", "np.uint16"), "16 bits"),
        (_edit(_ZIP, 'format="PNG"', 'format="JPEG"'), "the content does not"),
        (_edit(_ZIP, "large = F.interpolate(scores[None], size=(512, 512), mode=\"bilinear\")",
               "large = scores[None]"), "every mask is 512"),
        (_edit(_ZIP, 'mode="bilinear"', 'mode="nearest"'), "stairs"),
        (_edit(_ZIP, "            ids = large.argmax(1)[0].numpy().astype(np.uint8)\n", _SMALL),
         "stairs"),
        (_edit(_ZIP, "Image.fromarray(ids)", "Image.fromarray(ids * 14)"), "stretched"),
        (_edit(_ZIP, "argmax", "argmin"), "lowest score"),
        (_edit(_ZIP, "Image.fromarray(ids)", "Image.fromarray(ids.T.copy())"), "swapped"),
        (_edit(_ZIP, "Image.fromarray(ids)", "Image.fromarray(ids[::-1].copy())"), "upside down"),
        (_edit(_ZIP, 'mode="bilinear"', 'mode="bilinear", align_corners=True'), "align_corners"),
        (_edit(_ZIP, 'mode="bilinear"', 'mode="bicubic"'), "bicubic"),
        (_edit(_ZIP, "scores[None]", "scores.softmax(0)[None]"), "without a softmax"),
        (_edit(_ZIP, "            ids = large.argmax(1)[0].numpy().astype(np.uint8)\n",
               _SMALL.replace(", Image.Resampling.NEAREST", "")), "ids interpolated"),
        (_edit(_ZIP, "getvalue", "read"), "an empty file"),
        (_edit(_ZIP, "Image.fromarray(ids)", "Image.fromarray(ids + np.uint8(1))"), "ids begin at 0"),
        (_edit(_ZIP, "large.argmax(1)", "large[:, 1:].argmax(1)"), "the background, is left out"),
        (_edit(_ZIP, ".astype(np.uint8)", ""), "make the ids uint8"),
        (_edit(_ZIP, "scores[None]", "scores"), "wants a batch"),
        (_edit(_ZIP, 'picture.save(png, format="PNG")', "picture.save(png)"), "unknown file extension"),
        (_edit(_ZIP, "zipfile.ZipFile(target,", "zipfile.ZipFile(Path(target),"), "in memory"),
        (_edit(_ZIP, "    with zipfile.ZipFile(target,", "    target.seek(0)\n    with "
               "zipfile.ZipFile(target,"), "may be a path"),
        (_edit(_ZIP, "    with zipfile.ZipFile(target,", "    memory = io.BytesIO()\n    with "
               "zipfile.ZipFile(memory,") + "    target.write(memory.getvalue())\n", "may be a path"),
        (_edit(_ZIP, "            large =", "            scores -= scores.max()\n            large ="),
         "changes its argument `logits`"),
        (_edit(_ZIP, "            ids =", "            logits[stem] = large[0]\n            ids ="),
         "changes its argument `logits`"),
        (_edit(_ZIP, 'f"{stem}.png", png', 'f"{stem}.txt", b"")\n            archive.writestr('
               'f"{stem}.png", png'), "the names end in .png"),
        (_edit(_ZIP, "            ids = large.argmax(1)[0]", "            ids = large[0].argmax(1)"),
         "512 × 512"),
        (_edit(_ZIP, "            png = io.BytesIO()\n", "", "    with zip",
               "    png = io.BytesIO()\n    with zip"), "several pictures"),
    ],
}  # fmt: skip

RIGHT = {
    "f-and-iou": [
        _F.format("np.multiply(2, iou) / np.add(1, iou)","np.mean(f_from_iou(iou)), 2 * np.mean(iou) / (1 + np.mean(iou))"),
        _F.format("1 / (0.5 / np.maximum(iou, 1e-30) + 0.5)", _BOTH),
        _F.format("iou * 2 / (iou + 1)", "np.array([f_from_iou(iou).mean(), f_from_iou(iou.mean())])"),
    ],
    "image-scores": [
        _IMAGES.format("np.nanmean(np.where(true > 0, f, np.nan), axis=1)"),
        _edit(_IMAGES.format(_TRUE),"np.diagonal(counts, axis1=1, axis2=2)","np.einsum('ncc->nc', counts)"),
        """
def image_scores(counts, eps=1e-7):
    found = []
    for table in counts:
        each = []
        for c in range(len(table)):
            if table[c].sum() == 0:
                continue
            p = table[c, c] / (table[:, c].sum() + eps)
            r = table[c, c] / (table[c].sum() + eps)
            each.append(2 * p * r / (p + r + eps))
        found.append(sum(each) / len(each))
    return np.array(found)
""",
        _IMAGES.format("np.where(true > 0, f, 0).sum(1) / (true > 0).sum(1)"),
    ],
    "bootstrap": [
        _BOOT.format(
            "np.array([mean_iou(m) for m in counts[draws].sum(1)])",
            "np.percentile(values, [50 * (1 - level), 50 * (1 + level)])",
            "interval(np.subtract(*(bootstrap(m, draws) for m in (a, b))), level)",
        ),
        _BOOT.format(
            "np.array([mean_iou(np.tensordot(np.bincount(draw, minlength=len(counts)), counts, 1))"
            " for draw in draws])",
            "np.array([np.quantile(values, q) for q in (0.5 - level / 2, 0.5 + level / 2)])",
            _LEAD,
        ),
        _BOOT.format(
            _POOL,
            "np.sort(values)[[int(len(values) * (1 - level) / 2), "
            "int(len(values) * (1 + level) / 2)]]",
            _LEAD,
        ),
        _BOOT.format(
            _POOL,
            "np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method='nearest')",
            _LEAD,
        ),
        _BOOT.format(
            _POOL,
            "np.sort(values)[[round(len(values) * (0.5 + s * level / 2)) - 1 for s in (-1, 1)]]",
            "np.quantile(bootstrap(a, draws) - bootstrap(b, draws), "
            "[0.5 - level / 2, 0.5 + level / 2], method='higher')",
        ),
        _BOOT.format(_POOL, _QUANTILE, "interval(np.array([x - y for x, y in zip(bootstrap(a, draws), bootstrap(b, draws))]), level=level)"),
        _BOOT.format(_POOL, _QUANTILE, "interval(np.array([mean_iou(a[d].sum(0)) - mean_iou(b[d].sum(0)) for d in draws]), level)"),
        _BOOT.format(_POOL, _QUANTILE, "-interval(bootstrap(b, draws) - bootstrap(a, draws), level)[::-1]"),
    ],
    "masks-in-a-zip": [
        _edit(_ZIP, "size=(512, 512)", "size=512", "(target, \"w\")",
              "(target, \"w\", zipfile.ZIP_DEFLATED)", "scores[None]", "scores.unsqueeze(0)"),
        """
def write_flat(target, logits):
    import cv2
    with zipfile.ZipFile(target, mode="w") as archive:
        for stem in logits:
            planes = [cv2.resize(plane.numpy(), (512, 512)) for plane in logits[stem]]
            with archive.open(stem + ".png", "w") as png:
                Image.fromarray(np.argmax(planes, 0).astype("uint8"), mode=None).save(png, "png")
""",
    ],
}  # fmt: skip

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "image-scores": [
        (
            "hit = np.diagonal(counts, axis1=1, axis2=2)  # (N, C)",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "precision, recall = hit / (called + eps), hit / (true + eps)",
            "(called + eps), hit / (true → (true + eps), hit / (called",
            "F treats precision and recall alike",
        ),
    ],
    "bootstrap": [
        (
            "return np.array([mean_iou(counts[draw].sum(0)) for draw in draws])",
            "np.array([mean_iou(counts[draw].sum(0)) → np.array([mean_iou(counts[draw].mean(0))",
            "IoU is a ratio: all counts divided by one number give the same",
        ),
    ],
    "masks-in-a-zip": [
        (
            'large = F.interpolate(scores[None], size=(512, 512), mode="bilinear")',
            "mode='bilinear') → mode='bilinear').detach()",
            "an arg-max has no gradient anyway",
        ),
        (
            "ids = large.argmax(1)[0].numpy().astype(np.uint8)  # (512, 512)",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
    ],
}
