# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 4 · FastSCNN, built by hand
#
# A network for real time. It has three fifths of U-Net's parameters and makes less than a thirteenth of its multiplications. In the course's report it scores
# better than U-Net and DeepLabV3+. You build it, count what it saves and where, and measure what its coarse output costs.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 96 rendered faces, 96² | CelebAMask-HQ, for example the course's 5,000 photos, 512² |
# | computing | {{computing}} | up to 6 hours on one GPU (120 epochs of the report's 171 s) (estimated) |
# | memory | {{memory}} | about 1 GB of GPU memory (estimated) |
#
# **You will be able to**
# - say what a convolution costs, in weights and in multiplications, and build the cheap one that takes its place;
# - write an inverted residual, and say why it ends without a ReLU and when it has a shortcut;
# - write pyramid pooling and say what its bins see, also on a map that they do not divide;
# - join a fine and a coarse path, and measure what the network loses because it answers at an eighth of the size.
#
# **Before this** come lesson 02 (the loss, the optimiser, the score) and lesson 03 (batch normalisation, and why a pooled branch must not be trained with one image).
#
# {{links}}
#
# {{papers}}

# %%
import copy
from functools import partial
from time import perf_counter

import matplotlib.pyplot as plt  # once it is loaded, Jupyter shows figures
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from coursekit import count_parameters, create_model, metrics, plots, tier
from coursekit.checks import Check
from coursekit.complexity import cost_table, multiply_accumulates
from coursekit.data import SynthDataset, open_dataset

# %%
# Each size on the quick tier, then on the full one, which COURSEKIT_TIER=full chooses. Faces of 96²
# in place of 48²: you will see why.
TIER, DATA, SIZES = tier.choose(
    train=(96, 5000), val=(24, 1000), size=(96, 512), epochs=(4, 120), batch=(8, 2),
    lr=(0.004, 0.001), patience=(3, 12),
)  # fmt: skip
if DATA:
    train = open_dataset(DATA, "train")[: SIZES["train"]]
    val = open_dataset(DATA, "val")[: SIZES["val"]]
else:
    train = SynthDataset(seed=0, length=SIZES["train"], size=SIZES["size"])
    first = max(200, SIZES["train"])  # behind those that it learns from
    val = SynthDataset(seed=0, length=SIZES["val"], size=SIZES["size"], first=first, split="val")
LABELS = train.labels
print(f"{len(train)} faces to learn from, {len(val)} to validate, {LABELS.num_classes} classes")

# %% [markdown]
# ## The idea: save work
#
# A camera delivers a picture every 33 or 40 milliseconds. A network that paints glasses on a face in a video call has no more time than that, on a
# battery. FastSCNN (Poudel, Liwicki and Cipolla, 2019) was made for this: the paper reports 123.5 street scenes of 1024 × 2048 pixels a second, on
# one GPU. It saves in three places.
#
# 1. **Cheap convolutions.** Nearly all are split in two steps that together cost about an eighth.
# 2. **Small maps.** After three layers the map is an eighth of the image in height and width. No convolution works at a larger size again.
# 3. **One beginning for two paths.** Older networks with two paths read the image twice, once for detail and once for context. FastSCNN computes the first layers once, and both paths start from there.
#
# Here is the network for an image of 512². The arrow past the deep path is the fine one: no layer lies on it.

# %% tags=["folded"]
finished = create_model("fastscnn")  # the course's own
NETWORK = """
(input)
learning_to_downsample
global_feature_extractor |
feature_fusion
classifier
(logits: enlarged: 19 × 512²)
"""
FLOWS = """input > learning_to_downsample > global_feature_extractor > feature_fusion,
learning_to_downsample > feature_fusion > classifier > logits"""
plots.diagram(NETWORK, FLOWS, shapes=plots.shapes(finished, (3, 512, 512)))

# %% [markdown]
# ## The price of a convolution
#
# A convolution from $a$ to $b$ channels with a $k × k$ kernel, whose output is a map of $H × W$, has
#
# $$ a\,b\,k^2 \ \text{ weights} \qquad\text{and makes}\qquad a\,b\,k^2\,H\,W \ \text{ multiplications}, $$
#
# because each weight is used once for each pixel that comes out. It does two jobs at once, and their prices multiply: looking *around* ($k^2$) and mixing *channels* ($a\,b$). A **depthwise separable**
# convolution does one after the other:
#
# - <dfn title="depthwise convolution">depthwise</dfn>: a $k × k$ kernel for each channel, which sees this channel alone: $a\,k^2$ weights;
# - <dfn title="pointwise convolution">pointwise</dfn>: a 1×1 convolution, which mixes the channels and does not look around: $a\,b$ weights.
#
# The price falls from a product to a sum:
#
# $$ \frac{a\,k^2 + a\,b}{a\,b\,k^2} = \frac{1}{b} + \frac{1}{k^2} $$
#
# Below is lesson 03's block, now without a bias in the convolution. New is `groups`: it cuts the channels into that many groups, each of which is convolved by itself. Take a pencil and $a = 48$, $b = 64$, $k = 3$, then look.


# %%
def conv_bn_relu(
    in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution without bias, batch normalisation, ReLU; padded so that stride 1 keeps the size."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


a, b, k = 48, 64, 3
dense, separable = a * b * k * k, a * k * k + a * b
print(f"one step: {dense:,} weights; two steps: {a * k * k:,} + {a * b:,} = {separable:,}")
print(f"that is {separable / dense:.3f} of the price; 1/b + 1/k² = {1 / b + 1 / k**2:.3f}")
print(f"of the two steps the 1×1 has {a * b / separable:.0%}")

# %% [markdown]
# ## Exercise 1: the separable convolution
#
# Two `conv_bn_relu` in a row: depthwise 3×3, which also strides, then pointwise. (The paper has no ReLU between the two; the report's network has one.)
#
# <details><summary>Hint 1</summary>
#
# As many groups as channels: each group is one channel. The number of channels must not change in this step.
# </details>
# <details><summary>Hint 2</summary>
#
# The stride belongs to the 3×3: whoever strides in the 1×1 computes four pixels and throws three away.
# </details>
# <details><summary>Hint 3</summary>
#
# `conv_bn_relu(in_channels, in_channels, 3, stride, groups=in_channels)`, then
# `conv_bn_relu(in_channels, out_channels)`, both handed to `super().__init__(…)`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.fastscnn import SeparableConv` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    "(input)\n0: depthwise, 3×3, stride 2\n1: pointwise, 1×1",
    shapes=plots.shapes(finished.learning_to_downsample[1], (32, 256, 256)),
)


