"""Known mistakes on the way through the U-Net of lesson 02, and what to say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    Mistakes = list[tuple[Any, str]]

_UNRAISED = (
    "the second step up gets what the bottleneck gives: go through all of self.up, and keep what "
    "each step gives, x = up(x, skip)"
)
_ITSELF = "`up(x, skip)` concatenates by itself: hand it both"
#: What exceptions say on the way through a U-Net of widths 4 to 64, and what is behind them.
LOST = (
    (
        r"\[8, 4, 3, 3\].*\[2, 3, 40, 56\].* but got 3 ",
        "the second block gets the image: go through all of self.down, each with what came before",
    ),
    (
        r"\[8, 4, 3, 3\].* but got 3 ",
        "what a block gives is lost: x = block(x), and then x = self.pool(x)",
    ),
    (r"\[32, 16, 3, 3\].* but got 3 ", "self.down begins at the top already: take it in order"),
    (r"\[4, 3, 3, 3\].* but got", "the image goes in as it is, with its channels"),
    (r"\[16, 32, 3, 3\].* but got 48", "each step takes a skip of its own: skips.pop()"),
    (r"\[64, 32, 3, 3\].* but got 64", "self.bottleneck is called once"),
    (
        r"\[64, 32, 3, 3\].* but got [48] ",
        "the bottleneck comes once, behind the last level: x = self.bottleneck(x) after the loop",
    ),
    (r"\[64, 32, 3, 3\].* but got 3 ", "the bottleneck gets what came down, pooled, no image"),
    ("too small", "pool once a level: four times in all"),
    (
        r"\[19, 4, 1, 1\].* but got 8",
        "a step up is left out: go through all of self.up, with a skip each",
    ),
    (r"\[19, 4, 1, 1\].* but got 3 ", "the head gets what the last step up gives, not the image"),
    (
        r"\[19, 4, 1, 1\].* but got 64",
        "the way up is left out: x = up(x, skip), for each of self.up",
    ),
    (
        r"\[19, 4, 1, 1\].* but got",
        "the head gets a map from half-way: `return` stands inside the loop, or a skip is missing",
    ),
    (
        r"\[64, 32, 2, 2\], expected input\[2, 32, 2, 3\]",
        "the bottleneck is left out: x = self.bottleneck(x)",
    ),
    (r"\[64, 32, 2, 2\]", "a step up takes what comes from below first, then the skip"),
    (r"\[8, 4, 2, 2\].* 64 channels", "self.up begins at the bottom already: take it in order"),
    (r"\[64, 32, 3, 3\].* but got 16", "a level of self.down is left out: go through all"),
    (
        r"\[32, 64, 3, 3\].*\[2, 48, 10, 14\].* but got 48",
        "the skip of the last level is missing: the first step up takes what the last block gave",
    ),
    (r"\[32, 64, 3, 3\].* but got 48", "keep each skip after its block, not what goes into it"),
    (r"\[32, 64, 3, 3\].* but got 35", "a skip is what a block gave, not the image"),
    (r"\[32, 16, 2, 2\].* 64 channels", _UNRAISED),
    (r"\[32, 64, 3, 3\].* but got 96", "the skip is what you kept on the way down, not x"),
    (r"Sizes of tensors|tensor a \((3|7)\) must match .*\((3|7)\)", _ITSELF),
    ("same number of dimensions", "`+=` takes the images of a map apart: skips.append(x)"),
    ("'NoneType' object is not (iterable|rev)", "`reverse()` gives None: take reversed(skips)"),
    ("missing 1 required .*'skip'", "each step up takes two maps: up(x, skip)"),
    ("'DoubleConv' object has no attribute", "a skip is what a block gave, and not the block"),
    (
        "channels, but got|[Nn]egative|padding",
        "a map does not fit its skip: the last skip comes first",
    ),
)


#: What the parts of a U-Net of four levels get.
GETS = {
    "down.0": "the image",
    **{f"down.{i}": f"what down.{i - 1} gives, pooled" for i in (1, 2, 3)},
    "bottleneck": "what down.3 gives, pooled",
    "up.0": "what the bottleneck gives, then what down.3 gave",
    **{f"up.{i}": f"what up.{i - 1} gives, then what down.{3 - i} gave" for i in (1, 2, 3)},
    "head": "what up.3 gives",
}

#: What the parts of one step up get.
STEP_GETS = {"up": "what comes from below", "conv": "the skip and the raised map, side by side"}
#: Shapes that are not (2, 19, 40, 56), where an image is (2, 3, 40, 56) and the first width is 4.
_SHAPES = {
    (2, 4, 40, 56): "the head is left out: return self.head(x)",
    (2, 40, 56): "one number a pixel: return a score for each class, and leave the arg-max out",
    (2, 19, 32, 48): "the skips are missing, and with them odd sizes: a step up is up(x, skip)",
    (2, 19, 80, 112): "twice the size of the image: the last step up has its size already",
}


def misshaped(unet: Any, image: Tensor, shape: tuple[int, ...]) -> str:
    """What is behind a shape that a student's U-Net gives; "" if none of the known mistakes is."""
    if shape != (2, 19, 20, 28):
        return _SHAPES.get(shape, "")
    took: list[tuple[int, ...]] = []
    hooks = [
        part.register_forward_pre_hook(lambda _, args: took.append(tuple(args[-1].shape[2:])))
        for part in (unet.down[0], unet.up[0])
    ]
    unet(image)
    for hook in hooks:
        hook.remove()
    if took[0] != (40, 56):
        return "half the size of the image: pool after each block, not before it"
    if took[-1] == (5, 7):
        return "half the size of the image: nothing is pooled on the way up"
    return "half the size of the image: keep each skip before you pool it"


def passed_otherwise(unet: Any, image: Tensor) -> Mistakes:
    """Known mistakes in the way through a U-Net, whose parts these are."""
    right = unet(image)
    found: Mistakes = [
        (right.softmax(1), "these are probabilities: return logits, the loss applies the softmax"),
        (right.softmax(-1), "a softmax along the width stands at the end: return logits"),
        (right.log_softmax(1), "these are log-probabilities: return logits, raw scores"),
        (right.sigmoid(), "a sigmoid stands at the end: return logits, raw scores"),
        (right.relu(), "a ReLU after the head cuts negative scores off: leave it out"),
        (unet(image / 255), "the image is whitened already: take it as it comes"),
    ]
    pool, bottleneck = unet.pool, unet.bottleneck
    unet.pool = nn.Identity()
    found += [(unet(image), "nothing was pooled: x = self.pool(x), once a level")]
    unet.pool = nn.AvgPool2d(2)
    found += [(unet(image), "pooling takes the largest, no mean: x = self.pool(x)")]
    unet.pool, unet.bottleneck = pool, nn.Sequential(pool, bottleneck)
    found += [(unet(image), "pooled once too often: four times, not before the bottleneck again")]
    unet.bottleneck = bottleneck
    hooks = [
        up.register_forward_pre_hook(lambda _, args: (args[0], torch.zeros_like(args[1])))
        for up in unet.up
    ]
    found += [(unet(image), "the skips have no effect: hand each step its own")]
    for hook in hooks:
        hook.remove()
    return found
