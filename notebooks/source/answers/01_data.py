"""What to try on the checks of lesson 01."""

from __future__ import annotations

_READ = """
def read_mask(path):
    with Image.open(path) as picture:
        if picture.mode not in ("L", "P"):
            raise ValueError("a colour mask")
        return np.array(picture)
"""

_COUNT = """
def count_classes(label_maps, num_classes=19):
    counts = np.zeros(num_classes, dtype=np.int64)
    for label_map in label_maps:
        counts += np.bincount(label_map[label_map != 255], minlength=num_classes)
    return counts
"""

_COUNT_ALL = """
def count_classes(label_maps, num_classes=19):
    return np.bincount(np.concatenate([m.ravel() for m in label_maps]))
"""

_COUNT_IMAGES = """
def count_classes(label_maps, num_classes=19):
    return np.array([sum((m == c).any() for m in label_maps) for c in range(num_classes)])
"""

_WEIGHTS = """
def class_weights(counts, epsilon=1e-6):
    weights = np.zeros(len(counts))
    present = counts > 0
    weights[present] = 1 / np.log(counts[present] + epsilon)
    return weights / weights.sum()
"""

_WHITENING = """
def whitening(images):
    {0}
    return mean, std
"""

_PAIR = """
def resize_and_mirror(image, label_map, size, mirrored):
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    label_map = cv2.resize(label_map, (size, size), interpolation=cv2.INTER_NEAREST)
    if mirrored:
        image, label_map = image[:, ::-1], label_map[:, ::-1].copy()
        old = label_map.copy()
        for a, b in PAIRS:
            label_map[old == a] = b
            label_map[old == b] = a
    return image, label_map
"""

_SUSPECTS = """
def suspects(report):
    found = {}
    for finding in report.findings:
        if finding.severity != "note":
            stems = [Path(name).stem for name in finding.names]
            found[finding.kind] = sorted({*found.get(finding.kind, ()), *stems})
    return found
"""


def _edit(code: str, old: str, new: str) -> str:
    """The code with a mistake (or another way) in it."""
    assert old in code, old
    return code.replace(old, new)


_EACH_STD = "std = np.mean([i.std((0, 1)) / 255 for i in images], axis=0)"
_ALL = "pixels = np.concatenate([i.reshape(-1, 3) for i in images]) / 255"

WRONG = {
    "read-mask": [
        (_edit(_READ, "np.array(picture)", "np.array(picture.convert('L'))"), "became 61"),
        (_edit(_READ, 'not in ("L", "P")', '== "CMYK"'), "raise a ValueError"),
        (
            _edit(_READ, 'not in ("L", "P"):\n            raise ValueError("a colour mask")',
                  '== "RGB":\n            picture = picture.convert("P")'),
            "raise a ValueError",
        ),
        (_edit(_READ, "np.array(picture)", "np.array(picture.convert('RGB'))"), "two dimensions"),
        (_edit(_READ, "np.array(picture)", "np.array(picture) / 255"), "do not come back"),
    ],
    "count-classes": [
        (_edit(_COUNT, ", minlength=num_classes", ""), "minlength"),
        (_COUNT_ALL, "255 is no class"),
        (_COUNT_IMAGES, "images that show"),
        (_edit(_COUNT, "return counts", "return counts / counts.sum()"), "shares"),
    ],
    "class-weights": [
        (_edit(_WEIGHTS, "present = ", "counts = counts / counts.sum()\n    present = "), "share"),
        (_edit(_WEIGHTS, "np.log(counts[present] + epsilon)", "counts[present]"), "inverse"),
        (_edit(_WEIGHTS, " / weights.sum()", ""), "do not sum to 1"),
        (_edit(_WEIGHTS, "present = counts > 0", "present = counts >= 0"), "negative"),
        (_edit(_WEIGHTS, "1 / np.log", "np.log"), "weigh most"),
        (
            _edit(_WEIGHTS, "present = counts > 0",
                  "present = counts >= 0\n    counts = counts.clip(1)"),
            "nothing",
        ),
        (_edit(_WEIGHTS, "counts > 0", "counts > 1"), "one pixel is not none"),
        (_edit(_WEIGHTS, " + epsilon", ""), "epsilon is added"),
    ],
    "whitening": [
        (_WHITENING.format(f"{_ALL}\n    mean = pixels.mean(0)\n    {_EACH_STD}"), "deviations"),
        (
            _WHITENING.format(
                f"mean = np.mean([i.mean((0, 1)) / 255 for i in images], axis=0)\n    {_EACH_STD}"
            ),
            "images' means",
        ),
        (
            _WHITENING.format(f"{_ALL} * 255\n    mean, std = pixels.mean(0), pixels.std(0)"),
            "divide by 255",
        ),
        (_WHITENING.format(f"{_ALL}\n    mean, std = pixels.mean(), pixels.std()"), "each channel"),
        (_WHITENING.format(f"{_ALL}\n    mean, std = pixels.mean(0), pixels.var(0)"), "root"),
    ],
    "resize-and-mirror": [
        (_edit(_PAIR, "cv2.INTER_NEAREST", "cv2.INTER_LINEAR"), "were not there"),
        (_edit(_PAIR, "cv2.INTER_LINEAR", "cv2.INTER_NEAREST"), "bilinearly"),
        (_edit(_PAIR, "        for a, b in PAIRS:\n            label_map[old == a] = b\n"
               "            label_map[old == b] = a\n", ""), "kept their names"),
        (_edit(_PAIR, "old = label_map.copy()", "old = label_map"), "a side is gone"),
        (_edit(_PAIR, "image[:, ::-1], label_map[:, ::-1]", "image[:, ::-1], label_map"),
         "label map is not"),
        (_edit(_PAIR, "[:, ::-1]", "[::-1]"), "on its head"),
        (_edit(_PAIR, "if mirrored:", "if not mirrored:"), "not mirrored"),
        (_edit(_PAIR, "return image, label_map", "return image, label_map.astype(int)"),
         "keep uint8"),
        (_edit(_PAIR, "return image, label_map", "return image, label_map.clip(0, 18)"),
         "should stay 255"),
    ],
    "suspects": [
        (_edit(_SUSPECTS, "{*found.get(finding.kind, ()), *stems}", "stems"), "replaced"),
        (_edit(_SUSPECTS, "Path(name).stem", "name"), "paths"),
        (_edit(_SUSPECTS, 'finding.severity != "note"', "True"), "notes"),
        (_edit(_SUSPECTS, 'finding.severity != "note"', "finding.severity == 'error'"),
         "warnings are missing"),
    ],
}  # fmt: skip

