"""Augmentation against torchvision's meaning of it, the mirrored flip, whitening."""

from __future__ import annotations

import colorsys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from coursekit import synthfaces
from coursekit.data.transforms import (
    Augmentation,
    Whitening,
    add_noise,
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    mirror,
    rotate,
    shrink,
    to_planes,
)
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, IGNORE_INDEX, LAPA
from coursekit.landmarks import LANDMARK_MIRROR
from tests.data import trees

PLAIN = Augmentation((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, (0.1, 2.0), 0.0)

#: Moves pixels, and changes no colour.
MOVING = replace(PLAIN, scale=(1.0, 1.3))

#: Points whose partners in a mirror are not among them, so that a missing swap shows.
MARKED = (2, 35, 45, 53, 60, 68, 74, 86, 104)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def dots(generator, size=96):
    """Black with a soft dot at each marked point, a ninth of the image each; and the 106 points."""
    points = generator.uniform(0, size - 1, (106, 2)).astype(np.float32)
    corners = size / 3 * np.indices((3, 3)).reshape(2, 9).T
    points[list(MARKED)] = corners + generator.uniform(0.35, 0.65, (9, 2)) * size / 3
    yy, xx = np.mgrid[:size, :size]
    light = sum(np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / 4) for x, y in points[list(MARKED)])
    return np.repeat((light.clip(0, 1) * 255).astype(np.uint8)[:, :, None], 3, axis=2), points


def dot_near(plane, point, reach=5):
    """The centre of the light within `reach` pixels of a point; None at the border."""
    x, y = np.rint(point).astype(int)
    size = len(plane)
    if not (reach <= x < size - reach and reach <= y < size - reach):
        return None
    window = plane[y - reach : y + reach + 1, x - reach : x + reach + 1].astype(float)
    assert window.sum() > 3, f"no dot near {x}, {y}"
    steps = np.arange(-reach, reach + 1)
    return np.array(
        [x + window.sum(0) @ steps / window.sum(), y + window.sum(1) @ steps / window.sum()]
    )


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
    points = rng().uniform(0, 63, (106, 2)).astype(np.float32)
    planes, label_map, same = PLAIN(trees.photo(1), trees.face(), points, rng(), CELEBAMASK_HQ)
    np.testing.assert_array_equal(label_map, trees.face())
    np.testing.assert_array_equal(same, points)
    np.testing.assert_allclose(planes, trees.photo(1).transpose(2, 0, 1) / 255, atol=1e-6)


@given(st.integers(0, 10_000))
def test_image_and_label_map_move_together(seed):
    label_map = trees.face(96)
    image = np.repeat((label_map == 1)[:, :, None] * np.uint8(255), 3, axis=2)
    moved = replace(MOVING, mirror_probability=0.5, rotation=180.0)
    planes, found, _ = moved(image, label_map, None, rng(seed), CELEBAMASK_HQ)
    assert planes.shape == (3, 96, 96)
    assert found.shape == (96, 96)
    assert ((planes[0] > 0.5) == (found == 1)).mean() > 0.97
    assert set(np.unique(found)) <= {*np.unique(label_map), IGNORE_INDEX}


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 20.0, 180.0]),
    st.sampled_from([1.0, 1.5]),
    st.sampled_from([0.0, 1.0]),
)
def test_landmarks_move_with_the_image(seed, rotation, scale, mirrored):
    image, points = dots(rng(seed))
    moved = replace(MOVING, scale=(1.0, scale), mirror_probability=mirrored, rotation=rotation)
    given_points = points.copy()
    planes, _, found = moved(image, None, points, rng(seed), CELEBAMASK_HQ)
    np.testing.assert_array_equal(points, given_points)
    assert (found.dtype, found.shape) == (np.float32, (106, 2))
    seen = 0
    for index in MARKED:
        point = found[LANDMARK_MIRROR[index] if mirrored else index]
        centre = dot_near(planes[0], point)
        if centre is not None:
            assert np.abs(centre - point).max() < 0.25
            seen += 1
    assert seen >= 1  # the middle one stays; others may leave the image


