"""Points drawn as Gaussians and read back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from coursekit.data.images import resize_landmarks
from coursekit.landmarks import LANDMARK_MIRROR
from coursekit.models.heatmaps import (
    draw_heatmaps,
    read_centres,
    read_heatmaps,
    see_twice,
    shared_out,
    to_image,
    to_map,
)

EVERY_OFFSET = torch.stack(
    torch.meshgrid(*2 * [torch.linspace(9.5, 10.5, 41)], indexing="xy"), -1
).view(1, -1, 2)


def test_a_heatmap_is_the_gaussian_of_its_formula() -> None:
    points = torch.tensor([[[3.25, 1.5]]])
    drawn = draw_heatmaps(points, (5, 7), sigma=1.5)[0, 0]
    for row in range(5):
        for column in range(7):
            squared = (column - 3.25) ** 2 + (row - 1.5) ** 2
            assert drawn[row, column] == pytest.approx(np.exp(-squared / (2 * 1.5**2)), rel=1e-5)
    assert draw_heatmaps(torch.tensor([[[torch.nan, 1.0]]]), (4, 4)).abs().sum() == 0


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_the_read_out_has_no_bias_at_any_offset(sigma: float) -> None:
    """The paper's quarter-pixel step is off by up to 0.25 here, the highest pixel by 0.5."""
    found, peak = read_heatmaps(draw_heatmaps(EVERY_OFFSET, (20, 20), sigma), sigma)
    assert (found - EVERY_OFFSET).abs().max() < 2e-3
    assert peak.min() > 0.7


def test_noise_and_a_second_peak_hardly_move_it() -> None:
    generator = torch.Generator().manual_seed(0)
    maps = draw_heatmaps(EVERY_OFFSET, (20, 20))
    maps = maps + 0.03 * torch.randn(maps.shape, generator=generator)
    maps = maps + 0.5 * draw_heatmaps(torch.full_like(EVERY_OFFSET, 2.0), (20, 20))
    found, _ = read_heatmaps(maps)
    assert (found - EVERY_OFFSET).norm(dim=-1).mean() < 0.05


def test_at_the_border_and_of_nothing() -> None:
    points = torch.tensor([[[0.0, 0.0], [7.0, 5.0], [-0.4, 2.0], [3.0, 5.4]]])
    found, _ = read_heatmaps(draw_heatmaps(points, (6, 8)))
    assert (found - points).abs().max() < 0.1
    for empty in (torch.zeros(1, 2, 6, 8), torch.full((1, 2, 6, 8), -1.0)):
        found, peak = read_heatmaps(empty)
        assert found.isfinite().all()
        assert (peak <= 0).all()


def test_a_map_of_likelihood_sums_to_what_a_gaussian_does_and_is_read_by_its_mean() -> None:
    scores = torch.randn(2, 3, 6, 9, generator=torch.Generator().manual_seed(0))
    maps = shared_out(scores)
    found, peak = read_centres(maps)
    for face in range(2):
        for k in range(3):
            likely = np.exp(scores[face, k].double().numpy())
            likely /= likely.sum()
            rows, columns = np.mgrid[:6, :9]
            mean = (likely * columns).sum(), (likely * rows).sum()
            assert found[face, k].tolist() == pytest.approx(mean, rel=1e-5)
            assert float(peak[face, k]) == pytest.approx(2 * np.pi * likely.max(), rel=1e-5)
    drawn = draw_heatmaps(EVERY_OFFSET, (20, 20))
    assert (read_centres(drawn)[0] - EVERY_OFFSET).abs().max() < 1e-3
    assert drawn.sum((2, 3)).mean() == pytest.approx(float(maps[0, 0].sum()), rel=1e-4)
    assert read_centres(torch.zeros(1, 2, 4, 4))[0].tolist() == [[[0, 0], [0, 0]]]


def test_a_face_seen_twice_has_the_mean_of_both_maps_in_its_own_order() -> None:
    image = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0))

    class Bright(nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return torch.cat([image[:, :1] * k for k in range(106)], 1)

    seen = see_twice(Bright(), image)
    for k in range(106):
        expected = image[0, 0] * (k + LANDMARK_MIRROR[k]) / 2
        torch.testing.assert_close(seen[0, k], expected)


def test_maps_and_images_share_their_borders() -> None:
    points = torch.rand(3, 5, 2) * 100
    there = to_map(points, (100, 60), (25, 15))
    torch.testing.assert_close(to_image(there, (25, 15), (100, 60)), points)
    expected = resize_landmarks(points[0].numpy(), (100, 60), (25, 15))
    np.testing.assert_allclose(there[0].numpy(), expected, atol=1e-5)
