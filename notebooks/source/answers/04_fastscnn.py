"""What to try on the checks of lesson 04."""

from __future__ import annotations

_SEPARABLE = """
class SeparableConv(nn.Sequential):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__({0})
"""

_DEPTH = "conv_bn_relu(in_channels, in_channels, 3, stride, groups=in_channels)"
_POINT = "conv_bn_relu(in_channels, out_channels)"

_INVERTED = """
class InvertedResidual(nn.Module):
    def __init__(self, in_channels, out_channels, stride, expansion):
        super().__init__()
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.layers = nn.Sequential(
            conv_bn_relu(in_channels, hidden, 1),
            conv_bn_relu(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )

    def forward(self, x):
        if self.residual:
            return self.layers(x) + x
        return self.layers(x)
"""

_PPM = """
class PyramidPooling(nn.Module):
    def __init__(self, channels, bins, out_channels):
        super().__init__()
        self.bins = bins
        share = channels // len(bins)
        self.reduce = nn.ModuleList([conv_bn_relu(channels, share) for grid in bins])
        self.project = conv_bn_relu(channels + len(bins) * share, out_channels)

    def forward(self, x):
        maps = [x]
        for i, grid in enumerate(self.bins):
            small = self.reduce[i](F.adaptive_avg_pool2d(x, (grid, grid)))
            maps.append(F.interpolate(small, size=x.shape[2:], mode="bilinear"))
        return self.project(torch.cat(maps, 1))
"""

_FUSION = """
class FeatureFusion(nn.Module):
    def __init__(self, fine, coarse, width):
        super().__init__()
        self.low = nn.Sequential(
            conv_bn_relu(coarse, coarse, 3, groups=coarse),
            nn.Conv2d(coarse, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.high = nn.Sequential(nn.Conv2d(fine, width, 1, bias=False), nn.BatchNorm2d(width))
        self.mix = conv_bn_relu(width, width)

    def forward(self, fine, coarse):
        size = fine.shape[-2:]
        coarse = self.low(F.interpolate(coarse, size, mode="bilinear", align_corners=False))
        both = (self.high(fine) + coarse).relu()
        return self.mix(both)
"""

_NETWORK = """
class FastSCNN(nn.Module):
    def __init__(self, num_classes=19, downsample=(32, 48, 64), bottlenecks=(64, 96, 128), width=128):
        super().__init__()
        self.learning_to_downsample = LearningToDownsample(downsample)
        self.global_feature_extractor = GlobalFeatureExtractor(downsample[-1], bottlenecks, width)
        self.feature_fusion = FeatureFusion(downsample[-1], width, width)
        self.classifier = Classifier(width, num_classes)

    def forward(self, image):
        fine = self.learning_to_downsample(image)
        coarse = self.global_feature_extractor(fine)
        logits = self.classifier(self.feature_fusion(fine, coarse))
        return F.interpolate(logits, image.shape[-2:], mode="bilinear")
"""

_THROUGH = """
def through_stride(maps, stride, num_classes):
    shares = F.one_hot(maps, num_classes).permute(0, 3, 1, 2).float()
    shares = F.avg_pool2d(shares, stride)
    return F.interpolate(shares, maps.shape[-2:], mode="bilinear").argmax(1)
"""


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


def _separable(*parts: str) -> str:
    return _SEPARABLE.format(", ".join(parts))


_BARE = (
    "nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False)",
    "nn.BatchNorm2d(in_channels)",
)
_LAST = ("nn.Conv2d(in_channels, out_channels, 1, bias=False)", "nn.BatchNorm2d(out_channels)")

