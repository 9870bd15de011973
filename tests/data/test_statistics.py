"""Whitening and class counts against the obvious way of computing them."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit.data import class_counts, open_dataset, whitening
from coursekit.data.statistics import describe
from coursekit.errors import CourseError
from tests.data import trees


def test_whitening_is_that_of_all_pixels(tmp_path):
    trees.write_course2025(tmp_path)
    dataset = open_dataset(tmp_path, "train")
    pixels = np.stack([s.image for s in dataset]).reshape(-1, 3) / 255
    for found in (whitening(dataset), whitening(dataset, 64), whitening(dataset.arrays(64))):
        np.testing.assert_allclose(found.mean, pixels.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.std, pixels.std(axis=0), rtol=1e-9)


def test_a_flat_set_can_be_whitened(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1"])
    trees.save_photo(tmp_path / "train/images/1.jpg", np.full((64, 64, 3), 128, np.uint8))
    assert min(whitening(open_dataset(tmp_path, "train")).std) > 0


def test_counts_are_those_of_the_masks_as_they_are(tmp_path):
    trees.write_course2025(tmp_path)
    label_map = trees.face()
    label_map[1] = 255  # a row that is also there at half the size
    trees.save_mask(tmp_path / "train/masks/1.png", label_map, "L")
    dataset = open_dataset(tmp_path, "train")
    counts = class_counts(dataset)
    expected = np.bincount(np.stack([s.label_map for s in dataset]).ravel(), minlength=256)[:19]
    np.testing.assert_array_equal(counts, expected)
    assert counts.dtype == np.int64
    assert counts.sum() == 4 * 64 * 64 - 64
    assert class_counts(dataset, 32).sum() == 4 * 32 * 32 - 32
    np.testing.assert_array_equal(class_counts(dataset.arrays(64)), counts)


def test_errors_name_the_split(tmp_path):
    trees.write_course2025(tmp_path)
    dataset = open_dataset(tmp_path, "test")
    with pytest.raises(CourseError, match=r"test.*no masks"):
        class_counts(dataset)
    with pytest.raises(CourseError, match="without masks"):
        class_counts(dataset.arrays(16))
    with pytest.raises(CourseError, match="arrays of 16 pixels where 32"):
        whitening(dataset.arrays(16), 32)


def test_describe(tmp_path):
    trees.write_course2025(tmp_path)
    found = describe(tmp_path)
    assert found["splits"]["train"]["samples"] == 4
    assert found["splits"]["test"]["class_counts"] is None
    assert found["splits"]["val"]["class_counts"]["hat"] == 0
    assert len(found["whitening"]["mean"]) == 3
