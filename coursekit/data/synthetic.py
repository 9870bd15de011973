"""Procedural faces behind the same interface as photos in folders."""

from __future__ import annotations

import copy
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coursekit.data.sample import FaceDataset, Sample
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from coursekit.data.cache import Arrays

    #: A photograph (H, W, 3) and a label map (H, W), uint8, and points (106, 2).
    _Face = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Bytes of the photographs, label maps and points that a data set keeps once it has drawn them.
_KEPT = 32 << 20


class SynthDataset(FaceDataset):
    """Faces that `coursekit.synthfaces` renders when they are asked for.

    They are kept while there is room: who counts, trains and looks at results draws each once.

    Face k of the data set is face `first + k` of `seed`: two data sets with one seed and ranges
    that do not overlap share no face.

    Args:
        seed: of the whole family of faces.
        length: how many there are, at least 1.
        size: side of the images and label maps, in pixels.
        label_noise: how carelessly the faces are annotated, from 0.
        crowd: how much else is in the picture, from 0.
        shift: how far the look departs from the usual, from 0.
        first: the index of the first face.
        split: what to call it: "train", "val" or "test".

    Raises:
        CourseError: for a length or size below 1.
    """

    # Drawing is many short calls that hold Python's lock; two threads take half as long again.
    threads = False

    def __init__(
        self,
        seed: int,
        length: int,
        size: int,
        label_noise: float = 0.0,
        crowd: float = 0.0,
        shift: float = 0.0,
        first: int = 0,
        *,
        split: str = "train",
    ) -> None:
        super().__init__()
        if length < 1 or size < 1:
            raise CourseError(
                f"a synthetic data set of {length} faces of {size} pixels; both must be at least 1"
            )
        self.labels = CELEBAMASK_HQ
        self.layout = "synthfaces"
        self.split = split
        self.labelled = self.landmarked = True
        self.seed = seed
        self.size = size
        self.label_noise = label_noise
        self.crowd = crowd
        self.shift = shift
        self._drawn: dict[tuple[float, ...], _Face] = {}  # by what they look like; subsets share it
        self._choose(range(first, first + length))

    def _choose(self, indices: Sequence[int]) -> None:
        self.indices = tuple(indices)
        self.names = tuple(f"{index:05d}" for index in self.indices)

    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        if self._arrays is not None and self._arrays[0] == self.size:  # no need to draw it again
            held = self._arrays[1]
            assert held.label_maps is not None and held.landmarks is not None
            image, label_map = np.array(held.images[index]), np.array(held.label_maps[index])
            return Sample(self.names[index], image, label_map, np.array(held.landmarks[index]))
        image, label_map, points = map(np.copy, self._face(self.indices[index]))
        return Sample(self.names[index], image, label_map, points)

    def _face(self, index: int) -> _Face:
        """Face `index` of the family; whoever changes it changes it for all that ask again."""
        from coursekit import synthfaces

        look = self.seed, index, self.size, self.label_noise, self.crowd, self.shift
        if look in self._drawn:
            return self._drawn[look]
        try:
            face = synthfaces.render(
                self.seed,
                index,
                self.size,
                label_noise=self.label_noise,
                crowd=self.crowd,
                shift=self.shift,
            )
        except ValueError as error:
            raise CourseError(f"synthetic faces: {error}") from error
        drawn = face.image, face.label_map, face.landmarks
        if (len(self._drawn) + 1) * sum(array.nbytes for array in drawn) <= _KEPT:
            self._drawn[look] = drawn
        return drawn

    def arrays(self, size: int, *, landmarks: bool = True) -> Arrays:
        return super().arrays(size)  # they cost nothing here

    def subset(self, indices: Sequence[int]) -> SynthDataset:
        chosen = [self.indices[self._position(i)] for i in indices]
        part = copy.copy(self)
        part._arrays, part._drawn = None, self._drawn
        part._choose(chosen)
        return part

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_drawn": {}}  # a worker draws what it needs

    def identity(self) -> dict[str, Any]:
        from coursekit import synthfaces

        source = Path(synthfaces.__file__ or "")
        drawn_by = source.parent.glob("*.py") if source.name == "__init__.py" else [source]
        code = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(drawn_by))).hexdigest()
        return {
            "layout": self.layout, "seed": self.seed, "size": self.size,
            "style": [self.label_noise, self.crowd, self.shift],
            "indices": self.indices, "code": code,
        }  # fmt: skip
