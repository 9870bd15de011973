"""`coursekit predict`: a folder of photographs → label maps, overlays, a contact sheet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from coursekit import checkpoint, plots
from coursekit.data.images import (
    IMAGE_SUFFIXES,
    natural_key,
    read_image,
    resize_image,
    resize_label_map,
)
from coursekit.errors import CourseError
from coursekit.files import atomic_path
from coursekit.inference import predict_label_map
from coursekit.labels import LABEL_SETS, LabelSet, colourise

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

LABEL_MAPS, OVERLAYS, CONTACT = "label_maps", "overlays", "contact.png"
#: Logits of 19 classes take 76 bytes a pixel; larger photographs are predicted at this many pixels
#: and their label maps enlarged.
MOST_PIXELS = 1 << 21
_SHEET, _THUMBNAIL, _ACROSS = 36, 160, 3  # faces on the contact sheet, their side, faces in a row


@dataclass(frozen=True)
class Predictions:
    """What was written.

    Attributes:
        out: the folder with `label_maps/`, `overlays/` and `contact.png`.
        images: how many photographs were predicted.
        problems: a sentence for each file that could not be read.
    """

    out: Path
    images: int
    problems: tuple[str, ...]


def predict_folder(
    checkpoint_path: str | os.PathLike[str],
    images: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    opacity: float = 0.5,
    device: str = "cpu",
) -> Predictions:
    """Predict every photograph below a folder.

    Photographs may have any size and shape. One that is not square is padded to a square by its
    own edge, so that faces keep their proportions. Networks of this course know one face in the
    middle of the picture, as their training images have it; nothing here looks for faces.

    `label_maps/NAME.png` has the photograph's size and a class id in each pixel, with the label
    set's palette, so that any viewer shows it in colour. `overlays/NAME.png` is the photograph
    with those colours laid over it. Folders below `images` come out as folders.

    Args:
        checkpoint_path: what `coursekit train` wrote.
        images: a folder, or one photograph.
        out: a folder; files of the same names in it are replaced.
        opacity: of the colours in the overlays, in [0, 1].
        device: where the model runs.

    Raises:
        CourseError: when there is no photograph, or none that can be read.
    """
    if not 0 <= opacity <= 1:
        raise CourseError(f"an opacity of {opacity}; it must lie between 0 and 1")
    source, out = Path(images), Path(out)
    found = _find(source, out)
    loaded = checkpoint.load(checkpoint_path)
    model, labels = loaded.model.to(device).eval(), LABEL_SETS[loaded.info.label_set]
    rows: list[dict[str, NDArray[np.uint8]]] = []
    problems: list[str] = []
    done = 0
    shown = set(np.linspace(0, len(found) - 1, min(len(found), _SHEET)).astype(int).tolist())
    with tqdm(found.items(), desc="predict", unit="image", disable=None, delay=1) as bar:
        for number, (name, path) in enumerate(bar):
            try:
                image = read_image(path)
            except CourseError as error:
                problems.append(str(error))
                continue
            label_map = _predict(model, image, loaded.info)
            overlay = blend(image, label_map, labels, opacity)
            _save(out / LABEL_MAPS / name, label_map, labels)
            _save(out / OVERLAYS / name, overlay)
            done += 1
            if number in shown:
                rows.append({"photograph": _small(image), "prediction": _small(overlay)})
    if not done:
        raise CourseError("none of the photographs could be read\n  " + "\n  ".join(problems))
    across = min(_ACROSS, len(rows))
    with atomic_path(out / CONTACT) as temporary:
        plots.panels(rows, labels, across=across).savefig(temporary, dpi=120)
    return Predictions(out, done, tuple(problems))


def blend(
    image: NDArray[np.uint8],
    label_map: NDArray[np.uint8],
    labels: LabelSet,
    opacity: float,
) -> NDArray[np.uint8]:
    """A photograph with the colours of its label map over it; the background stays as it is.

    Args:
        image: (H, W, 3) RGB.
        label_map: (H, W) class ids; 0 is background.
        labels: whose palette to use.
        opacity: of the colours, in [0, 1].

    Returns:
        (H, W, 3) uint8.
    """
    mixed = (1 - opacity) * image + opacity * colourise(label_map, labels)
    picture: NDArray[np.uint8] = np.where((label_map > 0)[..., None], mixed.round(), image)
    return picture.astype(np.uint8)


def _find(source: Path, out: Path) -> dict[Path, Path]:
    """Photographs by the name of what is made of them."""
    if source.is_file():
        return {Path(source.stem + ".png"): source}
    if not source.is_dir():
        raise CourseError(f"{source}: there is no such folder; name the one that holds the images")
    inside = out.resolve()
    paths = [
        path
        for path in source.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(source).parts)
        and inside not in path.resolve().parents  # an earlier run's, when `out` lies in `images`
    ]
    if not paths:
        listed = ", ".join(sorted(IMAGE_SUFFIXES))
        raise CourseError(f"{source}: holds no file in {listed}; name the folder with the images")
    paths.sort(key=lambda path: natural_key(path.relative_to(source).as_posix()))
    stems = [path.relative_to(source).with_suffix("") for path in paths]
    found = {}
    for path, stem in zip(paths, stems, strict=True):
        # a.jpg and a.png keep their suffixes; else the second would replace the first.
        name = path.relative_to(source) if stems.count(stem) > 1 else stem
        found[name.with_name(name.name + ".png")] = path
    return found


def _predict(
    model: nn.Module, image: NDArray[np.uint8], info: checkpoint.ModelInfo
) -> NDArray[np.uint8]:
    """The label map at the photograph's size."""
    height, width = image.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    margins = ((top, side - height - top), (left, side - width - left), (0, 0))
    square = np.pad(image, margins, mode="edge")
    working = min(side, int(MOST_PIXELS**0.5))
    label_map = predict_label_map(model, square, info, (working, working))
    label_map = resize_label_map(label_map, side, side) if working < side else label_map
    return label_map[top : top + height, left : left + width]


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    factor = min(1.0, _THUMBNAIL / max(height, width))
    return resize_image(picture, max(1, round(height * factor)), max(1, round(width * factor)))


def _save(path: Path, pixels: NDArray[np.uint8], labels: LabelSet | None = None) -> None:
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    if labels is not None:
        picture.putpalette(labels.palette_array().astype(np.uint8).tobytes())
    with atomic_path(path) as temporary:
        picture.save(temporary)
