"""BSPNet's objective (the LaPa paper, Eq. 1): three branches, and boundaries that count more.

L = λ₁·L_s + λ₂·L_b + λ₃·L_f

L_s is cross-entropy of the semantic-aware branch (Eq. 2), L_b that of the boundary, balanced
(Eq. 3), L_f that of the prediction with w = 1 + α on boundaries (Eq. 4). Boundaries are drawn on
the device, from the augmented target. Models of Table 2:

    A   branches="semantic"   weights=(0, 0, 1), alpha=0     Eq. 2 alone
    B   branches="three"      alpha=0
    C   branches="three"      the defaults
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from coursekit.errors import CourseError
from coursekit.losses import (
    balanced_boundary_loss,
    binary_edges,
    boundary_weighted_cross_entropy,
    weighted_cross_entropy,
)
from coursekit.models import unwrap
from coursekit.training.objective import (
    Objective,
    ParsingConfig,
    ParsingScore,
    Sums,
    are_weights,
    call_heads,
    try_heads,
)

if TYPE_CHECKING:
    from coursekit.data import FaceDataset
    from coursekit.training.objective import Batch

#: Outputs beside the prediction, and the place of their λ.
_OTHERS = {"semantic": 0, "binary": 1}


@dataclass(frozen=True)
class BoundarySensitiveConfig:
    """Settings of `BoundarySensitiveObjective`; the defaults are the paper's.

    A term whose weight is 0 is not computed, and its output not asked for: with λ₁ = λ₂ = 0 the
    objective trains any network, by cross-entropy that counts boundaries 1 + α times.

    Attributes:
        weights: λ₁ to λ₃ of the semantic branch, the boundary and the prediction.
        alpha: α of Eq. 4; 0 is w = 1, the paper's model B.
    """

    weights: tuple[float, float, float] = (1.0, 1.0, 2.0)
    alpha: float = 200.0

    def __post_init__(self) -> None:
        if not are_weights(self.weights, 3, first=False):
            raise CourseError(
                f"weights is {self.weights}; it must be 3 numbers of at least 0, the last, of the "
                "prediction, above 0"
            )
        if not isinstance(self.alpha, (int, float)) or not 0 <= self.alpha < math.inf:
            raise CourseError(
                f"alpha is {self.alpha!r}; it must be a number of at least 0 (0: boundaries count "
                "as other pixels do)"
            )

    @property
    def others(self) -> tuple[str, ...]:
        """The outputs beside the prediction that are trained."""
        return tuple(name for name, place in _OTHERS.items() if self.weights[place])

    @property
    def divisible(self) -> bool:
        """True: all terms are sums over pixels, the boundary's one sum for each kind of pixel."""
        return True

    def check(self, model: nn.Module, train: FaceDataset, val: FaceDataset) -> None:
        """See `coursekit.training.ObjectiveConfig`."""
        ParsingConfig().check(model, train, val)
        network = unwrap(model)
        found = try_heads(network) if self.others and hasattr(network, "heads") else None
        for name in self.others:
            if getattr(found, name, None) is None:
                raise CourseError(
                    f"the loss trains {' and '.join(self.others)}, and this "
                    f"{type(network).__name__} has no output {name} beside its logits: make "
                    'create_model("bspnet", branches="three"), or set the first two weights to 0 '
                    "(--without boundary)"
                )

    def build(self, model: nn.Module, train: FaceDataset) -> BoundarySensitiveObjective:
        """See `coursekit.training.ObjectiveConfig`."""
        return BoundarySensitiveObjective(model, self, train.labels.num_classes)


class BoundarySensitiveObjective(Objective):
    """Eq. 1; scored by the mean IoU of the prediction.

    Args:
        model: maps (B, 3, S, S) to logits by `forward`, and to `coursekit.models.bspnet.Outputs` by
            `heads`.
        config: which terms there are.
        num_classes: C, how many there are.
    """

    def __init__(self, model: nn.Module, config: BoundarySensitiveConfig, num_classes: int) -> None:
        super().__init__(model)
        self.config, self.num_classes = config, num_classes

    def forward(self, batch: Batch) -> Sums:
        """The loss of "image" (B, 3, S, S) and "target" (B, S, S), and the prediction's logits.

        Sums are over the pixels that have a label. The boundary's loss is two terms, of no boundary
        and boundary, each with half of λ₂; where a batch lacks one of the two, that one is 0.
        """
        image, target = batch["image"], batch["target"]
        others = self.config.others
        with self.autocast(image):
            said: Any = call_heads(self.model, image) if others else None
            logits = self.model(image) if said is None else said.logits
        logits = logits.float()
        semantic, boundary, fusion = self.config.weights  # λ₁ to λ₃
        edges = binary_edges(target)  # (B, S, S)
        alpha = float(self.config.alpha)
        total, mass = boundary_weighted_cross_entropy(logits, target, edges, alpha)
        terms: list[tuple[Tensor, Tensor]] = [(fusion * total, mass)]  # L_f
        if semantic:
            total, mass = weighted_cross_entropy(said.semantic.float(), target)
            terms.append((semantic * total, mass))  # L_s
        if boundary:
            totals, masses = balanced_boundary_loss(said.binary.float(), edges)
            terms += zip(boundary * totals, masses, strict=True)  # L_b
        numerators, denominators = zip(*terms, strict=True)
        return Sums(torch.stack(numerators), torch.stack(denominators), logits)

    def score(self) -> ParsingScore:
        """Counts pixels by true and predicted class."""
        return ParsingScore(self.num_classes)