def test_a_landmark_stays_on_its_class():
    moved = replace(MOVING, scale=(1.0, 1.3), mirror_probability=0.5, rotation=30.0)
    seen = 0
    for index in range(12):
        face = synthfaces.render(3, index, 128)
        for name, point in (("r_eye", 74), ("l_eye", 83)):
            x, y = np.rint(face.landmarks[point]).astype(int)
            if (face.label_map[y - 1 : y + 2, x - 1 : x + 2] != CELEBAMASK_HQ.index(name)).any():
                continue  # behind hair or glasses, or too small
            for draw in range(4):
                _, label_map, found = moved(
                    face.image, face.label_map, face.landmarks, rng(draw), CELEBAMASK_HQ
                )
                x, y = np.rint(found[point]).astype(int)
                if 0 <= x < 128 and 0 <= y < 128:
                    assert label_map[y, x] == CELEBAMASK_HQ.index(name)
                    seen += 1
    assert seen > 30


def test_a_quarter_turn_is_exact():
    points = rng().uniform(0, 63, (106, 2)).astype(np.float32)
    image, label_map, found = rotate(trees.photo(1), trees.face(), points, 90)
    np.testing.assert_array_equal(image, np.rot90(trees.photo(1)))
    np.testing.assert_array_equal(label_map, np.rot90(trees.face()))
    np.testing.assert_allclose(found, np.stack([points[:, 1], 63 - points[:, 0]], 1), atol=1e-4)


def test_what_comes_in_at_the_corners_is_black_and_ignored():
    image, label_map, _ = rotate(np.full((64, 64, 3), 200, np.uint8), trees.face(), None, 20)
    unknown = label_map == IGNORE_INDEX
    assert 0.1 < unknown.mean() < 0.3
    assert unknown[0, 0] and unknown[-1, -1] and not unknown[16:48, 16:48].any()
    assert image[unknown].max() <= 100 and image[0, 0].max() == 0  # the edge is interpolated
    assert image[~unknown].min() >= 100


def test_a_smaller_photo_is_framed_in_black_and_unknown():
    """At odd sizes, against one pixel after the other; every place in the frame occurs."""
    shrinking = replace(PLAIN, scale=(0.5, 0.999))
    image = np.full((23, 17, 3), 200, np.uint8)
    label_map = rng().integers(0, 19, (23, 17)).astype(np.uint8)
    corners = set()
    for seed in range(300):
        planes, found, _ = shrinking(image, label_map, None, rng(seed), CELEBAMASK_HQ)
        known = found != IGNORE_INDEX
        rows, columns = np.flatnonzero(known.any(1)), np.flatnonzero(known.any(0))
        (top, left), (tall, wide) = (rows[0], columns[0]), (len(rows), len(columns))
        assert known[top : top + tall, left : left + wide].all()
        assert (planes[:, known] > 0.78).all() and (planes[:, ~known] == 0).all()
        for row in range(tall):
            for column in range(wide):
                there = int((row + 0.5) * 23 / tall), int((column + 0.5) * 17 / wide)
                assert found[top + row, left + column] == label_map[there]
        corners |= {(top == 0, top == 23 - tall), (left == 0, left == 17 - wide)}
        assert 23 // 2 <= tall <= 22 and 17 // 2 <= wide <= 16
    assert corners >= {(True, False), (False, True), (False, False)}


def test_a_turned_and_shrunk_sample_is_unknown_where_its_photo_is_empty():
    """Both leave empty corners: neither makes the other's look like a label."""
    moved = replace(PLAIN, scale=(0.75, 1.25), rotation=30.0)
    white = np.full((64, 64, 3), 255, np.uint8)
    for seed in range(20):
        planes, found, _ = moved(white, np.full((64, 64), 3, np.uint8), None, rng(seed),
                                 CELEBAMASK_HQ)  # fmt: skip
        unknown = found == IGNORE_INDEX
        assert set(np.unique(found)) <= {3, IGNORE_INDEX}
        assert planes[0][unknown].max(initial=0) <= 0.8 and planes[0][~unknown].min() >= 0.2


def test_landmarks_shrink_with_the_image():
    for seed in range(5):
        image, points = dots(rng(seed))
        found, _, moved = shrink(image, None, points, (72, 80), (24, 7))
        assert (moved.dtype, moved.shape) == (np.float32, (106, 2))
        for index in MARKED:
            x, y = moved[index]
            if 12 <= x < 82 and 29 <= y < 91:  # far from the border, which cuts dots
                assert np.abs(dot_near(found[..., 0], moved[index], reach=4) - (x, y)).max() < 0.25


