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
# # 10 · Edge tasks: learn where the parts end
#
# Two faces stand close together, and the network paints half of the neighbour as well. DML-CSR (Zheng et al., CVPR 2022) teaches the network a second and a third task, to draw *edges*, and removes
# them again before the network is used. You build both tasks and their losses, and measure whether it pays.
#
# | | quick tier (default) | full tier |
# |---|---|---|
# | your time | about 3 hours: 45 minutes of reading, six exercises of 10 to 30 minutes | the same |
# | data | 160 crowded rendered faces with label errors, 64² | 1,000 of them, or your own folder |
# | computing | about 1 minute on 2 CPU cores | Table 6 with 3 seeds: about 45 minutes on 2 CPU cores (estimated) |
# | memory | about 1.2 GB | about 1.5 GB (estimated) |
#
# **You will be able to**
# - make edge labels from a label map, binary and for each category, and say what their two conventions are;
# - build the edge heads, and remove them without changing one bit of the prediction;
# - write a class-balanced loss, and say what it is a mean of;
# - write the dual edge attention (Eq. 3 and 4 of the paper), and find the mistake in its public code;
# - read an ablation table with care.
#
# **Before this** come lesson 06 (cross-entropy, Lovász) and lesson 09 (the network, DDGCN). The paper: [Decoupled Multi-task Learning with Cyclical Self-Regulation for Face Parsing](https://arxiv.org/abs/2203.14448). Next comes lesson 11, self-regulation.

# %%
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm.auto import tqdm

from coursekit import count_parameters, create_model, losses, metrics, plots, tier
from coursekit.checks import Check
from coursekit.data import Augmentation, SynthDataset, TrainingView, open_dataset, whitening
from coursekit.models.dml_csr import SMALL
from coursekit.synthfaces import render

# %%
TIER, DATA, SIZES = tier.choose(
    train=(160, 1000),
    val=(60, 200),
    size=(64, 64),
    steps=(60, 1250),
    batch=(8, 8),
    seeds=(1, 3),
    rows=(("p", "p+b+ba+c+ca"), ("p", "p+b", "p+b+ba", "p+c", "p+c+ca", "p+b+c", "p+b+ba+c+ca")),
)
SIZE, BATCH, ROWS = SIZES["size"], SIZES["batch"], SIZES["rows"]

if DATA:
    train = open_dataset(DATA, "train")[: SIZES["train"]]
    val = open_dataset(DATA, "val")[: SIZES["val"]]
else:
    train = SynthDataset(0, SIZES["train"], SIZE, label_noise=0.2, crowd=0.3)
    val = SynthDataset(0, SIZES["val"], SIZE, crowd=0.3, first=len(train), split="val")
LABELS, NUM = train.labels, train.labels.num_classes
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
print(f"{len(train)} faces to learn from, {len(val)} to validate, {NUM} classes")

# %% [markdown]
# ## The idea: boundary confusion
#
# Here are three people in a crowd, with the label map of the person in the middle. Everybody else is *background*.

# %%
crowd = [render(0, index, 128, crowd=1.0) for index in (4, 8, 21)]
plots.panels([{"image": f.image, "label map": f.label_map} for f in crowd], across=3)

# %% [markdown]
# A neighbour's cheek has the colour and the texture of the target's cheek, and only one of them is skin. The evidence is in one place: the *boundary* between the two people. The paper calls
# what goes wrong **boundary confusion**, between neighbours and between parts of one face (hair and cloth, lip and inner mouth).
#
# Cross-entropy is a mean over all pixels, and few of them lie on a boundary. So the paper adds tasks that consist of nothing else:
#
# 1. **binary edges**: is this pixel on any boundary?
# 2. **category edges**: on the boundary of which parts?
# 3. **attention**: the parsing loss once more, on the edge pixels alone.
#
# The first two get heads of their own, on features that the parsing shares. Nobody needs their output in the end: they are there so that the *shared features* must know where parts end.
#
# ## Edge labels (the paper's Fig. 4)
#
# No data set has edge labels, but every label map contains them. The paper's rule looks at the four neighbours of a pixel, above, below, left and right: *if one of them has the value zero, the pixel is an edge pixel*, in the
# mask of each class. Three things are left to say.
#
# - **Which side?** By the letter, a mask's edge is its outermost row of pixels (we call this `"inner"`). The code of EAGRNet, which this paper starts from, marks the pixels on *both* sides of a change of label (`"both"`, our default).
# - **Unknown pixels**, 255: they are 255 in the edge map, too, and nobody is an edge because of them. Nor because of the frame of the picture.
# - **How wide?** One step is the paper's. We allow `width` steps, for the experiments below.
#
# One tool is given: `spread` marks whatever is within `width` steps of a marked pixel.


