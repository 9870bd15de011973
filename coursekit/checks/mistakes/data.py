"""Known mistakes in the exercises of lesson 01: what each of them gives, and what to say of it."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from coursekit import labels
from coursekit.checks.crashes import is_students

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Mistakes = list[tuple[Any, str]]

_CLOSED = "the file is closed by then: make the array inside the `with`"
_LEFT_IN = "255 is no class: take it out before you count"
_FLAT = "`np.bincount` wants a flat array: `.ravel()`"
_APART = "these are the counts of each map apart: add them up"
_SEVERAL = "the images differ in size and make no one array: flatten each, then join them"
_MASK = "both sides want the mask: `weights[present] = 1 / np.log(counts[present] + epsilon)`"


def _own(error: BaseException) -> bool:
    """Whether it was raised in a student's own line, and not in what that calls."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return is_students(frame.f_code)


def _raised(error: BaseException) -> bool:
    """Whether a student's own `raise` is behind it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return _own(error) and "raise " in (place.line or "")


def _raised_at_l(error: BaseException) -> bool:
    """Whether it is so where the check's file of mode L is read."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return _raised(error) and "L.png" in {getattr(v, "name", "") for v in frame.f_locals.values()}


def _in_colours(error: BaseException) -> bool:
    """Whether it is raised where a file has come as an array with colours."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return any(isinstance(one, np.ndarray) and one.ndim == 3 for one in frame.f_locals.values())


def _of_eleven(error: BaseException) -> bool:
    """Whether counts do not fit where there are 11 classes, and those of 19 did."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return "broadcast" in str(error) and frame.f_locals.get("num_classes") == 11


