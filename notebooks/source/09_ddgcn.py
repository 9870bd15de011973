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
# # 9 · DDGCN: context from two graphs
#
# Lessons 09 to 11 build one research method, **DML-CSR** (Zheng et al., CVPR 2022): its network, its edge tasks, its training. This lesson builds the block in its middle, the *Dynamic Dual Graph Convolutional Network*. It gives each place of a face information from all other places, without pooling.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 64 rendered faces, 64² | CelebAMask-HQ, for example the course's 5,000 photos, 256² |
# | computing | {{computing}} | one to two hours on a GPU (estimated) |
# | memory | {{memory}} | about 4 GB of GPU memory (estimated) |
#
# **You will be able to**
# - say what pooling does to context, and what "no pooling" means in this paper;
# - write a graph convolution, and a graph whose links are learnt;
# - build both graphs of DDGCN from their equations, with the shape of every tensor;
# - predict what a block computes before it has learnt anything;
# - find out by counting which of two descriptions of a network was used.
#
# **Before this** come lesson 03 (batch normalisation, ASPP) and lesson 05 (queries, keys and values).
#
# {{links}}
#
# {{papers}}

# %%
import copy

import matplotlib.pyplot as plt  # once it is loaded, Jupyter shows figures
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from coursekit import count_parameters, create_model, plots, tier
from coursekit.checks import Check
from coursekit.data import SynthDataset, open_dataset
from coursekit.models import ddgcn  # the course's own, to compare with
from coursekit.models.abn import ABN
from coursekit.models.dml_csr import SMALL  # sizes of a small network

# %%
TIER, DATA, SIZES = tier.choose(
    train=(64, 5000),
    val=(24, 500),
    size=(64, 256),
    epochs=(3, 20),
    batch=(4, 8),
    lr=(0.01, 0.005),
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
# ## The idea: context without pooling
#
# The encoder of DML-CSR, a ResNet-101, makes of a 473² photo a map of 60×60 places with 2048 numbers each. The paper calls it $C_5$. On this map a 3×3 convolution reaches only the 8 places around each place. To cross the map takes 59 such layers.
#
# The usual short cut is **pooling**. The pyramid of PSPNet (PSP, 2017) takes the means over 1, 4, 9 and 36 regions of the map. It enlarges them to the old size and lays them beside the features (with one region, this is lesson 03's `ASPPPooling`).
#
# The paper blames this for **spatial inconsistency**: small areas inside a large region that get a wrong class, such as "neck" on the cloth. How can that happen? Suppose that the encoder were perfect, and the features were the true classes, one channel each. This is what pooling makes of them:


# %%
def pooled(maps: torch.Tensor, bins: int) -> torch.Tensor:
    """The context that PSP gives: means over bins × bins regions, enlarged to the old size."""
    means = F.adaptive_avg_pool2d(maps, bins)  # (B, C, bins, bins)
    return F.interpolate(means, maps.shape[-2:], mode="bilinear")  # (B, C, h, w)


drawn = SynthDataset(seed=0, length=60, size=60)  # 60×60, as C5 of a 473² photo
face, neck_id = drawn.sample(57), drawn.labels.index("neck")
truth = torch.from_numpy(face.label_map).long()  # (60, 60)
perfect = F.one_hot(truth, 19).permute(2, 0, 1)[None].float()  # (1, 19, 60, 60)
row = {"image": face.image, "true classes": face.label_map}
for bins in (6, 3, 2, 1):
    strongest = pooled(perfect, bins)[0].argmax(0)  # (60, 60)
    row[f"{bins}×{bins} regions"] = strongest.numpy().astype(np.uint8)
    wrong, neck = strongest != truth, truth == neck_id
    print(f"{bins}×{bins} regions: the strongest class is wrong at "
          f"{wrong.float().mean():.0%} of all places, {wrong[neck].float().mean():.0%} of the neck")  # fmt: skip
plots.panels([row])

# %% [markdown]
# The pictures show which class is *strongest* in the context of each place. Eyes, brows and lips have vanished. Where neck and cloth share a region, both get the same context, and the larger one wins.
#
# This is no proof: PSP lays the context *beside* the features, and a later layer can decide by those. The paper's evidence is Table 5, to which we come back.
#
# DDGCN must make the map smaller, too. It uses **strided depthwise convolutions** (lesson 04): nine learnt weights for each channel. Nine weights of 1/9 would be average pooling. So "no pooling" means no *fixed* mean and no maximum.
#
# ## The map of this lesson
#
# This is the paper's Fig. 3, drawn from the course's finished block. `plots.shapes` notes the shape that each part gives, on torch's `meta` device, where a tensor has a shape but no numbers. At the end you draw the same picture from *your* block.

# %% tags=["folded"]
FIGURE_3 = """
(input: $C_5$)
conva: $X$
projection: $X_l$ | feature: $H_F$
spatial: $H_S$ |
reduce: merged by λ, γ
convb: 3×3
bottleneck: 3×3, with $C_5$
"""
FLOWS = """input > conva > projection > spatial > reduce > convb > bottleneck,
conva > reduce, conva > feature > reduce"""
with torch.device("meta"):
    finished = ddgcn.DDGCN(2048)
plots.diagram(FIGURE_3, FLOWS, shapes=plots.shapes(finished, (2048, 60, 60)))

# %% [markdown]
# Read it from top to bottom. `conva` makes 512 channels of 2048: this is $X$. In the left branch the nodes of the graph are **places**, 8×8 = 64 of them. In the right branch they are **groups of channels**, 128 of them. Both results are laid beside $X$ and mixed. Two learnt numbers, $\lambda$ and $\gamma$, the <dfn title="gate">gates</dfn>, say how much each graph counts. Both start at 0.
#
# ## A graph convolution, by hand
#
# A <dfn>graph</dfn> is a set of nodes and the links between them. Each node has some numbers, its **state**. A graph convolution (Kipf and Welling, 2017) does two things. Every node takes a weighted sum of the states of the nodes that it is linked with. Then all states go through the same dense layer. With the states as rows of $Z$:
#
# $$ Z' = A\,Z\,W $$
#
# $A$, the <dfn>adjacency matrix</dfn>, holds the links: $A_{nm}$ says how much node $n$ takes from node $m$. $W$ mixes the numbers within a state. Here are four parts of a face in a chain, one number each. Only the brow begins with a 1:

# %%
names = ["brow", "eye", "nose", "mouth"]
links = torch.eye(4)  # each node keeps some of its own state …
for one, other in ((0, 1), (1, 2), (2, 3)):
    links[one, other] = links[other, one] = 1  # … and takes from its neighbours
links /= links.sum(1, keepdim=True)  # row n: the shares that n takes; they sum to 1
print("A =", [[round(share, 2) for share in row] for row in links.tolist()])

z = torch.tensor([[1.0], [0.0], [0.0], [0.0]])  # (nodes, 1)
for step in range(1, 4):
    z = links @ z
    states = ", ".join(f"{name} {value:.3f}" for name, value in zip(names, z[:, 0], strict=True))
    print(f"after {step} step{'s' * (step > 1)}: {states}")

# %% [markdown]
# The brow's number reaches the mouth in the third step: one link a step, as in a stack of 3×3 convolutions. If *all* nodes are linked with all, one step is enough. That is the idea of this block.
#
# Who decides on the links? In DDGCN **$A$ is learnt**. The product $AZ$ is a sum over nodes with learnt weights. So it is a convolution with kernel 1 that takes the *nodes* for its channels. (The paper's "1D convolution to build adjacent matrix".) $ZW$ is the same with the *states* for channels:

# %%
torch.manual_seed(0)
z, adjacency, mixing = torch.randn(1, 4, 3), torch.randn(4, 4), torch.randn(3, 3)  # 4 nodes of 3
over_nodes = F.conv1d(z, adjacency[:, :, None])  # (1, nodes, states)
over_states = F.conv1d(over_nodes.mT, mixing.T[:, :, None]).mT  # turned, convolved, turned back
print("A Z W:", torch.allclose(over_states, adjacency @ z @ mixing, atol=1e-5))

# %% [markdown]
# `.mT` swaps the last two dimensions. `Conv1d` takes the *second* dimension for its channels, so mind which one stands there. Half of this lesson's mistakes are made here.
#
# ### Two helpers
#
# DML-CSR normalises by <dfn>ABN</dfn>, activated batch normalisation: a batch normalisation whose scale is $|w|+\varepsilon$ (with $w$ learnt and $\varepsilon = 10^{-5}$), then a leaky ReLU with slope 0.01. With `slope=1` there is no activation. It keeps only its output for the backward pass, which saves memory (see `coursekit/models/abn.py`).


# %%
def conv_abn(
    in_channels: int, out_channels: int, kernel: int = 1, stride: int = 1, *,
    groups: int = 1, bias: bool = False,
) -> nn.Sequential:  # fmt: skip
    """A padded convolution, then ABN."""
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias),
        ABN(out_channels),
    )