# %%
def spread(mask: torch.Tensor, width: int = 1) -> torch.Tensor:
    """All pixels within `width` steps, up, down, left or right: (…, H, W) bool → the same."""
    for _ in range(width):
        p = F.pad(mask, (1, 1, 1, 1))  # (…, H + 2, W + 2), False outside
        rows = p[..., :-2, 1:-1] | p[..., 1:-1, 1:-1] | p[..., 2:, 1:-1]
        mask = rows | p[..., 1:-1, :-2] | p[..., 1:-1, 2:]
    return mask


dot = torch.zeros(1, 7, 9, dtype=torch.bool)
dot[0, 3, 4] = True
for width in (1, 2):
    print(f"width {width}:", *("".join(".#"[int(v)] for v in row) for row in spread(dot, width)[0]))

# %% [markdown]
# ## Exercise 1: edge labels (25 minutes, medium)
#
# `category_edges` gives a map for each class, the background too. With $K$ the pixels that are not 255, a pixel of $K$ is on the edge of class $j$
#
# - for `"both"`: if within `width` steps of it (itself included) there is a pixel of class $j$, and also a pixel of $K$ that is *not* of class $j$;
# - for `"inner"`: if besides it is of class $j$ itself.
#
# `binary_edges` is the union of the category edges, without the background's: background draws no edge of its own. (With `"both"` it would change nothing. Why?) The data have `NUM` classes.
#
# <details><summary>Hint 1</summary>
#
# `target[:, None] == torch.arange(num_classes)[:, None, None]` compares every pixel with every class: (B, C, H, W). What is "known, and not of this class"?
# </details>
# <details><summary>Hint 2</summary>
#
# Spread both: `spread(own, width) & spread(known & ~own, width)`. For `"inner"`, leave `own` as it is.
# </details>
# <details><summary>Hint 3</summary>
#
# `torch.where(known, edge.to(torch.uint8), 255)` puts the 255 in. For the binary edges: `category_edges(target, NUM, sides=sides, width=width)[:, 1:].amax(1)`, since the largest of 0, 1 and 255 is right in each case.
#
# To go on without it: `category_edges, binary_edges = losses.category_edges, losses.binary_edges` borrows the course's part.
# </details>


# %% edge-labels
def category_edges(
    target: torch.Tensor, num_classes: int, sides: str = "both", width: int = 1
) -> torch.Tensor:
    """Edge labels of each class.

    Args: target (B, H, W) int64, class ids or 255; sides "both" or "inner"; width at least 1.
    Returns (B, C, H, W) uint8: 1 on an edge, 0 elsewhere, 255 where the target is 255.
    """
    ### BEGIN SOLUTION
    own = target[:, None] == torch.arange(num_classes, device=target.device)[:, None, None]
    known = (target != 255)[:, None]  # (B, 1, H, W)
    near = spread(own, width) if sides == "both" else own  # (B, C, H, W)
    edge = near & spread(known & ~own, width)
    return torch.where(known, edge.to(torch.uint8), 255)
    ### END SOLUTION


def binary_edges(target: torch.Tensor, sides: str = "both", width: int = 1) -> torch.Tensor:
    """The union of all parts' edges: (B, H, W) → (B, H, W) uint8 of 0, 1 and 255."""
    ### BEGIN SOLUTION
    edges = category_edges(target, NUM, sides=sides, width=width)  # (B, C, H, W)
    return edges[:, 1:].amax(1)
    ### END SOLUTION


# %% check-edge-labels points=1
check = Check("edge-labels")
check.crashes(RuntimeError, "with a bool tensor", "the opposite of a bool is `~mask`, not `1 - mask`")
torch.manual_seed(0)
maps = torch.randint(0, 4, (2, 4, 5)).repeat_interleave(3, 1).repeat_interleave(3, 2)[:, :, :-1]
maps[0, 4:7, 2:8], maps[1, :2] = 255, 255


