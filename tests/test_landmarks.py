from __future__ import annotations

import numpy as np
import pytest

from coursekit import landmarks
from coursekit.landmarks import LANDMARK_MIRROR


def test_landmark_groups_cover_all_points_once() -> None:
    points = [i for group in landmarks.LANDMARK_GROUPS.values() for i in group]
    assert sorted(points) == list(range(106))


def test_landmark_mirror_pairs() -> None:
    mirror = np.array(LANDMARK_MIRROR)
    assert (mirror[mirror] == np.arange(106)).all()
    assert np.flatnonzero(mirror == np.arange(106)).tolist() == [
        16, 51, 52, 53, 54, 60, 87, 93, 98, 102,
    ]  # fmt: skip
    pairs = [(0, 32), (33, 46), (37, 42), (38, 50), (41, 47), (66, 79), (70, 75), (71, 82)]
    pairs += [(73, 80), (74, 83), (84, 90), (91, 95), (96, 100), (101, 103), (104, 105)]
    for a, b in pairs:
        assert mirror[a] == b
    for part in ("brow", "eye"):
        left, right = (landmarks.LANDMARK_POLYGONS[f"{side}_{part}"] for side in "lr")
        assert {int(mirror[i]) for i in left} == set(right)


def test_mirrored_landmarks() -> None:
    points = np.random.default_rng(0).uniform(0, 99, (106, 2)).astype(np.float32)
    mirrored = landmarks.mirror_landmarks(points, 100)
    assert mirrored[104].tolist() == pytest.approx([99 - points[105, 0], points[105, 1]])
    np.testing.assert_allclose(landmarks.mirror_landmarks(mirrored, 100), points, rtol=1e-5)


def test_every_point_has_a_name_of_its_own() -> None:
    names = landmarks.LANDMARK_NAMES
    assert len(set(names)) == 106
    assert names[66] == "right eye, outer corner"  # left in the picture
    assert [names[point] for point in landmarks.OUTER_EYE_CORNERS] == [
        "right eye, outer corner", "left eye, outer corner",
    ]  # fmt: skip
    for side, other in (("right", "left"), ("left", "right")):
        for point, name in enumerate(names):
            if name.startswith(side):
                assert names[LANDMARK_MIRROR[point]].startswith(other)
