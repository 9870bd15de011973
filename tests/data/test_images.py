"""Decoding: every mode of photo, every way in which a file can be wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from coursekit.data.folders import natural_key
from coursekit.data.images import (
    read_image,
    resize_image,
    resize_label_map,
    resize_landmarks,
    same_aspect,
)
from coursekit.data.masks import read_label_map
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, LAPA
from tests.data import trees


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "CMYK", "1", "I;16", "YCbCr"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    grey = np.linspace(0, 255, 48 * 40).reshape(48, 40).astype(np.uint8)
    if mode == "I;16":
        picture = Image.fromarray(grey.astype(np.uint16) << 8)
    else:
        picture = Image.fromarray(grey).convert("RGB").convert(mode)
    path = tmp_path / ("a.tif" if mode in ("CMYK", "YCbCr") else "a.png")
    picture.save(path)
    image = read_image(path)
    assert (image.shape, image.dtype) == ((48, 40, 3), np.uint8)
    if mode not in ("1", "P"):
        assert np.abs(image.astype(int) - grey[:, :, None]).max() <= 3


def test_a_cmyk_jpeg(tmp_path):
    Image.fromarray(trees.photo(1)).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - trees.photo(1)).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_photo_upright(tmp_path, orientation):
    upright = trees.photo(3, 32, 48)
    turns = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.transpose(1, 0, 2), 6: np.rot90(upright),
        7: upright.transpose(1, 0, 2)[::-1, ::-1], 8: np.rot90(upright, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(turns[orientation])
    Image.fromarray(stored).save(tmp_path / "a.png", exif=exif)
    found = read_image(tmp_path / "a.png")
    assert found.shape == (32, 48, 3)
    np.testing.assert_array_equal(found, upright)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
@pytest.mark.parametrize("kept", [0, 20, 0.5, 0.97])
def test_a_truncated_file_is_named(tmp_path, suffix, kept):
    path = tmp_path / f"a.{suffix}"
    trees.save_photo(path, trees.photo(1, 128, 128))
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if kept < 1 else int(kept)])
    with pytest.raises(CourseError, match=rf"a\.{suffix}: cannot be decoded.*anew"):
        read_image(path)


def test_a_picture_that_is_too_large_is_said_to_be(tmp_path):
    """It is whole: to copy it anew would help nobody."""
    Image.new("1", (20_000, 20_000)).save(tmp_path / "a.png")
    with pytest.raises(CourseError, match=r"a\.png: has over 178 million pixels; save it smaller"):
        read_image(tmp_path / "a.png")


@given(st.binary(max_size=200), st.integers(0, 150))
def test_damaged_bytes_raise_nothing_but_a_course_error(tmp_path_factory, noise, position):
    path = tmp_path_factory.getbasetemp() / "damaged.png"
    trees.save_mask(path, trees.face(16))
    data = bytearray(path.read_bytes())
    data[position : position + len(noise)] = noise
    path.write_bytes(bytes(data))
    for read in (read_image, lambda p: read_label_map(p, CELEBAMASK_HQ)):
        try:
            read(path)
        except CourseError as error:
            assert "damaged.png" in str(error)


def test_text_in_place_of_a_picture(tmp_path):
    (tmp_path / "a.jpg").write_text("<html>404</html>", "utf-8")
    with pytest.raises(CourseError, match="not a picture"):
        read_image(tmp_path / "a.jpg")
    with pytest.raises(CourseError, match="does not exist"):
        read_image(tmp_path / "b.jpg")


def test_palette_masks_are_read_by_index(tmp_path):
    for entries in (19, 256):
        trees.save_mask(tmp_path / "a.png", trees.face(), "P", entries)
        np.testing.assert_array_equal(
            read_label_map(tmp_path / "a.png", CELEBAMASK_HQ), trees.face()
        )


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (CELEBAMASK_HQ.palette_array()[trees.face()], "celebamask-hq palette"),
        (np.repeat(trees.face()[:, :, None], 3, axis=2), "channels are equal"),
        (trees.photo(1), "not the course's palette"),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_colour_mask_is_refused_and_explained(tmp_path, values, hint, mode):
    Image.fromarray(values).convert(mode).save(tmp_path / "a.png")
    with pytest.raises(CourseError, match=rf"a\.png: a mask in mode {mode}.*{hint}"):
        read_label_map(tmp_path / "a.png", CELEBAMASK_HQ)


def test_unknown_ids_are_named(tmp_path):
    label_map = trees.face()
    label_map[0, :3] = (19, 61, 255)
    Image.fromarray(label_map).save(tmp_path / "a.png")
    with pytest.raises(CourseError, match=r"a\.png: holds ids 19, 61; celebamask-hq has 0–18"):
        read_label_map(tmp_path / "a.png", CELEBAMASK_HQ)
    Image.fromarray(trees.face()).save(tmp_path / "b.png")
    with pytest.raises(CourseError, match=r"b\.png.*lapa has 0–10"):
        read_label_map(tmp_path / "b.png", LAPA)


def test_a_16_bit_mask_is_read_if_its_ids_are_known(tmp_path):
    Image.fromarray(trees.face().astype(np.uint16)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.png", CELEBAMASK_HQ), trees.face())
    Image.fromarray(np.full((4, 4), 300, np.uint16)).save(tmp_path / "b.png")
    with pytest.raises(CourseError, match="id 300"):
        read_label_map(tmp_path / "b.png", CELEBAMASK_HQ)


def test_a_mask_of_fractions_is_refused(tmp_path):
    blended = trees.face().astype(np.float32)
    Image.fromarray(blended).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_label_map(tmp_path / "a.tif", CELEBAMASK_HQ), trees.face())
    for wrong in (0.5, np.nan):
        blended[3, 3] = wrong
        Image.fromarray(blended).save(tmp_path / "b.tif")
        with pytest.raises(CourseError, match="fractions"):
            read_label_map(tmp_path / "b.tif", CELEBAMASK_HQ)


def test_a_jpeg_mask_is_refused(tmp_path):
    Image.fromarray(np.full((16, 16), 3, np.uint8)).save(tmp_path / "a.jpg")
    with pytest.raises(CourseError, match=r"a\.jpg: a JPEG cannot hold a mask"):
        read_label_map(tmp_path / "a.jpg", CELEBAMASK_HQ)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.integers(1, 60))
def test_nearest_keeps_ids_and_pixel_centres(height, width, new_height, new_width):
    rng = np.random.default_rng([height, width])
    label_map = rng.integers(0, 19, (height, width), dtype=np.uint8)
    found = resize_label_map(label_map, new_height, new_width)
    rows = [int((i + 0.5) * height / new_height + 1e-9) for i in range(new_height)]
    columns = [int((j + 0.5) * width / new_width + 1e-9) for j in range(new_width)]
    np.testing.assert_array_equal(found, label_map[np.ix_(rows, columns)])


def test_nearest_twice_as_large_and_back_is_the_same():
    enlarged = resize_label_map(trees.face(), 128, 128)
    np.testing.assert_array_equal(resize_label_map(enlarged, 64, 64), trees.face())


def test_an_image_is_shrunk_by_area():
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    image = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    assert np.abs(resize_image(image, 32, 32).astype(int) - 128).max() <= 1
    assert resize_image(image, 32, 100).shape == (32, 100, 3)


def test_image_and_mask_stay_aligned_when_resized():
    label_map = trees.face(256)
    image = np.repeat((label_map == 1)[:, :, None] * np.uint8(255), 3, axis=2)
    for size in (32, 48, 100, 300):
        small = resize_image(image, size, size)[..., 0] > 127
        assert (small == (resize_label_map(label_map, size, size) == 1)).mean() > 0.96


def test_landmarks_stay_where_the_image_shows_them():
    for height, width in ((100, 80), (37, 300), (96, 96)):
        spot = np.array([[0.6 * width, 0.3 * height]], dtype=np.float32)
        yy, xx = np.mgrid[:height, :width]
        reach = np.array([width, height]) / 12
        light = np.exp(-(((xx - spot[0, 0]) / reach[0]) ** 2) - ((yy - spot[0, 1]) / reach[1]) ** 2)
        image = np.repeat((255 * light).astype(np.uint8)[:, :, None], 3, axis=2)
        for size in (48, 96, 128):
            plane = resize_image(image, size, size)[..., 0].astype(float)
            steps, total = np.arange(size), plane.sum()
            centre = [plane.sum(0) @ steps / total, plane.sum(1) @ steps / total]
            found = resize_landmarks(spot, (height, width), (size, size))
            assert found.dtype == np.float32
            np.testing.assert_allclose(found[0], centre, atol=0.1)
    corners = np.array([[-0.5, -0.5], [9.5, 4.5]], dtype=np.float32)
    np.testing.assert_allclose(
        resize_landmarks(corners, (5, 10), (20, 20)), [[-0.5, -0.5], [19.5, 19.5]]
    )
    points = np.random.default_rng(0).uniform(0, 512, (106, 2)).astype(np.float32)
    np.testing.assert_array_equal(resize_landmarks(points, (512, 512), (512, 512)), points)


def test_same_aspect():
    assert same_aspect((1024, 1024), (512, 512))
    assert same_aspect((1023, 767), (512, 384))
    assert not same_aspect((512, 512), (512, 400))


def test_natural_key():
    names = ["10", "2", "a", "1_2", "1", "b10", "b2", "01"]
    assert sorted(names, key=natural_key) == ["01", "1", "1_2", "2", "10", "a", "b2", "b10"]
