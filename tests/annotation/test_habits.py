"""What annotators do beside the points."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from coursekit.annotation.habits import category, learn, moved, with_habits
from coursekit.annotation.outlines import fitted
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ
from tests.annotation.faces import curved_face, filled

SIZE, EYES = 256, ("r_eye", "l_eye")


def drawn_wider(index: int, pixels: int) -> tuple[dict, np.ndarray]:
    """Outlines of a face, and a mask whose annotator draws eyes so much wider."""
    outlines = fitted(curved_face(index).landmarks.astype(float))
    label_map = np.zeros((SIZE, SIZE), np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    for part in EYES:
        mask = filled(outlines[part], SIZE, SIZE).view(np.uint8)
        label_map[cv2.dilate(mask, disc) > 0] = CELEBAMASK_HQ.index(part)
    return outlines, label_map


def test_a_habit_is_found_and_followed() -> None:
    habits = learn((drawn_wider(index, 2) for index in range(8)), CELEBAMASK_HQ)
    assert set(habits) == {"eye"}
    assert (habits["eye"] > 0).mean() > 0.9
    for index in (8, 9):  # others than it was learnt from
        outlines, label_map = drawn_wider(index, 2)
        for part in EYES:
            truth = label_map == CELEBAMASK_HQ.index(part)
            scores = []
            for found in (outlines, with_habits(outlines, habits)):
                mask = filled(found[part], SIZE, SIZE)
                scores.append(np.count_nonzero(mask & truth) / np.count_nonzero(mask | truth))
            assert scores[1] > scores[0] + 0.1
        assert with_habits(outlines, habits)["nose"] is outlines["nose"]


def test_who_draws_on_the_points_has_no_habit() -> None:
    habits = learn((drawn_wider(index, 0) for index in range(8)), CELEBAMASK_HQ)
    size = np.sqrt(np.count_nonzero(drawn_wider(0, 0)[1] == CELEBAMASK_HQ.index("r_eye")))
    assert np.abs(habits["eye"] * size).mean() < 0.5  # pixels


@pytest.mark.parametrize("order", [1, -1])
def test_outwards_is_outwards(order: int) -> None:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)[::order]
    circle = 10 * np.stack([np.cos(angle), np.sin(angle)], 1)
    grown = moved(circle, np.full(64, 0.1))
    area = np.sqrt(np.pi) * 10
    np.testing.assert_allclose(np.hypot(*grown.T), 10 + 0.1 * area, rtol=0.01)


def test_an_outline_without_area_stays() -> None:
    np.testing.assert_array_equal(moved(np.ones((5, 2)), np.ones(5)), np.ones((5, 2)))


def test_both_sides_share_a_habit() -> None:
    assert [category(n) for n in ("r_eye", "l_brow", "l_lip", "u_lip", "mouth")] == [
        "eye", "brow", "l_lip", "u_lip", "mouth",
    ]  # fmt: skip


def test_too_few_photographs_teach_nothing() -> None:
    with pytest.raises(CourseError, match="drawn on 10 photographs; give more"):
        learn((drawn_wider(index, 1) for index in range(4)), CELEBAMASK_HQ)
