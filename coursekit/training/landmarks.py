"""The objective of a landmark network: heatmaps, scored by the NME.

The paper's maps are drawn by mean squared error. Those of a network with `likelihood=True` say how
likely a point is at each pixel: they are asked for the same Gaussians by cross-entropy, whose
gradient is never small where a map is wrong, and for the place that is read from them by distance.
After 500 steps on rendered faces this leaves 60 of 106 points to move where the other leaves 71.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from coursekit.errors import CourseError
from coursekit.landmarks import LANDMARK_SET, NUM_LANDMARKS
from coursekit.metrics import nme
from coursekit.models import unwrap
from coursekit.models.heatmaps import (
    SIGMA,
    draw_heatmaps,
    read_centres,
    read_points,
    to_image,
    to_map,
)
from coursekit.training.objective import Objective, Sums

if TYPE_CHECKING:
    from coursekit.data import FaceDataset
    from coursekit.training.objective import Batch

_TINY = 1e-30


@dataclass(frozen=True)
class LandmarkConfig:
    """106 points, one heatmap each: the hourglass of the LaPa paper.

    Attributes:
        sigma: of the Gaussians, in pixels of the heatmap.
        foreground: how much more a pixel's error counts at the middle of a Gaussian than far from
            it. The paper's mean squared error has 0: nearly all pixels want nothing, and it takes a
            network thousands of steps to say anything else. With 20 it takes dozens. Maps of
            likelihood have no use for it.
        distance: of maps of likelihood, how much a pixel's distance counts beside a unit of
            cross-entropy.
    """

    sigma: float = SIGMA
    foreground: float = 0.0
    distance: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.sigma < math.inf:
            raise CourseError(f"sigma is {self.sigma}; it must be a number above 0")
        for name in ("foreground", "distance"):
            if not 0 <= getattr(self, name) < math.inf:
                raise CourseError(f"{name} is {getattr(self, name)}; it must be at least 0")

    @property
    def divisible(self) -> bool:
        """True: the loss is a sum over pixels of the maps."""
        return True

    def check(self, model: nn.Module, train: FaceDataset, val: FaceDataset) -> None:
        """See `coursekit.training.ObjectiveConfig`."""
        for name, dataset in (("training", train), ("validation", val)):
            if not dataset.landmarked:
                raise CourseError(
                    f"the {name} set ({dataset.split}) has photos without landmarks; a run needs "
                    "106 points for each: copy the missing files, or take the others alone "
                    "(`coursekit data check` names them)"
                )
        network = unwrap(model)
        given = getattr(getattr(network, "config", None), "num_classes", NUM_LANDMARKS)
        if given != NUM_LANDMARKS:
            raise CourseError(
                f"{type(network).__name__} gives {given} maps, and landmarks need {NUM_LANDMARKS}; "
                'make it with create_model("hourglass", num_classes=106)'
            )

    def build(self, model: nn.Module, train: FaceDataset) -> LandmarkObjective:
        """See `coursekit.training.ObjectiveConfig`."""
        return LandmarkObjective(model, self)


class LandmarkObjective(Objective):
    """The error of a network's heatmaps against Gaussians g about the true points.

    For one map, (1/hw) Σ (1 + foreground · g) (heatmap − g)². For a map of likelihood, p and q the
    heatmap and g divided by their sums, − Σ q ln p + distance · ‖c − m‖₁, c the centre of mass and
    m the true place, in pixels of the map.

    A point that augmentation moved out of the image, or that is NaN, has no place in the maps: its
    map does not count.

    Args:
        model: maps (B, 3, S, S) to (B, 106, s, s) heatmaps.
        config: the settings.
    """

    outputs = LANDMARK_SET
    landmarks = True

    def __init__(self, model: nn.Module, config: LandmarkConfig | None = None) -> None:
        super().__init__(model)
        self.config = config or LandmarkConfig()

    def forward(self, batch: Batch) -> Sums:
        """The loss of "image" (B, 3, S, S) and "landmarks" (B, 106, 2), and the points found."""
        image, points = batch["image"], batch["landmarks"]
        with self.autocast(image):
            heatmaps = self.model(image)
        heatmaps = heatmaps.float()  # (B, 106, s, s)
        size, small = _size(image), _size(heatmaps)
        places = to_map(points, size, small)
        counts = inside(points, size)  # (B, 106)
        likely = getattr(getattr(self.network, "config", None), "likelihood", False)
        error = (self._surprise if likely else self._squared)(heatmaps, places)  # (B, 106)
        total = torch.where(counts, error, 0.0).sum()
        found = None
        if not self.training:
            found = to_image(read_points(self.model, heatmaps)[0], small, size)
        return Sums(total[None], counts.sum()[None].to(total.dtype), found)

    def _squared(self, heatmaps: Tensor, places: Tensor) -> Tensor:
        wanted = draw_heatmaps(places, _size(heatmaps), self.config.sigma)
        weight = 1 + self.config.foreground * wanted  # (B, 106, s, s)
        return (weight * (heatmaps - wanted).square()).mean((2, 3))

    def _surprise(self, heatmaps: Tensor, places: Tensor) -> Tensor:
        wanted = draw_heatmaps(places, _size(heatmaps), self.config.sigma)
        wanted, share = (
            maps / maps.sum((2, 3), keepdim=True).clamp_min(_TINY) for maps in (wanted, heatmaps)
        )
        surprise = -(wanted * share.clamp_min(_TINY).log()).sum((2, 3))
        off = (read_centres(heatmaps)[0] - places.nan_to_num()).abs().sum(-1)
        return surprise + self.config.distance * off

    def score(self) -> LandmarkScore:
        """The normalised mean error, as the group's benchmark divides it."""
        return LandmarkScore()


def _size(images: Tensor) -> tuple[int, int]:
    return images.shape[-2], images.shape[-1]


class LandmarkScore:
    """The mean over faces of the NME, in pixels of the working size, by √(w·h) of the tight box.

    Points outside the image take no part; a face with none inside does not count.
    """

    def __init__(self) -> None:
        self.counts = torch.zeros(2, dtype=torch.float64)  # sum, faces

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add (B, 106, 2) points found and asked for."""
        wanted = batch["landmarks"]
        there = inside(wanted, tuple(batch["image"].shape[-2:]))
        errors = nme(output.cpu(), wanted.cpu(), visible=there.cpu())
        known = errors.isfinite()
        self.counts += torch.stack([errors[known].sum(), known.sum()]).double()

    def result(self) -> dict[str, float]:
        """The mean; NaN of no face."""
        return {"val_nme": float(self.counts[0] / self.counts[1])}


def inside(points: Tensor, size: tuple[int, ...]) -> Tensor:
    """Which of (…, 2) points lie in an image of (height, width): pixels −0.5 to width − 0.5."""
    limit = points.new_tensor([size[1], size[0]]) - 0.5
    return ((points >= -0.5) & (points <= limit)).all(-1)
