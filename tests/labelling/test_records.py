"""Nothing is lost, whoever writes, and whatever ends in between."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coursekit.data.landmark_files import read_landmarks, write_landmarks
from coursekit.errors import CourseError
from coursekit.labelling import records as module
from coursekit.labelling.checking import Edit
from coursekit.labelling.photos import find_photos
from coursekit.labelling.records import Conflict, Records
from coursekit.labels import LAPA
from tests.labelling.folders import face, folder

MAP = np.arange(96 * 96, dtype=np.uint8).reshape(96, 96) % 11


def edit(window: str = "one", sequence: int = 1, dx: float = 2.0) -> Edit:
    proposed = face(0).landmarks.astype(np.float64)
    points = proposed.copy()
    points[54, 0] += dx
    return Edit(points, (7, 54), (54,), proposed, "the mean face", 1, 2.0, window, sequence)


def records(tmp_path: Path) -> Records:
    return Records(find_photos(folder(tmp_path, 1)))


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    kept = records(tmp_path)
    assert kept.read("0").edit is None
    held = kept.keep("0", edit(), kept.read("0").tag)
    assert held.edit is not None
    assert not held.saved
    np.testing.assert_allclose(held.edit.points, edit().points, atol=1e-3)
    assert held.edit.hidden == (7, 54)
    assert held.moved == 1
    assert not kept.photos.landmarks("0").exists()


def test_what_is_saved_is_lapas(tmp_path: Path) -> None:
    kept = records(tmp_path)
    held = kept.save("0", edit(), kept.read("0").tag, MAP)
    assert held.saved
    there = read_landmarks(kept.photos.landmarks("0"))
    np.testing.assert_allclose(there, edit().points, atol=0.006)
    with Image.open(kept.photos.label_map("0")) as picture:
        assert picture.mode == "P"  # any viewer shows it in colour
        np.testing.assert_array_equal(np.array(picture), MAP)
        assert bytes(picture.getpalette() or [])[:33] == LAPA.palette_array().tobytes()
    again = kept.keep("0", edit(sequence=2), held.tag)
    assert not again.saved  # until it is saved once more


def test_another_window_is_asked_first(tmp_path: Path) -> None:
    kept = records(tmp_path)
    seen = kept.read("0").tag
    held = kept.keep("0", edit("one"), seen)
    for write in (kept.keep, lambda *a: kept.save(*a, MAP)):
        with pytest.raises(Conflict, match="changed in another window at"):
            write("0", edit("two", dx=5), seen)
    assert kept.read("0").tag == held.tag
    assert not kept.photos.landmarks("0").exists()
    # What it says after it has looked counts; then the first one is asked.
    kept.keep("0", edit("two", dx=5), held.tag)
    with pytest.raises(Conflict):
        kept.keep("0", edit("one", 2), held.tag)


def test_a_window_does_not_stand_in_its_own_way(tmp_path: Path) -> None:
    kept = records(tmp_path)
    seen = kept.read("0").tag
    kept.keep("0", edit("one", 5), seen)  # whose answer was lost
    kept.keep("0", edit("one", 6, dx=9), seen)
    late = kept.keep("0", edit("one", 5), seen)  # which was overtaken
    assert late.edit is not None
    assert late.edit.points[54, 0] - late.edit.proposed[54, 0] == pytest.approx(9)


def test_a_change_from_outside_is_seen(tmp_path: Path) -> None:
    kept = records(tmp_path)
    held = kept.save("0", edit(), kept.read("0").tag, MAP)
    other = face(0).landmarks + 1
    write_landmarks(kept.photos.landmarks("0"), other)
    found = kept.read("0")
    assert "was changed outside" in found.message
    assert found.points is not None
    np.testing.assert_allclose(found.points, other, atol=0.01)
    with pytest.raises(Conflict):
        kept.keep("0", edit("two"), held.tag)


def test_files_of_others_are_copied_before_they_go(tmp_path: Path) -> None:
    kept = records(tmp_path)
    by_hand, mask = face(0).landmarks + 1, b"a mask by somebody"
    write_landmarks(kept.photos.landmarks("0"), by_hand)
    kept.photos.label_map("0").write_bytes(mask)
    held = kept.read("0")
    assert held.edit is None
    for sequence in (1, 2):  # what the tool wrote itself is not copied
        held = kept.save("0", edit(sequence=sequence), held.tag, MAP)
    place = kept.photos.root / "annotation/replaced"
    copies = sorted(p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file())
    assert copies == ["labels/0.png", "landmarks/0.txt"]
    assert (place / "labels/0.png").read_bytes() == mask
    np.testing.assert_allclose(read_landmarks(place / "landmarks/0.txt"), by_hand, atol=0.01)


@pytest.mark.parametrize(
    "text",
    ["", "68\n1 2\n", "106\n" + "1 2\n" * 105, "106\n" + "nan 2\n" * 106, "106\n" + "1 2 3\n" * 106,
     "\0\1\2", "106\n" + "1 2\n" * 105 + "1 x\n"],
)  # fmt: skip
def test_landmark_files_that_are_none(text: str, tmp_path: Path) -> None:
    kept = records(tmp_path)
    path = kept.photos.landmarks("0")
    path.write_text(text)
    held = kept.read("0")
    assert held.points is None
    if text:
        assert str(path) in held.message
    kept.save("0", edit(), held.tag, MAP)
    copy = kept.photos.root / "annotation/replaced/landmarks/0.txt"
    assert not text or copy.read_text() == text


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"format": 99}', "null", "\xff"])
def test_records_that_are_none_are_copied(text: str, tmp_path: Path) -> None:
    kept = records(tmp_path)
    kept.photos.record("0").write_text(text, "latin-1")
    held = kept.read("0")
    assert held.edit is None
    assert "is no record" in held.message
    assert kept.keep("0", edit(), held.tag).edit is not None
    copy = kept.photos.root / "annotation/replaced/annotation/0.json"
    assert copy.read_text("latin-1") == text


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    kept, secret = records(tmp_path), tmp_path / "secret"
    secret.write_text("do not touch")
    for path in (kept.photos.record("0"), kept.photos.landmarks("0"), kept.photos.label_map("0")):
        path.symlink_to(secret)
    held = kept.read("0")
    assert held.points is None
    assert "landmarks/0.txt: is a link, which is not followed" in held.message
    kept.save("0", edit(), held.tag, MAP)
    assert secret.read_text() == "do not touch"


@pytest.mark.parametrize("fatal", range(4))
def test_a_full_disk_loses_nothing(
    fatal: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fills at the record, at the label map, at the landmarks, at the record's last word."""
    kept = records(tmp_path)
    first = kept.save("0", edit(), kept.read("0").tag, MAP)
    before = kept.photos.landmarks("0").read_bytes()
    calls = 0

    def full(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > fatal:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CourseError, match="No space left"):
        kept.save("0", edit(sequence=2, dx=7), first.tag, MAP)
    monkeypatch.undo()
    held = kept.read("0")
    assert held.edit is not None
    off = held.edit.points[54, 0] - held.edit.proposed[54, 0]
    assert off == pytest.approx(7 if fatal else 2)
    assert held.saved == (fatal == 0)  # nobody takes half of it for the whole
    if fatal < 3:
        assert kept.photos.landmarks("0").read_bytes() == before
    assert json.loads(kept.photos.record("0").read_text())
    assert not list(kept.photos.root.rglob(".coursekit*"))
    done = kept.save("0", edit(sequence=3, dx=7), held.tag, MAP)  # there is room again
    assert done.saved


def test_two_processes_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and writing nobody else writes: the lock is held."""
    fcntl = pytest.importorskip("fcntl")
    kept = records(tmp_path)
    other = os.open(kept.photos.root / "annotation", os.O_RDONLY)
    seen = []
    write = module.write_text

    def watched(path: Path, text: str) -> None:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(path)
        write(path, text)

    monkeypatch.setattr(module, "write_text", watched)
    kept.keep("0", edit(), kept.read("0").tag)
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
    assert seen == [kept.photos.record("0")]


def test_a_record_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    kept = records(tmp_path)
    kept.photos.record("0").mkdir()
    with pytest.raises(CourseError, match=r"0\.json: cannot be read"):
        kept.keep("0", replace(edit(), window="two"), "seen")
