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
# # 6 · Losses and the long tail
#
# Of every 100,000 pixels, 15 are necklace. A network that never predicts one loses almost nothing in cross-entropy and a nineteenth of the
# mean IoU. In this lesson you write four losses that count small classes more, and measure what each of them does.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 120 rendered faces, 48² | 1,000 photos, 256² |
# | computing | {{computing}} | some 20 minutes on one GPU (estimated, not measured) |
# | memory | {{memory}} | about 5 GB (estimated) |
#
# **You will be able to**
# - say how large a share of the gradient each class of a long tail has, before you train;
# - write focal loss, soft Dice and Lovász-Softmax from their equations;
# - say which loss belongs to which metric, and show it;
# - explain why weights of $1/f$ raise the recall and cost accuracy;
# - compare losses fairly, and say what one run does not prove.
#
# **Before this** come lesson 01 (class counts, Eq. 2) and lesson 02 (cross-entropy, mean IoU).
#
# {{links}}
#
# {{papers}}

# %%
from functools import partial
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from coursekit import losses, metrics, plots, tier
from coursekit.checks import Check
from coursekit.data import SynthDataset, TrainingView, class_counts, open_dataset, whitening
from coursekit.data.cache import Arrays

# %%
TIER, DATA, SIZES = tier.choose(
    train=(120, 1000),
    val=(40, 200),
    size=(48, 256),
    batch=(4, 8),
    steps=(60, 4000),
    seeds=(1, 3),
)
BATCH, RATE, SIZE = SIZES["batch"], 0.01, SIZES["size"]

if DATA:
    train = open_dataset(DATA, "train")[: SIZES["train"]]
    val = open_dataset(DATA, "val")[: SIZES["val"]]
else:
    train = SynthDataset(seed=0, length=SIZES["train"], size=SIZE)
    val = SynthDataset(seed=0, length=SIZES["val"], size=SIZE, first=len(train), split="val")
LABELS, DEVICE = train.labels, "cuda" if torch.cuda.is_available() else "cpu"
NUM = LABELS.num_classes
learnt_from, held_out = train.arrays(SIZE), val.arrays(SIZE)  # decoded, or drawn, once
counts = class_counts(learnt_from)
print(f"{len(train)} faces to learn from, {len(val)} to validate, {NUM} classes")

# %% [markdown]
# ## The idea: who has how much of the gradient?
#
# A loss acts on a network through its gradient alone: at each step, every pixel pulls at its own logits, and the weights follow the sum. We call the negative gradient the *pull*. For cross-entropy, a pixel of true class $y$ pulls at the logit of class $c$ by
#
# $$ -\frac{\partial}{\partial z_c}\left(-\log p_y\right) = [c = y] - p_c $$
#
# where $[c = y]$ is 1 if $c = y$ and 0 otherwise. At the start the network knows nothing, every $p_c$ is about $1/19$, and each pixel pulls its own class up by $18/19$: **all pixels pull alike**. So a class pulls in proportion to its number of pixels, $f_c$, or with a weight to weight times pixels. Its share of the whole is
#
# $$ s_c = \frac{w_c \, f_c}{\sum_i w_i \, f_i} $$
#
# ## Exercise 1: the share of each class
#
# Write two functions. `inverse_frequency` gives weights in inverse proportion to the pixels, divided by their sum:
#
# $$ w_c = \frac{1/f_c}{\sum_i 1/f_i} $$
#
# A class without pixels gets weight 0, as in lesson 01. `gradient_share` gives $s_c$ for any weights.
#
# <details><summary>Hint 1</summary>
#
# `1 / counts` is infinite where a class has no pixels. Begin with zeros and fill in the others.
# </details>
# <details><summary>Hint 2</summary>
#
# `present = counts > 0`, `weights[present] = 1 / counts[present]`, then divide by the sum.
# </details>
# <details><summary>Hint 3</summary>
#
# The second function is one product and one sum: `pull = weights * counts`, then `pull / pull.sum()`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.losses import inverse_frequency, gradient_share` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>

# %% tags=["folded"]
plots.diagram(
    """
    (counts f: C) | (weights w: C)
    w · f: the pull of each class: C
    share: C, sum 1
    """
)


# %% gradient-share minutes=15 difficulty="easy"
def inverse_frequency(counts: np.ndarray) -> np.ndarray:
    """Weights in inverse proportion to pixels: (C,), sum 1; 0 for a class without pixels."""
    ### BEGIN SOLUTION
    weights = np.zeros(len(counts))
    present = counts > 0
    weights[present] = 1 / counts[present]
    return weights / weights.sum()
    ### END SOLUTION


