"""The embedded faces: same bytes everywhere, real proportions, labels that fit the landmarks."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from coursekit.labels import CELEBAMASK_HQ
from coursekit.landmarks import LANDMARK_POLYGONS, NUM_LANDMARKS
from coursekit.synthfaces import NOISE_KINDS, Style, SynthFace, render

ID = {name: CELEBAMASK_HQ.index(name) for name in CELEBAMASK_HQ.names}
# Pixels of each class in the course's 5,000 real training masks.
REAL_COUNTS = np.array([
    375099645, 333172471, 27015905, 3467864, 2937773, 2928618, 5572580, 5433404, 6164110, 5049695,
    3896683, 5417555, 8898431, 411175974, 12651045, 3102372, 196952, 54031542, 44507381,
])  # fmt: skip
SHARED, SIZE = 200, 96


@pytest.fixture(scope="module")
def faces() -> list[SynthFace]:
    return [render(2024, index, SIZE) for index in range(SHARED)]


def digest(face: SynthFace) -> str:
    parts = (face.image, face.label_map, face.clean_label_map, face.landmarks)
    return hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest()


def filled(points: NDArray, size: int) -> NDArray[np.bool_]:
    """The pixels whose centres lie inside a polygon, by the crossing rule: slow and obvious."""
    least, most = np.floor(points.min(0)), np.ceil(points.max(0)) + 1
    left, top, right, bottom = np.clip([*least, *most], 0, size).astype(int)
    y, x = np.mgrid[top:bottom, left:right].astype(np.float64)
    inside = np.zeros(y.shape, bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, 0), strict=True):
        if y0 == y1:
            continue
        crosses = (y0 <= y) != (y1 <= y)
        inside ^= crosses & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return np.pad(inside, ((top, size - bottom), (left, size - right)))


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    return float((a & b).sum() / max(1, (a | b).sum()))


# --- one call --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 64, 96, 128, 255, 512])
def test_shapes_and_types(size: int) -> None:
    face = render(0, 3, size)
    image, label_map, landmarks = face
    assert image.shape == (size, size, 3)
    assert image.dtype == np.uint8
    assert label_map.shape == face.clean_label_map.shape == (size, size)
    assert label_map.dtype == face.clean_label_map.dtype == np.uint8
    assert label_map.max() <= 18
    assert landmarks.shape == (NUM_LANDMARKS, 2)
    assert landmarks.dtype == np.float32
    assert np.isfinite(landmarks).all()
    with pytest.raises(FrozenInstanceError):
        face.image = image  # type: ignore[misc]


def test_a_face_travels_between_processes() -> None:
    face = render(0, 3, 32)
    again = pickle.loads(pickle.dumps(face))
    assert digest(again) == digest(face)
    assert again.attributes == face.attributes
    assert again.visible == face.visible


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"seed": -1}, ["seed", "-1"]),
        ({"index": -7}, ["index", "-7"]),
        ({"seed": 1.5}, ["seed", "1.5", "int"]),
        ({"size": 15}, ["size", "15", "16"]),
        ({"size": True}, ["size", "True"]),
        ({"label_noise": 1.01}, ["label_noise", "1.01", "[0, 1]"]),
        ({"crowd": -0.1}, ["crowd", "-0.1"]),
        ({"shift": float("nan")}, ["shift", "nan"]),
    ],
)
def test_bad_arguments_are_named(arguments: dict, words: list[str]) -> None:
    with pytest.raises(ValueError) as error:
        render(**{"seed": 0, "index": 0, "size": 64, **arguments})
    assert all(word in str(error.value) for word in words)


# --- determinism -----------------------------------------------------------------------------

_CHILD = """
import sys, hashlib, cv2
cv2.setNumThreads(int(sys.argv[1]))
from coursekit.synthfaces import render
for index in map(int, sys.argv[2:]):
    f = render(9, index, 128, label_noise=0.5, crowd=0.5, shift=0.5)
    parts = (f.image, f.label_map, f.clean_label_map, f.landmarks)
    print(index, hashlib.sha256(b"".join(p.tobytes() for p in parts)).hexdigest())
