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
# U-Net sees far by making the image small. DeepLabV3+ keeps the map large and pulls the *kernel* apart instead. You build it,
# with the batch normalisation that lesson 02 did without, and find out where each of its ideas works and where it does nothing at all.
#
# | | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 56 rendered faces, 48² | CelebAMask-HQ, for example the course's 5,000 photos, 512² |
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

from coursekit import count_parameters, create_model, plots, tier
from coursekit.checks import Check
from coursekit.data import SynthDataset, open_dataset

# %% [markdown]
# The sizes of both tiers, as in lesson 02. One entry is new: the `rates` of the dilated convolutions. You will measure below why they differ between the tiers.

# %%
TIER, DATA, SIZES = tier.choose(
    train=(56, 5000),
    val=(20, 1000),
    size=(48, 512),
    epochs=(6, 120),
    batch=(4, 2),
    rates=((1, 2, 3), (6, 12, 18)),
    lr=(0.002, 0.001),
    patience=(3, 12),
)

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
# To tell a left eyebrow from a right one, a network must see the rest of the face. U-Net halves the map four times, and then a 3×3
# kernel covers 48×48 pixels of the image. The price is that the exact place of things is lost on the way down and must be
# handed back by skips, level by level.
#
# The DeepLab family (Chen, Papandreou, Kokkinos, Murphy and Yuille, from 2015 on) takes the other way. Halve less often, and let the
# kernel reach further: put its <dfn title="tap">taps</dfn>, the places where it reads, $r$ pixels apart instead of 1. In one dimension, with kernel $w$ and **rate** $r$,
#
# $$ y[i] = \sum_k x[i + r\,k]\; w[k] $$
#
# where $k$ runs over −1, 0, 1 for three taps. With $r = 1$ this is the convolution that you know. With taps farther apart it is called <dfn title="dilated convolution">dilated</dfn> or **atrous** convolution (from the French *à trous*, "with holes"). Here is the equation as it stands, with zeros where $i + rk$ is off the map.


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
# Read the last line: at rate 5 every sum has lost at least one of its two neighbours, and the sums in the middle (10 and 50) both. We come back to this.
#
# A kernel of $k$ taps ($k$ odd) at rate $r$ spans
#
# $$ k + (k-1)(r-1) $$
#
# pixels. To keep the size it needs half of that, rounded down, as padding on each side: for $k=3$ that is
# exactly $r$. The number of weights does not change. In two dimensions a dilated 3×3 kernel is a big kernel that is nearly empty:


# %%
def spread(weight: torch.Tensor, rate: int) -> torch.Tensor:
    """A kernel (out, in, k, k) with its taps `rate` apart and zeros between them."""
    side = weight.shape[-1] + (weight.shape[-1] - 1) * (rate - 1)
    big = weight.new_zeros(*weight.shape[:2], side, side)
    big[..., ::rate, ::rate] = weight
    return big


