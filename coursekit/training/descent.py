"""Fit the steps of supervised descent that follow a landmark network (`models/descent.py`).

Each step is a ridge regression from what is about the points to where they belong, over all photos
and their mirror images. Two things keep what is fitted honest. A network's errors on photos that
it has learned are not those on new ones: it looks at some of them once, in squares that vary, and
its errors are exchanged among the faces. And what a step leaves on the photos that it was fitted to
is less than on others: the next one learns from what a step leaves that was fitted without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coursekit.data.face_crops import Square
from coursekit.landmark_inference import predict_landmarks
from coursekit.models import unwrap
from coursekit.models.descent import KEPT, Descent, Seen, mirrored, see
from coursekit.training.agreement import ridge

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from coursekit.checkpoint import ModelInfo
    from coursekit.data import FaceDataset

#: The ridge, for cells and for coordinates in distances of the eyes.
RIDGE = 60.0
# Photos that the network looks at, faces that say which directions count, parts of the photos.
_LOOKED_AT, _DESCRIBED, _PARTS = 200, 600, 3


@torch.inference_mode()
def descend(model: nn.Module, info: ModelInfo, photos: FaceDataset, seed: int = 0) -> None:
    """Fit a network's `descent`; one without it stays as it is.

    Args:
        model: a landmark network, trained.
        info: how it sees images.
        photos: whole ones, with landmarks, held in memory; those that lack a point are left out.
        seed: which errors which face gets.
    """
    descent: Descent | None = getattr(unwrap(model), "descent", None)
    if descent is None:
        return
    model.eval()
    descent.steps.zero_()
    rng = np.random.default_rng(seed)
    faces = list(_faces(photos))
    if not faces:
        return
    names, images, marked = zip(*faces, strict=True)
    truth = np.stack(marked).astype(np.float64)
    order = {name: k for k, name in enumerate(dict.fromkeys(names))}
    part = torch.tensor([order[name] % _PARTS for name in names])  # all looks at a photo in one
    points = truth + _mixed(_errors(model, info, images, truth, rng), len(truth), rng) * _box(truth)
    for number, step in enumerate(descent.steps):
        seen = [see(*face) for face in zip(images, points, strict=True)]
        if number == 0:
            _choose_directions(descent, seen)
        known = torch.stack([descent.known(one) for one in seen])
        wanted = torch.stack([
            torch.from_numpy((t - p) @ s.matrix.T).flatten()
            for t, p, s in zip(truth, points, seen, strict=True)
        ]).to(known)  # fmt: skip
        step.copy_(ridge(known, wanted, RIDGE))
        moves = torch.zeros_like(wanted)
        for k in range(_PARTS):
            others = ridge(known[part != k], wanted[part != k], RIDGE)
            moves[part == k] = known[part == k] @ others[:-1] + others[-1]
        pairs = zip(seen, points, moves, strict=True)
        points = np.stack([descent.moved(*pair) for pair in pairs])


def _faces(
    photos: FaceDataset,
) -> Iterator[tuple[str, NDArray[np.uint8], NDArray[np.floating]]]:
    """Each photo of which all points are known and its mirror image, with name and points."""
    for index in range(len(photos)):
        sample: Any = photos.sample(index)
        image, points = sample.image, sample.landmarks
        if np.isfinite(points).all():
            yield sample.name, image, points
            other = np.ascontiguousarray(image[:, ::-1])
            yield sample.name, other, mirrored(points, image.shape[1])


def _box(points: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N, 1, 1): √(w·h) of the boxes about (N, 106, 2) points."""
    size: NDArray[np.float64] = np.sqrt(np.ptp(points, axis=1).prod(-1))[:, None, None]
    return size


def _errors(
    model: nn.Module,
    info: ModelInfo,
    images: Sequence[NDArray[np.uint8]],
    truth: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """(M, 106, 2): how far off the network is on some of the photos, in shares of their boxes."""
    off = []
    for k in range(0, len(images), max(2, 2 * (len(images) // (2 * _LOOKED_AT)))):
        square = Square.about(truth[k]).varied(rng)
        found = predict_landmarks(model, images[k], info, square, rounds=1).points
        off.append((found - truth[k]) / _box(truth[k : k + 1])[0])
    return np.stack(off)


def _mixed(
    errors: NDArray[np.float64], count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """(count, 106, 2): each of two of the errors, as far off as they are and as varied.

    A few hundred that come again and again would be known by their looks.
    """
    first, second = errors[rng.integers(len(errors), size=(2, count))]
    angle = rng.uniform(0, 2 * np.pi, (count, 1, 1))
    mixed: NDArray[np.float64] = np.cos(angle) * first + np.sin(angle) * second
    return mixed


def _choose_directions(descent: Descent, seen: list[Seen]) -> None:
    """The principal directions of the cells about each point."""
    cells = torch.from_numpy(np.stack([one.cells for one in seen[:_DESCRIBED]]))
    cells = cells.to(descent.centre)
    descent.centre.copy_(cells.mean(0))
    about = (cells - cells.mean(0)).transpose(0, 1)  # (106, N, DESCRIBED)
    descent.directions.copy_(torch.linalg.eigh(about.mT @ about)[1][..., -KEPT:])
