"""Which photographs are labelled, and what is refused before a hand begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from coursekit.errors import CourseError
from coursekit.labelling.photos import find_photos
from tests.labelling.folders import folder


def test_a_folder_its_images_and_the_folder_of_images_are_one(tmp_path: Path) -> None:
    root = folder(tmp_path, 2)
    for named in (root, root / "images"):
        assert find_photos(named).root == root
    photos = find_photos(root)
    assert list(photos.photos) == ["0", "1"]
    assert photos.landmarks("0") == root / "landmarks/0.txt"
    assert photos.label_map("0") == root / "labels/0.png"


def test_photographs_without_a_folder_of_their_own(tmp_path: Path) -> None:
    root = folder(tmp_path, 1)
    (root / "images/0.png").rename(root / "10.png")
    (root / "images").rmdir()
    (root / "9.png").write_bytes((root / "10.png").read_bytes())
    assert list(find_photos(root).photos) == ["9", "10"]
    assert list(find_photos(root).photos) == ["9", "10"]  # with labels/ beside them


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    root, outside = folder(tmp_path, 1), tmp_path / "outside.png"
    images = root / "images"
    outside.write_bytes((images / "0.png").read_bytes())
    (images / "link.png").symlink_to(outside)
    (images / "0.JPG").write_bytes(outside.read_bytes())
    (images / "x.heic").write_bytes(b"x")
    (images / f"{'x' * 246}.png").write_bytes(b"x")
    found = find_photos(root)
    assert len(found.photos) == 1
    told = " ".join(found.left_out)
    for word in ("a link out of the folder", "shares its stem", "x.heic", "too long a name"):
        assert word in told


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ((), "there is no such folder"),
        (("mine",), "is no folder"),
        (("mine/",), "holds no photograph"),
        (("mine/a.heic",), "holds no photograph"),
        (("mine/train/images/", "mine/val/images/"), "holds splits; name one of them"),
    ],
)
def test_folders_that_hold_nothing_to_label(
    made: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    for name in made:
        path = tmp_path / name
        (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            path.write_bytes(b"x")
    with pytest.raises(CourseError, match=told):
        find_photos(tmp_path / "mine")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folder(tmp_path, 1)
    refused = "coursekit.labelling.photos.why_refused"
    with monkeypatch.context() as patch:
        patch.setattr(refused, lambda place: "Read-only file system")
        with pytest.raises(CourseError, match=r"cannot be written \(Read-only file system\)"):
            find_photos(root)
    (root / "annotation").write_text("in the way")
    with pytest.raises(CourseError, match="no folder can be made there"):
        find_photos(root)


def test_labels_do_not_leave_the_folder(tmp_path: Path) -> None:
    root = folder(tmp_path, 1)
    (tmp_path / "elsewhere").mkdir()
    (root / "labels").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CourseError, match="labels: is a link out of the folder"):
        find_photos(root)


@pytest.mark.parametrize("place", ["replaced", "replaced/landmarks", "replaced/labels", "model"])
def test_nor_does_what_lies_beside_the_records(place: str, tmp_path: Path) -> None:
    """A folder that somebody else has packed may hold links, too."""
    root = folder(tmp_path, 1)
    link = root / "annotation" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path)
    with pytest.raises(CourseError, match=f"{place}: is a link out of the folder"):
        find_photos(root)
