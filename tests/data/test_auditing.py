"""The audit finds each kind of defect, planted in a clean set, and names its file."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from coursekit.data import audit
from coursekit.data.helen import FOLDER
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, CELEBAMASK_HQ_ALTERNATIVE_ORDER, reorder_table
from coursekit.landmarks import LANDMARK_GROUPS
from tests.data import trees

# What a small clean set may always be told: classes that toy faces lack.
HARMLESS = {"absent-class", "missing-split"}


@pytest.fixture
def root(tmp_path):
    return trees.write_course2025(tmp_path / "faces", train=6, val=3, test=2)


def kinds(report):
    return {f.kind for f in report.findings} - HARMLESS


def only(report, kind):
    found = [f for f in report.findings if f.kind == kind]
    assert len(found) == 1, [f.kind for f in report.findings]
    return found[0]


def redraw(path, change, mode="P", entries=256):
    label_map = trees.face()
    change(label_map)
    trees.save_mask(path, label_map, mode, entries)


def give(label_map, old, new):
    label_map[label_map == CELEBAMASK_HQ.index(old)] = CELEBAMASK_HQ.index(new)


def cover_eyes(label_map, name):
    give(label_map, "l_eye", name)
    give(label_map, "r_eye", name)


def test_a_clean_set_has_nothing_against_it(root):
    report = audit(root)
    assert kinds(report) == set()
    assert report.ok
    assert report.samples == {"train": 6, "val": 3, "test": 2}


@pytest.mark.parametrize(
    ("kind", "severity", "change"),
    [
        ("constant-mask", "error", lambda m: m.fill(13)),
        ("constant-mask", "error", lambda m: m.fill(0)),
        ("no-background", "warning", lambda m: give(m, "background", "hair")),
        ("tiny-necklace", "note", lambda m: m[60, 10:20].fill(16)),
        ("no-eyes", "warning", lambda m: cover_eyes(m, "skin")),
        ("no-eyes-glasses", "note", lambda m: cover_eyes(m, "eye_g")),
    ],
)  # fmt: skip
def test_masks_by_themselves(root, kind, severity, change):
    redraw(root / "train/masks/3.png", change)
    report = audit(root)
    finding = only(report, kind)
    assert kinds(report) == {kind}
    assert (finding.severity, finding.split) == (severity, "train")
    assert finding.names == ("train/masks/3.png",)
    assert report.ok == (severity != "error")


@pytest.mark.parametrize("part", ["eye", "brow", "ear"])
def test_a_swapped_pair(root, part):
    def swap(label_map):
        left, right = (CELEBAMASK_HQ.index(f"{side}_{part}") for side in "lr")
        both = label_map == left, label_map == right
        label_map[both[0]], label_map[both[1]] = right, left

    redraw(root / "val/masks/2.png", swap)
    finding = only(audit(root), "swapped-sides")
    assert finding.names == ("val/masks/2.png",)
    assert f"l_{part}" in finding.details[0]


def test_a_tilted_or_upside_down_face_is_not_swapped(root):
    for number, turns in enumerate((1, 2, 3)):
        path = root / f"train/masks/{number}.png"
        trees.save_mask(path, np.ascontiguousarray(np.rot90(trees.face(), turns)))
    assert not kinds(audit(root)) & {"swapped-sides", "sides-convention"}


def test_a_set_that_names_the_sides_of_the_image(root):
    table = CELEBAMASK_HQ.mirror_table()
    for path in (root / "train/masks").iterdir():
        trees.save_mask(path, table[trees.face()])
    finding = only(audit(root), "sides-convention")
    assert finding.severity == "error"
    assert len(finding.names) == 6


def test_specks_of_other_classes(tmp_path):
    root = tmp_path / "faces"
    for number in range(2):
        trees.save_photo(root / f"train/images/{number}.jpg", trees.photo(number, 512, 512))
        label_map = trees.face(512)
        if number:
            label_map[500, 5:10] = CELEBAMASK_HQ.index("ear_r")
        trees.save_mask(root / f"train/masks/{number}.png", label_map)
    finding = only(audit(root), "speck")
    assert finding.names == ("train/masks/1.png",)
    assert finding.details == ("train/masks/1.png: ear_r, 5 px",)


def test_mixed_modes_and_palettes(root):
    redraw(root / "train/masks/1.png", lambda m: None, mode="L")
    redraw(root / "val/masks/0.png", lambda m: None, entries=19)
    report = audit(root)
    assert only(report, "mixed-modes").names == ("train/masks/1.png",)
    assert only(report, "mixed-palettes").names == ("val/masks/0.png",)
    assert kinds(report) == {"mixed-modes", "mixed-palettes"}
    picture = Image.open(root / "train/masks/2.png")
    picture.putpalette(bytes(range(256)) * 3)
    picture.save(root / "train/masks/2.png")
    assert only(audit(root), "mixed-palette-colours").names == ("train/masks/2.png",)


def test_every_broken_file_is_named_in_one_run(root):
    (root / "train/images/0.jpg").write_bytes((root / "train/images/0.jpg").read_bytes()[:600])
    (root / "train/masks/1.png").write_bytes(b"")
    Image.fromarray(CELEBAMASK_HQ.palette_array()[trees.face()]).save(root / "train/masks/2.png")
    redraw(root / "train/masks/3.png", lambda m: m[:2].fill(77))
    trees.save_photo(root / "train/images/4.jpg", trees.photo(4, 64, 100))
    (root / "train/masks/5.png").unlink()
    trees.save_mask(root / "val/masks/9.png", trees.face())
    report = audit(root)
    assert not report.ok
    named = {f.kind: f.names for f in report.findings if f.severity == "error"}
    assert named == {
        "unreadable-image": ("train/images/0.jpg",),
        "unreadable-mask": ("train/masks/1.png",),
        "colour-mask": ("train/masks/2.png",),
        "unknown-ids": ("train/masks/3.png",),
        "size-mismatch": ("train/masks/4.png",),
        "unpaired-image": ("train/images/5.jpg",),
        "unpaired-mask": ("val/masks/9.png",),
    }
    assert str(root) not in "".join(f.message + "".join(f.details) for f in report.findings)


def test_an_empty_split(root):
    for path in (root / "test/images").iterdir():
        path.unlink()
    assert only(audit(root), "empty-split").split == "test"


def test_sizes_that_differ_but_fit(root):
    trees.save_photo(root / "train/images/1.jpg", trees.photo(1, 128, 128))
    finding = only(audit(root), "size-differs")
    assert (finding.severity, finding.names) == ("note", ("train/masks/1.png",))


def copy_photo(root, source, target, change):
    with Image.open(root / source) as picture:
        change(picture).save(root / target, quality=80)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p,
        lambda p: p.resize((48, 48)),
        lambda p: ImageEnhance.Brightness(p).enhance(1.2),
        lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    ],
)
def test_near_duplicates_across_splits_leak(root, change):
    copy_photo(root, "train/images/2.jpg", "val/images/1.jpg", change)
    report = audit(root)
    finding = only(report, "leak")
    assert (finding.split, finding.severity) == ("train+val", "warning")
    assert finding.names == ("train/images/2.jpg", "val/images/1.jpg")
    assert "duplicate-masks-disagree" not in kinds(report)


def test_near_duplicates_whose_masks_disagree(root):
    copy_photo(root, "train/images/2.jpg", "train/images/5.jpg", lambda p: p)
    redraw(root / "train/masks/5.png", lambda m: m[:16].fill(13))
    report = audit(root)
    assert only(report, "near-duplicates").names == ("train/images/2.jpg", "train/images/5.jpg")
    finding = only(report, "duplicate-masks-disagree")
    share = (trees.face()[16:].size + (trees.face()[:16] == 13).sum()) / trees.face().size
    assert f"{share:.1%}" in finding.message
    assert finding.names == ("train/masks/2.png", "train/masks/5.png")


def test_another_class_order(root):
    other = np.argsort(reorder_table(CELEBAMASK_HQ_ALTERNATIVE_ORDER, CELEBAMASK_HQ)[:19])
    trees.save_mask(root / "train/masks/4.png", other.astype(np.uint8)[trees.face()])
    finding = only(audit(root), "class-order")
    assert (finding.severity, finding.names) == ("warning", ("train/masks/4.png",))
    for split in ("train", "val"):
        for path in (root / split / "masks").iterdir():
            trees.save_mask(path, other.astype(np.uint8)[trees.face()])
    finding = only(audit(root), "class-order")
    assert finding.severity == "error"
    assert len(finding.names) == 9
    assert "reorder_table" in finding.mend


def test_an_order_that_cannot_be_told_is_said_to_be_so(root):
    for split in ("train", "val"):
        for path in (root / split / "masks").iterdir():
            redraw(path, lambda m: give(m, "neck", "background"))
    assert "cannot be told" in only(audit(root), "class-order-unknown").message


def points_of(label_map):
    """106 points that lie on the parts of a LaPa mask."""
    points = np.full((106, 2), 32.0)
    table = {"r_brow": 2, "l_brow": 3, "r_eye": 4, "l_eye": 5, "nose": 6, "outer_mouth": 8}
    for name, index in table.items():
        rows, columns = np.nonzero(label_map == index)
        points[list(LANDMARK_GROUPS[name])] = (columns.mean(), rows.mean())
    points[:33, 0] = np.linspace(14, 50, 33)
    points[:33, 1] = 32 + 20 * np.sin(np.linspace(0, np.pi, 33))
    return points


def test_landmarks_that_do_not_fit(tmp_path):
    trees.write_pairs(tmp_path, "lapa", "train", [str(k) for k in range(5)])
    good = points_of(trees.TO_LAPA[trees.face()])
    for name, points in (
        ("0", good), ("1", good * 3), ("2", good[:, ::-1] * (1, 0.3) + (10, 0)), ("3", good[:50]),
    ):  # fmt: skip
        trees.write_landmarks(tmp_path / f"train/landmarks/{name}.txt", points)
    report = audit(tmp_path)
    assert only(report, "landmarks-misfit").names == (
        "train/landmarks/1.txt", "train/landmarks/2.txt",
    )  # fmt: skip
    assert only(report, "unreadable-landmarks").names == ("train/landmarks/3.txt",)
    assert only(report, "no-landmarks").names == ("train/images/4.jpg",)


def test_sets_with_a_file_for_each_part(tmp_path):
    maps = {number: trees.face() for number in range(3)}
    raw = trees.write_celebamask(tmp_path / "raw", maps, {0: 1, 1: 2, 2: 170_000})
    parts = next(raw.glob("*anno")) / "0"
    (parts / "00001_skin.png").write_bytes(b"cut")
    finding = only(audit(raw), "unreadable-mask")
    assert finding.names == ("CelebA-HQ-img/1.jpg",)
    assert "00001_skin.png" in finding.message
    label_map = trees.TO_LAPA[trees.face()]
    helen = trees.write_helen(tmp_path / "helen", {"train": {"a": label_map, "b": label_map}})
    assert kinds(audit(helen)) == set()
    (helen / FOLDER / "labels/b/b_lbl10.png").unlink()
    assert "b_lbl10.png" in only(audit(helen), "unreadable-mask").message


def test_the_report_as_text_and_json(tmp_path):
    root = trees.write_course2025(tmp_path / "faces", train=10)
    for number in range(10):
        redraw(root / f"train/masks/{number}.png", lambda m: m.fill(0))
    report = audit(root)
    text = report.as_text()
    assert "error: constant-mask [train] × 10" in text
    assert "… and 4 more" in text
    assert "→ " in text and text.endswith("notes")
    found = json.loads(report.as_json())
    assert found["ok"] is False
    assert found["findings"][0]["kind"] == "constant-mask"
    assert len(found["findings"][0]["names"]) == found["findings"][0]["count"] == 10


def test_a_folder_without_a_layout(tmp_path):
    with pytest.raises(CourseError, match="no known layout"):
        audit(tmp_path)


def test_a_split_without_photos_or_a_list_with_photos_missing(root, tmp_path):
    for path in (root / "val/images").iterdir():
        path.unlink()
    (root / "val/images").rmdir()
    finding = only(audit(root), "missing-folder")
    assert (finding.names, finding.split) == (("val/images",), "val")
    maps = {number: trees.face(16) for number in range(3)}
    raw = trees.write_celebamask(tmp_path / "raw", maps, {0: 1, 1: 170_000, 2: 190_000, 9: 4})
    finding = only(audit(raw), "listed-missing")
    assert (finding.severity, finding.names) == ("warning", ("CelebA-HQ-img/9.jpg",))
