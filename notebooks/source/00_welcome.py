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
# # 0 · Welcome: a name for every pixel
#
# Look at a photograph of a face and you know at once which pixels are hair, which are lips, and
# which eye is the left one. <dfn title="face parsing">Face parsing</dfn> is teaching a computer to do the same: to give every
# pixel the name of the part that it belongs to. This course builds the networks that do it. This
# first lesson has no network yet: it is about what they are asked for, and how to work here.
#
# | what it takes | quick tier (default) | full tier |
# |---|---|---|
# | your time | {{your-time}} | the same |
# | data | 40 rendered faces, 96² | your own folder of photographs, the first 40 |
# | computing | {{computing}} | the same |
# | memory | {{memory}} | the same |
#
# **You will be able to**
# - say what goes into a face parser and what comes out, shapes and types included;
# - turn a label map into a picture, and count what is in it;
# - mirror a face without lying about its left and right;
# - use the checks and hints that every lesson has.
#
# **Before this** comes nothing. You should know a little Python, and that `a[i]` picks from a NumPy
# array.
#
# {{links}}

# %%
import numpy as np
from PIL import Image

from coursekit import plots, tier
from coursekit.checks import Check
from coursekit.data import SynthDataset, open_dataset
from coursekit.labels import CELEBAMASK_HQ as LABELS
from coursekit.labels import colourise, shown
from coursekit.synthfaces import render

# %% [markdown]
# ## A first face
#
# Photographs of people come with licences and with privacy. So that nobody must download anything,
# the course brings a program that *draws* faces: `render(seed, index, size)` gives a picture and,
# because it knows what it drew, the name of every pixel. The same three numbers give the same
# face every time.

# %%
face = render(seed=7, index=2, size=128)
print("image    ", face.image.shape, face.image.dtype)
print("label map", face.label_map.shape, face.label_map.dtype)
plots.panels([{"image": face.image, "label map": face.label_map}])

# %% [markdown]
# On the right is its label map. A <dfn>label map</dfn> is not a picture: it is a table with one number for each pixel,
# the number of a *class*. The colours are added afterwards, so that people can read it. Here are the
# numbers themselves, around the mouth, every second row and column:

# %% tags=["nbval-ignore-output"]
rows, columns = np.nonzero(face.label_map == LABELS.index("u_lip"))
top, left = rows.min() - 2, columns.min() - 4
print(face.label_map[top : top + 20 : 2, left : left + 36 : 2])

# %% [markdown]
# Most are 1, skin; 11 is the upper lip and 12 the lower one; 10, where you see it, is the inside of
# the mouth. There are 19 classes, those of the CelebAMask-HQ data set:

# %%
for number, (name, title) in enumerate(zip(LABELS.names, LABELS.titles, strict=True)):
    print(f"{number:2d}  {name:<11} {title}")

# %% [markdown]
# Three of the short names mislead nearly everyone once:
#
# - `l_eye`, `l_brow`, `l_ear` are the **subject's** left. The person looks at you, so their left eye
#   is on the *right-hand side* of the picture.
# - `l_lip` is not a left lip, it is the **lower** one. (And `u_lip` is the upper one.)
# - `ear_r` is not the right ear, it is an **earring**. (And `neck_l` is a necklace.)
#
# You will need all three in a moment.
#
# ## The idea, in one line
#
# A face parser takes an image $x$ with $H \times W$ pixels and gives each pixel $(i, j)$ a score
# for each of the $C = 19$ classes: $s_{c,i,j}$, the higher, the surer. The label map is the class
# with the highest score, pixel by pixel:
#
# $$\hat y_{i,j} = \arg\max_{c \,\in\, \{0, \dots, 18\}} \; s_{c,i,j}$$
#
# So the whole problem is one of shapes:

# %% tags=["folded"]
plots.diagram("(image: H × W × 3)\n[network]\n(scores: 19 × H × W)\nargmax\n(label map: H × W)",
              marked="from lesson 2 on you build it")  # fmt: skip

