"""Made-up data sets in every layout, small enough to write in milliseconds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from coursekit.data.celebamask import MAPPING, PARTS, PHOTOS
from coursekit.data.helen import FOLDER, LISTS
from coursekit.labels import CELEBAMASK_HQ, HELEN, LAPA, LabelSet, merge_table

SIZE = 64
TO_LAPA = merge_table(CELEBAMASK_HQ, LAPA)


def photo(seed: int, height: int = SIZE, width: int = SIZE) -> NDArray[np.uint8]:
    """Soft blobs of colour with detail, unlike those of any other seed."""
    rng = np.random.default_rng([seed, 7])
    blobs = rng.integers(0, 256, (5, 5, 3)).astype(np.float32)
    image = cv2.resize(blobs, (width, height), interpolation=cv2.INTER_CUBIC)
    spots = cv2.GaussianBlur(rng.normal(0, 90, image.shape).astype(np.float32), (0, 0), 1.5)
    return np.clip(image + spots, 0, 255).astype(np.uint8)


def face(size: int = SIZE) -> NDArray[np.uint8]:
    """A label map that no audit has anything against, in CelebAMask-HQ's classes."""
    yy, xx = np.mgrid[:size, :size] / size
    label_map = np.zeros((size, size), dtype=np.uint8)
    put = CELEBAMASK_HQ.index
    label_map[(yy > 0.85) & (xx > 0.1)] = put("cloth")
    label_map[(yy > 0.7) & (abs(xx - 0.5) < 0.15)] = put("neck")
    label_map[(yy < 0.4) & (yy > 0.05) & (abs(xx - 0.5) < 0.35)] = put("hair")
    label_map[(xx - 0.5) ** 2 / 0.06 + (yy - 0.5) ** 2 / 0.09 < 1] = put("skin")
    for side, sign in (("l", 1), ("r", -1)):  # the subject's left is the viewer's right
        centre = 0.5 + sign * 0.11
        label_map[(abs(xx - centre) < 0.06) & (abs(yy - 0.36) < 0.025)] = put(f"{side}_brow")
        label_map[(abs(xx - centre) < 0.05) & (abs(yy - 0.44) < 0.025)] = put(f"{side}_eye")
        label_map[(abs(xx - 0.5 - sign * 0.27) < 0.03) & (abs(yy - 0.5) < 0.08)] = put(
            f"{side}_ear"
        )
    label_map[(abs(xx - 0.5) < 0.04) & (abs(yy - 0.53) < 0.06)] = put("nose")
    label_map[(abs(xx - 0.5) < 0.1) & (abs(yy - 0.63) < 0.02)] = put("u_lip")
    label_map[(abs(xx - 0.5) < 0.1) & (abs(yy - 0.66) < 0.015)] = put("mouth")
    label_map[(abs(xx - 0.5) < 0.1) & (abs(yy - 0.69) < 0.02)] = put("l_lip")
    return label_map


def save_photo(path: Path, image: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"quality": 95, "subsampling": 0} if path.suffix == ".jpg" else {}
    Image.fromarray(image).save(path, **options)


def save_mask(
    path: Path, label_map: NDArray[np.uint8], mode: str = "P", entries: int = 256,
    labels: LabelSet = CELEBAMASK_HQ,
) -> None:  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(label_map)
    if mode == "P":
        colours = labels.palette_array().tobytes().ljust(768, b"\0")
        picture.putpalette(colours[: 3 * entries])
    picture.save(path)


PAIR_PLACES = {
    "course2024": ("{0}/{0}_image", "{0}/{0}_mask"),
    "course2025": ("{0}/images", "{0}/masks"),
    "lapa": ("{0}/images", "{0}/labels"),
}


def write_pairs(
    root: Path, layout: str, split: str, stems: list[str], *, masks: bool = True,
    suffix: str = ".jpg", seed: int = 0,
) -> None:  # fmt: skip
    """A split of one of the layouts with photos and masks side by side."""
    photos, labels = (place.format(split) for place in PAIR_PLACES[layout])
    offset = ("train", "val", "test").index(split) * 1000 + seed
    for number, stem in enumerate(stems):
        save_photo(root / photos / f"{stem}{suffix}", photo(offset + number))
        if masks:
            label_map = TO_LAPA[face()] if layout == "lapa" else face()
            save_mask(root / labels / f"{stem}.png", label_map, "L" if layout == "lapa" else "P")


def write_course2025(root: Path, train: int = 4, val: int = 2, test: int = 2) -> Path:
    """A clean set of the 2025 layout; the test split has no masks."""
    for split, count in (("train", train), ("val", val), ("test", test)):
        stems = [str(k) for k in range(count)]
        write_pairs(root, "course2025", split, stems, masks=split != "test")
    return root


def write_celebamask(
    root: Path, label_maps: dict[int, NDArray[np.uint8]], original: dict[int, int]
) -> Path:
    """The raw download: photos at twice the size of the masks, a file for each part."""
    for number, label_map in label_maps.items():
        height, width = label_map.shape
        save_photo(root / PHOTOS / f"{number}.jpg", photo(number, 2 * height, 2 * width))
        for index in np.unique(label_map):
            if index:
                part = np.where(label_map == index, 255, 0).astype(np.uint8)
                name = f"{number:05d}_{CELEBAMASK_HQ.names[index]}.png"
                save_mask(root / PARTS / str(number // 2000) / name, part, "L")
    lines = ["idx     orig_idx      orig_file"]
    lines += [f"{n:<8}{o:<14}{o + 1:06d}.jpg" for n, o in original.items()]
    (root / MAPPING).write_text("\n".join(lines) + "\n", "utf-8")
    return root


def write_helen(root: Path, splits: dict[str, dict[str, NDArray[np.uint8]]]) -> Path:
    """Smith et al.'s set: eleven confidence maps a face, sure by 3 to 1 of the right class."""
    base = root / FOLDER
    for split, label_maps in splits.items():
        lines = []
        for number, (stem, label_map) in enumerate(label_maps.items(), 1):
            lines.append(f"{number} , {stem}")
            save_photo(base / "images" / f"{stem}.jpg", photo(number, *label_map.shape))
            for index in range(HELEN.num_classes):
                sure = np.where(label_map == index, 190, 60).astype(np.uint8)
                name = f"{stem}_lbl{index:02d}.png"
                save_mask(base / "labels" / stem / name, sure, "L")
        (base / LISTS[split]).write_text("\n".join(lines) + "\n", "utf-8")
    return root


def write_landmarks(path: Path, points: NDArray[np.floating]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [str(len(points)), *(f"{x:.2f} {y:.2f}" for x, y in points)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
