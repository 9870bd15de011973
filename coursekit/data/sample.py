"""One sample type and one interface, whatever the data lie in."""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from coursekit.errors import CourseError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coursekit.data.cache import Arrays
    from coursekit.labels import LabelSet


@dataclass(frozen=True, eq=False)
class Sample:
    """A photo and what is known about it.

    Attributes:
        name: the stem of the photo, unique within its split.
        image: (H, W, 3) uint8 RGB.
        label_map: (h, w) uint8 class ids, `IGNORE_INDEX` where nothing is known; None for an
            unlabelled sample. Its size may differ from the image's by a uniform scale.
        landmarks: (106, 2) float32 x and y in pixels of the image, or None.
        image_path: where the photo lies; None for a rendered sample.
        label_path: the mask, or the folder of its parts; None when rendered or unlabelled.
    """

    name: str
    image: NDArray[np.uint8]
    label_map: NDArray[np.uint8] | None = None
    landmarks: NDArray[np.floating] | None = None
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
        threads: whether several threads read samples faster than one.
    """

    threads: bool = True

    labels: LabelSet
    layout: str
    split: str
    names: tuple[str, ...]
    labelled: bool

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
    def sample(self, index: int) -> Sample:
        """Sample `index`, 0 ≤ index < len(self), with everything that is known about it."""

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
    def pair(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        """The photo and the label map of sample `index`, at their own sizes."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What the content depends on, as JSON can hold it: equal means the same pixels."""

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

    def arrays(self, size: int) -> Arrays:
        """Every sample decoded and resized to `size` × `size`, kept for the next call.

        Small sets are held in memory; large ones lie in the cache folder (`COURSEKIT_CACHE`) and
        are mapped from there, also the next time. Photos that are not square are stretched, the
        masks alike.

        Args:
            size: side of the results, in pixels.

        Raises:
            CourseError: for a size below 1, and for every file that cannot be read.
        """
        from coursekit.data.cache import load_arrays

        if self._arrays is None or self._arrays[0] != size:
            self._arrays = (size, load_arrays(self, size))
        return self._arrays[1]

    def _position(self, index: int) -> int:
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"sample {position} of {self}")
        return position % len(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_arrays": None}  # workers decode, or map the cache, themselves

    def __repr__(self) -> str:
        return f"{self.layout} {self.split} ({len(self)} samples)"
