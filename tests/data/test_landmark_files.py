"""LaPa's landmark files are read and written, and every broken one is named."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit.data.landmark_files import check_landmarks, read_landmarks, write_landmarks
from coursekit.errors import CourseError

POINTS = np.random.default_rng(0).uniform(-3, 300, (106, 2)).round(2).astype(np.float32)


def test_written_and_read(tmp_path) -> None:
    path = tmp_path / "landmarks" / "a.txt"
    write_landmarks(path, POINTS)
    np.testing.assert_array_equal(read_landmarks(path), POINTS)
    first, *lines = path.read_text().splitlines()
    assert first == "106"
    assert [tuple(map(float, line.split())) for line in lines] == [
        tuple(map(float, f"{x:.2f} {y:.2f}".split())) for x, y in POINTS
    ]
    before = path.read_bytes()
    write_landmarks(path, read_landmarks(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("spoil", [np.nan, np.inf, None])
def test_what_cannot_be_read_again_is_not_written(tmp_path, spoil) -> None:
    path = tmp_path / "a.txt"
    write_landmarks(path, POINTS)
    before = path.read_bytes()
    wrong = POINTS[:-1] if spoil is None else np.where(np.arange(212).reshape(-1, 2) == 7, spoil, 1)
    with pytest.raises(CourseError, match=r"a\.txt: 105 finite points cannot be written"):
        write_landmarks(path, wrong)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a landmark file"),
        ("106\n1 2\n", "states 106 points and holds 1;"),
        ("105\n" + "1 2\n" * 106, "states 105 points and holds 106;"),
        ("106\n" + "1 2\n" * 105 + "nan 2\n", "states 106 points and holds 105;"),
        ("106\n" + "1 2\n" * 105 + "inf 2\n", "holds 105;"),
        ("106\n" + "1 2\n" * 105 + "1e300 2\n", "holds 105;"),  # none of float32, and no warning
        ("106\n" + "1 2\n" * 105 + "1\n", "not a landmark file"),
        ("106\n" + "1 2\n" * 105 + "1 2 3\n", "not a landmark file"),
        ("106\n" + "one two\n" * 106, "not a landmark file"),
        ("0\n", "states 0 points and holds 0;"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, message) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(CourseError, match=message) as error:
        read_landmarks(path)
    assert str(error.value).startswith(str(path))
    assert len(str(error.value).splitlines()) <= 3


def test_other_bytes_and_no_file(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "a.txt", tmp_path / "none.txt", tmp_path):
        with pytest.raises(CourseError, match="not a landmark file"):
            read_landmarks(path)


def test_points_far_outside_are_another_photo_s() -> None:
    points = POINTS.copy()
    check_landmarks(points, (330, 310), "a.jpg")  # a little outside: a cut face
    points[5] = 400, 20
    with pytest.raises(CourseError, match=r"a\.jpg: a landmark lies 91 pixels outside its 310×330"):
        check_landmarks(points, (330, 310), "a.jpg")
    points[5] = 20, -70
    with pytest.raises(CourseError, match="70 pixels outside"):
        check_landmarks(points, (330, 310), "a.jpg")