WRONG = {
    "separable-conv": [
        (_separable(_edit(_DEPTH, ", groups=in_channels", ""), _POINT), "mixes all channels"),
        (_separable(_POINT, _edit(_DEPTH, "in_channels", "out_channels")), "the 1×1 comes first"),
        (
            _separable(
                "conv_bn_relu(in_channels, out_channels, 3, stride, groups=in_channels)",
                "conv_bn_relu(out_channels, out_channels)",
            ),
            "changes the number of channels",
        ),
        (_separable(_DEPTH, "conv_bn_relu(in_channels, out_channels, 3)"), "looks around again"),
        (_separable("conv_bn_relu(in_channels, out_channels, 3, stride)"), "a depthwise 3×3"),
        (
            _separable(_edit(_DEPTH, "stride", "1"), _edit(_POINT, ")", ", 1, stride)")),
            "the 1×1 strides",
        ),
        (_separable(_edit(_DEPTH, "3, stride,", "3,"), _POINT), "does not reach the 3×3"),
        (_separable(_DEPTH, _edit(_POINT, ")", ", 1, stride)")), "the 1×1 strides"),
        (
            _separable(f"nn.Sequential({', '.join(_BARE)})", _POINT),
            "no ReLU between the two steps",
        ),
        (_separable(_DEPTH, f"nn.Sequential({', '.join(_LAST)})"), "no ReLU at the end"),
        (
            _edit(_separable(_DEPTH, f"nn.Sequential({', '.join(_LAST)}, nn.ReLU())"),
                  ", bias=False", ""),
            "convolution without bias",
        ),
        (_separable(*_BARE, "nn.ReLU()", *_LAST, "nn.ReLU()"), "two conv_bn_relu"),
        (
            _separable(f"nn.Sequential({_BARE[0]}, nn.ReLU())",
                       f"nn.Sequential({_LAST[0]}, nn.ReLU())"),
            "batch normalisation",
        ),
        (
            _separable(f"[{_DEPTH}, {_POINT}]"),
            "not in a list",
        ),
        (_edit(_separable(_DEPTH, _POINT), "super().__init__(", "nn.Sequential("),
         "`super().__init__()` is missing"),
        (_separable(_edit(_DEPTH, "stride", "2"), _POINT), "at the size that stride gives"),
        (_separable(_edit(_DEPTH, "in_channels, in_channels", "6, 6").replace("=in_", "=6 or in_"),
                    "conv_bn_relu(6, 12)"), "each step: convolution"),
        (_separable(_edit(_DEPTH, ", groups=in_channels", ", groups=6"), _POINT),
         "divisible by groups"),
        (
            _separable(f"nn.Sequential({', '.join(_BARE)}, nn.ReLU6())",
                       f"nn.Sequential({', '.join(_LAST)}, nn.ReLU6())"),
            "this is ReLU6",
        ),
        (
            _separable(f"nn.Sequential({_BARE[0].replace('stride, 1,', 'stride, 2, 2,')}, "
                       f"{_BARE[1]}, nn.ReLU())", _POINT),
            "the 3×3 is dilated",
        ),
        (
            _separable(f"nn.Sequential({_BARE[0].replace('False)', 'False, padding_mode=0)')}, "
                       f"{_BARE[1]}, nn.ReLU())", _POINT).replace("=0)", "='reflect')"),
            "leave the padding",
        ),
        (_separable(_DEPTH), "a depthwise 3×3, then a 1×1"),
        (_separable(_DEPTH, "nn.Conv2d(in_channels, out_channels, 1)"), "convolution without bias"),
        (_separable(_DEPTH, _edit(_POINT, ")", ", groups=in_channels)")), "a depthwise 3×3, then a 1×1"),
        (_separable(_DEPTH, _edit(_POINT, "in_channels", "out_channels")), "then a 1×1, 6 → 12"),
        (_separable(_edit(_DEPTH, "3, stride", "5, stride"), _POINT), "a depthwise 3×3"),
        (_separable(_edit(_DEPTH, "groups=in_channels", "groups=out_channels"), _POINT),
         "divisible by groups"),
        (_separable(_edit(_DEPTH, "in_channels)", "in_channels).requires_grad_(False)"), _POINT),
         "is frozen"),
        (_edit(_separable(_DEPTH, _POINT), "super().__init__(",
               "super().__init__()\n        self.layers = nn.Sequential("), "two conv_bn_relu"),
    ],
    "inverted-residual": [
        (
            _edit(_INVERTED, "stride == 1 and in_channels == out_channels", "stride == 1"),
            "a sum of different shapes",
        ),
        (
            _edit(_INVERTED, "stride == 1 and in_channels == out_channels",
                  "in_channels == out_channels"),
            "a sum of different shapes",
        ),
        (
            _edit(_INVERTED, "stride == 1 and in_channels == out_channels", "False"),
            "here a shortcut belongs",
        ),
        (_edit(_INVERTED, "self.layers(x) + x", "F.relu(self.layers(x) + x)"), "after the sum"),
        (
            _edit(_INVERTED, "nn.Conv2d(hidden, out_channels, 1, bias=False),\n"
                  "            nn.BatchNorm2d(out_channels),",
                  "conv_bn_relu(hidden, out_channels),"),
            "two conv_bn_relu, convolution, normalisation",
        ),
        (_edit(_INVERTED, "in_channels * expansion", "out_channels * expansion"),
         "expansion times in_channels"),
        (_edit(_INVERTED, "in_channels * expansion", "expansion"), "expansion is a factor"),
        (_edit(_INVERTED, ", groups=hidden", ""), "set its groups"),
        (_edit(_INVERTED, "groups=hidden", "groups=expansion"), "as many groups"),
        (
            _edit(_edit(_INVERTED, "3, stride, groups", "3, 1, groups"),
                  "nn.Conv2d(hidden, out_channels, 1, bias", "nn.Conv2d(hidden, out_channels, 1, stride, bias"),
            "a 1×1 strides",
        ),
        (_edit(_INVERTED, "3, stride, groups", "3, groups"), "should stride as asked"),
        (_edit(_INVERTED, ", bias=False", ""), "biases"),
        (
            _edit(_INVERTED, "        self.layers =",
                  "        self.project = conv_bn_relu(in_channels, out_channels, 1, stride)\n"
                  "        self.layers ="),
            "outside of self.layers",
        ),
        (
            _edit(_INVERTED, "conv_bn_relu(in_channels, hidden, 1),",
                  "nn.Sequential(nn.Conv2d(in_channels, hidden, 1, bias=False),"
                  " nn.BatchNorm2d(hidden), nn.ReLU6()),"),
            "ReLU6",
        ),
        (
            _edit(_INVERTED, "conv_bn_relu(in_channels, hidden, 1),",
                  "conv_bn_relu(in_channels, hidden, 1)[:2],"),
            "no ReLU behind the first",
        ),
        (_edit(_INVERTED, "self.layers(x) + x", "self.layers(x) * x"), "are multiplied"),
        (_edit(_INVERTED, "self.layers(x) + x", "self.layers(x) + x.relu()"), "as it came"),
        (_edit(_INVERTED, "self.layers(x) + x", "(self.layers(x) + x).detach()"), "no gradient"),
        (_edit(_INVERTED, "return self.layers(x) + x", "x += self.layers(x)\n            return x"),
         "changes its argument `x`"),
        (_edit(_INVERTED, "in_channels * expansion", "in_channels * 6"), "not always 6"),
        (_edit(_INVERTED, "        super().__init__()\n", ""), "`super().__init__()` is missing"),
        (_edit(_INVERTED, "nn.Sequential(", "nn.ModuleList([").replace("),\n        )", "),\n        ])"),
         "expected: a Sequential"),
        (_edit(_INVERTED, "nn.Sequential(", "(").replace("self.layers(x)", "nn.Sequential(*self.layers)(x)"),
         "is a tuple of 4"),
        (_edit(_INVERTED, "self.layers", "self.block"), "is None, expected: a Sequential"),
        (_edit(_INVERTED, "in_channels * expansion", "in_channels * expansion / 1"),
         "divide whole numbers"),
        (_edit(_INVERTED, "        return self.layers(x)\n", ""), "end in a `return`"),
        (_edit(_INVERTED, "        return self.layers(x)\n", "        return self.layers(x).relu()\n"),
         "nothing after the body"),
        (
            _edit(_INVERTED, "        return self.layers(x)\n",
                  "        out = self.layers(x)\n"
                  "        if out.shape[1] > x.shape[1]:\n"
                  "            return out + F.pad(x, (0, 0, 0, 0, 0, out.shape[1] - x.shape[1]))\n"
                  "        return out\n"),
            "no shortcut here",
        ),
        (_edit(_INVERTED, "groups=hidden),", "groups=hidden)[:2],"), "behind the second step"),
        (_edit(_INVERTED, "self.layers(x) + x", "self.layers(x) + x.detach()"), "by the shortcut"),
        (_edit(_INVERTED, "in_channels * expansion", "in_channels"), "expansion has no effect"),
        (_edit(_INVERTED, "in_channels * expansion", "in_channels + expansion"), "is a factor: multiply"),
        (_edit(_INVERTED, "nn.BatchNorm2d(out_channels)", "nn.BatchNorm2d(hidden)"),
         "the normalisation of out_channels"),
        (
            _edit(_INVERTED, "nn.Conv2d(hidden, out_channels, 1, bias=False),\n"
                  "            nn.BatchNorm2d(out_channels),",
                  "nn.BatchNorm2d(hidden),\n"
                  "            nn.Conv2d(hidden, out_channels, 1, bias=False),"),
            "the normalisation of out_channels",
        ),
        (_edit(_INVERTED, "            nn.BatchNorm2d(out_channels),\n", ""), "two conv_bn_relu"),
        (_edit(_INVERTED, "conv_bn_relu(hidden, hidden, 3,", "conv_bn_relu(hidden, hidden, 5,"),
         "depthwise 24"),
        (_edit(_INVERTED, "self.layers(x) + x", "torch.cat([self.layers(x), x], 1)"), "is concatenated"),
        (_edit(_INVERTED, "self.layers(x) + x", "x + 2 * self.layers(x)"), "layers(x) is added twice"),
        (_edit(_INVERTED, "self.layers(x) + x", "torch.maximum(self.layers(x), x)"), "the larger of the two is taken: add them"),
        (_edit(_INVERTED, "self.layers(x) + x", "x - self.layers(x)"), "what layers gives is taken away: add it"),
        (_edit(_INVERTED, "return self.layers(x) + x", "return x"), "layers is never called, or its answer is thrown away"),
        (_edit(_INVERTED, "self.layers(x) + x", "self.layers(x).relu() + x"), "the last step is linear: nothing follows layers"),
        (_edit(_INVERTED, "self.layers(x) + x", "x.mean((2, 3), keepdim=True) + self.layers(x)"), "the mean of x is added: add x itself"),
        (_edit(_INVERTED, "stride == 1 and in_channels == out_channels", "in_channels != out_channels"), "de 1 and as many channels out as in: here a shortcut belongs"),
        (_edit(_INVERTED, "conv_bn_relu(hidden, hidden, 3, stride, groups=hidden)", "conv_bn_relu(hidden, hidden, 3, stride, groups=hidden), conv_bn_relu(hidden, hidden, 3, 1, groups=hidden)"), "re three convolutions in it, not 4: widen, depthwise, narrow"),
        (_edit(_INVERTED, "            nn.BatchNorm2d(out_channels),\n", "            nn.BatchNorm2d(out_channels),\n            nn.ReLU(),\n"), "there is a ReLU at the narrow end: the last step is linear"),
        (_edit(_edit(_INVERTED, "conv_bn_relu(in_channels, hidden, 1)", "conv_bn_relu(in_channels, hidden, 1, stride)"), "hidden, 3, stride", "hidden, 3, 1"), "a 1×1 strides: it reads one pixel of four"),
        (_edit(_INVERTED, "self.layers(x) + x", "self.layers(x) - x"), "x is taken away: add it"),
        (_edit(_INVERTED, "self.layers(x) + x", "(self.layers(x) + x) / 2"), "the sum is halved: add, no more"),
        (_edit(_INVERTED, "self.layers(x) + x", "self.layers(x) + self.layers(x)"), "layers(x) is added to itself: add x"),
        (_edit(_INVERTED, "        if self.residual:", "        if x.shape == self.layers(x).shape:"), "0.1.running_mean has moved otherwise: call layers once"),
        (_edit(_INVERTED, "bias=False", "bias=True"), "leave the convolutions' biases out, no more"),
        (_edit(_INVERTED, "self.layers(x) + x", "self.layers(x) + F.dropout(x, 0.1)"), "called twice, two answers: is there a dropout?"),
        (_edit(_INVERTED, "            conv_bn_relu(in_channels, hidden, 1),\n", ""), "re three convolutions in it, not 2: widen, depthwise, narrow"),
    ],
    "pyramid-pooling": [
        (_edit(_PPM, "torch.cat(maps, 1)", "torch.cat([x + small.mean(), *maps[1:]], 1)"), "something is done to x"),
        (_edit(_PPM, "adaptive_avg_pool2d", "adaptive_max_pool2d"), "largest value"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", "F.avg_pool2d(x, grid)"),
         "not bins of n × n pixels"),
        (_edit(_PPM, ', mode="bilinear"', ""), "mode is bilinear"),
        (_edit(_PPM, 'mode="bilinear"', 'mode="bilinear", align_corners=True'), "align_corners"),
        (
            _edit(_edit(_PPM, "maps = [x]", "maps = []"), "torch.cat(maps, 1)",
                  "torch.cat([*maps, x], 1)"),
            "behind the means",
        ),
        (
            _edit(_edit(_PPM, "maps = [x]", "maps = []"), "channels + len(bins) * share",
                  "len(bins) * share"),
            "the means alone",
        ),
        (_edit(_PPM, "channels + len(bins) * share", "2 * channels"), "3 times 2 is not 8"),
        (_edit(_PPM, "share = channels // len(bins)", "share = channels"), "channels // len(bins)"),
        (_edit(_PPM, "nn.ModuleList([conv_bn_relu(channels, share) for grid in bins])",
               "[conv_bn_relu(channels, share) for grid in bins]"), "plain list"),
        (_edit(_PPM, "nn.ModuleList([conv_bn_relu(channels, share) for grid in bins])",
               "nn.ModuleList([conv_bn_relu(channels, share)])"), "do not share"),
        (_edit(_PPM, "torch.cat(maps, 1)", "torch.cat(maps, 2)"), "cat dim=1"),
        (
            _edit(_edit(_PPM, "self.reduce[i](F.adaptive_avg_pool2d(x, (grid, grid)))",
                        "F.adaptive_avg_pool2d(x, grid)"),
                  "maps.append(F.interpolate(small, size=x.shape[2:], mode=\"bilinear\"))",
                  "maps.append(self.reduce[i](F.interpolate(small, x.shape[2:], mode=\"bilinear\")))"),
            "reduce while the map is small",
        ),
        (_edit(_PPM, "return self.project", "self.project"), "end in a `return`"),
        (_edit(_PPM, "torch.cat(maps, 1)", "torch.cat(maps, 1).detach()"), "no gradient reaches"),
        (_edit(_PPM, "channels // len(bins)", "channels / len(bins)"), "a whole number of channels"),
        (_edit(_PPM, "size=x.shape[2:]", "size=x.shape"), "the height and width alone"),
        (_edit(_PPM, ".interpolate(small, size=x.shape[2:]", ".interpolate(small, scale_factor=2"),
         "enlarge to the height and width of x"),
        (_edit(_PPM, "self.bins = bins", "self.bins = (1, 2, 3, 6)"), "the grids as they came"),
        (_edit(_PPM, "        self.bins = bins\n", "").replace("self.bins", "(1, 2, 3)"),
         "there is no self.bins"),
        (_edit(_PPM, "for grid in bins]", "for grid in range(4)]"), "one block for each grid"),
        (_edit(_PPM, "share = channels // len(bins)", "share = 2"), "9 channels to 4 for 2 grids"),
        (
            _edit(_PPM, "[conv_bn_relu(channels, share) for grid in bins]",
                  "[nn.Sequential(nn.AdaptiveAvgPool2d(grid), *conv_bn_relu(channels, share))"
                  " for grid in bins]")
            .replace("F.adaptive_avg_pool2d(x, (grid, grid))", "x"),
            "there is no reduce.0.0.weight",
        ),
        (_edit(_PPM, "[conv_bn_relu(channels, share) for", "[nn.Conv2d(channels, share, 1) for"),
         "there is no reduce.0.0.weight"),
        (_edit(_PPM, "torch.cat(maps, 1)", "maps"), "got (list"),
        (_edit(_PPM, "self.reduce[i](", "self.reduce("), "a ModuleList is not called"),
        (_edit(_PPM, "(x, (grid, grid))", "(x.sub_(x.mean()), (grid, grid))"),
         "changes its argument `x`"),
        (_edit(_PPM, "            small = self", "            x = self").replace("(small,", "(x,"),
         "gets 8 channels"),
        (_edit(_PPM, "conv_bn_relu(channels, share) for", "conv_bn_relu(channels, share)[:2] for"),
         "with its ReLU"),
        (_edit(_PPM, "+ len(bins) * share, out_channels)", "+ len(bins) * share, out_channels)[:2]"),
         "with its ReLU"),
        (_edit(_PPM, "+ len(bins) * share, out_channels)",
               "+ len(bins) * share, out_channels).append(nn.Dropout(0.1))"), "as it is"),
        (_edit(_PPM, "[conv_bn_relu(channels, share) for grid in bins]",
               "[conv_bn_relu(channels, share)] * len(bins)"), "do not share"),
        (_edit(_PPM, "self.bins = bins", "self.bins = len(bins)"), "self.bins is an int"),
        (_edit(_PPM, "self.reduce[i](F.adaptive_avg_pool2d(x, (grid, grid)))",
               "F.adaptive_avg_pool2d(self.reduce[i](x), (grid, grid))"), "the means first"),
        (_edit(_PPM, "(x, (grid, grid))", "(x, grid * grid)"), "pooled to n² × n² bins"),
        (_edit(_PPM, "(x, (grid, grid))", "(x, 1)"), "the same grid every time"),
        (_edit(_PPM, "            maps.append(F", "            maps.insert(1, F"),
         "in the order of the grids"),
        (_edit(_PPM, "torch.cat(maps, 1)", "sum(maps)"), "then torch.cat"),
        (_edit(_PPM, "torch.cat(maps, 1)", "torch.stack(maps, 1)"), "then torch.cat"),
        (_edit(_PPM, "self.project(torch.cat(maps, 1))", "torch.cat(maps, 1)"), "out_channels should"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", "F.adaptive_avg_pool2d(x, (grid, grid)) * grid**2"), "these are sums: a bin gives its mean"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", "x"), "nothing is pooled"),
        (_edit(_PPM, "for i, grid in enumerate(self.bins)", "for i, grid in enumerate(sorted(self.bins, reverse=True))"), "each block of reduce goes with its own grid"),
        (_edit(_PPM, "self.project(torch.cat(maps, 1))", "self.project[:2](torch.cat(maps, 1))"), "project's ReLU is left out: call all of it"),
        (_edit(_PPM, "self.project(torch.cat(maps, 1))", "self.project(torch.cat(maps, 1)).softmax(1)"), "these are features, no scores: no softmax after project"),
        (_edit(_PPM, "maps = [x]", "maps = [x.relu()]"), "x stands in front as it came: no ReLU"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", "F.adaptive_avg_pool2d(x, (grid, grid)).relu()"), "a ReLU before reduce: pool, then reduce"),
        (_edit(_PPM, "self.project(torch.cat(maps, 1))", "self.project(F.dropout(torch.cat(maps, 1), 0.1, self.training))"), "else comes out: add nothing of your own, call each part once"),
        (_edit(_PPM, "maps.append(F", "maps.append(0 * F"), "the maps are thrown away"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", "F.interpolate(x, (grid, grid))"), "one pixel of each bin: average all of it"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", "F.adaptive_avg_pool2d(x.detach(), (grid, grid))"), "another gradient reaches x: detach nothing"),
        (_edit(_PPM, "self.reduce[i]", "self.reduce[0]"), "the same block of reduce for every grid: each has its own"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", "F.avg_pool2d(x, grid, 1, grid // 2)"), "a grid of n × n bins, not a window round each pixel"),
        (_edit(_PPM, "(grid, grid)", "(1, grid)"), "a grid of n × n bins, not of one row"),
        (_edit(_PPM, "(grid, grid)", "(grid, 1)"), "a grid of n × n bins, not of one column"),
        (_edit(_PPM, "return self.project(", "return x[:, :1] + self.project("), "nothing is added to what project gives"),
        (_edit(_PPM, "conv_bn_relu(channels, share) for", "conv_bn_relu(channels, share, 3) for"), "1: reduce and project are of conv_bn_relu, as the table says"),
        (_edit(_PPM, "conv_bn_relu(channels + len(bins) * share, out_channels)", "nn.Conv2d(channels + len(bins) * share, out_channels, 1)"), "t: reduce and project are of conv_bn_relu, as the table says"),
        (_edit(_PPM, "F.adaptive_avg_pool2d(x, (grid, grid))", 'F.interpolate(x, (grid, grid), mode="bilinear")'), "hrunk bilinearly, which looks at 4 pixels: average over bins"),
        (_edit(_PPM, "for i, grid in enumerate(self.bins)", "for i, grid in enumerate(range(1, 4))"), "grids are written in: go through self.bins"),
    ],
    "feature-fusion": [
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "self.high(fine) + coarse"),
         "a ReLU is missing"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()",
               "self.high(fine).relu() + coarse.relu()"), "one ReLU, behind the sum"),
        (_edit(_FUSION, "return self.mix(both)", "return both"), "the paper's end"),
        (
            _edit(_FUSION, "self.low(F.interpolate(coarse, size, mode=\"bilinear\", align_corners=False))",
                  "F.interpolate(self.low(coarse), size, mode=\"bilinear\")"),
            "first enlarge",
        ),
        (_edit(_FUSION, ', mode="bilinear", align_corners=False', ""), "bilinearly"),
        (_edit(_FUSION, "align_corners=False", "align_corners=True"), "align_corners"),
        (_edit(_FUSION, "coarse, size, mode", "coarse, scale_factor=4, mode"), "the size of the fine"),
        (_edit(_FUSION, "F.interpolate(coarse, size, mode=\"bilinear\", align_corners=False)",
               "coarse"), "enlarge the coarse map"),
        (_edit(_FUSION, "self.high(fine) + coarse", "self.high(fine) * coarse"), "are multiplied"),
        (_edit(_FUSION, "self.high(fine) + coarse", "self.high(fine)"), "coarse path is left out"),
        (_edit(_FUSION, "self.high(fine) + coarse", "coarse"), "fine path is left out"),
        (
            _edit(_edit(_FUSION, "conv_bn_relu(width, width)", "conv_bn_relu(2 * width, width)"),
                  "(self.high(fine) + coarse).relu()", "torch.cat([self.high(fine), coarse], 1).relu()"),
            "add them",
        ),
        (_edit(_FUSION, ", groups=coarse", ""), "depthwise"),
        (_edit(_FUSION, "nn.Sequential(nn.Conv2d(fine, width, 1, bias=False), nn.BatchNorm2d(width))",
               "conv_bn_relu(fine, width)"), "high ends in a ReLU"),
        (_edit(_FUSION, "nn.BatchNorm2d(width),\n", "nn.BatchNorm2d(width), nn.ReLU(),\n"),
         "low ends in a ReLU"),
        (_edit(_FUSION, "nn.Sequential(nn.Conv2d(fine, width, 1, bias=False), nn.BatchNorm2d(width))",
               "nn.Conv2d(fine, width, 1, bias=False)"), "normalisation behind each"),
        (_edit(_FUSION, ", bias=False", ""), "no biases"),
        (_edit(_FUSION, "return self.mix(both)", "return self.mix(both).detach()"), "no gradient"),
        (_edit(_FUSION, "self.high(fine) + coarse", "self.low(fine) + coarse"),
         "fine goes through high"),
        (_edit(_FUSION, "size = fine.shape[-2:]", "size = fine.shape"), "the height and width alone"),
        (_edit(_FUSION, "self.mix = conv_bn_relu(width, width)",
               "self.mix = nn.Conv2d(width, width, 1)"), "a normalisation behind each"),
        (_edit(_FUSION, "conv_bn_relu(coarse, coarse, 3, groups=coarse),",
               "*conv_bn_relu(coarse, coarse, 3, groups=coarse),"), "low has three parts"),
        (_edit(_FUSION, "conv_bn_relu(width, width)", "conv_bn_relu(9, 9)"), "mix: one 1×1"),
        (_edit(_FUSION, "        size =", "        fine.mul_(2)\n        size ="),
         "changes its argument `fine`"),
        (_edit(_FUSION, "self.mix = ", "self.mixed = "), "there is no module self.mix"),
        (_edit(_FUSION, "return self.mix(both)", "self.mix(both)"), "end in a `return`"),
        (_edit(_FUSION, "self.high(fine) + coarse)", "self.high(fine) + coarse.detach())"),
         "no gradient reaches the coarse map: detach nothing"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "(self.high(fine) - coarse).relu()"),
         "low is taken away"),
        (_edit(_FUSION, 'coarse, size, mode="bilinear"', 'coarse, size, mode="bicubic"'),
         "that is bicubic"),
        (_edit(_FUSION, "conv_bn_relu(width, width)", "conv_bn_relu(width, width)[:2]"), "with its ReLU"),
        (_edit(_FUSION, "3, groups=coarse)", "3, groups=coarse)[:2]"), "with its ReLU"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "F.relu6(self.high(fine) + coarse)"),
         "this is ReLU6"),
        (_edit(_FUSION, "self.high(fine) +", "self.high[0](fine) +"), "normalisation of high"),
        (_edit(_FUSION, "self.mix(both)", "self.mix(self.mix(both))"), "mix is used once"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()",
               "torch.cat([self.high(fine), coarse], 1).relu()"), "added, not concatenated"),
        (_edit(_FUSION, "3, groups=coarse", "1, groups=coarse"), "low: depthwise 3×3"),
        (_edit(_FUSION, "conv_bn_relu(width, width)", "conv_bn_relu(width, width, 3)"), "mix: one 1×1"),
        (_edit(_FUSION, "nn.Conv2d(fine, width, 1", "nn.Conv2d(coarse, width, 1"), "high: one 1×1"),
        (_edit(_FUSION, "(self, fine, coarse):\n        size", "(self, coarse, fine):\n        size"),
         "fine goes through high"),
        (
            _edit(_FUSION, "        coarse = self.low(F.interpolate(coarse, size, mode=\"bilinear\","
                  " align_corners=False))\n",
                  "        coarse = self.low(coarse)\n"
                  "        fine = F.interpolate(fine, coarse.shape[-2:], mode=\"bilinear\")\n"),
            "at the fine map's size",
        ),
        (_edit(_FUSION, "self.high(fine) + coarse", "fine + coarse"), "the fine map is added as it is"),
        (_edit(_FUSION, "self.low(F.interpolate(coarse, size, mode=\"bilinear\", align_corners=False))",
               "F.interpolate(coarse, size, mode=\"bilinear\")"), "the coarse map is added as it is"),
        (_edit(_FUSION, "return self.mix(both)", "return (self.mix(self.high(fine)) + coarse).relu()"), "mix comes last"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "(self.high(fine) + 2 * coarse).relu()"), "the coarse path counts twice"),
        (_edit(_FUSION, "return self.mix(both)", "return self.mix(both).sigmoid()"), "these are features, no scores: no sigmoid behind mix"),
        (_edit(_FUSION, "return self.mix(both)", "return self.mix[0](both)"), "the convolution of mix alone: call all of it"),
        (_edit(_FUSION, "return self.mix(both)", "return self.mix[:2](both)"), "mix's ReLU is left out: call all of it"),
        (_edit(_FUSION, "return self.mix(both)", "return self.mix(F.dropout(both, 0.1, self.training))"), "else comes out: add nothing of your own, call each part once"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "(coarse - self.high(fine)).relu()"), "high is taken away: add it"),
        (_edit(_FUSION, "self.low(F.interpolate", "self.low[:2](F.interpolate"), "the normalisation of low is left out: use all of it"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "torch.cat([self.high(fine), coarse]).relu()"), "images were concatenated: add the two paths"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "torch.stack([self.high(fine), coarse]).mean(0).relu()"), "the mean of the two paths: their sum"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "torch.maximum(self.high(fine), coarse).relu()"), "the larger of the two is taken: add them"),
        (_edit(_FUSION, "return self.mix(both)", "return self.mix(both) + both"), "nothing is added to what mix gives"),
        (_edit(_FUSION, "return self.mix(both)", "return self.mix(both).softmax(1)"), "these are features, no scores: no softmax behind mix"),
        (_edit(_FUSION, "return self.mix(both)", "return F.interpolate(self.mix(both), scale_factor=8)"), "width channels should come out, at the fine map's size"),
        (_edit(_FUSION, "self.high(fine)", "self.high(F.relu(fine))"), "there is no ReLU before high"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "F.gelu(self.high(fine) + coarse)"), "behind the sum is a GELU: here it is ReLU"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "torch.sigmoid(self.high(fine) + coarse)"), "behind the sum is a sigmoid: here it is ReLU"),
        (_edit(_FUSION, "(self.high(fine) + coarse).relu()", "F.leaky_relu(self.high(fine) + coarse)"), "behind the sum is a leaky ReLU: here it is ReLU"),
        (_edit(_FUSION, "conv_bn_relu(coarse, coarse, 3, groups=coarse)", "conv_bn_relu(coarse, width, 3, groups=coarse)"), " groups (line 6 of its cell in `conv_bn_relu`: `nn.Conv2d(`)"),
        (_edit(_FUSION, "self.low(F.interpolate", "self.low[1:](F.interpolate"), "the depthwise step of low is left out: use all of it"),
    ],
    "fast-scnn": [
        (_edit(_NETWORK, "self.feature_fusion(fine, coarse)", "self.feature_fusion(coarse, fine)"),
         "in this order"),
        (_edit(_NETWORK, 'return F.interpolate(logits, image.shape[-2:], mode="bilinear")',
               "return logits"), "an eighth of the size"),
        (_edit(_NETWORK, ', mode="bilinear"', ""), "mode is bilinear"),
        (_edit(_NETWORK, 'mode="bilinear"', 'mode="bilinear", align_corners=True'), "align_corners"),
        (_edit(_NETWORK, "F.interpolate(logits,", "F.interpolate(logits.softmax(1),"), "probabilities"),
        (_edit(_NETWORK, 'mode="bilinear")', 'mode="bilinear").softmax(1)'), "probabilities"),
        (_edit(_NETWORK, 'mode="bilinear")', 'mode="bilinear").relu()'), "negative scores"),
        (_edit(_NETWORK, "return F", "x = F"), "end in a `return`"),
        (_edit(_NETWORK, "self.global_feature_extractor(fine)", "self.global_feature_extractor(fine.detach())"),
         "another gradient"),
        (_edit(_NETWORK, "self.feature_fusion(fine, coarse)", "self.feature_fusion(fine, coarse.detach())"),
         "no gradient reaches"),
        (_edit(_NETWORK, 'mode="bilinear")', 'mode="bilinear").detach()'), "has no gradient"),
        (_edit(_NETWORK, "FeatureFusion(downsample[-1], width, width)",
               "FeatureFusion(width, width, width)"), "number of parameters"),
        (_edit(_NETWORK, "Classifier(width, num_classes)", "Classifier(width, 19)"), "use the arguments"),
        (_edit(_NETWORK, "GlobalFeatureExtractor(downsample[-1], bottlenecks, width)",
               "GlobalFeatureExtractor(downsample[-1])"), "use the arguments"),
        (_edit(_NETWORK, "FeatureFusion(downsample[-1], width, width)",
               "FeatureFusion(downsample[-1], bottlenecks[-1], width)"), "once projected, `width`"),
        (_edit(_NETWORK, "FeatureFusion(downsample[-1], width, width)",
               "FeatureFusion(64, width, width)"), "self.feature_fusion: use the arguments"),
        (_edit(_NETWORK, "LearningToDownsample(downsample)", "LearningToDownsample()"),
         "its widths are `downsample`"),
        (_edit(_NETWORK, "Classifier(width, num_classes)", "Classifier(128, num_classes)"),
         "from `width` channels"),
        (_edit(_NETWORK, "bottlenecks, width)", "(64, 96, 128), width)"), "with `bottlenecks`"),
        (_edit(_NETWORK, "        super().__init__()\n", ""), "`super().__init__()` is missing"),
        (_edit(_NETWORK, "self.classifier", "self.head"), "name the parts"),
        (_edit(_NETWORK, "extractor(fine)", "extractor(image)"), "begin with the shared map"),
        (_edit(_NETWORK, "image.shape[-2:], mode", "image.shape, mode"), "the height and width alone"),
        (_edit(_NETWORK, 'mode="bilinear")', 'mode="bilinear").argmax(1)'), "one score a class"),
        (_edit(_NETWORK, 'mode="bilinear"', 'mode="bicubic"'), "enlarged bicubically"),
        (_edit(_NETWORK, "fine = self", "image.div_(2)\n        fine = self"),
         "changes its argument `image`"),
        (_edit(_NETWORK, "self.classifier(self.feature_fusion(fine, coarse))",
               "self.classifier(coarse)"), "the fine path is left out"),
        (_edit(_NETWORK, 'mode="bilinear")', 'mode="bilinear"), fine'), "is a tuple of 2"),
        (_edit(_NETWORK, "F.interpolate(logits,", "F.interpolate(logits.relu(),"),
         "the classifier's negative scores"),
        (_edit(_NETWORK, "self.feature_fusion(fine, coarse)", "self.feature_fusion(fine)"),
         "feature_fusion gets two maps"),
        (_edit(_NETWORK, "self.classifier(self.feature_fusion(fine, coarse))", "self.classifier(fine)"),
         "then the classifier"),
        (_edit(_NETWORK, "LearningToDownsample(downsample)", "LearningToDownsample(*downsample)"),
         "widths come as one tuple"),
        (_edit(_NETWORK, "FeatureFusion(downsample[-1], width, width)",
               "FeatureFusion(width, downsample[-1], width)"), "number of parameters"),
        (_edit(_NETWORK, "downsample(image)", "downsample(image / 255)"), "whitened already"),
        (
            _edit(_NETWORK, "logits = self.classifier(self.feature_fusion(fine, coarse))\n"
                  "        return F.interpolate(logits, image.shape[-2:], mode=\"bilinear\")",
                  "both = F.interpolate(self.feature_fusion(fine, coarse), image.shape[-2:],"
                  " mode=\"bilinear\")\n        return self.classifier(both)"),
            "classify at an eighth",
        ),
        (_edit(_NETWORK, "return F.interpolate(logits,", 'return F.interpolate(F.interpolate(logits, scale_factor=2, mode="bilinear"),'), "enlarged in two steps: one is enough"),
        (_edit(_NETWORK, "self.learning_to_downsample(image)", "self.learning_to_downsample((image - image.mean()) / image.std())"), "another output than the course's: is every part used once?"),
        (_edit(_NETWORK, "self.classifier(self.feature_fusion(fine, coarse))", "self.classifier[:2](self.feature_fusion(fine, coarse))"), "call all of the classifier, no slice of it"),
        (_edit(_NETWORK, "coarse = self.global_feature_extractor(fine)", "coarse = self.global_feature_extractor(self.global_feature_extractor(fine))"), "global_feature_extractor is called once, on the fine map"),
        (_edit(_NETWORK, 'image.shape[-2:], mode="bilinear"', 'scale_factor=8, mode="bilinear"'), "enlarged, but not to the image's size: take that, not × 8"),
        (_edit(_NETWORK, "self.classifier(self.feature_fusion(fine, coarse))", "self.feature_fusion(fine, coarse)"), "the classifier is left out"),
        (_edit(_NETWORK, "fine = self.learning_to_downsample(image)", "fine = self.learning_to_downsample[0](image)"), "all of learning_to_downsample is called, not one layer of it"),
        (_edit(_NETWORK, "image.shape[-2:], mode", "image.shape[-2:][::-1], mode"), "height and width are changed round"),
        (_edit(_NETWORK, "coarse = self.global_feature_extractor(fine)", "coarse = self.global_feature_extractor(self.learning_to_downsample(image))"), "le.0.1.running_mean has moved otherwise: call each part once"),
    ],
    "through-stride": [
        (_edit(_THROUGH, ", maps.shape[-2:], mode=\"bilinear\").argmax(1)", ", maps.shape[-2:]).argmax(1)"),
         "steps of 8 pixels"),
        (_edit(_THROUGH, 'mode="bilinear"', 'mode="bilinear", align_corners=True'), "align_corners"),
        (
            _edit(_THROUGH, 'F.interpolate(shares, maps.shape[-2:], mode="bilinear").argmax(1)',
                  "F.interpolate(shares.argmax(1)[:, None].float(), maps.shape[-2:])[:, 0].long()"),
            "take the arg-max last",
        ),
        (_edit(_THROUGH, "F.interpolate(shares, maps.shape[-2:], mode=\"bilinear\")", "shares"),
         "the small maps"),
        (_edit(_THROUGH, ".argmax(1)", ""), "take the arg-max"),
        (
            """
def through_stride(maps, stride, num_classes):
    small = F.avg_pool2d(maps[:, None].float(), stride)
    return F.interpolate(small, maps.shape[-2:], mode="bilinear")[:, 0].round().long()
""",
            "one-hot first",
        ),
        (
            """
def through_stride(maps, stride, num_classes):
    small = maps[:, None, ::stride, ::stride].float()
    return F.interpolate(small, maps.shape[-2:])[:, 0].long()
""",
            "one pixel of 64",
        ),
        (
            """
def through_stride(maps, stride, num_classes):
    shares = F.one_hot(maps, num_classes).permute(0, 3, 1, 2).float()
    size = maps.shape[-2:]
    shares = F.interpolate(shares, (size[0] // stride, size[1] // stride), mode="bilinear")
    return F.interpolate(shares, size, mode="bilinear").argmax(1)
""",
            "average",
        ),
        (_edit(_THROUGH, "(shares, stride)", "(shares, 8)"), "use the arguments"),
        (_edit(_THROUGH, "return F", "x = F"), "end in a `return`"),
        (_edit(_THROUGH, ".permute(0, 3, 1, 2)", ""), "a permute is missing"),
        (_edit(_THROUGH, "permute(0, 3, 1, 2)", "permute(0, 3, 2, 1)"), "height and width"),
        (_edit(_THROUGH, ".float()", ""), "`.float()` first"),
        (_edit(_THROUGH, "(maps, num_classes)", "(maps, 19)"), "not always 19 classes"),
        (_edit(_THROUGH, "(maps, num_classes)", "(maps, stride)"), "not the stride"),
        (_edit(_THROUGH, ".float()", ".bool()"), "have no mean"),
        (_edit(_THROUGH, "maps.shape[-2:]", "(40, 48)"), "other maps"),
        (_edit(_THROUGH, ".argmax(1)", ".argmax(1).float()"), "expected: torch.int64"),
        (_edit(_THROUGH, ".argmax(1)", ".argmax(1).numpy()"), "is an array, expected: a tensor"),
        (_edit(_THROUGH, 'mode="bilinear"', 'mode="bicubic"'), "enlarged bicubically"),
        (_edit(_THROUGH, "maps.shape[-2:]", "maps.shape[-1]"), "height and width: enlarge"),
        (_edit(_THROUGH, "    shares = F.one_hot", "    maps.clamp_(min=1)\n    shares = F.one_hot"),
         "changes its argument `maps`"),
        (_edit(_THROUGH, "F.avg_pool2d(shares, stride)",
               "F.interpolate(shares, scale_factor=1 / stride, mode='bilinear')"),
         "4 pixels of 64"),
        (_edit(_THROUGH, "return F.interpolate(shares, maps.shape[-2:], mode=\"bilinear\")",
               "shares = shares.repeat_interleave(stride, 2)\n"
               "    return shares.repeat_interleave(stride, 3)"), "steps of 8 pixels"),
        (_edit(_THROUGH, "F.avg_pool2d(shares", "F.adaptive_avg_pool2d(shares"), "squares of 8 × 8 pixels"),
        (_edit(_THROUGH, "    return F", "    shares = F.one_hot(shares.argmax(1), num_classes)"
               ".permute(0, 3, 1, 2).float()\n    return F"), "on the small map"),
        (_edit(_THROUGH, "F.avg_pool2d(shares, stride)", "F.avg_pool2d(shares, stride).round()"),
         "shares are not rounded"),
        (_edit(_THROUGH, "F.avg_pool2d(shares, stride)", "shares[..., ::stride, ::stride]"),
         "one pixel of 64"),
        (_edit(_THROUGH, ".permute(0, 3, 1, 2)", ".reshape(len(maps), num_classes, *maps.shape[1:])"),
         "reshape mixes"),
        (_edit(_THROUGH, "maps.shape[-2:]", "maps.shape"), "height and width alone"),
        (_edit(_THROUGH, "maps.shape[-2:]", "scale_factor=8"), "use the arguments"),
        (_edit(_THROUGH, ".argmax(1)", ".max(1).values"), "the largest shares"),
        (_edit(_THROUGH, "F.avg_pool2d(shares, stride)", "F.avg_pool2d(shares, stride + 1, stride, stride // 2)"), "the squares overlap: a square of 8 × 8 begins every 8 pixels"),
        (_edit(_THROUGH, ".argmax(1)", "[:, 1:].argmax(1)"), "the background is left out, and each class is one too low"),
        (_edit(_THROUGH, ".argmax(1)", ".argmax(1) + 1"), "classes begin at 0: the arg-max is the id already"),
        (_edit(_THROUGH, ".argmax(1)", ".argmax(0)"), "the arg-max goes over the images"),
        (_edit(_THROUGH, "F.avg_pool2d(shares, stride)", 'F.interpolate(shares, scale_factor=1 / stride, mode="bicubic")'), "runk bicubically: that looks at 16 pixels of 64, average all"),
        (_edit(_THROUGH, "permute(0, 3, 1, 2)", "permute(0, 1, 3, 2)"), "F.one_hot puts the classes last: bring them to dimension 1"),
        (_edit(_THROUGH, "F.avg_pool2d(shares, stride)", "F.avg_pool2d(shares, num_classes)"), "as large as there are classes: the second argument is stride"),
        (_edit(_THROUGH, "F.one_hot(maps, num_classes).permute(0, 3, 1, 2).float()", "maps[:, None].float()"), "all is class 0: the arg-max is over the classes of a one-hot"),
        (_edit(_THROUGH, "F.avg_pool2d(shares, stride)", "F.max_pool2d(shares, stride)"), " value says whether a class is there, not its share: average"),
        (_edit(_THROUGH, ".argmax(1)", ".max(1)"), "your answer is a tuple of 2, expected: a tensor"),
        (_edit(_THROUGH, ".argmax(1)", ".argmin(1)"), "that is the class with the smallest share"),
        (_edit(_THROUGH, ".argmax(1)", ".argmax(1, keepdim=True)"), "one dimension too many: no keepdim"),
    ],
}  # fmt: skip

