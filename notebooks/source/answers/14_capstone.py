"""What to try on the checks of lesson 14."""

from __future__ import annotations

_WIDEST = """
def widest(make, limit, cost=count_parameters):
    def fits(width):
        with torch.device("meta"):
            return cost(make(width)) < limit

    if not fits(1):
        raise ValueError("nothing fits")
    low, high = 1, 2
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            low = middle
        else:
            high = middle
    return low
"""

_FIELD = """
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in layers:
        field += {0}
        step {1}
    return field, step
"""

_MINE = """
class Mine(nn.Module):
    def __init__(self, num_classes=19):
        super().__init__()
        widths = (24, 48, 96, 192)
        self.stem = nn.Sequential(conv_bn(3, 24, 3, stride=2), nn.ReLU())
        self.down = nn.ModuleList(
            [nn.Sequential(Separable(a, b, 2), Separable(b, b)) for a, b in pairwise(widths)]
        )
        self.context = Context(192)
        self.up = nn.ModuleList([Join(a, b) for a, b in pairwise(widths[::-1])])
        self.head = nn.Conv2d(24, num_classes, 1)

    def forward(self, image):
        x, skips = self.stem(image), []
        for down in self.down:
            skips.append(x)
            x = down(x)
        x = self.context(x)
        for up in self.up:
            x = up(x, skips.pop())
        return F.interpolate(self.head(x), image.shape[-2:], mode="bilinear")
"""

_COURSE = """
class Mine(nn.Module):
    def __init__(self, num_classes=19):
        super().__init__()
        self.inside = create_model({0}, num_classes=num_classes{1})

    def forward(self, image):
        return self.inside(image)
"""

_PLAIN = """
class Mine(nn.Module):
    def __init__(self, num_classes=19):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 24, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(24, 24, 3, padding=1), nn.ReLU(),
            nn.Conv2d(24, 24, 3, padding=2, dilation=2), nn.ReLU(),
            nn.Conv2d(24, num_classes, 1),
        )

    def forward(self, image):
        return F.interpolate(self.body(image), image.shape[2:], mode="nearest")
"""

_SPOT = """
class Mine(nn.Module):
    def __init__(self, num_classes=19):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 32, {0}, padding={1}), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Conv2d(32, 32, {2}), nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, num_classes, 1),
        )

    def forward(self, image):
        return self.body(image)
"""

_PAIRED = """
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float("inf"), False
    half = {0}
    return gains.mean(), half, bool({1})
"""
_HALF, _CLEAR = "critical * gains.std(ddof=1) / np.sqrt(len(gains))", "gains.mean() > half"

_WORST = """
def worst(matrices, k):
    found = {{i: {0} for i, m in enumerate(matrices){1}}}
    return {2}
"""
_SCORE, _COUNTED, _ORDER = (
    "metrics.mean_iou(m)",
    " if m.sum() > 0",
    "sorted(found, key=found.get)[:k]",
)


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


_BATCH = """
class Both(nn.Module):
    def forward(self, x):
        return (x - x.mean((0, 2, 3), keepdim=True)) / (x.std((0, 2, 3), keepdim=True) + 0.1)

"""

_RETURN = 'return F.interpolate(self.head(x), image.shape[-2:], mode="bilinear")'

