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
# # 3 · DeepLabV3+, built by hand
#
# U-Net sees far by making the map small. DeepLabV3+ keeps the map larger and spreads the *kernel* instead. You build it, and
# measure where its ideas work and where they do nothing at all.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 40 rendered faces, 48² | CelebAMask-HQ, for example the course's 5,000 photos, 512² |
# | computing | {{computing}} | up to 11 hours on one GPU (120 epochs of the report's 328 s) (estimated) |
# | memory | {{memory}} | about 2 GB of GPU memory (estimated) |
#
# **You will be able to**
# - write a dilated convolution, pad it so that the size stays, and say how far it sees;
# - say what batch normalisation computes in training and in evaluation, and fold it away when training is over;
# - build a pyramid of dilated convolutions (ASPP) and measure which of its weights ever touch the image;
# - say what output stride is, and why a decoder with one thin skip is enough.
#
# **Before this** comes lesson 02: the loss, the optimiser and the score are taken from there as they are.
#
# {{links}}
#
# {{papers}}

# %%
import copy
from functools import partial

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
# Each size on the quick tier, then on the full one, which COURSEKIT_TIER=full chooses. The rates
# are those of the dilated convolutions; you will see why they differ.
TIER, DATA, SIZES = tier.choose(
    train=(40, 5000), val=(16, 1000), size=(48, 512), epochs=(4, 120), batch=(4, 2),
    rates=((1, 2, 3), (6, 12, 18)), lr=(0.002, 0.001), patience=(3, 12),
)  # fmt: skip
if DATA:
    train = open_dataset(DATA, "train")[: SIZES["train"]]
    val = open_dataset(DATA, "val")[: SIZES["val"]]
else:
    train = SynthDataset(seed=0, length=SIZES["train"], size=SIZES["size"])
    val = SynthDataset(
        seed=0, length=SIZES["val"], size=SIZES["size"], first=SIZES["train"], split="val"
    )
LABELS = train.labels
print(f"{len(train)} faces to learn from, {len(val)} to validate, {LABELS.num_classes} classes")

# %% [markdown]
# ## The idea: a kernel with holes
#
# To tell a left eyebrow from a right one, a network must see the rest of the face. U-Net halves the map four times. Then a 3×3
# kernel covers 48×48 pixels of the image. But exact places are lost on the way down, and skips must bring them back.
#
# The DeepLab family (Chen, Papandreou, Kokkinos, Murphy and Yuille, from 2015 on) halves less often and lets the kernel reach further. Its <dfn title="tap">taps</dfn>, the places where a kernel reads, lie $r$ pixels apart instead of 1. Such a convolution is called <dfn title="dilated convolution">dilated</dfn> or **atrous** (from the French *à trous*, "with holes"); $r$ is its **rate**. In one dimension, with kernel $w$:
#
# $$ y[i] = \sum_k x[i + r\,k]\; w[k] $$
#
# Here $k$ runs over −1, 0, 1 for three taps; $r = 1$ is the convolution that you know.
#
# The first three pictures show the taps of one layer. The last two show three layers, one after another: a pixel's colour
# is the number of ways in which it reaches the centre. Below them stands the equation as code, with zeros where $i + rk$ is off the map.

# %%
figure, axes = plt.subplots(1, 5, figsize=(9, 2.2), layout="constrained")
for panel, rate in zip(axes, (1, 2, 4), strict=False):
    field = np.zeros((13, 13))
    middle = slice(6 - rate, 7 + rate, rate)
    field[middle, middle] = 1
    panel.imshow(field, cmap="Blues", vmax=1.4)
    panel.set_title(f"3×3 at rate {rate}", fontsize=9)
for panel, rates in zip(axes[3:], ((2, 2, 2), (1, 2, 3)), strict=True):
    ways = torch.zeros(1, 1, 13, 13)
    ways[..., 6, 6] = 1
    for rate in rates:
        ways = F.conv2d(ways, torch.ones(1, 1, 3, 3), padding=rate, dilation=rate)
    panel.imshow(ways[0, 0].where(ways[0, 0] > 0, torch.nan).numpy(), cmap="viridis")
    panel.set_title(f"stack {rates}", fontsize=9)
for panel in axes:
    panel.set(xticks=np.arange(-0.5, 13), yticks=np.arange(-0.5, 13))
    panel.tick_params(labelbottom=False, labelleft=False, length=0)
    panel.grid(color="#e2e8f0", linewidth=0.5)
plots.described(figure, "The taps of a layer lie apart by its rate. Through the stack (2, 2, 2) "
                "every second place never reaches the centre; through (1, 2, 3) all do.")  # fmt: skip


# %%
def dilated(x: list[float], w: list[float], rate: int) -> list[float]:
    """The equation above, for a kernel of three taps."""
    taps = [(k, w[k + 1]) for k in (-1, 0, 1)]
    inside = range(len(x))
    return [sum(x[i + rate * k] * tap for k, tap in taps if i + rate * k in inside) for i in inside]


signal, kernel = [3, 1, 4, 1, 5, 9, 2, 6], [1, 10, 100]
for rate in (1, 2, 5):
    x, w = torch.tensor([[signal]]).float(), torch.tensor([[kernel]]).float()
    torchs = F.conv1d(x, w, padding=rate, dilation=rate)[0, 0].int().tolist()
    print(f"rate {rate}: {dilated(signal, kernel, rate)}", "as PyTorch's:",
          dilated(signal, kernel, rate) == torchs)  # fmt: skip

# %% [markdown]
# With rates (2, 2, 2) 120 of the 169 pixels never count: the holes lie on top of each other. This is called **gridding**. Rates (1, 2, 3) leave no hole.
# DeepLabV3+ has little of it. Its rates 6, 12 and 18 stand *beside* each other, and ordinary convolutions have gathered what lies between the taps.
#
# A kernel of $k$ taps ($k$ odd) at rate $r$ spans
#
# $$ k + (k-1)(r-1) $$
#
# pixels. To keep the size it needs half of that, rounded down, as padding on each side: for $k=3$ that is
# exactly $r$. A 3×3 kernel at rate 18 spans 37×37 pixels with nine weights. The price: it looks at nine of these 1,369 pixels.
#
# ## What falls off the map
#
# Read the last line above: at rate 5 each sum has lost a neighbour, and the sums in the middle (10 and 50) have lost both. A tap off the map meets padding and multiplies zero.
# This network halves the image three times, so 512² gives a map of 64², and the 48² of the quick tier one of 6².


# %%
def on_padding(side: int, rate: int) -> float:
    """Share of the taps of a 3×3 kernel that lie off a map of this side, over all its pixels."""
    ones = torch.ones(1, 1, 3, 3)
    hits = F.conv2d(torch.ones(1, 1, side, side), ones, padding=rate, dilation=rate)
    return 1 - float(hits.mean()) / 9


print("rate      " + "".join(f"{rate:8}" for rate in (1, 2, 3, 6, 12, 18)))
for side in (6, 16, 64):
    shares = (f"{on_padding(side, rate):8.1%}" for rate in (1, 2, 3, 6, 12, 18))
    print(f"map {side:2}²   " + "".join(shares))
branch = nn.Conv2d(256, 128, 3, padding=18, dilation=18)  # and now the weights, on a map of 6²
branch(torch.randn(2, 256, 6, 6)).square().mean().backward()
dead = int((branch.weight.grad == 0).sum())
print(f"{dead:,} of {branch.weight.numel():,} weights have a gradient of exactly 0")
print(f"in three such branches: {3 * dead:,}, or {3 * dead / 1_964_394:.0%} of the whole network")

# %% [markdown]
# On a map of 64² a branch at rate 18 wastes a third of its taps. On 6² **all three** of the paper's rates keep one
# tap of nine, the middle one. Such a "3×3 convolution" *is* a 1×1 convolution, and eight ninths of its weights never learn.
# Nothing warns you: the loss falls, and every parameter is counted.
#
# The authors of DeepLabV3 added a branch that looks at the whole image; you will write it. The other answer is a rate that fits the map:
# the quick tier has the rates **1, 2, 3**, and as many parameters. Do not expect a leap in the score. (An example, measured by the course with 128 faces and ten epochs:
# the mean IoU moved by 5 points when only the number of threads changed, and by less when the rates did.)
#
# *A rate has no meaning without the size of the map.* If you change the image size or the stride, look at the rates again.
#
# ## Batch normalisation
#
# Every convolution of this network but the last two is followed by **batch normalisation** (Ioffe and Szegedy, 2015). For each channel $c$ <dfn>batch normalisation</dfn> subtracts a mean and divides by a standard deviation. Then a scale $\gamma$ and a shift $\beta$ follow, which are learnt:
#
# $$ y_c = \gamma_c\, \frac{x_c - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c $$
#
# - **In training** $\mu_c$ and $\sigma_c^2$ are those of the batch: over all images *and* all pixels, $B·H·W$ values for each channel. The layer also keeps
#   running averages of both.
# - **In evaluation** it uses these averages. So a prediction does not depend on the images beside it.
#
# The scale of a layer's input then no longer depends on the layers before it, and larger learning rates become possible.

