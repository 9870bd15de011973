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
    """Whitened tensors of a data set, augmented or not.

    Item i of epoch e draws its random numbers from (seed, e, i) alone. So neither the number of
    workers, nor the order, nor resuming in the middle of an epoch changes a byte.

    Args:
        dataset: a data set, which is decoded to `size` now, or its arrays.
        size: side of the tensors, in pixels.
        whitening: of the training set.
        augmentation: applied to every item; None for validation and test.
        seed: of all random numbers, at least 0.

    Each item is a dict: "image" (3, S, S) float32, whitened; "target" (S, S) int64 class ids,
    unless the data set is unlabelled; "name", the stem.
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
        # In shared memory, so that workers that outlive an epoch see the next one begin.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()

    @property
    def epoch(self) -> int:
        """The epoch whose random numbers are drawn."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw the random numbers of this epoch from the next item on."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.arrays)

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f"item {index} of {len(self)}")
        index %= len(self)
        image = self.arrays.images[index]
        maps = self.arrays.label_maps
        label_map = None if maps is None else maps[index]
        if self.augmentation is None:
            planes = to_planes(np.ascontiguousarray(image))
        else:
            rng = np.random.default_rng(np.random.SeedSequence([self.seed, self.epoch, index]))
            planes, label_map = self.augmentation(image, label_map, rng, self.labels)
        item: dict[str, Any] = {
            "image": torch.from_numpy(self.whitening.apply(planes)),  # (3, S, S)
            "name": self.arrays.names[index],
        }
        if label_map is not None:
            item["target"] = torch.from_numpy(label_map.astype(np.int64))  # (S, S)
        return item