WRONG = {
    "widest": [
        (_edit(_WIDEST, "while fits(high)", "while not fits(high)"), "only while it *fits*"),
        (_edit(_WIDEST, "(low + high) // 2", "(high - low) // 2"), "is built again and again"),
        (_edit(_WIDEST, "cost(make(width))", "cost(make)"), "a cost is that of a network"),
        (_edit(_WIDEST, "while high - low > 1", "for _ in range(20)"), "until both ends are neighbours"),
        (_edit(_WIDEST, "if fits(middle)", "if not fits(middle)"), "the wrong half is kept"),
        (_edit(_WIDEST, "< limit", "<= limit"), "fewer than"),
        (_edit(_WIDEST, "return low", "return high"), "one too wide"),
        (_edit(_WIDEST, "return low", "return low - 1"), "one wider still fits"),
        (_edit(_WIDEST, 'torch.device("meta")', 'torch.device("cpu")'), "real weights"),
        (_edit(_WIDEST, "cost(make(width))", "count_parameters(make(width))"), "call cost"),
        (
            """
def widest(make, limit, cost=count_parameters):
    width = 0
    with torch.device("meta"):
        while cost(make(width + 1)) < limit:
            width += 1
    if width == 0:
        raise ValueError
    return width
""",
            "halve the interval",
        ),
        (
            _edit(_WIDEST, 'raise ValueError("nothing fits")', "return 0"),
            "ValueError",
        ),
        (_edit(_WIDEST, "not fits(1)", "not fits(0)"), "begin with 1"),
        (_edit(_WIDEST, "(low + high) // 2", "(low + high) / 2"), "a width is a float"),
        (_edit(_WIDEST, "return low", "return float(low)"), "expected: an int"),
        (_edit(_WIDEST, "high - low > 1", "high > low"), "again and again"),
        (_edit(_WIDEST, "cost(make(width)) < limit", "cost(make(width) < limit)"), "'<' not supported"),
        (_edit(_WIDEST, "cost(make(width)) < limit", "cost(width) < limit"), "that of a network"),
        (_edit(_WIDEST, 'raise ValueError("nothing fits")', 'raise RuntimeError("nothing fits")'),
         "RuntimeError: nothing fits"),
        (_edit(_WIDEST, 'raise ValueError("nothing fits")', "return 1"), "raise ValueError"),
        (_edit(_WIDEST, "2 * high", "high + 1"), "halve the interval"),
        (_edit(_WIDEST, "return low", "return None"), "gives None"),
        (_edit(_WIDEST, "low, high = 1, 2\n    while fits(high):\n        low, high = high, 2 * high",
               "low, high = 1, limit"), "the limit is no width"),
        (_edit(_WIDEST, "low, high = 1, 2", "low, high = 1, 2\n    return 2 * low"), "the same width"),
        (_edit(_WIDEST, 'raise ValueError("nothing fits")', 'return ValueError("nothing fits")'),
         "raise ValueError"),
    ],
    "receptive-field": [
        (_FIELD.format("(kernel - 1) * dilation * step", "*= stride").replace("        step", "    step"),
         "grows only once, after the loop"),
        (_edit(_FIELD.format("0", "*= stride"), "layers:\n        field += 0",
               "layers[::-1]:\n        field = field * stride + kernel - 1"), "last layer to the first"),
        (_FIELD.format("kernel - 1 * dilation * step", "*= stride"), "mind the brackets"),
        (_FIELD.format("kernel * dilation * step", "*= stride"), "not its taps"),
        (_FIELD.format("(kernel - 1) * step", "*= stride"), "dilation has no effect"),
        (_FIELD.format("(kernel - 1) * dilation", "*= stride"), "twice as long"),
        (_FIELD.format("(kernel - 1) * dilation * step", "+= stride"), "strides multiply"),
        (_FIELD.format("(kernel * dilation - 1) * step", "*= stride"), "not the taps"),
        (_FIELD.format("(kernel - 1) * dilation * step * stride", "*= stride"), "comes last"),
        (
            _edit(
                _FIELD.format("(kernel - 1) * dilation * step", "*= stride"),
                "field, step = 1, 1",
                "field, step = 0, 1",
            ),
            "not none",
        ),
        (_FIELD.format("(kernel - 1) * dilation * step", "*= stride * dilation"), "move the outputs"),
        (_FIELD.format("(kernel - 1) * dilation * step", "= stride"), "all strides before"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "return field, step",
               "return step, field"), "field comes first"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "stride, dilation in",
               "dilation, stride in"), "not (kernel, dilation, stride)"),
        (_FIELD.format("kernel // 2 * dilation * step", "*= stride"), "half a kernel"),
        (_FIELD.format("2 * (kernel // 2) * dilation * step", "*= stride"), "an even kernel"),
        (_FIELD.format("(kernel - 1) // 2 * 2 * dilation * step", "*= stride"), "an even kernel"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "        field +=",
               "        if kernel == 1:\n            continue\n        field +="), "its stride counts"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "kernel, stride, dilation in",
               "kernel, stride in"), "(kernel, stride, dilation)"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "    for",
               "    layers.append((1, 1, 1))\n    for"), "changes its argument `layers`"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "1, 1\n", "1, 1.0\n"),
         "expected: an int"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "return field, step",
               "return field"), "expected: 2 things, field, step"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "    return", "        return"),
         "stand in the loop"),
        (_edit(_FIELD.format("(kernel - 1) * dilation * step", "*= stride"), "return field",
               "return field**2"), "not its area"),
    ],
    "own-network": [
        (_edit(_MINE, "x = down(x)", "down(x)"), "nothing keeps it"),
        (_edit(_MINE, "self.head(x)", "head(x)"), "`head` belongs to `self`"),
        (_edit(_MINE, _RETURN, "return self.head(x)"), "enlarge them"),
        (_edit(_MINE, "image.shape[-2:]", "(512, 512)"), "image.shape[-2:]"),
        (_edit(_MINE, "image.shape[-2:]", "image.shape[:1:-1]"), "image.shape[-2:]"),
        (_edit(_MINE, _RETURN, _RETURN + ".argmax(1)"), "without an arg-max"),
        (_edit(_MINE, _RETURN, _RETURN + ".permute(0, 2, 3, 1)"), "num_classes, second"),
        (
            _edit(_edit(_MINE, "self.context = Context(192)",
                        "self.context = Context(192)\n        self.mean = nn.Linear(192 * 4 * 4, 1)"),
                  "x = self.context(x)", "x = x + self.mean(x.flatten(1))[:, :, None, None]"),
            "no layer to one size",
        ),
        (_edit(_MINE, "x = up(x, skips.pop())", "x = up.block(F.relu(up.mix(torch.cat("
               "[skips.pop(), F.interpolate(x, scale_factor=2)], 1))))"), "53 × 71 does not pass"),
        (_edit(_MINE, _RETURN, _RETURN + ".softmax(1)"), "softmax"),
        (_edit(_MINE, _RETURN, "x = self.head(x)"), "None"),
        (_edit(_MINE, _RETURN, _RETURN + ", x"), "a tuple of 2"),
        (_edit(_MINE, _RETURN, "return F.interpolate(self.head(x), scale_factor=2)"), "odd sizes"),
        (_edit(_MINE, "24, num_classes, 1", "24, 19, 1"), "use num_classes"),
        (
            _edit(_MINE, "nn.ModuleList([Join(a, b) for a, b in pairwise(widths[::-1])])",
                  "[Join(a, b) for a, b in pairwise(widths[::-1])]"),
            "plain list",
        ),
        (
            _edit(_edit(_MINE, "self.head =", "self.seen = torch.randn(192, 1, 1)\n        self.head ="),
                  "x = self.context(x)", "x = self.context(x + self.seen)"),
            "plain tensor",
        ),
        (_edit(_MINE, "x = self.context(x)", "x = F.dropout2d(self.context(x))"), "dropout"),
        (
            _BATCH + _edit(_MINE, "x = self.context(x)", "x = Both()(self.context(x))"),
            "statistics of the batch",
        ),
        (
            _edit(
                _edit(_MINE, "self.head =", "self.seen = nn.Parameter(torch.zeros(1), False)\n"
                      "        self.head ="),
                "x = self.context(x)", "x = self.context(x)\n        self.seen += 1",
            ),
            "changed the state",
        ),
        (_edit(_edit(_MINE, "96, 192)", "96, 1200)"), "Context(192)", "Context(1200)"), "parameters"),
        (_COURSE.format('"unet"', ", widths=(15, 30, 60, 120, 240)"), "multiply-accumulates"),
        (_edit(_MINE, "self.head =", "self.spare = nn.Linear(3, 3)\n        self.head ="),
         "no gradient reaches"),
        (_edit(_MINE, "x = self.context(x)", "x = self.context(x).detach()"), "behind a detach"),
        (_edit(_MINE, _RETURN, _RETURN + ".detach()"), "no gradient"),
        (_edit(_MINE, "self.context = Context(192)",
               "self.context = Context(192)\n        self.stem.requires_grad_(False)"), "frozen"),
        (
            _edit(_edit(_PLAIN, "padding=1), nn.ReLU()", "padding=1), nn.BatchNorm2d(24), nn.ReLU()"),
                  "self.body(image)", "self.body(image + 100)")
            + "\n    def train(self, mode=True):\n"
            "        for part in self.modules():\n"
            "            if isinstance(part, nn.BatchNorm2d):\n"
            "                part.momentum = 0.0001\n"
            "        return super().train(mode)\n",
            "momentum",
        ),
        (_edit(_PLAIN, "self.body(image)", "self.body(F.adaptive_avg_pool2d(image, 2))"),
         "mean IoU on unseen faces"),
        (_edit(_MINE, _RETURN, _RETURN + ".sign()"), "is 0: multiplied by 0, or rounded"),
        (_SPOT.format(1, 0, 1), "does not look around"),
        (_SPOT.format(3, 1, 1), "does not look around"),
        (_edit(_SPOT.format(1, 0, 1), "self.body(image)", "self.body(image + image.mean((2, 3), "
               "keepdim=True))"), "does not look around"),
        (_edit(_MINE, "    def forward(self, image):\n", "    def forward(self, image):\n"
               "        image -= image.mean()\n"), "changes its argument `image`"),
        (_edit(_MINE, "num_classes=19", "num_classes=11"), "Mine() has 19"),
        (_edit(_MINE, "num_classes=19", "num_classes"), "missing 1 required positional argument"),
        (_edit(_MINE, "        super().__init__()\n", ""), "super().__init__()"),
        (_edit(_MINE, "def forward", "def foward"), "no `forward`"),
        (_edit(_MINE, "Context(192)", "Context(96)"), "reads other channels"),
        (_edit(_MINE, "self.context(x)", "self.contxt(x)"), "no attribute 'contxt'"),
        (_edit(_MINE, _RETURN, _RETURN + ".double()"), "torch.float64"),
        (_edit(_MINE, _RETURN, _RETURN.replace("self.head(x)", "self.head(x).relu()")), "negative"),
        (
            _edit(_edit(_MINE, "self.head =", "self.spare = nn.Conv2d(24, 24, 1)\n        self.head ="),
                  _RETURN, _RETURN.replace("self.head(x)", "self.head(x + 0 * self.spare(x))")),
            "multiplied by 0",
        ),
        (
            _edit(_MINE, "widths = (24, 48, 96, 192)", "widths = (24, 48, 96, 192)\n        "
                  "self.spare = nn.ModuleList(nn.Identity() for _ in range(3))\n        self.odd = "
                  "nn.Parameter(torch.zeros(int(torch.randint(1, 10**6, ()))))"),
            "unlike states",
        ),
        (_edit(_MINE, "x = self.context(x)", "x = self.context(x)\n        x = x.exp()\n        x += 1\n"
               "        x = x.log() * x.sigmoid()\n        y = x.exp()\n        y *= 2\n        x = y.log()"
               " + 0 * y"), "was overwritten"),
    ],
    "paired": [
        (_PAIRED.format(_HALF, "gains.mean() >= half"), "touches 0"),
        (_PAIRED.format(_edit(_HALF, "ddof=1", "ddof=0"), _CLEAR), "divided by n"),
        (_PAIRED.format("critical * gains.std(ddof=1)", _CLEAR), "one pair"),
        (_PAIRED.format("critical * gains.std(ddof=1) / len(gains)", _CLEAR), "*root* of n"),
        (_PAIRED.format(_edit(_HALF, ".std(", ".var("), _CLEAR), "variance"),
        (_PAIRED.format(_edit(_HALF, "critical * ", ""), _CLEAR), "no effect"),
        (_PAIRED.format("2 * " + _HALF, _CLEAR), "whole width"),
        (_PAIRED.format(_HALF, "abs(gains.mean()) > half"), "not a gain"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), "np.array(ours) - np.array(theirs)", "ours - theirs"),
         "np.array(ours)"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), "np.array(ours) - np.array(theirs)",
               "np.sort(ours) - np.sort(theirs)"), "do not sort"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), "    gains", "    ours.sort()\n    gains"),
         "changes its argument `ours`"),
        (_PAIRED.format(_edit(_HALF, "len(gains)", "5"), _CLEAR), "5 is written in"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), "len(gains) < 2", "len(gains) < 3"), "2 pairs have a spread"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), f"return gains.mean(), half, bool({_CLEAR})",
               f"return [gains.mean(), half, bool({_CLEAR})]"), "expected: a tuple"),
        (_PAIRED.format(_HALF, "gains.mean() > half").replace("bool(", "float("), "expected: a bool"),
        ("""
def paired(ours, theirs, critical):
    n = len(ours)
    gains = [a - b for a, b in zip(ours, theirs)]
    mean = sum(gains) / n
    half = critical * (sum((g - mean) ** 2 for g in gains) / (n - 1) / n) ** 0.5
    return mean, half, mean > half
""", "infinite, do not compute it"),
        (_PAIRED.format(_HALF, "gains.mean() > 0"), "0 lies inside"),
        (_PAIRED.format(_HALF, "min(gains) > 0"), "0 lies inside"),
        (_PAIRED.format(_edit(_HALF, "critical", "1.96"), _CLEAR), "use critical"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), 'return gains.mean(), float("inf"), False', "return None"),
         "gives None"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), "if len(gains) < 2", "if len(gains) < 1"), "no spread"),
        (
            _edit(_PAIRED.format(_HALF, _CLEAR), "np.array(ours) - np.array(theirs)",
                  "np.array(theirs) - np.array(ours)"),
            "the sign",
        ),
        (
            _PAIRED.format("critical * np.sqrt(np.var(ours, ddof=1) + np.var(theirs, ddof=1))"
                           " / np.sqrt(len(gains))", _CLEAR),
            "two separate spreads",
        ),
        (_edit(_PAIRED.format(_HALF, _CLEAR), 'float("inf"), False', "0.0, True"), "no spread"),
        (_edit(_PAIRED.format(_HALF, _CLEAR), f"half, bool({_CLEAR})", "half"), "3 things, mean, half-width, clear"),
    ],
    "worst": [
        (_WORST.format(_SCORE, _COUNTED, _ORDER).replace("sorted(found, key=found.get)[:k]",
         "[list(found)[j] for j in torch.tensor(list(found.values())).argsort().tolist()][:k]"), "*stable* sort"),
        (_WORST.format("round(metrics.mean_iou(m), 1)", _COUNTED, _ORDER), "round nothing"),
        (_WORST.format("float((m.diagonal() / m.sum(1)).nanmean())", _COUNTED, _ORDER), "not recall"),
        (_WORST.format("-float(m.sum() - m.trace())", _COUNTED, _ORDER), "number of wrong pixels"),
        (_WORST.format(_SCORE, _COUNTED, "list(found)[:k]"), "they are not sorted"),
        (_WORST.format(_SCORE, " if m.trace() > 0", _ORDER), "a score of 0 is a score"),
        (_WORST.format(_SCORE, _COUNTED, "sorted(found, key=found.get)[::-1][:k]"), "best ones"),
        (_WORST.format(_SCORE, "", _ORDER), "no score"),
        (
            _WORST.format(_SCORE, _COUNTED, "sorted(found, key=found.get, reverse=True)[::-1][:k]"),
            "the earlier comes first",
        ),
        (_WORST.format(_SCORE, _COUNTED, f"sorted({_ORDER})"), "worst should come first"),
        (_WORST.format(_SCORE, _COUNTED, f"{_ORDER}[::-1]"), "turned round"),
        (_WORST.format("metrics.pixel_accuracy(m)", _COUNTED, _ORDER), "share of its pixels"),
        (_WORST.format("float(metrics.iou(m).mean())", _COUNTED, _ORDER), "counted as 0"),
        (_edit(_WORST.format(_SCORE, "", _ORDER), "enumerate(matrices)",
               "enumerate(m for m in matrices if m.sum() > 0)"), "the whole list"),
        (_edit(_WORST.format(_SCORE, _COUNTED, "[found[s] for s in sorted(found)][:k]"),
               "i: metrics.mean_iou(m)", "metrics.mean_iou(m): i"), "a dictionary keeps"),
        (_WORST.format("metrics.mean_iou(m) if m.sum() > 0 else 9", "", "[list(found.values()).index(s) "
                       "for s in sorted(found.values())][:k]"), "comes twice"),
        (_WORST.format(_SCORE, _COUNTED, "[i for s, i in sorted((s, -i) for i, s in found.items())]"
                       ).replace("[i for", "[-i for").replace("())]", "())][:k]"), "the earlier comes first"),
        (_WORST.format(_SCORE, _COUNTED, "sorted(found.values())[:k]"), "a whole number"),
        (_WORST.format(_SCORE, _COUNTED, "sorted(found.items(), key=lambda pair: pair[1])[:k]"),
         "a whole number"),
        (_WORST.format(_SCORE, " if metrics.mean_iou(m) > 0", _ORDER), "score of 0"),
        (_WORST.format(_SCORE, _COUNTED, f"np.array({_ORDER})"), "expected: a list"),
        (_WORST.format(_SCORE, _COUNTED, f"tuple({_ORDER})"), "expected: a list"),
        (_WORST.format(_SCORE, _COUNTED, f"list(map(float, {_ORDER}))"), "a whole number"),
        (_WORST.format(_SCORE, _COUNTED, "sorted(found, key=lambda i: (-found[i], -i))[-k:][::-1]"),
         "k = 0"),
        (_WORST.format(_SCORE, _COUNTED, "sorted(found, key=found.get)[:3]"), "3 is written in"),
        (_edit(_WORST.format(_SCORE, _COUNTED, _ORDER), "    found", "    matrices.reverse()\n    found"),
         "changes its argument `matrices`"),
        (_edit(_WORST.format(_SCORE, _COUNTED, _ORDER), "    return", "    found ="), "gives None"),
        (_WORST.format("metrics.mean_iou(m) if m.sum() > 0 else 9", "", _ORDER), "fewer than k"),
    ],
}  # fmt: skip

