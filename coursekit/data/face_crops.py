"""Faces cut out of their photos: a square about the 106 points, with a margin.

A landmark network sees a face of about one size in the middle of the square. Where no landmarks are
known yet, those that the network found in a larger square give the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import cv2
import numpy as np

from coursekit.data.landmark_files import check_landmarks
from coursekit.data.sample import FaceDataset, Sample
from coursekit.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Room on each side of the tight box, in shares of its longer side.
MARGIN = 0.25


@dataclass(frozen=True)
class Square:
    """A square of a photo, in pixels whose centres lie at whole numbers; it may reach outside.

    Attributes:
        left, top: of its outer border: −0.5 is the photo's.
        side: its length.
    """

    left: float
    top: float
    side: float

    @classmethod
    def of_image(cls, shape: Sequence[int]) -> Square:
        """The smallest square about a whole photo of (height, width)."""
        height, width = shape[:2]
        side = max(height, width)
        return cls((width - side) / 2 - 0.5, (height - side) / 2 - 0.5, side)

    @classmethod
    def about(cls, points: NDArray[np.floating], margin: float = MARGIN) -> Square:
        """The square about the tight box of (K, 2) points, NaN aside, with a margin.

        Raises:
            CourseError: when fewer than two points are known, or all lie in one place.
        """
        known = points[np.isfinite(points).all(-1)]
        low, high = (known.min(0), known.max(0)) if len(known) else (np.zeros(2), np.zeros(2))
        longer = float((high - low).max())
        if not longer > 0:
            raise CourseError(
                f"{len(known)} landmarks in one place show no face to cut out; give its points"
            )
        side = longer * (1 + 2 * margin)
        left, top = (low + high) / 2 - side / 2
        return cls(float(left), float(top), side)

    def varied(self, rng: np.random.Generator, margin: float = MARGIN) -> Square:
        """This square about a face as another look at its photo might have it.

        The side is 0.9 to 1.6 times as long, and the face lies anywhere within.
        """
        side = self.side * float(np.exp(rng.uniform(np.log(0.9), np.log(1.6))))
        room = 0.8 * (side - self.side / (1 + 2 * margin)) / 2  # before the face's box touches
        left, top = rng.uniform(-room, room, 2) - (side - self.side) / 2
        return Square(self.left + float(left), self.top + float(top), side)

    def cut(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """What (H, W, 3) `image` shows there, (size, size, 3); its edge goes on outside of it."""
        step = self.side / size
        if step > 1:  # areas first, or thin parts flicker
            shrink = 1 / step
            height, width = (max(1, round(n * shrink)) for n in image.shape[:2])
            small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
        else:
            small = image
        across, down = small.shape[1] / image.shape[1], small.shape[0] / image.shape[0]
        # Pixel k of the square lies at left + (k + 0.5) · step of the photo.
        matrix = np.array([
            [step * across, 0, (self.left + 0.5 + 0.5 * step) * across - 0.5],
            [0, step * down, (self.top + 0.5 + 0.5 * step) * down - 0.5],
        ])  # fmt: skip
        return cv2.warpAffine(
            small, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip

    def to_square(self, points: NDArray[np.floating], size: int) -> NDArray[np.float32]:
        """Points of the photo in pixels of the square at (size, size)."""
        there = (points - (self.left, self.top)) * (size / self.side) - 0.5
        return there.astype(np.float32)

    def to_photo(self, points: NDArray[np.floating], size: int) -> NDArray[np.float32]:
        """Points of the square at (size, size) in pixels of the photo."""
        there = (points.astype(np.float64) + 0.5) * (self.side / size) + (self.left, self.top)
        return there.astype(np.float32)


class FaceCrops(FaceDataset):
    """The faces of a landmarked data set, cut out; unlabelled.

    Args:
        photos: whose samples have landmarks.
        size: of each crop, in pixels.
        margin: see `Square.about`.
        varied: whether each square varies in size and place, always alike for the same photo: a
            network learns to find a face that does not fill its picture. To shrink what was cut
            out tightly would not do: the face is then where the border ends.

    Raises:
        CourseError: when samples have no landmarks, and for a sample whose landmarks are those of
            another photo.
    """

    def __init__(
        self, photos: FaceDataset, size: int, margin: float = MARGIN, *, varied: bool = False
    ) -> None:
        super().__init__()
        if not photos.landmarked:
            raise CourseError(f"{photos}: has photos without landmarks; faces cannot be cut out")
        self.photos, self.size, self.margin = photos, size, margin
        self.varied = varied
        self.labels, self.layout = photos.labels, photos.layout
        self.split, self.names = photos.split, photos.names
        self.labelled, self.landmarked = False, True
        self.threads = photos.threads

    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        whole = self.photos.sample(index)
        assert whole.landmarks is not None
        check_landmarks(whole.landmarks, whole.image.shape, whole.image_path or whole.name)
        square = Square.about(whole.landmarks, self.margin)
        if self.varied:
            name = crc32(self.names[index].encode())
            square = square.varied(np.random.default_rng(name), self.margin)
        return Sample(
            whole.name,
            square.cut(whole.image, self.size),
            None,
            square.to_square(whole.landmarks, self.size),
            whole.image_path,
        )

    def subset(self, indices: Sequence[int]) -> FaceCrops:
        part = self.photos.subset(indices)
        return FaceCrops(part, self.size, self.margin, varied=self.varied)

    def identity(self) -> dict[str, Any]:
        crops = {"size": self.size, "margin": self.margin, "varied": self.varied}
        return {"crops": crops, "photos": self.photos.identity()}
