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
# # 2 · U-Net, built by hand
#
# You write a whole segmentation network, train it, score it and pack what it predicts into a
# zip that the competition would accept. Nothing in it is hidden from you: the network is forty lines.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 104 rendered faces, 48² | CelebAMask-HQ, for example the course's 5,000 photos, 512² |
# | computing | {{computing}} | up to 8 hours on one GPU (120 epochs of the report's 228 s) (estimated) |
# | memory | {{memory}} | about 1 GB of GPU memory (estimated) |
#
# **You will be able to**
# - say why a segmentation network needs both a deep, coarse view and a shallow, fine one;
# - write an encoder and a decoder with skips, and predict their parameters with a pencil;
# - write the weighted cross-entropy that the course trains with, and the mean IoU that it scores with;
# - read a convergence plot, and be suspicious of a score.
#
# **Before this** comes lesson 01 (label maps, class counts, class weights). You need to have seen
# `torch.nn.Module` and a convolution before; nothing else.
#
# {{links}}
#
# {{papers}}

# %%
import tempfile
from functools import partial
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt  # once it is loaded, Jupyter shows figures
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from coursekit import count_parameters, create_model, plots, tier
from coursekit.checks import Check
from coursekit.data import SynthDataset, open_dataset

# %% [markdown]
# Each size is given for both tiers: first the quick one, then the full one, which `COURSEKIT_TIER=full`
# chooses. `COURSEKIT_DATA` names the folder of real data. Every cell below runs as it stands with either.

