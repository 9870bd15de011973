"""`coursekit predict`: a folder of photographs → label maps, overlays, a contact sheet."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from coursekit import checkpoint, plots, terminal
from coursekit.data.folders import (
    IMAGE_SUFFIXES,
    OTHER_SUFFIXES,
    look,
    natural_key,
    not_read_as,
)
from coursekit.data.images import read_image, resize_image, resize_label_map
from coursekit.errors import CourseError, few
from coursekit.files import atomic_path
from coursekit.inference import predict_label_map
from coursekit.labels import LabelSet, colourise, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import nn

LABEL_MAPS, OVERLAYS, CONTACT = "label_maps", "overlays", "contact.png"
#: Logits of 19 classes take 76 bytes a pixel; larger photographs are predicted at this many pixels
#: (of the square) and their label maps enlarged.
MOST_PIXELS = 1 << 21
_SHEET, _THUMBNAIL, _ACROSS = 36, 160, 3  # faces on the contact sheet, their side, faces in a row
_CAPTION = 22  # letters of a name above a photograph


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
        CourseError: when there is no photograph, or none that can be read, or a result would
            take the place of a photograph.
    """
    if not 0 <= opacity <= 1:
        raise CourseError(f"an opacity of {opacity}; it must lie between 0 and 1")
    source, out = Path(images), Path(out)
    found, problems = _find(source, out)
    loaded = checkpoint.for_inference(checkpoint.load(checkpoint_path))
    model, labels = loaded.model.to(device).eval(), loaded.info.labels
    rows: list[dict[str, NDArray[np.uint8]]] = []
    done = 0
    # Evenly over the folder; a file that cannot be read leaves its place to the next.
    due = np.linspace(0, len(found) - 1, min(len(found), _SHEET)).astype(int).tolist()
    with terminal.bar(found.items(), "predict", unit="image") as bar:
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
            if len(rows) < len(due) and number >= due[len(rows)]:
                rows.append({_caption(name): _small(image), "": _small(overlay)})
    if not done:
        raise CourseError(f"none of the photographs could be read: {few(problems)}")
    across = min(_ACROSS, len(rows))
    with atomic_path(out / CONTACT) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name in letters that the font has not
        sheet = plots.panels(rows, labels, across=across)
        plots.name_colours(sheet, labels)
        sheet.savefig(temporary, dpi=120)
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
    colours = colourise(label_map, shown(labels))
    mixed = cv2.addWeighted(image, 1 - opacity, colours, opacity, 0)
    return np.where((label_map > 0)[..., None], mixed, image).astype(np.uint8)


def _find(source: Path, out: Path) -> tuple[dict[Path, Path], list[str]]:
    """Photographs by the name of what is made of them, and what cannot be one."""
    problems: list[str] = []
    if source.is_file() and source.suffix.lower() in OTHER_SUFFIXES:
        raise CourseError(f"{source}: {not_read_as(source.suffix)}")
    if source.is_file():
        found = {Path(source.stem + ".png"): source}
    elif source.is_dir():
        paths = sorted(_list(source, out, problems), key=lambda path: natural_key(path.as_posix()))
        found = dict(zip(_names(paths), (source / path for path in paths), strict=True))
    else:
        raise CourseError(f"{source}: there is no such folder; name the one that holds the images")
    if not found:
        listed = ", ".join(sorted(IMAGE_SUFFIXES))
        hint = "".join(f"\n  {problem}" for problem in problems)
        raise CourseError(
            f"{source}: holds no file in {listed}; name the folder with the images{hint}"
        )
    sources = {os.path.realpath(path) for path in found.values()}
    for name in found:
        for target in (out / LABEL_MAPS / name, out / OVERLAYS / name, out / CONTACT):
            if os.path.realpath(target) in sources:
                raise CourseError(
                    f"{target}: is a photograph, and would be replaced by what is made of one; "
                    "name another folder with --out"
                )
    return found, problems


def _list(source: Path, out: Path, problems: list[str]) -> Iterator[Path]:
    """Photographs below a folder, without what an earlier run left in `out`."""
    out = out.resolve()
    made = {out / LABEL_MAPS, out / OVERLAYS}
    if (out / LABEL_MAPS).is_dir():
        made.add(out / CONTACT)
    folders = [source]
    while folders:
        try:
            found = look(folders.pop())
        except CourseError as error:
            problems.append(str(error))
            continue
        problems += [f"{path}: {reason}" for path, reason in found.left_out.items()]
        for path in found.folders:
            if path.is_symlink():
                problems.append(
                    f"{path}: is a link to a folder, and links are not followed; copy the "
                    "photographs there, or name it itself"
                )
            elif path.resolve() not in made:
                folders.append(path)
        for path in found.pictures:
            if path.parent.resolve() / path.name not in made:
                yield path.relative_to(source)


def _names(paths: list[Path]) -> list[Path]:
    """What is made of a.jpg is called a.png, or a.jpg.png where another file has the first name."""
    short = [path.with_suffix(".png") for path in paths]
    full = [path.with_name(path.name + ".png") for path in paths]
    taken = Counter([*short, *full])
    return [s if taken[s] == 1 else f for s, f in zip(short, full, strict=True)]


def _predict(
    model: nn.Module, image: NDArray[np.uint8], info: checkpoint.ModelInfo
) -> NDArray[np.uint8]:
    """The label map at the photograph's size."""
    height, width = image.shape[:2]
    side = max(height, width)
    working = min(side, int(MOST_PIXELS**0.5))
    h, w = (max(1, round(edge * working / side)) for edge in (height, width))
    # Shrunk before it is padded: the square around a panorama may be larger than any memory.
    small = resize_image(image, h, w)
    top, left = (working - h) // 2, (working - w) // 2
    margins = ((top, working - h - top), (left, working - w - left), (0, 0))
    square = np.pad(small, margins, mode="edge")
    label_map = predict_label_map(model, square, info)[top : top + h, left : left + w]
    return resize_label_map(label_map, height, width)


def _caption(name: Path) -> str:
    """The end of a long name: what tells one from its neighbours mostly stands there."""
    text = name.with_suffix("").as_posix()
    return text if len(text) <= _CAPTION else "…" + text[1 - _CAPTION :]


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