def node_abn(channels: int) -> nn.Sequential:
    """A learnt weight between each two of `channels`, ABN without activation: (B, channels, n)."""
    return nn.Sequential(nn.Conv1d(channels, channels, 1, bias=False), ABN(channels, slope=1.0))


# %% [markdown]
# ## Exercise 1: from places to nodes
#
# The spatial graph links every node with every other. So DDGCN does not take all 3,600 places for nodes. It makes the map smaller first: three 3×3 convolutions of stride 2, **each channel by itself**, each followed by ABN. A side of 60 becomes 30, 15 and 8. `nn.Sequential` calls its parts in turn, and is given them one by one: `super().__init__(first, second, third)`.
#
# <details><summary>Hint 1</summary>
#
# `conv_abn` does one of the three. Which arguments are not at their default?
# </details>
# <details><summary>Hint 2</summary>
#
# A depthwise convolution has as many `groups` as channels.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.ddgcn import Projection` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% node-projection minutes=10 difficulty="easy"
class Projection(nn.Sequential):
    """X → X_l: (B, C, h, w) → (B, C, h/8, w/8), each side rounded up at each step."""

    def __init__(self, channels: int) -> None:
        ### BEGIN SOLUTION
        super().__init__(*(conv_abn(channels, channels, 3, 2, groups=channels) for _ in range(3)))
        ### END SOLUTION


# %% tags=["folded"]
def has_three_steps(check: Check, made: nn.Module, channels: int) -> None:
    """Three times a depthwise `conv_abn`, each with weights of its own."""
    to, itself = "to `super().__init__(…)`", type(made).forward is nn.Sequential.forward
    check.that(itself, "write no `forward`: `nn.Sequential` calls its parts in turn by itself")
    check.equal(
        check.run(made.__len__), 3, f"expected: three steps, `conv_abn` each, one by one {to}"
    )
    check.equal([*made._modules], ["0", "1", "2"], f"give the steps {to}: it numbers them")
    check.equal(len({*made}), 3, "this is one step, three times: each needs weights of its own")
    for step in made:
        check.kind(step, nn.Sequential, what="a step (see `conv_abn`)")
        check.equal([type(p).__name__ for p in step], ["Conv2d", "ABN"], "a step is a `conv_abn`")
        check.that(step[0].bias is None, "the bias is of no use before ABN: leave it out")
        halves = "the stride is missing or another: each of the three steps has stride 2"
        check.equal(step[0].stride, (2, 2), halves)
        shape, full = tuple(step[0].weight.shape), (channels, channels, 3, 3)
        check.catches(full, shape, "every channel mixes all channels: `groups` makes it depthwise")
        default = "the kernel is left at its default of 1: a 3×3 convolution"
        check.catches((channels, 1, 1, 1), shape, default)
        check.shape(step[0].weight, (channels, 1, 3, 3), "expected: 3×3, one kernel a channel")
        for name, default in (("dilation", (1, 1)), ("padding_mode", "zeros")):
            check.equal(getattr(step[0], name), default, f"leave `{name}` at its default")
        check.equal(step[1].slope, 0.01, "leave the slope of ABN at its default")


# %% check-node-projection points=1 tags=["folded"]
from coursekit.checks.mistakes.relation import UNMADE

check = Check("node-projection")
for kinds, said, message in UNMADE:
    check.crashes(kinds, said, message)
torch.manual_seed(0)
small, wide = check.build(Projection, (6,), {"channels": 10})
for made, channels in ((small, 6), (wide, 10)):
    has_three_steps(check, made, channels)