RIGHT = {
    "separable-conv": [
        _separable(_DEPTH, _POINT),
        """
class SeparableConv(nn.Sequential):
    def __init__(self, in_channels, out_channels, stride=1):
        depth = nn.Sequential(
            nn.Conv2d(in_channels, in_channels, 3, stride, 1, groups=in_channels, bias=False),
            nn.BatchNorm2d(in_channels),
            nn.ReLU(),
        )
        super().__init__(depth, conv_bn_relu(in_channels, out_channels, kernel=1))
""",
        """
class SeparableConv(nn.Sequential):
    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.append(conv_bn_relu(in_channels, in_channels, 3, stride, in_channels))
        self.append(conv_bn_relu(in_channels, out_channels))
""",
    ],
    "inverted-residual": [
        _INVERTED,
        """
class InvertedResidual(nn.Module):
    def __init__(self, in_channels, out_channels, stride, expansion):
        super().__init__()
        wide = expansion * in_channels
        widen = conv_bn_relu(in_channels, wide)
        look = conv_bn_relu(wide, wide, 3, stride, wide)
        narrow = nn.Conv2d(wide, out_channels, (1, 1), bias=False)
        self.layers = nn.Sequential(widen, look, narrow, nn.BatchNorm2d(out_channels))

    def forward(self, x):
        out = self.layers(x)
        return out + x if out.shape == x.shape else out
""",
        _edit(_INVERTED, "return self.layers(x) + x",
              "out = self.layers(x)\n            out += x\n            return out"),
        """
class InvertedResidual(nn.Module):
    def __init__(self, in_channels, out_channels, stride, expansion):
        super().__init__()
        hidden = in_channels * expansion
        self.shortcut = nn.Identity() if (in_channels, stride) == (out_channels, 1) else None
        self.layers = nn.Sequential()
        self.layers.append(conv_bn_relu(in_channels, hidden))
        self.layers.append(conv_bn_relu(hidden, hidden, 3, stride=stride, groups=hidden))
        self.layers.append(nn.Conv2d(hidden, out_channels, 1, bias=False))
        self.layers.append(nn.BatchNorm2d(out_channels))

    def forward(self, x):
        y = x
        for layer in self.layers:
            y = layer(y)
        return y if self.shortcut is None else self.shortcut(x) + y
""",
        _edit(_INVERTED, "        if self.residual:\n            return self.layers(x) + x\n        return self.layers(x)",
              "        return self.layers(x) + (x if self.residual else 0)"),
    ],
    "pyramid-pooling": [
        _PPM,
        _edit(_PPM, "channels + len(bins) * share", "channels + sum(share for _ in bins)"),
        """
class PyramidPooling(nn.Module):
    def __init__(self, channels, bins, out_channels):
        super().__init__()
        self.project = conv_bn_relu(channels + channels // len(bins) * len(bins), out_channels)
        self.reduce = nn.ModuleList()
        for _ in bins:
            self.reduce.append(conv_bn_relu(channels, channels // len(bins)))
        self.bins = list(bins)

    def forward(self, x):
        height, width = x.size(2), x.size(3)
        both = x
        for reduce, n in zip(self.reduce, self.bins):
            means = reduce(nn.AdaptiveAvgPool2d((n, n))(x))
            means = nn.Upsample((height, width), mode="bilinear", align_corners=False)(means)
            both = torch.cat((both, means), dim=1)
        return self.project(both)
""",
        _edit(_PPM, "self.bins = bins", "self.bins = [*bins]"),
    ],
    "feature-fusion": [
        _FUSION,
        _edit(_FUSION, "(self.high(fine) + coarse).relu()", "torch.clamp(coarse + self.high(fine), min=0)"),
        """
class FeatureFusion(nn.Module):
    def __init__(self, fine, coarse, width):
        super().__init__()
        self.mix = conv_bn_relu(width, width)
        self.high = nn.Sequential(nn.Conv2d(fine, width, 1, bias=False), nn.BatchNorm2d(width))
        depth = conv_bn_relu(coarse, coarse, 3, groups=coarse)
        self.low = nn.Sequential(depth, nn.Conv2d(coarse, width, 1, bias=False))
        self.low.append(nn.BatchNorm2d(width))

    def forward(self, fine, coarse):
        large = F.interpolate(coarse, size=(fine.shape[2], fine.shape[3]), mode="bilinear")
        both = self.high(fine)
        both += self.low(large)
        return self.mix(F.relu(both, inplace=True))
""",
    ],
    "fast-scnn": [
        _NETWORK,
        _edit(_NETWORK, "image.shape[-2:], mode", "size=(image.shape[2], image.shape[3]), mode"),
        """
class FastSCNN(nn.Module):
    def __init__(self, num_classes=19, downsample=(32, 48, 64), bottlenecks=(64, 96, 128), width=128):
        super().__init__()
        self.classifier = Classifier(width, num_classes)
        *_, fine = downsample
        self.feature_fusion = FeatureFusion(fine, width, width)
        self.learning_to_downsample = LearningToDownsample(downsample)
        self.global_feature_extractor = GlobalFeatureExtractor(fine, bottlenecks, width)

    def forward(self, image):
        shared = self.learning_to_downsample(image)
        both = self.feature_fusion(shared, self.global_feature_extractor(shared))
        size = tuple(image.shape[2:])
        return nn.Upsample(size, mode="bilinear")(self.classifier(both))
""",
        _edit(_NETWORK, "fine = self.learning_to_downsample(image)\n        coarse = self.global_feature_extractor(fine)",
              "fine = image\n        for layer in self.learning_to_downsample:\n            fine = layer(fine)\n"
              "        coarse = fine\n        for layer in self.global_feature_extractor:\n            coarse = layer(coarse)"),
    ],
    "through-stride": [
        _THROUGH,
        """
def through_stride(maps, stride, num_classes):
    each = [(maps == c).double() for c in range(num_classes)]
    one_hot = torch.stack(each, 1)
    height, width = maps.shape[1:]
    small = F.interpolate(one_hot, (height // stride, width // stride), mode="area")
    return F.interpolate(small, (height, width), mode="bilinear").max(1).indices
""",
        """
def through_stride(maps, stride, num_classes):
    b, h, w = maps.shape
    one_hot = torch.eye(num_classes)[maps]
    squares = one_hot.reshape(b, h // stride, stride, w // stride, stride, num_classes)
    shares = squares.mean((2, 4)).movedim(-1, 1)
    return torch.argmax(F.interpolate(shares, (h, w), mode="bilinear"), dim=1)
""",
        _edit(_THROUGH, "F.avg_pool2d(shares, stride)",
              "shares.unfold(2, stride, stride).unfold(3, stride, stride).mean((-1, -2))"),
    ],
}  # fmt: skip