# %% tags=["folded"]
plots.diagram(
    """
    (x: B × C × H × W) |
    batch: C means, C variances | [running: averages of them]
    normalise: (x − μ) / √(σ² + ε) |
    γ and β: scale, shift |
    (y: B × C × H × W) |
    """,
    "x > batch > normalise > γ and β > y, batch > running > normalise",
    marked="used in evaluation, in place of the batch's",
)

# %%
torch.manual_seed(0)
x = 3 * torch.randn(4, 2, 5, 5) + 1  # (B, C, H, W): four images, two channels
norm = nn.BatchNorm2d(2).train()  # fresh: γ = 1, β = 0, running mean 0, running variance 1


def by_hand(mean: torch.Tensor, var: torch.Tensor) -> torch.Tensor:
    return (x - mean[:, None, None]) / (var[:, None, None] + norm.eps).sqrt()


mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
print("training uses the batch's:", torch.allclose(norm(x), by_hand(mean, var), atol=1e-5))
unbiased = x.var((0, 2, 3), correction=1)  # divided by n − 1
moved = [0.9 * 0 + 0.1 * mean, 0.9 * 1 + 0.1 * unbiased]
print("each call moves the running mean a tenth:", torch.allclose(norm.running_mean, moved[0]))
print("and the running variance, with n − 1:", torch.allclose(norm.running_var, moved[1]))
same = torch.allclose(norm.eval()(x), by_hand(*moved), atol=1e-5)
print("evaluation uses those:", same)
print("x + 7 gives the same, in training:", torch.allclose(norm.train()(x + 7), norm(x), atol=1e-5))

# %% [markdown]
# A classic mistake is to forget `model.eval()` before predicting. Nothing fails, and every prediction depends on its batch.
#
# The last line has a consequence. A bias before the normalisation adds a constant to its channel, and the normalisation takes it away again. So its gradient is 0 in training, up to rounding.
# Most networks leave it out. The report's has **1,664** such biases among its 1,964,394 parameters. We keep them, to have the same network.
#
# ## The network, before you build its parts
#
# Here it is for an image of 512². Every box bears the name of its class. You write the pyramid, the decoder and what joins them.

# %% tags=["folded"]
finished = create_model("deeplabv3plus")  # the course's own
NETWORK = """
(input)
encoder.0
encoder.1 |
encoder.2 |
aspp |
decoder
up
"""
FLOWS = "input > encoder.0 > encoder.1 > encoder.2 > aspp > decoder > up, encoder.0 > decoder"
plots.diagram(NETWORK, FLOWS, shapes=plots.shapes(finished, (3, 512, 512)))

# %% [markdown]
# ## Exercise 1: the block
#
# Nearly the whole network is made of one block: convolution (with bias), batch normalisation, ReLU. The convolution has a kernel of any odd side and any rate, and the **size must stay**. What padding does that need?
#
# <details><summary>Hint 1</summary>
#
# Take the span $k + (k-1)(r-1)$ from above. The output is smaller than the padded input by the span less one.
# </details>
# <details><summary>Hint 2</summary>
#
# For a 3×3 kernel the padding is the rate. For a 1×1 kernel the rate does not matter, and any padding makes the map grow.
# </details>
# <details><summary>Hint 3</summary>
#
# `padding = dilation * (kernel // 2)`. Then `nn.Sequential(nn.Conv2d(…, kernel, padding=padding, dilation=dilation),
# nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True))`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.deeplabv3plus import conv_bn_relu` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram("(input)\n0\n1\n2", shapes=plots.shapes(finished.aspp.branches[1], (256, 64, 64)))


