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
# # A lesson to be attacked
#
# Six small exercises of the kinds that the course has: a network under a limit; arrays in, arrays
# out; numbers of which some are not there; a class that remembers; a loss with a gradient. No
# student ever sees it.

# %%
# ruff: noqa: E402
import numpy as np
import torch

from coursekit.checks import Check

# %%
CLASSES = ("background", "skin", "nose", "eye", "hair")

# %% [markdown]
# ## Exercise 0: a network of at most 300 numbers


# %% small-net
class SmallNet(torch.nn.Module):
    """Two convolutions, `first` and `last`: (B, 3, H, W) to (B, classes, H, W)."""

    ### BEGIN SOLUTION
    def __init__(self, classes=5, width=8):
        super().__init__()
        self.first = torch.nn.Conv2d(3, width, 3, padding=1)
        self.last = torch.nn.Conv2d(width, classes, 1)

    def forward(self, image):
        """The logits of an image."""
        return self.last(self.first(image).relu())

    ### END SOLUTION


# %% check-small-net points=2
check = Check("small-net")
check.shape(SmallNet(4)(torch.zeros(1, 3, 6, 7)), (1, 4, 6, 7), "a score for each class and pixel")
check.passed("logits of the image's size")
### BEGIN HIDDEN TESTS
# canary-of-the-hidden-text-0
from coursekit.probe import Probe

probe = Probe("check-small-net")
drawn = SmallNet(*probe.given("spec", lambda rng: rng.integers(3, 9, 2).tolist())).double()
probe.fill(drawn, "weights")
photo = torch.from_numpy(probe.given("photo", lambda rng: rng.normal(0, 1, (2, 3, 9, 8))))
probe.emit("drawn", drawn(photo), "other classes, widths and weights")
default = SmallNet().double()
held = {name: list(weight.shape) for name, weight in default.named_parameters()}
probe.emit("held", held, "how many numbers it holds", shapes=True, at_most=300)
probe.sow(default, "sown")
probe.emit("default", default(photo), "the network without arguments, with other weights")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 1: colour a label map
#
# <details><summary>Hint 1</summary>
#
# Index the palette.
# </details>


