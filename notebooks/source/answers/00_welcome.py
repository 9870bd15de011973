"""Likely mistakes in lesson 00, and other ways to be right."""

from __future__ import annotations


def _paint(body: str) -> str:
    return f"def paint(label_map, palette):\n    {body}\n"


def _count(body: str) -> str:
    return f"def count_pixels(label_map, num_classes):\n    {body}\n"


def _mirror(*lines: str) -> str:
    body = "\n    ".join(lines)
    return f"def mirror(image, label_map, pairs):\n    {body}\n"


_TABLE = (
    "table = np.arange(256, dtype=np.uint8)",
    "for a, b in pairs:",
    "    table[a], table[b] = b, a",
)
_KNOWN = "label_map[label_map != 255]"

WRONG = {
    "paint": [
        (_paint("return label_map[palette]"), "looked the colours up in the label map"),
        (_paint("return np.stack([label_map] * 3, axis=-1)"), "became a brightness"),
        (_paint("return palette[label_map] / 255"), "divided by 255"),
        (_paint("return palette[label_map.T]"), "lies on its side"),
        (_paint("return label_map"), "still the label map"),
        (_paint("palette[label_map]"), "`return`"),
        (_paint("return palette[label_map].astype(float)"), "float64, expected: uint8"),
        (_paint("return palette[label_map][..., ::-1]"), "red and blue"),
        (_paint("return palette[label_map].transpose(2, 0, 1)"), "come last"),
        (_paint("return LABELS.palette_array()[label_map]"), "use the argument `palette`"),
        (_paint("return palette[label_map].tolist()"), "is a list, expected: an array"),
        (_paint("return palette[label_map.tolist()][::-1][::-1].astype(np.int64)"), "int64"),
        (_paint("return palette.take(label_map)"), "a whole row of the palette"),
        (_paint("label_map[0] = 0; return palette[label_map]"), "changes its argument `label_map`"),
        (_paint("return palette(label_map)"), "look up with square brackets"),
        (_paint("return palette[label_map] * 255"), "the colours go from 0 to 255 already: nothing is multiplied"),
        (_paint("return palette[label_map].astype(np.float32)"), "the type of your answer is float32, expected: uint8"),
        (_paint("return palette[label_map.ravel()]"), "the picture was flattened: index with the label map as it is"),
        (_paint("return np.array([palette[c] for c in range(19)])"), "this is the palette: look a colour up for each pixel"),
        (_paint("return palette[label_map + 1]"), "take class numbers as they are: nothing is added"),
        (_paint("return palette[18 - label_map]"), " classes are counted backwards: class 0 has the first colour"),
        (_paint("return palette[np.argmax(label_map)]"), "this is one colour: look one up for each pixel"),
        (_paint("return palette.T[label_map]"), "lour is a row of the palette: no `.T`, and no colon in front"),
        (_paint("return palette[label_map[::-1]]"), "the picture stands on its head: keep the rows' order"),
        (_paint("return palette[label_map[:, ::-1]]"), "the picture is mirrored: keep the columns' order"),
        (_paint("return palette[label_map] * label_map[..., None]"), "olours are multiplied by the class numbers: look up, no more"),
        (_paint("return np.dstack([palette[label_map], 255 * np.ones_like(label_map)])"), "four numbers for each pixel: red, green and blue are three"),
        (_paint("for c in range(19):\n        label_map[label_map == c] = palette[c]\n    return label_map"), "abel map holds one number, and no colour: fill a new picture"),
        (_paint("picture = np.zeros((*label_map.shape, 3), dtype=np.uint8)\n    for c in range(18):\n        picture[label_map == c] = palette[c]\n    return picture"), "the last class gets no colour: `range(19)` ends with 18"),
        (_paint("picture = np.zeros((*label_map.shape, 3), dtype=np.uint8)\n    for c in range(1, 19):\n        picture[label_map == c] = palette[c]\n    return picture"), "class 0 gets no colour: begin with it"),
        (_paint("return print(palette[label_map])"), "wer gives None: does every way through it end in a `return`?"),
    ],
    "count-pixels": [
        (_count(f"return np.bincount({_KNOWN})"), "the last one in the picture are missing"),
        (_count(f"return np.unique({_KNOWN}, return_counts=True)[1]"), "slid together"),
        (
            _count("return np.bincount(label_map.ravel(), minlength=num_classes)"),
            "255 was counted as a class of its own",
        ),
        (
            _count(
                "return np.bincount(np.minimum(label_map, num_classes - 1).ravel(), "
                "minlength=num_classes)"
            ),
            "counted as the last class",
        ),
        (
            _count(
                "return np.bincount(np.where(label_map == 255, 0, label_map).ravel(), "
                "minlength=num_classes)"
            ),
            "counted as background",
        ),
        (
            _count(f"return np.bincount({_KNOWN}, minlength=num_classes) / label_map.size"),
            "shares of the picture",
        ),
        (
            _count("return np.array([(label_map == c).any() for c in range(num_classes)])"),
            "not how often",
        ),
        (
            _count(
                "counts = np.zeros(num_classes, dtype=np.uint8)\n"
                "    for c in range(num_classes):\n"
                "        counts[c] = np.uint8((label_map == c).sum() % 256)\n"
                "    return counts"
            ),
            "uint8 holds no number above 255",
        ),
        (
            _count(f"return np.bincount({_KNOWN}, minlength=num_classes).astype(np.int16)"),
            "int16 holds no number above 32767",
        ),
        (
            _count("return [int((label_map == c).sum()) for c in range(num_classes)]"),
            "is a list, expected: an array",
        ),
        (
            _count(f"return np.bincount({_KNOWN}, minlength=num_classes).astype(float)"),
            "float64, expected: a type of whole numbers",
        ),
        (
            _count(
                "label_map[label_map == 255] = num_classes\n"
                "    return np.bincount(label_map.ravel(), minlength=num_classes)[:num_classes]"
            ),
            "changes its argument `label_map`",
        ),
        (
            _count("return np.bincount(label_map, minlength=num_classes)"),
            "wants a flat array",
        ),
        (
            _count(
                "counts = np.zeros(num_classes, dtype=int)\n"
                "    for c in label_map.ravel():\n"
                "        counts[c] += 1\n"
                "    return counts"
            ),
            "has no place in your result",
        ),
        (_count("return np.histogram(label_map, bins=num_classes)[0]"), "ins from the smallest to the largest number: use np.bincount"),
        (_count("return np.histogram(label_map, bins=np.arange(num_classes))[0]"), "he end: num_classes numbers (of np.histogram, one edge more)"),
        (_count("return np.histogram(label_map[label_map != 255], bins=range(num_classes + 1), density=True)[0]"), "ure: give the counts, and divide when all faces are added up"),
        (_count("return np.bincount(label_map[label_map != 255], minlength=num_classes)[1:]"), "class 0, background, is a class: it has the first place"),
        (_count("return np.bincount(label_map[label_map > 0], minlength=num_classes)[:num_classes]"), "background is a class, too: count it"),
        (_count("return np.array([np.sum(label_map == c) for c in range(1, num_classes + 1)])"), " begins at class 1: background, class 0, has the first place"),
        (_count("return np.array([np.count_nonzero(label_map) for c in range(num_classes)])"), "same count for all: compare with the class, `label_map == c`"),
        (_count("return np.array([label_map[label_map == c].sum() for c in range(num_classes)])"), "the class numbers are added up: count the pixels"),
        (_count("return dict(zip(*np.unique(label_map, return_counts=True)))"), "your answer is a dict, expected: an array"),
        (_count("return np.unique(label_map[label_map != 255], return_counts=True)"), "uple of 2, expected: an array; `np.array(…)` makes one of it"),
        (_count("return np.bincount(label_map.ravel() % num_classes, minlength=num_classes)"), "the 255s were counted as the last class: leave them out"),
        (_count("return np.bincount(label_map[label_map != 255], minlength=num_classes).sum()"), "your answer is an int64, expected: an array"),
        (_count("return np.bincount(np.delete(label_map, 255), minlength=num_classes)"), "ete` takes places, not values: `label_map[label_map != 255]`"),
        (_count("return np.bincount(label_map[label_map != 255], minlength=num_classes + 1)"), "one place too many: num_classes numbers"),
        (_count("return np.bincount(label_map[label_map != 255], minlength=19)"), "there are not always 19 classes: use `num_classes`"),
        (_count("counts = np.zeros(num_classes)\n    for c in range(num_classes):\n        counts[c] = (label_map == c).sum()\n    return counts"), "of your answer is float64, expected: a type of whole numbers"),
        (_count("counts = np.zeros(num_classes, dtype=int)\n    for c in label_map.ravel():\n        if c != 255:\n            counts[c] = 1\n    return counts"), "this says which classes are present, not how often"),
        (_count("counts = np.zeros(num_classes, dtype=int)\n    for row in label_map:\n        for c in range(num_classes):\n            counts[c] = (row == c).sum()\n    return counts"), "only the last row is counted: add up over all"),
        (_count("return np.bincount(label_map[label_map != 255], minlength=num_classes).astype(np.uint8)"), "the counts of a large map are wrong"),
        (_count("return np.sort(np.bincount(label_map[label_map != 255], minlength=num_classes))"), "the counts are sorted: class c has place c"),
        (_count("return np.bincount(label_map[label_map != 255], minlength=num_classes).tolist()"), "is a list, expected: an array; `np.array(…)` makes one of it"),
        (_count("return 100 * np.bincount(label_map[label_map != 255], minlength=num_classes) / (label_map != 255).sum()"), "these are per cent: give the counts"),
        (_count("return np.bincount(label_map[label_map != 255], minlength=num_classes)[None]"), "one dimension too many: (num_classes,)"),
        (_count("counts = np.zeros(num_classes, dtype=int)\n    for c in label_map.ravel():\n        if c == 255:\n            break\n        counts[c] += 1\n    return counts"), "leave out this pixel (`continue`), not the rest"),
        (_count("counts = np.zeros(num_classes, dtype=int)\n    for c in range(num_classes - 1):\n        counts[c] = (label_map == c).sum()\n    return counts"), "the last class is not counted"),
        (_count("seen = np.unique(label_map[label_map != 255], return_counts=True)[1]\n    counts = np.zeros(num_classes, dtype=int)\n    counts[:len(seen)] = seen\n    return counts"), "so the others slid together"),
    ],
    "mirror": [
        (_mirror("return image[:, ::-1], label_map[:, ::-1]"), "only turned round"),
        (
            _mirror(
                "out = label_map[:, ::-1].copy()",
                "for a, b in pairs:",
                "    out[out == a] = b",
                "    out[out == b] = a",
                "return image[:, ::-1], out",
            ),
            "both sides became one",
        ),
        (
            _mirror(
                "out = label_map[:, ::-1].copy()",
                "for a, b in pairs:",
                "    out[out == b] = a",
                "    out[out == a] = b",
                "return image[:, ::-1], out",
            ),
            "both sides became one",
        ),
        (_mirror(*_TABLE, "return image[::-1], table[label_map[::-1]]"), "on its head"),
        (_mirror(*_TABLE, "return image[:, ::-1], table[label_map]"), "was not turned"),
        (_mirror(*_TABLE, "return image, table[label_map[:, ::-1]]"), "image was not mirrored"),
        (
            _mirror(
                *_TABLE, "table[11], table[12] = 12, 11",
                "return image[:, ::-1], table[label_map[:, ::-1]]",
            ),
            "lower lip, no side",
        ),
        (
            _mirror(
                *_TABLE, "label_map[:] = table[label_map[:, ::-1]]",
                "return image[:, ::-1], label_map",
            ),
            "changes its argument `label_map`",
        ),
        (
            _mirror(
                "table = np.arange(256, dtype=np.uint8)", "table[4:10] = 5, 4, 7, 6, 9, 8",
                "return image[:, ::-1], table[label_map[:, ::-1]]",
            ),
            "use `pairs`",
        ),
        (_mirror("return label_map[:, ::-1]"), "expected: 2 things"),
        (
            _mirror(
                _TABLE[0].replace(", dtype=np.uint8", ""), *_TABLE[1:],
                "return image[:, ::-1], table[label_map[:, ::-1]]",
            ),
            "label map is int64, expected: uint8",
        ),
        (_mirror(*_TABLE, "return table[label_map[:, ::-1]], image[:, ::-1]"), "he label map comes first: give the image, then the label map"),
        (_mirror(*_TABLE, "return image[:, :, ::-1], table[label_map[:, ::-1]]"), "lue have changed places: turn the columns, which come second"),
        (_mirror(*_TABLE, "return image.transpose(1, 0, 2), table[label_map.T]"), "rows and columns have changed places: turn each row round"),
        (_mirror("for a, b in pairs:", "    label_map[label_map == a], label_map[label_map == b] = b, a", "return image[:, ::-1], label_map[:, ::-1]"), "ur function changes its argument `label_map`: work on a copy"),
        (_mirror("out = label_map[:, ::-1].copy()", "for a, b in pairs:", "    out[label_map == a] = b", "    out[label_map == b] = a", "return image[:, ::-1], out"), "were looked up before turning, and written after: turn first"),
        (_mirror("out = label_map[:, ::-1].copy()", "for a, b in pairs:", "    out[out == a], out[out == b] = b, a", "return image[:, ::-1], out"), "both sides became one: your second swap undid the first"),
        (_mirror("table = np.arange(19, dtype=np.uint8)", *_TABLE[1:], "return image[:, ::-1], table[label_map[:, ::-1]]"), "255 has no place in your table: it needs 256 entries"),
        (_mirror("table = np.zeros(256, dtype=np.uint8)", *_TABLE[1:], "return image[:, ::-1], table[label_map[:, ::-1]]"), " became 0: a table begins with every number at its own place"),
        (_mirror("a, b = pairs[0]", "table = np.arange(256, dtype=np.uint8)", "table[a], table[b] = b, a", "return image[:, ::-1], table[label_map[:, ::-1]]"), "e pair is swapped: go through all, and return after the loop"),
        (_mirror("out = label_map[:, ::-1]", "for a, b in pairs:", "    out = np.where(out == a, b, a)", "return image[:, ::-1], out.astype(np.uint8)"), "what was not a became a, too: other pixels keep their number"),
        (_mirror("out = label_map[:, ::-1].copy()", "for a, b in pairs:", "    out = out - a + b", "return image[:, ::-1], out"), "all numbers are shifted: those of the pair alone change"),
        (_mirror(*_TABLE, "return image[:, ::-1] / 255, table[label_map[:, ::-1]]"), "the image is divided by 255: keep its numbers and type"),
        (_mirror(*_TABLE, "return image[:, ::-1], LABELS.mirror_table()[label_map[:, ::-1]]"), "without pairs nothing is swapped: use `pairs`"),
        (_mirror(*_TABLE, "return image[:, ::-1], table[label_map[:, ::-1]].astype(int)"), "the type of the label map is int64, expected: uint8"),
        (_mirror(*_TABLE, "return image[:, -1:0:-1], table[label_map[:, -1:0:-1]]"), "a column is lost: `[:, ::-1]` takes all of them"),
        (_mirror(*_TABLE, "table[0], table[18] = 18, 0", "return image[:, ::-1], table[label_map[:, ::-1]]"), "classes without a side were swapped: exactly the given pairs"),
        (_mirror(*_TABLE, "return np.flip(image), table[np.flip(label_map)]"), "all three dimensions are turned round: the second alone"),
        (_mirror(*_TABLE, "image[:] = image[:, ::-1]", "return image, table[label_map[:, ::-1]]"), "your function changes its argument `image`: work on a copy"),
        (_mirror(*_TABLE, "return image[:, ::-1].tolist(), table[label_map[:, ::-1]]"), "is a list, expected: an array; `np.array(…)` makes one of it"),
        (_mirror(*_TABLE, "return np.roll(image, 1, 1), table[np.roll(label_map, 1, 1)]"), "the columns are moved on, not turned round"),
        (_mirror("table = list(range(256))", *_TABLE[1:], "return image[:, ::-1], table[label_map[:, ::-1]]"), "a table is an array: `np.arange(256, dtype=np.uint8)`"),
        (_mirror(*_TABLE, "table[255] = 0", "return image[:, ::-1], table[label_map[:, ::-1]]"), "255 became background: it stays 255"),
    ],
}  # fmt: skip

