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
# # 5 · SegFormer, built by hand
#
# A convolution looks at its neighbours. In this lesson every pixel may look at every other one, and learns at whom to look.
# You write that (it is two lines), find out how much memory it costs, save most of it without changing the result, and build the best of
# the report's four networks around it.
#
# | | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 48 rendered faces, 48² | CelebAMask-HQ, for example the course's 5,000 photos, 512² |
# | computing | {{computing}} | the report: 85 epochs, 15 to 21 hours on one GPU (see the end) |
# | memory | {{memory}} | the report asks for 20 GB of GPU memory; you will see why, and need far less |
#
# **You will be able to**
# - write attention from its equation, and say what each letter in it is for;
# - compute what the full matrix costs, and get the same numbers without ever holding it;
# - say how a transformer knows *where* a pixel lies, and why SegFormer takes images of any size;
# - tell layer from batch normalisation, and place either in a residual block;
# - compare networks by parameters, multiplications and time, and know why these are three things.
#
# **Before this** come lesson 02 (a network, its loss, its score) and, for the words normalisation and depthwise, lessons 03 and 04.
#
# {{links}}
#
# {{papers}}

# %%
import matplotlib.pyplot as plt  # once it is loaded, Jupyter shows figures
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from coursekit import count_parameters, create_model, plots, tier
from coursekit.checks import Check
from coursekit.data import SynthDataset, open_dataset

# %%
TIER, DATA, SIZES = tier.choose(
    train=(48, 5000),
    val=(16, 1000),
    size=(48, 512),
    epochs=(8, 120),
    batch=(4, 2),
    lr=(0.001, 0.001),
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
# ## The idea: ask everyone
#
# Is this dark stroke the left brow or the right one? Lesson 02 answered by pooling until a small kernel saw a large part of the face.
# Lesson 03 spread the kernel out. Both fix *beforehand* where a pixel looks. <dfn title="attention">Attention</dfn> lets each place choose: its answer is a mean over all places, weighted by what it looks for.
#
# Cut the image into $N$ small patches, each described by a vector: a <dfn>token</dfn>. Every token makes three vectors of itself:
#
# - a <dfn>query</dfn> $q$: what am I looking for?
# - a <dfn>key</dfn> $k$: what can be found at my place?
# - a <dfn>value</dfn> $v$: what do I tell those who look at me?
#
# Token $i$ compares its query with every key. The dot product $q_i \cdot k_j$ is large where both point the same way. A softmax turns
# these $N$ scores into $N$ weights that sum to 1, and the answer is the weighted mean of the values. With the queries, keys and values as rows of matrices:
#
# $$ \mathrm{Attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{QK^\top}{\sqrt d}\right) V $$
#
# $d$ is the length of a query: how many numbers it has.

# %% tags=["folded"]
plots.diagram(
    """
    (Q: N × d) | (K: M × d) | (V: M × c)
    scores: QKᵀ/√d: N × M | |
    weights: softmax: N × M, rows sum to 1 |
    answers: N × c
    """,
    "Q > scores > weights > answers, K > scores, V > answers",
)

# %% [markdown]
# Three tokens, by hand:

# %%
q = torch.tensor([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]])  # what each of them looks for
k = torch.tensor([[4.0, 0.0], [0.0, 4.0], [0.0, 4.0]])  # what is found there
v = torch.tensor([[1.0], [2.0], [3.0]])
weights = (q @ k.T / 2**0.5).softmax(dim=-1)
for row, answer in zip(weights, weights @ v, strict=True):
    shown = "  ".join(f"{weight:.3f}" for weight in row)
    print(f"looks at the three with {shown}  and hears {answer.item():.2f}")

# %% [markdown]
# The first token finds itself. The second finds the second and the third, which have the same key, and hears the mean of 2 and 3. The
# third looks for both kinds of key, finds all three tokens equally good, and hears the mean of everyone.
#
# ## Exercise 1: attention
#
# Write the equation for tensors with any number of dimensions in front. In the network they will be (batch, heads, tokens, $d$). There may be
# fewer keys than queries, and a value may be longer than a key. `F.scaled_dot_product_attention` does all of it in one call; we come to it, so leave it out here.
#
# <details><summary>Hint 1</summary>
#
# The scores are (…, N, M): a row for each query, a column for each key. Whose weights must sum to 1?
# </details>
# <details><summary>Hint 2</summary>
#
# `key.transpose(-2, -1)` turns the last two dimensions round and leaves batch and heads alone. `@` multiplies matrices in the last two.
# </details>
# <details><summary>Hint 3</summary>
#
# $d$ is `query.shape[-1]`. Divide the scores by its root *before* `softmax(dim=-1)`, then multiply by `value`.
# </details>


# %% attention minutes=20 difficulty="medium"
def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """softmax(QKᵀ/√d) V: (…, N, d), (…, M, d) and (…, M, c) → (…, N, c)."""
    ### BEGIN SOLUTION
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5  # (…, N, M)
    return scores.softmax(dim=-1) @ value
    ### END SOLUTION


