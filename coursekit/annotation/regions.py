"""Hair and skin by two networks: a coarse one finds the face, a fine one looks at it closely.

    photograph → coarse: hair and skin, or not → the square around this face's
               → fine: hair, skin, what covers it, background → back into the photograph

A network is anything that takes a square photograph and gives a region for each of its pixels;
`network` makes one of a checkpoint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from coursekit.data.images import resize_image, resize_label_map
from coursekit.errors import CourseError
from coursekit.landmarks import LANDMARK_GROUPS

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from numpy.typing import NDArray

    from coursekit.annotation.curves import Points
    from coursekit.checkpoint import Checkpoint
    from coursekit.labels import LabelSet

    #: (S, S, 3) uint8 RGB → (S, S) uint8 regions.
    Network = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

#: Ids of regions. COVER lies over parts of the face: glasses.
BACKGROUND, SKIN, HAIR, COVER = range(4)

_REGION = {"hair": HAIR, "eye_g": COVER} | dict.fromkeys(
    ("skin", "nose", "l_eye", "r_eye", "l_brow", "r_brow", "mouth", "u_lip", "l_lip"), SKIN
)
# Networks see squares of at most this side; the regions of larger ones are enlarged.
_WORKING = 1024
# Around hair and skin, as a share of their longer side: what a coarse network misses.
_MARGIN = 0.15
# Half of the gap that parts no pieces of one head, as a share of the points' extent.
_APART = 0.04
# Points that must lie on hair or skin for a picture to be theirs.
_FITTING = 0.5
#: The jaw may run along the face's edge or behind hair; these lie well within.
_WITHIN = [i for name, group in LANDMARK_GROUPS.items() if name != "jaw" for i in group]


def region_table(labels: LabelSet) -> NDArray[np.uint8]:
    """A (256,) look-up table from a label set's ids to regions.

    Raises:
        CourseError: when the label set has no hair or no skin.
    """
    missing = [name for name in ("skin", "hair") if name not in labels.names]
    if missing:
        raise CourseError(f"{labels.key} has no class {missing[0]!r}; it cannot tell hair and skin")
    table = np.full(256, BACKGROUND, np.uint8)
    for index, name in enumerate(labels.names):
        table[index] = _REGION.get(name, BACKGROUND)
    return table


def network(source: str | os.PathLike[str] | Checkpoint, device: str = "cpu") -> Network:
    """A checkpoint as a network of regions.

    Args:
        source: a checkpoint, or the file of one, of any label set that has hair and skin.
        device: where the model runs.

    Raises:
        CourseError: when the file is no checkpoint, or that of a network that finds landmarks.
    """
    from coursekit import checkpoint  # torch: label maps without networks do without it
    from coursekit.inference import predict_label_map

    loaded = source if isinstance(source, checkpoint.Checkpoint) else checkpoint.load(source)
    try:
        labels = loaded.info.labels
    except CourseError as error:
        raise CourseError(f"{source if loaded is not source else 'network'}: {error}") from error
    table = region_table(labels)
    loaded = checkpoint.for_inference(loaded)
    model = loaded.model.to(device).eval()

    def regions(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return table[predict_label_map(model, image, loaded.info)]

    return regions


def segment(
    image: NDArray[np.uint8], points: Points, coarse: Network, fine: Network
) -> NDArray[np.uint8]:
    """The regions of a photograph around the face that the points are of.

    Other faces of the photograph are background, as one face alone is annotated.

    Args:
        image: (H, W, 3) uint8 RGB.
        points: (106, 2) finite x and y in pixels.
        coarse, fine: networks; they may be one and the same.

    Returns:
        (H, W) uint8: `BACKGROUND`, `SKIN`, `HAIR`, `COVER`.

    Raises:
        CourseError: when less than half of the inner points lie on what the fine network takes for
            hair or skin: the points are hardly this picture's.
    """
    height, width = image.shape[:2]
    whole = np.array([(0, 0), (width - 1, height - 1)])
    seen = _of_this_face(_look(coarse, image, whole) != BACKGROUND, points)
    corners = points.clip((0, 0), whole[1])
    if seen.any():
        x, y, wide, high = cv2.boundingRect(seen.view(np.uint8))
        corners = np.concatenate([corners, [(x, y), (x + wide - 1, y + high - 1)]])
    box = np.stack([corners.min(0), corners.max(0)])
    margin = _MARGIN * np.ptp(box, axis=0).max()
    found = _look(fine, image, box + np.array([[-margin], [margin]]))
    shown = found != BACKGROUND
    hit = _at(shown, points[_WITHIN])
    if np.count_nonzero(hit) < _FITTING * len(_WITHIN):
        raise CourseError(
            f"only {np.count_nonzero(hit)} of {len(_WITHIN)} points lie on a face or hair that the "
            "networks see; pair the right files, or train the networks on such pictures"
        )
    found[~_of_this_face(shown, points)] = BACKGROUND
    return found


def _look(network: Network, image: NDArray[np.uint8], box: NDArray[np.number]) -> NDArray[np.uint8]:
    """What a network sees in the square around a box (2, 2) of x and y; background elsewhere."""
    height, width = image.shape[:2]
    centre, side = box.mean(0), int(np.ceil(np.ptp(box, axis=0).max())) + 1
    left, top = np.floor(centre - (side - 1) / 2 + 0.5).astype(int)
    rows = slice(max(top, 0), min(top + side, height))
    columns = slice(max(left, 0), min(left + side, width))
    cut = image[rows, columns]
    # Shrunk before it is padded: the square around a panorama may be larger than any memory.
    factor = min(1.0, _WORKING / side)
    high, wide = (max(1, round(edge * factor)) for edge in cut.shape[:2])
    small = resize_image(cut, high, wide)
    working = max(round(side * factor), high, wide)
    before = [
        min(round((edge.start - start) * factor), working - size)
        for edge, start, size in ((rows, top, high), (columns, left, wide))
    ]
    margins = [(b, working - b - size) for b, size in zip(before, (high, wide), strict=True)]
    seen = network(np.pad(small, [*margins, (0, 0)], mode="edge"))
    if seen.shape != (working, working):
        raise CourseError(
            f"a network gave {' × '.join(map(str, seen.shape))} regions for {working} × {working} "
            "pixels; it must give one for each pixel"
        )
    seen = seen[before[0] : before[0] + high, before[1] : before[1] + wide]
    found = np.full((height, width), BACKGROUND, np.uint8)
    found[rows, columns] = resize_label_map(seen, *cut.shape[:2])
    return found


def _at(mask: NDArray[np.bool_], points: Points) -> NDArray[np.bool_]:
    """The mask's values at points (N, 2); False outside of it."""
    height, width = mask.shape
    x, y = np.rint(points).astype(int).T
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    hit: NDArray[np.bool_] = within & mask[y.clip(0, height - 1), x.clip(0, width - 1)]
    return hit


def _of_this_face(shown: NDArray[np.bool_], points: Points) -> NDArray[np.bool_]:
    """The connected piece of a mask that holds most of the points; nothing where none does.

    Pieces that an ear or an earring parts are one.
    """
    reach = 2 * round(_APART * float(np.ptp(points, axis=0).max())) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (reach, reach))
    _, pieces = cv2.connectedComponents(cv2.dilate(shown.view(np.uint8), kernel))
    x, y = np.rint(points).astype(int).T
    hit = _at(shown, points)
    if not hit.any():
        return np.zeros_like(shown)
    most = np.bincount(pieces[y[hit], x[hit]]).argmax()
    piece: NDArray[np.bool_] = shown & (pieces == most)
    return piece
