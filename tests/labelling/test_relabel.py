"""Hair and skin anew, the parts as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from coursekit.annotation.outlines import PARTS
from coursekit.annotation.regions import region_table
from coursekit.cli import main
from coursekit.data import open_dataset
from coursekit.errors import CourseError
from coursekit.labelling.relabel import relabel, with_regions
from coursekit.labels import CELEBAMASK_HQ, LAPA, merge_table
from tests.labelling.folders import face
from tests.labelling.test_proposals import network as saved_network

HAIR, SKIN = LAPA.index("hair"), LAPA.index("skin")
TABLE = merge_table(CELEBAMASK_HQ, LAPA)


def truth(index: int) -> np.ndarray:
    return TABLE[face(index).clean_label_map]


class Knows:
    """A network that knows the region of each colour in some faces, wherever it sees it."""

    def __init__(self, *indices: int) -> None:
        self.regions = np.zeros(1 << 24, np.uint8)
        for index in indices:
            known = region_table(CELEBAMASK_HQ)[face(index).clean_label_map]
            self.regions[self.number(face(index).image)] = known

    @staticmethod
    def number(image: np.ndarray) -> np.ndarray:
        return image.astype(np.int64) @ (1 << 16, 1 << 8, 1)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        return self.regions[self.number(image)]


def helen(root: Path, masks: list[np.ndarray]) -> Path:
    """Helen's folders, its hair and skin as `masks` have them."""
    place = root / "SmithCVPR2013_dataset_resized"
    (place / "images").mkdir(parents=True)
    for index, mask in enumerate(masks):
        Image.fromarray(face(index).image).save(place / f"images/f{index}.png")
        (place / f"labels/f{index}").mkdir(parents=True)
        for label in range(LAPA.num_classes):
            shown = Image.fromarray(((mask == label) * 255).astype(np.uint8))
            shown.save(place / f"labels/f{index}/f{index}_lbl{label:02d}.png")
    names = [f"f{index}" for index in range(len(masks))]
    (place / "exemplars.txt").write_text("".join(f"{k} , {n}\n" for k, n in enumerate(names, 1)))
    return place


def test_parts_stay_and_hair_and_skin_are_the_networks() -> None:
    wrong = truth(0).copy()
    wrong[wrong == HAIR] = SKIN  # matting that took all hair for skin
    found = with_regions(face(0).image, wrong, Knows(0))
    assert (wrong == truth(0)).mean() < 0.9
    assert (found == truth(0)).mean() > 0.97
    assert HAIR in found
    for name in PARTS:
        label = LAPA.index(name)
        assert ((found == label) <= (wrong == label)).all()


def test_helen_becomes_a_data_set_in_lapas_layout(tmp_path: Path) -> None:
    wrong = [np.where(truth(k) == HAIR, SKIN, truth(k)).astype(np.uint8) for k in range(2)]
    place = helen(tmp_path, [*wrong, np.zeros((96, 96), np.uint8)])
    made = relabel(place, tmp_path / "out", Knows(0, 1))
    assert made.faces == 2
    assert 0.01 < made.changed < 0.9
    [told] = made.left_out
    assert told.startswith("train/f2: its mask has 0 pixels of eyes")  # all black
    found = open_dataset(tmp_path / "out", "train")
    assert (found.layout, found.names) == ("lapa", ("f0", "f1"))
    sample = found[0]
    np.testing.assert_array_equal(sample.image, face(0).image)
    assert sample.label_map is not None
    assert HAIR in sample.label_map
    with pytest.raises(CourseError, match="is there already"):
        relabel(place, tmp_path / "out", Knows(0))


def test_nothing_to_label(tmp_path: Path) -> None:
    place = helen(tmp_path, [np.zeros((96, 96), np.uint8)])
    with pytest.raises(CourseError, match="nothing could be labelled anew"):
        relabel(place, tmp_path / "out", Knows(0))


def test_the_command_needs_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place, out = helen(tmp_path, [truth(0)]), str(tmp_path / "out")
    assert main(["annotate", str(place), "--relabel", out]) == 2
    assert "--relabel needs --parsing" in capsys.readouterr().err
    maps = saved_network(tmp_path / "maps.safetensors", "lapa")
    code = main(["annotate", str(place), "--relabel", out, "--parsing", str(maps), "--cpu"])
    assert code in (0, 1, 2)  # an untrained network may see no face
    assert "maps.safetensors" not in capsys.readouterr().err
