"""What to try on the checks of lesson 15."""

from __future__ import annotations

_WARM = """
def warm_cosine(step, steps, highest, warmup):
    rise = {0}
    if step < rise:
        return {1}
    return {2}
"""
_RISE, _UP = "warmup * steps", "highest * (step + 1) / (rise + 1)"
_DOWN = "highest / 2 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))"


def _warm(rise: str = _RISE, up: str = _UP, down: str = _DOWN) -> str:
    """The schedule, with another rise, line or cosine."""
    return _WARM.format(rise, up, down)


_FOUR = """
def effects(neither, a, b, both):
    neither, a, b, both = np.array([neither, a, b, both])
    return {0}
"""
_ALL = ("a - neither", "b - neither", "both - b", "both - b - a + neither")


def _rows(*rows: str) -> str:
    """The four effects, with another row in some places; "" stands for the right one."""
    made = [row or right for row, right in zip(rows, _ALL, strict=True)]
    return _FOUR.format(f"np.stack([{', '.join(made)}])")


_CAUSE = """
def only(style, amount, fields):
    {0}


def all_but(style, amount, fields):
    {1}
"""
_ONLY = (
    "harder = style.shifted(amount); "
    "return replace(style, **{name: getattr(harder, name) for name in fields})"
)
_BUT = "return replace(style.shifted(amount), **{name: getattr(style, name) for name in fields})"
_LOOP = "for name in fields:\n        {0} = replace({1}, **{{name: getattr({2}, name)}})\n    return new"