# %% separable-conv minutes=15 difficulty="easy"
class SeparableConv(nn.Sequential):
    """A 3×3 convolution in two cheap steps: each channel alone, then all channels at each pixel."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        ### BEGIN SOLUTION
        super().__init__(
            conv_bn_relu(in_channels, in_channels, 3, stride, groups=in_channels),
            conv_bn_relu(in_channels, out_channels),
        )
        ### END SOLUTION


# %% check-separable-conv points=2
from coursekit.checks.mistakes.fastscnn import WRONG_STEPS, mispaired
from coursekit.checks.mistakes.modules import unlike
from coursekit.parts.fastscnn import SeparableConv as like

check, _ = Check("separable-conv"), torch.manual_seed(0)
check.crashes(TypeError, "should return None", "hand the parts to `super().__init__(…)`")
block, plain, other = check.build(SeparableConv, (6, 12, 2), (6, 12), (5, 10, 1))
convs = [part for part in check.call(block.train).modules() if isinstance(part, nn.Conv2d)]
shapes, x = [tuple(part.weight.shape) for part in convs], torch.randn(2, 6, 9, 11)
for wrong, message in WRONG_STEPS:
    check.catches(wrong, shapes, message)
check.equal(len(shapes), 2, "two convolutions stand in it: a depthwise 3×3, then a 1×1")
check.equal(shapes, [(6, 1, 3, 3), (12, 6, 1, 1)], f"{unlike(block, like(6, 12))}: a depthwise 3×3, then a 1×1, 6 → 12 channels")  # fmt: skip
check.that(all(w.requires_grad for w in block.parameters()), "a part is frozen: leave it as it is")
check.that(convs[1].stride == (1, 1), "the 1×1 strides: it throws away what the 3×3 computed")
check.that(convs[0].stride == (2, 2), "the stride that was asked for does not reach the 3×3")
check.that("Dropout" not in str(block), "there is no dropout in here")
for made, a, b in ((block, 6, 12), (plain, 6, 12), (other, 5, 10)):
    check.equal(count_parameters(made), a * 9 + a * b + 2 * (a + b), f"{unlike(made, like(a, b))}: each step: convolution without bias, batch normalisation, ReLU")  # fmt: skip
check.that("ReLU6" not in str(block), "this is ReLU6, as in MobileNetV2: here it is ReLU")
for made, side in ((plain, (9, 11)), (block, (5, 6))):
    out = check.call(made, x)
    check.that(tuple(out.shape) not in ((2, 12, 7, 9), (2, 12, 4, 5)), "the map has shrunk: a 3×3 needs a padding of 1")  # fmt: skip
    check.shape(out, (2, 12, *side), "12 channels should come out, at the size that stride gives")
for wrong, message in mispaired(x, convs[0].weight, convs[1].weight):
    check.catches(wrong, out, message)
twin, odd = like(6, 12, 2), unlike(block, like(6, 12))
check.that(not odd, f"{odd}: let it be two conv_bn_relu, in this order")
twin.load_state_dict(block.state_dict())
check.close(out, twin(x), "expected: depthwise, norm, ReLU, 1×1, norm, ReLU", atol=1e-4)
check.passed("an eighth of the weights")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-separable-conv")
for name, widths, shape in (
    ("plain", (4, 7, 1), (2, 4, 6, 7)),
    ("default", (3, 3), (2, 3, 5, 5)),
    ("stride", (5, 4, 2), (2, 5, 9, 8)),
):
    block = SeparableConv(*widths).double()
    probe.fill(block, f"{name}-weights", mean=0.2, spread=2.0)
    drawn = probe.given(name, lambda rng, s=shape: rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"with the arguments {widths}"
    probe.emit(f"{name}-eval", block.eval()(entered), f"{about}, in evaluation")
    came_out = block.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    (came_out**3).sum().backward()
    probe.emit(f"{name}-input", entered.grad, f"{about}, the gradient with respect to the input")
    slopes = {key: parameter.grad for key, parameter in block.named_parameters()}
    probe.emit(f"{name}-gradients", slopes, f"{about}, the gradients")
    probe.emit(f"{name}-count", count_parameters(block), f"{about}, the number of parameters")
    strides = [part.stride[0] for part in block.modules() if isinstance(part, nn.Conv2d)]
    probe.emit(f"{name}-strides", strides, f"{about}, where it strides")
### END HIDDEN TESTS


# %%
# NBVAL_IGNORE_OUTPUT
# Is an eighth of the multiplications an eighth of the time? 64 → 64 channels on a map of 64².
def milliseconds(network: nn.Module, x: torch.Tensor, runs: int = 20) -> float:
    """The best of some runs."""
    best = np.inf
    with torch.no_grad():
        for _ in range(runs):
            start = perf_counter()
            network(x)
            best = min(best, perf_counter() - start)
    return 1000 * best


x, dense = torch.randn(1, 64, 64, 64), nn.Conv2d(64, 64, 3, padding=1)
whole, spent = milliseconds(dense, x), 0.0
for name, part in {
    "depthwise": nn.Conv2d(64, 64, 3, padding=1, groups=64), "pointwise": nn.Conv2d(64, 64, 1)
}.items():  # fmt: skip
    work, share = part.weight.numel() / dense.weight.numel(), milliseconds(part, x) / whole
    print(f"{name}: {work:5.1%} of the dense one's multiplications, {share:4.0%} of its time")
    spent += share
print(f"together {spent:.0%} of its time, where the count promises {1 / 64 + 1 / 9:.0%}")

# %% [markdown]
# (An example, from several runs on the course's test machine: together between a sixth and three tenths of the time. The depthwise step took four to seven times as long for each multiplication as the dense one.)
#
# A dense convolution uses every number that it reads from memory for all 64 output channels. A depthwise one uses it for a single channel, and mostly waits for memory. Fewer multiplications are less time, but
# not in proportion.
#
# ## Inverted residuals
#
# A separable convolution mixes with its 1×1, and the 1×1 is where the weights are. Looking around in *many* channels is cheap; handing many channels
# on is expensive. MobileNetV2 (Sandler et al., 2018) does the first without the second: **narrow → wide → narrow**.
#
# 1. **Widen** with a 1×1 to six times the channels (norm, ReLU).
# 2. **Look around** in each of them, with a depthwise 3×3 (norm, ReLU).
# 3. **Narrow** with another 1×1 (norm, **no** ReLU).
#
# The shortcut of a deep ResNet joins the wide ends of its blocks. Here it joins the narrow ends, hence *inverted*.
#
# Why no ReLU at the narrow end? A ReLU throws away everything below zero. With many channels the loss is small: what one channel cuts off, another one has kept. With few
# it is gone. The paper argues with a picture of this kind: take a spiral in the plane, write it into $n$ channels with a random matrix, apply ReLU, and go back by least squares.

# %%
rng = np.random.default_rng(1)
turn = np.linspace(0, 4 * np.pi, 400)
spiral = np.stack([turn * np.cos(turn), turn * np.sin(turn)]) / turn.max()  # (2, 400)
widths = (2, 3, 6, 15, 60)
figure, axes = plt.subplots(1, 6, figsize=(7.5, 1.6), layout="constrained")
axes[0].scatter(*spiral, c=turn, s=2)
axes[0].set_title("the spiral", fontsize=9)
for panel, n in zip(axes[1:], widths, strict=True):
    matrix = rng.normal(0, 1, (n, 2))
    kept = np.maximum(matrix @ spiral, 0)  # (n, 400)
    back = np.linalg.pinv(matrix) @ kept  # (2, 400)
    back -= back.mean(1, keepdims=True)
    panel.scatter(*back / np.abs(back).max(), c=turn, s=2)
    panel.set_title(f"{n} channels", fontsize=9)
for panel in axes:
    panel.set(xticks=[], yticks=[], aspect="equal", xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))
plots.described(figure, "What a ReLU leaves of a spiral: of 2 channels two straight arms, of 6 a "
                "bent line, of 60 nearly all of it.")  # fmt: skip

# %% [markdown]
# With 2 or 3 channels large parts of the spiral fall together onto lines, and no later layer can tell them apart. With 60 the spiral is nearly whole. So the ReLUs belong where the block is wide. (The matrices are random
# here. A trained network can lose less.)
#
# ## Exercise 2: the inverted residual
#
# There is a **shortcut**, $x + \text{block}(x)$, exactly when both have the same shape: stride 1 *and* as many channels out as in. Otherwise the block stands alone, without an
# extra convolution to make shapes fit. After the sum comes nothing.
#
# Put the body into `self.layers`, an `nn.Sequential` of four: `conv_bn_relu`, `conv_bn_relu`, convolution, normalisation.
#
# <details><summary>Hint 1</summary>
#
# The width inside is `in_channels * expansion`. Which of the four parts strides?
# </details>
# <details><summary>Hint 2</summary>
#
# Remember in `__init__` whether there is a shortcut, and ask for it in `forward`.
# </details>
# <details><summary>Hint 3</summary>
#
# With `hidden = in_channels * expansion`: `conv_bn_relu(in_channels, hidden)`, `conv_bn_relu(hidden, hidden, 3, stride, groups=hidden)`,
# `nn.Conv2d(hidden, out_channels, 1, bias=False)`, `nn.BatchNorm2d(out_channels)`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.fastscnn import InvertedResidual` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (input)
    layers.0: widen, 1×1, ReLU |
    layers.1: depthwise, 3×3, ReLU |
    layers.2: narrow, 1×1 |
    layers.3 |
    x + layers(x): if both have one shape
    """,
    """input > layers.0 > layers.1 > layers.2 > layers.3 > x + layers(x),
    input > x + layers(x)""",
    shapes=plots.shapes(finished.global_feature_extractor[1], (64, 32, 32), depth=2),
)


# %% inverted-residual minutes=25 difficulty="medium"
class InvertedResidual(nn.Module):
    """MobileNetV2's block: widen, look around in each channel, narrow; a shortcut where it fits."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, expansion: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        hidden = in_channels * expansion
        self.residual = stride == 1 and in_channels == out_channels
        self.layers = nn.Sequential(
            conv_bn_relu(in_channels, hidden),
            conv_bn_relu(hidden, hidden, 3, stride, groups=hidden),
            nn.Conv2d(hidden, out_channels, 1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, in, H, W) → (B, out, H/stride, W/stride)."""
        ### BEGIN SOLUTION
        out = self.layers(x)
        return x + out if self.residual else out
        ### END SOLUTION


# %% check-inverted-residual points=1
from coursekit.checks.mistakes.fastscnn import misbuilt
from coursekit.checks.mistakes.modules import unlike
from coursekit.parts.fastscnn import InvertedResidual as create_block

check = Check("inverted-residual")
torch.manual_seed(0)
asked = ((6, 8, 2, 4), (5, 7, 1, 3))
for made, (a, b, stride, factor) in zip(check.build(InvertedResidual, *asked), asked, strict=True):
    check.kind(getattr(made, "layers", None), nn.Sequential, what="the body, self.layers,")
    convs = [part for part in made.layers.modules() if isinstance(part, nn.Conv2d)]
    shapes, w = [tuple(part.weight.shape) for part in convs], a * factor
    for wrong, message in misbuilt(a, b, factor):
        check.catches(wrong, shapes, message)
    expected = [(w, a, 1, 1), (w, 1, 3, 3), (b, w, 1, 1)]
    twin = create_block(a, b, stride, factor)
    check.that(len(shapes) == 3, f"there are three convolutions in it, not {len(shapes)}: widen, depthwise, narrow")  # fmt: skip
    check.equal(shapes, expected, f"{unlike(made, twin)}: widen {a} → {w}, depthwise {w}, narrow {w} → {b}")  # fmt: skip
    strides = [part.stride[0] for part in convs]
    check.equal(strides[::2], [1, 1], "a 1×1 strides: it reads one pixel of four")
    check.equal(strides[1], stride, "the depthwise step should stride as asked")
    names = {key.rsplit(".", 1)[0] for key in made.state_dict()}
    keys = ["layers.0.0", "layers.0.1", "layers.1.0", "layers.1.1", "layers.2", "layers.3"]
    check.that(all(name.startswith("layers.") for name in names), "there are weights outside of self.layers: a shortcut has none")  # fmt: skip
    check.equal(sorted(names), keys, f"{unlike(made, twin)}; layers: two conv_bn_relu, convolution, normalisation")  # fmt: skip
    check.equal(str(made.layers[3]), str(nn.BatchNorm2d(b)), "last comes the normalisation of out_channels, as it is")  # fmt: skip
    count = sum(p * q * k * k for p, q, k, _ in expected) + 2 * (w + w + b)
    check.equal(count_parameters(made), count, "leave the convolutions' biases out, no more")