def gradient_share(weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Each class's share of the whole pull of an even guess: (C,), sum 1."""
    ### BEGIN SOLUTION
    pull = weights * counts
    return pull / pull.sum()
    ### END SOLUTION


# %% check-gradient-share points=2
from coursekit.checks.mistakes.crashes_training import CRASHES
from coursekit.checks.mistakes.losses import shared_otherwise, unweighted, weighted_otherwise

check = Check("gradient-share")
for known in CRASHES["gradient-share"]:
    check.crashes(*known)
for some in (np.array([600, 30, 0, 2]), np.array([1, 50, 0, 7])):
    plain = np.where(some, 1 / some.clip(1), 0)
    right = plain / plain.sum()
    got = check.call(inverse_frequency, some)
    check.kind(got, np.ndarray)
    check.shape(got, (4,), "one weight for each class: 0 for one without pixels")
    check.that(not (lost := unweighted(got, some)), lost)
    check.slips(got, right, weighted_otherwise, some)
    check.equal(got[2], 0, "a class without pixels should weigh nothing")
    check.close(got.sum(), 1, "the weights do not sum to 1: divide by their sum")
    message = "the weights are not in inverse proportion to f: 1/f, divided by the sum of all 1/f"
    check.close(got, right, message, atol=1e-9)
some = np.array([600, 30, 0, 1])
weights = np.array([0.2, 0.5, 0.3, 0.4])
right = weights * some / (weights * some).sum()
got = check.call(gradient_share, weights, some)
check.that(np.ndim(got) > 0, "one number for all: `weights * counts` has a pull for each class")
check.kind(got, np.ndarray)
check.shape(got, (4,), "one share for each class, also for one without pixels")
finite = "a share is not finite: weight times pixels stands above, with no logarithm, nothing below"
check.that(np.isfinite(got), finite)
check.slips(got, right, shared_otherwise, weights, some)
check.close(got.sum(), 1, "shares sum to 1: divide by the sum of all pulls")
check.close(got, right, "a share is weight times pixels, over the sum of all of them")
check.passed("with 1/f every class that occurs pulls alike")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-gradient-share")
for hidden_name, hidden_absent in (("all", 0), ("absent", 3)):
    hidden_counts = probe.given(
        hidden_name,
        lambda rng, n=hidden_absent: (
            rng.integers(1, 10 ** rng.integers(1, 9, 13)) * (np.arange(13) >= n)
        ),
    )
    hidden_inverse = probe.call(inverse_frequency, hidden_counts)
    probe.emit(hidden_name, hidden_inverse, "the weights of other counts", close=1e-7, kind=True)
    hidden_weights = probe.given(f"{hidden_name}-weights", lambda rng: rng.uniform(0, 2, 13))
    hidden_shares = probe.call(gradient_share, hidden_weights, hidden_counts)
    hidden_about = "the shares under other weights"
    probe.emit(f"{hidden_name}-share", hidden_shares, hidden_about, close=1e-7, kind=True)
### END HIDDEN TESTS

# %% [markdown]
# Now put in the true counts of the course's 5,000 masks and compare three weightings: none (the plain cross-entropy of Eq. 1), the report's $1/\log f$ (Eq. 2) and $1/f$.
# (Eq. 3 is cross-entropy with the weights of Eq. 2. You will meet it under that name below.)

# %%
COUNTS = np.array([
    375099645, 333172471, 27015905, 3467864, 2937773, 2928618, 5572580, 5433404, 6164110, 5049695,
    3896683, 5417555, 8898431, 411175974, 12651045, 3102372, 196952, 54031542, 44507381,
])  # fmt: skip
HAIR, NECKLACE = 13, 16
SCHEMES = {
    "plain": np.ones(19),
    "Eq. 2": losses.class_weights(COUNTS).numpy().astype(float),
    "1 / f": inverse_frequency(COUNTS),
}
print("             smallest and largest weight        ratio   necklace's share of the pull")
for name, w in SCHEMES.items():
    share = 100 * gradient_share(w, COUNTS)[NECKLACE]
    ends = f"{w.min():.7f} to {w.max():.4f}"
    print(f"{name:<12} {ends:<28} {w.max() / w.min():>12,.2f} {share:>14.3f} %")

# %%
# NBVAL_IGNORE_OUTPUT
from coursekit.widgets import class_weights_explorer

COLOURS = {"plain": plots.GREY, "Eq. 2": plots.BLUE, "1 / f": plots.RED}
class_weights_explorer(COUNTS)

# %% [markdown]
# Eq. 2 lifts the necklace from 0.015 % of the pull to 0.024 %. That is what
# lesson 01 meant by *mild*: with these weights, the report's networks typically stay below 6 % IoU on the necklace. $1/f$ gives a nineteenth to each class.
#
# Between the two lies $1/f^a$. Move the exponent $a$ from 0 to 1: where does the necklace get what Eq. 2 gives it, and where 1 %? The last figure, what 100 pixels are worth, is the price; the next section says why.
#
# ## What is wrong with 1/f
#
# The report says that the direct inverse can make training diverge. Three things happen, and you can compute all three without training.
#
# **1. Fewer pixels count.** A weighted mean over $N$ pixels is as noisy as a plain mean over $N_{\text{eff}} = (\sum w)^2 / \sum w^2$ pixels
# (Kish's effective size), if the pixels' losses scatter alike and independently.
#
# **2. It makes one kind of mistake far too cheap.** Suppose that a pixel is necklace with probability $q$ and hair otherwise.
# With the weights $w_n$ and $w_h$, cross-entropy is smallest where the network answers $w_n q / (w_n q + w_h (1 - q))$, not $q$.

# %%
q = 0.01
for name, w in SCHEMES.items():
    effective = (w * COUNTS).sum() ** 2 / (w**2 * COUNTS).sum() / COUNTS.sum()
    answer = w[NECKLACE] * q / (w[NECKLACE] * q + w[HAIR] * (1 - q))
    print(
        f"{name:<6} 100 pixels are worth {100 * effective:5.1f}; where a necklace has probability "
        f"{q:.0%}, the network should say {answer:.1%}"
    )

# %% [markdown]
# At one chance in a hundred the network is *told* to be 95.5 % sure: to miss one necklace pixel costs as much as to paint
# 2,088 hair pixels as necklace. IoU disagrees: in its denominator, hit + missed + false, a false pixel weighs exactly as much as a missed one.
#
# **3. The step depends on who is in the batch.** Of 1,000 of the course's photos, 56 have a necklace. So most batches of two have none. Here is the sum of the weights in each batch of two training faces, relative to the mean batch:

# %%
maps = learnt_from.label_maps[: min(160, len(learnt_from) // 2 * 2)]
pixels = np.stack([np.bincount(m.ravel(), minlength=NUM) for m in maps])  # (faces, C)
figure, axes = plt.subplots(figsize=(7.5, 2.4), layout="constrained")
for name, w in (
    ("1 / f", inverse_frequency(counts)),
    ("Eq. 2", losses.class_weights(counts).numpy()),
):
    mass = (pixels @ w).reshape(-1, 2).sum(1)  # of each batch of two
    axes.plot(mass / mass.mean(), "o-", ms=3, lw=1, color=COLOURS[name], label=name)
    print(f"{name}: the highest batch has {mass.max() / mass.min():.1f} times the lowest")
axes.set(xlabel="batch", ylabel="sum of the weights,\nmean batch = 1", ylim=(0, None))
axes.legend(frameon=False, loc="upper right")
axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# A peak is a batch with a rare class. If the loss is divided by the number of **pixels**, the length of a step of SGD follows the red line, and a rate that suits the other batches is too large at a peak.
# If it is divided by the sum of the **weights**, as PyTorch and the course do, the step keeps its length, and all other classes get a smaller part of it.
#
# (Our own trial: 100 steps of SGD in batches of two did not diverge, but the loss scattered 4.5 times as much as that of plain cross-entropy with the first average, twice as much with the second.)
#
# ## Exercise 2: focal loss
#
# Weights look at how *rare* a pixel's class is. <dfn title="focal loss">Focal loss</dfn> (Lin, Goyal, Girshick, He and Dollár, 2017) looks at how *hard* the pixel is: it
# multiplies the cross-entropy by a power of $1 - p_y$, which is how far the network is from certainty:
#
# $$ \mathcal{L}_{\text{focal}} = -(1 - p_y)^{\gamma} \log p_y $$
#
# With $\gamma = 0$ it is cross-entropy. With $\gamma = 2$, the paper's choice, a pixel at $p_y = 0.9$ costs a hundredth of what it did.
#
# The paper wrote it for a detector, with $p$ from a sigmoid. Ours comes from the softmax over all
# classes, since each of our pixels has exactly one class. Average over the pixels.
#
# <details><summary>Hint 1</summary>
#
# Begin as in lesson 02: `log_softmax`, then `gather` at the target. That gives $\log p_y$ for each pixel.
# </details>
# <details><summary>Hint 2</summary>
#
# $p_y$ is the exponential of it. Do not detach the factor: its slope belongs to the loss.
# </details>
# <details><summary>Hint 3</summary>
#
# `log_p = F.log_softmax(logits, dim=1).gather(1, target[:, None])`; the loss is the mean of
# `-(1 - log_p.exp()) ** gamma * log_p`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.losses import focal_loss` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>

# %% tags=["folded"]
plots.diagram(
    """
    (logits: B × C × H × W) | (target: B × H × W)
    p: of the true class: B × H × W
    (1 − p)^γ: how far from certain | −log p: cross-entropy
    product: B × H × W
    mean: one number
    """
)


# %% focal-loss minutes=20 difficulty="medium"
def focal_loss(logits: torch.Tensor, target: torch.Tensor, gamma: float = 2.0) -> torch.Tensor:
    """Focal loss on the softmax, the mean over pixels.

    Args: logits (B, C, H, W); target (B, H, W) int64 class ids; gamma at least 0. Returns a scalar.
    """
    ### BEGIN SOLUTION
    log_p = F.log_softmax(logits, dim=1).gather(1, target[:, None])  # (B, 1, H, W)
    missing = 1 - log_p.exp()
    return (-(missing**gamma) * log_p).mean()
    ### END SOLUTION


# %% check-focal-loss points=1
from coursekit.checks.mistakes.losses import unfocused, where_unfocused

check = Check("focal-loss")
picks = "gather wants a target of as many dimensions as the logits: target[:, None]"
check.crashes(RuntimeError, "same number of dimensions|Size does not match", picks)
check.crashes(RuntimeError, "out of bounds for dim", "the classes are dimension 1: gather(1, …)")
moved = "one_hot gives (B, H, W, C): move its last dimension to place 1"
check.crashes(RuntimeError, r"tensor a \(6\) must match .* b \((5|3)\)", moved)
picked = "one loss for a pixel and five p: p is that of the true class, gather it first"
check.crashes(RuntimeError, r"tensor a \((5|2)\) must match .* b \((2|5)\)", picked)
check.crashes(
    IndexError, "shape mismatch", "gather picks each pixel's class: gather(1, target[:, None])"
)
once = "the true class is picked already: nll_loss would pick once more"
check.crashes(RuntimeError, "Expected target size", once)
torch.manual_seed(0)
logits, target = 2 * torch.randn(2, 5, 3, 6), torch.randint(0, 5, (2, 3, 6))
cost = F.cross_entropy(logits, target, reduction="none")
each = (1 - (-cost).exp()) ** 2 * cost
got = check.call(focal_loss, logits, target)
check.kind(got, torch.Tensor)
second = "the loss is not a number: log p is a logarithm already, and needs no second one"
check.that(not got.isnan().any(), second)
check.slips(got, each.mean(), unfocused, logits, target, where=lambda: where_unfocused(focal_loss))
check.close(got, each.mean(), "expected: the mean of -(1 - p)^γ · log p")
check.passed("easy pixels are turned down")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-focal-loss")
for hidden_name, hidden_gamma in (("default", {}), ("zero", {"gamma": 0}), ("five", {"gamma": 5})):
    hidden_drawn = probe.given(hidden_name, lambda rng: rng.normal(0, 2, (2, 6, 4, 7)))
    hidden_true = probe.given(f"{hidden_name}-true", lambda rng: rng.integers(0, 5, (2, 4, 7)))
    hidden_both = torch.from_numpy(hidden_drawn).float(), torch.from_numpy(hidden_true)
    hidden_cost = probe.call(focal_loss, *hidden_both, **hidden_gamma)
    hidden_about = f"other logits, gamma {hidden_gamma.get('gamma', 'not given')}"
    probe.emit(hidden_name, hidden_cost, hidden_about, close=1e-4, kind=True)
### END HIDDEN TESTS

# %% check-focal-loss-2 points=1
check = Check("focal-loss")
torch.manual_seed(1)
logits = (2 * torch.randn(2, 5, 3, 6)).requires_grad_()
target = torch.randint(0, 5, (2, 3, 6))
for size, gamma in ((1, 0.0), (1, 3.5), (1, 2.0), (300, 2.0)):
    got = check.call(focal_loss, size * logits, target, gamma=gamma)
    cost = F.cross_entropy(size * logits, target, reduction="none")
    expected, two = (((1 - (-cost).exp()) ** g * cost).mean() for g in (gamma, 2))
    number = f"with gamma {gamma:g} the loss is no number: (1 - p) has the power, not (p - 1)"
    check.that(size > 1 or torch.isfinite(got), number)
    check.that(gamma == 2 or (got - two).abs() > 1e-4, "`gamma` has no effect: 2 is written in")
    check.that(
        torch.isfinite(got), "large logits cost infinity: use log_softmax, not log of softmax"
    )
    message = {
        0.0: "with gamma 0 it should be cross-entropy",
        2.0: "large logits cost too little: do not clamp, use log_softmax",
        3.5: "use the argument gamma",
    }[gamma]
    check.close(got, expected, message)
    check.that(got.requires_grad, "the loss has no gradient: no detach, item or torch.tensor(…)")
    slopes = [torch.autograd.grad(value, logits)[0] for value in (got, expected)]
    check.close(*slopes, "right value, another slope: detach and clamp nothing", rtol=1e-4)
check.passed("a gradient, no overflow, and gamma 0 is cross-entropy")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-focal-loss-2")
for hidden_name, hidden_gamma, hidden_factor in (
    ("plain", 2.0, 2),
    ("zero", 0.0, 2),
    ("more", 3.6, 1),
    ("large", 1.5, 300),
):
    hidden_drawn = probe.given(hidden_name, lambda rng: rng.normal(0, 1, (2, 6, 4, 7)))
    hidden_true = probe.given(f"{hidden_name}-true", lambda rng: rng.integers(0, 5, (2, 4, 7)))
    hidden_scores = (hidden_factor * torch.from_numpy(hidden_drawn)).float().requires_grad_()
    hidden_cost = probe.call(focal_loss, hidden_scores, torch.from_numpy(hidden_true), hidden_gamma)
    hidden_about = f"other logits, {hidden_factor} times as large, and gamma {hidden_gamma}"
    probe.emit(hidden_name, hidden_cost, hidden_about, close=1e-4)
    hidden_cost.backward()
    hidden_slope = 10 * hidden_scores.grad
    probe.emit(f"{hidden_name}-slope", hidden_slope, f"the gradient: {hidden_about}", close=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# One pixel, two classes. On the left its loss, on the right its pull: minus the slope with respect to the logit of the true class.

# %%
z = torch.linspace(-6, 6, 241)[None, None, None].requires_grad_()  # (1, 1, 1, W) logit
two = torch.cat([z, torch.zeros_like(z)], dim=1)
zero = torch.zeros(1, 1, 241, dtype=torch.long)
p = z.detach().sigmoid().flatten()
figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.8), layout="constrained")
for gamma, colour in ((0.0, plots.GREY), (1.0, "#90cdf4"), (2.0, plots.BLUE), (5.0, "#1a365d")):
    cost = (1 - p) ** gamma * -p.log()
    (slope,) = torch.autograd.grad(241 * focal_loss(two, zero, gamma), z, retain_graph=True)
    left.plot(p, cost, color=colour, label=f"γ = {gamma:.0f}")
    right.plot(p, -slope.flatten(), color=colour)
left.set(xlabel="probability of the true class", ylabel="loss of the pixel", ylim=(0, 4))
right.set(xlabel="probability of the true class", ylabel="pull of the pixel", ylim=(0, None))
left.legend(frameon=False)
for axes in (left, right):
    axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# What is known already hardly pulls any more. But at the start *all* pixels are equally hard, so each class keeps its share of the pull. And focal loss knows nothing of classes: the blurred border of the hair is
# hard, too, and has many more pixels than any necklace. So do not expect much.
#
# ## Exercise 3: soft Dice
#
# Weights and focusing keep the form of the loss, a mean over pixels. The score is a mean over *classes*. So <dfn title="Dice loss">soft Dice</dfn> takes the score itself, and puts probabilities where it has yes and no. For class $c$, with sums over **all pixels of the batch**,
#
# $$ D_c = \frac{2 \sum p_c \, y_c}{\sum p_c + \sum y_c}, \qquad \mathcal{L}_{\text{Dice}} = 1 - \frac{1}{|\mathcal{P}|} \sum_{c \in \mathcal{P}} D_c $$
#
# where $y_c$ is 1 at pixels of the class and 0 elsewhere, and $\mathcal{P}$ is the set of classes that are present in the target. Where every $p$ is 0 or 1, $D_c$ is the F1 of the class.
#
# Papers and libraries differ here: some square $p$ and $y$ in the denominator (Milletari, Navab and Ahmadi, 2016), weight the classes, or add a "smooth" constant. "We used Dice loss" says little.
#
# <details><summary>Hint 1</summary>
#
# `F.one_hot(target, C)` is (B, H, W, C). Move its last dimension to place 1, and it lies over the probabilities.
# </details>
# <details><summary>Hint 2</summary>
#
# Sum over `(0, 2, 3)`: the batch, the height and the width. What is left is one number for each class.
# </details>
# <details><summary>Hint 3</summary>
#
# `hit = (p * true).sum((0, 2, 3))`, `size = p.sum((0, 2, 3)) + true.sum((0, 2, 3))`; take `2 * hit / size` where `true.sum((0, 2, 3)) > 0`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.losses import soft_dice_loss` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>

# %% tags=["folded"]
plots.diagram(
    """
    (logits: B × C × H × W) | (target: B × H × W)
    p: softmax: B × C × H × W | y: one-hot: B × C × H × W
    Σ p: C | Σ p y: C | Σ y: C
    D: of the classes in the target
    1 − mean of D: one number
    """,
    """logits > p > Σ p > D, target > y > Σ y > D, p > Σ p y > D, y > Σ p y,
    D > 1 − mean of D""",
)


# %% soft-dice minutes=25 difficulty="medium"
def soft_dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """1 minus the mean soft F1 of the classes in the target, over the batch as a whole.

    Args: logits (B, C, H, W); target (B, H, W) int64 class ids. Returns a scalar.
    """
    ### BEGIN SOLUTION
    p = logits.softmax(dim=1)
    true = F.one_hot(target, logits.shape[1]).movedim(-1, 1)  # (B, C, H, W)
    hit = (p * true).sum((0, 2, 3))
    called, there = p.sum((0, 2, 3)), true.sum((0, 2, 3))
    score = 2 * hit / (called + there)
    return 1 - score[there > 0].mean()
    ### END SOLUTION


# %% check-soft-dice points=1
from coursekit.checks.mistakes.crashes_training import CRASHES
from coursekit.checks.mistakes.dice import dice, scored_otherwise, shown_otherwise, where_scored

check = Check("soft-dice")
for known in CRASHES["soft-dice"]:
    check.crashes(*known)
torch.manual_seed(0)
drawn, maps = torch.randn(2, 5, 3, 4), torch.randint(0, 3, (2, 3, 4))  # class 4 occurs nowhere
maps[0], maps[1, 0, 0] = maps[0].clamp_max(1), 3  # class 3 is a single pixel
given_p, given_y = drawn.softmax(1), F.one_hot(maps, 5).movedim(-1, 1)
got, right = check.call(soft_dice_loss, drawn, maps), 1 - dice(given_p, given_y)[:4].mean()
check.kind(got, torch.Tensor)
check.slips(got, right, scored_otherwise, given_p, given_y)
where = partial(where_scored, soft_dice_loss)
check.slips(got, right, shown_otherwise, drawn, given_y, where=where, close=3e-6)
check.close(got, right, "expected: 1 minus the mean of 2·Σpy / (Σp + Σy)")
check.passed("a mean over the classes that are there, each as important as the other")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-soft-dice")
for hidden_name, hidden_classes in (("all", 5), ("absent", 3), ("single", 2)):
    hidden_drawn = probe.given(hidden_name, lambda rng: rng.normal(0, 2, (3, 5, 4, 6)))
    hidden_true = probe.given(
        f"{hidden_name}-true", lambda rng, n=hidden_classes: rng.integers(0, n, (3, 4, 6))
    )
    if hidden_name == "single":
        hidden_true[1, 2, 3] = 4  # a class of one pixel
    hidden_both = torch.from_numpy(hidden_drawn).float(), torch.from_numpy(hidden_true)
    hidden_cost = probe.call(soft_dice_loss, *hidden_both)
    hidden_about = f"other logits of 5 classes, of the first {hidden_classes} in the target"
    probe.emit(hidden_name, hidden_cost, hidden_about, close=1e-4, kind=True)
### END HIDDEN TESTS

# %% check-soft-dice-2 points=1
check = Check("soft-dice")
rare = -2 * given_y.float()  # the truth is nearly always missed
got, right = check.call(soft_dice_loss, 3 * rare, maps), dice((3 * rare).softmax(1), given_y)
present = "a class is present where Σy > 0, however little of it is hit"
check.close(got, 1 - right[:4].mean(), present)
gap = maps.where(maps != 1, 0)  # no class 1, but classes 2 and 3
got, right = check.call(soft_dice_loss, drawn, gap), dice(given_p, F.one_hot(gap, 5).movedim(-1, 1))
further = "class 1 is absent here, and later ones are not: go on to the last, no `break`"
check.close(got, 1 - right[[0, 2, 3]].mean(), further)
leaf = drawn.clone().requires_grad_()
got, right = check.call(soft_dice_loss, leaf, maps), 1 - dice(leaf.softmax(1), given_y)[:4].mean()
check.that(got.requires_grad, "the loss has no gradient: no detach, item or torch.tensor(…)")
slopes = [torch.autograd.grad(value, leaf)[0] for value in (got, right)]
check.close(*slopes, "right value, another gradient: detach nothing")
check.passed("over the batch as a whole, and with a gradient")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-soft-dice-2")
for hidden_name, hidden_classes in (("all", 5), ("absent", 3)):
    hidden_drawn = probe.given(hidden_name, lambda rng: rng.normal(0, 2, (3, 5, 4, 6)))
    hidden_true = probe.given(
        f"{hidden_name}-true", lambda rng, n=hidden_classes: rng.integers(0, n, (3, 4, 6))
    )
    hidden_scores = torch.from_numpy(hidden_drawn).float().requires_grad_()
    hidden_cost = probe.call(soft_dice_loss, hidden_scores, torch.from_numpy(hidden_true))
    hidden_cost.backward()
    hidden_about = f"the gradient, with the first {hidden_classes} of 5 classes in the target"
    probe.emit(f"{hidden_name}-slope", 10 * hidden_scores.grad, hidden_about, close=1e-4)
hidden_drawn = probe.given("few", lambda rng: rng.normal(0, 2, (1, 4, 1, 3)))  # shows what is added
hidden_true = probe.given("few-true", lambda rng: rng.integers(0, 3, (1, 1, 3)))
hidden_cost = probe.call(
    soft_dice_loss, torch.from_numpy(hidden_drawn).float(), torch.from_numpy(hidden_true)
)
probe.emit("few-pixels", hidden_cost, "three pixels", close=1e-5)
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the steps of the Jaccard loss
#
# Dice is made for F1. Is there a loss for **IoU**, the score of this course? The Jaccard loss of a class, $1 - \mathrm{IoU}$, is defined where each pixel is either right or wrong.
# Berman, Triki and Blaschko (2018) extend it to errors between 0 and 1 by its <dfn>Lovász extension</dfn>: at the corners (all errors 0 or 1) that equals the Jaccard loss; between them it is
# linear as long as the order of the errors stays the same; and it is convex in the errors.
#
# The recipe is short. Let $m_i$ be the error of pixel $i$. Sort the pixels, worst first. Then let them go wrong *one after the other* and note by how much each increases
# the Jaccard loss: that is its weight $g_i$. The loss is $\sum_i m_i \, g_i$.
#
# After the first $i$ pixels have gone wrong (*foreground* are the pixels that truly belong to the class),
#
# $$ J_i = 1 - \frac{\text{foreground} - (\text{foreground among the first } i)}{\text{foreground} + (\text{background among the first } i)}, \qquad g_i = J_i - J_{i-1}, \quad J_0 = 0 $$
#
# since a foreground pixel that is wrong leaves the intersection, and a background pixel that is wrong joins the union. Try it by hand on four pixels, foreground, background, foreground,
# background: the intersection goes 1, 1, 0, 0, the union 2, 3, 3, 4, so $J$ is 1/2, 2/3, 1, 1 and $g$ is 1/2, 1/6, 1/3, 0.
#
# <details><summary>Hint 1</summary>
#
# `foreground.cumsum(0)` counts the foreground pixels among the first 1, 2, 3, …; `(~foreground).cumsum(0)` those of the background.
# </details>
# <details><summary>Hint 2</summary>
#
# Compute all $J_i$ at once. Their differences lack the first one, $J_1 - 0$.
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.diff(jaccard, prepend=torch.zeros(1))` puts the zero in front (on a GPU, `jaccard.new_zeros(1)`).
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.losses import lovasz_gradient` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>

# %% tags=["folded"]
plots.diagram(
    """
    (foreground: P, worst error first)
    intersection: P, after each pixel | union: P, after each pixel
    J: Jaccard loss: P
    g: each step of J: P
    """
)


# %% lovasz-gradient minutes=25 difficulty="hard"
def lovasz_gradient(foreground: torch.Tensor) -> torch.Tensor:
    """What each pixel adds to the Jaccard loss when they go wrong in this order.

    Args: foreground (P,) bool, sorted by falling error, at least one of them True. Returns (P,).
    """
    ### BEGIN SOLUTION
    size = foreground.sum()
    intersection = size - foreground.cumsum(0)
    union = size + (~foreground).cumsum(0)
    jaccard = 1 - intersection / union
    return torch.diff(jaccard, prepend=jaccard.new_zeros(1))
    ### END SOLUTION


# %% check-lovasz-gradient points=2
from coursekit.checks.mistakes.crashes_training import CRASHES
from coursekit.checks.mistakes.lovasz_steps import stepped_otherwise, where_stepped

check = Check("lovasz-gradient")
for known in CRASHES["lovasz-gradient"]:
    check.crashes(*known)
four, mixed = torch.tensor([True, False, True, False]), torch.arange(13) % 7 % 3 == 0
divided = "a step is infinite: the union, below, is never 0: size + (~foreground).cumsum(0), with brackets"  # fmt: skip
for pixels in (mixed, four):
    got = check.call(lovasz_gradient, pixels)
    check.kind(got, torch.Tensor)
    right = losses.lovasz_gradient(pixels)
    check.slips(got, right, stepped_otherwise, pixels)
    check.that(torch.isfinite(got), divided)
    check.shape(got, (len(pixels),), "a step for each pixel")
    if pixels is mixed:
        first = "the first pixel is foreground, and J after it 1/n: its step is not"
        check.close(got[0], right[0], first)
        check.that(got >= -1e-6, "a step is negative: no wrong pixel ever lowers the loss")
        message = "when all pixels are wrong the loss is 1, so the steps sum to 1"
        check.close(got.sum(), 1, message)
        check.close(got, right, where_stepped(got, pixels))
    check.close(got, right, "expected: the steps of the four pixels above")
for case, steps in (([True], [1]), ([False, True], [0.5, 0.5]), ([True, True], [0.5, 0.5])):
    got = check.call(lovasz_gradient, torch.tensor(case))
    check.close(got, steps, f"expected: other steps when foreground is {case}")
check.passed("foreground and background pixels have their own price")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-lovasz-gradient")
for hidden_name, hidden_share, hidden_length in (
    ("many", 0.8, 50),
    ("few", 0.1, 60),
    ("short", 0.5, 3),
):
    hidden_drawn = probe.given(
        hidden_name, lambda rng, s=hidden_share, n=hidden_length: rng.random(n) < s
    )
    hidden_drawn[len(hidden_drawn) // 2] = True
    hidden_steps = probe.call(lovasz_gradient, torch.from_numpy(hidden_drawn))
    probe.emit(hidden_name, hidden_steps, f"{hidden_length} other pixels", close=1e-4, kind=True)
for hidden_name, hidden_kind in (("one", [True]), ("all", [True] * 4), ("last", [False, True])):
    hidden_steps = probe.call(lovasz_gradient, torch.tensor(hidden_kind))
    hidden_about = "pixels of which all, or the last, are of the class"
    probe.emit(hidden_name, hidden_steps, hidden_about, close=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# For two pixels the whole surface fits on paper. One belongs to the class and one does not. At the corners stands the Jaccard loss; the lines are the Lovász
# extension between them.

# %%
axis = torch.linspace(0, 1, 41)
surface = torch.zeros(41, 41)
for i, wrong_one in enumerate(axis):  # the error of the foreground pixel
    for j, false_one in enumerate(axis):  # the error of the background pixel
        m, order = torch.stack([wrong_one, false_one]).sort(descending=True)
        surface[j, i] = m @ lovasz_gradient(torch.tensor([True, False])[order])
figure, axes = plt.subplots(figsize=(3.6, 3.2), layout="constrained")
lines = axes.contour(axis, axis, surface, levels=np.linspace(0.1, 0.9, 9), colors=plots.BLUE)
axes.clabel(lines, fontsize=7)
for x, y, corner in ((0, 0, "0"), (1, 0, "1"), (0, 1, "1/2"), (1, 1, "1")):
    axes.text(x, y, corner, ha="center", va="center", color=plots.RED, fontsize=11, weight="bold")
axes.set(xlabel="error of the foreground pixel", ylabel="error of the background pixel")
axes.set(xlim=(-0.08, 1.08), ylim=(-0.08, 1.08), aspect="equal")
plt.close(figure)
figure

# %% [markdown]
# Below the diagonal the foreground pixel is the worse one: it alone sets the loss (vertical lines). Above it, both do.
#
# ## Exercise 5: Lovász-Softmax
#
# Put it together. For each class that occurs in the target, over all pixels of the batch:
#
# 1. the error of a pixel is $1 - p_c$ where the class is true, and $p_c$ elsewhere;
# 2. sort the errors, largest first, and bring `foreground` into the same order;
# 3. multiply by the steps of exercise 4, and sum.
#
# The loss is the mean over these classes. (The paper's equation divides by all classes; its public code leaves absent ones out, and so do we.) The order and the steps count as
# fixed: the gradient flows through the errors alone.
#
# <details><summary>Hint 1</summary>
#
# `reshape` does not move dimensions. From (B, C, H, W) to (pixels, C) the way is `movedim(1, -1)` first, then `flatten(0, 2)`.
# </details>
# <details><summary>Hint 2</summary>
#
# `errors, order = errors.sort(descending=True)` gives the order too, and `foreground[order]` follows it.
# </details>
# <details><summary>Hint 3</summary>
#
# `for c in target.unique():` visits the classes that occur. `errors = (foreground.to(p) - p[:, c]).abs()`. Collect `(errors * lovasz_gradient(foreground[order])).sum()` in a list, `torch.stack` it, take the mean.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.losses import lovasz_softmax` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>

# %% tags=["folded"]
plots.diagram(
    """
    (logits: B × C × H × W) | (target: B × H × W)
    p: softmax: P × C, P = B · H · W | foreground: P, of class c
    errors: P, of class c
    sorted errors m: P | sorted foreground: P
    | lovasz_gradient: g: P
    Σ m · g: one number a class
    mean: over the classes in the target
    """,
    """logits > p > errors > sorted errors m > Σ m · g > mean, target > foreground > errors,
    errors > sorted foreground > lovasz_gradient > Σ m · g""",
)


# %% lovasz-softmax minutes=25 difficulty="hard"
def lovasz_softmax(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Lovász-Softmax over the batch, the mean over the classes in the target.

    Args: logits (B, C, H, W); target (B, H, W) int64 class ids. Returns a scalar.
    """
    ### BEGIN SOLUTION
    p = logits.softmax(dim=1).movedim(1, -1).flatten(0, 2)  # (B·H·W, C)
    target = target.flatten()
    costs = []
    for c in target.unique():
        foreground = target == c
        errors = (foreground.to(p) - p[:, c]).abs()
        errors, order = errors.sort(descending=True)
        costs.append((errors * lovasz_gradient(foreground[order])).sum())
    return torch.stack(costs).mean()
    ### END SOLUTION


# %% check-lovasz-softmax points=1
from coursekit.checks.mistakes.crashes_training import CRASHES
from coursekit.checks.mistakes.lovasz import lovasz, softened_otherwise, where_softened

check = Check("lovasz-softmax")
for known in CRASHES["lovasz-softmax"]:
    check.crashes(*known)
torch.manual_seed(0)
drawn, maps = 2 * torch.randn(2, 5, 3, 4), torch.randint(0, 4, (2, 3, 4))  # no class 4
drawn[:, 3] += 1  # so that the last class is not the worst
got = check.call(lovasz_softmax, drawn, maps)
check.kind(got, torch.Tensor)
right, where = lovasz(drawn, maps), partial(where_softened, lovasz_softmax)
check.slips(got, right, softened_otherwise, drawn, maps, close=3e-6)
moved = check.call(lovasz_softmax, drawn + 1, maps)
check.close(moved, got, "all logits plus 1 cost something else: the softmax is missing", atol=1e-4)
check.slips(got, right, lambda: (), where=where)
check.close(got, right, "expected: Lovász-Softmax; go through its three steps")
check.passed("the errors, sorted, times the steps of the Jaccard loss")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-lovasz-softmax")
for hidden_name, hidden_classes in (("all", 5), ("absent", 3)):
    hidden_drawn = probe.given(hidden_name, lambda rng: rng.normal(0, 2, (3, 5, 4, 6)))
    hidden_true = probe.given(
        f"{hidden_name}-true", lambda rng, n=hidden_classes: rng.integers(5 - n, 5, (3, 4, 6))
    )
    hidden_both = torch.from_numpy(hidden_drawn).float(), torch.from_numpy(hidden_true)
    hidden_cost = probe.call(lovasz_softmax, *hidden_both)
    hidden_about = f"other logits of 5 classes, of which {hidden_classes} occur"
    probe.emit(hidden_name, hidden_cost, hidden_about, close=1e-4, kind=True)
### END HIDDEN TESTS

# %% check-lovasz-softmax-2 points=1
check = Check("lovasz-softmax")
for known in CRASHES["lovasz-softmax"]:
    check.crashes(*known)
got = check.call(lovasz_softmax, drawn.requires_grad_(), maps)
check.that(got.requires_grad, "the loss has no gradient: no detach, item or torch.tensor(…)")
slopes = [torch.autograd.grad(value, drawn)[0] for value in (got, lovasz(drawn, maps))]
check.close(*slopes, "right value, another gradient: detach nothing")
maps[:] = 2
alone = "the only class is 2: visit `target.unique()`, no other ids, and divide by their number"
got = check.call(lovasz_softmax, drawn, maps)
check.close(got, lovasz(drawn, maps), alone)
check.passed("over the batch as a whole, and with a gradient")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-lovasz-softmax-2")
for hidden_name, hidden_classes in (("all", 5), ("absent", 3), ("one", 1)):
    hidden_drawn = probe.given(hidden_name, lambda rng: rng.normal(0, 2, (3, 5, 4, 6)))
    hidden_true = probe.given(
        f"{hidden_name}-true", lambda rng, n=hidden_classes: rng.integers(0, n, (3, 4, 6))
    )
    hidden_scores = torch.from_numpy(hidden_drawn).float().requires_grad_()
    hidden_cost = probe.call(lovasz_softmax, hidden_scores, torch.from_numpy(hidden_true))
    hidden_cost.backward()
    hidden_about = f"the gradient, with {hidden_classes} of 5 classes in the target"
    probe.emit(f"{hidden_name}-slope", 10 * hidden_scores.grad, hidden_about, close=1e-4)
### END HIDDEN TESTS

# %% [markdown]
# ## Which loss belongs to which metric?
#
# Take a prediction with probabilities 0 and 1, in which about a sixth of the pixels are wrong. Dice and Lovász then *are* metrics, subtracted from 1.

# %%
generator = torch.Generator().manual_seed(0)
truth = torch.randint(0, 6, (4, 20, 20), generator=generator)
wrong = torch.rand(truth.shape, generator=generator) < 0.2
called = torch.where(wrong, torch.randint(0, 6, truth.shape, generator=generator), truth)
certain = 1000.0 * F.one_hot(called, 6).movedim(-1, 1)
table = metrics.confusion_matrix(called, truth, 6)
same = abs(float(soft_dice_loss(certain, truth)) - (1 - metrics.mean_f1(table))) < 1e-4
print("Dice loss is 1 - mean F1:    ", same)
same = abs(float(lovasz_softmax(certain, truth)) - (1 - metrics.mean_iou(table))) < 1e-4
print("Lovász loss is 1 - mean IoU: ", same)

# %% [markdown]
# | loss | a sum over pixels | when it is small, this is large |
# |---|---|---|
# | cross-entropy | yes | the probability of the truth, pixel by pixel: all pixels alike |
# | cross-entropy with $1/f$ | yes | the same, class by class: near the mean **recall** |
# | focal | yes | like cross-entropy, with the known pixels left out |
# | Dice | no | mean **F1** of the classes in the batch |
# | Lovász | no | mean **IoU** of the classes in the batch |
#
# The last two are scores *of a batch*: the mean of the batches' IoU is another number than the
# pooled IoU (lesson 02). And two GPUs with four faces each do not compute the Dice loss of eight.
#
# ## What is a necklace pixel worth?
#
# What does each loss charge for a mistake? Take pixels in the true proportions of the course, all predicted rightly but two, where the network
# gives hair and necklace a half each. One truly is necklace (missed), the other hair (false). How hard do they pull at the logit of the necklace, the missed one
# up and the false one down?

# %%
scene = torch.repeat_interleave(torch.arange(19), torch.from_numpy(COUNTS // 20_000))[None, None]
missed = (scene == NECKLACE).nonzero()[0, 2]
false = (scene == HAIR).nonzero()[0, 2]
unsure = torch.stack([missed, false])
sure = 12.0 * F.one_hot(scene, 19).movedim(-1, 1)  # (1, 19, 1, pixels)
sure[0, NECKLACE, 0, unsure], sure[0, HAIR, 0, unsure] = 12.0, 12.0001
weighted = losses.WeightedCrossEntropy
PRICED = {
    "cross-entropy": F.cross_entropy,
    "Eq. 3": weighted(losses.class_weights(COUNTS)),
    "1 / f": weighted(losses.inverse_frequency_weights(COUNTS)),
    "focal": focal_loss,
    "Dice": soft_dice_loss,
    "Lovász": lovasz_softmax,
}
for name, loss in PRICED.items():
    at = sure.clone().requires_grad_()
    (pulls,) = torch.autograd.grad(loss(at, scene), at)
    up, down = -pulls[0, NECKLACE, 0, missed], pulls[0, NECKLACE, 0, false]
    print(f"{name:<14} a missed pixel pulls {up / down:>8,.1f} times as hard as a false one")

# %% [markdown]
# The weights of $1/f$ ask for a necklace wherever there is a small chance of one. Dice and Lovász charge nearly as much for a false pixel as for a missed one, because both stand in the denominator of the same small class.
#
# And who pulls, at the start and later? Here are the shares of the classes in eight faces, for a network that knows nothing and for one that is 75 % sure of the truth everywhere:


# %%
def pulls(loss: nn.Module, faces: torch.Tensor, height: float) -> torch.Tensor:
    """Share of the pull of each class, for logits of this height at the truth and 0 elsewhere."""
    at = (height * F.one_hot(faces, NUM).movedim(-1, 1)).float().requires_grad_()
    (slope,) = torch.autograd.grad(loss(at, faces), at)
    size = slope.gather(1, faces[:, None])[:, 0].abs()
    sums = torch.stack([size[faces == c].sum() for c in range(NUM)])
    return sums / sums.sum()


# %%
faces = torch.from_numpy(learnt_from.label_maps[:8]).long()
seen = [c for c in np.argsort(-counts) if (faces == c).any()]
inverse = weighted(losses.inverse_frequency_weights(counts))
figure, both = plt.subplots(1, 2, figsize=(7.5, 3.0), sharey=True, layout="constrained")
for axes, height, title in zip(both, (0.0, 4.0), ("knows nothing", "75 % sure"), strict=True):
    for name, loss, colour in (
        ("cross-entropy", F.cross_entropy, plots.GREY),
        ("1 / f", inverse, plots.RED),
        ("Dice", soft_dice_loss, plots.BLUE),
        ("Lovász", lovasz_softmax, "black"),
    ):
        axes.plot(100 * pulls(loss, faces, height)[seen], color=colour, lw=1.5, label=name)
    axes.set_xticks(range(len(seen)), [LABELS.titles[c] for c in seen], rotation=90, fontsize=7)
    axes.set(yscale="log", title=title)
    axes.spines[["top", "right"]].set_visible(False)
both[0].set_ylabel("share of the pull, %")
both[1].legend(frameon=False, fontsize=8)
plt.close(figure)
figure

# %% [markdown]
# Lovász is even in *each* batch, and needs no counts. Dice begins much closer to
# cross-entropy: at first $\sum p_c$ is a nineteenth of all pixels of the batch, and a necklace is lost in that denominator. It becomes more even as the
# network grows surer.
#
# ## The comparison
#
# Six losses, one small network: lesson 02's U-Net, narrower, with a single convolution a level and batch normalisation.


# %%
def block(a: int, b: int) -> nn.Sequential:
    """3×3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())


class Pocket(nn.Module):
    """A U-Net for a pocket: (B, 3, H, W) → (B, num_classes, H, W); H and W divide by 8."""

    def __init__(self, num_classes: int, widths: tuple = (16, 24, 32, 48)) -> None:
        super().__init__()
        self.down = nn.ModuleList(block(a, b) for a, b in pairwise((3, *widths)))
        self.bottom = block(widths[-1], widths[-1])
        self.up = nn.ModuleList(block(a + b, b) for a, b in pairwise(widths[::-1]))
        self.head = nn.Conv2d(widths[0], num_classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        skips = [self.down[0](image)]
        for down in self.down[1:]:
            skips.append(down(F.max_pool2d(skips[-1], 2)))
        x = self.bottom(skips.pop())
        for up in self.up:
            x = up(torch.cat([skips.pop(), F.interpolate(x, scale_factor=2)], dim=1))
        return self.head(x)


# %% [markdown]
# In a fair comparison these are the same: the first weights, the images of each step (both hang on the seed), the number of steps, the optimiser and its rate. Adam divides by the size of the gradient, so it does not matter that one loss is ten times as large as another; with SGD each loss would
# need a rate of its own.
#
# Besides the mean IoU the table below shows mean recall and mean precision over the classes that occur, and for the rarest class how many pixels were predicted and how
# many of those are right. With more than one seed it shows the spread (standard deviation).

# %%
WHITE = whitening(learnt_from)


def tensors(arrays: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    """All whitened images (N, 3, S, S) and their targets (N, S, S)."""
    view = TrainingView(arrays, SIZE, WHITE)
    items = [view[i] for i in range(len(view))]
    stacked = torch.stack([i["image"] for i in items]), torch.stack([i["target"] for i in items])
    return stacked[0].contiguous(memory_format=torch.channels_last), stacked[1]


def trained(loss: nn.Module, seed: int) -> nn.Module:
    """A network after SIZES["steps"] steps with this loss."""
    torch.manual_seed(seed)
    network = Pocket(NUM).to(DEVICE, memory_format=torch.channels_last)
    adam = torch.optim.Adam(network.parameters(), RATE)
    for _ in range(SIZES["steps"]):
        chosen = torch.randint(len(images), (BATCH,))  # from the same seed for every loss
        adam.zero_grad()
        loss(network(images[chosen].to(DEVICE)), targets[chosen].to(DEVICE)).backward()
        adam.step()
    return network.eval()


# %% tags=["slow"]
images, targets = tensors(learnt_from)
unseen, truths = tensors(held_out)
COMPARED = {
    "cross-entropy": F.cross_entropy,
    "Eq. 3": weighted(losses.class_weights(counts)).to(DEVICE),
    "1 / f": weighted(losses.inverse_frequency_weights(counts)).to(DEVICE),
    "focal": focal_loss,
    "Dice": soft_dice_loss,
    "Lovász": lovasz_softmax,
}
matrices, predictions = {name: [] for name in COMPARED}, {}
for name, loss in tqdm(COMPARED.items(), "losses", leave=False):
    for seed in range(SIZES["seeds"]):
        network = trained(loss, seed)
        with torch.no_grad():
            parts = [network(part.to(DEVICE)).argmax(1).cpu() for part in unseen.split(20)]
        predictions[name] = torch.cat(parts)
        matrices[name].append(metrics.confusion_matrix(predictions[name], truths, NUM))
print("runs:", sum(len(each) for each in matrices.values()))

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
RARE = int(np.where(counts > 0, counts, counts.max()).argmin())


def spread(values: list) -> str:
    """Mean ± standard deviation, in per cent."""
    more = f" ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{100 * np.mean(values):.1f}{more}"


there = int((truths == RARE).sum())
print(f"{'':<14}{'mean IoU':>11}{'accuracy':>11}{'recall':>11}{'precision':>11}", end="")
print(f"   {LABELS.titles[RARE]}: predicted, right (of {there})")
for name, tables in matrices.items():
    occur = [metrics.present(m) for m in tables]
    means = [spread([metrics.mean_iou(m) for m in tables])]
    means += [spread([metrics.pixel_accuracy(m) for m in tables])]
    for part in (metrics.recall, metrics.precision):
        means.append(spread([float(part(m)[o].mean()) for m, o in zip(tables, occur, strict=True)]))
    rare = f"{int(tables[0][:, RARE].sum()):>8}, {int(tables[0][RARE, RARE])}"
    print(f"{name:<14}{means[0]:>11}{means[1]:>11}{means[2]:>11}{means[3]:>11}   {rare}")

# %% tags=["slow"]
table = 100 * np.stack([np.mean([metrics.iou(m) for m in each], 0) for each in matrices.values()])
columns = np.argsort(-counts)
figure, axes = plt.subplots(figsize=(7.5, 2.7), layout="constrained")
axes.imshow(table[:, columns], cmap="Blues", vmin=0, vmax=100, aspect="auto")
for i, j in np.ndindex(table.shape):
    value = table[i, columns[j]]
    colour = "white" if value > 55 else "black"
    axes.text(j, i, f"{value:.0f}", ha="center", va="center", fontsize=7, color=colour)
axes.set_yticks(range(len(table)), matrices)
axes.set_xticks(range(NUM), [LABELS.titles[c] for c in columns], rotation=50, ha="right")
axes.set_title("IoU of each class, %; most frequent classes on the left", fontsize=9)
plt.close(figure)
figure

# %% tags=["slow"]
rows = []
for i in (truths == RARE).sum((1, 2)).argsort(descending=True)[:3].tolist():
    row = {"image": held_out.images[i], "truth": held_out.label_maps[i]}
    for name in ("cross-entropy", "1 / f", "Dice", "Lovász"):
        row[name] = predictions[name][i].numpy().astype(np.uint8)
    rows.append(row)
plots.panels(rows, LABELS)

# %% [markdown]
# ## What was learnt, and what one run does not prove
#
# Which losses leave parts of the faces out, which draw them too large, and what does each gain? In numbers of your own run:

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
scores = {n: np.array([100 * metrics.mean_iou(m) for m in each]) for n, each in matrices.items()}
for name, tables in matrices.items():
    there, called = tables[0].sum(1).numpy(), tables[0].sum(0).numpy()
    drawn = called[there > 0] > 0
    times = np.median((called / there.clip(1))[there > 0][drawn])
    gains = scores[name] - scores["cross-entropy"]  # seed by seed
    if name == "cross-entropy":
        said = "the one to beat"
    elif len(gains) < 2:
        said = f"{gains[0]:+.1f} points: one seed, so whether this is more than luck is unknown"
    elif abs(gains.mean()) > 2 * gains.std(ddof=1) / len(gains) ** 0.5:
        said = f"{gains.mean():+.1f} points, a {'gain' if gains.mean() > 0 else 'loss'} beyond the seeds"
    else:
        said = f"{gains.mean():+.1f} points, within what seeds differ: unknown"
    print(
        f"{name:<14}{drawn.sum():>3} of {len(drawn)} classes, {times:.1f} times their size; {said}"
    )

# %% [markdown]
# On the quick tier each row is a single run; another seed gives another number. *Labelled example, measured by the course*: five seeds of 150 steps of eight faces
# (`COURSEKIT_SIZES='{"train": 160, "batch": 8, "steps": 150, "seeds": 5}'` does so on yours; mean ± standard deviation, in per cent; the last column is the mean number of classes, of 19, with an IoU of exactly 0):
#
# | loss | mean IoU | accuracy | recall | precision | classes at 0 |
# |---|---|---|---|---|---|
# | cross-entropy | 21.0 ± 1.0 | 78.1 ± 1.7 | 26.3 ± 1.5 | 30.9 ± 2.5 | 10.2 |
# | Eq. 3 | 25.4 ± 1.9 | 78.3 ± 1.9 | 34.5 ± 3.0 | 40.5 ± 4.5 | 6.0 |
# | 1 / f | 29.1 ± 1.0 | 61.3 ± 3.4 | 68.8 ± 0.8 | 36.3 ± 1.3 | 0.8 |
# | focal | 23.2 ± 2.1 | 76.9 ± 1.3 | 30.1 ± 2.7 | 38.2 ± 6.2 | 7.4 |
# | Dice | 41.4 ± 1.0 | 78.7 ± 0.6 | 54.6 ± 1.2 | 54.3 ± 2.0 | 2.6 |
# | Lovász | 40.5 ± 0.9 | 76.0 ± 1.6 | 61.4 ± 0.8 | 48.4 ± 1.2 | 2.6 |
# | cross-entropy + Lovász | 29.9 ± 3.4 | 77.9 ± 1.2 | 42.3 ± 5.7 | 39.9 ± 4.5 | 5.8 |
# | cross-entropy + Dice | 27.0 ± 3.0 | 77.4 ± 3.6 | 35.7 ± 4.6 | 40.6 ± 3.2 | 6.6 |
#
# In that example, **Dice and Lovász** gain 20 points on cross-entropy, where seeds differ by one; which of the two is better, five seeds cannot say. **$1/f$** has the best recall and has lost 17 points of accuracy: it finds nearly every class and then paints too much of it. **Focal loss** differs by one or two spreads only. **The necklace** is found by no loss (IoU 0.0 or 0.1 %): at 48² it is hardly seen, and that takes resolution and data, not weights.
#
# And how much of this is too little training? After 1,000 steps in place of 150 (one seed) cross-entropy had 42.6 % mean IoU, $1/f$ 40.1, Dice 48.3, Lovász 47.0. Cross-entropy learns small classes, too, only later.
#
# ## The paper says, we measured

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

score = {name: np.mean([metrics.mean_iou(m) for m in each]) for name, each in matrices.items()}
found = {n: np.mean([metrics.iou(m)[RARE] for m in each]) for n, each in matrices.items()}
gain = 100 * (score["Eq. 3"] - score["cross-entropy"])
Markdown(f"""
| what | the paper | here, {TIER} tier |
|---|---|---|
| the rarest class without weights | sometimes 0 % (course report) | {100 * found["cross-entropy"]:.1f} % |
| the rarest class with Eq. 3 | mostly below 6 % (course report) | {100 * found["Eq. 3"]:.1f} % |
| what Eq. 3 adds to the mean IoU | not given | {gain:+.1f} points |
| weights of $1/f$ | can make training diverge (course report) | {100 * score["1 / f"]:.1f} % mean IoU |
| Lovász against cross-entropy | better IoU on Pascal VOC and Cityscapes (Berman et al.) | {100 * (score["Lovász"] - score["cross-entropy"]):+.1f} points |
""")

# %% [markdown]
# ## The library twin
#
# torch has no Dice, Lovász or multi-class focal loss. `segmentation_models_pytorch` (smp) has all three. Do they compute what you wrote?

# %%
import segmentation_models_pytorch as smp

drawn = torch.randn(2, 6, 8, 8, generator=torch.Generator().manual_seed(0))
every = torch.arange(128).reshape(2, 8, 8) % 6  # all six classes
fewer = every % 4  # four of them
smp_dice, smp_lovasz = smp.losses.DiceLoss("multiclass"), smp.losses.LovaszLoss("multiclass")
smp_focal = smp.losses.FocalLoss("multiclass", gamma=0.0)
yes_no = F.one_hot(every, 6).movedim(-1, 1).float()
for what, theirs, ours in (
    ("Lovász", smp_lovasz(drawn, fewer), lovasz_softmax(drawn, fewer)),
    ("Dice, all six classes there", smp_dice(drawn, every), soft_dice_loss(drawn, every)),
    ("Dice, two of six absent", smp_dice(drawn, fewer), soft_dice_loss(drawn, fewer)),
    ("  the same, times 4/6", smp_dice(drawn, fewer), soft_dice_loss(drawn, fewer) * 4 / 6),
    ("focal, γ = 0: cross-entropy", smp_focal(drawn, every), F.cross_entropy(drawn, every)),
    (
        "  yes or no for each class",
        smp_focal(drawn, every),
        F.binary_cross_entropy_with_logits(drawn, yes_no),
    ),
):
    print(f"{what:<30} agrees: {bool(torch.isclose(theirs, ours, rtol=1e-4))}")

# %% [markdown]
# Two of the three compute something else. smp's Dice counts an absent class as a loss of 0 and divides by all classes. Its focal loss asks "is it hair, yes or no?" once for each class, as the paper's detector does. Read what a loss does before you quote its name.
#
# | prefer | when |
# |---|---|
# | `F.cross_entropy` | always, as the first thing to beat |
# | `smp.losses` | you want a dozen losses to try, with binary and multi-label modes |
# | `coursekit.losses` | pixels of 255, absent classes and half precision must behave as documented here: `coursekit train … --loss dice` |
# | your own | you need to say exactly what it computes |
#
# ## What to try next
#
# - **Mix.** `lambda a, b: F.cross_entropy(a, b) + lovasz_softmax(a, b)`. Which of the two do its results resemble?
# - **Start with cross-entropy.** Half of the steps with it, then half with Lovász. Is it better than all steps with either?
# - **Between the extremes.** Weights of $f^{-a}$ with $a$ from 0 to 1: at which $a$ is the mean IoU best? And the mean recall?
# - **Undo the weights.** Train with $1/f$, then subtract $\log w_c$ from the logits before the arg-max. (Why that?) How much of the accuracy comes back?
# - **More seeds.** Set `SIZES["seeds"]` to 5. Which differences in the table are larger than the spread?
#
# In **lesson 07** comes the rest of the recipe: the optimiser, the rate, and when to stop.

# %% quiz [markdown]
# ### At the very start of training with plain cross-entropy, how hard does each *class* pull at the weights?
#
# - [ ] All alike, since the loss treats classes alike
#   It treats *pixels* alike. A class has as many voices as pixels.
# - [x] In proportion to its number of pixels
#   Every pixel pulls its class up by 18/19, so a class pulls as often as it occurs: the necklace has 0.015 % of the pull.
# - [ ] Rare classes pull hardest, because they are predicted worst
#   At the start *everything* is predicted equally badly.
#
# ### With weights of 1/f the necklace gets a fair share of the pull. What does it cost?
#
# - [ ] Nothing, but the report did not try it
#   It warns of it, and you computed three prices without training anything.
# - [ ] Recall: rare classes are found less often
#   The other way round: recall is what it raises.
# - [x] Precision: where a necklace is barely possible, the network is told to call one
#   A missed necklace pixel costs as much as 2,088 hair pixels painted as necklace, so painting is cheap. IoU punishes that.
#
# ### What does focal loss make of a rare class?
#
# - [x] Nothing by itself: it looks at how *hard* a pixel is, not at how rare its class is
#   At the start all pixels are equally hard, and each class keeps its share. The blurred border of the hair is hard, too, and large.
# - [ ] It gives it the same share as every other class
#   That is 1/f, or Lovász in each batch.
# - [ ] It leaves it out, since rare pixels are easy
#   Rare pixels are mostly hard, so they keep their weight. But so do all other hard ones.
#
# ### Two GPUs hold half of a batch each. Why may their Dice losses not be averaged?
#
# - [ ] Because the GPUs round differently
#   That would be a difference in the last digit.
# - [x] Because Dice is a quotient of sums over the batch, and a mean of quotients is another number
#   Cross-entropy is a sum over pixels, so it can be put together from parts. Dice and Lovász score the batch as a whole.
# - [ ] Because each GPU has other weights
#   They hold the same weights; that is what makes them work on one training.
#
# ### After 150 steps Dice leads cross-entropy by 20 points of mean IoU, after 1,000 steps by about 5. What do you conclude?
#
# - [ ] Dice overfits when it is trained for longer
#   It went on rising. What changed is that the other caught up.
# - [ ] The second run must have had a bad seed
#   One seed is little, but 15 points are far more than seeds differ by here.
# - [x] A part of the lead was speed: cross-entropy learns small classes, too, only later
#   So "which loss is better?" has no answer without "after how many steps?".

# %% [markdown]
# {{links}}
