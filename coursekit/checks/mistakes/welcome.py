"""Known mistakes in the exercises of lesson 00: what each of them gives, and what to say of it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.labels import CELEBAMASK_HQ as LABELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ids = NDArray[np.uint8]
    Mistakes = list[tuple[Any, str]]

#: Shapes of a picture that is not (256, 300, 3).
PICTURES = {
    (76800, 3): "the picture was flattened: index with the label map as it is",
    (19, 3): "this is the palette: look a colour up for each pixel",
    (3,): "this is one colour: look one up for each pixel",
    (3, 256, 300): "the three numbers of a colour come last: (H, W, 3)",
    (256, 300): "one number for each pixel: a colour has three, a whole row of the palette",
    (256, 300, 1): "one number for each pixel: a colour has three, a whole row of the palette",
    (256, 300, 4): "four numbers for each pixel: red, green and blue are three",
}
#: What ends in an exception: its kind, its cause, what to say.
CRASHES: dict[str, tuple[tuple[Any, Any, str], ...]] = {
    "paint": (
        (
            IndexError,
            "axis [01] with size (256|300)",
            "past the end of a row or column: shape[0] counts the rows, shape[1] the columns",
        ),
        (IndexError, "axis 0 with size 19", "take class numbers as they are: nothing is added"),
        (
            IndexError,
            "axis . with size 3",
            "a class's colour is a row of the palette: no `.T`, and no colon in front",
        ),
        (
            ValueError,
            "boolean array indexing",
            "a pixel of the label map holds one number, and no colour: fill a new picture",
        ),
        (
            ValueError,
            "not be broadcast",
            "look colours up: nothing is multiplied, added or compared",
        ),
        (TypeError, "not callable", "look up with square brackets"),
    ),
    "count-pixels": (
        (
            IndexError,
            lambda error: "delete" in [f.name for f in traceback.extract_tb(error.__traceback__)],
            "`np.delete` takes places, not values: `label_map[label_map != 255]`",
        ),
        (
            IndexError,
            "index 255 .* size 6",
            "255 has no place in your result; in uint8, 0 - 1 is 255, too: class c has place c",
        ),
        (IndexError, "out of bounds", "a class number, or 255, has no place in your result"),
        (ValueError, "object too deep", "`np.bincount` wants a flat array: `.ravel()`"),
        (
            ValueError,
            "object of too small depth",
            "what comes second are weights: name the other argument, `minlength=num_classes`",
        ),
        (AttributeError, "'count'", "an array has no `count`: add up where `label_map == c`"),
    ),
    "mirror": (
        (
            IndexError,
            "255 is out of bounds",
            "255 has no place in your table: it needs 256 entries",
        ),
        (
            TypeError,
            "integer scalar arrays",
            "a table is an array: `np.arange(256, dtype=np.uint8)`",
        ),
    ),
}
#: What is taken for the counts of four classes in the map [[3, 255, 3], [3, 0, 255]].
OPEN: Mistakes = [
    ([1, 0, 0, 5], "the 255s were counted as the last class: leave them out"),
    ([3, 0, 0, 3], "the 255s were counted as background: nothing is known there"),
    ([1, 0, 0, 3, 2], "the 255s were counted as one more class, the fifth of four: leave them out"),
    ([1, 0, 0, 3, *[0] * 251], "255 places: there are `num_classes`"),
    ([3, 2, 2, 5], "the 255s were counted in every class: leave them out"),
    ([-1, 0, 0, 3], "the 255s were taken off background: they were never in it"),
    ([1, 0, 0, 1], "the 255s were taken off the last class: they were never in it"),
    (
        [0, 0, 0, 1],
        "counting ends at the first 255: leave out this pixel (`continue`), not the rest",
    ),
    (
        [1, 0, 0, 2],
        "of each row what follows a 255 is lost: leave out this pixel (`continue`), not the rest",
    ),
    ([0, 0, 0, 0], "nothing is counted where 255 occurs: only those pixels are left out"),
    ([0, 0, 0, 2], "these are the 255s: all other pixels are counted"),
    ([1, 0, 0, 0], "the last class is not counted: `range(num_classes)` ends with it"),
    ([0, 0, 0, 3], "background, class 0, was left out as if nothing were known there: only 255 is"),
]


def mispainted(ids: Ids, palette: NDArray[np.uint8]) -> Mistakes:
    """What is taken for a label map (H, W) in the palette's colours."""
    right = palette[ids]
    grey = np.repeat(ids[..., None], 3, axis=2)
    scaled = "the colours are divided by 255: keep the palette's own numbers and type"
    ends = [(ids == c)[..., None] for c in (0, len(palette) - 1)]  # pixels of the first, the last
    uncoloured = [np.where(end, 0, right) for end in ends]
    alone = [np.where(end, right, 0) for end in ends]
    return [
        (
            ids[palette],
            "you looked the colours up in the label map: it is the palette that is looked up in",
        ),
        (ids, "this is still the label map: each pixel needs three numbers"),
        (grey, "the class number became a brightness, so the picture is nearly black"),
        (right.swapaxes(0, 1), "rows and columns changed places: the picture lies on its side"),
        (right / 255, scaled),
        (right * np.uint8(255), "the colours go from 0 to 255 already: nothing is multiplied"),
        (right * grey, "the colours are multiplied by the class numbers: look up, no more"),
        (right[..., ::-1], "red and blue have changed places: keep the palette's order"),
        (right[::-1], "the picture stands on its head: keep the rows' order"),
        (right[:, ::-1], "the picture is mirrored: keep the columns' order"),
        (right[::-1, ::-1], "the picture is turned round: keep rows and columns"),
        (palette[::-1][ids], "the classes are counted backwards: class 0 has the first colour"),
        (
            palette[(ids + 1) % len(palette)],
            "each class has the next one's colour: class 0 has the first",
        ),
        (
            palette[(ids + len(palette) - 1) % len(palette)],
            "each class has the colour before its own: class 0 has the first",
        ),
        (255 - right, "the colours are inverted"),
        (uncoloured[0], "class 0 gets no colour: begin with it"),
        (uncoloured[1], "the last class gets no colour: `range(19)` ends with 18"),
        (alone[0], "only class 0 gets a colour: does the `return` stand in the loop?"),
        (alone[1], "only the last class has a colour: keep what the classes before have painted"),
    ]


