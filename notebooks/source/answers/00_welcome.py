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
        (_paint("return palette[label_map][..., ::-1]"), "the colour of another class"),
        (_paint("return palette[label_map].transpose(2, 0, 1)"), "three numbers for each colour"),
        (_paint("return LABELS.palette_array()[label_map]"), "use the argument `palette`"),
        (_paint("return palette[label_map].tolist()"), "is a list, expected: an array"),
        (_paint("return palette[label_map.tolist()][::-1][::-1].astype(np.int64)"), "int64"),
        (_paint("return palette.take(label_map)"), "one colour for each pixel"),
        (_paint("label_map[0] = 0; return palette[label_map]"), "changes its argument `label_map`"),
        (_paint("return palette(label_map)"), "stops with TypeError: 'numpy.ndarray' object"),
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
