"""Where answers of lesson 01 leave the right way, when small questions are put to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.checks.mistakes.named import numbers, tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


def counted_apart(count: Callable[..., Any], classes: int) -> str:
    """Where counting goes wrong, found by small maps; "" if they show nothing."""
    every, three = np.arange(classes, dtype=np.uint8)[None], np.full((1, 3), 3, dtype=np.uint8)
    for maps, right, words in (
        ([every], np.ones(classes), "where each class has one pixel, each count is 1"),
        ([three], 3 * np.eye(classes)[3], "three pixels of class 3 are 3, and all else is 0"),
        ([three, every], 3 * np.eye(classes)[3] + 1, "one map is right, two are not: add them up"),
        ([every, three], 3 * np.eye(classes)[3] + 1, "one map is right, two are not: add them up"),
        (
            [np.append(three, [[255]], 1)],
            3 * np.eye(classes)[3],
            "three pixels of class 3 beside a 255 are 3: leave out that pixel, no other",
        ),
    ):
        got = tried(count, maps, classes)
        if got is None or got.shape != right.shape or (got != right).any():
            return words if got is None else f"{words}; yours begin with {numbers(got.ravel()[:4])}"
    return ""


def weighted_apart(weigh: Callable[..., Any]) -> str:
    """Where weights that sum to 1 are wrong; "" if two classes do not show it."""
    got = tried(weigh, np.array([10, 1000]))
    if got is None or got.shape != (2,) or abs(got.sum() - 1) > 1e-6 or abs(got[0] - 0.75) < 1e-5:
        return ""
    return (
        f"1 / log of 10 and of 1,000 pixels are 3 to 1, weights of 0.75 and 0.25: yours are "
        f"{numbers(got)}"
    )


def whitened_apart(whiten: Callable[..., Any], which: int) -> str:
    """Where the mean (0) or the deviation (1) goes wrong, found by small images; "" if nowhere."""
    colour = np.array([51, 102, 153], dtype=np.uint8)
    one = np.tile(colour, (2, 2, 1))
    two, large = one * np.array([[[1], [1]], [[1], [0]]], np.uint8), np.tile(colour, (4, 6, 1))
    what, units = ("mean", "deviation")[which], colour / 255
    part = units * (3 / 4, 3**0.5 / 4)[which]
    for images, right, words in (
        ([one], units * (1 - which), f"the {what} of one image of one colour is wrong"),
        ([two], part, f"the {what} of one image is right for one colour, not for two"),
        ([two, two], part, f"the {what} of one image is right, of the same twice it is not"),
        (
            [one, 0 * one],
            units / 2,
            f"the {what} is wrong where images differ: all pixels of all images count alike",
        ),
        (
            [large, 0 * one],
            units * (6 / 7, 6**0.5 / 7)[which],
            f"the {what} is wrong where images differ in size: all pixels count alike",
        ),
    ):
        got = tried(lambda given: whiten(given)[which], images)
        if got is None or got.shape != (3,) or not np.allclose(got, right, atol=1e-5):
            shown = (
                "" if got is None else f": {numbers(got.ravel()[:3])}, expected: {numbers(right)}"
            )
            return words + shown
    return ""


def misresized(small: NDArray[np.uint8], got: NDArray[np.uint8], sides: Any) -> str:
    """What is wrong with a label map made three times as high and twice as wide; "" if nothing."""
    right = small.repeat(3, 0).repeat(2, 1)
    for wrong, words in (
        (sides[right], "sides change names in a picture that is not mirrored, too"),
        (right[:, ::-1], "the label map is mirrored, and `mirrored` is False"),
        (sides[right[:, ::-1]], "the label map is mirrored, and `mirrored` is False"),
        (np.resize(small, right.shape), "`np.resize` repeats pixels in a row: `cv2.resize`"),
        (np.zeros_like(right), "all is background: what did you resize?"),
    ):
        if np.array_equal(got, wrong) and not np.array_equal(got, right):
            return words
    return ""


def misturned(image: Any, got: Any) -> str:
    """What is wrong with a mirrored image, in words; "" if it is none of the known mistakes."""
    colours = "colours changed places: turn the columns alone, [:, ::-1]"
    for wrong, words in (
        (image, "the image is not mirrored"),
        (image[::-1], "the image stands on its head: turn the columns, not the rows"),
        (image[::-1, ::-1], "the image was turned by half: turn the columns alone"),
        (image[..., ::-1], colours),
        (image[::-1, ::-1, ::-1], colours),
        (image[:, ::-1, ::-1], colours),
        (image.swapaxes(0, 1), "rows and columns have changed places: `[:, ::-1]`, no transpose"),
    ):
        if np.array_equal(got, wrong) and not np.array_equal(got, image[:, ::-1]):
            return words
    return ""


def _swapped_unturned(ids: Any, sides: Any) -> Iterator[Any]:
    """Mirrored label maps whose pairs were looked for in the map that is not turned."""
    for own in (ids[:, ::-1].copy(), ids.copy()[:, ::-1]):
        old = ids if own.base is None else own.base  # a view, too: what is set there turns up here
        for a in (4, 6, 8):
            own[old == a] = sides[a]
            own[old == sides[a]] = a
        yield own


def misnamed(ids: Any, got: Any, sides: Any) -> str:
    """What is wrong with a mirrored label map, in words; "" if it is none of the known mistakes."""
    if np.array_equal(got, sides[ids[:, ::-1]]):
        return ""
    for wrong, words in (
        (ids, "the label map is not mirrored"),
        (ids[:, ::-1], "left and right kept their names: swap the ids of the pairs"),
        (sides[ids], "the ids changed places, and the label map is not mirrored"),
        (sides[ids[::-1]], "the label map stands on its head: turn the columns, not the rows"),
        (sides[ids[::-1, ::-1]], "the label map was turned by half: turn the columns alone"),
    ):
        if np.array_equal(got, wrong):
            return words
    if any(np.array_equal(got, wrong) for wrong in _swapped_unturned(ids, sides)):
        return "the ids of the pairs are looked for in the map before it was turned: turn it first"
    lost = {*np.unique(ids).tolist()} - {*np.unique(got).tolist()}
    if lost - {*range(4, 10)}:
        return (
            f"classes {sorted(lost)} are gone, and `PAIRS` alone get other names: a table that "
            "begins with `np.arange(256, …)` keeps all else"
        )
    turned, pairs = ids[:, ::-1], [(a, int(sides[a])) for a in range(19) if sides[a] > a]
    kept = [
        pair for pair in pairs
        if np.isin(turned, pair).any() and all((got[turned == c] == c).all() for c in pair)
    ]  # fmt: skip
    if kept and np.array_equal(np.where(np.isin(turned, kept), sides[got], got), sides[turned]):
        return f"of the pairs {kept} the ids are not swapped: each of `PAIRS`, and each once"
    if lost:
        return "both sides have one name: use a table, both ways: `table[a], table[b] = b, a`"
    return ""


def misfound(found: dict[str, Any]) -> str:
    """What is wrong with the suspects of the check's report, in words; "" if nothing is."""
    known = {"constant-mask": {"912", "77", "345", "1000"}, "no-eyes": {"512", "601", "700"}}
    for kind, stems in found.items():
        if not all(isinstance(stem, str) for stem in stems):
            return "a stem is a string, such as '912'"
        if stems and all(len(stem) == 1 for stem in stems):
            return "these are single characters: a set's `update` and `sorted` take a text apart"
        if {*"/."} & {*"".join(stems)}:
            return "these are paths: take the stems alone"
        if not {*stems} <= known[kind]:
            odd = sorted({*stems} - known[kind])
            if {*odd} <= set().union(*known.values()):
                return f"{odd} are of another kind than {kind}: group by the kind of each finding"
            if "888" in odd:
                return "notes are in it, of another kind: only errors and warnings are suspects"
            return f"{odd} are no stems of {kind}: of 'train/masks/7.png' it is '7'"
    got, eyes = found.get("constant-mask", ()), found.get("no-eyes", ())
    if {*got} == {"345"} and not eyes:
        return "only what all findings of a kind share is kept: join them, with `update` or `|`"
    for wrong, words in (
        ({"1000", "345"}, "an earlier finding of a kind is replaced or left out: join all of them"),
        ({"912", "77", "345"}, "a later finding of its kind is left out: join them"),
        ({"912", "1000"}, "only one file of each finding is taken: go through all names"),
        ({"345"}, "only the last of several files is kept: collect all of them"),
        ({"77", "345", "1000"}, "the first file of each kind is left out: it counts, too"),
        ({"77", "345"}, "the first file of each finding is left out: go through all names"),
        ({"912", "77", "1000"}, "the last file of each finding is left out: go through all names"),
    ):
        if {*got} == wrong:
            return words
    for wrong, words in (
        ({"601"}, "warnings are missing: errors and warnings of a kind count alike"),
        ({"512"}, "errors are missing: errors and warnings of a kind count alike"),
    ):
        if {*eyes} == wrong:
            return words
    if "700" in eyes:
        return "notes are in it, of a kind that has errors, too"
    if any(len({*stems}) < len(stems) for stems in (got, eyes)):
        return "a file is there twice: collect the stems in a set"
    if any(list(stems) != sorted(stems) for stems in (got, eyes)):
        return "the stems of a kind should be sorted, as strings: `sorted(…)`"
    return ""
