"""Arrays in memory and in the cache folder."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from coursekit.data import cache, open_dataset
from coursekit.data.images import resize_image, resize_label_map, resize_landmarks
from coursekit.errors import CourseError
from tests.data import trees


@pytest.fixture
def on_disk(tmp_path, monkeypatch):
    """Every set counts as large; returns the cache folder."""
    monkeypatch.setattr(cache, "MEMORY_LIMIT", 0)
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path):
    return trees.write_course2025(tmp_path / "faces")


def check(arrays, dataset, size):
    assert arrays.names == dataset.names
    assert arrays.size == size
    for index, sample in enumerate(dataset):
        np.testing.assert_array_equal(arrays.images[index], resize_image(sample.image, size, size))
        expected = resize_label_map(sample.label_map, size, size)
        np.testing.assert_array_equal(arrays.label_maps[index], expected)
        if dataset.landmarked:
            expected = resize_landmarks(sample.landmarks, sample.image.shape, (size, size))
            np.testing.assert_array_equal(arrays.landmarks[index], expected)
    assert (arrays.landmarks is not None) == dataset.landmarked


@pytest.fixture
def lapa(tmp_path):
    """Photos that are not square, with landmarks in and around them."""
    generator = np.random.default_rng(0)
    for index in range(3):
        trees.save_photo(tmp_path / f"lapa/train/images/{index}.jpg", trees.photo(index, 60, 90))
        mask = generator.integers(0, 11, (60, 90), dtype=np.uint8)
        trees.save_mask(tmp_path / f"lapa/train/labels/{index}.png", mask, "L")
        points = generator.uniform(-5, 95, (106, 2))
        trees.write_landmarks(tmp_path / f"lapa/train/landmarks/{index}.txt", points)
    return tmp_path / "lapa"


def test_arrays_in_memory(root):
    dataset = open_dataset(root, "train")
    for size in (64, 24, 100):
        check(dataset.arrays(size), dataset, size)
    assert dataset.arrays(100) is dataset.arrays(100)
    assert open_dataset(root, "test").arrays(16).label_maps is None


def test_arrays_on_disk_are_the_same_and_are_used_again(root, on_disk, monkeypatch):
    dataset = open_dataset(root, "train")
    check(dataset.arrays(24), dataset, 24)
    assert isinstance(dataset.arrays(24).images, np.memmap)
    assert not list(on_disk.glob("arrays/.*"))
    again = open_dataset(root, "train")
    monkeypatch.setattr(type(again), "sample", None)  # decoding would now fail
    np.testing.assert_array_equal(again.arrays(24).images, dataset.arrays(24).images)


def test_landmarks_are_kept_beside_images_and_masks(lapa, monkeypatch, tmp_path):
    memory = open_dataset(lapa, "train")
    check(memory.arrays(24), memory, 24)
    monkeypatch.setattr(cache, "MEMORY_LIMIT", 0)
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "cache"))
    dataset = open_dataset(lapa, "train")
    check(dataset.arrays(24), dataset, 24)
    assert isinstance(dataset.arrays(24).landmarks, np.memmap)
    again = pickle.loads(pickle.dumps(dataset.arrays(24)))
    np.testing.assert_array_equal(again.landmarks, memory.arrays(24).landmarks)
    points = np.zeros((106, 2))
    trees.write_landmarks(lapa / "train/landmarks/1.txt", points)
    os.utime(lapa / "train/landmarks/1.txt", ns=(1, 1))
    dataset = open_dataset(lapa, "train")
    check(dataset.arrays(24), dataset, 24)  # a changed file is read anew


def test_a_changed_file_is_read_anew(root, on_disk):
    before = np.array(open_dataset(root, "train").arrays(24).images)
    trees.save_photo(root / "train/images/1.jpg", trees.photo(99))
    os.utime(root / "train/images/1.jpg", ns=(1, 1))
    after = open_dataset(root, "train").arrays(24).images
    assert (before[0] == after[0]).all() and (before[1] != after[1]).any()


@pytest.mark.parametrize("damage", ["cut", "noise", "meta", "missing"])
def test_a_damaged_cache_is_rebuilt(root, on_disk, damage):
    expected = np.array(open_dataset(root, "train").arrays(24).images)
    folder = next((on_disk / "arrays").iterdir())
    images = folder / "images.npy"
    if damage == "cut":
        os.truncate(images, images.stat().st_size // 2)
    elif damage == "noise":
        images.write_bytes(images.read_bytes()[:-100] + bytes(100))
    elif damage == "meta":
        (folder / "meta.json").write_text("{", "utf-8")
    else:
        images.unlink()
    np.testing.assert_array_equal(open_dataset(root, "train").arrays(24).images, expected)


def test_a_broken_photo_leaves_no_cache(root, on_disk):
    (root / "train/images/2.jpg").write_bytes(b"")
    with pytest.raises(CourseError, match=r"2\.jpg"):
        open_dataset(root, "train").arrays(24)
    assert not list((on_disk / "arrays").iterdir())


def test_mapped_arrays_travel_by_name(root, on_disk):
    arrays = open_dataset(root, "train").arrays(96)
    packed = pickle.dumps(arrays)
    assert len(packed) < 2000
    np.testing.assert_array_equal(pickle.loads(packed).images, arrays.images)
    part = cache.Arrays(arrays.images[1:], None, None, arrays.names[1:], arrays.labels)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(part)).images, arrays.images[1:])


def test_a_cache_that_cannot_be_written(root, on_disk, monkeypatch):
    on_disk.write_text("a file", "utf-8")
    with pytest.raises(CourseError, match="COURSEKIT_CACHE"):
        open_dataset(root, "train").arrays(24)


def test_a_size_below_one(root):
    with pytest.raises(CourseError, match="working size of 0"):
        open_dataset(root, "train").arrays(0)