check.passed("narrow, wide, narrow")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-inverted-residual")
sizes = probe.given("sizes", lambda rng: rng.integers(2, 9, (3, 3)))
for row, (entering, leaving, factor) in enumerate(sizes.tolist()):
    made = InvertedResidual(entering, leaving, 1 + row % 2, factor)
    table = {key: list(value.shape) for key, value in made.state_dict().items()}
    about = f"{entering} → {leaving} channels, expansion {factor}"
    probe.emit(f"names-{row}", table, f"names and shapes with {about}")
    probe.emit(f"count-{row}", count_parameters(made), f"the number of parameters with {about}")
    convs = [part for part in made.modules() if isinstance(part, nn.Conv2d)]
    probe.emit(f"strides-{row}", [part.stride[0] for part in convs], f"where it strides, {about}")
### END HIDDEN TESTS

# %% check-inverted-residual-2 points=1
from coursekit.checks.mistakes.fastscnn import misshortened

check = Check("inverted-residual")
check.crashes(RuntimeError, "of tensor a", "a sum of different shapes: a shortcut needs two things")
x = torch.randn(2, 6, 9, 10)
block, *others = check.build(InvertedResidual, (6, 6, 1, 4), (6, 8, 1, 4), (6, 6, 2, 3))
check.kind(getattr(block, "layers", None), nn.Sequential, what="the body, self.layers,")
for part in block.modules():
    if isinstance(part, nn.BatchNorm2d):
        part.weight.data.fill_(5)  # so that some values are large
entered, first, like = x.clone().requires_grad_(), block.layers[0], copy.deepcopy(block.layers)
whole, body = check.call(block, entered), like(x.clone())
for name, part in zip(("first", "second"), block.layers, strict=False):
    kinds = [type(one).__name__ for one in part]
    check.catches(["Conv2d", "BatchNorm2d"], kinds, f"there is no ReLU behind the {name} step")
    check.equal(kinds, ["Conv2d", "BatchNorm2d", "ReLU"], f"the {name} step, with no ReLU6 in it")
check.that(body.min() < 0, "there is a ReLU at the narrow end: the last step is linear")
check.catches((2, 12, 9, 10), whole.shape, "x is concatenated: add it")
check.slips(whole, x + body, misshortened, x, body)
for key, moved in like.named_buffers():
    check.close(block.layers.get_buffer(key), moved, f"{key} has moved otherwise: call layers once")
check.close(check.call(block, x), whole, "called twice, two answers: is there a dropout?", 1e-4)
check.close(whole, x + body, "expected: x + layers(x)", atol=1e-4)
check.that(whole.requires_grad, "what comes out has no gradient: detach nothing")
whole.pow(3).sum().backward(retain_graph=True)
check.that(None not in (entered.grad, first[0].weight.grad), "no gradient reaches the input or self.layers: detach nothing")  # fmt: skip
# The body ends in a normalisation, so that its sum is constant: what is left is the shortcut's.
check.close(torch.autograd.grad(whole.sum(), entered)[0], torch.ones(x.shape), "no gradient goes by the shortcut: detach nothing", 0.05)  # fmt: skip
for other in others:
    check.close(check.call(other, x), other.layers(x), "another shape comes out: no shortcut here, and nothing after the body", atol=1e-4)  # fmt: skip
check.passed("a shortcut exactly where shapes agree")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-inverted-residual-2")
for name, arguments in (
    ("shortcut", (5, 5, 1, 3)),
    ("wider", (5, 7, 1, 2)),
    ("stride", (5, 5, 2, 3)),
    ("both", (5, 4, 2, 2)),
):
    block = InvertedResidual(*arguments).double()
    probe.fill(block, f"{name}-weights", mean=0.2, spread=0.5)
    drawn = probe.given(name, lambda rng: rng.normal(0, 3, (2, 5, 7, 6)))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"with the arguments {arguments}"
    probe.emit(f"{name}-eval", block.eval()(entered.clone()), f"{about}, in evaluation")
    came_out = block.train()(entered.clone())
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    probe.emit(f"{name}-state", dict(block.state_dict()), f"{about}, statistics after a step")
    (came_out**3).sum().backward()
    probe.emit(f"{name}-input", entered.grad, f"{about}, the gradient with respect to the input")
    slopes = {key: parameter.grad for key, parameter in block.named_parameters()}
    probe.emit(f"{name}-gradients", slopes, f"{about}, the gradients")
### END HIDDEN TESTS

# %% [markdown]
# ## Pyramid pooling
#
# At the end of the deep path the map has 1/32 of the image's height and width. To know that a dark patch is hair, not a hat, it helps to know the whole picture. <dfn title="pyramid pooling">Pyramid pooling</dfn> (from PSPNet; Zhao et al., 2017) lays grids of 1×1, 2×2, 3×3 and 6×6 bins over the map and puts the mean of each bin beside the features. The 1×1 grid knows what is in the picture,
# the finer ones roughly where.
#
# `F.adaptive_avg_pool2d(x, n)` makes one grid. Along a side of length $L$, bin $i$ goes from $\lfloor iL/n \rfloor$ up to, not including, $\lceil (i+1)L/n \rceil$. When $n$ does not divide $L$, neighbours may overlap, and no pixel is left out.


