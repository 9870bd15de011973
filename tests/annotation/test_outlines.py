"""Parts fitted from exact landmarks, against the truth of rendered faces."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from coursekit.annotation.outlines import PARTS, face, fitted, polygons
from coursekit.labels import CELEBAMASK_HQ
from coursekit.landmarks import LANDMARK_GROUPS, mirror_landmarks
from tests.annotation.faces import curved_face, filled, turned

SIZE = 256
LEAST = dict.fromkeys(("r_eye", "l_eye", "u_lip", "l_lip", "mouth"), 0.95) | dict.fromkeys(
    ("r_brow", "l_brow", "nose"), 0.90
)


def test_fitted_parts_reach_the_truth_and_beat_polygons() -> None:
    both: dict[tuple[str, str], int] = defaultdict(int)
    either: dict[tuple[str, str], int] = defaultdict(int)
    for index in range(12):
        drawn = curved_face(index, SIZE)
        for scheme in (fitted, polygons):
            outlines = scheme(drawn.landmarks.astype(float))
            for part in PARTS:
                if drawn.visible[part] < 1:
                    continue
                truth = drawn.clean_label_map == CELEBAMASK_HQ.index(part)
                found = filled(outlines[part], SIZE, SIZE)
                both[scheme.__name__, part] += np.count_nonzero(truth & found)
                either[scheme.__name__, part] += np.count_nonzero(truth | found)
    for part in PARTS:
        score, plain = (both[s, part] / either[s, part] for s in ("fitted", "polygons"))
        assert score >= LEAST[part], part
        assert score > plain, part


@pytest.mark.parametrize("degrees", [90, 180, -135])
def test_a_turned_face_has_the_same_outlines_turned(degrees: float) -> None:
    points = curved_face(0).landmarks.astype(float)
    upright, lying = fitted(points), fitted(turned(points, degrees, 256))
    for part in PARTS:
        for a, b in zip(upright[part], lying[part], strict=True):
            np.testing.assert_allclose(turned(a, degrees, 256), b, atol=1e-9)


def test_a_mirrored_face_has_the_mirrored_outlines() -> None:
    points = curved_face(1).landmarks
    mirrored = fitted(mirror_landmarks(points, 256).astype(float))
    for part, outline in fitted(points.astype(float)).items():
        partner = {"r_": "l_", "l_": "r_"}.get(part[:2], part[:2]) + part[2:]
        partner = part if part.endswith("lip") else partner
        a = filled(outline, 256, 256)[:, ::-1]
        b = filled(mirrored[partner], 256, 256)
        assert np.count_nonzero(a ^ b) <= 0.02 * np.count_nonzero(a) + 2, part


def test_a_picture_mirrored_without_its_points_keeps_its_eyes() -> None:
    points = curved_face(1).landmarks.astype(float)
    flipped = fitted(points * (-1, 1) + (255, 0))
    for part in ("r_eye", "l_eye"):
        a = filled(fitted(points)[part], 256, 256)[:, ::-1]
        b = filled(flipped[part], 256, 256)
        assert np.count_nonzero(a ^ b) <= 0.02 * np.count_nonzero(a) + 2


def test_lips_and_mouth_tile() -> None:
    for index in range(4):
        outlines = fitted(curved_face(index).landmarks.astype(float))
        count = sum(
            filled(outlines[part], 256, 256).astype(int) for part in ("u_lip", "l_lip", "mouth")
        )
        assert count.max() == 1


@pytest.mark.parametrize("scheme", [fitted, polygons])
def test_parts_without_a_place_are_left_out(scheme) -> None:
    points = curved_face(2).landmarks.astype(float)
    points[[70, 52]] = np.nan
    assert set(scheme(points)) == set(PARTS) - {"r_eye", "nose"}
    assert scheme(np.full((106, 2), np.nan)) == {}


def test_collapsed_parts_have_no_pixel() -> None:
    points = curved_face(2).landmarks.astype(float)
    for group in ("r_eye", "inner_mouth", "r_brow"):
        points[list(LANDMARK_GROUPS[group])] = 100.0
    outlines = fitted(points)
    assert not {"r_eye", "mouth", "u_lip"} & set(outlines)
    assert not filled(outlines["r_brow"], 256, 256).any()


def test_the_face_reaches_from_chin_to_forehead() -> None:
    points = curved_face(0).landmarks.astype(float)
    mask = filled((face(points),), 256, 256)
    inner = np.rint(points[33:]).astype(int)
    assert mask[inner[:, 1], inner[:, 0]].all()
    truth = curved_face(0).clean_label_map
    assert np.flatnonzero(mask.any(1)).max() == pytest.approx(points[:33, 1].max(), abs=1)
    skin = (truth > 0) & (truth < 13) & ~np.isin(truth, (8, 9))
    assert np.count_nonzero(mask & skin) > 0.8 * np.count_nonzero(mask)