# %% dilated-block minutes=15 difficulty="easy"
def conv_bn_relu(
    in_channels: int, out_channels: int, kernel: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Convolution that keeps the size (odd kernels), batch normalisation, ReLU."""
    ### BEGIN SOLUTION
    padding = dilation * (kernel // 2)
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, padding=padding, dilation=dilation),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )
    ### END SOLUTION


# %% check-dilated-block points=2
from coursekit.checks.mistakes.crashes import CRASHES
from coursekit.checks.mistakes.deeplabv3plus import misbuilt

check = Check("dilated-block")
for known in CRASHES["dilated-block"]:
    check.crashes(*known)
torch.manual_seed(0)
block, point, far, wide = check.build(conv_bn_relu, (3, 8, 3, 4), (3, 8), (3, 8, 1, 5), {"in_channels": 5, "out_channels": 6, "kernel": 5, "dilation": 3})  # fmt: skip
check.kind(block, nn.Sequential)
check.that(not (odd := misbuilt([type(part).__name__ for part in block])), odd)
x, single = torch.randn(2, 3, 20, 23), "a 1×1 kernel spans one pixel: what padding does it need?"
for made, side, rate, message in (
    (block, 3, 4, f"at rate 4 the size should stay: think of the kernel's span, 9, and half of it; your padding is {block[0].padding}"),
    (point, 1, 1, single), (far, 1, 5, single), (wide, 5, 3, f"a 5×5 kernel at rate 3 changes the size: derive the padding, which is {wide[0].padding}"),
):  # fmt: skip
    check.equal(made[0].kernel_size, (side, side), "the kernel is not of the side asked for")
    check.that(made[0].stride == (1, 1), "it has a stride: leave it out, and since it comes after the kernel, write `padding=`, `dilation=`")  # fmt: skip
    check.equal(made[0].dilation, (rate, rate), "the taps do not lie `dilation` apart")
    got = check.call(made, torch.randn(2, 5, 20, 23) if made is wide else x)
    check.catches((2, 8, 12, 15), got.shape, "the map has shrunk: no padding")
    check.catches((2, 8, 14, 17), got.shape, "the map has shrunk: a padding of 1 fits a rate of 1 only")  # fmt: skip
    check.shape(got, (2, 6 if made is wide else 8, 20, 23), message)
check.that(block[0].bias is not None, "the bias is missing: useless, but the report counts it")
check.that(block[1].affine, "γ and β are missing: leave `affine` as it is")
check.equal(count_parameters(block), 3 * 8 * 9 + 8 + 16, "weights, bias, and γ and β: no more")
check.that("0.weight" in block.state_dict(), "give nn.Sequential the parts without names")
check.that(all(w.requires_grad for w in block.parameters()), "a part is frozen: leave it as it is")
check.equal(str(block[1]), str(nn.BatchNorm2d(8)), "leave the normalisation's settings as they are")
expected = F.relu(block[1](F.conv2d(x, block[0].weight, block[0].bias, padding=4, dilation=4)))
check.close(check.call(block, x), expected, "convolve with zeros around, normalise, ReLU", 1e-4)
check.passed("the size stays at every rate, and with a 1×1 kernel")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-dilated-block")
for name, kernel, rate in (("dense", 3, 1), ("far", 3, 3), ("point", 1, 5), ("wide", 5, 2)):
    block = conv_bn_relu(3, 4, kernel, rate).double()
    probe.fill(block, name, mean=0.2, spread=0.4)
    drawn = probe.given(f"{name}-input", lambda rng: rng.normal(0, 9, (3, 3, 8, 9)))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"a kernel of {kernel} at rate {rate}"
    probe.emit(f"{name}-eval", block.eval()(entered), f"{about}, in evaluation")
    came_out = block.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    (came_out**2 * torch.arange(9.0)).sum().backward()
    probe.emit(f"{name}-input", entered.grad, f"{about}, the gradient with respect to the input")
    probe.emit(f"{name}-state", dict(block.state_dict()), f"{about}, statistics after a step")
    slopes = {key: p.grad for key, p in block.named_parameters() if key != "0.bias"}
    probe.emit(f"{name}-gradients", slopes, f"{about}, the gradients")
count = sum(parameter.numel() for parameter in conv_bn_relu(5, 9).parameters())
probe.emit("count", count, "the number of parameters of a block with default kernel")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: fold it away
#
# When training is over, the running averages no longer move. Batch normalisation then multiplies each channel by one constant and adds
# another, and a convolution can do that itself. Write $s_c = \gamma_c / \sqrt{\sigma_c^2 + \varepsilon}$ and sort the terms of
#
# $$ \gamma_c\, \frac{(w_c * x + b_c) - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c $$
#
# into a new kernel times $x$ and a new bias. (Here the bias is of use: it takes up all that does not depend on $x$.) That is one layer less to compute, for the same output.
#
# The function starts from a copy of the convolution; set its `weight` and `bias`. The convolution that
# comes in must not change.
#
# <details><summary>Hint 1</summary>
#
# Multiply out: $s_c\, w_c * x + s_c (b_c - \mu_c) + \beta_c$.
# </details>
# <details><summary>Hint 2</summary>
#
# The kernel has shape (out, in, k, k), and $s$ belongs to the *out*put channels: `s[:, None, None, None]`.
# </details>
# <details><summary>Hint 3</summary>
#
# $\sigma_c^2$ is `norm.running_var`, $\mu_c$ `norm.running_mean`, $\gamma_c$ `norm.weight`, $\beta_c$ `norm.bias`, $\varepsilon$ `norm.eps`.
# Gradients are off here, so `folded.weight.copy_(…)` may write into a parameter.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.deeplabv3plus import fold` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %%
def pair(conv: nn.Conv2d) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    """A convolution of 4 channels, and a normalisation that has learnt and seen something."""
    torch.manual_seed(0)
    nn.init.normal_(conv.weight, 0, 0.2), nn.init.normal_(conv.bias)
    norm = nn.BatchNorm2d(4, eps=1e-3).eval()
    norm.weight.data, norm.bias.data = torch.tensor([2.0, 0.5, -1, 1]), torch.randn(4)
    norm.running_mean, norm.running_var = torch.randn(4), torch.tensor([4.0, 0.3, 2, 1e-3])
    return conv, norm


plots.diagram(
    """
    (x: B × in × H × W)
    conv: w ∗ x + b | folded: one kernel, one bias
    norm: by μ, σ, γ, β |
    (y: B × out × H × W)
    """,
    "x > conv > norm > y, x > folded > y",
)


# %% fold-norm minutes=35 difficulty="hard"
@torch.no_grad()
def fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Conv2d:
    """One convolution that computes what `norm(conv(x))` computes in evaluation."""
    folded = copy.deepcopy(conv)
    ### BEGIN SOLUTION
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()  # (out,)
    folded.weight.copy_(conv.weight * scale[:, None, None, None])
    folded.bias.copy_((conv.bias - norm.running_mean) * scale + norm.bias)
    ### END SOLUTION
    return folded


# %% check-fold-norm points=1
from coursekit.checks.mistakes.crashes import CRASHES
from coursekit.checks.mistakes.folding import misscaled, where_scaled

check = Check("fold-norm")
for known in CRASHES["fold-norm"]:
    check.crashes(*known)
conv, norm = pair(nn.Conv2d(4, 4, 3, padding=2, dilation=2))
folded = check.call(fold, conv, norm)
check.kind(folded, nn.Conv2d)
check.that(folded.weight.isfinite(), "a root of a negative number, or 1 / 0: below the root stands σ² + ε, no more")  # fmt: skip
by = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
expected = conv.weight.detach() * by[:, None, None, None]
where = partial(where_scaled, folded.weight, conv, norm)
check.slips(folded.weight, expected, misscaled, conv, norm, where=where)
check.close(folded.weight, expected, "expected: s times the old kernel")
check.passed("the kernel carries the scale")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-fold-norm")
for name, made in (
    ("far", nn.Conv2d(3, 5, 3, padding=3, dilation=3)),
    ("point", nn.Conv2d(6, 6, 1)),
    ("strided", nn.Conv2d(4, 6, 3, stride=2, groups=2)),
):
    conv, norm = made.double(), nn.BatchNorm2d(made.out_channels, eps=0.01).double().eval()
    shapes = {key: tuple(value.shape) for key, value in conv.state_dict().items()}
    given = probe.given(
        name, lambda rng, s=shapes: {key: rng.normal(0, 0.5, shape) for key, shape in s.items()}
    )
    conv.load_state_dict({key: torch.from_numpy(value) for key, value in given.items()})
    stats = probe.given(f"{name}-norm", lambda rng, n=made.out_channels: rng.normal(0, 1, (4, n)))
    norm.weight.data, norm.bias.data, norm.running_mean, spread_ = torch.from_numpy(stats)
    norm.running_var = spread_**2 * 0.1
    one = fold(conv, norm)
    probe.emit(f"{name}-kernel", one.weight, f"the kernel, {name}")
    probe.emit(f"{name}-before", dict(conv.state_dict()), f"what came in, {name}")
    probe.emit(f"{name}-norm", dict(norm.state_dict()), f"the normalisation that came in, {name}")
### END HIDDEN TESTS

# %% check-fold-norm-2 points=1
from coursekit.checks.mistakes.folding import misshifted, where_shifted

check = Check("fold-norm")
conv, norm = pair(nn.Conv2d(4, 4, 3, padding=2, dilation=2))
folded, x = check.call(fold, conv, norm), torch.randn(2, 4, 6, 7)
check.kind(folded.bias, torch.Tensor, what="the bias")
check.that(folded.bias.isfinite(), "a root of a negative number, or 1 / 0: below the root stands σ² + ε, no more")  # fmt: skip
b, mu, beta = conv.bias.detach(), norm.running_mean, norm.bias.detach()
s = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
where = partial(where_shifted, folded.bias, conv, norm)
check.slips(folded.bias, (b - mu) * s + beta, misshifted, conv, norm, where=where)
check.close(folded.bias, (b - mu) * s + beta, "sort the terms that do not contain x into the bias")
for other in (conv, nn.Conv2d(4, 4, 3, stride=2, groups=2), nn.Conv2d(4, 4, 1)):
    conv, norm = pair(other)
    got, expected = check.call(check.call(fold, conv, norm), x), norm(conv(x))
    check.close(got, expected, f"a copy keeps all settings; expected: what norm(conv(x)) gives, for {conv}", 1e-3, 1e-3)  # fmt: skip
check.passed("two layers became one, and compute the same")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-fold-norm-2")
for name, made, seen in (
    ("far", nn.Conv2d(3, 5, 3, padding=3, dilation=3), (2, 3, 8, 9)),
    ("point", nn.Conv2d(6, 6, 1), (2, 6, 4, 4)),
    ("strided", nn.Conv2d(4, 6, 3, stride=2, groups=2), (2, 4, 9, 9)),
):
    conv, norm = made.double(), nn.BatchNorm2d(made.out_channels, eps=0.01).double().eval()
    shapes = {key: tuple(value.shape) for key, value in conv.state_dict().items()}
    given = probe.given(
        name, lambda rng, s=shapes: {key: rng.normal(0, 0.5, shape) for key, shape in s.items()}
    )
    conv.load_state_dict({key: torch.from_numpy(value) for key, value in given.items()})
    stats = probe.given(f"{name}-norm", lambda rng, n=made.out_channels: rng.normal(0, 1, (4, n)))
    norm.weight.data, norm.bias.data, norm.running_mean, spread_ = torch.from_numpy(stats)
    norm.running_var = spread_**2 * 0.1
    photo = torch.from_numpy(probe.given(f"{name}-input", lambda rng, s=seen: rng.normal(0, 1, s)))
    one = fold(conv, norm)
    probe.emit(f"{name}-bias", one.bias, f"the bias, {name}")
    probe.emit(f"{name}-output", one(photo), f"the output, {name}")
### END HIDDEN TESTS

# %% [markdown]
# ## The encoder, and what output stride means
#
# The report's encoder is as plain as U-Net's: three stages of two blocks, each with max-pooling at its end. It is given. It returns the features of *every* stage; the decoder will need the first.
#
# <dfn title="output stride">Output stride</dfn> is the side of the image divided by the side of the deepest map: 8 here, 16 for lesson 02's U-Net. How far does one
# value of the deepest map see? A layer $l$ of span $n_l$ widens the view by $n_l - 1$ steps. A step is as many pixels long as the strides $t_j$ of all
# layers before it, multiplied:
#
# $$ 1 + \sum_l (n_l - 1) \prod_{j<l} t_j $$


# %%
class Stage(nn.Sequential):
    """Two 3×3 blocks, then half the size: (B, in, H, W) → (B, out, H/2, W/2)."""

    def __init__(self, in_channels: int, middle: int, out_channels: int) -> None:
        super().__init__(
            conv_bn_relu(in_channels, middle, 3),
            conv_bn_relu(middle, out_channels, 3),
            nn.MaxPool2d(2),
        )


class Encoder(nn.ModuleList):
    """Stages, each at half the size of the one before; gives the output of every one."""

    def __init__(self, in_channels: int, stages: tuple[tuple[int, int], ...]) -> None:
        inputs = (in_channels, *(out for _, out in stages[:-1]))
        super().__init__(Stage(i, *widths) for i, widths in zip(inputs, stages, strict=True))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        features = []
        for stage in self:
            x = stage(x)
            features.append(x)
        return features


# %%
def field(layers: list[tuple[int, int]]) -> int:
    """Side of what one output value sees, in pixels; layers are (span, stride)."""
    seen, step = 1, 1
    for span, stride in layers:
        seen, step = seen + (span - 1) * step, step * stride
    return seen


stage = [(3, 1), (3, 1), (2, 2)]  # convolution, convolution, pooling
print("U-Net, down to its bottleneck:", field(stage * 4 + stage[:2]))
print("this encoder:                 ", field(stage * 3))
for rate in (6, 12, 18):
    span = 3 + 2 * (rate - 1)
    print(f"this encoder, 3×3 at rate {rate:2}: ", field([*stage * 3, (span, 1)]))

# %%
# NBVAL_IGNORE_OUTPUT
from coursekit.widgets import receptive_fields

receptive_fields()

# %% [markdown]
# With one layer at rate 18 this shallower network sees more than twice as far as U-Net's bottleneck, on four times as many pixels.
#
# That is what it *can* see. What it *looks at* is another thing: above, the rim is the first, counted, and the heat is the second, the length of a gradient. Point at pixels, and change the network (each has fresh weights, the last one trained).
# Of the 188 pixels that U-Net can see, how many does it use when it is new, and how many after training?
#
# The paper's encoders, a ResNet or an Xception, have a stride of 32. They drop their last strides of 2 and double the rates of what follows. The same weights then give the same values, and
# three new ones beside each. The report's encoder is *not* dilated: its stride is 8 because it has only three stages.
#
# ## Exercise 3: the branch that sees everything
#
# Far taps fall off the map. So one branch of the pyramid does not convolve. It takes the **mean over the whole
# map** of each channel. A 1×1 block mixes the 256 means, and the result is repeated at every pixel. Each pixel is told what the
# image is like as a whole: dark, wearing a hat, turned to the left.
#
# Name the block `project`.
#
# <details><summary>Hint 1</summary>
#
# The mean goes over height and width, not over channels or images: (B, in, H, W) → (B, in, 1, 1).
# </details>
# <details><summary>Hint 2</summary>
#
# First the mean, then the block. The other order is another function: the block ends in a ReLU, and the mean of ReLUs is not the ReLU of the mean.
# </details>
# <details><summary>Hint 3</summary>
#
# `self.project = conv_bn_relu(in_channels, out_channels)`; `mean = F.adaptive_avg_pool2d(x, 1)`; then
# `.expand(-1, -1, *x.shape[-2:])` repeats without copying.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.deeplabv3plus import ASPPPooling` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (input)
    mean: 256 × 1², over the map
    project
    expand: 128 × 64², the same everywhere
    """,
    shapes=plots.shapes(finished.aspp.branches[4], (256, 64, 64)),
)