WRONG = {
    "warm-cosine": [
        (_warm(down=_DOWN.replace("(step - rise) / (steps - rise)","(step - rise) / steps - rise")), 'put T - r in brackets'),
        (_warm(down="highest / 2 * 1 + math.cos(math.pi * (step - rise) / (steps - rise))"), 'put 1 + cos in brackets, and halve all of it'),
        (_warm(down=_DOWN.replace("(step - rise)","(step + 1 - rise)")), 'a step ahead: t - r, without + 1'),
        (_warm(down=_DOWN.replace("highest / 2","0.5")), 'the cosine lacks the factor highest'),
        (_warm(up="(step + 1) / (rise + 1)"), 'the line lacks the factor highest'),
        (_warm(rise="warmup * (steps - 1)"), 'r is a share of T, not of T - 1'),
        (_warm(rise="steps / warmup"), 'r is 66.7 here, expected: warmup · T = 6'),
        (_warm(rise="int(warmup * steps) + 1"), 'r is 7 here, expected: warmup · T = 6'),
        (_warm(rise="warmup * 100"), 'r is 30 here, expected: warmup · T = 6'),
        ("def warm_cosine(step, steps, highest, warmup):\n    rise = warmup * steps\n    return min(1, (step + 1) / (rise + 1)) * highest / 2 * (1 + math.cos(math.pi * step / steps))\n", 'not a product: the cosine begins where the line has ended'),
        (_warm(up="highest * (1 - (step + 1) / (rise + 1))"), 'the line falls: it should rise'),
        (_warm(up="highest * (step + 1) / rise + 1"), 'the line divides by r alone: put r + 1 in brackets'),
        (_warm().replace("step < rise","step > rise"), 'the cases are exchanged: first the line, while t < r'),
        (_warm(up="highest * (step + 1) // (rise + 1)"), 'the line is rounded down: `/`, not `//`'),
        (_warm(up="highest * (step + 1) / (warmup + 1)"), 'the line divides by warmup + 1: divide by r + 1'),
        (_warm(up="highest / 2 * (1 - math.cos(math.pi * (step + 1) / (rise + 1)))"), 'the warm-up is a straight line, no cosine'),
        (_warm(down=_DOWN.replace("math.pi","math.pi / 2")), 'the rate ends at the half: the angle goes to π, not to π/2'),
        (_warm(up="highest"), 'the highest rate at once: it should rise in a line'),
        (_warm(down="highest * math.exp(-(step - rise) / (steps - rise))"), 'expected: the line up to r = 6, then half a cosine to T = 20'),
        (_warm(rise="max(warmup * steps, 1)"), 'r may be below 1, and 0'),
        (_warm(down="highest / 2 * (1 + math.cos(math.pi * (rise - step) / (steps + rise)))"), 'the rate ends above 0: divide by T - r, not by T + r'),
        (_warm(down=_DOWN.replace("(steps - rise)","(steps + rise)")), 'the rate ends above 0: divide by T - r, not by T + r'),
        (_WARM.format(_RISE, "highest * step / rise", _DOWN), "step 0 has the rate 0"),
        (_WARM.format(_RISE, "highest * step / (rise + 1)", _DOWN), "step 0 has the rate 0"),
        (_WARM.format(_RISE, "highest * (step + 1) / rise", _DOWN), "one step too early"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("(step - rise) / (steps - rise)", "step / steps")),
         "counts from the end of the warm-up"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("(steps - rise)", "steps")), "ends above 0"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("(steps - rise)", "(steps - 1 - rise)")),
         "not at T - 1"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("(step - rise)", "step")), "begins at t = r"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("highest / 2", "highest")), "halve the bracket"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("highest / 2 * (1 + ", "highest * (")),
         "falls below 0"),
        (_WARM.format(_RISE, _UP, "highest * math.cos(math.pi / 2 * (step - rise) / (steps - rise))"),
         "a quarter of a wave"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("math.pi", "2 * math.pi")), "not 2π"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("1 + math", "1 - math")), "not 1 - cos"),
        (_WARM.format(_RISE, _UP, "highest * (1 - (step - rise) / (steps - rise))"),
         "a straight line here"),
        (_WARM.format(_RISE, _UP, "highest"), "the rate stays"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("math.pi", "180")), "radians"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("math.cos", "math.sin")), "this is a sine"),
        (_WARM.format("0", _UP, _DOWN), "the warm-up has no effect"),
        (_WARM.format("warmup", _UP, _DOWN), "is a share of all steps"),
        (_WARM.format(_RISE, _UP, _DOWN).replace("highest", "1.0").replace("steps, 1.0", "steps, "
         "highest"), "highest has no effect"),
        (_WARM.format(_RISE, _UP, _DOWN).replace("    rise", "    step = steps - 1 - step\n    rise",
                                                 1), "runs backwards"),
        (_WARM.format("int(warmup * steps)", _UP, _DOWN), "keep its fraction"),
        (_WARM.format("warmup * steps // 1", _UP, _DOWN), "keep its fraction"),
        (_WARM.format("round(warmup * steps)", _UP, _DOWN), "keep its fraction"),
        (_WARM.format("math.ceil(warmup * steps)", _UP, _DOWN), "keep its fraction"),
        (_WARM.format("max(1, warmup * steps)", _UP, _DOWN), "r may be below 1"),
        (_WARM.format("0.3 * steps", _UP, _DOWN), "0.3 is written in"),
        (_WARM.format(_RISE, _UP, _DOWN.replace("(steps - rise)", "(20 - rise)")),
         "expected: other rates with 50 steps"),
        (_WARM.format(_RISE, _UP, _DOWN).replace("    return highest / 2", "    highest / 2"),
         "gives None"),
        (_WARM.format(_RISE, _UP, f"torch.tensor({_DOWN})"), "expected: a float"),
        (_WARM.format(_RISE, _UP, f"[{_DOWN}]"), "expected: a float"),
        (_WARM.format(_RISE, _UP.replace("(step + 1)", "step + 1"), _DOWN), "expected: the line up"),
        ("""
def warm_cosine(step, steps, highest, warmup):
    rise = warmup * steps
    line = highest * (step + 1) / rise
    if step < rise:
        return line
    return highest / 2 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))
""", "one step too early"),
        ("""
def warm_cosine(step, steps, highest, warmup):
    rise = warmup * steps
    line = min(1, step / rise + 1 / (rise + 1) - step / rise / (rise + 1))
    if step < rise:
        return highest * line
    return highest / 2 * (1 + math.cos(math.pi * (step - rise) / (steps - rise)))
""", "do not divide by the rise"),
        ("""
def warm_cosine(step, steps, highest, warmup):
    rise = warmup * steps
    rates = [highest * (t + 1) / (rise + 1) for t in range(int(rise))]
    rates += [highest / 2 * (1 + math.cos(math.pi * t / (steps - rise)))
              for t in range(steps - int(rise))]
    return rates[step]
""", "expected: other rates"),
        ("""
def warm_cosine(step, steps, highest, warmup):
    rise = warmup * steps
    t = np.arange(steps)
    return np.where(t < rise, highest * (t + 1) / (rise + 1),
                    highest / 2 * (1 + np.cos(np.pi * (t - rise) / (steps - rise))))
""", "expected: a float"),
    ],
    "two-by-two": [
        (_rows("abs(a - neither)", "", "", ""), "a change may do harm"),
        (_rows("", "", "", "both - (b - neither)"), "not sab + s0 - sb"),
        (_FOUR.format("np.stack([a - neither, b - neither, both - b - a + neither, both - b])"), 'the last two rows are exchanged'),
        (_rows("","","both - b - neither",""), 's0 has no place in the third row: both minus b'),
        (_FOUR.format("abs(np.stack([a - neither, b - neither, both - b, both - b - a + neither]))"), 'the interaction may be below 0: keep the sign'),
        (_rows("a - neither.mean()","","",""), 'subtract within each seed, not a mean over the seeds'),
        (_rows("","","","both - np.maximum(a, b)"), 'not with the better'),
        ("def effects(neither, a, b, both):\n    neither, a, b, both = np.array([neither, a, b, both])\n    return {'a': a - neither, 'b': b - neither, 'ab': both - b, 'i': both - b - a + neither}\n", 'your answer is a dict, expected: an array'),
        (_rows("a - b","","",""), 'a alone is compared with neither: subtract s0, not b'),
        (_rows("","","","both / a - b / neither"), 'differences, not ratios'),
        ("def effects(neither, a, b, both):\n    neither, a, b, both = np.array([neither, a, b, both], dtype=int)\n    return np.stack([a - neither, b - neither, both - b, both - b - a + neither])\n", 'the scores lost their fractions: no whole numbers'),
        (_rows("100 * (a - neither) / neither","100 * (b - neither) / neither","",""), 'points, not a share of s0: subtract, and divide by nothing'),
        (_FOUR.format("np.stack([a - neither, b - neither, both - b])"), 'here are 3 rows'),
        (_rows("","","","(both - b - a + neither).mean() + 0 * a"), 'subtract within each seed, not a mean over the seeds'),
        (_FOUR.format("np.stack([a - neither, b - neither, both - b, both - b - a + neither]).mean(1, keepdims=True)"), 'a row for each of the four effects, a column for each seed'),
        (_rows("","","((both - b) + (both - a)) / 2",""), 'this is the mean of both orders: a on top of b alone'),
        (_FOUR.format("np.stack([neither, a, b, both])"), 'these are the four scores: each row is a difference of them'),
        (_rows("","","both - neither - b",""), 's0 has no place in the third row: both minus b'),
        (_rows("","","","both - a - b + 2 * neither"), 's0 comes once:'),
        (_rows("","","","(a - neither) - (both - b)"), "the interaction's sign: on top of b minus alone"),
        (_FOUR.format("np.stack([a - neither, b - neither, both - b, both - b - a + neither]).ravel()"), 'laid end to end'),
        ("def effects(neither, a, b, both):\n    return np.array([[y - x for x, y in zip(neither, a)], [y - x for x, y in zip(neither, b)], [y - x for x, y in zip(b, both)], [d - c for c, d in zip(a, both)]])\n", 'this is b on top of a: subtract a gain from it, b alone'),
        (_rows("neither - a", "", "", ""), "a alone: the sign"),
        (_rows("both - b", "", "", ""), "a *alone*"),
        (_rows("a", "b", "", ""), "this is a score"),
        (_rows("b - neither", "a - neither", "", ""), "a and b are swapped"),
        (_rows("", "a - neither", "", ""), "the second row is b alone"),
        (_rows("", "neither - b", "", ""), "b alone: the sign"),
        (_rows("", "both - a", "", ""), "b *alone*"),
        (_rows("", "", "both - a", ""), "b on top of a"),
        (_rows("", "", "both - neither", ""), "what both bring together"),
        (_rows("", "", "b - both", ""), "the sign: it is both minus b"),
        (_rows("", "", "", "a + b - neither - both"), "the interaction's sign"),
        (_rows("", "", "", "both - a - b"), "lacks s0"),
        (_rows("", "", "", "both - neither"), "more than the sum"),
        (_rows("", "", "", "both - (a + b) / 2"), "scores are not gains"),
        (_rows("", "", "", "(both - b - a + neither) / 2"), "half of the interaction"),
        (_rows("", "", "", "abs(both - b - a + neither)"), "keep the sign"),
        (_rows("", "", "", "(a - neither) * (b - neither)"), "it is no product"),
        (_rows("", "", "", "(both - b) - (b - neither)"), "compare with a alone"),
        (_rows("", "", "", "both - a - b - neither"), "comes with a plus"),
        (_rows("", "", "", "both - b"), "a on top of b again"),
        (_rows("(a - neither) / neither", "", "", ""), "points, not a share"),
        (_rows("((a - neither) + (both - b)) / 2", "", "", ""), "the mean of a alone"),
        (_rows("", "(b - neither).mean() + 0 * b", "", ""), "within each seed"),
        (_FOUR.format(f"np.stack([{', '.join(_ALL)}]).mean(1)"), "means over the seeds"),
        (_FOUR.format(f"np.stack([{', '.join(_ALL)}]).T"), "rows and columns"),
        (_rows("", "", "", "").replace("np.stack([", "np.concatenate(["), "laid end to end"),
        (_rows("", "", "", "").replace("np.stack([", "list(["), "expected: an array"),
        (_FOUR.format(f"({', '.join(_ALL)})"), "expected: an array"),
        ("""
def effects(neither, a, b, both):
    return np.stack([a - neither, b - neither, both - b, both - b - a + neither])
""", "make arrays of them"),
        (_rows("", "", "", "").replace("return", "result ="), "gives None"),
        ("""
def effects(neither, a, b, both):
    neither.sort(), a.sort(), b.sort(), both.sort()
    neither, a, b, both = np.array([neither, a, b, both])
    return np.stack([a - neither, b - neither, both - b, both - b - a + neither])
""", "changes its arguments"),
        ("""
def effects(neither, a, b, both):
    neither, a, b, both = np.array([sorted(x) for x in (neither, a, b, both)])
    return np.stack([a - neither, b - neither, both - b, both - b - a + neither])
""", "another row for a alone"),
        ("""
def effects(neither, a, b, both):
    neither, a, b, both = np.array([neither, a, b, both])
    out = np.zeros((4, 3))
    for i in range(3):
        out[:, i] = (a[i] - neither[i], b[i] - neither[i], both[i] - b[i],
                     both[i] - b[i] - a[i] + neither[i])
    return out
""", "index 1 is out of bounds"),
    ],
    "one-cause": [
        (_CAUSE.format(_ONLY.replace("**{", "{"), _BUT), "two stars make named arguments"),
        (_CAUSE.format(_ONLY.replace("shifted(amount)", "shifted()"), _BUT), "and by the amount alone"),
        (_CAUSE.format(_ONLY,"return only(style, -amount, fields)"), 'all_but: start from the shifted style, and put these fields '),
        (_CAUSE.format(_ONLY,"return only(style.shifted(amount), amount, fields)"), 'all_but: shifted twice: take `style.shifted(amount)` once'),
        (_CAUSE.format(_ONLY,"return only(style, 1 - amount, fields)"), 'all_but: start from the shifted style, and put these fields '),
        (_CAUSE.format("harder = style.shifted(amount); return {name: getattr(harder, name) for name in fields}",_BUT), 'only is a dict, expected: a Style'),
        (_CAUSE.format("harder = style.shifted(amount); return Style(asdict(style).update({name: getattr(harder, name) for name in fields}))",_BUT), 'only: the field yaw_sd is None, expected: a float'),
        (_CAUSE.format("harder = style.shifted(amount); return replace(style, **{n: getattr(harder, n) + getattr(style, n) for n in fields})",_BUT), 'only: the values are added: take one of them'),
        (_CAUSE.format("return replace(style, fields=style.shifted(amount))",_BUT), 'has no such field'),
        (_CAUSE.format("harder = style.shifted(amount); return replace(style, **{n: getattr(harder, n) for n in CAUSES[fields]})",_BUT), 'fields are the names themselves, whichever they are: go thro'),
        (_CAUSE.format("harder = style.shifted(amount).shifted(amount); return replace(style, **{n: getattr(harder, n) for n in fields})",_BUT), 'only: shifted twice: take `style.shifted(amount)` once'),
        (_CAUSE.format("harder = style.shifted(amount); return style, replace(style, **{n: getattr(harder, n) for n in fields})",_BUT), 'only is a tuple of 2, expected: a Style'),
        (_CAUSE.format("harder = style.shifted(amount); return replace(style, **{n: str(getattr(harder, n)) for n in fields})",_BUT), 'only: the field yaw_sd is a str, expected: a float'),
        (_CAUSE.format("return replace(style, **{n: amount for n in fields})",_BUT), 'only: the fields have the value of amount: take the other st'),
        (_CAUSE.format("return style.shifted(fields)",_BUT), 'Error: '),
        (_CAUSE.format("return replace(style, **{n: getattr(style, n) * amount for n in fields})",_BUT), "only: scaled: take the other style's value"),
        (_CAUSE.format("return replace(style, **{n: n for n in fields})",_BUT), 'only: the field yaw_sd is a str, expected: a float'),
        (_CAUSE.format(_ONLY,"return replace(style.shifted(amount), **{n: 0.0 for n in fields})"), "all_but: the fields are 0: take the other style's values"),
        (_CAUSE.format(_ONLY,"return style"), 'all_but: every field moved, not these alone'),
        (_CAUSE.format(_ONLY,"return style.shifted(amount)"), 'all_but: the fields have no effect'),
        (_CAUSE.format("harder = style.shifted(amount); return replace(style, **{n: getattr(harder, n) - getattr(style, n) for n in fields})",_BUT), 'only: a difference: take the value itself'),
        (_CAUSE.format(_ONLY,"return replace(Style().shifted(amount), **{n: getattr(style, n) for n in fields})"), 'all_but: the others come from Style(): start from the style '),
        (_CAUSE.format(_ONLY,"return only(style.shifted(amount), 0, fields)"), 'all_but: the fields have no effect'),
        (_CAUSE.format(_ONLY.replace("getattr(harder","getatr(harder"),_BUT), 'Error: '),
        (_CAUSE.format("return style.shifted(amount)", _BUT), "every field moved"),
        (_CAUSE.format("return style", _BUT), "no effect"),
        (_CAUSE.format(_BUT, _ONLY), "the other function"),
        (_CAUSE.format(_ONLY.replace("style.shifted", "Style().shifted"), _BUT),
         "these fields come from Style()"),
        (_CAUSE.format(_ONLY.replace("shifted(amount)", "shifted(1.0)"), _BUT), "amount"),
        (_CAUSE.format(_ONLY, _BUT.replace("shifted(amount)", "shifted(1)")), "amount"),
        (_CAUSE.format(_ONLY, _ONLY), "all_but: the wrong fields"),
        (_CAUSE.format("for name in fields:\n        setattr(style, name, "
                       "getattr(style.shifted(amount), name))\n    return style", _BUT), "frozen"),
        (_CAUSE.format("harder = style.shifted(amount)\n    for name in fields:\n        style = "
                       "replace(style, name=getattr(harder, name))\n    return style", _BUT),
         "puts in what it stands for"),
        (_CAUSE.format("return replace(style, **{name: style.shifted(amount).name for name in fields})",
                       _BUT), "getattr(style, name)"),
        (_CAUSE.format("return replace(style, **{name: style.shifted(amount)[name] for name in fields})",
                       _BUT), "getattr(style, name)"),
        (_CAUSE.format(_ONLY, _BUT.replace("replace(style.shifted(amount), **{", "replace("
                       "style.shifted(amount), {")), "getattr(style, name)"),
        (_CAUSE.format(_ONLY.replace("in fields", "in fields[:2]"), _BUT), "not as they should"),
        (_CAUSE.format(_ONLY, _BUT.replace("in fields", "in (fields[0], fields[1])")), "tuple index"),
        (_CAUSE.format(_ONLY, _BUT.replace("return replace", "replace")), "gives None"),
        (_CAUSE.format(_ONLY, _BUT.replace("getattr(style", "getattr(Style()")),
         "these fields come from Style()"),
        (_CAUSE.format(_ONLY.replace("replace(style", "replace(Style()"), _BUT), "others come from"),
        (_CAUSE.format(_ONLY, _BUT.replace("replace(style", "replace(Style()")), "others come from"),
        (_CAUSE.format(_LOOP.format("new", "style", "style.shifted(amount)"), _BUT), "the last field"),
        (_CAUSE.format(_ONLY, _LOOP.format("new", "style.shifted(amount)", "style")), "the last field"),
        (_CAUSE.format(_LOOP.replace("    return new", "        return new").format(
            "new", "style", "style.shifted(amount)"), _BUT), "inside the loop"),
        (_CAUSE.format("for name in fields:\n        object.__setattr__(style, name, "
                       "getattr(style.shifted(amount), name))\n    return style", _BUT),
         "changes the style"),
        (_CAUSE.format(_ONLY.replace("in fields", "in fields[:1]"), _BUT), "the first field"),
        (_CAUSE.format(_ONLY.replace("getattr(harder, name)", "(1 + amount) * getattr(style, name)"),
                       _BUT), "not as they should"),
        (_CAUSE.format(_ONLY.replace("return replace(style, **", "return (").replace("fields})",
                       "fields})"), _BUT), "expected: a Style"),
    ],
}  # fmt: skip

