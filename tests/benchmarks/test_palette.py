"""The safe palette can be read by people who see few colours."""

from __future__ import annotations

import numpy as np
import palette
import pytest

from coursekit import synthfaces
from coursekit.labels import CELEBAMASK_HQ, LAPA, shown

SAFE = shown(CELEBAMASK_HQ, "safe")

# Of the 34 pairs that Sharma, Wu and Dalal (2005) publish to test implementations.
PUBLISHED = [
    ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
    ((50, -1, 2), (50, 0, 0), 2.3669),
    ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
    ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "two", "expected"), PUBLISHED)
def test_the_distance_is_that_of_the_publication(one, two, expected) -> None:
    got = palette.ciede2000(np.array(one, float), np.array(two, float))
    assert got == pytest.approx(expected, abs=5e-5)


def test_red_and_green_meet_where_they_cannot_be_told_apart() -> None:
    colours = np.array([[204, 0, 0], [110, 100, 0]])
    near = {name: float(palette.ciede2000(*palette.lab(colours, name))) for name in palette.VISIONS}
    assert near["normal vision"] > 40 and near["deuteranopia"] < 12


def test_neighbours_are_far_apart_and_all_pairs_apart() -> None:
    found = palette.distances(SAFE)
    assert min(value for value, _ in found.values()) > 11.5
    assert min(found[pair][0] for pair in palette.touching()) > 23.5
    assert palette.lightness_gap(SAFE) > 25
    assert SAFE.palette[0] == (0, 0, 0)
    official = palette.distances(CELEBAMASK_HQ)
    assert min(official[pair][0] for pair in palette.touching()) < 5


def test_other_label_sets_have_the_colours_of_their_names() -> None:
    other = shown(LAPA, "safe")
    for name, colour in zip(LAPA.names, other.palette, strict=True):
        assert colour == SAFE.palette[SAFE.index(name)]


def test_what_touches_on_faces_is_listed() -> None:
    """Every pair that shares a good part of the borders on rendered faces."""
    borders = np.zeros((19, 19))
    for index in range(12):
        label_map = synthfaces.render(0, index, 96).label_map
        for one, two in ((label_map[1:], label_map[:-1]), (label_map[:, 1:], label_map[:, :-1])):
            np.add.at(borders, (one.ravel(), two.ravel()), 1)
    borders = np.triu(borders + borders.T, 1)
    seen = {(int(a), int(b)) for a, b in np.argwhere(borders > 12)}
    assert len(seen) > 20 and seen <= palette.touching()
