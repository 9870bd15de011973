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
# # 1 · The data, before any network
#
# Many of the mistakes that cost a score are made before the first convolution. In this lesson you make them
# once, on purpose, where it costs nothing.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 120 rendered faces, 96² | 1,000 photos of your CelebAMask-HQ, LaPa or Helen |
# | computing | {{computing}} | some minutes: every file is read (estimated) |
# | memory | {{memory}} | about 2 GB (estimated) |
#
# **You will be able to**
# - read a mask file into class ids, and know two ways in which that goes wrong without an error;
# - count classes, and turn the counts into the class weights of the report's Eq. 2;
# - whiten images with the training set's own mean and standard deviation, exactly;
# - transform an image and its label map *together*, mirrored flips included;
# - audit a data set before you believe it.
#
# **Before this** comes lesson 00 (the set-up). NumPy's indexing is all that you need.
#
# {{links}}
#
# {{papers}}

# %%
import tempfile
from functools import partial
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from coursekit import labels, plots, synthfaces, tier
from coursekit.checks import Check
from coursekit.data import SynthDataset, open_dataset

# %%
TIER, DATA, SIZES = tier.choose(
    faces=(120, 1000),
    size=(96, 512),
)

if DATA:
    train = open_dataset(DATA, "train")[: SIZES["faces"]]
else:
    train = SynthDataset(seed=0, length=SIZES["faces"], size=SIZES["size"])
LABELS = labels.CELEBAMASK_HQ
print(f"{len(train)} training samples, {LABELS.num_classes} classes")

# %% [markdown]
# ## The idea: a label map is a picture of numbers
#
# In **face parsing** every pixel of a photograph gets a class. The answer to a photo of H × W pixels is a **label map**: H × W whole
# numbers, each the id of a class. In this course there are 19, in the order of CelebAMask-HQ: 0 is
# background, 1 skin, …, 18 cloth.
#
# Where do the pictures come from? Real faces have licences and belong to people; the quick tier draws its own. `synthfaces.render`
# makes a face from two numbers, a seed and an index, with its label map and 106 landmarks.

# %%
face = synthfaces.render(seed=0, index=4, size=128)
print("image    ", face.image.shape, face.image.dtype)
print("label map", face.label_map.shape, face.label_map.dtype)
print("classes in it:", ", ".join(LABELS.titles[i] for i in np.unique(face.label_map)))
rows = []
for index in range(4, 8):
    drawn = synthfaces.render(seed=0, index=index, size=128)
    rows.append({"image": drawn.image, "label map": drawn.label_map})
plots.panels(rows, across=2)

# %%
plots.legend()

# %% [markdown]
# Colours are for our eyes. The network never sees them, only the ids.
#
# **Left and right are the subject's**, not the viewer's: the left eye (`l_eye`, id 4) lies on the *right* of the picture, as in a passport photo.
# Public data sets do not agree on it (LaPa's tables name the image's sides), and no error message will tell you.
#
# Play with it. Look at the label map while you turn up `label_noise`: that is how an annotator in a hurry works. Turn up `crowd`: whoever
# stands beside the subject is background. (The sliders need a running notebook; in a printed one they stand still.)

# %%
# NBVAL_IGNORE_OUTPUT
from coursekit.widgets import face_explorer

face_explorer()

# %% [markdown]
# ## Exercise 1: read a mask file
#
# Masks lie on disk as PNG files, and PNG has several ways to store a picture:
#
# | mode | a pixel is | in this course |
# |---|---|---|
# | `L` | one grey value: the class id | what you submit |
# | `P` | one index into a palette of colours: the class id | what the data come as |
# | `RGB` | three colour values; **no id anywhere** | a mistake |
#
# The trap is called `convert`. It translates *colours*, and ids are not colours. Look what happens to the single id 1 (skin):


# %%
def save_mask(path: Path, label_map: np.ndarray, mode: str) -> None:
    """Write a label map as a PNG of mode L, P or RGB."""
    picture = Image.fromarray(label_map)
    if mode != "L":
        picture.putpalette(LABELS.palette_array().ravel().tolist())  # mode P
    (picture.convert("RGB") if mode == "RGB" else picture).save(path)


folder = Path(tempfile.mkdtemp())
skin = np.full((4, 4), 1, dtype=np.uint8)
save_mask(folder / "p.png", skin, "P")
save_mask(folder / "rgb.png", skin, "RGB")
with Image.open(folder / "p.png") as mask:
    print("stored 1 in mode P, after convert('L'):  ", np.array(mask.convert("L"))[0, 0])
with Image.open(folder / "rgb.png") as mask:
    print("stored 1 in mode RGB, after convert('P'):", np.array(mask.convert("P"))[0, 0])

