"""What to try on the checks of lesson 02."""

from __future__ import annotations

_DOUBLE = """
class DoubleConv(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        super().__init__({0})
"""

_UP = """
class Up(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.conv = DoubleConv({0}, out_channels)

    def forward(self, x, skip):
        x = fit_to(self.up(x), skip)
        return self.conv({1})
"""

_LAYERS = """
class Layers(nn.Module):
    def __init__(self, num_classes=19, in_channels=3, widths=(16, 32, 64, 128, 256)):
        super().__init__()
        pairs = list(pairwise((in_channels, *widths[:-1])))
        self.down = nn.ModuleList([DoubleConv(a, b) for a, b in pairs])
        self.pool = nn.MaxPool2d(2)
        self.bottleneck = DoubleConv(widths[-2], widths[-1])
        self.up = nn.ModuleList([Up(a, b) for a, b in pairwise(reversed(widths))])
        self.head = nn.Conv2d(widths[0], num_classes, 1)
"""

_FORWARD = """
class UNet(Layers):
    def forward(self, image):
        skips, x = [], image
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for up in self.up:
            x = up(x, skips.pop())
        return self.head(x)
"""

_LOSS = """
def weighted_cross_entropy(logits, target, weights):
    log_p = F.log_softmax(logits, dim=1)
    loss = -log_p.gather(1, target[:, None])[:, 0]
    return (weights[target] * loss).sum() / weights[target].sum()
"""

_IOU = """
def mean_iou(matrix):
    hit = matrix.diagonal().double()
    union = matrix.sum(0) + matrix.sum(1) - hit
    return float({0})
"""

_CONV_IN, _CONV_OUT, _RELU = (
    "nn.Conv2d(in_channels, out_channels, 3, padding=1)",
    "nn.Conv2d(out_channels, out_channels, 3, padding=1)",
    "nn.ReLU()",
)
_UP_RIGHT = _UP.format("2 * out_channels", "torch.cat([skip, x], dim=1)")
_RAISE = "nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)"


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


def _double(*parts: str) -> str:
    return _DOUBLE.format(", ".join(parts))


