"""What a hand can move: faces, predictions, weights, networks and runs behind sliders; a quiz.

Each widget is a pure function (what is shown for given values) under a thin view, which answers
within a tenth of a second and by the keyboard. Where no widget can run (GitHub, the site, paper),
its cell's output is a still picture with words; where ipywidgets or anywidget are missing, the
functions return that picture, after a message. Nothing heavy is imported until one is called.

    box           pictures beside controls, and the still picture that goes with them
    controls      sliders, choices and buttons with names and keys of their own
    picker        a picture whose pixels can be pointed at
    svg           bars and lines, drawn while a finger moves
"""

from coursekit.widgets.attending import attention_explorer
from coursekit.widgets.budget import budget_designer
from coursekit.widgets.comparison import compare
from coursekit.widgets.dashboard import training_dashboard
from coursekit.widgets.drawing import sliders
from coursekit.widgets.edging import edge_explorer
from coursekit.widgets.faces import VIEWS, describe, draw, face_explorer
from coursekit.widgets.fields import receptive_fields
from coursekit.widgets.pipeline import optimiser_pipeline
from coursekit.widgets.questions import quiz
from coursekit.widgets.repairing import repairs
from coursekit.widgets.weighting import class_weights_explorer

__all__ = [
    "VIEWS", "attention_explorer", "budget_designer", "class_weights_explorer", "compare",
    "describe", "draw", "edge_explorer", "face_explorer", "optimiser_pipeline", "quiz",
    "receptive_fields", "repairs", "sliders", "training_dashboard",
]  # fmt: skip
