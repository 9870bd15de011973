"""Faces cut out of photos: points, pixels and the way back agree."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from coursekit.data import SynthDataset, open_dataset
from coursekit.data.face_crops import FaceCrops, Square
from coursekit.data.landmark_files import write_landmarks
from coursekit.errors import CourseError
from tests.data import trees

SPOTS = np.array([[40.0, 30.0], [55.5, 47.25], [62.0, 33.0]], np.float32)


def blob_at(image: np.ndarray, point: np.ndarray, reach: int) -> np.ndarray:
    """The centre of mass of the light near a point."""
    x, y = (round(float(v)) for v in point)
    part = image[y - reach : y + reach + 1, x - reach : x + reach + 1, 0].astype(float)
    steps = np.arange(-reach, reach + 1)
    return np.array([x + part.sum(0) @ steps / part.sum(), y + part.sum(1) @ steps / part.sum()])


@pytest.mark.parametrize("size", [32, 64, 200])
@pytest.mark.parametrize("square", [Square(20.3, 11.8, 60.0), Square(-10.5, -20.5, 110.0)])
def test_points_lie_where_the_crop_shows_them(square: Square, size: int) -> None:
    yy, xx = np.mgrid[:80, :90]
    light = sum(np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * 2.5**2)) for x, y in SPOTS)
    image = np.repeat((255 * np.minimum(light, 1)).astype(np.uint8)[..., None], 3, axis=2)
    cut = square.cut(image, size)
    assert cut.shape == (size, size, 3)
    points = square.to_square(SPOTS, size)
    reach = max(2, round(6 * size / square.side))
    for point in points:
        assert np.abs(blob_at(cut, point, reach) - point).max() < 0.15
    np.testing.assert_allclose(square.to_photo(points, size), SPOTS, atol=1e-4)


def test_the_whole_photo_and_outside_of_it() -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(Square.of_image((40, 40)).cut(image, 40), image)
    wide = np.full((20, 40, 3), 9, np.uint8)
    square = Square.of_image(wide.shape)
    assert (square.left, square.top, square.side) == (-0.5, -10.5, 40)
    assert (square.cut(wide, 16) == 9).all()  # the edge goes on
    small = Square.of_image((40, 40)).cut(image, 10)
    averaged = cv2.resize(image, (10, 10), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - averaged).max() <= 1


def test_a_square_about_points() -> None:
    points = np.array([[10, 20], [50, 30], [np.nan, 5]], np.float32)
    square = Square.about(points, margin=0.25)
    assert (square.left, square.top, square.side) == (0.0, -5.0, 60.0)
    for bad in (points[:1], points[2:], np.full((106, 2), 3.0)):
        with pytest.raises(CourseError, match="in one place show no face"):
            Square.about(bad)


def test_faces_are_cut_out_of_a_data_set() -> None:
    photos = SynthDataset(0, 3, 48)
    crops = FaceCrops(photos, 32, margin=0.2)
    assert len(crops) == 3
    assert not crops.labelled
    arrays = crops.arrays(32)
    assert arrays.label_maps is None
    points = arrays.landmarks
    assert points is not None
    for k in range(3):  # the longer side of the box fills what the margin leaves
        longer = np.ptp(points[k], axis=0).max()
        assert longer == pytest.approx(32 / 1.4, rel=1e-4)
        middle = (points[k].min(0) + points[k].max(0)) / 2
        np.testing.assert_allclose(middle, 15.5, atol=1e-3)
    np.testing.assert_array_equal(crops.subset([2])[0].landmarks, crops[2].landmarks)
    assert crops.identity() != FaceCrops(photos, 32, margin=0.3).identity()


def test_squares_vary_and_a_face_stays_within_them() -> None:
    photos = SynthDataset(0, 40, 48)
    plain, varied = FaceCrops(photos, 32), FaceCrops(photos, 32, varied=True)
    sizes, places = [], []
    for k in range(40):
        before, after = plain[k].landmarks, varied[k].landmarks
        assert before is not None
        assert after is not None
        sizes.append(np.ptp(before, axis=0).max() / np.ptp(after, axis=0).max())
        places.append((after.min(0) + after.max(0)) / 2 - 15.5)
        assert after.min() > -0.5
        assert after.max() < 31.5
        change = np.linalg.lstsq(np.c_[before, np.ones(106)], after, rcond=None)[0]
        np.testing.assert_allclose(change[:2], np.eye(2) / sizes[-1], atol=1e-4)
    assert 0.9 <= min(sizes) < 1
    assert 1.45 < max(sizes) <= 1.6
    assert np.abs(places).max() > 4
    np.testing.assert_array_equal(varied.subset([7])[0].image, varied[7].image)
    assert varied.identity() != plain.identity()


def test_data_without_landmarks_or_with_another_photo_s_are_refused(tmp_path) -> None:
    trees.write_course2025(tmp_path / "faces", train=2, val=1, test=1)
    with pytest.raises(CourseError, match="photos without landmarks"):
        FaceCrops(open_dataset(tmp_path / "faces", "train"), 32)
    root = tmp_path / "lapa"
    trees.write_pairs(root, "lapa", "train", ["1"])
    path = root / "train" / "landmarks" / "1.txt"
    write_landmarks(path, np.arange(212).reshape(106, 2) / 5)
    photos = open_dataset(root, "train")
    FaceCrops(photos, 32).sample(0)
    write_landmarks(path, np.full((106, 2), 5000.0) + np.arange(106)[:, None])
    with pytest.raises(CourseError, match="pixels outside its"):
        FaceCrops(photos, 32).sample(0)