# %%
def misread(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> list[tuple]:
    """Known mistakes, for queries of length 9: what they give, and what to say."""
    raw, mixed = query @ key.mT, "weights sum to 1 over the {}: it must be over the keys"
    length = "d is the length of a query, not "
    return [
        (raw.softmax(-1) @ value, "the scores are not divided by the root of d"),
        ((raw / 9).softmax(-1) @ value, "you divided by d: it is its root"),
        ((raw * 3).softmax(-1) @ value, "you multiplied by the root of d: divide"),
        (raw.softmax(-1) / 3 @ value, "you divided after the softmax: the weights must sum to 1"),
        ((raw / 7**0.5).softmax(-1) @ value, length + "the number of keys"),
        ((raw / 5**0.5).softmax(-1) @ value, length + "the number of queries"),
        ((raw / 6**0.5).softmax(-1) @ value, length + "of a value"),
        ((raw / 3).softmax(-2) @ value, mixed.format("queries")),
        ((raw / 3).softmax(1) @ value, mixed.format("heads")),
        ((raw / 3).softmax(0) @ value, mixed.format("images")),
        ((raw / 3).exp() @ value, "the weights do not sum to 1: divide by their sum"),
        ((raw / 3).softmax(-1), "these are the weights: multiply them by the values"),
        (raw / 3 @ value, "there is no softmax: the weights must be positive and sum to 1"),
    ]


# %% check-attention points=2
check = Check("attention")
check.forbids("F.scaled_dot_product_attention", because="write the equation")
fit = "matrices do not fit: scores are the query times the key with its last two dimensions turned "
check.crashes(RuntimeError, "Expected size|cannot be multiplied|must match", fit + "round")
count = "matrices without batch and heads have two dimensions: count from the back, -2 and -1"
check.crashes(IndexError, "Dimension out of range", count)
torch.manual_seed(0)
query, key, value = torch.randn(2, 3, 5, 9), torch.randn(2, 3, 7, 9), torch.randn(2, 3, 7, 6)
got = check.call(attend, query, key, value)
for wrong, message in misread(query, key, value):
    check.catches(wrong, got, message)
check.shape(got, (2, 3, 5, 6), "an answer for each query, as long as a value")
check.close(got, F.scaled_dot_product_attention(query, key, value), "expected: softmax(QKᵀ/√d) V")
flat = [part[0, 0, :, :5].double().requires_grad_() for part in (query, key, value)]
single, expected = check.call(attend, *flat), F.scaled_dot_product_attention(*flat)
check.kind(single, torch.Tensor, dtype=torch.float64)
check.close(single, expected, "matrices without batch and heads, of another d, go wrong")
huge = check.call(attend, 300 * query, key, value)
check.that(torch.isfinite(huge), "large scores give no number: use softmax, exp overflows")
check.that(single.requires_grad, "the answer has no gradient: detach nothing")
slopes = [
    torch.autograd.grad(out.square().sum(), flat, allow_unused=True) for out in (single, expected)
]
for name, mine, theirs in zip(("query", "key", "value"), *slopes, strict=True):
    check.that(mine is not None, f"no gradient reaches the {name}: detach nothing")
    check.close(mine, theirs, f"another gradient than the equation's reaches the {name}")
check.passed("every query hears a weighted mean of the values")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-attention")
for name, front, sizes, factor, about in (
    ("square", (2, 3), (5, 5, 4, 4), 1, "as many keys as queries"),
    ("oblong", (3,), (6, 9, 5, 2), 1, "other numbers of queries, keys and values"),
    ("flat", (), (4, 3, 7, 8), 1, "matrices without batch or heads"),
    ("large", (2,), (3, 8, 6, 5), 3000, "very large scores"),
):
    n, m, d, c = sizes
    parts = []
    for letter, shape in (("q", (n, d)), ("k", (m, d)), ("v", (m, c))):
        drawn = probe.given(f"{name}-{letter}", lambda rng, s=front + shape: rng.normal(0, 1, s))
        parts.append(torch.from_numpy(drawn).requires_grad_())
    answered = probe.call(attend, factor * parts[0], parts[1], parts[2])
    probe.emit(name, answered, about, dtype=True)
    answered.square().sum().backward()
    for letter, part in zip("qkv", parts, strict=True):
        probe.emit(f"{name}-{letter}-gradient", part.grad, f"the gradient of {letter}: {about}")
### END HIDDEN TESTS

# %% [markdown]
# ### Why the root of $d$?
#
# If the entries of $q$ and $k$ are independent, with mean 0 and variance 1, their dot product is a sum of $d$ products and has variance $d$. Long vectors would
# give large scores, and the softmax of large scores is nearly 0 everywhere and nearly 1 in one place. There it is flat, and a flat function
# passes hardly any gradient. Dividing by $\sqrt d$ brings the variance back to 1, whatever $d$ is. How much of its attention does a random query give to its favourite among
# 100 random keys?

# %%
generator = torch.Generator().manual_seed(0)
lengths, shares = [2, 4, 8, 16, 32, 64, 128, 256], {"with": [], "without": []}
for d in lengths:
    some = torch.randn(2, 400, 100, d, generator=generator)
    dots = (some[0, :, :1] * some[1]).sum(-1)  # 400 queries, each with 100 keys of its own
    for name, scale in (("with", d**0.5), ("without", 1)):
        shares[name].append((dots / scale).softmax(-1).amax(-1).mean().item())

figure, axes = plt.subplots(figsize=(6.0, 2.6), layout="constrained")
axes.plot(lengths, shares["without"], "o-", color=plots.RED, label="softmax(QKᵀ)")
axes.plot(lengths, shares["with"], "o-", color=plots.BLUE, label="softmax(QKᵀ/√d)")
axes.set(xscale="log", xlabel="d", ylabel="largest weight", ylim=(0, 1))
axes.set_xticks(lengths, lengths)
axes.minorticks_off()
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# Who divides? The SegFormer paper does (its Eq. 1, with $d$ the length of a query in one head; heads follow below). The report prints no equation for attention; its published notebook
# multiplies the scores by $d^{-1/2}$. So all three agree. Where a text leaves its formula out, look into the code before you assume it.
#
# ### One query, on a face
#
# Nothing needs to be learnt to see attention at work. Lay a grid of 24 × 24 patches over a face and let the mean colour of a patch be its query *and* its key. (The photo's own mean is
# taken away and all vectors are made equally long, so that like colours have large dot products.) Where does one patch look?

# %%
drawn = SynthDataset(seed=0, length=60, size=96).sample(8)
photo = torch.from_numpy(drawn.image / 255.0).float()
patches = F.avg_pool2d(photo.permute(2, 0, 1)[None], 4)  # (1, 3, 24, 24)
tokens = F.normalize(patches.flatten(2).transpose(1, 2) - patches.mean((2, 3))[:, None], dim=-1)
eye = torch.eye(576)[None]  # patch j says 1 in place j: the answer is a row of the weights
seen = attend(8 * tokens, 8 * tokens, eye)[0].unflatten(1, (24, 24))

figure, axes = plt.subplots(1, 4, figsize=(7.5, 2.1), layout="constrained")
axes[0].imshow(photo.numpy())
asked = (("skin", 1), ("hat", 14), ("background", 0))
for axis, (name, class_id) in zip(axes[1:], asked, strict=True):
    spots = np.argwhere(drawn.label_map[2::4, 2::4] == class_id)
    row, column = spots[len(spots) // 2]  # one of this class's patches
    axis.imshow(seen[24 * row + column].numpy(), cmap="magma")
    for target, step in ((axes[0], 4), (axis, 1)):
        target.plot((column + 0.5) * step - 0.5, (row + 0.5) * step - 0.5, "c+", markersize=9)
    axis.set_title(f"asked from the {name}", fontsize=9)
for axis in axes:
    axis.set_axis_off()
plots.described(figure, "Where a patch's largest weights lie: the skin's on the face, the hat's on "
                "the hat, the background's around both.")  # fmt: skip

# %% [markdown]
# A patch of skin finds skin, on both cheeks at once and in one step, however far they lie apart. The wall finds the wall on both sides of the head, and some of the clothes. These tokens know
# nothing but colour, so nothing tells them left from right. A trained network makes better queries and keys, and we shall look at its maps at the end.
# That tokens do not know their place is a real problem, and has an exercise of its own.
#
# ### Heads
#
# One softmax looks for one kind of thing. So the channels are cut into groups, **heads**, and each head attends by itself: with 16 channels and 2 heads, two
# attentions with $d = 8$. One dense layer (`nn.Linear`) makes $q$, $k$ and $v$ for all heads, three times the channels, and another mixes the heads' answers. So the number of parameters
# does not depend on the number of heads.
#
# ## The bill
#
# The scores are a matrix with a row and a column for each token. SegFormer has four **stages**, each with a grid half as fine as the one before. The first has a token for every 4×4 pixels, so $N = HW/16$, and the matrix has
# $N^2 = (HW)^2/256$ numbers in each head. What does it need at 512²?


# %%
def matrix_bytes(side: int, stride: int, heads: int) -> int:
    """The scores of one image, side × side, in one layer, as float32."""
    tokens = (side // stride) ** 2
    return heads * tokens**2 * 4


print("stage   side  tokens  heads  one layer's scores")
for stage, heads in enumerate((2, 2, 2, 8), start=1):
    stride = 2 ** (stage + 1)
    tokens, bill = (512 // stride) ** 2, matrix_bytes(512, stride, heads)
    print(f"{stage:>5}{512 // stride:>7}{tokens:>8,}{heads:>7}{bill / 2**20:>11,.0f} MiB")

# %% [markdown]
# Two GiB for one layer and one image, and that is only the beginning. For the backward pass PyTorch keeps the softmax's result; while it computes, the scores before the softmax
# exist, too, and on the way back the gradients of both. All of it is multiplied by the batch. A training step of the report's network, written out like this, takes 12.7 GB at a batch of 2;
# its README asks for 20 GB.

# %%
sides = np.array([64, 128, 256, 512, 1024, 2048])
full = [matrix_bytes(side, 4, 2) / 2**20 for side in sides]
thin = [4 * 16 * (side // 4) ** 2 * 4 / 2**20 for side in sides]  # q, k, v and the answer
figure, axes = plt.subplots(figsize=(6.5, 3.0), layout="constrained")
axes.plot(sides, full, "o-", color=plots.RED, label="the matrix of scores, N²")
axes.plot(sides, thin, "o-", color=plots.BLUE, label="queries, keys, values, answer, N")
axes.axhline(20 * 1024, color=plots.GREY, linestyle="--", linewidth=1)
axes.text(64, 23 * 1024, "20 GiB", color=plots.GREY, fontsize=8)
axes.set(xscale="log", yscale="log", xlabel="side of the image", ylabel="MiB")
axes.set_xticks(sides, sides)
axes.minorticks_off()
axes.legend(frameon=False, loc="lower right")
axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# Twice the side is four times the tokens and **sixteen times** the matrix. At 1024² one layer of one image would need 32 GiB. A convolution's memory grows
# only fourfold.
#
# ## Exercise 2: the same, without the matrix
#
# Nobody wants the matrix. One wants $N$ answers, and each is a mean: a sum of $e^{s_j} v_j$, divided by a sum of $e^{s_j}$. A sum can be made bit by bit. Take
# the keys in blocks, and keep only what has been added up so far.
#
# The catch is the exponential: $e^{100}$ does not fit into a float32. A softmax therefore subtracts the largest score first, which changes nothing, since it cancels. But whoever
# reads the keys block by block does not know the largest score yet. So keep, for each query, three things:
#
# | | what | start |
# |---|---|---|
# | $m$ | the largest score seen so far | $-\infty$ |
# | $\ell$ | the sum of $e^{s_j - m}$ so far | 0 |
# | $o$ | the sum of $e^{s_j - m}\, v_j$ so far | 0 |
#
# When a block brings a larger score $m'$, the old sums were made with the wrong $m$. Multiply them by $e^{m - m'}$, and they are right again. This is the **online softmax** (Milakov and
# Gimelshein, 2018), and FlashAttention (Dao and others, 2022) is built on it.
#
# Only the forward pass is asked for, so you may change your own tensors in place. (Again without `F.scaled_dot_product_attention`.) First an instrument: it listens to PyTorch, counts its steps and remembers how large the largest tensor was.

# %%
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class Largest(TorchDispatchMode):
    """How many numbers the largest tensor made inside of `with` has, and how many steps it took."""

    numbers = steps = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        made = [leaf.numel() for leaf in tree_leaves(out) if isinstance(leaf, torch.Tensor)]
        self.numbers, self.steps = max([self.numbers, *made]), self.steps + 1
        return out


with Largest() as largest:
    attend(torch.zeros(1024, 8), torch.zeros(1024, 8), torch.zeros(1024, 8))
print(f"1,024 tokens, written out: {largest.numbers:,} numbers in the largest tensor")

# %% [markdown]
# <details><summary>Hint 1</summary>
#
# $m$, $\ell$ and $o$ have a row for each query: use `keepdim=True`, so that they can be multiplied. The last block may be shorter than the others; slices do not mind.
# </details>
# <details><summary>Hint 2</summary>
#
# For each block: the scores of all queries with these keys; the new $m'$, the larger one of the old $m$ and the block's largest; `shrink = exp(m - m')`.
# </details>
# <details><summary>Hint 3</summary>
#
# `weights = (scores - new).exp()`, then `total = shrink * total + weights.sum(-1, keepdim=True)`, and
# `mixed = shrink * mixed + weights @ values`. After the last block, divide one by the other.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (query: N × d) | (keys: block × d) | (values: block × c)
    scores: N × block
    m: N × 1 | ℓ: N × 1 | o: N × c
    next block: the sums so far, made right for the new m
    o / ℓ: after the last block: N × c
    """,
    """query > scores, keys > scores, scores > m > next block, scores > ℓ > next block,
    scores > o > next block, values > o, next block > o / ℓ""",
)


# %% online-softmax minutes=40 difficulty="hard"
def attend_in_blocks(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, block: int
) -> torch.Tensor:
    """What `attend` gives, from `block` keys at a time; never holds all scores."""
    ### BEGIN SOLUTION
    scale = query.shape[-1] ** -0.5
    highest = query.new_full((*query.shape[:-1], 1), -torch.inf)  # (…, N, 1)
    total, mixed = 0.0, 0.0
    for start in range(0, key.shape[-2], block):
        keys, values = key[..., start : start + block, :], value[..., start : start + block, :]
        scores = query @ keys.transpose(-2, -1) * scale  # (…, N, block)
        new = torch.maximum(highest, scores.amax(-1, keepdim=True))
        shrink, weights = (highest - new).exp(), (scores - new).exp()
        total = shrink * total + weights.sum(-1, keepdim=True)
        mixed = shrink * mixed + weights @ values
        highest = new
    return mixed / total
    ### END SOLUTION


# %%
def told_of_blocks(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, each: list[torch.Tensor]
) -> list[tuple]:
    """Mistakes that show in what the blocks give by themselves."""
    first = "only the first block counts: is the return inside of the loop?"
    last = "only the last block is left: add to the sums, and set m to m' at the end of each round"
    return [
        (sum(each) / 3, "a softmax in each block, then their mean: blocks do not weigh the same"),
        (sum(each), "a softmax in each block, then their sum: weights must sum to 1 over all keys"),
        (each[-1], last),
        (each[0], first),
        (attend(query, key[..., :8, :], value[..., :8, :]), "the last, shorter block is missing"),
        (attend(2 * query, key, value), "the scores are not divided by the root of d"),
        (attend(query / 2, key, value), "the scores are divided by d: it is its root"),
    ]


# %%
def half_online(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> list[tuple]:
    """Known mistakes with blocks of 4 of 11 keys: what they give, and what to say."""
    blocks = list(zip(key.split(4, -2), value.split(4, -2), strict=True))
    each = [attend(query, k, v) for k, v in blocks]
    scores = [query @ k.transpose(-2, -1) / 2 for k, _ in blocks]
    own = [s.exp().sum(-1, keepdim=True) for s in scores]
    top = torch.cat([s.amax(-1, keepdim=True) for s in scores], -1).cummax(-1).values
    shrunk = [s / h.exp() for s, h in zip(own, top.split(1, -1), strict=True)]
    low, less = sum(e * s for e, s in zip(each, shrunk, strict=True)), sum(shrunk)
    once, end = sum(e * s for e, s in zip(each, own, strict=True)), top[..., -1:].exp()
    return [
        *told_of_blocks(query, key, value, each),
        (once, "this is the sum of weighted values: divide by the sum of the weights at the end"),
        (once / end, "divide by the sum of the weights at the end: o is a sum, not a mean"),
        (low / less, "a larger score came, and the old sums were not multiplied by exp(m - m')"),
        (low / (sum(own) / end), "only ℓ was multiplied by exp(m - m'): o needs it, too"),
        (once / end / less, "only o was multiplied by exp(m - m'): ℓ needs it, too"),
    ]


# %% check-online-softmax points=2
check = Check("online-softmax")
check.forbids("F.scaled_dot_product_attention", because="read the keys block by block yourself")
torch.manual_seed(0)
query, key, value = 2 * torch.randn(2, 3, 5, 4), torch.randn(2, 3, 11, 4), torch.randn(2, 3, 11, 6)
got = check.call(attend_in_blocks, query, key, value, 4)
check.kind(got, torch.Tensor, dtype=torch.float32)
for wrong, message in half_online(query, key, value):
    check.catches(wrong, got, message)
lost = "it is not a number: is exp(m - m') turned round? At first it is exp of minus infinity, 0"
check.that(not torch.isnan(got).any(), lost)
expected = attend(query, key, value)
check.close(got, expected, "expected: what attend gives", atol=1e-4, rtol=1e-4)
flat = [part[0, 0].double() for part in (query, key, value)]
single = check.call(attend_in_blocks, *flat, 4)
check.kind(single, torch.Tensor, dtype=torch.float64)
check.close(single, expected[0, 0], "matrices without batch and heads go wrong", atol=1e-4)
check.passed("the same numbers, from four keys at a time")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-online-softmax")
for name, front, sizes, block, factor, about in (
    ("even", (2, 3), (5, 12, 4, 6), 4, 1, "blocks that fit"),
    ("rest", (2,), (6, 13, 5, 3), 5, 2, "a last block that is shorter"),
    ("single", (), (4, 7, 3, 5), 1, 1, "blocks of one key"),
    ("whole", (2, 2), (3, 6, 8, 4), 9, 1, "a block that is longer than the keys"),
):
    n, m, d, c = sizes
    parts = [
        torch.from_numpy(probe.given(f"{name}-{x}", lambda rng, s=front + s: rng.normal(0, 1, s)))
        for x, s in (("q", (n, d)), ("k", (m, d)), ("v", (m, c)))
    ]
    answered = probe.call(attend_in_blocks, factor * parts[0], parts[1], parts[2], block)
    probe.emit(name, answered, about, dtype=True)
### END HIDDEN TESTS

# %% check-online-softmax-2 points=2
check = Check("online-softmax")
check.forbids("F.scaled_dot_product_attention", because="read the keys block by block yourself")
torch.manual_seed(0)
query, key, value = 2 * torch.randn(2, 3, 5, 4), torch.randn(2, 3, 11, 4), torch.randn(2, 3, 11, 6)
expected = attend(query, key, value)
for size in (1, 11, 50):
    got = check.call(attend_in_blocks, query, key, value, size)
    message = f"expected in blocks of {size}: what attend gives"
    check.close(got, expected, message, atol=1e-4, rtol=1e-4)
for sign, words in ((1, "large"), (-1, "very negative")):
    far = 30_000 * query.abs().double(), sign * (key.abs().double() - 0.01), value.double()
    message = f"{words} scores go wrong: subtract the largest so far, and start with minus infinity"
    got = check.call(attend_in_blocks, *far, 4)
    check.close(got, attend(*far), message, atol=1e-3, rtol=1e-3)
long, seen = (torch.randn(64, 4), torch.randn(640, 4), torch.randn(640, 4)), []
for size in (16, 320):
    with Largest() as largest:
        check.call(attend_in_blocks, *long, size)
    seen.append(largest)
check.that(seen[0].numbers < 64 * 160, "somewhere you hold the scores with all keys after all")
steps = "blocks of 16 and of 320 keys take equally many steps: use the argument `block`"
check.that(seen[0].steps > seen[1].steps, steps)
check.passed("in blocks of any size, for scores of any size, and never the matrix")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-online-softmax-2")
pair = probe.given("pair", lambda rng: rng.normal(0, 1, (2, 11, 6)))
told = torch.from_numpy(probe.given("told", lambda rng: rng.normal(0, 1, (11, 5))))
far = 300 * torch.from_numpy(pair[0]), torch.from_numpy(pair[1])
probe.emit("large", probe.call(attend_in_blocks, *far, told, 3), "very large scores")
below = probe.given("below", lambda rng: rng.uniform(50, 60, (2, 5, 4)))
other = probe.given("other", lambda rng: rng.normal(0, 1, (7, 3)))
under = torch.from_numpy(below[0]), torch.from_numpy(-np.vstack([below[1], below[0][:2]]))
answered = probe.call(attend_in_blocks, 20 * under[0], under[1], torch.from_numpy(other), 2)
probe.emit("negative", answered, "scores that are all very negative")
long = torch.from_numpy(probe.given("long", lambda rng: rng.normal(0, 1, (3, 600, 4))))
with Largest() as hidden_fine:
    probe.call(attend_in_blocks, long[0, :60], long[1], long[2], 12)
with Largest() as hidden_coarse:
    probe.call(attend_in_blocks, long[0, :60], long[1], long[2], 300)
probe.emit("held", hidden_fine.numbers, "the largest tensor on the way", at_most=60 * 100)
probe.emit("steps", hidden_fine.steps > hidden_coarse.steps, "larger blocks take fewer steps")
### END HIDDEN TESTS

# %% [markdown]
# `torch.nn.functional.scaled_dot_product_attention` (SDPA for short) is this idea, compiled, wherever the machine allows it: blocks of queries *and* keys, sums kept close to the processor.
# Beside its inputs and the answer it keeps one number for each query ($m + \log \ell$); for the backward pass it makes the scores again, block by block. Arithmetic is cheap, memory is not.
#
# Your two functions and SDPA should be three ways to write one thing. Are they?

# %%
torch.manual_seed(0)
qkv = torch.randn(3, 1, 2, 1024, 8)  # q, k, v: the first stage of a 128² image
three = [attend(*qkv), attend_in_blocks(*qkv, 128), F.scaled_dot_product_attention(*qkv)]
print("blocks and SDPA give the same to 1e-5:", torch.allclose(three[1], three[2], atol=1e-5))
print("and so does the matrix:               ", torch.allclose(three[0], three[2], atol=1e-5))

# %% [markdown]
# And what is it worth? Forward and backward through the attention of the first stage (2 heads, $d = 8$), for an image of 128² and one of 256². The times are
# this machine's, so look at how they compare rather than at the numbers.


# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit.complexity import seconds_of


def milliseconds(work, times: int = 2) -> float:
    """The shortest of a few runs: what is longer was disturbed."""
    return 1000 * min(seconds_of(work) for _ in range(times))


print("image  tokens   matrix, MiB   written out, milliseconds   SDPA, milliseconds")
for side in (128, 256):
    qkv = torch.randn(3, 1, 2, (side // 4) ** 2, 8, requires_grad=True)
    spent = [
        milliseconds(lambda how=how, qkv=qkv: how(*qkv).sum().backward())
        for how in (attend, F.scaled_dot_product_attention)
    ]
    bill = matrix_bytes(side, 4, 2) / 2**20
    print(f"{side}²{qkv.shape[3]:>9,}{bill:>14,.0f}{spent[0]:>27,.0f}{spent[1]:>21,.0f}")

# %% [markdown]
# Four times the tokens are sixteen times the multiplications, for both. What SDPA saves is memory, and the time that goes into writing and fetching it: on our test machine it was three to four times as fast at 256², and less than twice at 128².
#
# The paper's own answer is another one. Its **efficient self-attention** makes keys and values from a *shrunken* map (a strided convolution that merges $R$ tokens into one, with $R$ = 64, 16, 4, 1 in the four stages).
# Then there are $N/R$ keys and the matrix has $N^2/R$ numbers: at 512², 16 MiB for each head in place of 1,024. That saves multiplications, too, costs some parameters, and is no longer the same function: a query sees summaries
# of $R$ tokens each.
#
# The report left it out, and so do we. You will meet it again with the library twin.
#
# Here is attention as a layer. The names matter, as ever: they become keys of the `state_dict`. A map (B, C, H, W) and a sequence of tokens (B, N, C) hold the same numbers in another order,
# and two helpers go from one to the other.


# %%
def to_tokens(x: torch.Tensor) -> torch.Tensor:
    """A map as a sequence, row by row: (B, C, H, W) → (B, H·W, C)."""
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """A sequence as a map: (B, H·W, C) → (B, C, H, W)."""
    return tokens.transpose(1, 2).unflatten(2, size)


# %% tags=["folded"]
plots.diagram(
    """
    (tokens: N × 16)
    qkv: Linear: N × 48
    heads_of: three times 2 heads × N × 8
    attention: 2 heads × N × 8
    project: Linear: N × 16
    """
)


# %%
class Attention(nn.Module):
    """Every token looks at every other, in several heads: (B, N, dim) → (B, N, dim)."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.project = nn.Linear(dim, dim)

    def heads_of(self, x: torch.Tensor) -> torch.Tensor:
        """Queries, keys and values, each (B, heads, N, d)."""
        return self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = F.scaled_dot_product_attention(*self.heads_of(x))
        return self.project(out.transpose(1, 2).flatten(2))


# %% [markdown]
# ## Where am I?
#
# Attention is blind to place. Shuffle the tokens, and the answers come out shuffled in the same way, and otherwise unchanged:

# %%
torch.manual_seed(0)
layer, some = Attention(16, 2), torch.randn(1, 36, 16)
order = torch.randperm(36)
same = torch.allclose(layer(some[:, order]), layer(some)[:, order], atol=1e-5)
print("a face and its shuffled mosaic get the same answers:", same)

# %% [markdown]
# So a plain transformer cannot tell the left eye from the right one. The vision transformer of 2020 adds a learnt vector to each place, a <dfn>position code</dfn>. But a table of 16,384 such vectors fits our tokens
# at 512² only; for any other size it has to be stretched, and the SegFormer paper finds that the score drops. SegFormer has no such table. Two kinds of convolution tell a token about its neighbours:
#
# - the patches **overlap**, so a token has seen a little of what is beside it;
# - a **depthwise 3×3** sits inside of every block (the paper's *Mix-FFN*).
#
# And how does a convolution know where the *edge* is? By its padding. The zeros around a map are a mark that it can feel, and each layer carries the news further in. Neither convolution asks how large the map is.
#
# ## Exercise 3: patches that overlap
#
# The first stage takes a token from every 4th pixel of every 4th row. With patches of 4×4 they would tile the image, and no token would know what lies across its border. SegFormer's are 7×7 with stride 4: 3 pixels are shared with each neighbour.
#
# That is a strided convolution ($k = 7$, stride 4; in the later stages $k = 3$, stride 2), padded so that the side of the map is the image's divided by the stride, rounded up.
# Then comes a <dfn title="layer normalisation">`LayerNorm`</dfn>: it gives the channels of each token mean 0 and variance 1, and then a learnt scale and shift. (More on it after exercise 4.)
#
# | name | what |
# |---|---|
# | `project` | a convolution, `in_channels` → `dim`, with bias |
# | `norm` | `nn.LayerNorm` over the `dim` channels of a token |
#
# Give back the tokens **and** the size of the map that they were, (H, W): later layers need it to put them back.
#
# <details><summary>Hint 1</summary>
#
# To keep size / stride, an odd kernel is padded by half of it, rounded down.
# </details>
# <details><summary>Hint 2</summary>
#
# `nn.LayerNorm(dim)` works on the *last* dimension. In a map the channels are not last; among tokens they are.
# </details>
# <details><summary>Hint 3</summary>
#
# `x = self.project(x)`, then give back `self.norm(to_tokens(x))` and the last two numbers of `x.shape`.
# </details>


# %% tags=["folded"]
finished = create_model("segformer")  # the course's own
plots.diagram(
    """
    (input)
    project
    to_tokens: 16384 × 16
    norm
    """,
    shapes=plots.shapes(finished.stages[0].embed, (3, 512, 512)),
)


# %% overlapping-patches minutes=15 difficulty="medium"
class OverlapPatchEmbedding(nn.Module):
    """A token for every few pixels: (B, in, H, W) → (B, N, dim) and the size of their map."""

    def __init__(self, in_channels: int, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.project = nn.Conv2d(in_channels, dim, kernel, stride, kernel // 2)
        self.norm = nn.LayerNorm(dim)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, tuple[int, int]]:
        ### BEGIN SOLUTION
        x = self.project(x)  # (B, dim, H/stride, W/stride)
        return self.norm(to_tokens(x)), (x.shape[-2], x.shape[-1])
        ### END SOLUTION


# %% check-overlapping-patches points=1
check = Check("overlapping-patches")
torch.manual_seed(0)
sets = ((3, 8, 7, 4), (5, 6, 3, 2))
for embed, (inside, dim, side, stride) in zip(
    check.build(OverlapPatchEmbedding, *sets), sets, strict=True
):
    check.that(hasattr(embed, "project") and hasattr(embed, "norm"), "the parts: project and norm")
    check.that(not isinstance(embed.norm, nn.BatchNorm2d), "batch normalisation: LayerNorm it is")
    check.kind(embed.norm, nn.LayerNorm, what="self.norm")
    check.equal(embed.norm.eps, nn.LayerNorm(dim).eps, "leave the eps of the norm at its default")
    check.kind(embed.project, nn.Conv2d, what="self.project")
    kernel, few = tuple(embed.project.weight.shape), (dim, inside, stride, stride)
    check.catches(few, kernel, "the patches are as large as the stride, so nothing overlaps")
    table = (dim, inside, side, side)
    check.equal(kernel, table, f"project should have kernels of {side}×{side}, {inside} → {dim}")
    count = dim * inside * side**2 + 3 * dim
    check.equal(count_parameters(embed), count, "a convolution with bias, a LayerNorm(dim)")
    image, project = torch.randn(3, inside, 21, 25), embed.project
    out = check.call(project, image)
    bare = F.conv2d(image, project.weight, project.bias, stride)
    padded = F.conv2d(image, project.weight, project.bias, stride, side // 2)
    check.catches(
        bare.shape, out.shape, "nothing is padded, and the map is too small: half a kernel"
    )
    places = tuple(padded.shape[-2:])
    size = f"21 × 25 pixels should give {places[0]} × {places[1]} places: stride, padding"
    check.equal(tuple(out.shape[-2:]), places, size)
    check.close(out, padded, "expected: neighbouring pixels in a kernel, zeros around the map")
check.passed("patches that overlap, at both strides")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-overlapping-patches")
for name, side, stride in (("first", 7, 4), ("later", 3, 2)):
    spec = probe.given(f"{name}-spec", lambda rng: [int(n) for n in rng.integers(2, 9, 2)])
    embedding = OverlapPatchEmbedding(*spec, side, stride).double()
    probe.fill(embedding, f"{name}-weights")
    drawn = probe.given(name, lambda rng, c=spec[0]: rng.normal(0, 1, (2, c, 21, 26)))
    table = sorted([key, list(value.shape)] for key, value in embedding.state_dict().items())
    about = f"{side}×{side} patches, stride {stride}"
    probe.emit(f"{name}-table", table, f"names and shapes: {about}")
    probe.emit(f"{name}-map", embedding.project(torch.from_numpy(drawn)), f"the map: {about}")
### END HIDDEN TESTS

# %% check-overlapping-patches-2 points=1
check = Check("overlapping-patches")
last = "the norm wants the channels last: to_tokens before it"
check.crashes(RuntimeError, "normalized_shape", last)
torch.manual_seed(0)
embeds = check.build(OverlapPatchEmbedding, (3, 8, 7, 4), (3, 6, 3, 2))
for dim, embed in zip((8, 6), embeds, strict=True):
    for weight in embed.parameters():
        weight.data += 0.3 * torch.randn_like(weight)
    image = torch.randn(3, 3, 21, 25).requires_grad_()
    out = embed.project(image)
    tokens, places, norm = to_tokens(out), tuple(out.shape[-2:]), embed.norm
    got, size = check.unpack(check.call(embed, image), "the tokens", "the size")
    check.kind(size, (tuple, list), what="the size")
    for number in size:
        check.kind(number, int, what="a side of the map")
    check.catches((21, 25), tuple(size), "that is the image's size: the tokens' map is smaller")
    check.catches(places[::-1], tuple(size), "height comes before width")
    check.equal(tuple(size), places, "expected: the size of the projected map")
    check.catches(tokens.mT.shape, got.shape, "channels come last in a sequence of tokens")
    check.shape(got, tuple(tokens.shape), "every place is a token, with all its channels")
    scrambled = norm(out.reshape(tokens.shape))
    check.catches(scrambled, got, "reshape cuts the numbers up in the wrong order: use to_tokens")
    check.catches(tokens, got, "the tokens are not normalised")
    plain = "the norm's learnt scale and shift have no effect: call self.norm"
    check.catches(F.layer_norm(tokens, (dim,)), got, plain)
    check.close(got, norm(tokens), "expected: project, to_tokens, norm", atol=1e-4)
    got.pow(3).sum().backward()
    slopes = [image.grad, *(weight.grad for weight in embed.parameters())]
    check.that(all(slope is not None for slope in slopes), "no gradient: detach nothing")
check.passed("tokens that have seen a little of their neighbours")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-overlapping-patches-2")
for name, sizes, shape, about in (
    ("first", (3, 6, 7, 4), (2, 3, 21, 26), "7×7 patches, stride 4"),
    ("later", (5, 4, 3, 2), (1, 5, 9, 14), "3×3 patches, stride 2"),
):
    embedding = OverlapPatchEmbedding(*sizes).double()
    probe.fill(embedding, f"{name}-weights", mean=0.2, spread=0.4)
    drawn = probe.given(name, lambda rng, s=shape: rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    made, side = probe.call(embedding, entered)
    probe.emit(f"{name}-tokens", made, f"the tokens: {about}")
    probe.emit(f"{name}-size", [int(n) for n in side], f"the size: {about}")
    whole = isinstance(side, (tuple, list)) and all(isinstance(n, int) for n in side)
    probe.emit(f"{name}-size-kind", whole, f"the size is a tuple of whole numbers: {about}")
    made.pow(3).sum().backward()
    probe.emit(f"{name}-gradient", entered.grad, f"the gradient with respect to the map: {about}")
    slopes = {key: parameter.grad for key, parameter in embedding.named_parameters()}
    probe.emit(f"{name}-slopes", slopes, f"the gradients with respect to the weights: {about}")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: Mix-FFN
#
# After the tokens have talked, each thinks for itself: a small dense network (*feed-forward*, FFN), the same for every token. It widens to four times the channels, bends, and narrows again. SegFormer puts a 3×3 convolution between widening and bending, so that thinking includes
# a look at the eight neighbours (the paper's Eq. 3, where an MLP is one dense layer):
#
# $$ x_{\text{out}} = \mathrm{MLP}\bigl(\mathrm{GELU}\bigl(\mathrm{Conv}_{3\times3}(\mathrm{MLP}(x_{\text{in}}))\bigr)\bigr) + x_{\text{in}} $$
#
# The bend is the <dfn>GELU</dfn>, a ReLU with a rounded corner: $\mathrm{GELU}(x) = x\,\Phi(x)$, where $\Phi(x)$ is the share of a standard normal distribution below $x$.
#
# The sum with $x_{\text{in}}$ will stand in the block; leave it out here. The convolution is **depthwise**, as in lesson 04: each channel has its own 3×3 kernel and sees no other channel. The dense layers mix channels already, and a full convolution
# of 64 → 64 channels would need 36,864 weights in place of 576.
#
# | name | what |
# |---|---|
# | `widen` | `nn.Linear`, `dim` → `dim · expansion` |
# | `depthwise` | 3×3 convolution, padded, one kernel for each channel, with bias |
# | `narrow` | `nn.Linear`, back to `dim` |
#
# <details><summary>Hint 1</summary>
#
# `groups=` cuts a convolution into that many independent ones.
# </details>
# <details><summary>Hint 2</summary>
#
# Dense layers take tokens, the convolution takes a map: `to_map(tokens, size)` before it, `to_tokens` after it.
# </details>
# <details><summary>Hint 3</summary>
#
# Widen, to a map, depthwise, to tokens, `F.gelu`, narrow.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (tokens: 16384 × 16)
    widen: Linear: 16384 × 64
    to_map: 64 × 128²
    depthwise: Conv2d, 3×3: 64 × 128²
    to_tokens: 16384 × 64
    GELU: 16384 × 64
    narrow: Linear: 16384 × 16
    """
)


# %% mix-ffn minutes=20 difficulty="medium"
class MixFFN(nn.Module):
    """Widen, look around, bend, narrow: (B, N, dim) → (B, N, dim)."""

    def __init__(self, dim: int, expansion: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        hidden = dim * expansion
        self.widen = nn.Linear(dim, hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.narrow = nn.Linear(hidden, dim)
        ### END SOLUTION

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        ### BEGIN SOLUTION
        x = self.depthwise(to_map(self.widen(x), size))  # (B, hidden, H, W)
        return self.narrow(F.gelu(to_tokens(x)))
        ### END SOLUTION


# %% check-mix-ffn points=1
check = Check("mix-ffn")
torch.manual_seed(0)
for ffn, (dim, wide) in zip(check.build(MixFFN, (4, 3), (6, 2)), ((4, 12), (6, 12)), strict=True):
    for name in ("widen", "depthwise", "narrow"):
        check.that(hasattr(ffn, name), f"there is no self.{name}")
    for name in ("widen", "narrow"):
        check.kind(getattr(ffn, name), nn.Linear, what=f"self.{name}")
    check.kind(ffn.depthwise, nn.Conv2d, what="self.depthwise")
    shapes = [tuple(layer.weight.shape) for layer in (ffn.widen, ffn.depthwise, ffn.narrow)]
    check.catches((4 * dim, dim), shapes[0], "it always widens by 4: use the argument expansion")
    check.catches((wide, wide, 3, 3), shapes[1], "each channel looks at all: one kernel a channel")
    check.catches((wide, wide // dim, 3, 3), shapes[1], "groups is the number of *wide* channels")
    table = [(wide, dim), (wide, 1, 3, 3), (dim, wide)]
    check.equal(shapes, table, "expected: the layers of the table")
    count = 2 * wide * dim + 9 * wide + 2 * wide + dim
    check.equal(count_parameters(ffn), count, "leave the biases at their default")
    x, depthwise = torch.randn(2, wide, 5, 6), ffn.depthwise
    seen = check.call(depthwise, x)
    check.equal(seen.shape[-2:], (5, 6), "the map shrinks: pad by 1")
    expected = F.conv2d(x, depthwise.weight, depthwise.bias, padding=1, groups=wide)
    check.close(seen, expected, "expected: 3×3 neighbours, and zeros around the map")
check.passed("the layers of the table")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-mix-ffn")
spec = probe.given("spec", lambda rng: [int(n) for n in rng.integers(2, 12, 2)])
mixer = MixFFN(*spec)
table = sorted([key, list(value.shape)] for key, value in mixer.state_dict().items())
probe.emit("table", table, "names and shapes for other arguments")
groups, padded = mixer.depthwise.groups, mixer.depthwise(torch.zeros(1, spec[0] * spec[1], 3, 4))
probe.emit("depthwise", [groups, *padded.shape], "the convolution's groups and the size it gives")
### END HIDDEN TESTS


# %%
def misfed(ffn: nn.Module, x: torch.Tensor) -> list[tuple]:
    """Known mistakes with a map of 5 × 6: what they give, and what to say."""
    wide, narrow = ffn.widen(x), ffn.narrow
    seen, turned = (to_tokens(ffn.depthwise(to_map(wide, size))) for size in ((5, 6), (6, 5)))
    early = to_tokens(ffn.depthwise(to_map(F.gelu(wide), (5, 6))))
    cut = ffn.depthwise(wide.reshape(2, 12, 5, 6)).reshape(2, 30, 12)
    return [
        (narrow(seen), "there is no GELU: without a bend the three layers are just one"),
        (narrow(early), "the GELU comes before the convolution: it belongs behind"),
        (narrow(F.gelu(early)), "there is a GELU before the convolution: one behind it will do"),
        (narrow(F.relu(seen)), "that is a ReLU: SegFormer has GELU"),
        (narrow(F.gelu(seen, approximate="tanh")), "leave F.gelu's approximation at its default"),
        (narrow(F.gelu(wide)), "the depthwise convolution is never asked"),
        (narrow(F.gelu(seen) + wide), "only the whole block has a sum: add nothing in here"),
        (F.gelu(narrow(F.gelu(seen))), "there is a GELU at the end: leave the result as it is"),
        (narrow(F.gelu(seen)) + x, "the sum with the input stands in the block: leave it out here"),
        (narrow(F.gelu(turned)), "height and width are swapped in the map"),
        (narrow(F.gelu(cut)), "reshape cuts in the wrong order: to_map, to_tokens"),
    ]


# %% check-mix-ffn-2 points=2
check = Check("mix-ffn")
check.crashes(RuntimeError, "mat1 and mat2", "a dense layer wants the channels last: to_tokens")
check.crashes(RuntimeError, "expected input|Expected 3D", "the convolution wants a map: to_map")
check.crashes(
    RuntimeError, "unflatten", "the map has `size`[0] · `size`[1] places: use the argument"
)
torch.manual_seed(0)
ffn, x, size = MixFFN(4, 3), (3 * torch.randn(2, 30, 4)).requires_grad_(), (5, 6)
got, wide = check.call(ffn, x, size), ffn.widen(x)
check.kind(got, torch.Tensor)
for wrong, message in misfed(ffn, x):
    check.catches(wrong, got, message)
order = "expected: widen, to a map, depthwise, to tokens, F.gelu, narrow"
for places in (size, (3, 10)):
    seen = to_tokens(ffn.depthwise(to_map(wide, places)))
    other = check.call(ffn, x, places)
    check.close(other, ffn.narrow(F.gelu(seen)), order, atol=1e-4)
    order = "with a map of 3 × 10 it goes wrong: use the argument `size`"
got.square().sum().backward()
slopes = [x.grad, *(weight.grad for weight in ffn.parameters())]
check.that(all(slope is not None for slope in slopes), "no gradient: detach nothing")
check.passed("tokens that feel their neighbours, and the edge")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-mix-ffn-2")
for name, dim, widening, side, about in (
    ("four", 5, 4, (3, 7), "four times as wide"),
    ("two", 6, 2, (6, 4), "twice as wide"),
):
    mixer = MixFFN(dim, widening).double()
    probe.fill(mixer, f"{name}-weights", mean=0, spread=0.5)
    drawn = probe.given(name, lambda rng, s=(2, side[0] * side[1], dim): rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    made = probe.call(mixer, entered, side)
    probe.emit(f"{name}-tokens", made, about)
    made.square().sum().backward()
    probe.emit(f"{name}-gradient", entered.grad, f"the gradient with respect to tokens: {about}")
    slopes = {key: parameter.grad for key, parameter in mixer.named_parameters()}
    probe.emit(f"{name}-slopes", slopes, f"the gradients with respect to the weights: {about}")
### END HIDDEN TESTS

# %% [markdown]
# Does it know where the edge is? Feed it the *same* token everywhere. A network without a sense of place must answer the same everywhere.

# %%
torch.manual_seed(1)
answers = to_map(MixFFN(16, 4)(torch.ones(1, 64, 16), (8, 8)), (8, 8))[0]
inside = torch.allclose(answers[:, 1:-1, 1:-1], answers[:, 4:5, 4:5], atol=1e-5)
print("all places inside get the same answer:", inside)
print("so do those at the edge:              ", torch.allclose(answers, answers[:, 4:5, 4:5]))

# %% [markdown]
# The ring at the edge stands out, because there the kernel reaches into the zeros. The next block's convolution carries the news one place further, and attention carries it everywhere.
#
# ## Two ways to normalise
#
# Batch and layer normalisation have one equation, that of lesson 03, with a learnt scale $\gamma_c$ and shift $\beta_c$ for each channel:
#
# $$ y = \gamma_c\, \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta_c $$
#
# They differ in **who is averaged** for the mean $\mu$ and the variance $\sigma^2$.

# %%
figure, axes = plt.subplots(1, 2, figsize=(7.0, 2.6), layout="constrained")
for axis, title, pick in (
    (axes[0], "BatchNorm: a channel, over all tokens of all images", np.s_[:, 2]),
    (axes[1], "LayerNorm: a token, over its channels", np.s_[9, :]),
):
    shown = np.full((12, 8), 0.12)
    shown[:6] += 0.1  # the first image of the batch
    shown[pick] = 0.75
    axis.imshow(shown, cmap="Blues", vmin=0, vmax=1)
    axis.hlines(np.arange(11) + 0.5, -0.5, 7.5, color="white", linewidth=0.8)
    axis.vlines(np.arange(7) + 0.5, -0.5, 11.5, color="white", linewidth=0.8)
    axis.axhline(5.5, color=plots.RED, linewidth=1.5)
    axis.set_title(title, fontsize=9)
    axis.set(xticks=[], yticks=[2.5, 8.5], xlabel="channels")
    axis.set_yticklabels(["image 1", "image 2"])
plots.described(figure, "A table of tokens by channels: BatchNorm averages over a column of both "
                "images, LayerNorm over a row of one.")  # fmt: skip

# %% [markdown]
# Rows are tokens, columns are channels, dark squares share one mean. With batch normalisation, what comes out for one image in training depends on the other images of the batch, and over a batch of 2 the mean is noisy;
# in evaluation, running averages take its place. Layer normalisation asks nobody else and is the same in training and evaluation. Change the second image and look at the first:

# %%
torch.manual_seed(0)
maps, other = torch.randn(2, 16, 6, 6), torch.randn(1, 16, 6, 6)
changed = torch.cat([maps[:1], 5 * other])
batch, token = nn.BatchNorm2d(16), nn.LayerNorm(16)
print("BatchNorm, first image unchanged:", torch.allclose(batch(maps)[0], batch(changed)[0]))
layered = [to_map(token(to_tokens(x)), (6, 6)) for x in (maps, changed)]
print("LayerNorm, first image unchanged:", torch.allclose(layered[0][0], layered[1][0]))
print("LayerNorm, mean over the channels of every pixel is 0:",
      torch.allclose(layered[0].mean(1), torch.zeros(2, 6, 6), atol=1e-5))  # fmt: skip

# %% [markdown]
# ## Exercise 5: the block
#
# A transformer block is two residual steps. Each reads *normalised* tokens and **adds** what it found to the tokens as they were:
#
# $$ x \leftarrow x + \mathrm{Attention}(\mathrm{LN}_1(x)), \qquad x \leftarrow x + \mathrm{MixFFN}(\mathrm{LN}_2(x)) $$
#
# This is **pre-norm**. The sum itself is never normalised, so from a stage's last block to its first there is a path on which gradients pass untouched. The transformer of 2017 normalised the sum instead (**post-norm**), and its learning rate had to start near zero and rise slowly, or training diverged.
#
# The names are `norm1`, `attention`, `norm2` and `ffn`.
#
# <details><summary>Hint 1</summary>
#
# Two norms, because each has its own learnt stretch: `nn.LayerNorm(dim)` twice.
# </details>
# <details><summary>Hint 2</summary>
#
# The second step starts from the result of the first, not from the input of the block.
# </details>
# <details><summary>Hint 3</summary>
#
# `x = x + self.attention(self.norm1(x))`. The second line is alike, and `self.ffn` wants the size, too.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (tokens: N × 16)
    norm1: LayerNorm |
    attention: Attention |
    first sum: N × 16
    norm2: LayerNorm |
    ffn: MixFFN |
    second sum: N × 16
    """,
    """tokens > norm1 > attention > first sum, tokens > first sum,
    first sum > norm2 > ffn > second sum, first sum > second sum""",
)


# %% transformer-block minutes=15 difficulty="easy"
class Block(nn.Module):
    """Attention, then Mix-FFN; each reads normalised tokens and adds to them."""

    def __init__(self, dim: int, heads: int, expansion: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.ffn = MixFFN(dim, expansion)
        ### END SOLUTION

    def forward(self, x: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        ### BEGIN SOLUTION
        x = x + self.attention(self.norm1(x))
        return x + self.ffn(self.norm2(x), size)
        ### END SOLUTION


# %% check-transformer-block points=1
check = Check("transformer-block")
torch.manual_seed(0)
sets = ((8, 4, 3), (6, 2, 2))
for block, (dim, heads, expansion) in zip(check.build(Block, *sets), sets, strict=True):
    for name, kind in (
        ("norm1", nn.LayerNorm), ("attention", Attention), ("norm2", nn.LayerNorm), ("ffn", MixFFN),
    ):  # fmt: skip
        check.that(hasattr(block, name), f"there is no self.{name}")
        check.kind(getattr(block, name), kind, what=f"self.{name}")
    check.that(block.norm1 is not block.norm2, "norm1 and norm2 are one layer: each has its own")
    for norm in (block.norm1, block.norm2):
        check.equal(norm.eps, nn.LayerNorm(dim).eps, "leave the eps of the norms at its default")
    check.equal(block.attention.heads, heads, "hand the number of heads to Attention")
    check.equal(block.ffn.widen.out_features, dim * expansion, "hand the expansion to MixFFN")
    expected = sum(map(count_parameters, (Attention(dim, heads), MixFFN(dim, expansion)))) + 4 * dim
    check.equal(count_parameters(block), expected, "two LayerNorm(dim), an Attention, a MixFFN")
check.passed("two norms, attention, Mix-FFN")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-transformer-block")
spec = probe.given("spec", lambda rng: [int(n) for n in rng.integers(2, 9, 3)])
step = Block(spec[0] * spec[1], spec[1], spec[2])
table = sorted([key, list(value.shape)] for key, value in step.state_dict().items())
probe.emit("table", table, "names and shapes for other arguments")
probe.emit("heads", step.attention.heads, "the number of heads")
count = sum(parameter.numel() for parameter in step.parameters())
probe.emit("count", count, "the number of parameters")
### END HIDDEN TESTS


# %%
def misbuilt(x: torch.Tensor, n1, att, n2, ffn) -> list[tuple]:
    """Known mistakes in a block of these parts: what they give, and what to say."""
    first, other, post = x + att(n1(x)), x + ffn(n1(x)), n1(x + att(x))
    bare, alone, early = x + att(x), att(n1(x)), n1(x) + att(n1(x))
    return [
        (n2(post + ffn(post)), "the sums are normalised (post-norm): normalise what a step reads"),
        (bare + ffn(bare), "nothing is normalised: each step reads what its norm gives"),
        (first + ffn(first), "the Mix-FFN reads tokens that are not normalised"),
        (bare + ffn(n2(bare)), "attention reads tokens that are not normalised"),
        (alone + ffn(n2(alone)), "attention's answer replaces the tokens: add it"),
        (ffn(n2(first)), "Mix-FFN's answer replaces the tokens: add it"),
        (ffn(n2(alone)), "nothing is added: each step adds what it found to the tokens"),
        (first + ffn(n1(first)), "norm1 is used twice and norm2 never"),
        (first + ffn(n2(x)), "the second step starts from the block's input, not the first's sum"),
        (x + ffn(n2(first)), "what attention found is lost: add to the first sum, not to x"),
        (first, "Mix-FFN is never asked, or its answer is thrown away"),
        (x + ffn(n2(x)), "attention is never asked, or its answer is thrown away"),
        (early + ffn(n2(early)), "add to the tokens, not to normalised ones"),
        (other + att(n2(other)), "attention comes first, then the Mix-FFN"),
    ]


# %% check-transformer-block-2 points=2
check = Check("transformer-block")
check.crashes(TypeError, "'size'", "the Mix-FFN wants the size, too: `self.ffn(…, size)`")
torch.manual_seed(0)
block, x, size = Block(8, 4, 3), (2 * torch.randn(2, 20, 8) + 1).requires_grad_(), (4, 5)
for name, weight in block.named_parameters():
    weight.data += 0.3 * torch.randn_like(weight) if "norm" in name else weight.data
got, att, ffn = check.call(block, x, size), block.attention, lambda x: block.ffn(x, size)
check.kind(got, torch.Tensor)
for wrong, message in misbuilt(x, block.norm1, att, block.norm2, ffn):
    check.catches(wrong, got, message)
early = block.norm2(block.norm1(x) + att(block.norm1(x)))
check.catches(early + ffn(early), got, "add to the tokens, not to normalised ones")
other = x + att(block.norm2(x))
check.catches(other + ffn(block.norm1(other)), got, "norm1 and norm2 have changed places")
first = x + att(block.norm1(x))
expected = first + ffn(block.norm2(first))
check.close(got, expected, "expected: the two steps above", atol=1e-4)
inputs = [x, *block.parameters()]
names, slopes = ["the tokens", *(name for name, _ in block.named_parameters())], []
for out in (got, expected):
    slopes.append(torch.autograd.grad(out.square().sum(), inputs, allow_unused=True))
for name, mine, theirs in zip(names, *slopes, strict=True):
    check.that(mine is not None, f"no gradient reaches {name}: detach nothing")
    same = f"another gradient than the two steps' reaches {name}: detach nothing"
    check.close(mine, theirs, same, atol=1e-3, rtol=1e-3)
check.passed("two steps, each added to what was there")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-transformer-block-2")
for name, sizes, side, about in (
    ("two", (6, 2, 3), (3, 5), "two heads"),
    ("four", (8, 4, 2), (4, 4), "four heads"),
):
    step = Block(*sizes).double()
    probe.fill(step, f"{name}-weights", spread=0.4)
    drawn = probe.given(name, lambda rng, s=(2, side[0] * side[1], sizes[0]): rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    made = probe.call(step, entered, side)
    probe.emit(f"{name}-tokens", made, about)
    made.square().sum().backward()
    probe.emit(f"{name}-gradient", entered.grad, f"the gradient with respect to tokens: {about}")
    slopes = {key: parameter.grad for key, parameter in step.named_parameters()}
    probe.emit(f"{name}-slopes", slopes, f"the gradients with respect to the weights: {about}")
### END HIDDEN TESTS

# %% [markdown]
# A stage is patches, blocks, and a last normalisation. Four of them make the encoder: coarse and fine views, as in a U-Net, but within
# each of them every token has seen all others. The whole network, for an image of 512²:

# %% tags=["folded"]
plots.diagram(
    """
    (input) | (logits: enlarged: 19 × 512²)
    stages.0 |
    stages.1 | decoder
    stages.2 |
    stages.3 |
    """,
    """input > stages.0 > stages.1 > stages.2 > stages.3 > decoder > logits,
    stages.0 > decoder, stages.1 > decoder, stages.2 > decoder""",
    shapes=plots.shapes(finished, (3, 512, 512)),
    across=True,
)


# %%
class Stage(nn.Module):
    """Patches, blocks, a last normalisation: a coarser map with more channels."""

    def __init__(
        self, in_channels: int, dim: int, depth: int, heads: int, expansion: int, first: bool
    ) -> None:
        super().__init__()
        kernel, stride = (7, 4) if first else (3, 2)
        self.embed = OverlapPatchEmbedding(in_channels, dim, kernel, stride)
        self.blocks = nn.ModuleList(Block(dim, heads, expansion) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens, size = self.embed(x)
        for block in self.blocks:
            tokens = block(tokens, size)
        return to_map(self.norm(tokens), size)


# %% [markdown]
# ## Exercise 6: a decoder of 1×1 convolutions
#
# U-Net's decoder worked hard to bring *what* and *where* together. Here each token of each stage has looked at the whole image already, so the decoder may be simple. The paper calls it all-MLP (its Eq. 4):
# nothing that it learns looks at a neighbour.
#
# 1. **Unify**: a 1×1 convolution brings each stage to `width` = 256 channels.
# 2. **Raise** them all to the size of the first stage, bilinearly.
# 3. **Lay side by side**: 4 · 256 = 1,024 channels, the first stage in front.
# 4. **Fuse** with a 1×1 convolution to 256; a last 1×1, the **head**, gives a score for each class.
#
# The report puts batch normalisation and ReLU after each `unify` and after `fuse`; in the paper, `unify` is linear. `conv_bn_relu` does the report's.


# %%
def conv_bn_relu(in_channels: int, out_channels: int) -> nn.Sequential:
    """A 1×1 convolution with bias, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


# %% [markdown]
# The names are `unify` (one for each stage), `fuse` and `head`.
#
# <details><summary>Hint 1</summary>
#
# `unify` holds several modules: `nn.ModuleList`, or they are neither trained nor saved.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.interpolate(x, size, mode="bilinear")`, with the size of the first map, `features[0].shape[-2:]`. `zip(self.unify, features)` pairs layers and maps.
# </details>
# <details><summary>Hint 3</summary>
#
# First `unify`, then raise: 1×1 convolutions are cheaper on small maps. Then `torch.cat(…, dim=1)`, `self.fuse`, `self.head`.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (stage 1: 16 × 128²) | (stage 2: 32 × 64²) | (stage 3: 128 × 32²) | (stage 4: 192 × 16²)
    unify.0: 256 × 128² | unify.1: 256 × 64² | unify.2: 256 × 32² | unify.3: 256 × 16²
    concatenate: all enlarged: 1024 × 128²
    fuse: 256 × 128²
    head: 19 × 128²
    """
)


# %% mlp-decoder minutes=25 difficulty="medium"
class Decoder(nn.Module):
    """Every stage at one width and the first one's size, side by side, then mixed."""

    def __init__(self, dims: tuple[int, ...], width: int, num_classes: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.unify = nn.ModuleList(conv_bn_relu(dim, width) for dim in dims)
        self.fuse = conv_bn_relu(width * len(dims), width)
        self.head = nn.Conv2d(width, num_classes, 1)
        ### END SOLUTION

    def forward(self, features: list[torch.Tensor]) -> torch.Tensor:
        """Maps of all stages, finest first → (B, num_classes, H/4, W/4) logits."""
        ### BEGIN SOLUTION
        size = features[0].shape[-2:]
        raised = [
            F.interpolate(unify(x), size, mode="bilinear")
            for unify, x in zip(self.unify, features, strict=True)
        ]
        return self.head(self.fuse(torch.cat(raised, dim=1)))
        ### END SOLUTION


# %%
def decoder_parts(
    dims: tuple[int, ...], width: int, classes: int
) -> list[tuple[str, nn.Module, str]]:
    """The layers of a decoder: their names, their kinds, and what to say of others."""
    each = [
        (f"unify.{n}", conv_bn_relu(dim, width), f"unify[{n}] is a conv_bn_relu, {dim} → {width}")
        for n, dim in enumerate(dims)
    ]
    fuse = "fuse is a conv_bn_relu and takes all stages, at width channels each"
    head = "the head is a 1×1 convolution with bias, width → num_classes"
    return [
        *each,
        ("fuse", conv_bn_relu(len(dims) * width, width), fuse),
        ("head", nn.Conv2d(width, classes, 1), head),
    ]


# %% check-mlp-decoder points=1
check = Check("mlp-decoder")
torch.manual_seed(0)
sets = (((4, 6, 8), 5, 3), ((6, 2), 3, 4))
for decoder, (dims, width, classes) in zip(check.build(Decoder, *sets), sets, strict=True):
    for name in ("unify", "fuse", "head"):
        check.that(hasattr(decoder, name), f"there is no self.{name}")
    hidden = isinstance(decoder.unify, (list, tuple))
    check.that(not hidden, "self.unify is a plain list, which hides its parameters: nn.ModuleList")
    check.that(hasattr(decoder.unify, "__len__"), "unify holds a module for each stage")
    check.equal(len(decoder.unify), len(dims), "one unify for each stage, however many there are")
    for name, layer, message in decoder_parts(dims, width, classes):
        mine, theirs = decoder.get_submodule(name), layer.state_dict()
        found = {key: tuple(tensor.shape) for key, tensor in mine.state_dict().items()}
        table = {key: tuple(tensor.shape) for key, tensor in theirs.items()}
        if name == "fuse":
            one = "fuse takes the channels of one stage only: they lie side by side"
            check.catches((width, width, 1, 1), found.get("0.weight", ()), one)
        check.equal(found, table, message)
        x = torch.randn(2, next(iter(table.values()))[1], 4, 5)
        out = check.call(mine, x)
        if name != "head":
            check.that((out >= 0).all(), f"self.{name} gives negative numbers: it ends in a ReLU")
        mine.load_state_dict(theirs)
        right = layer.eval()(x)
        check.close(check.call(mine.eval(), x), right, f"expected of self.{name}: {message}")
check.passed("a unify for each stage, fuse and head")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-mlp-decoder")
spec = probe.given("spec", lambda rng: [int(n) for n in rng.integers(2, 30, rng.integers(4, 8))])
network = Decoder(tuple(spec[2:]), *spec[:2])
table = sorted([key, list(value.shape)] for key, value in network.state_dict().items())
probe.emit("table", table, "names and shapes for other stages, width and classes")
count = sum(parameter.numel() for parameter in network.parameters())
probe.emit("count", count, "the number of parameters")
### END HIDDEN TESTS


# %%
def joined(decoder: nn.Module, maps: list, mode: str = "bilinear", **more: bool) -> torch.Tensor:
    """What comes out of a decoder's parts; the check compares yours with it."""
    size = maps[0].shape[-2:]
    unified = [unify(x) for unify, x in zip(decoder.unify, maps, strict=True)]
    raised = [F.interpolate(x, size, mode=mode, **more) for x in unified]
    return decoder.head(decoder.fuse(torch.cat(raised, 1)))


def misjoined(decoder: nn.Module, maps: list) -> list[tuple]:
    """Known mistakes with the same parts: what they give, and what to say."""
    late = [F.interpolate(x, maps[0].shape[-2:], mode="bilinear") for x in maps]
    right = joined(decoder, maps)
    return [
        (joined(decoder, maps, "nearest"), "raise bilinearly: nearest neighbours give blocks"),
        (joined(decoder, maps, "bicubic"), "raise bilinearly: that is bicubic"),
        (joined(decoder, maps, align_corners=True), "leave align_corners at its default"),
        (joined(decoder, late), "you raised the maps first: unify the small ones, then raise"),
        (right.relu(), "a ReLU after the head cuts negative scores off"),
        (right.softmax(1), "these are probabilities: return logits"),
        (right.log_softmax(1), "these are log-probabilities: return logits"),
    ]


# %% check-mlp-decoder-2 points=2
check = Check("mlp-decoder")
channels = "unify[n] takes map number n, and fuse takes all of them, side by side in dimension 1"
check.crashes(RuntimeError, "to have [0-9]+ channels", channels)
fit = "the maps do not fit: raise each to the size of the first, then lay them side by side"
check.crashes(RuntimeError, "Sizes of tensors must match", fit)
torch.manual_seed(0)
decoder, sides = Decoder((4, 6, 8), 5, 3).eval(), ((7, 9), (4, 5), (2, 3))
maps = [torch.randn(2, c, *side) for c, side in zip((4, 6, 8), sides, strict=True)]
maps = [x.requires_grad_() for x in maps]
got = check.call(decoder, maps)
check.kind(got, torch.Tensor)
check.catches((2, 3, 2, 3), got.shape, "everything has the size of the last map: take the first's")
expected = joined(decoder, maps)
for wrong, message in misjoined(decoder, maps):
    if not torch.allclose(wrong, expected, atol=1e-5):  # as raising a linear unify's map first
        check.catches(wrong, got, message)
turned = Decoder((4, 6, 8), 5, 3).eval()
turned.load_state_dict(decoder.state_dict())
weight = turned.fuse[0].weight.data
weight.copy_(weight.unflatten(1, (3, 5)).flip(1).flatten(1, 2))
front = "the last stage stands in front: the first one should"
check.catches(joined(turned, maps), got, front)
check.close(got, expected, "expected: unify, raise, lay side by side, fuse, head")
got.square().sum().backward()
slopes = [*(x.grad for x in maps), *(weight.grad for weight in decoder.parameters())]
check.that(
    all(slope is not None for slope in slopes), "no gradient reaches the maps: detach nothing"
)
check.passed("all stages, side by side")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-mlp-decoder-2")


def hidden_state(rng: np.random.Generator, network: nn.Module) -> dict[str, np.ndarray]:
    """Values for every weight and running mean; variances are positive."""
    return {
        key: rng.uniform(0.5, 2, tuple(value.shape))
        if key.endswith("var")
        else rng.normal(0.1, 0.5, tuple(value.shape))
        for key, value in network.state_dict().items()
        if value.ndim
    }


for name, dims, width, classes, sides in (
    ("three", (3, 5, 4), 6, 4, ((7, 9), (4, 5), (2, 3))),
    ("two", (6, 2), 3, 5, ((6, 4), (3, 2))),
):
    network = Decoder(dims, width, classes).double()
    values = probe.given(f"{name}-weights", lambda rng, n=network: hidden_state(rng, n))
    given = {key: torch.from_numpy(value) for key, value in values.items()}
    network.load_state_dict(given, strict=False)
    entered = [
        torch.from_numpy(probe.given(f"{name}-{i}", lambda rng, s=(2, c, *s): rng.normal(0, 1, s)))
        for i, (c, s) in enumerate(zip(dims, sides, strict=True))
    ]
    for part in entered:
        part.requires_grad_()
    about = f"{name} stages, with other weights"
    answered = probe.call(network.eval(), entered)
    probe.emit(f"{name}-evaluated", answered, f"evaluated: {about}")
    made = probe.call(network.train(), entered)
    probe.emit(f"{name}-trained", made, f"in training: {about}")
    made.square().sum().backward()
    probe.emit(f"{name}-gradients", [part.grad for part in entered], f"gradients: {about}")
    slopes = {key: weight.grad for key, weight in network.named_parameters() if "0.bias" not in key}
    probe.emit(f"{name}-slopes", slopes, f"the gradients with respect to the weights: {about}")
### END HIDDEN TESTS

# %% [markdown]
# The whole network, from your parts. The decoder's logits have a quarter of the image's side and are raised at the end. (The report's notebook raises them with a learnt transposed convolution of 5,795 weights more, and its table counts without it.)


# %%
class SegFormer(nn.Module):
    """A transformer encoder of four stages and a decoder of 1×1 convolutions."""

    def __init__(
        self, num_classes: int = 19, in_channels: int = 3, dims: tuple = (16, 32, 128, 192),
        depths: tuple = (1, 2, 2, 2), heads: tuple = (2, 2, 2, 8), expansion: int = 4,
        decoder: int = 256,
    ) -> None:  # fmt: skip
        super().__init__()
        sizes = zip((in_channels, *dims[:-1]), dims, depths, heads, strict=True)
        self.stages = nn.ModuleList(Stage(*s, expansion, n == 0) for n, s in enumerate(sizes))
        self.decoder = Decoder(dims, decoder, num_classes)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """(B, 3, H, W) whitened image → (B, num_classes, H, W) logits."""
        features, x = [], image
        for stage in self.stages:
            x = stage(x)
            features.append(x)  # (B, 16, H/4, W/4), …, (B, 192, H/32, W/32)
        return F.interpolate(self.decoder(features), image.shape[-2:], mode="bilinear")


# %% check-mlp-decoder-3 points=1
check = Check("mlp-decoder")
torch.manual_seed(0)
mine, twin = SegFormer(), create_model("segformer")
check.equal(count_parameters(mine), 1_975_683, "expected: the report's number of parameters")
names = [list(network.state_dict()) for network in (mine, twin)]
check.equal(sorted(names[0]), sorted(names[1]), "other names than the course's SegFormer has")
twin.load_state_dict(mine.state_dict())
mine, twin, image = mine.eval(), twin.eval(), torch.randn(1, 3, 61, 50)
with torch.no_grad():
    got, theirs = check.call(mine, image), twin(image)
check.close(got, theirs, "another output than the course's", atol=1e-4, rtol=1e-4)
small = {"dims": (4, 8, 8, 16), "depths": (1, 1, 2, 1), "heads": (1, 2, 2, 4), "decoder": 8}
mine, twin = SegFormer(11, **small), create_model("segformer", num_classes=11, **small)
twin.load_state_dict(mine.state_dict())
for network in (mine, twin):
    network(image.repeat(2, 1, 1, 1)).square().mean().backward()
theirs = dict(twin.named_parameters())
for name, weight in mine.named_parameters():
    check.that(weight.grad is not None, f"no gradient reaches {name}: detach nothing")
    gradient = f"another gradient than in the course's reaches {name}: detach nothing on the way"
    check.close(weight.grad, theirs[name].grad, gradient, atol=1e-4, rtol=1e-3)
check.passed("the course's SegFormer accepts your weights, computes and learns the same")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-mlp-decoder-3")
sizes = {"dims": (8, 12, 16, 16), "depths": (1, 1, 1, 1), "heads": (2, 2, 2, 4), "decoder": 16}


def hidden_quilts(rng: np.random.Generator, number: int) -> dict[str, np.ndarray]:
    """Noisy images of patches in three colours, and the patches' classes."""
    patches = rng.integers(0, 3, (number, 2, 2)).repeat(16, axis=1).repeat(16, axis=2)
    images = colours[patches] + rng.normal(0, 1, (number, 32, 32, 3))
    return {"images": images.transpose(0, 3, 1, 2), "maps": patches}


exact = SegFormer(num_classes=3, **sizes).double()
probe.start(exact, "weights", gain=1)
entered = torch.from_numpy(probe.given("image", lambda rng: rng.normal(0, 1, (2, 3, 37, 42))))
probe.emit("evaluated", exact.eval()(entered), "the whole network on an image of 37 × 42")
exact(entered.requires_grad_()).logsumexp(1).mean().mul(50).backward()
probe.emit("gradient", entered.grad, "the gradient with respect to the image")

colours = probe.given("colours", lambda rng: (3 * np.eye(3) - 1)[rng.permutation(3)])
lot = probe.given("lot", lambda rng: hidden_quilts(rng, 16))
unseen = probe.given("unseen", lambda rng: hidden_quilts(rng, 8)["images"])
probe.keep("unseen", lambda rng: hidden_quilts(rng, 8)["maps"])
learner = SegFormer(num_classes=3, **sizes)
probe.start(learner, "start", gain=1)
adam = torch.optim.Adam(learner.parameters(), 0.01)
for turn in range(24):
    chosen = slice(turn % 2 * 8, turn % 2 * 8 + 8)
    images, true = torch.from_numpy(lot["images"][chosen]), torch.from_numpy(lot["maps"][chosen])
    adam.zero_grad()
    F.cross_entropy(learner(images.float()), true).backward()
    adam.step()
with torch.no_grad():
    called = learner(torch.from_numpy(unseen).float()).argmax(1)
probe.emit("trained", called, "images that it has not seen, once trained", miou=("unseen", 0.7))
### END HIDDEN TESTS

# %% [markdown]
# What it does to an image of this tier (a stage gives a map, its parts give tokens):

# %%
plots.shapes(SegFormer(), (3, SIZES["size"], SIZES["size"]), depth=2)

# %% [markdown]
# Where are the weights, and does it fit the limits? (2,000,000 in 2024; 1,821,085 in 2025.)

# %%
network = SegFormer()
for n, stage in enumerate(network.stages, start=1):
    print(f"stage {n}: {count_parameters(stage):>9,}")
print(f"encoder: {count_parameters(network.stages):>9,}")
print(f"decoder: {count_parameters(network.decoder):>9,}")
print(f"all:     {count_parameters(network):>9,}")
slim = count_parameters(SegFormer(decoder=184))
print(f"with a decoder of 184 channels: {slim:,}; below the limit of 2025: {slim < 1_821_085}")

# %% [markdown]
# The first stage makes the 2 GiB matrix and holds less than half a percent of the weights. Parameters, memory, time: three bills, paid in different places.
#
# ## Training
#
# As in lesson 02: the report's recipe, by `coursekit.training.fit`. A plain transformer assumes less about images than a convolution does (nothing tells attention that neighbours matter) and needs much data to learn it. Overlapping patches and the depthwise convolution bring some of that knowledge back.

# %% train tags=["slow"]
from coursekit.optim import AdamToSGDConfig
from coursekit.training import FitConfig, fit

torch.manual_seed(0)
model = SegFormer(num_classes=LABELS.num_classes)
result = fit(
    model, train, val,
    FitConfig(
        size=SIZES["size"], epochs=SIZES["epochs"], batch_size=SIZES["batch"],
        plan=AdamToSGDConfig(adam_lr=SIZES["lr"], patience=SIZES["patience"]), seed=0,
    ),
    progress=False,
)  # fmt: skip
history = result.history
print("the first epoch's loss is below log 19:", history[0]["train_loss"] < np.log(19))
print(
    "the loss fell by a third or more:", history[-1]["train_loss"] < history[0]["train_loss"] / 1.5
)

# %% tags=["slow"]
plots.convergence(history)

# %% [markdown]
# ## What was learnt, in a picture

# %% tags=["slow"]
from coursekit import metrics
from coursekit.checkpoint import ModelInfo
from coursekit.inference import predict_label_map
from coursekit.training import evaluate

white = result.whitening
config = {"num_classes": LABELS.num_classes}
info = ModelInfo("segformer", config, LABELS.key, SIZES["size"], white.mean, white.std)
model = model.cpu().eval()
rows = []
for sample in val[:8]:
    row = {"image": sample.image, "truth": sample.label_map}
    row["prediction"] = predict_label_map(model, sample.image, info)
    rows.append(row)
plots.panels(rows, LABELS, across=2)

# %% [markdown]
# The logits are made on a grid of a quarter of the image's side, one score for 4 × 4 pixels, and raised smoothly. At 48² that is coarse: 12 × 12 tokens for a face, and an eye is one or two of them. At 512² there are 128 × 128.
#
# ### Where does it look?
#
# Now the real thing: the trained network's own queries and keys. We listen at two attention layers, the first stage's and the last of the second stage, and compute their weights (the matrix, just this once). For three places of one face the picture shows the row of that query, head by head.


# %% tags=["slow"]
def attention_maps(image: torch.Tensor) -> list[torch.Tensor]:
    """Weights of stages 1 and 2, (heads, queries, keys), for one whitened (1, 3, H, W) image."""
    kept: list[torch.Tensor] = []

    def listen(layer: Attention, inputs: tuple, _out: torch.Tensor) -> None:
        query, key, _ = layer.heads_of(inputs[0])
        kept.append((query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(-1)[0])

    layers = [model.stages[0].blocks[-1].attention, model.stages[1].blocks[-1].attention]
    hooks = [layer.register_forward_hook(listen) for layer in layers]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    return kept


sample, pixels = val.sample(5), min(SIZES["size"], 256)
small = F.interpolate(torch.from_numpy(sample.image / 255.0).float().permute(2, 0, 1)[None], pixels)
mean, std = (torch.tensor(values).float().view(1, 3, 1, 1) for values in (white.mean, white.std))
maps = attention_maps((small - mean) / std)

# %% tags=["slow"]
figure, axes = plt.subplots(3, 5, figsize=(7.5, 4.7), layout="constrained")
picture = small[0].permute(1, 2, 0)
for line, (name, (y, x)) in zip(
    axes, {"forehead": (0.36, 0.5), "mouth": (0.7, 0.5), "beside": (0.5, 0.06)}.items(), strict=True
):
    line[0].imshow(picture.numpy())
    line[0].plot(x * pixels, y * pixels, "c+", markersize=10)
    line[0].set_title(f"asked from: {name}", fontsize=8)
    for i, axis in enumerate(line[1:]):
        stage, head, grid = i // 2, i % 2, pixels // (4, 8)[i // 2]
        row = maps[stage][head, int(y * grid) * grid + int(x * grid)]
        axis.imshow(row.view(grid, grid).numpy(), cmap="magma")
        axis.plot(x * grid - 0.5, y * grid - 0.5, "c+", markersize=8)
        axis.set_title(
            f"stage {stage + 1}, head {head + 1}: {row.max() * grid**2:.1f}×", fontsize=8
        )
for axis in axes.flat:
    axis.set_axis_off()
plots.described(figure, "A face, and from where in it each head takes what it adds up: bright "
                "where the weight is large, times an even share.")  # fmt: skip

# %% [markdown]
# Each picture is one row of a matrix: where this one token looked. (Each has its own scale of colours; the number says how many even shares of the attention its brightest square gets.) Heads differ, and places differ; the maps are broader than those of mere colour above. Do the first stage's maps of the mouth lie on the face? No term of the loss mentions attention.
#
# Be careful with such pictures. A bright square says that a value was heard, not what it said or whether it mattered: a dense layer mixes the result and *adds* it to the token, and the network may hardly use it. They are a good way to find that something is broken (a map that is the same for every query, say), and a poor way to explain a prediction.
#
# ## The paper says, we measured
#
# For this network the report has a table and a log, and they do not tell quite the same story.
#
# - Its Table 1 says 871 s an epoch: the slowest of the four, five times FastSCNN. By the time stamps of its log, an epoch took about 650 s, training and validation together (84 epochs in 15 hours and 11 minutes). The text does not say how the 871 s were measured.
# - The log's best validation *loss* is at epoch 49 of 85, the first after the switch to SGD, and its mean IoU there is the 71.38 % of the table. The best mean *IoU* of the log is 71.78 %, at epochs 60, 70 and 72. Stopping by the loss is the rule that was announced, so 71.38 is the honest number.
# - The weights that were trained include the learnt transposed convolution at the end, 1,981,478 in all; the table's 1,975,683 is without.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

pooled = evaluate(model, val, info, progress=False)
m = metrics.mean_iou(pooled.matrix)
Markdown(f"""
| | the report | here, {TIER} tier |
|---|---|---|
| data | 5,000 photos, 512² | {len(train):,} {"photos" if DATA else "rendered faces"}, {SIZES["size"]}² |
| parameters | 1,975,683 | {count_parameters(model):,} |
| best epoch, of | 49 of 85 (its log) | {result.best_epoch + 1} of {len(history)} |
| validation mean IoU | 71.38 % (rank 1 of 4) | {100 * m:.1f} % |
| test mean IoU | 56.67 % (rank 1 of 4) | no test set here |
| seconds an epoch | 871 (table; the slowest of 4), about 650 (log) | {np.median([e["seconds"] for e in history]):.1f} |
""")

# %% [markdown]
# **The columns are not a race**: photographs and hours of a GPU on the left, drawn faces and a minute or two (on the quick tier) on the right. Nor is it a race with lesson 02's U-Net, which saw other faces, more often, and has no normalisation, where SegFormer has it everywhere. To know what helps, change one thing at a time.
#
# ## Time is not multiplications
#
# Lesson 02 promised a proper measurement. Multiplications first, of convolutions, dense layers and attention: `coursekit.complexity` lets PyTorch count them while only shapes run through the network, so the
# counts are exact and free.

# %%
from coursekit.complexity import multiply_accumulates

NAMES = ("unet", "deeplabv3plus", "fastscnn", "segformer")
FOUR = {name: create_model(name) for name in NAMES} | {"as you wrote it": SegFormer()}
print("                 parameters   10⁹ multiplications at 256²   at 512²   ratio")
for name, network in FOUR.items():
    work = [multiply_accumulates(network, size) / 1e9 for size in (256, 512)]
    print(f"{name:<15}{count_parameters(network):>12,}{work[0]:>29.2f}"
          f"{work[1]:>10.2f}{work[1] / work[0]:>8.1f}")  # fmt: skip

# %% [markdown]
# Four times the pixels are four times the work for a convolutional network, and eight times or more for SegFormer: attention alone is 11.3 · 10⁹ of its multiplications at 512². At 256² it multiplies less than U-Net does, at 512² more.
#
# Why does the course's SegFormer need less than yours, with the same weights and the same output? Your `fuse` is by far the largest layer of the decoder: 1,024 channels to 256, at a quarter of the side. Raising mixes neighbours within a channel, its convolution mixes channels within
# a place, and both are linear: so it does not matter which comes first.
#
# The course's decoder lets each map meet its own 256 columns of the weights at its own, small size, raises the result, and adds the four up. At 512² this saves 2.9 · 10⁹ multiplications and a tensor of 1,024 channels. (`unify` cannot change places with raising: its ReLU is not linear.)
#
# Now the clock: one image of 256², the networks in turn, the shortest of three runs each, on as many cores as PyTorch takes.


# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
def stopwatch(networks: dict[str, nn.Module], size: int) -> dict[str, float]:
    """Milliseconds for one image; networks run in turn, so that none has a quieter machine."""
    image, spent = torch.zeros(1, 3, size, size), {name: [] for name in networks}
    with torch.no_grad():
        for _ in range(3):
            for name, network in networks.items():
                spent[name].append(milliseconds(lambda n=network: n.eval()(image), times=1))
    return {name: min(each) for name, each in spent.items()}


timed = stopwatch(FOUR, 256)
measured = {
    name: (multiply_accumulates(network, 256) / 1e9, timed[name]) for name, network in FOUR.items()
}
print("                10⁹ multiplications   milliseconds   10⁹ multiplications a second")
for name, (work, spent) in measured.items():
    print(f"{name:<15}{work:>20.2f}{spent:>15.0f}{1000 * work / spent:>31.0f}")

# %% tags=["slow"]
figure, axes = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
rate = measured["unet"][0] / measured["unet"][1]
line = np.array([0.15, 15])
axes.plot(line, line / rate, "--", color=plots.GREY, label="U-Net's speed per multiplication")
for name, (work, spent) in measured.items():
    colour = plots.RED if name in ("segformer", "as you wrote it") else plots.BLUE
    axes.scatter(work, spent, s=count_parameters(FOUR[name]) / 15_000, color=colour)
    side = {"segformer": "right", "unet": "left"}.get(name, "center")
    away = {"right": (-11, -4), "left": (9, -9), "center": (0, 10)}[side]
    axes.annotate(name, (work, spent), away, textcoords="offset points", ha=side)
axes.set(xscale="log", yscale="log")
axes.margins(0.12, 0.15)
axes.set(xlabel="10⁹ multiplications for one 256² image", ylabel="milliseconds")
axes.legend(frameon=False, loc="lower right", fontsize=8)
axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# A network on the dashed line would be as fast as U-Net for each multiplication; the area of a dot is the number of parameters. On our test machine, quiet or busy,
#
# - **DeepLabV3+** does three times U-Net's multiplications in two to three times the time: both are made of full 3×3 convolutions, what processors do best;
# - **FastSCNN** does a thirteenth of U-Net's multiplications, and takes one to four tenths of the time, not a thirteenth: a depthwise kernel does nine multiplications for each number that it fetches, a full one with 64 outputs does 576;
# - **SegFormer** does less than half of U-Net's multiplications (yours two thirds) and takes 1.3 to 2 times as *long*. GELU, LayerNorm, softmax and raising 256 channels to the size of the first stage do not count as multiplications. The clock sees them all.
#
# So three networks of nearly the same number of parameters differ by a factor of more than six in multiplications, and their order by time is another one again. A GPU may order them differently, and so may a phone. When somebody says "efficient", ask: by which of the three, and on what?
#
# ## The library twin
#
# `smp.Segformer` has the paper's encoders, and even the smallest, `mit_b0`, is too large for the limit. Can we ask for our sizes? Beware: the encoder accepts the arguments and throws them away without a word (smp 0.6).

# %%
import segmentation_models_pytorch as smp

OURS = {"embed_dims": (16, 32, 128, 192), "depths": (1, 2, 2, 2), "num_heads": (2, 2, 2, 8)}
plain = smp.Segformer("mit_b0", encoder_weights=None, classes=19)
asked = smp.Segformer("mit_b0", encoder_weights=None, classes=19, **OURS)
print(f"mit_b0:                 {count_parameters(plain):,} parameters")
print(f"mit_b0, our sizes asked: {count_parameters(asked):,}: nothing has changed")

# %% [markdown]
# What works is an encoder from timm, whose arguments do arrive. PVT v2 (2021) has the same parts as SegFormer's encoder: overlapping patches, a depthwise convolution in the feed-forward part, spatial reduction by `sr_ratios`.
# With our sizes and no reduction it has exactly as many weights as our encoder. With the paper's reduction (8, 4, 2 and 1 along each side, so $R$ = 64, 16, 4 and 1) it has the paper's attention.

# %%
OURS["mlp_ratios"] = (4, 4, 4, 4)


def library(reduction: tuple, width: int) -> nn.Module:
    """smp's decoder behind timm's encoder, at our sizes."""
    return smp.Segformer(
        "tu-pvt_v2_b0", encoder_weights=None, classes=19, decoder_segmentation_channels=width,
        sr_ratios=reduction, **OURS,
    )  # fmt: skip


TWINS = {
    "no reduction": ((1, 1, 1, 1), 256), "the paper's": ((8, 4, 2, 1), 256),
    "the same, slim": ((8, 4, 2, 1), 184),
}  # fmt: skip
print("                   encoder   all together   below 2,000,000   10⁹ multiplications, 512²")
for name, settings in TWINS.items():
    twin = library(*settings)
    parts = count_parameters(twin.encoder), count_parameters(twin)
    print(f"{name:<15}{parts[0]:>11,}{parts[1]:>15,}{parts[1] < 2e6!s:>18}"
          f"{multiply_accumulates(twin, 512) / 1e9:>28.1f}")  # fmt: skip
ours = multiply_accumulates(SegFormer(), 512) / 1e9
print(f"yours          {1610608:>11,}{1975683:>15,}{True!s:>18}{ours:>28.1f}")

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
twins = {"yours": SegFormer()} | {name: library(*settings) for name, settings in TWINS.items()}
timed = stopwatch(twins, 256)
for name, spent in timed.items():
    print(f"{name:<15}{spent / timed['yours']:.2f} times as long as yours for an image of 256²")

# %% [markdown]
# With the reduction, about a third of the multiplications is enough; it costs 181,232 more parameters in the encoder (the strided convolutions and their norms). That is more than the limit allows, so the decoder must give some back: the slim one has 184 channels. If time is short, that is worth considering.
#
# | prefer | when |
# |---|---|
# | `smp.Segformer` with `mit_b0` … `mit_b5` | pretrained weights are allowed and 3.7 million parameters or more are, too |
# | `smp.Segformer` with a timm encoder | you want reduced attention, or another encoder, without writing it |
# | your own | you must know every parameter, need images of any size (smp's wants sides that 32 divides), or want to look inside |
#
# ## What to try next
#
# - **Take the sense of place away.** Replace the depthwise convolution by `nn.Identity()`, and let the patches tile the image (kernel as large as the stride, no padding). Train. Which classes does it confuse now? Look at left and right.
# - **Post-norm.** Change `Block.forward` to normalise the sums. Does it still train at a rate of 0.001?
# - **Another size.** Evaluate the trained network on images of 64² or 96². What happens to the score, and would a position code have allowed it?
# - **One head.** `SegFormer(heads=(1, 1, 1, 1))` has exactly as many parameters. Is it worse?
# - **The backward pass in blocks.** Write the gradient of `attend_in_blocks` from its inputs, its answer and $m + \log \ell$, without keeping any weights.
#
# You have now seen the inside of all four networks in the report's table. **Lesson 06** leaves the network alone and changes what it is told to minimise.

# %% quiz [markdown]
# ### What are queries, keys and values for, in a word each?
#
# - [x] What I look for; what can be found at a place; what that place tells
#   The query meets every key, the scores become weights, and the weights mix the values.
# - [ ] Three copies of the token, so that attention has more parameters
#   They are made by three *different* linear maps, because asking, being found and telling are three jobs.
# - [ ] The red, green and blue channels of the patch
#   Colour is in all three, mixed by learnt weights. Their number has nothing to do with channels of colour.
#
# ### Attention divides by √d. What happens without it, for long queries?
#
# - [ ] The weights no longer sum to 1
#   A softmax makes every row sum to 1, whatever it is given.
# - [ ] The result is √d times as large
#   It is still a weighted mean of values, so it stays within them.
# - [x] The scores grow, one weight comes close to 1, and hardly any gradient passes
#   A dot product of d random terms scatters like √d. Far out the softmax is flat, so nothing is learnt there.
#
# ### The online softmax meets a block with a larger score than all before. What must be done?
#
# - [ ] Nothing: the new block uses the new maximum, the old ones used theirs
#   Then parts of one sum would be scaled differently, and old keys would count for too much.
# - [x] Both old sums are multiplied by exp(m − m′)
#   That turns them into what they would have been with the new maximum from the start: the sum of weights *and* the sum of weighted values.
# - [ ] Start again from the first key with the new maximum
#   It would give the right result, and read all keys again for each new maximum. One factor does the same.
# - [ ] The old sums are divided by the number of blocks
#   A mean of blocks is another function: blocks do not weigh alike.
#
# ### How does SegFormer know where in the picture a token lies?
#
# - [ ] By a table of learnt position codes, one for each token
#   That is the vision transformer of 2020. It ties the network to one size of image.
# - [ ] Attention knows it: the rows of the matrix are in order
#   Shuffle the tokens, and the answers come out shuffled alike. Attention itself is blind to place.
# - [x] By its convolutions: overlapping patches, the 3×3 in Mix-FFN, and zeros at the border
#   Padding is a mark that a convolution can feel, and each layer carries the news further. So images of any size can be used.
#
# ### SegFormer multiplies less than U-Net at 256² and takes longer. What does that teach?
#
# - [ ] That multiplications were counted wrongly
#   They are exact. They are only not all that takes time.
# - [ ] That it has too many parameters
#   The two have nearly the same number.
# - [x] That parameters, multiplications and time are three different things
#   Normalising, softmax and moving data count as no multiplication, and the clock sees them. "Efficient" needs a unit.

# %% [markdown]
# {{links}}