def _less_one(error: BaseException) -> bool:
    """Whether 1 is taken from an id that is an index; in uint8, 0 - 1 is 255."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return "index 255" in str(error) and bool(re.search(r"\[[^\]]*- ?1\]", place.line or ""))


#: What ends in an exception, by exercise, each as `Check.crashes` takes it.
CRASHES: dict[str, tuple[Any, ...]] = {
    "read-mask": (
        (ValueError, "closed image", _CLOSED),
        (AssertionError, lambda error: not _own(error), _CLOSED),
        (AssertionError, _own, "this file is of mode L or P, and an `assert` of yours stops it"),
        (
            TypeError,
            "'str' object is not callable",
            "`picture.mode` is a string: no brackets after it",
        ),
        (
            AttributeError,
            "ndarray.*'mode'",
            "an array has no mode any more: open the file with `Image.open`",
        ),
        (
            ValueError,
            _in_colours,
            "this file is of mode P, and was opened as colours: `Image.open`, and no `convert`",
        ),
        (
            Exception,
            _raised_at_l,
            "this file is of mode L (a capital letter): it should be read, as those of mode P",
        ),
        (Exception, _raised, "this file is of mode P: it should be read, as those of mode L"),
        (ValueError, "^", "this file is of mode L or P: it should be read"),
    ),
    "refused": (
        (AssertionError, "^", "a file that is neither L nor P: raise a ValueError, no assert"),
        (Exception, "^", "a file that is neither L nor P: raise a ValueError, no other error"),
    ),
    "count-classes": (
        (IndexError, _less_one, "class 0 is the first, at place 0: take no 1 away"),
        (IndexError, "index 255", _LEFT_IN),
        (IndexError, "index 11 .* size 11", "more classes than `num_classes` are gone through"),
        (ValueError, r"\(256,\)", _LEFT_IN),
        (ValueError, r"\(20,\)", "there is a count more than classes: minlength=num_classes"),
        (ValueError, _of_eleven, "here are 11 classes: write 19 nowhere, take `num_classes`"),
        (
            ValueError,
            r"broadcast.*\((11|1),\)",
            "maps without the last classes give shorter counts: use minlength",
        ),
        (ValueError, "broadcast", "a count for each class, no more and no fewer"),
        (ValueError, "object too deep", _FLAT),
        (
            ValueError,
            "must match exactly",
            "maps differ in size: flatten each of them before you join them",
        ),
        (
            ValueError,
            "inhomogeneous|the same shape",
            "these make no one array, since they differ in length",
        ),
        (
            ValueError,
            "too small depth",
            "second, `np.bincount` takes weights: write `minlength=num_classes` out",
        ),
        (TypeError, "unexpected keyword", "the length of the counts is called `minlength`"),
    ),
    "class-weights": (
        (ValueError, "boolean array|could not broadcast", _MASK),
        (
            IndexError,
            "boolean index did not match",
            "there may be other than 19 classes: as many weights as counts, `len(counts)`",
        ),
        (
            (ValueError, MemoryError),
            "too (big|large)|allocate|allowed dimension|negative dimension",
            "an array takes its length from `len(counts)`, not from the counts",
        ),
    ),
    "whitening": (
        (ValueError, "inhomogeneous|must match exactly|the same shape", _SEVERAL),
        (
            ValueError,
            r"\(8,8,3\) \(16,24,3\)",
            "images differ in size: sum each over its own pixels first",
        ),
        (ValueError, r"\(256,\) \(\d+,\)( |$)\(256,\)", "use minlength=256: not all greys occur"),
        (
            ValueError,
            r"\(256,\) \(3,\)",
            "256 values and 3 means do not fit: `histogram @ values**2 / total - mean**2`",
        ),
        (ValueError, r"\(3,\) \(256,\)", "a total for each channel: sum its 256 counts"),
        (ValueError, "object too deep", _FLAT),
        (TypeError, "Cannot cast", "sums outgrow small whole numbers: a histogram of `np.zeros`"),
    ),
    "resize-and-mirror": (
        (
            IndexError,
            "size (64|96|192)$",
            "ids are looked up in the table, and no table in the map: `table[label_map]`",
        ),
        (IndexError, "out of bounds", "255 has no entry in your table: make it 256 long"),
        (TypeError, "unhashable", "a dict takes one id at a time: an array is a table for all"),
        (
            TypeError,
            "boolean array indexing assignment",
            "`ids == a` is True and False: it says where, and what is put there is the id `b`",
        ),
        (cv2.error, "dsize", "`cv2.resize` takes width and height: `(size, size)`"),
        (
            ValueError,
            "cannot resize an array",
            "an array's own `resize` keeps no picture: `cv2.resize(picture, (size, size), …)`",
        ),
        (cv2.error, r"func != 0|depth|Ptr<cv", "`cv2.resize` takes uint8: convert nothing before"),
    ),
    "suspects": (
        (TypeError, "unhashable", "a set's `add` takes one thing, `update` takes several"),
        (TypeError, "'Report' object", "go through `report.findings`"),
        (AttributeError, "'tuple' .*'(stem|split)'", "`names` are several: take each one's stem"),
        (TypeError, "not tuple", "`names` are several: take each one's stem"),
        (
            KeyError,
            "^'(constant-mask|no-eyes)'$",
            "a kind is not there when it is first met: `found.setdefault(kind, set())`",
        ),
        (AttributeError, "'str' .*'stem'", "a name is a string: `Path(name).stem`"),
        (AttributeError, "'list' .*'(add|update)'|'set' .*'append'",
         "a set has `add` and `update`, a list `append` and `extend`"),
    ),
}  # fmt: skip


def unrefused(read: Callable[[Path], Any], path: Path, mode: str) -> str:
    """What is wrong with the way a file without ids is refused, in words; "" if nothing is."""
    try:
        given = read(path)
    except ValueError:
        return ""
    if isinstance(given, (Exception, type)):
        return "the error is given back like an answer: `raise`, not `return`"
    return f"a file of mode {mode} is read: raise a ValueError, only L and P hold ids"


def misread(path: Path, ids: NDArray[np.uint8], colours: NDArray[np.uint8]) -> Mistakes:
    """What is taken for the ids in a file of mode P."""
    with Image.open(path) as picture:
        greys = np.array(picture.convert("L")), cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return [
        *((grey, "palette entries were turned into grey: skin, 1, became 61") for grey in greys),
        *(
            (one[ids], "this is a colour of the palette: without any `convert` you have its index")
            for one in colours.T
        ),
        (
            (colours[ids][..., None, :] == labels.CELEBAMASK_HQ.palette_array()).all(-1).argmax(-1),
            "ids are looked up by their colours, which another file may choose: take them as read",
        ),
    ]


def sized_otherwise(classes: int) -> dict[int, str]:
    """What is behind so many counts in all, where there should be one for each class."""
    return {
        256: f"there are 256 entries: {_LEFT_IN}",
        11: "the counts end at the largest id there: use minlength",
        19: "there are 19 entries, and num_classes is 11: use the argument",
        2 * classes: _APART,
        classes + 1: "there is a count more than classes: unknown pixels count nowhere",
        3: "only classes that occur have a count: give one for each, 0 for the others",
    }


def counted_otherwise(right: NDArray[np.int64], maps: list[NDArray[np.uint8]]) -> Mistakes:
    """Known mistakes in the counts of two maps, the second of which is all background."""
    ids = np.arange(len(right))
    flat = np.concatenate([one.ravel() for one in maps])
    unknown = np.count_nonzero(flat == 255)
    mask = np.where(ids == 0, unknown, np.where(ids == 1, len(flat) - unknown, 0))
    till = [[row[: np.argmax(np.append(row, 255) == 255)] for row in one] for one in maps]
    ends = [one.ravel()[: np.argmax(np.append(one, 255) == 255)] for one in maps]
    images = np.sum([[(one == c).any() for c in ids] for one in maps], axis=0)
    each = [np.bincount(one[one != 255]) for one in maps]
    front = sum(np.resize(np.append(n[n > 0], 0 * ids), len(ids)) for n in each)
    return [
        (
            images,
            "you counted images that show a class, not its pixels: `counts[ids] += 1` adds 1 once",
        ),
        (
            front,
            "counts of the ids that occur stand in a row: each belongs at its id, `counts[ids]`",
        ),
        (right + unknown * (ids == 0), "255 was counted as background: nothing is known there"),
        (right / right.sum(), "these are shares: keep pixels, Eq. 2 needs them"),
        (right * (ids > 0), "class 0 is left out: it counts like the others"),
        (
            right * (ids < 10),
            "the last class is left out: ids go up to num_classes - 1"
            if len(ids) == 11
            else "ids from 10 on are left out: they go up to num_classes - 1",
        ),
        (np.append(right[1:], 0), "class 0 is the first: these counts begin with class 1"),
        (
            np.where(ids > 0, 0, np.sum(maps[1] == 0)),
            "only the last map is counted: add up all, from the first on",
        ),
        (np.cumsum(right), "smaller ids are counted, too: `==` asks for one id"),
        (np.where(ids > 0, right, np.sum(maps[0] == 0)), "only the first map is counted"),
        *(
            (
                np.bincount(np.concatenate(some), minlength=len(ids)),
                f"{what} a 255 is not counted: leave out this pixel (`continue`), not the rest",
            )
            for what, some in (
                ("what follows", ends),
                ("of each row what follows", [r for m in till for r in m]),
            )
        ),
        (right > 0, "each count is set to 1: add 1 for every pixel, `+= 1`"),
        (right / len(maps), "this is a mean of the maps: add them up"),
        (mask, "True and False were counted: take the pixels, `label_map[label_map != 255]`"),
        *(
            (
                np.histogram(pixels, bins=len(right))[0],
                "`np.histogram` spreads its bins over the ids that occur: take bincount",
            )
            for pixels in (flat, flat[flat != 255])
        ),
    ]


def weighted_otherwise(counts: NDArray[np.int64]) -> Mistakes:
    """What is taken for the weights of Eq. 2 of classes that all occur."""
    share = counts / counts.sum()
    with np.errstate(all="ignore"):
        raw = [
            (
                1 / np.log(share + 1e-6),
                "f_c was made a share: logarithms are negative, order turns",
            ),
            (1 / np.log(share), "f_c was made a share: logarithms are negative, order turns"),
            (1 / counts, "this is the direct inverse: the logarithm is missing"),
            (np.log(counts), "large classes weigh most: it is 1 / log"),
            (np.asarray(counts), "these are shares: the weights are of 1 / log"),
            (counts**-0.5, "this is 1 / √f: take the logarithm, no root"),
            (1 / np.log(1 / counts + 1e-6), "the logarithm is of f_c, not of 1 / f_c"),
            (1 - share, "this is 1 minus the share: the weights are of 1 / log"),
            (
                1 / np.log(counts / counts.max() + 1e-6),
                "f_c was divided by the largest: its logarithm is 0, so that this class weighs all",
            ),
            (
                np.exp(1 / np.log(counts)),
                "a softmax is no division by the sum: Eq. 2 takes no exp",
            ),
            (share.max() / share, "this is the direct inverse: the logarithm is missing"),
            (-np.log(share), "this is -log of the share: the weights are of 1 / log of the count"),
            (1 / np.log(counts) ** 2, "the logarithm is taken twice: 1 / log, once"),
        ]
        logs = np.log(counts)
        sums = [1 / logs / logs.sum(), logs.sum() / logs]
    own = (np.ones(len(counts)), "each is divided by itself: the sum goes over all classes")
    summed = "the second factor has the sum of all 1 / log, not of the logarithms"
    scaled = [(one / one.sum(), words) for one, words in raw]
    return [own, *((one, summed) for one in sums), *scaled]


def epsilon_otherwise(few: NDArray[np.int64], epsilon: float) -> Mistakes:
    """Known mistakes with another ε, for one pixel of the first class."""
    inside = "epsilon is added to the count, inside the logarithm"
    with np.errstate(all="ignore"):
        raw = [
            (1 / np.log(few + 1), "1 was added to the counts: add epsilon"),
            (1 / (np.log(few) + epsilon), inside),
            (1 / np.log(few + 1e-6), "`epsilon` has no effect: 1e-6 is written in"),
            ((few > 1) * 1.0, "one pixel is not none: a class occurs from 1 pixel on"),
            (1 / np.log(few), f"log(1) is 0, and nothing is divided by it: {inside}"),
        ]
    return [(one / one.sum(), words) for one, words in raw]
