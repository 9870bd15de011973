"""Scores of what networks put out; each is read off counts that were summed over a whole data set.

`label_maps`: one confusion matrix of pixels, and what follows from it.
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

__all__ = [
    "ConfusionMatrix",
    "confusion_matrix",
    "f1_score",
    "helen_components",
    "helen_overall_f1",
    "iou",
    "mean_f1",
    "mean_iou",
    "merged_f1",
    "pixel_accuracy",
    "precision",
    "present",
    "recall",
]