_RIGHT_FIELD = _FIELD.format("(kernel - 1) * dilation * step", "*= stride")
_MORE_WRONG = {
    "widest": [
        (_edit(_WIDEST, "low, high = 1, 2\n    while fits(high):\n        low, high = high, 2 * high", "low, high = 1, 1024"), "Double until it no longer fits"),
        (_edit(_WIDEST, "if not fits(1)", "if not fits(2)"), "width 1 fits here"),
        (_edit(_WIDEST, "low = middle", "low = middle + 1"), "an end moves"),
        (_edit(_WIDEST, "high = middle", "high = middle - 1"), "an end moves"),
        (_edit(_WIDEST, "        with torch.device(\"meta\"):\n            return", "        torch.set_default_device(\"meta\")\n        return"), "ends by itself"),
        (_edit(_WIDEST, _WIDEST[_WIDEST.index("    while high - low") : _WIDEST.index("    return low")], ""), "only powers of 2"),
    ],
    "receptive-field": [
        (_edit(_RIGHT_FIELD, "in layers", "in reversed(layers)"), "from the last to the first"),
        (_edit(_RIGHT_FIELD, "kernel, stride, dilation in", "stride, kernel, dilation in"), "not (stride, kernel, dilation)"),
        (_edit(_RIGHT_FIELD, "return field", "return field // 2"), "not half of it"),
        (_edit(_RIGHT_FIELD, "in layers", "in layers[:-1]"), "the last layer is left out"),
        (_edit(_RIGHT_FIELD, "        step *= stride\n", ""), "the step never changes"),
        (_edit(_RIGHT_FIELD, 'dilation * step', 'dilation * stride'), "not the layer's own stride"),
        (_edit(_RIGHT_FIELD, '(kernel - 1) * dilation', '(kernel + (kernel - 1) * (dilation - 1))'), 'no 1'),
        (_edit(_RIGHT_FIELD, '* dilation *', '* (dilation + 1) *'), 'not d + 1'),
        (_edit(_RIGHT_FIELD, '(kernel - 1) * dilation', '(kernel - 1 + dilation)'), 'not added'),
        (_edit(_RIGHT_FIELD, '* dilation * step', ' '), 'And after a stride of 2'),
        (_edit(_RIGHT_FIELD, "field += (kernel - 1) * dilation * step", "field = max(field, (kernel - 1) * dilation * step + 1)"), "no largest"),
        (_FIELD.format("kernel // 2 * dilation * step", "*= stride").replace("return field, step", "return step, field"), "And the field comes first"),
        (_FIELD.format("(kernel - 1) * dilation * step", "= max(step, stride)"), "not the largest"),
    ],
    "paired": [
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return np.median(gains), half, bool(gains.mean() > half)
""", 'not their median'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains) - 1)
    return gains.mean(), half, bool(gains.mean() > half)
""", 'not of n - 1'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.sum() / (len(gains) - 1), half, bool(gains.mean() > half)
""", 'a mean divides by n'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * np.sqrt((np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / 2) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > half)
""", 'two separate spreads'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * np.std(ours, ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > half)
""", 'the spread of *ours*'),
        ("""
def paired(ours, theirs, critical):
    gains = 100 * (np.array(ours) - np.array(theirs))
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > half)
""", 'no factor of 100'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) / np.array(theirs) - 1
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > half)
""", 'not a share of theirs'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean() - half, gains.mean() + half, bool(gains.mean() > half)
""", 'the ends of the interval'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return half, gains.mean(), bool(gains.mean() > half)
""", 'the mean gain comes first'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * np.abs(gains - gains.mean()).mean() / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > half)
""", 'the root of squares'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.var(ddof=1) / len(gains)
    return gains.mean(), half, bool(gains.mean() > half)
""", 'the variance'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() + half > 0)
""", 'the *lower* end'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.min() - half > 0)
""", 'not the worst gain'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > gains.std(ddof=1))
""", 'not of one spread'),
        ("""
