"""What a person looks at: the worst suspects as pictures, and all of them as a table."""

from __future__ import annotations

import csv
import io
import os
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from coursekit.data.images import resize_image
from coursekit.data.reading import find_layout
from coursekit.errors import CourseError
from coursekit.files import atomic_path, write_text
from coursekit.labels import CELEBAMASK_HQ, colourise, shown
from coursekit.plots import Picture, name_colours
from coursekit.suspects.evidence import contradicted
from coursekit.suspects.search import Found, Suspect, answer, audited

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

    from coursekit.checkpoint import ModelInfo

#: How many suspects a contact sheet holds.
MOST = 50
SHEET, TABLE = "suspects.png", "suspects.csv"
_THUMBNAIL = 256
_ACROSS, _LETTERS = 2, 84  # suspects beside each other, letters in a line above one
# Inches: a row with its words, its words; the heading; the names of the colours.
_ROW, _WORDS, _HEAD, _FOOT = 2.2, 0.6, 0.2, 0.65
_MARK = (255, 255, 255)


def write_report(
    found: Found, model: nn.Module, info: ModelInfo, out: str | os.PathLike[str], top: int = 20
) -> tuple[list[dict[str, Any]], tuple[Path, Path]]:
    """Write the contact sheet of the first `top` suspects, and a table of all masks in order.

    Args:
        found: what `find_suspects` returned.
        model: the network, as it was there.
        info: its label set, working size and whitening.
        out: a folder outside the data set; `suspects.png` and `suspects.csv` in it are replaced.
        top: how many to show, 1 to `MOST`.

    Returns:
        A row for each suspect shown, as JSON can hold it, and the paths of sheet and table.

    Raises:
        CourseError: when `top` or the folder cannot be, or nothing can be written there.
    """
    check_out(found.dataset.root, out, top)
    first = found.suspects[:top]
    _, layout = find_layout(found.dataset.root)
    rows = [_row(found, n, s, audited(found, s, layout)) for n, s in enumerate(first, start=1)]
    sheet, table = Path(out) / SHEET, Path(out) / TABLE
    with atomic_path(sheet) as temporary, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a name in letters that the font has not
        draw(found, first, model, info, rows).savefig(temporary, dpi=110)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    heads = ("rank", "name", "score", "class", "reason", "mask")
    writer.writerow(heads)
    for number, suspect in enumerate(found.suspects, start=1):
        row = _row(found, number, suspect, ())
        writer.writerow([row[head] for head in heads])
    write_text(table, text.getvalue())
    return rows, (sheet, table)


def check_out(root: Path, out: str | os.PathLike[str], top: int) -> None:
    """Refuse what cannot be drawn or written, before hours of work.

    Raises:
        CourseError: when `out` lies in a folder of the data set, `top` is out of range, or there
            is no such palette.
    """
    shown(CELEBAMASK_HQ)
    if not 1 <= top <= MOST:
        raise CourseError(
            f"the contact sheet holds 1 to {MOST} suspects, not {top}; the table has all of them"
        )
    place = Path(out).expanduser()
    if place.resolve().is_relative_to(root.resolve()):
        raise CourseError(
            f"{out}: lies in the data set, whose reader would take the sheet for a photograph; "
            "name another folder with --out"
        )
    if place.exists() and not place.is_dir():
        raise CourseError(f"{out}: is a file; name a folder with --out")
    there = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    if not os.access(there, os.W_OK):
        raise CourseError(f"{out}: {there} may not be written; name another folder with --out")


def draw(
    found: Found,
    suspects: tuple[Suspect, ...],
    model: nn.Module,
    info: ModelInfo,
    rows: list[dict[str, Any]],
) -> Picture:
    """Photograph, label and prediction of each suspect, with its score and reason above.

    On the photograph a white line goes around the pixels that the reason is about. The colours are
    named below.
    """
    down = -(-len(suspects) // _ACROSS)
    height = _ROW * down + _HEAD + _FOOT
    figure = Picture(figsize=(5.0 * _ACROSS, height))
    figure.suptitle(
        "photograph (outlined: what the reason is about) · label · what the network sees",
        fontsize=9,
        y=1 - 0.1 / height,
        va="top",
    )
    # Placed by hand: a layout engine would move the pictures apart to fit the words above them.
    places = {"left": 0.01, "right": 0.99, "wspace": 0.05, "hspace": _WORDS / (_ROW - _WORDS)}
    places |= {"top": 1 - (_HEAD + _WORDS) / height, "bottom": (0.02 + _FOOT) / height}
    grid = figure.subplots(down, 3 * _ACROSS, squeeze=False, gridspec_kw=places)
    for axes in grid.flat:
        axes.set_axis_off()
    name_colours(figure, info.labels, "lower center")
    for number, (suspect, row) in enumerate(zip(suspects, rows, strict=True)):
        first = 3 * (number % _ACROSS)
        places_of_row = grid[number // _ACROSS, first : first + 3]
        image, *maps = _pictures(found, suspect, model, info)
        for axes, picture in zip(places_of_row, (image, *maps), strict=True):
            # All three in the photograph's own proportions.
            extent = (0, image.shape[1], image.shape[0], 0)
            axes.imshow(picture, interpolation="nearest", extent=extent)
        audit = f"; audit: {', '.join(row['audit'])}" if row["audit"] else ""
        title = f"{row['rank']}. {suspect.name}: {row['score']:.2f}\n" + textwrap.fill(
            suspect.reason + audit, _LETTERS, max_lines=3, placeholder=" …"
        )
        places_of_row[0].set_title(title, fontsize=7, loc="left", parse_math=False)
    return figure


def _pictures(
    found: Found, suspect: Suspect, model: nn.Module, info: ModelInfo
) -> tuple[NDArray[np.uint8], ...]:
    """The outlined photograph, the label and the prediction, in colours."""
    labels = shown(info.labels)
    sample = found.dataset.sample(suspect.index, landmarks=False)
    logits, label_map = answer(model, info, sample)
    predicted, weight = contradicted(logits, label_map)  # (S, S) each
    marked = torch.zeros_like(weight, dtype=torch.bool)
    for true, called in suspect.verdict.named:
        marked |= (label_map == true) & (predicted == called) & (weight > 0)
    image = _outlined(_small(sample.image), marked.cpu().numpy())
    maps = (colourise(ids.cpu().numpy(), labels) for ids in (label_map, predicted))
    return image, *maps


def _row(found: Found, rank: int, suspect: Suspect, audit: tuple[str, ...]) -> dict[str, Any]:
    entry = found.dataset.entries[suspect.index]
    return {
        "rank": rank,
        "name": suspect.name,
        "score": round(suspect.verdict.score, 4),
        "class": found.dataset.labels.names[suspect.verdict.worst],
        "reason": suspect.reason,
        "audit": list(audit),
        "image": str(entry.image),
        "mask": str(entry.label),
    }


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    factor = _THUMBNAIL / max(height, width)
    return resize_image(image, max(1, round(height * factor)), max(1, round(width * factor)))


def _outlined(image: NDArray[np.uint8], marked: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A picture with a line around what is marked in the square that the network saw."""
    import cv2

    height, width = image.shape[:2]
    area = cv2.resize(marked.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST)
    edge = cv2.morphologyEx(area, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    drawn = image.copy()
    drawn[edge > 0] = _MARK
    return drawn
