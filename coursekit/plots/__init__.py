"""Pictures of data, networks, training and predictions, as matplotlib figures.

Every function makes a `Figure` of its own and touches no global state, so a notebook, a report and
a test can draw at the same time.
"""

from coursekit.plots.classes import (
    class_scores,
    edges,
    legend,
    long_tail,
    name_colours,
    panels,
)
from coursekit.plots.diagrams import diagram
from coursekit.plots.picture import BLUE, GREY, INK, RED, Picture, as_bundle, as_png
from coursekit.plots.shapes import Part, Shapes, shapes
from coursekit.plots.training import convergence, schedule
from coursekit.plots.words import described, in_words

__all__ = [
    "BLUE",
    "GREY",
    "INK",
    "RED",
    "Part",
    "Picture",
    "Shapes",
    "as_bundle",
    "as_png",
    "class_scores",
    "convergence",
    "described",
    "diagram",
    "edges",
    "in_words",
    "legend",
    "long_tail",
    "name_colours",
    "panels",
    "schedule",
    "shapes",
]
