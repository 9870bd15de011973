"""Crowded rendered faces with wrong labels whose truth is known, and what a network makes of them.

1,000 faces to train on and 200 others, without wrong labels, to score on.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coursekit import metrics
from coursekit.data import FaceDataset, Sample
from coursekit.labels import CELEBAMASK_HQ
from coursekit.metrics import Repairs, repairs
from coursekit.models import in_evaluation
from coursekit.synthfaces import NOISE_KINDS, kinds_of_noise, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from coursekit.data import Whitening

#: Faces of one family: every run sees the same ones, whatever its own seed.
FAMILY, TRAIN, VAL, CROWD = 7, 1000, 200, 0.3
#: Kinds of noise that spoil a whole region.
REGIONS = tuple(kind for kind in NOISE_KINDS if kind != "shifted_boundary")


class Faces(FaceDataset):
    """Faces in memory.

    Args:
        images: (N, S, S, 3) uint8.
        label_maps: (N, S, S) uint8.
        split: what to call them.
    """

    labels, layout = CELEBAMASK_HQ, "synthfaces"
    labelled, landmarked = True, False

    def __init__(self, images: NDArray[np.uint8], label_maps: NDArray[np.uint8], split: str):
        super().__init__()
        self.images, self.label_maps, self.split = images, label_maps, split
        self.names = tuple(f"{index:05d}" for index in range(len(images)))

    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        return Sample(self.names[index], self.images[index], self.label_maps[index])

    def subset(self, indices: Sequence[int]) -> Faces:
        chosen = list(indices)
        return Faces(self.images[chosen], self.label_maps[chosen], self.split)

    def identity(self) -> dict[str, Any]:
        held = hashlib.sha256(self.images.tobytes() + self.label_maps.tobytes())
        return {"layout": self.layout, "bytes": held.hexdigest()}


@dataclass(frozen=True, eq=False)
class Noisy:
    """Faces with what is wrong about them.

    Attributes:
        faces: as a network is trained on them.
        truth: (N, S, S) uint8, their labels without noise.
        kinds: (N, S, S) uint8, places in `NOISE_KINDS`; 255 where the label is right.
    """

    faces: Faces
    truth: NDArray[np.uint8]
    kinds: NDArray[np.uint8]

    @property
    def share(self) -> float:
        """Of the pixels that are wrong."""
        return float((self.kinds != 255).mean())


@cache
def training_faces(size: int, noise: float, regions_alone: bool = False) -> Noisy:
    """The faces to train on.

    Args:
        size: side in pixels.
        noise: probability of each kind of noise.
        regions_alone: undo the shifted boundaries.
    """
    drawn = [render(FAMILY, index, size, label_noise=noise, crowd=CROWD) for index in range(TRAIN)]
    truth = np.stack([face.clean_label_map for face in drawn])
    kinds = np.stack(
        [
            kinds_of_noise(face.label_map, face.clean_label_map, face.attributes.label_noise)
            for face in drawn
        ]
    )
    label_maps = np.stack([face.label_map for face in drawn])
    if regions_alone:
        moved = kinds == NOISE_KINDS.index("shifted_boundary")
        label_maps, kinds = np.where(moved, truth, label_maps), np.where(moved, 255, kinds)
    images = np.stack([face.image for face in drawn])
    return Noisy(Faces(images, label_maps.astype(np.uint8), "train"), truth, kinds.astype(np.uint8))


@cache
def validation_faces(size: int) -> Faces:
    """The faces to score on, none of which is trained on; their labels are right."""
    drawn = [render(FAMILY, TRAIN + index, size, crowd=CROWD) for index in range(VAL)]
    images, label_maps = (np.stack([getattr(f, n) for f in drawn]) for n in ("image", "label_map"))
    return Faces(images, label_maps, "val")


@torch.no_grad()
def predict(network: nn.Module, faces: Faces, whitening: Whitening) -> Tensor:
    """A network's class of each pixel, (N, S, S) uint8 on the CPU; its modes are left as they were.

    Args:
        network: maps whitened (B, 3, S, S) images to logits.
        faces: of the size that it was trained at.
        whitening: of its training set.
    """
    device, found = next(network.parameters()).device, []
    with in_evaluation(network):
        for first in range(0, len(faces), 50):
            planes = faces.images[first : first + 50].transpose(0, 3, 1, 2) / np.float32(255)
            white = np.stack([whitening.apply(image) for image in planes.astype(np.float32)])
            classes = network(torch.from_numpy(white).to(device)).argmax(1)
            found.append(classes.to(torch.uint8).cpu())
    return torch.cat(found)


def scores(matrix: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """In percent: the means, and the IoU of each class.

    Args:
        matrix: of confusion.
        names: of its classes.
    """
    means = {
        "mean_iou": metrics.mean_iou(matrix),
        "mean_f1": metrics.mean_f1(matrix),
        "mean_f1_faces": metrics.mean_f1(matrix, background=False),
    }
    ious = zip(names, metrics.iou(matrix).tolist(), strict=True)
    return {
        **{name: round(100 * value, 2) for name, value in means.items()},
        "iou": {name: round(100 * value, 1) for name, value in ious},
    }


def count_repairs(prediction: Tensor, noisy: Noisy) -> Repairs:
    """What became of the wrong and the right labels of the faces that a network was trained on."""
    label_maps, truth, kinds = (
        torch.from_numpy(maps) for maps in (noisy.faces.label_maps, noisy.truth, noisy.kinds)
    )
    return repairs(prediction, label_maps, truth, 19, kinds, len(NOISE_KINDS))


def as_figures(counted: Repairs) -> dict[str, dict[str, str]]:
    """Counts as text, so that a record stays short.

    Returns:
        "kinds": wrong, mended and repeated pixels of each kind of noise that there is; "classes":
        wrong, mended, right and broken pixels of each class.
    """
    of_kinds = {
        kind: _words(counted.wrong[k].sum(), counted.mended[k].sum(), counted.repeated[k].sum())
        for k, kind in enumerate(NOISE_KINDS)
        if counted.wrong[k].any()
    }
    wrong, mended = counted.wrong.sum(0), counted.mended.sum(0)
    of_classes = {
        name: _words(wrong[c], mended[c], counted.right[c], counted.broken[c])
        for c, name in enumerate(CELEBAMASK_HQ.names)
        if wrong[c] + counted.right[c]
    }
    return {"kinds": of_kinds, "classes": of_classes}


def _words(*counts: Tensor) -> str:
    return " ".join(str(int(count)) for count in counts)
