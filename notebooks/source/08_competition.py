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
# # 8 · The competition: scores and a submission
#
# Four networks, one table, one winner. You train all four, draw the report's Table 1 again, and ask of each column what it measures and how sure it is. Then you hand in a submission that the competition would accept.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 36 rendered faces, 32² | CelebAMask-HQ, for example the course's 5,000 photos, 512² |
# | computing | {{computing}} | up to 53 hours on one GPU (120 epochs of the report's 1,598 s for all four) (estimated) |
# | memory | {{memory}} | about 20 GB of GPU memory for the largest network as the report has it; less here, see lesson 05 (estimated) |
#
# **You will be able to**
# - say which F-measure a table shows, and how far two of them lie apart on the same predictions;
# - compute the 2024 and the 2025 score from the same counts, and name what is not published about them;
# - put an interval on a score, and on the *difference* of two scores, and say what it does not cover;
# - write, check and score a submission in both formats.
#
# **Before this** come lessons 02 to 05 (the networks), 06 (losses) and 07 (the optimiser). No network is built here.
#
# {{links}}
#
# {{papers}}

# %%
import io
import shutil
import tempfile
import zipfile
from pathlib import Path

import matplotlib.pyplot as plt  # once it is loaded, Jupyter shows figures
import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from coursekit import count_parameters, create_model, plots, recipes, tier
from coursekit.checks import Check
from coursekit.codabench.scoring import VARIANTS, count_pixels, score_counts
from coursekit.data import SynthDataset, open_dataset

# %%
TIER, DATA, SIZES = tier.choose(
    train=(36, 5000), val=(36, 1000), watch=(8, 0), size=(32, 512), epochs=(4, 120)
)  # fmt: skip
SIZE = SIZES["size"]
TITLES = {
    "unet": "U-Net", "deeplabv3plus": "DeepLabV3+", "fastscnn": "FastSCNN", "segformer": "SegFormer",
}  # fmt: skip
COLOURS = dict(zip(TITLES, (plots.GREY, "#b7791f", plots.BLUE, plots.RED), strict=True))

if DATA:
    train = open_dataset(DATA, "train")[: SIZES["train"]]
    val = open_dataset(DATA, "val")[: SIZES["val"]]
    watch = val  # as in the report: the images that are scored have chosen the epoch, too
else:
    train = SynthDataset(0, SIZES["train"], SIZE)
    val = SynthDataset(0, SIZES["val"], SIZE, first=5_000, split="val")
    watch = SynthDataset(0, SIZES["watch"] or SIZES["val"], SIZE, first=10_000, split="val")
LABELS = train.labels
print(f"{len(train)} faces to learn from, {len(val)} to validate, {len(TITLES)} networks")

# %% [markdown]
# ## The idea: a measurement with rules
#
# A competition is a measurement that many make in the same way. Its rules say what is held fixed (in 2024: the data, no pretrained weights, fewer than 2,000,000 parameters) and what is counted (one score, on images whose truth no entrant sees). All else may vary, and does: the network, the recipe, luck.
#
# A table of results is the same on a small scale. To read the report's Table 1, ask three questions.
#
# 1. **What was counted?** Two columns may have the same name and different formulas.
# 2. **How sure is it?** One training run, one set of images: how different could the number have been?
# 3. **Does it carry over** to other images than these? (That is a subject of lesson 15.)
#
# First we need something to measure: the four networks, each trained once, all in the same way. On the full tier this is the recipe of the report's Table 1. A minute of a laptop is too short for it. So the quick tier takes the Dice loss for all four (lesson 06), batches of four, a higher rate and less patience; and DeepLabV3+ has the dilation rates of lesson 03, since its map is only 4² here.

# %% train-four tags=["slow"]
from coursekit.optim import AdamToSGDConfig
from coursekit.training import FitConfig, ParsingConfig, fit


def recipe(name: str) -> FitConfig:
    """The same for all four, but for what the report itself sets by network."""
    if TIER == "full":
        return recipes.configure("report_table1", name, SIZE, SIZES["epochs"], seed=0)
    plan = AdamToSGDConfig(adam_lr=0.003, patience=3)
    return FitConfig(SIZE, SIZES["epochs"], 4, seed=0, objective=ParsingConfig("dice"), plan=plan)


if TIER == "quick":
    torch.set_num_threads(1)  # for so small images a second thread costs more than it brings
SETTINGS = {"deeplabv3plus": {"rates": (1, 2, 3)}} if TIER == "quick" else {}
networks, results = {}, {}
for name in TITLES:
    torch.manual_seed(0)
    networks[name] = create_model(name, LABELS.num_classes, **SETTINGS.get(name, {}))
    results[name] = fit(
        networks[name], train, watch, recipe(name), progress=True, kept=f"08_{name}"
    )
losses = {name: [entry["train_loss"] for entry in r.history] for name, r in results.items()}
print("every training loss fell:", all(each[-1] < each[0] for each in losses.values()))

# %% [markdown]
# Every score of this lesson is read off one array. For each network and each image it counts the pixels of each true class by the class that was predicted.

# %% tags=["folded"]
plots.diagram(
    """
    (images: N × 3 × H × W)
    network: logits: N × 19 × H × W
    argmax: N × H × W
    counts: true by predicted: N × 19 × 19 | (label maps: N × H × W)
    scores
    """,
    "images > network > argmax > counts > scores, label maps > counts",
)