# %% paint
def paint(label_map: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Give each pixel its class's colour: (H, W) and (C, 3) to (H, W, 3)."""
    ### BEGIN SOLUTION
    return palette[label_map]
    ### END SOLUTION


# %% check-paint points=1
check = Check("paint")
table = np.array([[0, 0, 0], [9, 8, 7], [3, 2, 1]], dtype=np.uint8)
small = np.array([[0, 1], [2, 1]], dtype=np.uint8)
picture = paint(small.copy(), table.copy())
check.shape(picture, (2, 2, 3), "three numbers for each pixel")
check.equal(picture, [[[0, 0, 0], [9, 8, 7]], [[3, 2, 1], [9, 8, 7]]], "another class's colour")
check.passed("each class has its colour")
### BEGIN HIDDEN TESTS
# canary-of-the-hidden-text-1
from coursekit.probe import Probe

probe = Probe("check-paint")
probe.given("word", lambda rng: f"canary-of-the-inputs-{rng.integers(1 << 40)}")
ids = probe.given("ids", lambda rng: rng.integers(0, 19, (30, 20), dtype=np.uint8))
colours = probe.given("colours", lambda rng: rng.integers(0, 256, (19, 3), dtype=np.uint8))
probe.emit("picture", paint(ids, colours), "another label map in other colours", dtype=True)
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: count the pixels of each class


# %% count-pixels
def count_pixels(label_map: np.ndarray, num_classes: int) -> np.ndarray:
    """Count the pixels of each class; 255 is none."""
    ### BEGIN SOLUTION
    return np.bincount(label_map[label_map != 255], minlength=num_classes)
    ### END SOLUTION


# %% check-count-pixels points=1
check = Check("count-pixels")
counts = count_pixels(np.array([[0, 0], [3, 1]], dtype=np.uint8), 5)
check.equal(counts, [2, 1, 0, 1, 0], "the counts are wrong")
check.passed("every class has its place")
### BEGIN HIDDEN TESTS
# canary-of-the-hidden-text-2
from coursekit.probe import Probe

probe = Probe("check-count-pixels")
ids = probe.given("ids", lambda rng: rng.integers(0, 9, (13, 17), dtype=np.uint8))
probe.emit("counts", probe.call(count_pixels, ids, 11), "a map without the last classes")
### END HIDDEN TESTS

# %% check-count-pixels-2 points=1
check = Check("count-pixels")
counts = count_pixels(np.array([[255, 0], [255, 1]], dtype=np.uint8), 3)
check.equal(counts, [1, 1, 0], "255 was counted")
check.passed("open pixels are in no class")
### BEGIN HIDDEN TESTS
# canary-of-the-hidden-text-3
from coursekit.probe import Probe

probe = Probe("check-count-pixels-2")
ids = probe.given(
    "ids",
    lambda rng: np.where(rng.random((13, 17)) < 0.3, 255, rng.integers(0, 11, (13, 17))).astype(
        np.uint8
    ),
)
probe.emit("counts", probe.call(count_pixels, ids, 11), "a map with open pixels")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: intersection over union


# %% iou
def iou(truth: np.ndarray, called: np.ndarray, num_classes: int) -> np.ndarray:
    """Intersection over union of each class; NaN for a class that occurs in neither map."""
    ### BEGIN SOLUTION
    scores = np.full(num_classes, np.nan)
    for number in range(num_classes):
        union = ((truth == number) | (called == number)).sum()
        if union:
            scores[number] = ((truth == number) & (called == number)).sum() / union
    return scores
    ### END SOLUTION


# %% check-iou points=2
check = Check("iou")
one, two = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
check.close(iou(one, two, 3), [1 / 2, 2 / 3, np.nan], "the scores are wrong")
check.passed("absent classes have no score")
### BEGIN HIDDEN TESTS
# canary-of-the-hidden-text-4
from coursekit.probe import Probe

probe = Probe("check-iou")
one = probe.given("one", lambda rng: rng.integers(0, 5, (16, 16)))
two = probe.given("two", lambda rng: rng.integers(0, 5, (16, 16)))
probe.emit("scores", iou(one, two, 7), "maps in which two classes are absent")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: a tally over many faces


# %% tally
class Tally:
    """Counts the pixels of classes over many label maps."""

    ### BEGIN SOLUTION
    def __init__(self, names):
        self.names = list(names)
        self.counts = [0] * len(self.names)

    def add(self, label_map):
        """Count one more map."""
        for number in np.asarray(label_map).ravel().tolist():
            self.counts[number] += 1

    def shares(self):
        """The share of each class that occurred, by name."""
        total = sum(self.counts)
        return {n: c / total for n, c in zip(self.names, self.counts, strict=True) if c}

    ### END SOLUTION


# %% check-tally points=2
check = Check("tally")
tally = Tally(CLASSES)
tally.add(np.array([[0, 1], [1, 1]]))
tally.add(np.array([[0, 4], [1, 1]]))
check.that(tally.shares() == {"background": 0.25, "skin": 0.625, "hair": 0.125}, "other shares")
check.passed("shares over all maps")
### BEGIN HIDDEN TESTS
# canary-of-the-hidden-text-5
from coursekit.probe import Probe

probe = Probe("check-tally")
tally = Tally(CLASSES)
for number in range(3):
    tally.add(probe.given(f"map-{number}", lambda rng: rng.integers(0, 4, (9, 8))))
probe.emit("shares", tally.shares(), "three maps, one after the other")
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: a loss


# %% dice-loss
def dice_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """One minus the mean Dice score; logits (B, C, H, W), target (B, H, W)."""
    ### BEGIN SOLUTION
    chances = logits.softmax(1)
    truth = torch.nn.functional.one_hot(target, logits.shape[1]).movedim(-1, 1)
    both = (chances * truth).sum((0, 2, 3))
    return 1 - (2 * both / (chances + truth).sum((0, 2, 3))).mean()
    ### END SOLUTION


# %% check-dice-loss points=3
check = Check("dice-loss")
sure = torch.tensor([[[[9.0]], [[-9.0]]]])
check.close(dice_loss(sure, torch.zeros(1, 1, 1, dtype=torch.long)), 0.5, "1 − mean of 1 and 0")
check.passed("one minus the mean score")
### BEGIN HIDDEN TESTS
# canary-of-the-hidden-text-6
from coursekit.probe import Probe

probe = Probe("check-dice-loss")
logits = probe.given("logits", lambda rng: rng.normal(size=(2, 3, 5, 4)))
target = probe.given("target", lambda rng: rng.integers(0, 3, (2, 5, 4)))
logits = torch.tensor(logits, requires_grad=True)
loss = dice_loss(logits, torch.tensor(target))
loss.backward()
probe.emit("loss", loss, "its value")
probe.emit("gradient", logits.grad, "its gradient")
### END HIDDEN TESTS
