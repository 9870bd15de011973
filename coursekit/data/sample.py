"""One sample type and one interface, whatever the data lie in."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from coursekit.data.cache import Arrays, kept_arrays
from coursekit.data.images import resize_image, resize_label_map, resize_landmarks
from coursekit.data.progress import threaded
from coursekit.errors import CourseError
from coursekit.landmarks import NUM_LANDMARKS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coursekit.data.cache import Filled, Shapes
    from coursekit.labels import LabelSet


@dataclass(frozen=True, eq=False)
class Sample:
    """A photo and what is known about it.

    Attributes:
        name: the stem of the photo, unique within its split.
        image: (H, W, 3) uint8 RGB.
        label_map: (h, w) uint8 class ids, `IGNORE_INDEX` where nothing is known; None for an
            unlabelled sample. Its size may differ from the image's by a uniform scale.
        landmarks: (106, 2) float32 x and y in pixels of the image, pixel centres at whole numbers;
            points may lie outside the image. None where nothing is known.
        image_path: where the photo lies; None for a rendered sample.
        label_path: the mask, or the folder of its parts; None when rendered or unlabelled.
    """

    name: str
    image: NDArray[np.uint8]
    label_map: NDArray[np.uint8] | None = None
    landmarks: NDArray[np.float32] | None = None
    image_path: Path | None = None
    label_path: Path | None = None

    def __repr__(self) -> str:
        label = "unlabelled" if self.label_map is None else f"label_map={self.label_map.shape}"
        points = "" if self.landmarks is None else f", landmarks={self.landmarks.shape}"
        return f"Sample({self.name!r}, image={self.image.shape}, {label}{points})"


class FaceDataset(Sequence[Sample], ABC):
    """A sequence of samples, decoded or rendered when they are asked for.

    `dataset[3]` is a `Sample`; `dataset[:100]` and `dataset.subset([4, 7])` are smaller data sets.

    Attributes:
        labels: the classes of the label maps.
        layout: the key of the folder layout, or "synthfaces".
        split: "train", "val" or "test".
        names: the stem of each sample, naturally sorted.
        labelled: whether samples have label maps; all of them do, or none does.
        landmarked: whether every sample has landmarks.
        threads: whether several threads read samples faster than one.
    """

    threads: bool = True

    labels: LabelSet
    layout: str
    split: str
    names: tuple[str, ...]
    labelled: bool
    landmarked: bool

    def __init__(self) -> None:
        self._arrays: tuple[int, Arrays] | None = None

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> FaceDataset: ...
    def __getitem__(self, index: int | slice) -> Sample | FaceDataset:
        if isinstance(index, slice):
            return self.subset(range(len(self))[index])
        return self.sample(self._position(index))

    @abstractmethod
    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        """Sample `index`, 0 ≤ index < len(self), with everything that is known about it.

        Without `landmarks` they may be left unread: masks are scored without them, and are trained
        on where some landmark files are missing.
        """

    @abstractmethod
    def subset(self, indices: Sequence[int]) -> FaceDataset:
        """The samples at these positions, in this order."""

    def image(self, index: int) -> NDArray[np.uint8]:
        """The (H, W, 3) uint8 photo of sample `index`, without decoding its mask."""
        return self.sample(index).image

    def label_map(self, index: int) -> NDArray[np.uint8]:
        """The (h, w) uint8 label map of sample `index`, without decoding its photo.

        Raises:
            CourseError: when the data set is unlabelled.
        """
        self.require_labels()
        label_map = self.sample(index).label_map
        assert label_map is not None
        return label_map

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What the content depends on, as JSON can hold it: equal means the same samples."""

    def require_labels(self) -> None:
        """Refuse an unlabelled data set.

        Raises:
            CourseError: naming the split.
        """
        if not self.labelled:
            raise CourseError(
                f"{self}: has no masks, so there is nothing to train on or compare with; "
                "open a labelled split"
            )

    def arrays(self, size: int, *, landmarks: bool = True) -> Arrays:
        """Every sample decoded and resized to `size` × `size`, kept for the next call.

        Small sets are held in memory; large ones lie in the cache folder (`COURSEKIT_CACHE`) and
        are mapped from there, also the next time. Photos that are not square are stretched, masks
        and landmarks alike.

        Args:
            size: side of the results, in pixels.
            landmarks: False leaves them unread, so that a broken file of them stops nobody who
                needs none; the result may have them all the same.

        Raises:
            CourseError: for a size below 1, for every file that cannot be read, and for a cache
                that cannot be written.
        """
        landmarks &= self.landmarked
        held = self._arrays
        if held is None or held[0] != size or (landmarks and held[1].landmarks is None):
            self._arrays = held = (size, self._decoded(size, landmarks))
        return held[1]

    def _decoded(self, size: int, landmarked: bool) -> Arrays:
        if size < 1:
            raise CourseError(f"a working size of {size} pixels; it must be at least 1")
        count = len(self)
        shapes: Shapes = {"images": ((count, size, size, 3), np.uint8)}
        if self.labelled:
            shapes["label_maps"] = ((count, size, size), np.uint8)
        if landmarked:
            shapes["landmarks"] = ((count, NUM_LANDMARKS, 2), np.float32)
        held = kept_arrays(
            {"size": size, **self.identity()}, shapes, lambda arrays: self._fill(arrays, size)
        )
        label_maps, landmarks = held.get("label_maps"), held.get("landmarks")
        return Arrays(held["images"], label_maps, landmarks, self.names, self.labels)

    def _fill(self, arrays: Filled, size: int) -> None:
        """Decode and resize every sample into (N, …) arrays."""

        def work(index: int) -> None:
            sample = self.sample(index, landmarks="landmarks" in arrays)
            arrays["images"][index] = resize_image(sample.image, size, size)
            if sample.label_map is not None and self.labelled:
                arrays["label_maps"][index] = resize_label_map(sample.label_map, size, size)
            if sample.landmarks is not None and "landmarks" in arrays:
                points = resize_landmarks(sample.landmarks, sample.image.shape, (size, size))
                arrays["landmarks"][index] = points

        what = f"reading {self.split}"
        for _ in threaded(work, range(len(self)), what, threads=self.threads):
            pass

    def _position(self, index: int) -> int:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"sample {position} of {self}")
        return position % len(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None}  # workers decode, or map the cache, themselves

    def __repr__(self) -> str:
        return f"{self.layout} {self.split} ({len(self)} samples)"
