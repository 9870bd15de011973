"""Where points lie before a hand moves them, and where the others go when it has moved some."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from coursekit.errors import CourseError
from coursekit.landmarks import LANDMARK_SET
from coursekit.synthfaces.geometry import MEAN_FACE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from coursekit.annotation.curves import Points

MEAN = "the mean face"
# Height of brows to chin, as a share of the picture's shorter side, and their middle's place.
_TALL, _ACROSS, _DOWN = 0.5, 0.5, 0.6


class Proposal(NamedTuple):
    """Points that nobody has looked at.

    Attributes:
        points: (106, 2) x and y in pixels of the photograph.
        sure: (106,) about 1 where a network is sure of a point, 0 where it has seen nothing.
        source: who says so.
    """

    points: Points
    sure: NDArray[np.float32]
    source: str


def mean_face(height: int, width: int) -> Proposal:
    """The mean face in the middle of a picture."""
    flat = MEAN_FACE[:, :2]
    low, high = flat.min(0), flat.max(0)
    scale = _TALL * min(height, width) / (high[1] - low[1])
    points = (flat - (low + high) / 2) * scale + (_ACROSS * width, _DOWN * height)
    return Proposal(points, np.zeros(len(points), np.float32), MEAN)


class Network:
    """A landmark network, loaded when it is first asked.

    Args:
        path: of a checkpoint.
        device: where it runs.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        self.path, self.device = path, device
        self._loaded: Any = None
        self._lock = threading.Lock()

    def propose(self, image: NDArray[np.uint8]) -> Proposal:
        """The points of a photograph (H, W, 3).

        Raises:
            CourseError: when the file holds no landmark network.
        """
        from coursekit.landmark_inference import predict_landmarks

        with self._lock:
            self.check()
            found = predict_landmarks(self._loaded.model, image, self._loaded.info)
        name = self.path.parent.name if self.path.name == "model.safetensors" else self.path.stem
        return Proposal(found.points.astype(np.float64), found.peaks, f"network {name:.40}")

    def check(self) -> None:
        """Load it.

        Raises:
            CourseError: when the file holds no landmark network.
        """
        if self._loaded is not None:
            return
        from coursekit import checkpoint

        loaded = checkpoint.load(self.path)
        if loaded.info.label_set != LANDMARK_SET:
            raise CourseError(
                f"{self.path}: draws label maps and finds no points; name the checkpoint of a "
                "landmark network, or give this one with --parsing"
            )
        loaded.model.to(self.device)
        self._loaded = loaded


def follow(start: Points, moved: Sequence[int], targets: Points) -> Points:
    """All points, when some are put elsewhere: the others follow those that are near.

    Each point goes where the similarity goes that takes the moved ones to their targets, those
    near it counting most (moving least squares, Schaefer et al. 2006). One moved point takes all
    with it; two turn and scale the face.

    Args:
        start: (106, 2) before.
        moved: which were moved.
        targets: (len(moved), 2) where they are now.

    Returns:
        (106, 2); the moved points at their targets.
    """
    if not len(moved):
        return start.copy()
    before = start[list(moved)]
    far = np.square(start[:, None] - before[None]).sum(2)  # (106, moved)
    weight = 1 / np.maximum(far, 1e-6)
    weight /= weight.sum(1, keepdims=True)
    centre, centre_now = weight @ before, weight @ targets  # (106, 2)
    # As complex numbers a similarity is one factor.
    left = _complex(before[None] - centre[:, None])
    right = _complex(targets[None] - centre_now[:, None])
    spread = (weight * np.abs(left) ** 2).sum(1)
    turned = (weight * left.conj() * right).sum(1)
    alone = spread < 1e-9
    factor = np.where(alone, 1, turned / np.where(alone, 1, spread))
    arm = factor * _complex(start - centre)
    result = centre_now + np.stack([arm.real, arm.imag], 1)
    result[list(moved)] = targets
    return result


def _complex(points: Points) -> NDArray[np.complex128]:
    return points[..., 0] + 1j * points[..., 1]