"""


def test_bytes_do_not_depend_on_process_order_or_threads() -> None:
    knobs = {"label_noise": 0.5, "crowd": 0.5, "shift": 0.5}
    here = {i: digest(render(9, i, 128, **knobs)) for i in range(6)}
    for threads, order in (("1", "543210"), ("4", "031425")):
        command = [sys.executable, "-c", _CHILD, threads, *order]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        there = {int(line.split()[0]): line.split()[1] for line in out.splitlines()}
        assert there == here


def test_bytes_do_not_depend_on_threads_at_512() -> None:
    before = cv2.getNumThreads()
    try:
        found = set()
        for threads in (1, 2, 8):
            cv2.setNumThreads(threads)
            found.add(digest(render(9, 1, 512)))
    finally:
        cv2.setNumThreads(before)
    assert len(found) == 1


def test_bytes_do_not_depend_on_company() -> None:
    alone = [digest(render(9, index, 96)) for index in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda index: digest(render(9, index, 96)), range(12)))
    assert together == alone


def test_chance_outside_is_neither_used_nor_changed() -> None:
    np.random.seed(0)  # noqa: NPY002 - the global state is what is tested
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    first = digest(render(1, 1, 64))
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    np.random.seed(5)  # noqa: NPY002
    assert digest(render(1, 1, 64)) == first


def test_seeds_and_indices_give_different_faces() -> None:
    found = {digest(render(seed, index, 64)) for seed in range(4) for index in range(4)}
    assert len(found) == 16


def test_numpy_integers_are_the_same_numbers() -> None:
    assert digest(render(np.int64(3), np.int32(2), np.int64(64))) == digest(render(3, 2, 64))


@pytest.mark.parametrize("index", range(4))
def test_another_size_is_the_same_face(index: int) -> None:
    small, large = render(4, index, 128), render(4, index, 256)
    assert small.attributes == large.attributes
    np.testing.assert_allclose((small.landmarks + 0.5) * 2, large.landmarks + 0.5, atol=1e-2)
    # A pixel of the small map against the larger one's corner of the same place.
    agree = (small.label_map == large.label_map[::2, ::2]).mean()
    assert agree > 0.95
    shrunk = cv2.resize(large.image, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small.image).mean() < 14


# --- what is drawn ---------------------------------------------------------------------------


def test_class_shares_are_near_the_real_ones(faces: list[SynthFace]) -> None:
    counts = sum(np.bincount(face.label_map.ravel(), minlength=19) for face in faces)
    ratio = (counts / counts.sum()) / (REAL_COUNTS / REAL_COUNTS.sum())
    wrong = {n: round(float(r), 2) for n, r in zip(ID, ratio, strict=True) if not 0.5 < r < 2}
    assert not wrong
    assert counts.argmin() == ID["neck_l"]


def test_sides_are_the_subjects(faces: list[SynthFace]) -> None:
    x = np.arange(SIZE)[None, :]
    for face in faces[:60]:
        for left, right in (("l_eye", "r_eye"), ("l_brow", "r_brow"), ("l_ear", "r_ear")):
            a, b = face.label_map == ID[left], face.label_map == ID[right]
            if a.sum() > 5 and b.sum() > 5:
                assert (x * a).sum() / a.sum() > (x * b).sum() / b.sum()
        # In the landmark table, the smaller indices lie on the image's left.
        assert face.landmarks[74, 0] < face.landmarks[83, 0]
        assert face.landmarks[0, 0] < face.landmarks[32, 0]


def test_points_of_the_jaw_lie_on_the_outline_that_is_seen(faces: list[SynthFace]) -> None:
    """A little inside of each point there is face, a little outside there is none."""
    skin = [ID[name] for name in ("skin", "mouth", "u_lip", "l_lip", "nose", "eye_g")]
    inner, outer = [], []
    for face in faces[:40]:
        middle = face.landmarks.mean(0)
        for point in face.landmarks[3:30][face.landmarks_visible[3:30]]:
            way = (point - middle) / np.linalg.norm(point - middle)
            for step, found in ((-0.03, inner), (0.03, outer)):
                column, row = np.rint(point + step * SIZE * way).astype(int)
                if 0 <= column < SIZE and 0 <= row < SIZE:
                    found.append(face.clean_label_map[row, column] in skin)
    assert np.mean(inner) > 0.97
    assert np.mean(outer) < 0.1


def test_points_behind_hair_hats_and_dark_glasses_are_hidden(faces: list[SynthFace]) -> None:
    hidden = (ID["hair"], ID["hat"])
    seen = 0
    for face in faces:
        for name in ("l_eye", "r_eye", "u_lip", "l_lip", "l_brow", "r_brow"):
            points = list(LANDMARK_POLYGONS[name])
            flags = face.landmarks_visible[points]
            if face.visible[name] == 1:
                assert flags.mean() > 0.7, name  # its border may touch what lies beside it
            elif face.attributes.glasses == "sunglasses" and "eye" in name:
                assert flags.mean() < 0.4
        for point in face.landmarks[~face.landmarks_visible]:
            column, row = np.rint(point).astype(int)
            if 0 <= column < SIZE and 0 <= row < SIZE:
                near = face.clean_label_map[
                    max(0, row - 3) : row + 4, max(0, column - 3) : column + 4
                ]
                seen += 1
                assert np.isin(near, (*hidden, ID["eye_g"], ID["ear_r"])).any()
    assert seen > 50


@pytest.mark.parametrize(("size", "bound"), [(128, 0.95), (256, 0.95), (512, 0.95)])
def test_landmark_polygons_agree_with_the_labels(size: int, bound: float) -> None:
    found: dict[str, list[float]] = {}
    for index in range(10 if size == 512 else 24):
        face = render(77, index, size)
        for name in ("l_eye", "r_eye", "u_lip", "l_lip", "mouth"):
            if face.visible[name] < 1:
                continue
            polygon = filled(face.landmarks[list(LANDMARK_POLYGONS[name])], size)
            if polygon.sum() >= 20:
                label = face.clean_label_map == ID[name]
                found.setdefault(name, []).append(overlap(polygon, label))
    assert set(found) == {"l_eye", "r_eye", "u_lip", "l_lip", "mouth"}
    assert min(np.mean(values) for values in found.values()) >= bound
    if size > 128:
        assert min(min(values) for values in found.values()) >= bound - 0.06


def test_curved_parts_bend_between_the_same_landmarks() -> None:
    straight, curved = (render(77, 0, 256, style=Style(curved=c)) for c in (False, True))
    np.testing.assert_array_equal(straight.landmarks, curved.landmarks)
    assert straight.attributes == curved.attributes
    for name in ("l_eye", "r_eye", "l_brow", "r_brow", "nose"):
        a, b = (face.clean_label_map == ID[name] for face in (straight, curved))
        assert 0.75 < overlap(a, b) < 1
        assert b.sum() > a.sum()  # a lid is outside of its chords
    # Lips that share an edge leave no gap beside it.
    mouth = np.isin(curved.clean_label_map, [ID["u_lip"], ID["l_lip"], ID["mouth"]])
    holes = cv2.connectedComponents((~mouth).astype(np.uint8), connectivity=4)[0] - 1
    assert holes == 1


def test_a_closed_mouth_has_no_inside(faces: list[SynthFace]) -> None:
    closed = [face for face in faces if not face.attributes.mouth_open]
    assert len(closed) > 0.2 * SHARED
    for face in closed:
        assert not (face.label_map == ID["mouth"]).any()
        assert face.visible["mouth"] == 0


def test_attributes_and_labels_tell_the_same(faces: list[SynthFace]) -> None:
    seen: set[object] = set()
    for face in faces:
        known, present = face.attributes, set(np.unique(face.label_map).tolist())
        assert (known.glasses is not None) >= (ID["eye_g"] in present)
        assert (known.hat is not None) == (ID["hat"] in present)
        assert known.cloth >= (ID["cloth"] in present)
        assert known.necklace >= (ID["neck_l"] in present)
        if known.glasses == "sunglasses":
            assert not present & {ID["l_eye"], ID["r_eye"]}
        assert known.neighbours == 0
        assert known.label_noise == ()
        seen |= {known.glasses, known.hat, known.hair, known.beard}
    assert {"clear", "sunglasses"} <= seen
    assert {"bald", "buzz", "short", "bob", "long", "updo"} <= seen
    assert {"stubble", "full", "goatee", "moustache"} <= seen


def test_heads_turn_both_ways_and_the_nose_follows(faces: list[SynthFace]) -> None:
    yaw = np.array([face.attributes.yaw for face in faces])
    nose = np.array([face.landmarks[54, 0] - face.landmarks[[74, 83], 0].mean() for face in faces])
    assert yaw.min() < -20 and yaw.max() > 20
    assert np.corrcoef(yaw, nose)[0, 1] > 0.9
    roll = np.array([face.attributes.roll for face in faces])
    slope = np.array([np.subtract(*face.landmarks[[83, 74], 1]) for face in faces])
    assert np.corrcoef(roll, slope)[0, 1] > 0.9


def test_faces_are_not_flat_colours(faces: list[SynthFace]) -> None:
    spread = [face.image[face.label_map == ID["skin"]].std(0).mean() for face in faces[:40]]
    assert np.mean(spread) > 15
    tones = np.array([face.image[face.label_map == ID["skin"]].mean() for face in faces])
    assert tones.min() < 100 and tones.max() > 190


# --- the knobs -------------------------------------------------------------------------------


def test_label_noise_changes_the_label_map_alone() -> None:
    for index in range(8):
        clean, noisy = render(3, index, 96), render(3, index, 96, label_noise=1.0)
        np.testing.assert_array_equal(clean.image, noisy.image)
        np.testing.assert_array_equal(clean.landmarks, noisy.landmarks)
        np.testing.assert_array_equal(clean.label_map, noisy.clean_label_map)
        np.testing.assert_array_equal(clean.label_map, clean.clean_label_map)
        assert (noisy.label_map != noisy.clean_label_map).any()
        assert noisy.label_map.max() <= 18


def test_every_kind_of_label_noise_occurs() -> None:
    style = Style(necklace_share=1.0)
    noisy = [render(3, index, 128, label_noise=0.5, style=style) for index in range(40)]
    struck = [face.attributes.label_noise for face in noisy]
    assert set().union(*struck) == set(NOISE_KINDS)
    assert 0.3 < np.mean(["shifted_boundary" in kinds for kinds in struck]) < 0.7
    for face in noisy:
        kinds, label, clean = face.attributes.label_noise, face.label_map, face.clean_label_map
        if kinds == ("eyes_as_glasses",):
            eyes = np.isin(clean, (ID["l_eye"], ID["r_eye"]))
            assert (label[eyes] == ID["eye_g"]).all()
            assert (label[~eyes] == clean[~eyes]).all()
        if kinds == ("neck_as_cloth",):
            assert (label[clean == ID["neck"]] == ID["cloth"]).all()
        if kinds == ("missing_necklace",):
            changed = label != clean
            assert (clean[changed] == ID["neck_l"]).all()
            assert np.isin(label[changed], (ID["neck"], ID["cloth"])).all()
        if kinds == ("shifted_boundary",):
            assert 0 < (label != clean).mean() < 0.2


def test_a_crowd_is_background_in_the_labels() -> None:
    changed = 0
    for index in range(6):
        alone, crowded = render(8, index, 96), render(8, index, 96, crowd=1.0)
        assert crowded.attributes.neighbours == 4
        np.testing.assert_array_equal(alone.label_map, crowded.label_map)
        np.testing.assert_array_equal(alone.landmarks, crowded.landmarks)
        assert dict(alone.visible) == dict(crowded.visible)
        behind = alone.label_map == ID["background"]
        difference = np.abs(alone.image.astype(int) - crowded.image).max(2)
        changed += int((difference[behind] > 25).sum())
        assert difference[alone.label_map == ID["skin"]].mean() < difference[behind].mean()
    assert changed > 2000
    some = [render(8, index, 32, crowd=0.5).attributes.neighbours for index in range(30)]
    assert 1.2 < np.mean(some) < 2.8


def test_shift_is_a_harder_distribution(faces: list[SynthFace]) -> None:
    plain = faces[:80]
    hard = [render(2024, index, SIZE, shift=1.0) for index in range(80)]

    def spread(values: list[float]) -> float:
        return float(np.std(values))

    for name in ("yaw", "roll", "pitch"):
        known = [[getattr(face.attributes, name) for face in some] for some in (plain, hard)]
        assert spread(known[1]) > 1.2 * spread(known[0])
    place = [[face.landmarks[51].mean() for face in some] for some in (plain, hard)]
    assert spread(place[1]) > 2 * spread(place[0])
    light = [[face.image.mean() for face in some] for some in (plain, hard)]
    assert spread(light[1]) > spread(light[0])
    assert digest(render(2024, 0, SIZE, shift=0.0)) == digest(plain[0])


def test_what_covers_a_part_shows_in_visible() -> None:
    style = Style(hat_share=1.0, fringe_share=1.0)
    faces = [render(5, index, 96, style=style) for index in range(30)]
    shares = np.array([[face.visible[n] for n in ("l_brow", "r_brow", "l_eye")] for face in faces])
    assert ((shares >= 0) & (shares <= 1)).all()
    assert (shares < 1).any()
    assert (shares == 1).any()


def test_a_style_switches_features_off() -> None:
    plain = replace(
        Style(), glasses_share=0.0, hat_share=0.0, earring_share=0.0, necklace_share=0.0
    )
    worn = {ID[name] for name in ("eye_g", "hat", "ear_r", "neck_l")}
    for index in range(30):
        assert not worn & set(np.unique(render(1, index, 64, style=plain).label_map).tolist())