def slip(kind: str, sides: str = "both", width: int = 1) -> torch.Tensor:
    own, known = maps[:, None] == torch.arange(5)[:, None, None], (maps != 255)[:, None]
    other, wide = known & ~own, 2 * width + 1
    square = [F.max_pool2d(m.float(), wide, 1, width).bool() for m in (own, other)]
    near, far = square if kind == "square" else (spread(own, width), spread(other, width))
    near, far = (own if sides == "inner" else near), (spread(~own, width) if kind == "255" else far)
    framed = F.pad(~own, (1, 1, 1, 1), value=True)
    edge = near & {"frame": spread(framed, width)[..., 1:-1, 1:-1] & known}.get(kind, far)
    edge = {"outer": near & far & ~own, "near": near}.get(kind, edge)
    return edge.to(torch.uint8) if kind == "lost" else torch.where(known, edge.to(torch.uint8), 255)


for sides, width in (("both", 1), ("inner", 1), ("both", 2), ("inner", 3)):
    got = check.call(category_edges, maps, 5, sides=sides, width=width)
    check.kind(got, torch.Tensor)
    check.shape(got, (2, 5, 12, 14), "a map for each class: (B, num_classes, H, W)")
    for kind, message in (
        ("square", "diagonal neighbours are counted, too: there are four, not eight"),
        ("frame", "the frame of the picture is an edge here: nothing lies behind it"),
        ("255", "pixels of 255 make edges here: nobody knows what they are"),
        ("lost", "where the target is 255 the edge map should be 255, too"),
        ("outer", "these are the pixels outside of the class: its own belong to the edge"),
        ("near", "these are all pixels near the class: one of another class must be near, too"),
    ):
        check.catches(slip(kind, sides, width), got, message)
    other = "inner" if sides == "both" else "both"
    check.catches(slip("", other, width), got, f'these are the edges for sides="{other}"')
    check.catches(slip("", sides, 1) if width > 1 else None, got, "`width` has no effect")
    check.equal(got, slip("", sides, width), f'expected: other edges with "{sides}", width {width}')
    check.kind(got, torch.Tensor, dtype=torch.uint8)
check.passed("an edge where the class is near and another class, too")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-edge-labels")


