"""Points as heatmaps and back: what a landmark network is asked for, and how it is read.

A point is drawn as a Gaussian of σ pixels about its place, sub-pixel part included. It is read by a
local soft-argmax: from the highest pixel on, the centre of mass of the map under a window of the
same σ, compared with where that of a Gaussian in the middle of the window lies (the middle, but for
windows that the border cuts). The product of two Gaussians has its mean half-way between theirs, so
the step is twice the difference, and ends at the Gaussian's own centre. The quarter-pixel step of
the hourglass's public code knows nothing finer than ±0.25 and is off by up to 0.25 pixels each way.

A map can also say how likely the point is at each pixel, a softmax over all of them (`shared_out`).
Then its centre of mass (`read_centres`) is the place of the least squared error, also where there
is no one peak: a brow behind hair. It is a smooth function of the weights, so that a network can be
trained for the place itself, and half a pixel of a small map counts.

Points are in pixels of the map, pixel centres at whole numbers. `to_map` and `to_image` change
between these and pixels of the image; borders coincide, as those of `data.images.resize_landmarks`.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from coursekit.landmarks import LANDMARK_MIRROR
from coursekit.models import unwrap

#: Of the Gaussians, in pixels of the map.
SIGMA = 1.0
_STEPS = 4


def to_map(
    points: Float[Tensor, "*points 2"], image: tuple[int, int], heatmap: tuple[int, int]
) -> Float[Tensor, "*points 2"]:
    """Points of an image of (height, width) in pixels of its heatmaps of (height, width)."""
    scale = points.new_tensor([heatmap[1] / image[1], heatmap[0] / image[0]])
    return (points + 0.5) * scale - 0.5


def to_image(
    points: Float[Tensor, "*points 2"], heatmap: tuple[int, int], image: tuple[int, int]
) -> Float[Tensor, "*points 2"]:
    """Points of heatmaps of (height, width) in pixels of their image of (height, width)."""
    return to_map(points, heatmap, image)


def draw_heatmaps(
    points: Float[Tensor, "b k 2"], size: tuple[int, int], sigma: float = SIGMA
) -> Float[Tensor, "b k h w"]:
    """A Gaussian of height 1 about each point; nothing but 0 for a point that is NaN.

    Args:
        points: x and y in pixels of the map; they may lie outside it.
        size: (height, width) of the maps.
        sigma: of the Gaussian, in pixels.
    """
    across, down = _bells(points, size, sigma)
    return torch.nan_to_num(down[..., :, None] * across[..., None, :])  # (B, K, h, w)


def read_heatmaps(
    heatmaps: Float[Tensor, "b k h w"], sigma: float = SIGMA
) -> tuple[Float[Tensor, "b k 2"], Float[Tensor, "b k"]]:
    """The place of each map's peak, to a fraction of a pixel, and its height.

    Returns:
        (B, K, 2) x and y in pixels of the map, within its outer border; (B, K) the highest value,
        about 1 where the network is sure and about 0 where it saw nothing.
    """
    height, width = heatmaps.shape[-2:]
    peak, index = heatmaps.flatten(2).max(-1)  # (B, K)
    points = torch.stack([index % width, index // width], -1).to(heatmaps.dtype)
    mass = heatmaps.clamp_min(0)
    steps = [torch.arange(n, dtype=heatmaps.dtype, device=heatmaps.device) for n in (width, height)]
    start, last = points, points.new_tensor([width, height]) - 0.5
    for _ in range(_STEPS):
        across, down = _bells(points, (height, width), sigma)
        columns = torch.einsum("bkhw,bkh->bkw", mass, down) * across
        rows = torch.einsum("bkhw,bkw->bkh", mass, across) * down
        pairs = zip((columns, rows), (across, down), steps, strict=True)
        ahead = [_mean(seen, place) - _mean(bell**2, place) for seen, bell, place in pairs]
        points = points + 2 * torch.stack(ahead, -1)
        points = start + (points - start).clamp(-1, 1)  # the highest pixel's neighbourhood
        points = points.clamp_min(-0.5).minimum(last)
    return torch.where(peak[..., None] > 0, points, start), peak


def read_points(model: nn.Module, heatmaps: Tensor) -> tuple[Tensor, Tensor]:
    """Points and peaks as a network reads its own maps; by `read_heatmaps` if it says nothing."""
    read = getattr(unwrap(model), "read", read_heatmaps)
    found: tuple[Tensor, Tensor] = read(heatmaps)
    return found


def see_twice(model: nn.Module, images: Tensor) -> Tensor:
    """The mean of a network's maps of (B, 3, S, S) images and of the mirrored ones, turned back.

    The two fall on pixels a little differently, and not all of a network's errors are on both.
    """
    straight, mirrored = model(torch.cat([images, images.flip(-1)])).float().chunk(2)
    return (straight + mirrored.flip(-1)[:, list(LANDMARK_MIRROR)]) / 2


def shared_out(scores: Float[Tensor, "b k h w"], sigma: float = SIGMA) -> Float[Tensor, "b k h w"]:
    """Scores as maps of probability, which sum to 2πσ²: those of a Gaussian of height 1."""
    return 2 * math.pi * sigma**2 * scores.flatten(2).softmax(-1).view_as(scores)


def read_centres(
    heatmaps: Float[Tensor, "b k h w"],
) -> tuple[Float[Tensor, "b k 2"], Float[Tensor, "b k"]]:
    """The centre of mass of each map of probability, and its highest value.

    Returns:
        (B, K, 2) x and y in pixels of the map, (0, 0) of a map that is all 0; (B, K) the peaks.
    """
    height, width = heatmaps.shape[-2:]
    rows, columns = (
        torch.arange(n, dtype=heatmaps.dtype, device=heatmaps.device) for n in (height, width)
    )
    places = [_mean(heatmaps.sum(2), columns), _mean(heatmaps.sum(3), rows)]
    return torch.stack(places, -1), heatmaps.amax((2, 3))


def _mean(weights: Tensor, places: Tensor) -> Tensor:
    """The centre of mass along the last dimension."""
    return weights @ places / weights.sum(-1).clamp_min(1e-12)


def _bells(points: Tensor, size: tuple[int, int], sigma: float) -> tuple[Tensor, Tensor]:
    """The two factors of each point's Gaussian, (B, K, w) and (B, K, h)."""
    height, width = size
    x, y = points[..., 0, None], points[..., 1, None]  # (B, K, 1)
    columns = torch.arange(width, dtype=points.dtype, device=points.device)
    rows = torch.arange(height, dtype=points.dtype, device=points.device)
    half = -0.5 / sigma**2
    return ((columns - x).square() * half).exp(), ((rows - y).square() * half).exp()
