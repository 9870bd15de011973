"""From 106 landmarks and a photograph to a label map: the paper's Pixel-level Parsing Annotation.

points       are these 106 points a face of this picture?
curves       a part's standard pose, two parabolas, a smoothed polygon
outlines     each part by the scheme of its category; plain polygons beside them
habits       how annotators draw beside the points, learnt from masks
regions      hair and skin, coarse to fine, by two networks
fusion       skin, parts, hair, background, in this order
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.annotation.fusion import label_map
from coursekit.annotation.points import checked
from coursekit.annotation.regions import network, segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from coursekit.annotation.habits import Habits
    from coursekit.annotation.regions import Network

__all__ = ["annotate", "label_map", "network", "segment"]


def annotate(
    image: NDArray[np.uint8],
    points: ArrayLike,
    coarse: Network,
    fine: Network,
    *,
    habits: Habits | None = None,
    name: str = "landmarks",
) -> NDArray[np.uint8]:
    """A photograph's label map: parts from its landmarks, hair and skin by two networks.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (106, 2) x and y in pixels, pixel centres at whole numbers.
        coarse, fine: from `network`; one and the same will do.
        habits: how annotators draw beside the points, from `habits.learn`.
        name: of the landmarks' file, for messages.

    Returns:
        (H, W) uint8, ids of `labels.LAPA`.

    Raises:
        CourseError: when the points are no face of this picture.
    """
    height, width = image.shape[:2]
    array = checked(points, height, width, name)
    regions = segment(image, array, coarse, fine)
    return label_map(array, height, width, regions=regions, habits=habits, name=name)
