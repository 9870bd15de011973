"""Supervised descent: what is seen about points, and how they are moved."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from coursekit import synthfaces
from coursekit.models.descent import DESCRIBED, Descent, mirrored, see

FACE = synthfaces.render(3, 0, 128)
IMAGE, POINTS = FACE.image, FACE.landmarks.astype(np.float64)


def turned(factor: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """The face turned, scaled and moved, with its points."""
    matrix = cv2.getRotationMatrix2D((63.5, 63.5), angle, factor)
    matrix[:, 2] += (7, -4)
    image = cv2.warpAffine(IMAGE, matrix, (128, 128), borderMode=cv2.BORDER_REPLICATE)
    return image, POINTS @ matrix[:, :2].T + matrix[:, 2]


def test_a_face_that_is_turned_scaled_and_moved_looks_the_same() -> None:
    before, after = see(IMAGE, POINTS), see(*turned(0.9, 20))
    np.testing.assert_allclose(before.points, after.points, atol=1e-6)
    assert before.cells.shape == (106, DESCRIBED)
    assert np.corrcoef(before.cells.ravel(), after.cells.ravel())[0, 1] > 0.9
    assert np.linalg.det(after.matrix) == pytest.approx(np.linalg.det(before.matrix) / 0.9**2)


def test_a_large_photo_is_shrunk_by_areas() -> None:
    """Its grain goes, and points stay where they are."""
    large = cv2.resize(IMAGE, (640, 640), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 40, large.shape)
    large = (large + grain).clip(0, 255).astype(np.uint8)
    near, far = see(IMAGE, POINTS).cells, see(large, (POINTS + 0.5) * 5 - 0.5).cells
    assert np.corrcoef(near.ravel(), far.ravel())[0, 1] > 0.95


def test_cells_say_which_way_it_grows_bright() -> None:
    image = np.zeros((128, 128, 3), np.uint8)
    image[:, 64:] = 200
    points = POINTS + np.array([64, 64]) - POINTS.mean(0)
    points[0] = (64, 64)
    turn = see(image, points).matrix
    angle = np.arctan2(*(turn @ (1, 0))[::-1])  # of the photo's "to the right" in the square
    middle = see(image, points).cells[0, : 9 * 8].reshape(8, 9)[:, 4]  # directions of one cell
    assert middle.argmax() == round(angle / (np.pi / 4)) % 8
    assert middle.max() > 0.5


def test_what_is_flat_says_nothing() -> None:
    flat = see(np.full((64, 64, 3), 90, np.uint8), POINTS / 2)
    assert not flat.cells.any()


def test_points_in_one_place_and_far_outside_are_no_fault() -> None:
    for points in (np.full((106, 2), 5.0), POINTS + 1e4):
        assert np.isfinite(Descent(2)(IMAGE, points)).all()


def test_fresh_steps_move_nothing() -> None:
    found = Descent(2)(IMAGE, POINTS)
    np.testing.assert_allclose(found, POINTS, atol=1e-4)
    assert found.dtype == np.float32


def test_moves_are_turned_and_scaled_with_the_face_and_even_out_with_its_mirror_image() -> None:
    descent = Descent(1)
    descent.steps[0, -1] = torch.tensor([0.5, 0.25]).repeat(106)  # across evens out
    straight, other = (descent(i, p) - p for i, p in ((IMAGE, POINTS), turned(0.8, 30)))
    np.testing.assert_allclose(straight, np.broadcast_to(straight[0], (106, 2)), atol=1e-3)
    down = see(IMAGE, POINTS).matrix @ straight[0]
    np.testing.assert_allclose(down, (0, 0.25), atol=0.01)
    spin = cv2.getRotationMatrix2D((0, 0), 30, 0.8)[:, :2]
    np.testing.assert_allclose(other[0], spin @ straight[0], atol=0.02)


def test_a_mirror_image_has_the_points_mirrored() -> None:
    descent = Descent(2)
    descent.steps.normal_(0, 1e-3, generator=torch.Generator().manual_seed(0))
    found = descent(IMAGE, POINTS)
    other = descent(np.ascontiguousarray(IMAGE[:, ::-1]), mirrored(POINTS, 128))
    np.testing.assert_allclose(mirrored(other, 128), found, atol=1e-3)
    assert np.abs(found - POINTS).max() > 0.01
