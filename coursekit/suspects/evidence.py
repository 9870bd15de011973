"""How strongly a network contradicts a mask: its wrong labels found, its hard images not.

Mean cross-entropy ranks hard images first, and a pair of swapped eyes is half a per cent of the
pixels. Four things make the difference here:

- Boundaries are excused: a pixel counts only when the label has nothing of the predicted class
  nearby.
- Confidence: it counts as much as the network is surer of its own class than of the label's.
- Surprise: labelled a and predicted b, it counts 1 − log max(P(label a | predicted b), P(predicted
  b | label a)), both read off all *other* masks of the split. What the network often confuses, or
  never learnt, says little about this mask. Nor does, by the same rule, an error that very many
  masks share.
- Size: the sum over a class's pixels is divided by the class's own area. The score is the 4-norm
  over the classes: the worst speaks for the mask, and others that are nearly as bad add to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional as F

from coursekit.labels import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from coursekit.labels import LabelSet

# A boundary may be off by this share of the side, and by a pixel.
_SLOP = 1 / 128
# Area that is added to each class's, as a share of the picture: a few pixels convict no mask. As
# many pixels stand in for what the other masks may not have shown.
_AREA = 1e-3
# Nothing is more surprising than what happens to a pixel in a thousand.
_RAREST = 1e-3
_NORM = 4
# A pair of classes is named when it weighs so much of what the heaviest does.
_WORTH = 0.2


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one mask and the network's answer have in common, by class in the label and predicted.

    Attributes:
        counts: (C, C) pixels; row: class in the label, column: predicted.
        doubt: (C, C) of the pixels that are no boundaries' slop, Σ p(predicted) − p(label).
    """

    counts: NDArray[np.int32]
    doubt: NDArray[np.float32]


@dataclass(frozen=True)
class Verdict:
    """How suspicious a mask is, and why.

    Attributes:
        score: 0 for agreement; a class that is contradicted wholly, as no other mask is, gives
            about 7.9 (1 − log 0.001).
        worst: the class that is contradicted most.
        pairs: (class in the label, predicted) of `worst`: those that weigh much, the most first.
        swapped: mirror pairs that agree better when left and right are exchanged.
    """

    score: float
    worst: int
    pairs: tuple[tuple[int, int], ...]
    swapped: tuple[tuple[int, int], ...]

    @property
    def named(self) -> tuple[tuple[int, int], ...]:
        """The pairs (class in the label, predicted) that the reason is about."""
        crossed = tuple(pair for a, b in self.swapped for pair in ((a, b), (b, a)))
        return crossed if any(self.worst in pair for pair in crossed) else crossed + self.pairs[:2]


def contradicted(logits: Tensor, label_map: Tensor) -> tuple[Tensor, Tensor]:
    """Where a network contradicts a label map, and how surely.

    Args:
        logits: (C, H, W) of the network.
        label_map: (H, W) int64 class ids, `IGNORE_INDEX` where nothing is known.

    Returns:
        (H, W) int64 predicted classes, and (H, W) float32 in [0, 1]: how much surer the network is
        of its class than of the label's; 0 where they agree, at boundaries, and where the label is
        unknown.
    """
    classes, height, width = logits.shape
    known = label_map != IGNORE_INDEX
    label = label_map.where(known, 0)
    probability = logits.softmax(0)  # (C, H, W)
    surest, predicted = probability.max(0)  # (H, W) each
    margin = surest - probability.gather(0, label[None])[0]  # (H, W)
    drawn = F.one_hot(label, classes).permute(2, 0, 1).float()  # (H, W, C) → (C, H, W)
    reach = max(1, round(_SLOP * max(height, width)))
    near = F.max_pool2d((drawn * known)[None], 2 * reach + 1, stride=1, padding=reach)[0]
    excused = near.gather(0, predicted[None])[0] > 0  # (H, W)
    return predicted, margin * (known & ~excused)


def compare(logits: Tensor, label_map: Tensor) -> Evidence:
    """The evidence of one mask; shapes as in `contradicted`."""
    classes = len(logits)
    predicted, weight = contradicted(logits, label_map)
    known = label_map != IGNORE_INDEX
    index = label_map[known] * classes + predicted[known]  # (known pixels,)
    counts = torch.bincount(index, minlength=classes * classes)
    doubt = torch.bincount(index, weight[known].double(), minlength=classes * classes)
    return Evidence(
        counts.view(classes, classes).cpu().numpy().astype(np.int32),
        doubt.view(classes, classes).cpu().numpy().astype(np.float32),
    )


def judge(every: Sequence[Evidence], labels: LabelSet) -> list[Verdict]:
    """A verdict on each mask, from its evidence and what is usual in the others.

    Args:
        every: the evidence of all masks of a split, at one size.
        labels: the classes.
    """
    total = sum((e.counts.astype(np.int64) for e in every), np.zeros((), np.int64))
    return [_verdict(e, total - e.counts, labels) for e in every]


def surprise(others: NDArray[np.int64], pixels: float) -> NDArray[np.float64]:
    """(C, C): −log of how often label a and prediction b meet, where either occurs.

    Args:
        others: (C, C) pixels of all other masks; row: class in the label, column: predicted.
        pixels: how many imagined ones, spread evenly over the classes, each row and column gets.
    """
    even = pixels / len(others)
    of_predicted = (others + even) / (others.sum(0, keepdims=True) + pixels)  # P(label | predicted)
    of_label = (others + even) / (others.sum(1, keepdims=True) + pixels)  # P(predicted | label)
    usual: NDArray[np.float64] = np.maximum(of_predicted, of_label)
    return -np.log(np.clip(usual, _RAREST, 1))


def _verdict(evidence: Evidence, others: NDArray[np.int64], labels: LabelSet) -> Verdict:
    counts = evidence.counts
    pixels = max(1.0, _AREA * float(counts.sum()))
    weighed = evidence.doubt * (1 + surprise(others, pixels))  # (C, C)
    union = counts.sum(0) + counts.sum(1) - counts.diagonal()
    scores = (weighed.sum(0) + weighed.sum(1)) / (union + pixels)  # (C,)
    worst = int(scores.argmax())
    pairs = {(worst, i): weighed[worst, i] for i in range(len(counts))}
    pairs |= {(i, worst): weighed[i, worst] for i in range(len(counts))}
    heaviest = max(pairs.values())
    heavy = [p for p in sorted(pairs, key=lambda p: -pairs[p]) if pairs[p] > _WORTH * heaviest]
    swapped = tuple(pair for pair in labels.mirror_pairs if _swapped(counts, *pair, pixels))
    return Verdict(float(np.linalg.norm(scores, _NORM)), worst, tuple(heavy), swapped)


def _swapped(counts: NDArray[np.int32], left: int, right: int, least: float) -> bool:
    """Whether each of a pair is rather predicted to be the other, over more than a few pixels."""
    crossed = (int(counts[left, right]), int(counts[right, left]))
    straight = (int(counts[left, left]), int(counts[right, right]))
    return min(crossed) > 0 and sum(crossed) > max(sum(straight), least)
