"""A data set as torch's loaders want it; the one module of `coursekit.data` that imports torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import Dataset

from coursekit.data.cache import Arrays
from coursekit.data.statistics import as_arrays
from coursekit.data.transforms import to_planes

if TYPE_CHECKING:
    from coursekit.data.sample import FaceDataset
    from coursekit.data.transforms import Augmentation, Whitening


class TrainingView(Dataset[dict[str, Any]]):
    """Tensors of a data set, the images whitened, augmented or not.

    Item i of epoch e draws its random numbers from (seed, e, i) alone. So neither the number of
    workers, nor the order, nor resuming in the middle of an epoch changes a byte. Workers keep the
    epoch that they were started in: make the loader anew for each epoch.

    Args:
        dataset: a data set, which is decoded to `size` now, or its arrays.
        size: side of the tensors, in pixels.
        whitening: of the training set.
        augmentation: applied to every item; None for validation and test.
        seed: of all random numbers, at least 0.

    Each item is a dict: "image" (3, S, S) float32, whitened; "target" (S, S) int64 class ids,
    unless the data set is unlabelled; "landmarks" (106, 2) float32 x and y in pixels of the image,
    pixel centres at whole numbers, where every sample has them (augmentation may move points out
    of the image); "name", the stem.

    Attributes:
        epoch: whose random numbers are drawn.
    """

    def __init__(
        self,
        dataset: FaceDataset | Arrays,
        size: int,
        whitening: Whitening,
        augmentation: Augmentation | None = None,
        seed: int = 0,
    ) -> None:
        self.arrays = as_arrays(dataset, size)
        self.labels = self.arrays.labels
        self.whitening = whitening
        self.augmentation = augmentation
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draw the random numbers of this epoch from the next item on."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        index %= len(self)
        arrays = self.arrays
        image = arrays.images[index]
        label_map = None if arrays.label_maps is None else arrays.label_maps[index]
        landmarks = None if arrays.landmarks is None else arrays.landmarks[index]
        if self.augmentation is None:
            planes = to_planes(np.ascontiguousarray(image))
        else:
            rng = np.random.default_rng(np.random.SeedSequence([self.seed, self.epoch, index]))
            planes, label_map, landmarks = self.augmentation(
                image, label_map, landmarks, rng, self.labels
            )
        item: dict[str, Any] = {
            "image": torch.from_numpy(self.whitening.apply(planes)),  # (3, S, S)
            "name": self.arrays.names[index],
        }
        if label_map is not None:
            item["target"] = torch.from_numpy(label_map.astype(np.int64))  # (S, S)
        if landmarks is not None:
            item["landmarks"] = torch.from_numpy(landmarks.astype(np.float32))  # (106, 2)
        return item