# %% [markdown]
# 61 is the brightness of skin's red; at least no class has that id. 14 is worse: it is *hat*. The competition's own scorer reads masks with
# `.convert("P")`, so colour masks are accepted there, and every face is scored as a hat. It has happened.
#
# Write a reader that takes modes `L` and `P` as they are, and refuses everything else with a `ValueError`.
#
# <details><summary>Hint 1</summary>
#
# `np.array(picture)` of a mode-P picture gives the indices, with no conversion at all.
# </details>
# <details><summary>Hint 2</summary>
#
# `picture.mode` is a string. Test it *before* you make an array: `if picture.mode not in ("L", "P"): raise ValueError(…)`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.data import read_mask` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (file of mode L) | (file of mode P) | (any other)
    read_mask | ValueError
    (ids: H × W, uint8) |
    """,
    "file of mode L > read_mask > ids, file of mode P > read_mask, any other > ValueError",
)


# %% read-mask minutes=10 difficulty="easy"
def read_mask(path: Path) -> np.ndarray:
    """The (H, W) uint8 class ids of a mask file.

    Raises: ValueError when the file is of another mode than L or P.
    """
    ### BEGIN SOLUTION
    with Image.open(path) as picture:
        if picture.mode not in ("L", "P"):
            raise ValueError(f"{path}: is of mode {picture.mode}; save class ids in mode L or P")
        return np.array(picture)
    ### END SOLUTION


# %% check-read-mask points=1
from coursekit.checks.mistakes.data import CRASHES, misread, unrefused

check = Check("read-mask")
for listed in CRASHES["read-mask"]:
    check.crashes(*listed)
written = np.array([*range(19), 255], dtype=np.uint8).repeat(2).reshape(2, 20)
files, palette = Path(tempfile.mkdtemp()), np.resize(LABELS.palette_array(), (256, 3))
for name, colours in (("L", palette[:0]), ("P", palette), ("another P", palette[::-1])):
    path, mask = files / f"{name}.png", Image.fromarray(written)
    if len(colours):
        mask.putpalette(colours.ravel().tolist())
    mask.save(path)
    got = check.call(read_mask, path)
    check.kind(got, np.ndarray)
    check.that(got.dtype == np.uint8, f"the ids are {got.dtype}, expected: uint8, which `np.array` of a picture has")  # fmt: skip
    if len(colours):
        check.slips(got, written, misread, path, written, colours)
    check.that(np.shape(got) != (20, 2), "height and width have changed places: an array is (H, W), `picture.size` (W, H)")  # fmt: skip
    check.shape(got, (2, 20), "a label map has two dimensions: one id a pixel, no colours")
    check.equal(got, written, f"the ids of {name}.png do not come back as they were written")
check = Check("read-mask")
for listed in CRASHES["refused"]:
    check.crashes(*listed)
for mode in ("RGB", "RGBA", "LA", "1", "I;16"):
    Image.fromarray(written).convert(mode).save(files / "refused.png")
    words = check.call(unrefused, read_mask, files / "refused.png", mode)
    check.that(not words, words)
check.passed("indices and grey values are read, all else is refused")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-read-mask")
hidden_ids = probe.given(
    "ids", lambda rng: rng.choice(np.array([*range(19), 255], np.uint8), (23, 31))
)
colours = probe.given("colours", lambda rng: rng.integers(0, 256, (256, 3), dtype=np.uint8))
hidden_folder = Path(tempfile.mkdtemp())
for mode, about in (("L", "a mask of mode L"), ("P", "a mask of mode P with other colours")):
    mask = Image.fromarray(hidden_ids)
    if mode == "P":
        mask.putpalette(colours.ravel().tolist())
    mask.save(hidden_folder / f"{mode}.png")
    hidden_read = probe.call(read_mask, hidden_folder / f"{mode}.png")
    probe.emit(mode, hidden_read, about, dtype=True, kind=True)
refusals = []
for mode in ("RGB", "RGBA", "LA", "1", "I;16"):
    Image.fromarray(hidden_ids).convert(mode).save(hidden_folder / "refused.png")
    try:
        read_mask(hidden_folder / "refused.png")
        refusals.append(False)
    except ValueError:
        refusals.append(True)
probe.emit("refusals", refusals, "all other modes are refused with a ValueError")
### END HIDDEN TESTS

# %% [markdown]
# ## The long tail
#
# How many pixels has each class? Here are the true counts of the course's 5,000 training masks of 512² (they sum to
# 1,310,720,000 = 5,000 · 512², as they must). This is the report's Fig. 3, drawn again.

# %%
COUNTS = np.array([
    375099645, 333172471, 27015905, 3467864, 2937773, 2928618, 5572580, 5433404, 6164110, 5049695,
    3896683, 5417555, 8898431, 411175974, 12651045, 3102372, 196952, 54031542, 44507381,
])  # fmt: skip
order = np.argsort(-COUNTS)  # the classes, largest first
print("all pixels counted:", COUNTS.sum() == 5000 * 512 * 512)
print(f"hair, skin and background: {COUNTS[[0, 1, 13]].sum() / COUNTS.sum():.0%} of the pixels")
print(f"hair has {COUNTS[13] / COUNTS[16]:,.0f} times the pixels of the necklace")
plots.long_tail(COUNTS)

# %% [markdown]
# The scale is logarithmic: each line is ten times the one below. Three classes are 85 % of all pixels. A network that calls
# everything hair, skin or background is right on most pixels, and useless.
#
# ## Exercise 2: count them yourself
#
# `np.bincount` counts how often each whole number occurs in a flat array. Two things to mind: a mask without the last
# class gives a *shorter* answer unless you say how long it must be, and the value **255** means "nothing is known
# here" and belongs to no class.
#
# <details><summary>Hint 1</summary>
#
# `label_map[label_map != 255]` is flat already, and holds the known pixels only.
# </details>
# <details><summary>Hint 2</summary>
#
# `np.bincount(known, minlength=num_classes)` always has at least `num_classes` entries. Add them up over the maps.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.data import count_classes` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% count-classes minutes=10 difficulty="easy"
def count_classes(label_maps: list[np.ndarray], num_classes: int = 19) -> np.ndarray:
    """Pixels of each class over all maps: (num_classes,) whole numbers; 255 counts nowhere."""
    ### BEGIN SOLUTION
    counts = np.zeros(num_classes, dtype=np.int64)
    for label_map in label_maps:
        known = label_map[label_map != 255]
        counts += np.bincount(known, minlength=num_classes)
    return counts
    ### END SOLUTION


# %% check-count-classes points=1
from coursekit.checks.mistakes.data import CRASHES, counted_otherwise, sized_otherwise
from coursekit.checks.mistakes.data_apart import counted_apart

check = Check("count-classes")
for listed in CRASHES["count-classes"]:
    check.crashes(*listed)
first = np.array([[0, 0, 1, 255], [10, 255, 0, 10]], dtype=np.uint8)
second = np.zeros((300, 250), dtype=np.uint8)
second[-1, -1] = 255
for arguments in ((), (11,)):
    got = check.call(count_classes, [first, second], *arguments)
    check.kind(got, np.ndarray)
    expected = np.zeros(arguments or (19,), dtype=int)
    expected[[0, 1, 10]] = 75_002, 1, 2
    wrong = sized_otherwise(len(expected)).get(got.size, "expected: one count for each class")
    check.shape(got, expected.shape, wrong)
    apart = partial(counted_apart, count_classes, len(expected))
    check.slips(got, expected, counted_otherwise, expected, [first, second], where=apart)
    check.equal(got, expected, "expected: the pixels of each class, over all maps")
    check.kind(got, np.ndarray, dtype=np.integer)
got = check.call(count_classes, [np.arange(19, dtype=np.uint8)[None]])
check.catches(np.arange(19) < 18, got, "the last class, 18, is left out: only 255 counts nowhere")
check.equal(got, np.ones(19), "where each of 19 classes has one pixel, each count is 1")
check.passed("pixels counted, unknown ones left out")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-count-classes")


def hidden_maps(rng: np.random.Generator, highest: int, unknown: float) -> list[np.ndarray]:
    """Label maps of four sizes, some of their pixels unknown; one has many pixels."""
    shapes = ((5, 7), (160, 30), (9, 9))
    maps = [rng.integers(0, highest, shape) for shape in shapes]
    maps = [np.where(rng.random(m.shape) < unknown, 255, m).astype(np.uint8) for m in maps]
    return [*maps, np.zeros((300, 300), dtype=np.uint8)]


for name, arguments, about in (
    ("all", (19, 0.2), "other maps, of several sizes"),
    ("few", (4, 0.5), "maps without the last classes"),
):
    maps = probe.given(name, lambda rng, arguments=arguments: hidden_maps(rng, *arguments))
    probe.emit(name, probe.call(count_classes, maps), about, kind=True)
maps = probe.given("eleven", lambda rng: hidden_maps(rng, 11, 0.1))
counted = probe.call(count_classes, maps, 11)
probe.emit("eleven", counted, "maps of a data set with 11 classes", kind=True)
### END HIDDEN TESTS

# %% [markdown]
# Count the masks **as they are**, before any augmentation. The report counted through its augmented loader: each mask was
# enlarged by up to a tenth and cropped. What is cropped away lies at the edge, so the edge's classes shrink. See how much:

# %%
# NBVAL_IGNORE_OUTPUT
from coursekit.data import Augmentation, class_counts

zoom = Augmentation(brightness=0, contrast=0, saturation=0, hue=0, blur_probability=0, noise=0)
rng = np.random.default_rng(0)
seen = [zoom(s.image, s.label_map, None, rng, train.labels)[1] for s in train[:120]]
true, cropped = class_counts(train[:120]), count_classes(seen, train.labels.num_classes)
ratio = (cropped / cropped.sum()) / (true / true.sum())
for name in ("background", "neck", "skin", "nose"):
    class_id = train.labels.index(name) if name in train.labels.names else 0
    print(f"{name:<11} seems to have {ratio[class_id] - 1:+.0%} of its pixels")

# %% [markdown]
# ## Exercise 3: class weights
#
# Trained on raw pixels, a network hears of hair two thousand times as often as of the necklace. The report weights the loss of each
# pixel by its class (its Eq. 2): with $f_c$ the number of pixels of class $c$ and $\epsilon = 10^{-6}$,
#
# $$ w_c = \frac{1}{\log(f_c + \epsilon)} \cdot \frac{1}{\sum_{i=1}^{C} \frac{1}{\log(f_i + \epsilon)}} $$
#
# The second factor only makes the weights sum to 1. The logarithm makes them mild: $\log$ of a number two thousand
# times as large is larger by $7.6$, whatever the number.
#
# Three traps:
#
# - **Shares.** The text calls $f_c$ a frequency. Put in a share between 0 and 1 and every logarithm is negative; after dividing by
#   their sum the weights look fine, positive, sum 1, and their **order is turned round**: the rarest class weighs least.
# - **Absent classes.** $\log(0 + 10^{-6}) = -13.8$: a negative weight, which would *reward* mistakes. A class with no pixels gets
#   weight 0 and stays out of the sum.
# - **The direct inverse** $1/f_c$. You will see below why the report avoids it.
#
# <details><summary>Hint 1</summary>
#
# `present = counts > 0` is a mask that you can index with: `weights[present] = …`.
# </details>
# <details><summary>Hint 2</summary>
#
# Begin with zeros, fill in `1 / np.log(counts[present] + epsilon)`, divide all by the sum.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.data import class_weights` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram("(counts: C)\n1 / log: C, of the classes that occur\ndivide by the sum\n(weights: C)")


# %% class-weights minutes=10 difficulty="medium"
def class_weights(counts: np.ndarray, epsilon: float = 1e-6) -> np.ndarray:
    """Eq. 2 from pixel counts: (C,) weights with sum 1; 0 for a class without pixels."""
    ### BEGIN SOLUTION
    weights = np.zeros(len(counts))
    present = counts > 0
    weights[present] = 1 / np.log(counts[present] + epsilon)
    return weights / weights.sum()
    ### END SOLUTION


# %% check-class-weights points=2
from coursekit.checks.mistakes.data import CRASHES, epsilon_otherwise, weighted_otherwise
from coursekit.checks.mistakes.data_apart import weighted_apart

check = Check("class-weights")
for listed in CRASHES["class-weights"]:
    check.crashes(*listed)
got = check.call(class_weights, COUNTS)
check.kind(got, np.ndarray)
check.that(got == got, "not a number: `zeros_like` of counts holds whole numbers; use np.zeros")
inverse_log = 1 / np.log(COUNTS + 1e-6)
expected = inverse_log / inverse_log.sum()
apart = partial(weighted_apart, class_weights)
check.slips(got, expected, weighted_otherwise, COUNTS, where=apart)
check.close(got.sum(), 1, "the weights do not sum to 1: divide by their sum")
check.close(got, expected, "expected: the weights of Eq. 2", atol=1e-7)
absent = check.call(class_weights, np.array([1000, 0, 50]))
check.shape(absent, (3,), "a weight for each class, for absent ones, too: begin with zeros")
check.that(np.isfinite(absent) & (absent >= 0), "an absent class has a negative or infinite weight")
check.equal(absent[1], 0, "a class without pixels should weigh nothing")
raw = 1 / np.log([1000, 1e-6, 50])
check.catches(raw * [1, 0, 1] / raw.sum(), absent, "an absent class is in the sum: make it 0 first")
check.close(absent.sum(), 1, "with an absent class the weights should still sum to 1")
got = check.call(class_weights, few := np.array([1, 9]), epsilon=0.5)
right = [1 / np.log(few + 0.5), 1 / np.log(few + 1e-6)]
expected = right[0] / right[0].sum()
check.slips(got, expected, epsilon_otherwise, few, 0.5)
check.close(got, expected, "expected: the weights of Eq. 2 with epsilon = 0.5")
got = check.call(class_weights, few)
check.close(got, right[1] / right[1].sum(), "where none is given, epsilon is 1e-6", atol=1e-7)
check.passed("rare classes weigh more, absent ones nothing")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-class-weights")
some = probe.given("counts", lambda rng: rng.integers(10, 10 ** rng.integers(2, 9, 19)))
probe.emit("weights", probe.call(class_weights, some), "other counts", close=1e-6, kind=True)
few = probe.given("few", lambda rng: rng.integers(2, 10_000, 11) * (np.arange(11) % 4 > 0))
absent = probe.call(class_weights, few)
probe.emit("absent", absent, "counts of 11 classes, some absent", close=1e-6)
probe.emit("nothing", np.asarray(absent) == 0, "which of 11 classes weigh nothing")
few[3] = 1
probe.emit("epsilon", probe.call(class_weights, few, 0.5), "another epsilon", close=1e-6)
### END HIDDEN TESTS

# %% [markdown]
# Now look at what you made. The bars are the weights of three formulas on the true counts, each class's weight divided by that of hair.

# %%
weights = class_weights(COUNTS)
print(f"Eq. 2: from {weights.min():.4f} (hair) to {weights.max():.4f} (necklace)")
print(f"the necklace weighs {weights.max() / weights.min():.2f} times as much as hair")
print(f"the direct inverse would be {COUNTS.max() / COUNTS.min():,.0f} times as much")

figure, axes = plt.subplots(figsize=(7.5, 3.0), layout="constrained")
for values, name, colour in (
    (1 / COUNTS, "1 / f", plots.RED),
    (COUNTS**-0.5, "1 / √f", plots.GREY),
    (weights, "Eq. 2: 1 / log f", plots.BLUE),
):
    axes.plot(range(19), (values / values[13])[order], "o-", ms=3, color=colour, label=name)
axes.set_xticks(range(19), [LABELS.titles[i] for i in order], rotation=50, ha="right")
axes.set(yscale="log", ylabel="weight, hair = 1")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# The blue line is nearly flat. That is a finding worth keeping: **the weighting of Eq. 2 is mild.** A class that is 2,088 times as rare
# weighs 1.63 times as much. It steadies training rather than cures the long tail: the report itself finds less than 6 % IoU on the necklace, weights or not.
# The red line is the other extreme: two thirds of the whole weight would lie on the necklace alone, in a few pixels of few images, and
# each of those images would throw the network about.
#
# (Does it matter which logarithm? No: a change of base multiplies all of them by the same number, and the sum takes it out again.)
#
# ## Exercise 4: whitening
#
# Networks learn faster from numbers around 0 than from 0…255: <dfn>whitening</dfn> takes each channel's mean away and divides by its standard deviation. For each colour channel, with the mean $\mu$ and the standard
# deviation $\sigma$ over **all pixels of the training set**, in units of [0, 1]:
#
# $$ x' = \frac{x - \mu}{\sigma}, \qquad \mu = \frac{1}{N}\sum_{n=1}^{N} x_n, \qquad \sigma^2 = \frac{1}{N}\sum_{n=1}^{N} x_n^2 - \mu^2 $$
#
# Two temptations. *Borrow ImageNet's numbers*: your images are not ImageNet's. *Average the images' own
# deviations*: then a set of one black and one white image has deviation 0, since neither varies in itself. The mean of means is also wrong
# as soon as images differ in size.
#
# There is an exact way that needs no memory: a pixel has one of 256 values, so count how often each occurs, for each channel, over the whole set. All sums
# follow from the three histograms.
#
# <details><summary>Hint 1</summary>
#
# `histogram[c] += np.bincount(image[..., c].ravel(), minlength=256)` for each image and channel.
# </details>
# <details><summary>Hint 2</summary>
#
# With `values = np.arange(256) / 255`, the sum of all pixels of each channel is `histogram @ values`, and the sum of their squares `histogram @ values**2`.
# </details>
# <details><summary>Hint 3</summary>
#
# `total = histogram.sum(axis=1)`; `mean = histogram @ values / total`; the variance is `histogram @ values**2 / total - mean**2`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.data import whitening` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (images: each H × W × 3)
    histogram: 3 × 256, over all images
    μ: 3 | σ: 3
    """
)


