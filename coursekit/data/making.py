"""`make`: a folder of synthetic faces in one of the course's layouts, whole or not at all."""

from __future__ import annotations

import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from coursekit import terminal
from coursekit.data.landmark_files import write_landmarks
from coursekit.data.synthetic import SynthDataset
from coursekit.errors import CourseError
from coursekit.files import atomic_folder
from coursekit.labels import CELEBAMASK_HQ, LAPA, merge_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coursekit.labels import LabelSet

#: The file that says how a folder was made; only a folder that holds it is ever replaced.
MARKER = "made-by-coursekit.json"

#: Where the masks of the test split lie: outside the tree that a student sees.
TRUTH = "test_truth/masks"

#: For each layout, where photos, masks and landmarks of a split lie.
_PLACES = {
    "course2025": ("{0}/images", "{0}/masks", ""),
    "course2024": ("{0}/{0}_image", "{0}/{0}_mask", ""),
    "lapa": ("{0}/images", "{0}/labels", "{0}/landmarks"),
}
MAKEABLE = tuple(_PLACES)


@dataclass(frozen=True)
class Recipe:
    """Everything that the content of a made folder follows from.

    Attributes:
        train: faces in the training split; 0 leaves a split out.
        val: faces in the validation split.
        test: faces in the test split.
        size: side of photos and masks, in pixels.
        seed: of the whole family; the three splits share no face.
        label_noise: of the train and val masks; the test's truth is drawn exactly.
        crowd: how much else is in the pictures.
        shift: how far their look departs from the usual.
        layout: one of `MAKEABLE`.
    """

    train: int
    val: int
    test: int
    size: int
    seed: int = 0
    label_noise: float = 0.0
    crowd: float = 0.0
    shift: float = 0.0
    layout: str = "course2025"

    def __post_init__(self) -> None:
        counts = (self.train, self.val, self.test)
        if min(counts) < 0 or sum(counts) == 0:
            raise CourseError(
                f"{self.train} + {self.val} + {self.test} faces to make; no number may be below 0, "
                "and one must be above"
            )
        if self.size < 16:
            raise CourseError(f"faces of {self.size} pixels; they must have at least 16")
        if self.layout not in MAKEABLE:
            raise CourseError(
                f"cannot make the layout {self.layout!r}; there are: {', '.join(MAKEABLE)}"
            )


def make(
    out: str | os.PathLike[str], recipe: Recipe, *, force: bool = False, workers: int = 1
) -> list[Path]:
    """Render a data set into a folder that appears when it is complete.

    Equal recipes make equal bytes. The test split gets no masks where students look (LaPa's, which
    is public with its labels, does); they lie in `test_truth/masks`, for scoring.

    Args:
        out: the folder; it must be missing or empty.
        recipe: what to render.
        force: replace a folder that this function made before.
        workers: processes that render.

    Returns:
        The folders and the file that were written.

    Raises:
        CourseError: when the folder holds something else, or cannot be written.
    """
    target = Path(out)
    _check_target(target, force)
    with atomic_folder(target) as folder:
        jobs = [
            (split, first + index, index)
            for split, count, first in (
                ("train", recipe.train, 0),
                ("val", recipe.val, recipe.train),
                ("test", recipe.test, recipe.train + recipe.val),
            )
            for index in range(count)
        ]
        for path in _folders(folder, recipe):
            path.mkdir(parents=True)
        _run(partial(_write_face, folder, recipe), jobs, workers)
        (folder / MARKER).write_text(json.dumps(asdict(recipe), indent=2) + "\n", "utf-8")
    return [*_folders(target, recipe), target / MARKER]


def save_mask(path: Path, label_map: NDArray[np.uint8], labels: LabelSet) -> None:
    """Write a label map as a PNG of mode P with 256 palette entries: ids that look like colours."""
    picture = Image.fromarray(label_map).convert("L")
    picture.putpalette(labels.palette_array().tobytes().ljust(768, b"\0"))
    picture.save(path, optimize=False)


def _folders(root: Path, recipe: Recipe) -> list[Path]:
    found = []
    for split in ("train", "val", "test"):
        if getattr(recipe, split):
            found += [p for p in _places(root, recipe.layout, split) if p is not None]
    return found


def _places(root: Path, layout: str, split: str) -> tuple[Path, Path, Path | None]:
    """The folders of a split's photos, masks and landmarks."""
    photos, masks, points = (place.format(split) for place in _PLACES[layout])
    if split == "test" and layout == "course2024":
        photos = "test_image"
    if split == "test" and layout != "lapa":
        masks = TRUTH
    return root / photos, root / masks, root / points if points else None


def _write_face(root: Path, recipe: Recipe, job: tuple[str, int, int]) -> None:
    split, face, index = job
    noise = 0.0 if split == "test" else recipe.label_noise
    faces = SynthDataset(
        recipe.seed, 1, recipe.size, noise, recipe.crowd, recipe.shift, face, split=split
    )
    sample = faces[0]
    photos, masks, points = _places(root, recipe.layout, split)
    Image.fromarray(sample.image).save(photos / f"{index}.jpg", quality=95, subsampling=0)
    assert sample.label_map is not None and sample.landmarks is not None
    if recipe.layout == "lapa":
        merged = merge_table(CELEBAMASK_HQ, LAPA)[sample.label_map]
        Image.fromarray(merged).save(masks / f"{index}.png")
    else:
        save_mask(masks / f"{index}.png", sample.label_map, CELEBAMASK_HQ)
    if points is not None:
        write_landmarks(points / f"{index}.txt", sample.landmarks)


def _run(work: partial[None], jobs: list[tuple[str, int, int]], workers: int) -> None:
    if workers <= 1:
        for _ in terminal.bar(map(work, jobs), "rendering", total=len(jobs)):
            pass
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _draw_with_one_thread) as pool:
        for _ in terminal.bar(pool.map(work, jobs, chunksize=4), "rendering", total=len(jobs)):
            pass


def _draw_with_one_thread() -> None:
    """OpenCV's others would take the cores from the other processes, mostly to wait."""
    import cv2

    cv2.setNumThreads(1)


def _check_target(target: Path, force: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise CourseError(f"{target}: is a file; name a folder that does not exist yet")
    if not any(target.iterdir()):
        return
    if not (target / MARKER).is_file():
        raise CourseError(
            f"{target}: holds files that were not made here; name a folder that does not exist yet"
        )
    if not force:
        raise CourseError(
            f"{target}: holds a data set already; pass --force to replace it, or name another "
            "folder"
        )
