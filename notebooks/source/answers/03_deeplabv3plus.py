"""What to try on the checks of lesson 03."""

from __future__ import annotations

_BLOCK = """
def conv_bn_relu(in_channels, out_channels, kernel=1, dilation=1):
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=padding, dilation=dilation),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
"""

_FOLD = """
@torch.no_grad()
def fold(conv, norm):
    folded = copy.deepcopy(conv)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    folded.weight.copy_(conv.weight * scale[:, None, None, None])
    folded.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)
    return folded
"""

_POOLING = """
class ASPPPooling(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.project = conv_bn_relu(in_channels, out_channels)

    def forward(self, x):
        mean = x.mean((2, 3), keepdim=True)
        return self.project(mean).expand(-1, -1, *x.shape[-2:])
"""

_ASPP = """
class ASPP(nn.Module):
    def __init__(self, in_channels, width, rates):
        super().__init__()
        self.branches = nn.ModuleList([
            conv_bn_relu(in_channels, width),
            *(ASPPConv(in_channels, width, rate) for rate in rates),
            ASPPPooling(in_channels, width),
        ])
        self.project = conv_bn_relu(width * len(self.branches), width)

    def forward(self, x):
        return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))
"""

_DECODER = """
class Decoder(DecoderParts):
    def forward(self, deep, shallow):
        deep = F.interpolate(deep, shallow.shape[-2:], mode="bilinear")
        thin = self.low_level(shallow)
        return self.head(self.refine(torch.cat([deep, thin], dim=1)))
"""

_NETWORK = """
class DeepLabV3Plus(nn.Module):
    def __init__(
        self, num_classes=19, rates=(6, 12, 18), aspp=128,
        stages=((32, 64), (64, 128), (192, 256)), low_level=32, decoder=64,
    ):
        super().__init__()
        self.encoder = Encoder(3, stages)
        self.aspp = ASPP(stages[-1][1], aspp, rates)
        self.decoder = Decoder(stages[0][1], low_level, aspp, decoder, num_classes)
        self.up = nn.ConvTranspose2d(num_classes, num_classes, 2, stride=2)

    def forward(self, image):
        first, *_, last = self.encoder(image)
        logits = self.up(self.decoder(self.aspp(last), first))
        return fit_to(logits, image)
"""


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


