"""Readers of every layout on made-up trees, and the errors that they raise."""

from __future__ import annotations

import pickle
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from coursekit.data import open_dataset
from coursekit.data.celebamask import MAPPING, PARTS, PHOTOS, official_split
from coursekit.data.helen import FOLDER, read_list
from coursekit.errors import CourseError
from coursekit.labels import HELEN, IGNORE_INDEX
from tests.data import trees

SIDES = st.integers(3, 12)


def label_maps(num_classes: int) -> st.SearchStrategy[NDArray[np.uint8]]:
    shapes = st.tuples(SIDES, SIDES)
    return hnp.arrays(np.uint8, shapes, elements=st.integers(0, num_classes - 1))


@settings(max_examples=12)
@given(
    layout=st.sampled_from(sorted(trees.PAIR_PLACES)),
    split=st.sampled_from(["train", "val", "test"]),
    stems=st.lists(
        st.text("0123456789abcdef", min_size=1, max_size=4), min_size=1, max_size=4, unique=True
    ),
    data=st.data(),
)
def test_pairs_are_read_as_they_were_written(layout, split, stems, data):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        photos, masks = (place.format(split) for place in trees.PAIR_PLACES[layout])
        written = {}
        for number, stem in enumerate(stems):
            label_map = data.draw(label_maps(11 if layout == "lapa" else 19))
            scale = data.draw(st.integers(1, 3))
            image = trees.photo(number, *(scale * side for side in label_map.shape))
            trees.save_photo(root / photos / f"{stem}.png", image)
            mode, entries = data.draw(st.sampled_from([("P", 256), ("P", 19), ("L", 0)]))
            trees.save_mask(root / masks / f"{stem}.png", label_map, mode, entries)
            written[stem] = image, label_map
        dataset = open_dataset(root, split)
        assert dataset.layout == layout
        assert set(dataset.names) == set(stems)
        for sample in dataset:
            image, label_map = written[sample.name]
            np.testing.assert_array_equal(sample.image, image)
            np.testing.assert_array_equal(sample.label_map, label_map)


@settings(max_examples=12)
@given(label_map=label_maps(19), number=st.sampled_from([0, 7, 1999, 2000, 29999]))
def test_celebamask_merges_the_parts(label_map, number):
    label_map[0, 0] = 1  # a face has skin
    with tempfile.TemporaryDirectory() as folder:
        root = trees.write_celebamask(Path(folder), {number: label_map}, {number: 5})
        sample = open_dataset(root, "train")[0]
    np.testing.assert_array_equal(sample.label_map, label_map)
    assert sample.image.shape[0] == 2 * label_map.shape[0]


@settings(max_examples=12)
@given(label_map=label_maps(11), stem=st.sampled_from(["232194_1", "100032540_1", "7"]))
def test_helen_takes_the_surest_map(label_map, stem):
    with tempfile.TemporaryDirectory() as folder:
        root = trees.write_helen(Path(folder), {"val": {stem: label_map}})
        for place in (root, root / FOLDER):
            dataset = open_dataset(place, "val")
            assert (dataset.labels, dataset.names) == (HELEN, (stem,))
            np.testing.assert_array_equal(dataset[0].label_map, label_map)


def test_a_later_part_hides_an_earlier_one(tmp_path):
    root = trees.write_celebamask(tmp_path, {0: np.full((4, 4), 13, np.uint8)}, {0: 5})
    whole = np.full((4, 4), 255, np.uint8)
    trees.save_mask(root / PARTS / "0" / "00000_cloth.png", whole, "L")
    trees.save_mask(root / PARTS / "0" / "00000_skin.png", whole, "L")
    assert (open_dataset(root, "train")[0].label_map == 18).all()


def test_the_official_split_is_by_the_original_index(tmp_path):
    original = {0: 162_770, 1: 162_771, 2: 182_637, 3: 182_638, 10: 0}
    maps = {number: trees.face(16) for number in original}
    root = trees.write_celebamask(tmp_path / "CelebAMask-HQ", maps, original)
    names = {split: open_dataset(tmp_path, split).names for split in ("train", "val", "test")}
    assert names == {"train": ("0", "10"), "val": ("1", "2"), "test": ("3",)}
    assert open_dataset(root, "test").layout == "celebamask-hq"
    assert official_split(162_771) == "val"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("1 , 232194_1", ["232194_1"]),
        ("232194_1", ["232194_1"]),
        ("232194_1 , 100_2 , 300_1", ["232194_1", "100_2", "300_1"]),
        ("1 , 232194_1.jpg\n\n2 , 100_2\n", ["232194_1", "100_2"]),
    ],
)
def test_helen_lists(tmp_path, line, names):
    (tmp_path / "list.txt").write_text(line, "utf-8")
    assert read_list(tmp_path / "list.txt") == names