# %%
@torch.inference_mode()
def examine(name: str, images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Counts (N, 19, 19) of pixels of each image, by true and by predicted class."""
    network, white = networks[name].eval(), results[name].whitening
    device = next(network.parameters()).device
    mean, std = (
        torch.tensor(v).float().view(1, 3, 1, 1).to(device) for v in (white.mean, white.std)
    )
    counts = []
    for k in range(0, len(images), 16):
        x = torch.from_numpy(np.array(images[k : k + 16])).to(device).permute(0, 3, 1, 2) / 255
        called = network((x - mean) / std).argmax(1).byte().cpu().numpy()  # (B, H, W)
        counts += [count_pixels(t, p) for t, p in zip(maps[k : k + 16], called, strict=True)]
    return np.stack(counts)


# %%
def class_iou(matrix: np.ndarray) -> np.ndarray:
    """IoU of each class that occurs in the truth or in the prediction."""
    hit, union = matrix.diagonal(), matrix.sum(0) + matrix.sum(1) - matrix.diagonal()
    return hit[union > 0] / union[union > 0]


def mean_iou(matrix: np.ndarray) -> float:
    """As in lesson 02, from one (19, 19) table."""
    return class_iou(matrix).mean()


def tidy(figure: plt.Figure, *axes: plt.Axes) -> plt.Figure:
    """The figure without its frames' upper and right lines, to be shown once."""
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    plt.close(figure)
    return figure


# %% tags=["slow"]
held_out = val.arrays(SIZE)
counts = {name: examine(name, held_out.images, held_out.label_maps) for name in TITLES}
print("arrays of", *sorted({str(each.shape) for each in counts.values()}))

# %% [markdown]
# ## Exercise 1: which F?
#
# The report has two columns of validation scores, mean IoU and F-measure. For one class, with $A$ its predicted pixels and $B$ its true ones,
#
# $$ \mathrm{IoU} = \frac{|A \cap B|}{|A \cup B|}, \qquad F = \frac{2\,|A \cap B|}{|A| + |B|}, \qquad\text{so}\qquad F = \frac{2\,\mathrm{IoU}}{1 + \mathrm{IoU}}. $$
#
# The last step holds because $|A| + |B| = |A \cup B| + |A \cap B|$. So for one class F says nothing that IoU does not say. But there are two ways to a *mean* F, and they differ: the mean of the classes' F, and the F of the classes' mean IoU. Write the formula and both ways.
#
# <details><summary>Hint 1</summary>
#
# The first function works on an array of any shape, element by element. There is no sum in it.
# </details>
# <details><summary>Hint 2</summary>
#
# Two orders of the same two steps: first the formula and then the mean, or first the mean and then the formula.
# </details>
# <details><summary>Hint 3</summary>
#
# `return f_from_iou(iou).mean(), f_from_iou(iou.mean())`
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.competition import f_from_iou, two_means` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% f-and-iou minutes=15 difficulty="easy"
def f_from_iou(iou: np.ndarray) -> np.ndarray:
    """F of each class from its IoU, both in [0, 1]; an array of any shape."""
    ### BEGIN SOLUTION
    return 2 * iou / (1 + iou)
    ### END SOLUTION


def two_means(iou: np.ndarray) -> tuple[float, float]:
    """From the IoU (C,) of all classes: the mean of their F, and the F of their mean IoU."""
    ### BEGIN SOLUTION
    return f_from_iou(iou).mean(), f_from_iou(iou.mean())
    ### END SOLUTION


# %% check-f-and-iou points=1
from coursekit.checks.mistakes.competition import misaveraged

check = Check("f-and-iou")
whole = "an array of any shape should come out in the same shape: work on the whole of it at once"
check.crashes((TypeError, ValueError), "not iterable|0-d array|truth value of an array", whole)
some = np.array([0.9, 0.5, 0.0, 1.0, 0.06])
f, right, mean = check.call(f_from_iou, some), 2 * some / (1 + some), some.mean()
check.kind(f, np.ndarray)
means, first, second = check.call(two_means, some), right.mean(), 2 * mean / (1 + mean)
for place, wrong, message in misaveraged(some):
    check.catches(wrong, (f, means)[place], message)
near = not np.allclose(f, right) and (abs(f - right) < 0.006).all()
check.that(not near, "nearly: round nothing, and add nothing below")
check.that((f >= some - 1e-6) & (f <= 1), "F is never below IoU, nor above 1: not so here")
check.close(f, right, "expected: 2 IoU / (1 + IoU), class by class")
pair = np.stack([some, some / 2])
check.close(check.call(f_from_iou, pair), 2 * pair / (1 + pair), whole)
check.kind(means, [tuple, list, np.ndarray])
check.that([np.ndim(one) for one in means] == [0, 0], "return two numbers, each of them a mean")
check.close(means, [first, second], "expected: the mean of the F and the F of the mean IoU")
check.passed("two means of the same five classes")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-f-and-iou")
for hidden_name, hidden_power in (("even", 1), ("low", 4), ("high", 0.1), ("missed", 1)):
    hidden_iou = probe.given(
        hidden_name, lambda rng, p=hidden_power: rng.random((4, int(rng.integers(3, 19)))) ** p
    )
    if hidden_name == "missed":
        hidden_iou[:, ::4] = 0
    hidden_f = probe.call(f_from_iou, hidden_iou)
    probe.emit(hidden_name, hidden_f, "the F of other classes", kind=True)
    hidden_means = [list(probe.call(two_means, row)) for row in hidden_iou]
    probe.emit(f"{hidden_name}-means", hidden_means, "the two means of other classes")
### END HIDDEN TESTS

# %% [markdown]
# Which of the two does the report print? Here is its Table 1, and what the formula makes of its column of mean IoU.

# %%
REPORT = {  # validation mean IoU, F-measure, test mean IoU in %, parameters, seconds an epoch
    "unet": (66.68, 79.98, 53.09, 1_941_411, 228),
    "deeplabv3plus": (67.22, 80.38, 53.30, 1_964_394, 328),
    "fastscnn": (70.62, 82.77, 54.74, 1_154_435, 171),
    "segformer": (71.38, 83.34, 56.67, 1_975_683, 871),
}
print("            mean IoU   F of the mean IoU   F as printed")
for name, (m, f, *_) in REPORT.items():
    print(f"{TITLES[name]:<12}{m:>8.2f}{100 * f_from_iou(m / 100):>20.2f}{f:>15.2f}")
one_low = np.array([0.06] + [(19 * 0.7138 - 0.06) / 18] * 18)
mean_f, of_mean = two_means(one_low)
print(f"one class at 6 %, 18 equal ones, mean IoU {100 * one_low.mean():.2f} %:", end=" ")
print(f"mean F {100 * mean_f:.2f} %, F of the mean {100 * of_mean:.2f} %")

# %% [markdown]
# All four printed values lie within 0.04 points of the F of the mean IoU. Could they be means of F all the same? The curve $2x/(1+x)$ is concave, so the mean of its values is never above the value at the mean (Jensen's inequality), and the two agree only if all classes score alike. They did not: the report says that the necklace typically remained below 6 %. The last line of the output is the most favourable case for SegFormer's row, all other classes alike; even there the mean F would be 1.5 points lower. So the column is an F of a mean. Whether on purpose, the report does not say.
#
# Either number may be printed, if one says which it is. But this column cannot change a rank, and beside somebody else's mean F it flatters. Now Table 1 again, from our own counts, with both.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
from IPython.display import Markdown

rows, apart = [], []
for name, title in TITLES.items():
    m, f, test, parameters, seconds = REPORT[name]
    ious = class_iou(counts[name].sum(0))
    mean_f, of_mean = (100 * v for v in two_means(ious))
    spent = np.median([entry["seconds"] for entry in results[name].history])
    apart.append(of_mean - mean_f)
    rows.append(
        f"| {title} | {m:.2f} | {f:.2f} | not given | {test:.2f} | {parameters:,} | {seconds} | {100 * ious.mean():.1f} "
        f"| {of_mean:.1f} | {mean_f:.1f} | {count_parameters(networks[name]):,} | {spent:.1f} |"
    )
head = " mean IoU | F of it | mean F |"
Markdown(
    f"| | *report:*{head} test | parameters | s/epoch | *here:*{head} parameters | s/epoch |\n"
    + "|---" * 12 + "|\n" + "\n".join(rows)
    + f"\n\nHere the F of the mean is higher by {min(apart):.1f} to {max(apart):.1f} points."
)  # fmt: skip

# %% [markdown]
# **The two halves are not a race.** On the left are 5,000 photographs at 512² and up to 120 epochs, on the right (on the quick tier) a few dozen small drawn faces and a few epochs. Compare within a half: the rows, and the columns "F of it" and "mean F".
#
# ## Which classes decide
#
# A mean of 19 numbers hides all of them. Here they are, most frequent classes on the left. Below, the lead of the network with the highest mean IoU over the second, class by class: the bars sum to the difference of the two means.

# %% tags=["slow"]
order = np.argsort(-sum(counts["unet"]).sum(1))  # by true pixels
full = {name: np.zeros(19) for name in TITLES}
for name, each in counts.items():
    pooled = each.sum(0)
    union = pooled.sum(0) + pooled.sum(1) - pooled.diagonal()
    full[name] = 100 * pooled.diagonal() / np.maximum(union, 1)
ranked = sorted(TITLES, key=lambda name: -mean_iou(counts[name].sum(0)))
best, second = ranked[:2]
table = np.stack([full[name][order] for name in TITLES])

# %% tags=["slow"]
figure, (top, low) = plt.subplots(
    2, 1, figsize=(7.5, 4.2), sharex=True, layout="constrained", height_ratios=(3, 2)
)
top.imshow(table, cmap="Blues", vmin=0, vmax=100, aspect="auto")
for i, j in np.ndindex(table.shape):
    colour = "white" if table[i, j] > 55 else "black"
    top.text(j, i, f"{table[i, j]:.0f}", ha="center", va="center", fontsize=7, color=colour)
top.set_yticks(range(4), TITLES.values())
top.set_title("IoU of each class, %", fontsize=9)
share = (full[best] - full[second])[order] / 19
low.bar(range(19), share, color=[plots.BLUE if v > 0 else plots.RED for v in share])
low.axhline(0, color=plots.GREY, linewidth=1)
low.set_xticks(range(19), [LABELS.titles[c] for c in order], rotation=50, ha="right")
title = f"{TITLES[best]} minus {TITLES[second]}: points of mean IoU, together {share.sum():+.1f}"
low.set_title(title, fontsize=9)
tidy(figure, low)

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
points = (full[best] - full[second]) / 19
most, least = points.argmax(), points.argmin()
print(
    f"{TITLES[best]} is ahead of {TITLES[second]} in {(points > 0).sum()} of 19 classes:", end=" "
)
print(f"most in {LABELS.titles[most]} ({points[most]:+.1f} points of the mean),", end=" ")
print(f"least in {LABELS.titles[least]} ({points[least]:+.1f}).")
missed = [LABELS.titles[c] for c in range(19) if max(each[c] for each in full.values()) < 0.5]
print("Found by no network:", ", ".join(missed) or "none of the classes")

# %% [markdown]
# Background, hair and skin are most of the pixels and three votes of nineteen. Where a column is 0 in every row, no network has learnt the class yet: such a column pulls all means down alike and decides nothing.
#
# A rare class has one vote like the others, but few pixels stand behind it. With pooling, the pixels of all images are added first. So the vote of a rare class belongs to the few images in which it is large, and chance has a large say in it. How large, the bootstrap will tell. First another way to average, in which each *image* has one vote.
#
# ## Exercise 2: the score of 2025
#
# The edition of 2025 takes each image by itself. For each class, with *hit* the pixels of the class that were found,
#
# $$ P = \frac{\text{hit}}{\text{called} + \varepsilon}, \qquad R = \frac{\text{hit}}{\text{true} + \varepsilon}, \qquad F = \frac{2PR}{P + R + \varepsilon}, \qquad \varepsilon = 10^{-7}, $$
#
# where *called* are the pixels predicted as the class. Then the mean over the classes that are **in the truth of that image**, background included. Return one score for each image, as an array; the score of a submission is their mean.
#
# The $\varepsilon$ only keeps 0/0 away; still, it is part of the definition, in all three denominators. (It is an argument, so that a check can make it large enough to see.)
#
# <details><summary>Hint 1</summary>
#
# `counts[i, j, k]`: image, true class, predicted class. Which axis must be summed to count the pixels that are *truly* of a class?
# </details>
# <details><summary>Hint 2</summary>
#
# `np.diagonal(counts, axis1=1, axis2=2)` is (images, C), and so are `counts.sum(2)` (true) and `counts.sum(1)` (called).
# </details>
# <details><summary>Hint 3</summary>
#
# `np.mean(f, axis=1, where=true > 0)` takes the mean of each row over the places where the condition holds.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.competition import image_scores` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (counts: N × C × C)
    called: N × C | hit: N × C | true: N × C
    precision: N × C | recall: N × C
    F: N × C
    mean: of the classes in each truth: N
    """,
    """counts > called > precision > F > mean, counts > hit > precision, hit > recall > F,
    counts > true > recall""",
)


# %% image-scores minutes=30 difficulty="medium"
def image_scores(counts: np.ndarray, eps: float = 1e-7) -> np.ndarray:
    """The score of each image, (N,), from counts (N, C, C): true class by predicted class."""
    ### BEGIN SOLUTION
    hit = np.diagonal(counts, axis1=1, axis2=2)  # (N, C)
    true, called = counts.sum(2), counts.sum(1)
    precision, recall = hit / (called + eps), hit / (true + eps)
    f = 2 * precision * recall / (precision + recall + eps)
    return np.mean(f, axis=1, where=true > 0)
    ### END SOLUTION


# %% check-image-scores points=1
from coursekit.checks.mistakes.competition import misscored

check = Check("image-scores")
check.crashes(ValueError, "broadcast", "hit, true and called are (images, C) each: sum over axis 2 "
              "or 1, and np.diagonal needs axis1=1, axis2=2")  # fmt: skip
check.crashes(IndexError, "out of bounds", "take as many classes as the tables have, not 19")
check.crashes(ValueError, "inhomogeneous", "one number for each image: the mean of its classes' F")
three = np.zeros((3, 5, 5), int)
three[0, :2] = [[50, 4, 0, 3, 0], [6, 20, 0, 0, 0]]  # class 3 is called and not true; 2, 4 neither
three[1, :3] = [[30, 2, 0, 0, 0], [5, 6, 0, 0, 0], [1, 7, 0, 0, 0]]  # class 2: never called
three[2, [0, 3, 4, 4], [0, 0, 0, 4]] = 80, 1, 3, 1  # classes 1 and 2 are not true
got = check.call(image_scores, three)
check.shape(got, (3,), "give an array, one score for each image: their mean is the caller's")
check.kind(got, np.ndarray, dtype=np.floating)
hit, true, called = np.array([m.diagonal() for m in three]), three.sum(2), three.sum(1)
p, r = hit / (called + 1e-7), hit / (true + 1e-7)
f = 2 * p * r / (p + r + 1e-7)
right = np.mean(f, axis=1, where=true > 0)
check.slips(got, right, misscored, three)
check.that(np.isfinite(got), "0/0 somewhere: eps belongs in every denominator")
check.close(got, right, "first F of each class in the image's truth, then their mean", atol=1e-4)
check.passed("each image by itself, over the classes that are truly there")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-image-scores")


def hidden_tables(rng: np.random.Generator, classes: int) -> np.ndarray:
    """Six images' counts; some classes not true, some not called, some neither."""
    drawn = rng.integers(0, 10 ** rng.integers(1, 5, (6, classes, classes)))
    drawn *= rng.random((6, classes, 1)) < 0.7
    drawn *= rng.random((6, 1, classes)) < 0.7
    drawn[:, 0, 0] += 1
    return drawn


for hidden_name, hidden_classes in (("course", 19), ("few", 4)):
    hidden_counts = probe.given(hidden_name, lambda rng, c=hidden_classes: hidden_tables(rng, c))
    hidden_scores, hidden_about = probe.call(image_scores, hidden_counts), "other counts"
    probe.emit(hidden_name, hidden_scores, hidden_about, close=1e-4, kind=True)
### END HIDDEN TESTS

# %% check-image-scores-2 points=1
check = Check("image-scores")
some = np.array([[[5, 1, 0], [2, 7, 1], [0, 0, 0]], [[9, 0, 0], [3, 0, 2], [1, 1, 4]]])


def by_hand(tables: np.ndarray, e: float) -> list[float]:
    """Image by image, class by class."""
    scores = []
    for m in tables:
        true = [c for c in range(len(m)) if m[c].sum() > 0]
        p, r = ([m[c, c] / (m.sum(axis)[c] + e) for c in true] for axis in (0, 1))
        scores.append(np.mean([2 * a * b / (a + b + e) for a, b in zip(p, r, strict=True)]))
    return scores


got = check.call(image_scores, some, eps=0.3)
check.catches(by_hand(some, 1e-7), got, "eps has no effect: use the argument")
for whole in (some.sum(), some.sum((1, 2), keepdims=True)):
    check.catches(by_hand(some / whole, 0.3), got, "counts are pixels: divide them by no sum first")
check.close(got, by_hand(some, 0.3), "eps should stand in three denominators: of P, R and F")
tiny = check.call(image_scores, 1e-7 * some)
check.close(tiny, by_hand(1e-7 * some, 1e-7), "without an argument eps should be 1e-7")
check.passed("eps in all three denominators")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-image-scores-2")


def hidden_tables(rng: np.random.Generator, classes: int) -> np.ndarray:
    """Six images' counts; some classes not true, some not called, some neither."""
    drawn = rng.integers(0, 10 ** rng.integers(1, 5, (6, classes, classes)))
    drawn *= rng.random((6, classes, 1)) < 0.7
    drawn *= rng.random((6, 1, classes)) < 0.7
    drawn[:, 0, 0] += 1
    return drawn


for hidden_name, hidden_classes in (("course", 19), ("few", 4)):
    hidden_counts = probe.given(hidden_name, lambda rng, c=hidden_classes: hidden_tables(rng, c))
    for hidden_eps in (0.05, 0.5):
        hidden_about = f"other counts of {hidden_classes} classes, eps {hidden_eps:g}"
        hidden_scores = probe.call(image_scores, hidden_counts, hidden_eps)
        hidden_key = f"{hidden_name}-{hidden_eps:g}"
        probe.emit(hidden_key, hidden_scores, hidden_about, close=1e-6, kind=True)
hidden_tiny = probe.given("tiny", lambda rng: 1e-6 * rng.random((3, 4, 4)))
hidden_scores = probe.call(image_scores, hidden_tiny)
probe.emit("default", hidden_scores, "counts as small as the default of eps")
### END HIDDEN TESTS

# %% [markdown]
# How the images are averaged in 2025 is **not published**; the definition above is what is documented. `coursekit.codabench.scoring` therefore computes every reading that fits, and calls the one above `per_image_f_truth`. On 83 images that were recovered from one real submission the readings gave 0.779 to 0.843, where the official score over 100 images was 0.816. Here are all six readings for our four networks.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
variants = {name: score_counts(each, "flat").variants for name, each in counts.items()}
readings = {n: np.array([100 * variants[n][key]["value"] for key in VARIANTS]) for n in TITLES}
print(f"{'in %, and rank':<20}" + "".join(f"{title:>16}" for title in TITLES.values()))
for key, *row in zip(VARIANTS, *readings.values(), strict=True):
    ranks = (-np.array(row)).argsort().argsort() + 1
    print(f"{key:<20}" + "".join(f"{v:>12.1f} ({r})" for v, r in zip(row, ranks, strict=True)))
widest = max(map(np.ptp, readings.values()))
firsts = {TITLES[max(TITLES, key=lambda n: readings[n][i])] for i in range(len(VARIANTS))}
print(f"The readings of one network lie up to {widest:.0f} points apart.", end=" ")
print(
    f"{firsts.pop()} is first by all." if len(firsts) == 1 else "The first place depends on them."
)
agree = all(
    np.isclose(image_scores(each).mean(), variants[name]["per_image_f_truth"]["value"])
    for name, each in counts.items()
)
print("yours is the library's per_image_f_truth:", agree)

# %% [markdown]
# One set of predictions, six numbers. Two stand out. `per_image_f_19` gives full marks for every class that an image lacks and that nobody claimed: most faces have no hat, no necklace and no glasses, so every network begins with several classes as a present. `per_image_f_truth` forgives what is invented: a hat on a head without one costs what its pixels cost the hair, but gets no score of its own. Compare submissions by *one* of them, and say which.
#
# ## The library twin
#
# `segmentation_models_pytorch.metrics` counts first and divides later, as we do: `get_stats` gives true and false positives and negatives for each image and class, and the `reduction` says how to average. Which of its ways are ours?

# %%
from segmentation_models_pytorch import metrics as smp_metrics

random = np.random.default_rng(0)
truths = random.integers(0, 5, (6, 16, 16)) * (random.random((6, 1, 16)) < 0.8)
truths[0][truths[0] == 4] = 0  # image 0 has no class 4
called = np.where(random.random((6, 16, 16)) < 0.6, truths, random.integers(0, 6, (6, 16, 16)))
called[1][called[1] == 5] = 0  # class 5 is never true; in image 1 it is not called either
tables = np.stack([count_pixels(t, p) for t, p in zip(truths, called, strict=True)])
ours = {key: entry["value"] for key, entry in score_counts(tables, "flat").variants.items()}
stats = smp_metrics.get_stats(
    torch.from_numpy(called), torch.from_numpy(truths), mode="multiclass", num_classes=19
)
tp, fp, fn, tn = stats  # each (6 images, 19 classes)

# %%
each_f = smp_metrics.f1_score(*stats, reduction="none")
for ours_is, theirs in (
    ("pooled_miou_19", smp_metrics.iou_score(*stats, reduction="macro", zero_division=0)),
    ("per_image_f_19", smp_metrics.f1_score(*stats, reduction="macro-imagewise")),
    ("per_image_f_truth", np.mean(each_f.numpy(), axis=1, where=(tp + fn > 0).numpy()).mean()),
):
    print(f"{ours_is:<18} agrees: {bool(np.isclose(ours[ours_is], float(theirs), atol=1e-5))}")
plain = float(smp_metrics.iou_score(*stats, reduction="macro"))
print(f"mean IoU: ours {ours['pooled_miou']:.3f}, smp's macro by default {plain:.3f}")

# %% [markdown]
# The last line is a trap. An absent class is 0/0, and `zero_division` says what to put there: by default **1.0**. Thirteen of the 19 classes occur nowhere in this small example, and each is counted as perfect. With 0 they count as failures. *Leaving them out*, as this course does, takes `reduction="none"` and your own mean, as in the third line. (`reduction="micro"` adds all classes first. For one label a pixel, its F is the pixel accuracy.)
#
# | prefer | when |
# |---|---|
# | `smp.metrics` | you want scores in a training loop on a GPU, binary or multi-label, and every class occurs |
# | `coursekit.codabench.score` | you want to know what the competition would say, from a zip |
# | your own counts | you need more than one score, or an interval: all are read off the same array |
#
# ## Exercise 3: is the winner the winner?
#
# Other images would have given other scores. How different? We have no others, but we can ask how much the score depends on *which* images we have. The <dfn>bootstrap</dfn> (Efron, 1979) draws as many images as there are, **with replacement**, so that some come twice and some not at all, computes the score, and repeats this, here a thousand times. The scatter of these scores estimates how much the score would scatter from one set of images to another.
#
# Write three functions.
#
# - `bootstrap(counts, draws)`: the pooled mean IoU of each resample. `draws` is (resamples, images), each row the numbers of the images that were drawn.
# - `interval(values, level)`: the interval that holds the middle 95 % of the values (or another level), as an array of its two ends.
# - `lead(a, b, draws, level)`: the interval of the *difference* of two networks, a minus b. Both saw the same images, so each resample is drawn for both together: a **paired** comparison.
#
# <details><summary>Hint 1</summary>
#
# `counts[draw]` picks images, also several times the same; then pool as always: sum over the images first, `mean_iou` (it is given, above) afterwards.
# </details>
# <details><summary>Hint 2</summary>
#
# 95 % in the middle leaves 2.5 % on either side: `np.quantile` at 0.025 and 0.975. Write it for any level.
# </details>
# <details><summary>Hint 3</summary>
#
# In `lead`, subtract resample by resample, `bootstrap(a, draws) - bootstrap(b, draws)`, and take the interval of that. Do not subtract ends of intervals.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.competition import bootstrap, interval, lead` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (counts: N × C × C) | (draws: R × n)
    pooled: of each resample: C × C
    mean_iou: R
    interval: two ends
    """
)


# %% bootstrap minutes=35 difficulty="hard"
def bootstrap(counts: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Pooled mean IoU of each resample, (R,), from counts (N, C, C) and draws (R, n)."""
    ### BEGIN SOLUTION
    return np.array([mean_iou(counts[draw].sum(0)) for draw in draws])
    ### END SOLUTION


def interval(values: np.ndarray, level: float = 0.95) -> np.ndarray:
    """The two ends of the middle part of the values that holds a share `level` of them."""
    ### BEGIN SOLUTION
    tail = (1 - level) / 2
    return np.quantile(values, [tail, 1 - tail])
    ### END SOLUTION


def lead(a: np.ndarray, b: np.ndarray, draws: np.ndarray, level: float = 0.95) -> np.ndarray:
    """The interval of the difference a minus b, both on the same resamples."""
    ### BEGIN SOLUTION
    return interval(bootstrap(a, draws) - bootstrap(b, draws), level)
    ### END SOLUTION


# %% check-bootstrap points=1
from coursekit.checks.mistakes.competition import misdrawn

check = Check("bootstrap")
check.crashes(ValueError, "broadcast", "mean_iou takes one table (C, C): first sum over the images")
check.crashes(IndexError, "out of bounds", "a resample may have fewer images than there are")
check.crashes(ValueError, "inhomogeneous", "one score for each resample: mean_iou, not class_iou")
random = np.random.default_rng(1)
some = random.integers(0, 40, (6, 3, 3)) + 30 * np.eye(3, dtype=int)
some[0] *= 20  # a large face counts more when images are pooled
some[1:, 2], some[1:, :, 2] = 0, 0  # class 2 is in image 0 alone
draws = random.integers(0, 6, (40, 6))
got = check.call(bootstrap, some, draws)
pooled = np.array([mean_iou(some[draw].sum(0)) for draw in draws])
absent = "leave out a class that none of the drawn images has, as mean_iou does: it is 0/0, not 0"
check.slips(got, pooled, misdrawn, some, draws, mean_iou, absent)
check.that(not np.isnan(got).any(), absent)
check.close(got, pooled, "expected: the pooled mean IoU of the images in each row of draws")
check.kind(got, np.ndarray)
few = np.array([mean_iou(some[draw].sum(0)) for draw in draws[:, :2]])
check.close(check.call(bootstrap, some, draws[:, :2]), few, "take the two images of each draw")
check.passed("images come with replacement, and are pooled")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-bootstrap")


def hidden_tables(rng: np.random.Generator) -> np.ndarray:
    """Counts of seven images by two networks, of five classes, one of them rare."""
    drawn = rng.integers(0, 50, (2, 7, 5, 5)) + 60 * np.eye(5, dtype=int)
    drawn[:, 1:, 4], drawn[:, 1:, :, 4] = 0, 0
    return drawn * rng.integers(1, 9, (1, 7, 1, 1))


hidden_a, hidden_b = probe.given("counts", hidden_tables)
hidden_draws = probe.given("draws", lambda rng: rng.integers(0, 7, (60, 7)))
hidden_few = probe.given("few", lambda rng: rng.integers(0, 7, (30, 3)))
hidden_scores = probe.call(bootstrap, hidden_a, hidden_draws)
probe.emit("scores", hidden_scores, "the resamples of other counts", kind=True)
hidden_scores = probe.call(bootstrap, hidden_b, hidden_few)
probe.emit("few", hidden_scores, "resamples of three images each")
### END HIDDEN TESTS

# %% check-bootstrap-2 points=1
from coursekit.checks.mistakes.competition import miscut

check, random = Check("bootstrap"), np.random.default_rng(1)


def within(ends: np.ndarray, values: np.ndarray, level: float = 0.95) -> bool:
    """Whether these are the quantiles; a rank up or down is another rule for the same thing."""
    ranks = np.rint((len(values) - 1) * np.array([1 - level, 1 + level]) / 2).astype(int)
    low, high = (np.sort(values)[ranks + step] for step in (-1, 1))
    return bool(((low - 1e-9 <= ends) & (ends <= high + 1e-9)).all())


values = random.normal(0, 1, 401) ** 2
got = check.call(interval, values)
check.shape(got, (2,), "give an array of two numbers, the lower and the upper end")
check.kind(got, np.ndarray)
check.catches(values.mean(), np.mean(got), "not mean ± spread: the values may be skewed")
for wrong, message in miscut(values):
    check.catches(wrong, got, message)
check.that(got[0] <= got[1], "the lower end comes first")
check.catches(np.median(values), np.mean(got), "not median ± width: the values may be skewed")
check.that(got[0] > np.sort(values)[2], "nothing is cut off below: 2.5 % on *either* side")
check.that(got[1] < np.sort(values)[-3], "nothing is cut off above: 2.5 % on *either* side")
check.that(within(got, values), "expected: the middle 95 %, as np.quantile cuts it")
for level in (0.6, 0.2):
    got = check.call(interval, values, level)
    check.that(within(got, values, level), "use the argument level")
check.passed("the middle part of the values, at any level")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-bootstrap-2")


def hidden_scattered(rng: np.random.Generator) -> np.ndarray:
    """1,001 values so close to each other that every rule for a quantile gives the same."""
    even, skew = np.linspace(-1, 1, 1001), rng.uniform(0.1, 0.3)
    return rng.permutation(rng.uniform(0, 0.5) + rng.uniform(1, 1.5) * (even + skew * even**2))


hidden_values = probe.given("values", hidden_scattered)
for hidden_level in (0.95, 0.8, 0.3):
    hidden_ends = probe.call(interval, hidden_values, hidden_level)
    hidden_about = f"the interval of other values at level {hidden_level}"
    probe.emit(f"at {hidden_level}", hidden_ends, hidden_about, close=0.003, kind=True)
hidden_ends = probe.call(interval, hidden_values)
probe.emit("default", hidden_ends, "an interval without a level", close=0.003)
### END HIDDEN TESTS

# %% check-bootstrap-3 points=1
from coursekit.checks.mistakes.competition import LED_ASTRAY, misled

check, random = Check("bootstrap"), np.random.default_rng(1)
for known in LED_ASTRAY:
    check.crashes(*known)
hard = random.integers(1, 60, (6, 1, 1))  # an image is as hard for one network as for the other
some, other = random.integers(0, 10, (2, 6, 3, 3)) + hard + 60 * np.eye(3, dtype=int)
some += 40 * np.eye(3, dtype=int)
draws = random.integers(0, 6, (201, 6))
ours, theirs = (np.array([mean_iou(m[d].sum(0)) for d in draws]) for m in (some, other))
got = check.call(lead, some, other, draws)
check.shape(got, (2,), "give the two ends of one interval")
right = interval(ours - theirs)
check.slips(got, right, misled, (some, other), draws, interval, mean_iou)
lost = np.random.default_rng(0).permutation(theirs)
torn = check.call(interval, ours - lost)  # so wide, more or less, in whatever order
check.that(np.abs(got - torn).max() > 0.25 * np.ptp(torn), "pairs are torn apart: the same draw for both, in the same order")  # fmt: skip
check.that(within(got, ours - theirs), "expected: the interval of a minus b, draw by draw")
fewer, differences = draws[:101], (ours - theirs)[:101]
got = check.call(lead, other, some, fewer)
check.that(within(got, -differences), "keep the sign: a lead may be below 0")
for level in (0.5, 0.8):
    got = check.call(lead, some, other, fewer, level)
    check.that(within(got, differences, level), "lead should pass level on")
got = check.call(lead, some, other, draws[:81, :2])
small = [mean_iou(some[d].sum(0)) - mean_iou(other[d].sum(0)) for d in draws[:81, :2]]
check.that(within(got, np.array(small)), "use the draws: here are other ones")
check.passed("both networks see the same images")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-bootstrap-3")


def hidden_pairs(rng: np.random.Generator) -> np.ndarray:
    """Counts of seven images by two networks, of five classes, one of them rare."""
    drawn = rng.integers(0, 50, (2, 7, 5, 5)) + rng.integers(20, 300, (2, 7, 5, 1)) * np.eye(
        5, dtype=int
    )
    drawn[:, 1:, 4], drawn[:, 1:, :, 4] = 0, 0
    return drawn * rng.integers(1, 9, (1, 7, 1, 1))


hidden_a, hidden_b = probe.given("counts", hidden_pairs)
hidden_draws = probe.given("draws", lambda rng: rng.integers(0, 7, (401, 7)))
for hidden_level in (0.8, 0.3):
    hidden_lead = probe.call(lead, hidden_a, hidden_b, hidden_draws[:201], hidden_level)
    hidden_about = f"the lead at level {hidden_level}"
    probe.emit(f"lead {hidden_level}", hidden_lead, hidden_about, close=2e-3)
hidden_lead = probe.call(lead, hidden_b, hidden_a, hidden_draws)
probe.emit("default lead", hidden_lead, "a lead without a level", close=2e-3)
### END HIDDEN TESTS

# %% tags=["slow"]
draws = np.random.default_rng(0).integers(0, len(val), (1000, len(val)))
scatter = {name: bootstrap(each, draws) for name, each in counts.items()}
mixed = {}  # differences to the best with the pairs torn apart, for comparison
for name in ranked[1:]:
    mixed[name] = scatter[best] - np.random.default_rng(1).permutation(scatter[name])

# %% tags=["slow"]
figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.6), layout="constrained")
for i, name in enumerate(ranked[::-1]):
    low, high = 100 * interval(scatter[name])
    left.plot([low, high], [i, i], color=COLOURS[name], linewidth=4)
    left.plot(100 * mean_iou(counts[name].sum(0)), i, "o", color="black")
