"""From a photograph to its 106 points, one image at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from coursekit.data.face_crops import Square
from coursekit.inference import prepare
from coursekit.models.heatmaps import read_heatmaps, to_image

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from coursekit.checkpoint import ModelInfo


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
    return found


def _look(
    model: nn.Module, image: NDArray[np.uint8], info: ModelInfo, square: Square
) -> FoundLandmarks:
    device = next(model.parameters()).device
    cut = square.cut(image, info.size)
    heatmaps = model(prepare(cut, info.size, info.mean, info.std).to(device)).float()
    small = (heatmaps.shape[-2], heatmaps.shape[-1])
    found, peaks = read_heatmaps(heatmaps)
    points = to_image(found, small, (info.size, info.size))[0].cpu().numpy()
    return FoundLandmarks(square.to_photo(points, info.size), peaks[0].cpu().numpy())