# %% whitening minutes=15 difficulty="medium"
def whitening(images: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over all pixels of (H, W, 3) uint8 images.

    Returns: two (3,) arrays in [0, 1] units.
    """
    ### BEGIN SOLUTION
    histogram = np.zeros((3, 256))
    for image in images:
        for c in range(3):
            histogram[c] += np.bincount(image[..., c].ravel(), minlength=256)
    values = np.arange(256) / 255
    total = histogram.sum(axis=1)
    mean = histogram @ values / total
    return mean, np.sqrt(histogram @ values**2 / total - mean**2)
    ### END SOLUTION


# %% check-whitening points=1
from coursekit.checks.mistakes.data import CRASHES
from coursekit.checks.mistakes.data_apart import whitened_apart
from coursekit.checks.mistakes.whitening import whitened_otherwise

check = Check("whitening")
for listed in CRASHES["whitening"]:
    check.crashes(*listed)
rng = np.random.default_rng(1)
dark = rng.integers(0, 60, (8, 8, 3), dtype=np.uint8)
light = rng.integers(150, 256, (16, 24, 3), dtype=np.uint8)
light[..., 2] //= 2
flat = np.concatenate([dark.reshape(-1, 3), light.reshape(-1, 3)])
pixels, each = flat / 255, [dark / 255, light / 255]
got = check.unpack(check.call(whitening, [dark, light]), "the mean", "the deviation")
for value, what in zip(got, ("the mean", "the standard deviation"), strict=True):
    check.that(np.shape(value) == (3,), f"{what}: one number for each channel, over all pixels")
    check.kind(value, np.ndarray, what=what)
mean, std = got
apart = partial(whitened_apart, whitening, 0)
check.slips(mean, pixels.mean(0), whitened_otherwise, each, where=apart)
check.close(mean, pixels.mean(0), "expected: the mean over all pixels")
check.passed("the mean is exact, over all pixels, channel by channel")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-whitening")
photos = probe.given(
    "photos",
    lambda rng: [
        rng.integers(low, low + rng.integers(20, 100, 3), (*shape, 3)).astype(np.uint8)
        for low, shape in ((0, (5, 7)), (90, (16, 9)), (150, (4, 30)))
    ],
)
given = probe.call(whitening, photos)
probe.emit("mean", given[0], "other images, of several sizes: the mean", kind=True)
probe.emit("two", isinstance(given, (tuple, list)), "a tuple: the mean, the deviation")
### END HIDDEN TESTS

# %% check-whitening-2 points=1
from coursekit.checks.mistakes.data_apart import whitened_apart
from coursekit.checks.mistakes.whitening import deviated_otherwise

check = Check("whitening")
got = check.unpack(check.call(whitening, [dark, light]), "the mean", "the deviation")[1]
apart = partial(whitened_apart, whitening, 1)
check.slips(got, pixels.std(0), deviated_otherwise, each, where=apart)
check.close(got, pixels.std(0), "expected: the standard deviation over all pixels")
check.passed("the deviation is exact, too")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-whitening-2")
photos = probe.given(
    "photos",
    lambda rng: [
        rng.integers(low, low + rng.integers(20, 100, 3), (*shape, 3)).astype(np.uint8)
        for low, shape in ((0, (5, 7)), (90, (16, 9)), (150, (4, 30)))
    ],
)
given = probe.call(whitening, photos)
probe.emit("deviation", given[1], "other images, of several sizes: the deviation", kind=True)
### END HIDDEN TESTS

# %%
images = [train.image(i) for i in range(len(train))]
mean, std = whitening(images)
white = ((image / 255 - mean) / std for image in images)
sums = np.mean([(w.mean((0, 1)), (w**2).mean((0, 1))) for w in white], axis=0)
naive = np.mean([(im / 255).std((0, 1)) for im in images], axis=0)
print("whitened, each channel's mean is 0:", np.allclose(sums[0], 0, atol=0.05))
print("and its deviation 1:               ", np.allclose(sums[1], 1, atol=0.05))
print("the mean of the images' deviations is too small:", bool((naive < std).all()))

# %% [markdown]
# ## Exercise 5: augment the pair
#
# <dfn title="augmentation">Augmentation</dfn> makes new samples of old ones: a little larger, a little brighter. Whatever *moves* pixels must move the
# image and its label map in the same way. But there are two differences.
#
# **Interpolation.** Enlarging an image, a new pixel between two old ones gets their average (<dfn title="bilinear interpolation">bilinear</dfn>). For ids that is nonsense: halfway
# between skin (1) and hair (13) lies 7, the right eyebrow. A label map takes the id of the *nearest* pixel.

# %%
small = synthfaces.render(seed=0, index=4, size=64).label_map
smooth = cv2.resize(small, (128, 128), interpolation=cv2.INTER_LINEAR)
nearest = cv2.resize(small, (128, 128), interpolation=cv2.INTER_NEAREST)
new = sorted(set(np.unique(smooth)) - set(np.unique(small)))
print("classes that bilinear interpolation invented:", ", ".join(LABELS.titles[i] for i in new))
wrong = np.where(smooth == nearest, 0, smooth)
plots.panels([{"nearest": nearest, "bilinear": smooth, "what differs": wrong}])

# %% [markdown]
# Every outline of the middle face is drawn in classes that have no business there: around the hair, for example, glasses and inner
# mouth, because 3 and 10 lie between background (0) and hair (13).
#
# **Mirroring.** In a mirrored photo of a face, what was the left eye lies where right eyes lie; it *is* a right eye now. So turning
# the label map is not enough: the ids of the pairs must change places too. The report avoids the question and never flips; done rightly, a flip is sound and doubles the data.
#
# Write both. Image: bilinear. Label map: nearest. If `mirrored`, turn both left to right and swap the ids of the pairs.
#
# <details><summary>Hint 1</summary>
#
# `cv2.resize(picture, (size, size), interpolation=cv2.INTER_LINEAR)`, and `cv2.INTER_NEAREST` for ids. `picture[:, ::-1]` turns left to right.
# </details>
# <details><summary>Hint 2</summary>
#
# Swap with a look-up table: `table = np.arange(256, dtype=np.uint8)`, set `table[a], table[b] = b, a` for each pair, then
# `label_map = table[label_map]`.
# </details>
# <details><summary>Hint 3</summary>
#
# If you write `label_map[label_map == a] = b` and then `label_map[label_map == b] = a`, the second line takes back the first: after the
# first, *all* of them are `b`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.data import resize_and_mirror` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>

# %%
PAIRS = ((4, 5), (6, 7), (8, 9))  # left and right: eye, brow, ear


# %% tags=["folded"]
plots.diagram(
    """
    (image: H × W × 3) | (label map: H × W)
    bilinear: size × size × 3 | nearest: size × size
    turn: if mirrored | turn and swap: if mirrored
    """
)


# %% resize-and-mirror minutes=20 difficulty="medium"
def resize_and_mirror(
    image: np.ndarray, label_map: np.ndarray, size: int, mirrored: bool
) -> tuple[np.ndarray, np.ndarray]:
    """An (H, W, 3) image and its (H, W) label map at size × size; mirrored, if wanted.

    All of them are uint8; an id may be 255, where nothing is known.
    """
    ### BEGIN SOLUTION
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    label_map = cv2.resize(label_map, (size, size), interpolation=cv2.INTER_NEAREST)
    if mirrored:
        table = np.arange(256, dtype=np.uint8)
        for a, b in PAIRS:
            table[a], table[b] = b, a
        image, label_map = image[:, ::-1], table[label_map[:, ::-1]]
    return image, label_map
    ### END SOLUTION


# %% check-resize-and-mirror points=1
from coursekit.checks.mistakes.data import CRASHES
from coursekit.checks.mistakes.data_apart import misresized

check = Check("resize-and-mirror")
for listed in CRASHES["resize-and-mirror"]:
    check.crashes(*listed)
face = synthfaces.render(seed=0, index=4, size=96)
photo, label_map = face.image[16:80], face.label_map[16:80]  # three rows for one, two columns
got = check.call(resize_and_mirror, photo, label_map, 192, False)
image, ids = check.unpack(got, "the image", "the label map")
check.that(np.ndim(image) == 3 or np.ndim(ids) == 2, "give the image first, then the label map")
check.kind(image, np.ndarray, dtype=np.uint8, what="the image")
check.catches(photo.shape, np.shape(image), "`mirrored` is False, and the size stays: resize always")  # fmt: skip
check.shape(image, (192, 192, 3), "the image should be size × size")
check.shape(ids, (192, 192), "the label map should be size × size")
larger, other_side = label_map.repeat(3, 0).repeat(2, 1), LABELS.mirror_table()
check.kind(ids, np.ndarray, dtype=np.uint8, what="the label map")
nearest = "ids take the nearest, `interpolation=cv2.INTER_NEAREST`, written out"
for resized in (ids, check.call(resize_and_mirror, photo, label_map, 100, False)[1]):
    invented = sorted({*resized.ravel().tolist()} - {*larger.ravel().tolist()})
    check.that(not invented, f"classes {invented} were not there: {nearest}")
check.that(not (words := misresized(label_map, ids, other_side)), words)
check.equal(ids, larger, "expected: each pixel takes the id of the nearest")
edge = np.tile(np.repeat(np.uint8([50, 200]), 48)[:, None], (64, 1, 3))
levels = check.call(resize_and_mirror, edge, label_map, 192, False)[0]
check.that(len(np.unique(levels)) > 2, "the image has hard steps: interpolate it bilinearly")
check.that(levels.min() >= 50 and levels.max() <= 200, "new pixels are darker or lighter than all old ones: bilinear, not cubic or Lanczos")  # fmt: skip
smooth = cv2.resize(photo, (192, 192), interpolation=cv2.INTER_LINEAR) / 255
check.close(image / 255, smooth, "expected: the image, bilinearly", atol=0.01)
check.passed("larger, bilinear and nearest")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-resize-and-mirror")
hidden_shapes = {
    "square": (24, 24),
    "wide": (20, 30),
}  # enlarged by whole numbers: nearest is nearest
for name, hidden_shape in hidden_shapes.items():
    hidden_photo = probe.given(
        f"{name}-photo",
        lambda rng, hidden_shape=hidden_shape: rng.integers(
            0, 256, (*hidden_shape, 3), dtype=np.uint8
        ),
    )
    hidden_ids = probe.given(
        f"{name}-ids",
        lambda rng, hidden_shape=hidden_shape: rng.choice(
            np.array([*range(19), 255], np.uint8), hidden_shape
        ),
    )
    hidden_larger, hidden_named = probe.call(
        resize_and_mirror, hidden_photo, hidden_ids, 2 * hidden_shape[1], False
    )
    probe.emit(f"{name}-image", np.asarray(hidden_larger) / 255, "another image", close=0.01)
    probe.emit(f"{name}-ids", hidden_named, "another label map", dtype=True, kind=True)
    probe.emit(f"{name}-type", str(np.asarray(hidden_larger).dtype), "the image's type")
hidden_odd = probe.call(resize_and_mirror, hidden_photo, hidden_ids % 2 * 18, 47, False)[1]
probe.emit("odd", np.unique(hidden_odd), "the ids in a label map enlarged by no whole number")
### END HIDDEN TESTS

# %% check-resize-and-mirror-2 points=1
from coursekit.checks.mistakes.data import CRASHES
from coursekit.checks.mistakes.data_apart import misnamed, misturned

check = Check("resize-and-mirror")
for listed in CRASHES["resize-and-mirror"]:
    check.crashes(*listed)
mirrored = check.call(resize_and_mirror, photo, label_map, 192, True)
names = "the image", "the label map"
turned, flipped = check.unpack(mirrored, *names)
check.that(not (words := misturned(image, turned)), words)
check.catches((3, 192, 192), np.shape(turned), "`.T` exchanges all axes: turn with `[:, ::-1]`")
check.catches((192, 3), np.shape(turned), "`[:, -1]` is one column alone: `[:, ::-1]` turns all")
check.that(getattr(flipped, "dtype", 0) != np.int64, "mirroring makes the ids int64: a table of `dtype=np.uint8` keeps their type")  # fmt: skip
for array, shape, what in zip((turned, flipped), ((192, 192, 3), (192, 192)), names, strict=True):
    check.kind(array, np.ndarray, dtype=np.uint8, what=f"{what}, mirrored,")
    check.shape(array, shape, f"{what}, mirrored, should be size × size")
check.close(turned / 255, image[:, ::-1] / 255, "expected: the image, mirrored", atol=0.01)
check.that(not (words := misnamed(ids, flipped, other_side)), words)
right = other_side[ids[:, ::-1]]
check.equal(flipped, right, "expected: the label map, mirrored, each pair swapped")
dark = face.image % 19
for turn in (False, True):
    got = check.call(resize_and_mirror, dark, face.label_map, 96, turn)[0]
    check.catches(
        other_side[got], dark[:, ::-1], "the table is for ids: do not look colours up in it"
    )
    check.equal(got, dark[:, ::-1] if turn else dark, "at its own size an image keeps its colours")
for turn in (False, True):
    unknown = check.call(resize_and_mirror, face.image, np.full_like(face.label_map, 255), 96, turn)
    check.equal(unknown[1], np.full((96, 96), 255), "255, nothing is known here, should stay 255")
check.passed("image and label map stay together, and left stays the subject's left")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-resize-and-mirror-2")
shapes = {"square": (24, 24), "wide": (20, 30)}  # enlarged by whole numbers: nearest is nearest
for name, shape in shapes.items():
    photo = probe.given(
        f"{name}-photo",
        lambda rng, shape=shape: rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
    )
    ids = probe.given(
        f"{name}-ids",
        lambda rng, shape=shape: rng.choice(np.array([*range(19), 255], np.uint8), shape),
    )
    larger, named = probe.call(resize_and_mirror, photo, ids, 2 * shape[1], True)
    about = "another image, mirrored"
    probe.emit(f"{name}-image", np.asarray(larger) / 255, about, close=0.01)
    probe.emit(f"{name}-ids", named, "another label map, mirrored", dtype=True, kind=True)
    probe.emit(f"{name}-type", str(np.asarray(larger).dtype), "the mirrored image's type")
dark = probe.given("dark", lambda rng: rng.integers(0, 19, (24, 24, 3), dtype=np.uint8))
same = probe.call(resize_and_mirror, dark, np.zeros((24, 24), np.uint8), 24, True)[0]
probe.emit("dark", same, "a dark image at its own size, mirrored")
### END HIDDEN TESTS

# %% [markdown]
# Everything together is `coursekit.data.Augmentation`, the report's recipe: scale and crop, colours, blur, noise. It takes landmarks too, which
# this lesson does not need (`None`). Here is one face as it is, and augmented five times.

# %%
from coursekit.data import Whitening

sample, rng = train[5], np.random.default_rng(0)
keep = Whitening(mean=(0, 0, 0), std=(1, 1, 1))
rows = [{"image": sample.image, "label map": sample.label_map}]
for _ in range(5):
    planes, label_map, _ = Augmentation()(sample.image, sample.label_map, None, rng, train.labels)
    rows.append({"image": keep.undo(planes), "label map": label_map})
plots.panels(rows, train.labels, across=3)

# %% [markdown]
# ## Exercise 6: the audit
#
# Real data have defects. In the course's own masks, people found one that is all one value, eleven left/right pairs that
# are swapped, one without background, 44 faces without eyes that no glasses explain, and near-duplicate photos whose masks agree on only 93.6 to 97.5 % of
# their pixels (which also tells you how well *anybody* can score). Training does not complain about any of it.
#
# We make a small data set and spoil it. Which files are spoilt is drawn by lot.

# %%
import shutil

from coursekit.data import Finding, Recipe, Report, audit, make

faces = folder / "faces"
make(faces, Recipe(train=16, val=6, test=0, size=128, seed=3), force=True)
victims = np.random.default_rng(7).permutation(16)


def spoil(index: int, change) -> None:
    """Rewrite one training mask with its ids changed."""
    path = faces / "train" / "masks" / f"{index}.png"
    save_mask(path, change(read_mask(path)), "P")


swap = np.arange(256, dtype=np.uint8)
swap[[4, 5]] = 5, 4
spoil(victims[0], np.zeros_like)
spoil(victims[1], lambda ids: swap[ids])
spoil(victims[2], lambda ids: np.where(ids == 0, 13, ids).astype(np.uint8))
spoil(victims[3], lambda ids: np.where(np.isin(ids, (3, 4, 5)), 1, ids).astype(np.uint8))

# %%
path = faces / "train" / "masks" / f"{victims[4]}.png"
save_mask(path, read_mask(path), "RGB")
for kind, suffix in (("images", "jpg"), ("masks", "png")):  # a photo on both sides of the split
    source = faces / "train" / kind / f"{victims[5]}.{suffix}"
    shutil.copy(source, faces / "val" / kind / f"100.{suffix}")

# %%
# NBVAL_IGNORE_OUTPUT
report = audit(faces)
print(report.as_text().replace(str(faces), "faces"))

# %% [markdown]
# An **error** stops training, a **warning** teaches it something wrong, a **note** is worth knowing. Each finding has a `kind`, a
# `severity`, and the `names` of its files, such as `train/masks/7.png`.
#
# Collect the suspects: for every finding that is an error or a warning, its kind and the file stems that have it, sorted as strings. A kind may occur in more than one
# finding (one for each split): put those together.
#
# <details><summary>Hint 1</summary>
#
# `for finding in report.findings:` and then `finding.severity`, `finding.kind`, `finding.names`.
# </details>
# <details><summary>Hint 2</summary>
#
# `Path("train/masks/7.png").stem` is `"7"`. `found.setdefault(kind, set())` is a set that you can `update`.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.data import suspects` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    "(report)\nfindings: kind, severity, names\nerrors and warnings\n(suspects: stems by kind)"
)


# %% suspects minutes=10 difficulty="easy"
def suspects(report) -> dict[str, list[str]]:
    """For each kind of error or warning, the sorted stems of the files that have it."""
    ### BEGIN SOLUTION
    found: dict[str, set[str]] = {}
    for finding in report.findings:
        if finding.severity in ("error", "warning"):
            stems = {Path(name).stem for name in finding.names}
            found.setdefault(finding.kind, set()).update(stems)
    return {kind: sorted(stems) for kind, stems in found.items()}
    ### END SOLUTION


# %% check-suspects points=2
from coursekit.checks.mistakes.data import CRASHES
from coursekit.checks.mistakes.data_apart import misfound

check = Check("suspects")
for listed in CRASHES["suspects"]:
    check.crashes(*listed)
rows = (
    ("constant-mask", "error", "train", "masks/912.png", "masks/77.png", "masks/345.png"),
    ("speck", "note", "val", "masks/888.png"),
    ("no-eyes", "warning", "val", "masks/512.png"),
    ("no-eyes", "note", "train", "masks/700.png"),
    ("no-eyes", "error", "train", "images/601.jpg"),
    ("constant-mask", "error", "val", "masks/1000.png", "masks/345.png"),
)
findings = [
    Finding(kind, severity, split, tuple(f"{split}/{name}" for name in files), "", "")
    for kind, severity, split, *files in rows
]
got = check.call(suspects, Report("", "", {}, tuple(findings)))
check.kind(got, dict)
check.that(got, "nothing is found: severity is 'error' or 'warning', small, never both")
check.that({*got} <= {row[0] for row in rows}, "the keys are the kinds, such as 'no-eyes'")
check.that("speck" not in got, "notes are in it: only errors and warnings are suspects")
check.that("no-eyes" in got, "warnings are missing: they teach the network something wrong")
for kind, stems in got.items():
    check.that(stems is not None, "`.sort()` sorts in place and gives None: `sorted(…)`")
    check.kind(stems, [list, tuple], what=f"what you give for {kind}")
check.that(not (words := misfound(got)), words)
for kind, stems in (("constant-mask", ["1000", "345", "77", "912"]), ("no-eyes", ["512", "601"])):
    check.equal([*got.get(kind, ())], stems, f"expected: the stems of all findings of {kind}")
check.passed("every suspect, once")
### BEGIN HIDDEN TESTS
from coursekit.data import Finding, Report
from coursekit.probe import Probe

probe = Probe("check-suspects")


def hidden_findings(rng: np.random.Generator) -> list[list]:
    """Kind, severity, split and stems; kinds come back, and stems in no order."""
    kinds = [f"kind-{n}" for n in rng.permutation(1000)[:4]]
    rows = []
    severities = {"train": "error warning note error", "val": "warning note note error"}
    for split in severities:
        for severity, kind in zip(severities[split].split(), kinds, strict=True):
            stems = [str(n) for n in 90 + rng.permutation(20)[: rng.integers(1, 6)]]
            rows.append([kind, severity, split, stems])
    return rows


names = {"train": "train/masks/{}.png", "val": "val/images/{}.jpg"}
findings = [
    Finding(kind, severity, split, tuple(map(names[split].format, stems)), "", "")
    for kind, severity, split, stems in probe.given("findings", hidden_findings)
]
found = probe.call(suspects, Report("", "", {}, tuple(findings)))
probe.emit("suspects", found, "another report")
### END HIDDEN TESTS

# %% [markdown]
# Are they the ones that we planted?

# %%
planted = {
    "constant-mask": victims[0], "swapped-sides": victims[1], "no-background": victims[2],
    "no-eyes": victims[3], "colour-mask": victims[4], "leak": victims[5],
}  # fmt: skip
found = suspects(report)
for kind, index in planted.items():
    print(f"{kind:<14} found: {str(index) in found.get(kind, [])}")

# %% [markdown]
# On real data the audit is `coursekit data check FOLDER`. It reads every file once, and on a few thousand photos those are the
# best spent minutes of the project.
#
# ## The paper says, we measured
#
# | what | the report | we measured |
# |---|---|---|
# | class counts | through the augmented loader | on the masks as they are: the numbers above |
# | weights of Eq. 2 on them | 0.0426 to 0.0703, ratio 1.65 | 0.0426 to 0.0692, ratio 1.63 |
# | the necklace against hair | at least two orders of magnitude | 2,088 times fewer pixels: more than three |
# | necklace IoU with weights | under 6 % | see lesson 02 |
#
# Counting at the wrong place changed little here, because the logarithm forgives much. To judge from these numbers the augmented
# loader saw about a sixth fewer necklace pixels than there are; with $1/f$ that would have moved the necklace's weight by a fifth.
#
# And how good a stand-in are our drawn faces? Their shares beside the real ones, quick tier against the course's photos:

# %%
drawn = class_counts(train) if not DATA else class_counts(SynthDataset(0, 120, 96))
figure, axes = plt.subplots(figsize=(7.5, 3.0), layout="constrained")
for counts, name, mark, colour in (
    (COUNTS, "5,000 photographs", "o-", plots.BLUE),
    (drawn, "120 drawn faces", "x", plots.RED),
):
    axes.plot(range(19), 100 * counts[order] / counts.sum(), mark, color=colour, label=name)
axes.set_xticks(range(19), [LABELS.titles[i] for i in order], rotation=50, ha="right")
axes.set(yscale="log", ylabel="share of the pixels, %")
axes.legend(frameon=False)
axes.spines[["top", "right"]].set_visible(False)
plt.close(figure)
figure

# %% [markdown]
# The tail is the same tail. That makes them fit to *learn the craft* on; scores on them say nothing about scores on photographs.
#
# ## The library twin
#
# `torchvision.transforms.v2` knows which of its inputs is an image and which a mask: wrap the mask in `tv_tensors.Mask`, and every
# transform treats the pair together, with nearest neighbour for ids. What it cannot know is that your classes have sides.

# %%
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

face = synthfaces.render(seed=0, index=4, size=96)
pair = (
    tv_tensors.Image(torch.from_numpy(face.image).permute(2, 0, 1)),
    tv_tensors.Mask(torch.from_numpy(face.label_map)),
)
_, resized = v2.Resize((64, 64))(*pair)
_, flipped = v2.RandomHorizontalFlip(p=1.0)(*pair)
same_ids = set(resized.unique().tolist()) <= set(pair[1].unique().tolist())
right = torch.from_numpy(LABELS.mirror_table()[face.label_map[:, ::-1]])
print("resizing invented no class:", same_ids)
print(
    "the flipped mask names the sides rightly:",
    torch.equal(flipped.as_subclass(torch.Tensor), right),
)

# %% [markdown]
# | prefer | when |
# |---|---|
# | `torchvision.transforms.v2` | your classes have no sides, or you want boxes and videos too, or augmentation on the GPU |
# | `coursekit.data.Augmentation` | sides matter; the same sample must come out the same for any number of workers; a CPU has to keep up |
#
# ## What to try next
#
# - **Noise.** `SynthDataset(0, 120, 96, label_noise=1.0)` draws like a careless annotator. Which kinds of its noise does the audit find, and which not?
# - **Effective numbers.** Look up class-balanced loss (Cui et al., 2019) and put its weights into the picture with the three lines. Where does it lie?
# - **The other order.** Some public code orders the 19 classes differently (`labels.CELEBAMASK_HQ_ALTERNATIVE_ORDER`). How would you notice
#   that a checkpoint was trained with it? (`labels.reorder_table` repairs it.)
# - **Your own data set.** `coursekit data make out/faces --train 200 --val 40 --test 20 --size 96`, then break it in a way that the audit does
#   *not* notice. Tell us.
#
# In **lesson 02** you build the first network and train it on what you prepared here.

# %% quiz [markdown]
# ### You open a mask of mode P and call `convert("L")`. What do you get?
#
# - [ ] The same numbers of classes, now as one grey value each
#   That is what the name promises, and the shape fits. But `convert` translates *colours*: skin, number 1, comes out as the brightness of skin's colour.
# - [x] How bright each class's colour is, which may happen to be the number of another class
#   No error, a picture of the right size and type, and wrong numbers: this is why a reader must look at the mode first.
# - [ ] An error, because the palette is lost
#   If only it were: Pillow converts without a word.
#
# ### In Eq. 2 somebody puts *shares* of the pixels (0.3, 0.001, …) in place of counts. What happens?
#
# - [ ] Nothing: shares and counts differ by a factor, and the sum takes it out
#   A factor inside of a logarithm is a *sum*, and that does not cancel. (Another base of the logarithm would.)
# - [ ] The weights are negative, so training fails at once
#   The logarithms are negative, but dividing by their negative sum makes the weights positive again: nothing shows.
# - [x] The weights look fine and are turned round: the rarest class weighs least
#   All of them are positive and sum to 1. Only a look at *which* class has the largest weight tells.
#
# ### Why must a label map be resized with nearest neighbours, while the image is resized bilinearly?
#
# - [x] A mean of two colours is a colour, a mean of two class numbers is some other class
#   Between background (0) and hair (13) lies 6.5: an eyebrow. The picture of invented classes in this lesson was made that way.
# - [ ] Nearest neighbours is faster, and label maps need no quality
#   It is faster, but that is not the reason: bilinear label maps would be *wrong* along every border.
# - [ ] So that both still have the same size afterwards
#   Both give the size that you ask for. What differs is what stands at each pixel.
#
# ### A colleague takes the mean of the images' own standard deviations for whitening. Which set of images shows best that this is wrong?
#
# - [ ] Many copies of one photograph
#   There each image's deviation *is* that of the set: the mistake does not show.
# - [ ] Images of very different sizes
#   Sizes matter for a mean of means, too, but even with equal sizes it is wrong.
# - [x] One image all black, one all white
#   Neither varies in itself, so the mean of their deviations is 0, though the pixels of the set could not vary more.
#
# ### You count the classes through the augmented loader, as the report did. Which classes seem rarer than they are?
#
# - [ ] The small ones, because augmentation removes details
#   Nothing is removed because it is small. What matters is *where* a class lies.
# - [x] Those at the edge of the picture, because zooming in crops it
#   A crop takes from the border, so the classes at the border lose. Count the masks as they are.
# - [ ] None: augmentation is random, and in the mean it changes nothing
#   Random, but one-sided: it enlarges and crops, and never shows more than the picture had.

# %% [markdown]
# {{links}}