# %%
TIER, DATA, SIZES = tier.choose(
    train=(104, 5000),
    val=(24, 1000),
    size=(48, 512),
    epochs=(6, 120),
    batch=(4, 2),
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
# ## The idea: *what* and *where*
#
# To call a pixel "left eyebrow" a network must answer two questions.
#
# - **What is it?** An eyebrow is a dark stroke *above an eye*, and it is the left one because the
#   nose lies on its other side. To know this, the network must see a large part of the face at
#   once. Pooling does that cheaply: halve the image four times, and a 3×3 convolution sees 16 times
#   as far.
# - **Where does it end?** An eyebrow is a few pixels thick. After four halvings a 512² image is
#   32², and the brow is gone.
#
# A classifier asks only the first question, so it may throw the second answer away. U-Net
# (Ronneberger, Fischer and Brox, 2015) keeps both. Its <dfn>encoder</dfn> goes down, gaining sight
# and losing place. Its <dfn>decoder</dfn> goes up again, and at each level it is handed the encoder's map
# of that same level: the <dfn>skip</dfn>. The decoder decides *what* from below and *where* from
# the side.
#
# The course's report uses a slim version: widths 16, 32, 64, 128, and 256 at the bottom. The limit
# of the competition is 2,000,000 parameters; this network has **1,941,411**. Yours will have exactly as many,
# or something in it is different. Here it is for an image of 512², with your classes' names, and the shape that each part gives:

# %% tags=["folded"]
finished = create_model("unet")  # the course's own
U = """
(input)    | head
down.0     | up.3
down.1     | up.2
down.2     | up.1
down.3     | up.0
bottleneck
"""
FLOWS = """input > down.0 > down.1 > down.2 > down.3 > bottleneck > up.0 > up.1 > up.2 > up.3 > head,
down.0 > up.3, down.1 > up.2, down.2 > up.1, down.3 > up.0"""
plots.diagram(U, FLOWS, shapes=plots.shapes(finished, (3, 512, 512)))

# %% [markdown]
# Each arrow down passes a 2×2 pooling; each arrow across is a skip.
#
# ## Exercise 1: the double convolution
#
# Every level of the network does the same thing twice: a 3×3 convolution, then ReLU. Two 3×3
# convolutions in a row see 5×5 pixels, with 18 weights where one 5×5 convolution needs 25, and with a non-linearity, the ReLU,
# in between.
#
# Padding by 1 keeps the size, so that the logits come out as large as the image. (The paper of 2015
# did not pad; its output was smaller than its input.) The convolutions have a bias, and there is **no** normalisation: the report's U-Net has none.
#
# `nn.Sequential` numbers its parts 0, 1, 2, 3. Those numbers become names in the
# `state_dict`: keep the order convolution, ReLU, convolution, ReLU.
#
# <details><summary>Hint 1</summary>
#
# Your class *is* an `nn.Sequential`: hand the four parts to `super().__init__(…)`. There is no `forward` to write.
# </details>
# <details><summary>Hint 2</summary>
#
# The first convolution changes the number of channels, the second does not: `in → out`, then
# `out → out`. Both need `padding=1`.
# </details>
# <details><summary>Hint 3</summary>
#
# `nn.Conv2d(in_channels, out_channels, 3, padding=1)`, `nn.ReLU(inplace=True)`, and the same two
# again with `out_channels` on both sides.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.unet import DoubleConv` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram("(input)\n0\n1\n2\n3", shapes=plots.shapes(finished.down[1], (16, 256, 256)))


# %% double-conv minutes=10 difficulty="easy"
class DoubleConv(nn.Sequential):
    """Two 3×3 convolutions, each followed by ReLU: (B, in, H, W) → (B, out, H, W)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        ### BEGIN SOLUTION
        super().__init__(
            nn.Conv2d(in_channels, out_channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, padding=1),
            nn.ReLU(inplace=True),
        )
        ### END SOLUTION


# %% check-double-conv points=2
from coursekit.checks.mistakes.unet import misbuilt

check = Check("double-conv")
check.crashes(TypeError, "should return None", "hand the parts to `super().__init__(…)`")
check.crashes(ValueError, "divisible by groups", "set no groups: each kernel sees all channels")
check.crashes(
    TypeError, "kernel_size", "a convolution has a size, and this one padding: 3, padding=1"
)
torch.manual_seed(0)
block, other = check.build(DoubleConv, (3, 8), {"in_channels": 5, "out_channels": 6})
check.that(not (wrong := misbuilt(block)), wrong)
x = 30 * torch.randn(2, 3, 10, 12)
out = check.call(block, x)
check.kind(out, torch.Tensor)
check.shape(out, (2, 8, 10, 12), "8 channels should come out, at the size that went in")
check.that(out.min() >= 0, "some outputs are negative: a ReLU belongs after the second one too")
check.equal(count_parameters(block), 808, "two 3×3 convolutions, in → out and out → out")
check.equal(count_parameters(other), 606, "use in_channels and out_channels, not 3 and 8")
w, b, v, c = block.parameters()
plain = F.conv2d(F.conv2d(x, w, b, padding=1), v, c, padding=1).relu()
check.catches(plain, out, "with no ReLU between them, two convolutions are just one")
names = ["0.weight", "0.bias", "2.weight", "2.bias"]
order = "hand convolution, ReLU, convolution, ReLU to `super().__init__(…)`, which numbers them"
check.equal(list(block.state_dict()), names, order)
right = F.conv2d(F.conv2d(x, w, b, padding=1).relu(), v, c, padding=1).relu()
check.close(out, right, "expected: 3×3, `padding=1` and ReLU, twice, and all else as it comes")
check.passed("size kept, channels changed, two ReLUs")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-double-conv")


def hidden_convs(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights of a double convolution, 4 → 6 channels."""
    w, v = rng.normal(0, 0.2, (6, 4, 3, 3)), rng.normal(0, 0.2, (6, 6, 3, 3))
    b, c = rng.normal(0, 0.2, (2, 6))
    return {"0.weight": w, "0.bias": b, "2.weight": v, "2.bias": c}


loaded = DoubleConv(4, 6).double()  # in double precision a ReLU bends at the same place anywhere
given = probe.given("weights", hidden_convs)
loaded.load_state_dict({key: torch.from_numpy(value) for key, value in given.items()})
entered = torch.from_numpy(probe.given("input", lambda rng: rng.normal(0, 9, (2, 4, 9, 7))))
scale = torch.from_numpy(probe.given("scale", lambda rng: rng.normal(0, 1, (2, 6, 9, 7))))
came_out = loaded(entered.requires_grad_())
probe.emit("output", came_out, "with other weights, on other features")
(came_out * scale).sum().backward()
probe.emit("input gradient", entered.grad, "the gradient with respect to the input")
slopes = {key: parameter.grad for key, parameter in loaded.named_parameters()}
probe.emit("gradients", slopes, "the gradients with respect to the weights")
count = sum(parameter.numel() for parameter in DoubleConv(5, 9).parameters())
probe.emit("count", count, "the number of parameters")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: one step up
#
# A step of the decoder has three parts.
#
# 1. **Double the size** of what comes from below, and halve its channels. A transposed convolution
#    with a 2×2 kernel and stride 2 does it: every pixel becomes a 2×2 patch of its own, and the
#    patch is learnt.
# 2. **Lay the skip beside it**: concatenate along the channels, the skip first. Now each pixel knows what the
#    deep layers think and what the shallow layers saw.
# 3. **Mix** the two with a double convolution.
#
# One nuisance: pooling rounds an odd size down (25 → 12), and doubling gives 24, a pixel short of
# the skip. `fit_to` repeats the last row and column until it fits.


# %%
def fit_to(x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
    """Pad x at the bottom and right, by repeating its edge, to the height and width of skip."""
    pad_y, pad_x = skip.shape[-2] - x.shape[-2], skip.shape[-1] - x.shape[-1]
    return F.pad(x, (0, pad_x, 0, pad_y), mode="replicate") if pad_y or pad_x else x


plots.diagram(
    """
    (x: from below: 32 × 256²) | (skip: from the side: 16 × 512²)
    up: ConvTranspose2d: 16 × 512² |
    fit_to: 16 × 512² |
    concatenate: 32 × 512², the skip first
    conv: DoubleConv: 16 × 512²
    """,
    "x > up > fit_to > concatenate > conv, skip > concatenate",
)


# %% [markdown]
# Name the two parts `up` and `conv`.
#
# <details><summary>Hint 1</summary>
#
# What comes up has `out_channels` channels after the transposed convolution, and the skip has `out_channels` too. How
# many does the double convolution receive?
# </details>
# <details><summary>Hint 2</summary>
#
# A batch of feature maps is (B, C, H, W): channels are dimension 1. `torch.cat([a, b], dim=1)`.
# </details>
# <details><summary>Hint 3</summary>
#
# In `__init__`: `self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)` and
# `self.conv = DoubleConv(2 * out_channels, out_channels)`. In `forward`: up, `fit_to`, concatenate
# with the skip in front, convolve.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.unet import Up` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% up minutes=15 difficulty="medium"
class Up(nn.Module):
    """Doubles the size, lays the skipped features beside, and mixes them."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.up = nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)
        self.conv = DoubleConv(2 * out_channels, out_channels)
        ### END SOLUTION

    def forward(self, x: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """(B, in, h, w) and a skip of (B, out, 2h or 2h+1, 2w or 2w+1) → (B, out, as the skip)."""
        ### BEGIN SOLUTION
        x = fit_to(self.up(x), skip)  # (B, out, 2h, 2w)
        return self.conv(torch.cat([skip, x], dim=1))
        ### END SOLUTION


# %% check-up points=2
from coursekit.checks.mistakes.apart import way_apart
from coursekit.checks.mistakes.unet import UNFIT, joined_otherwise, misraised, unmixed, unreached
from coursekit.checks.mistakes.unet_ways import STEP_GETS
from coursekit.parts import unet as course

check = Check("up")
for said, message in UNFIT:
    check.crashes((RuntimeError, TypeError), said, message)
torch.manual_seed(0)
step, other = check.build(Up, (12, 4), {"in_channels": 10, "out_channels": 3})
low, skip = torch.randn(1, 12, 5, 6), torch.randn(1, 4, 11, 13).requires_grad_()
check.that(hasattr(step, "up") and hasattr(step, "conv"), "name the parts self.up and self.conv")
check.that(not (wrong := misraised(step.up) or unmixed(step.conv)), wrong)
check.equal(count_parameters(step), 636, "leave the biases at their default, and add nothing")
check.equal(count_parameters(other), 372, "use in_channels and out_channels, not 12 and 4")
got = check.call(step, low, skip)
check.equal(step.up(low).shape, (1, 4, 10, 12), "up should double the size: stride 2")
raised = fit_to(step.up(low), skip)
right = step.conv(torch.cat([skip, raised], 1))
check.slips(got, right, joined_otherwise, step, low, skip, raised)
(twin := course.Up(12, 4)).load_state_dict(step.state_dict())
check.that(not (apart := way_apart(step, twin, lambda up: up(low, skip), STEP_GETS)), apart)
check.close(got, right, "expected: up, fit_to, concatenate, convolve")
check.that(not (lost := unreached(got, step.up, skip)), lost)
check.passed("odd sizes included")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-up")


def hidden_step(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Weights of a step from 10 to 3 channels."""
    shapes = {
        "up.weight": (10, 3, 2, 2), "up.bias": (3,),
        "conv.0.weight": (3, 6, 3, 3), "conv.0.bias": (3,),
        "conv.2.weight": (3, 3, 3, 3), "conv.2.bias": (3,),
    }  # fmt: skip
    return {key: rng.normal(0, 0.3, shape) for key, shape in shapes.items()}


loaded = Up(10, 3).double()
given = probe.given("weights", hidden_step)
loaded.load_state_dict({key: torch.from_numpy(value) for key, value in given.items()})
for name, height, width in (("even", 8, 10), ("odd", 9, 11), ("tall", 9, 10)):
    below = probe.given(f"{name}-below", lambda rng: rng.normal(0, 1, (2, 10, 4, 5)))
    beside = probe.given(
        f"{name}-skip", lambda rng, h=height, w=width: rng.normal(0, 1, (2, 3, h, w))
    )
    below, beside = (torch.from_numpy(a).requires_grad_() for a in (below, beside))
    came_out = loaded(below, beside)
    probe.emit(name, came_out, f"with other weights and a skip of {height} × {width}")
    loaded.zero_grad()
    (came_out**2).sum().backward()
    probe.emit(f"{name}-below", below.grad, "the gradient with respect to what comes from below")
    probe.emit(f"{name}-skip", beside.grad, "the gradient with respect to the skip")
    slopes = {key: parameter.grad for key, parameter in loaded.named_parameters()}
    probe.emit(f"{name}-gradients", slopes, "the gradients with respect to the weights")
count = sum(parameter.numel() for parameter in Up(9, 4).parameters())
probe.emit("count", count, "the number of parameters")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the parts of the network
#
# Widths `16, 32, 64, 128` on the way down, `256` at the bottom, and back. Before you write it, count it. A $k×k$
# convolution from $a$ to $b$ channels with bias has
#
# $$ a \, b \, k^2 + b $$
#
# parameters: one kernel of size $k^2$ for each pair of channels, and a bias for each output. It does not
# depend on the size of the image.


# %%
def conv(a: int, b: int, k: int) -> int:
    return a * b * k * k + b


print("level         channels     down        up")
total = 0
for a, b in pairwise((3, 16, 32, 64, 128, 256)):
    down = conv(a, b, 3) + conv(b, b, 3)
    up = 0 if b == 256 else conv(2 * b, b, 2) + conv(2 * b, b, 3) + conv(b, b, 3)
    total += down + up
    print(f"{'bottleneck' if b == 256 else 'level':<12}{b:>10}{down:>9,}{up:>10,}")
print(f"head: {conv(16, 19, 1):,}; all together: {total + conv(16, 19, 1):,}")

# %% [markdown]
# Nearly half of the weights sit in the bottleneck, which never sees more than 1/256 of the pixels.
# Parameters are not time: the two blocks at full size, at both ends of the U, have a seventy-fifth of the
# bottleneck's weights and do almost three times its multiplications, because they apply them to 256 times as many pixels.
#
# Now write the parts, **with these names** (they become the keys of the `state_dict`):
#
# | name | what |
# |---|---|
# | `down` | an `nn.ModuleList` of four `DoubleConv`: 3→16, 16→32, 32→64, 64→128 |
# | `pool` | 2×2 max-pooling |
# | `bottleneck` | `DoubleConv`, 128→256 |
# | `up` | an `nn.ModuleList` of four `Up`: 256→128, 128→64, 64→32, 32→16 |
# | `head` | a 1×1 convolution, 16→19: a score for each class, pixel by pixel |
#
# The class ends here and `forward` comes in the next exercise; a notebook lets us take one thing at a time.
#
# <details><summary>Hint 1</summary>
#
# `pairwise((3, 16, 32, 64, 128))` gives (3, 16), (16, 32), (32, 64), (64, 128).
# </details>
# <details><summary>Hint 2</summary>
#
# A plain Python list hides its modules: their parameters are neither trained nor saved. That is what
# `nn.ModuleList` is for.
# </details>
# <details><summary>Hint 3</summary>
#
# `self.down = nn.ModuleList(DoubleConv(a, b) for a, b in pairwise((in_channels, *widths[:-1])))`,
# and `self.up` is alike over `pairwise(widths[::-1])`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.unet import Layers` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% layers minutes=20 difficulty="medium"
class Layers(nn.Module):
    """The parts of a U-Net: down, pool, bottleneck, up, head."""

    def __init__(
        self, num_classes: int = 19, in_channels: int = 3, widths: tuple = (16, 32, 64, 128, 256)
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.down = nn.ModuleList(
            DoubleConv(a, b) for a, b in pairwise((in_channels, *widths[:-1]))
        )
        self.pool = nn.MaxPool2d(2)
        self.bottleneck = DoubleConv(widths[-2], widths[-1])
        self.up = nn.ModuleList(Up(a, b) for a, b in pairwise(widths[::-1]))
        self.head = nn.Conv2d(widths[0], num_classes, 1)
        ### END SOLUTION


# %% check-layers points=2
from coursekit.checks.mistakes.unet import misnamed, misshapen

check = Check("layers")
many = "a number of channels is one number, here a tuple stands for it: `*` unpacks widths"
check.crashes(TypeError, "for %: 'tuple'", many)
small = {"num_classes": 11, "in_channels": 5, "widths": (4, 8, 16)}
parts, other = check.build(Layers, {}, small)
twins = [create_model("unet", **one).state_dict() for one in ({}, small)]
check.that(not (wrong := misnamed(parts, twins[0])), wrong)
rising = [step.up.in_channels for step in parts.up]
check.catches([32, 64, 128, 256], rising, "up begins at the bottom: turn the widths round")
check.equal(rising, [256, 128, 64, 32], "the first step up starts at the bottom, from 256 channels")
head = tuple(parts.head.weight.shape)
check.equal(head, (19, 16, 1, 1), "the head is a 1×1 convolution, 16 channels → 19 classes")
for x in ((ramp := torch.arange(24.0).view(1, 1, 4, 6)), -ramp):
    pooled = check.call(parts.pool, x)
    check.kind(pooled, torch.Tensor, what="what self.pool gives")
    largest = x.unfold(2, 2, 2).unfold(3, 2, 2).amax((-2, -1))
    check.equal(pooled, largest, "pool should take the largest of each 2×2 pixels")
check.that(not (wrong := misshapen(parts, twins[0])), wrong)
count = count_parameters(parts)
check.equal(count, 1_941_411, "not the report's number of parameters; compare with the table above")
arguments = "use the arguments, not 19, 3 and 16, 32, …, themselves"
for mine, twin in zip((parts, other), twins, strict=True):
    shapes = [
        {key: tuple(w.shape) for key, w in each.items()} for each in (mine.state_dict(), twin)
    ]
    check.equal(shapes[0], shapes[1], arguments)
check.passed("1,941,411 parameters, as in the report's table")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-layers")


def hidden_spec(rng: np.random.Generator) -> dict[str, list[int]]:
    """Classes, channels of the image, and widths; of how many levels, is drawn too."""
    widths = np.cumsum(rng.integers(1, 9, rng.integers(3, 6))) + 2
    first = [int(n) for n in rng.integers(2, 25, 2)]
    return {"first": first, "widths": [int(w) for w in widths]}


spec = probe.given("spec", hidden_spec)
drawn_parts = Layers(*spec["first"], widths=tuple(spec["widths"])).double()
table = {key: list(value.shape) for key, value in drawn_parts.state_dict().items()}
probe.emit("names", table, "names and shapes with other classes, channels and widths")
levels = [len(drawn_parts.down), len(drawn_parts.up)]
probe.emit("levels", levels, "the number of levels")
count = sum(parameter.numel() for parameter in drawn_parts.parameters() if parameter.requires_grad)
probe.emit("count", count, "the number of parameters that are trained")
default = Layers().double()
shapes = {key: list(value.shape) for key, value in default.state_dict().items()}
probe.emit("default", shapes, "names and shapes without arguments")
probe.sow(default, "sown")
planes = [probe.given("deep", lambda rng: rng.normal(0, 1, (1, 128, 4, 5)))]
planes += [probe.given("flat", lambda rng: rng.normal(0, 1, (1, 16, 4, 5)))]
deep, flat = map(torch.from_numpy, planes)
probe.emit("bottom", default.bottleneck(deep).mean(1), "the bottleneck without arguments")
probe.emit("top", default.head(flat).mean(1), "the head without arguments")
given = probe.given(
    "weights", lambda rng: {key: rng.normal(0, 0.2, shape) for key, shape in table.items()}
)
drawn_parts.load_state_dict({key: torch.from_numpy(value) for key, value in given.items()})
for name, part, channels in (
    ("pool", drawn_parts.pool, 5),
    ("first", drawn_parts.down[0], spec["first"][1]),
    ("bottleneck", drawn_parts.bottleneck, spec["widths"][-2]),
    ("head", drawn_parts.head, spec["widths"][0]),
):
    entered = probe.given(f"into-{name}", lambda rng, c=channels: rng.normal(0, 1, (1, c, 7, 8)))
    probe.emit(name, part(torch.from_numpy(entered)), f"what {name} does to other features")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the way through
#
# Go down and keep each level's features *before* pooling them; pass the bottleneck; go up and hand
# each step the skip of its own level. Return <dfn>logits</dfn>, raw scores: the loss applies the softmax itself,
# in a way that cannot overflow.
#
# <details><summary>Hint 1</summary>
#
# The last skip that you kept is the first that you need.
# </details>
# <details><summary>Hint 2</summary>
#
# In the loop down: `x = block(x)`, then `skips.append(x)`, then `x = self.pool(x)`.
# </details>
# <details><summary>Hint 3</summary>
#
# The loop up: `for up, skip in zip(self.up, reversed(skips)): x = up(x, skip)`. Then the head.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.unet import UNet` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% unet minutes=15 difficulty="medium"
class UNet(Layers):
    """An encoder that halves the size at each level, and a decoder that undoes it."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) whitened image → (B, num_classes, H, W) logits."""
        ### BEGIN SOLUTION
        skips = []
        x = image
        for block in self.down:
            x = block(x)
            skips.append(x)  # (B, 16, H, W), (B, 32, H/2, W/2), …
            x = self.pool(x)
        x = self.bottleneck(x)  # (B, 256, H/16, W/16)
        for up, skip in zip(self.up, reversed(skips), strict=True):
            x = up(x, skip)
        return self.head(x)
        ### END SOLUTION


# %% check-unet points=1
from coursekit.checks.mistakes.apart import way_apart
from coursekit.checks.mistakes.unet_ways import GETS, LOST, misshaped, passed_otherwise

check = Check("unet")
for cause, message in LOST:
    check.crashes((RuntimeError, TypeError, AttributeError), cause, message)
torch.manual_seed(0)
widths = (4, 8, 16, 32, 64)
mine, image = UNet(widths=widths).eval(), torch.randn(2, 3, 40, 56)
for weight in mine.parameters():
    weight.data *= 2.4  # fresh weights are so small that a missing part would not show
with torch.no_grad():
    got = check.call(mine, image)
check.kind(got, torch.Tensor)
check.that(not (wrong := misshaped(mine, image, tuple(got.shape))), wrong)
check.shape(got, (2, 19, 40, 56), "one score for each class and pixel, at the image's size")
twin = create_model("unet", widths=widths).eval()
twin.load_state_dict(mine.state_dict())
with torch.no_grad():
    expected = twin(image)
    check.slips(got, expected, passed_otherwise, twin, image)
    check.that(not (apart := way_apart(mine, twin, lambda unet: unet(image), GETS)), apart)
check.close(got, expected, "another output than the course's: is every part used once?", atol=1e-3)
check.passed("the course's U-Net accepts your weights and computes the same")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-unet")
small = UNet(num_classes=5, widths=(4, 6, 8, 10)).double()
probe.fill(small, "weights", mean=0)
for name, shape in (("odd", (2, 3, 21, 26)), ("tiny", (1, 3, 8, 9))):
    photo = probe.given(name, lambda rng, shape=shape: rng.normal(0, 1, shape))
    about = f"other widths and weights, on an image of {shape[2]} × {shape[3]}"
    probe.emit(name, small(torch.from_numpy(photo)), about)
### END HIDDEN TESTS

# %% check-unet-2 points=1
from coursekit.checks.learning import learn_alike

check = Check("unet")
levels = "the number of levels is written in: go over self.down and self.up"
check.crashes(IndexError, "out of range", levels)
torch.manual_seed(0)
mine, image = UNet(widths=(4, 8, 16)), torch.randn(2, 3, 21, 26, requires_grad=True)
for weight in mine.parameters():
    weight.data *= 2.4
twin = create_model("unet", widths=(4, 8, 16))
twin.load_state_dict(mine.state_dict())
got, expected = check.call(mine, image), twin(image)
check.close(got, expected, "expected: the same with other widths, and sides that 2 does not divide")
leaves = [{"the image": image, **dict(network.named_parameters())} for network in (mine, twin)]
learn_alike(check, got, expected, *leaves)
check.passed("every weight learns")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-unet-2")
learner = UNet(num_classes=3, widths=(8, 16, 24)).double()
probe.start(learner, "start")
probe.train(learner, (2, 21, 26))
### END HIDDEN TESTS

# %% [markdown]
# The first of these checks is worth a second look. The weights of *your* network were loaded into
# `coursekit`'s, key by key, and both gave the same logits. From here on they are interchangeable:
# later lessons import `coursekit.create_model("unet")` and you know what is in it.
#
# And what *your* network does to an image of this tier, part by part:

# %%
plots.shapes(UNet(), (3, SIZES["size"], SIZES["size"]))

# %% [markdown]
# ## Exercise 5: the loss
#
# The <dfn>cross-entropy</dfn> of a pixel is minus the logarithm of the probability that its true class $y$ was given (the report's Eq. 1):
#
# $$ \mathcal{L}_{CE} = -\sum_{c=1}^{C} y_c \log \hat y_c = -\log \hat y_{\text{true}} $$
#
# because $y_c$ is 1 for the true class and 0 for all others: of 19 terms, one is left. A network that spreads its
# belief evenly over 19 classes pays $\log 19 ≈ 2.94$ a pixel. Keep that number in mind: it is where training starts.
#
# The weighted form (Eq. 3) multiplies each pixel by the weight of its true class, the $w_c$ of lesson 01:
#
# $$ \mathcal{L}_{\text{weighted}} = -\sum_{c=1}^{C} w_c \, y_c \log \hat y_c $$
#
# One thing is not in the equation: how to average over pixels. PyTorch, and the course, divide by the **sum of the weights** of
# those pixels, not by their number. So the loss keeps its scale (an even guess still pays 2.94), whatever the weights sum to.
#
# Write it from the definition, without `F.cross_entropy` and `F.nll_loss`.
#
# <details><summary>Hint 1</summary>
#
# Never compute $\log(\text{softmax})$ in two steps: a probability that rounds to 0 has logarithm $-∞$. There is a
# function that does both at once, and it needs to know which dimension holds the classes.
# </details>
# <details><summary>Hint 2</summary>
#
# `log_p.gather(1, target[:, None])` picks, at each pixel, the entry of the true class: (B, 1, H, W).
# </details>
# <details><summary>Hint 3</summary>
#
# `weights[target]` is a map with the weight of each pixel, (B, H, W). Multiply, sum, divide by the sum of that map.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.unet import weighted_cross_entropy` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (logits: B × 19 × H × W) | (target: B × H × W) | (weights: 19)
    log ŷ: B × 19 × H × W | |
    −log ŷ of the true class: B × H × W | w of the true class: B × H × W
    weighted mean: one number
    """,
    """logits > log ŷ > −log ŷ of the true class > weighted mean, target > −log ŷ of the true class,
    target > w of the true class > weighted mean, weights > w of the true class""",
)


# %% cross-entropy minutes=25 difficulty="hard"
def weighted_cross_entropy(
    logits: torch.Tensor, target: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Eq. 3, averaged over pixels by their weights.

    Args: logits (B, C, H, W); target (B, H, W) int64 class ids; weights (C,). Returns a scalar.
    """
    ### BEGIN SOLUTION
    log_p = F.log_softmax(logits, dim=1)
    loss = -log_p.gather(1, target[:, None])[:, 0]  # (B, H, W)
    pixel_weights = weights[target]
    return (pixel_weights * loss).sum() / pixel_weights.sum()
    ### END SOLUTION


# %% check-cross-entropy points=1
from coursekit.checks.mistakes.weighed import UNPICKED, weighed_apart, weighed_otherwise

check = Check("cross-entropy")
check.forbids("F.cross_entropy", "nn.CrossEntropyLoss", because="write it from the definition")
check.forbids("F.nll_loss", "nn.NLLLoss", because="write it from the definition")
for kind, said, message in UNPICKED:
    check.crashes(kind, said, message)
torch.manual_seed(0)
logits, target = 3 * torch.randn(2, 4, 3, 5), torch.randint(0, 4, (2, 3, 5))
target[0, :2] = 1  # the images' weights differ
weights = torch.tensor([0.5, 3.0, 1.0, 2.0])
got = check.call(weighted_cross_entropy, logits, target, weights)
expected = F.cross_entropy(logits, target, weights)
check.slips(got, expected, weighed_otherwise, logits, target, weights)
check.shape(got, (), "the loss is one number: sum over all pixels")
if not torch.allclose(got, expected, atol=1e-3):
    told = weighed_apart(lambda *x: check.call(weighted_cross_entropy, *x), logits, target)
    check.that(False, told)
check.close(got, expected, "expected: the value of Eq. 3", atol=1e-3)
check.passed("Eq. 1 and Eq. 3")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-cross-entropy")
for name, classes, about in (
    ("plain", 6, "other logits and weights"),
    ("absent", 4, "logits of classes that occur nowhere"),
):
    drawn = probe.given(name, lambda rng: rng.normal(0, 3, (2, 6, 5, 7)))
    true = probe.given(f"{name}-target", lambda rng, n=classes: rng.integers(0, n, (2, 5, 7)))
    each = probe.given(f"{name}-weights", lambda rng: rng.uniform(0.1, 3, 6))
    arguments = torch.from_numpy(drawn), torch.from_numpy(true), torch.from_numpy(each)
    probe.emit(name, probe.call(weighted_cross_entropy, *arguments), about)
### END HIDDEN TESTS

# %% check-cross-entropy-2 points=1
check = Check("cross-entropy")
check.forbids("F.cross_entropy", "nn.CrossEntropyLoss", because="write it from the definition")
check.forbids("F.nll_loss", "nn.NLLLoss", because="write it from the definition")
torch.manual_seed(1)
logits = (3 * torch.randn(2, 4, 3, 5)).requires_grad_()
target, weights = torch.randint(0, 4, (2, 3, 5)), torch.tensor([0.5, 3.0, 1.0, 2.0])
huge = check.call(weighted_cross_entropy, 200 * logits, target, weights)
check.that(torch.isfinite(huge), "large logits cost infinity: use log_softmax, not log of softmax")
truth = F.cross_entropy(200 * logits, target, weights)
check.close(huge, truth, "large logits cost too little: do not clamp, use log_softmax", rtol=1e-4)
even = torch.zeros(1, 19, 2, 2), torch.zeros(1, 2, 2, dtype=torch.long), torch.ones(19)
cost = check.call(weighted_cross_entropy, *even)
check.close(cost, np.log(19), "an even guess should cost log 19")
got = check.call(weighted_cross_entropy, logits, target, weights)
check.that(got.requires_grad, "the loss has no gradient: detach nothing, or nothing is learnt")
expected = F.cross_entropy(logits, target, weights)
check.close(got, expected, "expected: the value of Eq. 3")
slopes = [torch.autograd.grad(loss, logits)[0] for loss in (got, expected)]
check.close(*slopes, "expected: the gradient of Eq. 3")
check.passed("no overflow, a gradient, and an even guess costs log 19 ≈ 2.94")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-cross-entropy-2")
for name, factor, about in (
    ("plain", 3, "other logits and weights"),
    ("large", 400, "very large logits"),
):
    drawn = probe.given(name, lambda rng: rng.normal(0, 1, (2, 6, 5, 7)))
    true = torch.from_numpy(
        probe.given(f"{name}-target", lambda rng: rng.integers(0, 6, (2, 5, 7)))
    )
    each = torch.from_numpy(probe.given(f"{name}-weights", lambda rng: rng.uniform(0.1, 3, 6)))
    scores = (factor * torch.from_numpy(drawn)).float().requires_grad_()
    cost = probe.call(weighted_cross_entropy, scores, true, each.float())
    probe.emit(name, cost, about)
    cost.backward()
    probe.emit(f"{name}-gradient", 10 * scores.grad, f"the gradient for {about}")
### END HIDDEN TESTS

# %% [markdown]
# ## Training: Adam first, then SGD
#
# The report trains in two phases (its Algorithm 1). In short:
#
# 1. **Adam** at a rate of 0.001, until the validation loss has not improved for `patience` epochs.
# 2. Load the best weights so far, and go on with **SGD** at 0.02. Each time patience runs out again: best weights, half the
#    rate. Stop when the rate would fall below 0.005.
#
# Within each phase the rate falls along half a cosine, from $l_{\max}$ to $l_{\min} = l_{\max}/2$ (Eq. 4), with $t$ the epochs since the
# phase began and $T$ the epochs that the fall takes (50 in the picture below):
#
# $$ l(t) = l_{\min} + \tfrac{1}{2}\,(l_{\max} - l_{\min})\left(1 + \cos\frac{\pi t}{T}\right) $$
#
# `coursekit.training.fit` does this, with the weights of Eq. 2 from the true class counts and the augmentation of lesson 01.
# You will take it apart in lesson 07; here it is a tool. What the rate does over a whole
# run is worth a picture. This is a run of the report's, that of its SegFormer, as its log tells it, with the switches after epochs 48, 61 and 73 and the stop at 85:

# %%
from coursekit.optim import cosine_rate

phases = [(0, 48, 1e-3), (48, 61, 0.02), (61, 73, 0.01), (73, 85, 0.005)]  # from, to, l_max
figure, axes = plt.subplots(figsize=(7.5, 2.4), layout="constrained")
for start, stop, highest in phases:
    epochs = range(start, stop + 1)
    rates = [cosine_rate(e - start, 50, highest, highest / 2) for e in epochs]
    axes.plot(epochs, rates, color=plots.BLUE if start == 0 else plots.RED)
    axes.text(start + 0.5, highest * 1.15, "Adam" if start == 0 else f"SGD {highest:g}", fontsize=8)
axes.set(yscale="log", xlabel="epoch", ylabel="learning rate", ylim=(3e-4, 0.05))
axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# Do not be surprised that SGD's rate is twenty times Adam's: Adam divides each step by the size of recent
# gradients and SGD does not, so the two numbers have different units. (On the quick tier Adam starts at 0.002: the run has
# half a minute, and a larger step helps more than it harms.)
#
# Now train *your* network.

# %% train tags=["slow"]
from coursekit.optim import AdamToSGDConfig
from coursekit.training import FitConfig, fit

torch.manual_seed(0)
model = UNet(num_classes=LABELS.num_classes)
result = fit(
    model, train, val,
    FitConfig(
        size=SIZES["size"], epochs=SIZES["epochs"], batch_size=SIZES["batch"],
        plan=AdamToSGDConfig(adam_lr=SIZES["lr"], patience=SIZES["patience"]), seed=0,
    ),
    progress=True, kept="02_unet",
)  # fmt: skip
history = result.history
print("the first epoch's loss is below log 19:", history[0]["train_loss"] < np.log(19))
print(
    "the loss fell by a third or more:",
    3 * history[-1]["train_loss"] < 2 * history[0]["train_loss"],
)
plots.convergence(history)

# %% [markdown]
# This is the form of the report's Fig. 4. Three things to read off it:
#
# - It starts well below 2.94, because the first point is already the mean over a whole epoch: the network learns at once that most pixels are
#   background, skin or hair.
# - If both curves still fall at the right edge, the run was cut short by its budget and not by patience; a red
#   line would mark a switch. On the quick tier the run is short, and a switch may not come at all.
# - The validation curve may lie *below* the training curve. That is no mistake: training images are augmented
#   and therefore harder, and their loss is averaged while the network is still improving.
#
# ## Exercise 6: the score
#
# For one class, let $A$ be the pixels predicted and $B$ the pixels true. <dfn title="IoU">Intersection over union</dfn>, IoU, is the share of the pixels in either that are in both:
#
# $$ \mathrm{IoU} = \frac{|A \cap B|}{|A \cup B|} $$
#
# and the <dfn>mean IoU</dfn> is the mean of the classes' IoU. All of it can be read off one table: the <dfn>confusion matrix</dfn> $M$, in which
# $M_{ij}$ counts the pixels of true class $i$ that were called $j$. Sum it over the *whole* data set first, divide last.
#
# A class that occurs neither in the truth nor in the prediction has no union: 0/0. It must not count as 0 (nothing went
# wrong) nor as 1 (nothing went right): leave it out of the mean.
#
# <details><summary>Hint 1</summary>
#
# The intersection is the diagonal. Pixels true of a class are a row's sum, pixels predicted are a column's.
# </details>
# <details><summary>Hint 2</summary>
#
# $|A ∪ B| = |A| + |B| - |A ∩ B|$: whoever adds the two counts the intersection twice.
# </details>
# <details><summary>Hint 3</summary>
#
# `present = union > 0`, then `(hit[present] / union[present]).mean()`, as `float`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.unet import mean_iou` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (matrix M: 19 × 19)
    diagonal: |A ∩ B|: 19 | row sums: |B|: 19 | column sums: |A|: 19
    union: |A ∪ B|: 19
    IoU: of the classes that occur
    mean: one number
    """,
    """matrix M > diagonal > union, matrix M > row sums > union, matrix M > column sums > union,
    union > IoU > mean, diagonal > IoU""",
)


# %% mean-iou minutes=20 difficulty="medium"
def mean_iou(matrix: torch.Tensor) -> float:
    """Mean IoU over the classes that occur, from a (C, C) table; row: true, column: predicted."""
    ### BEGIN SOLUTION
    hit = matrix.diagonal().double()
    union = matrix.sum(0) + matrix.sum(1) - hit
    present = union > 0
    return float((hit[present] / union[present]).mean())
    ### END SOLUTION


# %% check-mean-iou points=2
from coursekit.checks.mistakes.weighed import averaged_apart, averaged_otherwise

check = Check("mean-iou")
one = "hit is one number here: the diagonal has one for each class"
check.crashes(IndexError, "tensor of dimension 0", one)
table = torch.zeros(7, 7, dtype=torch.int64)
table[0, :3], table[1, :3] = torch.tensor([50, 10, 1]), torch.tensor([4, 30, 6])
table[4, 4], table[5, 0], table[6, 0] = 1, 2, 1
# Class 2 is predicted and never true, 5 and 6 are true and never predicted, 3 occurs nowhere.
got = check.call(mean_iou, table)
check.that(got == got, "the mean is not a number: class 3 occurs nowhere, so 0/0. Leave it out")
check.that(type(got) is not int, "`int` cuts off all behind the point: `float(…)`")
right = (50 / 68 + 30 / 50 + 0 + 1 + 0 + 0) / 6
check.slips(got, right, averaged_otherwise, table)
check.that(np.ndim(got) == 0, "this is not one number: take the mean over the classes")
if not abs(got - right) < 1e-4:
    check.that(False, averaged_apart(partial(check.call, mean_iou)))
check.close(got, right, "expected: the mean of |A∩B| / |A∪B| over what occurs")
check.kind(got, float)
full = torch.tensor([[3, 1], [2, 6]])
check.close(
    check.call(mean_iou, full), (3 / 6 + 6 / 9) / 2, "expected: (3/6 + 6/9) / 2 of a full table"
)
check.passed("absent classes are left out, invented ones are not")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-mean-iou")


def hidden_matrix(rng: np.random.Generator, rows: list[int], columns: list[int]) -> np.ndarray:
    """A confusion matrix with these rows and columns empty."""
    matrix = rng.integers(1, 10 ** rng.integers(1, 5, (9, 9)))
    matrix[rows], matrix[:, columns] = 0, 0
    return matrix


for name, rows, columns, about in (
    ("all", [], [], "a table with every class"),
    ("absent", [0, 5], [0, 5], "a table without two of the classes"),
    ("never true", [3], [], "a class that is predicted and never true"),
    ("never called", [], [0, 8], "classes that are true and never predicted"),
    ("one pixel", [4, 7], [4, 7], "classes of one pixel"),
):
    matrix = probe.given(name, lambda rng, r=rows, c=columns: hidden_matrix(rng, r, c))
    if name == "one pixel":
        matrix[4, 4] = matrix[7, 0] = 1
    probe.emit(name, probe.call(mean_iou, torch.from_numpy(matrix)), about, kind=True)
### END HIDDEN TESTS

# %% [markdown]
# Why pool all images into one matrix? Take two images of a necklace. In the first it has 1,000 pixels and 900 are found.
# In the second it is a speck of 4 pixels, and none is found.

# %%
found, true = np.array([900, 0]), np.array([1000, 4])
print(f"mean of the two images' IoU: {np.mean(found / true):.3f}")
print(f"IoU of both images together: {found.sum() / true.sum():.3f}")

# %% [markdown]
# Neither is wrong, they answer different questions; but they must not be compared with each other. The 2024 competition pools;
# the one of 2025 takes each image by itself. When somebody shows you a score, ask which.
#
# Now the scores of your network, each prediction compared at the size of its mask.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit import metrics
from coursekit.checkpoint import ModelInfo
from coursekit.training import evaluate

white = result.whitening
config = {"num_classes": LABELS.num_classes}
info = ModelInfo("unet", config, LABELS.key, SIZES["size"], white.mean, white.std)
model.cpu()
pooled = evaluate(model, val, info, progress=False)
each = [
    mean_iou(evaluate(model, val[i : i + 1], info, progress=False).matrix)
    for i in range(len(val[:20]))
]
some = mean_iou(evaluate(model, val[:20], info, progress=False).matrix)
print(f"mean IoU, all images in one matrix:         {100 * mean_iou(pooled.matrix):5.1f} %")
print(f"the first 20 images in one matrix:          {100 * some:5.1f} %")
print(f"the same 20, mean of each image's mean IoU: {100 * np.mean(each):5.1f} %")
print(
    f"pixels called rightly:                      {100 * metrics.pixel_accuracy(pooled.matrix):5.1f} %"
)

# %% [markdown]
# Look at the last number beside the first: background, skin and hair are most of the pixels and 3 of 19 classes. Which classes pay for it?

# %% tags=["slow"]
scores = pooled.summary()["per_class"]
plots.class_scores({name: row and row["iou"] for name, row in scores.items()}, LABELS)

# %% [markdown]
# The long tail of lesson 01 again: large classes first, and what is thin, small or rare last. On the quick tier most small parts
# are not found at all (an IoU of 0). Where a longer run finds them, look at the pairs: a brow or an ear is often found before
# its side is, and then one of the two classes gets all of them. The report's networks, trained for hours on 5,000 photos,
# remain below 6 % on the necklace too, *with* the weights of Eq. 2; those weights are mild, as you computed in lesson 01.

# %% [markdown]
# ## What was learnt, in a picture
#
# The fourth column is an experiment. We silence the skips of the trained network (zeros in their place) and predict again. What
# is left is what came all the way through the bottleneck.

# %% tags=["slow"]
from coursekit.inference import predict_label_map

rows = []
for sample in val[:4]:
    row = {"image": sample.image, "truth": sample.label_map}
    row["prediction"] = predict_label_map(model.eval(), sample.image, info)
    hooks = [
        up.register_forward_pre_hook(lambda _up, args: (args[0], torch.zeros_like(args[1])))
        for up in model.up
    ]
    row["skips silenced"] = predict_label_map(model, sample.image, info)
    for hook in hooks:
        hook.remove()
    rows.append(row)
plots.panels(rows, LABELS)

# %% [markdown]
# After a short training on the quick tier, the last column hardly depends on the image: it is the outline of an average face. Almost everything that the network has
# learnt about *this* face came through the skips. The longer it trains, the more the bottleneck has to say.
#
# (A network *trained* without skips would do better than one from which they are taken away: it would have learnt to live without. You can train
# it, see the end.)
#
# ## The paper says, we measured
#
# Two remarks before you compare anything with the report's Table 1.
#
# - Its row for U-Net says 66.68 % validation mean IoU. The log of the same network, in the same author's files, says **68.51**. Two numbers for one network;
#   when they disagree, the log is the one that no hand has copied.
# - Its F-measure, 79.98 %, is within a few hundredths of $2m/(1+m)$ for the mean IoU $m$ (80.01 %). For *one* class $F = 2\,\mathrm{IoU}/(1+\mathrm{IoU})$ is
#   exact. Put the *mean* IoU into it and you do not get the mean F, but more: the curve bends downwards, so the value at the mean
#   lies above the mean of the values. The rows of the other three networks follow the same curve.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

m, f = metrics.mean_iou(pooled.matrix), metrics.mean_f1(pooled.matrix)
Markdown(f"""
| | the report | here, {TIER} tier |
|---|---|---|
| data | 5,000 photos, 512² | {len(train):,} {"photos" if DATA else "rendered faces"}, {SIZES["size"]}² |
| parameters | 1,941,411 | {count_parameters(model):,} |
| best epoch, of | 111 of 120 (its log) | {result.best_epoch + 1} of {len(history)} |
| validation mean IoU | 66.68 % (table), 68.51 % (log) | {100 * m:.1f} % |
| F by the report's way, $2m/(1+m)$ | 79.98 % | {200 * m / (1 + m):.1f} % |
| F as the mean over classes | not given | {100 * f:.1f} % |

$2m/(1+m)$ is {200 * m / (1 + m) - 100 * f:.1f} points above the mean of the classes' F. **These columns are not a race**: the left one is photographs and hours of a GPU. What they share is the code: network, loss, optimiser, metric.
""")  # fmt: skip

# %% [markdown]
# ## The library twin
#
# In practice you would rarely write a U-Net. `segmentation_models_pytorch` (smp) puts a U-Net decoder behind any of
# several hundred encoders. Here is one of like size: a MobileNetV3, decoder widths chosen to stay under the limit, and
# `encoder_weights=None`, because the competition forbids pretrained weights.

# %%
import segmentation_models_pytorch as smp

library = smp.Unet(
    "tu-mobilenetv3_small_100", encoder_weights=None, classes=19,
    decoder_channels=(128, 64, 32, 24, 16),
)  # fmt: skip
mine = UNet()
print("ours:", f"{count_parameters(mine):,}", "parameters")
print(
    "smp: ",
    f"{count_parameters(library) / 1e6:.1f} million; below the limit:",
    count_parameters(library) < 2_000_000,
)


# %% [markdown]
# | prefer | when |
# |---|---|
# | `smp.Unet` | you want a pretrained encoder, a network that is fast on a CPU or phone, or a baseline by tonight |
# | your own | you must know every parameter (a limit, a rule against pretrained weights), change the inside, or learn |
#
# Beware of one thing: "U-Net" in smp is a *decoder*. Its encoder, its normalisation and its stride are
# those of the backbone that you name, so "we used U-Net" says little until you name it.
#
# ## A submission
#
# The 2024 edition takes a zip of label maps: `0.png`, `1.png`, … at the root, one channel, class ids 0–18, 512². In `coursekit` this form is called `flat`. Its limit of
# 2,000,000 parameters admits this network.
#
# A checkpoint names the model that it belongs to. Since your weights fit the course's U-Net key by
# key, they are saved as its own.

# %% tags=["slow"]
from coursekit import checkpoint
from coursekit.codabench import is_valid, score, submit, validate
from coursekit.data import Recipe, make

folder = Path(tempfile.mkdtemp())
faces = Path(DATA) if DATA else folder / "faces"
if not DATA:
    make(faces, Recipe(train=0, val=0, test=6, size=128, seed=1))
images = open_dataset(faces, "test").sample(0).image_path.parent

named = create_model("unet", num_classes=LABELS.num_classes)
named.load_state_dict(model.state_dict())
checkpoint.save(folder / "unet.safetensors", named, info)
made = submit(folder / "unet.safetensors", images, "flat", folder / "submission.zip")
problems = validate(made.path, images, "flat")
print(f"{made.parameters:,} parameters; problems: {len(problems)}; valid: {is_valid(problems)}")

# %% [markdown]
# `submit` has already refused to write anything that `validate` would refuse; lesson 08 shows what can go wrong.
# For made faces the truth is known, and kept where a student's code does not look by accident. So we can be the competition's server too.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
truth = faces / "test_truth" / "masks"
if truth.is_dir():
    scored = score(made.path, truth, "flat")
    print(f"{scored.score:.2f} on {scored.images} faces ({scored.headline})")
    for note in scored.notes:
        print("note:", note)

# %% [markdown]
# ## What a well-trained network sees
#
# Your network had seconds. The course brings the weights of *the same architecture* after a longer training: 15 passes over 1,500 rendered
# faces of 64², by the recipe `house` of lesson 15 (`python benchmarks/shipped.py` makes them). It has seen no photograph, and none of these faces.

# %% reward tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit.widgets import compare

unseen = SynthDataset(seed=0, length=20, size=64, first=SIZES["train"], split="val")
brought = checkpoint.load(checkpoint.SHIPPED)
seen_by = {"well trained": (brought.model, brought.info)}
if LABELS.num_classes == unseen.labels.num_classes:
    seen_by = {"yours": (model.eval(), info)} | seen_by
for name, (network, how) in seen_by.items():
    score = mean_iou(evaluate(network, unseen, how, progress=False).matrix)
    print(f"{name:<13}{100 * score:5.1f} % mean IoU on {len(unseen)} faces of 64²")
shown = list(unseen[:8])
said = {
    name: [predict_label_map(net, face.image, how) for face in shown]
    for name, (net, how) in seen_by.items()
}
compare([face.image for face in shown], [face.label_map for face in shown], said, unseen.labels)

# %% [markdown]
# Point at a pixel to read its classes; then choose the layer `errors` and one class after another. What did the longer training add: large parts, or small ones and borders?
# And where it is still wrong, what does it call a brow or an ear? Nothing in the network itself is different. (In a printed notebook the picture stands still.)
#
# ## What to try next
#
# - **Train without skips.** Replace `skip` by zeros in `Up.forward` and train again. Which classes suffer most? Which hardly notice?
# - **Halve the widths.** `UNet(widths=(8, 16, 32, 64, 128))` has about a quarter of the parameters. What does it cost in mean IoU?
# - **Drop the weights.** `FitConfig(objective=ParsingConfig(weighted=False))`: does the mild weighting of Eq. 2 change anything that you can see?
# - **Give it time.** Twice the epochs, or 64² instead of 48². Where does the quick tier stop being a toy?
# - **Add batch normalisation** after each convolution and count the parameters first. Then read lesson 03, whose network has it everywhere.
#
# In **lesson 03** the same encoder-decoder idea meets another way of seeing far: not pooling more, but
# spreading the kernel out.

# %% quiz [markdown]
# ### What would this U-Net lose first if its skips were cut and it were trained again?
#
# - [ ] The classes of large parts, such as hair
#   Those need the wide view, and the bottleneck has it. Their inner parts would survive.
# - [x] The exact place of borders and thin parts
#   Four poolings leave one place for 16 × 16 pixels. What is finer than that reaches the decoder through the skips alone.
# - [ ] The ability to tell left from right
#   That takes a view of the whole face, which comes from below, not from the side.
# - [ ] Parameters, and with them most of its power to learn
#   The skips themselves have none; `conv` in each step up would become smaller. But it is *what flows* through them that counts.
#
# ### Nearly half of the parameters sit in the bottleneck. Does it also do nearly half of the work?
#
# - [ ] Yes: each weight is used once for an image
#   A weight of a convolution is used once for each *place* of the map. At full size that is 256 times as many places as at the bottom.
# - [ ] Yes, since parameters and multiplications always go together
#   For dense layers they do. For convolutions the size of the map comes in.
# - [x] No: at the bottom each weight is used at few places, at full size at very many
#   So the two blocks at full size work harder with a small part of the weights. "Small" and "fast" are two properties.
#
# ### Two people report the mean IoU of the same predictions, 44 % and 31 %. Neither made a mistake. What may explain it?
#
# - [x] One put all images into one confusion matrix, the other averaged the images' scores
#   Both are used: the edition of 2024 pools, that of 2025 takes each image by itself. A score without its way of averaging cannot be compared.
# - [ ] One forgot to divide by the number of classes
#   That would be a mistake, and the result no mean at all.
# - [ ] One took the weighted loss, the other the plain one
#   The loss was used in training. The predictions are given here, and no loss changes how they are scored.
#
# ### A class occurs neither in the truth nor in the prediction. How does it enter the mean IoU?
#
# - [ ] As 0: nothing of it was found
#   Nothing was there to be found. A zero would punish a network for not inventing a hat.
# - [ ] As 1: the network was right not to predict it
#   It sounds fair, but then every absent class is a present, and a data set without hats makes all networks look better.
# - [x] Not at all: it is left out of the mean
#   0/0 is not a score. (A class that is *predicted* and never true does count, with 0.)
#
# ### At the first step the loss is about 2.94. Later it is 0.9. What does 2.94 stand for?
#
# - [ ] The share of wrong pixels
#   A share cannot exceed 1. Cross-entropy is the mean of −log of the probability that the truth got.
# - [x] A network that spreads its belief evenly over 19 classes: log 19
#   Keep it in mind as a test: a fresh network that starts far from it has a mistake in its output or its loss.
# - [ ] The sum of the class weights
#   The weights are divided out: the loss is a *weighted mean*, so its scale does not depend on them.

# %% [markdown]
# {{links}}
