"""Augmentation against torchvision's meaning of it, the mirrored flip, whitening."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from coursekit.data.transforms import (
    Augmentation,
    Whitening,
    add_noise,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    mirror,
    to_planes,
)
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, LAPA
from tests.data import trees

PLAIN = Augmentation((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, (0.1, 2.0), 0.0)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize(
    ("ours", "pillow"),
    [
        (adjust_brightness, ImageEnhance.Brightness),
        (adjust_contrast, ImageEnhance.Contrast),
        (adjust_saturation, ImageEnhance.Color),
    ],
)
@pytest.mark.parametrize("factor", [0.75, 0.9, 1.0, 1.25])
def test_colour_changes_are_those_of_pillow(ours, pillow, factor):
    image = trees.photo(2)
    expected = np.asarray(pillow(Image.fromarray(image)).enhance(factor)).astype(int)
    assert np.abs(ours(image, factor) - expected).max() <= 2


@pytest.mark.parametrize("turn", [-0.1, -0.03, 0.0, 0.05, 0.1])
def test_hue_is_turned_as_exactly_as_8_bits_allow(turn):
    image = trees.photo(2)[::4, ::4]
    expected = []
    for pixel in image.reshape(-1, 3) / 255:
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        expected.append(colorsys.hsv_to_rgb((hue + int(turn * 255) / 256) % 1, saturation, value))
    difference = np.abs(adjust_hue(image, turn).reshape(-1, 3) - 255 * np.array(expected))
    assert difference.mean() < 1.5
    assert difference.max() <= 9


def test_noise_is_gaussian():
    planes = np.full((3, 256, 256), 0.5, dtype=np.float32)
    add_noise(planes, 0.03, rng())
    noise = (planes - 0.5) / 0.03
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 1) < 0.01
    assert abs((np.abs(noise) < 1).mean() - 0.6827) < 0.005
    assert abs((np.abs(noise) > 2).mean() - 0.0455) < 0.002
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.02


def test_nothing_asked_for_changes_nothing():
    planes, label_map = PLAIN(trees.photo(1), trees.face(), rng(), CELEBAMASK_HQ)
    np.testing.assert_array_equal(label_map, trees.face())
    np.testing.assert_allclose(planes, trees.photo(1).transpose(2, 0, 1) / 255, atol=1e-6)


@given(st.integers(0, 10_000))
def test_image_and_label_map_move_together(seed):
    label_map = trees.face(96)
    image = np.repeat((label_map == 1)[:, :, None] * np.uint8(255), 3, axis=2)
    moved = Augmentation((1.0, 1.3), 0, 0, 0, 0, 0, (0.1, 2), 0, mirror_probability=0.5)
    planes, found = moved(image, label_map, rng(seed), CELEBAMASK_HQ)
    assert planes.shape == (3, 96, 96)
    assert found.shape == (96, 96)
    assert ((planes[0] > 0.5) == (found == 1)).mean() > 0.97
    assert set(np.unique(found)) <= set(np.unique(label_map))


def test_the_report_parameters_are_the_defaults():
    default = Augmentation()
    assert default.scale == (1.0, 1.1)
    assert (default.brightness, default.contrast, default.saturation) == (0.25, 0.25, 0.25)
    assert (default.hue, default.blur_probability, default.noise) == (0.1, 0.5, 0.03)
    assert default.mirror_probability == 0.0


def test_the_result_is_clamped_and_follows_from_the_generator_alone():
    image, label_map = trees.photo(1), trees.face()
    before = image.copy()
    first, _ = Augmentation()(image, label_map, rng(5), CELEBAMASK_HQ)
    second, _ = Augmentation()(image, label_map, rng(5), CELEBAMASK_HQ)
    other, _ = Augmentation()(image, label_map, rng(6), CELEBAMASK_HQ)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).mean() > 0.01
    assert first.min() >= 0 and first.max() <= 1
    np.testing.assert_array_equal(image, before)


def test_the_mean_brightness_is_kept_on_average():
    image = np.full((32, 32, 3), 100, dtype=np.uint8)
    generator = rng(1)
    levels = [Augmentation()(image, None, generator, CELEBAMASK_HQ)[0].mean() for _ in range(400)]
    assert abs(np.mean(levels) - 100 / 255) < 0.01
    assert np.std(levels) == pytest.approx(100 / 255 * 0.25 / np.sqrt(3), rel=0.15)


@pytest.mark.parametrize("labels", [CELEBAMASK_HQ, LAPA])
def test_mirror_swaps_the_pairs(labels):
    label_map = trees.face() if labels is CELEBAMASK_HQ else trees.TO_LAPA[trees.face()]
    points = rng().uniform(0, 63, (106, 2))
    image, turned, moved = mirror(trees.photo(1), label_map, points, labels)
    np.testing.assert_array_equal(image, trees.photo(1)[:, ::-1])
    left, right = labels.index("l_eye"), labels.index("r_eye")
    assert np.nonzero(turned == left)[1].mean() > np.nonzero(turned == right)[1].mean()
    np.testing.assert_array_equal((turned == left)[:, ::-1], label_map == right)
    assert moved[104, 0] == pytest.approx(63 - points[105, 0])
    again = mirror(image, turned, moved, labels)
    np.testing.assert_array_equal(again[0], trees.photo(1))
    np.testing.assert_array_equal(again[1], label_map)
    np.testing.assert_allclose(again[2], points)


def test_mirroring_is_off_unless_asked_for():
    always = Augmentation((1.0, 1.0), 0, 0, 0, 0, 0, (0.1, 2), 0, mirror_probability=1.0)
    planes, label_map = always(trees.photo(1), trees.face(), rng(), CELEBAMASK_HQ)
    _, expected, _ = mirror(trees.photo(1), trees.face(), None, CELEBAMASK_HQ)
    np.testing.assert_array_equal(label_map, expected)
    for seed in range(20):
        planes, _ = PLAIN(trees.photo(1), trees.face(), rng(seed), CELEBAMASK_HQ)
        np.testing.assert_array_equal(planes, to_planes(trees.photo(1)))


def test_whitening_there_and_back():
    whitening = Whitening((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))
    planes = whitening.apply(to_planes(trees.photo(1)))
    expected = (trees.photo(1) / 255 - (0.5, 0.4, 0.3)) / (0.2, 0.25, 0.3)
    np.testing.assert_allclose(planes, expected.transpose(2, 0, 1), atol=1e-5)
    np.testing.assert_array_equal(whitening.undo(planes), trees.photo(1))


def test_arguments_out_of_range_are_refused():
    with pytest.raises(CourseError, match="std"):
        Whitening((0.5, 0.5, 0.5), (0.1, 0.0, 0.1))
    for wrong in (
        {"scale": (0.5, 1.0)}, {"scale": (1.2, 1.1)}, {"hue": 0.6}, {"brightness": 2.0},
        {"noise": -1.0}, {"mirror_probability": 1.5}, {"blur_sigma": (0.0, 1.0)},
    ):  # fmt: skip
        with pytest.raises(CourseError, match=next(iter(wrong)).split("_")[0][:5]):
            Augmentation(**wrong)
    with pytest.raises(CourseError, match="one size"):
        PLAIN(trees.photo(1), trees.face(32), rng(), CELEBAMASK_HQ)
