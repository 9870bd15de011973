"""Scores of landmarks: the normalised mean error of a face, and its distribution over many faces.

NME = (1/K) Σ ‖x_k − y_k‖ / d. Two distances d are in use. The benchmark of LaPa's group takes the
square root of the area of the tight box about the true points; most others the distance of the
outer corners of the eyes. The first is about twice the second, so scores by one cannot be compared
with scores by the other.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from coursekit.landmarks import OUTER_EYE_CORNERS

#: Faces with a larger NME are failures, and the area under the curve ends there.
ALPHA = 0.08


def normaliser(target: Float[Tensor, "faces k 2"], by: str = "box") -> Float[Tensor, " faces"]:
    """The distance d that a face's error is divided by; NaN where it is 0 or not known.

    Args:
        target: true points in pixels; NaN where one is not known.
        by: "box": √(w·h) of the tight box about all points that are known; "eyes": the distance of
            points 66 and 79.

    Raises:
        ValueError: for another `by`.
    """
    if by == "box":
        known = target.isfinite().all(-1, keepdim=True)
        low = torch.where(known, target, torch.inf).amin(1)  # (faces, 2)
        high = torch.where(known, target, -torch.inf).amax(1)
        distance = (high - low).clamp_min(0).prod(-1).sqrt()
    elif by == "eyes":
        first, second = OUTER_EYE_CORNERS
        distance = (target[:, first] - target[:, second]).norm(dim=-1)
    else:
        raise ValueError(f"by is {by!r}; there are: box, eyes")
    return torch.where(distance.isfinite() & (distance > 0), distance, torch.nan)


def point_errors(
    prediction: Float[Tensor, "faces k 2"],
    target: Float[Tensor, "faces k 2"],
    by: str = "box",
) -> Float[Tensor, "faces k"]:
    """‖x_k − y_k‖ / d for each point; NaN where the truth is not known or d is degenerate.

    A point that the prediction lacks (NaN) while the truth has it is infinitely far off: leaving it
    out would reward silence.
    """
    distance = (prediction - target).norm(dim=-1)
    lost = ~prediction.isfinite().all(-1)
    distance = torch.where(lost, torch.inf, distance)
    distance = torch.where(target.isfinite().all(-1), distance, torch.nan)
    return distance / normaliser(target, by)[:, None]


def nme(
    prediction: Float[Tensor, "faces k 2"],
    target: Float[Tensor, "faces k 2"],
    by: str = "box",
    visible: Bool[Tensor, "faces k"] | None = None,
) -> Float[Tensor, " faces"]:
    """The normalised mean error of each face.

    Args:
        prediction: x and y in pixels.
        target: the true ones; NaN where one is not known, which then takes no part.
        by: the normalisation, see `normaliser`.
        visible: points that take part; all by default. Hidden ones still make the box.

    Returns:
        One number a face; NaN for a face of which nothing can be said, so that it is counted
        neither as found nor as missed: `nme(…).nanmean()` is the score of a set.
    """
    errors = point_errors(prediction, target, by)
    if visible is not None:
        errors = torch.where(visible, errors, torch.nan)
    return errors.nanmean(1)


def failure_rate(errors: Float[Tensor, " faces"], alpha: float = ALPHA) -> float:
    """Share of the faces whose NME is above `alpha`; NaN of no face."""
    known = errors[~errors.isnan()]
    return float((known > alpha).double().mean())


def error_curve(
    errors: Float[Tensor, " faces"], thresholds: Float[Tensor, " t"]
) -> Float[Tensor, " t"]:
    """The cumulative error curve: the share of the faces whose NME is at most each threshold."""
    known = errors[~errors.isnan()].sort().values
    count = torch.searchsorted(known, thresholds.to(known), right=True)
    return count / len(known)


def auc(errors: Float[Tensor, " faces"], alpha: float = ALPHA) -> float:
    """The area under the cumulative error curve on [0, alpha], divided by alpha: in [0, 1].

    Exact, not by a grid: a face with error e is under the curve from e to alpha, so the area is the
    mean of max(alpha − e, 0).

    Raises:
        ValueError: when alpha is not above 0.
    """
    if not alpha > 0:
        raise ValueError(f"alpha is {alpha}; it must be above 0")
    known = errors[~errors.isnan()].double()
    return float((1 - known / alpha).clamp_min(0).mean())
