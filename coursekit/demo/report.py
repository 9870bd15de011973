"""The demo's report: one page that needs no other file."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

from coursekit import __version__, plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from coursekit.demo.result import DemoResult


def as_data_uri(figure: Figure) -> str:
    """A figure as a PNG inside a `data:` address; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def make_report(result: DemoResult) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=PackageLoader("coursekit", "demo"), autoescape=True, undefined=StrictUndefined
    )
    per_class = {
        name: row["iou"] if row else None for name, row in result.validation["per_class"].items()
    }
    figures = {
        "panels": plots.panels(result.rows, across=2),
        "legend": plots.legend(),
        "tail": plots.long_tail(result.counts),
        "convergence": plots.convergence(result.history),
        "classes": plots.class_scores(per_class),
    }
    shares = sorted(result.counts / result.counts.sum())
    return environment.get_template("report.html.j2").render(
        result=result,
        config=result.config,
        version=__version__,
        figures={name: as_data_uri(figure) for name, figure in figures.items()},
        largest=100 * shares[-1],
        rarest=100 * next(s for s in shares if s > 0),
        best=min(result.history, key=lambda entry: entry["val_loss"]),
        switches=[e for e in result.history if e["event"] in ("switch", "halve", "stop")],
    )
