"""A map of weights over a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def heated(
    image: NDArray[np.uint8], weights: NDArray[np.floating], opacity: float, root: bool = False
) -> NDArray[np.uint8]:
    """A photo in grey under weights in the colours of heat, where there is any.

    Args:
        image: (H, W, 3).
        weights: (h, w), not negative, enlarged without smoothing to the photo's size.
        opacity: of the colours, 0 to 1.
        root: whether square roots are drawn, which leaves more to see of small weights.

    Returns:
        (H, W, 3).
    """
    from matplotlib import colormaps

    tone = np.asarray(weights, np.float64) / max(float(np.max(weights)), 1e-30)
    tone = np.sqrt(tone) if root else tone
    rows = np.arange(len(image)) * len(tone) // len(image)
    columns = np.arange(image.shape[1]) * tone.shape[1] // image.shape[1]
    tone = tone[np.ix_(rows, columns)]
    heat = colormaps["magma"](0.3 + 0.7 * tone)[..., :3] * 255
    cover = opacity * np.sqrt(tone[..., None])  # the face is seen where there is little heat
    grey = np.asarray(Image.fromarray(image).convert("L"), np.float64)[..., None]
    return (grey * (1 - cover) + heat * cover).round().astype(np.uint8)