def paired(ours, theirs, critical):
    gains = np.abs(np.array(ours) - np.array(theirs))
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > half)
""", 'leave `abs` out'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * np.sqrt((gains ** 2).sum() / (len(gains) - 1)) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() > half)
""", 'subtract the mean before'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std() / len(gains)
    return gains.mean(), half, bool(gains.mean() > half)
""", 'And divided by n'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains)) / 2
    return gains.mean(), half, bool(gains.mean() > half)
""", 'half of the half-width'),
        ("""
def paired(ours, theirs, critical):
    gains = np.array(ours) - np.array(theirs)
    if len(gains) < 2:
        return gains.mean(), float('inf'), False
    half = critical * gains.std(ddof=1) / np.sqrt(len(gains))
    return gains.mean(), half, bool(gains.mean() <= half)
""", 'turned round'),
    ],
    "worst": [
        (_WORST.format('metrics.mean_f1(m)', _COUNTED, _ORDER), 'not F1'),
        (_WORST.format('float((m.diagonal() / m.sum(0).clamp(min=1))[m.sum(0) > 0].mean())', _COUNTED, _ORDER), 'not precision'),
        (_WORST.format('float(metrics.iou(m)[1:].mean())', _COUNTED, _ORDER), 'the background is a class'),
        (_WORST.format('float(metrics.iou(m)[m.sum(1) > 0].mean())', _COUNTED, _ORDER), 'called but not true'),
        (_WORST.format('float((metrics.iou(m) * m.sum(1)).sum() / m.sum())', _COUNTED, _ORDER), 'one vote a class'),
        (_WORST.format(_SCORE, _COUNTED, '[i + 1 for i in sorted(found, key=found.get)[:k]]'), 'count from 0'),
        (_WORST.format(_SCORE, _COUNTED, 'sorted(found, key=found.get)[:k + 1]'), 'one too many'),
        (_WORST.format(_SCORE, _COUNTED, 'sorted(found, key=found.get)'), 'k has no effect'),
        (_WORST.format(_SCORE, _COUNTED, 'sorted(found, key=found.get)[k:]'), 'after the k worst'),
        (_WORST.format(_SCORE, ' if 0 < metrics.mean_iou(m) < 1', _ORDER), 'scores of 0 and 1'),
        (_WORST.format(_SCORE, ' if (m.sum(1) > 0).all()', _ORDER), 'may lack a class'),
        (_WORST.format(_SCORE, ' if m[1:].any()', _ORDER), 'background alone'),
        (_WORST.format('float((m.sum() - m.trace()) / m.sum())', _COUNTED, _ORDER), 'these are the best ones'),
        (_WORST.format(_SCORE, _COUNTED, '[(i, found[i]) for i in sorted(found, key=found.get)[:k]]'), 'a position is a tuple'),
        (_WORST.format(_SCORE, _COUNTED, '[matrices[i] for i in sorted(found, key=found.get)[:k]]'), 'a position is a tensor'),
        (_WORST.format('float(metrics.iou(m)[1])', _COUNTED, _ORDER), 'class 1 alone'),
        ("""
def worst(matrices, k):
    s = torch.tensor([metrics.mean_iou(m) for m in matrices])
    return s.topk(k, largest=False).indices.tolist()
""", 'fewer than k'),
        ("""
def worst(matrices, k):
    s = [metrics.mean_iou(m) for m in matrices if m.any()]
    return np.argsort(s, kind='stable')[:k].tolist()
""", 'positions in the whole list'),
    ],
}  # fmt: skip
_RIGHT_PAIRED = _PAIRED.format(_HALF, _CLEAR)
_LOOP = """
def worst(matrices, k):
    found = []
    for i, m in enumerate(matrices):
        {0}
    return [i for _, i in sorted(found)[:k]]
"""
_ADD = "found.append((metrics.mean_iou(m), i))"
_MORE_WRONG["paired"] += [
    (_edit(_RIGHT_PAIRED, "ddof=1", "ddof=2"), "not n - 2"),
    (_edit(_RIGHT_PAIRED, "return gains.mean()", "return None"), "the mean gain is None"),
    (
        _PAIRED.format("critical + gains.std(ddof=1) / np.sqrt(len(gains))", _CLEAR),
        "a factor, not added",
    ),
    (
        _PAIRED.format(
            "critical * (np.std(ours, ddof=1) - np.std(theirs, ddof=1)) / np.sqrt(len(gains))",
            _CLEAR,
        ),
        "two separate spreads",
    ),
    (
        _PAIRED.format("critical * np.sqrt(gains.std(ddof=1) / len(gains))", _CLEAR),
        "n alone stands under",
    ),
    (
        _edit(_RIGHT_PAIRED, "return gains.mean(), half", "return gains.mean() - half, half"),
        "not the lower end",
    ),
    (
        _edit(_RIGHT_PAIRED, "return gains.mean(), half", "return round(gains.mean(), 2), half"),
        "round nothing",
    ),
]
_MORE_WRONG["worst"] += [
    (
        _WORST.format(_SCORE, _COUNTED, "sorted(found, key=found.get)[1:k + 1]"),
        "the very worst is left out",
    ),
    (_WORST.format("metrics.mean_iou(m) if m.sum() else 1.0", "", _ORDER), "leave it out"),
    (_WORST.format("float(metrics.iou(m).median())", _COUNTED, _ORDER), "not their median"),
    (_WORST.format("metrics.iou(m)", _COUNTED, _ORDER), "one number an image"),
    (_WORST.format(_SCORE, _COUNTED, "sorted(found.values())[:k]"), "a position is a whole number"),
    (
        _WORST.format(_SCORE, _COUNTED, "np.argsort(list(found.values()))[:k].tolist()"),
        "the whole list",
    ),
    (_LOOP.format("if m.sum() == 0:\n            break\n        " + _ADD), "ends the loop"),
    (
        _edit(
            _LOOP.format("if not m.any():\n            continue\n        " + _ADD),
            "    return",
            "        return",
        ),
        "stand in the loop",
    ),
    (_edit(_LOOP.format(_ADD), "sorted(found)[:k]", "found.sort()[:k]"), "sorts in place"),
]
for _name, _more in _MORE_WRONG.items():
    WRONG[_name] += _more