left.set_yticks(range(4), [TITLES[name] for name in ranked[::-1]])
left.set(xlabel="mean IoU, %, and 95 % interval", ylim=(-0.5, 3.5))
for i, name in enumerate(ranked[:0:-1]):
    low, high = 100 * lead(counts[best], counts[name], draws)
    apart, label = 100 * interval(mixed[name]), "not paired" if i == 0 else None
    right.plot(apart, [i - 0.15] * 2, color="#cbd5e0", linewidth=4, label=label)
    right.plot([low, high], [i + 0.15] * 2, color=COLOURS[name], linewidth=4)
right.axvline(0, color="black", linewidth=1)
right.set_yticks(range(3), [TITLES[name] for name in ranked[:0:-1]])
right.set(xlabel=f"lead of {TITLES[best]}, points of mean IoU", ylim=(-0.6, 2.6))
right.legend(frameon=False, fontsize=8)
tidy(figure, left, right)

# %% [markdown]
# On the left are the intervals of the four; where two overlap, whoever compares them by eye calls it a draw. On the right is the lead of the best over each of the others, with the pairs kept together and (grey) without. Mostly the pairs make the interval shorter, because a face that is hard for one network is mostly hard for the other. If it is drawn twice, both scores fall, and the difference hardly changes.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
for name in ranked[1:]:
    paired = np.diff(lead(counts[best], counts[name], draws))[0]
    share = paired / np.diff(interval(mixed[name]))[0]
    print(f"{TITLES[best]} − {TITLES[name]}: interval {100 * paired:.1f} points wide,", end=" ")
    print(f"{share:.0%} of what it is without pairing")
