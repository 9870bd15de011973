"""What lesson 13 builds in the open, what is borrowed, and the package's annotation are one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from coursekit import annotation, metrics
from coursekit.annotation.curves import Pose
from coursekit.annotation.regions import BACKGROUND, COVER, HAIR, SKIN
from coursekit.labels import LAPA
from coursekit.parts import annotation as parts
from coursekit.synthfaces import render
from tests.lessons.twins import answers

RNG = np.random.default_rng(3)


@pytest.fixture(name="mine")
def fixture_mine() -> dict[str, Any]:
    return answers("13_annotation")


def test_a_lid_lies_in_the_pose(mine: dict[str, Any]) -> None:
    start, end = np.array([12.0, 30.0]), np.array([40.0, 21.0])
    points, x = RNG.uniform(10, 40, (3, 2)), np.linspace(-1, 1, 9)
    curve = mine["lid"](points, start, end, x)
    np.testing.assert_allclose(curve, parts.lid(points, start, end, x))
    pose = Pose.of(start, end)
    assert pose is not None
    u, v = pose.align(curve).T
    np.testing.assert_allclose(u, x, atol=1e-12)
    np.testing.assert_allclose(v, v[4] * (1 - x**2), atol=1e-12)


def test_the_order_is_that_of_the_package(mine: dict[str, Any]) -> None:
    regions = RNG.integers(0, 4, (96, 96)).astype(np.uint8)
    points = render(5, 1, 96).landmarks
    # All skin, so that the jaw's line, which the lesson leaves out, cuts nothing off the parts.
    bare = annotation.label_map(points, 96, 96, regions=np.full((96, 96), SKIN, np.uint8))
    inner = [(i, bare == i) for i in range(2, 10)]
    found = mine["fuse"](regions, inner)
    assert (found == parts.fuse(regions, inner)).all()
    course = annotation.label_map(points, 96, 96, regions=regions)
    assert set(found[found != course].tolist()) <= {LAPA.index("skin")}
    assert (found[regions == HAIR] == LAPA.index("hair")).all()
    assert (found[regions == COVER] == LAPA.index("skin")).all()
    assert not found[regions == BACKGROUND].any()


@pytest.mark.parametrize("by", ["box", "eyes"])
def test_the_error(mine: dict[str, Any], by: str) -> None:
    truth, found = RNG.uniform(0, 90, (2, 106, 2))
    truth[[3, 50]] = np.nan
    theirs = metrics.nme(torch.from_numpy(found[None]), torch.from_numpy(truth[None]), by)
    assert mine["nme"](found, truth, by) == pytest.approx(float(theirs[0]))
    assert parts.nme(found, truth, by) == pytest.approx(float(theirs[0]))


def test_who_is_asked_and_how_hands_differ(mine: dict[str, Any]) -> None:
    guesses = RNG.normal(0, 1, (5, 30, 2)) * RNG.uniform(0.2, 4, (30, 2))
    assert (mine["ask_first"](guesses, 7) == parts.ask_first(guesses, 7)).all()
    one, two = RNG.normal(0, 1, (2, 4, 30, 2))
    for ours, theirs in zip(mine["two_hands"](one, two), parts.two_hands(one, two), strict=True):
        np.testing.assert_allclose(ours, theirs)
