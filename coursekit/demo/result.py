"""What a demo is asked for, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DemoConfig:
    """The quick tier's sizes.

    Attributes:
        train: faces to learn from.
        val: faces that are watched in training and scored.
        test: faces of the submission.
        size: side of the faces, in pixels; the network works at it, too, so that what is scored
            in training and at the end are the same pixels.
        epochs: passes over the faces to learn from.
        seed: of the faces, the weights and the order.
    """

    train: int = 200
    val: int = 40
    test: int = 24
    size: int = 128
    epochs: int = 8
    seed: int = 0


@dataclass
class DemoResult:
    """What the demo found, for the report.

    Attributes:
        config: the sizes.
        counts: true pixels of each class in the training masks.
        audit: the audit's report as text.
        history: of `fit`.
        validation: `Evaluation.summary()` on the validation split.
        submission: the local score of the zip, as in scores.json.
        parameters: of the network.
        rows: pictures for the panels: image, truth and prediction of some validation faces.
    """

    config: DemoConfig
    counts: Any = None
    audit: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)
    validation: dict[str, Any] = field(default_factory=dict)
    submission: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)