def miscounted(label_map: Ids, number: int) -> Mistakes:
    """What is taken for the pixels of each class; the map has no 255 in it."""
    right = np.bincount(label_map.ravel(), minlength=number)
    classes, seen = np.arange(number), right[right > 0]
    short = (
        "classes after the last one in the picture are missing: the result must have num_classes "
        "numbers"
    )
    gaps = (
        "absent classes have no place, so the others slid together: a class that is absent counts 0"
    )
    shares = (
        "these are shares of the picture: give the counts, and divide when all faces are added up"
    )
    spans = "np.histogram spreads its bins from the smallest to the largest number: use np.bincount"
    rows = [np.bincount(row, minlength=number) for row in label_map]
    columns = [np.bincount(column, minlength=number) for column in label_map.T]
    last = np.flatnonzero(right)[-1]
    alike = "the same count for all: compare with the class, `label_map == c`"
    return [
        (right[: label_map.max() + 1], short),
        (seen, gaps),
        (right / label_map.size, shares),
        (100 * right / label_map.size, "these are per cent: give the counts"),
        (right > 0, "this says which classes are present, not how often"),
        (
            np.bincount(label_map.ravel(), minlength=19),
            "there are not always 19 classes: use `num_classes`",
        ),
        (
            np.bincount(label_map.ravel(), minlength=256),
            "there are not always 256 classes: use `num_classes`",
        ),
        (right * classes, "the class numbers are added up: count the pixels"),
        *(
            (np.full(number, value), alike)
            for value in (np.count_nonzero(label_map), label_map.size, label_map.sum())
        ),
        (
            np.full(number, label_map.size // number),
            "this is the mean count: each class has its own",
        ),
        (
            np.full(number, len(label_map)),
            "the same count for all: `len` counts rows, or dimensions: add up `label_map == c`",
        ),
        (
            np.where(classes == 1, label_map.size, 0),
            "these are counts of True and False: `label_map[label_map != 255]` has the numbers",
        ),
        (rows[-1], "only the last row is counted: add up over all"),
        (rows[0], "only the first row is counted: go through all"),
        (sum(rows[:-1]), "the last row is not counted: `range(H)` ends with it"),
        (sum(rows[1:]), "the first row is not counted: begin with row 0"),
        (sum(columns[:-1]), "the last column is not counted: a row has label_map.shape[1] pixels"),
        (sum(columns[1:]), "the first column is not counted: begin with column 0"),
        (np.sign(rows).sum(0), "these are the rows with the class: count its pixels"),
        (np.sign(columns).sum(0), "these are the columns with the class: count its pixels"),
        (np.where(classes == last, 0, right), "the last class in the picture is not counted"),
        (right[:1], "only class 0 is counted: does the `return` stand in the loop?"),
        (right + 1, "one too many for each class: begin at 0"),
        (0 * right, "nothing is counted: `label_map != 255` is where the class is known"),
        (np.append(seen, 0 * right[seen.size :]), gaps),
        (np.bincount(label_map.ravel(), minlength=255), "255 places: there are `num_classes`"),
        (np.histogram(label_map, number)[0], spans),
        (
            np.histogram(label_map, number, (0, 255))[0],
            "the bins hold many numbers each: np.bincount",
        ),
        *_listed_otherwise(right, number),
        (label_map.size - right, "these are the pixels of all other classes"),
        (
            right[::-1].cumsum()[::-1],
            "the classes above are counted, too: `==` the class, no `>=`",
        ),
    ]


def _listed_otherwise(right: NDArray[np.intp], number: int) -> Mistakes:
    """The right counts, at other places."""
    classes = np.arange(number)
    return [
        (right[None], "one dimension too many: (num_classes,)"),
        (np.append(right, 0), "one place too many: num_classes numbers"),
        (np.where(classes > 0, right, 0), "background is a class, too: count it"),
        (
            np.where(classes == 0, right, 0),
            "only class 0 is counted: does the `return` stand in the loop?",
        ),
        (
            np.append(right[1:], 0),
            "counting begins at class 1: background, class 0, has the first place",
        ),
        (
            right[:-1],
            "a place is missing at the end: num_classes numbers (of np.histogram, one edge more)",
        ),
        (right[1:], "class 0, background, is a class: it has the first place"),
        (np.cumsum(right), "these add up from class to class: each count by itself"),
        (np.sort(right), "the counts are sorted: class c has place c"),
        (np.sort(right)[::-1], "the counts are sorted: class c has place c"),
        (right[::-1], "the counts stand in reverse: class c has place c"),
    ]


def misturned(image: Ids) -> Mistakes:
    """What is taken for the mirrored image (H, W, 3)."""
    right = image[:, ::-1]
    return [
        (image, "the image was not mirrored, so it no longer fits its label map"),
        (image[::-1], "the face stands on its head: turn the columns, not the rows"),
        (image[::-1, ::-1], "the face stands on its head: turn the columns alone"),
        (image[..., ::-1], "red and blue have changed places: turn the columns, which come second"),
        (image[::-1, ::-1, ::-1], "all three dimensions are turned round: the second alone"),
        (
            image[:, ::-1, ::-1],
            "red and blue have changed places as well: turn the second dimension alone",
        ),
        (image.swapaxes(0, 1), "rows and columns have changed places: turn each row round"),
        (np.rot90(image), "the image is turned by 90 degrees: turn each row round"),
        (right[:, :-1], "a column is lost: `[:, ::-1]` takes all of them"),
        (right[:, 1:], "a column is lost: `[:, ::-1]` takes all of them"),
        (np.roll(image, 1, 1), "the columns are moved on, not turned round"),
        (right / 255, "the image is divided by 255: keep its numbers and type"),
        (255 - right, "the image is inverted: turn it, no more"),
        (
            LABELS.mirror_table()[right],
            "the image holds colours, no classes: swap in the label map alone",
        ),
    ]


def mislabelled(ids: Ids, pairs: Sequence[tuple[int, int]]) -> Mistakes:
    """What is taken for the mirrored label map."""

    def table(chosen: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
        made = np.arange(256, dtype=np.uint8)
        for a, b in chosen:
            made[a], made[b] = b, a
        return made

    swap, flipped, named = table(pairs), ids[:, ::-1], {c for pair in pairs for c in pair}
    one_way, other_way = np.arange(256), np.arange(256)
    for a, b in pairs:
        one_way[b], other_way[a] = a, b
    kept = (
        "it was only turned round: what is now called left eye lies where right eyes lie. "
        "Swap pairs"
    )
    both = "both sides became one: your second swap undid the first, or is missing"
    others = np.where(np.isin(np.arange(256), [*named]), swap, 0)
    lips, ends = table([*pairs, (11, 12)]), table([*pairs, (0, 18)])
    mixed = flipped.copy()
    for a, b in pairs:  # found in the map as it was, written into the turned one
        mixed[ids == a] = b
        mixed[ids == b] = a
    found = [
        (flipped, kept),
        (swap[ids], "the classes were swapped, but the label map was not turned"),
        (ids, "the label map came back as it was: turn it, and swap pairs"),
        *[(each[flipped], both) for each in (one_way, other_way)],
        (lips[flipped], "upper and lower lip were swapped: l_lip is the lower lip, no side"),
        (ends[flipped], "classes without a side were swapped: exactly the given pairs"),
        (swap[ids[::-1]], "the label map stands on its head: turn its columns, as the image's"),
        (swap[ids[::-1, ::-1]], "the label map stands on its head: turn its columns alone"),
        (swap[np.roll(ids, 1, 1)], "the columns of the label map are moved on, not turned round"),
        (swap[ids.T], "rows and columns of the label map have changed places"),
        (mixed, "places were looked up before turning, and written after: turn first"),
        *[
            (
                table([pair])[flipped],
                "only one pair is swapped: go through all, and return after the loop",
            )
            for pair in pairs
        ],
        (table(pairs[:-1])[flipped], "the last pair is not swapped: go through all"),
        (
            others[flipped],
            "all other classes became 0: a table begins with every number at its own place",
        ),
        (np.where(flipped == 255, 0, swap[flipped]), "255 became background: it stays 255"),
        (np.where(flipped == 255, 18, swap[flipped]), "255 became a class: it stays 255"),
        *(
            (
                np.where(flipped == spare, pairs[0][1], swap[flipped]),
                f"{spare} is no free number to swap with: its pixels became class {pairs[0][1]}",
            )
            for spare in (255, 0)
        ),
    ]
    return [*found, *_shifted(flipped, pairs)]


def _shifted(flipped: Ids, pairs: Sequence[tuple[int, int]]) -> Mistakes:
    """What slips of the loop over pairs do to pixels of no pair."""
    chosen, moved = flipped.astype(int), flipped.copy()
    for a, b in pairs:
        chosen = np.where(chosen == a, b, a)
        moved = moved - np.uint8(a) + np.uint8(b)
    return [
        (chosen, "what was not a became a, too: other pixels keep their number"),
        (moved, "all numbers are shifted: those of the pair alone change"),
    ]