# %% aspp-pooling minutes=15 difficulty="medium"
class ASPPPooling(nn.Module):
    """The branch that sees everything: the mean over the image, laid out at every pixel."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.project = conv_bn_relu(in_channels, out_channels)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, in, H, W) → (B, out, H, W), the same value at every pixel."""
        ### BEGIN SOLUTION
        mean = F.adaptive_avg_pool2d(x, 1)  # (B, in, 1, 1)
        return self.project(mean).expand(-1, -1, *x.shape[-2:])
        ### END SOLUTION


# %% check-aspp-pooling points=1
from coursekit.checks.mistakes.apart import way_apart
from coursekit.checks.mistakes.crashes import CRASHES
from coursekit.checks.mistakes.deeplabv3plus import mismeaned
from coursekit.checks.mistakes.modules import unlike
from coursekit.parts import deeplabv3plus as course

check = Check("aspp-pooling")
for known in CRASHES["aspp-pooling"]:
    check.crashes(*known)
torch.manual_seed(0)
pooling, other = check.build(ASPPPooling, (6, 40), {"in_channels": 9, "out_channels": 5})
for made, a, b in ((pooling, 6, 40), (other, 9, 5)):
    check.equal([*made.state_dict()], [f"project.{key}" for key in conv_bn_relu(1, 1).state_dict()], "one block, named self.project, which conv_bn_relu makes")  # fmt: skip
    check.that(not (odd := unlike(made, course.ASPPPooling(a, b))), f"{odd}: project is conv_bn_relu, 1×1, in → out")  # fmt: skip
    check.equal(*(str(part).replace("inplace=True", "") for part in (made.project, conv_bn_relu(a, b))), "project is conv_bn_relu, 1×1, in → out, as it is")  # fmt: skip