def test_any_size_can_be_shrunk():
    image, label_map, _ = shrink(trees.photo(1), trees.face(), None, (1, 1), (63, 0))
    assert (label_map != IGNORE_INDEX).sum() == 1 and image[63, 0].any() and not image[:63].any()
    tiny = replace(PLAIN, scale=(0.001, 0.001))
    planes, *_ = tiny(trees.photo(1), trees.face(), None, rng(), CELEBAMASK_HQ)
    assert (planes.max(0) > 0).sum() == 1


def test_the_report_parameters_are_the_defaults():
    default = Augmentation()
    assert default.scale == (1.0, 1.1)
    assert (default.brightness, default.contrast, default.saturation) == (0.25, 0.25, 0.25)
    assert (default.hue, default.blur_probability, default.noise) == (0.1, 0.5, 0.03)
    assert (default.mirror_probability, default.rotation) == (0.0, 0.0)


def test_the_result_is_clamped_and_follows_from_the_generator_alone():
    image, label_map = trees.photo(1), trees.face()
    before = image.copy()
    turning = Augmentation(rotation=15.0)
    first, *_ = turning(image, label_map, None, rng(5), CELEBAMASK_HQ)
    second, *_ = turning(image, label_map, None, rng(5), CELEBAMASK_HQ)
    other, *_ = turning(image, label_map, None, rng(6), CELEBAMASK_HQ)
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).mean() > 0.01
    assert first.min() >= 0 and first.max() <= 1
    np.testing.assert_array_equal(image, before)


def test_the_mean_brightness_is_kept_on_average():
    image = np.full((32, 32, 3), 100, dtype=np.uint8)
    generator = rng(1)
    default = Augmentation()
    levels = [default(image, None, None, generator, CELEBAMASK_HQ)[0].mean() for _ in range(400)]
    assert abs(np.mean(levels) - 100 / 255) < 0.01
    assert np.std(levels) == pytest.approx(100 / 255 * 0.25 / np.sqrt(3), rel=0.15)


@pytest.mark.parametrize("labels", [CELEBAMASK_HQ, LAPA])
def test_mirror_swaps_the_pairs(labels):
    label_map = trees.face() if labels is CELEBAMASK_HQ else trees.TO_LAPA[trees.face()]
    points = rng().uniform(0, 63, (106, 2)).astype(np.float32)
    image, turned, moved = mirror(trees.photo(1), label_map, points, labels)
    np.testing.assert_array_equal(image, trees.photo(1)[:, ::-1])
    left, right = labels.index("l_eye"), labels.index("r_eye")
    assert np.nonzero(turned == left)[1].mean() > np.nonzero(turned == right)[1].mean()
    np.testing.assert_array_equal((turned == left)[:, ::-1], label_map == right)
    assert moved[104, 0] == pytest.approx(63 - points[105, 0])
    again = mirror(image, turned, moved, labels)
    np.testing.assert_array_equal(again[0], trees.photo(1))
    np.testing.assert_array_equal(again[1], label_map)
    np.testing.assert_allclose(again[2], points, atol=1e-5)


def test_mirroring_is_off_unless_asked_for():
    always = Augmentation((1.0, 1.0), 0, 0, 0, 0, 0, (0.1, 2), 0, mirror_probability=1.0)
    planes, label_map, _ = always(trees.photo(1), trees.face(), None, rng(), CELEBAMASK_HQ)
    _, expected, _ = mirror(trees.photo(1), trees.face(), None, CELEBAMASK_HQ)
    np.testing.assert_array_equal(label_map, expected)
    for seed in range(20):
        planes, *_ = PLAIN(trees.photo(1), trees.face(), None, rng(seed), CELEBAMASK_HQ)
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
        {"scale": (0.0, 1.0)}, {"scale": (0.5, np.inf)}, {"scale": (1.2, 1.1)},
        {"hue": 0.6}, {"brightness": 2.0},
        {"noise": -1.0}, {"mirror_probability": 1.5}, {"blur_sigma": (0.0, 1.0)},
        {"rotation": -1.0}, {"rotation": 181.0},
        {"scale": 0.75}, {"blur_sigma": (1.0, 2.0, 3.0)},
    ):  # fmt: skip
        with pytest.raises(CourseError, match=next(iter(wrong)).split("_")[0][:5]):
            Augmentation(**wrong)
    with pytest.raises(CourseError, match="one size"):
        PLAIN(trees.photo(1), trees.face(32), None, rng(), CELEBAMASK_HQ)
