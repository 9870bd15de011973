"""The process that trains: `python -m coursekit.labelling.learn FOLDER`, with its work as a line.

It learns from the saved pictures and as many rendered faces: a handful of photographs shows few
poses, and a network that has seen nothing else forgets the others.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coursekit import checkpoint
from coursekit.data import FaceDataset, Sample
from coursekit.data.face_crops import Square
from coursekit.data.images import read_image
from coursekit.errors import CourseError
from coursekit.labelling import checking, recipe
from coursekit.labelling.photos import Photos, find_photos
from coursekit.labelling.records import Records
from coursekit.labels import LAPA
from coursekit.models import create_model

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of one that goes on, and of one that begins here, which has everything to learn: rendered faces,
# how often they are seen, the highest rate. Each photograph is seen so often beside them at most.
_RENDERED, _RENDERED_AT_FIRST, _OFTEN = 200, 800, 20
_EPOCHS, _EPOCHS_AT_FIRST = 8, 24
_RATE = 1e-3
# From so many pictures on, each fifth is held back to measure on.
_HELD_BACK, _FIFTH = 10, 5


class Faces(FaceDataset):
    """Faces in memory."""

    def __init__(self, samples: Sequence[Sample], split: str) -> None:
        super().__init__()
        self.samples, self.split = samples, split
        self.labels, self.layout = LAPA, "annotated"
        self.names = tuple(sample.name for sample in samples)
        self.labelled, self.landmarked = False, True
        self.threads = False

    def sample(self, index: int, *, landmarks: bool = True) -> Sample:
        return self.samples[index]

    def subset(self, indices: Sequence[int]) -> Faces:
        return Faces([self.samples[index] for index in indices], self.split)

    def identity(self) -> dict[str, Any]:
        digest = hashlib.sha256()
        for sample in self.samples:
            assert sample.landmarks is not None
            digest.update(sample.image.tobytes() + sample.landmarks.tobytes())
        return {"annotated": digest.hexdigest()}


def faces(photos: Photos, names: Sequence[str], size: int, looks: int = 0) -> list[Sample]:
    """The faces of saved pictures, cut out; those that cannot be read, or have another's points,
    are left out.

    Args:
        photos: of the folder.
        names: of those that are saved.
        size: of the crops.
        looks: so many crops of each, in squares that vary; 0 for one about the face.

    Raises:
        CourseError: when none is left.
    """
    records = Records(photos)
    found: list[Sample] = []
    for name in names:
        with suppress(CourseError):
            held, image = records.read(name), read_image(photos.photos[name])
            points = held.points if held.edit is None else held.edit.points
            known = held.edit is None or held.edit.fits(image.shape[1], image.shape[0])
            if points is None or not known:
                continue
            about = Square.about(checking.face(points, image.shape[:2], name))
            rng = np.random.default_rng(len(found))
            for square in [about.varied(rng) for _ in range(looks)] or [about]:
                crop = square.cut(image, size)
                found.append(Sample(name, crop, landmarks=square.to_square(points, size)))
    if not found:
        raise CourseError("none of the saved pictures can be read; open them and save them anew")
    return found


def learn(photos: Photos, names: Sequence[str], start: Path | None) -> float:
    """Train, and put the network where the tool looks for it.

    Args:
        photos: of the folder.
        names: of those that are saved.
        start: whose weights it begins with; None for fresh ones.

    Returns:
        The NME on the pictures that were held back, or on all where they are few.
    """
    loaded = None if start is None else checkpoint.load(start)
    torch.manual_seed(0)
    model = create_model("hourglass", **recipe.NETWORK) if loaded is None else loaded.model
    size = recipe.SIZE if loaded is None else loaded.info.size
    found = faces(photos, names, size)
    held_back = found[_FIFTH - 1 :: _FIFTH] if len(found) >= _HELD_BACK else []
    seen = [sample.name for sample in found if sample not in held_back]
    count = _RENDERED_AT_FIRST if loaded is None else _RENDERED
    rendered = recipe.rendered(17, count, size)
    often = min(_OFTEN, -(-count // len(seen)))
    looks = faces(photos, seen, size, often)
    train = Faces([*looks, *(rendered[i] for i in range(count))], "train")
    train.names = tuple(f"{number} {name}" for number, name in enumerate(train.names))
    larger = faces(photos, seen, round(recipe.DRAWN * size), often)
    whole = Faces([*larger, *(rendered.photos.sample(i) for i in range(count))], "train")
    config = (
        recipe.settings(_EPOCHS_AT_FIRST, size=size) if loaded is None
        else recipe.settings(_EPOCHS, _RATE, size=size)
    )  # fmt: skip
    say(epoch=0, of=config.epochs, held_back=len(held_back))

    def tell(entry: dict[str, Any]) -> None:
        say(epoch=entry["epoch"] + 1, of=config.epochs, nme=round(entry["val_nme"], 5))

    info, result = recipe.train(
        model, train, Faces(held_back or found, "val"), whole, config, on_epoch=tell
    )
    checkpoint.save(photos.model, model, info)
    return float(result.history[-1]["val_nme"])


def say(**what: Any) -> None:
    """Tell the tool."""
    print(json.dumps(what), flush=True)


def _end_with_parent() -> None:
    """The tool holds the other end: when it is gone, nobody waits for a network."""
    sys.stdin.read()
    os._exit(1)


def main(root: str) -> int:
    """Train as the first line of standard input says."""
    work = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(AttributeError, OSError):
        os.nice(5)  # a hand is at work beside it
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
    try:
        start = None if work["network"] is None else Path(work["network"])
        error = learn(find_photos(root), work["names"], start)
    except CourseError as told:
        say(error=str(told))
        return 2
    say(nme=round(error, 5) if np.isfinite(error) else None)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