x = torch.randn(3, 6, 5, 7) + torch.randn(3, 6, 1, 1)
got = check.call(pooling.eval(), x)
check.shape(
    got, (3, 40, 5, 7), "lay the result out again: out_channels, at the size of x as it came in"
)
check.that(got[:, :, 1:].any() or not got.any(), "the answer stands at one place, zeros at the others: lay it out at every pixel")  # fmt: skip
check.close(got.amax((2, 3)), got.amin((2, 3)), "it differs from pixel to pixel: mean over H and W")
(twin := course.ASPPPooling(6, 40).eval()).load_state_dict(pooling.state_dict())
check.slips(got, twin(x), mismeaned, twin.project, x)
check.that(not (way := way_apart(pooling, twin, lambda part: part(x), {"project": "the mean over height and width"})), way)  # fmt: skip
check.close(got, twin(x), "expected: mean, block, lay out")
check.equal(check.call(other.eval(), torch.ones(2, 9, 1, 4)).shape, (2, 5, 1, 4), "lay out at the height and width of x, whatever they are")  # fmt: skip
check.close(check.call(pooling.train(), x.requires_grad_()), twin.train()(x), "all of project, as it is, in training, too", atol=1e-4)  # fmt: skip
check.close(*(part.project[1].running_var for part in (pooling, twin)), "mix the means first, then lay out")  # fmt: skip
check.that(check.call(pooling.requires_grad_(False), x).requires_grad, "no gradient reaches the features: detach nothing")  # fmt: skip
check.passed("every pixel knows about the whole image")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-aspp-pooling")
pooling = ASPPPooling(4, 7).double()
probe.fill(pooling, "weights", mean=0.2, spread=0.5)
for name, shape in (("wide", (3, 4, 4, 9)), ("one pixel", (3, 4, 1, 1))):
    drawn = probe.given(name, lambda rng, s=shape: rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"a map of {shape[2]} × {shape[3]}"
    probe.emit(f"{name}-eval", pooling.eval()(entered), f"{about}, in evaluation")
    came_out = pooling.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    probe.emit(f"{name}-state", dict(pooling.state_dict()), f"{about}, statistics after a step")
    pooling.zero_grad()
    (came_out**3).sum().backward()
    probe.emit(f"{name}-input", entered.grad, f"{about}, the gradient with respect to the input")
    slopes = {key: p.grad for key, p in pooling.named_parameters() if key != "project.0.bias"}
    probe.emit(f"{name}-gradients", slopes, f"{about}, the gradients")
count = sum(parameter.numel() for parameter in ASPPPooling(9, 5).parameters())
probe.emit("count", count, "the number of parameters")
### END HIDDEN TESTS

# %% [markdown]
# ### A trap: two images
#
# In this branch a channel has *one* value for each image, so batch normalisation works with $B$ values. The report trains with $B = 2$. Two values $a$ and $b$ have the mean $(a+b)/2$ and the standard deviation $|a-b|/2$. So $a$ becomes
#
# $$ \frac{a - (a+b)/2}{|a-b|/2} = \frac{a-b}{|a-b|} = \pm 1 $$
#
# and $b$ the opposite. For each channel the branch says *which of the two images has more of it*, and nothing about how much. We look at the values just behind the normalisation, for weak and for strong features.

# %%
torch.manual_seed(0)
pooling, seen = ASPPPooling(256, 128).train(), []
pooling.project[1].register_forward_hook(lambda _part, _in, out: seen.append(out.detach().clone()))
for strength in (10, 100, 1000):
    pooling(strength * torch.randn(2, 256, 6, 6))
    first, second = seen.pop()[:, :, 0, 0]
    sign = bool(((first.abs() - 1).abs() < 0.05).float().mean() > 0.9)
    print(f"features × {strength:4}: nearly all values are +1 or −1: {sign};",
          "the images are opposites:", torch.allclose(first, -second, atol=1e-4))  # fmt: skip
try:
    pooling(torch.randn(1, 256, 6, 6))
except ValueError:
    print("and a batch of one image is refused")

# %% [markdown]
# In evaluation the running averages take over, and the next layers receive values that they never met in training.
# With one image the variance is 0, and PyTorch refuses; so `fit` leaves out an incomplete last batch.
#
# The report's settings have this trap. A larger batch helps (the quick tier trains with 4). So does a normalisation with statistics of one image, or none in this branch.
#
# ## Exercise 4: the pyramid
#
# <dfn>ASPP</dfn>, atrous spatial pyramid pooling, puts views of different reach side by side: a 1×1 block, a 3×3 block for each rate, and the pooling branch.
# Each gives 128 channels. They are concatenated (5 · 128 = 640), and a last 1×1 block mixes them down to 128.
#
# | name | what |
# |---|---|
# | `branches` | an `nn.ModuleList`, in this order: 1×1 block, an `ASPPConv` for each rate, `ASPPPooling` |
# | `project` | a 1×1 block, from all branches' channels to `width` |
#
# <details><summary>Hint 1</summary>
#
# All branches read the same `x`; they stand beside each other, not in a row.
# </details>
# <details><summary>Hint 2</summary>
#
# With three rates there are five branches, with two rates four. How many channels does `project` get?
# </details>
# <details><summary>Hint 3</summary>
#
# `nn.ModuleList([conv_bn_relu(in_channels, width), *(ASPPConv(in_channels, width, rate) for rate in rates), ASPPPooling(in_channels, width)])`,
# and `torch.cat([branch(x) for branch in self.branches], dim=1)` before `project`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.deeplabv3plus import ASPP` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %%
class ASPPConv(nn.Sequential):
    """One branch of the pyramid: 3×3 taps that lie `rate` pixels apart."""

    def __init__(self, in_channels: int, out_channels: int, rate: int) -> None:
        super().__init__(*conv_bn_relu(in_channels, out_channels, 3, dilation=rate))


plots.diagram(
    """
    | branches.0: 1×1 |
    | branches.1: rate 6 |
    (input) | branches.2: rate 12 | concatenate: 640 × 64²
    | branches.3: rate 18 | project
    | branches.4 |
    """,
    "\n".join(f"input > branches.{i} > concatenate" for i in range(5)) + ", concatenate > project",
    shapes=plots.shapes(finished.aspp, (256, 64, 64)),
    across=True,
)


# %% aspp minutes=20 difficulty="medium"
class ASPP(nn.Module):
    """Atrous spatial pyramid pooling: views of different reach, side by side, then mixed."""

    def __init__(self, in_channels: int, width: int, rates: tuple[int, ...]) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.branches = nn.ModuleList(
            [
                conv_bn_relu(in_channels, width),
                *(ASPPConv(in_channels, width, rate) for rate in rates),
                ASPPPooling(in_channels, width),
            ]
        )
        self.project = conv_bn_relu(width * len(self.branches), width)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, in, H, W) → (B, width, H, W)."""
        ### BEGIN SOLUTION
        views = [branch(x) for branch in self.branches]  # each (B, width, H, W)
        return self.project(torch.cat(views, dim=1))
        ### END SOLUTION


# %% check-aspp points=1
from coursekit.checks.mistakes.deeplabv3plus import TAKEN, misplaced
from coursekit.checks.mistakes.modules import unlike

check = Check("aspp")
check.crashes(IndexError, "out of range", "there may be any number of rates: a block for each")
pyramid, full = check.build(ASPP, (6, 5, (3, 2)), {"in_channels": 256, "width": 128, "rates": (6, 12, 18)})  # fmt: skip
for name in ("branches", "project"):
    check.that(hasattr(pyramid, name), f"there is no self.{name}")
    check.that(isinstance(getattr(pyramid, name), nn.Module), f"self.{name} is a plain list, which hides its parameters: nn.ModuleList")  # fmt: skip
check.kind(pyramid.branches, [nn.ModuleList, nn.Sequential], what="self.branches")
kinds = [type(part).__name__ for part in pyramid.branches]
check.that(len({*pyramid.branches}) == len(kinds), "one block stands there twice, with one set of weights: make one for each rate")  # fmt: skip
check.that("ModuleList" not in kinds, "a list stands inside the list: unpack it with `*`")
check.that("ASPPPooling" in kinds, "the branch that sees everything, ASPPPooling, is missing")
check.equal(kinds.count("ASPPPooling"), 1, "ASPPPooling stands there more than once")
check.equal(kinds.index("ASPPPooling"), len(kinds) - 1, "the pooling branch is the last one")
convs = [part for part in pyramid.branches.modules() if isinstance(part, nn.Conv2d)][:-1]
kernels, rates = [part.kernel_size for part in convs], [part.dilation[0] for part in convs]
check.that(not (odd := misplaced(kernels, rates)), odd)
several = [part.dilation[0] for part in full.branches.modules() if isinstance(part, nn.Conv2d)]
check.equal(several[1:-1], [6, 12, 18], "the rates stand in the argument's order: sort nothing")
mixer = next((part for part in pyramid.project.modules() if isinstance(part, nn.Conv2d)), None)
check.that(mixer is not None, "project is a conv_bn_relu, 1×1: it has no convolution")
check.that((mixer.in_channels, mixer.out_channels) != (5, 20), "project's channels are exchanged: 20 go in, width comes out")  # fmt: skip
check.equal(mixer.in_channels, 20, TAKEN.get(mixer.in_channels, "project gets those of all branches"))  # fmt: skip
check.equal(mixer.kernel_size, (1, 1), "project is a 1×1 block, as is the first branch")
other = unlike(pyramid, create_model("deeplabv3plus", stages=((1, 1), (1, 1), (1, 6)), aspp=5, rates=(3, 2)).aspp)  # fmt: skip
check.that(not other, f"{other}: conv_bn_relu, ASPPConv and ASPPPooling as they are, no more")
check.equal(count_parameters(full), 1_034_496, "not the report's number of parameters")
check.passed("four branches for two rates, five for three")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-aspp")
for name, number in (("two", 2), ("four", 4)):
    sizes = probe.given(name, lambda rng: [int(n) for n in rng.integers(2, 12, 6)])
    pyramid = ASPP(sizes[0], sizes[1], tuple(sizes[2 : 2 + number]))
    table = {key: list(value.shape) for key, value in pyramid.state_dict().items()}
    probe.emit(f"{name}-names", table, f"names and shapes with {number} rates")
    found = [list(m.dilation) for m in pyramid.branches.modules() if isinstance(m, nn.Conv2d)]
    probe.emit(f"{name}-rates", found, f"the rates of all convolutions, with {number} rates")
count = sum(p.numel() for p in ASPP(256, 128, (6, 12, 18)).parameters() if p.requires_grad)
probe.emit("count", count, "the number of parameters in the report's sizes")
### END HIDDEN TESTS

# %% check-aspp-2 points=1
from coursekit.checks.learning import learn_alike, train_alike
from coursekit.checks.mistakes.apart import way_apart
from coursekit.checks.mistakes.crashes import CRASHES
from coursekit.checks.mistakes.deeplabv3plus import ASPP_GETS, mismixed
from coursekit.checks.mistakes.modules import unlike

check = Check("aspp")
for known in CRASHES["aspp"]:
    check.crashes(*known)
torch.manual_seed(0)
pyramid, x = ASPP(6, 5, (3, 2)).eval(), 9 * (torch.randn(2, 6, 9, 8) + torch.randn(2, 6, 1, 1))
twin = create_model("deeplabv3plus", stages=((1, 1), (1, 1), (1, 6)), aspp=5, rates=(3, 2)).aspp
check.that(not (odd := unlike(pyramid, twin)), f"{odd}: see the check above")
for moved in pyramid.buffers():
    moved += 0.1 if moved.is_floating_point() else 0  # to see whether all is normalised
got = check.call(pyramid, x.requires_grad_())
check.kind(got, torch.Tensor)
check.catches(
    (2, 20, 9, 8), got.shape, "the views stand side by side, and project does not mix them"
)
check.shape(got, (2, 5, 9, 8), "width channels should come out, at the size that came in")
twin.load_state_dict(pyramid.state_dict())
same = twin.eval()(x)
check.slips(got, same, mismixed, twin, x)
way = way_apart(pyramid, twin, lambda part: part(x), ASPP_GETS)
check.that(not way, way)
check.close(got, same, "expected: all branches of x, side by side, mixed by project", 1e-4)
leaves = [{"x": x, **dict(module.named_parameters())} for module in (pyramid, twin)]
learn_alike(check, got, same, *leaves)
train_alike(check, pyramid, twin, x)
check.passed("views of four or five reaches, side by side")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-aspp-2")
for name, channels, width, rates in (("two", 4, 3, (1, 3)), ("four", 3, 4, (2, 1, 4, 6))):
    pyramid = ASPP(channels, width, rates).double()
    probe.fill(pyramid, name, spread=0.5)
    drawn = probe.given(f"{name}-input", lambda rng, c=channels: rng.normal(0, 1, (3, c, 7, 6)))
    entered = torch.from_numpy(drawn).requires_grad_()
    probe.emit(f"{name}-eval", pyramid.eval()(entered), f"rates {rates}, in evaluation")
    came_out = pyramid.train()(entered)
    probe.emit(f"{name}-train", came_out, f"rates {rates}, in training")
    (came_out**3).sum().backward()
    probe.emit(f"{name}-input", entered.grad, f"rates {rates}, the gradient of the input")
    slopes = {k: p.grad for k, p in pyramid.named_parameters() if not k.endswith("0.bias")}
    probe.emit(f"{name}-gradients", slopes, f"rates {rates}, the gradients of the weights")
### END HIDDEN TESTS


# %%
# What does each branch see? The gradient of a pixel in the middle of its output says how much each
# pixel of the image counts there. Fresh weights; colours are logarithmic; empty is exactly 0.
torch.manual_seed(0)
image = torch.randn(1, 3, 320, 320, requires_grad=True)
eyes, pyramid = Encoder(3, ((32, 64), (64, 128), (192, 256))).eval(), ASPP(256, 128, (6, 12, 18))
features = eyes(image)[-1]  # (1, 256, 40, 40)
figure, axes = plt.subplots(1, 5, figsize=(9, 2.1), layout="constrained")
names = ("1×1", "rate 6", "rate 12", "rate 18", "image pooling")
for panel, name, branch in zip(axes, names, pyramid.eval().branches, strict=True):
    middle = branch(features)[0, :, 20, 20] @ torch.randn(128)  # a mixture of its channels
    (slope,) = torch.autograd.grad(middle, image, retain_graph=True)
    seen = slope[0].abs().sum(0) / slope[0].abs().sum(0).max()
    panel.imshow(seen.where(seen > 0, torch.nan).log10().numpy(), cmap="viridis", vmin=-4, vmax=0)
    panel.set_title(name, fontsize=9)
    panel.set(xticks=[], yticks=[])
plots.described(figure, "What each branch sees of an image: a spot in the middle, nine spots that "
                "lie farther apart with the rate, all of it.")  # fmt: skip

# %% [markdown]
# Each square is a tap, 36 pixels wide, because that is what the encoder sees. Some of what one branch misses another one sees.
# The last branch sees every pixel and cannot tell one place from another.
#
# *Can see* is not *does look*. What a trained network really uses, its **effective** receptive field, is usually much smaller than what the arithmetic allows.
#
# ## Exercise 5: the decoder
#
# The pyramid's map has an eighth of the image's height and width. DeepLabV3 enlarged its scores straight from there; the **plus** is a small decoder with one skip.
#
# 1. Enlarge the pyramid's map to the size of the *first* stage's features, **bilinearly**: nothing to learn.
# 2. **Thin the skip**: a 1×1 convolution with batch normalisation (no ReLU in the report's) takes the first stage's 64 channels to 32.
# 3. Concatenate, the deep map first, refine with two 3×3 blocks, score each class by a 1×1 convolution.
#
# Why thin it? In the paper the shallow features have 256 channels, as many as the deep ones. So many raw edges and colours could hide what the deep map
# knows. The authors found 32 or 48 channels to be best. Here it also saves work: 18,432 weights in the first 3×3 block.
#
# The parts are given; write `forward`.
#
# <details><summary>Hint 1</summary>
#
# Do not enlarge by a fixed factor: pooling rounds odd sizes down, and 4 · 3 is not 13. Take the size from `shallow`.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.interpolate(deep, shallow.shape[-2:], mode="bilinear")`; leave `align_corners` at its default.
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.cat([deep, self.low_level(shallow)], dim=1)`, then `refine`, then `head`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.deeplabv3plus import Decoder` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %%
class DecoderParts(nn.Module):
    """What the decoder is made of."""

    def __init__(
        self, shallow: int, low_level: int, deep: int, width: int, num_classes: int
    ) -> None:
        super().__init__()
        self.low_level = nn.Sequential(nn.Conv2d(shallow, low_level, 1), nn.BatchNorm2d(low_level))
        mixed = conv_bn_relu(low_level + deep, width, 3)
        self.refine = nn.Sequential(mixed, conv_bn_relu(width, width, 3))
        self.head = nn.Conv2d(width, num_classes, 1)


DECODER = """
(deep: 128 × 64²) | (shallow: 64 × 256²)
enlarge: 128 × 256² | low_level
concatenate: 160 × 256²
refine
head
"""
plots.diagram(DECODER, shapes=plots.shapes(finished.decoder, (128, 64, 64), (64, 256, 256)))


# %% deeplab-decoder minutes=20 difficulty="medium"
class Decoder(DecoderParts):
    """Brings the deep features to the shallow ones' size and refines them beside these."""

    def forward(self, deep: torch.Tensor, shallow: torch.Tensor) -> torch.Tensor:
        """(B, deep, h, w) and (B, shallow, H, W) → logits (B, num_classes, H, W)."""
        ### BEGIN SOLUTION
        deep = F.interpolate(deep, shallow.shape[-2:], mode="bilinear")
        both = torch.cat([deep, self.low_level(shallow)], dim=1)
        return self.head(self.refine(both))
        ### END SOLUTION