# %% [markdown]
# ## How an exercise works
#
# Each exercise is a cell that says `YOUR CODE HERE`. Replace that line and the `raise` below it,
# run the cell, then run the **check** in the cell after it. A check that passes prints a line that
# begins with ✓. A check that fails says what it thinks you did. It may be wrong about that, but not
# about the result. Try it right now: run both cells of exercise 1 before you write anything.
#
# Keep the cell's first line, `# exercise: …`: by it your answer is found when it is graded, and
# everything that your answer needs belongs in that cell.
#
# If you are stuck, open the hints one at a time: the first one asks a question, the last one nearly
# tells you. Below it, *Borrow it* names one line for your cell: with it the lesson goes on with the
# course's own part, and this one exercise brings no points. Where there is a folder `solved`, it has every lesson with answers and pictures; it is
# no secret, but what you look up there you will have forgotten by next week.

# %% [markdown]
# ## Exercise 1: colour a label map
#
# Give every pixel its class's colour. A <dfn>palette</dfn> is a table with one row for each class, and
# three numbers in each row: red, green and blue, from 0 to 255.
#
# $$\text{picture}_{i,j} = \text{palette}\big[\, y_{i,j} \,\big]$$
#
# The picture has shape $(H, W, 3)$ and the palette's type. The equation is nearly the code.
#
# <details><summary>Hint 1</summary>
#
# With `a = np.array([10, 20, 30])`, what is `a[1]`? And what is `a[np.array([0, 2, 2])]`? Try it in a
# new cell.
# </details>
# <details><summary>Hint 2</summary>
#
# NumPy lets the index be an array of any shape: each number in it is replaced by what stands at that
# place. Which of the two arrays is being looked up in here, and which one holds the places?
# </details>
# <details><summary>Hint 3</summary>
#
# The palette is looked up in; the label map holds the places. One pair of square brackets is enough.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.welcome import paint` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram("(label map: H × W) | (palette: 19 × 3)\npaint\n(picture: H × W × 3)")


