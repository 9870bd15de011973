"""Wrong labels of the kinds that annotators leave in a data set."""

from __future__ import annotations

import cv2
import numpy as np

from coursekit.labels import CELEBAMASK_HQ
from coursekit.synthfaces.canvas import Mask

_ID = {name: CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ.names}

#: The kinds of label noise, in the order in which they are applied.
NOISE_KINDS = ("missing_necklace", "eyes_as_glasses", "neck_as_cloth", "shifted_boundary")

# Which parts get a shifted boundary; small parts would vanish.
_MOVABLE = ("hair", "skin", "neck", "cloth", "nose", "hat")


def _eyes_as_glasses(labels: Mask) -> bool:
    eyes = np.isin(labels, (_ID["l_eye"], _ID["r_eye"]))
    labels[eyes] = _ID["eye_g"]
    return bool(eyes.any())


def _neck_as_cloth(labels: Mask) -> bool:
    neck = labels == _ID["neck"]
    labels[neck] = _ID["cloth"]
    return bool(neck.any())


def _shifted_boundary(labels: Mask, rng: np.random.Generator) -> bool:
    """Move one part as a whole, as a polygon that was dragged by mistake.

    What it leaves behind takes the class that surrounds it (a dilation of the rest).
    """
    size = labels.shape[0]
    name = _MOVABLE[int(rng.integers(len(_MOVABLE)))]
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(0.012, 0.03) * size
    step = np.array([np.cos(angle), np.sin(angle)]) * max(1.0, length)
    part = labels == _ID[name]
    if not part.any():
        name, part = "skin", labels == _ID["skin"]
    move = np.array([[1, 0, step[0]], [0, 1, step[1]]], np.float64)
    moved = cv2.warpAffine(
        part.astype(np.uint8), move, (size, size), flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(bool)  # fmt: skip
    small = np.isin(labels, [_ID[n] for n in ("background", *_MOVABLE)])
    reach = 2 * int(np.ceil(length)) + 3
    rest = cv2.dilate(np.where(part, 0, labels).astype(np.uint8), np.ones((reach, reach), np.uint8))
    labels[part & ~moved] = rest[part & ~moved]
    labels[moved & small] = _ID[name]
    return True


def add_label_noise(
    labels: Mask, without_necklace: Mask, amount: float, rng: np.random.Generator
) -> tuple[Mask, tuple[str, ...]]:
    """Spoil a label map as annotators do.

    Args:
        labels: (size, size) uint8 ids of the 19 classes; not changed.
        without_necklace: the same map as if there were no necklace.
        amount: the probability in [0, 1] of each kind in `NOISE_KINDS`, independently.
        rng: the stream of the noise.

    Returns:
        The noisy label map, and the kinds that changed it.
    """
    struck = rng.random(len(NOISE_KINDS)) < amount
    noisy, found = labels.copy(), []
    for kind, hit in zip(NOISE_KINDS, struck, strict=True):
        if not hit:
            continue
        if kind == "missing_necklace":
            necklace = noisy == _ID["neck_l"]
            noisy[necklace] = without_necklace[necklace]
            changed = bool(necklace.any())
        elif kind == "eyes_as_glasses":
            changed = _eyes_as_glasses(noisy)
        elif kind == "neck_as_cloth":
            changed = _neck_as_cloth(noisy)
        else:
            changed = _shifted_boundary(noisy, rng)
        if changed:
            found.append(kind)
    return noisy, tuple(found)


def kinds_of_noise(noisy: Mask, clean: Mask, found: tuple[str, ...]) -> Mask:
    """Which kind of noise made each wrong pixel.

    A wrong pixel belongs to the first of the kinds that struck its face and that turns its true
    class into its label; what is left was moved by the boundary. Where a boundary moved over a
    region that another kind had spoilt, the other kind has it.

    Args:
        noisy: (size, size) ids that `add_label_noise` made.
        clean: what it made them of.
        found: the kinds that it said, such as `Attributes.label_noise`.

    Returns:
        (size, size) places in `NOISE_KINDS`, 255 where the label is right.
    """
    kinds = np.full_like(noisy, 255)
    wrong = noisy != clean
    if "shifted_boundary" in found:
        kinds[wrong] = NOISE_KINDS.index("shifted_boundary")
    eyes = np.isin(clean, (_ID["l_eye"], _ID["r_eye"])) & (noisy == _ID["eye_g"])
    turned = {
        "missing_necklace": clean == _ID["neck_l"],
        "eyes_as_glasses": eyes,
        "neck_as_cloth": (clean == _ID["neck"]) & (noisy == _ID["cloth"]),
    }
    for kind, where in turned.items():
        if kind in found:
            kinds[wrong & where] = NOISE_KINDS.index(kind)
    return kinds