# %% check-deeplab-decoder points=2
from coursekit.checks.learning import learn_alike, train_alike
from coursekit.checks.mistakes.apart import way_apart
from coursekit.checks.mistakes.crashes import CRASHES
from coursekit.checks.mistakes.deeplabv3plus import DECODER_GETS, misdecoded
from coursekit.parts import deeplabv3plus as course

check = Check("deeplab-decoder")
for known in CRASHES["deeplab-decoder"]:
    check.crashes(*known)
torch.manual_seed(0)
decoder, size = Decoder(5, 4, 4, 6, 3).eval(), (13, 22)
for moved in decoder.buffers():
    moved += 0.1 if moved.is_floating_point() else 0  # to see whether all is normalised
deep, shallow = ((9 * torch.randn(2, *s)).requires_grad_() for s in ((4, 3, 5), (5, *size)))
got = check.call(decoder, deep, shallow)
check.kind(got, torch.Tensor)
check.catches((2, 6, *size), got.shape, "these are features: the scores of the classes come from self.head")  # fmt: skip
check.catches((2, 3, 3, 5), got.shape, "enlarge the deep map, do not shrink the other")  # fmt: skip
check.catches((2, *size), got.shape, "no arg-max: a score for each class")
check.shape(got, (2, 3, *size), "a score for each class; enlarge the deep map to the shallow's")
(twin := course.Decoder(5, 4, 4, 6, 3).eval()).load_state_dict(decoder.state_dict())
end = twin(deep, shallow)
check.slips(got, end, misdecoded, twin, deep, shallow)
way = way_apart(decoder, twin, lambda part: part(deep, shallow), DECODER_GETS)
check.that(not way, way)
check.close(got, end, "expected: enlarge, thin, concatenate, refine, score")
maps = {"the deep map": deep, "the shallow map": shallow}
leaves = [maps | dict(module.named_parameters()) for module in (decoder, twin)]
learn_alike(check, got, end, *leaves)
train_alike(check, decoder, twin, torch.randn(2, 4, 3, 7), torch.randn(2, 5, 12, 15))
check.passed("deep and shallow, side by side")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-deeplab-decoder")
decoder = Decoder(3, 2, 4, 5, 6).double()
probe.fill(decoder, "weights", spread=0.4)
for name, below, beside in (("even", (3, 2), (12, 8)), ("odd", (2, 3), (9, 14))):
    deep = probe.given(f"{name}-deep", lambda rng, s=below: rng.normal(0, 1, (2, 4, *s)))
    shallow = probe.given(f"{name}-shallow", lambda rng, s=beside: rng.normal(0, 1, (2, 3, *s)))
    deep, shallow = (torch.from_numpy(a).requires_grad_() for a in (deep, shallow))
    about = f"maps of {below} and {beside}"
    probe.emit(f"{name}-eval", decoder.eval()(deep, shallow), f"{about}, in evaluation")
    came_out = decoder.train()(deep, shallow)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    decoder.zero_grad()
    (came_out**2).sum().backward()
    probe.emit(f"{name}-deep", deep.grad, f"{about}, the gradient of the deep one")
    probe.emit(f"{name}-shallow", shallow.grad, f"{about}, the gradient of the shallow one")
    slopes = {k: p.grad for k, p in decoder.named_parameters() if not k.endswith("0.bias")}
    probe.emit(f"{name}-gradients", slopes, f"{about}, the gradients of the weights")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the whole network
