"""Coarse to fine, with networks that know the truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from coursekit.annotation import annotate, network, segment
from coursekit.annotation.regions import BACKGROUND, COVER, HAIR, SKIN, region_table
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, HELEN, LAPA, LabelSet
from tests.annotation.faces import curved_face

TABLE = region_table(CELEBAMASK_HQ)
FACE = curved_face(3)
POINTS = FACE.landmarks.astype(float)
TRUTH = TABLE[FACE.clean_label_map]


class Painted:
    """A network that reads the region off the colour, and notes the sides that it was shown."""

    def __init__(self) -> None:
        self.sides: list[int] = []

    def __call__(self, image: np.ndarray) -> np.ndarray:
        assert image.shape[0] == image.shape[1] and image.dtype == np.uint8
        self.sides.append(len(image))
        return np.rint(image[..., 0] / 80).astype(np.uint8)


def painted(regions: np.ndarray) -> np.ndarray:
    return np.repeat(regions[..., None] * np.uint8(80), 3, axis=2)


def test_the_tables_of_all_label_sets() -> None:
    for labels in (CELEBAMASK_HQ, LAPA, HELEN):
        table = region_table(labels)
        told = {name: table[labels.index(name)] for name in labels.names}
        assert told["hair"] == HAIR and told["l_eye"] == told["skin"] == SKIN
        assert told.get("eye_g", COVER) == COVER
        assert told["background"] == told.get("neck", BACKGROUND) == BACKGROUND
        assert table[255] == BACKGROUND
    with pytest.raises(CourseError, match="parts has no class 'hair'"):
        region_table(LabelSet("parts", ("background", "skin"), ((0, 0, 0), (1, 1, 1)), ()))


@pytest.mark.parametrize(("top", "left"), [(0, 0), (300, 120), (700, 10)])
def test_a_face_is_found_in_a_large_picture_and_looked_at_closely(top: int, left: int) -> None:
    whole = np.zeros((960, 400), np.uint8)
    whole[top : top + 256, left : left + 256] = TRUTH
    coarse, fine = Painted(), Painted()
    found = segment(painted(whole), POINTS + np.array([left, top]), coarse, fine)
    assert coarse.sides == [960] and fine.sides[0] < 450
    np.testing.assert_array_equal(found, whole)


def test_large_pictures_are_shrunk_for_the_networks() -> None:
    whole = cv2.resize(TRUTH, (3000, 3000), interpolation=cv2.INTER_NEAREST)
    seen = Painted()
    found = segment(painted(whole), (POINTS + 0.5) * (3000 / 256) - 0.5, seen, seen)
    assert max(seen.sides) == 1024
    assert (found == whole).mean() > 0.99


def test_another_face_is_background() -> None:
    whole = np.zeros((256, 600), np.uint8)
    whole[:, :256], whole[:, 344:] = TRUTH, TRUTH
    whole[:, 256:344] = BACKGROUND
    found = segment(painted(whole), POINTS, Painted(), Painted())
    np.testing.assert_array_equal(found[:, :256], TRUTH)
    assert not found[:, 344:].any()


def nothing(image: np.ndarray) -> np.ndarray:
    return np.zeros(image.shape[:2], np.uint8)


def test_a_coarse_network_that_sees_nothing_leaves_it_to_the_points() -> None:
    found = segment(painted(TRUTH), POINTS, nothing, Painted())
    assert (found == TRUTH).mean() > 0.8


@pytest.mark.parametrize("fine", [nothing, lambda image: nothing(image)[:-1]])
def test_points_of_another_picture(fine: Callable) -> None:
    with pytest.raises(CourseError, match=r"of 73 points lie on a face|one for each pixel"):
        annotate(painted(TRUTH), POINTS, Painted(), fine)


def test_a_whole_annotation() -> None:
    found = annotate(painted(TRUTH), POINTS, Painted(), Painted())
    assert (found == LAPA.index("hair")).sum() == (TRUTH == HAIR).sum()
    assert not found[TRUTH == BACKGROUND].any()


def test_a_checkpoint_is_a_network(tmp_path: Path) -> None:
    from coursekit import checkpoint, create_model

    path = tmp_path / "model.safetensors"
    for labels in (CELEBAMASK_HQ, LAPA):
        settings = {"num_classes": labels.num_classes}
        model = create_model("fastscnn", **settings)
        info = checkpoint.ModelInfo(
            "fastscnn", settings, labels.key, 64, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)
        )
        checkpoint.save(path, model, info)
        for source in (path, checkpoint.load(path)):
            found = network(source)(FACE.image)
            assert found.shape == (256, 256) and found.dtype == np.uint8
            assert found.max() <= COVER