# %% paint minutes=5 difficulty="easy"
def paint(label_map: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Colour a label map.

    Args:
        label_map: (H, W) uint8, class numbers from 0 to 18.
        palette: (19, 3) uint8, a colour for each class.

    Returns:
        (H, W, 3) uint8.
    """
    ### BEGIN SOLUTION
    return palette[label_map]
    ### END SOLUTION


# %% check-paint points=1
from coursekit.checks.mistakes.welcome import CRASHES, PICTURES, mispainted

check = Check("paint")
for known in CRASHES["paint"]:
    check.crashes(*known)
palette = LABELS.palette_array()
example = np.random.default_rng(0).integers(0, 19, (256, 300), dtype=np.uint8)
inverse = 255 - palette
for colours in (palette, inverse):
    picture = check.call(paint, example, colours)
    check.kind(picture, np.ndarray)
    if colours is inverse:
        another = "another palette gives the same colours: use the argument `palette`"
        check.catches(colourise(example), picture, another)
    check.slips(picture, colours[example], mispainted, example, colours)
    wrong = PICTURES.get(picture.shape, "")
    check.that(not wrong, wrong)
    check.shape(
        picture, (256, 300, 3), "one colour for each pixel, and three numbers for each colour"
    )
    check.equal(picture, colours[example], "some pixels have the colour of another class")
    check.kind(picture, np.ndarray, dtype=palette.dtype)
check.passed("each class number became its colour")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-paint")
ids = probe.given("ids", lambda rng: rng.integers(0, 19, (40, 30), dtype=np.uint8))
colours = probe.given("colours", lambda rng: rng.integers(0, 256, (19, 3), dtype=np.uint8))
about = "another label map, in another palette's colours and type"
probe.emit("picture", probe.call(paint, ids, colours), about, dtype=True)
### END HIDDEN TESTS

# %% [markdown]
# Now the colours are yours. Can you tell from the picture alone which colour is the subject's left
# brow? Look the answer up in the legend.

# %%
palette = shown(LABELS).palette_array()  # the official one, or that of COURSEKIT_PALETTE
coloured = paint(face.label_map, palette)
plots.panels([{"image": face.image, "your colours": coloured}])

# %%
plots.legend()

# %% [markdown]
# **The library twin.** An image file can hold the class numbers and the palette side by side: a PNG
# of mode `P`. That is how most masks are stored, and Pillow does the colouring when somebody looks.
# It is the better choice for files, because the numbers survive. The trap: `convert("RGB")` on
# such a file gives you the colours, and the class numbers are gone.

# %%
mask = Image.fromarray(face.label_map)
mask.putpalette(palette.tobytes())
print("mode", mask.mode, "- numbers kept:", np.array_equal(np.array(mask), face.label_map))
print("same colours as yours:", np.array_equal(np.array(mask.convert("RGB")), coloured))

# %% [markdown]
# ## Exercise 2: count the pixels of each class
#
# How much of a face is hair, and how much is necklace? For a label map $y$ let
#
# $$n_c = \big|\{(i, j) : y_{i,j} = c\}\big|, \qquad c = 0, \dots, C-1.$$
#
# Two details decide whether your counts can be added up over many faces:
#
# - **Every** class has a place, also one that is not in this picture: the result always has
#   `num_classes` numbers.
# - A pixel with the number **255** is one that the annotators left open ("ignore"). It belongs to no
#   class and is not counted.
#
# <details><summary>Hint 1</summary>
#
# NumPy has a function that counts how often each whole number occurs: `np.bincount`. It wants a flat
# array (`label_map.ravel()`). What is the length of its result when the picture holds no class 18?
# </details>
# <details><summary>Hint 2</summary>
#
# `minlength=` makes the result longer, never shorter. So leave the 255s out *before* you count.
# `label_map[label_map != 255]` is a flat array of all other numbers.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.welcome import count_pixels` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram("(label map: H × W)\nknown: without 255\ncount_pixels: num_classes")


# %% count-pixels minutes=10 difficulty="easy"
def count_pixels(label_map: np.ndarray, num_classes: int) -> np.ndarray:
    """Count the pixels of each class.

    Args:
        label_map: (H, W) uint8, class numbers below `num_classes`, or 255 for "ignore".
        num_classes: how many classes there are.

    Returns:
        (num_classes,) whole numbers.
    """
    ### BEGIN SOLUTION
    known = label_map[label_map != 255]
    return np.bincount(known, minlength=num_classes)
    ### END SOLUTION


# %% check-count-pixels points=1
from coursekit.checks.mistakes.welcome import CRASHES, OPEN, miscounted

check = Check("count-pixels")
for known in CRASHES["count-pixels"]:
    check.crashes(*known)
plain = np.array([[0, 0, 3, 3], [3, 1, 3, 0], [1, 0, 3, 3]], dtype=np.uint8)
counts = check.call(count_pixels, plain, 6)
check.kind(counts, np.ndarray)
expected = [4, 2, 0, 6, 0, 0]
sums = "these are True and False: sum up `label_map == c`, with the comparison in the brackets"
check.that(counts.dtype != bool or counts.any(), sums)
check.slips(counts, expected, miscounted, plain, 6)
check.equal(counts, expected, "the counts of a map without any 255 are wrong")
check.kind(counts, np.ndarray, dtype=np.integer)
marked = np.array([[3, 255, 3], [3, 0, 255]], dtype=np.uint8)
counts = check.call(count_pixels, marked, 4)
check.that(counts.size < 256, "255 was counted as a class of its own: leave those pixels out")
for wrong, message in OPEN:
    check.catches(wrong, counts, message)
check.equal(counts, [1, 0, 0, 3], "with 255 in the map the counts are wrong")
large = np.repeat(np.array([0, 2], dtype=np.uint8), [70_000, 300]).reshape(100, 703)
counts = check.call(count_pixels, large, 3)
check.equal(counts, [70_000, 0, 300], "the counts of a large map are wrong")
check.passed("every class has its place, and open pixels belong to none")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-count-pixels")
for name, classes, unknown, side, about in (
    ("known", range(11), 0.0, 13, "a map in which every class may occur"),
    ("short", range(6), 0.0, 13, "a map without the last classes"),
    ("unknown", range(11), 0.3, 13, "a map with open pixels"),
    ("scarce", (3, 8), 0.9, 13, "a map with few classes, mostly open"),
    ("large", range(2), 0.1, 390, "a large map"),
):
    ids = probe.given(
        name,
        lambda rng, classes=classes, unknown=unknown, side=side: np.where(
            rng.random((side, 403)) < unknown, 255, rng.choice([*classes], (side, 403))
        ).astype(np.uint8),
    )
    probe.emit(name, probe.call(count_pixels, ids, 11), about, kind=True)
### END HIDDEN TESTS

# %% [markdown]
# With it you can measure a whole data set. This cell also shows how every lesson finds its data:
# if `COURSEKIT_DATA` names a folder of real photographs, it reads those; otherwise it draws.

# %%
DATA = tier.data_folder()
faces = open_dataset(DATA, "train")[:40] if DATA else SynthDataset(seed=7, length=40, size=96)
classes = faces.labels  # LaPa and Helen have eleven of them
total = sum(count_pixels(faces.label_map(i), classes.num_classes) for i in range(len(faces)))
largest = np.argsort(-total)[:3]
print("the three largest classes:", sorted(classes.titles[c] for c in largest))
plots.long_tail(total, classes)

# %% [markdown]
# Mind the axis: it is **logarithmic**. Each step down is ten times fewer pixels. A few classes fill
# nearly the whole picture, and the rest form a <dfn>long tail</dfn>.
#
# ### The report says / we measured
#
# The report that this course's baselines come from shows the same bars for its 5,000 training
# photographs. It says that class 16, the necklace, is rarer than background, skin and hair by at
# least two factors of ten. We counted the pixels of those 5,000 masks; here is what we found.

# %%
photographs = {"background": 375_099_645, "skin": 333_172_471, "hair": 411_175_974}
NECKLACE = 196_952
for name, pixels in photographs.items():
    print(f"photographs: {name:<10} is {pixels / NECKLACE:5,.0f} times as common as necklace")
if not DATA:
    ours = total[LABELS.index("hair")] / total[LABELS.index("neck_l")]
    print("rendered: hair is more than 100 times as common as necklace:", bool(ours > 100))

# %% [markdown]
# "Two factors of ten" was modest: it is more than three. What does that do to a network that is
# rewarded for each pixel that it gets right? It can ignore necklaces altogether and lose next to
# nothing. Lesson 1 weighs the classes against that, and lesson 2 scores with a number that
# notices.

# %% [markdown]
# ## Exercise 3: mirror a face
#
# A mirrored face is a face too, so mirroring looks like a free way to double your data. For the image
# it is simple: turn each row round, $x'_{i,j} = x_{i,\,W-1-j}$. For the label map it is a trap. The
# mirrored person's left eye is what used to be the right one. So after turning, the classes of
# each left-right pair must also change places:
#
# $$y'_{i,j} = \sigma\big(y_{i,\,W-1-j}\big), \qquad
# \sigma \text{ swaps } 4 \leftrightarrow 5,\; 6 \leftrightarrow 7,\; 8 \leftrightarrow 9
# \text{ and keeps the rest.}$$
#
# Write it, for any list of pairs. Leave the arrays that you were given as they are.
#
# <details><summary>Hint 1</summary>
#
# `a[:, ::-1]` turns the rows of `a` round. (What would `a[::-1]` do to the person?)
# </details>
# <details><summary>Hint 2</summary>
#
# Swap on paper first: if you write 5 over every 4 and then 4 over every 5, how many 5s are left? You
# need both places *before* you change either.
# </details>
# <details><summary>Hint 3</summary>
#
# σ is a palette with numbers in place of colours. Build `table = np.arange(256, dtype=np.uint8)`, swap
# entries for each pair (`table[a], table[b] = b, a`), and paint as in exercise 1.
# </details>
# <details><summary>Borrow it</summary>
#
# `from coursekit.parts.welcome import mirror` in place of all below the cell's first line takes the course's own part. The lesson goes on; the exercise brings no points.
# </details>


# %% tags=["folded"]
plots.diagram(
    """
    (image: H × W × 3) | (label map: H × W)
    turned: H × W × 3 | turned too: H × W
    | swapped: the classes of each pair: H × W
    """,
    "image > turned, label map > turned too > swapped",
)


# %% mirror minutes=10 difficulty="medium"
def mirror(
    image: np.ndarray, label_map: np.ndarray, pairs: list[tuple[int, int]]
) -> tuple[np.ndarray, np.ndarray]:
    """Mirror a face, so that what is now the subject's left is called left.

    Args:
        image: (H, W, 3) uint8.
        label_map: (H, W) uint8.
        pairs: class numbers that change places, such as [(4, 5), (6, 7), (8, 9)].

    Returns:
        The mirrored image and its label map, new arrays of the same shapes and types.
    """
    ### BEGIN SOLUTION
    table = np.arange(256, dtype=np.uint8)
    for a, b in pairs:
        table[a], table[b] = b, a
    return image[:, ::-1].copy(), table[label_map[:, ::-1]]
    ### END SOLUTION


# %% check-mirror points=2
from coursekit.checks.mistakes.welcome import CRASHES, mislabelled, misturned

check = Check("mirror")
for known in CRASHES["mirror"]:
    check.crashes(*known)
pairs = [(4, 5), (6, 7), (8, 9)]
labels = np.array([[5, 0, 4, 4], [7, 12, 11, 6], [9, 15, 1, 255]], dtype=np.uint8)
image = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
result = check.unpack(check.call(mirror, image, labels, pairs), "the image", "the label map")
first = "the label map comes first: give the image, then the label map"
check.that(np.ndim(result[0]) != 2 or np.ndim(result[1]) != 3, first)
check.slips(result[0], image[:, ::-1], misturned, image)
check.equal(result[0], image[:, ::-1], "expected: the image with each row turned round")
flipped, swap = labels[:, ::-1], LABELS.mirror_table()
check.slips(result[1], swap[flipped], mislabelled, labels, pairs)
check.equal(result[1], swap[flipped], "turn the label map, then swap exactly the given pairs")
_, unswapped = check.call(mirror, image, labels, [])
check.equal(unswapped, flipped, "without pairs nothing is swapped: use `pairs`")
for what, array in zip(("the image", "the label map"), result, strict=True):
    check.kind(array, np.ndarray, dtype=np.uint8, what=what)
check.passed("left is left again, on the other side of the picture")
### BEGIN HIDDEN TESTS
from coursekit.probe import Probe

probe = Probe("check-mirror")
picture = probe.given("picture", lambda rng: rng.integers(0, 256, (21, 34, 3), dtype=np.uint8))
ids = probe.given(
    "ids", lambda rng: rng.choice(np.array([*range(19), 255], dtype=np.uint8), (21, 34))
)
sides = probe.given("pairs", lambda rng: rng.permutation(19)[:8].reshape(4, 2).tolist())
mirrored = probe.call(mirror, picture, ids, [(a, b) for a, b in sides])
probe.emit("image", mirrored[0], "another face's image", dtype=True)
probe.emit("label map", mirrored[1], "another face's label map, with other pairs", dtype=True)
probe.emit("number", len(mirrored), "two things are returned")
unswapped = probe.call(mirror, picture, ids, [])[1]
probe.emit("no pairs", unswapped, "a label map whose classes have no sides")
### END HIDDEN TESTS

# %% [markdown]
# What the check cannot show you is how *hard to see* the mistake is. In the middle is the label map
# that was turned and nothing else. It looks right. Only the colours of the brows, eyes and
# ears tell: the light blue brow, the subject's left, should stay on the right-hand side.

# %%
mirrored, swapped = mirror(face.image, face.label_map, list(LABELS.mirror_pairs))
naive = face.label_map[:, ::-1]
plots.panels(
    [
        {"photo": face.image, "its label map": face.label_map},
        {"photo": mirrored, "its label map": naive},
        {"photo": mirrored, "its label map": swapped},
    ],
    across=3,
)

# %% [markdown]
# Numbers do not get tired of looking. In a face that looks at us, the subject's left eye lies to the
# right of the right eye:


# %%
def left_eye_is_on_the_right(label_map: np.ndarray) -> bool:
    """Compare the mean columns of the two eyes."""
    left_eye = np.nonzero(label_map == LABELS.index("l_eye"))[1].mean()
    right_eye = np.nonzero(label_map == LABELS.index("r_eye"))[1].mean()
    return bool(left_eye > right_eye)


for name, label_map in {"as drawn": face.label_map, "turned": naive, "mirrored": swapped}.items():
    print(f"{name:<9}", left_eye_is_on_the_right(label_map))

# %% [markdown]
# The middle one is a lie, and a network believes what it is shown. Train it on half its faces turned
# without the swap, and it can do no better than to toss a coin between left and right. That is why
# the report's recipe does not mirror at all. `coursekit.data.mirror` does it as you just did.
#
# **The library twin.** torchvision's `v2.RandomHorizontalFlip` turns an image and its mask together,
# which is the first half of your function, and all there is to do for cats and cars. It knows nothing
# of class names, so for faces it makes the middle picture. Prefer it wherever classes have no sides.

# %% [markdown]
# ## What was learnt, in one picture
#
# Six faces, their label maps in your colours, and their true mirror images.

# %%
rows = []
for index in range(6):
    one = render(seed=7, index=index, size=96)
    turned, swapped = mirror(one.image, one.label_map, list(LABELS.mirror_pairs))
    picture, mirror_picture = paint(one.label_map, palette), paint(swapped, palette)
    rows.append({"face": one.image, "parsed": picture, "its mirror": turned, " ": mirror_picture})
plots.panels(rows, across=2)

# %% [markdown]
# ## The map of the course
#
# An arrow leads from a lesson to one that builds on it.

# %% map tags=["folded"]
LESSONS = """
{{map}}
"""
plots.diagram(*LESSONS.split("---"), marked="the research part")

# %% [markdown]
# {{lessons}}
#
# Every lesson has the same parts: a card, the idea with its equation, small cells that you build it
# from, three to six exercises, what a paper says beside what we measured, and something to try next.
# It builds its thing in the open; the next lesson imports that thing from `coursekit`, where you can
# read it, one file for each model.
#
# ## Your machine, and real faces
#
# Which device, tier and data the lessons find here, and what is missing with the line that mends it,
# stands on a card: run `from coursekit.health import card` and then `card()` in a cell of your own.
#
# Everything runs on rendered faces, and those are no photographs: what you learn carries over,
# scores do not. If you have real data (your instructor's, CelebAMask-HQ, LaPa or Helen;
# `data/README.md` says where they come from and what their licences allow), start the lessons with
#
# ```
# coursekit data check path/to/faces
# COURSEKIT_TIER=full COURSEKIT_DATA=$PWD/path/to/faces coursekit lab
# ```
#
# The first line looks at every file and names those with a defect. The second gives all lessons that
# folder and the paper's sizes. Real photographs want a GPU; this lesson does not.
#
# ## Try next
#
# - Draw a face with `render(7, 2, 128, crowd=1.0)`. What class do the other people get, and why
#   is that a hard thing to ask of a network?
# - Draw one with `label_noise=1.0`, and compare `label_map` with
#   `clean_label_map`. Which of its mistakes would you find by eye?
# - Which of the 19 classes would you merge if you had to make do with eleven? Then look at what LaPa
#   did: `coursekit.labels.LAPA.titles`.
# - Write `mirror` with `mirror(mirror(x)) == x` as its only test. Which wrong versions pass it?

# %% quiz [markdown]
# ### The label map of a face has the value 11 at a pixel and 12 at its neighbour. What does that say?
#
# - [ ] The second pixel is a little brighter than the first
#   The values are numbers of classes, not brightness. That 12 is more than 11 means nothing: the order of the classes is a convention.
# - [ ] Halfway between the two pixels the class is 11.5
#   Numbers of classes cannot be averaged: there is nothing between upper lip and lower lip. Lesson 01 shows what happens when a tool averages them all the same.
# - [x] The first belongs to the upper lip, the second to the lower one
#   Each number names a class, and here the two meet where the lips meet.
#
# ### You turn a face left to right, and its label map with it, and change no number. What is wrong?
#
# - [x] The subject's left eye is now called right, and the other way round
#   In the mirror image the person's left eye lies where right eyes lie. So the numbers of each pair must change places as well.
# - [ ] Nothing: image and label map were turned alike, so they still fit
#   They fit pixel by pixel, which is why it looks right. But the *names* are wrong: a network that learns from it can only toss a coin between left and right.
# - [ ] The lips: upper and lower must change places
#   Turning left to right does not move anything up or down. `u_lip` and `l_lip` are upper and lower; the "l" misleads.
#
# ### A mask has pixels of value 255. Why are they not counted as background?
#
# - [ ] Because 255 is white, and background is black
#   The colours are added for our eyes only. In the file stands a number, and it is not the colour of anything.
# - [x] Because nobody knows their class: as background they would teach that something is there that is not
#   "Nothing is known" is not "nothing is there". Counted as background, open pixels would make background look more frequent than it is, and a network would learn it there.
# - [ ] Because `np.bincount` cannot count that far
#   It can: it would give 256 counts. That is the trouble: a class of its own, number 255, that does not exist.
#
# ### A network is right on 85 of 100 pixels. What may you conclude?
#
# - [ ] It finds most of the parts of a face
#   Background, skin and hair together are that many pixels. A network that knows nothing else gets there, too.
# - [ ] It is wrong on about 15 % of each class
#   A share of all pixels says nothing about any one class: it may have every pixel of the hair and none of the necklace.
# - [ ] It was trained well
#   How well it could be is not known from this number; how it was trained, even less.
# - [x] Not much: it may have found three large classes and no other
#   The long tail again: few classes hold most pixels. Lesson 02 scores with a number in which each class counts alike.

# %% [markdown]
# {{links}}
