"""Label maps from points and regions."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit.annotation import label_map
from coursekit.annotation.outlines import PARTS, polygons
from coursekit.annotation.regions import BACKGROUND, COVER, HAIR, SKIN, region_table
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, LAPA, merge_table
from tests.annotation.faces import curved_face, turned

ID = {name: LAPA.index(name) for name in LAPA.names}
REGIONS = region_table(CELEBAMASK_HQ)
POINTS = curved_face(0).landmarks.astype(float)


def test_true_regions_and_true_points_give_the_truth() -> None:
    table = merge_table(CELEBAMASK_HQ, LAPA)
    for index in range(6):
        face = curved_face(index)
        found = label_map(face.landmarks, 256, 256, regions=REGIONS[face.clean_label_map])
        assert (found == table[face.clean_label_map]).mean() > 0.985


def test_points_alone_give_all_but_hair() -> None:
    found = label_map(POINTS, 256, 256)
    assert found.dtype == np.uint8 and found.shape == (256, 256)
    assert set(np.unique(found)) >= {ID[name] for name in ("skin", *PARTS) if name != "mouth"}
    assert ID["hair"] not in found


def test_the_order_of_fusion() -> None:
    regions = np.full((256, 256), SKIN, np.uint8)
    eye, brow, lip = (POINTS[i].mean(0).round().astype(int) for i in ([66, 70], [43, 48], [98]))
    regions[brow[1] - 9 : brow[1] + 9] = HAIR
    regions[eye[1] - 9 : eye[1] + 9, : eye[0] + 20] = COVER
    regions[lip[1] - 9 : lip[1] + 9] = BACKGROUND
    found = label_map(POINTS, 256, 256, regions=regions)
    assert (found[regions == HAIR] == ID["hair"]).all()
    assert (found[regions == BACKGROUND] == ID["background"]).all()
    # Glasses hide what is behind them and are skin in LaPa.
    assert set(np.unique(found[regions == COVER])) <= {ID["skin"], ID["background"]}
    assert ID["r_eye"] not in found and ID["l_eye"] in found


def test_skin_ends_at_the_jaw() -> None:
    found = label_map(POINTS, 256, 256, regions=np.full((256, 256), SKIN, np.uint8))
    chin = int(POINTS[16, 1].round())
    assert not (found[chin + 2 :] == ID["skin"]).any()
    assert (found[: int(POINTS[:33, 1].min()) - 2, 100:150] != ID["background"]).all()


@pytest.mark.parametrize(("height", "width"), [(96, 96), (200, 640), (1024, 512)])
def test_any_size_is_the_same_face(height: int, width: int) -> None:
    points = (POINTS + 0.5) * (width / 256, height / 256) - 0.5
    found = label_map(points, height, width)
    whole = label_map(POINTS, 256, 256)
    share = [np.bincount(m.ravel(), minlength=11) / m.size for m in (found, whole)]
    np.testing.assert_allclose(*share, atol=0.004)


def test_a_scheme_may_be_named() -> None:
    plain = label_map(POINTS, 256, 256, scheme=polygons)
    assert (plain != label_map(POINTS, 256, 256)).any()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_faces(degrees: int) -> None:
    points = turned(POINTS, degrees, 256)
    found = np.rot90(label_map(points, 256, 256), degrees // 90)
    assert (found == label_map(POINTS, 256, 256)).mean() > 0.999


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (POINTS[:68], r"a\.txt: 68 × 2 where 106 × 2"),
        (POINTS.ravel(), "212 where 106 × 2"),
        (np.float64(3), "one number where 106 × 2"),
        ([["a", "b"]] * 106, "not a list of x and y"),
        ([[1.0], [1.0, 2.0]], "not a list of x and y"),
        (np.where(np.arange(106)[:, None] == 66, np.nan, POINTS), "point 66 .right eye, outer"),
        (np.full((106, 2), np.inf), r"point 0 .*\(and 105 more\) has no place in a picture"),
        (np.where(np.arange(106)[:, None] == 66, 1e30, POINTS), "point 66 .right eye, outer"),
        (np.full((106, 2), 80.0), "all points lie within 8 pixels"),
        (POINTS / 256, "x and y are pixels, not shares"),
        (POINTS + 300, "106 of 106 points lie outside the picture, which is 256×256"),
        (POINTS * 4, r"points lie outside .*scale the points"),
    ],
)
def test_points_that_are_no_face_of_the_picture(points, message: str) -> None:
    with pytest.raises(CourseError, match=message) as caught:
        label_map(points, 256, 256, name="a.txt")
    assert len(str(caught.value)) < 240


def test_a_face_at_the_edge_is_cut() -> None:
    found = label_map(POINTS - (100, 0), 256, 256)
    np.testing.assert_array_equal(found[:, :156], label_map(POINTS, 256, 256)[:, 100:])
    assert not found[:, 156:].any()


def test_regions_of_another_size_are_refused() -> None:
    with pytest.raises(CourseError, match="regions are 64×32 and the label map is 256×256"):
        label_map(POINTS, 256, 256, regions=np.zeros((32, 64), np.uint8))


def test_random_points_give_a_map_or_an_error() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        points = rng.uniform(-100, 356, (106, 2))
        points[rng.random(106) < 0.3] = points[0]
        try:
            found = label_map(points, 256, 256)
        except CourseError:
            continue
        assert found.max() < LAPA.num_classes