RIGHT = {
    "widest": [
        _WIDEST,
        _edit(  # digit by digit
            _WIDEST,
            _WIDEST[_WIDEST.index("    low, high") :],
            """    low = step = 1
    while fits(10 * step):
        step *= 10
    while step:
        while fits(low + step):
            low += step
        step //= 10
    return low
""",
        ),
        """
def widest(make, limit, cost=count_parameters):
    import bisect

    def price(width):
        with torch.device("meta"):
            network = make(width)
        return cost(network)

    width = bisect.bisect_left(range(1, 2**24), limit, key=price)
    if width == 0:
        raise ValueError("nothing fits")
    return width
""",
    ],
    "receptive-field": [
        _FIELD.format("(kernel - 1) * dilation * step", "*= stride"),
        """
def receptive_field(layers):
    field, step = 1, 1
    for kernel, stride, dilation in reversed(layers):
        field = (field - 1) * stride + dilation * (kernel - 1) + 1
        step = step * stride
    return [field, step]
""",
    ],
    "own-network": [
        _COURSE.format('"unet"', ", widths=(4, 8, 16, 32, 64)"),
        _PLAIN,
        _edit(_PLAIN, 'mode="nearest")', 'mode="nearest").log_softmax(1)'),
    ],
    "paired": [
        _PAIRED.format(_HALF, _CLEAR),
        """
def paired(ours, theirs, critical):
    import statistics

    gains = [a - b for a, b in zip(ours, theirs)]
    mean = sum(gains) / len(gains)
    if len(gains) == 1:
        return mean, np.inf, False
    half = critical * statistics.stdev(gains) / len(gains) ** 0.5
    return mean, half, mean - half > 0
""",
    ],
    "worst": [
        _WORST.format(_SCORE, _COUNTED, _ORDER),
        """
def worst(matrices, k):
    import heapq

    found = {i: metrics.mean_iou(m) for i, m in enumerate(matrices) if m.any()}
    return heapq.nsmallest(k, found, key=found.get)
""",
        """
def worst(matrices, k):
    positions = [i for i in range(len(matrices)) if matrices[i].any()]
    scores = np.array([metrics.mean_iou(matrices[i]) for i in positions])
    return [positions[j] for j in np.argsort(scores, kind="stable")[:k]]
""",
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
_ORDER_OF_LINES = "this and the next in the other order"
_FREE = "neither line needs what the other does"
_START = "the ends only have to begin on both sides of the answer, or the doubling puts them there"
_MEAN = "return gains.mean(), half, bool(gains.mean() - half > 0)"
_GAINS = "gains = np.array(ours) - np.array(theirs)"

_WIDTHS = "widths = (24, 48, 96, 192)  # at 1/2, 1/4, 1/8 and 1/16 of the side"
_STEM = "self.stem = nn.Sequential(conv_bn(3, widths[0], 3, stride=2), nn.ReLU())"
_DOWN = "self.down = nn.ModuleList(Down(a, b) for a, b in pairwise(widths))"
_CONTEXT = "self.context = Context(widths[-1])"
_UPS = "self.up = nn.ModuleList(Join(a, b) for a, b in pairwise(widths[::-1]))"
_HEAD = "self.head = nn.Conv2d(widths[0], num_classes, 1)"
_JOIN = "x = up(x, skips.pop())"
_OTHER_WIDTHS = "other widths within both limits are another design, and there is no right one"
_OTHER_DESIGN = "another design that keeps every promise; which is better, only training tells"

EQUIVALENT: dict[str, list[tuple[str, str, str]]] = {
    "widest": [
        ("low, high = 1, 2", "(1, 2) → (2, 1)", _START),
        ("low, high = 1, 2", "(1, → (0,", _START),
        ("low, high = 1, 2", "2) → 3)", _START),
        ("low, high = 1, 2", "2) → 1)", _START),
        ("low, high = high, 2 * high", "2 → 3", "three times as wide is as good a stride"),
    ],
    "own-network": [
        (_WIDTHS, "(24, 48, → (48, 24,", _OTHER_WIDTHS),
        (_WIDTHS, "(24, → (25,", _OTHER_WIDTHS),
        (_WIDTHS, "(24, → (23,", _OTHER_WIDTHS),
        (_WIDTHS, "48, → 49,", _OTHER_WIDTHS),
        (_WIDTHS, "48, → 47,", _OTHER_WIDTHS),
        (_WIDTHS, "96, → 97,", _OTHER_WIDTHS),
        (_WIDTHS, "96, → 95,", _OTHER_WIDTHS),
        (_WIDTHS, "192) → 193)", _OTHER_WIDTHS),
        (_WIDTHS, "192) → 191)", _OTHER_WIDTHS),
        (_STEM, _ORDER_OF_LINES, _FREE),
        (
            _STEM,
            "nn.Sequential(conv_bn(3, widths[0], 3, stride=2), nn.ReLU()) → nn.Sequential(nn.ReLU(), conv_bn(3, widths[0], 3, stride=2))",
            _OTHER_DESIGN,
        ),
        (
            _STEM,
            "nn.Sequential(conv_bn(3, widths[0], 3, stride=2), nn.ReLU()) → conv_bn(3, widths[0], 3, stride=2)",
            _OTHER_DESIGN,
        ),
        (_STEM, "3, → 4,", _OTHER_DESIGN),
        (_STEM, "3, stride=2), → stride=2),", _OTHER_DESIGN),
        (_STEM, "3, → 2,", _OTHER_DESIGN),
        (_STEM, "stride=2), → stride=3),", _OTHER_DESIGN),
        (_STEM, "nn.ReLU()) → nn.Identity())", _OTHER_DESIGN),
        (_STEM, "nn.ReLU()) → nn.GELU())", _OTHER_DESIGN),
        (_DOWN, _ORDER_OF_LINES, _FREE),
        (_CONTEXT, _ORDER_OF_LINES, _FREE),
        (_UPS, _ORDER_OF_LINES, _FREE),
        (_HEAD, "1) → 1, bias=False)", _OTHER_DESIGN),
        (_HEAD, "1) → 2)", _OTHER_DESIGN),
        (_RETURN, "image.shape[-2:], mode='bilinear') → image.shape[-2:])", _OTHER_DESIGN),
        (
            _RETURN,
            "image.shape[-2:], → image.shape[2:],",
            "an image has four dimensions: the last two are those from 2 on",
        ),
    ],
    "paired": [
        (_GAINS, _ORDER_OF_LINES, _FREE),
        (_GAINS, "np.array(ours) → ours", "a list less an array is an array"),
        (_GAINS, "np.array(theirs) → theirs", "an array less a list is an array"),
        (
            _MEAN,
            "bool(gains.mean() - half > 0)) → gains.mean() - half > 0)",
            "NumPy's True is as good",
        ),
    ],
}

HIDDEN_ONLY: dict[str, list[tuple[str, str, str]]] = {
    "own-network": [
        (
            _JOIN,
            "up(x, skips.pop()) → up(skips.pop(), x)",
            "a coarser design, which shrinks each skip; it learns to just about what is asked for",
        ),
    ],
}