def hidden_maps(rng: np.random.Generator, classes: int, height: int, width: int) -> np.ndarray:
    """Blotches of classes, with a corner and a spot that nobody labelled."""
    drawn = rng.integers(0, classes, (2, -(-height // 3), -(-width // 3)))
    drawn = drawn.repeat(3, axis=1).repeat(3, axis=2)[:, :height, :width]
    drawn[0, : rng.integers(1, 4), : rng.integers(1, 5)] = 255
    drawn[1, 3 : 4 + rng.integers(0, 3), 2 : 3 + rng.integers(0, 4)] = 255
    return drawn


for hidden_name, hidden_sides, hidden_width, hidden_classes in (
    ("both", "both", 1, 6),
    ("inner", "inner", 1, 4),
    ("wide", "both", 2, 7),
    ("inner-wide", "inner", 3, 5),
):
    hidden_map = probe.given(hidden_name, lambda rng, n=hidden_classes: hidden_maps(rng, n, 11, 13))
    hidden_got = probe.call(
        category_edges, torch.from_numpy(hidden_map), hidden_classes,
        sides=hidden_sides, width=hidden_width,
    )  # fmt: skip
    hidden_about = f'other label maps, sides "{hidden_sides}", width {hidden_width}'
    probe.emit(hidden_name, hidden_got, hidden_about, dtype=True, kind=True)
### END HIDDEN TESTS

# %% check-edge-labels-2 points=1
check = Check("edge-labels")
empty = torch.full((1, 4, 6), 255)
for sides, width in (("both", 1), ("inner", 1), ("inner", 2)):
    got = check.call(binary_edges, maps, sides=sides, width=width)
    check.kind(got, torch.Tensor)
    check.shape(got, (2, 12, 14), "one map for all parts together: (B, H, W)")
    parts, known = slip("", sides, width), maps != 255
    for wrong, message in (
        (parts.sum(1), "an edge of two parts counts twice: a union, no sum"),
        (parts.sum(1, dtype=torch.uint8), "an edge of two parts counts twice: a union, no sum"),
        ((parts[:, 1:] == 1).any(1), "where the target is 255 the edge map should be 255, too"),
        (parts.amax(1), "the background draws edges of its own: leave class 0 out"),
        (parts[:, 1:].amin(1), "a pixel on the edge of *one* part is enough"),
    ):
        check.catches(wrong if sides == "inner" or "0" not in message else None, got, message)
    other = "inner" if sides == "both" else "both"
    check.catches(slip("", other, width)[:, 1:].amax(1), got, f'these are the edges for "{other}"')
    check.catches(slip("", sides)[:, 1:].amax(1) if width > 1 else None, got, "`width` has no effect")
    expected = parts[:, 1:].amax(1)
    check.equal(got, expected, f'expected: other binary edges with "{sides}", width {width}')
    check.kind(got, torch.Tensor, dtype=torch.uint8)
got = check.call(binary_edges, empty)
check.equal(got, empty, "where nobody labelled anything, all should be 255")
check.passed("the union of the parts' edges")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-edge-labels-2")
for hidden_name, hidden_sides, hidden_width in (
    ("both", "both", 1),
    ("inner", "inner", 1),
    ("inner-wide", "inner", 2),
):
    hidden_map = probe.given(
        hidden_name, lambda rng: rng.integers(0, 5, (2, 5, 6)).repeat(2, axis=1).repeat(3, axis=2)
    )
    hidden_map[0, 2:5, 4:9] = 255
    hidden_got = probe.call(
        binary_edges, torch.from_numpy(hidden_map), sides=hidden_sides, width=hidden_width
    )
    hidden_about = f'other label maps, sides "{hidden_sides}", width {hidden_width}'
    probe.emit(hidden_name, hidden_got, hidden_about, dtype=True, kind=True)
hidden_got = probe.call(binary_edges, torch.full((1, 3, 4), 255))
probe.emit("empty", hidden_got, "a map of nothing but 255", dtype=True)
### END HIDDEN TESTS

# %% [markdown]
# Fig. 4 of the paper, by your code: a label map, its binary edges, and the category edges of three parts (black; grey is 255, at the corners of a face that was turned).


# %%
def drawing(edges: torch.Tensor) -> np.ndarray:
    """An edge map as a picture: (H, W) → (H, W, 3) uint8, edges black, 255 grey."""
    tones = np.full((256, 3), 255, np.uint8)
    tones[1], tones[255] = 0, 170
    return tones[edges.cpu().numpy()]


view = TrainingView(SynthDataset(0, 9, 128), 128, whitening(train), Augmentation(rotation=30.0))
face = view[8]["target"][None]  # (1, H, W)
each = category_edges(face, 19)
row = {"label map": face[0].numpy().astype(np.uint8), "binary": drawing(binary_edges(face)[0])}
for name, j in (("skin", 1), ("hair", 13), ("nose", 2)):
    row[name] = drawing(each[0, j])
plots.panels([row])

# %% [markdown]
# And the two conventions, with a wider one, around the eyes:

# %%
eyes = (slice(44, 74), slice(40, 92))
row = {"label map": face[0].numpy().astype(np.uint8)[eyes]}
for sides, width in (("inner", 1), ("both", 1), ("both", 2)):
    row[f"{sides}, width {width}"] = drawing(binary_edges(face, sides=sides, width=width)[0])[eyes]
plots.panels([row])

# %% [markdown]
# ## How rare is an edge?
#
# An edge is as long as the face is high, and a pixel or two wide, so its *share* of the picture falls when the picture grows.

# %%
print("share of the pixels    binary edges    category edges, of all maps")
for size in (64, 128, 256, 473):
    few = [torch.from_numpy(render(0, index, size).label_map).long() for index in range(6)]
    few = torch.stack(few)  # (6, size, size)
    both = 100 * (binary_edges(few) == 1).float().mean()
    every = 100 * (category_edges(few, 19) == 1).float().mean()
    print(f"{size:>10}² {both:>21.1f} % {every:>24.2f} %")

# %% [markdown]
# At the paper's 473² about 3 pixels in 100 are on an edge, and 3 in 1,000 of the category maps. At the 64² of the quick tier it is one pixel in five: at this size, much of a face *is* edge. Keep it in mind
# for what you measure below.