WRONG = {
    "double-conv": [
        (
            _edit(_double(_CONV_IN, _RELU, _CONV_OUT, _RELU), ", padding=1", ""),
            "pad by 1",
        ),
        (_double(_CONV_IN, _RELU, _CONV_OUT), "after the second"),
        (_double(_CONV_IN, _CONV_OUT, _RELU), "two convolutions are just one"),
        (
            _edit(
                _double(_CONV_IN, _RELU, _CONV_OUT, _RELU), "padding=1", "padding=1, bias=False"
            ),
            "biases are missing",
        ),
        (
            _double(_CONV_IN, "nn.BatchNorm2d(out_channels)", _RELU, _CONV_OUT, _RELU),
            "normalisation",
        ),
        (_double(_CONV_IN, _RELU), "in → out and out → out"),
        (
            _edit(
                _double(_CONV_IN, _RELU, _CONV_OUT, _RELU), "padding=1", "padding=2, dilation=2"
            ),
            "has gaps in its kernel",
        ),
        (_edit(_double(_CONV_IN, _RELU, _CONV_OUT, _RELU), "in_channels, out_channels, 3", "3, 8, 3"),
         "not 3 and 8"),
        ("""
class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.c1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.c2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)

    def forward(self, x):
        return self.c2(self.c1(x).relu()).relu()
""", "which numbers them"),
        ("""
class DoubleConv(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
""", "`super().__init__()` is missing"),
        (_edit(_double(_CONV_IN, _RELU, _CONV_OUT, _RELU), "super().__init__(", "super().__init__([")
         .replace("nn.ReLU())", "nn.ReLU()])"), "modules are given one by one"),
        (_double(_CONV_IN, "nn.ReLU6()", _CONV_OUT, "nn.ReLU6()"), "a part more, ReLU6"),
        (_double(_CONV_IN, "nn.GELU()", _CONV_OUT, _RELU), "a part more, GELU"),
        (_double(_CONV_IN, _RELU, "nn.Dropout2d(0.1)", _CONV_OUT, _RELU), "a part more, Dropout2d"),
        (_double(_CONV_IN, _RELU, _edit(_CONV_OUT, ", padding=1", ""), _RELU), "pad by 1"),
        (_edit(_double(_CONV_IN, _RELU, _CONV_OUT, _RELU), "(in_channels, out_channels, 3",
               "(out_channels, in_channels, 3"), "channels do not fit"),
        (_edit(_double(_CONV_IN, _RELU, _CONV_OUT, _RELU), "super().__init__(",
               "return nn.Sequential("), "hand the parts to"),
        (_edit(_double(_CONV_IN, _RELU, _CONV_OUT, _RELU), "padding=1", "padding=2"), "pads by (2, 2)"),
        (_double(_CONV_IN, _RELU, _edit(_CONV_OUT, "3,", "3, stride=2,"), _RELU), "has a stride"),
        (_double(_CONV_IN, _RELU, _edit(_CONV_OUT, "out_channels, 3", "in_channels, 3"), _RELU),
         "8 → 8 (and not 8 → 3)"),
    ],
    "up": [
        (_UP.format("2 * out_channels", "torch.cat([x, skip], dim=1)"), "behind the raised map"),
        (_UP.format("out_channels", "x + skip"), "added or left out"),
        (_UP.format("in_channels", "torch.cat([skip, x], dim=1)"), "only while widths halve"),
        (_UP.format("2 * out_channels", "torch.cat([skip, x], dim=2)"), "dim=1"),
        (
            _edit(
                _UP.format("2 * out_channels", "torch.cat([skip, x], dim=1)"),
                "fit_to(self.up(x), skip)",
                "self.up(x)",
            ),
            "odd size",
        ),
        (
            _edit(_UP.format("2 * out_channels", "torch.cat([skip, x], dim=1)"),
                  "stride=2", "stride=3"),
            "double the size",
        ),
        (
            _edit(_UP.format("2 * out_channels", "torch.cat([skip, x], dim=1)"),
                  "stride=2", "stride=2, bias=False"),
            "biases",
        ),
        (_UP.format("2 * out_channels", "torch.cat([skip, x.detach()], dim=1)"), "reaches self.up"),
        (
            _edit(_UP.format("2 * out_channels", "torch.cat([skip, x], dim=1)"),
                  "    def forward", "    @torch.no_grad()\n    def forward"),
            "no gradient",
        ),
        (_edit(_UP_RIGHT, _RAISE, "nn.Upsample(scale_factor=2)"), "a 2×2 transposed convolution"),
        (_edit(_UP_RIGHT, "DoubleConv(2 * out_channels, out_channels)",
               "nn.Conv2d(2 * out_channels, out_channels, 3, padding=1)"), "is a DoubleConv"),
        (_edit(_UP_RIGHT, "DoubleConv(2 * out_channels, out_channels)",
               "DoubleConv(2 * out_channels, 2 * out_channels)"), "gives out_channels"),
        (_edit(_UP_RIGHT, "self.conv(torch.cat([skip, x], dim=1))",
               "torch.cat([skip, x], dim=1)"), "are not mixed"),
        (_edit(_UP_RIGHT, "fit_to(self.up(x), skip)", "fit_to(skip, self.up(x))"), "fit_to(what came"),
        (_edit(_UP_RIGHT, "fit_to(self.up(x), skip)",
               "self.up(x)\n        skip = skip[..., :x.shape[-2], :x.shape[-1]]"), "was cut to fit"),
        (_edit(_UP_RIGHT, "fit_to(self.up(x), skip)",
               "F.interpolate(self.up(x), skip.shape[-2:])"), "repeats the last row"),
        (_edit(_UP_RIGHT, "fit_to(self.up(x), skip)", "fit_to(self.up(x), skip).relu()"), "no ReLU"),
        (_edit(_UP_RIGHT, "fit_to(self.up(x), skip)", "fit_to(x, skip)"), "through self.up first"),
        (_edit(_UP_RIGHT, "[skip, x]", "[skip, skip]"), "the skip is there twice"),
        (_edit(_UP_RIGHT, "[skip, x]", "[x, x]"), "the skip is not"),
        (_edit(_UP_RIGHT, "[skip, x]", "[skip.detach(), x]"), "reaches the skip"),
        (_edit(_UP_RIGHT, "torch.cat", "torch.stack"), "makes a new dimension"),
        (_edit(_UP_RIGHT, 'self.conv(torch.cat([skip, x], dim=1))', 'self.conv(x)'), 'self.conv is called once'),
        (_edit(_UP_RIGHT, 'fit_to(self.up(x), skip)', 'fit_to(self.up(self.up(x)), skip)'), 'self.up is called once'),
        (_edit(_UP_RIGHT, 'def forward(self, x, skip)', 'def forward(self, skip, x)'), 'self.up is called once'),
        (_edit(_UP_RIGHT, 'fit_to(self.up(x), skip)', 'fit_to(self.up(x), skip)\n        skip = skip.relu()'), 'up to `conv` something is different'),
        (_edit(_UP_RIGHT, 'self.conv(torch.cat([skip, x], dim=1))', 'self.conv(torch.cat([skip, x], dim=1)) + skip'), 'what comes after that is different'),
        (_edit(_UP_RIGHT, 'DoubleConv(2 * out_channels', 'DoubleConv(in_channels + out_channels'), "the raised map's channels"),
    ],
    "layers": [
        (
            _edit(_LAYERS, "nn.ModuleList([DoubleConv(a, b) for a, b in pairs])",
                  "[DoubleConv(a, b) for a, b in pairs]"),
            "plain list",
        ),
        (_edit(_LAYERS, "pairwise(reversed(widths))", "[(b, a) for a, b in pairwise(widths)]"),
         "turn the widths round"),
        (_edit(_LAYERS, "num_classes, 1)", "num_classes, 3, padding=1)"), "1×1"),
        (_edit(_LAYERS, "(in_channels, *widths[:-1])", "(in_channels, *widths)"), "bottleneck"),
        (_edit(_LAYERS, "num_classes, 1)", "19, 1)"), "arguments"),
        (_edit(_LAYERS, "DoubleConv(widths[-2], widths[-1])", "DoubleConv(128, 128)"),
         "bottleneck.0.weight has the shape"),
        (_edit(_LAYERS, "nn.MaxPool2d", "nn.AvgPool2d"), "largest"),
        (_edit(_LAYERS, "nn.MaxPool2d(2)", "nn.MaxPool2d(3, 2, 1)"), "largest"),
        (_edit(_LAYERS, "nn.ModuleList([DoubleConv(a, b) for a, b in pairs])",
               "tuple(DoubleConv(a, b) for a, b in pairs)"), "plain tuple"),
        (_edit(_LAYERS, "nn.ModuleList([DoubleConv(a, b) for a, b in pairs])",
               "(DoubleConv(a, b) for a, b in pairs)"), "plain generator"),
        (_edit(_LAYERS, "nn.MaxPool2d(2)", "[nn.MaxPool2d(2) for _ in pairs]"), "cannot be called"),
        (_edit(_LAYERS, "[Up(a, b)", "[DoubleConv(a, b)"), "has no up.0.0.weight"),
        (_edit(_LAYERS, "nn.Conv2d(widths[0], num_classes, 1)",
               "nn.Sequential(nn.Conv2d(widths[0], num_classes, 1))"), "has no head.0.weight"),
        (_edit(_LAYERS, "num_classes, 1)", "num_classes, 1, bias=False)"), "head.bias is missing"),
        (_edit(_LAYERS, "DoubleConv(widths[-2], widths[-1])",
               "nn.Conv2d(widths[-2], widths[-1], 3, padding=1)"), "has no bottleneck.weight"),
        (_edit(_LAYERS, "pairwise(reversed(widths))",
               "((256, 128), (128, 64), (64, 32), (32, 16))"), "arguments"),
        (_edit(_LAYERS, 'nn.MaxPool2d(2)', 'nn.AdaptiveMaxPool2d(2)'), 'the largest of each 2×2'),
        (_edit(_LAYERS, 'nn.MaxPool2d(2)', 'nn.MaxPool2d'), 'what self.pool gives is a MaxPool2d'),
        (_edit(_LAYERS, 'nn.ModuleList([DoubleConv(a, b) for a, b in pairs])', 'nn.ModuleList(DoubleConv(a, b) for a, b in pairwise(widths))'), 'down.0.0.weight has the shape'),
    ],
    "unet": [
        (
            _edit(_FORWARD, "skips.append(x)\n            x = self.pool(x)",
                  "x = self.pool(x)\n            skips.append(x)"),
            "before you pool it",
        ),
        (_edit(_FORWARD, "skips.pop()", "skips.pop(0)"), "last skip comes first"),
        (_edit(_FORWARD, "self.head(x)", "self.head(x).softmax(1)"), "probabilities"),
        (_edit(_FORWARD, "self.head(x)", "self.head(x).log_softmax(1)"), "log-probabilities"),
        (_edit(_FORWARD, "        return self.head(x)", "            return self.head(x)"),
         "inside the loop"),
        (_edit(_FORWARD, "skips, x = [], image", "image -= image.mean()\n        skips, x = [], image"),
         "changes its argument `image`"),
        (_edit(_FORWARD, "self.head(x)", "self.heads(x)"), "no attribute 'heads'"),
        (_edit(_FORWARD, "self.head(x)", "F.relu(self.head(x))"), "negative scores"),
        (_edit(_FORWARD, "return self.head(x)", "x = self.head(x)"), "None"),
        (_edit(_FORWARD, "self.bottleneck(x)", "F.pad(x, (0, 0, 0, 0, 0, x.shape[1]))"),
         "`bottleneck` is never called"),
        (_edit(_FORWARD, "self.pool(x)", "self.pool(x).detach()"), "another gradient"),
        (_edit(_FORWARD, "self.bottleneck(x)", "self.bottleneck(x).detach()"), "no gradient reaches"),
        (_edit(_FORWARD, "self.head(x)", "self.head(x).detach()"), "no gradient"),
        (_edit(_FORWARD, "            x = self.pool(x)\n", ""), "nothing was pooled"),
        (_edit(_FORWARD, "self.bottleneck(x)", "self.bottleneck(self.pool(x))"), "once too often"),
        (_edit(_FORWARD, "        x = self.bottleneck(x)\n", ""), "the bottleneck is left out"),
        (_edit(_FORWARD, "in self.up", "in reversed(self.up)"), "take it in order"),
        (_edit(_FORWARD, "in self.down", "in self.down[:-1]"), "a level of self.down is left out"),
        (_edit(_FORWARD, "            x = block(x)\n            skips.append(x)",
               "            skips.append(x)\n            x = block(x)"), "not what goes into it"),
        (_edit(_FORWARD, "skips.pop()", "x"), "not x"),
        (_edit(_FORWARD, "up(x, skips.pop())", "up(skips.pop(), x)"), "comes from below first"),
        (_edit(_FORWARD, "up(x, skips.pop())", "up(torch.cat([x, skips.pop()], 1))"), "by itself"),
        (_edit(_FORWARD, "skips.pop()", "0 * skips.pop()"), "the skips have no effect"),
        (_edit(_FORWARD, "self.head(x)", "self.head(x).sigmoid()"), "a sigmoid"),
        (_edit(_FORWARD, "[], image", "[], image / 255"), "whitened already"),
        (_edit(_FORWARD, "for up in self.up:\n            x = up(", "for i in range(4):\n"
               "            x = self.up[i]("), "number of levels is written in"),
        (_edit(_FORWARD, 'x = block(x)\n            skips.append(x)', 'skips.append(block(x))'), 'x = block(x)'),
        (_edit(_FORWARD, 'skips.pop()', 'skips[-1]'), 'a skip of its own'),
        (_edit(_FORWARD, '[], image', '[], image.mean(1, keepdim=True)'), 'with its channels'),
        (_edit(_FORWARD, 'in self.up:', 'in self.up[:-1]:'), 'a step up is left out'),
        (_edit(_FORWARD, 'self.bottleneck(x)', 'self.bottleneck(self.bottleneck(x))'), 'self.bottleneck is called once'),
        (_edit(_FORWARD, '            x = self.pool(x)\n', '            x = self.pool(self.pool(x))\n'), 'four times in all'),
        (_edit(_FORWARD, 'self.bottleneck(x)', 'self.pool(self.bottleneck(x))'), 'up to `up.0` something is different'),
        (_edit(_FORWARD, 'self.head(x)', 'self.head(F.dropout(x, 0.5))'), 'up to `head` something is different'),
        (_edit(_FORWARD, "x = self.bottleneck(x)", "x = self.bottleneck(x)\n        skips.pop()"), "the skip of the last level is missing"),
        (_edit(_FORWARD, "        x = self.bottleneck(x)", "            x = self.bottleneck(x)"), "the bottleneck comes once, behind the last level"),
        (_edit(_FORWARD, "x = up(x, skips.pop())", "x = self.pool(up(x, skips.pop()))"), "nothing is pooled on the way up"),
        (_edit(_FORWARD, "self.head(x)", "x"), "the head is left out"),
        (_edit(_FORWARD, 'self.head(x)', 'self.head(x) / 10'), 'what comes after that is different'),
    ],
    "cross-entropy": [
        (_edit(_LOSS, "/ weights[target].sum()", "/ target.numel()"), "sum of their weights"),
        (_edit(_LOSS, "-log_p", "log_p"), "sign"),
        (_edit(_LOSS, "dim=1", "dim=-1"), "classes are dimension 1"),
        (_edit(_LOSS, "/ weights[target].sum()", "/ weights.sum()"), "sum those of the pixels"),
        (_edit(_LOSS, "/ weights[target].sum()", "/ len(target)"), "number of images"),
        (_edit(_LOSS, "[:, 0]", ""), "pairs all images"),
        (_edit(_LOSS, "weights[target]", "(1 / weights[target])"), "you divided by the weights"),
        (_edit(_LOSS, "target[:, None]", "target"), "as many dimensions"),
        (("def weighted_cross_entropy(logits, target, weights):\n"
         "    return F.cross_entropy(logits, target, weights)"), "uses `F.cross_entropy`"),
        (("from torch.nn.functional import cross_entropy as ce\n"
         "def weighted_cross_entropy(logits, target, weights):\n"
         "    return ce(logits, target, weights)"), "uses `F.cross_entropy`"),
        (("import torch.nn as layers\n"
         "def weighted_cross_entropy(logits, target, weights):\n"
         "    return layers.CrossEntropyLoss(weight=weights)(logits, target)"),
         "write it from the definition"),
        (_edit(_LOSS, "-log_p.gather(1, target[:, None])[:, 0]", "F.nll_loss(log_p, target, reduction='none')"), "uses `F.nll_loss`"),
        (_edit(_LOSS, "    return", "    weights *= 2\n    return"), "argument `weights`"),
        (_edit(_LOSS, "F.log_softmax(logits, dim=1)", "logits.softmax(1).log()"), "log_softmax"),
        (
            _edit(_LOSS, "F.log_softmax(logits, dim=1)", "(logits.softmax(1) + 1e-7).log()"),
            "do not clamp",
        ),
        (_edit(_LOSS, "weights[target]", "torch.ones(target.shape)"), "no effect"),
        (_edit(_LOSS, " / weights[target].sum()", ""), "sum over the pixels"),
        (_edit(_LOSS, "(weights[target] * loss).sum() / weights[target].sum()",
               "torch.tensor(((weights[target] * loss).sum() / weights[target].sum()).item())"),
         "no gradient"),
        (_edit(_LOSS, "/ weights[target].sum()",
               "/ weights[target].sum() + 0 * logits.square().sum() + logits.mean()"
               " - logits.mean().detach()"),
         "gradient of Eq. 3"),
        (_edit(_LOSS, "F.log_softmax(logits, dim=1)", "logits.softmax(1)"), "logarithm is missing"),
        (_edit(_LOSS, "F.log_softmax(logits, dim=1)", "F.log_softmax(logits.softmax(1), 1)"), "twice"),
        (_edit(_LOSS, "F.log_softmax(logits, dim=1)", "logits"), "the softmax is missing"),
        (_edit(_LOSS, "F.log_softmax(logits, dim=1)", "F.logsigmoid(logits)"), "no sigmoid"),
        (_edit(_LOSS, "dim=1)", "dim=1) / np.log(10)"), "base 10"),
        (_edit(_LOSS, "dim=1)", "dim=0)"), "softmax over the images"),
        (_edit(_LOSS, "gather(1", "gather(0"), "classes are dimension 1"),
        (_edit(_LOSS, "(weights[target] * loss)", "loss"), "stand below alone"),
        (_edit(_LOSS, "weights[target] * loss", "weights * loss"), "one number a class"),
        (_edit(_LOSS, "(weights[target] * loss).sum()", "weights[target] * loss"), "take their sum"),
        (_edit(_LOSS, "(weights[target] * loss).sum() / weights[target].sum()",
               "((weights[target] * loss).sum((1, 2)) / weights[target].sum((1, 2))).mean()"),
         "the images' losses"),
        ("""
def weighted_cross_entropy(logits, target, weights):
    y = F.one_hot(target, logits.shape[1]).reshape(logits.shape)
    w = weights.view(1, -1, 1, 1) * y
    return -(w * logits.log_softmax(1)).sum() / w.sum()
""", "does not move dimensions"),
        ("""
def weighted_cross_entropy(logits, target, weights):
    y = F.one_hot(target, logits.shape[1]).movedim(-1, 1)
    return -(weights.view(1, -1, 1, 1) * y * logits.log_softmax(1)).mean()
""", "over the classes, too"),
        (_edit(_LOSS, 'weights[target] * loss).sum()', 'weights[target] * loss).mean()'), 'it is the mean over all pixels'),
        (_edit(_LOSS, 'weights[target]', 'weights[target].sqrt()'), 'no root'),
        (_edit(_LOSS, 'weights[target]', 'weights[logits.argmax(1)]'), 'how unequal ones enter'),
        (_edit(_LOSS, '(weights[target] * loss).sum() / weights[target].sum()', '((weights / weights.sum())[target] * loss).mean()'), 'sum those of the pixels'),
        (_edit(_LOSS, 'weights[target].sum()', '(weights[target].sum() + 1)'), 'of a single pixel'),
        (_edit(_LOSS, '-log_p.gather(1, target[:, None])[:, 0]', '-log_p[target]'), 'an index picks images'),
        (_edit(_LOSS, '-log_p.gather(1, target[:, None])[:, 0]', '-log_p.max(1).values'), 'not the likeliest'),
        ("""
def weighted_cross_entropy(logits, target, weights):
    y = F.one_hot(target, logits.shape[1]).movedim(-1, 1)
    w = weights.view(1, -1, 1, 1)
    return (w * (logits.softmax(1) - y) ** 2).sum() / weights[target].sum()
""", "a squared error"),
    ],
    "mean-iou": [
        (_IOU.format("(hit / union.clamp_min(1)).mean()"), "counted as 0"),
        (_IOU.format("(hit / union).mean()"), "not a number"),
        (_IOU.format("torch.where(union > 0, hit / union, 1.0).mean()"), "counted as 1"),
        (_IOU.format("(hit / union)[matrix.sum(1) > 0].mean()"), "counts, with 0"),
        (_IOU.format("(hit / (union + hit))[union > 0].mean()"), "twice"),
        (_IOU.format("(2 * hit / (union + hit))[union > 0].mean()"), "F1"),
        (_IOU.format("(hit / matrix.sum(1))[matrix.sum(1) > 0].mean()"), "recall"),
        (_IOU.format("hit.sum() / matrix.sum()"), "accuracy"),
        (_IOU.format("(hit / matrix.sum(0))[matrix.sum(0) > 0].mean()"), "precision"),
        (_IOU.format("100 * torch.nanmean(hit / union)"), "percent"),
        (_IOU.format("torch.nanmean((hit / union)[1:])"), "background"),
        (_edit(_IOU, "float({0})", "torch.nanmean(hit / union)"), "one number, expected: a float"),
        (_edit(_IOU, "float({0})", "(hit / union)[union > 0]"), "take their mean"),
        (_edit(_IOU, "hit = matrix", "matrix[3, 3] = 1\n    hit = matrix").format(
            "torch.nanmean(hit / union)"), "argument `matrix`"),
        (_IOU.format("(hit / union)[matrix.sum(0) > 0].mean()"), "class 5 is true"),
        (_IOU.format("(hit / union)[hit > 0].mean()"), "without a hit were left out"),
        (_IOU.format("hit.sum() / union.sum()"), "in one sum"),
        (_IOU.format("(torch.nan_to_num(hit / union) * matrix.sum(1)).sum() / matrix.sum()"),
         "take the plain mean"),
        (_IOU.format("((hit + 1) / (union + 1)).mean()"), "1 was added"),
        (_IOU.format("torch.nansum(hit / union)"), "sum of the classes' values"),
        (_IOU.format("1 - torch.nanmean(hit / union)"), "the score is asked for"),
        (_IOU.format("torch.nanmean(hit / (union - hit))"), "taken off twice"),
        (_IOU.format("torch.nanmean((hit / union).floor())"), "rounds each IoU down"),
        (_IOU.format('torch.nanmean(hit / (matrix.sum(0) * matrix.sum(1)))'), 'a table without errors'),
        (_IOU.format('torch.nanmean(hit / torch.maximum(matrix.sum(0), matrix.sum(1)))'), 'not the larger'),
        (_IOU.format('(hit / union)[union > 0].max()'), 'the best class alone'),
        (_IOU.format('(hit / union)[union > 0].min()'), "one class's value"),
        (_IOU.format('torch.nanmean(hit / union).sqrt()'), 'no root'),
        (_IOU.format('torch.nanmean(hit / matrix.sum())'), 'without errors'),
        (_IOU.format('torch.nanmean(hit / (union + 1))'), 'without errors'),
        (_IOU.format('(hit / union)[union > 1].mean()'), 'class 2 (never true)'),
        (_IOU.format('round(torch.nanmean(hit / union).item(), 2)'), 'you say 0.58'),
    ],
}  # fmt: skip

