"""What to try on the checks of lesson 13."""

from __future__ import annotations


def _edit(code: str, *changes: tuple[str, str]) -> str:
    """The code with a mistake (or another way) in it."""
    for old, new in changes:
        assert old in code, old
        code = code.replace(old, new)
    return code


_LID = """
def lid(points, start, end, x):
    c, r = (start + end) / 2, (end - start) / 2
    s = np.hypot(*r)
    A = np.array([[r[0], r[1]], [-r[1], r[0]]]) / s
    u, v = ((points - c) @ A.T / s).T
    b = 1 - u**2
    h = (b @ v) / (b @ b)
    return np.stack([x, h * (1 - x**2)], axis=1) @ A * s + c
"""
_H, _BACK = "h = (b @ v) / (b @ b)", "np.stack([x, h * (1 - x**2)], axis=1) @ A * s + c"

_FUSE = """
def fuse(regions, parts):
    found = np.zeros(regions.shape, np.uint8)
    found[regions == 1] = 1
    for label, mask in parts:
        found[mask] = label
    found[regions == 3] = 1
    found[regions == 2] = 10
    found[regions == 0] = 0
    return found
"""
_PARTS = "    for label, mask in parts:\n        found[mask] = label\n"
_GLASSES, _HAIR, _OUT = (
    "    found[regions == 3] = 1\n", "    found[regions == 2] = 10\n", "    found[regions == 0] = 0\n",
)  # fmt: skip

_NME = """
def nme(found, truth, by="box"):
    known = np.isfinite(truth).all(axis=1)
    distance = np.linalg.norm(found[known] - truth[known], axis=1)
    if by == "eyes":
        d = np.linalg.norm(truth[66] - truth[79])
    else:
        w, h = np.ptp(truth[known], axis=0)
        d = np.sqrt(w * h)
    return float(distance.mean() / d)
"""
_END = "float(distance.mean() / d)"

_ASK = """
def ask_first(guesses, count):
    away = guesses - guesses.mean(axis=0)
    spread = np.sqrt((away**2).sum(axis=2).mean(axis=0))
    return np.argsort(-spread)[:count]
"""
_SPREAD, _FIRST = "np.sqrt((away**2).sum(axis=2).mean(axis=0))", "np.argsort(-spread)[:count]"

_HANDS = """
def two_hands(one, two):
    apart = one - two
    mean = apart.mean(axis=0)
    habit = np.linalg.norm(mean, axis=-1)
    left = ((apart - mean) ** 2).sum(axis=-1)
    chance = np.sqrt(left.sum(axis=0) / (len(apart) - 1) / 2)
    return habit, chance
"""
_HABIT, _CHANCE = (
    "np.linalg.norm(mean, axis=-1)", "np.sqrt(left.sum(axis=0) / (len(apart) - 1) / 2)",
)  # fmt: skip