RIGHT = {
    "paint": [
        _paint("return np.take(palette, label_map, axis=0)"),
        _paint("return palette[label_map.astype(int)].copy()"),
        _paint(
            "picture = np.zeros((*label_map.shape, 3), dtype=np.uint8)\n"
            "    for number, colour in enumerate(palette):\n"
            "        picture[label_map == number] = colour\n"
            "    return picture"
        ),
        _paint("return np.stack([palette[:, c][label_map] for c in range(3)], axis=-1)"),
        _paint("return palette[label_map.ravel()].reshape(*label_map.shape, 3)"),
        _paint("return np.array([[palette[c] for c in row] for row in label_map])"),
    ],
    "count-pixels": [
        _count("return np.array([(label_map == c).sum() for c in range(num_classes)])"),
        _count("return np.array([int((label_map == c).sum()) for c in range(num_classes)])"),
        _count(
            "counts = np.zeros(num_classes, dtype=np.int64)\n"
            "    np.add.at(counts, label_map[label_map != 255], 1)\n"
            "    return counts"
        ),
        _count("return np.bincount(label_map.ravel(), minlength=256)[:num_classes]"),
        _count("return np.histogram(label_map, bins=np.arange(num_classes + 1) - 0.5)[0]"),
        _count("return np.array([np.count_nonzero(label_map == c) for c in range(num_classes)])"),
        _count("return (label_map.reshape(-1, 1) == np.arange(num_classes)).sum(0)"),
        _count(
            "values, n = np.unique(label_map[label_map != 255], return_counts=True)\n    out = np.zeros(num_classes, dtype=int)\n    out[values] = n\n    return out"
        ),
    ],
    "mirror": [
        _mirror(
            "turned, out = np.fliplr(label_map), np.fliplr(label_map).copy()",
            "for a, b in pairs:",
            "    out[turned == a], out[turned == b] = b, a",
            "return np.fliplr(image), out",
        ),
        _mirror(
            "out = label_map[:, ::-1]",
            "for a, b in pairs:",
            "    out = np.where(out == a, b, np.where(out == b, a, out))",
            "return image[:, ::-1], out.astype(np.uint8)",
        ),
        _mirror(
            "swap = {**dict(pairs), **{b: a for a, b in pairs}}",
            "out = np.array([[swap.get(int(c), int(c)) for c in row[::-1]] for row in label_map], dtype=np.uint8)",
            "return np.flip(image, axis=1), out",
        ),
        _mirror(
            "out = np.flip(label_map, 1).copy()",
            "for a, b in pairs:",
            "    left, right = out == a, out == b",
            "    out[left] = b",
            "    out[right] = a",
            "return image[:, ::-1, :], out",
        ),
        _mirror(
            "out = label_map[:, ::-1].copy()",
            "for a, b in pairs:",
            "    out[out == a] = 200",
            "    out[out == b] = a",
            "    out[out == 200] = b",
            "return image[:, ::-1], out",
        ),
    ],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "mirror": [
        (
            "table = np.arange(256, dtype=np.uint8)",
            "np.arange(256, → np.arange(257,",
            "a uint8 never asks for entry 256",
        ),
        (
            "return image[:, ::-1].copy(), table[label_map[:, ::-1]]",
            "::-1].copy(), → ::-1],",
            "a view shows the same pixels, and nobody writes into it",
        ),
    ],
}
