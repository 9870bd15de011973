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

_COUNT_TILL = """
def count_classes(label_maps, num_classes=19):
    counts = np.zeros(num_classes, dtype=int)
    for label_map in label_maps:
        for c in label_map.ravel():
            if c == 255:
                break
            counts[c] += 1
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


_EACH_STD = "std = np.mean([i.std((0, 1)) / 255 for i in images], axis=0)"
_ALL = "pixels = np.concatenate([i.reshape(-1, 3) for i in images]) / 255"


def _whiten(given: str) -> str:
    """From all pixels: this for mean and deviation."""
    return _WHITENING.format(f"{_ALL}\n    mean, std = {given}")


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


WRONG = {
    "read-mask": [
        (_edit(_READ, "np.array(picture)", "np.array(picture.convert('L'))"), "became 61"),
        (_edit(_READ, 'not in ("L", "P")', '== "CMYK"'), "mode RGB is read"),
        (_edit(_READ, 'not in ("L", "P"):\n            raise ValueError("a colour mask")',
               'in ("L", "P"):\n            raise ValueError'), "should be read"),
        (_edit(_READ, "raise", "return"), "`raise`, not `return`"),
        (_edit(_READ, 'not in ("L", "P")', '== "RGB"'), "mode RGBA is read"),
        (_edit(_READ, 'not in ("L", "P")', 'in ("RGB", "RGBA")'), "mode LA is read"),
        (_edit(_READ, 'not in ("L", "P")', 'in ("RGB", "RGBA", "LA")'), "mode 1 is read"),
        (_edit(_READ, '("L", "P")', '("L", "P", "I;16")'), "mode I;16 is read"),
        (_edit(_READ, '("L", "P")', '("P",)'), "should be read"),
        (_edit(_READ, "raise ValueError", "raise TypeError"), "no other error"),
        (_edit(_READ, "raise ValueError(\"a colour mask\")", "return None"), "mode RGB is read"),
        (_edit(_READ, "        return np", "    return np"), "inside the `with`"),
        (_edit(_READ, "        return np", "        assert picture.mode == 'L'\n        return np"),
         "an `assert` of yours stops it"),
        (_edit(_READ, "return np.array", "ids = np.array"), "does every way"),
        (_edit(_READ, ' picture.mode not in ("L", "P")',
               ' picture.mode not in ("L", "P") or np.array(picture).max() > 18'), "should be read"),
        (_edit(_READ, "np.array(picture)", "np.array(picture).tolist()"), "expected: an array"),
        (_edit(_READ, "np.array(picture)", "np.array(picture).astype(int)"), "expected: uint8"),
        (
            """
def read_mask(path):
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
""",
            "became 61",
        ),
        (
            """