#
# The decoder's logits have half the image's height and width. In the paper they have a quarter, and are enlarged bilinearly. The report **learns** the last doubling: a transposed convolution
# from 19 to 19 channels, 2×2, stride 2, as in U-Net's way up. Each corner of a 2×2 patch then has weights of its own, and only training makes them agree. Before that you see **checkerboards**.
#
# Put it together: features of every stage, pyramid on the **last**, decoder with
# the **first**, the learnt doubling. Where the image's height or width is odd, the result is one pixel short. As in lesson 02, `fit_to` repeats the edge there.
#
# <details><summary>Hint 1</summary>
#
# `self.encoder(image)` gives a list: (B, 64, H/2, W/2), (B, 128, H/4, W/4), (B, 256, H/8, W/8).
# </details>
# <details><summary>Hint 2</summary>
#
# The first of the list goes to the decoder, the last to the pyramid; the one in the middle is not used again.
# </details>
# <details><summary>Hint 3</summary>
#
# `logits = self.up(self.decoder(self.aspp(features[-1]), features[0]))`, and at the end `fit_to(logits, image)`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.deeplabv3plus import DeepLabV3Plus` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %%
def fit_to(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Pad x at the bottom and right, by repeating its edge, to the height and width of `like`."""
    pad_y, pad_x = like.shape[-2] - x.shape[-2], like.shape[-1] - x.shape[-1]
    return F.pad(x, (0, pad_x, 0, pad_y), mode="replicate") if pad_y or pad_x else x


# %% deeplabv3plus minutes=20 difficulty="medium"
class DeepLabV3Plus(nn.Module):
    """Encoder, pyramid of dilated convolutions, and a decoder with one skip."""

    def __init__(
        self, num_classes: int = 19, rates: tuple = (6, 12, 18), aspp: int = 128,
        stages: tuple = ((32, 64), (64, 128), (192, 256)), low_level: int = 32, decoder: int = 64,
    ) -> None:  # fmt: skip
        super().__init__()
        self.encoder = Encoder(3, stages)
        self.aspp = ASPP(stages[-1][1], aspp, rates)
        self.decoder = Decoder(stages[0][1], low_level, aspp, decoder, num_classes)
        self.up = nn.ConvTranspose2d(num_classes, num_classes, 2, stride=2)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) whitened image → (B, num_classes, H, W) logits."""
        ### BEGIN SOLUTION
        features = self.encoder(image)
        deep = self.aspp(features[-1])  # (B, 128, H/8, W/8)
        logits = self.up(self.decoder(deep, features[0]))  # (B, 19, H, W)
        return fit_to(logits, image)
        ### END SOLUTION


# %% check-deeplabv3plus points=1
from coursekit.checks.mistakes.apart import way_apart
from coursekit.checks.mistakes.deeplabv3plus import GETS, SHAPED, misassembled

check = Check("deeplabv3plus")
check.crashes(RuntimeError, "to have 12 channels", "the last of the features goes to aspp")
check.crashes(RuntimeError, "to have 13 channels", "the decoder gets what comes out of aspp")
check.crashes(RuntimeError, r"\[8, 7, 3, 3\]", "a stage takes what the one before it gave: call self.encoder")  # fmt: skip
check.crashes(RuntimeError, "to have 7 channels", "the decoder gets deep, then the first features")
check.crashes((TypeError, AttributeError, ValueError), "list|unpack", "the encoder gives a list of three: a map of each stage")  # fmt: skip
check.crashes(RuntimeError, "to have 19 channels", "up comes last, on the decoder's logits")
check.crashes(TypeError, "'shallow'", "the decoder gets two maps: deep, then the first features")
torch.manual_seed(0)
small = {"stages": ((5, 7), (8, 9), (11, 12)), "aspp": 10, "rates": (1, 2), "low_level": 3}
mine, image = DeepLabV3Plus(**small, decoder=6), 1 + 2 * torch.randn(2, 3, 43, 48)
for weight in mine.parameters():  # large enough to show in the end, nothing exactly 0 or 1
    weight.data *= 2.4 if weight.ndim > 1 else 1
    weight.data += 0.05 * torch.randn(weight.shape)
got = check.call(mine.eval(), image)
check.kind(got, torch.Tensor)
check.that(not (odd := SHAPED.get(tuple(got.shape))), f"{odd} (its shape is {tuple(got.shape)})")
check.shape(got, (2, 19, 43, 48), "one score for each class and pixel, at the image's size")
twin = create_model("deeplabv3plus", **small, decoder=6).eval().requires_grad_(False)
twin.load_state_dict(mine.state_dict())
same = twin(image)
check.slips(got, same, misassembled, twin, image)
check.that(not (way := way_apart(mine, twin, lambda network: network(image), GETS)), way)
check.close(got, same, "another output than the course's: is every part used once?", rtol=1e-4)  # fmt: skip
check.passed("the course's DeepLabV3+ accepts your weights and computes the same")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-deeplabv3plus")
stages = ((4, 5), (6, 7), (8, 9))
small = DeepLabV3Plus(5, (1, 2), aspp=6, stages=stages, low_level=3, decoder=4).double()
probe.fill(small, "weights")
for name, shape in (("odd", (2, 3, 21, 26)), ("even", (3, 3, 24, 16))):
    photo = torch.from_numpy(probe.given(name, lambda rng, s=shape: rng.normal(0, 1, s)))
    about = f"other widths and weights, on images of {shape[2]} × {shape[3]}"
    probe.emit(f"{name}-eval", small.eval()(photo), f"{about}, in evaluation")
    probe.emit(f"{name}-train", small.train()(photo), f"{about}, in training")
count = sum(p.numel() for p in DeepLabV3Plus().parameters() if p.requires_grad)
probe.emit("count", count, "the number of parameters")
### END HIDDEN TESTS

# %% check-deeplabv3plus-2 points=1
from coursekit.checks.learning import learn_alike, train_alike

check = Check("deeplabv3plus")
torch.manual_seed(0)
small = {"stages": ((6, 8), (8, 12), (12, 16)), "aspp": 8, "rates": (1, 2), "low_level": 4}
mine, other = check.build(DeepLabV3Plus, small, {"num_classes": 7, "decoder": 5, **small})
image, photo = torch.randn(4, 3, 21, 26).requires_grad_(), torch.randn(2, 3, 24, 16)
twin = create_model("deeplabv3plus", **small)
twin.load_state_dict(mine.state_dict())
got, same = train_alike(check, mine, twin, image, rtol=1e-3)
leaves = [{"the image": image, **dict(network.named_parameters())} for network in (mine, twin)]
learn_alike(check, got, same, *leaves)
few = check.call(other, photo)
check.shape(few, (2, 7, 24, 16), "as many scores as there are classes, and the image's size")
check.equal(count_parameters(DeepLabV3Plus()), 1_964_394, "not the report's parameters")
check.passed("every weight learns (but for those biases)")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-deeplabv3plus-2")
narrow = {"stages": ((4, 8), (8, 8), (8, 8)), "aspp": 8, "low_level": 4, "decoder": 8}
learner = DeepLabV3Plus(3, (1, 2), **narrow).double()
probe.start(learner, "start")
probe.train(learner, (3, 21, 26))
### END HIDDEN TESTS


# %%
# Where do the parameters sit, and where is the work? Counted for one image of 512², while shapes
# alone flow through a copy of the network. Below the counts: the shapes in your tier.
mine = DeepLabV3Plus(rates=SIZES["rates"])
print(cost_table(mine, 512))
total, unet = (multiply_accumulates(net, 512) for net in (mine, create_model("unet")))
print(f"That is {total / unet:.1f} times as many multiplications as U-Net's.")
plots.shapes(mine, (3, SIZES["size"], SIZES["size"]))

# %% [markdown]
# The pyramid has half of the parameters and a ninth of the work, because its map is small. The encoder and the decoder do the rest on larger maps.
# With as many parameters as U-Net, the network multiplies three times as often.
#
# ## Training
#
# As in lesson 02: Adam, then SGD, the weighted cross-entropy, the augmentation. One setting differs, as in the code behind the report: in the SGD phases the $T$ of the cosine is 25 epochs, not 50.
#
# If the validation curve jumps where the training curve is smooth: training normalises by each batch, validation by the running averages, which lag behind.

# %% train-deeplab tags=["slow"]
from coursekit.optim import AdamToSGDConfig
from coursekit.training import FitConfig, fit

torch.manual_seed(0)
model = DeepLabV3Plus(num_classes=LABELS.num_classes, rates=SIZES["rates"])
result = fit(
    model, train, val,
    FitConfig(
        size=SIZES["size"], epochs=SIZES["epochs"], batch_size=SIZES["batch"], seed=0,
        plan=AdamToSGDConfig(adam_lr=SIZES["lr"], patience=SIZES["patience"], sgd_t_max=25),
    ),
    progress=True, kept="03_deeplabv3plus",
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
config = {"num_classes": LABELS.num_classes, "rates": list(SIZES["rates"])}
info = ModelInfo("deeplabv3plus", config, LABELS.key, SIZES["size"], white.mean, white.std)
model.cpu().eval()
pooled = evaluate(model, val, info, progress=False)
print(f"mean IoU:             {100 * pooled.mean_iou:5.1f} %")
print(f"pixels called rightly: {100 * metrics.pixel_accuracy(pooled.matrix):4.1f} %")
scores = pooled.summary()["per_class"]
plots.class_scores({name: row and row["iou"] for name, row in scores.items()}, LABELS)

# %% tags=["slow"]
# Your `fold`, on the whole trained network: every convolution takes in the normalisation behind it.
lean = copy.deepcopy(model).eval()
for part in lean.modules():
    if isinstance(part, nn.Sequential) and isinstance(part[0], nn.Conv2d):
        part[0], part[1] = fold(part[0], part[1]), nn.Identity()
images = torch.randn(2, 3, SIZES["size"], SIZES["size"])
with torch.no_grad():
    full, short = model(images), lean(images)
print(f"{count_parameters(model):,} → {count_parameters(lean):,} parameters")
print("the same logits:", torch.allclose(full, short, atol=1e-3 * float(full.abs().max())))

# %% [markdown]
# Two parameters for each of 1,664 channels are gone. Fold only when training is over: the folded network
# computes the same, but without normalisation it does not train the same.
#
# ## What was learnt, in a picture
#
# What does each part of the trained network do? We silence one at a time (zeros in its place). First the thin skip and the whole pyramid, in pictures: are the outlines still sharp? Are the parts of the face still there, and named rightly?
# Where outlines have teeth one pixel wide, the four corners of the learnt doubling do not agree yet.
#
# Then each branch, in points of mean IoU. For luck we take 5 points: so much did a run move with the number of threads (see "What falls off the map").

# %% tags=["slow"]
from coursekit.inference import predict_label_map


def silenced(part: nn.Module, use) -> np.ndarray | float:
    """What `use` gives while this part of the network gives zeros."""
    hook = part.register_forward_hook(lambda _part, _in, out: torch.zeros_like(out))
    found = use()
    hook.remove()
    return found


rows = []
for sample in val[:4]:
    row = {"image": sample.image, "truth": sample.label_map}
    row["prediction"] = predict_label_map(model, sample.image, info)
    for name, part in (("skip", model.decoder.low_level), ("pyramid", model.aspp)):
        row[f"{name} silenced"] = silenced(
            part, lambda sample=sample: predict_label_map(model, sample.image, info)
        )
    rows.append(row)
plots.panels(rows, LABELS)

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
LUCK = 5  # points of mean IoU between two runs of the same settings, as the course measured
branches = ("1×1", *(f"rate {rate}" for rate in SIZES["rates"]), "image pooling")
parts = {"thin skip": model.decoder.low_level, "pyramid": model.aspp}
parts |= dict(zip(branches, model.aspp.branches, strict=True))
print(f"{'all of it':<21}{100 * pooled.mean_iou:6.1f} %")
gained = {}  # points of mean IoU without it
for name, part in parts.items():
    score = silenced(part, lambda: evaluate(model, val, info, progress=False).mean_iou)
    points = gained[name] = 100 * (score - pooled.mean_iou)
    verdict = "unknown" if abs(points) <= LUCK else "a gain" if points > 0 else "a loss"
    print(f"without {name:<13}{100 * score:6.1f} %  {points:+5.1f}: {verdict}")
most = min(branches, key=gained.get)
told = "this may be luck" if -gained[most] <= LUCK else "more than luck"
print(f"of the branches {most} is missed most, by {-gained[most]:.1f} points: {told}")

# %% [markdown]
# (An example, measured by the course with 128 faces and ten epochs: a silenced dilated branch cost 3 points or more, image pooling half a point.)
# That a part is not missed does not prove it useless. A network *trained* without it would have arranged itself otherwise.
#
# ## The paper says, we measured
#
# The report gives two validation scores for this network: **67.22 %** in its Table 1 and **67.72 %** in its text. One of them must be a slip; nobody can say which.
#
# | what | paper (Chen et al., 2018) | report, and here |
# |---|---|---|
# | encoder | ResNet-101 or Xception, pretrained, dilated at its end | six plain convolutions and max-pooling, from scratch |
# | output stride | 16 in training, 16 or 8 in evaluation | 8 |
# | rates | 6, 12, 18 at stride 16, doubled at stride 8 | 6, 12, 18 at stride 8: half of the reach in the image |
# | ASPP and decoder | depthwise separable convolutions (in its best variants; see lesson 04) | ordinary convolutions |
# | bias before normalisation | no | yes, 1,664 of them |
# | skip | stride 4, reduced to 48 channels | stride 2, reduced to 32 |
# | last step | bilinear, ×4 | learnt, ×2 |
#
# So "DeepLabV3+ has 67 %" is a statement about the right column. The name of an architecture says less than one thinks.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

kind = "photos" if DATA else "rendered faces"
alike = TIER == "full" and DATA and len(history) == 120
Markdown(f"""
| | the report | here, {TIER} tier |
|---|---|---|
| data | 5,000 photos, 512² | {len(train):,} {kind}, {SIZES["size"]}² |
| parameters | 1,964,394 | {count_parameters(model):,} |
| rates, on a map of | 6, 12, 18, on 64² | {", ".join(map(str, SIZES["rates"]))}, on {SIZES["size"] // 8}² |
| batch | 2 | {SIZES["batch"]} |
| best epoch, of | not given | {result.best_epoch + 1} of {len(history)} |
| validation mean IoU | 67.22 % (table), 67.72 % (text) | {100 * pooled.mean_iou:.1f} % |
| test mean IoU | 53.30 % | no test set |
| seconds an epoch | 328, on one GPU | {np.mean([h["seconds"] for h in history]):.1f}, on {"a GPU" if torch.cuda.is_available() else "CPU cores"} |

{"One run with one seed on each side: a difference of a point may be luck." if alike else f"**These columns are not a race**: 5,000 photos on the left; {len(train):,} {kind} and {len(history)} epochs on the right."}
""")

# %% [markdown]
# ## The library twin
#
# `segmentation_models_pytorch` (smp) has a `DeepLabV3Plus` for any of several hundred encoders. Here is one of like size: a MobileNetV3, and the channels
# of the pyramid chosen to stay just under 2,000,000 parameters. `encoder_weights=None`, because the competition forbids pretrained weights.

# %%
import segmentation_models_pytorch as smp

library = smp.DeepLabV3Plus(
    "tu-mobilenetv3_small_100", encoder_weights=None, classes=19, encoder_output_stride=16,
    decoder_channels=216, decoder_atrous_rates=(6, 12, 18),
)  # fmt: skip
millions = count_parameters(library) / 1e6
print(f"smp: {millions:.1f} million parameters; below the limit:", millions < 2)
spread_out = [part for part in library.encoder.modules() if getattr(part, "dilation", 1) == (2, 2)]
separable = [part for part in library.decoder.modules() if getattr(part, "groups", 1) > 1]
print("dilated convolutions in its encoder:", len(spread_out) > 0)
print("depthwise convolutions in its pyramid and decoder:", len(separable) > 0)
theirs = multiply_accumulates(library, 512)
print(f"multiplications at 512²: ours are {total / theirs:.0f} times as many")

# %% [markdown]
# As many parameters as ours, and far fewer multiplications. Its pyramid works on a map of 32², not 64². Its decoder works at a quarter of the image's side, ours at half. And its convolutions are depthwise separable nearly everywhere; lesson 04 shows why that is cheap.
#
# Take smp's when you want a pretrained encoder or the paper's recipe as it is. Take your own when you must know every parameter or change a part.
# Look at the defaults first: smp has rates of 12, 24 and 36 at an output stride of 16. On a map of 32² the largest keeps one tap of nine.
#
# ## What to try next
#
# - **The paper's rates on the quick tier.** `rates=(6, 12, 18)`: what do 786,432 dead weights cost? Train each with several seeds before you believe a difference.
# - **A batch of 2**, with and without the pooling branch's normalisation (put `nn.Identity()` in its place).
# - **Fewer parameters.** `aspp=112` fits below the 2025 edition's limit of 1,821,085. What does it cost?
# - **Stride for rate.** Convolve every second pixel; then all pixels with the taps twice as far apart. Show that the values agree where both are.
# - **A gentle start for `up`.** Fill its weight so that it repeats each pixel four times. Do the first epochs look smoother?
#
# **Lesson 04** turns to a network that was built for speed.

# %% quiz [markdown]
# ### A 3×3 convolution at rate 18 works on a map of 6 × 6. What does it compute?
#
# - [ ] A view of the whole map, since 37 pixels are more than 6
#   It spans 37 pixels, but it looks at nine points only, and eight of them lie off the map.
# - [ ] An error: the kernel is larger than the map
#   Padding makes room, so nothing fails. That is what makes the mistake expensive.
# - [x] The same as a 1×1 convolution: eight of its nine taps meet only zeros
#   Eight ninths of its weights get a gradient of exactly 0, for ever. A rate has a meaning only together with the size of the map.
#
# ### A network predicts well in training. Used on one image at a time it gives other, worse results, and no error. What was probably forgotten?
#
# - [x] `model.eval()`: it still normalises by the statistics of each batch
#   In training mode each image's result depends on the images beside it; alone, on itself. Nothing fails, and everything is a bit wrong.
# - [ ] `torch.no_grad()`: gradients disturb the prediction
#   Without it more memory is used, but the numbers are the same.
# - [ ] The softmax: logits are no probabilities
#   The largest logit and the largest probability belong to the same class. The label map would not change.
#
# ### Why can batch normalisation be folded into the convolution before it, but only after training?
#
# - [ ] In training the weights would be too large
#   Size does not matter. What matters is what mean and variance depend on.
# - [x] Once the statistics stand still, it multiplies each channel by a constant and adds one: a convolution can do that itself
#   In training mean and variance belong to each batch and move with it; then it is no fixed linear map.
# - [ ] Because a convolution without bias cannot be trained
#   It can: most networks leave the bias out before a normalisation, since that takes it away again.
#
# ### With a batch of two images the pooled branch of ASPP behaves strangely in training. Why?
#
# - [ ] Two images give too noisy a mean, so the branch learns slowly
#   It is worse than noise: not even the size of the values is left.
# - [ ] The branch has too few parameters
#   It has enough; the values that reach them are the problem.
# - [x] Each channel has two values; minus their mean, by their deviation, they are always +1 and −1
#   So the branch says which of the two images has more of something, and nothing about how much.
#
# ### DeepLabV3+ here has as many parameters as U-Net, and multiplies three times as often. Where is the difference?
#
# - [ ] In the pyramid, which holds half of the parameters
#   It does, but its map is small: half of the parameters, a ninth of the work.
# - [x] In its encoder and decoder: many channels on large maps
#   Work is weights times places. Its deepest map is an eighth of the side, where U-Net goes down to a sixteenth.
# - [ ] In dilation: a kernel that is spread out multiplies more often
#   A dilated 3×3 kernel has nine taps like any other, and costs the same.

# %% [markdown]
# {{links}}
