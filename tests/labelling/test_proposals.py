"""Where points lie before a hand moves them, and where the others follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import coursekit
from coursekit import checkpoint
from coursekit.annotation.points import checked
from coursekit.checkpoint import ModelInfo
from coursekit.errors import CourseError
from coursekit.labelling.proposals import Network, follow, mean_face
from coursekit.landmarks import LANDMARK_SET
from tests.labelling.folders import face

START = face(0).landmarks.astype(np.float64)


@pytest.mark.parametrize(("height", "width"), [(96, 96), (1024, 512), (40, 900)])
def test_the_mean_face_is_a_face_of_the_picture(height: int, width: int) -> None:
    points = mean_face(height, width).points
    checked(points, height, width)
    assert (points >= 0).all()
    assert (points < (width, height)).all()


def test_moved_points_are_where_the_hand_put_them() -> None:
    moved, targets = [66, 79, 16], START[[66, 79, 16]] + [(3, 1), (-2, 4), (0, 9)]
    found = follow(START, moved, targets)
    np.testing.assert_array_equal(found[moved], targets)
    assert np.abs(found - START).max() < 12


def test_one_point_takes_all_with_it() -> None:
    found = follow(START, [54], START[[54]] + np.array([5, -3]))
    np.testing.assert_allclose(found, START + np.array([5, -3]), atol=1e-6)


@pytest.mark.parametrize("moved", [[66, 79], [66, 79, 16], [66, 79, 84, 90, 16]])
def test_two_points_turn_and_scale_the_face(moved: list[int]) -> None:
    factor, angle = 1.7, 0.4
    spin = factor * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    wanted = START @ spin + (20, -5)
    np.testing.assert_allclose(follow(START, moved, wanted[moved]), wanted, atol=1e-6)


def test_nothing_moved_is_nothing_followed() -> None:
    np.testing.assert_array_equal(follow(START, [], np.zeros((0, 2))), START)


def test_moved_points_in_one_place_are_no_fault() -> None:
    start = START.copy()
    start[67] = start[66]
    found = follow(start, [66, 67], start[[66, 67]] + 2)
    assert np.isfinite(found).all()


def network(path: Path, label_set: str = LANDMARK_SET) -> Path:
    settings = {"num_classes": 106, "width": 8, "stem": (8, 8), "depth": 1}
    model = "hourglass"
    if label_set != LANDMARK_SET:
        model, settings = "fastscnn", {"num_classes": 11}
    torch.manual_seed(0)
    info = ModelInfo(model, settings, label_set, 32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    checkpoint.save(path, coursekit.create_model(model, **settings), info)
    return path


def test_a_network_says_how_sure_it_is(tmp_path: Path) -> None:
    found = Network(network(tmp_path / "points.safetensors")).propose(face(0).image)
    assert found.points.shape == (106, 2)
    assert found.sure.shape == (106,)
    assert found.source == "network points"


def test_a_network_of_label_maps_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="draws label maps and finds no points"):
        Network(network(tmp_path / "maps.safetensors", "lapa")).check()
