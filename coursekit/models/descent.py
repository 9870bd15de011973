"""Supervised descent (Xiong and De la Torre, 2013): points go where their surroundings say.

    photo and points, turned and scaled to the mean face: a grey square         (96, 96)
    Cells       about each point, gradients in 8 directions, in 9 small cells and 4 large ones
                                                                                (106, 104)
    Directions  the 20 in which the cells of a point differ most                (106, 20)
    Step        one linear function of them and of the points: moves            (106, 2)
    … turned back, and again from there; so in the mirror image, too, and the mean of both counts.

A small network's maps find each part of a face to about a pixel of theirs, and a mouth that is off
is off as a whole. A step sees the photo itself, finer than the maps, at places that are the same of
every face; all points have a say in each move. What moves them is found by ridge regression, not by
gradients: `training/descent.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from coursekit.landmarks import LANDMARK_GROUPS, LANDMARK_MIRROR, NUM_LANDMARKS
from coursekit.synthfaces.geometry import MEAN_FACE

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: The square's side; the mean face's longer side takes this share of it.
_SIDE, _SHARE = 96, 0.74
#: Cells: their side, and where they lie about a point, across and down alike.
_CELLS = ((3, (-2.5, 0.0, 2.5)), (7, (-6.0, 6.0)))
_ANGLES = 8
#: Numbers that describe what is about a point, and how many directions of them are kept.
DESCRIBED = _ANGLES * sum(len(places) ** 2 for _, places in _CELLS)
KEPT = 20
#: Of flat skin nothing is said: gradients weaker than this, in shares of the square's contrast.
_FLAT = 0.3


def _mean_square() -> NDArray[np.float64]:
    """(106, 2) the mean face in pixels of the square, its middle at 0."""
    face = MEAN_FACE[:, :2] - MEAN_FACE[:, :2].mean(0)
    scaled: NDArray[np.float64] = face * (_SHARE * _SIDE / np.ptp(face, axis=0).max())
    return scaled


_MEAN = _mean_square()
_EYES = float(np.ptp(_MEAN[[LANDMARK_GROUPS[f"{s}_eye_centre"][0] for s in "rl"]], axis=0).max())


class Seen(NamedTuple):
    """A face in the square.

    Attributes:
        cells: (106, DESCRIBED) float32, what is about each point.
        points: (106, 2) x and y, the square's middle at 0, in distances of the mean face's eyes.
        matrix: (2, 2) from pixels of the photo to those distances, shift aside.
    """

    cells: NDArray[np.float32]
    points: NDArray[np.float64]
    matrix: NDArray[np.float64]


def mirrored(points: NDArray[np.floating], width: int) -> NDArray[np.float64]:
    """(106, 2) points of an image so wide, in its mirror image."""
    return points[list(LANDMARK_MIRROR)] * np.array([-1.0, 1.0]) + np.array([width - 1.0, 0.0])


def see(image: NDArray[np.uint8], points: NDArray[np.floating]) -> Seen:
    """What is about the (106, 2) points of an (H, W, 3) RGB image."""
    middle = points.mean(0)
    x, y = (points - middle).T
    spread = max(float((x * x + y * y).sum()), 1e-9)
    along = float((x * _MEAN[:, 0] + y * _MEAN[:, 1]).sum()) / spread
    across = float((x * _MEAN[:, 1] - y * _MEAN[:, 0]).sum()) / spread
    turn = np.array([[along, -across], [across, along]])  # least squares: turned and scaled alone
    shift = (_SIDE - 1) / 2 - turn @ middle
    placed = points @ turn.T + shift
    square = _cut(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), turn, shift)
    centred = (placed - (_SIDE - 1) / 2) / _EYES
    return Seen(_cells(square, placed.astype(np.float32)), centred, turn / _EYES)


def _cut(
    grey: NDArray[np.uint8], turn: NDArray[np.float64], shift: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The square of a grey photo of which pixel p lies at turn · p + shift."""
    height, width = grey.shape
    every = min(int(np.linalg.det(turn) ** -0.5), height, width) if turn.any() else 1
    if every > 1:  # areas first, or thin parts flicker
        grey = cv2.resize(grey, (width // every, height // every), interpolation=cv2.INTER_AREA)
    scale = np.array([width / grey.shape[1], height / grey.shape[0]])
    matrix = np.column_stack([turn * scale, shift + turn @ (scale / 2 - 0.5)])
    return cv2.warpAffine(
        grey, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)


def _cells(square: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(106, DESCRIBED): gradients by direction in cells about (106, 2) points of a grey square."""
    contrast = float(square.std()) + 5
    down, right = (cv2.Sobel(square, cv2.CV_32F, *d) / contrast for d in ((0, 1), (1, 0)))
    angles = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    edges = [np.maximum(right * np.cos(a) + down * np.sin(a), 0) for a in angles]
    found = []
    for side, places in _CELLS:
        means = [cv2.blur(edge, (side, side)) for edge in edges]
        strength = np.sqrt(sum(mean * mean for mean in means)) + _FLAT
        about = np.array([(x, y) for y in places for x in places], np.float32)
        where = points[:, None] + about  # (106, places, 2)
        found += [_read(mean / strength, where) for mean in means]
    return np.concatenate(found, 1)


def _read(values: NDArray[np.float32], where: NDArray[np.float32]) -> NDArray[np.float32]:
    """(106, n) values of an image at (106, n, 2) places between its pixels."""
    edge = cv2.BORDER_REPLICATE
    found: Any = cv2.remap(values, where, np.empty(0), cv2.INTER_LINEAR, borderMode=edge)
    return found


class Descent(nn.Module):
    """Steps from a network's points to better ones; fresh ones move nothing.

    Args:
        steps: how many.
    """

    centre: Tensor
    directions: Tensor
    steps: Tensor

    def __init__(self, steps: int) -> None:
        super().__init__()
        known = NUM_LANDMARKS * (KEPT + 2) + 1
        self.register_buffer("centre", torch.zeros(NUM_LANDMARKS, DESCRIBED))
        self.register_buffer("directions", torch.zeros(NUM_LANDMARKS, DESCRIBED, KEPT))
        self.register_buffer("steps", torch.zeros(steps, known, 2 * NUM_LANDMARKS))

    def known(self, seen: Seen) -> Tensor:
        """(106 · 22,) what a step is a linear function of: directions, then points."""
        cells = torch.from_numpy(seen.cells).to(self.centre) - self.centre
        kept = torch.einsum("kd,kde->ke", cells, self.directions)
        points = torch.from_numpy(seen.points).to(self.centre)
        return torch.cat([kept.flatten(), points.flatten()])

    def moved(self, seen: Seen, points: NDArray[np.floating], moves: Tensor) -> NDArray[np.float64]:
        """Points of the photo after (212,) moves in the square."""
        back = np.linalg.pinv(seen.matrix)  # 0 where all points lie in one place
        found: NDArray[np.float64] = points + moves.double().cpu().numpy().reshape(-1, 2) @ back.T
        return found

    @torch.inference_mode()
    def forward(
        self, image: NDArray[np.uint8], points: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """The (106, 2) points of an (H, W, 3) RGB image that those given lead to.

        They are the mean of where the steps end in the image and in its mirror image.
        """
        width, start = image.shape[1], points.astype(np.float64)
        straight = self._follow(image, start)
        other = self._follow(np.ascontiguousarray(image[:, ::-1]), mirrored(start, width))
        return ((straight + mirrored(other, width)) / 2).astype(np.float32)

    def _follow(self, image: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.float64]:
        for step in self.steps:
            seen = see(image, points)
            points = self.moved(seen, points, self.known(seen) @ step[:-1] + step[-1])
        return points