WRONG = {
    "dilated-block": [
        (_edit(_BLOCK, "return nn.Sequential(", "return nn.ModuleList("), "nn.ModuleList none"),
        (_edit(_BLOCK, "padding=padding, ", ""), "no padding"),
        (_edit(_BLOCK, "padding=padding", "padding=kernel // 2"), "fits a rate of 1 only"),
        (_edit(_BLOCK, "padding=padding", "padding=dilation"), "spans one pixel"),
        (_edit(_BLOCK, ", dilation=dilation", ""), "`dilation` apart"),
        (
            _edit(_BLOCK, "dilation * (kernel // 2)", "dilation if kernel > 1 else 0"),
            "derive the padding",
        ),
        (_edit(_BLOCK, "        nn.BatchNorm2d(out_channels),\n", ""), "no normalisation"),
        (
            _edit(
                _BLOCK,
                "nn.BatchNorm2d(out_channels),\n        nn.ReLU(),",
                "nn.ReLU(),\n        nn.BatchNorm2d(out_channels),",
            ),
            "normalise first",
        ),
        (_edit(_BLOCK, "=dilation)", "=dilation, bias=False)"), "the bias is missing"),
        (_edit(_BLOCK, "=dilation)", "=dilation, padding_mode='replicate')"), "zeros around"),
        (_edit(_BLOCK, "d(out_channels)", "d(out_channels, affine=False)"), "γ and β"),
        (_edit(_BLOCK, "    return nn.Sequential", "    nn.Sequential"), "end in a `return`"),
        (_edit(_BLOCK, "d(out_channels)", "d(in_channels)"), "it gets out_channels"),
        (_edit(_BLOCK, "d(out_channels)", "d(out_channels, momentum=0.01)"), "settings as they are"),
        (_edit(_BLOCK, "nn.ReLU()", "nn.ReLU"), "each of them made"),
        (_edit(_BLOCK, "nn.ReLU()", "nn.ReLU6()"), "ReLU6 stands where ReLU"),
        (
            _edit(_BLOCK, "nn.Sequential(", "nn.Sequential([").replace("),\n    )", "),\n    ])"),
            "not in a list",
        ),
        (_edit(_BLOCK, "(kernel // 2)", "(kernel - 1) / 2"), "divide whole numbers by `//`"),
        (_edit(_BLOCK, "out_channels, kernel, padding=padding", "out_channels, 3, padding=dilation"),
         "the kernel is not of the side"),
        (_edit(_BLOCK, "Conv2d(in_channels,", "Conv2d(3,"), "to have 3 channels, but got 5"),
        (_edit(_BLOCK, "Conv2d(in_channels, out_channels,", "Conv2d(in_channels, 8,").replace("d(out_channels)", "d(8)"),
         "its shape is (2, 8, 20, 23), expected: (2, 6, 20, 23)"),
        (_edit(_BLOCK, "nn.Sequential(", "nn.ModuleList([").replace("),\n    )", "),\n    ])"),
         "expected: a Sequential"),
        (
            _edit(_BLOCK, "nn.Sequential(", "nn.Sequential(OrderedDict(conv=")
            .replace("        nn.BatchNorm2d", "        norm=nn.BatchNorm2d")
            .replace("        nn.ReLU(),", "        act=nn.ReLU())")
            .replace("\ndef", "\nfrom collections import OrderedDict\ndef"),
            "without names",
        ),
        (_edit(_BLOCK, "(kernel // 2)", "(kernel - 1)"), "the kernel's span"),
        (_edit(_BLOCK, "Conv2d(in_channels, out_channels", "Conv2d(out_channels, in_channels"),
         "a convolution in → out"),
        (_edit(_BLOCK, "BatchNorm2d", "InstanceNorm2d"), "stands where BatchNorm2d"),
        (_edit(_BLOCK, "nn.ReLU()", "nn.ReLU(), nn.Dropout(0.1)"), "batch normalisation, ReLU"),
        (_edit(_BLOCK, "d(out_channels)", "d(out_channels).requires_grad_(False)"), "is frozen"),
        (
            """
def conv_bn_relu(in_channels, out_channels, kernel=1, dilation=1):
    pad = dilation * (kernel // 2)
    conv = nn.Conv2d(in_channels, out_channels, kernel, padding=pad, dilation=dilation)
    return F.relu(nn.BatchNorm2d(out_channels)(conv))
""",
            "give nn.Sequential its parts",
        ),
        (_edit(_BLOCK, "padding=padding, dilation=dilation", "padding=padding, groups=dilation"), ", out_channels, kernel, padding=padding, groups=dilation),`)"),
    ],
    "fold-norm": [
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)", "norm.weight / norm.running_var.std()"),
         "scaled by one number, as it should be, but by"),
        (_edit(_FOLD, "(conv.bias - norm", "(2 * conv.bias - norm"), "s·b stands there 2 times"),
        (
            _edit(_FOLD, "(conv.bias - norm.running_mean) * scale + norm.bias", "norm(conv.bias)"),
            "norm takes maps",
        ),
        (_edit(_FOLD, " + norm.eps", ""), "ε is missing"),
        (_edit(_FOLD, "torch.sqrt(norm.running_var + norm.eps)",
               "(torch.sqrt(norm.running_var) + norm.eps)"), "beside the root"),
        (_edit(_FOLD, "torch.sqrt(norm.running_var + norm.eps)",
               "(norm.running_var + norm.eps)"), "not by its root"),
        (_edit(_FOLD, "norm.weight /", "1 /"), "γ is missing"),
        (_edit(_FOLD, "scale[:, None, None, None]", "scale[:, None, None]"), "along `in`"),
        (_edit(_FOLD, "scale[:, None, None, None]", "scale"), "shapes do not fit"),
        (_edit(_FOLD, "folded.weight.copy_", "folded.weight.clone().copy_"), "still the old one"),
        (_edit(_FOLD, "folded = copy.deepcopy(conv)", "folded = conv"), "changes its argument `conv`"),
        (_edit(_FOLD, "(conv.bias - norm.running_mean)", "(conv.bias + norm.running_mean)"),
         "wrong sign"),
        (_edit(_FOLD, "(conv.bias - norm.running_mean) * scale",
               "conv.bias - norm.running_mean * scale"), "the old bias is not scaled"),
        (_edit(_FOLD, "- norm.running_mean) * scale", "- norm.running_mean)"), "scaled by s"),
        (_edit(_FOLD, "(conv.bias - norm.running_mean)", "-norm.running_mean"), "is lost"),
        (_edit(_FOLD, "(conv.bias - norm.running_mean)", "conv.bias"), "not taken away"),
        (_edit(_FOLD, " * scale + norm.bias", " * scale"), "β is missing"),
        (_edit(_FOLD, "- norm.running_mean) * scale + norm.bias",
               "- norm.running_mean + norm.bias) * scale"), "β is added last"),
        (_edit(_FOLD, "norm.eps", "1e-5"), "take norm.eps"),
        (_edit(_FOLD, "folded.weight.copy_(conv.weight * scale[:, None, None, None])",
               "folded.weight = conv.weight * scale[:, None, None, None]"), "is an nn.Parameter"),
        (_edit(_FOLD, "@torch.no_grad()\n", ""), "keep the line"),
        (_edit(_FOLD, "    return folded\n", ""), "end in a `return`"),
        (_edit(_FOLD, "return folded", "return nn.Sequential(folded)"), "expected: a Conv2d"),
        (_edit(_FOLD, "scale[:, None, None, None])\n",
               "scale[:, None, None, None])\n    scale = scale / norm.weight\n"),
         "the bias: γ is missing"),
        (_edit(_FOLD, "scale[:, None, None, None])\n",
               "scale[:, None, None, None])\n    scale = norm.weight / norm.running_var.sqrt()\n"),
         "the bias: ε is missing"),
        (_edit(_FOLD, "scale[:, None, None, None])\n",
               "scale[:, None, None, None])\n"
               "    scale = norm.weight / (norm.running_var + norm.eps)\n"),
         "the bias: divided by the variance"),
        (_edit(_FOLD, "folded = copy.deepcopy(conv)",
               "folded = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size,\n"
               "                       padding=conv.padding, dilation=conv.dilation)"),
         "RuntimeError"),
        (_edit(_FOLD, "    return", "    norm.running_var += norm.eps\n    return"),
         "changes its argument `norm`"),
        (_edit(_FOLD, "    return", "    folded.stride = (1, 1)\n    return"), "stride=(2, 2)"),
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)",
               "norm.weight / norm.running_var.sqrt() + norm.eps"), "ε is added to the scale"),
        (_edit(_FOLD, "norm.running_var + norm.eps", "norm.running_mean + norm.eps"),
         "a root of a negative number"),
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)",
               "torch.sqrt(norm.weight / (norm.running_var + norm.eps))"), "a root of a negative"),
        (_edit(_FOLD, "norm.running_var + norm.eps", "norm.running_var**2 + norm.eps"), "is σ² already"),
        (_edit(_FOLD, "norm.weight / torch", "norm.bias / torch"), "β is taken for γ"),
        (_edit(_FOLD, "    return", "    folded.weight *= scale[:, None, None, None]\n    return"),
         "scaled twice"),
        (_edit(_FOLD, "scale[:, None, None, None])",
               "scale[:, None, None, None] + norm.bias[:, None, None, None])"), "in the bias alone"),
        (_edit(_FOLD, "(conv.bias - norm.running_mean)", "(norm.running_mean - conv.bias)"),
         "it is b − μ"),
        (_edit(_FOLD, "(conv.bias - norm.running_mean) * scale",
               "conv.bias * scale - norm.running_mean"), "the mean is not scaled by s"),
        (_edit(_FOLD, "scale + norm.bias", "scale - norm.bias"), "β is added"),
        (_edit(_FOLD, "scale + norm.bias", "scale + norm.weight"), "the shift is β"),
        (_edit(_FOLD, "folded.bias.copy_", "folded.bias.add_"), "still in it"),
        (_edit(_FOLD, "(conv.bias - norm.running_mean) * scale + norm.bias", "norm.bias"),
         "the old bias and the mean are lost"),
        (_edit(_FOLD, "    folded.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)\n", ""),
         "the bias is still the old one"),
        (_edit(_FOLD, "folded.weight.copy_(conv.weight * scale[:, None, None, None])", "folded.weight.copy_((conv.weight - norm.running_mean[:, None, None, None]) * scale[:, None, None, None] + norm.bias[:, None, None, None])"), "the kernel takes s alone: μ and β go into the bias"),
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)", "norm.weight.abs() / torch.sqrt(norm.running_var + norm.eps)"), "the sign of γ is lost: take it as it is"),
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)", "norm.weight"), "the scale lacks σ: divide γ by the root of σ² + ε"),
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)", "norm.weight / (norm.running_var + norm.eps) ** 2"), "the variance is squared: take its root"),
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)", "norm.weight / (norm.running_var + norm.eps) ** 0.25"), "a root of the root: one is enough"),
        (_edit(_FOLD, "norm.weight / torch.sqrt(norm.running_var + norm.eps)", "norm.weight * torch.sqrt(norm.running_var + norm.eps)"), "multiplied by the deviation: divide"),
        (_edit(_FOLD, "folded.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)", "folded.bias.copy_((conv.bias - norm.running_mean) * norm.weight + norm.bias)"), "the bias: the scale lacks σ: divide γ by the root of σ² + ε"),
        (_edit(_FOLD, "folded.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)", "folded.bias.copy_((conv.bias - norm.bias) * scale + norm.running_mean)"), "μ and β have changed places: take μ away, add β"),
        (_edit(_FOLD, "norm.running_var", "norm.var"), "it is called running_var, running_mean, weight (γ), bias (β)"),
        (_edit(_FOLD, "folded.weight.copy_(conv.weight * scale[:, None, None, None])", "folded.weight.copy_(torch.stack([conv.weight[c] * scale[c] for c in range(len(scale) - 1)] + [conv.weight[-1]]))"), "some channels are not scaled: all of them are"),
        (_edit(_FOLD, "folded.weight.copy_(conv.weight * scale[:, None, None, None])", "folded.weight.copy_(conv.weight.transpose(0, 1) * scale[:, None, None, None])"), "in and out are exchanged in the kernel"),
        (_edit(_FOLD, "folded.weight.copy_(conv.weight * scale[:, None, None, None])", "folded.weight.copy_(conv.weight + scale[:, None, None, None])"), "s is added to the kernel: multiply"),
        (_edit(_FOLD, "return folded", "return norm(folded)"), "norm is folded in, not called: give back one convolution"),
        (_edit(_FOLD, "folded = copy.deepcopy(conv)", "folded = nn.Conv2d(conv.in_channels, conv.out_channels, 3)"), "size=(3, 3), stride=(1, 1), padding=(2, 2), dilation=(2, 2))"),
        (_edit(_FOLD, "return folded", "folded.bias = None\n    return folded"), "the bias is None, expected: a tensor"),
    ],
    "aspp-pooling": [
        (_edit(_POOLING, "self.project(mean)", "self.project(mean - x.mean())"), "up to `project`"),
        (_edit(_POOLING, ".expand(-1, -1, *x.shape[-2:])", ""), "lay the result out"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.amax((2, 3), keepdim=True)"),
         "largest value"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.sum((2, 3), keepdim=True)"),
         "depends on the size"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.mean((0, 2, 3), keepdim=True)")
         .replace("expand(-1,", "expand(len(x),"), "images are mixed"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.mean((2, 3))"), "`keepdim=True`"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.mean(1, keepdim=True)"),
         "not over channels"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x"), "differs from pixel to pixel"),
        (_edit(_POOLING, "self.project(mean)",
               "self.project(x).mean((2, 3), keepdim=True)"), "mean first"),
        (_edit(_POOLING, "conv_bn_relu(in_channels, out_channels)",
               "nn.Conv2d(in_channels, out_channels, 1)"), "which conv_bn_relu makes"),
        (_edit(_POOLING, "(in_channels, out_channels)\n", "(in_channels, out_channels, 3)\n"),
         "project is conv_bn_relu"),
        (_edit(_POOLING, "self.project", "self.conv"), "self.project"),
        (_edit(_POOLING, "self.project(mean)", "self.project(mean).detach()"), "no gradient"),
        (_edit(_POOLING, ".expand(-1, -1, *x.shape[-2:])", ".expand(x.shape)"), "-1 is a size"),
        (_edit(_POOLING, ".expand(-1, -1, *x.shape[-2:])", ".expand(-1, -1, 5, 7)"),
         "whatever they are"),
        (
            _edit(_POOLING, "self.project(mean).expand(-1, -1, *x.shape[-2:])",
                  "F.interpolate(self.project(mean), x.shape)"),
            "the height and width alone",
        ),
        (
            """
class ASPPPooling(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        block = conv_bn_relu(in_channels, out_channels)
        self.project = nn.Sequential(nn.AdaptiveAvgPool2d(1), *block)

    def forward(self, x):
        return self.project(x).expand(-1, -1, *x.shape[-2:])
""",
            "which conv_bn_relu makes",
        ),
        (_edit(_POOLING, "        super().__init__()\n", ""), "`super().__init__()` is missing"),
        (_edit(_POOLING, "        mean =", "        x -= x.mean()\n        mean ="),
         "changes its argument `x`"),
        (_edit(_POOLING, "return self.project", "self.project"), "end in a `return`"),
        (_edit(_POOLING, "def forward", "def foward"), "it has no `forward`"),
        (_edit(_POOLING, "(in_channels, out_channels)\n", "(6, 40)\n"), "1×1, in → out"),
        (_edit(_POOLING, "conv_bn_relu(in_channels, out_channels)\n",
               "conv_bn_relu(in_channels, out_channels)[:2]\n"), "as it is"),
        (_edit(_POOLING, "self.project(mean).expand(-1, -1, *x.shape[-2:])",
               "self.project(mean.expand(-1, -1, *x.shape[-2:]))"), "mix the means first"),
        (_edit(_POOLING, "self.project(mean)", "self.project[2](self.project[0](mean))"),
         "all of project"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)",
               "x.mean((1, 2, 3), keepdim=True).expand(-1, x.shape[1], 1, 1)"),
         "a mean for each channel"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.mean().expand(len(x), x.shape[1], 1, 1)"),
         "a mean for each channel of each image"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.std((2, 3), keepdim=True)"),
         "the deviation"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "F.avg_pool2d(x, 2)"),
         "mean over all of H and W"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.mean(3, keepdim=True)"),
         "differs from pixel to pixel"),
        (_edit(_POOLING, ".expand(-1, -1, *x.shape[-2:])", ".repeat(1, 1, x.shape[3], x.shape[2])"),
         "at the size of x"),
        (_edit(_POOLING, "        mean =", "        x = x.detach()\n        mean ="), "detach nothing"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.median(3, keepdim=True)[0].median(2, keepdim=True)[0]"), "this is a median, not the mean"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.mean((2, 3), keepdim=True).relu()"), "a ReLU after the mean: project follows at once"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x[:, :, :1, :1]"), "one pixel of the map: the mean of all"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "x.abs().mean((2, 3), keepdim=True)"), "the mean of sizes without sign: take it of x as it is"),
        (_edit(_POOLING, "x.mean((2, 3), keepdim=True)", "(x.sum((2, 3), keepdim=True) / x.shape[2])"), "the mean goes over height and width: divide by both"),
        (_edit(_POOLING, "return self.project(mean).expand(-1, -1, *x.shape[-2:])", "return F.pad(self.project(mean), (0, x.shape[-1] - 1, 0, x.shape[-2] - 1))"), "at one place, zeros at the others: lay it out at every pixel"),
    ],
    "aspp": [
        (_edit(_ASPP, "[branch(x) for", "[branch(x).sigmoid() for"), "up to `project`"),
        (_edit(_ASPP, "branch(x) for", "branch(x - x.mean()) for"), "up to `branches.0`"),
        (_edit(_ASPP, "torch.cat([branch(x) for branch in self.branches], dim=1)",
               "sum(branch(x) for branch in self.branches)")
         .replace("width * len(self.branches)", "width"), "Concatenate"),
        (_edit(_ASPP, "for rate in rates", "for rate in (6, 12, 18)"), "five branches"),
        (_edit(_ASPP, "width * len(self.branches)", "width * 5"), "any number of rates"),
        (_edit(_ASPP, "nn.ModuleList([", "list([").replace("        self.project",
         "        for i, b in enumerate(self.branches): self.add_module(str(i), b)\n"
         "        self.project"), "plain list"),
        (_edit(_ASPP, "            ASPPPooling(in_channels, width),\n", ""), "sees everything"),
        (_edit(_ASPP, "            conv_bn_relu(in_channels, width),\n", ""), "1×1 block is missing"),
        (_edit(_ASPP, "dim=1", "dim=0"), "dim=1"),
        (_edit(_ASPP, "for branch in self.branches]", "for branch in reversed(self.branches)]"),
         "another order"),
        (_edit(_ASPP, "for rate in rates", "for rate in rates[::-1]"), "in its order"),
        (_edit(_ASPP, "for rate in rates", "for rate in (6, 12)"), "not those of the argument"),
        (_edit(_ASPP, "            ASPPPooling(in_channels, width),\n", "")
         .replace("            conv_bn_relu(in", "            ASPPPooling(in_channels, width),\n"
                  "            conv_bn_relu(in"), "is the last one"),
        (_edit(_ASPP, "            conv_bn_relu(in_channels, width),",
               "            conv_bn_relu(in_channels, width, 3),"), "before it: a 1×1"),
        (_edit(_ASPP, "self.project(torch", "(torch"), "project does not mix them"),
        (_edit(_ASPP, "for rate in rates", "for rate in sorted(rates)[::-1]"), "sort nothing"),
        (_edit(_ASPP, "conv_bn_relu(width * len(self.branches), width)",
               "conv_bn_relu(width * len(self.branches), width, 3)"), "1×1 block"),
        (_edit(_ASPP, "return self.project(torch.cat([branch(x) for branch in self.branches], dim=1))",
               "views = []\n        for branch in self.branches:\n            x = branch(x)\n"
               "            views.append(x)\n        return self.project(torch.cat(views, 1))"),
         "read the same x"),
        (_edit(_ASPP, "torch.cat([branch(x) for branch in self.branches], dim=1)",
               "sum(branch(x) for branch in self.branches)"), "dim=1"),
        (_edit(_ASPP, "torch.cat([branch(x) for branch in self.branches], dim=1)",
               "torch.cat(branch(x) for branch in self.branches)"), "a list of tensors"),
        (_edit(_ASPP, "torch.cat([branch(x) for branch in self.branches], dim=1)",
               "self.branches(x)"), "a ModuleList is not called"),
        (_edit(_ASPP, "dim=1", "dim=2"), "dim=1"),
        (_edit(_ASPP, "nn.ModuleList([", "nn.ModuleList(").replace("        ])", "        )"),
         "ModuleList.__init__() takes"),
        (_edit(_ASPP, "            conv_bn_relu(in_channels, width),",
               "            nn.Conv2d(in_channels, width, 1),"), "there is no branches.0.0.weight"),
        (_edit(_ASPP, "conv_bn_relu(width * len(self.branches), width)",
               "nn.Conv2d(width * len(self.branches), width, 1)"), "there is no project.0.weight"),
        (_edit(_ASPP, "conv_bn_relu(width * len(self.branches), width)",
               "conv_bn_relu(width * len(self.branches), in_channels)"), "project.0 gives 6 channels"),
        (_edit(_ASPP, "ASPPPooling(in_channels, width)", "ASPPPooling(width, width)"),
         "branches.3.project.0 takes 5"),
        (_edit(_ASPP, "for branch in self.branches]", "for branch in self.branches[:-1]]"),
         "concatenate the branches"),
        (_edit(_ASPP, "[branch(x) for branch", "[branch(x).detach() for branch"), "no gradient reaches"),
        (_edit(_ASPP, "    def forward(self, x):\n", "    def forward(self, x):\n        x /= 2\n"),
         "changes its argument `x`"),
        (_edit(_ASPP, "conv_bn_relu(width * len(self.branches), width)",
               "conv_bn_relu(width * len(self.branches), width)[:2]"), "project's ReLU is left out"),
        (_edit(_ASPP, "conv_bn_relu(width * len(self.branches), width)",
               "conv_bn_relu(width * len(self.branches), width).append(nn.Dropout(0.5))"),
         "in training"),
        (_edit(_ASPP, "*(ASPPConv(in_channels, width, rate) for rate in rates)",
               "*([ASPPConv(in_channels, width, rates[0])] * len(rates))"), "stands there twice"),
        (_edit(_ASPP, "*(ASPPConv(in_channels, width, rate) for rate in rates)",
               "nn.ModuleList(ASPPConv(in_channels, width, rate) for rate in rates)"),
         "a list stands inside the list"),
        (_edit(_ASPP, "*(ASPPConv(in_channels, width, rate) for rate in rates)",
               "*(ASPPConv(in_channels, width, rates[i]) for i in range(3))"), "any number of rates"),
        (_edit(_ASPP, "for rate in rates", "for rate in sorted(rates)"), "in its order"),
        (_edit(_ASPP, "ASPPConv(in_channels, width, rate)", "conv_bn_relu(in_channels, width, 1, rate)"),
         "then 3×3 blocks"),
        (_edit(_ASPP, "[branch(x) for branch in self.branches]",
               "[x, *(branch(x) for branch in self.branches)]"), "x itself is not"),
        (_edit(_ASPP, "width * len(self.branches)", "width * len(rates)"), "a width for each rate"),
        (_edit(_ASPP, "self.branches", "self.branch"), "there is no self.branches"),
        (_edit(_ASPP, "ASPPPooling(in_channels, width)", "nn.AdaptiveAvgPool2d(1)"), "sees everything"),
        (_edit(_ASPP, "conv_bn_relu(in_channels, width),", "conv_bn_relu(in_channels, width, 1, rates[0]),"), "the 1×1 block has no rate"),
        (_edit(_ASPP, "return self.project(torch", "return self.project[0](torch"), "the convolution of project alone: call all of it"),
        (_edit(_ASPP, "torch.cat([branch(x) for branch in self.branches], dim=1)", "torch.stack([branch(x) for branch in self.branches], 2).flatten(1, 2)"), "channels are interleaved: torch.cat keeps each view together"),
        (_edit(_ASPP, "torch.cat([branch(x) for branch in self.branches], dim=1)", "torch.cat([self.branches[0](x)] * 4, 1)"), "one branch stands for all: call each of them"),
        (_edit(_ASPP, "conv_bn_relu(in_channels, width),", "conv_bn_relu(in_channels, in_channels),"), " conv_bn_relu, ASPPConv and ASPPPooling as they are, no more"),
        (_edit(_ASPP, "            ASPPPooling(in_channels, width),", "            *(ASPPPooling(in_channels, width) for _ in rates),"), "ASPPPooling stands there more than once"),
        (_edit(_ASPP, "width * len(self.branches)", "in_channels * len(self.branches)"), "ets in_channels from each branch: they give width, 20 in all"),
        (_edit(_ASPP, "self.project = conv", "project = conv"), "there is no self.project"),
        (_edit(_ASPP, "[branch(x) for branch in self.branches]", "[branch(x) for branch in self.branches if branch is not self.branches[-1]] + [torch.zeros_like(self.branches[0](x))]"), "the view of a branch is thrown away"),
        (_edit(_ASPP, "conv_bn_relu(in_channels, width),", "conv_bn_relu(in_channels, width, 1, 2), conv_bn_relu(in_channels, width),"), "ASPPPooling stands a 1×1 block and one for each of two rates"),
        (_edit(_ASPP, "[branch(x) for branch in self.branches]", "[branch(x.detach() if i else x) for i, branch in enumerate(self.branches)]"), "another gradient reaches x: detach nothing"),
    ],
    "deeplab-decoder": [
        (_edit(_DECODER, "self.low_level(shallow)", "self.low_level(shallow).sigmoid()"), "up to `refine`"),
        (_edit(_DECODER, 'mode="bilinear"', 'mode="linear"'), "the mode bilinear"),
        (_edit(_DECODER, '"bilinear"', '"bicubic"'), "that is bicubic"),
        (_edit(_DECODER, "[deep, thin]", "[thin, deep]"), "stands in front"),
        (_edit(_DECODER, ', mode="bilinear"', ""), "nearest"),
        (_edit(_DECODER, '"bilinear"', '"bilinear", align_corners=True'), "align_corners"),
        (_edit(_DECODER, "shallow.shape[-2:]", "scale_factor=4"), "enlarge deep to the size"),
        (_edit(_DECODER, "self.low_level(shallow)", "shallow"), "thin the skip first"),
        (_edit(_DECODER, "self.low_level(shallow)", "self.low_level(shallow).relu()"),
         "no ReLU after"),
        (_edit(_DECODER, "dim=1", "dim=2"), "dim=1"),
        (_edit(_DECODER, "F.interpolate(deep, shallow.shape[-2:]",
               "deep\n        shallow = F.interpolate(shallow, deep.shape[-2:]"),
         "enlarge the deep map"),
        (_edit(_DECODER, "dim=1)))", "dim=1))).softmax(1)"), "probabilities"),
        (_edit(_DECODER, "self.low_level(shallow)", "self.low_level(shallow.detach())"),
         "no gradient reaches the shallow map"),
        (_edit(_DECODER, "shallow.shape[-2:]", "shallow.shape"), "the height and width alone"),
        (_edit(_DECODER, "self.head(self.refine(", "self.refine(self.head("), "head comes last"),
        (_edit(_DECODER, "self.refine(torch", "self.refine[0](torch"), "half of refine"),
        (_edit(_DECODER, '"bilinear"', '"nearest-exact"'), "in blocks"),
        (_edit(_DECODER, '"bilinear"', '"area"'), "the mode area"),
        (_edit(_DECODER, "torch.cat([deep, thin], dim=1)", "torch.cat(deep, thin)"),
         "a list of tensors"),
        (_edit(_DECODER, "dim=1", "dim=0"), "dim=1"),
        (_edit(_DECODER, "return self.head", "self.head"), "end in a `return`"),
        (_edit(_DECODER, "        thin =", "        shallow.relu_()\n        thin ="),
         "changes its argument `shallow`"),
        (_edit(_DECODER, "dim=1)))", "dim=1))).argmax(1)"), "a score for each class"),
        (_edit(_DECODER, "self.low_level(shallow)", "self.low_level[0](shallow)"), "normalise the skip"),
        (_edit(_DECODER, "(self, deep, shallow)", "(self, shallow, deep)"), "low_level gets shallow"),
        (_edit(_DECODER, "torch.cat([deep, thin], dim=1)", "deep + thin"), "dim=1"),
        (_edit(_DECODER, "torch.cat([deep, thin], dim=1)", "torch.stack([deep, thin], dim=1)"), "dim=1"),
        (_edit(_DECODER, 'mode="bilinear")', 'mode="bilinear").relu()'), "after the enlarged map"),
        (_edit(_DECODER, "dim=1)))", "dim=1))).relu()"), "negative scores"),
        (
            """
class Decoder(DecoderParts):
    def forward(self, deep, shallow):
        thin = F.interpolate(self.low_level(shallow), deep.shape[-2:], mode="bilinear")
        logits = self.head(self.refine(torch.cat([deep, thin], dim=1)))
        return F.interpolate(logits, shallow.shape[-2:], mode="bilinear")
""",
            "enlarge first",
        ),
        (_edit(_DECODER, "[deep, thin]", "[deep, thin, shallow]"), "thin the skip first"),
        (_edit(_DECODER, "dim=1)))", "dim=1))), deep"), "expected: a tensor"),
        (_edit(_DECODER, "torch.cat([deep, thin], dim=1)", "torch.cat([deep, deep], dim=1)"), "the deep map stands there twice: beside it stands the skip"),
        (_edit(_DECODER, "torch.cat([deep, thin], dim=1)", "torch.cat([thin, thin], dim=1)"), "the skip stands there twice: before it stands the deep map"),
        (_edit(_DECODER, "torch.cat([deep, thin], dim=1)", "torch.stack([deep, thin], 2).flatten(1, 2)"), "the channels are interleaved: torch.cat"),
        (_edit(_DECODER, 'F.interpolate(deep, shallow.shape[-2:], mode="bilinear")', 'F.interpolate(deep, scale_factor=5, mode="bilinear")[..., :shallow.shape[-2], :shallow.shape[-1]]'), "enlarged by a factor, then cut: give the size of shallow"),
        (_edit(_DECODER, "deep = F.interpolate(deep, ", "deep = F.interpolate(deep.relu(), "), "there is no ReLU before the deep map is enlarged"),
        (_edit(_DECODER, "self.low_level(shallow)", "self.low_level(shallow.relu())"), "there is no ReLU before the skip is thinned"),
        (_edit(_DECODER, "deep = F.interpolate(deep, ", 'deep = F.interpolate(F.interpolate(deep, scale_factor=2, mode="bilinear"), '), "enlarged in two steps: one is enough"),
        (_edit(_DECODER, "return self.head(self.refine(torch.cat([deep, thin], dim=1)))", "return self.head(F.dropout(self.refine(torch.cat([deep, thin], dim=1)), 0.5, self.training))"), "n training something else comes out: add nothing of your own"),
        (_edit(_DECODER, "return self.head(self.refine(torch.cat([deep, thin], dim=1)))", "return self.head(self.refine(torch.cat([deep, thin * 0], dim=1)))"), "the skip is left out"),
        (_edit(_DECODER, "return self.head(self.refine(torch.cat([deep, thin], dim=1)))", "return self.head(self.refine(torch.cat([deep * 0, thin], dim=1)))"), "the deep map is left out"),
        (_edit(_DECODER, '"bilinear"', '"nearest"'), "enlarged in blocks (nearest): make it bilinear"),
        (_edit(_DECODER, "self.low_level(shallow)", "shallow[:, :4]"), "the skip's first channels: thin it by low_level"),
        (_edit(_DECODER, "return self.head(self.refine(torch.cat([deep, thin], dim=1)))", "return self.head(self.refine(self.refine(torch.cat([deep, thin], dim=1))))"), "refine comes once, before head"),
        (_edit(_DECODER, 'deep = F.interpolate(deep, shallow.shape[-2:], mode="bilinear")', "deep = deep.mean((2, 3), keepdim=True).expand(-1, -1, *shallow.shape[-2:])"), "the deep map's mean everywhere: enlarge the map"),
        (_edit(_DECODER, "return self.head(self.refine(torch.cat([deep, thin], dim=1)))", "return self.head(self.refine(deep, thin))"), "refine takes one map: torch.cat([…], dim=1) first"),
    ],
    "deeplabv3plus": [
        (_edit(_NETWORK, "self.aspp(last)", "self.aspp(last).sigmoid()"), "up to `decoder`"),
        (_edit(_NETWORK, "self.encoder(image)", "self.encoder(image.flip(-1))"), "up to `encoder`"),
        (_edit(_NETWORK, "fit_to(logits, image)", "fit_to(logits, image).flip(-1)"), "what comes after that"),
        (_edit(_NETWORK, "self.up(self.decoder(self.aspp(last), first))", "self.decoder(self.aspp(last), first)"), "self.up, is missing"),
        (_edit(_NETWORK, "first, *_, last = self.encoder(image)", "first = self.encoder[0](image)\n        last = self.encoder(image)[2]"), "call each part once"),
        (_edit(_NETWORK, "self.up(self.decoder(self.aspp(last), first))",
               "self.decoder(self.aspp(last), first)")
         .replace("fit_to(logits, image)", "logits"), "last doubling"),
        (_edit(_NETWORK, "self.up(self.decoder(self.aspp(last), first))",
               "self.decoder(self.aspp(last), first)")
         .replace("fit_to(logits, image)",
                  'F.interpolate(logits, image.shape[-2:], mode="bilinear")'),
         "learns this step"),
        (_edit(_NETWORK, "fit_to(logits, image)", "logits"), "fit_to"),
        (_edit(_NETWORK, "first, *_, last", "_, first, last"), "deep, then the first"),
        (_edit(_NETWORK, "self.aspp(last)", "last"), "what comes out of aspp"),
        (_edit(_NETWORK, "fit_to(logits, image)", "fit_to(logits, image).softmax(1)"),
         "probabilities"),
        (_edit(_NETWORK, "fit_to(logits, image)", "F.relu(fit_to(logits, image))"),
         "negative scores"),
        (_edit(_NETWORK, "return fit_to", "fit_to"), "end in a `return`"),
        (_edit(_NETWORK, "self.aspp(last)", "self.aspp(last.detach())"), "no gradient reaches"),
        (_edit(_NETWORK, ", first)", ", first.detach())"), "another gradient"),
        (_edit(_NETWORK, "self.encoder(image)", "(f.detach() for f in self.encoder(image))"),
         "no gradient reaches"),
        (_edit(_NETWORK, "fit_to(logits, image)", "fit_to(logits, image).detach()"),
         "no gradient"),
        (_edit(_NETWORK, "self.aspp(last)", "self.aspp(first)"), "the last of the features"),
        (_edit(_NETWORK, "self.decoder(self.aspp(last), first)",
               "self.decoder(first, self.aspp(last))"), "deep, then the first"),
        (_edit(_NETWORK, "first, *_, last = self.encoder(image)", "first = last = self.encoder(image)"),
         "gives a list"),
        (_edit(_NETWORK, "fit_to(logits, image)", "F.pad(logits, (0, 1, 0, 1), mode='replicate')"),
         "its shape is (2, 19, 43, 49)"),
        (_edit(_NETWORK, "fit_to(logits, image)",
               "F.pad(logits, (0, image.shape[-1] - logits.shape[-1],"
               " 0, image.shape[-2] - logits.shape[-2]))"),
         "filled with zeros"),
        (_edit(_NETWORK, "fit_to(logits, image)",
               "F.interpolate(logits, image.shape[-2:], mode='bilinear')"), "stretched"),
        (_edit(_NETWORK, "fit_to(logits, image)", "fit_to(logits, image).argmax(1)"),
         "one score for each class"),
        (_edit(_NETWORK, "self.encoder(image)", "self.encoder(image.div_(2))"),
         "changes its argument `image`"),
        (_edit(_NETWORK, "fit_to(logits, image)", "logits[..., : image.shape[-2], : image.shape[-1]]"),
         "a pixel short"),
        (_edit(_NETWORK, "self.up(self.decoder(self.aspp(last), first))", "self.up(self.aspp(last))"),
         "up comes last"),
        (_edit(_NETWORK, "self.decoder(self.aspp(last), first)", "self.decoder(self.aspp(last))"),
         "the decoder gets two maps"),
        (_edit(_NETWORK, "first, *_, last", "first, last"), "a list of three"),
        (_edit(_NETWORK, "self.up(self", "self.up(self.up(self").replace("first))", "first)))"),
         "up is used once"),
        (_edit(_NETWORK, "fit_to(logits, image)", "(fit_to(logits, image), last)"),
         "is a tuple of 2, expected: a tensor"),
        (_edit(_NETWORK, "last), first))", "last), first).relu())"), "the decoder's negative scores"),
        (_edit(_NETWORK, "fit_to(logits, image)", "F.interpolate(logits, image.shape[-2:])"),
         "the row that is missing is the last one"),
        (_edit(_NETWORK, "self.encoder(image)", "self.encoder(image / 255)"), "whitened already"),
        (_edit(_NETWORK, "self.aspp(last)", "F.dropout(self.aspp(last), 0.5, self.training)"),
         "in training something else"),
        (_edit(_NETWORK, "fit_to(logits, image)", "fit_to(logits, image).softmax(-1)"), "a softmax over places: return logits"),
        (_edit(_NETWORK, "fit_to(logits, image)", 'F.pad(logits, (0, 0, 0, 1), mode="circular")'), "the missing row is the first again: fit_to repeats the edge"),
        (_edit(_NETWORK, "fit_to(logits, image)", 'F.interpolate(logits, image.shape[-2:], mode="bicubic")'), "stretched at the end: use fit_to"),
        (_edit(_NETWORK, "self.up(self.decoder(self.aspp(last), first))", "self.up(self.decoder(self.aspp(last), first).softmax(1))"), "a softmax before up: it takes logits"),
        (_edit(_NETWORK, "fit_to(logits, image)", "logits.resize_(*logits.shape[:2], *image.shape[-2:])"), "eturn logits.resize_(*logits.shape[:2], *image.shape[-2:])`)"),
    ],
}  # fmt: skip