for word, (low, _) in (
    ("with pairs", lead(counts[best], counts[second], draws)),
    ("without", interval(mixed[second])),
):
    clear = "is" if low > 0 else "is not"
    print(f"{word}, the lead over {TITLES[second]} {clear} clear of 0")

# %% [markdown]
# The interval answers *one* question: would the lead survive other faces of the same kind? Even there it flatters a little, because the best was chosen on these very faces. And it says nothing about
#
# - **the seed.** Each network was trained once; another seed gives another network. For this one needs several runs, and a lead of a point or two may well turn round;
# - **other kinds of images**, a subject of lesson 15.
#
# Be careful with **rare classes**, too. A class that occurs in one face only is missing from the truth of about 37 % of the resamples, $(1 - 1/n)^n$. It then drops out of the mean, or counts as 0 if some other face was given it. This is one reason why an interval need not lie symmetrically around the score.
#
# The report gives 70.62 and 71.38 % for its best two, 0.76 points apart, with neither interval nor second seed. Both numbers may be correct, and still the order of the two remains a guess.
#
# ## Exercise 4: masks in a zip
#
# What remains is to hand it in. The flat format (2024) is a zip with `<stem>.png` at its root for each test image, and nothing else: one channel (Pillow's mode `L`), uint8 class ids 0 to 18, 512 × 512. Write it by hand, once; then you know what a tool must do.
#
# The networks work at another size than 512, so something must be enlarged. **Enlarge the logits bilinearly, then take the arg-max.** Class ids cannot be interpolated: halfway between skin (1) and right brow (7) lies 4, the left eye. Nearest neighbour draws every boundary as stairs of the small grid. Logits can be interpolated, and the boundary falls where two of them cross.
#
# <details><summary>Hint 1</summary>
#
# Four steps for each stem: enlarge, arg-max, PNG into memory (`io.BytesIO()`), and `archive.writestr(name, data)`.
# </details>
# <details><summary>Hint 2</summary>
#
# `F.interpolate` wants a batch: `scores[None]` is (1, 19, h, w); ask for `size=(512, 512), mode="bilinear"`. Arg-max over the classes gives int64: make it uint8 before it becomes an image.
# </details>
# <details><summary>Hint 3</summary>
#
# `Image.fromarray(ids).save(png, format="PNG")` with ids of shape (512, 512) and type uint8 gives mode L. Then `archive.writestr(f"{stem}.png", png.getvalue())`, inside `with zipfile.ZipFile(target, "w") as archive:`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.competition import write_flat` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (logits: 19 × h × w)
    enlarge: 19 × 512²
    argmax: 512², uint8
    PNG: mode L
    zip: one <stem>.png for each image
    """
)


# %% masks-in-a-zip minutes=30 difficulty="medium"
def write_flat(target: str | Path | io.BytesIO, logits: dict[str, torch.Tensor]) -> None:
    """Write a flat submission.

    Args: target, whatever `zipfile.ZipFile` can write to; logits by stem, each (19, h, w).
    """
    ### BEGIN SOLUTION
    with zipfile.ZipFile(target, "w") as archive:
        for stem, scores in logits.items():
            large = F.interpolate(scores[None], size=(512, 512), mode="bilinear")
            ids = large.argmax(1)[0].numpy().astype(np.uint8)  # (512, 512)
            png = io.BytesIO()
            Image.fromarray(ids).save(png, format="PNG")
            archive.writestr(f"{stem}.png", png.getvalue())
    ### END SOLUTION


# %% check-masks-in-a-zip points=1
from coursekit.checks.mistakes.masks import MODES, UNWRITTEN

check = Check("masks-in-a-zip")
for kind, cause, message in UNWRITTEN:
    check.crashes(kind, cause, message)
torch.manual_seed(0)
drawn, file = {"7": torch.randn(19, 16, 16), "face-12": torch.randn(19, 24, 20)}, io.BytesIO()
check.run(write_flat, file, drawn)
check.that(zipfile.is_zipfile(file), "this is no zip: write into target, and close it")
with zipfile.ZipFile(file) as archive:
    entries = {name: archive.read(name) for name in archive.namelist()}
check.that(len(entries) > 0, "the zip is empty")
check.that(not any("/" in n for n in entries), "a mask lies in a folder: names stand at the root")
check.catches(["7", "face-12"], sorted(entries), "the names lack their ending, .png")
check.catches(["face-12.png"], sorted(entries), "only the last mask is left: open the zip once")
check.that(all(name.endswith(".png") for name in entries), "the names end in .png")
check.equal(sorted(entries), ["7.png", "face-12.png"], "one mask for each stem, <stem>.png")
check.that(all(entries.values()), "an empty file: read() starts where save ended, getvalue() at 0")
for name, data in entries.items():
    check.that(data[1:4] == b"PNG", "the ending says PNG, the content does not: use Image.save")
    check.that(data.count(b"IHDR") == 1, "several pictures in one file: a new BytesIO for each")
    mask = Image.open(io.BytesIO(data))
    check.that(mask.mode == "L", f"{name} has {MODES.get(mask.mode, 'mode ' + mask.mode)}")
    check.equal(mask.size, (512, 512), "every mask is 512 × 512, whatever the network's size")
check.passed("two masks at the root, one channel, 512²")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-masks-in-a-zip")
hidden_stems = probe.given("stems", lambda rng: [str(n) for n in rng.integers(10, 10**6, 2)])
hidden_logits = {
    stem: torch.from_numpy(
        probe.given(f"logits-{i}", lambda rng, s=8 + 9 * i: rng.normal(0, 1, (19, s, s + 3)))
    ).float()
    for i, stem in enumerate(hidden_stems)
}
hidden_file = io.BytesIO()
probe.call(write_flat, hidden_file, hidden_logits)
with zipfile.ZipFile(hidden_file) as hidden_archive:
    probe.emit("names", sorted(hidden_archive.namelist()), "the names of the entries")
    for hidden_i, hidden_stem in enumerate(hidden_stems):
        hidden_mask = Image.open(io.BytesIO(hidden_archive.read(f"{hidden_stem}.png")))
        hidden_kind = [hidden_mask.format, hidden_mask.mode, list(hidden_mask.size)]
        probe.emit(f"kind-{hidden_i}", hidden_kind, "format, mode and size of a mask")
### END HIDDEN TESTS

# %% check-masks-in-a-zip-2 points=1
from coursekit.checks.mistakes.masks import enlarged, mismasked

check, winners = Check("masks-in-a-zip"), (0, 1, 17, 18)  # these classes alone can win
for kind, cause, message in UNWRITTEN:
    check.crashes(kind, cause, message)
torch.manual_seed(1)
scores, place = torch.randn(19, 24, 20), Path(tempfile.mkdtemp()) / "flat.zip"
scores[2:17] -= 9
with zipfile.ZipFile(place, "w") as archive:
    archive.writestr("old.png", b"of yesterday")
check.run(write_flat, place, {"0": scores})
check.that(zipfile.is_zipfile(place), "a path is a target, too: write the zip there, and close it")
with zipfile.ZipFile(place) as archive:
    old = "old.png" in archive.namelist()
    got = np.asarray(Image.open(io.BytesIO(archive.read("0.png")))).astype(int)
check.that(not old, 'the zip of yesterday is still in the file: "w" begins anew, "a" appends')
right = enlarged(scores, winners)
check.shape(got, (512, 512), "every mask is 512 × 512, whatever the network's size")
few, palette = (slice(None, None, 4),) * 2, LABELS.palette_array()
check.slips(got[few], right[few], mismasked, scores, winners, palette)
check.that(np.isin(got, right), "classes that win nowhere: were ids interpolated, not logits?")
share = (got == right).mean()
check.that(share > 0.999, f"only {share:.1%} of a mask are the arg-max of the enlarged logits")
check.passed("boundaries fall where two scores cross")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-masks-in-a-zip-2")


def hidden_ids(logits: np.ndarray) -> np.ndarray:
    """The masks that these logits make."""
    large = F.interpolate(torch.from_numpy(logits)[None], size=(512, 512), mode="bilinear")
    return large.argmax(1)[0].numpy()[::7, ::7].astype(np.uint8)


hidden_stems = probe.given("stems", lambda rng: [str(n) for n in rng.integers(10, 10**6, 2)])
hidden_logits = {}
for hidden_i, hidden_stem in enumerate(hidden_stems):
    hidden_size = (19, 8 + 9 * hidden_i, 13 + 7 * hidden_i)
    hidden_draw = probe.given(f"logits-{hidden_i}", lambda rng, s=hidden_size: rng.normal(0, 1, s))
    hidden_logits[hidden_stem] = torch.from_numpy(hidden_draw).float()
    probe.keep(f"logits-{hidden_i}", lambda rng, s=hidden_size: hidden_ids(rng.normal(0, 1, s)))
hidden_place = Path(tempfile.mkdtemp()) / "flat.zip"
with zipfile.ZipFile(hidden_place, "w") as hidden_archive:
    hidden_archive.writestr("old.png", b"of yesterday")
probe.call(write_flat, hidden_place, hidden_logits)
with zipfile.ZipFile(hidden_place) as hidden_archive:
    probe.emit("on a disk", sorted(hidden_archive.namelist()), "the names of the entries")
    for hidden_i, hidden_stem in enumerate(hidden_stems):
        hidden_mask = Image.open(io.BytesIO(hidden_archive.read(f"{hidden_stem}.png")))
        hidden_found, hidden_about = np.asarray(hidden_mask)[::7, ::7], "the ids of other logits"
        probe.emit(
            f"ids-{hidden_i}", hidden_found, hidden_about, miou=(f"logits-{hidden_i}", 0.998)
        )
### END HIDDEN TESTS

# %% [markdown]
# Now the real thing: a folder of test images (on the quick tier six faces, rendered at 96²), with their truth in another place, and your own zip for them.

# %% tags=["slow"]
from coursekit import checkpoint
from coursekit.codabench import is_valid, score, submit, validate
from coursekit.data import Recipe, make
from coursekit.inference import predict_logits

folder = Path(tempfile.mkdtemp())
faces = Path(DATA) if DATA else folder / "faces"
if not DATA:
    make(faces, Recipe(train=0, val=0, test=6, size=96, seed=8))
entrant = networks["segformer"].cpu().eval()
white = results["segformer"].whitening
info = checkpoint.ModelInfo(
    "segformer", {"num_classes": LABELS.num_classes}, LABELS.key, SIZE, white.mean, white.std
)
shown = open_dataset(faces, "test")[:100]
images = folder / "images"
images.mkdir()
for sample in shown:
    shutil.copy(sample.image_path, images)

# %% tags=["slow"]
logits = {s.name: predict_logits(entrant, s.image, SIZE, white.mean, white.std)[0] for s in shown}
write_flat(folder / "mine.zip", logits)
print("problems of your zip:", len(validate(folder / "mine.zip", images, "flat")))

# %% [markdown]
# Here are five mistakes that were really made, and what `coursekit validate` says about them. The colours are the worst, since nothing looks wrong. The scorer of 2025 opens every mask with `.convert("P")`. That is harmless for modes L and P, but in mode RGB it *matches colours to a standard palette*: skin, class 1, becomes 14, which is hat.


# %% tags=["slow"]
def spoil(target: Path, rename=str, redraw=lambda mask: mask, extra: tuple = ()) -> Path:
    """Your zip again, with a mistake in every name or in every mask."""
    with zipfile.ZipFile(folder / "mine.zip") as good, zipfile.ZipFile(target, "w") as bad:
        for name in good.namelist():
            png = io.BytesIO()
            redraw(Image.open(io.BytesIO(good.read(name)))).save(png, format="PNG")
            bad.writestr(rename(name), png.getvalue())
        for name in extra:
            bad.writestr(name, b"")
    return target


def colour(mask: Image.Image) -> Image.Image:
    return Image.fromarray(LABELS.palette_array()[np.asarray(mask)])


SLIPS = {
    "the folder was zipped": {"rename": lambda name: f"submission/{name}"},
    "macOS's Finder zipped it": {"extra": ("__MACOSX/._0.png", ".DS_Store")},
    "masks in colour": {"redraw": colour},
    "a palette mask, .convert('L')": {"redraw": lambda mask: colour(mask).convert("L")},
    "small masks": {"redraw": lambda mask: mask.resize((256, 256), Image.Resampling.NEAREST)},
}
# %% tags=["slow"]
for slip, changes in SLIPS.items():
    found = validate(spoil(folder / "bad.zip", **changes), images, "flat")
    print(f"{slip:<30} {', '.join(f'{p.severity} [{p.kind}]' for p in found)}")
ids = np.arange(19, dtype=np.uint8)[None]
in_colour = colour(Image.fromarray(ids))
print("\nids:            ", *ids[0])
print('RGB, then "P":  ', *np.asarray(in_colour.convert("P"))[0])
print('RGB, then "L":  ', *np.asarray(in_colour.convert("L"))[0])

# %% [markdown]
# The course's tool does the same as you did, refuses what would not be valid, and writes either format. (On the command line: `coursekit submit --checkpoint … --images … --format flat --out submission.zip`, then `coursekit validate` and `coursekit score`.) In the format of 2025 the masks lie in `masks/`. In the final phase a `solution/` folder comes with them, which holds the weights and a `run.py` that must reproduce the masks.

# %% tags=["slow"]
named = create_model("segformer", LABELS.num_classes)
named.load_state_dict(entrant.state_dict())
checkpoint.save(folder / "segformer.safetensors", named, info)
made = {}
for form in ("flat", "codabench"):
    made[form] = submit(folder / "segformer.safetensors", images, form, folder / f"{form}.zip")
    problems = validate(made[form].path, images, form)
    print(f"{form}: {made[form].parameters:,} parameters, valid: {is_valid(problems)},", end=" ")
    print(f"warnings for its maker: {len(made[form].warnings)}")
with zipfile.ZipFile(folder / "mine.zip") as mine, zipfile.ZipFile(made["flat"].path) as tool:
    pairs = [
        [np.asarray(Image.open(io.BytesIO(z.read(name)))) for z in (mine, tool)]
        for name in mine.namelist()
    ]
    print(
        "your masks are the tool's, in 99 % of the pixels or more:",
        np.mean([a == b for a, b in pairs]) > 0.99,
    )

# %% [markdown]
# The warning is about the rules: the edition of 2025 allows fewer than 1,821,085 parameters, and of the four networks FastSCNN alone stays below. A zip for the development phase holds no model, so it is only a warning; the final phase would refuse. The winner of the report's table could enter as `create_model("segformer", decoder=184)`, which has 1,820,019.
#
# And the score. We are the server now.

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
truth = faces / "test_truth" / "masks"
if truth.is_dir():
    judged = {form: score(made[form].path, truth, form) for form in made}
    for form, result in judged.items():
        print(f"{form:<10}{result.score:>8.3f}   {result.headline}: {VARIANTS[result.headline]}")
    print("\nthe same masks by every reading:")
    for key, entry in judged["flat"].variants.items():
        print(f"  {key:<20}{entry['value']:.3f}")
    for note in judged["flat"].notes:
        print("note:", note)

# %% [markdown]
# Two formats, the very same masks, and two numbers, which cannot be compared with each other. Three things differ in the second: it takes F, which is never below IoU; it takes images one by one, so that a rare class counts only where it occurs; and an invented class gets no score of its own.
#
# Look for a class that the notes name as absent. If no face of a test set has glasses, in truth or prediction, the flat score is a mean of 18 classes. On a small test set this alone can move a score by a point or two: `pooled_miou_19` counts an absent class as 0.
#
# ## What was learnt: the paper says, we measured

# %% tags=["slow"]
# NBVAL_IGNORE_OUTPUT
top, next_to = (100 * mean_iou(counts[name].sum(0)) for name in (best, second))
low, high = 100 * lead(counts[best], counts[second], draws)
both = ", ".join(f"{100 * v:.1f}" for v in two_means(class_iou(counts[best].sum(0)))[::-1])
word = "clear of 0" if low > 0 else "not clear of 0"
Markdown(
    f"| | the report | here, {TIER} tier |\n|---|---|---|\n"
    f"| first, mean IoU | SegFormer 71.38 % | {TITLES[best]} {top:.1f} % |\n"
    f"| second | FastSCNN 70.62 % | {TITLES[second]} {next_to:.1f} % |\n"
    f"| the lead | 0.76 points | {top - next_to:.1f} points |\n"
    f"| its 95 % interval over images | not given | {low:.1f} to {high:.1f}: {word} |\n"
    f"| F of the mean IoU, mean F | 83.34, not given | {both} |\n"
    "| seeds of a network | 1 | 1 |\n"
    f"| data | 5,000 photos, 512² | {len(train):,} {'photos' if DATA else 'rendered faces'}, {SIZE}² |"
)

# %% [markdown]
# **These columns are not a race.** What carries over is the method: compare on the same images, name the score, put an interval on the *difference*, and say what was not measured.
#
# ## What to try next
#
# - **Another seed.** Train the four with seed 1 and draw the intervals again. Does a lead that was clear of 0 stay clear?
# - **What does it cost?** Count multiplications at 64² to 1,024² (`coursekit.complexity.multiply_accumulates`), and hold them beside the report's seconds an epoch. Why can 166 of FastSCNN's 171 seconds not be the network?
# - **The entry that fits.** Train `create_model("segformer", decoder=184)` and hand it in with `coursekit submit --final --format codabench`. What is in `solution/`?
# - **The other score.** Lesson 06 has a loss for F and one for IoU. Does the one made for F win by `per_image_f_truth`?
#
# The course could end here. **[Lesson 09](09_ddgcn.ipynb)** begins its research part: published methods for face parsing. After it you design a network of your own (14), and ask what a recipe can do for it (15).

# %% quiz [markdown]
# ### A report prints mean IoU 71.4 % and F-measure 83.3 %. What does the second column add, if it is the F of the mean IoU?
#
# - [ ] A second opinion: F forgives false pixels more than IoU does
#   For one class F is a fixed, rising function of IoU. It cannot have another opinion.
# - [ ] How the classes differ from each other
#   That would show in a mean of the classes' own F, and even there only indirectly.
# - [x] Nothing: it is computed from the first, cannot change a rank, and looks better beside somebody's mean F
#   The mean F of the same classes is lower, unless all classes score alike. Always ask which of the two is meant.
#
# ### Two networks are scored on the same 100 faces. Their 95 % intervals overlap. Is it a draw?
#
# - [ ] Yes: where intervals overlap, no difference can be shown
#   That is a common rule, and too strict here: both saw the same faces, and their scores rise and fall together.
# - [x] Not necessarily: look at the interval of the *difference*, resampled in pairs
#   A face that is hard for one is mostly hard for the other. In the difference that cancels.
# - [ ] No: the higher score wins, that is what scores are for
#   On other faces of the same kind the order might turn round. The interval of the difference says how likely that is.
#
# ### What does a bootstrap over images *not* cover?
#
# - [x] How different the score would be after another training run
#   The network is fixed; only the images are drawn again. For the seed one has to train again.
# - [ ] How different the score would be with other faces of the same kind
#   That is just what it estimates.
# - [ ] How wide the interval becomes with fewer images
#   It does: draw fewer, and the scores scatter more.
#
# ### Small logits must become masks of 512². In which order?
#
# - [ ] Arg-max first, then nearest neighbours: so no class is invented
#   Right, but borders become stairs of the small grid.
# - [x] Enlarge the logits bilinearly, then arg-max
#   Logits can be interpolated, and the border falls where two of them cross, in between the small pixels.
# - [ ] Arg-max first, then bilinear: so borders are smooth
#   Numbers of classes cannot be interpolated: between skin (1) and right brow (7) lies the left eye (4).

# %% [markdown]
# {{links}}
