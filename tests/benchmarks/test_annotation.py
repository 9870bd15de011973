"""Parts from landmarks against masks: the points of a mesh, and how pixels are counted."""

from __future__ import annotations

from pathlib import Path

import annotation
import numpy as np
import pytest
import table

from coursekit.annotation.habits import category
from coursekit.annotation.outlines import PARTS, fitted, polygons
from coursekit.labels import CELEBAMASK_HQ
from coursekit.landmarks import LANDMARK_MIRROR, LANDMARK_POLYGONS
from coursekit.synthfaces import Style, render

FACE = render(annotation.SEED, 4, 128, style=Style(curved=True))
POINTS = FACE.landmarks.astype(float)


def test_the_mesh_has_a_point_for_every_corner_of_seven_parts() -> None:
    corners = {point for polygon in LANDMARK_POLYGONS.values() for point in polygon}
    assert corners <= set(annotation.MESH)
    assert len(set(annotation.MESH.values())) == len(annotation.MESH)
    # What has a counterpart on one side has one on the other.
    assert {LANDMARK_MIRROR[point] for point in annotation.MESH} == set(annotation.MESH)
    points = annotation.from_mesh(np.stack([np.arange(478.0)] * 2, 1))
    assert points[66, 0] == 33 and np.isnan(points[0]).all()
    assert set(fitted(points)) <= set(PARTS) - {"nose"}


def test_counts_are_of_both_and_of_either() -> None:
    case = (POINTS, FACE.clean_label_map, ("l_eye", "mouth"))
    counts = annotation.count([case, case], polygons)
    assert set(counts) == {"l_eye", "mouth"} and counts["l_eye"].shape == (2, 2)
    drawn = annotation.crossing_rule(polygons(POINTS)["l_eye"], 128, 128)
    real = FACE.clean_label_map == CELEBAMASK_HQ.index("l_eye")
    assert counts["l_eye"][0].tolist() == [(drawn & real).sum(), (drawn | real).sum()]
    assert annotation.pooled(counts)["l_eye"] == pytest.approx(
        (drawn & real).sum() / (drawn | real).sum(), abs=1e-4
    )
    touched = annotation.opencv(polygons(POINTS)["l_eye"], 128, 128)
    assert (touched | ~drawn).all() and touched.sum() > drawn.sum()


def test_a_gain_has_both_ends_and_none_over_itself() -> None:
    counts = {"u_lip": np.array([(9, 10), (5, 10), (8, 10)])}
    assert annotation.gains(counts, counts) == {"u_lip": [0.0, 0.0]}
    better = {"u_lip": counts["u_lip"] + (1, 0)}
    assert annotation.gains(better, counts) == {"u_lip": [0.1, 0.1]}


def test_divided_polygons_are_the_same_polygons() -> None:
    for part, outline in annotation.divided(POINTS).items():
        a = annotation.crossing_rule(outline, 128, 128)
        b = annotation.crossing_rule(polygons(POINTS)[part], 128, 128)
        assert (a != b).sum() <= 2, part


def test_photographs_are_paired_by_name(tmp_path: Path) -> None:
    from PIL import Image

    for folder, suffix in (("images", "jpg"), ("masks", "png")):
        (tmp_path / "val" / folder).mkdir(parents=True)
        for name in ("1", "2"):
            pixels = FACE.image if folder == "images" else FACE.label_map
            Image.fromarray(pixels).save(tmp_path / "val" / folder / f"{name}.{suffix}")
    mesh = np.random.default_rng(0).uniform(0, 128, (1, 478, 2))
    np.savez(tmp_path / "val.npz", names=np.array(["2"]), points=mesh)
    ((points, label_map, parts),) = annotation.photographs(tmp_path, tmp_path, "val")
    np.testing.assert_allclose(points[66], mesh[0, 33], rtol=1e-5)
    np.testing.assert_array_equal(label_map, FACE.label_map)
    assert parts == PARTS[1:]


def test_places_are_told_by_name() -> None:
    habits = {name: " ".join(str(k) for k in range(62)) for name in table.PLACES}
    told = dict(table.places(habits))
    assert told["eye"] == "outer corner +0.0, above +12.0, inner corner +24.0, below +36.0"


def test_pictures_are_drawn(tmp_path: Path) -> None:
    habits = {name: np.full(62, 0.1) for name in table.PLACES}
    lengths = {category(part): len(o[0]) for part, o in fitted(POINTS).items() if len(o) == 1}
    habits = {name: values[: lengths[name]] for name, values in habits.items()}
    told = annotation.from_text(annotation.as_text(habits))
    np.testing.assert_allclose(told["brow"], habits["brow"], atol=1e-3)
    for figure in (annotation.figure_5(FACE), annotation.habits_of_annotators(FACE, told)):
        figure.savefig(tmp_path / "a.png", dpi=40)
        assert (tmp_path / "a.png").stat().st_size > 5_000
