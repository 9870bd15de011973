"""What may stand in an executed notebook: small pictures, and text that is the same tomorrow."""

from __future__ import annotations

import base64
import io
import re
from copy import copy
from typing import TYPE_CHECKING, Any

from coursekit.errors import CourseError
from coursekit.lessons.notebook import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: Bytes of one picture. A notebook lies in git, and each execution adds its pictures again.
MOST_PICTURE = 150_000

_WIDGET = "application/vnd.jupyter.widget-view+json"
_PNG = "image/png"
#: How `coursekit.plots` shows a figure, beside the same PNG.
_AS_HTML = re.compile('<img src="data:image/png;base64,[^"]*"')
_TEXT = ("text/plain", "text/html", "text/markdown", "text/latex")

#: What another machine or another day would print differently, and what to do about it.
_FORBIDDEN = (
    (
        re.compile(r"\b0x[0-9a-fA-F]{5,}"),
        "a memory address; end the cell with something that has a readable repr",
    ),
    (
        re.compile(
            r"(?<![\w.:/<])/(home|root|tmp|usr|var|opt|work|mnt|srv|data|content|private|Users)/\S*"
            r"|\b[A-Za-z]:\\\S*"
        ),
        "an absolute path; print its name, or the path from a folder that the reader knows",
    ),
    (
        re.compile(
            r"(?<![\w.])\d+([.,]\d+)?\s?(ns|µs|us|ms|s|secs?|seconds?|mins?|minutes?)(?![\w/])"
            r"|\d\s?(it/s|s/it)\b|\b\d\d?:\d\d:\d\d\b|\b20\d\d-\d\d-\d\d\b"
        ),
        "a time; say what is faster than what, or leave it to benchmarks/",
    ),
)


def normalise(cell: dict[str, Any], where: str) -> None:
    """Leave in an executed code cell what a reader wants, in place.

    Widgets and stderr (progress bars, warnings) go, of a widget with a still picture the picture
    stays; streams are joined, pictures are made small.

    Args:
        cell: of a notebook.
        where: names the cell in messages.

    Raises:
        CourseError: for a picture that stays too large.
    """
    cell["metadata"].pop("execution", None)
    kept: list[dict[str, Any]] = []
    for output in cell["outputs"]:
        if is_noise(output):
            continue
        if output["output_type"] == "stream" and kept and kept[-1]["output_type"] == "stream":
            kept[-1]["text"] = text_of(kept[-1]["text"]) + text_of(output["text"])
            continue
        output = dict(output)
        if "data" in output:
            data, metadata = _shown(output["data"], output.get("metadata", {}), where)
            output["data"] = {k: _lines(k, v) for k, v in data.items()}
            output["metadata"] = metadata
        kept.append(output)
    for output in kept:
        if "text" in output:
            output["text"] = text_of(output["text"]).splitlines(keepends=True)
    cell["outputs"] = kept


def compared(outputs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a replay compares: no noise, and of a picture neither its pixels nor its words."""
    kept = [copy(output) for output in outputs if not is_noise(output)]
    for output in kept:
        data = output.get("data", {})
        if _PNG in data or _AS_HTML.match(text_of(data.get("text/html", ""))):
            output["data"] = {"picture": "is there"}
    return kept


def _shown(
    data: Mapping[str, Any], metadata: Mapping[str, Any], where: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Data and metadata of an output, with each picture once.

    HTML says what a picture shows to every reader of a notebook; of a PNG most show no words.
    """
    sizes = {k: v for k, v in metadata.items() if k == _PNG}
    small = {k: _small(k, v, where, sizes.get(k)) for k, v in data.items() if k != _WIDGET}
    html = text_of(small.get("text/html", ""))
    if _PNG in data and _AS_HTML.match(html):
        small["text/html"] = html.replace(text_of(data[_PNG]), small.pop(_PNG))
        sizes = {}
    return small, sizes


def is_noise(output: Mapping[str, Any]) -> bool:
    """Whether an output is stderr or a widget: progress bars, which a fast machine never shows.

    The course's own widgets have a still picture, which is kept.
    """
    data = output.get("data", {})
    bare = _WIDGET in data and not _AS_HTML.match(text_of(data.get("text/html", "")))
    return bare or output.get("name") == "stderr"


def complaints(cell: dict[str, Any]) -> list[str]:
    """What the outputs of a cell show and should not."""
    found = []
    for output in cell["outputs"]:
        texts = [output["text"]] if "text" in output else []
        texts += [v for k, v in output.get("data", {}).items() if k in _TEXT]
        for text in map(text_of, texts):
            text = _AS_HTML.sub("", text)
            for pattern, advice in _FORBIDDEN:
                hit = pattern.search(text)
                if hit:
                    found.append(f"shows {hit.group().strip()!r}, {advice}")
    return found


def _lines(kind: str, value: Any) -> Any:
    """Text as Jupyter stores it."""
    is_text = isinstance(value, str) and kind.startswith("text/")
    return value.splitlines(keepends=True) if is_text else value


def _small(kind: str, value: Any, where: str, shown: Mapping[str, int] | None) -> Any:
    """A PNG within `MOST_PICTURE`, with fewer colours or, where it has more, its shown pixels."""
    if kind != _PNG:
        return value
    encoded = text_of(value).replace("\n", "")
    picture = base64.b64decode(encoded)
    if len(picture) > MOST_PICTURE:
        sharp, picture = picture, _fewer_colours(picture)
        if len(picture) > MOST_PICTURE and shown:
            picture = _fewer_colours(sharp, (shown["width"], shown["height"]))
        encoded = base64.b64encode(picture).decode()
    if len(picture) > MOST_PICTURE:
        raise CourseError(
            f"{where}: its picture has {len(picture) // 1000} kB; draw fewer or smaller panels "
            f"(at most {MOST_PICTURE // 1000} kB)"
        )
    return encoded


def _fewer_colours(picture: bytes, size: tuple[int, int] | None = None) -> bytes:
    """A picture in 256 colours, and of another size if one is given."""
    from PIL import Image

    written = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGBA" if opened.has_transparency_data else "RGB")
        image = image.resize(size or image.size, Image.Resampling.LANCZOS)
        image.quantize(256).save(written, "PNG", optimize=True)
    return written.getvalue()
