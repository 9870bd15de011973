"""The course's own parts of lesson 01."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from coursekit import losses
from coursekit.data import transforms
from coursekit.data.masks import decode_mask
from coursekit.labels import CELEBAMASK_HQ
from coursekit.parts.welcome import count_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def read_mask(path: Path) -> NDArray[Any]:
    """The (H, W) class ids of a mask file; a ValueError when it is of another mode than L or P."""
    mask = decode_mask(path)
    if mask.mode not in ("L", "P"):
        raise ValueError(f"{path}: is of mode {mask.mode}; save class ids in mode L or P")
    return mask.values


def count_classes(maps: Sequence[NDArray[np.uint8]], num_classes: int = 19) -> NDArray[np.int64]:
    """Pixels of each class over all maps, 255 left out: (num_classes,)."""
    none = np.zeros(num_classes, dtype=np.int64)
    return sum((count_pixels(label_map, num_classes) for label_map in maps), start=none)


def class_weights(counts: NDArray[np.integer], epsilon: float = 1e-6) -> NDArray[np.floating]:
    """Eq. 2: (C,) pixels → (C,) weights with sum 1; 0 for a class without pixels."""
    return losses.class_weights(counts, epsilon).numpy()


def whitening(images: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean and standard deviation of each channel over all pixels, both (3,) in [0, 1] units."""
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]) / 255  # (pixels, 3)
    return pixels.mean(0), pixels.std(0)


def resize_and_mirror(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], size: int, mirrored: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Both at size × size, and mirrored if wanted, left and right by their right names."""
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)
    label_map = cv2.resize(label_map, (size, size), interpolation=cv2.INTER_NEAREST)
    if not mirrored:
        return image, label_map
    turned, names, _ = transforms.mirror(image, label_map, None, CELEBAMASK_HQ)
    assert names is not None
    return turned, names


def suspects(report: Any) -> dict[str, list[str]]:
    """For each kind of error or warning in a report of `audit`, the stems that have it, sorted."""
    found: dict[str, set[str]] = {}
    for finding in report.findings:
        if finding.severity != "note":
            stems = found.setdefault(finding.kind, set())
            stems |= {Path(name).stem for name in finding.names}
    return {kind: sorted(stems) for kind, stems in found.items()}
