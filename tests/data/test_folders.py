"""Folders of pictures: what is named when it is not read, and how names are compared."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from coursekit.codabench import formats
from coursekit.data import audit, open_dataset
from coursekit.data.celebamask import PHOTOS
from coursekit.data.folders import matched
from coursekit.data.helen import FOLDER, LISTS
from coursekit.data.images import read_image
from coursekit.errors import CourseError
from tests.data import trees


def test_a_folder_that_holds_nothing_to_read_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(CourseError, match=r"IMG_1\.heic: \.heic is not read; save it as"):
        formats.list_images(tmp_path)
    (tmp_path / "IMG_1.heic").rename(tmp_path / "IMG_1.jpg")
    with pytest.raises(CourseError, match=r"IMG_1\.jpg: holds HEIC"):
        read_image(tmp_path / "IMG_1.jpg")


def test_an_error_names_what_may_explain_it(tmp_path: Path) -> None:
    root = trees.write_course2025(tmp_path / "faces")
    (root / "train/images/2.jpg").rename(root / "train/images/2.HEIC")
    with pytest.raises(CourseError, match=r"no photo .*2\.png[^\n]*\n .*2\.HEIC \(\.heic is not"):
        open_dataset(root, "train")
    photos = root / "val/images"
    for path in (*photos.iterdir(), *(root / "val/masks").iterdir()):
        path.unlink()
    trees.save_photo(photos / "part1/1.jpg", trees.photo(1))
    with pytest.raises(CourseError, match=r"no picture .*\n .*part1 \(is a folder with 1 picture;"):
        open_dataset(root, "val")


def test_names_are_compared_in_one_way(tmp_path: Path) -> None:
    pairs = {
        "Zoë": unicodedata.normalize("NFD", "Zoë"), "IMG_1": "img_1", "A": "A", "a": "a",
        "Ü": unicodedata.normalize("NFD", "ü"),
    }  # fmt: skip
    for number, (photo, mask) in enumerate(pairs.items()):
        trees.save_photo(tmp_path / f"train/images/{photo}.jpg", trees.photo(number))
        trees.save_mask(tmp_path / f"train/masks/{mask}.png", trees.face())
    dataset = open_dataset(tmp_path, "train")
    assert set(dataset.names) == set(pairs)
    for entry in dataset.entries:
        assert entry.label is not None and entry.label.stem == pairs[entry.name]
    trees.save_mask(tmp_path / "train/masks/IMG_1.PNG", trees.face(), "P")
    assert [f.kind for f in audit(tmp_path).findings if f.severity == "error"] == ["unpaired-mask"]
    photos = tmp_path / "photos"
    for form in ("NFC", "NFD"):
        trees.save_photo(photos / f"{unicodedata.normalize(form, 'é')}.jpg", trees.photo(1))
    with pytest.raises(CourseError, match="same stem"):
        formats.list_images(photos)


def test_case_decides_nothing_where_it_is_not_clear() -> None:
    assert matched({"a": 1, "B": 2}, ["A", "b"]) == {"A": 1, "b": 2}
    assert matched({"a": 1, "A": 2}, ["A"]) == {"a": 1, "A": 2}
    assert matched({"ab": 1, "aB": 2}, ["AB"]) == {"ab": 1, "aB": 2}
    assert matched({"ab": 1}, ["AB", "Ab"]) == {"ab": 1}


def test_layouts_with_lists_name_what_they_do_not_read(tmp_path: Path) -> None:
    raw = trees.write_celebamask(tmp_path / "raw", {0: trees.face(16)}, {0: 1})
    trees.save_photo(raw / PHOTOS / "face.jpg", trees.photo(1))
    (raw / PHOTOS / "1.heic").write_bytes(b"")
    (told,) = open_dataset(raw, "train").left_out
    assert "2 not read: CelebA-HQ-img/1.heic, CelebA-HQ-img/face.jpg" in told
    assert len([f for f in audit(raw).findings if f.kind == "not-read"]) == 1
    stem = unicodedata.normalize("NFC", "Zoë_1")
    helen = trees.write_helen(tmp_path / "helen", {"val": {stem: trees.TO_LAPA[trees.face(16)]}})
    base = helen / FOLDER
    (base / LISTS["val"]).write_text(unicodedata.normalize("NFD", f"1 , {stem}"), "utf-8")
    (base / "images/2.raw").write_bytes(b"")
    dataset = open_dataset(helen, "val")
    assert dataset.names == (stem,) and dataset[0].label_map is not None
    assert "images/2.raw" in dataset.left_out[0]
