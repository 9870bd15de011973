"""What a demo is asked for, and what it found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DemoConfig:
    """The quick tier's sizes.

    Attributes:
        train: faces to learn from.
        val: faces that steer the optimiser pipeline and are scored.
        test: faces of the submission.
        image_size: side of the rendered faces, in pixels.
        size: side at which the network works.
        epochs: at most so many.
        batch_size: images in a step.
        patience: epochs; shorter than the report's 12, as the run is.
        adam_lr: twice the report's, for a run of minutes.
        seed: of the faces, the weights and the order.
    """

    train: int = 200
    val: int = 40
    test: int = 24
    image_size: int = 128
    size: int = 48
    epochs: int = 24
    batch_size: int = 4
    patience: int = 2
    adam_lr: float = 2e-3
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