RIGHT = {
    "dilated-block": [
        _BLOCK,
        """
def conv_bn_relu(in_channels, out_channels, kernel=1, dilation=1):
    conv = nn.Conv2d(
        in_channels, out_channels, (kernel, kernel), padding="same", dilation=(dilation, dilation)
    )
    parts = [conv, nn.BatchNorm2d(out_channels), nn.ReLU(True)]
    return nn.Sequential(*parts)
""",
        _edit(_BLOCK, "dilation * (kernel // 2)", "(kernel - 1) * dilation // 2"),
        _edit(_BLOCK, "nn.ReLU(),\n    )", "nn.ReLU(inplace=False),\n    )"),
        """
class conv_bn_relu(nn.Sequential):
    def __init__(self, in_channels, out_channels, kernel=1, dilation=1):
        span = kernel + (kernel - 1) * (dilation - 1)
        super().__init__()
        self.append(nn.Conv2d(in_channels, out_channels, kernel, 1, span // 2, dilation))
        self.append(nn.BatchNorm2d(out_channels))
        self.append(nn.ReLU(True))
""",
    ],
    "fold-norm": [
        _FOLD,
        """
@torch.no_grad()
def fold(conv, norm):
    folded = copy.deepcopy(conv)
    s = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    folded.weight *= s.view(-1, 1, 1, 1)
    folded.bias = nn.Parameter(conv.bias * s + norm.bias - norm.running_mean * s)
    return folded
""",
        """
def fold(conv, norm):
    return torch.nn.utils.fusion.fuse_conv_bn_eval(conv.eval(), norm.eval())
""",
        """
@torch.no_grad()
def fold(conv, norm):
    folded = copy.deepcopy(conv)
    var, mean = norm.running_var, norm.running_mean
    for c in range(len(var)):
        s = float(norm.weight[c]) / float(var[c] + norm.eps) ** 0.5
        folded.weight.data[c] = conv.weight[c] * s
        folded.bias.data[c] = s * (conv.bias[c] - mean[c]) + norm.bias[c]
    return folded
""",
        """
def fold(conv, norm):
    folded = copy.deepcopy(conv)
    with torch.no_grad():
        zero = torch.zeros(1, conv.out_channels, 1, 1, dtype=conv.weight.dtype)
        shift = norm(zero)[0, :, 0, 0]
        scale = norm(zero + 1)[0, :, 0, 0] - shift
        folded.weight.copy_(torch.einsum("o,oikl->oikl", scale, conv.weight))
        folded.bias.copy_(conv.bias * scale + shift)
    return folded
""",
    ],
    "aspp-pooling": [
        _POOLING,
        """
class ASPPPooling(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.project = conv_bn_relu(in_channels, out_channels)

    def forward(self, x):
        mean = nn.AdaptiveAvgPool2d(1)(x)
        return F.interpolate(self.project(mean), x.shape[-2:], mode="bilinear")
""",
        _edit(_POOLING, ".expand(-1, -1, *x.shape[-2:])", ".repeat(1, 1, x.shape[2], x.shape[3])"),
        _edit(_POOLING, "return self.project(mean).expand(-1, -1, *x.shape[-2:])",
              "return self.project(mean) + torch.zeros_like(x[:, :1])"),
        _edit(_POOLING, "conv_bn_relu(in_channels, out_channels)\n",
              "nn.Sequential(\n            nn.Conv2d(in_channels, out_channels, 1),"
              " nn.BatchNorm2d(out_channels), nn.ReLU())\n"),
        _edit(_POOLING, "x.mean((2, 3), keepdim=True)", "F.avg_pool2d(x, x.shape[-2:])"),
    ],
    "aspp": [
        _ASPP,
        _edit(_ASPP, "ASPPConv(in_channels, width, rate)", "conv_bn_relu(in_channels, width, 3, rate)"),
        """
class ASPP(nn.Module):
    def __init__(self, in_channels, width, rates):
        super().__init__()
        self.branches = nn.ModuleList()
        self.branches.append(conv_bn_relu(in_channels, width, 1))
        for rate in rates:
            self.branches.append(ASPPConv(in_channels, width, rate))
        self.branches.append(ASPPPooling(in_channels, width))
        self.project = conv_bn_relu((2 + len(rates)) * width, width)

    def forward(self, x):
        views = ()
        for branch in self.branches:
            views += (branch(x),)
        return self.project(torch.concat(views, 1))
""",
        """
class ASPP(nn.Module):
    def __init__(self, in_channels, width, rates):
        super().__init__()
        self.project = conv_bn_relu((2 + len(rates)) * width, width)
        far = [ASPPConv(in_channels, width, rate) for rate in rates]
        one, whole = conv_bn_relu(in_channels, width), ASPPPooling(in_channels, width)
        self.branches = nn.ModuleList([one] + far + [whole])

    def forward(self, x):
        return self.project(torch.hstack([branch(x) for branch in self.branches]))
""",
        _edit(_ASPP, "torch.cat([branch(x) for branch in self.branches], dim=1)",
              "torch.stack([branch(x) for branch in self.branches], 1).flatten(1, 2)"),
    ],
    "deeplab-decoder": [
        _DECODER,
        """
class Decoder(DecoderParts):
    def forward(self, deep, shallow):
        raised = nn.Upsample(size=tuple(shallow.shape[2:]), mode="bilinear", align_corners=False)(deep)
        x = torch.concat((raised, self.low_level(shallow)), 1)
        for part in self.refine:
            x = part(x)
        return self.head(x)
""",
        """
class Decoder(DecoderParts):
    def forward(self, deep, shallow):
        _, _, height, width = shallow.shape
        thin = self.low_level(shallow)
        deep = F.interpolate(deep, size=(height, width), mode="bilinear", align_corners=False)
        return self.head(self.refine(torch.hstack((deep, thin))))
""",
    ],
    "deeplabv3plus": [
        _NETWORK,
        _edit(_NETWORK, "first, *_, last = self.encoder(image)",
              "a, b, c = self.encoder(image)\n        first, last = a, c"),
        _edit(_NETWORK, "logits = self.up(self.decoder(self.aspp(last), first))\n        return fit_to(logits, image)",
              "x = self.up(self.decoder(self.aspp(last), first))\n"
              "        down, right = image.shape[2] - x.shape[2], image.shape[3] - x.shape[3]\n"
              "        return F.pad(x, (0, right, 0, down), mode='replicate')"),
        _edit(_NETWORK, "return fit_to(logits, image)",
              "rows, columns = (torch.arange(n) for n in image.shape[-2:])\n"
              "        logits = logits[:, :, rows.clamp(max=logits.shape[2] - 1)]\n"
              "        return logits[..., columns.clamp(max=logits.shape[3] - 1)]"),
    ],
}  # fmt: skip

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "dilated-block": [
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
    "fold-norm": [
        (
            "folded.weight.copy_(conv.weight * scale[:, None, None, None])",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
    ],
    "aspp-pooling": [
        (
            "return self.project(mean).expand(-1, -1, *x.shape[-2:])",
            "*x.shape[-2:]) → *x.shape[2:])",
            "with four dimensions these are the same two",
        ),
    ],
    "deeplab-decoder": [
        (
            'deep = F.interpolate(deep, shallow.shape[-2:], mode="bilinear")',
            "shallow.shape[-2:], → shallow.shape[2:],",
            "with four dimensions these are the same two",
        ),
    ],
}