torch.manual_seed(0)
x, weight = torch.randn(1, 2, 40, 40), torch.randn(3, 2, 3, 3)
for rate in (1, 2, 6, 18):
    big = spread(weight, rate)
    ordinary = F.conv2d(x, big, padding=big.shape[-1] // 2)
    same = torch.allclose(ordinary, F.conv2d(x, weight, padding=rate, dilation=rate), atol=1e-4)
    taps, area = int((big[0, 0] != 0).sum()), big[0, 0].numel()
    print(f"rate {rate:2}: {taps} of {area:4} taps are not zero; as the dilated one: {same}")

# %% [markdown]
# A 37×37 kernel for the price of a 3×3 one: that is the bargain. The catch is that 1,360 of the 1,369 pixels under the kernel are not looked at.
# Earlier layers must already have gathered what lies between, or it falls through the holes.
#
# If several dilated layers follow each other, the holes can line up. The first three pictures show the taps of one layer. In the last two, each pixel
# is coloured by the number of ways in which it reaches the centre through three layers; both stacks span 13×13 pixels.

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

# %% [markdown]
# With rates (2, 2, 2) 120 of the 169 pixels never count, and neighbouring outputs look at pixels that have nothing in common. This is
# the **gridding** artefact. Rates (1, 2, 3) leave no hole. (A common divisor above 1 always leaves some; having none is not enough: 2 and 3 alone never reach the pixel 4 steps away.)
#
# DeepLabV3+ is largely spared. Its rates 6, 12 and 18 stand *beside* each other, not one after another, and what they read
# has already passed through ordinary convolutions, which have no holes.
#
# ## What falls off the map
#
# The second catch: a tap that lies off the map meets padding and multiplies zero. Over all pixels of a
# map of side $n$, what share of the nine taps is that? The network of this lesson halves the image three times, so 512² gives a map of 64²,
# and the 48² of the quick tier one of 6². (16² and 33² are for comparison; 33² is what an image of 513² gives at a sixteenth, a common size in the DeepLab papers.)


# %%
def on_padding(side: int, rate: int) -> float:
    """Share of the taps of a 3×3 kernel that lie off a map of this side, over all its pixels."""
    ones = torch.ones(1, 1, 3, 3)
    hits = F.conv2d(torch.ones(1, 1, side, side), ones, padding=rate, dilation=rate)
    return 1 - float(hits.mean()) / 9


print("rate      " + "".join(f"{rate:8}" for rate in (1, 2, 3, 6, 12, 18)))
for side in (6, 16, 33, 64):
    shares = (f"{on_padding(side, rate):8.1%}" for rate in (1, 2, 3, 6, 12, 18))
    print(f"map {side:2}²   " + "".join(shares))

# %% [markdown]
# On the full tier a branch at rate 18 wastes a third of its taps. On a map of 6² **all three** of the paper's rates keep one
# tap of nine, the one in the middle: the other eight never meet anything but zeros, at any pixel. Such a "3×3 convolution at rate 18" *is* a
# 1×1 convolution, and eight ninths of its weights receive a gradient of exactly 0, for ever:

# %%
branch = nn.Conv2d(256, 128, 3, padding=18, dilation=18)
branch(torch.randn(2, 256, 6, 6)).square().mean().backward()
dead = int((branch.weight.grad == 0).sum())
print(f"{dead:,} of {branch.weight.numel():,} weights have a gradient of exactly 0")
print(f"in three such branches: {3 * dead:,}, or {3 * dead / 1_964_394:.0%} of the whole network")

# %% [markdown]
# Nothing warns you. The loss falls, the parameters are counted, and two fifths of them do nothing. The authors of DeepLabV3 saw
# their far taps fall off in the same way, and added a branch that looks at the whole image (you will write it). The other answer is a rate that fits the map.
#
# So on the quick tier we use the rates **1, 2, 3**. The number of parameters does not depend on the rate, and the code is the same. Do not expect a leap in the score:
# on our test machine, with 128 faces and ten epochs, the mean IoU moved by 5 points when only the number of threads changed, and by less when the rates did.
#
# The lesson to take along: *a rate has no meaning without the size of the map*. If you change the image size or the stride, look at the rates again.

# %% [markdown]
# ## Batch normalisation
#
# Every convolution of this network but the last two is followed by **batch normalisation** (Ioffe and Szegedy, 2015). For each channel $c$ <dfn>batch normalisation</dfn> subtracts a mean and divides by a standard deviation, then gives the network a scale $\gamma$ and a shift $\beta$ to learn:
#
# $$ y_c = \gamma_c\, \frac{x_c - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c $$
#
# - **In training** $\mu_c$ and $\sigma_c^2$ are those of the batch: over all images *and* all pixels, $B·H·W$ values for each channel. The layer also keeps
#   running averages of both.
# - **In evaluation** it uses the running averages, so that an image's prediction does not depend on which other images happen to be beside it.
#
# Each layer then receives values of a scale that earlier layers cannot upset, and larger learning rates become possible. Here is the equation beside the layer.

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
norm.eval()
print("evaluation uses those:", torch.allclose(norm(x), by_hand(*moved), atol=1e-5))

# %% [markdown]
# Forgetting `model.eval()` before predicting is the classic mistake: nothing fails, and every prediction depends on its batch.
#
# One more consequence. A bias before the normalisation shifts a channel, and the normalisation takes the channel's mean, shift
# included, away again. So the bias changes nothing in training, and its gradient is 0 up to rounding:

# %%
torch.manual_seed(0)
x, mix = torch.randn(4, 3, 16, 16), torch.randn(4, 8, 16, 16)
for name, norm in (("with", nn.BatchNorm2d(8)), ("without", nn.Identity())):
    conv = nn.Conv2d(3, 8, 3, padding=1)
    (norm(conv(x)).relu() * mix).sum().backward()
    share = conv.bias.grad.abs().max() / conv.weight.grad.abs().max()
    print(f"{name} normalisation, the bias has a gradient:", bool(share > 1e-4))

# %% [markdown]
# Most networks leave the bias out there. The report's has it, and its count of 1,964,394 includes **1,664** such biases. We keep them, to have the same
# network; they are 1,664 parameters that buy nothing.
#
# ## The network, before you build its parts
#
# Here it is for an image of 512². Every box bears the name of its class; you write the pyramid, the decoder and what joins them.

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
# Nearly the whole network is made of one block: convolution (with bias), batch normalisation, ReLU. The convolution has a kernel of any odd side (the network
# uses 1 and 3) and any rate, and the **size must stay**. What padding does that need?
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
check = Check("dilated-block")
check.crashes(RuntimeError, "running_mean", "normalisation comes second: it gets out_channels")
torch.manual_seed(0)
named = {"in_channels": 5, "out_channels": 6, "kernel": 5, "dilation": 3}
block, point, far, wide = check.build(conv_bn_relu, (3, 8, 3, 4), (3, 8), (3, 8, 1, 5), named)
check.kind(block, nn.Sequential)
kinds = [type(part).__name__ for part in block]
check.catches(["Conv2d", "ReLU"], kinds, "there is no normalisation between the two")
check.catches(["Conv2d", "ReLU", "BatchNorm2d"], kinds, "normalise first, then bend: ReLU is last")
check.equal(kinds, ["Conv2d", "BatchNorm2d", "ReLU"], "convolution, batch normalisation, ReLU")
for made, side, rate in ((block, 3, 4), (point, 1, 1), (far, 1, 5), (wide, 5, 3)):
    check.equal(made[0].kernel_size, (side, side), "the kernel is not of the side asked for")
    check.equal(made[0].dilation, (rate, rate), "the taps do not lie `dilation` apart")
x, more = torch.randn(2, 3, 20, 23), torch.randn(2, 5, 20, 23)
got = check.call(block, x)
check.catches((2, 8, 12, 15), got.shape, "the map has shrunk: no padding")
check.catches((2, 8, 14, 17), got.shape, "the map has shrunk: a padding of 1 fits a rate of 1 only")
check.shape(got, (2, 8, 20, 23), "at rate 4 the size should stay: think of the kernel's span")
for made in (point, far):
    single = "a 1×1 kernel spans one pixel: what padding does it need?"
    check.shape(check.call(made, x), (2, 8, 20, 23), single)
changed = "a 5×5 kernel at rate 3 changes the size: derive the padding"
check.shape(check.call(wide, more), (2, 6, 20, 23), changed)
check.that(block[0].bias is not None, "the bias is missing: useless, but the report counts it")
check.equal(count_parameters(block), 3 * 8 * 9 + 8 + 16, "weights, bias, and γ and β: no more")
check.that("0.weight" in block.state_dict(), "give nn.Sequential the parts without names")
check.equal(str(block[1]), str(nn.BatchNorm2d(8)), "leave the normalisation's settings as they are")
expected = F.relu(block[1](F.conv2d(x, block[0].weight, block[0].bias, padding=4, dilation=4)))
check.close(got, expected, "expected: convolve with zeros around, normalise, ReLU", atol=1e-4)
check.passed("the size stays at every rate, and with a 1×1 kernel")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-dilated-block")
for name, kernel, rate in (("dense", 3, 1), ("far", 3, 3), ("point", 1, 5), ("wide", 5, 2)):
    block = conv_bn_relu(3, 4, kernel, rate).double()
    probe.fill(block, name, mean=0.2, spread=0.4)
    drawn = probe.given(f"{name}-input", lambda rng: rng.normal(0, 1, (3, 3, 8, 9)))
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
# When training is over, the running statistics no longer move. Then batch normalisation multiplies each channel by one constant and adds
# another, and a convolution followed by that is again a convolution. Write $s_c = \gamma_c / \sqrt{\sigma_c^2 + \varepsilon}$ and sort the terms of
#
# $$ \gamma_c\, \frac{(w_c * x + b_c) - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c $$
#
# into a new kernel times $x$ and a new bias. (Here the bias is of use: it takes up all that does not depend on $x$.) Tools that prepare a network for
# deployment do this as a matter of course: one layer less to compute, and the same output up to rounding.
#
# The function starts from a copy of the convolution (same stride, padding, dilation); set its `weight` and `bias`. The convolution that
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
check = Check("fold-norm")
for kind, cause, message in (
    (RuntimeError, "must match|broadcast", "shapes do not fit: s, (out,), times (out, in, k, k)"),
    (TypeError, "cannot assign", "a weight is an nn.Parameter: write into it, `weight.copy_(…)`"),
    (RuntimeError, "leaf Variable", "gradients are on: keep the line `@torch.no_grad()`"),
):
    check.crashes(kind, cause, message)
conv, norm = pair(nn.Conv2d(4, 4, 3, padding=2, dilation=2))
folded = check.call(fold, conv, norm)
check.kind(folded, nn.Conv2d)
w, gamma, var = conv.weight.detach(), norm.weight.detach(), norm.running_var
s = gamma / (var + norm.eps).sqrt()
check.catches(w, folded.weight, "the kernel is still the old one: it must be scaled, too")
for scale, message in (
    (gamma / var.sqrt(), "ε is missing below the root: it counts where the variance is tiny"),
    (gamma / (var + 1e-5).sqrt(), "ε is written into it: take norm.eps"),
    (gamma / (var + norm.eps), "divided by the variance, not by its root"),
    (s / gamma, "γ is missing in the scale"),
    (gamma / (var.sqrt() + norm.eps), "ε stands beside the root: it belongs below it"),
    (gamma * (var + norm.eps).sqrt(), "multiplied by the deviation: divide"),
):
    check.catches(w * scale[:, None, None, None], folded.weight, message)
check.catches(w * s[:, None, None], folded.weight, "scaled along `in`: s belongs to dimension 0")
check.close(folded.weight, w * s[:, None, None, None], "expected: s times the old kernel")
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
check = Check("fold-norm")
conv, norm = pair(nn.Conv2d(4, 4, 3, padding=2, dilation=2))
folded, x = check.call(fold, conv, norm), torch.randn(2, 4, 6, 7)
b, beta, mu = conv.bias.detach(), norm.bias.detach(), norm.running_mean
gamma, root = norm.weight.detach(), (norm.running_var + norm.eps).sqrt()
s = gamma / root
check.kind(folded.bias, torch.Tensor, what="the bias")
for wrong, message in (
    (b, "the bias is still the old one"),
    ((b + mu) * s + beta, "the mean has the wrong sign"),
    (b + beta - mu * s, "the old bias is normalised, too: scale it"),
    (b - mu + beta, "the old bias and the mean are scaled by s"),
    (beta - mu * s, "the old bias is lost"),
    (b * s + beta, "the mean is not taken away"),
    ((b - mu) * s, "β is missing"),
    ((b - mu + beta) * s, "β is added last: it is not scaled"),
    ((b - mu) / root + beta, "γ is missing in the bias: it gets the same scale as the kernel"),
    ((b - mu) * gamma / norm.running_var.sqrt() + beta, "ε is missing in the bias's scale"),
    ((b - mu) * gamma / root**2 + beta, "the bias is divided by the variance, not by its root"),
):
    check.catches(wrong, folded.bias, message)
check.close(folded.bias, (b - mu) * s + beta, "sort the terms that do not contain x into the bias")
for other in (conv, nn.Conv2d(4, 4, 3, stride=2, groups=2), nn.Conv2d(4, 4, 1)):
    conv, norm = pair(other)
    got, expected = check.call(check.call(fold, conv, norm), x), norm(conv(x))
    check.close(got, expected, f"expected: what norm(conv(x)) gives, for {conv}", 1e-3, 1e-3)
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
# The report's encoder is as plain as U-Net's: three stages of two blocks, with max-pooling after each stage. You wrote one much like it in lesson 02, so
# this one is given. It hands out the features of *every* stage; the decoder will want the first.


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


# %% [markdown]
# <dfn title="output stride">Output stride</dfn> is the side of the image divided by the side of the deepest map: 8 here, 16 for lesson 02's U-Net. How far does one
# value of the deepest map see? A layer $l$ of span $n_l$ widens the view by $n_l - 1$ steps, and a step is as many pixels long as the strides $t_j$ of all
# layers before it, multiplied:
#
# $$ 1 + \sum_l (n_l - 1) \prod_{j<l} t_j $$


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

# %% [markdown]
# With one dilated layer, at rate 18, the shallower network sees more than twice as far as U-Net's bottleneck, on a map with four times as many pixels.
#
# The swap of stride for rate is exact. Drop a stride of 2 and double the rate of what follows: the same weights now give the same values, and
# three new ones beside each.

# %%
torch.manual_seed(0)
x, weight = torch.randn(1, 4, 16, 16), torch.randn(4, 4, 3, 3)
coarse = F.conv2d(x[..., ::2, ::2], weight, padding=1)  # every second pixel, then convolve
dense = F.conv2d(x, weight, padding=2, dilation=2)  # all pixels, taps twice as far apart
print("coarse:", tuple(coarse.shape[-2:]), " dense:", tuple(dense.shape[-2:]))
print("equal where both are:", torch.allclose(dense[..., ::2, ::2], coarse, atol=1e-5))

# %% [markdown]
# The paper does this to its encoders: a ResNet or an Xception of stride 32 loses its last strides and gets dilated convolutions in their place, for
# an output stride of 16 (or 8: better, and much slower, since each halving of the stride means four times as many pixels). The report's encoder is
# *not* dilated. Its stride is 8 because it has only three stages.
#
# ## Exercise 3: the branch that sees everything
#
# Far taps fall off the map, as you measured. So one branch of the pyramid does not convolve at all: it takes the **mean over the whole
# map** of each channel, mixes the 256 means by a 1×1 block, and lays the result out at every pixel again. Each pixel is told what the
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
check = Check("aspp-pooling")
check.crashes(RuntimeError, r"size: \[3, 6\]", "keep height and width, of 1 each: `keepdim=True`")
check.crashes(RuntimeError, "to have 6 channels", "the mean goes over H and W, not over channels")
check.crashes(RuntimeError, "expand", "`.expand(-1, -1, *x.shape[-2:])`: -1 is a size that stays")
torch.manual_seed(0)
pooling, other = check.build(ASPPPooling, (6, 40), {"in_channels": 9, "out_channels": 5})
keys = [f"project.{key}" for key in conv_bn_relu(1, 1).state_dict()]
for made, a, b in ((pooling, 6, 40), (other, 9, 5)):
    check.equal([*made.state_dict()], keys, "name the block self.project: it is conv_bn_relu alone")
    parts = [str(part).replace("inplace=True", "") for part in (made.project, conv_bn_relu(a, b))]
    check.equal(*parts, "project is conv_bn_relu, 1×1, in → out, as it is")
x = torch.randn(3, 6, 5, 7) + torch.randn(3, 6, 1, 1)
got = check.call(pooling.eval(), x)
check.shape(got, (3, 40, 5, 7), "lay the result out again: out_channels, at the size of x")
means = x.mean((2, 3), keepdim=True)
check.close(got.amax((2, 3)), got.amin((2, 3)), "it differs from pixel to pixel: mean over H and W")
for wrong, message in (
    (pooling.project(x).mean((2, 3), keepdim=True), "the block comes before the mean: mean first"),
    (pooling.project(x.amax((2, 3), keepdim=True)), "this is the largest value, not the mean"),
    (pooling.project(x.sum((2, 3), keepdim=True)), "this is the sum, which depends on the size"),
    (pooling.project(means.mean(0, keepdim=True)), "images are mixed: a mean for each of them"),
):
    check.catches(wrong.expand(3, -1, 5, 7), got, message)
check.close(got, pooling.project(means).expand(3, -1, 5, 7), "expected: mean, block, lay out")
low = check.call(other.eval(), x.new_ones(2, 9, 1, 4)).shape
check.equal(low, (2, 5, 1, 4), "lay out at the height and width of x, whatever they are")
check.that(got.requires_grad, "what comes out has no gradient: detach nothing")
check.call(pooling, x.requires_grad_()).sum().backward()
check.that(x.grad is not None and x.grad.any(), "no gradient reaches the features: detach nothing")
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
# In this branch a channel has *one* value for each image, so batch normalisation works with $B$ values. The report trains with $B = 2$. Take
# two numbers, subtract their mean, divide by their standard deviation: what can come out? We look at the values just behind the normalisation, for weak
# and for strong features.

# %%
torch.manual_seed(0)
pooling, heard = ASPPPooling(256, 128).train(), []
pooling.project[1].register_forward_hook(lambda _part, _in, out: heard.append(out.detach().clone()))
for strength in (10, 100, 1000):
    pooling(strength * torch.randn(2, 256, 6, 6))
    first, second = heard.pop()[:, :, 0, 0]
    sign = bool(((first.abs() - 1).abs() < 0.05).float().mean() > 0.9)
    print(f"features × {strength:4}: nearly all values are +1 or −1: {sign};",
          "the images are opposites:", torch.allclose(first, -second, atol=1e-4))  # fmt: skip
try:
    pooling(torch.randn(1, 256, 6, 6))
except ValueError:
    print("and a batch of one image is refused")

# %% [markdown]
# The two values $a$ and $b$ of a channel have the mean $(a+b)/2$ and the standard deviation $|a-b|/2$. So the first becomes
#
# $$ \frac{a - (a+b)/2}{|a-b|/2} = \frac{a-b}{|a-b|} = \pm 1 $$
#
# and the second its opposite. For each channel the branch says *which of the two images has more of it*, and not a word about how much. (Only where the two
# are closer than about a hundredth does ε soften the step.) What an image is told depends on its neighbour.
#
# This is not a matter of fresh weights: in a network that we had trained on the quick tier, 98 % of the values were within 0.05 of ±1 for pairs of faces.
# And in evaluation, where running statistics take over, the layers behind this branch receive values that they never met in training.
#
# With one image the mean is the value itself and the variance is 0; PyTorch refuses, rightly. `coursekit`'s model changes nothing about either case. Its
# docstring asks for two images or more while training, and `fit` leaves out an incomplete last batch, so that no image is ever left over alone.
#
# The trap of two remains in the report's settings. Cures are a larger batch (we train with 4 on the quick tier), statistics shared
# by several GPUs, another normalisation whose statistics come from one image at a time, or none in this branch.
#
# ## Exercise 4: the pyramid
#
# <dfn>ASPP</dfn>, atrous spatial pyramid pooling, puts views of different reach side by side: a 1×1 block, a 3×3 block for each rate, and the pooling branch.
# Each gives 128 channels. They are concatenated (5 · 128 = 640) and a last 1×1 block mixes them down to 128.
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
check = Check("aspp")
report = {"in_channels": 256, "width": 128, "rates": (6, 12, 18)}
pyramid, full = check.build(ASPP, (6, 5, (2, 3)), report)
for name in ("branches", "project"):
    part = getattr(pyramid, name, None)
    check.that(part is not None, f"there is no self.{name}")
    plain = f"self.{name} is a plain list, which hides its parameters: nn.ModuleList"
    check.that(isinstance(part, nn.Module), plain)
kinds = [type(part).__name__ for part in pyramid.branches.children()]
check.that("ASPPPooling" in kinds, "the branch that sees everything is missing")
check.that(len(kinds) != 5, "five branches for two rates: use the argument, not 6, 12, 18")
check.that(len(kinds) != 3, "the 1×1 block is missing: pixels that look at themselves alone")
check.equal(kinds.index("ASPPPooling"), len(kinds) - 1, "the pooling branch is the last one")
convs = [part for part in pyramid.branches.modules() if isinstance(part, nn.Conv2d)][:-1]
kernels, found = [part.kernel_size for part in convs], [part.dilation[0] for part in convs[1:]]
check.equal(kernels, [(1, 1), (3, 3), (3, 3)], "before it: a 1×1 block, then 3×3 blocks")
check.equal(found, [2, 3], "the rates of the branches are not those of the argument, in its order")
shapes = {key: tuple(value.shape) for key, value in pyramid.state_dict().items()}
_, takes, *side = shapes.get("project.0.weight", (0, 0))
check.catches(5, takes, "project gets one branch's channels: are they added? Concatenate them")
check.catches(25, takes, "project expects five branches, for any number of rates")
check.that(takes in (0, 20), f"project gets {takes} channels, expected: those of all branches, 20")
check.that(side in ([], [1, 1]), "project is a 1×1 block, as is the first branch")
tiny = {"stages": ((1, 1), (1, 1), (1, 6)), "aspp": 5, "rates": (2, 3)}
theirs = create_model("deeplabv3plus", **tiny).aspp.state_dict()
named = {key: tuple(value.shape) for key, value in theirs.items()}
other = sorted(key for key in {*shapes, *named} if shapes.get(key) != named.get(key))
check.that(not other, f"names or channels are not the table's: {', '.join(other[:3])}")
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
check = Check("aspp")
for kind, cause, message in (
    (RuntimeError, "to have 20 channels", "concatenate the branches, along channels: dim=1"),
    (RuntimeError, "to have 6 channels", "all branches read the same x, not what one of them gave"),
    (RuntimeError, "Sizes of tensors must match", "concatenate along channels, dim=1"),
):
    check.crashes(kind, cause, message)
torch.manual_seed(0)
pyramid, x = ASPP(6, 5, (2, 3)).eval(), torch.randn(2, 6, 9, 8)
check.that(hasattr(pyramid, "branches"), "self.branches is missing: see the check above")
got = check.call(pyramid, x)
check.kind(got, torch.Tensor)
check.shape(got, (2, 5, 9, 8), "width channels should come out, at the size that came in")
views = [branch(x) for branch in pyramid.branches]
turned = pyramid.project(torch.cat(views[::-1], 1))
check.catches(turned, got, "the branches are concatenated in another order than they stand")
expected = pyramid.project(torch.cat(views, 1))
check.close(got, expected, "expected: all branches of x, side by side, mixed by project")
tiny = {"stages": ((1, 1), (1, 1), (1, 6)), "aspp": 5, "rates": (2, 3)}
twin = create_model("deeplabv3plus", **tiny).aspp.train()
twin.load_state_dict(pyramid.state_dict())
message = "another output than the course's, in training: is each part as its class makes it?"
check.close(check.call(pyramid.train(), x), twin(x), message, atol=1e-4)
check.that(got.requires_grad, "what comes out has no gradient: detach nothing")
got.sum().backward()
for name, weight in pyramid.named_parameters():
    check.that(weight.grad is not None, f"no gradient reaches {name}: detach nothing")
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

# %% [markdown]
# What does each branch see? Take the pixel in the middle of its output (a random mixture of its channels) and ask how it would change if a pixel of the image changed: that is the **gradient**
# with respect to the image. Here is its size for an image of 320² and the paper's rates, with fresh weights. The colours are logarithmic, from dark blue to yellow; white is exactly 0.


# %%
def sight(value: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Size of the gradient of the middle of a map with respect to each pixel; the largest is 1."""
    side = value.shape[-1] // 2
    mix = torch.randn(value.shape[1], generator=torch.Generator().manual_seed(0))
    (slope,) = torch.autograd.grad(value[0, :, side, side] @ mix, image, retain_graph=True)
    size = slope[0].abs().sum(0)
    return size / size.max()


torch.manual_seed(0)
image = torch.randn(1, 3, 320, 320, requires_grad=True)
eyes, pyramid = Encoder(3, ((32, 64), (64, 128), (192, 256))).eval(), ASPP(256, 128, (6, 12, 18))
features = eyes(image)[-1]  # (1, 256, 40, 40)
figure, axes = plt.subplots(1, 5, figsize=(9, 2.1), layout="constrained")
names = ("1×1", "rate 6", "rate 12", "rate 18", "image pooling")
for panel, name, branch in zip(axes, names, pyramid.eval().branches, strict=True):
    seen = sight(branch(features), image)
    panel.imshow(seen.where(seen > 0, torch.nan).log10().numpy(), cmap="viridis", vmin=-4, vmax=0)
    panel.set_title(name, fontsize=9)
    panel.set(xticks=[], yticks=[])
plots.described(figure, "What each branch sees of an image: a spot in the middle, nine spots that "
                "lie farther apart with the rate, all of it.")  # fmt: skip

# %% [markdown]
# Each square is a tap, 36 pixels wide because that is what the encoder sees. The taps lie 48, 96 and 144 pixels apart: even at rate 6 there are holes of 12 pixels between the squares. Some of what falls
# through one branch is caught by another. The last branch sees every pixel and cannot tell one place from another.
#
# ## Exercise 5: the decoder
#
# The pyramid's map has an eighth of the image's height and width. DeepLabV3 enlarged its scores straight from there; the **plus** is a small decoder with one skip.
#
# 1. Enlarge the pyramid's map to the size of the *first* stage's features, **bilinearly**: nothing to learn.
# 2. **Thin the skip**: a 1×1 convolution with batch normalisation (no ReLU in the report's) takes the first stage's 64 channels to 32.
# 3. Concatenate, the deep map first, refine with two 3×3 blocks, score each class by a 1×1 convolution.
#
# Why thin it? In the paper the shallow features have 256 channels, as many as the deep ones, and so many raw edges and colours could drown what the deep map
# knows. The authors found 32 or 48 channels to be best.
#
# In the report's slim network 64 channels would be the minority beside 128 anyhow. Here the gain is mostly work: 32 channels fewer save 18,432 weights
# in the first 3×3 block, each of them used at a quarter of the image's pixels.
#
# The parts are given; write `forward`.


# %%
class DecoderParts(nn.Module):
    """What the decoder is made of."""

    def __init__(
        self, shallow: int, low_level: int, deep: int, width: int, num_classes: int
    ) -> None:
        super().__init__()
        self.low_level = nn.Sequential(nn.Conv2d(shallow, low_level, 1), nn.BatchNorm2d(low_level))
        self.refine = nn.Sequential(
            conv_bn_relu(low_level + deep, width, 3), conv_bn_relu(width, width, 3)
        )
        self.head = nn.Conv2d(width, num_classes, 1)


# %% tags=["folded"]
plots.diagram(
    """
    (deep: 128 × 64²) | (shallow: 64 × 256²)
    enlarge: 128 × 256² | low_level
    concatenate: 160 × 256²
    refine
    head
    """,
    shapes=plots.shapes(finished.decoder, (128, 64, 64), (64, 256, 256)),
)


# %% [markdown]
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
check = Check("deeplab-decoder")
check.crashes(RuntimeError, "except in dimension 1", "enlarge deep to the size of shallow")
check.crashes(RuntimeError, "except in dim|to have 8.* got [24]", "concatenate channels: dim=1")
check.crashes(RuntimeError, "to have 8 channels, but got 9", "thin the skip first: self.low_level")
check.crashes(RuntimeError, "to have 6 channels", "head comes last, behind refine")
torch.manual_seed(0)
decoder = Decoder(5, 4, 4, 6, 3).eval()
deep, shallow = torch.randn(2, 4, 3, 5), torch.randn(2, 5, 13, 22)
got = check.call(decoder, deep, shallow)
check.kind(got, torch.Tensor)
check.shape(got, (2, 3, 13, 22), "a score for each class; enlarge the deep map to the shallow's")
check.that(got.requires_grad, "what comes out has no gradient: detach nothing")
thin, size = decoder.low_level(shallow), shallow.shape[-2:]
large = F.interpolate(deep, size, mode="bilinear")
corners = F.interpolate(deep, size, mode="bilinear", align_corners=True)
for left, right, message in (
    (thin, large, "the skip stands in front: the weights count on the deep map there"),
    (F.interpolate(deep, size), thin, "enlarged in blocks (nearest): make it bilinear"),
    (corners, thin, "align_corners shifts the map: leave it at its default"),
    (large, thin.relu(), "there is no ReLU after the thinned skip"),
):
    refined = decoder.refine(torch.cat([left, right], 1))
    check.catches(decoder.head(refined), got, message)
expected = decoder.head(decoder.refine(torch.cat([large, thin], 1)))
check.catches(expected.softmax(1), got, "these are probabilities: return logits")
check.close(got, expected, "expected: enlarge, thin, concatenate, refine, score")
again = check.call(decoder, deep.requires_grad_(), shallow.requires_grad_()).sum()
slopes = torch.autograd.grad(again, (deep, shallow), allow_unused=True)
check.that(None not in slopes, "no gradient reaches one of the two maps: detach nothing")
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
# from 19 to 19 channels, 2×2, stride 2, as in U-Net's way up. It can draw a sharper edge than a bilinear blend, and it has a vice of its own. Give it a constant map:

# %%
torch.manual_seed(0)
up = nn.ConvTranspose2d(19, 19, 2, stride=2)
constant = torch.ones(1, 19, 8, 8)
with torch.no_grad():
    learnt, smooth = up(constant)[0, 0], F.interpolate(constant, scale_factor=2, mode="bilinear")
corner = learnt[:2, :2]
print("bilinear, fresh and for ever: constant:", bool((smooth - 1).abs().max() < 1e-6))
print("learnt, fresh: constant:", bool((learnt - learnt[0, 0]).abs().max() < 1e-6))
print("it repeats a pattern of 2×2:", torch.allclose(learnt, corner.repeat(8, 8)))
print("parameters:", f"{count_parameters(up):,}")

# %% [markdown]
# Each corner of a 2×2 patch has weights of its own, and nothing but training makes them agree. This is how **checkerboards** arise, even where
# kernel and stride fit and patches do not overlap. (Where the kernel is no multiple of the stride, the uneven overlap adds to it.)
#
# Put it together. The parts are written; go through them: features of every stage, pyramid on the **last**, decoder with
# the **first**, the learnt doubling. Where the image's height or width is odd the result is one pixel short: `fit_to` of lesson 02 mends that.


# %%
def fit_to(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Pad x at the bottom and right, by repeating its edge, to the height and width of `like`."""
    pad_y, pad_x = like.shape[-2] - x.shape[-2], like.shape[-1] - x.shape[-1]
    return F.pad(x, (0, pad_x, 0, pad_y), mode="replicate") if pad_y or pad_x else x


# %% [markdown]
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
check = Check("deeplabv3plus")
check.crashes(RuntimeError, "to have 256 channels", "the last of the features goes to aspp")
check.crashes(RuntimeError, "to have 160 channels", "the decoder gets what comes out of aspp")
check.crashes(RuntimeError, "to have 64 channels", "the decoder gets deep, then the first features")
check.crashes((TypeError, AttributeError), "list", "the encoder gives a list: a map of each stage")
torch.manual_seed(0)
mine, image = DeepLabV3Plus(), torch.randn(2, 3, 43, 48)
with torch.no_grad():
    for weight in mine.parameters():
        weight += 0.01 * torch.randn(weight.shape)  # nothing is exactly 0 or 1
    got = check.call(mine.eval(), image)
check.catches((2, 19, 21, 24), np.shape(got), "half the size: the last doubling is missing")
check.catches((2, 19, 42, 48), np.shape(got), "a pixel short: fit_to, for an image of odd size")
check.shape(got, (2, 19, 43, 48), "one score for each class and pixel, at the image's size")
twin = create_model("deeplabv3plus")
twin.load_state_dict(mine.state_dict())
with torch.no_grad():
    expected, features = twin.eval()(image), twin.encoder(image)
    half = twin.decoder(twin.aspp(features[-1]), features[0])
    smooth, short = F.interpolate(half, image.shape[-2:], mode="bilinear"), twin.up(half)
for wrong, message in (
    (smooth, "enlarged bilinearly: the report learns this step, in self.up"),
    (F.interpolate(short, image.shape[-2:], mode="bilinear"), "stretched at the end: use fit_to"),
    (F.pad(short, (0, 0, 0, 1)), "the missing row is filled with zeros: fit_to repeats the edge"),
    (expected.softmax(1), "these are probabilities: return logits, the loss applies the softmax"),
    (expected.relu(), "a ReLU after the last step cuts negative scores off: leave it out"),
):
    check.catches(wrong, got, message)
check.close(got, expected, "another output than the course's: is every part used once?", rtol=1e-4)
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
check = Check("deeplabv3plus")
torch.manual_seed(0)
small = {"stages": ((6, 8), (8, 12), (12, 16)), "aspp": 8, "rates": (1, 2), "low_level": 4}
mine, other = check.build(DeepLabV3Plus, small, {"num_classes": 7, "decoder": 5, **small})
image, photo = torch.randn(4, 3, 21, 26), torch.randn(2, 3, 24, 16)
twin = create_model("deeplabv3plus", **small)
twin.load_state_dict(mine.state_dict())
got = check.call(mine, image)
check.that(got.requires_grad, "the logits have no gradient: nothing can be learnt from them")
for logits in (got, twin(image)):
    logits.square().mean().backward()
theirs = dict(twin.named_parameters())
unreached = [name for name, weight in mine.named_parameters() if weight.grad is None]
check.that(not unreached, f"no gradient reaches {', '.join(unreached[:3])}: detach nothing")
for name, weight in mine.named_parameters():
    gradient = f"another gradient than in the course's reaches {name}: detach nothing on the way"
    check.close(weight.grad, theirs[name].grad, gradient, atol=1e-4, rtol=1e-3)
few = check.call(other, photo)
check.shape(few, (2, 7, 24, 16), "as many scores as there are classes, and the image's size")
check.equal(count_parameters(DeepLabV3Plus()), 1_964_394, "not the report's parameters")
check.passed("every weight learns (but for those biases)")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-deeplabv3plus-2")


def hidden_quilts(rng: np.random.Generator, number: int) -> dict[str, np.ndarray]:
    """Noisy images of patches in three colours, and the patches' classes."""
    patches = rng.integers(0, 3, (number, 2, 2)).repeat(8, axis=1).repeat(8, axis=2)
    images = colours[patches] + rng.normal(0, 1, (number, 16, 16, 3))
    return {"images": images.transpose(0, 3, 1, 2), "maps": patches}


narrow = {"stages": ((4, 8), (8, 8), (8, 8)), "aspp": 8, "low_level": 4, "decoder": 8}
exact = DeepLabV3Plus(3, (1, 2), **narrow).double()
probe.start(exact, "weights")
photo = torch.from_numpy(probe.given("image", lambda rng: rng.normal(0, 1, (3, 3, 21, 26))))
exact(photo.requires_grad_()).logsumexp(1).mean().mul(50).backward()
probe.emit("input", photo.grad, "the gradient with respect to the image")
slopes = {k: p.grad for k, p in exact.named_parameters() if not k.endswith("0.bias")}
probe.emit("gradients", slopes, "the gradients with respect to the weights")

colours = probe.given("colours", lambda rng: (3 * np.eye(3) - 1)[rng.permutation(3)])
lot = probe.given("lot", lambda rng: hidden_quilts(rng, 16))
unseen = probe.given("unseen", lambda rng: hidden_quilts(rng, 8)["images"])
probe.keep("unseen", lambda rng: hidden_quilts(rng, 8)["maps"])
entered, true = torch.from_numpy(lot["images"]).float(), torch.from_numpy(lot["maps"])
learner = DeepLabV3Plus(3, (1, 2), **narrow)
probe.start(learner, "start")
adam = torch.optim.Adam(learner.parameters(), 0.01)
for step in range(40):
    chosen = slice(step % 2 * 8, step % 2 * 8 + 8)
    adam.zero_grad()
    F.cross_entropy(learner(entered[chosen]), true[chosen]).backward()
    adam.step()
with torch.no_grad():
    called = learner.eval()(torch.from_numpy(unseen).float()).argmax(1)
probe.emit("trained", called, "images that it has not seen, once trained", miou=("unseen", 0.7))
### END HIDDEN TESTS

# %% [markdown]
# Your weights fit the course's network key by key. What it does to an image of this tier:

# %%
plots.shapes(DeepLabV3Plus(rates=SIZES["rates"]), (3, SIZES["size"], SIZES["size"]))

# %% [markdown]
# Where do its parameters sit, and where is its work? We count the multiplications of every convolution for one image of 512², as in lesson 02.


# %%
def giga_multiplications(network: nn.Module) -> dict[str, float]:
    """Multiplications of the convolutions in each part of a network, in 10⁹, for one 512² image."""
    counted = dict.fromkeys((name for name, _ in network.named_children()), 0.0)

    def listen(name: str, part: nn.Module, inputs: tuple, out: torch.Tensor) -> None:
        grid = inputs[0] if isinstance(part, nn.ConvTranspose2d) else out  # where the kernel is put
        counted[name] += 16 * part.weight.numel() * grid.shape[-2] * grid.shape[-1] / 1e9

    for name, child in network.named_children():
        for part in child.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                part.register_forward_hook(partial(listen, name))
    with torch.no_grad():  # on a sixteenth of the pixels, to save time: work grows with the area
        network.eval()(torch.zeros(1, 3, 128, 128))
    return counted


work = giga_multiplications(DeepLabV3Plus())
for name, part in DeepLabV3Plus().named_children():
    share = count_parameters(part) / 1_964_394
    print(f"{name:<8}{count_parameters(part):>10,} parameters ({share:4.0%})"
          f"{work[name]:>7.1f} · 10⁹ ({work[name] / sum(work.values()):4.0%})")  # fmt: skip
unet = sum(giga_multiplications(create_model("unet")).values())
print(f"together {sum(work.values()):.1f} · 10⁹; U-Net of lesson 02: {unet:.1f} · 10⁹")

# %% [markdown]
# The pyramid has half of the parameters and a ninth of the work, because its map is small. The encoder does two thirds of the work (nearly half of it
# in its third stage, whose many channels meet a map of a quarter of the side) and the decoder, at half the side, a quarter.
# With as many parameters as U-Net, the network multiplies three times as often; the report's epochs took 328 s against 228 s.
#
# A narrower pyramid is the cheap way to save parameters: `aspp=112` fits below the 2025 edition's limit of 1,821,085.

# %%
print(f"{count_parameters(DeepLabV3Plus(aspp=112)):,}")

# %% [markdown]
# How far do both networks see? Here is the gradient of the scores of the pixel in the middle (fresh weights, the paper's rates and 320² again).

# %%
torch.manual_seed(0)
image = torch.randn(1, 3, 320, 320, requires_grad=True)
figure, axes = plt.subplots(1, 2, figsize=(5.6, 2.8), layout="constrained")
networks = {"U-Net": create_model("unet"), "DeepLabV3+": DeepLabV3Plus()}
for panel, (name, network) in zip(axes, networks.items(), strict=True):
    seen = sight(network.eval()(image), image)
    drawn = panel.imshow(
        seen.where(seen > 0, torch.nan).log10().numpy(), cmap="viridis", vmin=-8, vmax=0
    )  # each colour step of 1 is a factor of 10
    panel.set_title(name, fontsize=9)
    panel.set(xticks=[], yticks=[])
figure.colorbar(drawn, ax=axes, shrink=0.8, label="log₁₀ of the gradient")
plots.described(figure, "U-Net's pixel hears a square in the middle, least at its border; "
                "DeepLabV3+'s hears all of the image, most in spots around the middle.")  # fmt: skip

# %% [markdown]
# U-Net's square is what its bottleneck sees, 140 pixels, and what the way up adds to it; beyond that it is blind. In DeepLabV3+ you recognise every part: the bright spot in the middle is the skip, the
# tiles are the taps of three rates, and the even ground is image pooling, which reaches every corner.
#
# Mind the scale: a tile counts thousands of times less than the spot in the middle, and the ground less again. *Can see* is not *does look*. What a network really uses,
# its **effective** receptive field, is up to training, and is usually much smaller than what the arithmetic allows.
#
# ## Training
#
# As in lesson 02: Adam, then SGD, the weighted cross-entropy, the augmentation. One setting differs, as in the code behind the report: in the SGD phases the $T$ of the cosine is 25 epochs, not 50.

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
    progress=False,
)  # fmt: skip
history = result.history
print("the first epoch's loss is below log 19:", history[0]["train_loss"] < np.log(19))
print("the loss fell by more than half:", history[-1]["train_loss"] < history[0]["train_loss"] / 2)

# %% tags=["slow"]
plots.convergence(history)

# %% [markdown]
# If the validation curve jumps where the training curve is smooth, remember that the two are computed differently: training uses the statistics of each batch, validation the running averages, which lag behind
# when the weights move fast. The smaller the steps, the less this matters.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit import metrics
from coursekit.checkpoint import ModelInfo
from coursekit.training import evaluate

white = result.whitening
config = {"num_classes": LABELS.num_classes, "rates": list(SIZES["rates"])}
info = ModelInfo("deeplabv3plus", config, LABELS.key, SIZES["size"], white.mean, white.std)
model.cpu().eval()
pooled = evaluate(model, val, info, progress=False)
print(f"mean IoU:             {100 * pooled.mean_iou:5.1f} %")
print(f"pixels called rightly: {100 * metrics.pixel_accuracy(pooled.matrix):4.1f} %")

# %% tags=["slow"]
scores = pooled.summary()["per_class"]
plots.class_scores({name: row and row["iou"] for name, row in scores.items()}, LABELS)

# %% [markdown]
# ## What was learnt, in a picture
#
# Two experiments on the trained network. First we silence the thin skip (zeros in its place), then the whole pyramid.

# %% tags=["slow"]
from coursekit.inference import predict_label_map


def silenced(part: nn.Module, image: np.ndarray) -> np.ndarray:
    """What the network predicts when this part of it gives zeros."""
    hook = part.register_forward_hook(lambda _part, _in, out: torch.zeros_like(out))
    predicted = predict_label_map(model, image, info)
    hook.remove()
    return predicted


rows = []
for sample in val[:4]:
    row = {"image": sample.image, "truth": sample.label_map}
    row["prediction"] = predict_label_map(model, sample.image, info)
    row["skip silenced"] = silenced(model.decoder.low_level, sample.image)
    row["pyramid silenced"] = silenced(model.aspp, sample.image)
    rows.append(row)
plots.panels(rows, LABELS)

# %% [markdown]
# Without the skip the face is there, smooth, in the right place, and its small parts are mostly gone: *what*, and only roughly *where*. Without the pyramid the edges are there, and the network no longer knows what
# they belong to. Even after so little training the division of labour is plain to see.
#
# Look closely at the outlines in the third and fourth columns. Where they have teeth one pixel wide, the four corners of the learnt doubling do not agree yet.
#
# Which branch of the pyramid does the work? Silence one at a time.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
names = ("1×1", *(f"rate {rate}" for rate in SIZES["rates"]), "image pooling")
print(f"{'all branches':<14}{100 * pooled.mean_iou:6.1f} %")
missed = {}  # points of mean IoU that are lost without it
for name, branch in zip(names, model.aspp.branches, strict=True):
    hook = branch.register_forward_hook(lambda _part, _in, out: torch.zeros_like(out))
    score = evaluate(model, val, info, progress=False).mean_iou
    hook.remove()
    missed[name] = 100 * (pooled.mean_iou - score)
    print(f"without {name:<14}{100 * score:6.1f} %")
most = max(missed, key=missed.get)
print(f"missed most: {most}, by {missed[most]:.1f} points;", end=" ")
print(f"image pooling is missed by {missed['image pooling']:.1f}")

# %% [markdown]
# The last line says what **image pooling** is worth in your run. (On our test machine, with 128 faces and ten epochs, silencing a dilated branch cost 3 points or more, and silencing image pooling half a point.) That is no law: our rendered faces are all cropped alike, and the mean over the image may simply have little to
# tell. Nor does it prove that the branch is useless: a network *trained* without it would have arranged itself otherwise. It is a reason to measure a part before you believe in it
# because it is in the paper.
#
# Now your `fold`, on the whole trained network: every convolution swallows the normalisation behind it.

# %% tags=["slow"]
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
# Two parameters for each of 1,664 channels are gone, and the logits are the same. On our test machine the folded network needed 10 to 20 % less time for an image of 512², on one CPU thread. Fold only when training is over: the folded network
# computes the same, but without normalisation it does not train the same.
#
# ## The paper says, we measured
#
# The report gives two validation scores for this network: **67.22 %** in its Table 1 and **67.72 %** in its text. One of them must be a slip; from outside nobody can say which. The author had
# hoped for more, and suspects the limit of two million parameters, which leaves room for a small encoder only.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

Markdown(f"""
| | the report | here, {TIER} tier |
|---|---|---|
| data | 5,000 photos, 512² | {len(train):,} {"photos" if DATA else "rendered faces"}, {SIZES["size"]}² |
| parameters | 1,964,394 | {count_parameters(model):,} |
| rates, on a map of | 6, 12, 18, on 64² | {", ".join(map(str, SIZES["rates"]))}, on {SIZES["size"] // 8}² |
| batch | 2 | {SIZES["batch"]} |
| best epoch, of | not given | {result.best_epoch + 1} of {len(history)} |
| validation mean IoU | 67.22 % (table), 67.72 % (text) | {100 * pooled.mean_iou:.1f} % |
| test mean IoU | 53.30 % | no test set |
| seconds an epoch | 328, on one GPU | {np.mean([h["seconds"] for h in history]):.1f}, on {"a GPU" if torch.cuda.is_available() else "CPU cores"} |
""")

# %% [markdown]
# **These columns are not a race**: photographs and hours on the left, drawn faces and a minute on the right.
#
# What the report's network takes from the paper, and what it does not:
#
# | | paper (Chen et al., 2018) | report, and here |
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
#
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
theirs = sum(giga_multiplications(library).values())
print(
    f"multiplications at 512²: ours {sum(work.values()):.0f} · 10⁹, smp's below 4 · 10⁹: {theirs < 4}"
)

# %% [markdown]
# As many parameters as ours, and a fifteenth of the multiplications; on one CPU thread of our test machine it needed a tenth of our time for an image of 512². Three reasons:
#
# - Its pyramid works on a map of 32², not 64².
# - Its convolutions are depthwise separable nearly everywhere, the three rates and the decoder included: each channel is convolved by itself, then a 1×1 convolution mixes them. Lesson 04 shows why that is cheap.
# - Its decoder works at a quarter of the image's side, ours at half. This is also what it gives up: an eyelid thinner than four pixels must be guessed by a bilinear blend.
#
# Two smaller differences: it has dropout of 0.5 behind the pyramid, and a ReLU after the thinned skip.
#
# | prefer | when |
# |---|---|
# | `smp.DeepLabV3Plus` | you want a pretrained encoder, or the paper's recipe (dilated encoder, separable convolutions, bilinear end) as it is |
# | your own | you must know every parameter, change stride, rates or skip, or want the last doubling learnt |
#
# Look at its defaults before you use it: rates of 12, 24 and 36 at an output stride of 16, where the paper has 6, 12 and 18. On a map of 32² (a 512² image) the largest keeps one tap of nine, since 36 pixels from anywhere lies off the map.
#
# ## What to try next
#
# - **The paper's rates on the quick tier.** `rates=(6, 12, 18)` and nothing else changed: what do 786,432 dead weights cost? Train each twice, with different seeds, before you believe a difference.
# - **A batch of 2** on the quick tier, with and without the pooling branch's normalisation (put `nn.Identity()` in its place).
# - **No bias**, and the 1,664 parameters spent elsewhere.
# - **A gentle start for `up`.** Fill its weight so that it repeats each pixel four times, and train again. Do the first epochs look smoother?
# - **A thick skip.** `low_level=64`: does the decoder get better or worse?
#
# **Lesson 04** turns to a network that was built for speed: three fifths of the parameters, a fraction of the work, and, in the report, a better score than U-Net's or this one's.

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