def read_mask(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
""",
            "two dimensions",
        ),
        (
            """
def read_mask(path):
    with Image.open(path) as picture:
        if picture.mode == "L":
            return np.array(picture)
        if picture.mode != "P":
            raise ValueError("a colour mask")
        colours = np.array(picture.convert("RGB"))
    palette = LABELS.palette_array()
    return (colours[:, :, None] == palette).all(-1).argmax(-1).astype(np.uint8)
""",
            "looked up by their colours",
        ),
        (
            _edit(_READ, 'not in ("L", "P"):\n            raise ValueError("a colour mask")',
                  '== "RGB":\n            picture = picture.convert("P")'),
            "mode RGB is read",
        ),
        (_edit(_READ, "np.array(picture)", "np.array(picture.convert('RGB'))"), "two dimensions"),
        (_edit(_READ, 'not in ("L", "P")', '!= "L" or picture.mode != "P"'), "should be read"),
        (_edit(_READ, 'if picture.mode not in ("L", "P"):\n            raise ValueError("a colour mask")',
               'assert picture.mode in ("L", "P")'), "no assert"),
    ],
    "count-classes": [
        (_edit(_COUNT, "label_map[label_map != 255]", "(label_map != 255).ravel()"),
         "True and False were counted"),
        (_edit(_COUNT, "label_map[label_map != 255]", "label_map[label_map < num_classes - 1]"),
         "the last class is left out"),
        (_edit(_COUNT, "label_map[label_map != 255]", "label_map[label_map < 18]"),
         "the last class, 18, is left out"),
        (_edit(_COUNT, ", minlength=num_classes", ""), "minlength"),
        (_COUNT_ALL, "255 is no class"),
        (_COUNT_TILL, "leave out this pixel (`continue`), not the rest"),
        (_COUNT_IMAGES, "images that show"),
        (_edit(_COUNT, "return counts", "return counts / counts.sum()"), "shares"),
        (_edit(_COUNT, "minlength=num_classes", "minlength=19").replace("(num_classes", "(19"),
         "num_classes is 11"),
        (_edit(_COUNT, "return counts", "return counts.astype(np.uint8)"), "take a wider type"),
        (_edit(_COUNT, "return counts", "return counts.tolist()"), "expected: an array"),
        (_edit(_COUNT, "return counts", "return counts.astype(float)"), "whole numbers"),
        (_edit(_COUNT, "label_map[label_map != 255]", "label_map.ravel()"), "255 is no class"),
        (_edit(_COUNT, "label_map[label_map != 255]", "np.where(label_map < 255, label_map, 0)"),
         "wants a flat array"),
        (_edit(_COUNT, "label_map[label_map != 255]",
               "np.where(label_map < 255, label_map, 0).ravel()"), "counted as background"),
        (_edit(_COUNT, "        counts +=", "        label_map[label_map == 255] = 0\n        counts +="),
         "changes its argument `label_maps`"),
        (_edit(_COUNT, "    return counts", "        return counts"), "only the first map is counted"),
        (
            """
def count_classes(label_maps, num_classes=19):
    flat = np.concatenate(label_maps)
    return np.bincount(flat[flat != 255], minlength=num_classes)
""",
            "flatten each of them",
        ),
        (
            """
def count_classes(label_maps, num_classes=19):
    return np.array([np.bincount(m[m != 255]) for m in label_maps]).sum(0)
""",
            "differ in length",
        ),
        (
            """
def count_classes(label_maps, num_classes=19):
    return sum(np.bincount(m[m != 255]) for m in label_maps)
""",
            "use minlength",
        ),
        (
            """
def count_classes(label_maps, num_classes=19):
    return np.stack([np.bincount(m[m != 255], minlength=num_classes) for m in label_maps])
""",
            "counts of each map apart",
        ),
        (_edit(_COUNT, "counts +=", "counts ="), "only the last map"),
        (_edit(_COUNT, "label_map[label_map != 255]", "label_map[label_map % 255 > 0]"),
         "class 0 is left out"),
        (_edit(_COUNT, "minlength=num_classes", "minlength=num_classes + 1"), "more than classes"),
        (_edit(_COUNT, "minlength=num_classes", "minlength=19"), "write 19 nowhere"),
        (
            """
def count_classes(label_maps, num_classes=19):
    counts = np.zeros(num_classes, dtype=int)
    for label_map in label_maps:
        ids, found = np.unique(label_map, return_counts=True)
        counts[ids] += found
    return counts
""",
            "255 is no class",
        ),
    ],
    "class-weights": [
        (_edit(_WEIGHTS, "present = ", "counts = counts / counts.sum()\n    present = "), "share"),
        (_edit(_WEIGHTS, "np.log(counts[present] + epsilon)", "counts[present]"), "inverse"),
        (_edit(_WEIGHTS, " / weights.sum()", ""), "do not sum to 1"),
        (_edit(_WEIGHTS, "present = counts > 0", "present = counts >= 0"), "negative"),
        (_edit(_WEIGHTS, "1 / np.log", "np.log"), "weigh most"),
        (_edit(_WEIGHTS, "return weights / weights.sum()",
               "return weights[present] / weights.sum()"), "for absent ones, too"),
        (_edit(_WEIGHTS, "counts[present] + epsilon", "counts + epsilon"), "both sides want"),
        (
            _edit(_WEIGHTS, "present = counts > 0",
                  "present = counts >= 0\n    counts = counts.clip(1)"),
            "nothing",
        ),
        (_edit(_WEIGHTS, "counts > 0", "counts > 1"), "one pixel is not none"),
        (_edit(_WEIGHTS, " + epsilon", ""), "epsilon is added"),
        (_edit(_WEIGHTS, "epsilon=1e-6", "epsilon=1e-3"), "epsilon is 1e-6"),
        (_edit(_WEIGHTS, "counts[present] + epsilon)", "counts[present]) + epsilon"),
         "inside the logarithm"),
        (_edit(_WEIGHTS, "1 / np.log(counts[present] + epsilon)",
               "1 / (np.log(counts[present]) + epsilon)"), "inside the logarithm"),
        (_edit(_WEIGHTS, "+ epsilon", "+ 1"), "1 was added"),
        (_edit(_WEIGHTS, "np.zeros(len(counts))", "np.zeros_like(counts)"), "not a number"),
        (_edit(_WEIGHTS, "weights.sum()", "weights.max()"), "do not sum to 1"),
        (_edit(_WEIGHTS, "weights / weights.sum()", "(weights / weights.sum()).tolist()"),
         "expected: an array"),
        (_edit(_WEIGHTS, "    present = counts > 0", "    present = counts > 0\n"
               "    counts[~present] = 1"), "changes its argument `counts`"),
        (_edit(_WEIGHTS, "    return ", "    "), "does every way"),
    ],
    "whitening": [
        (_WHITENING.format(f"{_ALL}\n    mean = pixels.mean(0)\n    {_EACH_STD}"), "deviations"),
        (
            _WHITENING.format(
                f"mean = np.mean([i.mean((0, 1)) / 255 for i in images], axis=0)\n    {_EACH_STD}"
            ),
            "mean of means",
        ),
        (
            _WHITENING.format(f"{_ALL} * 255\n    mean, std = pixels.mean(0), pixels.std(0)"),
            "divide by 255",
        ),
        (_WHITENING.format(f"{_ALL}\n    mean, std = pixels.mean(), pixels.std()"), "each channel"),
        (_WHITENING.format(f"{_ALL}\n    mean, std = pixels.mean(0), pixels.var(0)"), "root"),
        (_whiten("pixels.mean(0), 255 * pixels.std(0)"), "the deviation is in grey levels"),
        (_whiten("pixels.mean(0), pixels.std(0, ddof=1)"), "divided by N - 1"),
        (_whiten("pixels.std(0), pixels.mean(0)"), "the mean comes first"),
        (_whiten("pixels.mean(0), np.sqrt((pixels**2).mean(0))"), "is not taken off"),
        (_whiten("pixels.mean(0).tolist(), pixels.std(0)"), "the mean is a list"),
        (_whiten("pixels.mean(0), pixels.std()"), "one number for each channel"),
        (_whiten("np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])"),
         "ImageNet's numbers"),
        (
            _whiten("pixels.mean(0), np.sqrt(np.mean([(i / 255).var((0, 1)) for i in images], 0))"),
            "variances ignore",
        ),
        (
            _WHITENING.format(
                "pixels = np.concatenate([i.reshape(-1, 3) for i in images])\n"
                "    mean = pixels.mean(0) / 255\n"
                "    std = np.sqrt(np.abs((pixels**2).mean(0) / 255**2 - mean**2))"
            ),
            "begin again after 255",
        ),
        (
            _WHITENING.format(
                "pixels = np.array(images) / 255\n"
                "    mean, std = pixels.mean((0, 1, 2)), pixels.std((0, 1, 2))"
            ),
            "make no one array",
        ),
        (_edit(_whiten("pixels.mean(0), pixels.std(0)"), "return mean, std", "return mean"),
         "expected: 2 things"),
        (_edit(_whiten("pixels.mean(0), pixels.std(0)"), "    return mean, std",
               "    images.clear()\n    return mean, std"), "changes its argument `images`"),
        (_whiten("pixels.mean(0)[::-1], pixels.std(0)[::-1]"), "in another order"),
        (_whiten("pixels.mean(0) / 3, pixels.std(0)"), "its own total"),
        (_whiten("pixels.mean(0), np.sqrt((pixels**2).mean(0)) - pixels.mean(0)"), "comes last"),
        (_whiten("pixels.mean(0) * 255 / 256, pixels.std(0)"), "not by 256"),
        (_whiten("np.median(pixels, 0), pixels.std(0)"), "the median"),
        (_whiten("pixels.mean(0), np.std([i.mean((0, 1)) / 255 for i in images], 0)"),
         "means alone"),
        (_whiten("pixels.mean(0), np.abs(pixels - pixels.mean(0)).mean(0)"), "mean distance"),
        (_whiten("pixels.mean(0), np.sqrt(pixels.mean(0)**2 - (pixels**2).mean(0))"),
         "a root of less than 0"),
    ],
    "resize-and-mirror": [
        (_edit(_PAIR, "cv2.INTER_NEAREST", "cv2.INTER_LINEAR"), "were not there"),
        (_edit(_PAIR, "image[:, ::-1], label_map[:, ::-1]", "image[:, ::-1] / 1.0, label_map[:, ::-1]"),
         "float64, expected: uint8"),
        (_edit(_PAIR, "image[:, ::-1], label_map[:, ::-1]",
               "image[:, ::-1], label_map.repeat(2, 0)[:, ::-1]"), "should be size × size"),
        (_edit(_PAIR, "cv2.INTER_LINEAR", "cv2.INTER_NEAREST"), "bilinearly"),
        (_edit(_PAIR, "        for a, b in PAIRS:\n            label_map[old == a] = b\n"
               "            label_map[old == b] = a\n", ""), "kept their names"),
        (_edit(_PAIR, "old = label_map.copy()", "old = label_map"), "both sides have one name"),
        (_edit(_PAIR, "image[:, ::-1], label_map[:, ::-1]", "image[:, ::-1], label_map"),
         "label map is not"),
        (_edit(_PAIR, "[:, ::-1]", "[::-1]"), "on its head"),
        (_edit(_PAIR, "if mirrored:", "if not mirrored:"), "`mirrored` is False"),
        (_edit(_PAIR, "return image, label_map", "return image, label_map.astype(int)"),
         "expected: uint8"),
        (_edit(_PAIR, "return image, label_map", "return image, label_map.clip(0, 18)"),
         "should stay 255"),
        (_edit(_PAIR, "cv2.INTER_LINEAR", "cv2.INTER_CUBIC"), "not cubic"),
        (_edit(_PAIR, "cv2.INTER_LINEAR", "cv2.INTER_LANCZOS4"), "not cubic"),
        (_edit(_PAIR, "cv2.INTER_LINEAR", "cv2.INTER_AREA"), "bilinearly"),
        (_edit(_PAIR, "interpolation=cv2.INTER_NEAREST", "cv2.INTER_NEAREST"), "written out"),
        (_edit(_PAIR, "    if mirrored:", "    label_map = LABELS.mirror_table()[label_map]\n"
               "    if mirrored:"), "not mirrored, too"),
        (_edit(_PAIR, "    if mirrored:\n", "    if mirrored:\n"
               "        return image[:, ::-1], LABELS.mirror_table()[label_map]\n    if mirrored:\n"),
         "the label map is not mirrored"),
        (_edit(_PAIR, "image, label_map = image[:, ::-1], label_map[:, ::-1].copy()",
               "label_map = label_map[:, ::-1].copy()"), "the image is not mirrored"),
        (_edit(_PAIR, "    if mirrored:\n", "    table = np.arange(19, dtype=np.uint8)\n"
               "    label_map = table[label_map]\n    if mirrored:\n"), "make it 256 long"),
        (_edit(_PAIR, "return image, label_map", "return image"), "expected: 2 things"),
        (_edit(_PAIR, "return image, label_map", "return label_map, image"), "the image first"),
        (_edit(_PAIR, "cv2.INTER_NEAREST", "cv2.INTER_AREA"), "were not there"),
        (_edit(_PAIR, "image, label_map = image[:, ::-1], label_map[:, ::-1].copy()\n"
               "        old = label_map.copy()", "image, old = image[:, ::-1], label_map.copy()\n"
               "        label_map = label_map[:, ::-1].copy()"), "before it was turned"),
        (_edit(_PAIR, "image[:, ::-1], label", "LABELS.mirror_table()[image[:, ::-1]], label"),
         "do not look colours up"),
        (_edit(_PAIR, "    image = cv2", "    image[image == 255] = 254\n    image = cv2"),
         "changes its argument `image`"),
        (_edit(_PAIR, "for a, b in PAIRS:", "for a, b in PAIRS[:1]:"), "are not swapped"),
        (_edit(_PAIR, "(size, size)", "(image.shape[1], size)"), "size × size"),
        (_edit(_PAIR, "image[:, ::-1], label", "image[..., ::-1], label"), "colours changed places"),
        (_edit(_PAIR, "image[:, ::-1], label_map[:, ::-1]", "np.flip(image), np.flip(label_map)"),
         "colours changed places"),
        (_edit(_PAIR, "[:, ::-1]", "[::-1, ::-1]"), "turned by half"),
    ],
    "suspects": [
        (_edit(_SUSPECTS, "{*found.get(finding.kind, ()), *stems}", "stems"), "replaced"),
        (_edit(_SUSPECTS, "Path(name).stem", "name"), "paths"),
        (_edit(_SUSPECTS, 'finding.severity != "note"', "True"), "notes"),
        (_edit(_SUSPECTS, 'finding.severity != "note"', "finding.severity == 'error'"),
         "warnings are missing"),
        (_edit(_SUSPECTS, "sorted({*found.get(finding.kind, ()), *stems})",
               "{*found.get(finding.kind, ()), *stems}"), "is a set, expected: a list"),
        (_edit(_SUSPECTS, "sorted({*found.get(finding.kind, ()), *stems})",
               "[*found.get(finding.kind, ()), *stems]"), "there twice"),
        (_edit(_SUSPECTS, "sorted({*found.get(finding.kind, ()), *stems})",
               "[*dict.fromkeys([*found.get(finding.kind, ()), *stems])]"), "should be sorted"),
        (_edit(_SUSPECTS, "sorted({*found.get(finding.kind, ()), *stems})",
               "sorted({*found.get(finding.kind, ()), *stems}, reverse=True)"),
         "should be sorted"),
        (_edit(_SUSPECTS, 'Path(name).stem', 'name.split("/")[-1].replace(".png", "")'),
         "these are paths"),
        (_edit(_SUSPECTS, "*stems})", "*stems}, key=int)"), "sorted, as strings"),
        (_edit(_SUSPECTS, "Path(name).stem", "Path(name).name"), "paths"),
        (_edit(_SUSPECTS, "return found", "return [*found.items()]"), "expected: a dict"),
        (_edit(_SUSPECTS, "    return found", "            return found"), "warnings are missing"),
        (
            """
def suspects(report):
    found = {}
    serious = {f.kind for f in report.findings if f.severity != "note"}
    for finding in report.findings:
        if finding.kind in serious:
            found.setdefault(finding.kind, set()).update(Path(n).stem for n in finding.names)
    return {kind: sorted(stems) for kind, stems in found.items()}
""",
            "of a kind that has errors",
        ),
        (_edit(_SUSPECTS, "finding.names", "finding.files"), "no attribute 'files'"),
        (_edit(_SUSPECTS, "finding.names", "finding.names[:1]"), "only one file of each"),
        (_edit(_SUSPECTS, "Path(name).stem", "Path(name).stem[:-1]"), "are no stems"),
        (_edit(_SUSPECTS, "Path(name).stem", "int(Path(name).stem)"), "a stem is a string"),
        (_edit(_SUSPECTS, "(finding.kind, ())", "(finding.severity, ())").replace(
            "found[finding.kind]", "found[finding.severity]"), "the keys are the kinds"),
        (_edit(_SUSPECTS, 'finding.severity != "note"', 'finding.severity == "Error"'),
         "never both"),
        (
            """
def suspects(report):
    found = {}
    for finding in report.findings:
        if finding.severity != "note":
            for name in finding.names:
                found.setdefault(Path(name).stem, []).append(finding.kind)
    return found
""",
            "the keys are the kinds",
        ),
    ],
}  # fmt: skip

RIGHT = {
    "read-mask": [
        """
def read_mask(path):
    with Image.open(path) as picture:
        ids, mode = np.array(picture, dtype=np.uint8), picture.mode
    if mode == "L" or mode == "P":
        return ids
    raise ValueError("neither L nor P")
""",
        """
def read_mask(path):
    picture = Image.open(path)
    if picture.mode in {"P", "L"}:
        return np.asarray(picture)
    raise ValueError(picture.mode)
""",
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
        """
def count_classes(label_maps, num_classes=19):
    counts = np.zeros(num_classes, dtype=np.int32)
    for label_map in label_maps:
        found, times = np.unique(label_map, return_counts=True)
        for c, n in zip(found, times):
            if c != 255:
                counts[c] += n
    return counts
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
        image, label_map = cv2.flip(image, 1), LABELS.mirror_table()[cv2.flip(label_map, 1)]
    return [
        cv2.resize(image, (size, size)),
        cv2.resize(label_map, (size, size), interpolation=cv2.INTER_NEAREST_EXACT),
    ]
""",
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
    "suspects": [
        _SUSPECTS,
        """
def suspects(report):
    found = {}
    for f in report.findings:
        if f.severity in ("warning", "error"):
            found[f.kind] = found.get(f.kind, []) + [Path(n).stem for n in f.names]
    return {k: (*sorted(set(v)),) for k, v in found.items()}
""",
    ],
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