# Planted bugs that change nothing that is asked for: line, change, reason.
_SWAPPED = "this and the next in the other order"
_APART = "neither line needs what the other does"
_COUNTS = "label maps have no gradient"
EQUIVALENT = {
    "inverted-residual": [
        ("hidden = in_channels * expansion", _SWAPPED, _APART),
        ("self.residual = stride == 1 and in_channels == out_channels", _SWAPPED, _APART),
    ],
    "pyramid-pooling": [
        ("self.bins = bins", _SWAPPED, _APART),
        (
            "self.reduce = nn.ModuleList(conv_bn_relu(channels, share) for _ in bins)",
            _SWAPPED,
            _APART,
        ),
        (
            "for grid, reduce in zip(self.bins, self.reduce, strict=True):",
            "self.reduce, strict=True): → self.reduce):",
            "both have one item for each grid",
        ),
        (
            "for grid, reduce in zip(self.bins, self.reduce, strict=True):",
            "strict=True): → strict=False):",
            "both have one item for each grid",
        ),
        (
            'context.append(F.interpolate(means, x.shape[-2:], mode="bilinear"))',
            "x.shape[-2:], → x.shape[2:],",
            "of four dimensions the last two are those from the third on",
        ),
    ],
    "feature-fusion": [
        ("self.low = nn.Sequential(", _SWAPPED, _APART),
        (
            "self.high = nn.Sequential(nn.Conv2d(fine, width, 1, bias=False), nn.BatchNorm2d(width))",
            _SWAPPED,
            _APART,
        ),
        (
            'coarse = F.interpolate(coarse, fine.shape[-2:], mode="bilinear")',
            "fine.shape[-2:], → fine.shape[2:],",
            "of four dimensions the last two are those from the third on",
        ),
    ],
    "fast-scnn": [
        ("fine = downsample[-1]", _SWAPPED, _APART),
        ("self.learning_to_downsample = LearningToDownsample(downsample)", _SWAPPED, _APART),
        (
            "self.global_feature_extractor = GlobalFeatureExtractor(fine, bottlenecks, width)",
            _SWAPPED,
            _APART,
        ),
        ("self.feature_fusion = FeatureFusion(fine, width, width)", _SWAPPED, _APART),
        (
            'return F.interpolate(logits, image.shape[-2:], mode="bilinear")',
            "image.shape[-2:], → image.shape[2:],",
            "of four dimensions the last two are those from the third on",
        ),
    ],
    "through-stride": [
        (
            "one_hot = F.one_hot(maps, num_classes).permute(0, 3, 1, 2).float()",
            "2).float() → 2).float().detach()",
            _COUNTS,
        ),
        (
            "shares = F.avg_pool2d(one_hot, stride)  # (B, C, H/stride, W/stride)",
            "stride) → stride).detach()",
            _COUNTS,
        ),
        (
            'return F.interpolate(shares, maps.shape[-2:], mode="bilinear").argmax(1)',
            "mode='bilinear').argmax(1) → mode='bilinear').argmax(1).detach()",
            _COUNTS,
        ),
    ],
}