WRONG = {
    "fit-lid": [
        (_edit(_LID, (_H, "h = (v / b).mean()")), "no least squares"),
        (_edit(_LID, (_H, "h = v[np.abs(v).argmax()]")), "not the furthest point"),
        (_edit(_LID, (_H, "h = v.mean()")), "not the mean of v"),
        (_edit(_LID, (_H, "h = (b @ v) / b.sum()")), "b is squared below the line"),
        (_edit(_LID, (_H, "h = v.sum() / b.sum()")), "a quotient of plain sums"),
        (_edit(_LID, (_H, "h = (b @ v) / len(v)")), "not by the number of points"),
        (_edit(_LID, (_H, "h = abs(b @ v) / (b @ b)")), "h may be below 0"),
        (_edit(_LID, (_H, "h = (b @ b) / (b @ v)")), "stands on its head"),
        (_edit(_LID, (_H, "h = v[len(v) // 2]")), "not the middle one alone"),
        (_edit(_LID, ("@ A.T", "@ A")), "turn the wrong way"),
        (_edit(_LID, ("axis=1) @ A ", "axis=1) @ A.T ")), "inverse of a turn"),
        (_edit(_LID, ("@ A.T / s", "/ s"), ("axis=1) @ A ", "axis=1) ")), "nothing is turned"),
        (_edit(_LID, ("@ A.T / s", "@ A.T")), "points are not scaled"),
        (_edit(_LID, ("@ A * s + c", "@ A + c")), "not scaled back"),
        (_edit(_LID, ("np.hypot(*r)", "np.hypot(*(end - start))"), ("]]) / s", "]]) / np.hypot(*r)")),
         "*half* the distance"),
        (_edit(_LID, ("c, r = (start + end) / 2,", "c, r = start,")), "not at one of them"),
        (_edit(_LID, ("c, r = (start + end) / 2,", "c, r = points.mean(axis=0),")), "mean of the points"),
        (_edit(_LID, ("* s + c", "* s")), "not added again"),
        (_edit(_LID, (_BACK, "np.stack([x, h * (1 - x**2)], axis=1)")), "curve in the pose"),
        (_edit(_LID, ("np.stack([x, h * (1 - x**2)], axis=1)", "np.stack([h * (1 - x**2), x], axis=1)")),
         "expected: "),
        (_edit(_LID, ("b = 1 - u**2", "b = np.sqrt(1 - u**2)"), ("(1 - x**2)", "np.sqrt(1 - x**2)")),
         "half an ellipse"),
        (_edit(_LID, ("b = 1 - u**2", "b = 1 - abs(u)"), ("(1 - x**2)", "(1 - abs(x))")), "a roof"),
        ("""
def lid(points, start, end, x):
    fit = np.polyfit(points[:, 0], points[:, 1], 2)
    places = (start + end)[0] / 2 + x * (end - start)[0] / 2
    return np.stack([places, np.polyval(fit, places)], axis=1)
""", "align first"),
        (_edit(_LID, (_H, "h = np.polyfit(u, v, 2)"), ("h * (1 - x**2)", "np.polyval(h, x)")),
         "misses the corners"),
        (_edit(_LID, (_BACK, f"np.rint({_BACK})")), "round nothing"),
        (_edit(_LID, (_BACK, f"({_BACK})[:, 1]")), "not y alone"),
        (_edit(_LID, ("b = 1 - u**2", "b = (1 - u) ** 2")), "(1 - u)² is not"),
        (_edit(_LID, ("(1 - x**2)", "(1 - x) ** 2")), "(1 - x)² is not"),
        (_edit(_LID, ("b = 1 - u**2", "b = 1 - u")), "not 1 - u"),
        (_edit(_LID, (_H, "h = (u @ v) / (u @ u)")), "not by u"),
        (_edit(_LID, (_H, "h = np.linalg.norm(v) / np.linalg.norm(b)")), "not lengths"),
        (_edit(_LID, ("[-r[1], r[0]]", "[r[1], r[0]]")), "A has the rows"),
        (_edit(_LID, ("(points - c)", "(points - start)")), "*middle* of the corners"),
        (_edit(_LID, ("h * (1 - x**2)", "h * x**2")), "the curve is 1 - x²"),
        (_edit(_LID, ("h * (1 - x**2)", "1 - h * x**2")), "the whole bracket"),
        (_edit(_LID, (_H, "h = np.polyfit(b, v, 1)[0]")), "h alone"),
        (_edit(_LID, (_H, "h = -np.polyfit(u, v, 2)[0]")), "a free parabola's"),
        (_edit(_LID, (_H, "h = (b @ v) / np.sqrt(b @ b)")), "no root"),
        (_edit(_LID, ("u, v = (", "v, u = (")), "u and v have changed places"),
        (_edit(_LID, ("(end - start) / 2\n", "(start - end) / 2\n")), "start and end have changed places"),
        (_edit(_LID, ("np.hypot(*r)", "r[0]")), "s is the length"),
        (_edit(_LID, (").T\n", ")\n")), "takes rows"),
        (_edit(_LID, ("* s + c", "/ s + c")), "farther apart (s)"),
        (_edit(_LID, ("* s + c", "* s - c")), "anywhere else (c)"),
        (_edit(_LID, ("c, r = (start + end) / 2,", "c, r = (end - start) / 2,")), "expected: x itself"),
        ("""
def lid(points, start, end, x):
    return start + (end - start) * (x[:, None] + 1) / 2
""", "straight line between the corners"),
        (_edit(_LID, ("@ A.T", "@ A[0]")), "takes rows"),
        (_edit(_LID, ("np.hypot(*r)", "np.abs(r).sum()")), "s is the length"),
        (_edit(_LID, ("np.hypot(*r)", "r @ r")), "s is the length"),
        (_edit(_LID, (_H, "h = np.polyval(np.polyfit(u, v, 2), 0)")), "a free parabola's"),
        (_edit(_LID, (_BACK, f"({_BACK}).astype(int)")), "round nothing"),
        (_edit(_LID, ("b = 1 - u**2", "b = 1 - points[:, 0]**2")), "not of x in the picture"),
        (_edit(_LID, ("]]) / s", "]])")), "farther apart (s)"),
        (_edit(_LID, ("(points - c) @ A.T / s", "(points @ A.T / s - c)")), "turned (A) and anywhere else (c)"),
        (_edit(_LID, ("b = 1 - u**2", "b = 1 - u*2")), "the points' v count"),
        (_edit(_LID, ("(1 - x**2)", "(1 - x*2)")), "is no h (1 - x²)"),
        (_edit(_LID, ("b = 1 - u**2", "b = 1 - v**2")), "is no sum of the v"),
        (_edit(_LID, (_H, "h, g = np.linalg.lstsq(np.stack([b, u], 1), v, rcond=None)[0]"),
               ("h * (1 - x**2)", "h * (1 - x**2) + g * x")), "two numbers are fitted"),
    ],
    "fuse": [
        (_edit(_FUSE, (_PARTS, ""), (_OUT, _OUT + _PARTS)), "parts come last here"),
        (_edit(_FUSE, (_HAIR, ""), (_PARTS, _HAIR + _PARTS)), "lie over the hair"),
        (_edit(_FUSE, (_GLASSES, "")), "glasses lie over the parts"),
        (_edit(_FUSE, (_GLASSES, ""), (_PARTS, _GLASSES + _PARTS)), "glasses lie over the parts"),
        (_edit(_FUSE, (_GLASSES, "    found[regions == 3] = 0\n")), "behind glasses is the face"),
        (_edit(_FUSE, (_GLASSES, "    found[regions == 3] = 3\n")), "3 is the region's id"),
        (_edit(_FUSE, (_OUT, "")), "sticks out of the head"),
        (_edit(_FUSE, (_HAIR, "    found[regions == 2] = 2\n")), "2 is the region's id"),
        (_edit(_FUSE, (_HAIR, "    found[regions == 2] = 17\n")), "17 is CelebAMask-HQ's"),
        (_edit(_FUSE, (_HAIR, "")), "hair is not painted"),
        (_edit(_FUSE, ("    found[regions == 1] = 1\n", "")), "the skin is not painted"),
        (_edit(_FUSE, ("    found[regions == 1] = 1\n", ""), (_PARTS, _PARTS + "    found[regions == 1] = 1\n")),
         "parts have the skin's id"),
        (_edit(_FUSE, ("in parts", "in parts[::-1]")), "wrong order"),
        (_edit(_FUSE, ("in parts", "in reversed(parts)")), "wrong order"),
        (_edit(_FUSE, ("for label, mask in parts", "for label, (_, mask) in enumerate(parts, 1)")),
         "not their place in it"),
        (_edit(_FUSE, ("found[mask] = label", "found[mask] = 1")), "parts have the skin's id"),
        (_edit(_FUSE, ("found[mask] = label", "found[~mask] = label")), "inverted"),
        (_edit(_FUSE, ("found[mask] = label", "found[mask] += label")), "expected: "),
        (_edit(_FUSE, (_OUT, "    found[regions == 0] = 255\n")), "not 255"),
        (_edit(_FUSE, ("np.uint8", "np.int64")), "uint8"),
        (_edit(_FUSE, ("found = np.zeros(regions.shape, np.uint8)", "found = regions")), "changes its argument"),
        (_edit(_FUSE, (_PARTS, "    for label, mask in parts:\n        found[mask & (found == 1)] = label\n")),
         "wrong order"),
        (_edit(_FUSE, (_PARTS, "    label, mask = parts[-1]\n    found[mask] = label\n")), "the last part"),
        (_edit(_FUSE, ("for label, mask in parts", "for mask, label in parts")), "each of `parts` is a pair"),
        (_edit(_FUSE, ("[regions == 2] = 10", "[(regions == 2) & (found == 0)] = 10")), "lie over the hair"),
        (_edit(_FUSE, ("[regions == 3] = 1", "[(regions == 3) & (found == 0)] = 1")), "glasses lie over"),
        (_edit(_FUSE, (_OUT, "    found[found == 0] = 0\n")), "sticks out of the head"),
        (_edit(_FUSE, ("found[mask] = label", "found += label * mask")), "add nothing"),
        (_edit(_FUSE, ("found[mask] = label", "found = np.where(mask, label, 0)")), "skin (region 1) gets 0"),
        (_edit(_FUSE, ("found[mask] = label", "found = np.maximum(found, label * mask)")), "the later one"),
        (_edit(_FUSE, ("in parts", "in sorted(parts, key=lambda p: p[0])")), "the later one"),
        (_edit(_FUSE, (_HAIR, "    found[regions == 2] = 9\n")), "gets 9, expected: 10"),
        (_edit(_FUSE, (_GLASSES, "    found[regions == 3] = 255\n")), "gets 255, expected: 1"),
        (_edit(_FUSE, ("np.uint8", "float")), "uint8"),
        (_edit(_FUSE, ("    return found\n", "")), "does every way through it end in a `return`"),
        ("""
def fuse(regions, parts):
    found = regions.copy()
    for label, mask in parts:
        found[mask] = label
    found[found == 3] = 1
    found[found == 2] = 10
    found[regions == 0] = 0
    return found
""", "2 and 3 are brows"),
        (_edit(_FUSE, ("found[mask]", "found[mask.astype(int)]")), "True or False"),
        (_edit(_FUSE, ("in parts", "in parts[1:]")), "parts but the first"),
        (_edit(_FUSE, (_PARTS, _PARTS + "        return found\n")), "does a `return` stand in the loop"),
        (_edit(_FUSE, ("= label", "= label - 1")), "the part 6 gets 5"),
        (_edit(_FUSE, ("np.uint8", "bool")), "holds no classes"),
        (_edit(_FUSE, ("found[mask] =", "found[mask and regions == 1] =")), "`&` joins two of them"),
    ],
    "normalised-error": [
        (_edit(_NME, (".all(axis=1)", ".all(axis=0)")), "one entry for each *point*"),
        (_edit(_NME, (_END, "float(distance.sum() / d)")), "this is the sum"),
        (_edit(_NME, (_END, "float(distance.sum() / len(truth) / d)")), "not 106"),
        (_edit(_NME, (_END, "100 * float(distance.mean() / d)")), "not per cent"),
        (_edit(_NME, (_END, "float(distance.mean())")), "divide by d"),
        (_edit(_NME, (_END, "float(np.sqrt((distance**2).mean()) / d)")), "root of a mean of squares"),
        (_edit(_NME, (_END, "float((distance**2).mean() / d)")), "squares of distances"),
        (_edit(_NME, (_END, "float(np.median(distance) / d)")), "median"),
        (_edit(_NME, ("np.linalg.norm(found[known] - truth[known], axis=1)",
                      "np.abs(found[known] - truth[known]).sum(axis=1)")), "round the corner"),
        (_edit(_NME, ("np.linalg.norm(found[known] - truth[known], axis=1)",
                      "np.abs(found[known] - truth[known])")), "mean over coordinates"),
        (_edit(_NME, ("truth[known], axis=1)", "truth[known])")), "one norm over all points"),
        (_edit(_NME, ("truth[known], axis=1)", "truth[known], axis=0)")), "down the points"),
        (_edit(_NME, ("np.sqrt(w * h)", "w * h")), "root of the area"),
        (_edit(_NME, ("np.sqrt(w * h)", "np.hypot(w, h)")), "not its diagonal"),
        (_edit(_NME, ("np.sqrt(w * h)", "max(w, h)")), "not the "),
        (_edit(_NME, ("np.sqrt(w * h)", "w")), "not the width"),
        (_edit(_NME, ("np.sqrt(w * h)", "(w + h) / 2")), "root of the area"),
        (_edit(_NME, ("np.ptp(truth[known]", "np.ptp(found[known]")), "*true* points"),
        (_edit(_NME, ("np.ptp(truth[known], axis=0)", "truth[known].max(axis=0)")), "lower end"),
        (_edit(_NME, ("np.ptp(truth[known], axis=0)", "truth[known].std(axis=0)")), "no deviation"),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[70] - truth[75]")), "not 70 and 75"),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[104] - truth[105]")), "not 104 and 105"),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[67] - truth[80]")), "not 67 and 80"),
        (_edit(_NME, ("truth[66] - truth[79]", "found[66] - found[79]")), "*true* points"),
        (_edit(_NME, ('by == "eyes"', "False")), "`by` has no effect"),
        (_edit(_NME, ("np.isfinite(truth).all(axis=1)", "np.ones(len(truth), bool)")), "spoils all"),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[known][66] - truth[known][79]")), "renumber the others"),
        (_edit(_NME, (_END, "float(distance.mean() / d) ** 0.5")), "root of all"),
        (_edit(_NME, (_END, "round(float(distance.mean() / d), 3)")), "round nothing"),
        (_edit(_NME, (_END, "float(d / distance.mean())")), "d stands below"),
        (_edit(_NME, (_END, "float(distance.min() / d)")), "smallest error"),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[66] - truth[70]")), "not 66 and 70"),
        (_edit(_NME, ("np.sqrt(w * h)", "np.sqrt(w) * h")), "of both"),
        (_edit(_NME, ("np.ptp(truth[known], axis=0)", "np.ptp(truth[33:][known[33:]], axis=0)")), "the jaw, too"),
        (_edit(_NME, (_END, "1 - float(distance.mean() / d)")), "not 1 minus it"),
        (_edit(_NME, (_END, "distance / d")), "a float"),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[36] - truth[45]")), "not 36 and 45"),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[66] + truth[79]"), ("truth[79])", "truth[79]) / 2")), "minus, not plus"),
        (_edit(_NME, ("- truth[79])", "- truth[79]) / 2")), "not half of it"),
        (_edit(_NME, ("np.sqrt(w * h)", "np.sqrt(w + h)")), "not a sum"),
        (_edit(_NME, ("np.ptp(truth[known], axis=0)", "np.ptp(truth, axis=0)")), "spoils all"),
        (_edit(_NME, ("np.ptp(truth[known]", "np.ptp(np.nan_to_num(truth)")), "lower end"),
        (_edit(_NME, ("np.linalg.norm(found[known] - truth[known], axis=1)",
                      "np.linalg.norm(found[known], axis=1) - np.linalg.norm(truth[known], axis=1)")),
         "then take lengths"),
        (_edit(_NME, ("np.linalg.norm(found[known] - truth[known], axis=1)",
                      "np.sqrt(((found[known] - truth[known]) ** 2).mean(axis=1))")), "not averaged"),
        (_edit(_NME, ('by="box"', 'by="eyes"')), 'without `by` it is "box"'),
        (_edit(_NME, ("truth[66] - truth[79]", "truth[66:74].mean(axis=0) - truth[75:83].mean(axis=0)")),
         "not the middles of the eyes"),
        (_edit(_NME, ("np.ptp(truth[known], axis=0)", "np.ptp(truth[:33][known[:33]], axis=0)")), "of the jaw alone"),
        (_edit(_NME, ("np.ptp(truth[known], axis=0)", "np.ptp(truth[known], axis=1)")), "two ranges"),
        (_edit(_NME, ("    known =", "    truth = np.nan_to_num(truth)\n    known =")), "none at (0, 0)"),
        (_edit(_NME, (_END, "float(distance.sum() / (len(distance) - 1) / d)")), "no minus 1"),
        (_edit(_NME, ("np.isfinite(truth).all(axis=1)", "np.isfinite(truth)")), "for each *point*"),
        (_edit(_NME, ("np.isfinite(truth)", "np.isnan(truth)")), "no point is left"),
        (_edit(_NME, ("np.sqrt(w * h)", "np.linalg.norm(truth[32] - truth[0])")), "hangs on points 0 and 32"),
        (_edit(_NME, (_END, "float(np.sort(distance)[5:-5].mean() / d)")), "d is right"),
        (_edit(_NME, ("    known =", "    truth = np.where(np.isnan(truth), found, truth)\n    known =")), "leave points with NaN out"),
    ],
    "ask-first": [
        (_edit(_ASK, ("mean(axis=0)\n", "mean(axis=1, keepdims=True)\n")), "the mean over the points"),
        (_edit(_ASK, (_FIRST, "np.argsort(spread)[:count]")), "the surest points"),
        (_edit(_ASK, (_FIRST, "np.argsort(spread)[-count:]")), ""),
        (_edit(_ASK, (_FIRST, "np.argsort(-spread)")), "the first `count`"),
        (_edit(_ASK, (_FIRST, "np.sort(-spread)[:count]")), "expected: "),
        (_edit(_ASK, (_FIRST, "spread[np.argsort(-spread)[:count]]")), "these are the spreads"),
        (_edit(_ASK, (_FIRST, "np.sort(np.argsort(-spread)[:count])")), "by number"),
        (_edit(_ASK, (_FIRST, "np.argsort(np.argsort(-spread))[:count]")), "ranks"),
        (_edit(_ASK, (_SPREAD, "away[..., 0].std(axis=0)")), "x alone"),
        (_edit(_ASK, (_SPREAD, "away[..., 1].std(axis=0)")), "y alone"),
        (_edit(_ASK, (_SPREAD, "guesses.std(axis=0).sum(axis=1)")), "add the squares of both sides"),
        (_edit(_ASK, (_SPREAD, "guesses.std(axis=0).max(axis=1)")), "not the larger one"),
        (_edit(_ASK, (_SPREAD, "guesses.var(axis=0).prod(axis=1)")), "not multiplied"),
        (_edit(_ASK, (_SPREAD, "np.linalg.norm(away, axis=2).mean(axis=0)")), "a far guess counts more"),
        (_edit(_ASK, (_SPREAD, "np.linalg.norm(away, axis=2).max(axis=0)")), "not the furthest alone"),
        (_edit(_ASK, (_SPREAD, "np.linalg.norm(np.ptp(guesses, axis=0), axis=1)")), "not the range"),
        (_edit(_ASK, ("guesses.mean(axis=0)", "guesses[0]")), "first member"),
        (_edit(_ASK, ("guesses.mean(axis=0)", "guesses.mean(axis=(0, 1))")), "mean over all points"),
        (_edit(_ASK, ("guesses - guesses.mean(axis=0)", "guesses")), "subtract the committee's mean"),
        (_edit(_ASK, (_SPREAD, "np.linalg.norm(guesses, axis=2).std(axis=0)")), "picture's corner"),
        (_edit(_ASK, (_SPREAD, "guesses.std(axis=(1, 2))")), ""),
        (_edit(_ASK, ("guesses.mean(axis=0)", "guesses.mean(axis=1)")), "over the members is `axis=0`"),
        (_edit(_ASK, (_FIRST, "spread >= np.sort(spread)[-count]")), "yes or no for each point"),
        (_edit(_ASK, ("guesses.mean(axis=0)", "guesses.mean()")), "mean of all numbers"),
        (_edit(_ASK, ("guesses.mean(axis=0)", "np.median(guesses, axis=0)")), "to the median"),
        (_edit(_ASK, ("(away**2)", "np.abs(away)")), "no absolute values"),
        (_edit(_ASK, (_FIRST, "-np.argsort(spread)[:count]")), "the minus belongs"),
        (_edit(_ASK, (_FIRST, "np.argsort(spread[::-1])[:count]")), "turned round"),
        (_edit(_ASK, (_FIRST, "np.argpartition(-spread, count - 1)[:count]")), "in order"),
        (_edit(_ASK, (_FIRST, "np.argsort(-spread)[1 : count + 1]")), "left out"),
        (_edit(_ASK, ("guesses - guesses.mean(axis=0)", "guesses - guesses[-1]")), "one member"),
        (_edit(_ASK, (_SPREAD, "np.ptp(guesses, axis=0).sum(axis=1)")), "not the range"),
        (_edit(_ASK, (_FIRST, "np.argsort(-spread)[:5]")), "so many numbers of points"),
        (_edit(_ASK, (_FIRST, "np.flatnonzero(spread > spread.mean())[:count]")), "sort them"),
        (_edit(_ASK, (_FIRST, "set(np.argsort(-spread)[:count])")), "in their order"),
        (_edit(_ASK, ("guesses - guesses.mean(axis=0)", "np.diff(guesses, axis=0)")), "with the next one"),
        (_edit(_ASK, (_FIRST, "int(np.argmax(spread))")), "expected: "),
        (_edit(_ASK, (_SPREAD, "guesses.std(axis=(0, 2))")), "a mean each"),
        (_edit(_ASK, (_SPREAD, "np.linalg.norm(guesses.var(axis=0), axis=1)")), "variances are added"),
        (_edit(_ASK, (_FIRST, "np.argsort(spread)[-count::-1]")), "then cut"),
        (_edit(_ASK, (_FIRST, "np.argsort(spread)[::-1][-count:]")), "the surest points"),
        (_edit(_ASK, (_SPREAD, "np.linalg.norm(guesses[0] - guesses[-1], axis=1)")), "two members alone"),
        (_edit(_ASK, (_SPREAD, "np.sqrt((away**2 * [2, 1]).sum(axis=2).mean(axis=0))")), "y counts as x does"),
        (_edit(_ASK, (_SPREAD, "guesses.sum(axis=2).var(axis=0)")), "square x and y, then add"),
        (_edit(_ASK, ("away**2", "np.abs(away)**3")), "no higher power"),
        (_edit(_ASK, (_FIRST, "np.array([np.argmax(spread)] * count)")), "asked for twice"),
    ],
    "two-hands": [
        (_edit(_HANDS, (_HABIT, "np.linalg.norm(apart, axis=-1).mean(axis=0)")), "lengths never cancel"),
        (_edit(_HANDS, (_HABIT, "np.linalg.norm(np.abs(apart).mean(axis=0), axis=-1)")), "no absolute values"),
        (_edit(_HANDS, (_HABIT, "mean")), "a number for each point"),
        (_edit(_HANDS, (_HABIT, "np.linalg.norm(mean)")), "one for each point"),
        (_edit(_HANDS, (_HABIT, "np.linalg.norm(mean, axis=-1) / 2")), "only the *difference*"),
        (_edit(_HANDS, (_HABIT, "(mean**2).sum(axis=-1)")), "the square: take the root"),
        (_edit(_HANDS, (_HABIT, "np.abs(mean).sum(axis=-1)")), "straight length"),
        (_edit(_HANDS, (_HABIT, "np.linalg.norm(mean, axis=0)")), "one for x and one for y"),
        (_edit(_HANDS, (_HABIT, "np.sqrt((apart**2).sum(axis=-1).mean(axis=0))")), "has chance in it"),
        (_edit(_HANDS, (_HABIT, "np.abs(mean[:, 0])")), "x alone"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(left.sum(axis=0) / (len(apart) - 1))")), "of a difference"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(left.sum(axis=0) / (len(apart) - 1)) / 2")), "then take the root"),
        (_edit(_HANDS, (_CHANCE, "left.sum(axis=0) / (len(apart) - 1) / 2")), "take the root"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(left.mean(axis=0) / 2)")), "divide by F - 1"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(left.sum(axis=0) / 2)")), "divide by F - 1"),
        (_edit(_HANDS, ("(apart - mean) ** 2", "apart ** 2")), "habit is still in it"),
        (_edit(_HANDS, (_CHANCE, "np.linalg.norm(apart, axis=-1).std(axis=0, ddof=1) / np.sqrt(2)")),
         "deviation of lengths"),
        (_edit(_HANDS, (_CHANCE, "apart.std(axis=0, ddof=1).sum(axis=-1) / np.sqrt(2)")), "add the *squares*"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(apart.var(axis=0, ddof=1).mean(axis=-1) / 2)")), "not averaged"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(one.var(axis=0, ddof=1).sum(axis=-1))")), "one hand alone"),
        (_edit(_HANDS, ("return habit, chance", "return chance, habit")), "changed places"),
        (_edit(_HANDS, ("return habit, chance", "return habit")), "habit, chance"),
        (_edit(_HANDS, ("mean = apart.mean(axis=0)", "mean = apart.mean(axis=1, keepdims=True)[:, 0]")),
         "`axis=0`"),
        (_edit(_HANDS, ("apart = one - two", "apart = np.abs(one - two)")), "no absolute values"),
        (_edit(_HANDS, (_HABIT, "np.linalg.norm(apart, axis=-1).max(axis=0)")), "the largest difference"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(left).mean(axis=0)")), "a mean of distances"),
        (_edit(_HANDS, (_CHANCE, "left.std(axis=0)")), "how the squares vary"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(two.var(axis=0, ddof=1).sum(axis=-1))")), "one hand alone"),
        (_edit(_HANDS, ("mean = apart.mean(axis=0)", "mean = np.median(apart, axis=0)")), "not the median"),
        (_edit(_HANDS, ("mean = apart.mean(axis=0)", "mean = apart.sum(axis=0)")), "sum over the faces"),
        (_edit(_HANDS, ("(len(apart) - 1)", "apart.shape[1]")), "not the points"),
        (_edit(_HANDS, ("(len(apart) - 1)", "(len(apart) + 1)")), "not plus"),
        (_edit(_HANDS, ("(len(apart) - 1) / 2", "(2 * len(apart) - 1)")), "brackets"),
        (_edit(_HANDS, ("((apart - mean) ** 2)", "np.abs(apart - mean)")), "no absolute values"),
        (_edit(_HANDS, ("left.sum(axis=0)", "np.sqrt(left).sum(axis=0)")), "the root comes last"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt((one.var(axis=0, ddof=1) + two.var(axis=0, ddof=1)).sum(axis=-1) / 2)")),
         "variance of the *difference*"),
        (_edit(_HANDS, (_HABIT, "np.abs(np.linalg.norm(one, axis=-1).mean(0) - np.linalg.norm(two, axis=-1).mean(0))")),
         "then take lengths"),
        (_edit(_HANDS, ("return habit, chance", "return habit, 3 * chance")), "squares is divided by"),
        (_edit(_HANDS, ("apart = one - two", "apart = one")), "`two` has no effect"),
        (_edit(_HANDS, ("apart = one - two", "apart = (one - two) / np.sqrt(np.ptp(one, axis=1).prod(-1))[:, None, None]")),
         "shares of the box already"),
        (_edit(_HANDS, ("return habit, chance", "return np.sqrt(np.maximum(habit**2 - 2 * chance**2 / len(one), 0)), chance")),
         "take no chance out of it"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(np.concatenate([one, two]).var(axis=0, ddof=1).sum(-1))")), "in one heap"),
        (_edit(_HANDS, ("return habit, chance", "return habit, chance / np.sqrt(len(one))")), "no √F"),
        (_edit(_HANDS, (_CHANCE, "np.sqrt(apart.var(axis=0, ddof=2).sum(axis=-1) / 2)")), "is divided by 8; expected"),
        (_edit(_HANDS, ("return habit, chance", "return habit, chance - habit")), "what varies"),
        (_edit(_HANDS, (_HABIT, "mean[:, 0] - mean[:, 1]")), "what stays"),
    ],
}  # fmt: skip

RIGHT = {
    "fit-lid": [
        _LID,
        """
def lid(points, start, end, x):
    p, q = complex(*start), complex(*end)
    c, r = (p + q) / 2, (q - p) / 2
    z = (points[:, 0] + 1j * points[:, 1] - c) / r
    b = 1 - z.real**2
    h = np.sum(b * z.imag) / np.sum(b**2)
    back = (x + 1j * h * (1 - x**2)) * r + c
    return np.stack([back.real, back.imag], axis=-1)
""",
        """
def lid(points, start, end, x):
    across = (end - start) / 2
    up = np.array([-across[1], across[0]])
    middle = start + across
    square = across @ across
    u, v = (points - middle) @ across / square, (points - middle) @ up / square
    h = np.linalg.lstsq((1 - u**2)[:, None], v, rcond=None)[0][0]
    return middle + np.outer(x, across) + np.outer(h * (1 - np.square(x)), up)
""",
        """
def lid(points, start, end, x):
    c, r = (start + end) / 2, (end - start) / 2
    pose = np.array([[r[0], r[1]], [-r[1], r[0]]])
    aligned = np.linalg.solve(pose.T, (points - c).T).T
    top = bottom = 0.0
    for u, v in aligned:
        top += (1 - u * u) * v
        bottom += (1 - u * u) ** 2
    return np.array([[a, top / bottom * (1 - a * a)] for a in x]) @ pose + c
""",
    ],
    "fuse": [
        _FUSE,
        """
def fuse(regions, parts):
    found = (regions == 1).astype(np.uint8)
    for label, mask in parts:
        found = np.where(mask & (regions == 1), label, found).astype(np.uint8)
    found[regions == 2] = 10
    found[regions == 3] = 1
    return found
""",
        """
def fuse(regions, parts):
    table = np.array([0, 1, 10, 1], np.uint8)
    found = table[regions]
    for label, mask in parts:
        found[mask & (regions == 1)] = label
    return found
""",
        """
def fuse(regions, parts):
    found = np.ones_like(regions)
    for label, mask in parts:
        found[mask] = label
    return np.select([regions == 0, regions == 2, regions == 3], np.uint8([0, 10, 1]), found)
""",
    ],
    "normalised-error": [
        _NME,
        """
def nme(found, truth, by="box"):
    d = np.hypot(*(truth[66] - truth[79]))
    if by == "box":
        d = np.prod(np.nanmax(truth, axis=0) - np.nanmin(truth, axis=0)) ** 0.5
    return np.nanmean(np.hypot(*(found - truth).T)) / d
""",
        """
def nme(found, truth, by="box"):
    total, count = 0.0, 0
    for a, b in zip(found, truth):
        if not np.isnan(b).any():
            total += ((a - b) ** 2).sum() ** 0.5
            count += 1
    rows = truth[~np.isnan(truth[:, 0])]
    box = np.sqrt((rows[:, 0].max() - rows[:, 0].min()) * (rows[:, 1].max() - rows[:, 1].min()))
    return total / count / {"box": box, "eyes": np.linalg.norm(truth[79] - truth[66])}[by]
""",
    ],
    "ask-first": [
        _ASK,
        """
def ask_first(guesses, count):
    return np.argsort(guesses.var(axis=0).sum(axis=-1))[::-1][:count]
""",
        """
def ask_first(guesses, count):
    spread = [sum(np.sum((g[k] - guesses[:, k].mean(axis=0)) ** 2) for g in guesses)
              for k in range(guesses.shape[1])]
    return sorted(range(len(spread)), key=lambda k: -spread[k])[:count]
""",
        """
def ask_first(guesses, count):
    spread = torch.from_numpy(guesses).var(dim=0, correction=0).sum(-1)
    return spread.topk(count).indices.numpy()
""",
    ],
    "two-hands": [
        _HANDS,
        """
def two_hands(one, two):
    apart = one - two
    return np.hypot(*apart.mean(axis=0).T), np.sqrt(apart.var(axis=0, ddof=1).sum(axis=-1) / 2)
""",
        """
def two_hands(one, two):
    habit, chance = [], []
    for k in range(one.shape[1]):
        d = one[:, k] - two[:, k]
        habit.append(np.sqrt((d.mean(axis=0) ** 2).sum()))
        chance.append(np.sqrt(np.trace(np.cov(d.T)) / 2))
    return np.array(habit), np.array(chance)
""",
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
_ORDER = "this and the next in the other order"
_SPREADS = "spread = np.sqrt((away**2).sum(axis=2).mean(axis=0))  # (K,)"
_MONOTONE = "the order of the spreads stays"

EQUIVALENT = {
    "fit-lid": [
        ("A = np.array([[r[0], r[1]], [-r[1], r[0]]]) / s", "np.array([[r[0], r[1]], [-r[1], r[0]]]) → [[r[0], r[1]], [-r[1], r[0]]]", "s is an array's number: a list is divided by it, too"),
    ],
    "fuse": [
        ("found = np.zeros(regions.shape, np.uint8)", "np.zeros(regions.shape, → np.ones(regions.shape,", "each pixel is painted over"),
        ("found[regions == 3] = 1", _ORDER, "no pixel is in two regions"),
        ("found[regions == 2] = 10", _ORDER, "no pixel is in two regions"),
    ],
    "normalised-error": [
        ("return float(distance.mean() / d)", "float(distance.mean() / d) → distance.mean() / d", "an array's number is a float"),
    ],
    "ask-first": [
        (_SPREADS, "np.sqrt((away ** 2).sum(axis=2).mean(axis=0)) → (away ** 2).sum(axis=2).mean(axis=0)", _MONOTONE),
        (_SPREADS, "2).sum(axis=2).mean(axis=0)) → 2).sum(axis=2).sum(axis=0))", _MONOTONE),
        (_SPREADS, "2).sum(axis=2).mean(axis=0)) → 2).mean(axis=2).mean(axis=0))", _MONOTONE),
    ],
    "two-hands": [
        ("habit = np.linalg.norm(mean, axis=-1)", _ORDER, "neither line needs what the other does"),
        ("habit = np.linalg.norm(mean, axis=-1)", "axis=-1) → axis=1)", "the mean has two axes"),
    ],
}  # fmt: skip
