"""Hair and skin of a data set labelled anew by networks; the parts of its faces stay.

Helen's hair and skin come from matting, and are wrong on many photographs, while its parts are
people's contours. So a coarse and a fine look at each photograph (`annotation.regions`) give hair
and skin, and the parts are laid over the skin; hair lies over them, as in the framework's order.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from coursekit import terminal
from coursekit.annotation.outlines import PARTS
from coursekit.annotation.regions import COVER, HAIR, SKIN, segment
from coursekit.data.images import resize_label_map
from coursekit.data.layouts import SPLITS
from coursekit.data.reading import find_layout, open_dataset
from coursekit.errors import CourseError
from coursekit.files import atomic_path
from coursekit.labels import LAPA, merge_table
from coursekit.landmarks import NUM_LANDMARKS

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from coursekit.annotation.regions import Network
    from coursekit.data import FaceDataset

_ID = {name: LAPA.index(name) for name in LAPA.names}
_PART_IDS = [_ID[name] for name in PARTS]


@dataclass(frozen=True)
class Relabelled:
    """What was written.

    Attributes:
        faces: how many.
        changed: the share of their pixels whose class is another one now.
        left_out: a sentence for each face that was not.
    """

    faces: int
    changed: float
    left_out: tuple[str, ...]


def relabel(
    root: str | os.PathLike[str], out: str | os.PathLike[str], network: Network
) -> Relabelled:
    """Write a data set in LaPa's layout, with another's photographs and parts.

    Args:
        root: a data set in any layout that the course reads, such as Helen.
        out: a folder that is missing or empty.
        network: from `annotation.regions.network`; it is the coarse one and the fine one.

    Raises:
        CourseError: when there is no data set, or `out` holds something.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CourseError(f"{out}: is there already; name a folder that is missing or empty")
    folder, layout = find_layout(root)
    done, changed, left_out = 0, 0.0, []
    for split in [s for s in SPLITS if s in layout.splits(folder)]:
        dataset = open_dataset(root, split)
        if not dataset.labelled:
            left_out.append(f"{split}: has no masks")
            continue
        for index in terminal.bar(range(len(dataset)), f"relabel {split}", unit="face"):
            try:
                changed += _one(dataset, index, out / split, network)
                done += 1
            except CourseError as error:
                left_out.append(f"{split}/{dataset.names[index]}: {error}")
    if not done:
        raise CourseError(f"{root}: nothing could be labelled anew: {'; '.join(left_out[:1])}")
    return Relabelled(done, changed / done, tuple(left_out))


def _one(dataset: FaceDataset, index: int, place: Path, network: Network) -> float:
    sample = dataset.sample(index, landmarks=False)
    assert sample.label_map is not None
    assert sample.image_path is not None
    height, width = sample.image.shape[:2]
    old = merge_table(dataset.labels, LAPA)[resize_label_map(sample.label_map, height, width)]
    found = with_regions(sample.image, old, network)
    picture = Image.fromarray(found)
    picture.putpalette(LAPA.palette_array().tobytes().ljust(768, b"\0"))
    with atomic_path(place / "labels" / f"{sample.name}.png") as temporary:
        picture.save(temporary)
    with atomic_path(place / "images" / sample.image_path.name) as temporary:
        shutil.copyfile(sample.image_path, temporary)
    return float((found != old).mean())


def with_regions(
    image: NDArray[np.uint8], label_map: NDArray[np.uint8], network: Network
) -> NDArray[np.uint8]:
    """A label map with the parts of another, and hair and skin as a network sees them.

    Args:
        image: (H, W, 3) uint8 RGB.
        label_map: (H, W) ids of `labels.LAPA`.
        network: see `relabel`.

    Raises:
        CourseError: when the label map has no part of a face, or the network sees none there.
    """
    parts = np.isin(label_map, _PART_IDS)
    rows, columns = np.nonzero(parts)
    if len(rows) < NUM_LANDMARKS:
        raise CourseError(
            f"its mask has {len(rows)} pixels of eyes, brows, nose and mouth, so nobody knows "
            "whose hair is meant; draw them, or leave it out"
        )
    # Where the face is: pixels of its parts in the place of points.
    chosen = np.linspace(0, len(rows) - 1, NUM_LANDMARKS).astype(int)
    points = np.stack([columns[chosen], rows[chosen]], 1).astype(np.float64)
    regions = segment(image, points, network, network)
    found = np.zeros(label_map.shape, np.uint8)
    found[(regions == SKIN) | (regions == COVER)] = _ID["skin"]
    found[parts] = label_map[parts]
    found[regions == HAIR] = _ID["hair"]
    return found