def test_course_2024_finds_the_test_images_in_either_place(tmp_path):
    for folder in ("test_image", "test/test_image"):
        trees.save_photo(tmp_path / "a" / folder / "2.jpg", trees.photo(1))
        trees.save_photo(tmp_path / "a" / folder / "10.jpg", trees.photo(2))
        dataset = open_dataset(tmp_path / "a", "test")
        assert dataset.names == ("2", "10")
        assert dataset[0].label_map is None
        assert not dataset.labelled
        shutil.rmtree(tmp_path / "a")


def test_stems_are_in_natural_order(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["10", "9", "1", "a2", "a10", "100"])
    assert open_dataset(tmp_path, "train").names == ("1", "9", "10", "100", "a2", "a10")


def test_val_may_have_no_masks_and_train_may_not(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1"], masks=False)
    trees.write_pairs(tmp_path, "course2025", "val", ["1"], masks=False)
    dataset = open_dataset(tmp_path, "val")
    assert dataset[0].label_map is None
    with pytest.raises(CourseError, match="no masks"):
        dataset.label_map(0)
    with pytest.raises(CourseError, match=r"train/masks: does not exist"):
        open_dataset(tmp_path, "train")


def test_lapa_landmarks(tmp_path):
    trees.write_pairs(tmp_path, "lapa", "train", ["1", "2", "3"])
    points = np.random.default_rng(0).uniform(0, 64, (106, 2)).astype(np.float32)
    trees.write_landmarks(tmp_path / "train/landmarks/1.txt", points)
    (tmp_path / "train/landmarks/3.txt").write_text("106\n1 2\n", "utf-8")
    dataset = open_dataset(tmp_path, "train")
    np.testing.assert_allclose(dataset[0].landmarks, points, atol=0.006)
    assert dataset[1].landmarks is None
    with pytest.raises(CourseError, match=r"3\.txt.*106"):
        dataset[2]
    assert not dataset.landmarked
    assert dataset.arrays(16).landmarks is None  # training on masks does not need them
    assert dataset[:1].landmarked
    np.testing.assert_allclose(
        dataset[:1].arrays(32).landmarks[0], (points + 0.5) / 2 - 0.5, atol=0.006
    )
    broken = dataset.subset([0, 2])
    assert broken.arrays(16, landmarks=False).landmarks is None
    with pytest.raises(CourseError, match=r"3\.txt.*106"):
        broken.arrays(16)


def test_landmarks_without_masks(tmp_path):
    trees.write_pairs(tmp_path, "lapa", "test", ["1", "2"], masks=False)
    points = np.random.default_rng(0).uniform(0, 64, (106, 2)).astype(np.float32)
    for stem in "12":
        trees.write_landmarks(tmp_path / f"test/landmarks/{stem}.txt", points)
    dataset = open_dataset(tmp_path, "test")
    assert (dataset.layout, dataset.labelled, dataset.landmarked) == ("lapa", False, True)
    arrays = dataset.arrays(64)
    assert arrays.label_maps is None
    np.testing.assert_allclose(arrays.landmarks, [points] * 2, atol=0.006)


def test_hidden_and_foreign_files_are_left_alone(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1"])
    for name in (".DS_Store", "._1.jpg", "Thumbs.db", "notes.txt"):
        (tmp_path / "train/images" / name).write_bytes(b"x")
    assert open_dataset(tmp_path, "train").names == ("1",)


def test_a_data_set_is_a_sequence(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1", "2", "3"])
    dataset = open_dataset(tmp_path, "train")
    assert dataset[-1].name == "3"
    assert dataset[1:].names == ("2", "3")
    assert dataset.subset([2, 0]).names == ("3", "1")
    assert [s.name for s in dataset] == ["1", "2", "3"]
    with pytest.raises(IndexError):
        dataset[3]
    assert pickle.loads(pickle.dumps(dataset)).names == dataset.names
    assert "3 samples" in repr(dataset)
    assert "label_map=(64, 64)" in repr(dataset[0])


def test_listing_opens_no_file(tmp_path):
    for number in range(50):
        for folder, suffix in (("images", "jpg"), ("masks", "png")):
            path = tmp_path / "train" / folder / f"{number}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
    assert len(open_dataset(tmp_path, "train")) == 50


def test_reading_does_not_import_torch():
    code = (
        "import sys; from coursekit.data import open_dataset, audit, class_counts, whitening, make;"
        "import coursekit.commands.data; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- what can be wrong --------------------------------------------------------------------------


def test_no_such_folder(tmp_path):
    with pytest.raises(CourseError, match=r"faces: does not exist; .*data make"):
        open_dataset(tmp_path / "faces", "train")


def test_a_file_instead_of_a_folder(tmp_path):
    (tmp_path / "faces.zip").write_bytes(b"PK")
    with pytest.raises(CourseError, match=r"is a file.*unpack"):
        open_dataset(tmp_path / "faces.zip", "train")


def test_no_layout_says_what_is_there_and_what_is_known(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(CourseError) as caught:
        open_dataset(tmp_path, "train")
    for word in ("pictures/", "train/{images,masks}", "`coursekit data --help`"):
        assert word in str(caught.value)


def test_one_level_off_is_pointed_out(tmp_path):
    trees.write_pairs(tmp_path / "faces", "course2025", "train", ["1"])
    for wrong in (tmp_path, tmp_path / "faces/train"):
        with pytest.raises(CourseError, match=r"did you mean \S*faces\?"):
            open_dataset(wrong, "train")


def test_two_layouts_at_once(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1"])
    trees.write_pairs(tmp_path, "course2024", "train", ["1"])
    with pytest.raises(CourseError, match="course 2025 and course 2024 at once"):
        open_dataset(tmp_path, "train")


def test_unknown_and_missing_splits(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1"])
    with pytest.raises(CourseError, match=r"did you mean 'val'\?"):
        open_dataset(tmp_path, "validation")
    with pytest.raises(CourseError, match=r"val/images: does not exist.*there: train"):
        open_dataset(tmp_path, "val")


def test_unpaired_stems_are_named(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1", "2", "3"])
    (tmp_path / "train/masks/2.png").unlink()
    with pytest.raises(CourseError, match=r"1 of 3 photos have no mask.*2\.jpg"):
        open_dataset(tmp_path, "train")
    (tmp_path / "train/images/2.jpg").unlink()
    (tmp_path / "train/images/3.jpg").unlink()
    with pytest.raises(CourseError, match=r"1 of 2 masks have no photo.*3\.png"):
        open_dataset(tmp_path, "train")


def test_two_files_of_one_stem(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1"])
    trees.save_photo(tmp_path / "train/images/1.png", trees.photo(0))
    with pytest.raises(CourseError, match=r"share a stem: 1\.jpg, 1\.png"):
        open_dataset(tmp_path, "train")


def test_an_empty_split(tmp_path):
    (tmp_path / "train/images").mkdir(parents=True)
    (tmp_path / "train/masks").mkdir()
    with pytest.raises(CourseError, match="train/images: holds no picture"):
        open_dataset(tmp_path, "train")


def test_sizes_that_do_not_fit(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1", "2"])
    trees.save_photo(tmp_path / "train/images/1.jpg", trees.photo(0, 64, 96))
    trees.save_photo(tmp_path / "train/images/2.jpg", trees.photo(0, 129, 128))
    dataset = open_dataset(tmp_path, "train")
    with pytest.raises(CourseError, match=r"1\.png: is 64×64 and its photo .*1\.jpg 96×64"):
        dataset[0]
    assert dataset[1].image.shape == (129, 128, 3)  # within a pixel's rounding


def test_celebamask_without_its_list_or_parts(tmp_path):
    root = trees.write_celebamask(tmp_path, {0: trees.face(16), 1: trees.face(16)}, {0: 1, 1: 2})
    for path in (root / PARTS / "0").glob("00001_*"):
        path.unlink()
    with pytest.raises(CourseError, match=r"no part mask 00001_\*\.png"):
        open_dataset(root, "train")[1]
    with pytest.raises(CourseError, match="no photo of the val split"):
        open_dataset(root, "val")
    trees.save_photo(root / PHOTOS / "2.jpg", trees.photo(2))
    with pytest.raises(CourseError, match="no line for 2"):
        open_dataset(root, "train")
    (root / MAPPING).write_text("idx orig_idx\n0 one\n", "utf-8")
    with pytest.raises(CourseError, match="line 2"):
        open_dataset(root, "train")
    (root / MAPPING).unlink()
    with pytest.raises(CourseError, match=rf"{MAPPING}: does not exist"):
        open_dataset(root, "train")


def test_helen_with_pieces_missing(tmp_path):
    root = trees.write_helen(tmp_path, {"train": {"a_1": trees.TO_LAPA[trees.face(16)]}})
    base = root / FOLDER
    with pytest.raises(CourseError, match=r"tuning\.txt: does not exist"):
        open_dataset(root, "val")
    (base / "labels/a_1/a_1_lbl03.png").unlink()
    with pytest.raises(CourseError, match=r"a_1_lbl03\.png: does not exist"):
        open_dataset(root, "train")[0]
    (base / "exemplars.txt").write_text("1 , a_1\n2 , b_1\n", "utf-8")
    with pytest.raises(CourseError, match=r"exemplars\.txt: 1 of 2 listed faces.*b_1"):
        open_dataset(root, "train")
    (base / "exemplars.txt").write_text("", "utf-8")
    with pytest.raises(CourseError, match="names no photo"):
        open_dataset(root, "train")


def test_ignored_pixels_are_kept(tmp_path):
    trees.write_pairs(tmp_path, "course2025", "train", ["1"])
    label_map = trees.face()
    label_map[:5] = IGNORE_INDEX
    Image.fromarray(label_map).save(tmp_path / "train/masks/1.png")
    np.testing.assert_array_equal(open_dataset(tmp_path, "train")[0].label_map, label_map)
