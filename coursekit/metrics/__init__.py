"""Scores of what networks put out; each is read off counts that were summed over a whole data set.

`label_maps`: one confusion matrix of pixels, and what follows from it.
`landmarks`: normalised mean error, its cumulative curve, area and failures.
`repairs`: wrong labels that a network mends and right ones that it breaks.
"""

from coursekit.metrics.label_maps import (
    ConfusionMatrix,
    confusion_matrix,
    f1_score,
    helen_components,
    helen_overall_f1,
    iou,
    mean_f1,
    mean_iou,
    merged_f1,
    pixel_accuracy,
    precision,
    present,
    recall,
)
from coursekit.metrics.landmarks import (
    auc,
    error_curve,
    failure_rate,
    nme,
    normaliser,
    point_errors,
)
from coursekit.metrics.repairs import Repairs, repairs

__all__ = [
    "ConfusionMatrix",
    "Repairs",
    "auc",
    "confusion_matrix",
    "error_curve",
    "f1_score",
    "failure_rate",
    "helen_components",
    "helen_overall_f1",
    "iou",
    "mean_f1",
    "mean_iou",
    "merged_f1",
    "nme",
    "normaliser",
    "pixel_accuracy",
    "point_errors",
    "precision",
    "present",
    "recall",
    "repairs",
]