RIGHT = {
    "double-conv": [
        _double(_CONV_IN, _RELU, _CONV_OUT, _RELU),
        """
class DoubleConv(nn.Sequential):
    def __init__(self, in_channels, out_channels):
        parts = []
        for channels in (in_channels, out_channels):
            parts += [nn.Conv2d(channels, out_channels, (3, 3), padding="same"), nn.ReLU()]
        super().__init__(*parts)
""",
    ],
    "up": [_UP.format("2 * out_channels", "torch.concat((skip, x), 1)")],
    "layers": [
        _LAYERS,
        _edit(
            _LAYERS,
            "nn.ModuleList([DoubleConv(a, b) for a, b in pairs])",
            "nn.Sequential(*[DoubleConv(a, b) for a, b in pairs])",
        ),
    ],
    "unet": [_FORWARD],
    "cross-entropy": [
        """
def weighted_cross_entropy(logits, target, weights):
    log_p = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    one_hot = F.one_hot(target, logits.shape[1]).permute(0, 3, 1, 2)
    w = weights.view(1, -1, 1, 1) * one_hot
    return -(w * log_p).sum() / w.sum()
""",
    ],
    "mean-iou": [
        """
def mean_iou(matrix):
    values = []
    for c in range(len(matrix)):
        union = int(matrix[c].sum() + matrix[:, c].sum() - matrix[c, c])
        if union:
            values.append(int(matrix[c, c]) / union)
    return sum(values) / len(values)
""",
        _IOU.format("torch.nanmean(hit / union)"),
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "double-conv": [
        (
            "nn.ReLU(inplace=True),",
            "nn.ReLU(inplace=True), → nn.ReLU(),",
            "the same values, in more memory",
        ),
        (
            "nn.ReLU(inplace=True),",
            "nn.ReLU(inplace=True), → nn.ReLU(inplace=False),",
            "the same values, in more memory",
        ),
        (
            "nn.ReLU(inplace=True),",
            "nn.ReLU(inplace=True)) → nn.ReLU())",
            "the same values, in more memory",
        ),
        (
            "nn.ReLU(inplace=True),",
            "nn.ReLU(inplace=True)) → nn.ReLU(inplace=False))",
            "the same values, in more memory",
        ),
    ],
    "up": [
        (
            "self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
    ],
    "layers": [
        (
            "self.down = nn.ModuleList(",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "self.pool = nn.MaxPool2d(2)",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "self.bottleneck = DoubleConv(widths[-2], widths[-1])",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "self.up = nn.ModuleList(Up(a, b) for a, b in pairwise(widths[::-1]))",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
    ],
    "unet": [
        (
            "skips = []",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "for up, skip in zip(self.up, reversed(skips), strict=True):",
            "reversed(skips), strict=True): → reversed(skips)):",
            "both have one item for each level",
        ),
        (
            "for up, skip in zip(self.up, reversed(skips), strict=True):",
            "strict=True): → strict=False):",
            "both have one item for each level",
        ),
    ],
    "cross-entropy": [
        (
            "log_p = F.log_softmax(logits, dim=1)",
            "F.log_softmax(logits, dim=1) → F.log_softmax(logits)",
            "with four dimensions PyTorch takes dimension 1 by itself, and warns",
        ),
        (
            "loss = -log_p.gather(1, target[:, None])[:, 0]  # (B, H, W)",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
    ],
    "mean-iou": [
        (
            "hit = matrix.diagonal().double()",
            "matrix.diagonal().double() → matrix.diagonal().double().detach()",
            "counts have no gradient",
        ),
        (
            "hit = matrix.diagonal().double()",
            "matrix.diagonal().double() → matrix.diagonal()",
            "whole numbers divide into floats that are exact enough",
        ),
    ],
}
