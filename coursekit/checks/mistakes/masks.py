"""Known mistakes in a zip of masks, lesson 08: what each of them gives, and what to say of it."""

from __future__ import annotations

import zipfile
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    Array = NDArray[Any]
    Mistake = tuple[Any, str]

#: What stops the writing of a zip: an exception, its cause, and what to say.
UNWRITTEN: tuple[tuple[Any, str, str], ...] = (
    (TypeError, r"\(1, 1, \d+\), \|u1", "a mask is (H, W): take the image out of its batch, `[0]`"),
    (TypeError, "Cannot handle this data type", "an arg-max is int64: make the ids uint8"),
    (ValueError, "spatial dimensions",
     "F.interpolate wants a batch, `scores[None]`, and a size of height and width alone"),
    (ValueError, "to unpack", "logits is a dictionary: go through logits.items()"),
    (OSError, "cannot write mode", "ids are whole numbers: make them uint8"),
    (zipfile.BadZipFile, "not a zip", 'open target to write: zipfile.ZipFile(target, "w")'),
    (IndexError, "tuple index out of range", "a mask is (H, W): along which dimension is argmax?"),
    (FileNotFoundError, r"\.png", "`write` takes a file of the disk: `writestr` takes its bytes"),
    (TypeError, "'Image' has no len|BytesIO' has no len", "hand over the bytes: `png.getvalue()`"),
    (TypeError, "bytes-like object, not 'str'", "the name comes first, then the bytes"),
    (AttributeError, "'Tensor' object has no attribute 'astype'", "a tensor: `.numpy()` before"),
    (AttributeError, "__array_interface__", "Pillow takes an array, not a tensor: `.numpy()`"),
    (FileExistsError, "exists", 'what is there is written over: zipfile.ZipFile(target, "w")'),
    (NotImplementedError, "mode needs", 'a batch of maps is enlarged by mode="bilinear"'),
    (ValueError, "Invalid mode", "leave Pillow's mode out: it follows from uint8"),
    ((TypeError, AttributeError), "PathLike|BytesIO|PosixPath|WindowsPath",
     "target may be a path or in memory: hand it to zipfile.ZipFile as it is"),
)  # fmt: skip

#: Modes of masks, by Pillow, and what to say.
MODES = {"RGB": 'colours: read with .convert("P") class 1 becomes 14. Save the ids (H, W)',
         "P": 'a palette: read with .convert("L") class 1 becomes 61. Save the ids as they are',
         "1": "black and white only: save the ids as uint8",
         "I;16": "16 bits a pixel: make the ids uint8"}  # fmt: skip


def enlarged(
    scores: Tensor, classes: Sequence[int], mode: str = "bilinear", **more: bool
) -> NDArray[np.int64]:
    """Class ids (512, 512) from logits (19, h, w), as if these classes alone could win.

    A few of them take a fraction of the time of all.
    """
    large = F.interpolate(scores[list(classes)][None], size=(512, 512), mode=mode, **more)
    # `max` names the same places as `argmax`, in a fraction of its time.
    return np.array(classes)[large.max(1).indices[0].numpy()]


def mismasked(scores: Tensor, winners: Sequence[int], palette: Array) -> Iterator[Mistake]:
    """What is taken for every fourth row and column of the mask of logits (19, h, w)."""
    for ids, message in _masks(scores, winners, palette):
        yield ids[::4, ::4], message


def _masks(scores: Tensor, winners: Sequence[int], palette: Array) -> Iterator[Mistake]:
    """What is taken for all of it; what costs little comes first."""
    stairs = "boundaries are stairs: enlarge the logits bilinearly"
    stretched = "the ids were stretched to be seen: save them as they are"
    ids_of = partial(enlarged, scores, winners)
    right = ids_of()
    flat = "all is background: arg-max over the 19 classes, dimension 1 of `scores[None]`"
    yield 0 * right, flat
    yield right[::-1], "upside down"
    yield right[:, ::-1], "left and right are exchanged"
    yield right.T, "rows and columns swapped"
    yield right * 14, stretched
    yield right * 13, stretched
    yield right * 255 // 18, stretched
    yield right + 1, "ids begin at 0, which is the background: an arg-max is the id already"
    grey = np.asarray(Image.fromarray(palette[right]).convert("L"))
    yield grey, 'these are greys of colours: class 1 became 61. Save ids, without .convert("L")'
    for mode in ("nearest", "nearest-exact", "area"):
        yield ids_of(mode), stairs
    best = F.interpolate(scores[list(winners)][None], (512, 512), mode="bilinear").max(1)[0][0]
    yield best.byte(), "these are the largest scores: take their places, with argmax"
    for curve, name in ((scores.sigmoid(), "sigmoid"), (scores.softmax(0), "softmax")):
        said = f"probabilities: enlarge the logits, without a {name}"
        yield enlarged(curve, winners), said
    yield ids_of("bicubic"), "this is bicubic: enlarge bilinearly"
    yield ids_of(align_corners=True), "leave align_corners out: it moves every boundary"
    yield enlarged(scores, winners[1:]) - 1, "class 0, the background, is left out"
    yield enlarged(-scores, range(19)), "this is the class with the lowest score"
    turned = F.interpolate(scores.permute(1, 2, 0)[None], (512, 512), mode="bilinear")
    moved = "F.interpolate wants the classes first, as logits have them: leave out permute"
    yield turned.argmax(1)[0].numpy(), moved
    yield turned.argmax(-1)[0].numpy(), moved
