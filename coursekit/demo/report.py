"""The demo's report: one page that needs no other file, and its faces as a picture."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import torch
from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from coursekit import __version__, metrics, plots
from coursekit.files import atomic_path
from coursekit.labels import CELEBAMASK_HQ, colourise, shown

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from coursekit.demo.result import DemoResult
    from coursekit.labels import LabelSet

#: IoU from which on the report calls a class found.
FOUND = 0.25


def make_report(result: DemoResult) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=PackageLoader("coursekit", "demo"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    history, labels = result.history, shown(CELEBAMASK_HQ)
    figure = plots.convergence(history)
    figure.set_size_inches(4.8, 3.0)  # its letters can still be read on a telephone
    figure.axes[0].set_ylabel("loss")
    classes = _classes(result, labels)
    return environment.get_template("report.html.j2").render(
        result=result,
        config=result.config,
        version=__version__,
        faces=[_face(i, row, labels) for i, row in enumerate(result.rows, start=1)],
        classes=classes,
        rarest=min(row["share"] for row in classes if row["share"]),
        losses=as_svg(figure),
        losses_say=_told(history),
        found=FOUND,
        audit_says=result.audit.splitlines()[-1],
    )  # fmt: skip


def _told(history: list[dict[str, Any]]) -> str:
    """What the figure of the losses shows, in words."""
    lines = [
        f"{name}: {history[0][key]:.2f} in epoch 1, {history[-1][key]:.2f} in epoch {len(history)}"
        for name, key in (("training", "train_loss"), ("validation", "val_loss"))
    ]
    return f"Loss by epoch; {'; '.join(lines)}"


def draw_faces(result: DemoResult, path: Path) -> None:
    """Write the faces of the report as a PNG, with the names of the colours below."""
    figure = plots.panels(result.rows, across=2)
    plots.name_colours(figure, CELEBAMASK_HQ)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})


def as_svg(figure: Figure) -> str:
    """A figure as SVG for a page: what is black takes the text's colour, the ground is open."""
    written = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "coursekit"}):
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None})
    svg = written.getvalue().replace("#000000", "currentColor")
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    return re.sub(r'(<svg[^>]*?) height="[^"]*"([^>]*?) width="[^"]*"', r"\1\2", svg)


def _face(number: int, row: dict[str, Any], labels: LabelSet) -> dict[str, Any]:
    """The three pictures of a face, and what there is to see in them."""
    truth, prediction = row["truth"], row["prediction"]
    matrix = metrics.confusion_matrix(
        torch.from_numpy(prediction), torch.from_numpy(truth), labels.num_classes
    )
    each = metrics.iou(matrix).tolist()
    there = np.unique(truth).tolist()
    missed = [labels.titles[i] for i in there if each[i] < FOUND]
    said = f"{len(there) - len(missed)} of {len(there)} classes found"
    said += f"; not: {', '.join(missed)}" if missed else ""
    pictures = {
        "photo": (row["image"], f"rendered face {number}"),
        "truth": (colourise(truth, labels), f"true label map: {_largest(truth, labels)}"),
        "prediction": (
            colourise(prediction, labels),
            f"predicted label map: {_largest(prediction, labels)}; {said}",
        ),
    }
    return {
        "number": number,
        "said": said,
        "pictures": [
            {"title": title, "source": as_data_uri(pixels), "alt": f"Face {number}, {alt}"}
            for title, (pixels, alt) in pictures.items()
        ],
    }


def _largest(label_map: NDArray[np.uint8], labels: LabelSet) -> str:
    """The three largest classes of a label map, and how many there are."""
    counts = np.bincount(label_map.ravel(), minlength=labels.num_classes)[: labels.num_classes]
    order = [int(i) for i in np.argsort(-counts, kind="stable")[:3] if counts[i]]
    parts = ", ".join(f"{labels.titles[i]} {100 * counts[i] / label_map.size:.0f} %" for i in order)
    return f"{int((counts > 0).sum())} classes, the largest {parts}"


def _classes(result: DemoResult, labels: LabelSet) -> list[dict[str, Any]]:
    """A row of the table for each class, by its share of the pixels."""
    shares = result.counts / result.counts.sum()
    scores = list(result.validation["per_class"].values())
    rarest = shares[shares > 0].min()
    return [
        {
            "id": int(i),
            "title": labels.titles[i],
            "colour": "#{:02x}{:02x}{:02x}".format(*labels.palette[i]),
            "share": 100 * shares[i],
            "share_bar": round(100 * _log_share(shares[i], rarest / 2, shares.max())),
            "iou": None if scores[i] is None else 100 * scores[i]["iou"],
        }
        for i in np.argsort(-shares, kind="stable")
    ]


def _log_share(value: float, low: float, high: float) -> float:
    """Where a value lies between two others on a logarithmic scale; 0 for what is absent."""
    return float(np.log(value / low) / np.log(high / low)) if value else 0.0


def as_data_uri(pixels: NDArray[np.uint8]) -> str:
    """A picture as a PNG inside a `data:` address; label maps have few colours and become small."""
    picture = Image.fromarray(pixels)
    if picture.getcolors(256):
        picture = picture.quantize(256)
    written = io.BytesIO()
    picture.save(written, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(written.getvalue()).decode("ascii")