RIGHT = {
    "warm-cosine": [
        "def warm_cosine(step, steps, highest, warmup):\n    r = warmup * steps\n    return highest * (step + 1) / (r + 1) if step < r else highest * (0.5 + 0.5 * np.cos(np.pi * (step - r) / (steps - r)))\n",
        "def warm_cosine(step, steps, highest, warmup):\n    r = steps * warmup\n    if step >= r:\n        share = (step - r) / (steps - r)\n        return highest * (1 - math.sin(math.pi * share / 2) ** 2)\n    start = highest / (1 + r)\n    return start + step * start\n",
        _WARM.format(_RISE, "(step + 1) * (highest / (1 + rise))",
                     "highest * math.cos(math.pi / 2 * (step - rise) / (steps - rise)) ** 2"),
        _WARM.format("steps * warmup", _UP, _DOWN).replace("step < rise", "step <= rise"),
        """
def warm_cosine(step, steps, highest, warmup):
    rise = warmup * steps
    t = np.arange(steps)
    rates = np.where(t < rise, highest * (t + 1) / (rise + 1),
                     highest / 2 * (1 + np.cos(np.pi * (t - rise) / (steps - rise))))
    return rates[step]
""",
    ],
    "two-by-two": [
        "def effects(neither, a, b, both):\n    s = np.array([neither, a, b, both])\n    out = np.empty((4, s.shape[1]))\n    out[0], out[1], out[2] = s[1] - s[0], s[2] - s[0], s[3] - s[2]\n    out[3] = out[2] - out[0]\n    return out\n",
        """
def effects(neither, a, b, both):
    rows = []
    for s0, sa, sb, sab in zip(neither, a, b, both):
        rows.append([sa - s0, sb - s0, sab - sb, (sab - sb) - (sa - s0)])
    return np.array(rows).T
""",
        """
def effects(neither, a, b, both):
    signs = np.array([[-1, 1, 0, 0], [-1, 0, 1, 0], [0, 0, -1, 1], [1, -1, -1, 1]])
    return signs @ np.array([neither, a, b, both])
""",
        """
def effects(neither, a, b, both):
    alone, top = np.subtract(a, neither), np.subtract(both, b)
    return np.vstack([alone, np.subtract(b, neither), top, top - alone])
""",
    ],
    "one-cause": [
        _CAUSE.format(_ONLY,"rest = [f for each in CAUSES.values() for f in each if f not in fields]; return only(style, amount, rest)"),
        _CAUSE.format("import copy; new = copy.copy(style); [object.__setattr__(new, n, getattr(style.shifted(amount), n)) for n in fields]; return new",_BUT),
        _CAUSE.format(
            "harder = asdict(style.shifted(amount)); "
            "return Style(**(asdict(style) | {name: harder[name] for name in fields}))",
            "others = [name for name in asdict(style) if name not in fields]; "
            "return only(style, amount, others)",
        ),
    ],
}  # fmt: skip

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "warm-cosine": [
        ("if step < rise:", "< → <=", "the line and the cosine meet at t = r, at the highest rate"),
    ],
}
