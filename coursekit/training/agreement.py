"""What the points of a face say of each other, fitted after a landmark network is trained.

A face has some thirty ways to differ from another, 106 points have 212 coordinates: what one map
leaves open the others have seen. Each coordinate is moved by a linear function of all of them,
found by ridge regression on augmented training faces. Dense layers that are trained with the maps
gain nothing: the ways in which places contradict each other are small beside the places, and a
gradient hardly sees them. The closed form does: of a network of 64² that had seen 17,000 faces, on
200 others, 55.9 of 106 points were off by more than 2 % of the box without it and 49.7 with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from coursekit.data import TrainingView
from coursekit.models import unwrap
from coursekit.models.heatmaps import read_centres, see_twice, to_map

if TYPE_CHECKING:
    from torch import Tensor, nn

    from coursekit.data import FaceDataset, Whitening
    from coursekit.training.config import FitConfig

#: The ridge, for coordinates in shares of the map's side.
RIDGE = 0.1
_VIEWS, _BATCH = 1200, 40


@torch.inference_mode()
def agree(model: nn.Module, faces: FaceDataset, config: FitConfig, whitening: Whitening) -> None:
    """Fit a network's `agreement`; one whose maps are read alone stays as it is.

    Args:
        model: trained, with maps of likelihood.
        faces: that it was trained on.
        config: the settings of that.
        whitening: of those faces.
    """
    network: Any = unwrap(model)
    if network.agreement is None:
        return
    view = TrainingView(faces, config.size, whitening, config.augmentation, config.seed)
    network.eval()
    device = network.agreement.device
    said, wanted = [], []
    for start in range(0, _VIEWS, _BATCH):
        items = []
        for k in range(start, start + _BATCH):
            view.set_epoch(config.epochs + k // len(view))  # views that it never saw
            items.append(view[k % len(view)])
        maps = see_twice(network, torch.stack([item["image"] for item in items]).to(device))
        small = (maps.shape[-2], maps.shape[-1])
        points = torch.stack([item["landmarks"] for item in items]).to(device)
        said.append(in_shares(read_centres(maps)[0], small))
        wanted.append(in_shares(to_map(points, (config.size, config.size), small), small))
    found, truth = torch.cat(said).double(), torch.cat(wanted).double()  # (N, 212)
    known = truth.isfinite().all(1)
    network.agreement.copy_(ridge(found[known], (truth - found)[known], RIDGE))


def in_shares(points: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, K, 2) points of maps of (height, width) as (B, 2K): ±0.5 at the sides."""
    return ((points + 0.5) / points.new_tensor([size[1], size[0]]) - 0.5).flatten(1)


def ridge(known: Tensor, wanted: Tensor, hold: float) -> Tensor:
    """(D + 1, E) weights of the linear function from (N, D) to (N, E), its constant last.

    They make Σ ‖known · w + c − wanted‖² + hold · (‖w‖² + ‖c‖²) least.
    """
    known = torch.cat([known, known.new_ones(len(known), 1)], 1)
    few, many = known.shape
    if few < many:  # the same weights from the smaller of two squares
        square = known @ known.T + hold * torch.eye(few).to(known)
        return known.T @ torch.linalg.solve(square, wanted)
    square = known.T @ known + hold * torch.eye(many).to(known)
    return torch.linalg.solve(square, known.T @ wanted)
