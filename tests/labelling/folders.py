"""Folders of rendered photographs, and what a page sends."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from PIL import Image

from coursekit.labelling.sessions import Session
from coursekit.synthfaces import SynthFace, render

if TYPE_CHECKING:
    from pathlib import Path


@cache
def face(index: int) -> SynthFace:
    return render(3, index, 96)


def folder(place: Path, count: int = 2) -> Path:
    images = place / "train/images"
    images.mkdir(parents=True)
    for index in range(count):
        Image.fromarray(face(index).image).save(images / f"{index}.png")
    return images.parent


def sent(picture: dict[str, Any], window: str = "one", sequence: int = 1, **more: Any) -> Any:
    """What a page sends of a picture that it was given, unchanged but for `more`."""
    said = {k: picture[k] for k in ("name", "points", "hidden", "touched", "proposed", "source")}
    return said | {
        "drags": 1, "seconds": 2.5, "tag": picture["tag"], "window": window, "sequence": sequence,
        "size": [picture["width"], picture["height"]],
    } | more  # fmt: skip


def moved(picture: dict[str, Any], index: int, dx: float) -> dict[str, Any]:
    points = [list(point) for point in picture["points"]]
    points[index][0] = round(points[index][0] + dx, 3)
    return {"points": points, "touched": [index]}


def session(place: Path, count: int = 2) -> Session:
    return Session.of(folder(place, count))