RIGHT = {
    "read-mask": [
        """
def read_mask(path):
    with Image.open(path) as picture:
        ids = np.array(picture, dtype=np.uint8)
    if ids.ndim != 2:
        raise ValueError("more than one channel")
    return ids
"""
    ],
    "count-classes": [
        """
def count_classes(label_maps, num_classes=19):
    return np.array([sum(int((m == c).sum()) for m in label_maps) for c in range(num_classes)])
""",
        """
def count_classes(label_maps, num_classes=19):
    flat = np.concatenate([m.ravel() for m in label_maps])
    return np.bincount(flat, minlength=256)[:num_classes]
""",
    ],
    "class-weights": [
        """
def class_weights(counts, epsilon=1e-6):
    raw = [1 / np.log10(c + epsilon) if c else 0.0 for c in counts]
    return np.array(raw) / sum(raw)
"""
    ],
    "whitening": [
        _WHITENING.format(f"{_ALL}\n    mean, std = pixels.mean(0), pixels.std(0)"),
        _WHITENING.format(
            "n = sum(i.shape[0] * i.shape[1] for i in images)\n"
            "    mean = sum(i.sum((0, 1)) for i in images) / n / 255\n"
            "    std = (sum(((i / 255 - mean) ** 2).sum((0, 1)) for i in images) / n) ** 0.5"
        ),
    ],
    "resize-and-mirror": [
        _PAIR,
        """
def resize_and_mirror(image, label_map, size, mirrored):
    if mirrored:
        image = np.fliplr(image)
        label_map = LABELS.mirror_table()[np.fliplr(label_map)]
    image = Image.fromarray(np.ascontiguousarray(image))
    label_map = Image.fromarray(np.ascontiguousarray(label_map))
    return (
        np.array(image.resize((size, size), Image.Resampling.BILINEAR)),
        np.array(label_map.resize((size, size), Image.Resampling.NEAREST)),
    )
""",
    ],
    "suspects": [_SUSPECTS],
}

# Planted bugs that change nothing that is asked for: line, change, reason.
EQUIVALENT = {
    "class-weights": [
        (
            "weights = np.zeros(len(counts))",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "weights[present] = 1 / np.log(counts[present] + epsilon)",
            "1 → 2",
            "the sum takes a common factor out again",
        ),
    ],
    "whitening": [
        (
            "for image in images:",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "histogram[c] += np.bincount(image[..., c].ravel(), minlength=256)",
            "+= → -=",
            "all counts are negative, their total is too, and every ratio is the same",
        ),
        (
            "values = np.arange(256) / 255",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
    ],
    "resize-and-mirror": [
        (
            "image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)",
            "this and the next in the other order",
            "neither line needs what the other does",
        ),
        (
            "image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)",
            "size), interpolation=cv2.INTER_LINEAR) → size))",
            "it is OpenCV's default",
        ),
        (
            "table = np.arange(256, dtype=np.uint8)",
            "np.arange(256, → np.arange(257,",
            "a uint8 never asks for entry 256",
        ),
    ],
}
