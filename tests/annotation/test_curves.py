"""Pose, parabolas and smoothed polygons."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit.annotation.curves import ACROSS, Pose, parabola, signed_area, smoothed, two_parabolas


def test_a_pose_puts_the_ends_at_one_and_minus_one() -> None:
    start, end = np.array([10.0, 20.0]), np.array([4.0, 28.0])
    pose = Pose.of(start, end)
    assert pose is not None
    aligned = pose.align(np.stack([start, end]))
    np.testing.assert_allclose(aligned, [(-1, 0), (1, 0)], atol=1e-12)
    points = np.random.default_rng(0).normal(size=(5, 2))
    np.testing.assert_allclose(pose.align(pose.back(points)), points, atol=1e-12)
    # A similarity: what runs clockwise goes on doing so.
    assert signed_area(pose.back(np.array([(0, -1), (1, 0), (0, 1.0)]))) > 0


def test_one_point_has_no_pose() -> None:
    assert Pose.of(np.ones(2), np.ones(2)) is None


@pytest.mark.parametrize("tilt", [-0.6, -0.2, 0.0, 0.35])
def test_a_parabola_is_found_again(tilt: float) -> None:
    t = np.array([0.25, 0.5, 0.75])
    points = np.stack([-1 + 2 * (1 + tilt) * t - 2 * tilt * t**2, -0.5 * 4 * t * (1 - t)], 1)
    curve = parabola(points)
    all_t = np.linspace(0, 1, 4001)
    x = -1 + 2 * (1 + tilt) * all_t - 2 * tilt * all_t**2
    true = np.interp(ACROSS, x, -2 * all_t * (1 - all_t))
    within = np.clip(ACROSS, *points[[0, -1], 0]) == ACROSS
    np.testing.assert_allclose(curve[within], true[within], atol=0.01)
    # Towards the corners it is flatter, and nowhere inside of the straight line.
    line = np.interp(ACROSS, [-1, *points[:, 0], 1], [0, *points[:, 1], 0])
    assert (curve <= line + 1e-9).all() and (curve >= true - 0.01).all()


def test_the_parabola_keeps_to_the_points() -> None:
    points = np.array([(-0.5, -0.2), (0.0, -0.5), (0.5, -0.45)])  # of no parabola
    np.testing.assert_allclose(np.interp(points[:, 0], ACROSS, parabola(points)), points[:, 1])


def test_lids_that_cross_close_the_eye_there() -> None:
    upper = np.array([(-0.5, -0.3), (0.0, -0.1), (0.5, 0.2)])
    lower = np.array([(0.5, -0.2), (0.0, 0.1), (-0.5, 0.3)])
    high, low = two_parabolas(upper, lower)
    assert (high[:, 1] <= low[:, 1]).all()
    assert (high[:12, 1] < low[:12, 1])[2:].all()
    np.testing.assert_array_equal(high[15:, 1], low[15:, 1])


def test_smoothing_goes_through_the_points_and_rounds_a_square() -> None:
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1.0)])
    curve = smoothed(square, 6, closed=True)
    np.testing.assert_allclose(curve[::6], square, atol=1e-12)
    assert signed_area(square) < signed_area(curve) < np.pi / 2  # the circle around it
    line = smoothed(square, 6)
    np.testing.assert_allclose(line[::6], square, atol=1e-12)
    assert line.shape == (19, 2)


def test_points_that_repeat_are_smoothed_too() -> None:
    assert np.isfinite(smoothed(np.ones((9, 2)), closed=True)).all()
