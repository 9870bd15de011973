"""What a page draws is what is saved."""

from __future__ import annotations

import re

import cv2
import numpy as np

from coursekit.annotation import label_map
from coursekit.annotation.outlines import PARTS
from coursekit.annotation.regions import BACKGROUND, COVER, HAIR, SKIN
from coursekit.labelling import drawing
from coursekit.labels import LAPA
from coursekit.polygons import inside
from tests.labelling.folders import face

SIDE = 256
POINTS = (face(0).landmarks.astype(np.float64) + 0.5) * (SIDE / 96) - 0.5


def corners(path: str) -> list[np.ndarray]:
    """The polygons of an SVG path of straight lines."""
    return [
        np.array([[float(v) for v in pair.split()] for pair in polygon.split("L")])
        for polygon in re.findall(r"M([^Z]*)Z", path)
    ]


def test_the_lines_of_a_page_are_the_label_map() -> None:
    found, drawn = np.zeros((SIDE, SIDE), np.uint8), drawing.paths(POINTS)
    for name in ("skin", *PARTS):
        for polygon in corners(drawn[name]):
            window, filled = inside(polygon, SIDE, SIDE)
            found[window][filled] = LAPA.index(name)
    wanted = label_map(POINTS, SIDE, SIDE)
    assert (found != wanted).mean() < 1e-4  # lines are rounded to hundredths


def test_what_lies_beyond_the_jaw() -> None:
    drawn = label_map(POINTS, SIDE, SIDE, regions=np.full((SIDE, SIDE), SKIN, np.uint8))
    [polygon] = corners(drawing.paths(POINTS)["below"])
    window, filled = inside(polygon, SIDE, SIDE)
    below = np.zeros((SIDE, SIDE), bool)
    below[window] = filled
    assert (below == (drawn == LAPA.index("background"))).mean() > 0.99


def test_a_photograph_for_a_page_is_no_larger_than_a_page_needs() -> None:
    image = np.zeros((8, drawing.MOST_PIXELS * 2, 3), np.uint8)
    image[..., 0] = 200
    sent = cv2.imdecode(np.frombuffer(drawing.picture(image), np.uint8), cv2.IMREAD_COLOR)
    assert sent is not None
    assert sent.shape[:2] == (4, drawing.MOST_PIXELS)
    assert sent[0, 0, 2] > 190  # red


def test_layers_of_regions() -> None:
    regions = np.full((2, 4), BACKGROUND, np.uint8)
    regions[0] = SKIN, HAIR, COVER, BACKGROUND
    read = {
        name: cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
        for name, png in drawing.layers(regions).items()
    }
    assert read["mask"][0].tolist() == [255, 0, 0, 0]
    assert read["skin"][0, :, 3].tolist() == [255, 0, 255, 0]
    assert read["hair"][0, :, 3].tolist() == [0, 255, 0, 0]
    assert tuple(read["hair"][0, 1, 2::-1]) == LAPA.palette[LAPA.index("hair")]