# %%
def bins(side: int, grid: int) -> list[range]:
    """Which rows the bins of adaptive pooling cover."""
    return [range(i * side // grid, -(-(i + 1) * side // grid)) for i in range(grid)]


for side, grid in ((16, 2), (16, 3), (16, 6), (3, 6)):
    ramp = torch.arange(float(side)).view(1, 1, side, 1)
    means = F.adaptive_avg_pool2d(ramp, (grid, 1)).flatten().tolist()
    mine = [sum(rows) / len(rows) for rows in bins(side, grid)]
    spans = " ".join(f"{rows[0]}–{rows[-1]}" for rows in bins(side, grid))
    print(f"{side:2} rows in {grid} bins: {spans}; as PyTorch has it: {np.allclose(mine, means)}")

# %% [markdown]
# A 512² image comes to 16² here. On the quick tier the map is 3², and 6 bins hold each row twice (the last line).
#
# Compare with lesson 03. ASPP looks around *each pixel*, at fixed distances, and does not know where in the picture it is. Pyramid pooling divides the *picture* into fixed parts, and does
# not know what lies 12 pixels to the left.
#
# ## Exercise 3: pyramid pooling
#
# For each grid: pool, reduce to `channels // len(bins)` channels with a 1×1 `conv_bn_relu`, enlarge to the size of `x` bilinearly. (Reduce while the map is tiny: that is cheap.) Then concatenate, **`x` in front**, and project to `out_channels` with one more 1×1.
#
# | name | what |
# |---|---|
# | `bins` | the grids, as they came |
# | `reduce` | an `nn.ModuleList` with a `conv_bn_relu` for each grid |
# | `project` | `conv_bn_relu`, from all channels to `out_channels` |
#
# <details><summary>Hint 1</summary>
#
# With 128 channels and 4 grids each grid gets 32; with `x` in front that makes 256.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.interpolate(…, x.shape[-2:], mode="bilinear")`. Leave `align_corners` alone: weights load either way, without an error.
# </details>
# <details><summary>Hint 3</summary>
#
# For `grid, reduce in zip(self.bins, self.reduce)`: `reduce(F.adaptive_avg_pool2d(x, grid))`, enlarged, into a list; then `self.project(torch.cat([x, *context], dim=1))`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.fastscnn import PyramidPooling` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    | reduce.0: of 1 bin |
    | reduce.1: of 2² bins |
    (input) | | concatenate: 256 × 16²
    | reduce.2: of 3² bins | project
    | reduce.3: of 6² bins |
    """,
    """input > reduce.0 > concatenate, input > reduce.1 > concatenate, input > concatenate > project,
    input > reduce.2 > concatenate, input > reduce.3 > concatenate""",
    shapes=plots.shapes(finished.global_feature_extractor[-1], (128, 16, 16)),
    across=True,
)


# %% pyramid-pooling minutes=25 difficulty="medium"
class PyramidPooling(nn.Module):
    """Means over grids of regions, laid beside the features."""

    def __init__(self, channels: int, bins: tuple, out_channels: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.bins = bins
        share = channels // len(bins)
        self.reduce = nn.ModuleList(conv_bn_relu(channels, share) for _ in bins)
        self.project = conv_bn_relu(channels + share * len(bins), out_channels)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, channels, H, W) → (B, out_channels, H, W)."""
        ### BEGIN SOLUTION
        context = []
        for grid, reduce in zip(self.bins, self.reduce, strict=True):
            means = reduce(F.adaptive_avg_pool2d(x, grid))  # (B, share, grid, grid)
            context.append(F.interpolate(means, x.shape[-2:], mode="bilinear"))
        return self.project(torch.cat([x, *context], dim=1))
        ### END SOLUTION


# %% check-pyramid-pooling points=1
from coursekit.checks.mistakes.modules import unlike

check = Check("pyramid-pooling")
check.crashes(ValueError, "divisible by groups", "a share is a whole number of channels: `//`")
named = {"channels": 9, "bins": (1, 4), "out_channels": 7}
ppm, other = check.build(PyramidPooling, (8, (1, 2, 3), 5), named)
for name in ("bins", "reduce", "project"):
    check.that(hasattr(ppm, name), f"there is no self.{name}")
check.kind(ppm.bins, [tuple, list], what="self.bins")
check.equal(tuple(ppm.bins), (1, 2, 3), "self.bins holds the grids as they came")
listed = isinstance(ppm.reduce, nn.Module)
check.that(listed, "self.reduce is a plain list, which hides its parameters: nn.ModuleList")
for blocks in (ppm.reduce, {*ppm.reduce}):
    check.equal(len(blocks), 3, "one block for each grid: they do not share their weights")
for made, a, b, c, n in ((ppm, 8, 2, 5, 3), (other, 9, 4, 7, 2)):
    shapes = {key: tuple(value.shape) for key, value in made.state_dict().items()}
    share = shapes.get("reduce.0.0.weight", (b,))[0]
    check.equal(share, b, f"reduce to channels // len(bins): {a} channels to {b} for {n} grids")
    taken, means = shapes.get("project.0.weight", (c, a + n * b))[1], n * b
    check.catches(means, taken, "project gets the means alone: x belongs beside them")
    sums = f"project gets {a} + {n} · {b} channels, and {n} times {b} is not {a}"
    check.equal(taken, a + means, sums)
    blocks = nn.ModuleList(conv_bn_relu(a, b) for _ in range(n))
    parts = nn.ModuleDict({"reduce": blocks, "project": conv_bn_relu(a + means, c)})
    odd = unlike(made, parts)
    check.that(not odd, f"{odd}: reduce and project are of conv_bn_relu, as the table says")
    parts.load_state_dict(made.state_dict())
    for part, like in zip([*made.reduce, made.project], [*blocks, parts["project"]], strict=True):
        z = torch.randn(4, like[0].in_channels, 3, 3)
        check.close(part(z), like(z), "each part is conv_bn_relu as it is, with its ReLU")
check.passed("the parts fit")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-pyramid-pooling")
sizes = probe.given("sizes", lambda rng: rng.integers(4, 12, (3, 3)))
for row, (a, _, c) in enumerate(sizes.tolist()):
    made = PyramidPooling(a, (1, 2, 4)[: 2 + row % 2], c)
    table = {key: list(value.shape) for key, value in made.state_dict().items()}
    probe.emit(f"names-{row}", table, f"names and shapes with other numbers of channels ({row})")
    count = sum(weight.numel() for weight in made.parameters() if weight.requires_grad)
    probe.emit(f"count-{row}", count, f"the number of parameters ({row})")
### END HIDDEN TESTS

# %% check-pyramid-pooling-2 points=1
from coursekit.checks.learning import learn_alike, train_alike
from coursekit.checks.mistakes.fastscnn import mispooled, pooling_apart
from coursekit.checks.mistakes.modules import unlike
from coursekit.parts.fastscnn import PyramidPooling as PyramidPool

check = Check("pyramid-pooling")
check.crashes(RuntimeError, "Sizes of tens", "enlarge to the height and width of x, and cat dim=1")
check.crashes(RuntimeError, "have 14 channels", "x and all maps stand side by side: cat dim=1, of a list that begins once, before the loop")  # fmt: skip
check.crashes(RuntimeError, "have 8 channels", "each block of reduce gets 8 channels: means of x")
check.crashes(RuntimeError, "of tensor a|stack expects|expanded", "F.interpolate each map, then torch.cat")  # fmt: skip
torch.manual_seed(0)
ppm, twin = PyramidPooling(8, (1, 2, 4), 5).eval(), PyramidPool(8, (1, 2, 4), 5).eval()
odd = unlike(ppm, twin)
check.that(not odd, f"{odd}: see the check above")
x = 9 * (torch.randn(2, 8, 7, 10) + torch.randn(2, 8, 1, 1))
for moved in ppm.buffers():
    moved += 0.1 if moved.is_floating_point() else 0  # to see whether all is normalised
twin.load_state_dict(ppm.state_dict())
got = check.call(ppm, x.requires_grad_())
check.shape(got, (2, 5, 7, 10), "out_channels should come out, at the size that went in")
same = twin(x)
check.slips(got, same, mispooled, twin, x, (1, 2, 4), where=lambda: pooling_apart(ppm, twin, x))
check.close(got, same, "expected: pool, reduce, enlarge, x in front, project", atol=1e-4)
leaves = [{"x": x, **dict(module.named_parameters())} for module in (ppm, twin)]
learn_alike(check, got, same, *leaves)
train_alike(check, ppm, twin, x)
check.passed("one look at the whole, and some at its parts")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-pyramid-pooling-2")
for name, arguments, side in (
    ("even", (6, (1, 2), 4), (8, 6)),
    ("odd", (7, (1, 2, 5), 3), (9, 7)),
    ("tiny", (8, (1, 2, 3, 6), 5), (3, 2)),
):
    ppm = PyramidPooling(*arguments).double()
    probe.fill(ppm, f"{name}-weights", mean=0.2, spread=0.5)
    shape = (3, arguments[0], *side)
    drawn = probe.given(name, lambda rng, s=shape: rng.normal(0, 2, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"bins {arguments[1]} on a map of {side[0]} × {side[1]}"
    probe.emit(f"{name}-eval", ppm.eval()(entered), f"{about}, in evaluation")
    came_out = ppm.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    (came_out**3).sum().backward()
    probe.emit(f"{name}-input", entered.grad, f"{about}, the gradient with respect to the input")
    slopes = {key: parameter.grad for key, parameter in ppm.named_parameters()}
    probe.emit(f"{name}-gradients", slopes, f"{about}, the gradients")
    probe.emit(f"{name}-count", count_parameters(ppm), f"{about}, the number of parameters")
    probe.emit(f"{name}-bins", list(ppm.bins), f"{about}, what it remembers of them")
### END HIDDEN TESTS

# %% [markdown]
# The 1×1 grid has one value for each image and channel. So the trap of lesson 03 is back: one image in training is an error, and with two the branch says
# little but which of them has more.
#
# ## The beginning, and the deep path
#
# **Learning to downsample**, which both paths share, has three layers of stride 2. The first is dense, because with three channels there is nothing to save; the others are your `SeparableConv`.
#
# The deep path has nine inverted residuals in three groups, then your pyramid. The paper gives them as a table of expansion $t$, channels $c$, repeats $n$ and stride $s$:
#
# | $t$ | $c$ | $n$ | $s$ | a 512² image is then |
# |---|---|---|---|---|
# | 6 | 64 | 3 | 2 | 32² |
# | 6 | 96 | 3 | 2 | 16² |
# | 6 | 128 | 3 | 1 | 16² |
#
# The stride is that of the *first* block in its group; the others keep the size. So in each group two blocks of three have a shortcut.


# %%
class LearningToDownsample(nn.Sequential):
    """Three stride-2 layers, shared by both paths: (B, 3, H, W) → (B, c, H/8, W/8)."""

    def __init__(self, widths: tuple = (32, 48, 64)) -> None:
        a, b, c = widths
        super().__init__(
            conv_bn_relu(3, a, 3, stride=2),
            SeparableConv(a, b, stride=2),
            SeparableConv(b, c, stride=2),
        )


class GlobalFeatureExtractor(nn.Sequential):
    """Inverted residuals, then pyramid pooling: (B, c, h, w) → (B, width, h/4, w/4)."""

    def __init__(self, channels: int, widths: tuple = (64, 96, 128), width: int = 128) -> None:
        layers: list[nn.Module] = []
        for c, stride in zip(widths, (2, 2, 1), strict=True):
            for i in range(3):
                layers.append(InvertedResidual(channels, c, stride if i == 0 else 1, 6))
                channels = c
        super().__init__(*layers, PyramidPooling(channels, (1, 2, 3, 6), width))


# %% [markdown]
# ## Exercise 4: feature fusion
#
# Now the two paths meet. The fine one comes straight from the shared beginning: 64 channels at 1/8. The coarse one has 128 channels at 1/32. They are brought to one shape and **added**:
#
# | name | what |
# |---|---|
# | `low` | for the coarse path, *after* it was enlarged: depthwise `conv_bn_relu` 3×3, then a 1×1 convolution (no bias) to `width`, normalisation, no ReLU |
# | `high` | for the fine path: 1×1 convolution (no bias) to `width`, normalisation, no ReLU |
# | `mix` | `conv_bn_relu` 1×1, `width` → `width` |
#
# Enlarge the coarse map bilinearly to the fine one's size, add `high` and `low`, apply ReLU to the sum, and `mix`.
# (`mix` is **not in the paper**. The report's network has it, and counts its 16,640 parameters.)
#
# Why add and not concatenate, as U-Net does? Concatenated maps would double the weights of `mix`. Little is lost: a 1×1 convolution of concatenated maps *is* the sum of two 1×1 convolutions, and these stand in `low` and `high`.
#
# <details><summary>Hint 1</summary>
#
# Enlarge to `fine.shape[-2:]`, not by the factor 4: two strides turn a side of 13 into 7 and then 4, and 4 · 4 is 16.
# </details>
# <details><summary>Hint 2</summary>
#
# `low` is an `nn.Sequential` of three parts, the first of which is a `conv_bn_relu` with as many groups as channels.
# </details>
# <details><summary>Hint 3</summary>
#
# `coarse = F.interpolate(coarse, fine.shape[-2:], mode="bilinear")`, and then
# `self.mix(F.relu(self.high(fine) + self.low(coarse)))`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.fastscnn import FeatureFusion` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (fine: 64 × 64²) | (coarse: 128 × 16²)
    | enlarge: 128 × 64²
    high | low
    add: and ReLU
    mix
    """,
    "fine > high > add > mix, coarse > enlarge > low > add",
    shapes=plots.shapes(finished.feature_fusion, (64, 64, 64), (128, 16, 16)),
)


# %% feature-fusion minutes=25 difficulty="medium"
class FeatureFusion(nn.Module):
    """Adds the coarse path to the fine one, at the fine one's size."""

    def __init__(self, fine: int, coarse: int, width: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.low = nn.Sequential(
            conv_bn_relu(coarse, coarse, 3, groups=coarse),
            nn.Conv2d(coarse, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.high = nn.Sequential(nn.Conv2d(fine, width, 1, bias=False), nn.BatchNorm2d(width))
        self.mix = conv_bn_relu(width, width)
        ### END SOLUTION

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """(B, fine, h, w) and (B, coarse, h/4, w/4) → (B, width, h, w)."""
        ### BEGIN SOLUTION
        coarse = F.interpolate(coarse, fine.shape[-2:], mode="bilinear")
        return self.mix(F.relu(self.high(fine) + self.low(coarse)))
        ### END SOLUTION


# %% check-feature-fusion points=1
from coursekit.checks.mistakes.modules import unlike

check = Check("feature-fusion")
asked = ((5, 6, 9), (4, 7, 3))
for made, (a, b, c) in zip(check.build(FeatureFusion, *asked), asked, strict=True):
    for name in ("low", "high", "mix"):
        part = getattr(made, name, None)
        check.that(isinstance(part, nn.Module), f"there is no module self.{name}")
    parts = made.named_children()
    kernels = {n: [w.shape for w in part.parameters() if w.ndim == 4] for n, part in parts}
    both = [(c, 2 * c, 1, 1)]
    check.catches(both, kernels["mix"], "mix gets both paths side by side: add them")
    dense, thin = ([(b, n, 3, 3), (c, b, 1, 1)] for n in (b, 1))
    check.catches(dense, kernels["low"], "the 3×3 of low is depthwise: set its groups")
    check.equal(kernels["low"], thin, "low: depthwise 3×3, then 1×1 to width")
    check.equal(kernels["high"], [(c, a, 1, 1)], "high: one 1×1, from the fine path to width")
    check.equal(kernels["mix"], [(c, c, 1, 1)], "mix: one 1×1, width → width")
    low, high = (nn.Conv2d(n, c, 1, bias=False) for n in (b, a))
    low = nn.Sequential(conv_bn_relu(b, b, 3, groups=b), low, nn.BatchNorm2d(c))
    table = {"low": low, "high": nn.Sequential(high, nn.BatchNorm2d(c)), "mix": conv_bn_relu(c, c)}
    twin = nn.ModuleDict(table)
    odd = unlike(made, twin)
    check.that(not odd, f"{odd}: low has three parts, high two, mix is conv_bn_relu; a normalisation behind each, no biases")  # fmt: skip
    twin.load_state_dict(made.state_dict())
    for part, like in ((made.low[0], low[0]), (made.mix, twin["mix"])):
        z = torch.randn(4, like[0].in_channels, 5, 5)
        check.close(
            part(z), like(z), "low begins with conv_bn_relu, mix is one, each with its ReLU"
        )
check.passed("the parts fit")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-feature-fusion")
sizes = probe.given("sizes", lambda rng: rng.integers(3, 9, (3, 3)))
for row, (a, b, c) in enumerate(sizes.tolist()):
    made = FeatureFusion(a, b, c)
    table = {key: list(value.shape) for key, value in made.state_dict().items()}
    probe.emit(f"names-{row}", table, f"names and shapes with other numbers of channels ({row})")
    count = sum(weight.numel() for weight in made.parameters() if weight.requires_grad)
    probe.emit(f"count-{row}", count, f"the number of parameters ({row})")
### END HIDDEN TESTS

# %% check-feature-fusion-2 points=1
from coursekit.checks.learning import learn_alike, train_alike
from coursekit.checks.mistakes.fusion import FUSED_AS, UNFUSED, misfused
from coursekit.checks.mistakes.modules import unlike
from coursekit.parts.fastscnn import FeatureFusion as Fusion

check = Check("feature-fusion")
for said, message in UNFUSED:
    check.crashes((RuntimeError, TypeError), said, message)
fusion, twin = FeatureFusion(5, 6, 9).eval(), Fusion(5, 6, 9).eval()
fine, coarse = ((20 * torch.randn(2, *n)).requires_grad_() for n in ((5, 13, 9), (6, 4, 3)))
odd = unlike(fusion, twin)
check.that(not odd, f"{odd}: see the check above")
for moved in fusion.buffers():
    moved += 0.1 if moved.is_floating_point() else 0  # to see whether all is normalised
twin.load_state_dict(fusion.state_dict())
got = check.call(fusion, fine, coarse)
size = "width channels should come out, at the fine map's size"
check.shape(got, (2, 9, 13, 9), FUSED_AS.get(tuple(got.shape), size))
large = F.interpolate(coarse, (13, 9), mode="bilinear")
for name, end in (("low", fusion.low(large)), ("high", fusion.high(fine))):
    check.that(end.min() < 0, f"{name} ends in a ReLU: that comes once, behind the sum")
same = twin(fine, coarse)
check.slips(got, same, misfused, twin, fine, coarse)
check.close(got, same, "expected: enlarge, low and high, add, ReLU, mix")
maps = {"the fine map": fine, "the coarse map": coarse}
leaves = [maps | dict(module.named_parameters()) for module in (fusion, twin)]
learn_alike(check, got, same, *leaves)
train_alike(check, fusion, twin, fine, coarse)
check.passed("two paths, one map")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-feature-fusion-2")
fusion = FeatureFusion(4, 3, 5).double()
probe.fill(fusion, "weights", mean=0.2, spread=0.5)
for name, large, small in (
    ("even", (8, 12), (2, 3)),
    ("odd", (9, 7), (3, 2)),
    ("same", (4, 5), (4, 5)),
):
    fine = torch.from_numpy(
        probe.given(f"{name}-fine", lambda rng, s=large: rng.normal(0, 1, (2, 4, *s)))
    )
    coarse = torch.from_numpy(
        probe.given(f"{name}-coarse", lambda rng, s=small: rng.normal(0, 1, (2, 3, *s)))
    )
    about = f"a fine map of {large[0]} × {large[1]}"
    probe.emit(f"{name}-eval", fusion.eval()(fine, coarse), f"{about}, in evaluation")
    came_out = fusion.train()(fine.requires_grad_(), coarse.requires_grad_())
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    fusion.zero_grad()
    (came_out**3).sum().backward()
    probe.emit(f"{name}-into-fine", fine.grad, f"{about}, the gradient of the fine path")
    probe.emit(f"{name}-into-coarse", coarse.grad, f"{about}, the gradient of the coarse path")
    slopes = {key: parameter.grad for key, parameter in fusion.named_parameters()}
    probe.emit(f"{name}-gradients", slopes, f"{about}, the gradients")
probe.emit("count", count_parameters(FeatureFusion(7, 5, 6)), "the number of parameters")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the network
#
# The classifier is given. Its dropout sets, in training, each value to 0 with a probability of 0.1. Its last convolution is the only one in the network with a bias. Put the network together, as it is drawn at the beginning:
#
# | name | what |
# |---|---|
# | `learning_to_downsample` | `LearningToDownsample(downsample)` |
# | `global_feature_extractor` | `GlobalFeatureExtractor`, from the last of these widths, with `bottlenecks` and `width` |
# | `feature_fusion` | `FeatureFusion`: how many channels do the two paths have? |
# | `classifier` | `Classifier(width, num_classes)` |
#
# The logits come out at 1/8. Enlarge **them** to the size of the image, bilinearly.
#
# <details><summary>Hint 1</summary>
#
# The shared map is used twice: it goes into the deep path, and it *is* the fine path.
# </details>
# <details><summary>Hint 2</summary>
#
# The fine path has `downsample[-1]` channels, the coarse one `width`: pyramid pooling has projected it.
# </details>
# <details><summary>Hint 3</summary>
#
# `fine = self.learning_to_downsample(image)`, `coarse = self.global_feature_extractor(fine)`, the classifier on their fusion, and `F.interpolate(logits, image.shape[-2:], mode="bilinear")`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.fastscnn import FastSCNN` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %%
class Classifier(nn.Sequential):
    """Two separable convolutions, dropout, and a score for each class at each pixel."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__(
            SeparableConv(width, width),
            SeparableConv(width, width),
            nn.Dropout(0.1),
            nn.Conv2d(width, num_classes, 1),
        )


# %% fast-scnn minutes=20 difficulty="medium"
class FastSCNN(nn.Module):
    """A network of two paths that share their first layers."""

    def __init__(
        self, num_classes: int = 19, downsample: tuple = (32, 48, 64),
        bottlenecks: tuple = (64, 96, 128), width: int = 128,
    ) -> None:  # fmt: skip
        super().__init__()
        ### BEGIN SOLUTION
        fine = downsample[-1]
        self.learning_to_downsample = LearningToDownsample(downsample)
        self.global_feature_extractor = GlobalFeatureExtractor(fine, bottlenecks, width)
        self.feature_fusion = FeatureFusion(fine, width, width)
        self.classifier = Classifier(width, num_classes)
        ### END SOLUTION

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) whitened image → (B, num_classes, H, W) logits."""
        ### BEGIN SOLUTION
        fine = self.learning_to_downsample(image)  # (B, 64, H/8, W/8)
        coarse = self.global_feature_extractor(fine)  # (B, 128, H/32, W/32)
        logits = self.classifier(self.feature_fusion(fine, coarse))  # (B, 19, H/8, W/8)
        return F.interpolate(logits, image.shape[-2:], mode="bilinear")
        ### END SOLUTION


# %% check-fast-scnn points=1
from coursekit.checks.mistakes.crashes import CRASHES
from coursekit.checks.mistakes.fastscnn import SIZES_OF, misassembled, whole_network
from coursekit.checks.mistakes.modules import unlike

check = Check("fast-scnn")
for known in CRASHES["fast-scnn"]:
    check.crashes(*known)
torch.manual_seed(0)
mine, image = check.call(FastSCNN), 1 + 2 * torch.randn(3, 3, 43, 50)
twin = whole_network()
counts = [{n: count_parameters(p) for n, p in net.named_children()} for net in (mine, twin)]
check.equal(sorted(counts[0]), sorted(counts[1]), "name the parts as in the table")
for name in (n for n, count in counts[1].items() if counts[0][n] != count):
    odd = unlike(getattr(mine, name), getattr(twin, name))
    check.equal(counts[0][name], counts[1][name], f"self.{name} has not the report's number of parameters: {odd}")  # fmt: skip
for weight in mine.parameters():
    weight.data += 0.03 * torch.randn(weight.shape)  # nothing is exactly 0 or 1
check.call(mine, image)  # in training, so that the running statistics move
got = check.call(mine.eval(), image)
check.kind(got, torch.Tensor)
check.that(tuple(got.shape) not in SIZES_OF, SIZES_OF.get(tuple(got.shape), ""))
check.shape(got, (3, 19, 43, 50), "one score for each class and pixel, at the image's size")
twin.load_state_dict(mine.state_dict())
same = twin(image)
check.slips(got, same, misassembled, twin, image)
check.close(got, same, "another output than the course's: is every part used once?", rtol=1e-4)  # fmt: skip
check.passed("the course's FastSCNN accepts your weights and computes the same")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-fast-scnn")
small = FastSCNN(5, downsample=(4, 5, 6), bottlenecks=(5, 6, 8), width=7).double()
probe.fill(small, "weights")
small.classifier[2].p = 0.0  # dropout draws otherwise on every machine
for name, shape in (("odd", (3, 3, 43, 50)), ("even", (3, 3, 64, 32))):
    photo = torch.from_numpy(probe.given(name, lambda rng, s=shape: rng.normal(0, 1, s)))
    about = f"other widths and weights, on images of {shape[2]} × {shape[3]}"
    probe.emit(f"{name}-eval", small.eval()(photo), f"{about}, in evaluation")
    probe.emit(f"{name}-train", small.train()(photo), f"{about}, in training")
plain = FastSCNN().double()
held = {key: list(value.shape) for key, value in plain.state_dict().items()}
probe.emit("default", held, "names and shapes without arguments, which make the 2025 limit")
probe.sow(plain, "sown")
photo = torch.from_numpy(probe.given("photo", lambda rng: rng.normal(0, 1, (1, 3, 36, 40))))
with torch.no_grad():
    came_out = plain.eval()(photo)
probe.emit("whole", came_out, "FastSCNN() with other weights, in evaluation")
### END HIDDEN TESTS

# %% check-fast-scnn-2 points=1
from coursekit.checks.learning import learn_alike, train_alike
from coursekit.checks.mistakes.fastscnn import ARGUMENTS

check = Check("fast-scnn")
torch.manual_seed(0)
small = {"num_classes": 11, "downsample": (6, 8, 7), "bottlenecks": (8, 10, 12), "width": 9}
mine = check.call(FastSCNN, **small)
image, twin = torch.randn(4, 3, 43, 50).requires_grad_(), create_model("fastscnn", **small)
for name, message in ARGUMENTS.items():
    parts = [getattr(network, name).state_dict() for network in (mine, twin)]
    tables = [{key: tuple(value.shape) for key, value in part.items()} for part in parts]
    check.that(tables[0] == tables[1], f"self.{name}: use the arguments, {message}")
twin.load_state_dict(mine.state_dict())
for network in (mine, twin):
    network.classifier[2].p = 0.0  # no dropout, which is drawn
got, same = train_alike(check, mine, twin, image, rtol=1e-3)
leaves = [{"the image": image, **dict(network.named_parameters())} for network in (mine, twin)]
learn_alike(check, got, same, *leaves)
check.passed("every weight learns")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-fast-scnn-2")
learner = FastSCNN(3, downsample=(4, 6, 8), bottlenecks=(4, 6, 8), width=8).double()
probe.start(learner, "start")
learner.classifier[2].p = 0.0  # no dropout: what comes out must not depend on luck
probe.train(learner, (2, 35, 40))
### END HIDDEN TESTS

# %%
# Where do the parameters sit, and where is the work? Counted for one image of 512², while shapes
# alone flow through a copy of the network. Below the counts: the shapes in your tier.
mine = FastSCNN()
print(cost_table(mine, 512))
total, unet = (multiply_accumulates(net, 512) for net in (mine, create_model("unet")))
print(f"U-Net makes {unet / total:.1f} times as many multiplications.")
plots.shapes(mine, (3, SIZES["size"], SIZES["size"]), depth=2)

# %% [markdown]
# The deep path holds nine tenths of the parameters and does half of the work. U-Net works at full size at its beginning and end. Here the first convolution already strides.
#
# ## Exercise 6: what scores at an eighth can say
#
# The scores come out at 1/8 and are enlarged. Whatever the network knows, it must say it in one vector of scores for 8 × 8 pixels. Before training we ask what is left of the *truth* after that: shrink the true label map to an eighth of its side, enlarge it again, and compare with what it was.
#
# Class ids cannot be averaged (the mean of 1, skin, and 3, glasses, is 2, nose). Shares can:
#
# 1. one-hot: a map for each class, 1 where the class is and 0 elsewhere;
# 2. average over squares of `stride` × `stride`: the **share** of each class in each square;
# 3. enlarge the shares bilinearly, and *then* take the arg-max, at full size.
#
# <details><summary>Hint 1</summary>
#
# `F.one_hot` puts the classes last, (B, H, W, C). Pooling wants them at dimension 1, and as `float`.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.avg_pool2d(x, stride)` averages over squares that do not overlap.
# </details>
# <details><summary>Hint 3</summary>
#
# `F.one_hot(maps, num_classes).permute(0, 3, 1, 2).float()`, pooled; `F.interpolate(shares, maps.shape[-2:], mode="bilinear")`; `.argmax(1)`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.fastscnn import through_stride` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (maps: B × H × W)
    one-hot: B × C × H × W
    shares: B × C × H/stride × W/stride
    enlarge: B × C × H × W
    argmax: B × H × W
    """
)


# %% through-stride minutes=20 difficulty="medium"
def through_stride(maps: torch.Tensor, stride: int, num_classes: int) -> torch.Tensor:
    """Label maps after being shrunk by `stride` and enlarged again.

    Args: maps (B, H, W) int64, H and W multiples of stride. Returns (B, H, W) int64.
    """
    ### BEGIN SOLUTION
    one_hot = F.one_hot(maps, num_classes).permute(0, 3, 1, 2).float()
    shares = F.avg_pool2d(one_hot, stride)  # (B, C, H/stride, W/stride)
    return F.interpolate(shares, maps.shape[-2:], mode="bilinear").argmax(1)
    ### END SOLUTION


# %% check-through-stride points=2
from coursekit.checks.mistakes.strides import UNSHRUNK, misshrunk
from coursekit.parts.fastscnn import through_stride as through

check = Check("through-stride")
for kind, said, message in UNSHRUNK:
    check.crashes(kind, said, message)
torch.manual_seed(0)
maps = torch.randint(0, 19, (2, 8, 10)).repeat_interleave(5, 1).repeat_interleave(5, 2)[..., 2:]
got = check.call(through_stride, maps, 8, 19)
check.catches((2, 5, 6), np.shape(got), "these are the small maps: enlarge them again")
check.catches((2, 19, 40, 48), np.shape(got), "these are shares: take the arg-max over the classes")
check.catches((2, 1, 40, 48), np.shape(got), "one dimension too many: no keepdim")
images = "the arg-max goes over the images: classes stand in dimension 1, and it goes over that"
check.catches((19, 40, 48), np.shape(got), images)
for wrong in ((2, 19, 40), (2, 19, 48)):
    check.catches(wrong, np.shape(got), "the arg-max goes over the classes: dimension 1")
right = through(maps, 8, 19)
check.slips(got, right, misshrunk, maps, 19)
check.kind(got, torch.Tensor, dtype=torch.int64)
check.equal(got, right, "expected: one-hot, average, enlarge, arg-max")
other, plain = maps[:, :24], "other maps, a stride of 4, 25 classes: use the arguments"
check.equal(check.call(through_stride, other + 6, 4, 25), through(other, 4, 19) + 6, plain)
check.equal(check.call(through_stride, maps, 1, 19), maps, "a stride of 1 should change nothing")
check.passed("shares survive the way down, ids would not")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-through-stride")


def hidden_map(rng: np.random.Generator, classes: int, height: int, width: int) -> np.ndarray:
    """Blotches of classes, with thin lines through them."""
    drawn = rng.integers(0, classes, (2, -(-height // 5), -(-width // 5)))
    drawn = drawn.repeat(5, axis=1).repeat(5, axis=2)[:, :height, :width]
    drawn[:, rng.integers(0, height, 3)] = rng.integers(0, classes)
    drawn[:, :, rng.integers(0, width, 3)] = rng.integers(0, classes)
    return drawn


for name, stride, classes, size in (
    ("eighth", 8, 23, (40, 64)),
    ("quarter", 4, 19, (32, 24)),
    ("half", 2, 5, (18, 22)),
    ("one", 1, 4, (9, 7)),
):
    drawn = probe.given(name, lambda rng, c=classes, s=size: hidden_map(rng, c, *s))
    came_out = probe.call(through_stride, torch.from_numpy(drawn), stride, classes)
    about = f"stride {stride}, {classes} classes, {size[0]} × {size[1]}"
    probe.emit(name, came_out, about, dtype=True, kind=True)
### END HIDDEN TESTS

# %% [markdown]
# Now the truth of eight rendered faces through a stride of 8, drawn at 48², 96² and 512²: three of them in pictures, then the IoU of each class with the truth.


# %%
def maps_of(dataset, size: int) -> torch.Tensor:
    """The label maps of a data set, (N, size, size); what nobody labelled counts as class 0."""
    maps = [torch.from_numpy(np.array(dataset.label_map(i))) for i in range(len(dataset))]
    maps = [F.interpolate(m[None, None].float(), (size, size))[0, 0].long() for m in maps]
    return torch.stack([m.where(m < dataset.labels.num_classes, 0) for m in maps])


chosen = [0, 1, 7, 9, 20, 22, 28, 32]  # among them all that is rare: glasses, hats, necklaces
survived, rows = {}, [{} for _ in chosen]
for size in (48, 96, 512):
    faces = SynthDataset(seed=0, length=40, size=size, first=200, split="val").subset(chosen)
    true = maps_of(faces, size)
    left = through_stride(true, 8, 19)
    survived[f"{size}²"] = metrics.confusion_matrix(left, true, 19)
    for row, a, b in zip(rows, true, left, strict=True):
        row |= {f"{size}²": a.numpy(), f"through 1/8, {size}²": b.numpy()} if size > 48 else {}
plots.panels([rows[i] for i in (1, 3, 4)])


# %%
# NBVAL_IGNORE_OUTPUT
def compare(scores: dict[str, torch.Tensor], labels) -> plt.Figure:
    """A dot for each class and kind; scores maps a kind to a confusion matrix."""
    figure, axes = plt.subplots(figsize=(7.5, 3.2), layout="constrained")
    colours = (plots.GREY, plots.BLUE, plots.RED)
    for (kind, matrix), colour in zip(scores.items(), colours, strict=False):
        there = metrics.present(matrix)
        value, where = 100 * metrics.iou(matrix)[there], np.arange(len(there))[there]
        axes.plot(where, value, "o", color=colour, label=kind, alpha=0.8)
        lost = [labels.titles[i] for i, v in zip(where, value, strict=True) if v < 50]
        print(f"{kind}: mean IoU {100 * metrics.mean_iou(matrix):.0f} %; below 50 %: {len(lost)}")
        print("   ", ", ".join(lost) or "none")
    axes.set_xticks(range(len(labels.titles)), labels.titles, rotation=50, ha="right")
    axes.set(ylabel="IoU, %", ylim=(-3, 103))
    axes.grid(axis="x", alpha=0.3)
    figure.legend(frameon=False, loc="outside right center")
    return figure


plots.described(compare(survived, faces.labels), "The larger the image, the more is left.")

# %% [markdown]
# Where a part is two pixels thick, it hardly ever has the largest share of a square of 8 × 8. A stride is measured in pixels, the thickness of a brow in fractions of the picture: what counts is one against the other. So a small image shows FastSCNN at a disadvantage. If you shrink images to train faster, measure this first.
#
# ### Is this a ceiling?
#
# Is this the best that a network of stride 8 can reach? No. A network need not report *shares*. It may choose any scores
# whose *interpolation* falls right. How far does that go? We leave the network out and fit small maps of scores to the truth, by gradient descent on the cross-entropy:


# %%
# NBVAL_IGNORE_OUTPUT
def fitted(maps: torch.Tensor, stride: int, num_classes: int, steps: int = 80) -> torch.Tensor:
    """Label maps from the small logits that fit `maps` best, or nearly so."""
    one_hot = F.one_hot(maps, num_classes).permute(0, 3, 1, 2).float()
    logits = F.avg_pool2d(one_hot, stride).clamp_min(0.01).log().requires_grad_()
    adam = torch.optim.Adam([logits], 0.5)
    for _ in range(steps):
        adam.zero_grad()
        large = F.interpolate(logits, maps.shape[-2:], mode="bilinear")
        F.cross_entropy(large, maps).backward()
        adam.step()
    return large.argmax(1)


SIZE, CLASSES = SIZES["size"], LABELS.num_classes
some = maps_of(val.subset([i for i in chosen if i < len(val)]), SIZE)
shares_left, fitted_left = (
    metrics.confusion_matrix(way(some, 8, CLASSES), some, CLASSES)
    for way in (through_stride, fitted)
)
kept, best = (100 * metrics.mean_iou(matrix) for matrix in (shares_left, fitted_left))
print(f"{SIZE}²: shares keep {kept:.0f} %, fitted scores {best:.0f} %: {best - kept:+.0f} points")

# %% [markdown]
# To keep an eye, the scores must **exaggerate**: too much eye in its own square, too much skin
# in the squares around it. Then the two interpolated scores cross where the eye ends.
#
# The fitted scores *exist*, so the ceiling is not below them. (It may be above: the descent stopped after 80 steps.) When you read of the "upper bound" of a method, ask what was held fixed.
#
# ## Training
#
# As in lesson 03: Adam, then SGD with $T = 25$ epochs in its cosine. On the quick tier Adam starts at 0.004, since there is little time. Below the curves stands the score, class by class, beside what shares and fitted scores leave of the truth of the eight faces.

# %% train-fastscnn tags=["slow"]
from coursekit.optim import AdamToSGDConfig
from coursekit.training import FitConfig, fit

torch.manual_seed(0)
model = FastSCNN(num_classes=LABELS.num_classes)
result = fit(
    model, train, val,
    FitConfig(
        size=SIZE, epochs=SIZES["epochs"], batch_size=SIZES["batch"], seed=0,
        plan=AdamToSGDConfig(adam_lr=SIZES["lr"], patience=SIZES["patience"], sgd_t_max=25),
    ),
    progress=True, kept="04_fastscnn",
)  # fmt: skip
history = result.history
first, last = history[0]["train_loss"], history[-1]["train_loss"]
print("the first epoch's loss is below log 19:", first < np.log(19))
print("the loss fell by more than half:", last < first / 2)
plots.convergence(history)

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit.checkpoint import ModelInfo
from coursekit.training import evaluate

white = result.whitening
info = ModelInfo("fastscnn", {"num_classes": CLASSES}, LABELS.key, SIZE, white.mean, white.std)
model.cpu().eval()
pooled = evaluate(model, val, info, progress=False)
print(f"pixels called rightly: {100 * metrics.pixel_accuracy(pooled.matrix):.1f} %")
ways = {"shares": shares_left, "fitted": fitted_left, "the network": pooled.matrix}
figure = compare(ways, LABELS)
for way in ("shares", "fitted"):
    ahead = metrics.iou(pooled.matrix) > metrics.iou(ways[way])
    print(f"above the {way}:", ", ".join(LABELS.titles[i] for i in ahead.nonzero()[:, 0]) or "none")
gap = best - 100 * pooled.mean_iou
told = "training limits it, not the stride" if gap > 5 else "the stride may limit it"
print(f"{gap:+.0f} points from the network to the fitted scores: {told}")
plots.described(figure, "The network, beside what shares and fitted scores leave of the truth.")

# %% [markdown]
# Where the network is *above* the shares, they were no ceiling for it, either: it has learnt to exaggerate. The class weights push the same way, since a pixel of an eye counts more than one of skin.
#
# ## What was learnt, in a picture
#
# What does each path know? We silence one at a time (zeros in its place where the two meet) and predict again. Ask of each picture: are the parts of the face in their places? Do the outlines follow this face, or any face?
# (The network never saw these zeros in training. One *trained* with a single path would do better.)

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit.inference import predict_label_map


def mute(path: int, _part: nn.Module, paths: tuple) -> tuple:
    """Zeros for path 0 (fine) or 1 (coarse), where the fusion gets both."""
    return tuple(torch.zeros_like(p) if i == path else p for i, p in enumerate(paths))


rows = [{"image": sample.image, "truth": sample.label_map} for sample in val[:4]]
for name, path in {"prediction": 2, "fine path alone": 1, "coarse path alone": 0}.items():
    hook = model.feature_fusion.register_forward_pre_hook(partial(mute, path))
    for row, sample in zip(rows, val[:4], strict=True):
        row[name] = predict_label_map(model, sample.image, info)
    score = pooled if path == 2 else evaluate(model, val, info, progress=False)
    right = 100 * metrics.pixel_accuracy(score.matrix)
    print(f"{name:<18}{100 * score.mean_iou:5.1f} % mean IoU, {right:.0f} % of the pixels right")
    hook.remove()
plots.panels(rows, LABELS)

# %% [markdown]
# (An example, the course's run on the quick tier: the coarse path alone knew the face, rounded off and much the same for everybody. The fine path alone followed the true outline of the hair, and had no idea what a face is.)
#
# ## The paper says, we measured
#
# FastSCNN has the fewest parameters and seconds of the report's four networks. It
# scores better than U-Net (66.68 %) and DeepLabV3+ (67.22 %), and 0.76 points below SegFormer (71.38 %).
#
# The report's text calls it 2.5 to 5 times as fast as the others. By its own Table 1 it is 1.3 times as fast as U-Net (228 / 171 s an epoch), 1.9 times as DeepLabV3+ and 5.1 times as SegFormer. So U-Net makes 13.5 times the multiplications in 1.3 times the time. An epoch also reads, enlarges and blurs photographs, and a GPU waits between many small layers.
#
# What the report's network takes from the paper, and what it does not:
#
# | what | paper (Poudel et al., 2019) | report, and here |
# |---|---|---|
# | widths, repeats, strides | $c$, $n$ and $s$ in the table of the deep path | the same |
# | bins of the pyramid | named by reference to PSPNet: 1, 2, 3, 6 | the same |
# | between depthwise and pointwise | no ReLU | ReLU |
# | 3×3 in the fusion | dilated by 4 | not dilated |
# | after the sum | ReLU | ReLU, one more 1×1 `conv_bn_relu` (16,640 parameters) |
# | image | 1024 × 2048, streets | 512², faces |

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

kind = "photos" if DATA else "rendered faces"
alike = TIER == "full" and DATA and len(history) == 120
Markdown(f"""
| | the report | here, {TIER} tier |
|---|---|---|
| data | 5,000 photos, 512² | {len(train):,} {kind}, {SIZE}² |
| parameters | 1,154,435 | {count_parameters(model):,} |
| the deep path's map | 16² | {-(-SIZE // 32)}² |
| batch | 2 | {SIZES["batch"]} |
| best epoch, of | not given | {result.best_epoch + 1} of {len(history)} |
| validation mean IoU | 70.62 % | {100 * pooled.mean_iou:.1f} % |
| test mean IoU | 54.74 % | no test set |
| seconds an epoch | 171, on one GPU | {np.mean([h["seconds"] for h in history]):.1f}, on {"a GPU" if torch.cuda.is_available() else "CPU cores"} |

{"One run with one seed on each side: a difference of a point may be luck." if alike else f"**These columns are not a race**: 5,000 photos on the left; {len(train):,} {kind} and {len(history)} epochs on the right."}
""")

# %% [markdown]
# ## The library twin
#
# Neither timm nor `segmentation_models_pytorch` has a FastSCNN, but timm's MobileNetV2 is a stack of inverted residuals. Is yours the same? Take one from the middle of it, translate the names, and load your weights.

# %%
import timm

theirs = timm.create_model("mobilenetv2_100").blocks[2][1].eval()
print(type(theirs).__name__)
names = {
    "layers.0.0": "conv_pw", "layers.0.1": "bn1", "layers.1.0": "conv_dw",
    "layers.1.1": "bn2", "layers.2": "conv_pwl", "layers.3": "bn3",
}  # fmt: skip
torch.manual_seed(0)
block, x = InvertedResidual(32, 32, stride=1, expansion=6), torch.randn(4, 32, 16, 16)
block(x)  # in training, so that the running statistics are not 0 and 1
state = {}
for key, value in block.eval().state_dict().items():
    name, what = key.rsplit(".", 1)
    state[f"{names[name]}.{what}"] = value
theirs.load_state_dict(state)  # an error if a name or a shape did not fit
with torch.no_grad():
    for strength in (1, 1000):
        ours, other = block(strength * x), theirs(strength * x)
        same = torch.allclose(ours, other, rtol=1e-3, atol=1e-3)
        print(f"x × {strength}: the same: {same}")

# %% [markdown]
# The same block, until the values grow: MobileNetV2 has **ReLU6**, which cuts at 6 as well as at 0 (made for arithmetic in few bits), and FastSCNN plain ReLU. No count of parameters and no name shows this; running both does.
#
# Take a MobileNet with smp's `FPN` where pretrained weights are allowed, or thin parts matter at small sizes: its scores come out at 1/4. Take FastSCNN where speed at large images matters more.
#
# ## What to try next
#
# - **Other sizes.** Train with `size=48` and with `size=128`. How much of the difference does `through_stride` predict?
# - **Silence in training.** Replace `self.high(fine)` by 0 in the fusion and train again. Which classes suffer?
# - **The paper's fusion.** Leave `mix` out (1,137,795 parameters). Do you see 16,640 parameters at work?
# - **ReLU at the narrow end.** Put one into your inverted residual and train again. Does the spiral matter here?
# - **A finer end.** Let the first layer have stride 1 (four times the work). Compare with `fitted` at stride 4.
#
# **Lesson 05** turns to attention, a way of seeing far without pooling or dilation, and measures how fast all four networks are.

# %% quiz [markdown]
# ### A 3×3 convolution from 64 to 64 channels is replaced by depthwise 3×3 and pointwise 1×1. Which of the two has most of the weights left?
#
# - [ ] The depthwise one, because it looks around
#   Looking around is cheap once each channel has its own kernel: 64 · 9 = 576 weights.
# - [x] The pointwise one, because it mixes channels
#   64 · 64 = 4,096 weights: mixing channels is the expensive half of what a convolution does.
# - [ ] Both have the same, since each has half of the job
#   The price was a product, 9 · 64 for each output. It falls apart into 9 and 64, and these are not alike.
#
# ### The count promises an eighth of the work, and the clock shows a quarter of the time. What is the likeliest reason?
#
# - [ ] The count forgot the additions
#   There is about one addition for each multiplication, in both networks: that cancels.
# - [ ] Two layers start more slowly than one, and that is all
#   Starting costs something for small maps. But the depthwise layer alone was several times as slow for each multiplication.
# - [x] A depthwise layer does little with each number that it fetches, and waits for memory
#   Fewer multiplications are less time, but not in proportion: fetching is paid, too.
#
# ### Why does an inverted residual end *without* a ReLU?
#
# - [x] At its end there are few channels, and what a ReLU cuts off there no other channel has kept
#   The spiral showed it: with 2 or 3 channels most of it was lost, with 60 hardly anything. So the ReLUs stand where the block is wide.
# - [ ] So that the shortcut can be added: sums need positive numbers
#   Numbers of any sign can be added, and that is no reason to leave it out.
# - [ ] To save time: a ReLU at the end is the most expensive
#   A ReLU costs next to nothing anywhere, and least of all where there are few channels.
#
# ### Pyramid pooling and ASPP both give context. What does only ASPP know?
#
# - [ ] What the picture as a whole is like
#   The 1×1 grid of pyramid pooling knows just that, and so does ASPP's pooled branch.
# - [ ] What lies in the upper half of the picture
#   That is what a grid of 2×2 tells, not a kernel that looks at fixed distances.
# - [x] What lies 12 pixels to the left of each pixel
#   Dilated taps look at fixed distances from *each pixel*; a grid divides the *picture* into fixed parts.
#
# ### Label maps at 1/8, made of shares and enlarged, lose brows and lips at 96². Is that the best that FastSCNN can do there?
#
# - [ ] Yes: what is lost in an eighth cannot come back
#   It was lost to *shares*. A network need not report shares: it may choose any scores.
# - [x] No: fitted scores keep far more, because they may exaggerate
#   Where two interpolated scores cross can be moved by making them larger than any share. Ask of every "upper bound" what was held fixed.
# - [ ] Yes, unless it is trained for longer
#   Training could not lift a true ceiling. But this is none, so there is something to gain.

# %% [markdown]
# {{links}}
