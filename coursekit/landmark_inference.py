"""From a photograph to its 106 points, one image at a time.

A heatmap knows nothing of the other points: hair drawn like a brow can take all five points of its
edge. So the mean head of the rendered faces, in three dimensions, is turned, scaled and moved over
what the maps say, robustly; then each point is looked for again, near where that head has it. Where
a network has steps of descent, they go on from there, in the photo itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from coursekit.data.face_crops import Square
from coursekit.inference import prepare
from coursekit.landmarks import LANDMARK_GROUPS, NUM_LANDMARKS
from coursekit.models import unwrap
from coursekit.models.heatmaps import read_heatmaps, read_points, see_twice, to_image
from coursekit.synthfaces.geometry import MEAN_FACE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from coursekit.checkpoint import ModelInfo

_RIGHT_EYE, _LEFT_EYE = LANDMARK_GROUPS["r_eye_centre"][0], LANDMARK_GROUPS["l_eye_centre"][0]
# A point may lie so far from the mean head's, in distances of the eyes; a mouth opens as far.
_REACH = 0.45
# A map whose peak near there is lower says nothing, and the mean head's point is taken.
_FAINT = 0.05
_STEPS = 20


def _start(*groups: str) -> NDArray[np.float64]:
    weights = np.full(NUM_LANDMARKS, 0.01)
    weights[[point for group in groups for point in LANDMARK_GROUPS[group]]] = 1
    return weights


#: Who has a say at first: the best of what these come to counts.
_STARTS = (
    np.ones(NUM_LANDMARKS),
    _start("jaw", "nose", "outer_mouth", "inner_mouth"),
    _start("nose", "nose_bridge", "outer_mouth", "inner_mouth"),
    _start("r_eye", "l_eye", "r_brow", "l_brow", "nose_bridge"),
)


class FoundLandmarks(NamedTuple):
    """What a network found in a photograph.

    Attributes:
        points: (106, 2) float32 x and y in pixels of the photograph, centres at whole numbers.
        peaks: (106,) float32, the height of each heatmap: about 1 where the network is sure, about
            0 where it saw nothing.
    """

    points: NDArray[np.float32]
    peaks: NDArray[np.float32]


@torch.inference_mode()
def predict_landmarks(
    model: nn.Module,
    image: NDArray[np.uint8],
    info: ModelInfo,
    square: Square | None = None,
    rounds: int = 2,
) -> FoundLandmarks:
    """The 106 points of one face.

    Args:
        model: in evaluation mode; its checkpoint's `info` says how it sees images.
        image: (H, W, 3) RGB in [0, 255], of any size and shape.
        info: the model's working size, mean and standard deviation.
        square: where the face is looked for first; the whole photograph by default, whose largest
            part it should then be: nothing here tells several faces apart.
        rounds: how often it is looked for; each time in the square about what was found before.

    Returns:
        Points in the photograph's own pixels.
    """
    found = _look(model, image, info, square or Square.of_image(image.shape))
    for _ in range(1, rounds):
        found = _look(model, image, info, Square.about(found.points))
    descent: nn.Module | None = getattr(unwrap(model), "descent", None)
    return found if descent is None else found._replace(points=descent(image, found.points))


def _look(
    model: nn.Module, image: NDArray[np.uint8], info: ModelInfo, square: Square
) -> FoundLandmarks:
    device = next(model.parameters()).device
    cut = square.cut(image, info.size)
    planes = prepare(cut, info.size, info.mean, info.std).to(device)  # (1, 3, S, S)
    heatmaps = see_twice(model, planes)  # (1, 106, s, s)
    small = (heatmaps.shape[-2], heatmaps.shape[-1])
    found, peaks = read_heatmaps(heatmaps)  # (1, 106, 2), (1, 106)
    head = fit_head(found[0].cpu().numpy(), peaks[0].cpu().numpy())
    found, peaks = _read_near(model, heatmaps, torch.from_numpy(head).to(heatmaps))
    points = to_image(found, small, (info.size, info.size))[0].cpu().numpy()
    return FoundLandmarks(square.to_photo(points, info.size), peaks[0].cpu().numpy())


def fit_head(points: NDArray[np.floating], trust: NDArray[np.floating]) -> NDArray[np.float64]:
    """The points of the mean head, turned, scaled and moved as suits most of the points.

    Args:
        points: (106, 2) x and y, some of them anywhere.
        trust: (106,) how far each is believed, at least 0 or taken for 0.

    Returns:
        (106, 2) in the units of `points`.
    """
    known = np.maximum(trust, 1e-3)
    laid = [_laid(points, known * start) for start in _STARTS]
    return max(laid, key=lambda head: float(known @ _near(points, head)))


def _near(points: NDArray[np.floating], head: NDArray[np.floating]) -> NDArray[np.float64]:
    """How near each point lies to the head's: 1 for no distance, 1/4 for a sixth of the eyes'."""
    unit = max(float(np.linalg.norm(head[_LEFT_EYE] - head[_RIGHT_EYE])), 1e-6)
    off = np.linalg.norm(points - head, axis=1) / unit
    return 1 / (1 + (6 * off) ** 2) ** 2


def _laid(points: NDArray[np.floating], weight: NDArray[np.floating]) -> NDArray[np.float64]:
    """The mean head over points: by these weights first, then by those of whoever lies near it."""
    known, hold = np.maximum(weight, weight.max() / 10), 1e-6 * np.eye(3)
    for _ in range(_STEPS):  # Geman and McClure's weights: who is far off, has no say
        share = weight / weight.sum()
        head, seen = MEAN_FACE - share @ MEAN_FACE, points - share @ points
        weighted = head * share[:, None]
        camera = np.linalg.solve(weighted.T @ head + hold, weighted.T @ seen)  # (3, 2)
        left, stretch, right = np.linalg.svd(camera, full_matrices=False)
        laid = head @ (left * stretch.mean()) @ right + share @ points  # a head is not stretched
        off = np.linalg.norm(points - laid, axis=1)
        scale = max(1.5 * float(np.median(off)), 1e-6)
        weight = known / (1 + (off / scale) ** 2) ** 2
    return laid


def _read_near(model: nn.Module, heatmaps: Tensor, head: Tensor) -> tuple[Tensor, Tensor]:
    """Read (1, 106, h, w) maps near the (106, 2) points of a head, in pixels of the maps."""
    reach = _REACH * (head[_LEFT_EYE] - head[_RIGHT_EYE]).norm().clamp_min(2)
    rows = torch.arange(heatmaps.shape[-2], device=heatmaps.device)
    columns = torch.arange(heatmaps.shape[-1], device=heatmaps.device)
    down = (rows - head[:, 1, None]).square()[:, :, None]  # (106, h, 1)
    across = (columns - head[:, 0, None]).square()[:, None, :]  # (106, 1, w)
    near = (down + across) <= reach**2  # (106, h, w)
    found, peaks = read_points(model, torch.where(near, heatmaps, 0.0))
    return torch.where(peaks[..., None] > _FAINT, found, head), peaks