x = torch.randn(2, 6, 21, 34)
got = check.call(small.eval(), x)
check.catches((2, 6, 21, 34), got.shape, "the map keeps its size: the stride is missing")
check.catches((2, 6, 1, 3), got.shape, "the map shrinks too far: pad by half a kernel")
check.shape(got, (2, 6, 3, 5), "21 → 11 → 6 → 3 and 34 → 17 → 9 → 5: stride 2, padded")
twin = ddgcn.Projection(6, "inplace")
check.equal([*small.state_dict()], [*twin.state_dict()], "names are not as `nn.Sequential` gives")
twin.load_state_dict(small.state_dict())
check.close(got, twin.eval()(x), "expected: three `conv_abn` of stride 2, as they are")
seen = check.call(small.train(), x)
check.close(seen, twin.train()(x), "expected: the same in training, too", atol=1e-4)
moved = [made[0][1].running_mean for made in (small, twin)]
check.close(*moved, "leave the settings of ABN at their default: its statistics move otherwise")
check.passed("64 nodes of 3,600 places, and no mean taken")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-node-projection")
for name, channels, shape in (("tall", 5, (3, 5, 26, 17)), ("small", 8, (2, 8, 9, 8))):
    made = Projection(channels).double()
    probe.fill(made, name, mean=0.2, spread=0.4)
    drawn = probe.given(f"{name}-input", lambda rng, s=shape: rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"{channels} channels, a map of {shape[2]} × {shape[3]}"
    probe.emit(f"{name}-eval", made.eval()(entered), f"{about}, in evaluation")
    came_out = made.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    (came_out**2).sum().backward()
    probe.emit(f"{name}-gradient", entered.grad, f"{about}, the gradient of the input")
    table = {key: list(value.shape) for key, value in made.state_dict().items()}
    probe.emit(f"{name}-state", dict(made.state_dict()), f"{about}, names, statistics, weights")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: which channels go together
#
# As in lesson 05, three 1×1 convolutions make queries, keys and values of the nodes. Here each of the $l$ nodes has a *column* and each of the $c$ channels a row: $Q, K, V$ are $c \times l$. The product is another one:
#
# $$ M = K^\top\, \mathrm{softmax}(Q V^\top) $$
#
# In lesson 05 $QK^\top$ compared *nodes* with nodes. $QV^\top$ is $c \times c$: it compares *channels* with channels, over the whole face. Where channel 7 of the queries is large, which channels of the values are large, too? The softmax turns each **row** into weights that sum to 1. They mix every node's key: $M$ is $l \times c$.
#
# | side of $C_5$ | nodes $l$ | lesson 05's $l \times l$ | here $c \times c$, $c = 256$ |
# |---|---|---|---|
# | 60, all places | 3,600 | 12,960,000 | 65,536 |
# | 60, projected to 8 | 64 | 4,096 | 65,536 |
#
# Without the projection the $c \times c$ form is far cheaper. With 64 nodes it is the *larger* of the two. (The form comes from DGCNet.)
#
# Write the equation for a batch; nothing is divided by $\sqrt{d}$. The diagram shows the whole spatial branch; its two boxes in the middle are your `relate`.
#
# <details><summary>Hint 1</summary>
#
# `query @ value.mT` is (B, c, c). Row $i$ belongs to channel $i$ of the queries. Along which dimension must the weights sum to 1?
# </details>
# <details><summary>Hint 2</summary>
#
# `softmax(dim=-1)` makes the rows sum to 1. What must be turned so that (B, c, l) times (B, c, c) becomes (B, l, c)?
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.ddgcn import relate` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (input: $X_l$)
    query: Q | value: V | key: K
    softmax: Q Vᵀ by rows, 256 × 256 |
    M: Kᵀ softmax(Q Vᵀ), 64 × 256
    update: Mᵀ, updated
    extend: $H_S$
    """,
    """input > query > softmax > M > update > extend, input > value > softmax,
    input > key > M""",
    shapes=plots.shapes(finished.spatial, (512, 8, 8)),
)


# %% spatial-relation minutes=20 difficulty="medium"
def relate(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """M = Kᵀ softmax(Q Vᵀ): three times (B, c, l) → (B, l, c)."""
    ### BEGIN SOLUTION
    weights = (query @ value.mT).softmax(dim=-1)  # (B, c, c)
    return key.mT @ weights  # (B, l, c)
    ### END SOLUTION


# %% check-spatial-relation points=2 tags=["folded"]
from coursekit.checks.mistakes.apart import CHANCE, weights_apart
from coursekit.checks.mistakes.relation import UNRELATED, misrelated

check = Check("spatial-relation")
for kinds, said, message in UNRELATED:
    check.crashes(kinds, said, message)
torch.manual_seed(0)
for c, n in ((4, 7), (6, 3), (5, 1)):
    q, k, v = (torch.randn(3, c, n, requires_grad=True) for _ in range(3))
    got = check.call(relate, q, k, v)
    check.kind(got, torch.Tensor, dtype=torch.float32)
    check.equal(check.call(relate, q, k, v), got, CHANCE)
    weights = torch.einsum("bil,bjl->bij", q, v).softmax(2)
    expected = torch.einsum("bil,bij->blj", k, weights)
    if c == 4:
        check.slips(got, expected, misrelated, q, k, v)
    check.shape(got, (3, n, c), "a row for each node, a column for each channel")
    check.that(not (wrong := weights_apart(relate, q, k, v)), wrong)
    check.close(got, expected, f"expected for {c} channels and {n} nodes: Kᵀ softmax(QVᵀ)")
    check.that(got.requires_grad, "what comes out has no gradient: detach nothing")
    both = [
        torch.autograd.grad((o**2).sum(), (q, k, v), allow_unused=True) for o in (got, expected)
    ]
    for name, mine, theirs in zip(("query", "key", "value"), *both, strict=True):
        check.that(mine is not None, f"no gradient reaches the {name}: detach nothing")
        check.close(mine, theirs, f"another gradient reaches the {name}: detach nothing")
double = check.call(relate, *(part.double() for part in (q, k, v)))
check.kind(double, torch.Tensor, dtype=torch.float64)
huge = check.call(relate, 300 * q, k, v)
check.that(torch.isfinite(huge), "large products give no number: use softmax, exp overflows")
check.passed("channels compared over the whole face, a row for each node")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-spatial-relation")
for name, shape, factor, about in (
    ("many", (2, 3, 8), 1, "more nodes than channels"),
    ("few", (3, 6, 2), 1, "more channels than nodes"),
    ("one", (2, 5, 1), 1, "a single node"),
    ("large", (2, 4, 6), 300, "very large products"),
):
    parts = []
    for letter in "qkv":
        drawn = probe.given(f"{name}-{letter}", lambda rng, s=shape: rng.normal(0, 1, s))
        parts.append(torch.from_numpy(drawn).requires_grad_())
    answered = probe.call(relate, factor * parts[0], parts[1], parts[2])
    probe.emit(name, answered, about, dtype=True)
    answered.square().sum().backward()
    for letter, part in zip("qkv", parts, strict=True):
        probe.emit(f"{name}-{letter}-gradient", part.grad, f"the gradient of {letter}: {about}")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the spatial graph
#
# The branch from $X_l$ to $H_S$, as in the diagram above. The parts are given below; write `forward`.
#
# | step | shape |
# |---|---|
# | $Q, K, V$ of $X_l$, by `query`, `key`, `value`; then rows for channels, a column for each node | $B \times 256 \times l$ |
# | $M = K^\top \mathrm{softmax}(QV^\top)$, by your `relate` | $B \times l \times 256$ |
# | `update`: new states, from $M^\top$ | $B \times 256 \times l$ |
# | back to a map | $B \times 256 \times h' \times w'$ |
# | `extend`: as many channels as came in, and ABN. This is $H_S$ | $B \times 512 \times h' \times w'$ |
#
# <details><summary>Hint 1</summary>
#
# `.flatten(2)` makes (B, c, h', w') into (B, c, l), and `.unflatten(2, (h', w'))` is the way back.
# </details>
# <details><summary>Hint 2</summary>
#
# `update` takes the second dimension for its channels: these must be the 256 states, not the nodes. So turn $M$ round, `m.mT`.
# </details>
# <details><summary>Hint 3</summary>
#
# `q, k, v = (part(x).flatten(2) for part in (self.query, self.key, self.value))`, then `m = self.update(relate(q, k, v).mT)`. One line is left.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.ddgcn import SpatialGraph` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %%
class SpatialGraphParts(nn.Module):
    """What the spatial graph is made of."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.query = nn.Conv2d(channels, half, 1)
        self.key = nn.Conv2d(channels, half, 1)
        self.value = nn.Conv2d(channels, half, 1)
        self.update = node_abn(half)
        self.extend = conv_abn(half, channels, bias=True)


# %% spatial-graph minutes=25 difficulty="medium"
class SpatialGraph(SpatialGraphParts):
    """H_S: each place takes from the others what goes with it."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """X_l (B, C, h', w') → H_S (B, C, h', w')."""
        ### BEGIN SOLUTION
        q, k, v = (part(x).flatten(2) for part in (self.query, self.key, self.value))  # (B, C/2, l)
        m = relate(q, k, v)  # (B, l, C/2)
        m = self.update(m.mT)  # (B, C/2, l)
        return self.extend(m.unflatten(2, x.shape[-2:]))  # (B, C, h', w')
        ### END SOLUTION


# %% tags=["folded"]
def shaken(block: nn.Module) -> nn.Module:
    """The block in evaluation, with numbers in it that no part can hide behind."""
    torch.manual_seed(1)
    for name, value in block.state_dict().items():
        noise = 0.3 * torch.randn(value.shape)
        value += noise.abs() if "running_var" in name else noise
    return block.eval()


def astray(block: nn.Module, twin: nn.Module, x: torch.Tensor, *outs: torch.Tensor) -> str:
    """What is wrong with the gradients of a block, compared with its twin's; "" if nothing is."""
    names, slopes = sorted(name for name, _ in block.named_parameters()), []
    if not outs[0].requires_grad:
        return "what comes out has no gradient: detach nothing"
    for one, out in zip((block, twin), outs, strict=True):
        weights = [x, *map(one.get_parameter, names)]
        try:
            slopes.append(torch.autograd.grad(out.pow(3).sum(), weights, allow_unused=True))
        except RuntimeError as error:
            if "inplace operation" not in str(error):
                raise
            return "the backward pass needs what you overwrite: `z = z + …`, not `z += …`"
    rows = zip(["the input", *names], *slopes, strict=True)
    rows = [row for row in rows if row[2] is not None]
    lost = [f"no gradient reaches {name}" for name, mine, _ in rows if mine is None]
    other = [
        f"another gradient reaches {name}"
        for name, mine, theirs in rows
        if not lost and not torch.allclose(mine, theirs, atol=1e-3, rtol=1e-3)
    ]
    return "".join(f"{first}: detach nothing" for first in (lost + other)[:1])


# %% check-spatial-graph points=2 tags=["folded"]
from coursekit.checks.mistakes.apart import CHANCE, SPATIAL, same, twin_of, way_apart
from coursekit.checks.mistakes.ddgcn import UNLED, misled

check = Check("spatial-graph")
for kinds, said, message in UNLED:
    check.crashes(kinds, said, message)
torch.manual_seed(0)
graph, wide = map(shaken, check.build(SpatialGraph, (12,), {"channels": 8}))
x = torch.randn(2, 12, 5, 4, requires_grad=True)
got = check.call(graph, x)
check.kind(got, torch.Tensor)
check.equal(check.call(graph, x), got, CHANCE)
check.slips(got, twin_of(graph, ddgcn.SpatialGraph, 12)(x), misled, graph, x)
check.catches((2, 6, 20), got.shape, "these are states: put them back into a map, then `extend`")
check.catches((2, 6, 5, 4), got.shape, "`extend` is left out: C channels come in, and C go out")
check.shape(got, (2, 12, 5, 4), "H_S has the shape of X_l")
for made, channels, shape in ((graph, 12, (5, 4)), (wide, 8, (3, 6)), (wide, 8, (1, 1))):
    maps = torch.randn(3, channels, *shape, requires_grad=True)
    twin = twin_of(made, ddgcn.SpatialGraph, channels)
    about = f"expected for {channels} channels and {shape[0]}×{shape[1]} nodes: the steps above"
    for mode, words in ((False, ""), (True, ", in training")):
        mine, theirs = check.call(made.train(mode), maps), twin.train(mode)(maps)
        if not same(mine, theirs):
            apart = way_apart(made, twin, lambda graph, maps=maps: graph(maps), SPATIAL)
            check.that(not apart, apart)
        check.close(mine, theirs, about + words, atol=1e-4, rtol=1e-4)
    check.that(not (wrong := astray(made, twin, maps, mine, theirs)), wrong)
check.passed("every node has heard of every other")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-spatial-graph")
for name, channels, shape in (("wide", 8, (2, 8, 3, 5)), ("one", 6, (4, 6, 1, 1))):
    made = SpatialGraph(channels).double()
    probe.fill(made, name, spread=0.5)
    drawn = probe.given(f"{name}-input", lambda rng, s=shape: rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"{channels} channels, {shape[2]} × {shape[3]} nodes"
    probe.emit(f"{name}-eval", probe.call(made.eval(), entered), f"{about}, in evaluation")
    came_out = made.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    (came_out**2).sum().backward()
    probe.emit(f"{name}-gradient", entered.grad, f"{about}, the gradient of X_l")
    slopes = {key: weight.grad for key, weight in made.named_parameters()}
    probe.emit(f"{name}-slopes", slopes, f"{about}, the gradients of the weights")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the feature graph
#
# The second graph needs no projection, because its nodes are not places. $\Theta$, a 1×1 convolution with ABN, gives 128 maps: map $n$ says where node $n$ *looks*. $\Phi$, another one, gives each place a state of 256 numbers. With $L = h \cdot w$ places, $\Theta$ is $128 \times L$ and $\Phi$ is $256 \times L$. Node $n$ sums the states of the places where it looks:
#
# $$ Z = \Phi\,\Theta^\top \qquad (256 \times L)\,(L \times 128) = 256 \times 128 $$
#
# The graph convolution happens among these 128 nodes, all linked with all. First each node takes from the others along the links, and its old state is added. Then the states are updated. $\mathrm{BN}$ is ABN without activation.
#
# $$ Z \leftarrow \mathrm{BN}(\mathrm{Conv1d}_{\text{nodes}}(Z^\top))^\top + Z \qquad\qquad Z \leftarrow \mathrm{BN}(\mathrm{Conv1d}_{\text{states}}(Z)) $$
#
# Finally every place takes the states of the nodes that look at it, $R = Z\,\Theta$, as a map again. A 1×1 convolution with ABN brings it back to 512 channels: $H_F$.
#
# | name | what, for $C$ channels |
# |---|---|
# | `phi`, `theta` | `conv_abn`, 1×1, $C \to C/2$ and $C \to C/4$ |
# | `adjacency`, `update` | `node_abn`, over the nodes and over the states |
# | `extend` | `conv_abn`, 1×1, back to $C$ |
#
# <details><summary>Hint 1</summary>
#
# $C/2$ states, $C/4$ nodes. In $Z$, (B, C/2, C/4), which of the two is the second dimension, the one that `Conv1d` takes for channels?
# </details>
# <details><summary>Hint 2</summary>
#
# `z = phi @ theta.mT`, and `adjacency` wants the nodes second: turn, convolve, turn back, add the old `z`. `update` takes `z` as it stands.
# </details>
# <details><summary>Hint 3</summary>
#
# `z = self.adjacency(z.mT).mT + z`; `z = self.update(z)`; `r = z @ theta`, which is (B, C/2, L). Then as in exercise 3.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.ddgcn import FeatureGraph` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>

# %% tags=["folded"]
plots.diagram(
    """
    (input: $X$)
    phi: Φ | theta: Θ
    adjacency: links, of Zᵀ |
    update: Z, updated |
    extend: $H_F$, of ZΘ
    """,
    "input > phi > adjacency > update > extend, input > theta > adjacency, theta > extend",
    shapes=plots.shapes(finished.feature, (512, 60, 60)),
)


# %% feature-graph minutes=35 difficulty="hard"
class FeatureGraph(nn.Module):
    """H_F: each group of channels takes from the others what goes with it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        states, nodes = channels // 2, channels // 4
        self.phi = conv_abn(channels, states)
        self.theta = conv_abn(channels, nodes)
        self.adjacency = node_abn(nodes)
        self.update = node_abn(states)
        self.extend = conv_abn(states, channels)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """X (B, C, h, w) → H_F (B, C, h, w)."""
        ### BEGIN SOLUTION
        phi, theta = self.phi(x).flatten(2), self.theta(x).flatten(2)  # (B, C/2, L), (B, C/4, L)
        z = phi @ theta.mT  # (B, C/2, C/4)
        z = self.adjacency(z.mT).mT + z  # (B, C/2, C/4)
        r = self.update(z) @ theta  # (B, C/2, L)
        return self.extend(r.unflatten(2, x.shape[-2:]))  # (B, C, h, w)
        ### END SOLUTION


# %% check-feature-graph points=1 tags=["folded"]
from coursekit.checks.mistakes.ddgcn import swapped

check = Check("feature-graph")
torch.manual_seed(0)
made = check.build(FeatureGraph, (16,), {"channels": 24})
for graph, channels in zip(made, (16, 24), strict=True):
    twin = ddgcn.FeatureGraph(channels, "inplace")
    check.that(not (wrong := swapped(graph, twin)), wrong)
    for name in ("phi", "theta", "adjacency", "update", "extend"):
        part = getattr(graph, name, None)
        check.that(part is not None, f"there is no self.{name}")
        check.kind(part, nn.Sequential, what=f"self.{name}")
        theirs = getattr(twin, name)
        kinds = [[type(p).__name__ for p in one] for one in (part, theirs)]
        check.equal(*kinds, f"self.{name} is made by another helper than the table's")
        shape, expected = (tuple(one[0].weight.shape) for one in (part, theirs))
        biased = [one[0].bias is not None for one in (part, theirs)]
        check.equal(shape, expected, f"self.{name}: not as wide as in the table")
        check.that(biased[0] == biased[1], f"self.{name}: a bias is of no use before ABN")
        check.equal(part[1].slope, theirs[1].slope, f"self.{name}: another slope of ABN")
    more = sorted(graph.state_dict().keys() ^ twin.state_dict().keys())
    check.equal(more, [], "expected: the table's five, and nothing else")
check.passed("C/2 states, C/4 nodes")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-feature-graph")
fourth = probe.given("channels", lambda rng: int(rng.integers(3, 40)))
table = {key: list(value.shape) for key, value in FeatureGraph(4 * fourth).state_dict().items()}
probe.emit("table", table, "names and shapes for another number of channels")
number = sum(weight.numel() for weight in FeatureGraph(4 * fourth).parameters())
probe.emit("count", number, "the number of parameters")
### END HIDDEN TESTS


# %% check-feature-graph-2 points=2 tags=["folded"]
from coursekit.checks.mistakes.apart import CHANCE, FEATURE, same, twin_of, way_apart
from coursekit.checks.mistakes.ddgcn import UNFED, misfed

check = Check("feature-graph")
for kinds, said, message in UNFED:
    check.crashes(kinds, said, message)
graph, wide = shaken(FeatureGraph(16)), shaken(FeatureGraph(channels=8))
torch.manual_seed(0)
x = torch.randn(2, 16, 5, 3, requires_grad=True)
got = check.call(graph, x)
check.kind(got, torch.Tensor)
check.equal(check.call(graph, x), got, CHANCE)
check.slips(got, twin_of(graph, ddgcn.FeatureGraph, 16)(x), misfed, graph, x)
check.catches((2, 8, 15), got.shape, "these are states: put them back into a map, then `extend`")
check.catches((2, 8, 5, 3), got.shape, "`extend` is left out: C channels come in, and C go out")
check.catches((2, 16, 3, 5), got.shape, "height and width are swapped")
check.shape(got, (2, 16, 5, 3), "H_F has the shape of X")
for made, channels, shape in ((graph, 16, (5, 3)), (wide, 8, (4, 6)), (wide, 8, (1, 1))):
    maps = torch.randn(3, channels, *shape, requires_grad=True)
    twin = twin_of(made, ddgcn.FeatureGraph, channels)
    about = f"expected for {channels} channels and {shape[0]}×{shape[1]} places: the steps above"
    for mode, words in ((False, ""), (True, ", in training")):
        mine, theirs = check.call(made.train(mode), maps), twin.train(mode)(maps)
        if not same(mine, theirs):
            apart = way_apart(made, twin, lambda graph, maps=maps: graph(maps), FEATURE)
            check.that(not apart, apart)
        check.close(mine, theirs, about + words, atol=1e-4, rtol=1e-4)
    check.that(not (wrong := astray(made, twin, maps, mine, theirs)), wrong)
check.passed("gathered, passed on, handed back")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-feature-graph-2")
for name, channels, shape in (("wide", 12, (2, 12, 3, 4)), ("one", 8, (4, 8, 1, 1))):
    made = FeatureGraph(channels).double()
    probe.fill(made, name, spread=0.5)
    drawn = probe.given(f"{name}-input", lambda rng, s=shape: rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f"{channels} channels, a map of {shape[2]} × {shape[3]}"
    probe.emit(f"{name}-eval", probe.call(made.eval(), entered), f"{about}, in evaluation")
    came_out = made.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training")
    (came_out**2).sum().backward()
    probe.emit(f"{name}-gradient", entered.grad, f"{about}, the gradient of X")
    slopes = {key: weight.grad for key, weight in made.named_parameters()}
    probe.emit(f"{name}-slopes", slopes, f"{about}, the gradients of the weights")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the merge, in two readings
#
# How are the two graphs and $X$ put together? The paper says it in its Eq. 1, where $\odot$ is its sign for *concatenation*:
#
# $$ Y = X \odot (\lambda \times H_S) \odot (\gamma \times H_F) \tag{1} $$
#
# The [public code](https://github.com/deepinsight/insightface/tree/master/parsing/dml_csr) does something else, with products and sums place by place. $\mathrm{up}$ enlarges to the size of $X$:
#
# $$ S = \lambda H_S + X_l \qquad G = \gamma H_F + X \qquad Y = \mathrm{concat}\bigl(X \cdot \mathrm{up}(S) + X,\; G\bigr) $$
#
# Both are **dynamic**: $\lambda$ and $\gamma$ are parameters, one number each. Training decides how much each graph counts. After the merge, `reduce` (1×1) brings $Y$ back to $C$ channels, `convb` (3×3) follows, and `bottleneck` mixes the result with $C_5$.
#
# The parts and `forward` are given. Write
#
# - `merged`, which gives $Y$ for both readings (`self.merge` is "paper" or "code"); enlarge bilinearly, after the sum in $S$ ($\lambda$ is `self.lambda_`, because `lambda` is a word of Python);
# - `at_start`, which **predicts** $Y$ of a fresh block, with $\lambda=\gamma=0$, without calling the graphs. One reading gives $X$ itself and zeros beside it. Does the other?
#
# <details><summary>Hint 1</summary>
#
# `self.spatial` wants $X_l$, which is `self.projection(x)`; `self.feature` wants $X$. $H_S$ has the size of $X_l$.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.interpolate(…, x.shape[-2:], mode="bilinear")`. Channels are concatenated by `torch.cat([…], dim=1)`, in the order of the equation.
# </details>
# <details><summary>Hint 3</summary>
#
# With $\lambda = 0$ the code's $S$ is $X_l$, which is *not* 0. With $\gamma = 0$ its $G$ is $X$. In the paper's reading `torch.zeros_like(x)` stands twice beside `x`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.ddgcn import DDGCN, at_start` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %%
class DDGCNParts(nn.Module):
    """C5 (B, in, h, w) → (B, C, h, w), once `merged` says how X and the graphs become Y."""

    def __init__(
        self, in_channels: int, channels: int = 512, conva: int = 1, merge: str = "code"
    ) -> None:
        super().__init__()
        self.merge = merge
        self.conva = conv_abn(in_channels, channels, conva)
        self.projection = Projection(channels)
        self.spatial = SpatialGraph(channels)
        self.feature = FeatureGraph(channels)
        self.lambda_ = nn.Parameter(torch.zeros(1))  # λ
        self.gamma = nn.Parameter(torch.zeros(1))  # γ
        self.reduce = conv_abn((2 if merge == "code" else 3) * channels, channels)
        self.convb = conv_abn(channels, channels, 3)
        self.bottleneck = conv_abn(in_channels + channels, channels, 3)

    def forward(self, c5: torch.Tensor) -> torch.Tensor:
        y = self.merged(self.conva(c5))  # (B, 2C or 3C, h, w)
        return self.bottleneck(torch.cat([c5, self.convb(self.reduce(y))], dim=1))  # (B, C, h, w)


# %% dynamic-merge minutes=30 difficulty="medium"
class DDGCN(DDGCNParts):
    """Context from two graphs, in both readings."""

    def merged(self, x: torch.Tensor) -> torch.Tensor:
        """X (B, C, h, w) → Y: (B, 3C, h, w) as in the paper, (B, 2C, h, w) as in the code."""
        ### BEGIN SOLUTION
        x_l, h_f = self.projection(x), self.feature(x)
        h_s = self.spatial(x_l)  # (B, C, h', w')
        if self.merge == "paper":
            h_s = F.interpolate(h_s, x.shape[-2:], mode="bilinear")  # (B, C, h, w)
            return torch.cat([x, self.lambda_ * h_s, self.gamma * h_f], dim=1)
        s = F.interpolate(self.lambda_ * h_s + x_l, x.shape[-2:], mode="bilinear")
        return torch.cat([x * s + x, self.gamma * h_f + x], dim=1)
        ### END SOLUTION


def at_start(block: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Y of a fresh block, predicted from `x` and `block.projection(x)` alone."""
    ### BEGIN SOLUTION
    if block.merge == "paper":
        return torch.cat([x, torch.zeros_like(x), torch.zeros_like(x)], dim=1)
    up = F.interpolate(block.projection(x), x.shape[-2:], mode="bilinear")
    return torch.cat([x * up + x, x], dim=1)
    ### END SOLUTION


# %% check-dynamic-merge points=2 tags=["folded"]
from coursekit.checks.mistakes.apart import PIECES, pieces_apart, twin_of
from coursekit.checks.mistakes.merge import UNMERGED, mislaid, mismerged

check = Check("dynamic-merge")
for kinds, said, message in UNMERGED:
    check.crashes(kinds, said, message)
torch.manual_seed(0)
named = {"in_channels": 6, "channels": 12}, {"conva": 3, "merge": "paper"}
made = check.build(DDGCN, {"in_channels": 10, "channels": 8, **named[1]}, (10, 8), named[0])
for block, channels, inside in zip(made, (8, 8, 12), (10, 10, 6), strict=True):
    block, x = shaken(block), torch.randn(2, channels, 18, 21, requires_grad=True)
    got, settings = check.call(block.merged, x), {"merge": block.merge}
    check.kind(got, torch.Tensor)
    settings["conva"] = block.conva[0].kernel_size[0]
    twin = twin_of(block, ddgcn.DDGCN, inside, channels, **settings)
    equation = twin.merge_as_code if block.merge == "code" else twin.merge_as_paper
    expected = equation(x)
    if channels == 8:
        check.slips(got, expected, mismerged, block, x)
    check.that(not (wrong := mislaid(got, x, block.merge)), wrong)
    for mode in (False, True) if channels == 8 else (False,):
        if mode:
            block.train(), twin.train()
            expected, got = equation(x), check.call(block.merged, x)
        about = f'expected: the equation of "{block.merge}"' + (", in training" if mode else "")
        check.that(not (wrong := pieces_apart(got, expected, PIECES[block.merge])), wrong)
        check.close(got, expected, about, atol=1e-4, rtol=1e-4)
    check.that(got.requires_grad, "what comes out has no gradient: detach nothing")
    check.that(not (wrong := astray(block, twin, x, got, expected)), wrong)
check.passed("both readings, and two numbers that say how loud the graphs are")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-dynamic-merge")
for name, arguments, shape in (
    ("code", (7, 8, 1, "code"), (2, 7, 17, 20)),
    ("paper", (5, 12, 3, "paper"), (3, 5, 19, 16)),
):
    made = DDGCN(*arguments).double()
    probe.fill(made, name, spread=0.3)
    drawn = probe.given(f"{name}-input", lambda rng, s=shape: rng.normal(0, 1, s))
    entered = torch.from_numpy(drawn).requires_grad_()
    about = f'the merge of "{name}", a map of {shape[2]} × {shape[3]}'
    probe.emit(f"{name}-eval", probe.call(made.eval(), entered), f"{about}, in evaluation")
    came_out = made.train()(entered)
    probe.emit(f"{name}-train", came_out, f"{about}, in training", close=1e-4)
    (came_out**2).mean().backward()
    probe.emit(f"{name}-gradient", entered.grad, f"{about}, the gradient of C5", close=1e-4)
    slopes = {key: weight.grad for key, weight in made.named_parameters()}
    probe.emit(f"{name}-slopes", slopes, f"{about}, the gradients of the weights", close=1e-4)
### END HIDDEN TESTS


# %% check-dynamic-merge-2 points=1 tags=["folded"]
from coursekit.checks.mistakes.apart import AT_START, pieces_apart
from coursekit.checks.mistakes.merge import UNJUDGED, misjudged, mislaid

check = Check("dynamic-merge")
for kinds, said, message in UNJUDGED:
    check.crashes(kinds, said, message)
torch.manual_seed(0)
for merge, channels, shape in (
    ("paper", 8, (18, 21)), ("code", 8, (9, 17)), ("code", 12, (16, 8)), ("paper", 12, (9, 8)),
):  # fmt: skip
    block = shaken(DDGCN(10, channels, merge=merge))
    block.lambda_.data.zero_(), block.gamma.data.zero_()
    gates = block.lambda_, block.gamma
    x = torch.randn(2, channels, *shape)
    expected = block.merged(x).detach()
    for part in (*block.spatial.parameters(), *block.feature.parameters(), *gates):
        part.data.fill_(torch.nan)  # a prediction that asks the graphs is not a number
    got = check.call(at_start, block, x)
    check.kind(got, torch.Tensor)
    if channels == 8:
        check.slips(got, expected, misjudged, block, x)
    check.that(not (wrong := mislaid(got, x, merge)), wrong)
    asked = f'"{merge}": it is no number: you asked a graph or a gate. Both are 0: leave them out'
    check.that(not torch.isnan(got).any(), asked)
    anew = f'"{merge}": another prediction each time: take `block.projection`, make none anew'
    check.equal(check.call(at_start, block, x), got, anew)
    check.that(not (wrong := pieces_apart(got, expected, AT_START[merge])), f'"{merge}": {wrong}')
    check.close(got, expected, f'expected: what "{merge}" gives for λ = γ = 0')
check.passed("only one of the readings starts as the identity")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-dynamic-merge-2")
for name, channels, shape in (("paper", 8, (2, 8, 11, 9)), ("code", 12, (3, 12, 18, 10))):
    made = DDGCN(6, channels, merge=name).double()
    probe.fill(made, name, spread=0.4)
    for part in (*made.spatial.parameters(), *made.feature.parameters()):
        part.data.fill_(torch.nan)
    drawn = probe.given(f"{name}-input", lambda rng, s=shape: rng.normal(0, 1, s))
    predicted = probe.call(at_start, made.eval(), torch.from_numpy(drawn))
    probe.emit(name, predicted, f'the prediction for "{name}"')
### END HIDDEN TESTS

# %% [markdown]
# In the paper's reading the context begins as $X$ with zeros beside it: the graphs add nothing until training opens the gates. In the code's reading the graphs add nothing either, but the projection multiplies $X$ from the first step on. Whoever builds a control without graphs must keep the projection, then, and leave out the graphs alone.
#
# What gradient do the graphs' weights get behind a gate of 0? One step of SGD, on random numbers:

# %%
torch.manual_seed(0)
block, c5, goal = DDGCN(16, 16), torch.randn(4, 16, 32, 32), torch.randn(4, 16, 32, 32)
step = torch.optim.SGD(block.parameters(), lr=0.5)
watched = ("lambda_", "gamma", "spatial.query.weight", "feature.adjacency.0.weight")
for moment in ("at the start", "one step later"):
    step.zero_grad()
    (block(c5) - goal).square().mean().backward()
    weights = dict(block.named_parameters())
    moved = {name: float(weights[name].grad.abs().max()) for name in watched}
    print(f"{moment}: " + ", ".join(f"{k} {'0' if v == 0 else 'moves'}" for k, v in moved.items()))
    step.step()

# %% [markdown]
# At the start only $\lambda$ and $\gamma$ learn; the graphs behind them get a gradient of exactly 0. As long as the gates are small, the graphs learn slowly.
#
# ## Exercise 6: which network was it?
#
# Equation 1 and the code disagree. And the paper does not give the kernel of `conva`, which is 3×3 in the code. Two questions, four possible networks. One number in the paper can decide, the size of DML-CSR without its edge heads: 59.67 million parameters (Section 4.1). One of the four, with 11 classes, has **59,669,549**, which rounds to that.
#
# Encoder and parsing head are the same in all four, with 42,915,115 parameters: the *rest*. So DDGCN must have 16,754,434. Build your DDGCN in each reading, on the `meta` device, and say which readings fit.
#
# <details><summary>Hint 1</summary>
#
# Two loops: over `conva` in (1, 3), and over `merge` in ("paper", "code").
# </details>
# <details><summary>Hint 2</summary>
#
# `with torch.device("meta"): block = DDGCN(in_channels, channels, conva=conva, merge=merge)`, then `rest + count_parameters(block)`. A list collects the pairs that fit; it may end up empty.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.ddgcn import readings` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
with torch.device("meta"):
    whole = create_model("dml_csr", 11, edge_heads="none")
    REST = count_parameters(whole) - count_parameters(whole.context)


def sized(in_channels: int, channels: int, conva: int, merge: str) -> int:
    """Parameters of a block of the course's."""
    with torch.device("meta"):
        return count_parameters(ddgcn.DDGCN(in_channels, channels, conva=conva, merge=merge))


FOUR = [(conva, merge) for conva in (1, 3) for merge in ("paper", "code")]
TWINS = sized(2, 16, 1, "paper")  # and as many with (3, "code"), because 8 · 2 = 16
COUNTS = {sizes: {pair: sized(*sizes, *pair) for pair in FOUR} for sizes in ((64, 16), (2048, 512))}


# %% count-readings minutes=15 difficulty="easy"
def readings(
    target: int, rest: int, in_channels: int = 2048, channels: int = 512
) -> list[tuple[int, str]]:
    """The (conva, merge) of DDGCN with which a network has `target` parameters in all."""
    ### BEGIN SOLUTION
    found = []
    for conva in (1, 3):
        for merge in ("paper", "code"):
            with torch.device("meta"):
                block = DDGCN(in_channels, channels, conva=conva, merge=merge)
            if rest + count_parameters(block) == target:
                found.append((conva, merge))
    return found
    ### END SOLUTION


# %% tags=["folded"]
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from coursekit.checks.mistakes.counting import built_once


class Held(TorchDispatchMode):
    """How many numbers the largest tensor made inside of `with` holds in memory."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        real = [t for t in tree_leaves(out) if isinstance(t, torch.Tensor) and not t.is_meta]
        self.numbers = max([self.numbers, *(t.numel() for t in real)])
        return out


again = built_once(DDGCN)


def fitting(*given: int) -> object:
    """What `readings` gives; a block that was built before is not built again."""
    global DDGCN
    own, DDGCN = DDGCN, again
    try:
        return readings(*given)
    finally:
        DDGCN = own


# %% check-count-readings points=1 tags=["folded"]
from coursekit.checks.mistakes.counting import UNCOUNTED, miscounted, misread, unfound

check = Check("count-readings")
for kinds, said, message in UNCOUNTED:
    check.crashes(kinds, said, message)
pairs = FOUR
with Held() as held:
    got = check.call(fitting, 59_669_549, REST)
check.kind(got, list)
check.that(not (wrong := misread(got)), wrong)
check.catches(pairs, got, "every reading is in the list: compare its count with the target")
others = [pair for pair in pairs if pair != (1, "code")]
check.catches(others, got, "these are the readings that do *not* fit: take those with `==`")
if not got:
    check.that(got, unfound(lambda *given: check.call(fitting, *given), 59_669_549, REST))
for inside, channels, rest in ((64, 16, 1000), (2048, 512, 5)):
    sizes = {pair: rest + size for pair, size in COUNTS[inside, channels].items()}
    found = {pair: check.call(fitting, sizes[pair], rest, inside, channels) for pair in pairs}
    about = f"expected for {inside} → {channels} channels and a rest of {rest}, as given"
    check.that(not (wrong := miscounted(found)), f"{wrong} ({about})")
    check.equal([*found.values()], [[pair] for pair in pairs], about)
check.equal(got, [(1, "code")], "expected: the readings with exactly the target's number")
check.that(held.numbers < 1_000_000, 'the block is built in memory: `with torch.device("meta"):`')
for kernel in (2, 4, 5, 7):
    size = sizes[1, "code"] + (kernel**2 - 1) * inside * channels  # with such a conva
    other = f"conva is 1 or 3: a kernel of {kernel} is in none of the four"
    check.equal(check.call(fitting, size, rest, inside, channels), [], other)
two = check.call(fitting, 5 + TWINS, 5, 2, 16)
check.equal(sorted(two), [(1, "paper"), (3, "code")], "two readings have one size here: both are in the list, `append`")  # fmt: skip
check.equal(check.call(fitting, 1234, 5, 64, 16), [], "expected: an empty list where nothing fits")
check.passed("conva 1×1 and the code's merge: one of four")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-count-readings")
sizes = [
    probe.given(f"sizes-{number}", lambda rng: [int(n) for n in rng.integers(4, 90, 3)])
    for number in range(2)
]
with Held() as hidden_held:  # what is built here is not built again below
    fitting(1000, 5, sizes[0][0], 4 * sizes[0][1])
with torch.device("meta"):
    block = again(3, 24, conva=1, merge="paper")
target = 7 + sum(weight.numel() for weight in block.parameters())
answered = sorted(probe.call(fitting, target, 7, 3, 24))
probe.emit("twins", answered, "two readings of one size")
for number in range(4):
    drawn = sizes[number // 2]
    conva, merge = ((1, "paper"), (1, "code"), (3, "paper"), (3, "code"))[(number + drawn[0]) % 4]
    with torch.device("meta"):
        block = again(drawn[0], 4 * drawn[1], conva=conva, merge=merge)
    target = drawn[2] + sum(weight.numel() for weight in block.parameters())
    answered = probe.call(fitting, target, drawn[2], drawn[0], 4 * drawn[1])
    probe.emit(f"fits-{number}", answered, "the readings of other sizes")
    probe.emit(
        f"kinds-{number}",
        [drawn, *(type(one).__name__ for one in (answered, *answered))],
        "a list of tuples",
    )
    other = (2, 4, 5, 7)[number] ** 2 - conva**2  # a kernel that no reading has
    answered = probe.call(
        fitting, target + other * 4 * drawn[0] * drawn[1], drawn[2], drawn[0], 4 * drawn[1]
    )
    probe.emit(f"kernel-{number}", [drawn, answered], "a kernel that no reading has")
    answered = probe.call(fitting, target + 1, drawn[2], drawn[0], 4 * drawn[1])
    probe.emit(f"none-{number}", [drawn, answered], "a number that no reading has")
    probe.emit(f"held-{number}", [drawn, hidden_held.numbers < 999], "what is held in memory")
### END HIDDEN TESTS

# %% [markdown]
# The paper's own number speaks for the *code's* merge, which its Eq. 1 does not describe, and for a 1×1 `conva`, which the public code does not have. A third part in $Y$ costs 512 · 512 = 262,144 weights more in `reduce`. A 3×3 `conva` costs 8 · 2048 · 512 = 8,388,608 more. Where a paper, its code and its tables differ, count.
#
# ## Your Fig. 3, and the library twin
#
# Has your block the names, outputs and gradients of the course's (`coursekit/models/ddgcn.py`)? Below that is the first diagram again, from *your* block, in the size of the training that follows. How many nodes has the spatial graph now?

# %%
torch.manual_seed(0)
mine, twin = shaken(DDGCN(24, 16)), ddgcn.DDGCN(24, 16)
print("names agree:    ", mine.state_dict().keys() == twin.state_dict().keys())
twin.load_state_dict(mine.state_dict())
c5, outs = torch.randn(2, 24, 20, 17), []
for block in (mine.train(), twin.train()):
    outs.append(block(c5))
    outs[-1].pow(3).sum().backward()
print("outputs agree:  ", torch.allclose(*outs, atol=1e-4))
same = [
    torch.allclose(weight.grad, twin.get_parameter(name).grad, atol=1e-3, rtol=1e-3)
    for name, weight in mine.named_parameters()
]
print("gradients agree:", all(same))

with torch.device("meta"):
    c5 = create_model("dml_csr", **SMALL).encoder(torch.empty(1, 3, *[SIZES["size"]] * 2)).c5
    mine = DDGCN(c5.shape[1], SMALL["context_channels"])
plots.diagram(FIGURE_3, FLOWS, shapes=plots.shapes(mine, tuple(c5.shape[1:])))

# %% [markdown]
# ## Does it help? With and without, in training
#
# Two small networks have the same encoder and head, and see the same faces in the same order. One has *your* DDGCN for its context, the other the paper's **baseline**, a single 3×3 convolution. AdamW with a cosine stands in for the paper's SGD, to save time. Then $\lambda$ and $\gamma$ of the trained network are put back to 0: what it loses is what the graphs did.
#
# Two runs of the *same* network differ, too. One example: on our test machine, with 128 faces and four epochs, six seeds gave 17.2 ± 0.4 points for DDGCN, 16.8 ± 0.9 for the baseline, and 16.7 ± 0.6 for the same block built without its graphs. So the difference of two single runs has a standard deviation of about $\sqrt{0.4^2 + 0.9^2} \approx 1$ point. A difference below twice that says nothing.

# %% train-ddgcn tags=["slow"]
from coursekit.optim import AveragedCosineConfig
from coursekit.training import FitConfig, fit

settings = FitConfig(
    size=SIZES["size"], epochs=SIZES["epochs"], batch_size=SIZES["batch"], seed=0,
    plan=AveragedCosineConfig(lr=SIZES["lr"], average=0),
)  # fmt: skip
networks, results = {}, {}
for name in ("none", "ddgcn"):
    torch.manual_seed(0)
    network = create_model("dml_csr", LABELS.num_classes, context=name, edge_heads="none", **SMALL)
    if name == "ddgcn":
        network.context = DDGCN(network.encoder.channels[-1], SMALL["context_channels"])
    results[name] = fit(network, train, val, settings, progress=True, kept=f"09_{name}")
    networks[name] = network.cpu().eval()
    print(f"{name:<5} {count_parameters(network):>9,} parameters, trained")

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit.checkpoint import ModelInfo
from coursekit.training import evaluate

white = results["ddgcn"].whitening
config = {"num_classes": LABELS.num_classes}
info = ModelInfo("dml_csr", config, LABELS.key, SIZES["size"], white.mean, white.std)
silent = copy.deepcopy(networks["ddgcn"])
silent.context.lambda_.data.zero_(), silent.context.gamma.data.zero_()
scored = {**networks, "graphs silenced": silent}
scores = {n: 100 * evaluate(m, val, info, progress=False).mean_iou for n, m in scored.items()}
for name, score in scores.items():
    print(f"{name:<16}{score:6.1f} % mean IoU")

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from coursekit.inference import prepare

trained, SPREAD = networks["ddgcn"], 1.0  # points: the deviation of a difference of two runs
block = trained.context
faces = [prepare(val[i].image, SIZES["size"], white.mean, white.std) for i in range(4)]
with torch.no_grad():
    x = block.conva(trained.encoder(torch.cat(faces)).c5)  # (4, C, h, w)
    x_l = block.projection(x)  # (4, C, h', w')
    spatial = float((block.lambda_ * block.spatial(x_l)).norm() / x_l.norm())
    feature = float((block.gamma * block.feature(x)).norm() / x.norm())
print(f"λ = {block.lambda_.item():+.3f}: λ H_S is {spatial:.1%} of the size of X_l")
print(f"γ = {block.gamma.item():+.3f}: γ H_F is {feature:.1%} of the size of X")
print(f"nodes of the spatial graph: {x_l[0, 0].numel()}; the graphs are",
      "nearly idle" if max(spatial, feature) < 0.1 else "at work")  # fmt: skip
gain = scores["ddgcn"] - scores["none"]
lost = scores["ddgcn"] - scores["graphs silenced"]
verdict = "unknown" if abs(gain) < 2 * SPREAD else "a gain" if gain > 0 else "a loss"
print(f"DDGCN against the 3×3 baseline, one run each: {gain:+.1f} points: {verdict}")
print(f"silencing the graphs costs {round(lost, 1) + 0:.1f} points")

# %% [markdown]
# The DDGCN network also has more weights than the baseline: a gain need not come from its graphs. So such a comparison needs a control without graphs.
#
# Graphs can stay idle for two reasons. A spatial graph of a single node has nothing to exchange; what is left is the projection, a learnt mean of the whole face. And a gate that starts closed opens slowly. In a longer trial of ours (1,000 crowded faces with wrong labels, ten epochs, 5 seeds) the gates opened: in the mean $|\lambda|$ was 0.295 and $|\gamma|$ was 0.424. The baseline reached 44.0 ± 0.3 points, DDGCN 43.8 ± 0.9, and the same block built without its graphs 43.8 ± 0.7. So an open gate does not prove that the graph behind it helps. The paper, with 64 nodes, pretrained features and 200 epochs, does not say how large its λ and γ became. (All runs: `benchmarks/RESULTS.md`.)
#
# ## What does a place take from the others?
#
# The feature graph is attention in disguise. Write its equations out for one place $p$, without the update of the states and without constants:
#
# $$ R_p = \sum_n \theta_n(p)\, Z'_n = \sum_q w(p, q)\, \Phi_q, \qquad w(p, q) = \sum_{n, m} \theta_n(p)\,(I + A)_{nm}\,\theta_m(q) $$
#
# Place $p$ takes from place $q$ with the weight $w(p,q)$. It is large if one node looks at both, or if two linked nodes do. The network never makes this $L \times L$ matrix (lesson 05); we do, to look at it.
#
# In the pictures, red is what the place with the cross adds up, blue what it subtracts; each has a scale of its own. A frame, if you see one, comes from the zero padding around the map. (The map is twice as large as in training, to show more.)


# %%
@torch.no_grad()
def taken(network: nn.Module, image: torch.Tensor) -> torch.Tensor:
    """How much each place of C5 takes from each other, by the feature graph: (h, w, h, w)."""
    block = network.context
    theta = block.feature.theta(block.conva(network.encoder(image).c5))[0]  # (nodes, h, w)
    conv, norm = block.feature.adjacency
    scale = (norm.weight.abs() + norm.eps) / (norm.running_var + norm.eps).sqrt()
    links = torch.eye(len(theta)) + scale[:, None] * conv.weight[:, :, 0]  # I + A, normalised
    return torch.einsum("nhw,nm,mij->hwij", theta, links, theta)


# %% tags=["slow"]
figure, axes = plt.subplots(2, 5, figsize=(8, 3.4), layout="constrained")
for line, sample in zip(axes, (val[0], val[1]), strict=True):
    weights = taken(trained, prepare(sample.image, 2 * SIZES["size"], white.mean, white.std))
    height, width = weights.shape[:2]
    line[0].imshow(sample.image)
    line[0].set_title("face", fontsize=9)
    spots = {"a corner": (1, 1), "an eye": (6, 8), "a cheek": (9, 5), "the chin": (14, 8)}
    for panel, (name, (down, along)) in zip(line[1:], spots.items(), strict=True):
        down, along = down * height // 16, along * width // 16
        seen = weights[down, along]
        panel.imshow(seen.numpy(), cmap="RdBu_r", vmin=-seen.abs().max(), vmax=seen.abs().max())
        panel.plot(along, down, "k+", markersize=9)
        panel.set_title(f"asked near {name}", fontsize=9)
for panel in axes.flat:
    panel.set_axis_off()
plots.described(figure, "Two faces, and what four places in each add up (red) or subtract (blue).")

# %% [markdown]
# What a place takes is a sum over areas, as with pooling, but a different one for each place. Left and right remain the work of the convolutions.
#
# ## The paper says, we measured
#
# Table 5 of the paper replaces the context and leaves all else as it is. It mentions no repeated runs. Here are three questions to the paper's own figures, then the table with yours beside them:

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

from coursekit.training.published import CONTEXT_TABLE

paper = {name: np.array(row) for name, row in CONTEXT_TABLE.rows.items()}
for question, one, other in (
    ("DGCNet, with its pooling, has", "+DGCNet", "Baseline"),
    ("taking its pooling away adds", "+DGCNet-pooling", "+DGCNet"),
    ("what else DDGCN changes adds", "+DDGCN", "+DGCNet-pooling"),
):
    shares = (paper[one] - paper[other]) / (paper["+DDGCN"] - paper["Baseline"])
    print(question, ", ".join(f"{share:.0%}" for share in shares), "of DDGCN's gain")
ours = {"Baseline": f"{scores['none']:.1f}", "+DDGCN": f"{scores['ddgcn']:.1f}"}
head = ["context", *CONTEXT_TABLE.columns, f"here, mean IoU, {TIER} tier"]
rows = ([n, *(f"{f:.2f}" for f in row), ours.get(n, "–")] for n, row in paper.items())
lines = [head, ["---"] * 5, *rows]
Markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))

# %% [markdown]
# The paper's columns are F1 scores on photographs, yours is mean IoU on the faces of this lesson: compare within a column only.
#
# The table lacks one row: DDGCN without its graphs. *Labelled example, measured by the course*: the small network on 1,000 faces with wrong labels, once with its graphs and once without, seed by seed (mean IoU in per cent ± standard deviation over the seeds). At 64² the spatial graph has one node, at 96² it has four.
#
# | run | with graphs | without | difference | seeds |
# |---|---|---|---|---|
# | 64², ten epochs | 43.82 ± 0.87 | 43.84 ± 0.67 | -0.01 ± 0.54 | 5 |
# | 64², 30 epochs | 51.47 ± 0.15 | 51.43 ± 0.49 | +0.04 ± 0.53 | 3 |
# | 64², ten epochs, merged as in Eq. 1 | 44.24 ± 0.87 | 43.86 ± 0.14 | +0.39 ± 0.74 | 3 |
# | 96², ten epochs | 53.95 ± 0.84 | 53.16 ± 0.03 | +0.79 ± 0.85 | 3 |
#
# None of these differences is twice as large as its standard error. The largest, +0.79 points at 96², would need about 10 pairs of runs to be told from none. So we cannot say that the graphs pay, nor that they do not: where they have more nodes, it is worth a longer look.
#
# Most of the paper's gain comes from having a dual graph at all. Taking the pooling away adds 0.03 to 0.27 points (0.07 to 0.55 in PSP), the dynamic merge 0.11 to 0.13. All six comparisons without pooling point the same way. But two runs of one network can lie further apart.
#
# On a GPU one command trains a row of the table. Add `--without context` for the baseline, or `--set context=psp` for another row:
#
# ```
# coursekit train dml_csr --recipe dml_csr --data FOLDER --size 473 --epochs 200 --out runs/ddgcn \
#     --without binary --without category --without attention --without self_regulation
# ```
#
# ## What to try next
#
# - **More nodes.** With `COURSEKIT_SIZES='{"size": 128}'` the spatial graph has four nodes, and an epoch costs four times as much. Do $\lambda$ and $\gamma$ grow?
# - **A rate of their own.** Multiply the gradients of $\lambda$ and $\gamma$ by 10 (`register_hook`). Do the gates open? Does the score rise?
# - **The control.** `create_model("dml_csr", …, graphs=False)` is the same block without its graphs. Which of the three networks would you hand in?
# - **Eq. 1.** `merge="paper"`: is it better to start from the identity?
#
# **[Lesson 10](10_edges.ipynb)** keeps this network and gives it two more tasks, so that it learns where the parts of a face end.

# %% quiz [markdown]
# ### "DDGCN uses no pooling." What is true of its spatial branch?
#
# - [ ] It works at full resolution throughout
#   It makes the map smaller, 60 to 8 on a side: otherwise it would have 3,600 nodes.
# - [x] It makes the map smaller by strided convolutions, whose nine weights are learnt
#   Nine weights of 1/9 would be average pooling. So "no pooling" means no *fixed* mean and no maximum.
# - [ ] It has no context, since only pooling gives that
#   Its graph links every place with every other: that is the context.
#
# ### In Z′ = A Z W, which matrix says who listens to whom?
#
# - [x] A
#   Row n of A holds the shares that node n takes of the others. In DDGCN it is learnt.
# - [ ] Z
#   Z holds what each node knows, its state.
# - [ ] W
#   W mixes the numbers *within* a state, for every node alike.
#
# ### Both gates λ and γ start at 0. What moves in the first step of training?
#
# - [ ] The graphs, so that the gates have something to let through
#   Their gradient is multiplied by the gate: behind a gate of 0 it is exactly 0.
# - [ ] Nothing: 0 stays 0
#   The gradient *of the gate* is what the graph would add, and that is not 0.
# - [x] Only the gates; the graphs follow once these are open
#   And where gates stay small, the graphs hardly learn. That is one reason why they may stay idle.
#
# ### The network with DDGCN scores 1.2 points more than the one with a 3×3 convolution, one run each. What follows?
#
# - [ ] The graphs are worth 1.2 points
#   DDGCN has more weights, too, and even without its graphs a projection that multiplies.
# - [x] Little: single runs differ by about as much, and a control without graphs is missing
#   First ask how far two runs of *one* network lie apart. Then take away the graphs alone.
# - [ ] The paper's Table 5 is confirmed
#   Other images, another size, another length of training: neither confirmed nor refuted.
#
# ### Paper, public code and a table disagree on how DDGCN merges. How could it be decided here?
#
# - [ ] The paper counts: code has bugs
#   So do papers. Here the number in the paper itself speaks for the code.
# - [ ] It cannot be decided without the authors
#   Often true. Here there was one number that only one reading gives.
# - [x] By counting: the number of parameters that the paper prints fits one of four readings
#   Two questions with two answers each, and one number: enough to tell, without training anything.

# %% [markdown]
# {{links}}
